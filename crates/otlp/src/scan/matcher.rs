//! Finds an attribute key among those that somebody reads.
//!
//! This runs once for each attribute of each span, and mostly to say no. Most keys have a length that none of the names
//! has. For the rest a slot is computed from the length and three bytes; an empty slot is the answer without touching the
//! names. Hash maps were the alternative: they read every byte of every key.

use crate::{KeyId, Keys};

const SLOTS: usize = 256;
const NONE: u16 = u16::MAX;

#[derive(Debug)]
pub(super) struct Matcher {
    /// The keys' names, by [`KeyId`].
    names: Box<[Box<[u8]>]>,
    /// The lengths of the names, see [`length_bit`].
    lengths: u64,
    /// The last key of each slot.
    heads: Box<[u16; SLOTS]>,
    /// For each key the one before it in its slot.
    nexts: Box<[u16]>,
}

impl Matcher {
    pub(super) fn new(keys: &Keys) -> Self {
        let count = u16::try_from(keys.len()).unwrap_or(NONE);
        let names: Box<[Box<[u8]>]> = (0..count).map(|index| keys.name(KeyId(index)).as_bytes().into()).collect();
        let lengths = names.iter().fold(0, |lengths, name| lengths | length_bit(name));
        let mut heads = Box::new([NONE; SLOTS]);
        let mut nexts = Vec::with_capacity(names.len());
        for (name, index) in names.iter().zip(0..count) {
            let head = &mut heads[slot(name)];
            nexts.push(*head);
            *head = index;
        }
        Self { names, lengths, heads, nexts: nexts.into() }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    #[inline]
    pub(super) fn find(&self, key: &[u8]) -> Option<KeyId> {
        if self.lengths & length_bit(key) == 0 {
            return None;
        }
        let mut index = self.heads[slot(key)];
        loop {
            let name = self.names.get(usize::from(index))?;
            if **name == *key {
                return Some(KeyId(index));
            }
            index = *self.nexts.get(usize::from(index))?;
        }
    }
}

/// A bit for each length; lengths that are equal modulo 64 share one.
#[inline]
fn length_bit(key: &[u8]) -> u64 {
    1 << (key.len() % 64)
}

/// Always below [`SLOTS`].
#[inline]
fn slot(key: &[u8]) -> usize {
    let [Some(first), Some(middle), Some(last)] = [key.first(), key.get(key.len() / 2), key.last()] else {
        return 0;
    };
    let mixed = key.len().wrapping_mul(31) ^ usize::from(*first) ^ usize::from(*middle) << 3 ^ usize::from(*last) << 1;
    (mixed ^ mixed >> 8) % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_keys_find() {
        let mut keys = Keys::default();
        for index in 0..2_000 {
            keys.intern(&format!("http.{index}"));
        }
        keys.intern("");
        let matcher = Matcher::new(&keys);
        for key in ["", "h", "http.0", "http.1999", "http.2000", "http.7", "xttp.7", "http."] {
            assert_eq!(matcher.find(key.as_bytes()), keys.find(key.as_bytes()), "`{key}`");
        }
        assert_eq!(Matcher::new(&Keys::default()).find(b"http.7"), None);
    }
}
