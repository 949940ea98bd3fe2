//! One pass over an OTLP trace request: checks every byte of its structure and leaves plain records of its spans.

use crate::{KeyId, Keys, TraceId, Value, wire::WireError};
use std::sync::Arc;

/// A piece of the scanned request: `start..start + len`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Range {
    /// First byte.
    pub start: u32,
    /// Bytes.
    pub len: u32,
}

/// What one span says, and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// The span message's body in the request, without tag and length.
    pub body: Range,
    /// Index into [`Scan::groups`].
    pub group: u32,
    /// Never zero: spans without a valid trace ID are rejected by the scan.
    pub trace_id: TraceId,
    /// Start, nanoseconds since the Unix epoch, as sent.
    pub start_ns: u64,
    /// End, nanoseconds since the Unix epoch, as sent.
    pub end_ns: u64,
    /// W3C flags and OTLP's own bits, as sent.
    pub flags: u32,
    /// `Status.code` as sent; 0 unset, 1 ok, 2 error.
    pub status: i32,
    /// Whether the parent span ID is absent: zero-length or all zero.
    pub is_root: bool,
    /// The raw trace state.
    pub trace_state: Range,
    /// This span's part of [`Scan::hits`]: first index and count.
    pub hits: Range,
}

/// One ResourceSpans.
#[derive(Clone, Copy, Debug)]
pub struct Resource {
    /// Everything of the ResourceSpans but its scope_spans, see [`Scan::resource_header`].
    pub header: Header,
    /// The resource's part of [`Scan::hits`]: first index and count.
    pub hits: Range,
}

/// One ScopeSpans that has at least one accepted span.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// Index into [`Scan::resources`].
    pub resource: u32,
    /// Everything of the ScopeSpans but its spans, see [`Scan::scope_header`].
    pub header: Header,
}

/// Where the encoded fields of an envelope stand: in the request, or, when they were not adjacent there, in a side buffer.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Header {
    /// Bytes of the request or of the side buffer.
    pub range: Range,
    /// Whether `range` is of the side buffer.
    pub aside: bool,
}

/// An attribute whose key somebody reads.
#[derive(Clone, Copy, Debug)]
pub struct Hit {
    /// Which key.
    pub key: KeyId,
    /// Kind of the value, and for containers, text and bytes where it stands; private so that it can be compact.
    kind: u8,
    payload: u64,
}

/// Whether a scan has come to the end of the request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// Call [`Scan::advance`] again.
    More,
    /// The whole request is scanned.
    Done,
}

/// A request that is not OTLP, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ScanError {
    /// What is wrong.
    pub error: WireError,
    /// Byte offset in the request, near the fault.
    pub at: usize,
}

/// The scanner and its results; reused from request to request, so that a request costs no allocation.
#[derive(Debug)]
pub struct Scan {
    keys: Arc<Keys>,
    /// The ResourceSpans, in wire order.
    pub resources: Vec<Resource>,
    /// The ScopeSpans, in wire order.
    pub groups: Vec<Group>,
    /// The accepted spans, in wire order.
    pub spans: Vec<Span>,
    /// Attribute hits of resources and spans.
    pub hits: Vec<Hit>,
    /// Spans whose trace ID is not 16 bytes or is all zero.
    pub rejected: u64,
    aside: Vec<u8>,
}

impl Hit {
    /// The value, read from the request that was scanned.
    #[must_use]
    pub fn value<'a>(&self, _request: &'a [u8]) -> Value<'a> {
        let _ = (self.kind, self.payload);
        Value::Empty
    }
}
