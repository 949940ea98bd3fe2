//! What only logs requests have (opentelemetry-proto, `logs.proto`).

use super::Kind::{Enum, Fixed32, Fixed64, Id, Message, Messages, Text, Uint32};
use super::{Field, Message as M, field};

pub(super) const LOGS_REQUEST: &[Field] = &[field(1, "resource_logs", "resourceLogs", Messages(M::ResourceLogs))];

pub(super) const RESOURCE_LOGS: &[Field] = &[
    field(1, "resource", "resource", Message(M::Resource)),
    field(2, "scope_logs", "scopeLogs", Messages(M::ScopeLogs)),
    field(3, "schema_url", "schemaUrl", Text),
];

pub(super) const SCOPE_LOGS: &[Field] = &[
    field(1, "scope", "scope", Message(M::InstrumentationScope)),
    field(2, "log_records", "logRecords", Messages(M::LogRecord)),
    field(3, "schema_url", "schemaUrl", Text),
];

pub(super) const LOG_RECORD: &[Field] = &[
    field(1, "time_unix_nano", "timeUnixNano", Fixed64),
    field(2, "severity_number", "severityNumber", Enum(SEVERITIES)),
    field(3, "severity_text", "severityText", Text),
    field(5, "body", "body", Message(M::AnyValue)),
    field(6, "attributes", "attributes", Messages(M::KeyValue)),
    field(7, "dropped_attributes_count", "droppedAttributesCount", Uint32),
    field(8, "flags", "flags", Fixed32),
    field(9, "trace_id", "traceId", Id(16)),
    field(10, "span_id", "spanId", Id(8)),
    field(11, "observed_time_unix_nano", "observedTimeUnixNano", Fixed64),
    field(12, "event_name", "eventName", Text),
];

const SEVERITIES: &[&str] = &[
    "SEVERITY_NUMBER_UNSPECIFIED",
    "SEVERITY_NUMBER_TRACE",
    "SEVERITY_NUMBER_TRACE2",
    "SEVERITY_NUMBER_TRACE3",
    "SEVERITY_NUMBER_TRACE4",
    "SEVERITY_NUMBER_DEBUG",
    "SEVERITY_NUMBER_DEBUG2",
    "SEVERITY_NUMBER_DEBUG3",
    "SEVERITY_NUMBER_DEBUG4",
    "SEVERITY_NUMBER_INFO",
    "SEVERITY_NUMBER_INFO2",
    "SEVERITY_NUMBER_INFO3",
    "SEVERITY_NUMBER_INFO4",
    "SEVERITY_NUMBER_WARN",
    "SEVERITY_NUMBER_WARN2",
    "SEVERITY_NUMBER_WARN3",
    "SEVERITY_NUMBER_WARN4",
    "SEVERITY_NUMBER_ERROR",
    "SEVERITY_NUMBER_ERROR2",
    "SEVERITY_NUMBER_ERROR3",
    "SEVERITY_NUMBER_ERROR4",
    "SEVERITY_NUMBER_FATAL",
    "SEVERITY_NUMBER_FATAL2",
    "SEVERITY_NUMBER_FATAL3",
    "SEVERITY_NUMBER_FATAL4",
];
