//! From a slot that has fallen due to export batches: decide, record the verdicts, open the blocks once, assemble.
//!
//! All of this runs on a thread of its own, never on a connection's; the shards' locks are taken for short stretches.

use crate::{
    block::{Block, Records, StoredSpan, Texts},
    decided::Remembered,
    engine::{Engine, Scratch},
    shard::{Closed, Detached},
    slot::Trace,
    table::Place,
    token::Token,
};
use otlp::{
    TraceId,
    assemble::{Builder, GroupIndex},
};
use policy::{Candidate, Now, PolicySet, Verdict};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// How many traces are recorded before a shard's lock is let go: well below a millisecond.
const RECORD_STEP: usize = 1024;
/// Bytes that an envelope adds to a span at most, besides its headers: tags and lengths.
const ENVELOPE_BYTES: usize = 48;

/// Traces whose verdict is due.
#[derive(Debug)]
pub struct Due {
    slots: Vec<(usize, Detached)>,
    early: bool,
    held: Held,
}

/// Bytes of slots that are being decided: out of their shard, but not yet given back.
#[derive(Debug)]
struct Held {
    total: Arc<AtomicUsize>,
    bytes: usize,
}

/// Traces with their verdicts, waiting to be assembled.
#[derive(Debug)]
pub struct Settled {
    slots: Vec<SettledSlot>,
    held: Held,
}

#[derive(Debug)]
struct SettledSlot {
    shard: usize,
    traces: Arc<Vec<Trace>>,
    fates: Vec<Fate>,
    blocks: Vec<Block>,
    tokens: Vec<Token>,
}

/// What becomes of a trace of a slot.
#[derive(Clone, Copy, Debug)]
enum Fate {
    SampledOut,
    Kept(Verdict),
    Carried(Place),
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

/// Why a trace was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Which trace.
    pub trace_id: TraceId,
    /// How many spans this decision released.
    pub spans: u32,
    /// Whether they came after the verdict and followed it.
    pub late: bool,
    /// The deciding policy, in words.
    pub why: String,
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
    pub(crate) fn new(early: bool, total: Arc<AtomicUsize>) -> Self {
        Self { slots: Vec::new(), early, held: Held { total, bytes: 0 } }
    }

    pub(crate) fn add(&mut self, shard: usize, detached: Detached) {
        self.held.add(detached.bytes);
        self.slots.push((shard, detached));
    }

    /// How many traces are to be decided.
    #[must_use]
    pub fn traces(&self) -> usize {
        self.slots.iter().map(|(_, slot)| slot.traces.len() - slot.carried.len()).sum()
    }

    /// Reaches every verdict, records it for late spans, and takes the traces out of the table.
    #[must_use]
    pub fn decide(mut self, engine: &Engine, now: Now) -> Settled {
        let mut fates: Vec<Vec<Option<Fate>>> =
            self.slots.iter().map(|(index, slot)| known_fates(engine, *index, slot, now)).collect();
        self.settle_whole(engine, &fates, now);
        self.judge(&engine.policies, &mut fates, now);
        let Self { slots, early, held } = self;
        let slots = slots.into_iter().zip(fates).map(|((shard, slot), fates)| {
            let fates = fates.into_iter().map(|fate| fate.unwrap_or(Fate::SampledOut)).collect();
            record(engine, shard, slot, fates, now, early)
        });
        Settled { slots: slots.collect(), held }
    }

    /// Runs the policies that look at stored spans, for the traces that the folds leave open.
    fn settle_whole(&mut self, engine: &Engine, fates: &[Vec<Option<Fate>>], now: Now) {
        let words = engine.policies.state_words();
        for ((shard, slot), fates) in self.slots.iter_mut().zip(fates) {
            let mut open: Vec<bool> = Vec::new();
            for (index, trace) in slot.traces.iter().enumerate() {
                let state = &mut slot.states[index * words..(index + 1) * words];
                if fates[index].is_none() && engine.policies.needs_spans(&candidate(trace, state)) {
                    open.resize(slot.traces.len(), false);
                    open[index] = true;
                }
            }
            if !open.is_empty() {
                unpack(engine, *shard, &mut slot.blocks);
                settle_slot(&engine.policies, slot, &open, now);
            }
        }
    }

