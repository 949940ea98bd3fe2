//! The traces of one regime whose verdicts fall due together in one shard, with their fold states and their blocks.

use crate::{
    block::{Block, OpenBlock, Texts},
    regime::{Terms, Turn},
    table::Place,
    token::Token,
};
use otlp::TraceId;
use policy::{Candidate, Verdict};
use std::{collections::BTreeMap, sync::Arc};

/// One waiting trace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trace {
    pub(crate) id: TraceId,
    /// When its first span came, monotonic nanoseconds.
    pub(crate) first_seen_ns: u64,
    /// When its verdict must come at the latest, or at a root's arrival sooner; monotonic nanoseconds.
    pub(crate) due_ns: u64,
    /// Bytes of its spans as they came; a trace of 4 GiB stays at that.
    pub(crate) bytes: u32,
    /// Spans so far, in all slots it has been in.
    pub(crate) spans: u32,
    /// The last ResourceSpans that brought a span of it: a new number begins a new piece.
    pub(crate) piece: u32,
    pub(crate) standing: Standing,
    /// Whether a span without a parent has come.
    pub(crate) has_root: bool,
    /// Whether it is decided before its time because it alone holds too much memory.
    pub(crate) is_early: bool,
}

impl Trace {
    /// The trace as the policies see it.
    pub(crate) fn candidate<'a>(&self, state: &'a mut [u32]) -> Candidate<'a> {
        Candidate {
            trace_id: self.id,
            first_seen_ns: self.first_seen_ns,
            spans: self.spans,
            bytes: u64::from(self.bytes),
            state,
        }
    }

    /// Whole seconds since its first span.
    pub(crate) fn age_s(&self, now_ns: u64) -> u64 {
        now_ns.saturating_sub(self.first_seen_ns) / 1_000_000_000
    }
}

/// How a trace stands to its verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It waits for one.
    Waiting,
    /// It came after a verdict (or while one was being reached) and follows that.
    Follows,
    /// It is to be kept, as a policy said over one of its pieces; the slot knows the verdict ([`Past`]).
    Kept,
    /// It was seated in another slot, which knows that spans of it still lie in the blocks of this one and will read them.
    Moved,
    /// It was decided. Spans of it still lie in the blocks, but they are in the books already and nobody reads them.
    Gone,
}

impl Standing {
    /// Whether the trace is in this slot.
    pub(crate) fn is_here(self) -> bool {
        !matches!(self, Self::Moved | Self::Gone)
    }
}

/// What a slot knows of a trace that was seated in it anew, or that was kept over a piece.
#[derive(Clone, Debug, Default)]
pub(crate) struct Past {
    /// Where spans of it lie besides, in the order in which they came there. These slots have later turns: they still wait
    /// when the trace is decided.
    pub(crate) origins: Vec<Origin>,
    pub(crate) kept: Option<Kept>,
}

/// A seat that a trace had before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    /// The slot's turn.
    pub(crate) turn: Turn,
    /// The trace's place in it.
    pub(crate) place: Place,
}

/// A verdict over a piece.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    pub(crate) verdict: Verdict,
    /// The piece's first and last span, as numbers of the trace's spans in arrival order, from 1.
    pub(crate) first: u32,
    pub(crate) last: u32,
}

/// A slot of one shard.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) turn: Turn,
    /// What its traces wait under.
    pub(crate) terms: Terms,
    pub(crate) traces: Vec<Trace>,
    /// What is to be known of few of them.
    pub(crate) past: BTreeMap<u32, Past>,
    /// How many of them are not here any more.
    pub(crate) left: usize,
    /// Whether some are gone since their blocks were looked at.
    is_littered: bool,
    /// The policies' fold states, a fixed number of words a trace.
    pub(crate) states: Vec<u32>,
    pub(crate) open: OpenBlock,
    /// Spans carried here from another slot. They come while others of their traces do, so they are kept apart.
    pub(crate) carried: OpenBlock,
    /// When a span was last added to the open block.
    pub(crate) touched_ns: u64,
    pub(crate) blocks: Vec<Block>,
    pub(crate) tokens: Vec<Token>,
    block_bytes: usize,
}

impl Slot {
    /// An empty slot; `expected` is how many traces to make room for.
    pub(crate) fn new(turn: Turn, terms: Terms, expected: usize) -> Self {
        Self {
            turn,
            terms,
            traces: Vec::with_capacity(expected),
            past: BTreeMap::new(),
            left: 0,
            is_littered: false,
            states: Vec::with_capacity(expected * terms.words),
            open: OpenBlock::default(),
            carried: OpenBlock::default(),
            touched_ns: 0,
            blocks: Vec::new(),
            tokens: Vec::new(),
            block_bytes: 0,
        }
    }

