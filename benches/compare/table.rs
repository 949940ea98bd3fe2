//! The result as a Markdown table, and whether it is good enough.

use crate::{Idle, Measured, collector::Side, scenario::Scenario};

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
        let targets = scenario.targets();
        let mut good = true;
        if let (Some(bytes), Some(bytes_max)) = (ours.waiting_span_bytes, targets.span_bytes_max) {
            good &= self.target(
                scenario,
                "bytes a waiting span",
                bytes_max / bytes,
                1.0,
                &format!("{bytes:.0} of {bytes_max:.0}"),
            );
        }
        let Some(theirs) = theirs else { return good };
        let speed = theirs.cpu_us_per_span / ours.cpu_us_per_span;
        good &= self.target(
            scenario,
            "spans per CPU second",
            speed,
            targets.speed_min.unwrap_or(0.0),
            &format!("{speed:.1} ×"),
        );
        if let (Some(ours), Some(theirs)) = (ours.waiting_span_bytes, theirs.waiting_span_bytes) {
            let memory = theirs / ours;
            good &=
                self.target(scenario, "memory", memory, targets.memory_min.unwrap_or(0.0), &format!("1/{memory:.1}"));
        }
        good
    }

    /// Notes a figure; whether it is at least half of what it should be, if that is to be checked.
    fn target(&mut self, scenario: Scenario, name: &str, found: f64, wanted: f64, text: &str) -> bool {
        let verdict = match (found >= wanted, found >= wanted / 2.0) {
            _ if wanted == 0.0 => String::new(),
            (true, _) => format!(", target {wanted} reached"),
            (_, true) => format!(", target {wanted} missed"),
            _ => format!(", target {wanted} missed by more than half"),
        };
        self.notes.push(format!("{scenario:?} {name}: {text}{verdict}"));
        !self.check || found >= wanted / 2.0
    }
}

/// A run in a line, while the others are still to come.
pub(crate) fn one_line(run: &Measured) -> String {
    let waiting = run.waiting_span_bytes.map_or("–".to_owned(), |bytes| format!("{bytes:.0} B"));
    format!(
        "{:.0} k spans/s, {:.2} µs a span, peak {:.0} MiB, {waiting} a waiting span, {} of {} kept{}, p99 {:.1} ms, {} refused",
        run.spans_a_second / 1e3,
        run.cpu_us_per_span,
        mib(run.peak_bytes),
        run.kept,
        run.expected,
        if run.right { "" } else { " VOID" },
        run.latency_p99.as_secs_f64() * 1e3,
        run.refused,
    )
}

fn row(scenario: Scenario, side: Side, run: &Measured) -> String {
    let waiting =
        run.waiting_span_bytes.map_or("–".to_owned(), |bytes| format!("{bytes:.0} ({} k)", run.waiting_spans / 1000));
    format!(
        "| {scenario:?} | {} | {:.0} k | {:.2} | {:.0} MiB | {waiting} | {} / {}{} | {:.1} ms | {} |",
        side.name(),
        run.spans_a_second / 1e3,
        run.cpu_us_per_span,
        mib(run.peak_bytes),
        run.kept,
        run.expected,
        if run.right { "" } else { " **void**" },
        run.latency_p99.as_secs_f64() * 1e3,
        run.refused,
    )
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

const HEAD: &str = "| | collector | spans/s | CPU µs/span | peak resident | bytes a waiting span | kept / expected | p99 request | refused |
|---|---|---|---|---|---|---|---|---|";
const IDLE_MIB_MAX: f64 = 15.0;
const IDLE_TICKS_MAX: u64 = 1;
