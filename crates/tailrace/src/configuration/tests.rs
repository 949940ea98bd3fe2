//! Whole configurations: those in `config/`, those that must be refused, and how what is wrong is shown.

use std::path::Path;

use settings::Mode;

use super::*;

mod extensions;
mod pipelines;
mod telemetry;
mod yaml;

fn loaded(text: &str, sets: &[&str]) -> (Option<Configuration>, String) {
    let sets = sets.iter().map(|set| (*set).to_string()).collect();
    let origin = Origin { uris: vec![format!("yaml:{text}")], sets, ..Origin::default() };
    let Loaded { configuration, problems, sources } = load(&origin, &|_| None);
    (configuration, problems.render(&sources))
}

/// The folders beside them hold manifests, which `tests/deployment.rs` checks.
#[test]
fn every_file_in_config_is_valid() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config");
    let mut count = 0;
    let files = std::fs::read_dir(folder).expect("config/").map(|entry| entry.expect("a file").path());
    for file in files.filter(|file| file.extension().is_some_and(|extension| extension == "yaml")) {
        let origin = Origin { uris: vec![file.to_str().expect("UTF-8").to_string()], ..Origin::default() };
        let Loaded { configuration, problems, sources } = load(&origin, &|_| None);
        let shown = problems.render(&sources);
        assert!(configuration.is_some() && problems.is_empty(), "{}: {shown}", file.display());
        count += 1;
    }
    assert!(count >= 5);
}

#[test]
fn the_built_in_one_listens_on_loopback_and_shows_traces() {
    let Loaded { configuration, problems, .. } = load(&Origin::default(), &|_| None);
    let configuration = configuration.expect("valid");
    assert!(problems.is_empty());
    assert!(configuration.exporters.values().any(|exporter| matches!(exporter, Exporter::Terminal(_))));
    let printed = configuration.effective().to_yaml(Mode::Redacted);
    assert!(printed.contains("endpoint: 127.0.0.1:4317") && printed.contains("decision_wait: 5s"), "{printed}");
}

/// What is printed is a configuration again, and the same one.
#[test]
fn effective_settings_are_valid_again() {
    let Loaded { configuration, .. } = load(&Origin::default(), &|_| None);
    let printed = configuration.expect("valid").effective().to_yaml(Mode::Redacted);
    let (again, shown) = loaded(&printed, &[]);
    assert_eq!(again.map(|again| again.effective().to_yaml(Mode::Redacted)), Some(printed), "{shown}");
}

/// What is not written stays so when it is printed with otelcol's default and read again.
#[test]
fn what_is_not_written_is_not_written_when_read_again() {
    let sets = [
        "receivers::otlp={protocols: {http: }}",
        "exporters::otlp={endpoint: 'a:1'}",
        "exporters::otlphttp={endpoint: 'http://a:1', sending_queue: {enabled: false}}",
    ];
    let (first, shown) = loaded(DEFAULT, &sets);
    let first = first.unwrap_or_else(|| panic!("{shown}"));
    let printed = first.effective().to_yaml(Mode::Redacted);
    assert!(printed.contains("num_traces: 50000") && printed.contains("sending_queue: null"), "{printed}");
    let (second, shown) = loaded(&printed, &[]);
    let second = second.unwrap_or_else(|| panic!("{shown}"));
    assert_eq!(second.effective().to_yaml(Mode::Redacted), printed);
    for configuration in [&first, &second] {
        let limit = configuration.processors.values().find_map(|processor| match processor {
            Processor::TailSampling(settings) => Some(settings.num_traces),
            _ => None,
        });
        assert_eq!(limit, Some(None));
        for exporter in configuration.exporters.values() {
            match exporter {
                Exporter::OtlpGrpc(settings) => assert_eq!(settings.queue.block_on_overflow, None),
                Exporter::OtlpHttp(settings) => assert!(!settings.queue.enabled),
                _ => {}
            }
        }
        let Some(Receiver::Otlp(settings)) = configuration.receivers.values().next() else { panic!("a receiver") };
        assert!(settings.grpc.is_some() && settings.http.is_some());
    }
}

