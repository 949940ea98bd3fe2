//! A span is named after what it does, as OpenTelemetry's semantic conventions say.

use super::Editor;
use crate::{
    edit::{
        Buffer, Run,
        encode::encode_wire,
        entries::Entries,
        message::{replaced, with_bytes},
        run,
    },
    functions::{Arguments, Call, Kind::Text, arg, opt},
    path::Context,
    value::{Value, element_text},
};
use otlp::view::SpanView;

pub(super) const TABLE: &[Editor] = &[Editor {
    name: "set_semconv_span_name",
    params: &[arg("SemconvVersion", Text), opt("OriginalSpanNameAttribute", Text)],
    prepare: set_semconv_span_name,
    only: Some(Context::Span),
}];

/// The versions of the conventions that agree about names.
const MINORS: std::ops::RangeInclusive<u64> = 37..=43;

fn set_semconv_span_name(arguments: &Arguments) -> Result<Run, String> {
    let version = arguments.constant_text(0).unwrap_or_default();
    if !is_known(version) {
        let (first, last) = (MINORS.start(), MINORS.end());
        return Err(format!("the version of the conventions is 1.{first}.0 to 1.{last}.0, `{version}` is not"));
    }
    let original = arguments.constant_str(1).map(<[u8]>::to_vec);
    if original.as_ref().is_some_and(Vec::is_empty) {
        return Err("the attribute for the original name has no name itself".to_string());
    }
    Ok(run(move |call: Call<'_>| {
        let span = call.subject.span();
        let name = derived(span);
        if name == span.name {
            return Ok(None);
        }
        let mut body = with_bytes(span.body, 5, &name);
        if let Some(key) = &original {
            let mut entries = Entries::of(span.body, 9);
            entries.entry(key).set(&encode_wire(otlp::Value::Str(span.name)));
            body = replaced(&body, &[9], |out| entries.write(out, 9));
        }
        Ok(Some(Buffer::Item.change(body)))
    }))
}

/// `1.37.0`, also as `v1.37` or `1.37`; the last one has no patch.
fn is_known(version: &str) -> bool {
    let version = version.strip_prefix('v').unwrap_or(version);
    let numbers: Option<Vec<u64>> = version.split('.').map(|part| part.parse().ok()).collect();
    match numbers.as_deref() {
        Some([1, minor]) => MINORS.contains(minor),
        Some([1, minor, patch]) => MINORS.contains(minor) && (minor < MINORS.end() || *patch == 0),
        _ => false,
    }
}

const SERVER: i32 = 2;
const CLIENT: i32 = 3;
const PRODUCER: i32 = 4;
const CONSUMER: i32 = 5;

/// The name by the conventions; that which it has, where they say nothing.
fn derived(span: &SpanView<'_>) -> Vec<u8> {
    let name = match span.kind {
        SERVER => http(span, "http.route").or_else(|| rpc(span)).or_else(|| messaging(span)),
        CLIENT => {
            http(span, "url.template").or_else(|| rpc(span)).or_else(|| database(span)).or_else(|| messaging(span))
        }
        PRODUCER | CONSUMER => messaging(span),
        _ => None,
    };
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| span.name.to_vec())
}

fn http(span: &SpanView<'_>, subject: &str) -> Option<Vec<u8>> {
    let method = first(span, ["http.request.method", "http.method"])?;
    Some(match text(span, subject) {
        Some(subject) => joined(&method, b" ", &subject),
        None => method,
    })
    .filter(|name| !name.is_empty())
}

fn rpc(span: &SpanView<'_>) -> Option<Vec<u8>> {
    let system = first(span, ["rpc.system.name", "rpc.system"])?;
    let method = first(span, ["rpc.method", "rpc.grpc.method"]);
    let service = first(span, ["rpc.service", "rpc.grpc.service"]);
    Some(match (method, service) {
        (Some(method), Some(service)) => joined(&service, b"/", &method),
        (Some(method), None) => method,
        (None, Some(service)) => joined(&service, b"/", b"*"),
        (None, None) => system,
    })
    .filter(|name| !name.is_empty())
}

fn database(span: &SpanView<'_>) -> Option<Vec<u8>> {
    let system = first(span, ["db.system.name", "db.system"])?;
    if let Some(summary) = text(span, "db.query.summary") {
        return Some(summary).filter(|name| !name.is_empty());
    }
    let operation = first(span, ["db.operation.name", "db.operation"]).unwrap_or_default();
    let target = database_target(span);
    Some(match (operation.is_empty(), target.is_empty()) {
        (false, false) => joined(&operation, b" ", &target),
        (false, true) => operation,
        (true, false) => target,
        (true, true) => system,
    })
    .filter(|name| !name.is_empty())
}

fn database_target(span: &SpanView<'_>) -> Vec<u8> {
    let namespace = first(span, ["db.namespace", "db.name"]).unwrap_or_default();
    if let Some(name) = first(span, ["db.collection.name", "db.stored_procedure.name"]) {
        return if namespace.is_empty() { name } else { joined(&namespace, b".", &name) };
    }
    if namespace.is_empty() { server(span).unwrap_or_default() } else { namespace }
}

fn messaging(span: &SpanView<'_>) -> Option<Vec<u8>> {
    let system = text(span, "messaging.system")?;
    let operation = first(span, ["messaging.operation.name", "messaging.operation"]);
    let destination = messaging_destination(span);
    Some(match (operation, destination.is_empty()) {
        (Some(operation), false) => joined(&operation, b" ", &destination),
        (None, false) => destination,
        (Some(operation), true) => operation,
        (None, true) => system,
    })
    .filter(|name| !name.is_empty())
}

fn messaging_destination(span: &SpanView<'_>) -> Vec<u8> {
    let is_set = |key: &str| find(span, key).is_some_and(otlp::Value::bool_or_false);
    if is_set("messaging.destination.temporary") {
        return b"(temporary)".to_vec();
    }
    if is_set("messaging.destination.anonymous") {
        return b"(anonymous)".to_vec();
    }
    let named = text(span, "messaging.destination.template")
        .or_else(|| first(span, ["messaging.destination.name", "messaging.destination"]));
    named.or_else(|| server(span)).unwrap_or_default()
}

fn server(span: &SpanView<'_>) -> Option<Vec<u8>> {
    let address = text(span, "server.address")?;
    Some(match text(span, "server.port") {
        Some(port) => joined(&address, b":", &port),
        None => address,
    })
}

/// The text of the first attribute that is there.
fn first(span: &SpanView<'_>, keys: [&str; 2]) -> Option<Vec<u8>> {
    keys.into_iter().find_map(|key| text(span, key))
}

fn text(span: &SpanView<'_>, key: &str) -> Option<Vec<u8>> {
    find(span, key).map(|value| element_text(&Value::of_wire(value)))
}

fn find<'a>(span: &SpanView<'a>, key: &str) -> Option<otlp::Value<'a>> {
    span.attributes().find(|(name, _)| *name == key.as_bytes()).map(|(_, value)| value)
}

fn joined(first: &[u8], between: &[u8], last: &[u8]) -> Vec<u8> {
    [first, between, last].concat()
}
