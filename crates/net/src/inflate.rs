//! Decompression with a bound: what comes out is charged while it grows and stops at the limit.
//!
//! gzip, zlib and zstd are fed with what the socket delivers, piece by piece, so a compressed message is never held whole.
//! snappy and LZ4 come in blocks whose decoders want the whole input; for those the compressed bytes are gathered first,
//! charged like any other. In all of them a claimed size is checked against what is there before anything is allocated:
//! a block of snappy cannot expand more than [`SNAPPY_RATIO_MAX`] times, and a zstd window above [`ZSTD_WINDOW_LOG_MAX`]
//! is refused (RFC 8878 asks decoders for 8 MiB).
//!
//! Invariant: an inflater that returned an error is not used again.

use std::io::Read;
use std::sync::Arc;

use flate2::{Decompress, FlushDecompress, Status};
use parking_lot::Mutex;
use zstd::zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, ResetDirective};

use crate::budget::{Charge, Class};
use crate::buffer::{Buffer, Pool, Stop};

/// The largest window a zstd frame may ask for: 8 MiB.
pub const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// snappy's longest copy writes 64 bytes for 3 bytes of input.
const SNAPPY_RATIO_MAX: usize = 22;
/// What zlib's decoder holds beside its output: the 32 KiB window and its tables.
const DEFLATE_STATE_BYTES: usize = 48 << 10;
/// Decoders that wait for reuse.
const IDLE_MAX: usize = 8;
/// A waiting zstd decoder holds at most this much; one that saw a large window is freed.
const IDLE_ZSTD_BYTES_MAX: usize = 512 << 10;
/// Room that a block decoder is offered at a time.
const STEP_BYTES: usize = 64 << 10;

const SNAPPY_STREAM: &[u8] = b"\xff\x06\x00\x00sNaPpY";
const LZ4_MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];

/// A compression that peers use on requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// RFC 1952, any number of members.
    Gzip,
    /// RFC 8878, any number of frames.
    Zstd,
    /// RFC 1950.
    Zlib,
    /// One block of snappy, or its framed form if it begins like one.
    Snappy,
    /// snappy's framed form.
    SnappyFramed,
    /// One LZ4 frame.
    Lz4,
}

/// Decoders to use again.
#[derive(Default)]
pub struct Decoders {
    zstd: Mutex<Vec<DCtx<'static>>>,
}

/// One message's decoder.
pub struct Inflater {
    kind: Kind,
    /// What the decoder itself holds.
    state: Charge,
    decoders: Arc<Decoders>,
}

