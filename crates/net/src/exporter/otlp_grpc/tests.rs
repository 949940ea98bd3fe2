//! OTLP/gRPC against a peer that plays a script, over real sockets.

use otlp::Signal;
use std::sync::Arc;
use std::time::Duration;

use ::settings::Secret;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use super::super::answer::{partial_success, status_with_retry_info};
use super::super::peer::{Peer, Reply, batch, batch_of, frame, grpc_ok, grpc_status, names};
use super::*;
use crate::exporter::{Destination, DropReason};

fn settings(peer: &Peer) -> OtlpGrpcSettings {
    let mut settings = OtlpGrpcSettings::new(GrpcEndpoint::parse(&peer.address.to_string()).unwrap());
    settings.tls.insecure = true;
    settings.compression = Compression::NONE;
    settings.retry.initial_interval = Duration::from_millis(1);
    settings.retry.max_interval = Duration::from_millis(1);
    settings
}

async fn export(settings: &OtlpGrpcSettings, spans: usize) -> Result<Delivered, ExportError> {
    let batch = batch(spans);
    OtlpGrpc::new(settings, Signal::Traces, None).unwrap().export(batch.body.clone(), &batch).await
}

/// The kind of error that a peer's reply becomes.
async fn check(reply: impl Fn() -> Reply + Send + Sync + 'static) -> Result<Delivered, Kind> {
    let peer = Peer::start(move |_, _| reply()).await;
    export(&settings(&peer), 2).await.map_err(|error| error.kind)
}

#[tokio::test]
async fn sends_what_a_collector_reads() {
    let peer = Peer::start(|_, _| grpc_ok()).await;
    let mut settings = settings(&peer);
    settings.headers = vec![("x-tenant".to_owned(), Secret::new("shop"))];
    assert_eq!(export(&settings, 3).await, Ok(Delivered::default()));
    let seen = peer.seen().remove(0);
    assert_eq!(seen.path, method(Signal::Traces));
    assert_eq!(seen.authority, peer.address.to_string());
    let header = |name: &str| seen.headers.get(name).map(|value| value.to_str().unwrap());
    assert_eq!(header("content-type"), Some("application/grpc"));
    assert_eq!(header("te"), Some("trailers"));
    assert_eq!(header("x-tenant"), Some("shop"));
    assert_eq!(header("grpc-timeout"), Some("5000m"));
    assert_eq!(header("grpc-encoding"), None);
    assert!(header("user-agent").unwrap().starts_with("Tailrace/"));
    assert_eq!(seen.body, frame(0, &batch(3).body));
    let request = ExportTraceServiceRequest::decode(&seen.body[5..]).unwrap();
    assert_eq!(request.resource_spans[0].scope_spans[0].spans.len(), 3);
}

#[tokio::test]
async fn compresses_in_each_encoding_and_reads_compressed_answers() {
    for (name, encoding) in [("gzip", Encoding::Gzip), ("zstd", Encoding::Zstd), ("snappy", Encoding::SnappyFramed)] {
        let peer = Peer::start(move |_, seen| {
            let sent = inflate_answer(seen.headers["grpc-encoding"].as_bytes(), &seen.body[5..], 1 << 20).unwrap();
            let message = format!("got {} of {}", names(&sent).len(), seen.body[0]);
            let answer = Compression::of(encoding).compress_now(&partial_success(0, &message)).unwrap();
            let headers = vec![("grpc-encoding", name.to_owned()), ("grpc-status", "0".to_owned())];
            Reply::Http(200, headers, frame(1, &answer).to_vec())
        })
        .await;
        let mut settings = settings(&peer);
        settings.compression = Compression::of(encoding);
        assert_eq!(export(&settings, 500).await.unwrap().message, "got 500 of 1");
    }
}

#[tokio::test]
async fn partial_success_is_told() {
    let reply = || Reply::Grpc(vec![("grpc-status", "0".to_owned())], partial_success(1, "bad span"));
    assert_eq!(check(reply).await, Ok(Delivered { rejected: 1, message: "bad span".to_owned() }));
}

