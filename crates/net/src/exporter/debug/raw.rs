//! Fields of protobuf messages as they stand on the wire, for messages that nothing else here reads.
//!
//! The requests were checked when they came in; where a message is broken all the same, reading ends there.

use otlp::Value;
use otlp::view::value;
use otlp::wire::{Reader, WireType};

/// A field's value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Raw<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
}

/// The fields of a message in wire order.
pub(super) fn fields(message: &[u8]) -> impl Iterator<Item = (u32, Raw<'_>)> {
    let mut reader = Reader::new(message);
    std::iter::from_fn(move || {
        while !reader.is_empty() {
            let tag = reader.tag().ok()?;
            let raw = match tag.wire {
                WireType::Varint => Raw::Varint(reader.varint().ok()?),
                WireType::Fixed64 => Raw::Fixed64(reader.fixed64().ok()?),
                WireType::Fixed32 => Raw::Fixed32(reader.fixed32().ok()?),
                WireType::Len => Raw::Bytes(reader.len_delimited().ok()?),
                WireType::GroupStart | WireType::GroupEnd => {
                    reader.skip(tag, 0).ok()?;
                    continue;
                }
            };
            return Some((tag.field, raw));
        }
        None
    })
}

/// The messages or texts of one field.
pub(super) fn bodies(message: &[u8], field: u32) -> impl Iterator<Item = &[u8]> {
    fields(message).filter_map(move |(number, raw)| match raw {
        Raw::Bytes(body) if number == field => Some(body),
        _ => None,
    })
}

/// The last text of a field.
pub(super) fn bytes(message: &[u8], field: u32) -> &[u8] {
    bodies(message, field).last().unwrap_or_default()
}

/// The last number of a field, as the wire has it.
pub(super) fn number(message: &[u8], field: u32) -> Option<u64> {
    let numbers = fields(message).filter(|(number, _)| *number == field).filter_map(|(_, raw)| match raw {
        Raw::Varint(value) | Raw::Fixed64(value) => Some(value),
        Raw::Fixed32(value) => Some(u64::from(value)),
        Raw::Bytes(_) => None,
    });
    numbers.last()
}

/// The last double of a field.
pub(super) fn double(message: &[u8], field: u32) -> Option<f64> {
    number(message, field).map(f64::from_bits)
}

/// A sint32, zero where it is not there.
pub(super) fn sint32(message: &[u8], field: u32) -> i32 {
    let zigzag = number(message, field).unwrap_or(0) as u32;
    (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed()
}

/// A repeated number of eight bytes, packed or not.
pub(super) fn fixed64s(message: &[u8], field: u32) -> Vec<u64> {
    fields(message).filter(|(number, _)| *number == field).fold(Vec::new(), |mut all, (_, raw)| {
        match raw {
            Raw::Bytes(packed) => all.extend(packed.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes))),
            Raw::Fixed64(value) => all.push(value),
            _ => {}
        }
        all
    })
}

/// A repeated varint, packed or not.
pub(super) fn varints(message: &[u8], field: u32) -> Vec<u64> {
    fields(message).filter(|(number, _)| *number == field).fold(Vec::new(), |mut all, (_, raw)| {
        match raw {
            Raw::Bytes(packed) => {
                let mut reader = Reader::new(packed);
                while let (false, Ok(value)) = (reader.is_empty(), reader.varint()) {
                    all.push(value);
                }
            }
            Raw::Varint(value) => all.push(value),
            _ => {}
        }
        all
    })
}

/// The attributes that stand in a field.
pub(super) fn attributes(message: &[u8], field: u32) -> impl Iterator<Item = (&[u8], Value<'_>)> {
    bodies(message, field).map(|entry| (bytes(entry, 1), any(bytes(entry, 2))))
}

/// An `AnyValue`.
pub(super) fn any(body: &[u8]) -> Value<'_> {
    value(body).unwrap_or(Value::Empty)
}
