//! Answers of the real collector and of the libraries that it uses.

use crate::{
    functions::testing::{Failure, ask},
    value::{List, Map, Value},
};

/// Recorded with otelcol's functions on `xmlquery` 1.5.1: name, arguments, and `T` with the text, `E` or `X`.
#[test]
fn texts() {
    let unescape = |text: &str| text.replace("\\n", "\n").replace("\\r", "\r");
    let mut differences = String::new();
    for line in include_str!("recorded.txt").lines() {
        let fields: Vec<_> = line.split('\t').collect();
        let (name, arguments) = fields.split_first().unwrap();
        let (expected, arguments) = arguments.split_last().unwrap();
        let arguments: Vec<_> = arguments.iter().map(|argument| Value::string(unescape(argument))).collect();
        let name = match *name {
            "Get" => "GetXML",
            "Insert" => "InsertXML",
            "Remove" => "RemoveXML",
            "Attrs" => "ConvertAttributesToElementsXML",
            _ => "ConvertTextToElementsXML",
        };
        let answer = match ask(name, &arguments) {
            Ok(Value::Str(text)) => format!("T{}", String::from_utf8(text.into_owned()).unwrap()),
            Err(Failure::Error(_)) => "E".to_string(),
            other => format!("X {other:?}"),
        };
        if answer != unescape(expected) {
            differences += &format!("{line}\n  {answer:?}\n");
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

fn map(entries: Vec<(&'static str, Value<'static>)>) -> Value<'static> {
    Value::Map(Map::data(entries.into_iter().map(|(key, value)| (key.as_bytes().into(), value)).collect()))
}

fn list(items: Vec<Value<'static>>) -> Value<'static> {
    Value::List(List::data(items))
}

#[test]
fn elements() {
    let str = |text: &'static str| Value::str(text);
    for (text, expected) in [
        (r#"<a><b c="1">t</b></a>"#, {
            let b = map(vec![("tag", str("b")), ("content", str("t")), ("attributes", map(vec![("c", str("1"))]))]);
            map(vec![("tag", str("a")), ("children", list(vec![b]))])
        }),
        ("<?xml version=\"1.0\"?>\n<p:a> x <!-- c --><b/> <![CDATA[ y ]]></p:a>", {
            let b = map(vec![("tag", str("b"))]);
            map(vec![("tag", str("a")), ("content", str("xy")), ("children", list(vec![b]))])
        }),
    ] {
        assert_eq!(ask("ParseXML", &[str(text)]), Ok(expected), "{text}");
    }
    for text in ["", "abc", "hello", "<a>", "<a/> ", "<a/><b/>", "<a></b>"] {
        assert!(matches!(ask("ParseXML", &[str(text)]), Err(Failure::Error(_))), "{text}");
    }
}

#[test]
fn simplified_elements() {
    let str = |text: &'static str| Value::str(text);
    for (text, expected) in [
        ("<a><b>1</b></a>", map(vec![("a", map(vec![("b", str("1"))]))])),
        ("<a>t<b x='1'>1</b>u<b>2</b><b/><c><d/></c><e>x<!-- c -->y</e><f><![CDATA[z]]></f></a>", {
            let b = list(vec![str("1"), str("2")]);
            map(vec![("a", map(vec![("b", b), ("e", str("x")), ("f", str("z"))]))])
        }),
        ("<a/>", map(vec![])),
        ("<a><b><c>1</c></b><b><d/></b></a>", {
            map(vec![("a", map(vec![("b", list(vec![map(vec![("c", str("1"))])]))]))])
        }),
    ] {
        assert_eq!(ask("ParseSimplifiedXML", &[str(text)]), Ok(expected), "{text}");
    }
    for text in ["", "abc", "<a>", "<a></b>"] {
        assert!(matches!(ask("ParseSimplifiedXML", &[str(text)]), Err(Failure::Error(_))), "{text}");
    }
}

#[test]
fn depth_is_limited() {
    let deep = "<a>".repeat(100_000);
    let deep = format!("{deep}{}", "</a>".repeat(100_000));
    for name in ["ParseXML", "ParseSimplifiedXML", "ConvertTextToElementsXML"] {
        assert!(matches!(ask(name, &[Value::string(deep.clone())]), Err(Failure::Error(_))));
    }
}

#[test]
fn unsupported_paths_are_refused() {
    let nested = format!("{}b{}", "a[".repeat(20), "]".repeat(20));
    for path in
        ["", "/a[", "//", "/a/", "count(//a)", "/a[position()<2]", "child::a", "$x", "/a[b=1]", "a b", "/a]", &nested]
    {
        let answer = ask("GetXML", &[Value::str("<a/>"), Value::string(path)]);
        assert!(matches!(answer, Err(Failure::Refused(_))), "{path}: {answer:?}");
    }
}
