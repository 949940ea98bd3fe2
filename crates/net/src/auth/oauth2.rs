//! `oauth2client`: bearer tokens of the client-credentials grant (RFC 6749, section 4.4).
//!
//! A token is fetched when an attempt needs one and kept until shortly before its end. Whoever comes while it is being
//! fetched waits for that one fetch. As Go's client does, the first request names the client in an `Authorization` header;
//! a server that refuses that is asked again with the credentials in the form, and in that way from then on. Files with
//! the ID or the secret are read for each fetch, so that a rotated secret is used with the next token.

mod settings;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::settings::Secret;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Request, Uri};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::BoxFuture;
use crate::auth::ClientAuth;
use crate::exporter::client::{Answer, Buffers, Client, ClientSettings, Proxy, Target, Versions, tls_of};
use crate::exporter::parse_url;

pub use settings::Oauth2Settings;

/// Fetches tokens and puts them into requests.
pub struct Oauth2Client {
    settings: Oauth2Settings,
    client: Client,
    uri: Uri,
    state: Mutex<State>,
    /// A peer did not accept the token.
    rejected: AtomicBool,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    /// Whether the server wants the credentials in the form; unknown before the first success.
    in_form: Option<bool>,
}

struct Token {
    header: HeaderValue,
    fetched_at: Instant,
    /// `None` is for ever.
    lasts: Option<Duration>,
}

/// Time for a fetch where `timeout` is not set.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);

/// The largest answer of a token endpoint, as Go's client.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// A token that was rejected this soon after its fetch is not fetched again: several requests of one moment are rejected
/// together, and a new token would be no better.
const REFETCH_INTERVAL_MIN: Duration = Duration::from_secs(1);

/// A token is not used in its last seconds, as in Go's client, whatever `expiry_buffer` is.
const EXPIRY_DELTA: Duration = Duration::from_secs(10);

impl Oauth2Client {
    /// Reads certificates; fetches with the first request.
    ///
    /// # Errors
    /// What is wrong with the certificates, the URL or the proxy of the environment.
    pub fn new(settings: &Oauth2Settings) -> Result<Self, String> {
        let uri = parse_url(&settings.token_url)?;
        let (config, server_name) = tls_of(&settings.tls)?;
        let client = Client::new(ClientSettings {
            versions: Versions::Any,
            target: Target::Authority,
            proxy: Proxy::of_environment(&uri, &|name| std::env::var(name).ok())?,
            tls: (uri.scheme_str() == Some("https")).then_some(config),
            server_name,
            connect_timeout: timeout(settings),
            idle_timeout: Some(Duration::from_secs(90)),
            idle_connections_max: 1,
            ping: None,
        });
        let (state, rejected) = (Mutex::default(), AtomicBool::new(false));
        Ok(Self { settings: settings.clone(), client, uri, state, rejected })
    }

    async fn token(&self) -> Result<HeaderValue, String> {
        let mut state = self.state.lock().await;
        let now = Instant::now();
        let rejected = self.rejected.swap(false, Ordering::Relaxed);
        if let Some(token) = &state.token
            && token.serves(now, self.settings.expiry_buffer)
            && !(rejected && now.duration_since(token.fetched_at) >= REFETCH_INTERVAL_MIN)
        {
            return Ok(token.header.clone());
        }
        state.token = None;
        let token = self.fetch(&mut state.in_form).await?;
        let header = token.header.clone();
        state.token = Some(token);
        Ok(header)
    }

    async fn fetch(&self, in_form: &mut Option<bool>) -> Result<Token, String> {
        let id = of_file(&self.settings.client_id, &self.settings.client_id_file, "client_id_file").await?;
        let secret =
            of_file(self.settings.client_secret.expose(), &self.settings.client_secret_file, "client_secret_file");
        let secret = Secret::new(secret.await?);
        let mut in_form_now = in_form.unwrap_or(false);
        let mut answer = self.ask(&id, &secret, in_form_now).await?;
        if !answer.status.is_success() && in_form.is_none() {
            in_form_now = true;
            answer = self.ask(&id, &secret, in_form_now).await?;
        }
        let token = self.read(&answer)?;
        *in_form = Some(in_form_now);
        Ok(token)
    }

