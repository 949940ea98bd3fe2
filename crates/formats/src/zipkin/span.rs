//! One Zipkin span: its members in the order of Zipkin's own documentation.

use super::{Settings, endpoint::Endpoint};
use crate::attribute_text;
use otlp::view::{Attributes, EventView, LinkView, ResourceView, SpanInContext, SpanView};
use std::{borrow::Cow, collections::BTreeMap, fmt::Write as _, io::Write as _};

/// Appends the span's JSON object. False, and something half done, if it has no valid IDs.
pub(super) fn write(out: &mut Vec<u8>, context: &SpanInContext<'_>, settings: &Settings) -> bool {
    let span = &context.span;
    if !is_id(span.trace_id, 16) || !is_id(span.span_id, 8) {
        return false;
    }
    let mut tags = Tags::default();
    let service_name = service_name(&context.resource, &mut tags, settings);
    tags.scope(context);
    tags.attributes(span.attributes());
    let calls_out = matches!(span.kind, KIND_CLIENT | KIND_PRODUCER);

    let mut object = Object::open(out);
    object.id("traceId", span.trace_id);
    object.id("id", span.span_id);
    if is_id(span.parent_span_id, 8) {
        object.id("parentId", span.parent_span_id);
    }
    if !span.name.is_empty() {
        object.text("name", &String::from_utf8_lossy(span.name));
    }
    if let Some(kind) = kind_name(span.kind) {
        object.text("kind", kind);
    }
    times(&mut object, span);
    object.endpoint("localEndpoint", &Endpoint::local(&tags, &service_name));
    object.endpoint("remoteEndpoint", &Endpoint::remote(&tags, calls_out));
    annotations(&mut object, span);
    tags.span(span);
    tags.write(&mut object);
    object.close();
    true
}

/// The tags of a span; of equal keys the last one counts.
#[derive(Default)]
pub(super) struct Tags<'a> {
    by_key: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
}

impl<'a> Tags<'a> {
    /// A tag that says something.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.by_key.get(key).map(|text| &**text).filter(|text| !text.is_empty())
    }

    fn set(&mut self, key: &'static str, value: impl Into<Cow<'a, str>>) {
        self.by_key.insert(Cow::Borrowed(key), value.into());
    }

    fn attributes(&mut self, attributes: Attributes<'a>) {
        for (key, value) in attributes {
            self.by_key.insert(String::from_utf8_lossy(key), attribute_text::text(value));
        }
    }

    fn scope(&mut self, context: &SpanInContext<'a>) {
        self.attributes(context.scope.attributes());
        if !context.scope.name.is_empty() {
            self.set("otel.scope.name", String::from_utf8_lossy(context.scope.name));
        }
        if !context.scope.version.is_empty() {
            self.set("otel.scope.version", String::from_utf8_lossy(context.scope.version));
        }
    }

    /// What Zipkin has no member for.
    fn span(&mut self, span: &SpanView<'a>) {
        if !span.trace_state.is_empty() {
            self.set("w3c.tracestate", String::from_utf8_lossy(span.trace_state));
        }
        if span.kind == KIND_INTERNAL {
            self.set("span.kind", "internal");
        }
        let dropped = [
            ("otel.dropped_attributes_count", span.dropped_attributes),
            ("otel.dropped_events_count", span.dropped_events),
            ("otel.dropped_links_count", span.dropped_links),
        ];
        for (key, count) in dropped.into_iter().filter(|(_, count)| *count > 0) {
            self.set(key, count.to_string());
        }
        self.status(span);
        for (index, link) in span.links().enumerate() {
            self.by_key.insert(format!("otlp.link.{index}").into(), link_text(&link).into());
        }
    }

    /// Zipkin takes any span with a tag `error` for failed, so only a failed one may have it.
    fn status(&mut self, span: &SpanView<'a>) {
        self.by_key.remove("error");
        if span.status_code != STATUS_OK && span.status_code != STATUS_ERROR {
            return;
        }
        let message = String::from_utf8_lossy(span.status_message);
        if span.status_code == STATUS_ERROR {
            self.set("error", if message.is_empty() { Cow::Borrowed("true") } else { message.clone() });
        }
        self.set("otel.status_code", if span.status_code == STATUS_ERROR { "ERROR" } else { "OK" });
        if !message.is_empty() {
            self.set("otel.status_description", message);
        }
    }

    fn write(&self, object: &mut Object<'_>) {
        if self.by_key.is_empty() {
            return;
        }
        object.key("tags");
        let mut tags = Object::open(object.out);
        self.by_key.iter().for_each(|(key, value)| tags.text(key, value));
        tags.close();
    }
}

