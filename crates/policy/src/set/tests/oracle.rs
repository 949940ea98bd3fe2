//! An evaluator to compare with: policies as contrib's text has them, over decoded spans, one trace at a time, no states.
//!
//! Slow and plain on purpose; it shares no code with the crate but the settings.

use crate::{Kind, Policy, TailSampling, string_attribute::StringAttribute};
use opentelemetry_proto::tonic::{
    common::v1::{KeyValue, any_value},
    trace::v1::{ResourceSpans, Span},
};

/// One trace's share of one ResourceSpans.
pub(super) struct Piece {
    pub(super) resource: Vec<KeyValue>,
    pub(super) spans: Vec<Span>,
}

/// A trace with its pieces in the order they came.
pub(super) struct Trace {
    pub(super) id: [u8; 16],
    pub(super) pieces: Vec<Piece>,
}

/// A policy's answer: whether it samples, the threshold it reports, and where it matched (span, on the resource).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Answer {
    sampled: bool,
    reported: u64,
    place: Option<(u32, bool)>,
}

/// The limiters of a set, each found by the path of its policy.
#[derive(Default)]
pub(super) struct Limiters {
    buckets: Vec<(String, f64, f64)>,
}

/// Whether the trace is kept, and by which policy and at which place.
pub(super) type Decision = (bool, String, Option<(u32, bool)>);

pub(super) fn decide(
    settings: &TailSampling,
    traces: &[Trace],
    limiters: &mut Limiters,
    now_seconds: f64,
) -> Vec<Decision> {
    traces.iter().map(|trace| decide_one(settings, trace, limiters, now_seconds)).collect()
}

fn decide_one(settings: &TailSampling, trace: &Trace, limiters: &mut Limiters, now_seconds: f64) -> Decision {
    let mut sampled: Vec<(&Policy, Answer)> = Vec::new();
    for policy in &settings.policies {
        let answer = ask(policy, &policy.name, trace, limiters, now_seconds);
        if answer.sampled {
            sampled.push((policy, answer));
            if settings.sample_on_first_match {
                break;
            }
        }
    }
    let smallest = sampled.iter().map(|(_, answer)| answer.reported).min();
    match sampled.iter().find(|(_, answer)| Some(answer.reported) == smallest) {
        Some((policy, answer)) => (true, policy.name.clone(), answer.place),
        None => (false, String::new(), None),
    }
}

fn ask(policy: &Policy, path: &str, trace: &Trace, limiters: &mut Limiters, now_seconds: f64) -> Answer {
    let spans = || trace.pieces.iter().flat_map(|piece| &piece.spans);
    let no = Answer { sampled: false, reported: 0, place: None };
    let yes = |sampled: bool| Answer { sampled, ..no };
    let at = |place: Option<(u32, bool)>| Answer { sampled: place.is_some(), place, ..no };
    let turned = |place: Option<(u32, bool)>, invert: bool| if invert { yes(place.is_none()) } else { at(place) };
    match &policy.kind {
        Kind::AlwaysSample(_) => yes(true),
        Kind::SpanCount(bounds) => {
            let count = spans().count() as i32;
            yes(count >= bounds.min_spans && (bounds.max_spans == 0 || count <= bounds.max_spans))
        }
        Kind::StatusCode(settings) => {
            let wanted: Vec<i32> = settings.status_codes.iter().map(|code| *code as i32).collect();
            let status = |span: &Span| span.status.as_ref().map_or(0, |status| status.code);
            at(spans().position(|span| wanted.contains(&status(span))).map(|index| (index as u32 + 1, false)))
        }
        Kind::Latency(settings) => {
            let (mut min_start, mut max_end) = (0, 0);
            let hit = spans().position(|span| {
                let (start, end) = (span.start_time_unix_nano, span.end_time_unix_nano);
                min_start = if min_start == 0 || start < min_start { start } else { min_start };
                max_end = if max_end == 0 || end > max_end { end } else { max_end };
                let duration_ms = (max_end.wrapping_sub(min_start) as i64) / 1_000_000;
                let upper = settings.upper_threshold_ms;
                duration_ms > settings.threshold_ms && (upper == 0 || duration_ms <= upper)
            });
            at(hit.map(|index| (index as u32 + 1, false)))
        }
        Kind::Probabilistic(settings) => {
            let salt = if settings.hash_salt.is_empty() { "default-hash-seed" } else { &settings.hash_salt };
            let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
            for byte in salt.bytes().chain(trace.id) {
                hash ^= u64::from(byte);
                hash = hash.wrapping_mul(0x0100_0000_01b3);
            }
            // Quarters are exact, and the random sets use nothing else.
            let quarters = (settings.sampling_percentage / 25.0) as u128;
            let limit = (u128::from(u64::MAX) * quarters / 4) as u64;
            Answer { sampled: hash <= limit, reported: (4 - quarters as u64) << 54, place: None }
        }
        Kind::NumericAttribute(settings) => {
            let min = if settings.min_value == 0 { i64::MIN } else { settings.min_value };
            let max = if settings.max_value == 0 { i64::MAX } else { settings.max_value };
            let place = find(trace, &settings.key, |value, _| {
                let number = if let Some(any_value::Value::IntValue(number)) = value { *number } else { 0 };
                min <= number && number <= max
            });
            turned(place, settings.invert_match)
        }
        Kind::BooleanAttribute(settings) => {
            let is_true = |value: Option<&any_value::Value>| value == Some(&any_value::Value::BoolValue(true));
            let place = find(trace, &settings.key, |value, _| is_true(value) == settings.value);
            turned(place, settings.invert_match)
        }
        Kind::StringAttribute(settings) => {
            let place = find(trace, &settings.key, |value, on_resource| text_matches(settings, value, on_resource));
            turned(place, settings.invert_match)
        }
        Kind::RateLimiting(settings) => {
            let burst =
                if settings.burst_capacity > 0 { settings.burst_capacity } else { settings.spans_per_second * 2 };
            yes(limiters.allow(
                path,
                settings.spans_per_second as f64,
                burst as f64,
                spans().count() as f64,
                now_seconds,
            ))
        }
        Kind::And(and) => {
            let mut all = yes(true);
            for (index, sub) in and.and_sub_policy.iter().enumerate() {
                let answer = ask(sub, &format!("{path}/{index}"), trace, limiters, now_seconds);
                if !answer.sampled {
                    return no;
                }
                all.reported = all.reported.max(answer.reported);
                all.place = answer.place.or(all.place);
            }
            all
        }
    }
}

