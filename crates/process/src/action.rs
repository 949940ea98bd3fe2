//! What `attributes` and `resource` do to attributes: a list of actions, one after the other.
//!
//! Each reads and changes the list that those before it left. What `from_context` finds of the client that sent a request is
//! the same for all its items, so it is looked up once a request ([`Actions::of`]).

mod asked;

use crate::{Sender, any_value, any_value::Literal, attribute_list::AttributeList};
use otlp::Value;
use ottl::{Extractor, Pattern};
use settings::{Decode, Node, Problems, Severity};
use std::borrow::Cow;
use std::fmt;

pub use asked::Asked;

/// One action, as a configuration writes it.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct ActionSettings {
    /// The attribute that is acted upon.
    pub key: String,
    /// The value that it gets, of any kind.
    pub value: Option<Literal>,
    /// The value that it gets where the other sources have none.
    pub default_value: Option<Literal>,
    /// For `delete` and `hash`, a pattern of further keys; for `extract`, what the value is taken apart with.
    pub pattern: String,
    /// The attribute whose value it gets.
    pub from_attribute: String,
    /// What it gets of the client that sent the request: `metadata.KEY`, `auth.ATTRIBUTE` or `client.address`.
    pub from_context: String,
    /// For `convert`: `int`, `double` or `string`.
    pub converted_type: String,
    /// `insert`, `update`, `upsert`, `delete`, `hash`, `extract` or `convert`.
    pub action: String,
}

/// Compiled actions.
#[derive(Clone, Debug)]
pub struct Actions {
    list: Vec<Action>,
    /// Whether one of them asks who sent the request.
    asks: bool,
}

#[derive(Clone, Debug)]
enum Action {
    Insert(String, Source),
    Update(String, Source),
    Upsert(String, Source),
    Delete(String, Option<Pattern>),
    Hash(String, Option<Pattern>),
    Extract(String, Extractor),
    Convert(String, Target),
}

/// Where a value comes from.
#[derive(Clone, Debug)]
struct Source {
    /// The body of an `AnyValue`.
    constant: Option<Vec<u8>>,
    attribute: Option<String>,
    /// What of the client comes before the constant.
    context: Option<Asked>,
}

#[derive(Clone, Copy, Debug)]
enum Target {
    Int,
    Double,
    Str,
}

/// What is wrong with an action: in which setting, what, and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The setting's name.
    pub setting: &'static str,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.setting, self.message)
    }
}

const ACTIONS: [&str; 7] = ["insert", "update", "upsert", "delete", "hash", "extract", "convert"];

impl Decode for ActionSettings {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("action", p)?;
        fields.describe::<Self>();
        let told = p.count(Severity::Error);
        let settings = Self {
            key: fields.take("key", String::new(), p),
            value: fields.optional("value", p),
            default_value: fields.optional("default_value", p),
            pattern: fields.take("pattern", String::new(), p),
            from_attribute: fields.take("from_attribute", String::new(), p),
            from_context: fields.take("from_context", String::new(), p),
            converted_type: fields.take("converted_type", String::new(), p),
            action: fields.take("action", String::new(), p),
        };
        fields.words_in_any_case("action", &ACTIONS);
        fields.words("converted_type", &["", "int", "double", "string"]);
        fields.finish(p);
        match settings.compile() {
            // What is wrong already would only be told in other words.
            Err(mistake) if p.count(Severity::Error) == told => {
                let at = node.lookup(mistake.setting).map_or(node.at, |node| node.at);
                p.error(&at, mistake.message, None);
                None
            }
            _ => Some(settings),
        }
    }
}

impl ActionSettings {
    /// As otelcol prints it.
    #[must_use]
    pub fn effective(&self) -> Node {
        let literal = |literal: &Option<Literal>| literal.as_ref().map_or_else(Node::null, Literal::effective);
        Node::map_of([
            ("action", Node::from(&self.action)),
            ("converted_type", Node::from(&self.converted_type)),
            ("default_value", literal(&self.default_value)),
            ("from_attribute", Node::from(&self.from_attribute)),
            ("from_context", Node::from(&self.from_context)),
            ("key", Node::from(&self.key)),
            ("pattern", Node::from(&self.pattern)),
            ("value", literal(&self.value)),
        ])
    }