#[test]
fn problems_are_shown_together() {
    let text = "\
receivers: {otlp: {protocols: {grpc: {}}}}
processors:
  batch: {timeout: 5, send_batch_size: many}
  kafka: {}
  nosuch/1: {}
exporters: {nop: {}, terminal: {colour: always}}
service:
  pipelines:
    traces:
      receivers: [otlp, otpl]
      processors: [batch, batch, nosuch/1, tail_sampling]
      exporters: []
    profiles: {receivers: [otlp], exporters: [nop]}
    trace: {}
srevice: {}
";
    let (configuration, shown) = loaded(text, &[]);
    assert!(configuration.is_none());
    let expected = [
        "yaml:3:40: error: `send_batch_size` must be an integer, found the text `many`",
        "yaml:4:3: warning: not supported by this version, and nothing uses it: `kafka`",
        "yaml:5:3: error: `nosuch/1` in `processors` is not supported by this version; the pipeline `traces` uses it",
        "yaml:6:33: error: unknown setting `colour` in `terminal`, did you mean `color`?",
        "yaml:9:5: error: the pipeline `traces` must have at least one exporter",
        "yaml:10:25: error: the receiver `otpl` is not defined in `receivers`, did you mean `otlp`?",
        "yaml:11:27: error: the processor `batch` is named twice in this pipeline",
        "yaml:11:44: error: the processor `tail_sampling` is not defined in `processors`",
        "yaml:13:5: error: profiles are not supported, so the pipeline `profiles` cannot run",
        "yaml:14:5: error: unknown signal `trace` in the pipeline's ID `trace`, did you mean `traces`?",
        "yaml:15:1: error: unknown setting `srevice` in the configuration, did you mean `service`?",
    ];
    let found: Vec<&str> = shown.lines().filter(|line| line.starts_with("yaml:")).collect();
    assert_eq!(found, expected, "{shown}");
}

#[test]
fn service_and_components() {
    let base = "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {nop: }\n";
    let pipeline = "service: {pipelines: {traces: {receivers: [otlp], exporters: [nop]}}}\n";
    for (text, expected) in [
        (format!("{base}{pipeline}"), ""),
        (base.to_string(), "the configuration has no `service`"),
        (String::new(), "the configuration has no `service`"),
        (format!("{base}service: {{}}"), "`service` must have at least one pipeline"),
        (format!("{base}{pipeline}connectors: {{}}"), ""),
        (format!("{base}{pipeline}connectors: {{forward: }}"), ""),
        (format!("{base}{pipeline}connectors: {{forward: {{a: 1}}}}"), "unknown setting `a` in `forward`"),
        (format!("{base}{pipeline}extensions: {{health_check: , pprof: {{endpoint: 'x:1'}}}}"), ""),
        (
            format!("{base}{pipeline}extensions: {{opamp: }}"),
            "warning: not supported by this version, and nothing uses it: `opamp`",
        ),
        (format!("{base}{pipeline}processors: {{memory_limiter: }}"), "`check_interval` must be above 0"),
        (
            format!("{base}{pipeline}processors: {{batch: {{send_batch_max_size: 5}}}}"),
            "is less than `send_batch_size` 8192",
        ),
        (format!("{base}{pipeline}exporters: "), "the key `exporters` is there twice"),
        (format!("{base}{pipeline}tailrace: {{memory_mib: 1}}"), "`memory_mib` must be at least 64"),
        (format!("{base}{pipeline}tailrace: {{memory_mb: 100}}"), "did you mean `memory_mib`?"),
    ] {
        let (configuration, shown) = loaded(&text, &[]);
        let shown_as_expected = if expected.is_empty() { shown.is_empty() } else { shown.contains(expected) };
        assert!(shown_as_expected, "{text}: {shown}");
        assert_eq!(configuration.is_some(), !shown.contains("error: "), "{text}: {shown}");
    }
}

