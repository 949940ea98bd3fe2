//! The kinds of processors, each with a maker of random settings and of ours. A new kind is a line of the table.

use crate::{
    dice::Dice,
    requests::{KEYS, LIBRARIES, NAMES, RESOURCE_KEYS, SEVERITIES, TEXTS},
    statements,
};
use otlp::Signal;
use process::{
    Processor,
    attributes::{Attributes, AttributesSettings},
    filter::{Filter, FilterSettings},
    probabilistic_sampler::{ProbabilisticSampler, ProbabilisticSamplerSettings},
    redaction::{Redaction, RedactionSettings},
    resource::{Resource, ResourceSettings},
    span::{Span, SpanSettings},
    transform::{Transform, TransformSettings},
};
use serde_json::{Map, Value, json};
use settings::{Decode, Node};

/// A kind of processor.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) signals: &'static [Signal],
    pub(crate) settings: fn(&mut Dice, Signal) -> Value,
    pub(crate) build: fn(&str, Signal) -> Result<Built, String>,
}

/// One of our processors, and its settings as they are printed.
pub(crate) type Built = (Box<dyn Processor>, Node);

pub(crate) const KINDS: &[Kind] = &[
    Kind {
        name: "resource",
        signals: &Signal::ALL,
        settings: |dice, _| json!({"attributes": actions(dice, RESOURCE_KEYS)}),
        build: |text, _| {
            let settings: ResourceSettings = decode(text)?;
            Ok((Box::new(Resource::new(&settings).map_err(|error| error.message)?), settings.effective()))
        },
    },
    Kind {
        name: "attributes",
        signals: &Signal::ALL,
        settings: |dice, signal| {
            let mut settings = matching(dice, signal);
            settings.insert("actions".to_string(), actions(dice, KEYS));
            Value::Object(settings)
        },
        build: |text, signal| {
            let settings: AttributesSettings = decode(text)?;
            settings.fits(signal)?;
            Ok((Box::new(Attributes::new(&settings)?), settings.effective()))
        },
    },
    Kind {
        name: "span",
        signals: &[Signal::Traces],
        settings: |dice, _| span(dice),
        build: |text, _| {
            let settings: SpanSettings = decode(text)?;
            Ok((Box::new(Span::new(&settings)?), settings.effective()))
        },
    },
    Kind {
        name: "filter",
        signals: &Signal::ALL,
        settings: filter,
        build: |text, signal| {
            let settings: FilterSettings = decode(text)?;
            settings.fits(signal)?;
            Ok((Box::new(Filter::new(&settings)?), settings.effective()))
        },
    },
    Kind {
        name: "probabilistic_sampler",
        signals: &[Signal::Traces, Signal::Logs],
        settings: |dice, _| sampler(dice),
        build: |text, _| {
            let settings: ProbabilisticSamplerSettings = decode(text)?;
            let Ok(sampler) = ProbabilisticSampler::new(&settings);
            Ok((Box::new(sampler), settings.effective()))
        },
    },
    Kind {
        name: "redaction",
        signals: &Signal::ALL,
        settings: |dice, _| redaction(dice),
        build: |text, _| {
            let settings: RedactionSettings = decode(text)?;
            Ok((Box::new(Redaction::new(&settings)?), settings.effective()))
        },
    },
    Kind {
        name: "transform",
        signals: &Signal::ALL,
        settings: statements::transform,
        build: |text, _| {
            let settings: TransformSettings = decode(text)?;
            Ok((Box::new(Transform::new(&settings)?), settings.effective()))
        },
    },
];

