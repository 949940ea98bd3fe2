//! Attributes as nearly all of them are: a key with a text or an integer. Most of a span is such, and each would be two
//! messages to the general code, which does everything else.
//!
//! ```text
//! {"key":"k","value":{"stringValue":"v"}}   {"key":"k","value":{"intValue":"5"}}   {"key":"k","value":{"intValue":5}}
//! ```
//! Invariant: what is taken or written here is what the general code would take or write.

use super::{
    digits::{put_signed, short_decimal},
    encode::{quoted, string},
    plain::{is_plain_ascii, plain_len},
};
use crate::schema::{Message, key};
use crate::view::plain_entry;
use crate::wire::{DEPTH_MAX, Reader, WireType, put_len, put_tag, put_varint, varint_len};

/// A value of one of the two kinds.
enum Plain<'a> {
    Text(&'a [u8]),
    Integer(i64),
}

/// Appends the attribute that `json` begins with as field `number` of a message at `depth`; tells how long its text is.
/// Nothing if it is not such an attribute.
#[inline]
pub(super) fn decode(json: &[u8], out: &mut Vec<u8>, number: u32, depth: u32) -> Option<usize> {
    let (key, value, rest) = parse(json).filter(|_| has_room(depth + 1))?;
    let value_len = match value {
        Plain::Text(text) => 1 + varint_len(text.len() as u64) + text.len(),
        Plain::Integer(integer) => 1 + varint_len(integer as u64),
    };
    // An empty key is a default, and left out.
    let key_len = if key.is_empty() { 0 } else { 1 + varint_len(key.len() as u64) + key.len() };
    put_tag(out, number, WireType::Len);
    put_varint(out, (key_len + 1 + varint_len(value_len as u64) + value_len) as u64);
    if !key.is_empty() {
        put_len(out, KEY >> 3, key);
    }
    put_tag(out, VALUE >> 3, WireType::Len);
    put_varint(out, value_len as u64);
    match value {
        Plain::Text(text) => put_len(out, TEXT >> 3, text),
        Plain::Integer(integer) => {
            put_tag(out, INTEGER >> 3, WireType::Varint);
            put_varint(out, integer as u64);
        }
    }
    Some(json.len() - rest.len())
}

