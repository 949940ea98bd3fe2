//! What otelcol answered.

use crate::{
    functions::testing::{Failure, ask, ask_dynamically, check},
    value::{List, Value},
};

fn texts<const N: usize>(texts: [&'static str; N]) -> [Value<'static>; N] {
    texts.map(Value::str)
}

fn strings(items: &[&'static str]) -> Option<Value<'static>> {
    Some(Value::List(List::strings(items.iter().map(|item| Value::str(*item)).collect())))
}

fn list(items: Vec<Value<'static>>) -> Value<'static> {
    Value::List(List::native(items))
}

#[test]
fn case_is_converted() {
    for (text, lower, upper, snake, camel) in [
        ("hello", "hello", "HELLO", "hello", "Hello"),
        ("", "", "", "", ""),
        ("4x", "4x", "4X", "4_x", "4X"),
        ("HTTPServerID", "httpserverid", "HTTPSERVERID", "http_server_id", "HttpserverId"),
        ("http server-id", "http server-id", "HTTP SERVER-ID", "http_server_id", "HttpServerId"),
        ("fooBar9Baz", "foobar9baz", "FOOBAR9BAZ", "foo_bar_9_baz", "FooBar9Baz"),
        ("foo__bar", "foo__bar", "FOO__BAR", "foo__bar", "FooBar"),
        ("straße", "straße", "STRAßE", "straße", "Strae"),
        ("éFoo", "éfoo", "ÉFOO", "éfoo", "Foo"),
        ("İ", "i", "İ", "İ", ""),
        ("ᾳ", "ᾳ", "ᾼ", "ᾳ", ""),
        ("ΣΑΣ", "σασ", "ΣΑΣ", "ΣΑΣ", ""),
    ] {
        for (name, expected) in
            [("ToLowerCase", lower), ("ToUpperCase", upper), ("ToSnakeCase", snake), ("ToCamelCase", camel)]
        {
            assert_eq!(ask(name, &[Value::str(text)]), Ok(Value::str(expected)), "{name}({text:?})");
        }
        assert_eq!(ask("ConvertCase", &texts([text, "snake"])), Ok(Value::str(snake)), "{text:?}");
    }
    // What is no UTF-8 becomes U+FFFD, but only where other letters are not ASCII.
    assert_eq!(ask("ToUpperCase", &[Value::str(b"a\xff")]), Ok(Value::str("A\u{fffd}")));
    assert!(matches!(ask("ConvertCase", &texts(["aB", "title"])), Err(Failure::Refused(_))));
    assert!(matches!(ask_dynamically("ToLowerCase", &[Value::Int(5)]), Err(Failure::Error(_))));
}

#[test]
fn split_makes_strings() {
    check(
        "Split",
        &[
            (&texts(["hello", "l"]), strings(&["he", "", "o"])),
            (&texts(["", "l"]), strings(&[""])),
            (&texts(["abc", "abc"]), strings(&["", ""])),
            (&texts(["aaa", "aa"]), strings(&["", "a"])),
            (&texts(["日本", ""]), strings(&["日", "本"])),
            (&texts(["", ""]), strings(&[])),
            (&[Value::Nil, Value::str(",")], None),
            (&[Value::str("a"), Value::Nil], None),
        ],
    );
}

#[test]
fn ends_are_looked_at_and_cut() {
    let bool = |bool| Some(Value::Bool(bool));
    check("HasPrefix", &[(&texts(["hello", "h"]), bool(true)), (&texts(["", "h"]), bool(false))]);
    check("HasSuffix", &[(&texts(["abc", "bc"]), bool(true)), (&[Value::Nil, Value::str("h")], None)]);
    check("TrimPrefix", &[(&texts(["aab", "a"]), Some(Value::str("ab"))), (&[Value::Int(5), Value::str("h")], None)]);
    check("TrimSuffix", &[(&texts(["abb", "b"]), Some(Value::str("ab"))), (&texts(["", "b"]), Some(Value::str("")))]);
    check(
        "Trim",
        &[
            (&texts(["  a "]), Some(Value::str("a"))),
            (&texts(["xyx", "yx"]), Some(Value::str(""))),
            (&texts(["éxé", "é"]), Some(Value::str("x"))),
            (&texts(["abc", ""]), Some(Value::str("abc"))),
            (&[Value::str(b"\xffa\xff"), Value::str("\u{fffd}")], Some(Value::str("a"))),
            (&[Value::Nil], None),
        ],
    );
}

#[test]
fn concat_writes_anything() {
    check(
        "Concat",
        &[
            (&[list(vec![Value::str("a"), Value::Int(5), Value::Nil]), Value::str("-")], Some(Value::str("a-5-<nil>"))),
            (&[list(vec![Value::Float(1.0)]), Value::str("-")], Some(Value::str("1"))),
            (&[list(vec![]), Value::str("-")], Some(Value::str(""))),
            (&[list(vec![]), Value::Nil], None),
        ],
    );
}

#[test]
fn substring_cuts_bytes() {
    let cut = |text, start, length| [Value::str(text), Value::Int(start), Value::Int(length)];
    check(
        "Substring",
        &[
            (&cut("hello", 1, 3), Some(Value::str("ell"))),
            (&cut("hello", 1, 30), None),
            (&cut("hello", -1, 3), None),
            (&cut("hello", 5, 0), None),
            (&cut("hello", i64::MAX, i64::MAX), None),
            (&cut("aéb", 2, 2), Some(Value::str(b"\xa9b"))),
        ],
    );
    let safe = |start, length| [Value::str("aéb"), Value::Int(start), Value::Int(length), Value::Bool(true)];
    check(
        "Substring",
        &[
            (&safe(2, 2), Some(Value::str("b"))),
            (&safe(0, 2), Some(Value::str("a"))),
            (&safe(2, 1), Some(Value::str(""))),
        ],
    );
}
