//! A request's message out of its body's [`Pieces`], with as few copies as the bytes allow.
//!
//! A message that arrives in one piece is used where it lies. One that comes in several is copied as it comes, if there is
//! a [`Buffer`] that is large enough for what was announced; then the next piece lies where the last one lay, which is
//! memory that the caches know. Where there is none, the pieces wait for the last of them and are then copied once, into a
//! buffer of their size (growing it meanwhile copied a 230 KB message in 16 KiB frames twice over and cost more than the
//! rest of the way). A compressed one goes piece by piece through the inflater, so its compressed form is never held whole.

use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;

use super::pieces::Pieces;
use super::refused::Refused;
use crate::budget::{Charge, Class};
use crate::buffer::{Buffer, Pool, Stop};
use crate::inflate::{Decoders, Encoding, Inflater};

/// Pieces that wait for the last one have this size at least on average; crumbs are copied at once, since each costs more
/// than its bytes.
const PIECE_BYTES_MIN: usize = 2 << 10;
/// Bytes of a giant that are copied before the task yields.
const STEP_BYTES: usize = 256 << 10;
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

/// Pieces of a message that is not compressed, on the way to being one.
struct Gathering<'a> {
    workshop: &'a Workshop,
    pieces: Vec<Bytes>,
    bytes: usize,
    charge: Charge,
    /// Where they are copied to at once: there is room for all of them, or there were too many small ones.
    copied: Option<Buffer>,
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
                let mut gathering = Gathering::new(self, length)?;
                sized(&mut pieces, first, length, |piece| gathering.take(piece)).await?;
                Message::Gathered(gathering.finish().await?)
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
        if pieces.announced() > self.bytes_max as u64 {
            return Err(Refused::TooLarge(self.bytes_max));
        }
        let announced = usize::try_from(pieces.announced()).unwrap_or_default();
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
                let mut gathering = Gathering::new(self, announced)?;
                gathering.take(first)?;
                while let Some(piece) = pieces.next().await? {
                    gathering.take(piece)?;
                }
                Ok(Message::Gathered(gathering.finish().await?))
            }
            Some(encoding) => {
                let mut out = self.pool.buffer(self.bytes_max)?;
                let mut inflater = Inflater::new(encoding, &self.decoders, &self.pool, self.bytes_max)?;
                inflater.feed(&first, &mut out)?;
                while let Some(piece) = pieces.next().await? {
                    if pieces.bytes() > self.bytes_max as u64 {
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
    /// For about `announced` bytes; nothing is made that large before they come.
    fn new(workshop: &'a Workshop, announced: usize) -> Result<Gathering<'a>, Refused> {
        let copied = Some(workshop.pool.buffer(workshop.bytes_max)?).filter(|buffer| buffer.holds(announced));
        Ok(Gathering { workshop, pieces: Vec::new(), bytes: 0, charge: workshop.charge(0)?, copied })
    }

    fn take(&mut self, piece: Bytes) -> Result<(), Refused> {
        if let Some(copied) = &mut self.copied {
            return Ok(copied.extend(&piece)?);
        }
        self.bytes = self.bytes.saturating_add(piece.len());
        if self.bytes > self.workshop.bytes_max {
            return Err(Refused::TooLarge(self.workshop.bytes_max));
        }
        self.charge.grow(piece.len()).map_err(Stop::from)?;
        self.pieces.push(piece);
        if self.pieces.len() > 2 + self.bytes / PIECE_BYTES_MIN {
            let mut copied = self.room()?;
            self.pieces.drain(..).try_for_each(|piece| copied.extend(&piece))?;
            self.charge.shrink_to(0);
            self.copied = Some(copied);
        }
        Ok(())
    }

    /// A buffer with room for all pieces that have come.
    fn room(&self) -> Result<Buffer, Refused> {
        let mut room = self.workshop.pool.buffer(self.workshop.bytes_max)?;
        room.reserve(self.bytes)?;
        Ok(room)
    }

    /// All pieces in one buffer of their size. The copy of a giant takes so long that others have their turn meanwhile.
    async fn finish(mut self) -> Result<Buffer, Refused> {
        if let Some(copied) = self.copied.take() {
            return Ok(copied);
        }
        let mut out = self.room()?;
        let mut step = 0;
        for piece in std::mem::take(&mut self.pieces) {
            if step >= STEP_BYTES {
                tokio::task::yield_now().await;
                step = 0;
            }
            step += piece.len();
            out.extend(&piece)?;
        }
        self.charge.shrink_to(0);
        Ok(out)
    }
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
