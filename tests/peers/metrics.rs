//! The scrape endpoint beside the reference collector's: with the same file and the same traffic, every metric and series that
//! it shows is here, too, with the same labels, type and text.

use super::{
    process::{Program, free_port, peer},
    tailrace, turn,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::Command,
    time::Duration,
};

/// What the reference shows besides, by the beginning of its names.
const NOT_HERE: [&str; 5] = [
    // The Go runtime, its HTTP and gRPC libraries.
    "otelcol_process_runtime_",
    "http_",
    "rpc_",
    "promhttp_",
    // Not measured.
    "otelcol_processor_internal_duration",
];
const NOT_HERE_EITHER: [&str; 1] = ["otelcol_exporter_enqueue_size"];

/// Metrics that say something else in part, and say so in their text.
const OTHER_TEXT: [&str; 10] = [
    // A slip of the reference's.
    "otelcol_exporter_sent_log_records",
    "otelcol_processor_memory_limiter_refused_",
    "otelcol_exporter_send_failed_",
    "otelcol_exporter_queue_size",
    "otelcol_exporter_queue_capacity",
    "otelcol_processor_tail_sampling_sampling_policy_execution_time_sum",
    "otelcol_processor_tail_sampling_sampling_trace_dropped_too_early",
    "otelcol_processor_tail_sampling_sampling_decision_timer_latency",
    "otelcol_processor_tail_sampling_sampling_traces_on_memory",
    "otelcol_processor_tail_sampling_early_releases_from_cache_decision",
];

/// Metrics whose values depend on nothing but the traffic.
const SAME_VALUES: [&str; 5] = [
    "otelcol_receiver_",
    "otelcol_processor_filter_",
    "otelcol_processor_memory_limiter_",
    "otelcol_processor_batch_metadata_cardinality",
    "otelcol_exporter_queue_capacity",
];

/// Labels that may differ: errors have other names in another language.
const OTHER_LABELS: [&str; 2] = ["error_type", "error_permanent"];

/// An exposition: for each metric its text, its type, and its series by their labels.
type Exposition = BTreeMap<String, Metric>;

#[derive(Debug, Default)]
struct Metric {
    text: String,
    kind: String,
    series: BTreeMap<BTreeSet<(String, String)>, f64>,
}

#[test]
fn metrics_are_the_reference_collectors() {
    let _turn = turn();
    for level in ["basic", "normal", "detailed"] {
        let (theirs, ours) = (scraped(&peer("bin/otelcol-peer"), level), scraped(&tailrace(), level));
        compare(level, &theirs, &ours);
    }
}

fn compare(level: &str, theirs: &Exposition, ours: &Exposition) {
    let mut faults = Vec::new();
    let begins = |name: &str, list: &[&str]| list.iter().any(|begin| name.starts_with(begin));
    for (name, metric) in theirs {
        if begins(name, &NOT_HERE) || begins(name, &NOT_HERE_EITHER) || name == "target_info" {
            continue;
        }
        let Some(mine) = ours.get(name) else {
            faults.push(format!("`{name}` is missing"));
            continue;
        };
        if mine.kind != metric.kind {
            faults.push(format!("`{name}` is a {}, not a {}", mine.kind, metric.kind));
        }
        let text = metric.text.split(" [").next().unwrap_or_default();
        if mine.text != text && !begins(name, &OTHER_TEXT) {
            faults.push(format!("`{name}` says\n    {}\n  not\n    {text}", mine.text));
        }
        for (labels, value) in &metric.series {
            let labels: BTreeSet<_> =
                labels.iter().filter(|(label, _)| !OTHER_LABELS.contains(&label.as_str())).cloned().collect();
            // Ours may bear more, such as the processor.
            match mine.series.iter().find(|(mine, _)| mine.is_superset(&labels)) {
                None => faults.push(format!("`{name}` has no series {labels:?}, only {:?}", mine.series.keys())),
                Some((_, mine)) if begins(name, &SAME_VALUES) && mine != value => {
                    faults.push(format!("`{name}` {labels:?} is {mine}, not {value}"));
                }
                Some(_) => {}
            }
        }
    }
    for name in ours.keys().filter(|name| name.starts_with("otelcol_")) {
        // What the reference shows with the first failure only is here from the start.
        let from_start =
            ["_enqueue_failed_", "_send_failed_", "_refused_", "_size_trigger_send", "_removal_age", "_log_records"];
        if !theirs.contains_key(name) && !from_start.iter().any(|part| name.contains(part)) {
            faults.push(format!("`{name}` is not the reference's at this level"));
        }
    }
    assert!(faults.is_empty(), "at the level {level}:\n  {}", faults.join("\n  "));
}

