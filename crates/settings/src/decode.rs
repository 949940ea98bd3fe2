//! From nodes to plain values, as strictly as otelcol: no number out of a text, no unknown key.
//!
//! The few liberties that otelcol takes are taken here too: a number with a fraction is cut where an integer is wanted, a
//! bare integer is a duration in nanoseconds, a text is a list of texts separated by commas, and null is the zero value of a
//! single value, but leaves a map or list at its default (see [`Fields::take`]).

mod word;

use std::collections::BTreeMap;

use crate::duration::{Duration, ParseDurationError};
use crate::location::Location;
use crate::node::{Entry, Node, Value};
use crate::problems::Problems;
use crate::secret::Secret;
use crate::shape::{Documented, Key, Notes, Scalar};
use crate::suggest::suggest;

pub use word::{one_of, quoted};

/// A value that a node can be turned into.
pub trait Decode: Sized {
    /// The value, or `None` after its problems have been told.
    fn decode(node: &Node, p: &mut Problems) -> Option<Self>;

    /// Whether a key that is written without a value means zero, as otelcol has it for single values, and not the default,
    /// as it has it for maps and lists.
    const NULL_IS_ZERO: bool = false;

    /// The value as it would be written, for the defaults in the schema; `None` if no single value says it.
    fn shown(&self) -> Option<Node> {
        None
    }

    /// A list of such values out of one text, for the kinds that take that.
    fn list_from_text(_text: &str) -> Option<Vec<Self>> {
        None
    }
}

