//! Sizes by hand, and random messages against prost's sizes with the differences added by the rules.

use super::*;
use crate::wire::{put_fixed32, put_fixed64, put_len, put_uint};
use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span as SpanMessage, Status, span},
};
use prost::Message;
use std::hash::{BuildHasher, RandomState};

#[test]
fn spans_by_hand() {
    // Three IDs and the status, two bytes each.
    assert_eq!(super::span(b""), 8);
    let mut body = Vec::new();
    put_len(&mut body, 1, &[1; 16]);
    put_len(&mut body, 2, &[2; 8]);
    put_len(&mut body, 4, &[0; 8]);
    put_len(&mut body, 5, b"GET");
    put_uint(&mut body, 6, 0);
    put_fixed64(&mut body, 7, 5);
    put_fixed64(&mut body, 8, 0);
    put_uint(&mut body, 10, 300);
    put_fixed32(&mut body, 16, 1);
    put_len(&mut body, 77, b"unknown");
    assert_eq!(super::span(&body), 18 + 10 + 2 + 5 + 9 + 3 + 2 + 6);
    put_len(&mut body, 5, b"");
    put_uint(&mut body, 6, u64::MAX);
    assert_eq!(super::span(&body), 18 + 10 + 2 + 11 + 9 + 3 + 2 + 6, "the last name counts, a negative kind is long");
}

#[test]
fn envelopes_by_hand() {
    assert_eq!((resource(b""), scope(b"")), (2, 2));
    let mut header = Vec::new();
    put_len(&mut header, 1, b"\x0a\x02\x0a\x00");
    put_len(&mut header, 3, b"https://schema");
    put_len(&mut header, 1, b"\x10\x05");
    // An attribute without key and value, and a number, in two parts of one resource.
    assert_eq!(resource(&header), 2 + 4 + 2);
    let mut header = Vec::new();
    put_len(&mut header, 1, b"\x0a\x02ab\x12\x00\x20\x05");
    assert_eq!(scope(&header), 2 + 4 + 2);
}

#[test]
fn attributes_by_hand() {
    for (body, expected) in [
        (&b"\x0a\x01k\x12\x03\x0a\x01v"[..], 8),
        (b"\x0a\x01k\x12\x02\x0a\x00", 7),
        (b"\x0a\x01k", 5),
        (b"", 2),
        (b"\x0a\x00\x12\x00", 2),
        (b"\x12\x02\x18\x05\x0a\x01k", 7),
        // A number in more bytes than it needs, a boolean in two.
        (b"\x0a\x01k\x12\x03\x18\x85\x00", 7),
        (b"\x0a\x01k\x12\x03\x10\x80\x01", 7),
        // The last of several values counts, and an empty one leaves it.
        (b"\x0a\x01k\x12\x05\x0a\x01v\x10\x01\x12\x00", 7),
        // An array of an empty value and a text; a map of one entry.
        (b"\x0a\x01k\x12\x09\x2a\x07\x0a\x00\x0a\x03\x0a\x01v", 14),
        (b"\x0a\x01k\x12\x07\x32\x05\x0a\x03\x0a\x01a", 3 + 2 + 2 + 2 + 5),
        // A map that comes again replaces what came before.
        (b"\x0a\x01k\x12\x09\x32\x05\x0a\x03\x0a\x01a\x32\x00", 7),
    ] {
        assert_eq!(attribute(body), expected, "{body:x?}");
    }
}

#[test]
fn the_deepest_nesting_is_measured() {
    let mut value = AnyValue { value: Some(any_value::Value::IntValue(5)) };
    for _ in 0..45 {
        value = AnyValue { value: Some(any_value::Value::ArrayValue(ArrayValue { values: vec![value] })) };
    }
    let attribute = KeyValue { key: "k".to_string(), value: Some(value), ..KeyValue::default() };
    assert_eq!(super::attribute(&attribute.encode_to_vec()), attribute.encoded_len());
}

