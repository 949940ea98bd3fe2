//! `--pipelines`: the part of a file that the named pipelines need; the rest is taken out before anything looks at it.
//!
//! So a file that another collector runs can be moved over pipeline by pipeline. What is taken out is not even expanded: a
//! variable that only the rest of the file needs may be missing. Extensions stay if `service::extensions` names them and
//! this version has their type; a component that names another one is told so.

use std::collections::BTreeSet;

use settings::{ComponentId, Entry, Expansion, Location, Node, Problems, Value, suggest};

use super::kinds::EXTENSIONS;

/// The sections of components with the lists of a pipeline that may name them.
const SECTIONS: [(&str, &[&str]); 4] = [
    ("receivers", &["receivers"]),
    ("processors", &["processors"]),
    ("exporters", &["exporters"]),
    ("connectors", &["receivers", "exporters"]),
];

/// The values of `--pipelines`, separated by commas; none means every pipeline.
pub(super) fn names(flags: &[String]) -> Vec<String> {
    let names = flags.iter().flat_map(|flag| flag.split(','));
    names.map(|name| name.trim().to_string()).filter(|name| !name.is_empty()).collect()
}

/// Expands and gives what the pipelines of these names need of a tree.
pub(super) fn choose(mut tree: Node, names: &[String], expansion: &mut Expansion<'_>) -> Node {
    let Value::Map(sections) = &mut tree.value else { return expansion.expand(tree) };
    let Some(service) = sections.iter_mut().find(|entry| entry.key == "service") else {
        return expansion.expand(tree);
    };
    expand_without_pipelines(&mut service.node, names, expansion);
    let wanted = wanted(&service.node);
    if service.node.lookup("pipelines").is_some_and(|node| node.entries().is_empty()) {
        // That none of them is there has been told.
        expansion.problems().settle(&service.node.at);
    }
    keep_known_extensions(&mut service.node, expansion.problems());
    let extensions = listed(service.node.lookup("extensions"));
    for section in sections.iter_mut() {
        let lists = SECTIONS.iter().find(|(name, _)| *name == section.key).map(|(_, lists)| *lists);
        let kept: BTreeSet<ComponentId> = match lists {
            Some(lists) => wanted.iter().filter(|(list, _)| lists.contains(list)).map(|(_, id)| id.clone()).collect(),
            None if section.key == "extensions" => extensions.iter().cloned().collect(),
            None => {
                if section.key != "service" {
                    take_and_expand(&mut section.node, expansion);
                }
                continue;
            }
        };
        let whole = expand_unless_map(&mut section.node, expansion);
        if let Value::Map(entries) = &mut section.node.value {
            entries.retain(|entry| id(&entry.key).is_none_or(|id| kept.contains(&id)));
        }
        if !whole {
            take_and_expand(&mut section.node, expansion);
        }
    }
    tree
}

/// Expands `service`, but of its pipelines only those that are wanted, and removes the others.
fn expand_without_pipelines(service: &mut Node, names: &[String], expansion: &mut Expansion<'_>) {
    let all_of_it = expand_unless_map(service, expansion);
    let Value::Map(entries) = &mut service.value else { return };
    for entry in entries {
        let mut whole = all_of_it;
        if entry.key == "pipelines" {
            whole = whole || expand_unless_map(&mut entry.node, expansion);
            if let Value::Map(pipelines) = &mut entry.node.value {
                tell_unknown(names, pipelines, &entry.key_at, expansion.problems());
                pipelines.retain(|entry| names.iter().any(|name| same(name, &entry.key)));
            }
        }
        if !whole {
            take_and_expand(&mut entry.node, expansion);
        }
    }
}

/// Expands what must be looked into and is no map yet. Whether it did; nothing may be expanded twice.
fn expand_unless_map(node: &mut Node, expansion: &mut Expansion<'_>) -> bool {
    let is_map = matches!(node.value, Value::Map(_));
    if !is_map {
        take_and_expand(node, expansion);
    }
    !is_map
}

fn tell_unknown(names: &[String], all: &[Entry], at: &Location, p: &mut Problems) {
    for name in names.iter().filter(|name| !all.iter().any(|entry| same(name, &entry.key))) {
        let mut message = format!("`--pipelines` names `{name}`, which is not in `service::pipelines`");
        let keys = || all.iter().map(|entry| entry.key.as_str());
        if let Some(meant) = suggest(name, keys()) {
            message.push_str(&format!(", did you mean `{meant}`?"));
        }
        let help = format!("the file has {}", settings::quoted(keys()));
        p.error(at, message, help);
    }
}

/// Whether two texts are the same pipeline's ID, spaces around their parts aside.
fn same(name: &str, key: &str) -> bool {
    name == key || id(name).is_some_and(|name| Some(name) == id(key))
}

/// What the pipelines that are left name, by list.
fn wanted(service: &Node) -> Vec<(&'static str, ComponentId)> {
    let pipelines = service.lookup("pipelines").map(Node::entries).unwrap_or_default();
    let lists = pipelines.iter().flat_map(|pipeline| {
        ["receivers", "processors", "exporters"].map(|list| (list, listed(pipeline.node.lookup(list))))
    });
    lists.flat_map(|(list, ids)| ids.into_iter().map(move |id| (list, id))).collect()
}

/// Takes extensions of other types out of `service::extensions`; they belong to the part of the file that is left alone.
fn keep_known_extensions(service: &mut Node, p: &mut Problems) {
    let Value::Map(entries) = &mut service.value else { return };
    let Some(extensions) = entries.iter_mut().find(|entry| entry.key == "extensions") else { return };
    let Value::List(items) = &mut extensions.node.value else { return };
    let known = |item: &Node| match item.as_text().and_then(id) {
        Some(id) => EXTENSIONS.iter().any(|kind| kind.names.contains(&id.kind.as_str())),
        None => true,
    };
    let left_out: Vec<&Node> = items.iter().filter(|item| !known(item)).collect();
    if let Some(first) = left_out.first() {
        let listed = left_out.iter().filter_map(|item| item.as_text()).map(|id| format!("`{id}`"));
        let listed = listed.collect::<Vec<_>>().join(", ");
        p.warning(
            &first.at,
            format!("extensions that this version does not support are left out: {listed}"),
            "remove them from `service::extensions` to silence this".to_string(),
        );
    }
    items.retain(known);
}

fn listed(list: Option<&Node>) -> Vec<ComponentId> {
    match list.map(|node| (&node.value, node.as_text())) {
        Some((Value::List(items), _)) => items.iter().filter_map(Node::as_text).filter_map(id).collect(),
        Some((_, Some(text))) => text.split(',').filter_map(id).collect(),
        _ => Vec::new(),
    }
}

fn id(text: &str) -> Option<ComponentId> {
    ComponentId::parse(text, &Location::NOWHERE, &mut Problems::new())
}

fn take_and_expand(node: &mut Node, expansion: &mut Expansion<'_>) {
    let taken = std::mem::replace(node, Node::null());
    *node = expansion.expand(taken);
}
