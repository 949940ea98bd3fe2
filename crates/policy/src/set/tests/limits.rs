//! Virtual shards, recorded names, size limits, and what costly or failing conditions do.

use super::super::*;
use crate::{
    attribute::Condition,
    notation::{Bench, START, Waiting, decode_all, requests},
};

#[track_caller]
fn bench(yaml: &str) -> Bench {
    let (settings, told) = decode_all(yaml);
    assert!(!told.contains("error:"), "{told}");
    Bench::of(&settings.unwrap())
}

#[test]
fn limits_are_divided_among_shards() {
    // The first twelve IDs go to the shards 2, 1, 2, 1, 2, 1, 2, 0, 2, 1, 2, 1; those of a test begin with the second.
    let traces = ["0+1"; 11];
    let kept = |yaml: &str| bench(yaml).verdicts(&traces, START).iter().map(|verdict| verdict.keep).collect::<Vec<_>>();
    let limit = "
num_shards: 4
policies: [{name: p, type: rate_limiting, rate_limiting: {spans_per_second: 4, burst_capacity: 2}}]";
    let twice_each = [true, true, true, true, false, false, true, false, false, false, false];
    assert_eq!(kept(limit), twice_each, "a burst is not divided");
    // A burst that is not given is twice the undivided rate.
    let unset = "{spans_per_second: 1}";
    assert_eq!(kept(&limit.replace("{spans_per_second: 4, burst_capacity: 2}", unset)), twice_each);
    let composite = "
num_shards: 4
policies: [{name: p, type: composite, composite: {max_total_spans_per_second: 8, composite_sub_policy: [{name: a, type: always_sample}]}}]";
    assert_eq!(kept(composite), twice_each);
}

#[test]
fn the_part_of_a_composite_is_recorded_whoever_decides() {
    let composite = |name: &str, part: &str| {
        format!(
            "{{name: {name}, type: composite, composite: {{max_total_spans_per_second: 9, composite_sub_policy: [{{name: {part}, type: always_sample}}]}}}}"
        )
    };
    let recorded = |policies: &str| {
        let mut bench = bench(&format!("policies: [{policies}]"));
        let verdict = bench.verdict("0+1");
        let Recorded { policy, composite_policy } = bench.set.recorded(&verdict);
        (policy.to_string(), composite_policy.map(str::to_string))
    };
    let all = "{name: all, type: always_sample}";
    let (one, two) = (composite("one", "a"), composite("two", "b"));
    assert_eq!(recorded(all), ("all".to_string(), None));
    assert_eq!(recorded(&format!("{all}, {one}")), ("all".to_string(), Some("a".to_string())));
    assert_eq!(recorded(&format!("{one}, {two}, {all}")), ("one".to_string(), Some("b".to_string())));
    let nameless = one.replace("name: a,", "");
    assert_eq!(recorded(&nameless), ("one".to_string(), Some(String::new())));
    assert_eq!(recorded("{name: none, type: span_count, span_count: {min_spans: 2}}"), (String::new(), None));
}

#[test]
fn traces_that_outgrow_the_limit() {
    // Two bytes for the resource; of the scope two, and one and a length for it and for each span of 50.
    let (one, two) = (2 + 2 + 2 + 52, 2 + 2 + 2 + 104);
    for (limit, is_one, is_two) in [(0, false, false), (one - 1, true, true), (one, false, true), (two, false, false)] {
        let mut bench =
            bench(&format!("maximum_trace_size_bytes: {limit}\npolicies: [{{name: a, type: always_sample}}]"));
        for (text, expected) in [("0+1", is_one), ("0+1, 0+1", is_two)] {
            let mut waiting = Vec::new();
            requests(text, 1).iter().for_each(|request| bench.fold(request, &mut waiting));
            assert_eq!(bench.set.is_too_large(&waiting[0].state), expected, "{limit} {text}");
        }
    }
}

const SET: &str = "policies:
  - {name: route, type: string_attribute, string_attribute: {key: r, values: ['x$', 'y$'], enabled_regex_matching: true}}
  - {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}";

