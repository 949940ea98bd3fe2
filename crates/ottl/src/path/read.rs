//! Reading the fields of spans, events, scopes and resources.

use super::field::Field;
use crate::{
    client::Client,
    error::Error,
    subject::{Source, Subject},
    value::{Id, Map, Opaque, Time, Value, hex},
};

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
            Self::ResourceSchemaUrl if subject.has_schema_urls() => Value::str(subject.resource().schema_url),
            Self::ScopeSchemaUrl if subject.has_schema_urls() => Value::str(subject.scope().schema_url),
            Self::ResourceSchemaUrl | Self::ScopeSchemaUrl => Value::str(""),
            Self::Metric(field) => field.read(subject),
            Self::Point(field) => field.read(subject)?,
            Self::Log(field) => field.read(subject)?,
            Self::ClientAddress => match subject.client().and_then(Client::address) {
                Some(address) => Value::str(address),
                None => Value::Nil,
            },
            Self::Attributes(owner) => Value::Map(match owner.attributes(subject)? {
                Some(attributes) => Map::attributes(attributes),
                None => Map::data(Vec::new()),
            }),
        })
    }
}

fn name<'e>(subject: &'e Subject<'_>) -> &'e [u8] {
    match subject.source() {
        Source::Arriving { request, span, .. } => span.name.of(request),
        _ => subject.span().name,
    }
}

fn kind(subject: &Subject<'_>) -> i32 {
    match subject.source() {
        Source::Arriving { span, .. } => span.kind,
        _ => subject.span().kind,
    }
}

fn trace_id(subject: &Subject<'_>) -> [u8; 16] {
    match subject.source() {
        Source::Arriving { span, .. } => span.trace_id.0,
        _ => id(subject.span().trace_id),
    }
}

pub(super) fn trace_state<'e>(subject: &'e Subject<'e>) -> &'e [u8] {
    match subject.source() {
        Source::Arriving { request, span, .. } => span.trace_state.of(request),
        _ => subject.span().trace_state,
    }
}

fn times(subject: &Subject<'_>) -> (u64, u64) {
    match subject.source() {
        Source::Arriving { span, .. } => (span.start_ns, span.end_ns),
        _ => (subject.span().start_ns, subject.span().end_ns),
    }
}

fn status_code(subject: &Subject<'_>) -> i32 {
    match subject.source() {
        Source::Arriving { span, .. } => span.status,
        _ => subject.span().status_code,
    }
}

fn flags(subject: &Subject<'_>) -> u32 {
    match subject.source() {
        Source::Arriving { span, .. } => span.flags,
        _ => subject.span().flags,
    }
}

/// The kinds of spans as `kind.string` says them.
pub(crate) const KIND_TEXTS: [&str; 6] = ["Unspecified", "Internal", "Server", "Client", "Producer", "Consumer"];

/// The kinds of spans as `kind.deprecated_string` says them.
pub(crate) const KIND_NAMES: [&str; 6] = [
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];

/// The name of the span's kind; an unknown kind has none.
fn kind_name(subject: &Subject<'_>, names: &[&'static str; 6]) -> &'static str {
    usize::try_from(kind(subject)).ok().and_then(|kind| names.get(kind)).copied().unwrap_or_default()
}

/// An ID of another length is none.
pub(crate) fn id<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().unwrap_or([0; N])
}
