//! Who sent what is known as far as it can be: tenants that share a collector and an exporter stay apart to the end.

use crate::collector::{Collector, post_json_with};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

/// Requests of each tenant and signal.
const REQUESTS: usize = 6;
const LIMIT: Duration = Duration::from_secs(20);
const PATHS: [&str; 3] = ["/v1/traces", "/v1/metrics", "/v1/logs"];

/// A request as the sink saw it.
#[derive(Clone, Debug)]
struct Seen {
    path: String,
    /// The values of `x-scope-orgid`.
    tenants: Vec<String>,
    body: String,
}

/// An HTTP server that says yes to everything and remembers it.
struct TenantSink {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl TenantSink {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&seen);
        // Both kinds of threads end with the test's process.
        thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let all = Arc::clone(&all);
                thread::spawn(move || while serve(&socket, &all).is_some() {});
            }
        });
        Self { address, seen }
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }

    /// Waits until the bodies hold this text so often.
    fn wait_for(&self, text: &str, count: usize) -> Vec<Seen> {
        let deadline = Instant::now() + LIMIT;
        loop {
            let seen = self.seen();
            let found: usize = seen.iter().map(|one| one.body.matches(text).count()).sum();
            if found >= count {
                assert_eq!(found, count, "{seen:#?}");
                return seen;
            }
            assert!(Instant::now() < deadline, "only {found} of {count} `{text}` came: {seen:#?}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Answers one request of a connection; none when it ends.
fn serve(socket: &TcpStream, all: &Mutex<Vec<Seen>>) -> Option<()> {
    let mut reader = BufReader::new(socket);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut tenants, mut length) = (Vec::new(), 0);
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_lowercase().as_str() {
            "x-scope-orgid" => tenants.push(value.trim().to_owned()),
            "content-length" => length = value.trim().parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).expect("JSON");
    all.lock().expect("no panic").push(Seen { path, tenants, body });
    let mut answering: &TcpStream = socket;
    let answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    answering.write_all(answer).ok()
}

/// A collector whose pipelines have these processors and one exporter, which names the tenant to the sink.
fn collector(sink: &TenantSink, processors: &str, queue: &str, logs: &str) -> Collector {
    let used = "[resource, batch]";
    Collector::start(&format!(
        "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: \"127.0.0.1:0\", include_metadata: true}},
             http: {{endpoint: \"127.0.0.1:0\", include_metadata: true}}}}}}}}
processors:
  resource: {{attributes: [{{key: tenant, from_context: metadata.X-Tenant, default_value: nobody, action: upsert}},
    {{key: place, from_context: client.address, action: upsert}}]}}
  {processors}
connectors: {{forward: {{}}}}
extensions:
  headers_setter: {{headers: [{{key: X-Scope-OrgID, from_context: x-tenant, default_value: nobody}}]}}
exporters:
  otlp_http: {{endpoint: \"http://{}\", compression: none, encoding: json, auth: {{authenticator: headers_setter}}{queue}}}
service:
  extensions: [headers_setter]
  telemetry: {{metrics: {{readers: [{{pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: 0}}}}}}}}]}}}}
  pipelines:
    traces: {{receivers: [otlp], processors: {used}, exporters: [otlp_http]}}
    metrics: {{receivers: [otlp], processors: {used}, exporters: [otlp_http]}}
    {logs}
",
        sink.address
    ))
}

/// A request with one item whose name says whose it is.
fn request(path: &str, owner: &str, number: usize) -> String {
    let name = format!("of-{owner}-{number}.");
    match path {
        "/v1/traces" => format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"0102030405060708090a0b0c0d0e0f10",
                "spanId":"0102030405060708","name":"{name}"}}]}}]}}]}}"#
        ),
        "/v1/metrics" => format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"name":"{name}",
                "gauge":{{"dataPoints":[{{"asInt":"1"}}]}}}}]}}]}}]}}"#
        ),
        _ => format!(
            r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{{"stringValue":"{name}"}}}}]}}]}}]}}"#
        ),
    }
}

/// Sends an item; gives the status line.
fn send(collector: &Collector, path: &str, owner: &str, number: usize) -> String {
    let headers: &[(&str, &str)] = if owner == "nobody" { &[] } else { &[("x-tenant", owner)] };
    let answer = post_json_with(collector.address("http"), path, headers, &request(path, owner, number));
    answer.lines().next().unwrap_or_default().to_owned()
}

