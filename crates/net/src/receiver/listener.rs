//! Listeners: what is bound, the accept loop, and how all of it ends.
//!
//! ```text
//!   Open ──stop──► Draining ──all done──────────► (ended)
//!                     └──────grace over──► Over ──┘
//! ```
//!
//! A connection has a permit before it is accepted, so connections beyond the bound wait in the system's backlog instead of
//! here. The bound leaves a share of the file descriptors to exporters and files. When the system has no descriptor to give,
//! the loop waits, longer each time, and goes on; an accept error never ends a listener.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use otlp::Signal;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle};

use super::admission::Admission;
use super::body::Workshop;
use super::calls::Terms;
use super::connection::{self, Accepted, Api, Phase, Shared};
use super::cors::CrossOrigin;
use super::endpoint::{Bound, Endpoint};
use super::gate::Gate;
use super::grpc::GrpcApi;
use super::guard::Patience;
use super::http_api::HttpApi;
use super::http2;
use super::inherited::Inherited;
use super::keepalive::Keepalive;
use super::rarely::Rarely;
use super::settings::{AuthServer, GrpcServer, HttpServer};
use super::{Authenticators, Intake, Origin, Protocol, ReceiverStats, Transport};
use crate::buffer::Pool;
use crate::tls::{ServerIdentity, TlsServer};

/// Connections of one listener at once, where the system has enough file descriptors.
const CONNECTIONS_MAX: usize = 8192;
/// What is assumed where the system does not say how many file descriptors there are.
const DESCRIPTORS_ASSUMED: usize = 1024;
/// How long a request's head may take where no setting says so.
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// How long a peer may leave its answers unread where no setting says so.
const WRITE_TIME_MAX: Duration = Duration::from_secs(30);
/// The waits after an accept error.
const BACK_OFF_MIN: Duration = Duration::from_millis(10);
const BACK_OFF_MAX: Duration = Duration::from_secs(1);

/// HTTP/1 reads into a buffer of at most this, a head and then a body piece by piece; small enough to stay in a cache.
const HTTP1_BUFFER_BYTES_MAX: usize = 64 << 10;
/// Streams of an HTTP connection at once, as in Go's server.
const HTTP_STREAMS_MAX: u32 = 250;

/// What the listeners of one receiver share.
pub(super) struct House<'a> {
    pub(super) receiver: Arc<str>,
    pub(super) intake: Arc<dyn Intake>,
    pub(super) pool: Arc<Pool>,
    pub(super) stats: Arc<ReceiverStats>,
    pub(super) admission: Arc<Admission>,
    pub(super) auths: Authenticators<'a>,
}

/// A bound listener and what stands behind it.
pub(super) struct Door {
    protocol: Protocol,
    endpoint: Endpoint,
    bound: Arc<Bound>,
    shared: Arc<Shared>,
}

/// Tells whether accept loops run, after a panic or without one.
#[derive(Clone, Debug)]
pub struct Pulse(Vec<AbortHandle>);

/// The running accept loops.
pub(super) struct Listeners {
    phase: watch::Sender<Phase>,
    sockets: Vec<(Endpoint, Arc<Bound>)>,
    loops: Vec<JoinHandle<()>>,
    /// Ends when every task that holds its other side has ended.
    done: mpsc::Receiver<()>,
}

