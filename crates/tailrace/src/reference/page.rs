//! The reference page: for each component a table of its settings.
//!
//! A map that stands in one place is told there, as `group_by::enabled`; one that stands in several, such as `tls`, has a
//! table of its own that they all point to. A policy inside of a policy has the same settings as the one around it, so only
//! its types are told; and of attributes that all have the same switch, one row names them all.

use std::fmt::Write;

use settings::{Key, Keys, Mode, Node, Scalar, Shape};

use super::schema::{Meaning, sentence};
use super::{Component, Reference};

impl Reference {
    /// The page, in Markdown.
    pub(crate) fn page(&self) -> String {
        let mut page = Page { text: INTRODUCTION.to_string(), shared: self.shared() };
        for section in &self.sections {
            page.line(&format!("\n## `{}`\n\n{}", section.name, section.about));
            for component in &section.components {
                page.component(component);
            }
        }
        for (name, about, shape) in &self.others {
            page.line(&format!("\n## `{name}`\n\n{about}"));
            page.table(shape);
        }
        page.line("\n## Shared settings\n\nMaps that several of the tables above name.");
        for (name, keys) in page.shared.clone() {
            page.line(&format!("\n### `{name}`"));
            page.rows(&keys);
        }
        page.text
    }

    /// The maps that stand in more than one place, with their names on the page.
    fn shared(&self) -> Vec<(String, Keys)> {
        let mut seen: Vec<(Keys, usize)> = Vec::new();
        for section in &self.sections {
            section.components.iter().for_each(|component| count_inside(&component.shape, &mut Vec::new(), &mut seen));
        }
        self.others.iter().for_each(|(_, _, shape)| count_inside(shape, &mut Vec::new(), &mut seen));
        let mut shared: Vec<(String, Keys)> = Vec::new();
        for (keys, _) in seen.into_iter().filter(|(keys, count)| *count > 1 && keys.keys.len() > INLINE_KEYS_MAX) {
            let alike = shared.iter().filter(|(name, _)| name.split(' ').next() == Some(&keys.name)).count();
            let name = if alike == 0 { keys.name.clone() } else { format!("{} ({})", keys.name, alike + 1) };
            shared.push((name, keys));
        }
        shared.sort_by(|(one, _), (other, _)| one.cmp(other));
        shared
    }
}

/// Counts the maps inside a shape, each where it stands; what stands in one that is there twice counts once.
fn count_inside<'s>(shape: &'s Shape, around: &mut Vec<&'s Keys>, seen: &mut Vec<(Keys, usize)>) {
    for key in shape.map.iter().flat_map(|map| &map.keys) {
        count(&key.shape, around, seen);
    }
}

fn count<'s>(shape: &'s Shape, around: &mut Vec<&'s Keys>, seen: &mut Vec<(Keys, usize)>) {
    if let Some(map) = shape.map.as_ref().filter(|map| !repeats(map, around) && uniform(map).is_none()) {
        if let Some((_, count)) = seen.iter_mut().find(|(known, _)| known.keys == map.keys) {
            *count += 1;
            return;
        }
        seen.push((map.clone(), 1));
        around.push(map);
        count_inside(shape, around, seen);
        around.pop();
    }
    for inner in [&shape.items, &shape.values].into_iter().flatten() {
        count(inner, around, seen);
    }
}

/// Whether a map has only keys that a map of the same name around it has, too.
fn repeats(map: &Keys, around: &[&Keys]) -> bool {
    let has = |outer: &Keys, name: &str| outer.keys.iter().any(|key| key.name == name);
    around.iter().any(|outer| outer.name == map.name && map.keys.iter().all(|key| has(outer, &key.name)))
}

/// The first key of a map whose keys all mean the same and hold the same, but for their defaults.
fn uniform(map: &Keys) -> Option<&Key> {
    fn names(key: &Key) -> Vec<&str> {
        key.shape.map.iter().flat_map(|map| &map.keys).map(|key| key.name.as_str()).collect()
    }
    let first = map.keys.first().filter(|first| !names(first).is_empty())?;
    let alike = |key: &Key| key.about == first.about && names(key) == names(first);
    (map.keys.len() > 1 && map.keys.iter().all(alike)).then_some(first)
}

struct Page {
    text: String,
    shared: Vec<(String, Keys)>,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn component(&mut self, component: &Component) {
        let (name, others) = component.names.split_first().unwrap_or((&"", &[]));
        let others = others.iter().map(|other| format!(" It is also called `{other}`.")).collect::<String>();
        self.line(&format!("\n### `{name}`\n\n{}{others}", sentence(component)));
        self.table(&component.shape);
    }

    fn table(&mut self, shape: &Shape) {
        match shape.map.as_ref().filter(|map| !map.keys.is_empty()) {
            Some(map) => self.rows(map),
            None => self.line("\nIt has no settings."),
        }
    }

    fn rows(&mut self, map: &Keys) {
        self.line("\n| key | type | default | meaning |\n|---|---|---|---|");
        self.keys("", map, &mut Vec::new());
    }

