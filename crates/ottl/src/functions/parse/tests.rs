//! Answers of the real collector and of the Go packages that it uses.

use crate::{
    functions::testing::{Failure, ask, ask_dynamically, check},
    value::{List, Map, Opaque, Value},
};

fn texts(pairs: &[(&'static str, &'static str)]) -> Vec<(std::borrow::Cow<'static, [u8]>, Value<'static>)> {
    pairs.iter().map(|(key, value)| (key.as_bytes().into(), Value::str(*value))).collect()
}

fn data(pairs: &[(&'static str, &'static str)]) -> Value<'static> {
    Value::Map(Map::data(texts(pairs)))
}

fn map(entries: Vec<(&'static str, Value<'static>)>) -> Value<'static> {
    Value::Map(Map::data(entries.into_iter().map(|(key, value)| (key.as_bytes().into(), value)).collect()))
}

fn list(items: &[Value<'static>]) -> Value<'static> {
    Value::List(List::data(items.to_vec()))
}

#[track_caller]
fn errs(name: &str, arguments: &[Value<'static>]) {
    let answer = ask(name, arguments);
    assert!(matches!(answer, Err(Failure::Error(_))), "{name}({arguments:?}) gives {answer:?}");
}

#[track_caller]
fn refused(name: &str, arguments: &[Value<'static>]) {
    let answer = ask(name, arguments);
    assert!(matches!(answer, Err(Failure::Refused(_))), "{name}({arguments:?}) gives {answer:?}");
}

#[test]
fn json() {
    let float = Value::Float;
    for (text, expected) in [
        (r#"{"a":1,"b":[1,2],"c":"x"}"#, {
            map(vec![("a", float(1.0)), ("b", list(&[float(1.0), float(2.0)])), ("c", Value::str("x"))])
        }),
        ("[1,[2,3]]", list(&[float(1.0), list(&[float(2.0), float(3.0)])])),
        (r#" { "k" : null , "t" : true, "f": false } "#, {
            map(vec![("f", Value::Bool(false)), ("k", Value::Nil), ("t", Value::Bool(true))])
        }),
        (r#"{"k":1,"k":2}"#, map(vec![("k", float(2.0))])),
        ("[-0.5e+2, 0, 1E-1]", list(&[float(-50.0), float(0.0), float(0.1)])),
        (r#"["\u006b\"\\\/\b\f\n\r\t","\ud83d\ude00","\ud83dx","\ud83d\u0041"]"#, {
            let texts = ["k\"\\/\u{8}\u{c}\n\r\t", "😀", "\u{fffd}x", "\u{fffd}A"];
            list(&texts.map(Value::str))
        }),
        ("[]", list(&[])),
        ("{}", map(vec![])),
    ] {
        check("ParseJSON", &[(&[Value::str(text)], Some(expected))]);
    }
    for text in [
        "",
        "3",
        "42",
        "4x",
        "\"x\"",
        "null",
        "hello",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[1 2]",
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,}",
        "{a:1}",
        "[1.]",
        "[.5]",
        "[1e]",
        "[+1]",
        "[1e999]",
        "[] []",
        "[\"\\x\"]",
        "[\"\\u12\"]",
        "[tru]",
        "\u{feff}[]",
    ] {
        errs("ParseJSON", &[Value::str(text)]);
    }
    assert_eq!(ask("ParseJSON", &[Value::str(b"[\"a\xffb\"]")]), Ok(list(&[Value::str("a\u{fffd}b")])));
    errs("ParseJSON", &[Value::string("[".repeat(100_000))]);
    errs("ParseJSON", &[Value::Int(5)]);
}

#[test]
fn key_values() {
    let ask = |arguments: &[&'static str]| {
        let arguments: Vec<_> = arguments.iter().map(|text| Value::str(*text)).collect();
        super::super::testing::ask("ParseKeyValue", &arguments)
    };
    for (arguments, expected) in [
        (&["k1=v1 k2=v2"][..], data(&[("k1", "v1"), ("k2", "v2")])),
        (&["  a=b   c==d= "], data(&[("a", "b"), ("c", "=d=")])),
        (&["a=1 a=2"], data(&[("a", "2")])),
        (&["a= b=c", "=", " "], data(&[("a", ""), ("b", "c")])),
        (&["k=\"v 1\" l='it \"is\"' m=x\"y z\""], data(&[("k", "v 1"), ("l", "it \"is\""), ("m", "xy z")])),
        (&["k=a\\\"b"], data(&[("k", "a\\\"b")])),
        (&["k:é|l: x ", ":", "|"], data(&[("k", "é"), ("l", "x")])),
        (&["a->1&&b->2", "->", "&&"], data(&[("a", "1"), ("b", "2")])),
        (&["a=\u{a0}b\u{85}"], data(&[("a", "b")])),
        (&["   "], data(&[])),
    ] {
        assert_eq!(ask(arguments), Ok(expected), "{arguments:?}");
    }
    for arguments in [&[""][..], &["abc"], &["a=b c"], &["a=\"b"], &["a=b", ":"]] {
        assert!(matches!(ask(arguments), Err(Failure::Error(_))), "{arguments:?}");
    }
    for arguments in [&["a=b", ""][..], &["a=b", "=", ""], &["a=b", " "], &["a=b", "|", "|"]] {
        assert!(matches!(ask(arguments), Err(Failure::Refused(_))), "{arguments:?}");
    }
}

#[test]
fn csv() {
    let ask = |arguments: &[&'static str]| {
        let arguments: Vec<_> = arguments.iter().map(|text| Value::str(*text)).collect();
        super::super::testing::ask("ParseCSV", &arguments)
    };
    for (arguments, expected) in [
        (&["1,2,3", "a,b,c"][..], data(&[("a", "1"), ("b", "2"), ("c", "3")])),
        (&["hello", "h"], data(&[("h", "hello")])),
        (&["1|2", "a|b", "|"], data(&[("a", "1"), ("b", "2")])),
        (&["1|2", "a,b", "|", ","], data(&[("a", "1"), ("b", "2")])),
        (&["\"1,\"\"x\",2", "a,b"], data(&[("a", "1,\"x"), ("b", "2")])),
        (&["aa,b\nb,cc,d\nd,ee", "A,B,C,D,E"], {
            data(&[("A", "aa"), ("B", "b\nb"), ("C", "cc"), ("D", "d\nd"), ("E", "ee")])
        }),
        (&["\r\n\n1,\"x\r\n\ny\",3\r", "a,b,c"], data(&[("a", "1"), ("b", "x\n\ny"), ("c", "3")])),
        (&["1,\"a\"b\",c\"d", "a,b,c", ",", ",", "lazyQuotes"], data(&[("a", "1"), ("b", "a\"b"), ("c", "c\"d")])),
        (&["1,\"open", "a,b", ",", ",", "lazyQuotes"], data(&[("a", "1"), ("b", "open")])),
        (&["\"1,2\"", "a,b", ",", ",", "ignoreQuotes"], data(&[("a", "\"1"), ("b", "2\"")])),
        (&["", "a", ",", ",", "ignoreQuotes"], data(&[("a", "")])),
        // The rest of a broken line is lost without an error.
        (&["1,b\"c,3\n4", "a"], data(&[("a", "1\n4")])),
        (&["1,2", "a,a"], data(&[("a", "2")])),
        (&["1é2", "aéb", "é"], data(&[("a", "1"), ("b", "2")])),
    ] {
        assert_eq!(ask(arguments), Ok(expected), "{arguments:?}");
    }
    for arguments in [
        &["", "h"][..],
        &["\n\n", "h"],
        &["1", ""],
        &["1,2", "a"],
        &["1", "a,b"],
        &["a\"b", "h"],
        &["\"a\"b", "h"],
        &["\"a", "h"],
        &["1", "h", "\""],
    ] {
        assert!(matches!(ask(arguments), Err(Failure::Error(_))), "{arguments:?}");
    }
    for arguments in [&["1", "h", ""][..], &["1", "h", "ab"], &["1", "h", ",", "ab"], &["1", "h", ",", ",", "loose"]] {
        assert!(matches!(ask(arguments), Err(Failure::Refused(_))), "{arguments:?}");
    }
}

#[test]
fn severity() {
    let equals = |texts: &[&'static str]| {
        map(vec![("equals", list(&texts.iter().map(|text| Value::str(*text)).collect::<Vec<_>>()))])
    };
    let range = |min, max| map(vec![("range", map(vec![("min", Value::Int(min)), ("max", Value::Int(max))]))]);
    let mapping = map(vec![
        ("error", list(&[range(400, 499), equals(&["err"])])),
        ("info", list(&[equals(&["inf", "info"]), map(vec![("range", Value::str("2xx"))])])),
        ("none", list(&[])),
    ]);
    for (value, expected) in [
        (Value::Int(400), Some("error")),
        (Value::Int(299), Some("info")),
        (Value::str("err"), Some("error")),
        (Value::str("info"), Some("info")),
        (Value::Int(300), None),
        (Value::str("INFO"), None),
        (Value::Float(400.0), None),
        (Value::Nil, None),
    ] {
        check("ParseSeverity", &[(&[value, mapping.clone()], expected.map(Value::str))]);
    }
    for mapping in [
        map(vec![("info", list(&[Value::str("abc")]))]),
        map(vec![("info", Value::str("abc"))]),
        map(vec![("info", list(&[map(vec![("equals", Value::str("abc"))])]))]),
        map(vec![("info", list(&[map(vec![("range", Value::str("6xx"))])]))]),
        map(vec![("info", list(&[map(vec![("range", map(vec![("min", Value::Int(1))]))])]))]),
    ] {
        errs("ParseSeverity", &[Value::str("abc"), mapping]);
    }
    assert!(matches!(ask_dynamically("ParseSeverity", &[Value::Int(400), mapping]), Err(Failure::Error(_))));
}

/// The parts that every URL has, and others.
fn url(parts: &[(&'static str, &'static str)], port: Option<i64>) -> Value<'static> {
    let mut entries = texts(parts);
    entries.extend(port.map(|port| (b"url.port".into(), Value::Opaque(Opaque::Foreign(port)))));
    Value::Map(Map::native(entries))
}

