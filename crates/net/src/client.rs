//! Who sent a request: the peer's address, what its authenticator learned, and its headers where a receiver keeps them.
//!
//! As otelcol's `client.Info`: [`Metadata`] holds what Go's servers show of a request's head, with lower-case keys, in one
//! buffer of its own, for a header of hyper's would hold on to the whole buffer that it was read into. A client is made once
//! a connection, and once more a request only where there is more to say than the address; batches share it.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use http::header::{HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use settings::{Fields, Problems};

use crate::auth::Identity;
use crate::receiver::Transport;

/// Who sent a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// Where it connected from.
    pub peer: Peer,
    /// What was learned from its credentials.
    pub identity: Option<Identity>,
    /// Its headers, where they are kept.
    pub metadata: Metadata,
}

/// Where a connection comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Peer {
    /// Nobody knows.
    #[default]
    Unknown,
    /// An address with its port, as gRPC tells it.
    Tcp(SocketAddr),
    /// One without, as HTTP does.
    Ip(IpAddr),
    /// A Unix socket, as grpc-go names its other end.
    Unix,
}

/// Headers: lower-case names, each with one value or several, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Names and values, one behind the other.
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    name: Range<u32>,
    value: Range<u32>,
}

/// The key of the host's name, if no header of that name came.
const HOST_KEY: &[u8] = b"host";
/// The ending of gRPC's binary headers.
const BINARY: &str = "-bin";
/// Headers that are gRPC's own affair.
const GRPC_OWN: [&str; 6] = ["grpc-message-type", "grpc-encoding", "grpc-message", "grpc-status", "grpc-timeout", "te"];

impl Client {
    /// Somebody at an address, of whom no more is known.
    #[must_use]
    pub fn at(peer: Peer) -> Self {
        Self { peer, ..Self::default() }
    }

    /// The address without its port, as otelcol's processors see it: `""` where there is none.
    #[must_use]
    pub fn address(&self) -> String {
        match self.peer {
            Peer::Unknown => String::new(),
            Peer::Tcp(address) => address.ip().to_canonical().to_string(),
            Peer::Ip(address) => address.to_canonical().to_string(),
            Peer::Unix => "@".to_owned(),
        }
    }

    /// The address as it came, with a port if there was one.
    #[must_use]
    pub fn full_address(&self) -> Option<String> {
        match self.peer {
            Peer::Unknown => None,
            Peer::Tcp(address) => Some(SocketAddr::new(address.ip().to_canonical(), address.port()).to_string()),
            Peer::Ip(_) | Peer::Unix => Some(self.address()),
        }
    }

    /// The same client as a batch knows it that was put together by these metadata keys: nothing else is left of it.
    #[must_use]
    pub fn only(&self, keys: &[String]) -> Self {
        let mut metadata = Metadata::default();
        for key in keys {
            let name = key.to_ascii_lowercase();
            self.metadata.get(key).for_each(|value| metadata.add(name.as_bytes(), value));
        }
        Self { metadata, ..Self::default() }
    }

    /// What tells apart clients that differ in the values of these keys; no value is not the same as an empty one.
    #[must_use]
    pub fn key(&self, keys: &[String]) -> Vec<u8> {
        let mut text = Vec::new();
        for key in keys {
            let count = u32::try_from(self.metadata.get(key).count()).unwrap_or(u32::MAX);
            text.extend_from_slice(&count.to_le_bytes());
            for value in self.metadata.get(key) {
                let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
                text.extend_from_slice(&length.to_le_bytes());
                text.extend_from_slice(value);
            }
        }
        text
    }

    /// Memory that it holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let Metadata { bytes, entries } = &self.metadata;
        size_of::<Self>() + bytes.capacity() + entries.capacity() * size_of::<Entry>()
    }
}

impl Metadata {
    /// What Go's server of this protocol shows of a head.
    pub(crate) fn of(transport: Transport, head: &Parts) -> Self {
        let mut metadata = Self::default();
        let size = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        metadata.bytes.reserve_exact(size);
        metadata.entries.reserve_exact(head.headers.len() + 2);
        match transport {
            Transport::Grpc => metadata.add_grpc(head),
            Transport::Http => metadata.add_http(head),
        }
        metadata
    }

