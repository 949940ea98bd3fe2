//! What goes on from set to set: numbers, counts, limiters.

use super::*;
use crate::{
    TailSampling,
    notation::{Bench, START, decode_all},
    verdict::Verdict,
};
use otlp::Keys;

const HOUR_NS: u64 = 3_600_000_000_000;
const REMEMBERED_NS: u64 = HOUR_NS;

const ERRORS: &str = "{name: errors, type: status_code, status_code: {status_codes: [ERROR]}}";
const SLOW: &str = "{name: slow, type: latency, latency: {threshold_ms: 5000}}";
const LIMIT: &str = "{name: limit, type: rate_limiting, rate_limiting: {spans_per_second: 1, burst_capacity: 2}}";
const BOTH: &str = "{name: both, type: and, and: {and_sub_policy: [
    {name: slow, type: latency, latency: {threshold_ms: 5000}},
    {name: few, type: rate_limiting, rate_limiting: {spans_per_second: 1, burst_capacity: 2}}]}}";

fn written(policies: &[&str]) -> TailSampling {
    decode_all(&format!("policies: [{}]", policies.join(", "))).0.expect("settings")
}

/// The first set, and those that follow it, an hour and a minute apart or as said.
fn benches(sets: &[&[&str]], hours: u64) -> Vec<Bench> {
    let mut benches: Vec<Bench> = Vec::new();
    for (number, policies) in (0u64..).zip(sets) {
        let mut keys = benches.last().map_or_else(Keys::default, |before| (**before.set.keys()).clone());
        let mut set = PolicySet::new(&written(policies), &mut keys, START);
        if let Some(before) = benches.last() {
            set.follow(&before.set, number * hours * (HOUR_NS + HOUR_NS / 60), REMEMBERED_NS);
        }
        benches.push(Bench::with(set, keys));
    }
    benches
}

#[track_caller]
fn verdict(bench: &mut Bench, trace: &str) -> Verdict {
    let verdict = bench.verdict(trace);
    assert!(verdict.keep, "{trace}");
    verdict
}

#[test]
fn the_newest_set_names_the_policies_of_all_before() {
    let mut benches = benches(&[&[ERRORS, SLOW], &[SLOW, LIMIT], &[BOTH, LIMIT, ERRORS], &[LIMIT]], 0);
    let verdicts = [
        ("errors", verdict(&mut benches[0], "0+1 error")),
        ("slow", verdict(&mut benches[0], "0+6000")),
        ("slow", verdict(&mut benches[1], "0+6000")),
        ("limit", verdict(&mut benches[1], "0+1")),
        ("errors", verdict(&mut benches[2], "0+1, 0+1, 0+1 error")),
        ("both › slow", verdict(&mut benches[2], "0+6000")),
    ];
    let newest = &benches[3].set;
    for (expected, verdict) in &verdicts {
        let Verdict { reason, .. } = Verdict::unpack(verdict.pack());
        assert_eq!(newest.describe(reason), *expected);
        assert!(expected.starts_with(newest.policy_name(reason)), "{expected}");
    }
}

#[test]
fn a_number_is_given_away_when_nobody_remembers_it() {
    for (hours, expected) in [(0, 3), (1, 2)] {
        let benches = benches(&[&[ERRORS], &[SLOW], &[LIMIT]], hours);
        assert_eq!(benches[2].set.paths.len(), expected, "{hours}");
        assert_eq!(benches[2].set.counts()[0].0, "limit");
    }
}

#[test]
fn numbers_are_bounded() {
    let names = |from: usize| -> Vec<String> {
        (from..from + 4_000).map(|n| format!("{{name: p{n}, type: always_sample}}")).collect()
    };
    let sets: Vec<Vec<String>> = (0..5).map(|set| names(set * 4_000)).collect();
    let sets: Vec<Vec<&str>> = sets.iter().map(|set| set.iter().map(String::as_str).collect()).collect();
    let mut benches = benches(&sets.iter().map(Vec::as_slice).collect::<Vec<_>>(), 0);
    assert_eq!(benches[4].set.paths.len(), packed::PATHS_MAX);
    assert_eq!((benches[4].set.counts().len(), benches[4].set.counts()[3_999].0), (4_000, "p19999"));
    assert!(benches[4].verdict("0+1").keep, "a policy without a number acts");
}

#[test]
fn counts_go_on_by_name() {
    let mut benches = benches(&[&[ERRORS, SLOW], &[LIMIT, &SLOW.replace("5000", "7000")]], 0);
    let _ = benches[0].verdicts(&["0+6000", "0+1", "0+8000"], START);
    let _ = benches[1].verdicts(&["0+6000", "0+8000"], START);
    let _ = benches[0].verdicts(&["0+6000"], START);
    let counts = |bench: &Bench, name: &str| {
        let counts = bench.set.counts().into_iter().find(|(one, _)| *one == name).map(|(_, counts)| counts);
        counts.map(|counts| (counts.sampled, counts.not_sampled))
    };
    assert_eq!(counts(&benches[1], "slow"), Some((4, 2)), "the set before goes on counting, too");
    assert_eq!(counts(&benches[0], "slow"), Some((4, 2)));
    assert_eq!((counts(&benches[1], "errors"), counts(&benches[1], "limit")), (None, Some((2, 0))));
}

#[test]
fn limiters_go_on_where_nothing_changed() {
    let changed = LIMIT.replace("burst_capacity: 2", "burst_capacity: 1");
    let renamed = LIMIT.replace("name: limit", "name: other");
    for (before, after, expected) in [
        (LIMIT, LIMIT, false),
        (LIMIT, &changed, true),
        (LIMIT, &renamed, true),
        (BOTH, BOTH, false),
        (BOTH, LIMIT, true),
    ] {
        let mut benches = benches(&[&[before], &[ERRORS, after]], 0);
        verdict(&mut benches[0], "0+6000, 0+1");
        assert_eq!(benches[1].verdict("0+6000").keep, expected, "{before} {after}");
    }
    let mut benches = benches(&[&[LIMIT], &[LIMIT]], 0);
    verdict(&mut benches[1], "0+1");
    verdict(&mut benches[0], "0+1");
    assert!(!benches[1].verdict("0+1").keep, "both sets charge the same limiter");
}

#[test]
fn keys_extend() {
    let key =
        |key: &str| format!("{{name: {key}, type: boolean_attribute, boolean_attribute: {{key: {key}, value: true}}}}");
    let benches = benches(&[&[&key("a"), &key("b")], &[&key("c"), &key("b")]], 0);
    let [before, after] = [&benches[0], &benches[1]].map(|bench| bench.set.keys());
    assert!(after.extends(before) && !before.extends(after));
    assert_eq!((before.len(), after.len()), (2, 3));
}
