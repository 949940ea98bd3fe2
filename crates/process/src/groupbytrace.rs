//! `groupbytrace`: accepted, and nothing to do. Traces are put together by the engine, which waits for all their spans
//! before it decides and sends each kept trace whole, so what this processor is written for in front of `tail_sampling`
//! happens anyhow.

use crate::{Broken, Edited, Moment, Processor};
use otlp::Signal;
use settings::{Decode, Duration, Node, Problems};
use std::convert::Infallible;

/// Settings of a `groupbytrace` processor. They are checked and have no effect.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub struct GroupByTraceSettings {
    /// How long otelcol waits for spans of a trace.
    pub wait_duration: Duration,
    /// How many traces otelcol holds.
    pub num_traces: i64,
    /// How many workers otelcol has.
    pub num_workers: i64,
    /// Whether otelcol drops traces without a root; it does not support that yet.
    pub discard_orphans: bool,
    /// Whether otelcol keeps traces on disk; it does not support that yet.
    pub store_on_disk: bool,
}

/// The processor `groupbytrace`.
#[derive(Clone, Copy, Debug)]
pub struct GroupByTrace;

impl Default for GroupByTraceSettings {
    fn default() -> Self {
        Self {
            wait_duration: Duration::from_ns(1_000_000_000),
            num_traces: 1_000_000,
            num_workers: 1,
            discard_orphans: false,
            store_on_disk: false,
        }
    }
}

impl Decode for GroupByTraceSettings {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("groupbytrace", p)?;
        fields.describe::<Self>();
        let default = Self::default();
        let settings = Self {
            wait_duration: fields.take("wait_duration", default.wait_duration, p),
            num_traces: fields.take("num_traces", default.num_traces, p),
            num_workers: fields.take("num_workers", default.num_workers, p),
            discard_orphans: fields.take("discard_orphans", default.discard_orphans, p),
            store_on_disk: fields.take("store_on_disk", default.store_on_disk, p),
        };
        for (name, is_set) in [("discard_orphans", settings.discard_orphans), ("store_on_disk", settings.store_on_disk)]
        {
            let at = fields.node(name).map_or(fields.at(), |node| node.at);
            if is_set {
                p.error(&at, format!("`{name}` is not supported, nor is it by otelcol; remove it"), None);
            }
        }
        fields.finish(p);
        Some(settings)
    }
}

impl GroupByTraceSettings {
    /// As otelcol prints them.
    #[must_use]
    pub fn effective(&self) -> Node {
        Node::map_of([
            ("discard_orphans", Node::from(self.discard_orphans)),
            ("num_traces", self.num_traces.into()),
            ("num_workers", self.num_workers.into()),
            ("store_on_disk", self.store_on_disk.into()),
            ("wait_duration", self.wait_duration.into()),
        ])
    }
}

impl GroupByTrace {
    /// A processor with these settings.
    ///
    /// # Errors
    /// Never.
    pub fn new(_settings: &GroupByTraceSettings) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

impl Processor for GroupByTrace {
    fn edit<'a>(&self, _signal: Signal, request: &'a [u8], _moment: Moment<'_>) -> Result<Edited<'a>, Broken> {
        Ok(Edited::unchanged(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notation::{check, decode};

    #[test]
    fn settings_are_otelcols() {
        let settings: GroupByTraceSettings = decode("{wait_duration: 10s, num_traces: 5}").unwrap();
        let expected =
            "discard_orphans: false\nnum_traces: 5\nnum_workers: 1\nstore_on_disk: false\nwait_duration: 10s\n";
        assert_eq!(settings.effective().to_yaml(settings::Mode::Unredacted), expected);
        let error = decode::<GroupByTraceSettings>("{store_on_disk: true}").unwrap_err();
        assert_eq!(error, "`store_on_disk` is not supported, nor is it by otelcol; remove it");
    }

    #[test]
    fn nothing_changes() {
        check(&GroupByTrace, Signal::Traces, "{a: 1} [s] n {}", "{a: 1} [s] n {}", 0);
    }
}
