//! From `--config` and `--set` to one tree: read, merge, expand.
//!
//! Each `--config` is a URI (`file:path`, `env:NAME`, `yaml:text`) or a plain path. Later ones win: maps are merged, all else
//! is replaced. `--set` beats them all. Only then is expanded, as in otelcol, so a value that is overridden is never read.

use std::collections::HashMap;
use std::io::Read;

use crate::expand::Expansion;
use crate::location::{Location, Sources};
use crate::node::{Entry, Node, Value};
use crate::problems::Problems;
use crate::yaml::{Budget, Place, TEXT_BYTES_MAX, parse, size_help};

/// Loads a configuration. The tree is there unless nothing could be read; whether it may be used is for the problems to say.
pub fn load(
    uris: &[String],
    sets: &[String],
    env: &dyn Fn(&str) -> Option<String>,
) -> (Option<Node>, Sources, Problems) {
    load_part(uris, sets, env, |tree, expansion| expansion.expand(tree))
}

/// As [`load()`], for a caller that expands only what it chooses of the merged tree.
pub fn load_part(
    uris: &[String],
    sets: &[String],
    env: &dyn Fn(&str) -> Option<String>,
    choose: impl FnOnce(Node, &mut Expansion<'_>) -> Node,
) -> (Option<Node>, Sources, Problems) {
    let (mut sources, mut problems, mut budget) = (Sources::new(), Problems::new(), Budget::new());
    let mut loader = Loader { env, sources: &mut sources, p: &mut problems, budget: &mut budget };
    let trees: Vec<Option<Node>> = uris.iter().map(|uri| loader.uri(uri)).collect();
    let overrides: Vec<Option<Node>> = sets.iter().map(|set| loader.set(set)).collect();
    let merged = trees.into_iter().chain(overrides).flatten().reduce(merge);
    let from = &mut Expansion { env, sources: &mut sources, p: &mut problems, budget: &mut budget };
    let tree = merged.map(|tree| choose(tree, from));
    if budget.exhausted() && !problems.has_errors() {
        problems.error(
            &Location::NOWHERE,
            "the configuration is too large, with what its expansions bring",
            size_help(),
        );
    }
    (tree, sources, problems)
}

/// The process's environment, for [`load`].
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Reads a file, but never more of it than a text may have, plus one byte that shows there is more.
pub(crate) fn read(path: &str) -> Result<String, String> {
    let words = |error: std::io::Error| {
        let text = error.to_string().to_lowercase();
        text.split(" (os error").next().unwrap_or_default().to_string()
    };
    let file = std::fs::File::open(path).map_err(words)?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(TEXT_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut bytes).map_err(words)?;
    if bytes.len() > TEXT_BYTES_MAX {
        return Err(format!("it is longer than {} KiB", TEXT_BYTES_MAX >> 10));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_string())
}

/// What to do about a file that cannot be read.
fn way_out(reason: &str) -> &'static str {
    match reason {
        "it is not UTF-8" => "save it as UTF-8 text",
        _ if reason.starts_with("it is longer") => "split it, and give each part with `--config`",
        _ if reason.starts_with("permission") => "let the user read it whom the program runs as",
        _ => "paths are seen from this folder",
    }
}

/// What a configuration begins with.
const MAP_TOP_HELP: &str = "begin with the sections `receivers:`, `exporters:` and `service:`";

struct Loader<'l> {
    env: &'l dyn Fn(&str) -> Option<String>,
    sources: &'l mut Sources,
    p: &'l mut Problems,
    budget: &'l mut Budget,
}

