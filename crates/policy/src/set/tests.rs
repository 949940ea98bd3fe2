//! The rules of combination, reasons and weights, whole leaves; and random sets against a slow evaluator.

mod conformance;
mod explanations;
mod limits;
mod oracle;
mod random;
mod vectors;

use super::*;
use crate::{
    notation::{Bench, START, Waiting, decode_all},
    verdict::{Weight, Why},
};

const ERRORS: &str = "- {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}";
const SLOW: &str = "- {name: slow, type: latency, latency: {threshold_ms: 1000}}";
const TENTH: &str = "- {name: tenth, type: probabilistic, probabilistic: {sampling_percentage: 10}}";
const HALF: &str = "- {name: half, type: probabilistic, probabilistic: {sampling_percentage: 50}}";
const CERTAIN: &str = "- {name: certain, type: always_sample}";
const LIMIT: &str = "- {name: limit, type: rate_limiting, rate_limiting: {spans_per_second: 100}}";

/// The trace (6, 7): sampled at 50 %, not at 10 %; (5, 6) at both.
const SIXTH: &str = "0+1";

#[track_caller]
fn why(policies: &[&str], trace: &str, expected: &str) {
    assert_eq!(Bench::new(&policies.join("\n")).why(trace), expected, "{policies:?} on {trace}");
}

#[test]
fn any_policy_that_samples_wins() {
    for (policies, trace, expected) in [
        (&[ERRORS, SLOW][..], "0+1", "no policy matched"),
        (&[ERRORS, SLOW], "0+1 error", "errors @1"),
        (&[ERRORS, SLOW], "0+1 | 0+2000", "slow @2"),
        (&[ERRORS, SLOW], "0+2000 | 0+1 error", "errors @2"),
        (&[SLOW, ERRORS], "0+2000 | 0+1 error", "slow @1"),
        (&[], "0+1 error", "no policy matched"),
    ] {
        why(policies, trace, expected);
    }
}

#[test]
fn places() {
    let text = "- {name: t, type: string_attribute, string_attribute: {key: k, values: [x]}}";
    why(&[text], r#"0+1, 0+1 | {k="x"} 0+1"#, "t @3 resource");
    why(&[text], r#"0+1, 0+1 k="x", 0+1 k="x""#, "t @2");
    let inverted = "- {name: t, type: string_attribute, string_attribute: {key: k, values: [x], invert_match: true}}";
    why(&[inverted], r#"0+1 k="y""#, "t");
}

#[test]
fn paths() {
    let both = "- {name: both, type: and, and: {and_sub_policy: [
        {type: status_code, status_code: {status_codes: [ERROR]}}, {name: some, type: probabilistic, probabilistic: {sampling_percentage: 100}}]}}";
    why(&[both], "0+1 | 0+1 error", "both › status_code @2");
    let last = "- {name: both, type: and, and: {and_sub_policy: [{name: a, type: always_sample}, {name: b, type: always_sample}]}}";
    why(&[last], "0+1", "both › b");
    let mut bench = Bench::new(both);
    let reason = bench.verdict("0+1 error").reason;
    assert_eq!(bench.set.policy_name(reason), "both");
    assert_eq!(bench.set.policy_name(Reason::NONE), "");
}

/// The IDs (5, 6) and (6, 7) of the fifth and sixth trace.
fn verdict_of(number: usize, policies: &[&str]) -> (String, Weight) {
    let mut bench = Bench::new(&policies.join("\n"));
    let verdict = bench.verdicts(&vec![SIXTH; number], START)[number - 1];
    (bench.set.describe(verdict.reason), verdict.weight)
}

