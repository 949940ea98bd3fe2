//! Processors beside the real collector's: random settings and random requests of all signals must leave the same records,
//! field by field.
//!
//! One reference process holds a pipeline for each of the settings; each ends in a file, which is compared with what
//! `process` makes of the same requests. A run prints its seed. `TAILRACE_SEED=<seed>` runs it again,
//! `TAILRACE_CONFIGURATIONS=<number>` gives each kind of processor so many settings a signal, `TAILRACE_KIND=<kind>` asks
//! about that kind only.

#[path = "differential/dice.rs"]
mod dice;
#[path = "processors/fields.rs"]
mod fields;
#[path = "processors/form.rs"]
mod form;
#[path = "processors/kinds.rs"]
mod kinds;
#[path = "processors/lanes.rs"]
mod lanes;
#[expect(dead_code, reason = "other stories start other peers")]
#[path = "peers/process.rs"]
mod process_of_peers;
#[path = "processors/requests.rs"]
mod requests;
#[path = "processors/statements.rs"]
mod statements;

use dice::Dice;
use kinds::KINDS;
use lanes::Lanes;
use otlp::Signal;
use process::{Broken, Moment};
use settings::{Mode, Node};
use std::{env, fmt::Write as _, fs, path::Path};

/// Settings of each kind of processor for each signal, unless a run is asked for more.
const CONFIGURATIONS: usize = 12;
/// Requests of each signal.
const REQUESTS: usize = 40;
/// At most so many differences are shown.
const SHOWN_MAX: usize = 5;
/// The world outside, in which nothing here depends on the time.
const MOMENT: Moment<'static> = Moment::at(1_767_225_600_000_000_000, 7);

/// A processor with its settings, as one pipeline of a signal has it.
pub(crate) struct Lane {
    pub(crate) kind: &'static str,
    pub(crate) signal: Signal,
    /// YAML, written as JSON.
    pub(crate) settings: serde_json::Value,
}

fn seed() -> u64 {
    let given = env::var("TAILRACE_SEED").ok().map(|text| text.parse().expect("TAILRACE_SEED is a number"));
    let seed = given.unwrap_or_else(rand::random);
    println!("TAILRACE_SEED={seed}");
    seed
}

#[test]
fn random_settings_leave_the_same_records() {
    let seed = seed();
    let mut dice = Dice::new(seed);
    let (lanes, differences) = accepted(random_lanes(&mut dice));
    let requests: Vec<(Signal, Vec<u8>)> = Signal::ALL
        .into_iter()
        .flat_map(|signal| (0..REQUESTS).map(move |_| signal))
        .map(|signal| (signal, requests::request(&mut dice, signal)))
        .collect();
    compare(seed, &lanes, &requests, differences);
}

/// Each with its defaults written out.
#[test]
fn random_settings_are_printed_alike() {
    let seed = seed();
    let (lanes, _) = accepted(random_lanes(&mut Dice::new(seed)));
    let name = |index: usize| format!("{}/{index}", lanes[index].kind);
    let ours = Node::map_of(lanes.iter().enumerate().map(|(index, lane)| (name(index), ours(lane).1)));
    let (ours, theirs) = (ours.to_yaml(Mode::Unredacted), Lanes::printed(&lanes));
    for (at, (ours, theirs)) in ours.lines().zip(theirs.lines()).enumerate() {
        assert_eq!(ours, theirs, "seed {seed}, line {at}");
    }
    assert_eq!(ours.lines().count(), theirs.lines().count(), "seed {seed}");
}

fn random_lanes(dice: &mut Dice) -> Vec<Lane> {
    let mut lanes = Vec::new();
    let count = env::var("TAILRACE_CONFIGURATIONS").map_or(CONFIGURATIONS, |text| text.parse().expect("a number"));
    let only = env::var("TAILRACE_KIND").ok();
    for kind in KINDS.iter().filter(|kind| only.as_ref().is_none_or(|only| only == kind.name)) {
        for signal in Signal::ALL.into_iter().filter(|signal| kind.signals.contains(signal)) {
            for _ in 0..count {
                let settings = (kind.settings)(dice, signal);
                lanes.push(Lane { kind: kind.name, signal, settings });
            }
        }
    }
    lanes
}

/// Those that both sides start with, and what those are that only one refuses.
fn accepted(lanes: Vec<Lane>) -> (Vec<Lane>, Vec<String>) {
    let refused = Lanes::refused(&lanes);
    let (mut accepted, mut differences) = (Vec::new(), Vec::new());
    for (index, lane) in lanes.into_iter().enumerate() {
        let Lane { kind, signal, settings } = &lane;
        match (build(&lane), refused.contains(&index)) {
            (Ok(_), false) => accepted.push(lane),
            (Err(_), true) => {}
            (Ok(_), true) => differences.push(format!("only the reference refuses {kind} {signal} {settings}")),
            (Err(error), false) => differences.push(format!("only we refuse {kind} {signal} {settings}\n{error}")),
        }
    }
    (accepted, differences)
}

