//! OTLP/gRPC, call by call.

use prost::Message;

use super::*;

/// The code and the message of a call.
async fn check(bench: &Bench, headers: &[(&str, &str)], body: Vec<u8>, code: &str, message: &str) -> Answer {
    let answer = bench.call(headers, body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("grpc-status"), code, "{answer:?}");
    let told = tonic::Status::from_header_map(&answer.headers).map(|status| status.message().to_owned());
    assert!(told.unwrap_or_default().contains(message), "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/grpc");
    answer
}

#[tokio::test]
async fn a_message_arrives_as_it_was_sent() {
    let bench = Bench::start(FakeIntake::accepting()).await;
    // The last one is put together in a buffer that the one before has left.
    let messages = [0, 1, 5, 16 << 10, 100_000, 1 << 20, 4 << 20, 900_000, 600_000].map(sample);
    for message in &messages {
        let answer = check(&bench, &[], framed(0, message), "0", "").await;
        assert_eq!(&*answer.body, [0; 5], "full success leaves `partial_success` unset");
        assert!(answer.headers.get("grpc-status").is_none(), "the status of a success is a trailer");
    }
    assert_eq!(bench.intake.bodies(), messages);
    let origin = bench.intake.seen.lock()[0].1.clone();
    assert_eq!(origin, Origin { receiver: "otlp/test".into(), transport: Transport::Grpc });
    assert_eq!(bench.budget.used(), 0, "every charge was given back");
    let counts = bench.counts(Transport::Grpc);
    assert_eq!((counts.accepted_requests, counts.refused_requests()), (9, 0));
    assert_eq!(counts.accepted_items, messages.iter().map(|message| message.len() as u64).sum::<u64>());
}

#[tokio::test]
async fn compressed_messages_are_inflated() {
    let bench = Bench::start(FakeIntake::accepting()).await;
    let plain = sample(300_000);
    for (name, encoding) in [
        ("gzip", Encoding::Gzip),
        ("zstd", Encoding::Zstd),
        ("snappy", Encoding::SnappyFramed),
        ("snappy", Encoding::Snappy),
    ] {
        check(&bench, &[("grpc-encoding", name)], framed(1, &compress(encoding, &plain)), "0", "").await;
        assert_eq!(bench.intake.bodies().pop().unwrap(), plain, "{name}");
        check(&bench, &[("grpc-encoding", name)], framed(0, b"plain all the same"), "0", "").await;
    }
    check(&bench, &[("grpc-encoding", "identity")], framed(0, b"plain"), "0", "").await;
    assert_eq!(bench.budget.used(), 0);
}

#[tokio::test]
async fn an_unknown_compression_is_unimplemented_and_named() {
    let bench = Bench::start(FakeIntake::accepting()).await;
    let answer = check(&bench, &[("grpc-encoding", "brotli")], framed(1, b"x"), "12", "`brotli`").await;
    assert_eq!(answer.header("grpc-accept-encoding"), "identity,gzip,zstd,snappy");
    assert!(bench.intake.bodies().is_empty());
}

#[tokio::test]
async fn broken_messages_are_invalid_arguments() {
    let bench = Bench::start(FakeIntake::accepting()).await;
    let gzip = [("grpc-encoding", "gzip")];
    check(&bench, &[], vec![], "3", "no whole message").await;
    check(&bench, &[], vec![0, 0, 0], "3", "no whole message").await;
    check(&bench, &[], vec![0, 0, 0, 0, 9, 1, 2], "3", "ends within its message").await;
    check(&bench, &[], [framed(0, b"one"), framed(0, b"two")].concat(), "3", "after the message").await;
    check(&bench, &[], framed(2, b"x"), "3", "unknown flags").await;
    check(&bench, &[], framed(1, b"x"), "3", "names no compression").await;
    check(&bench, &gzip, framed(1, b"not gzip at all"), "3", "broken").await;
    let whole = compress(Encoding::Gzip, &sample(1000));
    check(&bench, &gzip, framed(1, &whole[..whole.len() - 9]), "3", "ends too early").await;
    assert!(bench.intake.bodies().is_empty());
    assert_eq!(bench.counts(Transport::Grpc).refused_requests(), 8);
    assert_eq!(bench.budget.used(), 0);
}

