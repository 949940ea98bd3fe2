//! gzip as SDKs send it, with a compressor that is used again: a new one for each request costs more than small requests.

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

/// Compresses one message after the other.
#[derive(Debug)]
pub(super) struct Gzip {
    deflate: Compress,
}

impl Gzip {
    pub(super) fn new() -> Self {
        // The fastest level: the load has to keep up with what it measures.
        Self { deflate: Compress::new(Compression::fast(), false) }
    }

    /// Appends `message` as one gzip member.
    pub(super) fn compress(&mut self, message: &[u8], out: &mut Vec<u8>) {
        let mut crc = Crc::new();
        crc.update(message);
        out.extend_from_slice(&HEADER);
        self.deflate.reset();
        loop {
            // Deflate writes into spare capacity only.
            out.reserve(message.len() / 4 + 1024);
            let done = self.deflate.total_in() as usize;
            match self.deflate.compress_vec(&message[done..], out, FlushCompress::Finish) {
                Ok(Status::StreamEnd) => break,
                Ok(Status::Ok | Status::BufError) => {}
                Err(error) => panic!("BUG: deflate failed on plain bytes: {error}"),
            }
        }
        out.extend_from_slice(&crc.sum().to_le_bytes());
        out.extend_from_slice(&crc.amount().to_le_bytes());
    }
}

/// Deflate, no flags, no time, fastest, unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn what_is_compressed_can_be_inflated() {
        let mut gzip = Gzip::new();
        for len in [0, 1, 1000, 300_000] {
            let message: Vec<u8> = (0..len).map(|index: u32| (index.wrapping_mul(index) >> 7) as u8).collect();
            let (mut out, mut inflated) = (Vec::new(), Vec::new());
            gzip.compress(&message, &mut out);
            flate2::read::GzDecoder::new(out.as_slice()).read_to_end(&mut inflated).expect("valid gzip");
            assert!(inflated == message, "{len} bytes");
        }
    }
}
