//! Whom telemetry is about: the attributes of the resource, as otelcol makes them.
//!
//! Name, version and an ID of this run are there by default; the settings replace them, or take them away.

use crate::configuration::telemetry::Resource;

/// An ID of this run.
#[derive(Clone, Debug)]
pub(crate) struct Instance(String);

/// The attributes and their schema.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Source {
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) schema_url: String,
}

impl Instance {
    /// Another one at each call: a random UUID.
    pub(crate) fn new() -> Self {
        let mut bits: u128 = rand::random();
        // Version 4, variant 1.
        bits = bits & !(0xf << 76) | 4 << 76;
        bits = bits & !(0b11 << 62) | 0b10 << 62;
        let text = format!("{bits:032x}");
        Self([&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-"))
    }
}

impl Source {
    /// As the settings want it.
    pub(crate) fn new(settings: &Resource, instance: &Instance) -> Self {
        let mut attributes = vec![
            ("service.name".to_owned(), "tailrace".to_owned()),
            ("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            ("service.instance.id".to_owned(), instance.0.clone()),
        ];
        for (name, value) in settings.texts() {
            attributes.retain(|(other, _)| *other != name);
            attributes.extend(value.map(|value| (name, value)));
        }
        attributes.sort();
        Self { attributes, schema_url: settings.schema_url.clone() }
    }

    /// As requests name it.
    pub(crate) fn composed(&self) -> otlp::compose::Source<'_> {
        otlp::compose::Source { attributes: &self.attributes, schema_url: &self.schema_url }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_replace_and_take_away() {
        let mut settings = Resource::default();
        settings.plain = vec![("service.name".into(), Some("edge".into())), ("service.version".into(), None)];
        let source = Source::new(&settings, &Instance("1-2".to_owned()));
        let expected = [("service.instance.id", "1-2"), ("service.name", "edge")];
        assert_eq!(source.attributes, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn an_instance_is_a_random_uuid() {
        let Instance(id) = Instance::new();
        let parts: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert!(id[14..].starts_with('4') && ['8', '9', 'a', 'b'].iter().any(|c| id[19..].starts_with(*c)), "{id}");
        assert_ne!(id, Instance::new().0);
    }
}
