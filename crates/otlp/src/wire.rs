//! The protobuf wire format: varints, tags, bounded sub-readers, and their writers
//! (protobuf.dev/programming-guides/encoding; acceptance rules as prost 0.14).
//!
//! A [`Reader`] hands out slices bounded by a declared length, so a nested message cannot read past itself. (prost lets a
//! nested field run on into the bytes that follow its message and refuses afterwards; what is accepted is the same.)
//! Nothing allocates and nothing recurses: open groups stand in a fixed array.
//!
//! What is rare is a free function over plain arguments and never inlined, so that a reader in a hot loop stays in
//! registers: a method call would force it into memory.

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
    /// The message is 4 GiB or larger; byte ranges are 32 bits wide.
    TooLarge,
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
            Self::TooLarge => "the message is 4 GiB or larger",
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
    /// Invariant: at most `bytes.len()`.
    position: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the front of `bytes`.
    #[must_use]
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// Starts at `position` of `bytes` and ends at `end`; positions stay those of `bytes`.
    /// What reaches past the end of `bytes` is cut off.
    #[must_use]
    #[inline]
    pub fn within(bytes: &'a [u8], position: usize, end: usize) -> Self {
        let bytes = bytes.get(..end).unwrap_or(bytes);
        Self { bytes, position: position.min(bytes.len()) }
    }

    /// Goes on at `position` of [`Reader::bytes`], or at their end.
    #[inline]
    pub fn seek(&mut self, position: usize) {
        self.position = position.min(self.bytes.len());
    }

    /// What has not been read yet.
    #[must_use]
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.position..).unwrap_or_default()
    }

    /// The bytes up to the end of the message; positions are indices of it.
    #[must_use]
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Where the message ends.
    #[must_use]
    #[inline]
    pub fn end(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes read so far.
    #[must_use]
    #[inline]
    pub fn position(&self) -> usize {
        self.position
    }

    /// Whether everything has been read.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.position >= self.bytes.len()
    }

    /// Reads a varint. As in prost, bits above 64 in the tenth byte are an error.
    ///
    /// # Errors
    /// [`WireError::BadVarint`] where it is cut off or too long.
    #[inline(always)]
    pub fn varint(&mut self) -> Result<u64, WireError> {
        match self.bytes.get(self.position..) {
            Some(&[byte, ..]) if byte < 0x80 => {
                self.position += 1;
                Ok(u64::from(byte))
            }
            Some(&[low, high, ..]) if high < 0x80 => {
                self.position += 2;
                Ok(u64::from(low & 0x7f) | u64::from(high) << 7)
            }
            Some(rest) => {
                let (value, len) = long_varint(rest)?;
                self.position += len;
                Ok(value)
            }
            None => Err(WireError::BadVarint),
        }
    }

    /// Reads a field's key, `field << 3 | wire type`, without looking at what it says.
    ///
    /// # Errors
    /// [`WireError::BadTag`] above 2³²−1, or [`WireError::BadVarint`].
    #[inline(always)]
    pub fn key(&mut self) -> Result<u32, WireError> {
        u32::try_from(self.varint()?).map_err(|_| WireError::BadTag)
    }

    /// Reads a tag.
    ///
    /// # Errors
    /// [`WireError::BadTag`] or [`WireError::BadVarint`].
    #[inline]
    pub fn tag(&mut self) -> Result<Tag, WireError> {
        Tag::of(self.key()?)
    }

    /// Reads a length and the bytes it covers.
    ///
    /// # Errors
    /// [`WireError::PastTheEnd`] where the length is larger than what is left.
    #[inline(always)]
    pub fn len_delimited(&mut self) -> Result<&'a [u8], WireError> {
        let len = usize::try_from(self.varint()?).map_err(|_| WireError::PastTheEnd)?;
        let bytes = self.bytes.get(self.position..).and_then(|rest| rest.get(..len)).ok_or(WireError::PastTheEnd)?;
        self.position += len;
        Ok(bytes)
    }

    /// Reads eight little-endian bytes.
    ///
    /// # Errors
    /// [`WireError::PastTheEnd`].
    #[inline]
    pub fn fixed64(&mut self) -> Result<u64, WireError> {
        let bytes =
            self.bytes.get(self.position..).and_then(|rest| rest.first_chunk::<8>()).ok_or(WireError::PastTheEnd)?;
        self.position += 8;
        Ok(u64::from_le_bytes(*bytes))
    }

    /// Reads four little-endian bytes.
    ///
    /// # Errors
    /// [`WireError::PastTheEnd`].
    #[inline]
    pub fn fixed32(&mut self) -> Result<u32, WireError> {
        let bytes =
            self.bytes.get(self.position..).and_then(|rest| rest.first_chunk::<4>()).ok_or(WireError::PastTheEnd)?;
        self.position += 4;
        Ok(u32::from_le_bytes(*bytes))
    }

    /// Skips the value of a field that nobody knows. `depth` is the depth of the message that holds it; groups count,
    /// and in a message at the limit there is no room for any unknown field, as in prost.
    ///
    /// # Errors
    /// Whatever the value is broken by.
    #[inline(always)]
    pub fn skip(&mut self, tag: Tag, depth: u32) -> Result<(), WireError> {
        if depth >= DEPTH_MAX {
            return Err(WireError::TooDeep);
        }
        match tag.wire {
            WireType::Varint => self.varint().map(drop),
            WireType::Fixed64 => self.fixed64().map(drop),
            WireType::Len => self.len_delimited().map(drop),
            WireType::Fixed32 => self.fixed32().map(drop),
            WireType::GroupEnd => Err(WireError::BadGroup),
            WireType::GroupStart => {
                self.position = end_of_group(*self, tag.field, depth)?;
                Ok(())
            }
        }
    }
}

