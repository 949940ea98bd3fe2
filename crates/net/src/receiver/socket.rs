//! The stream under a connection, whichever it is, and a note of what comes and goes on it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::server::TlsStream;

use super::guard::Activity;

/// The stream that HTTP is spoken on; it counts what it reads.
pub(super) struct Socket {
    pub(super) stream: Stream,
    pub(super) activity: Arc<Activity>,
}

pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    TlsTcp(Box<TlsStream<TcpStream>>),
    TlsUnix(Box<TlsStream<UnixStream>>),
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
