//! The message and the fields of an event, as text.

use std::fmt::Debug;
use tracing::{
    Event,
    field::{Field, Visit},
};

/// What an event says.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    pub(super) message: String,
    pub(super) fields: Vec<(&'static str, Text)>,
}

/// A field's value.
#[derive(Clone, Debug)]
pub(super) enum Text {
    /// A number or a truth value, to be written without quotes.
    Bare(String),
    Quoted(String),
}

impl Said {
    pub(super) fn of(event: &Event<'_>) -> Self {
        let mut said = Self::default();
        event.record(&mut said);
        said
    }

    fn put(&mut self, field: &Field, text: Text) {
        match (field.name(), text) {
            ("message", Text::Bare(text) | Text::Quoted(text)) => self.message = text,
            (name, text) => self.fields.push((name, text)),
        }
    }
}

impl Text {
    pub(super) fn into_string(self) -> String {
        match self {
            Self::Bare(text) | Self::Quoted(text) => text,
        }
    }
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, Text::Quoted(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, Text::Quoted(value.to_owned()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, Text::Bare(value.to_string()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, Text::Bare(value.to_string()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, Text::Bare(value.to_string()));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no infinities.
        let text = value.to_string();
        self.put(field, if value.is_finite() { Text::Bare(text) } else { Text::Quoted(text) });
    }
}
