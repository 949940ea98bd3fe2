//! Why a request gets an error, and what that is in gRPC and in HTTP.
//!
//! One table for both protocols, so that they cannot disagree about what is worth sending again: OTLP's clients repeat
//! UNAVAILABLE (and 503), and nothing else that stands here, except DEADLINE_EXCEEDED for a body that came too slowly.

use otlp::Signal;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::{HeaderValue, StatusCode};
use tonic::Code;

use super::stats::RefusedReason;
use super::{Accepted, Intake, Origin, Refusal};
use crate::buffer::Stop;
use crate::client::Client;

/// When a client should come back after the budget refused its request.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Why a request gets an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Not a request, or not in the encoding it claims.
    Malformed(String),
    /// Above the limit, on the wire or inflated.
    TooLarge(usize),
    /// A compression that is not taken, and those that are.
    Coding { named: String, taken: String },
    /// A content type that is not taken.
    ContentType(String),
    /// A method that is not taken on this path.
    Method,
    /// A path or RPC that is not served, in a sentence.
    NotServed(String),
    /// Credentials are missing or wrong; what to bring, for HTTP.
    Denied(Option<HeaderValue>),
    /// No room now.
    Overloaded(Duration),
    /// The program is ending.
    ShuttingDown,
    /// The body came too slowly.
    Slow,
    /// The peer broke off; nobody will read the answer.
    Gone,
    /// The intake panicked over this request.
    Panicked,
    /// The intake will never take it, through no fault of the request's; in a sentence.
    Failed(String),
}

/// Hands a request to the intake; a panic over one request is that request's alone, and never retried into another.
pub(super) async fn hand_over(
    intake: &dyn Intake,
    signal: Signal,
    origin: &Origin,
    client: &Arc<Client>,
    body: &[u8],
) -> Result<Accepted, Refused> {
    let mut future = intake.take(signal, origin, client, body);
    let guarded = poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(outcome)) => Poll::Ready(outcome.map_err(Refused::from)),
        Err(_) => {
            tracing::error!(receiver = &*origin.receiver, "BUG: a panic while a request was taken in");
            Poll::Ready(Err(Refused::Panicked))
        }
    });
    guarded.await
}

impl Refused {
    pub(super) fn code(&self) -> Code {
        match self {
            Refused::Malformed(_) => Code::InvalidArgument,
            Refused::TooLarge(_) => Code::ResourceExhausted,
            Refused::Coding { .. } | Refused::NotServed(_) => Code::Unimplemented,
            Refused::ContentType(_) | Refused::Method | Refused::Panicked | Refused::Failed(_) => Code::Internal,
            Refused::Overloaded(_) | Refused::ShuttingDown => Code::Unavailable,
            Refused::Denied(_) => Code::Unauthenticated,
            Refused::Slow => Code::DeadlineExceeded,
            Refused::Gone => Code::Cancelled,
        }
    }

    pub(super) fn http_status(&self) -> StatusCode {
        match self {
            Refused::Malformed(_) | Refused::Coding { .. } | Refused::Gone => StatusCode::BAD_REQUEST,
            Refused::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Refused::ContentType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Refused::Method => StatusCode::METHOD_NOT_ALLOWED,
            Refused::NotServed(_) => StatusCode::NOT_FOUND,
            Refused::Overloaded(_) | Refused::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
            Refused::Denied(_) => StatusCode::UNAUTHORIZED,
            Refused::Slow => StatusCode::REQUEST_TIMEOUT,
            Refused::Panicked | Refused::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(super) fn message(&self) -> String {
        match self {
            Refused::Malformed(why) | Refused::Failed(why) => why.clone(),
            Refused::TooLarge(bytes_max) => {
                format!("the request is larger than the limit of {bytes_max} bytes, send smaller batches")
            }
            Refused::Coding { named, taken } => format!("unsupported compression `{named}`, use one of {taken}"),
            Refused::ContentType(named) => {
                format!("unsupported content type `{named}`, use `application/x-protobuf` or `application/json`")
            }
            Refused::Method => "only `POST` is taken here".to_owned(),
            Refused::NotServed(what) => what.clone(),
            Refused::Denied(_) => "valid credentials are needed".to_owned(),
            Refused::Overloaded(_) => "there is no room for more now, come back later".to_owned(),
            Refused::ShuttingDown => "the collector is shutting down".to_owned(),
            Refused::Slow => "the request came too slowly".to_owned(),
            Refused::Gone => "the request broke off".to_owned(),
            Refused::Panicked => "the collector failed over this request".to_owned(),
        }
    }

    /// Under which reason it is counted.
    pub(super) fn reason(&self) -> RefusedReason {
        match self {
            Refused::Malformed(_) => RefusedReason::Malformed,
            Refused::TooLarge(_) => RefusedReason::TooLarge,
            Refused::Coding { .. } | Refused::ContentType(_) | Refused::Method | Refused::NotServed(_) => {
                RefusedReason::Unsupported
            }
            Refused::Denied(_) => RefusedReason::Unauthenticated,
            Refused::Overloaded(_) => RefusedReason::Overloaded,
            Refused::ShuttingDown => RefusedReason::ShuttingDown,
            Refused::Slow => RefusedReason::Slow,
            Refused::Gone => RefusedReason::Gone,
            Refused::Failed(_) => RefusedReason::Failed,
            Refused::Panicked => RefusedReason::Panicked,
        }
    }

    /// The time to wait, where there is one to tell.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Refused::Overloaded(delay) => Some(*delay),
            _ => None,
        }
    }
}

impl From<Stop> for Refused {
    fn from(stop: Stop) -> Refused {
        match stop {
            Stop::TooLarge { bytes_max } => Refused::TooLarge(bytes_max),
            Stop::Exhausted => Refused::Overloaded(RETRY_AFTER),
            Stop::Corrupt(why) => Refused::Malformed(why),
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Refused {
        match refusal {
            Refusal::Malformed(why) => Refused::Malformed(why),
            Refusal::Overloaded { retry_after } => Refused::Overloaded(retry_after),
            Refusal::ShuttingDown => Refused::ShuttingDown,
            Refusal::Failed(why) => Refused::Failed(why),
        }
    }
}
