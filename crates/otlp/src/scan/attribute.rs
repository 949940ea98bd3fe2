//! Attributes: checked always, read only where somebody asked for the key.
//!
//! Nearly every attribute is `KeyValue { key, value: AnyValue { one scalar } }`, fields in order, lengths in one or two
//! bytes. [`plain`] recognises exactly that without a loop; whatever it does not recognise is not wrong, only general.

use super::matcher::Matcher;
use super::schema::{Message, key};
use super::validate::Validator;
use super::{Hit, HitKind, Range};
use crate::KeyId;
use crate::wire::{Reader, WireError};

const KEY: u32 = key(Message::KeyValue, "key");
const VALUE: u32 = key(Message::KeyValue, "value");
const STRING: u32 = key(Message::AnyValue, "string_value");
const BOOL: u32 = key(Message::AnyValue, "bool_value");
const INT: u32 = key(Message::AnyValue, "int_value");
const DOUBLE: u32 = key(Message::AnyValue, "double_value");
const ARRAY: u32 = key(Message::AnyValue, "array_value");
const MAP: u32 = key(Message::AnyValue, "kvlist_value");
const BYTES: u32 = key(Message::AnyValue, "bytes_value");
const STRING_INDEX: u32 = key(Message::AnyValue, "string_value_strindex");

/// What checks attributes and picks those that somebody reads.
#[derive(Debug)]
pub(super) struct Attributes {
    pub(super) matcher: Matcher,
    pub(super) validator: Validator,
}

impl Attributes {
    /// Checks the body of a KeyValue that starts at `at` in the request, and adds a hit if its key is read.
    #[inline(always)]
    pub(super) fn read(&mut self, body: &[u8], at: usize, depth: u32, hits: &mut Vec<Hit>) -> Result<(), WireError> {
        let Some(plain) = plain(body) else {
            return self.read_general(body, at, depth, hits);
        };
        if self.matcher.is_empty() {
            return Ok(());
        }
        match self.matcher.find(plain.key) {
            None => Ok(()),
            Some(key) => {
                let mut hit = Hit::empty(key);
                hit.merge(plain.value, at + body.len() - plain.value.len())?;
                hits.push(hit);
                Ok(())
            }
        }
    }

    #[inline(never)]
    fn read_general(&mut self, body: &[u8], at: usize, depth: u32, hits: &mut Vec<Hit>) -> Result<(), WireError> {
        self.validator.check(body, Message::KeyValue, depth)?;
        if self.matcher.is_empty() {
            return Ok(());
        }
        let mut name: &[u8] = &[];
        let mut hit = Hit::empty(KeyId(0));
        let mut reader = Reader::new(body);
        while !reader.is_empty() {
            let tag = reader.tag()?;
            match tag.key() {
                KEY => name = reader.len_delimited()?,
                VALUE => {
                    let value = reader.len_delimited()?;
                    hit.merge(value, at + reader.position() - value.len())?;
                }
                _ => reader.skip(tag, depth)?,
            }
        }
        if let Some(key) = self.matcher.find(name) {
            hit.key = key;
            hits.push(hit);
        }
        Ok(())
    }
}

impl Hit {
    fn empty(key: KeyId) -> Self {
        Self { key, kind: HitKind::Empty, payload: 0 }
    }

    /// Reads the body of an AnyValue that starts at `at` in the request. By protobuf's merge rules the last field of the
    /// oneof wins, and an AnyValue without any leaves what an earlier one said.
    #[inline]
    fn merge(&mut self, value: &[u8], at: usize) -> Result<(), WireError> {
        let mut reader = Reader::new(value);
        while !reader.is_empty() {
            let tag = reader.tag()?;
            let field = tag.key();
            (self.kind, self.payload) = match field {
                STRING | ARRAY | MAP | BYTES => {
                    let len = reader.len_delimited()?.len();
                    let kind = match field {
                        STRING => HitKind::Str,
                        ARRAY => HitKind::Array,
                        MAP => HitKind::Map,
                        _ => HitKind::Bytes,
                    };
                    (kind, Range::new(at + reader.position() - len, len).packed())
                }
                BOOL => (HitKind::Bool, u64::from(reader.varint()? != 0)),
                INT => (HitKind::Int, reader.varint()?),
                DOUBLE => (HitKind::Double, reader.fixed64()?),
                STRING_INDEX => {
                    reader.varint()?;
                    (HitKind::Empty, 0)
                }
                _ => {
                    // The depth was checked with the rest.
                    reader.skip(tag, 0)?;
                    continue;
                }
            };
        }
        Ok(())
    }
}

/// A KeyValue of the common shape.
pub(super) struct Plain<'a> {
    pub(super) key: &'a [u8],
    /// The AnyValue's body, the last bytes of the KeyValue.
    pub(super) value: &'a [u8],
}

/// Takes a KeyValue of the common shape apart. `None` says nothing but that it has another one.
#[inline(always)]
pub(super) fn plain(body: &[u8]) -> Option<Plain<'_>> {
    let rest = after(body, KEY)?;
    let (key_len, rest) = short_len(rest)?;
    let (key, rest) = rest.split_at_checked(key_len)?;
    let rest = after(rest, VALUE)?;
    let (value_len, value) = short_len(rest)?;
    (value.len() == value_len && is_scalar(value)).then_some(Plain { key, value })
}

/// Whether an AnyValue is empty or one scalar and nothing else.
#[inline(always)]
fn is_scalar(value: &[u8]) -> bool {
    let Some((&tag, rest)) = value.split_first() else {
        return true;
    };
    match u32::from(tag) {
        STRING => matches!(short_len(rest), Some((len, text)) if text.len() == len),
        INT | BOOL => is_varint(rest),
        DOUBLE => rest.len() == size_of::<f64>(),
        _ => false,
    }
}

/// Whether `bytes` are one varint of at most nine bytes, which cannot overflow.
#[inline(always)]
fn is_varint(bytes: &[u8]) -> bool {
    match bytes {
        [last] => *last < 0x80,
        [first, last] => *first >= 0x80 && *last < 0x80,
        [before @ .., last] => *last < 0x80 && before.len() < 9 && before.iter().all(|byte| *byte >= 0x80),
        [] => false,
    }
}

#[inline(always)]
fn after(bytes: &[u8], key: u32) -> Option<&[u8]> {
    let (&first, rest) = bytes.split_first()?;
    (u32::from(first) == key).then_some(rest)
}

/// A length of one or two bytes, and what follows it.
#[inline(always)]
fn short_len(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match bytes {
        [len, rest @ ..] if *len < 0x80 => Some((usize::from(*len), rest)),
        [low, high, rest @ ..] if *high < 0x80 => Some((usize::from(*low & 0x7f) | usize::from(*high) << 7, rest)),
        _ => None,
    }
}
