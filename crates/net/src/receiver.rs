//! The receiving half: OTLP over gRPC and HTTP becomes whole, inflated request bodies for one [`Intake`].
//!
//! ```text
//!  listener ─► connection ─► calls, hyper ─► admission ─► grpc, http_api ─► body ─► Intake ─► answer
//!  accept loop  TLS, guard    HTTP/2, 1      overload      paths, codings    limits   the ack covers memory
//!                                                                           budget, inflate
//! ```
//!
//! gRPC is our own unary framing on h2: OTLP needs one method, a five-byte prefix and three trailers, and so the
//! compressed bytes go straight from the socket's frames into an inflater that is charged while it grows. tonic would
//! refuse a compressed frame before any codec sees it, or inflate it on its own account.
//!
//! Invariants: a body reaches the intake only whole and within its limits; its charge is held until the answer is known;
//! credentials are checked, and at the budget's hard mark or under overload a request is answered, before its body is read;
//! every wait on a peer has an end.

mod admission;
mod body;
mod calls;
mod connection;
mod cors;
mod endpoint;
mod gate;
mod grpc;
mod guard;
mod http2;
mod http_api;
mod inherited;
mod keepalive;
mod listener;
mod pieces;
mod rarely;
mod refused;
mod reply;
mod settings;
mod socket;
mod stats;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use otlp::Signal;

use crate::BoxFuture;
use crate::auth::ServerAuth;
use crate::budget::Budget;
use crate::buffer::Pool;
use crate::client::Client;
use admission::Admission;
use listener::{Door, House, Listeners};

pub use listener::Pulse;

pub use endpoint::{Endpoint, Network};
pub use inherited::Inherited;
pub use settings::{AuthServer, Cors, Dialer, GrpcServer, HttpCoding, HttpServer, Keepalive, OtlpReceiver};
pub use stats::{ReceiverStats, RefusedReason, SignalCounts, TransportCounts};

/// Whoever takes requests in.
pub trait Intake: Send + Sync + 'static {
    /// Whether requests of this signal are taken; for another one the client is told that nobody serves it. Asked for each
    /// request, so that the answer may change.
    fn serves(&self, signal: Signal) -> bool;

    /// Takes one export request of `signal`, whole and inflated; it stays charged until the future is done. Whoever keeps
    /// `client` longer than that charges it.
    fn take<'a>(
        &'a self,
        signal: Signal,
        origin: &'a Origin,
        client: &'a Arc<Client>,
        body: &'a [u8],
    ) -> BoxFuture<'a, Result<Accepted, Refusal>>;
}

/// Which door a request came through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The receiver as the configuration names it, `otlp` or `otlp/2`.
    pub receiver: Arc<str>,
    /// The protocol.
    pub transport: Transport,
}

/// What carries a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// OTLP/gRPC.
    Grpc,
    /// OTLP/HTTP.
    Http,
}

/// What a listener speaks.
pub type Protocol = Transport;

/// A request that was taken, perhaps without some of its items.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Spans, data points or log records taken.
    pub items: u64,
    /// Those that were not; more than none makes the answer a partial success.
    pub rejected: u64,
    /// Why, in a sentence for the client; a warning where nothing was rejected.
    pub message: String,
}

/// A request of which nothing was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The bytes are no request. Sending them again will not help.
    Malformed(String),
    /// There is no room now; the client keeps the request and comes back.
    Overloaded {
        /// When to come back.
        retry_after: Duration,
    },
    /// The program is ending; another instance may take the request.
    ShuttingDown,
    /// It will not be taken, however often it comes, though nothing is wrong with it; in a sentence for the client.
    Failed(String),
}

/// Finds the authenticator that an extension's name stands for, if it checks credentials.
pub type Authenticators<'a> = &'a (dyn Fn(&str) -> Option<Arc<dyn ServerAuth>> + Sync);