#[test]
fn random_messages() {
    let seed = std::env::var("SIZE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| RandomState::new().hash_one("seed"));
    println!("SIZE_SEED={seed}");
    let mut dice = Dice { state: seed };
    for round in 0..2000 {
        let message = resource_spans(&mut dice);
        let mut header = message.clone();
        header.scope_spans.clear();
        let mut total = resource(&header.encode_to_vec());
        for scope_spans in &message.scope_spans {
            let mut header = scope_spans.clone();
            header.spans.clear();
            let spans: usize = scope_spans.spans.iter().map(|span| field(super::span(&span.encode_to_vec()))).sum();
            total += field(scope(&header.encode_to_vec()) + spans);
        }
        assert_eq!(total, size_of_resource_spans(&message), "SIZE_SEED={seed}, round {round}: {message:#?}");
    }
}

fn size_of_resource_spans(message: &ResourceSpans) -> usize {
    let resource = message.resource.clone().unwrap_or_default();
    let resource = size_of_attributes(&resource.attributes) + number(u64::from(resource.dropped_attributes_count));
    let scopes: usize = message.scope_spans.iter().map(|scope| field(size_of_scope_spans(scope))).sum();
    field(resource) + scopes
}

fn size_of_scope_spans(message: &ScopeSpans) -> usize {
    let scope = message.scope.clone().unwrap_or_default();
    let bare = InstrumentationScope { attributes: Vec::new(), ..scope.clone() };
    let spans: usize = message.spans.iter().map(|span| field(size_of_span(span))).sum();
    field(bare.encoded_len() + size_of_attributes(&scope.attributes)) + spans
}

fn size_of_span(message: &SpanMessage) -> usize {
    let mut bare = SpanMessage { attributes: Vec::new(), events: Vec::new(), links: Vec::new(), ..message.clone() };
    let mut lacking = if bare.status.is_none() { 2 } else { 0 };
    for id in [&mut bare.trace_id, &mut bare.span_id, &mut bare.parent_span_id] {
        if id.iter().all(|byte| *byte == 0) {
            id.clear();
            lacking += 2;
        }
    }
    let events = message.events.iter().map(|event| {
        let bare = span::Event { attributes: Vec::new(), ..event.clone() };
        field(bare.encoded_len() + size_of_attributes(&event.attributes))
    });
    let links = message.links.iter().map(|link| {
        let lacking = 2 * usize::from(link.trace_id.is_empty()) + 2 * usize::from(link.span_id.is_empty());
        let bare = span::Link { attributes: Vec::new(), ..link.clone() };
        field(bare.encoded_len() + lacking + size_of_attributes(&link.attributes))
    });
    let children = events.chain(links).sum::<usize>();
    bare.encoded_len() + lacking + size_of_attributes(&message.attributes) + children
}

fn size_of_attributes(attributes: &[KeyValue]) -> usize {
    attributes.iter().map(|attribute| field(size_of_attribute(attribute))).sum()
}

fn size_of_attribute(attribute: &KeyValue) -> usize {
    text(attribute.key.as_bytes()) + field(attribute.value.as_ref().map_or(0, size_of_value))
}

fn size_of_value(value: &AnyValue) -> usize {
    match &value.value {
        Some(any_value::Value::ArrayValue(array)) => {
            field(array.values.iter().map(|value| field(size_of_value(value))).sum())
        }
        Some(any_value::Value::KvlistValue(map)) => field(size_of_attributes(&map.values)),
        _ => value.encoded_len(),
    }
}

fn resource_spans(dice: &mut Dice) -> ResourceSpans {
    let resource = Resource {
        attributes: attributes(dice, 2),
        dropped_attributes_count: dice.pick(&[0, 0, 200]),
        ..Resource::default()
    };
    ResourceSpans {
        resource: Some(resource).filter(|_| !dice.one_in(4)),
        scope_spans: dice.several(scope_spans),
        schema_url: dice.text(),
    }
}

fn scope_spans(dice: &mut Dice) -> ScopeSpans {
    let scope = InstrumentationScope {
        name: dice.text(),
        version: dice.text(),
        attributes: attributes(dice, 1),
        dropped_attributes_count: dice.pick(&[0, 7]),
    };
    ScopeSpans {
        scope: Some(scope).filter(|_| !dice.one_in(4)),
        spans: dice.several(random_span),
        schema_url: dice.text(),
    }
}

fn random_span(dice: &mut Dice) -> SpanMessage {
    let id = |dice: &mut Dice, len: usize| dice.pick(&[vec![0; len], vec![3; len], vec![3; len], Vec::new()]);
    let event = |dice: &mut Dice| span::Event {
        time_unix_nano: dice.pick(&[0, 5]),
        name: dice.text(),
        attributes: attributes(dice, 1),
        dropped_attributes_count: dice.pick(&[0, 300]),
    };
    let link = |dice: &mut Dice| span::Link {
        trace_id: dice.pick(&[Vec::new(), vec![1; 16]]),
        span_id: dice.pick(&[Vec::new(), vec![1; 8]]),
        trace_state: dice.text(),
        attributes: attributes(dice, 1),
        dropped_attributes_count: dice.pick(&[0, 300]),
        flags: dice.pick(&[0, 1]),
    };
    SpanMessage {
        trace_id: id(dice, 16),
        span_id: id(dice, 8),
        trace_state: dice.text(),
        parent_span_id: id(dice, 8),
        flags: dice.pick(&[0, 257]),
        name: dice.text(),
        kind: dice.pick(&[0, 3, -1]),
        start_time_unix_nano: dice.pick(&[0, 1 << 60]),
        end_time_unix_nano: dice.pick(&[0, 1 << 60]),
        attributes: attributes(dice, 3),
        dropped_attributes_count: dice.pick(&[0, 1]),
        events: dice.several(event),
        dropped_events_count: dice.pick(&[0, 1]),
        links: dice.several(link),
        dropped_links_count: dice.pick(&[0, 1000]),
        status: dice.pick(&[
            None,
            Some(Status::default()),
            Some(Status { message: "no".to_string(), code: 2 }),
            Some(Status { message: String::new(), code: -7 }),
        ]),
    }
}

fn attributes(dice: &mut Dice, depth: u32) -> Vec<KeyValue> {
    dice.several(|dice| KeyValue {
        key: dice.text(),
        value: Some(value(dice, depth)).filter(|_| !dice.one_in(6)),
        ..KeyValue::default()
    })
}

fn value(dice: &mut Dice, depth: u32) -> AnyValue {
    let value = match dice.below(if depth == 0 { 6 } else { 8 }) {
        0 => None,
        1 => Some(any_value::Value::StringValue(dice.text())),
        2 => Some(any_value::Value::BoolValue(dice.one_in(2))),
        3 => Some(any_value::Value::IntValue(dice.pick(&[0, 5, 300, -1]))),
        4 => Some(any_value::Value::DoubleValue(dice.pick(&[0.0, 1.5]))),
        5 => Some(any_value::Value::BytesValue(dice.text().into_bytes())),
        6 => Some(any_value::Value::ArrayValue(ArrayValue { values: dice.several(|dice| value(dice, depth - 1)) })),
        _ => Some(any_value::Value::KvlistValue(KeyValueList { values: attributes(dice, depth - 1) })),
    };
    AnyValue { value }
}

/// SplitMix64.
struct Dice {
    state: u64,
}

impl Dice {
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ self.state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize].clone()
    }

    fn text(&mut self) -> String {
        "x".repeat(self.pick(&[0, 0, 1, 5, 126, 127, 128, 20_000]))
    }

    fn several<T>(&mut self, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(4)).map(|_| make(self)).collect()
    }
}
