//! What goes into a decision and what comes out: candidates, verdicts, reasons, weights.
//!
//! A reason is eight bytes, because the decided memory keeps one per kept trace: which policy (with its path inside a
//! container) and which span. The value that made the policy match is read again when the trace is assembled. A weight
//! says how many traces a kept one stands for; where nobody can know that, it says why instead of guessing.

use otlp::{
    TraceId,
    scan::{Resource, Scan},
};

/// A moment on both clocks, both in nanoseconds: waits and buckets run on the monotonic one, seconds count by the wall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Monotonic clock; only differences mean something.
    pub mono_ns: u64,
    /// Nanoseconds since the Unix epoch.
    pub wall_ns: u64,
}

/// One trace's share of one ResourceSpans, as it is folded: the scanned request and what of it is at hand.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// The request, an ExportTraceServiceRequest.
    pub request: &'a [u8],
    /// What the scanner found in it.
    pub scan: &'a Scan,
    /// The piece's resource.
    pub resource: &'a Resource,
    /// When it came.
    pub now: Now,
}

/// A trace that is due.
#[derive(Debug)]
pub struct Candidate<'a> {
    /// Which trace.
    pub trace_id: TraceId,
    /// When its first span came, monotonic; candidates are decided in this order.
    pub first_seen_ns: u64,
    /// Spans accepted so far.
    pub spans: u32,
    /// Bytes of those spans.
    pub bytes: u64,
    /// What the policies folded from them (in span-ingest, from the last piece), [`PolicySet::state_words`](crate::PolicySet::state_words) long.
    pub state: &'a mut [u32],
}

/// A stored span as `PolicySet::settle` reads it: bytes only, in arrival order.
#[derive(Clone, Copy, Debug)]
pub struct StoredSpan<'a> {
    /// The ResourceSpans without its scopes.
    pub resource_header: &'a [u8],
    /// The ScopeSpans without its spans.
    pub scope_header: &'a [u8],
    /// The body of the span message.
    pub span: &'a [u8],
}

/// What is to happen to a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// Whether it goes on.
    pub keep: bool,
    /// Who said so.
    pub reason: Reason,
    /// How many traces it stands for.
    pub weight: Weight,
    /// The last part of a `composite` that accepted the trace, whoever decided; [`NO_PATH`] = none.
    pub(crate) composite: u16,
}

/// The names that contrib writes to a kept trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded<'a> {
    /// The top-level policy that decided; empty if that is not known.
    pub policy: &'a str,
    /// The part of a `composite` that accepted the trace, whichever policy decided.
    pub composite_policy: Option<&'a str>,
}

/// Which policy decided, and where it matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reason {
    pub(crate) path: u16,
    /// As [`Place`] packs it; 0 = nowhere in particular.
    pub(crate) place: u32,
}

/// The spot in a trace at which a policy matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// 1-based number of the span in its trace, in arrival order.
    pub span: u32,
    /// Whether it was the resource of that span's piece rather than the span.
    pub on_resource: bool,
}

/// How likely the trace was to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// The 56-bit rejection threshold of W3C probability sampling; 0 = certain.
    Exact(u64),
    /// No consistent threshold describes the verdict.
    Unknown(Why),
}

/// Why a weight is not exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The trace was not kept.
    NotKept,
    /// Kept by a hash of the trace ID: exact in probability, not consistent with samplers that read W3C randomness.
    NotConsistent {
        /// The rejection threshold of that probability.
        threshold: u64,
        /// Which hash seed of the policy set; equal seeds keep nested sets of traces.
        seed: u16,
    },
    /// A limit on spans or bytes per second had a say.
    Limited,
    /// Several hash seeds, or a hash and W3C randomness, had a say.
    Mixed,
}

/// The number of no path.
pub(crate) const NO_PATH: u16 = u16::MAX;

/// One past the largest rejection threshold: nothing is kept.
pub const THRESHOLD_NEVER: u64 = 1 << 56;

impl Verdict {
    pub(crate) const SAMPLED_OUT: Self =
        Self { keep: false, reason: Reason::NONE, weight: Weight::Unknown(Why::NotKept), composite: NO_PATH };
}

impl Reason {
    /// No policy spoke for the trace.
    pub const NONE: Self = Self { path: NO_PATH, place: 0 };

    /// Where the policy matched, if it matched at a spot.
    #[must_use]
    pub fn place(self) -> Option<Place> {
        (self.place != 0)
            .then_some(Place { span: self.place & !Place::RESOURCE, on_resource: self.place > Place::RESOURCE })
    }
}

impl Place {
    /// Set in a packed place when the resource matched.
    pub(crate) const RESOURCE: u32 = 1 << 31;

    /// The largest ordinal in a packed place; spans further on bear it, too. A few numbers above, leaves keep marks.
    pub(crate) const ORDINAL_MAX: u32 = Self::RESOURCE - 16;
}

impl Weight {
    /// The weight of a trace that had to pass both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Exact(0), weight) | (weight, Self::Exact(0)) => weight,
            _ => self.join(other, u64::max),
        }
    }

    /// The weight of a trace that could pass either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Exact(0), _) | (_, Self::Exact(0)) => Self::Exact(0),
            _ => self.join(other, u64::min),
        }
    }

    fn join(self, other: Self, pick: fn(u64, u64) -> u64) -> Self {
        match (self, other) {
            (Self::Exact(one), Self::Exact(two)) => Self::Exact(pick(one, two)),
            (
                Self::Unknown(Why::NotConsistent { threshold: one, seed }),
                Self::Unknown(Why::NotConsistent { threshold: two, seed: other_seed }),
            ) if seed == other_seed => Self::Unknown(Why::NotConsistent { threshold: pick(one, two), seed }),
            (Self::Unknown(Why::Limited), _) | (_, Self::Unknown(Why::Limited)) => Self::Unknown(Why::Limited),
            _ => Self::Unknown(Why::Mixed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_small() {
        assert!(size_of::<Reason>() <= 8);
        assert_eq!(Reason { path: 0, place: 0 }.place(), None);
        let on_span = Reason { path: 0, place: 7 };
        assert_eq!(on_span.place(), Some(Place { span: 7, on_resource: false }));
        let on_resource = Reason { path: 0, place: 7 | Place::RESOURCE };
        assert_eq!(on_resource.place(), Some(Place { span: 7, on_resource: true }));
    }

    #[test]
    fn weights_join() {
        let hashed = |threshold, seed| Weight::Unknown(Why::NotConsistent { threshold, seed });
        let limited = Weight::Unknown(Why::Limited);
        let mixed = Weight::Unknown(Why::Mixed);
        for (one, two, and, or) in [
            (Weight::Exact(0), Weight::Exact(5), Weight::Exact(5), Weight::Exact(0)),
            (Weight::Exact(3), Weight::Exact(5), Weight::Exact(5), Weight::Exact(3)),
            (hashed(3, 0), hashed(5, 0), hashed(5, 0), hashed(3, 0)),
            (hashed(3, 0), hashed(5, 1), mixed, mixed),
            (hashed(3, 0), Weight::Exact(0), hashed(3, 0), Weight::Exact(0)),
            (hashed(3, 0), Weight::Exact(5), mixed, mixed),
            (limited, Weight::Exact(0), limited, Weight::Exact(0)),
            (limited, hashed(3, 0), limited, limited),
        ] {
            assert_eq!((one.and(two), one.or(two)), (and, or), "{one:?} {two:?}");
            assert_eq!((two.and(one), two.or(one)), (and, or), "{two:?} {one:?}");
        }
    }
}
