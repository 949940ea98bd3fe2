//! What users read about a condition that is wrong: each message with its place underlined.

use otlp::Keys;
use ottl::{Condition, Context};

#[track_caller]
fn check(context: Context, expected: &str) {
    let mut lines = expected.trim_matches('\n').lines().map(str::trim_end);
    let text = lines.next().expect("the condition");
    let mut shown = text.to_string();
    let errors = Condition::compile(text, context, &mut Keys::default()).err().unwrap_or_default();
    for error in &errors {
        let indent = text[..error.at.start].chars().count();
        let len = text[error.at.clone()].chars().count().max(1);
        shown += &format!("\n{}{} {}", " ".repeat(indent), "^".repeat(len), error.message);
    }
    assert_eq!(format!("\n{shown}\n"), format!("\n{}\n", expected.trim_matches('\n')));
}

#[test]
fn syntax_errors() {
    for expected in [
        r#"
name = "x"
     ^ `=` is no comparison, write `==`
"#,
        r#"
name => "x"
     ^^ `=>` is no comparison, write `>=`
"#,
        r#"
name == 'x'
        ^ unexpected `'`, strings take double quotes
"#,
        r#"
name == "x
        ^^ the string has no closing `"`
"#,
        r#"
IsMatch(name, "\w+")
               ^^ unknown escape `\w`, a backslash is written `\\`
"#,
        r#"
attributes["flag"]
^^^^^^^^^^^^^^^^^^ `attributes["flag"]` alone is no condition, compare it: `attributes["flag"] == true`
"#,
        r#"
kind == 1 and "a"
              ^^^ `"a"` is no condition, compare it with something
"#,
        r#"
not not true
    ^^^ a second `not` needs parentheses: `not (not …)`
"#,
        r#"
1 == 1 == 2
       ^^ comparisons do not chain, join them with `and`
"#,
        r#"
"a" + "b" == "ab"
^^^ `"a"` cannot be calculated with, only numbers, paths and converters can
"#,
        r#"
(name == "x"
            ^ expected `)`, the condition ends
"#,
        r#"
name == "x")
           ^ unexpected `)`
"#,
        r#"
name == "x" kind == 1
            ^^^^ expected `and`, `or` or the end, found `kind`
"#,
        r#"
name ==
       ^ expected a value, the condition ends
"#,
        r#"
set(attributes["a"], 1)
^^^ `set` is no converter, their names begin with an upper-case letter
"#,
        r#"
attributes["a" == 1
               ^^ expected `]`, found `==`
"#,
        r#"
["a" "b"] == ["a","b"]
     ^^^ expected `,` or `]`, found `"b"`
"#,
        r#"
0x0 == 0x00
^^^ a byte has two hexadecimal digits, one is missing
"#,
        r#"
- -5 == 5
  ^ a second sign needs parentheses: `-(-…)`
"#,
    ] {
        check(Context::Span, expected);
    }
}

#[test]
fn names_and_arguments() {
    for expected in [
        r#"
atributes["x"] == 1
^^^^^^^^^ unknown path `atributes`, did you mean `attributes`?
"#,
        r#"
resource.attribute["x"] == resouce.attributes["x"]
^^^^^^^^^^^^^^^^^^ unknown path `resource.attribute`, did you mean `resource.attributes`?
                           ^^^^^^^^^^^^^^^^^^ unknown path `resouce.attributes`, did you mean `resource.attributes`?
"#,
        r#"
status.cod == 2
       ^^^ `status` has no part `cod`, did you mean `code`?
"#,
        r#"
kind.foo == nil
     ^^^ `kind` has no part `foo`
"#,
        r#"
name["x"] == nil
     ^^^ `name` cannot be indexed
"#,
        r#"
trace_state["a"]["b"] == ""
                 ^^^ `trace_state` takes one key
"#,
        r#"
kind == SPAN_KIND_CLINT
        ^^^^^^^^^^^^^^^ unknown enum `SPAN_KIND_CLINT`, did you mean `SPAN_KIND_CLIENT`?
"#,
        r#"
IsMach(name, "x") or Foo(name) == 1
^^^^^^ unknown converter `IsMach`, did you mean `IsMatch`?
                     ^^^ unknown converter `Foo`
"#,
        r#"
Base64Decode("aGk=") == "hi"
^^^^^^^^^^^^ `Base64Decode` is gone, write `Decode(…, "base64")`
"#,
        r#"
Any(attributes, true)
^^^ `Any` takes a lambda expression, which is not supported
"#,
        r#"
IsMatch(name)
^^^^^^^ `IsMatch` lacks its `pattern`, it takes `target`, `pattern`
"#,
        r#"
IsMatch(name, "a", "b")
                   ^^^ `IsMatch` takes `target`, `pattern`
"#,
        r#"
IsMatch(target=name, "GET")
                     ^^^^^ arguments without a name stand before those with one
"#,
        r#"
IsMatch(target=name, target=name)
                            ^^^^ `target` is given twice
"#,
        r#"
IsMatch(target=name, patern="x")
                     ^^^^^^ `IsMatch` has no parameter `patern`, did you mean `pattern`?
"#,
        r#"
IsMatch(name, "([")
^^^^^^^ invalid pattern `([`: missing closing `]`
"#,
        r#"
Int("1.5") == 1
    ^^^^^ `1.5` is not an int
"#,
        r#"
IsString(3)
         ^ expected a string, found an int
"#,
        r#"
Substring(name, 0, 2, kind) == ""
                      ^^^^ expected `true` or `false`, found `kind`
"#,
    ] {
        check(Context::Span, expected);
    }
    check(
        Context::SpanEvent,
        r#"
IsRootSpan()
^^^^^^^^^^ `IsRootSpan` is for span conditions only
"#,
    );
}

#[test]
fn errors_of_evaluation() {
    use crate::world::{Answer, World};
    let world = World::of_vectors();
    for (text, expected) in [
        ("1 / 0 == 1", "division by 0"),
        ("attributes[\"s\"] + 1 == 1", "expected a number, a time or a duration, found a string"),
        ("attributes[\"l\"][5] == 1", "the list has no item 5"),
        ("attributes[\"l\"][\"x\"] == 1", "expected an int as the index of a list, found a string"),
        ("attributes[1] == 1", "expected a string as the key of a map, found an int"),
        ("Int(attributes[\"notnum\"]) == 1", "`4x` is not an int"),
        ("Len(name)", "expected a bool from the converter, found an int"),
    ] {
        let Answer::Error(error) = world.ask(Context::Span, text) else { panic!("{text} is no error") };
        assert_eq!(error.to_string(), expected, "{text}");
    }
}
