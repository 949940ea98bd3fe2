//! OTLP/JSON in, Zipkin JSON out.

use super::*;

const IDS: &str = r#""traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7""#;

fn encoded(resource: &str, scope: &str, spans: &[String]) -> Encoded {
    let json = format!(
        r#"{{"resourceSpans":[{{"resource":{resource},"scopeSpans":[{{"scope":{scope},"spans":[{}]}}]}}]}}"#,
        spans.join(",")
    );
    let request =
        otlp::json::decode(otlp::Signal::Traces, json.as_bytes()).unwrap_or_else(|error| panic!("{json}: {error}"));
    encode(&request, &Settings::default(), usize::MAX).unwrap()
}

/// One span of the service `cart` with these members; `expected` is everything between the IDs and the end.
#[track_caller]
fn check(members: &str, expected: &str) {
    let cart = r#"{"attributes":[{"key":"service.name","value":{"stringValue":"cart"}}]}"#;
    let encoded = encoded(cart, "{}", &[format!("{{{IDS}{members}}}")]);
    let body = String::from_utf8(encoded.body).unwrap();
    let id = r#"[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","id":"00f067aa0ba902b7""#;
    assert_eq!(body, format!("{id}{expected}}}]"));
    serde_json::from_str::<serde_json::Value>(&body).unwrap();
}

/// String attributes.
type Pairs = &'static [(&'static str, &'static str)];

const CART: &str = r#","localEndpoint":{"serviceName":"cart"}"#;

fn tag(key: &str, value: &str) -> String {
    format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#)
}

#[test]
fn everything_at_once() {
    let resource = r#"{"attributes":[{"key":"service.name","value":{"stringValue":"cart"}},{"key":"host.cpus","value":{"intValue":4}},{"key":"both","value":{"stringValue":"resource"}}]}"#;
    let scope = r#"{"name":"app","version":"2.3","attributes":[{"key":"s","value":{"boolValue":true}}]}"#;
    let span = format!(
        r#"{{{IDS},"parentSpanId":"84ca8d78bebc9359","name":"GET /Cart","kind":3,"startTimeUnixNano":1767225600302333727,"endTimeUnixNano":1767225600302334227,
        "traceState":"a=b","droppedAttributesCount":1,"droppedEventsCount":2,"droppedLinksCount":3,"status":{{"code":2,"message":"no \"way\""}},
        "attributes":[{{"key":"both","value":{{"stringValue":"span"}}}},{{"key":"list","value":{{"arrayValue":{{"values":[{{"intValue":1}},{{"stringValue":"x"}}]}}}}}}],
        "events":[{{"timeUnixNano":1767225600302333499,"name":"plain"}},{{"timeUnixNano":1500,"name":"exception","attributes":[{{"key":"n","value":{{"intValue":2}}}}],"droppedAttributesCount":9}}],
        "links":[{{"traceId":"00000000000000000000000000000001","spanId":"0000000000000002","traceState":"c=d","attributes":[{{"key":"l","value":{{"doubleValue":1.5}}}}]}}]}}"#
    );
    let body = String::from_utf8(encoded(resource, scope, &[span]).body).unwrap();
    let expected = concat!(
        r#"[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","id":"00f067aa0ba902b7","parentId":"84ca8d78bebc9359","name":"GET /Cart","kind":"CLIENT","#,
        r#""timestamp":1767225600302334,"duration":1,"localEndpoint":{"serviceName":"cart"},"#,
        r#""annotations":[{"timestamp":1767225600302333,"value":"plain"},{"timestamp":2,"value":"exception|{\"n\":2}|9"}],"#,
        r#""tags":{"both":"span","error":"no \"way\"","host.cpus":"4","list":"[1,\"x\"]","otel.dropped_attributes_count":"1","otel.dropped_events_count":"2","#,
        r#""otel.dropped_links_count":"3","otel.scope.name":"app","otel.scope.version":"2.3","otel.status_code":"ERROR","otel.status_description":"no \"way\"","#,
        r#""otlp.link.0":"00000000000000000000000000000001|0000000000000002|c=d|{\"l\":1.5}|0","s":"true","w3c.tracestate":"a=b"}}]"#
    );
    assert_eq!(body, expected);
}

