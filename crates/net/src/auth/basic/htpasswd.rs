//! Apache's htpasswd: one `name:hash` a line, the last line of a name counts.
//!
//! | a hash begins with | it is | cost |
//! |---|---|---|
//! | `$2a$`, `$2b$`, `$2x$`, `$2y$` | bcrypt | by design |
//! | `$5$`, `$6$` | crypt with SHA-256, SHA-512 | by design |
//! | `$apr1$`, `$1$` | Apache's and crypt's MD5 | a thousand rounds |
//! | `{SSHA}`, `{SHA}` | SHA-1 with and without a salt | none |
//! | anything else | the password itself | none |
//!
//! A line that begins like a hash and is none is skipped, told with its number, and never taken for a password.

use std::collections::HashMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use subtle::ConstantTimeEq;

use super::bcrypt::Bcrypt;
use super::md5_crypt::Md5Crypt;
use super::sha_crypt::ShaCrypt;
use super::verified::Verified;

/// More names than this are not read.
const USERS_MAX: usize = 65_536;
const SHA1_BYTES: usize = 20;

/// Names and their hashes.
pub(super) struct Users {
    users: HashMap<String, Hash>,
    /// What an unknown name is compared with, so that it takes as long as a known one.
    decoy: Option<Hash>,
    pub(super) verified: Verified,
}

/// What a password is compared with.
#[derive(Clone)]
enum Hash {
    Bcrypt(Bcrypt),
    ShaCrypt(ShaCrypt),
    Md5Crypt(Md5Crypt),
    /// With its salt, which may be empty.
    Sha1([u8; SHA1_BYTES], Vec<u8>),
    Plain(String),
}

/// What can be said at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    Yes,
    No,
    /// It takes a while to find out.
    Costly,
}

impl Users {
    /// Reads what it can, and tells of the rest.
    pub(super) fn read(text: &str) -> Users {
        let mut users = HashMap::new();
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
        for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let read = line.split_once(':').ok_or("it has no colon").and_then(|(name, hash)| {
                let room = users.len() < USERS_MAX || users.contains_key(name);
                if room { Ok((name.to_owned(), Hash::read(hash)?)) } else { Err("there are too many names") }
            });
            match read {
                Ok((name, hash)) => {
                    users.insert(name, hash);
                }
                // The line itself is a secret.
                Err(why) => tracing::warn!(line = number, why, "a line of `htpasswd` is skipped"),
            }
        }
        if users.is_empty() {
            tracing::warn!("`htpasswd` names nobody, so nobody is let in; add a line `name:hash` for each user");
        }
        let decoy = users.values().max_by_key(|hash| hash.cost()).filter(|hash| hash.cost() > 0).cloned();
        Users { users, decoy, verified: Verified::new() }
    }

    /// Whether the password is right, if that can be said at once.
    pub(super) fn quick(&self, name: &str, password: &str) -> Match {
        match self.users.get(name).or(self.decoy.as_ref()) {
            Some(hash) if hash.cost() > 0 => Match::Costly,
            Some(hash) if hash.matches(password) => Match::Yes,
            _ => Match::No,
        }
    }

    /// Whether the password is right, however long that takes.
    pub(super) fn matches(&self, name: &str, password: &str) -> bool {
        match (self.users.get(name), &self.decoy) {
            (Some(hash), _) => hash.matches(password),
            (None, Some(decoy)) => {
                decoy.matches(password);
                false
            }
            (None, None) => false,
        }
    }
}

impl Hash {
    fn read(text: &str) -> Result<Hash, &'static str> {
        if let Some(read) = Bcrypt::read(text) {
            return read.map(Hash::Bcrypt);
        }
        if let Some(read) = ShaCrypt::read(text) {
            return read.map(Hash::ShaCrypt);
        }
        if let Some(read) = Md5Crypt::read(text) {
            return read.map(Hash::Md5Crypt);
        }
        let (encoded, salted) = match (text.strip_prefix("{SSHA}"), text.strip_prefix("{SHA}")) {
            (Some(encoded), _) => (encoded, true),
            (None, Some(encoded)) => (encoded, false),
            (None, None) => return Ok(Hash::Plain(text.to_owned())),
        };
        let bytes = STANDARD.decode(encoded).map_err(|_| "it is not base64")?;
        let (digest, salt) = bytes.split_first_chunk().ok_or("it is too short")?;
        if salt.is_empty() == salted {
            return Err("it has no salt, or one too many");
        }
        Ok(Hash::Sha1(*digest, salt.to_vec()))
    }

    fn matches(&self, password: &str) -> bool {
        match self {
            Hash::Bcrypt(bcrypt) => bcrypt.matches(password),
            Hash::ShaCrypt(crypt) => crypt.matches(password),
            Hash::Md5Crypt(crypt) => crypt.matches(password),
            Hash::Sha1(expected, salt) => {
                let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
                context.update(password.as_bytes());
                context.update(salt);
                context.finish().as_ref().ct_eq(expected).into()
            }
            Hash::Plain(expected) => {
                // Hashed first, so that the length does not show either.
                let hash = |text: &str| ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
                hash(password).as_ref().ct_eq(hash(expected).as_ref()).into()
            }
        }
    }

    /// Roughly microseconds; none where it is not worth a thread.
    fn cost(&self) -> u64 {
        match self {
            Hash::Bcrypt(bcrypt) => bcrypt.cost(),
            Hash::ShaCrypt(crypt) => crypt.cost(),
            Hash::Md5Crypt(_) => Md5Crypt::COST,
            Hash::Sha1(..) | Hash::Plain(_) => 0,
        }
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Users({})", self.users.len())
    }
}
