//! Settings of both spellings, what is refused, and what statements do to whole requests.

use super::{Transform, TransformSettings};
use crate::{
    Broken, Failing, Ignored, Moment, Processor,
    notation::{check, decode},
};
use otlp::{
    Signal,
    wire::{put_len, put_uint},
};
use settings::{Decode, Mode, Node, Problems};

const MOMENT: Moment<'static> = Moment::at(1_700_000_000_000_000_000, 7);

fn transform(yaml: &str) -> Transform {
    let settings: TransformSettings = decode(yaml).unwrap_or_else(|error| panic!("{yaml}: {error}"));
    Transform::new(&settings).expect("decoded settings")
}

#[track_caller]
fn edits(signal: Signal, yaml: &str, before: &str, after: &str) {
    check(&transform(yaml), signal, before, after, 0);
}

/// All problems of some settings, as they are shown.
fn problems(yaml: &str) -> String {
    let (tree, sources, mut problems) = settings::load(&[format!("yaml:{yaml}")], &[], &|_| None);
    let node = tree.as_ref().and_then(|tree| tree.lookup("v")).cloned().unwrap_or_else(Node::null);
    let _ = TransformSettings::decode(&node, &mut problems);
    problems.render(&sources)
}

#[track_caller]
fn refused(yaml: &str, expected: &[&str]) {
    let told = problems(yaml);
    for text in expected {
        assert!(told.contains(text), "{text} is not in\n{told}");
    }
    assert_eq!(told.matches("error: ").count(), expected.len(), "{told}");
}

#[test]
fn groups_come_one_after_the_other() {
    let before = "{service.name: shop} [lib@1] GET kind=2 event=first,second {x: 1}; b {}";
    edits(
        Signal::Traces,
        r#"{trace_statements: [
            {context: span, statements: ['set(resource.attributes["last"], name)', 'set(attributes["x"], "y") where attributes["x"] != nil']},
            {context: resource, statements: ['set(attributes["copy"], attributes["last"])']},
            {context: scope, statements: ['set(name, resource.attributes["copy"])']},
            {context: spanevent, statements: ['set(name, Concat([scope.name, name], "-"))', 'set(span.attributes["event"], name)']}]}"#,
        before,
        "{service.name: shop, last: b, copy: b} [b@1] GET kind=2 event=b-first,b-second {x: y, event: b-second}; b {}",
    );
}

#[test]
fn contexts_are_inferred() {
    edits(
        Signal::Traces,
        r#"{trace_statements: ['set(span.name, "n") where resource.attributes["a"] == 1', 'set(span.attributes["k"], span.name)']}"#,
        "{a: 1} [] x {}\n{a: 2} [] y {}",
        "{a: 1} [] n {k: n}\n{a: 2} [] y {k: y}",
    );
    edits(
        Signal::Logs,
        r#"{log_statements: ['set(log.severity_text, "low") where log.severity_number < SEVERITY_NUMBER_INFO']}"#,
        "- [] hello severity=5 {}; there severity=9 {}",
        "- [] hello severity=5 text=low {}; there severity=9 {}",
    );
    edits(
        Signal::Metrics,
        r#"{metric_statements: ['set(datapoint.attributes["m"], metric.name)', 'delete_key(datapoint.attributes, "a")']}"#,
        "- [] m type=sum {a: 1} {b: 2}",
        "- [] m type=sum {m: m} {b: 2, m: m}",
    );
}

#[test]
fn conditions_and_errors() {
    let yaml = |mode: &str| {
        format!(
            r#"{{error_mode: {mode}, trace_statements: [{{context: span, conditions: ['1 / attributes["x"] == 1', 'name == "b"'],
                statements: ['set(name, 1)', 'set(attributes["done"], true)']}}]}}"#
        )
    };
    let before = "- [] a {x: 1}; b {x: 0}; c {x: 0}";
    edits(Signal::Traces, &yaml("ignore"), before, "- [] a {x: 1, done: true}; b {x: 0, done: true}; c {x: 0}");
    let request = crate::notation::request(Signal::Traces, before);
    let error = transform(&yaml("propagate")).edit(Signal::Traces, &request, MOMENT).unwrap_err();
    let expected = "the statement `set(name, 1)` failed: expected a string, found an int";
    assert_eq!(error, Broken::Refused(expected.to_string()));
}

