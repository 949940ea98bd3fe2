//! One connection from its first byte to its last: TLS, HTTP, and a guard that ends what a peer would leave hanging.
//!
//! hyper bounds a request's head and an idle connection with one timer, and its version detection waits for ever. So the
//! guard looks at the connection itself, twice per bound: a connection that stays in the middle of a head (or sends nothing
//! at all) is closed, one without a request for the idle time is asked to end. HTTP/2 pings do the rest: a peer in the middle
//! of a header block cannot answer one.

use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::grpc::GrpcApi;
use super::http_api::HttpApi;
use super::rarely::Rarely;
use super::reply::ReplyBody;
use super::{ReceiverStats, Transport};
use crate::tls::ServerIdentity;

/// How long a TLS handshake may take.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);
/// How long an HTTP/1 connection may have been idle to be closed at once when the receiver ends.
const LINGER: Duration = Duration::from_millis(250);
/// The guard looks no more often than this.
const STEP_MIN: Duration = Duration::from_millis(20);
/// HTTP/2's preface and an empty SETTINGS frame: what an HTTP/2 client says before anything else.
const HTTP2_GREETING_BYTES: u64 = 24 + 9;

/// What answers requests.
pub(super) enum Api {
    Grpc(GrpcApi),
    Http(HttpApi),
}

/// The bounds on a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For the first byte and for a request's head.
    pub(super) head: Duration,
    /// Without a request; zero is for ever.
    pub(super) idle: Duration,
    /// Of the whole connection; zero is for ever.
    pub(super) age: Duration,
    /// For what runs when the connection has grown too old; zero is for ever.
    pub(super) age_grace: Duration,
    /// For answers that the peer does not read.
    pub(super) write: Duration,
}

/// What connections of one listener share.
pub(super) struct Shared {
    pub(super) api: Api,
    pub(super) tls: Option<ServerIdentity>,
    pub(super) builder: auto::Builder<TokioExecutor>,
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

/// The stream that HTTP is spoken on; it counts what it reads.
struct Socket {
    stream: Stream,
    activity: Arc<Activity>,
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    TlsTcp(Box<TlsStream<TcpStream>>),
    TlsUnix(Box<TlsStream<UnixStream>>),
}

/// What a connection has been doing.
struct Activity {
    opened: Instant,
    http2: AtomicBool,
    bytes_read: AtomicU64,
    /// `bytes_read` when the last request ended.
    bytes_before: AtomicU64,
    requests: AtomicU64,
    in_flight: AtomicU32,
    /// Milliseconds after `opened` at which the last request ended.
    idle_since_ms: AtomicU64,
    /// The same for the first write that the peer left no room for, plus one; zero where there is room.
    stalled_since_ms: AtomicU64,
    /// The receiver ends: the next answer over HTTP/1 is the last one.
    last: AtomicBool,
}

/// A request in flight.
struct InFlight<'a>(&'a Activity);

/// What the guard wants.
enum Wish {
    Stay,
    Retire,
    Close,
}

