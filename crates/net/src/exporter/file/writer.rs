//! One file that messages are appended to, through a buffer.
//!
//! A message is taken whole or not at all: what a failing disk leaves in the buffer is written later, and a message of which
//! nothing reached the file yet is given back to be tried again. Invariant: the buffer holds what was taken and not written.

use std::fs;
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::rotation::{Rotation, now};
use super::settings::FileSettings;

/// A file, its buffer and its size.
pub(super) struct Writer {
    path: PathBuf,
    file: fs::File,
    buffer: Vec<u8>,
    /// Of the file with the buffer; what rotation goes by.
    size: u64,
    rotation: Option<Rotation>,
    /// Whether the file still has to be emptied.
    truncates: bool,
}

/// The buffer is written when it would become larger.
const BUFFER_BYTES: usize = 64 << 10;

impl Writer {
    /// Opens or makes the file; what stands in it is left alone for now.
    pub(super) fn open(path: &Path, settings: &FileSettings, creates_directory: bool) -> io::Result<Self> {
        if creates_directory && let Some(directory) = path.parent() {
            fs::DirBuilder::new().recursive(true).mode(settings.mode()).create(directory)?;
        }
        let rotation = settings.rotation.as_ref().map(|rotation| Rotation::new(path, rotation));
        if let Some(rotation) = &rotation {
            rotation.rename_old_forms();
            rotation.remove_old(now());
        }
        let file = append_to(path)?;
        let size = file.metadata()?.len();
        let truncates = !settings.append && rotation.is_none();
        Ok(Self { path: path.to_owned(), file, buffer: Vec::new(), size, rotation, truncates })
    }

    /// Keeps what stands in the file, whatever the settings say.
    pub(super) fn keep(&mut self) {
        self.truncates = false;
    }

    /// Takes a message.
    pub(super) fn write(&mut self, message: &[u8]) -> io::Result<()> {
        self.begin()?;
        if self.buffer.len() + message.len() > BUFFER_BYTES {
            self.drain()?;
        }
        let full = self.rotation.as_ref().is_some_and(|rotation| self.size + message.len() as u64 > rotation.bytes_max);
        if full && self.size > 0 {
            self.rotate()?;
        }
        self.buffer.extend_from_slice(message);
        self.size += message.len() as u64;
        if self.buffer.len() > BUFFER_BYTES
            && let Err(error) = self.drain()
            && self.buffer.len() == message.len()
        {
            self.buffer.clear();
            self.size -= message.len() as u64;
            return Err(error);
        }
        Ok(())
    }

    /// Writes what the buffer holds.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.begin()?;
        self.drain()
    }

    fn begin(&mut self) -> io::Result<()> {
        if self.truncates {
            self.file.set_len(0)?;
            self.file.seek(SeekFrom::Start(0))?;
            (self.size, self.truncates) = (0, false);
        }
        Ok(())
    }

    fn drain(&mut self) -> io::Result<()> {
        let mut written = 0;
        let ended = loop {
            match self.buffer.get(written..) {
                None | Some([]) => break Ok(()),
                Some(rest) => match self.file.write(rest) {
                    Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                    Ok(count) => written += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => break Err(error),
                },
            }
        };
        self.buffer.drain(..written);
        ended
    }

    /// Moves the file aside and begins a new one.
    fn rotate(&mut self) -> io::Result<()> {
        self.drain()?;
        let Some(rotation) = &self.rotation else { return Ok(()) };
        let moment = now();
        let backup = rotation.backup(moment);
        fs::rename(&self.path, &backup)?;
        match append_to(&self.path) {
            Ok(file) => (self.file, self.size) = (file, 0),
            Err(error) => {
                // Back, so that the name and the open file stay the same; if even that fails, the file stays open.
                let _ = fs::rename(&backup, &self.path);
                return Err(error);
            }
        }
        rotation.remove_old(moment);
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.buffer.is_empty()
            && let Err(error) = self.drain()
        {
            let bytes = self.buffer.len();
            tracing::error!(path = %self.path.display(), bytes, "lost what could not be written to the file: {error}");
        }
    }
}

fn append_to(path: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new().append(true).create(true).open(path)
}