impl House<'_> {
    pub(super) async fn grpc(&self, settings: &GrpcServer, inherited: &mut Inherited) -> io::Result<Door> {
        let protocol = Transport::Grpc;
        let keepalive = settings.keepalive;
        let api = GrpcApi {
            origin: self.origin(protocol),
            intake: Arc::clone(&self.intake),
            workshop: self.workshop(settings.message_bytes_max()),
            stats: Arc::clone(&self.stats),
            gate: self.gate(settings.auth.as_ref(), protocol)?,
            admission: Arc::clone(&self.admission),
            include_metadata: settings.include_metadata,
        };
        let pings = Keepalive { interval: keepalive.ping_interval(), timeout: keepalive.ping_timeout() };
        let terms = Terms { keepalive: pings, calls_max: settings.streams_max() };
        let patience = Patience {
            head: HEAD_TIME_MAX,
            idle: keepalive.max_connection_idle,
            age: keepalive.max_connection_age,
            age_grace: keepalive.max_connection_age_grace,
            write: WRITE_TIME_MAX,
        };
        let tls = identity(settings.tls.as_ref(), &[b"h2"])?;
        let shared = self.shared(Api::Grpc(Arc::new(api), terms), tls, patience);
        self.door(protocol, &settings.endpoint, shared, inherited).await
    }

    pub(super) async fn http(&self, settings: &HttpServer, inherited: &mut Inherited) -> io::Result<Door> {
        let protocol = Transport::Http;
        let mut builder = connection::builder();
        builder
            .http2()
            .max_concurrent_streams(HTTP_STREAMS_MAX)
            .initial_stream_window_size(http2::STREAM_WINDOW_BYTES)
            .initial_connection_window_size(http2::CONNECTION_WINDOW_BYTES)
            .max_frame_size(http2::FRAME_BYTES_MAX)
            .max_header_list_size(http2::HEADER_BYTES_MAX)
            .max_send_buf_size(http2::SEND_BYTES_MAX)
            .keep_alive_interval(super::settings::Keepalive::PING_INTERVAL)
            .keep_alive_timeout(super::settings::Keepalive::PING_TIMEOUT);
        builder.http1().keep_alive(settings.keep_alives_enabled).max_buf_size(HTTP1_BUFFER_BYTES_MAX);
        let headers = settings.response_headers.iter().flatten().map(|(name, value)| {
            let name = HeaderName::try_from(name).map_err(io::Error::other)?;
            Ok((name, HeaderValue::from_str(value.expose()).map_err(io::Error::other)?))
        });
        let api = HttpApi {
            origin: self.origin(protocol),
            intake: Arc::clone(&self.intake),
            workshop: self.workshop(settings.body_bytes_max()),
            stats: Arc::clone(&self.stats),
            gate: self.gate(settings.auth.as_ref(), protocol)?,
            admission: Arc::clone(&self.admission),
            include_metadata: settings.include_metadata,
            paths: [
                (settings.traces_url_path.clone(), Signal::Traces),
                (settings.metrics_url_path.clone(), Signal::Metrics),
                (settings.logs_url_path.clone(), Signal::Logs),
            ],
            codings: settings.compression_algorithms.clone(),
            headers: headers.collect::<io::Result<_>>()?,
            cross_origin: settings.cors.as_ref().and_then(CrossOrigin::new),
            time_max: settings.read_timeout,
        };
        let patience = Patience {
            head: or(settings.read_header_timeout, HEAD_TIME_MAX),
            idle: settings.idle_time_max(),
            age: Duration::ZERO,
            age_grace: Duration::ZERO,
            write: or(settings.write_timeout, WRITE_TIME_MAX),
        };
        let tls = identity(settings.tls.as_ref(), &[b"h2", b"http/1.1"])?;
        let shared = self.shared(Api::Http(Arc::new(api), builder), tls, patience);
        self.door(protocol, &settings.endpoint, shared, inherited).await
    }

    fn origin(&self, transport: Transport) -> Origin {
        Origin { receiver: Arc::clone(&self.receiver), transport }
    }

    fn workshop(&self, bytes_max: usize) -> Workshop {
        Workshop { pool: Arc::clone(&self.pool), decoders: Arc::default(), bytes_max }
    }

    fn gate(&self, settings: Option<&AuthServer>, transport: Transport) -> io::Result<Option<Gate>> {
        let Some(AuthServer { authenticator, request_params }) = settings else { return Ok(None) };
        let Some(auth) = (self.auths)(authenticator) else {
            let message = format!("`auth` of `{transport}` names `{authenticator}`, which does not check credentials");
            return Err(io::Error::other(message));
        };
        Ok(Some(Gate::new(auth, request_params.clone(), &self.receiver, transport)))
    }

    fn shared(&self, api: Api, tls: Option<ServerIdentity>, patience: Patience) -> Arc<Shared> {
        let (stats, receiver) = (Arc::clone(&self.stats), Arc::clone(&self.receiver));
        Arc::new(Shared { api, tls, patience, stats, receiver, tls_told: Rarely::default() })
    }

    /// Binds last, when nothing else can go wrong any more.
    async fn door(
        &self,
        protocol: Protocol,
        endpoint: &Endpoint,
        shared: Arc<Shared>,
        inherited: &mut Inherited,
    ) -> io::Result<Door> {
        let bound = Arc::new(endpoint.bind(inherited).await?);
        Ok(Door { protocol, endpoint: endpoint.clone(), bound, shared })
    }
}

impl Door {
    pub(super) fn address(&self) -> Option<(Protocol, SocketAddr)> {
        Some((self.protocol, self.bound.address()?))
    }

    pub(super) fn path(&self) -> Option<(Protocol, PathBuf)> {
        Some((self.protocol, self.bound.path()?))
    }

