//! The reference page: for each component a table of its settings.
//!
//! A map that stands in one place is told there, as `group_by::enabled`; one that stands in several, such as `tls`, has a
//! table of its own that they all point to.

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
            section.components.iter().for_each(|component| count_inside(&component.shape, &mut seen));
        }
        self.others.iter().for_each(|(_, _, shape)| count_inside(shape, &mut seen));
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
fn count_inside(shape: &Shape, seen: &mut Vec<(Keys, usize)>) {
    for key in shape.map.iter().flat_map(|map| &map.keys) {
        count(&key.shape, seen);
    }
}

fn count(shape: &Shape, seen: &mut Vec<(Keys, usize)>) {
    if let Some(map) = &shape.map {
        if let Some((_, count)) = seen.iter_mut().find(|(known, _)| known == map) {
            *count += 1;
            return;
        }
        seen.push((map.clone(), 1));
        count_inside(shape, seen);
    }
    for inner in [&shape.items, &shape.values].into_iter().flatten() {
        count(inner, seen);
    }
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
        self.keys("", map);
    }

    /// The rows of a map's keys, and of the maps in them that have no table of their own.
    fn keys(&mut self, before: &str, map: &Keys) {
        for key in map.keys.iter().filter(|key| !key.is_unsupported) {
            let name = format!("{before}{}", key.name);
            let default = match key.is_required {
                true => "required".to_string(),
                false => key.default.as_ref().map(shown).unwrap_or_default(),
            };
            let kind = self.kind(key);
            let row = format!("| `{name}` | {kind} | {default} | {} |", cell(&key.meaning()));
            self.line(&row);
            self.inside(&name, &key.shape);
        }
    }

    fn inside(&mut self, name: &str, shape: &Shape) {
        if let Some(map) = &shape.map
            && self.shared_name(map).is_none()
        {
            self.keys(&format!("{name}::"), map);
        }
        if let Some(items) = &shape.items {
            self.inside(&format!("{name}[]"), items);
        }
        if let Some(values) = &shape.values {
            self.inside(&format!("{name}::*"), values);
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
        self.shared.iter().find(|(_, known)| known == map).map(|(name, _)| name.as_str())
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
        Value::Text(empty) if empty.is_empty() => "\"\"".to_string(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|item| shown(item).replace('`', "")).collect();
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
