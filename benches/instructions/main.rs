//! What a span costs in instructions, part by part, so that a slower one is seen on a machine where time says nothing.
//!
//! `cargo bench -p tailrace --bench instructions` runs each case of [`cases`] by itself under callgrind, which counts only
//! what happens in [`measured_work`], and holds the count against `benches/instructions.txt`. Inputs, seeds and the order of work
//! are fixed and there is one thread; what is left, by one or two percent, are the seeds of hash maps and where memory lies. Another processor or compiler may well
//! differ by more: libraries choose their code by what the processor can do. Then record anew, on purpose.
//!
//! ```text
//! no option        compare; fails where a case has grown by more than 10 %
//! --record         write benches/instructions.txt
//! --only scan,json these cases, by what their names begin with
//! --profile FOLDER leave callgrind's file of each case there, for callgrind_annotate
//! ```

mod baseline;
mod callgrind;
mod cases;
#[path = "../configuration.rs"]
mod configuration;

use baseline::Baseline;
use cases::{CASES, Case};
use std::{path::PathBuf, process::ExitCode};

/// The program's own allocator: its instructions are part of what a span costs.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What was asked for.
#[derive(Debug, Default)]
struct Options {
    /// Be one case, in a process of its own.
    case: Option<String>,
    only: Vec<String>,
    record: bool,
    profile: Option<PathBuf>,
}

fn main() -> ExitCode {
    match Options::parse(std::env::args().skip(1)).and_then(|options| options.run()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("`{argument}` needs a value"));
            match argument.as_str() {
                // Cargo says this to every bench.
                "--bench" => {}
                "--case" => options.case = Some(value()?),
                "--only" => options.only = value()?.split(',').map(str::to_owned).collect(),
                "--profile" => options.profile = Some(value()?.into()),
                "--record" => options.record = true,
                _ => return Err(format!("unknown option `{argument}`, there are {OPTIONS}")),
            }
        }
        Ok(options)
    }

    fn run(&self) -> Result<bool, String> {
        if let Some(name) = &self.case {
            let case = CASES.iter().find(|case| case.name == *name).ok_or(format!("no case `{name}`"))?;
            run_case(case);
            return Ok(true);
        }
        callgrind::find()?;
        let mut baseline = Baseline::read()?;
        let mut good = true;
        let wanted = |case: &&Case| self.only.is_empty() || self.only.iter().any(|start| case.name.starts_with(start));
        for case in CASES.iter().filter(wanted) {
            let each = callgrind::count(case, self.profile.as_deref())?;
            if self.record {
                baseline.set(case, each);
                println!("{:<20} {each:>9.2} instructions a {}", case.name, case.unit);
            } else {
                good &= baseline.compare(case, each);
            }
        }
        if self.record {
            baseline.write()?;
        }
        Ok(good)
    }
}

/// In the process that callgrind watches: says what the count has to be divided by, and does the work.
fn run_case(case: &Case) {
    let mut work = (case.prepare)();
    println!("{}{}", callgrind::UNITS, work.units);
    measured_work(&mut *work.run);
}

/// The only function whose instructions are counted, with all that it calls.
#[inline(never)]
fn measured_work(run: &mut dyn FnMut()) {
    run();
    // What follows the call keeps it from becoming a jump, at which the counting would not end.
    std::hint::black_box(());
}

const OPTIONS: &str = "--record, --only CASE,…, and --profile FOLDER";