/// What a real collector refuses, at validation or only at its start, is refused here at validation, at its place.
#[test]
fn what_otelcol_refuses_is_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance/invalid");
    let mut count = 0;
    for file in std::fs::read_dir(folder).expect("the recorded refusals").map(|entry| entry.expect("a file").path()) {
        let text = std::fs::read_to_string(&file).expect("UTF-8");
        let case: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let sampling = serde_json::to_string_pretty(&case["tail_sampling"]).expect("JSON");
        let config = format!(
            "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nexporters: {{nop: }}\nprocessors: {{tail_sampling: {sampling}}}\n\
             service: {{pipelines: {{traces: {{receivers: [otlp], processors: [tail_sampling], exporters: [nop]}}}}}}\n"
        );
        let (configuration, shown) = loaded(&config, &[]);
        let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        let located = shown.lines().any(|line| line.starts_with("yaml:") && line.contains(": error: "));
        assert!(configuration.is_none() && located, "{name}: {shown}");
        // Kinds of a later version are refused as such; all others for the reason that otelcol has.
        let later = ["ottl", "composite", "drop", "not_in", "span_ingest"].iter().any(|kind| name.contains(kind));
        assert!(later || !shown.contains("not supported by this version"), "{name}: {shown}");
        count += 1;
    }
    assert_eq!(count, 30);
}

/// Every key of every component that may hold a secret, filled with one: neither messages nor `print-config` show it.
#[test]
fn secrets_are_not_shown() {
    let canary = "canary-4711";
    let client = format!("headers: {{authorization: {canary}, x-team: {canary}}}");
    let tls = format!("tls: {{insecure: true, key_pem: {canary}, cert_pem: {canary}}}");
    let config = format!(
        "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\n\
         exporters:\n  nop:\n  otlp:\n    endpoint: a:1\n    {client}\n  otlphttp:\n    endpoint: http://a:1\n    {client}\n  \
         otlp/tls:\n    endpoint: a:1\n    {tls}\n  zipkin:\n    endpoint: http://a:1/\n    {client}\n\
         service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [nop]}}}}}}\n"
    );
    let (configuration, shown) = loaded(&config, &[]);
    assert!(!shown.contains(canary), "{shown}");
    let printed = configuration.map(|configuration| configuration.effective().to_yaml(Mode::Redacted));
    assert!(printed.as_ref().is_none_or(|printed| !printed.contains(canary)), "{printed:?}");
    for broken in ["headers: [", "headers: 5 ", "headersx: "] {
        let (configuration, shown) = loaded(&config.replace("headers: {", &format!("{broken}{{")), &[]);
        assert!(configuration.is_none() && !shown.contains(canary), "{shown}");
    }
}

/// The defaults are otelcol's, line by line, for each component of this version.
#[test]
fn defaults_equal_those_of_otelcol() {
    let config = "\
receivers: {otlp: {protocols: {grpc: , http: }}}
processors: {batch: , memory_limiter: {check_interval: 1s, limit_mib: 100}, tail_sampling: }
exporters: {debug: , nop: , otlp_grpc: {endpoint: \"b:4317\"}, otlp_http: {endpoint: \"http://b:4318\"}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [debug, nop, otlp_grpc, otlp_http]}}}
";
    let (configuration, shown) = loaded(config, &[]);
    let effective = configuration.unwrap_or_else(|| panic!("{shown}")).effective();
    let (recorded, ..) = settings::load(&[format!("yaml:{DEFAULTS}")], &[], &|_| None);
    let recorded = recorded.expect("YAML");
    for path in [
        "receivers/otlp",
        "processors/batch",
        "processors/memory_limiter",
        "exporters/debug",
        "exporters/nop",
        "exporters/otlp_grpc",
        "exporters/otlp_http",
        "service/telemetry",
    ] {
        let at = |tree: &Node| {
            let found = path.split('/').try_fold(tree.clone(), |node, key| node.lookup(key).cloned());
            found.unwrap_or_else(|| panic!("{path}")).to_yaml(Mode::Unredacted)
        };
        assert_eq!(at(&effective), at(&recorded), "{path}");
    }
}

/// Recorded with otelcol 0.161's `print-config`.
const DEFAULTS: &str = include_str!("tests/otelcol_defaults.yaml");
