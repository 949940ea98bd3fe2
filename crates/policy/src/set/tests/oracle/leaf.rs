//! The policies that look at spans.

use super::{Answer, View};
use crate::{
    Kind,
    ottl_condition::{ErrorMode, OttlCondition},
    string_attribute::StringAttribute,
};
use opentelemetry_proto::tonic::{
    common::v1::{KeyValue, any_value},
    trace::v1::{Span, span::Event},
};

pub(super) fn ask(kind: &Kind, view: &View<'_>) -> Answer {
    let yes = |sampled: bool| Answer { sampled: Some(sampled), reported: 0, place: None };
    let at = |place: Option<(u32, bool)>| Answer { place, ..yes(place.is_some()) };
    let turned = |place: Option<(u32, bool)>, invert: bool| if invert { yes(place.is_none()) } else { at(place) };
    match kind {
        Kind::AlwaysSample(_) => yes(true),
        Kind::SpanCount(bounds) => {
            let count = view.count as i32;
            yes(count >= bounds.min_spans && (bounds.max_spans == 0 || count <= bounds.max_spans))
        }
        Kind::StatusCode(settings) => {
            let wanted: Vec<i32> = settings.status_codes.iter().map(|code| *code as i32).collect();
            let status = |span: &Span| span.status.as_ref().map_or(0, |status| status.code);
            at(position(view, |span| wanted.contains(&status(span))))
        }
        Kind::Latency(settings) => {
            let (mut min_start, mut max_end) = (0, 0);
            let hit = position(view, |span| {
                let (start, end) = (span.start_time_unix_nano, span.end_time_unix_nano);
                min_start = if min_start == 0 || start < min_start { start } else { min_start };
                max_end = if max_end == 0 || end > max_end { end } else { max_end };
                let duration_ms = (max_end.wrapping_sub(min_start) as i64) / 1_000_000;
                let upper = settings.upper_threshold_ms;
                duration_ms > settings.threshold_ms && (upper == 0 || duration_ms <= upper)
            });
            at(hit)
        }
        Kind::Probabilistic(settings) => {
            let salt = if settings.hash_salt.is_empty() { "default-hash-seed" } else { &settings.hash_salt };
            let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
            for byte in salt.bytes().chain(view.id) {
                hash ^= u64::from(byte);
                hash = hash.wrapping_mul(0x0100_0000_01b3);
            }
            // Quarters are exact, and the random sets use nothing else.
            let quarters = (settings.sampling_percentage / 25.0) as u128;
            let limit = (u128::from(u64::MAX) * quarters / 4) as u64;
            Answer { sampled: Some(hash <= limit), reported: (4 - quarters as u64) << 54, place: None }
        }
        Kind::NumericAttribute(settings) => {
            let min = if settings.min_value == 0 { i64::MIN } else { settings.min_value };
            let max = if settings.max_value == 0 { i64::MAX } else { settings.max_value };
            let place = find(view, &settings.key, |value, _| {
                let number = if let Some(any_value::Value::IntValue(number)) = value { *number } else { 0 };
                min <= number && number <= max
            });
            turned(place, settings.invert_match)
        }
        Kind::BooleanAttribute(settings) => {
            let is_true = |value: Option<&any_value::Value>| value == Some(&any_value::Value::BoolValue(true));
            let place = find(view, &settings.key, |value, _| is_true(value) == settings.value);
            turned(place, settings.invert_match)
        }
        Kind::StringAttribute(settings) => {
            let place = find(view, &settings.key, |value, on_resource| text_matches(settings, value, on_resource));
            turned(place, settings.invert_match)
        }
        Kind::TraceFlags(_) => at(position(view, |span| span.flags % 2 == 1)),
        Kind::TraceState(settings) => {
            // The random sets have no broken ones but those with a blank member or a key twice.
            at(position(view, |span| {
                let members: Vec<&str> = span.trace_state.split(',').filter(|member| !member.is_empty()).collect();
                let pairs: Option<Vec<(&str, &str)>> = members.iter().map(|member| member.split_once('=')).collect();
                let Some(pairs) = pairs else { return false };
                let is_twice = pairs.iter().enumerate().any(|(at, pair)| pairs[..at].iter().any(|one| one.0 == pair.0));
                let matches = |(key, value): &(&str, &str)| {
                    *key == settings.key && settings.values.iter().any(|wanted| wanted == value && !wanted.is_empty())
                };
                !is_twice && pairs.iter().any(matches)
            }))
        }
        Kind::OttlCondition(settings) => conditions(settings, view),
        other => panic!("{} is not asked of spans", other.name()),
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

/// The texts of conditions on spans that the random sets use.
pub(in super::super) const SPAN: &[&str] = &[
    r#"attributes["a"] == 1"#,
    r#"attributes["b"] != "x""#,
    r#"attributes[1] == "x""#,
    r#"IsMatch(attributes["c"], "^x")"#,
    "status.code == 2",
    r#"resource.attributes["a"] == "x""#,
    "Now() > start_time",
];

/// And on events.
pub(in super::super) const EVENT: &[&str] =
    &[r#"name == "e1""#, r#"attributes["a"] == true"#, "attributes[1] == 1", "span.status.code == 1"];

fn conditions(settings: &OttlCondition, view: &View<'_>) -> Answer {
    let mut ordinal = view.before;
    let answer = |sampled: Option<bool>, place: Option<(u32, bool)>| Answer { sampled, reported: 0, place };
    for piece in view.pieces {
        for span in &piece.spans {
            ordinal += 1;
            let own = settings.span.iter().map(|text| holds(text, span, &piece.resource, view.wall_ns));
            let events = span
                .events
                .iter()
                .flat_map(|event| settings.spanevent.iter().map(|text| holds_for_event(text, event, span)));
            for holds in own.chain(events) {
                match holds {
                    Some(true) => return answer(Some(true), Some((ordinal, false))),
                    None if settings.error_mode == ErrorMode::Propagate => return answer(None, None),
                    _ => {}
                }
            }
        }
    }
    answer(Some(false), None)
}

/// `None` = an error.
fn holds(text: &str, span: &Span, resource: &[KeyValue], wall_ns: u64) -> Option<bool> {
    let status = span.status.as_ref().map_or(0, |status| status.code);
    let text_of = |value: Option<any_value::Value>| match value {
        Some(any_value::Value::StringValue(text)) => text,
        _ => String::new(),
    };
    let number = SPAN.iter().position(|known| *known == text).unwrap();
    Some(match number {
        0 => value(&span.attributes, "a") == Some(any_value::Value::IntValue(1)),
        1 => value(&span.attributes, "b") != Some(any_value::Value::StringValue("x".to_string())),
        2 => return None,
        3 => text_of(value(&span.attributes, "c")).starts_with('x'),
        4 => status == 2,
        5 => value(resource, "a") == Some(any_value::Value::StringValue("x".to_string())),
        _ => wall_ns > span.start_time_unix_nano,
    })
}

fn holds_for_event(text: &str, event: &Event, span: &Span) -> Option<bool> {
    let number = EVENT.iter().position(|known| *known == text).unwrap();
    Some(match number {
        0 => event.name == "e1",
        1 => value(&event.attributes, "a") == Some(any_value::Value::BoolValue(true)),
        2 => return None,
        _ => span.status.as_ref().is_some_and(|status| status.code == 1),
    })
}

fn value(attributes: &[KeyValue], key: &str) -> Option<any_value::Value> {
    attributes.iter().find(|attribute| attribute.key == key)?.value.as_ref()?.value.clone()
}

/// The first span that satisfies the test.
fn position(view: &View<'_>, test: impl FnMut(&Span) -> bool) -> Option<(u32, bool)> {
    let at = view.pieces.iter().flat_map(|piece| &piece.spans).position(test)?;
    Some((view.before + at as u32 + 1, false))
}

/// The first place whose first attribute under `key` satisfies the test.
fn find(view: &View<'_>, key: &str, test: impl Fn(Option<&any_value::Value>, bool) -> bool) -> Option<(u32, bool)> {
    let first = |attributes: &[KeyValue]| {
        let attribute = attributes.iter().find(|attribute| attribute.key == key)?;
        Some(attribute.value.as_ref().and_then(|value| value.value.clone()))
    };
    let mut ordinal = view.before + 1;
    for piece in view.pieces {
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