    fn compile(&self) -> Result<Action, Mistake> {
        let kind = self.action.to_lowercase();
        if !ACTIONS.contains(&kind.as_str()) {
            return Err(self.unknown_action(&kind));
        }
        let by_pattern = matches!(kind.as_str(), "delete" | "hash");
        if self.key.is_empty() && (!by_pattern || self.pattern.is_empty()) {
            let other = if by_pattern { " or a `pattern`" } else { "" };
            return Err(mistake("key", format!("the action `{kind}` needs a `key`{other}")));
        }
        let key = self.key.clone();
        Ok(match kind.as_str() {
            "insert" => Action::Insert(key, self.source(&kind)?),
            "update" => Action::Update(key, self.source(&kind)?),
            "upsert" => Action::Upsert(key, self.source(&kind)?),
            "delete" => Action::Delete(key, self.keys(&kind)?),
            "hash" => Action::Hash(key, self.keys(&kind)?),
            "extract" => Action::Extract(key, self.groups(&kind)?),
            _ => Action::Convert(key, self.target(&kind)?),
        })
    }

    fn unknown_action(&self, kind: &str) -> Mistake {
        if kind.is_empty() {
            return mistake("action", format!("an action needs `action`; write one of {}", listed(&ACTIONS)));
        }
        let meant = settings::suggest(kind, ACTIONS).map(|meant| format!(", did you mean `{meant}`?"));
        let meant = meant.unwrap_or_else(|| format!("; write {}", listed(&ACTIONS)));
        mistake("action", format!("unknown action `{}`{meant}", self.action))
    }

    /// The settings among these that are written.
    fn written(&self, names: &[&'static str]) -> Vec<&'static str> {
        let is_written = |name: &&&'static str| match **name {
            "value" => self.value.is_some(),
            "pattern" => !self.pattern.is_empty(),
            "from_attribute" => !self.from_attribute.is_empty(),
            "from_context" => !self.from_context.is_empty(),
            _ => !self.converted_type.is_empty(),
        };
        names.iter().filter(is_written).copied().collect()
    }

    fn refuse(&self, kind: &str, names: &[&'static str]) -> Result<(), Mistake> {
        match self.written(names).first() {
            Some(name) => Err(mistake(name, format!("the action `{kind}` has no `{name}`; remove it"))),
            None => Ok(()),
        }
    }

    fn source(&self, kind: &str) -> Result<Source, Mistake> {
        let sources = self.written(&["value", "from_attribute", "from_context"]);
        if sources.is_empty() && self.default_value.is_none() {
            let message = format!(
                "the action `{kind}` of `{}` needs a `value`, `from_attribute`, `from_context` or `default_value`",
                self.key
            );
            return Err(mistake("action", message));
        }
        if let [first, second, ..] = sources.as_slice() {
            let message =
                format!("the action `{kind}` of `{}` has both `{first}` and `{second}`; remove one of them", self.key);
            return Err(mistake(second, message));
        }
        self.refuse(kind, &["pattern", "converted_type"])?;
        let constant = self.value.as_ref().or(self.default_value.as_ref()).map(Literal::encode);
        Ok(Source {
            constant,
            attribute: Some(self.from_attribute.clone()).filter(|key| !key.is_empty()),
            context: Some(self.from_context.as_str()).filter(|key| !key.is_empty()).map(Asked::of),
        })
    }

    fn keys(&self, kind: &str) -> Result<Option<Pattern>, Mistake> {
        self.refuse(kind, &["value", "from_attribute", "converted_type"])?;
        if self.pattern.is_empty() {
            return Ok(None);
        }
        Pattern::new(&self.pattern).map(Some).map_err(|error| self.invalid_pattern(&error))
    }

    fn groups(&self, kind: &str) -> Result<Extractor, Mistake> {
        self.refuse(kind, &["value", "from_attribute", "from_context", "converted_type"])?;
        if self.pattern.is_empty() {
            return Err(mistake(
                "pattern",
                format!("the action `{kind}` of `{}` needs a `pattern`; write one such as `^(?P<key>.*)$`", self.key),
            ));
        }
        let extractor = Extractor::with_all_groups(&self.pattern).map_err(|error| self.invalid_pattern(&error))?;
        if extractor.names().next().is_none() {
            let message = format!("the pattern `{}` has no group; write one as `(?P<key>…)`", self.pattern);
            return Err(mistake("pattern", message));
        }
        if extractor.names().any(str::is_empty) {
            let message = format!(
                "the pattern `{}` has a group without a name; write it as `(?P<key>…)` or `(?:…)`",
                self.pattern
            );
            return Err(mistake("pattern", message));
        }
        Ok(extractor)
    }

    fn target(&self, kind: &str) -> Result<Target, Mistake> {
        self.refuse(kind, &["value", "from_attribute", "from_context", "pattern"])?;
        Ok(match self.converted_type.as_str() {
            "int" => Target::Int,
            "double" => Target::Double,
            "string" => Target::Str,
            "" => {
                let message = format!(
                    "the action `convert` of `{}` needs a `converted_type`; write `int`, `double` or `string`",
                    self.key
                );
                return Err(mistake("converted_type", message));
            }
            other => {
                let message = format!("unknown `converted_type` `{other}`; write `int`, `double` or `string`");
                return Err(mistake("converted_type", message));
            }
        })
    }

    fn invalid_pattern(&self, error: &str) -> Mistake {
        mistake("pattern", format!("invalid pattern `{}`: {error}; write it in Go's syntax (RE2)", self.pattern))
    }
}

fn mistake(setting: &'static str, message: String) -> Mistake {
    Mistake { setting, message }
}

/// "`a`, `b` or `c`".
fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => quoted.concat(),
    }
}

