//! Walking a message field by field, with the positions that a [`Splice`](crate::splice::Splice) wants.
//!
//! The envelopes of all three signals have the same field numbers (see [`otlp::Signal`]), so one walk serves them all:
//!
//! ```text
//!  request ─► resource part (1) ─► resource (1) · scope part (2) ─► scope (1) · item (2)
//! ```

use crate::splice::{Field, Splice};
use otlp::{
    Signal,
    view::MetricView,
    wire::{Reader, WireError, WireType},
};
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

/// Field of a gauge, a sum and so on: a data point.
pub const POINT: u32 = 1;
/// Field of a span: an event.
pub const EVENT: u32 = 11;
/// Field of a span: an attribute.
pub const SPAN_ATTRIBUTE: u32 = 9;
/// Field of a log record: an attribute.
pub const LOG_ATTRIBUTE: u32 = 6;

/// Enters each scope's part, and gives it with that of its resource.
///
/// # Errors
/// Where the structure is broken, and what `edit` gives.
pub fn each_scope<'a, E: From<WireError>>(
    splice: &mut Splice<'a>,
    mut edit: impl FnMut(&mut Splice<'a>, &Field, &Field) -> Result<(), E>,
) -> Result<(), E> {
    let source = splice.source();
    for resource_part in fields(source, 0..source.len()) {
        let resource_part = resource_part?;
        if resource_part.number != RESOURCE_PART {
            continue;
        }
        splice.enter(&resource_part);
        for scope_part in fields(source, resource_part.body.clone()) {
            let scope_part = scope_part?;
            if scope_part.number == SCOPE_PART {
                splice.enter(&scope_part);
                edit(splice, &resource_part, &scope_part)?;
                splice.leave();
            }
        }
        splice.leave();
    }
    Ok(())
}

/// Cuts each scope's item that `edit` does not keep, with the scopes and resources that have none then; tells how many items.
///
/// # Errors
/// Where the structure is broken, and what `edit` gives.
pub fn keep_items<'a, E: From<WireError>>(
    splice: &mut Splice<'a>,
    mut edit: impl FnMut(&mut Splice<'a>, &Field) -> Result<bool, E>,
) -> Result<u64, E> {
    let source = splice.source();
    let mut gone = 0;
    let kept: Result<bool, E> = keep(splice, 0..source.len(), RESOURCE_PART, |splice, resource_part| {
        keep_within(splice, resource_part, SCOPE_PART, |splice, scope_part| {
            keep_within(splice, scope_part, ITEM, |splice, item| {
                let is_kept = edit(splice, item)?;
                gone += u64::from(!is_kept);
                Ok(is_kept)
            })
        })
    });
    kept?;
    Ok(gone)
}

/// [`keep`] within a field; what was done there is forgotten if nothing is kept.
fn keep_within<'a, E: From<WireError>>(
    splice: &mut Splice<'a>,
    field: &Field,
    number: u32,
    edit: impl FnMut(&mut Splice<'a>, &Field) -> Result<bool, E>,
) -> Result<bool, E> {
    let mark = splice.mark();
    splice.enter(field);
    let is_kept = keep(splice, field.body.clone(), number, edit)?;
    splice.leave();
    if !is_kept {
        splice.back(mark);
    }
    Ok(is_kept)
}

/// Cuts the fields of a number that `edit` does not keep; tells whether one is kept.
fn keep<'a, E: From<WireError>>(
    splice: &mut Splice<'a>,
    within: Range<usize>,
    number: u32,
    mut edit: impl FnMut(&mut Splice<'a>, &Field) -> Result<bool, E>,
) -> Result<bool, E> {
    let mut is_any_kept = false;
    for field in fields(splice.source(), within) {
        let field = field?;
        if field.number != number {
            continue;
        }
        if edit(splice, &field)? {
            is_any_kept = true;
        } else {
            splice.cut(field.whole());
        }
    }
    Ok(is_any_kept)
}

/// Enters each span, data point or log record of a scope's item, and gives it with the number of its attributes' field.
///
/// # Errors
/// Where the structure is broken, and what `edit` gives.
pub fn each_record<'a, E: From<WireError>>(
    splice: &mut Splice<'a>,
    signal: Signal,
    item: &Field,
    mut edit: impl FnMut(&mut Splice<'a>, &Field, u32) -> Result<(), E>,
) -> Result<(), E> {
    splice.enter(item);
    match signal {
        Signal::Traces => edit(splice, item, SPAN_ATTRIBUTE)?,
        Signal::Logs => edit(splice, item, LOG_ATTRIBUTE)?,
        Signal::Metrics => {
            let kind = MetricView::parse(item.of(splice.source()))?.kind;
            for data in fields(splice.source(), item.body.clone()) {
                let data = data?;
                let Some(points) = kind.points().filter(|_| kind.field() == Some(data.number)) else { continue };
                splice.enter(&data);
                for point in fields(splice.source(), data.body.clone()) {
                    let point = point?;
                    if point.number == POINT {
                        splice.enter(&point);
                        edit(splice, &point, points.attributes_field())?;
                        splice.leave();
                    }
                }
                splice.leave();
            }
        }
    }
    splice.leave();
    Ok(())
}

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
