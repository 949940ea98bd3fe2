//! Files, merging, `--set`.

use super::*;
use crate::print::Mode;

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_string()).collect()
}

fn check(uris: &[&str], sets: &[&str], expected: &str) {
    let env = |name: &str| (name == "CONFIG").then(|| "a: {from: env}".to_string());
    let (tree, sources, p) = load(&strings(uris), &strings(sets), &env);
    let text = match tree {
        Some(tree) if p.is_empty() => tree.to_yaml(Mode::Redacted),
        _ => p.render(&sources),
    };
    assert_eq!(text, expected, "{uris:?} {sets:?}");
}

#[test]
fn merging() {
    check(&["yaml:a: {b: 1, c: [1, 2]}", "yaml:a: {c: [3]}\nd: 4"], &[], "a:\n    b: 1\n    c:\n        - 3\nd: 4\n");
    check(&["yaml:a: {b: 1}", "yaml:a: null"], &[], "a: null\n");
    check(&["yaml:a: 1", "env:CONFIG"], &[], "a:\n    from: env\n");
    check(&["yaml:a::b::c: 5\na: {b: {d: 6}}"], &[], "a:\n    b:\n        c: 5\n        d: 6\n");
    check(&["yaml:"], &[], "{}\n");
}

#[test]
fn sets_beat_files() {
    check(&["yaml:a: {b: 1, c: 2}"], &["a::b=7"], "a:\n    b: 7\n    c: 2\n");
    check(
        &["yaml:a: {b: 1, c: 2}"],
        &["a.b=[x, y]", " a::c = 3s "],
        "a:\n    b:\n        - x\n        - \"y\"\n    c: 3s\n",
    );
    check(&["yaml:a: 1"], &["a=x=y"], "a: x=y\n");
    check(&["yaml:a: 1"], &["a="], "a: null\n");
    check(
        &["yaml:a: 1"],
        &["a"],
        "error: `--set a` has no `=`\n  help: write the setting's path and its value, as in `--set exporters::otlp::endpoint=backend:4317`\n",
    );
    let unclosed = "--set:1:3: error: this is not YAML: unclosed bracket '['\n  a=[1\n    ^^\n  help: look for a bracket or a \
                    quote that is not closed, here or in the lines before\n";
    check(&["yaml:a: 1"], &["a=[1"], unclosed);
}

#[test]
fn uris() {
    check(
        &["ftp:x"],
        &[],
        "error: unknown scheme `ftp` in `ftp:x`\n  help: write a path, `file:PATH`, `env:NAME` or `yaml:TEXT`\n",
    );
    check(
        &["env:NONE"],
        &[],
        "error: the environment variable `NONE` is not set\n  help: set it to the text of a configuration, or give another `--config`\n",
    );
    check(
        &["/nowhere/at/all.yaml"],
        &[],
        "error: the file `/nowhere/at/all.yaml` cannot be read: no such file or directory\n  help: paths are seen from this folder\n",
    );
    check(
        &["yaml:[1]"],
        &[],
        "yaml:1:1: error: a configuration must be a map, found a list\n  [1]\n  ^\n  help: begin with the sections `receivers:`, `exporters:` and `service:`\n",
    );
    check(
        &["yaml:just text"],
        &[],
        "yaml:1:1: error: a configuration must be a map, found the text `just text`\n  just text\n  ^^^^^^^^^\n  help: begin with the sections `receivers:`, `exporters:` and `service:`\n",
    );
}

#[test]
fn files() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_string();
    std::fs::write(path("a.yaml"), "a: {b: 1}\n").expect("written");
    std::fs::write(path("big.yaml"), "#".repeat(TEXT_BYTES_MAX + 1)).expect("written");
    std::fs::write(path("bytes.yaml"), [0xff, 0xfe]).expect("written");
    check(&[&path("a.yaml"), &format!("file:{}", path("a.yaml"))], &["a::c=2"], "a:\n    b: 1\n    c: 2\n");
    let (split, encode) = ("split it, and give each part with `--config`", "save it as UTF-8 text");
    for (name, reason, help) in
        [("big.yaml", "it is longer than 1024 KiB", split), ("bytes.yaml", "it is not UTF-8", encode)]
    {
        check(
            &[&path(name)],
            &[],
            &format!("error: the file `{}` cannot be read: {reason}\n  help: {help}\n", path(name)),
        );
    }
}

#[test]
fn many_keys_merge_fast() {
    let keys: String = (0..40_000).map(|n| format!("k{n}: 1\n")).collect();
    let (tree, _, p) = load(&[format!("yaml:{keys}"), format!("yaml:{keys}")], &[], &|_| None);
    assert!(p.is_empty());
    assert_eq!(tree.expect("a tree").entries().len(), 40_000);
}