enum Kind {
    Deflate { decoder: Box<Decompress>, wrapper: Wrapper, ended: bool },
    Zstd { context: Option<DCtx<'static>>, between_frames: bool },
    Blocks { encoding: Encoding, gathered: Buffer },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrapper {
    Gzip,
    Zlib,
}

impl Inflater {
    /// A decoder for one message of at most `wire_bytes_max` compressed bytes.
    pub fn new(
        encoding: Encoding,
        decoders: &Arc<Decoders>,
        pool: &Arc<Pool>,
        wire_bytes_max: usize,
    ) -> Result<Inflater, Stop> {
        let mut state = pool.budget().charge(Class::Scratch, 0)?;
        let kind = match encoding {
            Encoding::Gzip | Encoding::Zlib => {
                state.grow(DEFLATE_STATE_BYTES)?;
                let wrapper = if encoding == Encoding::Gzip { Wrapper::Gzip } else { Wrapper::Zlib };
                Kind::Deflate { decoder: Box::new(wrapper.decoder()), wrapper, ended: false }
            }
            Encoding::Zstd => {
                let context = decoders.zstd()?;
                state.grow(context.sizeof())?;
                Kind::Zstd { context: Some(context), between_frames: true }
            }
            Encoding::Snappy | Encoding::SnappyFramed | Encoding::Lz4 => {
                Kind::Blocks { encoding, gathered: pool.buffer(wire_bytes_max)? }
            }
        };
        Ok(Inflater { kind, state, decoders: Arc::clone(decoders) })
    }

    /// Takes the next compressed bytes and appends what they hold to `out`.
    pub fn feed(&mut self, input: &[u8], out: &mut Buffer) -> Result<(), Stop> {
        match &mut self.kind {
            Kind::Deflate { decoder, wrapper, ended } => deflate(decoder, *wrapper, ended, input, out),
            Kind::Zstd { context, between_frames } => match context {
                Some(context) => zstd(context, between_frames, &mut self.state, input, out),
                None => Ok(()),
            },
            Kind::Blocks { gathered, .. } => gathered.extend(input),
        }
    }

    /// The message's end: refuses a stream that is not at its own end.
    pub fn finish(self, out: &mut Buffer) -> Result<(), Stop> {
        let mut state = self.state;
        match self.kind {
            Kind::Deflate { ended: false, .. } => Err(corrupt("the compressed body ends too early")),
            Kind::Zstd { between_frames: false, .. } => Err(corrupt("the compressed body ends too early")),
            Kind::Deflate { .. } => Ok(()),
            Kind::Zstd { context, .. } => {
                if let Some(context) = context {
                    self.decoders.take_back(context);
                }
                Ok(())
            }
            Kind::Blocks { encoding, gathered } => blocks(encoding, gathered.as_slice(), &mut state, out),
        }
    }
}

impl Decoders {
    fn zstd(&self) -> Result<DCtx<'static>, Stop> {
        if let Some(context) = self.zstd.lock().pop() {
            return Ok(context);
        }
        let mut context = DCtx::try_create().ok_or(Stop::Exhausted)?;
        context.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG_MAX)).map_err(zstd_error)?;
        Ok(context)
    }

    fn take_back(&self, mut context: DCtx<'static>) {
        if context.sizeof() > IDLE_ZSTD_BYTES_MAX || context.reset(ResetDirective::SessionOnly).is_err() {
            return;
        }
        let mut idle = self.zstd.lock();
        if idle.len() < IDLE_MAX {
            idle.push(context);
        }
    }
}

impl Wrapper {
    fn decoder(self) -> Decompress {
        match self {
            Wrapper::Gzip => Decompress::new_gzip(15),
            Wrapper::Zlib => Decompress::new(true),
        }
    }
}

fn deflate(
    decoder: &mut Decompress,
    wrapper: Wrapper,
    ended: &mut bool,
    mut input: &[u8],
    out: &mut Buffer,
) -> Result<(), Stop> {
    loop {
        if *ended {
            match wrapper {
                _ if input.is_empty() => return Ok(()),
                // gzip files may be joined end to end.
                Wrapper::Gzip => *decoder = wrapper.decoder(),
                Wrapper::Zlib => return Err(corrupt("there are bytes after the end of the compressed body")),
            }
            *ended = false;
        }
        let before = decoder.total_in();
        let room = out.room(input.len())?;
        let status = decoder
            .decompress_vec(input, room, FlushDecompress::None)
            .map_err(|error| Stop::Corrupt(format!("the compressed body is broken: {error}")))?;
        let full = room.len() == room.capacity();
        let consumed = usize::try_from(decoder.total_in() - before).unwrap_or(usize::MAX);
        input = input.get(consumed..).unwrap_or_default();
        out.check()?;
        match status {
            Status::StreamEnd => *ended = true,
            _ if full => {}
            _ if input.is_empty() => return Ok(()),
            _ if consumed == 0 => return Err(corrupt("the compressed body is broken")),
            _ => {}
        }
    }
}

fn zstd(
    context: &mut DCtx<'static>,
    between_frames: &mut bool,
    state: &mut Charge,
    input: &[u8],
    out: &mut Buffer,
) -> Result<(), Stop> {
    let mut source = InBuffer::around(input);
    loop {
        if *between_frames && source.pos() == input.len() {
            return Ok(());
        }
        let room = out.room(input.len())?;
        let start = room.len();
        let mut target = OutBuffer::around_pos(room, start);
        let before = source.pos();
        let hint = context.decompress_stream(&mut target, &mut source).map_err(zstd_error)?;
        let written = target.pos() - start;
        let full = target.pos() == target.capacity();
        out.check()?;
        // The window is allocated when the frame's header has been read.
        state.grow(context.sizeof().saturating_sub(state.bytes()))?;
        *between_frames = hint == 0;
        if source.pos() == input.len() && !full {
            return Ok(());
        }
        if written == 0 && source.pos() == before && !full {
            return Err(corrupt("the compressed body is broken"));
        }
    }
}