impl Loader<'_> {
    fn uri(&mut self, uri: &str) -> Option<Node> {
        let (name, text) = match scheme(uri) {
            ("env", variable) => match (self.env)(variable) {
                Some(text) => (format!("env:{variable}"), text),
                None => {
                    let help = "set it to the text of a configuration, or give another `--config`";
                    return self.refuse(format!("the environment variable `{variable}` is not set"), help);
                }
            },
            ("yaml", text) => ("yaml".to_string(), text.to_string()),
            ("file", path) => match read(path) {
                Ok(text) => (path.to_string(), text),
                Err(reason) => {
                    return self.refuse(format!("the file `{path}` cannot be read: {reason}"), way_out(&reason));
                }
            },
            (other, _) => {
                let help = "write a path, `file:PATH`, `env:NAME` or `yaml:TEXT`";
                self.p.error(&Location::NOWHERE, format!("unknown scheme `{other}` in `{uri}`"), help.to_string());
                return None;
            }
        };
        let source = self.sources.add(name, text.clone());
        let tree = parse(&text, Place::Source(source), self.budget, self.p)?;
        match tree.value {
            Value::Map(entries) => Some(unfold(entries, tree.at)),
            Value::Null => Some(Node::new(Value::Map(Vec::new()), tree.at)),
            _ => {
                self.p.error(
                    &tree.at,
                    format!("a configuration must be a map, found {}", tree.kind()),
                    MAP_TOP_HELP.to_string(),
                );
                None
            }
        }
    }

    /// `key::sub=value`, also `key.sub=value`: the value is YAML.
    fn set(&mut self, set: &str) -> Option<Node> {
        let Some((path, value)) = set.split_once('=') else {
            let help = "write the setting's path and its value, as in `--set exporters::otlp::endpoint=backend:4317`";
            return self.refuse(format!("`--set {set}` has no `=`"), help);
        };
        let source = self.sources.add("--set", set);
        let column = u32::try_from(path.chars().count()).unwrap_or(0).saturating_add(2);
        let width = u32::try_from(value.chars().count()).unwrap_or(1).max(1);
        let at = Location { source, line: 1, column, width };
        let key_at = Location { source, line: 1, column: 1, width: column.saturating_sub(2).max(1) };
        let node = parse(value.trim(), Place::Inside(at), self.budget, self.p)?;
        let path = path.trim().replace('.', "::");
        Some(unfold(vec![Entry { key: path, key_at, node }], key_at))
    }

    fn refuse(&mut self, message: String, help: &str) -> Option<Node> {
        self.p.error(&Location::NOWHERE, message, help.to_string());
        None
    }
}

/// The scheme of a URI and the rest; a plain path is a file. One letter before the colon is a drive, as in `C:\config.yaml`.
fn scheme(uri: &str) -> (&str, &str) {
    match uri.split_once(':') {
        Some((scheme, rest)) if scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            (scheme, rest)
        }
        _ => ("file", uri),
    }
}

/// Turns keys such as `processors::batch::timeout` into maps in maps, at the top and in maps below, but not inside lists.
fn unfold(entries: Vec<Entry>, at: Location) -> Node {
    let entries = entries.into_iter().map(|entry| match entry.node.value {
        Value::Map(below) => Entry { node: unfold(below, entry.node.at), ..entry },
        _ => entry,
    });
    let (paths, plain): (Vec<Entry>, Vec<Entry>) = entries.partition(|entry| entry.key.contains("::"));
    let tree = Node::new(Value::Map(plain), at);
    paths.into_iter().fold(tree, |tree, path| {
        let nest = |node: Node, key: &str| {
            let entry = Entry { key: key.to_string(), key_at: path.key_at, node };
            Node::new(Value::Map(vec![entry]), path.key_at)
        };
        // A path of a thousand parts is a mistake; the rest of it stays one key.
        let parts: Vec<&str> = path.key.splitn(PATH_PARTS_MAX, "::").collect();
        let nested = parts.into_iter().rev().fold(path.node.clone(), nest);
        merge(tree, nested)
    })
}

/// The parts that a `::` path may have.
const PATH_PARTS_MAX: usize = 32;

/// One tree over another: maps are merged, all else is replaced.
fn merge(under: Node, over: Node) -> Node {
    match (under.value, over.value) {
        (Value::Map(mut entries), Value::Map(over_entries)) => {
            let index: HashMap<String, usize> =
                entries.iter().enumerate().map(|(index, entry)| (entry.key.clone(), index)).collect();
            for over in over_entries {
                match index.get(&over.key).and_then(|index| entries.get_mut(*index)) {
                    Some(entry) => {
                        let under = std::mem::replace(&mut entry.node, Node::null());
                        entry.node = merge(under, over.node);
                        entry.key_at = over.key_at;
                    }
                    None => entries.push(over),
                }
            }
            Node { value: Value::Map(entries), at: over.at, original: None }
        }
        (_, value) => Node { value, at: over.at, original: over.original },
    }
}

#[cfg(test)]
mod tests;
