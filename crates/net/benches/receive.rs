//! What taking a request in costs: our gRPC and HTTP receivers beside stock tonic, all with an intake that discards.
//!
//! The server runs on one thread, the clients on another; the figure is the server thread's own CPU time for a request, as
//! the kernel counts it (`/proc/…/schedstat`), so the clients' share does not blur it. tonic stands on the same hyper with
//! its own framing and a codec whose message is `Bytes`, the cheapest that its interface allows. grpc-go's clients cut bodies
//! into frames of 16 KiB whatever the server offers, Rust's and others' use what is offered: both are measured.
//!
//! `cargo bench -p net --bench receive [-- WORD…]`: all rows, or those whose name has all the words.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Buf, BufMut, Bytes};
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use net::BoxFuture;
use net::budget::Budget;
use net::client::Client;
use net::receiver::{self, Accepted, Endpoint, GrpcServer, HttpServer, Intake, Origin, OtlpReceiver, Refusal};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/// How long each row is measured, after a fifth of it for warming up.
const MEASURED: Duration = Duration::from_secs(3);
const GO_FRAME_BYTES: usize = 16 << 10;
const CONNECTIONS: usize = 4;
const IN_FLIGHT_EACH: usize = 4;

#[derive(Clone, Copy, PartialEq)]
enum Server {
    OursGrpc,
    OursHttp,
    Tonic,
}

/// What is sent, and how.
#[derive(Clone)]
struct Load {
    body: Bytes,
    encoding: &'static str,
    frame_bytes: usize,
}

/// A body in frames of at most so many bytes.
struct Frames(Bytes, usize);

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        let bytes = self.0.len().min(self.1);
        let frame = self.0.split_to(bytes);
        Poll::Ready((bytes > 0).then(|| Ok(http_body::Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }
}

struct Discard;

impl Intake for Discard {
    fn serves(&self, _signal: otlp::Signal) -> bool {
        true
    }

    fn take<'a>(
        &'a self,
        _signal: otlp::Signal,
        _origin: &'a Origin,
        _client: &'a Arc<Client>,
        body: &'a [u8],
    ) -> BoxFuture<'a, Result<Accepted, Refusal>> {
        std::hint::black_box(body);
        Box::pin(async { Ok(Accepted::default()) })
    }
}

fn main() {
    println!("{:<40} {:>6} {:>14} {:>12}", "request", "server", "CPU µs/request", "requests/s");
    for (name, spans) in [("512 spans of 450 B", 512), ("10 spans of 450 B", 10)] {
        let plain = sample(spans * 450);
        let zstd = zstd::stream::encode_all(&*plain, 1).expect("memory is enough");
        let large = spans * 450 > GO_FRAME_BYTES;
        for (encoding, message) in [("", &plain), ("gzip", &gzip(&plain)), ("zstd", &zstd)] {
            let coded = if encoding.is_empty() { name.to_owned() } else { format!("{name}, {encoding}") };
            let framed =
                Load { body: framed(u8::from(!encoding.is_empty()), message), encoding, frame_bytes: usize::MAX };
            let cut = Load { frame_bytes: GO_FRAME_BYTES, ..framed.clone() };
            if encoding.is_empty() {
                row(&coded, Server::Tonic, &framed);
            }
            row(&coded, Server::OursGrpc, &framed);
            if encoding.is_empty() && large {
                row(&format!("{coded}, 16 KiB frames"), Server::Tonic, &cut);
                row(&format!("{coded}, 16 KiB frames"), Server::OursGrpc, &cut);
            }
            let body = Bytes::copy_from_slice(message);
            row(&coded, Server::OursHttp, &Load { body, encoding, frame_bytes: usize::MAX });
        }
    }
}

