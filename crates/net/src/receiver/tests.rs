//! The receiver over real loopback sockets, with an intake that remembers and plays a script.

mod auth;
mod clients;
mod grpc;
mod handover;
mod http;
mod life;
mod limits;
mod patience;
mod signals;
mod tls;

use otlp::Signal;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, Request, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::settings::{GrpcServer, HttpServer};
use super::*;
use crate::inflate::Encoding;

/// Nothing on loopback takes this long; a test that waits longer has failed.
const SOON: Duration = Duration::from_secs(20);
const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

type Script = dyn Fn(&[u8]) -> Result<Accepted, Refusal> + Send + Sync;

/// An intake that remembers what it was given.
struct FakeIntake {
    seen: Mutex<Vec<(Signal, Origin, Bytes)>>,
    clients: Mutex<Vec<Arc<Client>>>,
    served: Mutex<Vec<Signal>>,
    script: Box<Script>,
    /// A request takes a permit before it is answered.
    gate: Semaphore,
    /// Gets a permit when a request has come in.
    arrived: Semaphore,
}

impl FakeIntake {
    fn new(script: impl Fn(&[u8]) -> Result<Accepted, Refusal> + Send + Sync + 'static) -> Arc<FakeIntake> {
        FakeIntake::gated(Semaphore::MAX_PERMITS, script)
    }

    fn gated(
        permits: usize,
        script: impl Fn(&[u8]) -> Result<Accepted, Refusal> + Send + Sync + 'static,
    ) -> Arc<FakeIntake> {
        Arc::new(FakeIntake {
            seen: Mutex::default(),
            clients: Mutex::default(),
            served: Mutex::new(vec![Signal::Traces]),
            script: Box::new(script),
            gate: Semaphore::new(permits),
            arrived: Semaphore::new(0),
        })
    }

    fn accepting() -> Arc<FakeIntake> {
        FakeIntake::new(|body| Ok(Accepted { items: body.len() as u64, ..Accepted::default() }))
    }

    fn bodies(&self) -> Vec<Bytes> {
        self.seen.lock().iter().map(|(_, _, body)| body.clone()).collect()
    }
}

impl Intake for FakeIntake {
    fn serves(&self, signal: Signal) -> bool {
        self.served.lock().contains(&signal)
    }

    fn take<'a>(
        &'a self,
        signal: Signal,
        origin: &'a Origin,
        client: &'a Arc<Client>,
        body: &'a [u8],
    ) -> BoxFuture<'a, Result<Accepted, Refusal>> {
        Box::pin(async move {
            self.arrived.add_permits(1);
            self.gate.acquire().await.unwrap().forget();
            self.clients.lock().push(Arc::clone(client));
            self.seen.lock().push((signal, origin.clone(), Bytes::copy_from_slice(body)));
            (self.script)(body)
        })
    }
}

/// A receiver on free ports, its intake and its budget.
struct Bench {
    running: Running,
    intake: Arc<FakeIntake>,
    budget: Arc<Budget>,
}

impl Bench {
    async fn start(intake: Arc<FakeIntake>) -> Bench {
        Bench::with(intake, |_, _| {}).await
    }

    async fn with(intake: Arc<FakeIntake>, change: impl FnOnce(&mut GrpcServer, &mut HttpServer)) -> Bench {
        Bench::guarded(intake, &|_| None, change).await
    }

    async fn guarded(
        intake: Arc<FakeIntake>,
        auths: Authenticators<'_>,
        change: impl FnOnce(&mut GrpcServer, &mut HttpServer),
    ) -> Bench {
        let (mut grpc, mut http) = (GrpcServer::default(), HttpServer::default());
        (grpc.endpoint, http.endpoint) = (Endpoint::tcp("127.0.0.1:0"), Endpoint::tcp("127.0.0.1:0"));
        change(&mut grpc, &mut http);
        let settings = OtlpReceiver { grpc: Some(grpc), http: Some(http) };
        let budget = Budget::new(256 << 20);
        let (taker, charged) = (intake.clone(), Arc::clone(&budget));
        let running = serve("otlp/test", &settings, taker, charged, auths, &mut Inherited::default()).await.unwrap();
        Bench { running, intake, budget }
    }

    fn address(&self, protocol: Protocol) -> SocketAddr {
        self.running.addresses.iter().find(|(one, _)| *one == protocol).unwrap().1
    }

    fn counts(&self, transport: Transport) -> SignalCounts {
        self.running.stats.signal(transport, Signal::Traces)
    }

