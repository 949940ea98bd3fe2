//! `service::telemetry`: what Tailrace says about itself, with otelcol's settings.
//!
//! otelcol reads these with the schema of OpenTelemetry's declarative configuration, so times are bare milliseconds and
//! what is not written is not printed, unlike elsewhere. Whatever it would refuse at its start is refused here.

pub(crate) mod logs;
pub(crate) mod metrics;
pub(crate) mod push;
pub(crate) mod resource;
pub(crate) mod traces;

use settings::{Decode, Node, Problems};

pub(crate) use logs::{Encoding, Logs};
pub(crate) use metrics::Metrics;
pub(crate) use resource::Resource;
pub(crate) use traces::Traces;

/// What Tailrace says about itself.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub(crate) struct Telemetry {
    /// Log lines.
    pub(crate) logs: Logs,
    /// Metrics.
    pub(crate) metrics: Metrics,
    /// Traces; read and printed, without effect.
    pub(crate) traces: Option<Traces>,
    /// Attributes of all of it.
    pub(crate) resource: Resource,
}

impl Decode for Telemetry {
    fn decode(node: &Node, p: &mut Problems) -> Option<Telemetry> {
        let mut fields = node.map("telemetry", p)?;
        fields.describe::<Self>();
        let telemetry = Telemetry {
            logs: fields.take("logs", Logs::default(), p),
            metrics: fields.take("metrics", Metrics::default(), p),
            traces: fields.optional("traces", p),
            resource: fields.take("resource", Resource::default(), p),
        };
        fields.finish(p);
        Some(telemetry)
    }
}

impl Telemetry {
    /// All settings, as otelcol prints them.
    pub(crate) fn effective(&self) -> Node {
        let mut entries = vec![
            ("logs", self.logs.effective()),
            ("metrics", self.metrics.effective()),
            ("resource", self.resource.effective()),
        ];
        entries
            .extend(self.traces.as_ref().filter(|traces| traces.is_written()).map(|one| ("traces", one.effective())));
        Node::map_of(entries)
    }
}

/// Puts what is written behind what is always printed.
fn written<const N: usize>(entries: [(&'static str, Option<Node>); N]) -> impl Iterator<Item = (&'static str, Node)> {
    entries.into_iter().filter_map(|(key, node)| node.map(|node| (key, node)))
}

/// Tells of something that is read and has no effect.
fn no_effect(node: &Node, what: &str, p: &mut Problems) {
    let help = "remove it to silence this";
    p.warning(&node.at, format!("{what} not supported by this version and without effect"), help.to_string());
}