fn row(name: &str, server: Server, load: &Load) {
    let wanted = std::env::args().skip(1).filter(|word| !word.starts_with("--")).all(|word| name.contains(&word));
    if !wanted {
        return;
    }
    let (address, schedstat) = start(server);
    drive(server, address, load, MEASURED / 5);
    let before = cpu_ns(&schedstat);
    let (requests, wall) = drive(server, address, load, MEASURED);
    let cpu_us = (cpu_ns(&schedstat) - before) as f64 / 1000.0 / requests as f64;
    let label = match server {
        Server::OursGrpc => "grpc",
        Server::OursHttp => "http",
        Server::Tonic => "tonic",
    };
    println!("{name:<40} {label:>6} {cpu_us:>14.1} {:>12.0}", requests as f64 / wall.as_secs_f64());
}

/// Starts a server on a thread of its own, which lives as long as the process.
fn start(server: Server) -> (SocketAddr, String) {
    let (started, address) = std::sync::mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let task = std::fs::read_link("/proc/thread-self").expect("this is Linux");
        let schedstat = format!("/proc/{}/schedstat", task.display());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("threads are free");
        runtime.block_on(async move {
            let ready = |address| started.send((address, schedstat)).expect("the main thread waits");
            match server {
                Server::Tonic => serve_tonic(ready).await,
                _ => serve_ours(ready).await,
            }
        });
    });
    let (addresses, schedstat): ([SocketAddr; 2], String) = address.recv().expect("the server starts");
    (addresses[usize::from(server == Server::OursHttp)], schedstat)
}

async fn serve_ours(ready: impl FnOnce([SocketAddr; 2])) {
    let (mut grpc, mut http) = (GrpcServer::default(), HttpServer::default());
    (grpc.endpoint, http.endpoint) = (Endpoint::tcp("127.0.0.1:0"), Endpoint::tcp("127.0.0.1:0"));
    let settings = OtlpReceiver { grpc: Some(grpc), http: Some(http) };
    let (budget, inherited) = (Budget::new(1 << 30), &mut receiver::Inherited::default());
    let running = receiver::serve("otlp", &settings, Arc::new(Discard), budget, &|_| None, inherited).await;
    let running = running.expect("ports are free");
    ready([running.addresses[0].1, running.addresses[1].1]);
    std::future::pending::<()>().await;
}