#[test]
fn the_smallest_reported_threshold_is_recorded() {
    for (number, policies, expected) in [
        (5, &[TENTH, CERTAIN][..], "certain"),
        (5, &[CERTAIN, TENTH], "certain"),
        (5, &[TENTH, HALF], "half"),
        (6, &[TENTH, HALF], "half"),
        (5, &[HALF, TENTH], "half"),
        (5, &[TENTH, LIMIT], "limit"),
        (5, &[TENTH], "tenth"),
        (6, &[TENTH], "no policy matched"),
    ] {
        assert_eq!(verdict_of(number, policies).0, expected, "{number} {policies:?}");
    }
    let both = "- {name: both, type: and, and: {and_sub_policy: [{name: a, type: always_sample},
        {name: t, type: probabilistic, probabilistic: {sampling_percentage: 10}}]}}";
    assert_eq!(verdict_of(5, &[both, HALF]).0, "half");
    assert_eq!(verdict_of(5, &[both, TENTH]).0, "both › t");
}

#[test]
fn weights() {
    let hashed = |threshold, seed| Weight::Unknown(Why::NotConsistent { threshold, seed });
    let half = 1 << 55;
    let tenth = (1 << 56) - 7_205_759_403_792_794;
    let salted = "- {name: salted, type: probabilistic, probabilistic: {sampling_percentage: 99, hash_salt: b}}";
    for (policies, expected) in [
        (&[CERTAIN][..], Weight::Exact(0)),
        (&[HALF], hashed(half, 0)),
        (&[TENTH, HALF], hashed(half, 0)),
        (&[TENTH], hashed(tenth, 0)),
        (&[HALF, salted], Weight::Unknown(Why::Mixed)),
        (&[LIMIT], Weight::Unknown(Why::Limited)),
        (&[LIMIT, CERTAIN], Weight::Exact(0)),
        (&[LIMIT, HALF], Weight::Unknown(Why::Limited)),
        (&[], Weight::Unknown(Why::NotKept)),
    ] {
        assert_eq!(verdict_of(5, policies).1, expected, "{policies:?}");
    }
    let both = "- {name: both, type: and, and: {and_sub_policy: [
        {name: t, type: probabilistic, probabilistic: {sampling_percentage: 10}},
        {name: h, type: probabilistic, probabilistic: {sampling_percentage: 50}}]}}";
    assert_eq!(verdict_of(5, &[both]).1, hashed(tenth, 0));
}

#[test]
fn weights_of_opposites_and_composites() {
    let hashed = |threshold, seed| Weight::Unknown(Why::NotConsistent { threshold, seed });
    let tenth = (1 << 56) - 7_205_759_403_792_794;
    let not =
        |name: &str, policy: &str| format!("- {{name: {name}, type: not, not: {{not_sub_policy: {{{policy}}}}}}}");
    let not_tenth = not("n", "type: probabilistic, probabilistic: {sampling_percentage: 10}");
    let never = not("n", "type: probabilistic, probabilistic: {sampling_percentage: 0}");
    let no_error = not("n", "type: status_code, status_code: {status_codes: [ERROR]}");
    let no_room = not("n", "type: rate_limiting, rate_limiting: {spans_per_second: 0}");
    let share = "- {name: c, type: composite, composite: {max_total_spans_per_second: 99, composite_sub_policy: [{name: a, type: always_sample}]}}";
    for (policies, expected) in [
        (&[not_tenth.as_str()][..], hashed((1 << 56) - tenth, 0)),
        (&[&not_tenth, HALF], Weight::Unknown(Why::Mixed)),
        (&[&not_tenth, CERTAIN], Weight::Exact(0)),
        (&[&never], Weight::Exact(0)),
        (&[&no_error], Weight::Exact(0)),
        (&[&no_room], Weight::Unknown(Why::Limited)),
        (&[share], Weight::Unknown(Why::Limited)),
        (&[share, HALF], Weight::Unknown(Why::Limited)),
        (&[share, &no_error], Weight::Exact(0)),
    ] {
        // The third trace passes neither the tenth nor the half.
        let number = if policies.contains(&HALF) { 5 } else { 3 };
        let number = if policies[0] == not_tenth && number == 5 { 6 } else { number };
        assert_eq!(verdict_of(number, policies).1, expected, "{policies:?}");
    }
}

