//! The fields that paths lead to.

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
    ResourceSchemaUrl,
    ScopeName,
    ScopeVersion,
    ScopeDroppedAttributes,
    ScopeSchemaUrl,
    Metric(MetricField),
    Point(PointField),
    Log(LogField),
    /// The address of whoever sent it.
    ClientAddress,
    Attributes(Owner),
}

/// Of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MetricField {
    Name,
    Description,
    Unit,
    Type,
    Temporality,
    Monotonic,
    Points,
}

/// Of a data point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PointField {
    StartNs,
    TimeNs,
    Start,
    Time,
    Double,
    Int,
    Exemplars,
    Flags,
    Count,
    Sum,
    Counts,
    Bounds,
    Scale,
    ZeroCount,
    Positive,
    PositiveOffset,
    PositiveCounts,
    Negative,
    NegativeOffset,
    NegativeCounts,
    Quantiles,
}

/// Of a log record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogField {
    TimeNs,
    ObservedNs,
    Time,
    Observed,
    Severity,
    SeverityText,
    Body,
    BodyText,
    DroppedAttributes,
    Flags,
    TraceId,
    TraceIdText,
    SpanId,
    SpanIdText,
    EventName,
}

/// Whose attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Span,
    Event,
    Resource,
    Scope,
    /// A metric's.
    Metadata,
    Point,
    Log,
    /// What the statements of one record leave for each other; empty for conditions.
    Cache,
    /// Metadata of whoever sent it.
    Client,
    /// The same, if it came by gRPC.
    Grpc,
    /// What is known of whoever sent it by its credentials.
    Auth,
}
