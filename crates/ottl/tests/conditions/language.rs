//! Boolean logic, arithmetic, and errors that are seen or not.

use crate::world::{Answer, World};
use ottl::Context;

#[test]
fn boolean_rows() {
    let world = World::of_vectors();
    for (text, expected) in [
        ("true and false", false),
        ("true and true and false", false),
        ("true or false", true),
        ("false or false", false),
        ("false and false or true", true),
        ("true and (true or false)", true),
        ("not false", true),
        ("not true", false),
        ("not (true or false)", false),
        ("not false or true", true),
        ("not (false or true)", false),
        ("IsRootSpan() and not IsRootSpan() or IsRootSpan()", true),
        ("name == \"x\" or name == \"GET /api/cart\" and kind == 3", true),
        ("(name == \"x\" or true) and kind == 4", false),
    ] {
        world.check(text, expected);
    }
}

#[test]
fn arithmetic_rows() {
    let world = World::of_vectors();
    const HUGE: &str = "1.79769313486231570814527423731704356798070e+308";
    for (text, expected) in [
        ("1000 - 600", "400"),
        ("1 / 1", "1"),
        ("1000 - 600 + 1", "401"),
        ("10 - 6 * 2 + 2", "0"),
        ("30 - 6 * (2 + 2)", "6"),
        ("(4 * 2) + 1 + 1 - 3 / 3 + ( 2 + 1 - (6 / 3))", "10"),
        (".5 + 2.6", "3.1"),
        ("(.5 * 4.0) / .1 + 3.9", "23.9"),
        ("kind + status.code", "5"),
        ("Len([1, 2, 3, 4]) / (1 * 2)", "2"),
        ("10 / 3", "3"),
        ("-10 / 3", "-3"),
        ("9223372036854775807 * 9223372036854775807", "1"),
        ("9223372036854775807 / 9223372036854775807", "1"),
        ("9223372036854775807 + 9223372036854775807", "-2"),
        ("9223372036854775807 - 9223372036854775807", "0"),
        ("(-9223372036854775807 - 1) / -1", "-9223372036854775807 - 1"),
        (&format!("{HUGE} / {HUGE}"), "1"),
        (&format!("{HUGE} - {HUGE}"), "0.0"),
        (&format!("{HUGE} * {HUGE}"), &format!("{HUGE} + {HUGE}")),
        ("4.0 / 2", "2.0"),
        ("4 / 2.0", "2.0"),
        ("5 / 2", "2"),
        ("5 / 2.0", "2.5"),
        ("3 * -5", "-15"),
        ("10 + -3", "7"),
        ("10 - -3", "13"),
        ("10 + +3", "13"),
        ("2 + -3 * -4", "14"),
        ("2+-3*-4", "14"),
        ("-5 + -10", "-15"),
        ("(-5) * 3", "-15"),
        ("2.0 * -1.5", "-3.0"),
        ("-kind", "-3"),
        ("-attributes[\"d\"] + -attributes[\"one\"]", "-2.5"),
        ("-(1 + 1)", "-2"),
        ("+(-1 + -1)", "-2"),
        ("-Len([1, 2, 3])", "-3"),
        ("+2", "2"),
        ("+3.1", "3.1"),
    ] {
        world.check(&format!("{text} == {expected}"), true);
    }
}

#[test]
fn times_and_durations() {
    let world = World::of_vectors();
    for (text, expected) in [
        ("start_time - start_time == end_time - end_time", true),
        ("end_time - start_time > start_time - end_time", true),
        ("start_time + (end_time - start_time) == end_time", true),
        ("(end_time - start_time) + start_time == end_time", true),
        ("end_time - (end_time - start_time) == start_time", true),
        ("(end_time - start_time) + (start_time - end_time) == start_time - start_time", true),
        ("(end_time - start_time) - (start_time - end_time) > end_time - start_time", true),
        ("end_time - start_time == 5000000000", false),
        ("start_time < Now()", true),
        ("Now() == Now()", true),
    ] {
        world.check(text, expected);
    }
    for text in [
        "start_time / end_time == 1",
        "(end_time - start_time) * (end_time - start_time) == 1",
        "start_time + 1 == 1",
        "(end_time - start_time) - 1 == 1",
        "1 + start_time == 1",
        "start_time + end_time == 1",
        "(end_time - start_time) - start_time == 1",
        "-start_time == 1",
        "-(end_time - start_time) == 1",
        "1 / 0 == 1",
        "1.0 / 0.0 == 1",
        "attributes[\"s\"] * 2 == 1",
        "1 - attributes[\"missing\"] == 1",
        "-attributes[\"missing\"] == 1",
    ] {
        assert!(matches!(world.ask(Context::Span, text), Answer::Error(_)), "{text}");
    }
}

