//! Log lines, with the settings of otelcol's `service::telemetry::logs`.
//!
//! ```text
//!  event ─► level ─► sampling ─┬─► line, to each output
//!                              └─► record, to be pushed
//! ```
//!
//! A reload changes level, sampling and where records are pushed to; encoding and outputs stay as they were at the start.

mod fields;
mod line;
mod records;
mod sampler;

pub(crate) use records::{Record, Tap, Taps};

use super::source::Source;
use crate::configuration::telemetry::Logs;
use line::Line;
use sampler::Sampler;
use std::{fs::OpenOptions, io, sync::Arc, sync::Mutex};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    Registry,
    fmt::writer::{BoxMakeWriter, MakeWriterExt},
    layer::SubscriberExt,
    reload,
};

/// The process's log, as far as it can be changed while it runs.
#[derive(Clone)]
pub(crate) struct Logger {
    level: reload::Handle<LevelFilter, Registry>,
    sampler: Arc<Sampler>,
    taps: Taps,
    started_with: Logs,
}

/// Installs the process's logger.
///
/// # Errors
/// When an output file cannot be opened, or a logger is installed already.
pub(crate) fn start(settings: &Logs, source: &Source) -> Result<Logger, String> {
    let (level, handle) = reload::Layer::new(LevelFilter::from_level(settings.level.tracing()));
    let sampler = Arc::new(Sampler::new(settings.sampling.clone()));
    let taps = Taps::default();
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .event_format(Line::new(settings, source))
        .with_writer(writer(&settings.output_paths)?);
    let subscriber = tracing_subscriber::registry()
        .with(level)
        .with(sampler::Gate(Arc::clone(&sampler)))
        .with(lines)
        .with(taps.clone());
    tracing::subscriber::set_global_default(subscriber).map_err(|error| error.to_string())?;
    Ok(Logger { level: handle, sampler, taps, started_with: settings.clone() })
}

impl Logger {
    /// Where records branch off to be pushed.
    pub(crate) fn taps(&self) -> Taps {
        self.taps.clone()
    }

    /// Follows new settings as far as it can.
    pub(crate) fn follow(&self, settings: &Logs) {
        if self.level.reload(LevelFilter::from_level(settings.level.tracing())).is_err() {
            tracing::error!("BUG: the log's level cannot be changed");
        }
        self.sampler.follow(settings.sampling.clone());
        let same = |logs: &Logs| (logs.encoding, logs.output_paths.clone(), logs.initial_fields.clone());
        if same(settings) != same(&self.started_with) {
            tracing::warn!("`encoding`, `output_paths` and `initial_fields` of the log change with a restart only");
        }
    }
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
                    file.map_err(|error| format!("cannot open the log file `{path}`: {error}; make its folder, or change `output_paths` of the log"))?,
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
