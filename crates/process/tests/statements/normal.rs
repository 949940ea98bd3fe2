//! Requests in a form in which those that mean the same are the same: defaults are absent. Where Go's maps had a part in it,
//! which are in no order, entries are in order of their keys.

use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
        trace::v1::ExportTraceServiceRequest,
    },
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value},
    metrics::v1::{Metric, metric::Data},
    resource::v1::Resource,
    trace::v1::Status,
};
use otlp::Signal;
use prost::Message;

/// A request as text.
pub(crate) fn shown(signal: Signal, request: &[u8], is_ordered: bool) -> String {
    let (attributes, resource, scope, any_value, metric) = (
        |list: &mut Vec<KeyValue>| attributes(list, is_ordered),
        |item: &mut Option<Resource>| attributes(&mut item.get_or_insert_default().attributes, is_ordered),
        |item: &mut Option<InstrumentationScope>| attributes(&mut item.get_or_insert_default().attributes, is_ordered),
        |item: &mut AnyValue| any_value(item, is_ordered),
        |item: &mut Metric| metric(item, is_ordered),
    );
    match signal {
        Signal::Traces => {
            let mut request = ExportTraceServiceRequest::decode(request).expect("a request");
            for part in &mut request.resource_spans {
                resource(&mut part.resource);
                for part in &mut part.scope_spans {
                    scope(&mut part.scope);
                    for span in &mut part.spans {
                        attributes(&mut span.attributes);
                        span.events.iter_mut().for_each(|event| attributes(&mut event.attributes));
                        span.links.iter_mut().for_each(|link| attributes(&mut link.attributes));
                        span.status = span.status.take().filter(|status| *status != Status::default());
                    }
                }
            }
            format!("{request:#?}")
        }
        Signal::Metrics => {
            let mut request = ExportMetricsServiceRequest::decode(request).expect("a request");
            for part in &mut request.resource_metrics {
                resource(&mut part.resource);
                for part in &mut part.scope_metrics {
                    scope(&mut part.scope);
                    part.metrics.iter_mut().for_each(metric);
                }
            }
            format!("{request:#?}")
        }
        Signal::Logs => {
            let mut request = ExportLogsServiceRequest::decode(request).expect("a request");
            for part in &mut request.resource_logs {
                resource(&mut part.resource);
                for part in &mut part.scope_logs {
                    scope(&mut part.scope);
                    for log in &mut part.log_records {
                        attributes(&mut log.attributes);
                        log.body = log.body.take().filter(|body| body.value.is_some());
                        log.body.iter_mut().for_each(any_value);
                    }
                }
            }
            format!("{request:#?}")
        }
    }
}

fn metric(metric: &mut Metric, is_ordered: bool) {
    let attributes = |list: &mut Vec<KeyValue>| attributes(list, is_ordered);
    attributes(&mut metric.metadata);
    match &mut metric.data {
        Some(Data::Gauge(data)) => data.data_points.iter_mut().for_each(|point| attributes(&mut point.attributes)),
        Some(Data::Sum(data)) => data.data_points.iter_mut().for_each(|point| attributes(&mut point.attributes)),
        Some(Data::Histogram(data)) => {
            data.data_points.iter_mut().for_each(|point| attributes(&mut point.attributes));
        }
        Some(Data::ExponentialHistogram(data)) => {
            for point in &mut data.data_points {
                attributes(&mut point.attributes);
                point.positive = Some(point.positive.take().unwrap_or_default());
                point.negative = Some(point.negative.take().unwrap_or_default());
            }
        }
        Some(Data::Summary(data)) => data.data_points.iter_mut().for_each(|point| attributes(&mut point.attributes)),
        None => {}
    }
}

fn attributes(attributes: &mut [KeyValue], is_ordered: bool) {
    for attribute in attributes.iter_mut() {
        any_value(attribute.value.get_or_insert_default(), is_ordered);
    }
    if !is_ordered {
        attributes.sort_by(|a, b| a.key.cmp(&b.key));
    }
}

fn any_value(any: &mut AnyValue, is_ordered: bool) {
    match &mut any.value {
        Some(Value::KvlistValue(list)) => attributes(&mut list.values, is_ordered),
        Some(Value::ArrayValue(list)) => list.values.iter_mut().for_each(|item| any_value(item, is_ordered)),
        _ => {}
    }
}
