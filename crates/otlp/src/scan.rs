//! One pass over an OTLP trace request: checks every byte of its structure and leaves plain records of its spans.

pub(crate) mod attribute;
mod header;
mod matcher;
mod span;
mod validate;

use self::attribute::Attributes;
use self::matcher::Matcher;
use self::validate::Validator;
use crate::schema::{Message, key};
use crate::wire::{Reader, WireError};
use crate::{KeyId, Keys, TraceId, Value};
use std::{fmt, sync::Arc};

/// A piece of the scanned request: `start..start + len`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Range {
    /// First byte.
    pub start: u32,
    /// Bytes.
    pub len: u32,
}

/// What one span says, and where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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
    /// `SpanKind` as sent.
    pub kind: i32,
    /// Whether the parent span ID is absent: zero-length or all zero.
    pub is_root: bool,
    /// Whether it has an event.
    pub has_events: bool,
    /// The operation's name.
    pub name: Range,
    /// The raw trace state.
    pub trace_state: Range,
    /// Which hits are this span's, see [`Scan::span_hits`].
    pub hits: Range,
}

/// One ResourceSpans that has at least one accepted span.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resource {
    /// Everything of the ResourceSpans but its scope_spans, see [`Scan::resource_header`].
    pub header: Header,
    /// Which hits are the resource's, see [`Scan::resource_hits`].
    pub hits: Range,
}

/// One ScopeSpans that has at least one accepted span.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hit {
    /// Which key.
    pub key: KeyId,
    kind: HitKind,
    /// The scalar's bits, or the packed [`Range`] of text, bytes or a container.
    payload: u64,
}

/// The kind of a hit's value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum HitKind {
    Empty,
    Str,
    Bool,
    Int,
    Double,
    Array,
    Map,
    Bytes,
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
    /// The ResourceSpans that have at least one accepted span, in wire order.
    pub resources: Vec<Resource>,
    /// The ScopeSpans that have at least one accepted span, in wire order.
    pub groups: Vec<Group>,
    /// The accepted spans, in wire order.
    pub spans: Vec<Span>,
    /// Spans whose trace ID is not 16 bytes or is all zero.
    pub rejected: u64,
    /// Attribute hits of spans.
    hits: Vec<Hit>,
    /// Attribute hits of resources; apart, because a resource may come in several parts with spans between them.
    resource_hits: Vec<Hit>,
    /// Joined headers of ResourceSpans, and of ScopeSpans; apart for the same reason.
    resource_aside: Vec<u8>,
    scope_aside: Vec<u8>,
    attributes: Attributes,
    cursor: Cursor,
}

/// Where in the request the scan stands.
#[derive(Clone, Copy, Default, Debug)]
struct Cursor {
    at: usize,
    level: Level,
    /// Where the open ResourceSpans and ScopeSpans end, and what they have shown so far.
    resource_end: usize,
    resource_fields: header::Fields,
    first_resource_hit: usize,
    scope_end: usize,
    scope_fields: header::Fields,
    /// Whether the open ResourceSpans and ScopeSpans have a record already: they get it with their first accepted span.
    has_resource: bool,
    has_group: bool,
}

/// Which message's fields come next.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
enum Level {
    #[default]
    Request,
    Resource,
    Scope,
}

const RESOURCE_SPANS: u32 = key(Message::TracesRequest, "resource_spans");
const RESOURCE: u32 = key(Message::ResourceSpans, "resource");
const SCOPE_SPANS: u32 = key(Message::ResourceSpans, "scope_spans");
const SPANS: u32 = key(Message::ScopeSpans, "spans");
const RESOURCE_ATTRIBUTES: u32 = key(Message::Resource, "attributes");

impl Scan {
    /// A scanner that reports the attributes named by `keys`.
    #[must_use]
    pub fn new(keys: Arc<Keys>) -> Self {
        Self {
            resources: Vec::new(),
            groups: Vec::new(),
            spans: Vec::new(),
            rejected: 0,
            hits: Vec::new(),
            resource_hits: Vec::new(),
            resource_aside: Vec::new(),
            scope_aside: Vec::new(),
            attributes: Attributes { matcher: Matcher::new(&keys), validator: Validator::new() },
            cursor: Cursor::default(),
            keys,
        }
    }

    /// The keys whose attributes are reported.
    #[must_use]
    pub fn keys(&self) -> &Arc<Keys> {
        &self.keys
    }

    /// Forgets the last request and keeps the capacity.
    pub fn begin(&mut self) {
        self.resources.clear();
        self.groups.clear();
        self.spans.clear();
        self.rejected = 0;
        self.hits.clear();
        self.resource_hits.clear();
        self.resource_aside.clear();
        self.scope_aside.clear();
        self.cursor = Cursor::default();
    }

