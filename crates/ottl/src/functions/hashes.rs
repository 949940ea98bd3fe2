//! Hashes of text, in otelcol's spelling: hexadecimal digits, or an int for FNV.

mod murmur3;

use super::{Call, Function, Kind::Str, Param, arg, plain};
use crate::{
    error::Error,
    value::{Value, hex},
};
use ring::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA512, digest};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

pub(super) const TABLE: &[Function] = &[
    plain("FNV", TARGET, fnv),
    plain("MD5", TARGET, md5),
    plain("SHA1", TARGET, sha1),
    plain("SHA256", TARGET, sha256),
    plain("SHA512", TARGET, sha512),
    plain("Murmur3Hash", TARGET, murmur3_hash),
    plain("Murmur3Hash128", TARGET, murmur3_hash128),
    plain("XXH3", TARGET, xxh3),
    plain("XXH128", TARGET, xxh128),
];

const TARGET: &[Param] = &[arg("Target", Str)];

/// FNV-1a of 64 bits, whose upper half is negative.
fn fnv(call: Call<'_>) -> Result<Value<'_>, Error> {
    let text = call.str(0)?;
    call.spend(text.len())?;
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
    Ok(Value::Int(text.iter().fold(0xcbf2_9ce4_8422_2325, step) as i64))
}

fn md5(call: Call<'_>) -> Result<Value<'_>, Error> {
    hashed(call, |text| md5::compute(text).0)
}

fn sha1(call: Call<'_>) -> Result<Value<'_>, Error> {
    sha(call, &SHA1_FOR_LEGACY_USE_ONLY)
}

fn sha256(call: Call<'_>) -> Result<Value<'_>, Error> {
    sha(call, &SHA256)
}

fn sha512(call: Call<'_>) -> Result<Value<'_>, Error> {
    sha(call, &SHA512)
}

fn sha<'e>(call: Call<'e>, algorithm: &'static Algorithm) -> Result<Value<'e>, Error> {
    hashed(call, |text| digest(algorithm, text))
}

/// Unlike the others, otelcol writes the bytes of these from the lowest.
fn murmur3_hash(call: Call<'_>) -> Result<Value<'_>, Error> {
    hashed(call, |text| murmur3::x86_32(text).to_le_bytes())
}

fn murmur3_hash128(call: Call<'_>) -> Result<Value<'_>, Error> {
    hashed(call, |text| {
        let (first, second) = murmur3::x64_128(text);
        [first.to_le_bytes(), second.to_le_bytes()].concat()
    })
}

fn xxh3(call: Call<'_>) -> Result<Value<'_>, Error> {
    hashed(call, |text| xxh3_64(text).to_be_bytes())
}

fn xxh128(call: Call<'_>) -> Result<Value<'_>, Error> {
    hashed(call, |text| xxh3_128(text).to_be_bytes())
}

fn hashed<H: AsRef<[u8]>>(call: Call<'_>, hash: impl Fn(&[u8]) -> H) -> Result<Value<'_>, Error> {
    let text = call.str(0)?;
    // Some of these take several steps a byte.
    call.spend(64 + 2 * text.len())?;
    Ok(Value::string(hex(hash(&text).as_ref())))
}

#[cfg(test)]
mod tests;
