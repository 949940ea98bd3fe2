//! What is a condition and what is none, and which context a path belongs to.

use crate::world::{Answer, World};
use otlp::Keys;
use ottl::{Condition, Context};

/// The rows of otelcol's parser test. Its words stand for paths and converters that do not exist here, so a legal row may be
/// refused for an unknown name, but not for its syntax.
#[test]
fn conditions_of_otelcols_parser_test() {
    for text in [
        "set(",
        "set(\"foo)",
        "set(name.)",
        "(\"foo\")",
        "name =||= \"fido\"",
        "name = \"fido\"",
        "name or \"fido\"",
        "name and \"fido\"",
        "name and",
        "name or",
        "(",
        ")",
        "(name == \"fido\"))",
        "((name == \"fido\")",
        "set()",
        "animal =< \"dog\"",
        "animal => \"dog\"",
        "animal <> \"dog\"",
        "animal = \"dog\"",
        "animal",
        "animal ==",
        "==",
        "== animal",
        "test(fail())",
        "\"test\" == Foo",
        "test(animal) == \"dog\"",
        "test(animal)[\"kind\"] == \"birds\"",
    ] {
        assert!(!is_syntax(text), "{text}");
    }
    for text in [
        "name == \"fido\"",
        "name != \"fido\"",
        "1 + 1 * 2 == three / One()",
        "Int() == 1",
        "1 == Int()",
        "true and 1 == Int() ",
        "false or 1 == Int() ",
        "service == \"pinger\" or foo.attributes[\"endpoint\"] == \"/x/alive\"",
        "service == \"pinger\" or foo.attributes[\"verb\"] == \"GET\" and foo.attributes[\"endpoint\"] == \"/x/alive\"",
        "animal > \"cat\"",
        "animal >= \"cat\"",
        "animal <= \"cat\"",
        "animal < \"cat\"",
        "attributes[\"path\"] == \"/healthcheck\"",
        "One() == 1",
        "Test()",
    ] {
        assert!(is_syntax(text), "{text}");
    }
}

/// Whether nothing but a name is wrong.
fn is_syntax(text: &str) -> bool {
    match Condition::compile(text, Context::Span, &mut Keys::default()) {
        Ok(_) => true,
        Err(errors) => errors.iter().all(|error| {
            ["unknown path", "unknown converter", "`Int` lacks"].iter().any(|start| error.message.starts_with(start))
        }),
    }
}

#[test]
fn further_syntax() {
    let world = World::of_vectors();
    for (text, expected) in [
        ("1 == 1", true),
        ("\n\t1\r\n==\x0c1 ", true),
        ("010 == 8", true),
        ("0 == 00", true),
        ("[] == []", true),
        ("[1, [2, {\"a\": nil,}]] != nil", true),
        ("{\"a\": 1 \"b\": 2} == {\"b\": 2, \"a\": 1,}", true),
        ("{\"a\": 1, \"a\": 2} == {\"a\": 2}", true),
        ("(((((1)))) + 1) == 2", true),
        ("((((1 == 1))))", true),
        ("{\"a\": [[1], {\"b\": [2]}]} == {\"a\": [[1], {\"b\": [2]}]}", true),
        ("(true)", true),
        ("(IsRootSpan()) and (true)", true),
        ("not (not true)", true),
        ("Is Root Span()", true),
        ("\"\\x41\\101\\u00e9\\U0001F600\\\"\" == \"AAé😀\\\"\"", true),
        ("\"a\nb\" == \"a\\nb\"", true),
        ("\"\\xff\" == \"ÿ\"", true),
        ("0xFF == 0xff", true),
        ("1.5E+3 == 1500", true),
        ("- (1) == -1", true),
        ("true == true and not false", true),
        ("Concat([\"a\", \"b\"], delimiter=\"-\") == \"a-b\"", true),
        ("Substring(\"hello\", 1, length = 3) == \"ell\"", true),
    ] {
        world.check(text, expected);
    }
    for text in [
        "",
        "09 == 9",
        "9223372036854775808 == 1",
        "1.0e999 == 1",
        "0x123 == 1",
        "1e5 == 1",
        "[1,] == [1]",
        "[,1] == [1]",
        "{\"a\" 1} == nil",
        "{a: 1} == nil",
        "(nil) == nil",
        "(\"a\") == \"a\"",
        "(true) == true",
        "(1 == 1) == true",
        "(1 == 1) + 1 == 1",
        "- -1 == 1",
        "1 + - + 1 == 1",
        "-\"a\" == 1",
        "SPAN_KIND_CLIENT + 1 == 4",
        "SPAN_KIND_OTHER == 4",
        "not",
        "not not true",
        "true not false",
        "1 == not true",
        "true and",
        "or true",
        "true true",
        "attributes[] == 1",
        "attributes[1 + 1] == 1",
        "attributes[\"a\" + 1] == 1",
        "attributes.[\"a\"] == 1",
        "attributes[\"a\"]. == 1",
        ".name == 1",
        "Name == \"x\"",
        "IsMatch == true",
        "IsMatch(name \"x\")",
        "IsMatch(name, \"x\",)",
        "IsMatch(name, pattern=)",
        "IsMatch(name, \"x\"",
        "Len(name == \"x\") == 1",
        "name == \"\\q\"",
        "name == \"\\'\"",
        "name == \"\\u12\"",
        "name == \"\\ud800\"",
        "name == \"\\400\"",
        "name == \"\\",
        "name == x => 1",
        "name ~ 1",
        "name == é",
        "@ == 1",
        "1 = 1",
        "Any([1], (x) => x == 1)",
    ] {
        assert!(matches!(world.ask(Context::Span, text), Answer::Refused(_)), "{text}");
    }
}

