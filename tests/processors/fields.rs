//! The paths of each context that statements can read and set.

/// What type a value is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Text,
    Int,
    Float,
    Bool,
    Time,
    Trace,
    Span,
    List,
    Map,
    /// What only a path of the same name gives.
    Opaque,
}

use Type::{Bool, Float, Int, List, Map, Opaque, Span, Text, Time, Trace};

/// The fields of a context that can be read and set, and what fits. The first one is never nil.
pub(crate) fn fields(context: &str) -> &'static [(&'static str, Option<Type>)] {
    match context {
        "resource" => &[("attributes", Some(Map)), ("dropped_attributes_count", Some(Int)), ("schema_url", Some(Text))],
        "scope" => &[
            ("name", Some(Text)),
            ("version", Some(Text)),
            ("schema_url", Some(Text)),
            ("attributes", Some(Map)),
            ("dropped_attributes_count", Some(Int)),
        ],
        "span" => SPAN,
        "spanevent" => &[
            ("name", Some(Text)),
            ("attributes", Some(Map)),
            ("dropped_attributes_count", Some(Int)),
            ("time_unix_nano", Some(Int)),
            ("time", Some(Time)),
        ],
        "metric" => &[
            ("name", Some(Text)),
            ("description", Some(Text)),
            ("unit", Some(Text)),
            ("type", Some(Int)),
            ("aggregation_temporality", Some(Int)),
            ("is_monotonic", Some(Bool)),
            ("metadata", Some(Map)),
            ("data_points", Some(Opaque)),
        ],
        "datapoint" => POINT,
        _ => LOG,
    }
}

const SPAN: &[(&str, Option<Type>)] = &[
    ("name", Some(Text)),
    ("kind", Some(Int)),
    ("kind.string", Some(Text)),
    ("kind.deprecated_string", Some(Text)),
    ("status.code", Some(Int)),
    ("status.message", Some(Text)),
    ("status", Some(Opaque)),
    ("trace_state", Some(Text)),
    ("trace_state[\"a\"]", Some(Text)),
    ("trace_id", Some(Trace)),
    ("trace_id.string", Some(Text)),
    ("span_id", Some(Span)),
    ("span_id.string", Some(Text)),
    ("parent_span_id", Some(Span)),
    ("parent_span_id.string", Some(Text)),
    ("start_time_unix_nano", Some(Int)),
    ("end_time_unix_nano", Some(Int)),
    ("start_time", Some(Time)),
    ("end_time", Some(Time)),
    ("dropped_attributes_count", Some(Int)),
    ("dropped_events_count", Some(Int)),
    ("dropped_links_count", Some(Int)),
    ("flags", Some(Int)),
    ("events", Some(Opaque)),
    ("links", Some(Opaque)),
    ("attributes", Some(Map)),
];

const POINT: &[(&str, Option<Type>)] = &[
    ("attributes", Some(Map)),
    ("value_int", Some(Int)),
    ("value_double", Some(Float)),
    ("value_int", Some(Int)),
    ("value_double", Some(Float)),
    ("time_unix_nano", Some(Int)),
    ("start_time_unix_nano", Some(Int)),
    ("time", Some(Time)),
    ("start_time", Some(Time)),
    ("flags", Some(Int)),
    ("count", Some(Int)),
    ("sum", Some(Float)),
    ("bucket_counts", Some(List)),
    ("explicit_bounds", Some(List)),
    ("scale", Some(Int)),
    ("zero_count", Some(Int)),
    ("positive", Some(Opaque)),
    ("positive.offset", Some(Int)),
    ("positive.bucket_counts", Some(List)),
    ("negative", Some(Opaque)),
    ("negative.offset", Some(Int)),
    ("negative.bucket_counts", Some(List)),
    ("quantile_values", Some(Opaque)),
    ("exemplars", Some(Opaque)),
];

const LOG: &[(&str, Option<Type>)] = &[
    ("severity_number", Some(Int)),
    ("severity_text", Some(Text)),
    ("body", None),
    ("body", Some(Text)),
    ("body.string", Some(Text)),
    ("body[\"k\"]", None),
    ("trace_id", Some(Trace)),
    ("trace_id.string", Some(Text)),
    ("span_id", Some(Span)),
    ("span_id.string", Some(Text)),
    ("time_unix_nano", Some(Int)),
    ("observed_time_unix_nano", Some(Int)),
    ("time", Some(Time)),
    ("observed_time", Some(Time)),
    ("event_name", Some(Text)),
    ("flags", Some(Int)),
    ("dropped_attributes_count", Some(Int)),
    ("attributes", Some(Map)),
];
