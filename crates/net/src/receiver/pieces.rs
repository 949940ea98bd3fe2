//! A request's body as it comes: piece by piece, at the peer's pace within bounds.
//!
//! The pace has a floor as in Kestrel: [`GRACE`] and then [`PACE_BYTES_PER_SECOND`] on average, so a body that drips one
//! byte at a time holds its place for seconds, not for ever.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::RecvStream;
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use super::refused::Refused;

/// How long a body may take before its pace counts.
pub(super) const GRACE: Duration = Duration::from_secs(5);
/// The slowest pace after that.
const PACE_BYTES_PER_SECOND: u64 = 240;
/// So much of a body is taken although its request was refused, and for so long.
const DISCARD_BYTES_MAX: usize = 64 << 10;
const DISCARD_TIME_MAX: Duration = Duration::from_millis(100);

/// Where a body comes from.
pub(super) enum Body {
    /// hyper's, of OTLP/HTTP.
    Http(Incoming),
    /// A stream of a gRPC connection.
    Stream(RecvStream),
}

/// A body and the time it may take.
pub(super) struct Pieces {
    body: Body,
    /// When the body was first waited for.
    started: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    /// The end of the whole request, where the settings bound it.
    deadline: Option<Instant>,
    bytes: u64,
}

impl Body {
    /// The next piece, perhaps an empty one, or the end; trailers are of no interest.
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Refused>>> {
        match self {
            Body::Http(body) => Poll::Ready(match ready!(Pin::new(body).poll_frame(context)) {
                Some(Ok(frame)) => Some(Ok(frame.into_data().unwrap_or_default())),
                Some(Err(_)) => Some(Err(Refused::Gone)),
                None => None,
            }),
            Body::Stream(stream) => Poll::Ready(match ready!(stream.poll_data(context)) {
                Some(Ok(data)) => {
                    // Room for what follows; a stream that is gone needs none.
                    let _ = stream.flow_control().release_capacity(data.len());
                    Some(Ok(data))
                }
                Some(Err(_)) => Some(Err(Refused::Gone)),
                None => None,
            }),
        }
    }

    fn ended(&self) -> bool {
        match self {
            Body::Http(body) => body.is_end_stream(),
            Body::Stream(stream) => stream.is_end_stream(),
        }
    }

    /// Takes the rest of a body that nobody wants, if it is small and on its way: an answer over HTTP/2 before the body's
    /// end comes with a RST_STREAM, and some clients (curl 7.88 is one) then forget the answer.
    pub(super) async fn discard(mut self) {
        let mut left = DISCARD_BYTES_MAX;
        let rest = async {
            while let Some(Ok(piece)) = poll_fn(|context| self.poll_piece(context)).await {
                left = left.saturating_sub(piece.len());
                if left == 0 {
                    return;
                }
            }
        };
        // Whoever is slower gets the answer now, and the reset.
        let _ = tokio::time::timeout(DISCARD_TIME_MAX, rest).await;
    }
}

impl Pieces {
    /// Pieces of `body`, all of them within `time_max` unless that is zero.
    pub(super) fn new(body: Body, time_max: Duration) -> Pieces {
        let deadline = (!time_max.is_zero()).then(|| Instant::now() + time_max);
        Pieces { body, started: None, timer: None, deadline, bytes: 0 }
    }

    /// The next piece that is not empty, or the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Refused> {
        loop {
            match poll_fn(|context| self.poll_piece(context)).await? {
                None => return Ok(None),
                Some(piece) if piece.is_empty() => {}
                Some(piece) => {
                    self.bytes = self.bytes.saturating_add(piece.len() as u64);
                    return Ok(Some(piece));
                }
            }
        }
    }

    /// Bytes that have come.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes that the head announced, or none.
    pub(super) fn announced(&self) -> u64 {
        match &self.body {
            Body::Http(body) => body.size_hint().lower(),
            Body::Stream(_) => 0,
        }
    }

    /// Whether there is certainly nothing more.
    pub(super) fn ended(&self) -> bool {
        self.body.ended()
    }

    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Refused>> {
        // Most bodies are there already; a timer only for those that are not, and only one.
        if let Poll::Ready(piece) = self.body.poll_piece(context) {
            return Poll::Ready(piece.transpose());
        }
        let now = Instant::now();
        let until = self.due(now);
        if now >= until {
            return Poll::Ready(Err(Refused::Slow));
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        // It was set for fewer bytes; a later due date is looked at when it rings.
        while timer.as_mut().poll(context).is_ready() {
            timer.as_mut().reset(until);
        }
        Poll::Pending
    }

    /// When the bytes that have come so far no longer excuse the wait.
    fn due(&mut self, now: Instant) -> Instant {
        let started = *self.started.get_or_insert(now);
        let allowed = GRACE + Duration::from_millis(self.bytes.saturating_mul(1000) / PACE_BYTES_PER_SECOND);
        let floor = started + allowed;
        self.deadline.map_or(floor, |deadline| deadline.min(floor))
    }
}
