//! What processors and `batch` know of clients beside what the real collector's do: the same requests with the same headers
//! must be answered with the same status, and leave the same attributes.

use crate::{
    collector::{Collector, post_json_with},
    reference::Reference,
};
use serde_json::Value;
use std::{fs, net::SocketAddr, path::Path};

/// The headers of each request. The third tenant is one too many.
const REQUESTS: [&[(&str, &str)]; 8] = [
    &[("x-tenant", "A"), ("x-one", "1")],
    &[("X-TENANT", "B"), ("x-two", "1"), ("X-Two", "2"), ("x-two", "")],
    &[("x-tenant", "C")],
    &[("x-tenant", "A"), ("x-tenant", "B")],
    &[],
    &[("x-tenant", "A"), ("x-a-bin", "aGk=")],
    &[("x-tenant", "A"), ("x-two", "1"), ("x-two", "2"), ("x-two", "drop")],
    &[("x-tenant", "B"), ("te", "trailers"), ("authorization", "Basic YTpi")],
];
const KEYS: [&str; 12] = [
    "metadata.X-Tenant",
    "x-tenant",
    "metadata.x-one",
    "metadata.x-two",
    "metadata.x-a-bin",
    "metadata.te",
    "metadata.connection",
    "metadata.content-type",
    "metadata.content-length",
    "metadata.metadata.x-one",
    "auth.username",
    "client.address",
];

/// The same in statements; what changes from run to run is left out.
const STATEMENTS: [&str; 10] = [
    r#"set(span.attributes["s addr"], otelcol.client.addr)"#,
    r#"set(span.attributes["s tenant"], otelcol.client.metadata["X-Tenant"])"#,
    r#"set(span.attributes["s two"], otelcol.client.metadata["x-two"][1])"#,
    r#"set(span.attributes["s none"], otelcol.client.metadata["none"])"#,
    r#"set(span.attributes["s grpc"], Len(otelcol.grpc.metadata))"#,
    r#"set(span.attributes["s grpc tenant"], otelcol.grpc.metadata["x-tenant"])"#,
    r#"set(span.attributes["s auth"], otelcol.client.auth.attributes)"#,
    r#"set(span.attributes["s user"], otelcol.client.auth.attributes["username"])"#,
    r#"set(span.attributes["s A"], true) where otelcol.client.metadata["x-tenant"] == ["A"]"#,
    r#"set(span.attributes["s count"], Len(Keys(otelcol.client.metadata)))"#,
];

/// Every key asked for at three places: where everything is known, behind a `batch` with keys, behind one without.
fn configuration(endpoint: &str, file: &Path, include_metadata: bool) -> String {
    let asking = |place: &str| {
        let actions = KEYS.map(|key| format!("{{key: '{place} {key}', from_context: {key}, action: insert}}"));
        format!(
            "{{actions: [{}, {{key: '{place} none', from_context: none, default_value: 7, action: upsert}}]}}",
            actions.join(", ")
        )
    };
    let statements = STATEMENTS.map(|statement| format!("'{statement}'")).join(", ");
    let statements = format!("{{error_mode: ignore, trace_statements: [{{statements: [{statements}]}}]}}");
    format!(
        "receivers: {{otlp: {{protocols: {{http: {{endpoint: '{endpoint}', include_metadata: {include_metadata}}}}}}}}}
processors:
  attributes/front: {}
  transform/front: {statements}
  filter: {{error_mode: ignore, trace_conditions: ['span.name == \"\" and otelcol.client.metadata[\"x-two\"][2] == \"drop\"']}}
  batch/keys: {{metadata_keys: [x-none, X-Tenant], metadata_cardinality_limit: 2}}
  attributes/behind: {}
  batch/all: {{}}
  attributes/last: {}
exporters: {{file: {{path: '{}'}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces:
      receivers: [otlp]
      processors: [attributes/front, transform/front, filter, batch/keys, attributes/behind, batch/all, attributes/last]
      exporters: [file]
",
        asking("front"),
        asking("behind"),
        asking("last"),
        file.display()
    )
}

/// The status of each request.
fn sent(address: SocketAddr) -> Vec<String> {
    let send = |(number, headers): (usize, &&[(&str, &str)])| {
        let body = format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{number:031}1","spanId":"0102030405060708"}}]}}]}}]}}"#
        );
        let answer = post_json_with(address, "/v1/traces", headers, &body);
        answer.lines().next().unwrap_or_default().to_owned()
    };
    REQUESTS.iter().enumerate().map(send).collect()
}

/// The spans in a file, one a line, in the order of their IDs.
fn left(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).expect("something was written");
    let requests: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let resources = requests.iter().flat_map(|request| list(request, "resourceSpans"));
    let spans = resources.flat_map(|one| list(&one, "scopeSpans")).flat_map(|scope| list(&scope, "spans"));
    let mut spans: Vec<String> = spans
        .map(|span| {
            let mut attributes: Vec<String> = list(&span, "attributes").iter().map(Value::to_string).collect();
            attributes.sort();
            format!("{} {}", span["traceId"], attributes.join(" "))
        })
        .collect();
    spans.sort();
    spans
}

#[test]
fn the_same_is_known_of_clients() {
    for include_metadata in [true, false] {
        let folder = tempfile::tempdir().expect("a folder");
        let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
        let reference =
            Reference::start(|address| configuration(address, &theirs, include_metadata)).expect("it starts");
        let collector = Collector::start(&configuration("127.0.0.1:0", &ours, include_metadata));
        let answers = sent(collector.address("http"));
        let of_reference = sent(reference.address());
        collector.stop();
        reference.stop();
        for ((ours, theirs), headers) in answers.iter().zip(&of_reference).zip(REQUESTS) {
            assert_eq!(ours, theirs, "{headers:?}");
        }
        let (ours, theirs) = (left(&ours), left(&theirs));
        // Where there is metadata, three are of a tenant too many, and one is filtered.
        assert_eq!(ours.len(), if include_metadata { 4 } else { REQUESTS.len() }, "{ours:#?}");
        assert_eq!(ours.iter().any(|span| span.contains("s A")), include_metadata, "{ours:#?}");
        assert_eq!(ours, theirs, "include_metadata: {include_metadata}");
    }
}
