//! What the HTTP exporters (`otlp_http`, `zipkin`) have in common: otelcol's client settings, one POST, and what its
//! answer means.
//!
//! Redirects are not followed: an answer of 3xx is a refusal that says so. A proxy is what `proxy_url` names, else what the
//! environment does.

mod cookies;
mod settings;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ::settings::Secret;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use http::{Method, Request, StatusCode, Uri};
use tokio::sync::Semaphore;

use super::answer;
use super::client::{Answer, Buffers, Client, ClientSettings, Failure, Ping, Proxy, Target, Versions, tls_of};
use super::compress::Compression;
use super::credentials::Credentials;
use super::{ExportError, Kind};
use crate::auth::ClientAuth;
use crate::budget::Charge;
use crate::client::Client as Sender;
use cookies::Jar;

pub use settings::HttpSettings;
pub(super) use settings::{decode_auth, decode_headers, effective_auth, effective_headers};

/// Posts bodies to one URL.
pub(super) struct Poster {
    client: Client,
    uri: Uri,
    headers: HeaderMap,
    compression: Compression,
    timeout: Duration,
    /// One permit for each request that may be on its way.
    room: Semaphore,
    credentials: Credentials,
    cookies: Option<Jar>,
}

/// The largest answer that is read, as otelcol's.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Time to connect in where requests have no timeout.
const CONNECT_TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);

/// Time for the answer to a ping where none is set, as in Go's HTTP/2.
const PING_TIMEOUT_DEFAULT: Duration = Duration::from_secs(15);

impl Poster {
    /// Posts to `url` bodies of `content_type`. Reads certificates; connects with the first request.
    pub(super) fn new(
        settings: &HttpSettings,
        url: &str,
        content_type: &'static str,
        auth: Option<Arc<dyn ClientAuth>>,
    ) -> Result<Self, String> {
        let uri = parse_url(url)?;
        let proxy = match settings.proxy_url.as_str() {
            "" => Proxy::of_environment(&uri, &|name| std::env::var(name).ok())?,
            url => Some(Proxy::parse(url)?),
        };
        let (config, server_name) = tls_of(&settings.tls)?;
        let nonzero = |duration: Duration| Some(duration).filter(|duration| !duration.is_zero());
        let client = Client::new(ClientSettings {
            versions: if settings.force_attempt_http2 { Versions::Any } else { Versions::Http1 },
            target: Target::Authority,
            proxy,
            tls: (uri.scheme_str() == Some("https")).then_some(config),
            server_name,
            connect_timeout: nonzero(settings.timeout).unwrap_or(CONNECT_TIMEOUT_DEFAULT),
            idle_timeout: nonzero(settings.idle_conn_timeout),
            idle_connections_max: idle_connections(settings),
            ping: nonzero(settings.http2_read_idle_timeout).map(|interval| Ping {
                interval,
                timeout: nonzero(settings.http2_ping_timeout).unwrap_or(PING_TIMEOUT_DEFAULT),
                while_idle: true,
            }),
        });
        let room = match settings.max_conns_per_host {
            0 => Semaphore::MAX_PERMITS,
            some => some.min(Semaphore::MAX_PERMITS),
        };
        Ok(Self {
            client,
            uri,
            headers: headers(settings, content_type)?,
            compression: settings.compression,
            timeout: settings.timeout,
            room: Semaphore::new(room),
            credentials: Credentials::new(auth),
            cookies: settings.cookies.then(Jar::default),
        })
    }

    /// One attempt: an answer of 2xx, or what to do about any other. `client` is whose items it sends.
    pub(super) async fn post(
        &self,
        body: Bytes,
        (charge, client): (&Charge, Option<&Sender>),
        retried: fn(u16) -> bool,
    ) -> Result<Answer, ExportError> {
        let compressed = self.compression.compress(body, charge).await;
        let compressed = compressed.map_err(|error| ExportError::new(Kind::Permanent, error))?;
        let answer = self.attempt(compressed.body.clone(), client).await?;
        let answer = match answer.status {
            // Once more with other credentials, where there are any.
            StatusCode::UNAUTHORIZED if self.credentials.rejected() => {
                self.attempt(compressed.body.clone(), client).await?
            }
            _ => answer,
        };
        if answer.status.is_success() { Ok(answer) } else { Err(judge(&answer, retried, SystemTime::now())) }
    }