#[test]
fn kinds() {
    check(r#","kind":2"#, &format!(r#","kind":"SERVER"{CART}"#));
    check(r#","kind":4"#, &format!(r#","kind":"PRODUCER"{CART}"#));
    check(r#","kind":5"#, &format!(r#","kind":"CONSUMER"{CART}"#));
    check(r#","kind":1"#, &format!(r#"{CART},"tags":{{"span.kind":"internal"}}"#));
    for kind in ["0", "99", "-1"] {
        check(&format!(r#","kind":{kind}"#), CART);
    }
}

#[test]
fn times_are_microseconds() {
    let cases = [
        ((0, 0), ""),
        ((0, 5000), ""),
        ((1_000_000, 0), r#","timestamp":1000"#),
        ((1_000_499, 1_000_499), r#","timestamp":1000"#),
        ((1_000_500, 1_000_501), r#","timestamp":1001,"duration":1"#),
        ((1_000_000, 1_001_234), r#","timestamp":1000,"duration":1"#),
        ((1_000_000, 1_001_500), r#","timestamp":1000,"duration":2"#),
        ((1_000_000, 999_999), r#","timestamp":1000"#),
        ((1, u64::MAX), r#","timestamp":0,"duration":18446744073709552"#),
    ];
    for ((start, end), expected) in cases {
        let members = format!(r#","startTimeUnixNano":{start},"endTimeUnixNano":"{end}""#);
        check(&members, &format!("{expected}{CART}"));
    }
}

#[test]
fn status() {
    let error_attribute = tag("error", "false");
    let cases = [
        (String::from(r#","status":{"code":2}"#), r#","tags":{"error":"true","otel.status_code":"ERROR"}"#),
        (String::from(r#","status":{"code":1}"#), r#","tags":{"otel.status_code":"OK"}"#),
        (String::from(r#","status":{"code":0,"message":"x"}"#), ""),
        (format!(r#","attributes":[{error_attribute}]"#), ""),
        (
            format!(r#","status":{{"code":2,"message":"m"}},"attributes":[{error_attribute}]"#),
            r#","tags":{"error":"m","otel.status_code":"ERROR","otel.status_description":"m"}"#,
        ),
    ];
    for (members, tags) in cases {
        check(&members, &format!("{CART}{tags}"));
    }
}

#[test]
fn endpoints() {
    let cases: [(Pairs, &str, &str); 7] = [
        (&[("peer.service", "db"), ("server.address", "h")], "3", r#"{"serviceName":"db"}"#),
        (&[("peer.service", "db")], "2", r#"{"serviceName":"db"}"#),
        (&[("server.address", "h")], "2", ""),
        (&[("server.address", "h"), ("peer.address", "p")], "3", r#"{"serviceName":"h"}"#),
        (
            &[("network.peer.address", "10.0.0.1"), ("network.peer.port", "99"), ("db.name", "d")],
            "4",
            r#"{"ipv4":"10.0.0.1","port":99}"#,
        ),
        (&[("net.peer.ip", "::1"), ("net.peer.port", "99999")], "2", r#"{"ipv6":"::1"}"#),
        (&[("network.peer.address", "/run/x.sock"), ("db.name", "d")], "3", r#"{"serviceName":"d"}"#),
    ];
    for (attributes, kind, remote) in cases {
        let list: Vec<_> = attributes.iter().map(|(key, value)| tag(key, value)).collect();
        let members = format!(r#","kind":{kind},"attributes":[{}]"#, list.join(","));
        let cart = r#"{"attributes":[{"key":"service.name","value":{"stringValue":"cart"}}]}"#;
        let body = encoded(cart, "{}", &[format!("{{{IDS}{members}}}")]).body;
        let spans: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let found = spans[0].get("remoteEndpoint").map(ToString::to_string).unwrap_or_default();
        let expected = if remote.is_empty() {
            String::new()
        } else {
            serde_json::from_str::<serde_json::Value>(remote).unwrap().to_string()
        };
        assert_eq!(found, expected, "{attributes:?}");
        assert_eq!(spans[0]["tags"].as_object().unwrap().len(), attributes.len(), "peer attributes stay tags");
    }
    let local = format!(r#","attributes":[{},{}]"#, tag("net.host.ip", "10.0.0.2"), tag("net.host.port", "80"));
    check(
        &local,
        r#","localEndpoint":{"serviceName":"cart","ipv4":"10.0.0.2","port":80},"tags":{"net.host.ip":"10.0.0.2","net.host.port":"80"}"#,
    );
}

#[test]
fn service_names() {
    let cases: [(Pairs, &str, &str); 4] = [
        (&[], "<missing service name>", ""),
        (&[("service.name", "")], "<missing service name>", ""),
        (&[("faas.name", "f"), ("service.name", "s")], "s", ""),
        (&[("k8s.deployment.name", "k"), ("process.executable.name", "p")], "k", "k8s.deployment.name"),
    ];
    for (attributes, name, source) in cases {
        let list: Vec<_> = attributes.iter().map(|(key, value)| tag(key, value)).collect();
        let resource = format!(r#"{{"attributes":[{}]}}"#, list.join(","));
        let spans: serde_json::Value =
            serde_json::from_slice(&encoded(&resource, "{}", &[format!("{{{IDS}}}")]).body).unwrap();
        assert_eq!(spans[0]["localEndpoint"]["serviceName"], name, "{attributes:?}");
        assert_eq!(spans[0]["tags"]["otlp.service.name.source"].as_str().unwrap_or_default(), source);
    }
}

#[test]
fn spans_without_ids_are_counted() {
    let good = format!("{{{IDS}}}");
    let bad = [
        String::from("{}"),
        String::from(r#"{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}"#),
        String::from(r#"{"spanId":"00f067aa0ba902b7"}"#),
        String::from(r#"{"traceId":"00000000000000000000000000000000","spanId":"00f067aa0ba902b7"}"#),
    ];
    let mut spans = vec![good.clone()];
    spans.extend(bad);
    spans.push(good);
    let encoded = encoded("{}", "{}", &spans);
    assert_eq!((encoded.spans, encoded.rejected), (2, 4));
    assert_eq!(serde_json::from_slice::<Vec<serde_json::Value>>(&encoded.body).unwrap().len(), 2);
    check(r#","parentSpanId":"0000000000000000""#, CART);
}

#[test]
fn limits_and_faults() {
    let settings = Settings::default();
    assert_eq!(encode(b"", &settings, 10).unwrap().body, b"[]");
    assert_eq!(encode(&[0x0a, 9], &settings, 10).unwrap_err(), EncodeError::Malformed(WireError::PastTheEnd));
    let json = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{IDS}}},{{{IDS}}}]}}]}}]}}"#);
    let request = otlp::json::decode(otlp::Signal::Traces, json.as_bytes()).unwrap();
    let error = encode(&request, &settings, 200).unwrap_err();
    assert_eq!(error, EncodeError::TooLarge { bytes_max: 200 });
    assert_eq!(error.to_string(), "the spans take more than 200 bytes as Zipkin JSON");
}

#[test]
fn recorded_traces_convert_whole_or_cut() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/conformance/");
    for name in ["packed.jsonl", "vector_trace.jsonl"] {
        for line in std::fs::read_to_string(format!("{path}{name}")).unwrap().lines() {
            let request = otlp::json::decode(otlp::Signal::Traces, line.as_bytes()).unwrap();
            let encoded = encode(&request, &Settings::default(), usize::MAX).unwrap();
            let spans: Vec<serde_json::Value> = serde_json::from_slice(&encoded.body).unwrap();
            assert_eq!(spans.len(), view::spans(&request).count());
            assert_eq!((spans.len() as u64, 0), (encoded.spans, encoded.rejected));
            // Cut or changed anywhere: no panic, whatever comes out.
            for at in (0..request.len()).step_by(1 + request.len() / 8) {
                let mut broken = request.clone();
                broken[at] ^= 0x55;
                let _ = encode(&broken, &Settings::default(), usize::MAX);
                let _ = encode(&request[..at], &Settings::default(), usize::MAX);
            }
        }
    }
}
