//! Attribute values: key-value lists, arrays, and the `AnyValue` itself.
//!
//! Containers are read one level at a time, by whoever wants the next level; so depth is the reader's affair, not ours.

use super::fields::{Bodies, bytes, fixed64, varint};
use crate::{
    schema::{Message, key},
    value::Value,
    wire::{Reader, WireError},
};

/// Iterator of `(key, value)` over a repeated KeyValue field; ends at the first broken one.
#[derive(Clone, Copy, Debug)]
pub struct Attributes<'a> {
    /// Further messages that hold the field, for those that merge.
    holders: Bodies<'a>,
    entries: Bodies<'a>,
    field: u32,
}

/// Iterator of the values of an `ArrayValue`; ends at the first broken one.
#[derive(Clone, Copy, Debug)]
pub struct ArrayValues<'a> {
    values: Bodies<'a>,
}

/// The values of an `ArrayValue` body, as [`Value::Array`] holds it.
#[must_use]
pub fn array_values(body: &[u8]) -> ArrayValues<'_> {
    ArrayValues { values: Bodies::new(body, 1, 0) }
}

/// The entries of a `KeyValueList` body, as [`Value::Map`] holds it.
#[must_use]
pub fn map_entries(body: &[u8]) -> Attributes<'_> {
    Attributes::of(Bodies::new(body, 1, 0))
}

/// Reads an `AnyValue` body. Of several kinds the last one counts.
///
/// # Errors
/// Where the structure is broken; containers are not looked into.
pub fn value(body: &[u8]) -> Result<Value<'_>, WireError> {
    let mut value = Value::Empty;
    merge_value(&mut value, body)?;
    Ok(value)
}

/// Reads a `KeyValue` body.
///
/// # Errors
/// Where the structure is broken; containers are not looked into.
pub fn key_value(body: &[u8]) -> Result<(&[u8], Value<'_>), WireError> {
    entry(body)
}

impl<'a> Attributes<'a> {
    pub(super) fn of(entries: Bodies<'a>) -> Self {
        Self { holders: Bodies::empty(), entries, field: 0 }
    }

    pub(super) fn nested(holders: Bodies<'a>, field: u32) -> Self {
        Self { holders, entries: Bodies::empty(), field }
    }
}

impl<'a> Attributes<'a> {
    /// The value of the first entry with this key. Values of other keys are not looked at.
    #[must_use]
    pub fn get(mut self, wanted: &[u8]) -> Option<Value<'a>> {
        loop {
            let Some(body) = self.entries.next() else {
                self.entries = Bodies::new(self.holders.next()?, self.field, 0);
                continue;
            };
            match plain_entry(body) {
                Some((key, body)) if key == wanted => return value(body).ok(),
                Some(_) => {}
                None => {
                    let (key, value) = entry(body).ok()?;
                    if key == wanted {
                        return Some(value);
                    }
                }
            }
        }
    }
}

/// Key and value body of a `KeyValue` that is written as all senders write it: the key, the value, and no more. Nothing
/// about others, be they right or broken.
#[must_use]
#[inline(always)]
pub fn plain_entry(body: &[u8]) -> Option<(&[u8], &[u8])> {
    // Nearly always both are shorter than 128 bytes.
    if let [KEY_BYTE, key_len @ 0..0x80, rest @ ..] = body
        && let Some((key, [VALUE_BYTE, value_len @ 0..0x80, value @ ..])) = rest.split_at_checked(usize::from(*key_len))
        && usize::from(*value_len) == value.len()
    {
        return Some((key, value));
    }
    long_plain_entry(body)
}

#[inline(never)]
fn long_plain_entry(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut reader = Reader::new(body);
    let key = (reader.key() == Ok(KEY)).then(|| reader.len_delimited().ok())??;
    let value = (reader.key() == Ok(VALUE)).then(|| reader.len_delimited().ok())??;
    reader.is_empty().then_some((key, value))
}

const KEY: u32 = key(Message::KeyValue, "key");
const VALUE: u32 = key(Message::KeyValue, "value");
const KEY_BYTE: u8 = KEY as u8;
const VALUE_BYTE: u8 = VALUE as u8;

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a [u8], Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(body) = self.entries.next() {
                return entry(body).ok();
            }
            self.entries = Bodies::new(self.holders.next()?, self.field, 0);
        }
    }
}

impl<'a> Iterator for ArrayValues<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        value(self.values.next()?).ok()
    }
}

fn entry(body: &[u8]) -> Result<(&[u8], Value<'_>), WireError> {
    let mut key: &[u8] = &[];
    let mut value = Value::Empty;
    let mut reader = Reader::new(body);
    while !reader.is_empty() {
        let tag = reader.tag()?;
        match tag.field {
            1 => key = bytes(&mut reader, tag)?,
            2 => merge_value(&mut value, bytes(&mut reader, tag)?)?,
            _ => reader.skip(tag, 0)?,
        }
    }
    Ok((key, value))
}

fn merge_value<'a>(value: &mut Value<'a>, body: &'a [u8]) -> Result<(), WireError> {
    let mut reader = Reader::new(body);
    while !reader.is_empty() {
        let tag = reader.tag()?;
        *value = match tag.field {
            1 => Value::Str(bytes(&mut reader, tag)?),
            2 => Value::Bool(varint(&mut reader, tag)? != 0),
            3 => Value::Int(varint(&mut reader, tag)? as i64),
            4 => Value::Double(f64::from_bits(fixed64(&mut reader, tag)?)),
            5 => Value::Array(bytes(&mut reader, tag)?),
            6 => Value::Map(bytes(&mut reader, tag)?),
            7 => Value::Bytes(bytes(&mut reader, tag)?),
            _ => {
                reader.skip(tag, 0)?;
                continue;
            }
        };
    }
    Ok(())
}
