//! The table of metrics, and their values taken from one snapshot at each scrape.
//!
//! Nothing is counted here: the engine, the receivers and the destinations keep plain counters, and a scrape copies them.
//! So metrics cost nothing between scrapes, and one scrape shows books that add up. Names are otelcol's where it has one
//! for the same thing; Tailrace's own begin with `tailrace_`.

mod histogram;
mod sampling;

use super::process;
use crate::{configuration::Gates, pipeline::Snapshot};
use ::metrics::{Key, KeyName, Label, Level, Metadata, Recorder, Unit};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

/// One metric.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Metric {
    /// Its name, before suffixes.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) unit: Option<Unit>,
    /// What it says, in a sentence.
    pub(crate) meaning: &'static str,
}

/// How a metric's values move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

macro_rules! metrics {
    ($($constant:ident = $kind:ident $name:literal $unit:expr, $meaning:literal;)*) => {
        $(const $constant: Metric = Metric { name: $name, kind: Kind::$kind, unit: $unit, meaning: $meaning };)*
        /// Every metric that Tailrace exposes.
        pub(crate) const ALL: &[Metric] = &[$($constant),*];
    };
}

metrics! {
    RECEIVER_ACCEPTED = Counter "otelcol_receiver_accepted_spans" None, "Spans taken in and acknowledged.";
    RECEIVER_REFUSED = Counter "otelcol_receiver_refused_spans" None, "Spans refused; the client was told and still owns them.";
    RECEIVER_REFUSED_REQUESTS = Counter "tailrace_receiver_refused_requests" None, "Requests refused before their spans were counted.";
    NEW_TRACES = Counter "otelcol_processor_tail_sampling_new_trace_id_received" None, "Traces first seen.";
    POLICY_COUNT = Counter "otelcol_processor_tail_sampling_count_traces_sampled" None, "Traces by what each policy said of them; another policy may have said otherwise.";
    POLICY_SPANS = Counter "otelcol_processor_tail_sampling_count_spans_sampled" None, "Spans of the traces by what each policy said of them; behind a feature gate.";
    POLICY_BYTES = Counter "otelcol_processor_tail_sampling_count_bytes_sampled" Some(Unit::Bytes), "Bytes of the traces by what each policy said of them; behind a feature gate.";
    POLICY_EXECUTIONS = Counter "otelcol_processor_tail_sampling_sampling_policy_execution_count" None, "How often each policy was asked.";
    POLICY_TIME = Counter "otelcol_processor_tail_sampling_sampling_policy_execution_time_sum" Some(Unit::Microseconds), "Time spent deciding, an equal share for each policy: policies are asked together.";
    POLICY_ERRORS = Counter "otelcol_processor_tail_sampling_sampling_policy_evaluation_error" None, "How often a policy could not be asked, and was ignored.";
    GLOBAL_COUNT = Counter "otelcol_processor_tail_sampling_global_count_traces_sampled" None, "Traces by their final decision.";
    EARLY_RELEASES = Counter "otelcol_processor_tail_sampling_early_releases_from_cache_decision" None, "Late spans that followed a remembered decision.";
    TOO_EARLY = Counter "otelcol_processor_tail_sampling_sampling_trace_dropped_too_early" None, "Always 0: at `num_traces` the oldest traces are decided early, not lost.";
    TOO_LARGE = Counter "otelcol_processor_tail_sampling_traces_dropped_too_large" None, "Traces dropped as larger than `maximum_trace_size_bytes`.";
    DECISION_TIME = Histogram "otelcol_processor_tail_sampling_sampling_decision_timer_latency" Some(Unit::Milliseconds), "How long deciding about the traces of a slot took, or about a piece with `span-ingest`.";
    LATE_AGE = Histogram "otelcol_processor_tail_sampling_sampling_late_span_age" Some(Unit::Seconds), "Time from the decision to late spans, once a piece; at least so much.";
    REMOVAL_AGE = Histogram "otelcol_processor_tail_sampling_sampling_trace_removal_age" Some(Unit::Seconds), "Time from a trace's first span to its decision, at which it leaves the table.";
    TRACES_ON_MEMORY = Gauge "otelcol_processor_tail_sampling_sampling_traces_on_memory" None, "Traces waiting for a decision.";
    EXPORTER_SENT = Counter "otelcol_exporter_sent_spans" None, "Spans that the destination took.";
    EXPORTER_FAILED = Counter "otelcol_exporter_send_failed_spans" None, "Spans that were given up for this destination after they had been sent in vain.";
    EXPORTER_ENQUEUE_FAILED = Counter "otelcol_exporter_enqueue_failed_spans" None, "Spans that found the queue full, where `block_on_overflow: false` is written.";
    EXPORTER_QUEUE_SIZE = Gauge "otelcol_exporter_queue_size" None, "Batches waiting for this destination or on their way to it.";
    PIPELINE_ACCEPTED = Counter "tailrace_pipeline_accepted_spans" None, "Spans that entered the pipeline: the left side of its identity.";
    PIPELINE_FILTERED = Counter "tailrace_pipeline_filtered_spans" None, "Spans that processors took away.";
    PIPELINE_SAMPLED_OUT = Counter "tailrace_pipeline_sampled_out_spans" None, "Spans of traces that the policies did not keep.";
    PIPELINE_KEPT = Counter "tailrace_pipeline_kept_spans" None, "Spans handed to the destinations.";
    PIPELINE_DROPPED = Counter "tailrace_pipeline_dropped_spans" None, "Spans lost inside Tailrace, by reason: as the settings want it (`too_large`, `shutdown`), or by a bug (`internal`, `unreadable_block`); `processor` if one failed on them after they had been accepted.";
    PIPELINE_BUFFERED = Gauge "tailrace_pipeline_buffered_spans" None, "Spans waiting for a decision.";
    PIPELINE_RESIDUE = Gauge "tailrace_pipeline_residue_spans" None, "accepted - filtered - sampled_out - kept - dropped - buffered; anything but 0 is a bug.";
    DESTINATION_KEPT = Counter "tailrace_destination_kept_spans" None, "Spans kept for this destination: the left side of its identity.";
    DESTINATION_DELIVERED = Counter "tailrace_destination_delivered_spans" None, "Spans that the destination took.";
    DESTINATION_REJECTED = Counter "tailrace_destination_rejected_spans" None, "Spans that the destination refused inside requests it took.";
    DESTINATION_DROPPED = Counter "tailrace_destination_dropped_spans" None, "Spans given up for this destination, by reason.";
    DESTINATION_WAITING = Gauge "tailrace_destination_waiting_spans" None, "Spans queued for this destination or on their way to it.";
    DESTINATION_RESIDUE = Gauge "tailrace_destination_residue_spans" None, "kept - delivered - rejected - dropped - waiting; anything but 0 is a bug.";
    DESTINATION_RETRIES = Counter "tailrace_destination_retries" None, "Attempts that failed and were repeated.";
    DECIDED_EARLY = Counter "tailrace_traces_decided_early" None, "Traces decided before their time because memory or `num_traces` ran out, or one trace held too much.";
    EVALUATIONS_CUT = Counter "tailrace_policy_evaluations_cut" None, "Conditions given up because their trace had cost too much; each counts as an error of its policy.";
    BLOCKS = Counter "tailrace_blocks" None, "Blocks filled and closed.";
    BLOCK_OPENS = Counter "tailrace_block_opens" None, "Blocks read back.";
    REMEMBERED = Gauge "tailrace_decided_remembered" None, "Decisions remembered for late spans.";
    FORGOTTEN_EARLY = Counter "tailrace_decided_forgotten_early" None, "Decisions forgotten before their time because the decided memory was full.";
    HELD_BYTES = Gauge "tailrace_engine_held_bytes" Some(Unit::Bytes), "Memory behind waiting traces and remembered decisions.";
    BLOCK_BYTES = Gauge "tailrace_engine_block_bytes" Some(Unit::Bytes), "Memory behind blocks.";
    LIVE_BYTES = Gauge "tailrace_engine_live_bytes" Some(Unit::Bytes), "Size of the waiting spans as they came.";
    BUDGET_USED = Gauge "tailrace_budget_used_bytes" Some(Unit::Bytes), "Memory charged to the budget.";
    BUDGET_LIMIT = Gauge "tailrace_budget_limit_bytes" Some(Unit::Bytes), "The budget's hard mark: above it requests are refused.";
    PROCESS_RSS = Gauge "otelcol_process_memory_rss" Some(Unit::Bytes), "Resident memory of the process.";
    PROCESS_CPU = Gauge "otelcol_process_cpu_seconds" Some(Unit::Seconds), "User and system time of the process.";
    PROCESS_UPTIME = Gauge "otelcol_process_uptime" Some(Unit::Seconds), "Seconds since the start.";
}

