//! Stories with real programs at both ends: clients that users have send traces to the built `tailrace`, which feeds a
//! real backend, and the backend's API must show exactly the traces that the policies keep.
//!
//! What should be kept is computed from what the clients say they sent, never from what Tailrace says. The first story
//! runs the reference collector in Tailrace's place: it proves that the expectation is right and that clients, backend
//! and comparison work, so that a failure of the others is Tailrace's. `tests/peers/install` brings the programs.

#[path = "peers/backend.rs"]
mod backend;
#[path = "peers/client.rs"]
mod client;
#[path = "peers/fetch.rs"]
mod fetch;
#[path = "peers/metrics.rs"]
mod metrics;
#[path = "peers/outward.rs"]
mod outward;
#[path = "peers/process.rs"]
mod process;
#[path = "peers/secure.rs"]
mod secure;
#[path = "peers/signals.rs"]
mod signals;
#[path = "peers/span.rs"]
mod span;

use backend::{Backend, Jaeger, Zipkin};
use client::{Client, Doors};
use process::{Program, free_port, peer};
use span::{POLICIES, Span, Traces};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// From the last span of a client to the last span in the backend.
const ARRIVAL_LIMIT: Duration = Duration::from_secs(60);

#[test]
fn the_reference_collector_keeps_what_the_stories_expect() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    tell(&peer("bin/otelcol-peer"), &Jaeger::start(false, folder.path()), &Client::ALL, folder.path());
}

#[test]
fn every_client_reaches_jaeger_over_grpc() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    tell(&tailrace(), &Jaeger::start(false, folder.path()), &Client::ALL, folder.path());
}

#[test]
fn sdk_clients_reach_jaeger_over_http() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    let clients = [Client::PythonGrpc, Client::NodeHttpJson];
    tell(&tailrace(), &Jaeger::start(true, folder.path()), &clients, folder.path());
}

#[test]
fn every_client_reaches_zipkin() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    tell(&tailrace(), &Zipkin::start(folder.path()), &Client::ALL, folder.path());
}

/// One story: `clients` send through `program` to `backend`, and the kept traces, only they, are there as sent.
fn tell(program: &Path, backend: &dyn Backend, clients: &[Client], folder: &Path) {
    let (mut collector, doors) = start_collector(program, backend, folder);
    client::wait_for_all(clients.iter().flat_map(|client| client.start(doors, folder)).collect());

    let sent: Traces = clients.iter().flat_map(|client| client.sent(folder)).collect();
    let kept: Traces = sent
        .iter()
        .filter(|(_, trace)| span::should_keep(trace))
        .map(|(id, trace)| (id.clone(), trace.iter().map(|span| backend.shown(span)).collect()))
        .collect();
    assert!(
        kept.len() < sent.len() && kept.len() * 4 > sent.len(),
        "{} of {} traces are to be kept",
        kept.len(),
        sent.len()
    );

    let spans = kept.values().map(Vec::len).sum::<usize>() + client::generated_spans(clients);
    wait_for_spans(backend, spans);
    // After its end nothing more can come: what is there now is all.
    collector.terminate(Duration::from_secs(30));
    thread::sleep(Duration::from_millis(500));
    let mut seen = backend.traces().expect("the backend answers");

    for service in clients.iter().filter_map(|client| client.generated_service()) {
        let (generated, others) = seen.into_iter().partition(|(_, trace)| of_service(trace, service));
        client::assert_generated(service, &generated);
        seen = others;
    }
    span::assert_same(&kept, &seen);
    println!("{} traces sent, {} kept, {spans} spans in the backend as sent", sent.len(), kept.len());
}

fn start_collector(program: &Path, backend: &dyn Backend, folder: &Path) -> (Program, Doors) {
    let doors = Doors { grpc: free_port(), http: free_port() };
    let (exporter, settings) = backend.exporter();
    let config = format!(
        "receivers:
  otlp: {{protocols: {{grpc: {{endpoint: \"127.0.0.1:{}\"}}, http: {{endpoint: \"127.0.0.1:{}\"}}}}}}
processors:
  tail_sampling:
    decision_wait: 5s
    policies:{POLICIES}
exporters:
  {exporter}: {settings}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: [tail_sampling], exporters: [{exporter}]}}}}
",
        doors.grpc, doors.http
    );
    let file = folder.join("config.yaml");
    fs::write(&file, config).expect("the configuration can be written");
    let mut collector = Program::start("collector", Command::new(program).arg("--config").arg(&file), folder);
    collector.wait_for_port(doors.grpc);
    collector.wait_for_port(doors.http);
    (collector, doors)
}

/// Returns when the backend shows at least `spans`, or when it is too late: the comparison then says what is missing.
fn wait_for_spans(backend: &dyn Backend, spans: usize) {
    let deadline = Instant::now() + ARRIVAL_LIMIT;
    while Instant::now() < deadline {
        if backend.traces().is_ok_and(|seen| seen.values().map(Vec::len).sum::<usize>() >= spans) {
            return;
        }
        thread::sleep(Duration::from_millis(250));
    }
}

fn of_service(trace: &[Span], service: &str) -> bool {
    trace.iter().all(|span| span.service == service)
}

fn tailrace() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_tailrace"))
}

/// One story at a time: each starts half a dozen programs.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
