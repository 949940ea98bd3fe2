//! The three kinds of telemetry that OTLP carries here, each with its own request and its own items.
//!
//! The envelopes of all three are alike: field 1 of the request repeats a resource's part, whose field 1 is the resource,
//! field 2 repeats a scope's part and field 3 is a schema URL; of a scope's part field 1 is the scope, field 2 repeats the
//! items and field 3 is a schema URL. (opentelemetry-proto, `trace.proto`, `metrics.proto`, `logs.proto`)

use std::fmt;

/// A kind of telemetry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// `ExportTraceServiceRequest`; its items are spans.
    Traces,
    /// `ExportMetricsServiceRequest`; its items are data points.
    Metrics,
    /// `ExportLogsServiceRequest`; its items are log records.
    Logs,
}

impl Signal {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Traces, Self::Metrics, Self::Logs];

    /// As configurations and paths spell it: `traces`, `metrics`, `logs`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
        }
    }

    /// What its items are called in otelcol's metric names: `spans`, `metric_points`, `log_records`.
    #[must_use]
    pub fn items(self) -> &'static str {
        match self {
            Self::Traces => "spans",
            Self::Metrics => "metric_points",
            Self::Logs => "log_records",
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