/// A started receiver.
pub struct Running {
    /// Where it listens, with the port that was bound.
    pub addresses: Vec<(Protocol, SocketAddr)>,
    /// The same for Unix sockets.
    pub paths: Vec<(Protocol, PathBuf)>,
    /// What it counted.
    pub stats: Arc<ReceiverStats>,
    name: Arc<str>,
    listeners: Listeners,
}

/// A receiver that is bound and accepts nothing yet: connections wait in the system's backlog.
pub struct Ready {
    /// Where it will listen, with the port that was bound.
    pub addresses: Vec<(Protocol, SocketAddr)>,
    /// The same for Unix sockets.
    pub paths: Vec<(Protocol, PathBuf)>,
    stats: Arc<ReceiverStats>,
    name: Arc<str>,
    doors: Vec<Door>,
}

/// [Binds](bind) and starts what the settings ask for.
///
/// # Errors
/// See [`bind`].
pub async fn serve(
    name: &str,
    settings: &OtlpReceiver,
    intake: Arc<dyn Intake>,
    budget: Arc<Budget>,
    auths: Authenticators<'_>,
    inherited: &mut Inherited,
) -> io::Result<Running> {
    bind(name, settings, intake, budget, auths, inherited).await.map(Ready::start)
}

/// Binds what the settings ask for. Sockets in `inherited` that fit are taken out of it and used as they are, and so are the
/// counters of a receiver of this name; what is left in it nobody needed.
///
/// # Errors
/// An address that cannot be bound, TLS files that cannot be used, or an authenticator that there is not. Nothing is bound
/// then; those who left their sockets still listen.
pub async fn bind(
    name: &str,
    settings: &OtlpReceiver,
    intake: Arc<dyn Intake>,
    budget: Arc<Budget>,
    auths: Authenticators<'_>,
    inherited: &mut Inherited,
) -> io::Result<Ready> {
    let stats = inherited.stats(name).unwrap_or_default();
    let name: Arc<str> = Arc::from(name);
    let (receiver, pool, admission) = (Arc::clone(&name), Pool::new(budget), Admission::new(&name));
    let house = House { receiver, intake, pool, stats: Arc::clone(&stats), admission, auths };
    let mut doors = Vec::new();
    if let Some(grpc) = &settings.grpc {
        doors.push(house.grpc(grpc, inherited).await?);
    }
    if let Some(http) = &settings.http {
        doors.push(house.http(http, inherited).await?);
    }
    let addresses = doors.iter().filter_map(Door::address).collect();
    let paths = doors.iter().filter_map(Door::path).collect();
    Ok(Ready { addresses, paths, stats, name, doors })
}

impl Ready {
    /// Begins to accept connections.
    #[must_use]
    pub fn start(self) -> Running {
        let Self { addresses, paths, stats, name, doors } = self;
        Running { addresses, paths, stats, name, listeners: Listeners::start(doors) }
    }
}

impl Running {
    /// Its sockets and counters, for a receiver that is to take over: [`serve`] that one with them, then
    /// [stop](Running::stop) this one, and no connection is refused in between. Until then both accept.
    ///
    /// # Errors
    /// The system has no file descriptor to spare.
    pub fn listeners(&self) -> io::Result<Inherited> {
        let mut inherited = Inherited::default();
        self.listeners.leave_to(&mut inherited)?;
        inherited.leave_stats(&self.name, &self.stats);
        Ok(inherited)
    }

    /// Tells whether it accepts connections.
    pub fn pulse(&self) -> Pulse {
        self.listeners.pulse()
    }

    /// Closes the listeners, lets the requests in flight finish, and ends what has not after `grace`. A connection that has
    /// just been used is given a moment for one more request, whose answer says that it is the last.
    pub async fn stop(self, grace: Duration) {
        self.listeners.stop(grace).await;
    }
}

impl Transport {
    /// Both.
    pub const ALL: [Transport; 2] = [Transport::Grpc, Transport::Http];

    /// As metrics and logs name it.
    pub fn name(self) -> &'static str {
        match self {
            Transport::Grpc => "grpc",
            Transport::Http => "http",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("addresses", &self.addresses)
            .field("paths", &self.paths)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