#[test]
fn paths_belong_to_the_lists_context_unless_they_name_one() {
    let world = World::of_vectors();
    for (context, text, expected) in [
        (Context::Span, "name == span.name", true),
        (Context::Span, "attributes[\"s\"] == span.attributes[\"s\"]", true),
        (Context::Span, "IsMatch(name, \"cart\") and IsMatch(span.name, \"cart\")", true),
        (Context::Span, "attributes[attributes[\"e\"]] == nil", true),
        (Context::Span, "kind.string == span.kind.string", true),
        (Context::SpanEvent, "name == \"exception\" and span.name == \"GET /api/cart\"", true),
        (Context::SpanEvent, "name == spanevent.name and name != span.name", true),
        (
            Context::SpanEvent,
            "resource.attributes[\"service.name\"] == \"checkout\" and scope.name == \"my-scope\"",
            true,
        ),
        (Context::SpanEvent, "instrumentation_scope.name == scope.name", true),
        (Context::SpanEvent, "attributes[\"attempt\"] == 2 and span.attributes[\"attempt\"] == nil", true),
        (Context::Span, "otelcol.client.addr == nil and otelcol.client.metadata[\"x\"][0] == nil", true),
        (Context::Span, "otelcol.grpc.metadata == {} and Len(otelcol.client.auth.attributes) == 0", true),
        (Context::Span, "cache == {} and span.cache[\"x\"][\"y\"] == nil", true),
        (Context::SpanEvent, "cache == {} and spanevent.cache[\"x\"] == nil", true),
    ] {
        let expected = if expected { Answer::True } else { Answer::False };
        assert_eq!(world.ask(context, text), expected, "{text}");
    }
    for (context, text) in [
        (Context::Span, "spanevent.name == \"x\""),
        (Context::Span, "badcontext.attributes[\"x\"] == \"y\""),
        (Context::Span, "span == 1"),
        (Context::Span, "resource == 1"),
        (Context::Span, "span.span.name == 1"),
        (Context::Span, "span[\"name\"] == 1"),
        (Context::Span, "resource[\"attributes\"] == 1"),
        (Context::Span, "resource.cache == {}"),
        (Context::SpanEvent, "span.cache == {}"),
        (Context::SpanEvent, "kind == 1"),
        (Context::SpanEvent, "event_index.x == 1"),
        (Context::Span, "otelcol.client == nil"),
        (Context::Span, "otelcol.client.addr[\"x\"] == nil"),
        (Context::Span, "name[\"x\"] == nil"),
        (Context::Span, "kind[0].string == nil"),
        (Context::Span, "attributes[\"a\"].b == nil"),
    ] {
        assert!(matches!(world.ask(context, text), Answer::Refused(_)), "{text}");
    }
}
