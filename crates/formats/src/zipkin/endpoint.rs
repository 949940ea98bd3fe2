//! Who a span ran in and whom it talked to, read from its tags.

use super::span::Tags;
use std::net::IpAddr;

/// A Zipkin endpoint; all parts may be missing.
#[derive(Default)]
pub(super) struct Endpoint<'a> {
    pub(super) service_name: &'a str,
    pub(super) address: Option<IpAddr>,
    pub(super) port: u16,
}

impl<'a> Endpoint<'a> {
    /// Where the span ran.
    pub(super) fn local(tags: &'a Tags<'_>, service_name: &'a str) -> Self {
        let (address, port) = socket(tags, LOCAL_SOCKETS);
        Self { service_name, address, port }
    }

    /// Whom the span talked to. Only a client or producer is asked for the many names that a peer may have; without a
    /// remote endpoint Zipkin would not draw the dependency.
    pub(super) fn remote(tags: &'a Tags<'_>, calls_out: bool) -> Self {
        let first = |keys: &[&str]| keys.iter().find_map(|key| tags.text(key)).unwrap_or_default();
        let (address, port) = socket(tags, PEER_SOCKETS);
        let mut service_name = first(PEER_SERVICES);
        if service_name.is_empty() && calls_out {
            service_name = first(PEER_NAMES);
        }
        if service_name.is_empty() && calls_out && address.is_none() {
            service_name = first(PEER_LAST_RESORTS);
        }
        Self { service_name, address, port }
    }

    /// Whether there is nothing to say. A port alone says nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.service_name.is_empty() && self.address.is_none()
    }
}

fn socket(tags: &Tags<'_>, keys: &[(&str, &str)]) -> (Option<IpAddr>, u16) {
    for (address_key, port_key) in keys {
        if let Some(address) = tags.text(address_key).and_then(|text| text.parse().ok()) {
            let port = tags.text(port_key).and_then(|text| text.parse().ok()).unwrap_or(0);
            return (Some(address), port);
        }
    }
    (None, 0)
}

const LOCAL_SOCKETS: &[(&str, &str)] = &[
    ("network.local.address", "network.local.port"),
    ("net.sock.host.addr", "net.sock.host.port"),
    ("net.host.ip", "net.host.port"),
];

const PEER_SOCKETS: &[(&str, &str)] = &[
    ("network.peer.address", "network.peer.port"),
    ("server.socket.address", "server.socket.port"),
    ("net.sock.peer.addr", "net.sock.peer.port"),
    ("net.peer.ip", "net.peer.port"),
];

const PEER_SERVICES: &[&str] = &["service.peer.name", "peer.service"];

const PEER_NAMES: &[&str] = &["server.address", "net.peer.name"];

const PEER_LAST_RESORTS: &[&str] =
    &["server.socket.domain", "net.sock.peer.name", "peer.hostname", "peer.address", "db.name"];
