//! A client as processors see it.

use net::{auth::Identity, client::Client};

/// A client that answers to processors.
#[derive(Debug)]
pub(crate) struct Shown<'c>(pub(crate) &'c Client);

impl process::Client for Shown<'_> {
    fn address(&self) -> String {
        self.0.address()
    }

    fn full_address(&self) -> Option<String> {
        self.0.full_address()
    }

    fn metadata(&self, key: &str) -> Vec<String> {
        self.0.metadata.get(key).map(text).collect()
    }

    fn all_metadata(&self) -> Vec<(String, String)> {
        self.0.metadata.iter().map(|(key, value)| (text(key), text(value))).collect()
    }

    fn attribute(&self, name: &str) -> Option<String> {
        self.0.identity.as_ref()?.attribute(name)
    }

    fn attributes(&self) -> &[&str] {
        if self.0.identity.is_some() { &Identity::ATTRIBUTES } else { &[] }
    }
}

/// What is no UTF-8 would make an item that others refuse.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
