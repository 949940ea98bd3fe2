//! The fold leaves: the only policy code that runs for every span.
//!
//! ```text
//! state:  [ extent: 4 words, if any latency policy ] [ one word a leaf: 0 = not yet, else the place of the hit ] …
//! ```
//!
//! A flat loop over a few small leaves, no allocation, no hashing; a leaf that has hit is passed over. Whole leaves keep
//! their word here too. Leaves that ask the same are one leaf, however many policies ask.

use crate::{
    attribute::{Condition, Owner},
    latency::{Extent, Window},
    status_code::Codes,
};
use otlp::{
    KeyId,
    scan::{Hit, Span},
};

/// The leaves and the layout of a trace's state.
#[derive(Debug, Default)]
pub(super) struct Folds {
    /// Words of state.
    pub(super) words: usize,
    /// First word of the extent, if a leaf needs it.
    extent: Option<usize>,
    spans: Vec<(SpanLeaf, usize)>,
    attributes: Vec<(AttributeLeaf, usize)>,
}

/// A condition on the fields of a span.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum SpanLeaf {
    Status(Codes),
    Latency(Window),
}

/// A condition on an attribute of a resource or a span.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AttributeLeaf {
    pub(super) key: KeyId,
    pub(super) condition: Condition,
}

impl Folds {
    /// Adds a leaf and gives its word.
    pub(super) fn add_span(&mut self, leaf: SpanLeaf) -> usize {
        if matches!(leaf, SpanLeaf::Latency(_)) && self.extent.is_none() {
            self.extent = Some(self.words);
            self.words += Extent::WORDS;
        }
        if let Some((_, word)) = self.spans.iter().find(|(known, _)| *known == leaf) {
            return *word;
        }
        let word = self.add_word();
        self.spans.push((leaf, word));
        word
    }

    /// Adds a leaf and gives its word.
    pub(super) fn add_attribute(&mut self, leaf: AttributeLeaf) -> usize {
        if let Some((_, word)) = self.attributes.iter().find(|(known, _)| *known == leaf) {
            return *word;
        }
        let word = self.add_word();
        self.attributes.push((leaf, word));
        word
    }

    /// Takes a word for a leaf of another class.
    pub(super) fn add_word(&mut self) -> usize {
        self.words += 1;
        self.words - 1
    }

    #[inline]
    pub(super) fn span(&self, state: &mut [u32], place: u32, span: &Span) {
        let duration_ms = self.extent.map_or(0, |first| extend(state, first, span));
        for (leaf, word) in &self.spans {
            let Some(word) = state.get_mut(*word).filter(|word| **word == 0) else { continue };
            let hit = match leaf {
                SpanLeaf::Status(codes) => codes.contain(span.status),
                SpanLeaf::Latency(window) => window.contains(duration_ms),
            };
            if hit {
                *word = place;
            }
        }
    }

    #[inline]
    pub(super) fn attributes(&self, state: &mut [u32], place: u32, request: &[u8], hits: &[Hit], owner: Owner) {
        for (leaf, word) in &self.attributes {
            let Some(word) = state.get_mut(*word).filter(|word| **word == 0) else { continue };
            // The first attribute under a key is the one that counts.
            let Some(hit) = hits.iter().find(|hit| hit.key == leaf.key) else { continue };
            if leaf.condition.matches(hit.value(request), owner) {
                *word = place;
            }
        }
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
