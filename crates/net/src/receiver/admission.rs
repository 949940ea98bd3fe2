//! Overload: which requests are turned away so that the others are still worth taking.
//!
//! A collector that is asked for more than it can do makes everybody wait for longer and longer, until the clients give up
//! waiting and all its work is for nothing. What tells it is how long a task waits for its turn, the lag. A probe, at most one
//! at a time and only while requests come, puts itself at the end of the runtime's queue and looks when its turn is:
//!
//! ```text
//!            mean lag > LAG_HIGH in WINDOWS_HIGH windows
//!   all ────────────────────────────────────────────────► LAG_LOW / lag of those who come, at most all
//!    ▲                                                          │
//!    └─────────── nobody was refused for CALM ──────────────────┘
//! ```
//!
//! The share follows from the lag of this moment and nothing else: the queue adds up what was taken in excess, and a rule
//! that added up as well would swing. It is taken evenly among all comers; the rest is refused with RetryInfo before anything
//! else is done for it. Slow clients and single large requests change nothing: the lag has to stand.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::rarely::Rarely;

/// Up to this there is room for everybody; while there is work, the queue is never empty.
const LAG_LOW: Duration = Duration::from_millis(20);
/// Above this there is too much to do.
const LAG_HIGH: Duration = Duration::from_millis(40);
/// So long the lag is averaged.
const WINDOW: Duration = Duration::from_millis(100);
/// So often in a row it has to be too high. A burst may take less.
const WINDOWS_HIGH: u32 = 3;
/// Between two probes.
const PROBE_INTERVAL: Duration = Duration::from_millis(10);
/// Without a refusal for so long, everybody is taken again.
const CALM: Duration = Duration::from_secs(1);

/// Decides which requests of a receiver are taken.
pub(super) struct Admission {
    receiver: Arc<str>,
    is_shedding: AtomicBool,
    probing: AtomicBool,
    seen: Mutex<Seen>,
    told: Rarely,
}

/// What the probes have found.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// When the last probe began, when the last one ended, and what that found.
    probed: Instant,
    learned: Instant,
    lag: Duration,
    /// The window's beginning, and the lags in it.
    window: Instant,
    lags: Duration,
    probes: u32,
    /// Windows in a row with too high a lag.
    windows_high: u32,
    /// Shares added up; a request is taken whenever there is a whole.
    sum: f64,
    /// The last refusal.
    refused: Instant,
}

impl Admission {
    pub(super) fn new(receiver: &Arc<str>) -> Arc<Admission> {
        Arc::new(Admission {
            receiver: Arc::clone(receiver),
            is_shedding: AtomicBool::new(false),
            probing: AtomicBool::new(false),
            seen: Mutex::new(Seen::since(Instant::now())),
            told: Rarely::default(),
        })
    }

    /// Whether one more request is taken.
    pub(super) fn admits(self: &Arc<Self>) -> bool {
        let (shedding, probing) = (self.is_shedding(), self.probing.load(Ordering::Relaxed));
        if !shedding && probing {
            return true;
        }
        let now = Instant::now();
        if !probing {
            self.probe(now);
        }
        if !shedding || self.seen.lock().takes(now, probing) {
            return true;
        }
        if let Some(requests) = self.told.tell() {
            let receiver = &*self.receiver;
            tracing::warn!(
                receiver,
                requests,
                "more requests come than can be processed, some are refused and asked to come back; give the collector more CPU or spread the load"
            );
        }
        false
    }

    /// Whether some are turned away now.
    pub(super) fn is_shedding(&self) -> bool {
        self.is_shedding.load(Ordering::Relaxed)
    }

    /// Sends a probe, if it is time for one.
    fn probe(self: &Arc<Self>, now: Instant) {
        {
            let mut seen = self.seen.lock();
            if now.saturating_duration_since(seen.probed) < PROBE_INTERVAL || self.probing.swap(true, Ordering::Relaxed)
            {
                return;
            }
            if now.saturating_duration_since(seen.learned) > WINDOW && !self.is_shedding() {
                // Nothing came, and so nothing waited.
                *seen = Seen::since(now);
            }
            seen.probed = now;
        }
        let admission = Arc::clone(self);
        tokio::spawn(async move {
            last_in_line().await;
            admission.learn(Instant::now());
            admission.probing.store(false, Ordering::Relaxed);
        });
    }

    /// The probe has had its turn.
    fn learn(&self, now: Instant) {
        let mut seen = self.seen.lock();
        let lag = now.saturating_duration_since(seen.probed);
        (seen.lag, seen.learned) = (lag, now);
        seen.lags += lag;
        seen.probes += 1;
        if now - seen.window < WINDOW {
            return;
        }
        let mean = seen.lags / seen.probes;
        let windows_high = if mean > LAG_HIGH { seen.windows_high.saturating_add(1) } else { 0 };
        if windows_high == WINDOWS_HIGH {
            seen.refused = now;
        }
        let shedding = windows_high >= WINDOWS_HIGH || (self.is_shedding() && now - seen.refused < CALM);
        self.is_shedding.store(shedding, Ordering::Relaxed);
        *seen = Seen { window: now, lags: Duration::ZERO, probes: 0, windows_high, ..*seen };
    }
}

