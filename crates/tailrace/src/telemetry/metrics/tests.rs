//! The telemetry scenarios of contrib's own tests, each under its name, over an engine in virtual time.

use super::{exposition::Exposition, *};
use crate::{
    configuration::{
        Gates, PipelineId,
        telemetry::metrics::{Level, Prometheus},
    },
    pipeline::{Batches, LaneBooks, SamplingBooks, Snapshot, timings::Timings},
};
use engine::{Engine, Scratch, Settings, Token, due::Limits};
use otlp::{Keys, json, scan::Scan};
use policy::{Amounts, Now, PolicySet, TailSampling};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

const SECOND: u64 = 1_000_000_000;
const PREFIX: &str = "otelcol_processor_tail_sampling_";

/// A pipeline with `tail_sampling`, and its clock.
struct Rig {
    processor: &'static str,
    engine: Engine,
    scan: Scan,
    scratch: Scratch,
    timings: Timings,
    now: Now,
    /// Whether names are without suffixes.
    plain: bool,
}

impl Rig {
    fn new(yaml: &str) -> Self {
        Self::with(yaml, &Settings::default())
    }

    fn with(yaml: &str, settings: &Settings) -> Self {
        let (node, sources, mut problems) = ::settings::load(&[format!("yaml:{yaml}")], &[], &|_| None);
        let decoded = node.as_ref().and_then(|node| TailSampling::decode(node, &mut problems));
        let decoded = decoded.filter(|_| !problems.has_errors());
        let decoded = decoded.unwrap_or_else(|| panic!("{}", problems.render(&sources)));
        let now = Now { mono_ns: 1_000 * SECOND, wall_ns: 1_767_225_600 * SECOND };
        let mut keys = Keys::default();
        let policies = Arc::new(PolicySet::counting(&decoded, &mut keys, now, Amounts { spans: true, bytes: true }));
        let settings = Settings { decision_wait: Duration::from_secs(1), ..settings.clone() };
        Self {
            processor: "tail_sampling",
            engine: Engine::new(&settings, policies),
            scan: Scan::new(Arc::new(keys)),
            scratch: Scratch::default(),
            timings: Timings::default(),
            now,
            plain: true,
        }
    }

    /// Sends a span of each of these traces, one request a span.
    fn send(&mut self, traces: &[u8]) {
        for trace in traces {
            let text = format!(
                r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{}","spanId":"0102030405060708",
                    "attributes":[{{"key":"http","value":{{"intValue":"200"}}}}]}}]}}]}}]}}"#,
                format!("{trace:02x}").repeat(16)
            );
            let request = json::decode(otlp::Signal::Traces, text.as_bytes()).expect("a request");
            self.scan.run(&request).expect("a request");
            let token = Token::none();
            let arrival = self.engine.begin(&request, &self.scan, &token);
            let pieces = self.engine.ingest(&arrival, 0..self.scan.spans.len(), self.now, &mut self.scratch);
            if pieces > 0 {
                self.timings.add_pieces(pieces, 1_000);
            }
        }
    }

    fn pass(&mut self, seconds: u64) {
        self.now.mono_ns += seconds * SECOND;
        self.now.wall_ns += seconds * SECOND;
        while let Some(due) = self.engine.take_due(self.now.mono_ns) {
            self.settle(due);
        }
    }

    fn settle(&mut self, due: engine::Due) {
        let limits = Limits { bytes_max: 1 << 20, spans_max: u32::MAX, notes: false };
        let settled = due.decide(&self.engine, self.now);
        self.timings.add(1_500_000);
        settled.assemble(&self.engine, limits, self.now.mono_ns, &mut self.scratch, &mut drop);
    }

    fn scrape(&self) -> String {
        self.scrape_with(Gates::default())
    }

    fn scrape_with(&self, gates: Gates) -> String {
        let policies = self.engine.policies();
        let counts = policies.counts();
        let books = self.engine.books();
        let sampling = SamplingBooks {
            processor: self.processor.to_owned(),
            books,
            policies: counts.into_iter().map(|(name, counts)| (name.to_owned(), counts)).collect(),
            amounts: self.engine.policies().amounts(),
            evaluations_cut: self.engine.policies().evaluation_cut(),
            timings: self.timings.counts(),
        };
        let lane = LaneBooks {
            id: PipelineId { signal: otlp::Signal::Traces, name: None },
            name: "traces".to_owned(),
            signal: otlp::Signal::Traces,
            accepted: books.accepted,
            filtered: 0,
            kept: books.kept,
            failed: 0,
            buffered: books.buffered,
            processors: Vec::new(),
            combinations: Vec::new(),
            batches: Batches::default(),
            sampling: Some(sampling),
        };
        let layout =
            Layout { level: Level::Normal, gates, pipelines: BTreeMap::default(), servers: BTreeMap::default() };
        let reading = Reading {
            layout,
            snapshot: Snapshot { lanes: vec![lane], destinations: Vec::new() },
            receivers: Vec::new(),
            reloads: Reloads::default(),
            budget_used: 0,
            budget_limit: 0,
            uptime_seconds: 0.0,
        };
        let settings =
            Prometheus { without_type_suffix: self.plain, without_units: self.plain, ..Prometheus::default() };
        Exposition::new(&settings, &[]).write(&reading.series())
    }
}

