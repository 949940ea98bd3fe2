//! Stories told through the built binary with real sockets: load in at one end, a counting sink at the other.
//!
//! What should arrive is computed from what was sent. Every story that sends also looks at the books.

#[path = "stories/clients.rs"]
mod clients;
#[path = "stories/collector.rs"]
mod collector;
#[path = "stories/reload.rs"]
mod reload;

use collector::{Collector, get, sum_of};
use load::{Behavior, Expected, Generate, Keep, Record, Report, Sink, SinkOptions, Target};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

const POLICIES: &str = "
      - {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}
      - {name: slow, type: latency, latency: {threshold_ms: 1000}}
      - {name: few, type: probabilistic, probabilistic: {sampling_percentage: 10}}";
const ALWAYS: &str = "\n      - {name: all, type: always_sample}";

/// A configuration with one pipeline into `exporters`, written as YAML maps.
fn config(policies: &str, exporters: &[(&str, String)], extra: &str) -> String {
    let named: Vec<&str> = exporters.iter().map(|(name, _)| *name).collect();
    let written: String = exporters.iter().map(|(name, settings)| format!("\n  {name}: {settings}")).collect();
    format!(
        "receivers:
  otlp: {{protocols: {{grpc: {{endpoint: \"127.0.0.1:0\", max_recv_msg_size_mib: 64}}, http: {{endpoint: \"127.0.0.1:0\"}}}}}}
processors:
  tail_sampling:
    decision_wait: 2s
    policies:{policies}
exporters:{written}
service:
  telemetry: {{metrics: {{readers: [{{pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: 0}}}}}}}}]}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: [tail_sampling], exporters: [{}]}}}}
{extra}",
        named.join(", ")
    )
}

fn grpc_exporter(sink: &Sink) -> String {
    format!("{{endpoint: \"{}\", compression: none, tls: {{insecure: true}}}}", sink.address())
}

fn some_policies() -> Keep {
    Keep::AnyOf { errors: true, slow: true, percentage: 10.0 }
}

fn traffic(target: Target, keep: Keep) -> Generate {
    Generate {
        target,
        connections: 2,
        in_flight: 2,
        spans_per_request: 100,
        error_share: 0.05,
        slow_share: 0.05,
        rate: 10_000,
        duration: Duration::from_secs(2),
        flush_spread: Duration::from_millis(800),
        keep,
        ..Generate::default()
    }
}

async fn send(options: Generate) -> Report {
    load::generate(options, std::future::pending()).await.expect("the load can be sent")
}

async fn sink() -> Sink {
    Sink::start(SinkOptions::default()).await.expect("the sink can be started")
}

/// Waits until as many spans have arrived as should, then demands that they are the right ones.
async fn assert_arrives(sink: &Sink, expected: &Expected, limit: Duration) {
    let deadline = Instant::now() + limit;
    while sink.counts().spans.spans < expected.spans.spans && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(sink.counts().spans, expected.spans, "the kept spans that arrived");
    assert!(expected.spans.spans > 0, "something is kept");
}

