//! Which spans and events are asked, what errors do, and how mistakes are told.

use crate::notation::{Bench, check, decode_all};

#[track_caller]
fn check_one(block: &str, trace: &str, expected: bool) {
    check(&format!("- {{name: p, type: ottl_condition, ottl_condition: {{{block}}}}}"), &[(trace, expected)]);
}

#[test]
fn upstream_rows() {
    let event = r#"0+1 event:test-event;event_attr_k_1="event_attr_v_1""#;
    for (block, trace, expected) in [
        (r#"span: ['attributes["attr_k_1"] == "attr_v_1"']"#, r#"0+1 attr_k_1="attr_v_1""#, true),
        (r#"span: ['attributes["attr_k_1"] != "attr_v_1"']"#, r#"0+1 attr_k_1="attr_v_1""#, false),
        (r#"span: ['attributes["attr_k_1"] != "attr_v_1"']"#, r#"0+1 attr_k_1="attr_v_2""#, true),
        (r#"spanevent: ['attributes["event_attr_k_1"] == "event_attr_v_1"']"#, event, true),
        (r#"spanevent: ['name != "incorrect event name"']"#, event, true),
        (r#"span: ['span.attributes["attr_k_1"] == "attr_v_1"']"#, r#"0+1 attr_k_1="attr_v_1""#, true),
        (r#"span: ['span.attributes["attr_k_1"] != "attr_v_1"']"#, r#"0+1 attr_k_1="attr_v_2""#, true),
        (r#"spanevent: ['spanevent.attributes["event_attr_k_1"] == "event_attr_v_1"']"#, event, true),
        (r#"spanevent: ['spanevent.name != "incorrect event name"']"#, event, true),
        (
            r#"span: ['attributes["attr_k_1"] == "attr_v_1"', 'span.attributes["attr_k_2"] == "attr_v_2"']"#,
            r#"0+1 attr_k_2="attr_v_2""#,
            true,
        ),
        (r#"span: ['resource.attributes["service.name"] == "checkout"']"#, r#"{service.name="checkout"} 0+1"#, true),
        (
            r#"spanevent: ['resource.attributes["service.name"] == "checkout"']"#,
            r#"{service.name="checkout"} 0+1 event:e"#,
            true,
        ),
        (r#"span: ['scope.name == "my-scope"']"#, "[my-scope] 0+1", true),
        (r#"span: ['instrumentation_scope.name == "my-scope"']"#, "[my-scope] 0+1", true),
        (r#"spanevent: ['scope.name == "my-scope"']"#, "[my-scope] 0+1 event:e", true),
    ] {
        check_one(&format!("error_mode: ignore, {block}"), trace, expected);
    }
}

#[test]
fn each_list_looks_at_its_own() {
    for (block, trace, expected) in [
        ("spanevent: ['true']", "0+1, 0+1", false),
        ("spanevent: ['true']", "0+1, 0+1 event:e", true),
        ("span: ['name == \"e\"']", "0+1 event:e", false),
        ("spanevent: ['span.name == \"s\"']", "0+1 name:s, 0+1 event:e", false),
        ("spanevent: ['span.name == \"s\"']", "0+1 name:s event:e", true),
        ("span: ['name == \"s\"'], spanevent: ['name == \"e\"']", "0+1 | 0+1 event:e", true),
    ] {
        check_one(block, trace, expected);
    }
}

#[test]
fn errors_by_mode() {
    const ERROR: &str = r#"attributes[1] == "x""#;
    for (mode, block, samples, errors) in [
        ("propagate", format!("span: ['{ERROR}', 'true']"), false, 1),
        ("PROPAGATE", format!("spanevent: ['{ERROR}'], span: ['true']"), true, 0),
        ("propagate", format!("span: ['true', '{ERROR}']"), true, 0),
        ("ignore", format!("span: ['{ERROR}', 'true']"), true, 0),
        ("Silent", format!("span: ['{ERROR}', 'true']"), true, 0),
        ("", format!("span: ['{ERROR}', 'true']"), true, 0),
        ("", format!("span: ['{ERROR}', 'not ({ERROR})']"), false, 0),
    ] {
        let mode = if mode.is_empty() { String::new() } else { format!("error_mode: {mode}, ") };
        let mut bench = Bench::new(&format!("- {{name: p, type: ottl_condition, ottl_condition: {{{mode}{block}}}}}"));
        assert_eq!(bench.verdict("0+1").keep, samples, "{mode}{block}");
        assert_eq!(bench.set.counts()[0].1.errors, errors, "{mode}{block}");
    }
    // The first span decides before the second fails, and the other way round.
    let block = r#"error_mode: propagate, span: ['name == "s" and attributes[1] == "x"', 'name == "t"']"#;
    check_one(block, "0+1 name:t, 0+1 name:s", true);
    check_one(block, "0+1 name:s, 0+1 name:t", false);
}

#[test]
fn an_error_is_one_of_the_container() {
    let failing =
        "{name: o, type: ottl_condition, ottl_condition: {error_mode: propagate, span: ['attributes[1] == 1']}}";
    for container in [
        format!("type: not, not: {{not_sub_policy: {failing}}}"),
        format!("type: and, and: {{and_sub_policy: [{{name: a, type: always_sample}}, {failing}]}}"),
        format!("type: drop, drop: {{drop_sub_policy: [{failing}]}}"),
        format!(
            "type: composite, composite: {{max_total_spans_per_second: 9, composite_sub_policy: [{failing}, {{name: a, type: always_sample}}]}}"
        ),
    ] {
        let mut bench = Bench::new(&format!("- {{name: p, {container}}}"));
        assert!(!bench.verdict("0+1").keep, "{container}");
        assert_eq!(bench.set.counts()[0].1.errors, 1, "{container}");
        let mut bench = Bench::new(&format!("- {{name: p, {container}}}\n- {{name: all, type: always_sample}}"));
        assert!(bench.verdict("0+1").keep, "{container}");
    }
}

#[test]
fn all_mistakes_are_told_where_they_are() {
    let yaml = "policies:
  - name: p
    type: ottl_condition
    ottl_condition:
      span:
        - 'colour == \"red\"'
        - name == \"a\"
        - \"IsBlue(name)\"
      spanevent: ['name ==', 'attributes[\"k\"] == 1', \"IsMatch(name, \\\"([\\\")\"]";
    let (_, told) = decode_all(yaml);
    let places: Vec<&str> = told.lines().filter(|line| line.contains("error:")).collect();
    assert_eq!(places.len(), 4, "{told}");
    for (line, (place, text)) in
        places.iter().zip([("6:12:", "`colour"), ("8:12:", "`IsBlue`"), ("9:27:", "name =="), ("9:54:", "IsMatch")])
    {
        assert!(line.contains(place) && line.contains(text), "{place} {line}\n{told}");
    }
}

#[test]
fn explanations() {
    let trace = r#"{team="core"} 0+1 name:a, 0+1 name:charge n=5 event:retry;attempt=2"#;
    for (block, expected) in [
        (
            r#"span: ['attributes["n"] == 4', 'attributes["n"] == 5']"#,
            r#"`p`: `attributes["n"] == 5` in span `charge`"#,
        ),
        (
            r#"span: ['name == ""'], spanevent: ['attributes["attempt"] > 1']"#,
            r#"`p`: `attributes["attempt"] > 1` in event `retry` in span `charge`"#,
        ),
        (
            r#"span: ['resource.attributes["team"] == "core"']"#,
            r#"`p`: `resource.attributes["team"] == "core"` in span `a`"#,
        ),
        ("span: ['Now() > start_time or true', 'false']", "`p`: `Now() > start_time or true` in span `a`"),
    ] {
        let mut bench = Bench::new(&format!("- {{name: p, type: ottl_condition, ottl_condition: {{{block}}}}}"));
        assert_eq!(bench.explanation(trace), expected);
    }
    let mut bench = Bench::new(
        "- {name: p, type: not, not: {not_sub_policy: {name: o, type: ottl_condition, ottl_condition: {span: ['false'], spanevent: ['name == \"x\"']}}}}",
    );
    assert_eq!(bench.explanation(trace), "`p › o`: nothing satisfies `false` or `name == \"x\"`");
}

#[test]
fn what_needs_the_verdict_or_is_costly_beside_what_is_cheap_waits() {
    let ottl = |text: &str| format!("{{name: o, type: ottl_condition, ottl_condition: {{span: ['{text}']}}}}");
    let errors = "{name: e, type: status_code, status_code: {status_codes: [ERROR]}}";
    let both = |one: &str, two: &str| format!("{{name: b, type: and, and: {{and_sub_policy: [{one}, {two}]}}}}");
    let (plain, costly, timed) =
        (ottl(r#"attributes["k"] == 1"#), ottl(r#"IsMatch(attributes["k"], "^x")"#), ottl("Now() > start_time"));
    for (policy, trace, expected) in [
        (plain.clone(), "0+1", false),
        (costly.clone(), "0+1", false),
        (timed.clone(), "0+1", true),
        (both(errors, &plain), "0+1 error", false),
        (both(errors, &costly), "0+1 error", true),
        (both(errors, &costly), "0+1", false),
        (both(&timed, errors), "0+1 error", true),
        (both(&timed, errors), "0+1", false),
    ] {
        let mut bench = Bench::new(&format!("- {policy}"));
        let mut waiting = Vec::new();
        crate::notation::requests(trace, 5).iter().for_each(|request| bench.fold(request, &mut waiting));
        assert_eq!(bench.set.needs_spans(&waiting[0].candidate()), expected, "{policy} {trace}");
    }
}

#[test]
fn large_values_are_fine_until_a_trace_costs_too_much() {
    let long = "a".repeat(1 << 20);
    let block = r#"error_mode: ignore, span: ['IsMatch(attributes["k"], "x$")']"#;
    for (spans, cuts) in [(1, 0), (60, 1)] {
        let policies = format!("- {{name: p, type: ottl_condition, ottl_condition: {{{block}}}}}");
        let mut bench = Bench::new(&policies);
        let mut waiting = Vec::new();
        for _ in 0..spans {
            let text = format!(r#"0+1 k="{long}""#);
            crate::notation::requests(&text, 5).iter().for_each(|request| bench.fold(request, &mut waiting));
        }
        assert!(!bench.decide(&mut waiting, crate::notation::START)[0].keep);
        assert_eq!((bench.set.evaluation_cut(), bench.set.counts()[0].1.errors), (cuts, cuts), "{spans}");
    }
}