impl Actions {
    /// Compiles them.
    ///
    /// # Errors
    /// What is wrong with the first that is; those that decoding gave are right.
    pub fn new(settings: &[ActionSettings]) -> Result<Self, Mistake> {
        let list = settings.iter().map(ActionSettings::compile).collect::<Result<Vec<_>, _>>()?;
        let asks = list.iter().any(|action| action.source().is_some_and(|source| source.context.is_some()));
        Ok(Self { list, asks })
    }

    /// The actions as they are for requests of this client: what they ask of it is a constant now.
    #[must_use]
    pub fn of(&self, sender: Option<&Sender<'_>>) -> Cow<'_, Self> {
        if !self.asks {
            return Cow::Borrowed(self);
        }
        let client = sender.map(|sender| sender.client);
        let mut answered = self.clone();
        for source in answered.list.iter_mut().filter_map(Action::source_mut) {
            let found = source.context.as_ref().and_then(|asked| asked.find(client));
            if let Some(text) = found {
                source.constant = Some(any_value::of_str(text.as_bytes()));
            }
        }
        Cow::Owned(answered)
    }

    /// Does all of them to a message's attributes.
    pub fn apply<'e>(&'e self, list: &mut AttributeList<'e>) {
        self.list.iter().for_each(|action| action.apply(list));
    }
}

impl Action {
    fn source(&self) -> Option<&Source> {
        match self {
            Self::Insert(_, source) | Self::Update(_, source) | Self::Upsert(_, source) => Some(source),
            Self::Delete(..) | Self::Hash(..) | Self::Extract(..) | Self::Convert(..) => None,
        }
    }

    fn source_mut(&mut self) -> Option<&mut Source> {
        match self {
            Self::Insert(_, source) | Self::Update(_, source) | Self::Upsert(_, source) => Some(source),
            Self::Delete(..) | Self::Hash(..) | Self::Extract(..) | Self::Convert(..) => None,
        }
    }

