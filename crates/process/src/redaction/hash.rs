//! What stands in the place of a masked text: asterisks, or a hash of it.

use super::{keccak::sha3_256, written::HashFunction};
use ring::{digest, hmac};
use std::fmt;

/// How a text is masked.
pub(super) enum Mask {
    /// As `****`.
    Asterisks,
    /// As its SHA-1.
    Sha1,
    /// As its SHA3-256.
    Sha3,
    /// As its MD5.
    Md5,
    /// As its HMAC.
    Hmac(hmac::Key),
}

impl Mask {
    pub(super) fn new(function: HashFunction, key: &[u8]) -> Self {
        match function {
            HashFunction::None => Self::Asterisks,
            HashFunction::Sha1 => Self::Sha1,
            HashFunction::Sha3 => Self::Sha3,
            HashFunction::Md5 => Self::Md5,
            HashFunction::HmacSha256 => Self::Hmac(hmac::Key::new(hmac::HMAC_SHA256, key)),
            HashFunction::HmacSha512 => Self::Hmac(hmac::Key::new(hmac::HMAC_SHA512, key)),
        }
    }

    /// Appends what stands for a text.
    pub(super) fn put(&self, text: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Asterisks => out.extend_from_slice(b"****"),
            Self::Sha1 => put_hex(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text).as_ref(), out),
            Self::Sha3 => put_hex(&sha3_256(text), out),
            Self::Md5 => put_hex(&*md5::compute(text), out),
            Self::Hmac(key) => put_hex(hmac::sign(key, text).as_ref(), out),
        }
    }
}

/// The key is a secret.
impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mask")
    }
}

fn put_hex(bytes: &[u8], out: &mut Vec<u8>) {
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
    bytes.iter().for_each(|byte| out.extend([digit(byte >> 4), digit(byte & 15)]));
}
