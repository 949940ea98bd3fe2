//! The decision scenarios of contrib's own tests, each under its name: mostly one trace of one span and two ticks.
//!
//! Their mock policies answer what a real one answers here. What differs on purpose stands in the test: verdicts come with
//! the slot of a trace instead of a tick, spans kept over a piece leave with the next slot instead of at once, and late
//! spans follow the remembered verdict with or without a cache. `InvertSampled` and `InvertNotSampled`, which no built-in
//! policy gives any more, are the plain answers of an inverted one.

use crate::rig::*;
use engine::{DropReason, Most, Settings};
use std::time::Duration;

/// Long enough for two ticks of a second.
const TICKS: Duration = Duration::from_millis(2_200);
const CACHES: Most = Most { kept: Some(200), sampled_out: Some(200) };

/// Policies in short: `yes` samples, `no` does not, `errors` samples errors, `bad` drops spans with `kind` = `bad`.
fn policies(names: &[&str], more: &str) -> String {
    let all: Vec<String> = (1..).zip(names).map(|(number, name)| policy(number, name)).collect();
    format!("{{{more} policies: [{}]}}", all.join(", "))
}

fn policy(number: u32, name: &str) -> String {
    let rest = match name {
        "yes" => "type: always_sample",
        "no" => "type: string_attribute, string_attribute: {key: nobody, values: [has-it]}",
        "not-no" => "type: string_attribute, string_attribute: {key: nobody, values: [has-it], invert_match: true}",
        "not-yes" => "type: string_attribute, string_attribute: {key: kind, values: [good], invert_match: true}",
        "errors" => "type: status_code, status_code: {status_codes: [ERROR]}",
        "bad" => {
            "type: drop, drop: {drop_sub_policy: [{name: bad, type: string_attribute,
                string_attribute: {key: kind, values: [bad]}}]}"
        }
        "rate" => "type: rate_limiting, rate_limiting: {spans_per_second: 2, burst_capacity: 2}",
        other => panic!("no policy `{other}`"),
    };
    format!("{{name: mock-policy-{number}, {rest}}}")
}

fn rig(names: &[&str], settings: &Settings) -> Rig {
    Rig { keep_batches: true, ..Rig::new(&policies(names, ""), settings) }
}

fn by_piece(names: &[&str]) -> Rig {
    let settings = Settings { decided_most: CACHES, ..wait(1) };
    Rig { keep_batches: true, ..Rig::new(&policies(names, "sampling_strategy: span-ingest,"), &settings) }
}

#[test]
fn typical_path() {
    let mut rig = rig(&["yes"], &wait(1));
    rig.send(&[span(1)]);
    rig.pass(Duration::from_millis(900));
    assert_eq!((rig.asked("mock-policy-1"), rig.kept(1)), (0, 0), "not before its wait is over");
    rig.pass(TICKS);
    assert_eq!((rig.asked("mock-policy-1"), rig.kept(1)), (1, 1));
}

#[test]
fn invert_sampled() {
    let mut rig = rig(&["not-no"], &wait(1));
    rig.send(&[span(1)]);
    rig.pass(TICKS);
    assert_eq!(rig.kept(1), 1);
}

#[test]
fn multiple_policies() {
    let mut rig = rig(&["yes", "yes"], &Settings { record_policy: true, ..wait(1) });
    rig.send(&[span(1)]);
    rig.pass(TICKS);
    assert_eq!((rig.asked("mock-policy-1"), rig.asked("mock-policy-2"), rig.kept(1)), (1, 1, 1));
    assert_eq!(rig.scopes(1), ["policy=mock-policy-1"]);
}

#[test]
fn not_sampled() {
    let mut rig = rig(&["no"], &wait(1));
    rig.send(&[span(1)]);
    rig.pass(TICKS);
    assert_eq!((rig.asked("mock-policy-1"), rig.kept(1)), (1, 0));
}

