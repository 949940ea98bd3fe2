//! A published file: what its head says, which components it uses, and which settings.
//!
//! The tree is read by the loader of the program itself, expansions and merged files included; only used components count,
//! and what the user names freely (headers, resource attributes) is no setting.

use std::collections::BTreeSet;
use std::path::Path;

use settings::{Node, Value};

/// Maps whose keys are the user's own.
const FREE: [&str; 6] =
    ["headers", "resource", "resource_attributes", "endpoint_params", "response_headers", "pipelines"];

/// The sections that hold components.
const SECTIONS: [&str; 5] = ["receivers", "processors", "exporters", "connectors", "extensions"];

/// One file.
pub(crate) struct Published {
    /// Its name in the folder.
    pub(crate) name: String,
    /// Where it comes from.
    pub(crate) model: String,
    /// What must become of it.
    pub(crate) expectation: Expectation,
    /// The environment that it needs.
    pub(crate) env: Vec<(String, String)>,
    /// Further files that are merged over it.
    pub(crate) with: Vec<String>,
    /// The settings that it uses, each as a path from its section, component names cut to their types.
    pub(crate) paths: BTreeSet<String>,
    /// The names of these settings.
    pub(crate) keys: BTreeSet<String>,
    tree: Node,
}

/// What must become of a file.
#[derive(PartialEq)]
pub(crate) enum Expectation {
    /// It runs.
    Runs,
    /// It is refused, and these are named.
    Unsupported(Vec<Place>),
}

/// A component that is not supported.
#[derive(PartialEq)]
pub(crate) struct Place {
    /// Its section.
    pub(crate) section: String,
    /// Its ID.
    pub(crate) id: String,
    /// Line and column of its definition.
    pub(crate) at: String,
}

