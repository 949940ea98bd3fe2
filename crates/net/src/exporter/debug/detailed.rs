//! `verbosity: detailed`: everything, in the layout of otelcol's text marshalers.

use std::fmt;
use std::fmt::Write;

use otlp::view::{ResourceView, ScopeView, SpanView};
use otlp::wire::WireError;
use otlp::{Signal, Value};

use super::points;
use super::raw::{any, attributes, bodies, bytes, number};
use super::text::{id, kind_and_value, moment, text};

/// Lines that are being written.
#[derive(Default)]
pub(super) struct Lines(pub(super) String);

impl Lines {
    pub(super) fn line(&mut self, line: fmt::Arguments<'_>) {
        let _infallible = writeln!(self.0, "{line}");
    }

    /// Attributes under a title; nothing where there are none. Those of something indented are indented further.
    pub(super) fn attributes<'a>(&mut self, title: &str, attributes: impl Iterator<Item = (&'a [u8], Value<'a>)>) {
        let indent = title.split_once("->").map_or("", |(indent, _)| indent);
        for (index, (key, value)) in attributes.enumerate() {
            if index == 0 {
                self.line(format_args!("{title}:"));
            }
            self.line(format_args!("{indent}     -> {}: {}", text(key), kind_and_value(value)));
        }
    }
}

/// The lines of a request, each with its end.
pub(super) fn detailed(signal: Signal, request: &[u8]) -> Result<String, WireError> {
    let [resource_word, scope_word, item_word] = match signal {
        Signal::Traces => ["ResourceSpans", "ScopeSpans", "Span"],
        Signal::Metrics => ["ResourceMetrics", "ScopeMetrics", "Metric"],
        Signal::Logs => ["ResourceLog", "ScopeLogs", "LogRecord"],
    };
    let mut lines = Lines::default();
    for (number, body) in bodies(request, 1).enumerate() {
        let resource = ResourceView::parse(body)?;
        lines.line(format_args!("{resource_word} #{number}"));
        lines.line(format_args!("Resource SchemaURL: {}", text(resource.schema_url)));
        lines.attributes("Resource attributes", resource.attributes());
        entity_refs(&mut lines, bytes(body, 1));
        for (number, body) in bodies(body, 2).enumerate() {
            let scope = ScopeView::parse(body)?;
            lines.line(format_args!("{scope_word} #{number}"));
            lines.line(format_args!("{scope_word} SchemaURL: {}", text(scope.schema_url)));
            lines.line(format_args!("InstrumentationScope {} {}", text(scope.name), text(scope.version)));
            lines.attributes("InstrumentationScope attributes", scope.attributes());
            for (number, record) in bodies(body, 2).enumerate() {
                lines.line(format_args!("{item_word} #{number}"));
                match signal {
                    Signal::Traces => span(&mut lines, &SpanView::parse(record)?),
                    Signal::Metrics => points::metric(&mut lines, record),
                    Signal::Logs => log(&mut lines, record),
                }
            }
        }
    }
    Ok(lines.0)
}

fn entity_refs(lines: &mut Lines, resource: &[u8]) {
    for (number, entity) in bodies(resource, 3).enumerate() {
        if number == 0 {
            lines.line(format_args!("Resource entity refs:"));
        }
        lines.line(format_args!("     -> Entity ref #{number}:"));
        lines.line(format_args!("          -> Type: {}", text(bytes(entity, 2))));
        if !bytes(entity, 1).is_empty() {
            lines.line(format_args!("          -> Schema URL: {}", text(bytes(entity, 1))));
        }
        for (title, field) in [("ID keys", 3), ("Description keys", 4)] {
            for (number, key) in bodies(entity, field).enumerate() {
                if number == 0 {
                    lines.line(format_args!("          -> {title}:"));
                }
                lines.line(format_args!("               -> {}", text(key)));
            }
        }
    }
}