/// Where the group of this field that `reader` stands in ends. Open groups are remembered in a fixed array, so nesting costs
/// no stack and no heap.
#[cold]
#[inline(never)]
fn end_of_group(mut reader: Reader<'_>, field: u32, depth: u32) -> Result<usize, WireError> {
    let mut open = [0u32; DEPTH_MAX as usize];
    open[0] = field;
    let mut count = 1u32;
    while count > 0 {
        let tag = reader.tag().map_err(|error| if reader.is_empty() { WireError::BadGroup } else { error })?;
        match tag.wire {
            WireType::GroupEnd => {
                count -= 1;
                if open.get(count as usize) != Some(&tag.field) {
                    return Err(WireError::BadGroup);
                }
            }
            WireType::GroupStart if depth + count < DEPTH_MAX => {
                *open.get_mut(count as usize).ok_or(WireError::TooDeep)? = tag.field;
                count += 1;
            }
            WireType::GroupStart => return Err(WireError::TooDeep),
            _ => reader.skip(tag, depth + count)?,
        }
    }
    Ok(reader.position)
}

impl Tag {
    /// Field number and wire type in one number, as on the wire.
    #[must_use]
    #[inline]
    pub const fn key(self) -> u32 {
        self.field << 3 | self.wire as u32
    }

    /// Takes a key apart.
    ///
    /// # Errors
    /// [`WireError::BadTag`] for field 0 and for the wire types 6 and 7.
    #[inline]
    pub fn of(key: u32) -> Result<Self, WireError> {
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
            field => Ok(Self { field, wire }),
        }
    }
}

/// A varint of more than two bytes, or one that is cut off: its value and length.
#[inline(never)]
fn long_varint(bytes: &[u8]) -> Result<(u64, usize), WireError> {
    let mut value = 0u64;
    for (index, &byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            let overflows = index == 9 && byte > 1;
            return if overflows { Err(WireError::BadVarint) } else { Ok((value, index + 1)) };
        }
    }
    Err(WireError::BadVarint)
}

/// How many bytes `value` takes as a varint.
#[must_use]
#[inline]
pub const fn varint_len(value: u64) -> usize {
    // One byte for each started group of seven bits, zero still takes one: ceil(bits / 7) for 1 to 64 bits, without
    // the division.
    ((value | 1).ilog2() as usize * 9 + 73) / 64
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints() {
        for value in (0..64).flat_map(|bit| [1u64 << bit, (1 << bit) - 1]).chain([u64::MAX]) {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            assert_eq!(bytes.len(), varint_len(value), "{value}");
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.varint(), Ok(value));
            assert!(reader.is_empty());
            assert_eq!(Reader::new(&bytes[..bytes.len() - 1]).varint(), Err(WireError::BadVarint));
        }
        let longest = [0xff; 9];
        for (last, accepted) in [(0, true), (1, true), (2, false), (0x80, false)] {
            let bytes = [&longest[..], &[last, 0]].concat();
            assert_eq!(Reader::new(&bytes).varint().is_ok(), accepted, "{last}");
        }
    }

    #[test]
    fn tags() {
        let key = |key: u64| {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, key);
            Reader::new(&bytes).tag()
        };
        assert_eq!(key(1 << 3 | 5), Ok(Tag { field: 1, wire: WireType::Fixed32 }));
        assert_eq!(key(u64::from(u32::MAX) - 7), Ok(Tag { field: (1 << 29) - 1, wire: WireType::Varint }));
        for broken in [0, 5, 1 << 3 | 6, 1 << 3 | 7, 1 << 32 | 8] {
            assert_eq!(key(broken), Err(WireError::BadTag), "{broken}");
        }
    }

    #[test]
    fn reads_stay_within_the_message() {
        let bytes = [0x05, 1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(Reader::within(&bytes, 0, 6).len_delimited(), Ok(&bytes[1..6]));
        assert_eq!(Reader::within(&bytes, 0, 5).len_delimited(), Err(WireError::PastTheEnd));
        assert_eq!(Reader::within(&bytes, 2, 5).fixed32(), Err(WireError::PastTheEnd));
        assert_eq!(Reader::within(&bytes, 1, 9).fixed64(), Ok(u64::from_le_bytes([1, 2, 3, 4, 5, 6, 7, 8])));
        assert!(Reader::within(&bytes, 50, 60).is_empty());
        let mut reader = Reader::new(&bytes);
        reader.seek(50);
        assert_eq!((reader.rest(), reader.position()), (&[][..], 9));
    }
}
