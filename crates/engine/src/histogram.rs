//! Counts by size, in the buckets that otelcol's telemetry has by default.

/// Upper bounds of the buckets, inclusive; one more bucket holds what is larger.
pub const BOUNDS: [u64; 15] = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000];

/// How many values fell in which bucket, and their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// One count a bound of [`BOUNDS`], and one for what is larger.
    pub counts: [u64; BOUNDS.len() + 1],
    /// Sum of all values.
    pub sum: u64,
}

impl Histogram {
    /// Counts a value.
    pub(crate) fn record(&mut self, value: u64) {
        let bucket = BOUNDS.iter().position(|bound| value <= *bound).unwrap_or(BOUNDS.len());
        self.counts[bucket] += 1;
        self.sum = self.sum.saturating_add(value);
    }

    /// Adds another's counts.
    pub(crate) fn add(&mut self, other: &Self) {
        self.counts.iter_mut().zip(other.counts).for_each(|(sum, more)| *sum += more);
        self.sum = self.sum.saturating_add(other.sum);
    }

    /// How many values there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_inclusive() {
        let mut histogram = Histogram::default();
        [0, 1, 5, 6, 10_000, 10_001].into_iter().for_each(|value| histogram.record(value));
        let mut counts = [0; 16];
        (counts[0], counts[1], counts[2], counts[14], counts[15]) = (1, 2, 1, 1, 1);
        assert_eq!((histogram.counts, histogram.sum, histogram.count()), (counts, 20_013, 6));
    }
}
