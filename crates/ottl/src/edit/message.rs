//! Messages with one field changed: everything else keeps its bytes and its order.
//!
//! A field that comes several times is written once, where it first stood; one that was not there is put at the end. What is
//! broken is copied as it is, but nobody gets here with broken bytes.

use otlp::wire::{Reader, Tag, put_fixed32, put_fixed64, put_len, put_uint};
use std::{borrow::Cow, ops::Range};

/// Iterator of a message's fields: tag, the whole field, and the body of a length-delimited one.
struct Fields<'a> {
    reader: Reader<'a>,
}

struct Found<'a> {
    tag: Tag,
    at: Range<usize>,
    body: &'a [u8],
}

impl<'a> Iterator for Fields<'a> {
    type Item = Found<'a>;

    fn next(&mut self) -> Option<Found<'a>> {
        if self.reader.is_empty() {
            return None;
        }
        let start = self.reader.position();
        let tag = self.reader.tag().ok()?;
        let mut body: &[u8] = &[];
        if tag.wire == otlp::wire::WireType::Len {
            body = self.reader.len_delimited().ok()?;
        } else {
            self.reader.skip(tag, 0).ok()?;
        }
        Some(Found { tag, at: start..self.reader.position(), body })
    }
}

fn fields(message: &[u8]) -> Fields<'_> {
    Fields { reader: Reader::new(message) }
}

/// The bodies of a length-delimited field.
pub(crate) fn bodies(message: &[u8], field: u32) -> impl Iterator<Item = &[u8]> {
    fields(message).filter(move |found| found.tag.field == field).map(|found| found.body)
}

/// The message that a field's occurrences merge to, empty if there is none.
pub(crate) fn merged(message: &[u8], field: u32) -> Cow<'_, [u8]> {
    let mut bodies = bodies(message, field);
    let first = bodies.next().unwrap_or_default();
    let Some(second) = bodies.next() else { return Cow::Borrowed(first) };
    let mut all = [first, second].concat();
    bodies.for_each(|body| all.extend_from_slice(body));
    Cow::Owned(all)
}

/// The message with what `write` writes in the place of all fields that have one of these numbers.
pub(crate) fn replaced(message: &[u8], numbers: &[u32], write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 32);
    let mut write = Some(write);
    let mut end = 0;
    for found in fields(message) {
        end = found.at.end;
        if !numbers.contains(&found.tag.field) {
            out.extend_from_slice(&message[found.at]);
        } else if let Some(write) = write.take() {
            write(&mut out);
        }
    }
    if let Some(write) = write {
        write(&mut out);
    }
    out.extend_from_slice(&message[end..]);
    out
}

/// The message with a text or bytes field set; an empty one is left out.
pub(crate) fn with_bytes(message: &[u8], field: u32, bytes: &[u8]) -> Vec<u8> {
    replaced(message, &[field], |out| {
        if !bytes.is_empty() {
            put_len(out, field, bytes);
        }
    })
}

/// The message with a sub-message set, even if it is empty.
pub(crate) fn with_message(message: &[u8], field: u32, body: &[u8]) -> Vec<u8> {
    replaced(message, &[field], |out| put_len(out, field, body))
}

/// The message with a varint set; 0 is left out.
pub(crate) fn with_uint(message: &[u8], field: u32, value: u64) -> Vec<u8> {
    replaced(message, &[field], |out| {
        if value != 0 {
            put_uint(out, field, value);
        }
    })
}

/// The message with eight bytes set; 0 is left out.
pub(crate) fn with_fixed64(message: &[u8], field: u32, value: u64) -> Vec<u8> {
    replaced(message, &[field], |out| {
        if value != 0 {
            put_fixed64(out, field, value);
        }
    })
}

/// The message with four bytes set; 0 is left out.
pub(crate) fn with_fixed32(message: &[u8], field: u32, value: u32) -> Vec<u8> {
    replaced(message, &[field], |out| {
        if value != 0 {
            put_fixed32(out, field, value);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_field_changes() {
        let mut message = Vec::new();
        put_len(&mut message, 1, b"a");
        put_uint(&mut message, 99, 7);
        put_len(&mut message, 1, b"b");
        put_len(&mut message, 2, b"c");
        let mut expected = Vec::new();
        put_len(&mut expected, 1, b"x");
        put_uint(&mut expected, 99, 7);
        put_len(&mut expected, 2, b"c");
        assert_eq!(with_bytes(&message, 1, b"x"), expected);
        assert_eq!(merged(&message, 1), &b"ab"[..]);
        put_fixed64(&mut expected, 3, 5);
        assert_eq!(with_fixed64(&with_bytes(&message, 1, b"x"), 3, 5), expected);
        assert_eq!(with_uint(&with_bytes(&message, 1, b""), 99, 0), [0x12, 1, b'c']);
        assert_eq!(with_message(b"", 4, b""), [0x22, 0]);
    }
}
