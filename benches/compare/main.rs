//! Tailrace beside the real otelcol on one machine in one run: the same load, the same configuration, the same question,
//! which is what a span costs and whether the right ones arrive.
//!
//! ```text
//! core 1: generator ──OTLP──► core 0: one collector ──OTLP──► core 1: sink
//!         knows what has to be kept    /proc says what it costs       knows what arrived
//! ```
//! One collector runs at a time, in turn for each scenario, so that both meet the machine in the same mood. A run in which the
//! wrong set of spans arrived is void and fails the comparison. `benches/README.md` says how to run it and what the columns are.

mod case;
mod collector;
#[path = "../configuration.rs"]
mod configuration;
mod measure;
mod options;
mod pairs;
mod profile;
mod scenario;
mod scrape;
mod table;

use case::Case;
use collector::Side;
use load::{Behavior, Sink, SinkOptions};
use measure::{Idle, Measured, Setup};
use options::Options;
use scenario::Scenario;
use std::{net::SocketAddr, process::ExitCode};

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    if options.burn {
        loop {
            std::hint::spin_loop();
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
    let done = match options.serve_floor {
        Some((grpc, http)) => runtime.block_on(serve_floor(grpc, http)).map(|()| true),
        None => runtime.block_on(compare(&options)),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Runs everything that was asked for; whether all of it was as it has to be.
async fn compare(options: &Options) -> Result<bool, String> {
    collector::pin_myself()?;
    print_limits()?;
    let mut good = true;
    let mut table = table::Table::new(options.check);
    for &case in &options.cases {
        eprintln!("{case}: {}", case.scenario.sentence());
        if case.scenario.is_ours_alone() {
            if options.sides.contains(&Side::Tailrace) {
                good &= pairs::add(&mut table, case, options).await?;
            }
            continue;
        }
        let mut measured = Vec::new();
        for &side in &options.sides {
            if case.scenario == Scenario::K {
                if side != Side::Floor {
                    let idle = measure::idle(side, options).await?;
                    good &= table.add_idle(side, &idle);
                }
                continue;
            }
            if side == Side::Floor && !case.scenario.has_floor() {
                continue;
            }
            let rate = match case.scenario.share_of_capacity() {
                Some(share) => Some((pairs::capacity(side, case, options).await? * share) as u64),
                None => None,
            };
            measured.push((side, run(side, case, Setup { rate, ..Setup::default() }, options).await?));
        }
        good &= table.add(case, &measured);
    }
    table.print();
    Ok(good)
}

/// One run, repeated while it is void. Services send their part of a trace up to four seconds after the first one, and the
/// verdict comes after five: on a machine that stood still for a second in between, a collector that does everything right
/// decides without the last spans. A collector that loses spans does so every time.
async fn run(side: Side, case: Case, setup: Setup, options: &Options) -> Result<measure::Measured, String> {
    eprintln!("{case} {} …", side.name());
    for attempt in 1.. {
        let result = measure::run(side, case, setup, options).await?;
        eprintln!("  {}", table::one_line(&result));
        if result.right || attempt == ATTEMPTS_MAX {
            return Ok(result);
        }
        eprintln!("  void: not the spans that should have arrived; once more");
    }
    unreachable!("the loop ends with its last attempt")
}

/// A run is made at most this often.
const ATTEMPTS_MAX: u32 = 3;

/// What the generator can do itself, so that nobody takes its limit for a collector's.
fn print_limits() -> Result<(), String> {
    for (name, gzip) in [("", false), (" with gzip", true)] {
        let load = load::Generate { gzip, seed: 1, ..load::Generate::default() };
        let limit = load.limit(std::time::Duration::from_millis(500)).map_err(|error| error.to_string())?;
        eprintln!("the generator makes {:.1} M spans/s{name}, sending excluded", limit / 1e6);
    }
    Ok(())
}

/// The floor: what receiving alone costs, as a process of its own like any collector.
async fn serve_floor(grpc: SocketAddr, http: SocketAddr) -> Result<(), String> {
    let options = SinkOptions { grpc, http, behavior: Behavior::Discard, ..SinkOptions::default() };
    let _sink = Sink::start(options).await.map_err(|error| error.to_string())?;
    std::future::pending().await
}