fn blocks(encoding: Encoding, input: &[u8], state: &mut Charge, out: &mut Buffer) -> Result<(), Stop> {
    match encoding {
        Encoding::Lz4 => lz4(input, state, out),
        Encoding::Snappy if !input.starts_with(SNAPPY_STREAM) => snappy_block(input, out),
        _ if input.starts_with(SNAPPY_STREAM) => {
            // Two blocks of 64 KiB and the checksum tables.
            state.grow(192 << 10)?;
            pump(snap::read::FrameDecoder::new(input), out)
        }
        _ => Err(corrupt("the body is not a snappy stream")),
    }
}

fn snappy_block(input: &[u8], out: &mut Buffer) -> Result<(), Stop> {
    let broken = |error: snap::Error| Stop::Corrupt(format!("the compressed body is broken: {error}"));
    let claimed = snap::raw::decompress_len(input).map_err(broken)?;
    if claimed > out.bytes_max() {
        return Err(Stop::TooLarge { bytes_max: out.bytes_max() });
    }
    if claimed > input.len().saturating_mul(SNAPPY_RATIO_MAX) {
        return Err(corrupt("the compressed body claims more than it can hold"));
    }
    let inflated = out.zeroed(claimed)?;
    let written = snap::raw::Decoder::new().decompress(input, inflated).map_err(broken)?;
    if written != claimed {
        return Err(corrupt("the compressed body holds less than it claims"));
    }
    Ok(())
}

fn lz4(input: &[u8], state: &mut Charge, out: &mut Buffer) -> Result<(), Stop> {
    if !input.starts_with(&LZ4_MAGIC) {
        return Err(corrupt("the body is not an lz4 frame"));
    }
    // The decoder allocates two blocks of the size that the frame's third byte after the magic names, at most 4 MiB each.
    let code = input.get(5).map_or(0, |descriptor| (descriptor >> 4) & 7);
    let block_bytes = 64_usize << (10 + 2 * u32::from(code.clamp(4, 7) - 4));
    state.grow(2 * block_bytes + (64 << 10))?;
    // The decoder takes the end of its input for the end of the frame, so the frame is measured first.
    if lz4_frame_bytes(input) != Some(input.len()) {
        return Err(corrupt("the lz4 frame does not end where the body ends"));
    }
    pump(lz4_flex::frame::FrameDecoder::new(input), out)
}

/// The length of one LZ4 frame from its magic to its end mark and checksum, by its block headers alone.
fn lz4_frame_bytes(input: &[u8]) -> Option<usize> {
    let flags = *input.get(4)?;
    let flag = |bit: u8, bytes: usize| if flags & (1 << bit) == 0 { 0 } else { bytes };
    let (block_checksum, content_size, content_checksum, dictionary) = (flag(4, 4), flag(3, 8), flag(2, 4), flag(0, 4));
    let mut at = 6 + content_size + dictionary + 1;
    loop {
        let header = input.get(at..at.checked_add(4)?)?;
        let header = u32::from_le_bytes(header.try_into().ok()?);
        at += 4;
        if header == 0 {
            return Some(at + content_checksum);
        }
        at = at.checked_add(usize::try_from(header & 0x7fff_ffff).ok()?)?.checked_add(block_checksum)?;
    }
}

/// Reads to the end, a step at a time.
fn pump(mut decoder: impl Read, out: &mut Buffer) -> Result<(), Stop> {
    loop {
        let target = out.room(STEP_BYTES)?;
        let start = target.len();
        target.resize(target.capacity().min(start + STEP_BYTES), 0);
        let read = decoder.read(target.get_mut(start..).unwrap_or_default());
        target.truncate(start + read.as_ref().map_or(0, |read| *read));
        out.check()?;
        match read {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) => return Err(Stop::Corrupt(format!("the compressed body is broken: {error}"))),
        }
    }
}

fn corrupt(why: &str) -> Stop {
    Stop::Corrupt(why.to_owned())
}

fn zstd_error(code: usize) -> Stop {
    let why = zstd::zstd_safe::get_error_name(code);
    Stop::Corrupt(format!("the compressed body is broken: {why}"))
}

#[cfg(test)]
mod tests;
