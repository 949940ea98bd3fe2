//! `always_sample`: every trace. It has no settings and needs nothing.

use crate::{
    kinds::Class,
    set::{Compiler, Seen, Test},
};
use settings::{Node, Problems};

/// Samples every trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, settings::Documented)]
pub struct AlwaysSample;

impl AlwaysSample {
    /// Without a block there is nothing to read.
    #[expect(clippy::unnecessary_wraps, reason = "every kind has this signature, see the table of kinds")]
    pub(crate) fn decode(_block: &Node, _p: &mut Problems) -> Option<Self> {
        Some(Self)
    }

    pub(crate) fn effective(&self) -> Option<Node> {
        None
    }

    pub(crate) fn class(&self) -> Class {
        Class::Stateless
    }

    pub(crate) fn explain(&self, seen: &Seen<'_>) -> String {
        if seen.is_opposite { "no trace" } else { "every trace" }.to_string()
    }

    pub(crate) fn compile(&self, _compiler: &mut Compiler<'_>) -> Test {
        Test::Always
    }
}

#[cfg(test)]
mod tests {
    use crate::notation::check;

    #[test]
    fn everything() {
        check("- {name: p, type: always_sample}", &[("0+0", true)]);
        check("- {name: p, type: always_sample, always_sample: {any: thing}}", &[("0+0", true)]);
    }
}
