//! A message as the bodies of one repeated field, and what stands between them.

use otlp::wire::{Reader, WireError, WireType, put_len};
use std::{borrow::Cow, ops::Range};

/// Where the bodies of a field stand.
pub(super) struct Pieces<'a> {
    message: &'a [u8],
    /// Each field as a whole, and its body.
    places: Vec<(Range<usize>, Range<usize>)>,
}

impl<'a> Pieces<'a> {
    pub(super) fn new(message: &'a [u8], field: u32) -> Result<Self, WireError> {
        let mut places = Vec::new();
        let mut reader = Reader::new(message);
        while !reader.is_empty() {
            let start = reader.position();
            let tag = reader.tag()?;
            if tag.field != field {
                reader.skip(tag, 0)?;
                continue;
            }
            if tag.wire != WireType::Len {
                return Err(WireError::WrongWireType);
            }
            let body = reader.len_delimited()?;
            let end = reader.position();
            places.push((start..end, end - body.len()..end));
        }
        Ok(Self { message, places })
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn bodies(&self) -> impl Iterator<Item = &'a [u8]> {
        self.places.iter().map(|(_, body)| self.message.get(body.clone()).unwrap_or_default())
    }

    /// What is between, joined.
    pub(super) fn header(&self) -> Cow<'a, [u8]> {
        let mut between = self.between().filter(|bytes| !bytes.is_empty());
        let first = between.next().unwrap_or_default();
        match between.next() {
            None => Cow::Borrowed(first),
            Some(second) => {
                let mut all = [first, second].concat();
                between.for_each(|bytes| all.extend_from_slice(bytes));
                Cow::Owned(all)
            }
        }
    }

    /// The stretches before, between and behind the fields.
    fn between(&self) -> impl Iterator<Item = &'a [u8]> {
        let starts = std::iter::once(0).chain(self.places.iter().map(|(whole, _)| whole.end));
        let ends = self.places.iter().map(|(whole, _)| whole.start).chain([self.message.len()]);
        starts.zip(ends).map(|(start, end)| self.message.get(start..end).unwrap_or_default())
    }

    /// The message with each field written by `write`.
    pub(super) fn write(&self, field: u32, mut write: impl FnMut(&mut Vec<u8>)) -> Vec<u8> {
        debug_assert!(field > 0, "fields are counted from 1");
        let mut out = Vec::with_capacity(self.message.len());
        for (index, between) in self.between().enumerate() {
            if index > 0 {
                write(&mut out);
            }
            out.extend_from_slice(between);
        }
        out
    }
}

/// The message with other bodies for some of a field's occurrences, given in ascending order.
pub(super) fn with_pieces(message: &[u8], field: u32, edited: &[(usize, Vec<u8>)]) -> Result<Vec<u8>, WireError> {
    let pieces = Pieces::new(message, field)?;
    let mut bodies = pieces.bodies().enumerate();
    let mut edited = edited.iter().peekable();
    Ok(pieces.write(field, |out| {
        if let Some((index, body)) = bodies.next() {
            let other = edited.next_if(|(at, _)| *at == index);
            put_len(out, field, other.map_or(body, |(_, other)| other));
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use otlp::wire::put_uint;

    #[test]
    fn messages_are_taken_apart_and_put_together() {
        let mut message = Vec::new();
        put_uint(&mut message, 9, 1);
        put_len(&mut message, 2, b"a");
        put_len(&mut message, 1, b"h");
        put_len(&mut message, 2, b"b");
        let pieces = Pieces::new(&message, 2).unwrap();
        assert_eq!(pieces.bodies().collect::<Vec<_>>(), [b"a", b"b"]);
        assert_eq!(&*pieces.header(), [0x48, 1, 0x0a, 1, b'h']);
        let changed = with_pieces(&message, 2, &[(1, b"xy".to_vec())]).unwrap();
        assert_eq!(changed, [0x48, 1, 0x12, 1, b'a', 0x0a, 1, b'h', 0x12, 2, b'x', b'y']);
        assert_eq!(with_pieces(&message, 2, &[]), Ok(message.clone()));
        assert!(Pieces::new(&message, 9).is_err());
    }
}
