//! Protobuf bytes to OTLP/JSON as the specification writes it.
//!
//! Messages are walked field by field of the schema, so that what protobuf allows to be scattered (elements of a list, a
//! message in several parts) comes together. A message's tags are walked once, and then those between a field's first value
//! and its last. Unknown fields have no JSON form and are left out.

use super::{
    attribute, base64,
    digits::{put_decimal, put_hex, put_signed},
    plain::{is_plain_ascii, plain_len},
};
use crate::Signal;
use crate::schema::{self, Field, Kind, Message, Presence, Shape};
use crate::wire::{DEPTH_MAX, Reader, WireError, WireType};
use std::{borrow::Cow, io::Write};

/// Turns a request of `signal`, such as an `ExportTraceServiceRequest`, into OTLP/JSON. Invalid UTF-8 becomes U+FFFD, because
/// JSON has no other text.
///
/// # Errors
/// Where the protobuf structure is broken.
pub fn encode(signal: Signal, request: &[u8]) -> Result<Vec<u8>, WireError> {
    let mut out = Vec::with_capacity(request.len() * 3);
    object(&mut out, Message::request(signal), request, 0)?;
    Ok(out)
}

fn object(out: &mut Vec<u8>, message: Message, body: &[u8], depth: u32) -> Result<(), WireError> {
    if depth > DEPTH_MAX {
        return Err(WireError::TooDeep);
    }
    if message == Message::KeyValue && attribute::encode(out, body, depth) {
        return Ok(());
    }
    let mut separator = b'{';
    let present = Present::of(message, body, depth)?;
    for (field, place) in schema::fields(message).iter().zip(&present.fields).filter(|(_, place)| place.end > 0) {
        let values = Values { reader: Reader::within(body, place.start, place.end), number: field.number, depth };
        let start = out.len();
        out.extend_from_slice(&[separator, b'"']);
        out.extend_from_slice(field.camel.as_bytes());
        out.extend_from_slice(b"\":");
        let is_written = match field.kind {
            Kind::Messages(_) | Kind::Texts => array(out, field, values, depth).map(|()| true),
            Kind::Doubles | Kind::Fixed64s | Kind::Uint64s => numbers(out, field.kind, values),
            Kind::Message(child) => object(out, child, &joined(values)?, depth + 1).map(|()| true),
            kind => scalar(out, kind, values, field.presence != Presence::Implicit),
        }?;
        if is_written {
            separator = b',';
        } else {
            out.truncate(start);
        }
    }
    if separator == b'{' {
        out.push(b'{');
    }
    out.push(b'}');
    Ok(())
}

/// Where the fields of the schema stand in a message.
struct Present {
    fields: [Place; FIELDS_MAX],
}

/// Where the first value of a field begins and the last one that counts ends; nowhere, if there is none.
#[derive(Clone, Copy, Default)]
struct Place {
    start: usize,
    end: usize,
}

impl Present {
    fn of(message: Message, body: &[u8], depth: u32) -> Result<Self, WireError> {
        let fields = schema::fields(message);
        let mut present = Self { fields: [Place::default(); FIELDS_MAX] };
        let mut choice = None;
        let mut next = 0;
        let mut reader = Reader::new(body);
        while !reader.is_empty() {
            let at = reader.position();
            let tag = reader.tag()?;
            let known = schema::by_number(fields, tag.field, next)
                .and_then(|index| Some((index, fields.get(index).filter(|field| field.has_json())?)));
            if let Some((_, field)) = known {
                let shape = field.kind.shape();
                if shape.wire() != tag.wire && (tag.wire != WireType::Len || !shape.is_packable()) {
                    return Err(WireError::WrongWireType);
                }
            }
            reader.skip(tag, depth)?;
            let Some((index, field)) = known else { continue };
            next = index;
            // Of a `oneof` the last field counts, from where no other one is behind it.
            if field.presence == Presence::Choice && choice != Some(index) {
                choice.into_iter().for_each(|earlier: usize| present.fields[earlier] = Place::default());
                choice = Some(index);
            }
            let place = &mut present.fields[index];
            if place.end == 0 {
                place.start = at;
            }
            place.end = reader.position();
        }
        Ok(present)
    }
}

fn array(out: &mut Vec<u8>, field: &Field, values: Values<'_>, depth: u32) -> Result<(), WireError> {
    let mut separator = b'[';
    for value in values {
        out.push(separator);
        separator = b',';
        let value = value?;
        match field.kind {
            Kind::Messages(child) => object(out, child, value.bytes, depth + 1)?,
            _ => string(out, value.bytes),
        }
    }
    out.push(b']');
    Ok(())
}

/// A list of numbers, packed or not. False if it is empty.
fn numbers(out: &mut Vec<u8>, kind: Kind, values: Values<'_>) -> Result<bool, WireError> {
    let mut separator = b'[';
    let mut put = |number| {
        out.push(separator);
        separator = b',';
        match kind {
            Kind::Doubles => double(out, f64::from_bits(number)),
            _ => quoted(out, |out| put_decimal(out, number)),
        }
    };
    for value in values {
        let value = value?;
        if value.wire != WireType::Len {
            put(value.number);
            continue;
        }
        let mut list = Reader::new(value.bytes);
        while !list.is_empty() {
            put(if kind.shape() == Shape::Varints { list.varint()? } else { list.fixed64()? });
        }
    }
    let is_empty = separator == b'[';
    out.push(b']');
    Ok(!is_empty)
}

