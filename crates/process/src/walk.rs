//! Walking a message field by field, with the positions that a [`Splice`](crate::splice::Splice) wants.
//!
//! The envelopes of all three signals have the same field numbers (see [`otlp::Signal`]), so one walk serves them all:
//!
//! ```text
//!  request ─► resource part (1) ─► resource (1) · scope part (2) ─► scope (1) · item (2)
//! ```

use crate::splice::Field;
use otlp::wire::{Reader, WireError, WireType};
use std::ops::Range;

/// Field of a request: a resource with what came from it.
pub const RESOURCE_PART: u32 = 1;
/// Field of a resource part: the Resource.
pub const RESOURCE: u32 = 1;
/// Field of a resource part: a scope with its items.
pub const SCOPE_PART: u32 = 2;
/// Field of a scope part: the InstrumentationScope.
pub const SCOPE: u32 = 1;
/// Field of a scope part: a span, metric or log record.
pub const ITEM: u32 = 2;
/// Field of a resource part and of a scope part: the schema URL.
pub const SCHEMA_URL: u32 = 3;

/// The length-delimited fields of the message `source[within]`, in wire order; others are passed over.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    reader: Reader<'a>,
}

/// The fields of the message that `within` of `source` is.
#[must_use]
pub fn fields(source: &[u8], within: Range<usize>) -> Fields<'_> {
    Fields { reader: Reader::within(source, within.start, within.end) }
}

impl Fields<'_> {
    fn read(&mut self) -> Result<Option<Field>, WireError> {
        while !self.reader.is_empty() {
            let start = self.reader.position();
            let tag = self.reader.tag()?;
            if tag.wire != WireType::Len {
                self.reader.skip(tag, 0)?;
                continue;
            }
            let length = self.reader.position();
            let body = self.reader.len_delimited()?;
            let end = self.reader.position();
            return Ok(Some(Field { number: tag.field, start, length, body: end - body.len()..end }));
        }
        Ok(None)
    }
}

impl Iterator for Fields<'_> {
    type Item = Result<Field, WireError>;

    /// After an error there is nothing more.
    fn next(&mut self) -> Option<Self::Item> {
        let read = self.read();
        if read.is_err() {
            self.reader = Reader::new(&[]);
        }
        read.transpose()
    }
}