/// What a receiver has counted.
#[derive(Clone, Debug)]
pub(crate) struct ReceiverCounts {
    pub(crate) receiver: String,
    pub(crate) transport: &'static str,
    pub(crate) accepted_spans: u64,
    pub(crate) refused_spans: u64,
    pub(crate) refused_requests: u64,
}

/// Everything that a scrape shows.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) snapshot: Snapshot,
    pub(crate) gates: Gates,
    pub(crate) receivers: Vec<ReceiverCounts>,
    pub(crate) budget_used: usize,
    pub(crate) budget_limit: usize,
    pub(crate) uptime_seconds: f64,
}

/// Turns readings into an exposition.
pub(crate) struct Meter {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    suffixes: bool,
}

/// The `metrics` facade wants to know where a metric was registered; all of ours are registered here.
const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

impl Meter {
    /// `suffixes` adds `_total` and units to the names, as `without_type_suffix: false` asks for; `labels` stand on all.
    pub(crate) fn new(suffixes: bool) -> Self {
        let recorder = PrometheusBuilder::new().with_recommended_naming(suffixes).build_recorder();
        for metric in ALL {
            let name = KeyName::from_const_str(metric.name);
            match metric.kind {
                Kind::Counter => recorder.describe_counter(name, metric.unit, metric.meaning.into()),
                Kind::Gauge => recorder.describe_gauge(name, metric.unit, metric.meaning.into()),
                // Written by hand, from counts that somebody else keeps.
                Kind::Histogram => {}
            }
        }
        let handle = recorder.handle();
        Self { recorder, handle, suffixes }
    }

