//! Which items the actions reach. What was asked of otelcol 0.161.

use super::*;
use crate::notation::{check, decode};

fn attributes(yaml: &str) -> Attributes {
    Attributes::new(&decode(yaml).unwrap()).unwrap()
}

#[test]
fn every_kind_of_record() {
    let processor = attributes("{actions: [{key: a, value: x, action: upsert}, {key: b, action: delete}]}");
    let (before, after) = ("{a: 1} [s] n {b: 2}; m {a: 2, c: 3}", "{a: 1} [s] n {a: x}; m {a: x, c: 3}");
    Signal::ALL.iter().for_each(|signal| check(&processor, *signal, before, after, 0));
    for kind in ["", "type=sum ", "type=histogram ", "type=exponential ", "type=summary "] {
        let before = format!("{{}} [s] n {kind}{{b: 1}} {{}} {{a: 1}}");
        let after = format!("{{}} [s] n {kind}{{a: x}} {{a: x}} {{a: x}}");
        check(&processor, Signal::Metrics, &before, &after, 0);
    }
    check(&processor, Signal::Metrics, "{} [s] n type=none", "{} [s] n type=none", 0);
}

/// Names of the items that a request's items are reached of.
fn reached(matching: &str, signal: Signal, request: &str, expected: &str) {
    let processor = attributes(&format!("{{{matching}, actions: [{{key: hit, value: 1, action: insert}}]}}"));
    let bytes = crate::notation::request(signal, request);
    let edited = processor.edit(signal, &bytes, Moment::at(0, 0)).unwrap();
    let shown = crate::notation::shown(signal, &edited.body);
    let items = shown.split("] ").flat_map(|part| part.split([';', '\n'])).filter(|item| item.contains("hit: 1"));
    let names: Vec<&str> = items.map(|item| item.split_whitespace().next().unwrap()).collect();
    assert_eq!(names.join(" "), expected, "{matching}\n{request}");
}

const SPANS: &str = "{service.name: shop, zone: 7} [lib@1] a kind=2 {x: 1}; b kind=3 {x: one, y: true}
{service.name: cart} [lib] c {}; ab kind=1 {y: 2.5} [other@1] d {x: 1, y: [1, 2]}
- [] e {x: ''}";

#[test]
fn spans() {
    for (matching, expected) in [
        ("include: {match_type: strict, services: [shop, x]}", "a b"),
        ("include: {match_type: regexp, services: ['^(shop|cart)$']}", "a b c ab d"),
        ("include: {match_type: strict, services: [<nil-service-name>]}", "e"),
        ("exclude: {match_type: regexp, services: [s]}", "c ab d"),
        ("include: {match_type: strict, span_names: [a, d]}", "a d"),
        ("include: {match_type: regexp, span_names: [a]}", "a ab"),
        (
            "include: {match_type: regexp, regexp: {cacheenabled: true}, span_names: [a]}, exclude: {match_type: strict, span_names: [a]}",
            "ab",
        ),
        ("include: {match_type: strict, span_kinds: [SPAN_KIND_SERVER, SPAN_KIND_CLIENT]}", "a b"),
        ("include: {match_type: regexp, span_kinds: [UNSPEC]}", "c d e"),
        ("include: {match_type: strict, attributes: [{key: x}]}", "a b d e"),
        ("include: {attributes: [{key: x}]}", "a b d e"),
        ("include: {match_type: strict, attributes: [{key: x, value: 1}]}", "a d"),
        ("include: {match_type: strict, attributes: [{key: x, value: 1.0}]}", ""),
        ("include: {match_type: strict, attributes: [{key: x, value: ''}]}", "e"),
        ("include: {match_type: strict, attributes: [{key: x, value: 1}, {key: y, value: [1, 2]}]}", "d"),
        ("include: {match_type: regexp, attributes: [{key: x, value: '^1|n'}]}", "a b d"),
        ("include: {match_type: regexp, attributes: [{key: y, value: '^(true|2.5)$'}]}", "b ab"),
        ("include: {match_type: strict, resources: [{key: zone, value: 7}]}", "a b"),
        ("exclude: {match_type: strict, resources: [{key: zone}]}", "c ab d e"),
        ("include: {match_type: strict, libraries: [{name: lib}]}", "a b c ab"),
        ("include: {match_type: strict, libraries: [{name: lib, version: ''}]}", "c ab"),
        (
            "include: {match_type: regexp, libraries: [{name: '.', version: 1}]}"
                .replace("version: 1", "version: '1'")
                .as_str(),
            "a b d",
        ),
        ("include: {match_type: strict, services: [cart], span_names: [a, ab]}", "ab"),
        (
            "include: {match_type: strict, services: [cart]}, exclude: {match_type: strict, libraries: [{name: other}]}",
            "c ab",
        ),
    ] {
        reached(matching, Signal::Traces, SPANS, expected);
    }
}

