//! What was seen, kept and why, in one line: shown now and then beside the waterfalls, and at the end.

use crate::pipeline::Snapshot;
use dashmap::DashMap;
use std::fmt::Write;

/// How many traces were kept for each reason. Exporters add while people look, hence a concurrent map.
#[derive(Debug, Default)]
pub(crate) struct Whys(DashMap<String, u64>);

/// Reasons are policies of the configuration, so there are few; should there be more, the rest is counted together.
const REASONS_MAX: usize = 1_000;

/// The line.
pub(crate) struct Summary;

impl Whys {
    /// Counts a kept trace.
    pub(crate) fn add(&self, why: &str) {
        let known = self.0.len() < REASONS_MAX || self.0.contains_key(why);
        *self.0.entry(if known { why } else { "other" }.to_owned()).or_default() += 1;
    }

    /// The reasons with their counts, most frequent first.
    pub(crate) fn counts(&self) -> Vec<(String, u64)> {
        let mut counts: Vec<(String, u64)> = self.0.iter().map(|entry| (entry.key().clone(), *entry.value())).collect();
        counts.sort_by(|one, two| two.1.cmp(&one.1).then_with(|| one.0.cmp(&two.0)));
        counts
    }
}

impl Summary {
    /// The line for all pipelines together.
    pub(crate) fn line(snapshot: &Snapshot, whys: &Whys) -> String {
        let sum = |of: fn(&engine::Books) -> u64| {
            let sampling = snapshot.lanes.iter().filter_map(|lane| lane.sampling.as_ref());
            sampling.map(|sampling| of(&sampling.books)).sum::<u64>()
        };
        let (seen, kept) = (sum(|books| books.traces_seen), sum(|books| books.traces_kept));
        let waiting = sum(|books| books.traces_waiting);
        let share = if seen == 0 { 0.0 } else { kept as f64 * 100.0 / seen as f64 };
        let mut line = format!("{seen} traces seen, {kept} kept ({share:.0} %)");
        for (index, (why, count)) in whys.counts().iter().enumerate() {
            let _ = write!(line, "{} {count} {why}", if index == 0 { ":" } else { "," });
        }
        if waiting > 0 {
            let _ = write!(line, "; {waiting} waiting for their verdict");
        }
        line
    }
}
