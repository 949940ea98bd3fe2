//! The real collector as the other side of a comparison: fed like Tailrace, or asked about OTTL conditions.
//!
//! Conditions are asked many at a time, each as a policy of one processor: its counter of verdicts tells them apart.
//! With `error_mode: propagate` a policy that fails counts nothing, so an error is seen as well.

use crate::{
    collector::{get, post_json, sum_of},
    process::{Program, free_port, peer},
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::{
    fs,
    net::SocketAddr,
    path::Path,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

const START_LIMIT: Duration = Duration::from_secs(30);
const DECIDE_LIMIT: Duration = Duration::from_secs(30);
/// Conditions of one process: few, for it starts once more for each that it refuses.
const CONDITIONS_MAX: usize = 200;
/// Processes at a time.
const PROCESSES: usize = 3;
const COUNTER: &str = "otelcol_processor_tail_sampling_count_traces_sampled";
const DECIDED: &str = "otelcol_processor_tail_sampling_global_count_traces_sampled";
const REFUSAL: &str = "failed to create policy evaluator for \"condition-";

/// A running reference collector.
pub(crate) struct Reference {
    program: Program,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Reference {
    /// Starts it; the configuration is made for the address on which it is to listen.
    ///
    /// # Errors
    /// What it says when it refuses to start.
    pub(crate) fn start(configuration: impl FnOnce(&str) -> String) -> Result<Self, String> {
        let port = free_port();
        let folder = tempfile::tempdir().expect("a folder");
        let program = start_program(folder.path(), &configuration(&format!("127.0.0.1:{port}")));
        let mut reference = Self { program, address: SocketAddr::from(([127, 0, 0, 1], port)), _folder: folder };
        reference
            .program
            .reaches("listening", START_LIMIT, || std::net::TcpStream::connect(reference.address).is_ok())?;
        Ok(reference)
    }

    /// Where it takes OTLP over HTTP.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Asks it to stop, and waits until it has decided and sent what was left.
    pub(crate) fn stop(mut self) {
        self.program.terminate(Duration::from_secs(60));
    }
}

fn start_program(folder: &Path, configuration: &str) -> Program {
    let file = folder.join("config.yaml");
    fs::write(&file, configuration).expect("the configuration can be written");
    Program::start("otelcol", Command::new(peer("bin/otelcol-peer")).arg("--config").arg(&file), folder)
}

/// What a collector says to a condition about some traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It does not start with it.
    Refused,
    /// For so many traces it was true, for so many false; for the others it failed.
    Counted { yes: u64, no: u64 },
}

impl Answer {
    /// The letter that files of conditions have for the answer about a single trace.
    pub(crate) fn letter(self) -> char {
        match self {
            Self::Refused => 'X',
            Self::Counted { yes: 1, .. } => 'T',
            Self::Counted { no: 1, .. } => 'F',
            Self::Counted { .. } => 'E',
        }
    }
}

/// A policy that only asks this condition of the list `span` or `spanevent`.
pub(crate) fn policy(name: &str, list: &str, condition: &str) -> Value {
    let block = json!({"error_mode": "propagate", list: [condition]});
    json!({"name": name, "type": "ottl_condition", "ottl_condition": block})
}

/// The answers to conditions, each with its list, about the `traces` traces in these requests.
pub(crate) fn ask(conditions: &[(String, String)], requests: &[String], traces: u64) -> Vec<Answer> {
    let parts: Vec<&[(String, String)]> = conditions.chunks(CONDITIONS_MAX).collect();
    let next = AtomicUsize::new(0);
    let answers = Mutex::new(vec![Vec::new(); parts.len()]);
    thread::scope(|scope| {
        for _ in 0..PROCESSES {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(part) = parts.get(at) else { return };
                    let said = ask_some(part, requests, traces);
                    answers.lock()[at] = said;
                }
            });
        }
    });
    answers.into_inner().concat()
}

