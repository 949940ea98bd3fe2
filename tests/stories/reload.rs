//! A configuration that changes while the program runs, through the built binary: nothing accepted is lost, no connection
//! is refused, and a file that is wrong changes nothing.

use crate::collector::{Collector, post_json};
use load::{Generate, Keep, Sink, SinkOptions, Target};
use std::{
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// What may differ between two configurations that keep the same traces.
struct Variant {
    wait: &'static str,
    policies: &'static str,
    processors: &'static str,
    receiver: &'static str,
    exporters: &'static str,
    exporter_settings: &'static str,
    more: &'static str,
}

const POLICIES: &str = "[{name: errors, type: status_code, status_code: {status_codes: [ERROR]}},
      {name: slow, type: latency, latency: {threshold_ms: 1000}},
      {name: few, type: probabilistic, probabilistic: {sampling_percentage: 10}}]";
const RENAMED: &str = "[{name: none, type: numeric_attribute, numeric_attribute: {key: not.there, min_value: 7}},
      {name: a_few, type: probabilistic, probabilistic: {sampling_percentage: 10}},
      {name: slow, type: latency, latency: {threshold_ms: 1000}},
      {name: failed, type: ottl_condition, ottl_condition: {span: [status.code == STATUS_CODE_ERROR]}}]";

const FIRST: Variant = Variant {
    wait: "2s",
    policies: POLICIES,
    processors: "tail_sampling",
    receiver: "",
    exporters: "otlp_grpc",
    exporter_settings: "",
    more: "",
};

/// Seven of ten reloads bring one of these, one after the other.
const GOOD: [Variant; 7] = [
    Variant { wait: "1500ms", ..FIRST },
    Variant { policies: RENAMED, ..FIRST },
    Variant { receiver: ", max_concurrent_streams: 50", ..FIRST },
    Variant { exporters: "otlp_grpc, nop", more: "\n    logs: {receivers: [otlp], exporters: [nop]}", ..FIRST },
    Variant { processors: "resource, tail_sampling, batch", policies: RENAMED, ..FIRST },
    Variant { exporter_settings: ", timeout: 7s", wait: "2500ms", ..FIRST },
    FIRST,
];

/// The address of a sink and one that is taken.
struct Places {
    sink: String,
    taken: SocketAddr,
}

impl Variant {
    fn yaml(&self, places: &Places) -> String {
        let Variant { wait, policies, processors, receiver, exporters, exporter_settings, more } = self;
        let sink = &places.sink;
        format!(
            "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: \"127.0.0.1:0\"{receiver}}}, http: {{endpoint: \"127.0.0.1:0\"}}}}}}}}
processors:
  batch: {{}}
  resource: {{attributes: [{{key: deployment.environment, value: test, action: upsert}}]}}
  tail_sampling:
    decision_wait: {wait}
    policies: {policies}
exporters:
  nop: {{}}
  otlp_grpc: {{endpoint: \"{sink}\", compression: none, tls: {{insecure: true}}{exporter_settings}}}
service:
  telemetry:
    logs: {{sampling: {{enabled: false}}}}
    metrics: {{readers: [{{pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: 0}}}}}}}}]}}
  pipelines:
    traces: {{receivers: [otlp], processors: [{processors}], exporters: [{exporters}]}}{more}
"
        )
    }
}

/// Three of ten reloads bring one of these.
fn bad(number: usize, places: &Places) -> String {
    let good = FIRST.yaml(places);
    match number % 5 {
        0 => good.replace("decision_wait: 2s", "decision_wiat: 2s"),
        1 => "receivers: [".to_owned(),
        2 => good.replace("http: {endpoint: \"127.0.0.1:0\"}", &format!("http: {{endpoint: \"{}\"}}", places.taken)),
        3 => good.replace("tls: {insecure: true}", "tls: {ca_file: not/there.pem}"),
        _ => good.replace("exporters: [otlp_grpc]", "exporters: [otlp_grcp]"),
    }
}

