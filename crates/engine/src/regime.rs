//! What traces wait under, from one reload to the next: their terms, and the policies that fold and decide them.
//!
//! ```text
//! reload:      1 ──────────── 2 ─────────────────── 3 ──────────────►
//! regimes:     newest 1       newest 2, before 1    newest 3, before 2
//! traces of 1: folded by 1    folded by 1           only stored; folded again from their blocks by 3 when they are due
//! ```
//! A trace keeps the terms that it began on (the regime's number, its waits, its slots' length) until its verdict. Its
//! policies live on until the last trace that began under them is decided, which is after one wait and a slot, or until the
//! next but one takes their place. So at most two sets of policies live, and each shard has both at hand.

use crate::settings::Settings;
use otlp::Keys;
use policy::PolicySet;
use std::{sync::Arc, time::Duration};

/// Terms and policies that came into force together.
#[derive(Clone, Debug)]
pub(crate) struct Regime {
    pub(crate) terms: Terms,
    pub(crate) policies: Arc<PolicySet>,
}

/// How traces wait; each slot bears those of its traces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// Which regime's they are; later ones have higher numbers.
    pub(crate) regime: u32,
    /// Words of fold state.
    pub(crate) words: usize,
    pub(crate) slot_ns: u64,
    pub(crate) wait_ns: u64,
    pub(crate) after_root_ns: Option<u64>,
    /// The wait that a new trace begins with.
    pub(crate) short_wait_ns: u64,
    pub(crate) trace_bytes_max: u64,
}

/// When a slot falls due, and under which regime its traces began. Slots are taken in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Turn {
    pub(crate) due_ns: u64,
    pub(crate) regime: u32,
}

/// The regimes whose policies live.
#[derive(Clone, Debug)]
pub(crate) struct Regimes {
    newest: Regime,
    before: Option<Regime>,
    /// The keys that a request was found to be scanned with last, and that serve both.
    serving: Arc<Keys>,
}

impl Regime {
    pub(crate) fn new(number: u32, settings: &Settings, policies: Arc<PolicySet>) -> Self {
        let terms = Terms {
            regime: number,
            words: policies.state_words(),
            slot_ns: nanoseconds(settings.slot_length()),
            wait_ns: nanoseconds(settings.decision_wait),
            after_root_ns: settings.after_root.map(nanoseconds),
            short_wait_ns: nanoseconds(settings.shortest_wait()),
            // A trace counts its bytes up to 4 GiB.
            trace_bytes_max: settings.trace_bytes_max.unwrap_or(u64::MAX).min(u64::from(u32::MAX) - 1),
        };
        Self { terms, policies }
    }
}

impl Terms {
    /// The turn of the slot for what is due at this time.
    pub(crate) fn turn(&self, due_ns: u64) -> Turn {
        Turn { due_ns: (due_ns / self.slot_ns).saturating_add(1).saturating_mul(self.slot_ns), regime: self.regime }
    }
}

impl Regimes {
    pub(crate) fn new(newest: Regime) -> Self {
        let serving = Arc::clone(newest.policies.keys());
        Self { newest, before: None, serving }
    }

    /// The regimes after this one came. No scan can serve two sets whose keys have different ids; then the one before does
    /// not live on.
    pub(crate) fn followed_by(&self, newest: Regime) -> Self {
        let extends = newest.policies.keys().extends(self.newest.policies.keys());
        Self { before: extends.then(|| self.newest.clone()), ..Self::new(newest) }
    }

    /// What new traces begin under.
    pub(crate) fn newest(&self) -> &Regime {
        &self.newest
    }

    /// What some traces began under.
    pub(crate) fn before(&self) -> Option<&Regime> {
        self.before.as_ref()
    }

    /// The policies of the regime with this number, if they live.
    #[inline]
    pub(crate) fn policies_of(&self, number: u32) -> Option<&PolicySet> {
        if number == self.newest.terms.regime {
            return Some(&self.newest.policies);
        }
        self.before.as_ref().filter(|before| before.terms.regime == number).map(|before| &*before.policies)
    }

    /// Whether spans of a request that was scanned with these keys can be folded.
    #[inline]
    pub(crate) fn are_served_by(&mut self, keys: &Arc<Keys>) -> bool {
        // Those of the newest regime extend the others.
        if Arc::ptr_eq(keys, &self.serving) {
            return true;
        }
        let serve = keys.extends(self.newest.policies.keys());
        if serve {
            self.serving = Arc::clone(keys);
        }
        serve
    }

    /// Keys that serve both.
    pub(crate) fn keys(&self) -> &Arc<Keys> {
        self.newest.policies.keys()
    }

    /// Whether policies are asked piece by piece.
    pub(crate) fn ask_pieces(&self) -> bool {
        self.each().any(|regime| regime.policies.is_span_ingest())
    }

    /// Whether a root shortens a wait.
    pub(crate) fn wait_for_roots(&self) -> bool {
        self.each().any(|regime| regime.terms.after_root_ns.is_some())
    }

    /// Nothing waits any more that began under the regime before the newest.
    pub(crate) fn forget_before(&mut self) {
        self.before = None;
    }

    fn each(&self) -> impl Iterator<Item = &Regime> {
        std::iter::once(&self.newest).chain(&self.before)
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX / 4)
}
