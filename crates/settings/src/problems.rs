//! Everything that is wrong with a configuration, collected and shown together.
//!
//! ```text
//! gateway.yaml:12:7: error: unknown setting `decision_wat` in `tail_sampling`, did you mean `decision_wait`?
//!         decision_wat: 3s
//!         ^^^^^^^^^^^^
//!   help: known settings are …
//! ```
//!
//! Decoding goes on after a problem, so that one run shows all of them. The order is that of the files. What stands under a
//! key that names a secret (headers, passwords, tokens) is neither quoted nor shown in its source line.

use std::cell::RefMut;
use std::fmt::Write;

use crate::location::{Location, Sources};
use crate::node::Node;
use crate::shape::{Asked, Notes, Scalar, Shape, TARGET};

/// Errors and warnings so far.
#[derive(Default)]
pub struct Problems {
    list: Vec<Problem>,
    /// Problems beyond [`PROBLEMS_MAX`]: errors and warnings.
    unlisted: (usize, usize),
    /// Places of values that could not be had; what follows from that is not told.
    settled: Vec<Location>,
    /// The keys and list positions that are being decoded, outermost first.
    path: Vec<String>,
    /// How many secret types are being decoded, one inside the other.
    secrets: u32,
    /// Where it is noted what is asked of the target, while a decoder's [shape](crate::shape_of) is found out.
    notes: Option<Notes>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// How wrong.
    pub severity: Severity,
    /// Where.
    pub at: Location,
    /// What: lower case, no full stop, things in backticks.
    pub message: String,
    /// The way out, where the message does not say it.
    pub help: Option<String>,
    /// Whether it stands under a key that names a secret.
    pub sensitive: bool,
}

/// How wrong something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// It can, but the user should know.
    Warning,
}

impl Problems {
    /// None so far.
    pub fn new() -> Problems {
        Problems::default()
    }

    /// None so far, and what is asked of the target is noted.
    pub(crate) fn noting(notes: Notes) -> Problems {
        Problems { notes: Some(notes), ..Problems::default() }
    }

    /// The notes, if they are about a value at this place.
    pub(crate) fn notes(&self, at: Location) -> Option<&Notes> {
        self.notes.as_ref().filter(|_| at == TARGET)
    }

    /// What is asked of a value, if that is being noted.
    pub(crate) fn asked(&self, node: &Node) -> Option<RefMut<'_, Asked>> {
        self.notes(node.at).map(|notes| notes.borrow_mut())
    }

    /// Says what a decoder takes that looks into the node by itself. Reading a file, it does nothing; see
    /// [`shape_of`](crate::shape_of).
    pub fn takes(&self, node: &Node, scalar: Scalar) {
        if let Some(mut asked) = self.asked(node) {
            asked.shape.scalars.insert(scalar);
        }
    }

    /// Says which words a text must be one of, as [`Problems::takes`].
    pub fn takes_words<'w>(&self, node: &Node, words: impl IntoIterator<Item = &'w str>) {
        if let Some(mut asked) = self.asked(node) {
            for word in words {
                if !asked.shape.words.iter().any(|known| known == word) {
                    asked.shape.words.push(word.to_string());
                }
            }
        }
    }

    /// Says that capital letters don't matter in the words, as [`Problems::takes`].
    pub fn takes_any_case(&self, node: &Node) {
        if let Some(mut asked) = self.asked(node) {
            asked.shape.any_case = true;
        }
    }

    /// Says that there may be a list, as [`Problems::takes`].
    pub fn takes_list(&self, node: &Node) {
        if let Some(mut asked) = self.asked(node) {
            asked.shape.items.get_or_insert_with(|| Box::new(Shape::default()));
        }
    }

    /// Says that there may be a map with free keys, as [`Problems::takes`].
    pub fn takes_values(&self, node: &Node) {
        if let Some(mut asked) = self.asked(node) {
            asked.shape.values.get_or_insert_with(|| Box::new(Shape::default()));
        }
    }

    /// Says that there may be a map whose keys match a pattern, as [`Problems::takes`].
    pub fn takes_values_under(&self, node: &Node, key_pattern: &'static str) {
        self.takes_values(node);
        if let Some(mut asked) = self.asked(node) {
            asked.shape.key_pattern = Some(key_pattern);
        }
    }

    /// Adds an error.
    pub fn error(&mut self, at: &Location, message: impl Into<String>, help: impl Into<Option<String>>) {
        self.push(Severity::Error, at, message.into(), help.into());
    }

    /// Adds a warning.
    pub fn warning(&mut self, at: &Location, message: impl Into<String>, help: impl Into<Option<String>>) {
        self.push(Severity::Warning, at, message.into(), help.into());
    }

    /// Ends what is told about a place: nobody can have the value there, so that further errors would only repeat it.
    pub fn settle(&mut self, at: &Location) {
        if self.settled.len() < PROBLEMS_MAX {
            self.settled.push(*at);
        }
    }

    /// Adds the error that `node` is not `expected` ("an integer"), named by the key that is being decoded.
    pub fn wrong(&mut self, node: &Node, expected: &str, help: impl Into<Option<String>>) {
        let found = if self.sensitive() { "another kind of value".to_string() } else { node.kind() };
        let message = format!("`{}` must be {expected}, found {found}", self.name());
        self.push(Severity::Error, &node.at, message, help.into());
    }

    /// Decodes a part under a name that its problems will bear.
    pub fn within<T>(&mut self, name: impl Into<String>, decode: impl FnOnce(&mut Problems) -> T) -> T {
        self.path.push(name.into());
        let result = decode(self);
        self.path.pop();
        result
    }

    /// Decodes a value that must not be shown.
    pub fn within_secret<T>(&mut self, decode: impl FnOnce(&mut Problems) -> T) -> T {
        self.secrets += 1;
        let result = decode(self);
        self.secrets -= 1;
        result
    }

    /// The innermost name that is being decoded, with its position in a list: `values[2]`.
    pub fn name(&self) -> String {
        let key = self.path.iter().rposition(|part| !part.starts_with('['));
        match key.and_then(|key| self.path.get(key..)) {
            Some(parts) => parts.concat(),
            None => "value".to_string(),
        }
    }

    /// Whether there is an error.
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// Whether there is nothing at all.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many of one severity there are.
    pub fn count(&self, severity: Severity) -> usize {
        let unlisted = if severity == Severity::Error { self.unlisted.0 } else { self.unlisted.1 };
        self.list.iter().filter(|problem| problem.severity == severity).count() + unlisted
    }

    /// The problems in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }

    /// The text for a person: all problems in the order of the files.
    pub fn render(&self, sources: &Sources) -> String {
        let mut list: Vec<&Problem> = self.list.iter().collect();
        list.sort_by_key(|problem| (problem.at.source, problem.at.line, problem.at.column));
        let mut text = String::new();
        for problem in list {
            problem.render(sources, &mut text);
        }
        let unlisted = self.unlisted.0 + self.unlisted.1;
        if unlisted > 0 {
            let _infallible = writeln!(text, "and {unlisted} more");
        }
        text
    }

    /// Whether the value being decoded stands under a key that names a secret.
    fn sensitive(&self) -> bool {
        self.secrets > 0 || self.path.iter().any(|part| names_a_secret(part))
    }

    fn push(&mut self, severity: Severity, at: &Location, message: String, help: Option<String>) {
        if !at.is_nowhere() && self.settled.contains(at) {
            return;
        }
        if self.list.len() >= PROBLEMS_MAX {
            match severity {
                Severity::Error => self.unlisted.0 += 1,
                Severity::Warning => self.unlisted.1 += 1,
            }
            return;
        }
        let sensitive = self.sensitive();
        self.list.push(Problem { severity, at: *at, message, help, sensitive });
    }
}

