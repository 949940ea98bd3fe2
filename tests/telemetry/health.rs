//! `health_check` from the start to the end of the process, and when something in it has died.

use super::{
    SCRAPED,
    collector::{Collector, get},
    config, eventually, send_all,
};
use load::{Behavior, Generate, Keep, Sink, SinkOptions, Target};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::Command,
    time::Duration,
};

/// What a probe is answered: the status and the body; nothing if nobody listens.
fn probe(address: SocketAddr) -> Option<(u16, String)> {
    let mut socket = TcpStream::connect_timeout(&address, Duration::from_secs(2)).ok()?;
    write!(socket, "GET / HTTP/1.0\r\n\r\n").ok()?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer.split_once("\r\n\r\n")?.1.to_owned()))
}

fn status(address: SocketAddr) -> Option<u16> {
    probe(address).map(|(status, _)| status)
}

#[test]
fn well_while_it_runs() {
    let collector = Collector::start(&config("{}", SCRAPED, ""));
    let address = collector.address("health");
    let (status, body) = probe(address).expect("an answer");
    assert_eq!(status, 200);
    let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(body["status"], "Server available");
    assert!(body["uptime"].as_str().is_some_and(|uptime| uptime.ends_with('s')), "{body}");
    assert!(body["upSince"].as_str().is_some_and(|since| since.ends_with('Z')), "{body}");
    let asked = Command::new(env!("CARGO_BIN_EXE_tailrace")).args(["health", &format!("http://{address}/")]).status();
    assert!(asked.is_ok_and(|status| status.success()));
    let (status, log) = collector.stop();
    assert!(status.success(), "{log}");
}

#[test]
fn not_before_everything_has_started() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
    let settings = config("{}", SCRAPED, "tailrace: {fail_point: start_slowly}");
    let settings = settings.replace(
        "health_check: {endpoint: \"127.0.0.1:0\"}",
        &format!("health_check: {{endpoint: \"127.0.0.1:{port}\"}}"),
    );
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let asking = std::thread::spawn(move || {
        let mut seen = Vec::new();
        eventually("well", Duration::from_secs(20), || {
            seen.extend(status(address));
            seen.dedup();
            seen.last() == Some(&200)
        });
        seen
    });
    let _collector = Collector::start(&settings);
    assert_eq!(asking.join().expect("it becomes well"), [503, 200]);
}

/// One fault each, and the words about it in the log.
#[test]
fn not_when_something_has_died() {
    for (fault, told, limit) in [
        ("decide", "the deciding thread has died", 10),
        ("deliver", "a task of the exporter `nop/out` has died", 10),
        ("receive", "the receiver `otlp` accepts no connections any more", 10),
        ("gather", "the task of the pipeline `", 10),
        ("decide_hangs", "the deciding thread hangs", 40),
    ] {
        let collector = Collector::start(&config("{}", SCRAPED, &format!("tailrace: {{fail_point: {fault}}}")));
        let address = collector.address("health");
        assert_eq!(status(address), Some(200), "{fault}");
        send_all(&collector);
        eventually(fault, Duration::from_secs(limit), || status(address) == Some(503));
        assert!(collector.log().contains(&format!("not healthy any more: {told}")), "{fault}: {}", collector.log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn not_from_the_moment_a_stop_begins() {
    let sink = Sink::start(SinkOptions::default()).await.expect("a sink");
    sink.behave(Behavior::Stall);
    let exporter = format!("{{endpoint: \"{}\", timeout: 1s, tls: {{insecure: true}}}}", sink.address());
    let settings = config(&exporter, SCRAPED, "")
        .replace("nop/out", "otlp_grpc/out")
        .replace("decision_wait: 1s", "decision_wait: 1h");
    let mut collector = Collector::start(&settings);
    let address = collector.address("health");
    let options = Generate {
        target: Target::Grpc(collector.address("grpc").to_string()),
        rate: 10_000,
        duration: Duration::from_secs(2),
        keep: Keep::Everything,
        ..Generate::default()
    };
    let report = load::generate(options, std::future::pending()).await.expect("the load");
    assert_eq!(status(address), Some(200));
    collector.signal("-TERM");
    collector.wait_until("stopping", |log| log.contains("stopping"));
    // It has not ended, since the destination takes nothing yet.
    assert_eq!(status(address), Some(503));
    assert_eq!(probe(address).map(|(_, body)| body.contains("Server not available")), Some(true));
    sink.behave(Behavior::Accept);
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while sink.counts().spans != report.expected.spans && std::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(sink.counts().spans, report.expected.spans, "what was held is delivered: {}", collector.log());
}

#[test]
fn a_reload_changes_the_answer_and_keeps_the_socket() {
    let settings = config("{}", SCRAPED, "");
    let mut collector = Collector::start(&settings);
    let address = collector.address("health");
    collector.write(&settings.replace(
        "health_check: {endpoint: \"127.0.0.1:0\"}",
        "health_check: {endpoint: \"127.0.0.1:0\", path: /alive, response_body: {healthy: good}}",
    ));
    collector.signal("-HUP");
    collector.wait_until("reloaded", |log| log.contains("the new configuration is in force"));
    assert!(get(address, "/alive").ends_with("\r\n\r\ngood"));
    assert!(get(address, "/").starts_with("HTTP/1.0 404"));
}
