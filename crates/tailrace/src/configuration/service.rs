//! `service`: which components run, and how they are joined into pipelines.

use std::collections::BTreeMap;

use settings::{Decode, Location, Node, Problems, Reference, Severity, Value};

use super::pipeline_id::PipelineId;
use super::telemetry::Telemetry;

/// What runs.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub(crate) struct Service {
    /// Extensions, in the order of their start.
    pub(crate) extensions: Vec<Reference>,
    /// Whether there is a list of extensions, if only an empty one.
    extensions_written: bool,
    /// Pipelines by ID, such as `traces` or `metrics/2`.
    pub(crate) pipelines: BTreeMap<PipelineId, Pipeline>,
    /// What Tailrace says about itself.
    pub(crate) telemetry: Telemetry,
}

/// One pipeline: everything that its receivers take goes through its processors, in order, to all its exporters.
///
/// Invariant after [`Configuration`](super::Configuration) is built: at least one receiver and one exporter, none twice, and
/// each reference names a component that is there and takes the pipeline's signal. A connector stands among the exporters of
/// the pipelines that feed it and among the receivers of those that it feeds.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub(crate) struct Pipeline {
    /// Where its items come in: receivers and connectors.
    pub(crate) receivers: Vec<Reference>,
    /// What happens to them.
    pub(crate) processors: Vec<Reference>,
    /// Where they go: exporters and connectors.
    pub(crate) exporters: Vec<Reference>,
}

impl Decode for Service {
    fn decode(node: &Node, p: &mut Problems) -> Option<Service> {
        let mut fields = node.map("service", p)?;
        fields.describe::<Self>();
        let pipelines_node = fields.node("pipelines");
        let extensions = fields.node("extensions").filter(|node| !node.is_absent());
        let service = Service {
            extensions: extensions.map(|node| references(node, "extensions", p)).unwrap_or_default(),
            extensions_written: extensions.is_some(),
            pipelines: pipelines_node.map(|node| pipelines(node, p)).unwrap_or_default(),
            telemetry: fields.take("telemetry", Telemetry::default(), p),
        };
        let empty = |node: &Node| node.entries().is_empty() && matches!(node.value, Value::Null | Value::Map(_));
        if pipelines_node.is_none_or(empty) {
            p.error(&node.at, "`service` must have at least one pipeline", PIPELINE_EXAMPLE.to_string());
        }
        fields.finish(p);
        Some(service)
    }
}

/// What a file without pipelines lacks.
pub(super) const PIPELINE_EXAMPLE: &str =
    "add `service: {pipelines: {traces: {receivers: […], processors: […], exporters: […]}}}`";

fn pipelines(node: &Node, p: &mut Problems) -> BTreeMap<PipelineId, Pipeline> {
    p.takes_values_under(node, "^(traces|metrics|logs)(/.+)?$");
    let Some(fields) = node.map("pipelines", p) else { return BTreeMap::new() };
    let mut places: BTreeMap<PipelineId, Location> = BTreeMap::new();
    let mut pipelines = BTreeMap::new();
    for entry in fields.entries() {
        let Some(id) = PipelineId::parse(&entry.key, &entry.key_at, p) else { continue };
        if let Some(first) = places.get(&id) {
            let help =
                format!("the first one is in line {}; remove one of the two, or rename it as in `{id}/2`", first.line);
            p.error(&entry.key_at, format!("the pipeline `{id}` is there twice"), help);
            continue;
        }
        places.insert(id.clone(), entry.key_at);
        if let Some(pipeline) = pipeline(&entry.key, entry.key_at, &entry.node, p) {
            pipelines.insert(id, pipeline);
        }
    }
    pipelines
}

fn pipeline(id: &str, at: Location, node: &Node, p: &mut Problems) -> Option<Pipeline> {
    let mut fields = node.map(id, p)?;
    fields.describe::<Pipeline>();
    let errors = p.count(Severity::Error);
    let mut listed = |key: &str, p: &mut Problems| fields.node(key).map(|node| references(node, key, p));
    let receivers = listed("receivers", p);
    let processors = listed("processors", p).unwrap_or_default();
    let exporters = listed("exporters", p);
    let lists_are_right = p.count(Severity::Error) == errors;
    fields.finish(p);
    for (what, list) in [("receiver", &receivers), ("exporter", &exporters)] {
        // What is written but wrong has been told.
        if list.is_none() || lists_are_right && list.as_ref().is_some_and(Vec::is_empty) {
            let help = format!("name one that is defined: `{what}s: [NAME]`, or remove the pipeline");
            p.error(&at, format!("the pipeline `{id}` must have at least one {what}"), help);
        }
    }
    let receivers = once("receiver", receivers.unwrap_or_default(), p);
    let exporters = once("exporter", exporters.unwrap_or_default(), p);
    twice("processor", &processors, p);
    Some(Pipeline { receivers, processors, exporters })
}

/// A list of IDs. Other lists may be one text with commas, this one may not.
fn references(node: &Node, what: &str, p: &mut Problems) -> Vec<Reference> {
    if let (Value::Text(_), Some(id)) = (&node.value, node.as_text()) {
        p.within(what, |p| p.wrong(node, "a list", format!("write `{what}: [{id}]`")));
        return Vec::new();
    }
    let items = node.list(what, p).unwrap_or_default().iter().enumerate();
    let reference = |(index, item): (usize, &Node)| {
        p.within(what, |p| p.within(format!("[{index}]"), |p| Reference::decode(item, p)))
    };
    items.filter_map(reference).collect()
}

/// Receivers and exporters may be named twice in otelcol, where it means once.
fn once(what: &str, references: Vec<Reference>, p: &mut Problems) -> Vec<Reference> {
    let mut unique: Vec<Reference> = Vec::new();
    for reference in references {
        if unique.contains(&reference) {
            let message = format!("the {what} `{}` is named twice in this pipeline", reference.id);
            p.warning(&reference.at, message, "once is enough; remove this one".to_string());
        } else {
            unique.push(reference);
        }
    }
    unique
}

fn twice(what: &str, references: &[Reference], p: &mut Problems) {
    for (index, reference) in references.iter().enumerate() {
        if references.iter().take(index).any(|other| other == reference) {
            let help =
                format!("remove it, or define a second one with a name of its own, as in `{}/2`", reference.id.kind);
            p.error(&reference.at, format!("the {what} `{}` is named twice in this pipeline", reference.id), help);
        }
    }
}

impl Service {
    /// All settings, as otelcol prints them.
    pub(crate) fn effective(&self) -> Node {
        let pipelines = self.pipelines.iter().map(|(id, pipeline)| (id.to_string(), pipeline.effective()));
        let mut entries = vec![("pipelines", Node::map_of(pipelines)), ("telemetry", self.telemetry.effective())];
        if self.extensions_written {
            entries.push(("extensions", Node::list_of(&self.extensions)));
        }
        Node::map_of(entries)
    }
}

impl Pipeline {
    fn effective(&self) -> Node {
        Node::map_of([
            ("exporters", Node::list_of(&self.exporters)),
            ("processors", Node::list_of(&self.processors)),
            ("receivers", Node::list_of(&self.receivers)),
        ])
    }
}
