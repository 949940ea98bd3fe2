//! TLS, with and without certificates of clients.

use std::path::PathBuf;

use rustls::ClientConfig;
use tokio_rustls::TlsConnector;

use super::*;
use crate::tls::{Material, Pem, TlsClient, TlsServer, Version};

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
    client_with(certificate.then_some("client"), alpn, |_| {})
}

/// A client that trusts the authority and shows that certificate.
fn client_with(certificate: Option<&str>, alpn: &[&[u8]], change: impl FnOnce(&mut Material)) -> ClientConfig {
    let mut material = Material {
        ca: Some(Pem::File(file("authority.pem"))),
        certificate: certificate.map(|name| Pem::File(file(&format!("{name}.pem")))),
        key: certificate.map(|name| Pem::File(file(&format!("{name}.key.pem")))),
        ..Material::default()
    };
    change(&mut material);
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
async fn wrong_expired_and_missing_certificates_are_counted() {
    let bench = Bench::with(FakeIntake::accepting(), |grpc, http| {
        (grpc.tls, http.tls) = (Some(server(true)), Some(server(true)));
    })
    .await;
    for (transport, alpn) in [(Transport::Grpc, &b"h2"[..]), (Transport::Http, b"http/1.1")] {
        let http2 = transport == Transport::Grpc;
        for certificate in [None, Some("expired"), Some("stranger")] {
            let config = client_with(certificate, &[alpn], |_| {});
            assert!(exchange(bench.address(transport), config, http2).await.is_err(), "{transport} {certificate:?}");
        }
        assert_eq!(exchange(bench.address(transport), client(true, &[alpn]), http2).await, Ok(200));
        assert_eq!(bench.running.stats.transport(transport).tls_errors, 3, "{transport}");
    }
    assert_eq!(bench.intake.bodies().len(), 2);
}

#[tokio::test]
async fn versions_suites_and_curves_are_those_of_the_settings() {
    let talks = async |tls: TlsServer, change: fn(&mut Material)| {
        let bench = Bench::with(FakeIntake::accepting(), |grpc, _| grpc.tls = Some(tls)).await;
        exchange(bench.address(Transport::Grpc), client_with(None, &[b"h2"], change), true).await.is_ok()
    };
    let with = |change: fn(&mut Material)| {
        let mut tls = server(false);
        change(&mut tls.material);
        tls
    };
    let only_12 = |material: &mut Material| material.max_version = Some(Version::Tls12);
    let only_13 = |material: &mut Material| material.min_version = Some(Version::Tls13);
    assert!(talks(with(only_12), |_| {}).await && talks(with(only_13), |_| {}).await);
    assert!(!talks(with(only_13), only_12).await && !talks(with(only_12), only_13).await);
    assert!(talks(with(|material| material.min_version = Some(Version::Tls10)), only_12).await);
    // The key is one of ECDSA.
    let rsa =
        |material: &mut Material| material.cipher_suites = vec!["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256".to_owned()];
    let ecdsa =
        |material: &mut Material| material.cipher_suites = vec!["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256".to_owned()];
    assert!(talks(with(ecdsa), only_12).await && !talks(with(rsa), only_12).await);
    assert!(talks(with(rsa), only_13).await, "the list is about 1.2 alone");
    let p384 = |material: &mut Material| material.curve_preferences = vec!["P384".to_owned()];
    let p521_p256 = |material: &mut Material| material.curve_preferences = vec!["P521".to_owned(), "P256".to_owned()];
    assert!(talks(with(p384), |_| {}).await && !talks(with(p384), p521_p256).await);
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
async fn a_changed_server_certificate_is_shown_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let copy = |from: &str| {
        std::fs::copy(file(&format!("{from}.pem")), folder.path().join("c.pem")).unwrap();
        std::fs::copy(file(&format!("{from}.key.pem")), folder.path().join("k.pem")).unwrap();
    };
    copy("server");
    let mut tls = server(false);
    tls.material.certificate = Some(Pem::File(folder.path().join("c.pem")));
    tls.material.key = Some(Pem::File(folder.path().join("k.pem")));
    tls.material.reload_interval = Duration::from_nanos(1);
    let bench = Bench::with(FakeIntake::accepting(), |_, http| http.tls = Some(tls)).await;
    let trusting = async |authority: &str| {
        let ca = Some(Pem::File(file(authority)));
        let config = client_with(None, &[b"http/1.1"], |material| material.ca = ca);
        exchange(bench.address(Transport::Http), config, false).await.is_ok()
    };
    assert!(trusting("authority.pem").await && !trusting("other_authority.pem").await);
    copy("stranger");
    assert!(!trusting("authority.pem").await && trusting("other_authority.pem").await);
    // A key that does not belong to the certificate, as in the middle of a rotation, and then no key at all.
    std::fs::copy(file("server.key.pem"), folder.path().join("k.pem")).unwrap();
    assert!(trusting("other_authority.pem").await, "the last good pair stays");
    std::fs::remove_file(folder.path().join("k.pem")).unwrap();
    assert!(trusting("other_authority.pem").await, "the last good pair stays");
}

#[tokio::test]
async fn a_changed_client_authority_is_read_again() {
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
