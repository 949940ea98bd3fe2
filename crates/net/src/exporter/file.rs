//! `file`: requests written to files, as JSON a line each or as protobuf with its length before it.
//!
//! ```text
//!  JSON                      {"resourceSpans":…}⏎{"resourceSpans":…}⏎
//!  proto, or any with zstd   length, 4 bytes big endian · message · length · message …      each message compressed alone
//! ```
//!
//! An instance is one set of files for all its signals: [`FileTarget`] is opened once, and each signal's [`File`] writes
//! through it. Encoding and writing happen on blocking threads. What was taken stands in a buffer for at most
//! `flush_interval`; a write that fails is tried again by the destination, as any other attempt is. Nothing is truncated
//! before the first write or flush, so that a configuration that is built and not used harms no file.

mod group;
mod rotation;
mod settings;
mod writer;

use std::io;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use otlp::Signal;
use parking_lot::Mutex;

use super::compress::{Compression, Encoding};
use super::{Batch, Delivered, ExportError, Exporter, Kind};
use crate::BoxFuture;
use group::Group;
use writer::Writer;

pub use rotation::RotationSettings;
pub use settings::{FileFormat, FileSettings, GroupBySettings};

/// The files of an instance, shared by its signals.
#[derive(Clone)]
pub struct FileTarget(Arc<Shared>);

/// Writes requests of one signal.
pub struct File {
    target: FileTarget,
    signal: Signal,
}

struct Shared {
    name: String,
    format: FileFormat,
    compression: Option<Compression>,
    outputs: Mutex<Outputs>,
}

enum Outputs {
    One(Writer),
    Grouped(Group),
}

impl FileTarget {
    /// Opens the file, or gets ready to open those of groups. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// What is wrong with the path.
    pub fn open(name: impl Into<String>, settings: &FileSettings) -> Result<Self, String> {
        let outputs = match settings.group_by.enabled {
            true => Outputs::Grouped(Group::new(settings)),
            false => {
                let writer = Writer::open(settings.path.as_ref(), settings, settings.create_directory);
                Outputs::One(writer.map_err(|error| format!("`{}`: {error}", settings.path))?)
            }
        };
        let compression =
            settings.compression.then_some(Compression { level: settings.level, ..Compression::of(Encoding::Zstd) });
        let (name, format, outputs) = (name.into(), settings.format, Mutex::new(outputs));
        let shared = Arc::new(Shared { name, format, compression, outputs });
        tokio::spawn(flush_regularly(Arc::downgrade(&shared), settings.flush_interval));
        Ok(Self(shared))
    }

    /// What writes one signal to it.
    #[must_use]
    pub fn of(&self, signal: Signal) -> File {
        File { target: self.clone(), signal }
    }
}

impl File {
    /// This exporter's target, for a further signal of the instance.
    #[must_use]
    pub fn target(&self) -> &FileTarget {
        &self.target
    }

    async fn call(&self, body: Bytes, items: u32) -> Result<Delivered, ExportError> {
        let (shared, signal) = (self.target.0.clone(), self.signal);
        let written = tokio::task::spawn_blocking(move || shared.write(signal, &body, items)).await;
        written.unwrap_or_else(|error| Err(ExportError::new(Kind::Permanent, error)))
    }
}

impl Exporter for File {
    fn export<'a>(&'a self, body: Bytes, batch: &'a Batch) -> BoxFuture<'a, Result<Delivered, ExportError>> {
        Box::pin(self.call(body, batch.items))
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        let shared = self.target.0.clone();
        Box::pin(async move {
            // A thread that is gone has told so.
            let _ = tokio::task::spawn_blocking(move || shared.flush()).await;
        })
    }
}

impl Shared {
    fn write(&self, signal: Signal, request: &[u8], items: u32) -> Result<Delivered, ExportError> {
        let refused = |error: String| ExportError::new(Kind::Refused, error);
        let grouped = match &*self.outputs.lock() {
            Outputs::One(_) => None,
            Outputs::Grouped(group) => Some(group.divide(signal, request).map_err(|error| refused(error.to_string()))?),
        };
        let Some(divided) = grouped else {
            let message = self.message(signal, request).map_err(refused)?;
            return match &mut *self.outputs.lock() {
                Outputs::One(writer) => {
                    writer.write(&message).map(|()| Delivered::default()).map_err(ExportError::retry)
                }
                Outputs::Grouped(_) => Ok(Delivered::default()),
            };
        };
        let mut written = 0;
        let mut failure = None;
        let mut rejected = divided.homeless;
        for (segment, part) in divided.parts {
            let message = self.message(signal, &part.request).map_err(refused)?;
            let mut outputs = self.outputs.lock();
            let Outputs::Grouped(group) = &mut *outputs else { continue };
            match group.write(&segment, &message) {
                Ok(()) => written += 1,
                Err(error) => {
                    rejected += part.items;
                    failure = Some(format!("`{segment}`: {error}"));
                }
            }
        }
        match failure {
            // Nothing was written: all of it can be tried again. Of a part that would make duplicates.
            Some(error) if written == 0 => Err(ExportError::retry(error)),
            failure => {
                let homeless = format!("{} items have no attribute to group them by", divided.homeless);
                let message = failure.unwrap_or(if divided.homeless > 0 { homeless } else { String::new() });
                Ok(Delivered { rejected: rejected.min(u64::from(items)), message })
            }
        }
    }

    /// A request as it stands in the file.
    fn message(&self, signal: Signal, request: &[u8]) -> Result<Vec<u8>, String> {
        let mut message = match self.format {
            FileFormat::Json => otlp::json::encode(signal, request).map_err(|error| error.to_string())?,
            FileFormat::Proto => request.to_vec(),
        };
        if let Some(compression) = self.compression {
            message = compression.compress_now(&message).map_err(|error| error.to_string())?.into();
        } else if self.format == FileFormat::Json {
            message.push(b'\n');
            return Ok(message);
        }
        let length = u32::try_from(message.len()).map_err(|_| "a message of 4 GiB or more".to_owned())?;
        message.splice(0..0, length.to_be_bytes());
        Ok(message)
    }

    fn flush(&self) {
        let flushed = match &mut *self.outputs.lock() {
            Outputs::One(writer) => writer.flush(),
            Outputs::Grouped(group) => group.flush(),
        };
        self.tell(flushed);
    }

    fn tell(&self, flushed: io::Result<()>) {
        if let Err(error) = flushed {
            tracing::warn!(exporter = %self.name, "cannot write to the file, trying again: {error}");
        }
    }
}

/// Until the target is gone.
async fn flush_regularly(shared: Weak<Shared>, interval: std::time::Duration) {
    loop {
        tokio::time::sleep(interval).await;
        let Some(shared) = shared.upgrade() else { return };
        // An error is a runtime that ends, and with it this loop.
        let _ = tokio::task::spawn_blocking(move || shared.flush()).await;
    }
}

#[cfg(test)]
mod tests;
