//! What an authenticator learned of a client, for those who ask for it by name: otelcol's `client.AuthData`.
//!
//! Of all authenticators here only `basicauth` says anything. It is read when somebody asks, for hardly anybody does.

use std::fmt;

use super::basic::Credentials;

/// Who a client is, by its credentials, which were right.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The value of `Authorization`.
    header: Box<[u8]>,
}

impl Identity {
    /// Of a header that `basicauth` let in.
    pub(crate) fn basic(header: &[u8]) -> Self {
        Self { header: header.into() }
    }

    /// The names of what it knows.
    pub const ATTRIBUTES: [&str; 2] = ["raw", "username"];

    /// An attribute by its name: `username`, or `raw`, the name and password as they came.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<String> {
        match name {
            "username" => Credentials::read(&self.header).map(|credentials| credentials.name),
            "raw" => Credentials::encoded(&self.header).map(|raw| String::from_utf8_lossy(raw).into_owned()),
            _ => None,
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_what_it_came_in() {
        let identity = Identity::basic(b"bAsIc YWxpY2U6c3dvcmRmaXNo");
        assert_eq!(identity.attribute("username").as_deref(), Some("alice"));
        assert_eq!(identity.attribute("raw").as_deref(), Some("YWxpY2U6c3dvcmRmaXNo"));
        assert_eq!(identity.attribute("password"), None);
        assert!(!format!("{identity:?}").contains("YWxp"));
    }
}
