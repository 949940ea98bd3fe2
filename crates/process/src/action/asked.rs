//! What `from_context` asks of the client that sent a request.

use crate::Client;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Its address.
    Address,
    /// The values of a key of its metadata.
    Metadata(String),
    /// What its authenticator knows under a name.
    Attribute(String),
}

/// What `from_context` begins with, or is.
const METADATA: &str = "metadata.";
const ATTRIBUTE: &str = "auth.";
const ADDRESS: &str = "client.address";

impl Asked {
    /// The meaning of a setting; what stands without a prefix is metadata, too.
    #[must_use]
    pub fn of(text: &str) -> Self {
        if text == ADDRESS {
            return Self::Address;
        }
        match (text.strip_prefix(METADATA), text.strip_prefix(ATTRIBUTE)) {
            (Some(key), _) => Self::Metadata(key.to_string()),
            (None, Some(name)) => Self::Attribute(name.to_string()),
            (None, None) => Self::Metadata(text.to_string()),
        }
    }

    /// The answer; as in otelcol, an address is always there, if only an empty one.
    pub(super) fn find(&self, client: Option<&dyn Client>) -> Option<String> {
        match self {
            Self::Address => Some(client.map(Client::address).unwrap_or_default()),
            Self::Metadata(key) => {
                let values = client?.metadata(key);
                (!values.is_empty()).then(|| values.join(";"))
            }
            Self::Attribute(name) => client?.attribute(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Alice;

    impl Client for Alice {
        fn address(&self) -> String {
            "10.0.0.1".to_string()
        }

        fn full_address(&self) -> Option<String> {
            None
        }

        fn all_metadata(&self) -> Vec<(String, String)> {
            Vec::new()
        }

        fn attributes(&self) -> &[&str] {
            &["username"]
        }

        fn metadata(&self, key: &str) -> Vec<String> {
            let values: &[&str] = match key {
                "one" => &["a"],
                "two" => &["a", ""],
                _ => &[],
            };
            values.iter().map(|value| (*value).to_string()).collect()
        }

        fn attribute(&self, name: &str) -> Option<String> {
            (name == "username").then(|| "alice".to_string())
        }
    }

    #[test]
    fn clients_are_asked_as_otelcol_asks_them() {
        for (text, of_alice, of_nobody) in [
            ("client.address", Some("10.0.0.1"), Some("")),
            ("metadata.one", Some("a"), None),
            ("one", Some("a"), None),
            ("metadata.two", Some("a;"), None),
            ("metadata.none", None, None),
            ("auth.username", Some("alice"), None),
            ("auth.none", None, None),
            ("client.port", None, None),
        ] {
            let asked = Asked::of(text);
            assert_eq!(asked.find(Some(&Alice)).as_deref(), of_alice, "{text}");
            assert_eq!(asked.find(None).as_deref(), of_nobody, "{text}");
        }
    }
}