#[test]
fn errors_that_are_passed_over_are_told() {
    let ignored = |mode: &str| {
        let yaml = format!(
            r#"{{error_mode: {mode}, trace_statements: [{{context: span, conditions: ['1 / attributes["x"] == 1', 'true'],
                statements: ['set(name, 1)', 'set(kind, 2)']}}]}}"#
        );
        let request = crate::notation::request(Signal::Traces, "- [] a {x: 1}; b {x: 0}");
        transform(&yaml).edit(Signal::Traces, &request, MOMENT).unwrap().ignored
    };
    let told = ignored("ignore");
    let first = told.first.expect("the first error");
    assert_eq!((told.errors, first.what, first.text.as_str()), (3, Failing::Statement, "set(name, 1)"));
    assert_eq!(first.error, "expected a string, found an int");
    assert_eq!(ignored("silent"), Ignored { errors: 3, first: None });
}

#[test]
fn caches_last_for_a_record_or_for_the_request() {
    let yaml = |shared: bool| {
        format!(
            r#"{{trace_statements: [{{context: span, shared_cache: {shared}, statements: [
                'set(cache["first"], name) where cache["first"] == nil', 'set(attributes["first"], cache["first"])']}}]}}"#
        )
    };
    edits(Signal::Traces, &yaml(false), "- [] a {}; b {}", "- [] a {first: a}; b {first: b}");
    edits(Signal::Traces, &yaml(true), "- [] a {}; b {}", "- [] a {first: a}; b {first: a}");
}

