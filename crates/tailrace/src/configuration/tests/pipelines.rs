//! Pipelines of all signals, the connectors between them, and the choice of some of them.

use super::*;

/// A file of everything that is used below, around these pipelines.
fn file(pipelines: &str) -> String {
    format!(
        "receivers: {{otlp: {{protocols: {{grpc: }}}}, kafka: {{brokers: ['${{env:NONE}}']}}}}\n\
         processors: {{batch: , tail_sampling: , k8s_attributes: }}\n\
         exporters: {{nop: , debug: , zipkin: {{endpoint: 'http://a:1/'}}, loki: }}\n\
         connectors: {{forward: , forward/2: , span_metrics: }}\n\
         service: {{pipelines: {{{pipelines}}}}}\n"
    )
}

/// The errors and warnings, without their places and the lines below them.
fn said(text: &str, chosen: &[&str]) -> Vec<String> {
    let pipelines = chosen.iter().map(|chosen| (*chosen).to_string()).collect();
    let origin = Origin { uris: vec![format!("yaml:{text}")], pipelines, ..Origin::default() };
    let Loaded { configuration, problems, sources } = load(&origin, &|_| None);
    assert_eq!(configuration.is_none(), problems.has_errors());
    let shown = problems.render(&sources);
    let lines = shown.lines().filter(|line| line.contains("error: ") || line.starts_with("  help: `--pipelines"));
    lines.map(|line| line.split("error: ").last().unwrap_or_default().trim().to_string()).collect()
}

#[test]
fn each_signal_has_pipelines() {
    let text = file(
        "traces: {receivers: [otlp], exporters: [nop]}, metrics/2: {receivers: [otlp], exporters: [nop]}, logs: {receivers: [otlp], processors: [batch], exporters: [nop, debug]}",
    );
    let (configuration, shown) = loaded(&text, &[]);
    let configuration = configuration.unwrap_or_else(|| panic!("{shown}"));
    let ids: Vec<String> = configuration.service.pipelines.keys().map(PipelineId::to_string).collect();
    assert_eq!(ids, ["traces", "metrics/2", "logs"]);
}

#[test]
fn components_take_certain_signals() {
    for (pipelines, expected) in [
        ("traces: {receivers: [otlp], processors: [tail_sampling], exporters: [zipkin]}", ""),
        (
            "logs: {receivers: [otlp], processors: [tail_sampling], exporters: [nop]}",
            "the processor `tail_sampling` does not take logs, so it cannot stand in the pipeline `logs`",
        ),
        (
            "metrics/a: {receivers: [otlp], exporters: [zipkin]}",
            "the exporter `zipkin` does not take metrics, so it cannot stand in the pipeline `metrics/a`",
        ),
    ] {
        let expected: Vec<&str> = Some(expected).filter(|text| !text.is_empty()).into_iter().collect();
        assert_eq!(said(&file(pipelines), &[]), expected, "{pipelines}");
    }
}

#[test]
fn connectors_join_pipelines_of_one_signal() {
    for (pipelines, expected) in [
        (
            "traces: {receivers: [otlp], exporters: [forward]}, traces/2: {receivers: [forward], exporters: [nop]}",
            vec![],
        ),
        (
            "traces: {receivers: [otlp], exporters: [forward]}, logs: {receivers: [otlp], exporters: [nop]}",
            vec!["the connector `forward` is an exporter of `traces` but a receiver of no other traces pipeline"],
        ),
        (
            "traces: {receivers: [otlp], exporters: [nop]}, logs: {receivers: [forward], exporters: [nop]}",
            vec!["the connector `forward` is a receiver of `logs` but an exporter of no other logs pipeline"],
        ),
        (
            "traces: {receivers: [otlp], exporters: [forward]}, logs: {receivers: [forward], exporters: [nop]}",
            vec![
                "the connector `forward` is an exporter of `traces` but a receiver of no other traces pipeline",
                "the connector `forward` is a receiver of `logs` but an exporter of no other logs pipeline",
            ],
        ),
        (
            "traces: {receivers: [otlp, forward], exporters: [forward]}",
            vec!["the connector `forward` closes a circle: `traces` → `traces`"],
        ),
        (
            "traces: {receivers: [otlp], exporters: [forward]}, traces/2: {receivers: [forward], exporters: [forward/2, nop]}, \
             traces/3: {receivers: [forward/2], exporters: [nop, forward]}",
            vec!["the connector `forward` closes a circle: `traces/2` → `traces/3` → `traces/2`"],
        ),
    ] {
        assert_eq!(said(&file(pipelines), &[]), expected, "{pipelines}");
    }
    let text = format!("{}\n", file("traces: {receivers: [otlp], exporters: [nop]}")).replace("forward: ,", "nop: ,");
    assert_eq!(
        said(&text, &[]),
        [
            "`nop` is both a connector and the exporter in line 3",
            "`nop` in `connectors` is not supported by this version; the pipeline `traces` uses it",
        ]
    );
}