/// Writes the KeyValue at `depth` that `body` is, if it is such an attribute.
#[inline]
pub(super) fn encode(out: &mut Vec<u8>, body: &[u8], depth: u32) -> bool {
    let Some((key, value)) = plain_entry(body).filter(|(key, _)| !key.is_empty() && has_room(depth)) else {
        return false;
    };
    let Some(value) = read(value) else { return false };
    if let Plain::Text(text) = value
        && is_plain_ascii(key)
        && is_plain_ascii(text)
    {
        for part in [br#"{"key":""#, key, br#"","value":{"stringValue":""#, text, br#""}}"#] {
            out.extend_from_slice(part);
        }
        return true;
    }
    out.extend_from_slice(br#"{"key":"#);
    string(out, key);
    out.extend_from_slice(br#","value":{""#);
    match value {
        Plain::Text(text) => {
            out.extend_from_slice(br#"stringValue":"#);
            string(out, text);
        }
        Plain::Integer(integer) => {
            out.extend_from_slice(br#"intValue":"#);
            quoted(out, |out| put_signed(out, integer));
        }
    }
    out.extend_from_slice(b"}}");
    true
}

/// Key, value and what follows.
#[inline]
fn parse(json: &[u8]) -> Option<(&[u8], Plain<'_>, &[u8])> {
    let (key, rest) = plain(json.strip_prefix(br#"{"key":""#)?);
    let rest = rest.strip_prefix(br#"","value":{""#)?;
    if let Some(rest) = rest.strip_prefix(br#"stringValue":""#) {
        let (text, rest) = plain(rest);
        return Some((key, Plain::Text(text), rest.strip_prefix(br#""}}"#)?));
    }
    let rest = rest.strip_prefix(br#"intValue":"#)?;
    let (digits, rest) = match rest.strip_prefix(b"\"") {
        Some(rest) => {
            let (digits, rest) = plain(rest);
            (digits, rest.strip_prefix(br#""}}"#)?)
        }
        None => {
            let (digits, rest) = rest.split_at(rest.iter().position(|byte| !byte.is_ascii_digit())?);
            // A number has no digit behind a leading zero.
            let is_number = digits.len() < 2 || digits[0] != b'0';
            (digits, rest.strip_prefix(b"}}").filter(|_| is_number)?)
        }
    };
    Some((key, Plain::Integer(i64::try_from(short_decimal(digits)?).ok()?), rest))
}

/// A text up to its closing quote, and what follows from that on; from elsewhere if the text is not plain.
#[inline]
fn plain(json: &[u8]) -> (&[u8], &[u8]) {
    json.split_at(plain_len(json))
}

/// Reads the body of an AnyValue.
#[inline]
fn read(body: &[u8]) -> Option<Plain<'_>> {
    let mut reader = Reader::new(body);
    let value = match reader.key() {
        Ok(TEXT) => Plain::Text(reader.len_delimited().ok()?),
        Ok(INTEGER) => Plain::Integer(reader.varint().ok()? as i64),
        _ => return None,
    };
    reader.is_empty().then_some(value)
}

/// Whether a KeyValue at this depth may hold an AnyValue with fields.
fn has_room(depth: u32) -> bool {
    depth + 1 < DEPTH_MAX
}

const KEY: u32 = key(Message::KeyValue, "key");
const VALUE: u32 = key(Message::KeyValue, "value");
const TEXT: u32 = key(Message::AnyValue, "string_value");
const INTEGER: u32 = key(Message::AnyValue, "int_value");

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(json: &str) -> Option<(Vec<u8>, usize)> {
        let mut out = Vec::new();
        decode(json.as_bytes(), &mut out, 9, 3).map(|len| (out, len))
    }

    /// With a space the general code has to do it.
    fn by_the_general_code(attribute: &str) -> Option<Vec<u8>> {
        let json = format!(
            r#"{{"resourceSpans":[{{"resource":{{"attributes":[ {} ]}}}}]}}"#,
            attribute.replacen(':', " : ", 1)
        );
        super::super::decode(crate::Signal::Traces, json.as_bytes()).ok()
    }

    #[test]
    fn as_the_general_code_does_it() {
        let long = "v".repeat(300);
        for (attribute, is_such) in [
            (r#"{"key":"k","value":{"stringValue":"v"}}"#.to_owned(), true),
            (r#"{"key":"","value":{"stringValue":""}}"#.to_owned(), true),
            (format!(r#"{{"key":"{long}","value":{{"stringValue":"{long}"}}}}"#), true),
            (r#"{"key":"k","value":{"intValue":"5"}}"#.to_owned(), true),
            (r#"{"key":"k","value":{"intValue":"007"}}"#.to_owned(), true),
            (r#"{"key":"k","value":{"intValue":0}}"#.to_owned(), true),
            (r#"{"key":"k","value":{"intValue":70}}"#.to_owned(), true),
            (r#"{"key":"k","value":{"intValue":"9223372036854775807"}}"#.to_owned(), true),
            (r#"{"key":"k","value":{"intValue":"9223372036854775808"}}"#.to_owned(), false),
            (r#"{"key":"k","value":{"intValue":07}}"#.to_owned(), false),
            (r#"{"key":"k","value":{"intValue":}}"#.to_owned(), false),
            (r#"{"key":"k","value":{"intValue":""}}"#.to_owned(), false),
            (r#"{"key":"k","value":{"intValue":1.0}}"#.to_owned(), false),
            (r#"{"key":"k","value":{"intValue":-1}}"#.to_owned(), false),
            (r#"{"key":"k\n","value":{"stringValue":"v"}}"#.to_owned(), false),
            (r#"{"key":"k","value":{"stringValue":"v\"}}"}}"#.to_owned(), false),
            (r#"{"key":"k","value":{"stringValue":"v","intValue":5}}"#.to_owned(), false),
            (r#"{"key":"k","value":{"stringValue":"v"},"key":"l"}"#.to_owned(), false),
            (r#"{"key":"k","value":{"stringValue":"v"#.to_owned(), false),
        ] {
            let general = by_the_general_code(&attribute);
            let fast = decoded(&attribute);
            assert_eq!(fast.is_some(), is_such, "{attribute}");
            let Some((field, len)) = fast else { continue };
            assert_eq!(len, attribute.len());
            let (field, general) = (&field[1..], general.unwrap());
            assert!(general.ends_with(field), "{attribute}");
        }
    }

    #[test]
    fn no_deeper_than_others() {
        let json = br#"{"key":"k","value":{"stringValue":"v"}}"#;
        for (depth, is_taken) in [(DEPTH_MAX - 2, false), (DEPTH_MAX - 3, true)] {
            assert_eq!(decode(json, &mut Vec::new(), 1, depth).is_some(), is_taken);
        }
        let body = b"\x0a\x01k\x12\x03\x0a\x01v";
        for (depth, is_taken) in [(DEPTH_MAX - 1, false), (DEPTH_MAX - 2, true)] {
            assert_eq!(encode(&mut Vec::new(), body, depth), is_taken);
        }
    }
}
