//! `otlp_grpc` (old name `otlp`): OTLP over gRPC, as one unary call a request.
//!
//! The framing is written here, on hyper's HTTP/2, because a unary call is little more than five bytes before the message:
//!
//! ```text
//!  0 or 1 (compressed) · length, 4 bytes big endian · message         then the trailers: grpc-status, grpc-message, …
//! ```
//!
//! The message is the batch's own `Bytes`, sent without a copy. tonic's client would encode through its own buffer and has
//! no snappy; of tonic we use [`tonic::Status`], which reads the trailers.
//!
//! Answers follow OTLP's table: what the peer calls CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE or
//! DATA_LOSS is tried again, RESOURCE_EXHAUSTED only with RetryInfo. A connection that fails without an answer is tried
//! again whatever HTTP/2 error code it failed with: a proxy's INTERNAL_ERROR must not cost spans.

mod balance;
mod settings;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, TE, USER_AGENT};
use http::{Method, Request, StatusCode, Uri};
use otlp::Signal;
use tokio::time::Instant;
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

use super::answer;
use super::client::{Answer, Buffers, ClientSettings, Failure, Ping, Proxy, Target, Versions, tls_of};
use super::compress::{Compression, Encoding, inflate_answer};
use super::credentials::Credentials;
use super::http::header_map;
use super::{Batch, Delivered, ExportError, Exporter, Kind};
use crate::BoxFuture;
use crate::auth::ClientAuth;
use crate::client::Client;

use balance::Balancer;

pub use settings::{GrpcEndpoint, OtlpGrpcSettings};

/// Sends OTLP over gRPC.
pub struct OtlpGrpc {
    balancer: Balancer,
    uri: Uri,
    headers: HeaderMap,
    credentials: Credentials,
    compression: Compression,
    timeout: Duration,
    wait_for_ready: bool,
}

/// The largest request that is sent (OTLP: SHOULD not exceed), before compression.
const REQUEST_BYTES_MAX: usize = 64 << 20;

/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// The time between two attempts to connect with `wait_for_ready`.
const READY_POLL: Duration = Duration::from_millis(200);

/// The method of a signal.
fn method(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    }
}

impl OtlpGrpc {
    /// Reads certificates; connects with the first request.
    ///
    /// # Errors
    /// What is wrong with the certificates or the authority.
    pub fn new(settings: &OtlpGrpcSettings, signal: Signal, auth: Option<Arc<dyn ClientAuth>>) -> Result<Self, String> {
        let credentials = Credentials::new(auth);
        let secure = settings.endpoint.https || !settings.tls.insecure;
        let scheme = if secure { "https" } else { "http" };
        let uri_of = |authority: &str| {
            let built = Uri::builder().scheme(scheme).authority(authority).path_and_query(method(signal)).build();
            built.map_err(|error| format!("`{authority}` is not an authority: {error}"))
        };
        let authority = settings.authority.as_deref().unwrap_or(&settings.endpoint.authority);
        let (tls, server_name) = if secure {
            let (config, name) = tls_of(&settings.tls)?;
            (Some(config), name)
        } else {
            credentials.check_plain_text()?;
            (None, None)
        };
        let (target, proxy) = match &settings.endpoint.socket {
            Some(path) => (Target::Unix(path.clone()), None),
            None => {
                let peer = uri_of(&settings.endpoint.authority)?;
                // grpc-go asks for the proxy of https, whatever it then speaks.
                let asked = format!("https://{}", settings.endpoint.authority).parse();
                let asked = asked.map_err(|error| format!("`{peer}` is not a URL: {error}"))?;
                let proxy = Proxy::of_environment(&asked, &|name| std::env::var(name).ok())?;
                (Target::Fixed(peer), proxy)
            }
        };
        let in_turn = settings.balancer_name == "round_robin";
        let client = ClientSettings {
            versions: Versions::Http2,
            target,
            proxy,
            tls,
            server_name,
            connect_timeout: settings.timeout.max(Duration::from_secs(1)),
            idle_timeout: None,
            idle_connections_max: 1,
            ping: settings.keepalive.and_then(ping),
        };
        Ok(Self {
            balancer: Balancer::new(client, in_turn),
            uri: uri_of(authority)?,
            headers: headers(settings)?,
            credentials,
            compression: settings.compression,
            timeout: settings.timeout,
            wait_for_ready: settings.wait_for_ready,
        })
    }

