//! Metrics and logs against what otelcol 0.161 made of the same bodies, in both encodings, and against prost.
//!
//! In `recorded`, `metrics.json`, `logs.json` and `events.json` are the examples of opentelemetry-proto, the others have every
//! form that otelcol takes. Next to each stands what its file exporter wrote after its OTLP receiver had taken the body.

use super::super::{decode, encode};
use crate::Signal;
use crate::check::check;
use opentelemetry_proto::tonic::{
    collector::{logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest},
    metrics::v1::{Metric, metric::Data},
};
use prost::Message;
use serde_json::Value as Json;

/// Signal, body, and what otelcol wrote as JSON and as protobuf.
type Recorded = (Signal, &'static str, &'static str, &'static [u8]);

macro_rules! recorded {
    ($signal:ident, $name:literal) => {
        (
            Signal::$signal,
            include_str!(concat!("recorded/", $name, ".json")),
            include_str!(concat!("recorded/", $name, ".otelcol.json")),
            include_bytes!(concat!("recorded/", $name, ".otelcol.pb")),
        )
    };
}

static RECORDED: [Recorded; 5] = [
    recorded!(Metrics, "metrics"),
    recorded!(Metrics, "metrics_all"),
    recorded!(Logs, "logs"),
    recorded!(Logs, "events"),
    recorded!(Logs, "logs_all"),
];

/// The tree of a text, with the differences taken out that mean nothing: all numbers as doubles, no empty messages where
/// otelcol writes one whether there was one or not.
fn tree(json: &[u8]) -> Json {
    fn level(json: Json) -> Json {
        match json {
            Json::Object(members) => {
                let is_filled = |name: &str, value: &Json| {
                    let always = ["resource", "scope", "body", "value", "positive", "negative"].contains(&name);
                    !always || value.as_object().is_none_or(|members| !members.is_empty())
                };
                let members = members.into_iter().map(|(name, value)| (name, level(value)));
                Json::Object(members.filter(|(name, value)| is_filled(name, value)).collect())
            }
            Json::Array(elements) => Json::Array(elements.into_iter().map(level).collect()),
            Json::Number(number) => Json::from(number.as_f64()),
            other => other,
        }
    }
    level(serde_json::from_slice(json).expect("JSON"))
}

/// As prost writes what it reads.
fn canonical(signal: Signal, bytes: &[u8]) -> Vec<u8> {
    match signal {
        Signal::Metrics => ExportMetricsServiceRequest::decode(bytes).unwrap().encode_to_vec(),
        _ => ExportLogsServiceRequest::decode(bytes).unwrap().encode_to_vec(),
    }
}

fn taken(signal: Signal, json: &str) -> Vec<u8> {
    let bytes = decode(signal, json.as_bytes()).unwrap_or_else(|error| panic!("{json}: {error}"));
    check(signal, &bytes).unwrap_or_else(|error| panic!("{json}: {error}"));
    bytes
}

/// A request with one metric that has these members.
fn of_metric(members: &str) -> String {
    format!(r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{{members}}}]}}]}}]}}"#)
}

fn of_record(members: &str) -> String {
    format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{{members}}}]}}]}}]}}"#)
}

fn metric(members: &str) -> Metric {
    let bytes = taken(Signal::Metrics, &of_metric(members));
    let mut request = ExportMetricsServiceRequest::decode(&*bytes).unwrap();
    request.resource_metrics.remove(0).scope_metrics.remove(0).metrics.remove(0)
}

#[test]
fn decodes_and_encodes_as_otelcol() {
    for &(signal, body, json, protobuf) in &RECORDED {
        let decoded = taken(signal, body);
        // Not the same bytes: prost writes a field of a `oneof` where the first of them would stand.
        assert_eq!(decoded.len(), canonical(signal, &decoded).len(), "a default is written: {body}");
        let ours = encode(signal, &decoded).unwrap();
        assert_eq!(tree(&encode(signal, protobuf).unwrap()), tree(json.as_bytes()), "encoded: {body}");
        assert_eq!(tree(&ours), tree(json.as_bytes()), "decoded: {body}");
        assert_eq!(decode(signal, &ours).unwrap(), decoded, "there and back: {body}");
    }
}