fn text_matches(settings: &StringAttribute, value: Option<&any_value::Value>, on_resource: bool) -> bool {
    let text = if let Some(any_value::Value::StringValue(text)) = value { text.as_str() } else { "" };
    if text.is_empty() && !on_resource {
        return false;
    }
    settings.values.iter().any(|wanted| {
        if settings.enabled_regex_matching {
            // The random sets use patterns that mean the same to the engine as they stand.
            regex::Regex::new(wanted).unwrap().is_match(text)
        } else {
            !wanted.is_empty() && text == wanted
        }
    })
}

/// The first place whose first attribute under `key` satisfies the test.
fn find(trace: &Trace, key: &str, test: impl Fn(Option<&any_value::Value>, bool) -> bool) -> Option<(u32, bool)> {
    let first = |attributes: &[KeyValue]| {
        let attribute = attributes.iter().find(|attribute| attribute.key == key)?;
        Some(attribute.value.as_ref().and_then(|value| value.value.clone()))
    };
    let mut ordinal = 1;
    for piece in &trace.pieces {
        if first(&piece.resource).is_some_and(|value| test(value.as_ref(), true)) {
            return Some((ordinal, true));
        }
        for span in &piece.spans {
            if first(&span.attributes).is_some_and(|value| test(value.as_ref(), false)) {
                return Some((ordinal, false));
            }
            ordinal += 1;
        }
    }
    None
}

impl Limiters {
    fn allow(&mut self, path: &str, rate: f64, burst: f64, cost: f64, now: f64) -> bool {
        let at = self.buckets.iter().position(|(name, _, _)| name == path).unwrap_or_else(|| {
            self.buckets.push((path.to_string(), burst, now));
            self.buckets.len() - 1
        });
        let (_, tokens, updated) = &mut self.buckets[at];
        let earned = (*tokens + (now - *updated) * rate).min(burst);
        if cost > burst || earned < cost {
            return false;
        }
        (*tokens, *updated) = (earned - cost, now);
        true
    }
}

/// Adds a request's spans to the traces they belong to, piece by piece.
pub(super) fn receive(resource_spans: &[ResourceSpans], traces: &mut Vec<Trace>) {
    for part in resource_spans {
        let resource = part.resource.clone().unwrap_or_default().attributes;
        let mut touched: Vec<[u8; 16]> = Vec::new();
        for span in part.scope_spans.iter().flat_map(|scope| &scope.spans) {
            let id: [u8; 16] = span.trace_id[..].try_into().unwrap();
            let at = traces.iter().position(|trace| trace.id == id).unwrap_or_else(|| {
                traces.push(Trace { id, pieces: Vec::new() });
                traces.len() - 1
            });
            if !touched.contains(&id) {
                touched.push(id);
                traces[at].pieces.push(Piece { resource: resource.clone(), spans: Vec::new() });
            }
            traces[at].pieces.last_mut().unwrap().spans.push(span.clone());
        }
    }
}
