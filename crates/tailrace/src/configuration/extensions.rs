//! What stands beside the pipelines: the settings of extensions, and which of them a component may name.
//!
//! A component names an extension under `auth: {authenticator: …}` or `storage: …`. These references are found in the YAML
//! itself, wherever they stand, so that no component has to report them, and are checked as otelcol checks them at its
//! start: what is named must be defined, must be of the right sort, and must be in `service::extensions`.

pub(crate) mod file_storage;
pub(crate) mod health_check;
pub(crate) mod server;
pub(crate) mod unused;

use settings::{ComponentId, Location, Node, Problems, Reference, Value, suggest};

use super::kinds::EXTENSIONS;
use super::service::Service;

/// What a component wants of the extension that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Credentials, checked or given.
    Authenticator,
    /// Room for what must outlive the process.
    Storage,
    /// A say in each request.
    Middleware,
}

/// An extension where a component names it.
#[derive(Clone, Debug)]
pub(super) struct Named {
    /// The component, as in "the exporter `otlp`".
    by: String,
    /// What it wants of the extension.
    role: Role,
    /// The extension.
    extension: Reference,
}

/// The types that can do something for components.
const ROLES: [(&str, Role); 6] = [
    ("basicauth", Role::Authenticator),
    ("bearertokenauth", Role::Authenticator),
    ("headers_setter", Role::Authenticator),
    ("oauth2client", Role::Authenticator),
    ("file_storage", Role::Storage),
    ("memory_limiter", Role::Middleware),
];

/// The extensions that a component's settings name. Its depth is bounded by that of YAML.
pub(super) fn named(by: &str, node: &Node, found: &mut Vec<Named>) {
    let mut take = |node: Option<&Node>, role: Role| {
        let text = node.and_then(|node| Some((node.as_text()?, node.at)));
        let Some((text, at)) = text.filter(|(text, _)| !text.is_empty()) else { return };
        if let Some(id) = ComponentId::parse(text, &at, &mut Problems::new()) {
            found.push(Named { by: by.to_string(), role, extension: Reference { id, at } });
        }
    };
    for entry in node.entries() {
        match entry.key.as_str() {
            "auth" => take(entry.node.lookup("authenticator"), Role::Authenticator),
            "additional_auth" => take(Some(&entry.node), Role::Authenticator),
            "middlewares" => {
                let items = entry.node.list("middlewares", &mut Problems::new()).unwrap_or_default();
                items.iter().for_each(|item| take(item.lookup("id"), Role::Middleware));
            }
            "sending_queue" => take(entry.node.lookup("storage"), Role::Storage),
            _ => {}
        }
    }
    match &node.value {
        Value::Map(entries) => entries.iter().for_each(|entry| named(by, &entry.node, found)),
        Value::List(items) => items.iter().for_each(|item| named(by, item, found)),
        _ => {}
    }
}

/// Whether Tailrace has extensions of this type; those that it lacks are told of elsewhere.
fn is_known(kind: &str) -> bool {
    EXTENSIONS.iter().any(|known| known.names.contains(&kind))
}

/// Tells of named extensions that are not there, do not run or cannot do what is wanted of them.
pub(super) fn check(named: &[Named], defined: &[(ComponentId, Location)], service: &Service, p: &mut Problems) {
    for Named { by, role, extension: Reference { id, at } } in named {
        let ids: Vec<String> = defined.iter().map(|(id, _)| id.to_string()).collect();
        let wanted = match role {
            Role::Authenticator => "authenticator",
            Role::Storage => "storage",
            Role::Middleware => "middleware",
        };
        if !defined.iter().any(|(known, _)| known == id) {
            let mut message = format!("{by} names the {wanted} `{id}`, which is not defined in `extensions`");
            if let Some(meant) = suggest(&id.to_string(), ids.iter().map(String::as_str)) {
                message.push_str(&format!(", did you mean `{meant}`?"));
            }
            p.error(at, message, format!("define it, `extensions: {{{id}: …}}`, and add it to `service::extensions`"));
        } else if is_known(&id.kind) && !ROLES.contains(&(id.kind.as_str(), *role)) {
            let fit: Vec<&str> = ROLES.iter().filter(|(_, one)| one == role).map(|(kind, _)| *kind).collect();
            let message = format!("{by} names the {wanted} `{id}`, which is no {wanted}");
            p.error(at, message, format!("name an extension of the type {}", settings::quoted(fit.iter().copied())));
        } else if !service.extensions.iter().any(|running| running.id == *id) {
            let message = format!("{by} names the {wanted} `{id}`, which is not in `service::extensions`");
            p.error(at, message, format!("only what stands there runs; write `service: {{extensions: [{id}]}}`"));
        }
    }
}
