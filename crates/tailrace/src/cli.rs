//! The command line: otelcol's, plus `demo`, `generate` and `health`.
//!
//! [`main`] is a match over what the program can do; each command is a function below or a file in `cli/`. Exit codes:
//! 0 done, 1 failed while running, 64 the command line is wrong, 78 the configuration is wrong (the last two as sysexits.h
//! has them). What a person must read goes to standard error, what was asked for to standard output.

mod demo;
mod generate;
mod health;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use settings::Severity;

use crate::configuration::kinds::{CONNECTORS, EXPORTERS, EXTENSIONS, Kind, PROCESSORS, RECEIVERS};
use crate::configuration::{Configuration, Loaded, Origin, load};
use crate::pipeline;
use crate::reference::Reference;
use crate::telemetry::{
    logs,
    source::{Instance, Source},
};
use demo::Demo;

/// Collects OpenTelemetry traces, waits until each is complete, and keeps those worth keeping.
///
/// Reads otelcol's configuration files with `tail_sampling` unmodified. Without `--config` it runs a built-in configuration:
/// OTLP on 127.0.0.1:4317 and :4318, traces with errors, slower than a second, and one in ten of the rest, shown here.
#[derive(Parser)]
#[command(name = "tailrace", version, after_help = EXAMPLES, disable_help_subcommand = true)]
struct Arguments {
    #[command(flatten)]
    origin: OriginArguments,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Args)]
struct OriginArguments {
    /// A configuration: a file, or `file:path`, `env:NAME`, `yaml:text`. Several are merged, later ones win.
    #[arg(long = "config", value_name = "URI", global = true)]
    uris: Vec<String>,
    /// Sets one value over all files, as in `processors::tail_sampling::decision_wait=10s`.
    #[arg(long = "set", value_name = "KEY=VALUE", global = true)]
    sets: Vec<String>,
    /// Switches feature gates, as in `+gate,-other`.
    #[arg(long = "feature-gates", value_name = "GATES", global = true, allow_hyphen_values = true)]
    gates: Vec<String>,
    /// Only these pipelines and what they use, as in `traces,traces/sampled`; the rest of the file is left alone.
    #[arg(long = "pipelines", value_name = "IDS", global = true)]
    pipelines: Vec<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Checks the configuration and shows everything that is wrong with it.
    Validate,
    /// Prints the configuration with all defaults.
    PrintConfig {
        /// Whether secrets are shown.
        #[arg(long, value_enum, default_value_t = PrintMode::Redacted)]
        mode: PrintMode,
    },
    /// Lists the components of this version.
    Components,
    /// Prints what a configuration may say, for editors or for readers.
    Schema {
        /// How it is printed.
        #[arg(long, value_enum, default_value_t = SchemaFormat::Json)]
        format: SchemaFormat,
    },
    /// Prints what completes command lines in a shell.
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Shows what Tailrace does: runs the built-in configuration and sends itself the traffic of a small shop.
    Demo(Demo),
    /// Sends OTLP traces to a collector, as fast as asked for.
    Generate(Box<generate::Arguments>),
    /// Asks a running Tailrace whether it is well; for probes where there is no other client.
    Health(health::Arguments),
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PrintMode {
    /// Secrets are shown as [REDACTED].
    Redacted,
    /// Secrets are shown.
    Unredacted,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SchemaFormat {
    /// A JSON Schema, draft 2020-12.
    Json,
    /// The reference page.
    Markdown,
}

/// What `--help` ends with.
const EXAMPLES: &str = "\
Examples:
  tailrace demo
      See it work, within seconds and without anything else running.

  tailrace
      Listen on 127.0.0.1:4317 and :4318; point an SDK here with
      OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 and watch the kept traces.

  tailrace validate --config gateway.yaml
      Check a file; every mistake is shown with its line and a way out.

  tailrace --config gateway.yaml --set processors::tail_sampling::decision_wait=10s
      Run it with one value changed.

  tailrace --config everything.yaml --pipelines traces,traces/sampled
      Run these pipelines of a file whose others use what Tailrace does not have.

  tailrace print-config --config gateway.yaml
      See what it comes to with all defaults.

  tailrace schema > tailrace.schema.json
      Have an editor complete and check configurations.

  tailrace generate --to 127.0.0.1:4317 --rate 20000 --duration 30s
      Load a collector.

Exit codes: 0 done, 1 failed while running, 64 wrong command line, 78 wrong configuration.";

/// The command line is wrong.
const EXIT_USAGE: u8 = 64;
/// The configuration is wrong.
const EXIT_CONFIGURATION: u8 = 78;

/// Does what the command line says.
pub(crate) fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Nothing is left to do if even this cannot be printed.
            let _unprintable = error.print();
            return if error.use_stderr() { EXIT_USAGE.into() } else { ExitCode::SUCCESS };
        }
    };
    let OriginArguments { uris, sets, gates, pipelines } = arguments.origin;
    let origin = Origin { uris, sets, gates, pipelines };
    match arguments.command {
        None => run(&origin),
        Some(Command::Validate) => validate(&origin),
        Some(Command::PrintConfig { mode }) => print_config(&origin, mode),
        Some(Command::Components) => print(&components()),
        Some(Command::Schema { format }) => print(&schema(format)),
        Some(Command::Completions { shell }) => print(&completions(shell)),
        Some(Command::Demo(demo)) => demo.run(origin),
        Some(Command::Generate(arguments)) => arguments.run(),
        Some(Command::Health(arguments)) => arguments.run(),
    }
}

