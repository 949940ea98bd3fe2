//! `${env:N}`, `${env:N:-default}`, `${file:path}`, `${yaml:text}`, `${N}` and `$$`, as otelcol expands them.
//!
//! Expansion works on the nodes after parsing, so quoting makes no difference and an expansion cannot break the structure
//! around it. A scalar that is nothing but one expansion becomes whatever the text means as YAML and keeps the text besides
//! ([`Node::original`]); elsewhere the text is pasted in. What an expansion brought is expanded again, at most
//! [`ROUNDS_MAX`] times.
//!
//! One thing is older than today's otelcol: a scalar that is nothing but `$NAME`, with NAME set, is expanded with a warning,
//! because published files still have it. Every other lone `$` is a dollar sign.

use crate::location::{Location, Sources};
use crate::node::{Node, Value};
use crate::problems::Problems;
use crate::yaml::{Budget, DEPTH_MAX, Place, TEXT_BYTES_MAX, parse};

/// Expands a tree. Problems are told at the places of the expansions.
pub(crate) fn expand(tree: Node, from: &mut Expansion<'_>) -> Node {
    from.node(tree, 0)
}

/// What expansion needs.
pub(crate) struct Expansion<'e> {
    /// The environment.
    pub(crate) env: &'e dyn Fn(&str) -> Option<String>,
    /// Takes in the files that are read.
    pub(crate) sources: &'e mut Sources,
    /// Takes what goes wrong.
    pub(crate) p: &'e mut Problems,
    /// Bounds what all of it brings.
    pub(crate) budget: &'e mut Budget,
}

/// Expansions that bring expansions end here.
const ROUNDS_MAX: usize = 32;

/// What an expansion brought: its text, and the source it became if it is a file.
struct Brought {
    text: String,
    place: Place,
}