/// Whether an error is seen depends on what is evaluated, and that on what was folded.
#[test]
fn errors_end_a_condition_where_they_are_reached() {
    let world = World::of_vectors();
    const ERROR: &str = "1 / 0 == 1";
    for (text, expected) in [
        (format!("{ERROR} or true"), Answer::True),
        (format!("{ERROR} and false"), Answer::False),
        (format!("kind == 3 or {ERROR}"), Answer::True),
        (format!("kind == 4 and {ERROR}"), Answer::False),
        (format!("(kind == 3 and 1 == 1) or {ERROR}"), Answer::True),
    ] {
        assert_eq!(world.ask(Context::Span, &text), expected, "{text}");
    }
    for text in [
        format!("{ERROR} or kind == 3"),
        format!("{ERROR} and kind == 4"),
        format!("kind == 4 or {ERROR}"),
        format!("kind == 3 and {ERROR}"),
        format!("not ({ERROR})"),
        format!("not (not ({ERROR}))"),
        format!("true and {ERROR}"),
        "Len(name)".to_string(),
        "Concat([name], \"\") and true".to_string(),
        "attributes[\"l\"] == 1 / 0".to_string(),
        "[1 / 0] == [1]".to_string(),
        "{\"a\": 1 / 0} == {}".to_string(),
        "{\"a\": attributes[\"l\"]} == {}".to_string(),
        "{\"a\": start_time} == {}".to_string(),
        "{\"a\": [start_time]} == {}".to_string(),
        "{\"a\": [[attributes[\"m\"]]]} == {}".to_string(),
    ] {
        assert!(matches!(world.ask(Context::Span, &text), Answer::Error(_)), "{text}");
    }
}

/// A literal that a converter cannot take refuses the configuration; the same value out of an attribute is an error.
#[test]
fn literals_are_checked_when_the_condition_is_compiled() {
    let world = World::of_vectors();
    for text in [
        "IsString(3)",
        "IsString(nil)",
        "IsInt(\"3\")",
        "IsMap([1])",
        "Int(\"0x10\") == 16",
        "Int(\"1.5\") == 1",
        "Int([1]) == 1",
        "Double(\"x\") == 1",
        "Bool(\"x\")",
        "IsMatch(name, 3)",
        "IsMatch(name, \"([\")",
        "Substring(name, \"1\", 2) == \"x\"",
        "Substring(name, 1, 2, 1) == \"x\"",
        "Substring(name, 1, 2, attributes[\"bt\"]) == \"x\"",
        "Concat(\"a\", [\"b\"]) == \"x\"",
        "TraceID(\"abc\") == trace_id",
        "TraceID(nil) == trace_id",
        "{\"a\": SPAN_KIND_OTHER} == {}",
        "ToKeyValueString({\"a\": 1}, \"\") == \"x\"",
        "ToKeyValueString({\"a\": 1}, \" \") == \"x\"",
    ] {
        assert!(matches!(world.ask(Context::Span, text), Answer::Refused(_)), "{text}");
    }
    for text in [
        "Int(attributes[\"notnum\"]) == 1",
        "IsMatch(name, attributes[\"n\"])",
        "TraceID(attributes[\"s\"]) == trace_id",
        "Substring(name, attributes[\"s\"], 2) == \"x\"",
        "Concat(attributes[\"s\"], \"\") == \"x\"",
    ] {
        assert!(matches!(world.ask(Context::Span, text), Answer::Error(_)), "{text}");
    }
    for text in [
        "not IsString(1 + 1)",
        "Concat(attributes[\"l\"], \"-\") == \"a-b-3\"",
        "Concat(attributes[\"missing\"], \"-\") == \"\"",
        "ToKeyValueString(attributes[\"m\"]) == \"k=v i=7\"",
        "ToKeyValueString({\"b\": 1, \"a\": \"x y\"}, sort_output=true) == \"a=\\\"x y\\\" b=1\"",
        "ToKeyValueString(attributes[\"m\"], pair_delimiter=\",\", delimiter=\":\") == \"k:v,i:7\"",
    ] {
        world.check(text, true);
    }
}
