//! Tailrace as the client of a door that is guarded: the reference collector demands a certificate and a token, over gRPC and
//! over HTTP. With the right ones every span arrives; with a wrong one none does, which is counted and said.

use crate::{
    metrics::scrape,
    process::{Program, free_port, peer},
    secure::certificate,
    tailrace, turn,
};
use std::{fs, path::Path, process::Command, time::Duration};

const TRACES: &str = "20";
/// A trace of telemetrygen has two spans unless it is told otherwise.
const SPANS: f64 = 40.0;
const LIMIT: Duration = Duration::from_secs(30);

/// What an exporter shows, and whether it should come in.
const SHOWN: [(&str, &str, bool); 4] = [
    ("client", "sesame", true),
    ("client", "sesam", false),
    ("stranger", "sesame", false),
    ("expired", "sesame", false),
];

#[test]
fn only_with_the_right_certificate_and_token_do_spans_go_on() {
    let _turn = turn();
    for protocol in ["grpc", "http"] {
        for (shown, token, comes_in) in SHOWN {
            let folder = tempfile::tempdir().expect("a folder");
            tell(protocol, shown, token, comes_in, folder.path());
        }
    }
}

fn tell(protocol: &str, shown: &str, token: &str, comes_in: bool, folder: &Path) {
    let (port, next, metrics) = (free_port(), free_port(), free_port());
    let mut backend = start("backend", &peer("bin/otelcol-peer"), &guarded(protocol, next, folder), folder);
    backend.wait_for_port(next);
    let mut collector = start("collector", &tailrace(), &outward(protocol, next, shown, token, port, metrics), folder);
    collector.wait_for_port(port);
    collector.wait_for_port(metrics);
    let mut client = Command::new(peer("bin/telemetrygen"));
    client.args(["traces", "--otlp-insecure", "--rate", "0", "--traces", TRACES]);
    client.args(["--otlp-endpoint", &format!("127.0.0.1:{port}")]);
    Program::start("client", &mut client, folder).wait_for_success(LIMIT);

    let (sent, failed) = ("otelcol_exporter_sent_spans", "otelcol_exporter_send_failed_spans");
    let awaited = if comes_in { sent } else { failed };
    collector.wait_until("through with all", LIMIT, || counted(metrics, awaited) >= SPANS);
    let (sent, failed) = (counted(metrics, sent), counted(metrics, failed));
    let expected = if comes_in { (SPANS, 0.0) } else { (0.0, SPANS) };
    assert_eq!((sent, failed), expected, "{protocol}, {shown}, {token}: {}", collector.log_end());
    collector.terminate(LIMIT);
    backend.terminate(LIMIT);
    let arrived = fs::read_to_string(folder.join("spans.jsonl")).unwrap_or_default().matches("\"spanId\"").count();
    assert_eq!(arrived as f64, expected.0, "{protocol}, {shown}, {token}");
    let log = collector.log_end();
    assert!(!log.contains("sesam"), "a secret stands in the log:\n{log}");
    assert!(comes_in || log.contains("guarded"), "the log does not say which exporter is turned away:\n{log}");
}

fn start(name: &'static str, program: &Path, config: &str, folder: &Path) -> Program {
    let file = folder.join(format!("{name}.yaml"));
    fs::write(&file, config).expect("the configuration can be written");
    Program::start(name, Command::new(program).arg("--config").arg(&file), folder)
}

fn guarded(protocol: &str, port: u16, folder: &Path) -> String {
    format!(
        "extensions: {{bearertokenauth: {{token: sesame}}}}
receivers:
  otlp:
    protocols:
      {protocol}:
        endpoint: \"localhost:{port}\"
        tls: {{cert_file: {}, key_file: {}, client_ca_file: {}}}
        auth: {{authenticator: bearertokenauth}}
exporters: {{file: {{path: {}}}}}
service:
  extensions: [bearertokenauth]
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [file]}}}}
",
        certificate("server").display(),
        certificate("server.key").display(),
        certificate("authority").display(),
        folder.join("spans.jsonl").display(),
    )
}

fn outward(protocol: &str, next: u16, shown: &str, token: &str, port: u16, metrics: u16) -> String {
    let (kind, endpoint) = match protocol {
        "grpc" => ("otlp_grpc", format!("localhost:{next}")),
        _ => ("otlp_http", format!("https://localhost:{next}")),
    };
    format!(
        "extensions: {{bearertokenauth: {{token: {token}}}}}
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: \"127.0.0.1:{port}\"}}}}}}}}
processors:
  tail_sampling: {{decision_wait: 1s, policies: [{{name: all, type: always_sample}}]}}
exporters:
  {kind}/guarded:
    endpoint: \"{endpoint}\"
    tls: {{ca_file: {}, cert_file: {}, key_file: {}}}
    auth: {{authenticator: bearertokenauth}}
    retry_on_failure: {{enabled: false}}
service:
  extensions: [bearertokenauth]
  telemetry: {{metrics: {{readers: [{{pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: {metrics}}}}}}}}}]}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: [tail_sampling], exporters: [{kind}/guarded]}}}}
",
        certificate("authority").display(),
        certificate(shown).display(),
        certificate(&format!("{shown}.key")).display(),
    )
}

/// The sum of a metric's series.
fn counted(port: u16, name: &str) -> f64 {
    let scrape = scrape(port);
    let series = scrape.lines().filter(|line| line.starts_with(name));
    series.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}
