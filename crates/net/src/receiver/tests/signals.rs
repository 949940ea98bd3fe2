//! Traces, metrics and logs through one receiver.

use prost::Message;

use super::*;

const SERVICES: [(Signal, &str, &str); 3] = [
    (Signal::Traces, "opentelemetry.proto.collector.trace.v1.TraceService", "/v1/traces"),
    (Signal::Metrics, "opentelemetry.proto.collector.metrics.v1.MetricsService", "/v1/metrics"),
    (Signal::Logs, "opentelemetry.proto.collector.logs.v1.LogsService", "/v1/logs"),
];

impl Bench {
    async fn call_service(&self, service: &str, message: &[u8]) -> Answer {
        let uri = format!("http://{}/{service}/Export", self.address(Transport::Grpc));
        let request = Request::post(uri).header("content-type", "application/grpc");
        let request = request.body(Full::from(framed(0, message))).unwrap();
        send_http2(self.connect(Transport::Grpc).await, request).await
    }

    async fn post_to(&self, path: &str, content_type: &str, body: &'static [u8]) -> Answer {
        let request = Request::post(path).header("host", "x").header("content-type", content_type);
        self.request(request.body(Full::from(body)).unwrap()).await
    }
}

/// Takes one item of two.
fn half() -> Arc<FakeIntake> {
    FakeIntake::new(|_| Ok(Accepted { items: 1, rejected: 1, message: "half".to_owned() }))
}

#[tokio::test]
async fn each_signal_has_its_service_its_path_and_its_counts() {
    let bench = Bench::start(half()).await;
    *bench.intake.served.lock() = Signal::ALL.to_vec();
    for (signal, service, path) in SERVICES {
        let answer = bench.call_service(service, b"over grpc").await;
        assert_eq!(answer.header("grpc-status"), "0");
        assert_eq!(rejected(signal, &answer.body[5..]), (1, "half".to_owned()));
        let answer = bench.post_to(path, "application/x-protobuf", b"over http").await;
        assert_eq!((answer.status, rejected(signal, &answer.body)), (200, (1, "half".to_owned())));
        let seen = std::mem::take(&mut *bench.intake.seen.lock());
        let seen: Vec<_> = seen.iter().map(|(signal, origin, body)| (*signal, origin.transport, &**body)).collect();
        assert_eq!(seen, [(signal, Transport::Grpc, &b"over grpc"[..]), (signal, Transport::Http, b"over http")]);
    }
    for (transport, signal, counts) in bench.running.stats.signals() {
        let expected =
            SignalCounts { accepted_requests: 1, accepted_items: 1, rejected_items: 1, ..SignalCounts::default() };
        assert_eq!(counts, expected, "{transport} {signal}");
    }
}

#[tokio::test]
async fn what_is_served_may_change() {
    let bench = Bench::start(FakeIntake::accepting()).await;
    for served in [vec![], vec![Signal::Logs], vec![Signal::Traces, Signal::Metrics], Signal::ALL.to_vec()] {
        bench.intake.served.lock().clone_from(&served);
        for (signal, service, path) in SERVICES {
            let (code, status) = if served.contains(&signal) { ("0", 200) } else { ("12", 404) };
            assert_eq!(bench.call_service(service, b"").await.header("grpc-status"), code, "{signal} of {served:?}");
            let answer = bench.post_to(path, "application/x-protobuf", b"").await;
            assert_eq!(answer.status, status, "{signal} of {served:?}");
        }
    }
}

#[tokio::test]
async fn paths_are_those_of_the_settings() {
    let bench = Bench::with(FakeIntake::accepting(), |_, http| {
        (http.metrics_url_path, http.logs_url_path) = ("/m".to_owned(), "/l".to_owned());
    })
    .await;
    *bench.intake.served.lock() = Signal::ALL.to_vec();
    for (path, status) in [("/m", 200), ("/l", 200), ("/v1/traces", 200), ("/v1/metrics", 404), ("/v1/logs", 404)] {
        assert_eq!(bench.post_to(path, "application/x-protobuf", b"").await.status, status, "{path}");
    }
}

#[tokio::test]
async fn json_of_each_signal_becomes_protobuf() {
    let bench = Bench::start(half()).await;
    *bench.intake.served.lock() = Signal::ALL.to_vec();
    let requests: [(&[u8], &str); 3] = [
        (br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"checkout"}]}]}]}"#, "rejectedSpans"),
        (
            br#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"load","gauge":{"dataPoints":[{"asInt":"3"}]}}]}]}]}"#,
            "rejectedDataPoints",
        ),
        (
            br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"hello"}}]}]}]}"#,
            "rejectedLogRecords",
        ),
    ];
    for ((signal, _, path), (json, rejected)) in SERVICES.into_iter().zip(requests) {
        let answer = bench.post_to(path, "application/json", json).await;
        let expected = format!(r#"{{"partialSuccess":{{"errorMessage":"half","{rejected}":"1"}}}}"#);
        assert_eq!((answer.status, answer.text()), (200, &*expected));
        let body = bench.intake.bodies().pop().unwrap();
        assert_eq!(body, otlp::json::decode(signal, json).unwrap());
        assert!(!body.is_empty());
        assert_eq!(bench.post_to(path, "application/json", b"[]").await.status, 400);
    }
}

/// What prost reads of a partial success.
fn rejected(signal: Signal, response: &[u8]) -> (i64, String) {
    use opentelemetry_proto::tonic::collector::{logs, metrics, trace};
    match signal {
        Signal::Traces => {
            let response = trace::v1::ExportTraceServiceResponse::decode(response).unwrap();
            let partial = response.partial_success.unwrap();
            (partial.rejected_spans, partial.error_message)
        }
        Signal::Metrics => {
            let response = metrics::v1::ExportMetricsServiceResponse::decode(response).unwrap();
            let partial = response.partial_success.unwrap();
            (partial.rejected_data_points, partial.error_message)
        }
        Signal::Logs => {
            let response = logs::v1::ExportLogsServiceResponse::decode(response).unwrap();
            let partial = response.partial_success.unwrap();
            (partial.rejected_log_records, partial.error_message)
        }
    }
}