#[test]
fn urls() {
    let main = |original, domain, scheme, path| {
        [("url.original", original), ("url.domain", domain), ("url.scheme", scheme), ("url.path", path)]
    };
    for text in ["hello", "42", "4x", "abc"] {
        check("URL", &[(&[Value::str(text)], Some(url(&main(text, "", "", text), None)))]);
    }
    let full = "https://u:p@example.com:8080/path?q=1#f";
    let mut parts = main(full, "example.com", "https", "/path").to_vec();
    parts.extend([("url.fragment", "f"), ("url.query", "q=1")]);
    parts.extend([("url.username", "u"), ("url.user_info", "u:p"), ("url.password", "p")]);
    check("URL", &[(&[Value::str(full)], Some(url(&parts, Some(8080))))]);
    for (text, original, domain, path) in [
        ("HTTP://Host", "http://Host", "Host", ""),
        ("http://h?", "http://h?", "h", ""),
        ("http://h:", "http://h:", "h", ""),
        ("http://h/a%20b%2Fc", "http://h/a%20b%2Fc", "h", "/a b/c"),
        ("http://h/a b", "http://h/a%20b", "h", "/a b"),
        ("http://h/é", "http://h/%C3%A9", "h", "/é"),
        ("http://[fe80::1%25en0]/x", "http://[fe80::1%25en0]/x", "fe80::1%en0", "/x"),
        ("http:/x", "http:/x", "", "/x"),
        ("http:///x", "http:///x", "", "/x"),
        ("http://", "http:", "", ""),
        ("mailto:a@b", "mailto:a@b", "", ""),
        ("//h/p", "//h/p", "h", "/p"),
        ("///p", "///p", "", "///p"),
        ("*", "*", "", "*"),
        ("mongodb://a:1,b:2", "mongodb://a:1,b:2", "a:1,b", ""),
        ("./a:b", "./a:b", "", "./a:b"),
        ("http://a:b:1/", "", "", ""),
        ("http://h%C3%A9/", "http://h%C3%A9/", "hé", "/"),
        ("http://a%2fb:c%3a@h/", "http://a%2Fb:c%3A@h/", "h", "/"),
        ("http://h/a#b%20c d\"", "http://h/a#b%20c%20d%22", "h", "/a"),
        ("http://h/%7Efoo/[x]/\"q\"", "http://h/~foo/%5Bx%5D/%22q%22", "h", "/~foo/[x]/\"q\""),
        ("http://h/?a=%zz", "http://h/?a=%zz", "h", "/"),
        ("http://[::FFFF:1.2.3.4]:80/x", "http://[::FFFF:1.2.3.4]:80/x", "::FFFF:1.2.3.4", "/x"),
        ("http://@h/", "http://@h/", "h", "/"),
        ("http://:p@h", "http://:p@h", "h", ""),
        ("http://a<b>\"c/", "http://a<b>\"c/", "a<b>\"c", "/"),
        ("%3Aa:b/c", "", "", ""),
        ("http://h/#%zz", "", "", ""),
    ] {
        let Ok(Value::Map(map)) = ask("URL", &[Value::str(text)]) else {
            assert_eq!(original, "", "{text}");
            continue;
        };
        assert_eq!(map.find(b"url.original"), Some(Value::str(original)), "{text}");
        assert_eq!(map.find(b"url.domain"), Some(Value::str(domain)), "{text}");
        assert_eq!(map.find(b"url.path"), Some(Value::str(path)), "{text}");
    }
    for text in [
        "",
        ":x",
        "a:b/c:d\u{7f}",
        "1a:b",
        "http://a b/",
        "http://h:x/",
        "http://[::1",
        "http://x[::1]/",
        "http://[1.2.3.4]/",
        "http://[::1%25]/",
        "http://h/%zz",
        "http://h%41/",
        "http://u\u{e9}@h/",
        "http://h:99999999999999999999/",
        "?a;b",
        "?%zz=1",
    ] {
        errs("URL", &[Value::str(text)]);
    }
}

