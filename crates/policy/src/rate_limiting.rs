//! `rate_limiting`: as many traces as their spans fit a token bucket. The batch class: it is about all candidates together.
//!
//! One bucket per policy, on the monotonic clock, charged for every trace that reaches it in order of first arrival, also
//! when another policy samples the trace anyway or a later part of the same `and` refuses it.

use crate::{
    bucket::Bucket,
    kinds::Class,
    set::{Compiler, Test},
};
use settings::{Node, Problems};

/// The settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateLimiting {
    /// Tokens earned a second; a trace costs as many as it has spans.
    pub spans_per_second: i64,
    /// The most tokens there can be; 0 = twice the rate.
    pub burst_capacity: i64,
}

impl RateLimiting {
    pub(crate) fn decode(block: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = block.map("rate_limiting", p)?;
        let settings = Self {
            spans_per_second: fields.take("spans_per_second", 0, p),
            burst_capacity: fields.take("burst_capacity", 0, p),
        };
        fields.finish(p);
        if settings.spans_per_second <= 0 {
            let message = "`spans_per_second` is not above 0, so no traces pass but those of the first burst";
            p.warning(&block.at, message, None);
        }
        Some(settings)
    }

    #[expect(clippy::unnecessary_wraps, reason = "every kind has this signature, see the table of kinds")]
    pub(crate) fn effective(&self) -> Option<Node> {
        Some(Node::map_of([
            ("burst_capacity", Node::from(self.burst_capacity)),
            ("spans_per_second", Node::from(self.spans_per_second)),
        ]))
    }

    pub(crate) fn class(&self) -> Class {
        Class::Batch
    }

    pub(crate) fn compile(&self, compiler: &mut Compiler<'_>) -> Test {
        let start_ns = compiler.start.mono_ns;
        compiler.limit(Bucket::new(self.spans_per_second, self.burst_capacity, start_ns))
    }
}