    /// Scans the whole of `request`.
    ///
    /// # Errors
    /// [`ScanError`] if it is not OTLP; what was found before the fault means nothing then.
    pub fn run(&mut self, request: &[u8]) -> Result<(), ScanError> {
        self.begin();
        self.advance(request, usize::MAX).map(drop)
    }

    /// Scans on from where the last call stopped, for about `bytes_max` more bytes: it stops before the first span or other
    /// field of an envelope that begins after them. The results are complete, and mean something, only with
    /// [`Progress::Done`]. `request` is the same in each call after [`Scan::begin`].
    ///
    /// # Errors
    /// [`ScanError`] if it is not OTLP; what was found before the fault means nothing then.
    pub fn advance(&mut self, request: &[u8], bytes_max: usize) -> Result<Progress, ScanError> {
        if u32::try_from(request.len()).is_err() {
            return Err(ScanError { error: WireError::TooLarge, at: 0 });
        }
        let stop = self.cursor.at.saturating_add(bytes_max.max(1));
        loop {
            let at = self.cursor.at;
            let step = match self.cursor.level {
                Level::Request if at >= request.len() => return Ok(Progress::Done),
                Level::Resource if at >= self.cursor.resource_end => self.close_resource(),
                Level::Scope if at >= self.cursor.scope_end => self.close_scope(),
                _ if at >= stop => return Ok(Progress::More),
                Level::Request => self.request_field(request),
                Level::Resource => self.resource_field(request),
                Level::Scope => self.scope_field(request),
            };
            step.map_err(|error| ScanError { error, at })?;
        }
    }

    /// The encoded fields of a ResourceSpans without its ScopeSpans: a resource's header followed by its children is the
    /// message again, with schema URL and unknown fields.
    #[must_use]
    pub fn resource_header<'a>(&'a self, request: &'a [u8], resource: &Resource) -> &'a [u8] {
        let Header { range, aside } = resource.header;
        range.of(if aside { &self.resource_aside } else { request })
    }

    /// The encoded fields of a ScopeSpans without its spans.
    #[must_use]
    pub fn scope_header<'a>(&'a self, request: &'a [u8], group: &Group) -> &'a [u8] {
        let Header { range, aside } = group.header;
        range.of(if aside { &self.scope_aside } else { request })
    }

    /// The attributes of a resource whose keys somebody reads, in wire order.
    #[must_use]
    pub fn resource_hits(&self, resource: &Resource) -> &[Hit] {
        resource.hits.of(&self.resource_hits)
    }

    /// The attributes of a span whose keys somebody reads, in wire order.
    #[must_use]
    #[inline]
    pub fn span_hits(&self, span: &Span) -> &[Hit] {
        span.hits.of(&self.hits)
    }

    /// Memory held by the results, used or not.
    #[must_use]
    pub fn capacity_bytes(&self) -> usize {
        self.resources.capacity() * size_of::<Resource>()
            + self.groups.capacity() * size_of::<Group>()
            + self.spans.capacity() * size_of::<Span>()
            + (self.hits.capacity() + self.resource_hits.capacity()) * size_of::<Hit>()
            + self.resource_aside.capacity()
            + self.scope_aside.capacity()
    }

    fn request_field(&mut self, request: &[u8]) -> Result<(), WireError> {
        let mut reader = Reader::within(request, self.cursor.at, request.len());
        match reader.key()? {
            RESOURCE_SPANS => {
                let len = reader.len_delimited()?.len();
                self.cursor.resource_end = reader.position();
                self.cursor.at = reader.position() - len;
                self.cursor.first_resource_hit = self.resource_hits.len();
                self.cursor.level = Level::Resource;
            }
            key => {
                self.cursor.at = self.attributes.validator.field(reader, Message::TracesRequest, key, 0)?;
            }
        }
        Ok(())
    }

    fn resource_field(&mut self, request: &[u8]) -> Result<(), WireError> {
        let start = self.cursor.at;
        let mut reader = Reader::within(request, start, self.cursor.resource_end);
        match reader.key()? {
            SCOPE_SPANS => {
                let len = reader.len_delimited()?.len();
                self.cursor.scope_end = reader.position();
                self.cursor.at = reader.position() - len;
                self.cursor.level = Level::Scope;
                return Ok(());
            }
            RESOURCE => {
                let len = reader.len_delimited()?.len();
                self.resource(Reader::within(request, reader.position() - len, reader.position()))?;
            }
            key => reader.seek(self.attributes.validator.field(reader, Message::ResourceSpans, key, 1)?),
        }
        self.cursor.at = reader.position();
        let field = Range::new(start, reader.position() - start);
        self.cursor.resource_fields.add(request, field, &mut self.resource_aside);
        Ok(())
    }

