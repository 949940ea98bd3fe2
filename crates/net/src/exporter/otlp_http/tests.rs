//! OTLP/HTTP against a peer that plays a script, over real sockets.

use otlp::Signal;
use std::sync::Arc;
use std::time::Duration;

use ::settings::Secret;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use tokio::time::Instant;

use super::super::answer::{partial_success, status_with_retry_info};
use super::super::compress::{Compression, Encoding};
use super::super::peer::{Peer, Reply, batch, batch_of, names};
use super::*;
use crate::exporter::Destination;

fn settings(peer: &Peer) -> OtlpHttpSettings {
    let mut settings = OtlpHttpSettings::new(peer.http());
    settings.http.compression = Compression::NONE;
    settings.retry.initial_interval = Duration::from_millis(1);
    settings.retry.max_interval = Duration::from_millis(1);
    settings
}

fn answer(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Reply {
    Reply::Http(status, vec![("content-type", content_type.to_owned())], body.into())
}

fn ok() -> Reply {
    answer(200, "application/x-protobuf", "")
}

async fn export(settings: &OtlpHttpSettings, spans: usize) -> Result<Delivered, ExportError> {
    let batch = batch(spans);
    OtlpHttp::new(settings, Signal::Traces, None).unwrap().export(batch.body.clone(), &batch).await
}

/// What a peer's reply becomes.
async fn check(reply: impl Fn() -> Reply + Send + Sync + 'static) -> Result<Delivered, ExportError> {
    let peer = Peer::start(move |_, _| reply()).await;
    export(&settings(&peer), 2).await
}

#[tokio::test]
async fn sends_what_a_collector_reads() {
    let peer = Peer::start(|_, _| ok()).await;
    let mut settings = settings(&peer);
    settings.http.headers = vec![("X-Tenant".to_owned(), Secret::new("shop"))];
    assert_eq!(export(&settings, 3).await, Ok(Delivered::default()));
    let seen = peer.seen().remove(0);
    assert_eq!((seen.path.as_str(), seen.version), ("/v1/traces", http::Version::HTTP_11));
    let header = |name: &str| seen.headers.get(name).map(|value| value.to_str().unwrap());
    assert_eq!(header("content-type"), Some("application/x-protobuf"));
    assert_eq!(header("content-encoding"), None);
    assert_eq!(header("x-tenant"), Some("shop"));
    assert!(header("user-agent").unwrap().starts_with("Tailrace/"));
    let length = seen.body.len().to_string();
    assert_eq!(header("content-length"), Some(length.as_str()), "known beforehand, not chunked");
    let request = ExportTraceServiceRequest::decode(seen.body).unwrap();
    assert_eq!(request.resource_spans[0].scope_spans[0].spans.len(), 3);
}

#[tokio::test]
async fn sends_json_where_that_is_wanted() {
    let peer = Peer::start(|_, _| answer(200, "application/json", r#"{"partialSuccess":{"errorMessage":"hm"}}"#)).await;
    let mut settings = settings(&peer);
    settings.encoding = BodyEncoding::Json;
    assert_eq!(export(&settings, 3).await.unwrap().message, "hm");
    let seen = peer.seen().remove(0);
    assert_eq!(seen.headers["content-type"], "application/json");
    assert_eq!(names(&otlp::json::decode(otlp::Signal::Traces, &seen.body).unwrap()), ["span 0", "span 1", "span 2"]);
}

#[tokio::test]
async fn names_its_encoding() {
    use Encoding::*;
    for encoding in [Gzip, Zlib, Deflate, Zstd, Snappy, SnappyFramed, Lz4] {
        let peer = Peer::start(|_, _| ok()).await;
        let mut settings = settings(&peer);
        settings.http.compression = Compression::of(encoding);
        export(&settings, 500).await.unwrap();
        let seen = peer.seen().remove(0);
        assert_eq!(seen.headers["content-encoding"], encoding.header().unwrap());
        assert!(seen.body.len() < batch(500).body.len() / 2, "{encoding:?}");
    }
}

#[tokio::test]
async fn partial_success_is_told() {
    let rejected = Delivered { rejected: 1, message: "bad span".to_owned() };
    let found = check(|| answer(200, "application/x-protobuf", partial_success(1, "bad span"))).await;
    assert_eq!(found, Ok(rejected));
    // Success is success, whatever comes with it.
    for (content_type, body) in [("text/html", "<p>"), ("application/json", "["), ("application/x-protobuf", "\u{7f}")]
    {
        assert_eq!(check(move || answer(200, content_type, body)).await, Ok(Delivered::default()));
    }
    assert_eq!(check(|| answer(202, "text/plain", vec![b'x'; 1 << 20])).await, Ok(Delivered::default()));
}

#[tokio::test]
async fn each_status_has_its_kind() {
    let later = Kind::Retry { after: None };
    for (status, expected) in [
        (400, Kind::Refused),
        (401, Kind::Permanent),
        (404, Kind::Permanent),
        (405, Kind::Permanent),
        (408, Kind::Permanent),
        (413, Kind::TooLarge),
        (415, Kind::Permanent),
        (429, later),
        (500, Kind::Permanent),
        (501, Kind::Permanent),
        (502, later),
        (503, later),
        (504, later),
    ] {
        let body = status_with_retry_info(14, Duration::ZERO);
        let error = check(move || answer(status, "application/x-protobuf", body.clone())).await.unwrap_err();
        assert_eq!(error.kind, expected, "status {status}");
        assert!(error.message.ends_with(": later"), "{error}");
    }
    assert_eq!(check(|| answer(503, "text/plain", vec![b'x'; 1 << 20])).await.unwrap_err().kind, later);
}

#[tokio::test]
async fn retry_after_is_heard() {
    for (value, expected) in [
        ("0", Some(Duration::ZERO)),
        ("3600", Some(Duration::from_secs(3600))),
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(Duration::ZERO)),
        ("soon", None),
    ] {
        let error =
            check(move || Reply::Http(503, vec![("retry-after", value.to_owned())], Vec::new())).await.unwrap_err();
        assert_eq!(error.kind, Kind::Retry { after: expected }, "{value}");
    }
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    let elsewhere = Arc::new(Peer::start(|_, _| ok()).await);
    for status in [301, 302, 307, 308] {
        let location = elsewhere.http();
        let error =
            check(move || Reply::Http(status, vec![("location", location.clone())], Vec::new())).await.unwrap_err();
        assert_eq!(error.kind, Kind::Permanent);
        assert!(error.message.contains("redirects are not followed"), "{error}");
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn a_connection_without_an_answer_is_tried_again() {
    assert_eq!(check(|| Reply::Break).await.unwrap_err().kind, Kind::Retry { after: None });
    let peer = Peer::start(|_, _| Reply::Stall).await;
    let mut settings = settings(&peer);
    settings.http.timeout = Duration::from_millis(100);
    assert_eq!(export(&settings, 1).await.unwrap_err().kind, Kind::Retry { after: None });
    drop(peer);
    tokio::task::yield_now().await;
    let error = export(&settings, 1).await.unwrap_err();
    assert_eq!(error.kind, Kind::Retry { after: None });
    assert!(error.message.contains("refused"), "{error}");
}

#[tokio::test]
async fn one_bad_span_and_a_small_limit_cost_one_span() {
    let peer = Peer::start(|_, seen| match seen.body.len() {
        0..65_536 if names(&seen.body).iter().any(|name| name.starts_with("7 ")) => answer(400, "text/plain", "bad"),
        0..65_536 => ok(),
        _ => answer(413, "text/plain", "too large"),
    })
    .await;
    let settings = settings(&peer);
    let exporter = Arc::new(OtlpHttp::new(&settings, Signal::Traces, None).unwrap());
    let destination =
        Destination::start("otlp_http", Signal::Traces, exporter, settings.queue.clone(), settings.retry.clone());
    let sent: Vec<_> = (0..100).map(|number| format!("{number} {}", "x".repeat(10_000))).collect();
    destination.offer(batch_of(&sent));
    let stats = destination.drain(Instant::now() + Duration::from_secs(60)).await;
    assert_eq!((stats.delivered.items, stats.dropped_total().items, stats.residue()), (99, 1, (0, 0)));
}

#[tokio::test]
async fn connections_are_kept_and_bounded() {
    let peer = Peer::start(|_, _| ok()).await;
    let mut settings = settings(&peer);
    settings.http.max_conns_per_host = 2;
    let exporter = Arc::new(OtlpHttp::new(&settings, Signal::Traces, None).unwrap());
    let destination =
        Destination::start("otlp_http", Signal::Traces, exporter, settings.queue.clone(), settings.retry.clone());
    for _ in 0..50 {
        destination.offer(batch(10));
    }
    let stats = destination.drain(Instant::now() + Duration::from_secs(60)).await;
    assert_eq!(stats.delivered.items, 500);
    assert!(peer.connections() <= 2, "{}", peer.connections());
}

#[test]
fn urls() {
    for (endpoint, traces_endpoint, expected) in [
        ("http://a:4318", "", "http://a:4318/v1/traces"),
        ("http://a:4318/", "", "http://a:4318/v1/traces"),
        ("http://a/otlp", "", "http://a/otlp/v1/traces"),
        ("http://a:4318", "https://b/x", "https://b/x"),
    ] {
        let mut settings = OtlpHttpSettings::new(endpoint);
        settings.traces_endpoint = traces_endpoint.to_owned();
        assert_eq!(settings.url(Signal::Traces).unwrap(), expected);
    }
    for bad in ["a:4318", "ftp://a", "/v1", "", "http://u:p@a"] {
        assert!(OtlpHttp::new(&OtlpHttpSettings::new(bad), Signal::Traces, None).is_err(), "{bad}");
    }
}