/// In contrib an `InvertNotSampled`, which only an extension can give, beats every other policy: nothing leaves. What an
/// inverted policy says today is a plain `NotSampled`, and the other policy keeps the trace.
#[test]
fn invert_not_sampled() {
    let mut rig = rig(&["not-yes", "yes"], &wait(1));
    rig.send(&[span(1).with("kind", "good")]);
    rig.pass(TICKS);
    assert_eq!((rig.asked("mock-policy-1"), rig.asked("mock-policy-2"), rig.kept(1)), (1, 1, 1));
}

#[test]
fn late_arriving_spans_assigned_original_decision() {
    let mut rig = rig(&["errors", "no"], &wait(1));
    rig.send(&[span(1)]);
    rig.pass(TICKS);
    rig.send(&[span(1).error()]);
    rig.pass(TICKS);
    assert_eq!((rig.kept(1), rig.asked("mock-policy-1"), rig.asked("mock-policy-2")), (0, 1, 1));
}

#[test]
fn late_span_uses_sampled_decision_cache() {
    let mut rig = rig(&["errors"], &Settings { record_policy: true, decided_most: CACHES, ..wait(1) });
    rig.send(&[span(1).error()]);
    rig.pass(TICKS);
    rig.send(&[span(1)]);
    rig.pass(TICKS);
    assert_eq!((rig.asked("mock-policy-1"), rig.batches.len()), (1, 2));
    assert_eq!(rig.scopes(1), ["policy=mock-policy-1", "policy=mock-policy-1 cached_decision=true"]);
}

/// The decided memory keeps eight bytes of a trace that is not kept; that a drop policy did it stands in the counts.
#[test]
fn late_span_uses_non_sampled_decision_cache_when_dropped() {
    let mut rig = rig(&["yes", "bad"], &Settings { decided_most: CACHES, ..wait(1) });
    rig.send(&[span(1).with("kind", "bad")]);
    rig.pass(TICKS);
    rig.send(&[span(1)]);
    rig.pass(TICKS);
    assert_eq!((rig.kept(1), rig.asked("mock-policy-2")), (0, 1));
    assert_eq!(rig.check_books().traces_sampled_out_by_drop, 1);
}

#[test]
fn late_span_uses_non_sampled_decision_cache() {
    let mut rig = rig(&["errors"], &Settings { decided_most: CACHES, ..wait(1) });
    rig.send(&[span(1)]);
    rig.pass(TICKS);
    rig.send(&[span(1).error()]);
    rig.pass(TICKS);
    assert_eq!((rig.kept(1), rig.asked("mock-policy-1")), (0, 1));
}

#[test]
fn sample_on_first_match() {
    let yaml = policies(&["no", "yes", "yes"], "sample_on_first_match: true,");
    let mut rig = Rig::new(&yaml, &wait(1));
    rig.send(&[span(1)]);
    rig.pass(TICKS);
    assert_eq!((rig.asked("mock-policy-1"), rig.asked("mock-policy-2"), rig.asked("mock-policy-3")), (1, 1, 0));
    assert_eq!(rig.kept(1), 1);
}

#[test]
fn span_ingest_terminal_decision() {
    let mut rig = by_piece(&["errors"]);
    rig.send(&[span(1)]);
    rig.send(&[span(1).root().error()]);
    rig.pass(Duration::from_millis(200));
    assert_eq!((rig.asked("mock-policy-1"), rig.kept(1)), (2, 2), "with the next slot, not at its wait's end");
}

#[test]
fn span_ingest_dropped() {
    let mut rig = by_piece(&["bad"]);
    rig.send(&[span(1)]);
    rig.send(&[span(1).with("kind", "bad")]);
    rig.send(&[span(1)]);
    rig.pass(TICKS);
    assert_eq!((rig.asked("mock-policy-1"), rig.kept(1)), (2, 0));
}

