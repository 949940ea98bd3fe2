//! Metrics in detail: the descriptor, and every data point by its kind.

use super::detailed::{Lines, named};
use super::normal::factor;
use super::raw::{attributes, bodies, bytes, double, fields, fixed64s, number, sint32, varints};
use super::text::{fixed, id, moment, text};

/// Field numbers of the kinds of data, with their names.
const KINDS: [(u32, &str); 5] =
    [(5, "Gauge"), (7, "Sum"), (9, "Histogram"), (10, "ExponentialHistogram"), (11, "Summary")];

pub(super) fn metric(lines: &mut Lines, metric: &[u8]) {
    // Of a `oneof` the last kind counts.
    let kind = fields(metric).filter_map(|(field, _)| KINDS.into_iter().find(|(known, _)| *known == field)).last();
    let (field, name) = kind.unwrap_or((0, "Empty"));
    lines.line(format_args!("Descriptor:"));
    lines.line(format_args!("     -> Name: {}", text(bytes(metric, 1))));
    lines.line(format_args!("     -> Description: {}", text(bytes(metric, 2))));
    lines.line(format_args!("     -> Unit: {}", text(bytes(metric, 3))));
    lines.line(format_args!("     -> DataType: {name}"));
    lines.attributes("     -> Metadata", attributes(metric, 12));
    let data = bytes(metric, field);
    if field == 7 {
        lines.line(format_args!("     -> IsMonotonic: {}", number(data, 3).unwrap_or(0) != 0));
    }
    if matches!(field, 7 | 9 | 10) {
        let temporality = named(number(data, 2).unwrap_or(0) as i32, &["Unspecified", "Delta", "Cumulative"]);
        lines.line(format_args!("     -> AggregationTemporality: {temporality}"));
    }
    for (index, point) in bodies(data, 1).enumerate() {
        match field {
            5 | 7 => number_point(lines, index, point),
            9 => histogram(lines, index, point),
            10 => exponential(lines, index, point),
            11 => summary(lines, index, point),
            _ => {}
        }
    }
}

fn head(lines: &mut Lines, kind: &str, index: usize, point: &[u8], attributes_field: u32) {
    lines.line(format_args!("{kind} #{index}"));
    lines.attributes("Data point attributes", attributes(point, attributes_field));
    lines.line(format_args!("StartTimestamp: {}", moment(number(point, 2).unwrap_or(0))));
    lines.line(format_args!("Timestamp: {}", moment(number(point, 3).unwrap_or(0))));
}

fn number_point(lines: &mut Lines, index: usize, point: &[u8]) {
    head(lines, "NumberDataPoints", index, point, 7);
    if let Some(value) = value(point, 6, 4) {
        lines.line(format_args!("Value: {value}"));
    }
    exemplars(lines, point, 5);
}

/// An integer or a double, whichever is there.
fn value(message: &[u8], int: u32, as_double: u32) -> Option<String> {
    let int = number(message, int).map(|value| value.cast_signed().to_string());
    int.or_else(|| double(message, as_double).map(fixed))
}

fn count_sum_extremes(lines: &mut Lines, point: &[u8], min: u32, max: u32) {
    lines.line(format_args!("Count: {}", number(point, 4).unwrap_or(0)));
    for (name, field) in [("Sum", 5), ("Min", min), ("Max", max)] {
        if let Some(value) = double(point, field) {
            lines.line(format_args!("{name}: {}", fixed(value)));
        }
    }
}

fn histogram(lines: &mut Lines, index: usize, point: &[u8]) {
    head(lines, "HistogramDataPoints", index, point, 9);
    count_sum_extremes(lines, point, 11, 12);
    for (index, bound) in fixed64s(point, 7).into_iter().enumerate() {
        lines.line(format_args!("ExplicitBounds #{index}: {}", fixed(f64::from_bits(bound))));
    }
    for (index, count) in fixed64s(point, 6).into_iter().enumerate() {
        lines.line(format_args!("Buckets #{index}, Count: {count}"));
    }
    exemplars(lines, point, 8);
}

fn exponential(lines: &mut Lines, index: usize, point: &[u8]) {
    head(lines, "ExponentialHistogramDataPoints", index, point, 1);
    count_sum_extremes(lines, point, 12, 13);
    let factor = factor(sint32(point, 6));
    let bounds = |buckets: &[u8], index: usize| {
        let index = f64::from(sint32(buckets, 1)) + index as f64;
        ((index * factor).exp(), ((index + 1.0) * factor).exp())
    };
    let (negative, positive) = (bytes(point, 9), bytes(point, 8));
    for (index, count) in varints(negative, 2).into_iter().enumerate().rev() {
        let (lower, upper) = bounds(negative, index);
        lines.line(format_args!("Bucket [{}, {}), Count: {count}", fixed(-upper), fixed(-lower)));
    }
    if let Some(zero @ 1..) = number(point, 7) {
        lines.line(format_args!("Bucket [0, 0], Count: {zero}"));
    }
    for (index, count) in varints(positive, 2).into_iter().enumerate() {
        let (lower, upper) = bounds(positive, index);
        lines.line(format_args!("Bucket ({}, {}], Count: {count}", fixed(lower), fixed(upper)));
    }
    exemplars(lines, point, 11);
}

fn summary(lines: &mut Lines, index: usize, point: &[u8]) {
    head(lines, "SummaryDataPoints", index, point, 7);
    lines.line(format_args!("Count: {}", number(point, 4).unwrap_or(0)));
    lines.line(format_args!("Sum: {}", fixed(double(point, 5).unwrap_or(0.0))));
    for (index, quantile) in bodies(point, 6).enumerate() {
        let [quantile, value] = [1, 2].map(|field| fixed(double(quantile, field).unwrap_or(0.0)));
        lines.line(format_args!("QuantileValue #{index}: Quantile {quantile}, Value {value}"));
    }
}

fn exemplars(lines: &mut Lines, point: &[u8], field: u32) {
    for (index, exemplar) in bodies(point, field).enumerate() {
        if index == 0 {
            lines.line(format_args!("Exemplars:"));
        }
        lines.line(format_args!("Exemplar #{index}"));
        lines.line(format_args!("     -> Trace ID: {}", id(bytes(exemplar, 5))));
        lines.line(format_args!("     -> Span ID: {}", id(bytes(exemplar, 4))));
        lines.line(format_args!("     -> Timestamp: {}", moment(number(exemplar, 2).unwrap_or(0))));
        if let Some(value) = value(exemplar, 6, 3) {
            lines.line(format_args!("     -> Value: {value}"));
        }
        lines.attributes("     -> FilteredAttributes", attributes(exemplar, 7));
    }
}