    /// Asks the policies for all undecided traces together, in order of first arrival where that matters.
    fn judge(&mut self, policies: &PolicySet, fates: &mut [Vec<Option<Fate>>], now: Now) {
        let words = policies.state_words();
        let mut order: Vec<(u64, u32, u32)> = Vec::with_capacity(self.traces());
        for (slot_index, ((_, slot), fates)) in self.slots.iter().zip(fates.iter()).enumerate() {
            for (index, trace) in slot.traces.iter().enumerate().filter(|(index, _)| fates[*index].is_none()) {
                order.push((trace.first_seen_ns, slot_index as u32, index as u32));
            }
        }
        if policies.order_matters() {
            order.sort_by_key(|(first_seen_ns, slot, _)| (*first_seen_ns, *slot));
        }
        let mut states: Vec<Vec<Option<&mut [u32]>>> = Vec::new();
        let mut traces = Vec::new();
        for (_, slot) in &mut self.slots {
            let count = slot.traces.len();
            let mut rest = &mut slot.states[..];
            states.push(
                (0..count)
                    .map(|_| {
                        let (state, left) = std::mem::take(&mut rest).split_at_mut(words);
                        rest = left;
                        Some(state)
                    })
                    .collect(),
            );
            traces.push(Arc::clone(&slot.traces));
        }
        let mut candidates: Vec<Candidate<'_>> = order
            .iter()
            .filter_map(|(_, slot, index)| {
                let state = states[*slot as usize][*index as usize].take()?;
                Some(candidate(&traces[*slot as usize][*index as usize], state))
            })
            .collect();
        let verdicts = policies.decide(&mut candidates, now);
        for ((_, slot, index), verdict) in order.iter().zip(&verdicts) {
            let fate = if verdict.keep { Fate::Kept(*verdict) } else { Fate::SampledOut };
            fates[*slot as usize][*index as usize] = Some(fate);
        }
    }
}

