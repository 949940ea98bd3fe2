//! The settings of all exporters as tables: YAML in, what `print-config` shows or the problems out.

use settings::{Mode, Node, Problems};

use super::debug::DebugSettings;
use super::file::FileSettings;
use super::otlp_grpc::OtlpGrpcSettings;
use super::otlp_http::OtlpHttpSettings;
use super::zipkin::ZipkinSettings;

/// What the exporter makes of `yaml`, all settings; or its problems.
fn effective(exporter: &str, yaml: &str) -> Result<String, String> {
    let uri = format!("yaml:{yaml}");
    let (node, sources, mut problems) = settings::load(&[uri], &[], &|_| None);
    let node = node.unwrap_or_else(Node::null);
    let p: &mut Problems = &mut problems;
    let effective = match exporter {
        "otlp_grpc" => OtlpGrpcSettings::decode(&node, p).map(|settings| settings.effective()),
        "otlp_http" => OtlpHttpSettings::decode(&node, p).map(|settings| settings.effective()),
        "file" => FileSettings::decode(&node, p).map(|settings| settings.effective()),
        "zipkin" => ZipkinSettings::decode(&node, p).map(|settings| settings.effective()),
        "debug" => DebugSettings::decode(&node, p).map(|settings| settings.effective()),
        _ => DebugSettings::decode_logging(&node, p).map(|settings| settings.effective()),
    };
    match effective {
        Some(node) if problems.is_empty() => Ok(node.to_yaml(Mode::Redacted)),
        Some(_) if problems.is_empty() => unreachable!(),
        _ => Err(problems.render(&sources)),
    }
}

/// `yaml` is accepted, and printed with these lines beside the defaults.
fn check(exporter: &str, yaml: &str, expected: &[&str]) {
    let printed = effective(exporter, yaml).unwrap_or_else(|problems| panic!("{exporter}: {yaml}\n{problems}"));
    let lines: Vec<_> = printed.lines().map(str::trim).collect();
    for line in expected {
        assert!(lines.contains(line), "{exporter}: {yaml}\nno `{line}` in\n{printed}");
    }
}

/// `yaml` has this problem, and it is located.
fn refused(exporter: &str, yaml: &str, expected: &str) {
    let problems = effective(exporter, yaml).expect_err(yaml);
    assert!(problems.contains(expected) && problems.contains(":1:"), "{exporter}: {yaml}\n{problems}");
}

const RETRY: &str = "\
retry_on_failure:
    enabled: true
    initial_interval: 5s
    max_elapsed_time: 5m0s
    max_interval: 30s
    multiplier: 1.5
    randomization_factor: 0.5
";

const QUEUE: &str = "\
sending_queue:
    batch: null
    block_on_overflow: false
    num_consumers: 10
    queue_size: 1000
    sizer: {}
    storage: null
    wait_for_result: false
";

#[test]
fn the_defaults_are_otelcols() {
    let expected = [
        "balancer_name: round_robin\ncompression: gzip\nendpoint: b:4317\n",
        RETRY,
        QUEUE,
        "timeout: 5s\nwrite_buffer_size: 524288\n",
    ];
    assert_eq!(effective("otlp_grpc", "endpoint: b:4317").unwrap(), expected.concat());
    let expected = [
        "compression: gzip\nencoding: proto\nendpoint: http://b:4318\nforce_attempt_http2: true\nidle_conn_timeout: 1m30s\n",
        "logs_endpoint: \"\"\nmax_idle_conns: 100\nmetrics_endpoint: \"\"\nprofiles_endpoint: \"\"\n",
        RETRY,
        QUEUE,
        "timeout: 30s\ntraces_endpoint: \"\"\nwrite_buffer_size: 524288\n",
    ];
    assert_eq!(effective("otlp_http", "endpoint: http://b:4318").unwrap(), expected.concat());
    let expected = "output_paths: []\nsampling_initial: 2\nsampling_thereafter: 1\nsending_queue: null\nuse_internal_logger: true\n";
    assert_eq!(effective("debug", "").unwrap(), expected);
    let expected = "\
append: false
compression: \"\"
compression_params: {}
create_directory: false
directory_permissions: \"\"
encoding: null
flush_interval: 1s
format: json
group_by:
    enabled: false
    max_open_files: 100
    resource_attribute: fileexporter.path_segment
path: x
";
    assert_eq!(effective("file", "path: x").unwrap(), expected);
    let defaults = ["default_service_name: <missing service name>", "format: json", "timeout: 5s", "num_consumers: 10"];
    check("zipkin", "endpoint: http://z:9411/api/v2/spans", &defaults);
}

