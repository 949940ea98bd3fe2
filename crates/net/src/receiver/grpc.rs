//! OTLP/gRPC: one unary method of three services.
//!
//! ```text
//!  POST /opentelemetry.proto.collector.trace.v1.TraceService/Export
//!  request    ┌ flags ┬ length, big endian ┬ ExportTraceServiceRequest, perhaps compressed ┐ END_STREAM
//!  answer     headers, the same prefix and ExportTraceServiceResponse, trailers `grpc-status: 0`
//!  refusal    headers alone (trailers-only): grpc-status, grpc-message, grpc-status-details-bin
//! ```
//!
//! The path, the credentials, the compression and the budget are looked at before a byte of the body is read. The service
//! of a signal without a pipeline does not exist, as in otelcol.

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes};
use h2::RecvStream;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use otlp::Signal;
use tonic::Status;

use super::admission::Admission;
use super::body::{Message, Workshop};
use super::calls::Answer;
use super::gate::Gate;
use super::pieces::{Body, Pieces};
use super::refused::{RETRY_AFTER, Refused, hand_over};
use super::reply;
use super::stats::ReceiverStats;
use super::{Accepted, Intake, Origin};
use crate::auth::Identity;
use crate::client::{self, Client, Metadata};
use crate::inflate::Encoding;

const SERVICES: [(&str, Signal); 3] = [
    ("opentelemetry.proto.collector.trace.v1.TraceService", Signal::Traces),
    ("opentelemetry.proto.collector.metrics.v1.MetricsService", Signal::Metrics),
    ("opentelemetry.proto.collector.logs.v1.LogsService", Signal::Logs),
];
/// The one method of each of them.
const METHOD: &str = "Export";
const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_ENCODING: &str = "grpc-encoding";
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
/// The compressions taken, as `grpc-accept-encoding` lists them.
const TAKEN: &str = "identity,gzip,zstd,snappy";
/// A prefix and no message: full success.
const EMPTY: &[u8] = &[0; 5];

/// Answers the calls of one listener.
pub(super) struct GrpcApi {
    pub(super) origin: Origin,
    pub(super) intake: Arc<dyn Intake>,
    pub(super) workshop: Workshop,
    pub(super) stats: Arc<ReceiverStats>,
    pub(super) gate: Option<Gate>,
    pub(super) admission: Arc<Admission>,
    /// Whether requests show their headers to those behind.
    pub(super) include_metadata: bool,
}

impl GrpcApi {
    /// Whether there is so much to do or to hold that clients should hold back.
    pub(super) fn is_pressed(&self) -> bool {
        self.admission.is_shedding() || self.workshop.pool.budget().over_soft()
    }

    /// The refusal of a call that there is no time for.
    pub(super) fn turn_away<B>(&self, request: &Request<B>) -> Option<Answer> {
        if self.admission.admits() {
            return None;
        }
        // What is not served is told so, whenever there is time.
        let signal = self.signal(request.uri().path()).ok()?;
        let refused = Refused::Overloaded(RETRY_AFTER);
        self.stats.refused(self.origin.transport, signal, refused.reason());
        Some(refusal(&refused))
    }

    pub(super) async fn answer(&self, request: Request<RecvStream>, connection: &Arc<Client>) -> Answer {
        if let Some(status) = not_grpc(&request) {
            let mut head = Response::new(());
            *head.status_mut() = status;
            return Answer { head, rest: None };
        }
        let transport = self.origin.transport;
        let (head, body) = request.into_parts();
        let body = Body::Stream(body);
        let signal = match self.signal(head.uri.path()) {
            Ok(signal) => signal,
            Err(refused) => {
                self.stats.unserved(transport);
                body.discard().await;
                return refusal(&refused);
            }
        };
        let outcome = match self.admit(&head).await {
            Ok(admitted) => self.export((signal, &head), admitted, body, connection).await,
            Err(refused) => {
                body.discard().await;
                Err(refused)
            }
        };
        match outcome {
            Ok(accepted) => {
                self.stats.accepted(transport, signal, &accepted);
                success(&accepted)
            }
            Err(refused) => {
                self.stats.refused(transport, signal, refused.reason());
                refusal(&refused)
            }
        }
    }

