//! What verdicts say for themselves: every kind, every nesting, with the value and the span's name.

use crate::notation::{Bench, decode_all};

const TRACE: &str = r#"{service.name="shop" shard=3} 0+513 name:GET-/cart http.route="/cart" n=500,
    20+700 name:charge error http.route="/checkout" state:vendor=b;team=core flags:1 paid=true |
    {service.name="bank"} 100+2413 name:book"#;

#[track_caller]
fn check(policies: &[&str], expected: &str) {
    let yaml: String = policies.iter().map(|policy| format!("\n  - {{{policy}}}")).collect();
    let (settings, told) = decode_all(&format!("policies:{yaml}"));
    assert!(!told.contains("error:"), "{told}");
    assert_eq!(Bench::of(&settings.unwrap()).explanation(TRACE), expected, "{yaml}");
}

/// A policy of each kind that samples the trace, how it is explained, and how the opposite of one that does not is.
const KINDS: &[(&str, &str, &str, &str)] = &[
    ("type: always_sample", "every trace", "", ""),
    (
        "type: latency, latency: {threshold_ms: 2000}",
        "2 513 ms > 2 000 ms",
        "type: latency, latency: {threshold_ms: 3000}",
        "2 513 ms ≤ 3 000 ms",
    ),
    (
        "type: latency, latency: {threshold_ms: 600, upper_threshold_ms: 1000}",
        "600 ms < 720 ms ≤ 1 000 ms",
        "type: latency, latency: {threshold_ms: 800, upper_threshold_ms: 1000}",
        "2 513 ms, never between 800 ms and 1 000 ms",
    ),
    (
        "type: status_code, status_code: {status_codes: [OK, ERROR]}",
        "status ERROR in span `charge`",
        "type: status_code, status_code: {status_codes: [OK]}",
        "no span has status OK",
    ),
    (
        "type: numeric_attribute, numeric_attribute: {key: n, min_value: 400}",
        "`n` = 500 in span `GET-/cart`",
        "type: numeric_attribute, numeric_attribute: {key: n, max_value: 400}",
        "`n` is nowhere 400 or less",
    ),
    (
        "type: numeric_attribute, numeric_attribute: {key: shard, min_value: 1, max_value: 5}",
        "`shard` = 3 in the resource",
        "type: numeric_attribute, numeric_attribute: {key: shard, min_value: 1, invert_match: true}",
        "`shard` = 3 in the resource",
    ),
    (
        "type: numeric_attribute, numeric_attribute: {key: n, min_value: 600, max_value: 700, invert_match: true}",
        "`n` is nowhere 600 to 700",
        "",
        "",
    ),
    (
        "type: boolean_attribute, boolean_attribute: {key: paid, value: true}",
        "`paid` = true in span `charge`",
        "type: boolean_attribute, boolean_attribute: {key: paid, value: false}",
        "`paid` is nowhere false",
    ),
    (
        "type: string_attribute, string_attribute: {key: http.route, values: [/x, /checkout]}",
        "`http.route` = /checkout in span `charge`",
        "type: string_attribute, string_attribute: {key: http.route, values: [/x, /y]}",
        "`http.route` nowhere is /x, /y",
    ),
    (
        "type: string_attribute, string_attribute: {key: service.name, values: ['^b'], enabled_regex_matching: true}",
        "`service.name` = bank in the resource",
        "type: string_attribute, string_attribute: {key: service.name, values: ['^x'], enabled_regex_matching: true}",
        "`service.name` nowhere matches ^x",
    ),
    (
        "type: span_count, span_count: {min_spans: 2}",
        "3 spans ≥ 2",
        "type: span_count, span_count: {min_spans: 4}",
        "3 spans < 4",
    ),
    (
        "type: span_count, span_count: {min_spans: 2, max_spans: 9}",
        "3 spans are 2 to 9",
        "type: span_count, span_count: {max_spans: 2}",
        "3 spans are not 0 to 2",
    ),
    (
        "type: trace_state, trace_state: {key: team, values: [core]}",
        "trace state `team` = core in span `charge`",
        "type: trace_state, trace_state: {key: team, values: [edge]}",
        "`team` in no trace state is edge",
    ),
    ("type: trace_flags", "flagged as sampled in span `charge`", "", ""),
    (
        "type: probabilistic, probabilistic: {sampling_percentage: 12.5}",
        "12.5 % by trace ID",
        "type: probabilistic, probabilistic: {sampling_percentage: 0.1}",
        "not among 0.1 % by trace ID",
    ),
    (
        "type: rate_limiting, rate_limiting: {spans_per_second: 1000}",
        "3 spans fit 1 000 a second",
        "type: rate_limiting, rate_limiting: {spans_per_second: 1}",
        "3 spans exceed 1 a second",
    ),
    (
        "type: bytes_limiting, bytes_limiting: {bytes_per_second: 10000}",
        "360 bytes fit 10 000 a second",
        "type: bytes_limiting, bytes_limiting: {bytes_per_second: 1}",
        "360 bytes exceed 1 a second",
    ),
];

