//! How long things took, in buckets that grow with the value: 32 to each power of two, so a percentile is right within 3 %.

use std::time::Duration;

/// A histogram of durations from one microsecond to an hour.
#[derive(Clone, Debug)]
pub struct Latency {
    buckets: Vec<u64>,
    count: u64,
    max_us: u64,
}

impl Latency {
    /// An empty histogram.
    #[must_use]
    pub fn new() -> Self {
        Self { buckets: vec![0; BUCKETS], count: 0, max_us: 0 }
    }

    /// Adds one duration.
    pub fn add(&mut self, duration: Duration) {
        let us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.buckets[bucket(us)] += 1;
        self.count += 1;
        self.max_us = self.max_us.max(us);
    }

    /// Adds everything of another histogram.
    pub fn join(&mut self, other: &Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
        self.max_us = self.max_us.max(other.max_us);
    }

    /// How many durations were added.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The duration that `share` (0 to 1) of all do not exceed; zero if there are none.
    #[must_use]
    pub fn percentile(&self, share: f64) -> Duration {
        let rank = ((self.count as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_micros(upper_us(index).min(self.max_us));
            }
        }
        Duration::ZERO
    }
}

impl Default for Latency {
    fn default() -> Self {
        Self::new()
    }
}

fn bucket(us: u64) -> usize {
    if us < STEPS {
        return us as usize;
    }
    let power = 63 - us.leading_zeros() as u64;
    let step = (us >> (power - STEPS_LOG2)) - STEPS;
    (((power - STEPS_LOG2 + 1) * STEPS + step) as usize).min(BUCKETS - 1)
}

fn upper_us(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < STEPS {
        return bucket;
    }
    let power = bucket / STEPS - 1;
    ((STEPS + bucket % STEPS + 1) << power) - 1
}

const STEPS_LOG2: u64 = 5;
const STEPS: u64 = 1 << STEPS_LOG2;
const BUCKETS: usize = 28 * STEPS as usize;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_within_three_percent() {
        let mut latency = Latency::new();
        for us in 1..=100_000 {
            latency.add(Duration::from_micros(us));
        }
        for share in [0.001, 0.5, 0.9, 0.99, 1.0] {
            let (exact, found) = (share * 100_000.0, latency.percentile(share).as_micros() as f64);
            assert!((found - exact).abs() <= 1.0 + exact * 0.032, "{share}: {found} instead of {exact}");
        }
    }

    #[test]
    fn nothing_is_zero_and_the_longest_is_a_bound() {
        let mut latency = Latency::new();
        assert_eq!(latency.percentile(0.99), Duration::ZERO);
        latency.add(Duration::from_secs(100_000));
        assert_eq!(latency.percentile(0.5), Duration::from_micros(upper_us(BUCKETS - 1)));
    }
}
