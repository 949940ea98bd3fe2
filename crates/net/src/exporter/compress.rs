//! Compression of requests, and the inflating of the small answers that come back.
//!
//! Large bodies are compressed on tokio's blocking threads: 4 MiB of gzip take tens of milliseconds, which a connection's
//! worker must not lose.
//!
//! Default levels are those that keep up, not those that save most: an exporter that must ship everything it receives is
//! held up by nothing but this file.

use std::io::{self, Read, Write};

use bytes::Bytes;
use flate2::write::{GzEncoder, ZlibEncoder};

use crate::budget::{Charge, Class};

/// A content encoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// As it is.
    Identity,
    /// gzip.
    Gzip,
    /// zlib.
    Zlib,
    /// What HTTP calls deflate, which is zlib.
    Deflate,
    /// Zstandard.
    Zstd,
    /// One snappy block.
    Snappy,
    /// The framed snappy format.
    SnappyFramed,
    /// The LZ4 frame format.
    Lz4,
}

/// An encoding with its level.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Compression {
    /// The encoding.
    pub encoding: Encoding,
    /// `compression_params.level`, where it was written and is not the encoding's default.
    pub level: Option<i32>,
    /// Whether nothing is written, not even `none`: it is the same but printed otherwise.
    pub is_unnamed: bool,
}

/// A body as it is sent, with what it costs.
pub struct Compressed {
    /// The bytes.
    pub body: Bytes,
    _charge: Charge,
}

/// The gzip and zlib level where none is configured. On 4 MiB of spans of 358 bytes (2026-11, one core, zlib-rs): level 1
/// 192 MB/s at ratio 4.3, level 3 93 MB/s at 4.7, level 6 99 MB/s at 5.0; so six parts in seven of the gain for half the time.
pub const DEFLATE_LEVEL_DEFAULT: u32 = 1;

/// The zstd level where none is configured: on the same spans 564 MB/s at ratio 4.6, level 3 289 MB/s at 4.8.
pub const ZSTD_LEVEL_DEFAULT: i32 = 1;

/// Bodies up to this are compressed where they are: sending them elsewhere would cost more.
const INLINE_BYTES_MAX: usize = 16 << 10;

impl Compression {
    /// No compression.
    pub const NONE: Self = Self::of(Encoding::Identity);

    /// No compression, and no word of it.
    pub const UNNAMED: Self = Self { is_unnamed: true, ..Self::NONE };

    /// An encoding at its default level.
    #[must_use]
    pub const fn of(encoding: Encoding) -> Self {
        Self { encoding, level: None, is_unnamed: false }
    }

    /// Compresses `body`, elsewhere if it is large. The copy is charged beside `charge`, which pays for `body`.
    ///
    /// # Errors
    /// Whatever the encoder fails with; it writes into memory, so nothing but a bad level.
    pub async fn compress(self, body: Bytes, charge: &Charge) -> io::Result<Compressed> {
        if self.encoding == Encoding::Identity {
            return Ok(Compressed { body, _charge: charge.beside(Class::Scratch, 0) });
        }
        let body = if body.len() <= INLINE_BYTES_MAX {
            self.compress_now(&body)?
        } else {
            tokio::task::spawn_blocking(move || self.compress_now(&body)).await.map_err(io::Error::other)??
        };
        let charge = charge.beside(Class::Scratch, body.len());
        Ok(Compressed { body, _charge: charge })
    }

    /// Compresses `body` on this thread.
    ///
    /// # Errors
    /// As [`Self::compress`].
    pub fn compress_now(self, body: &[u8]) -> io::Result<Bytes> {
        let out = Vec::with_capacity(body.len() / 4 + 64);
        let compressed = match self.encoding {
            Encoding::Identity => body.to_vec(),
            Encoding::Gzip => {
                let mut encoder = GzEncoder::new(out, self.deflate_level());
                encoder.write_all(body)?;
                encoder.finish()?
            }
            Encoding::Zlib | Encoding::Deflate => {
                let mut encoder = ZlibEncoder::new(out, self.deflate_level());
                encoder.write_all(body)?;
                encoder.finish()?
            }
            Encoding::Zstd => zstd::bulk::compress(body, self.zstd_level())?,
            Encoding::Snappy => snap::raw::Encoder::new().compress_vec(body)?,
            Encoding::SnappyFramed => {
                let mut encoder = snap::write::FrameEncoder::new(out);
                encoder.write_all(body)?;
                encoder.into_inner().map_err(|error| io::Error::other(error.to_string()))?
            }
            Encoding::Lz4 => {
                let mut encoder = lz4_flex::frame::FrameEncoder::new(out);
                encoder.write_all(body)?;
                encoder.finish().map_err(io::Error::other)?
            }
        };
        Ok(compressed.into())
    }