/// The fields of one map while they are taken, one after the other; what nobody asked for is an unknown key.
pub struct Fields<'a> {
    what: String,
    at: Location,
    entries: &'a [Entry],
    asked: Vec<&'a str>,
    known: Vec<String>,
    notes: Option<Notes>,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(what: &str, at: Location, entries: &'a [Entry], p: &Problems) -> Fields<'a> {
        let notes = p.notes(at).cloned();
        Fields { what: what.to_string(), at, entries, asked: Vec::new(), known: Vec::new(), notes }
    }

    /// Says that the doc comments of `T` tell what the keys mean, for the schema and the reference page.
    pub fn describe<T: Documented>(&mut self) {
        self.describe_keys(T::KEYS);
    }

    /// Says what keys mean that no struct has.
    pub fn describe_keys(&mut self, keys: &[(&'static str, &'static str)]) {
        if let Some(notes) = &self.notes {
            notes.borrow_mut().describe(keys);
        }
    }

    /// Says that a key is an old spelling, and what to write instead.
    pub fn old_spelling(&mut self, key: &str, instead: &str) {
        self.note(key, |key| key.instead = Some(instead.to_string()));
    }

    /// Says what holds without a key that is not [taken](Fields::take) with its default.
    pub fn defaults_to(&mut self, key: &str, default: impl Into<Node>) {
        if self.notes.is_some() {
            let default = default.into();
            self.note(key, |key| key.default = Some(default));
        }
    }

    /// Says which words the text under a key must be one of, where it is judged later.
    pub fn words(&mut self, key: &str, words: &[&str]) {
        self.note(key, |key| key.words = words.iter().map(|word| (*word).to_string()).collect());
    }

    /// The same where capital letters don't matter.
    pub fn words_in_any_case(&mut self, key: &str, words: &[&str]) {
        self.words(key, words);
        self.note(key, |key| key.any_case = true);
    }

    /// The node under a key that otelcol has and we don't, so that the caller refuses what it says.
    pub fn unsupported(&mut self, key: &str) -> Option<&'a Node> {
        self.note(key, |key| key.is_unsupported = true);
        self.node(key)
    }

    fn note(&self, key: &str, note: impl FnOnce(&mut Key)) {
        if let Some(notes) = &self.notes {
            note(notes.borrow_mut().key(key));
        }
    }

    /// The node under a key, if the key is written; its value may be null.
    pub fn node(&mut self, key: &str) -> Option<&'a Node> {
        self.known.push(key.to_string());
        self.note(key, |_| {});
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        self.asked.push(&entry.key);
        Some(&entry.node)
    }

    /// The value under a key, or the default if nothing is written or it is wrong (which is told). A key without a value
    /// means zero if the value is a single one.
    pub fn take<T: Decode>(&mut self, key: &str, default: T, p: &mut Problems) -> T {
        self.note(key, |key| key.default = default.shown());
        let Some(node) = self.node(key).filter(|node| T::NULL_IS_ZERO || !node.is_absent()) else { return default };
        if node.is_absent() {
            let message = format!("`{key}` has no value, which means zero or nothing, not the default");
            p.warning(&node.at, message, "write a value, or remove the key for the default".to_string());
        }
        p.within(key, |p| T::decode(node, p)).unwrap_or(default)
    }

    /// The value under a key, if one is written and right.
    pub fn optional<T: Decode>(&mut self, key: &str, p: &mut Problems) -> Option<T> {
        let node = self.node(key).filter(|node| !node.is_absent())?;
        p.within(key, |p| T::decode(node, p))
    }

    /// The value under a key that must be there; its absence is told.
    pub fn required<T: Decode>(&mut self, key: &str, p: &mut Problems) -> Option<T> {
        self.note(key, |key| key.is_required = true);
        match self.node(key).filter(|node| !node.is_absent()) {
            Some(node) => p.within(key, |p| T::decode(node, p)),
            None => {
                // A key that is nearly this one will be told to be it.
                let slip = |entry: &Entry| entry.key != key && suggest(&entry.key, [key]).is_some();
                if !self.entries.iter().any(slip) {
                    let help = format!("add `{key}: …` to {}", quoted_name(&self.what));
                    p.error(&self.at, format!("{} needs the setting `{key}`", quoted_name(&self.what)), help);
                }
                None
            }
        }
    }

    /// Accepts keys whose values do not matter here, for otelcol has them.
    pub fn ignore(&mut self, keys: &[&str]) {
        for key in keys {
            self.note(key, |key| key.is_ignored = true);
            let _ignored = self.node(key);
        }
    }

    /// Ends a map whose other keys the caller judges: gives the entries that nobody asked for.
    pub fn rest(self) -> Vec<&'a Entry> {
        if let Some(notes) = &self.notes {
            notes.borrow_mut().shape.map.get_or_insert_default().is_open = true;
        }
        self.entries.iter().filter(|entry| !self.asked.contains(&entry.key.as_str())).collect()
    }

    /// Ends the map: each key that nobody asked for is an error.
    pub fn finish(self, p: &mut Problems) {
        for entry in self.entries.iter().filter(|entry| !self.asked.contains(&entry.key.as_str())) {
            let known = self.known.iter().map(String::as_str);
            let mut message = format!("unknown setting `{}` in {}", entry.key, quoted_name(&self.what));
            let help = match suggest(&entry.key, known) {
                Some(meant) => {
                    message.push_str(&format!(", did you mean `{meant}`?"));
                    None
                }
                None => self.known_settings(),
            };
            p.error(&entry.key_at, message, help);
        }
    }

    /// Where the map stands.
    pub fn at(&self) -> Location {
        self.at
    }

    /// The entries, asked for or not.
    pub fn entries(&self) -> &'a [Entry] {
        self.entries
    }

    fn known_settings(&self) -> Option<String> {
        let mut known: Vec<String> = self.known.iter().map(|key| format!("`{key}`")).collect();
        known.sort();
        match known.len() {
            0 => Some("remove it; there are no settings here".to_string()),
            1..=KNOWN_SHOWN_MAX => Some(format!("known settings are {}", known.join(", "))),
            _ => Some("remove it, or look it up in `config/REFERENCE.md`".to_string()),
        }
    }
}

/// How a map is called in messages: a key in backticks, other words as they are.
pub(crate) fn quoted_name(what: &str) -> String {
    if what.contains(' ') { what.to_string() } else { format!("`{what}`") }
}

/// Longer lists of known settings are not shown.
const KNOWN_SHOWN_MAX: usize = 24;

impl Node {
    /// This as a text.
    pub fn text(&self, p: &mut Problems) -> Option<String> {
        String::decode(self, p)
    }

    /// This as an unsigned integer.
    pub fn u64(&self, p: &mut Problems) -> Option<u64> {
        u64::decode(self, p)
    }

    /// This as an integer.
    pub fn i64(&self, p: &mut Problems) -> Option<i64> {
        i64::decode(self, p)
    }

    /// This as a small integer.
    pub fn i32(&self, p: &mut Problems) -> Option<i32> {
        i32::decode(self, p)
    }

    /// This as a number.
    pub fn f64(&self, p: &mut Problems) -> Option<f64> {
        f64::decode(self, p)
    }

    /// This as a boolean.
    pub fn bool(&self, p: &mut Problems) -> Option<bool> {
        bool::decode(self, p)
    }

    /// This as a duration, which may be negative.
    pub fn duration(&self, p: &mut Problems) -> Option<Duration> {
        Duration::decode(self, p)
    }
}