fn redaction(dice: &mut Dice) -> Value {
    const VALUE_PATTERNS: &[&str] = &["[0-9]+", "^x$", "cart", "true", "<.*>", "^$", ".*", "o", "ï"];
    const KEY_PATTERNS: &[&str] = &["^a$", "http", "e$", "k", "^$"];
    const KEYS_THERE: &[&str] = &["a", "b", "k", "j", "user.id", "http.route", "zone", "host", "service.name"];
    const QUERIES: &[&str] = &["redis", "valkey", "memcached", "mongo", "opensearch", "es"];
    let mut settings = Map::new();
    let functions = ["", "", "md5", "SHA1", "sha3", "hmac-sha256", "HMAC-sha512"];
    settings.insert("hash_function".to_string(), json!(dice.pick(&functions)));
    settings.insert("hmac_key".to_string(), json!("0123456789".repeat(7)));
    settings.insert("allow_all_keys".to_string(), json!(dice.chance(60)));
    settings.insert("redact_all_types".to_string(), json!(dice.chance(40)));
    settings.insert("summary".to_string(), json!(dice.pick(&["debug", "info", "silent", ""])));
    let mut put = |dice: &mut Dice, percent: u64, key: &str, words: &[&str]| {
        if dice.chance(percent) {
            settings.insert(key.to_string(), json!(dice.some(words)));
        }
    };
    put(dice, 60, "allowed_keys", KEYS_THERE);
    put(dice, 30, "ignored_keys", KEYS_THERE);
    put(dice, 20, "ignored_key_patterns", KEY_PATTERNS);
    put(dice, 30, "blocked_key_patterns", KEY_PATTERNS);
    put(dice, 60, "blocked_values", VALUE_PATTERNS);
    put(dice, 30, "allowed_values", VALUE_PATTERNS);
    if dice.chance(40) {
        let mut databases = Map::new();
        for name in dice.some(QUERIES) {
            let attributes = if dice.chance(80) { dice.some(KEYS_THERE) } else { Vec::new() };
            databases.insert(name.to_string(), json!({"enabled": dice.chance(90), "attributes": attributes}));
        }
        if dice.chance(30) {
            databases.insert("sanitize_span_name".to_string(), json!(dice.chance(50)));
        }
        settings.insert("db_sanitizer".to_string(), Value::Object(databases));
    }
    Value::Object(settings)
}

fn sampler(dice: &mut Dice) -> Value {
    let mut settings = Map::new();
    let percentages = [0.0, 0.003, 0.01, 15.3, 33.333, 50.0, 50.0, 75.0, 99.9, 100.0, 250.0];
    settings.insert("sampling_percentage".to_string(), json!(dice.pick(&percentages)));
    settings.insert("mode".to_string(), json!(dice.pick(&["", "hash_seed", "equalizing", "proportional"])));
    let mut put = |dice: &mut Dice, percent: u64, key: &str, value: fn(&mut Dice) -> Value| {
        if dice.chance(percent) {
            settings.insert(key.to_string(), value(dice));
        }
    };
    put(dice, 60, "fail_closed", |dice| json!(dice.chance(30)));
    put(dice, 40, "hash_seed", |dice| json!(dice.pick(&[0, 22, u32::MAX])));
    put(dice, 40, "sampling_precision", |dice| json!(dice.pick(&[1, 2, 5, 14, -3])));
    put(dice, 40, "attribute_source", |dice| json!(dice.pick(&["traceID", "record", ""])));
    put(dice, 40, "from_attribute", |dice| json!(dice.pick(KEYS)));
    put(dice, 40, "sampling_priority", |dice| json!(dice.pick(&["sampling.priority", "http.status", "a"])));
    Value::Object(settings)
}

/// The settings that a text is, or its problems.
fn decode<T: Decode>(text: &str) -> Result<T, String> {
    let (tree, sources, mut problems) = settings::load(&[format!("yaml:v: {text}")], &[], &|_| None);
    let tree = tree.unwrap_or_else(Node::null);
    let decoded = T::decode(tree.lookup("v").unwrap_or(&tree), &mut problems);
    match decoded {
        Some(settings) if !problems.has_errors() => Ok(settings),
        _ => Err(problems.render(&sources)),
    }
}

/// A value as a configuration writes it.
fn literal(dice: &mut Dice, depth: usize) -> Value {
    match dice.below(if depth == 0 { 6 } else { 8 }) {
        0 => json!(dice.pick(&[0, 1, 42, -7, 200])),
        1 => json!(dice.pick(&[1.0, -1.5, 0.25])),
        2 => json!(dice.chance(50)),
        6 => (0..dice.below(3)).map(|_| literal(dice, 0)).collect(),
        7 => json!({"k": literal(dice, 0), "j": literal(dice, 0)}),
        _ => json!(dice.pick(TEXTS)),
    }
}