#[test]
fn each_kind_alone_and_in_each_container() {
    for (policy, saw, _, _) in KINDS {
        check(&[&format!("name: p, {policy}")], &format!("`p`: {saw}"));
        let part = format!("name: part, {policy}");
        check(&[&format!("name: p, type: and, and: {{and_sub_policy: [{{{part}}}]}}")], &format!("`p › part`: {saw}"));
        let shares = "max_total_spans_per_second: 90, rate_allocation: [{policy: part, percent: 100}]";
        let composite =
            format!("name: p, type: composite, composite: {{{shares}, composite_sub_policy: [{{{part}}}]}}");
        check(&[&composite], &format!("`p › part`: {saw}"));
        let inner = format!("name: both, type: and, and: {{and_sub_policy: [{{{part}}}]}}");
        let composite = format!(
            "name: p, type: composite, composite: {{max_total_spans_per_second: 90, composite_sub_policy: [{{{inner}}}]}}"
        );
        check(&[&composite], &format!("`p › both › part`: {saw}"));
        let drop = format!("name: p, type: drop, drop: {{drop_sub_policy: [{{{part}}}]}}");
        check(&[&drop], &format!("dropped by `p › part`: {saw}"));
    }
}

#[test]
fn the_opposite_of_each_kind() {
    for (_, _, policy, saw) in KINDS.iter().filter(|(_, _, policy, _)| !policy.is_empty()) {
        let not = format!("type: not, not: {{not_sub_policy: {{name: part, {policy}}}}}");
        check(&[&format!("name: p, {not}")], &format!("`p › part`: {saw}"));
        let and = format!("name: p, type: and, and: {{and_sub_policy: [{{name: n, {not}}}]}}");
        check(&[&and], &format!("`p › n › part`: {saw}"));
        let drop = format!("name: p, type: drop, drop: {{drop_sub_policy: [{{name: n, {not}}}]}}");
        check(&[&drop], &format!("dropped by `p › n › part`: {saw}"));
    }
}

#[test]
fn what_is_not_there() {
    check(&["name: p, type: status_code, status_code: {status_codes: [OK]}"], "no policy matched");
    check(&["name: p, type: and"], "`p`: every trace");
    check(&["name: p, type: drop"], "dropped by `p`: every trace");
    check(
        &["name: p, type: and, and: {and_sub_policy: [{type: always_sample}, {type: trace_flags}]}"],
        "`p › trace_flags`: flagged as sampled in span `charge`",
    );
}

/// A late span follows a verdict of which only the policy is remembered.
#[test]
fn without_the_place_and_the_spans() {
    for (policy, expected) in [
        ("type: latency, latency: {threshold_ms: 2000}", "`p`: longer than 2 000 ms"),
        ("type: status_code, status_code: {status_codes: [ERROR]}", "`p`: status ERROR"),
        ("type: numeric_attribute, numeric_attribute: {key: n, min_value: 400}", "`p`: `n` is 400 or more"),
        (
            "type: string_attribute, string_attribute: {key: http.route, values: [/checkout]}",
            "`p`: `http.route` is /checkout",
        ),
        ("type: trace_state, trace_state: {key: team, values: [core]}", "`p`: trace state `team` is core"),
        ("type: trace_flags", "`p`: flagged as sampled"),
    ] {
        let mut bench = Bench::new(&format!("- {{name: p, {policy}}}"));
        let verdict = bench.verdict(TRACE);
        let remembered = crate::Verdict::unpack(verdict.pack());
        assert_eq!(bench.set.explain(&remembered, &mut std::iter::empty()), expected);
    }
}

#[test]
fn long_texts_are_cut() {
    use crate::set::{grouped, shown};
    assert_eq!(shown(b"short"), "short");
    assert_eq!(shown("é".repeat(90).as_bytes()), format!("{}…", "é".repeat(50)));
    assert_eq!(shown(&[b'x'; 1 << 20]).len(), 100 + "…".len());
    assert_eq!(shown(b"a\nb\xff"), "a b\u{fffd}");
    assert_eq!([0, 999, 1000, -1_234_567].map(grouped), ["0", "999", "1 000", "-1 234 567"]);
}
