//! The JSON Schema (draft 2020-12) of a configuration.
//!
//! A map that a decoder knows becomes a definition, so that what several components share, such as `tls`, stands once. As
//! the decoders do, the schema refuses unknown keys, takes nothing in place of a value, and takes an expansion
//! (`${env:NAME}`) in place of anything. Component types that it does not know are let through: a file may hold them for
//! pipelines that run elsewhere. It is stricter than the decoders in one thing: a whole number has no fraction, which they
//! would cut.

use serde_json::{Map, Value, json};
use settings::{Key, Keys, Node, Scalar, Shape};

use super::{Component, Reference, Section};

impl Reference {
    /// The schema.
    pub(crate) fn schema(&self) -> Value {
        let mut definitions = Definitions::default();
        let mut properties = Map::new();
        for section in &self.sections {
            properties.insert(section.name.to_string(), definitions.section(section));
        }
        for (name, about, shape) in &self.others {
            properties.insert((*name).to_string(), described(definitions.value(shape), about));
        }
        let mut all: Map<String, Value> = definitions.maps.into_iter().collect();
        all.extend(fixed());
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "Tailrace configuration",
            "type": "object",
            "properties": properties,
            "required": ["service"],
            "additionalProperties": false,
            "$defs": all,
        })
    }
}

/// The definitions that everything else refers to.
fn fixed() -> [(String, Value); 2] {
    let expansion = json!({
        "type": "string",
        "pattern": r"\$[{A-Za-z_]",
        "description": "A value that is put in when the file is read, such as `${env:NAME}`.",
    });
    let duration = json!({
        "type": ["string", "integer"],
        "pattern": r"^[+-]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$",
        "description": "A duration with its unit, such as `300ms`, `10s` or `1h30m`; a bare number is nanoseconds.",
    });
    [("expansion".to_string(), expansion), ("duration".to_string(), duration)]
}

/// The maps so far, by name.
#[derive(Default)]
struct Definitions {
    maps: Vec<(String, Value)>,
}

impl Definitions {
    fn section(&mut self, section: &Section) -> Value {
        let mut patterns = Map::new();
        for component in &section.components {
            let settings = described(self.value(&component.shape), &sentence(component));
            for name in component.names {
                patterns.insert(format!("^{name}(/.+)?$"), settings.clone());
            }
        }
        let map = json!({ "type": ["object", "null"], "patternProperties": patterns });
        described(json!({ "anyOf": [map, { "$ref": "#/$defs/expansion" }] }), section.about)
    }

    /// What a value may be.
    fn value(&mut self, shape: &Shape) -> Value {
        if shape.scalars.contains(&Scalar::Anything) || shape.is_unknown() {
            return json!({});
        }
        let mut any: Vec<Value> = shape.scalars.iter().filter_map(|scalar| single(*scalar, shape)).collect();
        if let Some(items) = &shape.items {
            any.push(json!({ "type": "array", "items": self.value(items) }));
        }
        if let Some(map) = &shape.map {
            any.push(self.reference(map));
        }
        if let Some(values) = &shape.values {
            any.push(self.free(values, shape.key_pattern));
        }
        any.push(json!({ "type": "null" }));
        any.push(json!({ "$ref": "#/$defs/expansion" }));
        json!({ "anyOf": any })
    }

    /// A map with free keys.
    fn free(&mut self, values: &Shape, pattern: Option<&str>) -> Value {
        let value = self.value(values);
        match pattern {
            None => json!({ "type": "object", "additionalProperties": value }),
            Some(pattern) => {
                json!({ "type": "object", "patternProperties": { pattern: value }, "additionalProperties": false })
            }
        }
    }

