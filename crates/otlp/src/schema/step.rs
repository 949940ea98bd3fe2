//! One step through a message of any shape: the way of everything that checks all bytes.

use super::{Message, Shape, shape};
use crate::wire::{Reader, Tag, WireError, WireType};

/// Steps over one field, whose key has just been read, of a `message` that stands `depth` messages below the request;
/// where it is a message, says which and hands out its body unchecked.
#[inline]
pub(crate) fn step<'a>(
    reader: &mut Reader<'a>,
    message: Message,
    key: u32,
    depth: u32,
) -> Result<Option<(Message, &'a [u8])>, WireError> {
    let tag = Tag::of(key)?;
    let Some(shape) = shape(message, tag.field) else {
        return reader.skip(tag, depth).map(|()| None);
    };
    if tag.wire != shape.wire() {
        return packed(reader, tag, shape).map(|()| None);
    }
    match shape {
        Shape::Varint | Shape::Varints => reader.varint().map(|_| None),
        Shape::Fixed64 | Shape::Fixed64s => reader.fixed64().map(|_| None),
        Shape::Fixed32 => reader.fixed32().map(|_| None),
        Shape::Bytes => reader.len_delimited().map(|_| None),
        Shape::Message(child) => reader.len_delimited().map(|body| Some((child, body))),
    }
}

/// Steps over a list in its packed form, the only other one that a known field may have.
#[inline(never)]
fn packed(reader: &mut Reader<'_>, tag: Tag, shape: Shape) -> Result<(), WireError> {
    match (tag.wire, shape) {
        (WireType::Len, Shape::Fixed64s) => match reader.len_delimited()?.len() % 8 {
            0 => Ok(()),
            _ => Err(WireError::PastTheEnd),
        },
        (WireType::Len, Shape::Varints) => {
            let mut list = Reader::new(reader.len_delimited()?);
            while !list.is_empty() {
                list.varint()?;
            }
            Ok(())
        }
        _ => Err(WireError::WrongWireType),
    }
}
