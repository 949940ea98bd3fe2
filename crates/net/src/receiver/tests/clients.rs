//! What an intake is told of who sent a request.

use super::*;
use crate::auth::{Denied, Identity, ServerAuth};
use crate::client::Peer;

/// Lets everybody in who brings the header of `basicauth`.
#[derive(Debug)]
struct Basic;

impl ServerAuth for Basic {
    fn check<'a>(&'a self, headers: &'a HeaderMap) -> BoxFuture<'a, Result<Option<Identity>, Denied>> {
        let header = headers.get("authorization").map(|value| Identity::basic(value.as_bytes()));
        Box::pin(async { Ok(header) })
    }
}

const HEADERS: [(&str, &str); 3] = [("x-tenant", "A"), ("x-tenant", "B"), ("authorization", "Basic YWxpY2U6cHc=")];

/// The clients of a call and a post with these headers.
async fn clients(include_metadata: bool, auth: bool, headers: &[(&str, &str)]) -> [Arc<Client>; 2] {
    let basic = |_: &str| Some(Arc::new(Basic) as Arc<dyn ServerAuth>);
    let named = || auth.then(|| AuthServer { authenticator: "basic".to_owned(), request_params: Vec::new() });
    let bench = Bench::guarded(FakeIntake::accepting(), &basic, |grpc, http| {
        (grpc.auth, http.auth) = (named(), named());
        (grpc.include_metadata, http.include_metadata) = (include_metadata, include_metadata);
    })
    .await;
    assert_eq!(bench.call(headers, framed(0, b"x")).await.header("grpc-status"), "0");
    let posted = [&[("content-type", "application/x-protobuf")], headers].concat();
    assert_eq!(bench.post(&posted, "x").await.status, 200);
    bench.intake.clients.lock().clone().try_into().unwrap()
}

fn values(client: &Client, key: &str) -> String {
    let values = client.metadata.get(key).map(|value| String::from_utf8_lossy(value).into_owned());
    values.collect::<Vec<_>>().join(";")
}

#[tokio::test]
async fn headers_are_shown_where_the_settings_want_it() {
    let [grpc, http] = clients(true, false, &HEADERS).await;
    for client in [&grpc, &http] {
        assert_eq!(values(client, "X-Tenant"), "A;B");
        assert_eq!(client.address(), "127.0.0.1");
        assert_eq!(client.identity, None);
    }
    assert!(values(&grpc, ":authority").starts_with("127.0.0.1:"));
    assert_eq!((values(&grpc, "Host"), values(&grpc, "te")), (values(&grpc, ":authority"), String::new()));
    assert_eq!(values(&http, "Host"), "collector");
}

#[tokio::test]
async fn without_them_there_is_an_address_alone() {
    for client in clients(false, false, &HEADERS).await {
        assert_eq!(*client, Client::at(client.peer.clone()));
        assert!(matches!(client.peer, Peer::Tcp(_) | Peer::Ip(_)));
    }
}

#[tokio::test]
async fn what_an_authenticator_knows_is_passed_on() {
    for client in clients(false, true, &HEADERS).await {
        assert_eq!(client.identity.as_ref().unwrap().attribute("username").as_deref(), Some("alice"));
        assert_eq!(values(&client, "x-tenant"), "");
    }
}

#[tokio::test]
async fn what_is_never_taken_is_answered_with_the_reason() {
    let bench = Bench::start(FakeIntake::new(|_| Err(Refusal::Failed("one too many".to_owned())))).await;
    let called = bench.call(&[], framed(0, b"x")).await;
    assert_eq!((called.header("grpc-status"), called.header("grpc-message")), ("13", "one%20too%20many"));
    let posted = bench.post(&[("content-type", "application/json")], "{}").await;
    assert_eq!((posted.status, posted.header("retry-after")), (500, ""));
    for transport in Transport::ALL {
        assert_eq!(bench.counts(transport).refused_for(RefusedReason::Failed), 1);
    }
}
