//! The JSON Schema and the reference page, as the built program prints them: the schema takes what runs and refuses what
//! does not, by a validator that knows nothing of Tailrace, and the page in `config` is the one of this version.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

/// So many invalid files must be refused by the schema alone; the others are wrong in what no schema can say.
const REFUSED_MIN: usize = 40;

#[test]
fn the_schema_takes_what_runs() {
    let schema = Schema::new();
    let mut files = yaml_files("config");
    files.extend(yaml_files("tests/configuration/published").into_iter().filter(|file| runs(file)));
    files.extend(yaml_files("tests/configuration/effective"));
    assert!(files.len() >= 40, "only {} files", files.len());
    let mut faults = Vec::new();
    for file in files {
        // Some wait for what this version does not have yet, and the program refuses them, too.
        if let Some(tree) = tree(&read(&file))
            && let Err(error) = schema.validate(&tree)
            && is_taken(&file)
        {
            faults.push(format!("{}: {error}", file.display()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn the_schema_refuses_what_is_wrong() {
    let schema = Schema::new();
    let mut taken = BTreeSet::new();
    let mut refused = 0;
    for file in yaml_files("tests/configuration/invalid") {
        match tree(&read(&file)) {
            Some(tree) if schema.validate(&tree).is_ok() => drop(taken.insert(file)),
            _ => refused += 1,
        }
    }
    assert!(refused >= REFUSED_MIN, "only {refused} are refused, taken are {taken:#?}");
}

/// One mistake each, in a file that is right otherwise.
#[test]
fn the_schema_points_at_mistakes() {
    let schema = Schema::new();
    let check = |settings: &str, is_right: bool| {
        let text = format!(
            "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nexporters: {{debug: }}\n{settings}\n\
             service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [debug]}}}}}}\n"
        );
        let tree = tree(&text).expect("YAML");
        assert_eq!(schema.validate(&tree).is_ok(), is_right, "{settings}");
    };
    check("processors: {batch: {timeout: 1s}}", true);
    check("processors: {batch: {timeout: 1 second}}", false);
    check("processors: {batch: {timeout: '${env:WAIT}'}}", true);
    check("processors: {batch: {send_batch_size: many}}", false);
    check("processors: {batch: {send_batch_size: '${env:SIZE}'}}", true);
    check("processors: {batch: {send_batch_size: -1}}", false);
    check("processors: {batch/large: {send_batch_sise: 1}}", false);
    check("processors: {from_elsewhere: {anything: [1]}}", true);
    check("processors: {tail_sampling: {policies: [{name: a, type: latency, latency: {threshold_ms: 5}}]}}", true);
    check("processors: {tail_sampling: {policies: [{name: a, type: latencies}]}}", false);
    check("processors: {tail_sampling: {policies: [{name: a, type: latency, latency: {threshold: 5}}]}}", false);
    check("processors: {tail_sampling: {sampling_strategy: whole}}", false);
    check("processors: {attributes: {actions: [{key: a, action: UPSERT, value: 1}]}}", true);
    check("processors: {attributes: {actions: [{key: a, action: put, value: 1}]}}", false);
    check("processors: {memory_limiter: {check_interval: true}}", false);
    check("extensions: {health_check: {port: 13133}}", true);
    check("extensions: {health_check: {port: 131330}}", false);
    check("tailrace: {memory_mib: 512}", true);
    check("tailrace: {memory: 512}", false);
    check("procesors: {batch: }", false);
}

#[test]
fn the_page_in_config_is_that_of_this_version() {
    let command = "cargo run -- schema --format markdown > config/REFERENCE.md";
    let page = tailrace(&["schema", "--format", "markdown"]);
    assert!(page == read(&root().join("config/REFERENCE.md")), "the page has drifted; write it anew: {command}");
}

#[test]
fn completions_name_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = tailrace(&["completions", shell]);
        for command in ["validate", "print-config", "components", "schema", "completions", "health"] {
            assert!(script.contains(command), "{shell} does not complete `{command}`");
        }
    }
}

/// The schema, compiled.
struct Schema {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Schema {
    fn new() -> Schema {
        let printed: Value = serde_json::from_str(&tailrace(&["schema"])).expect("JSON");
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("tailrace.json", printed).expect("a resource");
        let index = compiler.compile("tailrace.json", &mut schemas).expect("a schema of its draft");
        Schema { schemas, index }
    }

    fn validate(&self, tree: &Value) -> Result<(), String> {
        self.schemas.validate(tree, self.index).map_err(|error| format!("{error:#}"))
    }
}

/// The file as an editor's YAML reader gives it, to whom `y` and `n` are texts; none if it is no YAML.
fn tree(text: &str) -> Option<Value> {
    serde_yaml::from_str_with_options(text, serde_yaml::options! { strict_booleans: true }).ok()
}

/// Whether a published file says of itself that it runs.
fn runs(file: &Path) -> bool {
    read(file).lines().take_while(|line| line.starts_with('#')).any(|line| line == "# expect: runs")
}

/// Whether the program takes a file.
fn is_taken(file: &Path) -> bool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tailrace"));
    command.arg("validate").arg("--config").arg(file).output().expect("the program runs").status.success()
}

fn yaml_files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).expect("the folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    files.sort();
    files
}

fn tailrace(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tailrace")).args(arguments).output().expect("the program runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("UTF-8")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
