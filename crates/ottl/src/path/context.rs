//! The contexts: what each is called, which other ones its paths may name, and its paths, enums and fields.

use super::field::{Field, LogField, MetricField, Owner, PointField};

/// What a condition is asked about, or a statement edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// `resource`: a resource with what came from it.
    Resource,
    /// `scope`: an instrumentation scope.
    Scope,
    /// `span`.
    Span,
    /// `spanevent`: an event of a span.
    SpanEvent,
    /// `metric`: a metric with all its points.
    Metric,
    /// `datapoint`: one point of a metric.
    DataPoint,
    /// `log`: a log record.
    Log,
}

impl Context {
    /// All of them, the one that is preferred when a context is inferred first.
    pub const ALL: [Self; 7] =
        [Self::Log, Self::DataPoint, Self::Metric, Self::SpanEvent, Self::Span, Self::Scope, Self::Resource];

    /// As paths and configurations spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Resource => "resource",
            Self::Scope => "scope",
            Self::Span => "span",
            Self::SpanEvent => "spanevent",
            Self::Metric => "metric",
            Self::DataPoint => "datapoint",
            Self::Log => "log",
        }
    }

    /// The names that paths may begin with.
    pub(crate) fn visible(self) -> &'static [&'static str] {
        match self {
            Self::Resource => &["resource", "otelcol"],
            Self::Scope => &["scope", "resource", "otelcol", "instrumentation_scope"],
            Self::Span => &["span", "resource", "scope", "otelcol", "instrumentation_scope"],
            Self::SpanEvent => &["spanevent", "span", "resource", "scope", "otelcol", "instrumentation_scope"],
            Self::Metric => &["metric", "resource", "scope", "otelcol", "instrumentation_scope"],
            Self::DataPoint => &["datapoint", "metric", "resource", "scope", "otelcol", "instrumentation_scope"],
            Self::Log => &["log", "resource", "scope", "otelcol", "instrumentation_scope"],
        }
    }

    /// The same where paths must begin with such a name, as in statements: the scope's old name is unknown in its own context.
    pub(crate) fn prefixes(self) -> &'static [&'static str] {
        match self {
            Self::Scope => &self.visible()[..3],
            _ => self.visible(),
        }
    }

    /// What the enums of its conditions stand for.
    pub(crate) fn enums(self) -> &'static [(&'static str, i64)] {
        match self {
            Self::Resource | Self::Scope => &[],
            Self::Span | Self::SpanEvent => &SPAN_ENUMS,
            Self::Metric => &POINT_ENUMS[..9],
            Self::DataPoint => &POINT_ENUMS,
            Self::Log => &LOG_ENUMS,
        }
    }
}

/// The paths behind each context's name.
pub(crate) fn fields(context: &str) -> &'static [(&'static str, Field)] {
    match context {
        "span" => &SPAN,
        "spanevent" => &EVENT,
        "resource" => &RESOURCE,
        "scope" | "instrumentation_scope" => &SCOPE,
        "metric" => &METRIC,
        "datapoint" => &POINT,
        "log" => &LOG,
        "otelcol" => &OTELCOL,
        _ => &[],
    }
}

const CACHE: (&str, Field) = ("cache", Field::Attributes(Owner::Cache));

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
    CACHE,
];

const EVENT: [(&str, Field); 7] = [
    ("attributes", Field::Attributes(Owner::Event)),
    ("dropped_attributes_count", Field::EventDroppedAttributes),
    ("event_index", Field::EventIndex),
    ("name", Field::EventName),
    ("time", Field::EventTime),
    ("time_unix_nano", Field::EventNs),
    CACHE,
];

const RESOURCE: [(&str, Field); 4] = [
    ("attributes", Field::Attributes(Owner::Resource)),
    ("dropped_attributes_count", Field::ResourceDroppedAttributes),
    ("schema_url", Field::ResourceSchemaUrl),
    CACHE,
];

const SCOPE: [(&str, Field); 6] = [
    ("attributes", Field::Attributes(Owner::Scope)),
    ("dropped_attributes_count", Field::ScopeDroppedAttributes),
    ("name", Field::ScopeName),
    ("schema_url", Field::ScopeSchemaUrl),
    ("version", Field::ScopeVersion),
    CACHE,
];

const METRIC: [(&str, Field); 9] = [
    ("aggregation_temporality", Field::Metric(MetricField::Temporality)),
    ("data_points", Field::Metric(MetricField::Points)),
    ("description", Field::Metric(MetricField::Description)),
    ("is_monotonic", Field::Metric(MetricField::Monotonic)),
    ("metadata", Field::Attributes(Owner::Metadata)),
    ("name", Field::Metric(MetricField::Name)),
    ("type", Field::Metric(MetricField::Type)),
    ("unit", Field::Metric(MetricField::Unit)),
    CACHE,
];

