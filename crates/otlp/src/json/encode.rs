//! Protobuf bytes to OTLP/JSON as the specification writes it.
//!
//! Messages are walked field by field of the schema, so that what protobuf allows to be scattered (elements of a list, a
//! message in several parts) comes together. A message's tags are walked once per field that is present, which is cheap
//! because children are stepped over by their length. Unknown fields have no JSON form and are left out.

use super::{
    base64,
    schema::{self, Field, Kind, Schema},
};
use crate::wire::{DEPTH_MAX, Reader, WireError};
use std::{borrow::Cow, io::Write};

/// Turns an `ExportTraceServiceRequest` into OTLP/JSON. Invalid UTF-8 becomes U+FFFD, because JSON has no other text.
///
/// # Errors
/// Where the protobuf structure is broken.
pub fn encode(request: &[u8]) -> Result<Vec<u8>, WireError> {
    let mut out = Vec::with_capacity(request.len() * 2);
    object(&mut out, &schema::REQUEST, request, 0)?;
    Ok(out)
}

fn object(out: &mut Vec<u8>, schema: &Schema, body: &[u8], depth: u32) -> Result<(), WireError> {
    if depth > DEPTH_MAX {
        return Err(WireError::TooDeep);
    }
    let mut separator = b'{';
    for (field, _) in schema.fields.iter().zip(present(schema, body, depth)?).filter(|(_, is_present)| *is_present) {
        let values = Values { reader: Reader::new(body), number: field.number, depth };
        let start = out.len();
        out.push(separator);
        string(out, field.camel.as_bytes());
        out.push(b':');
        let is_written = match field.kind {
            Kind::Messages(_) | Kind::Texts => array(out, field, values, depth).map(|()| true),
            Kind::Message(child) => object(out, child, &joined(values)?, depth + 1).map(|()| true),
            kind => scalar(out, kind, values, schema.is_oneof),
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

/// Which fields of the schema the message has; of a `oneof` only the last.
fn present(schema: &Schema, body: &[u8], depth: u32) -> Result<[bool; FIELDS_MAX], WireError> {
    let mut present = [false; FIELDS_MAX];
    let mut reader = Reader::new(body);
    while !reader.is_empty() {
        let tag = reader.tag()?;
        if let Some(index) = schema.fields.iter().position(|field| field.number == tag.field) {
            if schema.fields[index].kind.wire() != tag.wire {
                return Err(WireError::WrongWireType);
            }
            if schema.is_oneof {
                present = [false; FIELDS_MAX];
            }
            present[index] = true;
        }
        reader.skip(tag, depth)?;
    }
    Ok(present)
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
fn scalar(out: &mut Vec<u8>, kind: Kind, values: Values<'_>, is_oneof: bool) -> Result<bool, WireError> {
    let mut last = Value::default();
    for value in values {
        last = value?;
    }
    if !is_oneof && last.number == 0 && last.bytes.is_empty() {
        return Ok(false);
    }
    match kind {
        Kind::Text => string(out, last.bytes),
        Kind::Id(_) => {
            out.push(b'"');
            last.bytes.iter().for_each(|byte| print(out, format_args!("{byte:02x}")));
            out.push(b'"');
        }
        Kind::Bytes => {
            out.push(b'"');
            base64::encode(out, last.bytes);
            out.push(b'"');
        }
        Kind::Bool => print(out, format_args!("{}", last.number != 0)),
        Kind::Int64 => print(out, format_args!("\"{}\"", last.number as i64)),
        Kind::Time => print(out, format_args!("\"{}\"", last.number)),
        Kind::Count | Kind::Flags => print(out, format_args!("{}", last.number as u32)),
        Kind::Enum(_) => print(out, format_args!("{}", last.number as i32)),
        Kind::Double => double(out, f64::from_bits(last.number)),
        // The caller has dealt with these.
        Kind::Message(_) | Kind::Messages(_) | Kind::Texts => {}
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

fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    for chunk in bytes.utf8_chunks() {
        for byte in chunk.valid().bytes() {
            match byte {
                b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\r' => out.extend_from_slice(b"\\r"),
                b'\t' => out.extend_from_slice(b"\\t"),
                0..0x20 => print(out, format_args!("\\u{byte:04x}")),
                _ => out.push(byte),
            }
        }
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
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
#[derive(Clone, Copy, Default)]
struct Value<'a> {
    number: u64,
    bytes: &'a [u8],
}

impl<'a> Iterator for Values<'a> {
    type Item = Result<Value<'a>, WireError>;

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
    fn step(&mut self) -> Result<Option<Value<'a>>, WireError> {
        let tag = self.reader.tag()?;
        if tag.field != self.number {
            self.reader.skip(tag, self.depth)?;
            return Ok(None);
        }
        use crate::wire::WireType::{Fixed32, Fixed64, Len, Varint};
        let value = match tag.wire {
            Varint => Value { number: self.reader.varint()?, bytes: &[] },
            Fixed64 => Value { number: self.reader.fixed64()?, bytes: &[] },
            Fixed32 => Value { number: u64::from(self.reader.fixed32()?), bytes: &[] },
            Len => Value { number: 0, bytes: self.reader.len_delimited()? },
            _ => return Err(WireError::WrongWireType),
        };
        Ok(Some(value))
    }
}

/// As many fields as the largest message, the span, has.
const FIELDS_MAX: usize = 16;
