//! The guard of a connection: it looks at what the connection has been doing, and ends what a peer would leave hanging.
//!
//! It looks twice per bound: a connection that stays in the middle of a head (or sends nothing at all), or does not read its
//! answers, is closed; one without a request for the idle time is asked to end, and so is every one when the receiver ends.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

/// How long an HTTP/1 connection may have been idle to be closed at once when the receiver ends.
const LINGER: Duration = Duration::from_millis(250);
/// The guard looks no more often than this.
const STEP_MIN: Duration = Duration::from_millis(20);
/// HTTP/2's preface and an empty SETTINGS frame: what an HTTP/2 client says before anything else.
const HTTP2_GREETING_BYTES: u64 = 24 + 9;

/// The bounds on a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For the first byte and for a request's head.
    pub(super) head: Duration,
    /// Without a request; zero is for ever.
    pub(super) idle: Duration,
    /// Of the whole connection; zero is for ever.
    pub(super) age: Duration,
    /// For what runs when the connection has grown too old; zero is for ever.
    pub(super) age_grace: Duration,
    /// For answers that the peer does not read.
    pub(super) write: Duration,
}

/// What a connection has been doing.
pub(super) struct Activity {
    opened: Instant,
    http2: AtomicBool,
    bytes_read: AtomicU64,
    /// `bytes_read` when the last request ended.
    bytes_before: AtomicU64,
    requests: AtomicU64,
    in_flight: AtomicU32,
    /// Milliseconds after `opened` at which the last request ended.
    idle_since_ms: AtomicU64,
    /// The same for the first write that the peer left no room for, plus one; zero where there is room.
    stalled_since_ms: AtomicU64,
    /// The receiver ends: the next answer over HTTP/1 is the last one.
    last: AtomicBool,
}

/// A request in flight.
pub(super) struct InFlight<'a>(&'a Activity);

/// What the guard wants.
pub(super) enum Wish {
    Stay,
    Retire,
    Close,
}

/// Looks at a connection now and then.
pub(super) struct Guard<'a> {
    patience: Patience,
    activity: &'a Activity,
    /// Between two looks.
    step: Duration,
    /// The receiver ends.
    draining: bool,
    /// Since when a head has been pending, and how many requests there had been.
    suspect: Option<(u64, Instant)>,
}

impl Activity {
    pub(super) fn new() -> Activity {
        Activity {
            opened: Instant::now(),
            http2: AtomicBool::new(false),
            bytes_read: AtomicU64::new(0),
            bytes_before: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            in_flight: AtomicU32::new(0),
            idle_since_ms: AtomicU64::new(0),
            stalled_since_ms: AtomicU64::new(0),
            last: AtomicBool::new(false),
        }
    }

    /// Whether the next answer over HTTP/1 is to say that it is the last one.
    pub(super) fn is_last(&self) -> bool {
        self.last.load(Ordering::Relaxed)
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Notes whether there was room for a write.
    pub(super) fn wrote<T>(&self, polled: Poll<T>) -> Poll<T> {
        let stalled = self.stalled_since_ms.load(Ordering::Relaxed) > 0;
        if polled.is_pending() != stalled {
            let since = if polled.is_pending() { self.now_ms() + 1 } else { 0 };
            self.stalled_since_ms.store(since, Ordering::Relaxed);
        }
        polled
    }

    fn stalled(&self) -> Duration {
        match self.stalled_since_ms.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            since => Duration::from_millis(self.now_ms().saturating_sub(since - 1)),
        }
    }

    /// All bytes that have come.
    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    pub(super) fn read(&self, bytes: &[u8]) {
        let before = self.bytes_read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        if before == 0 && bytes.starts_with(b"PRI") {
            self.http2.store(true, Ordering::Relaxed);
        }
    }

    fn busy(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) > 0
    }

    /// Whether the peer owes the rest of something it began, or has never begun.
    fn head_pending(&self) -> bool {
        let read = self.bytes_read.load(Ordering::Relaxed);
        if self.http2.load(Ordering::Relaxed) {
            read < HTTP2_GREETING_BYTES
        } else {
            read == 0 || read > self.bytes_before.load(Ordering::Relaxed)
        }
    }

    fn idle(&self) -> Duration {
        self.opened.elapsed().saturating_sub(Duration::from_millis(self.idle_since_ms.load(Ordering::Relaxed)))
    }
}

impl<'a> InFlight<'a> {
    pub(super) fn new(activity: &'a Activity) -> InFlight<'a> {
        activity.requests.fetch_add(1, Ordering::Relaxed);
        activity.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(activity)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.idle_since_ms.store(self.0.now_ms(), Ordering::Relaxed);
        self.0.bytes_before.store(self.0.bytes_read.load(Ordering::Relaxed), Ordering::Relaxed);
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Guard<'_> {
    pub(super) fn new(patience: Patience, activity: &Activity) -> Guard<'_> {
        let mut patience = patience;
        // As in grpc-go: up to a tenth more or less, so that connections which came together do not go together.
        patience.age = patience.age.mul_f64(rand::random_range(0.9..1.1));
        let bounds = [patience.head, patience.idle, patience.age, patience.age_grace, patience.write];
        let shortest = bounds.into_iter().filter(|bound| !bound.is_zero()).min().unwrap_or(patience.head);
        Guard { patience, activity, step: (shortest / 2).max(STEP_MIN), draining: false, suspect: None }
    }

    /// The receiver ends. HTTP/2 has a way to say so; over HTTP/1 a request may be on its way just now, and closing would
    /// lose it: so a connection that was used a moment ago waits for it, and ends with its answer.
    pub(super) fn drain(&mut self) -> Wish {
        self.draining = true;
        self.activity.last.store(true, Ordering::Relaxed);
        self.step = STEP_MIN;
        self.linger()
    }

    fn linger(&self) -> Wish {
        let greeted = self.activity.http2.load(Ordering::Relaxed) && !self.activity.head_pending();
        if greeted || (!self.activity.busy() && self.activity.idle() >= LINGER) { Wish::Retire } else { Wish::Stay }
    }

    pub(super) async fn next(&mut self) -> Wish {
        tokio::time::sleep(self.step).await;
        let age = self.activity.opened.elapsed();
        let Patience { age: age_max, age_grace, idle, head, write } = self.patience;
        if self.activity.stalled() >= write {
            return Wish::Close;
        }
        if self.draining
            && let Wish::Retire = self.linger()
        {
            return Wish::Retire;
        }
        if !age_max.is_zero() && age >= age_max {
            let over = !age_grace.is_zero() && age >= age_max + age_grace;
            return if over { Wish::Close } else { Wish::Retire };
        }
        if self.activity.busy() {
            self.suspect = None;
            return Wish::Stay;
        }
        let requests = self.activity.requests.load(Ordering::Relaxed);
        if self.activity.head_pending() {
            match self.suspect {
                Some((then, since)) if then == requests && since.elapsed() >= head => return Wish::Close,
                Some((then, _)) if then == requests => {}
                _ if requests == 0 => self.suspect = Some((0, self.activity.opened)),
                _ => self.suspect = Some((requests, Instant::now())),
            }
        } else {
            self.suspect = None;
        }
        if !idle.is_zero() && self.activity.idle() >= idle { Wish::Retire } else { Wish::Stay }
    }
}