#[tokio::test]
async fn each_code_has_its_kind() {
    let later = Kind::Retry { after: None };
    for (code, expected) in [
        (1, later),
        (2, Kind::Permanent),
        (3, Kind::Refused),
        (4, later),
        (5, Kind::Permanent),
        (6, Kind::Permanent),
        (7, Kind::Permanent),
        (8, Kind::TooLarge),
        (9, Kind::Permanent),
        (10, later),
        (11, later),
        (12, Kind::Permanent),
        (13, Kind::Permanent),
        (14, later),
        (15, later),
        (16, Kind::Permanent),
        (99, Kind::Permanent),
    ] {
        assert_eq!(check(move || grpc_status(code, "so")).await, Err(expected), "code {code}");
    }
    let tonics_limit = || grpc_status(11, "Error, decoded message length too large: found 5 bytes");
    assert_eq!(check(tonics_limit).await, Err(Kind::TooLarge));
}

#[tokio::test]
async fn retry_info_is_read_and_nonsense_is_not_believed() {
    for (code, delay_s) in [(14, 0), (14, 5), (8, 3600)] {
        let delay = Duration::from_secs(delay_s);
        let details = base64(&status_with_retry_info(code, delay));
        let reply = move || {
            let trailers = vec![
                ("grpc-status", code.to_string()),
                ("grpc-message", "so%20%C3%BC".to_owned()),
                ("grpc-status-details-bin", details.clone()),
            ];
            Reply::Grpc(trailers, Vec::new())
        };
        assert_eq!(check(reply).await, Err(Kind::Retry { after: Some(delay) }));
    }
    for details in ["%%%", "!", "AAAA"] {
        let reply = move || {
            let trailers = vec![("grpc-status", "14".to_owned()), ("grpc-status-details-bin", details.to_owned())];
            Reply::Grpc(trailers, Vec::new())
        };
        assert_eq!(check(reply).await, Err(Kind::Retry { after: None }), "{details}");
    }
}

#[tokio::test]
async fn trailers_only_answers_and_foreign_answers_are_understood() {
    let trailers_only = || Reply::Http(200, vec![("grpc-status", "16".to_owned())], Vec::new());
    assert_eq!(check(trailers_only).await, Err(Kind::Permanent));
    for (status, expected) in [
        (200, Kind::Retry { after: None }),
        (302, Kind::Permanent),
        (401, Kind::Permanent),
        (404, Kind::Permanent),
        (413, Kind::TooLarge),
        (503, Kind::Retry { after: None }),
    ] {
        let location = vec![("location", "http://127.0.0.1:1/".to_owned())];
        let reply = move || Reply::Http(status, location.clone(), b"<html>".to_vec());
        assert_eq!(check(reply).await, Err(expected), "status {status}");
    }
}

#[tokio::test]
async fn a_connection_without_an_answer_is_tried_again() {
    assert_eq!(check(|| Reply::Break).await, Err(Kind::Retry { after: None }));
    let peer = Peer::start(|_, _| grpc_ok()).await;
    let settings = settings(&peer);
    drop(peer);
    tokio::task::yield_now().await;
    let error = export(&settings, 1).await.unwrap_err();
    assert_eq!(error.kind, Kind::Retry { after: None });
    assert!(error.message.contains("refused"), "{error}");
}

#[tokio::test]
async fn an_answer_is_bounded() {
    let reply = || Reply::Grpc(vec![("grpc-status", "0".to_owned())], vec![0; ANSWER_BYTES_MAX]);
    assert_eq!(check(reply).await, Err(Kind::Permanent));
}

