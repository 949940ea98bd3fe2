//! One span: the hottest loop of the program, about 25 fields a span.
//!
//! Everything in it is either a match on a key that the schema computed, or a call that is not inlined.

use super::{Range, Scan, Span};
use crate::TraceId;
use crate::schema::{Message, key};
use crate::wire::{Reader, WireError};

/// A span's depth: request, ResourceSpans, ScopeSpans, Span.
const DEPTH: u32 = 3;

const TRACE_ID: u32 = key(Message::Span, "trace_id");
const SPAN_ID: u32 = key(Message::Span, "span_id");
const TRACE_STATE: u32 = key(Message::Span, "trace_state");
const PARENT_SPAN_ID: u32 = key(Message::Span, "parent_span_id");
const NAME: u32 = key(Message::Span, "name");
const KIND: u32 = key(Message::Span, "kind");
const START: u32 = key(Message::Span, "start_time_unix_nano");
const END: u32 = key(Message::Span, "end_time_unix_nano");
const ATTRIBUTES: u32 = key(Message::Span, "attributes");
const EVENTS: u32 = key(Message::Span, "events");
const STATUS: u32 = key(Message::Span, "status");
const FLAGS: u32 = key(Message::Span, "flags");

const STATUS_CODE: u32 = key(Message::Status, "code");

/// Length of the fields that nearly every span begins with: a trace ID of 16 bytes, a span ID of 8.
const IDS_LEN: usize = 28;

/// Length of what follows the key of the kind in nearly every span: the kind, then both times.
const TIMES_LEN: usize = 19;

impl Scan {
    /// Checks the span at `body` and records it, unless its trace ID is not one: then it is counted.
    /// `group` is where it would belong.
    pub(super) fn span(&mut self, request: &[u8], body: Range) -> Result<(), WireError> {
        let mut reader = Reader::within(request, body.start as usize, body.end());
        let mut trace_id: &[u8] = &[];
        let mut parent_span_id: &[u8] = &[];
        let (mut trace_state, mut name, mut has_events) = (Range::default(), Range::default(), false);
        let (mut start_ns, mut end_ns, mut flags, mut status, mut kind) = (0, 0, 0, 0, 0);
        let first_hit = self.hits.len();
        if let Some(ids) = reader.rest().first_chunk::<IDS_LEN>()
            && let Some(id) = usual_trace_id(ids)
        {
            trace_id = id;
            reader.seek(reader.position() + IDS_LEN);
        }
        while !reader.is_empty() {
            let key = reader.key()?;
            match key {
                ATTRIBUTES => reader.seek(self.attributes.read_all(reader, ATTRIBUTES, DEPTH + 1, &mut self.hits)?),
                TRACE_ID => trace_id = reader.len_delimited()?,
                PARENT_SPAN_ID => parent_span_id = reader.len_delimited()?,
                SPAN_ID => drop(reader.len_delimited()?),
                NAME => {
                    let len = reader.len_delimited()?.len();
                    name = Range::new(reader.position() - len, len);
                }
                TRACE_STATE => {
                    let len = reader.len_delimited()?.len();
                    trace_state = Range::new(reader.position() - len, len);
                }
                KIND => match reader.rest().first_chunk::<TIMES_LEN>().and_then(usual_times) {
                    Some(times) => {
                        (kind, start_ns, end_ns) = times;
                        reader.seek(reader.position() + TIMES_LEN);
                    }
                    None => kind = reader.varint()? as i32,
                },
                START => start_ns = reader.fixed64()?,
                END => end_ns = reader.fixed64()?,
                FLAGS => flags = reader.fixed32()?,
                STATUS => status = self.status(reader.len_delimited()?, status)?,
                _ => {
                    has_events |= key == EVENTS;
                    reader.seek(self.attributes.validator.field(reader, Message::Span, key, DEPTH)?);
                }
            }
        }
        let trace_id = <[u8; 16]>::try_from(trace_id).map(TraceId).unwrap_or_default();
        if trace_id.is_zero() {
            self.hits.truncate(first_hit);
            self.rejected += 1;
            return Ok(());
        }
        let group = self.open_group();
        self.spans.push(Span {
            body,
            group,
            trace_id,
            start_ns,
            end_ns,
            flags,
            status,
            kind,
            is_root: parent_span_id.iter().all(|byte| *byte == 0),
            has_events,
            name,
            trace_state,
            hits: Range::new(first_hit, self.hits.len() - first_hit),
        });
        Ok(())
    }

    /// The code after one more `status` field: messages that come twice are merged.
    fn status(&mut self, body: &[u8], code: i32) -> Result<i32, WireError> {
        let mut code = code;
        let mut reader = Reader::new(body);
        while !reader.is_empty() {
            match reader.key()? {
                STATUS_CODE => code = reader.varint()? as i32,
                key => reader.seek(self.attributes.validator.field(reader, Message::Status, key, DEPTH + 1)?),
            }
        }
        Ok(code)
    }
}

/// The trace ID, if `ids` are the two fields.
#[inline(always)]
fn usual_trace_id(ids: &[u8; IDS_LEN]) -> Option<&[u8]> {
    let is_usual = u32::from(ids[0]) == TRACE_ID && ids[1] == 16 && u32::from(ids[18]) == SPAN_ID && ids[19] == 8;
    is_usual.then_some(&ids[2..18])
}

/// Kind, start and end, if `times` are a kind below 128 and the two fields.
#[inline(always)]
fn usual_times(times: &[u8; TIMES_LEN]) -> Option<(i32, u64, u64)> {
    let (&[kind, start_key], rest) = times.split_first_chunk()?;
    let (start, rest) = rest.split_first_chunk()?;
    let (&[end_key], rest) = rest.split_first_chunk()?;
    let end = rest.first_chunk()?;
    let is_usual = kind < 0x80 && u32::from(start_key) == START && u32::from(end_key) == END;
    is_usual.then_some((i32::from(kind), u64::from_le_bytes(*start), u64::from_le_bytes(*end)))
}
