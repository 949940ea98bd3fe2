//! What only metrics requests have (opentelemetry-proto, `metrics.proto`).

use super::Kind::{
    Bool, Double, Doubles, Enum, Fixed64, Fixed64s, Id, Message, Messages, Sfixed64, Sint32, Text, Uint32, Uint64s,
};
use super::{Field, Message as M, choice, field, optional};

pub(super) const METRICS_REQUEST: &[Field] =
    &[field(1, "resource_metrics", "resourceMetrics", Messages(M::ResourceMetrics))];

pub(super) const RESOURCE_METRICS: &[Field] = &[
    field(1, "resource", "resource", Message(M::Resource)),
    field(2, "scope_metrics", "scopeMetrics", Messages(M::ScopeMetrics)),
    field(3, "schema_url", "schemaUrl", Text),
];

pub(super) const SCOPE_METRICS: &[Field] = &[
    field(1, "scope", "scope", Message(M::InstrumentationScope)),
    field(2, "metrics", "metrics", Messages(M::Metric)),
    field(3, "schema_url", "schemaUrl", Text),
];

pub(super) const METRIC: &[Field] = &[
    field(1, "name", "name", Text),
    field(2, "description", "description", Text),
    field(3, "unit", "unit", Text),
    choice(5, "gauge", "gauge", Message(M::Gauge)),
    choice(7, "sum", "sum", Message(M::Sum)),
    choice(9, "histogram", "histogram", Message(M::Histogram)),
    choice(10, "exponential_histogram", "exponentialHistogram", Message(M::ExponentialHistogram)),
    choice(11, "summary", "summary", Message(M::Summary)),
    field(12, "metadata", "metadata", Messages(M::KeyValue)),
];

pub(super) const GAUGE: &[Field] = &[field(1, "data_points", "dataPoints", Messages(M::NumberDataPoint))];

pub(super) const SUM: &[Field] = &[
    field(1, "data_points", "dataPoints", Messages(M::NumberDataPoint)),
    field(2, "aggregation_temporality", "aggregationTemporality", Enum(TEMPORALITIES)),
    field(3, "is_monotonic", "isMonotonic", Bool),
];

pub(super) const HISTOGRAM: &[Field] = &[
    field(1, "data_points", "dataPoints", Messages(M::HistogramDataPoint)),
    field(2, "aggregation_temporality", "aggregationTemporality", Enum(TEMPORALITIES)),
];

pub(super) const EXPONENTIAL_HISTOGRAM: &[Field] = &[
    field(1, "data_points", "dataPoints", Messages(M::ExponentialHistogramDataPoint)),
    field(2, "aggregation_temporality", "aggregationTemporality", Enum(TEMPORALITIES)),
];

pub(super) const SUMMARY: &[Field] = &[field(1, "data_points", "dataPoints", Messages(M::SummaryDataPoint))];

pub(super) const NUMBER_DATA_POINT: &[Field] = &[
    field(2, "start_time_unix_nano", "startTimeUnixNano", Fixed64),
    field(3, "time_unix_nano", "timeUnixNano", Fixed64),
    choice(4, "as_double", "asDouble", Double),
    field(5, "exemplars", "exemplars", Messages(M::Exemplar)),
    choice(6, "as_int", "asInt", Sfixed64),
    field(7, "attributes", "attributes", Messages(M::KeyValue)),
    field(8, "flags", "flags", Uint32),
];

pub(super) const HISTOGRAM_DATA_POINT: &[Field] = &[
    field(2, "start_time_unix_nano", "startTimeUnixNano", Fixed64),
    field(3, "time_unix_nano", "timeUnixNano", Fixed64),
    field(4, "count", "count", Fixed64),
    optional(5, "sum", "sum", Double),
    field(6, "bucket_counts", "bucketCounts", Fixed64s),
    field(7, "explicit_bounds", "explicitBounds", Doubles),
    field(8, "exemplars", "exemplars", Messages(M::Exemplar)),
    field(9, "attributes", "attributes", Messages(M::KeyValue)),
    field(10, "flags", "flags", Uint32),
    optional(11, "min", "min", Double),
    optional(12, "max", "max", Double),
];

pub(super) const EXPONENTIAL_HISTOGRAM_DATA_POINT: &[Field] = &[
    field(1, "attributes", "attributes", Messages(M::KeyValue)),
    field(2, "start_time_unix_nano", "startTimeUnixNano", Fixed64),
    field(3, "time_unix_nano", "timeUnixNano", Fixed64),
    field(4, "count", "count", Fixed64),
    optional(5, "sum", "sum", Double),
    field(6, "scale", "scale", Sint32),
    field(7, "zero_count", "zeroCount", Fixed64),
    field(8, "positive", "positive", Message(M::Buckets)),
    field(9, "negative", "negative", Message(M::Buckets)),
    field(10, "flags", "flags", Uint32),
    field(11, "exemplars", "exemplars", Messages(M::Exemplar)),
    optional(12, "min", "min", Double),
    optional(13, "max", "max", Double),
    field(14, "zero_threshold", "zeroThreshold", Double),
];

pub(super) const BUCKETS: &[Field] =
    &[field(1, "offset", "offset", Sint32), field(2, "bucket_counts", "bucketCounts", Uint64s)];

pub(super) const SUMMARY_DATA_POINT: &[Field] = &[
    field(2, "start_time_unix_nano", "startTimeUnixNano", Fixed64),
    field(3, "time_unix_nano", "timeUnixNano", Fixed64),
    field(4, "count", "count", Fixed64),
    field(5, "sum", "sum", Double),
    field(6, "quantile_values", "quantileValues", Messages(M::ValueAtQuantile)),
    field(7, "attributes", "attributes", Messages(M::KeyValue)),
    field(8, "flags", "flags", Uint32),
];

pub(super) const VALUE_AT_QUANTILE: &[Field] =
    &[field(1, "quantile", "quantile", Double), field(2, "value", "value", Double)];

pub(super) const EXEMPLAR: &[Field] = &[
    field(2, "time_unix_nano", "timeUnixNano", Fixed64),
    choice(3, "as_double", "asDouble", Double),
    field(4, "span_id", "spanId", Id(8)),
    field(5, "trace_id", "traceId", Id(16)),
    choice(6, "as_int", "asInt", Sfixed64),
    field(7, "filtered_attributes", "filteredAttributes", Messages(M::KeyValue)),
];

const TEMPORALITIES: &[&str] =
    &["AGGREGATION_TEMPORALITY_UNSPECIFIED", "AGGREGATION_TEMPORALITY_DELTA", "AGGREGATION_TEMPORALITY_CUMULATIVE"];
