//! `service::telemetry::traces`: otelcol's traces of itself. Tailrace makes none; the settings are read, checked and printed.

use settings::{Decode, Node, Problems};

use super::metrics::{Level, decode_level};
use super::push::Processor;
use super::{no_effect, written};

/// Settings of the traces.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub(crate) struct Traces {
    /// Whether there are any.
    level: Level,
    /// Formats in which the context of a request travels.
    propagators: Vec<String>,
    /// Where they are sent.
    processors: Vec<Processor>,
    /// Which are sent.
    sampler: Option<Node>,
    /// How large they may be.
    limits: Option<Node>,
}

impl Decode for Traces {
    fn decode(node: &Node, p: &mut Problems) -> Option<Traces> {
        let mut fields = node.map("traces", p)?;
        fields.describe::<Self>();
        let level = fields.node("level").filter(|node| !node.is_absent());
        let traces = Traces {
            level: level.and_then(|node| decode_level(node, "traces level", p)).unwrap_or(Level::Basic),
            propagators: fields.take("propagators", Vec::new(), p),
            processors: fields.take("processors", Vec::new(), p),
            sampler: fields.optional::<Node>("sampler", p).map(|node| node.bare()),
            limits: fields.optional::<Node>("limits", p).map(|node| node.bare()),
        };
        fields.finish(p);
        if traces.level != Level::None && !traces.processors.is_empty() {
            no_effect(node, "Tailrace's own traces are", p);
        }
        Some(traces)
    }
}

impl Traces {
    /// Whether anything differs from what is there when nothing is written.
    pub(super) fn is_written(&self) -> bool {
        let nothing = self.propagators.is_empty() && self.processors.is_empty() && self.sampler.is_none();
        self.level != Level::Basic || !nothing || self.limits.is_some()
    }

    /// All settings, as otelcol prints them.
    pub(super) fn effective(&self) -> Node {
        let processors = Some(&self.processors).filter(|list| !list.is_empty());
        Node::map_of(written([
            ("level", Some(self.level.name().into())),
            ("limits", self.limits.clone()),
            ("processors", processors.map(|list| Node::list_of(list.iter().map(Processor::effective)))),
            ("propagators", Some(Node::list_of(&self.propagators))),
            ("sampler", self.sampler.clone()),
        ]))
    }
}
