//! What processors and `batch` know of clients beside what the real collector's do: the same requests with the same headers
//! must be answered with the same status, and leave the same attributes.

use crate::{
    collector::{Collector, post_json_with},
    reference::Reference,
};
use serde_json::Value;
use std::{fs, net::SocketAddr, path::Path};

/// The headers of each request. The third tenant is one too many.
const REQUESTS: [&[(&str, &str)]; 7] = [
    &[("x-tenant", "A"), ("x-one", "1")],
    &[("X-TENANT", "B"), ("x-two", "1"), ("X-Two", "2"), ("x-two", "")],
    &[("x-tenant", "C")],
    &[("x-tenant", "A"), ("x-tenant", "B")],
    &[],
    &[("x-tenant", "A"), ("x-a-bin", "aGk=")],
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

/// Every key asked for at three places: where everything is known, behind a `batch` with keys, behind one without.
fn configuration(endpoint: &str, file: &Path, include_metadata: bool) -> String {
    let asking = |place: &str| {
        let actions = KEYS.map(|key| format!("{{key: '{place} {key}', from_context: {key}, action: insert}}"));
        format!(
            "{{actions: [{}, {{key: '{place} none', from_context: none, default_value: 7, action: upsert}}]}}",
            actions.join(", ")
        )
    };
    format!(
        "receivers: {{otlp: {{protocols: {{http: {{endpoint: '{endpoint}', include_metadata: {include_metadata}}}}}}}}}
processors:
  attributes/front: {}
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
      processors: [attributes/front, batch/keys, attributes/behind, batch/all, attributes/last]
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
        assert!(ours.len() >= 3, "enough was taken: {ours:#?}");
        assert_eq!(ours, theirs, "include_metadata: {include_metadata}");
    }
}
