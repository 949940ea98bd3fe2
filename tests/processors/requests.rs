//! Random requests of all signals: attributes of all kinds of values, sometimes twice, few different words, so that
//! settings made of the same words hit.

use crate::{dice::Dice, form};
use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
        trace::v1::ExportTraceServiceRequest,
    },
    common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value::Value},
    logs::v1::{LogRecord, ResourceLogs, ScopeLogs},
    metrics::v1::{
        ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint, Metric,
        NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary, SummaryDataPoint, metric::Data,
        number_data_point,
    },
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span::Event},
};
use otlp::Signal;
use prost::Message;

pub(crate) const KEYS: &[&str] = &["a", "b", "user.id", "http.route", "http.status", "zone", "é", ""];
pub(crate) const RESOURCE_KEYS: &[&str] = &["service.name", "host", "zone", "a", "b"];
pub(crate) const TEXTS: &[&str] = &[
    "x",
    "shop",
    "cart",
    "42",
    "-7",
    "1.5",
    "true",
    "/api/v1/cart",
    "GET <&>",
    "",
    "ünï",
    "https://x.example/users/42?q=1",
];
pub(crate) const NAMES: &[&str] =
    &["GET /cart", "/api/v1/users/42", "query", "a", "", "SET k v", "/42", "GET /v1/ljgdflgjf?x=1"];
pub(crate) const LIBRARIES: &[(&str, &str)] = &[("lib", "1.0"), ("lib", ""), ("other", "2.3"), ("", "")];
pub(crate) const SEVERITIES: &[&str] = &["INFO", "ERROR", "warn", ""];
const START_NS: u64 = 1_767_225_600_000_000_000;

/// A request with at least one record: receivers of the reference hand on no others.
pub(crate) fn request(dice: &mut Dice, signal: Signal) -> Vec<u8> {
    loop {
        let request = any_request(dice, signal);
        if form::records(signal, &request) > 0 {
            return request;
        }
    }
}

fn any_request(dice: &mut Dice, signal: Signal) -> Vec<u8> {
    let parts = 1 + dice.below(3);
    match signal {
        Signal::Traces => {
            let part = |dice: &mut Dice| ResourceSpans {
                resource: resource(dice),
                scope_spans: some(dice, 3, |dice| ScopeSpans {
                    scope: scope(dice),
                    spans: some(dice, 4, span),
                    schema_url: schema_url(dice),
                }),
                schema_url: schema_url(dice),
            };
            ExportTraceServiceRequest { resource_spans: (0..parts).map(|_| part(dice)).collect() }.encode_to_vec()
        }
        Signal::Metrics => {
            let part = |dice: &mut Dice| ResourceMetrics {
                resource: resource(dice),
                scope_metrics: some(dice, 3, |dice| ScopeMetrics {
                    scope: scope(dice),
                    metrics: some(dice, 4, metric),
                    schema_url: schema_url(dice),
                }),
                schema_url: schema_url(dice),
            };
            ExportMetricsServiceRequest { resource_metrics: (0..parts).map(|_| part(dice)).collect() }.encode_to_vec()
        }
        Signal::Logs => {
            let part = |dice: &mut Dice| ResourceLogs {
                resource: resource(dice),
                scope_logs: some(dice, 3, |dice| ScopeLogs {
                    scope: scope(dice),
                    log_records: some(dice, 4, log),
                    schema_url: schema_url(dice),
                }),
                schema_url: schema_url(dice),
            };
            ExportLogsServiceRequest { resource_logs: (0..parts).map(|_| part(dice)).collect() }.encode_to_vec()
        }
    }
}

/// Up to so many, seldom none.
fn some<T>(dice: &mut Dice, most: usize, mut make: impl FnMut(&mut Dice) -> T) -> Vec<T> {
    let count = if dice.chance(5) { 0 } else { 1 + dice.below(most) };
    (0..count).map(|_| make(dice)).collect()
}

fn schema_url(dice: &mut Dice) -> String {
    dice.pick(&["", "", "https://opentelemetry.io/schemas/1.30.0"]).to_string()
}

fn resource(dice: &mut Dice) -> Option<Resource> {
    let attributes = attributes(dice, RESOURCE_KEYS);
    dice.chance(92).then(|| Resource { attributes, ..Resource::default() })
}

fn scope(dice: &mut Dice) -> Option<InstrumentationScope> {
    let (name, version) = dice.pick(LIBRARIES);
    let attributes = attributes(dice, &["a", "b"]);
    let scope = InstrumentationScope { name: name.into(), version: version.into(), attributes, ..Default::default() };
    dice.chance(92).then_some(scope)
}