impl Expansion<'_> {
    fn node(&mut self, node: Node, depth: usize) -> Node {
        if depth > DEPTH_MAX {
            self.p.error(&node.at, format!("lists and maps lie more than {DEPTH_MAX} deep in each other"), None);
            return Node::new(Value::Null, node.at);
        }
        let Node { value, at, original } = node;
        let value = match value {
            Value::Text(text) => return self.text(text, at, depth),
            Value::List(items) => Value::List(items.into_iter().map(|item| self.node(item, depth + 1)).collect()),
            Value::Map(mut entries) => {
                for entry in &mut entries {
                    let node = std::mem::replace(&mut entry.node, Node::null());
                    entry.node = self.node(node, depth + 1);
                }
                Value::Map(entries)
            }
            value => value,
        };
        // The original text is wanted by text fields only, and there with what it refers to.
        let original = original.map(|text| self.paste(text.into(), &at).into());
        Node { value, at, original }
    }

    /// A text: whole expansions become nodes, others are pasted.
    fn text(&mut self, text: String, at: Location, depth: usize) -> Node {
        if !text.contains('$') {
            return Node::new(Value::Text(text), at);
        }
        if let Some(name) = lone_name(&text)
            && let Some(value) = (self.env)(name)
        {
            let help = format!("write `${{env:{name}}}`, which newer collectors take; `$${name}` is the text itself");
            self.p.warning(&at, format!("`{text}` is expanded for the sake of older files"), help);
            return self.whole(Brought { text: value, place: Place::Inside(at) }, at, depth);
        }
        match find(&text) {
            Some((0, end)) if end == text.len() => match self.bring(&text, &at, 0) {
                Some(brought) => self.whole(brought, at, depth),
                None => Node::new(Value::Null, at),
            },
            _ => Node::new(Value::Text(self.paste(text, &at)), at),
        }
    }

    /// A whole scalar's expansion, read as YAML; what is no YAML, or a text, is taken verbatim.
    fn whole(&mut self, brought: Brought, at: Location, depth: usize) -> Node {
        let mut problems = Problems::new();
        let parsed = parse(&brought.text, brought.place, self.budget, &mut problems);
        if let (None, Place::Source(source)) = (&parsed, brought.place) {
            let message = format!("the file `{}` is no YAML, so it is taken as text", self.sources.name(source));
            self.p.warning(&problems.iter().next().map_or(at, |problem| problem.at), message, None);
        }
        match parsed.map(|node| node.value) {
            None | Some(Value::Text(_)) => self.round(brought.text, at, depth),
            Some(value) => {
                let node = Node { value, at, original: Some(brought.text.into()) };
                // One deeper, so that a file that brings itself ends.
                self.node(node, depth + 1)
            }
        }
    }

    /// A text that an expansion brought, expanded in turn.
    fn round(&mut self, text: String, at: Location, depth: usize) -> Node {
        if find(&text).is_none() {
            return Node::new(Value::Text(unescape(&text)), at);
        }
        if depth > ROUNDS_MAX {
            self.p.error(&at, "this expansion brings itself", None);
            return Node::new(Value::Null, at);
        }
        match find(&text) {
            Some((0, end)) if end == text.len() => match self.bring(&text, &at, depth) {
                Some(brought) => self.whole(brought, at, depth + 1),
                None => Node::new(Value::Null, at),
            },
            _ => Node::new(Value::Text(self.paste(text, &at)), at),
        }
    }

    /// A text with all its expansions pasted in and `$$` turned into `$`.
    fn paste(&mut self, mut text: String, at: &Location) -> String {
        let mut pastes = 0;
        while let Some((start, end)) = find(&text) {
            pastes += 1;
            let Some(uri) = text.get(start..end).map(str::to_string) else { break };
            let Some(brought) = self.bring(&uri, at, pastes) else { break };
            text.replace_range(start..end, &brought.text);
            if pastes > PASTES_MAX || text.len() > TEXT_BYTES_MAX || !self.budget.charge(0, text.len()) {
                self.p.error(at, "this expansion brings too much, or itself", None);
                break;
            }
        }
        unescape(&text)
    }

    /// The text that one `${…}` stands for.
    fn bring(&mut self, reference: &str, at: &Location, rounds: usize) -> Option<Brought> {
        let uri = reference.strip_prefix("${").and_then(|uri| uri.strip_suffix('}')).unwrap_or(reference);
        if rounds > PASTES_MAX {
            self.p.error(at, format!("`{reference}` brings itself"), None);
            return None;
        }
        // A name without a scheme is a variable.
        let (scheme, rest) = uri.split_once(':').unwrap_or(("env", uri));
        let brought = match scheme {
            "env" => self.variable(rest, at)?,
            "file" => self.file(rest, at)?,
            "yaml" => Brought { text: rest.to_string(), place: Place::Inside(*at) },
            _ => {
                let help = "the schemes are `env`, `file` and `yaml`; `$$` is a dollar sign";
                self.p.error(at, format!("unknown scheme `{scheme}` in `{reference}`"), help.to_string());
                return None;
            }
        };
        if !self.budget.charge(1, brought.text.len()) {
            self.p.error(at, "the expansions bring too much", None);
            return None;
        }
        Some(brought)
    }

    fn variable(&mut self, rest: &str, at: &Location) -> Option<Brought> {
        let (name, default) = match rest.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (rest, None),
        };
        if !is_name(name) {
            let help =
                "a name consists of letters, digits and `_` and does not begin with a digit; `$$` is a dollar sign";
            self.p.error(at, format!("`{name}` is no name of an environment variable"), help.to_string());
            return None;
        }
        let text = (self.env)(name);
        if text.is_none() && default.is_none() {
            let help = format!("set it, or give a default: `${{env:{name}:-default}}`");
            self.p.warning(at, format!("the environment variable `{name}` is not set, so this is empty"), help);
        }
        let text = text.or_else(|| default.map(str::to_string)).unwrap_or_default();
        Some(Brought { text, place: Place::Inside(*at) })
    }

    fn file(&mut self, path: &str, at: &Location) -> Option<Brought> {
        match crate::load::read(path) {
            Ok(text) => {
                let source = self.sources.add(path, text.clone());
                Some(Brought { text, place: Place::Source(source) })
            }
            Err(reason) => {
                self.p.error(at, format!("the file `{path}` cannot be read: {reason}"), None);
                None
            }
        }
    }
}

/// One text may hold so many expansions, those that they bring included.
const PASTES_MAX: usize = 1000;

/// Finds the first `${…}` to expand, the innermost where they lie in each other: byte positions of `$` and behind `}`.
/// An escaped one (`$${…}`) is none.
fn find(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(close) = text.get(from..)?.find('}').map(|close| from + close) {
        if let Some(open) = text.get(from..close)?.rfind("${").map(|open| from + open) {
            let dollars = text.get(..open)?.bytes().rev().take_while(|byte| *byte == b'$').count();
            if dollars % 2 == 0 {
                return Some((open, close + 1));
            }
        }
        from = close + 1;
    }
    None
}

/// `$NAME` and nothing else: the name.
fn lone_name(text: &str) -> Option<&str> {
    text.strip_prefix('$').filter(|name| is_name(name))
}

fn is_name(name: &str) -> bool {
    let first_allowed = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    first_allowed && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn unescape(text: &str) -> String {
    text.replace("$$", "$")
}

#[cfg(test)]
mod tests;