    async fn call(&self, body: Bytes, batch: &Batch) -> Result<Delivered, ExportError> {
        if body.len() > REQUEST_BYTES_MAX {
            return Err(ExportError::new(Kind::TooLarge, format_args!("a request of {} bytes", body.len())));
        }
        let compressed = self.compression.compress(body, &batch.charge).await;
        let message = compressed.map_err(|error| ExportError::new(Kind::Permanent, error))?;
        let client = batch.client.as_deref();
        let answer = self.attempt(&message.body, client).await?;
        // Once more with other credentials, where there are any.
        let answer = if is_unauthenticated(&answer) && self.credentials.rejected() {
            self.attempt(&message.body, client).await?
        } else {
            answer
        };
        judge(&answer)
    }

    /// Sends a message once, as soon as there is a connection, and reads the answer, whatever it is.
    async fn attempt(&self, message: &Bytes, client: Option<&Client>) -> Result<Answer, ExportError> {
        let started = Instant::now();
        loop {
            let mut headers = self.headers.clone();
            self.credentials.add(&mut headers, client).await?;
            let request = || self.request(message.clone(), headers.clone());
            match self.balancer.send(request, self.timeout, ANSWER_BYTES_MAX).await {
                Ok(answer) => return Ok(answer),
                Err(Failure::Connect(_)) if self.wait_for_ready && self.has_time_after(started) => {
                    tokio::time::sleep(READY_POLL).await;
                }
                Err(failure @ Failure::AnswerTooLarge(..)) => return Err(ExportError::new(Kind::Permanent, failure)),
                Err(failure) => return Err(ExportError::retry(failure)),
            }
        }
    }

    fn has_time_after(&self, started: Instant) -> bool {
        self.timeout.is_zero() || started.elapsed() + READY_POLL < self.timeout
    }

    fn request(&self, message: Bytes, headers: HeaderMap) -> Request<Buffers> {
        let compressed = u8::from(self.compression.encoding != Encoding::Identity);
        let [a, b, c, d] = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
        let prefix = Bytes::copy_from_slice(&[compressed, a, b, c, d]);
        let mut request = Request::new(Buffers::new([prefix, message]));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = headers;
        request
    }
}

impl Exporter for OtlpGrpc {
    fn export<'a>(&'a self, body: Bytes, batch: &'a Batch) -> BoxFuture<'a, Result<Delivered, ExportError>> {
        Box::pin(self.call(body, batch))
    }
}

/// Pings as grpc-go sends them: at most every ten seconds, and none without a time.
fn ping(written: Ping) -> Option<Ping> {
    let timeout = if written.timeout.is_zero() { Duration::from_secs(20) } else { written.timeout };
    let interval = written.interval.max(Duration::from_secs(10));
    (!written.interval.is_zero()).then_some(Ping { interval, timeout, ..written })
}

/// The headers of all requests.
fn headers(settings: &OtlpGrpcSettings) -> Result<HeaderMap, String> {
    let mut headers = header_map(&settings.headers)?;
    let default_agent = concat!("Tailrace/", env!("CARGO_PKG_VERSION"));
    let agent = settings.user_agent.as_deref().unwrap_or(default_agent);
    let agent = HeaderValue::from_str(agent).map_err(|_| format!("`{agent}` cannot be a user agent"))?;
    headers.entry(USER_AGENT).or_insert(agent);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(TE, HeaderValue::from_static("trailers"));
    headers.insert("grpc-accept-encoding", HeaderValue::from_static("identity,gzip,zstd,snappy"));
    // What gRPC peers call snappy is the framed format.
    let framed = settings.compression.encoding == Encoding::SnappyFramed;
    if let Some(encoding) = if framed { Some("snappy") } else { settings.compression.encoding.header() } {
        headers.insert("grpc-encoding", HeaderValue::from_static(encoding));
    }
    // At most eight digits and a unit; a longer timeout is none to the peer.
    let timeout_ms = settings.timeout.as_millis();
    if (1..100_000_000).contains(&timeout_ms) {
        let value = HeaderValue::from_str(&format!("{timeout_ms}m")).map_err(|error| error.to_string())?;
        headers.insert("grpc-timeout", value);
    }
    Ok(headers)
}

