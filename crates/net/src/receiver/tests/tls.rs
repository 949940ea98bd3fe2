//! TLS, with and without certificates of clients.

use std::path::PathBuf;

use rustls::ClientConfig;
use tokio_rustls::TlsConnector;

use super::*;
use crate::tls::{Material, Pem, TlsClient, TlsServer};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/certificates").join(name)
}

fn server(client_ca: bool) -> TlsServer {
    let material = Material {
        certificate: Some(Pem::File(file("server.pem"))),
        key: Some(Pem::File(file("server.key.pem"))),
        ..Material::default()
    };
    TlsServer { material, client_ca_file: client_ca.then(|| file("authority.pem")), ..TlsServer::default() }
}

fn client(certificate: bool, alpn: &[&[u8]]) -> ClientConfig {
    let material = Material {
        ca: Some(Pem::File(file("authority.pem"))),
        certificate: certificate.then(|| Pem::File(file("client.pem"))),
        key: certificate.then(|| Pem::File(file("client.key.pem"))),
        ..Material::default()
    };
    TlsClient { material, ..TlsClient::default() }.config(alpn).unwrap()
}

/// The status of a call or post over TLS; an error is a handshake that failed or a connection that was closed.
async fn exchange(address: SocketAddr, config: ClientConfig, http2: bool) -> Result<u16, String> {
    let stream = TcpStream::connect(address).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| error.to_string())?;
    let request = Request::post(format!("https://localhost{}", if http2 { EXPORT } else { "/v1/traces" }));
    let content_type = if http2 { "application/grpc" } else { "application/x-protobuf" };
    let request = request.header("content-type", content_type).header("host", "localhost");
    let request = request.body(Full::<Bytes>::from(framed(0, b""))).unwrap();
    let answered = async {
        let response = if http2 {
            let client = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
            let (mut sender, connection) = client.map_err(|error| error.to_string())?;
            tokio::spawn(connection);
            sender.send_request(request).await
        } else {
            let client = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
            let (mut sender, connection) = client.map_err(|error| error.to_string())?;
            tokio::spawn(connection);
            sender.send_request(request).await
        };
        response.map(|response| response.status().as_u16()).map_err(|error| error.to_string())
    };
    tokio::time::timeout(SOON, answered).await.unwrap()
}

#[tokio::test]
async fn both_protocols_speak_tls() {
    let bench = Bench::with(FakeIntake::accepting(), |grpc, http| {
        (grpc.tls, http.tls) = (Some(server(false)), Some(server(false)));
    })
    .await;
    assert_eq!(exchange(bench.address(Transport::Grpc), client(false, &[b"h2"]), true).await, Ok(200));
    assert_eq!(exchange(bench.address(Transport::Http), client(false, &[b"http/1.1"]), false).await, Ok(200));
    assert_eq!(exchange(bench.address(Transport::Http), client(false, &[]), false).await, Ok(200));
    assert_eq!(bench.intake.bodies().len(), 3);
    // A stranger's certificate is not trusted, unless it is said not to matter.
    let stranger = TlsClient::default().config(&[b"h2"]).unwrap();
    assert!(exchange(bench.address(Transport::Grpc), stranger, true).await.is_err());
    let trusting = TlsClient { insecure_skip_verify: true, ..TlsClient::default() }.config(&[b"h2"]).unwrap();
    assert_eq!(exchange(bench.address(Transport::Grpc), trusting, true).await, Ok(200));
}

#[tokio::test]
async fn a_client_without_the_asked_certificate_is_refused() {
    let bench = Bench::with(FakeIntake::accepting(), |grpc, _| grpc.tls = Some(server(true))).await;
    let address = bench.address(Transport::Grpc);
    assert_eq!(exchange(address, client(true, &[b"h2"]), true).await, Ok(200));
    assert!(exchange(address, client(false, &[b"h2"]), true).await.is_err());
    assert_eq!(bench.intake.bodies().len(), 1);
}

#[tokio::test]
async fn plain_text_at_a_tls_port_gets_nothing() {
    let bench = Bench::with(FakeIntake::accepting(), |_, http| http.tls = Some(server(false))).await;
    let stream = bench.connect(Transport::Http).await;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post("/v1/traces").header("host", "x").body(Full::<Bytes>::default()).unwrap();
    assert!(tokio::time::timeout(SOON, sender.send_request(request)).await.unwrap().is_err());
}

#[tokio::test]
async fn broken_files_stop_the_start() {
    let mut tls = server(false);
    tls.material.key = Some(Pem::File(file("no-such.pem")));
    let grpc = GrpcServer { endpoint: Endpoint::tcp("127.0.0.1:0"), tls: Some(tls), ..GrpcServer::default() };
    let settings = OtlpReceiver { grpc: Some(grpc), http: None };
    let error = serve_plain(&settings).await.unwrap_err();
    assert!(error.to_string().contains("cannot use `key_file`"), "{error}");
}

#[tokio::test]
async fn a_changed_certificate_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let copy = |from: &str, to: &str| std::fs::copy(file(from), folder.path().join(to)).unwrap();
    copy("server.pem", "server.pem");
    copy("server.key.pem", "server.key.pem");
    copy("client.pem", "authority.pem");
    let mut tls = server(true);
    tls.client_ca_file = Some(folder.path().join("authority.pem"));
    tls.material.reload_interval = Duration::from_nanos(1);
    let bench = Bench::with(FakeIntake::accepting(), |grpc, _| grpc.tls = Some(tls)).await;
    let address = bench.address(Transport::Grpc);
    assert!(exchange(address, client(true, &[b"h2"]), true).await.is_err(), "another authority is asked for");
    copy("authority.pem", "authority.pem");
    assert_eq!(exchange(address, client(true, &[b"h2"]), true).await, Ok(200));
    std::fs::write(folder.path().join("authority.pem"), "broken").unwrap();
    assert_eq!(exchange(address, client(true, &[b"h2"]), true).await, Ok(200), "the last good one stays");
}
