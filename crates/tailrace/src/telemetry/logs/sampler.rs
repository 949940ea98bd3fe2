//! zap's sampling: of equal lines within a tick the first few are written, then each so-many-th.
//!
//! As in zap, lines are equal if level and message are; fields do not count. Counters stand in a table of fixed size by a
//! hash, so that two messages may share one.

use super::fields::Said;
use crate::configuration::telemetry::logs::Sampling;
use parking_lot::Mutex;
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Instant,
};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// Counters; as many as zap has for each level.
const COUNTERS: usize = 4096;

/// Counts equal lines.
pub(super) struct Sampler {
    state: Mutex<State>,
}

struct State {
    settings: Sampling,
    /// When the tick began, and how many there have been in it. Empty until the first line.
    counters: Vec<Option<(Instant, u64)>>,
}

/// Keeps out what the sampler does not let through.
pub(super) struct Gate(pub(super) Arc<Sampler>);

impl Sampler {
    pub(super) fn new(settings: Sampling) -> Self {
        Self { state: Mutex::new(State { settings, counters: Vec::new() }) }
    }

    pub(super) fn follow(&self, settings: Sampling) {
        self.state.lock().settings = settings;
    }

    /// Whether a line is written; `key` says which lines are equal.
    fn lets_through(&self, key: impl Hash, now: Instant) -> bool {
        let mut state = self.state.lock();
        let State { settings, counters } = &mut *state;
        let Some((tick, initial, thereafter)) = settings.limits() else { return true };
        counters.resize(COUNTERS, None);
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let index = hasher.finish() as usize % COUNTERS;
        let Some(counter) = counters.get_mut(index) else { return true };
        let (began, count) = counter.get_or_insert((now, 0));
        if now.saturating_duration_since(*began) >= tick {
            (*began, *count) = (now, 0);
        }
        *count += 1;
        *count <= initial || thereafter > 0 && (*count - initial).is_multiple_of(thereafter)
    }
}

impl<S: Subscriber> Layer<S> for Gate {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        if self.0.state.lock().settings.limits().is_none() {
            return true;
        }
        self.0.lets_through((event.metadata().level(), Said::of(event).message), Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_first_few_and_then_each_so_many_th() {
        let sampler = Sampler::new(Sampling::default());
        let start = Instant::now();
        let written = |key: &str, at: Duration, lines: usize| {
            (0..lines).filter(|_| sampler.lets_through(key, start + at)).count()
        };
        assert_eq!(written("a", Duration::ZERO, 10), 10);
        assert_eq!(written("a", Duration::ZERO, 99), 0);
        assert_eq!(written("a", Duration::ZERO, 101), 2);
        assert_eq!(written("b", Duration::ZERO, 5), 5, "another message");
        assert_eq!(written("a", Duration::from_secs(10), 12), 10, "a new tick");
    }
}
