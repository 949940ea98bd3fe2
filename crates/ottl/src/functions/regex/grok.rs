//! Grok: patterns that refer to other patterns by name, `%{INT:bytes:int}`, and say what to call what those match.
//!
//! A reference becomes a named group around the pattern that it names, whose own references become groups of their own; dots
//! of a name are `___` in between. What a group matched is converted where a type is given. As in otelcol, names that are
//! not asked for (`%{INT}`) are reported under the pattern's own name unless only named captures are wanted, and a name that
//! comes twice is refused by the pattern's rules.

mod patterns;

use crate::{
    pattern::Extractor,
    value::{Map, Value},
};
use std::collections::HashMap;

/// The patterns that may be referred to.
#[derive(Default)]
pub(super) struct Patterns(HashMap<String, String>);

/// A compiled pattern.
pub(super) struct Grok {
    extractor: Extractor,
    /// The types of groups that have one.
    types: HashMap<String, Type>,
}

#[derive(Clone, Copy)]
enum Type {
    Str,
    Int,
    Float,
    Bool,
    Unknown,
}

/// `%{pattern:name:type}`.
struct Reference<'t> {
    pattern: &'t str,
    name: Option<&'t str>,
    hint: Option<&'t str>,
    /// Where it stands.
    start: usize,
    end: usize,
}

/// A dot in the name of a group.
const DOT: &str = "___";

/// Longer patterns are refused, so that definitions cannot blow each other up.
const EXPANDED_BYTES_MAX: usize = 256 << 10;

/// Deeper references are refused; they go in circles.
const DEPTH_MAX: usize = 64;

impl Patterns {
    /// Adds `NAME=pattern`, in place of a known one if there is one.
    pub(super) fn define(&mut self, definition: &str) -> Result<(), String> {
        let (name, pattern) = definition
            .split_once('=')
            .ok_or_else(|| format!("the definition `{definition}` must have the form `NAME=pattern`"))?;
        if name.contains(':') {
            return Err(format!("the name of a pattern has no colon, but `{name}` has"));
        }
        self.0.insert(name.to_string(), pattern.to_string());
        Ok(())
    }

    fn find(&self, name: &str) -> Result<&str, String> {
        let known = || patterns::PATTERNS.iter().find(|(known, _)| *known == name).map(|(_, pattern)| *pattern);
        let found = self.0.get(name).map(String::as_str).or_else(known);
        found.ok_or_else(|| format!("unknown grok pattern `{name}`, write it as a definition"))
    }
}

impl Grok {
    pub(super) fn new(source: &str, patterns: &Patterns, is_named_only: bool) -> Result<Self, String> {
        let mut types = HashMap::new();
        let mut expanded = source.to_string();
        for _ in 0..DEPTH_MAX {
            let Some(next) = expand(&expanded, patterns, is_named_only, &mut types)? else {
                let extractor = Extractor::new(&expanded)?;
                if is_named_only && extractor.is_nameless() {
                    return Err("no capture has a name".to_string());
                }
                return Ok(Self { extractor, types });
            };
            expanded = next;
        }
        Err("the patterns refer to each other in a circle".to_string())
    }

    /// What the groups of the first match are, without the empty ones.
    pub(super) fn extract(&self, text: &[u8]) -> Result<Map<'static>, String> {
        let groups = self.extractor.extract(text).unwrap_or_default();
        let mut entries = Vec::new();
        for (name, text) in groups {
            let Some(text) = text.filter(|text| !text.is_empty()) else { continue };
            let value = self.types.get(name).copied().unwrap_or(Type::Str).convert(text);
            let name = name.replace(DOT, ".");
            let value = value.ok_or_else(|| format!("what `{name}` matches is not of its type"))?;
            super::put(&mut entries, name.into_bytes(), value);
        }
        Ok(Map::data(entries))
    }
}

/// The pattern with its references replaced, each once; `None` if it has none.
fn expand(
    source: &str,
    patterns: &Patterns,
    is_named_only: bool,
    types: &mut HashMap<String, Type>,
) -> Result<Option<String>, String> {
    let mut out = String::with_capacity(source.len() * 2);
    let mut at = 0;
    while let Some(reference) = Reference::next(source, at) {
        out.push_str(&source[at..reference.start]);
        at = reference.end;
        let pattern = patterns.find(reference.pattern)?;
        let name = reference.name.unwrap_or(reference.pattern).replace('.', DOT);
        if is_named_only && reference.name.is_none() {
            out.push_str("(?:");
        } else {
            out.push_str(&format!("(?P<{name}>"));
        }
        out.push_str(pattern);
        out.push(')');
        if out.len() > EXPANDED_BYTES_MAX {
            return Err("with all its references it is too long".to_string());
        }
        if let Some(hint) = reference.hint {
            types.insert(name, Type::new(hint));
        }
    }
    out.push_str(&source[at..]);
    Ok((at > 0).then_some(out))
}

impl<'t> Reference<'t> {
    /// The first one from a place on.
    fn next(source: &'t str, from: usize) -> Option<Self> {
        let mut from = from;
        loop {
            let start = from + source[from..].find("%{")?;
            from = start + 2;
            let len = source[from..].find('}')?;
            let mut parts = source[from..from + len].split(':');
            let reference = Self {
                pattern: parts.next().unwrap_or_default(),
                name: parts.next(),
                hint: parts.next(),
                start,
                end: from + len + 1,
            };
            if reference.is_valid() && parts.next().is_none() {
                return Some(reference);
            }
        }
    }

    fn is_valid(&self) -> bool {
        let is_made_of = |text: &str, others: &[u8]| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || others.contains(&byte))
        };
        is_made_of(self.pattern, b"_")
            && self.name.is_none_or(|name| is_made_of(name, b"_+."))
            && self.hint.is_none_or(|hint| is_made_of(hint, b"_"))
    }
}

impl Type {
    fn new(hint: &str) -> Self {
        match hint {
            "string" => Self::Str,
            "int" | "long" => Self::Int,
            "float" | "double" => Self::Float,
            "bool" | "boolean" => Self::Bool,
            _ => Self::Unknown,
        }
    }

    fn convert(self, text: &[u8]) -> Option<Value<'static>> {
        if let Self::Str = self {
            return Some(Value::string(text));
        }
        let text = std::str::from_utf8(text).ok()?;
        match self {
            Self::Str | Self::Unknown => None,
            Self::Int => text.parse().ok().map(Value::Int),
            Self::Float => {
                let float: f64 = text.parse().ok()?;
                // Digits that make an infinity are out of range.
                let is_in_range = float.is_finite() || !text.contains(|char: char| char.is_ascii_digit());
                is_in_range.then_some(Value::Float(float))
            }
            Self::Bool => match text {
                "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(Value::Bool(true)),
                "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(Value::Bool(false)),
                _ => None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        for (name, _) in patterns::PATTERNS {
            Grok::new(&format!("%{{{name}:x}}"), &Patterns::default(), true)
                .map(drop)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }

    /// What go-grok 0.3.1 says that each of its patterns matches of each text.
    #[test]
    fn patterns_match_as_recorded() {
        let mut groks: HashMap<&str, Grok> = HashMap::new();
        for line in include_str!("grok/recorded.txt").lines() {
            let [name, text, expected] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
            let grok = groks
                .entry(name)
                .or_insert_with(|| Grok::new(&format!("%{{{name}:x}}"), &Patterns::default(), true).unwrap());
            let found = grok.extract(text.as_bytes()).unwrap();
            let found = found.find(b"x").unwrap_or(Value::str(""));
            assert_eq!(found, Value::str(expected), "{name} on {text}");
        }
    }
}
