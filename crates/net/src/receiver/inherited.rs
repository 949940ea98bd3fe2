//! What a receiver leaves to its successor: bound sockets, so that no connection is refused in between, and counters, so that
//! they do not start again at zero.
//!
//! A socket is shared by duplicating its descriptor: from then on both receivers accept from one queue, and connections
//! that wait in it when the old one stops are the new one's.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use super::endpoint::{Bound, Endpoint};
use super::stats::ReceiverStats;

/// Bound sockets and counters of receivers that are about to be replaced; several may leave theirs in one.
#[derive(Debug, Default)]
pub struct Inherited {
    sockets: Vec<(Endpoint, Bound)>,
    stats: Vec<(Arc<str>, Arc<ReceiverStats>)>,
}

impl Inherited {
    /// Adds what another receiver leaves.
    pub fn join(&mut self, other: Inherited) {
        self.sockets.extend(other.sockets);
        self.stats.extend(other.stats);
    }

    pub(super) fn leave_socket(&mut self, endpoint: &Endpoint, bound: &Bound) -> io::Result<()> {
        self.sockets.push((endpoint.clone(), bound.share()?));
        Ok(())
    }

    pub(super) fn leave_stats(&mut self, receiver: &Arc<str>, stats: &Arc<ReceiverStats>) {
        self.stats.push((Arc::clone(receiver), Arc::clone(stats)));
    }

    /// The socket of the same endpoint, as written; it may be on port 0, and then keeps its port.
    pub(super) fn socket(&mut self, endpoint: &Endpoint) -> Option<Bound> {
        let at = self.sockets.iter().position(|(one, _)| one == endpoint)?;
        Some(self.sockets.swap_remove(at).1)
    }

    /// The socket that is bound to the same address, however that was written.
    pub(super) fn socket_at(&mut self, address: SocketAddr) -> Option<Bound> {
        let at = self.sockets.iter().position(|(_, bound)| bound.address() == Some(address))?;
        Some(self.sockets.swap_remove(at).1)
    }

    /// The counters of a receiver with the same name.
    pub(super) fn stats(&mut self, receiver: &str) -> Option<Arc<ReceiverStats>> {
        let at = self.stats.iter().position(|(name, _)| &**name == receiver)?;
        Some(self.stats.swap_remove(at).1)
    }
}
