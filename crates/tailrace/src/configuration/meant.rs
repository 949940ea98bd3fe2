//! `tailrace::meant`: what of a printed configuration would mean something else when it is read again.
//!
//! `print-config` prints what otelcol prints, so that the two can be compared: a limit that is not written as otelcol's
//! default, a protocol that is not served and a queue that is switched off as null. Read again, the limit would count as
//! written, and what is off would be on. So a tree of the same shape goes with it and says what was meant: it is laid over
//! the configuration before anything is decoded, and null in it takes away what stands there.

use std::collections::BTreeMap;

use net::exporter::QueueSettings;
use settings::{ComponentId, Entry, Location, Node, Value};

use super::{Configuration, Exporter, Processor, Receiver};

/// Lays `over`, a part of `tailrace::meant`, over `tree`. Its depth is bounded by that of YAML.
pub(super) fn lay_over(tree: &mut Node, over: &Node) {
    let Value::Map(entries) = &mut tree.value else { return };
    for Entry { key, node: over, .. } in over.entries() {
        let Some(place) = entries.iter().position(|entry| entry.key == *key) else { continue };
        match (&over.value, entries.get_mut(place)) {
            (Value::Null, _) => {
                entries.remove(place);
            }
            (Value::Map(_), Some(entry)) if matches!(entry.node.value, Value::Map(_)) => {
                lay_over(&mut entry.node, over);
            }
            (_, Some(entry)) => entry.node = Node { at: entry.node.at, ..over.clone() },
            (_, None) => {}
        }
    }
}

/// What of this configuration has to be said besides; `None` if nothing has.
pub(super) fn of(configuration: &Configuration) -> Option<Node> {
    let sections = [
        ("exporters", by_id(&configuration.exporters, exporter)),
        ("processors", by_id(&configuration.processors, processor)),
        ("receivers", by_id(&configuration.receivers, receiver)),
    ];
    map_of_some(sections)
}

fn by_id<T>(components: &BTreeMap<ComponentId, T>, of: fn(&T) -> Option<Node>) -> Option<Node> {
    map_of_some(components.iter().map(|(id, component)| (id.to_string(), of(component))))
}

fn receiver(receiver: &Receiver) -> Option<Node> {
    let Receiver::Otlp(settings) = receiver;
    let off = |served: bool| (!served).then(Node::null);
    let protocols = map_of_some([("grpc", off(settings.grpc.is_some())), ("http", off(settings.http.is_some()))]);
    map_of_some([("protocols", protocols)])
}

fn processor(processor: &Processor) -> Option<Node> {
    match processor {
        Processor::TailSampling(settings) if settings.num_traces.is_none() => {
            Some(Node::map_of([("num_traces", Node::null())]))
        }
        _ => None,
    }
}

fn exporter(exporter: &Exporter) -> Option<Node> {
    let queue = match exporter {
        Exporter::OtlpGrpc(settings) => Some(&settings.queue),
        Exporter::OtlpHttp(settings) => Some(&settings.queue),
        Exporter::Zipkin(settings) => Some(&settings.queue),
        Exporter::Debug(settings) => settings.queue.as_ref(),
        _ => None,
    };
    let no_paths = matches!(exporter, Exporter::Debug(settings) if settings.output_paths.is_none());
    map_of_some([("output_paths", no_paths.then(Node::null)), ("sending_queue", queue.and_then(sending_queue))])
}

fn sending_queue(queue: &QueueSettings) -> Option<Node> {
    if !queue.enabled {
        return Some(Node::map_of([("enabled", Node::from(false))]));
    }
    let off = |there: bool| (!there).then(Node::null);
    map_of_some([("batch", off(queue.batch.is_some())), ("block_on_overflow", off(queue.block_on_overflow.is_some()))])
}

/// A map of what is there; `None` if nothing is.
fn map_of_some<K: Into<String>>(entries: impl IntoIterator<Item = (K, Option<Node>)>) -> Option<Node> {
    let there = entries
        .into_iter()
        .filter_map(|(key, node)| Some(Entry { key: key.into(), key_at: Location::NOWHERE, node: node? }));
    let there: Vec<Entry> = there.collect();
    (!there.is_empty()).then(|| Node::new(Value::Map(there), Location::NOWHERE))
}
