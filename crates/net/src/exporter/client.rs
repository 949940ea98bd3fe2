//! The HTTP client under all exporters: one request, one bounded answer, one deadline over both.
//!
//! hyper-util's pooling client on our own connector settings. A body is sent as the buffers it consists of (a gRPC frame
//! header and the message), never copied together. Redirects are never followed: hyper does not know them, so a peer
//! cannot send spans or credentials elsewhere.
//!
//! A request that runs into its deadline poisons its connection: behind a dead route the next attempt must not sit on the
//! same socket for as long as the kernel believes in it.

mod dial;
mod proxy;

use std::collections::VecDeque;
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{HeaderValue, PROXY_AUTHORIZATION};
use http::{HeaderMap, Request, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls_pki_types::ServerName;

use crate::tls::TlsClient;
use dial::Dial;

pub use dial::Target;
pub use proxy::Proxy;

/// How to reach a peer.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// Which versions of HTTP to speak.
    pub versions: Versions,
    /// Where to connect.
    pub target: Target,
    /// Through which proxy; gRPC goes through it by CONNECT, TLS or not.
    pub proxy: Option<Proxy>,
    /// TLS for https; without it only http is possible.
    pub tls: Option<rustls::ClientConfig>,
    /// The name that the certificate must have, if not the authority's.
    pub server_name: Option<ServerName<'static>>,
    /// Time to connect in; the deadline of the request holds as well.
    pub connect_timeout: Duration,
    /// How long an unused connection is kept.
    pub idle_timeout: Option<Duration>,
    /// How many unused connections are kept; zero ends each connection with its request.
    pub idle_connections_max: usize,
    /// HTTP/2 pings.
    pub ping: Option<Ping>,
}

/// Versions of HTTP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Versions {
    /// HTTP/2 and nothing else, as gRPC does.
    Http2,
    /// What TLS negotiates, HTTP/1.1 without TLS.
    Any,
    /// HTTP/1.1 alone.
    Http1,
}

/// HTTP/2 keepalive.
#[derive(Clone, Copy, PartialEq, Debug, settings::Documented)]
pub struct Ping {
    /// A ping after this long without a frame.
    #[key = "time"]
    pub interval: Duration,
    /// The connection is dead if its answer takes longer.
    pub timeout: Duration,
    /// Also without requests on their way.
    #[key = "permit_without_stream"]
    pub while_idle: bool,
}

/// A client for one peer.
#[derive(Clone)]
pub struct Client {
    inner: legacy::Client<HttpsConnector<Dial>, Buffers>,
    /// For requests that a proxy passes on; sent to nobody else.
    proxy_authorization: Option<HeaderValue>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// HTTP's status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// What followed it.
    pub trailers: HeaderMap,
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// No connection.
    Connect(String),
    /// No answer before the deadline.
    TimedOut(Duration),
    /// The connection ended or the stream was reset.
    Disconnected(String),
    /// The answer has this status and more bytes than allowed.
    AnswerTooLarge(StatusCode, usize),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Connect(why) => write!(f, "cannot connect: {why}"),
            Self::TimedOut(after) => write!(f, "no answer within {after:?}"),
            Self::Disconnected(why) => write!(f, "disconnected before the answer: {why}"),
            Self::AnswerTooLarge(_, max) => write!(f, "the answer is larger than {max} bytes"),
        }
    }
}

impl Client {
    /// Connects when the first request is sent.
    #[must_use]
    pub fn new(settings: ClientSettings) -> Self {
        let tls = settings.tls.unwrap_or_else(trusting_nobody);
        let mut https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
        if let Some(name) = settings.server_name {
            https = https.with_server_name_resolver(FixedServerNameResolver::new(name));
        }
        let http2_only = settings.versions == Versions::Http2;
        let proxy_authorization = settings.proxy.as_ref().and_then(|proxy| proxy.authorization.clone());
        let dial = Dial::new(settings.target, settings.proxy, http2_only, settings.connect_timeout);
        let connector = match settings.versions {
            Versions::Http2 => https.enable_http2().wrap_connector(dial),
            Versions::Any => https.enable_all_versions().wrap_connector(dial),
            Versions::Http1 => https.enable_http1().wrap_connector(dial),
        };
        let mut builder = legacy::Client::builder(TokioExecutor::new());
        builder.timer(TokioTimer::new()).pool_timer(TokioTimer::new());
        builder.http2_only(http2_only);
        builder.pool_idle_timeout(settings.idle_timeout);
        builder.pool_max_idle_per_host(settings.idle_connections_max);
        if let Some(ping) = settings.ping {
            builder.http2_keep_alive_interval(ping.interval);
            builder.http2_keep_alive_timeout(ping.timeout);
            builder.http2_keep_alive_while_idle(ping.while_idle);
        }
        Self { inner: builder.build(connector), proxy_authorization: proxy_authorization.filter(|_| !http2_only) }
    }

