//! Log lines, in the encodings and with the levels of otelcol's `service::telemetry::logs`.

use crate::configuration::telemetry::{Encoding, Logs};
use std::{fs::OpenOptions, io, sync::Mutex};
use tracing::{Level, Subscriber};
use tracing_subscriber::fmt::writer::{BoxMakeWriter, MakeWriterExt};

/// Installs the process's logger.
///
/// # Errors
/// When an output file cannot be opened, or a logger is installed already.
pub(crate) fn start(settings: &Logs) -> Result<(), String> {
    let writer = writer(&settings.output_paths)?;
    let level = settings.level.tracing();
    let subscriber: Box<dyn Subscriber + Send + Sync> = match settings.encoding {
        Encoding::Console => Box::new(console(level, writer)),
        Encoding::Json => Box::new(
            tracing_subscriber::fmt().json().flatten_event(true).with_max_level(level).with_writer(writer).finish(),
        ),
    };
    tracing::subscriber::set_global_default(subscriber).map_err(|error| error.to_string())
}

fn console(level: Level, writer: BoxMakeWriter) -> impl Subscriber + Send + Sync {
    tracing_subscriber::fmt().with_max_level(level).with_ansi(false).with_writer(writer).finish()
}

fn writer(output_paths: &[String]) -> Result<BoxMakeWriter, String> {
    let mut all: Option<BoxMakeWriter> = None;
    for path in output_paths {
        let one = match path.as_str() {
            "stderr" => BoxMakeWriter::new(io::stderr),
            "stdout" => BoxMakeWriter::new(io::stdout),
            path => {
                let path = path.strip_prefix("file://").unwrap_or(path);
                let file = OpenOptions::new().create(true).append(true).open(path);
                BoxMakeWriter::new(Mutex::new(
                    file.map_err(|error| format!("cannot open the log file `{path}`: {error}"))?,
                ))
            }
        };
        all = Some(match all {
            None => one,
            Some(before) => BoxMakeWriter::new(before.and(one)),
        });
    }
    Ok(all.unwrap_or_else(|| BoxMakeWriter::new(io::stderr)))
}
