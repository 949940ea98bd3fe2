//! The settings as tables: YAML in, what `print-config` shows or the problems out.

use settings::{Decode, Mode, Node};

use super::*;

/// What the receiver makes of `yaml`, printed; or its problems.
fn effective(yaml: &str) -> Result<String, String> {
    let (node, sources, mut problems) = settings::load(&[format!("yaml:{yaml}")], &[], &|_| None);
    let receiver = OtlpReceiver::decode(&node.unwrap_or_else(Node::null), &mut problems);
    match receiver {
        Some(receiver) if !problems.has_errors() => Ok(receiver.effective().to_yaml(Mode::Redacted)),
        _ => Err(problems.render(&sources)),
    }
}

/// `yaml` is accepted and printed with these lines.
fn check(yaml: &str, expected: &[&str]) {
    let printed = effective(yaml).unwrap_or_else(|problems| panic!("{yaml}\n{problems}"));
    let lines: Vec<_> = printed.lines().map(str::trim).collect();
    for line in expected {
        assert!(lines.contains(line), "{yaml}\nno `{line}` in\n{printed}");
    }
}

/// `yaml` has this problem, and it is located.
fn refused(yaml: &str, expected: &str) {
    let problems = effective(yaml).expect_err(yaml);
    assert!(problems.contains(expected) && problems.contains(":1:"), "{yaml}\n{problems}");
}

#[test]
fn the_defaults_are_otelcols() {
    let expected = "\
protocols:
    grpc:
        endpoint: localhost:4317
        keepalive:
            enforcement_policy: {}
            server_parameters: {}
        read_buffer_size: 524288
        transport: tcp
    http:
        cors: null
        endpoint: localhost:4318
        keep_alives_enabled: true
        logs_url_path: /v1/logs
        metrics_url_path: /v1/metrics
        read_header_timeout: 0s
        tls: null
        traces_url_path: /v1/traces
        transport: tcp
        write_timeout: 0s
";
    for yaml in ["protocols: {grpc: , http: }", "protocols: {grpc: {}, http: {}}"] {
        assert_eq!(effective(yaml).as_deref(), Ok(expected), "{yaml}");
    }
    assert!(effective("protocols: {grpc: }").unwrap().ends_with("    http: null\n"));
}

#[test]
fn what_is_written_is_printed() {
    let grpc = |settings: &str, expected: &[&str]| check(&format!("protocols: {{grpc: {{{settings}}}}}"), expected);
    grpc("endpoint: '0.0.0.0:0', transport: tcp4", &["endpoint: 0.0.0.0:0", "transport: tcp4"]);
    grpc("endpoint: /run/otlp.sock, transport: unix", &["endpoint: /run/otlp.sock", "transport: unix"]);
    grpc(
        "max_recv_msg_size_mib: 64, max_concurrent_streams: 16",
        &["max_recv_msg_size_mib: 64", "max_concurrent_streams: 16"],
    );
    grpc("keepalive: {server_parameters: {max_connection_age: 1h}}", &["max_connection_age: 1h0m0s"]);
    grpc("keepalive: {enforcement_policy: {permit_without_stream: true}}", &["permit_without_stream: true"]);
    grpc(
        "tls: {cert_file: c.pem, key_file: k.pem, client_ca_file: ca.pem}",
        &["cert_file: c.pem", "client_ca_file: ca.pem"],
    );
    grpc("middlewares: [{id: memory_limiter}]", &["- id: memory_limiter"]);
    grpc("include_metadata: true, middlewares: [], dialer: {timeout: 1s}", &["include_metadata: true"]);
    let http = |settings: &str, expected: &[&str]| check(&format!("protocols: {{http: {{{settings}}}}}"), expected);
    http("max_request_body_size: 67108864", &["max_request_body_size: 67108864"]);
    http("max_request_body_size: -1, read_timeout: 30s", &["max_request_body_size: -1", "read_timeout: 30s"]);
    http("cors: {allowed_origins: ['https://*.x'], max_age: 7200}", &["- https://*.x", "max_age: 7200"]);
    http("compression_algorithms: ['', gzip]", &["- gzip"]);
    http("compression_algorithms: []", &["compression_algorithms: []"]);
    http("response_headers: {}, middlewares: []", &["response_headers: []", "middlewares: []"]);
    http("response_headers: {x-a: b}", &["- name: x-a", "value: '[REDACTED]'"]);
    http("response_headers: [{name: x-a, value: b}]", &["- name: x-a", "value: '[REDACTED]'"]);
    http("traces_url_path: spans", &["traces_url_path: /spans"]);
    http("keepalive: {idle_timeout: 5m}", &["keep_alives_enabled: true", "idle_timeout: 5m0s"]);
    http("idle_timeout: 5m", &["keep_alives_enabled: true", "idle_timeout: 5m0s"]);
    for off in ["keepalive: {enabled: false, idle_timeout: 5m}", "keep_alives_enabled: false"] {
        let printed = effective(&format!("protocols: {{http: {{{off}}}}}")).unwrap();
        assert!(!printed.contains("keep_alives") && !printed.contains("idle_timeout"), "{printed}");
    }
    let auth = &["auth:", "authenticator: basicauth/server"];
    grpc("auth: {authenticator: basicauth/server}", auth);
    http("auth: {authenticator: basicauth/server, request_params: [token]}", &[auth[1], "request_params:", "- token"]);
    http("dialer: {timeout: 1s}", &["dialer:", "timeout: 1s"]);
}