impl Decode for String {
    const NULL_IS_ZERO: bool = true;

    fn shown(&self) -> Option<Node> {
        Some(self.into())
    }

    fn decode(node: &Node, p: &mut Problems) -> Option<String> {
        p.takes(node, Scalar::Text);
        match (node.as_text(), &node.value) {
            (Some(text), _) => Some(text.to_string()),
            (None, Value::Null) => Some(String::new()),
            (None, Value::Bool(_) | Value::Int(_) | Value::Float(_)) => {
                p.wrong(node, "text", "put it in quotes".to_string());
                None
            }
            _ => {
                p.wrong(node, "text", "write one value, in quotes if it is not plain".to_string());
                None
            }
        }
    }

    fn list_from_text(text: &str) -> Option<Vec<String>> {
        match text {
            "" => Some(Vec::new()),
            text => Some(text.split(',').map(str::to_string).collect()),
        }
    }
}

impl Decode for Secret {
    fn decode(node: &Node, p: &mut Problems) -> Option<Secret> {
        p.takes(node, Scalar::Secret);
        p.within_secret(|p| String::decode(node, p)).map(Secret::new)
    }
}

impl Decode for bool {
    const NULL_IS_ZERO: bool = true;

    fn shown(&self) -> Option<Node> {
        Some((*self).into())
    }

    fn decode(node: &Node, p: &mut Problems) -> Option<bool> {
        p.takes(node, Scalar::Bool);
        match &node.value {
            Value::Bool(value) => Some(*value),
            Value::Null => Some(false),
            _ => {
                let help = match node.as_text().map(str::to_lowercase).as_deref() {
                    Some("yes" | "y" | "on" | "1") => Some("write `true`".to_string()),
                    Some("no" | "n" | "off" | "0") => Some("write `false`".to_string()),
                    _ => None,
                };
                p.wrong(node, "`true` or `false`", help);
                None
            }
        }
    }
}

macro_rules! decode_integer {
    ($($integer:ty)*) => {
        $(impl Decode for $integer {
            const NULL_IS_ZERO: bool = true;

            fn shown(&self) -> Option<Node> {
        Some((*self).into())
    }

    fn decode(node: &Node, p: &mut Problems) -> Option<$integer> {
                p.takes(node, Scalar::Integer(<$integer>::MIN.into(), <$integer>::MAX.into()));
                let value = integer(node, p)?;
                let converted = <$integer>::try_from(value).ok();
                if converted.is_none() {
                    out_of_range(node, value, i128::from(<$integer>::MIN), i128::from(<$integer>::MAX), p);
                }
                converted
            }
        })*
    };
}
decode_integer!(u8 u16 u32 u64 i32 i64);

fn integer(node: &Node, p: &mut Problems) -> Option<i128> {
    match &node.value {
        Value::Int(value) => Some(*value),
        // A float too large for i128 saturates, which is out of every field's range.
        #[expect(clippy::cast_possible_truncation, reason = "cutting the fraction is what otelcol does")]
        Value::Float(value) if value.is_finite() => Some(value.trunc() as i128),
        Value::Null => Some(0),
        Value::Text(text) if text.trim().parse::<i128>().is_ok() && node.original.is_none() => {
            p.wrong(node, "an integer", "remove the quotes".to_string());
            None
        }
        _ => {
            p.wrong(node, "an integer", "write a whole number, such as `512`".to_string());
            None
        }
    }
}

fn out_of_range(node: &Node, value: i128, min: i128, max: i128, p: &mut Problems) {
    if value < 0 && min == 0 {
        p.wrong(node, "zero or more", None);
    } else {
        p.wrong(node, &format!("between {min} and {max}"), None);
    }
}

impl Decode for f64 {
    const NULL_IS_ZERO: bool = true;

    fn shown(&self) -> Option<Node> {
        Some((*self).into())
    }

    fn decode(node: &Node, p: &mut Problems) -> Option<f64> {
        p.takes(node, Scalar::Number);
        match &node.value {
            Value::Float(value) => Some(*value),
            // Beyond 2^53 an integer loses its last digits, as it does in otelcol.
            #[expect(clippy::cast_precision_loss, reason = "as in otelcol")]
            Value::Int(value) => Some(*value as f64),
            Value::Null => Some(0.0),
            _ => {
                p.wrong(node, "a number", "write one without quotes, such as `0.5`".to_string());
                None
            }
        }
    }
}

