//! OTLP/HTTP: `POST /v1/traces` and its two siblings, protobuf or JSON by Content-Type, and a `google.rpc.Status` for
//! whatever goes wrong.
//!
//! As in otelcol, credentials come before the path (who has none does not learn what there is), and a browser's preflight,
//! which cannot bear any, comes before both.
//!
//! Where otelcol leaves the specification (400 for a body that is too large, plain text for 405 and 415, `Retry-After: 0`),
//! the specification is followed. An answer is in the encoding of its request, or in JSON where the request names none.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Version};
use http_body_util::Full;
use hyper::body::Incoming;
use otlp::Signal;

use super::admission::Admission;
use super::body::{Message, Workshop};
use super::cors::CrossOrigin;
use super::gate::Gate;
use super::pieces::{Body, Pieces};
use super::refused::{self, Refused, hand_over};
use super::reply;
use super::settings::HttpCoding;
use super::stats::ReceiverStats;
use super::{Accepted, Intake, Origin};
use crate::auth::Identity;
use crate::budget::Class;
use crate::client::{self, Client, Metadata};
use crate::inflate::Encoding;

const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Answers the requests of one listener.
pub(super) struct HttpApi {
    pub(super) origin: Origin,
    pub(super) intake: Arc<dyn Intake>,
    pub(super) workshop: Workshop,
    pub(super) stats: Arc<ReceiverStats>,
    pub(super) gate: Option<Gate>,
    pub(super) admission: Arc<Admission>,
    /// Whether requests show their headers to those behind.
    pub(super) include_metadata: bool,
    /// Where each signal is posted.
    pub(super) paths: [(String, Signal); 3],
    pub(super) codings: Vec<HttpCoding>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) cross_origin: Option<CrossOrigin>,
    /// How long a request may take; zero is as long as its body keeps its pace.
    pub(super) time_max: Duration,
}

/// How a request and its answer are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Protobuf,
    Json,
}

/// What is known of a request before its body is read.
struct Announced {
    signal: Signal,
    format: Format,
    encoding: Option<Encoding>,
    identity: Option<Identity>,
}

impl HttpApi {
    pub(super) async fn answer(&self, request: Request<Incoming>, connection: &Arc<Client>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let body = Body::Http(body);
        let mut response = match self.cross_origin.as_ref().and_then(|cors| cors.preflight(&head)) {
            Some(answer) => answer,
            None => self.export(&head, body, connection).await,
        };
        let headers = response.headers_mut();
        if let Some(cors) = &self.cross_origin {
            cors.permit(&head, headers);
        }
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        response
    }

    async fn export(&self, head: &http::request::Parts, body: Body, connection: &Arc<Client>) -> Response<Full<Bytes>> {
        let format = Format::of(&head.headers);
        let (transport, signal) = (self.origin.transport, self.signal(head.uri.path()));
        match self.take(head, (signal, format), body, connection).await {
            Ok((signal, accepted)) => {
                self.stats.accepted(transport, signal, &accepted);
                let format = format.unwrap_or(Format::Json);
                let answer = match format {
                    Format::Protobuf => reply::success(&accepted),
                    Format::Json => reply::success_json(signal, &accepted),
                };
                response(format, answer)
            }
            Err(refused) => {
                match (signal, &refused) {
                    (Some(signal), _) => self.stats.refused(transport, signal, refused.reason()),
                    (None, Refused::Denied(_)) => self.stats.unauthenticated(transport),
                    (None, _) => self.stats.unserved(transport),
                }
                refusal(&refused, format.unwrap_or(Format::Json), head.version)
            }
        }
    }

    /// What is posted to this path, if anybody wants it.
    fn signal(&self, path: &str) -> Option<Signal> {
        let named = self.paths.iter().find(|(one, signal)| one == path && self.intake.serves(*signal));
        named.map(|(_, signal)| *signal)
    }

    async fn take(
        &self,
        head: &http::request::Parts,
        (signal, format): (Option<Signal>, Option<Format>),
        body: Body,
        connection: &Arc<Client>,
    ) -> Result<(Signal, Accepted), Refused> {
        let Announced { signal, format, encoding, identity } = match self.admit(head, signal, format).await {
            Ok(announced) => announced,
            Err(refused) => {
                if head.version >= Version::HTTP_2 {
                    body.discard().await;
                }
                return Err(refused);
            }
        };
        let mut message = self.workshop.http(Pieces::new(body, self.time_max), encoding).await?;
        if format == Format::Json {
            message = self.translate(signal, &message)?;
        }
        let metadata = || self.include_metadata.then(|| Metadata::of(self.origin.transport, head));
        let client = client::of_request(connection, identity, metadata);
        Ok((signal, hand_over(&*self.intake, signal, &self.origin, &client, &message).await?))
    }

