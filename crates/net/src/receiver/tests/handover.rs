//! One receiver takes over from another: no connection is refused, no request is lost, no counter starts again.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// A receiver with those settings in place of the one of `bench`, which still runs.
async fn successor(bench: &Bench, settings: &OtlpReceiver) -> Running {
    let mut inherited = bench.running.listeners().unwrap();
    let (intake, budget) = (bench.intake.clone(), Arc::clone(&bench.budget));
    serve("otlp/test", settings, intake, budget, &|_| None, &mut inherited).await.unwrap()
}

/// On those endpoints, with something else that differs.
fn settings(grpc: Endpoint, http: Endpoint) -> OtlpReceiver {
    let grpc = GrpcServer { endpoint: grpc, max_recv_msg_size_mib: 1, ..GrpcServer::default() };
    let http = HttpServer { endpoint: http, max_request_body_size: 1 << 20, ..HttpServer::default() };
    OtlpReceiver { grpc: Some(grpc), http: Some(http) }
}

#[tokio::test]
async fn a_successor_has_the_same_sockets_and_counters() {
    let mut bench = Bench::start(FakeIntake::accepting()).await;
    let addresses = bench.running.addresses.clone();
    assert_eq!(bench.call(&[], framed(0, &sample(2 << 20))).await.header("grpc-status"), "0");
    // As written, with port 0; and as another spelling of the same address.
    let literal = Endpoint::tcp(&format!("localhost:{}", bench.address(Transport::Http).port()));
    let new = successor(&bench, &settings(Endpoint::tcp("127.0.0.1:0"), literal)).await;
    assert_eq!(new.addresses, addresses);
    std::mem::replace(&mut bench.running, new).stop(SOON).await;
    assert_eq!(bench.call(&[], framed(0, &sample(2 << 20))).await.header("grpc-status"), "8", "it has a lower limit");
    assert_eq!(bench.post(&[("content-type", "application/x-protobuf")], "x").await.status, 200);
    let counts = bench.counts(Transport::Grpc);
    assert_eq!((counts.accepted_requests, counts.refused_requests()), (1, 1));
    bench.running.stop(SOON).await;
    for (_, address) in addresses {
        assert!(TcpStream::connect(address).await.is_err(), "{address} is closed with the last one");
    }
}

#[tokio::test]
async fn no_connection_is_refused_and_no_request_is_lost() {
    let mut bench = Bench::start(FakeIntake::accepting()).await;
    let (grpc, http) = (bench.address(Transport::Grpc), bench.address(Transport::Http));
    let ended = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|number| {
            let ended = Arc::clone(&ended);
            tokio::spawn(async move {
                let mut sent = 0;
                while !ended.load(std::sync::atomic::Ordering::Relaxed) {
                    // Half of them keep their connection as long as they may.
                    sent += if number % 2 == 0 { posts(http).await } else { calls(grpc).await };
                }
                sent
            })
        })
        .collect();
    for _ in 0..10 {
        let new = successor(&bench, &settings(Endpoint::tcp("127.0.0.1:0"), Endpoint::tcp("127.0.0.1:0"))).await;
        std::mem::replace(&mut bench.running, new).stop(SOON).await;
    }
    ended.store(true, std::sync::atomic::Ordering::Relaxed);
    let mut sent = 0;
    for client in clients {
        sent += client.await.unwrap();
    }
    let accepted: u64 = bench.running.stats.signals().map(|(.., counts)| counts.accepted_requests).sum();
    assert!(sent > 0 && accepted == sent, "{accepted} of {sent}");
}

/// Posts on one connection until the server says that an answer is the last; gives how many there were.
async fn posts(address: SocketAddr) -> u64 {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request =
        "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
    for sent in 1..=50 {
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(br#"{"partialSuccess":{}}"#) {
            assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "the connection ended without an answer");
        }
        if String::from_utf8(answer).unwrap().contains("connection: close") {
            return sent;
        }
    }
    50
}

/// Calls on one connection until the server says that it goes away.
async fn calls(address: SocketAddr) -> u64 {
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake::<_, _, Full<Bytes>>(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    for sent in 0..50 {
        if sender.ready().await.is_err() {
            return sent;
        }
        let request = Request::post(format!("http://x{EXPORT}")).header("content-type", "application/grpc");
        let request = request.body(Full::from(framed(0, b""))).unwrap();
        match sender.try_send_request(request).await {
            Ok(response) => assert_eq!(Answer::read(response).await.header("grpc-status"), "0"),
            // It had not been sent when the server said goodbye.
            Err(mut error) => match error.take_message() {
                Some(_) => return sent,
                None => panic!("{:?}", error.into_error()),
            },
        }
    }
    50
}

#[tokio::test]
async fn a_unix_socket_stays_with_the_successor() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("otlp.sock");
    let endpoint = Endpoint { text: path.display().to_string(), network: Network::Unix };
    let mut bench = Bench::with(FakeIntake::accepting(), |grpc, _| grpc.endpoint = endpoint.clone()).await;
    let new = successor(&bench, &settings(endpoint, Endpoint::tcp("127.0.0.1:0"))).await;
    std::mem::replace(&mut bench.running, new).stop(SOON).await;
    assert!(tokio::net::UnixStream::connect(&path).await.is_ok());
    bench.running.stop(SOON).await;
    assert!(!path.exists());
}

#[tokio::test]
async fn a_successor_that_fails_leaves_everything_as_it_was() {
    let bench = Bench::start(FakeIntake::accepting()).await;
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = Endpoint::tcp(&busy.local_addr().unwrap().to_string());
    let mut inherited = bench.running.listeners().unwrap();
    let settings = settings(Endpoint::tcp("127.0.0.1:0"), taken);
    let (intake, budget) = (bench.intake.clone(), Arc::clone(&bench.budget));
    let failed = serve("otlp/test", &settings, intake, budget, &|_| None, &mut inherited).await;
    drop(failed.unwrap_err());
    drop(inherited);
    assert_eq!(bench.call(&[], framed(0, b"x")).await.header("grpc-status"), "0");
}
