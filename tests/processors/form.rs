//! A request as text, a line for each resource, scope and record, in which what means the same looks the same: a message
//! that is absent and one that is empty.

use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
        trace::v1::ExportTraceServiceRequest,
    },
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value},
    metrics::v1::metric::Data,
    resource::v1::Resource,
};
use otlp::Signal;
use prost::Message;
use std::fmt::Debug;

/// The request's form.
pub(crate) fn form(signal: Signal, request: &[u8]) -> String {
    let mut lines = Vec::new();
    match signal {
        Signal::Traces => {
            for part in ExportTraceServiceRequest::decode(request).expect("a request").resource_spans {
                lines.push(resource(part.resource, &part.schema_url));
                for part in part.scope_spans {
                    lines.push(scope(part.scope, &part.schema_url));
                    for mut span in part.spans {
                        span.status.get_or_insert_default();
                        let attributes = attributes(&mut span.attributes);
                        let events: Vec<String> =
                            span.events.iter_mut().map(|event| self::attributes(&mut event.attributes)).collect();
                        lines.push(format!("{span:?} {attributes} events: {}", events.join(" ")));
                    }
                }
            }
        }
        Signal::Metrics => {
            for part in ExportMetricsServiceRequest::decode(request).expect("a request").resource_metrics {
                lines.push(resource(part.resource, &part.schema_url));
                for part in part.scope_metrics {
                    lines.push(scope(part.scope, &part.schema_url));
                    for mut metric in part.metrics {
                        let points = points(&mut metric.data);
                        lines.push(format!("{metric:?}"));
                        lines.extend(points);
                    }
                }
            }
        }
        Signal::Logs => {
            for part in ExportLogsServiceRequest::decode(request).expect("a request").resource_logs {
                lines.push(resource(part.resource, &part.schema_url));
                for part in part.scope_logs {
                    lines.push(scope(part.scope, &part.schema_url));
                    for mut log in part.log_records {
                        log.body.get_or_insert_default();
                        let attributes = attributes(&mut log.attributes);
                        lines.push(format!("{log:?} {attributes}"));
                    }
                }
            }
        }
    }
    lines.join("\n")
}

/// How many spans, data points or log records there are.
pub(crate) fn records(signal: Signal, request: &[u8]) -> usize {
    let indent = |line: &&str| !line.starts_with("resource") && !line.starts_with(" scope");
    let is_record = |line: &&str| if signal == Signal::Metrics { line.starts_with("  ") } else { indent(line) };
    form(signal, request).lines().filter(is_record).count()
}

fn points(data: &mut Option<Data>) -> Vec<String> {
    fn all<P: Debug>(points: &mut Vec<P>, of: impl Fn(&mut P) -> &mut Vec<KeyValue>) -> Vec<String> {
        let points = std::mem::take(points).into_iter();
        points
            .map(|mut point| {
                let attributes = attributes(of(&mut point));
                format!("  {point:?} {attributes}")
            })
            .collect()
    }
    match data {
        None => Vec::new(),
        Some(Data::Gauge(data)) => all(&mut data.data_points, |point| &mut point.attributes),
        Some(Data::Sum(data)) => all(&mut data.data_points, |point| &mut point.attributes),
        Some(Data::Histogram(data)) => all(&mut data.data_points, |point| &mut point.attributes),
        Some(Data::ExponentialHistogram(data)) => all(&mut data.data_points, |point| {
            point.positive.get_or_insert_default();
            point.negative.get_or_insert_default();
            &mut point.attributes
        }),
        Some(Data::Summary(data)) => all(&mut data.data_points, |point| &mut point.attributes),
    }
}

fn resource(resource: Option<Resource>, schema_url: &str) -> String {
    let mut resource = resource.unwrap_or_default();
    let attributes = attributes(&mut resource.attributes);
    format!("resource {schema_url} {resource:?} {attributes}")
}

fn scope(scope: Option<InstrumentationScope>, schema_url: &str) -> String {
    let mut scope = scope.unwrap_or_default();
    let attributes = attributes(&mut scope.attributes);
    format!(" scope {schema_url} {scope:?} {attributes}")
}

/// Takes the attributes out, for they read better by themselves.
fn attributes(attributes: &mut Vec<KeyValue>) -> String {
    let pairs = std::mem::take(attributes);
    let shown: Vec<String> = pairs.iter().map(|pair| format!("{}={}", pair.key, value(pair.value.as_ref()))).collect();
    format!("{{{}}}", shown.join(", "))
}

fn value(of: Option<&AnyValue>) -> String {
    match of.and_then(|value| value.value.as_ref()) {
        None => "empty".to_string(),
        Some(Value::ArrayValue(list)) => {
            format!("[{}]", list.values.iter().map(|item| value(Some(item))).collect::<Vec<_>>().join(", "))
        }
        Some(Value::KvlistValue(map)) => {
            // Of a map that a configuration writes, otelcol's order is random.
            let mut pairs: Vec<String> =
                map.values.iter().map(|pair| format!("{}={}", pair.key, value(pair.value.as_ref()))).collect();
            pairs.sort();
            format!("{{{}}}", pairs.join(", "))
        }
        Some(other) => format!("{other:?}"),
    }
}
