//! What goes and what stays. What was asked of otelcol 0.161.

use super::*;
use crate::notation::{check, decode, request, shown};

fn filter(yaml: &str) -> Filter {
    Filter::new(&decode(yaml).unwrap()).unwrap()
}

const MOMENT: Moment<'static> = Moment::at(1_700_000_000_000_000_000, 7);

#[test]
fn traces_by_condition() {
    let spans = "{env: test} [s] a {x: 1} event=e,f; b {x: 2}\n{env: prod} [s] a {} [t@2] c {x: 1}";
    let spans = &spans.replace("a {x: 1} event=e,f", "a event=e,f {x: 1}");
    let (all, nothing) = (spans.as_str(), "");
    for (yaml, after, filtered) in [
        ("{}", all, 0),
        ("{traces: {span: ['name == \"a\"']}}", "{env: test} [s] b {x: 2}\n{env: prod} [t@2] c {x: 1}", 2),
        ("{traces: {span: ['attributes[\"x\"] == 1']}}", "{env: test} [s] b {x: 2}\n{env: prod} [s] a {}", 2),
        ("{traces: {span: ['name == \"a\"', 'name == \"c\"']}}", "{env: test} [s] b {x: 2}", 3),
        (
            "{traces: {span: ['resource.attributes[\"env\"] == \"prod\"']}}",
            "{env: test} [s] a event=e,f {x: 1}; b {x: 2}",
            2,
        ),
        ("{traces: {span: ['true']}}", nothing, 4),
        (
            "{traces: {span: ['instrumentation_scope.name == \"t\"']}}",
            "{env: test} [s] a event=e,f {x: 1}; b {x: 2}\n{env: prod} [s] a {}",
            1,
        ),
        (
            "{traces: {spanevent: ['name == \"e\"']}}",
            "{env: test} [s] a event=f {x: 1}; b {x: 2}\n{env: prod} [s] a {} [t@2] c {x: 1}",
            0,
        ),
        (
            "{traces: {spanevent: ['true']}}",
            "{env: test} [s] a {x: 1}; b {x: 2}\n{env: prod} [s] a {} [t@2] c {x: 1}",
            0,
        ),
        ("{traces: {resource: ['attributes[\"env\"] == \"test\"']}}", "{env: prod} [s] a {} [t@2] c {x: 1}", 2),
        (
            "{traces: {resource: ['attributes[\"env\"] == \"test\"'], span: ['name == \"c\"']}}",
            "{env: prod} [s] a {}",
            3,
        ),
        (
            "{trace_conditions: ['span.name == \"a\"', 'resource.attributes[\"env\"] == \"prod\"']}",
            "{env: test} [s] b {x: 2}",
            3,
        ),
        ("{trace_conditions: ['scope.name == \"s\"']}", "{env: prod} [t@2] c {x: 1}", 3),
        (
            "{trace_conditions: ['spanevent.name == \"e\"']}",
            "{env: test} [s] a event=f {x: 1}; b {x: 2}\n{env: prod} [s] a {} [t@2] c {x: 1}",
            0,
        ),
        (
            "{trace_conditions: [{context: span, conditions: ['name == \"a\"']}, {conditions: ['span.name == \"b\"']}]}",
            "{env: prod} [t@2] c {x: 1}",
            3,
        ),
        (
            "{trace_conditions: [{context: Span, conditions: ['true']}, {conditions: ['span.name == \"b\"']}]}",
            nothing,
            4,
        ),
        (
            "{spans: {include: {match_type: strict, span_names: [a, c]}}}",
            "{env: test} [s] a event=e,f {x: 1}\n{env: prod} [s] a {} [t@2] c {x: 1}",
            1,
        ),
        ("{spans: {exclude: {match_type: strict, libraries: [{name: s}]}}}", "{env: prod} [t@2] c {x: 1}", 3),
        ("{spans: {exclude: {match_type: strict, attributes: [{key: x}]}}}", "{env: prod} [s] a {}", 3),
    ] {
        check(&filter(yaml), Signal::Traces, all, after, filtered);
    }
    check(&filter("{traces: {span: ['true']}}"), Signal::Logs, "{} [s] a {}", "{} [s] a {}", 0);
    // What is empty goes along, if anything is asked at all.
    check(&filter("{traces: {span: ['false']}}"), Signal::Traces, "{a: 1}\n{b: 2} [s]\n{} [t] a {}", "{} [t] a {}", 0);
    check(&filter("{traces: {resource: ['false']}}"), Signal::Traces, "{a: 1}\n{b: 2} [s]", "{b: 2} [s]", 0);
}

