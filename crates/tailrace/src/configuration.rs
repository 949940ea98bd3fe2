//! A configuration that may run: typed, complete, every reference resolved.
//!
//! [`load`] goes from what stands on the command line to a [`Configuration`] or to all that is wrong with it. After that
//! nothing checks the settings again. Each component's settings are decoded beside its code; this file only joins them.
//!
//! As in otelcol, components that are defined but not used are checked and then left alone; unlike otelcol, one whose type
//! this version lacks may stay in the file as long as no pipeline uses it.

pub(crate) mod batch;
pub(crate) mod component;
mod gates;
pub(crate) mod kinds;
pub(crate) mod memory_limiter;
pub(crate) mod own;
pub(crate) mod service;
pub(crate) mod telemetry;
pub(crate) mod terminal;

use std::collections::BTreeMap;

use settings::{Decode, Entry, Location, Node, Problems, Sources, suggest};

pub(crate) use component::ComponentId;
pub(crate) use kinds::{Exporter, Extension, Processor, Receiver};
pub(crate) use own::Own;
pub(crate) use service::{Pipeline, Reference, Service};

pub(crate) use gates::Gates;
use kinds::{EXPORTERS, EXTENSIONS, Effective, Kind, PROCESSORS, RECEIVERS};

/// The configuration that runs where none is given; it teaches at the same time.
pub(crate) const DEFAULT: &str = include_str!("../../../config/default.yaml");

/// Everything that is configured.
///
/// Invariant: each reference in [`Service`] names a component that is in its map.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    /// Receivers by ID.
    pub(crate) receivers: BTreeMap<ComponentId, Receiver>,
    /// Processors by ID.
    pub(crate) processors: BTreeMap<ComponentId, Processor>,
    /// Exporters by ID.
    pub(crate) exporters: BTreeMap<ComponentId, Exporter>,
    /// Extensions by ID.
    pub(crate) extensions: BTreeMap<ComponentId, Extension>,
    /// What runs.
    pub(crate) service: Service,
    /// Settings of Tailrace itself.
    pub(crate) own: Own,
    /// The feature gates of the command line.
    pub(crate) gates: Gates,
}

/// What the command line says about the configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    /// The values of `--config`; none is the built-in configuration.
    pub(crate) uris: Vec<String>,
    /// The values of `--set`.
    pub(crate) sets: Vec<String>,
    /// The values of `--feature-gates`.
    pub(crate) gates: Vec<String>,
}

/// The result of loading: a configuration if there are no errors, and what is to be told.
pub(crate) struct Loaded {
    /// The configuration.
    pub(crate) configuration: Option<Configuration>,
    /// Errors and warnings.
    pub(crate) problems: Problems,
    /// The texts that they point into.
    pub(crate) sources: Sources,
}

/// Loads a configuration.
pub(crate) fn load(origin: &Origin, env: &dyn Fn(&str) -> Option<String>) -> Loaded {
    let built_in = [format!("yaml:{DEFAULT}")];
    let uris = if origin.uris.is_empty() { &built_in[..] } else { &origin.uris };
    let (tree, sources, mut problems) = settings::load(uris, &origin.sets, env);
    let gates = Gates::read(&origin.gates, &mut problems);
    // A tree with errors is decoded all the same: one run shows all problems.
    let decoded = tree.and_then(|tree| Configuration::decode(&tree, &mut problems));
    let decoded = decoded.map(|configuration| Configuration { gates, ..configuration });
    let configuration = decoded.filter(|_| !problems.has_errors());
    Loaded { configuration, problems, sources }
}

impl Configuration {
    /// The configuration in a tree. It may only be used if no errors were told.
    fn decode(tree: &Node, p: &mut Problems) -> Option<Configuration> {
        let mut fields = tree.map("the configuration", p)?;
        if let Some(connectors) = fields.node("connectors").filter(|node| !node.entries().is_empty()) {
            let help = "remove them, or let two collectors run one behind the other";
            p.error(&connectors.at, "connectors are not supported by this version yet", help.to_string());
        }
        let service_node = fields.node("service");
        let service = service_node.and_then(|node| Service::decode(node, p)).unwrap_or_default();
        if service_node.is_none() {
            let help = "add `service: {pipelines: {traces: {receivers: […], processors: […], exporters: […]}}}`";
            p.error(&tree.at, "the configuration has no `service`", help.to_string());
        }
        let pipelines = || service.pipelines.values();
        let receivers_used = pipelines().flat_map(|pipeline| &pipeline.receivers);
        let processors_used = pipelines().flat_map(|pipeline| &pipeline.processors);
        let exporters_used = pipelines().flat_map(|pipeline| &pipeline.exporters);
        let mut section = |name| Section { name, node: fields.node(name) };
        let configuration = Configuration {
            receivers: section("receivers").decode(RECEIVERS, receivers_used, p),
            processors: section("processors").decode(PROCESSORS, processors_used, p),
            exporters: section("exporters").decode(EXPORTERS, exporters_used, p),
            extensions: section("extensions").decode(EXTENSIONS, service.extensions.iter(), p),
            own: fields.take("tailrace", Own::default(), p),
            gates: Gates::default(),
            service,
        };
        fields.finish(p);
        configuration.check(p);
        Some(configuration)
    }

