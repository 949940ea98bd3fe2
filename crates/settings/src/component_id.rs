//! Component IDs, `type` or `type/name`, with otelcol's rules for both parts, and where one component names another.

use std::fmt;

use crate::decode::Decode;
use crate::location::Location;
use crate::node::Node;
use crate::problems::Problems;

/// What a component is called in a configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ComponentId {
    /// Its type, such as `otlp`.
    pub kind: String,
    /// Its name, where a type is there more than once.
    pub name: Option<String>,
}

/// A component's ID where it is used, such as in a pipeline's list or under `auth: {authenticator: …}`.
///
/// Two are equal if they name the same component, wherever that stands: a line moved is no setting changed.
#[derive(Clone, Debug)]
pub struct Reference {
    /// Which component.
    pub id: ComponentId,
    /// Where it is named.
    pub at: Location,
}

impl ComponentId {
    /// Reads an ID; what is wrong with it is told.
    pub fn parse(text: &str, at: &Location, p: &mut Problems) -> Option<ComponentId> {
        let (kind, name) = match text.split_once('/') {
            Some((kind, name)) => (kind.trim(), Some(name.trim())),
            None => (text.trim(), None),
        };
        let help = "write a type, or a type and a name as in `otlp/2`";
        if !kind_allowed(kind) {
            let help = format!("{help}; a type begins with a letter and goes on with letters, digits and `_`");
            let place = if kind == text { String::new() } else { format!(" in `{text}`") };
            p.error(at, format!("`{kind}`{place} is no component type"), help);
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

impl PartialEq for Reference {
    fn eq(&self, other: &Reference) -> bool {
        self.id == other.id
    }
}

impl Decode for Reference {
    fn decode(node: &Node, p: &mut Problems) -> Option<Reference> {
        let text = node.text(p)?;
        ComponentId::parse(&text, &node.at, p).map(|id| Reference { id, at: node.at })
    }
}

impl From<&Reference> for Node {
    fn from(reference: &Reference) -> Node {
        reference.id.to_string().into()
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
