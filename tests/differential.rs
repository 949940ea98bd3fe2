//! Tailrace beside the real collector: random configurations and traces, fed to both, must leave the same traces with
//! the same numbers of spans; and OTTL conditions must come out alike.
//!
//! A run prints its seed. `TAILRACE_SEED=<seed>` runs it again, `TAILRACE_CONFIGURATIONS=<number>` makes it longer.
//! With `TAILRACE_RECORD=1` the real collector is asked again about each condition of `ottl_more.txt`, and its verdicts
//! are written there; a new condition is a line with any verdict.

#[path = "differential/clients.rs"]
mod clients;
#[expect(dead_code, reason = "the stories look at more of it")]
#[path = "stories/collector.rs"]
mod collector;
#[path = "differential/conditions.rs"]
mod conditions;
#[path = "differential/dice.rs"]
mod dice;
#[path = "conformance/lanes.rs"]
mod lanes;
#[path = "conformance/line.rs"]
mod line;
#[path = "differential/mistakes.rs"]
mod mistakes;
#[expect(dead_code, reason = "the recorded cases look at more of it")]
#[path = "conformance/play.rs"]
mod play;
#[path = "differential/policies.rs"]
mod policies;
#[expect(dead_code, reason = "other stories start other peers")]
#[path = "peers/process.rs"]
mod process;
#[path = "differential/reference.rs"]
mod reference;
#[path = "differential/traffic.rs"]
mod traffic;

use collector::{Collector, post_json};
use dice::Dice;
use lanes::Lanes;
use line::Line;
use play::Play;
use reference::{Answer, Reference, policy};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::Write as _,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};
use traffic::Traffic;

/// Configurations of a run, unless it is asked for more; as many share one process a side.
const CONFIGURATIONS: usize = 48;
const TRACES: usize = 250;
/// So many of the configurations must keep between 5 and 95 % of the traces, or there is too little to compare.
const TELLING_PERCENT: usize = 65;
/// Whole seconds, for the reference cuts off the rest. It decides up to a second later.
const WAIT_MS: u64 = 5_000;
const AFTER_ROOT_MS: u64 = 4_000;
const SEND_LIMIT: Duration = Duration::from_millis(3_500);
const DECIDED_AFTER: Duration = Duration::from_millis(6_400);
/// At most so many differences are shown.
const SHOWN_MAX: usize = 5;
/// Conditions of a run.
const CONDITIONS_A_CONFIGURATION: usize = 10;
const RECORDED_CONDITIONS: usize = 400;
const CONDITION_TRACES: usize = 60;

/// Files of recorded conditions.
const FIRST: &str = "ottl_vectors.txt";
const MORE: &str = "ottl_more.txt";

/// Trace ID → number of spans.
type Kept = BTreeMap<String, u64>;

fn seed() -> u64 {
    let given = env::var("TAILRACE_SEED").ok().map(|text| text.parse().expect("TAILRACE_SEED is a number"));
    let seed = given.unwrap_or_else(rand::random);
    println!("TAILRACE_SEED={seed}");
    seed
}

