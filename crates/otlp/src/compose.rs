//! Writes export requests of metrics and logs from plain values: what the program says about itself.
//!
//! Everything that is passed on stays the bytes it came as; only here does something begin. Values are few and small, so
//! nested messages are written into a buffer of their own first.

use crate::wire::{WireType, put_fixed64, put_len, put_tag, put_uint, put_varint};

/// Whom everything in a request is about.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Attributes of the resource.
    pub attributes: &'a [(String, String)],
    /// The schema that their names follow; may be empty.
    pub schema_url: &'a str,
}

/// Metrics of one scope.
#[derive(Clone, Debug)]
pub struct ScopeMetrics<'a> {
    /// The name of the scope.
    pub name: &'a str,
    /// Its version; may be empty.
    pub version: &'a str,
    /// Its metrics.
    pub metrics: Vec<Metric<'a>>,
}

/// One metric.
#[derive(Clone, Debug)]
pub struct Metric<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it says.
    pub description: &'a str,
    /// Its unit, as UCUM writes it.
    pub unit: &'a str,
    /// What its points are.
    pub shape: Shape,
    /// Its points.
    pub points: Vec<Point<'a>>,
}

/// What the points of a metric are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// A value as it is now.
    Gauge,
    /// A sum.
    Sum {
        /// Whether it only grows.
        is_monotonic: bool,
        /// Whether it counts from the last report on, and not from the start.
        is_delta: bool,
    },
    /// Values in buckets.
    Histogram {
        /// As for sums.
        is_delta: bool,
    },
}

/// A value with its labels.
#[derive(Clone, Debug)]
pub struct Point<'a> {
    /// Its labels.
    pub attributes: Vec<(&'a str, &'a str)>,
    /// Since when it counts, in Unix nanoseconds; zero where that means nothing.
    pub start_ns: u64,
    /// When it was read, in Unix nanoseconds.
    pub time_ns: u64,
    /// The value.
    pub value: Value<'a>,
}

/// A value.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// A whole number.
    Int(i64),
    /// Any number.
    Double(f64),
    /// Buckets; only of a histogram.
    Histogram {
        /// Upper bounds.
        bounds: &'a [u64],
        /// How many values lie in each bucket; one more than there are bounds.
        counts: &'a [u64],
        /// The sum of all values.
        sum: f64,
    },
}

/// One log record.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// When it was written, in Unix nanoseconds.
    pub time_ns: u64,
    /// OTLP's severity number.
    pub severity: u64,
    /// The severity in a word.
    pub severity_text: &'a str,
    /// The message.
    pub body: &'a str,
    /// Its fields.
    pub attributes: &'a [(String, String)],
}

/// An `ExportMetricsServiceRequest`.
#[must_use]
pub fn metrics(source: Source<'_>, scopes: &[ScopeMetrics<'_>]) -> Vec<u8> {
    let scopes = scopes.iter().map(|scope| {
        let mut message = Vec::new();
        put_len(&mut message, 1, &instrumentation(scope.name, scope.version));
        scope.metrics.iter().for_each(|metric| put_len(&mut message, 2, &one_metric(metric)));
        message
    });
    request(source, scopes)
}

/// An `ExportLogsServiceRequest` of one scope.
#[must_use]
pub fn logs(source: Source<'_>, name: &str, version: &str, records: &[Record<'_>]) -> Vec<u8> {
    let mut message = Vec::new();
    put_len(&mut message, 1, &instrumentation(name, version));
    for record in records {
        let mut inner = Vec::new();
        put_fixed64(&mut inner, 1, record.time_ns);
        put_uint(&mut inner, 2, record.severity);
        put_len(&mut inner, 3, record.severity_text.as_bytes());
        put_len(&mut inner, 5, &text(record.body));
        record.attributes.iter().for_each(|(key, value)| put_len(&mut inner, 6, &key_value(key, value)));
        put_fixed64(&mut inner, 11, record.time_ns);
        put_len(&mut message, 2, &inner);
    }
    request(source, [message].into_iter())
}

/// Requests of all signals look alike from outside.
fn request(source: Source<'_>, scopes: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let (mut resource, mut message, mut request) = (Vec::new(), Vec::new(), Vec::new());
    source.attributes.iter().for_each(|(key, value)| put_len(&mut resource, 1, &key_value(key, value)));
    put_len(&mut message, 1, &resource);
    scopes.for_each(|scope| put_len(&mut message, 2, &scope));
    put_len(&mut message, 3, source.schema_url.as_bytes());
    put_len(&mut request, 1, &message);
    request
}

fn instrumentation(name: &str, version: &str) -> Vec<u8> {
    let mut message = Vec::new();
    put_len(&mut message, 1, name.as_bytes());
    put_len(&mut message, 2, version.as_bytes());
    message
}

fn one_metric(metric: &Metric<'_>) -> Vec<u8> {
    let (mut data, mut message) = (Vec::new(), Vec::new());
    metric.points.iter().for_each(|point| put_len(&mut data, 1, &one_point(point)));
    let temporality = |is_delta: bool| if is_delta { 1 } else { 2 };
    let field = match metric.shape {
        Shape::Gauge => 5,
        Shape::Sum { is_monotonic, is_delta } => {
            put_uint(&mut data, 2, temporality(is_delta));
            put_uint(&mut data, 3, u64::from(is_monotonic));
            7
        }
        Shape::Histogram { is_delta } => {
            put_uint(&mut data, 2, temporality(is_delta));
            9
        }
    };
    put_len(&mut message, 1, metric.name.as_bytes());
    put_len(&mut message, 2, metric.description.as_bytes());
    put_len(&mut message, 3, metric.unit.as_bytes());
    put_len(&mut message, field, &data);
    message
}

fn one_point(point: &Point<'_>) -> Vec<u8> {
    let mut message = Vec::new();
    put_fixed64(&mut message, 2, point.start_ns);
    put_fixed64(&mut message, 3, point.time_ns);
    let attributes = match &point.value {
        Value::Int(value) => {
            put_fixed64(&mut message, 6, value.cast_unsigned());
            7
        }
        Value::Double(value) => {
            put_fixed64(&mut message, 4, value.to_bits());
            7
        }
        Value::Histogram { bounds, counts, sum } => {
            put_fixed64(&mut message, 4, counts.iter().sum());
            put_fixed64(&mut message, 5, sum.to_bits());
            put_packed(&mut message, 6, counts.iter().copied());
            put_packed(&mut message, 7, bounds.iter().map(|bound| (*bound as f64).to_bits()));
            9
        }
    };
    point.attributes.iter().for_each(|(key, value)| put_len(&mut message, attributes, &key_value(key, value)));
    message
}

fn put_packed(out: &mut Vec<u8>, field: u32, values: impl ExactSizeIterator<Item = u64>) {
    put_tag(out, field, WireType::Len);
    put_varint(out, values.len() as u64 * 8);
    values.for_each(|value| out.extend(value.to_le_bytes()));
}

fn key_value(key: &str, value: &str) -> Vec<u8> {
    let mut message = Vec::new();
    put_len(&mut message, 1, key.as_bytes());
    put_len(&mut message, 2, &text(value));
    message
}

fn text(value: &str) -> Vec<u8> {
    let mut message = Vec::new();
    put_len(&mut message, 1, value.as_bytes());
    message
}

#[cfg(test)]
mod tests;