/// What every tenant sends in turns comes under its own name, and nothing else does.
fn check(collector: &Collector, sink: &TenantSink) {
    let owners = ["A", "B", "nobody"];
    for number in 0..REQUESTS {
        for (owner, path) in owners.iter().flat_map(|owner| PATHS.map(|path| (owner, path))) {
            assert!(send(collector, path, owner, number).contains("200"), "{owner} {path}");
        }
    }
    for owner in owners {
        sink.wait_for(&format!("of-{owner}-"), REQUESTS * PATHS.len());
    }
    let mut requests: BTreeMap<(String, String), usize> = BTreeMap::new();
    for Seen { path, tenants, body } in sink.seen() {
        let [tenant] = &tenants[..] else { panic!("one tenant, not {tenants:?}") };
        for owner in owners {
            assert_eq!(body.contains(&format!("of-{owner}-")), owner == *tenant, "{tenant}: {body}");
        }
        let attribute = |key: &str, value: &str| {
            let attribute = format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#);
            assert!(body.contains(&attribute), "{attribute} is not in {body}");
        };
        attribute("tenant", tenant);
        attribute("place", "127.0.0.1");
        *requests.entry((path, tenant.clone())).or_default() += 1;
    }
    assert_eq!(requests.len(), owners.len() * PATHS.len());
    assert!(requests.values().all(|count| *count < REQUESTS), "nothing was put together: {requests:?}");
}

#[test]
fn tenants_stay_apart_in_batches_and_in_headers() {
    let sink = TenantSink::start();
    let batch = "batch: {metadata_keys: [X-Tenant], metadata_cardinality_limit: 3, timeout: 1s}";
    let logs = "logs: {receivers: [otlp], processors: [resource, batch], exporters: [otlp_http]}";
    let collector = collector(&sink, batch, "", logs);
    check(&collector, &sink);
    // otelcol's answer to a tenant too many, too.
    for path in PATHS {
        assert!(send(&collector, path, "C", 0).contains("500"), "{path}");
        assert!(send(&collector, path, "A", REQUESTS).contains("200"), "{path}");
    }
    assert_eq!(collector.metric("otelcol_processor_batch_metadata_cardinality", &[]), 9.0);
    sink.wait_for(&format!("of-A-{REQUESTS}."), PATHS.len());
    let (status, log) = collector.stop();
    assert!(status.success(), "{log}");
    assert!(sink.seen().iter().all(|seen| !seen.body.contains("of-C-")));
}

/// The name that `basicauth` let in stands in an attribute and in a header.
#[test]
fn names_come_from_credentials() {
    let sink = TenantSink::start();
    let mut collector = Collector::start(&format!(
        "receivers: {{otlp: {{protocols: {{http: {{endpoint: \"127.0.0.1:0\", auth: {{authenticator: basicauth}}}}}}}}}}
processors:
  attributes: {{actions: [{{key: user, from_context: auth.username, action: insert}}, {{key: header, from_context:
    metadata.authorization, default_value: unknown, action: insert}}]}}
extensions:
  basicauth: {{htpasswd: {{inline: \"alice:pw\\nbob:pw\"}}}}
  headers_setter: {{headers: [{{key: X-Scope-OrgID, from_attribute: username}}]}}
exporters: {{otlp_http: {{endpoint: \"http://{}\", compression: none, encoding: json, auth: {{authenticator: headers_setter}}}}}}
service:
  extensions: [basicauth, headers_setter]
  pipelines: {{logs: {{receivers: [otlp], processors: [attributes], exporters: [otlp_http]}}}}
",
        sink.address
    ));
    collector
        .wait_until("told", |log| log.contains("`from_context: metadata.authorization` of `attributes` finds nothing"));
    for (owner, credentials) in [("alice", "Basic YWxpY2U6cHc="), ("bob", "Basic Ym9iOnB3")] {
        let headers = [("authorization", credentials)];
        let answer = post_json_with(collector.address("http"), PATHS[2], &headers, &request(PATHS[2], owner, 0));
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        sink.wait_for(&format!("of-{owner}-"), 1);
    }
    let seen = sink.seen();
    for (Seen { tenants, body, .. }, owner) in seen.iter().zip(["alice", "bob"]) {
        assert_eq!(tenants, &[owner]);
        assert!(body.contains(&format!(r#"{{"key":"user","value":{{"stringValue":"{owner}"}}}}"#)), "{body}");
        assert!(body.contains(r#"{"key":"header","value":{"stringValue":"unknown"}}"#), "{body}");
    }
    assert_eq!(seen.len(), 2);
    assert!(collector.stop().0.success());
}

#[test]
fn tenants_stay_apart_behind_a_connector_and_in_a_sending_queue() {
    let sink = TenantSink::start();
    let queue = ", sending_queue: {batch: {flush_timeout: 1s, partition: {metadata_keys: [x-tenant]}}}";
    // Something in its place that mixes nothing.
    let batch = "batch: {metadata_keys: [x-tenant], send_batch_size: 0, timeout: 0s}";
    let logs = "logs: {receivers: [otlp], processors: [resource], exporters: [forward]}
    logs/behind: {receivers: [forward], processors: [batch], exporters: [otlp_http]}";
    let collector = collector(&sink, batch, queue, logs);
    check(&collector, &sink);
    let (status, log) = collector.stop();
    assert!(status.success(), "{log}");
}
