//! The protobuf wire format: varints, tags, bounded sub-readers, and their writers
//! (protobuf.dev/programming-guides/encoding; acceptance rules as prost 0.14).
//!
//! A [`Reader`] hands out sub-readers bounded by a declared length, so a nested message cannot read past itself. Nothing
//! allocates and nothing recurses: groups are skipped with a counter.

use std::fmt;

/// How deep messages may nest, counted from the request on, as prost's recursion limit counts.
pub const DEPTH_MAX: u32 = 100;

/// Why bytes are not a protobuf message of the expected shape.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WireError {
    /// A varint runs past the end of the message or past ten bytes.
    BadVarint,
    /// A tag has field number 0, is above 2³²−1, or has a wire type that does not exist.
    BadTag,
    /// A length reaches past the end of the enclosing message.
    PastTheEnd,
    /// A known field has another wire type than the schema says.
    WrongWireType,
    /// A group ends that did not begin, or does not end.
    BadGroup,
    /// Messages nest deeper than [`DEPTH_MAX`].
    TooDeep,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadVarint => "a varint is cut off or longer than ten bytes",
            Self::BadTag => "a field tag is invalid",
            Self::PastTheEnd => "a length reaches past the end of its message",
            Self::WrongWireType => "a field has the wrong wire type",
            Self::BadGroup => "a group is not closed or was never opened",
            Self::TooDeep => "messages are nested deeper than 100 levels",
        })
    }
}

impl std::error::Error for WireError {}

/// The six wire types.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WireType {
    /// Variable-length integer.
    Varint,
    /// Eight bytes, little endian.
    Fixed64,
    /// Length-delimited: bytes, text, message, packed list.
    Len,
    /// Start of a group (deprecated, skipped).
    GroupStart,
    /// End of a group.
    GroupEnd,
    /// Four bytes, little endian.
    Fixed32,
}

/// A field number with its wire type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tag {
    /// Field number, at least 1.
    pub field: u32,
    /// How the value is encoded.
    pub wire: WireType,
}

