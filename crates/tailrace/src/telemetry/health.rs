//! Whether Tailrace is well, and how probes are told: otelcol's `health_check`, answer by answer.
//!
//! It is not well before everything has started, from the moment a stop begins, and when something that nobody starts anew
//! has died: the deciding thread, a task that accepts connections, delivers or gathers. Somebody looks every second; should
//! the look itself hang, because a lock is never given back, that is seen by its age.
//!
//! ```text
//!  starting (503) ─► ready (200) ─► stopping (503)
//!                     ▲    │ something died or hangs
//!                     └────▼
//!                     unwell (503)
//! ```

mod answer;

pub(crate) use answer::{answers, timestamp};

use parking_lot::Mutex;
use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
use tokio::task::JoinHandle;

/// Says what has died or hangs, if anything has.
pub(crate) type Look = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// Between two looks.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// A look, or a pass of the deciding thread, that takes longer hangs. Deciding a slot of many gigabytes takes seconds.
pub(crate) const HANG_TIME: Duration = Duration::from_secs(20);

/// The health of the process, shared by all who ask.
pub(crate) struct Health {
    state: Mutex<State>,
}

#[derive(Clone, Debug)]
struct State {
    phase: Phase,
    /// When the last look ended, and what it saw.
    looked_at: Instant,
    seen: Result<(), String>,
    /// Since when everything has been well.
    well_since: Option<(Instant, SystemTime)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Starting,
    Ready,
    Stopping,
}

/// Looks now and then until it is dropped.
pub(crate) struct Watch(JoinHandle<()>);

/// How it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Everything works.
    Well { since: SystemTime, uptime: Duration },
    /// It does not, or not yet, or not any more.
    Unwell,
}

impl Health {
    /// Of a process that is starting.
    pub(crate) fn new() -> Arc<Self> {
        let state = State { phase: Phase::Starting, looked_at: Instant::now(), seen: Ok(()), well_since: None };
        Arc::new(Self { state: Mutex::new(state) })
    }

    /// Everything has started; `look` is asked from now on.
    pub(crate) fn ready(self: &Arc<Self>, look: Look) -> Watch {
        let now = Instant::now();
        let mut state = self.state.lock();
        state.phase = Phase::Ready;
        state.looked_at = now;
        state.settle(now);
        drop(state);
        Watch(tokio::spawn(watch(Arc::clone(self), look)))
    }

    /// The stop begins.
    pub(crate) fn stopping(&self) {
        let mut state = self.state.lock();
        state.phase = Phase::Stopping;
        state.settle(Instant::now());
    }

    /// How it is.
    pub(crate) fn condition(&self) -> Condition {
        let now = Instant::now();
        let mut state = self.state.lock();
        state.settle(now);
        match state.well_since {
            Some((at, since)) => Condition::Well { since, uptime: now.saturating_duration_since(at) },
            None => Condition::Unwell,
        }
    }

    fn saw(&self, seen: Result<(), String>) {
        let now = Instant::now();
        let mut state = self.state.lock();
        let news = (state.seen != seen).then(|| seen.clone());
        state.looked_at = now;
        state.seen = seen;
        state.settle(now);
        let is_ready = state.phase == Phase::Ready;
        drop(state);
        match news {
            Some(Err(why)) if is_ready => tracing::error!("not healthy any more: {why}"),
            Some(Ok(())) if is_ready => tracing::info!("healthy again"),
            _ => {}
        }
    }
}

impl State {
    /// Notes since when it has been well.
    fn settle(&mut self, now: Instant) {
        let hangs = now.saturating_duration_since(self.looked_at) > HANG_TIME;
        if self.phase != Phase::Ready || self.seen.is_err() || hangs {
            self.well_since = None;
        } else {
            self.well_since.get_or_insert_with(|| (now, SystemTime::now()));
        }
    }
}

async fn watch(health: Arc<Health>, look: Look) {
    loop {
        tokio::time::sleep(LOOK_INTERVAL).await;
        let look = Arc::clone(&look);
        let seen = tokio::task::spawn_blocking(move || look()).await;
        health.saw(seen.unwrap_or_else(|_| Err("BUG: looking at what runs panicked".to_owned())));
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_well_between_start_and_stop_unless_something_died() {
        let health = Health::new();
        assert_eq!(health.condition(), Condition::Unwell, "it starts");
        let _watch = health.ready(Arc::new(|| Ok(())));
        assert!(matches!(health.condition(), Condition::Well { .. }));
        health.saw(Err("it died".to_owned()));
        assert_eq!(health.condition(), Condition::Unwell);
        health.saw(Ok(()));
        assert!(matches!(health.condition(), Condition::Well { .. }));
        health.state.lock().looked_at -= HANG_TIME * 2;
        assert_eq!(health.condition(), Condition::Unwell, "the look hangs");
        health.saw(Ok(()));
        health.stopping();
        health.saw(Ok(()));
        assert_eq!(health.condition(), Condition::Unwell, "it stops");
    }
}