/// Opens a connection again and again and sends a request that holds nothing; counts what failed.
fn probe(address: SocketAddr, stop: Arc<AtomicBool>, probes: Arc<AtomicU64>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            let answer = post_json(address, "/v1/traces", "{}");
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            probes.fetch_add(1, Ordering::Relaxed);
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_reloads_under_load_lose_nothing() {
    let sink = Sink::start(SinkOptions::default()).await.expect("the sink can be started");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let places = Places { sink: sink.address().to_string(), taken: taken.local_addr().expect("an address") };
    let mut collector = Collector::start(&FIRST.yaml(&places));
    let (grpc, http) = (collector.address("grpc"), collector.address("http"));
    let (stop, probes) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let prober = probe(http, Arc::clone(&stop), Arc::clone(&probes));
    let sending = tokio::spawn(load::generate(
        Generate {
            target: Target::Grpc(grpc.to_string()),
            connections: 4,
            in_flight: 2,
            spans_per_request: 100,
            error_share: 0.05,
            slow_share: 0.05,
            rate: 5_000,
            duration: Duration::from_secs(20),
            flush_spread: Duration::from_millis(800),
            keep: Keep::AnyOf { errors: true, slow: true, percentage: 10.0 },
            ..Generate::default()
        },
        std::future::pending(),
    ));
    let (mut good, mut wrong) = (0, 0);
    for round in 0..100 {
        if round % 10 < 7 {
            collector.write(&GOOD[good % GOOD.len()].yaml(&places));
            good += 1;
        } else {
            collector.write(&bad(wrong, &places));
            wrong += 1;
        }
        collector.signal("-HUP");
        let outcomes = |log: &str, what: &str| log.matches(what).count();
        collector.wait_until("reloaded", |log| {
            outcomes(log, "the new configuration is in force") == good
                && outcomes(log, "the new configuration is not used") == wrong
        });
    }
    assert_eq!((good, wrong), (70, 30));
    assert!(!sending.is_finished(), "all of that happened under load");
    let report = sending.await.expect("no panic").expect("the load can be sent");
    stop.store(true, Ordering::Relaxed);
    prober.join().expect("every connection was taken and every request answered");
    assert!(probes.load(Ordering::Relaxed) > 100, "{probes:?} connections");
    assert_eq!((report.lost_spans, report.rejected_spans, report.refused), (0, 0, 0), "{:?}", report.first_error);

    let deadline = Instant::now() + Duration::from_secs(10);
    while sink.counts().spans.spans < report.expected.spans.spans && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(sink.counts().spans, report.expected.spans, "the kept spans that arrived\n{}", collector.log());
    assert!(report.expected.spans.spans > 0, "something is kept");
    assert_eq!(collector.metric("otelcol_receiver_accepted_spans", &["grpc"]) as u64, report.spans);
    crate::assert_books(&collector);
    let (status, log) = collector.stop();
    assert!(status.success(), "{log}");
}

/// Who asked for it needs no signal: the file's change is enough, and a wrong file is told once.
#[test]
fn a_file_that_changes_is_read_where_asked() {
    let places = Places { sink: "127.0.0.1:1".to_owned(), taken: "127.0.0.1:1".parse().expect("an address") };
    let watched = |variant: &Variant| format!("{}tailrace: {{reload_on_change: true}}\n", variant.yaml(&places));
    let mut collector = Collector::start(&watched(&FIRST));
    collector.write("receivers: [");
    collector.wait_until("told", |log| log.contains("the new configuration is not used"));
    collector.write(&watched(&GOOD[0]));
    collector.wait_until("reloaded", |log| log.contains("the new configuration is in force"));
    let (status, log) = collector.stop();
    assert!(status.success(), "{log}");
    assert_eq!(log.matches("a file of the configuration has changed").count(), 2, "{log}");
}
