//! How long peers are waited for, setting by setting. The clock stands still but for timers.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use super::*;

const HEAD: &str = "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n";
const GREETING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// What comes until the server closes, and after how long it does.
async fn closed(stream: &mut TcpStream) -> (Vec<u8>, Duration) {
    let started = Instant::now();
    let mut rest = Vec::new();
    // A reset closes as well.
    let _ = stream.read_to_end(&mut rest).await;
    (rest, started.elapsed())
}

/// How long a connection lasts on which a client of hyper's answers pings and does nothing else.
async fn lasts(bench: &Bench) -> Duration {
    let stream = TokioIo::new(bench.connect(Transport::Grpc).await);
    let (_sender, connection) =
        hyper::client::conn::http2::handshake::<_, _, Full<Bytes>>(TokioExecutor::new(), stream).await.unwrap();
    let started = Instant::now();
    connection.await.unwrap();
    started.elapsed()
}

fn within(took: Duration, least_ms: u64, most_ms: u64) {
    let range = Duration::from_millis(least_ms)..=Duration::from_millis(most_ms);
    assert!(range.contains(&took), "{took:?} is not in {range:?}");
}

async fn http(change: impl FnOnce(&mut HttpServer)) -> Bench {
    Bench::with(FakeIntake::accepting(), |_, http| change(http)).await
}

async fn grpc(change: impl FnOnce(&mut Keepalive)) -> Bench {
    Bench::with(FakeIntake::accepting(), |grpc, _| change(&mut grpc.keepalive)).await
}

#[tokio::test(start_paused = true)]
async fn read_header_timeout_bounds_heads() {
    let bench = http(|http| http.read_header_timeout = Duration::from_secs(2)).await;
    let mut stream = bench.connect(Transport::Http).await;
    stream.write_all(b"POST /v1/tr").await.unwrap();
    within(closed(&mut stream).await.1, 2000, 4000);
}

#[tokio::test(start_paused = true)]
async fn read_timeout_bounds_whole_requests() {
    let bench = http(|http| http.read_timeout = Duration::from_secs(3)).await;
    let mut stream = bench.connect(Transport::Http).await;
    stream.write_all(HEAD.as_bytes()).await.unwrap();
    let (answer, took) = closed(&mut stream).await;
    assert!(answer.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&answer));
    within(took, 3000, 3100);
}

#[tokio::test(start_paused = true)]
async fn idle_timeout_bounds_the_wait_for_the_next_request() {
    for (read_timeout, idle_timeout, most_ms) in [(0, 8, 8000), (6, 0, 6000), (6, 8, 8000)] {
        let bench = http(|http| {
            http.read_timeout = Duration::from_secs(read_timeout);
            http.idle_timeout = Duration::from_secs(idle_timeout);
        })
        .await;
        let mut stream = bench.connect(Transport::Http).await;
        stream.write_all(format!("{HEAD}{{}}").as_bytes()).await.unwrap();
        let (answer, took) = closed(&mut stream).await;
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
        within(took, most_ms, most_ms * 3 / 2);
    }
}

#[tokio::test]
async fn without_keepalive_each_answer_is_the_last() {
    let bench = http(|http| http.keep_alives_enabled = false).await;
    let mut stream = bench.connect(Transport::Http).await;
    stream.write_all(format!("{HEAD}{{}}").as_bytes()).await.unwrap();
    let (answer, _) = tokio::time::timeout(SOON, closed(&mut stream)).await.unwrap();
    assert!(String::from_utf8(answer).unwrap().contains("connection: close"));
}

#[tokio::test(start_paused = true)]
async fn write_timeout_ends_who_does_not_read() {
    let bench = http(|http| {
        http.write_timeout = Duration::from_secs(3);
        http.response_headers = Some(vec![("x-long".to_owned(), ::settings::Secret::new("x".repeat(8000)))]);
    })
    .await;
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(bench.address(Transport::Http)).await.unwrap();
    let request = format!("{HEAD}{{}}");
    let started = Instant::now();
    // Answers fill every buffer on the way, then requests do, and then the server has had enough.
    while stream.write_all(request.as_bytes()).await.is_ok() {}
    within(started.elapsed(), 3000, 6000);
}

#[tokio::test(start_paused = true)]
async fn max_connection_idle_ends_calls_without_calls() {
    let bench = grpc(|keepalive| keepalive.max_connection_idle = Duration::from_secs(4)).await;
    within(lasts(&bench).await, 4000, 6000);
}

#[tokio::test(start_paused = true)]
async fn max_connection_age_differs_by_a_tenth() {
    let bench = grpc(|keepalive| keepalive.max_connection_age = Duration::from_secs(100)).await;
    within(lasts(&bench).await, 90_000, 115_000);
}

#[tokio::test]
async fn max_connection_age_grace_ends_the_calls() {
    let intake = FakeIntake::gated(0, |_| Ok(Accepted::default()));
    let bench = Bench::with(intake.clone(), |grpc, _| {
        grpc.keepalive.max_connection_age = Duration::from_secs(10);
        grpc.keepalive.max_connection_age_grace = Duration::from_secs(4);
    })
    .await;
    let stream = TokioIo::new(bench.connect(Transport::Grpc).await);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake::<_, _, Full<Bytes>>(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post(format!("http://x{EXPORT}")).header("content-type", "application/grpc");
    let request = request.body(Full::from(framed(0, b"never answered"))).unwrap();
    let call = tokio::spawn(async move { sender.send_request(request).await.map(|_| ()) });
    tokio::time::timeout(SOON, intake.arrived.acquire()).await.unwrap().unwrap().forget();
    // From here on only timers are waited for.
    tokio::time::pause();
    let started = Instant::now();
    assert!(call.await.unwrap().is_err(), "the connection was closed");
    within(started.elapsed(), 12_500, 18_000);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_answer_pings_is_gone() {
    let bench = grpc(|keepalive| {
        keepalive.time = Duration::from_secs(7);
        keepalive.timeout = Duration::from_secs(2);
    })
    .await;
    let mut stream = bench.connect(Transport::Grpc).await;
    stream.write_all(GREETING).await.unwrap();
    within(closed(&mut stream).await.1, 9000, 9500);
}

#[tokio::test]
async fn max_concurrent_streams_is_told_and_enforced() {
    let bench = Bench::with(FakeIntake::accepting(), |grpc, _| grpc.max_concurrent_streams = 7).await;
    let mut stream = bench.connect(Transport::Grpc).await;
    stream.write_all(GREETING).await.unwrap();
    let mut frame = [0; 9];
    tokio::time::timeout(SOON, stream.read_exact(&mut frame)).await.unwrap().unwrap();
    let mut settings = vec![0; usize::from(frame[2])];
    stream.read_exact(&mut settings).await.unwrap();
    assert!(settings.chunks(6).any(|setting| setting == [0, 3, 0, 0, 0, 7]), "{settings:?}");
}
