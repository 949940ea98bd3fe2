//! All that an SDK tells of a program, sent to one endpoint: traces, metrics and logs, each through its own pipeline, to an
//! OTLP backend.
//!
//! The backend is the reference collector, which writes what came to files. What has to be there is computed from what the
//! program says it sent: of the traces those that failed, of metrics and logs all, and nowhere the attribute that a processor
//! takes away.

use crate::{
    process::{Program, free_port, peer, script},
    tailrace, turn,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
    time::Duration,
};

const TRACES: &str = "30";
/// For the start of an interpreter on a busy machine.
const CLIENT_LIMIT: Duration = Duration::from_secs(90);
const ARRIVAL_LIMIT: Duration = Duration::from_secs(30);
/// What the processors take away.
const SECRET: &str = "secret.token";
const SIGNALS: [&str; 3] = ["traces", "metrics", "logs"];

/// One item as both the client and the backend tell of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    signal: String,
    trace: String,
    /// A span's ID, also of a log's span; the kind of a metric.
    id: String,
    name: String,
    value: String,
    attributes: BTreeMap<String, String>,
    resource: BTreeMap<String, String>,
}

/// What a client says it sent, and of which signals all was taken.
struct Told {
    rows: Vec<Row>,
    taken: BTreeMap<String, bool>,
}

#[test]
fn all_signals_of_an_sdk_arrive_through_one_endpoint() {
    let _turn = turn();
    // The reference first: it proves that the expectation is right.
    for program in [peer("bin/otelcol-peer"), tailrace()] {
        for protocol in ["grpc", "http"] {
            let folder = tempfile::tempdir().expect("a folder");
            all_arrive(&program, protocol, folder.path());
        }
    }
}

/// Not a signal is swallowed: a client learns at once that nobody takes it here.
#[test]
fn a_signal_without_a_pipeline_is_turned_away() {
    let _turn = turn();
    for protocol in ["grpc", "http"] {
        let folder = tempfile::tempdir().expect("a folder");
        let port = free_port();
        let config = format!(
            "receivers: {{otlp: {{protocols: {{{protocol}: {{endpoint: \"127.0.0.1:{port}\"}}}}}}}}
exporters: {{nop: }}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [nop]}}}}
"
        );
        let mut collector = start("collector", &tailrace(), &config, folder.path());
        collector.wait_for_port(port);
        let (told, said) = tell(protocol, port, folder.path());
        let taken = SIGNALS.map(|signal| told.taken.get(signal).copied());
        assert_eq!(taken, [Some(true), Some(false), Some(false)], "{protocol}: {said}");
        // As its user reads it.
        let word = if protocol == "grpc" { "UNIMPLEMENTED" } else { "404" };
        assert!(said.contains(word), "{protocol}: {said}");
        collector.terminate(Duration::from_secs(30));
    }
}

fn all_arrive(program: &Path, protocol: &str, folder: &Path) {
    let (port, next) = (free_port(), free_port());
    let mut backend =
        start("backend", &peer("bin/otelcol-peer"), &backend_configuration(protocol, next, folder), folder);
    backend.wait_for_port(next);
    let mut collector = start("collector", program, &configuration(protocol, port, next), folder);
    collector.wait_for_port(port);
    let (told, said) = tell(protocol, port, folder);
    let all = SIGNALS.iter().all(|signal| told.taken.get(*signal) == Some(&true));
    assert!(all, "{protocol}: {:?}\n{said}\n{}", told.taken, collector.log_end());

    let expected = expected(&told.rows);
    let sent: BTreeSet<&str> = told.rows.iter().map(|row| row.trace.as_str()).collect();
    let kept: BTreeSet<&str> = expected.iter().map(|row| row.trace.as_str()).collect();
    assert!(kept.len() * 4 > sent.len(), "{} of {} traces are to be kept", kept.len(), sent.len());
    // What comes too late is missing below, where it is said what.
    let _ = collector.reaches("all there", ARRIVAL_LIMIT, || arrived(folder).len() >= expected.len());
    collector.terminate(Duration::from_secs(30));
    backend.terminate(Duration::from_secs(30));
    let arrived = arrived(folder);
    let missing: Vec<_> = expected.iter().filter(|row| !arrived.contains(row)).collect();
    let surplus: Vec<_> = arrived.iter().filter(|row| !expected.contains(row)).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "missing: {missing:#?}\nsurplus: {surplus:#?}");
    assert_eq!(arrived.len(), expected.len(), "some arrived twice");
}

/// What has to arrive of what was sent.
fn expected(sent: &[Row]) -> Vec<Row> {
    let failed: BTreeSet<&str> = sent
        .iter()
        .filter(|row| row.signal == "traces" && row.value == "error")
        .map(|row| row.trace.as_str())
        .collect();
    let kept = sent.iter().filter(|row| row.signal != "traces" || failed.contains(row.trace.as_str()));
    let mut kept: Vec<Row> = kept.cloned().collect();
    for row in &mut kept {
        assert!(row.attributes.remove(SECRET).is_some(), "the client sent {row:?}");
    }
    kept.sort();
    kept
}

