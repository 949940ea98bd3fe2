//! Component IDs, `type` or `type/name`, with otelcol's rules for both parts.

use std::fmt;

use settings::{Location, Problems};

/// What a component is called in a configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ComponentId {
    /// Its type, such as `otlp`.
    pub(crate) kind: String,
    /// Its name, where a type is there more than once.
    pub(crate) name: Option<String>,
}

impl ComponentId {
    /// Reads an ID; what is wrong with it is told.
    pub(crate) fn parse(text: &str, at: &Location, p: &mut Problems) -> Option<ComponentId> {
        let (kind, name) = match text.split_once('/') {
            Some((kind, name)) => (kind.trim(), Some(name.trim())),
            None => (text.trim(), None),
        };
        let help = "an ID is a type, or a type and a name as in `otlp/2`";
        if !kind_allowed(kind) {
            p.error(at, format!("`{kind}` in `{text}` is no component type"), help.to_string());
            return None;
        }
        if name.is_some_and(|name| !name_allowed(name)) {
            p.error(
                at,
                format!("the name behind the `/` in `{text}` is empty, too long or not printable"),
                help.to_string(),
            );
            return None;
        }
        Some(ComponentId { kind: kind.to_string(), name: name.map(str::to_string) })
    }
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{}/{name}", self.kind),
            None => f.write_str(&self.kind),
        }
    }
}

/// `[a-zA-Z][0-9a-zA-Z_]{0,62}`
fn kind_allowed(kind: &str) -> bool {
    kind.len() <= 63
        && kind.starts_with(|c: char| c.is_ascii_alphabetic())
        && kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn name_allowed(name: &str) -> bool {
    !name.is_empty() && name.chars().count() <= 1024 && !name.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids() {
        for (text, expected) in [
            ("otlp", Some("otlp")),
            ("otlp/2", Some("otlp/2")),
            (" otlp / two ", Some("otlp/two")),
            ("otlp/a/b", Some("otlp/a/b")),
            ("otlp/", None),
            ("/x", None),
            ("", None),
            ("2otlp", None),
            ("ot-lp", None),
            ("otlp/a\u{7}", None),
        ] {
            let mut p = Problems::new();
            let id = ComponentId::parse(text, &Location::NOWHERE, &mut p).map(|id| id.to_string());
            assert_eq!((id.as_deref(), p.has_errors()), (expected, expected.is_none()), "{text}");
        }
    }
}
