//! Trace number *n*: its IDs, whether it fails or is slow, and when each of its spans starts and ends.
//!
//! All of it is computed from the seed and *n*, each time it is asked for. Five services that send their spans of one trace
//! seconds apart therefore agree without anybody having remembered the trace.
//!
//! ```text
//! service 0  ├───────────────── entry (root) ─────────────────┤
//!               ├──────────────── call ────────────────────┤
//! service 1         ├───────────── entry ──────────────┤
//!                      ├────────── call ────────────┤          … nested like this down to the last service
//! ```
//! Invariants: the root spans its whole trace, so the trace lasts exactly as long as its root; a trace is either shorter than
//! [`NORMAL_NS_MAX`] or longer than [`SLOW_NS_MIN`], with the second that policies draw the line at well between them.

use crate::random::{STEP, mix, scale, unit};
use std::ops::Range;

/// No trace that is not slow lasts longer.
pub const NORMAL_NS_MAX: u64 = 800_000_000;
/// No slow trace is shorter.
pub const SLOW_NS_MIN: u64 = 1_200_000_000;
const SLOW_NS_MAX: u64 = 3_000_000_000;
const NORMAL_NS_MIN: u64 = 2_000_000;

/// How the spans of every trace are spread over services, and how often traces fail or are slow.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Spans of each trace, at least 1.
    pub spans: u32,
    /// Services that take part in each trace, at least 1 and at most [`Shape::spans`].
    pub services: u32,
    /// Share of traces of which one span has the status ERROR, 0 to 1.
    pub error_share: f64,
    /// Share of traces that last longer than a second, 0 to 1.
    pub slow_share: f64,
    /// Everything random follows from it.
    pub seed: u64,
}

/// One trace of a shape.
#[derive(Clone, Copy, Debug)]
pub struct Trace {
    /// The trace's 16-byte ID.
    pub id: [u8; 16],
    /// The span that fails, if one does.
    pub failed_span: Option<u32>,
    /// Whether it lasts longer than a second.
    pub is_slow: bool,
    /// How long it lasts.
    pub duration_ns: u64,
    key: u64,
}

/// When a span starts and ends, nanoseconds after its trace began.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Start.
    pub start_ns: u64,
    /// End.
    pub end_ns: u64,
}

impl Shape {
    /// Trace number `index`.
    #[must_use]
    #[inline]
    pub fn trace(&self, index: u64) -> Trace {
        let key = mix(mix(self.seed ^ STEP).wrapping_add(index.wrapping_mul(STEP)));
        let mut id = [0; 16];
        id[..8].copy_from_slice(&mix(key ^ 0x5452).to_be_bytes());
        id[8..].copy_from_slice(&(mix(key ^ 0x4143) | 1).to_be_bytes());
        let is_slow = unit(mix(key ^ 0x736c)) < self.slow_share;
        let failed = unit(mix(key ^ 0x6572)) < self.error_share;
        let roll = mix(key ^ 0x6475);
        let duration_ns = if is_slow {
            SLOW_NS_MIN + scale(roll, SLOW_NS_MAX - SLOW_NS_MIN)
        } else {
            // Of two rolls the smaller: short traces are more frequent, as they are in life.
            NORMAL_NS_MIN + scale(roll.min(mix(roll)), NORMAL_NS_MAX - NORMAL_NS_MIN)
        };
        let failed_span = failed.then(|| scale(mix(key ^ 0x7370), u64::from(self.spans)) as u32);
        Trace { id, failed_span, is_slow, duration_ns, key }
    }

    /// The spans that `service` contributes; the first of them is the one that was called from outside.
    #[must_use]
    #[inline]
    pub fn spans_of(&self, service: u32) -> Range<u32> {
        let first = |service: u32| (u64::from(self.spans) * u64::from(service) / u64::from(self.services)) as u32;
        first(service)..first(service + 1)
    }

    /// The parent of a span of `service`, or `None` for the root. A service is called by the second span of the one before it.
    #[must_use]
    #[inline]
    pub fn parent_of(&self, service: u32, span: u32) -> Option<u32> {
        let own = self.spans_of(service);
        if span > own.start {
            return Some(own.start);
        }
        let caller = self.spans_of(service.checked_sub(1)?);
        Some(caller.end.min(caller.start + 2) - 1)
    }
}

impl Trace {
    /// The 8-byte ID of span number `span`.
    #[must_use]
    #[inline]
    pub fn span_id(&self, span: u32) -> [u8; 8] {
        (mix(self.key.wrapping_add(u64::from(span + 1).wrapping_mul(STEP))) | 1).to_be_bytes()
    }

    /// Random bits of span number `span`, for whatever else varies in it.
    #[inline]
    pub(crate) fn span_random(&self, span: u32) -> u64 {
        mix(self.key ^ u64::from(span + 1).wrapping_mul(0xd6e8_feb8_6659_fd93))
    }

    /// When span number `span` of `service` runs.
    #[must_use]
    #[inline]
    pub fn times(&self, shape: &Shape, service: u32, span: u32) -> Times {
        if span == 0 {
            return Times { start_ns: 0, end_ns: self.duration_ns };
        }
        // Each service has two steps of a fifth of the duration's half: one for its entry, one for its calls.
        let first = shape.spans_of(service).start;
        let step_ns = self.duration_ns * 2 / (u64::from(shape.services) * 10);
        let depth = u64::from(service) * 2 + u64::from(span > first);
        let random = self.span_random(span);
        let inset_ns = depth * step_ns;
        Times {
            start_ns: inset_ns + scale(random, step_ns.max(1)),
            end_ns: self.duration_ns - inset_ns - scale(random << 32, step_ns.max(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(spans: u32, services: u32) -> Shape {
        Shape { spans, services, error_share: 0.01, slow_share: 0.02, seed: 7 }
    }

    #[test]
    fn spans_are_shared_out_and_parents_come_first() {
        for (spans, services) in [(10, 5), (1, 1), (3, 3), (7, 3), (50_000, 5)] {
            let shape = shape(spans, services);
            let mut next = 0;
            for service in 0..services {
                let own = shape.spans_of(service);
                assert_eq!(own.start, next, "{spans} spans, {services} services");
                assert!(!own.is_empty());
                next = own.end;
                for span in own {
                    match shape.parent_of(service, span) {
                        Some(parent) => assert!(parent < span),
                        None => assert_eq!(span, 0),
                    }
                }
            }
            assert_eq!(next, spans);
        }
    }

    #[test]
    fn spans_lie_within_their_parents_and_the_shares_are_met() {
        let shape = shape(10, 5);
        let (mut failed, mut slow) = (0, 0);
        for index in 0..50_000 {
            let trace = shape.trace(index);
            failed += u32::from(trace.failed_span.is_some());
            slow += u32::from(trace.is_slow);
            assert_eq!(trace.is_slow, trace.duration_ns > 1_000_000_000);
            for service in 0..5 {
                for span in shape.spans_of(service) {
                    let times = trace.times(&shape, service, span);
                    assert!(times.start_ns < times.end_ns);
                    if let Some(parent) = shape.parent_of(service, span) {
                        let around = trace.times(&shape, parent / 2, parent);
                        assert!(around.start_ns <= times.start_ns && times.end_ns <= around.end_ns);
                    }
                }
            }
        }
        assert!((350..650).contains(&failed), "{failed} of 50,000 failed");
        assert!((800..1200).contains(&slow), "{slow} of 50,000 are slow");
    }
}
