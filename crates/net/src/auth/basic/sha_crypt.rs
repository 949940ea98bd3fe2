//! crypt with SHA-256 (`$5$`) and SHA-512 (`$6$`), as Ulrich Drepper specified it.
//!
//! `$6$rounds=10000$salt$hash`; without `rounds=` there are 5000. A digest of the password is stretched to the password's
//! length, one of the salt to the salt's, and both are hashed in turns.

use ring::digest::{Algorithm, Context, SHA256, SHA512};
use subtle::ConstantTimeEq;

use super::md5_crypt::put;

const SALT_CHARACTERS_MAX: usize = 16;
const ROUNDS: u32 = 5000;
const ROUNDS_MIN: u32 = 1000;
/// The specification goes on to a thousand times as many, which take minutes.
const ROUNDS_MAX: u32 = 1_000_000;

/// A hash.
#[derive(Clone)]
pub(super) struct ShaCrypt {
    algorithm: &'static Algorithm,
    rounds: u32,
    salt: String,
    hash: String,
}

impl ShaCrypt {
    /// None if it is another kind of hash.
    pub(super) fn read(text: &str) -> Option<Result<ShaCrypt, &'static str>> {
        let (algorithm, rest) = match (text.strip_prefix("$5$"), text.strip_prefix("$6$")) {
            (Some(rest), _) => (&SHA256, rest),
            (None, Some(rest)) => (&SHA512, rest),
            (None, None) => return None,
        };
        Some(ShaCrypt::parse(algorithm, rest).ok_or("it is not a crypt hash of at most 1000000 rounds"))
    }

    fn parse(algorithm: &'static Algorithm, rest: &str) -> Option<ShaCrypt> {
        let (rounds, rest) = match rest.strip_prefix("rounds=") {
            None => (ROUNDS, rest),
            Some(rest) => {
                let (rounds, rest) = rest.split_once('$')?;
                (rounds.parse::<u32>().ok()?.max(ROUNDS_MIN), rest)
            }
        };
        let (salt, hash) = rest.split_once('$')?;
        let salt = salt.chars().take(SALT_CHARACTERS_MAX).collect();
        (rounds <= ROUNDS_MAX).then(|| ShaCrypt { algorithm, rounds, salt, hash: hash.to_owned() })
    }

    /// In microseconds, roughly.
    pub(super) fn cost(&self) -> u64 {
        u64::from(self.rounds)
    }

    pub(super) fn matches(&self, password: &str) -> bool {
        self.hash_of(password.as_bytes()).as_bytes().ct_eq(self.hash.as_bytes()).into()
    }

    fn hash_of(&self, password: &[u8]) -> String {
        let salt = self.salt.as_bytes();
        let inner = self.digest(&[password, salt, password]);
        let mut context = Context::new(self.algorithm);
        context.update(password);
        context.update(salt);
        context.update(&stretched(&inner, password.len()));
        let mut bits = password.len();
        while bits > 0 {
            context.update(if bits & 1 == 1 { &inner } else { password });
            bits >>= 1;
        }
        let mut hash = context.finish().as_ref().to_vec();
        let password_bytes = stretched(&self.repeated(password, password.len()), password.len());
        let salt_times = 16 + usize::from(hash.first().copied().unwrap_or_default());
        let salt_bytes = stretched(&self.repeated(salt, salt_times), salt.len());
        for round in 0..self.rounds {
            let odd = round % 2 == 1;
            let begin: &[u8] = if odd { &password_bytes } else { &hash };
            let between: &[u8] = if round % 3 > 0 { &salt_bytes } else { &[] };
            let again: &[u8] = if round % 7 > 0 { &password_bytes } else { &[] };
            let end: &[u8] = if odd { &hash } else { &password_bytes };
            hash = self.digest(&[begin, between, again, end]);
        }
        self.written(&hash)
    }

    fn digest(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut context = Context::new(self.algorithm);
        parts.iter().for_each(|part| context.update(part));
        context.finish().as_ref().to_vec()
    }

    fn repeated(&self, bytes: &[u8], times: usize) -> Vec<u8> {
        let mut context = Context::new(self.algorithm);
        (0..times).for_each(|_| context.update(bytes));
        context.finish().as_ref().to_vec()
    }

    /// Three bytes from thirds of the hash become four characters; which third comes first goes round.
    fn written(&self, hash: &[u8]) -> String {
        let byte = |at: usize| u32::from(hash.get(at).copied().unwrap_or_default());
        let third = hash.len() / 3;
        // With SHA-256 the thirds turn one way, with SHA-512 the other.
        let step = if hash.len() == 32 { 2 } else { 1 };
        let mut text = String::with_capacity(86);
        for at in 0..third {
            let turn = at * step % 3;
            let [high, middle, low] = [0, 1, 2].map(|part| at + (part + turn) % 3 * third);
            put(&mut text, byte(high) << 16 | byte(middle) << 8 | byte(low), 4);
        }
        match hash.len() {
            32 => put(&mut text, byte(31) << 8 | byte(30), 3),
            _ => put(&mut text, byte(63), 2),
        }
        text
    }
}

/// Repeated and cut to a length.
fn stretched(bytes: &[u8], length: usize) -> Vec<u8> {
    bytes.iter().copied().cycle().take(length).collect()
}