    /// A map with known keys; one that is there already is not defined again.
    fn reference(&mut self, map: &Keys) -> Value {
        let properties: Map<String, Value> = map.keys.iter().map(|key| (key.name.clone(), self.key(key))).collect();
        let required: Vec<&str> = map.keys.iter().filter(|key| key.is_required).map(|key| key.name.as_str()).collect();
        let definition = json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": map.is_open,
        });
        let known = self.maps.iter().find(|(_, known)| *known == definition).map(|(name, _)| name.clone());
        let name = known.unwrap_or_else(|| {
            let alike = |name: &str| self.maps.iter().any(|(known, _)| known == name);
            // Part of a URI.
            let plain = map.name.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
            let numbered = (2..).map(|number| format!("{plain}_{number}"));
            let mut names = std::iter::once(plain.clone()).chain(numbered);
            let name = names.find(|name| !alike(name)).unwrap_or_default();
            self.maps.push((name.clone(), definition));
            name
        });
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    fn key(&mut self, key: &Key) -> Value {
        if key.is_unsupported {
            return described(json!({ "enum": [null, false, "", [], {}] }), "Not supported; remove it.");
        }
        let mut schema = if key.is_ignored { json!({}) } else { self.value(&key.shape) };
        if let Some(default) = key.default.as_ref().filter(|default| !is_secret(&key.shape, default)) {
            schema["default"] = plain(default);
        }
        if key.instead.is_some() {
            schema["deprecated"] = json!(true);
        }
        described(schema, &key.meaning())
    }
}

/// What is said about a key, also where no doc comment does.
pub(super) trait Meaning {
    fn meaning(&self) -> String;
}

impl Meaning for Key {
    fn meaning(&self) -> String {
        let instead = self.instead.as_ref().map(|instead| format!("An old spelling; write {instead}."));
        let ignored = Some("Taken, without effect.".to_string()).filter(|_| self.is_ignored && self.about.is_empty());
        let said = Some(self.about.clone()).filter(|about| !about.is_empty());
        let sentences: Vec<String> = [said, instead, ignored].into_iter().flatten().collect();
        sentences.join(" ")
    }
}

/// What a component does.
pub(super) fn sentence(component: &Component) -> String {
    let name = component.names.first().copied().unwrap_or_default();
    format!("`{name}` {}.", component.about)
}

fn single(scalar: Scalar, shape: &Shape) -> Option<Value> {
    Some(match scalar {
        Scalar::Text if shape.words.is_empty() => json!({ "type": "string" }),
        Scalar::Text if shape.any_case => {
            json!({ "anyOf": [{ "enum": shape.words }, { "type": "string", "pattern": any_case(&shape.words) }] })
        }
        Scalar::Text => json!({ "enum": shape.words }),
        Scalar::Bool => json!({ "type": "boolean" }),
        // Bounds that a JSON number cannot hold exactly help nobody.
        Scalar::Integer(min, max) => {
            let mut schema = json!({ "type": "integer" });
            for (bound, number) in [("minimum", min), ("maximum", max)] {
                if let Some(number) = i64::try_from(number).ok().filter(|number| number.unsigned_abs() < 1 << 53) {
                    schema[bound] = json!(number);
                }
            }
            schema
        }
        Scalar::Number => json!({ "type": "number" }),
        Scalar::Duration => json!({ "$ref": "#/$defs/duration" }),
        // Said besides that it is a text.
        Scalar::Secret | Scalar::Anything => return None,
    })
}

/// A pattern of words in any case of letters: `^([iI][nN][fF][oO])$`.
fn any_case(words: &[String]) -> String {
    let both = |c: char| match c.is_ascii_alphabetic() {
        true => format!("[{}{}]", c.to_ascii_lowercase(), c.to_ascii_uppercase()),
        false => c.to_string(),
    };
    let words: Vec<String> = words.iter().map(|word| word.chars().map(both).collect()).collect();
    format!("^({})$", words.join("|"))
}

fn described(mut schema: Value, about: &str) -> Value {
    if !about.is_empty() {
        schema["description"] = json!(about);
    }
    schema
}

fn is_secret(shape: &Shape, default: &Node) -> bool {
    shape.scalars.contains(&Scalar::Secret) || matches!(default.value, settings::Value::Secret(_))
}

/// A tree of the program as JSON.
fn plain(node: &Node) -> Value {
    use settings::Value as Yaml;
    match &node.value {
        Yaml::Null | Yaml::Secret(_) => Value::Null,
        Yaml::Bool(value) => json!(value),
        Yaml::Int(value) => i64::try_from(*value).map_or_else(|_| json!(value.to_string()), |value| json!(value)),
        Yaml::Float(value) => json!(value),
        Yaml::Text(text) => json!(text),
        Yaml::List(items) => items.iter().map(plain).collect(),
        Yaml::Map(entries) => {
            Value::Object(entries.iter().map(|entry| (entry.key.clone(), plain(&entry.node))).collect())
        }
    }
}