/// The parts of a message put together, which is how protobuf merges them.
fn joined(mut values: Values<'_>) -> Result<Cow<'_, [u8]>, WireError> {
    let first = values.next().transpose()?.unwrap_or_default().bytes;
    let mut all = Cow::Borrowed(first);
    for value in values {
        all.to_mut().extend_from_slice(value?.bytes);
    }
    Ok(all)
}

/// The last value counts. False if it is a default that is not worth writing.
fn scalar(out: &mut Vec<u8>, kind: Kind, values: Values<'_>, keeps_default: bool) -> Result<bool, WireError> {
    let mut last = Value::default();
    for value in values {
        last = value?;
    }
    if !keeps_default && last.number == 0 && last.bytes.is_empty() {
        return Ok(false);
    }
    match kind {
        Kind::Text => string(out, last.bytes),
        Kind::Id(_) => {
            out.push(b'"');
            put_hex(out, last.bytes);
            out.push(b'"');
        }
        Kind::Bytes => {
            out.push(b'"');
            base64::encode(out, last.bytes);
            out.push(b'"');
        }
        Kind::Bool => out.extend_from_slice(if last.number == 0 { b"false" } else { b"true" }),
        Kind::Int64 | Kind::Sfixed64 => quoted(out, |out| put_signed(out, last.number as i64)),
        Kind::Fixed64 => quoted(out, |out| put_decimal(out, last.number)),
        Kind::Uint32 | Kind::Fixed32 => put_decimal(out, u64::from(last.number as u32)),
        Kind::Sint32 => {
            let zigzag = last.number as u32;
            put_signed(out, i64::from((zigzag >> 1) as i32 ^ -((zigzag & 1) as i32)));
        }
        Kind::Enum(_) => put_signed(out, i64::from(last.number as i32)),
        Kind::Double => double(out, f64::from_bits(last.number)),
        // The caller has dealt with these, and indices have no name in JSON.
        Kind::Index | Kind::Message(_) | Kind::Messages(_) => {}
        Kind::Texts | Kind::Doubles | Kind::Fixed64s | Kind::Uint64s => {}
    }
    Ok(true)
}

fn double(out: &mut Vec<u8>, value: f64) {
    if value.is_nan() {
        out.extend_from_slice(b"\"NaN\"");
    } else if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"\"Infinity\"" } else { b"\"-Infinity\"" });
    } else {
        // The debug form is the shortest that reads back to the same bits, and is JSON.
        print(out, format_args!("{value:?}"));
    }
}

pub(super) fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    if is_plain_ascii(bytes) {
        out.extend_from_slice(bytes);
    } else {
        for chunk in bytes.utf8_chunks() {
            escaped(out, chunk.valid().as_bytes());
            if !chunk.invalid().is_empty() {
                out.extend_from_slice("\u{fffd}".as_bytes());
            }
        }
    }
    out.push(b'"');
}

fn escaped(out: &mut Vec<u8>, mut bytes: &[u8]) {
    loop {
        let (plain, rest) = bytes.split_at(plain_len(bytes));
        out.extend_from_slice(plain);
        let Some((byte, rest)) = rest.split_first() else { return };
        match byte {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => print(out, format_args!("\\u{byte:04x}")),
            _ => out.extend_from_slice(&[b'\\', *byte]),
        }
        bytes = rest;
    }
}

pub(super) fn quoted(out: &mut Vec<u8>, put: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    put(out);
    out.push(b'"');
}

fn print(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a Vec takes everything");
}

/// The values of one field of a message, whose wire types have been checked.
struct Values<'a> {
    reader: Reader<'a>,
    number: u32,
    depth: u32,
}

/// A value as it stands on the wire: a number, or bytes.
#[derive(Clone, Copy)]
struct Value<'a> {
    wire: WireType,
    number: u64,
    bytes: &'a [u8],
}

impl Default for Value<'_> {
    fn default() -> Self {
        Self { wire: WireType::Len, number: 0, bytes: &[] }
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = Result<Value<'a>, WireError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        while !self.reader.is_empty() {
            match self.step() {
                Ok(None) => {}
                Ok(Some(value)) => return Some(Ok(value)),
                Err(error) => {
                    self.reader = Reader::new(&[]);
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

impl<'a> Values<'a> {
    #[inline]
    fn step(&mut self) -> Result<Option<Value<'a>>, WireError> {
        let tag = self.reader.tag()?;
        if tag.field != self.number {
            self.reader.skip(tag, self.depth)?;
            return Ok(None);
        }
        let mut value = Value { wire: tag.wire, ..Value::default() };
        match tag.wire {
            WireType::Varint => value.number = self.reader.varint()?,
            WireType::Fixed64 => value.number = self.reader.fixed64()?,
            WireType::Fixed32 => value.number = u64::from(self.reader.fixed32()?),
            WireType::Len => value.bytes = self.reader.len_delimited()?,
            _ => return Err(WireError::WrongWireType),
        }
        Ok(Some(value))
    }
}

/// As many fields as the largest message, the span, has.
const FIELDS_MAX: usize = 16;