/// Serves one connection to its end.
pub(super) async fn serve(shared: Arc<Shared>, accepted: Accepted, mut phase: watch::Receiver<Phase>) {
    let Some(stream) = shared.handshake(accepted).await else { return };
    let activity = Arc::new(Activity::new());
    let socket = Socket { stream, activity: Arc::clone(&activity) };
    let service = {
        let (shared, activity) = (Arc::clone(&shared), Arc::clone(&activity));
        service_fn(move |request| {
            let (shared, activity) = (Arc::clone(&shared), Arc::clone(&activity));
            async move {
                let _in_flight = InFlight::new(&activity);
                let version = request.version();
                let mut response = shared.api.answer(request).await;
                if version < Version::HTTP_2 && activity.last.load(Ordering::Relaxed) {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, std::convert::Infallible>(response)
            }
        })
    };
    let mut connection = pin!(shared.builder.serve_connection(TokioIo::new(socket), service));
    let mut guard = Guard::new(shared.patience, &activity);
    let mut retired = false;
    loop {
        let wish = tokio::select! {
            biased;
            // How a connection ends is the peer's affair.
            _ended = connection.as_mut() => return,
            changed = phase.changed() => match (changed.is_ok(), *phase.borrow_and_update()) {
                (true, Phase::Open) => Wish::Stay,
                (true, Phase::Draining) => {
                    activity.last.store(true, Ordering::Relaxed);
                    guard.drain()
                }
                (true, Phase::Over) | (false, _) => Wish::Close,
            },
            wish = guard.next() => wish,
        };
        match wish {
            Wish::Stay => {}
            Wish::Retire if retired => {}
            Wish::Retire => {
                retired = true;
                connection.as_mut().graceful_shutdown();
            }
            Wish::Close => return,
        }
    }
}

impl Api {
    fn transport(&self) -> Transport {
        match self {
            Api::Grpc(_) => Transport::Grpc,
            Api::Http(_) => Transport::Http,
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<ReplyBody> {
        match self {
            Api::Grpc(api) => api.answer(request).await,
            Api::Http(api) => api.answer(request).await,
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

impl Activity {
    fn new() -> Activity {
        Activity {
            opened: Instant::now(),
            http2: AtomicBool::new(false),
            bytes_read: AtomicU64::new(0),
            bytes_before: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            in_flight: AtomicU32::new(0),
            idle_since_ms: AtomicU64::new(0),
            stalled_since_ms: AtomicU64::new(0),
            last: AtomicBool::new(false),
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Notes whether there was room for a write.
    fn wrote<T>(&self, polled: Poll<T>) -> Poll<T> {
        let stalled = self.stalled_since_ms.load(Ordering::Relaxed) > 0;
        if polled.is_pending() != stalled {
            let since = if polled.is_pending() { self.now_ms() + 1 } else { 0 };
            self.stalled_since_ms.store(since, Ordering::Relaxed);
        }
        polled
    }

    fn stalled(&self) -> Duration {
        match self.stalled_since_ms.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            since => Duration::from_millis(self.now_ms().saturating_sub(since - 1)),
        }
    }

    fn read(&self, bytes: &[u8]) {
        let before = self.bytes_read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        if before == 0 && bytes.starts_with(b"PRI") {
            self.http2.store(true, Ordering::Relaxed);
        }
    }

    fn busy(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) > 0
    }

    /// Whether the peer owes the rest of something it began, or has never begun.
    fn head_pending(&self) -> bool {
        let read = self.bytes_read.load(Ordering::Relaxed);
        if self.http2.load(Ordering::Relaxed) {
            read < HTTP2_GREETING_BYTES
        } else {
            read == 0 || read > self.bytes_before.load(Ordering::Relaxed)
        }
    }

    fn idle(&self) -> Duration {
        self.opened.elapsed().saturating_sub(Duration::from_millis(self.idle_since_ms.load(Ordering::Relaxed)))
    }
}

impl<'a> InFlight<'a> {
    fn new(activity: &'a Activity) -> InFlight<'a> {
        activity.requests.fetch_add(1, Ordering::Relaxed);
        activity.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(activity)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.idle_since_ms.store(self.0.now_ms(), Ordering::Relaxed);
        self.0.bytes_before.store(self.0.bytes_read.load(Ordering::Relaxed), Ordering::Relaxed);
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Looks at a connection now and then.
struct Guard<'a> {
    patience: Patience,
    activity: &'a Activity,
    /// Between two looks.
    step: Duration,
    /// The receiver ends.
    draining: bool,
    /// Since when a head has been pending, and how many requests there had been.
    suspect: Option<(u64, Instant)>,
}

impl Guard<'_> {
    fn new(patience: Patience, activity: &Activity) -> Guard<'_> {
        let mut patience = patience;
        // As in grpc-go: up to a tenth more or less, so that connections which came together do not go together.
        patience.age = patience.age.mul_f64(rand::random_range(0.9..1.1));
        let bounds = [patience.head, patience.idle, patience.age, patience.age_grace, patience.write];
        let shortest = bounds.into_iter().filter(|bound| !bound.is_zero()).min().unwrap_or(patience.head);
        Guard { patience, activity, step: (shortest / 2).max(STEP_MIN), draining: false, suspect: None }
    }

    /// The receiver ends. HTTP/2 has a way to say so; over HTTP/1 a request may be on its way just now, and closing would
    /// lose it: so a connection that was used a moment ago waits for it, and ends with its answer.
    fn drain(&mut self) -> Wish {
        self.draining = true;
        self.step = STEP_MIN;
        self.linger()
    }

    fn linger(&self) -> Wish {
        let greeted = self.activity.http2.load(Ordering::Relaxed) && !self.activity.head_pending();
        if greeted || (!self.activity.busy() && self.activity.idle() >= LINGER) { Wish::Retire } else { Wish::Stay }
    }

    async fn next(&mut self) -> Wish {
        tokio::time::sleep(self.step).await;
        let age = self.activity.opened.elapsed();
        let Patience { age: age_max, age_grace, idle, head, write } = self.patience;
        if self.activity.stalled() >= write {
            return Wish::Close;
        }
        if self.draining
            && let Wish::Retire = self.linger()
        {
            return Wish::Retire;
        }
        if !age_max.is_zero() && age >= age_max {
            let over = !age_grace.is_zero() && age >= age_max + age_grace;
            return if over { Wish::Close } else { Wish::Retire };
        }
        if self.activity.busy() {
            self.suspect = None;
            return Wish::Stay;
        }
        let requests = self.activity.requests.load(Ordering::Relaxed);
        if self.activity.head_pending() {
            match self.suspect {
                Some((then, since)) if then == requests && since.elapsed() >= head => return Wish::Close,
                Some((then, _)) if then == requests => {}
                _ if requests == 0 => self.suspect = Some((0, self.activity.opened)),
                _ => self.suspect = Some((requests, Instant::now())),
            }
        } else {
            self.suspect = None;
        }
        if !idle.is_zero() && self.activity.idle() >= idle { Wish::Retire } else { Wish::Stay }
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let polled = match &mut self.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_read(context, into),
            Stream::Unix(stream) => Pin::new(stream).poll_read(context, into),
            Stream::TlsTcp(stream) => Pin::new(stream).poll_read(context, into),
            Stream::TlsUnix(stream) => Pin::new(stream).poll_read(context, into),
        };
        if polled.is_ready() {
            self.activity.read(into.filled().get(before..).unwrap_or_default());
        }
        polled
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = match &mut self.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Unix(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::TlsTcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::TlsUnix(stream) => Pin::new(stream).poll_write(context, bytes),
        };
        self.activity.wrote(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = match &mut self.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Stream::Unix(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Stream::TlsTcp(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Stream::TlsUnix(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        };
        self.activity.wrote(polled)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Tcp(stream) => stream.is_write_vectored(),
            Stream::Unix(stream) => stream.is_write_vectored(),
            Stream::TlsTcp(stream) => stream.is_write_vectored(),
            Stream::TlsUnix(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = match &mut self.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Stream::Unix(stream) => Pin::new(stream).poll_flush(context),
            Stream::TlsTcp(stream) => Pin::new(stream).poll_flush(context),
            Stream::TlsUnix(stream) => Pin::new(stream).poll_flush(context),
        };
        self.activity.wrote(polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Unix(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::TlsTcp(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::TlsUnix(stream) => Pin::new(stream).poll_shutdown(context),
        }
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