    /// Metadata of these headers.
    #[must_use]
    pub fn of_headers(headers: &HeaderMap) -> Self {
        let mut metadata = Self::default();
        headers.iter().for_each(|(name, value)| metadata.add(name.as_str().as_bytes(), value.as_bytes()));
        metadata
    }

    /// The values of a key, whatever its case.
    pub fn get<'m>(&'m self, key: &'m str) -> impl Iterator<Item = &'m [u8]> {
        let named = |entry: &&Entry| self.part(&entry.name).eq_ignore_ascii_case(key.as_bytes());
        self.entries.iter().filter(named).map(|entry| self.part(&entry.value))
    }

    /// Each value with its key.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.entries.iter().map(|entry| (self.part(&entry.name), self.part(&entry.value)))
    }

    /// net/http takes these two out of the headers, and otelcol puts the host back.
    fn add_http(&mut self, head: &Parts) {
        let hosts = head.headers.get(HOST).map(|host| host.as_bytes());
        let host = head.uri.authority().map(|authority| authority.as_str().as_bytes()).or(hosts);
        for (name, value) in head.headers.iter().filter(|(name, _)| ![HOST, TRANSFER_ENCODING].contains(name)) {
            self.add(name.as_str().as_bytes(), value.as_bytes());
        }
        if let Some(host) = host.filter(|host| !host.is_empty()) {
            self.add(HOST_KEY, host);
        }
    }

    /// grpc-go keeps its own headers to itself and decodes binary ones.
    fn add_grpc(&mut self, head: &Parts) {
        let hosts = head.headers.get(HOST).map(|host| host.as_bytes());
        let authority = head.uri.authority().map(|authority| authority.as_str().as_bytes()).or(hosts);
        for (name, value) in head.headers.iter().filter(|(name, _)| !is_grpcs_own(name)) {
            match decoded(name.as_str(), value.as_bytes()) {
                Some(value) => self.add(name.as_str().as_bytes(), &value),
                None => self.add(name.as_str().as_bytes(), value.as_bytes()),
            }
        }
        if let Some(authority) = authority {
            self.add(b":authority", authority);
            self.add(HOST_KEY, authority);
        }
    }

    fn add(&mut self, name: &[u8], value: &[u8]) {
        let name = self.put(name);
        let value = self.put(value);
        self.entries.push(Entry { name, value });
    }

    /// Heads are bounded far below what 32 bits hold.
    fn put(&mut self, part: &[u8]) -> Range<u32> {
        let end = |bytes: &Vec<u8>| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let start = end(&self.bytes);
        self.bytes.extend_from_slice(part);
        start..end(&self.bytes)
    }

    fn part(&self, range: &Range<u32>) -> &[u8] {
        self.bytes.get(range.start as usize..range.end as usize).unwrap_or_default()
    }
}

impl Peer {
    /// Of a connection over TCP.
    pub(crate) fn tcp(address: std::io::Result<SocketAddr>, transport: Transport) -> Self {
        match (address, transport) {
            (Err(_), _) => Self::Unknown,
            (Ok(address), Transport::Grpc) => Self::Tcp(address),
            (Ok(address), Transport::Http) => Self::Ip(address.ip()),
        }
    }
}

/// The client of a request: that of its connection, unless there is more to say.
pub(crate) fn of_request(
    connection: &Arc<Client>,
    identity: Option<Identity>,
    metadata: impl FnOnce() -> Option<Metadata>,
) -> Arc<Client> {
    match (metadata(), identity) {
        (None, None) => Arc::clone(connection),
        (metadata, identity) => {
            let metadata = metadata.unwrap_or_default();
            Arc::new(Client { peer: connection.peer.clone(), identity, metadata })
        }
    }
}

/// Takes `metadata_keys` out of a map: keys that keep apart what clients send, each of them once.
pub fn take_keys(fields: &mut Fields<'_>, p: &mut Problems) -> Vec<String> {
    let keys: Vec<String> = fields.take("metadata_keys", Vec::new(), p);
    let is_again = |(index, key): &(usize, &String)| keys.iter().take(*index).any(|one| one.eq_ignore_ascii_case(key));
    if let Some((_, key)) = keys.iter().enumerate().find(is_again) {
        let at = fields.node("metadata_keys").map_or(fields.at(), |node| node.at);
        let help = "remove one of the two; upper and lower case mean the same".to_owned();
        p.error(&at, format!("`{key}` is there twice in `metadata_keys`"), help);
    }
    keys
}