#[test]
fn url_parameters() {
    let texts =
        |texts: &[&'static str]| Value::List(List::native(texts.iter().map(|text| Value::str(*text)).collect()));
    let inner = Map::native(vec![(b"a".into(), texts(&["1", "x y"])), (b"b".into(), texts(&[""]))]);
    let expected = Map::native(vec![(b"query".into(), Value::Map(inner))]);
    assert_eq!(ask("URL", &[Value::str("?a=1&b&&a=x+%79")]), Ok(Value::Map(expected)));
    assert_eq!(ask("URL", &[Value::str("?")]), Ok(Value::Map(Map::native(Vec::new()))));
}

/// Recorded with `uap-go`, the package of otelcol 0.161: `client|version|system|version<TAB>header`.
#[test]
fn user_agents() {
    let agents = super::UserAgents::new().unwrap();
    let check = |text: &str, expected: [&str; 4]| {
        let map = agents.parse(text.as_bytes());
        let found = ["user_agent.name", "user_agent.version", "os.name", "os.version"]
            .map(|key| map.find(key.as_bytes()).map_or_else(Vec::new, |value| value.into_str().unwrap().into_owned()))
            .map(|text| String::from_utf8(text).unwrap());
        assert_eq!(found, expected, "{text}");
        assert_eq!(map.find(b"user_agent.original"), Some(Value::str(text)));
    };
    for line in include_str!("user_agent/recorded.txt").lines() {
        let (answer, text) = line.split_once('\t').unwrap();
        let answer: Vec<_> = answer.split('|').collect();
        check(text, answer.try_into().unwrap());
    }
    for text in ["", "hello", "42", "4x", "abc"] {
        check(text, ["Other", "", "Other", ""]);
    }
    assert_eq!(agents.parse(b"abc").len(), 4);
}

#[test]
fn arguments_that_are_wrong() {
    for name in ["ParseJSON", "ParseKeyValue", "URL", "UserAgent"] {
        errs(name, &[Value::Nil]);
        errs(name, &[Value::Int(5)]);
    }
    errs("ParseCSV", &[Value::str("1"), Value::Int(1)]);
    refused("ParseCSV", &[Value::str("1"), Value::str("h"), Value::str("")]);
}
