//! Export batches out of a slot's blocks: kept spans are joined, carried ones put where they wait on.

use super::{
    Batch, Fate, Held, Limits, RECORD_STEP, SettledSlot,
    note::Note,
    stamp::{Stamp, Stamps},
};
use crate::{
    block::{Block, Records, StoredSpan},
    books::DropReason,
    engine::{Engine, Scratch},
    shard::Closed,
    slot::{Standing, Trace},
    table::Place,
    token::Token,
};
use otlp::{
    TraceId,
    assemble::{Builder, GroupIndex},
};
use policy::PolicySet;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// Bytes that an envelope adds to a span at most, besides its headers: tags and lengths.
const ENVELOPE_BYTES: usize = 48;

/// Tag and length of a span, at most.
const SPAN_FIELD_BYTES: usize = 1 + 5;

/// Traces with their verdicts, waiting to be assembled.
#[derive(Debug)]
pub struct Settled {
    pub(super) slots: Vec<SettledSlot>,
    /// They name the policies of all verdicts, whoever reached them.
    pub(super) names: Arc<PolicySet>,
    pub(super) held: Held,
    pub(super) panics: usize,
}

impl Settled {
    /// Opens the blocks that hold kept or carried spans, each once, and gives batches to `emit` as they fill. Gives the
    /// number of panics since the slot was taken; the spans that they cost are in the books as dropped.
    pub fn assemble(
        self,
        engine: &Engine,
        limits: Limits,
        now_ns: u64,
        scratch: &mut Scratch,
        emit: &mut dyn FnMut(Batch),
    ) -> usize {
        let mut assembly = Assembly {
            limits,
            builder: Builder::new(),
            notes: Vec::new(),
            tokens: Vec::new(),
            pushed: 0,
            unreadable: 0,
            emit,
        };
        let kept = self.slots.iter().map(SettledSlot::kept_bytes).sum();
        assembly.builder.reserve(limits.bytes_max.min(kept));
        let mut raw = Vec::new();
        let mut panics = self.panics;
        for mut slot in self.slots {
            assembly.unreadable = 0;
            let before = assembly.pushed;
            let copied = || slot.assemble(engine, &self.names, &mut assembly, now_ns, scratch, &mut raw);
            let panicked = catch_unwind(AssertUnwindSafe(copied)).is_err();
            panics += usize::from(panicked);
            let is_unreadable = assembly.unreadable > 0 && !panicked;
            let reason = if is_unreadable { DropReason::UnreadableBlock } else { DropReason::Internal };
            slot.close_books(engine, assembly.pushed - before, reason);
        }
        assembly.flush();
        drop(self.held);
        panics
    }
}

/// The run at hand and its group.
type Run<'a> = Option<(u32, Option<Stamp<'a>>, GroupIndex)>;

/// Puts a block's carried spans where they wait.
type Carry<'c> = dyn FnMut(&[Carried<'_>]) + 'c;
type Carried<'s> = (StoredSpan<'s>, Place);

impl SettledSlot {
    fn assemble(
        &mut self,
        engine: &Engine,
        names: &PolicySet,
        assembly: &mut Assembly<'_>,
        now_ns: u64,
        scratch: &mut Scratch,
        raw: &mut Vec<u8>,
    ) {
        if !self.fates.iter().any(Fate::wants_spans) {
            return;
        }
        let mut notes = Vec::new();
        if assembly.limits.notes {
            self.notes(engine, names, &mut notes);
        }
        let mut stamps = if engine.settings().record_policy { Some(Stamps::new(self, names)) } else { None };
        assembly.tokens.extend_from_slice(&self.tokens);
        let mut opens = 0;
        for older in &self.older {
            assembly.tokens.extend_from_slice(&older.tokens);
            let wanted: Vec<u32> = older.traces.iter().filter(|(_, here)| self.keeps(*here)).map(|one| one.0).collect();
            for block in older.blocks.iter().filter(|block| block.traces.may_hold(&wanted)) {
                let mut copy = |records: Records<'_>| self.read_older(records, older, assembly, &mut stamps);
                match open(block, raw, &mut copy) {
                    Some(opened) => opens += opened,
                    None => assembly.unreadable += 1,
                }
            }
        }
        for block in &self.blocks {
            if !block.traces.of(&self.fates).iter().any(Fate::wants_spans) {
                continue;
            }
            let mut carried = |spans: &[Carried<'_>]| self.carry(engine, spans, now_ns, scratch);
            let mut copy = |records: Records<'_>| self.read(records, assembly, &mut stamps, &mut carried);
            match open(block, raw, &mut copy) {
                Some(opened) => opens += opened,
                None => assembly.unreadable += 1,
            }
        }
        // With the batch in which the traces are complete.
        assembly.notes.append(&mut notes);
        engine.shards[self.shard].lock().books.block_opens += opens;
    }

    /// About how many bytes its kept spans take in a batch, rather more than less.
    fn kept_bytes(&self) -> usize {
        let kept = self.traces.iter().zip(&self.fates).filter(|(_, fate)| matches!(fate, Fate::Kept(_)));
        kept.map(|(trace, _)| trace.bytes as usize + trace.spans as usize * SPAN_FIELD_BYTES).sum()
    }

    fn keeps(&self, trace: u32) -> bool {
        matches!(self.fates.get(trace as usize), Some(Fate::Kept(_)))
    }

    /// Reads a block of the slot: kept spans go into the batch, carried ones to the slot they wait in.
    fn read<'a>(
        &self,
        mut records: Records<'_>,
        assembly: &mut Assembly<'_>,
        stamps: &mut Option<Stamps<'a>>,
        carry: &mut Carry<'_>,
    ) -> Option<()> {
        let mut run: Run<'a> = None;
        let mut carried = Vec::new();
        while let Some(span) = records.next_span().ok()? {
            match self.fates.get(span.trace as usize)? {
                Fate::SampledOut | Fate::SampledOutByDrop | Fate::Dropped(_) | Fate::Gone => {}
                Fate::Kept(_) => {
                    let id = self.traces.get(span.trace as usize)?.id;
                    let stamp = stamps.as_mut().and_then(|stamps| stamps.next(span.trace));
                    assembly.push(&span, id, stamp, &mut run);
                }
                Fate::Carried(place) => carried.push((span, *place)),
            }
        }
        carry(&carried);
        Some(())
    }

