//! The MD5 of crypt (`$1$`) and of Apache (`$apr1$`), which differ in that word alone.
//!
//! A thousand rounds of MD5 over password and salt in turns, as Poul-Henning Kamp wrote it in 1994, mistakes included: the
//! stretch where the password's length picks a zero byte or the first character is one.

use md5::Context;
use subtle::ConstantTimeEq;

const MAGICS: [&str; 2] = ["$apr1$", "$1$"];
const SALT_CHARACTERS_MAX: usize = 8;
const ROUNDS: u32 = 1000;
/// In which order the hash's bytes are written, three to four characters.
const ORDER: [[usize; 3]; 5] = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]];
const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A hash.
#[derive(Clone)]
pub(super) struct Md5Crypt {
    magic: &'static str,
    salt: String,
    hash: String,
}

impl Md5Crypt {
    /// In microseconds, roughly.
    pub(super) const COST: u64 = 300;

    /// None if it is another kind of hash.
    pub(super) fn read(text: &str) -> Option<Result<Md5Crypt, &'static str>> {
        let (magic, rest) = MAGICS.iter().find_map(|magic| Some((*magic, text.strip_prefix(magic)?)))?;
        let parts = rest.split_once('$').filter(|(_, hash)| hash.len() == 22);
        let read = parts.map(|(salt, hash)| {
            let salt = salt.chars().take(SALT_CHARACTERS_MAX).collect();
            Md5Crypt { magic, salt, hash: hash.to_owned() }
        });
        Some(read.ok_or("it is not an MD5 hash with a salt"))
    }

    pub(super) fn matches(&self, password: &str) -> bool {
        self.hash_of(password.as_bytes()).as_bytes().ct_eq(self.hash.as_bytes()).into()
    }

    fn hash_of(&self, password: &[u8]) -> String {
        let salt = self.salt.as_bytes();
        let inner = digest([password, salt, password]);
        let mut context = Context::new();
        context.consume(password);
        context.consume(self.magic);
        context.consume(salt);
        let mut left = password.len();
        while left > 0 {
            context.consume(inner.get(..left.min(16)).unwrap_or(&inner));
            left = left.saturating_sub(16);
        }
        let mut bits = password.len();
        while bits > 0 {
            let first = password.get(..1).unwrap_or_default();
            context.consume(if bits & 1 == 1 { &[0][..] } else { first });
            bits >>= 1;
        }
        let mut hash = context.finalize().0;
        for round in 0..ROUNDS {
            let odd = round % 2 == 1;
            let begin: &[u8] = if odd { password } else { &hash };
            let between = if round % 3 > 0 { salt } else { &[] };
            let again = if round % 7 > 0 { password } else { &[] };
            let end: &[u8] = if odd { &hash } else { password };
            hash = digest([begin, between, again, end]);
        }
        let mut text = String::with_capacity(22);
        for [high, middle, low] in ORDER {
            put(&mut text, u32::from_be_bytes([0, hash[high], hash[middle], hash[low]]), 4);
        }
        put(&mut text, u32::from(hash[11]), 2);
        text
    }
}

/// Six bits a character, the lowest first.
pub(super) fn put(text: &mut String, mut bits: u32, characters: u32) {
    for _ in 0..characters {
        text.push(char::from(ALPHABET[(bits & 63) as usize]));
        bits >>= 6;
    }
}

fn digest<const N: usize>(parts: [&[u8]; N]) -> [u8; 16] {
    let mut context = Context::new();
    for part in parts {
        context.consume(part);
    }
    context.finalize().0
}
