//! The files beside this one: what was sent to the real collector, and what it did.

use otlp::json;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The kinds of policies that this version lacks; cases that use one are left out, and their number is told.
const KINDS_MISSING: &[&str] = &[];

/// A case: settings, and what the collector kept.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) settings: Value,
    pub(crate) json: Value,
}

/// The cases of a folder that use only kinds that there are.
pub(crate) fn cases(of: &str) -> Vec<Case> {
    let files = fs::read_dir(folder().join(of)).expect("the recorded cases");
    let mut paths: Vec<PathBuf> = files.map(|file| file.expect("a readable folder").path()).collect();
    paths.sort();
    let all: Vec<Case> = paths.iter().map(|path| read(path)).collect();
    let total = all.len();
    let ours: Vec<Case> = all.into_iter().filter(|case| kinds(&case.settings).is_disjoint(&missing())).collect();
    if ours.len() < total {
        println!("{} of {total} cases of `{of}` are left out, they use {KINDS_MISSING:?}", total - ours.len());
    }
    ours
}

fn read(path: &Path) -> Case {
    let json: Value = serde_json::from_slice(&fs::read(path).expect("a case")).expect("JSON");
    let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
    Case { name, settings: json["tail_sampling"].clone(), json }
}

fn missing() -> BTreeSet<String> {
    KINDS_MISSING.iter().map(|kind| (*kind).to_owned()).collect()
}

/// Every `type` anywhere in the settings.
fn kinds(settings: &Value) -> BTreeSet<String> {
    let deeper: BTreeSet<String> = match settings {
        Value::Array(items) => items.iter().flat_map(kinds).collect(),
        Value::Object(fields) => fields.values().flat_map(kinds).collect(),
        _ => return BTreeSet::new(),
    };
    deeper.into_iter().chain(settings["type"].as_str().map(str::to_owned)).collect()
}

impl Case {
    /// Trace ID → number of spans that arrived.
    pub(crate) fn kept(&self, packed: bool) -> BTreeMap<String, u64> {
        let kept = match &self.json["kept_packed"] {
            other if packed && !other.is_null() => other,
            _ => &self.json["kept"],
        };
        let kept = kept.as_object().expect("trace ID → spans");
        kept.iter().map(|(id, spans)| (id.clone(), spans.as_u64().expect("a count"))).collect()
    }

    /// What is wrong with what Tailrace kept, if anything.
    pub(crate) fn compare(&self, ours: &BTreeMap<String, u64>, packed: bool) -> Option<String> {
        let theirs = self.kept(packed);
        if self.json["count_only"].as_bool() == Some(true) {
            let differs = ours.len() != theirs.len();
            return differs.then(|| format!("{}: {} traces kept, not {}", self.name, ours.len(), theirs.len()));
        }
        let of = |these: &BTreeMap<String, u64>, others: &BTreeMap<String, u64>| {
            let only: Vec<String> = these.iter().filter(|(id, _)| !others.contains_key(*id)).map(show).collect();
            (only.len(), only.into_iter().next().unwrap_or_default())
        };
        let (extra, missing) = (of(ours, &theirs), of(&theirs, ours));
        let counts: Vec<String> = ours
            .iter()
            .filter(|(id, spans)| theirs.get(*id).is_some_and(|theirs| theirs != *spans))
            .map(|(id, spans)| format!("{id} has {spans} spans, not {}", theirs[id]))
            .collect();
        (*ours != theirs).then(|| {
            format!(
                "{}: of {} traces {} too many ({}), {} missing ({}), {} with another number of spans ({})",
                self.name,
                theirs.len(),
                extra.0,
                extra.1,
                missing.0,
                missing.1,
                counts.len(),
                counts.first().map_or("", String::as_str)
            )
        })
    }
}

fn show((id, spans): (&String, &u64)) -> String {
    format!("{id} with {spans} spans")
}

/// Where the recorded files are.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance")
}

/// A recorded file as text.
pub(crate) fn text(name: &str) -> String {
    fs::read_to_string(folder().join(name)).expect("the recorded file")
}

/// The requests of an input file, as protobuf.
pub(crate) fn requests(name: &str) -> Vec<Vec<u8>> {
    text(name)
        .lines()
        .map(|line| json::decode(otlp::Signal::Traces, line.as_bytes()).expect("a recorded request"))
        .collect()
}