#[test]
fn of_a_choice_the_last_stays() {
    let points = |metric: Metric| match metric.data {
        Some(Data::Gauge(data)) => (5, data.data_points.len()),
        Some(Data::Sum(data)) => (7, data.data_points.len()),
        Some(Data::Histogram(data)) => (9, data.data_points.len()),
        other => panic!("{other:?}"),
    };
    assert_eq!(points(metric(r#""gauge":{"dataPoints":[{}]},"name":"x","sum":{"dataPoints":[{},{}]}"#)), (7, 2));
    assert_eq!(points(metric(r#""sum":{"dataPoints":[{},{}]},"gauge":{"dataPoints":[{}]},"name":"x""#)), (5, 1));
    assert_eq!(points(metric(r#""gauge":{"dataPoints":[{}]},"gauge":{"dataPoints":[{},{}]}"#)), (5, 2));
    assert_eq!(points(metric(r#""sum":{"dataPoints":[{}]},"gauge":null"#)), (5, 0));
    let mixed = metric(r#""metadata":[{"key":"a"}],"histogram":{},"name":"x","sum":{},"unit":"u","metadata":[{}]"#);
    assert_eq!((mixed.name.as_str(), mixed.unit.as_str(), mixed.metadata.len()), ("x", "u", 2));
    assert_eq!(points(mixed), (7, 0));
}

#[test]
fn encoding_reads_lists_of_any_form() {
    use crate::wire::{put_fixed64, put_len, put_uint};
    let mut buckets = Vec::new();
    put_uint(&mut buckets, 2, 1);
    put_len(&mut buckets, 2, &[2, 0x80, 1]);
    put_uint(&mut buckets, 2, 3);
    let mut point = Vec::new();
    put_len(&mut point, 8, &buckets);
    put_fixed64(&mut point, 5, 0);
    let mut data = Vec::new();
    put_len(&mut data, 1, &point);
    let mut metric = Vec::new();
    // Another kind of data between two of the same: only what is behind it counts.
    for (number, body) in [(10, &data[..]), (5, b""), (10, &data), (12, b"")] {
        put_len(&mut metric, number, body);
    }
    let request = [2, 2, 1].iter().fold(metric, |body, &number| {
        let mut outer = Vec::new();
        put_len(&mut outer, number, &body);
        outer
    });
    let json = String::from_utf8(encode(Signal::Metrics, &request).unwrap()).unwrap();
    let data = r#""exponentialHistogram":{"dataPoints":[{"sum":0.0,"positive":{"bucketCounts":["1","2","128","3"]}}]}"#;
    assert_eq!(json, of_metric(&format!(r#"{data},"metadata":[{{}}]"#)));
    assert_eq!(encode(Signal::Metrics, &request), encode(Signal::Metrics, &canonical(Signal::Metrics, &request)));
}

#[test]
fn takes_and_refuses_as_recorded() {
    let in_data = |kind: &str, point: &str| of_metric(&format!(r#""{kind}":{{"dataPoints":[{{{point}}}]}}"#));
    for (kind, point) in [
        ("histogram", r#""bucketCounts":null"#),
        ("histogram", r#""explicitBounds":["Infinity"]"#),
        ("exponentialHistogram", r#""positive":null"#),
        ("exponentialHistogram", r#""positive":{"bucketCounts":["1",2]},"positive":{"bucketCounts":[3]}"#),
        ("summary", r#""quantileValues":[null]"#),
    ] {
        taken(Signal::Metrics, &in_data(kind, point));
    }
    taken(Signal::Metrics, &of_metric(r#""metadata":null"#));
    taken(Signal::Logs, &of_record(r#""eventName":null"#));
    for (kind, point, expected) in [
        ("gauge", r#""asInt":1.5"#, "a 64-bit integer"),
        ("gauge", r#""asInt":"9223372036854775808""#, "a 64-bit integer"),
        ("gauge", r#""asDouble":"x""#, "a double"),
        ("gauge", r#""flags":-1"#, "an unsigned 32-bit integer"),
        ("gauge", r#""exemplars":[{"traceId":"abc"}]"#, "exemplars[0].traceId`: expected 32 hexadecimal digits"),
        ("gauge", r#""exemplars":[{"spanId":null}]"#, "a string"),
        ("histogram", r#""bucketCounts":[null]"#, "bucketCounts[0]`: expected an unsigned 64-bit integer"),
        ("histogram", r#""bucketCounts":{}"#, "an array"),
        ("histogram", r#""bucketCounts":["-1"]"#, "an unsigned 64-bit integer"),
        ("histogram", r#""bucketCounts":[0,1.5]"#, "bucketCounts[1]`: expected an unsigned 64-bit integer"),
        ("histogram", r#""bucketCounts":[1,]"#, "a comma is too many"),
        ("histogram", r#""explicitBounds":[null]"#, "a number"),
        ("histogram", r#""explicitBounds":[true]"#, "a number"),
        ("histogram", r#""count":-1"#, "an unsigned 64-bit integer"),
        ("histogram", r#""count":"1e3""#, "an unsigned 64-bit integer"),
        ("exponentialHistogram", r#""scale":2147483648"#, "a 32-bit integer"),
        ("exponentialHistogram", r#""scale":1.0"#, "a 32-bit integer"),
        ("exponentialHistogram", r#""positive":[]"#, "an object"),
    ] {
        refused(Signal::Metrics, &in_data(kind, point), expected);
    }
    for (members, expected) in [
        (r#""sum":{"isMonotonic":"true"}"#, "true or false"),
        (r#""sum":{"aggregationTemporality":"DELTA"}"#, "unknown name `DELTA`"),
        (r#""sum":[]"#, "an object"),
        (r#""name":5"#, "a string"),
    ] {
        refused(Signal::Metrics, &of_metric(members), expected);
    }
    for (members, expected) in [
        (r#""severityNumber":"WARN""#, "unknown name `WARN`"),
        (r#""severityNumber":"9""#, "unknown name `9`"),
        (r#""body":"x""#, "an object"),
        (r#""body":{"stringValue":5}"#, "a string"),
        (r#""traceId":"5B8EFFF798038103D269B633813FC60""#, "expected 32 hexadecimal digits, found 31"),
        (r#""traceId":null"#, "a string"),
        (r#""flags":4294967296"#, "an unsigned 32-bit integer"),
        (r#""attributes":{}"#, "an array"),
    ] {
        refused(Signal::Logs, &of_record(members), expected);
    }
    refused(Signal::Metrics, "", "an object with `resourceMetrics`");
    refused(Signal::Logs, "", "an object with `resourceLogs`");
    assert_eq!(taken(Signal::Logs, &of_metric("")), b"", "the keys of another signal are unknown");
}

#[track_caller]
fn refused(signal: Signal, json: &str, expected: &str) {
    let error = decode(signal, json.as_bytes()).expect_err(json);
    assert!(error.to_string().contains(expected), "{json}: {error}");
}

#[test]
fn mutated_bodies_go_there_and_back() {
    let seed = 0x0051_67a1_u64;
    println!("seed {seed:#x}");
    let mut state = seed;
    let mut next = |below: usize| {
        // xorshift64, as in the tests of traces.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let mut valid = 0;
    for round in 0..10_000 {
        let (signal, body, _, protobuf) = RECORDED[round % RECORDED.len()];
        let mut json = body.as_bytes().to_vec();
        for _ in 0..=next(3) {
            let at = next(json.len());
            match next(3) {
                0 => drop(json.drain(at..(at + next(5)).min(json.len()))),
                1 => json[at] = b"0123456789\"{}[],:ean-."[next(22)],
                _ => json[at] = json[at].wrapping_add(next(255) as u8),
            }
        }
        if let Ok(bytes) = decode(signal, &json) {
            valid += 1;
            check(signal, &bytes).expect("valid protobuf");
            let json = encode(signal, &bytes).unwrap();
            assert_eq!(encode(signal, &decode(signal, &json).unwrap()).unwrap(), json);
        }
        let mut bytes = protobuf.to_vec();
        let at = next(bytes.len());
        bytes[at] ^= 1 << next(8);
        if let Ok(json) = encode(signal, &bytes) {
            decode(signal, &json).map(drop).unwrap_or_else(|error| {
                // An ID of another length has no JSON that anybody takes.
                assert!(error.message.contains("hexadecimal digits"), "{error}");
            });
        }
    }
    assert!(valid > 1_000, "{valid}");
}
