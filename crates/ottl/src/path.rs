//! The paths of a condition: what a name means, and how its value is read.
//!
//! A path without keys is a [`Field`]. Attributes with a constant key are interned, so that the scanner finds them; of a
//! value that is indexed further only that value is decoded.

use crate::{
    error::Error,
    expr::Expr,
    subject::{Source, Subject},
    value::{Id, Map, Opaque, Time, Value, hex},
};
use otlp::{
    KeyId,
    view::{Attributes, array_values, map_entries},
};
use std::borrow::Cow;

/// Which list a condition stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// `span`.
    Span,
    /// `spanevent`.
    SpanEvent,
}

/// A path without keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    TraceId,
    TraceIdText,
    SpanId,
    SpanIdText,
    ParentSpanId,
    ParentSpanIdText,
    TraceState,
    Name,
    Kind,
    KindText,
    KindName,
    StartNs,
    EndNs,
    Start,
    End,
    DroppedAttributes,
    Events,
    DroppedEvents,
    Links,
    DroppedLinks,
    Status,
    StatusCode,
    StatusMessage,
    Flags,
    EventName,
    EventNs,
    EventTime,
    EventDroppedAttributes,
    /// Known, and never there.
    EventIndex,
    ResourceDroppedAttributes,
    ScopeName,
    ScopeVersion,
    ScopeDroppedAttributes,
    /// Lost at otelcol's intake.
    SchemaUrl,
    /// What never has a value here.
    Absent,
    Attributes(Owner),
}

/// Whose attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Span,
    Event,
    Resource,
    Scope,
    /// Of nothing: maps that are always empty here.
    Nobody,
}

/// The paths behind each context's name.
pub(crate) fn fields(context: &str) -> &'static [(&'static str, Field)] {
    match context {
        "span" => &SPAN,
        "spanevent" => &EVENT,
        "resource" => &RESOURCE,
        "scope" | "instrumentation_scope" => &SCOPE,
        "otelcol" => &OTELCOL,
        _ => &[],
    }
}

const SPAN: [(&str, Field); 26] = [
    ("attributes", Field::Attributes(Owner::Span)),
    ("dropped_attributes_count", Field::DroppedAttributes),
    ("dropped_events_count", Field::DroppedEvents),
    ("dropped_links_count", Field::DroppedLinks),
    ("end_time", Field::End),
    ("end_time_unix_nano", Field::EndNs),
    ("events", Field::Events),
    ("flags", Field::Flags),
    ("kind", Field::Kind),
    ("kind.deprecated_string", Field::KindName),
    ("kind.string", Field::KindText),
    ("links", Field::Links),
    ("name", Field::Name),
    ("parent_span_id", Field::ParentSpanId),
    ("parent_span_id.string", Field::ParentSpanIdText),
    ("span_id", Field::SpanId),
    ("span_id.string", Field::SpanIdText),
    ("start_time", Field::Start),
    ("start_time_unix_nano", Field::StartNs),
    ("status", Field::Status),
    ("status.code", Field::StatusCode),
    ("status.message", Field::StatusMessage),
    ("trace_id", Field::TraceId),
    ("trace_id.string", Field::TraceIdText),
    ("trace_state", Field::TraceState),
    ("cache", Field::Attributes(Owner::Nobody)),
];

const EVENT: [(&str, Field); 7] = [
    ("attributes", Field::Attributes(Owner::Event)),
    ("dropped_attributes_count", Field::EventDroppedAttributes),
    ("event_index", Field::EventIndex),
    ("name", Field::EventName),
    ("time", Field::EventTime),
    ("time_unix_nano", Field::EventNs),
    ("cache", Field::Attributes(Owner::Nobody)),
];

const RESOURCE: [(&str, Field); 3] = [
    ("attributes", Field::Attributes(Owner::Resource)),
    ("dropped_attributes_count", Field::ResourceDroppedAttributes),
    ("schema_url", Field::SchemaUrl),
];

const SCOPE: [(&str, Field); 5] = [
    ("attributes", Field::Attributes(Owner::Scope)),
    ("dropped_attributes_count", Field::ScopeDroppedAttributes),
    ("name", Field::ScopeName),
    ("schema_url", Field::SchemaUrl),
    ("version", Field::ScopeVersion),
];

