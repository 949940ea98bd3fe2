//! How a connection comes about: to the peer, to another place in its stead, through a proxy, or to a socket of the file
//! system.
//!
//! ```text
//!  TCP ─────────────────────────────► peer
//!  TCP ─► proxy ─ CONNECT host:port ─► peer      https, and all of gRPC
//!  TCP ─► proxy ─ GET http://peer/…              plain HTTP: the request names the whole URL
//!  unix socket ─────────────────────► peer
//! ```

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tower_service::Service;

use super::proxy::Proxy;

/// Where connections go to.
#[derive(Clone, Debug)]
pub enum Target {
    /// To the authority of the request.
    Authority,
    /// To this one, whatever the request names.
    Fixed(Uri),
    /// To a socket of the file system.
    Unix(PathBuf),
}

/// Makes connections for a client.
#[derive(Clone)]
pub(super) struct Dial {
    tcp: HttpConnector,
    target: Target,
    proxy: Option<Arc<Proxy>>,
    /// Whether plain HTTP goes through the proxy by CONNECT, too.
    tunnels_all: bool,
    timeout: Duration,
}

/// A connection before TLS.
pub(super) struct Stream {
    inner: TokioIo<Box<dyn Io>>,
    /// Whether requests must name the whole URL.
    proxied: bool,
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

type BoxError = Box<dyn Error + Send + Sync>;

/// The longest answer of a proxy to CONNECT.
const PROXY_ANSWER_BYTES_MAX: usize = 8 << 10;

impl Dial {
    pub(super) fn new(target: Target, proxy: Option<Proxy>, tunnels_all: bool, timeout: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(timeout));
        Self { tcp, target, proxy: proxy.map(Arc::new), tunnels_all, timeout }
    }

    async fn connect(mut self, uri: Uri) -> Result<Stream, BoxError> {
        let uri = match self.target {
            Target::Authority => uri,
            Target::Fixed(uri) => uri,
            Target::Unix(path) => {
                let socket = UnixStream::connect(&path).await;
                let socket = socket.map_err(|error| format!("`{}`: {error}", path.display()))?;
                return Ok(Stream::new(socket, false));
            }
        };
        let Some(proxy) = self.proxy else {
            return Ok(Stream::new(self.tcp.call(uri).await?.into_inner(), false));
        };
        let at = proxy.uri.clone();
        let mut socket = self.tcp.call(at).await.map_err(|error| because("the proxy", &error))?.into_inner();
        if uri.scheme_str() != Some("https") && !self.tunnels_all {
            return Ok(Stream::new(socket, true));
        }
        let tunnelled = tokio::time::timeout(self.timeout, tunnel(&mut socket, &uri, &proxy)).await;
        tunnelled.map_err(|_| "the proxy does not answer")??;
        Ok(Stream::new(socket, false))
    }
}

/// Asks a proxy for a connection to `uri`.
async fn tunnel(socket: &mut TcpStream, uri: &Uri, proxy: &Proxy) -> Result<(), BoxError> {
    let host = uri.host().unwrap_or_default();
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
    let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n").into_bytes();
    if let Some(authorization) = &proxy.authorization {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(authorization.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    socket.write_all(&request).await?;
    // Byte by byte: what follows the answer is the peer's.
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= PROXY_ANSWER_BYTES_MAX {
            return Err("the proxy's answer to CONNECT is too long".into());
        }
        answer.push(socket.read_u8().await.map_err(|error| because("the proxy", &error))?);
    }
    let line = answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = crate::exporter::readable(&String::from_utf8_lossy(line));
    match line.split(' ').nth(1) {
        Some(status) if status.starts_with('2') => Ok(()),
        _ => Err(format!("the proxy refuses the connection to `{host}:{port}`: {line}").into()),
    }
}

fn because(who: &str, error: &(dyn Error + 'static)) -> BoxError {
    format!("{who}: {}", super::story(error)).into()
}

impl Service<Uri> for Dial {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

impl Stream {
    fn new(socket: impl Io + 'static, proxied: bool) -> Self {
        Self { inner: TokioIo::new(Box::new(socket)), proxied }
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new().proxy(self.proxied)
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, buffers)
    }
}
