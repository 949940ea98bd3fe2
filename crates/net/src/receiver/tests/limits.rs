//! Sizes, budget and patience: what is refused, when, and at what cost.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");

#[tokio::test]
async fn a_grpc_message_is_bounded_on_the_wire_and_inflated() {
    let bench = Bench::start(FakeIntake::accepting()).await;
    let limit = 4 << 20;
    let check = async |headers: &[(&str, &str)], body: Vec<u8>, code: &str| {
        let answer = bench.call(headers, body).await;
        assert_eq!(answer.header("grpc-status"), code, "{answer:?}");
        // Without RetryInfo the client does not send it again.
        assert!(answer.headers.get("grpc-status-details-bin").is_none());
    };
    check(&[], framed(0, &sample(limit)), "0").await;
    check(&[], framed(0, &sample(limit + 1)), "8").await;
    // A claim alone is refused too, without its bytes.
    check(&[], vec![0, 0xff, 0xff, 0xff, 0xff], "8").await;
    for (name, encoding) in [("gzip", Encoding::Gzip), ("zstd", Encoding::Zstd), ("snappy", Encoding::SnappyFramed)] {
        check(&[("grpc-encoding", name)], framed(1, &compress(encoding, &vec![0; limit])), "0").await;
        check(&[("grpc-encoding", name)], framed(1, &compress(encoding, &vec![0; limit + 1])), "8").await;
    }
    assert_eq!(bench.budget.used(), 0);
}

#[tokio::test]
async fn an_http_body_is_bounded_on_the_wire_and_inflated() {
    let limit = 1 << 20;
    let bench = Bench::with(FakeIntake::accepting(), |_, http| http.max_request_body_size = limit as i64).await;
    let check = async |headers: &[(&str, &str)], body: Vec<u8>, status| {
        let answer = bench.post(&[&[PROTOBUF], headers].concat(), body).await;
        assert_eq!(answer.status, status, "{answer:?}");
    };
    check(&[], sample(limit), 200).await;
    check(&[], sample(limit + 1), 413).await;
    for (name, encoding) in [("gzip", Encoding::Gzip), ("snappy", Encoding::Snappy), ("lz4", Encoding::Lz4)] {
        check(&[("content-encoding", name)], compress(encoding, &vec![0; limit]), 200).await;
        check(&[("content-encoding", name)], compress(encoding, &vec![0; limit + 1]), 413).await;
        check(&[("content-encoding", name)], compress(encoding, &sample(2 * limit)), 413).await;
    }
    // A length that is only claimed is refused before a byte of it.
    let mut stream = bench.connect(Transport::Http).await;
    let head = "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: 99999999\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    tokio::time::timeout(SOON, stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer, b"HTTP/1.1 413");
}

#[tokio::test]
async fn a_bomb_costs_its_limit() {
    let bench = Bench::start(FakeIntake::accepting()).await;
    // 64 MiB of zeros in 64 KiB of gzip; a second layer would bring a gigabyte into ten.
    let bomb = compress(Encoding::Gzip, &vec![0; 64 << 20]);
    assert!(bomb.len() < 80 << 10);
    let answer = bench.call(&[("grpc-encoding", "gzip")], framed(1, &bomb)).await;
    assert_eq!(answer.header("grpc-status"), "8");
    let answer = bench.post(&[PROTOBUF, ("content-encoding", "gzip")], bomb).await;
    assert_eq!(answer.status, 413);
    assert_eq!(bench.budget.used(), 0);
}

#[tokio::test]
async fn at_the_hard_mark_requests_are_refused_before_their_body_is_read() {
    let bench = Bench::start(FakeIntake::accepting()).await;
    bench.budget.set_held(bench.budget.hard());
    let answer = bench.call(&[], framed(0, b"x")).await;
    assert_eq!(answer.header("grpc-status"), "14");
    assert!(answer.headers.contains_key("grpc-status-details-bin"), "RetryInfo says when to come back");
    let answer = bench.post(&[PROTOBUF], "x").await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "1"));
    // The body that is announced here never comes, and the answer does not wait for it.
    let mut stream = bench.connect(Transport::Http).await;
    let head = "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    tokio::time::timeout(SOON, stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer, b"HTTP/1.1 503");
    bench.budget.set_held(0);
    assert_eq!(bench.call(&[], framed(0, b"x")).await.header("grpc-status"), "0");
    assert_eq!(bench.counts(Transport::Grpc).refused_for(RefusedReason::Overloaded), 1);
}

#[tokio::test]
async fn a_body_that_does_not_fit_the_budget_is_refused_while_it_comes() {
    let bench = Bench::start(FakeIntake::accepting()).await;
    bench.budget.set_held(bench.budget.hard() - (1 << 20));
    let answer = bench.call(&[], framed(0, &sample(3 << 20))).await;
    assert_eq!(answer.header("grpc-status"), "14");
    let inflated = compress(Encoding::Zstd, &vec![7; 3 << 20]);
    let answer = bench.post(&[PROTOBUF, ("content-encoding", "zstd")], inflated).await;
    assert_eq!(answer.status, 503);
    assert_eq!(bench.budget.used(), bench.budget.held());
}

/// Reads until the server closes; the clock stands still but for timers, so this takes no time.
async fn closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    // A reset closes as well.
    let _ = stream.read_to_end(&mut rest).await;
    rest
}

#[tokio::test(start_paused = true)]
async fn silence_and_half_heads_end_a_connection() {
    let bench = Bench::start(FakeIntake::accepting()).await;
    for (protocol, beginning) in [
        (Transport::Http, &b""[..]),
        (Transport::Http, b"POST /v1/tr"),
        (Transport::Http, b"PRI * HTT"),
        (Transport::Grpc, b""),
        (Transport::Grpc, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        (Transport::Grpc, b"GET / HTTP/1.1\r\n\r\n"),
    ] {
        let started = tokio::time::Instant::now();
        let mut stream = bench.connect(protocol).await;
        stream.write_all(beginning).await.unwrap();
        closed(&mut stream).await;
        let took = started.elapsed();
        assert!(took <= Duration::from_secs(30), "{protocol} {beginning:?} took {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dripping_body_ends_within_its_grace() {
    let bench = Bench::start(FakeIntake::accepting()).await;
    let mut stream = bench.connect(Transport::Http).await;
    let head = "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let started = tokio::time::Instant::now();
    let (mut from, mut to) = stream.split();
    let drip = async {
        while to.write_all(b"{").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let mut answer = Vec::new();
    tokio::select! {
        _ = from.read_to_end(&mut answer) => {}
        () = drip => {}
    }
    assert!(answer.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&answer));
    assert!(started.elapsed() <= Duration::from_secs(10), "{:?}", started.elapsed());
    assert_eq!(bench.budget.used(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_kept_for_its_time() {
    let bench = Bench::start(FakeIntake::accepting()).await;
    let mut stream = bench.connect(Transport::Http).await;
    let request =
        "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
    for _ in 0..2 {
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(br#"{"partialSuccess":{}}"#) {
            assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "the connection is kept");
        }
        // As long as an SDK waits between two exports of metrics.
        tokio::time::sleep(Duration::from_secs(61)).await;
    }
    let started = tokio::time::Instant::now();
    closed(&mut stream).await;
    assert!(started.elapsed() <= HttpServer::IDLE_TIME_MAX, "{:?}", started.elapsed());
}