    /// The rows of a map's keys, and of the maps in them that have no table of their own.
    fn keys<'s>(&mut self, before: &str, map: &'s Keys, around: &mut Vec<&'s Keys>) {
        if let Some(first) = uniform(map) {
            let listed: Vec<String> = map.keys.iter().map(|key| format!("`{}`", key.name)).collect();
            self.line(&format!("| `{before}*` | map |  | {} One of {}. |", cell(&first.meaning()), listed.join(", ")));
            let keys = first.shape.map.iter().flat_map(|map| &map.keys);
            for key in keys.map(|key| Key { default: None, ..key.clone() }) {
                self.row(&format!("{before}*::{}", key.name), &key);
            }
            return;
        }
        around.push(map);
        let is_mute = |key: &&Key| key.is_ignored && key.about.is_empty();
        for key in map.keys.iter().filter(|key| !key.is_unsupported && !is_mute(key)) {
            let name = format!("{before}{}", key.name);
            self.row(&name, key);
            self.inside(&name, &key.shape, around);
        }
        let mute = map.keys.iter().filter(is_mute).map(|key| format!("`{before}{}`", key.name)).collect::<Vec<_>>();
        if let Some(first) = map.keys.iter().find(is_mute) {
            self.line(&format!("| {} | any |  | {} |", mute.join(", "), first.meaning()));
        }
        around.pop();
    }

    fn row(&mut self, name: &str, key: &Key) {
        let default = match key.is_required {
            true => "required".to_string(),
            false => key.default.as_ref().map(shown).unwrap_or_default(),
        };
        let kind = self.kind(key);
        self.line(&format!("| `{name}` | {kind} | {default} | {} |", cell(&key.meaning())));
    }

    fn inside<'s>(&mut self, name: &str, shape: &'s Shape, around: &mut Vec<&'s Keys>) {
        if let Some(map) = &shape.map {
            if repeats(map, around) {
                // The same again, but for the words.
                for key in map.keys.iter().filter(|key| !key.shape.words.is_empty()) {
                    self.row(&format!("{name}::{}", key.name), key);
                }
                self.line(&format!("| `{name}::…` |  |  | The settings of that `type`, as they stand around this. |"));
            } else if self.shared_name(map).is_none() {
                self.keys(&format!("{name}::"), map, around);
            }
        }
        if let Some(items) = &shape.items {
            self.inside(&format!("{name}[]"), items, around);
        }
        if let Some(values) = &shape.values {
            self.inside(&format!("{name}::*"), values, around);
        }
    }

    fn kind(&self, key: &Key) -> String {
        if key.is_ignored { "any".to_string() } else { self.of(&key.shape) }
    }

    /// What a value may be, in words.
    fn of(&self, shape: &Shape) -> String {
        let mut kinds: Vec<String> = Vec::new();
        for scalar in &shape.scalars {
            match scalar {
                Scalar::Text if shape.words.is_empty() => kinds.push("text".to_string()),
                Scalar::Text => {
                    let words = shape.words.iter().filter(|word| !word.is_empty()).map(|word| format!("`{word}`"));
                    kinds.push(words.collect::<Vec<_>>().join(", "));
                }
                Scalar::Bool => kinds.push("boolean".to_string()),
                Scalar::Integer(..) => kinds.push("integer".to_string()),
                Scalar::Number => kinds.push("number".to_string()),
                Scalar::Duration => kinds.push("duration".to_string()),
                Scalar::Anything => return "any".to_string(),
                Scalar::Secret => kinds.retain(|kind| kind != "text"),
            }
            if *scalar == Scalar::Secret {
                kinds.push("secret".to_string());
            }
        }
        if let Some(map) = &shape.map {
            match self.shared_name(map) {
                Some(name) => kinds.push(format!("[map](#{})", anchor(name))),
                None => kinds.push("map".to_string()),
            }
        }
        if let Some(items) = &shape.items {
            kinds = vec![format!("list of {}", self.of(items))];
        }
        if let Some(values) = &shape.values {
            kinds.push(format!("map of {}", self.of(values)));
        }
        kinds.join(" or ")
    }

    fn shared_name(&self, map: &Keys) -> Option<&str> {
        self.shared.iter().find(|(_, known)| known.keys == map.keys).map(|(name, _)| name.as_str())
    }
}

/// As Markdown's headings are named.
fn anchor(name: &str) -> String {
    let kept = name.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// A default as it would be written on one line.
fn shown(node: &Node) -> String {
    use settings::Value;
    let mut text = String::new();
    let written = match &node.value {
        Value::Null | Value::Secret(_) => return text,
        Value::Text(empty) if empty.is_empty() => return text,
        Value::List(items) if items.is_empty() => return text,
        Value::List(items) => {
            let item = |item: &Node| item.to_yaml(Mode::Redacted).trim().to_string();
            let items: Vec<String> = items.iter().map(item).collect();
            format!("[{}]", items.join(", "))
        }
        _ => node.to_yaml(Mode::Redacted).trim().to_string(),
    };
    let _infallible = write!(text, "`{}`", cell(&written));
    text
}

/// Maps with so few keys are told where they stand, however often that is.
const INLINE_KEYS_MAX: usize = 2;

/// How the page begins.
const INTRODUCTION: &str = "\
# Settings

Everything that a configuration may say, by component. This page is generated: `tailrace schema --format markdown` prints
it out of the code that reads configurations, and `tailrace schema` prints the same as a JSON Schema for editors.

A nested key is written `outer::inner`, as `--set` has it; `[]` is each entry of a list, and `*` any key. Where a default is
empty, nothing holds until something is written. Any value may be an expansion such as `${env:NAME}`, and a component that
a file needs twice gets a name behind its type, as in `otlp/2`.
";
