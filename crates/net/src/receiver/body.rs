//! Reading a request's body: at the peer's pace within bounds, into as few copies as the bytes allow.
//!
//! A message that arrives in one piece is used where it lies. One that comes in several waits for the last of them and is
//! then copied once, into a [`Buffer`] of its size (growing it meanwhile copied a 230 KB message in 16 KiB frames twice over
//! and cost more than the rest of the way). A compressed one goes piece by piece through the inflater, so its compressed form
//! is never held whole.
//!
//! The pace has a floor as in Kestrel: [`GRACE`] and then [`PACE_BYTES_PER_SECOND`] on average, so a body that drips one
//! byte at a time holds its place for seconds, not for ever.

use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use super::refused::Refused;
use crate::budget::{Charge, Class};
use crate::buffer::{Buffer, Pool, Stop};
use crate::inflate::{Decoders, Encoding, Inflater};

/// How long a body may take before its pace counts.
pub(super) const GRACE: Duration = Duration::from_secs(5);
/// The slowest pace after that.
const PACE_BYTES_PER_SECOND: u64 = 240;
/// Pieces that wait for the last one have this size at least on average; crumbs are copied at once, since each costs more
/// than its bytes.
const PIECE_BYTES_MIN: usize = 2 << 10;
/// So much of a body is taken although its request was refused, and for so long.
const DISCARD_BYTES_MAX: usize = 64 << 10;
const DISCARD_TIME_MAX: Duration = Duration::from_millis(100);
/// gRPC's prefix: one byte of flags, four of length.
const PREFIX_BYTES: usize = 5;

/// Where messages are put together.
pub(super) struct Workshop {
    pub(super) pool: Arc<Pool>,
    pub(super) decoders: Arc<Decoders>,
    /// The largest message, on the wire and inflated.
    pub(super) bytes_max: usize,
}

/// A whole message and its charge.
pub(super) enum Message {
    /// As the socket delivered it.
    Slice(Bytes, #[expect(dead_code, reason = "held for its drop")] Charge),
    /// Put together or inflated.
    Gathered(Buffer),
    /// Translated from another encoding.
    Translated(Vec<u8>, #[expect(dead_code, reason = "held for its drop")] Charge),
}

/// A body and the time it may take.
pub(super) struct Pieces {
    body: Incoming,
    /// When the body was first waited for.
    started: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    /// The end of the whole request, where the settings bound it.
    deadline: Option<Instant>,
    bytes: u64,
}

/// Pieces of a message that is not compressed, on the way to being one.
struct Gathering<'a> {
    workshop: &'a Workshop,
    pieces: Vec<Bytes>,
    bytes: usize,
    charge: Charge,
    /// Where they are copied to at once, when there were too many small ones.
    crumbs: Option<Buffer>,
}

impl Deref for Message {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Message::Slice(bytes, _) => bytes,
            Message::Gathered(buffer) => buffer.as_slice(),
            Message::Translated(bytes, _) => bytes,
        }
    }
}

impl Pieces {
    pub(super) fn new(body: Incoming, time_max: Duration) -> Pieces {
        let deadline = (!time_max.is_zero()).then(|| Instant::now() + time_max);
        Pieces { body, started: None, timer: None, deadline, bytes: 0 }
    }

