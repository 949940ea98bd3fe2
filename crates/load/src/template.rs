//! A span encoded once, with fixed places for everything that differs from span to span.
//!
//! Encoding a span field by field costs ten times as much as copying it, so [`Template::write`] copies and then overwrites:
//! ```text
//! 12 len │ 0a 10 trace-id │ 12 08 span-id │ 22 08 parent │ 2a name │ 30 kind │ 39 start │ 41 end │ 4a attributes … │ 85 01 flags
//!          └─ always here ────────────────┘ absent in roots                    └─ remembered ─┘      └─ holes: digits, numbers
//! ```
//! In a content's texts `#` stands for a decimal digit and `~` for a hexadecimal one, drawn anew for every span.

use crate::{
    mix::{Content, Field},
    random::Random,
};
use otlp::wire::{WireType, put_fixed32, put_fixed64, put_len, put_tag, put_uint, put_varint, varint_len};

/// A span with its tag and length, as it stands in a ScopeSpans.
#[derive(Debug)]
pub(crate) struct Template {
    encoded: Vec<u8>,
    trace_id_at: usize,
    span_id_at: usize,
    parent_id_at: Option<usize>,
    start_at: usize,
    end_at: usize,
    holes: Vec<Hole>,
}

/// What one span puts into a template.
#[derive(Debug)]
pub(crate) struct Stamp {
    pub(crate) trace_id: [u8; 16],
    pub(crate) span_id: [u8; 8],
    pub(crate) parent_id: [u8; 8],
    pub(crate) start_ns: u64,
    pub(crate) end_ns: u64,
    pub(crate) random: u64,
}

#[derive(Clone, Copy, Debug)]
struct Hole {
    at: u32,
    len: u32,
    filling: Filling,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Filling {
    /// Decimal digits.
    Decimal,
    /// The span's end, as fixed64.
    EndTime,
    /// Hexadecimal digits.
    Hex,
    /// A varint of exactly the hole's length.
    Varint,
}

impl Template {
    pub(crate) fn new(content: &Content, is_root: bool) -> Self {
        let mut body = Vec::new();
        let mut holes = Vec::new();
        put_len(&mut body, 1, &[0; 16]);
        put_len(&mut body, 2, &[0; 8]);
        if !is_root {
            put_len(&mut body, 4, &[0; 8]);
        }
        put_len(&mut body, 5, content.name.as_bytes());
        put_uint(&mut body, 6, content.kind);
        put_fixed64(&mut body, 7, 0);
        put_fixed64(&mut body, 8, 0);
        let times_end = body.len();
        for (key, field) in &content.attributes {
            put_attribute(&mut body, &mut holes, 9, key, field);
        }
        if let Some(exception) = &content.exception {
            let (mut event, mut event_holes) = (Vec::new(), Vec::new());
            event_holes.push(Hole { at: 1, len: 8, filling: Filling::EndTime });
            put_fixed64(&mut event, 1, 0);
            put_len(&mut event, 2, b"exception");
            for (key, field) in exception {
                put_attribute(&mut event, &mut event_holes, 3, key, field);
            }
            put_message(&mut body, &mut holes, 11, &event, &event_holes);
        }
        if let Some(message) = &content.error {
            let mut status = Vec::new();
            put_len(&mut status, 2, message.as_bytes());
            put_uint(&mut status, 3, 2);
            put_len(&mut body, 15, &status);
        }
        put_fixed32(&mut body, 16, FLAGS);

        let mut encoded = Vec::new();
        put_len(&mut encoded, 2, &body);
        let start = encoded.len() - body.len();
        holes.iter_mut().for_each(|hole| hole.at += start as u32);
        Self {
            trace_id_at: start + 2,
            span_id_at: start + 20,
            parent_id_at: (!is_root).then_some(start + 30),
            start_at: start + times_end - 17,
            end_at: start + times_end - 8,
            encoded,
            holes,
        }
    }

