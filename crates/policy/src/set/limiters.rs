//! What changes from decision to decision: token buckets and the counters of composites.
//!
//! otelcol's `num_shards` makes as many independent processors, each with its share of the limits. So there is one set of
//! limiters a virtual shard, and a trace is charged to that of its ID. Nothing else depends on it.

use super::size;
use crate::{bucket::Bucket, verdict::Candidate};
use otlp::TraceId;

/// The limiters of one virtual shard.
#[derive(Clone, Debug, Default)]
pub(super) struct Limiters {
    pub(super) buckets: Vec<Bucket>,
    pub(super) composites: Vec<Counters>,
}

/// The spans that each part of a composite accepted in a second of the wall clock.
#[derive(Clone, Debug, Default)]
pub(super) struct Counters {
    second: u64,
    accepted: Vec<i64>,
}

/// The most spans a second that a part of a composite may accept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Share {
    pub(crate) spans: i64,
}

/// What a limiter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Spans,
    Bytes,
}

impl Limiters {
    /// Takes `cost` from a bucket, if it is there.
    pub(super) fn allow(&mut self, index: usize, cost: u64, mono_ns: u64) -> bool {
        self.buckets.get_mut(index).is_some_and(|bucket| bucket.allow(cost, mono_ns))
    }

    /// Counts a trace that `part` of a composite samples, if it fits the part's share of this second.
    pub(super) fn count(&mut self, index: usize, part: usize, share: Share, spans: u32, wall_ns: u64) -> bool {
        self.composites.get_mut(index).is_some_and(|counters| counters.count(part, share, spans, wall_ns))
    }
}

impl Counters {
    pub(super) fn new(parts: usize) -> Self {
        Self { second: 0, accepted: vec![0; parts] }
    }

    /// A refused trace is not counted, so a smaller one may still fit.
    fn count(&mut self, part: usize, share: Share, spans: u32, wall_ns: u64) -> bool {
        let second = wall_ns / 1_000_000_000;
        if self.second != second {
            self.second = second;
            self.accepted.fill(0);
        }
        let Some(accepted) = self.accepted.get_mut(part) else { return false };
        let together = accepted.saturating_add(i64::from(spans));
        let fits = together <= share.spans;
        if fits {
            *accepted = together;
        }
        fits
    }
}

impl Unit {
    /// What a trace costs.
    pub(super) fn cost(self, candidate: &Candidate<'_>, size: Option<usize>) -> u64 {
        match self {
            Self::Spans => u64::from(candidate.spans),
            Self::Bytes => size.map_or(0, |first| size::request_bytes(candidate.state, first)),
        }
    }
}

/// The virtual shard of a trace, as otelcol routes.
pub(super) fn shard(trace_id: &TraceId, shards: usize) -> usize {
    if shards < 2 {
        return 0;
    }
    let id = u128::from_le_bytes(trace_id.0);
    let mut x = id as u64 ^ (id >> 64) as u64;
    x ^= x >> 30;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^= x >> 27;
    x = x.wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^= x >> 31;
    (x % shards as u64) as usize
}

/// A shard's share of a limit.
pub(super) fn divide(limit: i64, shards: u32) -> i64 {
    if limit <= 0 { limit } else { (limit / i64::from(shards.max(1))).max(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routing() {
        let id = |n: u64| TraceId((u128::from(n) << 64 | u128::from(n + 1)).to_be_bytes());
        let shards: Vec<usize> = (0..12).map(|n| shard(&id(n), 4)).collect();
        assert_eq!(shards, [2, 1, 2, 1, 2, 1, 2, 0, 2, 1, 2, 1]);
        assert_eq!(shard(&TraceId::from_hex("4bf92f3577b34da6a3ce929d0e0e4736").unwrap(), 8), 7);
        assert_eq!(shard(&id(5), 1), 0);
    }

    #[test]
    fn limits_are_divided() {
        for (limit, expected) in [(1000, 250), (2, 1), (0, 0), (-5, -5), (7, 1), (i64::MAX, i64::MAX / 4)] {
            assert_eq!(divide(limit, 4), expected);
        }
        assert_eq!(divide(1000, 1), 1000);
    }

    #[test]
    fn a_refused_trace_leaves_room_for_a_smaller_one() {
        let mut counters = Counters::new(2);
        let share = Share { spans: 10 };
        for (part, spans, wall_ns, fits) in [
            (0, 6, 5_999_999_999, true),
            (0, 5, 5_999_999_999, false),
            (0, 4, 5_999_999_999, true),
            (1, 10, 5_999_999_999, true),
            (1, 1, 5_999_999_999, false),
            (1, 10, 6_000_000_000, true),
            (0, 10, 6_000_000_000, true),
            (0, 1, 5_000_000_000, true),
        ] {
            assert_eq!(counters.count(part, share, spans, wall_ns), fits, "{part} {spans} {wall_ns}");
        }
    }
}
