//! For tests: a peer on a loopback socket that plays a script and remembers what it was sent; and batches to send it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use otlp::wire;
use parking_lot::Mutex;
use rustls::server::WebPkiClientVerifier;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

use super::{Batch, TraceNote};
use crate::budget::{Budget, Class};

/// A peer. Dropping it closes its port; connections live on until they end.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicUsize>,
    accepting: tokio::task::JoinHandle<()>,
}

/// A request, as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) authority: String,
    pub(crate) version: http::Version,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What to do with a request.
pub(crate) enum Reply {
    /// Answer it.
    Http(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Answer it as gRPC does: a message, then trailers.
    Grpc(Vec<(&'static str, String)>, Vec<u8>),
    /// Never answer.
    Stall,
    /// End the stream or connection.
    Break,
}

type Script = dyn Fn(usize, &Seen) -> Reply + Send + Sync;

impl Peer {
    /// Listens; `script` gets the number of the request, from 0, and the request.
    pub(crate) async fn start(script: impl Fn(usize, &Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(None, Arc::new(script)).await
    }

    /// The same behind TLS.
    pub(crate) async fn start_tls(
        tls: rustls::ServerConfig,
        script: impl Fn(usize, &Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::listen(Some(tokio_rustls::TlsAcceptor::from(Arc::new(tls))), Arc::new(script)).await
    }

    async fn listen(tls: Option<tokio_rustls::TlsAcceptor>, script: Arc<Script>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let state = (seen.clone(), script);
        let connections = Arc::new(AtomicUsize::new(0));
        let accepted = connections.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                accepted.fetch_add(1, Ordering::Relaxed);
                let (tls, state) = (tls.clone(), state.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(socket, state).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(socket).await {
                                serve(stream, state).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, seen, connections, accepting }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    pub(crate) fn http(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

type State = (Arc<Mutex<Vec<Seen>>>, Arc<Script>);

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, state: State) {
    let service = service_fn(move |request| answer(request, state.clone()));
    // How a connection ended is the client's story, not the script's.
    let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    request: Request<Incoming>,
    (seen, script): State,
) -> Result<Response<BoxBody<Bytes, Infallible>>, std::io::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    let request = Seen {
        path: head.uri.path().to_owned(),
        authority: head.uri.authority().map(ToString::to_string).unwrap_or_default(),
        version: head.version,
        headers: head.headers,
        body,
    };
    let number = {
        let mut seen = seen.lock();
        seen.push(request.clone());
        seen.len() - 1
    };
    match script(number, &request) {
        Reply::Http(status, headers, body) => {
            let mut response = Response::new(Full::new(Bytes::from(body)).boxed());
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            *response.headers_mut() = header_map(headers);
            Ok(response)
        }
        Reply::Grpc(trailers, message) => {
            let trailers = header_map(trailers);
            let body = Full::new(frame(0, &message)).with_trailers(async move { Some(Ok(trailers)) });
            Ok(Response::builder().header("content-type", "application/grpc").body(body.boxed()).unwrap())
        }
        Reply::Stall => std::future::pending().await,
        Reply::Break => Err(std::io::Error::other("as the script wants")),
    }
}

fn header_map(headers: Vec<(&'static str, String)>) -> HeaderMap {
    headers.into_iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

/// The files in `testdata`.
pub(crate) fn testdata(name: &str) -> std::path::PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "testdata", name].iter().collect()
}

/// A server with the test certificate; it asks for a client's where `mutual`.
pub(crate) fn server_tls(mutual: bool, alpn: &[&[u8]]) -> rustls::ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider.clone());
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let builder = if mutual {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(testdata("authority.pem")).unwrap()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        builder.with_client_cert_verifier(verifier)
    } else {
        builder.with_no_client_auth()
    };
    let chain = vec![CertificateDer::from_pem_file(testdata("server.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(testdata("server.key")).unwrap();
    let mut config = builder.with_single_cert(chain, key).unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    config
}

/// A gRPC message in its frame.
pub(crate) fn frame(compressed: u8, message: &[u8]) -> Bytes {
    let mut frame = vec![compressed];
    frame.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend(message);
    frame.into()
}

/// A gRPC answer with a status and a message.
pub(crate) fn grpc_status(code: i32, message: &str) -> Reply {
    Reply::Grpc(vec![("grpc-status", code.to_string()), ("grpc-message", message.to_owned())], Vec::new())
}

/// A gRPC answer of success.
pub(crate) fn grpc_ok() -> Reply {
    grpc_status(0, "")
}

/// A request of spans with these names.
pub(crate) fn request(names: &[String]) -> Vec<u8> {
    let mut scope = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let mut span = Vec::new();
        wire::put_len(&mut span, 1, &[7; 16]);
        wire::put_len(&mut span, 2, &(index as u64 + 1).to_be_bytes());
        wire::put_len(&mut span, 5, name.as_bytes());
        wire::put_len(&mut scope, 2, &span);
    }
    let (mut resource, mut request) = (Vec::new(), Vec::new());
    wire::put_len(&mut resource, 2, &scope);
    wire::put_len(&mut request, 1, &resource);
    request
}

/// A batch of spans with these names.
pub(crate) fn batch_of(names: &[String]) -> Arc<Batch> {
    let body = Bytes::from(request(names));
    let charge = Budget::new(1 << 30).charge_always(Class::Batches, body.len());
    let notes = vec![TraceNote {
        trace_id: [7; 16],
        spans: names.len() as u32,
        policy: "always".to_owned(),
        late: false,
        why: "always".to_owned(),
    }];
    Arc::new(Batch {
        signal: otlp::Signal::Traces,
        body,
        items: names.len() as u32,
        notes,
        client: None,
        charge,
        tokens: Vec::new(),
    })
}

/// A batch of `spans` spans.
pub(crate) fn batch(spans: usize) -> Arc<Batch> {
    let names: Vec<_> = (0..spans).map(|number| format!("span {number}")).collect();
    batch_of(&names)
}

/// The names of the spans of a request.
pub(crate) fn names(request: &[u8]) -> Vec<String> {
    otlp::view::spans(request).map(|span| String::from_utf8(span.unwrap().span.name.to_vec()).unwrap()).collect()
}
