//! The configurations that people publish, put before the built binary.
//!
//! Each file of `tests/configuration/published` is modelled on one of a collector, a vendor or a post: its components, their
//! order, settings and spelling. The head of a file says where it comes from and what must become of it, in a fixed form:
//!
//! ```text
//! # modelled on: <project, page or path>
//! # expect: runs
//! # expect: unsupported: <section>/<id> at <line>:<column>, …
//! # env: NAME=value          what its expansions need; it sees no other environment
//! # with: parts/other.yaml   a further `--config` after it
//! ```
//!
//! A file with components that Tailrace lacks must be refused with exactly these errors, each at its place, and the pipelines
//! that use none of them must run with `--pipelines`. Every run tells all that is wrong. With the feature `peers` the settings
//! are also compared with those of the real collector.

#[cfg(feature = "peers")]
#[path = "published/effective.rs"]
mod effective;
#[path = "published/file.rs"]
mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use file::{Expectation, Place, Published};

/// What this version lacks of what the files use: a component as `section/type`, a setting as a path below it, a signal as
/// `service/pipelines/metrics`. Files that use one of these may fail.
const PENDING: &[&str] = &[];

/// Every component that Tailrace is to have, in all spellings; the files use each.
const COMPONENTS: [(&str, &[&str]); 5] = [
    ("receivers", &["otlp"]),
    (
        "processors",
        &[
            "memory_limiter",
            "batch",
            "resource",
            "attributes",
            "filter",
            "transform",
            "resourcedetection",
            "resource_detection",
            "redaction",
            "probabilistic_sampler",
            "groupbytrace",
            "span",
            "tail_sampling",
        ],
    ),
    ("exporters", &["otlp", "otlp_grpc", "otlphttp", "otlp_http", "debug", "logging", "file", "nop", "zipkin"]),
    ("connectors", &["forward"]),
    (
        "extensions",
        &[
            "health_check",
            "file_storage",
            "basicauth",
            "bearertokenauth",
            "headers_setter",
            "oauth2client",
            "pprof",
            "zpages",
            "memory_limiter",
        ],
    ),
];

/// Files that must be there, at least: all, those that run, those that are refused.
const FILES_MIN: (usize, usize, usize) = (45, 30, 10);
/// Names of settings that the running files use, at least.
const KEYS_MIN: usize = 120;
/// The exit code of a wrong configuration.
const EXIT_CONFIGURATION: Option<i32> = Some(78);
/// The command that prints all settings, secrets too.
const PRINT: [&str; 2] = ["print-config", "--mode=unredacted"];

