//! OTLP/HTTP, row by row.

use ::http::Method;
use prost::Message;

use super::*;

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const JSON: (&str, &str) = ("content-type", "application/json");

/// The status and the message of a refusal, whose body must be a `google.rpc.Status` in the request's encoding.
fn check(answer: &Answer, status: u16, content_type: &str, message: &str) {
    assert_eq!((answer.status, answer.header("content-type")), (status, content_type), "{answer:?}");
    let told = match content_type {
        "application/x-protobuf" => RpcStatus::decode(&*answer.body).unwrap().message,
        _ => serde_json::from_slice::<serde_json::Value>(&answer.body).unwrap()["message"].as_str().unwrap().to_owned(),
    };
    assert!(told.contains(message), "{told}");
}

#[tokio::test]
async fn a_body_arrives_as_it_was_sent() {
    let bench = Bench::start(FakeIntake::accepting()).await;
    // The last one is put together in a buffer that the one before has left.
    let bodies = [0, 1, 9000, 100_000, 20 << 20, 900_000, 600_000].map(sample);
    for body in &bodies {
        let answer = bench.post(&[PROTOBUF], body.clone()).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/x-protobuf"));
        assert!(answer.body.is_empty(), "full success leaves `partial_success` unset");
    }
    assert_eq!(bench.intake.bodies(), bodies);
    assert_eq!(bench.intake.seen.lock()[0].1.transport, Transport::Http);
    assert_eq!(bench.budget.used(), 0, "every charge was given back");
    assert_eq!(bench.counts(Transport::Http).accepted_requests, 7);
}

#[tokio::test]
async fn both_versions_of_http_are_spoken_on_one_port() {
    let bench = Bench::start(FakeIntake::accepting()).await;
    let request = Request::post(format!("http://{}/v1/traces", bench.address(Transport::Http)));
    let request = request.header(PROTOBUF.0, PROTOBUF.1).body(Full::from(sample(50_000))).unwrap();
    let answer = send_http2(bench.connect(Transport::Http).await, request).await;
    assert_eq!(answer.status, 200);
    assert_eq!(bench.intake.bodies(), [sample(50_000)]);
}

#[tokio::test]
async fn a_body_in_chunks_is_put_together() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let bench = Bench::start(FakeIntake::accepting()).await;
    let mut stream = bench.connect(Transport::Http).await;
    stream
        .write_all(
            b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n\
              transfer-encoding: chunked\r\nconnection: close\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
        )
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(bench.intake.bodies(), [&b"hello world"[..]]);
}

#[tokio::test]
async fn crumbs_are_put_together_too() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let bench = Bench::start(FakeIntake::accepting()).await;
    let mut stream = bench.connect(Transport::Http).await;
    let head = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n\
                 transfer-encoding: chunked\r\nconnection: close\r\n\r\n";
    let body = sample(3000);
    let mut sent = head.to_vec();
    for crumb in body.chunks(3) {
        sent.extend(format!("{:x}\r\n{}\r\n", crumb.len(), std::str::from_utf8(crumb).unwrap()).bytes());
    }
    sent.extend(b"0\r\n\r\n");
    stream.write_all(&sent).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(bench.intake.bodies(), [body]);
    assert_eq!(bench.budget.used(), 0);
}

#[tokio::test]
async fn every_coding_is_inflated() {
    let bench = Bench::start(FakeIntake::accepting()).await;
    let plain = sample(300_000);
    for (name, encoding) in [
        ("gzip", Encoding::Gzip),
        ("zstd", Encoding::Zstd),
        ("zlib", Encoding::Zlib),
        ("deflate", Encoding::Zlib),
        ("snappy", Encoding::Snappy),
        ("snappy", Encoding::SnappyFramed),
        ("x-snappy-framed", Encoding::SnappyFramed),
        ("lz4", Encoding::Lz4),
    ] {
        let answer = bench.post(&[PROTOBUF, ("content-encoding", name)], compress(encoding, &plain)).await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        assert_eq!(bench.intake.bodies().pop().unwrap(), plain, "{name}");
    }
    assert_eq!(bench.post(&[PROTOBUF, ("content-encoding", "")], sample(10)).await.status, 200);
    assert_eq!(bench.budget.used(), 0);
}

