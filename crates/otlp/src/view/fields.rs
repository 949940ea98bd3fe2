//! Fields of a message read with the wire type that the schema demands, and the bodies of one repeated field.
//!
//! A known field in another wire type is an error here as it is in prost and in Go.

use crate::wire::{Reader, Tag, WireError, WireType};

/// The bodies of one length-delimited field of a message, in wire order; other fields are skipped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bodies<'a> {
    reader: Reader<'a>,
    field: u32,
    depth: u32,
}

impl<'a> Bodies<'a> {
    pub(crate) fn new(message: &'a [u8], field: u32, depth: u32) -> Self {
        Self { reader: Reader::new(message), field, depth }
    }

    pub(crate) fn empty() -> Self {
        Self::new(&[], 1, 0)
    }

    #[inline(always)]
    pub(crate) fn step(&mut self) -> Result<Option<&'a [u8]>, WireError> {
        while !self.reader.is_empty() {
            let tag = self.reader.tag()?;
            if tag.field == self.field {
                return bytes(&mut self.reader, tag).map(Some);
            }
            self.reader.skip(tag, self.depth)?;
        }
        Ok(None)
    }
}

impl<'a> Iterator for Bodies<'a> {
    type Item = &'a [u8];

    #[inline(always)]
    fn next(&mut self) -> Option<&'a [u8]> {
        let body = self.step().ok().flatten();
        if body.is_none() {
            self.reader = Reader::new(&[]);
        }
        body
    }
}

#[inline]
pub(crate) fn bytes<'a>(reader: &mut Reader<'a>, tag: Tag) -> Result<&'a [u8], WireError> {
    expect(tag, WireType::Len)?;
    reader.len_delimited()
}

pub(crate) fn varint(reader: &mut Reader<'_>, tag: Tag) -> Result<u64, WireError> {
    expect(tag, WireType::Varint)?;
    reader.varint()
}

pub(crate) fn fixed64(reader: &mut Reader<'_>, tag: Tag) -> Result<u64, WireError> {
    expect(tag, WireType::Fixed64)?;
    reader.fixed64()
}

pub(crate) fn fixed32(reader: &mut Reader<'_>, tag: Tag) -> Result<u32, WireError> {
    expect(tag, WireType::Fixed32)?;
    reader.fixed32()
}

/// A uint32: protobuf drops the upper half of a longer varint.
pub(crate) fn uint32(reader: &mut Reader<'_>, tag: Tag) -> Result<u32, WireError> {
    varint(reader, tag).map(|value| value as u32)
}

/// An enum or int32: protobuf drops the upper half of a longer varint.
pub(crate) fn int32(reader: &mut Reader<'_>, tag: Tag) -> Result<i32, WireError> {
    varint(reader, tag).map(|value| value as i32)
}

fn expect(tag: Tag, wire: WireType) -> Result<(), WireError> {
    if tag.wire == wire { Ok(()) } else { Err(WireError::WrongWireType) }
}