fn attributes(dice: &mut Dice, keys: &[&str]) -> Vec<KeyValue> {
    let mut pairs: Vec<KeyValue> = Vec::new();
    for key in keys {
        for _ in 0..if dice.chance(4) { 2 } else { usize::from(dice.chance(45)) } {
            let value = if *key == "service.name" && dice.chance(90) { text(dice) } else { value(dice, 2) };
            pairs.push(KeyValue { key: (*key).to_string(), value: Some(value), ..KeyValue::default() });
        }
    }
    dice.shuffle(&mut pairs);
    pairs
}

fn text(dice: &mut Dice) -> AnyValue {
    AnyValue { value: Some(Value::StringValue(dice.pick(TEXTS).to_string())) }
}

fn value(dice: &mut Dice, depth: usize) -> AnyValue {
    let value = match dice.below(if depth == 0 { 12 } else { 16 }) {
        0 => None,
        1..=2 => Some(Value::IntValue(dice.pick(&[0, 1, 42, -7, 200, 500, i64::MAX, i64::MIN]))),
        3..=4 => {
            Some(Value::DoubleValue(dice.pick(&[0.0, 1.0, -1.5, 1e21, 1e-7, 123_456_789.25, f64::INFINITY, 1e300])))
        }
        5..=6 => Some(Value::BoolValue(dice.chance(50))),
        7 => Some(Value::BytesValue(dice.pick(&[&b""[..], b"ab", b"\x00\xff"]).to_vec())),
        12..=13 => {
            let values = (0..dice.below(3)).map(|_| self::value(dice, depth - 1)).collect();
            Some(Value::ArrayValue(ArrayValue { values }))
        }
        14..=15 => {
            let mut pair = |key: &str| KeyValue {
                key: key.to_string(),
                value: Some(self::value(dice, depth - 1)),
                ..KeyValue::default()
            };
            Some(Value::KvlistValue(KeyValueList { values: vec![pair("k"), pair("j")] }))
        }
        _ => return text(dice),
    };
    AnyValue { value }
}

fn span(dice: &mut Dice) -> Span {
    let mut id = |bytes: usize| (0..bytes).map(|_| dice.below(255) as u8 + 1).collect::<Vec<u8>>();
    let (trace_id, span_id, parent) = (id(16), id(8), id(8));
    let trace_id = if dice.chance(95) { trace_id } else { Vec::new() };
    let status = match dice.below(4) {
        0 => None,
        1 => Some(Status::default()),
        2 => Some(Status { code: 1, message: String::new() }),
        _ => Some(Status { code: 2, message: dice.pick(TEXTS).to_string() }),
    };
    Span {
        trace_id,
        span_id,
        parent_span_id: if dice.chance(50) { parent } else { Vec::new() },
        name: dice.pick(NAMES).to_string(),
        kind: dice.below(6) as i32,
        start_time_unix_nano: START_NS,
        end_time_unix_nano: START_NS + dice.next() % 1_000_000_000,
        attributes: with_query(dice, &["sampling.priority"]),
        trace_state: trace_state(dice),
        events: (0..dice.below(3)).map(|_| event(dice)).collect(),
        status,
        ..Span::default()
    }
}

const SYSTEMS: &[&str] =
    &["redis", "Valkey", "memcached", "mongodb", "opensearch", "elasticsearch", "mysql", "other_sql"];
const QUERIES: &[&str] = &[
    "SET k v",
    "GET a\nhmset \"a b\" c d e f",
    " AUTH  x y ",
    "ZADD k NX 1 a 2 b",
    "set k 0 900 5\r\nvalue",
    "{\"find\": \"users\", \"filter\": {\"age\": {\"$gt\": [1, null]}}} ",
    "[1, {\"a\": \"b\"}] x",
    "SELECT * FROM users WHERE id = 42",
];

/// Attributes, seldom with a query to a database.
fn with_query(dice: &mut Dice, sampling: &[&str]) -> Vec<KeyValue> {
    let mut attributes = with_sampling(dice, sampling);
    if dice.chance(25) {
        let mut put = |key: &str, value: &str| {
            let value = Some(AnyValue { value: Some(Value::StringValue(value.to_string())) });
            attributes.push(KeyValue { key: key.to_string(), value, ..KeyValue::default() });
        };
        put(dice.pick(&["db.system", "db.system.name"]), dice.pick(SYSTEMS));
        put(dice.pick(&["a", "b", "user.id"]), dice.pick(QUERIES));
    }
    attributes
}

