//! Names and statuses. What was asked of otelcol 0.161.

use super::*;
use crate::notation::{check, decode};

#[test]
fn names_and_statuses() {
    for (yaml, before, after) in [
        ("{name: {from_attributes: [a, b], separator: '::'}}", "n {a: x, b: 1}", "x::1 {a: x, b: 1}"),
        ("{name: {from_attributes: [a, b]}}", "n {a: x}", "n {a: x}"),
        ("{name: {from_attributes: [a]}}", "n {a: [1]}", "<unknown-attribute-type> {a: [1]}"),
        ("{name: {from_attributes: [a, b]}}", "n {a: true, b: 2.50}", "true2.5 {a: true, b: 2.5}"),
        ("{name: {from_attributes: [a]}}", "{a: x}", "x {a: x}"),
        (
            "{name: {to_attributes: {rules: ['^/api/v(?P<version>[0-9]+)/(?P<what>.*)$']}}}",
            "/api/v1/cart {version: 7}",
            "/api/v{version}/{what} {version: \"1\", what: cart}",
        ),
        ("{name: {to_attributes: {rules: ['(?P<x>a)', '(?P<y>b)']}}}", "ab {}", "{x}{y} {x: a, y: b}"),
        ("{name: {to_attributes: {rules: ['(?P<x>a)', '(?P<y>b)'], break_after_match: true}}}", "ab {}", "{x}b {x: a}"),
        (
            "{name: {to_attributes: {rules: ['(?P<x>a)', '(?P<y>b)'], keep_original_name: true}}}",
            "ab {}",
            "ab {x: a, y: b}",
        ),
        ("{name: {to_attributes: {rules: ['(a)']}}}", "ab {}", "{}b {: a}"),
        ("{name: {from_attributes: [a], to_attributes: {rules: ['(?P<b>x)']}}}", "n {a: xy}", "{b}y {a: xy, b: x}"),
        ("{status: {code: Error, description: bad}}", "n {}", "n status=2:bad {}"),
        ("{status: {code: Ok}}", "n status=2:bad {}", "n status=1 {}"),
        ("{status: {code: Unset}}", "n status=2:bad {}", "n status=0 {}"),
        ("{status: {code: Unset}}", "n {}", "n {}"),
        ("{status: {code: Ok}, include: {match_type: strict, span_names: [m]}}", "n {}; m {}", "n {}; m status=1 {}"),
        (
            "{status: {code: Ok}, exclude: {match_type: strict, attributes: [{key: a}]}}",
            "n {a: 1}; m {}",
            "n {a: 1}; m status=1 {}",
        ),
    ] {
        let processor = Span::new(&decode(yaml).unwrap()).unwrap();
        let whole = |items: &str| format!("{{a: 1}} [s] {items}");
        check(&processor, Signal::Traces, &whole(before), &whole(after), 0);
    }
}

#[test]
fn mistakes() {
    let nothing = "a `span` processor needs `name::from_attributes`, `name::to_attributes` or `status`";
    for (yaml, expected) in [
        ("{}", nothing),
        ("{name: {to_attributes: {rules: []}}}", nothing),
        (
            "{name: {to_attributes: {rules: ['(']}}}",
            "invalid pattern `(`: missing closing `)`; write it in Go's syntax (RE2)",
        ),
        ("{status: {code: OK}}", "unknown status `OK`; write `Ok`, `Error` or `Unset`"),
        ("{status: {code: Ok, description: x}}", "only the status `Error` has a `description`"),
        (
            "{status: {code: Ok}, include: {match_type: strict, metric_names: [a]}}",
            "`include` has `metric_names`, which traces do not have; use `services`, `span_names`, `span_kinds`, `attributes`, `resources`, `libraries`",
        ),
        ("{nam: {}}", "unknown setting `nam` in `span`, did you mean `name`?"),
    ] {
        assert_eq!(decode::<SpanSettings>(yaml).unwrap_err(), expected, "{yaml}");
    }
}
