//! Histograms in the text exposition format. The recorder can only add single values to one; ours are counted elsewhere.

use super::{Metric, Unit};
use std::fmt::Write;

/// Writes a histogram: for each processor its counts, one a bound and one for what is larger, and the sum. A processor
/// without values has no series.
pub(super) fn write<'a>(
    text: &mut String,
    metric: &Metric,
    suffixes: bool,
    bounds: &[u64],
    series: impl Iterator<Item = (&'a str, &'a [u64], u64)>,
) {
    let suffix = match metric.unit {
        Some(Unit::Milliseconds) if suffixes => "_milliseconds",
        Some(Unit::Seconds) if suffixes => "_seconds",
        _ => "",
    };
    let name = format!("{}{suffix}", metric.name);
    let mut header = format!("# HELP {name} {}\n# TYPE {name} histogram\n", metric.meaning);
    for (processor, counts, sum) in series.filter(|(_, counts, _)| counts.iter().any(|count| *count > 0)) {
        text.push_str(&std::mem::take(&mut header));
        let bounds = bounds.iter().map(u64::to_string).chain(["+Inf".to_owned()]);
        let mut total = 0;
        for (bound, count) in bounds.zip(counts) {
            total += count;
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name}_bucket{{processor=\"{processor}\",le=\"{bound}\"}} {total}");
        }
        let _ = writeln!(text, "{name}_sum{{processor=\"{processor}\"}} {sum}");
        let _ = writeln!(text, "{name}_count{{processor=\"{processor}\"}} {total}\n");
    }
}
