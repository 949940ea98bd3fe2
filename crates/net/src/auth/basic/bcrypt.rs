//! bcrypt, on the Blowfish of the crate `blowfish`.
//!
//! `$2y$10$` + 22 characters of salt + 31 of hash, in an alphabet of its own. The prefix's letter tells which old mistake of
//! other programs was made; none of them matters to a password of UTF-8 here, and Go takes all of them alike.

use base64::Engine;
use base64::alphabet::BCRYPT;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use blowfish::Blowfish;
use subtle::ConstantTimeEq;

const PREFIXES: [&str; 4] = ["$2a$", "$2b$", "$2x$", "$2y$"];
/// Rounds double with each step; this one takes about eight seconds, and is what Apache's tool allows.
const COST_MAX: u32 = 17;
const COST_MIN: u32 = 4;
const SALT_CHARACTERS: usize = 22;
const HASH_CHARACTERS: usize = 31;
const HASH_BYTES: usize = 23;
/// "OrpheanBeholderScryDoubt", which is what is encrypted.
const TEXT: [u32; 6] = [0x4f72_7068, 0x6561_6e42, 0x6568_6f6c, 0x6465_7253, 0x6372_7944, 0x6f75_6274];
/// The last bits of salts and hashes mean nothing, and some tools write them.
const ALPHABET: GeneralPurpose = GeneralPurpose::new(
    &BCRYPT,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// A hash.
#[derive(Clone)]
pub(super) struct Bcrypt {
    cost: u32,
    salt: [u8; 16],
    hash: [u8; HASH_BYTES],
}

impl Bcrypt {
    /// None if it is another kind of hash.
    pub(super) fn read(text: &str) -> Option<Result<Bcrypt, &'static str>> {
        let rest = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix))?;
        Some(Bcrypt::parse(rest).ok_or("it is not a bcrypt hash of a cost from 4 to 17"))
    }

    fn parse(rest: &str) -> Option<Bcrypt> {
        let (cost, rest) = rest.split_once('$')?;
        let cost = cost.parse().ok().filter(|cost| (COST_MIN..=COST_MAX).contains(cost))?;
        let (salt, hash) = rest.split_at_checked(SALT_CHARACTERS)?;
        if hash.len() != HASH_CHARACTERS {
            return None;
        }
        let salt = ALPHABET.decode(salt).ok()?.try_into().ok()?;
        Some(Bcrypt { cost, salt, hash: ALPHABET.decode(hash).ok()?.try_into().ok()? })
    }

    /// In microseconds, roughly.
    pub(super) fn cost(&self) -> u64 {
        60 << self.cost
    }

    pub(super) fn matches(&self, password: &str) -> bool {
        // The key is what C has: the text and its end. Blowfish uses 72 bytes of it.
        let key: Vec<u8> = password.bytes().chain([0]).collect();
        let mut state = Blowfish::bc_init_state();
        state.salted_expand_key(&self.salt, &key);
        for _ in 0..1_u64 << self.cost {
            state.bc_expand_key(&key);
            state.bc_expand_key(&self.salt);
        }
        let mut text = TEXT;
        for pair in text.as_chunks_mut::<2>().0 {
            for _ in 0..64 {
                *pair = state.bc_encrypt(*pair);
            }
        }
        let bytes: Vec<u8> = text.iter().flat_map(|word| word.to_be_bytes()).collect();
        bytes.get(..HASH_BYTES).is_some_and(|bytes| bytes.ct_eq(&self.hash).into())
    }
}