fn assert_books(collector: &Collector) -> String {
    let exposition = get(collector.address("metrics"), "/metrics");
    for residue in ["tailrace_pipeline_residue_items", "tailrace_destination_residue_items"] {
        assert!(exposition.contains(residue), "{residue} is missing:\n{exposition}");
        for line in exposition.lines().filter(|line| line.starts_with(residue)) {
            assert!(line.ends_with(" 0"), "{line}");
        }
    }
    exposition
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_and_http_in_the_right_traces_out() {
    for over_http in [false, true] {
        let sink = sink().await;
        let collector = Collector::start(&config(POLICIES, &[("otlp_grpc", grpc_exporter(&sink))], ""));
        let target = if over_http {
            Target::Http(collector.address("http").to_string())
        } else {
            Target::Grpc(collector.address("grpc").to_string())
        };
        let report = send(traffic(target, some_policies())).await;
        assert_arrives(&sink, &report.expected, Duration::from_secs(10)).await;
        let exposition = assert_books(&collector);
        let accepted = sum_of(&exposition, "otelcol_receiver_accepted_spans", &["receiver=\"otlp\""]);
        assert_eq!(accepted as u64, report.spans);
        let (status, log) = collector.stop();
        assert!(status.success(), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gzip_in_and_otlp_http_out() {
    let sink = sink().await;
    let exporter = format!("{{endpoint: \"http://{}\"}}", sink.http_address());
    let collector = Collector::start(&config(POLICIES, &[("otlp_http", exporter)], ""));
    let options =
        Generate { gzip: true, ..traffic(Target::Grpc(collector.address("grpc").to_string()), some_policies()) };
    let report = send(options).await;
    assert_arrives(&sink, &report.expected, Duration::from_secs(10)).await;
    assert_books(&collector);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_destination_does_not_hold_up_the_other() {
    let sink = sink().await;
    let dead = "{endpoint: \"127.0.0.1:1\", tls: {insecure: true}}".to_owned();
    let exporters = [("otlp_grpc/alive", grpc_exporter(&sink)), ("otlp_grpc/dead", dead)];
    let collector = Collector::start(&config(POLICIES, &exporters, "tailrace: {shutdown_grace: 1s}"));
    let report = send(traffic(Target::Grpc(collector.address("grpc").to_string()), some_policies())).await;
    assert_arrives(&sink, &report.expected, Duration::from_secs(10)).await;
    let exposition = assert_books(&collector);
    let waiting = sum_of(&exposition, "tailrace_destination_waiting_items", &["otlp_grpc/dead"]);
    assert_eq!(waiting as u64, report.expected.spans.spans, "the dead one's spans wait");
    let (status, log) = collector.stop();
    assert!(status.success(), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_decides_what_is_held_and_delivers_it() {
    let sink = sink().await;
    let settings = config(POLICIES, &[("otlp_grpc", grpc_exporter(&sink))], "").replace("2s", "1h");
    let collector = Collector::start(&settings);
    let report = send(traffic(Target::Grpc(collector.address("grpc").to_string()), some_policies())).await;
    assert_eq!(sink.counts().spans.spans, 0, "nothing is due for an hour");
    let (status, log) = collector.stop();
    assert!(status.success(), "{log}");
    assert_arrives(&sink, &report.expected, Duration::ZERO).await;
    let totals = log.lines().last().unwrap_or_default();
    assert!(totals.contains(&format!("accepted={}", report.spans)), "{log}");
    assert!(totals.contains(&format!("kept={}", report.expected.spans.spans)), "{log}");
}

/// SIGTERM in the middle of it: whatever a client was told is taken arrives.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_under_load_delivers_what_was_accepted() {
    let sink = sink().await;
    let collector = Collector::start(&config(ALWAYS, &[("otlp_grpc", grpc_exporter(&sink))], ""));
    let options = Generate {
        duration: Duration::from_secs(5),
        retry_max: Duration::ZERO,
        ..traffic(Target::Grpc(collector.address("grpc").to_string()), Keep::Everything)
    };
    let sending = tokio::spawn(send(options));
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (status, log) = tokio::task::spawn_blocking(|| collector.stop()).await.expect("the stop");
    assert!(status.success(), "{log}");
    let report = sending.await.expect("the load");
    assert!(report.spans > 0 && report.lost_spans > 0, "it was stopped under load: {report:?}");
    assert!(log.contains(&format!("accepted={}", report.spans)), "{} spans were accepted\n{log}", report.spans);
    assert_eq!(sink.counts().spans.spans, report.spans, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn under_overload_clients_are_refused_and_nothing_accepted_is_lost() {
    let sink = sink().await;
    sink.behave(Behavior::Stall);
    let exporter = grpc_exporter(&sink).replace("compression", "timeout: 60s, compression");
    let collector = Collector::start(&config(ALWAYS, &[("otlp_grpc", exporter)], "tailrace: {memory_mib: 64}"));
    let options = Generate {
        rate: 0,
        duration: Duration::from_secs(6),
        connections: 4,
        retry_max: Duration::from_secs(30),
        ..traffic(Target::Grpc(collector.address("grpc").to_string()), Keep::Everything)
    };
    let sending = tokio::spawn(send(options));
    tokio::time::sleep(Duration::from_secs(4)).await;
    let refused = collector.metric("tailrace_receiver_refused_requests", &[]);
    assert!(refused > 0.0, "the memory is full, so clients are told to come back:\n{}", collector.log());
    sink.behave(Behavior::Accept);
    let report = sending.await.expect("the load");
    assert!(report.refused > 0);
    assert_arrives(&sink, &report.expected, Duration::from_secs(30)).await;
    assert_books(&collector);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_books_add_up_at_every_moment() {
    let sink = sink().await;
    let collector = Collector::start(&config(POLICIES, &[("otlp_grpc", grpc_exporter(&sink))], ""));
    let sending = tokio::spawn(send(Generate {
        rate: 50_000,
        duration: Duration::from_secs(4),
        ..traffic(Target::Grpc(collector.address("grpc").to_string()), some_policies())
    }));
    while !sending.is_finished() {
        assert_books(&collector);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let report = sending.await.expect("the load");
    assert_arrives(&sink, &report.expected, Duration::from_secs(10)).await;
    assert_books(&collector);
}

/// A handful of the recorded cases, through sockets and the wall clock: OTLP/JSON in, OTLP/gRPC out.
#[tokio::test(flavor = "multi_thread")]
async fn recorded_verdicts_hold_end_to_end() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a recorded file");
    for name in ["mix_typical", "and", "latency_band", "probabilistic_salt", "string_regex", "numeric_inverted"] {
        let case: serde_json::Value = serde_json::from_str(&read(&format!("cases/{name}.json"))).expect("JSON");
        let sink = Sink::start(SinkOptions { record: Record::Traces, ..SinkOptions::default() }).await.expect("a sink");
        let policies = format!(" {}", case["tail_sampling"]["policies"]);
        let collector = Collector::start(&config(&policies, &[("otlp_grpc", grpc_exporter(&sink))], ""));
        let address = collector.address("http");
        let sent = read("traces.jsonl");
        for line in sent.lines() {
            assert!(collector::post_json(address, "/v1/traces", line).starts_with("HTTP/1.1 200"), "{name}");
        }
        let kept = case["kept"].as_object().expect("trace ID → spans");
        let spans: u64 = kept.values().filter_map(serde_json::Value::as_u64).sum();
        let deadline = Instant::now() + Duration::from_secs(10);
        while sink.counts().spans.spans < spans && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let (status, log) = collector.stop();
        assert!(status.success(), "{log}");
        let arrived: BTreeMap<String, u64> =
            sink.traces().iter().map(|(id, count)| (otlp::TraceId(*id).to_string(), u64::from(*count))).collect();
        let expected = kept.iter().map(|(id, spans)| (id.clone(), spans.as_u64().expect("a count"))).collect();
        assert_eq!(arrived, expected, "{name}");
    }
}

/// The waterfalls and the last line of the README's tour are what `demo` prints.
#[test]
fn the_tour_of_the_readme_is_what_demo_prints() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = std::fs::read_to_string(root.join("README.md")).expect("the README");
    let (_, tour) = readme.split_once("<!-- tour:begin -->").expect("the tour's beginning");
    let (tour, _) = tour.split_once("<!-- tour:end -->").expect("the tour's end");
    let (_, shown) = tour.split_once("demo --seed 1 --duration 5s\n").expect("the command");
    let (shown, _) = shown.split_once("```").expect("the end of the block");

    let output = std::process::Command::new(env!("CARGO_BIN_EXE_tailrace"))
        .args(["demo", "--seed", "1", "--duration", "5s"])
        .output()
        .expect("the demo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).expect("text");
    let paragraphs = shown.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
    let mut compared = 0;
    for paragraph in paragraphs.filter(|paragraph| *paragraph != "…") {
        assert!(printed.contains(paragraph), "the README shows\n{paragraph}\nbut the demo printed\n{printed}");
        compared += 1;
    }
    assert!(compared >= 3, "the tour shows something");
}
