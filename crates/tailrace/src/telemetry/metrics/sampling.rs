//! The metrics of pipelines and of `tail_sampling`, named and labelled as contrib's.
//!
//! A series is there from its first value on, as with otelcol; zeros stand only where otelcol, too, adds them.

use super::*;
use crate::pipeline::{BOUNDS_MS, SamplingBooks};

impl Meter {
    pub(super) fn lanes(&self, reading: &Reading) {
        for lane in &reading.snapshot.lanes {
            let labels = [("pipeline", lane.name.as_str())];
            self.set(&PIPELINE_ACCEPTED, &labels, lane.accepted as f64);
            self.set(&PIPELINE_FILTERED, &labels, lane.filtered as f64);
            self.set(&PIPELINE_SAMPLED_OUT, &labels, lane.sampled_out() as f64);
            self.set(&PIPELINE_KEPT, &labels, lane.kept as f64);
            for reason in engine::DropReason::ALL {
                let spans = lane.sampling.as_ref().map_or(0, |sampling| sampling.books.dropped_for(reason));
                self.set(&PIPELINE_DROPPED, &[labels[0], ("reason", reason.name())], spans as f64);
            }
            self.set(&PIPELINE_DROPPED, &[labels[0], ("reason", "processor")], lane.failed as f64);
            self.set(&PIPELINE_BUFFERED, &labels, lane.buffered as f64);
            self.set(&PIPELINE_RESIDUE, &labels, lane.residue() as f64);
            let Some(sampling) = &lane.sampling else { continue };
            let SamplingBooks { processor, books, .. } = sampling;
            let labels = [("processor", processor.as_str())];
            self.set(&NEW_TRACES, &labels, books.traces_seen as f64);
            let dropped = books.traces_sampled_out_by_drop;
            let decided = [
                ("true", "sampled", books.traces_kept),
                ("false", "not_sampled", books.traces_sampled_out - dropped),
                ("false", "dropped", dropped),
            ];
            for (sampled, decision, count) in decided.into_iter().filter(|(.., count)| *count > 0) {
                self.set(&GLOBAL_COUNT, &[labels[0], ("sampled", sampled), ("decision", decision)], count as f64);
            }
            self.policies(sampling, reading.gates);
            for (sampled, spans) in [("true", books.late_kept), ("false", books.late_sampled_out)] {
                if spans > 0 {
                    self.set(&EARLY_RELEASES, &[labels[0], ("sampled", sampled)], spans as f64);
                }
            }
            self.set(&TOO_EARLY, &labels, 0.0);
            if books.traces_dropped_too_large > 0 {
                self.set(&TOO_LARGE, &labels, books.traces_dropped_too_large as f64);
            }
            self.set(&TRACES_ON_MEMORY, &labels, books.traces_waiting as f64);
            self.set(&DECIDED_EARLY, &labels, books.traces_decided_early as f64);
            self.set(&EVALUATIONS_CUT, &labels, sampling.evaluations_cut as f64);
            self.set(&BLOCKS, &labels, books.blocks as f64);
            self.set(&BLOCK_OPENS, &labels, books.block_opens as f64);
            self.set(&REMEMBERED, &labels, books.remembered as f64);
            self.set(&FORGOTTEN_EARLY, &labels, books.forgotten_early as f64);
            self.set(&HELD_BYTES, &labels, books.bytes_held as f64);
            self.set(&BLOCK_BYTES, &labels, books.bytes_blocks as f64);
            self.set(&LIVE_BYTES, &labels, books.bytes_live as f64);
        }
    }

    /// contrib puts the processor's name in front of the policy's where the processor has one (`tail_sampling/name`).
    fn policies(&self, lane: &SamplingBooks, gates: Gates) {
        let processor = lane.processor.as_str();
        let mut errors = 0;
        let each_us = lane.timings.total_ns / 1_000 / (lane.policies.len() as u64).max(1);
        let amounts = lane.amounts.iter().copied().chain(std::iter::repeat(Default::default()));
        for ((policy, counts), [spans, bytes]) in lane.policies.iter().zip(amounts) {
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
                self.set(&POLICY_COUNT, &labels, traces as f64);
                if gates.count_spans {
                    self.set(&POLICY_SPANS, &labels, spans as f64);
                }
                if gates.count_bytes {
                    self.set(&POLICY_BYTES, &labels, bytes as f64);
                }
            }
            let asked = counts.sampled + counts.not_sampled + counts.dropped + counts.errors;
            self.set(&POLICY_EXECUTIONS, &labels, asked as f64);
            self.set(&POLICY_TIME, &labels, each_us as f64);
            errors += counts.errors;
        }
        self.set(&POLICY_ERRORS, &[("processor", processor)], errors as f64);
    }

    /// The histograms, behind what the recorder has rendered.
    pub(super) fn histograms(&self, reading: &Reading, text: &mut String) {
        let lanes = || reading.snapshot.lanes.iter().filter_map(|lane| lane.sampling.as_ref());
        let sampling = || lanes().map(|sampling| (sampling.processor.as_str(), sampling));
        let timed = sampling().map(|(processor, lane)| (processor, &lane.timings.buckets[..], lane.timings.sum_ms));
        histogram::write(text, &DECISION_TIME, self.suffixes, &BOUNDS_MS, timed);
        let late = sampling().map(|(processor, lane)| (processor, &lane.books.late_age));
        let late = late.map(|(processor, ages)| (processor, &ages.counts[..], ages.sum));
        histogram::write(text, &LATE_AGE, self.suffixes, &engine::histogram::BOUNDS, late);
        let removed = sampling().map(|(processor, lane)| (processor, &lane.books.removal_age));
        let removed = removed.map(|(processor, ages)| (processor, &ages.counts[..], ages.sum));
        histogram::write(text, &REMOVAL_AGE, self.suffixes, &engine::histogram::BOUNDS, removed);
    }
}