/// Attributes, seldom with some that concern sampling.
fn with_sampling(dice: &mut Dice, keys: &[&str]) -> Vec<KeyValue> {
    let mut attributes = attributes(dice, KEYS);
    for key in keys {
        if !dice.chance(12) {
            continue;
        }
        let value = match dice.below(9) {
            0..=1 => Value::IntValue(dice.between(-2, 120)),
            2 => Value::DoubleValue(dice.pick(&[0.0, 0.5, 33.3, 100.0, f64::NAN])),
            3..=4 => Value::StringValue(dice.pick(&["0", "1", "-1", "x", "", "inf", "0x1p-2", "1e400"]).to_string()),
            5..=6 => Value::StringValue(threshold(dice)),
            _ => Value::StringValue(format!("{:014x}", dice.next() >> 8)),
        };
        let value = Some(AnyValue { value: Some(value) });
        attributes.insert(0, KeyValue { key: (*key).to_string(), value, ..KeyValue::default() });
    }
    attributes
}

fn threshold(dice: &mut Dice) -> String {
    dice.pick(&["0", "8", "c", "4", "f", "E", "00f", "", "x", "123456789abcdef"]).to_string()
}

fn trace_state(dice: &mut Dice) -> String {
    if dice.chance(60) {
        return String::new();
    }
    let member = |dice: &mut Dice| match dice.below(12) {
        0..=5 => {
            let part = |dice: &mut Dice| match dice.below(10) {
                0..=3 => format!("th:{}", threshold(dice)),
                4..=7 => format!("rv:{:014x}", dice.next() >> 8),
                _ => dice.pick(&["a:b", "rv:1", "x9:", "A:1", ""]).to_string(),
            };
            let parts: Vec<String> = (0..=dice.below(2)).map(|_| part(dice)).collect();
            format!("ot={}", parts.join(";"))
        }
        6..=10 => dice.pick(&["a=1", " b=2 ", "t@s=x y", "", "a=1"]).to_string(),
        _ => dice.pick(&["A=1", "a", "a=", "=1", "a=b=c"]).to_string(),
    };
    (0..=dice.below(2)).map(|_| member(dice)).collect::<Vec<_>>().join(",")
}

fn event(dice: &mut Dice) -> Event {
    Event {
        time_unix_nano: START_NS,
        name: dice.pick(NAMES).to_string(),
        attributes: attributes(dice, &["a", "b"]),
        ..Event::default()
    }
}

fn log(dice: &mut Dice) -> LogRecord {
    LogRecord {
        time_unix_nano: START_NS,
        severity_number: dice.pick(&[0, 1, 5, 9, 10, 13, 17, 21]),
        severity_text: dice.pick(SEVERITIES).to_string(),
        body: dice.chance(90).then(|| if dice.chance(60) { text(dice) } else { value(dice, 2) }),
        trace_id: if dice.chance(50) { (0..16).map(|_| dice.below(255) as u8 + 1).collect() } else { Vec::new() },
        attributes: with_query(dice, &["sampling.threshold", "sampling.randomness", "sampling.priority"]),
        ..LogRecord::default()
    }
}

fn metric(dice: &mut Dice) -> Metric {
    let number = |dice: &mut Dice| NumberDataPoint {
        attributes: attributes(dice, KEYS),
        time_unix_nano: START_NS,
        value: Some(if dice.chance(50) {
            number_data_point::Value::AsInt(dice.between(-5, 5))
        } else {
            number_data_point::Value::AsDouble(dice.pick(&[0.0, 0.5, -2.0]))
        }),
        ..NumberDataPoint::default()
    };
    let count = dice.below(4) as u64;
    let data = match dice.below(7) {
        0 => None,
        1..=2 => Some(Data::Gauge(Gauge { data_points: some(dice, 3, number) })),
        3 => Some(Data::Sum(Sum {
            data_points: some(dice, 3, number),
            aggregation_temporality: dice.below(3) as i32,
            is_monotonic: dice.chance(50),
        })),
        4 => Some(Data::Histogram(Histogram {
            data_points: some(dice, 3, |dice| HistogramDataPoint {
                attributes: attributes(dice, KEYS),
                count,
                bucket_counts: vec![count, 0],
                explicit_bounds: vec![1.0],
                ..HistogramDataPoint::default()
            }),
            aggregation_temporality: 2,
        })),
        5 => Some(Data::ExponentialHistogram(ExponentialHistogram {
            data_points: some(dice, 3, |dice| ExponentialHistogramDataPoint {
                attributes: attributes(dice, KEYS),
                count,
                ..ExponentialHistogramDataPoint::default()
            }),
            aggregation_temporality: 1,
        })),
        _ => Some(Data::Summary(Summary {
            data_points: some(dice, 3, |dice| SummaryDataPoint {
                attributes: attributes(dice, KEYS),
                count,
                ..SummaryDataPoint::default()
            }),
        })),
    };
    Metric { name: dice.pick(NAMES).to_string(), unit: dice.pick(&["", "s"]).to_string(), data, ..Metric::default() }
}