    /// What there is to say before the body is read.
    async fn admit(
        &self,
        head: &http::request::Parts,
        signal: Option<Signal>,
        format: Option<Format>,
    ) -> Result<Announced, Refused> {
        if !self.admission.admits() {
            return Err(Refused::Overloaded(refused::RETRY_AFTER));
        }
        let identity = match &self.gate {
            Some(gate) => gate.admit(head).await?,
            None => None,
        };
        let Some(signal) = signal else {
            return Err(Refused::NotServed(format!("`{}` is not served here", head.uri.path())));
        };
        if head.method != Method::POST {
            return Err(Refused::Method);
        }
        let Some(format) = format else {
            let named = head.headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
            return Err(Refused::ContentType(String::from_utf8_lossy(named).into_owned()));
        };
        let encoding = self.encoding(&head.headers)?;
        if self.workshop.pool.budget().at_hard() {
            return Err(Refused::Overloaded(refused::RETRY_AFTER));
        }
        Ok(Announced { signal, format, encoding, identity })
    }

    /// JSON as protobuf.
    fn translate(&self, signal: Signal, json: &[u8]) -> Result<Message, Refused> {
        let bytes =
            otlp::json::decode(signal, json).map_err(|error| Refused::Malformed(format!("not OTLP/JSON: {error}")))?;
        let charge = self.workshop.pool.budget().charge_always(Class::Frames, bytes.capacity());
        Ok(Message::Translated(bytes, charge))
    }

    fn encoding(&self, headers: &HeaderMap) -> Result<Option<Encoding>, Refused> {
        let mut values = headers.get_all(CONTENT_ENCODING).iter();
        let named = values.next().map_or(&b""[..], HeaderValue::as_bytes);
        let coding = std::str::from_utf8(named).ok().and_then(HttpCoding::of);
        // Several compressions, one around the other, are what bombs are made of.
        match coding.filter(|coding| self.codings.contains(coding) && values.next().is_none()) {
            Some(coding) => Ok(coding.encoding()),
            None if named.is_empty() && self.codings.is_empty() => Ok(None),
            None => {
                let taken = self.codings.iter().filter(|coding| **coding != HttpCoding::Plain);
                let taken: Vec<String> = taken.map(|coding| format!("`{}`", coding.name())).collect();
                let taken = if taken.is_empty() { "none".to_owned() } else { taken.join(", ") };
                Err(Refused::Coding { named: String::from_utf8_lossy(named).into_owned(), taken })
            }
        }
    }
}

impl Format {
    /// By the media type alone; parameters such as a charset do not matter.
    fn of(headers: &HeaderMap) -> Option<Format> {
        let named = headers.get(CONTENT_TYPE)?.as_bytes();
        let media_type = named.split(|byte| *byte == b';').next()?.trim_ascii();
        if media_type.eq_ignore_ascii_case(PROTOBUF.as_bytes()) {
            Some(Format::Protobuf)
        } else if media_type.eq_ignore_ascii_case(JSON.as_bytes()) {
            Some(Format::Json)
        } else {
            None
        }
    }

    fn content_type(self) -> HeaderValue {
        match self {
            Format::Protobuf => PROTOBUF,
            Format::Json => JSON,
        }
    }
}

fn response(format: Format, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    response.headers_mut().insert(CONTENT_TYPE, format.content_type());
    response
}

fn refusal(refused: &Refused, format: Format, version: Version) -> Response<Full<Bytes>> {
    let body = match format {
        Format::Protobuf => reply::status(refused),
        Format::Json => reply::status_json(refused),
    };
    let mut response = response(format, body);
    *response.status_mut() = refused.http_status();
    let headers = response.headers_mut();
    if let Some(delay) = refused.retry_after() {
        // Whole seconds, never less than asked and never none: 0.9 s is not "now".
        let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
    match refused {
        Refused::Method => {
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        Refused::Denied(Some(challenge)) => {
            headers.insert(WWW_AUTHENTICATE, challenge.clone());
        }
        // The rest of the body is not waited for.
        Refused::TooLarge(_) | Refused::Slow | Refused::ShuttingDown if version < Version::HTTP_2 => {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    response
}
