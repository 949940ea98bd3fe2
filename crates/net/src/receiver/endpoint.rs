//! Where to listen: otelcol's `endpoint` and `transport`, bound as Go binds them.
//!
//! `:4317`, `0.0.0.0:4317` and `[::]:4317` on `tcp` are all addresses of both families, through one dual-stack socket; a
//! name such as `localhost` is its first IPv4 address if it has one. Port 0 takes a free port.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpListener, UnixListener, UnixStream};

use super::inherited::Inherited;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// As written.
    pub text: String,
    /// `transport`.
    pub network: Network,
}

/// `transport`: what an endpoint is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Either family of IP.
    Tcp,
    /// IPv4 alone.
    Tcp4,
    /// IPv6 alone.
    Tcp6,
    /// A path in the file system.
    Unix,
}

/// A bound listener.
#[derive(Debug)]
pub(super) enum Bound {
    Tcp(TcpListener),
    Unix(UnixListener, Arc<SocketPath>),
}

/// The path of a Unix socket, removed with the last listener on it.
#[derive(Debug)]
pub(super) struct SocketPath(PathBuf);

impl Endpoint {
    /// An endpoint on TCP.
    pub fn tcp(text: &str) -> Endpoint {
        Endpoint { text: text.to_owned(), network: Network::Tcp }
    }

    /// What is wrong with it, before any socket is opened.
    ///
    /// # Errors
    /// A sentence for people.
    pub fn check(&self) -> Result<(), String> {
        match self.network {
            Network::Unix if self.text.is_empty() => {
                Err("a unix socket needs a path; write one such as `/run/tailrace/otlp.sock`".to_owned())
            }
            Network::Unix => Ok(()),
            _ => self.host_and_port().map(|_| ()),
        }
    }

    /// Binds it, or takes over what is bound to it already.
    pub(super) async fn bind(&self, inherited: &mut Inherited) -> io::Result<Bound> {
        if let Some(bound) = inherited.socket(self) {
            return Ok(bound);
        }
        let bound = match self.network {
            Network::Unix => bind_unix(PathBuf::from(&self.text)).await,
            _ => self.bind_tcp(inherited).await,
        };
        bound.map_err(|error| io::Error::new(error.kind(), format!("cannot listen on `{}`: {error}", self.text)))
    }

    async fn bind_tcp(&self, inherited: &mut Inherited) -> io::Result<Bound> {
        let (host, port) = self.host_and_port().map_err(io::Error::other)?;
        let any = host.is_empty()
            || matches!(host.parse(), Ok(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
            || matches!(host.parse(), Ok(IpAddr::V6(Ipv6Addr::UNSPECIFIED)));
        let (v4, v6) = ((Ipv4Addr::UNSPECIFIED, port).into(), (Ipv6Addr::UNSPECIFIED, port).into());
        let mut listen = |address, only_v6| match inherited.socket_at(address) {
            Some(bound) => Ok(bound),
            None => listen(address, only_v6).map(Bound::Tcp),
        };
        match (any, self.network) {
            (true, Network::Tcp4) => listen(v4, false),
            (true, Network::Tcp6) => listen(v6, true),
            // A system without IPv6 cannot make the dual-stack socket.
            (true, _) => listen(v6, false).or_else(|error| match error.kind() {
                io::ErrorKind::AddrInUse => Err(error),
                _ => listen(v4, false),
            }),
            (false, _) => listen(self.resolve(host, port).await?, false),
        }
    }

    async fn resolve(&self, host: &str, port: u16) -> io::Result<SocketAddr> {
        let found: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await?.collect();
        let v4 = found.iter().find(|address| address.is_ipv4());
        let v6 = found.iter().find(|address| address.is_ipv6());
        let chosen = match self.network {
            Network::Tcp4 => v4,
            Network::Tcp6 => v6,
            Network::Tcp | Network::Unix => v4.or(v6),
        };
        chosen.copied().ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::AddrNotAvailable,
                "the name has no address of this kind; write an address, or another `transport`",
            )
        })
    }

    fn host_and_port(&self) -> Result<(&str, u16), String> {
        let text = &self.text;
        if text.is_empty() {
            return Err("this is empty; write `host:port`, such as `0.0.0.0:4317`".to_owned());
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(|| format!("`{text}` has no port; write `{text}:4317`"))?;
        let host = match host.strip_prefix('[') {
            Some(host) => host
                .strip_suffix(']')
                .ok_or_else(|| format!("`{text}` has a `[` without its `]`; write one such as `[::1]:4317`"))?,
            None if host.contains(':') => {
                return Err(format!("the IPv6 address in `{text}` needs brackets; write `[{host}]:{port}`"));
            }
            None => host,
        };
        let port =
            port.parse().map_err(|_| format!("`{port}` in `{text}` is no port; write a number from 0 to 65535"))?;
        Ok((host, port))
    }
}

