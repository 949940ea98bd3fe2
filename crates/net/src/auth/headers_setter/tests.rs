//! Headers set, and the settings as tables.

use ::settings::{Mode, Node};

use super::*;
use crate::auth::Identity;
use crate::auth::oauth2::Oauth2Settings;
use crate::client::Metadata;

fn decode(yaml: &str) -> Result<HeadersSetterSettings, String> {
    let (node, sources, mut problems) = ::settings::load(&[format!("yaml:{yaml}")], &[], &|_| None);
    let settings = HeadersSetterSettings::decode(&node.unwrap_or_else(Node::null), &mut problems);
    match settings {
        Some(settings) if !problems.has_errors() => Ok(settings),
        _ => Err(problems.render(&sources)),
    }
}

/// What becomes of `a: old` and `b: old`.
async fn check(yaml: &str, expected: &str) {
    assert_eq!(applied(yaml, None).await.unwrap(), expected, "{yaml}");
}

async fn applied(yaml: &str, client: Option<&Client>) -> Result<String, NoHeaders> {
    let setter = HeadersSetter::new(&decode(yaml).unwrap(), None).unwrap();
    let mut headers = HeaderMap::new();
    for name in ["a", "b"] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static("old"));
    }
    setter.apply(&mut headers, client).await?;
    let mut found: Vec<_> = headers.iter().map(|(name, value)| format!("{name}={}", value.to_str().unwrap())).collect();
    found.sort();
    Ok(found.join(" "))
}

