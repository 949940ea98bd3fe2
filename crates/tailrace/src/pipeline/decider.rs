//! The thread that decides: takes slots that have fallen due, reaches their verdicts and assembles the kept traces.
//!
//! It is the only one that takes slots out of an engine. It wakes when a slot falls due, and when an engine has too many
//! traces or memory runs short; then whole slots are decided before their time, oldest first.

use super::{
    Clock,
    fail_point::{FailPoint, Fault},
    lane::Lane,
};
use engine::{Due, Engine};
use net::budget::Budget;
use parking_lot::{Condvar, Mutex};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// While traces wait, memory is looked at this often even if no slot falls due.
const PRESSURE_INTERVAL: Duration = Duration::from_millis(100);
/// With nothing waiting there is nothing to decide and nothing to free; the first span wakes the thread.
const IDLE_INTERVAL: Duration = Duration::from_secs(60);

/// The running thread.
pub(crate) struct Decider {
    nudge: Arc<Nudge>,
    thread: Option<JoinHandle<()>>,
    pulse: Pulse,
}

/// Wakes the thread before its time.
#[derive(Default)]
pub(crate) struct Nudge {
    wanted: Mutex<Wanted>,
    wake: Condvar,
}

#[derive(Clone, Copy, Default)]
struct Wanted {
    look: bool,
    stop: bool,
}

/// What the thread works on.
pub(crate) struct Work {
    /// The lanes that sample; a reload puts others in.
    pub(crate) lanes: Arc<Mutex<Vec<Arc<Lane>>>>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) clock: Clock,
    /// How often the thread has looked or decided a slot; while traces wait, it goes on.
    pub(crate) passes: Arc<AtomicU64>,
    /// A fault that a test asks for.
    pub(crate) fail_point: FailPoint,
}

/// Tells whether the thread lives and moves.
#[derive(Clone, Debug)]
pub(crate) struct Pulse {
    passes: Arc<AtomicU64>,
    /// The thread has the other side.
    alive: Weak<()>,
}

impl Pulse {
    /// Whether the thread has not ended.
    pub(crate) fn is_alive(&self) -> bool {
        self.alive.strong_count() > 0
    }

    /// How often it has looked or decided a slot.
    pub(crate) fn passes(&self) -> u64 {
        self.passes.load(Ordering::Relaxed)
    }
}

impl Decider {
    /// Starts the thread; `nudge` wakes it.
    ///
    /// # Errors
    /// If the system has no thread to give.
    pub(crate) fn start(work: Work, nudge: Arc<Nudge>) -> std::io::Result<Self> {
        let waiting = Arc::clone(&nudge);
        let alive = Arc::new(());
        let pulse = Pulse { passes: Arc::clone(&work.passes), alive: Arc::downgrade(&alive) };
        let thread = thread::Builder::new().name("decide".to_owned()).spawn(move || {
            let _alive = alive;
            work.run(&waiting);
        })?;
        Ok(Self { nudge, thread: Some(thread), pulse })
    }

    /// Its pulse.
    pub(crate) fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Decides what is left on what is known, then ends the thread. Blocks until that is done.
    pub(crate) fn finish(mut self) {
        self.nudge.send(Wanted { look: true, stop: true });
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("BUG: the deciding thread panicked; traces that waited are lost");
        }
    }
}

impl Nudge {
    /// Asks the thread to look now: the first trace waits, or too much does.
    pub(crate) fn look(&self) {
        self.send(Wanted { look: true, stop: false });
    }

    fn send(&self, wanted: Wanted) {
        let mut now = self.wanted.lock();
        let news = (wanted.look && !now.look) || (wanted.stop && !now.stop);
        now.look |= wanted.look;
        now.stop |= wanted.stop;
        drop(now);
        if news {
            self.wake.notify_all();
        }
    }

    /// Waits for a nudge, but no longer than `pause`; tells whether it is time to stop.
    fn wait(&self, pause: Duration) -> bool {
        let mut wanted = self.wanted.lock();
        if !wanted.look {
            self.wake.wait_for(&mut wanted, pause);
        }
        wanted.look = false;
        wanted.stop
    }
}

