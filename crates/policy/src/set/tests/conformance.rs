//! The verdicts that a real collector gave, for every recorded case.
//!
//! All traces of a case are due together, so the policies alone decide; waits, late spans and the rest are the engine's.

use crate::{
    TailSampling,
    notation::{Bench, START},
};
use settings::{Node, Problems, Value};
use std::collections::BTreeMap;

#[test]
fn recorded_verdicts() {
    let inputs = [("kept", "traces.jsonl"), ("kept_packed", "packed.jsonl")];
    let inputs = inputs.map(|(kept, file)| (kept, requests(file)));
    let mut played = 0;
    for path in files("cases") {
        let case = tree(&path);
        let Some(settings) = decode(&case) else { continue };
        for (kept, requests) in &inputs {
            let expected = case.lookup(kept).or_else(|| case.lookup("kept")).unwrap();
            assert_eq!(play(&settings, requests), counts(expected), "{path} {kept}");
        }
        played += 1;
    }
    assert!(played >= CASES_MIN, "{played} cases");
    println!("{played} cases");
}

#[test]
fn what_the_collector_refuses_is_refused() {
    let paths = files("invalid");
    assert_eq!(paths.len(), REFUSED.len());
    for (path, (name, reason)) in paths.iter().zip(REFUSED) {
        assert!(path.ends_with(&format!("/{name}.json")), "{path}");
        let mut problems = Problems::new();
        TailSampling::decode(tree(path).lookup("tail_sampling").unwrap(), &mut problems);
        let errors: Vec<_> = problems.iter().filter(|problem| problem.severity == settings::Severity::Error).collect();
        assert!(errors.iter().any(|error| error.message.contains(reason)), "{name}: {errors:?}");
        assert!(errors.iter().all(|error| error.at.line > 1), "{name}: {errors:?}");
    }
}

/// In the order of their names, each with a part of the message that says what is wrong with it.
const REFUSED: &[(&str, &str)] = &[
    ("and_in_and", "policy type `and` cannot stand inside `and`"),
    ("bad_duration", "must be a duration"),
    ("bad_strategy", "unknown `sampling_strategy`"),
    ("composite_in_composite", "policy type `composite` cannot stand inside `composite`"),
    ("drop_in_and", "policy type `drop` cannot stand inside `and`"),
    ("duplicate_policy_name", "duplicate policy name"),
    ("missing_policy_name", "a policy needs a name"),
    ("missing_policy_type", "a policy needs a type"),
    ("negative_num_traces", "`num_traces` must be zero or more"),
    ("not_in_composite", "policy type `not` cannot stand inside `composite`"),
    ("not_in_not", "policy type `not` cannot stand inside `not`"),
    ("ottl_bad_error_mode", "unknown error mode `shrug`"),
    ("ottl_bad_regex", "invalid pattern `([`"),
    ("ottl_empty", "an `ottl_condition` needs at least one condition"),
    ("ottl_syntax", "condition"),
    ("ottl_unknown_function", "`IsBlue`"),
    ("ottl_unknown_path", "`colour`"),
    ("ottl_wrong_context", "`spanevent"),
    ("policies_not_a_list", "`policies` must be a list"),
    ("regex_invalid", "invalid regex"),
    ("regex_lookahead", "invalid regex"),
    ("span_ingest_stateful", "needs whole traces"),
    ("status_code_empty", "`status_codes` is empty"),
    ("status_code_lower_case", "unknown status code"),
    ("status_code_unknown", "unknown status code"),
    ("string_for_number", "must be an integer"),
    ("too_many_shards", "`num_shards` must not exceed 256"),
    ("unknown_key_in_policy_block", "unknown setting"),
    ("unknown_policy_type", "unknown policy type"),
    ("unknown_top_level_key", "unknown setting"),
];

/// Those of the 61 that need no converter that is not there yet.
const CASES_MIN: usize = 61;

fn play(settings: &TailSampling, requests: &[Vec<u8>]) -> BTreeMap<String, u32> {
    let mut bench = Bench::of(settings);
    let mut waiting = Vec::new();
    requests.iter().for_each(|request| bench.fold(request, &mut waiting));
    let verdicts = bench.decide(&mut waiting, START);
    let kept = waiting.iter().zip(verdicts).filter(|(_, verdict)| verdict.keep);
    kept.map(|(trace, _)| (trace.id.to_string(), trace.spans)).collect()
}

fn requests(file: &str) -> Vec<Vec<u8>> {
    let text = std::fs::read_to_string(format!("{FOLDER}/{file}")).unwrap();
    text.lines().map(|line| otlp::json::decode(otlp::Signal::Traces, line.as_bytes()).unwrap()).collect()
}

fn files(folder: &str) -> Vec<String> {
    let folder = std::fs::read_dir(format!("{FOLDER}/{folder}")).unwrap();
    let mut paths: Vec<String> = folder.map(|entry| entry.unwrap().path().display().to_string()).collect();
    paths.sort();
    paths
}

/// JSON is YAML.
fn tree(path: &str) -> Node {
    let (node, sources, problems) = settings::load(&[format!("file:{path}")], &[], &|_| None);
    assert!(!problems.has_errors(), "{}", problems.render(&sources));
    node.unwrap()
}

fn decode(case: &Node) -> Option<TailSampling> {
    let mut problems = Problems::new();
    let settings = TailSampling::decode(case.lookup("tail_sampling").unwrap(), &mut problems);
    let errors = problems.iter().filter(|problem| problem.severity == settings::Severity::Error);
    let errors: Vec<&str> = errors.map(|problem| problem.message.as_str()).collect();
    assert!(errors.iter().all(|error| error.contains("unknown converter")), "{errors:?}");
    settings.filter(|_| errors.is_empty())
}

fn counts(kept: &Node) -> BTreeMap<String, u32> {
    let count = |node: &Node| match &node.value {
        Value::Int(count) => u32::try_from(*count).unwrap(),
        other => panic!("a number of spans is {}", Node::from(other.clone()).kind()),
    };
    kept.entries().iter().map(|entry| (entry.key.clone(), count(&entry.node))).collect()
}

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/conformance");
