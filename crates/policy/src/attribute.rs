//! A condition on one attribute, the leaf behind the three attribute policies.
//!
//! contrib walks resources and spans and asks each for the first attribute under the key; the first hit anywhere decides.
//! Inversion is no business of the condition: the leaf remembers whether anything matched, the rule turns it round.

use crate::{boolean_attribute, numeric_attribute, string_attribute};
use otlp::Value;
use settings::{Fields, Node, Problems, Value as Yaml};

/// What the value must be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    Numeric(numeric_attribute::Bounds),
    Boolean(boolean_attribute::Equals),
    Text(string_attribute::Text),
    /// For tests: evaluating it panics.
    #[cfg(test)]
    Panics,
}

/// Where an attribute stands; scope, event and link attributes are never looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Resource,
    Span,
}

impl Condition {
    pub(crate) fn matches(&self, value: Value<'_>, owner: Owner) -> bool {
        match self {
            Self::Numeric(bounds) => bounds.contain(value),
            Self::Boolean(equals) => equals.matches(value),
            Self::Text(text) => text.matches(value, owner),
            #[cfg(test)]
            Self::Panics => panic!("a condition for tests"),
        }
    }

    /// Whether evaluating it takes long enough to be charged.
    pub(crate) fn is_costly(&self) -> bool {
        match self {
            Self::Numeric(_) | Self::Boolean(_) => false,
            Self::Text(text) => text.is_costly(),
            #[cfg(test)]
            Self::Panics => true,
        }
    }

    /// What evaluating it takes, in about nanoseconds.
    pub(crate) fn cost(&self, value: Value<'_>) -> u64 {
        if let Self::Text(text) = self { text.cost(value) } else { 0 }
    }
}

/// The `key` of an attribute policy.
pub(crate) fn decode_key(fields: &mut Fields<'_>, p: &mut Problems) -> String {
    let key = fields.take("key", String::new(), p);
    let node = fields.node("key");
    if key.is_empty() && node.is_none_or(|node| node.as_text().is_some() || node.is_absent()) {
        let at = node.map_or(fields.at(), |node| node.at);
        p.warning(
            &at,
            "`key` is empty, so hardly any attribute can match",
            "name the attribute to look at".to_string(),
        );
    }
    key
}

/// The items of a list as they stand, none if it was written as one text.
pub(crate) fn items(node: &Node) -> &[Node] {
    match &node.value {
        Yaml::List(items) => items,
        _ => &[],
    }
}