async fn serve_tonic(ready: impl FnOnce([SocketAddr; 2])) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("ports are free");
    let address = listener.local_addr().expect("it is bound");
    ready([address, address]);
    loop {
        let (stream, _) = listener.accept().await.expect("descriptors are free");
        stream.set_nodelay(true).expect("it is open");
        let service = service_fn(|request: Request<hyper::body::Incoming>| async {
            let mut grpc = tonic::server::Grpc::new(BytesCodec);
            Ok::<_, std::convert::Infallible>(grpc.unary(DiscardUnary, request).await)
        });
        tokio::spawn(async move {
            let mut builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            // As tonic's own transport sets them.
            builder.initial_stream_window_size(1 << 20).initial_connection_window_size(1 << 20);
            let _ended = builder.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Sends for so long; gives the number of requests and the time they took.
fn drive(server: Server, address: SocketAddr, load: &Load, time: Duration) -> (u64, Duration) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("threads are free");
    runtime.block_on(async {
        let started = Instant::now();
        let end = started + time;
        let mut senders = Vec::new();
        for _ in 0..CONNECTIONS {
            let stream = tokio::net::TcpStream::connect(address).await.expect("the server listens");
            stream.set_nodelay(true).expect("it is open");
            match server {
                Server::OursHttp => senders.push(tokio::spawn(post(stream, load.clone(), end))),
                _ => senders.push(tokio::spawn(call(stream, load.clone(), end))),
            }
        }
        let mut requests = 0;
        for sender in senders {
            requests += sender.await.expect("clients do not panic");
        }
        (requests, started.elapsed())
    })
}

async fn call(stream: tokio::net::TcpStream, load: Load, end: Instant) -> u64 {
    let handshake = hyper::client::conn::http2::Builder::new(TokioExecutor::new()).handshake(TokioIo::new(stream));
    let (sender, connection) = handshake.await.expect("the server speaks HTTP/2");
    tokio::spawn(connection);
    let mut loops = Vec::new();
    for _ in 0..IN_FLIGHT_EACH {
        let (mut sender, load) = (sender.clone(), load.clone());
        loops.push(tokio::spawn(async move {
            let mut requests = 0;
            while Instant::now() < end {
                let mut request = Request::post(format!("http://collector{EXPORT}"))
                    .header("content-type", "application/grpc")
                    .header("te", "trailers");
                if !load.encoding.is_empty() {
                    request = request.header("grpc-encoding", load.encoding);
                }
                let body = Frames(load.body.clone(), load.frame_bytes);
                let request = request.body(body).expect("the request is well formed");
                let response = sender.send_request(request).await.expect("the server answers");
                let body = response.into_body().collect().await.expect("the answer is whole");
                let status = body.trailers().and_then(|trailers| trailers.get("grpc-status"));
                assert_eq!(status.map(|status| status.as_bytes()), Some(&b"0"[..]));
                requests += 1;
            }
            requests
        }));
    }
    let mut requests = 0;
    for one in loops {
        requests += one.await.expect("clients do not panic");
    }
    requests
}

async fn post(stream: tokio::net::TcpStream, load: Load, end: Instant) -> u64 {
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.expect("the server speaks HTTP/1.1");
    tokio::spawn(connection);
    let mut requests = 0;
    while Instant::now() < end {
        sender.ready().await.expect("the connection is kept");
        let mut request =
            Request::post("/v1/traces").header("host", "collector").header("content-type", "application/x-protobuf");
        if !load.encoding.is_empty() {
            request = request.header("content-encoding", load.encoding);
        }
        let request = request.body(Full::new(load.body.clone())).expect("the request is well formed");
        let response = sender.send_request(request).await.expect("the server answers");
        assert_eq!(response.status(), 200);
        response.into_body().collect().await.expect("the answer is whole");
        requests += 1;
    }
    requests
}

fn framed(flags: u8, message: &[u8]) -> Bytes {
    let mut framed = Vec::with_capacity(5 + message.len());
    framed.put_u8(flags);
    framed.put_u32(u32::try_from(message.len()).expect("messages are small"));
    framed.extend_from_slice(message);
    framed.into()
}

/// Bytes that compress about as well as spans do.
fn sample(length: usize) -> Vec<u8> {
    let words = ["http.request.method", "GET", "service.name", "checkout", "url.path", "/cart/items", "host.name"];
    let mut seed = 7_u32;
    let mut bytes = Vec::with_capacity(length + 32);
    while bytes.len() < length {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        bytes.extend_from_slice(words[(seed >> 16) as usize % words.len()].as_bytes());
        if seed.is_multiple_of(4) {
            bytes.extend_from_slice(&seed.to_le_bytes());
        }
    }
    bytes.truncate(length);
    bytes
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    writer.write_all(plain).and_then(|()| writer.finish()).expect("memory is enough")
}

fn cpu_ns(schedstat: &str) -> u64 {
    let text = std::fs::read_to_string(schedstat).expect("the thread lives");
    text.split_whitespace().next().and_then(|ns| ns.parse().ok()).expect("the kernel counts")
}

struct DiscardUnary;

impl tonic::server::UnaryService<Bytes> for DiscardUnary {
    type Response = Bytes;
    type Future = std::future::Ready<Result<tonic::Response<Bytes>, tonic::Status>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        std::hint::black_box(request.into_inner());
        std::future::ready(Ok(tonic::Response::new(Bytes::new())))
    }
}

#[derive(Clone, Copy, Default)]
struct BytesCodec;

impl Codec for BytesCodec {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = BytesCodec;
    type Decoder = BytesCodec;

    fn encoder(&mut self) -> BytesCodec {
        BytesCodec
    }

    fn decoder(&mut self) -> BytesCodec {
        BytesCodec
    }
}

impl Encoder for BytesCodec {
    type Item = Bytes;
    type Error = tonic::Status;

    fn encode(&mut self, item: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), tonic::Status> {
        into.put(item);
        Ok(())
    }
}

impl Decoder for BytesCodec {
    type Item = Bytes;
    type Error = tonic::Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, tonic::Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
