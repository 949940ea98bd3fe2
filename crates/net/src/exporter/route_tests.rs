//! Which way requests take: the path of their signal, sockets of the file system, proxies, cookies, authenticators.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use otlp::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener};

use super::compress::Compression;
use super::otlp_grpc::{GrpcEndpoint, OtlpGrpc, OtlpGrpcSettings};
use super::otlp_http::{OtlpHttp, OtlpHttpSettings};
use super::peer::{Peer, Reply, batch, grpc_ok, grpc_status, server_tls, testdata};
use super::{Delivered, ExportError, Exporter};
use crate::BoxFuture;
use crate::auth::ClientAuth;
use crate::tls::{Material, Pem, TlsClient};

fn ok() -> Reply {
    Reply::Http(200, Vec::new(), Vec::new())
}

fn grpc_settings(endpoint: &str) -> OtlpGrpcSettings {
    let mut settings = OtlpGrpcSettings::new(GrpcEndpoint::parse(endpoint).unwrap());
    settings.tls.insecure = true;
    settings
}

async fn send(exporter: impl Exporter) -> Result<Delivered, ExportError> {
    let batch = batch(2);
    exporter.export(batch.body.clone(), &batch).await
}

#[tokio::test]
async fn each_signal_has_its_path() {
    for (signal, method, path) in [
        (Signal::Traces, "/opentelemetry.proto.collector.trace.v1.TraceService/Export", "/v1/traces"),
        (Signal::Metrics, "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", "/v1/metrics"),
        (Signal::Logs, "/opentelemetry.proto.collector.logs.v1.LogsService/Export", "/v1/logs"),
    ] {
        let peer = Peer::start(|_, _| grpc_ok()).await;
        let settings = grpc_settings(&peer.address.to_string());
        send(OtlpGrpc::new(&settings, signal, None).unwrap()).await.unwrap();
        let http = Peer::start(|_, _| ok()).await;
        send(OtlpHttp::new(&OtlpHttpSettings::new(http.http()), signal, None).unwrap()).await.unwrap();
        assert_eq!((peer.seen()[0].path.as_str(), http.seen()[0].path.as_str()), (method, path));
    }
    let mut settings = OtlpHttpSettings::new("");
    settings.logs_endpoint = "http://logs/x".to_owned();
    assert_eq!(settings.url(Signal::Logs).unwrap(), "http://logs/x");
    let error = OtlpHttp::new(&settings, Signal::Metrics, None).err().unwrap();
    assert_eq!(error, "there is neither `endpoint` nor `metrics_endpoint`; write one of them");
}

#[tokio::test]
async fn grpc_goes_to_a_socket_of_the_file_system() {
    let peer = Peer::start(|_, _| grpc_ok()).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("otlp.sock");
    let (listener, to) = (UnixListener::bind(&path).unwrap(), peer.address);
    let forwarding = tokio::spawn(async move {
        let (mut here, _) = listener.accept().await.unwrap();
        let mut there = TcpStream::connect(to).await.unwrap();
        tokio::io::copy_bidirectional(&mut here, &mut there).await
    });
    let settings = grpc_settings(&format!("unix://{}", path.display()));
    send(OtlpGrpc::new(&settings, Signal::Traces, None).unwrap()).await.unwrap();
    assert_eq!(peer.seen()[0].authority, "localhost");
    forwarding.abort();
    let gone = grpc_settings("unix:///no/such.sock");
    let error = send(OtlpGrpc::new(&gone, Signal::Traces, None).unwrap()).await.unwrap_err();
    assert!(error.message.contains("`/no/such.sock`"), "{error}");
}

#[tokio::test]
async fn plain_http_goes_through_a_proxy_as_a_whole_url() {
    let proxy = Peer::start(|_, _| ok()).await;
    let mut settings = OtlpHttpSettings::new("http://backend.invalid:4318");
    settings.http.proxy_url = proxy.http().replace("://", "://me:secret@");
    send(OtlpHttp::new(&settings, Signal::Traces, None).unwrap()).await.unwrap();
    let seen = proxy.seen().remove(0);
    assert_eq!((seen.authority.as_str(), seen.path.as_str()), ("backend.invalid:4318", "/v1/traces"));
    assert_eq!(seen.headers["proxy-authorization"], "Basic bWU6c2VjcmV0");
}

#[tokio::test]
async fn https_goes_through_a_proxy_in_a_tunnel() {
    let peer = Peer::start_tls(server_tls(false, &[b"http/1.1"]), |_, _| ok()).await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let (at, to) = (listener.local_addr().unwrap(), peer.address);
    let (tell, mut told) = tokio::sync::mpsc::channel(2);
    let proxying = tokio::spawn(async move {
        for answer in ["HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "HTTP/1.1 200 OK\r\nVia: x\r\n\r\n"] {
            let (mut here, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(here.read_u8().await.unwrap());
            }
            tell.send(String::from_utf8(head).unwrap()).await.unwrap();
            here.write_all(answer.as_bytes()).await.unwrap();
            let mut there = TcpStream::connect(to).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut here, &mut there).await });
        }
    });
    let mut settings = OtlpHttpSettings::new(format!("https://127.0.0.1:{}", to.port()));
    let ca = Some(Pem::File(testdata("authority.pem")));
    settings.http.tls = TlsClient { material: Material { ca, ..Material::default() }, ..TlsClient::default() };
    settings.http.proxy_url = format!("http://me:secret@{at}");
    let error = send(OtlpHttp::new(&settings, Signal::Traces, None).unwrap()).await.unwrap_err();
    assert!(error.message.contains("407 Proxy Authentication Required"), "{error}");
    send(OtlpHttp::new(&settings, Signal::Traces, None).unwrap()).await.unwrap();
    let head = told.recv().await.unwrap();
    let expected = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n");
    assert_eq!(head, expected);
    assert!(!peer.seen()[0].headers.contains_key("proxy-authorization"));
    proxying.abort();
}

