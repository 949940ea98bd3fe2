//! YAML text to nodes, over the events of the parser inside serde-saphyr.
//!
//! Events rather than serde, because each value's place, plain or quoted form and anchors are wanted and serde drops them.
//! Scalars mean what they mean to Go's yaml.v3 ([`scalar`]), for that is what reads the same file in otelcol. Only the first
//! document of a text is read.
//!
//! A text cannot cost more than its [`Budget`]: aliases are copied, so each copy is paid for before it is made, in nodes and
//! in bytes; depth is bounded for what the aliases unfold to, not only for what is written. The builder is a stack machine,
//! never recursive.

pub(crate) mod scalar;

use std::collections::HashMap;

use serde_yaml::granit_parser::{Event, Parser, ScalarStyle, Span, Tag, options};

use crate::location::Location;
use crate::node::{Entry, Node, Value};
use crate::problems::Problems;

/// Where the nodes of a text stand.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    /// In a source of its own.
    Source(u16),
    /// In place of an expansion: everything stands where that stands.
    Inside(Location),
}

/// What a whole configuration may still take, over all its texts.
pub(crate) struct Budget {
    nodes: usize,
    bytes: usize,
    exhausted: bool,
}

/// A text may not be longer.
pub(crate) const TEXT_BYTES_MAX: usize = 1 << 20;

/// Lists and maps may not lie deeper in each other.
pub(crate) const DEPTH_MAX: usize = 100;

/// A configuration may not have more values, copies by aliases included.
const NODES_MAX: usize = 200_000;

/// A configuration may not have more text, copies included.
const BYTES_MAX: usize = 16 << 20;

/// What to do about lists and maps that lie too deep in each other.
pub(crate) const DEPTH_HELP: &str = "write it flatter; no setting lies that deep";

/// What to do about a configuration that is too large.
pub(crate) fn size_help() -> String {
    format!("make do with {NODES_MAX} values and {} MiB of text, repetitions included", BYTES_MAX >> 20)
}

/// Reads one text. `None` after its problems were told; an empty text is null.
pub(crate) fn parse(text: &str, place: Place, budget: &mut Budget, p: &mut Problems) -> Option<Node> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let start = Builder::new(place, budget, p).at_start();
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("the text is longer than {} KiB", TEXT_BYTES_MAX >> 10);
        p.error(&start, message, "split it into several files and give each with `--config`".to_string());
        return None;
    }
    let options = options! {
        emit_comments: false,
        flow_nesting_limit: DEPTH_MAX + 1,
        block_nesting_limit: DEPTH_MAX + 1,
        simple_key_max_lookahead: 16 << 10,
    };
    let mut builder = Builder::new(place, budget, p);
    for step in Parser::new_from_str_with_options(text, options) {
        match step {
            Ok((Event::DocumentEnd, _)) => break,
            Ok((event, span)) => builder.event(event, span)?,
            Err(error) => {
                let at = builder.at(error.marker().line(), error.marker().col(), 1);
                let help = way_out(&error.info());
                builder.p.error(&at, format!("this is not YAML: {}", error.info()), help.to_string());
                return None;
            }
        }
    }
    if builder.failed {
        return None;
    }
    Some(builder.root.unwrap_or_else(|| Node::new(Value::Null, start)))
}

impl Budget {
    /// A full one.
    pub(crate) fn new() -> Budget {
        Budget { nodes: NODES_MAX, bytes: BYTES_MAX, exhausted: false }
    }

    /// Takes so many nodes and bytes out, or says that they are not there.
    pub(crate) fn charge(&mut self, nodes: usize, bytes: usize) -> bool {
        match (self.nodes.checked_sub(nodes), self.bytes.checked_sub(bytes)) {
            (Some(nodes), Some(bytes)) => (self.nodes, self.bytes) = (nodes, bytes),
            _ => self.exhausted = true,
        }
        !self.exhausted
    }

    /// Whether something did not fit.
    pub(crate) fn exhausted(&self) -> bool {
        self.exhausted
    }
}

/// What most often is wrong where the parser says this.
fn way_out(info: &str) -> &'static str {
    match info {
        _ if info.contains("tab") => "indent with spaces",
        _ if info.contains("mapping values are not allowed") => {
            "put the text in quotes, or begin a new line behind the first colon"
        }
        _ if info.contains("expected key") || info.contains("indentation") => "indent the line like its neighbours",
        _ if info.contains("anchor") => "give the value a name before with `&name`, or put the text in quotes",
        _ => "look for a bracket or a quote that is not closed, here or in the lines before",
    }
}

/// How large a finished subtree is.
#[derive(Clone, Copy, Default)]
struct Size {
    nodes: usize,
    bytes: usize,
    depth: usize,
}

