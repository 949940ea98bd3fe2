//! Reads single spans and their envelopes, for the cold paths: the waterfall, Zipkin, policies that need a whole span.
//!
//! A view is a handful of borrowed fields; attributes, events and links are iterators over the encoded bytes. Nothing
//! allocates. Protobuf's merge rules hold: a later scalar wins, repeated `status`, `resource` and `scope` messages merge and
//! their attributes follow one another. One case is simplified: an attribute that brings two array values shows the later.
//!
//! The bytes have usually passed the scan. Where they have not, `parse` reports what is broken at its own level, and an
//! iterator ends at the first broken element.

pub(crate) mod fields;
pub mod log;
pub mod metric;
mod value;

pub use log::LogView;
pub use metric::{MetricKind, MetricView, PointKind, PointView};
pub use value::{ArrayValues, Attributes, array_values, key_value, map_entries, plain_entry, value};

use crate::schema::{self, Message};
use crate::wire::{Reader, Tag, WireError};
use fields::{Bodies, bytes, fixed32, fixed64, int32, uint32};

/// One span with what it belongs to.
#[derive(Clone, Copy, Debug)]
pub struct SpanInContext<'a> {
    /// The span's resource.
    pub resource: ResourceView<'a>,
    /// The span's instrumentation scope.
    pub scope: ScopeView<'a>,
    /// The span.
    pub span: SpanView<'a>,
}

/// What a ResourceSpans says besides its scopes.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResourceView<'a> {
    /// The schema URL of the resource.
    pub schema_url: &'a [u8],
    /// How many attributes the sender left out.
    pub dropped_attributes: u32,
    header: &'a [u8],
}

/// What a ScopeSpans says besides its spans.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScopeView<'a> {
    /// The name of the instrumentation scope.
    pub name: &'a [u8],
    /// The version of the instrumentation scope.
    pub version: &'a [u8],
    /// How many attributes the sender left out.
    pub dropped_attributes: u32,
    /// The schema URL of the spans.
    pub schema_url: &'a [u8],
    header: &'a [u8],
}

/// The fields of a span.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpanView<'a> {
    /// The trace ID as sent, of any length.
    pub trace_id: &'a [u8],
    /// The span ID as sent, of any length.
    pub span_id: &'a [u8],
    /// The W3C trace state.
    pub trace_state: &'a [u8],
    /// The parent's span ID as sent, of any length.
    pub parent_span_id: &'a [u8],
    /// The operation's name.
    pub name: &'a [u8],
    /// `SpanKind`: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    pub kind: i32,
    /// Start, nanoseconds since the Unix epoch.
    pub start_ns: u64,
    /// End, nanoseconds since the Unix epoch.
    pub end_ns: u64,
    /// W3C flags and OTLP's own bits.
    pub flags: u32,
    /// `Status.code`: 0 unset, 1 ok, 2 error.
    pub status_code: i32,
    /// `Status.message`.
    pub status_message: &'a [u8],
    /// How many attributes the sender left out.
    pub dropped_attributes: u32,
    /// How many events the sender left out.
    pub dropped_events: u32,
    /// How many links the sender left out.
    pub dropped_links: u32,
    /// The whole message body.
    pub body: &'a [u8],
}

/// The fields of a span event.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventView<'a> {
    /// When, nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// What happened.
    pub name: &'a [u8],
    /// How many attributes the sender left out.
    pub dropped_attributes: u32,
    body: &'a [u8],
}

/// The fields of a span link.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinkView<'a> {
    /// The linked span's trace ID as sent.
    pub trace_id: &'a [u8],
    /// The linked span's ID as sent.
    pub span_id: &'a [u8],
    /// The linked span's trace state.
    pub trace_state: &'a [u8],
    /// W3C flags and OTLP's own bits.
    pub flags: u32,
    /// How many attributes the sender left out.
    pub dropped_attributes: u32,
    body: &'a [u8],
}

/// The attributes of the span that a body is, without reading the rest of it.
#[must_use]
pub fn span_attributes(body: &[u8]) -> Attributes<'_> {
    Attributes::of(Bodies::new(body, 9, 3))
}

/// The attributes of the resource in the header of a ResourceSpans or its like, without reading the rest of it.
#[must_use]
pub fn resource_attributes(header: &[u8]) -> Attributes<'_> {
    Attributes::nested(Bodies::new(header, 1, 1), 1)
}

/// The spans of a request, in wire order, each with its resource and scope. Ends after the first error.
#[must_use]
pub fn spans(request: &[u8]) -> Spans<'_> {
    Spans {
        requests: Bodies::new(request, 1, 0),
        scopes: Bodies::empty(),
        spans: Bodies::empty(),
        resource: ResourceView::default(),
        scope: ScopeView::default(),
        is_over: false,
    }
}