const POINT: [(&str, Field); 23] = [
    ("attributes", Field::Attributes(Owner::Point)),
    ("bucket_counts", Field::Point(PointField::Counts)),
    ("count", Field::Point(PointField::Count)),
    ("exemplars", Field::Point(PointField::Exemplars)),
    ("explicit_bounds", Field::Point(PointField::Bounds)),
    ("flags", Field::Point(PointField::Flags)),
    ("negative", Field::Point(PointField::Negative)),
    ("negative.bucket_counts", Field::Point(PointField::NegativeCounts)),
    ("negative.offset", Field::Point(PointField::NegativeOffset)),
    ("positive", Field::Point(PointField::Positive)),
    ("positive.bucket_counts", Field::Point(PointField::PositiveCounts)),
    ("positive.offset", Field::Point(PointField::PositiveOffset)),
    ("quantile_values", Field::Point(PointField::Quantiles)),
    ("scale", Field::Point(PointField::Scale)),
    ("start_time", Field::Point(PointField::Start)),
    ("start_time_unix_nano", Field::Point(PointField::StartNs)),
    ("sum", Field::Point(PointField::Sum)),
    ("time", Field::Point(PointField::Time)),
    ("time_unix_nano", Field::Point(PointField::TimeNs)),
    ("value_double", Field::Point(PointField::Double)),
    ("value_int", Field::Point(PointField::Int)),
    ("zero_count", Field::Point(PointField::ZeroCount)),
    CACHE,
];

const LOG: [(&str, Field); 17] = [
    ("attributes", Field::Attributes(Owner::Log)),
    ("body", Field::Log(LogField::Body)),
    ("body.string", Field::Log(LogField::BodyText)),
    ("dropped_attributes_count", Field::Log(LogField::DroppedAttributes)),
    ("event_name", Field::Log(LogField::EventName)),
    ("flags", Field::Log(LogField::Flags)),
    ("observed_time", Field::Log(LogField::Observed)),
    ("observed_time_unix_nano", Field::Log(LogField::ObservedNs)),
    ("severity_number", Field::Log(LogField::Severity)),
    ("severity_text", Field::Log(LogField::SeverityText)),
    ("span_id", Field::Log(LogField::SpanId)),
    ("span_id.string", Field::Log(LogField::SpanIdText)),
    ("time", Field::Log(LogField::Time)),
    ("time_unix_nano", Field::Log(LogField::TimeNs)),
    ("trace_id", Field::Log(LogField::TraceId)),
    ("trace_id.string", Field::Log(LogField::TraceIdText)),
    CACHE,
];

const OTELCOL: [(&str, Field); 4] = [
    ("client.addr", Field::ClientAddress),
    ("client.auth.attributes", Field::Attributes(Owner::Auth)),
    ("client.metadata", Field::Attributes(Owner::Client)),
    ("grpc.metadata", Field::Attributes(Owner::Grpc)),
];

const SPAN_ENUMS: [(&str, i64); 9] = [
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

/// Those of metrics first.
const POINT_ENUMS: [(&str, i64); 11] = [
    ("AGGREGATION_TEMPORALITY_UNSPECIFIED", 0),
    ("AGGREGATION_TEMPORALITY_DELTA", 1),
    ("AGGREGATION_TEMPORALITY_CUMULATIVE", 2),
    ("METRIC_DATA_TYPE_NONE", 0),
    ("METRIC_DATA_TYPE_GAUGE", 1),
    ("METRIC_DATA_TYPE_SUM", 2),
    ("METRIC_DATA_TYPE_HISTOGRAM", 3),
    ("METRIC_DATA_TYPE_EXPONENTIAL_HISTOGRAM", 4),
    ("METRIC_DATA_TYPE_SUMMARY", 5),
    ("FLAG_NONE", 0),
    ("FLAG_NO_RECORDED_VALUE", 1),
];

const LOG_ENUMS: [(&str, i64); 25] = [
    ("SEVERITY_NUMBER_UNSPECIFIED", 0),
    ("SEVERITY_NUMBER_TRACE", 1),
    ("SEVERITY_NUMBER_TRACE2", 2),
    ("SEVERITY_NUMBER_TRACE3", 3),
    ("SEVERITY_NUMBER_TRACE4", 4),
    ("SEVERITY_NUMBER_DEBUG", 5),
    ("SEVERITY_NUMBER_DEBUG2", 6),
    ("SEVERITY_NUMBER_DEBUG3", 7),
    ("SEVERITY_NUMBER_DEBUG4", 8),
    ("SEVERITY_NUMBER_INFO", 9),
    ("SEVERITY_NUMBER_INFO2", 10),
    ("SEVERITY_NUMBER_INFO3", 11),
    ("SEVERITY_NUMBER_INFO4", 12),
    ("SEVERITY_NUMBER_WARN", 13),
    ("SEVERITY_NUMBER_WARN2", 14),
    ("SEVERITY_NUMBER_WARN3", 15),
    ("SEVERITY_NUMBER_WARN4", 16),
    ("SEVERITY_NUMBER_ERROR", 17),
    ("SEVERITY_NUMBER_ERROR2", 18),
    ("SEVERITY_NUMBER_ERROR3", 19),
    ("SEVERITY_NUMBER_ERROR4", 20),
    ("SEVERITY_NUMBER_FATAL", 21),
    ("SEVERITY_NUMBER_FATAL2", 22),
    ("SEVERITY_NUMBER_FATAL3", 23),
    ("SEVERITY_NUMBER_FATAL4", 24),
];