    /// otelcol's levels for zlib: -1 is the default, -2 is Huffman only, for which 1 is the nearest there is here.
    fn deflate_level(self) -> flate2::Compression {
        let level = match self.level {
            None | Some(-1) => DEFLATE_LEVEL_DEFAULT,
            Some(level) => u32::try_from(level).unwrap_or(1).min(9),
        };
        flate2::Compression::new(level)
    }

    fn zstd_level(self) -> i32 {
        self.level.filter(|level| (1..=22).contains(level)).unwrap_or(ZSTD_LEVEL_DEFAULT)
    }
}

impl Compression {
    /// What `print-config` calls it: nothing where nothing was written.
    pub(super) fn effective(self) -> Option<&'static str> {
        (!self.is_unnamed).then(|| self.encoding.header().unwrap_or("none"))
    }
}

impl Encoding {
    /// The name on the wire; `None` for identity.
    #[must_use]
    pub fn header(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Zlib => Some("zlib"),
            Self::Deflate => Some("deflate"),
            Self::Zstd => Some("zstd"),
            Self::Snappy => Some("snappy"),
            Self::SnappyFramed => Some("x-snappy-framed"),
            Self::Lz4 => Some("lz4"),
        }
    }
}

/// Inflates an answer of a gRPC peer: grpc-go answers in the encoding of the request, asked or not.
///
/// # Errors
/// An encoding that nobody sent it, broken data, or more than `bytes_max` bytes.
pub(crate) fn inflate_answer(encoding: &[u8], body: &[u8], bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut source: Box<dyn Read + '_> = match encoding {
        b"gzip" => Box::new(flate2::read::MultiGzDecoder::new(body)),
        b"zstd" => Box::new(zstd::stream::read::Decoder::new(body)?),
        b"snappy" => Box::new(snap::read::FrameDecoder::new(body)),
        _ => return Err(io::Error::other("the answer has an encoding that was not asked for")),
    };
    let mut out = Vec::new();
    source.by_ref().take(bytes_max as u64 + 1).read_to_end(&mut out)?;
    if out.len() > bytes_max { Err(io::Error::other("the answer is too large")) } else { Ok(out) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text that compresses, of `len` bytes.
    fn body(len: usize) -> Bytes {
        b"GET /cart checkout 0123456789 ".iter().copied().cycle().take(len).collect()
    }

    fn inflate(encoding: Encoding, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let read = match encoding {
            Encoding::Identity => (&mut &*bytes).read_to_end(&mut out),
            Encoding::Gzip => flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut out),
            Encoding::Zlib | Encoding::Deflate => flate2::read::ZlibDecoder::new(bytes).read_to_end(&mut out),
            Encoding::Zstd => zstd::stream::read::Decoder::new(bytes).unwrap().read_to_end(&mut out),
            Encoding::Snappy => return snap::raw::Decoder::new().decompress_vec(bytes).unwrap(),
            Encoding::SnappyFramed => snap::read::FrameDecoder::new(bytes).read_to_end(&mut out),
            Encoding::Lz4 => lz4_flex::frame::FrameDecoder::new(bytes).read_to_end(&mut out),
        };
        read.unwrap();
        out
    }

    #[tokio::test]
    async fn every_encoding_and_level_comes_back() {
        use Encoding::*;
        let budget = crate::budget::Budget::new(1 << 30);
        let charge = budget.charge_always(Class::Batches, 0);
        for encoding in [Identity, Gzip, Zlib, Deflate, Zstd, Snappy, SnappyFramed, Lz4] {
            for level in [None, Some(-2), Some(-1), Some(0), Some(1), Some(6), Some(11), Some(i32::MAX)] {
                for len in [0, 1, INLINE_BYTES_MAX, 200_000] {
                    let compressed =
                        Compression { level, ..Compression::of(encoding) }.compress(body(len), &charge).await.unwrap();
                    assert_eq!(inflate(encoding, &compressed.body), body(len), "{encoding:?} {level:?} {len}");
                    let copied = if encoding == Identity { 0 } else { compressed.body.len() };
                    assert_eq!(budget.used_by(Class::Scratch), copied);
                }
            }
        }
    }

    #[test]
    fn an_answer_is_inflated_within_its_bound() {
        for (name, encoding) in [("gzip", Encoding::Gzip), ("zstd", Encoding::Zstd), ("snappy", Encoding::SnappyFramed)]
        {
            let compressed = Compression::of(encoding).compress_now(&body(1000)).unwrap();
            assert_eq!(inflate_answer(name.as_bytes(), &compressed, 1000).unwrap(), body(1000));
            assert!(inflate_answer(name.as_bytes(), &compressed, 999).is_err());
            assert!(inflate_answer(name.as_bytes(), &compressed[1..], 1000).is_err());
        }
        assert!(inflate_answer(b"br", b"", 10).is_err());
    }
}
