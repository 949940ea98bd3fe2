//! A span as a client sent it or as a backend shows it, in one form, and the rule that says which traces are kept.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One span. Tags are text, so that backends with and without types compare alike; `tagged` says how.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
    pub(crate) parent_id: String,
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) start_us: u64,
    pub(crate) duration_us: u64,
    pub(crate) error: bool,
    pub(crate) message: String,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) resource: BTreeMap<String, String>,
    pub(crate) events: Vec<(String, u64)>,
}

/// Beginnings of the tags that SDKs, exporters and backends add to what a client set.
const ADDED: [&str; 8] = ["otel.", "internal.", "span.kind", "error", "telemetry.", "service.", "process.", "host."];

/// Traces by their IDs.
pub(crate) type Traces = BTreeMap<String, Vec<Span>>;

impl Span {
    /// From the file a client leaves behind.
    pub(crate) fn from_sent(sent: &Value) -> Span {
        let text = |key: &str| sent[key].as_str().unwrap_or_else(|| panic!("no `{key}` in {sent}")).to_owned();
        let number = |key: &str| sent[key].as_u64().unwrap_or_else(|| panic!("no `{key}` in {sent}"));
        let events = sent["events"].as_array().expect("a list of events");
        Span {
            trace_id: text("trace_id"),
            span_id: text("span_id"),
            parent_id: text("parent_id"),
            service: text("service"),
            name: text("name"),
            kind: text("kind").to_lowercase(),
            start_us: number("start_us"),
            duration_us: number("duration_us"),
            error: sent["error"] == true,
            message: text("message"),
            tags: tags_of(&sent["tags"]),
            resource: tags_of(&sent["resource"]),
            events: events
                .iter()
                .map(|event| {
                    (event["name"].as_str().unwrap_or_default().to_owned(), event["at_us"].as_u64().unwrap_or(0))
                })
                .collect(),
        }
    }

    /// What of `self` a backend should show but does not in `seen`, in words.
    pub(crate) fn lost_in(&self, seen: &Span) -> Vec<String> {
        let mut lost = Vec::new();
        let mut same = |what: &str, sent: &dyn std::fmt::Debug, seen: &dyn std::fmt::Debug| {
            let (sent, seen) = (format!("{sent:?}"), format!("{seen:?}"));
            if sent != seen {
                lost.push(format!("{what}: sent {sent}, seen {seen}"));
            }
        };
        same("parent", &self.parent_id, &seen.parent_id);
        same("service", &self.service, &seen.service);
        same("name", &self.name, &seen.name);
        same("kind", &self.kind, &seen.kind);
        same("start", &self.start_us, &seen.start_us);
        same("duration", &self.duration_us, &seen.duration_us);
        same("error", &self.error, &seen.error);
        same("message", &self.message, &seen.message);
        same("events", &self.events, &seen.events);
        for (key, value) in &self.tags {
            same(key, &Some(value), &seen.tags.get(key));
        }
        for (key, value) in &self.resource {
            same(key, &Some(value), &seen.resource.get(key));
        }
        for (key, value) in &seen.tags {
            let known = self.tags.contains_key(key) || self.resource.contains_key(key);
            if !known && !ADDED.iter().any(|added| key.starts_with(added)) {
                lost.push(format!("{key}: not sent, seen {value:?}"));
            }
        }
        lost
    }
}

/// An attribute's value as text: numbers as JSON writes them, lists as JSON.
pub(crate) fn value_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn tags_of(map: &Value) -> BTreeMap<String, String> {
    map.as_object().expect("a map").iter().map(|(key, value)| (key.clone(), value_text(value))).collect()
}

/// Groups spans by trace.
pub(crate) fn by_trace(spans: impl IntoIterator<Item = Span>) -> Traces {
    let mut traces = Traces::new();
    for span in spans {
        traces.entry(span.trace_id.clone()).or_default().push(span);
    }
    traces
}

/// The policies of [`POLICIES`] in plain words, on what was sent.
pub(crate) fn should_keep(trace: &[Span]) -> bool {
    let error = trace.iter().any(|span| span.error);
    let began = trace.iter().map(|span| span.start_us).min().unwrap_or(0);
    let ended = trace.iter().map(|span| span.start_us + span.duration_us).max().unwrap_or(0);
    let tag = |key: &str| trace.iter().filter_map(|span| span.tags.get(key)).collect::<BTreeSet<_>>();
    let gold = tag("customer.tier").contains(&"gold".to_owned());
    let large = tag("cart.items").iter().any(|items| items.parse::<i64>().is_ok_and(|items| items >= 100));
    error || ended - began > 1_000_000 || gold || large
}

/// The policies every story runs with.
pub(crate) const POLICIES: &str = "
      - {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}
      - {name: slow, type: latency, latency: {threshold_ms: 1000}}
      - {name: gold, type: string_attribute, string_attribute: {key: customer.tier, values: [gold]}}
      - {name: large, type: numeric_attribute, numeric_attribute: {key: cart.items, min_value: 100, max_value: 1000}}";

/// Demands that `seen` holds exactly the traces of `kept`, whole and as sent.
pub(crate) fn assert_same(kept: &Traces, seen: &Traces) {
    let mut faults = Vec::new();
    for id in kept.keys().filter(|id| !seen.contains_key(*id)) {
        faults.push(format!("trace {id} is missing"));
    }
    for id in seen.keys().filter(|id| !kept.contains_key(*id)) {
        faults.push(format!("trace {id} should not be there: {:?}", seen[id].first()));
    }
    for (id, sent) in kept {
        let Some(seen) = seen.get(id) else { continue };
        if sent.len() != seen.len() {
            faults.push(format!("trace {id} has {} spans of {}", seen.len(), sent.len()));
        }
        for span in sent {
            match seen.iter().find(|candidate| candidate.span_id == span.span_id) {
                None => faults.push(format!("span {} `{}` of trace {id} is missing", span.span_id, span.name)),
                Some(found) => {
                    let lost = span.lost_in(found);
                    faults.extend(lost.iter().map(|lost| format!("span `{}` of trace {id}: {lost}", span.name)));
                }
            }
        }
    }
    let shown: Vec<String> = faults.iter().take(20).cloned().collect();
    assert!(faults.is_empty(), "{} faults, the first ones:\n{}", faults.len(), shown.join("\n"));
}
