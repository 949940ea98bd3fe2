//! What only trace requests have (opentelemetry-proto, `trace.proto`).

use super::Kind::{Enum, Fixed32, Fixed64, Id, Message, Messages, Text, Uint32};
use super::{Field, Message as M, field};

pub(super) const TRACES_REQUEST: &[Field] = &[field(1, "resource_spans", "resourceSpans", Messages(M::ResourceSpans))];

pub(super) const RESOURCE_SPANS: &[Field] = &[
    field(1, "resource", "resource", Message(M::Resource)),
    field(2, "scope_spans", "scopeSpans", Messages(M::ScopeSpans)),
    field(3, "schema_url", "schemaUrl", Text),
];

pub(super) const SCOPE_SPANS: &[Field] = &[
    field(1, "scope", "scope", Message(M::InstrumentationScope)),
    field(2, "spans", "spans", Messages(M::Span)),
    field(3, "schema_url", "schemaUrl", Text),
];

pub(super) const SPAN: &[Field] = &[
    field(1, "trace_id", "traceId", Id(16)),
    field(2, "span_id", "spanId", Id(8)),
    field(3, "trace_state", "traceState", Text),
    field(4, "parent_span_id", "parentSpanId", Id(8)),
    field(5, "name", "name", Text),
    field(6, "kind", "kind", Enum(SPAN_KINDS)),
    field(7, "start_time_unix_nano", "startTimeUnixNano", Fixed64),
    field(8, "end_time_unix_nano", "endTimeUnixNano", Fixed64),
    field(9, "attributes", "attributes", Messages(M::KeyValue)),
    field(10, "dropped_attributes_count", "droppedAttributesCount", Uint32),
    field(11, "events", "events", Messages(M::Event)),
    field(12, "dropped_events_count", "droppedEventsCount", Uint32),
    field(13, "links", "links", Messages(M::Link)),
    field(14, "dropped_links_count", "droppedLinksCount", Uint32),
    field(15, "status", "status", Message(M::Status)),
    field(16, "flags", "flags", Fixed32),
];

pub(super) const EVENT: &[Field] = &[
    field(1, "time_unix_nano", "timeUnixNano", Fixed64),
    field(2, "name", "name", Text),
    field(3, "attributes", "attributes", Messages(M::KeyValue)),
    field(4, "dropped_attributes_count", "droppedAttributesCount", Uint32),
];

pub(super) const LINK: &[Field] = &[
    field(1, "trace_id", "traceId", Id(16)),
    field(2, "span_id", "spanId", Id(8)),
    field(3, "trace_state", "traceState", Text),
    field(4, "attributes", "attributes", Messages(M::KeyValue)),
    field(5, "dropped_attributes_count", "droppedAttributesCount", Uint32),
    field(6, "flags", "flags", Fixed32),
];

pub(super) const STATUS: &[Field] =
    &[field(2, "message", "message", Text), field(3, "code", "code", Enum(STATUS_CODES))];

const SPAN_KINDS: &[&str] = &[
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];

const STATUS_CODES: &[&str] = &["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];