#[test]
fn each_policy_is_asked_unless_the_first_match_ends_it() {
    let policies = format!("{ERRORS}\n{CERTAIN}\n{SLOW}");
    for (first_match, asked) in [(false, [1, 1, 1]), (true, [1, 1, 0])] {
        let yaml = format!("sample_on_first_match: {first_match}\npolicies:\n{policies}");
        let mut bench = Bench::of(&decode_all(&yaml).0.unwrap());
        assert_eq!(bench.why("0+1"), "certain");
        let counts = bench.set.counts();
        assert_eq!(counts.iter().map(|(_, counts)| counts.sampled + counts.not_sampled).collect::<Vec<_>>(), asked);
    }
    let limited = "sample_on_first_match: true
policies: [{name: l, type: rate_limiting, rate_limiting: {spans_per_second: 2, burst_capacity: 2}}]";
    let mut bench = Bench::of(&decode_all(limited).0.unwrap());
    assert_eq!(bench.verdicts(&["0+1"; 11], START).iter().filter(|verdict| verdict.keep).count(), 2);
}

#[test]
fn the_first_match_ends_it() {
    let policies =
        format!("{ERRORS}\n{CERTAIN}\n- {{name: l, type: rate_limiting, rate_limiting: {{spans_per_second: 1}}}}");
    let yaml = format!("sample_on_first_match: true\npolicies:\n{policies}");
    let mut bench = Bench::of(&decode_all(&yaml).0.unwrap());
    assert_eq!(bench.why("0+1"), "certain");
    let first = format!("sample_on_first_match: true\npolicies:\n{TENTH}\n{CERTAIN}");
    let mut bench = Bench::of(&decode_all(&first).0.unwrap());
    let verdict = bench.verdicts(&[SIXTH; 5], START)[4];
    assert_eq!(bench.set.describe(verdict.reason), "tenth");
}

const PATTERN: &str = "{name: route, type: string_attribute,
    string_attribute: {key: r, values: ['^/c'], enabled_regex_matching: true, invert_match: false}}";

/// Whether a trace's spans are needed, for a set of policies in which `$route` is a costly pattern.
#[track_caller]
fn needs(policies: &str, trace: &str, expected: bool) {
    let mut bench = Bench::new(&policies.replace("$route", PATTERN));
    let mut waiting: Vec<Waiting> = Vec::new();
    for request in crate::notation::requests(trace, 5) {
        bench.fold(&request, &mut waiting);
    }
    assert_eq!(bench.set.needs_spans(&waiting[0].candidate()), expected, "{policies}\n{trace}");
}

