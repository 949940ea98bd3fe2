//! Finds the IDs of all spans of a request, and reads no further in a span than they stand.

use otlp::wire::{Reader, WireError, WireType};

/// What is counted of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SpanIds {
    pub(super) trace_id: [u8; 16],
    pub(super) span_id: [u8; 8],
    pub(super) is_root: bool,
}

/// Calls `each` with every span of an ExportTraceServiceRequest.
pub(super) fn spans(request: &[u8], mut each: impl FnMut(SpanIds)) -> Result<(), WireError> {
    children(request, 1, |resource_spans| {
        children(resource_spans, 2, |scope_spans| {
            children(scope_spans, 2, |span| {
                each(ids(span)?);
                Ok(())
            })
        })
    })
}

#[inline]
fn children<'a>(
    message: &'a [u8],
    field: u32,
    mut each: impl FnMut(&'a [u8]) -> Result<(), WireError>,
) -> Result<(), WireError> {
    let mut reader = Reader::new(message);
    while !reader.is_empty() {
        let tag = reader.tag()?;
        if tag.field == field && tag.wire == WireType::Len {
            each(reader.len_delimited()?)?;
        } else {
            reader.skip(tag, 1)?;
        }
    }
    Ok(())
}

/// Encoders write fields by number, so behind the name (5) no ID is expected once both were found.
#[inline]
fn ids(span: &[u8]) -> Result<SpanIds, WireError> {
    let mut found = SpanIds { trace_id: [0; 16], span_id: [0; 8], is_root: true };
    let mut seen = 0;
    let mut reader = Reader::new(span);
    while !reader.is_empty() {
        let tag = reader.tag()?;
        match (tag.field, tag.wire) {
            (1, WireType::Len) => {
                found.trace_id = reader.len_delimited()?.try_into().unwrap_or_default();
                seen |= 1;
            }
            (2, WireType::Len) => {
                found.span_id = reader.len_delimited()?.try_into().unwrap_or_default();
                seen |= 2;
            }
            (4, WireType::Len) => found.is_root = reader.len_delimited()?.iter().all(|byte| *byte == 0),
            _ if tag.field >= 5 && seen == 3 => break,
            _ => reader.skip(tag, 1)?,
        }
    }
    Ok(found)
}