    /// What concerns several components.
    fn check(&self, p: &mut Problems) {
        for extension in &self.service.extensions {
            if let Some(Extension::Ignored) = self.extensions.get(&extension.id) {
                let message = format!("the extension `{}` is not supported by this version yet, ignored", extension.id);
                p.warning(&extension.at, message, None);
            }
        }
        for (id, pipeline) in &self.service.pipelines {
            let samplers = pipeline.processors.iter();
            let samplers =
                samplers.filter(|used| matches!(self.processors.get(&used.id), Some(Processor::TailSampling(_))));
            if let Some(second) = samplers.skip(1).last() {
                let message = format!("the pipeline `{id}` has more than one `tail_sampling` processor");
                let help = "join their policies in one, or put the second one into a collector behind this one";
                p.error(&second.at, message, help.to_string());
            }
        }
    }

    /// All settings with their defaults, in the form of otelcol's `print-config`.
    pub(crate) fn effective(&self) -> Node {
        fn section<T: Effective>(components: &BTreeMap<ComponentId, T>) -> Node {
            Node::map_of(components.iter().map(|(id, settings)| (id.to_string(), settings.effective())))
        }
        Node::map_of([
            ("connectors", Node::map_of::<&str>([])),
            ("exporters", section(&self.exporters)),
            ("extensions", section(&self.extensions)),
            ("processors", section(&self.processors)),
            ("receivers", section(&self.receivers)),
            ("service", self.service.effective()),
            ("tailrace", self.own.effective()),
        ])
    }
}

/// One of `receivers`, `processors`, `exporters`, `extensions`.
struct Section<'t> {
    name: &'static str,
    node: Option<&'t Node>,
}

impl Section<'_> {
    /// Decodes the components of a section and checks the references to them.
    fn decode<'r, T>(
        &self,
        kinds: &[Kind<T>],
        used: impl Iterator<Item = &'r Reference>,
        p: &mut Problems,
    ) -> BTreeMap<ComponentId, T> {
        let used: Vec<&Reference> = used.collect();
        let mut components = BTreeMap::new();
        let mut defined: Vec<(ComponentId, Location)> = Vec::new();
        let mut unsupported: Vec<(&Entry, bool)> = Vec::new();
        let fields = self.node.and_then(|node| node.map(self.name, p));
        for entry in fields.as_ref().map(|fields| fields.entries()).unwrap_or_default() {
            let Some(id) = ComponentId::parse(&entry.key, &entry.key_at, p) else { continue };
            if let Some((_, first)) = defined.iter().find(|(other, _)| *other == id) {
                let help = format!("the first one is in line {}", first.line);
                p.error(&entry.key_at, format!("`{id}` is there twice in `{}`", self.name), help);
                continue;
            }
            match kinds.iter().find(|kind| kind.names.contains(&id.kind.as_str())) {
                Some(kind) => {
                    let settings = p.within(entry.key.as_str(), |p| (kind.decode)(&entry.node, p));
                    components.extend(settings.map(|settings| (id.clone(), settings)));
                }
                None => unsupported.push((entry, used.iter().any(|reference| reference.id == id))),
            }
            defined.push((id, entry.key_at));
        }
        self.tell_unsupported(kinds, &unsupported, p);
        for reference in used {
            if !defined.iter().any(|(id, _)| *id == reference.id) {
                self.tell_undefined(reference, &defined, p);
            }
        }
        components
    }

    /// One error for all types that pipelines use and this version lacks, one warning for those that nothing uses.
    fn tell_unsupported<T>(&self, kinds: &[Kind<T>], unsupported: &[(&Entry, bool)], p: &mut Problems) {
        let known: Vec<&str> = kinds.iter().flat_map(|kind| kind.names).copied().collect();
        let named = |wanted: bool| unsupported.iter().filter(move |(_, used)| *used == wanted).map(|(entry, _)| *entry);
        let listed = |wanted| named(wanted).map(|entry| format!("`{}`", entry.key)).collect::<Vec<_>>().join(", ");
        if let Some(first) = named(true).next() {
            let kind = first.key.split('/').next().unwrap_or_default();
            let message = match suggest(kind, known.iter().copied()) {
                Some(meant) => format!("unknown type in `{}`: {}, did you mean `{meant}`?", self.name, listed(true)),
                None => format!("types in `{}` that this version does not support: {}", self.name, listed(true)),
            };
            p.error(&first.key_at, message, format!("it has {}", known.join(", ")));
        }
        if let Some(first) = named(false).next() {
            let message = format!("not supported by this version and not used, ignored: {}", listed(false));
            p.warning(&first.key_at, message, None);
        }
    }

    fn tell_undefined(&self, reference: &Reference, defined: &[(ComponentId, Location)], p: &mut Problems) {
        let what = self.name.trim_end_matches('s');
        let names: Vec<String> = defined.iter().map(|(id, _)| id.to_string()).collect();
        let id = reference.id.to_string();
        let mut message = format!("the {what} `{id}` is not defined in `{}`", self.name);
        let help = match suggest(&id, names.iter().map(String::as_str)) {
            Some(meant) => {
                message.push_str(&format!(", did you mean `{meant}`?"));
                None
            }
            None if names.is_empty() => Some(format!("add `{}: {{{id}: {{}}}}`", self.name)),
            None => Some(format!("defined are {}", names.join(", "))),
        };
        p.error(&reference.at, message, help);
    }
}

#[cfg(test)]
mod tests;