#[tokio::test]
async fn a_stall_ends_with_the_timeout_and_on_a_new_connection() {
    let peer = Peer::start(|number, _| if number == 0 { Reply::Stall } else { grpc_ok() }).await;
    let mut settings = settings(&peer);
    settings.timeout = Duration::from_millis(300);
    let exporter = Arc::new(OtlpGrpc::new(&settings, Signal::Traces, None).unwrap());
    let destination =
        Destination::start("otlp", Signal::Traces, exporter, settings.queue.clone(), settings.retry.clone());
    destination.offer(batch(10));
    let stats = destination.drain(Instant::now() + Duration::from_secs(20)).await;
    assert_eq!((stats.delivered.items, stats.retries, stats.residue()), (10, 1, (0, 0)));
}

#[tokio::test]
async fn nothing_is_lost_when_nine_of_ten_attempts_fail() {
    let peer = Peer::start(|number, _| if number % 10 == 9 { grpc_ok() } else { grpc_status(14, "busy") }).await;
    let settings = settings(&peer);
    let exporter = Arc::new(OtlpGrpc::new(&settings, Signal::Traces, None).unwrap());
    let destination =
        Destination::start("otlp", Signal::Traces, exporter, settings.queue.clone(), settings.retry.clone());
    for _ in 0..50 {
        destination.offer(batch(10));
    }
    let stats = destination.drain(Instant::now() + Duration::from_secs(60)).await;
    assert_eq!((stats.delivered.items, stats.residue()), (500, (0, 0)));
    assert_eq!(stats.retries, 450);
}

#[tokio::test]
async fn a_peer_with_a_small_limit_gets_everything_in_parts() {
    // 1 MiB of spans of 10 KiB to a peer that takes 64 KiB, as grpc-go says no.
    let peer = Peer::start(|_, seen| match seen.body.len() {
        0..65_541 => grpc_ok(),
        size => grpc_status(8, &format!("grpc: received message larger than max ({size} vs. 65536)")),
    })
    .await;
    let settings = settings(&peer);
    let exporter = Arc::new(OtlpGrpc::new(&settings, Signal::Traces, None).unwrap());
    let destination =
        Destination::start("otlp", Signal::Traces, exporter, settings.queue.clone(), settings.retry.clone());
    let sent: Vec<_> = (0..100).map(|number| format!("{number} {}", "x".repeat(10_000))).collect();
    destination.offer(batch_of(&sent));
    let stats = destination.drain(Instant::now() + Duration::from_secs(60)).await;
    assert_eq!((stats.delivered.items, stats.residue()), (100, (0, 0)));
    let mut arrived: Vec<_> =
        peer.seen().iter().filter(|seen| seen.body.len() < 65_541).flat_map(|seen| names(&seen.body[5..])).collect();
    let mut sent = sent;
    arrived.sort();
    sent.sort();
    assert_eq!(arrived, sent);
}

