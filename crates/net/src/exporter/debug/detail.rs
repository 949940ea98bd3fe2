//! Spans as lines of text, in the layout of otelcol's debug exporter.

use std::fmt::Write;

use otlp::Value;
use otlp::view::{self, Attributes, SpanInContext, SpanView};
use otlp::wire::WireError;

use crate::exporter::readable;

/// A line for each span: name, trace ID, span ID, attributes.
pub(super) fn normal(request: &[u8]) -> Result<Vec<String>, WireError> {
    view::spans(request)
        .map(|context| {
            let span = context?.span;
            let mut line = format!("{} {} {}", text(span.name), hex(span.trace_id), hex(span.span_id));
            for (key, value) in span.attributes() {
                let _infallible = write!(line, " {}={}", text(key), plain(value, 0));
            }
            Ok(line)
        })
        .collect()
}

/// Everything, several lines for each span.
pub(super) fn detailed(request: &[u8]) -> Result<Vec<String>, WireError> {
    let mut lines = Vec::new();
    for (number, context) in view::spans(request).enumerate() {
        let context = context?;
        envelope(&mut lines, &context);
        span(&mut lines, number, &context.span);
    }
    Ok(lines)
}

fn envelope(lines: &mut Vec<String>, context: &SpanInContext<'_>) {
    lines.push(format!("Resource SchemaURL: {}", text(context.resource.schema_url)));
    attributes(lines, "Resource attributes:", "", context.resource.attributes());
    lines.push(format!("ScopeSpans SchemaURL: {}", text(context.scope.schema_url)));
    lines.push(format!("InstrumentationScope {} {}", text(context.scope.name), text(context.scope.version)));
    attributes(lines, "InstrumentationScope attributes:", "", context.scope.attributes());
}

fn span(lines: &mut Vec<String>, number: usize, span: &SpanView<'_>) {
    lines.push(format!("Span #{number}"));
    for (name, value) in [
        ("Trace ID", hex(span.trace_id)),
        ("Parent ID", hex(span.parent_span_id)),
        ("ID", hex(span.span_id)),
        ("Name", text(span.name)),
        ("Kind", kind(span.kind)),
        ("TraceState", text(span.trace_state)),
        ("Start time", format!("{} ns", span.start_ns)),
        ("End time", format!("{} ns", span.end_ns)),
        ("Status code", status(span.status_code)),
        ("Status message", text(span.status_message)),
    ] {
        lines.push(format!("    {name:<15}: {value}"));
    }
    attributes(lines, "Attributes:", "", span.attributes());
    for (number, event) in span.events().enumerate() {
        lines.push(format!("SpanEvent #{number}"));
        lines.push(format!("     -> Name: {}", text(event.name)));
        lines.push(format!("     -> Timestamp: {} ns", event.time_ns));
        attributes(lines, "     -> Attributes:", "     ", event.attributes());
    }
    for (number, link) in span.links().enumerate() {
        lines.push(format!("SpanLink #{number}"));
        lines.push(format!("     -> Trace ID: {}", hex(link.trace_id)));
        lines.push(format!("     -> ID: {}", hex(link.span_id)));
        attributes(lines, "     -> Attributes:", "     ", link.attributes());
    }
}

fn attributes(lines: &mut Vec<String>, title: &str, indent: &str, attributes: Attributes<'_>) {
    let mut titled = false;
    for (key, value) in attributes {
        if !std::mem::replace(&mut titled, true) {
            lines.push(title.to_owned());
        }
        let plain = plain(value, 0);
        let kind = match value {
            Value::Empty => "Empty",
            Value::Str(_) => "Str",
            Value::Bool(_) => "Bool",
            Value::Int(_) => "Int",
            Value::Double(_) => "Double",
            Value::Array(_) => "Slice",
            Value::Map(_) => "Map",
            Value::Bytes(_) => "Bytes",
        };
        lines.push(format!("{indent}     -> {}: {kind}({plain})", text(key)));
    }
}

/// A value as text. What nests deeper than protobuf allows cannot have been received.
fn plain(value: Value<'_>, depth: u32) -> String {
    if depth > otlp::wire::DEPTH_MAX {
        return "…".to_owned();
    }
    match value {
        Value::Empty => String::new(),
        Value::Str(bytes) => text(bytes),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Double(value) => value.to_string(),
        Value::Bytes(bytes) => hex(bytes),
        Value::Array(body) => {
            let items: Vec<_> = view::array_values(body).map(|item| plain(item, depth + 1)).collect();
            format!("[{}]", items.join(","))
        }
        Value::Map(body) => {
            let entries = view::map_entries(body);
            let entries: Vec<_> =
                entries.map(|(key, value)| format!("{}:{}", text(key), plain(value, depth + 1))).collect();
            format!("{{{}}}", entries.join(","))
        }
    }
}