/// Iterator of [`spans`].
#[derive(Clone, Debug)]
pub struct Spans<'a> {
    requests: Bodies<'a>,
    scopes: Bodies<'a>,
    spans: Bodies<'a>,
    resource: ResourceView<'a>,
    scope: ScopeView<'a>,
    is_over: bool,
}

impl<'a> Spans<'a> {
    fn step(&mut self) -> Result<Option<SpanInContext<'a>>, WireError> {
        loop {
            if let Some(body) = self.spans.step()? {
                let span = SpanView::parse(body)?;
                return Ok(Some(SpanInContext { resource: self.resource, scope: self.scope, span }));
            }
            if let Some(body) = self.scopes.step()? {
                self.scope = ScopeView::parse(body)?;
                self.spans = Bodies::new(body, 2, 2);
                continue;
            }
            let Some(body) = self.requests.step()? else { return Ok(None) };
            self.resource = ResourceView::parse(body)?;
            self.scopes = Bodies::new(body, 2, 1);
        }
    }
}

impl<'a> Iterator for Spans<'a> {
    type Item = Result<SpanInContext<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let item = self.step().transpose();
        self.is_over = !matches!(item, Some(Ok(_)));
        item
    }
}

impl<'a> ResourceView<'a> {
    /// Reads the fields of a ResourceSpans, with or without its scopes.
    ///
    /// # Errors
    /// Where the structure is broken.
    pub fn parse(header: &'a [u8]) -> Result<Self, WireError> {
        let mut view = Self { header, ..Self::default() };
        let mut reader = Reader::new(header);
        while !reader.is_empty() {
            let tag = reader.tag()?;
            match tag.field {
                1 => view.merge(bytes(&mut reader, tag)?)?,
                3 => view.schema_url = bytes(&mut reader, tag)?,
                _ => reader.skip(tag, 1)?,
            }
        }
        Ok(view)
    }

    /// The attributes of the resource.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'a> {
        resource_attributes(self.header)
    }

    fn merge(&mut self, resource: &[u8]) -> Result<(), WireError> {
        let mut reader = Reader::new(resource);
        while !reader.is_empty() {
            let tag = reader.tag()?;
            match tag.field {
                2 => self.dropped_attributes = uint32(&mut reader, tag)?,
                _ => reader.skip(tag, 2)?,
            }
        }
        Ok(())
    }
}

impl<'a> ScopeView<'a> {
    /// Reads the fields of a ScopeSpans, with or without its spans.
    ///
    /// # Errors
    /// Where the structure is broken.
    pub fn parse(header: &'a [u8]) -> Result<Self, WireError> {
        let mut view = Self { header, ..Self::default() };
        let mut reader = Reader::new(header);
        while !reader.is_empty() {
            let tag = reader.tag()?;
            match tag.field {
                1 => view.merge(bytes(&mut reader, tag)?)?,
                3 => view.schema_url = bytes(&mut reader, tag)?,
                _ => reader.skip(tag, 2)?,
            }
        }
        Ok(view)
    }

    /// The attributes of the scope.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes::nested(Bodies::new(self.header, 1, 2), 3)
    }

    fn merge(&mut self, scope: &'a [u8]) -> Result<(), WireError> {
        let mut reader = Reader::new(scope);
        while !reader.is_empty() {
            let tag = reader.tag()?;
            match tag.field {
                1 => self.name = bytes(&mut reader, tag)?,
                2 => self.version = bytes(&mut reader, tag)?,
                4 => self.dropped_attributes = uint32(&mut reader, tag)?,
                _ => reader.skip(tag, 3)?,
            }
        }
        Ok(())
    }
}

