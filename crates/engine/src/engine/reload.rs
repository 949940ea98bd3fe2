//! Settings and policies that change while traces wait.
//!
//! The engine's own copy of the regimes is changed first, then that of each shard, under its lock; in between, spans in
//! shards that are still to come are folded by policies that will not decide them, and decisions see that by the number of
//! their slot's regime. Nothing is moved, folded or opened here.

use super::Engine;
use crate::{
    regime::{Regime, Regimes},
    settings::Settings,
};
use parking_lot::RwLock;
use policy::PolicySet;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

/// Slots of so many lengths, besides the newest, may wait for the next one to be foretold exactly; of more, the shortest are.
const LENGTHS_MAX: usize = 8;
/// The decided memory counts time in 128 steps, and rounds when the holding time changes. So it may hold a verdict a little
/// longer than it is asked to: by less than this part.
const HOLD_MARGIN: u32 = 8;

/// What is in force, as the engine reads it without a shard's lock.
#[derive(Debug)]
pub(super) struct Force {
    current: RwLock<Current>,
    /// `num_traces`; the largest number for none.
    traces_max: AtomicU64,
    block_on_overflow: AtomicBool,
    asks_pieces: AtomicBool,
}

#[derive(Clone, Debug)]
struct Current {
    settings: Arc<Settings>,
    regimes: Regimes,
    /// The lengths of older regimes' slots that may wait, and until when.
    older_slots: Vec<(u64, u64)>,
}

/// By what a slot is decided.
pub(crate) struct Judge {
    pub(crate) policies: Arc<PolicySet>,
    /// Whether they folded its traces when the spans came; if not, they have yet to.
    pub(crate) has_folded: bool,
}

impl Force {
    pub(super) fn new(settings: Settings, regimes: Regimes) -> Self {
        let current = Current { settings: Arc::new(settings), regimes, older_slots: Vec::new() };
        let force = Self {
            traces_max: AtomicU64::default(),
            block_on_overflow: AtomicBool::default(),
            asks_pieces: AtomicBool::default(),
            current: RwLock::new(current.clone()),
        };
        force.publish(&current);
        force
    }

    /// At `num_traces`, whether to block, if there is such a number.
    pub(super) fn traces_max(&self) -> Option<(u64, bool)> {
        let max = self.traces_max.load(Ordering::Relaxed);
        (max != u64::MAX).then(|| (max, self.block_on_overflow.load(Ordering::Relaxed)))
    }

    fn publish(&self, current: &Current) {
        self.traces_max.store(current.settings.traces_max.unwrap_or(u64::MAX), Ordering::Relaxed);
        self.block_on_overflow.store(current.settings.block_on_overflow, Ordering::Relaxed);
        self.asks_pieces.store(current.regimes.ask_pieces(), Ordering::Relaxed);
    }
}

impl Engine {
    /// Replaces settings and policies. Traces that wait stay where they are, on the terms that they began on, and are
    /// decided by the policies that they began under if no other reload comes before they are due; after another, by the
    /// newest, over all of their spans. New traces begin under the new ones. Late spans follow the verdict that was reached.
    ///
    /// - `num_traces`, `block_on_overflow`, `drop_pending`, `record_policy` and what the decided memory may take act at once;
    ///   the number of shards and the seed stay as they are. `decided_most` counts verdicts from here on if it was off.
    /// - Counts and limiters of policies go on as [`PolicySet::follow`] says.
    /// - `policies` should be compiled with a clone of the keys of the last ones. Otherwise those cannot live on beside them
    ///   and traces that wait are decided by the new ones; that is also how to get rid of keys that nobody reads any more,
    ///   before there are too many. It does not matter when requests begin to be scanned with the new keys: one that was
    ///   scanned with too few is scanned again.
    pub fn reload(&self, settings: &Settings, mut policies: PolicySet, now_ns: u64) {
        let _one_at_a_time = self.reloading.lock();
        let before = self.force.current.read().clone();
        let settings = Settings { shards: before.settings.shards, seed: before.settings.seed, ..settings.clone() };
        let last = before.regimes.newest();
        let waits = before.settings.decision_wait.saturating_add(before.settings.slot_length());
        let hold = before.settings.decided_hold().max(settings.decided_hold());
        let remembered = waits.saturating_add(hold).saturating_add(hold / HOLD_MARGIN);
        policies.follow(&last.policies, now_ns, nanoseconds(remembered));
        let newest = Regime::new(last.terms.regime.wrapping_add(1), &settings, Arc::new(policies));
        let last_slots = (last.terms.slot_ns, now_ns.saturating_add(nanoseconds(waits)));
        let current = Current {
            settings: Arc::new(settings),
            regimes: before.regimes.followed_by(newest),
            older_slots: older_slots(&before.older_slots, last_slots, now_ns),
        };
        *self.force.current.write() = current.clone();
        self.force.publish(&current);
        for (index, shard) in self.shards.iter().enumerate() {
            let mut shard = shard.lock();
            shard.reload(&current.settings, current.regimes.clone(), now_ns);
            self.publish(index, &shard);
        }
    }

