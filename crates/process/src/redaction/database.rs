//! Queries to databases of which only the form stays: `{"name": "?"}`, `SET key ?`.
//!
//! The rules are those of Datadog's `obfuscate`, which otelcol uses. SQL is not among them.

use super::{
    json, redis,
    written::{DbSanitizer, Queries},
};
use crate::{any_value, attribute_list::AttributeList};
use otlp::Value;

/// Those that are on, in the order in which they are tried.
#[derive(Debug)]
pub(super) struct Databases {
    list: Vec<Database>,
    /// Whether any attribute is looked at.
    in_attributes: bool,
    in_names: bool,
}

#[derive(Debug)]
struct Database {
    kind: Kind,
    /// What `db.system` is for it.
    system: &'static str,
    attributes: Vec<Box<[u8]>>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Commands,
    Memcached,
    Json,
}

/// `db.system` of a log record that has none: each database may be meant.
const ANY: &str = "*";

impl Databases {
    pub(super) fn new(settings: &DbSanitizer) -> Self {
        let nothing = Queries::default();
        let all = [
            (&settings.redis, Kind::Commands, "redis", &settings.redis),
            (&settings.valkey, Kind::Commands, "valkey", &settings.valkey),
            (&settings.memcached, Kind::Memcached, "memcached", &settings.memcached),
            (&settings.mongo, Kind::Json, "mongodb", &settings.mongo),
            // otelcol forgets the attributes of these two.
            (&settings.opensearch, Kind::Json, "opensearch", &nothing),
            (&settings.es, Kind::Json, "elasticsearch", &nothing),
        ];
        let list = all.into_iter().filter(|(queries, ..)| queries.enabled).map(|(_, kind, system, queries)| Database {
            kind,
            system,
            attributes: queries.attributes.iter().map(|key| key.as_bytes().into()).collect(),
        });
        let list: Vec<Database> = list.collect();
        let in_attributes = list.iter().any(|database| !database.attributes.is_empty());
        Self { in_names: settings.sanitize_span_name.unwrap_or(true) && !list.is_empty(), list, in_attributes }
    }

    /// Whether names of spans are looked at.
    pub(super) fn in_names(&self) -> bool {
        self.in_names
    }

    /// `db.system.name` or `db.system` in small letters; empty where nobody asks.
    pub(super) fn system_of(&self, list: &AttributeList<'_>, is_log: bool) -> String {
        if self.list.is_empty() {
            return String::new();
        }
        let system = |key: &[u8]| match any_value::read(list.get(key)?) {
            Value::Str(text) if !text.is_empty() => Some(String::from_utf8_lossy(text).to_lowercase()),
            _ => None,
        };
        let found = system(b"db.system.name").or_else(|| system(b"db.system"));
        found.unwrap_or_else(|| if is_log { ANY.to_string() } else { String::new() })
    }

    /// What an attribute's value becomes, if it is a query.
    pub(super) fn attribute(&self, text: &[u8], key: &[u8], system: &str) -> Option<Vec<u8>> {
        if !self.in_attributes || system.is_empty() {
            return None;
        }
        let mut asked = self.list.iter().filter(|database| database.attributes.iter().any(|known| **known == *key));
        if system != ANY {
            return asked.find(|database| database.system == system).map(|database| database.kind.form(text));
        }
        let mut form = None;
        for database in asked {
            form = Some(database.kind.form(form.as_deref().unwrap_or(text)));
        }
        form
    }

    /// What a text in a log body becomes.
    pub(super) fn body(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut form = None;
        for database in &self.list {
            form = Some(database.kind.form(form.as_deref().unwrap_or(text)));
        }
        form
    }

    /// What a span's name becomes.
    pub(super) fn name(&self, name: &[u8], system: &str) -> Option<Vec<u8>> {
        self.list.iter().find(|database| database.system == system).map(|database| database.kind.form(name))
    }
}

impl Kind {
    fn form(self, text: &[u8]) -> Vec<u8> {
        match self {
            Self::Commands => redis::form(text),
            Self::Memcached => memcached(text),
            Self::Json => json::form(text),
        }
    }
}

/// The first line, which has the command.
fn memcached(text: &[u8]) -> Vec<u8> {
    let end = text.windows(2).position(|pair| pair == b"\r\n").unwrap_or(text.len());
    trim(text.get(..end).unwrap_or_default()).to_vec()
}

/// The text without white space around it.
pub(super) fn trim(text: &[u8]) -> &[u8] {
    std::str::from_utf8(text).map_or(text.trim_ascii(), |text| text.trim().as_bytes())
}
