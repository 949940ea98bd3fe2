//! How large Go's pdata says that spans are, which is what contrib's size limits count by. Not what is on the wire.
//!
//! Scalars that are zero and texts that are empty count nothing. IDs, the status, the resource, the scope and the value of
//! each attribute always count their tag and length, even when empty; an ID of zeros is empty. Unknown fields and schema
//! URLs count nothing. Protobuf's merge rules hold. A ResourceSpans is the [`resource`] and a [`field`] for each scope, a
//! ScopeSpans is the [`scope`] and a [`field`] for each span.
//!
//! The bytes have passed the scan; what is broken counts up to the break.

use crate::{
    view::fields::{Bodies, bytes, fixed32, fixed64, int32, uint32, varint},
    wire::{DEPTH_MAX, Reader, WireError, varint_len},
};

/// A field of the given length, with a tag of one byte, as the children of both envelopes have.
#[must_use]
#[inline]
pub fn field(len: usize) -> usize {
    1 + varint_len(len as u64) + len
}

/// The resource's share of a ResourceSpans whose fields, without the scopes, are `header`.
#[must_use]
pub fn resource(header: &[u8]) -> usize {
    let (mut sum, mut dropped) = (0, 0);
    for body in Bodies::new(header, 1, 1) {
        ignore(resource_fields(body, &mut sum, &mut dropped));
    }
    field(sum + number(dropped))
}

/// The scope's share of a ScopeSpans whose fields, without the spans, are `header`.
#[must_use]
pub fn scope(header: &[u8]) -> usize {
    let mut fields = Scope::default();
    for body in Bodies::new(header, 1, 2) {
        ignore(fields.merge(body));
    }
    field(text(fields.name) + text(fields.version) + fields.attributes + number(fields.dropped))
}

/// The body of a Span.
#[must_use]
pub fn span(body: &[u8]) -> usize {
    let mut fields = Span::default();
    ignore(fields.merge(body));
    // The flags' tag takes two bytes.
    let flags = if fields.flags == 0 { 0 } else { 6 };
    let status = text(fields.status_message) + number(i64::from(fields.status_code).cast_unsigned());
    id(fields.trace_id)
        + id(fields.span_id)
        + text(fields.trace_state)
        + id(fields.parent_span_id)
        + text(fields.name)
        + number(i64::from(fields.kind).cast_unsigned())
        + time(fields.start_ns)
        + time(fields.end_ns)
        + fields.children
        + number(u64::from(fields.dropped_attributes))
        + number(u64::from(fields.dropped_events))
        + number(u64::from(fields.dropped_links))
        + field(status)
        + flags
}

#[derive(Default)]
struct Scope<'a> {
    name: &'a [u8],
    version: &'a [u8],
    attributes: usize,
    dropped: u64,
}

#[derive(Default)]
struct Span<'a> {
    trace_id: &'a [u8],
    span_id: &'a [u8],
    trace_state: &'a [u8],
    parent_span_id: &'a [u8],
    name: &'a [u8],
    kind: i32,
    start_ns: u64,
    end_ns: u64,
    /// Attributes, events and links.
    children: usize,
    dropped_attributes: u32,
    dropped_events: u32,
    dropped_links: u32,
    status_message: &'a [u8],
    status_code: i32,
    flags: u32,
}

fn resource_fields(body: &[u8], sum: &mut usize, dropped: &mut u64) -> Result<(), WireError> {
    let mut reader = Reader::new(body);
    while !reader.is_empty() {
        let tag = reader.tag()?;
        match tag.field {
            1 => *sum += field(attribute(bytes(&mut reader, tag)?)),
            2 => *dropped = u64::from(uint32(&mut reader, tag)?),
            3 => *sum += field(entity(bytes(&mut reader, tag)?)),
            _ => reader.skip(tag, 2)?,
        }
    }
    Ok(())
}

impl<'a> Scope<'a> {
    fn merge(&mut self, body: &'a [u8]) -> Result<(), WireError> {
        let mut reader = Reader::new(body);
        while !reader.is_empty() {
            let tag = reader.tag()?;
            match tag.field {
                1 => self.name = bytes(&mut reader, tag)?,
                2 => self.version = bytes(&mut reader, tag)?,
                3 => self.attributes += field(attribute(bytes(&mut reader, tag)?)),
                4 => self.dropped = u64::from(uint32(&mut reader, tag)?),
                _ => reader.skip(tag, 3)?,
            }
        }
        Ok(())
    }
}

