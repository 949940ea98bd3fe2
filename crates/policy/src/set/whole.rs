//! The whole leaves: conditions that are asked of a trace's stored spans, once, when its block is open.
//!
//! The leaf's word of state holds 0 until it has run, then the place of its hit or [`MISSED`]. All open leaves of a trace
//! share one walk over its spans, which ends as soon as each has hit.

use crate::{
    attribute::{Condition, Owner},
    verdict::{Place, StoredSpan},
};
use otlp::{
    Value,
    view::{ResourceView, SpanView},
};

/// A whole leaf.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Whole {
    /// Its word of state.
    pub(super) word: usize,
    pub(super) question: Question,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Question {
    /// A condition on an attribute, too costly to be asked of every span that comes.
    Attribute { key: Box<str>, condition: Condition },
}

/// In the leaf's word: it ran and nothing matched. No place: an ordinal this large with the resource bit does not occur.
pub(super) const MISSED: u32 = u32::MAX;

/// Runs the leaves.
pub(super) fn settle(open: &[&Whole], state: &mut [u32], spans: &mut dyn Iterator<Item = StoredSpan<'_>>) {
    // Ordinals end where the resource bit begins; further spans bear the last one.
    let ordinals = (1..Place::RESOURCE - 1).chain(std::iter::repeat(Place::RESOURCE - 2));
    let mut resource_before: &[u8] = &[];
    for (ordinal, stored) in ordinals.zip(spans) {
        if open.iter().all(|leaf| state.get(leaf.word).is_none_or(|word| *word != 0)) {
            break;
        }
        // Spans of one piece bring the same header; asking it again could not change the answer.
        if ordinal == 1 || stored.resource_header != resource_before {
            ask(open, state, ordinal | Place::RESOURCE, |leaf| leaf.matches_resource(stored.resource_header));
            resource_before = stored.resource_header;
        }
        ask(open, state, ordinal, |leaf| leaf.matches_span(stored.span));
    }
    ask(open, state, MISSED, |_| true);
}

fn ask(open: &[&Whole], state: &mut [u32], place: u32, matches: impl Fn(&Question) -> bool) {
    for leaf in open {
        if let Some(word) = state.get_mut(leaf.word).filter(|word| **word == 0)
            && matches(&leaf.question)
        {
            *word = place;
        }
    }
}

impl Question {
    fn matches_resource(&self, header: &[u8]) -> bool {
        match self {
            Self::Attribute { key, condition } => {
                let resource = ResourceView::parse(header);
                let value = resource.ok().and_then(|resource| first(resource.attributes(), key));
                value.is_some_and(|value| condition.matches(value, Owner::Resource))
            }
        }
    }

    fn matches_span(&self, body: &[u8]) -> bool {
        match self {
            Self::Attribute { key, condition } => {
                let span = SpanView::parse(body);
                let value = span.ok().and_then(|span| first(span.attributes(), key));
                value.is_some_and(|value| condition.matches(value, Owner::Span))
            }
        }
    }
}

fn first<'a>(mut attributes: impl Iterator<Item = (&'a [u8], Value<'a>)>, key: &str) -> Option<Value<'a>> {
    attributes.find(|(name, _)| *name == key.as_bytes()).map(|(_, value)| value)
}
