//! Scenarios that compare Tailrace with itself: with and without giants (I), one core and two (J), enough and too much (L).

use crate::{
    case::Case,
    collector::{BOTH_CORES, Side},
    measure::{Measured, Setup},
    options::Options,
    run,
    scenario::{OVERLOAD_MIB, Scenario},
    table::Table,
};
use std::time::Duration;

/// Runs both halves and adds them to the table; whether all is as it has to be.
pub(crate) async fn add(table: &mut Table, case: Case, options: &Options) -> Result<bool, String> {
    match case.scenario {
        Scenario::I => giants(table, case, options).await,
        Scenario::J => cores(table, case, options).await,
        _ => overload(table, case, options).await,
    }
}

/// Spans a second that a side takes in A, as fast as it goes.
pub(crate) async fn capacity(side: Side, case: Case, options: &Options) -> Result<f64, String> {
    let case = Case { scenario: Scenario::A, ..case };
    Ok(run(side, case, Setup::default(), options).await?.spans_a_second)
}

async fn giants(table: &mut Table, case: Case, options: &Options) -> Result<bool, String> {
    let without = run(Side::Tailrace, case, Setup::default(), options).await?;
    let with = run(Side::Tailrace, case, Setup { giants: true, ..Setup::default() }, options).await?;
    let mut good = table.add_run(case, "without", &without) & table.add_run(case, "with", &with);
    for (what, before, after) in [
        ("verdict lag", without.verdict_lag_p99, with.verdict_lag_p99),
        ("arrival lag of the small ones", without.arrival_lag_p99, with.arrival_lag_p99),
    ] {
        let (Some(before), Some(after)) = (before, after) else { continue };
        let ratio = after.as_secs_f64() / before.as_secs_f64().max(0.001);
        let figure = format!("p99 {what} {:.0} → {:.0} ms", milliseconds(before), milliseconds(after));
        let wanted = what == "verdict lag";
        good &= table.note(case, &figure, wanted.then(|| ("≤ 1.1 ×".to_owned(), 1.1 / ratio)));
    }
    let latency = milliseconds(with.latency_p99);
    let figure = format!("p99 of the small requests {:.1} → {latency:.1} ms", milliseconds(without.latency_p99));
    good &= table.note(case, &figure, Some(("≤ 10 ms".to_owned(), 10.0 / latency)));
    Ok(good)
}

async fn cores(table: &mut Table, case: Case, options: &Options) -> Result<bool, String> {
    let rate = capacity(Side::Tailrace, case, options).await? * case.scenario.share_of_capacity().unwrap_or(1.0);
    let setup = Setup { rate: Some(rate as u64), ..Setup::default() };
    let one = run(Side::Tailrace, case, setup, options).await?;
    let two = run(Side::Tailrace, case, Setup { cores: BOTH_CORES, ..setup }, options).await?;
    // perf takes time on the same cores, so what it watches is a run of its own.
    let watched = run(Side::Tailrace, case, Setup { cores: BOTH_CORES, locks: true, ..setup }, options).await?;
    let mut good = table.add_run(case, "one core", &one) & table.add_run(case, "two cores", &two);
    let ratio = two.cpu_us_per_span / one.cpu_us_per_span;
    let figure = format!("two cores take {ratio:.2} × the CPU a span of one at {:.0} k spans/s", rate / 1e3);
    good &= table.note(case, &figure, Some(("≤ 1.1 ×".to_owned(), 1.1 / ratio)));
    match watched.lock_percent {
        Some(percent) => {
            let reached = 1.0 / percent.max(0.001);
            good &=
                table.note(case, &format!("{percent:.2} % of it waits for locks"), Some(("≤ 1 %".to_owned(), reached)));
        }
        None => good &= table.note(case, "no `perf` that may look, so the wait for locks is not known", None),
    }
    Ok(good)
}

async fn overload(table: &mut Table, case: Case, options: &Options) -> Result<bool, String> {
    let quarter = Setup { burners: 3, ..Setup::default() };
    let enough = run(Side::Tailrace, case, quarter, options).await?;
    let rate = (enough.spans_a_second * OVERLOAD) as u64;
    let over = run(Side::Tailrace, case, Setup { rate: Some(rate), open: true, ..quarter }, options).await?;
    let mut good = table.add_run(case, "enough", &enough) & table.add_run(case, "too much", &over);
    good &= offered(table, case, &enough, &over);
    let goodput = over.spans_a_second / enough.spans_a_second;
    let figure = format!("goodput {:.0} % of that at capacity", goodput * 100.0);
    good &= table.note(case, &figure, Some(("≥ 90 %".to_owned(), goodput / 0.9)));
    let bounds = over.peak_bytes as f64 / (OVERLOAD_MIB << 20) as f64;
    let figure = format!("peak {:.0} % of the budget", bounds * 100.0);
    good &= table.note(case, &figure, Some(("≤ 110 %".to_owned(), 1.1 / bounds)));
    good &= table.note(case, &format!("{:.0} left over in the identities", over.residues), None);
    Ok(good && over.residues == 0.0)
}

fn offered(table: &mut Table, case: Case, enough: &Measured, over: &Measured) -> bool {
    let share = over.offered_a_second / enough.spans_a_second;
    let figure = format!("{:.0} k spans/s offered, {share:.1} × what it can take", over.offered_a_second / 1e3);
    let is_enough = table.note(case, &figure, Some(("≥ 2.5 ×".to_owned(), share / 2.5)));
    let figure = format!("{} of {} refusals said when to come back", over.refused_with_delay, over.refused);
    let told = over.refused_with_delay as f64 / over.refused.max(1) as f64;
    is_enough & table.note(case, &figure, (over.refused > 0).then(|| ("all".to_owned(), told)))
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// How many times its capacity the collector is sent.
const OVERLOAD: f64 = 2.6;