    /// Sends a body once and reads the answer, whatever it is.
    async fn attempt(&self, body: Bytes, client: Option<&Sender>) -> Result<Answer, ExportError> {
        let mut request = Request::new(Buffers::new([body]));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        self.credentials.apply(request.headers_mut(), client).await?;
        if let Some(jar) = &self.cookies {
            jar.send(request.headers_mut(), SystemTime::now());
        }
        // The semaphore is never closed.
        let _permit = self.room.acquire().await;
        match self.client.send(request, self.timeout, ANSWER_BYTES_MAX).await {
            Ok(answer) => {
                if let Some(jar) = &self.cookies {
                    jar.keep(&answer.headers, SystemTime::now());
                }
                Ok(answer)
            }
            // The status says what became of the request; what there is to say about that is too long.
            Err(Failure::AnswerTooLarge(status, _)) => {
                Ok(Answer { status, headers: HeaderMap::new(), body: Bytes::new(), trailers: HeaderMap::new() })
            }
            Err(failure) => Err(ExportError::retry(failure)),
        }
    }
}

/// OTLP's retryable statuses.
pub(super) fn retried_by_otlp(status: u16) -> bool {
    matches!(status, 429 | 502..=504)
}

/// What an answer that is not 2xx means.
fn judge(answer: &Answer, retried: fn(u16) -> bool, now: SystemTime) -> ExportError {
    let status = answer.status.as_u16();
    let kind = match status {
        400 => Kind::Refused,
        413 => Kind::TooLarge,
        _ if retried(status) => {
            let after = answer.headers.get(RETRY_AFTER);
            Kind::Retry { after: after.and_then(|value| answer::retry_after(value.as_bytes(), now)) }
        }
        _ => Kind::Permanent,
    };
    let content_type = answer.headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let text = match status {
        300..400 => "redirects are not followed".to_owned(),
        _ => answer::error_text(content_type, &answer.body),
    };
    ExportError::new(kind, format_args!("HTTP status {}: {text}", answer.status))
}

fn headers(settings: &HttpSettings, content_type: &'static str) -> Result<HeaderMap, String> {
    let mut headers = header_map(&settings.headers)?;
    let agent = HeaderValue::from_static(concat!("Tailrace/", env!("CARGO_PKG_VERSION")));
    headers.entry(USER_AGENT).or_insert(agent);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(encoding) = settings.compression.encoding.header() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Ok(headers)
}

/// Configured headers; an error names the header and never its value.
pub(super) fn header_map(headers: &[(String, Secret)]) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let key: HeaderName = name
            .parse()
            .map_err(|_| format!("`{name}` cannot be the name of a header; write letters, digits and `-` only"))?;
        let mut value = HeaderValue::from_str(value.expose())
            .map_err(|_| format!("the value of the header `{name}` has characters that a header cannot have; write printable ASCII on one line"))?;
        value.set_sensitive(true);
        map.insert(key, value);
    }
    Ok(map)
}

/// An absolute http or https URL without credentials.
pub(crate) fn parse_url(text: &str) -> Result<Uri, String> {
    let uri: Uri =
        text.parse().map_err(|_| format!("`{text}` is not a URL; write one such as `https://backend:4318`"))?;
    match (uri.scheme_str(), uri.authority()) {
        (Some("http" | "https"), Some(authority)) if authority.as_str().contains('@') => {
            Err("credentials in a URL are not supported; write a header `Authorization`, or use `basicauth`".to_owned())
        }
        (Some("http" | "https"), Some(authority)) if !authority.host().is_empty() => Ok(uri),
        // What has a host and no scheme was meant well.
        _ if !text.is_empty() && !text.contains("://") => {
            Err(format!("`{text}` must begin with `http://` or `https://`; write `http://{text}` for plain text"))
        }
        _ => Err(format!("`{text}` must name a scheme and a host; write one such as `https://backend:4318`")),
    }
}

fn idle_connections(settings: &HttpSettings) -> usize {
    if !settings.keepalive {
        return 0;
    }
    let zero_is = |count: usize, default: usize| if count == 0 { default } else { count };
    // Go keeps two for each host; there is but one host, and `num_consumers` connections to it are in use all the time.
    zero_is(settings.max_idle_conns_per_host, usize::MAX).min(zero_is(settings.max_idle_conns, usize::MAX))
}
