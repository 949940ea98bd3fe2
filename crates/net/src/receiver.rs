//! The receiving half: OTLP over gRPC and HTTP becomes whole, inflated request bodies for one [`Intake`].
//!
//! ```text
//!  listener ─► connection ─► grpc │ http ─► body (limits, budget, inflate) ─► Intake ─► answer
//!  accept loop  TLS, guard    paths, codings                                  the ack covers memory
//! ```
//!
//! gRPC is our own unary framing on hyper's HTTP/2: OTLP needs one method, a five-byte prefix and three trailers, and so the
//! compressed bytes go straight from the socket's frames into an inflater that is charged while it grows. tonic would
//! refuse a compressed frame before any codec sees it, or inflate it on its own account.
//!
//! Invariants: a body reaches the intake only whole and within its limits; its charge is held until the answer is known;
//! at the budget's hard mark a request is answered before its body is read; every wait on a peer has an end.

mod body;
mod connection;
mod cors;
mod endpoint;
mod grpc;
mod http_api;
mod listener;
mod refused;
mod reply;
mod settings;
mod stats;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use otlp::Signal;

use crate::BoxFuture;
use crate::budget::Budget;
use crate::buffer::Pool;

pub use endpoint::{Endpoint, Network};
pub use settings::{Cors, GrpcServer, HttpCoding, HttpServer, Keepalive, OtlpReceiver};
pub use stats::{ReceiverStats, TransportCounts, TransportStats};

/// Whoever takes requests in.
pub trait Intake: Send + Sync + 'static {
    /// Whether requests of this signal are taken; for another one the client is told that nobody serves it.
    fn serves(&self, signal: Signal) -> bool;

    /// Takes one export request of `signal`, whole and inflated; it stays charged until the future is done.
    fn take<'a>(
        &'a self,
        signal: Signal,
        origin: &'a Origin,
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
}

/// A started receiver.
pub struct Running {
    /// Where it listens, with the port that was bound.
    pub addresses: Vec<(Protocol, SocketAddr)>,
    /// The same for Unix sockets.
    pub paths: Vec<(Protocol, PathBuf)>,
    /// What it counted.
    pub stats: Arc<ReceiverStats>,
    listeners: listener::Listeners,
}

/// Binds and starts what the settings ask for.
///
/// # Errors
/// An address that cannot be bound, or TLS files that cannot be used. Nothing listens then.
pub async fn serve(
    name: &str,
    settings: &OtlpReceiver,
    intake: Arc<dyn Intake>,
    budget: Arc<Budget>,
) -> io::Result<Running> {
    let stats = Arc::new(ReceiverStats::default());
    let pool = Pool::new(budget);
    let receiver: Arc<str> = Arc::from(name);
    let mut doors = Vec::new();
    if let Some(grpc) = &settings.grpc {
        doors.push(listener::Door::grpc(grpc, &receiver, &intake, &pool, &stats).await?);
    }
    if let Some(http) = &settings.http {
        doors.push(listener::Door::http(http, &receiver, &intake, &pool, &stats).await?);
    }
    let addresses = doors.iter().filter_map(listener::Door::address).collect();
    let paths = doors.iter().filter_map(listener::Door::path).collect();
    Ok(Running { addresses, paths, stats, listeners: listener::Listeners::start(doors) })
}

impl Running {
    /// Closes the listeners, lets the requests in flight finish, and ends what has not after `grace`.
    pub async fn stop(self, grace: Duration) {
        self.listeners.stop(grace).await;
    }
}

impl Transport {
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
