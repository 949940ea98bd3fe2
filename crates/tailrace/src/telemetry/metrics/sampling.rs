//! The metrics of `tail_sampling`, named as contrib's; they bear the processor besides, since there may be several.
//!
//! A series is there from its first value on, as with otelcol; zeros stand only where otelcol, too, adds them.

use super::{Series, table::*};
use crate::{
    configuration::Gates,
    pipeline::{BOUNDS_MS, SamplingBooks},
};

impl SamplingBooks {
    pub(super) fn count(&self, gates: Gates, series: &mut Series) {
        let SamplingBooks { processor, books, .. } = self;
        let labels = [("processor", processor.as_str())];
        series.add(&NEW_TRACES, &labels, books.traces_seen as f64);
        let dropped = books.traces_sampled_out_by_drop;
        let decided = [
            ("true", "sampled", books.traces_kept),
            ("false", "not_sampled", books.traces_sampled_out - dropped),
            ("false", "dropped", dropped),
        ];
        for (sampled, decision, count) in decided.into_iter().filter(|(.., count)| *count > 0) {
            series.add(&GLOBAL_COUNT, &[labels[0], ("sampled", sampled), ("decision", decision)], count as f64);
        }
        self.policies(gates, series);
        for (sampled, spans) in [("true", books.late_kept), ("false", books.late_sampled_out)] {
            if spans > 0 {
                series.add(&EARLY_RELEASES, &[labels[0], ("sampled", sampled)], spans as f64);
            }
        }
        series.add(&TOO_EARLY, &labels, 0.0);
        if books.traces_dropped_too_large > 0 {
            series.add(&TOO_LARGE, &labels, books.traces_dropped_too_large as f64);
        }
        series.add(&TRACES_ON_MEMORY, &labels, books.traces_waiting as f64);
        series.add(&DECIDED_EARLY, &labels, books.traces_decided_early as f64);
        series.add(&EVALUATIONS_CUT, &labels, self.evaluations_cut as f64);
        series.add(&BLOCKS, &labels, books.blocks as f64);
        series.add(&BLOCK_OPENS, &labels, books.block_opens as f64);
        series.add(&REMEMBERED, &labels, books.remembered as f64);
        series.add(&FORGOTTEN_EARLY, &labels, books.forgotten_early as f64);
        series.add(&HELD_BYTES, &labels, books.bytes_held as f64);
        series.add(&BLOCK_BYTES, &labels, books.bytes_blocks as f64);
        series.add(&LIVE_BYTES, &labels, books.bytes_live as f64);
        let (late, removed) = (&books.late_age, &books.removal_age);
        series.add_histogram(&DECISION_TIME, &labels, &BOUNDS_MS, &self.timings.buckets, self.timings.sum_ms);
        series.add_histogram(&LATE_AGE, &labels, &engine::histogram::BOUNDS, &late.counts, late.sum);
        series.add_histogram(&REMOVAL_AGE, &labels, &engine::histogram::BOUNDS, &removed.counts, removed.sum);
    }

    /// contrib puts the processor's name in front of the policy's where the processor has one (`tail_sampling/name`).
    fn policies(&self, gates: Gates, series: &mut Series) {
        let processor = self.processor.as_str();
        let mut errors = 0;
        let each_us = self.timings.total_ns / 1_000 / (self.policies.len() as u64).max(1);
        let amounts = self.amounts.iter().copied().chain(std::iter::repeat(Default::default()));
        for ((policy, counts), [spans, bytes]) in self.policies.iter().zip(amounts) {
            let policy = match processor.split_once('/') {
                Some((_, name)) => format!("{name}.{policy}"),
                None => policy.clone(),
            };
            let said = [
                ("true", "sampled", counts.sampled, spans.sampled, bytes.sampled),
                ("false", "not_sampled", counts.not_sampled, spans.not_sampled, bytes.not_sampled),
                ("false", "dropped", counts.dropped, spans.dropped, bytes.dropped),
            ];
            let labels = [("processor", processor), ("policy", policy.as_str())];
            for (sampled, decision, traces, spans, bytes) in said.into_iter().filter(|said| said.2 > 0) {
                let labels = [labels[0], labels[1], ("sampled", sampled), ("decision", decision)];
                series.add(&POLICY_COUNT, &labels, traces as f64);
                if gates.count_spans {
                    series.add(&POLICY_SPANS, &labels, spans as f64);
                }
                if gates.count_bytes {
                    series.add(&POLICY_BYTES, &labels, bytes as f64);
                }
            }
            let asked = counts.sampled + counts.not_sampled + counts.dropped + counts.errors;
            series.add(&POLICY_EXECUTIONS, &labels, asked as f64);
            series.add(&POLICY_TIME, &labels, each_us as f64);
            errors += counts.errors;
        }
        series.add(&POLICY_ERRORS, &[("processor", processor)], errors as f64);
    }
}
