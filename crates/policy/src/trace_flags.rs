//! `trace_flags`: a span whose W3C flag `sampled` is set. It has no settings.

use crate::{
    kinds::Class,
    set::{Compiler, Seen, Test},
};
use settings::{Node, Problems};

/// Samples traces whose spans bear the sampled flag of W3C trace context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, settings::Documented)]
pub struct TraceFlags;

impl TraceFlags {
    /// Without a block there is nothing to read.
    #[expect(clippy::unnecessary_wraps, reason = "every kind has this signature, see the table of kinds")]
    pub(crate) fn decode(_block: &Node, _p: &mut Problems) -> Option<Self> {
        Some(Self)
    }

    pub(crate) fn effective(&self) -> Option<Node> {
        None
    }

    pub(crate) fn class(&self) -> Class {
        Class::Fold
    }

    pub(crate) fn explain(&self, seen: &Seen<'_>) -> String {
        if seen.is_opposite { "no span is flagged as sampled".to_string() } else { seen.in_span("flagged as sampled") }
    }

    pub(crate) fn compile(&self, compiler: &mut Compiler<'_>) -> Test {
        compiler.flagged()
    }
}

#[cfg(test)]
mod tests {
    use crate::notation::check;

    #[test]
    fn upstream_rows() {
        let policy = "- {name: p, type: trace_flags}";
        check(policy, &[("0+1 flags:1", true), ("0+1 flags:0", false)]);
        check(policy, &[("0+1 flags:257", true), ("0+1 flags:256", false), ("0+1", false)]);
        check(policy, &[("0+1, 0+1 | 0+1 flags:3", true)]);
    }
}
