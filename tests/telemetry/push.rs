//! Metrics and log records pushed as OTLP, taken by another Tailrace that writes them into files.

use super::{collector::Collector, config, eventually, send_all};
use serde_json::Value;
use std::{path::Path, time::Duration};

/// Takes metrics and logs into files of this folder.
fn backend(folder: &Path) -> Collector {
    let at = |name: &str| folder.join(name).display().to_string();
    Collector::start(&format!(
        "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: \"127.0.0.1:0\"}}, http: {{endpoint: \"127.0.0.1:0\"}}}}}}}}
exporters:
  file/metrics: {{path: {:?}}}
  file/logs: {{path: {:?}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    metrics: {{receivers: [otlp], exporters: [file/metrics]}}
    logs: {{receivers: [otlp], exporters: [file/logs]}}
",
        at("metrics"),
        at("logs")
    ))
}

/// The lines of a file, as JSON.
fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().map(Vec::as_slice).unwrap_or_default().iter()
}

/// What a resource says under a key.
fn attribute<'a>(resource: &'a Value, key: &str) -> Option<&'a str> {
    list(&resource["resource"]["attributes"]).find(|one| one["key"] == key)?["value"]["stringValue"].as_str()
}

/// The sums of a metric in the order of the reports of a team: temporality and value.
fn sums(path: &Path, team: &str, name: &str) -> Vec<(u64, u64)> {
    let reports = lines(path);
    let resources = reports.iter().flat_map(|report| list(&report["resourceMetrics"]));
    let resources = resources.filter(|resource| attribute(resource, "team") == Some(team));
    let metrics =
        resources.flat_map(|resource| list(&resource["scopeMetrics"])).flat_map(|scope| list(&scope["metrics"]));
    let found = metrics.filter(|metric| metric["name"] == name).map(|metric| {
        let value = metric["sum"]["dataPoints"][0]["asInt"].as_str().and_then(|text| text.parse().ok());
        (metric["sum"]["aggregationTemporality"].as_u64().unwrap_or_default(), value.unwrap_or_default())
    });
    found.collect()
}

#[test]
fn metrics_and_log_records_arrive() {
    let folder = tempfile::tempdir().expect("a folder");
    let backend = backend(folder.path());
    let (grpc, http) = (backend.address("grpc"), backend.address("http"));
    let (metrics, logs) = (folder.path().join("metrics"), folder.path().join("logs"));
    for (team, exporter, temporality) in [
        ("a", format!("{{protocol: grpc, endpoint: \"http://{grpc}\", compression: gzip}}"), 2),
        (
            "b",
            format!(
                "{{protocol: http/protobuf, endpoint: \"http://{http}/v1/metrics\", temporality_preference: delta}}"
            ),
            1,
        ),
    ] {
        let telemetry = format!(
            "resource: {{team: {team}}}, \
             metrics: {{readers: [{{periodic: {{interval: 200, exporter: {{otlp: {exporter}}}}}}}]}}, \
             logs: {{processors: [{{batch: {{schedule_delay: 100, exporter: {{otlp: {{protocol: http/protobuf, \
             endpoint: \"http://{http}\"}}}}}}}}]}}"
        );
        let collector = Collector::start(&config("{}", &telemetry, ""));
        send_all(&collector);
        let name = "otelcol_receiver_accepted_metric_points";
        let told = || sums(&metrics, team, name);
        eventually("reported", Duration::from_secs(15), || told().iter().any(|(_, value)| *value == 3));
        eventually("reported again", Duration::from_secs(15), || told().len() >= 3);
        assert!(told().iter().all(|(told, _)| *told == temporality), "{:?}", told());
        send_all(&collector);
        let (status, log) = collector.stop();
        assert!(status.success(), "{log}");
        // The last report is sent at the end.
        let total = || match temporality {
            1 => told().iter().map(|(_, value)| value).sum::<u64>(),
            _ => told().last().map_or(0, |(_, value)| *value),
        };
        eventually("the last report", Duration::from_secs(10), || total() == 6);

        let heard = |message: &str| {
            let requests = lines(&logs);
            let resources = requests.iter().flat_map(|request| list(&request["resourceLogs"]));
            let resources = resources.filter(|resource| attribute(resource, "team") == Some(team));
            let mut records =
                resources.flat_map(|one| list(&one["scopeLogs"])).flat_map(|scope| list(&scope["logRecords"]));
            records.any(|record| record["body"]["stringValue"] == message && record["severityText"] == "info")
        };
        eventually("heard", Duration::from_secs(10), || heard("everything is ready") && heard("stopping"));
    }
}

#[test]
fn a_peer_that_is_gone_is_told_of_and_holds_up_nothing() {
    let telemetry = "metrics: {readers: [{periodic: {interval: 100, exporter: {otlp: {protocol: grpc, \
        endpoint: \"http://127.0.0.1:1\"}}}}]}";
    let mut collector = Collector::start(&config("{}", telemetry, ""));
    collector.wait_until("told", |log| log.contains("cannot push Tailrace's own telemetry"));
    let (status, log) = collector.stop();
    assert!(status.success(), "{log}");
}
