//! Each form of expansion, and what a text, a number or a map makes of it.

use super::*;
use crate::decode::Decode;
use crate::load::load;
use crate::print::Mode;

fn env(name: &str) -> Option<String> {
    let value = match name {
        "FIVE" => "5",
        "HALF" => "5.5",
        "HEX" => "0x10",
        "THOUSAND" => "1_000",
        "EMPTY" => "",
        "QUOTED" => "\"5\"",
        "WORD" => "abc",
        "LIST" => "[1]",
        "MAP" => "{a: '${env:FIVE}', b: '$${env:FIVE}'}",
        "ITSELF" => "${env:ITSELF}",
        "TWICE" => "x${env:TWICE}${env:TWICE}",
        "OTHER" => "${env:FIVE}",
        "NAME" => "FIVE",
        "BROKEN" => "a: [",
        _ => return None,
    };
    Some(value.to_string())
}

fn loaded(text: &str) -> (Node, String) {
    let (tree, sources, p) = load(&[format!("yaml:{text}")], &[], &env);
    (tree.expect("a tree"), p.render(&sources))
}

#[test]
fn expansion() {
    for (text, expected) in [
        ("a: ${env:FIVE}", "a: 5\n"),
        ("a: \"${env:FIVE}\"", "a: 5\n"),
        ("a: ${FIVE}", "a: 5\n"),
        ("a: ${env:WORD}", "a: abc\n"),
        ("a: x${env:FIVE}y${env:WORD}", "a: x5yabc\n"),
        ("a: ${env:NONE:-7}", "a: 7\n"),
        ("a: ${env:FIVE:-7}", "a: 5\n"),
        ("a: ${env:EMPTY:-7}", "a: null\n"),
        ("a: ${env:NONE:-}", "a: \"\"\n"),
        ("a: \"${env:NONE:-a: b}\"", "a:\n    a: b\n"),
        ("a: \"${yaml:[1, 2]}\"", "a:\n    - 1\n    - 2\n"),
        ("a: ${env:LIST}", "a:\n    - 1\n"),
        ("a: ${env:MAP}", "a:\n    a: 5\n    b: ${env:FIVE}\n"),
        ("a: ${env:OTHER}", "a: 5\n"),
        ("a: ${env:${env:NAME}}", "a: 5\n"),
        ("a: ${env:QUOTED}", "a: '\"5\"'\n"),
        ("a: ${env:BROKEN}", "a: 'a: ['\n"),
        ("a: $$", "a: $\n"),
        ("a: $${env:FIVE}", "a: ${env:FIVE}\n"),
        ("a: $$${env:FIVE}", "a: $5\n"),
        ("a: $", "a: $\n"),
        ("a: cost 5$ or $FIVE", "a: cost 5$ or $FIVE\n"),
        ("a: $NONE", "a: $NONE\n"),
        ("a: \"^abc$\"", "a: ^abc$\n"),
        ("a: ${env:FIVE", "a: ${env:FIVE\n"),
        ("a: \"}${env:FIVE}\"", "a: '}5'\n"),
        ("\"${env:FIVE}\": 1", "${env:FIVE}: 1\n"),
        ("a: [\"${env:FIVE}\", {b: \"${env:WORD}\"}]", "a:\n    - 5\n    - b: abc\n"),
    ] {
        let (tree, problems) = loaded(text);
        assert_eq!((tree.to_yaml(Mode::Redacted).as_str(), problems.as_str()), (expected, ""), "{text}");
    }
}

#[test]
fn refusals_and_warnings() {
    for (text, expected) in [
        ("a: ${env:NONE}", "yaml:1:4: warning: the environment variable `NONE` is not set, so this is empty"),
        ("a: $FIVE", "yaml:1:4: warning: `$FIVE` is expanded for the sake of older files"),
        ("a: ${http:x}", "yaml:1:4: error: unknown scheme `http` in `${http:x}`"),
        ("a: ${env:1x}", "yaml:1:4: error: `1x` is no name of an environment variable"),
        ("a: ${env:ITSELF}", "yaml:1:4: error: this expansion brings itself"),
        ("a: ${env:TWICE}", "yaml:1:4: error: this expansion brings too much, or itself"),
        ("a: x${env:ITSELF}", "yaml:1:4: error: this expansion brings too much, or itself"),
        ("a: ${file:/nowhere}", "yaml:1:4: error: the file `/nowhere` cannot be read: no such file or directory"),
    ] {
        let (_, problems) = loaded(text);
        assert!(problems.starts_with(expected), "{text}: {problems}");
    }
}

/// What fields of several kinds take from a variable: the last column of the specification's second point.
#[test]
fn fields_choose_between_value_and_text() {
    fn shown<T: Decode + std::fmt::Debug>(node: &Node) -> String {
        T::decode(node, &mut Problems::new()).map_or("error".to_string(), |value| format!("{value:?}"))
    }
    for (variable, number, text, list) in [
        ("FIVE", "5", "\"5\"", "error"),
        ("HALF", "5", "\"5.5\"", "error"),
        ("HEX", "16", "\"0x10\"", "error"),
        ("THOUSAND", "1000", "\"1_000\"", "error"),
        ("EMPTY", "0", "\"\"", "[]"),
        ("QUOTED", "error", "\"\\\"5\\\"\"", "[\"\\\"5\\\"\"]"),
        ("WORD", "error", "\"abc\"", "[\"abc\"]"),
        ("LIST", "error", "\"[1]\"", "error"),
    ] {
        let (tree, _) = loaded(&format!("a: ${{env:{variable}}}"));
        let node = tree.lookup("a").expect("a value");
        let found = [shown::<u64>(node), shown::<String>(node), shown::<Vec<String>>(node)];
        assert_eq!(found, [number, text, list], "{variable}");
    }
}

#[test]
fn files_keep_their_places() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_string();
    std::fs::write(path("part.yaml"), "b: 1\nc: ${env:FIVE}\n").expect("written");
    std::fs::write(path("self.yaml"), format!("a: ${{file:{0}}}\nb: ${{file:{0}}}\n", path("self.yaml")))
        .expect("written");
    let (tree, problems) = loaded(&format!("a: ${{file:{}}}", path("part.yaml")));
    assert_eq!((tree.to_yaml(Mode::Redacted).as_str(), problems.as_str()), ("a:\n    b: 1\n    c: 5\n", ""));
    let at = tree.lookup("a").and_then(|node| node.lookup("b")).expect("b").at;
    assert_eq!((at.source, at.line, at.column), (1, 1, 4));
    let (_, problems) = loaded(&format!("a: ${{file:{}}}", path("self.yaml")));
    assert!(problems.contains("error: "), "{problems}");
}

#[test]
fn bombs_are_bounded() {
    let many = format!("a: \"{}\"", "${env:WORD}".repeat(50_000));
    assert!(loaded(&many).1.contains("brings"));
    let nested = format!("a: \"{}FIVE{}\"", "${env:".repeat(10_000), "}".repeat(10_000));
    let (_, problems) = loaded(&nested);
    assert!(problems.contains("error: ") || problems.contains("warning: "), "{problems}");
}
