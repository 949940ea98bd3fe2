//! When to try again: exponential backoff with jitter, with the peer's wish as a floor.
//!
//! otelcol's `retry_on_failure`, and its arithmetic: the wait is `interval × (1 ± randomization_factor)`, the interval grows
//! by `multiplier` up to `max_interval`. RetryInfo and Retry-After are a floor, and the jitter is added above it, so that a
//! thousand clients told "in 5 s" do not come back in the same millisecond (the OTLP specification demands jitter always).
//! Time and randomness are arguments: this file has neither.

use std::time::Duration;

/// `retry_on_failure`.
#[derive(Clone, PartialEq, Debug)]
pub struct RetrySettings {
    /// Whether to try again at all.
    pub enabled: bool,
    /// The first wait.
    pub initial_interval: Duration,
    /// How far a wait may stray, as a share of the interval.
    pub randomization_factor: f64,
    /// What each interval is multiplied with.
    pub multiplier: f64,
    /// The longest interval.
    pub max_interval: Duration,
    /// After this the spans are given up; zero is never.
    pub max_elapsed_time: Duration,
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self {
            enabled: true,
            initial_interval: Duration::from_secs(5),
            randomization_factor: 0.5,
            multiplier: 1.5,
            max_interval: Duration::from_secs(30),
            max_elapsed_time: Duration::from_secs(300),
        }
    }
}

/// The waits of one request, one after the other.
#[derive(Clone, Debug)]
pub struct Backoff {
    interval: Duration,
}

impl Backoff {
    /// Before the first failure.
    #[must_use]
    pub fn new(settings: &RetrySettings) -> Self {
        Self { interval: settings.initial_interval }
    }

    /// How long to wait before the next attempt, or `None` where that attempt would come after `max_elapsed_time`.
    ///
    /// `elapsed` is what has passed since the clock of this request started, `floor` what the peer asked for, `random` a
    /// number in 0..1.
    pub fn wait(
        &mut self,
        settings: &RetrySettings,
        elapsed: Duration,
        floor: Option<Duration>,
        random: f64,
    ) -> Option<Duration> {
        let interval_s = self.interval.as_secs_f64();
        let stray_s = interval_s * settings.randomization_factor;
        let jittered = seconds(interval_s - stray_s + random * 2.0 * stray_s);
        let wait = match floor {
            Some(floor) => jittered.max(floor.saturating_add(seconds(random * stray_s))),
            None => jittered,
        };
        self.interval = seconds(interval_s * settings.multiplier).min(settings.max_interval);
        let never_ends = settings.max_elapsed_time.is_zero();
        (never_ends || elapsed.saturating_add(wait) <= settings.max_elapsed_time).then_some(wait)
    }
}

/// Seconds as a duration, whatever the number is.
fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value.max(0.0)).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The waits in milliseconds for a sequence of (elapsed s, floor s, random).
    fn check(settings: &RetrySettings, steps: &[(u64, Option<u64>, f64)], expected_ms: &[Option<u128>]) {
        let mut backoff = Backoff::new(settings);
        let waits: Vec<_> = steps
            .iter()
            .map(|&(elapsed_s, floor_s, random)| {
                let floor = floor_s.map(Duration::from_secs);
                backoff.wait(settings, Duration::from_secs(elapsed_s), floor, random).map(|wait| wait.as_millis())
            })
            .collect();
        assert_eq!(waits, expected_ms);
    }

    #[test]
    fn grows_by_half_up_to_the_longest_interval() {
        let middle = [(0, None, 0.5); 7];
        let expected = [5000, 7500, 11_250, 16_875, 25_312, 30_000, 30_000].map(Some);
        check(&RetrySettings::default(), &middle, &expected);
    }

    #[test]
    fn strays_by_the_randomization_factor() {
        let settings = RetrySettings::default();
        check(&settings, &[(0, None, 0.0)], &[Some(2500)]);
        check(&settings, &[(0, None, 1.0)], &[Some(7500)]);
        check(&RetrySettings { randomization_factor: 0.0, ..settings }, &[(0, None, 0.9)], &[Some(5000)]);
    }

    #[test]
    fn the_peers_wish_is_a_floor_with_jitter_above_it() {
        let settings = RetrySettings::default();
        check(
            &settings,
            &[(0, Some(0), 0.5), (0, Some(60), 0.0), (0, Some(60), 0.5)],
            &[Some(5000), Some(60_000), Some(62_812)],
        );
    }

    #[test]
    fn ends_where_the_next_attempt_would_be_too_late() {
        let settings = RetrySettings::default();
        check(&settings, &[(295, None, 0.5), (295, None, 0.5)], &[Some(5000), None]);
        check(&settings, &[(0, Some(3600), 0.5)], &[None]);
    }

    #[test]
    fn zero_never_ends_and_nothing_overflows() {
        let settings = RetrySettings { max_elapsed_time: Duration::ZERO, ..RetrySettings::default() };
        check(&settings, &[(1_000_000, Some(3600), 0.0)], &[Some(3_600_000)]);
        let mut backoff = Backoff::new(&settings);
        assert_eq!(backoff.wait(&settings, Duration::MAX, Some(Duration::MAX), 1.0), Some(Duration::MAX));
        let wild = RetrySettings { multiplier: f64::INFINITY, max_interval: Duration::MAX, ..settings };
        let mut backoff = Backoff::new(&wild);
        for _ in 0..10 {
            backoff.wait(&wild, Duration::ZERO, None, 0.7);
        }
    }
}
