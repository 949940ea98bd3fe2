//! Exporters behind TLS: whom they trust, whom they do not, and who they say they are.

use otlp::Signal;

use super::compress::Compression;
use super::otlp_grpc::{GrpcEndpoint, OtlpGrpc, OtlpGrpcSettings};
use super::otlp_http::{OtlpHttp, OtlpHttpSettings};
use super::peer::{Peer, Reply, batch, grpc_ok, server_tls, testdata};
use super::{Delivered, ExportError, Exporter};
use crate::tls::{Material, Pem, TlsClient};

fn trusting() -> TlsClient {
    let ca = Some(Pem::File(testdata("authority.pem")));
    TlsClient { material: Material { ca, ..Material::default() }, ..TlsClient::default() }
}

async fn grpc(peer: &Peer, endpoint: &str, tls: TlsClient) -> Result<Delivered, ExportError> {
    let endpoint = endpoint.replace("PORT", &peer.address.port().to_string());
    let settings = OtlpGrpcSettings { tls, ..OtlpGrpcSettings::new(GrpcEndpoint::parse(&endpoint).unwrap()) };
    let batch = batch(2);
    OtlpGrpc::new(&settings, Signal::Traces, None).unwrap().export(batch.body.clone(), &batch).await
}

async fn http(peer: &Peer, tls: TlsClient) -> Result<Delivered, ExportError> {
    let mut settings = OtlpHttpSettings::new(format!("https://127.0.0.1:{}", peer.address.port()));
    settings.http.tls = tls;
    settings.http.compression = Compression::NONE;
    let batch = batch(2);
    OtlpHttp::new(&settings, Signal::Traces, None).unwrap().export(batch.body.clone(), &batch).await
}

#[tokio::test]
async fn grpc_trusts_its_authority_and_nobody_else() {
    let peer = Peer::start_tls(server_tls(false, &[b"h2"]), |_, _| grpc_ok()).await;
    assert_eq!(grpc(&peer, "127.0.0.1:PORT", trusting()).await, Ok(Delivered::default()));
    assert_eq!(grpc(&peer, "https://127.0.0.1:PORT", trusting()).await, Ok(Delivered::default()));
    let stranger = grpc(&peer, "127.0.0.1:PORT", TlsClient::default()).await.unwrap_err();
    assert!(stranger.message.contains("certificate"), "{stranger}");
    let any = TlsClient { insecure_skip_verify: true, ..TlsClient::default() };
    assert_eq!(grpc(&peer, "127.0.0.1:PORT", any).await, Ok(Delivered::default()));
    // `https://` wins over `insecure`.
    let contradiction = TlsClient { insecure: true, ..trusting() };
    assert_eq!(grpc(&peer, "https://127.0.0.1:PORT", contradiction).await, Ok(Delivered::default()));
}

#[tokio::test]
async fn the_name_must_be_the_one_expected() {
    let peer = Peer::start_tls(server_tls(false, &[b"h2"]), |_, _| grpc_ok()).await;
    let named = |name: &str| TlsClient { server_name_override: name.to_owned(), ..trusting() };
    assert_eq!(grpc(&peer, "127.0.0.1:PORT", named("collector.test")).await, Ok(Delivered::default()));
    let wrong = grpc(&peer, "127.0.0.1:PORT", named("other.test")).await.unwrap_err();
    assert!(wrong.message.contains("not valid for name"), "{wrong}");
}

#[tokio::test]
async fn a_client_shows_its_certificate_where_it_is_asked() {
    let peer = Peer::start_tls(server_tls(true, &[b"h2"]), |_, _| grpc_ok()).await;
    assert!(grpc(&peer, "127.0.0.1:PORT", trusting()).await.is_err());
    let mut known = trusting();
    known.material.certificate = Some(Pem::File(testdata("client.pem")));
    known.material.key = Some(Pem::File(testdata("client.key")));
    assert_eq!(grpc(&peer, "127.0.0.1:PORT", known).await, Ok(Delivered::default()));
}

#[tokio::test]
async fn http_speaks_what_the_peer_can() {
    for (alpn, expected) in [
        (&[&b"h2"[..], b"http/1.1"][..], http::Version::HTTP_2),
        (&[b"http/1.1"], http::Version::HTTP_11),
        (&[], http::Version::HTTP_11),
    ] {
        let peer = Peer::start_tls(server_tls(false, alpn), |_, _| Reply::Http(200, Vec::new(), Vec::new())).await;
        assert_eq!(http(&peer, trusting()).await, Ok(Delivered::default()));
        assert_eq!(peer.seen()[0].version, expected);
        assert!(http(&peer, TlsClient::default()).await.is_err());
    }
}

#[tokio::test]
async fn plain_text_is_never_sent_to_a_peer_that_should_speak_tls() {
    let peer = Peer::start(|_, _| grpc_ok()).await;
    assert!(grpc(&peer, "127.0.0.1:PORT", trusting()).await.is_err());
    assert!(http(&peer, trusting()).await.is_err());
    assert!(peer.seen().is_empty());
}

#[test]
fn a_missing_file_is_named() {
    let mut tls = trusting();
    tls.material.ca = Some(Pem::File("no/such/file.pem".into()));
    let settings = OtlpGrpcSettings { tls, ..OtlpGrpcSettings::new(GrpcEndpoint::parse("a:1").unwrap()) };
    let error = OtlpGrpc::new(&settings, Signal::Traces, None).err().unwrap();
    assert!(error.contains("no/such/file.pem"), "{error}");
}
