//! `service::telemetry` in all its forms: what is taken, how it is printed, what is refused.

use super::*;

/// What `telemetry` comes to, under `path` of what is printed; and what is said about it.
fn check(telemetry: &str, path: &str, printed: &str, said: &str) {
    let (configuration, shown) = loaded(DEFAULT, &[&format!("service::telemetry={telemetry}")]);
    match said {
        "" => assert_eq!(shown, "", "{telemetry}"),
        said => assert!(shown.contains(said), "{telemetry}: {shown}"),
    }
    assert_eq!(configuration.is_none(), printed.is_empty(), "{telemetry}: {shown}");
    let Some(configuration) = configuration else { return };
    let telemetry_node = configuration.service.telemetry.effective();
    let found = path.split('/').try_fold(telemetry_node, |node, key| match key.parse::<usize>() {
        Ok(index) => match &node.value {
            settings::Value::List(items) => items.get(index).cloned(),
            _ => None,
        },
        Err(_) => node.lookup(key).cloned(),
    });
    let found = found.map_or("nothing".to_string(), |node| node.to_yaml(Mode::Unredacted));
    let wanted = settings::load(&[format!("yaml:a: {printed}")], &[], &|_| None).0.expect("YAML");
    let wanted = wanted.lookup("a").expect("a value").to_yaml(Mode::Unredacted);
    assert_eq!(found, if printed == "nothing" { printed.to_string() } else { wanted }, "{telemetry}");
}

#[test]
fn logs() {
    check("{logs: {level: WARN}}", "logs/level", "warn", "");
    check("{logs: {level: warning}}", "logs/level", "warn", "");
    check("{logs: {level: fatal}}", "logs/level", "fatal", "");
    check("{logs: {level: ''}}", "logs/level", "info", "");
    check("{logs: {level: loud}}", "", "", "unknown log level `loud`");
    check("{logs: {level: debg}}", "", "", "did you mean `debug`?");
    check("{logs: {encoding: json}}", "logs/encoding", "json", "");
    check("{logs: {encoding: xml}}", "", "", "unknown log encoding `xml`");
    check("{logs: {development: true}}", "logs/development", "true", "Go's panics and stack traces");
    check("{logs: {development: false}}", "logs/development", "nothing", "");
    check("{logs: {sampling: {enabled: false}}}", "logs/sampling/enabled", "false", "");
    check("{logs: {output_paths: [stdout, /tmp/x]}}", "logs/output_paths", "[stdout, /tmp/x]", "");
    check("{logs: {initial_fields: {a: 0x10, b: [~]}}}", "logs/initial_fields", "{a: 16, b: [null]}", "");
    check("{logs: {verbosity: 1}}", "", "", "unknown setting `verbosity` in `logs`");
    let otlp = "otlp: {protocol: http/protobuf, endpoint: \"a:4318\", insecure: true}";
    check(
        &format!("{{logs: {{processors: [{{batch: {{exporter: {{{otlp}}}}}}}]}}}}"),
        "logs/processors/0/batch/exporter/otlp/endpoint",
        "http://a:4318",
        "",
    );
    check("{logs: {processors: [{}]}}", "", "", "a processor is either `batch` or `simple`");
    check("{logs: {processors: [{simple: {}}]}}", "", "", "`simple` needs the setting `exporter`");
}

#[test]
fn readers() {
    let pull = |inner: &str| format!("{{metrics: {{readers: [{{pull: {{exporter: {{prometheus: {inner}}}}}}}]}}}}");
    let port = "metrics/readers/0/pull/exporter/prometheus/port";
    check(&pull("{host: h, port: 0, without_units: false}"), port, "0", "");
    check(&pull("{host: h}"), "", "", "`prometheus` needs the setting `port`");
    check(&pull("{port: 1}"), "", "", "`prometheus` needs the setting `host`");
    check(&pull("{host: h, port: 70000}"), "", "", "`port` must be between 0 and 65535");
    check(&pull(""), "", "", "a `pull` reader needs the exporter `prometheus`");
    check("{metrics: {readers: [{pull: {exporter: {}}}]}}", "", "", "a `pull` reader needs the exporter `prometheus`");
    check("{metrics: {readers: [{pull: {producers: []}}]}}", "", "", "unknown setting `producers` in `pull`");
    check("{metrics: {readers: [{}]}}", "", "", "a metrics reader is either `pull` or `periodic`");
    check("{metrics: {readers: []}}", "", "", "there must be a metrics reader");
    check("{metrics: {level: none, readers: []}}", "metrics/readers", "[]", "");
    check("{metrics: {readers: }}", port, "8888", "");
    check("{metrics: {readers: [{periodic: {}}]}}", "", "", "`periodic` needs the setting `exporter`");
    check(
        "{metrics: {readers: [{periodic: {exporter: {}}}]}}",
        "",
        "",
        "`exporter` needs the setting `otlp` or `console`",
    );
    let two = "{metrics: {readers: [{periodic: {exporter: {console: {}, otlp: {protocol: grpc}}}}]}}";
    check(two, "", "", "takes one exporter");
}