/// What a program shows after the traffic.
fn scraped(program: &Path, level: &str) -> Exposition {
    let folder = tempfile::tempdir().expect("a folder");
    let (grpc, http, metrics) = (free_port(), free_port(), free_port());
    let config = format!(
        "receivers:
  otlp: {{protocols: {{grpc: {{endpoint: \"127.0.0.1:{grpc}\"}}, http: {{endpoint: \"127.0.0.1:{http}\"}}}}}}
processors:
  memory_limiter: {{check_interval: 1s, limit_mib: 500}}
  attributes: {{actions: [{{key: a, value: b, action: insert}}]}}
  filter:
    error_mode: ignore
    traces: {{span: ['kind == SPAN_KIND_CLIENT']}}
    metrics: {{metric: ['name == \"other\"']}}
    logs: {{log_record: ['severity_number > 100']}}
  probabilistic_sampler: {{sampling_percentage: 50}}
  tail_sampling: {{decision_wait: 1s, policies: [{{name: all, type: always_sample}}]}}
  batch: {{timeout: 200ms}}
exporters:
  otlp_grpc/gone: {{endpoint: \"127.0.0.1:1\", tls: {{insecure: true}}, retry_on_failure: {{enabled: false}}}}
  otlp_http/gone: {{endpoint: \"http://127.0.0.1:1/otlp\", retry_on_failure: {{enabled: false}}}}
  debug: {{}}
service:
  telemetry:
    metrics: {{level: {level}, readers: [{{pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: {metrics}}}}}}}}}]}}
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter, attributes, filter, probabilistic_sampler, tail_sampling, batch]
      exporters: [otlp_grpc/gone, otlp_http/gone, debug]
    metrics: {{receivers: [otlp], processors: [memory_limiter, filter, batch], exporters: [otlp_grpc/gone, otlp_http/gone, debug]}}
    logs: {{receivers: [otlp], processors: [memory_limiter, filter, batch], exporters: [otlp_grpc/gone, otlp_http/gone, debug]}}
"
    );
    let file = folder.path().join("config.yaml");
    fs::write(&file, config).expect("the configuration can be written");
    let mut collector = Program::start("collector", Command::new(program).arg("--config").arg(&file), folder.path());
    collector.wait_for_port(grpc);
    collector.wait_for_port(metrics);
    for (signal, count, over_http) in [
        ("traces", "--traces", false),
        ("metrics", "--metrics", false),
        ("logs", "--logs", false),
        ("traces", "--traces", true),
    ] {
        let mut command = Command::new(peer("bin/telemetrygen"));
        let port = if over_http { http } else { grpc };
        command.args([
            signal,
            "--otlp-insecure",
            "--rate",
            "0",
            count,
            "20",
            "--otlp-endpoint",
            &format!("127.0.0.1:{port}"),
        ]);
        if over_http {
            command.arg("--otlp-http");
        }
        Program::start("telemetrygen", &mut command, folder.path()).wait_for_success(Duration::from_secs(30));
    }
    let mut exposition = Exposition::new();
    // Once batches have been given up by the exporters, everything has been counted that will be.
    let complete = |exposition: &Exposition| {
        let sent = |name: &str| exposition.get(name).map_or(0.0, |metric| metric.series.values().sum());
        let signals = ["spans", "metric_points", "log_records"];
        signals.iter().all(|signal| sent(&format!("otelcol_exporter_sent_{signal}")) > 0.0)
            && signals.iter().all(|signal| sent(&format!("otelcol_exporter_send_failed_{signal}")) > 0.0)
    };
    collector.wait_until("complete", Duration::from_secs(20), || {
        exposition = parsed(&scrape(metrics));
        complete(&exposition)
    });
    collector.terminate(Duration::from_secs(30));
    exposition
}

pub(crate) fn scrape(port: u16) -> String {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).expect("the endpoint answers");
    write!(socket, "GET /metrics HTTP/1.0\r\nHost: test\r\n\r\n").expect("sent");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("an answer");
    answer.split_once("\r\n\r\n").expect("a head").1.to_owned()
}

fn parsed(text: &str) -> Exposition {
    let mut exposition = Exposition::new();
    for line in text.lines() {
        if let Some((name, text)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            exposition.entry(name.to_owned()).or_default().text = text.to_owned();
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            exposition.entry(name.to_owned()).or_default().kind = kind.to_owned();
        } else if let Some((series, value)) = line.rsplit_once(' ') {
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            let known = |name: &&str| exposition.contains_key(*name);
            let name = ["", "_bucket", "_sum", "_count"].iter().filter_map(|end| name.strip_suffix(end)).find(known);
            let labels = labels.trim_end_matches('}').split("\",").filter_map(|label| label.split_once("=\""));
            let labels = labels.map(|(name, value)| (name.to_owned(), value.trim_end_matches('"').to_owned()));
            let labels = labels.filter(|(name, _)| name != "le").collect();
            let name = name.unwrap_or_else(|| panic!("`{line}` has no head")).to_owned();
            let value = value.parse().expect("a number");
            exposition.entry(name).or_default().series.insert(labels, value);
        }
    }
    exposition
}
