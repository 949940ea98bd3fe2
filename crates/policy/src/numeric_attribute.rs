//! `numeric_attribute`: an attribute's integer lies between two bounds.
//!
//! The value is read as pdata's integer getter reads it: whatever is no integer, a double too, is 0.

use crate::{
    attribute::{self, Condition},
    kinds::Class,
    set::{Compiler, Seen, Test},
};
use otlp::Value;
use settings::{Node, Problems};

/// Samples traces in which an integer attribute of a span or resource lies in a range.
#[derive(Clone, Debug, Default, PartialEq, Eq, settings::Documented)]
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
        fields.describe::<Self>();
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
            let help = "exchange them, or remove one for no bound".to_string();
            p.warning(&block.at, "`max_value` is below `min_value`, so no value can match", help);
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

    pub(crate) fn explain(&self, seen: &Seen<'_>) -> String {
        let is_missing = self.invert_match != seen.is_opposite;
        if is_missing {
            format!("`{}` is nowhere {}", self.key, self.range())
        } else {
            seen.attribute(&self.key, &self.condition(), &format!("is {}", self.range()))
        }
    }

    pub(crate) fn compile(&self, compiler: &mut Compiler<'_>) -> Test {
        compiler.attribute(&self.key, self.condition(), self.invert_match)
    }

    fn condition(&self) -> Condition {
        let min = if self.min_value == 0 { i64::MIN } else { self.min_value };
        let max = if self.max_value == 0 { i64::MAX } else { self.max_value };
        Condition::Numeric(Bounds { min, max })
    }

    fn range(&self) -> String {
        match (self.min_value, self.max_value) {
            (min, 0) => format!("{min} or more"),
            (0, max) => format!("{max} or less"),
            (min, max) => format!("{min} to {max}"),
        }
    }
}

impl Bounds {
    pub(crate) fn contain(self, value: Value<'_>) -> bool {
        (self.min..=self.max).contains(&value.int_or_zero())
    }
}

#[cfg(test)]
mod tests {
    use crate::notation::{check, check_inverted};

    #[test]
    fn upstream_rows() {
        let traces = [
            ("0+1 other=-2147483648", false),
            ("0+1 example=-2147483648", true),
            ("{example=-2147483648} 0+1", true),
            ("0+1 example=2147483647", true),
            ("{example=2147483647} 0+1", true),
            ("0+1 example=-2147483649", false),
            ("{example=-2147483649} 0+1", false),
            ("0+1 example=2147483648", false),
            ("{example=2147483648} 0+1", false),
        ];
        check_inverted(KIND, "key: example, min_value: -2147483648, max_value: 2147483647", &traces);
    }

    #[test]
    fn optional_bounds() {
        for (bounds, value, expected) in [
            ("min_value: 100", 200, true),
            ("min_value: 100", 50, false),
            ("max_value: 100", 50, true),
            ("max_value: 100", 200, false),
            ("min_value: 100, max_value: 200", 150, true),
            ("min_value: 100, max_value: 200", 50, false),
            ("min_value: 400", 500, true),
            ("min_value: 400", 300, false),
            ("min_value: -100", 50, true),
            ("max_value: 1000", 500, true),
            ("min_value: 0, max_value: -5", -7, true),
        ] {
            check_inverted(KIND, &format!("key: n, {bounds}"), &[(&format!("0+1 n={value}"), expected)]);
        }
    }

    #[test]
    fn other_kinds_read_as_zero() {
        for (key, min, max, expected) in [
            ("s", -5, 5, true),
            ("d", -5, 1, true),
            ("bt", -1, 1, true),
            ("rs", -1, 1, true),
            ("e", -1, 1, true),
            ("empty", -1, 1, true),
            ("d", 1, 2, false),
            ("n", 600, 0, false),
            ("missing", -5, 5, false),
            ("dup", 1, 2, false),
        ] {
            check_inverted(KIND, &format!("key: {key}, min_value: {min}, max_value: {max}"), &[(TRACE, expected)]);
        }
    }

    #[test]
    fn the_first_of_equal_keys_counts_but_any_span_may_match() {
        let block = "key: n, min_value: 1, max_value: 9";
        check_inverted(KIND, block, &[("0+1 n=50 n=5", false), ("0+1 n=5 n=50", true)]);
        check_inverted(KIND, block, &[("{n=50} 0+1 n=5", true), ("{n=50 n=5} 0+1", false), ("0+1 | {n=5} 0+1", true)]);
        check(
            r#"- {name: p, type: numeric_attribute, numeric_attribute: {key: "", min_value: 1}}"#,
            &[("0+1 n=5", false)],
        );
    }

    const KIND: &str = "numeric_attribute";
    const TRACE: &str = r#"{rs="x" ri=3 rb=true rempty=_} 0+5 s="hello" e="" n=500 d=1.5 one=1.0 bt=true bf=false empty=_ dup="first" dup="second""#;
}
