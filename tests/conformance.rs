//! The verdicts of a real collector, recorded case by case, against ours: in process, with a virtual clock.
//!
//! Each case is a `tail_sampling` configuration with the traces that contrib's processor kept. The inputs are fed in
//! order through the JSON decoder, the scanner and the engine; then the clock is moved past the wait. Every trace ID,
//! every span count and every span (with its resource and scope) must agree. Timed cases give each request at its
//! moment. Settings that the collector refuses must be refused, and each OTTL condition must come out as recorded.

#[path = "conformance/binary.rs"]
mod binary;
#[expect(dead_code, reason = "the stories look at more of it")]
#[path = "stories/collector.rs"]
mod collector;
#[path = "conformance/conditions.rs"]
mod conditions;
#[path = "conformance/lanes.rs"]
mod lanes;
#[path = "conformance/line.rs"]
mod line;
#[path = "conformance/play.rs"]
mod play;
#[path = "conformance/recorded.rs"]
mod recorded;
#[path = "conformance/refusals.rs"]
mod refusals;

use otlp::{Keys, json, scan::Scan};
use play::{Play, Whole, counts, wholes};
use recorded::{Case, cases, requests};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// How many cases were recorded.
const CASES: usize = 61;
const TIMED_CASES: usize = 32;
/// Past the waits of most cases; the others are decided at the stop.
const LONG: Duration = Duration::from_secs(10);
/// When the collector was stopped after the last step of a timed case.
const STOP_AFTER: Duration = Duration::from_millis(4_300);

#[test]
fn verdicts_equal_the_recorded_ones() {
    check("traces.jsonl", false);
}

#[test]
fn verdicts_equal_the_recorded_ones_for_packed_requests() {
    check("packed.jsonl", true);
}

fn check(file: &str, packed: bool) {
    let requests = requests(file);
    let mut sent = BTreeMap::new();
    let mut scan = Scan::new(Arc::new(Keys::default()));
    for request in &requests {
        scan.run(request).expect("a recorded request");
        wholes(&scan, request, &mut sent);
    }
    sent.values_mut().for_each(|spans| spans.sort());

    let cases = cases("cases");
    assert_eq!(cases.len(), CASES, "the recorded cases");
    let wrong: Vec<String> = cases.iter().filter_map(|case| differs(case, &requests, &sent, packed)).collect();
    assert!(wrong.is_empty(), "{} of {} cases differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// What is wrong with a case, if anything.
fn differs(case: &Case, requests: &[Vec<u8>], sent: &BTreeMap<String, Vec<Whole>>, packed: bool) -> Option<String> {
    let mut play = match Play::new(&case.settings) {
        Ok(play) => play,
        Err(problems) => return Some(format!("{}: refused:\n{problems}", case.name)),
    };
    for request in requests {
        play.take_in(request);
    }
    play.pass_until(LONG);
    let mut kept = play.stop();
    for (id, spans) in &mut kept {
        spans.sort();
        assert_eq!(*spans, sent[id], "{}: the spans of {id} changed", case.name);
    }
    case.compare(&counts(&kept), packed)
}

#[test]
fn timed_verdicts_equal_the_recorded_ones() {
    let cases = cases("timed");
    assert_eq!(cases.len(), TIMED_CASES, "the recorded cases");
    let wrong: Vec<String> = cases.iter().filter_map(differs_in_time).collect();
    assert!(wrong.is_empty(), "{} of {} cases differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

fn differs_in_time(case: &Case) -> Option<String> {
    let mut play = match Play::new(&case.settings) {
        Ok(play) => play,
        Err(problems) => return Some(format!("{}: refused:\n{problems}", case.name)),
    };
    let mut last = Duration::ZERO;
    for step in case.json["steps"].as_array().expect("steps") {
        last = Duration::from_millis(step[0].as_u64().expect("milliseconds"));
        play.pass_until(last);
        play.take_in(&json::decode(otlp::Signal::Traces, step[1].to_string().as_bytes()).expect("a recorded request"));
    }
    play.pass_until(last + STOP_AFTER);
    case.compare(&counts(&play.stop()), false)
}

/// The reference takes the traces of a decision in random order; Tailrace lets those pass that came first.
#[test]
fn limits_let_the_first_traces_of_a_request_pass() {
    let settings = serde_json::json!({"policies": [
        {"name": "some", "type": "rate_limiting", "rate_limiting": {"spans_per_second": 7, "burst_capacity": 7}},
    ]});
    let ids: Vec<String> = (1..=40_u64).map(|n| format!("{:032x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    let spans: Vec<_> = ids.iter().map(|id| serde_json::json!({"traceId": id, "spanId": "00000000000000aa"})).collect();
    let request = serde_json::json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]});
    let mut play = Play::new(&settings).expect("good settings");
    play.take_in(&json::decode(otlp::Signal::Traces, request.to_string().as_bytes()).expect("a request"));
    play.pass_until(LONG);
    let kept: Vec<String> = play.stop().into_keys().collect();
    let mut first = ids[..7].to_vec();
    first.sort();
    assert_eq!(kept, first);
}
