//! What the real collector's transform processor made of a request with each of thousands of statements.
//!
//! `statements.jsonl` in the conformance folder has a line for each run: the signal, the settings, and either why they were
//! refused or what became of the request `statements_<signal>.json`, as changes by JSON pointer. `fails` says that the request
//! is refused with `error_mode: propagate`.

#[path = "statements/normal.rs"]
mod normal;

use otlp::Signal;
use process::{
    Broken, Moment, Processor,
    transform::{Transform, TransformSettings},
};
use serde_json::Value;
use settings::Decode;
use std::{fs, path::PathBuf};

const MOMENT: Moment<'static> = Moment::at(1_767_325_610_000_000_000, 7);

#[test]
fn recorded_statements() {
    let bases = Signal::ALL.map(|signal| {
        let json: Value = serde_json::from_str(&read(&format!("statements_{signal}.json"))).expect("JSON");
        (json.clone(), encoded(signal, &json))
    });
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in read("statements.jsonl").lines() {
        let recorded: Value = serde_json::from_str(line).expect("JSON");
        let signal = Signal::ALL.into_iter().find(|signal| recorded["signal"] == signal.name()).expect("a signal");
        let index = Signal::ALL.iter().position(|known| *known == signal).expect("one of them");
        if let Err(why) = check(signal, &recorded, &bases[index]) {
            wrong.push(format!("{}\n    {why}", recorded["settings"]));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "\n{}\n{} of {count} wrong\n", wrong.join("\n"), wrong.len());
    assert!(count > 4000, "{count}");
}

fn check(signal: Signal, recorded: &Value, (json, request): &(Value, Vec<u8>)) -> Result<(), String> {
    let settings = decode(&recorded["settings"].to_string());
    if let Some(why) = recorded.get("refused") {
        return match settings {
            Ok(_) => Err(format!("refused there: {why}")),
            Err(_) => Ok(()),
        };
    }
    let settings = settings.map_err(|problems| format!("refused here: {problems}"))?;
    let edit = |settings: &TransformSettings| {
        let transform = Transform::new(settings).expect("decoded settings");
        transform.edit(signal, request, MOMENT).map(|edited| edited.body.into_owned())
    };
    let mut expected = json.clone();
    let changes = recorded.get("changes").and_then(Value::as_array).cloned().unwrap_or_default();
    changes.iter().for_each(|change| apply(&mut expected, change));
    let expected = encoded(signal, &expected);
    let found = edit(&settings).map_err(|error| error.to_string())?;
    if found == *request && expected != *request {
        return Err(format!("nothing changes, but there {}", recorded["changes"]));
    }
    // Map literals and URLs are Go maps, in no order.
    let text = recorded["settings"].to_string();
    let is_ordered = !text.contains("{\\\"") && !text.contains("URL(");
    if normal::shown(signal, &found, is_ordered) != normal::shown(signal, &expected, is_ordered) {
        let found = otlp::json::encode(signal, &found).map_err(|error| error.to_string())?;
        return Err(format!("{}\n    but there {}", String::from_utf8_lossy(&found), recorded["changes"]));
    }
    let strict = TransformSettings { error_mode: process::error_mode::ErrorMode::Propagate, ..settings };
    let has_own_mode = text.contains("error_mode");
    let fails = recorded.get("fails").is_some();
    match edit(&strict) {
        Err(Broken::Refused(_)) if fails => Ok(()),
        Ok(_) if !fails || has_own_mode => Ok(()),
        Err(error) => Err(format!("it fails only here: {error}")),
        Ok(_) => Err("it fails only there".to_string()),
    }
}

/// Settings in JSON, which is YAML.
fn decode(json: &str) -> Result<TransformSettings, String> {
    let (tree, sources, mut problems) = settings::load(&[format!("yaml:v: {json}")], &[], &|_| None);
    let node = tree.as_ref().and_then(|tree| tree.lookup("v")).expect("a tree");
    let decoded = TransformSettings::decode(node, &mut problems);
    match decoded.filter(|_| !problems.has_errors()) {
        Some(settings) => Ok(settings),
        None => Err(problems.render(&sources)),
    }
}

/// A change: the pointer and the new value; without one the old value goes.
fn apply(json: &mut Value, change: &Value) {
    let pointer = change[0].as_str().expect("a pointer");
    let (parent, name) = pointer.rsplit_once('/').expect("not the root");
    let parent = json.pointer_mut(parent).expect("a place");
    let place = match (parent, name.parse::<usize>()) {
        (Value::Array(items), Ok(index)) => &mut items[index],
        (Value::Object(entries), _) => {
            if change.get(1).is_none() {
                entries.remove(name);
                return;
            }
            entries.entry(name).or_insert(Value::Null)
        }
        (other, _) => panic!("{other} has no {name}"),
    };
    *place = change[1].clone();
}

fn encoded(signal: Signal, json: &Value) -> Vec<u8> {
    otlp::json::decode(signal, json.to_string().as_bytes()).expect("OTLP/JSON")
}

fn read(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance");
    fs::read_to_string(folder.join(name)).expect("a file of the conformance folder")
}
