//! The fold leaves: the only policy code that runs for every span.
//!
//! ```text
//! state:  [ extent: 4 words, if any latency policy ] [ one word a leaf: 0 = not yet, else the place of the hit ] …
//!         [ size: 6 words, if anybody asks ] [ fuel: 1 word, if anything is costly ]
//! ```
//!
//! A flat loop over a few small leaves, no allocation, no hashing; a leaf that has hit is passed over. Whole leaves keep
//! their word here too. Leaves that ask the same are one leaf, however many policies ask. What is costly stands in a list of
//! its own, so that sets without it pay nothing. In span-ingest the words of the leaves begin anew with each piece; size and
//! fuel are the trace's.

use super::{
    meter::{self, Failure, Meter},
    size,
};
use crate::{
    attribute::{Condition, Owner},
    latency::{Extent, Window},
    ottl_condition::Conditions,
    status_code::Codes,
    trace_state::Member,
    verdict::{Piece, Place},
};
use otlp::{
    KeyId,
    scan::{Hit, Span},
};
use ottl::Subject;
use std::sync::Arc;

/// The leaves and the layout of a trace's state.
#[derive(Debug, Default)]
pub(super) struct Folds {
    /// Words of state.
    pub(super) words: usize,
    /// Words that begin anew with each piece: those in front, in span-ingest.
    pub(super) piece_words: usize,
    /// First word of the trace's size, if somebody asks for it.
    pub(super) size: Option<usize>,
    /// The word in which evaluation is charged, if any is costly.
    pub(super) fuel: Option<usize>,
    /// First word of the extent, if a leaf needs it.
    extent: Option<usize>,
    spans: Vec<(SpanLeaf, usize)>,
    attributes: Vec<(AttributeLeaf, usize)>,
    costly: Vec<(AttributeLeaf, usize)>,
    conditions: Vec<(Arc<Conditions>, usize)>,
}

/// A condition on the fields of a span.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum SpanLeaf {
    Status(Codes),
    Latency(Window),
    /// The W3C flag `sampled`.
    Flagged,
    TraceState(Box<Member>),
}

/// A condition on an attribute of a resource or a span.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AttributeLeaf {
    pub(super) key: KeyId,
    pub(super) condition: Condition,
}

/// In a leaf's word: it could not be evaluated. No place, see [`Place::ORDINAL_MAX`].
pub(super) const FAILED: u32 = u32::MAX - 1;

impl Folds {
    /// Adds a leaf and gives its word.
    pub(super) fn add_span(&mut self, leaf: SpanLeaf) -> usize {
        if matches!(leaf, SpanLeaf::Latency(_)) && self.extent.is_none() {
            self.extent = Some(self.words);
            self.words += Extent::WORDS;
        }
        Self::add(&mut self.spans, leaf, &mut self.words)
    }

    /// Adds a leaf and gives its word.
    pub(super) fn add_attribute(&mut self, leaf: AttributeLeaf) -> usize {
        let leaves = if leaf.condition.is_costly() { &mut self.costly } else { &mut self.attributes };
        Self::add(leaves, leaf, &mut self.words)
    }

    /// Adds a leaf and gives its word.
    pub(super) fn add_conditions(&mut self, conditions: Arc<Conditions>) -> usize {
        Self::add(&mut self.conditions, conditions, &mut self.words)
    }

    /// Takes a word for a leaf of another class.
    pub(super) fn add_word(&mut self) -> usize {
        self.words += 1;
        self.words - 1
    }

    fn add<Leaf: PartialEq>(leaves: &mut Vec<(Leaf, usize)>, leaf: Leaf, words: &mut usize) -> usize {
        if let Some((_, word)) = leaves.iter().find(|(known, _)| *known == leaf) {
            return *word;
        }
        leaves.push((leaf, *words));
        *words += 1;
        *words - 1
    }

    /// All leaves are there: gives the words that come last.
    pub(super) fn finish(&mut self, is_by_piece: bool, has_size: bool, has_whole: bool) {
        self.piece_words = if is_by_piece { self.words } else { 0 };
        if has_size {
            self.size = Some(self.words);
            self.words += size::WORDS;
        }
        if has_whole || self.has_costly() {
            self.fuel = Some(self.add_word());
        }
    }

    /// A piece begins, with its resource.
    #[inline]
    pub(super) fn begin(&self, state: &mut [u32], ordinal: u32, piece: &Piece<'_>) -> u64 {
        if self.piece_words != 0
            && let Some(words) = state.get_mut(..self.piece_words)
        {
            words.fill(0);
        }
        if let Some(first) = self.size {
            size::begin(state, first, piece);
        }
        let place = ordinal.min(Place::ORDINAL_MAX) | Place::RESOURCE;
        let hits = piece.scan.resource_hits(piece.resource);
        if hits.is_empty() {
            return 0;
        }
        self.attributes(state, place, piece.request, hits, Owner::Resource);
        if self.costly.is_empty() { 0 } else { self.costly_resource(state, place, piece.request, hits) }
    }