impl Work {
    fn run(&self, nudge: &Nudge) {
        let mut scratch = engine::Scratch::default();
        loop {
            let stopped = self.sleep(nudge);
            // Held for the whole pass: a reload does not change a lane while one of its slots is being decided.
            let lanes = self.lanes.lock();
            self.fail(&lanes);
            for lane in &*lanes {
                let Some(engine) = lane.engine() else { continue };
                self.decide_due(lane, engine, &mut scratch);
                if stopped {
                    while let Some(due) = engine.take_rest() {
                        self.settle(lane, engine, due, &mut scratch);
                    }
                }
            }
            self.relieve(&lanes, &mut scratch);
            self.passes.fetch_add(1, Ordering::Relaxed);
            if stopped {
                return;
            }
        }
    }

    /// Waits for the next slot or the next look at the memory; tells whether it is time to stop.
    fn sleep(&self, nudge: &Nudge) -> bool {
        let now_ns = self.clock.mono_ns();
        let lanes = self.lanes.lock();
        let engines = || lanes.iter().filter_map(|lane| lane.engine());
        let idle = engines().all(|engine| engine.traces_waiting() == 0);
        let next = engines().map(|engine| engine.next_due_ns(now_ns)).min().unwrap_or(u64::MAX);
        drop(lanes);
        let until_due = Duration::from_nanos(next.saturating_sub(now_ns));
        nudge.wait(if idle { IDLE_INTERVAL } else { until_due.min(PRESSURE_INTERVAL) })
    }

    fn decide_due(&self, lane: &Lane, engine: &Engine, scratch: &mut engine::Scratch) {
        engine.tidy(self.clock.mono_ns(), scratch);
        while let Some(due) = engine.take_due(self.clock.mono_ns()) {
            self.settle(lane, engine, due, scratch);
        }
    }

    /// Decides slots before their time while too much waits.
    fn relieve(&self, lanes: &[Arc<Lane>], scratch: &mut engine::Scratch) {
        for lane in lanes {
            let Some(engine) = lane.engine() else { continue };
            let mut early = 0;
            while engine.is_over_traces_max() || self.is_short_of_memory(lanes) {
                let Some(due) = engine.take_early() else { break };
                early += due.traces();
                self.settle(lane, engine, due, scratch);
            }
            if early > 0 {
                tracing::warn!(
                    pipeline = lane.name,
                    traces = early,
                    "decided traces before their time: more wait than `num_traces` or the memory budget allows; raise it, or lower `decision_wait`"
                );
            }
        }
        self.publish(lanes);
    }

    /// Deciding early frees what waits for verdicts, not what waits for a destination; so it helps only where the former
    /// is a good part of what is used.
    fn is_short_of_memory(&self, lanes: &[Arc<Lane>]) -> bool {
        self.publish(lanes);
        self.budget.over_soft() && self.budget.held() > self.budget.soft() / 2
    }

    fn publish(&self, lanes: &[Arc<Lane>]) {
        let held = lanes.iter().filter_map(|lane| lane.engine()).map(|engine| engine.bytes_held()).sum();
        self.budget.set_held(held);
    }

    /// Decides and assembles a slot. The engine keeps panics to the traces that they hit; should one come through, the
    /// thread goes on with the next slot all the same, for nobody else would decide.
    fn settle(&self, lane: &Lane, engine: &Engine, due: Due, scratch: &mut engine::Scratch) {
        let settled = catch_unwind(AssertUnwindSafe(|| lane.decide(engine, due, self.clock, scratch)));
        match settled {
            Ok(0) => {}
            Ok(panics) => tracing::error!(pipeline = lane.name, panics, "BUG: deciding panicked; spans were dropped"),
            Err(_) => tracing::error!(pipeline = lane.name, "BUG: a slot was lost, because deciding it panicked"),
        }
        self.passes.fetch_add(1, Ordering::Relaxed);
        lane.room.notify_waiters();
    }

    /// Dies or hangs, where a test wants that, when a trace waits.
    fn fail(&self, lanes: &[Arc<Lane>]) {
        let waits = || lanes.iter().filter_map(|lane| lane.engine()).any(|engine| engine.traces_waiting() > 0);
        if self.fail_point.is(Fault::DecideHangs) && waits() {
            thread::sleep(Duration::MAX);
        }
        assert!(!(self.fail_point.is(Fault::Decide) && waits()), "a test wants this thread dead");
    }
}