/// A trace with so many spans, each with a text of so many bytes under `r`, of which the last ends in `x`.
fn long(bench: &mut Bench, spans: usize, bytes: usize) -> Waiting {
    let mut waiting = Vec::new();
    for number in 0..spans {
        let last = if number + 1 == spans { "x" } else { "a" };
        let text = format!(r#"0+1 r="{}{last}""#, "a".repeat(bytes - 1));
        requests(&text, 1).iter().for_each(|request| bench.fold(request, &mut waiting));
    }
    waiting.remove(0)
}

#[test]
fn large_values_are_fine_until_a_trace_costs_too_much() {
    for (spans, bytes, keep, cuts) in
        [(1, 1 << 20, true, 0), (2, 1 << 20, true, 0), (9, 1 << 20, false, 1), (500, 900, true, 0)]
    {
        let mut bench = bench(SET);
        let mut trace = [long(&mut bench, spans, bytes)];
        assert_eq!(bench.decide(&mut trace, START)[0].keep, keep, "{spans} spans of {bytes} bytes");
        assert_eq!((bench.set.evaluation_cut(), bench.set.counts()[0].1.errors), (cuts, cuts));
    }
}

#[test]
fn what_is_cut_leaves_the_other_policies_their_say() {
    for set in [
        SET,
        &SET.replace(
            "- {name: route, ",
            "- {name: both, type: and, and: {and_sub_policy: [{name: count, type: span_count}, {name: route, ",
        )
        .replace("true}}", "true}}]}}"),
    ] {
        let mut bench = bench(set);
        let mut waiting = vec![long(&mut bench, 9, 1 << 20)];
        requests("0+1 error", 1).iter().for_each(|request| bench.fold(request, &mut waiting));
        let verdict = bench.decide(&mut waiting, START)[0];
        assert_eq!((verdict.keep, bench.set.policy_name(verdict.reason)), (true, "errors"));
        assert!(bench.verdict(r#"0+1 r="x""#).keep, "another trace is not harmed");
    }
}

#[test]
fn a_condition_that_panics_fails_alone() {
    let (settings, _) =
        decode_all("policies: [{name: errors, type: status_code, status_code: {status_codes: [ERROR]}}]");
    let settings = settings.unwrap();
    let mut keys = Keys::default();
    let mut compiler = Compiler::new(&settings, &mut keys, START);
    let mut rules = compiler.in_turn(&settings.policies);
    // The panicking leaf stands beside the policy, under the same name.
    let test = compiler.attribute("bad", Condition::Panics, false);
    rules.push(Rule { path: 0, test });
    let mut bench = Bench::with(compiler.finish(rules, &settings), keys);
    assert!(bench.verdict("0+1 bad=true error").keep);
    assert!(!bench.verdict("0+1 bad=true").keep);
    assert!(bench.verdict("0+1 error").keep);
    let errors: Vec<u64> = bench.set.counts().iter().map(|(_, counts)| counts.errors).collect();
    assert_eq!(errors, [0, 2]);
}

#[test]
fn drop_blocks_sampling_in_span_ingest() {
    let settings = "sampling_strategy: span-ingest
policies:
  - {name: all, type: always_sample}
  - {name: d, type: drop, drop: {drop_sub_policy: [{name: m, type: string_attribute, string_attribute: {key: p, values: [/metrics]}}]}}";
    let mut bench = bench(settings);
    let mut waiting = Vec::new();
    for (request, expected) in requests(r#"0+1 p="/x" | 0+1 p="/metrics""#, 1).iter().zip([None, Some(false)]) {
        bench.fold_pieces(request, &mut waiting, START);
        assert_eq!(waiting[0].verdict.map(|verdict| verdict.keep), expected);
    }
}

#[test]
fn each_piece_is_asked_alone() {
    let settings = "sampling_strategy: span-ingest
policies:
  - {name: both, type: and, and: {and_sub_policy: [
      {name: e, type: status_code, status_code: {status_codes: [ERROR]}}, {name: o, type: status_code, status_code: {status_codes: [OK]}}]}}
  - {name: many, type: span_count, span_count: {min_spans: 4}}";
    for (text, expected) in [
        ("0+1 error | 0+1 ok", &[None, None][..]),
        ("0+1 | 0+1 error, 0+1 ok", &[None, Some("both")]),
        ("0+1, 0+1 | 0+1 | 0+1", &[None, None, Some("many")]),
    ] {
        let mut bench = bench(settings);
        let mut waiting = Vec::new();
        for (request, expected) in requests(text, 1).iter().zip(expected) {
            bench.fold_pieces(request, &mut waiting, START);
            let policy = waiting[0].verdict.map(|verdict| bench.set.policy_name(verdict.reason));
            assert_eq!(policy, *expected, "{text}");
        }
    }
}
