//! For tests: requests as short texts, settings as YAML.
//!
//! ```text
//! {service.name: shop} [lib@1.2] GET /cart kind=2 {x: 1}; query {} [other] z {}
//! ```
//! A line is what came from a resource: its attributes (`-` if there is no resource at all), then scopes in brackets, each
//! with its items between semicolons. An item is a name with options, and attributes in braces. A span's options are `kind`,
//! `status=2:message`, `event` (names between commas) and `state` (a trace state, `|` for its semicolons), a log record's
//! `severity` and `text` (its name is its body), and of both `id` (a trace ID in hexadecimal, or nothing). A
//! metric's is `type` (`gauge` unless given), and each brace is a data point.

use crate::{Edited, Moment, Processor, any_value, any_value::Literal};
use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
        trace::v1::ExportTraceServiceRequest,
    },
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value},
    logs::v1::{LogRecord, ResourceLogs, ScopeLogs},
    metrics::v1::{
        ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint, Metric,
        NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary, SummaryDataPoint, metric::Data,
    },
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span::Event},
};
use otlp::Signal;
use prost::Message;
use settings::{Decode, Node};

/// The settings that a text is, or its problems.
pub(crate) fn decode<T: Decode>(yaml: &str) -> Result<T, String> {
    let (tree, sources, mut problems) = settings::load(&[format!("yaml:v: {yaml}")], &[], &|_| None);
    let decoded = T::decode(tree.as_ref().and_then(|tree| tree.lookup("v")).unwrap_or(&Node::null()), &mut problems);
    if problems.has_errors() {
        let told = problems.render(&sources);
        let line = told.lines().next().unwrap_or_default();
        return Err(line.split_once("error: ").map_or(line, |(_, message)| message).to_string());
    }
    Ok(decoded.expect("no problem, so settings"))
}

/// What a processor makes of a request, and how many items it filters.
#[track_caller]
pub(crate) fn check(processor: &dyn Processor, signal: Signal, before: &str, after: &str, filtered: u64) {
    let request = request(signal, before);
    let moment = Moment::at(1_700_000_000_000_000_000, 7);
    let Edited { body, filtered: found, .. } = processor.edit(signal, &request, moment).expect("the request is valid");
    assert_eq!((shown(signal, &body).trim(), found), (after.trim(), filtered), "{signal}\n{before}");
}

/// Key-values out of a flow map. `key'` is written `key`, so that one can come twice.
pub(crate) fn attributes(yaml: &str) -> Vec<KeyValue> {
    let Literal::Map(entries) = decode(yaml).expect("a value") else { return Vec::new() };
    let value = |literal: &Literal| AnyValue::decode(&*literal.encode()).expect("just written");
    entries
        .iter()
        .map(|(key, literal)| KeyValue {
            key: key.trim_end_matches('\'').to_string(),
            value: Some(value(literal)),
            ..KeyValue::default()
        })
        .collect()
}

pub(crate) fn shown_attributes(attributes: &[KeyValue]) -> String {
    let shown = attributes.iter().map(|pair| format!("{}: {}", pair.key, shown_value(pair.value.as_ref())));
    format!("{{{}}}", shown.collect::<Vec<_>>().join(", "))
}

fn shown_value(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        None => "null".to_string(),
        Some(Value::DoubleValue(double)) => format!("{double:?}"),
        Some(Value::StringValue(text)) if text.is_empty() || text.parse::<f64>().is_ok() => format!("\"{text}\""),
        Some(_) => {
            let body = value.map(AnyValue::encode_to_vec).unwrap_or_default();
            String::from_utf8_lossy(&any_value::text(any_value::read(&body))).into_owned()
        }
    }
}

/// An item as it is written.
struct Item<'t> {
    name: String,
    options: Vec<(&'t str, &'t str)>,
    braces: Vec<Vec<KeyValue>>,
}

impl<'t> Item<'t> {
    fn parse(text: &'t str) -> Self {
        let (head, tail) = text.split_at(text.find('{').unwrap_or(text.len()));
        let (options, name): (Vec<&str>, Vec<&str>) = head.split_whitespace().partition(|word| word.contains('='));
        let braces =
            tail.split_inclusive('}').filter(|brace| brace.contains('{')).map(|brace| attributes(brace.trim()));
        let options = options.iter().filter_map(|option| option.split_once('='));
        Self { name: name.join(" "), options: options.collect(), braces: braces.collect() }
    }

    fn option(&self, name: &str) -> Option<&'t str> {
        self.options.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn number(&self, name: &str) -> i32 {
        self.option(name).map_or(0, |text| text.parse().expect("a number"))
    }

