//! The result as a Markdown table, and whether it is good enough.

use crate::{Idle, Measured, collector::Side, scenario::Scenario};
use load::Mix;

/// Rows so far.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<String>,
    notes: Vec<String>,
    /// Whether a ratio under half its target is a failure.
    check: bool,
    mix: Mix,
}

impl Table {
    pub(crate) fn new(check: bool, mix: Mix) -> Self {
        Self { rows: Vec::new(), notes: Vec::new(), check, mix }
    }

    /// Adds the sides of one scenario and what they amount to; whether all is as it has to be.
    pub(crate) fn add(&mut self, scenario: Scenario, measured: &[(Side, Measured)]) -> bool {
        let mut good = true;
        for (side, run) in measured {
            self.rows.push(row(scenario, *side, run));
            if !run.right {
                good = false;
                self.notes.push(format!(
                    "{scenario:?} {}: VOID, {} of {} spans arrived or not the right ones{}",
                    side.name(),
                    run.kept,
                    run.expected,
                    run.first_error.as_ref().map_or(String::new(), |error| format!("; first error: {error}")),
                ));
            }
        }
        let of = |wanted| measured.iter().find(|(side, _)| *side == wanted).map(|(_, run)| run);
        good & self.compare(scenario, of(Side::Tailrace), of(Side::Otelcol))
    }

    /// Adds an idle collector; whether it is idle enough.
    pub(crate) fn add_idle(&mut self, side: Side, idle: &Idle) -> bool {
        let mib = mib(idle.resident_bytes);
        self.notes.push(format!(
            "K {}: {mib:.1} MiB resident, {} clock ticks in {} s",
            side.name(),
            idle.cpu_ticks,
            idle.watched.as_secs(),
        ));
        side != Side::Tailrace || !self.check || (mib <= IDLE_MIB_MAX && idle.cpu_ticks <= IDLE_TICKS_MAX)
    }

    pub(crate) fn print(&self) {
        if !self.rows.is_empty() {
            println!("{HEAD}");
        }
        for line in self.rows.iter().chain(&self.notes) {
            println!("{line}");
        }
    }

    fn compare(&mut self, scenario: Scenario, ours: Option<&Measured>, theirs: Option<&Measured>) -> bool {
        let Some(ours) = ours else { return true };
        let targets = scenario.targets(self.mix);
        let mut good = true;
        if let Some(bytes) = ours.waiting_span_bytes {
            let reached = targets.span_bytes_max.map(|bytes_max| (format!("≤ {bytes_max:.0}"), bytes_max / bytes));
            good &= self.note(scenario, &format!("{bytes:.0} bytes a waiting span"), reached);
        }
        let Some(theirs) = theirs else { return good };
        let speed = theirs.cpu_us_per_span / ours.cpu_us_per_span;
        let reached = targets.speed_min.map(|speed_min| (format!("≥ {speed_min:.0} ×"), speed / speed_min));
        good &= self.note(scenario, &format!("{speed:.1} × the spans per CPU second"), reached);
        if let (Some(ours), Some(theirs)) = (ours.waiting_span_bytes, theirs.waiting_span_bytes) {
            let memory = theirs / ours;
            let reached = targets.memory_min.map(|memory_min| (format!("≤ 1/{memory_min:.0}"), memory / memory_min));
            good &= self.note(scenario, &format!("1/{memory:.1} of the memory a waiting span"), reached);
        }
        good
    }

    /// Notes a figure with its target and how much of that was reached; whether it is at least half, if that is to be checked.
    fn note(&mut self, scenario: Scenario, figure: &str, reached: Option<(String, f64)>) -> bool {
        let Some((target, share)) = reached else {
            self.notes.push(format!("{scenario:?}: {figure}"));
            return true;
        };
        let verdict = if share >= 1.0 { "reached" } else { "missed" };
        self.notes.push(format!("{scenario:?}: {figure} ({target} {verdict})"));
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

fn row(scenario: Scenario, side: Side, run: &Measured) -> String {
    let waiting =
        run.waiting_span_bytes.map_or("–".to_owned(), |bytes| format!("{bytes:.0} ({} k)", run.waiting_spans / 1000));
    format!(
        "| {scenario:?} | {} | {:.0} k | {:.2} | {:.0} MiB | {waiting} | {} / {}{} | {:.1} ms | {} | {:.2} |",
        side.name(),
        run.spans_a_second / 1e3,
        run.cpu_us_per_span,
        mib(run.peak_bytes),
        run.kept,
        run.expected,
        if run.right { "" } else { " **void**" },
        run.latency_p99.as_secs_f64() * 1e3,
        run.refused,
        run.load_us_per_span,
    )
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

const HEAD: &str = "| | collector | spans/s | CPU µs/span | peak resident | bytes a waiting span | kept / expected | p99 request | refused | load µs/span |
|---|---|---|---|---|---|---|---|---|---|";
const IDLE_MIB_MAX: f64 = 15.0;
const IDLE_TICKS_MAX: u64 = 1;