const OTELCOL: [(&str, Field); 4] = [
    ("client.addr", Field::Absent),
    ("client.auth.attributes", Field::Attributes(Owner::Nobody)),
    ("client.metadata", Field::Attributes(Owner::Nobody)),
    ("grpc.metadata", Field::Attributes(Owner::Nobody)),
];

/// An attribute, or a part of one.
#[derive(Debug)]
pub(crate) struct Attribute {
    pub(crate) owner: Owner,
    pub(crate) name: Name,
    /// What indexes its value.
    pub(crate) keys: Box<[Key]>,
}

/// The key of an attribute.
#[derive(Debug)]
pub(crate) enum Name {
    /// One that the scanner looks for.
    Interned(KeyId, Box<str>),
    Plain(Box<str>),
    Computed(Expr),
    /// An int: refused when it is asked for.
    Int,
}

/// An index.
#[derive(Debug)]
pub(crate) enum Key {
    Str(Box<str>),
    Int(i64),
    Computed(Expr),
}

/// A member of the trace state; its key is a string literal, or wrong.
#[derive(Debug)]
pub(crate) struct TraceStateMember {
    pub(crate) key: Option<Box<str>>,
}

/// What looking for an attribute among others costs.
const SEARCH_COST: u64 = 100;

impl Field {
    pub(crate) fn read<'e>(self, subject: &'e Subject<'e>) -> Result<Value<'e>, Error> {
        Ok(match self {
            Self::TraceId => Value::Id(Id::Trace(trace_id(subject))),
            Self::TraceIdText => Value::string(hex(&trace_id(subject))),
            Self::SpanId => Value::Id(Id::Span(id(subject.span().span_id))),
            Self::SpanIdText => Value::string(hex(&id::<8>(subject.span().span_id))),
            Self::ParentSpanId => Value::Id(Id::Span(id(subject.span().parent_span_id))),
            Self::ParentSpanIdText => Value::string(hex(&id::<8>(subject.span().parent_span_id))),
            Self::TraceState => Value::str(trace_state(subject)),
            Self::Name => Value::str(name(subject)),
            Self::Kind => Value::Int(kind(subject).into()),
            Self::KindText => Value::str(kind_name(subject, &KIND_TEXTS)),
            Self::KindName => Value::str(kind_name(subject, &KIND_NAMES)),
            // otelcol's ints are signed.
            Self::StartNs => Value::Int(times(subject).0 as i64),
            Self::EndNs => Value::Int(times(subject).1 as i64),
            Self::Start => Value::Time(Time::from_wire(times(subject).0)),
            Self::End => Value::Time(Time::from_wire(times(subject).1)),
            Self::DroppedAttributes => Value::Int(subject.span().dropped_attributes.into()),
            Self::Events => Value::Opaque(Opaque::Events(subject.span().events().count())),
            Self::DroppedEvents => Value::Int(subject.span().dropped_events.into()),
            Self::Links => Value::Opaque(Opaque::Links(subject.span().links().count())),
            Self::DroppedLinks => Value::Int(subject.span().dropped_links.into()),
            Self::Status => Value::Opaque(Opaque::Status),
            Self::StatusCode => Value::Int(status_code(subject).into()),
            Self::StatusMessage => Value::str(subject.span().status_message),
            Self::Flags => Value::Int(flags(subject).into()),
            Self::EventName => Value::str(subject.event()?.name),
            Self::EventNs => Value::Int(subject.event()?.time_ns as i64),
            Self::EventTime => Value::Time(Time::from_wire(subject.event()?.time_ns)),
            Self::EventDroppedAttributes => Value::Int(subject.event()?.dropped_attributes.into()),
            Self::EventIndex => return Err(Error::failed("no `event_index` is known here")),
            Self::ResourceDroppedAttributes => Value::Int(subject.resource().dropped_attributes.into()),
            Self::ScopeName => Value::str(subject.scope().name),
            Self::ScopeVersion => Value::str(subject.scope().version),
            Self::ScopeDroppedAttributes => Value::Int(subject.scope().dropped_attributes.into()),
            Self::SchemaUrl => Value::str(""),
            Self::Absent => Value::Nil,
            Self::Attributes(owner) => Value::Map(match owner.attributes(subject)? {
                Some(attributes) => Map::attributes(attributes),
                None => Map::data(Vec::new()),
            }),
        })
    }
}