    /// How many bytes [`Template::write`] appends.
    #[inline]
    pub(crate) fn encoded_len(&self) -> usize {
        self.encoded.len()
    }

    /// Appends the span.
    #[inline]
    pub(crate) fn write(&self, out: &mut Vec<u8>, stamp: &Stamp) {
        let start = out.len();
        out.extend_from_slice(&self.encoded);
        let span = &mut out[start..];
        span[self.trace_id_at..self.trace_id_at + 16].copy_from_slice(&stamp.trace_id);
        span[self.span_id_at..self.span_id_at + 8].copy_from_slice(&stamp.span_id);
        if let Some(at) = self.parent_id_at {
            span[at..at + 8].copy_from_slice(&stamp.parent_id);
        }
        span[self.start_at..self.start_at + 8].copy_from_slice(&stamp.start_ns.to_le_bytes());
        span[self.end_at..self.end_at + 8].copy_from_slice(&stamp.end_ns.to_le_bytes());
        let mut random = Random::new(stamp.random);
        for hole in &self.holes {
            let place = &mut span[hole.at as usize..(hole.at + hole.len) as usize];
            fill(place, hole.filling, &mut random, stamp.end_ns);
        }
    }
}

#[inline]
fn fill(place: &mut [u8], filling: Filling, random: &mut Random, end_ns: u64) {
    match filling {
        Filling::EndTime => place.copy_from_slice(&end_ns.to_le_bytes()),
        Filling::Varint => {
            let bits = random.next().to_le_bytes();
            let last = place.len() - 1;
            for (byte, random) in place.iter_mut().zip(bits) {
                *byte = random | 0x80;
            }
            place[last] = place[last] & 0x7f | 1;
        }
        Filling::Hex => {
            for digits in place.chunks_mut(16) {
                let mut bits = random.next();
                for digit in digits {
                    *digit = b"0123456789abcdef"[(bits & 15) as usize];
                    bits >>= 4;
                }
            }
        }
        Filling::Decimal => {
            let mut value = random.next() >> 32;
            for digit in place {
                *digit = b'0' + (value % 10) as u8;
                value /= 10;
            }
        }
    }
}

/// Appends a KeyValue as `field`.
fn put_attribute(out: &mut Vec<u8>, holes: &mut Vec<Hole>, field: u32, key: &str, value: &Field) {
    let (mut any, mut any_holes) = (Vec::new(), Vec::new());
    match value {
        Field::Int(value) => put_uint(&mut any, 3, *value as u64),
        Field::Roll { len } => {
            put_tag(&mut any, 3, WireType::Varint);
            any_holes.push(Hole { at: any.len() as u32, len: u32::from(*len), filling: Filling::Varint });
            any.resize(any.len() + usize::from(*len), 0);
        }
        Field::Text(text) => {
            put_len(&mut any, 1, text.as_bytes());
            let start = any.len() - text.len();
            any_holes.extend(text_holes(text).map(|hole| Hole { at: hole.at + start as u32, ..hole }));
        }
    }
    let mut pair = Vec::new();
    let mut pair_holes = Vec::new();
    put_len(&mut pair, 1, key.as_bytes());
    put_message(&mut pair, &mut pair_holes, 2, &any, &any_holes);
    put_message(out, holes, field, &pair, &pair_holes);
}

/// Appends a nested message and moves its holes to where they now are.
fn put_message(out: &mut Vec<u8>, holes: &mut Vec<Hole>, field: u32, body: &[u8], body_holes: &[Hole]) {
    put_len(out, field, body);
    let start = (out.len() - body.len()) as u32;
    holes.extend(body_holes.iter().map(|hole| Hole { at: hole.at + start, ..*hole }));
}

/// The runs of `#` and `~`, none longer than what one draw fills.
fn text_holes(text: &str) -> impl Iterator<Item = Hole> + '_ {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        at += bytes[at..].iter().position(|byte| matches!(byte, b'#' | b'~'))?;
        let (mark, start) = (bytes[at], at);
        let (filling, len_max) = if mark == b'#' { (Filling::Decimal, 9) } else { (Filling::Hex, usize::MAX) };
        while at < bytes.len() && bytes[at] == mark && at - start < len_max {
            at += 1;
        }
        Some(Hole { at: start as u32, len: (at - start) as u32, filling })
    })
}

