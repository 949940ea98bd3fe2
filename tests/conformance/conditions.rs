//! Recorded OTTL conditions: each is asked about the recorded trace as the only policy of a processor.
//!
//! `TAILRACE_WRONG=<file>` writes all that come out wrong into a file; the test itself shows the first few.

use crate::{
    line::Line,
    play,
    play::Play,
    recorded::{folder, requests},
};
use serde_json::{Value, json};

/// At most so many wrong lines are shown.
const SHOWN_MAX: usize = 40;

/// What Tailrace says to a condition about the traces of these requests.
fn ask(line: &Line, requests: &[Vec<u8>]) -> char {
    if play::decode(&settings(&line.list, &line.condition).to_string()).is_err() {
        return 'X';
    }
    if is_true(&line.list, &line.condition, requests) {
        return 'T';
    }
    if is_true(&line.list, &format!("not ({})", line.condition), requests) { 'F' } else { 'E' }
}

fn is_true(list: &str, condition: &str, requests: &[Vec<u8>]) -> bool {
    let Ok(mut play) = Play::new(&settings(list, condition)) else { return false };
    requests.iter().for_each(|request| play.take_in(request));
    !play.stop().is_empty()
}

fn settings(list: &str, condition: &str) -> Value {
    let policy =
        json!({"name": "it", "type": "ottl_condition", "ottl_condition": {"error_mode": "ignore", list: [condition]}});
    json!({ "policies": [policy] })
}

/// Asks every condition of a file.
fn check(file: &str) {
    let requests = requests("vector_trace.jsonl");
    let lines = Line::read(&folder().join(file));
    assert!(!lines.is_empty(), "`{file}` has conditions");
    let wrong: Vec<String> = lines
        .iter()
        .filter_map(|line| {
            let said = ask(line, &requests);
            (said != line.verdict).then(|| format!("{said}, not {} {} {}", line.verdict, line.list, line.condition))
        })
        .collect();
    if let Some(path) = std::env::var_os("TAILRACE_WRONG") {
        std::fs::write(path, wrong.join("\n")).expect("the file of wrong conditions can be written");
    }
    let shown = &wrong[..wrong.len().min(SHOWN_MAX)];
    assert!(wrong.is_empty(), "{} of {} conditions differ:\n{}", wrong.len(), lines.len(), shown.join("\n"));
}

#[test]
fn conditions_come_out_as_recorded() {
    check("ottl_vectors.txt");
}

#[test]
fn more_conditions_come_out_as_recorded() {
    check("ottl_more.txt");
}
