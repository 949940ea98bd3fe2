//! Every encoding: whole, in pieces, cut short, with a tail, and as a bomb.

use std::io::Write;

use super::*;
use crate::budget::Budget;

const ALL: [Encoding; 6] =
    [Encoding::Gzip, Encoding::Zstd, Encoding::Zlib, Encoding::Snappy, Encoding::SnappyFramed, Encoding::Lz4];

fn compress(encoding: Encoding, plain: &[u8]) -> Vec<u8> {
    match encoding {
        Encoding::Gzip => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
            writer.write_all(plain).unwrap();
            writer.finish().unwrap()
        }
        Encoding::Zlib => {
            let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
            writer.write_all(plain).unwrap();
            writer.finish().unwrap()
        }
        Encoding::Zstd => zstd::stream::encode_all(plain, 1).unwrap(),
        Encoding::Snappy => snap::raw::Encoder::new().compress_vec(plain).unwrap(),
        Encoding::SnappyFramed => {
            let mut writer = snap::write::FrameEncoder::new(Vec::new());
            writer.write_all(plain).unwrap();
            writer.into_inner().unwrap()
        }
        Encoding::Lz4 => {
            let mut writer = lz4_flex::frame::FrameEncoder::new(Vec::new());
            writer.write_all(plain).unwrap();
            writer.finish().unwrap()
        }
    }
}

/// Inflates in pieces of `piece` bytes; nothing may stay charged.
fn check(encoding: Encoding, body: &[u8], piece: usize, bytes_max: usize) -> Result<Vec<u8>, Stop> {
    let budget = Budget::new(1 << 30);
    let pool = Pool::new(Arc::clone(&budget));
    let inflated = inflate(encoding, body, piece, bytes_max, &pool);
    assert_eq!(budget.used(), 0, "{encoding:?} gave everything back");
    inflated
}

fn inflate(encoding: Encoding, body: &[u8], piece: usize, bytes_max: usize, pool: &Arc<Pool>) -> Result<Vec<u8>, Stop> {
    let mut out = pool.buffer(bytes_max)?;
    let mut inflater = Inflater::new(encoding, &Arc::default(), pool, bytes_max)?;
    for piece in body.chunks(piece) {
        inflater.feed(piece, &mut out)?;
    }
    inflater.finish(&mut out)?;
    Ok(out.as_slice().to_vec())
}

fn sample(length: usize) -> Vec<u8> {
    let mut seed = 7_u32;
    (0..length)
        .map(|at| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if at % 3 == 0 { (seed >> 24) as u8 } else { b'a' }
        })
        .collect()
}

#[test]
fn what_went_in_comes_out() {
    for encoding in ALL {
        for length in [0, 1, 100, 4096, 4097, 300_000] {
            let plain = sample(length);
            let body = compress(encoding, &plain);
            for piece in [1, 13, 16 << 10, usize::MAX] {
                if piece == 1 && length > 5000 {
                    continue;
                }
                if body.is_empty() {
                    continue;
                }
                assert_eq!(
                    check(encoding, &body, piece, 1 << 20).as_deref(),
                    Ok(&*plain),
                    "{encoding:?} of {length} bytes in pieces of {piece}"
                );
            }
        }
    }
}

#[test]
fn the_limit_is_exact() {
    for encoding in ALL {
        let body = compress(encoding, &sample(100_000));
        assert!(check(encoding, &body, 1000, 100_000).is_ok(), "{encoding:?}");
        assert_eq!(check(encoding, &body, 1000, 99_999), Err(Stop::TooLarge { bytes_max: 99_999 }), "{encoding:?}");
    }
}

