//! Keeps the map honest: what ARCHITECTURE.md, the manifests and the house style say is what the tree is.
//!
//! Each test reads the tree as text, or asks cargo, and lists everything that is wrong at once. Patterns that no file
//! may contain are put together from halves here, so that this file passes its own tests.

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What a word means stands in ARCHITECTURE.md; that these words have a meaning stands here.
const GLOSSARY: [&str; 26] = [
    "span",
    "trace",
    "piece",
    "run",
    "block",
    "slot",
    "shard",
    "due",
    "verdict",
    "policy",
    "leaf",
    "late",
    "kept",
    "sampled out",
    "filtered",
    "dropped",
    "accepted",
    "refused",
    "rejected",
    "batch",
    "destination",
    "token",
    "budget",
    "tick",
    "reason",
    "weight",
];

/// The packages Tailrace is built on; each does real work in the program.
const DESIGN_CARD: [&str; 7] = ["tonic", "prost", "opentelemetry-proto", "tokio", "dashmap", "serde_yaml", "metrics"];

/// Licences that let Tailrace be passed on under its own.
const LICENCES: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Zlib",
];

/// Packages in the program, its own crates included.
const PACKAGES_MAX: usize = 199;
/// Lines of a source file; a longer one holds two concepts.
const LINES_MAX: usize = 600;

const EXPECTED: [&str; 14] = [
    ".ci/run",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "LICENSE",
    "README.md",
    "benches",
    "clippy.toml",
    "config",
    "proto",
    "rust-toolchain.toml",
    "tests/conformance",
    "tests/peers/install",
];

#[test]
fn arrows_between_crates_are_those_of_the_map() {
    let map = allowed_arrows();
    let mut faults = Faults::default();
    let packages = metadata(&["--no-deps"]);
    let names: BTreeSet<&str> = list(&packages["packages"]).iter().map(|package| text(&package["name"])).collect();
    faults.demand(names == map.keys().map(String::as_str).collect(), || {
        format!("ARCHITECTURE.md has the crates {:?}, the workspace has {names:?}", map.keys())
    });
    for package in list(&packages["packages"]) {
        let name = text(&package["name"]);
        let Some(allowed) = map.get(name) else { continue };
        for dependency in list(&package["dependencies"]).iter().filter(|dependency| dependency["kind"] != "dev") {
            let used = text(&dependency["name"]);
            faults.demand(!names.contains(used) || allowed.contains(used), || {
                format!("`{name}` uses `{used}`, which ARCHITECTURE.md does not allow")
            });
        }
    }
    faults.none();
}

#[test]
fn the_map_defines_the_glossary_and_names_what_exists() {
    let map = read("ARCHITECTURE.md");
    let glossary = section(&map, "Glossary");
    let mut faults = Faults::default();
    for term in GLOSSARY {
        faults.demand(glossary.contains(&format!("| {term} |")), || format!("the glossary lacks `{term}`"));
    }
    for path in map.split('`').skip(1).step_by(2).filter(|quoted| is_path(quoted)) {
        faults.demand(root().join(path).exists(), || format!("ARCHITECTURE.md names `{path}`, which does not exist"));
    }
    for path in EXPECTED {
        faults.demand(root().join(path).exists(), || format!("`{path}` does not exist"));
    }
    faults.none();
}

#[test]
fn source_files_keep_the_house_style() {
    let banned_stems = ["mod", "utils", "util", "common", "helpers", "types", "manager"];
    let exception = ["#[", "allow"].concat();
    let inner_exception = ["#![", "allow"].concat();
    let skipped_test = ["#[", "ignore"].concat();
    let mut faults = Faults::default();
    for (path, source) in sources() {
        let at = path.display();
        faults.demand(source.starts_with("//!"), || format!("{at} does not open with `//!`"));
        let lines = source.lines().count();
        faults.demand(lines <= LINES_MAX, || format!("{at} has {lines} lines, at most {LINES_MAX}"));
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        faults.demand(!banned_stems.contains(&&*stem), || format!("{at}: a file is named after its concept"));
        for banned in [&exception, &inner_exception, &skipped_test] {
            faults.demand(!source.contains(banned), || format!("{at} contains `{banned}`"));
        }
        if path.starts_with("crates") {
            faults.demand(!sleeps(test_part(&path, &source)), || format!("{at}: a unit test sleeps"));
        }
    }
    faults.none();
}