    /// The exposition of a reading.
    pub(crate) fn render(&self, reading: &Reading) -> String {
        self.receivers(reading);
        self.lanes(reading);
        self.destinations(reading);
        self.process(reading);
        let mut text = self.handle.render();
        self.histograms(reading, &mut text);
        text
    }

    fn receivers(&self, reading: &Reading) {
        for counts in &reading.receivers {
            let labels = [("receiver", counts.receiver.as_str()), ("transport", counts.transport)];
            self.set(&RECEIVER_ACCEPTED, &labels, counts.accepted_spans as f64);
            self.set(&RECEIVER_REFUSED, &labels, counts.refused_spans as f64);
            self.set(&RECEIVER_REFUSED_REQUESTS, &labels, counts.refused_requests as f64);
        }
    }

    fn destinations(&self, reading: &Reading) {
        for destination in &reading.snapshot.destinations {
            let stats = &destination.stats;
            let labels = [("exporter", destination.name.as_str())];
            let mut failed = 0;
            for reason in net::exporter::DropReason::ALL {
                let spans = stats.dropped_for(reason).items;
                self.set(&DESTINATION_DROPPED, &[labels[0], ("reason", reason.name())], spans as f64);
                failed += if reason == net::exporter::DropReason::QueueFull { 0 } else { spans };
            }
            let queue_full = stats.dropped_for(net::exporter::DropReason::QueueFull).items;
            self.set(&EXPORTER_SENT, &labels, stats.delivered.items as f64);
            self.set(&EXPORTER_FAILED, &labels, (failed + stats.rejected) as f64);
            self.set(&EXPORTER_ENQUEUE_FAILED, &labels, queue_full as f64);
            self.set(&EXPORTER_QUEUE_SIZE, &labels, stats.waiting.batches as f64);
            self.set(&DESTINATION_KEPT, &labels, destination.kept as f64);
            self.set(&DESTINATION_DELIVERED, &labels, stats.delivered.items as f64);
            self.set(&DESTINATION_REJECTED, &labels, stats.rejected as f64);
            self.set(&DESTINATION_WAITING, &labels, stats.waiting.items as f64);
            self.set(&DESTINATION_RETRIES, &labels, stats.retries as f64);
            self.set(&DESTINATION_RESIDUE, &labels, destination.residue() as f64);
        }
    }

    fn process(&self, reading: &Reading) {
        let usage = process::usage();
        self.set(&BUDGET_USED, &[], reading.budget_used as f64);
        self.set(&BUDGET_LIMIT, &[], reading.budget_limit as f64);
        self.set(&PROCESS_RSS, &[], usage.rss_bytes as f64);
        self.set(&PROCESS_CPU, &[], usage.cpu_seconds);
        self.set(&PROCESS_UPTIME, &[], reading.uptime_seconds);
    }

    fn set(&self, metric: &Metric, labels: &[(&'static str, &str)], value: f64) {
        let labels: Vec<Label> = labels.iter().map(|(name, value)| Label::new(*name, (*value).to_owned())).collect();
        let key = Key::from_parts(metric.name, labels);
        match metric.kind {
            Kind::Counter => self.recorder.register_counter(&key, &METADATA).absolute(value as u64),
            Kind::Gauge => self.recorder.register_gauge(&key, &METADATA).set(value),
            Kind::Histogram => {}
        }
    }
}

#[cfg(test)]
mod tests;
