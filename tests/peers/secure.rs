//! Who may send here: TLS, client certificates, passwords and tokens, shown by clients that users have.
//!
//! Each client comes once as it should and once in each way that it should not. What came right is in the file that the
//! spans are written to; what did not is counted, and the client learns nothing but that it may not.

use crate::{
    metrics::scrape,
    process::{Program, free_port, peer, script},
    tailrace, turn,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};

/// A client gives up after so long.
const PATIENCE_SECONDS: &str = "5";
/// From the answer to the line in the file.
const ARRIVAL_LIMIT: Duration = Duration::from_secs(10);

/// Ports: with client certificates, with passwords, with tokens; of gRPC, then of HTTP.
struct Doors {
    certificate: [u16; 2],
    password: [u16; 2],
    token: [u16; 2],
    metrics: u16,
}

/// What a client shows.
#[derive(Clone, Copy, Default)]
struct Shown {
    certificate: Option<&'static str>,
    authorization: Option<&'static str>,
}

/// A program that sends a span of a service named as asked.
#[derive(Clone, Copy, Debug)]
enum Client {
    Curl,
    Telemetrygen {
        http: bool,
    },
    /// Over gRPC.
    Python,
}

/// Not Python over HTTP: its `ssl` wants key identifiers in certificates, which the tests' own have not.
const CLIENTS: [Client; 4] =
    [Client::Curl, Client::Telemetrygen { http: false }, Client::Telemetrygen { http: true }, Client::Python];

#[test]
fn only_those_come_in_who_may() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    let (mut collector, doors) = start(folder.path());
    let none = Shown::default();
    let with = |certificate| Shown { certificate: Some(certificate), ..none };
    let saying = |authorization| Shown { authorization: Some(authorization), ..none };
    let (mut taken, mut refused) = (Vec::new(), 0);
    for client in CLIENTS {
        for (door, ports, right, wrong) in [
            ("certificate", doors.certificate, with("client"), &[none, with("expired"), with("stranger")][..]),
            // dora:sesame and dora:open.
            (
                "password",
                doors.password,
                saying("Basic ZG9yYTpzZXNhbWU="),
                &[none, saying("Basic ZG9yYTpvcGVu"), saying("Bearer sesame")],
            ),
            ("token", doors.token, saying("Bearer sesame"), &[none, saying("Bearer sesam"), saying("sesame")]),
        ] {
            let service = format!("{door}-{client:?}").replace([' ', '{', '}', ':'], "");
            let answer = client.sends(ports, right, &service);
            assert_ne!(answer, Some(false), "{client:?} with the right {door}\n{}", collector.log_end());
            taken.push(service);
            for (number, shown) in wrong.iter().enumerate() {
                let service = format!("wrong-{door}-{number}-{client:?}");
                assert_ne!(client.sends(ports, *shown, &service), Some(true), "{client:?} with wrong {door} {number}");
                refused += 1;
            }
        }
    }
    let file = folder.path().join("spans.jsonl");
    let written = || fs::read_to_string(&file).unwrap_or_default();
    let deadline = Instant::now() + ARRIVAL_LIMIT;
    while Instant::now() < deadline && !taken.iter().all(|service| written().contains(service)) {
        thread::sleep(Duration::from_millis(100));
    }
    let (written, scrape) = (written(), scrape(doors.metrics));
    for service in &taken {
        assert!(written.contains(service), "`{service}` did not arrive:\n{}", collector.log_end());
    }
    assert!(!written.contains("wrong-"), "somebody came in who may not");
    let counted = |name: &str, label: &str| -> f64 {
        let series = scrape.lines().filter(|line| line.starts_with(name) && line.contains(label));
        series.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    };
    // SDKs try several times, so at least as many; three for each client at each door.
    let turned_away = (refused / 3) as f64;
    assert!(counted("tailrace_receiver_tls_errors", "otlp/certificate") >= turned_away, "{scrape}");
    for door in ["otlp/password", "otlp/token"] {
        assert!(counted("tailrace_receiver_refused_requests", door) >= turned_away, "{scrape}");
    }
    collector.terminate(Duration::from_secs(30));
    let log = collector.log_end();
    assert!(!log.contains("sesame"), "a secret stands in the log:\n{log}");
}

/// What curl sees of a refusal: the status, what to bring, and no word about what was wrong.
#[test]
fn a_refusal_says_nothing_but_that() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    let (_collector, doors) = start(folder.path());
    for (ports, authorization, challenge) in [
        (doors.password, "Basic ZG9yYTpvcGVu", "Basic"),
        (doors.password, "Basic bm9ib2R5OnNlc2FtZQ==", "Basic"),
        (doors.token, "Bearer sesam", "Bearer"),
    ] {
        let shown = Shown { authorization: Some(authorization), certificate: None };
        let answer = curl(ports[1], shown, "{}").expect("curl runs");
        let answer = String::from_utf8_lossy(&answer.stdout).to_lowercase();
        assert!(answer.contains(" 401"), "{answer}");
        assert!(answer.contains(&format!("www-authenticate: {}", challenge.to_lowercase())), "{answer}");
        for detail in ["sesam", "dora", "password", "user", "htpasswd", "token"] {
            assert!(!answer.contains(detail), "`{detail}` stands in\n{answer}");
        }
    }
}

