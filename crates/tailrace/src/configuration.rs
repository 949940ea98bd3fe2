//! A configuration that may run: typed, complete, every reference resolved.
//!
//! [`load`] goes from what stands on the command line to a [`Configuration`] or to all that is wrong with it. After that
//! nothing checks the settings again. Each component's settings are decoded beside its code; this file only joins them.
//!
//! The way: `selection` takes out what was not asked for, `section` decodes the components of one kind by the tables in
//! `kinds`, and what concerns several of them is checked at the end, below and in `connectors`, `unsupported` and `clients`.

pub(crate) mod batch;
mod clients;
mod connectors;
mod editing;
mod elsewhere;
pub(crate) mod extensions;
mod gates;
pub(crate) mod kinds;
mod meant;
pub(crate) mod memory_limiter;
pub(crate) mod own;
mod pipeline_id;
mod section;
mod selection;
pub(crate) mod service;
pub(crate) mod telemetry;
pub(crate) mod terminal;
mod unsupported;

use std::collections::BTreeMap;
use std::path::PathBuf;

use otlp::Signal;
use settings::{Decode, Node, Problems, Sources};

pub(crate) use editing::Editing;
pub(crate) use gates::Gates;
pub(crate) use kinds::{Connector, Exporter, Extension, Processor, Receiver};
pub(crate) use own::Own;
pub(crate) use pipeline_id::PipelineId;
pub(crate) use service::{Pipeline, Service};
pub(crate) use settings::{ComponentId, Reference};

use kinds::{CONNECTORS, EXPORTERS, EXTENSIONS, Effective, Kind, PROCESSORS, RECEIVERS};
use section::{Section, Use, tell_undefined};

/// The configuration that runs where none is given; it teaches at the same time.
pub(crate) const DEFAULT: &str = include_str!("../../../config/default.yaml");

/// Everything that is configured.
///
/// Invariant: each reference in [`Service`] names a component that is in its map; those among the receivers and exporters of
/// a pipeline are in `connectors` if they are in no other.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    /// Receivers by ID.
    pub(crate) receivers: BTreeMap<ComponentId, Receiver>,
    /// Processors by ID.
    pub(crate) processors: BTreeMap<ComponentId, Processor>,
    /// Exporters by ID.
    pub(crate) exporters: BTreeMap<ComponentId, Exporter>,
    /// Connectors by ID.
    pub(crate) connectors: BTreeMap<ComponentId, Connector>,
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
    /// The values of `--pipelines`; none is all of them.
    pub(crate) pipelines: Vec<String>,
}

impl Origin {
    /// The files that are named; what stands in variables and on the command line cannot change.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let path = |uri: &String| match uri.split_once(':') {
            Some(("file", path)) => Some(PathBuf::from(path)),
            Some(("env" | "yaml", _)) => None,
            _ => Some(PathBuf::from(uri)),
        };
        self.uris.iter().filter_map(path).collect()
    }
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
    let chosen = selection::names(&origin.pipelines);
    let (tree, sources, mut problems) = match chosen.is_empty() {
        true => settings::load(uris, &origin.sets, env),
        false => settings::load_part(uris, &origin.sets, env, |tree, from| selection::choose(tree, &chosen, from)),
    };
    let gates = Gates::read(&origin.gates, &mut problems);
    // A tree with errors is decoded all the same: one run shows all problems.
    let decoded = tree.and_then(|mut tree| {
        if let Some(over) = tree.lookup("tailrace").and_then(|own| own.lookup("meant")).cloned() {
            meant::lay_over(&mut tree, &over);
        }
        Configuration::decode(&tree, &mut problems)
    });
    let decoded = decoded.map(|configuration| Configuration { gates, ..configuration });
    let configuration = decoded.filter(|_| !problems.has_errors());
    Loaded { configuration, problems, sources }
}