fn is_grpcs_own(name: &HeaderName) -> bool {
    *name == HOST || GRPC_OWN.contains(&name.as_str())
}

/// The bytes of a binary header, with padding or without.
fn decoded(name: &str, value: &[u8]) -> Option<Vec<u8>> {
    if !name.ends_with(BINARY) {
        return None;
    }
    if value.len().is_multiple_of(4) { STANDARD.decode(value).ok() } else { STANDARD_NO_PAD.decode(value).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn head(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    /// Every key with its values, as text.
    fn shown(metadata: &Metadata) -> String {
        let entry = |entry: &Entry| {
            let [name, value] =
                [&entry.name, &entry.value].map(|part| String::from_utf8_lossy(metadata.part(part)).into_owned());
            format!("{name}={value}")
        };
        metadata.entries.iter().map(entry).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn heads_are_shown_as_gos_servers_show_them() {
        let check = |transport, head: &Parts, expected: &str| {
            assert_eq!(shown(&Metadata::of(transport, head)), expected);
        };
        let http = [("Host", "a:1"), ("X-Tenant", "A"), ("x-tenant", "B"), ("te", "x")];
        check(Transport::Http, &head("/v1/logs", &http), "x-tenant=A x-tenant=B te=x host=a:1");
        let grpc = [
            ("content-type", "application/grpc"),
            ("te", "trailers"),
            ("grpc-timeout", "1S"),
            ("grpc-encoding", "gzip"),
            ("grpc-accept-encoding", "gzip"),
            ("user-agent", "u"),
            ("x-tenant", "A"),
            ("x-a-bin", "aGk"),
            ("x-b-bin", "aGk="),
            ("x-c-bin", "?"),
        ];
        let expected = "content-type=application/grpc grpc-accept-encoding=gzip user-agent=u x-tenant=A x-a-bin=hi \
                        x-b-bin=hi x-c-bin=? :authority=a:1 host=a:1";
        check(Transport::Grpc, &head("http://a:1/x/Export", &grpc), expected);
        check(Transport::Grpc, &head("/x/Export", &[("host", "b")]), ":authority=b host=b");
    }

    #[test]
    fn keys_are_found_in_any_case_and_keep_clients_apart() {
        let client = |headers: &[(&str, &str)]| {
            let metadata = Metadata::of_headers(&head("/", headers).headers);
            Client { peer: Peer::Unix, identity: None, metadata }
        };
        let keys = ["x-tenant".to_owned(), "other".to_owned()];
        let both = client(&[("X-Tenant", "A"), ("a", "b"), ("x-tenant", "B")]);
        assert_eq!(both.metadata.get("X-TENANT").collect::<Vec<_>>(), [b"A", b"B"]);
        assert_eq!(both.metadata.get("x-tenan").count(), 0);
        assert_eq!(shown(&both.only(&keys).metadata), "x-tenant=A x-tenant=B");
        assert_eq!(both.only(&keys).peer, Peer::Unknown);
        assert_eq!(both.only(&keys).key(&keys), both.key(&keys));
        let alone = |value| client(&[("x-tenant", value)]).key(&keys);
        let differ = [both.key(&keys), alone("A"), alone("AB"), alone(""), client(&[]).key(&keys), {
            client(&[("other", "A")]).key(&keys)
        }];
        for (index, one) in differ.iter().enumerate() {
            assert!(differ.iter().skip(index + 1).all(|other| one != other), "{index}");
        }
    }

    #[test]
    fn addresses_have_no_port_unless_all_is_asked_for() {
        let check = |peer, expected: &str, full: Option<&str>| {
            let client = Client::at(peer);
            assert_eq!((client.address().as_str(), client.full_address().as_deref()), (expected, full));
        };
        check(Peer::Tcp("10.0.0.1:80".parse().unwrap()), "10.0.0.1", Some("10.0.0.1:80"));
        check(Peer::Tcp("[::ffff:10.0.0.1]:80".parse().unwrap()), "10.0.0.1", Some("10.0.0.1:80"));
        check(Peer::Tcp("[2001:db8::1]:80".parse().unwrap()), "2001:db8::1", Some("[2001:db8::1]:80"));
        check(Peer::Ip("::ffff:10.0.0.1".parse().unwrap()), "10.0.0.1", Some("10.0.0.1"));
        check(Peer::Unix, "@", Some("@"));
        check(Peer::Unknown, "", None);
    }
}