    /// Adds a trace and gives its index; its state begins as zeros.
    pub(crate) fn add_trace(&mut self, trace: Trace) -> u32 {
        grow_gently(&mut self.traces, 1);
        grow_gently(&mut self.states, self.terms.words);
        self.traces.push(trace);
        self.states.resize(self.states.len() + self.terms.words, 0);
        u32::try_from(self.traces.len() - 1).expect("a slot has fewer than 2³² traces")
    }

    /// A trace with its state.
    pub(crate) fn trace_mut(&mut self, index: u32) -> (&mut Trace, &mut [u32]) {
        let index = index as usize;
        (&mut self.traces[index], &mut self.states[index * self.terms.words..(index + 1) * self.terms.words])
    }

    /// Marks a trace as moved and gives it with its state and its past as they were.
    pub(crate) fn leave(&mut self, index: u32) -> (Trace, Vec<u32>, Past) {
        let past = self.past.remove(&index).unwrap_or_default();
        self.left += 1;
        let (trace, state) = self.trace_mut(index);
        let left = (*trace, state.to_vec(), past);
        trace.standing = Standing::Moved;
        left
    }

    /// Nobody will read the spans of this trace, which has left, any more.
    pub(crate) fn forget(&mut self, index: u32) {
        self.trace_mut(index).0.standing = Standing::Gone;
        self.is_littered = true;
    }

    /// Frees the blocks all of whose traces are gone. What another trace shares waits with it.
    pub(crate) fn free_gone(&mut self) {
        if !std::mem::take(&mut self.is_littered) {
            return;
        }
        for block in &mut self.blocks {
            if block.traces.of(&self.traces).iter().all(|trace| trace.standing == Standing::Gone) {
                self.block_bytes -= block.bytes();
                block.clear();
            }
        }
    }

    /// Reads a bit of a trace and of its state, so that both are in the processor's cache.
    pub(crate) fn touch(&self, index: u32) -> u32 {
        let trace = self.traces.get(index as usize).map_or(0, |trace| trace.spans);
        trace ^ self.states.get(index as usize * self.terms.words).copied().unwrap_or(0)
    }

    /// Closes the open block; gives its raw bytes and its index for whoever compresses it.
    pub(crate) fn close_block(&mut self) -> Option<(usize, Arc<Vec<u8>>)> {
        if self.open.is_empty() {
            return None;
        }
        let block = self.open.close();
        self.add_block(block)
    }

    /// The same for the block of carried spans.
    pub(crate) fn close_carried(&mut self) -> Option<(usize, Arc<Vec<u8>>)> {
        if self.carried.is_empty() {
            return None;
        }
        let block = self.carried.close().carried();
        self.add_block(block)
    }

    fn add_block(&mut self, block: Block) -> Option<(usize, Arc<Vec<u8>>)> {
        self.block_bytes += block.bytes();
        let Texts::Raw(raw) = &block.texts else { return None };
        let raw = Arc::clone(raw);
        self.blocks.push(block);
        Some((self.blocks.len() - 1, raw))
    }

    /// Puts the compressed bytes in the place of the raw ones.
    pub(crate) fn store_packed(&mut self, index: usize, packed: Arc<[u8]>) {
        // It may have been freed while somebody compressed it.
        let Some(block) = self.blocks.get_mut(index).filter(|block| !block.is_clear()) else { return };
        self.block_bytes -= block.bytes();
        block.texts = Texts::Lz4(packed);
        self.block_bytes += block.bytes();
    }

    /// Remembers where a request came from.
    pub(crate) fn add_token(&mut self, token: &Token) {
        if !token.is_none() && !self.tokens.last().is_some_and(|last| last.is_same(token)) {
            self.tokens.push(token.clone());
        }
    }

    /// Bytes of memory behind the blocks.
    pub(crate) fn bytes_blocks(&self) -> usize {
        self.block_bytes + self.open.capacity() + self.carried.capacity()
    }

    /// Bytes of memory behind everything.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes_blocks()
            + self.traces.capacity() * size_of::<Trace>()
            + self.states.capacity() * size_of::<u32>()
            + self.blocks.capacity() * size_of::<Block>()
            + self.tokens.capacity() * size_of::<Token>()
            + self.past.len() * size_of::<(u32, Past)>()
    }
}

/// Doubling would waste half of what a slot holds; a quarter more each time wastes an eighth.
fn grow_gently<T>(vec: &mut Vec<T>, more: usize) {
    if vec.capacity() - vec.len() < more {
        vec.reserve_exact((vec.capacity() / 4).max(64 * more));
    }
}
