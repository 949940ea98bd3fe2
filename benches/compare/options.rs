//! The command line, all of it optional.

use crate::{
    case::{self, Case},
    collector::Side,
    scenario::Scenario,
};
use load::Mix;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) cases: Vec<Case>,
    pub(crate) sides: Vec<Side>,
    /// How long the load lasts, but in E.
    pub(crate) duration: Duration,
    /// How long K watches.
    pub(crate) idle: Duration,
    /// Fail if a ratio is under half its target.
    pub(crate) check: bool,
    pub(crate) tailrace: Option<PathBuf>,
    pub(crate) otelcol: Option<PathBuf>,
    /// Be the floor at this address, in a process of its own.
    pub(crate) serve_floor: Option<(SocketAddr, SocketAddr)>,
    /// Use up a core's time, in a process of its own.
    pub(crate) burn: bool,
}

impl Options {
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        let (mut mix, mut keep) = (None, None);
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("`{argument}` needs a value\n{USAGE}"));
            match argument.as_str() {
                // Cargo says this to every bench.
                "--bench" => {}
                "--check" => options.check = true,
                "--scenario" => options.cases = cases(&value()?)?,
                "--only" => options.sides = list(&value()?, Side::parse)?.concat(),
                "--seconds" => options.duration = seconds(&value()?)?,
                "--idle-seconds" => options.idle = seconds(&value()?)?,
                "--keep" => keep = Some(case::keep_percent(&value()?)?),
                "--mix" => {
                    mix = match value()?.as_str() {
                        "plain" => Some(Mix::Plain),
                        "hard" => Some(Mix::Hard),
                        other => return Err(format!("unknown mix `{other}`, there are `plain` and `hard`")),
                    }
                }
                "--tailrace" => options.tailrace = Some(value()?.into()),
                "--otelcol" => options.otelcol = Some(value()?.into()),
                "--burn" => options.burn = true,
                "--serve-floor" => {
                    let addresses = list(&value()?, |text| text.parse().map_err(|_| format!("no address: `{text}`")))?;
                    let [grpc, http] = addresses[..] else { return Err("`--serve-floor` needs GRPC,HTTP".to_owned()) };
                    options.serve_floor = Some((grpc, http));
                }
                _ => return Err(format!("unknown option `{argument}`\n{USAGE}")),
            }
        }
        for case in &mut options.cases {
            case.mix = mix.unwrap_or(case.mix);
            case.keep_percent = keep.unwrap_or(case.keep_percent);
        }
        Ok(options)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cases: cases("A,B,D,E").expect("these are scenarios"),
            sides: Side::ALL.to_vec(),
            duration: Duration::from_secs(15),
            idle: Duration::from_secs(60),
            check: false,
            tailrace: None,
            otelcol: None,
            serve_floor: None,
            burn: false,
        }
    }
}

/// Cases by name; `all` is everything that there is.
fn cases(text: &str) -> Result<Vec<Case>, String> {
    if text != "all" {
        return list(text, Case::parse);
    }
    let scenarios = Scenario::ALL.iter().map(|scenario| format!("{scenario:?}"));
    scenarios.chain(VARIED.map(str::to_owned)).map(|name| Case::parse(&name)).collect()
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

/// What `all` has besides each scenario as it is.
const VARIED: [&str; 6] = ["D-gzip", "A-hard", "D-hard", "E-hard", "A-keep10", "A-keep30"];
const USAGE: &str = "options: --scenario all | A,B,…,N,P (A-hard, D-gzip, A-keep10)  --only tailrace|otelcol|floor|both
         --seconds N  --idle-seconds N  --mix plain|hard  --keep 3|10|30  --check
         --tailrace PATH  --otelcol PATH (or OTELCOL_PEER in the environment)";
