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
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinHandle;

use super::body::Workshop;
use super::connection::{self, Accepted, Api, Patience, Phase, Shared};
use super::cors::CrossOrigin;
use super::endpoint::Bound;
use super::grpc::GrpcApi;
use super::http_api::HttpApi;
use super::settings::{GrpcServer, HttpServer};
use super::{Intake, Origin, Protocol, ReceiverStats, Transport};
use crate::buffer::Pool;
use crate::tls::{ServerIdentity, TlsServer};

/// Connections of one listener at once, where the system has enough file descriptors.
const CONNECTIONS_MAX: usize = 8192;
/// What is assumed where the system does not say how many file descriptors there are.
const DESCRIPTORS_ASSUMED: usize = 1024;
/// How long a request's head may take where no setting says so.
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// The waits after an accept error.
const BACK_OFF_MIN: Duration = Duration::from_millis(10);
const BACK_OFF_MAX: Duration = Duration::from_secs(1);

/// HTTP/2 flow control: the body of a stream, and of all streams of a connection, that may be on its way.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;
/// The largest HTTP/2 frame that clients are offered; most requests fit into one, which spares a copy.
const FRAME_BYTES_MAX: u32 = 256 << 10;
/// The largest list of headers.
const HEADER_BYTES_MAX: u32 = 16 << 10;
/// HTTP/1 reads a head and the beginning of a body into a buffer of at most this.
const HTTP1_BUFFER_BYTES_MAX: usize = 256 << 10;
/// Streams of an HTTP connection at once, as in Go's server.
const HTTP_STREAMS_MAX: u32 = 250;

/// A bound listener and what stands behind it.
pub(super) struct Door {
    protocol: Protocol,
    bound: Bound,
    shared: Arc<Shared>,
    stats: Arc<ReceiverStats>,
}

/// The running accept loops.
pub(super) struct Listeners {
    phase: watch::Sender<Phase>,
    loops: Vec<JoinHandle<()>>,
    /// Ends when every task that holds its other side has ended.
    done: mpsc::Receiver<()>,
}

impl Door {
    pub(super) async fn grpc(
        settings: &GrpcServer,
        receiver: &Arc<str>,
        intake: &Arc<dyn Intake>,
        pool: &Arc<Pool>,
        stats: &Arc<ReceiverStats>,
    ) -> io::Result<Door> {
        let keepalive = settings.keepalive;
        let mut builder = connection::builder();
        bound_http2(&mut builder, settings.streams_max());
        builder.http2().keep_alive_interval(keepalive.ping_interval()).keep_alive_timeout(keepalive.ping_timeout());
        let shared = Shared {
            api: Api::Grpc(GrpcApi {
                origin: Origin { receiver: Arc::clone(receiver), transport: Transport::Grpc },
                intake: Arc::clone(intake),
                workshop: workshop(pool, settings.message_bytes_max()),
                stats: Arc::clone(stats),
            }),
            tls: identity(settings.tls.as_ref(), &[b"h2"])?,
            builder: builder.http2_only(),
            patience: Patience {
                head: HEAD_TIME_MAX,
                idle: keepalive.max_connection_idle,
                age: keepalive.max_connection_age,
                age_grace: keepalive.max_connection_age_grace,
            },
        };
        let bound = settings.endpoint.bind().await?;
        Ok(Door { protocol: Transport::Grpc, bound, shared: Arc::new(shared), stats: Arc::clone(stats) })
    }

