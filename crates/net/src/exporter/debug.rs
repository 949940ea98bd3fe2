//! `debug` (old name `logging`): requests as text, for looking at what arrives, in the layout of otelcol's exporter.
//!
//! `basic` says how much a request has, `normal` adds a line for each item, `detailed` everything there is. The text goes to
//! the log, a line an event, or with `use_internal_logger: false` to the standard output, the standard error or files.
//! Telemetry's text is cleaned, so that no item can forge a line or paint the terminal: a body of several lines becomes one.
//!
//! Sampling is zap's: in each second, of texts that are alike, the first so many are told and then every so many-th. So it
//! thins out the summaries, while the items' own text, which is hardly ever the same, is told always.

mod detailed;
mod normal;
mod points;
mod raw;
mod settings;
mod text;

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use otlp::Signal;
use otlp::check::check;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::{Batch, Delivered, ExportError, Exporter, Kind};
use crate::BoxFuture;

pub use settings::{DebugSettings, Verbosity};

/// Tells requests.
pub struct Debug(Arc<Teller>);

struct Teller {
    name: String,
    settings: DebugSettings,
    /// Where the text goes; none is the log.
    outputs: Vec<Output>,
    /// By the text's hash, how often it was told in its second.
    seconds: Mutex<Vec<Second>>,
}

enum Output {
    Stdout,
    Stderr,
    File(std::fs::File),
}

#[derive(Clone, Copy)]
struct Second {
    ends: Instant,
    count: u64,
}

/// How many texts are counted apart, as in zap.
const SECONDS: usize = 4096;

impl Debug {
    /// Tells requests under a name. Opens the files of `output_paths`.
    ///
    /// # Errors
    /// A file that cannot be opened.
    pub fn new(name: impl Into<String>, settings: DebugSettings) -> Result<Self, String> {
        let paths = settings.output_paths.clone().unwrap_or_else(|| vec!["stdout".to_owned()]);
        let outputs = match settings.use_internal_logger {
            true => Vec::new(),
            false => paths.iter().map(|path| Output::open(path)).collect::<Result<_, _>>()?,
        };
        let seconds = Mutex::new(vec![Second { ends: Instant::now(), count: 0 }; SECONDS]);
        Ok(Self(Arc::new(Teller { name: name.into(), settings, outputs, seconds })))
    }
}

impl Exporter for Debug {
    fn export<'a>(&'a self, body: Bytes, batch: &'a Batch) -> BoxFuture<'a, Result<Delivered, ExportError>> {
        Box::pin(async move {
            let (teller, signal, now) = (self.0.clone(), batch.signal, Instant::now());
            // Elsewhere: a large request is a lot of text, and an output may be slow.
            let told = tokio::task::spawn_blocking(move || teller.tell(signal, &body, now)).await;
            told.unwrap_or_else(|error| Err(ExportError::new(Kind::Permanent, error)))
        })
    }
}

impl Teller {
    fn tell(&self, signal: Signal, request: &[u8], now: Instant) -> Result<Delivered, ExportError> {
        let refused = |error: &dyn std::fmt::Display| ExportError::new(Kind::Permanent, error);
        self.summarize(signal, request, now)?;
        let text = match self.settings.verbosity {
            Verbosity::Basic => return Ok(Delivered::default()),
            Verbosity::Normal => normal::normal(signal, request),
            Verbosity::Detailed => detailed::detailed(signal, request),
        };
        let text = text.map_err(|error| refused(&error))?;
        if self.is_told(text.as_bytes(), now) {
            if self.settings.use_internal_logger {
                text.lines().for_each(|line| tracing::info!(exporter = %self.name, "{line}"));
            } else {
                self.write(&text)?;
            }
        }
        Ok(Delivered::default())
    }

    /// How much there is.
    fn summarize(&self, signal: Signal, request: &[u8], now: Instant) -> Result<(), ExportError> {
        let counts = check(signal, request).map_err(|error| ExportError::new(Kind::Permanent, error))?;
        let resources = raw::bodies(request, 1).count();
        let (title, numbers) = match signal {
            Signal::Traces => ("Traces", vec![("resource spans", resources as u64), ("spans", counts.items)]),
            Signal::Metrics => (
                "Metrics",
                vec![
                    ("resource metrics", resources as u64),
                    ("metrics", counts.records),
                    ("data points", counts.items),
                ],
            ),
            Signal::Logs => ("Logs", vec![("resource logs", resources as u64), ("log records", counts.items)]),
        };
        if !self.is_told(title.as_bytes(), now) {
            return Ok(());
        }
        let numbers: Vec<_> = numbers.iter().map(|(name, number)| format!("\"{name}\": {number}")).collect();
        let numbers = numbers.join(", ");
        if self.settings.use_internal_logger {
            tracing::info!(exporter = %self.name, "{title} {{{numbers}}}");
            return Ok(());
        }
        self.write(&format!("{title}\t{{{numbers}}}"))
    }