    /// Sends `request` and reads an answer of at most `answer_bytes_max`, all within `timeout` (zero is no deadline).
    ///
    /// # Errors
    /// [`Failure`], where there is no whole answer.
    pub async fn send(
        &self,
        mut request: Request<Buffers>,
        timeout: Duration,
        answer_bytes_max: usize,
    ) -> Result<Answer, Failure> {
        // Through a tunnel the peer would see it: there, CONNECT has borne it.
        if let Some(value) = &self.proxy_authorization
            && request.uri().scheme_str() == Some("http")
        {
            request.headers_mut().insert(PROXY_AUTHORIZATION, value.clone());
        }
        let connection = capture_connection(&mut request);
        let exchange = self.exchange(request, answer_bytes_max);
        if timeout.is_zero() {
            return exchange.await;
        }
        match tokio::time::timeout(timeout, exchange).await {
            Ok(answer) => answer,
            Err(_) => {
                if let Some(connected) = connection.connection_metadata().as_ref() {
                    connected.poison();
                }
                Err(Failure::TimedOut(timeout))
            }
        }
    }

    async fn exchange(&self, request: Request<Buffers>, answer_bytes_max: usize) -> Result<Answer, Failure> {
        let answer = self.inner.request(request).await.map_err(|error| {
            let story = story(&error);
            if error.is_connect() { Failure::Connect(story) } else { Failure::Disconnected(story) }
        })?;
        let (head, mut rest) = answer.into_parts();
        let (mut body, mut trailers) = (BytesMut::new(), HeaderMap::new());
        while let Some(frame) = rest.frame().await {
            let frame = frame.map_err(|error| Failure::Disconnected(story(&error)))?;
            match frame.into_data() {
                Ok(data) if body.len() + data.len() > answer_bytes_max => {
                    return Err(Failure::AnswerTooLarge(head.status, answer_bytes_max));
                }
                Ok(data) => body.extend_from_slice(&data),
                Err(frame) => trailers = frame.into_trailers().unwrap_or_default(),
            }
        }
        Ok(Answer { status: head.status, headers: head.headers, body: body.freeze(), trailers })
    }
}

/// A TLS configuration, and the name that a certificate must have where it is overridden.
type TlsOf = (rustls::ClientConfig, Option<ServerName<'static>>);

/// TLS of a client as the connector wants it: the configuration, and the name to expect where it is overridden.
pub(crate) fn tls_of(tls: &TlsClient) -> Result<TlsOf, String> {
    // The connector adds the protocols to negotiate.
    let config = tls.config(&[]).map_err(|error| error.to_string())?;
    let name = match tls.server_name_override.as_str() {
        "" => None,
        name => Some(tls.server_name(name).map_err(|error| error.to_string())?),
    };
    Ok((config, name))
}

/// An error with its causes: hyper's own text alone says no more than "client error".
fn story(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}

/// For clients that never speak TLS: a connector needs some configuration, this one accepts no certificate.
fn trusting_nobody() -> rustls::ClientConfig {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports the default versions")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}

/// A body made of finished buffers.
#[derive(Debug, Default)]
pub struct Buffers {
    left: VecDeque<Bytes>,
}

impl Buffers {
    /// The buffers, one after the other; empty ones are left out.
    #[must_use]
    pub fn new(buffers: impl IntoIterator<Item = Bytes>) -> Self {
        Self { left: buffers.into_iter().filter(|buffer| !buffer.is_empty()).collect() }
    }
}

impl Body for Buffers {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.left.pop_front().map(|buffer| Ok(Frame::data(buffer))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.iter().map(|buffer| buffer.len() as u64).sum())
    }
}
