//! Who sent what is looked at, for the paths `otelcol.client` and `otelcol.grpc`.

use std::fmt;

/// A client as conditions and statements see it. A map is the body of a `KeyValueList`.
pub trait Client: fmt::Debug {
    /// Its address, with the port where the protocol tells it.
    fn address(&self) -> Option<&str>;

    /// What its authenticator knows, as strings.
    fn attributes(&self) -> &[u8];

    /// Its metadata: lower-case keys, each with a list of strings.
    fn metadata(&self) -> &[u8];

    /// The same of a client that speaks gRPC, as it came; empty for others.
    fn grpc_metadata(&self) -> &[u8];
}