impl<'a> Span<'a> {
    fn merge(&mut self, body: &'a [u8]) -> Result<(), WireError> {
        let mut reader = Reader::new(body);
        while !reader.is_empty() {
            let tag = reader.tag()?;
            match tag.field {
                1 => self.trace_id = bytes(&mut reader, tag)?,
                2 => self.span_id = bytes(&mut reader, tag)?,
                3 => self.trace_state = bytes(&mut reader, tag)?,
                4 => self.parent_span_id = bytes(&mut reader, tag)?,
                5 => self.name = bytes(&mut reader, tag)?,
                6 => self.kind = int32(&mut reader, tag)?,
                7 => self.start_ns = fixed64(&mut reader, tag)?,
                8 => self.end_ns = fixed64(&mut reader, tag)?,
                9 => self.children += field(attribute(bytes(&mut reader, tag)?)),
                10 => self.dropped_attributes = uint32(&mut reader, tag)?,
                11 => self.children += field(event(bytes(&mut reader, tag)?)),
                12 => self.dropped_events = uint32(&mut reader, tag)?,
                13 => self.children += field(link(bytes(&mut reader, tag)?)),
                14 => self.dropped_links = uint32(&mut reader, tag)?,
                15 => self.merge_status(bytes(&mut reader, tag)?)?,
                16 => self.flags = fixed32(&mut reader, tag)?,
                _ => reader.skip(tag, 3)?,
            }
        }
        Ok(())
    }

    fn merge_status(&mut self, body: &'a [u8]) -> Result<(), WireError> {
        let mut reader = Reader::new(body);
        while !reader.is_empty() {
            let tag = reader.tag()?;
            match tag.field {
                2 => self.status_message = bytes(&mut reader, tag)?,
                3 => self.status_code = int32(&mut reader, tag)?,
                _ => reader.skip(tag, 4)?,
            }
        }
        Ok(())
    }
}

/// The body of a Span.Event.
fn event(body: &[u8]) -> usize {
    let (mut time_ns, mut name, mut attributes, mut dropped): (u64, &[u8], usize, u64) = (0, &[], 0, 0);
    ignore((|| {
        let mut reader = Reader::new(body);
        while !reader.is_empty() {
            let tag = reader.tag()?;
            match tag.field {
                1 => time_ns = fixed64(&mut reader, tag)?,
                2 => name = bytes(&mut reader, tag)?,
                3 => attributes += field(attribute(bytes(&mut reader, tag)?)),
                4 => dropped = u64::from(uint32(&mut reader, tag)?),
                _ => reader.skip(tag, 4)?,
            }
        }
        Ok(())
    })());
    time(time_ns) + text(name) + attributes + number(dropped)
}

/// The body of a Span.Link.
fn link(body: &[u8]) -> usize {
    let (mut trace_id, mut span_id, mut state): (&[u8], &[u8], &[u8]) = (&[], &[], &[]);
    let (mut attributes, mut dropped, mut flags) = (0, 0, 0);
    ignore((|| {
        let mut reader = Reader::new(body);
        while !reader.is_empty() {
            let tag = reader.tag()?;
            match tag.field {
                1 => trace_id = bytes(&mut reader, tag)?,
                2 => span_id = bytes(&mut reader, tag)?,
                3 => state = bytes(&mut reader, tag)?,
                4 => attributes += field(attribute(bytes(&mut reader, tag)?)),
                5 => dropped = u64::from(uint32(&mut reader, tag)?),
                6 => flags = fixed32(&mut reader, tag)?,
                _ => reader.skip(tag, 4)?,
            }
        }
        Ok(())
    })());
    id(trace_id) + id(span_id) + text(state) + attributes + number(dropped) + if flags == 0 { 0 } else { 5 }
}

/// The body of an EntityRef.
fn entity(body: &[u8]) -> usize {
    let (mut schema_url, mut kind, mut keys): (&[u8], &[u8], usize) = (&[], &[], 0);
    ignore((|| {
        let mut reader = Reader::new(body);
        while !reader.is_empty() {
            let tag = reader.tag()?;
            match tag.field {
                1 => schema_url = bytes(&mut reader, tag)?,
                2 => kind = bytes(&mut reader, tag)?,
                3 | 4 => keys += field(bytes(&mut reader, tag)?.len()),
                _ => reader.skip(tag, 3)?,
            }
        }
        Ok(())
    })());
    text(schema_url) + text(kind) + keys
}

/// The body of a KeyValue.
fn attribute(body: &[u8]) -> usize {
    if is_canonical(body) { body.len() } else { nested(body) }
}

