//! `ottl_condition`: a condition in OTTL holds for a span, or for an event of one.
//!
//! Each span is asked the `span` conditions, then each of its events the `spanevent` conditions; the first that holds samples
//! the trace. What a failing condition does is up to the error mode.

use crate::{
    attribute,
    kinds::Class,
    set::{Compiler, Seen, Test},
};
use settings::{Fields, Node, Problems};

/// The settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OttlCondition {
    /// What an error of a condition does.
    pub error_mode: ErrorMode,
    /// Asked of spans; any of them.
    pub span: Vec<String>,
    /// Asked of span events; any of them.
    pub spanevent: Vec<String>,
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
        let error_mode = ErrorMode::decode(&mut fields, p);
        let span: Vec<String> = fields.take("span", Vec::new(), p);
        let spanevent: Vec<String> = fields.take("spanevent", Vec::new(), p);
        let is_list =
            |node: Option<&Node>| node.is_none_or(|node| node.is_absent() || !attribute::items(node).is_empty());
        let is_read = is_list(fields.node("span")) || is_list(fields.node("spanevent"));
        fields.finish(p);
        if span.is_empty() && spanevent.is_empty() && is_read {
            let help = "add one to `span` or to `spanevent`".to_string();
            p.error(&block.at, "an `ottl_condition` needs at least one condition", help);
            return None;
        }
        Some(Self { error_mode: error_mode?, span, spanevent })
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
        Class::Fold
    }

    pub(crate) fn explain(&self, _seen: &Seen<'_>) -> String {
        String::new()
    }

    pub(crate) fn compile(&self, _compiler: &mut Compiler<'_>) -> Test {
        Test::Fold { word: usize::MAX, inverted: false }
    }
}

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
