//! `benches/instructions.txt`: what each case cost when it was last recorded, a line each.
//!
//! ```text
//! scan  265.12 instructions a span
//! ```

use crate::cases::Case;
use std::{collections::BTreeMap, fs, path::PathBuf};

/// The recorded figures by the names of their cases.
#[derive(Debug)]
pub(crate) struct Baseline {
    lines: BTreeMap<String, (f64, String)>,
}

impl Baseline {
    pub(crate) fn read() -> Result<Self, String> {
        let text = fs::read_to_string(path()).unwrap_or_default();
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        let parsed = lines.map(|line| {
            let mut words = line.split_whitespace();
            let (name, each) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let each = each.parse().map_err(|_| format!("{}: no number in `{line}`", path().display()))?;
            Ok((name.to_owned(), (each, words.next_back().unwrap_or_default().to_owned())))
        });
        Ok(Self { lines: parsed.collect::<Result<_, String>>()? })
    }

    pub(crate) fn set(&mut self, case: &Case, each: f64) {
        self.lines.insert(case.name.to_owned(), (each, case.unit.to_owned()));
    }

    /// Prints the figure beside the recorded one; whether it has not grown too much.
    pub(crate) fn compare(&self, case: &Case, each: f64) -> bool {
        let (name, unit) = (case.name, case.unit);
        let Some((recorded, _)) = self.lines.get(name) else {
            println!("{name:<20} {each:>9.2} instructions a {unit}: nothing recorded, run {RECORD} --only {name}");
            return false;
        };
        let percent = (each / recorded - 1.0) * 100.0;
        let figures = format!("{name:<20} {recorded:>9.2} → {each:.2} instructions a {unit} ({percent:+.1} %)");
        match percent {
            _ if percent > ALLOWED_PERCENT => println!(
                "{figures}, allowed {ALLOWED_PERCENT:.0} %; if that is meant, run {RECORD} --only {name} to record it"
            ),
            _ if percent < -ALLOWED_PERCENT => {
                println!("{figures}; run {RECORD} --only {name}, so that it stays so");
            }
            _ => println!("{figures}"),
        }
        percent <= ALLOWED_PERCENT
    }

    pub(crate) fn write(&self) -> Result<(), String> {
        let mut text = HEAD.to_owned();
        for (name, (each, unit)) in &self.lines {
            text.push_str(&format!("{name:<20} {each:>9.2} instructions a {unit}\n"));
        }
        fs::write(path(), text).map_err(|error| format!("cannot write {}: {error}", path().display()))
    }
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../benches/instructions.txt")
}

const ALLOWED_PERCENT: f64 = 10.0;
const RECORD: &str = "cargo bench -p tailrace --bench instructions -- --record";
const HEAD: &str = "# Instructions counted by callgrind; written by
# cargo bench -p tailrace --bench instructions -- --record
";
