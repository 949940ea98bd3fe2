//! Which pipelines a configuration has, which of them feed which through connectors, and in what order they are locked.

use crate::configuration::{ComponentId, Configuration, PipelineId};
use std::collections::{BTreeMap, BTreeSet};

/// The pipelines with their joints.
///
/// Invariant: `order` has every pipeline once, and those in front of others come first.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Graph {
    /// All pipelines, those further in front first.
    pub(crate) order: Vec<PipelineId>,
    /// The pipelines behind each, by way of a connector.
    pub(crate) behind: BTreeMap<PipelineId, BTreeSet<PipelineId>>,
}

impl Graph {
    /// The graph of a configuration, whose connectors have been checked: none leads back to where it came from.
    pub(crate) fn of(configuration: &Configuration) -> Self {
        let pipelines = &configuration.service.pipelines;
        let mut takers: BTreeMap<&ComponentId, Vec<&PipelineId>> = BTreeMap::new();
        for (id, pipeline) in pipelines {
            for reference in &pipeline.receivers {
                if configuration.connectors.contains_key(&reference.id) {
                    takers.entry(&reference.id).or_default().push(id);
                }
            }
        }
        let mut behind: BTreeMap<PipelineId, BTreeSet<PipelineId>> = BTreeMap::new();
        for (id, pipeline) in pipelines {
            let joined = pipeline.exporters.iter().filter_map(|reference| takers.get(&reference.id)).flatten();
            let same_signal = joined.filter(|other| other.signal == id.signal).map(|other| (*other).clone());
            behind.insert(id.clone(), same_signal.collect());
        }
        let mut order = Vec::new();
        let mut seen = BTreeSet::new();
        for id in pipelines.keys() {
            visit(id, &behind, &mut seen, &mut order);
        }
        order.reverse();
        Self { order, behind }
    }
}

/// Puts `id` behind everything that it feeds. As deep as the longest row of pipelines.
fn visit(
    id: &PipelineId,
    behind: &BTreeMap<PipelineId, BTreeSet<PipelineId>>,
    seen: &mut BTreeSet<PipelineId>,
    order: &mut Vec<PipelineId>,
) {
    if !seen.insert(id.clone()) {
        return;
    }
    for next in behind.get(id).into_iter().flatten() {
        visit(next, behind, seen, order);
    }
    order.push(id.clone());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::{Origin, load};

    #[test]
    fn those_in_front_come_first() {
        let yaml = "yaml:{receivers: {otlp: {protocols: {http: }}}, exporters: {nop: }, connectors: {forward/a: , \
                    forward/b: }, service: {pipelines: {traces/z: {receivers: [otlp], exporters: [forward/a]}, \
                    traces/m: {receivers: [forward/a, otlp], exporters: [forward/b, nop]}, traces/a: {receivers: \
                    [forward/b], exporters: [nop]}, logs: {receivers: [otlp], exporters: [nop]}}}}";
        let loaded = load(&Origin { uris: vec![yaml.to_owned()], ..Origin::default() }, &|_| None);
        let shown = loaded.problems.render(&loaded.sources);
        let graph = Graph::of(&loaded.configuration.unwrap_or_else(|| panic!("{shown}")));
        let at = |name: &str| graph.order.iter().position(|id| id.to_string() == name).expect("in the order");
        assert!(at("traces/z") < at("traces/m") && at("traces/m") < at("traces/a"));
        let joints: usize = graph.behind.values().map(BTreeSet::len).sum();
        assert_eq!((graph.order.len(), joints), (4, 2));
    }
}
