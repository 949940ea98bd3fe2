//! The whole leaves: conditions that are asked of a trace's stored spans, once, when its block is open.
//!
//! The leaf's word of state holds 0 until it has run, then the place of its hit, [`MISSED`] or that it failed. All open
//! leaves of a trace share one walk over its spans, which ends as soon as each has an answer.

use super::{
    fold::mark,
    meter::{self, Failure, Meter},
};
use crate::{
    attribute::{Condition, Owner},
    ottl_condition::Conditions,
    verdict::{Candidate, Now, Place, StoredSpan},
};
use otlp::{
    Value,
    view::{ResourceView, SpanView},
};
use ottl::Subject;
use std::sync::Arc;

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
    /// Conditions in OTTL that need the verdict's time, or are too costly.
    Conditions(Arc<Conditions>),
}

/// In the leaf's word: it ran and nothing matched. No place, see [`Place::ORDINAL_MAX`].
pub(super) const MISSED: u32 = u32::MAX;

/// Runs the leaves; `fuel` is where evaluation is charged. Gives how many were cut.
pub(super) fn settle(
    open: &[&Whole],
    candidate: &mut Candidate<'_>,
    fuel: Option<usize>,
    now: Now,
    spans: &mut dyn Iterator<Item = StoredSpan<'_>>,
) -> u64 {
    let trace_id = candidate.trace_id;
    let state = &mut *candidate.state;
    let mut cuts = 0;
    let ordinals = (1..Place::ORDINAL_MAX).chain(std::iter::repeat(Place::ORDINAL_MAX));
    let mut resource_before: &[u8] = &[];
    for (ordinal, stored) in ordinals.zip(spans) {
        if open.iter().all(|leaf| state.get(leaf.word).is_none_or(|word| *word != 0)) {
            break;
        }
        let mut meter = Meter::new(state, fuel);
        // Spans of one piece bring the same header; asking it again could not change the answer.
        if ordinal == 1 || stored.resource_header != resource_before {
            let place = ordinal | Place::RESOURCE;
            ask(open, state, place, |leaf| leaf.matches_resource(stored.resource_header, &mut meter));
            resource_before = stored.resource_header;
        }
        ask(open, state, ordinal, |leaf| leaf.matches_span(stored.span, &mut meter));
        let tank = meter.fuel();
        let moment = meter::moment(now.wall_ns, &trace_id, ordinal);
        let subject = Subject::stored(stored.resource_header, stored.scope_header, stored.span, moment, &tank);
        ask(open, state, ordinal, |leaf| leaf.holds(&subject, &mut meter));
        meter.spend(&tank);
        meter.settle(state);
        cuts += meter.cuts;
    }
    ask(open, state, MISSED, |_| Ok(true));
    cuts
}

fn ask<'e>(
    open: &[&'e Whole],
    state: &mut [u32],
    place: u32,
    mut matches: impl FnMut(&'e Question) -> Result<bool, Failure>,
) {
    for leaf in open {
        if let Some(word) = state.get_mut(leaf.word).filter(|word| **word == 0) {
            *word = mark(matches(&leaf.question), place);
        }
    }
}

impl Question {
    fn matches_resource(&self, header: &[u8], meter: &mut Meter) -> Result<bool, Failure> {
        let Self::Attribute { key, condition } = self else { return Ok(false) };
        let resource = ResourceView::parse(header);
        let value = resource.ok().and_then(|resource| first(resource.attributes(), key));
        answer(condition, value, Owner::Resource, meter)
    }

    fn matches_span(&self, body: &[u8], meter: &mut Meter) -> Result<bool, Failure> {
        let Self::Attribute { key, condition } = self else { return Ok(false) };
        let span = SpanView::parse(body);
        let value = span.ok().and_then(|span| first(span.attributes(), key));
        answer(condition, value, Owner::Span, meter)
    }

    fn holds<'e>(&'e self, subject: &'e Subject<'e>, meter: &mut Meter) -> Result<bool, Failure> {
        let Self::Conditions(conditions) = self else { return Ok(false) };
        meter.guard(|| conditions.hold(subject))
    }
}

fn answer(condition: &Condition, value: Option<Value<'_>>, owner: Owner, meter: &mut Meter) -> Result<bool, Failure> {
    let Some(value) = value else { return Ok(false) };
    meter.run(condition.cost(value), || condition.matches(value, owner))
}

/// The first attribute under a key is the one that counts.
pub(super) fn first<'a>(mut attributes: impl Iterator<Item = (&'a [u8], Value<'a>)>, key: &str) -> Option<Value<'a>> {
    attributes.find(|(name, _)| *name == key.as_bytes()).map(|(_, value)| value)
}