impl Problem {
    fn render(&self, sources: &Sources, text: &mut String) {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        if !self.at.is_nowhere() {
            let name = printable(sources.name(self.at.source));
            let _infallible = write!(text, "{name}:{}:{}: ", self.at.line, self.at.column);
        }
        let _infallible = writeln!(text, "{severity}: {}", printable(&self.message));
        if let Some(line) = sources.line(&self.at) {
            self.render_line(line, text);
        }
        if let Some(help) = &self.help {
            let _infallible = writeln!(text, "  help: {}", printable(help));
        }
    }

    /// The source line and the caret under the value; of a long line, the part around the caret.
    fn render_line(&self, line: &str, text: &mut String) {
        let column = usize::try_from(self.at.column.saturating_sub(1)).unwrap_or(0);
        let line = mask(line, self.sensitive);
        let skipped = if column > LINE_CHARACTERS_MAX / 2 { column - LINE_CHARACTERS_MAX / 4 } else { 0 };
        let shown: String = line.chars().skip(skipped).take(LINE_CHARACTERS_MAX).collect();
        let shown: String = shown.trim_end().chars().map(|c| if c == '\t' { ' ' } else { c }).collect();
        if shown.trim().is_empty() {
            return;
        }
        let left = column - skipped;
        let room = shown.chars().count().saturating_sub(left).max(1);
        let width = usize::try_from(self.at.width).unwrap_or(1).clamp(1, room);
        let _infallible = writeln!(text, "  {}\n  {}{}", printable(&shown), " ".repeat(left), "^".repeat(width));
    }
}

/// A source line without what must not be shown in it.
fn mask(line: &str, sensitive: bool) -> String {
    let Some((key, _)) = line.split_once(": ") else {
        return line.to_string();
    };
    if sensitive || names_a_secret(key) { format!("{key}: …") } else { line.to_string() }
}

/// Whether a key says that its value is nobody's business.
fn names_a_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| key.contains(word))
}

/// Text from outside with control characters and direction marks made visible, so that it cannot rewrite the terminal.
fn printable(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(hidden) {
        return text.to_string();
    }
    text.chars().flat_map(|c| if hidden(c) { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

/// Words in keys whose values are secrets.
const SECRET_WORDS: [&str; 9] =
    ["password", "secret", "token", "authorization", "api_key", "api-key", "credential", "headers", "_pem"];

/// More problems than this are only counted.
const PROBLEMS_MAX: usize = 200;

/// Of a longer source line only a part is shown.
const LINE_CHARACTERS_MAX: usize = 160;

#[cfg(test)]
mod tests;
