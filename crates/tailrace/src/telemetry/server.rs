//! Small HTTP servers beside the pipelines: the scrape endpoint, and answers to probes.
//!
//! A reload may start a server anew at the address of an older one. The new one takes over its socket, so that nobody finds
//! the door closed in between, and a reload that fails leaves the old one as it was.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use net::{
    BoxFuture,
    tls::{ServerIdentity, TlsServer},
};
use std::{convert::Infallible, io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener},
    sync::Semaphore,
    task::JoinHandle,
};

/// Gives the answer to a request.
pub(crate) type Answer = Arc<dyn Fn(Request<Incoming>) -> BoxFuture<'static, Response<Full<Bytes>>> + Send + Sync>;

/// More clients than this at once have to wait: what stands beside the pipelines must not eat their descriptors.
const CONNECTIONS_MAX: usize = 64;
/// For the handshake, and for the head of a request where the settings name no time.
const HEADER_TIME_MAX: Duration = Duration::from_secs(10);

/// How a server is reached.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    /// `host:port`, or the path of a socket.
    pub(crate) endpoint: String,
    /// `tcp`, `tcp4`, `tcp6` or `unix`.
    pub(crate) transport: String,
    pub(crate) tls: Option<TlsServer>,
    /// Time for the head of a request; zero is the default.
    pub(crate) header_time: Duration,
    /// Whether a connection serves more than one request.
    pub(crate) keep_alive: bool,
}

/// A running server; ended when the value goes.
pub(crate) struct Server {
    pub(crate) settings: Settings,
    /// Where it listens; tells the port if 0 was asked for.
    pub(crate) address: Option<SocketAddr>,
    listener: Arc<Listener>,
    task: JoinHandle<()>,
}

enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, PathBuf),
}

impl Settings {
    /// Plain HTTP at a host and port.
    pub(crate) fn plain(host: &str, port: u16) -> Self {
        let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
        Self {
            endpoint: format!("{host}:{port}"),
            transport: "tcp".to_owned(),
            tls: None,
            header_time: Duration::ZERO,
            keep_alive: true,
        }
    }
}

impl Server {
    /// Binds the endpoint, or takes the socket of the one of `others` that has it, and answers from then on.
    ///
    /// # Errors
    /// If the address cannot be bound or the TLS files cannot be used.
    pub(crate) async fn start<'a>(
        settings: Settings,
        answer: Answer,
        mut others: impl Iterator<Item = &'a Server>,
    ) -> io::Result<Self> {
        let identity = settings.tls.clone().map(|tls| ServerIdentity::new(tls, &[b"http/1.1"])).transpose();
        let identity = identity.map_err(io::Error::other)?;
        let same = |other: &&Server| {
            other.settings.endpoint == settings.endpoint && other.settings.transport == settings.transport
        };
        let listener = match others.find(same) {
            Some(other) => Arc::clone(&other.listener),
            None => Arc::new(Listener::bind(&settings).await?),
        };
        let address = match &*listener {
            Listener::Tcp(listener) => Some(listener.local_addr()?),
            Listener::Unix(..) => None,
        };
        let header_time = if settings.header_time.is_zero() { HEADER_TIME_MAX } else { settings.header_time };
        let house = House { answer, identity, header_time, keep_alive: settings.keep_alive };
        let task = tokio::spawn(accept(Arc::clone(&listener), Arc::new(house)));
        Ok(Self { settings, address, listener, task })
    }

    /// Where it listens, for people.
    pub(crate) fn place(&self) -> String {
        self.address.map_or_else(|| self.settings.endpoint.clone(), |address| address.to_string())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Listener {
    async fn bind(settings: &Settings) -> io::Result<Self> {
        if settings.transport == "unix" {
            let path = PathBuf::from(&settings.endpoint);
            // A socket without a listener, left behind by a process that was killed, is in the way.
            if path.exists() && tokio::net::UnixStream::connect(&path).await.is_err() {
                std::fs::remove_file(&path)?;
            }
            return Ok(Self::Unix(UnixListener::bind(&path)?, path));
        }
        let wanted = |address: &SocketAddr| match settings.transport.as_str() {
            "tcp4" => address.is_ipv4(),
            "tcp6" => address.is_ipv6(),
            _ => true,
        };
        // Without a host, all addresses are meant.
        let endpoint = match settings.endpoint.strip_prefix(':') {
            Some(port) => format!("{}:{port}", if settings.transport == "tcp6" { "[::]" } else { "0.0.0.0" }),
            None => settings.endpoint.clone(),
        };
        let addresses: Vec<_> = tokio::net::lookup_host(&endpoint).await?.filter(wanted).collect();
        Ok(Self::Tcp(TcpListener::bind(&addresses[..]).await?))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Self::Unix(_, path) = self {
            // Whoever took it away was faster.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// What connections share.
struct House {
    answer: Answer,
    identity: Option<ServerIdentity>,
    header_time: Duration,
    keep_alive: bool,
}

async fn accept(listener: Arc<Listener>, house: Arc<House>) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let accepted = match &*listener {
            Listener::Tcp(listener) => listener.accept().await.map(|(socket, _)| Stream::Tcp(socket)),
            Listener::Unix(listener, _) => listener.accept().await.map(|(socket, _)| Stream::Unix(socket)),
        };
        let Ok(stream) = accepted else {
            // Out of descriptors, most likely: let others go first.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let house = Arc::clone(&house);
        tokio::spawn(async move {
            match stream {
                Stream::Tcp(socket) => house.shake_hands(socket).await,
                Stream::Unix(socket) => house.shake_hands(socket).await,
            }
            drop(permit);
        });
    }
}

enum Stream {
    Tcp(tokio::net::TcpStream),
    Unix(tokio::net::UnixStream),
}

impl House {
    async fn shake_hands(&self, socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let Some(identity) = &self.identity else { return self.serve(socket).await };
        let handshake = tokio_rustls::TlsAcceptor::from(identity.current()).accept(socket);
        if let Ok(Ok(stream)) = tokio::time::timeout(HEADER_TIME_MAX, handshake).await {
            self.serve(stream).await;
        }
    }

    async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let service = service_fn(|request| {
            let answer = (self.answer)(request);
            async move { Ok::<_, Infallible>(answer.await) }
        });
        let mut http = hyper::server::conn::http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(self.header_time).keep_alive(self.keep_alive);
        // A client that hangs up is its own affair.
        let _ = http.serve_connection(TokioIo::new(stream), service).await;
    }
}