/// It names only the first policy that it refuses, but policies are made in order: those in front are in order.
fn ask_some(conditions: &[(String, String)], requests: &[String], traces: u64) -> Vec<Answer> {
    let mut answers = vec![None; conditions.len()];
    let mut good = Vec::new();
    let mut from = 0;
    let everything = loop {
        let rest: Vec<usize> = (from..conditions.len()).collect();
        match Asked::start(conditions, &rest) {
            Ok(asked) => break (asked, rest),
            Err(refused) => {
                answers[refused] = Some(Answer::Refused);
                good.extend(from..refused);
                from = refused + 1;
            }
        }
    };
    let (asked, rest) = everything;
    asked.answer(&rest, requests, traces, &mut answers);
    if !good.is_empty() {
        let asked = Asked::start(conditions, &good).unwrap_or_else(|at| panic!("{:?} was fine alone", conditions[at]));
        asked.answer(&good, requests, traces, &mut answers);
    }
    answers.into_iter().map(|answer| answer.expect("each was asked")).collect()
}

/// A reference collector whose policies are conditions.
struct Asked {
    reference: Reference,
    metrics: SocketAddr,
}

impl Asked {
    /// Starts it with the conditions at these places; fails with the place of the first that it refuses.
    fn start(conditions: &[(String, String)], places: &[usize]) -> Result<Self, usize> {
        let port = free_port();
        let policies: Vec<Value> = places
            .iter()
            .map(|place| policy(&format!("condition-{place}"), &conditions[*place].0, &conditions[*place].1))
            .collect();
        let reader = json!({"pull": {"exporter": {"prometheus": {"host": "127.0.0.1", "port": port}}}});
        let configuration = |address: &str| {
            let whole = json!({
                "receivers": {"otlp": {"protocols": {"http": {"endpoint": address}}}},
                "processors": {"tail_sampling": {"decision_wait": "2s", "policies": policies}},
                "exporters": {"nop": {}},
                "service": {
                    "telemetry": {"logs": {"level": "error"}, "metrics": {"level": "detailed", "readers": [reader]}},
                    "pipelines": {"traces": {
                        "receivers": ["otlp"], "processors": ["tail_sampling"], "exporters": ["nop"],
                    }},
                },
            });
            whole.to_string().replace('$', "$$")
        };
        match Reference::start(configuration) {
            Ok(reference) => Ok(Self { reference, metrics: SocketAddr::from(([127, 0, 0, 1], port)) }),
            Err(log) => Err(refused(&log).unwrap_or_else(|| panic!("the reference does not start:\n{log}"))),
        }
    }

    fn answer(mut self, places: &[usize], requests: &[String], traces: u64, answers: &mut [Option<Answer>]) {
        for request in requests {
            let answer = post_json(self.reference.address, "/v1/traces", request);
            assert!(answer.starts_with("HTTP/1.1 200"), "the reference refuses a request:\n{answer}");
        }
        // It adds up its counters one by one: only when two looks agree it is done with all of them.
        let mut exposition = String::new();
        self.reference.program.wait_until("done with all traces", DECIDE_LIMIT, || {
            let before = std::mem::replace(&mut exposition, counters(&get(self.metrics, "/metrics")));
            before == exposition && sum_of(&exposition, DECIDED, &[]) >= traces as f64
        });
        assert!(!exposition.contains("otel_metric_overflow"), "too many conditions for its metrics");
        for place in places {
            let name = format!("policy=\"condition-{place}\"");
            let count = |sampled: &str| sum_of(&exposition, COUNTER, &[&name, sampled]) as u64;
            let (yes, no) = (count("sampled=\"true\""), count("sampled=\"false\""));
            answers[*place] = Some(Answer::Counted { yes, no });
        }
    }
}

/// The lines of an exposition that count verdicts.
fn counters(exposition: &str) -> String {
    let lines = exposition.lines().filter(|line| line.starts_with(COUNTER) || line.starts_with(DECIDED));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The condition that it refuses to start with.
fn refused(log: &str) -> Option<usize> {
    let after = log.split(REFUSAL).nth(1)?;
    after.split('"').next()?.parse().ok()
}