#[test]
fn what_is_written_is_printed() {
    for (exporter, yaml, expected) in [
        (
            "otlp_grpc",
            "{endpoint: 'https://b:4317', compression: none, timeout: 1s}",
            &["compression: none", "timeout: 1s"][..],
        ),
        (
            "otlp_grpc",
            "{endpoint: b:4317, compression: snappy, tls: {insecure: true}}",
            &["compression: snappy", "insecure: true"],
        ),
        (
            "otlp_grpc",
            "{endpoint: b:4317, compression: zstd, headers: {a: b}}",
            &["compression: zstd", "value: '[REDACTED]'"],
        ),
        ("otlp_grpc", "{endpoint: b:4317, headers: [{name: a, value: b}]}", &["value: '[REDACTED]'"]),
        ("otlp_grpc", "{endpoint: b:4317, keepalive: {}}", &["time: 0s"]),
        (
            "otlp_grpc",
            "{endpoint: b:4317, wait_for_ready: true, authority: x, user_agent: y}",
            &["wait_for_ready: true", "authority: x"],
        ),
        (
            "otlp_grpc",
            "{endpoint: b:4317, auth: null, middlewares: [], sending_queue: {enabled: false}}",
            &["sending_queue: null"],
        ),
        (
            "otlp_grpc",
            "{endpoint: b:4317, sending_queue: {sizer: bytes, queue_size: 5, block_on_overflow: true}}",
            &["sizer: bytes", "queue_size: 5"],
        ),
        (
            "otlp_grpc",
            "{endpoint: b:4317, sending_queue: {batch: {max_size: 10000}}}",
            &["flush_timeout: 200ms", "min_size: 8192", "max_size: 10000"],
        ),
        (
            "otlp_grpc",
            "{endpoint: b:4317, retry_on_failure: {enabled: false, initial_interval: 1h}}",
            &["enabled: false"],
        ),
        (
            "otlp_http",
            "{traces_endpoint: 'https://b/x', encoding: json, compression: none}",
            &["traces_endpoint: https://b/x", "encoding: json"],
        ),
        (
            "otlp_http",
            "{endpoint: 'http://b', compression: zstd, compression_params: {level: 11}}",
            &["compression: zstd", "level: 11"],
        ),
        (
            "otlp_http",
            "{endpoint: 'http://b', keepalive: {enabled: false, idle_conn_timeout: 1s}}",
            &["disable_keep_alives: true", "idle_conn_timeout: 1s"],
        ),
        ("otlp_http", "{endpoint: 'http://b', cookies: {enabled: false}, proxy_url: ''}", &["compression: gzip"]),
        (
            "otlp_http",
            "{endpoint: 'http://b', cookies: {}, proxy_url: 'http://p', auth: {authenticator: x/1}}",
            &["cookies: {}", "proxy_url: http://p", "authenticator: x/1"],
        ),
        (
            "otlp_grpc",
            "{endpoint: 'unix:///s', auth: {authenticator: x}}",
            &["endpoint: unix:///s", "authenticator: x"],
        ),
        (
            "otlp_http",
            "{endpoint: 'http://b', max_conns_per_host: 3, http2_read_idle_timeout: 10s}",
            &["max_conns_per_host: 3", "http2_read_idle_timeout: 10s"],
        ),
        (
            "zipkin",
            "{endpoint: 'http://z', default_service_name: x, compression: gzip}",
            &["default_service_name: x", "compression: gzip"],
        ),
        (
            "debug",
            "{verbosity: Detailed, use_internal_logger: false, output_paths: [stderr, /tmp/x], sending_queue: {}}",
            &["verbosity: Detailed", "- stderr", "queue_size: 1000"],
        ),
        (
            "file",
            "{path: x, rotation: , compression: zstd, format: proto, flush_interval: 0, create_directory: true}",
            &[
                "max_backups: 100",
                "compression: zstd",
                "format: proto",
                "flush_interval: 1s",
                "directory_permissions: \"0755\"",
            ],
        ),
        (
            "file",
            "{path: 'x/*', group_by: {enabled: true}, append: true, compression: zstd, compression_params: {level: 3}}",
            &["enabled: true", "append: true", "level: 3"],
        ),
        ("logging", "{loglevel: debug}", &["verbosity: Detailed", "sampling_thereafter: 500"]),
        ("logging", "{}", &["verbosity: Normal"]),
    ] {
        check(exporter, yaml, expected);
    }
}

