//! `${env:N}`, `${env:N:-default}`, `${file:path}`, `${yaml:text}`, `${N}` and `$$`, as otelcol expands them.
//!
//! Expansion works on the nodes after parsing, so quoting makes no difference and an expansion cannot break the structure
//! around it. A scalar that is nothing but one expansion becomes whatever the text means as YAML and keeps the text besides
//! ([`Node::original`]); elsewhere the text is pasted in. What an expansion brought is expanded again, until its budget or
//! its depth is used up.
//!
//! One thing is older than today's otelcol: a scalar that is nothing but `$NAME`, with NAME set, is expanded with a warning,
//! because published files still have it. Every other lone `$` is a dollar sign.

use crate::location::{Location, Sources};
use crate::node::{Node, Value};
use crate::problems::Problems;
use crate::yaml::{Budget, DEPTH_HELP, DEPTH_MAX, Place, TEXT_BYTES_MAX, parse, size_help};

/// Expands trees, from an environment and within one budget.
pub struct Expansion<'e> {
    /// The environment.
    pub(crate) env: &'e dyn Fn(&str) -> Option<String>,
    /// Takes in the files that are read.
    pub(crate) sources: &'e mut Sources,
    /// Takes what goes wrong.
    pub(crate) p: &'e mut Problems,
    /// Bounds what all of it brings.
    pub(crate) budget: &'e mut Budget,
}

/// What an expansion brought: its text, the source it became if it is a file, and whether it is not to be read as YAML.
struct Brought {
    text: String,
    place: Place,
    verbatim: bool,
}

impl Brought {
    fn inside(text: String, at: Location) -> Brought {
        Brought { text, place: Place::Inside(at), verbatim: false }
    }
}

impl Expansion<'_> {
    /// Expands a tree. Problems are told at the places of the expansions.
    pub fn expand(&mut self, tree: Node) -> Node {
        self.node(tree, 0)
    }

    /// Where problems are told.
    pub fn problems(&mut self) -> &mut Problems {
        self.p
    }

    fn node(&mut self, node: Node, depth: usize) -> Node {
        if depth > DEPTH_MAX {
            self.p.error(
                &node.at,
                format!("lists and maps lie more than {DEPTH_MAX} deep in each other"),
                DEPTH_HELP.to_string(),
            );
            return Node::new(Value::Null, node.at);
        }
        let Node { value, at, original } = node;
        let value = match value {
            Value::Text(text) => {
                return match self.lone_variable(&text, at, depth) {
                    Some(node) => node,
                    None => self.text(text, at, depth),
                };
            }
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
        Node { value, at, original }
    }

    /// `$NAME` of older files.
    fn lone_variable(&mut self, text: &str, at: Location, depth: usize) -> Option<Node> {
        let name = text.strip_prefix('$').filter(|name| is_name(name))?;
        let text_of_name = (self.env)(name)?;
        let help = format!("write `${{env:{name}}}`, which newer collectors take; `$${name}` is the text itself");
        self.p.warning(&at, format!("`{text}` is expanded for the sake of older files"), help);
        Some(self.whole(Brought::inside(text_of_name, at), at, depth))
    }

    /// A text: a whole expansion becomes a node, parts are pasted until it is one or none is left.
    fn text(&mut self, mut text: String, at: Location, depth: usize) -> Node {
        let mut pastes = 0;
        while let Some((start, end)) = find(&text) {
            if depth > DEPTH_MAX {
                let help = "let it end somewhere: what it stands for may not name it again";
                self.p.error(&at, "this expansion brings itself", help.to_string());
                return self.without(text, at);
            }
            if (start, end) == (0, text.len()) {
                return match self.bring(&text, &at) {
                    Some(brought) => self.whole(brought, at, depth),
                    None => self.without(text, at),
                };
            }
            pastes += 1;
            if self.paste(&mut text, start, end, pastes, &at).is_none() {
                return self.without(text, at);
            }
        }
        Node::new(Value::Text(unescape(&text)), at)
    }

    /// What stands where an expansion failed: the text as it is. What is wrong has been told.
    fn without(&mut self, text: String, at: Location) -> Node {
        self.p.settle(&at);
        Node::new(Value::Text(text), at)
    }

    /// A whole scalar's expansion, read as YAML; what is no YAML, or a text, is taken verbatim.
    fn whole(&mut self, brought: Brought, at: Location, depth: usize) -> Node {
        if brought.verbatim {
            return Node::new(Value::Text(brought.text), at);
        }
        let mut problems = Problems::new();
        let parsed = parse(&brought.text, brought.place, self.budget, &mut problems);
        if let (None, Place::Source(source)) = (&parsed, brought.place) {
            let message = format!("the file `{}` is no YAML, so it is taken as text", self.sources.name(source));
            let help = "mend the YAML, or put the whole text in quotes if text is meant".to_string();
            self.p.warning(&problems.iter().next().map_or(at, |problem| problem.at), message, help);
        }
        // One deeper, so that what brings itself ends.
        match parsed.map(|node| node.value) {
            None | Some(Value::Text(_)) => self.text(brought.text, at, depth + 1),
            Some(value) => self.node(Node { value, at, original: Some(brought.text.into()) }, depth + 1),
        }
    }

    /// Replaces one `${…}` in a text; `None` ends it.
    fn paste(&mut self, text: &mut String, start: usize, end: usize, pastes: usize, at: &Location) -> Option<()> {
        let brought = self.bring(text.get(start..end)?, at)?;
        text.replace_range(start..end, &brought.text);
        if pastes > PASTES_MAX || text.len() > TEXT_BYTES_MAX {
            let help = "bring less, and let it end: what it stands for may not name it again";
            self.p.error(at, "this expansion brings too much, or itself", help.to_string());
            return None;
        }
        Some(())
    }

    /// The text that one `${…}` stands for.
    fn bring(&mut self, reference: &str, at: &Location) -> Option<Brought> {
        let uri = reference.strip_prefix("${").and_then(|uri| uri.strip_suffix('}')).unwrap_or(reference);
        // A name without a scheme is a variable.
        let (scheme, rest) = uri.split_once(':').unwrap_or(("env", uri));
        let brought = match scheme {
            "env" => self.variable(rest, at)?,
            "file" => self.file(rest, at)?,
            "yaml" => Brought::inside(rest.to_string(), *at),
            _ => {
                let help = "the schemes are `env`, `file` and `yaml`; `$$` is a dollar sign";
                self.p.error(at, format!("unknown scheme `{scheme}` in `{reference}`"), help.to_string());
                return None;
            }
        };
        if !self.budget.charge(1, brought.text.len()) {
            self.p.error(at, "the expansions bring too much", size_help());
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
        // An empty default is the empty text, but an empty variable is null.
        let verbatim = text.is_none() && default == Some("");
        let text = text.or_else(|| default.map(str::to_string)).unwrap_or_default();
        Some(Brought { verbatim, ..Brought::inside(text, *at) })
    }

    fn file(&mut self, path: &str, at: &Location) -> Option<Brought> {
        match crate::load::read(path) {
            Ok(text) => {
                let source = self.sources.add(path, text.clone());
                Some(Brought { text, place: Place::Source(source), verbatim: false })
            }
            Err(reason) => {
                let help = "a path is seen from the folder in which the program runs, unless it begins with `/`";
                self.p.error(at, format!("the file `{path}` cannot be read: {reason}"), help.to_string());
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

fn is_name(name: &str) -> bool {
    let first_allowed = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    first_allowed && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn unescape(text: &str) -> String {
    text.replace("$$", "$")
}

#[cfg(test)]
mod tests;
