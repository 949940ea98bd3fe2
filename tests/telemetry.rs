//! What the running program says about itself: answers to probes, metrics of all signals, what is pushed, and the log.
//!
//! Faults come from `tailrace: {fail_point: …}`, which only builds with debug assertions have.

#[path = "stories/collector.rs"]
mod collector;
#[path = "telemetry/health.rs"]
mod health;
#[path = "telemetry/metrics.rs"]
mod metrics;
#[path = "telemetry/push.rs"]
mod push;

use collector::Collector;
use std::time::{Duration, Instant};

/// A configuration with a pipeline for each signal; `extra` stands at the top level, `telemetry` in `service`.
fn config(exporters: &str, telemetry: &str, extra: &str) -> String {
    format!(
        "receivers:
  otlp: {{protocols: {{grpc: {{endpoint: \"127.0.0.1:0\"}}, http: {{endpoint: \"127.0.0.1:0\"}}}}}}
processors:
  tail_sampling: {{decision_wait: 1s, policies: [{{name: all, type: always_sample}}]}}
  filter: {{error_mode: ignore, logs: {{log_record: ['body == \"noise\"']}}}}
  batch: {{timeout: 50ms}}
exporters:
  out: {exporters}
extensions:
  health_check: {{endpoint: \"127.0.0.1:0\"}}
service:
  extensions: [health_check]
  telemetry: {{{telemetry}}}
  pipelines:
    traces: {{receivers: [otlp], processors: [tail_sampling], exporters: [out]}}
    metrics: {{receivers: [otlp], processors: [batch], exporters: [out]}}
    logs: {{receivers: [otlp], processors: [filter, batch], exporters: [out]}}
{extra}"
    )
    .replace("  out:", "  nop/out:")
    .replace("[out]", "[nop/out]")
}

/// Scraped at a free port.
const SCRAPED: &str = "metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: 0}}}}]}";

const TRACE: &str = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[
    {"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","name":"a"},
    {"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060709","name":"b"}]}]}]}"#;
const METRIC: &str = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[
    {"name":"m","gauge":{"dataPoints":[{"asInt":"1"},{"asInt":"2"},{"asInt":"3"}]}}]}]}]}"#;
const LOG: &str = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[
    {"body":{"stringValue":"noise"}},{"body":{"stringValue":"news"}}]}]}]}"#;

/// Sends a request of each signal.
fn send_all(collector: &Collector) {
    let address = collector.address("http");
    for (path, body) in [("/v1/traces", TRACE), ("/v1/metrics", METRIC), ("/v1/logs", LOG)] {
        let answer = collector::post_json(address, path, body);
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
}

/// Waits until this holds.
fn eventually(what: &str, limit: Duration, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !holds() {
        assert!(Instant::now() < deadline, "not {what} within {limit:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