    fn id(&self) -> Option<Vec<u8>> {
        let id = self.option("id")?;
        Some(otlp::TraceId::from_hex(id).map_or(Vec::new(), |id| id.0.to_vec()))
    }

    fn span(&self) -> Span {
        let status = self.option("status").map(|text| {
            let (code, message) = text.split_once(':').unwrap_or((text, ""));
            Status { code: code.parse().expect("a number"), message: message.to_string() }
        });
        let event = |name: &str| Event { name: name.to_string(), ..Event::default() };
        Span {
            trace_id: self.id().unwrap_or(vec![1; 16]),
            trace_state: self.option("state").unwrap_or_default().replace('|', ";"),
            name: self.name.clone(),
            kind: self.number("kind"),
            events: self.option("event").map(|names| names.split(',').map(event).collect()).unwrap_or_default(),
            attributes: self.braces.first().cloned().unwrap_or_default(),
            status,
            ..Span::default()
        }
    }

    fn log(&self) -> LogRecord {
        let body = Some(AnyValue { value: Some(Value::StringValue(self.name.clone())) });
        LogRecord {
            trace_id: self.id().unwrap_or_default(),
            severity_number: self.number("severity"),
            severity_text: self.option("text").unwrap_or_default().to_string(),
            body,
            attributes: self.braces.first().cloned().unwrap_or_default(),
            ..LogRecord::default()
        }
    }

    fn metric(&self) -> Metric {
        let all = || self.braces.iter().cloned();
        let numbers = || all().map(|attributes| NumberDataPoint { attributes, ..NumberDataPoint::default() }).collect();
        let data = match self.option("type").unwrap_or("gauge") {
            "none" => None,
            "sum" => Some(Data::Sum(Sum { data_points: numbers(), ..Sum::default() })),
            "histogram" => Some(Data::Histogram(Histogram {
                data_points: all().map(|attributes| HistogramDataPoint { attributes, ..Default::default() }).collect(),
                ..Histogram::default()
            })),
            "exponential" => Some(Data::ExponentialHistogram(ExponentialHistogram {
                data_points: all()
                    .map(|attributes| ExponentialHistogramDataPoint { attributes, ..Default::default() })
                    .collect(),
                ..ExponentialHistogram::default()
            })),
            "summary" => Some(Data::Summary(Summary {
                data_points: all().map(|attributes| SummaryDataPoint { attributes, ..Default::default() }).collect(),
            })),
            _ => Some(Data::Gauge(Gauge { data_points: numbers() })),
        };
        Metric { name: self.name.clone(), data, ..Metric::default() }
    }
}

/// Resource, scopes, and each scope's items.
type Line<'t> = (Option<Resource>, Vec<(Option<InstrumentationScope>, Vec<Item<'t>>)>);