    fn apply<'e>(&'e self, list: &mut AttributeList<'e>) {
        match self {
            Self::Insert(key, source) => {
                if list.position(key.as_bytes()).is_none()
                    && let Some(value) = source.value(list)
                {
                    list.add(key.as_bytes(), value);
                }
            }
            Self::Update(key, source) => {
                if let Some(position) = list.position(key.as_bytes())
                    && let Some(value) = source.value(list)
                {
                    list.set_at(position, value);
                }
            }
            Self::Upsert(key, source) => {
                if let Some(value) = source.value(list) {
                    list.set(key.as_bytes(), value);
                }
            }
            Self::Delete(key, pattern) => {
                list.remove(key.as_bytes());
                if let Some(pattern) = pattern {
                    list.remove_if(|key| pattern.is_match(key));
                }
            }
            Self::Hash(key, pattern) => hash(key.as_bytes(), pattern.as_ref(), list),
            Self::Extract(key, extractor) => extract(key.as_bytes(), extractor, list),
            Self::Convert(key, target) => convert(key.as_bytes(), *target, list),
        }
    }
}

impl Source {
    /// The body of the value, if there is one.
    fn value<'e>(&'e self, list: &AttributeList<'e>) -> Option<Cow<'e, [u8]>> {
        let found = self.attribute.as_ref().and_then(|key| list.get(key.as_bytes()).cloned());
        found.or_else(|| self.constant.as_deref().map(Cow::Borrowed))
    }
}

fn hash(key: &[u8], pattern: Option<&Pattern>, list: &mut AttributeList<'_>) {
    if let Some(position) = list.position(key) {
        hash_at(position, list);
    }
    let Some(pattern) = pattern else { return };
    let matching: Vec<usize> =
        list.iter().enumerate().filter(|(_, (key, _))| pattern.is_match(key)).map(|(position, _)| position).collect();
    matching.into_iter().for_each(|position| hash_at(position, list));
}

/// The value becomes the hexadecimal SHA-256 of itself, or `""` if it is no scalar.
fn hash_at(position: usize, list: &mut AttributeList<'_>) {
    let Some((_, value)) = list.iter().nth(position) else { return };
    let sha256 = |bytes: &[u8]| {
        let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
        digest.as_ref().iter().flat_map(|byte| [hex_digit(byte >> 4), hex_digit(byte & 15)]).collect()
    };
    let hashed: Vec<u8> = match any_value::read(value) {
        Value::Str(text) => sha256(text),
        Value::Bool(bool) => sha256(&[u8::from(bool)]),
        Value::Int(int) => sha256(&int.to_le_bytes()),
        Value::Double(double) => sha256(&double.to_bits().to_le_bytes()),
        Value::Empty | Value::Array(_) | Value::Map(_) | Value::Bytes(_) => Vec::new(),
    };
    list.set_at(position, Cow::Owned(any_value::of_str(&hashed)));
}

fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
}

/// Each group sets the attribute of its name; one that took no part sets `""`.
fn extract<'e>(key: &[u8], extractor: &'e Extractor, list: &mut AttributeList<'e>) {
    let Some(value) = list.get(key).cloned() else { return };
    let Value::Str(text) = any_value::read(&value) else { return };
    for (name, text) in extractor.extract(text).unwrap_or_default() {
        list.set(name.as_bytes(), Cow::Owned(any_value::of_str(text.unwrap_or_default())));
    }
}

/// What cannot be converted stays as it is.
fn convert(key: &[u8], target: Target, list: &mut AttributeList<'_>) {
    let Some(position) = list.position(key) else { return };
    let Some((_, value)) = list.iter().nth(position) else { return };
    let value = any_value::read(value);
    let mut out = Vec::new();
    match (target, value) {
        (Target::Str, Value::Str(_)) | (Target::Int, Value::Int(_)) | (Target::Double, Value::Double(_)) => return,
        (Target::Str, value) => any_value::put_str(&mut out, &any_value::text(value)),
        (_, Value::Empty) => return,
        (Target::Int, value) => match ottl::Value::of_wire(value).into_int_like() {
            Ok(Some(int)) => any_value::put_int(&mut out, int),
            _ => return,
        },
        (Target::Double, value) => match ottl::Value::of_wire(value).into_float_like() {
            Ok(Some(double)) => any_value::put_double(&mut out, double),
            _ => return,
        },
    }
    list.set_at(position, Cow::Owned(out));
}

#[cfg(test)]
mod tests;
