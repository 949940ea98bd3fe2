//! A scenario and how it is varied: `D-gzip-hard-keep10` is D with gzip both ways, the mix `hard`, and 10 % kept.

use crate::scenario::Scenario;
use load::{Keep, Mix};
use std::fmt;

/// What one run is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Case {
    pub(crate) scenario: Scenario,
    /// Whether requests come and go with gzip.
    pub(crate) gzip: bool,
    pub(crate) mix: Mix,
    /// About so many percent of the traces are kept, where not all are.
    pub(crate) keep_percent: u32,
}

impl Case {
    /// A scenario as the other options have it, with its own suffixes.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.split('-');
        let scenario = Scenario::parse(parts.next().unwrap_or_default())?;
        let mut case =
            Self { scenario, gzip: scenario == Scenario::C, mix: Mix::Plain, keep_percent: KEEP_PERCENT_MIN };
        for part in parts {
            match part.to_ascii_lowercase().as_str() {
                "gzip" => case.gzip = true,
                "hard" => case.mix = Mix::Hard,
                keep if keep.starts_with("keep") => case.keep_percent = keep_percent(&keep["keep".len()..])?,
                _ => return Err(format!("unknown suffix `-{part}`, there are `-gzip`, `-hard` and `-keep10`")),
            }
        }
        Ok(case)
    }

    /// What `probabilistic` has to keep beside the one percent of errors and the one of slow traces.
    pub(crate) fn percentage(self) -> f64 {
        f64::from(self.keep_percent) - 2.0
    }

    /// The policies in the generator's words.
    pub(crate) fn keep(self) -> Keep {
        match self.scenario {
            Scenario::D => Keep::Everything,
            _ => Keep::AnyOf { errors: true, slow: true, percentage: self.percentage() },
        }
    }
}

/// A percentage that the policies can make.
pub(crate) fn keep_percent(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(percent) if (KEEP_PERCENT_MIN..=100).contains(&percent) => Ok(percent),
        _ => Err(format!("`{text}` is not a percentage from {KEEP_PERCENT_MIN} to 100")),
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.scenario)?;
        if self.gzip && self.scenario != Scenario::C {
            f.write_str("-gzip")?;
        }
        if self.mix == Mix::Hard {
            f.write_str("-hard")?;
        }
        if self.keep_percent != KEEP_PERCENT_MIN {
            write!(f, "-keep{}", self.keep_percent)?;
        }
        Ok(())
    }
}

/// Errors, slow traces and one percent of the rest.
const KEEP_PERCENT_MIN: u32 = 3;