impl Owner {
    fn attributes<'e>(self, subject: &'e Subject<'e>) -> Result<Option<Attributes<'e>>, Error> {
        Ok(match self {
            Self::Span => Some(subject.span().attributes()),
            Self::Event => Some(subject.event()?.attributes()),
            Self::Resource => Some(subject.resource().attributes()),
            Self::Scope => Some(subject.scope().attributes()),
            Self::Nobody => None,
        })
    }
}

impl Attribute {
    pub(crate) fn read<'e>(&'e self, subject: &'e Subject<'e>) -> Result<Value<'e>, Error> {
        let Some(value) = self.find(subject)? else { return Ok(Value::Nil) };
        indexed(value, &self.keys, subject)
    }

    /// The value of the attribute as a whole.
    #[inline]
    pub(crate) fn find<'e>(&'e self, subject: &'e Subject<'e>) -> Result<Option<otlp::Value<'e>>, Error> {
        let name = match &self.name {
            Name::Interned(key, name) => {
                return Ok(match self.owner {
                    Owner::Resource => subject.resource_attribute(*key, name.as_bytes()),
                    _ => subject.span_attribute(*key, name.as_bytes()),
                });
            }
            Name::Plain(name) => Cow::Borrowed(name.as_bytes()),
            Name::Computed(expr) => expr.evaluate(subject)?.into_str()?,
            Name::Int => return Err(Error::Type { expected: "a string as the key of a map", found: "an int" }),
        };
        subject.fuel().spend(SEARCH_COST)?;
        let Some(mut attributes) = self.owner.attributes(subject)? else { return Ok(None) };
        Ok(attributes.find(|(key, _)| *key == &*name).map(|(_, value)| value))
    }
}

/// The part of an attribute's value that keys lead to. A key that a map lacks ends the way: the part is nil then, whatever
/// keys follow.
fn indexed<'e>(value: otlp::Value<'e>, keys: &'e [Key], subject: &'e Subject<'e>) -> Result<Value<'e>, Error> {
    let mut value = value;
    for key in keys {
        value = match value {
            otlp::Value::Map(body) => {
                subject.fuel().spend(body.len() as u64)?;
                let name = key.str(subject)?;
                match map_entries(body).find(|(key, _)| *key == &*name) {
                    Some((_, value)) => value,
                    None => return Ok(Value::Nil),
                }
            }
            otlp::Value::Array(body) => {
                subject.fuel().spend(body.len() as u64)?;
                let index = key.int(subject)?;
                let item = usize::try_from(index).ok().and_then(|index| array_values(body).nth(index));
                item.ok_or_else(|| Error::failed(format!("the list has no item {index}")))?
            }
            other => return Err(Error::Type { expected: "a map or a list", found: Value::of_wire(other).kind() }),
        };
    }
    Ok(Value::of_wire(value))
}

/// The part of a converter's result that keys lead to. A key that a map lacks is an error.
pub(crate) fn indexed_result<'e>(
    value: Value<'e>,
    keys: &'e [Key],
    subject: &'e Subject<'e>,
) -> Result<Value<'e>, Error> {
    let mut value = value;
    for key in keys {
        value = match (value, key.any(subject)?) {
            (Value::Map(map), Value::Str(name)) => {
                let found = map.into_value(&name);
                found.ok_or_else(|| Error::failed(format!("the map has no `{}`", String::from_utf8_lossy(&name))))?
            }
            (Value::List(list), Value::Int(index)) => {
                let item = usize::try_from(index).ok().and_then(|index| list.into_item(index));
                item.ok_or_else(|| Error::failed(format!("the list has no item {index}")))?
            }
            (Value::Bytes(bytes), Value::Int(index)) => {
                let byte = usize::try_from(index).ok().and_then(|index| bytes.get(index).copied());
                let byte = byte.ok_or_else(|| Error::failed(format!("there is no byte {index}")))?;
                Value::Opaque(Opaque::Foreign(byte.into()))
            }
            (other, _) => return Err(Error::Type { expected: "what the key can index", found: other.kind() }),
        };
    }
    Ok(value)
}