#[tokio::test]
async fn cookies_are_sent_back_where_that_is_wanted() {
    for wanted in [false, true] {
        let set = || Reply::Http(200, vec![("set-cookie", "route=a1; Path=/".to_owned())], Vec::new());
        let peer = Peer::start(move |_, _| set()).await;
        let mut settings = OtlpHttpSettings::new(peer.http());
        settings.http.cookies = wanted;
        let exporter = OtlpHttp::new(&settings, Signal::Traces, None).unwrap();
        let batch = batch(2);
        for _ in 0..2 {
            exporter.export(batch.body.clone(), &batch).await.unwrap();
        }
        let cookies: Vec<_> = peer.seen().iter().map(|seen| seen.headers.get("cookie").cloned()).collect();
        assert_eq!(cookies, [None, wanted.then(|| HeaderValue::from_static("route=a1"))]);
    }
}

/// A token that is another one after each rejection.
#[derive(Debug, Default)]
struct Rotating(parking_lot::Mutex<u32>);

impl ClientAuth for Rotating {
    fn headers(&self) -> BoxFuture<'_, Result<Vec<(HeaderName, HeaderValue)>, String>> {
        let value = HeaderValue::from_str(&format!("Bearer {}", self.0.lock())).unwrap();
        Box::pin(async { Ok(vec![(http::header::AUTHORIZATION, value)]) })
    }

    fn rejected(&self) {
        *self.0.lock() += 1;
    }

    fn can_refresh(&self) -> bool {
        true
    }

    fn needs_tls(&self) -> bool {
        false
    }
}

#[tokio::test]
async fn grpc_bears_credentials_and_tries_others_once() {
    let peer = Peer::start(|_, seen| match seen.headers["authorization"].as_bytes() {
        b"Bearer 1" => grpc_ok(),
        _ => grpc_status(16, "who are you"),
    })
    .await;
    let mut settings = grpc_settings(&peer.address.to_string());
    settings.compression = Compression::NONE;
    let auth = Arc::new(Rotating::default());
    send(OtlpGrpc::new(&settings, Signal::Traces, Some(auth.clone())).unwrap()).await.unwrap();
    assert_eq!(peer.seen().len(), 2);
    *auth.0.lock() = 5;
    let error = send(OtlpGrpc::new(&settings, Signal::Traces, Some(auth)).unwrap()).await.unwrap_err();
    assert_eq!((peer.seen().len(), error.message.as_str()), (4, "Unauthenticated: who are you"));
}

#[derive(Debug)]
struct Basic;

impl ClientAuth for Basic {
    fn headers(&self) -> BoxFuture<'_, Result<Vec<(HeaderName, HeaderValue)>, String>> {
        Box::pin(async { Err("the file is gone".to_owned()) })
    }
}

#[tokio::test]
async fn grpc_sends_no_credentials_over_plain_text_and_none_are_waited_for() {
    let error = OtlpGrpc::new(&grpc_settings("a:1"), Signal::Traces, Some(Arc::new(Basic))).err().unwrap();
    assert!(error.contains("over TLS only"), "{error}");
    let settings = OtlpHttpSettings::new("http://127.0.0.1:9");
    let error = send(OtlpHttp::new(&settings, Signal::Traces, Some(Arc::new(Basic))).unwrap()).await.unwrap_err();
    assert_eq!(error, ExportError::retry("no credentials: the file is gone"));
}

#[tokio::test]
async fn a_name_is_looked_up_and_its_addresses_take_turns() {
    let peer = Peer::start(|_, _| grpc_ok()).await;
    // `localhost` may be ::1 as well, where nobody listens.
    for balancer_name in ["round_robin", "pick_first", ""] {
        let mut settings = grpc_settings(&format!("dns:///localhost:{}", peer.address.port()));
        settings.balancer_name = balancer_name.to_owned();
        let exporter = OtlpGrpc::new(&settings, Signal::Traces, None).unwrap();
        let batch = batch(2);
        for _ in 0..3 {
            exporter.export(batch.body.clone(), &batch).await.unwrap();
        }
    }
    assert_eq!(peer.seen().len(), 9);
    assert_eq!(peer.seen()[0].authority, format!("localhost:{}", peer.address.port()));
    let unknown = grpc_settings("no.such.name.invalid:4317");
    let error = send(OtlpGrpc::new(&unknown, Signal::Traces, None).unwrap()).await.unwrap_err();
    assert_eq!(error.message, "cannot connect: `no.such.name.invalid:4317` has no address");
}
