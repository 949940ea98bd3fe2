//! The result as a Markdown table, and whether it is good enough.

use crate::{Idle, Measured, case::Case, collector::Side};
use std::time::Duration;

/// Rows so far.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<String>,
    notes: Vec<String>,
    /// Whether a ratio under half its target is a failure.
    check: bool,
}

impl Table {
    pub(crate) fn new(check: bool) -> Self {
        Self { rows: Vec::new(), notes: Vec::new(), check }
    }

    /// Adds the sides of one case and what they amount to; whether all is as it has to be.
    pub(crate) fn add(&mut self, case: Case, measured: &[(Side, Measured)]) -> bool {
        let mut good = true;
        for (side, run) in measured {
            good &= self.add_run(case, side.name(), run);
        }
        let of = |wanted| measured.iter().find(|(side, _)| *side == wanted).map(|(_, run)| run);
        good & self.compare(case, of(Side::Tailrace), of(Side::Otelcol), of(Side::Floor))
    }

    /// Adds a row; whether its run counts.
    pub(crate) fn add_run(&mut self, case: Case, name: &str, run: &Measured) -> bool {
        self.rows.push(row(case, name, run));
        if !run.right {
            self.notes.push(format!(
                "{case} {name}: VOID, {} of {} spans arrived or not the right ones, {:.0} left over in the identities{}",
                run.kept,
                run.expected,
                run.residues,
                run.first_error.as_ref().map_or(String::new(), |error| format!("; first error: {error}")),
            ));
        }
        run.right
    }

    /// Adds an idle collector; whether it is idle enough.
    pub(crate) fn add_idle(&mut self, side: Side, idle: &Idle) -> bool {
        let mib = mib(idle.resident_bytes);
        self.notes.push(format!(
            "K {}: {mib:.1} MiB resident (≤ {IDLE_MIB_MAX}), {} clock ticks in {} s (≤ {IDLE_TICKS_MAX})",
            side.name(),
            idle.cpu_ticks,
            idle.watched.as_secs(),
        ));
        side != Side::Tailrace || !self.check || (mib <= IDLE_MIB_MAX * 2.0 && idle.cpu_ticks <= IDLE_TICKS_MAX * 2)
    }

    pub(crate) fn print(&self) {
        if !self.rows.is_empty() {
            println!("{HEAD}");
        }
        for line in self.rows.iter().chain(&self.notes) {
            println!("{line}");
        }
    }

    fn compare(
        &mut self,
        case: Case,
        ours: Option<&Measured>,
        theirs: Option<&Measured>,
        floor: Option<&Measured>,
    ) -> bool {
        let Some(ours) = ours else { return true };
        let targets = case.scenario.targets(case.mix);
        let mut good = true;
        if let Some(bytes) = ours.waiting_span_bytes {
            let reached = targets.span_bytes_max.map(|bytes_max| (format!("≤ {bytes_max:.0}"), bytes_max / bytes));
            good &= self.note(case, &format!("{bytes:.0} bytes a waiting span"), reached);
        }
        if let Some(floor) = floor {
            let times = ours.cpu_us_per_span / floor.cpu_us_per_span;
            let reached = targets.floor_max.map(|most| (format!("≤ {most} ×"), most / times));
            good &= self.note(case, &format!("{times:.2} × the CPU of the bare server"), reached);
        }
        let (verdict_max, arrival_max) = targets.lags_max.unzip();
        for (name, found, most) in [
            ("request", Some(ours.latency_p99).filter(|_| targets.latency_max.is_some()), targets.latency_max),
            ("verdict lag", ours.verdict_lag_p99, verdict_max),
            ("arrival lag", ours.arrival_lag_p99.filter(|_| arrival_max.is_some()), arrival_max),
        ] {
            let Some(found) = found else { continue };
            let reached = most.map(|most| (format!("≤ {}", ms(Some(most))), most.div_duration_f64(found)));
            good &= self.note(case, &format!("p99 {name} {}", ms(Some(found))), reached);
        }
        let Some(theirs) = theirs else { return good };
        let speed = theirs.cpu_us_per_span / ours.cpu_us_per_span;
        let reached = targets.speed_min.map(|speed_min| (format!("≥ {speed_min:.0} ×"), speed / speed_min));
        good &= self.note(case, &format!("{speed:.1} × the spans per CPU second"), reached);
        if let (Some(ours), Some(theirs)) = (ours.waiting_span_bytes, theirs.waiting_span_bytes) {
            let memory = theirs / ours;
            let reached = targets.memory_min.map(|memory_min| (format!("≤ 1/{memory_min:.0}"), memory / memory_min));
            good &= self.note(case, &format!("1/{memory:.1} of the memory a waiting span"), reached);
        }
        good
    }

    /// Notes a figure with its target and how much of that was reached; whether it is at least half, if that is to be checked.
    pub(crate) fn note(&mut self, case: Case, figure: &str, reached: Option<(String, f64)>) -> bool {
        let Some((target, share)) = reached else {
            self.notes.push(format!("{case}: {figure}"));
            return true;
        };
        let verdict = if share >= 1.0 { "reached" } else { "missed" };
        self.notes.push(format!("{case}: {figure} ({target} {verdict})"));
        !self.check || share >= 0.5
    }
}

/// A run in a line, while the others are still to come.
pub(crate) fn one_line(run: &Measured) -> String {
    let waiting = run.waiting_span_bytes.map_or("–".to_owned(), |bytes| format!("{bytes:.0} B"));
    format!(
        "{:.0} k spans/s, {:.2} µs a span, peak {:.0} MiB, {waiting} a waiting span, {} of {} kept{}, p99 {:.1} ms, {} refused, load {:.2} µs a span",
        run.spans_a_second / 1e3,
        run.cpu_us_per_span,
        mib(run.peak_bytes),
        run.kept,
        run.expected,
        if run.right { "" } else { " VOID" },
        run.latency_p99.as_secs_f64() * 1e3,
        run.refused,
        run.load_us_per_span,
    )
}

fn row(case: Case, name: &str, run: &Measured) -> String {
    let waiting =
        run.waiting_span_bytes.map_or("–".to_owned(), |bytes| format!("{bytes:.0} ({} k)", run.waiting_spans / 1000));
    format!(
        "| {case} | {name} | {:.0} k | {:.2} | {:.0} MiB | {waiting} | {} / {}{} | {:.1} ms | {} | {} | {} | {:.2} |",
        run.spans_a_second / 1e3,
        run.cpu_us_per_span,
        mib(run.peak_bytes),
        run.kept,
        run.expected,
        if run.right { "" } else { " **void**" },
        run.latency_p99.as_secs_f64() * 1e3,
        ms(run.verdict_lag_p99),
        ms(run.arrival_lag_p99),
        run.refused,
        run.load_us_per_span,
    )
}

fn ms(time: Option<Duration>) -> String {
    time.map_or("–".to_owned(), |time| format!("{:.0} ms", time.as_secs_f64() * 1e3))
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

const HEAD: &str = "| | collector | spans/s | CPU µs/span | peak resident | bytes a waiting span | kept / expected | p99 request | p99 verdict lag | p99 arrival lag | refused | load µs/span |
|---|---|---|---|---|---|---|---|---|---|---|---|";
const IDLE_MIB_MAX: f64 = 12.0;
const IDLE_TICKS_MAX: u64 = 1;
