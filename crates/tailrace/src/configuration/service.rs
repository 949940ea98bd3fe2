//! `service`: which components run, and how they are joined into pipelines.

use std::collections::BTreeMap;

use settings::{Decode, Location, Node, Problems, suggest};

use super::component::ComponentId;
use super::telemetry::Telemetry;

/// What runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Service {
    /// Extensions, in the order of their start.
    pub(crate) extensions: Vec<Reference>,
    /// Pipelines by ID, such as `traces` or `traces/2`.
    pub(crate) pipelines: BTreeMap<String, Pipeline>,
    /// What Tailrace says about itself.
    pub(crate) telemetry: Telemetry,
}

/// One pipeline: everything that its receivers take goes through its processors, in order, to all its exporters.
///
/// Invariant after [`Configuration`](super::Configuration) is built: at least one receiver and one exporter, none twice, and
/// each reference names a component that is there.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    /// Where traces come in.
    pub(crate) receivers: Vec<Reference>,
    /// What happens to them.
    pub(crate) processors: Vec<Reference>,
    /// Where the kept ones go.
    pub(crate) exporters: Vec<Reference>,
}

/// A component's ID where it is used.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    /// Which component.
    pub(crate) id: ComponentId,
    /// Where it is named.
    pub(crate) at: Location,
}

impl Decode for Service {
    fn decode(node: &Node, p: &mut Problems) -> Option<Service> {
        let mut fields = node.map("service", p)?;
        let service = Service {
            extensions: fields.node("extensions").map(|node| references(node, "extensions", p)).unwrap_or_default(),
            pipelines: fields.node("pipelines").map(|node| pipelines(node, p)).unwrap_or_default(),
            telemetry: fields.take("telemetry", Telemetry::default(), p),
        };
        let written = fields.node("pipelines").is_some_and(|node| !node.entries().is_empty());
        if !written {
            let help = "add `service: {pipelines: {traces: {receivers: […], processors: […], exporters: […]}}}`";
            p.error(&node.at, "`service` must have at least one pipeline", help.to_string());
        }
        fields.finish(p);
        Some(service)
    }
}

fn pipelines(node: &Node, p: &mut Problems) -> BTreeMap<String, Pipeline> {
    let Some(fields) = node.map("pipelines", p) else { return BTreeMap::new() };
    let mut pipelines = BTreeMap::new();
    for entry in fields.entries() {
        let Some(id) = ComponentId::parse(&entry.key, &entry.key_at, p) else { continue };
        match id.kind.as_str() {
            "traces" => {
                if let Some(pipeline) = pipeline(&entry.key, entry.key_at, &entry.node, p) {
                    pipelines.insert(id.to_string(), pipeline);
                }
            }
            signal @ ("metrics" | "logs" | "profiles") => {
                let message = format!("pipelines of {signal} are not supported by this version yet: `{}`", entry.key);
                let help =
                    "remove the pipeline, and let another collector take these; components that only it uses may stay";
                p.error(&entry.key_at, message, help.to_string());
            }
            other => {
                let mut message = format!("unknown signal `{other}` in the pipeline's ID `{}`", entry.key);
                if let Some(meant) = suggest(other, ["traces", "metrics", "logs"]) {
                    message.push_str(&format!(", did you mean `{meant}`?"));
                }
                p.error(&entry.key_at, message, "a pipeline is called `traces` or `traces/name`".to_string());
            }
        }
    }
    pipelines
}

fn pipeline(id: &str, at: Location, node: &Node, p: &mut Problems) -> Option<Pipeline> {
    let mut fields = node.map(id, p)?;
    let mut listed = |key: &str, p: &mut Problems| fields.node(key).map(|node| references(node, key, p));
    let receivers = listed("receivers", p);
    let processors = listed("processors", p).unwrap_or_default();
    let exporters = listed("exporters", p);
    fields.finish(p);
    for (what, list) in [("receiver", &receivers), ("exporter", &exporters)] {
        if list.as_ref().is_none_or(Vec::is_empty) {
            p.error(&at, format!("the pipeline `{id}` must have at least one {what}"), None);
        }
    }
    let receivers = once("receiver", receivers.unwrap_or_default(), p);
    let exporters = once("exporter", exporters.unwrap_or_default(), p);
    twice("processor", &processors, p);
    Some(Pipeline { receivers, processors, exporters })
}

fn references(node: &Node, what: &str, p: &mut Problems) -> Vec<Reference> {
    let ids: Option<Vec<String>> = p.within(what, |p| Vec::decode(node, p));
    let places = node.list(what, &mut Problems::new()).unwrap_or_default();
    let ids = ids.unwrap_or_default().into_iter().enumerate();
    let reference = |(index, id): (usize, String)| {
        let at = places.get(index).map_or(node.at, |item| item.at);
        ComponentId::parse(&id, &at, p).map(|id| Reference { id, at })
    };
    ids.filter_map(reference).collect()
}

/// Receivers and exporters may be named twice in otelcol, where it means once.
fn once(what: &str, references: Vec<Reference>, p: &mut Problems) -> Vec<Reference> {
    let mut unique: Vec<Reference> = Vec::new();
    for reference in references {
        if unique.iter().any(|other| other.id == reference.id) {
            p.warning(&reference.at, format!("the {what} `{}` is named twice in this pipeline", reference.id), None);
        } else {
            unique.push(reference);
        }
    }
    unique
}

fn twice(what: &str, references: &[Reference], p: &mut Problems) {
    for (index, reference) in references.iter().enumerate() {
        if references.iter().take(index).any(|other| other.id == reference.id) {
            let help = format!("give the second one a name of its own, as in `{}/2`", reference.id.kind);
            p.error(&reference.at, format!("the {what} `{}` is named twice in this pipeline", reference.id), help);
        }
    }
}

impl Service {
    /// All settings, as otelcol prints them.
    pub(crate) fn effective(&self) -> Node {
        let pipelines = self.pipelines.iter().map(|(id, pipeline)| (id.clone(), pipeline.effective()));
        Node::map_of([
            ("extensions", ids(&self.extensions)),
            ("pipelines", Node::map_of(pipelines)),
            ("telemetry", self.telemetry.effective()),
        ])
    }
}

impl Pipeline {
    fn effective(&self) -> Node {
        Node::map_of([
            ("exporters", ids(&self.exporters)),
            ("processors", ids(&self.processors)),
            ("receivers", ids(&self.receivers)),
        ])
    }
}

fn ids(references: &[Reference]) -> Node {
    Node::list_of(references.iter().map(|reference| reference.id.to_string()))
}