#[tokio::test]
async fn with_wait_for_ready_an_attempt_waits_for_the_peer() {
    let closed = Peer::start(|_, _| grpc_ok()).await;
    let mut settings = settings(&closed);
    drop(closed);
    tokio::task::yield_now().await;
    settings.wait_for_ready = true;
    settings.timeout = Duration::from_millis(500);
    let started = Instant::now();
    assert!(export(&settings, 1).await.is_err());
    assert!(started.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn the_authority_may_be_another_than_the_address() {
    let peer = Peer::start(|_, _| grpc_ok()).await;
    let mut settings = settings(&peer);
    settings.authority = Some("collector.example:443".to_owned());
    export(&settings, 1).await.unwrap();
    assert_eq!(peer.seen()[0].authority, "collector.example:443");
}

#[tokio::test]
async fn a_request_is_never_larger_than_otlp_allows() {
    let peer = Peer::start(|_, _| grpc_ok()).await;
    let exporter = OtlpGrpc::new(&settings(&peer), Signal::Traces, None).unwrap();
    let error = exporter.export(vec![0; REQUEST_BYTES_MAX + 1].into(), &batch(1)).await.unwrap_err();
    assert_eq!(error.kind, Kind::TooLarge);
    assert!(peer.seen().is_empty());
    assert_eq!(DropReason::TooLarge.name(), "too_large");
}

#[test]
fn endpoints() {
    for (text, expected) in [
        ("localhost:4317", Ok(("localhost:4317", false))),
        ("http://localhost:4317", Ok(("localhost:4317", false))),
        ("https://jaeger.example:4317/", Ok(("jaeger.example:4317", true))),
        ("dns:///jaeger:4317", Ok(("jaeger:4317", false))),
        ("passthrough:///10.0.0.1:4317", Ok(("10.0.0.1:4317", false))),
        ("[::1]:4317", Ok(("[::1]:4317", false))),
        ("localhost", Err("`localhost` has no port; write `localhost:4317`")),
        ("unix:///run/x", Ok(("localhost", false))),
        ("unix:run/x", Err("`unix:run/x` names no absolute path; write one such as `unix:///run/otlp.sock`")),
        ("ftp://a:1", Err("the scheme `ftp` is not supported; write `host:port`, such as `backend:4317`")),
        (
            "dns://8.8.8.8/jaeger:4317",
            Err(
                "`dns://8.8.8.8/jaeger:4317` names a resolver between its slashes; write one such as `dns:///backend:4317`",
            ),
        ),
        ("", Err("this is empty; write `host:port`, such as `backend:4317`")),
        ("a b:1", Err("`a b:1` is no host and port; write `host:port`, such as `backend:4317`")),
        ("u:p@host:1", Err("`u:p@host:1` is no host and port; write `host:port`, such as `backend:4317`")),
        ("host:99999", Err("`host:99999` has no port; write `host:4317`")),
        ("host:4317/path", Err("`host:4317/path` is no host and port; write `host:port`, such as `backend:4317`")),
    ] {
        let parsed = GrpcEndpoint::parse(text);
        let found = parsed.as_ref().map(|endpoint| (endpoint.authority.as_str(), endpoint.https));
        assert_eq!(found.map_err(String::as_str), expected, "{text}");
    }
}

/// Unpadded base64, as gRPC writes binary headers.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for index in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(word >> (18 - 6 * index) & 63) as usize]));
        }
    }
    text
}

#[tokio::test]
async fn a_reset_connection_costs_an_attempt_and_nothing_else() {
    // Accepts, reads a little, and resets, as a crashing peer does; from the third connection on it is well.
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let well = Peer::start(|_, _| grpc_ok()).await;
    let endpoint = listener.local_addr().unwrap().to_string();
    let target = well.address;
    let resetting = tokio::spawn(async move {
        for number in 0.. {
            let (mut socket, _) = listener.accept().await.unwrap();
            if number < 2 {
                let _ = socket.readable().await;
                socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO)).unwrap();
                continue;
            }
            let mut onward = tokio::net::TcpStream::connect(target).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut socket, &mut onward).await });
        }
    });
    let settings = OtlpGrpcSettings { endpoint: GrpcEndpoint::parse(&endpoint).unwrap(), ..settings(&well) };
    let exporter = Arc::new(OtlpGrpc::new(&settings, Signal::Traces, None).unwrap());
    let destination =
        Destination::start("otlp", Signal::Traces, exporter, settings.queue.clone(), settings.retry.clone());
    for _ in 0..20 {
        destination.offer(batch(10));
    }
    let stats = destination.drain(Instant::now() + Duration::from_secs(20)).await;
    assert_eq!((stats.delivered.items, stats.residue()), (200, (0, 0)));
    assert!(stats.retries > 0);
    resetting.abort();
}

#[test]
fn pings_are_grpc_gos() {
    let seconds = Duration::from_secs;
    let written =
        |interval_s, timeout_s| Ping { interval: seconds(interval_s), timeout: seconds(timeout_s), while_idle: true };
    assert_eq!(ping(written(0, 5)), None);
    assert_eq!(ping(written(1, 0)), Some(written(10, 20)));
    assert_eq!(ping(written(30, 5)), Some(written(30, 5)));
}
