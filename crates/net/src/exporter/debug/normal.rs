//! `verbosity: normal`: a line for each resource, scope and item.

use std::fmt::Write;

use otlp::view::{ResourceView, ScopeView, SpanView};
use otlp::wire::WireError;
use otlp::{Signal, Value};

use super::raw::{any, attributes, bodies, bytes, double, fixed64s, number, sint32, varints};
use super::text::{fixed, id, plain, shortest, text};

/// The lines of a request, each with its end.
pub(super) fn normal(signal: Signal, request: &[u8]) -> Result<String, WireError> {
    let [resource_word, scope_word] = match signal {
        Signal::Traces => ["ResourceTraces", "ScopeTraces"],
        Signal::Metrics => ["ResourceMetrics", "ScopeMetrics"],
        Signal::Logs => ["ResourceLog", "ScopeLog"],
    };
    let mut out = String::new();
    for (number, body) in bodies(request, 1).enumerate() {
        let resource = ResourceView::parse(body)?;
        let url = bracketed(resource.schema_url);
        line(&mut out, format_args!("{resource_word} #{number}{url}{}", spaced(resource.attributes())));
        for (number, body) in bodies(body, 2).enumerate() {
            let scope = ScopeView::parse(body)?;
            let named = format!("{}{}", scope_name(&scope), spaced(scope.attributes()));
            line(&mut out, format_args!("{scope_word} #{number}{named}"));
            for record in bodies(body, 2) {
                match signal {
                    Signal::Traces => span(&mut out, &SpanView::parse(record)?),
                    Signal::Metrics => metric(&mut out, record),
                    Signal::Logs => log(&mut out, record),
                }
            }
        }
    }
    Ok(out)
}

fn line(out: &mut String, line: std::fmt::Arguments<'_>) {
    let _infallible = writeln!(out, "{line}");
}

fn bracketed(url: &[u8]) -> String {
    if url.is_empty() { String::new() } else { format!(" [{}]", text(url)) }
}

fn scope_name(scope: &ScopeView<'_>) -> String {
    let version = if scope.version.is_empty() { String::new() } else { format!("@{}", text(scope.version)) };
    let name = format!("{}{version}", text(scope.name));
    let name = if name.is_empty() { name } else { format!(" {name}") };
    format!("{name}{}", bracketed(scope.schema_url))
}

fn pairs<'a>(attributes: impl Iterator<Item = (&'a [u8], Value<'a>)>) -> Vec<String> {
    attributes.map(|(key, value)| format!("{}={}", text(key), plain(value))).collect()
}

fn spaced<'a>(attributes: impl Iterator<Item = (&'a [u8], Value<'a>)>) -> String {
    pairs(attributes).iter().fold(String::new(), |out, pair| out + " " + pair)
}

fn span(out: &mut String, span: &SpanView<'_>) {
    let ids = format!("{} {}", id(span.trace_id), id(span.span_id));
    line(out, format_args!("{} {ids}{}", text(span.name), spaced(span.attributes())));
}

fn log(out: &mut String, record: &[u8]) {
    let body = plain(any(bytes(record, 5)));
    line(out, format_args!("{body} {}", pairs(attributes(record, 6)).join(" ")));
}

/// Writes the value of a data point.
type ValueOf = fn(&[u8]) -> String;

fn metric(out: &mut String, metric: &[u8]) {
    let name = text(bytes(metric, 1));
    // Of a `oneof` the kind that comes last counts; its data points stand in field 1, their attributes in this field.
    let kinds: [(u32, u32, ValueOf); 5] =
        [(5, 7, point), (7, 7, point), (9, 9, histogram), (10, 1, exponential), (11, 7, summary)];
    for (field, attributes_field, value) in kinds {
        for data in bodies(metric, field) {
            for point in bodies(data, 1) {
                let attributes = pairs(attributes(point, attributes_field)).join(",");
                line(out, format_args!("{name}{{{attributes}}} {}", value(point)));
            }
        }
    }
}

fn point(point: &[u8]) -> String {
    match (number(point, 6), double(point, 4)) {
        (Some(value), _) => value.cast_signed().to_string(),
        (None, Some(value)) => shortest(value),
        (None, None) => String::new(),
    }
}

/// Count, sum, smallest and largest.
fn extremes(point: &[u8], min: u32, max: u32) -> String {
    let mut out = format!("count={}", number(point, 4).unwrap_or(0));
    for (name, field) in [("sum", 5), ("min", min), ("max", max)] {
        if let Some(value) = double(point, field) {
            let _infallible = write!(out, " {name}={}", shortest(value));
        }
    }
    out
}

fn histogram(point: &[u8]) -> String {
    let mut out = extremes(point, 11, 12);
    let bounds = fixed64s(point, 7);
    for (index, count) in fixed64s(point, 6).into_iter().enumerate() {
        let bound = bounds.get(index).map_or(String::new(), |bound| format!("le{}=", shortest(f64::from_bits(*bound))));
        let _infallible = write!(out, " {bound}{count}");
    }
    out
}

fn exponential(point: &[u8]) -> String {
    let mut out = extremes(point, 12, 13);
    let factor = factor(sint32(point, 6));
    let (negative, positive) = (bytes(point, 9), bytes(point, 8));
    for (index, count) in varints(negative, 2).into_iter().enumerate().rev() {
        let bound = -((f64::from(sint32(negative, 1)) + index as f64) * factor).exp();
        let _infallible = write!(out, " le{}={count}", shortest(bound));
    }
    if let Some(zero @ 1..) = number(point, 7) {
        let _infallible = write!(out, " zero={zero}");
    }
    for (index, count) in varints(positive, 2).into_iter().enumerate() {
        let bound = ((f64::from(sint32(positive, 1)) + index as f64 + 1.0) * factor).exp();
        let _infallible = write!(out, " le{}={count}", shortest(bound));
    }
    out
}

/// What an index of an exponential histogram is multiplied with.
pub(super) fn factor(scale: i32) -> f64 {
    std::f64::consts::LN_2 * 2f64.powi(scale.saturating_neg())
}

fn summary(point: &[u8]) -> String {
    let mut out = format!("count={} sum={}", number(point, 4).unwrap_or(0), fixed(double(point, 5).unwrap_or(0.0)));
    for quantile in bodies(point, 6) {
        let [quantile, value] = [1, 2].map(|field| shortest(double(quantile, field).unwrap_or(0.0)));
        let _infallible = write!(out, " q{quantile}={value}");
    }
    out
}