impl Key {
    fn any<'e>(&'e self, subject: &'e Subject<'e>) -> Result<Value<'e>, Error> {
        match self {
            Self::Str(text) => Ok(Value::str(&**text)),
            Self::Int(int) => Ok(Value::Int(*int)),
            Self::Computed(expr) => expr.evaluate(subject),
        }
    }

    fn str<'e>(&'e self, subject: &'e Subject<'e>) -> Result<Cow<'e, [u8]>, Error> {
        match self.any(subject)? {
            Value::Str(text) => Ok(text),
            other => Err(Error::Type { expected: "a string as the key of a map", found: other.kind() }),
        }
    }

    fn int<'e>(&'e self, subject: &'e Subject<'e>) -> Result<i64, Error> {
        match self.any(subject)? {
            Value::Int(int) => Ok(int),
            other => Err(Error::Type { expected: "an int as the index of a list", found: other.kind() }),
        }
    }
}

impl TraceStateMember {
    pub(crate) fn read<'e>(&'e self, subject: &'e Subject<'e>) -> Result<Value<'e>, Error> {
        let text = trace_state(subject);
        subject.fuel().spend(text.len() as u64)?;
        let key = self.key.as_deref().unwrap_or_default();
        match otlp::trace_state::lookup(text, key.as_bytes()) {
            Err(otlp::trace_state::Invalid) => Ok(Value::Nil),
            Ok(_) if self.key.is_none() => Err(Error::failed("the key of `trace_state` must be a string literal")),
            Ok(member) => Ok(Value::str(member.unwrap_or_default())),
        }
    }
}

fn name<'e>(subject: &'e Subject<'_>) -> &'e [u8] {
    match subject.source() {
        Source::Arriving { request, span, .. } => span.name.of(request),
        Source::Stored { .. } => subject.span().name,
    }
}

fn kind(subject: &Subject<'_>) -> i32 {
    match subject.source() {
        Source::Arriving { span, .. } => span.kind,
        Source::Stored { .. } => subject.span().kind,
    }
}

fn trace_id(subject: &Subject<'_>) -> [u8; 16] {
    match subject.source() {
        Source::Arriving { span, .. } => span.trace_id.0,
        Source::Stored { .. } => id(subject.span().trace_id),
    }
}

fn trace_state<'e>(subject: &'e Subject<'e>) -> &'e [u8] {
    match subject.source() {
        Source::Arriving { request, span, .. } => span.trace_state.of(request),
        Source::Stored { .. } => subject.span().trace_state,
    }
}

fn times(subject: &Subject<'_>) -> (u64, u64) {
    match subject.source() {
        Source::Arriving { span, .. } => (span.start_ns, span.end_ns),
        Source::Stored { .. } => (subject.span().start_ns, subject.span().end_ns),
    }
}

fn status_code(subject: &Subject<'_>) -> i32 {
    match subject.source() {
        Source::Arriving { span, .. } => span.status,
        Source::Stored { .. } => subject.span().status_code,
    }
}

fn flags(subject: &Subject<'_>) -> u32 {
    match subject.source() {
        Source::Arriving { span, .. } => span.flags,
        Source::Stored { .. } => subject.span().flags,
    }
}

const KIND_TEXTS: [&str; 6] = ["Unspecified", "Internal", "Server", "Client", "Producer", "Consumer"];

const KIND_NAMES: [&str; 6] = [
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];

/// What each enum of a condition stands for.
pub(crate) const ENUMS: [(&str, i64); 9] = [
    ("SPAN_KIND_UNSPECIFIED", 0),
    ("SPAN_KIND_INTERNAL", 1),
    ("SPAN_KIND_SERVER", 2),
    ("SPAN_KIND_CLIENT", 3),
    ("SPAN_KIND_PRODUCER", 4),
    ("SPAN_KIND_CONSUMER", 5),
    ("STATUS_CODE_UNSET", 0),
    ("STATUS_CODE_OK", 1),
    ("STATUS_CODE_ERROR", 2),
];

/// The name of the span's kind; an unknown kind has none.
fn kind_name(subject: &Subject<'_>, names: &[&'static str; 6]) -> &'static str {
    usize::try_from(kind(subject)).ok().and_then(|kind| names.get(kind)).copied().unwrap_or_default()
}

/// An ID of another length is none.
fn id<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().unwrap_or([0; N])
}
