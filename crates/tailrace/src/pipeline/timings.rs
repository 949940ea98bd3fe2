//! How long decisions took: contrib's `sampling_decision_timer_latency` and its sum of execution times.
//!
//! The policies themselves read no clock, so a decision is timed from outside: one value a slot of traces that fell due,
//! or, where policies are asked piece by piece, one a piece, the time of the step divided among its pieces.

use std::sync::atomic::{AtomicU64, Ordering};

/// Upper bounds of the buckets in milliseconds, as contrib has them.
pub(crate) const BOUNDS_MS: [u64; 23] = [
    1, 2, 5, 10, 25, 50, 75, 100, 150, 200, 300, 400, 500, 750, 1_000, 2_000, 3_000, 4_000, 5_000, 10_000, 20_000,
    30_000, 50_000,
];

/// Counts that any thread adds to.
#[derive(Debug, Default)]
pub(crate) struct Timings {
    /// One count a bound, and one for what took longer.
    buckets: [AtomicU64; BOUNDS_MS.len() + 1],
    sum_ms: AtomicU64,
    total_ns: AtomicU64,
}

/// The counts at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct TimingCounts {
    pub(crate) buckets: Vec<u64>,
    pub(crate) sum_ms: u64,
    /// Time spent asking policies.
    pub(crate) total_ns: u64,
}

impl Timings {
    /// A slot was decided.
    pub(crate) fn add(&self, took_ns: u64) {
        self.add_many(1, took_ns);
    }

    /// So many pieces were decided about within this time.
    pub(crate) fn add_pieces(&self, pieces: u32, took_ns: u64) {
        self.add_many(u64::from(pieces), took_ns);
    }

    fn add_many(&self, count: u64, took_ns: u64) {
        let ms = took_ns / count.max(1) / 1_000_000;
        let bucket = BOUNDS_MS.iter().position(|bound| ms <= *bound).unwrap_or(BOUNDS_MS.len());
        self.buckets[bucket].fetch_add(count, Ordering::Relaxed);
        self.sum_ms.fetch_add(ms * count, Ordering::Relaxed);
        self.total_ns.fetch_add(took_ns, Ordering::Relaxed);
    }

    /// The counts so far.
    pub(crate) fn counts(&self) -> TimingCounts {
        TimingCounts {
            buckets: self.buckets.iter().map(|count| count.load(Ordering::Relaxed)).collect(),
            sum_ms: self.sum_ms.load(Ordering::Relaxed),
            total_ns: self.total_ns.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_share_the_time_of_their_step() {
        let timings = Timings::default();
        timings.add(1_000_000);
        timings.add(60_000_000_000);
        timings.add_pieces(4, 12_000_000);
        let counts = timings.counts();
        assert_eq!((counts.buckets[0], counts.buckets[2], counts.buckets[23]), (1, 4, 1));
        assert_eq!((counts.sum_ms, counts.total_ns), (1 + 60_000 + 12, 60_013_000_000));
    }
}