fn actions(dice: &mut Dice, keys: &[&'static str]) -> Value {
    // An empty key is one that only patterns may leave out.
    let keys: Vec<&str> = keys.iter().copied().filter(|key| !key.is_empty()).collect();
    (0..1 + dice.below(4)).map(|_| action(dice, &keys)).collect()
}

fn action(dice: &mut Dice, keys: &[&str]) -> Value {
    let key = if dice.chance(85) { dice.pick(keys) } else { "new" };
    let mut action = json!({"key": key});
    let mut set = |name: &str, value: Value| action[name] = value;
    match dice.below(9) {
        kind @ 0..=3 => {
            let name = ["insert", "update", "upsert", "UPSERT"][kind];
            set("action", json!(name));
            match dice.below(4) {
                0 => set("from_attribute", json!(dice.pick(keys))),
                1 => set("from_context", json!("metadata.x")),
                _ => set("value", literal(dice, 1)),
            }
            if dice.chance(30) {
                set("default_value", literal(dice, 1));
            }
        }
        kind @ 4..=5 => {
            set("action", json!(["delete", "hash"][kind - 4]));
            if dice.chance(40) {
                set("pattern", json!(dice.pick(&["^http\\.", "[ab]$", "^$", "z|é", "."])));
            }
            if action["pattern"].is_string() && dice.chance(50) {
                action.as_object_mut().expect("an object").remove("key");
            }
        }
        6 => {
            set("action", json!("extract"));
            let patterns = [
                "^/api/v(?P<version>[0-9]+)/(?P<what>.*)$",
                "(?P<a>.)(?P<b>.)?",
                "^(?P<sign>-)?(?P<digits>\\d+)(?P<rest>\\..*)?$",
            ];
            set("pattern", json!(dice.pick(&patterns)));
        }
        _ => {
            set("action", json!("convert"));
            set("converted_type", json!(dice.pick(&["int", "double", "string"])));
        }
    }
    action
}

/// `include` and `exclude` that fit the signal.
fn matching(dice: &mut Dice, signal: Signal) -> Map<String, Value> {
    let mut settings = Map::new();
    for name in ["include", "exclude"] {
        if dice.chance(45) {
            settings.insert(name.to_string(), properties(dice, signal));
        }
    }
    settings
}

fn properties(dice: &mut Dice, signal: Signal) -> Value {
    let strict = dice.chance(50);
    let mut properties = json!({"match_type": if strict { "strict" } else { "regexp" }});
    if !strict && dice.chance(30) {
        properties["regexp"] = json!({"cacheenabled": dice.chance(50), "cachemaxnumentries": 10});
    }
    let names: &[&str] = match signal {
        Signal::Traces => &["services", "span_names", "span_kinds", "attributes", "resources", "libraries"],
        Signal::Metrics => &["metric_names", "resources"],
        Signal::Logs => {
            &["log_bodies", "log_severity_texts", "log_severity_number", "attributes", "resources", "libraries"]
        }
    };
    let mut names = names.to_vec();
    dice.shuffle(&mut names);
    names.truncate(if dice.chance(70) { 1 } else { 2 });
    for name in names {
        properties[name] = match name {
            "services" | "log_bodies" => texts(dice, strict, TEXTS),
            "span_names" | "metric_names" => texts(dice, strict, NAMES),
            "log_severity_texts" => texts(dice, strict, SEVERITIES),
            "span_kinds" if strict => json!(dice.some(&["SPAN_KIND_SERVER", "SPAN_KIND_CLIENT", "SPAN_KIND_INTERNAL"])),
            "span_kinds" => json!(dice.some(&["SERVER", "UNSPECIFIED$", "^SPAN_KIND_P"])),
            "log_severity_number" => json!({"min": dice.pick(&[1, 9, 10, 17]), "match_undefined": dice.chance(50)}),
            "libraries" => libraries(dice, strict),
            "resources" => attributes(dice, strict, RESOURCE_KEYS),
            _ => attributes(dice, strict, KEYS),
        };
    }
    properties
}

fn texts(dice: &mut Dice, strict: bool, texts: &[&str]) -> Value {
    if strict { json!(dice.some(texts)) } else { json!(dice.some(&["^/api", "[0-9]", "a|x", "^$", "shop", "O"])) }
}

fn libraries(dice: &mut Dice, strict: bool) -> Value {
    let (name, version) = dice.pick(LIBRARIES);
    let name = if strict { name } else { dice.pick(&["l", "^o", ""]) };
    let version = if strict { version } else { dice.pick(&["1", "^$", "."]) };
    if dice.chance(50) { json!([{"name": name}]) } else { json!([{"name": name, "version": version}]) }
}

fn attributes(dice: &mut Dice, strict: bool, keys: &[&str]) -> Value {
    let keys: Vec<&str> = keys.iter().copied().filter(|key| !key.is_empty()).collect();
    let one = |dice: &mut Dice| {
        let key = dice.pick(&keys);
        match dice.below(4) {
            0 => json!({ "key": key }),
            _ if strict => json!({"key": key, "value": literal(dice, 1)}),
            _ => json!({"key": key, "value": dice.pick(&["^-?[0-9.]+$", "x|shop", "true", "", "cart$"])}),
        }
    };
    (0..if dice.chance(80) { 1 } else { 2 }).map(|_| one(dice)).collect()
}

fn span(dice: &mut Dice) -> Value {
    let mut settings = matching(dice, Signal::Traces);
    let mut name = Map::new();
    if dice.chance(50) {
        let keys: Vec<&str> = KEYS.iter().copied().filter(|key| !key.is_empty()).collect();
        name.insert("from_attributes".to_string(), json!(dice.some(&keys)));
        name.insert("separator".to_string(), json!(dice.pick(&["", "::", " "])));
    }
    // otelcol crashes on groups that take no part in a match.
    let rules =
        ["^/api/v(?P<version>[0-9]+)/(?P<what>.*)$", "(?P<a>[a-z]+)", "(GET) (?P<route>/.*)", "(?P<digits>[0-9]+)$"];
    if dice.chance(60) {
        let to = json!({
            "rules": dice.some(&rules),
            "break_after_match": dice.chance(30),
            "keep_original_name": dice.chance(30),
        });
        name.insert("to_attributes".to_string(), to);
    }
    if name.is_empty() || dice.chance(30) {
        let status = match dice.below(3) {
            0 => json!({"code": "Unset"}),
            1 => json!({"code": "Ok"}),
            _ => json!({"code": "Error", "description": "bad"}),
        };
        settings.insert("status".to_string(), status);
    }
    settings.insert("name".to_string(), Value::Object(name));
    Value::Object(settings)
}

fn filter(dice: &mut Dice, signal: Signal) -> Value {
    let mode = dice.pick(&["ignore", "silent", "propagate", "ignore"]);
    let mut settings = json!({ "error_mode": mode });
    match dice.below(3) {
        0 => older(dice, signal, &mut settings),
        1 => {
            let (block, lists): (&str, &[(&str, &str)]) = match signal {
                Signal::Traces => ("traces", &[("resource", "resource"), ("span", "span"), ("spanevent", "spanevent")]),
                Signal::Metrics => {
                    ("metrics", &[("resource", "resource"), ("metric", "metric"), ("datapoint", "datapoint")])
                }
                Signal::Logs => ("logs", &[("resource", "resource"), ("log_record", "log")]),
            };
            for (list, context) in dice.some(lists) {
                settings[block][list] = (0..1 + dice.below(2)).map(|_| condition(dice, context, false)).collect();
            }
        }
        _ => {
            let (list, contexts): (&str, &[&str]) = match signal {
                Signal::Traces => ("trace_conditions", &["resource", "scope", "span", "spanevent"]),
                Signal::Metrics => ("metric_conditions", &["resource", "scope", "metric", "datapoint"]),
                Signal::Logs => ("log_conditions", &["resource", "scope", "log"]),
            };
            let inferred = |dice: &mut Dice| -> Value {
                dice.some(contexts).into_iter().map(|context| condition(dice, context, true)).collect()
            };
            settings[list] = if dice.chance(50) {
                inferred(dice)
            } else {
                let context = dice.pick(contexts);
                let own = json!({"context": context, "conditions": [condition(dice, context, false)]});
                json!([own, {"conditions": inferred(dice), "error_mode": dice.pick(&["ignore", "propagate"])}])
            };
        }
    }
    settings
}

fn older(dice: &mut Dice, signal: Signal, settings: &mut Value) {
    let side = if dice.chance(50) { "include" } else { "exclude" };
    let strict = dice.chance(50);
    let mut part = json!({"match_type": if strict { "strict" } else { "regexp" }});
    match signal {
        Signal::Traces => settings["spans"] = json!({side: properties(dice, signal)}),
        Signal::Metrics => {
            if dice.chance(60) {
                part["metric_names"] = texts(dice, strict, NAMES);
            }
            if dice.chance(60) {
                part["resource_attributes"] = attributes(dice, strict, RESOURCE_KEYS);
            }
            settings["metrics"] = json!({ side: part });
        }
        Signal::Logs => {
            match dice.below(5) {
                0 => part["bodies"] = texts(dice, strict, TEXTS),
                1 => part["severity_texts"] = texts(dice, strict, SEVERITIES),
                2 => part["record_attributes"] = attributes(dice, strict, KEYS),
                3 => part["resource_attributes"] = attributes(dice, strict, RESOURCE_KEYS),
                _ => {
                    let min = dice.pick(&["INFO", "error", "DEBUG2", "10"]);
                    part["severity_number"] = json!({"min": min, "match_undefined": dice.chance(50)});
                }
            }
            settings["logs"] = json!({ side: part });
        }
    }
}

/// A condition of a context, whose paths begin with its name where it has to be inferred.
fn condition(dice: &mut Dice, context: &str, prefixed: bool) -> Value {
    let own: &[&str] = match context {
        "resource" => &["@attributes[\"zone\"] == \"x\"", "@attributes[\"host\"] != nil", "@attributes[\"a\"] == 1"],
        "scope" => &["@name == \"lib\"", "@version == \"\"", "IsMatch(@name, \"^o\")"],
        "span" => &[
            "@name == \"query\"",
            "@attributes[\"a\"] == \"x\"",
            "@kind == SPAN_KIND_SERVER",
            "@status.code == STATUS_CODE_ERROR and @attributes[\"b\"] != nil",
            "IsMatch(@attributes[\"user.id\"], \"^[0-9]\")",
            "@attributes[\"http.status\"] > 100",
            "Int(@attributes[\"zone\"]) > 0",
        ],
        "spanevent" => &["@name == \"query\"", "@attributes[\"a\"] == \"x\"", "IsMatch(@name, \"a\")"],
        "metric" => &[
            "@name == \"query\"",
            "@type == METRIC_DATA_TYPE_SUM",
            "@unit == \"s\" and IsMatch(@name, \"/\")",
            "@name != \"\" and HasAttrKeyOnDatapoint(\"a\")",
            "@name != \"\" and HasAttrOnDatapoint(\"a\", \"x\")",
        ],
        "datapoint" => &[
            "@attributes[\"a\"] == \"x\"",
            "@attributes[\"zone\"] == nil",
            "@value_int > 0",
            "metric.name == \"query\" and @attributes[\"b\"] != nil",
            "@count > 1",
        ],
        _ => &[
            "@attributes[\"a\"] == \"x\"",
            "@severity_number >= SEVERITY_NUMBER_INFO",
            "IsMatch(@body, \"[0-9]\")",
            "@body == \"x\"",
            "@severity_text == \"\" or @attributes[\"b\"] == true",
            "@attributes[\"http.status\"] < 100",
        ],
    };
    let prefix = if prefixed { format!("{context}.") } else { String::new() };
    let text = dice.pick(own).replace('@', &prefix);
    let resource = dice.pick(&["resource.attributes[\"zone\"] == nil", "resource.attributes[\"a\"] != \"x\""]);
    let with_resource = context != "resource" && dice.chance(25);
    json!(if with_resource { format!("{text} and {resource}") } else { text })
}