#[test]
fn metrics() {
    let metrics =
        "{env: test} [s] a {x: 1} {x: 2}; b type=sum {x: 1}\n{env: prod} [s] c type=histogram {x: 2}; d type=none";
    for (yaml, after, filtered) in [
        (
            "{metrics: {metric: ['name == \"a\"']}}",
            "{env: test} [s] b type=sum {x: 1}\n{env: prod} [s] c type=histogram {x: 2}; d type=none",
            2,
        ),
        (
            "{metrics: {datapoint: ['attributes[\"x\"] == 1']}}",
            "{env: test} [s] a {x: 2}\n{env: prod} [s] c type=histogram {x: 2}; d type=none",
            2,
        ),
        ("{metrics: {datapoint: ['true']}}", "{env: prod} [s] d type=none", 4),
        (
            "{metrics: {metric: ['type == METRIC_DATA_TYPE_SUM'], datapoint: ['metric.name == \"a\" and attributes[\"x\"] == 1']}}",
            "{env: test} [s] a {x: 2}\n{env: prod} [s] c type=histogram {x: 2}; d type=none",
            2,
        ),
        ("{metrics: {metric: ['HasAttrOnDatapoint(\"x\", \"1\")']}}", metrics, 0),
        ("{metrics: {metric: ['HasAttrKeyOnDatapoint(\"x\")']}}", "{env: prod} [s] d type=none", 4),
        (
            "{metrics: {resource: ['attributes[\"env\"] == \"test\"']}}",
            "{env: prod} [s] c type=histogram {x: 2}; d type=none",
            3,
        ),
        (
            "{metric_conditions: ['metric.name == \"a\"', 'datapoint.attributes[\"x\"] == 2', 'resource.attributes[\"env\"] == \"no\"']}",
            "{env: test} [s] b type=sum {x: 1}\n{env: prod} [s] d type=none",
            3,
        ),
        (
            "{metrics: {include: {match_type: regexp, metric_names: ['a|d']}}}",
            "{env: test} [s] a {x: 1} {x: 2}\n{env: prod} [s] d type=none",
            2,
        ),
        (
            "{metrics: {exclude: {match_type: strict, metric_names: [a, b]}}}",
            "{env: prod} [s] c type=histogram {x: 2}; d type=none",
            3,
        ),
        (
            "{metrics: {include: {match_type: strict, resource_attributes: [{key: env, value: test}]}}}",
            "{env: test} [s] a {x: 1} {x: 2}; b type=sum {x: 1}",
            1,
        ),
        (
            "{metrics: {exclude: {match_type: strict, resource_attributes: [{key: env, value: test}], metric_names: [c]}}}",
            "{env: prod} [s] d type=none",
            4,
        ),
    ] {
        check(&filter(yaml), Signal::Metrics, metrics, after, filtered);
    }
}

#[test]
fn logs() {
    let logs = "{env: test} [s] a severity=9 text=INFO {x: 1}; b severity=17 text=ERROR {x: 2}\n{env: prod} [s] c {}";
    for (yaml, after, filtered) in [
        (
            "{logs: {log_record: ['body == \"a\"']}}",
            "{env: test} [s] b severity=17 text=ERROR {x: 2}\n{env: prod} [s] c {}",
            1,
        ),
        (
            "{logs: {log_record: ['severity_number < SEVERITY_NUMBER_WARN']}}",
            "{env: test} [s] b severity=17 text=ERROR {x: 2}",
            2,
        ),
        ("{logs: {resource: ['attributes[\"env\"] == \"test\"']}}", "{env: prod} [s] c {}", 2),
        (
            "{log_conditions: ['log.attributes[\"x\"] == 1']}",
            "{env: test} [s] b severity=17 text=ERROR {x: 2}\n{env: prod} [s] c {}",
            1,
        ),
        (
            "{logs: {include: {match_type: strict, bodies: [a, c]}}}",
            "{env: test} [s] a severity=9 text=INFO {x: 1}\n{env: prod} [s] c {}",
            1,
        ),
        (
            "{logs: {exclude: {severity_number: {min: warn}}}}",
            "{env: test} [s] a severity=9 text=INFO {x: 1}\n{env: prod} [s] c {}",
            1,
        ),
        ("{logs: {include: {severity_number: {min: \"9\", match_undefined: true}}}}", logs, 0),
        (
            "{logs: {include: {match_type: regexp, severity_texts: ['^E']}}}",
            "{env: test} [s] b severity=17 text=ERROR {x: 2}",
            2,
        ),
        (
            "{logs: {include: {match_type: strict, record_attributes: [{key: x, value: 1}]}}}",
            "{env: test} [s] a severity=9 text=INFO {x: 1}",
            2,
        ),
        (
            "{logs: {exclude: {match_type: strict, resource_attributes: [{key: env, value: prod}]}}}",
            "{env: test} [s] a severity=9 text=INFO {x: 1}; b severity=17 text=ERROR {x: 2}",
            1,
        ),
        ("{logs: {include: {match_type: strict}}}", logs, 0),
    ] {
        check(&filter(yaml), Signal::Logs, logs, after, filtered);
    }
}

