//! Overload: which requests are turned away so that the others are still worth taking.
//!
//! A processor that is asked for more than it can do makes everybody wait for longer and longer, until the clients give up
//! waiting and all its work is for nothing. What tells it is how long a task waits for its turn. A probe, at most one at a
//! time and only while requests come, puts itself at the end of the runtime's queue and looks when its turn is:
//!
//! ```text
//!   lag ─────────────── LAG_LOW ─────────────── LAG_HIGH ───────────────
//!       a larger share  │  the share stays      │ a smaller share, once this has been so for STANDING
//! ```
//!
//! A share of the requests is taken, evenly among all comers; the rest is refused with RetryInfo before anything else is
//! done for it. Slow clients and single large requests do not change the share: the lag has to stand.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::rarely::Rarely;

/// Below this there is room for more: the queue is short, though never empty while there is work.
const LAG_LOW: Duration = Duration::from_millis(20);
/// Above this there is too much. A core that other processes want, too, is not had for some 10 ms now and then.
const LAG_HIGH: Duration = Duration::from_millis(40);
/// A burst may take so long.
const STANDING: Duration = Duration::from_millis(250);
/// Between two probes.
const PROBE_INTERVAL: Duration = Duration::from_millis(10);
/// The whole, in the unit of shares.
const WHOLE: u32 = 1 << 16;
/// So much is taken at least.
const SHARE_MIN: u32 = WHOLE / 64;
/// By how much a share shrinks at most for one probe.
const SHRINK_MAX: f64 = 0.7;
/// How much a share grows with each probe: a part of itself, and a little.
const GROWTH: u32 = 16;

/// Decides which requests of a receiver are taken.
pub(super) struct Admission {
    receiver: Arc<str>,
    /// Of [`WHOLE`].
    share: AtomicU32,
    /// Shares added up; a request is taken whenever this passes a whole.
    sum: AtomicU32,
    probing: AtomicBool,
    seen: Mutex<Seen>,
    told: Rarely,
}

/// What the probes have found.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// When the last probe began.
    probed: Instant,
    /// When the lag was last not too high.
    fine: Instant,
}

impl Admission {
    pub(super) fn new(receiver: &Arc<str>) -> Arc<Admission> {
        let now = Instant::now();
        Arc::new(Admission {
            receiver: Arc::clone(receiver),
            share: AtomicU32::new(WHOLE),
            sum: AtomicU32::new(0),
            probing: AtomicBool::new(false),
            seen: Mutex::new(Seen { probed: now, fine: now }),
            told: Rarely::default(),
        })
    }

    /// Whether one more request is taken.
    pub(super) fn admits(self: &Arc<Self>) -> bool {
        if !self.probing.load(Ordering::Relaxed) {
            self.probe();
        }
        let share = self.share.load(Ordering::Relaxed);
        if share == WHOLE {
            return true;
        }
        let before = self.sum.fetch_add(share, Ordering::Relaxed);
        let taken = before / WHOLE != before.wrapping_add(share) / WHOLE;
        if !taken && let Some(requests) = self.told.tell() {
            let receiver = &*self.receiver;
            tracing::warn!(
                receiver,
                requests,
                "more requests come than can be processed, some are refused and asked to come back; give the collector more CPU or spread the load"
            );
        }
        taken
    }

    /// Whether some are turned away now.
    pub(super) fn is_shedding(&self) -> bool {
        self.share.load(Ordering::Relaxed) < WHOLE
    }

    /// Sends a probe, if it is time for one.
    fn probe(self: &Arc<Self>) {
        let began = Instant::now();
        {
            let Some(mut seen) = self.seen.try_lock() else { return };
            let since = began - seen.probed;
            if since < PROBE_INTERVAL || self.probing.swap(true, Ordering::Relaxed) {
                return;
            }
            if since > STANDING {
                // Nothing came, and so nothing waited.
                seen.fine = began;
            }
            seen.probed = began;
        }
        let admission = Arc::clone(self);
        tokio::spawn(async move {
            last_in_line().await;
            admission.learn(began.elapsed());
            admission.probing.store(false, Ordering::Relaxed);
        });
    }

    /// A task waited so long for its turn.
    fn learn(&self, lag: Duration) {
        let mut seen = self.seen.lock();
        let now = Instant::now();
        let share = self.share.load(Ordering::Relaxed);
        if lag <= LAG_HIGH {
            seen.fine = now;
        }
        let share = if lag < LAG_LOW {
            share.saturating_add(share / GROWTH + WHOLE / 256).min(WHOLE)
        } else if lag > LAG_HIGH && (share < WHOLE || now - seen.fine >= STANDING) {
            let by = (LAG_HIGH.as_secs_f64() / lag.as_secs_f64()).max(SHRINK_MAX);
            ((f64::from(share) * by) as u32).max(SHARE_MIN)
        } else {
            share
        };
        self.share.store(share, Ordering::Relaxed);
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

    /// Lets `lag` be seen for `long`, once every 10 ms.
    async fn lags(admission: &Admission, lag: Duration, long: Duration) {
        for _ in 0..long.as_millis() / 10 {
            tokio::time::advance(PROBE_INTERVAL).await;
            admission.learn(lag);
        }
    }

    fn taken_of_1000(admission: &Arc<Admission>) -> usize {
        (0..1000).filter(|_| admission.admits()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_refuses_nobody() {
        let admission = admission();
        lags(&admission, Duration::from_millis(200), STANDING - 2 * PROBE_INTERVAL).await;
        assert_eq!(taken_of_1000(&admission), 1000);
        lags(&admission, Duration::from_millis(30), Duration::from_secs(10)).await;
        assert_eq!(taken_of_1000(&admission), 1000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_standing_queue_refuses_more_and_more_and_never_all() {
        let admission = admission();
        lags(&admission, Duration::from_millis(60), STANDING + 2 * PROBE_INTERVAL).await;
        assert!(admission.is_shedding());
        let first = taken_of_1000(&admission);
        assert!((200..900).contains(&first), "{first}");
        lags(&admission, Duration::from_millis(60), Duration::from_secs(10)).await;
        let least = taken_of_1000(&admission);
        assert!((14..=17).contains(&least), "{least}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_share_stays_in_between_and_grows_back() {
        let admission = admission();
        lags(&admission, Duration::from_millis(100), STANDING + 5 * PROBE_INTERVAL).await;
        let before = taken_of_1000(&admission);
        lags(&admission, Duration::from_millis(30), Duration::from_secs(10)).await;
        assert!(taken_of_1000(&admission).abs_diff(before) <= 1);
        lags(&admission, Duration::from_millis(1), Duration::from_secs(1)).await;
        assert_eq!(taken_of_1000(&admission), 1000);
        assert!(!admission.is_shedding());
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_request_after_a_pause_finds_no_queue() {
        let admission = Admission::new(&Arc::from("otlp/test"));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(admission.admits(), "and sends a probe");
        admission.learn(Duration::from_millis(100));
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