    /// Lets go of the policies under which no trace waits any more.
    pub(super) fn forget_before(&self) {
        // In the middle of a reload a trace may still begin under them.
        let Some(_not_now) = self.reloading.try_lock() else { return };
        let before = self.force.current.read().regimes.before().map(|before| before.terms.regime);
        let Some(before) = before.filter(|_| self.deciding.load(Ordering::Relaxed) == 0) else { return };
        if self.shards.iter().any(|shard| shard.lock().holds(before)) {
            return;
        }
        let mut current = self.force.current.write();
        if current.regimes.before().is_some_and(|now| now.terms.regime == before) {
            current.regimes.forget_before();
            self.force.publish(&current);
        }
    }

    /// By what the slots of this regime are decided.
    pub(crate) fn judge(&self, regime: u32) -> Judge {
        let current = self.force.current.read();
        let newest = current.regimes.newest();
        let own = [Some(newest), current.regimes.before()].into_iter().flatten().find(|one| one.terms.regime == regime);
        let policies = Arc::clone(&own.unwrap_or(newest).policies);
        Judge { policies, has_folded: own.is_some() }
    }

    /// When the next slot falls due, at the latest, in monotonic nanoseconds.
    #[must_use]
    pub fn next_due_ns(&self, now_ns: u64) -> u64 {
        let current = self.force.current.read();
        let older = current.older_slots.iter().filter(|(_, until_ns)| now_ns < *until_ns);
        let lengths = older.map(|(slot_ns, _)| *slot_ns).chain([current.regimes.newest().terms.slot_ns]);
        let next = lengths.map(|slot_ns| (now_ns / slot_ns).saturating_add(1).saturating_mul(slot_ns));
        next.min().unwrap_or(u64::MAX)
    }

    /// Whether policies are asked at the end of each piece. A part of a request should then end where a ResourceSpans ends.
    #[must_use]
    pub fn is_by_piece(&self) -> bool {
        self.force.asks_pieces.load(Ordering::Relaxed)
    }

    /// The policies that new traces begin under. They know the names of all that remembered verdicts name.
    #[must_use]
    pub fn policies(&self) -> Arc<PolicySet> {
        Arc::clone(&self.force.current.read().regimes.newest().policies)
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.force.current.read().settings)
    }
}

/// The lengths of slots that may wait still, with those of the last regime.
fn older_slots(before: &[(u64, u64)], last: (u64, u64), now_ns: u64) -> Vec<(u64, u64)> {
    let mut until: BTreeMap<u64, u64> = BTreeMap::new();
    for (slot_ns, until_ns) in before.iter().copied().chain([last]).filter(|(_, until_ns)| now_ns < *until_ns) {
        let longest = until.entry(slot_ns).or_default();
        *longest = until_ns.max(*longest);
    }
    until.into_iter().take(LENGTHS_MAX).collect()
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX / 4)
}
