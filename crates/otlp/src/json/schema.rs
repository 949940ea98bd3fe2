//! The OTLP trace messages as a table: JSON name, field number, and how a value is written on either side.
//!
//! Source: opentelemetry-proto trace.proto, common.proto, resource.proto. The string-index fields of the profiles signal
//! (`keyStrindex`, `stringValueStrindex`) are absent on purpose: outside profiles they mean nothing.

use crate::wire::WireType;

/// A message.
pub(super) struct Schema {
    /// Its fields, ascending by number.
    pub(super) fields: &'static [Field],
    /// Whether all fields stand in one `oneof`: at most one is present, and then even with a default value.
    pub(super) is_oneof: bool,
}

/// A field of a message.
pub(super) struct Field {
    pub(super) camel: &'static str,
    pub(super) snake: &'static str,
    pub(super) number: u32,
    pub(super) kind: Kind,
}

/// How a value is written.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// `string`.
    Text,
    /// `bytes` of this length or none, hexadecimal in JSON.
    Id(usize),
    /// `bytes`, base64 in JSON.
    Bytes,
    /// `bool`.
    Bool,
    /// `int64`, text in JSON.
    Int64,
    /// `double`.
    Double,
    /// `fixed64`, text in JSON.
    Time,
    /// `uint32`.
    Count,
    /// `fixed32`.
    Flags,
    /// An enum and its names, counted from 0.
    Enum(&'static [&'static str]),
    /// One message.
    Message(&'static Schema),
    /// `repeated` messages.
    Messages(&'static Schema),
    /// `repeated string`.
    Texts,
}

impl Schema {
    pub(super) fn by_name(&self, name: &[u8]) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.camel.as_bytes() == name || field.snake.as_bytes() == name)
    }
}

impl Kind {
    pub(super) fn wire(self) -> WireType {
        match self {
            Self::Bool | Self::Int64 | Self::Count | Self::Enum(_) => WireType::Varint,
            Self::Double | Self::Time => WireType::Fixed64,
            Self::Flags => WireType::Fixed32,
            Self::Text | Self::Id(_) | Self::Bytes | Self::Message(_) | Self::Messages(_) | Self::Texts => {
                WireType::Len
            }
        }
    }

    /// Whether a second occurrence adds to the first instead of replacing it.
    pub(super) fn merges(self) -> bool {
        matches!(self, Self::Message(_) | Self::Messages(_) | Self::Texts)
    }
}

/// `ExportTraceServiceRequest`, the same as `TracesData`.
pub(super) static REQUEST: Schema =
    Schema { fields: &[field("resourceSpans", "resource_spans", 1, Kind::Messages(&RESOURCE_SPANS))], is_oneof: false };

static RESOURCE_SPANS: Schema = Schema {
    fields: &[
        field("resource", "resource", 1, Kind::Message(&RESOURCE)),
        field("scopeSpans", "scope_spans", 2, Kind::Messages(&SCOPE_SPANS)),
        field("schemaUrl", "schema_url", 3, Kind::Text),
    ],
    is_oneof: false,
};

static RESOURCE: Schema = Schema {
    fields: &[
        field("attributes", "attributes", 1, Kind::Messages(&KEY_VALUE)),
        field("droppedAttributesCount", "dropped_attributes_count", 2, Kind::Count),
        field("entityRefs", "entity_refs", 3, Kind::Messages(&ENTITY_REF)),
    ],
    is_oneof: false,
};

static ENTITY_REF: Schema = Schema {
    fields: &[
        field("schemaUrl", "schema_url", 1, Kind::Text),
        field("type", "type", 2, Kind::Text),
        field("idKeys", "id_keys", 3, Kind::Texts),
        field("descriptionKeys", "description_keys", 4, Kind::Texts),
    ],
    is_oneof: false,
};

static SCOPE_SPANS: Schema = Schema {
    fields: &[
        field("scope", "scope", 1, Kind::Message(&SCOPE)),
        field("spans", "spans", 2, Kind::Messages(&SPAN)),
        field("schemaUrl", "schema_url", 3, Kind::Text),
    ],
    is_oneof: false,
};