/// A list or map whose end has not come.
struct Open {
    content: Content,
    at: Location,
    anchor: usize,
    size: Size,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, places: HashMap<String, Location>, merges: Vec<Node>, key: Option<Key> },
}

enum Key {
    Plain(String, Location),
    Merge(Location),
}

struct Builder<'b> {
    place: Place,
    budget: &'b mut Budget,
    p: &'b mut Problems,
    stack: Vec<Open>,
    anchors: HashMap<usize, (Node, Size)>,
    root: Option<Node>,
    /// Whether a problem was told after which reading still went on.
    failed: bool,
}

impl<'b> Builder<'b> {
    fn new(place: Place, budget: &'b mut Budget, p: &'b mut Problems) -> Builder<'b> {
        let (stack, anchors) = (Vec::new(), HashMap::new());
        Builder { place, budget, p, stack, anchors, root: None, failed: false }
    }

    /// One event; `None` ends the reading.
    fn event(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        let at = self.span(&span);
        match event {
            Event::Scalar(text, style, anchor, tag) => self.scalar(&text, style, anchor, tag.as_deref(), at),
            Event::SequenceStart(_, anchor, _) => self.open(Content::List(Vec::new()), anchor, at),
            Event::MappingStart(_, anchor, _) => {
                let (entries, merges) = (Vec::new(), Vec::new());
                self.open(Content::Map { entries, places: HashMap::new(), merges, key: None }, anchor, at)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => self.alias(anchor, at),
            _ => Some(()),
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, anchor: usize, tag: Option<&Tag>, at: Location) -> Option<()> {
        self.charge(1, text.len(), &at)?;
        let plain = style == ScalarStyle::Plain;
        // Quotes do not keep `<<` from being a merge key in yaml.v3.
        if tag.is_none() && text == "<<" && self.awaits_key() {
            return self.key(Key::Merge(at));
        }
        if self.awaits_key() {
            let text = &if plain && tag.is_none() { scalar::key(text) } else { text.to_string() };
            self.anchored(
                anchor,
                Node::new(Value::Text(text.to_string()), at),
                Size { nodes: 1, bytes: text.len(), depth: 0 },
            )?;
            return self.key(Key::Plain(text.to_string(), at));
        }
        let value = match tag.map(|tag| tag.to_string()) {
            None if plain => scalar::resolve(text),
            None => Value::Text(text.to_string()),
            Some(tag) => match scalar::resolve_tagged(text, &tag) {
                Some(value) => value,
                None => {
                    let tag = tag.replace("tag:yaml.org,2002:", "!!");
                    let message = match tag.as_str() {
                        "!!binary" => "`!!binary` is not supported; write the text itself".to_string(),
                        tag => format!("`{text}` is no `{tag}`; remove the tag, or write a value of its kind"),
                    };
                    self.fail(&at, message);
                    Value::Null
                }
            },
        };
        self.place(Node::new(value, at), anchor, Size { nodes: 1, bytes: text.len(), depth: 0 })
    }

    fn alias(&mut self, anchor: usize, at: Location) -> Option<()> {
        let Some((node, size)) = self.anchors.get(&anchor) else {
            self.fail(&at, "this alias stands inside what it repeats; write out what is meant".to_string());
            return None;
        };
        let size = *size;
        if self.stack.len() + size.depth > DEPTH_MAX {
            return self.too_deep(&at);
        }
        if self.awaits_key() {
            let Some(text) = node.as_text().map(str::to_string) else {
                self.fail(&at, "a key must be text; write `key: value`".to_string());
                return None;
            };
            self.charge(1, text.len(), &at)?;
            return self.key(Key::Plain(text, at));
        }
        if !self.budget.charge(size.nodes, size.bytes) {
            return self.too_large(&at);
        }
        let node = self.anchors.get(&anchor)?.0.clone();
        self.place(node, 0, size)
    }

    fn open(&mut self, content: Content, anchor: usize, at: Location) -> Option<()> {
        self.charge(1, 0, &at)?;
        if self.awaits_key() {
            self.fail(&at, "a key must be text; write `key: value`".to_string());
            return None;
        }
        if self.stack.len() >= DEPTH_MAX {
            return self.too_deep(&at);
        }
        self.stack.push(Open { content, at, anchor, size: Size { nodes: 1, bytes: 0, depth: 0 } });
        Some(())
    }

    fn close(&mut self) -> Option<()> {
        let open = self.stack.pop()?;
        let mut size = open.size;
        size.depth += 1;
        let value = match open.content {
            Content::List(items) => Value::List(items),
            Content::Map { mut entries, mut places, merges, .. } => {
                for merge in merges {
                    merge_into(&mut entries, &mut places, merge);
                }
                Value::Map(entries)
            }
        };
        self.place(Node::new(value, open.at), open.anchor, size)
    }

    /// Puts a finished node where it belongs: the root, the end of a list, behind its key.
    fn place(&mut self, node: Node, anchor: usize, size: Size) -> Option<()> {
        let node = self.anchored(anchor, node, size)?;
        let Some(open) = self.stack.last_mut() else {
            self.root = Some(node);
            return Some(());
        };
        open.size.nodes += size.nodes;
        open.size.bytes += size.bytes;
        open.size.depth = open.size.depth.max(size.depth);
        let refused = match &mut open.content {
            Content::List(items) => {
                items.push(node);
                None
            }
            Content::Map { entries, places, key, .. } => match key.take() {
                Some(Key::Plain(key, key_at)) => match places.get(&key) {
                    Some(first) => Some((key, key_at, *first)),
                    None => {
                        places.insert(key.clone(), key_at);
                        entries.push(Entry { key, key_at, node });
                        None
                    }
                },
                Some(Key::Merge(at)) => return self.merge(node, at),
                // The parser never sends a value without a key.
                None => None,
            },
        };
        if let Some((key, key_at, first)) = refused {
            let help =
                format!("the first one is in line {}, column {}; remove one of the two", first.line, first.column);
            self.p.error(&key_at, format!("the key `{key}` is there twice"), help);
            self.failed = true;
        }
        Some(())
    }

    /// Keeps what a `<<` brings until the map's own keys are known, for those win.
    fn merge(&mut self, node: Node, at: Location) -> Option<()> {
        let maps = match node.value {
            Value::Map(_) => vec![node],
            Value::List(items) if items.iter().all(|item| matches!(item.value, Value::Map(_))) => items,
            _ => {
                self.fail(
                    &at,
                    "`<<` takes a map or a list of maps; write `<<: *name`, where `&name` marks a map".to_string(),
                );
                return Some(());
            }
        };
        if let Some(Open { content: Content::Map { merges, .. }, .. }) = self.stack.last_mut() {
            merges.extend(maps);
        }
        Some(())
    }

    /// Remembers a node for its aliases. The copy is paid for like any other.
    fn anchored(&mut self, anchor: usize, node: Node, size: Size) -> Option<Node> {
        if anchor > 0 {
            if !self.budget.charge(size.nodes, size.bytes) {
                return self.too_large(&node.at).map(|()| node);
            }
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Some(node)
    }

    fn key(&mut self, new: Key) -> Option<()> {
        if let Some(Open { content: Content::Map { key, .. }, .. }) = self.stack.last_mut() {
            *key = Some(new);
        }
        Some(())
    }

    fn awaits_key(&self) -> bool {
        matches!(self.stack.last(), Some(Open { content: Content::Map { key: None, .. }, .. }))
    }

    fn charge(&mut self, nodes: usize, bytes: usize, at: &Location) -> Option<()> {
        if self.budget.charge(nodes, bytes) { Some(()) } else { self.too_large(at) }
    }

    fn too_large(&mut self, at: &Location) -> Option<()> {
        self.p.error(at, "the configuration is too large, with what its aliases repeat", size_help());
        None
    }

    fn too_deep(&mut self, at: &Location) -> Option<()> {
        self.p.error(
            at,
            format!("lists and maps lie more than {DEPTH_MAX} deep in each other"),
            DEPTH_HELP.to_string(),
        );
        None
    }

    fn fail(&mut self, at: &Location, message: String) {
        self.p.error(at, message, None);
        self.failed = true;
    }

    fn at_start(&self) -> Location {
        self.at(1, 0, 1)
    }

    fn span(&self, span: &Span) -> Location {
        let (start, end) = (span.start, span.end);
        let width = if end.line() == start.line() { end.col().saturating_sub(start.col()) } else { usize::MAX };
        self.at(start.line(), start.col(), width)
    }

    fn at(&self, line: usize, column: usize, width: usize) -> Location {
        let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        match self.place {
            Place::Inside(at) => at,
            Place::Source(source) => {
                let (line, column) = (narrow(line.max(1)), narrow(column.saturating_add(1)));
                Location { source, line, column, width: narrow(width.max(1)) }
            }
        }
    }
}

/// Adds the entries of `merged` that the map does not have: its own keys win, then those of earlier merges.
fn merge_into(entries: &mut Vec<Entry>, places: &mut HashMap<String, Location>, merged: Node) {
    let Value::Map(merged) = merged.value else { return };
    for entry in merged {
        if !places.contains_key(&entry.key) {
            places.insert(entry.key.clone(), entry.key_at);
            entries.push(entry);
        }
    }
}

#[cfg(test)]
mod tests;
