//! An evaluator to compare with: policies as contrib's text has them, over decoded spans, one trace at a time, no states.
//!
//! Slow and plain on purpose; it shares no code with the crate but the settings.

pub(super) mod leaf;

use crate::{Kind, Policy, TailSampling};
use opentelemetry_proto::tonic::{
    common::v1::KeyValue,
    trace::v1::{ResourceSpans, ScopeSpans, Span, span::Event},
};
use prost::Message;

/// One trace's share of one ResourceSpans.
pub(super) struct Piece {
    pub(super) resource: Vec<KeyValue>,
    pub(super) spans: Vec<Span>,
    /// The same as it would be sent on, without what contrib does not count.
    pub(super) message: ResourceSpans,
}

/// A trace with its pieces in the order they came.
pub(super) struct Trace {
    pub(super) id: [u8; 16],
    pub(super) pieces: Vec<Piece>,
}

/// A policy's answer: whether it samples (`None` = it failed), the threshold it reports, and where it matched (span, on
/// the resource).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Answer {
    sampled: Option<bool>,
    reported: u64,
    place: Option<(u32, bool)>,
}

/// What a policy is shown.
pub(super) struct View<'a> {
    id: [u8; 16],
    pieces: &'a [Piece],
    /// Spans of the trace, also those that are not shown.
    count: usize,
    /// How many of them came before.
    before: u32,
    wall_ns: u64,
}

/// The time of a decision.
#[derive(Clone, Copy)]
pub(super) struct Time {
    pub(super) seconds: f64,
    pub(super) wall_second: u64,
    pub(super) wall_ns: u64,
}

/// What the policies of a set remember, each found by its path.
#[derive(Default)]
pub(super) struct Limiters {
    buckets: Vec<(String, f64, f64)>,
    accepted: Vec<(String, u64, i64)>,
    /// The part of a composite that accepted last.
    composite: Option<String>,
}

/// What becomes of a trace: whether it is kept, by which policy and at which place, and the composite's part.
#[derive(Debug, PartialEq)]
pub(super) struct Decision {
    pub(super) keep: bool,
    pub(super) policy: String,
    pub(super) place: Option<(u32, bool)>,
    pub(super) composite: Option<String>,
}

pub(super) fn decide(settings: &TailSampling, traces: &[Trace], limiters: &mut Limiters, time: Time) -> Vec<Decision> {
    let is_drop = |policy: &&Policy| matches!(policy.kind, Kind::Drop(_));
    let dropped: Vec<Option<Decision>> = traces
        .iter()
        .map(|trace| {
            settings.policies.iter().filter(is_drop).find_map(|policy| {
                let answer = ask(policy, &policy.name, &trace.view(time), limiters, time);
                (answer.sampled == Some(true)).then(|| Decision::new(false, policy, answer, None))
            })
        })
        .collect();
    let decided = traces.iter().zip(dropped);
    decided.map(|(trace, dropped)| dropped.unwrap_or_else(|| decide_one(settings, trace, limiters, time))).collect()
}

fn decide_one(settings: &TailSampling, trace: &Trace, limiters: &mut Limiters, time: Time) -> Decision {
    limiters.composite = None;
    let mut sampled: Vec<(&Policy, Answer)> = Vec::new();
    for policy in settings.policies.iter().filter(|policy| !matches!(policy.kind, Kind::Drop(_))) {
        let answer = ask(policy, &policy.name, &trace.view(time), limiters, time);
        if answer.sampled == Some(true) {
            sampled.push((policy, answer));
            if settings.sample_on_first_match {
                break;
            }
        }
    }
    let smallest = sampled.iter().map(|(_, answer)| answer.reported).min();
    match sampled.iter().find(|(_, answer)| Some(answer.reported) == smallest) {
        Some((policy, answer)) => Decision::new(true, policy, *answer, limiters.composite.clone()),
        None => Decision { keep: false, policy: String::new(), place: None, composite: None },
    }
}

