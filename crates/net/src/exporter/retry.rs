//! When to try again: exponential backoff with jitter, with the peer's wish as a floor.
//!
//! otelcol's `retry_on_failure`, and its arithmetic: the wait is `interval × (1 ± randomization_factor)`, the interval grows
//! by `multiplier` up to `max_interval`. RetryInfo and Retry-After are a floor, and the jitter is added above it, so that a
//! thousand clients told "in 5 s" do not come back in the same millisecond (the OTLP specification demands jitter always).
//! Time and randomness are arguments: this file has neither.

use std::time::Duration;

use settings::{Fields, Node, Problems};

/// `retry_on_failure`.
#[derive(Clone, PartialEq, Debug, settings::Documented)]
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

impl RetrySettings {
    /// Takes `retry_on_failure` out of an exporter's map.
    pub(super) fn take(fields: &mut Fields<'_>, p: &mut Problems) -> Self {
        let node = fields.node("retry_on_failure").filter(|node| !node.is_absent());
        node.and_then(|node| p.within("retry_on_failure", |p| Self::decode(node, p))).unwrap_or_default()
    }

    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("retry_on_failure", p)?;
        fields.describe::<Self>();
        let defaults = Self::default();
        let retry = Self {
            enabled: fields.take("enabled", defaults.enabled, p),
            initial_interval: fields.take("initial_interval", defaults.initial_interval, p),
            randomization_factor: fields.take("randomization_factor", defaults.randomization_factor, p),
            multiplier: fields.take("multiplier", defaults.multiplier, p),
            max_interval: fields.take("max_interval", defaults.max_interval, p),
            max_elapsed_time: fields.take("max_elapsed_time", defaults.max_elapsed_time, p),
        };
        fields.finish(p);
        if retry.enabled {
            for (_, key, message, help) in retry.mistakes().into_iter().filter(|(wrong, ..)| *wrong) {
                let at = node.lookup(key).map_or(node.at, |node| node.at);
                p.error(&at, message, help.to_owned());
            }
        }
        Some(retry)
    }

    /// What otelcol refuses: in which setting, what, and the way out.
    fn mistakes(&self) -> [(bool, &'static str, &'static str, &'static str); 4] {
        let ends = !self.max_elapsed_time.is_zero();
        let raise = "raise it, or write `0s` to try for ever";
        [
            (
                !(0.0..=1.0).contains(&self.randomization_factor),
                "randomization_factor",
                "`randomization_factor` must be between 0 and 1",
                "write a share of the interval, such as `0.5`",
            ),
            (
                self.multiplier.is_nan() || self.multiplier < 0.0,
                "multiplier",
                "`multiplier` must be zero or more",
                "write a factor, such as `1.5`",
            ),
            (
                ends && self.max_elapsed_time < self.initial_interval,
                "max_elapsed_time",
                "`max_elapsed_time` is less than `initial_interval`",
                raise,
            ),
            (
                ends && self.max_elapsed_time < self.max_interval,
                "max_elapsed_time",
                "`max_elapsed_time` is less than `max_interval`",
                raise,
            ),
        ]
    }

    /// All settings, as otelcol prints them.
    pub(super) fn effective(&self) -> Node {
        Node::map_of([
            ("enabled", self.enabled.into()),
            ("initial_interval", self.initial_interval.into()),
            ("max_elapsed_time", self.max_elapsed_time.into()),
            ("max_interval", self.max_interval.into()),
            ("multiplier", self.multiplier.into()),
            ("randomization_factor", self.randomization_factor.into()),
        ])
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