#[tokio::test]
async fn an_unknown_coding_is_refused_with_those_that_work() {
    let bench = Bench::start(FakeIntake::accepting()).await;
    for name in ["identity", "none", "GZIP", "br", "gzip, gzip"] {
        let answer = bench.post(&[PROTOBUF, ("content-encoding", name)], "x").await;
        let expected =
            format!("`{name}`, use one of `gzip`, `zstd`, `zlib`, `snappy`, `deflate`, `lz4`, `x-snappy-framed`");
        check(&answer, 400, "application/x-protobuf", &expected);
    }
    let two = bench.post(&[JSON, ("content-encoding", "gzip"), ("content-encoding", "gzip")], "x").await;
    check(&two, 400, "application/json", "unsupported compression");
    for (name, encoding) in
        [("gzip", Encoding::Zlib), ("deflate", Encoding::Gzip), ("x-snappy-framed", Encoding::Snappy)]
    {
        let answer = bench.post(&[PROTOBUF, ("content-encoding", name)], compress(encoding, &sample(100))).await;
        assert_eq!(answer.status, 400, "{name} that is {encoding:?}");
    }
    let only =
        Bench::with(FakeIntake::accepting(), |_, http| http.compression_algorithms = vec![HttpCoding::Zstd]).await;
    check(&only.post(&[PROTOBUF], "x").await, 400, "application/x-protobuf", "use one of `zstd`");
    check(&only.post(&[PROTOBUF, ("content-encoding", "gzip")], "x").await, 400, "application/x-protobuf", "`zstd`");
}