#[test]
fn nothing_is_unfinished_and_nothing_names_a_machine() {
    let mut marks: Vec<String> = [("TO", "DO"), ("FIX", "ME"), ("XX", "X"), ("todo", "!("), ("unimplemented", "!(")]
        .map(|(left, right)| [left, right].concat())
        .to_vec();
    marks.extend(["work", "root", "home"].map(|folder| format!("/{folder}/")));
    let hosts = [
        "crates io",
        "pypi org",
        "pythonhosted org",
        "npmjs org",
        "proxy golang org",
        "maven org",
        "maven apache org",
        "deb debian org",
    ];
    marks.extend(hosts.map(|host| host.replace(' ', ".")));
    let mut faults = Faults::default();
    for path in files("") {
        // Third-party text, recorded data, and the lock file, which cargo writes.
        if path.starts_with("proto") || path.starts_with("tests/conformance") || path == Path::new("Cargo.lock") {
            continue;
        }
        let Ok(content) = fs::read_to_string(root().join(&path)) else { continue };
        for mark in &marks {
            if let Some(line) = content.lines().position(|line| contains_word(line, mark)) {
                faults.add(format!("{}:{}: contains `{mark}`", path.display(), line + 1));
            }
        }
    }
    faults.none();
}

#[test]
fn every_package_of_the_design_card_works_in_the_program() {
    let packages = metadata(&["--no-deps"]);
    let mut faults = Faults::default();
    for wanted in DESIGN_CARD {
        // `rename` is the name in the manifest and in the code, whatever package stands behind it.
        let owners: Vec<&str> = list(&packages["packages"])
            .iter()
            .filter(|package| {
                list(&package["dependencies"]).iter().any(|dependency| {
                    let name = dependency["rename"].as_str().unwrap_or(text(&dependency["name"]));
                    name == wanted && dependency["kind"].is_null()
                })
            })
            .map(|package| text(&package["name"]))
            .collect();
        let path = format!("{}::", wanted.replace('-', "_"));
        let used = owners.iter().any(|owner| {
            sources().iter().any(|(file, source)| {
                file.starts_with(format!("crates/{owner}/src")) && contains_word(program_part(file, source), &path)
            })
        });
        faults.demand(used, || format!("`{wanted}` does no work outside of tests (dependency of {owners:?})"));
    }
    faults.none();
}

#[test]
fn the_program_stays_below_two_hundred_packages() {
    let tree = cargo(&["tree", "--locked", "-p", "tailrace", "-e", "normal,build", "--prefix", "none"]);
    let packages: BTreeSet<&str> = tree
        .lines()
        .map(|line| line.trim_end_matches(" (*)").trim_end_matches(" (proc-macro)"))
        .filter(|line| !line.is_empty())
        .collect();
    println!("{} packages in `cargo tree -e normal,build`", packages.len());
    assert!(packages.len() <= PACKAGES_MAX, "{} packages, at most {PACKAGES_MAX}", packages.len());
}

#[test]
fn every_package_has_a_licence_that_allows_ours() {
    let rustc = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let version = String::from_utf8_lossy(&rustc.stdout).into_owned();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host");
    let all = metadata(&["--filter-platform", host]);
    let resolved: BTreeSet<&str> = list(&all["resolve"]["nodes"]).iter().map(|node| text(&node["id"])).collect();
    let mut faults = Faults::default();
    for package in list(&all["packages"]).iter().filter(|package| resolved.contains(text(&package["id"]))) {
        let licence = package["license"].as_str().unwrap_or("none named");
        let allowed = licence_is_allowed(licence);
        faults.demand(allowed, || format!("{} {}: {licence}", text(&package["name"]), text(&package["version"])));
    }
    println!("{} packages with their licences, tests included", resolved.len());
    faults.none();
}

#[test]
fn every_crate_inherits_the_lints() {
    let workspace = read("Cargo.toml");
    assert!(workspace.contains("unsafe_code = \"forbid\""), "unsafe code is forbidden for all");
    assert!(read("rust-toolchain.toml").contains("channel = \"1.95.0\""), "the toolchain is named exactly");
    let mut faults = Faults::default();
    for folder in fs::read_dir(root().join("crates")).expect("the crates") {
        let manifest = folder.expect("a folder").path().join("Cargo.toml");
        let content = fs::read_to_string(&manifest).unwrap_or_default();
        let inherits = content.contains("[lints]\nworkspace = true");
        faults.demand(inherits, || format!("{} does not inherit the workspace's lints", manifest.display()));
    }
    faults.none();
}

#[test]
fn licences_are_read_as_expressions() {
    let check = |licence: &str, allowed: bool| assert_eq!(licence_is_allowed(licence), allowed, "{licence}");
    check("MIT OR Apache-2.0", true);
    check("MIT/Apache-2.0", true);
    check("GPL-3.0 OR MIT", true);
    check("GPL-3.0 AND MIT", false);
    check("(MIT OR GPL-3.0) AND Unicode-3.0", true);
    check("Apache-2.0 AND (GPL-3.0 OR LGPL-3.0)", false);
    check("Apache-2.0 WITH LLVM-exception OR GPL-3.0", true);
    check("none named", false);
}

