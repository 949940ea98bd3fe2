//! From a slot that has fallen due to export batches: decide, record the verdicts, open the blocks once, assemble.
//!
//! All of this runs on a thread of its own, never on a connection's; the shards' locks are taken for short stretches. One
//! slot is worked off at a time: the next is taken when this one's batches are made, because its carried spans and the
//! spans that it reads in other slots have to be where they belong.
//!
//! A panic in here costs the traces that it hit, counted as dropped, and nothing else.

mod assemble;
mod judge;
mod note;
mod record;
mod refold;
mod stamp;
mod stored;

pub use assemble::Settled;
pub use note::Note;

use crate::{
    books::DropReason,
    engine::{Engine, Judge},
    shard::{Detached, Older},
    slot::{Past, Trace},
    table::Place,
    token::Token,
};
use policy::{Now, Verdict};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// How many traces are recorded before a shard's lock is let go: well below a millisecond.
const RECORD_STEP: usize = 1024;

/// Traces whose verdict is due.
#[derive(Debug)]
pub struct Due {
    /// The regime of its traces.
    regime: u32,
    slots: Vec<(usize, Detached)>,
    haste: Haste,
    held: Held,
}

/// Why a slot is decided now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Haste {
    /// Its time has come.
    None,
    /// Memory or `num_traces` ran out.
    Early,
    /// The program ends.
    Last,
}

/// Bytes of slots that are being decided: out of their shard, but not yet given back.
#[derive(Debug)]
struct Held {
    total: Arc<AtomicUsize>,
    bytes: usize,
}

/// A slot of one shard with its verdicts.
#[derive(Debug)]
struct SettledSlot {
    shard: usize,
    traces: Arc<Vec<Trace>>,
    past: BTreeMap<u32, Past>,
    fates: Vec<Fate>,
    older: Vec<Older>,
    blocks: Vec<crate::block::Block>,
    tokens: Vec<Token>,
}

/// What becomes of a trace of a slot.
#[derive(Clone, Copy, Debug)]
enum Fate {
    SampledOut,
    /// Sampled out by a `drop` policy.
    SampledOutByDrop,
    Kept(Verdict),
    Carried(Place),
    Dropped(DropReason),
    /// Nothing: it is not here any more.
    Gone,
}

/// An export request, made of kept spans as they came.
#[derive(Debug)]
pub struct Batch {
    /// An ExportTraceServiceRequest.
    pub body: Vec<u8>,
    /// Spans in it.
    pub spans: u32,
    /// Traces that are complete with this batch, if notes were asked for.
    pub notes: Vec<Note>,
    /// Tokens of the requests that the spans came with.
    pub tokens: Vec<Token>,
}

/// How large batches may become.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a request; a single span may be larger.
    pub bytes_max: usize,
    /// Spans of a request.
    pub spans_max: u32,
    /// Whether somebody reads the notes.
    pub notes: bool,
}

impl Due {
    /// Nothing yet; `total` counts the bytes of all that is being decided.
    pub(crate) fn new(regime: u32, haste: Haste, total: Arc<AtomicUsize>) -> Self {
        Self { regime, slots: Vec::new(), haste, held: Held { total, bytes: 0 } }
    }

    pub(crate) fn add(&mut self, shard: usize, detached: Detached) {
        self.held.add(detached.bytes);
        self.slots.push((shard, detached));
    }

    /// How many traces are to be decided.
    #[must_use]
    pub fn traces(&self) -> usize {
        self.slots.iter().map(|(_, slot)| slot.due()).sum()
    }

    /// Reaches every verdict, records it for late spans, and takes the traces out of the table.
    #[must_use]
    pub fn decide(mut self, engine: &Engine, now: Now) -> Settled {
        let Judge { policies, has_folded } = engine.judge(self.regime);
        let mut fates = self.known_fates(engine, has_folded && policies.is_span_ingest(), now);
        let mut panics = if has_folded { 0 } else { self.refold(engine, &policies, &mut fates, now) };
        panics += self.settle_whole(engine, &policies, &mut fates, now) + self.judge(&policies, &mut fates, now);
        let Self { slots, haste, held, .. } = self;
        let slots = slots.into_iter().zip(fates).map(|((shard, slot), fates)| {
            let fates = fates.into_iter().map(|fate| fate.unwrap_or(Fate::SampledOut)).collect();
            record::record(engine, shard, slot, fates, now, haste == Haste::Early)
        });
        Settled { slots: slots.collect(), names: engine.policies(), held, panics }
    }
}

impl Held {
    fn add(&mut self, bytes: usize) {
        self.total.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.total.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