/// What the last piece of a trace settles, if anything.
pub(super) fn decide_piece(
    settings: &TailSampling,
    trace: &Trace,
    limiters: &mut Limiters,
    time: Time,
) -> Option<Decision> {
    limiters.composite = None;
    let (drops, others): (Vec<&Policy>, Vec<&Policy>) =
        settings.policies.iter().partition(|policy| matches!(policy.kind, Kind::Drop(_)));
    let mut is_pending = false;
    for policy in drops {
        let answer = ask(policy, &policy.name, &trace.last(time), limiters, time);
        match answer.sampled {
            Some(true) => return Some(Decision::new(false, policy, answer, None)),
            Some(false) => is_pending = true,
            None => {}
        }
    }
    for policy in others.into_iter().filter(|_| !is_pending) {
        let answer = ask(policy, &policy.name, &trace.last(time), limiters, time);
        if answer.sampled == Some(true) {
            return Some(Decision::new(true, policy, answer, limiters.composite.clone()));
        }
    }
    None
}

fn ask(policy: &Policy, path: &str, view: &View<'_>, limiters: &mut Limiters, time: Time) -> Answer {
    let yes = |sampled: bool| Answer { sampled: Some(sampled), reported: 0, place: None };
    match &policy.kind {
        Kind::And(and) => ask_all(&and.and_sub_policy, path, view, limiters, time),
        Kind::Drop(drop) => ask_all(&drop.drop_sub_policy, path, view, limiters, time),
        Kind::Not(not) => {
            let answer = ask(&not.not_sub_policy, &format!("{path}/not"), view, limiters, time);
            Answer { sampled: answer.sampled.map(|sampled| !sampled), ..yes(true) }
        }
        Kind::Composite(composite) => {
            for (index, sub) in composite.composite_sub_policy.iter().enumerate() {
                let path = format!("{path}/{index}");
                let answer = ask(sub, &path, view, limiters, time);
                match answer.sampled {
                    None => return answer,
                    Some(false) => {}
                    Some(true) => {
                        // The random sets have quarters of multiples of four and two parts at most.
                        let total = composite.max_total_spans_per_second;
                        let rate = composite.rate_allocation.iter().rfind(|rate| rate.policy == sub.name);
                        let limit = match rate.map(|rate| rate.percent) {
                            Some(percent) if percent > 0 => total * percent / 100,
                            _ => total / composite.composite_sub_policy.len() as i64,
                        };
                        let fits = limiters.accept(&path, time.wall_second, view.count as i64, limit.min(total));
                        if fits {
                            limiters.composite = Some(sub.name.clone());
                        }
                        return Answer { sampled: Some(fits), reported: 0, ..answer };
                    }
                }
            }
            yes(false)
        }
        Kind::RateLimiting(settings) => {
            let (rate, burst) = (settings.spans_per_second, settings.burst_capacity);
            yes(limiters.allow(path, rate, burst, view.count as f64, time.seconds))
        }
        Kind::BytesLimiting(settings) => {
            let (rate, burst) = (settings.bytes_per_second, settings.burst_capacity);
            let bytes: usize = view.pieces.iter().map(|piece| size_of_field(piece.message.encoded_len())).sum();
            yes(limiters.allow(path, rate, burst, bytes as f64, time.seconds))
        }
        kind => leaf::ask(kind, view),
    }
}

fn ask_all(policies: &[Policy], path: &str, view: &View<'_>, limiters: &mut Limiters, time: Time) -> Answer {
    let mut all = Answer { sampled: Some(true), reported: 0, place: None };
    for (index, sub) in policies.iter().enumerate() {
        let answer = ask(sub, &format!("{path}/{index}"), view, limiters, time);
        if answer.sampled != Some(true) {
            return Answer { sampled: answer.sampled, reported: 0, place: None };
        }
        all.reported = all.reported.max(answer.reported);
        all.place = answer.place.or(all.place);
    }
    all
}

/// With a tag of one byte and its length.
pub(super) fn size_of_field(bytes: usize) -> usize {
    1 + prost::length_delimiter_len(bytes) + bytes
}

impl Trace {
    fn view(&self, time: Time) -> View<'_> {
        View { id: self.id, pieces: &self.pieces, count: self.count(), before: 0, wall_ns: time.wall_ns }
    }

    fn last(&self, time: Time) -> View<'_> {
        let pieces = &self.pieces[self.pieces.len() - 1..];
        let before = self.count() - pieces[0].spans.len();
        View { id: self.id, pieces, count: self.count(), before: before as u32, wall_ns: time.wall_ns }
    }

    fn count(&self) -> usize {
        self.pieces.iter().map(|piece| piece.spans.len()).sum()
    }
}

