//! `print-config` beside the real collector's, for every file that both can load: the trees must be equal.
//!
//! The files are those in `config/` and those in `tests/configuration/effective`, made to reach every setting; those that are
//! modelled on published ones have a test of their own. Where the two differ on purpose, [`DIFFERENCES`] says why. What a file comes to must also be a
//! configuration again, and the same one.

#[expect(dead_code, reason = "the stories with peers use more of it")]
#[path = "peers/process.rs"]
mod process;

use settings::{Mode, Node, Value};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Where the printed trees differ on purpose: a part of the path, and why.
const DIFFERENCES: [(&str, &str); 4] = [
    ("/policies/", "otelcol prints policies without their names, types and settings, which nobody could read back"),
    ("tailrace/", "otelcol has no such section"),
    ("/sizer", "otelcol prints every sizer as an empty map, whichever it is"),
    ("/headers/", "otelcol hides the headers of its own telemetry even where secrets are asked for"),
];

#[test]
fn effective_settings_equal_the_reference() {
    let mut faults = Vec::new();
    let mut compared = 0;
    for file in files() {
        let reference = print_config(&process::peer("bin/otelcol-peer"), &file);
        let tailrace = print_config(&PathBuf::from(env!("CARGO_BIN_EXE_tailrace")), &file);
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !reference.status.success() || !tailrace.status.success() {
            println!("{name}: {}", why_not(&reference, &tailrace));
            continue;
        }
        compared += 1;
        let [reference, tailrace] = [reference, tailrace].map(|output| leaves(&text(&output.stdout)));
        let paths = reference.keys().chain(tailrace.keys());
        let mut paths: Vec<&String> = paths.filter(|path| reference.get(*path) != tailrace.get(*path)).collect();
        paths.sort();
        paths.dedup();
        for path in paths.into_iter().filter(|path| !on_purpose(path, &reference)) {
            faults.push(format!("{name}: {path}: {:?}, here {:?}", reference.get(path), tailrace.get(path)));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(compared >= 4, "only {compared} files could be compared");
}

#[test]
fn what_is_printed_comes_to_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let again = folder.path().join("again.yaml");
    for file in files() {
        let printed = print_config(&PathBuf::from(env!("CARGO_BIN_EXE_tailrace")), &file);
        if !printed.status.success() {
            continue;
        }
        // What is printed is expanded already; a dollar sign in it stands for itself.
        fs::write(&again, text(&printed.stdout).replace('$', "$$")).expect("written");
        let second = print_config(&PathBuf::from(env!("CARGO_BIN_EXE_tailrace")), &again);
        assert!(second.status.success(), "{}: {}", file.display(), text(&second.stderr));
        assert_eq!(text(&second.stdout), text(&printed.stdout), "{}", file.display());
    }
}

/// The files to look at, in order.
fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folders = ["config", "tests/configuration/effective"];
    let files = folders.iter().filter_map(|folder| fs::read_dir(root.join(folder)).ok()).flatten();
    let files = files.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    files.sort();
    files
}

fn print_config(program: &Path, file: &Path) -> Output {
    let mut command = Command::new(program);
    command.args(["print-config", "--mode=unredacted", "--config"]).arg(file);
    command.output().expect("the program runs")
}

fn why_not(reference: &Output, tailrace: &Output) -> String {
    let said = |output: &Output| text(&output.stderr).lines().take(3).collect::<Vec<_>>().join(" ");
    match (reference.status.success(), tailrace.status.success()) {
        (false, true) => format!("the reference cannot load it: {}", said(reference)),
        (true, false) => format!("Tailrace cannot load it: {}", said(tailrace)),
        _ => format!("neither can load it: {} / {}", said(reference), said(tailrace)),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Every scalar, empty map and empty list of a text, by its path.
fn leaves(text: &str) -> BTreeMap<String, String> {
    let source = tempfile::NamedTempFile::new().expect("a file");
    fs::write(source.path(), text.replace('$', "$$")).expect("written");
    let (tree, sources, problems) = settings::load(&[source.path().display().to_string()], &[], &|_| None);
    let tree = tree.unwrap_or_else(|| panic!("{}", problems.render(&sources)));
    let mut found = BTreeMap::new();
    gather(&tree, "", &mut found);
    found
}

fn gather(node: &Node, path: &str, found: &mut BTreeMap<String, String>) {
    match &node.value {
        Value::Map(entries) if !entries.is_empty() => {
            for entry in entries {
                gather(&entry.node, &format!("{path}/{}", entry.key), found);
            }
        }
        Value::List(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                gather(item, &format!("{path}/{index}"), found);
            }
        }
        _ => {
            found.insert(path.to_string(), node.to_yaml(Mode::Unredacted).trim().to_string());
        }
    }
}

fn on_purpose(path: &str, reference: &BTreeMap<String, String>) -> bool {
    DIFFERENCES.iter().any(|(part, _)| match *part {
        "/policies/" => path.starts_with("/processors/tail_sampling") && path.contains("/policies/"),
        "tailrace/" => path.starts_with("/tailrace"),
        "/headers/" => {
            path.contains("/telemetry/") && reference.get(path).is_some_and(|text| text.contains("REDACTED"))
        }
        part => path.ends_with(part) && reference.get(path).is_some_and(|text| text == "{}"),
    })
}
