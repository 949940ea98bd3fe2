//! Who sent a request, as processors ask for it.
//!
//! What conditions and statements see of a client are maps on the wire. They are written when the first of them asks, once
//! a request.

use crate::any_value::{Literal, of_str, put_key_value};
use std::{cell::OnceCell, collections::BTreeMap, fmt};

/// A client, whoever keeps it.
pub trait Client: fmt::Debug {
    /// Its address without a port; `""` where none is known.
    fn address(&self) -> String;

    /// Its address as it came, with a port if there was one.
    fn full_address(&self) -> Option<String>;

    /// All values of a key of its metadata, whatever the case of the key.
    fn metadata(&self, key: &str) -> Vec<String>;

    /// All its metadata: lower-case keys with a value each, some of them several times.
    fn all_metadata(&self) -> Vec<(String, String)>;

    /// What is known by its credentials under this name.
    fn attribute(&self, name: &str) -> Option<String>;

    /// The names under which something is known.
    fn attributes(&self) -> &[&str];
}

/// A client to be asked about one request.
#[derive(Debug)]
pub struct Sender<'c> {
    pub(crate) client: &'c dyn Client,
    address: OnceCell<Option<String>>,
    /// Bodies of `KeyValueList`s.
    attributes: OnceCell<Vec<u8>>,
    metadata: OnceCell<Vec<u8>>,
    grpc_metadata: OnceCell<Vec<u8>>,
}

/// What only gRPC has.
const AUTHORITY: &str = ":authority";
/// What otelcol adds to gRPC's metadata.
const HOST: &str = "host";

impl<'c> Sender<'c> {
    /// Nothing is asked yet.
    #[must_use]
    pub fn new(client: &'c dyn Client) -> Self {
        let (attributes, metadata, grpc_metadata) = Default::default();
        Self { client, address: OnceCell::new(), attributes, metadata, grpc_metadata }
    }

    fn metadata_but(&self, is_in: impl Fn(&str) -> bool) -> Vec<u8> {
        let mut values: BTreeMap<String, Vec<Literal>> = BTreeMap::new();
        for (key, value) in self.client.all_metadata().into_iter().filter(|(key, _)| is_in(key)) {
            values.entry(key).or_default().push(Literal::Str(value));
        }
        let mut out = Vec::new();
        for (key, values) in values {
            put_key_value(&mut out, 1, key.as_bytes(), &Literal::List(values).encode());
        }
        out
    }
}

impl ottl::Client for Sender<'_> {
    fn address(&self) -> Option<&str> {
        self.address.get_or_init(|| self.client.full_address()).as_deref()
    }

    fn attributes(&self) -> &[u8] {
        self.attributes.get_or_init(|| {
            let mut out = Vec::new();
            for name in self.client.attributes() {
                let value = self.client.attribute(name).unwrap_or_default();
                put_key_value(&mut out, 1, name.as_bytes(), &of_str(value.as_bytes()));
            }
            out
        })
    }

    fn metadata(&self) -> &[u8] {
        self.metadata.get_or_init(|| self.metadata_but(|_| true))
    }

    fn grpc_metadata(&self) -> &[u8] {
        self.grpc_metadata.get_or_init(|| match self.client.metadata(AUTHORITY).is_empty() {
            true => Vec::new(),
            false => self.metadata_but(|key| key != HOST),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ottl::{Condition, Context, Fuel, Item, Moment, Record, Subject};

    /// Alice, who speaks gRPC.
    #[derive(Debug)]
    struct Alice;

    const METADATA: [(&str, &str); 4] = [(AUTHORITY, "a:1"), ("tenant", "A"), (HOST, "a:1"), ("tenant", "B")];

    impl Client for Alice {
        fn address(&self) -> String {
            "::1".to_string()
        }

        fn full_address(&self) -> Option<String> {
            Some("[::1]:80".to_string())
        }

        fn metadata(&self, key: &str) -> Vec<String> {
            METADATA.iter().filter(|(name, _)| *name == key).map(|(_, value)| (*value).to_string()).collect()
        }

        fn all_metadata(&self) -> Vec<(String, String)> {
            METADATA.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect()
        }

        fn attribute(&self, name: &str) -> Option<String> {
            (name == "username").then(|| "alice".to_string())
        }

        fn attributes(&self) -> &[&str] {
            &["username"]
        }
    }

    #[test]
    fn conditions_ask_for_a_client() {
        let sender = Sender::new(&Alice);
        for text in [
            r#"otelcol.client.addr == "[::1]:80""#,
            r#"otelcol.client.metadata["Tenant"] == ["A", "B"]"#,
            r#"otelcol.client.metadata["tenant"][1] == "B""#,
            r#"otelcol.client.metadata["none"] == nil"#,
            "Len(otelcol.client.metadata) == 3",
            "Len(otelcol.grpc.metadata) == 2",
            r#"otelcol.grpc.metadata["TENANT"][0] == "A""#,
            r#"otelcol.client.auth.attributes["username"] == "alice""#,
            r#"otelcol.client.auth.attributes["Username"] == nil"#,
        ] {
            let condition = Condition::compile(text, Context::Log, &mut otlp::Keys::default());
            let condition = condition.unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
            let holds = |client| {
                let record = Record { resource: &[], scope: &[], item: Item::Log(&[]), cache: &[], client };
                let fuel = Fuel::new(1_000_000);
                condition.evaluate(&Subject::record(record, Moment { wall_ns: 0, seed: 0 }, &fuel))
            };
            assert_eq!(holds(Some(&sender)), Ok(true), "{text}");
            assert_eq!(holds(None) == Ok(true), text.ends_with("nil"), "{text}");
        }
    }
}
