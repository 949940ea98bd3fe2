//! The attribute keys that somebody reads, interned once when a configuration is built.
//!
//! The scanner compares each attribute key of a request against this small set and reports only hits; an attribute that
//! no policy names is validated and skipped, never decoded.

/// Index of a key in [`Keys`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub struct KeyId(pub u16);

/// A set of attribute keys, each with a [`KeyId`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    names: Vec<Box<str>>,
}

impl Keys {
    /// Adds `name` unless it is there already.
    ///
    /// # Panics
    /// If more than 65 535 different keys are added; a configuration file is limited to far fewer.
    pub fn intern(&mut self, name: &str) -> KeyId {
        let index = self.names.iter().position(|known| &**known == name).unwrap_or_else(|| {
            self.names.push(name.into());
            self.names.len() - 1
        });
        KeyId(u16::try_from(index).expect("fewer than 65 536 attribute keys"))
    }

    /// The id of `key`, if it is one of the set.
    #[must_use]
    pub fn find(&self, key: &[u8]) -> Option<KeyId> {
        let index = self.names.iter().position(|known| known.as_bytes() == key)?;
        u16::try_from(index).ok().map(KeyId)
    }

    /// The text of a key.
    #[must_use]
    pub fn name(&self, key: KeyId) -> &str {
        &self.names[usize::from(key.0)]
    }

    /// Whether all keys of `other` are here under the same ids. Keys are only ever added, so a clone with more in it does.
    #[must_use]
    pub fn extends(&self, other: &Self) -> bool {
        self.names.starts_with(&other.names)
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether nobody reads any attribute.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}