impl Settled {
    /// Opens the blocks that hold kept or carried spans, each once, and gives batches to `emit` as they fill.
    pub fn assemble(
        self,
        engine: &Engine,
        limits: Limits,
        now_ns: u64,
        scratch: &mut Scratch,
        emit: &mut dyn FnMut(Batch),
    ) {
        let mut assembly = Assembly { limits, builder: Builder::new(), notes: Vec::new(), tokens: Vec::new(), emit };
        let mut raw = Vec::new();
        for slot in self.slots {
            slot.assemble(engine, &mut assembly, now_ns, scratch, &mut raw);
        }
        assembly.flush();
        drop(self.held);
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

impl SettledSlot {
    fn assemble(
        mut self,
        engine: &Engine,
        assembly: &mut Assembly<'_>,
        now_ns: u64,
        scratch: &mut Scratch,
        raw: &mut Vec<u8>,
    ) {
        let wanted = self.fates.iter().any(|fate| !matches!(fate, Fate::SampledOut));
        let mut kept = 0u64;
        let mut lost = 0u64;
        if wanted {
            assembly.tokens.extend_from_slice(&self.tokens);
            for block in std::mem::take(&mut self.blocks) {
                if block.traces.of(&self.fates).iter().all(|fate| matches!(fate, Fate::SampledOut)) {
                    continue;
                }
                let opened = matches!(block.texts, Texts::Lz4(_));
                let records = block.open(raw);
                match records.and_then(|records| self.read(engine, records, assembly, now_ns, scratch)) {
                    Some(spans) => kept += spans,
                    None => lost += u64::from(block.spans),
                }
                engine.shards[self.shard].lock().books.block_opens += u64::from(opened);
            }
            if assembly.limits.notes {
                self.notes(&engine.policies, &mut assembly.notes);
            }
        }
        self.close_books(engine, kept, lost);
    }

    /// Reads a block: kept spans go into the batch, carried ones to the slot they wait in. Gives how many were kept.
    fn read(
        &self,
        engine: &Engine,
        mut records: Records<'_>,
        assembly: &mut Assembly<'_>,
        now_ns: u64,
        scratch: &mut Scratch,
    ) -> Option<u64> {
        let mut kept = 0;
        let mut run: Option<(u32, GroupIndex)> = None;
        let mut carried = Vec::new();
        while let Some(span) = records.next_span().ok()? {
            match self.fates.get(span.trace as usize)? {
                Fate::SampledOut => {}
                Fate::Kept(_) => {
                    kept += 1;
                    let id = self.traces.get(span.trace as usize)?.id;
                    assembly.push(&span, id, &mut run);
                }
                Fate::Carried(place) => carried.push((span, *place)),
            }
        }
        self.carry(engine, &carried, now_ns, scratch);
        Some(kept)
    }

    fn carry(&self, engine: &Engine, carried: &[(StoredSpan<'_>, Place)], now_ns: u64, scratch: &mut Scratch) {
        let mut closed: Vec<Closed> = Vec::new();
        for spans in carried.chunks(RECORD_STEP) {
            let mut shard = engine.shards[self.shard].lock();
            for (span, place) in spans {
                shard.carry_span(span, *place, now_ns, &mut closed);
                shard.carry_tokens(&self.tokens, *place);
            }
            engine.publish(self.shard, &shard);
            drop(shard);
            engine.pack(self.shard, &mut closed, scratch.packed());
        }
    }

    fn notes(&self, policies: &PolicySet, notes: &mut Vec<Note>) {
        for (trace, fate) in self.traces.iter().zip(&self.fates) {
            if let Fate::Kept(verdict) = fate {
                let why = policies.describe(verdict.reason);
                notes.push(Note { trace_id: trace.id, spans: trace.spans, late: trace.follows, why });
            }
        }
    }

    /// Moves the kept spans from "buffered" to "kept"; what should have been kept and was not found is lost.
    fn close_books(&self, engine: &Engine, kept: u64, lost: u64) {
        let mut should = 0u64;
        let mut bytes = 0u64;
        let mut late = 0u64;
        for (trace, fate) in self.traces.iter().zip(&self.fates) {
            if matches!(fate, Fate::Kept(_)) {
                should += u64::from(trace.spans);
                bytes += u64::from(trace.bytes);
                late += if trace.follows { u64::from(trace.spans) } else { 0 };
            }
        }
        debug_assert!(lost > 0 || kept == should, "BUG: {kept} spans were assembled, {should} were kept");
        let mut shard = engine.shards[self.shard].lock();
        shard.books.kept += kept;
        shard.books.late_kept += late;
        shard.books.lost += should.saturating_sub(kept);
        shard.books.buffered -= should;
        shard.books.bytes_live = shard.books.bytes_live.saturating_sub(bytes);
    }
}

/// The batch being filled.
struct Assembly<'a> {
    limits: Limits,
    builder: Builder,
    notes: Vec<Note>,
    tokens: Vec<Token>,
    emit: &'a mut dyn FnMut(Batch),
}

impl Assembly<'_> {
    fn push(&mut self, span: &StoredSpan<'_>, id: TraceId, run: &mut Option<(u32, GroupIndex)>) {
        let more = span.len_max() + span.resource_header.len() + span.scope_header.len() + ENVELOPE_BYTES;
        let full =
            self.builder.encoded_len() + more > self.limits.bytes_max || self.builder.spans() >= self.limits.spans_max;
        if full && self.builder.spans() > 0 {
            self.flush();
            *run = None;
        }
        let group = match run {
            Some((number, group)) if *number == span.run => *group,
            _ => {
                let group = self.builder.group(span.resource_header, span.scope_header);
                *run = Some((span.run, group));
                group
            }
        };
        span.with_parts(id, |parts| self.builder.push_parts(group, parts));
    }

    fn flush(&mut self) {
        let spans = self.builder.spans();
        if spans == 0 && self.notes.is_empty() {
            self.tokens.clear();
            return;
        }
        let body = self.builder.finish();
        let notes = std::mem::take(&mut self.notes);
        // Later batches may carry spans of the same requests, so the tokens stay until the last one.
        (self.emit)(Batch { body, spans, notes, tokens: self.tokens.clone() });
    }
}

/// What is known before the policies are asked: carried traces wait on, late ones follow the verdict.
fn known_fates(engine: &Engine, index: usize, slot: &Detached, now: Now) -> Vec<Option<Fate>> {
    let mut fates = vec![None; slot.traces.len()];
    for (trace, place) in &slot.carried {
        fates[*trace as usize] = Some(Fate::Carried(*place));
    }
    if slot.traces.iter().any(|trace| trace.follows) {
        let shard = engine.shards[index].lock();
        for (trace, fate) in slot.traces.iter().zip(&mut fates).filter(|(trace, _)| trace.follows) {
            *fate = match shard.decided.recall(engine.position_of(trace.id), engine.tag_of(trace.id), now.mono_ns) {
                Some(Remembered::SampledOut) => Some(Fate::SampledOut),
                Some(Remembered::Kept(packed)) => Some(Fate::Kept(Verdict::unpack(packed))),
                None => None,
            };
        }
    }
    fates
}

fn candidate<'a>(trace: &Trace, state: &'a mut [u32]) -> Candidate<'a> {
    Candidate {
        trace_id: trace.id,
        first_seen_ns: trace.first_seen_ns,
        spans: trace.spans,
        bytes: u64::from(trace.bytes),
        state,
    }
}

