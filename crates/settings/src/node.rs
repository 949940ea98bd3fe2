//! The tree itself: YAML's values, each with its place, and builders for trees that the program prints.
//!
//! A value that came out of an expansion (`${env:N}`) keeps its original text besides what that text means as YAML, because
//! only the field that takes it knows which of the two it wants: `7` is the number 7 for a counter and the text "7" for a name.

use std::fmt;

use crate::decode::{Fields, LIST_HELP, MAP_HELP, quoted_name};
use crate::duration::Duration;
use crate::location::Location;
use crate::problems::Problems;
use crate::secret::Secret;

/// A value and its place.
#[derive(Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it stands.
    pub at: Location,
    /// The text that an expansion brought, where the whole value is one expansion.
    pub original: Option<Box<str>>,
}

/// What YAML can say.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// Nothing, `null` or `~`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any integer of 64 bits, signed or not.
    Int(i128),
    /// A number with a point or an exponent.
    Float(f64),
    /// Text.
    Text(String),
    /// A text that must not be shown; only trees made for printing have it.
    Secret(Secret),
    /// A list.
    List(Vec<Node>),
    /// A map in the order of the file. Invariant: no key twice.
    Map(Vec<Entry>),
}

/// A key of a map with its value.
#[derive(Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_at: Location,
    /// Its value.
    pub node: Node,
}

impl Node {
    /// A value at a place.
    pub fn new(value: Value, at: Location) -> Node {
        Node { value, at, original: None }
    }

    /// Null, made by the program.
    pub fn null() -> Node {
        Node::new(Value::Null, Location::NOWHERE)
    }

    /// A map made by the program.
    pub fn map_of<K: Into<String>>(entries: impl IntoIterator<Item = (K, Node)>) -> Node {
        let entries = entries.into_iter();
        let entries = entries.map(|(key, node)| Entry { key: key.into(), key_at: Location::NOWHERE, node });
        Node::new(Value::Map(entries.collect()), Location::NOWHERE)
    }

    /// A list made by the program.
    pub fn list_of<N: Into<Node>>(items: impl IntoIterator<Item = N>) -> Node {
        Node::new(Value::List(items.into_iter().map(Into::into).collect()), Location::NOWHERE)
    }

    /// A secret made by the program: printed as `[REDACTED]` unless asked for.
    pub fn secret(secret: &Secret) -> Node {
        Node::new(Value::Secret(secret.clone()), Location::NOWHERE)
    }

    /// What an option holds, or null.
    pub fn or_null<N: Into<Node>>(option: Option<N>) -> Node {
        option.map_or_else(Node::null, Into::into)
    }

    /// Whether the file says nothing here, so that the default holds. An expansion that came out empty is *not* absent: it
    /// means the zero value, as in otelcol.
    pub fn is_absent(&self) -> bool {
        matches!(self.value, Value::Null) && self.original.is_none()
    }

    /// The values alone, without places and original texts: for settings of any shape that are kept to be compared and
    /// printed.
    pub fn bare(&self) -> Node {
        let value = match &self.value {
            Value::List(items) => Value::List(items.iter().map(Node::bare).collect()),
            Value::Map(entries) => {
                let bare = |entry: &Entry| Entry {
                    key: entry.key.clone(),
                    key_at: Location::NOWHERE,
                    node: entry.node.bare(),
                };
                Value::Map(entries.iter().map(bare).collect())
            }
            value => value.clone(),
        };
        Node::new(value, Location::NOWHERE)
    }