#[test]
fn mistakes_are_located_and_told() {
    for (exporter, yaml, expected) in [
        ("otlp_grpc", "{compression: gzip}", "`otlp_grpc` needs the setting `endpoint`"),
        ("otlp_grpc", "{endpoint: b}", "`b` has no port; write `b:4317`"),
        (
            "otlp_grpc",
            "{endpoint: b:4317, compresion: gzip}",
            "unknown setting `compresion` in `otlp_grpc`, did you mean `compression`?",
        ),
        ("otlp_grpc", "{endpoint: b:4317, compression: lz4}", "unknown compression `lz4`"),
        ("otlp_grpc", "{endpoint: b:4317, auth: {}}", "`auth` needs the setting `authenticator`"),
        (
            "otlp_grpc",
            "{endpoint: 'unix://a'}",
            "`unix://a` names no absolute path; write one such as `unix:///run/otlp.sock`",
        ),
        (
            "otlp_grpc",
            "{endpoint: b:4317, middlewares: [{id: x}]}",
            "`middlewares` is not supported by this version yet",
        ),
        ("otlp_grpc", "{endpoint: b:4317, balancer_name: x}", "unknown `balancer_name` `x`"),
        ("otlp_grpc", "{endpoint: b:4317, timeout: -1s}", "`timeout` must be a duration of zero or more"),
        ("otlp_grpc", "{endpoint: b:4317, headers: {'a b': c}}", "`a b` cannot be the name of a header"),
        ("otlp_grpc", "{endpoint: 'http://b:4317'}", "warning: `http://` does not turn TLS off for gRPC"),
        (
            "otlp_grpc",
            "{endpoint: b:4317, sending_queue: {storage: file_storage}}",
            "warning: `storage: file_storage` has no effect, for the queue is in memory",
        ),
        (
            "otlp_grpc",
            "{endpoint: b:4317, sending_queue: {wait_for_result: true}}",
            "warning: `wait_for_result` has no effect",
        ),
        (
            "otlp_grpc",
            "{endpoint: b:4317, sending_queue: {wait_for_result: true, storage: x}}",
            "`wait_for_result` and `storage` exclude each other",
        ),
        ("otlp_grpc", "{endpoint: b:4317, sending_queue: {num_consumers: 0}}", "`num_consumers` must be above 0"),
        ("otlp_grpc", "{endpoint: b:4317, sending_queue: {queue_size: -1}}", "`queue_size` must be zero or more"),
        ("otlp_grpc", "{endpoint: b:4317, sending_queue: {sizer: spans}}", "unknown sizer `spans`"),
        ("otlp_grpc", "{endpoint: b:4317, sending_queue: {sizer: items, batch: {}}}", "is above `queue_size`"),
        ("otlp_grpc", "{endpoint: b:4317, sending_queue: {batch: {max_size: 5}}}", "`max_size` is below `min_size`"),
        (
            "otlp_grpc",
            "{endpoint: b:4317, sending_queue: {batch: {flush_timeout: 0s}}}",
            "`flush_timeout` must be above 0",
        ),
        (
            "otlp_grpc",
            "{endpoint: b:4317, sending_queue: {batch: {partition: {metadata_keys: [a, b, A]}}}}",
            "`A` is there twice in `metadata_keys`",
        ),
        (
            "otlp_grpc",
            "{endpoint: b:4317, retry_on_failure: {randomization_factor: 2}}",
            "`randomization_factor` must be between 0 and 1",
        ),
        (
            "otlp_grpc",
            "{endpoint: b:4317, retry_on_failure: {max_elapsed_time: 1s}}",
            "`max_elapsed_time` is less than",
        ),
        ("otlp_http", "{}", "`otlp_http` needs at least one endpoint"),
        ("otlp_http", "{endpoint: b:4318}", "`b:4318` must begin with `http://` or `https://`"),
        ("otlp_http", "{endpoint: 'http://u:p@b'}", "credentials in a URL are not supported"),
        ("otlp_http", "{endpoint: 'http://b', encoding: xml}", "unknown encoding `xml`"),
        ("otlp_http", "{endpoint: 'http://b', compression: br}", "unknown compression `br`"),
        (
            "otlp_http",
            "{endpoint: 'http://b', compression_params: {level: 10}}",
            "the compression `gzip` has no level 10",
        ),
        (
            "otlp_http",
            "{endpoint: 'http://b', compression: snappy, compression_params: {level: 1}}",
            "the compression `snappy` has no level 1",
        ),
        ("otlp_http", "{endpoint: 'http://b', proxy_url: 'socks5://p'}", "a proxy is spoken to by `http://`"),
        ("file", "{}", "`file` needs the setting `path`"),
        ("file", "{path: x, append: true, rotation: {}}", "`append` and `rotation` exclude each other"),
        ("file", "{path: x, encoding: text}", "`encoding` needs the extension `text`"),
        ("file", "{path: x, format: xml}", "unknown format `xml`"),
        ("file", "{path: x, compression: gzip}", "unknown compression `gzip`"),
        ("file", "{path: x, compression: zstd, compression_params: {level: 40}}", "zstd has no level 40"),
        ("file", "{path: x, group_by: {enabled: true}}", "`path` must have exactly one `*`"),
        ("file", "{path: '*', group_by: {enabled: true}}", "`path` must not begin with `*`"),
        ("file", "{path: x, directory_permissions: '0700'}", "`directory_permissions` needs `create_directory: true`"),
        (
            "file",
            "{path: x, create_directory: true, directory_permissions: '9'}",
            "must be permissions in octal digits",
        ),
        ("file", "{path: x, rotation: {max_megabyte: 1}}", "did you mean `max_megabytes`?"),
        ("zipkin", "{}", "`zipkin` needs the setting `endpoint`"),
        ("zipkin", "{endpoint: z:9411}", "`z:9411` must begin with"),
        (
            "zipkin",
            "{endpoint: 'http://z', format: proto}",
            "the zipkin format `proto` is not supported by this version yet",
        ),
        ("zipkin", "{endpoint: 'http://z', format: xml}", "unknown format `xml`"),
        ("debug", "{verbosity: loud}", "unknown verbosity `loud`"),
        ("debug", "{output_paths: [/tmp/x]}", "`output_paths` has no effect while `use_internal_logger` is true"),
        ("debug", "{use_internal_logger: false, output_paths: []}", "`output_paths` must not be empty"),
        ("debug", "{loglevel: debug}", "unknown setting `loglevel` in `debug`"),
        ("logging", "{loglevel: loud}", "unknown `loglevel` `loud`"),
    ] {
        refused(exporter, yaml, expected);
    }
}