impl Configuration {
    /// The configuration in a tree. It may only be used if no errors were told.
    fn decode(tree: &Node, p: &mut Problems) -> Option<Configuration> {
        let mut fields = tree.map("the configuration", p)?;
        let service_node = fields.node("service");
        let service = service_node.and_then(|node| Service::decode(node, p)).unwrap_or_default();
        if service_node.is_none() {
            p.error(&tree.at, "the configuration has no `service`", service::PIPELINE_EXAMPLE.to_string());
        }
        let [receivers, processors, exporters] = uses(&service);
        let either: Vec<Use<'_>> = receivers.iter().chain(&exporters).copied().collect();
        let running: Vec<Use<'_>> =
            service.extensions.iter().map(|reference| Use { reference, pipeline: None }).collect();
        let mut section = |name| Section { name, node: fields.node(name) };
        let receivers_in = section("receivers").decode(RECEIVERS, &receivers, p);
        let processors_in = section("processors").decode(PROCESSORS, &processors, p);
        let exporters_in = section("exporters").decode(EXPORTERS, &exporters, p);
        let connectors_in = section("connectors").decode(CONNECTORS, &either, p);
        let extensions_in = section("extensions").decode(EXTENSIONS, &running, p);
        let own = fields.take("tailrace", Own::default(), p);
        fields.finish(p);

        let in_receivers = ("receivers", &receivers_in.defined[..]);
        let in_processors = ("processors", &processors_in.defined[..]);
        let in_exporters = ("exporters", &exporters_in.defined[..]);
        let in_connectors = ("connectors", &connectors_in.defined[..]);
        let in_extensions = ("extensions", &extensions_in.defined[..]);
        let all = [in_receivers, in_processors, in_exporters, in_connectors, in_extensions];
        for (used, sections, broken) in [
            (&receivers, &[in_receivers, in_connectors][..], receivers_in.broken || connectors_in.broken),
            (&processors, &[in_processors], processors_in.broken),
            (&exporters, &[in_exporters, in_connectors], exporters_in.broken || connectors_in.broken),
            (&running, &[in_extensions], extensions_in.broken),
        ] {
            let used = used.iter().filter(|_| !broken);
            used.for_each(|used| tell_undefined(used.reference, sections, &all, p));
        }
        connectors::check_names(in_connectors.1, in_receivers, p);
        connectors::check_names(in_connectors.1, in_exporters, p);
        connectors::check(&connectors_in.components, &service, p);
        let is_connector = |id: &ComponentId| in_connectors.1.iter().any(|(defined, _)| defined == id);
        let by_components = [receivers_in.named, exporters_in.named, extensions_in.named].concat();
        extensions::check(&by_components, in_extensions.1, &service, p);
        let lacking = [
            receivers_in.unsupported,
            processors_in.unsupported,
            exporters_in.unsupported,
            connectors_in.unsupported,
            extensions_in.unsupported,
        ];
        unsupported::tell(&lacking.concat(), &service, &is_connector, p);

        let configuration = Configuration {
            receivers: receivers_in.components,
            processors: processors_in.components,
            exporters: exporters_in.components,
            connectors: connectors_in.components,
            extensions: extensions_in.components,
            service,
            own,
            gates: Gates::default(),
        };
        configuration.check(p);
        Some(configuration)
    }

    /// What concerns several components.
    fn check(&self, p: &mut Problems) {
        for extension in &self.service.extensions {
            if let Some(Extension::Pprof(_) | Extension::Zpages(_)) = self.extensions.get(&extension.id) {
                let message = format!("the extension `{}` does nothing here, for this is no Go program", extension.id);
                p.warning(&extension.at, message, "remove it from `service::extensions` to silence this".to_string());
            }
        }
        clients::check(self, p);
        for (id, pipeline) in &self.service.pipelines {
            self.check_signals(id, pipeline, p);
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

    /// Tells of components that do not take the signal of their pipeline.
    fn check_signals(&self, id: &PipelineId, pipeline: &Pipeline, p: &mut Problems) {
        let mut check = |what: &str, reference: &Reference, signals: Option<&[Signal]>| {
            let Some(signals) = signals.filter(|signals| !signals.contains(&id.signal)) else { return };
            let message = format!(
                "the {what} `{}` does not take {}, so it cannot stand in the pipeline `{id}`",
                reference.id, id.signal
            );
            let taken: Vec<&str> = signals.iter().map(|signal| signal.name()).collect();
            p.error(&reference.at, message, format!("it takes {}; remove it here", taken.join(" and ")));
        };
        for reference in &pipeline.receivers {
            check("receiver", reference, signals_of(RECEIVERS, &self.receivers, reference));
        }
        for reference in &pipeline.processors {
            check("processor", reference, signals_of(PROCESSORS, &self.processors, reference));
        }
        for reference in &pipeline.exporters {
            check("exporter", reference, signals_of(EXPORTERS, &self.exporters, reference));
        }
        for reference in &pipeline.processors {
            if let Some(Processor::Editing(settings)) = self.processors.get(&reference.id)
                && let Err(error) = settings.fits(id.signal)
            {
                let message = format!("the processor `{}` does not fit the pipeline `{id}`: {error}", reference.id);
                p.error(&reference.at, message, "give the pipeline a processor of its own".to_string());
            }
        }
    }

    /// All settings with their defaults, in the form of otelcol's `print-config`.
    pub(crate) fn effective(&self) -> Node {
        fn section<T: Effective>(components: &BTreeMap<ComponentId, T>) -> Node {
            Node::map_of(components.iter().map(|(id, settings)| (id.to_string(), settings.effective())))
        }
        Node::map_of([
            ("connectors", section(&self.connectors)),
            ("exporters", section(&self.exporters)),
            ("extensions", section(&self.extensions)),
            ("processors", section(&self.processors)),
            ("receivers", section(&self.receivers)),
            ("service", self.service.effective()),
            ("tailrace", self.own.effective(meant::of(self))),
        ])
    }
}

/// Where receivers, processors and exporters are named.
fn uses(service: &Service) -> [Vec<Use<'_>>; 3] {
    let lists: [fn(&Pipeline) -> &Vec<Reference>; 3] =
        [|one| &one.receivers, |one| &one.processors, |one| &one.exporters];
    lists.map(|list| {
        let uses = service.pipelines.iter().flat_map(|(id, pipeline)| {
            list(pipeline).iter().map(move |reference| Use { reference, pipeline: Some(id) })
        });
        uses.collect()
    })
}

/// The signals that a component takes, if it is one of these.
fn signals_of<T>(
    kinds: &'static [Kind<T>],
    components: &BTreeMap<ComponentId, T>,
    reference: &Reference,
) -> Option<&'static [Signal]> {
    let _defined = components.get(&reference.id)?;
    let kind = kinds.iter().find(|kind| kind.names.contains(&reference.id.kind.as_str()));
    kind.map(|kind| kind.signals)
}

#[cfg(test)]
mod tests;