/// Names of the metrics of `tail_sampling` in a scrape, sorted.
fn names(scrape: &str) -> Vec<String> {
    let types = scrape.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_prefix(PREFIX));
    let mut names: Vec<String> = types.filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect();
    names.sort();
    names
}

/// A series with its labels in alphabetical order, but for a bucket's bound.
fn sorted(series: &str) -> String {
    let Some((name, rest)) = series.split_once('{') else { return series.to_owned() };
    let (labels, value) = rest.split_once('}').expect("the end of the labels");
    let mut labels: Vec<&str> = labels.split(',').collect();
    labels.sort_by_key(|label| (label.starts_with("le="), *label));
    format!("{name}{{{}}}{value}", labels.join(","))
}

#[track_caller]
fn assert_has(scrape: &str, series: &str) {
    let line = sorted(&format!("{PREFIX}{series}"));
    assert!(scrape.lines().any(|one| one == line), "no `{line}` in\n{scrape}");
}

const TWO: &str = "policies: [{name: always, type: always_sample},
    {name: never, type: probabilistic, probabilistic: {sampling_percentage: 0}}]";

/// contrib shows nine metrics; `sampling_trace_removal_age` comes with the first decision here, because a decided trace
/// leaves the table at once.
#[test]
fn one_evaluation_with_two_policies() {
    let mut rig = Rig::new(TWO);
    rig.send(&[1]);
    rig.pass(3);
    let scrape = rig.scrape();
    assert_eq!(
        names(&scrape),
        [
            "count_traces_sampled",
            "global_count_traces_sampled",
            "new_trace_id_received",
            "sampling_decision_timer_latency",
            "sampling_policy_evaluation_error",
            "sampling_policy_execution_count",
            "sampling_policy_execution_time_sum",
            "sampling_trace_dropped_too_early",
            "sampling_trace_removal_age",
            "sampling_traces_on_memory",
        ]
    );
    let of = r#"processor="tail_sampling""#;
    for series in [
        format!(r#"count_traces_sampled{{{of},policy="always",sampled="true",decision="sampled"}} 1"#),
        format!(r#"count_traces_sampled{{{of},policy="never",sampled="false",decision="not_sampled"}} 1"#),
        format!(r#"global_count_traces_sampled{{{of},sampled="true",decision="sampled"}} 1"#),
        format!("new_trace_id_received{{{of}}} 1"),
        format!(r#"sampling_decision_timer_latency_bucket{{{of},le="1"}} 1"#),
        format!(r#"sampling_decision_timer_latency_bucket{{{of},le="50000"}} 1"#),
        format!("sampling_decision_timer_latency_count{{{of}}} 1"),
        format!("sampling_policy_evaluation_error{{{of}}} 0"),
        format!(r#"sampling_policy_execution_count{{{of},policy="always"}} 1"#),
        format!(r#"sampling_policy_execution_count{{{of},policy="never"}} 1"#),
        format!(r#"sampling_policy_execution_time_sum{{{of},policy="never"}} 750"#),
        format!("sampling_trace_dropped_too_early{{{of}}} 0"),
        format!("sampling_traces_on_memory{{{of}}} 0"),
    ] {
        assert_has(&scrape, &series);
    }
}

#[test]
fn span_ingest_immediate_decision() {
    let mut rig = Rig::new(&format!("{{sampling_strategy: span-ingest, {TWO}}}"));
    rig.send(&[1]);
    let scrape = rig.scrape();
    assert_has(
        &scrape,
        r#"count_traces_sampled{processor="tail_sampling",policy="always",sampled="true",decision="sampled"} 1"#,
    );
    assert_has(
        &scrape,
        r#"global_count_traces_sampled{processor="tail_sampling",sampled="true",decision="sampled"} 1"#,
    );
    assert_has(&scrape, r#"sampling_decision_timer_latency_count{processor="tail_sampling"} 1"#);
}

#[test]
fn component_name_prefix() {
    let mut rig = Rig { processor: "tail_sampling/custom_name", ..Rig::new(TWO) };
    rig.send(&[1]);
    rig.pass(3);
    let scrape = rig.scrape();
    let series =
        r#"sampling_policy_execution_count{processor="tail_sampling/custom_name",policy="custom_name.always"} 1"#;
    assert_has(&scrape, series);
}

#[test]
fn count_spans_sampled_behind_its_gate() {
    let mut rig = Rig::new(TWO);
    rig.send(&[1, 1, 2]);
    rig.pass(3);
    assert!(!rig.scrape().contains("count_spans_sampled"));
    let scrape = rig.scrape_with(Gates { count_spans: true, ..Gates::default() });
    let of = r#"processor="tail_sampling""#;
    assert_has(&scrape, &format!(r#"count_spans_sampled{{{of},policy="always",sampled="true",decision="sampled"}} 3"#));
    let never = format!(r#"count_spans_sampled{{{of},policy="never",sampled="false",decision="not_sampled"}} 3"#);
    assert_has(&scrape, &never);
    assert_eq!(names(&scrape).len(), 11, "one more than without the gate");
}

#[test]
fn count_bytes_sampled_behind_its_gate() {
    let mut rig = Rig::new(TWO);
    rig.send(&[1, 2, 2]);
    rig.pass(3);
    assert!(!rig.scrape().contains("count_bytes_sampled"));
    let scrape = rig.scrape_with(Gates { count_bytes: true, ..Gates::default() });
    // Three equal pieces, measured by pdata's rules; the rules have tests of their own.
    let bytes = bytes_of(&scrape);
    assert!(bytes > 0 && bytes.is_multiple_of(3), "{bytes} in\n{scrape}");
}

/// What the policy `always` sampled.
fn bytes_of(scrape: &str) -> u64 {
    let of = r#"count_bytes_sampled{decision="sampled",policy="always",processor="tail_sampling",sampled="true"} "#;
    let value = scrape.lines().find_map(|line| line.strip_prefix(PREFIX)?.strip_prefix(of)).expect("the series");
    value.parse().expect("a number")
}

#[test]
fn removal_age() {
    let mut rig = Rig::new(TWO);
    rig.send(&[1]);
    rig.pass(30);
    let scrape = rig.scrape();
    assert_has(&scrape, r#"sampling_trace_removal_age_bucket{processor="tail_sampling",le="25"} 0"#);
    assert_has(&scrape, r#"sampling_trace_removal_age_bucket{processor="tail_sampling",le="50"} 1"#);
    assert_has(&scrape, r#"sampling_trace_removal_age_sum{processor="tail_sampling"} 30"#);
}

#[test]
fn late_span_age() {
    for yaml in [TWO, "policies: [{name: never, type: probabilistic, probabilistic: {sampling_percentage: 0}}]"] {
        let mut rig = Rig::new(yaml);
        rig.send(&[1]);
        rig.pass(3);
        rig.send(&[1; 10]);
        let scrape = rig.scrape();
        assert_has(&scrape, r#"sampling_late_span_age_bucket{processor="tail_sampling",le="0"} 10"#);
        assert_has(&scrape, r#"sampling_late_span_age_count{processor="tail_sampling"} 10"#);
    }
}

/// contrib evicts the first of three traces undecided; here it is decided, early.
#[test]
fn dropped_too_early() {
    let mut rig = Rig::with(TWO, &Settings { traces_max: Some(2), ..Settings::default() });
    rig.send(&[1, 2, 3]);
    while rig.engine.is_over_traces_max() {
        let due = rig.engine.take_early().expect("traces wait");
        rig.settle(due);
    }
    let scrape = rig.scrape();
    assert_has(&scrape, r#"sampling_trace_dropped_too_early{processor="tail_sampling"} 0"#);
    assert_has(
        &scrape,
        r#"global_count_traces_sampled{processor="tail_sampling",sampled="true",decision="sampled"} 3"#,
    );
    assert!(scrape.contains("tailrace_traces_decided_early{processor=\"tail_sampling\"} 3"), "{scrape}");
}

#[test]
fn evaluation_error() {
    let yaml = "policies: [{name: broken, type: ottl_condition,
        ottl_condition: {error_mode: propagate, span: ['attributes[1] == \"test\"']}}]";
    let mut rig = Rig::new(yaml);
    rig.send(&[1, 2]);
    rig.pass(3);
    assert_has(&rig.scrape(), r#"sampling_policy_evaluation_error{processor="tail_sampling"} 2"#);
}

#[test]
fn early_releases_from_cache_decision() {
    let mut rig = Rig::new(TWO);
    rig.send(&[1]);
    rig.pass(3);
    assert!(!rig.scrape().contains("early_releases"), "no series before the first");
    rig.send(&[1, 1]);
    rig.pass(1);
    assert_has(&rig.scrape(), r#"early_releases_from_cache_decision{processor="tail_sampling",sampled="true"} 2"#);
}

#[test]
fn dropped_too_large() {
    let mut rig = Rig::new(&format!("{{maximum_trace_size_bytes: 20, {TWO}}}"));
    rig.send(&[1, 2]);
    assert_has(&rig.scrape(), r#"traces_dropped_too_large{processor="tail_sampling"} 2"#);
    assert!(rig.scrape().contains(r#"tailrace_pipeline_dropped_items{pipeline="traces",reason="too_large"} 2"#));
}

#[test]
fn units_are_suffixes_where_they_are_wanted() {
    let mut rig = Rig::new(TWO);
    rig.send(&[1]);
    rig.pass(3);
    rig.plain = false;
    let scrape = rig.scrape();
    assert_has(&scrape, r#"sampling_decision_timer_latency_milliseconds_sum{processor="tail_sampling"} 1"#);
    assert_has(&scrape, r#"new_trace_id_received_total{processor="tail_sampling"} 1"#);
    assert_has(&scrape, r#"sampling_traces_on_memory{processor="tail_sampling"} 0"#);
    let time = "sampling_policy_execution_time_sum_microseconds_total";
    assert_has(&scrape, &format!(r#"{time}{{processor="tail_sampling",policy="always"}} 750"#));
    assert!(scrape.contains("otelcol_process_cpu_seconds_total "), "the unit stands there once: {scrape}");
    assert!(scrape.contains("otelcol_process_uptime_seconds_total "), "{scrape}");
}
