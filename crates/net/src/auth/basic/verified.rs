//! Credentials that were verified lately, so that a costly hash is computed once and not for each request.
//!
//! What is kept is a keyed hash of the header, under a key that was drawn when the table was read; who reads this memory
//! learns no password, and nobody outside can choose what collides.

use std::collections::HashSet;

use parking_lot::RwLock;
use ring::hmac;

/// So many are remembered; when they are more, all are forgotten, and verified again.
const MAX: usize = 1024;

/// Hashes of headers.
pub(super) struct Verified {
    key: hmac::Key,
    known: RwLock<HashSet<[u8; 32]>>,
}

impl Verified {
    pub(super) fn new() -> Verified {
        let key: [u8; 32] = rand::random();
        Verified { key: hmac::Key::new(hmac::HMAC_SHA256, &key), known: RwLock::default() }
    }

    pub(super) fn knows(&self, header: &[u8]) -> bool {
        let known = self.known.read();
        // Tables without costly hashes never have any.
        !known.is_empty() && self.hash(header).is_some_and(|hash| known.contains(&hash))
    }

    pub(super) fn remember(&self, header: &[u8]) {
        let Some(hash) = self.hash(header) else { return };
        let mut known = self.known.write();
        if known.len() >= MAX {
            known.clear();
        }
        known.insert(hash);
    }

    fn hash(&self, header: &[u8]) -> Option<[u8; 32]> {
        hmac::sign(&self.key, header).as_ref().try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_verified_is_known_until_there_are_too_many() {
        let verified = Verified::new();
        assert!(!verified.knows(b"a"));
        verified.remember(b"a");
        assert!(verified.knows(b"a") && !verified.knows(b"b"));
        for number in 0..MAX {
            verified.remember(&number.to_le_bytes());
        }
        assert!(!verified.knows(b"a"));
        assert!(verified.known.read().len() <= MAX);
    }
}
