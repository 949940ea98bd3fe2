//! One connection from its first byte to its last: TLS, HTTP, and a guard that ends what a peer would leave hanging.
//!
//! hyper bounds a request's head and an idle connection with one timer, and its version detection waits for ever; so a
//! [guard](super::guard) looks at the connection itself. HTTP/2 pings do the rest: a peer in the middle of a header block
//! cannot answer one.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use http::header::CONNECTION;
use http::{HeaderValue, Version};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::calls::{Calls, Terms};
use super::grpc::GrpcApi;
use super::guard::{Activity, Guard, InFlight, Patience, Wish};
use super::http_api::HttpApi;
use super::rarely::Rarely;
use super::socket::{Socket, Stream};
use super::{ReceiverStats, Transport};
use crate::client::{Client, Peer};
use crate::tls::ServerIdentity;

/// How long a TLS handshake may take.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);
/// What answers requests, and what is spoken.
pub(super) enum Api {
    Grpc(Arc<GrpcApi>, Terms),
    Http(Arc<HttpApi>, auto::Builder<TokioExecutor>),
}

/// What connections of one listener share.
pub(super) struct Shared {
    pub(super) api: Api,
    pub(super) tls: Option<ServerIdentity>,
    pub(super) patience: Patience,
    pub(super) stats: Arc<ReceiverStats>,
    pub(super) receiver: Arc<str>,
    pub(super) tls_told: Rarely,
}

/// Where the whole receiver stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// No new requests; those in flight finish.
    Draining,
    /// The grace is over.
    Over,
}

/// A stream that a listener accepted.
pub(super) enum Accepted {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Serves one connection to its end.
pub(super) async fn serve(shared: Arc<Shared>, accepted: Accepted, phase: watch::Receiver<Phase>) {
    let client = Arc::new(Client::at(accepted.peer(shared.api.transport())));
    let Some(stream) = shared.handshake(accepted).await else { return };
    let activity = Arc::new(Activity::new());
    let socket = Socket { stream, activity: Arc::clone(&activity) };
    let guard = Guard::new(shared.patience, &activity);
    match &shared.api {
        Api::Grpc(api, terms) => {
            let calls = pin!(Calls::new(socket, terms, api, client));
            tend(calls, Calls::graceful_shutdown, guard, phase).await;
        }
        Api::Http(api, builder) => {
            let service = service_fn(|request| {
                let (api, activity, client) = (Arc::clone(api), Arc::clone(&activity), Arc::clone(&client));
                async move {
                    let _in_flight = InFlight::new(&activity);
                    let version = request.version();
                    let mut response = api.answer(request, &client).await;
                    if version < Version::HTTP_2 && activity.is_last() {
                        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                    }
                    Ok::<_, std::convert::Infallible>(response)
                }
            });
            let connection = pin!(builder.serve_connection(TokioIo::new(socket), service));
            tend(connection, |connection| connection.graceful_shutdown(), guard, phase).await;
        }
    }
}

/// Runs a connection until it ends, or until its guard or the receiver ends it. `retire` asks it to take no more requests.
async fn tend<C: Future>(
    mut connection: Pin<&mut C>,
    retire: impl Fn(Pin<&mut C>),
    mut guard: Guard<'_>,
    mut phase: watch::Receiver<Phase>,
) {
    let mut retired = false;
    loop {
        let wish = tokio::select! {
            biased;
            // How a connection ends is the peer's affair.
            _ended = connection.as_mut() => return,
            changed = phase.changed() => match (changed.is_ok(), *phase.borrow_and_update()) {
                (true, Phase::Open) => Wish::Stay,
                (true, Phase::Draining) => guard.drain(),
                (true, Phase::Over) | (false, _) => Wish::Close,
            },
            wish = guard.next() => wish,
        };
        match wish {
            Wish::Stay => {}
            Wish::Retire if retired => {}
            Wish::Retire => {
                retired = true;
                retire(connection.as_mut());
            }
            Wish::Close => return,
        }
    }
}

impl Accepted {
    /// Who is at the other end. As in otelcol, HTTP knows nothing of one behind a Unix socket.
    fn peer(&self, transport: Transport) -> Peer {
        match (self, transport) {
            (Accepted::Tcp(stream), transport) => Peer::tcp(stream.peer_addr(), transport),
            (Accepted::Unix(_), Transport::Grpc) => Peer::Unix,
            (Accepted::Unix(_), Transport::Http) => Peer::Unknown,
        }
    }
}

impl Api {
    fn transport(&self) -> Transport {
        match self {
            Api::Grpc(..) => Transport::Grpc,
            Api::Http(..) => Transport::Http,
        }
    }
}

impl Shared {
    async fn handshake(&self, accepted: Accepted) -> Option<Stream> {
        let Some(identity) = &self.tls else {
            return Some(match accepted {
                Accepted::Tcp(stream) => Stream::Tcp(stream),
                Accepted::Unix(stream) => Stream::Unix(stream),
            });
        };
        let acceptor = TlsAcceptor::from(identity.current());
        let shaken = async {
            Ok::<_, io::Error>(match accepted {
                Accepted::Tcp(stream) => Stream::TlsTcp(Box::new(acceptor.accept(stream).await?)),
                Accepted::Unix(stream) => Stream::TlsUnix(Box::new(acceptor.accept(stream).await?)),
            })
        };
        let error = match tokio::time::timeout(HANDSHAKE_TIME_MAX, shaken).await {
            Ok(Ok(stream)) => return Some(stream),
            Ok(Err(error)) => error,
            Err(_) => io::ErrorKind::TimedOut.into(),
        };
        let transport = self.api.transport();
        self.stats.tls_failed(transport);
        // Who looks whether a port is open hangs up without a word; that is no reason to worry anybody.
        if !matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset)
            && let Some(handshakes) = self.tls_told.tell()
        {
            let (receiver, protocol) = (&*self.receiver, transport);
            tracing::warn!(receiver, %protocol, %error, handshakes, "TLS handshakes failed, the last one for this reason");
        }
        None
    }
}

/// A builder whose timers run on tokio's clock.
pub(super) fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // hyper's own bound (30 s by default) would end idle connections too.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None);
    builder.http2().timer(TokioTimer::new());
    builder
}