#[tokio::test]
async fn json_becomes_protobuf() {
    let bench = Bench::start(FakeIntake::accepting()).await;
    let span = r#"{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"checkout"}"#;
    let json = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{span}]}}]}}]}}"#);
    for content_type in ["application/json", "application/json; charset=utf-8", "Application/JSON"] {
        let answer = bench.post(&[("content-type", content_type)], json.clone()).await;
        assert_eq!((answer.status, answer.text()), (200, r#"{"partialSuccess":{}}"#));
        assert_eq!(answer.header("content-type"), "application/json");
    }
    let body = bench.intake.bodies().pop().unwrap();
    assert_eq!(body, otlp::json::decode(otlp::Signal::Traces, json.as_bytes()).unwrap());
    let gzip = compress(Encoding::Gzip, json.as_bytes());
    assert_eq!(bench.post(&[JSON, ("content-encoding", "gzip")], gzip).await.status, 200);
    for broken in ["", "[]", "{", r#"{"resourceSpans":{}}"#] {
        check(&bench.post(&[JSON], broken).await, 400, "application/json", "not OTLP/JSON");
    }
    assert_eq!(bench.budget.used(), 0);
}

#[tokio::test]
async fn wrong_methods_paths_and_types_get_a_status_each() {
    let bench = Bench::start(FakeIntake::accepting()).await;
    let check_request = async |method: Method, path: &str, content_type: &str, status, told: &str| {
        let mut request = Request::builder().method(method).uri(path).header("host", "x");
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        let answer = bench.request(request.body(Full::default()).unwrap()).await;
        let expected = if content_type == PROTOBUF.1 { PROTOBUF.1 } else { JSON.1 };
        check(&answer, status, expected, told);
        answer
    };
    let answer = check_request(Method::GET, "/v1/traces", "", 405, "`POST`").await;
    assert_eq!(answer.header("allow"), "POST");
    check_request(Method::PUT, "/v1/traces", PROTOBUF.1, 405, "`POST`").await;
    check_request(Method::OPTIONS, "/v1/traces", "", 405, "`POST`").await;
    check_request(Method::POST, "/v1/traces", "", 415, "content type").await;
    check_request(Method::POST, "/v1/traces", "text/plain", 415, "`text/plain`").await;
    check_request(Method::POST, "/v1/traces/", JSON.1, 404, "`/v1/traces/` is not served").await;
    check_request(Method::GET, "/", "", 404, "is not served").await;
    check_request(Method::POST, "/v1/metrics", PROTOBUF.1, 404, "`/v1/metrics`").await;
    let moved = Bench::with(FakeIntake::accepting(), |_, http| http.traces_url_path = "/spans".to_owned()).await;
    let request = Request::post("/spans?x=y").header("host", "x").header(PROTOBUF.0, PROTOBUF.1);
    assert_eq!(moved.request(request.body(Full::default()).unwrap()).await.status, 200);
}

#[tokio::test]
async fn what_the_intake_says_reaches_the_client() {
    let bench = Bench::start(FakeIntake::new(|body| match body {
        b"" => Ok(Accepted { items: 3, rejected: 2, message: "2 without a trace ID".to_owned() }),
        b"broken" => Err(Refusal::Malformed("truncated varint".to_owned())),
        b"full" => Err(Refusal::Overloaded { retry_after: Duration::from_millis(900) }),
        b"fuller" => Err(Refusal::Overloaded { retry_after: Duration::from_millis(2001) }),
        _ => Err(Refusal::ShuttingDown),
    }))
    .await;
    let partly = bench.post(&[JSON], "{}").await;
    let expected = r#"{"partialSuccess":{"errorMessage":"2 without a trace ID","rejectedSpans":"2"}}"#;
    assert_eq!((partly.status, partly.text()), (200, expected));
    let broken = bench.post(&[PROTOBUF], "broken").await;
    check(&broken, 400, PROTOBUF.1, "truncated varint");
    let status = RpcStatus::decode(&*broken.body).unwrap();
    assert_eq!((status.code, &*status.details[0].type_url), (3, "type.googleapis.com/google.rpc.BadRequest"));
    let full = bench.post(&[PROTOBUF], "full").await;
    check(&full, 503, PROTOBUF.1, "no room");
    assert_eq!(full.header("retry-after"), "1", "0.9 s is not now");
    assert_eq!(RpcStatus::decode(&*full.body).unwrap().delay(), Some(Duration::from_millis(900)));
    assert_eq!(bench.post(&[PROTOBUF], "fuller").await.header("retry-after"), "3");
    check(&bench.post(&[PROTOBUF], "ending").await, 503, PROTOBUF.1, "shutting down");
    let counts = bench.counts(Transport::Http);
    assert_eq!(
        (counts.rejected_items, counts.refused_requests(), counts.refused_for(RefusedReason::Overloaded)),
        (2, 4, 2)
    );
}

#[tokio::test]
async fn headers_of_the_settings_are_on_every_answer() {
    let bench = Bench::with(FakeIntake::accepting(), |_, http| {
        http.response_headers = Some(vec![("x-served-by".to_owned(), ::settings::Secret::new("a mill"))]);
    })
    .await;
    assert_eq!(bench.post(&[PROTOBUF], "").await.header("x-served-by"), "a mill");
    assert_eq!(bench.post(&[], "").await.header("x-served-by"), "a mill");
}

#[tokio::test]
async fn browsers_may_post_from_allowed_origins_alone() {
    let bench = Bench::with(FakeIntake::accepting(), |_, http| {
        http.cors = Some(Cors {
            allowed_origins: vec!["https://*.shop.example".to_owned()],
            allowed_headers: Vec::new(),
            exposed_headers: vec!["X-Trace".to_owned()],
            max_age: 7200,
        });
    })
    .await;
    let preflight = async |origin: &str, method: &str, headers: &str| {
        let request = Request::options("/v1/traces")
            .header("host", "x")
            .header("origin", origin)
            .header("access-control-request-method", method)
            .header("access-control-request-headers", headers);
        let answer = bench.request(request.body(Full::default()).unwrap()).await;
        assert_eq!(answer.status, 204, "{answer:?}");
        answer
    };
    let allowed = preflight("https://www.shop.example", "POST", "content-type, x-requested-with").await;
    for (name, value) in [
        ("access-control-allow-origin", "https://www.shop.example"),
        ("access-control-allow-methods", "POST"),
        ("access-control-allow-headers", "content-type, x-requested-with"),
        ("access-control-allow-credentials", "true"),
        ("access-control-max-age", "7200"),
        ("vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
    ] {
        assert_eq!(allowed.header(name), value, "{name}");
    }
    for (origin, method, headers) in [
        ("https://evil.example", "POST", "content-type"),
        ("https://www.shop.example", "DELETE", "content-type"),
        ("https://www.shop.example", "POST", "x-other"),
    ] {
        let refused = preflight(origin, method, headers).await;
        assert_eq!(refused.header("access-control-allow-origin"), "", "{origin} {method} {headers}");
    }
    let posted = bench.post(&[PROTOBUF, ("origin", "https://a.shop.example")], "x").await;
    assert_eq!((posted.status, posted.header("access-control-allow-origin")), (200, "https://a.shop.example"));
    assert_eq!((posted.header("access-control-expose-headers"), posted.header("vary")), ("X-Trace", "Origin"));
    let elsewhere = bench.post(&[PROTOBUF, ("origin", "https://evil.example")], "x").await;
    assert_eq!((elsewhere.status, elsewhere.header("access-control-allow-origin")), (200, ""));
}

#[tokio::test]
async fn a_bare_star_allows_every_origin() {
    let bench = Bench::with(FakeIntake::accepting(), |_, http| {
        http.cors = Some(Cors { allowed_origins: vec!["*".to_owned()], ..Cors::default() });
    })
    .await;
    let posted = bench.post(&[PROTOBUF, ("origin", "https://anyone.example")], "x").await;
    assert_eq!(posted.header("access-control-allow-origin"), "*");
}
