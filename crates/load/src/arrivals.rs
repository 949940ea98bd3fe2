//! How long kept traces take from when their verdict is due until the sink has their spans.
//!
//! The generator notes when it sends a trace's first request, the sink when it takes each span. Due is the former plus the
//! decision wait: the collector gets the request a little later, so what is found here is the lag and at most that more. One
//! trace in sixteen is looked at, by its random ID, so that sender and sink spend next to nothing on it.

use crate::Latency;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant},
};

/// Shared by a generator and a sink.
#[derive(Debug)]
pub struct Arrivals {
    decision_wait: Duration,
    state: Mutex<State>,
}

/// Bounded by the length of a run: nothing is forgotten before its end.
#[derive(Debug, Default)]
struct State {
    begun: HashMap<[u8; 16], Instant>,
    lags: Latency,
}

impl Arrivals {
    /// For a collector that waits this long.
    #[must_use]
    pub fn new(decision_wait: Duration) -> Self {
        Self { decision_wait, state: Mutex::default() }
    }

    /// Whether this trace is one of those looked at.
    #[must_use]
    #[inline]
    pub fn is_watched(trace_id: &[u8; 16]) -> bool {
        trace_id[0] & 15 == 0
    }

    /// The first spans of these traces are sent.
    pub fn begin(&self, traces: impl IntoIterator<Item = [u8; 16]>, now: Instant) {
        let mut state = self.state();
        for trace in traces {
            state.begun.entry(trace).or_insert(now);
        }
    }

    /// A span of each of these traces has arrived.
    pub fn arrive(&self, traces: impl IntoIterator<Item = [u8; 16]>, now: Instant) {
        let mut state = self.state();
        for trace in traces {
            if let Some(begun) = state.begun.get(&trace).copied() {
                state.lags.add(now.saturating_duration_since(begun + self.decision_wait));
            }
        }
    }

    /// What was found so far.
    #[must_use]
    pub fn lags(&self) -> Latency {
        self.state().lags.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("BUG: somebody panicked while noting a time")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lag_begins_when_the_verdict_is_due() {
        let arrivals = Arrivals::new(Duration::from_secs(5));
        let start = Instant::now();
        arrivals.begin([[0; 16], [16; 16]], start);
        arrivals.begin([[0; 16]], start + Duration::from_secs(1));
        arrivals.arrive([[0; 16]], start + Duration::from_millis(5_100));
        arrivals.arrive([[16; 16], [32; 16]], start + Duration::from_secs(1));
        let lags = arrivals.lags();
        assert_eq!(lags.count(), 2);
        assert_eq!(lags.percentile(0.5), Duration::ZERO);
        assert!(lags.percentile(1.0).abs_diff(Duration::from_millis(100)) < Duration::from_millis(4));
    }
}