#[tokio::test]
async fn what_the_intake_says_reaches_the_client() {
    let bench = Bench::start(FakeIntake::new(|body| match body {
        b"partly" => Ok(Accepted { items: 3, rejected: 2, message: "2 spans without a trace ID".to_owned() }),
        b"warned" => Ok(Accepted { items: 3, rejected: 0, message: "careful".to_owned() }),
        b"broken" => Err(Refusal::Malformed("truncated varint near byte 7".to_owned())),
        b"full" => Err(Refusal::Overloaded { retry_after: Duration::from_millis(2500) }),
        _ => Err(Refusal::ShuttingDown),
    }))
    .await;
    let partly = check(&bench, &[], framed(0, b"partly"), "0", "").await;
    assert_eq!(partial_success(&partly.body), (2, "2 spans without a trace ID".to_owned()));
    let warned = check(&bench, &[], framed(0, b"warned"), "0", "").await;
    assert_eq!(partial_success(&warned.body), (0, "careful".to_owned()));
    check(&bench, &[], framed(0, b"broken"), "3", "truncated varint near byte 7").await;
    let full = check(&bench, &[], framed(0, b"full"), "14", "no room").await;
    assert_eq!(retry_info(&full), Some(Duration::from_millis(2500)));
    let ending = check(&bench, &[], framed(0, b"ending"), "14", "shutting down").await;
    assert_eq!(retry_info(&ending), None);
    let counts = bench.counts(Transport::Grpc);
    assert_eq!((counts.accepted_items, counts.rejected_items), (6, 2));
    assert_eq!(
        (counts.accepted_requests, counts.refused_requests(), counts.refused_for(RefusedReason::Overloaded)),
        (2, 3, 1)
    );
}

#[tokio::test]
async fn other_methods_are_unimplemented_and_other_protocols_are_sent_away() {
    let bench = Bench::start(FakeIntake::accepting()).await;
    let address = bench.address(Transport::Grpc);
    let metrics = "opentelemetry.proto.collector.metrics.v1.MetricsService";
    let traces = "opentelemetry.proto.collector.trace.v1.TraceService";
    for (path, told) in [
        (format!("/{metrics}/Export"), format!("unknown service {metrics}")),
        (format!("/{traces}/Import"), format!("unknown method Import for service {traces}")),
        ("/".to_owned(), "malformed method name".to_owned()),
    ] {
        let request = Request::post(format!("http://{address}{path}")).header("content-type", "application/grpc");
        let request = request.body(Full::from(framed(0, b""))).unwrap();
        let answer = send_http2(bench.connect(Transport::Grpc).await, request).await;
        assert_eq!((answer.status, answer.header("grpc-status")), (200, "12"), "{path}");
        let status = tonic::Status::from_header_map(&answer.headers).unwrap();
        assert!(status.message().contains(&told), "{status:?}");
    }
    assert_eq!(bench.running.stats.transport(Transport::Grpc).unserved_requests, 3);
    let check = async |method: &str, content_type: &str, status| {
        let request = Request::builder().method(method).uri(format!("http://{address}{EXPORT}"));
        let request = request.header("content-type", content_type).body(Full::default()).unwrap();
        assert_eq!(send_http2(bench.connect(Transport::Grpc).await, request).await.status, status);
    };
    check("POST", "application/json", 415).await;
    check("GET", "application/grpc", 405).await;
    check("POST", "application/grpc+proto", 200).await;
}

#[tokio::test]
async fn calls_on_one_connection_do_not_wait_for_each_other() {
    let intake = FakeIntake::gated(0, |_| Ok(Accepted::default()));
    let bench = Bench::start(intake.clone()).await;
    let stream = TokioIo::new(bench.connect(Transport::Grpc).await);
    let (sender, connection) =
        hyper::client::conn::http2::handshake::<_, _, Full<Bytes>>(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let call = |length| {
        let mut sender = sender.clone();
        let request = Request::post(format!("http://x{EXPORT}")).header("content-type", "application/grpc");
        let request = request.body(Full::from(framed(0, &sample(length)))).unwrap();
        tokio::spawn(async move { Answer::read(sender.send_request(request).await.unwrap()).await })
    };
    let calls: Vec<_> = (0..64).map(|number| call(number * 1000)).collect();
    // All of them are inside before the first one is answered.
    let all = tokio::time::timeout(SOON, intake.arrived.acquire_many(64)).await.unwrap().unwrap();
    all.forget();
    assert!(bench.budget.used() > 0);
    intake.gate.add_permits(64);
    for call in calls {
        assert_eq!(call.await.unwrap().header("grpc-status"), "0");
    }
    assert_eq!(bench.budget.used(), 0);
}

/// The count and the message of a framed partial success.
fn partial_success(framed: &[u8]) -> (i64, String) {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
    let response = ExportTraceServiceResponse::decode(&framed[5..]).unwrap();
    let partial = response.partial_success.unwrap();
    (partial.rejected_spans, partial.error_message)
}

/// The delay in the details of a refusal.
fn retry_info(answer: &Answer) -> Option<Duration> {
    let status = tonic::Status::from_header_map(&answer.headers).unwrap();
    RpcStatus::decode(status.details()).unwrap().delay()
}