#[test]
fn errors_of_conditions() {
    let failing =
        "traces: {span: ['Int(name) == 1 or IsMatch(name, name) == 7 or ParseJSON(name) == 1', 'name == \"b\"']}";
    for mode in ["ignore", "silent", "Silent"] {
        let yaml = format!("{{error_mode: {mode}, {failing}}}");
        check(&filter(&yaml), Signal::Traces, "{} [s] a {}; b {}", "{} [s] a {}", 1);
    }
    let bytes = request(Signal::Traces, "{} [s] a {}; b {}");
    let propagating = filter(&format!("{{error_mode: propagate, {failing}}}"));
    let Err(Broken::Refused(message)) = propagating.edit(Signal::Traces, &bytes, MOMENT) else { panic!("refused") };
    assert!(message.starts_with("the condition `Int(name) == 1"), "{message}");
    // A group's own mode goes before.
    let group =
        "{error_mode: propagate, trace_conditions: [{error_mode: ignore, conditions: ['ParseJSON(span.name) == 1']}]}";
    let edited = filter(group).edit(Signal::Traces, &bytes, MOMENT).unwrap();
    assert_eq!(shown(Signal::Traces, &edited.body), "{} [s] a {}; b {}");
}

#[test]
fn mistakes() {
    for (yaml, expected) in [
        ("{error_mode: never}", "unknown error mode `never`"),
        ("{traces: {span: ['nam == 1']}}", "invalid condition `nam == 1`: unknown path `nam`, did you mean `name`?"),
        ("{traces: {spans: []}}", "unknown setting `spans` in `traces`, did you mean `span`?"),
        (
            "{traces: {span: ['true']}, spans: {include: {match_type: strict, services: [a]}}}",
            "`spans` and the conditions in `traces` cannot be used together; remove one of them",
        ),
        (
            "{traces: {span: ['true']}, trace_conditions: ['true']}",
            "`trace_conditions` and `traces` cannot be used together; remove one of them",
        ),
        (
            "{metrics: {metric: ['true'], include: {match_type: strict, metric_names: [a]}}}",
            "`metrics` and its `include` and `exclude` cannot be used together; remove one of them",
        ),
        (
            "{metrics: {include: {match_type: expr, expressions: ['true']}}}",
            "the match type `expr` with `expressions` is not supported",
        ),
        (
            "{trace_conditions: ['span.name == 1', {context: span}]}",
            "`trace_conditions` holds both conditions and groups of them; keep to one of these forms",
        ),
        ("{trace_conditions: 'span.name == 1'}", "`trace_conditions` must be a list, found the text `span.name == 1`"),
        ("{trace_conditions: [null]}", "a condition in `trace_conditions` is empty"),
        (
            "{trace_conditions: ['name == 1']}",
            "invalid condition `name == 1`: no path says which context is meant, begin one with `resource`, `scope`, `span`, `spanevent`, or write `context`",
        ),
        (
            "{trace_conditions: [{context: log, conditions: ['true']}]}",
            "the context `log` is none of `trace_conditions`",
        ),
        ("{trace_conditions: [{context: spam, conditions: ['true']}]}", "unknown context `spam`"),
        ("{logs: {include: {severity_number: {min: notice}}}}", "unknown severity `notice`"),
        ("{logs: {include: {bodies: [a]}}}", "these properties need a `match_type`; write `strict` or `regexp`"),
    ] {
        assert_eq!(decode::<FilterSettings>(yaml).unwrap_err(), expected, "{yaml}");
    }
    let settings: FilterSettings = decode("{spans: {include: {}}}").unwrap();
    assert!(settings.fits(Signal::Traces).unwrap_err().starts_with("`spans::include` names no property"));
    assert_eq!(settings.fits(Signal::Logs), Ok(()));
}