    /// Reads a block of another slot for the traces that were pulled out of it.
    fn read_older<'a>(
        &self,
        mut records: Records<'_>,
        older: &super::Older,
        assembly: &mut Assembly<'_>,
        stamps: &mut Option<Stamps<'a>>,
    ) -> Option<()> {
        let mut run: Run<'a> = None;
        while let Some(span) = records.next_span().ok()? {
            let Some(here) = older.index_of(span.trace).filter(|here| self.keeps(*here)) else { continue };
            let id = self.traces.get(here as usize)?.id;
            let stamp = stamps.as_mut().and_then(|stamps| stamps.next(here));
            assembly.push(&span, id, stamp, &mut run);
        }
        Some(())
    }

    fn carry(&self, engine: &Engine, carried: &[Carried<'_>], now_ns: u64, scratch: &mut Scratch) {
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

    /// Moves the kept spans from "buffered" to "kept"; what should have been kept and was not found is dropped.
    fn close_books(&self, engine: &Engine, kept: u64, reason: DropReason) {
        let mut should = 0u64;
        let mut bytes = 0u64;
        let mut late = 0u64;
        for (index, (trace, fate)) in (0..).zip(self.traces.iter().zip(&self.fates)) {
            if matches!(fate, Fate::Kept(_)) {
                should += u64::from(trace.spans);
                bytes += u64::from(trace.bytes);
                late += u64::from(self.late_spans(index, trace));
            }
        }
        let mut shard = engine.shards[self.shard].lock();
        self.past.values().for_each(|past| shard.forget(past));
        shard.books.kept += kept;
        shard.books.late_kept += late;
        shard.books.drop_spans(reason, should.saturating_sub(kept));
        shard.books.buffered -= should;
        shard.books.bytes_live = shard.books.bytes_live.saturating_sub(bytes);
    }

    /// How many of the trace's spans came after its verdict.
    fn late_spans(&self, index: u32, trace: &Trace) -> u32 {
        match trace.standing {
            Standing::Follows => trace.spans,
            Standing::Kept => {
                let kept = self.past.get(&index).and_then(|past| past.kept);
                kept.map_or(0, |kept| trace.spans.saturating_sub(kept.last))
            }
            Standing::Waiting | Standing::Moved | Standing::Gone => 0,
        }
    }
}

impl Fate {
    fn wants_spans(&self) -> bool {
        matches!(self, Self::Kept(_) | Self::Carried(_))
    }
}

/// Opens a block for `copy`; tells how many blocks were unpacked for it.
fn open(block: &Block, raw: &mut Vec<u8>, copy: &mut dyn FnMut(Records<'_>) -> Option<()>) -> Option<u64> {
    let packed = u64::from(block.is_packed());
    copy(block.open(raw)?)?;
    Some(packed)
}

/// The batch being filled.
struct Assembly<'a> {
    limits: Limits,
    builder: Builder,
    notes: Vec<Note>,
    tokens: Vec<Token>,
    /// Spans put into batches.
    pushed: u64,
    /// Blocks of the slot at hand that could not be read.
    unreadable: u32,
    emit: &'a mut dyn FnMut(Batch),
}

impl Assembly<'_> {
    fn push<'a>(&mut self, span: &StoredSpan<'_>, id: TraceId, stamp: Option<Stamp<'a>>, run: &mut Run<'a>) {
        let more = span.len_max() + span.resource_header.len() + span.scope_header.len() + ENVELOPE_BYTES;
        let full =
            self.builder.encoded_len() + more > self.limits.bytes_max || self.builder.spans() >= self.limits.spans_max;
        if full && self.builder.spans() > 0 {
            self.flush();
            *run = None;
        }
        let group = match run {
            Some((number, of, group)) if *number == span.run && *of == stamp => *group,
            _ => {
                let group = match stamp {
                    None => self.builder.group(span.resource_header, span.scope_header),
                    Some(stamp) => self.builder.group(span.resource_header, &stamp.on(span.scope_header)),
                };
                *run = Some((span.run, stamp, group));
                group
            }
        };
        span.with_parts(id, |parts| self.builder.push_parts(group, parts));
        self.pushed += 1;
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
