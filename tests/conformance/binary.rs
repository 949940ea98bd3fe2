//! The recorded cases once more, end to end: JSON over HTTP into the built binary, kept traces out of it over gRPC.
//!
//! All cases of a kind are pipelines of one process. The verdicts come as in production, by the clock; what a case leaves
//! waiting is decided when the process is asked to stop. Timed cases need quiet, so only a handful runs here; all of them
//! run in process.

use crate::{
    collector::{Collector, post_json},
    lanes::Lanes,
    recorded::{Case, cases, text},
};
use serde_json::{Value, json};
use std::{
    thread,
    time::{Duration, Instant},
};

/// Long enough to take in an input for all cases on a slow machine before the first trace is due.
const WAIT: &str = "8s";
const WAIT_AND_SLOT: Duration = Duration::from_millis(8_700);
/// What the timed cases were recorded with.
const TIMED_WAIT: &str = "2s";
const STOP_AFTER: Duration = Duration::from_millis(4_300);
/// Timed cases that no pause of the machine of some 100 ms makes another case.
const TIMED: &[&str] = &[
    "ingest_error_second",
    "late_after_dropped_cache",
    "late_after_kept",
    "late_after_kept_cache",
    "pending_decided_at_stop",
    "pending_dropped_at_stop",
    "rate_burst",
    "second_request_in_time",
    "size_limit",
];

#[tokio::test(flavor = "multi_thread")]
async fn cases_end_to_end() {
    check("traces.jsonl", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_end_to_end_for_packed_requests() {
    check("packed.jsonl", true).await;
}

async fn check(file: &str, packed: bool) {
    let cases = cases("cases");
    let lanes = Lanes::start(cases.len()).await;
    let settings: Vec<Value> = cases.iter().map(|case| with_wait(case, WAIT)).collect();
    let collector = Collector::start(&lanes.configuration(&settings, "127.0.0.1:0", &quiet()));
    let address = collector.address("http");
    let began = Instant::now();
    for request in text(file).lines() {
        accepted(&post_json(address, "/v1/traces", request));
    }
    assert!(began.elapsed() < WAIT_AND_SLOT / 2, "taking in took too long for the wait: {:?}", began.elapsed());
    thread::sleep(WAIT_AND_SLOT);
    stop(collector);
    let kept = lanes.kept();
    let wrong: Vec<String> = cases.iter().zip(&kept).filter_map(|(case, kept)| case.compare(kept, packed)).collect();
    assert!(wrong.is_empty(), "{} of {} cases differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn timed_cases_end_to_end() {
    let cases: Vec<Case> = cases("timed").into_iter().filter(|case| TIMED.contains(&case.name.as_str())).collect();
    assert_eq!(cases.len(), TIMED.len(), "the timed cases");
    let plays = cases.into_iter().map(|case| tokio::spawn(play(case)));
    let plays: Vec<_> = plays.collect();
    let mut wrong = Vec::new();
    for play in plays {
        wrong.extend(play.await.expect("a play does not panic"));
    }
    assert!(wrong.is_empty(), "{} of {} timed cases differ:\n{}", wrong.len(), TIMED.len(), wrong.join("\n"));
}

/// Plays one case against a process of its own, for it has steps and a stop of its own.
async fn play(case: Case) -> Option<String> {
    let lanes = Lanes::start(1).await;
    let configuration = lanes.configuration(&[with_wait(&case, TIMED_WAIT)], "127.0.0.1:0", &quiet());
    let steps: Vec<(u64, String)> = case.json["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .map(|step| (step[0].as_u64().expect("milliseconds"), step[1].to_string()))
        .collect();
    let run = move || {
        let collector = Collector::start(&configuration);
        let address = collector.address("http");
        let began = Instant::now();
        let mut at = Duration::ZERO;
        for (millis, request) in &steps {
            at = Duration::from_millis(*millis);
            thread::sleep(at.saturating_sub(began.elapsed()));
            accepted(&post_json(address, "/v1/traces", request));
        }
        thread::sleep((at + STOP_AFTER).saturating_sub(began.elapsed()));
        stop(collector);
    };
    tokio::task::spawn_blocking(run).await.expect("the play ends well");
    case.compare(&lanes.kept()[0], false)
}

/// No metrics: their default port is one for all.
fn quiet() -> Value {
    json!({"metrics": {"level": "none"}})
}

fn with_wait(case: &Case, wait: &str) -> Value {
    let mut settings = case.settings.clone();
    if settings["decision_wait"].is_null() {
        settings["decision_wait"] = wait.into();
    }
    settings
}

fn accepted(answer: &str) {
    assert!(answer.starts_with("HTTP/1.1 200"), "a request was refused:\n{answer}");
}

fn stop(collector: Collector) {
    let (status, log) = collector.stop();
    assert!(status.success(), "it ended with {status}:\n{log}");
}