impl Client {
    /// Sends a span; tells whether it was taken, if it knows.
    fn sends(self, [grpc, http]: [u16; 2], shown: Shown, service: &str) -> Option<bool> {
        match self {
            Client::Curl => {
                let body = format!(
                    r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{service}"}}}}]}},
                    "scopeSpans":[{{"spans":[{{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708"}}]}}]}}]}}"#
                );
                let answer = curl(http, shown, &body).expect("curl runs");
                Some(answer.status.success() && String::from_utf8_lossy(&answer.stdout).contains(" 200"))
            }
            Client::Telemetrygen { http: over_http } => {
                let mut command = Command::new(peer("bin/telemetrygen"));
                let port = if over_http { http } else { grpc };
                command.args(["traces", "--traces", "1", "--service", service]);
                command
                    .args(["--otlp-endpoint", &format!("localhost:{port}"), "--ca-cert"])
                    .arg(certificate("authority"));
                if over_http {
                    command.arg("--otlp-http");
                }
                if let Some(name) = shown.certificate {
                    command.arg("--mtls").arg("--client-cert").arg(certificate(name));
                    command.arg("--client-key").arg(certificate(&format!("{name}.key")));
                }
                if let Some(value) = shown.authorization {
                    command.args(["--otlp-header", &format!("authorization=\"{value}\"")]);
                }
                run(&command).expect("telemetrygen runs");
                // It ends well even where nothing was taken: what arrived tells.
                None
            }
            Client::Python => {
                let mut command = Command::new(peer("python/bin/python"));
                command.arg(script("secure.py"));
                command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("https://localhost:{grpc}"));
                command.env("OTEL_EXPORTER_OTLP_CERTIFICATE", certificate("authority"));
                command.env("OTEL_EXPORTER_OTLP_TIMEOUT", PATIENCE_SECONDS).env("OTEL_SERVICE_NAME", service);
                if let Some(name) = shown.certificate {
                    command.env("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", certificate(name));
                    command.env("OTEL_EXPORTER_OTLP_CLIENT_KEY", certificate(&format!("{name}.key")));
                }
                if let Some(value) = shown.authorization {
                    command.env("OTEL_EXPORTER_OTLP_HEADERS", format!("authorization={}", value.replace(' ', "%20")));
                }
                let output = run(&command).expect("Python runs");
                Some(String::from_utf8_lossy(&output.stdout).contains("taken"))
            }
        }
    }
}

fn curl(port: u16, shown: Shown, body: &str) -> std::io::Result<Output> {
    let mut command = Command::new("curl");
    command.args(["-sS", "-i", "--max-time", PATIENCE_SECONDS, "-H", "content-type: application/json", "-d", body]);
    command.arg("--cacert").arg(certificate("authority"));
    if let Some(name) = shown.certificate {
        command.arg("--cert").arg(certificate(name)).arg("--key").arg(certificate(&format!("{name}.key")));
    }
    if let Some(value) = shown.authorization {
        command.args(["-H", &format!("authorization: {value}")]);
    }
    command.arg(format!("https://localhost:{port}/v1/traces")).output()
}

/// Runs a client that may try for ever, but not for longer than some seconds.
fn run(command: &Command) -> std::io::Result<Output> {
    let mut limited = Command::new("timeout");
    limited.arg("12").arg(command.get_program()).args(command.get_args());
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.output()
}

pub(crate) fn certificate(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../net/tests/certificates").join(format!("{name}.pem"))
}

fn start(folder: &Path) -> (Program, Doors) {
    let pair = || [free_port(), free_port()];
    let doors = Doors { certificate: pair(), password: pair(), token: pair(), metrics: free_port() };
    let server =
        format!("cert_file: {}, key_file: {}", certificate("server").display(), certificate("server.key").display());
    let receiver = |name: &str, [grpc, http]: [u16; 2], tls: &str, auth: &str| {
        let one = |port: u16| format!("{{endpoint: \"localhost:{port}\", tls: {{{server}{tls}}}{auth}}}");
        format!("  otlp/{name}: {{protocols: {{grpc: {}, http: {}}}}}\n", one(grpc), one(http))
    };
    let mutual = format!(", client_ca_file: {}", certificate("authority").display());
    let config = format!(
        "receivers:
{}{}{}exporters:
  file: {{path: {}, flush_interval: 100ms}}
extensions:
  basicauth: {{htpasswd: {{inline: \"dora:sesame\"}}}}
  bearertokenauth: {{token: sesame}}
service:
  extensions: [basicauth, bearertokenauth]
  telemetry: {{metrics: {{readers: [{{pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: {}}}}}}}}}]}}}}
  pipelines: {{traces: {{receivers: [otlp/certificate, otlp/password, otlp/token], exporters: [file]}}}}
",
        receiver("certificate", doors.certificate, &mutual, ""),
        receiver("password", doors.password, "", ", auth: {authenticator: basicauth}"),
        receiver("token", doors.token, "", ", auth: {authenticator: bearertokenauth}"),
        folder.join("spans.jsonl").display(),
        doors.metrics,
    );
    let file = folder.join("config.yaml");
    fs::write(&file, config).expect("the configuration can be written");
    let mut collector = Program::start("collector", Command::new(tailrace()).arg("--config").arg(&file), folder);
    for port in [doors.certificate, doors.password, doors.token].concat() {
        collector.wait_for_port(port);
    }
    collector.wait_for_port(doors.metrics);
    (collector, doors)
}