/// Settings that are worth asking each time.
#[test]
fn recorded_settings_leave_the_same_records() {
    let lanes = recorded("recorded.txt");
    let mut dice = Dice::new(1);
    let signals = Signal::ALL.into_iter().flat_map(|signal| (0..REQUESTS).map(move |_| signal));
    let requests: Vec<_> = signals.map(|signal| (signal, requests::request(&mut dice, signal))).collect();
    compare(1, &lanes, &requests, Vec::new());
}

/// Settings with a mistake: neither side starts with them.
#[test]
fn mistakes_are_refused_by_both() {
    let mut accepted = Vec::new();
    for lane in recorded("refused.txt") {
        let ours = build(&lane).is_ok().then_some("we accept");
        let theirs = Lanes::accepts(&lane).then_some("the reference accepts");
        let said = ours.into_iter().chain(theirs);
        accepted.extend(said.map(|who| format!("{who} {} {} {}", lane.kind, lane.signal, lane.settings)));
    }
    assert!(accepted.is_empty(), "{}", accepted.join("\n"));
}

/// The lanes of a file: kind, signal and settings in JSON a line.
fn recorded(file: &str) -> Vec<Lane> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/processors").join(file);
    let text = fs::read_to_string(file).expect("the file of recorded settings");
    let lane = |line: &str| {
        let mut parts = line.splitn(3, ' ');
        let mut next = || parts.next().expect("kind, signal and settings");
        let (kind, signal) = (next(), next());
        let kind = KINDS.iter().find(|known| known.name == kind).expect("a known kind").name;
        let signal = Signal::ALL.into_iter().find(|known| known.name() == signal).expect("a signal");
        Lane { kind, signal, settings: serde_json::from_str(next()).expect("settings in JSON") }
    };
    text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(lane).collect()
}

/// `differences` are those known before.
fn compare(seed: u64, lanes: &[Lane], requests: &[(Signal, Vec<u8>)], mut differences: Vec<String>) {
    let theirs = Lanes::run(lanes, requests);
    let mut telling = 0;
    for (lane, theirs) in lanes.iter().zip(&theirs) {
        let (ours, changed) = left(lane, requests);
        telling += usize::from(changed);
        differences.extend(difference(lane, &ours, theirs));
    }
    println!("{telling} of {} settings change something", lanes.len());
    let shown = differences.iter().take(SHOWN_MAX).cloned().collect::<Vec<_>>().join("\n\n");
    assert!(differences.is_empty(), "seed {seed}: {} of {} settings differ\n{shown}", differences.len(), lanes.len());
    assert!(telling * 2 > lanes.len(), "seed {seed}: only {telling} of {} settings change anything", lanes.len());
}

fn ours(lane: &Lane) -> kinds::Built {
    build(lane).unwrap_or_else(|error| panic!("we refuse {} {}:\n{error}", lane.kind, lane.settings))
}

fn build(lane: &Lane) -> Result<kinds::Built, String> {
    let kind = KINDS.iter().find(|kind| kind.name == lane.kind).expect("a known kind");
    (kind.build)(&lane.settings.to_string().replace('$', "$$"), lane.signal)
}

/// What our processor leaves of each request of its signal that it leaves anything of, and whether it changed any.
fn left(lane: &Lane, requests: &[(Signal, Vec<u8>)]) -> (Vec<String>, bool) {
    let (processor, _) = ours(lane);
    let (mut left, mut changed) = (Vec::new(), false);
    for (_, request) in requests.iter().filter(|(signal, _)| *signal == lane.signal) {
        match processor.edit(lane.signal, request, MOMENT) {
            Ok(edited) if edited.body.is_empty() => changed = true,
            Ok(edited) => {
                changed |= *edited.body != **request;
                left.push(form::form(lane.signal, &edited.body));
            }
            Err(Broken::Refused(_)) => changed = true,
            Err(broken) => panic!("{} {}: {broken}", lane.kind, lane.settings),
        }
    }
    (left, changed)
}

/// The first request about which the two differ.
fn difference(lane: &Lane, ours: &[String], theirs: &[String]) -> Option<String> {
    let at = (0..ours.len().max(theirs.len())).find(|at| ours.get(*at) != theirs.get(*at))?;
    let mut text = format!("{} {} {}\n", lane.kind, lane.signal, lane.settings);
    let of = |side: &[String]| side.get(at).cloned().unwrap_or_else(|| "nothing".to_string());
    let (ours_text, theirs_text) = (of(ours), of(theirs));
    writeln!(text, "of {} and {} requests left, number {at}:", ours.len(), theirs.len()).expect("text");
    for (side, text_of, other) in [("ours", &ours_text, &theirs_text), ("theirs", &theirs_text, &ours_text)] {
        let other: Vec<&str> = other.lines().collect();
        for line in text_of.lines().filter(|line| !other.contains(line)).take(SHOWN_MAX) {
            writeln!(text, "  {side}: {line}").expect("text");
        }
    }
    Some(text)
}