#[test]
fn each_file_does_what_its_head_says() {
    let files = files();
    let (mut faults, mut waiting) = (Vec::new(), BTreeMap::<&str, Vec<&str>>::new());
    for file in &files {
        let found = check(file);
        let pending = pending(file);
        if pending.is_empty() {
            faults.extend(found);
            continue;
        }
        if found.is_empty() {
            println!("{} is fine, though it uses what is pending: {}", file.name, pending.join(", "));
        }
        for path in pending {
            waiting.entry(path).or_default().push(&file.name);
        }
    }
    for (path, names) in &waiting {
        println!("pending: {path}: {}", names.join(", "));
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// What `print-config` prints is a configuration: with all its defaults written out it is accepted, and prints the same again.
#[test]
fn what_is_printed_can_be_read_again() {
    let mut faults = Vec::new();
    let (files, folder) = (files(), tempfile::tempdir().expect("a folder"));
    for file in files.iter().filter(|file| file.expectation == Expectation::Runs && pending(file).is_empty()) {
        let printed = String::from_utf8(tailrace(file, &PRINT).stdout).expect("UTF-8");
        let path = folder.path().join(&file.name);
        // What is printed is expanded already; a dollar sign in it stands for itself.
        std::fs::write(&path, printed.replace('$', "$$")).expect("written");
        let again = Command::new(env!("CARGO_BIN_EXE_tailrace"))
            .current_dir(self::folder())
            .env_clear()
            .envs(file.env.iter().cloned())
            .args(PRINT)
            .arg("--config")
            .arg(&path)
            .output()
            .expect("the binary runs");
        let (shown, said) = (String::from_utf8_lossy(&again.stdout), String::from_utf8_lossy(&again.stderr));
        if !again.status.success() || shown != printed {
            let differing = printed.lines().zip(shown.lines()).find(|(first, second)| first != second);
            faults.push(format!("{}: ends with {}, differs in {differing:?}\n{said}", file.name, again.status));
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn the_files_are_enough() {
    let files = files();
    let running = files.iter().filter(|file| file.expectation == Expectation::Runs).count();
    let refused = files.len() - running;
    println!("{} files, {running} run, {refused} are refused", files.len());
    assert!(files.len() >= FILES_MIN.0 && running >= FILES_MIN.1 && refused >= FILES_MIN.2);
    let models: BTreeSet<&str> = files.iter().map(|file| file.model.as_str()).collect();
    assert_eq!(models.len(), files.len(), "each file has a model of its own");
}

#[test]
fn the_running_files_use_every_component_and_many_settings() {
    let files = files();
    let running = || files.iter().filter(|file| file.expectation == Expectation::Runs);
    let components: BTreeSet<String> = running().flat_map(Published::components).collect();
    let wanted =
        COMPONENTS.iter().flat_map(|(section, kinds)| kinds.iter().map(move |kind| format!("{section}/{kind}")));
    let missing: Vec<String> = wanted.filter(|component| !components.contains(component)).collect();
    assert!(missing.is_empty(), "no running file uses {missing:?}");
    let known: BTreeSet<String> = COMPONENTS
        .iter()
        .flat_map(|(section, kinds)| kinds.iter().map(move |kind| format!("{section}/{kind}")))
        .collect();
    let strange: Vec<&String> = components.difference(&known).collect();
    assert!(strange.is_empty(), "these should be listed as unsupported: {strange:?}");
    let keys: BTreeSet<&str> = running().flat_map(|file| file.keys.iter().map(String::as_str)).collect();
    let paths: BTreeSet<&str> = running().flat_map(|file| file.paths.iter().map(String::as_str)).collect();
    println!("{} components, {} names of settings, {} settings", components.len(), keys.len(), paths.len());
    assert!(keys.len() >= KEYS_MIN, "{} names of settings, at least {KEYS_MIN}: {keys:?}", keys.len());
}

/// A receiver whose authenticator is not supported must not run without it, not even where `--pipelines` leaves out much.
#[test]
fn nothing_runs_without_the_authenticator_that_it_names() {
    for file in files().iter().filter(|file| ["docs-oidc.yaml", "google-built.yaml"].contains(&file.name.as_str())) {
        let output = tailrace(file, &["validate", "--pipelines", "traces"]);
        let waits = !pending(file).is_empty();
        assert!(waits || !output.status.success(), "{} runs without its authenticator", file.name);
    }
}

#[test]
fn the_table_in_config_names_every_component() {
    let table = std::fs::read_to_string(folder().join("../../../config/README.md")).expect("the table");
    let named: BTreeSet<&str> = table.split('`').skip(1).step_by(2).collect();
    for (section, kinds) in COMPONENTS {
        let missing: Vec<&&str> = kinds.iter().filter(|kind| !named.contains(**kind)).collect();
        assert!(missing.is_empty(), "config/README.md lacks the {section} {missing:?}");
    }
}

/// What a file uses of what is pending.
fn pending(file: &Published) -> Vec<&'static str> {
    PENDING.iter().copied().filter(|path| file.paths.contains(*path)).collect()
}

/// What is wrong with a file.
fn check(file: &Published) -> Vec<String> {
    match &file.expectation {
        Expectation::Runs => {
            let commands = [&["validate"][..], &["print-config"]];
            commands.iter().filter_map(|command| refused(file, command)).collect()
        }
        Expectation::Unsupported(places) => {
            let mut faults = listing(file, places);
            let pipelines = file.pipelines_without(places).join(",");
            if !pipelines.is_empty() {
                faults.extend(refused(file, &["validate", "--pipelines", &pipelines]));
            }
            faults
        }
    }
}

/// The fault if a command does not end well.
fn refused(file: &Published, command: &[&str]) -> Option<String> {
    let output = tailrace(file, command);
    let shown = String::from_utf8_lossy(&output.stderr);
    (!output.status.success())
        .then(|| format!("{}: `{}` ends with {}\n{shown}", file.name, command.join(" "), output.status))
}

/// The faults of the list of what is not supported: it is exactly what the head says.
fn listing(file: &Published, places: &[Place]) -> Vec<String> {
    let output = tailrace(file, &["validate"]);
    let shown = String::from_utf8_lossy(&output.stderr);
    let mut errors: Vec<&str> = shown.lines().filter(|line| line.contains(": error: ")).collect();
    let mut faults = Vec::new();
    for Place { section, id, at } in places {
        let begin = format!("{}:{at}: error: ", file.name);
        let told =
            |line: &&str| line.starts_with(&begin) && line.contains(&format!("`{id}`")) && line.contains(section);
        match errors.iter().position(told) {
            Some(index) => drop(errors.swap_remove(index)),
            None => faults.push(format!("{}: `{section}/{id}` is not told at {at}", file.name)),
        }
    }
    faults.extend(errors.iter().map(|line| format!("{}: unexpected: {line}", file.name)));
    if output.status.code() != EXIT_CONFIGURATION {
        faults.push(format!("{}: ends with {}", file.name, output.status));
    }
    faults
}

/// Runs the built binary beside the file, in the environment that the file names and no other.
fn tailrace(file: &Published, command: &[&str]) -> Output {
    let mut process = Command::new(env!("CARGO_BIN_EXE_tailrace"));
    process.current_dir(folder()).env_clear().envs(file.env.iter().cloned()).args(command);
    for config in file.configs() {
        process.args(["--config", config]);
    }
    process.output().expect("the binary runs")
}

/// All published files, by name.
fn files() -> Vec<Published> {
    let entries = std::fs::read_dir(folder()).expect("the folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    paths.sort();
    paths.iter().map(|path| Published::read(path)).collect()
}

fn folder() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join("tests/configuration/published").canonicalize().expect("the folder of published files")
}
