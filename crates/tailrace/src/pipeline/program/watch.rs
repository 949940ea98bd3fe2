//! Whether the files of the configuration have changed.
//!
//! They are looked at every two seconds. That finds what notifications of the file system miss: mounted ConfigMaps, whose
//! files are links to links, and network drives.

use std::{fs, os::unix::fs::MetadataExt, path::PathBuf, time::Duration};
use tokio::time::sleep;

const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// What files looked like.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stamps(Vec<Option<Stamp>>);

/// What changes when a file is written or another one takes its place.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    bytes: u64,
    modified_ns: i128,
}

impl Stamps {
    /// What the files look like now.
    pub(super) fn of(files: &[PathBuf]) -> Self {
        let stamp = |file: &PathBuf| {
            let metadata = fs::metadata(file).ok()?;
            let modified_ns = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
            Some(Stamp { inode: metadata.ino(), bytes: metadata.len(), modified_ns })
        };
        Self(files.iter().map(stamp).collect())
    }

    /// Waits until one of the files has changed and then stayed the same for one look; never ends unless that is `wanted`.
    pub(super) async fn change(&mut self, files: &[PathBuf], wanted: bool) {
        if !wanted || files.is_empty() {
            return std::future::pending().await;
        }
        let mut last = None;
        loop {
            sleep(LOOK_INTERVAL).await;
            let now = Self::of(files);
            // A file that is being written, or is away for the moment, is not read yet.
            let settled = now.0.iter().all(Option::is_some) && last.as_ref() == Some(&now);
            if settled && now != *self {
                *self = now;
                return;
            }
            last = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::write;

    #[tokio::test(start_paused = true)]
    async fn a_change_is_seen_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = [folder.path().join("a.yaml")];
        write(&files[0], "a: 1").expect("written");
        let mut stamps = Stamps::of(&files);
        let minute = Duration::from_secs(60);
        assert!(tokio::time::timeout(minute, stamps.change(&files, true)).await.is_err(), "nothing changed");
        write(&files[0], "a: 12").expect("written");
        assert!(tokio::time::timeout(minute, stamps.change(&files, false)).await.is_err(), "nobody asked");
        assert!(tokio::time::timeout(minute, stamps.change(&files, true)).await.is_ok());
        assert!(tokio::time::timeout(minute, stamps.change(&files, true)).await.is_err(), "seen already");
        fs::remove_file(&files[0]).expect("removed");
        assert!(tokio::time::timeout(minute, stamps.change(&files, true)).await.is_err(), "it may come back");
    }
}