    /// What is called, in grpc-go's words where it is not there.
    fn signal(&self, path: &str) -> Result<Signal, Refused> {
        let called = path.strip_prefix('/').and_then(|path| path.rsplit_once('/'));
        let Some((service, method)) = called else {
            return Err(Refused::NotServed(format!("malformed method name: {path:?}")));
        };
        let known = SERVICES.iter().find(|(name, _)| *name == service).map(|(_, signal)| *signal);
        match known.filter(|signal| self.intake.serves(*signal)) {
            None => Err(Refused::NotServed(format!("unknown service {service}"))),
            Some(signal) if method == METHOD => Ok(signal),
            Some(_) => Err(Refused::NotServed(format!("unknown method {method} for service {service}"))),
        }
    }

    /// What there is to say before the body is read.
    async fn admit(&self, head: &Parts) -> Result<(Option<Identity>, Option<Encoding>), Refused> {
        let identity = match &self.gate {
            Some(gate) => gate.admit(head).await?,
            None => None,
        };
        let encoding = encoding(&head.headers)?;
        if self.workshop.pool.budget().at_hard() {
            return Err(Refused::Overloaded(RETRY_AFTER));
        }
        Ok((identity, encoding))
    }

    async fn export(
        &self,
        (signal, head): (Signal, &Parts),
        (identity, encoding): (Option<Identity>, Option<Encoding>),
        body: Body,
        connection: &Arc<Client>,
    ) -> Result<Accepted, Refused> {
        let message: Message = self.workshop.grpc(Pieces::new(body, Duration::ZERO), encoding).await?;
        let metadata = || self.include_metadata.then(|| Metadata::of(self.origin.transport, head));
        let client = client::of_request(connection, identity, metadata);
        hand_over(&*self.intake, signal, &self.origin, &client, &message).await
    }
}

/// The HTTP status for what is not gRPC at all.
fn not_grpc<B>(request: &Request<B>) -> Option<StatusCode> {
    let content_type = request.headers().get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    if request.method() != Method::POST {
        Some(StatusCode::METHOD_NOT_ALLOWED)
    } else if !content_type.starts_with(GRPC.as_bytes()) {
        Some(StatusCode::UNSUPPORTED_MEDIA_TYPE)
    } else {
        None
    }
}

fn encoding(headers: &HeaderMap) -> Result<Option<Encoding>, Refused> {
    match headers.get(GRPC_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"" | b"identity") => Ok(None),
        Some(b"gzip") => Ok(Some(Encoding::Gzip)),
        Some(b"zstd") => Ok(Some(Encoding::Zstd)),
        // What gRPC's clients call snappy is the framed form; the decoder tells it from a bare block.
        Some(b"snappy") => Ok(Some(Encoding::Snappy)),
        Some(other) => Err(Refused::Coding {
            named: String::from_utf8_lossy(other).into_owned(),
            taken: "`identity`, `gzip`, `zstd`, `snappy`".to_owned(),
        }),
    }
}

fn success(accepted: &Accepted) -> Answer {
    let message = reply::success(accepted);
    let data = match u32::try_from(message.len()) {
        Ok(length) if length > 0 => {
            let mut framed = Vec::with_capacity(EMPTY.len() + message.len());
            framed.put_u8(0);
            framed.put_u32(length);
            framed.extend_from_slice(&message);
            Bytes::from(framed)
        }
        _ => Bytes::from_static(EMPTY),
    };
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert(GRPC_STATUS, HeaderValue::from_static("0"));
    let mut head = Response::new(());
    head.headers_mut().insert(CONTENT_TYPE, GRPC);
    Answer { head, rest: Some((data, trailers)) }
}

fn refusal(refused: &Refused) -> Answer {
    let message = refused.message();
    let message = reply::shortened(&message);
    let status = match refused {
        Refused::Overloaded(_) | Refused::Malformed(_) => {
            Status::with_details(refused.code(), message, reply::status(refused).into())
        }
        _ => Status::new(refused.code(), message),
    };
    let mut head = status.into_http::<()>();
    if let Refused::Coding { .. } = refused {
        head.headers_mut().insert(GRPC_ACCEPT_ENCODING, HeaderValue::from_static(TAKEN));
    }
    Answer { head, rest: None }
}