fn span(lines: &mut Lines, span: &SpanView<'_>) {
    let trace_state = text(span.trace_state);
    let all = [
        ("Trace ID", id(span.trace_id)),
        ("Parent ID", id(span.parent_span_id)),
        ("ID", id(span.span_id)),
        ("Name", text(span.name)),
        ("Kind", named(span.kind, &["Unspecified", "Internal", "Server", "Client", "Producer", "Consumer"])),
        ("TraceState", trace_state),
        ("Start time", moment(span.start_ns)),
        ("End time", moment(span.end_ns)),
        ("Status code", named(span.status_code, &["Unset", "Ok", "Error"])),
        ("Status message", text(span.status_message)),
        ("DroppedAttributesCount", span.dropped_attributes.to_string()),
        ("DroppedEventsCount", span.dropped_events.to_string()),
        ("DroppedLinksCount", span.dropped_links.to_string()),
    ];
    for (name, value) in all.into_iter().filter(|(name, value)| *name != "TraceState" || !value.is_empty()) {
        lines.line(format_args!("    {name:<15}: {value}"));
    }
    lines.attributes("Attributes", span.attributes());
    for (number, event) in span.events().enumerate() {
        if number == 0 {
            lines.line(format_args!("Events:"));
        }
        lines.line(format_args!("SpanEvent #{number}"));
        lines.line(format_args!("     -> Name: {}", text(event.name)));
        lines.line(format_args!("     -> Timestamp: {}", moment(event.time_ns)));
        lines.line(format_args!("     -> DroppedAttributesCount: {}", event.dropped_attributes));
        lines.attributes("     -> Attributes:", event.attributes());
    }
    for (number, link) in span.links().enumerate() {
        if number == 0 {
            lines.line(format_args!("Links:"));
        }
        lines.line(format_args!("SpanLink #{number}"));
        lines.line(format_args!("     -> Trace ID: {}", id(link.trace_id)));
        lines.line(format_args!("     -> ID: {}", id(link.span_id)));
        lines.line(format_args!("     -> TraceState: {}", text(link.trace_state)));
        lines.line(format_args!("     -> DroppedAttributesCount: {}", link.dropped_attributes));
        lines.attributes("     -> Attributes:", link.attributes());
    }
}

fn log(lines: &mut Lines, record: &[u8]) {
    let severity = number(record, 2).unwrap_or(0) as i32;
    lines.line(format_args!("ObservedTimestamp: {}", moment(number(record, 11).unwrap_or(0))));
    lines.line(format_args!("Timestamp: {}", moment(number(record, 1).unwrap_or(0))));
    lines.line(format_args!("SeverityText: {}", text(bytes(record, 3))));
    lines.line(format_args!("SeverityNumber: {}({severity})", severity_name(severity)));
    if !bytes(record, 12).is_empty() {
        lines.line(format_args!("EventName: {}", text(bytes(record, 12))));
    }
    lines.line(format_args!("Body: {}", kind_and_value(any(bytes(record, 5)))));
    lines.attributes("Attributes", attributes(record, 6));
    lines.line(format_args!("Trace ID: {}", id(bytes(record, 9))));
    lines.line(format_args!("Span ID: {}", id(bytes(record, 10))));
    lines.line(format_args!("Flags: {}", number(record, 8).unwrap_or(0)));
}

/// `Info`, `Info2` and so on: six names of four degrees each.
fn severity_name(severity: i32) -> String {
    let Ok(above @ 0..24) = usize::try_from(severity.saturating_sub(1)) else {
        return if severity == 0 { "Unspecified".to_owned() } else { String::new() };
    };
    let name = ["Trace", "Debug", "Info", "Warn", "Error", "Fatal"].get(above / 4).copied().unwrap_or_default();
    match above % 4 {
        0 => name.to_owned(),
        degree => format!("{name}{}", degree + 1),
    }
}

/// The name of an enum's value; none where there is none.
pub(super) fn named(value: i32, names: &[&str]) -> String {
    let name = usize::try_from(value).ok().and_then(|value| names.get(value));
    name.copied().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_have_otelcols_names() {
        let names: Vec<_> = [-1, 0, 1, 4, 9, 12, 21, 24, 25].into_iter().map(severity_name).collect();
        assert_eq!(names, ["", "Unspecified", "Trace", "Trace4", "Info", "Info4", "Fatal", "Fatal4", ""]);
    }
}