const MIXED: &str = "\
    traces: {receivers: [otlp], processors: [tail_sampling], exporters: [nop]}, \
    traces/k8s: {receivers: [otlp], processors: [k8s_attributes], exporters: [nop, forward]}, \
    traces/behind: {receivers: [forward], exporters: [nop]}, \
    metrics: {receivers: [otlp], exporters: [debug]}, \
    logs: {receivers: [kafka], exporters: [loki]}";

#[test]
fn what_is_not_supported_is_listed_with_the_way_out() {
    let said = said(&file(MIXED), &[]);
    assert_eq!(
        said,
        [
            "`kafka` in `receivers` is not supported by this version; the pipeline `logs` uses it",
            "`k8s_attributes` in `processors` is not supported by this version; the pipeline `traces/k8s` uses it",
            "`loki` in `exporters` is not supported by this version; the pipeline `logs` uses it",
            "help: `--pipelines traces,metrics` runs what is supported and leaves the rest of the file alone",
        ]
    );
}

#[test]
fn only_chosen_pipelines_are_looked_at() {
    let text = file(MIXED);
    for (chosen, expected) in [
        (vec!["traces,metrics"], vec![]),
        (vec!["traces", "metrics"], vec![]),
        (
            vec!["traces", "logs"],
            vec![
                "`kafka` in `receivers` is not supported by this version; the pipeline `logs` uses it",
                "`loki` in `exporters` is not supported by this version; the pipeline `logs` uses it",
                "help: `--pipelines traces` runs what is supported and leaves the rest of the file alone",
            ],
        ),
        (
            vec!["traces/behind"],
            vec![
                "the connector `forward` is a receiver of `traces/behind` but an exporter of no other traces pipeline",
            ],
        ),
        (
            vec!["traces,metric"],
            vec!["`--pipelines` names `metric`, which is not in `service::pipelines`, did you mean `metrics`?"],
        ),
    ] {
        assert_eq!(said(&text, &chosen), expected, "{chosen:?}");
    }
}

/// Broken settings, missing variables and unknown schemes of what is left alone do not matter, and it is not printed.
#[test]
fn the_rest_of_the_file_is_left_alone() {
    let text = "\
receivers: {otlp: {protocols: {grpc: }}, kafka: {brokers: '${env:NONE}'}}
exporters: {nop: , otlp/bad: {endpiont: '${vault:secret}'}}
extensions: {health_check: , opamp: {server: '${env:NONE}'}}
service:
  extensions: [health_check, opamp]
  pipelines:
    traces: {receivers: [otlp], exporters: [nop]}
    logs/x: {receivers: [kafka], exporters: [otlp/bad], nonsense: true}
";
    let origin =
        Origin { uris: vec![format!("yaml:{text}")], pipelines: vec!["traces".to_string()], ..Origin::default() };
    let Loaded { configuration, problems, sources } = load(&origin, &|_| None);
    let shown = problems.render(&sources);
    let configuration = configuration.unwrap_or_else(|| panic!("{shown}"));
    assert!(shown.contains("extensions that this version does not support are left out: `opamp`"), "{shown}");
    assert!(!shown.contains("NONE") && !shown.contains("vault"), "{shown}");
    let printed = configuration.effective().to_yaml(Mode::Redacted);
    assert!(!printed.contains("kafka") && !printed.contains("otlp/bad") && !printed.contains("logs/x"), "{printed}");
    assert!(printed.contains("health_check"), "{printed}");
}