#[tokio::test]
async fn values_come_from_the_client_whose_items_are_sent() {
    let mut headers = HeaderMap::new();
    for (name, value) in [("x-tenant", "A"), ("two", "1"), ("two", "2"), ("empty", "")] {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let identity = Some(Identity::basic(b"Basic YWxpY2U6cHc="));
    let client = Client { metadata: Metadata::of_headers(&headers), identity, ..Client::default() };
    for (header, expected) in [
        ("from_context: X-Tenant", "a=A"),
        ("from_context: X-Tenant, default_value: d", "a=A"),
        ("from_context: none, default_value: d", "a=d"),
        ("from_context: none", "a="),
        ("from_context: empty, default_value: d", "a="),
        ("from_context: metadata.x-tenant, default_value: d", "a=d"),
        ("from_context: auth.username", "a=alice"),
        ("from_context: auth.none, default_value: d", "a=d"),
        ("from_attribute: username", "a=alice"),
        ("from_attribute: raw", "a=YWxpY2U6cHc="),
        ("from_attribute: none, default_value: d", "a=d"),
    ] {
        let yaml = format!("{{headers: [{{key: a, {header}}}]}}");
        assert_eq!(applied(&yaml, Some(&client)).await.unwrap(), format!("{expected} b=old"), "{yaml}");
    }
    let error = applied("{headers: [{key: a, from_context: two}]}", Some(&client)).await.unwrap_err();
    assert_eq!(error, NoHeaders::Ever("the request came with 2 values of `two`, so that `a` has none".to_owned()));
    check("{headers: [{key: a, from_context: auth.username, default_value: d}]}", "a=d b=old").await;
}

#[tokio::test]
async fn headers_are_set_added_and_taken_away() {
    for (yaml, expected) in [
        ("{headers: [{key: A, value: new}]}", "a=new b=old"),
        (
            "{headers: [{action: insert, key: a, value: new}, {action: insert, key: c, value: new}]}",
            "a=old b=old c=new",
        ),
        ("{headers: [{action: update, key: a, value: new}, {action: update, key: c, value: new}]}", "a=new b=old"),
        ("{headers: [{action: delete, key: a}]}", "b=old"),
        ("{headers: [{key: a, from_context: tenant, default_value: new}]}", "a=new b=old"),
        ("{headers: [{key: a, from_attribute: tenant}]}", "a= b=old"),
        ("{headers: [{key: c, from_context: tenant, action: update}]}", "a=old b=old"),
    ] {
        check(yaml, expected).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("value");
    std::fs::write(&path, "one\n").unwrap();
    let yaml = format!("{{headers: [{{key: a, value_file: {}}}]}}", path.display());
    check(&yaml, "a=one b=old").await;
    std::fs::write(&path, "two").unwrap();
    check(&yaml, "a=two b=old").await;
}

#[derive(Debug)]
struct Token;

impl ClientAuth for Token {
    fn headers(&self) -> BoxFuture<'_, Result<Vec<(HeaderName, HeaderValue)>, String>> {
        Box::pin(async { Ok(vec![(http::header::AUTHORIZATION, HeaderValue::from_static("Bearer t"))]) })
    }
}

#[tokio::test]
async fn another_authenticator_comes_after() {
    let settings = decode("{headers: [{key: a, value: new}], additional_auth: oauth2client}").unwrap();
    assert_eq!(settings.additional_auth.as_deref(), Some("oauth2client"));
    let setter = HeadersSetter::new(&settings, Some(Arc::new(Token))).unwrap();
    assert_eq!(setter.headers().await.unwrap().len(), 2);
    assert!(setter.needs_tls() && !HeadersSetter::new(&settings, None).unwrap().needs_tls());
}

#[test]
fn settings_are_read_and_printed() {
    let yaml = "{headers: [{key: k, action: insert, from_context: c, default_value: s}], additional_auth: x/1}";
    let expected = "\
additional_auth: x/1
headers:
    - action: insert
      default_value: '[REDACTED]'
      from_attribute: null
      from_context: c
      key: k
      value: null
      value_file: null
";
    assert_eq!(decode(yaml).unwrap().effective().to_yaml(Mode::Redacted), expected);
    for (yaml, expected) in [
        ("{}", "`headers_setter` needs the setting `headers`"),
        ("{headers: [{value: x}]}", "`headers` needs the setting `key`"),
        ("{headers: [{key: a}]}", "the header `a` needs a source"),
        ("{headers: [{key: a, value: x, from_context: y}]}", "the header `a` has more than one source"),
        ("{headers: [{key: a, value: x, default_value: y}]}", "the header `a` has more than one source"),
        ("{headers: [{key: a b, value: x}]}", "`a b` cannot be the name of a header"),
        ("{headers: [{key: a, value: x, action: set}]}", "unknown action `set`"),
        ("{headers: [{key: a, valu: x}]}", "did you mean `value`?"),
    ] {
        let problems = decode(yaml).expect_err(yaml);
        assert!(problems.contains(expected), "{yaml}: {problems}");
    }
}

#[test]
fn the_settings_of_oauth2_are_read_and_printed() {
    let decode = |yaml: &str| {
        let (node, sources, mut problems) = ::settings::load(&[format!("yaml:{yaml}")], &[], &|_| None);
        match Oauth2Settings::decode(&node.unwrap_or_else(Node::null), &mut problems) {
            Some(settings) if !problems.has_errors() => Ok(settings.effective().to_yaml(Mode::Redacted)),
            _ => Err(problems.render(&sources)),
        }
    };
    let printed = decode(
        "{client_id: x, client_secret: y, token_url: 'https://a/b', endpoint_params: {audience: aud, list: [a, b]},
        scopes: [s], timeout: 2s, tls: {insecure: true}}",
    );
    let expected = "\
client_certificate_key: \"\"
client_certificate_key_file: \"\"
client_certificate_key_id: \"\"
client_id: x
client_id_file: \"\"
client_secret: '[REDACTED]'
client_secret_file: \"\"
endpoint_params:
    audience:
        - aud
    list:
        - a
        - b
expiry_buffer: 5m0s
grant_type: \"\"
scopes:
    - s
timeout: 2s
tls:
    insecure: true
token_url: https://a/b
";
    assert_eq!(printed.unwrap(), expected);
    for (yaml, expected) in [
        ("{client_secret: y, token_url: 'https://a'}", "needs the setting `client_id` or `client_id_file`"),
        ("{client_id: y, token_url: 'https://a'}", "needs the setting `client_secret` or `client_secret_file`"),
        ("{client_id: y, client_secret_file: z}", "needs the setting `token_url`"),
        ("{client_id: y, client_secret_file: z, token_url: a}", "must begin with `http://` or `https://`"),
        ("{grant_type: 'urn:x', claims: {a: b}}", "the grant type `urn:x` is not supported"),
        ("{client_certificate_key: a}", "`client_certificate_key` is not supported by this version yet"),
        ("{endpoint_params: {scope: a}}", "`endpoint_params` cannot replace `scope`"),
    ] {
        let problems = decode(yaml).expect_err(yaml);
        assert!(problems.contains(expected), "{yaml}: {problems}");
    }
}
