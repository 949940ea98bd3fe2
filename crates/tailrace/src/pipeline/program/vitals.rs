//! The look at everything that must be alive: the deciding thread, and the tasks that accept, deliver and gather.

use crate::{
    pipeline::{
        decider::Pulse,
        fail_point::{FailPoint, Fault},
        snapshot::{Ledger, Running},
    },
    telemetry::health::HANG_TIME,
};
use net::receiver;
use parking_lot::{Mutex, RwLock};
use std::{sync::Arc, time::Instant};

/// What is looked at. The reloads change what is behind it.
pub(super) struct Vitals {
    pub(super) decider: Pulse,
    pub(super) ledger: Arc<Ledger>,
    pub(super) doors: Pulses,
    pub(super) fail_point: FailPoint,
    last: Mutex<Last>,
}

/// The receivers' pulses by their names.
pub(super) type Pulses = Arc<RwLock<Vec<(String, receiver::Pulse)>>>;

/// What the last looks saw of the deciding thread.
struct Last {
    passes: u64,
    /// When it was last seen to move, or to have nothing to do.
    moved_at: Instant,
    looks: u64,
}

impl Vitals {
    pub(super) fn new(decider: Pulse, ledger: Arc<Ledger>, doors: Pulses, fail_point: FailPoint) -> Self {
        let last = Last { passes: 0, moved_at: Instant::now(), looks: 0 };
        Self { decider, ledger, doors, fail_point, last: Mutex::new(last) }
    }

    /// What has died or hangs, if anything has.
    pub(super) fn look(&self) -> Result<(), String> {
        let running = self.ledger.running();
        self.fail(&running);
        if !self.decider.is_alive() {
            return Err("the deciding thread has died".to_owned());
        }
        for (name, pulse) in &*self.doors.read() {
            if !pulse.is_alive() {
                return Err(format!("the receiver `{name}` accepts no connections any more"));
            }
        }
        for way in &running.ways {
            if !way.destination.is_alive() {
                return Err(format!("a task of the exporter `{}` has died", way.destination.name()));
            }
        }
        for lane in &running.lanes {
            if !lane.is_watched() {
                return Err(format!("the task of the pipeline `{}` has died", lane.name));
            }
        }
        self.look_at_passes(&running)
    }

    /// While traces wait, the deciding thread makes a pass ten times a second, and one for each slot.
    fn look_at_passes(&self, running: &Running) -> Result<(), String> {
        // Asks every shard: one whose lock is never given back makes the look hang, which is noticed as well.
        let mut engines = running.lanes.iter().filter_map(|lane| lane.engine());
        let idle = engines.all(|engine| engine.traces_waiting() == 0);
        let passes = self.decider.passes();
        let mut last = self.last.lock();
        if idle || passes != last.passes {
            (last.passes, last.moved_at) = (passes, Instant::now());
        }
        let hangs = last.moved_at.elapsed();
        if hangs > HANG_TIME { Err("the deciding thread hangs".to_owned()) } else { Ok(()) }
    }

    /// Lets die what a test wants dead, at the second look.
    fn fail(&self, running: &Running) {
        let mut last = self.last.lock();
        last.looks += 1;
        if last.looks == 2 {
            if self.fail_point.is(Fault::Receive) {
                self.doors.read().iter().for_each(|(_, pulse)| pulse.lose());
            }
            if self.fail_point.is(Fault::Deliver) {
                running.ways.iter().for_each(|way| way.destination.lose_consumer());
            }
            if self.fail_point.is(Fault::Gather) {
                running.lanes.iter().for_each(|lane| lane.lose_watcher());
            }
        }
    }
}
