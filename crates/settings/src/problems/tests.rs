//! What a person sees.

use super::*;
use crate::decode::Decode;
use crate::load::load;

#[test]
fn all_at_once_in_the_order_of_the_files() {
    let mut sources = Sources::new();
    let first = sources.add("a.yaml", "one: 1\ntwo:\t2 # and more\n");
    let second = sources.add("b.yaml", "three: 3\n");
    let at = |source, line, column, width| Location { source, line, column, width };
    let mut p = Problems::new();
    p.error(&at(second, 1, 8, 1), "third", None);
    p.warning(&at(first, 2, 6, 1), "second", "do this".to_string());
    p.error(&at(first, 1, 1, 3), "first", None);
    p.error(&Location::NOWHERE, "nowhere", None);
    assert_eq!(
        p.render(&sources),
        "\
error: nowhere
a.yaml:1:1: error: first
  one: 1
  ^^^
a.yaml:2:6: warning: second
  two: 2 # and more
       ^
  help: do this
b.yaml:1:8: error: third
  three: 3
         ^
"
    );
    assert_eq!((p.count(Severity::Error), p.count(Severity::Warning), p.has_errors()), (3, 1, true));
}

#[test]
fn long_lines_are_cut_and_control_characters_shown() {
    let mut sources = Sources::new();
    let source = sources.add("\u{1b}[31m.yaml", format!("{}{}\u{202e}x\u{7}", "a".repeat(500), "b".repeat(10)));
    let mut p = Problems::new();
    p.error(&Location { source, line: 1, column: 501, width: u32::MAX }, "found \u{1b}[2J", None);
    let text = p.render(&sources);
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text}");
    assert!(text.lines().all(|line| line.len() < 250), "{text}");
    assert!(text.contains("found \\u{1b}[2J"), "{text}");
}

#[test]
fn many_problems_are_counted() {
    let mut p = Problems::new();
    for _ in 0..PROBLEMS_MAX + 5 {
        p.error(&Location::NOWHERE, "x", None);
    }
    assert_eq!(p.count(Severity::Error), PROBLEMS_MAX + 5);
    assert!(p.render(&Sources::new()).ends_with("and 5 more\n"));
}

/// Canaries under every key that names a secret: none is quoted, none is in a source line.
#[test]
fn secrets_are_not_shown() {
    for text in [
        "headers: {team: [canary]}",
        "headers:\n  team: 424242",
        "password: [canary]",
        "client_secret: {x: canary}",
        "key_pem: 424242",
        "authorization: [canary]",
        "a: ${env:TOKEN}",
    ] {
        let env = |_: &str| Some("424242".to_string());
        let (tree, sources, mut p) = load(&[format!("yaml:{text}")], &[], &env);
        let tree = tree.expect("a tree");
        let mut fields = tree.map("exporter", &mut p).expect("a map");
        for key in ["headers", "password", "client_secret", "key_pem", "authorization"] {
            if key == "headers" {
                let _wrong: Option<std::collections::BTreeMap<String, String>> = fields.optional(key, &mut p);
            } else {
                let _wrong: Option<String> = fields.optional(key, &mut p);
            }
        }
        if let Some(node) = fields.node("a") {
            assert!(bool::decode(node, &mut p).is_none());
        }
        let shown = p.render(&sources);
        assert!(p.has_errors() && !shown.contains("canary") && !shown.contains("424242"), "{text}: {shown}");
    }
}
