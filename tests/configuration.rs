//! Invalid configurations, and what is said about each: the whole text, word by word, through the built program.
//!
//! Each file in `tests/configuration/invalid` is wrong in one way that somebody may meet, some in several; the text beside
//! it is what `tailrace validate` writes. A first line `# arguments: …` gives further arguments. Whoever changes a message
//! runs the test with `TAILRACE_SNAPSHOTS=write`, reads the difference and commits it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The exit code of a wrong configuration.
const EXIT_CONFIGURATION: i32 = 78;

#[test]
fn each_mistake_is_shown_where_it_is() {
    let write = std::env::var("TAILRACE_SNAPSHOTS").is_ok_and(|value| value == "write");
    let mut faults = Vec::new();
    let mut kinds = BTreeSet::new();
    let files = files();
    for file in &files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (code, said) = validate(file);
        if code != Some(EXIT_CONFIGURATION) {
            faults.push(format!("{name} is not refused: {code:?}\n{said}"));
        }
        let beside = file.with_extension("txt");
        if write {
            fs::write(&beside, &said).expect("written");
        }
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        if said != expected {
            faults.push(format!("{name}:\n{said}\nand not\n{expected}"));
        }
        faults.extend(unlocated(&said).into_iter().map(|line| format!("{name}: no place or caret: {line}")));
        kinds.extend(errors(&said).map(kind));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    assert!(files.len() >= 60, "only {} files", files.len());
    assert!(kinds.len() >= 40, "only {} kinds of message: {kinds:#?}", kinds.len());
}

/// The files, in order.
fn files() -> Vec<PathBuf> {
    let files = fs::read_dir(folder()).expect("the folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    files.sort();
    files
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/configuration/invalid")
}

/// What the program says to a file that it must refuse, and its exit code.
fn validate(file: &Path) -> (Option<i32>, String) {
    let text = fs::read_to_string(file).expect("UTF-8");
    let arguments = text.lines().next().and_then(|line| line.strip_prefix("# arguments: ")).unwrap_or_default();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tailrace"));
    // Beside the file, so that it is named as briefly as people name it; with no environment but the one of the files.
    command.current_dir(folder()).env_clear().env("TAILRACE_TEST_WORD", "word");
    command.arg("validate").arg("--config").arg(file.file_name().expect("a name"));
    command.args(arguments.split(' ').filter(|argument| !argument.is_empty()));
    let output = command.output().expect("the program runs");
    (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
}

/// The lines that tell an error.
fn errors(said: &str) -> impl Iterator<Item = &str> {
    said.lines().filter(|line| line.contains(": error: ") || line.starts_with("error: "))
}

/// The errors without file, line and column before them or a caret below.
fn unlocated(said: &str) -> Vec<String> {
    let lines: Vec<&str> = said.lines().collect();
    let unlocated = errors(said).filter(|error| {
        let place = error.split(": error: ").next().unwrap_or_default();
        let located = place.rsplit(':').take(2).all(|number| number.parse::<u32>().is_ok());
        let below = lines.iter().position(|line| line == error).and_then(|at| lines.get(at + 2));
        !located || !below.is_some_and(|line| !line.trim().is_empty() && line.trim().chars().all(|c| c == '^'))
    });
    unlocated.map(str::to_string).collect()
}

/// A message without its place and without what it names.
fn kind(error: &str) -> String {
    let message = error.split("error: ").nth(1).unwrap_or_default();
    let words: Vec<&str> = message.split('`').step_by(2).collect();
    let words = words.join("…");
    words.chars().filter(|c| !c.is_ascii_digit()).collect()
}
