//! `string_attribute`: an attribute's text is one of a list, or matches one of some patterns.
//!
//! Resources and spans differ as in contrib: under a resource's key the text reading is always tested (`""` for what is no
//! text), on a span only if it is not empty. A list is a fold. So are patterns, unless cheaper conditions stand beside them
//! in an `and`: then they are tested on the stored spans of the few traces that passed those.

use crate::{
    attribute::{self, Condition, Owner},
    kinds::Class,
    set::{Compiler, Seen, Test, shown},
};
use otlp::Value;
use ottl::Pattern;
use settings::{Location, Node, Problems};

/// Samples traces in which a text attribute of a span or resource has one of some values.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct StringAttribute {
    /// The attribute.
    pub key: String,
    /// The texts, or the patterns in Go's syntax.
    pub values: Vec<String>,
    /// Whether `values` are patterns.
    pub enabled_regex_matching: bool,
    /// Accepted for otelcol's sake: it sizes a cache there, without effect on verdicts.
    pub cache_max_size: i64,
    /// Sample what does not match.
    pub invert_match: bool,
    /// `values` compiled, if they are patterns.
    pub(crate) patterns: Vec<Pattern>,
}

/// The condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Text {
    /// One of these; sorted, none empty.
    OneOf(Vec<Box<[u8]>>),
    /// Any of these.
    Matching(Vec<Pattern>),
}

impl StringAttribute {
    pub(crate) fn decode(block: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = block.map("string_attribute", p)?;
        fields.describe::<Self>();
        let mut settings = Self {
            key: attribute::decode_key(&mut fields, p),
            values: fields.take("values", Vec::new(), p),
            enabled_regex_matching: fields.take("enabled_regex_matching", false, p),
            cache_max_size: fields.take("cache_max_size", 0, p),
            invert_match: fields.take("invert_match", false, p),
            patterns: Vec::new(),
        };
        let values = fields.node("values");
        fields.finish(p);
        let values_at = values.map_or(block.at, |values| values.at);
        if settings.values.iter().all(|value| value.is_empty() && !settings.enabled_regex_matching) {
            let help = "list the values to look for, as in `values: [checkout]`".to_string();
            p.warning(&values_at, "`values` is empty, so nothing can match", help);
        }
        if settings.enabled_regex_matching {
            settings.patterns = compile_all(&settings.values, values, values_at, p)?;
        }
        Some(settings)
    }

    #[expect(clippy::unnecessary_wraps, reason = "every kind has this signature, see the table of kinds")]
    pub(crate) fn effective(&self) -> Option<Node> {
        Some(Node::map_of([
            ("cache_max_size", Node::from(self.cache_max_size)),
            ("enabled_regex_matching", Node::from(self.enabled_regex_matching)),
            ("invert_match", Node::from(self.invert_match)),
            ("key", Node::from(&self.key)),
            ("values", Node::list_of(&self.values)),
        ]))
    }

    pub(crate) fn class(&self) -> Class {
        if self.enabled_regex_matching { Class::Costly } else { Class::Fold }
    }

    pub(crate) fn explain(&self, seen: &Seen<'_>) -> String {
        let is_missing = self.invert_match != seen.is_opposite;
        if is_missing {
            format!("`{}` nowhere {}", self.key, self.wanted())
        } else {
            seen.attribute(&self.key, &self.condition(), &self.wanted())
        }
    }

    pub(crate) fn compile(&self, compiler: &mut Compiler<'_>) -> Test {
        compiler.attribute(&self.key, self.condition(), self.invert_match)
    }

    fn condition(&self) -> Condition {
        Condition::Text(self.text())
    }

    fn wanted(&self) -> String {
        let values = shown(self.values.join(", ").as_bytes());
        if self.enabled_regex_matching { format!("matches {values}") } else { format!("is {values}") }
    }

    fn text(&self) -> Text {
        if self.enabled_regex_matching {
            return Text::Matching(self.patterns.clone());
        }
        let values = self.values.iter().filter(|value| !value.is_empty());
        let mut values: Vec<Box<[u8]>> = values.map(|value| value.as_bytes().into()).collect();
        values.sort();
        values.dedup();
        Text::OneOf(values)
    }
}

impl Text {
    pub(crate) fn is_costly(&self) -> bool {
        matches!(self, Self::Matching(_))
    }

