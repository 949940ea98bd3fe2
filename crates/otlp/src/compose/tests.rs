//! What is composed, as prost reads it.

use super::*;
use opentelemetry_proto::tonic::{
    collector::{logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest},
    common::v1::any_value,
    metrics::v1::{metric::Data, number_data_point},
};
use prost::Message;

fn attributes() -> Vec<(String, String)> {
    vec![("service.name".to_owned(), "tailrace".to_owned())]
}

#[test]
fn metrics_read_as_they_were_meant() {
    let attributes = attributes();
    let point = |value| Point { attributes: vec![("exporter", "otlp")], start_ns: 1, time_ns: 2, value };
    let metric = |shape, value| Metric { name: "a", description: "b", unit: "By", shape, points: vec![point(value)] };
    let metrics_of = vec![
        metric(Shape::Sum { is_monotonic: true, is_delta: true }, Value::Int(0)),
        metric(Shape::Gauge, Value::Double(0.5)),
        metric(
            Shape::Histogram { is_delta: false },
            Value::Histogram { bounds: &[1, 5], counts: &[1, 0, 2], sum: 20.0 },
        ),
    ];
    let scopes = [ScopeMetrics { name: "scope", version: "1", metrics: metrics_of }];
    let bytes = metrics(Source { attributes: &attributes, schema_url: "https://schema" }, &scopes);

    assert_eq!(crate::check::check(crate::Signal::Metrics, &bytes).map(|counts| counts.items), Ok(3));
    let request = ExportMetricsServiceRequest::decode(&*bytes).expect("a request");
    let resource = &request.resource_metrics[0];
    assert_eq!(resource.schema_url, "https://schema");
    assert_eq!(resource.resource.as_ref().map(|resource| resource.attributes[0].key.as_str()), Some("service.name"));
    let scope = &resource.scope_metrics[0];
    assert_eq!(scope.scope.as_ref().map(|scope| (scope.name.as_str(), scope.version.as_str())), Some(("scope", "1")));
    let [sum, gauge, histogram] = &scope.metrics[..] else { panic!("{scope:?}") };
    assert_eq!((sum.name.as_str(), sum.description.as_str(), sum.unit.as_str()), ("a", "b", "By"));
    let Some(Data::Sum(sum)) = &sum.data else { panic!("{sum:?}") };
    assert_eq!((sum.is_monotonic, sum.aggregation_temporality), (true, 1));
    let number = &sum.data_points[0];
    assert_eq!(
        (number.start_time_unix_nano, number.time_unix_nano, number.attributes[0].key.as_str()),
        (1, 2, "exporter")
    );
    assert_eq!(number.value, Some(number_data_point::Value::AsInt(0)));
    let Some(Data::Gauge(gauge)) = &gauge.data else { panic!("{gauge:?}") };
    assert_eq!(gauge.data_points[0].value, Some(number_data_point::Value::AsDouble(0.5)));
    let Some(Data::Histogram(histogram)) = &histogram.data else { panic!("{histogram:?}") };
    assert_eq!(histogram.aggregation_temporality, 2);
    let point = &histogram.data_points[0];
    assert_eq!(
        (point.count, point.sum, &point.bucket_counts[..], &point.explicit_bounds[..]),
        (3, Some(20.0), &[1, 0, 2][..], &[1.0, 5.0][..])
    );
    assert_eq!(point.attributes.len(), 1);
}

#[test]
fn logs_read_as_they_were_meant() {
    let attributes = attributes();
    let record = Record { time_ns: 7, severity: 9, severity_text: "INFO", body: "", attributes: &attributes };
    let bytes = logs(Source { attributes: &attributes, schema_url: "" }, "tailrace", "0", &[record.clone(), record]);
    assert_eq!(crate::check::check(crate::Signal::Logs, &bytes).map(|counts| counts.items), Ok(2));
    let request = ExportLogsServiceRequest::decode(&*bytes).expect("a request");
    let record = &request.resource_logs[0].scope_logs[0].log_records[1];
    assert_eq!((record.time_unix_nano, record.observed_time_unix_nano, record.severity_number), (7, 7, 9));
    assert_eq!((record.severity_text.as_str(), record.attributes.len()), ("INFO", 1));
    let body = record.body.as_ref().and_then(|body| body.value.clone());
    assert_eq!(body, Some(any_value::Value::StringValue(String::new())));
}
