//! `debug` (old name `logging`): batches as log lines, for looking at what arrives.
//!
//! `basic` says how many spans a batch has, `normal` adds a line for each span, `detailed` everything there is. Lines go to
//! the log, or to the standard output where `use_internal_logger: false`. Each line is an event of its own and telemetry's
//! text is cleaned, so that no span can forge a line or paint the terminal.

mod detail;
mod settings;

use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::{Batch, Delivered, ExportError, Exporter, Kind};
use crate::BoxFuture;

pub use settings::{DebugSettings, Output, Verbosity};

/// Tells batches.
pub struct Debug {
    name: String,
    settings: DebugSettings,
    second: Mutex<Second>,
}

/// How many batches came in the present second.
struct Second {
    began: Instant,
    count: u64,
}

impl Debug {
    /// Tells batches under a name.
    #[must_use]
    pub fn new(name: impl Into<String>, settings: DebugSettings) -> Self {
        Self { name: name.into(), settings, second: Mutex::new(Second { began: Instant::now(), count: 0 }) }
    }

    fn tell(&self, request: &[u8], spans: u32) -> Result<(), ExportError> {
        let lines = match self.settings.verbosity {
            Verbosity::Basic => Ok(Vec::new()),
            Verbosity::Normal => detail::normal(request),
            Verbosity::Detailed => detail::detailed(request),
        };
        let lines = lines.map_err(|error| ExportError::new(Kind::Permanent, error))?;
        if self.settings.use_internal_logger {
            tracing::info!(exporter = %self.name, spans, "traces");
            for line in lines {
                tracing::info!(exporter = %self.name, "{line}");
            }
            return Ok(());
        }
        let text = format!("traces\t{{\"exporter\": \"{}\", \"spans\": {spans}}}\n{}", self.name, joined(&lines));
        let written = match self.settings.output {
            Output::Stdout => std::io::stdout().lock().write_all(text.as_bytes()),
            Output::Stderr => std::io::stderr().lock().write_all(text.as_bytes()),
        };
        written.map_err(|error| ExportError::new(Kind::Permanent, error))
    }

    /// zap's sampling: in each second the first so many, then every so many-th.
    fn is_told(&self, now: Instant) -> bool {
        let mut second = self.second.lock();
        if now.duration_since(second.began) >= Duration::from_secs(1) {
            *second = Second { began: now, count: 0 };
        }
        second.count += 1;
        let over = second.count.saturating_sub(self.settings.sampling_initial);
        over == 0 || over.checked_rem(self.settings.sampling_thereafter) == Some(0)
    }
}

impl Exporter for Debug {
    fn export<'a>(&'a self, body: Bytes, batch: &'a Batch) -> BoxFuture<'a, Result<Delivered, ExportError>> {
        Box::pin(async move {
            if self.is_told(Instant::now()) {
                self.tell(&body, batch.items)?;
            }
            Ok(Delivered::default())
        })
    }
}

fn joined(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exporter::peer::batch;

    #[tokio::test]
    async fn takes_every_batch() {
        for verbosity in [Verbosity::Basic, Verbosity::Normal, Verbosity::Detailed] {
            let debug = Debug::new("debug", DebugSettings { verbosity, ..DebugSettings::default() });
            let batch = batch(3);
            assert_eq!(debug.export(batch.body.clone(), &batch).await, Ok(Delivered::default()));
        }
    }

    #[test]
    fn samples_as_zap_does() {
        let start = Instant::now();
        for (initial, thereafter, expected) in
            [(2, 1, "1234567890"), (2, 3, "12  5  8  "), (0, 5, "    5    0"), (3, 0, "123       ")]
        {
            let settings = DebugSettings {
                sampling_initial: initial,
                sampling_thereafter: thereafter,
                ..DebugSettings::default()
            };
            let debug = Debug::new("debug", settings);
            let told = |at: Instant| -> String {
                "1234567890".chars().map(|number| if debug.is_told(at) { number } else { ' ' }).collect()
            };
            assert_eq!(told(start), expected);
            assert_eq!(told(start + Duration::from_secs(2)), expected, "each second begins anew");
        }
    }
}