    pub(crate) fn cost(&self, value: Value<'_>) -> u64 {
        match self {
            Self::OneOf(_) => 0,
            Self::Matching(patterns) => {
                let bytes = value.str_or_empty().len() as u64;
                patterns.iter().map(|pattern| pattern.cost(bytes)).sum()
            }
        }
    }

    pub(crate) fn matches(&self, value: Value<'_>, owner: Owner) -> bool {
        let text = value.str_or_empty();
        if owner == Owner::Span && text.is_empty() {
            return false;
        }
        match self {
            Self::OneOf(values) => values.binary_search_by(|value| value[..].cmp(text)).is_ok(),
            Self::Matching(patterns) => patterns.iter().any(|pattern| pattern.is_match(text)),
        }
    }
}

/// Compiles patterns, telling of each that is none where it stands.
fn compile_all(values: &[String], node: Option<&Node>, at: Location, p: &mut Problems) -> Option<Vec<Pattern>> {
    let items = node.map_or(&[][..], attribute::items);
    let compiled = values.iter().enumerate().map(|(index, value)| {
        let compiled = Pattern::new(value);
        compiled.map_err(|error| {
            let at = items.get(index).map_or(at, |item| item.at);
            let help = "patterns are in Go's syntax (RE2), see https://github.com/google/re2/wiki/Syntax";
            p.error(&at, format!("invalid regex `{value}`: {error}"), help.to_string());
        })
    });
    // Collected before it is judged, so that every bad pattern is told.
    let compiled: Vec<Result<Pattern, ()>> = compiled.collect();
    compiled.into_iter().collect::<Result<_, ()>>().ok()
}

#[cfg(test)]
mod tests {
    use crate::notation::check_inverted;

    #[test]
    fn exact() {
        let traces = [
            (r#"{non_matching="value"} 0+1"#, false),
            (r#"{example="non_matching"} 0+1"#, false),
            (r#"{example="value"} 0+1"#, true),
            (r#"0+1 nonmatching="value""#, false),
            (r#"0+1 example="nonmatching""#, false),
            (r#"0+1 example="value""#, true),
            (r#"0+1 example="values""#, false),
            (r#"0+1 | 0+1, 0+1 example="value""#, true),
        ];
        check_inverted(KIND, "key: example, values: [value]", &traces);
        check_inverted(KIND, "key: example, values: [first_value, value, last_value]", &traces);
        check_inverted(KIND, "key: example, values: 'first_value,value'", &traces);
        check_inverted(KIND, "key: example, values: ['*invalid-regex']", &[(r#"0+1 example="*invalid-regex""#, true)]);
    }

    #[test]
    fn patterns() {
        let health = r#"0+1 example="grpc.health.v1.HealthCheck""#;
        for (values, cache, trace, expected) in [
            ("'v[0-9]+.HealthCheck$'", 128, health, true),
            ("'v[0-9]+.HealthCheck$'", 0, health, true),
            ("'v[a-z]+.HealthCheck$'", 128, health, false),
            ("'^http', 'v[0-9]+.HealthCheck$', 'metrics$'", 10, health, true),
            ("'^http', 'v[a-z]+.HealthCheck$', 'metrics$'", -1, health, false),
            ("value", 0, r#"{example="value"} 0+1"#, true),
            ("", 0, health, false),
        ] {
            let block =
                format!("key: example, enabled_regex_matching: true, cache_max_size: {cache}, values: [{values}]");
            check_inverted(KIND, &block, &[(trace, expected)]);
        }
    }

    #[test]
    fn what_is_no_text() {
        for (key, regex, values, expected) in [
            ("ri", true, "'^$'", true),
            ("ri", true, "'.*'", true),
            ("rempty", true, "'^$'", true),
            ("ri", false, "''", false),
            ("n", true, "'.*'", false),
            ("e", true, "'^$'", false),
            ("empty", true, "'^$'", false),
            ("dup", false, "first", true),
            ("dup", false, "second", false),
            ("s", false, "", false),
            ("s", true, "ell", true),
        ] {
            let block = format!("key: {key}, enabled_regex_matching: {regex}, values: [{values}]");
            check_inverted(KIND, &block, &[(TRACE, expected)]);
        }
    }

    const KIND: &str = "string_attribute";
    const TRACE: &str = r#"{ri=3 rempty=_} 0+5 s="hello" e="" n=500 empty=_ dup="first" dup="second""#;
}