    async fn ask(&self, id: &str, secret: &Secret, in_form: bool) -> Result<Answer, String> {
        let mut request = Request::new(Buffers::new([Bytes::from(self.form(id, secret, in_form))]));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if !in_form {
            let mut value = b"Basic ".to_vec();
            let credentials = format!("{}:{}", form_encoded(id), form_encoded(secret.expose()));
            otlp::json::base64::encode(&mut value, credentials.as_bytes());
            let mut value = HeaderValue::from_bytes(&value).map_err(|error| error.to_string())?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let answer = self.client.send(request, timeout(&self.settings), ANSWER_BYTES_MAX).await;
        answer.map_err(|failure| format!("cannot fetch a token from `{}`: {failure}", self.settings.token_url))
    }

    fn form(&self, id: &str, secret: &Secret, in_form: bool) -> String {
        let mut pairs = vec![("grant_type", "client_credentials".to_owned())];
        if !self.settings.scopes.is_empty() {
            pairs.push(("scope", self.settings.scopes.join(" ")));
        }
        if in_form {
            pairs.push(("client_id", id.to_owned()));
            pairs.push(("client_secret", secret.expose().to_owned()));
        }
        // Only the grant may be named anew; the settings check that.
        if self.settings.endpoint_params.contains_key("grant_type") {
            pairs.retain(|(key, _)| *key != "grant_type");
        }
        for (key, values) in &self.settings.endpoint_params {
            pairs.extend(values.iter().map(|value| (key.as_str(), value.clone())));
        }
        pairs.sort_by(|one, other| one.0.cmp(other.0));
        let pairs = pairs.iter().map(|(key, value)| format!("{}={}", form_encoded(key), form_encoded(value)));
        pairs.collect::<Vec<_>>().join("&")
    }

    /// The token in an answer. Its body is never repeated in a message: it may hold one.
    fn read(&self, answer: &Answer) -> Result<Token, String> {
        let url = &self.settings.token_url;
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if !answer.status.is_success() {
            let error = body["error"]
                .as_str()
                .map_or(String::new(), |error| format!(" `{}`", crate::exporter::readable(error)));
            return Err(format!("`{url}` gives no token: HTTP status {}{error}", answer.status));
        }
        let Some(token) = body["access_token"].as_str().filter(|token| !token.is_empty()) else {
            return Err(format!("the answer of `{url}` has no `access_token`"));
        };
        let kind = match body["token_type"].as_str().unwrap_or_default() {
            kind if kind.is_empty() || kind.eq_ignore_ascii_case("bearer") => "Bearer",
            kind => kind,
        };
        let mut header = HeaderValue::from_str(&format!("{kind} {token}"))
            .map_err(|_| format!("the token of `{url}` has characters that a header cannot have"))?;
        header.set_sensitive(true);
        let seconds = &body["expires_in"];
        let seconds = seconds.as_u64().or_else(|| seconds.as_str()?.parse().ok()).filter(|seconds| *seconds > 0);
        Ok(Token { header, fetched_at: Instant::now(), lasts: seconds.map(Duration::from_secs) })
    }
}

impl Token {
    fn serves(&self, now: Instant, buffer: Duration) -> bool {
        let left = |lasts: Duration| lasts.saturating_sub(now.duration_since(self.fetched_at));
        self.lasts.is_none_or(|lasts| left(lasts) > buffer.max(EXPIRY_DELTA))
    }
}

impl ClientAuth for Oauth2Client {
    fn headers(&self) -> BoxFuture<'_, Result<Vec<(HeaderName, HeaderValue)>, String>> {
        Box::pin(async { Ok(vec![(AUTHORIZATION, self.token().await?)]) })
    }

    fn rejected(&self) {
        self.rejected.store(true, Ordering::Relaxed);
    }

    fn can_refresh(&self) -> bool {
        true
    }
}

impl std::fmt::Debug for Oauth2Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Oauth2Client").field(&self.settings).finish()
    }
}

fn timeout(settings: &Oauth2Settings) -> Duration {
    if settings.timeout.is_zero() { TIMEOUT_DEFAULT } else { settings.timeout }
}

/// The text of a file, trimmed, where one is named; else the value.
async fn of_file(value: &str, path: &str, key: &str) -> Result<String, String> {
    if path.is_empty() {
        return Ok(value.to_owned());
    }
    let path = path.to_owned();
    let named = path.clone();
    let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(path)).await;
    let text = read.map_err(|error| error.to_string())?;
    let text = text.map_err(|error| format!("cannot read `{key}` (`{named}`): {error}"))?;
    match text.trim() {
        "" => Err(format!("`{key}` (`{named}`) is empty")),
        text => Ok(text.to_owned()),
    }
}

/// As forms and Go's `url.QueryEscape` write text.
fn form_encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            other => out.push_str(&format!("%{other:02X}")),
        }
        out
    })
}

#[cfg(test)]
mod tests;