    /// Accepts until the phase says otherwise.
    async fn open(self, mut phase: watch::Receiver<Phase>, alive: mpsc::Sender<()>) {
        let permits = Arc::new(Semaphore::new(connections_max()));
        let mut back_off = BACK_OFF_MIN;
        loop {
            let (accepted, permit) = tokio::select! {
                biased;
                _ = phase.changed() => break,
                next = self.next(&permits) => next,
            };
            match accepted {
                Ok(accepted) => {
                    back_off = BACK_OFF_MIN;
                    self.shared.stats.connected(self.protocol);
                    let (shared, phase, alive) = (Arc::clone(&self.shared), phase.clone(), alive.clone());
                    tokio::spawn(async move {
                        connection::serve(shared, accepted, phase).await;
                        drop((permit, alive));
                    });
                }
                Err(error) if peers_fault(&error) => {}
                Err(error) => {
                    self.shared.stats.accept_failed(self.protocol);
                    tracing::warn!(%error, protocol = %self.protocol, "cannot accept connections for a moment; raise the limit of open files if it is used up");
                    tokio::time::sleep(back_off).await;
                    back_off = (back_off * 2).min(BACK_OFF_MAX);
                }
            }
        }
    }

    async fn next(&self, permits: &Arc<Semaphore>) -> (io::Result<Accepted>, Option<OwnedSemaphorePermit>) {
        // The semaphore is never closed.
        let permit = Arc::clone(permits).acquire_owned().await.ok();
        let accepted = match &*self.bound {
            Bound::Tcp(listener) => listener.accept().await.map(|(stream, _)| {
                // Answers are small and must not wait for more; a socket that refuses still works.
                let _ = stream.set_nodelay(true);
                Accepted::Tcp(stream)
            }),
            Bound::Unix(listener, _) => listener.accept().await.map(|(stream, _)| Accepted::Unix(stream)),
        };
        (accepted, permit)
    }
}

impl Pulse {
    /// Whether all of them run.
    pub fn is_alive(&self) -> bool {
        self.0.iter().all(|accepting| !accepting.is_finished())
    }

    /// Ends them as a fault would, for tests of whoever looks..
    pub fn lose(&self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

impl Listeners {
    pub(super) fn start(doors: Vec<Door>) -> Listeners {
        let (phase, watched) = watch::channel(Phase::Open);
        let (alive, done) = mpsc::channel(1);
        let sockets = doors.iter().map(|door| (door.endpoint.clone(), Arc::clone(&door.bound))).collect();
        let open = |door: Door| tokio::spawn(door.open(watched.clone(), alive.clone()));
        let loops = doors.into_iter().map(open).collect();
        Listeners { phase, sockets, loops, done }
    }

    pub(super) fn pulse(&self) -> Pulse {
        Pulse(self.loops.iter().map(JoinHandle::abort_handle).collect())
    }

    /// Shares the sockets with whoever comes next.
    pub(super) fn leave_to(&self, inherited: &mut Inherited) -> io::Result<()> {
        self.sockets.iter().try_for_each(|(endpoint, bound)| inherited.leave_socket(endpoint, bound))
    }

    pub(super) async fn stop(mut self, grace: Duration) {
        self.sockets.clear();
        self.phase.send_replace(Phase::Draining);
        for accepting in self.loops {
            // It ends at once; a panic in it has been told already.
            let _ = accepting.await;
        }
        if tokio::time::timeout(grace, self.done.recv()).await.is_err() {
            tracing::warn!("some connections did not end within the grace period and were closed");
            self.phase.send_replace(Phase::Over);
            self.done.recv().await;
        }
    }
}

fn or(written: Duration, bound: Duration) -> Duration {
    if written.is_zero() { bound } else { written }
}

fn identity(tls: Option<&TlsServer>, alpn: &[&[u8]]) -> io::Result<Option<ServerIdentity>> {
    tls.map(|tls| ServerIdentity::new(tls.clone(), alpn)).transpose().map_err(io::Error::other)
}

/// Errors of one connection that came and went, not of the listener.
fn peers_fault(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// A share of the file descriptors that leaves room for a second listener, exporters and files.
fn connections_max() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let descriptors = line.and_then(|line| line.split_whitespace().next());
    let descriptors = descriptors.and_then(|text| text.parse().ok()).unwrap_or(DESCRIPTORS_ASSUMED);
    (descriptors / 8 * 3).clamp(8, CONNECTIONS_MAX)
}