impl Decode for Duration {
    const NULL_IS_ZERO: bool = true;

    fn shown(&self) -> Option<Node> {
        Some((*self).into())
    }

    fn decode(node: &Node, p: &mut Problems) -> Option<Duration> {
        p.takes(node, Scalar::Duration);
        match &node.value {
            Value::Text(text) => match Duration::parse(text) {
                Ok(duration) => Some(duration),
                Err(error) => {
                    let help = match error {
                        ParseDurationError::UnitMissing => "add a unit, such as `s` for seconds",
                        ParseDurationError::UnitUnknown => {
                            "the units are `ns`, `us`, `ms`, `s`, `m` and `h`, without spaces"
                        }
                        ParseDurationError::Number => DURATION_HELP,
                        ParseDurationError::Range => "write less than 292 years",
                    };
                    p.wrong(node, "a duration", help.to_string());
                    None
                }
            },
            Value::Int(_) | Value::Float(_) => i64::decode(node, p).map(Duration::from_ns),
            Value::Null => Some(Duration::default()),
            _ => {
                p.wrong(node, "a duration", DURATION_HELP.to_string());
                None
            }
        }
    }
}

/// The common case: a duration that must not be negative.
impl Decode for std::time::Duration {
    const NULL_IS_ZERO: bool = true;

    fn shown(&self) -> Option<Node> {
        Some((*self).into())
    }

    fn decode(node: &Node, p: &mut Problems) -> Option<std::time::Duration> {
        let duration = Duration::decode(node, p)?;
        if duration.is_negative() {
            p.wrong(node, "a duration of zero or more", None);
            return None;
        }
        Some(duration.to_std())
    }
}

impl<T: Decode> Decode for Option<T> {
    fn shown(&self) -> Option<Node> {
        self.as_ref().and_then(T::shown)
    }

    fn decode(node: &Node, p: &mut Problems) -> Option<Option<T>> {
        match &node.value {
            Value::Null => Some(None),
            _ => T::decode(node, p).map(Some),
        }
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn shown(&self) -> Option<Node> {
        self.iter().map(T::shown).collect::<Option<Vec<Node>>>().map(Node::list_of)
    }

    fn decode(node: &Node, p: &mut Problems) -> Option<Vec<T>> {
        p.takes_list(node);
        if T::list_from_text("").is_some() {
            p.takes(node, Scalar::Text);
        }
        match &node.value {
            Value::List(items) => {
                let decoded = items.iter().enumerate();
                let decoded = decoded.map(|(index, item)| p.within(format!("[{index}]"), |p| T::decode(item, p)));
                // Collected before it is judged, so that every item's problems are told.
                let decoded: Vec<Option<T>> = decoded.collect();
                decoded.into_iter().collect()
            }
            Value::Null => Some(Vec::new()),
            Value::Text(text) => {
                let list = T::list_from_text(text);
                if list.is_none() {
                    p.wrong(node, "a list", LIST_HELP.to_string());
                }
                list
            }
            _ => {
                p.wrong(node, "a list", LIST_HELP.to_string());
                None
            }
        }
    }
}

/// How a duration is written.
const DURATION_HELP: &str = "write a number with a unit, such as `300ms`, `1.5h` or `1h30m`";

/// How a list is written.
pub(crate) const LIST_HELP: &str = "write `[a, b]`, or one item a line with `- ` before it";

/// How a map is written.
pub(crate) const MAP_HELP: &str = "write one `key: value` a line, indented below the name";

/// A map with free keys, such as headers.
impl<T: Decode> Decode for BTreeMap<String, T> {
    fn decode(node: &Node, p: &mut Problems) -> Option<BTreeMap<String, T>> {
        p.takes_values(node);
        match &node.value {
            Value::Map(entries) => {
                let decoded = entries.iter();
                let decoded = decoded.map(|entry| {
                    let value = p.within(entry.key.as_str(), |p| T::decode(&entry.node, p))?;
                    Some((entry.key.clone(), value))
                });
                let decoded: Vec<Option<(String, T)>> = decoded.collect();
                decoded.into_iter().collect()
            }
            Value::Null => Some(BTreeMap::new()),
            _ => {
                p.wrong(node, "a map", MAP_HELP.to_string());
                None
            }
        }
    }
}

/// The part as it stands, for later.
impl Decode for Node {
    fn decode(node: &Node, p: &mut Problems) -> Option<Node> {
        p.takes(node, Scalar::Anything);
        Some(node.clone())
    }
}

#[cfg(test)]
mod tests;