impl Decision {
    fn new(keep: bool, policy: &Policy, answer: Answer, composite: Option<String>) -> Self {
        Self { keep, policy: policy.name.clone(), place: answer.place, composite }
    }
}

impl Limiters {
    fn allow(&mut self, path: &str, rate: i64, burst: i64, cost: f64, now: f64) -> bool {
        let burst = if burst > 0 { burst } else { rate * 2 } as f64;
        let at = self.buckets.iter().position(|(name, _, _)| name == path).unwrap_or_else(|| {
            self.buckets.push((path.to_string(), burst, 0.0));
            self.buckets.len() - 1
        });
        let (_, tokens, updated) = &mut self.buckets[at];
        let earned = (*tokens + (now - *updated) * rate as f64).min(burst);
        if cost > burst || earned < cost {
            return false;
        }
        (*tokens, *updated) = (earned - cost, now);
        true
    }

    fn accept(&mut self, path: &str, second: u64, spans: i64, limit: i64) -> bool {
        let at = self.accepted.iter().position(|(name, ..)| name == path).unwrap_or_else(|| {
            self.accepted.push((path.to_string(), second, 0));
            self.accepted.len() - 1
        });
        let (_, last, accepted) = &mut self.accepted[at];
        if *last != second {
            (*last, *accepted) = (second, 0);
        }
        let fits = *accepted + spans <= limit;
        if fits {
            *accepted += spans;
        }
        fits
    }
}

/// Adds a request's spans to the traces they belong to, piece by piece; `done` is called with a trace after each piece.
pub(super) fn receive(resource_spans: &[ResourceSpans], traces: &mut Vec<Trace>, mut done: impl FnMut(usize, &Trace)) {
    for part in resource_spans {
        let resource = part.resource.clone().unwrap_or_default().attributes;
        let mut touched: Vec<usize> = Vec::new();
        for scope in &part.scope_spans {
            for span in &scope.spans {
                let id: [u8; 16] = span.trace_id[..].try_into().unwrap();
                let at = traces.iter().position(|trace| trace.id == id).unwrap_or_else(|| {
                    traces.push(Trace { id, pieces: Vec::new() });
                    traces.len() - 1
                });
                if !touched.contains(&at) {
                    touched.push(at);
                    traces[at].pieces.push(Piece::new(&resource));
                }
                traces[at].pieces.last_mut().unwrap().spans.push(span.clone());
            }
            for at in &touched {
                let trace = &mut traces[*at];
                let spans: Vec<Span> =
                    scope.spans.iter().filter(|span| span.trace_id == trace.id).map(counted).collect();
                if !spans.is_empty() {
                    let scope = Some(scope.scope.clone().unwrap_or_default());
                    let message = &mut trace.pieces.last_mut().unwrap().message;
                    message.scope_spans.push(ScopeSpans { scope, spans, ..ScopeSpans::default() });
                }
            }
        }
        // Limits are charged in the order in which traces came.
        touched.sort_unstable();
        touched.into_iter().for_each(|at| done(at, &traces[at]));
    }
}

impl Piece {
    fn new(resource: &[KeyValue]) -> Self {
        let attributes = resource.iter().map(counted_attribute).collect();
        let message = ResourceSpans {
            resource: Some(opentelemetry_proto::tonic::resource::v1::Resource { attributes, ..Default::default() }),
            ..ResourceSpans::default()
        };
        Self { resource: resource.to_vec(), spans: Vec::new(), message }
    }
}

/// The span as prost measures it to pdata's size: what pdata always writes is there, and a parent of one unknown field's
/// length stands for the one that is lacking.
fn counted(span: &Span) -> Span {
    let attributes = span.attributes.iter().map(counted_attribute).collect();
    // An absent parent takes two bytes, as much as one dropped link.
    let events = span
        .events
        .iter()
        .map(|event| Event { attributes: event.attributes.iter().map(counted_attribute).collect(), ..event.clone() });
    let status = Some(span.status.clone().unwrap_or_default());
    Span { attributes, events: events.collect(), status, dropped_links_count: 1, ..span.clone() }
}

fn counted_attribute(attribute: &KeyValue) -> KeyValue {
    KeyValue { value: Some(attribute.value.clone().unwrap_or_default()), ..attribute.clone() }
}