impl Seen {
    fn since(now: Instant) -> Seen {
        let none = Duration::ZERO;
        Seen {
            probed: now,
            learned: now,
            lag: none,
            window: now,
            lags: none,
            probes: 0,
            windows_high: 0,
            sum: 0.0,
            refused: now,
        }
    }

    /// Whether one more request fits into the share that the lag leaves.
    fn takes(&mut self, now: Instant, probing: bool) -> bool {
        let waiting = if probing { now.saturating_duration_since(self.probed) } else { Duration::ZERO };
        let lag = self.lag.max(waiting);
        self.sum += (LAG_LOW.as_secs_f64() / lag.as_secs_f64().max(0.001)).min(1.0);
        let taken = self.sum >= 1.0;
        if taken {
            self.sum -= 1.0;
        } else {
            self.refused = now;
        }
        taken
    }
}

/// Waits until everything that is ready has had its turn. A task that wakes itself goes to the end of its queue, unlike one
/// that was just spawned or woken, which goes before all others.
async fn last_in_line() {
    let mut waited = false;
    std::future::poll_fn(|context| {
        if waited {
            return Poll::Ready(());
        }
        waited = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without probes of its own.
    fn admission() -> Arc<Admission> {
        let admission = Admission::new(&Arc::from("otlp/test"));
        admission.probing.store(true, Ordering::Relaxed);
        admission
    }

    /// Lets probes find `lag` for `long`, once every 10 ms.
    async fn lags(admission: &Admission, lag: Duration, long: Duration) {
        for _ in 0..long.as_millis() / 10 {
            tokio::time::advance(PROBE_INTERVAL).await;
            let now = Instant::now();
            admission.seen.lock().probed = now - lag;
            admission.learn(now);
        }
    }

    /// Of a thousand requests, give or take one for the rounding of sums.
    fn assert_taken(admission: &Arc<Admission>, expected: usize) {
        let taken = taken_of_1000(admission);
        assert!(taken.abs_diff(expected) <= 1, "{taken} were taken, not {expected}");
    }

    fn taken_of_1000(admission: &Arc<Admission>) -> usize {
        (0..1000).filter(|_| admission.admits()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_refuses_nobody() {
        let admission = admission();
        lags(&admission, Duration::from_millis(200), WINDOW * (WINDOWS_HIGH - 1)).await;
        assert_eq!(taken_of_1000(&admission), 1000);
        lags(&admission, Duration::from_millis(39), Duration::from_secs(10)).await;
        assert_eq!(taken_of_1000(&admission), 1000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_standing_queue_leaves_the_share_that_its_lag_allows() {
        let admission = admission();
        lags(&admission, Duration::from_millis(80), WINDOW * WINDOWS_HIGH).await;
        assert!(admission.is_shedding());
        assert_taken(&admission, 250);
        lags(&admission, Duration::from_millis(200), PROBE_INTERVAL).await;
        assert_taken(&admission, 100);
        lags(&admission, Duration::from_secs(5), Duration::from_secs(1)).await;
        assert_taken(&admission, 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_does_not_come_back_tells_the_same() {
        let admission = admission();
        lags(&admission, Duration::from_millis(50), WINDOW * WINDOWS_HIGH).await;
        tokio::time::advance(Duration::from_millis(50)).await;
        assert_taken(&admission, 200);
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_nobody_had_to_be_refused_for_a_while() {
        let admission = admission();
        lags(&admission, Duration::from_millis(80), WINDOW * WINDOWS_HIGH).await;
        taken_of_1000(&admission);
        lags(&admission, Duration::from_millis(20), CALM - WINDOW).await;
        assert_eq!(taken_of_1000(&admission), 1000);
        assert!(admission.is_shedding());
        lags(&admission, Duration::from_millis(20), WINDOW * 2).await;
        assert!(!admission.is_shedding());
        lags(&admission, Duration::from_millis(80), WINDOW).await;
        assert!(!admission.is_shedding(), "begins as before");
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_request_after_a_pause_finds_no_queue() {
        let admission = admission();
        lags(&admission, Duration::from_millis(200), WINDOW * (WINDOWS_HIGH - 1)).await;
        admission.probing.store(false, Ordering::Relaxed);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(admission.admits(), "and sends a probe");
        admission.learn(Instant::now() + Duration::from_millis(200));
        assert_eq!(taken_of_1000(&admission), 1000);
    }

    #[tokio::test]
    async fn the_probe_waits_for_those_before_it() {
        let order = Arc::new(Mutex::new(Vec::new()));
        let probe = {
            let order = Arc::clone(&order);
            tokio::spawn(async move {
                last_in_line().await;
                order.lock().push("probe");
            })
        };
        let others = (0..5).map(|_| {
            let order = Arc::clone(&order);
            tokio::spawn(async move { order.lock().push("other") })
        });
        for other in others.collect::<Vec<_>>() {
            other.await.unwrap();
        }
        probe.await.unwrap();
        assert_eq!(order.lock().last(), Some(&"probe"));
    }
}