/// A statement that draws random numbers draws others each time.
#[test]
fn random_values_differ() {
    let transform =
        transform(r#"{trace_statements: ['set(span.attributes["a"], UUID())', 'set(span.attributes["b"], UUID())']}"#);
    let request = crate::notation::request(Signal::Traces, "- [] x {}; y {}");
    let edited = transform.edit(Signal::Traces, &request, MOMENT).unwrap().body.into_owned();
    let ids: std::collections::BTreeSet<Vec<u8>> = otlp::view::spans(&edited)
        .flat_map(|span| span.unwrap().span.attributes().map(|(_, id)| id.str_or_empty().to_vec()).collect::<Vec<_>>())
        .collect();
    assert_eq!(ids.len(), 4);
}

#[test]
fn what_no_statement_changes_keeps_its_bytes() {
    let mut span = Vec::new();
    put_len(&mut span, 5, b"name");
    put_len(&mut span, 99, b"unknown");
    put_len(&mut span, 9, &[0x0a, 1, b'k', 0x12, 2, 0x18, 7, 0x9a, 6, 1, b'?']);
    let mut other = Vec::new();
    put_uint(&mut other, 6, 2);
    let mut scope = Vec::new();
    put_len(&mut scope, 2, &span);
    put_len(&mut scope, 98, b"?");
    put_len(&mut scope, 2, &other);
    put_len(&mut scope, 1, &[0x0a, 1, b's']);
    let mut part = Vec::new();
    put_len(&mut part, 2, &scope);
    let mut request = Vec::new();
    put_len(&mut request, 97, b"?");
    put_len(&mut request, 1, &part);
    put_len(&mut request, 1, &part);

    let idle = transform(
        r#"{trace_statements: ['set(span.name, "name") where span.kind == 0', 'set(span.kind, span.kind)']}"#,
    );
    let edited = idle.edit(Signal::Traces, &request, MOMENT).unwrap();
    assert!(matches!(edited.body, std::borrow::Cow::Borrowed(_)));

    let changing = transform(r#"{trace_statements: ['set(span.attributes["x"], true) where span.kind == 0']}"#);
    let edited = changing.edit(Signal::Traces, &request, MOMENT).unwrap().body.into_owned();
    put_len(&mut span, 9, &[0x0a, 1, b'x', 0x12, 2, 0x10, 1]);
    let mut scope = Vec::new();
    put_len(&mut scope, 98, b"?");
    put_len(&mut scope, 1, &[0x0a, 1, b's']);
    put_len(&mut scope, 2, &span);
    put_len(&mut scope, 2, &other);
    let mut part = Vec::new();
    put_len(&mut part, 2, &scope);
    let mut expected = Vec::new();
    put_len(&mut expected, 97, b"?");
    put_len(&mut expected, 1, &part);
    put_len(&mut expected, 1, &part);
    assert_eq!(edited, expected);
    assert!(changing.edit(Signal::Traces, &request[..request.len() - 1], MOMENT).is_err());
}

#[test]
fn mistakes_are_told_at_their_place() {
    let told = problems(
        "v:\n  error_mode: loud\n  trace_statements:\n    - context: span\n      conditions:\n        - nam == \"x\"\n      \
         statements:\n        - set(attributes[\"a\"], Foo())\n        - 'sett(name, \"x\") where knd == 1'\n",
    );
    for expected in [
        "unknown error mode `loud`",
        "invalid statement `set(attributes[\"a\"], Foo())`: unknown converter `Foo`",
        "invalid statement `sett(name, \"x\") where knd == 1`: unknown editor `sett`, did you mean `set`?",
        "invalid statement `sett(name, \"x\") where knd == 1`: unknown path `knd`, did you mean `kind`?",
        "invalid condition `nam == \"x\"`: unknown path `nam`, did you mean `name`?",
        "8:32",
        "9:34",
    ] {
        assert!(told.contains(expected), "{expected} is not in\n{told}");
    }
}

#[test]
fn refusals() {
    refused("v: {flatten_data: true}", &["`flatten_data` is not supported"]);
    refused("v: {profile_statements: ['set(a, 1)']}", &["`profile_statements` are not supported"]);
    refused("v: {trace_statements: 5}", &["`trace_statements` must be a list"]);
    refused("v: {trace_statements: [null]}", &["must be a statement or a group of them"]);
    refused("v: {trace_statements: [{context: log, statements: []}]}", &["the context `log` is none of traces"]);
    refused("v: {metric_statements: [{context: exemplar}]}", &["the context `exemplar` is not supported"]);
    refused("v: {trace_statements: [{context: spam}]}", &["unknown context `spam`"]);
    refused("v: {trace_statements: [{statments: []}]}", &["unknown setting `statments`", "cannot be inferred"]);
    refused(
        "v: {trace_statements: ['set(span.name, \"x\")', {context: span, statements: []}]}",
        &["a group of statements cannot follow plain ones"],
    );
    refused(
        "v: {trace_statements: ['set(span.name, name)']}",
        &["`name` does not say which context it is of, write one of `span.name`"],
    );
    refused("v: {trace_statements: ['set(name, \"x\")']}", &["cannot be inferred: no path says which context"]);
    refused(
        "v: {metric_statements: ['scale_metric(2.0) where metric.name == \"x\"']}",
        &["`scale_metric` is not supported"],
    );
}

#[test]
fn effective_settings() {
    let settings: TransformSettings = decode(
        r#"{error_mode: Silent, trace_statements: [{context: SPAN, conditions: ['name == "x"'], statements: ['set(name, "y")'], error_mode: propagate}, 'set(span.name, "z")']}"#,
    )
    .unwrap();
    let printed = settings.effective().to_yaml(Mode::Unredacted);
    let expected = r#"error_mode: silent
flatten_data: false
log_statements: []
metric_statements: []
profile_statements: []
trace_statements:
    - conditions:
        - name == "x"
      context: span
      error_mode: propagate
      shared_cache: false
      statements:
        - set(name, "y")
    - conditions: []
      context: ""
      error_mode: ""
      shared_cache: false
      statements:
        - set(span.name, "z")
"#;
    assert_eq!(printed, expected);
    let again: TransformSettings = decode("{}").unwrap();
    assert_eq!(again, TransformSettings::default());
    assert!(TransformSettings::decode(&Node::null(), &mut Problems::new()).is_some());
}
