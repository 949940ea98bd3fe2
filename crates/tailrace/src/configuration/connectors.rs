//! Connectors: exporters of some pipelines that are receivers of others. How they may join pipelines is checked as otelcol
//! checks it: both ends used, with the same signal, and never in a circle.

use std::collections::{BTreeMap, BTreeSet};

use settings::{ComponentId, Location, Problems, Reference};

use super::kinds::Connector;
use super::pipeline_id::PipelineId;
use super::service::{Pipeline, Service};

/// The pipelines that a connector joins.
#[derive(Default)]
struct Ends<'s> {
    /// Those that feed it, with the place of its name.
    from: Vec<(&'s PipelineId, Location)>,
    /// Those that it feeds.
    to: Vec<(&'s PipelineId, Location)>,
}

/// Tells what is wrong with the use of the connectors that are defined.
pub(super) fn check(connectors: &BTreeMap<ComponentId, Connector>, service: &Service, p: &mut Problems) {
    for id in connectors.keys() {
        check_ends(id, &ends(id, service), p);
    }
    check_circles(connectors, service, p);
}

/// Tells of connectors that share their ID with a receiver or exporter.
pub(super) fn check_names(
    defined: &[(ComponentId, Location)],
    (section, others): (&str, &[(ComponentId, Location)]),
    p: &mut Problems,
) {
    for (id, at) in defined {
        if let Some((_, other)) = others.iter().find(|(other, _)| other == id) {
            let what = section.trim_end_matches('s');
            let message = format!("`{id}` is both a connector and the {what} in line {}", other.line);
            p.error(at, message, format!("rename one of them, such as this one to `{id}/connector`"));
        }
    }
}

/// Pipelines among `runnable` that a connector feeds from none of them, or that feed a connector which feeds none of them.
pub(super) fn dead_ends<'s>(
    service: &'s Service,
    runnable: &BTreeSet<&PipelineId>,
    is_connector: &dyn Fn(&ComponentId) -> bool,
) -> Vec<&'s PipelineId> {
    let runs = || service.pipelines.iter().filter(|(id, _)| runnable.contains(id));
    let met = |id: &PipelineId, reference: &Reference, side: fn(&Pipeline) -> &Vec<Reference>| {
        !is_connector(&reference.id)
            || runs().any(|(other, pipeline)| other.signal == id.signal && side(pipeline).contains(reference))
    };
    let lame = runs().filter(|(id, pipeline)| {
        let fed = pipeline.receivers.iter().all(|reference| met(id, reference, |other| &other.exporters));
        let feeds = pipeline.exporters.iter().all(|reference| met(id, reference, |other| &other.receivers));
        !fed || !feeds
    });
    lame.map(|(id, _)| id).collect()
}

fn ends<'s>(id: &ComponentId, service: &'s Service) -> Ends<'s> {
    let mut ends = Ends::default();
    for (pipeline_id, pipeline) in &service.pipelines {
        let place = |list: &[Reference]| list.iter().find(|one| one.id == *id).map(|one| (pipeline_id, one.at));
        ends.from.extend(place(&pipeline.exporters));
        ends.to.extend(place(&pipeline.receivers));
    }
    ends
}

fn check_ends(id: &ComponentId, ends: &Ends<'_>, p: &mut Problems) {
    let sides = [(&ends.from, &ends.to, "exporter", "receiver"), (&ends.to, &ends.from, "receiver", "exporter")];
    for (here, there, this, other) in sides {
        for (pipeline, at) in here {
            if there.iter().any(|(joined, _)| joined.signal == pipeline.signal) {
                continue;
            }
            let signal = pipeline.signal;
            let message = format!(
                "the connector `{id}` is an {this} of `{pipeline}` but a {other} of no other {signal} pipeline",
            );
            let message = message.replace("an receiver", "a receiver").replace("a exporter", "an exporter");
            p.error(at, message, format!("name it among the `{other}s` of a {signal} pipeline, or remove it here"));
        }
    }
}

/// Follows the connectors from each pipeline; a way back is told once, where it begins in the file.
fn check_circles(connectors: &BTreeMap<ComponentId, Connector>, service: &Service, p: &mut Problems) {
    let mut next: BTreeMap<&PipelineId, Vec<(&Reference, &PipelineId)>> = BTreeMap::new();
    for (id, pipeline) in &service.pipelines {
        for reference in pipeline.exporters.iter().filter(|one| connectors.contains_key(&one.id)) {
            let fed = service
                .pipelines
                .iter()
                .filter(|(other, fed)| other.signal == id.signal && fed.receivers.contains(reference));
            next.entry(id).or_default().extend(fed.map(|(other, _)| (reference, other)));
        }
    }
    // Pipelines from which every way ends, taken off until only those on circles, or before them, are left.
    let mut open: BTreeSet<&PipelineId> = next.keys().copied().collect();
    loop {
        let ends: Vec<&PipelineId> = open.iter().copied().filter(|id| step(&next, &open, id).is_none()).collect();
        if ends.is_empty() {
            break;
        }
        open.retain(|id| !ends.contains(id));
    }
    let Some(start) = open.first().copied() else { return };
    let mut way = vec![start];
    while let Some((reference, to)) = way.last().and_then(|last| step(&next, &open, last)) {
        if let Some(first) = way.iter().position(|id| *id == to) {
            let circle: Vec<String> = way[first..].iter().chain([&to]).map(|id| format!("`{id}`")).collect();
            let message = format!("the connector `{}` closes a circle: {}", reference.id, circle.join(" → "));
            p.error(&reference.at, message, "let one of these pipelines end in an exporter instead".to_string());
            return;
        }
        way.push(to);
    }
}

/// A way on from a pipeline to one that is still open.
fn step<'s>(
    next: &BTreeMap<&'s PipelineId, Vec<(&'s Reference, &'s PipelineId)>>,
    open: &BTreeSet<&'s PipelineId>,
    from: &PipelineId,
) -> Option<(&'s Reference, &'s PipelineId)> {
    next.get(from)?.iter().copied().find(|(_, to)| open.contains(to))
}