    /// A span comes. Gives how many conditions were cut.
    #[inline]
    pub(super) fn span(&self, state: &mut [u32], ordinal: u32, piece: &Piece<'_>, span: &Span) -> u64 {
        let place = ordinal.min(Place::ORDINAL_MAX);
        self.fields(state, place, piece.request, span);
        if let Some(first) = self.size {
            size::add(state, first, piece, span);
        }
        let hits = piece.scan.span_hits(span);
        if !hits.is_empty() {
            self.attributes(state, place, piece.request, hits, Owner::Span);
        }
        if self.has_costly() { self.costly_span(state, place, piece, span, hits) } else { 0 }
    }

    #[inline]
    fn fields(&self, state: &mut [u32], place: u32, request: &[u8], span: &Span) {
        let duration_ms = self.extent.map_or(0, |first| extend(state, first, span));
        for (leaf, word) in &self.spans {
            let Some(word) = state.get_mut(*word).filter(|word| **word == 0) else { continue };
            let hit = match leaf {
                SpanLeaf::Status(codes) => codes.contain(span.status),
                SpanLeaf::Latency(window) => window.contains(duration_ms),
                SpanLeaf::Flagged => span.flags & 1 != 0,
                SpanLeaf::TraceState(member) => span.trace_state.len != 0 && member.is_in(span.trace_state.of(request)),
            };
            if hit {
                *word = place;
            }
        }
    }

    #[inline]
    fn attributes(&self, state: &mut [u32], place: u32, request: &[u8], hits: &[Hit], owner: Owner) {
        for (leaf, word) in &self.attributes {
            let Some(word) = state.get_mut(*word).filter(|word| **word == 0) else { continue };
            // The first attribute under a key is the one that counts.
            let Some(hit) = hits.iter().find(|hit| hit.key == leaf.key) else { continue };
            if leaf.condition.matches(hit.value(request), owner) {
                *word = place;
            }
        }
    }

    #[inline]
    fn has_costly(&self) -> bool {
        !self.costly.is_empty() || !self.conditions.is_empty()
    }

    #[inline(never)]
    fn costly_resource(&self, state: &mut [u32], place: u32, request: &[u8], hits: &[Hit]) -> u64 {
        let mut meter = Meter::new(state, self.fuel);
        self.costly_attributes(state, place, request, hits, Owner::Resource, &mut meter);
        meter.settle(state);
        meter.cuts
    }

    #[inline(never)]
    fn costly_span(&self, state: &mut [u32], place: u32, piece: &Piece<'_>, span: &Span, hits: &[Hit]) -> u64 {
        let mut meter = Meter::new(state, self.fuel);
        if !hits.is_empty() {
            self.costly_attributes(state, place, piece.request, hits, Owner::Span, &mut meter);
        }
        if !self.conditions.is_empty() {
            let fuel = meter.fuel();
            let moment = meter::moment(piece.now.wall_ns, &span.trace_id, place);
            let subject = Subject::arriving(piece.request, piece.scan, span, moment, &fuel);
            for (conditions, word) in &self.conditions {
                let Some(word) = state.get_mut(*word).filter(|word| **word == 0) else { continue };
                *word = mark(meter.guard(|| conditions.hold(&subject)), place);
            }
            meter.spend(&fuel);
        }
        meter.settle(state);
        meter.cuts
    }

    fn costly_attributes(
        &self,
        state: &mut [u32],
        place: u32,
        request: &[u8],
        hits: &[Hit],
        owner: Owner,
        meter: &mut Meter,
    ) {
        for (leaf, word) in &self.costly {
            let Some(word) = state.get_mut(*word).filter(|word| **word == 0) else { continue };
            let Some(hit) = hits.iter().find(|hit| hit.key == leaf.key) else { continue };
            let value = hit.value(request);
            let answer = meter.run(leaf.condition.cost(value), || leaf.condition.matches(value, owner));
            *word = mark(answer, place);
        }
    }
}

/// What a leaf's word says after an answer.
pub(super) fn mark(answer: Result<bool, Failure>, place: u32) -> u32 {
    match answer {
        Ok(true) => place,
        Ok(false) => 0,
        Err(_) => FAILED,
    }
}

/// Extends the extent by a span and gives its duration.
#[inline]
fn extend(state: &mut [u32], first: usize, span: &Span) -> i64 {
    let Some(words) = state.get_mut(first..).and_then(|rest| rest.first_chunk_mut()) else { return 0 };
    let mut extent = Extent::load(*words);
    extent.add(span.start_ns, span.end_ns);
    *words = extent.store();
    extent.duration_ms()
}
