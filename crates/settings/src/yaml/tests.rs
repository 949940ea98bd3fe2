//! Structure, places, anchors and bombs.

use std::time::Instant;

use super::*;
use crate::location::Sources;
use crate::print::Mode;

fn check(text: &str) -> Result<String, String> {
    let (mut sources, mut p, mut budget) = (Sources::new(), Problems::new(), Budget::new());
    let source = sources.add("c.yaml", text);
    let tree = parse(text, Place::Source(source), &mut budget, &mut p);
    match tree {
        Some(tree) if p.is_empty() => Ok(tree.to_yaml(Mode::Redacted)),
        _ => Err(p.render(&sources)),
    }
}

#[test]
fn structure() {
    for (text, expected) in [
        ("", "null\n"),
        ("# nothing\n", "null\n"),
        ("a: 1\nb: [x, {c: 0x10}]\n", "a: 1\nb:\n    - x\n    - c: 16\n"),
        ("a: \"5\"\nb: '5'\nc: 5\n", "a: \"5\"\nb: \"5\"\nc: 5\n"),
        ("a: |\n  two\n  lines\n", "a: \"two\\nlines\\n\"\n"),
        ("a: !!str 5\n", "a: \"5\"\n"),
        ("1: x\ntrue: y\n", "\"1\": x\n\"true\": \"y\"\n"),
        ("\u{feff}a: 1\n", "a: 1\n"),
        ("a: 1\n---\nb: 2\n", "a: 1\n"),
        ("a: &x {b: 1}\nc: *x\n", "a:\n    b: 1\nc:\n    b: 1\n"),
        ("a: &k word\nb: *k\n*k : 1\n", "a: word\nb: word\nword: 1\n"),
        ("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\n", "a:\n    b: 1\n    c: 2\nd:\n    b: 1\n    c: 3\n"),
        ("d: {<<: [{b: 1}, {b: 2, e: 3}]}\n", "d:\n    b: 1\n    e: 3\n"),
        ("\"<<\": {a: 1}\n", "a: 1\n"),
    ] {
        assert_eq!(check(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn refusals() {
    for (text, expected) in [
        (
            "a:\n  b: 1\n  c: 2\n  b: 3\n",
            "c.yaml:4:3: error: the key `b` is there twice\n    b: 3\n    ^\n  help: the first one is in line 2, column 3; remove \
             one of the two\n",
        ),
        (
            "a: !!int x\n",
            "c.yaml:1:10: error: `x` is no `!!int`; remove the tag, or write a value of its kind\n  a: !!int x\n           ^\n",
        ),
        ("[a]: 1\n", "c.yaml:1:1: error: a key must be text; write `key: value`\n  [a]: 1\n  ^\n"),
        (
            "a: {<<: 5}\n",
            "c.yaml:1:5: error: `<<` takes a map or a list of maps; write `<<: *name`, where `&name` marks a map\n  a: {<<: 5}\n      ^^\n",
        ),
        (
            "a: &x [*x]\n",
            "c.yaml:1:8: error: this alias stands inside what it repeats; write out what is meant\n  a: &x [*x]\n         ^^\n",
        ),
    ] {
        assert_eq!(check(text).err().as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn broken_text_has_a_place() {
    for (text, place) in
        [("a: [1, 2\nb: 3\n", "c.yaml:2"), ("a: 'x\n", "c.yaml:"), ("a: *y\n", "c.yaml:1:4"), ("a: b: c\n", "c.yaml:1")]
    {
        let problems = check(text).expect_err(text);
        assert!(problems.starts_with(place) && problems.contains("this is not YAML: "), "{problems}");
    }
}

#[test]
fn bombs_are_bounded() {
    let laughs = (1..30).fold("a0: &a0 [ha,ha,ha,ha,ha,ha,ha,ha,ha]\n".to_string(), |text, level| {
        let below = vec![format!("*a{}", level - 1); 9].join(",");
        format!("{text}a{level}: &a{level} [{below}]\n")
    });
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(500_000), vec!["*a"; 50_000].join(","));
    let chain = (1..1000)
        .fold("a0: &a0 [x]\n".to_string(), |text, level| format!("{text}a{level}: &a{level} [*a{}]\n", level - 1));
    let anchors: String =
        (0..90).map(|level| format!("&a{level} [")).collect::<String>() + &"x,".repeat(200_000) + &"]".repeat(90);
    for (text, expected) in [
        (laughs, "too large"),
        (long, "too large"),
        (chain, "more than 100 deep"),
        (anchors, "too large"),
        ("[".repeat(100_000), "error"),
        ("{a: ".repeat(100_000), "error"),
        ("- ".repeat(100_000), "error"),
        ((0..100_000).map(|_| "? ").collect(), "error"),
        ("a:\n".to_string(), ""),
        ("x".repeat(TEXT_BYTES_MAX + 1), "longer than 1024 KiB"),
        (format!("a: [{}]", "1,".repeat(300_000)), "too large"),
        (format!("a: {{<<: [{}]}}", (0..40_000).map(|n| format!("{{k{n}: 1}},")).collect::<String>()), ""),
    ] {
        let start = Instant::now();
        let result = check(&text);
        let head: String = text.chars().take(30).collect();
        match result {
            Err(problems) => assert!(!expected.is_empty() && problems.contains(expected), "{head}: {problems}"),
            Ok(_) => assert!(expected.is_empty(), "{head} was taken"),
        }
        // Generous: an unbounded one takes hours, or the memory first.
        assert!(start.elapsed().as_secs() < 20, "{head} took {:?}", start.elapsed());
    }
}