#[test]
fn spans_are_needed_where_a_pattern_decides() {
    let errors = "{name: e, type: status_code, status_code: {status_codes: [ERROR]}}";
    let limit = "{name: l, type: rate_limiting, rate_limiting: {spans_per_second: 9}}";
    let alone = "- $route".to_string();
    let both = format!("- {{name: both, type: and, and: {{and_sub_policy: [{errors}, $route]}}}}");
    let turned = format!("- {{name: both, type: and, and: {{and_sub_policy: [$route, {errors}]}}}}");
    let limited = format!("- {{name: both, type: and, and: {{and_sub_policy: [{errors}, $route, {limit}]}}}}");
    let limit_between = format!("- {{name: both, type: and, and: {{and_sub_policy: [$route, {limit}, {errors}]}}}}");
    let never = "{name: t, type: probabilistic, probabilistic: {sampling_percentage: 0}}";
    let hashed = format!("- {{name: both, type: and, and: {{and_sub_policy: [{never}, $route]}}}}");
    for (policies, trace, expected) in [
        (alone.clone(), r#"0+1 r="/c""#, false),
        (both.clone(), r#"0+1 r="/c""#, false),
        (both.clone(), "0+1 error", true),
        (turned.clone(), "0+1 error", true),
        (turned, "0+1", false),
        (hashed, "0+1 error", false),
        (format!("{CERTAIN}\n{both}"), "0+1 error", false),
        (format!("{both}\n{CERTAIN}"), "0+1 error", true),
        (format!("{TENTH}\n{both}"), "0+1 error", true),
        (format!("{CERTAIN}\n{limited}"), "0+1 error", true),
        (format!("{CERTAIN}\n{limited}"), "0+1", false),
        (limit_between, "0+1", true),
    ] {
        needs(&policies, trace, expected);
    }
}

#[test]
fn an_unsettled_leaf_is_neutral() {
    for (pattern, policies) in [("'^/c'", 1), ("'^/x'", 1), ("'^/c'", 2)] {
        let others = if policies == 2 { CERTAIN } else { "" };
        let policies = format!(
            "- {{name: both, type: and, and: {{and_sub_policy: [{{name: n, type: span_count}}, {}]}}}}\n{others}",
            PATTERN.replace("'^/c'", pattern).replace("false}}", "true}}")
        );
        let mut bench = Bench::new(&policies);
        let mut waiting: Vec<Waiting> = Vec::new();
        for request in crate::notation::requests(r#"0+1 r="/c""#, 5) {
            bench.fold(&request, &mut waiting);
        }
        let verdict = bench.set.decide(&mut [waiting[0].candidate()], START)[0];
        assert_eq!(verdict.keep, !others.is_empty(), "decided on what is known");
    }
}

#[test]
fn drop_policies_go_first() {
    let policies = "
- {name: limit, type: rate_limiting, rate_limiting: {spans_per_second: 1, burst_capacity: 1}}
- {name: many, type: drop, drop: {drop_sub_policy: [{name: count, type: span_count, span_count: {min_spans: 3}}]}}";
    let mut bench = Bench::new(policies);
    let verdicts = bench.verdicts(&["0+1, 0+1, 0+1", "0+1", "0+1"], START);
    let said: Vec<(bool, String)> =
        verdicts.iter().map(|verdict| (verdict.keep, bench.set.describe(verdict.reason))).collect();
    let said: Vec<(bool, &str)> = said.iter().map(|(keep, path)| (*keep, path.as_str())).collect();
    let expected = [(false, "many › count"), (true, "limit"), (false, "no policy matched")];
    assert_eq!(said, expected, "the dropped trace was not charged");
    let counts = |sampled, not_sampled, dropped| PolicyCounts { sampled, not_sampled, dropped, errors: 0, unasked: 0 };
    assert_eq!(bench.set.counts(), [("many", counts(0, 2, 1)), ("limit", counts(1, 1, 0))]);
}

#[test]
fn a_set_is_shared_between_threads() {
    fn check<T: Send + Sync>() {}
    check::<PolicySet>();
}

#[test]
fn leaves_are_shared() {
    for (policies, words) in [
        (CERTAIN, 0),
        (ERRORS, 1),
        (SLOW, 5),
        (
            "- {name: a, type: latency, latency: {threshold_ms: 1}}\n- {name: b, type: latency, latency: {threshold_ms: 2}}",
            6,
        ),
        (
            "- {name: a, type: latency, latency: {threshold_ms: 1}}\n- {name: b, type: latency, latency: {threshold_ms: 1}}",
            5,
        ),
        (
            "- {name: a, type: boolean_attribute, boolean_attribute: {key: k}}
- {name: b, type: boolean_attribute, boolean_attribute: {key: k, invert_match: true}}",
            1,
        ),
    ] {
        assert_eq!(Bench::new(policies).set.state_words(), words, "{policies}");
    }
    assert!(Bench::new(LIMIT).set.order_matters());
    assert!(!Bench::new(ERRORS).set.order_matters());
}