/// Whether the peer does not know us.
fn is_unauthenticated(answer: &Answer) -> bool {
    let status = status_of(&answer.trailers).or_else(|| status_of(&answer.headers));
    answer.status == StatusCode::UNAUTHORIZED
        || status.is_some_and(|(status, _)| status.code() == Code::Unauthenticated)
}

/// What an answer means.
fn judge(answer: &Answer) -> Result<Delivered, ExportError> {
    if answer.status != StatusCode::OK {
        return Err(judge_http(answer));
    }
    let Some((status, details)) = status_of(&answer.trailers).or_else(|| status_of(&answer.headers)) else {
        return Err(ExportError::retry("the answer has no grpc-status"));
    };
    if status.code() != Code::Ok {
        return Err(judge_status(&status, &details));
    }
    let message = message_of(answer).unwrap_or_default();
    Ok(answer::delivered_protobuf(&message))
}

/// The status in a header map, with its details. The details are taken out first: tonic would panic if they are not base64.
fn status_of(headers: &HeaderMap) -> Option<(Status, Bytes)> {
    const DETAILS: &str = "grpc-status-details-bin";
    let mut headers = headers.clone();
    headers.get("grpc-status")?;
    let mut binary = HeaderMap::new();
    if let Some(value) = headers.remove(DETAILS) {
        binary.insert(DETAILS, value);
    }
    let binary = MetadataMap::from_headers(binary);
    let details = binary.get_bin(DETAILS).and_then(|value| value.to_bytes().ok()).unwrap_or_default();
    Some((Status::from_header_map(&headers)?, details))
}

/// OTLP's table of retryable codes, with our reading of "too large" and "bad data".
fn judge_status(status: &Status, details: &[u8]) -> ExportError {
    let after = answer::retry_info(details);
    let oversize = oversize(status.message());
    let kind = match status.code() {
        Code::ResourceExhausted if after.is_none() => Kind::TooLarge,
        // tonic's servers answer an oversized message so.
        Code::OutOfRange if oversize => Kind::TooLarge,
        Code::InvalidArgument => Kind::Refused,
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss
        | Code::ResourceExhausted => Kind::Retry { after },
        _ => Kind::Permanent,
    };
    ExportError::new(kind, format_args!("{:?}: {}", status.code(), status.message()))
}

/// Whether a message speaks of a size.
fn oversize(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["too large", "larger than", "message length", "exceeds", "limit"].iter().any(|sign| message.contains(sign))
}

/// An answer that is not gRPC: from a proxy, or from something that is no collector. gRPC's table of HTTP codes.
fn judge_http(answer: &Answer) -> ExportError {
    let kind = match answer.status.as_u16() {
        413 => Kind::TooLarge,
        429 | 502 | 503 | 504 => Kind::Retry { after: None },
        _ => Kind::Permanent,
    };
    ExportError::new(kind, format_args!("HTTP status {} instead of a gRPC answer", answer.status))
}

/// The message in the body, inflated; `None` where there is none that can be read.
fn message_of(answer: &Answer) -> Option<Bytes> {
    let (compressed, rest) = answer.body.split_first()?;
    let length = u32::from_be_bytes(*rest.first_chunk::<4>()?);
    let message = answer.body.get(5..5 + usize::try_from(length).ok()?)?;
    if *compressed == 0 {
        return Some(answer.body.slice_ref(message));
    }
    let encoding = answer.headers.get("grpc-encoding")?.as_bytes();
    inflate_answer(encoding, message, ANSWER_BYTES_MAX).ok().map(Bytes::from)
}

#[cfg(test)]
mod tests;
