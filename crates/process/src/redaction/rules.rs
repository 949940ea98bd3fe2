//! What happens to one attribute by its key, and to one text by what it is.

use super::{
    database::Databases,
    hash::Mask,
    summary::{ALLOWED, Tally},
    written::RedactionSettings,
};
use crate::{any_value, attribute_list::AttributeList};
use otlp::Value;
use ottl::Pattern;
use std::{borrow::Cow, collections::HashSet};

/// The rules, compiled.
#[derive(Debug)]
pub(super) struct Rules {
    /// Keys that stay; none where all do.
    allowed_keys: Option<HashSet<Box<[u8]>>>,
    blocked_keys: Vec<Pattern>,
    ignored_keys: HashSet<Box<[u8]>>,
    ignored_key_patterns: Vec<Pattern>,
    blocked_values: Vec<Pattern>,
    allowed_values: Vec<Pattern>,
    all_types: bool,
    mask: Mask,
    everything: Pattern,
    pub(super) databases: Databases,
}

/// What happens to an attribute because of its key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ByKey {
    /// It is not looked at.
    Ignored,
    /// It is removed.
    Redacted,
    /// Its value is looked at.
    Looked,
}

/// What a text is.
#[derive(Clone, Copy)]
pub(super) enum Place<'p> {
    /// The value of the attribute with this key, where `db.system` is this.
    Attribute(&'p [u8], &'p str),
    /// In a log body.
    Body,
}

impl Rules {
    pub(super) fn new(settings: &RedactionSettings) -> Result<Self, String> {
        let patterns = |texts: &[String]| texts.iter().map(|text| Pattern::new(text)).collect::<Result<Vec<_>, _>>();
        let set = |texts: &[String]| texts.iter().map(|text| text.as_bytes().into()).collect::<HashSet<Box<[u8]>>>();
        let mut allowed = set(&settings.allowed_keys);
        allowed.extend(ALLOWED.iter().map(|key| Box::from(key.as_bytes())));
        Ok(Self {
            allowed_keys: Some(allowed).filter(|_| !settings.allow_all_keys),
            blocked_keys: patterns(&settings.blocked_key_patterns)?,
            ignored_keys: set(&settings.ignored_keys),
            ignored_key_patterns: patterns(&settings.ignored_key_patterns)?,
            blocked_values: patterns(&settings.blocked_values)?,
            allowed_values: patterns(&settings.allowed_values)?,
            all_types: settings.redact_all_types,
            mask: Mask::new(settings.hash_function, settings.hmac_key.expose().as_bytes()),
            everything: Pattern::new(".*")?,
            databases: Databases::new(&settings.db_sanitizer),
        })
    }

    /// Does all of it to a message's attributes.
    pub(super) fn attributes<'e>(&self, list: &mut AttributeList<'e>, tally: &mut Tally<'e>, is_log: bool) {
        let system = self.databases.system_of(list, is_log);
        for position in 0..list.len() {
            let Some((key, value)) = list.at(position) else { break };
            match self.by_key(key) {
                ByKey::Ignored => tally.ignored += 1,
                ByKey::Redacted => tally.redacted.push(Cow::Borrowed(key)),
                ByKey::Looked => {
                    let text = match any_value::read(value) {
                        Value::Str(text) => Cow::Borrowed(text),
                        value if self.all_types => any_value::text(value),
                        _ => Cow::Borrowed(&[][..]),
                    };
                    if self.is_allowed(&text) {
                        tally.allowed.push(Cow::Borrowed(key));
                        continue;
                    }
                    let masked = match self.is_blocked(key) {
                        true => Some(self.masked(&text)),
                        false => self.sanitized(&text, Place::Attribute(key, &system)),
                    };
                    if let Some(masked) = masked {
                        let masked = any_value::of_str(&masked);
                        tally.masked.push(Cow::Borrowed(key));
                        list.set_at(position, Cow::Owned(masked));
                    }
                }
            }
        }
        tally.redacted.iter().for_each(|key| list.remove(key));
    }

    pub(super) fn by_key(&self, key: &[u8]) -> ByKey {
        if self.ignored_keys.contains(key) || self.ignored_key_patterns.iter().any(|pattern| pattern.is_match(key)) {
            return ByKey::Ignored;
        }
        match &self.allowed_keys {
            Some(allowed) if !allowed.contains(key) => ByKey::Redacted,
            _ => ByKey::Looked,
        }
    }

    /// Whether a key's value is masked whole.
    pub(super) fn is_blocked(&self, key: &[u8]) -> bool {
        self.blocked_keys.iter().any(|pattern| pattern.is_match(key))
    }

    /// Whether a text stays whatever else is said.
    pub(super) fn is_allowed(&self, text: &[u8]) -> bool {
        self.allowed_values.iter().any(|pattern| pattern.is_match(text))
    }

    /// A text masked whole, line by line.
    pub(super) fn masked(&self, text: &[u8]) -> Vec<u8> {
        self.everything.mask(text, |found, out| self.mask.put(found, out)).into_owned()
    }

    /// What a text becomes, if that is another one.
    pub(super) fn sanitized(&self, text: &[u8], place: Place<'_>) -> Option<Vec<u8>> {
        let mut now = Cow::Borrowed(text);
        for pattern in &self.blocked_values {
            if let Cow::Owned(masked) = pattern.mask(&now, |found, out| self.mask.put(found, out)) {
                now = Cow::Owned(masked);
            }
        }
        let queried = match place {
            Place::Attribute(key, system) => self.databases.attribute(&now, key, system),
            Place::Body => self.databases.body(&now),
        };
        let now = queried.map_or(now, Cow::Owned);
        (*now != *text).then(|| now.into_owned())
    }
}
