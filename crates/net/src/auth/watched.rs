//! A file with credentials, read again when it has changed.
//!
//! The file is looked at (not read) once a second at most, when somebody asks for what it holds; that follows renames and
//! the symbolic links of Kubernetes' volumes without a watch to lose. What cannot be used leaves the last good content in
//! place, and the log says so.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use parking_lot::Mutex;

/// Between two looks at the file.
const INTERVAL: Duration = Duration::from_secs(1);
/// The largest file that is read.
const BYTES_MAX: u64 = 1 << 20;

type Parse<T> = Box<dyn Fn(&str) -> Result<T, String> + Send + Sync>;

/// What a file holds, parsed.
pub(crate) struct Watched<T> {
    path: PathBuf,
    interval: Duration,
    parse: Parse<T>,
    current: Mutex<Current<T>>,
}

struct Current<T> {
    /// None until the file could be used for the first time.
    value: Option<Arc<T>>,
    stamp: Option<Stamp>,
    looked: Instant,
}

/// By what a changed file is known.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: Option<SystemTime>,
}

impl<T> Watched<T> {
    /// A file that must be usable now.
    ///
    /// # Errors
    /// Why it is not, with its path.
    pub(crate) fn open(path: &Path, parse: Parse<T>) -> Result<Watched<T>, String> {
        let (watched, problem) = Watched::try_open(path, parse);
        problem.map_or(Ok(watched), Err)
    }

    /// A file that may become usable later; tells what is wrong with it now.
    pub(crate) fn try_open(path: &Path, parse: Parse<T>) -> (Watched<T>, Option<String>) {
        let current = Current { value: None, stamp: None, looked: Instant::now() };
        let watched = Watched { path: path.to_owned(), interval: INTERVAL, parse, current: Mutex::new(current) };
        let problem = watched.renew(&mut watched.current.lock()).err();
        (watched, problem)
    }

    /// The newest usable content.
    pub(crate) fn now(&self) -> Option<Arc<T>> {
        let mut current = self.current.lock();
        if current.looked.elapsed() >= self.interval {
            current.looked = Instant::now();
            if let Err(problem) = self.renew(&mut current) {
                tracing::warn!(%problem, "credentials could not be read again, the last ones stay in use; mend the file");
            }
        }
        current.value.clone()
    }

    /// Reads the file if it is not the one that was read last; one that could not be used is read again when it changes.
    fn renew(&self, current: &mut Current<T>) -> Result<(), String> {
        let stamp = fs::metadata(&self.path).map(|file| Stamp {
            device: file.dev(),
            inode: file.ino(),
            bytes: file.len(),
            modified: file.modified().ok(),
        });
        let stamp = stamp.map_err(|error| self.problem(&error));
        if current.stamp == stamp.as_ref().ok().copied() && (current.stamp.is_some() || current.value.is_some()) {
            return Ok(());
        }
        current.stamp = stamp.as_ref().ok().copied();
        stamp?;
        let text = self.read().map_err(|error| self.problem(&error))?;
        current.value = Some(Arc::new((self.parse)(&text).map_err(|error| self.problem(&error))?));
        Ok(())
    }

    fn read(&self) -> io::Result<String> {
        let mut text = String::new();
        File::open(&self.path)?.take(BYTES_MAX + 1).read_to_string(&mut text)?;
        if text.len() as u64 > BYTES_MAX {
            return Err(io::Error::other(format!("it is larger than {BYTES_MAX} bytes")));
        }
        Ok(text)
    }

    fn problem(&self, why: &dyn fmt::Display) -> String {
        format!("cannot use `{}`: {why}", self.path.display())
    }

    /// Looks each time it is asked.
    #[cfg(test)]
    pub(crate) fn eager(mut self) -> Watched<T> {
        self.interval = Duration::ZERO;
        self
    }
}

impl<T> fmt::Debug for Watched<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Watched({})", self.path.display())
    }
}

/// The whole text without space around it, as names and passwords stand in files.
pub(crate) fn word(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("it is empty".to_owned()),
        word => Ok(word.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_read_again_and_a_broken_one_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        let (watched, problem) = Watched::try_open(&path, Box::new(word));
        assert!(problem.unwrap().contains("password`: No such file"));
        let watched = watched.eager();
        assert_eq!(watched.now(), None);
        let write = |text: &str| {
            let new = folder.path().join("new");
            fs::write(&new, text).unwrap();
            fs::rename(&new, &path).unwrap();
        };
        let check = |expected: &str| assert_eq!(watched.now().as_deref().map(String::as_str), Some(expected));
        write(" one\n");
        check("one");
        write("two");
        check("two");
        write("\n");
        check("two");
        fs::remove_file(&path).unwrap();
        check("two");
        write("three");
        check("three");
    }
}
