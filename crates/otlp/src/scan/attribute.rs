//! Attributes: checked always, read only where somebody asked for the key.
//!
//! Nearly every attribute is `KeyValue { key, value: AnyValue { one scalar } }`, fields in order. Two ways recognise that
//! shape: [`short`] where the whole attribute is below 128 bytes, so that every length in it is one byte and the shape is
//! right when the lengths add up; [`plain`] where lengths take one or two bytes. What neither recognises is not wrong, only
//! general, and goes to the validator.

use super::matcher::Matcher;
use super::validate::Validator;
use super::{Hit, HitKind, Range};
use crate::KeyId;
use crate::schema::{Message, key};
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
    /// Checks attributes that follow each other as fields with the one-byte key `field`, and adds those that are read to
    /// `hits`. The first one's key has been read, `reader` is at its length; returns the position behind the last attribute.
    #[inline]
    pub(super) fn read_all(
        &mut self,
        reader: Reader<'_>,
        field: u32,
        depth: u32,
        hits: &mut Vec<Hit>,
    ) -> Result<usize, WireError> {
        let bytes = reader.bytes();
        let run = if self.matcher.is_empty() {
            run_of_short(bytes, reader.position(), field)
        } else {
            self.find_in_short(bytes, reader.position(), field, hits)
        };
        if run.is_over {
            return Ok(run.at);
        }
        let mut reader = Reader::within(bytes, run.at, bytes.len());
        let attribute = reader.len_delimited()?;
        self.read(attribute, reader.position() - attribute.len(), depth, hits)?;
        Ok(reader.position())
    }

    #[inline(never)]
    fn find_in_short(&self, bytes: &[u8], at: usize, field: u32, hits: &mut Vec<Hit>) -> Run {
        run(bytes, at, field, |plain, value_at| {
            if let Some(key) = self.matcher.find(plain.key) {
                hits.push(Hit::plain(key, plain.value, value_at));
            }
        })
    }

    /// Checks the body of a KeyValue that starts at `at` in the request, and adds a hit if its key is read.
    #[inline(never)]
    fn read(&mut self, body: &[u8], at: usize, depth: u32, hits: &mut Vec<Hit>) -> Result<(), WireError> {
        let Some(plain) = plain(body) else {
            return self.read_general(body, at, depth, hits);
        };
        if let Some(key) = self.matcher.find(plain.key) {
            hits.push(Hit::plain(key, plain.value, at + body.len() - plain.value.len()));
        }
        Ok(())
    }

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

    /// Reads the body of an AnyValue that is [plain](Plain) and starts at `at` in the request.
    ///
    /// Each arm makes the whole record: one that is built in steps is stored in small parts and loaded in a large one, for
    /// which the processor waits (measured: 3 ns a hit).
    #[inline(always)]
    fn plain(key: KeyId, value: &[u8], at: usize) -> Self {
        match *value {
            [tag, len, ref text @ ..] if u32::from(tag) == STRING && len < 0x80 => {
                Self { key, kind: HitKind::Str, payload: Range::new(at + 2, text.len()).packed() }
            }
            [tag, low] if u32::from(tag) == INT => Self { key, kind: HitKind::Int, payload: u64::from(low) },
            [tag, low, high] if u32::from(tag) == INT => {
                Self { key, kind: HitKind::Int, payload: u64::from(low & 0x7f) | u64::from(high) << 7 }
            }
            _ => Self::any(key, value, at).expect("a plain value was checked"),
        }
    }

    #[inline(never)]
    fn any(key: KeyId, value: &[u8], at: usize) -> Result<Self, WireError> {
        let mut hit = Self::empty(key);
        hit.merge(value, at)?;
        Ok(hit)
    }

    /// Reads the body of an AnyValue that starts at `at` in the request. By protobuf's merge rules the last field of the
    /// oneof wins, and an AnyValue without any leaves what an earlier one said.
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
pub(crate) struct Plain<'a> {
    pub(super) key: &'a [u8],
    /// The AnyValue's body, the last bytes of the KeyValue.
    pub(super) value: &'a [u8],
}

/// Where a run of attributes came to.
struct Run {
    /// Behind the last attribute, or behind the key of one that is not short.
    at: usize,
    is_over: bool,
}

#[inline(never)]
fn run_of_short(bytes: &[u8], at: usize, field: u32) -> Run {
    run(bytes, at, field, |_, _| ())
}

/// Steps over [`short`] attributes in fields with the one-byte key `field`, handing each to `found` with the position of its
/// value. `at` is behind the first one's key.
#[inline(always)]
fn run<'a>(bytes: &'a [u8], at: usize, field: u32, mut found: impl FnMut(Plain<'a>, usize)) -> Run {
    let mut at = at;
    loop {
        let Some((plain, end)) = short(bytes, at) else {
            return Run { at, is_over: false };
        };
        let value_at = end - plain.value.len();
        found(plain, value_at);
        match bytes.get(end) {
            Some(&key) if u32::from(key) == field => at = end + 1,
            _ => return Run { at: end, is_over: true },
        }
    }
}

/// Takes the length and the body of a KeyValue at `at` apart if it is of the common shape and below 128 bytes; also says
/// where it ends.
#[inline(always)]
fn short(bytes: &[u8], at: usize) -> Option<(Plain<'_>, usize)> {
    let len = usize::from(*bytes.get(at)?);
    if len >= 0x80 {
        return None;
    }
    let end = at + 1 + len;
    let body = bytes.get(at + 1..end)?;
    let &[key_key, key_len, ..] = body else {
        return None;
    };
    let value_at = usize::from(key_len) + 4;
    let (head, value) = body.split_at_checked(value_at)?;
    let (key, [value_key, value_len]) = head.get(2..)?.split_last_chunk::<2>()?;
    // A length of 128 or more would be its first byte only; it cannot add up then.
    let is_plain = u32::from(key_key) == KEY
        && u32::from(*value_key) == VALUE
        && usize::from(*value_len) == value.len()
        && is_short_scalar(value);
    is_plain.then_some((Plain { key, value }, end))
}

/// [`is_scalar`] for an AnyValue below 128 bytes.
#[inline(always)]
fn is_short_scalar(value: &[u8]) -> bool {
    match value {
        [tag, len, text @ ..] if u32::from(*tag) == STRING => usize::from(*len) == text.len(),
        [tag, byte] if u32::from(*tag) == INT || u32::from(*tag) == BOOL => *byte < 0x80,
        _ => is_scalar(value),
    }
}

/// Takes a KeyValue of the common shape apart. `None` says nothing but that it has another one.
#[inline(always)]
pub(crate) fn plain(body: &[u8]) -> Option<Plain<'_>> {
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