/// Reads one message's bytes from front to back.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the front of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// Bytes read so far.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// Whether everything has been read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.position >= self.bytes.len()
    }

    /// Reads a varint. As in prost, bits above 64 in the tenth byte are an error.
    ///
    /// # Errors
    /// [`WireError::BadVarint`] where it is cut off or too long.
    #[inline]
    pub fn varint(&mut self) -> Result<u64, WireError> {
        match self.bytes.get(self.position) {
            Some(&byte) if byte < 0x80 => {
                self.position += 1;
                Ok(u64::from(byte))
            }
            Some(_) => self.varint_long(),
            None => Err(WireError::BadVarint),
        }
    }

    fn varint_long(&mut self) -> Result<u64, WireError> {
        let mut value = 0u64;
        for (index, &byte) in self.bytes[self.position..].iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                if index == 9 && byte > 1 {
                    return Err(WireError::BadVarint);
                }
                self.position += index + 1;
                return Ok(value);
            }
        }
        Err(WireError::BadVarint)
    }

    /// Reads a tag.
    ///
    /// # Errors
    /// [`WireError::BadTag`] or [`WireError::BadVarint`].
    #[inline]
    pub fn tag(&mut self) -> Result<Tag, WireError> {
        let key = u32::try_from(self.varint()?).map_err(|_| WireError::BadTag)?;
        let wire = match key & 7 {
            0 => WireType::Varint,
            1 => WireType::Fixed64,
            2 => WireType::Len,
            3 => WireType::GroupStart,
            4 => WireType::GroupEnd,
            5 => WireType::Fixed32,
            _ => return Err(WireError::BadTag),
        };
        match key >> 3 {
            0 => Err(WireError::BadTag),
            field => Ok(Tag { field, wire }),
        }
    }

    /// Reads a length and the bytes it covers.
    ///
    /// # Errors
    /// [`WireError::PastTheEnd`] where the length is larger than what is left.
    #[inline]
    pub fn len_delimited(&mut self) -> Result<&'a [u8], WireError> {
        let len = self.varint()?;
        let left = self.bytes.len() - self.position;
        let len = usize::try_from(len).ok().filter(|len| *len <= left).ok_or(WireError::PastTheEnd)?;
        let bytes = &self.bytes[self.position..self.position + len];
        self.position += len;
        Ok(bytes)
    }

    /// Reads eight little-endian bytes.
    ///
    /// # Errors
    /// [`WireError::PastTheEnd`].
    #[inline]
    pub fn fixed64(&mut self) -> Result<u64, WireError> {
        let bytes = self.bytes[self.position..].first_chunk::<8>().ok_or(WireError::PastTheEnd)?;
        self.position += 8;
        Ok(u64::from_le_bytes(*bytes))
    }

    /// Reads four little-endian bytes.
    ///
    /// # Errors
    /// [`WireError::PastTheEnd`].
    #[inline]
    pub fn fixed32(&mut self) -> Result<u32, WireError> {
        let bytes = self.bytes[self.position..].first_chunk::<4>().ok_or(WireError::PastTheEnd)?;
        self.position += 4;
        Ok(u32::from_le_bytes(*bytes))
    }

    /// Skips the value of a field that nobody knows. `depth` is the depth of the message that holds it; groups count.
    ///
    /// # Errors
    /// Whatever the value is broken by.
    pub fn skip(&mut self, tag: Tag, depth: u32) -> Result<(), WireError> {
        match tag.wire {
            WireType::Varint => self.varint().map(drop),
            WireType::Fixed64 => self.fixed64().map(drop),
            WireType::Len => self.len_delimited().map(drop),
            WireType::Fixed32 => self.fixed32().map(drop),
            WireType::GroupEnd => Err(WireError::BadGroup),
            WireType::GroupStart => self.skip_group(tag.field, depth),
        }
    }

    /// Open groups are remembered in a fixed array, so nesting costs no stack and no heap.
    fn skip_group(&mut self, field: u32, depth: u32) -> Result<(), WireError> {
        let mut open = [0u32; DEPTH_MAX as usize];
        let room = DEPTH_MAX.saturating_sub(depth) as usize;
        let mut count = 0usize;
        let mut next = field;
        loop {
            if count >= room {
                return Err(WireError::TooDeep);
            }
            open[count] = next;
            count += 1;
            loop {
                let tag = self.tag().map_err(|error| if self.is_empty() { WireError::BadGroup } else { error })?;
                match tag.wire {
                    WireType::GroupStart => {
                        next = tag.field;
                        break;
                    }
                    WireType::GroupEnd => {
                        count -= 1;
                        if open[count] != tag.field {
                            return Err(WireError::BadGroup);
                        }
                        if count == 0 {
                            return Ok(());
                        }
                    }
                    _ => self.skip(tag, depth)?,
                }
            }
        }
    }
}

/// How many bytes `value` takes as a varint.
#[must_use]
#[inline]
pub fn varint_len(value: u64) -> usize {
    // One byte for each started group of seven bits; zero still takes one.
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// Appends `value` as a varint.
#[inline]
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a tag.
#[inline]
pub fn put_tag(out: &mut Vec<u8>, field: u32, wire: WireType) {
    put_varint(out, u64::from(field) << 3 | wire as u64);
}

/// Appends a length-delimited field.
#[inline]
pub fn put_len(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    put_tag(out, field, WireType::Len);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a varint field.
#[inline]
pub fn put_uint(out: &mut Vec<u8>, field: u32, value: u64) {
    put_tag(out, field, WireType::Varint);
    put_varint(out, value);
}

/// Appends a fixed64 field.
#[inline]
pub fn put_fixed64(out: &mut Vec<u8>, field: u32, value: u64) {
    put_tag(out, field, WireType::Fixed64);
    out.extend_from_slice(&value.to_le_bytes());
}

/// Appends a fixed32 field.
#[inline]
pub fn put_fixed32(out: &mut Vec<u8>, field: u32, value: u32) {
    put_tag(out, field, WireType::Fixed32);
    out.extend_from_slice(&value.to_le_bytes());
}
