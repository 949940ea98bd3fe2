//! `print-config` beside the real collector's, for every published file that both can load.
//!
//! Both print all settings with their defaults; the trees are compared leaf by leaf, so that a default that differs, a
//! setting that is read differently and one that is forgotten all show.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use super::file::{Expectation, Published};
use super::{files, folder};

/// A place in the tree: keys and, in lists, positions.
type Place = Vec<String>;

/// What differs on purpose. A part of a pattern is a key, the type of a component, or `*` for any; what lies below counts.
const DIFFERENT: &[&[&str]] = &[
    // Ours alone.
    &["tailrace"],
    // The real one prints policies without their names and types, and all their empty groups.
    &["processors", "tail_sampling", "policies"],
    // The real one prints `{}` whatever it counts in.
    &["exporters", "*", "sending_queue", "sizer"],
    &["exporters", "*", "sending_queue", "batch", "sizer"],
    // Accepted and without effect, so their settings say nothing.
    &["extensions", "pprof"],
    &["extensions", "zpages"],
    // The real one hides the headers of its own telemetry even where secrets are asked for.
    &["service", "telemetry", "logs", "processors", "*", "batch", "exporter", "otlp", "headers"],
    &["service", "telemetry", "metrics", "readers", "*", "periodic", "exporter", "otlp", "headers"],
    &["service", "telemetry", "traces", "processors", "*", "batch", "exporter", "otlp", "headers"],
];

/// What the real one prints as null and we not at all, because read back it would mean something else.
const UNPRINTED: &[&[&str]] = &[&["exporters", "file", "rotation"]];

/// What differs because it is not built yet.
const PENDING: &[&[&str]] = &[];

/// So many files both load, at least.
const COMPARED_MIN: usize = 30;

#[test]
fn effective_settings_equal_the_real_collectors() {
    let (mut compared, mut faults) = (0, Vec::new());
    for file in files().iter().filter(|file| file.expectation == Expectation::Runs) {
        let ours = print_config(Path::new(env!("CARGO_BIN_EXE_tailrace")), file);
        let theirs = print_config(&reference(), file);
        // What the real one cannot load it has no component for; what ours cannot is another test's to tell.
        if !theirs.status.success() || !ours.status.success() {
            continue;
        }
        compared += 1;
        let [ours, theirs] = [ours, theirs].map(|output| leaves(&output));
        let places = ours.keys().chain(theirs.keys().filter(|place| !ours.contains_key(*place)));
        let is_unprinted = |place: &&Place| {
            !ours.contains_key(*place)
                && theirs.get(*place).is_some_and(|value| value == "null")
                && UNPRINTED.iter().any(|pattern| matches(pattern, place))
        };
        for place in places.filter(|place| ours.get(*place) != theirs.get(*place) && !is_unprinted(place)) {
            if [DIFFERENT, PENDING].iter().all(|known| !known.iter().any(|pattern| matches(pattern, place))) {
                let shown = |leaves: &BTreeMap<Place, String>| leaves.get(place).cloned().unwrap_or("nothing".into());
                let (ours, theirs) = (shown(&ours), shown(&theirs));
                faults.push(format!("{}: {}: {ours}, theirs is {theirs}", file.name, place.join(" › ")));
            }
        }
    }
    println!("{compared} files compared");
    assert!(faults.is_empty(), "{} differences:\n{}", faults.len(), faults.join("\n"));
    assert!(compared >= COMPARED_MIN, "{compared} files, at least {COMPARED_MIN}");
}

/// The real collector, as `tests/peers/install` leaves it.
fn reference() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let peers = std::env::var_os("TAILRACE_PEERS").map_or_else(|| root.join("target/peers"), PathBuf::from);
    let program = peers.join("bin/otelcol-peer");
    let program = program.canonicalize();
    program.unwrap_or_else(|error| panic!("the real collector: {error}, run `tests/peers/install` first"))
}

/// All settings that a program makes of a file.
fn print_config(program: &Path, file: &Published) -> Output {
    let mut process = Command::new(program);
    process.current_dir(folder()).env_clear().envs(file.env.iter().cloned());
    process.args(["print-config", "--mode=unredacted"]);
    for config in file.configs() {
        process.args(["--config", config]);
    }
    process.output().expect("the program runs")
}

/// The values of a printed tree by their places; an empty map or list is one.
fn leaves(output: &Output) -> BTreeMap<Place, String> {
    let text = String::from_utf8_lossy(&output.stdout);
    let tree: Value = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let (mut found, mut open) = (BTreeMap::new(), vec![(Place::new(), &tree)]);
    while let Some((place, node)) = open.pop() {
        let below = |key: String| [&place[..], &[key]].concat();
        match node {
            Value::Object(map) if !map.is_empty() => {
                open.extend(map.iter().map(|(key, value)| (below(key.clone()), value)));
            }
            Value::Array(list) if !list.is_empty() => {
                open.extend(list.iter().enumerate().map(|(at, value)| (below(at.to_string()), value)));
            }
            leaf => {
                found.insert(place, leaf.to_string());
            }
        }
    }
    found
}

/// Whether a place is the one of a pattern, or lies below it.
fn matches(pattern: &[&str], place: &[String]) -> bool {
    let same =
        |(wanted, key): (&&str, &String)| *wanted == "*" || wanted == key || Some(*wanted) == key.split('/').next();
    place.len() >= pattern.len() && pattern.iter().zip(place).all(same)
}
