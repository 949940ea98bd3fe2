//! `boolean_attribute`: an attribute is true, or is false.
//!
//! The value is read as pdata's boolean getter reads it: whatever is present but no boolean is false.

use crate::{
    attribute::{self, Condition},
    kinds::Class,
    set::{Compiler, Seen, Test},
};
use otlp::Value;
use settings::{Node, Problems};

/// Samples traces in which an attribute of a span or resource has a boolean value.
#[derive(Clone, Debug, Default, PartialEq, Eq, settings::Documented)]
pub struct BooleanAttribute {
    /// The attribute.
    pub key: String,
    /// What it must be.
    pub value: bool,
    /// Sample what does not match.
    pub invert_match: bool,
}

/// The condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Equals(bool);

impl BooleanAttribute {
    pub(crate) fn decode(block: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = block.map("boolean_attribute", p)?;
        fields.describe::<Self>();
        let settings = Self {
            key: attribute::decode_key(&mut fields, p),
            value: fields.take("value", false, p),
            invert_match: fields.take("invert_match", false, p),
        };
        fields.finish(p);
        Some(settings)
    }

    #[expect(clippy::unnecessary_wraps, reason = "every kind has this signature, see the table of kinds")]
    pub(crate) fn effective(&self) -> Option<Node> {
        Some(Node::map_of([
            ("invert_match", Node::from(self.invert_match)),
            ("key", Node::from(&self.key)),
            ("value", Node::from(self.value)),
        ]))
    }

    pub(crate) fn class(&self) -> Class {
        Class::Fold
    }

    pub(crate) fn explain(&self, seen: &Seen<'_>) -> String {
        let is_missing = self.invert_match != seen.is_opposite;
        if is_missing {
            format!("`{}` is nowhere {}", self.key, self.value)
        } else {
            seen.attribute(&self.key, &self.condition(), &format!("is {}", self.value))
        }
    }

    pub(crate) fn compile(&self, compiler: &mut Compiler<'_>) -> Test {
        compiler.attribute(&self.key, self.condition(), self.invert_match)
    }

    fn condition(&self) -> Condition {
        Condition::Boolean(Equals(self.value))
    }
}

impl Equals {
    pub(crate) fn matches(self, value: Value<'_>) -> bool {
        value.bool_or_false() == self.0
    }
}

#[cfg(test)]
mod tests {
    use crate::notation::check_inverted;

    #[test]
    fn upstream_rows() {
        let traces = [("0+1 other=true", false), ("0+1 example=false", false), ("0+1 example=true", true)];
        check_inverted(KIND, "key: example, value: true", &traces);
        check_inverted(
            KIND,
            "key: example, value: true",
            &[("{example=true} 0+1", true), ("0+1 | 0+1 example=true", true)],
        );
    }

    #[test]
    fn other_kinds_read_as_false() {
        for (key, value, expected) in [
            ("s", false, true),
            ("n", false, true),
            ("empty", false, true),
            ("rs", false, true),
            ("missing", false, false),
            ("n", true, false),
            ("bt", true, true),
            ("bf", true, false),
        ] {
            check_inverted(KIND, &format!("key: {key}, value: {value}"), &[(TRACE, expected)]);
        }
    }

    const KIND: &str = "boolean_attribute";
    const TRACE: &str = r#"{rs="x"} 0+5 s="hello" n=500 bt=true bf=false empty=_"#;
}