#[test]
fn logs_and_metrics() {
    let logs = "{zone: 7} [s] a severity=9 text=INFO {x: 1}; b severity=17 text=ERROR {}; c {}";
    for (matching, expected) in [
        ("include: {match_type: strict, log_bodies: [a]}", "a"),
        ("include: {match_type: regexp, log_bodies: ['a|b']}", "a b"),
        ("include: {match_type: strict, log_severity_texts: [INFO, '']}", "a c"),
        ("include: {log_severity_number: {min: 10}}", "b"),
        ("include: {log_severity_number: {min: 9, match_undefined: true}}", "a b c"),
        ("exclude: {log_severity_number: {min: 1}}", "c"),
        ("include: {match_type: strict, resources: [{key: zone, value: 8}]}", ""),
        ("include: {match_type: strict, attributes: [{key: x, value: 1}]}", "a"),
    ] {
        reached(matching, Signal::Logs, logs, expected);
    }
    let metrics = "{zone: 7} [s] a {} {}; ab type=sum {x: 1}; c {}";
    for (matching, expected) in [
        ("include: {match_type: strict, metric_names: [a, c]}", "a c"),
        ("exclude: {match_type: regexp, metric_names: ['^a']}", "c"),
        // otelcol reads these and does not look at them.
        ("include: {match_type: strict, resources: [{key: zone, value: 8}]}", "a ab c"),
    ] {
        reached(matching, Signal::Metrics, metrics, expected);
    }
}

#[test]
fn what_does_not_fit_a_signal() {
    let fits = |matching: &str, signal| {
        let actions = "actions: [{key: a, action: delete}]";
        decode::<AttributesSettings>(&format!("{{{matching}, {actions}}}")).unwrap().fits(signal)
    };
    for (matching, signal, expected) in [
        (
            "include: {}",
            Signal::Traces,
            "`include` names no property; add one of `services`, `span_names`, `span_kinds`, `attributes`, `resources`, `libraries`",
        ),
        (
            "exclude: {match_type: strict, log_bodies: [a]}",
            Signal::Traces,
            "`exclude` has `log_bodies`, which traces do not have; use `services`, `span_names`, `span_kinds`, `attributes`, `resources`, `libraries`",
        ),
        (
            "include: {match_type: strict, services: [a]}",
            Signal::Logs,
            "`include` has `services`, which logs do not have; use `log_bodies`, `log_severity_texts`, `log_severity_number`, `attributes`, `resources`, `libraries`",
        ),
        (
            "include: {match_type: strict, attributes: [{key: a}]}",
            Signal::Metrics,
            "`include` has `attributes`, which metrics do not have; use `metric_names`, `resources`",
        ),
        (
            "include: {match_type: strict, span_kinds: [server]}",
            Signal::Traces,
            "`include` has the unknown span kind `server`; write one of `SPAN_KIND_INTERNAL`, `SPAN_KIND_SERVER`, `SPAN_KIND_CLIENT`, `SPAN_KIND_PRODUCER`, `SPAN_KIND_CONSUMER`",
        ),
    ] {
        assert_eq!(fits(matching, signal).unwrap_err(), expected, "{matching}");
    }
    assert_eq!(fits("include: {match_type: regexp, span_kinds: [server]}", Signal::Traces), Ok(()));
}

#[test]
fn mistakes() {
    for (yaml, expected) in [
        ("{}", "an `attributes` processor needs `actions`"),
        (
            "{include: {services: [a]}, actions: [{key: a, action: hash}]}",
            "these properties need a `match_type`; write `strict` or `regexp`",
        ),
        (
            "{include: {match_type: expr, services: [a]}, actions: [{key: a, action: hash}]}",
            "unknown `match_type` `expr`; write `strict` or `regexp`",
        ),
        (
            "{include: {match_type: regexp, span_names: [a, '(']}, actions: [{key: a, action: hash}]}",
            "invalid pattern `(`: missing closing `)`; write it in Go's syntax (RE2)",
        ),
        (
            "{include: {match_type: regexp, attributes: [{key: a, value: 1}]}, actions: [{key: a, action: hash}]}",
            "the pattern for `a` must be text; put it in quotes, or write `match_type: strict`",
        ),
        (
            "{include: {match_type: strict, attributes: [{value: 1}]}, actions: [{key: a, action: hash}]}",
            "an attribute to match needs a `key`; add `key: …`",
        ),
        (
            "{include: {match_typ: strict}, actions: [{key: a, action: hash}]}",
            "unknown setting `match_typ` in `include`, did you mean `match_type`?",
        ),
        (
            "{include: {match_type: regexp, regexp: {cacheenabled: true, cachemaxnumentries: -1}}, actions: [{key: a, action: hash}]}",
            "`cachemaxnumentries` must be zero or more",
        ),
    ] {
        assert_eq!(decode::<AttributesSettings>(yaml).unwrap_err(), expected, "{yaml}");
    }
}