/// Whether the KeyValue is a key and one scalar, each encoded as pdata would. `false` says nothing.
#[inline]
fn is_canonical(body: &[u8]) -> bool {
    let [0x0a, key_len @ 1..0x80, rest @ ..] = body else { return false };
    let Some([0x12, value_len, value @ ..]) = rest.get(usize::from(*key_len)..) else { return false };
    usize::from(*value_len) == value.len()
        && value.len() < 0x80
        && match value {
            [] | [0x10 | 0x18, 0..0x80] | [0x18, 0x80..=0xff, 1..0x80] => true,
            [0x0a, len, text @ ..] => usize::from(*len) == text.len(),
            [0x21, double @ ..] => double.len() == 8,
            _ => false,
        }
}

/// A message that waits while one of its fields is measured.
#[derive(Clone, Copy)]
struct Open {
    kind: Kind,
    end: usize,
    /// So far: of a KeyValue its value, of an AnyValue what the last of its fields says.
    len: usize,
    /// Of a KeyValue: its key.
    key: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    KeyValue,
    AnyValue,
    Array,
    Map,
}

/// Measures a KeyValue of any shape, without recursion; what nests deeper than the scan allows counts nothing.
fn nested(body: &[u8]) -> usize {
    let mut open = [Open { kind: Kind::KeyValue, end: body.len(), len: 0, key: 0 }; DEPTH_MAX as usize];
    let (mut depth, mut at) = (0, 0);
    loop {
        let Some(top) = open.get_mut(depth) else { return 0 };
        match step(body, at, top) {
            Some((inner, position)) => {
                at = position;
                depth += 1;
                let Some(slot) = open.get_mut(depth) else { return 0 };
                *slot = inner;
            }
            None => {
                let closed = *top;
                at = closed.end;
                let Some(outer) = depth.checked_sub(1) else { return closed.total() };
                depth = outer;
                if let Some(outer) = open.get_mut(depth) {
                    outer.close(&closed);
                }
            }
        }
    }
}

/// Reads on in the message until it is over or one begins in it: that one, and where it starts.
fn step(body: &[u8], at: usize, top: &mut Open) -> Option<(Open, usize)> {
    let mut reader = Reader::within(body, at, top.end);
    while !reader.is_empty() {
        let tag = reader.tag().ok()?;
        let inner = match (top.kind, tag.field) {
            (Kind::KeyValue, 1) => {
                top.key = text(bytes(&mut reader, tag).ok()?);
                continue;
            }
            (Kind::KeyValue, 2) | (Kind::Array, 1) => Kind::AnyValue,
            (Kind::Map, 1) => Kind::KeyValue,
            (Kind::AnyValue, 5) => Kind::Array,
            (Kind::AnyValue, 6) => Kind::Map,
            (Kind::AnyValue, 1..=7) => {
                top.len = scalar(&mut reader, tag).ok()?;
                continue;
            }
            _ => {
                reader.skip(tag, 0).ok()?;
                continue;
            }
        };
        let len = bytes(&mut reader, tag).ok()?.len();
        // A second value of a KeyValue is merged with the first.
        let before = if top.kind == Kind::KeyValue { top.len } else { 0 };
        return Some((Open { kind: inner, end: reader.position(), len: before, key: 0 }, reader.position() - len));
    }
    None
}

/// A scalar field of an AnyValue; it counts even when empty.
fn scalar(reader: &mut Reader<'_>, tag: crate::wire::Tag) -> Result<usize, WireError> {
    Ok(match tag.field {
        2 => varint(reader, tag).map(|_| 2)?,
        3 => 1 + varint_len(varint(reader, tag)?),
        4 => fixed64(reader, tag).map(|_| 9)?,
        _ => field(bytes(reader, tag)?.len()),
    })
}

impl Open {
    fn total(&self) -> usize {
        if self.kind == Kind::KeyValue { self.key + field(self.len) } else { self.len }
    }

    fn close(&mut self, inner: &Self) {
        match self.kind {
            Kind::KeyValue => self.len = inner.total(),
            Kind::AnyValue => self.len = field(inner.total()),
            Kind::Array | Kind::Map => self.len += field(inner.total()),
        }
    }
}

#[inline]
fn id(id: &[u8]) -> usize {
    if id.iter().all(|byte| *byte == 0) { 2 } else { field(id.len()) }
}

#[inline]
fn text(text: &[u8]) -> usize {
    if text.is_empty() { 0 } else { field(text.len()) }
}

#[inline]
fn number(value: u64) -> usize {
    if value == 0 { 0 } else { 1 + varint_len(value) }
}

#[inline]
fn time(ns: u64) -> usize {
    if ns == 0 { 0 } else { 9 }
}

/// What was measured before the break stands.
fn ignore(_: Result<(), WireError>) {}

#[cfg(test)]
mod tests;
