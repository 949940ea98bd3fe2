//! The verdicts of a real collector, recorded case by case, against ours: in process, with a virtual clock.
//!
//! Each case is a `tail_sampling` configuration with the traces that contrib's processor kept. The inputs are fed in
//! order through the JSON decoder, the scanner and the engine; then the clock is moved past the wait. Every trace ID,
//! every span count and every span (with its resource and scope) must agree.

use engine::{Engine, Scratch, Settings, Token, due::Limits};
use otlp::{Keys, json, scan::Scan};
use policy::{Now, PolicySet, TailSampling};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

const SECOND: u64 = 1_000_000_000;

/// The kinds that this version has; a case that uses another one is for a later version.
const KINDS: &[&str] = &[
    "always_sample",
    "status_code",
    "latency",
    "probabilistic",
    "numeric_attribute",
    "string_attribute",
    "boolean_attribute",
    "span_count",
    "rate_limiting",
    "and",
];

/// How many of the recorded cases use only these kinds.
const CASES: usize = 39;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance")
}

/// The cases by name, with their JSON.
fn cases() -> BTreeMap<String, Value> {
    let mut cases = BTreeMap::new();
    for entry in fs::read_dir(folder().join("cases")).expect("the recorded cases") {
        let path = entry.expect("a readable folder").path();
        let case: Value = serde_json::from_slice(&fs::read(&path).expect("a case")).expect("JSON");
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        if is_ours(&case["tail_sampling"]) {
            cases.insert(name, case);
        }
    }
    cases
}

fn is_ours(settings: &Value) -> bool {
    let first_match = settings["sample_on_first_match"].as_bool().unwrap_or(false);
    !first_match && settings["policies"].as_array().is_some_and(|policies| policies.iter().all(is_our_policy))
}

fn is_our_policy(policy: &Value) -> bool {
    let kind = policy["type"].as_str().unwrap_or_default();
    let subs = policy["and"]["and_sub_policy"].as_array();
    KINDS.contains(&kind) && subs.into_iter().flatten().all(is_our_policy)
}

/// The requests of an input file, as protobuf.
fn input(name: &str) -> Vec<Vec<u8>> {
    let text = fs::read_to_string(folder().join(name)).expect("the recorded input");
    text.lines().map(|line| json::decode(line.as_bytes()).expect("a recorded request")).collect()
}

/// A span as (resource, scope, span), each as it is encoded.
type Whole = (Vec<u8>, Vec<u8>, Vec<u8>);

fn wholes(scan: &Scan, bytes: &[u8], into: &mut BTreeMap<String, Vec<Whole>>) {
    for span in &scan.spans {
        let group = &scan.groups[span.group as usize];
        let resource = &scan.resources[group.resource as usize];
        let start = span.body.start as usize;
        let whole = (
            scan.resource_header(bytes, resource).to_vec(),
            scan.scope_header(bytes, group).to_vec(),
            bytes[start..start + span.body.len as usize].to_vec(),
        );
        into.entry(span.trace_id.to_string()).or_default().push(whole);
    }
}

/// What the engine keeps of `requests` under these settings.
fn run(settings: &Value, requests: &[Vec<u8>]) -> BTreeMap<String, Vec<Whole>> {
    let (node, sources, mut problems) = settings::load(&[format!("yaml:{settings}")], &[], &|_| None);
    let decoded = node.as_ref().and_then(|node| TailSampling::decode(node, &mut problems));
    let decoded = decoded.unwrap_or_else(|| panic!("{}", problems.render(&sources)));
    assert!(!problems.has_errors(), "{}", problems.render(&sources));

    let mut now = Now { mono_ns: 1_000 * SECOND, wall_ns: 1_767_225_600 * SECOND };
    let mut keys = Keys::default();
    let policies = Arc::new(PolicySet::new(&decoded, &mut keys, now));
    let wait =
        if settings["decision_wait"].is_null() { std::time::Duration::from_secs(2) } else { decoded.decision_wait };
    let engine = Engine::new(&Settings { decision_wait: wait, shards: 4, seed: 5, ..Settings::default() }, policies);
    let mut scan = Scan::new(Arc::new(keys));
    let mut scratch = Scratch::default();
    for request in requests {
        scan.run(request).expect("a recorded request");
        let token = Token::none();
        engine.ingest(&engine.begin(request, &scan, &token), 0..scan.spans.len(), now, &mut scratch);
        now.mono_ns += 1_000;
    }

    now.mono_ns += 5 * SECOND;
    now.wall_ns += 5 * SECOND;
    let limits = Limits { bytes_max: 4 << 20, spans_max: u32::MAX, notes: false };
    let mut kept = BTreeMap::new();
    while let Some(due) = engine.take_due(now.mono_ns) {
        due.decide(&engine, now).assemble(&engine, limits, now.mono_ns, &mut scratch, &mut |batch| {
            scan.run(&batch.body).expect("a batch is a request");
            wholes(&scan, &batch.body, &mut kept);
        });
    }
    assert_eq!((engine.books().residue(), engine.books().buffered), (0, 0));
    kept
}

fn check(file: &str, expected: impl Fn(&Value) -> Value) {
    let requests = input(file);
    let mut sent = BTreeMap::new();
    let mut scan = Scan::new(Arc::new(Keys::default()));
    for request in &requests {
        scan.run(request).expect("a recorded request");
        wholes(&scan, request, &mut sent);
    }
    sent.values_mut().for_each(|spans| spans.sort());

    let cases = cases();
    let mut wrong = Vec::new();
    for (name, case) in &cases {
        let kept = run(&case["tail_sampling"], &requests);
        let expected = expected(case);
        let expected = expected.as_object().expect("trace ID → spans");
        let ours: BTreeSet<(String, u64)> = kept.iter().map(|(id, spans)| (id.clone(), spans.len() as u64)).collect();
        let theirs = expected.iter().map(|(id, spans)| (id.clone(), spans.as_u64().expect("a count"))).collect();
        if ours != theirs {
            let (extra, missing) = (ours.difference(&theirs).count(), theirs.difference(&ours).count());
            wrong.push(format!("{name}: {extra} traces too many, {missing} too few of {}", theirs.len()));
        }
        for (id, mut spans) in kept {
            spans.sort();
            assert_eq!(spans, sent[&id], "{name}: the spans of {id} changed");
        }
    }
    assert_eq!(cases.len(), CASES, "cases that use only the kinds of this version");
    assert!(wrong.is_empty(), "{} of {} cases differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    println!("{} cases agree on {file}", cases.len());
}

#[test]
fn verdicts_equal_the_recorded_ones() {
    check("traces.jsonl", |case| case["kept"].clone());
}

#[test]
fn verdicts_equal_the_recorded_ones_for_packed_requests() {
    check("packed.jsonl", |case| match &case["kept_packed"] {
        Value::Null => case["kept"].clone(),
        packed => packed.clone(),
    });
}
