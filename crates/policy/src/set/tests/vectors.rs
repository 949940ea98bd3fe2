//! Single policies about single traces, with the verdicts that a real collector gave.

use crate::notation::check;

const TRACE: &str = r#"{rs="x" ri=3 rb=true rempty=_} 0+5 s="hello" e="" n=500 d=1.5 one=1.0 bt=true bf=false empty=_ dup="first" dup="second""#;

#[track_caller]
fn all(kind: &str, trace: &str, rows: &[(&str, bool)]) {
    for (block, expected) in rows {
        check(&format!("- {{name: p, type: {kind}, {kind}: {{{block}}}}}"), &[(trace, *expected)]);
    }
}

#[test]
fn numeric_attribute() {
    all(
        "numeric_attribute",
        TRACE,
        &[
            ("key: s, min_value: -5, max_value: 5", true),
            ("key: d, min_value: -5, max_value: 1", true),
            ("key: bt, min_value: -1, max_value: 1", true),
            ("key: rs, min_value: -1, max_value: 1", true),
            ("key: e, min_value: -1, max_value: 1", true),
            ("key: empty, min_value: -1, max_value: 1", true),
            ("key: d, min_value: 1, max_value: 2", false),
            ("key: n, min_value: 600", false),
            ("key: missing, min_value: -5, max_value: 5", false),
            ("key: dup, min_value: 1, max_value: 2", false),
            ("key: missing, min_value: -5, max_value: 5, invert_match: true", true),
            ("key: s, min_value: -5, max_value: 5, invert_match: true", false),
        ],
    );
}

#[test]
fn boolean_attribute() {
    all(
        "boolean_attribute",
        TRACE,
        &[
            ("key: s, value: false", true),
            ("key: n, value: false", true),
            ("key: empty, value: false", true),
            ("key: rs, value: false", true),
            ("key: missing, value: false", false),
            ("key: n, value: true", false),
            ("key: missing, value: false, invert_match: true", true),
        ],
    );
}

#[test]
fn string_attribute() {
    all(
        "string_attribute",
        TRACE,
        &[
            ("key: ri, values: ['^$'], enabled_regex_matching: true", true),
            ("key: ri, values: ['.*'], enabled_regex_matching: true", true),
            ("key: rempty, values: ['^$'], enabled_regex_matching: true", true),
            ("key: ri, values: ['']", false),
            ("key: n, values: ['.*'], enabled_regex_matching: true", false),
            ("key: e, values: ['^$'], enabled_regex_matching: true", false),
            ("key: empty, values: ['^$'], enabled_regex_matching: true", false),
            ("key: n, values: ['.*'], enabled_regex_matching: true, invert_match: true", true),
            ("key: ri, values: ['.*'], enabled_regex_matching: true, invert_match: true", false),
            ("key: dup, values: [first]", true),
            ("key: dup, values: [second]", false),
            ("key: s, values: []", false),
            ("key: s, values: [], invert_match: true", true),
            ("key: s, values: [ell], enabled_regex_matching: true", true),
        ],
    );
}

#[test]
fn trace_state() {
    let many = |count: usize| (0..count).map(|number| format!("m{number}=1;")).collect::<String>();
    for (key, state, expected) in [
        ("k1", "k1=v", true),
        ("k2", "k2=v;k2=w", false),
        ("k3", "k3=v;;a=b", true),
        ("k4", "k4=v;~;a=b", false),
        ("k5", "a~=b;k5=v", false),
        ("k6", "a=~b;k6=v", true),
        ("k7", "A=b;k7=v", false),
        ("k8", "a=b~;~k8=v~", true),
        ("k9", "a=b=c;k9=v", false),
        ("k10", "1a=b;k10=v", false),
        ("k11", "1a@b=c;k11=v", true),
        ("k12", "x=;k12=v", false),
        ("k13", &(many(32) + "k13=v"), false),
        ("k14", &(many(31) + "k14=v"), true),
        ("k15", "a=b;k15", false),
        ("k17", "a*/_-=1;k17=v", true),
    ] {
        all("trace_state", &format!("0+1 state:{state}"), &[(&format!("key: {key}, values: [v]"), expected)]);
    }
}

#[test]
fn the_others() {
    let three = "0+1, 0+1, 0+1";
    all("span_count", three, &[("", true), ("min_spans: 3", true), ("min_spans: 1, max_spans: 2", false)]);
    all("status_code", "0+1 code=5", &[("status_codes: [OK, ERROR, UNSET]", false)]);
    all("and", three, &[("and_sub_policy: []", true)]);
    check("- {name: p, type: and}", &[(three, true)]);
    check("- {name: p, type: trace_flags}", &[("0+1 flags:257", true), ("0+1 flags:256", false)]);
    all("probabilistic", three, &[("sampling_percentage: -5", false)]);
    all("rate_limiting", three, &[("spans_per_second: 0", false)]);
    all("bytes_limiting", three, &[("bytes_per_second: 1", false)]);
    all("latency", "0+1000", &[("threshold_ms: 1000", false)]);
    all("latency", "0+1000.999999", &[("threshold_ms: 1000", false)]);
    all("latency", "0+1001", &[("threshold_ms: 1000", true)]);
    all("latency", "0+6000, 0+20000", &[("threshold_ms: 5000, upper_threshold_ms: 10000", true)]);
    all("latency", "0+20000, 0+6000", &[("threshold_ms: 5000, upper_threshold_ms: 10000", false)]);
    all("latency", "0+0", &[("threshold_ms: 0", false)]);
    all("latency", "0+1", &[("threshold_ms: 0", true)]);
}