    /// Writes a text and the end of a line to all outputs.
    fn write(&self, text: &str) -> Result<(), ExportError> {
        let text = format!("{text}\n");
        for output in &self.outputs {
            output.write(text.as_bytes()).map_err(ExportError::retry)?;
        }
        Ok(())
    }

    fn is_told(&self, text: &[u8], now: Instant) -> bool {
        let mut seconds = self.seconds.lock();
        // FNV-1a, as zap hashes.
        let hash = text.iter().fold(0x811c_9dc5u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
        let Some(second) = seconds.get_mut(hash as usize % SECONDS) else { return true };
        if second.ends <= now {
            *second = Second { ends: now + Duration::from_secs(1), count: 0 };
        }
        second.count += 1;
        let over = second.count.saturating_sub(self.settings.sampling_initial);
        over == 0 || over.checked_rem(self.settings.sampling_thereafter) == Some(0)
    }
}

impl Output {
    fn open(path: &str) -> Result<Self, String> {
        match path {
            "stdout" => Ok(Self::Stdout),
            "stderr" => Ok(Self::Stderr),
            path => {
                let path = path.strip_prefix("file://").unwrap_or(path);
                let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
                file.map(Self::File).map_err(|error| format!("`{path}`: {error}"))
            }
        }
    }

    fn write(&self, text: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout => io::stdout().lock().write_all(text),
            Self::Stderr => io::stderr().lock().write_all(text),
            Self::File(file) => (&mut &*file).write_all(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Budget, Class};
    use crate::exporter::peer::{batch, testdata};

    /// A request of each signal, as the real collector received them, in the order of its recorded texts.
    fn recorded() -> Vec<Arc<Batch>> {
        let names = [(Signal::Traces, "traces"), (Signal::Metrics, "metrics"), (Signal::Logs, "logs")];
        let batches = names.into_iter().map(|(signal, name)| {
            let body = Bytes::from(std::fs::read(testdata(&format!("debug/{name}.bin"))).unwrap());
            let charge = Budget::new(1 << 30).charge_always(Class::Batches, body.len());
            Arc::new(Batch { signal, body, items: 1, notes: Vec::new(), client: None, charge, tokens: Vec::new() })
        });
        batches.collect()
    }

    #[tokio::test]
    async fn tells_what_the_real_collector_tells() {
        let folder = tempfile::tempdir().unwrap();
        for (verbosity, name) in
            [(Verbosity::Basic, "basic"), (Verbosity::Normal, "normal"), (Verbosity::Detailed, "detailed")]
        {
            let path = folder.path().join(name);
            let output_paths = Some(vec![path.to_str().unwrap().to_owned()]);
            let settings =
                DebugSettings { verbosity, use_internal_logger: false, output_paths, ..DebugSettings::default() };
            let debug = Debug::new("debug", settings).unwrap();
            for batch in recorded() {
                assert_eq!(debug.export(batch.body.clone(), &batch).await, Ok(Delivered::default()));
            }
            let expected = std::fs::read_to_string(testdata(&format!("debug/{name}.txt"))).unwrap();
            let found = std::fs::read_to_string(path).unwrap();
            for (found, expected) in found.lines().zip(expected.lines()) {
                assert_eq!(found, expected);
            }
            assert_eq!(found, expected, "{name}");
        }
    }

    #[tokio::test]
    async fn takes_every_batch_and_refuses_garbage() {
        for verbosity in [Verbosity::Basic, Verbosity::Normal, Verbosity::Detailed] {
            let debug = Debug::new("debug", DebugSettings { verbosity, ..DebugSettings::default() }).unwrap();
            let batch = batch(3);
            assert_eq!(debug.export(batch.body.clone(), &batch).await, Ok(Delivered::default()));
            let error = debug.export(Bytes::from_static(b"\x0a\xff"), &batch).await.unwrap_err();
            assert_eq!(error.kind, Kind::Permanent);
        }
        let output_paths = Some(vec!["/no/such/file".to_owned()]);
        let settings = DebugSettings { use_internal_logger: false, output_paths, ..DebugSettings::default() };
        assert!(Debug::new("debug", settings).err().unwrap().starts_with("`/no/such/file`: No such file"));
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
            let debug = Debug::new("debug", settings).unwrap();
            let told = |text: &str, at: Instant| -> String {
                "1234567890".chars().map(|one| if debug.0.is_told(text.as_bytes(), at) { one } else { ' ' }).collect()
            };
            assert_eq!(told("Traces", start), expected);
            assert_eq!(told("Logs", start), expected, "what differs is counted apart");
            assert_eq!(told("Traces", start + Duration::from_secs(2)), expected, "each second begins anew");
        }
    }
}