#[test]
fn mistakes_are_told_with_the_way_out() {
    refused("{}", "the `otlp` receiver needs at least one protocol");
    refused("protocols: {}", "the `otlp` receiver needs at least one protocol");
    refused("protocols: {gprc: }", "unknown setting `gprc` in `protocols`, did you mean `grpc`?");
    refused("protocol: {grpc: }", "unknown setting `protocol` in `otlp`, did you mean `protocols`?");
    refused("protocols: {grpc: {endpoint: localhost}}", "`localhost` has no port");
    refused("protocols: {grpc: {endpoint: 'a:70000'}}", "is no port");
    refused("protocols: {grpc: {transport: udp}}", "the transport `udp` is not supported");
    refused("protocols: {grpc: {max_recv_msg_size_mib: -1}}", "`max_recv_msg_size_mib` must be zero or more");
    refused("protocols: {grpc: {auth: {}}}", "`auth` needs the setting `authenticator`");
    refused("protocols: {grpc: {auth: {authenticator: x, request_params: [a]}}}", "unknown setting `request_params`");
    refused("protocols: {http: {idle_timeout: 1m, keepalive: {}}}", "`idle_timeout` cannot stand beside `keepalive`");
    refused("protocols: {http: {middlewares: [{ib: x}]}}", "did you mean `id`?");
    refused("protocols: {http: {compression_algorithms: [gzpi]}}", "unknown compression `gzpi`, did you mean `gzip`?");
    refused("protocols: {http: {tls: {cert_file: a}}}", "`tls` of a server needs both a certificate and its key");
    refused("protocols: {http: {response_headers: {'a b': c}}}", "`a b` with its value is not a header");
    refused("protocols: {http: {cors: {allowed_origin: [x]}}}", "did you mean `allowed_origins`?");
}

#[test]
fn zero_means_the_bound() {
    let grpc = GrpcServer::default();
    assert_eq!((grpc.message_bytes_max(), grpc.streams_max()), (4 << 20, GrpcServer::STREAMS_MAX));
    assert_eq!(GrpcServer { max_recv_msg_size_mib: u64::MAX, ..grpc }.message_bytes_max(), u32::MAX as usize);
    let http = HttpServer { max_request_body_size: -1, ..HttpServer::default() };
    assert_eq!(http.body_bytes_max(), 20 << 20);
}
