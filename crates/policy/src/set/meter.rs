//! How much evaluation a trace may cost, and what a policy that fails does to others: nothing.
//!
//! Costly conditions are charged in fuel, about a nanosecond a unit. Each span has a free allowance; what it takes beyond is
//! charged to its trace, in a word of the trace's state, up to about ten milliseconds. A condition that would take more is
//! cut: its leaf fails for this trace, and is counted. A condition that panics fails likewise, for this trace alone.

use std::panic::{AssertUnwindSafe, catch_unwind};

use otlp::TraceId;
use ottl::{Fuel, Moment};

/// An evaluation that came to no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It failed or panicked.
    Error,
    /// It would have cost too much.
    Cut,
}

/// The fuel of one span.
#[derive(Debug)]
pub(super) struct Meter {
    word: Option<usize>,
    left: u64,
    spent: u64,
    /// Conditions that were cut.
    pub(super) cuts: u64,
}

impl Meter {
    /// `word` is where the trace's state counts what was spent; without one there is nothing costly.
    #[inline]
    pub(super) fn new(state: &[u32], word: Option<usize>) -> Self {
        let left = word.map_or(0, |word| FUEL_MAX.saturating_sub(state.get(word).copied().unwrap_or(FUEL_MAX)));
        Self { word, left: u64::from(left) + FREE, spent: 0, cuts: 0 }
    }

    /// What is left.
    pub(super) fn left(&self) -> u64 {
        self.left - self.spent
    }

    /// Evaluates what costs so much.
    pub(super) fn run(&mut self, cost: u64, evaluate: impl FnOnce() -> bool) -> Result<bool, Failure> {
        if cost > self.left() {
            self.cuts += 1;
            return Err(Failure::Cut);
        }
        self.spent += cost;
        self.guard(|| Ok(evaluate()))
    }

    /// Evaluates what takes its fuel itself.
    pub(super) fn guard(&mut self, evaluate: impl FnOnce() -> Result<bool, Failure>) -> Result<bool, Failure> {
        let answer = catch_unwind(AssertUnwindSafe(evaluate)).unwrap_or(Err(Failure::Error));
        self.cuts += u64::from(answer == Err(Failure::Cut));
        answer
    }

    /// A tank with what is left.
    pub(super) fn fuel(&self) -> Fuel {
        Fuel::new(self.left())
    }

    /// Takes what was used of that tank.
    pub(super) fn spend(&mut self, fuel: &Fuel) {
        self.spent += self.left().saturating_sub(fuel.remaining());
    }

    /// The span is done: charges the trace.
    #[inline]
    pub(super) fn settle(&self, state: &mut [u32]) {
        if self.spent > FREE
            && let Some(word) = self.word.and_then(|word| state.get_mut(word))
        {
            *word = word.saturating_add(u32::try_from(self.spent - FREE).unwrap_or(u32::MAX));
        }
    }
}

/// What conditions on a span may know of the world.
pub(super) fn moment(wall_ns: u64, trace_id: &TraceId, ordinal: u32) -> Moment {
    let id = u128::from_le_bytes(trace_id.0);
    Moment { wall_ns, seed: (id ^ (id >> 64)) as u64 ^ u64::from(ordinal).wrapping_mul(0x9e37_79b9_7f4a_7c15) }
}

/// What a trace may cost beyond its spans' allowances.
pub(super) const FUEL_MAX: u32 = 10_000_000;

/// What a span may cost without being charged: dozens of conditions on short texts.
pub(super) const FREE: u64 = 16_384;