impl Bound {
    /// Another listener on the same socket.
    pub(super) fn share(&self) -> io::Result<Bound> {
        Ok(match self {
            Bound::Tcp(listener) => {
                let socket = SockRef::from(listener).try_clone()?;
                Bound::Tcp(TcpListener::from_std(socket.into())?)
            }
            Bound::Unix(listener, path) => {
                let socket = SockRef::from(listener).try_clone()?;
                Bound::Unix(UnixListener::from_std(socket.into())?, Arc::clone(path))
            }
        })
    }

    pub(super) fn address(&self) -> Option<SocketAddr> {
        match self {
            Bound::Tcp(listener) => listener.local_addr().ok(),
            Bound::Unix(..) => None,
        }
    }

    pub(super) fn path(&self) -> Option<PathBuf> {
        match self {
            Bound::Tcp(_) => None,
            Bound::Unix(_, path) => Some(path.0.clone()),
        }
    }
}

impl Drop for SocketPath {
    fn drop(&mut self) {
        // As Go does; what cannot be removed is bound again by the next start.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Network {
    /// The names that are understood, as otelcol spells them.
    pub const NAMES: [(&'static str, Network); 4] =
        [("tcp", Network::Tcp), ("tcp4", Network::Tcp4), ("tcp6", Network::Tcp6), ("unix", Network::Unix)];

    /// As it stands in the YAML.
    pub fn name(self) -> &'static str {
        Network::NAMES.iter().find(|(_, network)| *network == self).map_or("tcp", |(name, _)| name)
    }
}

fn listen(address: SocketAddr, only_v6: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(only_v6)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Binds a path; a socket that nobody listens on any more is removed first.
async fn bind_unix(path: PathBuf) -> io::Result<Bound> {
    let bound = |listener, path| Bound::Unix(listener, Arc::new(SocketPath(path)));
    match UnixListener::bind(&path) {
        Ok(listener) => Ok(bound(listener, path)),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let alone = UnixStream::connect(&path).await;
            if !alone.is_err_and(|refused| refused.kind() == io::ErrorKind::ConnectionRefused) {
                return Err(error);
            }
            std::fs::remove_file(&path)?;
            UnixListener::bind(&path).map(|listener| bound(listener, path))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read_as_go_reads_them() {
        let check = |text: &str, expected: Result<(&str, u16), &str>| {
            let endpoint = Endpoint::tcp(text);
            let read = endpoint.host_and_port();
            match expected {
                Ok(expected) => assert_eq!(read, Ok(expected)),
                Err(part) => assert!(read.as_ref().is_err_and(|error| error.contains(part)), "{text}: {read:?}"),
            }
        };
        check("localhost:4317", Ok(("localhost", 4317)));
        check(":0", Ok(("", 0)));
        check("0.0.0.0:4317", Ok(("0.0.0.0", 4317)));
        check("[::1]:4317", Ok(("::1", 4317)));
        check("localhost", Err("has no port"));
        check("::1:4317", Err("[::1]:4317"));
        check("[::1:4317", Err("without its `]`"));
        check("localhost:http", Err("is no port"));
        check("localhost:65536", Err("is no port"));
    }

    #[tokio::test]
    async fn every_form_can_be_bound() {
        for text in ["127.0.0.1:0", "localhost:0", ":0", "0.0.0.0:0", "[::]:0"] {
            let bound = Endpoint::tcp(text).bind(&mut Inherited::default()).await.unwrap();
            let Bound::Tcp(listener) = bound else { panic!("{text} is on TCP") };
            let port = listener.local_addr().unwrap().port();
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        }
        let v4 =
            Endpoint { text: ":0".to_owned(), network: Network::Tcp4 }.bind(&mut Inherited::default()).await.unwrap();
        assert!(matches!(v4, Bound::Tcp(listener) if listener.local_addr().unwrap().is_ipv4()));
    }

    #[tokio::test]
    async fn a_path_left_behind_is_bound_again_and_a_busy_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otlp.sock");
        let endpoint = Endpoint { text: path.display().to_string(), network: Network::Unix };
        let busy = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert!(endpoint.bind(&mut Inherited::default()).await.is_err());
        drop(busy);
        assert!(path.exists());
        let bound = endpoint.bind(&mut Inherited::default()).await.unwrap();
        let shared = bound.share().unwrap();
        drop(bound);
        assert!(path.exists(), "there is a listener yet");
        drop(shared);
        assert!(!path.exists());
    }
}