    /// The value under `key`, if this is a map that has it.
    pub fn lookup(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// The entries, none if this is no map.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The text as a text field would take it; `None` if this is none.
    pub fn as_text(&self) -> Option<&str> {
        match (&self.original, &self.value) {
            (Some(original), _) => Some(original),
            (None, Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The fields of a map. Null counts as the empty map; anything else is a problem that names `what`.
    pub fn map(&self, what: &str, p: &mut Problems) -> Option<Fields<'_>> {
        if let Some(mut asked) = p.asked(self) {
            asked.shape.map.get_or_insert_default().name = what.to_string();
        }
        match &self.value {
            Value::Map(entries) => Some(Fields::new(what, self.at, entries, p)),
            Value::Null => Some(Fields::new(what, self.at, &[], p)),
            _ => {
                p.error(
                    &self.at,
                    format!("{} must be a map, found {}", quoted_name(what), self.kind()),
                    MAP_HELP.to_string(),
                );
                None
            }
        }
    }

    /// The items of a list. Null counts as the empty list; anything else is a problem that names `what`.
    pub fn list(&self, what: &str, p: &mut Problems) -> Option<&[Node]> {
        p.takes_list(self);
        match &self.value {
            Value::List(items) => Some(items),
            Value::Null => Some(&[]),
            _ => {
                p.error(
                    &self.at,
                    format!("{} must be a list, found {}", quoted_name(what), self.kind()),
                    LIST_HELP.to_string(),
                );
                None
            }
        }
    }

    /// What kind of value this is, for messages. It quotes short plain values, but nothing that an expansion brought, for
    /// that may be a password.
    pub fn kind(&self) -> String {
        let quote = |kind: &str, text: &str| {
            if self.original.is_some() {
                format!("{kind} from an expansion")
            } else if text.chars().count() <= QUOTED_CHARACTERS_MAX {
                format!("{kind} `{text}`")
            } else {
                kind.to_string()
            }
        };
        match &self.value {
            Value::Null => "nothing".to_string(),
            Value::Bool(value) => quote("the boolean", &value.to_string()),
            Value::Int(value) => quote("the integer", &value.to_string()),
            Value::Float(value) => quote("the number", &value.to_string()),
            Value::Text(text) => quote("the text", text),
            Value::Secret(_) => "a secret".to_string(),
            Value::List(_) => "a list".to_string(),
            Value::Map(_) => "a map".to_string(),
        }
    }
}

/// Longer texts are not repeated in a message.
const QUOTED_CHARACTERS_MAX: usize = 60;

/// Shows shape and place alone: a tree holds passwords.
impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = match &self.value {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Float(_) => "float",
            Value::Text(_) => "text",
            Value::Secret(_) => "secret",
            Value::List(_) => "list",
            Value::Map(_) => "map",
        };
        write!(f, "{shape}@{}:{}", self.at.line, self.at.column)
    }
}

impl From<Value> for Node {
    fn from(value: Value) -> Node {
        Node::new(value, Location::NOWHERE)
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Node {
        Value::Text(text.to_string()).into()
    }
}

impl From<String> for Node {
    fn from(text: String) -> Node {
        Value::Text(text).into()
    }
}

impl From<&String> for Node {
    fn from(text: &String) -> Node {
        Value::Text(text.clone()).into()
    }
}

impl From<bool> for Node {
    fn from(value: bool) -> Node {
        Value::Bool(value).into()
    }
}

impl From<f64> for Node {
    fn from(value: f64) -> Node {
        Value::Float(value).into()
    }
}

impl From<Duration> for Node {
    fn from(duration: Duration) -> Node {
        Value::Text(duration.to_string()).into()
    }
}

impl From<std::time::Duration> for Node {
    fn from(duration: std::time::Duration) -> Node {
        Duration::from(duration).into()
    }
}

macro_rules! from_integer {
    ($($integer:ty)*) => {
        $(impl From<$integer> for Node {
            fn from(value: $integer) -> Node {
                Value::Int(i128::from(value)).into()
            }
        })*
    };
}
from_integer!(u8 u16 u32 u64 i32 i64);

impl From<usize> for Node {
    fn from(value: usize) -> Node {
        Value::Int(i128::try_from(value).unwrap_or(i128::MAX)).into()
    }
}