    /// The next piece that is not empty, or the end.
    async fn next(&mut self) -> Result<Option<Bytes>, Refused> {
        loop {
            match std::future::poll_fn(|context| self.poll_frame(context)).await? {
                None => return Ok(None),
                Some(frame) => {
                    if let Ok(data) = frame.into_data()
                        && !data.is_empty()
                    {
                        self.bytes = self.bytes.saturating_add(data.len() as u64);
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Frame<Bytes>>, Refused>> {
        // Most bodies are there already; a timer only for those that are not, and only one.
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            return Poll::Ready(frame.transpose().map_err(|_| Refused::Gone));
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

    fn ended(&self) -> bool {
        self.body.is_end_stream()
    }
}

impl Workshop {
    /// One gRPC message: the prefix, then exactly as many bytes as it says, then the end.
    pub(super) async fn grpc(&self, mut pieces: Pieces, encoding: Option<Encoding>) -> Result<Message, Refused> {
        let (prefix, first) = prefix(&mut pieces).await?;
        let [flags, length @ ..] = prefix;
        let length = u32::from_be_bytes(length) as usize;
        let encoding = match (flags, encoding) {
            (0, _) => None,
            (1, Some(encoding)) => Some(encoding),
            (1, None) => return Err(malformed("the message is compressed, but `grpc-encoding` names no compression")),
            _ => return Err(malformed("the message's prefix has unknown flags")),
        };
        if length > self.bytes_max {
            return Err(Refused::TooLarge(self.bytes_max));
        }
        let message = match encoding {
            None if first.len() >= length => {
                let charge = self.charge(first.len())?;
                if first.len() > length {
                    return Err(malformed("there are bytes after the message"));
                }
                Message::Slice(first, charge)
            }
            None => {
                let mut gathering = Gathering::new(self)?;
                sized(&mut pieces, first, length, |piece| gathering.take(piece)).await?;
                Message::Gathered(gathering.finish()?)
            }
            Some(encoding) => {
                let mut out = self.pool.buffer(self.bytes_max)?;
                let mut inflater = Inflater::new(encoding, &self.decoders, &self.pool, self.bytes_max)?;
                sized(&mut pieces, first, length, |piece| inflater.feed(&piece, &mut out).map_err(Refused::from))
                    .await?;
                inflater.finish(&mut out)?;
                Message::Gathered(out)
            }
        };
        match pieces.ended() || pieces.next().await?.is_none() {
            true => Ok(message),
            false => Err(malformed("there are bytes after the message")),
        }
    }

    /// One HTTP body, to its end.
    pub(super) async fn http(&self, mut pieces: Pieces, encoding: Option<Encoding>) -> Result<Message, Refused> {
        if pieces.body.size_hint().lower() > self.bytes_max as u64 {
            return Err(Refused::TooLarge(self.bytes_max));
        }
        let first = pieces.next().await?.unwrap_or_default();
        if first.len() > self.bytes_max {
            return Err(Refused::TooLarge(self.bytes_max));
        }
        match encoding {
            None if pieces.ended() => {
                let charge = self.charge(first.len())?;
                Ok(Message::Slice(first, charge))
            }
            None => {
                let mut gathering = Gathering::new(self)?;
                gathering.take(first)?;
                while let Some(piece) = pieces.next().await? {
                    gathering.take(piece)?;
                }
                Ok(Message::Gathered(gathering.finish()?))
            }
            Some(encoding) => {
                let mut out = self.pool.buffer(self.bytes_max)?;
                let mut inflater = Inflater::new(encoding, &self.decoders, &self.pool, self.bytes_max)?;
                inflater.feed(&first, &mut out)?;
                while let Some(piece) = pieces.next().await? {
                    if pieces.bytes > self.bytes_max as u64 {
                        return Err(Refused::TooLarge(self.bytes_max));
                    }
                    inflater.feed(&piece, &mut out)?;
                }
                inflater.finish(&mut out)?;
                Ok(Message::Gathered(out))
            }
        }
    }

    fn charge(&self, bytes: usize) -> Result<Charge, Refused> {
        Ok(self.pool.budget().charge(Class::Frames, bytes).map_err(Stop::from)?)
    }
}

impl<'a> Gathering<'a> {
    fn new(workshop: &'a Workshop) -> Result<Gathering<'a>, Refused> {
        Ok(Gathering { workshop, pieces: Vec::new(), bytes: 0, charge: workshop.charge(0)?, crumbs: None })
    }

    fn take(&mut self, piece: Bytes) -> Result<(), Refused> {
        if let Some(crumbs) = &mut self.crumbs {
            return Ok(crumbs.extend(&piece)?);
        }
        self.bytes = self.bytes.saturating_add(piece.len());
        if self.bytes > self.workshop.bytes_max {
            return Err(Refused::TooLarge(self.workshop.bytes_max));
        }
        self.charge.grow(piece.len()).map_err(Stop::from)?;
        self.pieces.push(piece);
        if self.pieces.len() > 2 + self.bytes / PIECE_BYTES_MIN {
            self.crumbs = Some(self.join()?);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Buffer, Refused> {
        match self.crumbs.take() {
            Some(crumbs) => Ok(crumbs),
            None => self.join(),
        }
    }

    /// All pieces in one buffer of their size.
    fn join(&mut self) -> Result<Buffer, Refused> {
        let mut out = self.workshop.pool.buffer(self.workshop.bytes_max)?;
        out.reserve(self.bytes)?;
        for piece in self.pieces.drain(..) {
            out.extend(&piece)?;
        }
        self.charge.shrink_to(0);
        Ok(out)
    }
}

/// Takes the rest of a body that nobody wants, if it is small and on its way: an answer over HTTP/2 before the body's end
/// comes with a RST_STREAM, and some clients (curl 7.88 is one) then forget the answer.
pub(super) async fn discard(mut body: Incoming) {
    let mut left = DISCARD_BYTES_MAX;
    let rest = async {
        while let Some(Ok(frame)) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                return;
            }
        }
    };
    // Whoever is slower gets the answer now, and the reset.
    let _ = tokio::time::timeout(DISCARD_TIME_MAX, rest).await;
}

/// Reads the prefix; gives it and what came with it.
async fn prefix(pieces: &mut Pieces) -> Result<([u8; PREFIX_BYTES], Bytes), Refused> {
    let mut prefix = [0; PREFIX_BYTES];
    let mut filled = 0;
    loop {
        let Some(mut piece) = pieces.next().await? else {
            return Err(malformed("the request holds no whole message"));
        };
        let taken = piece.split_to(piece.len().min(PREFIX_BYTES - filled));
        for (into, from) in prefix.iter_mut().skip(filled).zip(&taken) {
            *into = *from;
        }
        filled += taken.len();
        if filled == PREFIX_BYTES {
            return Ok((prefix, piece));
        }
    }
}

/// Hands exactly `length` bytes to `take`.
async fn sized(
    pieces: &mut Pieces,
    first: Bytes,
    length: usize,
    mut take: impl FnMut(Bytes) -> Result<(), Refused>,
) -> Result<(), Refused> {
    let mut missing = length;
    let mut piece = first;
    loop {
        missing = missing.checked_sub(piece.len()).ok_or_else(|| malformed("there are bytes after the message"))?;
        take(piece)?;
        if missing == 0 {
            return Ok(());
        }
        piece = match pieces.next().await? {
            Some(piece) => piece,
            None => return Err(malformed("the request ends within its message")),
        };
    }
}

fn malformed(why: &str) -> Refused {
    Refused::Malformed(why.to_owned())
}