static SCOPE: Schema = Schema {
    fields: &[
        field("name", "name", 1, Kind::Text),
        field("version", "version", 2, Kind::Text),
        field("attributes", "attributes", 3, Kind::Messages(&KEY_VALUE)),
        field("droppedAttributesCount", "dropped_attributes_count", 4, Kind::Count),
    ],
    is_oneof: false,
};

static SPAN: Schema = Schema {
    fields: &[
        field("traceId", "trace_id", 1, Kind::Id(16)),
        field("spanId", "span_id", 2, Kind::Id(8)),
        field("traceState", "trace_state", 3, Kind::Text),
        field("parentSpanId", "parent_span_id", 4, Kind::Id(8)),
        field("name", "name", 5, Kind::Text),
        field("kind", "kind", 6, Kind::Enum(SPAN_KINDS)),
        field("startTimeUnixNano", "start_time_unix_nano", 7, Kind::Time),
        field("endTimeUnixNano", "end_time_unix_nano", 8, Kind::Time),
        field("attributes", "attributes", 9, Kind::Messages(&KEY_VALUE)),
        field("droppedAttributesCount", "dropped_attributes_count", 10, Kind::Count),
        field("events", "events", 11, Kind::Messages(&EVENT)),
        field("droppedEventsCount", "dropped_events_count", 12, Kind::Count),
        field("links", "links", 13, Kind::Messages(&LINK)),
        field("droppedLinksCount", "dropped_links_count", 14, Kind::Count),
        field("status", "status", 15, Kind::Message(&STATUS)),
        field("flags", "flags", 16, Kind::Flags),
    ],
    is_oneof: false,
};

static EVENT: Schema = Schema {
    fields: &[
        field("timeUnixNano", "time_unix_nano", 1, Kind::Time),
        field("name", "name", 2, Kind::Text),
        field("attributes", "attributes", 3, Kind::Messages(&KEY_VALUE)),
        field("droppedAttributesCount", "dropped_attributes_count", 4, Kind::Count),
    ],
    is_oneof: false,
};

static LINK: Schema = Schema {
    fields: &[
        field("traceId", "trace_id", 1, Kind::Id(16)),
        field("spanId", "span_id", 2, Kind::Id(8)),
        field("traceState", "trace_state", 3, Kind::Text),
        field("attributes", "attributes", 4, Kind::Messages(&KEY_VALUE)),
        field("droppedAttributesCount", "dropped_attributes_count", 5, Kind::Count),
        field("flags", "flags", 6, Kind::Flags),
    ],
    is_oneof: false,
};

static STATUS: Schema = Schema {
    fields: &[field("message", "message", 2, Kind::Text), field("code", "code", 3, Kind::Enum(STATUS_CODES))],
    is_oneof: false,
};

static KEY_VALUE: Schema = Schema {
    fields: &[field("key", "key", 1, Kind::Text), field("value", "value", 2, Kind::Message(&ANY_VALUE))],
    is_oneof: false,
};

static ANY_VALUE: Schema = Schema {
    fields: &[
        field("stringValue", "string_value", 1, Kind::Text),
        field("boolValue", "bool_value", 2, Kind::Bool),
        field("intValue", "int_value", 3, Kind::Int64),
        field("doubleValue", "double_value", 4, Kind::Double),
        field("arrayValue", "array_value", 5, Kind::Message(&ARRAY_VALUE)),
        field("kvlistValue", "kvlist_value", 6, Kind::Message(&KEY_VALUE_LIST)),
        field("bytesValue", "bytes_value", 7, Kind::Bytes),
    ],
    is_oneof: true,
};

static ARRAY_VALUE: Schema =
    Schema { fields: &[field("values", "values", 1, Kind::Messages(&ANY_VALUE))], is_oneof: false };

static KEY_VALUE_LIST: Schema =
    Schema { fields: &[field("values", "values", 1, Kind::Messages(&KEY_VALUE))], is_oneof: false };

const SPAN_KINDS: &[&str] = &[
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];

const STATUS_CODES: &[&str] = &["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];

const fn field(camel: &'static str, snake: &'static str, number: u32, kind: Kind) -> Field {
    Field { camel, snake, number, kind }
}