/// Moves the resource into tags and its name out of them.
fn service_name<'a>(resource: &ResourceView<'a>, tags: &mut Tags<'a>, settings: &'a Settings) -> Cow<'a, str> {
    tags.attributes(resource.attributes());
    for source in SERVICE_NAME_SOURCES {
        let Some(name) = tags.by_key.remove(*source).filter(|name| !name.is_empty()) else { continue };
        if *source != SERVICE_NAME_SOURCES[0] {
            tags.set("otlp.service.name.source", *source);
        }
        return name;
    }
    Cow::Borrowed(&settings.default_service_name)
}

/// Microseconds, rounded to the nearest. What is zero is left out; a span that took time took at least one.
fn times(object: &mut Object<'_>, span: &SpanView<'_>) {
    if span.start_ns == 0 {
        return;
    }
    object.number("timestamp", rounded_us(span.start_ns));
    let duration_ns = span.end_ns.saturating_sub(span.start_ns);
    if duration_ns > 0 {
        object.number("duration", rounded_us(duration_ns).max(1));
    }
}

fn annotations(object: &mut Object<'_>, span: &SpanView<'_>) {
    let mut separator = b'[';
    for event in span.events() {
        if separator == b'[' {
            object.key("annotations");
        }
        object.out.push(separator);
        separator = b',';
        let mut annotation = Object::open(object.out);
        annotation.number("timestamp", rounded_us(event.time_ns));
        annotation.text("value", &event_text(&event));
        annotation.close();
    }
    if separator == b',' {
        object.out.push(b']');
    }
}

/// The name; with attributes also those and how many were dropped.
fn event_text<'a>(event: &EventView<'a>) -> Cow<'a, str> {
    let name = String::from_utf8_lossy(event.name);
    if event.dropped_attributes == 0 && event.attributes().next().is_none() {
        return name;
    }
    let attributes = attribute_text::json_object(event.attributes());
    Cow::Owned(format!("{name}|{attributes}|{}", event.dropped_attributes))
}

fn link_text(link: &LinkView<'_>) -> String {
    let attributes = attribute_text::json_object(link.attributes());
    let state = String::from_utf8_lossy(link.trace_state);
    let (trace_id, span_id) = (hex(link.trace_id), hex(link.span_id));
    format!("{trace_id}|{span_id}|{state}|{attributes}|{}", link.dropped_attributes)
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String takes everything");
    }
    text
}

fn is_id(id: &[u8], len: usize) -> bool {
    id.len() == len && id.iter().any(|byte| *byte != 0)
}

fn rounded_us(ns: u64) -> u64 {
    ns / 1000 + u64::from(ns % 1000 >= 500)
}

fn kind_name(kind: i32) -> Option<&'static str> {
    match kind {
        KIND_SERVER => Some("SERVER"),
        KIND_CLIENT => Some("CLIENT"),
        KIND_PRODUCER => Some("PRODUCER"),
        KIND_CONSUMER => Some("CONSUMER"),
        _ => None,
    }
}

/// A JSON object that is being written.
struct Object<'a> {
    out: &'a mut Vec<u8>,
    separator: u8,
}

impl<'a> Object<'a> {
    fn open(out: &'a mut Vec<u8>) -> Self {
        Self { out, separator: b'{' }
    }

    fn key(&mut self, key: &str) {
        self.out.push(self.separator);
        self.separator = b',';
        self.string(key);
        self.out.push(b':');
    }

    fn text(&mut self, key: &str, text: &str) {
        self.key(key);
        self.string(text);
    }

    fn id(&mut self, key: &str, id: &[u8]) {
        self.text(key, &hex(id));
    }

    fn number(&mut self, key: &str, number: u64) {
        self.key(key);
        write!(self.out, "{number}").expect("a Vec takes everything");
    }

    fn endpoint(&mut self, key: &str, endpoint: &Endpoint<'_>) {
        if endpoint.is_empty() {
            return;
        }
        self.key(key);
        let mut object = Object::open(self.out);
        if !endpoint.service_name.is_empty() {
            object.text("serviceName", endpoint.service_name);
        }
        if let Some(address) = endpoint.address {
            object.text(if address.is_ipv4() { "ipv4" } else { "ipv6" }, &address.to_string());
        }
        if endpoint.port > 0 {
            object.number("port", u64::from(endpoint.port));
        }
        object.close();
    }

    fn string(&mut self, text: &str) {
        serde_json::to_writer(&mut *self.out, text).expect("a Vec takes everything");
    }

    fn close(self) {
        if self.separator == b'{' {
            self.out.push(b'{');
        }
        self.out.push(b'}');
    }
}

const KIND_INTERNAL: i32 = 1;
const KIND_SERVER: i32 = 2;
const KIND_CLIENT: i32 = 3;
const KIND_PRODUCER: i32 = 4;
const KIND_CONSUMER: i32 = 5;

const STATUS_OK: i32 = 1;
const STATUS_ERROR: i32 = 2;

/// Where a service's name may stand, best first, as the collector looks for it.
const SERVICE_NAME_SOURCES: &[&str] = &["service.name", "faas.name", "k8s.deployment.name", "process.executable.name"];
