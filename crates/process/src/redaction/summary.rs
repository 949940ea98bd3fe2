//! What was done to one list of attributes or to one log body, and the attributes that tell of it.

use crate::{any_value, attribute_list::AttributeList};
use otlp::Value;
use std::borrow::Cow;

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Summary {
    /// Counts and keys.
    Debug,
    /// Counts.
    Info,
    /// Nothing.
    Silent,
}

/// What was done. One serves many messages, so that it allocates for the largest alone.
#[derive(Debug, Default)]
pub(super) struct Tally<'e> {
    pub(super) redacted: Vec<Cow<'e, [u8]>>,
    pub(super) masked: Vec<Cow<'e, [u8]>>,
    pub(super) allowed: Vec<Cow<'e, [u8]>>,
    pub(super) ignored: i64,
}

/// The attributes that tell of attributes or of a body: keys and count of each group.
pub(super) struct Names {
    redacted: [&'static str; 2],
    masked: [&'static str; 2],
    allowed: [&'static str; 2],
    ignored: &'static str,
}

/// Of attributes.
pub(super) const ATTRIBUTES: Names = Names {
    redacted: ["redaction.redacted.keys", "redaction.redacted.count"],
    masked: ["redaction.masked.keys", "redaction.masked.count"],
    allowed: ["redaction.allowed.keys", "redaction.allowed.count"],
    ignored: "redaction.ignored.count",
};

/// Of log bodies.
pub(super) const BODY: Names = Names {
    redacted: ["redaction.body.redacted.keys", "redaction.body.redacted.count"],
    masked: ["redaction.body.masked.keys", "redaction.body.masked.count"],
    allowed: ["redaction.body.allowed.keys", "redaction.body.allowed.count"],
    ignored: "redaction.body.ignored.count",
};

/// The keys of these attributes that are allowed in any case; otelcol forgets the others.
pub(super) const ALLOWED: [&str; 5] = [
    "redaction.redacted.keys",
    "redaction.redacted.count",
    "redaction.masked.keys",
    "redaction.masked.count",
    "redaction.ignored.count",
];

impl Summary {
    pub(super) fn new(written: &str) -> Self {
        match written {
            "debug" => Self::Debug,
            "info" => Self::Info,
            _ => Self::Silent,
        }
    }

    /// Adds the attributes that tell of a tally.
    pub(super) fn tell(self, tally: &mut Tally<'_>, names: &Names, list: &mut AttributeList<'_>) {
        self.tell_group(&mut tally.redacted, names.redacted, list);
        self.tell_group(&mut tally.masked, names.masked, list);
        self.tell_group(&mut tally.allowed, names.allowed, list);
        if self != Self::Silent && tally.ignored > 0 {
            add(names.ignored, tally.ignored, list);
        }
    }

    fn tell_group(self, keys: &mut [Cow<'_, [u8]>], [name, count]: [&'static str; 2], list: &mut AttributeList<'_>) {
        if self == Self::Silent || keys.is_empty() {
            return;
        }
        if self == Self::Debug {
            let told = list.get(name.as_bytes()).cloned().unwrap_or_default();
            let told = match any_value::read(&told) {
                Value::Str(text) if !text.is_empty() => Some(text),
                _ => None,
            };
            let told = told.iter().flat_map(|text| text.split(|byte| *byte == b','));
            let mut all: Vec<&[u8]> = keys.iter().map(|key| &**key).chain(told).collect();
            all.sort_unstable();
            let joined = all.join(&b',');
            list.set(name.as_bytes(), Cow::Owned(any_value::of_str(&joined)));
        }
        add(count, i64::try_from(keys.len()).unwrap_or(i64::MAX), list);
    }
}

impl Tally<'_> {
    pub(super) fn clear(&mut self) {
        self.redacted.clear();
        self.masked.clear();
        self.allowed.clear();
        self.ignored = 0;
    }
}

/// Adds to a count that may be there.
fn add(name: &'static str, count: i64, list: &mut AttributeList<'_>) {
    let before = match list.get(name.as_bytes()).map(|value| any_value::read(value)) {
        Some(Value::Int(int)) => int,
        _ => 0,
    };
    let mut value = Vec::new();
    any_value::put_int(&mut value, before.wrapping_add(count));
    list.set(name.as_bytes(), Cow::Owned(value));
}
