//! Walks the records of a request of any signal: spans, metrics, log records, each with the envelopes around it.
//!
//! What is not a record, schema URLs and unknown fields included, is the header of its envelope. Only an envelope's own
//! fields are looked at; a record's bytes are handed out as they are.

use crate::Signal;
use crate::schema::{Message, Presence, fields};
use crate::wire::{Reader, WireError, WireType};

/// A walk over a request, see [`Records::next`].
#[derive(Debug)]
pub struct Records<'a> {
    request: Reader<'a>,
    resource: Reader<'a>,
    scope: Reader<'a>,
    resource_header: Vec<u8>,
    scope_header: Vec<u8>,
}

/// What a walk comes to next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step<'a> {
    /// A scope's part of a resource's part begins; the headers are those of the records that follow.
    Scope,
    /// A record's body, without tag and length.
    Record(&'a [u8]),
}

/// Field numbers that the requests of all signals have in common, see [`Signal`].
const RESOURCE_PARTS: u32 = 1;
const SCOPE_PARTS: u32 = 2;
const RECORDS: u32 = 2;

/// The field of each kind of a metric's data that repeats the points.
pub(crate) const DATA_POINTS: u32 = 1;

impl<'a> Records<'a> {
    /// Begins at the front of `request`.
    #[must_use]
    pub fn new(request: &'a [u8]) -> Self {
        Self {
            request: Reader::new(request),
            resource: Reader::new(&[]),
            scope: Reader::new(&[]),
            resource_header: Vec::new(),
            scope_header: Vec::new(),
        }
    }

    /// The next scope or record; `None` at the end.
    ///
    /// # Errors
    /// Where an envelope is broken.
    #[expect(
        clippy::should_implement_trait,
        reason = "the headers are lent between the steps, which an iterator cannot"
    )]
    pub fn next(&mut self) -> Result<Option<Step<'a>>, WireError> {
        loop {
            if let Some(record) = child(&mut self.scope, RECORDS, 2)? {
                return Ok(Some(Step::Record(record)));
            }
            if let Some(scope) = child(&mut self.resource, SCOPE_PARTS, 1)? {
                header(&mut self.scope_header, scope, RECORDS, 2)?;
                self.scope = Reader::new(scope);
                return Ok(Some(Step::Scope));
            }
            let Some(resource) = child(&mut self.request, RESOURCE_PARTS, 0)? else {
                return Ok(None);
            };
            header(&mut self.resource_header, resource, SCOPE_PARTS, 1)?;
            self.resource = Reader::new(resource);
        }
    }

    /// The encoded fields of the open resource's part without its scopes' parts.
    #[must_use]
    pub fn resource_header(&self) -> &[u8] {
        &self.resource_header
    }

    /// The encoded fields of the open scope's part without its records.
    #[must_use]
    pub fn scope_header(&self) -> &[u8] {
        &self.scope_header
    }
}

/// How many items a record is: 1, or a metric's number of data points.
///
/// # Errors
/// Where a metric is broken.
pub fn items(signal: Signal, record: &[u8]) -> Result<u64, WireError> {
    if signal != Signal::Metrics {
        return Ok(1);
    }
    let (mut kind, mut points) = (0, 0);
    let mut metric = Reader::new(record);
    while let Some((number, data)) = next_data(&mut metric)? {
        if number != kind {
            (kind, points) = (number, 0);
        }
        let mut data = Reader::new(data);
        while child(&mut data, DATA_POINTS, 4)?.is_some() {
            points += 1;
        }
    }
    Ok(points)
}

/// The next field of a metric that is data, of whichever kind.
fn next_data<'a>(metric: &mut Reader<'a>) -> Result<Option<(u32, &'a [u8])>, WireError> {
    while !metric.is_empty() {
        let tag = metric.tag()?;
        match (is_data(tag.field), tag.wire) {
            (true, WireType::Len) => return Ok(Some((tag.field, metric.len_delimited()?))),
            (true, _) => return Err(WireError::WrongWireType),
            (false, _) => metric.skip(tag, 3)?,
        }
    }
    Ok(None)
}

/// Whether field `number` of a metric is data: the only ones of its `oneof`.
pub(crate) fn is_data(number: u32) -> bool {
    fields(Message::Metric).iter().any(|field| field.number == number && field.presence == Presence::Choice)
}

/// The next message that is field `number`.
pub(crate) fn child<'a>(reader: &mut Reader<'a>, number: u32, depth: u32) -> Result<Option<&'a [u8]>, WireError> {
    while !reader.is_empty() {
        let tag = reader.tag()?;
        match (tag.field == number, tag.wire) {
            (true, WireType::Len) => return reader.len_delimited().map(Some),
            (true, _) => return Err(WireError::WrongWireType),
            (false, _) => reader.skip(tag, depth)?,
        }
    }
    Ok(None)
}

/// Writes to `out` the fields of `body` that are not field `number`.
pub(crate) fn header(out: &mut Vec<u8>, body: &[u8], number: u32, depth: u32) -> Result<(), WireError> {
    out.clear();
    let mut reader = Reader::new(body);
    while !reader.is_empty() {
        let start = reader.position();
        let tag = reader.tag()?;
        reader.skip(tag, depth)?;
        if tag.field != number {
            out.extend_from_slice(body.get(start..reader.position()).unwrap_or_default());
        }
    }
    Ok(())
}
