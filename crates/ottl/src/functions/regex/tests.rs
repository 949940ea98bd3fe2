//! Answers of the real collector.

use super::*;
use crate::functions::testing::{Failure, ask, ask_dynamically, check};

fn map(entries: &[(&'static str, Value<'static>)]) -> Value<'static> {
    Value::Map(Map::data(entries.iter().map(|(key, value)| (key.as_bytes().into(), value.clone())).collect()))
}

#[test]
fn is_match_takes_anything_with_a_text() {
    check(
        "IsMatch",
        &[
            (&[Value::str("GET /"), Value::str("^GET")], Some(Value::Bool(true))),
            (&[Value::Int(500), Value::str("^500$")], Some(Value::Bool(true))),
            (&[Value::Nil, Value::str(".*")], Some(Value::Bool(false))),
        ],
    );
    let broken = [Value::str("x"), Value::str("([")];
    assert!(matches!(ask("IsMatch", &broken), Err(Failure::Refused(_))));
    assert!(matches!(ask_dynamically("IsMatch", &broken), Err(Failure::Error(_))));
}

#[test]
fn named_groups() {
    for (text, pattern, expected) in [
        ("hello", "(?P<x>.)", map(&[("x", Value::str("h"))])),
        ("", "(?P<x>.)", map(&[])),
        ("GET /api/cart", r"^(?P<verb>\w+) (?<path>\S+)(?P<q>\?.*)?$", {
            map(&[("verb", Value::str("GET")), ("path", Value::str("/api/cart")), ("q", Value::str(""))])
        }),
    ] {
        let arguments = [Value::str(text), Value::str(pattern)];
        assert_eq!(ask("ExtractPatterns", &arguments), Ok(expected.clone()));
        assert_eq!(ask_dynamically("ExtractPatterns", &arguments), Ok(expected));
    }
    let arguments = [Value::str("GET /"), Value::str(r"^\w+")];
    assert!(
        matches!(ask("ExtractPatterns", &arguments), Err(Failure::Error(_))),
        "a nameless pattern is found out late"
    );
    let broken = [Value::str("x"), Value::str("(?P<a>x")];
    assert!(matches!(ask("ExtractPatterns", &broken), Err(Failure::Refused(_))));
    assert!(matches!(ask_dynamically("ExtractPatterns", &broken), Err(Failure::Error(_))));
    assert!(matches!(ask("ExtractPatterns", &[Value::Int(5), Value::str("(?P<x>.)")]), Err(Failure::Error(_))));
}

#[test]
fn grok() {
    let definitions = |texts: &[&'static str]| {
        Value::List(crate::value::List::native(texts.iter().map(|text| Value::str(*text)).collect()))
    };
    let str = |text: &'static str| Value::str(text);
    for (text, pattern, is_named_only, texts, expected) in [
        ("hello", "%{WORD:w}", false, &[][..], map(&[("w", str("hello"))])),
        ("", "%{WORD:w}", false, &[], map(&[])),
        ("GET /api/cart", "%{WORD:verb} %{GREEDYDATA:path}", true, &[], {
            map(&[("verb", str("GET")), ("path", str("/api/cart"))])
        }),
        ("x=42", "x=%{INT:x:int}", true, &[], map(&[("x", Value::Int(42))])),
        ("1.5 true x", "%{NUMBER:a.b:float} %{BOOL:c:bool} %{WORD:d:string}", true, &[], {
            map(&[("a.b", Value::Float(1.5)), ("c", Value::Bool(true)), ("d", str("x"))])
        }),
        ("7", "%{NUMBER:n:long}", false, &[], map(&[("n", Value::Int(7)), ("BASE10NUM", str("7"))])),
        ("10.1.2.3", "%{IP}", false, &[], map(&[("IP", str("10.1.2.3")), ("IPV4", str("10.1.2.3"))])),
        ("user=ab12", "user=%{ID:id}", true, &["ID=[a-z]+%{N}", "N=[0-9]+"], map(&[("id", str("ab12"))])),
        ("w=ab", "w=%{WORD:w}", true, &["WORD=a"], map(&[("w", str("a"))])),
        ("a 1", "%{WORD:w}(?P<n>%{DATA}) %{INT}", true, &[], map(&[("w", str("a"))])),
    ] {
        let arguments = [str(text), str(pattern), Value::Bool(is_named_only), definitions(texts)];
        assert_eq!(ask("ExtractGrokPatterns", &arguments), Ok(expected.clone()), "{pattern}");
        assert_eq!(ask_dynamically("ExtractGrokPatterns", &arguments), Ok(expected), "{pattern}");
    }
    for (pattern, is_named_only, texts) in [
        ("%{NOPE:x}", true, &[][..]),
        ("%{WORD}", true, &[]),
        ("plain", true, &[]),
        ("%{INT:a+b}", false, &[]),
        ("%{A:x}", true, &["A"]),
        ("%{A:x}", true, &["A:b=c"]),
        ("%{A:x}", true, &["A=%{A}"]),
        ("%{A:x}", true, &["A=%{B}%{B}%{B}", "B=%{C}%{C}%{C}", "C=%{A}%{A}"]),
    ] {
        let arguments = [str("a"), str(pattern), Value::Bool(is_named_only), definitions(texts)];
        let answer = ask("ExtractGrokPatterns", &arguments);
        assert!(matches!(answer, Err(Failure::Refused(_))), "{pattern}: {answer:?}");
    }
    for (text, pattern) in
        [("x", "%{WORD:w:int}"), ("x", "%{WORD:w:bool}"), ("x", "%{WORD:w:float}"), ("x", "%{WORD:w:date}")]
    {
        assert!(matches!(ask("ExtractGrokPatterns", &[str(text), str(pattern)]), Err(Failure::Error(_))), "{pattern}");
    }
    assert_eq!(ask("ExtractGrokPatterns", &[str("x"), str("x")]), Ok(map(&[])));
}
