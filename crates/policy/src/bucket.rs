//! A token bucket with the arithmetic of Go's `x/time/rate`, which contrib's limiters are made of.
//!
//! Everything is f64 as there, in the same order of operations, so that a trace on the edge falls to the same side. The
//! bucket starts full; a refused trace leaves it as it was; time that runs backwards adds nothing.

/// One limiter.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    per_second: i64,
    burst: i64,
    tokens: f64,
    updated_ns: u64,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn new(per_second: i64, burst: i64, now_ns: u64) -> Self {
        Self { per_second, burst, tokens: burst as f64, updated_ns: now_ns }
    }

    /// Takes `cost` tokens if they are there.
    pub(crate) fn allow(&mut self, cost: u64, now_ns: u64) -> bool {
        let elapsed_ns = now_ns.saturating_sub(self.updated_ns);
        let tokens = (self.tokens + self.earned(elapsed_ns)).min(self.burst as f64) - cost as f64;
        let fits = i64::try_from(cost).is_ok_and(|cost| cost <= self.burst);
        if !fits || !self.is_waitless(tokens) {
            return false;
        }
        self.tokens = tokens;
        self.updated_ns = now_ns;
        true
    }

    /// Seconds and nanoseconds apart, as Go's `Duration.Seconds` adds them.
    fn earned(&self, elapsed_ns: u64) -> f64 {
        if self.per_second <= 0 {
            return 0.0;
        }
        let seconds = (elapsed_ns / NS_PER_SECOND) as f64 + (elapsed_ns % NS_PER_SECOND) as f64 / 1e9;
        seconds * self.per_second as f64
    }

    /// Whether the wait for the tokens that lack is less than a nanosecond.
    fn is_waitless(&self, tokens: f64) -> bool {
        tokens >= 0.0 || self.per_second > 0 && -tokens / self.per_second as f64 * 1e9 < 1.0
    }
}

const NS_PER_SECOND: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    /// `(rate, burst)` and then `(at ms, cost, passes)`.
    fn check(rate: i64, burst: i64, steps: &[(u64, u64, bool)]) {
        let start_ns = 7 * NS_PER_SECOND;
        let mut bucket = Bucket::new(rate, burst, start_ns);
        for (step, (at_ms, cost, passes)) in steps.iter().enumerate() {
            assert_eq!(bucket.allow(*cost, start_ns + at_ms * MS), *passes, "rate {rate} burst {burst} step {step}");
        }
    }

    #[test]
    fn upstream_cases() {
        check(3, 3, &[(0, 3, true), (0, 1, false)]);
        check(3, 2, &[(0, 3, false), (0, 2, true)]);
        check(2, 4, &[(0, 1, true), (0, 1, true), (0, 1, true), (0, 1, true), (0, 1, false)]);
        check(4, 2, &[(0, 2, true), (0, 2, false), (600, 2, true)]);
    }

    #[test]
    fn edges() {
        check(0, 0, &[(0, 1, false), (5000, 1, false), (5000, 0, true)]);
        check(-5, -10, &[(0, 0, false), (0, 1, false)]);
        check(0, 3, &[(0, 2, true), (0, 2, false), (100_000, 2, false), (100_000, 1, true)]);
        check(1, 5, &[(0, 6, false), (1_000_000, 6, false), (1_000_000, 5, true)]);
        check(1, 1, &[(0, 1, true), (999, 1, false), (1000, 1, true)]);
        check(i64::MAX, i64::MAX, &[(0, u64::MAX, false), (0, 1 << 62, true)]);
    }

    #[test]
    fn a_refusal_changes_nothing_and_time_does_not_run_back() {
        check(10, 10, &[(0, 10, true), (500, 6, false), (500, 5, true), (600, 1, true)]);
        let mut bucket = Bucket::new(1, 1, 10 * NS_PER_SECOND);
        assert!(bucket.allow(1, 10 * NS_PER_SECOND));
        assert!(!bucket.allow(1, 0));
        assert!(bucket.allow(1, 11 * NS_PER_SECOND));
    }

    #[test]
    fn a_deficit_below_a_nanosecond_passes() {
        // A third of a second at 3 per second earns 0.999999999 tokens: short by a third of a nanosecond's worth.
        let mut bucket = Bucket::new(3, 1, 0);
        assert!(bucket.allow(1, 0));
        assert!(!bucket.allow(1, 333_333_332));
        assert!(bucket.allow(1, 333_333_333));
    }
}