/// Has the SDK tell everything; gives also what it printed.
fn tell(protocol: &str, port: u16, folder: &Path) -> (Told, String) {
    let sent = folder.join("sent.json");
    let mut command = Command::new(peer("python/bin/python"));
    command.arg(script("signals.py")).args(["--protocol", protocol, "--traces", TRACES]).arg("--sent").arg(&sent);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{port}"));
    command.env("OTEL_EXPORTER_OTLP_TIMEOUT", "10").env("OTEL_SERVICE_NAME", "mill");
    let mut client = Program::start("client", &mut command, folder);
    client.wait_for_success(CLIENT_LIMIT);
    let told: Value = serde_json::from_str(&fs::read_to_string(&sent).expect("a record")).expect("JSON");
    let rows = told["rows"].as_array().into_iter().flatten().map(|row| Row {
        signal: text(&row["signal"]),
        trace: text(&row["trace"]),
        id: text(&row["id"]),
        name: text(&row["name"]),
        value: text(&row["value"]),
        attributes: texts(&row["attributes"]),
        resource: texts(&row["resource"]),
    });
    let taken = told["taken"].as_object().into_iter().flatten();
    let taken = taken.map(|(signal, taken)| (signal.clone(), taken == &Value::Bool(true))).collect();
    (Told { rows: rows.collect(), taken }, client.log_end())
}

fn start(name: &'static str, program: &Path, config: &str, folder: &Path) -> Program {
    let file = folder.join(format!("{name}.yaml"));
    fs::write(&file, config).expect("the configuration can be written");
    Program::start(name, Command::new(program).arg("--config").arg(&file), folder)
}

fn configuration(protocol: &str, port: u16, next: u16) -> String {
    let (exporter, settings) = match protocol {
        "grpc" => ("otlp_grpc", format!("{{endpoint: \"127.0.0.1:{next}\", tls: {{insecure: true}}}}")),
        _ => ("otlp_http", format!("{{endpoint: \"http://127.0.0.1:{next}\"}}")),
    };
    format!(
        "receivers: {{otlp: {{protocols: {{{protocol}: {{endpoint: \"127.0.0.1:{port}\"}}}}}}}}
processors:
  attributes: {{actions: [{{key: {SECRET}, action: delete}}]}}
  tail_sampling:
    decision_wait: 2s
    policies: [{{name: errors, type: status_code, status_code: {{status_codes: [ERROR]}}}}]
  batch: {{timeout: 500ms}}
exporters: {{{exporter}: {settings}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], processors: [attributes, tail_sampling, batch], exporters: [{exporter}]}}
    metrics: {{receivers: [otlp], processors: [attributes, batch], exporters: [{exporter}]}}
    logs: {{receivers: [otlp], processors: [attributes, batch], exporters: [{exporter}]}}
"
    )
}

fn backend_configuration(protocol: &str, port: u16, folder: &Path) -> String {
    let mut config = format!(
        "receivers: {{otlp: {{protocols: {{{protocol}: {{endpoint: \"127.0.0.1:{port}\"}}}}}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
"
    );
    for signal in SIGNALS {
        config += &format!("    {signal}: {{receivers: [otlp], exporters: [file/{signal}]}}\n");
    }
    config += "exporters:\n";
    for signal in SIGNALS {
        let file = folder.join(format!("{signal}.jsonl"));
        config += &format!("  file/{signal}: {{path: {}, flush_interval: 100ms}}\n", file.display());
    }
    config
}

/// What the backend has written, in order.
fn arrived(folder: &Path) -> Vec<Row> {
    let mut rows = Vec::new();
    for (signal, resources, scopes, items) in [
        ("traces", "resourceSpans", "scopeSpans", "spans"),
        ("metrics", "resourceMetrics", "scopeMetrics", "metrics"),
        ("logs", "resourceLogs", "scopeLogs", "logRecords"),
    ] {
        let text = fs::read_to_string(folder.join(format!("{signal}.jsonl"))).unwrap_or_default();
        // A line that is being written is not JSON yet.
        let requests: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        for resource in requests.iter().flat_map(|request| list(&request[resources])) {
            let scopes = list(&resource[scopes]);
            for item in scopes.flat_map(|scope| list(&scope[items])) {
                let mut row = shown(signal, item);
                row.resource = flat(&resource["resource"]["attributes"]);
                rows.push(row);
            }
        }
    }
    rows.sort();
    rows
}

fn shown(signal: &str, item: &Value) -> Row {
    let (id, name, value, attributes) = match signal {
        "traces" => {
            let status = if item["status"]["code"] == 2 { "error" } else { "" };
            (text(&item["spanId"]), text(&item["name"]), status.to_owned(), &item["attributes"])
        }
        "logs" => {
            let body = any(&item["body"]);
            (text(&item["spanId"]), body, text(&item["severityText"]), &item["attributes"])
        }
        _ => {
            let kind = ["sum", "gauge", "histogram"].into_iter().find(|kind| item.get(kind).is_some());
            let kind = kind.unwrap_or_default();
            let point = &item[kind]["dataPoints"][0];
            let value = match kind {
                "histogram" => format!("{} {:?}", text(&point["count"]), point["sum"].as_f64().unwrap_or(f64::NAN)),
                _ => any(point),
            };
            (kind.to_owned(), text(&item["name"]), value, &point["attributes"])
        }
    };
    let trace = text(&item["traceId"]);
    Row { signal: signal.to_owned(), trace, id, name, value, attributes: flat(attributes), resource: BTreeMap::new() }
}

/// Attributes as the client writes them down.
fn flat(list: &Value) -> BTreeMap<String, String> {
    self::list(list).map(|pair| (text(&pair["key"]), any(&pair["value"]))).collect()
}

fn any(value: &Value) -> String {
    let one =
        value.as_object().into_iter().flatten().find(|(kind, _)| kind.ends_with("Value") || kind.starts_with("as"));
    match one {
        Some((kind, list)) if kind == "arrayValue" => {
            self::list(&list["values"]).map(any).collect::<Vec<_>>().join(",")
        }
        Some((_, Value::String(text))) => text.clone(),
        Some((_, other)) => other.to_string(),
        None => String::new(),
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(map: &Value) -> BTreeMap<String, String> {
    map.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), text(value))).collect()
}