/// Unpacks a slot's blocks in place, so that whoever reads them next finds them open.
fn unpack(engine: &Engine, shard: usize, blocks: &mut [Block]) {
    let opens = blocks.iter_mut().filter_map(|block| block.unpack().then_some(1)).sum::<u64>();
    engine.shards[shard].lock().books.block_opens += opens;
}

fn settle_slot(policies: &PolicySet, slot: &mut Detached, open: &[bool], now: Now) {
    let words = policies.state_words();
    /// A span's trace, the headers above it, and its body.
    type Whole<'a> = (u32, [&'a [u8]; 2], Vec<u8>);
    let mut spans: Vec<Whole<'_>> = Vec::new();
    for block in &slot.blocks {
        // Unpacked before; what could not be is lost, and counted when the block is read for its batch.
        let Some(mut records) = block.unpacked() else { continue };
        while let Ok(Some(span)) = records.next_span() {
            if open.get(span.trace as usize).is_some_and(|open| *open)
                && let Some(trace) = slot.traces.get(span.trace as usize)
            {
                let body = span.with_parts(trace.id, |parts| parts.concat());
                spans.push((span.trace, [span.resource_header, span.scope_header], body));
            }
        }
    }
    // A stable sort keeps each trace's spans in the order they came.
    spans.sort_by_key(|(trace, ..)| *trace);
    for spans in spans.chunk_by(|one, two| one.0 == two.0) {
        let index = spans[0].0 as usize;
        let state = &mut slot.states[index * words..(index + 1) * words];
        let mut stored = spans.iter().map(|(_, [resource_header, scope_header], span)| policy::StoredSpan {
            resource_header,
            scope_header,
            span,
        });
        policies.settle(&mut candidate(&slot.traces[index], state), now, &mut stored);
    }
}

/// Remembers the verdicts, takes the traces out of the table and closes the books of those sampled out.
fn record(engine: &Engine, index: usize, slot: Detached, fates: Vec<Fate>, now: Now, early: bool) -> SettledSlot {
    let numbered: Vec<(u32, Fate)> = (0..).zip(fates.iter().copied()).collect();
    for step in numbered.chunks(RECORD_STEP) {
        let mut shard = engine.shards[index].lock();
        for (number, fate) in step {
            let trace = &slot.traces[*number as usize];
            let remembered = match fate {
                Fate::Carried(_) => continue,
                Fate::SampledOut => Remembered::SampledOut,
                Fate::Kept(verdict) => Remembered::Kept(verdict.pack()),
            };
            let position = engine.position_of(trace.id);
            shard.decided.remember(position, engine.tag_of(trace.id), remembered, now.mono_ns);
            shard.table.remove(position, Place { seat: slot.seat, index: *number });
            shard.books.traces_waiting -= 1;
            shard.books.traces_decided_early += u64::from(early && !trace.follows);
            let spans = u64::from(trace.spans);
            match remembered {
                Remembered::SampledOut => {
                    shard.books.buffered -= spans;
                    shard.books.bytes_live = shard.books.bytes_live.saturating_sub(u64::from(trace.bytes));
                    shard.books.sampled_out += spans;
                    shard.books.late_sampled_out += if trace.follows { spans } else { 0 };
                    shard.books.traces_sampled_out += u64::from(!trace.follows);
                }
                Remembered::Kept(_) => shard.books.traces_kept += u64::from(!trace.follows),
            }
        }
        engine.publish(index, &shard);
    }
    engine.shards[index].lock().release(slot.seat);
    SettledSlot { shard: index, traces: slot.traces, fates, blocks: slot.blocks, tokens: slot.tokens }
}