#[test]
fn span_ingest_tick_clean_up() {
    let mut rig = by_piece(&["errors"]);
    rig.send(&[span(1)]);
    rig.pass(TICKS);
    assert_eq!((rig.asked("mock-policy-1"), rig.kept(1)), (1, 0));
    let books = rig.check_books();
    assert_eq!((books.traces_waiting, books.traces_sampled_out, books.buffered), (0, 1, 0));
}

#[test]
fn span_ingest_evaluates_only_incoming_batch() {
    // Both conditions over both pieces together would sample the trace at the second one.
    let both = "{name: both, type: and, and: {and_sub_policy: [{name: first, type: string_attribute,
        string_attribute: {key: kind, values: [a]}}, {name: second, type: status_code,
        status_code: {status_codes: [ERROR]}}]}}";
    let yaml = format!("{{sampling_strategy: span-ingest, policies: [{both}]}}");
    let mut rig = Rig::new(&yaml, &wait(1));
    rig.send(&[span(1).with("kind", "a")]);
    rig.send(&[span(1).error()]);
    assert_eq!((rig.asked("both"), rig.check_books().traces_kept), (2, 0));
    rig.send(&[span(1).with("kind", "a").error()]);
    rig.pass(TICKS);
    assert_eq!(rig.kept(1), 3);
}

#[test]
fn span_ingest_root_arrives_first() {
    let mut rig = by_piece(&["errors"]);
    rig.send(&[span(1).root()]);
    rig.send(&[span(1).error()]);
    rig.pass(Duration::from_millis(200));
    assert_eq!(rig.kept(1), 2);
}

#[test]
fn span_ingest_child_and_root_pending() {
    let mut rig = by_piece(&["errors"]);
    rig.send(&[span(1)]);
    rig.send(&[span(1).root()]);
    rig.pass(TICKS);
    assert_eq!((rig.asked("mock-policy-1"), rig.kept(1), rig.check_books().traces_waiting), (2, 0, 0));
}

#[test]
fn rate_limiter() {
    let yaml = policies(&["rate"], "sample_on_first_match: true,");
    let mut rig = Rig::new(&yaml, &wait(1));
    for trace in 0..11 {
        rig.send(&[span(trace)]);
    }
    rig.pass(TICKS);
    assert!((1..=2).contains(&rig.kept.len()), "{}", rig.kept.len());
}

#[test]
fn drop_policy_with_late_matching_spans() {
    for strategy in ["trace-complete", "span-ingest"] {
        let yaml = policies(&["yes", "bad"], &format!("sampling_strategy: {strategy},"));
        let mut rig = Rig::new(&yaml, &wait(1));
        rig.send(&[span(1)]);
        rig.send(&[span(1).with("kind", "bad")]);
        rig.pass(TICKS);
        assert_eq!(rig.kept(1), 0, "{strategy}");
    }
}

/// The limit is not raised while Tailrace runs; a second engine has the higher one.
#[test]
fn drop_large_traces() {
    for (limit, kept) in [(1_024, 1), (65_536, 2)] {
        let mut rig = Rig::new(&policies(&["yes"], &format!("maximum_trace_size_bytes: {limit},")), &wait(1));
        rig.send(&[span(1).padded(2_000)]);
        rig.send(&[span(2)]);
        rig.pass(TICKS);
        let books = rig.check_books();
        assert_eq!((rig.kept.len(), books.traces_dropped_too_large), (kept, 2 - kept as u64));
        assert_eq!(books.dropped_for(DropReason::TooLarge), 2 - kept as u64);
    }
}

#[test]
fn root_received_batcher() {
    let mut rig = Rig::new(ALWAYS, &Settings { after_root: Some(Duration::from_secs(1)), ..wait(60) });
    for trace in 0..1_000 {
        rig.send(&[if trace % 2 == 0 { span(trace).root() } else { span(trace) }]);
    }
    rig.pass(Duration::from_secs(2));
    assert!((400..=600).contains(&rig.kept.len()), "{}", rig.kept.len());
}
