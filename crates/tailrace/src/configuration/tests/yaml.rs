//! What YAML, expansion, merging and `--set` mean, beside what the real collector made of the same texts.
//!
//! The cases are recorded in `tests/configuration/yaml.jsonl`: what stands under `initial_fields` of the log, which takes
//! values of any shape, and what `otelcol print-config` 0.161 printed of it. Where Tailrace differs, a case says why.

use serde_json::{Value as Json, json};
use settings::Value;

use super::*;

const CASES: &str = include_str!("../../../../../tests/configuration/yaml.jsonl");

/// Around the fields of cases that give no whole files.
const AROUND: &str = "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {nop: }\nservice:\n  pipelines: {traces: \
                      {receivers: [otlp], exporters: [nop]}}\n  telemetry:\n    logs:\n      initial_fields:\n";

/// The variables that were set when the cases were recorded.
const VARIABLES: [(&str, &str); 28] = [
    ("FIVE", "5"),
    ("WORD", "abc"),
    ("LIST", "[1, 2]"),
    ("MAP", "{a: 1}"),
    ("EMPTY", ""),
    ("OCT", "017"),
    ("TRUE", "true"),
    ("HEX", "0x10"),
    ("DOLLAR", "a$b"),
    ("DD", "a$$b"),
    ("REF", "${env:FIVE}"),
    ("QUOTED", "\"5\""),
    ("DATE", "2024-01-01"),
    ("BAD", "a: b: c"),
    ("FLOAT", "1.50"),
    ("SPACES", "  x "),
    ("NULLV", "null"),
    ("TILDE", "~"),
    ("MULTI", "a\nb"),
    ("COLON", "host:1234"),
    ("STAR", "*x"),
    ("LEAD0", "007"),
    ("BIG", "123456789012345678901234567890"),
    ("PCT", "100%"),
    ("DASH_x", "1"),
    ("E1", "1e3"),
    ("US", "1_000"),
    ("UNUSED", ""),
];

#[test]
fn texts_mean_what_they_mean_to_otelcol() {
    let mut count = 0;
    for line in CASES.lines() {
        let case: Json = serde_json::from_str(line).expect("JSON");
        let found = meaning(&case);
        let (means, refused) = match case.get("differs") {
            None => ("means", "refused"),
            Some(_) => ("here", "refused_here"),
        };
        let expected = if case.get(refused).is_some() { None } else { Some(case[means].clone()) };
        assert_eq!(found.as_ref().ok(), expected.as_ref(), "{line}\n{found:?}");
        count += 1;
    }
    assert!(count > 400);
}

/// The fields that a case comes to, or what is wrong with it.
fn meaning(case: &Json) -> Result<Json, String> {
    let texts = |key: &str| -> Vec<String> {
        let list = case[key].as_array().into_iter().flatten();
        list.map(|text| text.as_str().expect("text").to_string()).collect()
    };
    let uris: Vec<String> = match case["fields"].as_str() {
        Some(fields) => {
            let fields: String = fields.split('\n').map(indented).collect();
            vec![format!("yaml:{AROUND}{fields}")]
        }
        None => texts("files").iter().map(|text| format!("yaml:{text}")).collect(),
    };
    let origin = Origin { uris, sets: texts("sets"), ..Origin::default() };
    let env = |name: &str| VARIABLES.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_string());
    let Loaded { configuration, problems, sources } = load(&origin, &env);
    let configuration = configuration.ok_or_else(|| problems.render(&sources))?;
    let fields = &configuration.service.telemetry.logs.initial_fields;
    Ok(match fields.is_empty() {
        true => Json::Null,
        false => json_of(&Node::map_of(fields.iter().cloned())),
    })
}

fn indented(line: &str) -> String {
    if line.trim().is_empty() { "\n".to_string() } else { format!("        {line}\n") }
}

fn json_of(node: &Node) -> Json {
    match &node.value {
        Value::Null | Value::Secret(_) => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Int(value) => u64::try_from(*value).map_or_else(|_| json!(*value as i64), |value| json!(value)),
        // It is printed, and so recorded, as an integer if it is whole.
        Value::Float(value) if value.fract() == 0.0 && value.abs() < 1e6 => json!(*value as i64),
        Value::Float(value) => json!(value),
        Value::Text(text) => json!(text),
        Value::List(items) => items.iter().map(json_of).collect(),
        Value::Map(entries) => entries.iter().map(|entry| (entry.key.clone(), json_of(&entry.node))).collect(),
    }
}
