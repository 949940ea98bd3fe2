//! `numeric_attribute`: an attribute's integer lies between two bounds.
//!
//! The value is read as pdata's integer getter reads it: whatever is no integer, a double too, is 0.

use crate::{
    attribute::{self, Condition},
    kinds::Class,
    set::{Compiler, Test},
};
use otlp::Value;
use settings::{Node, Problems};

/// The settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumericAttribute {
    /// The attribute.
    pub key: String,
    /// At least this; 0 = no lower bound.
    pub min_value: i64,
    /// At most this; 0 = no upper bound. Not both are 0.
    pub max_value: i64,
    /// Sample what does not match.
    pub invert_match: bool,
}

/// The condition: both bounds inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    min: i64,
    max: i64,
}

impl NumericAttribute {
    pub(crate) fn decode(block: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = block.map("numeric_attribute", p)?;
        let settings = Self {
            key: attribute::decode_key(&mut fields, p),
            min_value: fields.take("min_value", 0, p),
            max_value: fields.take("max_value", 0, p),
            invert_match: fields.take("invert_match", false, p),
        };
        fields.finish(p);
        if settings.min_value == 0 && settings.max_value == 0 {
            let message = "`min_value` and `max_value` are both 0, which means no bound";
            p.error(&block.at, message, "set at least one of them to another number".to_string());
            return None;
        }
        if settings.max_value != 0 && settings.min_value != 0 && settings.max_value < settings.min_value {
            p.warning(&block.at, "`max_value` is below `min_value`, so no value can match", None);
        }
        Some(settings)
    }

    #[expect(clippy::unnecessary_wraps, reason = "every kind has this signature, see the table of kinds")]
    pub(crate) fn effective(&self) -> Option<Node> {
        Some(Node::map_of([
            ("invert_match", Node::from(self.invert_match)),
            ("key", Node::from(&self.key)),
            ("max_value", Node::from(self.max_value)),
            ("min_value", Node::from(self.min_value)),
        ]))
    }

    pub(crate) fn class(&self) -> Class {
        Class::Fold
    }

    pub(crate) fn compile(&self, compiler: &mut Compiler<'_>) -> Test {
        let min = if self.min_value == 0 { i64::MIN } else { self.min_value };
        let max = if self.max_value == 0 { i64::MAX } else { self.max_value };
        compiler.attribute(&self.key, Condition::Numeric(Bounds { min, max }), self.invert_match)
    }
}

impl Bounds {
    pub(crate) fn contain(self, value: Value<'_>) -> bool {
        (self.min..=self.max).contains(&value.int_or_zero())
    }
}