    async fn connect(&self, protocol: Protocol) -> TcpStream {
        TcpStream::connect(self.address(protocol)).await.unwrap()
    }

    /// One gRPC call: what is sent as the body, framed already.
    async fn call(&self, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let mut request = Request::post(format!("http://{}{EXPORT}", self.address(Transport::Grpc)))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        send_http2(self.connect(Transport::Grpc).await, request.body(Full::from(body)).unwrap()).await
    }

    /// One HTTP/1.1 post to `/v1/traces`.
    async fn post(&self, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        let mut request = Request::post("/v1/traces").header("host", "collector");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.request(request.body(Full::from(body.into())).unwrap()).await
    }

    async fn request(&self, request: Request<Full<Bytes>>) -> Answer {
        send_http1(self.connect(Transport::Http).await, request).await
    }
}

/// A receiver that nothing is known of but its settings.
async fn serve_plain(settings: &OtlpReceiver) -> io::Result<Running> {
    let (intake, budget) = (FakeIntake::accepting(), Budget::new(1 << 20));
    serve("otlp", settings, intake, budget, &|_| None, &mut Inherited::default()).await
}

/// An answer, read to its end.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
    trailers: HeaderMap,
}

impl Answer {
    async fn read<B: http_body::Body<Data = Bytes>>(response: Response<B>) -> Answer
    where
        B::Error: std::fmt::Debug,
    {
        let (head, body) = response.into_parts();
        let collected = body.collect().await.unwrap();
        let trailers = collected.trailers().cloned().unwrap_or_default();
        Answer { status: head.status.as_u16(), headers: head.headers, body: collected.to_bytes(), trailers }
    }

    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).or_else(|| self.trailers.get(name));
        value.map_or("", |value| value.to_str().unwrap())
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

async fn send_http2(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Answer {
    let exchange = async {
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Answer::read(sender.send_request(request).await.unwrap()).await
    };
    tokio::time::timeout(SOON, exchange).await.unwrap()
}

async fn send_http1(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Answer {
    let exchange = async {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Answer::read(sender.send_request(request).await.unwrap()).await
    };
    tokio::time::timeout(SOON, exchange).await.unwrap()
}

/// A gRPC message with its prefix.
fn framed(flags: u8, message: &[u8]) -> Vec<u8> {
    let mut framed = vec![flags];
    framed.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    framed.extend(message);
    framed
}

/// `google.rpc.Status`, as prost reads it.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Detail>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, prost::Message)]
struct Detail {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`; the numbers of seconds and nanoseconds as the two fields of its duration.
#[derive(Clone, PartialEq, prost::Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    delay: Option<Delay>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, PartialEq, prost::Message)]
struct Delay {
    #[prost(uint64, tag = "1")]
    seconds: u64,
    #[prost(uint32, tag = "2")]
    nanos: u32,
}

impl RpcStatus {
    fn delay(&self) -> Option<Duration> {
        use prost::Message;
        let info = self.details.iter().find(|detail| detail.type_url == "type.googleapis.com/google.rpc.RetryInfo")?;
        let delay = RetryInfo::decode(&*info.value).unwrap().delay.unwrap();
        Some(Duration::new(delay.seconds, delay.nanos))
    }
}

/// Bytes that neither repeat nor compress away.
fn sample(length: usize) -> Vec<u8> {
    let mut seed = 7_u32;
    let mut next = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 26) as u8 + b'0'
    };
    (0..length).map(|_| next()).collect()
}

fn compress(encoding: Encoding, plain: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let level = flate2::Compression::new(6);
    match encoding {
        Encoding::Gzip => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), level);
            writer.write_all(plain).unwrap();
            writer.finish().unwrap()
        }
        Encoding::Zlib => {
            let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), level);
            writer.write_all(plain).unwrap();
            writer.finish().unwrap()
        }
        Encoding::Zstd => zstd::stream::encode_all(plain, 1).unwrap(),
        Encoding::Snappy => snap::raw::Encoder::new().compress_vec(plain).unwrap(),
        Encoding::SnappyFramed => {
            let mut writer = snap::write::FrameEncoder::new(Vec::new());
            writer.write_all(plain).unwrap();
            writer.into_inner().unwrap()
        }
        Encoding::Lz4 => {
            let mut writer = lz4_flex::frame::FrameEncoder::new(Vec::new());
            writer.write_all(plain).unwrap();
            writer.finish().unwrap()
        }
    }
}
