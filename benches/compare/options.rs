//! The command line, all of it optional.

use crate::{collector::Side, scenario::Scenario};
use load::Mix;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) sides: Vec<Side>,
    /// How long the load of A, B, C, D and G lasts.
    pub(crate) duration: Duration,
    /// How long K watches.
    pub(crate) idle: Duration,
    pub(crate) mix: Mix,
    /// Fail if a ratio is under half its target.
    pub(crate) check: bool,
    pub(crate) tailrace: Option<PathBuf>,
    pub(crate) otelcol: Option<PathBuf>,
    /// Be the floor at this address, in a process of its own.
    pub(crate) serve_floor: Option<SocketAddr>,
}

impl Options {
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("`{argument}` needs a value\n{USAGE}"));
            match argument.as_str() {
                // Cargo says this to every bench.
                "--bench" => {}
                "--check" => options.check = true,
                "--scenario" => options.scenarios = list(&value()?, Scenario::parse)?,
                "--only" => options.sides = list(&value()?, Side::parse)?.concat(),
                "--seconds" => options.duration = seconds(&value()?)?,
                "--idle-seconds" => options.idle = seconds(&value()?)?,
                "--mix" => {
                    options.mix = match value()?.as_str() {
                        "plain" => Mix::Plain,
                        "hard" => Mix::Hard,
                        other => return Err(format!("unknown mix `{other}`, there are `plain` and `hard`")),
                    }
                }
                "--tailrace" => options.tailrace = Some(value()?.into()),
                "--otelcol" => options.otelcol = Some(value()?.into()),
                "--serve-floor" => {
                    options.serve_floor =
                        Some(value()?.parse().map_err(|_| "`--serve-floor` needs an address".to_owned())?);
                }
                _ => return Err(format!("unknown option `{argument}`\n{USAGE}")),
            }
        }
        Ok(options)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            scenarios: vec![Scenario::A, Scenario::B, Scenario::D, Scenario::E],
            sides: Side::ALL.to_vec(),
            duration: Duration::from_secs(15),
            idle: Duration::from_secs(60),
            mix: Mix::Plain,
            check: false,
            tailrace: None,
            otelcol: None,
            serve_floor: None,
        }
    }
}

fn list<T>(text: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    text.split(',').map(|item| parse(item.trim())).collect()
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds) if seconds > 0 => Ok(Duration::from_secs(seconds)),
        _ => Err(format!("`{text}` is not a number of seconds")),
    }
}

const USAGE: &str =
    "options: --scenario A,B,C,D,E,G,K  --only tailrace|otelcol|floor|both  --seconds N  --idle-seconds N
         --mix plain|hard  --check  --tailrace PATH  --otelcol PATH (or OTELCOL_PEER in the environment)";
