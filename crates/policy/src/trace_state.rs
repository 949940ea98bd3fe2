//! `trace_state`: a span whose W3C trace state has one of some values under a key.

use crate::{
    attribute,
    kinds::Class,
    set::{Compiler, Seen, Test, shown},
};
use settings::{Node, Problems};

/// Samples traces whose trace state has one of some values under a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, settings::Documented)]
pub struct TraceState {
    /// The member.
    pub key: String,
    /// What it may be.
    pub values: Vec<String>,
}

/// The condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    key: Box<[u8]>,
    /// Sorted.
    values: Vec<Box<[u8]>>,
}

impl TraceState {
    pub(crate) fn decode(block: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = block.map("trace_state", p)?;
        fields.describe::<Self>();
        let settings =
            Self { key: attribute::decode_key(&mut fields, p), values: fields.take("values", Vec::new(), p) };
        let at = fields.node("values").map_or(block.at, |values| values.at);
        fields.finish(p);
        if settings.possible().next().is_none() {
            let help =
                "list at least one of printable ASCII without `,` and `=`, at most 256 characters long".to_string();
            p.warning(&at, "`values` has none that a trace state can hold, so nothing can match", help);
        }
        Some(settings)
    }

    #[expect(clippy::unnecessary_wraps, reason = "every kind has this signature, see the table of kinds")]
    pub(crate) fn effective(&self) -> Option<Node> {
        Some(Node::map_of([("key", Node::from(&self.key)), ("values", Node::list_of(&self.values))]))
    }

    pub(crate) fn class(&self) -> Class {
        Class::Fold
    }

    pub(crate) fn explain(&self, seen: &Seen<'_>) -> String {
        let key = &self.key;
        let values = shown(self.values.join(", ").as_bytes());
        if seen.is_opposite {
            return format!("`{key}` in no trace state is {values}");
        }
        let span = seen.span_at(seen.place);
        let member = span.and_then(|span| otlp::trace_state::lookup(span.trace_state, key.as_bytes()).ok().flatten());
        match member {
            Some(value) => seen.in_span(&format!("trace state `{key}` = {}", shown(value))),
            None => format!("trace state `{key}` is {values}"),
        }
    }

    pub(crate) fn compile(&self, compiler: &mut Compiler<'_>) -> Test {
        let mut values: Vec<Box<[u8]>> = self.possible().map(|value| value.as_bytes().into()).collect();
        values.sort();
        values.dedup();
        compiler.trace_state(Member { key: self.key.as_bytes().into(), values })
    }

    /// contrib leaves out what is empty or, with its key, 256 bytes or longer.
    fn possible(&self) -> impl Iterator<Item = &String> {
        self.values.iter().filter(|value| !value.is_empty() && self.key.len() + value.len() < 256)
    }
}

impl Member {
    /// A trace state that is broken anywhere has no members.
    pub(crate) fn is_in(&self, trace_state: &[u8]) -> bool {
        let value = otlp::trace_state::lookup(trace_state, &self.key).ok().flatten();
        value.is_some_and(|value| self.values.binary_search_by(|wanted| wanted[..].cmp(value)).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use crate::notation::check;

    #[track_caller]
    fn check_one(key: &str, values: &str, trace_state: &str, expected: bool) {
        let policy = format!("- {{name: p, type: trace_state, trace_state: {{key: {key}, values: [{values}]}}}}");
        check(&policy, &[(&format!("0+1, 0+1 state:{trace_state}"), expected)]);
    }

    #[test]
    fn upstream_rows() {
        for (values, trace_state, expected) in [
            ("value", "non_matching=value", false),
            ("value", "example=non_matching", false),
            ("value", "example=value", true),
            ("", "example=value", false),
            ("''", "example=value", false),
            ("value", "example=non_matching;non_matching=value", false),
            ("value", "example=value;non_matching=value", true),
            ("value1, value2", "example=non_matching", false),
            ("value1, value2", "example=value1", true),
        ] {
            check_one("example", values, trace_state, expected);
        }
    }

    #[test]
    fn broken_ones_and_long_ones() {
        for (trace_state, expected) in
            [("k=v;;a=b", true), ("k=v;~;a=b", false), ("k=v;k=w", false), ("A=b;k=v", false), ("a=b~;~k=v~", true)]
        {
            check_one("k", "v", trace_state, expected);
        }
        let long = "v".repeat(254);
        check_one("k", &long, &format!("k={long}"), true);
        check_one("k", &format!("{long}v"), &format!("k={long}v"), false);
    }
}