impl<'a> SpanView<'a> {
    /// Reads the fields of a Span.
    ///
    /// # Errors
    /// Where the structure is broken.
    pub fn parse(body: &'a [u8]) -> Result<Self, WireError> {
        const fn key(name: &str) -> u32 {
            schema::key(Message::Span, name)
        }
        const TRACE_ID: u32 = key("trace_id");
        const SPAN_ID: u32 = key("span_id");
        const TRACE_STATE: u32 = key("trace_state");
        const PARENT_SPAN_ID: u32 = key("parent_span_id");
        const NAME: u32 = key("name");
        const KIND: u32 = key("kind");
        const START: u32 = key("start_time_unix_nano");
        const END: u32 = key("end_time_unix_nano");
        const ATTRIBUTE: u32 = key("attributes");
        const EVENT: u32 = key("events");
        const LINK: u32 = key("links");
        const DROPPED_ATTRIBUTES: u32 = key("dropped_attributes_count");
        const DROPPED_EVENTS: u32 = key("dropped_events_count");
        const DROPPED_LINKS: u32 = key("dropped_links_count");
        const STATUS: u32 = key("status");
        const FLAGS: u32 = key("flags");
        let mut view = Self { body, ..Self::default() };
        let mut reader = Reader::new(body);
        while !reader.is_empty() {
            match reader.key()? {
                ATTRIBUTE | EVENT | LINK => drop(reader.len_delimited()?),
                TRACE_ID => view.trace_id = reader.len_delimited()?,
                SPAN_ID => view.span_id = reader.len_delimited()?,
                TRACE_STATE => view.trace_state = reader.len_delimited()?,
                PARENT_SPAN_ID => view.parent_span_id = reader.len_delimited()?,
                NAME => view.name = reader.len_delimited()?,
                KIND => view.kind = reader.varint()? as i32,
                START => view.start_ns = reader.fixed64()?,
                END => view.end_ns = reader.fixed64()?,
                DROPPED_ATTRIBUTES => view.dropped_attributes = reader.varint()? as u32,
                DROPPED_EVENTS => view.dropped_events = reader.varint()? as u32,
                DROPPED_LINKS => view.dropped_links = reader.varint()? as u32,
                STATUS => view.merge_status(reader.len_delimited()?)?,
                FLAGS => view.flags = reader.fixed32()?,
                key => {
                    let tag = Tag::of(key)?;
                    // Attributes, events and links are looked at by whoever reads them.
                    if matches!(tag.field, 1..=8 | 10 | 12 | 14..=16) {
                        return Err(WireError::WrongWireType);
                    }
                    reader.skip(tag, 3)?;
                }
            }
        }
        Ok(view)
    }

    /// Whether the span has no parent: its parent ID is absent, zero-length or all zero.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.parent_span_id.iter().all(|byte| *byte == 0)
    }

    /// The span's own attributes.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'a> {
        span_attributes(self.body)
    }

    /// The span's events.
    pub fn events(&self) -> impl Iterator<Item = EventView<'a>> + Clone + use<'a> {
        Bodies::new(self.body, 11, 3).map_while(|body| EventView::parse(body).ok())
    }

    /// The span's links.
    pub fn links(&self) -> impl Iterator<Item = LinkView<'a>> + Clone + use<'a> {
        Bodies::new(self.body, 13, 3).map_while(|body| LinkView::parse(body).ok())
    }

    fn merge_status(&mut self, status: &'a [u8]) -> Result<(), WireError> {
        let mut reader = Reader::new(status);
        while !reader.is_empty() {
            let tag = reader.tag()?;
            match tag.field {
                2 => self.status_message = bytes(&mut reader, tag)?,
                3 => self.status_code = int32(&mut reader, tag)?,
                _ => reader.skip(tag, 4)?,
            }
        }
        Ok(())
    }
}

impl<'a> EventView<'a> {
    /// Reads the fields of a Span.Event.
    ///
    /// # Errors
    /// Where the structure is broken.
    pub fn parse(body: &'a [u8]) -> Result<Self, WireError> {
        let mut view = Self { body, ..Self::default() };
        let mut reader = Reader::new(body);
        while !reader.is_empty() {
            let tag = reader.tag()?;
            match tag.field {
                1 => view.time_ns = fixed64(&mut reader, tag)?,
                2 => view.name = bytes(&mut reader, tag)?,
                4 => view.dropped_attributes = uint32(&mut reader, tag)?,
                _ => reader.skip(tag, 4)?,
            }
        }
        Ok(view)
    }

    /// The event's attributes.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes::of(Bodies::new(self.body, 3, 4))
    }
}

impl<'a> LinkView<'a> {
    /// Reads the fields of a Span.Link.
    ///
    /// # Errors
    /// Where the structure is broken.
    pub fn parse(body: &'a [u8]) -> Result<Self, WireError> {
        let mut view = Self { body, ..Self::default() };
        let mut reader = Reader::new(body);
        while !reader.is_empty() {
            let tag = reader.tag()?;
            match tag.field {
                1 => view.trace_id = bytes(&mut reader, tag)?,
                2 => view.span_id = bytes(&mut reader, tag)?,
                3 => view.trace_state = bytes(&mut reader, tag)?,
                5 => view.dropped_attributes = uint32(&mut reader, tag)?,
                6 => view.flags = fixed32(&mut reader, tag)?,
                _ => reader.skip(tag, 4)?,
            }
        }
        Ok(view)
    }

    /// The link's attributes.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes::of(Bodies::new(self.body, 4, 4))
    }
}

#[cfg(test)]
mod tests;
