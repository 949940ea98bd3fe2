//! Start, sockets of all kinds, and the end.

use super::*;

#[tokio::test]
async fn a_stop_lets_requests_in_flight_finish_and_takes_no_more() {
    let intake = FakeIntake::gated(0, |_| Ok(Accepted::default()));
    let bench = Bench::start(intake.clone()).await;
    let (grpc, http) = (bench.address(Transport::Grpc), bench.address(Transport::Http));
    let stats = Arc::clone(&bench.running.stats);
    let call = Request::post(format!("http://{grpc}{EXPORT}")).header("content-type", "application/grpc");
    let call = tokio::spawn(send_http2(
        TcpStream::connect(grpc).await.unwrap(),
        call.body(Full::from(framed(0, b"one"))).unwrap(),
    ));
    let post = Request::post("/v1/traces").header("host", "x").header("content-type", "application/x-protobuf");
    let post = tokio::spawn(send_http1(TcpStream::connect(http).await.unwrap(), post.body(Full::from("two")).unwrap()));
    // A third connection is open and silent; it must not hold the stop up.
    let _silent = TcpStream::connect(http).await.unwrap();
    tokio::time::timeout(SOON, intake.arrived.acquire_many(2)).await.unwrap().unwrap().forget();

    let stop = tokio::spawn(bench.running.stop(SOON * 2));
    // The listeners close before the requests are done.
    while TcpStream::connect(grpc).await.is_ok() || TcpStream::connect(http).await.is_ok() {
        tokio::task::yield_now().await;
    }
    intake.gate.add_permits(2);
    assert_eq!(call.await.unwrap().header("grpc-status"), "0");
    assert_eq!(post.await.unwrap().status, 200);
    tokio::time::timeout(SOON, stop).await.unwrap().unwrap();
    assert_eq!(stats.signals().map(|(.., counts)| counts.accepted_requests).sum::<u64>(), 2);
}

#[tokio::test]
async fn a_stop_ends_with_its_grace() {
    let intake = FakeIntake::gated(0, |_| Ok(Accepted::default()));
    let bench = Bench::start(intake.clone()).await;
    let stream = TokioIo::new(bench.connect(Transport::Grpc).await);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake::<_, _, Full<Bytes>>(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post(format!("http://x{EXPORT}")).header("content-type", "application/grpc");
    let request = request.body(Full::from(framed(0, b"never answered"))).unwrap();
    let call = tokio::spawn(async move { sender.send_request(request).await.map(|_| ()) });
    tokio::time::timeout(SOON, intake.arrived.acquire()).await.unwrap().unwrap().forget();
    tokio::time::timeout(SOON, bench.running.stop(Duration::from_millis(50))).await.unwrap();
    assert!(call.await.unwrap().is_err(), "the connection was closed");
}

#[tokio::test]
async fn old_connections_are_asked_to_end() {
    let bench = Bench::with(FakeIntake::accepting(), |grpc, _| {
        grpc.keepalive.max_connection_age = Duration::from_millis(50);
    })
    .await;
    let stream = TokioIo::new(bench.connect(Transport::Grpc).await);
    let (_sender, connection) =
        hyper::client::conn::http2::handshake::<_, _, Full<Bytes>>(TokioExecutor::new(), stream).await.unwrap();
    tokio::time::timeout(SOON, connection).await.unwrap().unwrap();
}

#[tokio::test]
async fn unix_sockets_work_and_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("otlp.sock");
    let bench = Bench::with(FakeIntake::accepting(), |grpc, _| {
        grpc.endpoint = Endpoint { text: path.display().to_string(), network: Network::Unix };
    })
    .await;
    assert_eq!(bench.running.paths, [(Transport::Grpc, path.clone())]);
    let request = Request::post(format!("http://x{EXPORT}")).header("content-type", "application/grpc");
    let request = request.body(Full::from(framed(0, b"hello"))).unwrap();
    let stream = tokio::net::UnixStream::connect(&path).await.unwrap();
    assert_eq!(send_http2(stream, request).await.header("grpc-status"), "0");
    bench.running.stop(SOON).await;
    assert!(!path.exists());
}

#[tokio::test]
async fn a_taken_address_is_named() {
    let bench = Bench::start(FakeIntake::accepting()).await;
    let taken = bench.address(Transport::Grpc).to_string();
    let http = HttpServer { endpoint: Endpoint::tcp(&taken), ..HttpServer::default() };
    let settings = OtlpReceiver { grpc: None, http: Some(http) };
    let error = serve_plain(&settings).await.unwrap_err();
    assert!(error.to_string().contains(&format!("cannot listen on `{taken}`")), "{error}");
}

#[tokio::test]
async fn a_panic_is_one_requests_alone() {
    let bench = Bench::start(FakeIntake::new(|body| match body {
        b"poison" => panic!("as the test wants it"),
        _ => Ok(Accepted::default()),
    }))
    .await;
    let protobuf = [("content-type", "application/x-protobuf")];
    assert_eq!(bench.call(&[], framed(0, b"poison")).await.header("grpc-status"), "13");
    assert_eq!(bench.post(&protobuf, "poison").await.status, 500);
    assert_eq!(bench.call(&[], framed(0, b"fine")).await.header("grpc-status"), "0");
    assert_eq!(bench.post(&protobuf, "fine").await.status, 200);
    assert_eq!(bench.budget.used(), 0);
}