#[test]
fn pushed_metrics() {
    let push = |inner: &str| {
        format!("{{metrics: {{readers: [{{periodic: {{interval: 1000, exporter: {{otlp: {inner}}}}}}}]}}}}")
    };
    let otlp = "metrics/readers/0/periodic/exporter/otlp";
    check(&push("{protocol: grpc}"), otlp, "{protocol: grpc, endpoint: null}", "");
    check(
        &push(
            "{protocol: grpc, endpoint: 'a:1', timeout: 5, compression: gzip, temporality_preference: delta, default_histogram_aggregation: base2_exponential_bucket_histogram}",
        ),
        otlp,
        "{protocol: grpc, endpoint: 'https://a:1', timeout: 5, compression: gzip, temporality_preference: delta, default_histogram_aggregation: base2_exponential_bucket_histogram}",
        "always reported in buckets of fixed bounds",
    );
    check(&push("{endpoint: 'a:1'}"), "", "", "`otlp` needs the setting `protocol`");
    check(&push("{protocol: http/json}"), "", "", "unknown protocol `http/json`");
    check(&push("{protocol: grpc, compression: zstd}"), "", "", "unknown compression `zstd`");
    check(&push("{protocol: grpc, temporality_preference: both}"), "", "", "unknown temporality `both`");
    check(&push("{protocol: grpc, timeout: 5s}"), "", "", "`timeout` must be an integer");
    check(
        &push("{protocol: grpc, headers: [{name: a, value: b}]}"),
        &format!("{otlp}/headers"),
        "[{name: a, value: b}]",
        "",
    );
    check(
        &push("{protocol: grpc, headers: {a: b}}"),
        &format!("{otlp}/headers"),
        "[{name: a, value: b}]",
        "a map of headers is the form of older files",
    );
    check(&push("{protocol: grpc, headers: [{value: b}]}"), "", "", "`headers` needs the setting `name`");
}

#[test]
fn levels_views_and_the_old_address() {
    let port = "metrics/readers/0/pull/exporter/prometheus/port";
    let host = "metrics/readers/0/pull/exporter/prometheus/host";
    check("{metrics: {level: none}}", port, "8888", "");
    check("{metrics: {level: DETAILED}}", "metrics/level", "Detailed", "");
    check("{metrics: {level: detaild}}", "", "", "did you mean `detailed`?");
    check("{metrics: {address: '0.0.0.0:9999'}}", port, "9999", "warning: `service::telemetry::metrics::address`");
    check("{metrics: {address: ':9999'}}", host, "0.0.0.0", "form of older files");
    check("{metrics: {address: '[::1]:9999'}}", host, "'::1'", "form of older files");
    check("{metrics: {address: here}}", "", "", "`address` must be a host and a port");
    check("{metrics: {views: [{selector: {}}]}}", "", "", "`views` need the metrics level `detailed`");
    check(
        "{metrics: {level: detailed, views: [{a: 1}]}}",
        "metrics/views",
        "[{a: 1}]",
        "`views` of metrics are not supported",
    );
}

#[test]
fn resource_and_traces() {
    check("{resource: {service.name: shop, service.version: }}", "resource/service.version", "null", "");
    check("{resource: {service.name: 5}}", "", "", "`service.name` must be text");
    check("{resource: {attributes: [{name: a, value: 5}]}}", "resource/attributes", "[{name: a, value: 5}]", "");
    check("{resource: {b: x, attributes: [{name: a, value: 5}]}}", "", "", "both as keys and under `attributes`");
    check("{resource: {attributes: {a: b}}}", "", "", "`attributes` must be a list");
    check("{resource: {attributes_list: a=b}}", "", "", "`attributes_list` is not supported");
    check(
        "{resource: {detectors: {a: 1}}}",
        "resource/detectors",
        "{a: 1}",
        "`detectors` of the resource is not supported",
    );
    check("{resource: {schema_url: x}}", "resource/schema_url", "x", "");
    check("{traces: {}}", "traces", "nothing", "");
    check("{traces: {level: none}}", "traces", "{level: None, propagators: []}", "");
    check("{traces: {propagators: [b3]}}", "traces", "{level: Basic, propagators: [b3]}", "");
    check("{traces: {sampler: {always_on: }, limits: 5}}", "traces/limits", "5", "");
    check("{trace: {}}", "", "", "unknown setting `trace` in `telemetry`, did you mean `traces`?");
    check("5", "", "", "`telemetry` must be a map");
}

/// The printed form is a configuration again.
#[test]
fn round_trip() {
    let telemetry =
        "{logs: {initial_fields: {a: 1}, level: error}, resource: {a: b}, metrics: {level: basic, readers: [
        {pull: {exporter: {prometheus: {host: h, port: 1, with_resource_constant_labels: {included: [a]}}}}}]}}";
    let (configuration, shown) = loaded(DEFAULT, &[&format!("service::telemetry={telemetry}")]);
    let printed = configuration.unwrap_or_else(|| panic!("{shown}")).effective().to_yaml(Mode::Unredacted);
    let (again, shown) = loaded(&printed, &[]);
    assert_eq!(again.unwrap_or_else(|| panic!("{shown}")).effective().to_yaml(Mode::Unredacted), printed);
}
