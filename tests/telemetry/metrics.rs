//! Metrics of all signals at the scrape endpoint, and what reloads change of them and of the log.

use super::{
    SCRAPED,
    collector::{Collector, get, sum_of},
    config, eventually, send_all,
};
use std::time::Duration;

#[test]
fn every_signal_is_counted_by_otelcols_names() {
    let collector = Collector::start(&config("{}", SCRAPED, ""));
    send_all(&collector);
    let scrape = || get(collector.address("metrics"), "/metrics");
    let delivered = || sum_of(&scrape(), "tailrace_destination_delivered_items", &[]);
    eventually("delivered", Duration::from_secs(10), || delivered() as u64 == 6);
    let exposition = scrape();
    for series in [
        r#"otelcol_receiver_accepted_spans{receiver="otlp",transport="http"} 2"#,
        r#"otelcol_receiver_accepted_metric_points{receiver="otlp",transport="http"} 3"#,
        r#"otelcol_receiver_accepted_log_records{receiver="otlp",transport="http"} 2"#,
        r#"otelcol_receiver_refused_log_records{receiver="otlp",transport="http"} 0"#,
        r#"otelcol_receiver_failed_log_records{receiver="otlp",transport="http"} 0"#,
        r#"otelcol_exporter_sent_spans{exporter="nop/out"} 2"#,
        r#"otelcol_exporter_sent_metric_points{exporter="nop/out"} 3"#,
        r#"otelcol_exporter_sent_log_records{exporter="nop/out"} 1"#,
        r#"otelcol_exporter_send_failed_log_records{exporter="nop/out"} 0"#,
        r#"otelcol_exporter_queue_size{data_type="logs",exporter="nop/out"} 0"#,
        r#"otelcol_processor_incoming_items{otel_signal="logs",processor="filter"} 2"#,
        r#"otelcol_processor_outgoing_items{otel_signal="logs",processor="filter"} 1"#,
        r#"otelcol_processor_filter_logs_filtered{filter="filter"} 1"#,
        r#"otelcol_processor_batch_batch_send_size_sum{processor="batch"} 4"#,
        r#"otelcol_processor_batch_batch_send_size_count{processor="batch"} 2"#,
        r#"otelcol_processor_batch_timeout_trigger_send{processor="batch"} 2"#,
        r#"otelcol_processor_batch_metadata_cardinality{processor="batch"} 2"#,
        r#"tailrace_pipeline_accepted_items{pipeline="logs"} 2"#,
        r#"tailrace_pipeline_filtered_items{pipeline="logs"} 1"#,
        r#"tailrace_pipeline_residue_items{pipeline="logs"} 0"#,
        r#"tailrace_destination_residue_items{data_type="metrics",exporter="nop/out"} 0"#,
        r#"tailrace_reloads{outcome="success"} 0"#,
    ] {
        assert!(exposition.lines().any(|line| line == series), "no `{series}` in\n{exposition}");
    }
    let target = exposition.lines().find(|line| line.starts_with("target_info{")).expect("target_info");
    assert!(target.contains(r#"service_name="tailrace""#) && target.contains("service_instance_id="), "{target}");
    assert!(!exposition.contains("batch_send_size_bytes"), "that is for the level `detailed`");
}

/// otelcol logs the same lines.
#[test]
fn ignored_errors_are_counted_and_logged() {
    let conditions = r#"[{context: log, conditions: ['Int(body) > 0', 'body["k"] == 1']},
        {context: log, error_mode: silent, conditions: ['body["k"] == 1']}]"#;
    let settings = config("{}", SCRAPED, "")
        .replace("logs: {log_record: ['body == \"noise\"']}", &format!("log_conditions: {conditions}"))
        .replace("  batch:", "  transform: {log_statements: ['set(log.severity_text, 1)']}\n  batch:")
        .replace("[filter, batch]", "[filter, transform, batch]");
    let collector = Collector::start(&settings);
    send_all(&collector);
    // Of two records: two errors of the first group and one of the second in the filter, one in the statement.
    for (processor, errors) in [("filter", 6), ("transform", 2)] {
        let labels = [&*format!("processor=\"{processor}\""), "otel_signal=\"logs\""];
        assert_eq!(collector.metric("tailrace_processor_ignored_errors", &labels) as u64, errors, "{processor}");
    }
    let log = collector.log();
    let lines = |message: &str| log.lines().filter(|line| line.contains(message)).collect::<Vec<_>>();
    for (message, parts) in [
        ("failed to eval condition", ["filter", "Int(body) > 0", "logs"]),
        ("failed to execute statement", ["transform", "set(log.severity_text, 1)", "expected a string, found an int"]),
    ] {
        let [line] = lines(message)[..] else { panic!("not one line `{message}` in\n{log}") };
        assert!(line.contains("WARN") && parts.iter().all(|part| line.contains(part)), "{line}");
    }
}

#[test]
fn settings_shape_the_exposition() {
    let telemetry = "resource: {team: edge}, metrics: {level: detailed, readers: [{pull: {exporter: {prometheus: {
        host: 127.0.0.1, port: 0, without_units: false, without_scope_info: false,
        with_resource_constant_labels: {included: [team]}}}}}]}";
    let collector = Collector::start(&config("{}", telemetry, ""));
    send_all(&collector);
    let scrape = || get(collector.address("metrics"), "/metrics");
    eventually("batched", Duration::from_secs(10), || {
        scrape().contains("otelcol_processor_batch_batch_send_size_bytes_bucket{")
    });
    let exposition = scrape();
    let scope = r#"otel_scope_name="go.opentelemetry.io/collector/receiver/receiverhelper",otel_scope_schema_url="",otel_scope_version="""#;
    let series =
        format!(r#"otelcol_receiver_accepted_spans_total{{{scope},receiver="otlp",team="edge",transport="http"}} 2"#);
    assert!(exposition.lines().any(|line| line == series), "no `{series}` in\n{exposition}");
}

#[test]
fn reloads_are_counted_and_followed_by_level_and_endpoint() {
    let settings = config("{}", SCRAPED, "");
    let collector = Collector::start(&settings);
    let reloads = |outcome: &str| collector.metric("tailrace_reloads", &[&format!("outcome=\"{outcome}\"")]) as u64;
    let loaded_at = || collector.metric("tailrace_reload_last_success_timestamp_seconds", &[]);
    let before = loaded_at();
    assert!(before > 1.7e9, "{before}");

    collector.write(&settings.replace("telemetry: {", "telemetry: {logs: {level: error}, "));
    collector.signal("-HUP");
    eventually("reloaded", Duration::from_secs(10), || reloads("success") == 1);
    assert!(loaded_at() > before);

    collector.write(&settings.replace("processors: [batch]", "processors: [bacth]"));
    collector.signal("-HUP");
    eventually("refused", Duration::from_secs(10), || reloads("failure") == 1);
    assert_eq!(reloads("success"), 1);
    let log = collector.log();
    assert!(!log.contains("in force\n") && log.contains("the old one stays in force"), "{log}");
}