/// The parts between brackets that stand outside of braces.
fn split_scopes(text: &str) -> Vec<&str> {
    let (mut depth, mut from, mut parts) = (0, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            '[' if depth == 0 => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

fn line(text: &str) -> Line<'_> {
    let mut scopes = split_scopes(text).into_iter();
    let resource = scopes.next().unwrap_or_default();
    let resource =
        (resource.trim() != "-").then(|| Resource { attributes: attributes(resource.trim()), ..Resource::default() });
    let scopes = scopes.map(|scope| {
        let (name, items) = scope.split_once(']').expect("a closing bracket");
        let (name, version) = name.split_once('@').unwrap_or((name, ""));
        let scope = InstrumentationScope { name: name.into(), version: version.into(), ..Default::default() };
        (Some(scope), items.split(';').filter(|item| !item.trim().is_empty()).map(Item::parse).collect())
    });
    (resource, scopes.collect())
}

/// The request that a text is.
pub(crate) fn request(signal: Signal, text: &str) -> Vec<u8> {
    let lines = text.trim().lines().map(line);
    match signal {
        Signal::Traces => {
            let resource_spans = lines.map(|(resource, scopes)| ResourceSpans {
                resource,
                scope_spans: scopes
                    .into_iter()
                    .map(|(scope, items)| ScopeSpans {
                        scope,
                        spans: items.iter().map(Item::span).collect(),
                        ..ScopeSpans::default()
                    })
                    .collect(),
                ..ResourceSpans::default()
            });
            ExportTraceServiceRequest { resource_spans: resource_spans.collect() }.encode_to_vec()
        }
        Signal::Metrics => {
            let resource_metrics = lines.map(|(resource, scopes)| ResourceMetrics {
                resource,
                scope_metrics: scopes
                    .into_iter()
                    .map(|(scope, items)| ScopeMetrics {
                        scope,
                        metrics: items.iter().map(Item::metric).collect(),
                        ..ScopeMetrics::default()
                    })
                    .collect(),
                ..ResourceMetrics::default()
            });
            ExportMetricsServiceRequest { resource_metrics: resource_metrics.collect() }.encode_to_vec()
        }
        Signal::Logs => {
            let resource_logs = lines.map(|(resource, scopes)| ResourceLogs {
                resource,
                scope_logs: scopes
                    .into_iter()
                    .map(|(scope, items)| ScopeLogs {
                        scope,
                        log_records: items.iter().map(Item::log).collect(),
                        ..ScopeLogs::default()
                    })
                    .collect(),
                ..ResourceLogs::default()
            });
            ExportLogsServiceRequest { resource_logs: resource_logs.collect() }.encode_to_vec()
        }
    }
}

/// The text that a request is.
pub(crate) fn shown(signal: Signal, request: &[u8]) -> String {
    let mut out = Vec::new();
    match signal {
        Signal::Traces => {
            for part in ExportTraceServiceRequest::decode(request).expect("a request").resource_spans {
                let scopes =
                    part.scope_spans.iter().map(|part| (&part.scope, part.spans.iter().map(shown_span).collect()));
                out.push(shown_line(part.resource.as_ref(), scopes.collect()));
            }
        }
        Signal::Metrics => {
            for part in ExportMetricsServiceRequest::decode(request).expect("a request").resource_metrics {
                let scopes = part
                    .scope_metrics
                    .iter()
                    .map(|part| (&part.scope, part.metrics.iter().map(shown_metric).collect()));
                out.push(shown_line(part.resource.as_ref(), scopes.collect()));
            }
        }
        Signal::Logs => {
            for part in ExportLogsServiceRequest::decode(request).expect("a request").resource_logs {
                let scopes =
                    part.scope_logs.iter().map(|part| (&part.scope, part.log_records.iter().map(shown_log).collect()));
                out.push(shown_line(part.resource.as_ref(), scopes.collect()));
            }
        }
    }
    out.join("\n")
}

fn shown_line(resource: Option<&Resource>, scopes: Vec<(&Option<InstrumentationScope>, Vec<String>)>) -> String {
    let mut line = resource.map_or("-".to_string(), |resource| shown_attributes(&resource.attributes));
    for (scope, items) in scopes {
        let scope = scope.clone().unwrap_or_default();
        let version = if scope.version.is_empty() { String::new() } else { format!("@{}", scope.version) };
        line += &format!(" [{}{version}] {}", scope.name, items.join("; "));
    }
    line.trim_end().to_string()
}

fn shown_span(span: &Span) -> String {
    let mut text = span.name.clone();
    if span.kind != 0 {
        text += &format!(" kind={}", span.kind);
    }
    if let Some(status) = &span.status {
        let message = if status.message.is_empty() { String::new() } else { format!(":{}", status.message) };
        text += &format!(" status={}{message}", status.code);
    }
    if !span.trace_state.is_empty() {
        text += &format!(" state={}", span.trace_state.replace(';', "|"));
    }
    if !span.events.is_empty() {
        let names: Vec<&str> = span.events.iter().map(|event| event.name.as_str()).collect();
        text += &format!(" event={}", names.join(","));
    }
    format!("{text} {}", shown_attributes(&span.attributes))
}

fn shown_log(log: &LogRecord) -> String {
    let mut text = shown_value(log.body.as_ref());
    if log.severity_number != 0 {
        text += &format!(" severity={}", log.severity_number);
    }
    if !log.severity_text.is_empty() {
        text += &format!(" text={}", log.severity_text);
    }
    format!("{text} {}", shown_attributes(&log.attributes))
}

fn shown_metric(metric: &Metric) -> String {
    let points: (&str, Vec<String>) = match &metric.data {
        None => (" type=none", vec![]),
        Some(Data::Gauge(data)) => ("", data.data_points.iter().map(|p| shown_attributes(&p.attributes)).collect()),
        Some(Data::Sum(data)) => {
            (" type=sum", data.data_points.iter().map(|p| shown_attributes(&p.attributes)).collect())
        }
        Some(Data::Histogram(data)) => {
            (" type=histogram", data.data_points.iter().map(|p| shown_attributes(&p.attributes)).collect())
        }
        Some(Data::ExponentialHistogram(data)) => {
            (" type=exponential", data.data_points.iter().map(|p| shown_attributes(&p.attributes)).collect())
        }
        Some(Data::Summary(data)) => {
            (" type=summary", data.data_points.iter().map(|p| shown_attributes(&p.attributes)).collect())
        }
    };
    format!("{}{} {}", metric.name, points.0, points.1.join(" ")).trim_end().to_string()
}
