//! One case in a process of its own under `valgrind --tool=callgrind`.

use crate::cases::Case;
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

/// What a case says of its units, before the work.
pub(crate) const UNITS: &str = "units: ";

/// Whether valgrind is there, and if not, how to get it.
pub(crate) fn find() -> Result<(), String> {
    let found = Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    match found {
        Ok(status) if status.success() => Ok(()),
        _ => Err("no `valgrind`, which counts the instructions: install it, on Debian and Ubuntu by \
                  `apt-get install valgrind`"
            .to_owned()),
    }
}

/// Instructions of each unit of a case.
pub(crate) fn count(case: &Case, profile: Option<&Path>) -> Result<f64, String> {
    let this = std::env::current_exe().map_err(|error| format!("this program has no path: {error}"))?;
    let kept = profile.map(|folder| folder.join(format!("{}.callgrind", case.name)));
    let scratch = std::env::temp_dir().join(format!("tailrace-{}-{}.callgrind", std::process::id(), case.name));
    let file = kept.as_ref().unwrap_or(&scratch);
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", "--collect-atstart=no", "--toggle-collect=*measured_work*"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(this)
        .args(["--case", case.name])
        // Purging by the clock would make two runs differ.
        .env("_RJEM_MALLOC_CONF", "dirty_decay_ms:-1,muzzy_decay_ms:-1,background_thread:false")
        .output()
        .map_err(|error| format!("cannot run valgrind: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let counted = fs::read_to_string(file).unwrap_or_default();
    if kept.is_none() {
        let _ = fs::remove_file(file);
    }
    let units = said.lines().find_map(|line| line.strip_prefix(UNITS)?.parse::<u64>().ok());
    let total = counted.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse::<u64>().ok());
    match (output.status.success(), units, total) {
        (true, Some(units), Some(total)) if units > 0 && total > 0 => Ok(total as f64 / units as f64),
        _ => Err(format!(
            "callgrind counted nothing for `{}` ({}):\n{}",
            case.name,
            output.status,
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}