/// What is wrong, collected, so that one run tells all.
#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn add(&mut self, fault: String) {
        self.0.push(fault);
    }

    fn demand(&mut self, holds: bool, fault: impl FnOnce() -> String) {
        if !holds {
            self.add(fault());
        }
    }

    fn none(self) {
        assert!(self.0.is_empty(), "{} faults:\n{}", self.0.len(), self.0.join("\n"));
    }
}

/// The table "Crates" of ARCHITECTURE.md: crate to the crates it may use.
fn allowed_arrows() -> BTreeMap<String, BTreeSet<String>> {
    let map = read("ARCHITECTURE.md");
    let mut arrows = BTreeMap::new();
    for row in section(&map, "Crates").lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, name, _, uses, ..] = cells[..] else { panic!("the row `{row}` has too few cells") };
        let uses = if uses == "all of them" {
            arrows.keys().cloned().collect()
        } else {
            uses.split(',').map(|used| used.trim().trim_matches('`').to_owned()).collect()
        };
        arrows.insert(name.trim_matches('`').to_owned(), uses);
    }
    arrows
}

/// From the heading to the next one of its level.
fn section<'a>(map: &'a str, heading: &str) -> &'a str {
    let (_, rest) = map.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no section `{heading}`"));
    rest.split("\n## ").next().unwrap_or(rest)
}

/// Whether a quoted word is meant as a path of the tree.
fn is_path(quoted: &str) -> bool {
    let plain = quoted.chars().all(|letter| letter.is_ascii_alphanumeric() || "/._-".contains(letter));
    let ends = [".rs", ".md", ".toml", ".yaml", ".proto"].iter().any(|end| quoted.ends_with(end));
    plain && !quoted.starts_with('/') && (ends || quoted.contains('/'))
}

/// Unit tests: a file of tests, or what follows the attribute that opens them.
fn test_part<'a>(path: &Path, source: &'a str) -> &'a str {
    if path.ends_with("tests.rs") { source } else { &source[test_begin(source)..] }
}

fn program_part<'a>(path: &Path, source: &'a str) -> &'a str {
    if path.ends_with("tests.rs") { "" } else { &source[..test_begin(source)] }
}

fn test_begin(source: &str) -> usize {
    source.find("#[cfg(test)]\nmod ").unwrap_or(source.len())
}

/// A sleep on tokio's paused clock takes no time.
fn sleeps(tests: &str) -> bool {
    tests.contains("thread::sleep(") || (tests.contains("time::sleep(") && !tests.contains("start_paused = true"))
}

/// Whether `word` stands in `text` and is not the end of a longer word.
fn contains_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let ends_open = !word.ends_with(|end: char| end.is_alphanumeric());
        !before.is_some_and(char::is_alphanumeric) && (ends_open || !after.is_some_and(char::is_alphanumeric))
    })
}

/// An SPDX expression, by the rule that `OR` offers a choice and `AND` demands both.
fn licence_is_allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ");
    let parts = |joint: &str| split_outside_brackets(&expression, joint);
    if let [one] = parts(" OR ")[..] {
        return match parts(" AND ")[..] {
            [_] => match one.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
                Some(inner) => licence_is_allowed(inner),
                None => LICENCES.contains(&one),
            },
            ref all => all.iter().all(|part| licence_is_allowed(part)),
        };
    }
    parts(" OR ").iter().any(|part| licence_is_allowed(part))
}

fn split_outside_brackets<'a>(text: &'a str, joint: &str) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let mut begin = 0;
    for (at, _) in text.match_indices(joint) {
        let before = &text[..at];
        if before.matches('(').count() == before.matches(')').count() {
            parts.push(text[begin..at].trim());
            begin = at + joint.len();
        }
    }
    parts.push(text[begin..].trim());
    parts
}

/// Every Rust file of ours with its text.
fn sources() -> Vec<(PathBuf, String)> {
    let folders = ["crates", "tests", "benches"];
    let rust =
        folders.iter().flat_map(|folder| files(folder)).filter(|path| path.extension().is_some_and(|end| end == "rs"));
    rust.map(|path| (path.clone(), fs::read_to_string(root().join(&path)).expect("source is UTF-8"))).collect()
}

/// Every file below `folder` by its path from the root, without what is built or installed.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::from(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(root().join(&folder)).expect("a folder of the tree") {
            let entry = entry.expect("an entry");
            let path = folder.join(entry.file_name());
            let hidden = ["target", ".git", "node_modules", "__pycache__"].iter().any(|name| path.ends_with(name));
            match entry.file_type().expect("a file type") {
                _ if hidden => {}
                kind if kind.is_dir() => open.push(path),
                kind if kind.is_file() => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

fn metadata(arguments: &[&str]) -> Value {
    let json = cargo(&[&["metadata", "--format-version", "1", "--locked"], arguments].concat());
    serde_json::from_str(&json).expect("cargo prints JSON")
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().expect("cargo runs");
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo prints UTF-8")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("`{path}`: {error}"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