/// Runs a pipeline until it is told to stop.
fn run(origin: &Origin) -> ExitCode {
    match loaded(origin) {
        Ok(configuration) => start(configuration, origin, None),
        Err(code) => code,
    }
}

/// Runs the pipelines, with the demo's traffic if there is a demo.
fn start(configuration: Configuration, origin: &Origin, demo: Option<Demo>) -> ExitCode {
    let origin = origin.clone();
    let files = origin.files();
    let instance = Instance::new();
    let telemetry = &configuration.service.telemetry;
    let outcome = logs::start(&telemetry.logs, &Source::new(&telemetry.resource, &instance)).and_then(|logger| {
        let load = Arc::new(move || loaded(&origin).ok());
        let reread = pipeline::Reread { load, files, logger, instance };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("cannot start the runtime: {error}"))?;
        runtime.block_on(async {
            match demo {
                None => pipeline::run(configuration, reread).await,
                Some(demo) => demo.play(configuration, reread).await,
            }
        })
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn validate(origin: &Origin) -> ExitCode {
    match loaded(origin) {
        Ok(configuration) => print(&summary(&configuration)),
        Err(code) => code,
    }
}

fn print_config(origin: &Origin, mode: PrintMode) -> ExitCode {
    let mode = match mode {
        PrintMode::Redacted => settings::Mode::Redacted,
        PrintMode::Unredacted => settings::Mode::Unredacted,
    };
    match loaded(origin) {
        Ok(configuration) => print(&configuration.effective().to_yaml(mode)),
        Err(code) => code,
    }
}

/// The configuration, or the exit code after its problems were shown.
fn loaded(origin: &Origin) -> Result<Configuration, ExitCode> {
    let Loaded { configuration, problems, sources } = load(origin, &settings::environment);
    eprint!("{}", problems.render(&sources));
    configuration.ok_or_else(|| {
        let errors = problems.count(Severity::Error);
        eprintln!("the configuration cannot be used: {errors} error{}", if errors == 1 { "" } else { "s" });
        EXIT_CONFIGURATION.into()
    })
}

/// One line about what a configuration does.
fn summary(configuration: &Configuration) -> String {
    let ids = |references: &[crate::configuration::Reference]| {
        references.iter().map(|reference| reference.id.to_string()).collect::<Vec<_>>().join(", ")
    };
    let pipelines = configuration.service.pipelines.iter();
    let pipelines = pipelines.map(|(id, pipeline)| {
        let stages = [&pipeline.receivers, &pipeline.processors, &pipeline.exporters].map(|stage| ids(stage));
        let stages: Vec<String> = stages.into_iter().filter(|stage| !stage.is_empty()).collect();
        format!("{id}: {}\n", stages.join(" → "))
    });
    format!("the configuration is valid\n{}", pipelines.collect::<String>())
}

/// The components of this version, in the form of otelcol's `components`.
fn components() -> String {
    fn section<T>(title: &str, kinds: &[Kind<T>]) -> String {
        let mut text = format!("{title}:\n");
        for kind in kinds {
            let (name, others) = kind.names.split_first().unwrap_or((&"", &[]));
            text.push_str(&format!("    - name: {name}\n      about: {}\n", kind.about));
            if !others.is_empty() {
                text.push_str(&format!("      also: [{}]\n", others.join(", ")));
            }
        }
        text
    }
    let version = env!("CARGO_PKG_VERSION");
    [
        format!("buildinfo:\n    command: tailrace\n    version: {version}\n"),
        section("receivers", RECEIVERS),
        section("processors", PROCESSORS),
        section("exporters", EXPORTERS),
        section("connectors", CONNECTORS),
        section("extensions", EXTENSIONS),
    ]
    .concat()
}

/// What a configuration may say.
fn schema(format: SchemaFormat) -> String {
    let reference = Reference::new();
    match format {
        SchemaFormat::Json => format!("{:#}\n", reference.schema()),
        SchemaFormat::Markdown => reference.page(),
    }
}

/// What completes command lines in a shell.
fn completions(shell: Shell) -> String {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "tailrace", &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Prints what was asked for. A reader that went away, as `head` does, is no failure.
fn print(text: &str) -> ExitCode {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            eprintln!("standard output cannot be written: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

#[cfg(test)]
mod tests;