/// The bytes of an envelope's attributes, for resources; none of them has holes.
pub(crate) fn put_fixed_attribute(out: &mut Vec<u8>, field: u32, key: &str, value: &str) {
    put_attribute(out, &mut Vec::new(), field, key, &Field::Text(value.to_owned()));
}

/// How long a length-delimited field with a one-byte tag is.
#[inline]
pub(crate) fn field_len(body_len: usize) -> usize {
    1 + varint_len(body_len as u64) + body_len
}

/// Appends tag and length of a length-delimited field whose body follows.
#[inline]
pub(crate) fn put_field_start(out: &mut Vec<u8>, field: u32, body_len: usize) {
    put_tag(out, field, WireType::Len);
    put_varint(out, body_len as u64);
}

/// W3C "sampled", and OTLP's "it is known whether the parent is remote: it is not".
const FLAGS: u32 = 0x101;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mix::{Mix, Position};
    use opentelemetry_proto::tonic::{common::v1::any_value::Value, trace::v1::ScopeSpans};
    use prost::Message as _;

    const STAMP: Stamp = Stamp {
        trace_id: [1; 16],
        span_id: [2; 8],
        parent_id: [3; 8],
        start_ns: 1_700_000_000_000_000_001,
        end_ns: 1_700_000_000_000_000_002,
        random: 99,
    };

    #[test]
    fn every_template_is_a_span_as_stamped() {
        for mix in [Mix::Plain, Mix::Hard] {
            for (position, is_root) in [(Position::Entry, true), (Position::Entry, false), (Position::Call, false)] {
                for (variant, failed) in (0..64).zip([false, true].into_iter().cycle()) {
                    check(&mix.content(variant % 5, position, failed, variant), is_root, failed);
                }
            }
        }
    }

    fn check(content: &Content, is_root: bool, failed: bool) {
        let template = Template::new(content, is_root);
        let mut out = Vec::new();
        template.write(&mut out, &STAMP);
        assert_eq!(out.len(), template.encoded_len());
        let span = ScopeSpans::decode(out.as_slice()).expect("valid protobuf").spans.remove(0);
        assert_eq!(span.trace_id, STAMP.trace_id);
        assert_eq!(span.span_id, STAMP.span_id);
        assert_eq!(span.parent_span_id, if is_root { &[][..] } else { &STAMP.parent_id });
        assert_eq!((span.start_time_unix_nano, span.end_time_unix_nano), (STAMP.start_ns, STAMP.end_ns));
        assert_eq!(span.status.as_ref().map_or(0, |status| status.code), if failed { 2 } else { 0 });
        assert_eq!(span.attributes.len(), 10);
        assert!(span.events.iter().all(|event| event.time_unix_nano == STAMP.end_ns));
        let events = span.events.iter().flat_map(|event| &event.attributes);
        for attribute in span.attributes.iter().chain(events) {
            let value = attribute.value.as_ref().and_then(|value| value.value.as_ref()).expect("a value");
            match value {
                Value::StringValue(text) => assert!(!text.contains(['#', '~', '\0']), "{}: {text}", attribute.key),
                Value::IntValue(number) => assert!(*number > 0, "{}", attribute.key),
                other => panic!("{}: {other:?}", attribute.key),
            }
        }
    }

    #[test]
    fn the_same_stamp_gives_the_same_bytes_and_another_does_not() {
        let template = Template::new(&Mix::Hard.content(1, Position::Call, false, 0), false);
        let write = |random| {
            let mut out = Vec::new();
            template.write(&mut out, &Stamp { random, ..STAMP });
            out
        };
        assert_eq!(write(1), write(1));
        assert_ne!(write(1), write(2));
    }
}
