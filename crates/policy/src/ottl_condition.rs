//! `ottl_condition`: a condition in OTTL holds for a span, or for an event of one.
//!
//! Each span is asked the `span` conditions, then each of its events the `spanevent` conditions; the first that holds samples
//! the trace. What a failing condition does is up to the error mode.

mod conditions;

pub(crate) use conditions::Conditions;

use crate::{
    attribute,
    kinds::Class,
    set::{Compiler, Seen, Test, shown},
};
use conditions::Mistake;
use otlp::Keys;
use ottl::{Fuel, Moment, Subject};
use settings::{Fields, Node, Problems};
use std::sync::Arc;

/// Samples traces with a span or span event for which a condition holds.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct OttlCondition {
    /// What an error of a condition does.
    pub error_mode: ErrorMode,
    /// Asked of spans; any of them.
    pub span: Vec<String>,
    /// Asked of span events; any of them.
    pub spanevent: Vec<String>,
    /// What reads them from stored spans.
    pub(crate) compiled: Compiled,
}

/// Compiled conditions, once they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Compiled(Option<Arc<Conditions>>);

/// The texts say it all.
impl PartialEq for Compiled {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

/// What an error of a condition does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorMode {
    /// It is one of the policy, which then has no say about the trace.
    Propagate,
    /// The condition does not hold.
    Ignore,
    /// The condition does not hold, and otelcol logs nothing.
    #[default]
    Silent,
}

impl OttlCondition {
    pub(crate) fn decode(block: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = block.map("ottl_condition", p)?;
        fields.describe::<Self>();
        let error_mode = ErrorMode::decode(&mut fields, p);
        let span: Vec<String> = fields.take("span", Vec::new(), p);
        let spanevent: Vec<String> = fields.take("spanevent", Vec::new(), p);
        let is_list =
            |node: Option<&Node>| node.is_none_or(|node| node.is_absent() || !attribute::items(node).is_empty());
        let (span_node, event_node) = (fields.node("span"), fields.node("spanevent"));
        let is_read = is_list(span_node) || is_list(event_node);
        fields.finish(p);
        if span.is_empty() && spanevent.is_empty() && is_read {
            let help = "add one to `span` or to `spanevent`".to_string();
            p.error(&block.at, "an `ottl_condition` needs at least one condition", help);
            return None;
        }
        let mut settings = Self { error_mode: error_mode.unwrap_or_default(), span, spanevent, ..Self::default() };
        match Conditions::compile(&settings, &mut Keys::default()) {
            Ok(compiled) => settings.compiled = Compiled(Some(Arc::new(compiled))),
            Err(mistakes) => {
                for mistake in mistakes {
                    let node = if mistake.0 == "span" { span_node } else { event_node };
                    settings.tell(&mistake, node.unwrap_or(block), p);
                }
                return None;
            }
        }
        error_mode.map(|_| settings)
    }

    fn tell(&self, (list, index, error): &Mistake, node: &Node, p: &mut Problems) {
        let texts = if *list == "span" { &self.span } else { &self.spanevent };
        let text = texts.get(*index).map_or("", String::as_str);
        let at = attribute::items(node).get(*index).map_or(node.at, |item| item.at.within(text, &error.at));
        let help = "conditions are in OTTL, see https://pkg.go.dev/github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl";
        p.error(&at, format!("invalid condition `{}`: {error}", shown(text.as_bytes())), help.to_string());
    }

    /// The conditions as they read stored spans.
    pub(crate) fn compiled(&self) -> Option<Arc<Conditions>> {
        let compile = || Conditions::compile(self, &mut Keys::default()).ok().map(Arc::new);
        self.compiled.0.clone().or_else(compile)
    }

    /// The conditions as they read spans that arrive.
    pub(crate) fn compile_with(&self, keys: &mut Keys) -> Option<Arc<Conditions>> {
        Conditions::compile(self, keys).ok().map(Arc::new)
    }

    #[expect(clippy::unnecessary_wraps, reason = "every kind has this signature, see the table of kinds")]
    pub(crate) fn effective(&self) -> Option<Node> {
        Some(Node::map_of([
            ("error_mode", Node::from(self.error_mode.name())),
            ("span", Node::list_of(&self.span)),
            ("spanevent", Node::list_of(&self.spanevent)),
        ]))
    }

    pub(crate) fn class(&self) -> Class {
        let is_costly = self.compiled().is_none_or(|conditions| conditions.costly || conditions.at_verdict);
        if is_costly { Class::Costly } else { Class::Fold }
    }

    pub(crate) fn explain(&self, seen: &Seen<'_>) -> String {
        let texts = || self.span.iter().chain(&self.spanevent).map(|text| format!("`{}`", shown(text.as_bytes())));
        if seen.is_opposite {
            return format!("nothing satisfies {}", texts().collect::<Vec<_>>().join(" or "));
        }
        let fuel = Fuel::new(EXPLAIN_FUEL);
        // A condition on the time or on chance may say something else now; then all are named.
        let moment = Moment { wall_ns: 0, seed: 0 };
        let subject = seen
            .place
            .and_then(|place| seen.stored_at(place))
            .map(|stored| Subject::stored(stored.resource_header, stored.scope_header, stored.span, moment, &fuel));
        let conditions = self.compiled();
        let found =
            conditions.as_ref().zip(subject.as_ref()).and_then(|(conditions, subject)| conditions.find(subject));
        match found {
            Some((text, Some(event))) => {
                seen.in_span(&format!("`{}` in event `{}`", shown(text.as_bytes()), shown(event)))
            }
            Some((text, None)) => seen.in_span(&format!("`{}`", shown(text.as_bytes()))),
            None => seen.in_span(&texts().collect::<Vec<_>>().join(" or ")),
        }
    }

    pub(crate) fn compile(&self, compiler: &mut Compiler<'_>) -> Test {
        compiler.conditions(self)
    }
}

/// What explaining a verdict may cost.
const EXPLAIN_FUEL: u64 = 1_000_000;

impl ErrorMode {
    const ALL: [Self; 3] = [Self::Propagate, Self::Ignore, Self::Silent];

    fn name(self) -> &'static str {
        match self {
            Self::Propagate => "propagate",
            Self::Ignore => "ignore",
            Self::Silent => "silent",
        }
    }

    /// Not written is `silent`; written empty is a mistake.
    fn decode(fields: &mut Fields<'_>, p: &mut Problems) -> Option<Self> {
        let written: Option<String> = fields.optional("error_mode", p);
        fields.words_in_any_case("error_mode", &Self::ALL.map(Self::name));
        fields.defaults_to("error_mode", Self::default().name());
        let Some(written) = written else { return Some(Self::default()) };
        let mode = Self::ALL.into_iter().find(|mode| mode.name().eq_ignore_ascii_case(&written));
        if mode.is_none() {
            let at = fields.node("error_mode").map_or(fields.at(), |node| node.at);
            let help = "it is `propagate`, `ignore` or `silent`; not written it is `silent`".to_string();
            p.error(&at, format!("unknown error mode `{written}`"), help);
        }
        mode
    }
}

#[cfg(test)]
mod tests;