    pub(super) async fn http(
        settings: &HttpServer,
        receiver: &Arc<str>,
        intake: &Arc<dyn Intake>,
        pool: &Arc<Pool>,
        stats: &Arc<ReceiverStats>,
    ) -> io::Result<Door> {
        let mut builder = connection::builder();
        bound_http2(&mut builder, HTTP_STREAMS_MAX);
        builder.http1().keep_alive(settings.keep_alives_enabled).max_buf_size(HTTP1_BUFFER_BYTES_MAX);
        let head = if settings.read_header_timeout.is_zero() { HEAD_TIME_MAX } else { settings.read_header_timeout };
        let headers = settings.response_headers.iter().map(|(name, value)| {
            let name = HeaderName::try_from(name).map_err(io::Error::other)?;
            Ok((name, HeaderValue::from_str(value.expose()).map_err(io::Error::other)?))
        });
        let shared = Shared {
            api: Api::Http(HttpApi {
                origin: Origin { receiver: Arc::clone(receiver), transport: Transport::Http },
                intake: Arc::clone(intake),
                workshop: workshop(pool, settings.body_bytes_max()),
                stats: Arc::clone(stats),
                traces_path: settings.traces_url_path.clone(),
                codings: settings.compression_algorithms.clone(),
                headers: headers.collect::<io::Result<_>>()?,
                cross_origin: settings.cors.as_ref().and_then(CrossOrigin::new),
                time_max: settings.read_timeout,
            }),
            tls: identity(settings.tls.as_ref(), &[b"h2", b"http/1.1"])?,
            builder,
            patience: Patience { head, idle: settings.idle_timeout, age: Duration::ZERO, age_grace: Duration::ZERO },
        };
        let bound = settings.endpoint.bind().await?;
        Ok(Door { protocol: Transport::Http, bound, shared: Arc::new(shared), stats: Arc::clone(stats) })
    }

    pub(super) fn address(&self) -> Option<(Protocol, SocketAddr)> {
        match &self.bound {
            Bound::Tcp(listener) => Some((self.protocol, listener.local_addr().ok()?)),
            Bound::Unix(..) => None,
        }
    }

    pub(super) fn path(&self) -> Option<(Protocol, PathBuf)> {
        match &self.bound {
            Bound::Tcp(_) => None,
            Bound::Unix(_, path) => Some((self.protocol, path.clone())),
        }
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
                    self.stats.of(self.protocol).connected();
                    let (shared, phase, alive) = (Arc::clone(&self.shared), phase.clone(), alive.clone());
                    tokio::spawn(async move {
                        connection::serve(shared, accepted, phase).await;
                        drop((permit, alive));
                    });
                }
                Err(error) if peers_fault(&error) => {}
                Err(error) => {
                    self.stats.of(self.protocol).accept_failed();
                    tracing::warn!(%error, protocol = %self.protocol, "cannot accept connections for a moment");
                    tokio::time::sleep(back_off).await;
                    back_off = (back_off * 2).min(BACK_OFF_MAX);
                }
            }
        }
        if let Bound::Unix(_, path) = &self.bound {
            // As Go does; what cannot be removed is bound again by the next start.
            let _ = std::fs::remove_file(path);
        }
    }

    async fn next(&self, permits: &Arc<Semaphore>) -> (io::Result<Accepted>, Option<OwnedSemaphorePermit>) {
        // The semaphore is never closed.
        let permit = Arc::clone(permits).acquire_owned().await.ok();
        let accepted = match &self.bound {
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

impl Listeners {
    pub(super) fn start(doors: Vec<Door>) -> Listeners {
        let (phase, watched) = watch::channel(Phase::Open);
        let (alive, done) = mpsc::channel(1);
        let open = |door: Door| tokio::spawn(door.open(watched.clone(), alive.clone()));
        let loops = doors.into_iter().map(open).collect();
        Listeners { phase, loops, done }
    }

    pub(super) async fn stop(mut self, grace: Duration) {
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

fn workshop(pool: &Arc<Pool>, bytes_max: usize) -> Workshop {
    Workshop { pool: Arc::clone(pool), decoders: Arc::default(), bytes_max }
}

fn identity(tls: Option<&TlsServer>, alpn: &[&[u8]]) -> io::Result<Option<ServerIdentity>> {
    tls.map(|tls| ServerIdentity::new(tls.clone(), alpn)).transpose().map_err(io::Error::other)
}

fn bound_http2(builder: &mut hyper_util::server::conn::auto::Builder<hyper_util::rt::TokioExecutor>, streams_max: u32) {
    builder
        .http2()
        .max_concurrent_streams(streams_max)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_frame_size(FRAME_BYTES_MAX)
        .max_header_list_size(HEADER_BYTES_MAX)
        .max_send_buf_size(64 << 10)
        .keep_alive_interval(super::settings::Keepalive::PING_INTERVAL)
        .keep_alive_timeout(super::settings::Keepalive::PING_TIMEOUT);
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