fn text(bytes: &[u8]) -> String {
    readable(&String::from_utf8_lossy(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(BYTES_SHOWN_MAX).fold(String::new(), |mut hex, byte| {
        let _infallible = write!(hex, "{byte:02x}");
        hex
    })
}

/// Longer IDs and byte values are cut.
const BYTES_SHOWN_MAX: usize = 256;

fn kind(kind: i32) -> String {
    match kind {
        0 => "Unspecified".to_owned(),
        1 => "Internal".to_owned(),
        2 => "Server".to_owned(),
        3 => "Client".to_owned(),
        4 => "Producer".to_owned(),
        5 => "Consumer".to_owned(),
        other => other.to_string(),
    }
}

fn status(code: i32) -> String {
    match code {
        0 => "Unset".to_owned(),
        1 => "Ok".to_owned(),
        2 => "Error".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
    use opentelemetry_proto::tonic::common::v1::{ArrayValue, KeyValue, KeyValueList};
    use opentelemetry_proto::tonic::resource::v1::Resource;
    use opentelemetry_proto::tonic::trace::v1::span::Event;
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
    use prost::Message;

    use super::*;

    fn attribute(key: &str, value: AnyValue) -> KeyValue {
        let value = Some(opentelemetry_proto::tonic::common::v1::AnyValue { value: Some(value) });
        KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
    }

    fn any(value: AnyValue) -> opentelemetry_proto::tonic::common::v1::AnyValue {
        opentelemetry_proto::tonic::common::v1::AnyValue { value: Some(value) }
    }

    fn request() -> Vec<u8> {
        let span = Span {
            trace_id: vec![0xab; 16],
            span_id: vec![1; 8],
            name: "GET\u{1b}[31m /cart\nforged".to_owned(),
            kind: 2,
            start_time_unix_nano: 5,
            end_time_unix_nano: 7,
            attributes: vec![
                attribute("http.status", AnyValue::IntValue(200)),
                attribute(
                    "list",
                    AnyValue::ArrayValue(ArrayValue {
                        values: vec![any(AnyValue::BoolValue(true)), any(AnyValue::DoubleValue(1.5))],
                    }),
                ),
                attribute(
                    "map",
                    AnyValue::KvlistValue(KeyValueList {
                        values: vec![attribute("k", AnyValue::StringValue("v".to_owned()))],
                    }),
                ),
            ],
            events: vec![Event { name: "retry".to_owned(), time_unix_nano: 6, ..Event::default() }],
            ..Span::default()
        };
        let resource = Resource {
            attributes: vec![attribute("service.name", AnyValue::StringValue("shop".to_owned()))],
            ..Resource::default()
        };
        let scope_spans = vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }];
        let resource_spans = vec![ResourceSpans { resource: Some(resource), scope_spans, ..ResourceSpans::default() }];
        ExportTraceServiceRequest { resource_spans }.encode_to_vec()
    }

    #[test]
    fn normal_is_a_line_a_span() {
        let expected = "GET [31m /cart forged abababababababababababababababab 0101010101010101 http.status=200 list=[true,1.5] map={k:v}";
        assert_eq!(normal(&request()).unwrap(), [expected]);
    }

    #[test]
    fn detailed_has_everything() {
        let expected = "\
Resource SchemaURL: 
Resource attributes:
     -> service.name: Str(shop)
ScopeSpans SchemaURL: 
InstrumentationScope  
Span #0
    Trace ID       : abababababababababababababababab
    Parent ID      : 
    ID             : 0101010101010101
    Name           : GET [31m /cart forged
    Kind           : Server
    TraceState     : 
    Start time     : 5 ns
    End time       : 7 ns
    Status code    : Unset
    Status message : 
Attributes:
     -> http.status: Int(200)
     -> list: Slice([true,1.5])
     -> map: Map({k:v})
SpanEvent #0
     -> Name: retry
     -> Timestamp: 6 ns";
        assert_eq!(detailed(&request()).unwrap().join("\n"), expected);
    }

    #[test]
    fn garbage_is_an_error() {
        assert!(normal(b"\x0a\xff").is_err());
        assert!(detailed(b"\x0a\xff").is_err());
    }
}
