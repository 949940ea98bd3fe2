//! How much of a process's CPU time goes into waiting for locks, by `perf`, where there is one that may look.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// A recording in progress.
#[derive(Debug)]
pub(crate) struct Locks {
    perf: Child,
    file: PathBuf,
}

impl Locks {
    /// Samples the process for so long; nothing if there is no perf.
    pub(crate) fn start(process: u32, time: Duration) -> Option<Self> {
        let file = std::env::temp_dir().join(format!("tailrace-compare-{process}.perf"));
        let perf = Command::new("perf")
            .args(["record", "--quiet", "--freq=997", "--output"])
            .arg(&file)
            .args(["--pid", &process.to_string(), "--", "sleep", &time.as_secs().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        perf.ok().map(|perf| Self { perf, file })
    }

    /// Samples in the slow ways of locks (spinning, parking, waking), in percent of all.
    pub(crate) fn percent(mut self) -> Option<f64> {
        let _ = self.perf.wait();
        let report = Command::new("perf")
            .args(["report", "--stdio", "--fields=overhead,symbol", "--percent-limit=0", "--input"])
            .arg(&self.file)
            .stderr(Stdio::null())
            .output()
            .ok()?;
        let _ = std::fs::remove_file(&self.file);
        let report = String::from_utf8_lossy(&report.stdout);
        let lines = report.lines().filter(|line| !line.starts_with('#'));
        let shares = lines.filter_map(|line| {
            let (share, symbol) = line.trim().split_once('%')?;
            Some((share.parse::<f64>().ok()?, SLOW.iter().any(|slow| symbol.contains(slow))))
        });
        let (mut all, mut slow) = (0.0, 0.0);
        for (share, is_slow) in shares {
            all += share;
            slow += if is_slow { share } else { 0.0 };
        }
        (all > 0.0).then(|| slow / all * 100.0)
    }
}

/// What parking_lot and the kernel do for a lock that is taken.
const SLOW: [&str; 5] = ["lock_slow", "unlock_slow", "parking_lot_core", "futex_wait", "futex_wake"];