impl Published {
    /// Reads a file; one whose head is not in the form is a fault of the test.
    pub(crate) fn read(path: &Path) -> Published {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).expect("the file is UTF-8");
        let head: Vec<&str> = text.lines().take_while(|line| line.starts_with('#')).collect();
        let values = |key: &str| -> Vec<String> {
            let begin = format!("# {key}: ");
            head.iter().filter_map(|line| line.strip_prefix(&begin)).map(|value| value.trim().to_string()).collect()
        };
        let one = |key: &str| values(key).pop().unwrap_or_else(|| panic!("{name}: no `# {key}: …` in its head"));
        let env = values("env");
        let env = env.iter().map(|pair| pair.split_once('=').map(|(key, value)| (key.into(), value.into())));
        let mut file = Published {
            model: one("modelled on"),
            expectation: Expectation::parse(&one("expect")),
            env: env.collect::<Option<_>>().unwrap_or_else(|| panic!("{name}: `# env: NAME=value`")),
            with: values("with"),
            paths: BTreeSet::new(),
            keys: BTreeSet::new(),
            tree: Node::null(),
            name,
        };
        file.load(path.parent().expect("a folder"));
        file
    }

    /// The files to give to `--config`, relative to their folder.
    pub(crate) fn configs(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.name).chain(&self.with).map(String::as_str)
    }

    /// The components that pipelines and `service::extensions` use, as `section/type`.
    pub(crate) fn components(&self) -> BTreeSet<String> {
        let used = SECTIONS.iter().flat_map(|section| self.used(section).into_iter().map(move |(id, _)| (section, id)));
        used.map(|(section, id)| format!("{section}/{}", kind(id))).collect()
    }

    /// The pipelines that use none of these and no connector.
    pub(crate) fn pipelines_without(&self, places: &[Place]) -> Vec<&str> {
        let connectors: Vec<&str> = self.defined("connectors").iter().map(|entry| entry.key.as_str()).collect();
        let lame = |stage: &str, id: &str| {
            connectors.contains(&id) || places.iter().any(|place| place.section == stage && place.id == id)
        };
        let pipelines = self.pipelines().iter().filter(|pipeline| {
            let stages = pipeline.node.entries();
            !stages.iter().any(|stage| texts(&stage.node).iter().any(|id| lame(&stage.key, id)))
        });
        // An extension that is not supported concerns every pipeline.
        let extension = places.iter().any(|place| place.section == "extensions");
        if extension { Vec::new() } else { pipelines.map(|pipeline| pipeline.key.as_str()).collect() }
    }

    /// Fills the tree and what is counted of it.
    fn load(&mut self, folder: &Path) {
        // Expansions such as `${file:…}` are relative to the working folder, for the program as for this test.
        std::env::set_current_dir(folder).expect("the folder");
        let uris: Vec<String> = self.configs().map(str::to_string).collect();
        let env = self.env.clone();
        let value = |name: &str| env.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let (tree, sources, problems) = settings::load(&uris, &[], &value);
        assert!(!problems.has_errors(), "{}: {}", self.name, problems.render(&sources));
        self.tree = tree.expect("a tree without errors");
        let (mut paths, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for section in SECTIONS {
            for (id, node) in self.used(section) {
                let path = format!("{section}/{}", kind(id));
                collect(node, &path, &mut paths, &mut keys);
                paths.insert(path);
            }
        }
        if let Some(service) = self.tree.lookup("service") {
            collect(service, "service", &mut paths, &mut keys);
        }
        for pipeline in self.pipelines() {
            paths.insert(format!("service/pipelines/{}", kind(&pipeline.key)));
        }
        (self.paths, self.keys) = (paths, keys);
    }

    /// The used components of a section.
    fn used(&self, section: &str) -> Vec<(&str, &Node)> {
        let stages: &[&str] = if section == "connectors" { &["receivers", "exporters"] } else { &[section] };
        let in_pipelines =
            self.pipelines().iter().flat_map(|pipeline| stages.iter().map(|stage| pipeline.node.lookup(stage)));
        let in_service = self.tree.lookup("service").and_then(|service| service.lookup("extensions"));
        let lists = in_pipelines.chain(std::iter::once(in_service.filter(|_| section == "extensions")));
        let ids: BTreeSet<&str> = lists.flatten().flat_map(texts).collect();
        let defined = self.defined(section).iter();
        defined
            .filter(|entry| ids.contains(entry.key.as_str()))
            .map(|entry| (entry.key.as_str(), &entry.node))
            .collect()
    }

    fn defined(&self, section: &str) -> &[settings::Entry] {
        self.tree.lookup(section).map(Node::entries).unwrap_or_default()
    }

    fn pipelines(&self) -> &[settings::Entry] {
        let service = self.tree.lookup("service");
        service.and_then(|service| service.lookup("pipelines")).map(Node::entries).unwrap_or_default()
    }
}

impl Expectation {
    fn parse(text: &str) -> Expectation {
        if text == "runs" {
            return Expectation::Runs;
        }
        let listed =
            text.strip_prefix("unsupported: ").unwrap_or_else(|| panic!("`# expect: {text}` has no known form"));
        let place = |item: &str| {
            let (component, at) = item.trim().split_once(" at ")?;
            let (section, id) = component.split_once('/')?;
            Some(Place { section: section.into(), id: id.into(), at: at.into() })
        };
        let places = listed.split(',').map(|item| place(item).unwrap_or_else(|| panic!("`{item}` has no known form")));
        Expectation::Unsupported(places.collect())
    }
}

/// Collects the settings below a node; lists are looked through.
fn collect(node: &Node, path: &str, paths: &mut BTreeSet<String>, keys: &mut BTreeSet<String>) {
    if let Value::List(items) = &node.value {
        items.iter().for_each(|item| collect(item, path, paths, keys));
        return;
    }
    for entry in node.entries() {
        let below = format!("{path}/{}", entry.key);
        let free = FREE.contains(&entry.key.as_str()) && matches!(entry.node.value, Value::Map(_));
        if !free {
            collect(&entry.node, &below, paths, keys);
        }
        paths.insert(below);
        keys.insert(entry.key.clone());
    }
}

/// The texts of a list.
fn texts(node: &Node) -> Vec<&str> {
    match &node.value {
        Value::List(items) => items.iter().filter_map(Node::as_text).collect(),
        _ => Vec::new(),
    }
}

/// The type in a component's or the signal in a pipeline's ID.
fn kind(id: &str) -> &str {
    id.split('/').next().unwrap_or(id)
}