    fn resource(&mut self, body: Reader<'_>) -> Result<(), WireError> {
        let mut reader = body;
        while !reader.is_empty() {
            let position = match reader.key()? {
                RESOURCE_ATTRIBUTES => {
                    self.attributes.read_all(reader, RESOURCE_ATTRIBUTES, 3, &mut self.resource_hits)?
                }
                key => self.attributes.validator.field(reader, Message::Resource, key, 2)?,
            };
            reader.seek(position);
        }
        Ok(())
    }

    #[inline]
    fn scope_field(&mut self, request: &[u8]) -> Result<(), WireError> {
        let start = self.cursor.at;
        let mut reader = Reader::within(request, start, self.cursor.scope_end);
        match reader.key()? {
            SPANS => {
                let len = reader.len_delimited()?.len();
                self.span(request, Range::new(reader.position() - len, len))?;
            }
            key => {
                reader.seek(self.attributes.validator.field(reader, Message::ScopeSpans, key, 2)?);
                let field = Range::new(start, reader.position() - start);
                self.cursor.scope_fields.add(request, field, &mut self.scope_aside);
            }
        }
        self.cursor.at = reader.position();
        Ok(())
    }

    /// The index of the record of the open ScopeSpans, which it and its ResourceSpans get here if they have none.
    #[inline]
    fn open_group(&mut self) -> u32 {
        if !self.cursor.has_resource {
            self.cursor.has_resource = true;
            self.resources.push(Resource { header: Header::default(), hits: Range::default() });
        }
        if !self.cursor.has_group {
            self.cursor.has_group = true;
            self.groups.push(Group { resource: last(&self.resources), header: Header::default() });
        }
        last(&self.groups)
    }

    fn close_scope(&mut self) -> Result<(), WireError> {
        self.cursor.level = Level::Resource;
        if std::mem::take(&mut self.cursor.has_group) {
            let header = self.cursor.scope_fields.close();
            self.groups.last_mut().expect("a group was pushed when `has_group` was set").header = header;
        } else {
            self.cursor.scope_fields.discard(&mut self.scope_aside);
        }
        Ok(())
    }

    fn close_resource(&mut self) -> Result<(), WireError> {
        self.cursor.level = Level::Request;
        let first = self.cursor.first_resource_hit;
        if std::mem::take(&mut self.cursor.has_resource) {
            let header = self.cursor.resource_fields.close();
            let hits = Range::new(first, self.resource_hits.len() - first);
            *self.resources.last_mut().expect("a resource was pushed when `has_resource` was set") =
                Resource { header, hits };
        } else {
            self.resource_hits.truncate(first);
            self.cursor.resource_fields.discard(&mut self.resource_aside);
        }
        Ok(())
    }
}

impl Range {
    /// Scanned requests are below 4 GiB, and no list of records has more entries than its request has bytes.
    #[inline]
    fn new(start: usize, len: usize) -> Self {
        debug_assert!(start + len <= u32::MAX as usize, "BUG: a range past 4 GiB");
        Self { start: start as u32, len: len as u32 }
    }

    /// The piece of `items`; empty if it is not in there.
    #[must_use]
    #[inline]
    pub fn of<T>(self, items: &[T]) -> &[T] {
        items.get(self.start as usize..self.end()).unwrap_or_default()
    }

    /// One past the last.
    #[must_use]
    #[inline]
    pub fn end(self) -> usize {
        self.start as usize + self.len as usize
    }

    fn packed(self) -> u64 {
        u64::from(self.start) << 32 | u64::from(self.len)
    }

    fn unpacked(packed: u64) -> Self {
        Self { start: (packed >> 32) as u32, len: packed as u32 }
    }
}

impl Hit {
    /// The value, read from the request that was scanned. Where an array or a map came in several parts, the last one.
    #[must_use]
    pub fn value<'a>(&self, request: &'a [u8]) -> Value<'a> {
        let bytes = || Range::unpacked(self.payload).of(request);
        match self.kind {
            HitKind::Empty => Value::Empty,
            HitKind::Str => Value::Str(bytes()),
            HitKind::Bool => Value::Bool(self.payload != 0),
            HitKind::Int => Value::Int(self.payload as i64),
            HitKind::Double => Value::Double(f64::from_bits(self.payload)),
            HitKind::Array => Value::Array(bytes()),
            HitKind::Map => Value::Map(bytes()),
            HitKind::Bytes => Value::Bytes(bytes()),
        }
    }
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not an OTLP request: {} near byte {}", self.error, self.at)
    }
}

impl std::error::Error for ScanError {}

/// Index of the last of `records`, which are as many as 32 bits can count, see [`Range::new`].
fn last<T>(records: &[T]) -> u32 {
    records.len() as u32 - 1
}
