//! Tokens from an endpoint that plays a script, with a clock that is paused once the connection stands.

use otlp::Signal;
use std::sync::Arc;

use super::*;
use crate::exporter::Exporter;
use crate::exporter::otlp_http::{OtlpHttp, OtlpHttpSettings};
use crate::exporter::peer::{Peer, Reply, Seen, batch};

fn settings(peer: &Peer) -> Oauth2Settings {
    Oauth2Settings {
        client_id: "me".to_owned(),
        client_secret: Secret::new("s/e c"),
        token_url: format!("{}/token", peer.http()),
        scopes: vec!["a".to_owned(), "b".to_owned()],
        endpoint_params: [("audience".to_owned(), vec!["x&y".to_owned()])].into(),
        ..Oauth2Settings::default()
    }
}

fn json(status: u16, body: &str) -> Reply {
    Reply::Http(status, vec![("content-type", "application/json".to_owned())], body.as_bytes().to_vec())
}

/// Answers each request with a token of its own that lasts an hour.
fn numbered(number: usize, _: &Seen) -> Reply {
    json(200, &format!(r#"{{"access_token":"t{number}","token_type":"bearer","expires_in":3600}}"#))
}

async fn token(client: &Oauth2Client) -> Result<String, String> {
    client.headers().await.map(|headers| headers[0].1.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn asks_as_gos_client_does() {
    let peer = Peer::start(numbered).await;
    let client = Oauth2Client::new(&settings(&peer)).unwrap();
    assert_eq!(token(&client).await.unwrap(), "Bearer t0");
    let seen = peer.seen().remove(0);
    assert_eq!(seen.path, "/token");
    assert_eq!(seen.headers["content-type"], "application/x-www-form-urlencoded");
    // me:s%2Fe+c
    assert_eq!(seen.headers["authorization"], "Basic bWU6cyUyRmUrYw==");
    assert_eq!(seen.body, "audience=x%26y&grant_type=client_credentials&scope=a+b");
    assert!(!format!("{client:?}").contains("s/e c"));
}

#[tokio::test]
async fn a_server_that_wants_them_in_the_form_gets_them_there() {
    let peer = Peer::start(|number, seen| match seen.headers.contains_key("authorization") {
        true => json(401, r#"{"error":"invalid_client"}"#),
        false => numbered(number, seen),
    })
    .await;
    let client = Oauth2Client::new(&settings(&peer)).unwrap();
    assert_eq!(token(&client).await.unwrap(), "Bearer t1");
    let form = "audience=x%26y&client_id=me&client_secret=s%2Fe+c&grant_type=client_credentials&scope=a+b";
    assert_eq!(peer.seen()[1].body, form);
    client.state.lock().await.token = None;
    assert_eq!(token(&client).await.unwrap(), "Bearer t2", "and the next time at once");
}

#[tokio::test]
async fn a_token_is_kept_until_shortly_before_its_end() {
    let peer = Peer::start(numbered).await;
    let client = Oauth2Client::new(&settings(&peer)).unwrap();
    let all = tokio::join!(token(&client), token(&client), token(&client));
    assert_eq!(all, (Ok("Bearer t0".to_owned()), Ok("Bearer t0".to_owned()), Ok("Bearer t0".to_owned())));
    let buffer = client.settings.expiry_buffer;
    let state = client.state.lock().await;
    let kept = state.token.as_ref().unwrap();
    assert!(kept.serves(kept.fetched_at + Duration::from_secs(3299), buffer));
    assert!(!kept.serves(kept.fetched_at + Duration::from_secs(3300), buffer));
    assert!(kept.serves(kept.fetched_at + Duration::from_secs(3589), Duration::ZERO));
    assert!(!kept.serves(kept.fetched_at + Duration::from_secs(3590), Duration::ZERO));
    let ever = Token { header: kept.header.clone(), fetched_at: kept.fetched_at, lasts: None };
    assert!(ever.serves(kept.fetched_at + Duration::from_secs(1 << 30), buffer));
}

#[tokio::test]
async fn a_rejected_token_is_fetched_anew_but_not_a_new_one() {
    let peer = Peer::start(numbered).await;
    let client = Oauth2Client::new(&settings(&peer)).unwrap();
    assert_eq!(token(&client).await.unwrap(), "Bearer t0");
    client.rejected();
    assert_eq!(token(&client).await.unwrap(), "Bearer t0", "it is of this moment");
    client.state.lock().await.token.as_mut().unwrap().fetched_at -= REFETCH_INTERVAL_MIN;
    assert_eq!(token(&client).await.unwrap(), "Bearer t0", "that was another time");
    client.rejected();
    assert_eq!(token(&client).await.unwrap(), "Bearer t1");
    assert_eq!(token(&client).await.unwrap(), "Bearer t1");
}

#[tokio::test]
async fn failures_are_told_without_secrets() {
    for (status, body, expected) in [
        (
            400,
            r#"{"error":"invalid_scope","error_description":"s3cret"}"#,
            "HTTP status 400 Bad Request `invalid_scope`",
        ),
        (500, "s3cret", "HTTP status 500 Internal Server Error"),
        (200, "s3cret", "has no `access_token`"),
        (200, r#"{"access_token":""}"#, "has no `access_token`"),
        (200, r#"{"access_token":"s3cret\n"}"#, "characters that a header cannot have"),
    ] {
        let peer = Peer::start(move |_, _| json(status, body)).await;
        let error = token(&Oauth2Client::new(&settings(&peer)).unwrap()).await.unwrap_err();
        assert!(error.contains(expected) && !error.contains("s3cret"), "{error}");
    }
    let peer = Peer::start(numbered).await;
    let missing = Oauth2Settings { client_secret_file: "no/such".to_owned(), ..settings(&peer) };
    let error = token(&Oauth2Client::new(&missing).unwrap()).await.unwrap_err();
    assert!(error.contains("cannot read `client_secret_file` (`no/such`)"), "{error}");
    drop(peer);
}

#[tokio::test]
async fn files_win_and_are_trimmed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let peer = Peer::start(numbered).await;
    let client_id_file = path("id", "other\n");
    let filed = Oauth2Settings { client_id_file, client_secret_file: path("secret", " new "), ..settings(&peer) };
    token(&Oauth2Client::new(&filed).unwrap()).await.unwrap();
    assert_eq!(peer.seen()[0].headers["authorization"], "Basic b3RoZXI6bmV3");
}

#[tokio::test]
async fn an_exporter_tries_once_more_with_a_new_token() {
    let tokens = Peer::start(|number, seen| if number < 2 { numbered(number, seen) } else { json(503, "") }).await;
    let collector = Peer::start(|_, seen| match seen.headers["authorization"].as_bytes() {
        b"Bearer t1" => Reply::Http(200, Vec::new(), Vec::new()),
        _ => Reply::Http(401, Vec::new(), Vec::new()),
    })
    .await;
    let client = Arc::new(Oauth2Client::new(&settings(&tokens)).unwrap());
    token(&client).await.unwrap();
    client.state.lock().await.token.as_mut().unwrap().fetched_at -= REFETCH_INTERVAL_MIN;
    let exporter =
        OtlpHttp::new(&OtlpHttpSettings::new(collector.http()), Signal::Traces, Some(client.clone())).unwrap();
    let batch = batch(2);
    exporter.export(batch.body.clone(), &batch).await.unwrap();
    assert_eq!(collector.seen().len(), 2);
    // A token endpoint that is away is no reason to drop anything.
    client.state.lock().await.token = None;
    let error = exporter.export(batch.body.clone(), &batch).await.unwrap_err();
    assert!(matches!(error.kind, crate::exporter::Kind::Retry { .. }), "{error}");
}