/// How long a run is: so many configurations, as many mistakes, and several conditions for each.
fn configurations() -> usize {
    env::var("TAILRACE_CONFIGURATIONS").map_or(CONFIGURATIONS, |text| text.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn random_configurations_keep_the_same_traces() {
    let seed = seed();
    let count = configurations();
    let (mut telling, mut differences) = (0, Vec::new());
    for round in 0..count.div_ceil(CONFIGURATIONS) {
        let mut dice = Dice::new(seed.wrapping_add(round as u64));
        let configurations = CONFIGURATIONS.min(count - round * CONFIGURATIONS);
        let settings: Vec<Value> =
            (0..configurations).map(|_| policies::settings(&mut dice, WAIT_MS, AFTER_ROOT_MS)).collect();
        let traffic = Traffic::generate(&mut dice, TRACES);
        let (ours, theirs) = both(&settings, &traffic).await;
        telling += theirs.iter().filter(|kept| is_telling(kept.len(), traffic.len())).count();
        for ((settings, ours), theirs) in settings.iter().zip(&ours).zip(&theirs) {
            differences.extend(difference(settings, ours, theirs, &traffic));
        }
    }
    println!("{telling} of {count} configurations keep between 5 and 95 % of the traces");
    let shown = differences[..differences.len().min(SHOWN_MAX)].join("\n\n");
    assert!(differences.is_empty(), "seed {seed}: {} of {count} configurations differ\n{shown}", differences.len());
    assert!(
        telling * 100 >= count * TELLING_PERCENT,
        "seed {seed}: only {telling} of {count} configurations tell much"
    );
}

fn is_telling(kept: usize, of: usize) -> bool {
    (of * 5..=of * 95).contains(&(kept * 100))
}

/// What Tailrace and the reference keep, for each of the settings.
async fn both(settings: &[Value], traffic: &Traffic) -> (Vec<Kept>, Vec<Kept>) {
    let quiet = json!({"logs": {"level": "error"}, "metrics": {"level": "none"}});
    let (ours, theirs) = (Lanes::start(settings.len()).await, Lanes::start(settings.len()).await);
    thread::scope(|scope| {
        scope.spawn(|| {
            let quiet = json!({"metrics": {"level": "none"}});
            let collector = Collector::start(&ours.configuration(settings, "127.0.0.1:0", &quiet));
            feed(collector.address("http"), traffic);
            let (status, log) = collector.stop();
            assert!(status.success(), "tailrace ended with {status}:\n{log}");
        });
        scope.spawn(|| {
            let started = Reference::start(|address| theirs.configuration(settings, address, &quiet));
            let reference = started.unwrap_or_else(|log| panic!("the reference does not start:\n{log}"));
            feed(reference.address(), traffic);
            reference.stop();
        });
    });
    (ours.kept(), theirs.kept())
}

/// Sends everything: what is late after all verdicts that fall due by themselves.
fn feed(address: SocketAddr, traffic: &Traffic) {
    let began = Instant::now();
    send(address, &traffic.first);
    let took = began.elapsed();
    assert!(took < SEND_LIMIT, "sending took {took:?}, so verdicts fell due in between; is the machine too busy?");
    thread::sleep(DECIDED_AFTER);
    send(address, &traffic.late);
}

fn send(address: SocketAddr, requests: &[String]) {
    for request in requests {
        let answer = post_json(address, "/v1/traces", request);
        assert!(answer.starts_with("HTTP/1.1 200"), "a request was refused:\n{answer}\n{request}");
    }
}

/// The first trace about which the two differ, with all that is needed to see why.
fn difference(settings: &Value, ours: &Kept, theirs: &Kept, traffic: &Traffic) -> Option<String> {
    let ids: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let wrong: Vec<&String> = ids.into_iter().filter(|id| ours.get(*id) != theirs.get(*id)).collect();
    let first = wrong.first()?;
    let spans = |of: &Kept| of.get(*first).copied().unwrap_or_default();
    let mut text = format!("{} of {} traces differ under\n{settings}\n", wrong.len(), traffic.len());
    let (ours, theirs) = (spans(ours), spans(theirs));
    writeln!(text, "{first}: {ours} spans from tailrace, {theirs} from the reference, of\n{}", traffic.show(first))
        .expect("a string takes everything");
    Some(text)
}

/// What the reference refuses at its check or at its start, Tailrace refuses at its check, and nothing else.
#[test]
fn random_mistakes_are_refused_alike() {
    let seed = seed();
    let mut dice = Dice::new(seed);
    let mut wrong = Vec::new();
    let mut refused = 0;
    let count = configurations();
    for _ in 0..count {
        let settings = policies::settings(&mut dice, WAIT_MS, AFTER_ROOT_MS);
        let (settings, said) = mistakes::mistake(&mut dice, &settings);
        let ours = play::decode(&settings.to_string());
        let theirs = start_alone(&settings);
        refused += usize::from(theirs.is_err());
        match (ours.err(), theirs.err()) {
            (None, Some(log)) => wrong.push(format!("{said}: only the reference refuses\n{settings}\n{log}")),
            (Some(why), None) if !is_stricter(&why) => wrong.push(format!("{said}: only tailrace refuses\n{why}")),
            _ => {}
        }
    }
    println!("{refused} of {count} mistakes are refused");
    let shown = wrong[..wrong.len().min(SHOWN_MAX)].join("\n");
    assert!(wrong.is_empty(), "seed {seed}: {} of {count} mistakes come out differently\n{shown}", wrong.len());
}

/// Whether the reference swallows this, and crashes later.
fn is_stricter(why: &str) -> bool {
    why.contains("`min_value`")
}

fn start_alone(settings: &Value) -> Result<(), String> {
    let started = Reference::start(|address| {
        let whole = json!({
            "receivers": {"otlp": {"protocols": {"http": {"endpoint": address}}}},
            "processors": {"tail_sampling": settings},
            "exporters": {"nop": {}},
            "service": {
                "telemetry": {"logs": {"level": "error"}, "metrics": {"level": "none"}},
                "pipelines": {"traces": {"receivers": ["otlp"], "processors": ["tail_sampling"], "exporters": ["nop"]}},
            },
        });
        whole.to_string().replace('$', "$$")
    });
    started.map(Reference::stop)
}

#[test]
fn random_conditions_come_out_alike() {
    let seed = seed();
    let mut dice = Dice::new(seed);
    let traffic = Traffic::generate(&mut dice, CONDITION_TRACES);
    let requests = [traffic.first, traffic.late].concat();
    let conditions: Vec<(String, String)> = (0..configurations() * CONDITIONS_A_CONFIGURATION)
        .map(|index| match index % 8 {
            0 => ("spanevent".to_owned(), conditions::event(&mut dice)),
            _ => ("span".to_owned(), conditions::span(&mut dice)),
        })
        .collect();
    compare(seed, &conditions, &requests, CONDITION_TRACES as u64);
}

#[test]
fn recorded_conditions_still_come_out_so() {
    if env::var_os("TAILRACE_RECORD").is_some() {
        record();
    }
    let seed = seed();
    let mut dice = Dice::new(seed);
    let mut lines: Vec<Line> = [FIRST, MORE].iter().flat_map(|file| Line::read(&conformance(file))).collect();
    dice.shuffle(&mut lines);
    // A refusal costs a start of the reference.
    lines.retain(|line| line.verdict != 'X');
    lines.truncate(RECORDED_CONDITIONS);
    let (conditions, recorded): (Vec<_>, String) =
        lines.into_iter().map(|line| ((line.list, line.condition), line.verdict)).unzip();
    let requests = [vector_trace()];
    let said: String = reference::ask(&conditions, &requests, 1).iter().map(|answer| answer.letter()).collect();
    assert_eq!(said, recorded, "seed {seed}: the reference says something else than was recorded");
    compare(seed, &conditions, &requests, 1);
}

/// Both sides' answers about all traces must be equal.
fn compare(seed: u64, conditions: &[(String, String)], requests: &[String], traces: u64) {
    let theirs = reference::ask(conditions, requests, traces);
    let decoded: Vec<Vec<u8>> = requests
        .iter()
        .map(|request| otlp::json::decode(otlp::Signal::Traces, request.as_bytes()).expect("a request"))
        .collect();
    let wrong: Vec<String> = conditions
        .iter()
        .zip(&theirs)
        .filter_map(|((list, condition), theirs)| {
            let ours = ask(list, condition, &decoded);
            (ours != *theirs).then(|| format!("{list} {condition}\n  tailrace {ours:?}\n  reference {theirs:?}"))
        })
        .collect();
    let shown = wrong[..wrong.len().min(8 * SHOWN_MAX)].join("\n");
    assert!(wrong.is_empty(), "seed {seed}: {} of {} conditions differ\n{shown}", wrong.len(), conditions.len());
}

/// What Tailrace says to a condition: how many traces it keeps, and how many its negation keeps.
fn ask(list: &str, condition: &str, requests: &[Vec<u8>]) -> Answer {
    let it = policy("it", list, condition);
    let not = json!({"name": "not", "type": "not", "not": {"not_sub_policy": it}});
    match (kept(&it, requests), kept(&not, requests)) {
        (Some(yes), Some(no)) => Answer::Counted { yes, no },
        _ => Answer::Refused,
    }
}

fn kept(policy: &Value, requests: &[Vec<u8>]) -> Option<u64> {
    let mut play = Play::new(&json!({ "policies": [policy] })).ok()?;
    requests.iter().for_each(|request| play.take_in(request));
    Some(play.stop().len() as u64)
}

fn conformance(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance").join(file)
}

fn vector_trace() -> String {
    fs::read_to_string(conformance("vector_trace.jsonl")).expect("the recorded trace")
}

/// Asks the reference about each condition that was not in the first recording, and writes down what it says.
fn record() {
    let conditions: Vec<(String, String)> =
        Line::read(&conformance(MORE)).into_iter().map(|line| (line.list, line.condition)).collect();
    let answers = reference::ask(&conditions, &[vector_trace()], 1);
    let mut text = String::new();
    for ((list, condition), answer) in conditions.iter().zip(&answers) {
        writeln!(text, "{} {list} {condition}", answer.letter()).expect("a string takes everything");
    }
    fs::write(conformance(MORE), text).expect("the file can be written");
}
