//! Credentials: who has none is answered before the body is read, and learns nothing.

use ::http::HeaderValue;
use prost::Message;

use super::*;
use crate::auth::{Denied, Identity, ServerAuth};

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const JSON: (&str, &str) = ("content-type", "application/json");

/// Lets in who says the word.
#[derive(Debug)]
struct Word;

impl ServerAuth for Word {
    fn check<'a>(&'a self, headers: &'a HeaderMap) -> BoxFuture<'a, Result<Option<Identity>, Denied>> {
        Box::pin(async move {
            match headers.get("authorization").map(HeaderValue::as_bytes) {
                Some(b"sesame") => Ok(None),
                Some(b"crowd") => Err(Denied::Busy),
                _ => Err(Denied::Credentials),
            }
        })
    }

    fn challenge(&self) -> Option<HeaderValue> {
        Some(HeaderValue::from_static("Word"))
    }
}

/// Finds [`Word`] by its name.
fn word(name: &str) -> Option<Arc<dyn ServerAuth>> {
    (name == "word").then(|| Arc::new(Word) as Arc<dyn ServerAuth>)
}

fn named(name: &str) -> Option<AuthServer> {
    Some(AuthServer { authenticator: name.to_owned(), request_params: vec!["Authorization".to_owned()] })
}

async fn guarded() -> Bench {
    Bench::guarded(FakeIntake::accepting(), &word, |grpc, http| {
        (grpc.auth, http.auth) = (named("word"), named("word"));
        http.cors = Some(Cors { allowed_origins: vec!["https://shop.example".to_owned()], ..Cors::default() });
    })
    .await
}

#[tokio::test]
async fn grpc_without_credentials_is_unauthenticated() {
    let bench = guarded().await;
    for headers in [&[][..], &[("authorization", "guess")]] {
        let answer = bench.call(headers, framed(0, b"secret")).await;
        let status = tonic::Status::from_header_map(&answer.headers).unwrap();
        assert_eq!((answer.status, status.code()), (200, tonic::Code::Unauthenticated));
        assert_eq!((status.message(), status.details()), ("valid credentials are needed", &[][..]));
    }
    assert!(bench.intake.bodies().is_empty());
    assert_eq!(bench.call(&[("authorization", "crowd")], framed(0, b"x")).await.header("grpc-status"), "14");
    assert_eq!(bench.call(&[("authorization", "sesame")], framed(0, b"x")).await.header("grpc-status"), "0");
    let counts = bench.counts(Transport::Grpc);
    assert_eq!(counts.refused_for(RefusedReason::Unauthenticated), 2);
    assert_eq!((counts.refused_requests(), counts.accepted_requests), (3, 1));
}

#[tokio::test]
async fn http_without_credentials_is_unauthorized() {
    let bench = guarded().await;
    for content_type in [PROTOBUF, JSON] {
        let answer = bench.post(&[content_type, ("authorization", "guess")], "{}").await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, "Word"));
        assert_eq!(answer.header("content-type"), content_type.1);
        let message = match content_type {
            JSON => serde_json::from_str::<serde_json::Value>(answer.text()).unwrap()["message"].to_string(),
            _ => RpcStatus::decode(&*answer.body).unwrap().message,
        };
        assert_eq!(message.trim_matches('"'), "valid credentials are needed");
    }
    assert_eq!(bench.post(&[PROTOBUF, ("authorization", "crowd")], "").await.status, 503);
    assert_eq!(bench.post(&[PROTOBUF, ("authorization", "sesame")], "").await.status, 200);
    let counts = bench.counts(Transport::Http);
    assert_eq!((counts.refused_for(RefusedReason::Unauthenticated), counts.accepted_requests), (2, 1));
}

#[tokio::test]
async fn who_has_no_credentials_does_not_learn_what_is_served() {
    let bench = guarded().await;
    let ask = async |path: &str, word: &str| {
        let request = Request::post(path).header("host", "x").header("authorization", word);
        bench.request(request.header(PROTOBUF.0, PROTOBUF.1).body(Full::default()).unwrap()).await.status
    };
    assert_eq!((ask("/v1/metrics", "guess").await, ask("/v1/metrics", "sesame").await), (401, 404));
    let counts = bench.running.stats.transport(Transport::Http);
    assert_eq!((counts.unauthenticated_requests, counts.unserved_requests), (1, 1));
    // A parameter of the query stands for the header, and goes before it.
    assert_eq!(ask("/v1/traces?Authorization=sesame", "guess").await, 200);
    assert_eq!(ask("/v1/traces?Authorization=ses%61me", "guess").await, 200);
    assert_eq!(ask("/v1/traces?Authorization=guess", "sesame").await, 401);
    assert_eq!(ask("/v1/traces?authorization=guess", "sesame").await, 200);
}

#[tokio::test]
async fn a_preflight_needs_no_credentials() {
    let bench = guarded().await;
    let origin = ("origin", "https://shop.example");
    let request = Request::options("/v1/traces").header("host", "x").header(origin.0, origin.1);
    let request = request.header("access-control-request-method", "POST").body(Full::default()).unwrap();
    let answer = bench.request(request).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, origin.1));
    // The page may see why its post failed.
    let refused = bench.post(&[PROTOBUF, origin], "").await;
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (401, origin.1));
}

#[tokio::test]
async fn the_body_is_not_waited_for() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let bench = guarded().await;
    let mut stream = bench.connect(Transport::Http).await;
    let head = "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    tokio::time::timeout(SOON, stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer, b"HTTP/1.1 401");
}

#[tokio::test]
async fn an_unknown_authenticator_stops_the_start() {
    let grpc = GrpcServer { endpoint: Endpoint::tcp("127.0.0.1:0"), auth: named("ward"), ..GrpcServer::default() };
    let error = serve_plain(&OtlpReceiver { grpc: Some(grpc), http: None }).await.unwrap_err();
    assert_eq!(error.to_string(), "`auth` of `grpc` names `ward`, which does not check credentials");
}
