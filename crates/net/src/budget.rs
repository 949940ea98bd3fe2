//! One byte budget for the whole process.
//!
//! Whoever holds bytes for a peer holds a [`Charge`] for them: the receiver for frames in flight, the export side for
//! batches, both for scratch memory. What the engine keeps (blocks, table, decided memory) is counted by the engine itself
//! and published here as one number with [`Budget::set_held`]. The sum has two marks:
//!
//! ```text
//!   0 ────────────────── soft (80 %) ───────── hard
//!   everything is taken │ oldest slots decided │ new bytes refused before they are read
//!                       │ early, by the engine │ (UNAVAILABLE + RetryInfo, 503 + Retry-After)
//! ```
//!
//! Plain atomics, no lock: charging costs one read-modify-write on the class and four loads. Two threads may therefore pass
//! the hard mark together, each by the one charge it is making; the mark bounds the budget up to that.
//!
//! Invariant: the sum over all live charges of a class equals the class's counter.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a charge is held for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Requests on their way in: from the first byte read to the answer.
    Frames,
    /// Export batches until every destination is done with them.
    Batches,
    /// Memory for the moment: decoder windows, encoded and compressed copies.
    Scratch,
}

/// The process's byte budget; shared, never global.
#[derive(Debug)]
pub struct Budget {
    hard: AtomicUsize,
    held: AtomicUsize,
    charged: [AtomicUsize; Class::ALL.len()],
}

/// Bytes taken out of a budget; dropping it gives them back.
#[derive(Debug)]
pub struct Charge {
    budget: Arc<Budget>,
    class: Class,
    bytes: usize,
}

/// The budget is at its hard mark: nothing was charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted;

impl Class {
    /// All classes, in the order in which they are shown.
    pub const ALL: [Class; 3] = [Class::Frames, Class::Batches, Class::Scratch];

    /// The class's name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Class::Frames => "frames",
            Class::Batches => "batches",
            Class::Scratch => "scratch",
        }
    }
}

impl Budget {
    /// A budget with the hard mark at `hard_bytes` and the soft mark at 80 % of it.
    pub fn new(hard_bytes: usize) -> Arc<Budget> {
        Arc::new(Budget {
            hard: AtomicUsize::new(hard_bytes),
            held: AtomicUsize::new(0),
            charged: [const { AtomicUsize::new(0) }; Class::ALL.len()],
        })
    }

    /// Takes `bytes` for `class`, unless that would pass the hard mark.
    pub fn charge(self: &Arc<Self>, class: Class, bytes: usize) -> Result<Charge, Exhausted> {
        let mut charge = self.charge_always(class, 0);
        charge.grow(bytes)?;
        Ok(charge)
    }

    /// Takes `bytes` for `class` even past the hard mark: for what exists already and cannot be refused any more.
    pub fn charge_always(self: &Arc<Self>, class: Class, bytes: usize) -> Charge {
        self.counter(class).fetch_add(bytes, Ordering::Relaxed);
        Charge { budget: Arc::clone(self), class, bytes }
    }

    /// Publishes what the engine holds (blocks, table, decided memory).
    pub fn set_held(&self, bytes: usize) {
        self.held.store(bytes, Ordering::Relaxed);
    }

    /// What the engine holds, as last published.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Everything in use: held by the engine and charged in any class.
    pub fn used(&self) -> usize {
        Class::ALL.iter().fold(self.held(), |sum, class| sum.saturating_add(self.used_by(*class)))
    }

    /// The bytes charged in one class.
    pub fn used_by(&self, class: Class) -> usize {
        self.counter(class).load(Ordering::Relaxed)
    }

    /// The bytes that may be charged before the hard mark refuses.
    pub fn free(&self) -> usize {
        self.hard().saturating_sub(self.used())
    }

    /// Past the soft mark: undecided traces should be decided early.
    pub fn over_soft(&self) -> bool {
        self.used() > self.soft()
    }

    /// At the hard mark: a request should be refused before its body is read.
    pub fn at_hard(&self) -> bool {
        self.used() >= self.hard()
    }

    /// The hard mark in bytes.
    pub fn hard(&self) -> usize {
        self.hard.load(Ordering::Relaxed)
    }

    /// The soft mark in bytes.
    pub fn soft(&self) -> usize {
        self.hard() / 5 * 4
    }

    /// Moves the hard mark. What is charged above it stays charged; new bytes are refused until there is room again.
    pub fn set_hard(&self, bytes: usize) {
        self.hard.store(bytes, Ordering::Relaxed);
    }

    fn counter(&self, class: Class) -> &AtomicUsize {
        let [frames, batches, scratch] = &self.charged;
        match class {
            Class::Frames => frames,
            Class::Batches => batches,
            Class::Scratch => scratch,
        }
    }
}

impl Charge {
    /// A charge of another class in the same budget, even past the hard mark: for copies of what this one pays for.
    pub fn beside(&self, class: Class, bytes: usize) -> Charge {
        self.budget.charge_always(class, bytes)
    }

    /// Takes `bytes` more, unless that would pass the hard mark; then the charge stays as it was.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Exhausted> {
        self.grow_always(bytes);
        if bytes > 0 && self.budget.used() > self.budget.hard() {
            self.shrink_to(self.bytes - bytes);
            return Err(Exhausted);
        }
        Ok(())
    }

    /// Takes `bytes` more even past the hard mark.
    pub fn grow_always(&mut self, bytes: usize) {
        self.budget.counter(self.class).fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
    }

    /// Gives back all but `bytes`; a charge below that stays as it is.
    pub fn shrink_to(&mut self, bytes: usize) {
        let back = self.bytes.saturating_sub(bytes);
        self.budget.counter(self.class).fetch_sub(back, Ordering::Relaxed);
        self.bytes -= back;
    }

    /// The bytes held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The budget the bytes were taken from.
    pub fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the memory budget is used up")
    }
}

impl std::error::Error for Exhausted {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_lives_as_long_as_its_guard() {
        let budget = Budget::new(1000);
        let frame = budget.charge(Class::Frames, 300).unwrap();
        let batch = budget.charge(Class::Batches, 200).unwrap();
        assert_eq!((budget.used(), budget.used_by(Class::Frames), budget.used_by(Class::Batches)), (500, 300, 200));
        drop(frame);
        assert_eq!((budget.used(), budget.free()), (200, 800));
        drop(batch);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn the_hard_mark_refuses_and_leaves_no_trace() {
        let budget = Budget::new(1000);
        let mut charge = budget.charge(Class::Frames, 1000).unwrap();
        assert!(budget.at_hard());
        assert_eq!(budget.charge(Class::Scratch, 1).err(), Some(Exhausted));
        assert_eq!(charge.grow(1), Err(Exhausted));
        assert_eq!((charge.bytes(), budget.used()), (1000, 1000));
        charge.grow_always(50);
        assert_eq!((charge.bytes(), budget.used()), (1050, 1050));
        charge.shrink_to(10);
        charge.shrink_to(20);
        assert_eq!((charge.bytes(), budget.used()), (10, 10));
    }

    #[test]
    fn what_the_engine_holds_counts_against_both_marks() {
        let budget = Budget::new(1000);
        budget.set_held(800);
        assert!(!budget.over_soft());
        budget.set_held(801);
        assert!(budget.over_soft() && !budget.at_hard());
        assert_eq!(budget.charge(Class::Frames, 200).err(), Some(Exhausted));
        budget.set_held(1000);
        assert!(budget.at_hard());
        assert!(budget.charge(Class::Frames, 0).is_ok());
    }
}
