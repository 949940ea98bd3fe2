//! Generator and sink over real sockets on loopback: everything that is sent is counted, whatever the way.

use super::*;
use crate::{
    expected::Keep,
    generate::{Generate, Report, Target, generate},
};
use std::future::pending;

/// A short load with nothing random, sent to `target`.
async fn send(target: Target, gzip: bool) -> Report {
    let options = Generate {
        target,
        gzip,
        connections: 2,
        in_flight: 3,
        spans_per_request: 50,
        rate: 20_000,
        duration: Duration::from_millis(200),
        flush_spread: Duration::from_millis(100),
        keep: Keep::Everything,
        seed: 1,
        ..Generate::default()
    };
    generate(options, pending()).await.expect("the sink can be reached")
}

async fn sink(record: Record) -> Sink {
    Sink::start(SinkOptions { record, ..SinkOptions::default() }).await.expect("loopback has free ports")
}

fn check(report: &Report, sink: &Sink) {
    let counts = sink.counts();
    assert_eq!(report.lost_spans, 0, "{:?}", report.first_error);
    assert!(report.spans >= 4_000);
    assert_eq!(counts.spans, report.expected.spans);
    assert_eq!(counts.spans.spans, report.spans);
    assert_eq!(counts.roots, report.traces);
    assert_eq!(counts.requests, report.requests);
    assert_eq!(report.latency.count(), report.requests);
}

#[tokio::test]
async fn everything_that_is_sent_arrives() {
    for gzip in [false, true] {
        let sink = sink(Record::Traces).await;
        for target in [Target::Grpc(sink.address().to_string()), Target::Http(sink.http_address().to_string())] {
            sink.reset();
            let report = send(target, gzip).await;
            check(&report, &sink);
            assert_eq!(sink.counts().traces, report.traces);
            assert!(sink.traces().values().all(|spans| *spans == 10));
        }
        sink.stop().await;
    }
}

#[tokio::test]
async fn refused_requests_are_sent_again() {
    let sink = sink(Record::Nothing).await;
    for target in [Target::Grpc(sink.address().to_string()), Target::Http(sink.http_address().to_string())] {
        sink.reset();
        let soon = Behavior::Unavailable { retry_after: Some(Duration::from_millis(0)) };
        sink.script([soon.clone(), Behavior::Unavailable { retry_after: None }, soon]);
        let report = send(target, false).await;
        check(&report, &sink);
        assert_eq!((report.refused, sink.counts().refused), (3, 3));
    }
}

#[tokio::test]
async fn failures_and_rejections_are_reported() {
    let sink = sink(Record::Nothing).await;
    for target in [Target::Grpc(sink.address().to_string()), Target::Http(sink.http_address().to_string())] {
        sink.script([Behavior::Fail, Behavior::Reject { spans: 7, message: "odd".to_owned() }]);
        let report = send(target, false).await;
        assert_eq!((report.lost_spans, report.rejected_spans), (50, 7));
        assert!(report.first_error.is_some());
    }
}

#[tokio::test]
async fn a_stalled_sink_goes_on_when_it_is_told_to() {
    let sink = sink(Record::Bodies).await;
    sink.behave(Behavior::Stall);
    let target = Target::Grpc(sink.address().to_string());
    let sending = tokio::spawn(async move { send(target, false).await });
    tokio::task::yield_now().await;
    assert_eq!(sink.counts().requests, 0);
    sink.behave(Behavior::Accept);
    let report = sending.await.expect("no panic");
    check(&report, &sink);
    assert_eq!(sink.received().len() as u64, report.requests);
    assert!(sink.received().iter().all(|received| received.headers.contains_key("te")));
}

#[tokio::test]
async fn a_stop_ends_a_run_early_and_whole() {
    let sink = sink(Record::Nothing).await;
    let options = Generate {
        target: Target::Grpc(sink.address().to_string()),
        rate: 5_000,
        duration: Duration::from_secs(3600),
        keep: Keep::Everything,
        seed: 2,
        ..Generate::default()
    };
    let report = generate(options, std::future::ready(())).await.expect("the sink can be reached");
    assert_eq!(sink.counts().spans, report.expected.spans);
    assert!(report.elapsed < Duration::from_secs(60));
}

#[tokio::test]
async fn what_cannot_be_reached_is_said() {
    let sink = sink(Record::Nothing).await;
    let address = sink.address().to_string();
    sink.stop().await;
    let options = Generate { target: Target::Grpc(address.clone()), ..Generate::default() };
    let error = generate(options, pending()).await.expect_err("nobody listens there");
    assert!(error.to_string().starts_with(&format!("cannot connect to `{address}`: ")), "{error}");
}