#[test]
fn a_cut_or_broken_body_is_corrupt() {
    for encoding in ALL {
        let body = compress(encoding, &sample(100_000));
        for cut in [1, 5, 11, body.len() / 2, body.len() - 1] {
            let result = check(encoding, &body[..cut], 1000, 1 << 20).map(|inflated| inflated.len());
            let framed = matches!(encoding, Encoding::SnappyFramed | Encoding::Snappy);
            assert!(
                matches!(result, Err(Stop::Corrupt(_))) || framed && cut < 11,
                "{encoding:?} cut at {cut}: {result:?}"
            );
        }
        let garbage =
            check(encoding, b"this was never compressed at all, by anyone", 7, 1 << 20).map(|bytes| bytes.len());
        assert!(matches!(garbage, Err(Stop::Corrupt(_) | Stop::TooLarge { .. })), "{encoding:?}: {garbage:?}");
    }
}

#[test]
fn joined_members_are_one_body_and_a_tail_is_not() {
    for encoding in [Encoding::Gzip, Encoding::Zstd] {
        let mut body = compress(encoding, b"first, ");
        body.extend(compress(encoding, b"second"));
        assert_eq!(check(encoding, &body, 5, 1000).as_deref(), Ok(&b"first, second"[..]), "{encoding:?}");
    }
    for encoding in [Encoding::Gzip, Encoding::Zstd, Encoding::Zlib, Encoding::Lz4] {
        let mut body = compress(encoding, b"first");
        body.extend(b"and a tail");
        assert!(matches!(check(encoding, &body, 1000, 1000), Err(Stop::Corrupt(_))), "{encoding:?}");
    }
}

#[test]
fn a_bomb_costs_its_limit() {
    const LIMIT: usize = 4 << 20;
    // Compressed twice over, as a bomb would be on disk; one gigabyte of zeros comes out at the end.
    for encoding in [Encoding::Gzip, Encoding::Zstd, Encoding::Zlib] {
        let piece = compress(encoding, &vec![0; 64 << 20]);
        let budget = Budget::new(64 << 20);
        let pool = Pool::new(Arc::clone(&budget));
        let mut out = pool.buffer(LIMIT).unwrap();
        let mut inflater = Inflater::new(encoding, &Arc::default(), &pool, LIMIT).unwrap();
        let stop = inflater.feed(&piece, &mut out);
        assert_eq!(stop, Err(Stop::TooLarge { bytes_max: LIMIT }), "{encoding:?}");
        assert_eq!(out.as_slice().len(), LIMIT + 1, "{encoding:?} stops one byte above the limit");
        assert!(budget.used() <= 2 * LIMIT + (9 << 20), "{encoding:?}: {}", budget.used());
    }
    for encoding in [Encoding::SnappyFramed, Encoding::Snappy, Encoding::Lz4] {
        let body = compress(encoding, &vec![0; 32 << 20]);
        assert_eq!(check(encoding, &body, 1 << 20, LIMIT), Err(Stop::TooLarge { bytes_max: LIMIT }), "{encoding:?}");
    }
}

#[test]
fn a_claimed_size_is_never_allocated() {
    // A snappy block that claims 3 MiB and brings two bytes.
    let body = [0x80, 0x80, 0xc0, 0x01, 0x00, b'x'];
    let budget = Budget::new(1 << 20);
    let pool = Pool::new(Arc::clone(&budget));
    let stop = inflate(Encoding::Snappy, &body, 100, 4 << 20, &pool);
    assert!(matches!(stop, Err(Stop::Corrupt(_))), "{stop:?}");
    // A zstd frame with a window of 128 MiB.
    let body = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88, 0x01, 0x00, 0x00];
    let stop = inflate(Encoding::Zstd, &body, 100, 4 << 20, &pool);
    assert!(matches!(stop, Err(Stop::Corrupt(_))), "{stop:?}");
    // An LZ4 frame with blocks of 4 MiB finds no room in a budget of 1 MiB.
    let body = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73];
    assert_eq!(inflate(Encoding::Lz4, &body, 100, 4 << 20, &pool), Err(Stop::Exhausted));
    assert_eq!(budget.used(), 0);
}
