//! The table of metrics: names, kinds, units, where they come from, from which level on they are shown, and what they say.
//!
//! Names, units and levels of those that begin with `otelcol_` are otelcol 0.161's, and so are their texts where they mean
//! the same. What is counted for each signal stands in a row of its own, with a name for each.

use crate::configuration::telemetry::metrics::Level;
use otlp::Signal;

/// One metric.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Metric {
    /// Its name, before suffixes.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// As UCUM writes it; what is counted stands in braces.
    pub(crate) unit: &'static str,
    pub(crate) scope: Scope,
    /// The least level at which it is shown.
    pub(crate) level: Level,
    /// What it says, in a sentence.
    pub(crate) meaning: &'static str,
}

/// How a metric's values move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    /// A sum that may shrink; shown as a gauge, pushed as a sum.
    UpDown,
    Histogram,
}

/// What measures it: the package of otelcol's that does there, or this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    Tailrace,
    Service,
    Receiver,
    Processor,
    Exporter,
    Batch,
    MemoryLimiter,
    Filter,
    ProbabilisticSampler,
    TailSampling,
}

impl Metric {
    /// Whether its values are fractions, and so floating-point numbers wherever that makes a difference.
    pub(crate) fn is_fraction(&self) -> bool {
        self.unit == "s" && self.kind != Kind::Histogram
    }
}

impl Scope {
    /// Its name, as otelcol's.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Scope::Tailrace => "tailrace",
            Scope::Service => "go.opentelemetry.io/collector/service",
            Scope::Receiver => "go.opentelemetry.io/collector/receiver/receiverhelper",
            Scope::Processor => "go.opentelemetry.io/collector/processor/processorhelper",
            Scope::Exporter => "go.opentelemetry.io/collector/exporter/exporterhelper",
            Scope::Batch => "go.opentelemetry.io/collector/processor/batchprocessor",
            Scope::MemoryLimiter => "go.opentelemetry.io/collector/processor/memorylimiterprocessor",
            Scope::Filter => "github.com/open-telemetry/opentelemetry-collector-contrib/processor/filterprocessor",
            Scope::ProbabilisticSampler => {
                "github.com/open-telemetry/opentelemetry-collector-contrib/processor/probabilisticsamplerprocessor"
            }
            Scope::TailSampling => {
                "github.com/open-telemetry/opentelemetry-collector-contrib/processor/tailsamplingprocessor"
            }
        }
    }
}

/// The row's metric for a signal.
pub(super) fn of(row: &[Metric; 3], signal: Signal) -> &Metric {
    match signal {
        Signal::Traces => &row[0],
        Signal::Metrics => &row[1],
        Signal::Logs => &row[2],
    }
}

macro_rules! metrics {
    ($($constant:ident = $scope:ident $level:ident $kind:ident $name:literal $unit:literal, $meaning:literal;)*) => {
        $(pub(super) const $constant: Metric = Metric {
            name: $name,
            kind: Kind::$kind,
            unit: $unit,
            scope: Scope::$scope,
            level: Level::$level,
            meaning: $meaning,
        };)*
        #[cfg(test)]
        const ALONE: &[Metric] = &[$($constant),*];
    };
}

macro_rules! metrics_by_signal {
    ($($constant:ident = $scope:ident $name:literal, $before:literal $after:literal;)*) => {
        $(pub(super) const $constant: [Metric; 3] = [
            counter(concat!($name, "_spans"), "{span}", Scope::$scope, concat!($before, "spans", $after)),
            counter(concat!($name, "_metric_points"), "{datapoint}", Scope::$scope, concat!($before, "metric points", $after)),
            counter(concat!($name, "_log_records"), "{record}", Scope::$scope, concat!($before, "log records", $after)),
        ];)*
        #[cfg(test)]
        const BY_SIGNAL: &[[Metric; 3]] = &[$($constant),*, FILTERED];
    };
}

const fn counter(name: &'static str, unit: &'static str, scope: Scope, meaning: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, unit, scope, level: Level::Basic, meaning }
}

/// Every metric that Tailrace may show; the page about them is made of it.
#[cfg(test)]
pub(crate) fn all() -> impl Iterator<Item = &'static Metric> {
    BY_SIGNAL.iter().flatten().chain(ALONE)
}

/// Its names follow no rule.
pub(super) const FILTERED: [Metric; 3] = [
    counter(
        "otelcol_processor_filter_spans_filtered",
        "1",
        Scope::Filter,
        "Number of spans dropped by the filter processor",
    ),
    counter(
        "otelcol_processor_filter_datapoints_filtered",
        "1",
        Scope::Filter,
        "Number of metric data points dropped by the filter processor",
    ),
    counter(
        "otelcol_processor_filter_logs_filtered",
        "1",
        Scope::Filter,
        "Number of logs dropped by the filter processor",
    ),
];

metrics_by_signal! {
    RECEIVER_ACCEPTED = Receiver "otelcol_receiver_accepted", "Number of " " successfully pushed into the pipeline.";
    RECEIVER_REFUSED = Receiver "otelcol_receiver_refused", "Number of " " that could not be pushed into the pipeline.";
    RECEIVER_FAILED = Receiver "otelcol_receiver_failed", "The number of " " that failed to be processed by the receiver due to internal errors.";
    LIMITER_ACCEPTED = MemoryLimiter "otelcol_processor_memory_limiter_accepted", "Number of " " successfully pushed into the next component in the pipeline.";
    LIMITER_REFUSED = MemoryLimiter "otelcol_processor_memory_limiter_refused", "Always 0: requests are refused before their " " are counted; see `tailrace_receiver_refused_requests`.";
    EXPORTER_SENT = Exporter "otelcol_exporter_sent", "Number of " " successfully sent to destination.";
    EXPORTER_FAILED = Exporter "otelcol_exporter_send_failed", "Number of " " given up after they had been sent in vain.";
    EXPORTER_ENQUEUE_FAILED = Exporter "otelcol_exporter_enqueue_failed", "Number of " " failed to be added to the sending queue.";
}

metrics! {
    RECEIVER_REFUSED_REQUESTS = Tailrace Basic Counter "tailrace_receiver_refused_requests" "{request}", "Requests refused as a whole, by reason; their items are not counted.";
    RECEIVER_CONNECTIONS = Tailrace Normal Counter "tailrace_receiver_connections" "{connection}", "Connections taken.";
    RECEIVER_TLS_ERRORS = Tailrace Normal Counter "tailrace_receiver_tls_errors" "{connection}", "TLS handshakes that failed.";
    RECEIVER_ACCEPT_ERRORS = Tailrace Normal Counter "tailrace_receiver_accept_errors" "{time}", "Times that the system had no connection to give.";
    RECEIVER_UNSERVED = Tailrace Normal Counter "tailrace_receiver_unserved_requests" "{request}", "Requests for a path, service or signal that nobody serves.";
    INCOMING = Processor Basic Counter "otelcol_processor_incoming_items" "{item}", "Number of items passed to the processor.";
    OUTGOING = Processor Basic Counter "otelcol_processor_outgoing_items" "{item}", "Number of items emitted from the processor.";
    SAMPLED_TRACES = ProbabilisticSampler Basic Counter "otelcol_processor_probabilistic_sampler_count_traces_sampled" "1", "Count of traces that were sampled or not";
    SAMPLED_LOGS = ProbabilisticSampler Basic Counter "otelcol_processor_probabilistic_sampler_count_logs_sampled" "1", "Count of logs that were sampled or not";
    BATCH_SIZE = Batch Normal Histogram "otelcol_processor_batch_batch_send_size" "{unit}", "Number of units in the batch";
    BATCH_BYTES = Batch Detailed Histogram "otelcol_processor_batch_batch_send_size_bytes" "By", "Number of bytes in batch that was sent. Only available on detailed level.";
    BATCH_FULL = Batch Normal Counter "otelcol_processor_batch_batch_size_trigger_send" "{time}", "Number of times the batch was sent due to a size trigger";
    BATCH_TIMED = Batch Normal Counter "otelcol_processor_batch_timeout_trigger_send" "{time}", "Number of times the batch was sent due to a timeout trigger";
    BATCH_CARDINALITY = Batch Normal UpDown "otelcol_processor_batch_metadata_cardinality" "{combination}", "Number of distinct metadata value combinations being processed";
    NEW_TRACES = TailSampling Basic Counter "otelcol_processor_tail_sampling_new_trace_id_received" "{traces}", "Counts the arrival of new traces";
    POLICY_COUNT = TailSampling Basic Counter "otelcol_processor_tail_sampling_count_traces_sampled" "{traces}", "Count of traces that were sampled or not per sampling policy";
    POLICY_SPANS = TailSampling Basic Counter "otelcol_processor_tail_sampling_count_spans_sampled" "{spans}", "Count of spans that were sampled or not per sampling policy";
    POLICY_BYTES = TailSampling Basic Counter "otelcol_processor_tail_sampling_count_bytes_sampled" "By", "Count of bytes that were sampled or not per sampling policy";
    POLICY_EXECUTIONS = TailSampling Basic Counter "otelcol_processor_tail_sampling_sampling_policy_execution_count" "{executions}", "Total number of executions of a specific sampling policy";
    POLICY_TIME = TailSampling Basic Counter "otelcol_processor_tail_sampling_sampling_policy_execution_time_sum" "us", "Total time spent (in microseconds) executing the sampling policies, an equal share for each: they are asked together";
    POLICY_ERRORS = TailSampling Basic Counter "otelcol_processor_tail_sampling_sampling_policy_evaluation_error" "{errors}", "Count of sampling policy evaluation errors";
    GLOBAL_COUNT = TailSampling Basic Counter "otelcol_processor_tail_sampling_global_count_traces_sampled" "{traces}", "Global count of traces that were sampled or not by at least one policy";
    EARLY_RELEASES = TailSampling Basic Counter "otelcol_processor_tail_sampling_early_releases_from_cache_decision" "{spans}", "Number of late spans that followed a remembered decision";
    TOO_EARLY = TailSampling Basic Counter "otelcol_processor_tail_sampling_sampling_trace_dropped_too_early" "{traces}", "Always 0: at `num_traces` the oldest traces are decided early, not lost";
    TOO_LARGE = TailSampling Basic Counter "otelcol_processor_tail_sampling_traces_dropped_too_large" "{traces}", "Count of traces that were dropped because they were too large";
    DECISION_TIME = TailSampling Basic Histogram "otelcol_processor_tail_sampling_sampling_decision_timer_latency" "ms", "Latency (in milliseconds) of deciding the traces of a slot, or a piece with `span-ingest`";
    LATE_AGE = TailSampling Basic Histogram "otelcol_processor_tail_sampling_sampling_late_span_age" "s", "Time (in seconds) from the sampling decision was taken and the arrival of a late span; at least so much";
    REMOVAL_AGE = TailSampling Basic Histogram "otelcol_processor_tail_sampling_sampling_trace_removal_age" "s", "Time (in seconds) from arrival of a new trace until its removal from memory";
    TRACES_ON_MEMORY = TailSampling Basic Gauge "otelcol_processor_tail_sampling_sampling_traces_on_memory" "{traces}", "Tracks the number of undecided traces current on memory";
    QUEUE_SIZE = Exporter Basic Gauge "otelcol_exporter_queue_size" "{batch}", "Current size of the sending queue, with what is on its way, in the units of its `sizer`.";
    QUEUE_CAPACITY = Exporter Basic Gauge "otelcol_exporter_queue_capacity" "{batch}", "The `queue_size` of the settings; above it something is dropped only with `block_on_overflow: false`.";
    IN_FLIGHT = Exporter Basic UpDown "otelcol_exporter_in_flight_requests" "{request}", "Number of export requests currently in-flight (including retry backoff).";
    QUEUE_BATCH_SIZE = Exporter Detailed Histogram "otelcol_exporter_queue_batch_send_size" "{unit}", "Number of units in the batch. Only recorded when batching is enabled. Only available on detailed level.";
    QUEUE_BATCH_BYTES = Exporter Detailed Histogram "otelcol_exporter_queue_batch_send_size_bytes" "By", "Number of bytes in batch that was sent. Only recorded when batching is enabled. Only available on detailed level.";
    PIPELINE_ACCEPTED = Tailrace Basic Counter "tailrace_pipeline_accepted_items" "{item}", "Items that entered the pipeline: the left side of its identity.";
    PIPELINE_FILTERED = Tailrace Basic Counter "tailrace_pipeline_filtered_items" "{item}", "Items that processors took away.";
    PIPELINE_SAMPLED_OUT = Tailrace Basic Counter "tailrace_pipeline_sampled_out_items" "{item}", "Spans of traces that the policies did not keep.";
    PIPELINE_KEPT = Tailrace Basic Counter "tailrace_pipeline_kept_items" "{item}", "Items handed to the destinations.";
    PIPELINE_DROPPED = Tailrace Basic Counter "tailrace_pipeline_dropped_items" "{item}", "Items lost inside Tailrace, by reason: as the settings want it (`too_large`, `shutdown`), or by a bug (`internal`, `unreadable_block`); `processor` if one failed on them after they had been accepted.";
    PIPELINE_BUFFERED = Tailrace Basic Gauge "tailrace_pipeline_buffered_items" "{item}", "Items waiting for a decision or for a batch to fill.";
    PIPELINE_RESIDUE = Tailrace Basic Gauge "tailrace_pipeline_residue_items" "{item}", "accepted - filtered - sampled_out - kept - dropped - buffered; anything but 0 is a bug.";
    IGNORED_ERRORS = Tailrace Basic Counter "tailrace_processor_ignored_errors" "{error}", "Errors of conditions and statements that a `filter` or `transform` passed over, as `error_mode` `ignore` or `silent` wants it.";
    DESTINATION_KEPT = Tailrace Basic Counter "tailrace_destination_kept_items" "{item}", "Items kept for this destination: the left side of its identity.";
    DESTINATION_DELIVERED = Tailrace Basic Counter "tailrace_destination_delivered_items" "{item}", "Items that the destination took.";
    DESTINATION_REJECTED = Tailrace Basic Counter "tailrace_destination_rejected_items" "{item}", "Items that the destination refused inside requests it took.";
    DESTINATION_DROPPED = Tailrace Basic Counter "tailrace_destination_dropped_items" "{item}", "Items given up for this destination, by reason.";
    DESTINATION_WAITING = Tailrace Basic Gauge "tailrace_destination_waiting_items" "{item}", "Items queued for this destination or on their way to it.";
    DESTINATION_RESIDUE = Tailrace Basic Gauge "tailrace_destination_residue_items" "{item}", "kept - delivered - rejected - dropped - waiting; anything but 0 is a bug.";
    DESTINATION_RETRIES = Tailrace Basic Counter "tailrace_destination_retries" "{request}", "Attempts that failed and were repeated.";
    DECIDED_EARLY = Tailrace Basic Counter "tailrace_traces_decided_early" "{trace}", "Traces decided before their time because memory or `num_traces` ran out, or one trace held too much.";
    EVALUATIONS_CUT = Tailrace Basic Counter "tailrace_policy_evaluations_cut" "{evaluation}", "Conditions given up because their trace had cost too much; each counts as an error of its policy.";
    BLOCKS = Tailrace Normal Counter "tailrace_blocks" "{block}", "Blocks filled and closed.";
    BLOCK_OPENS = Tailrace Normal Counter "tailrace_block_opens" "{block}", "Blocks read back.";
    REMEMBERED = Tailrace Basic Gauge "tailrace_decided_remembered" "{trace}", "Decisions remembered for late spans.";
    FORGOTTEN_EARLY = Tailrace Basic Counter "tailrace_decided_forgotten_early" "{trace}", "Decisions forgotten before their time because the decided memory was full.";
    HELD_BYTES = Tailrace Normal Gauge "tailrace_engine_held_bytes" "By", "Memory behind waiting traces and remembered decisions.";
    BLOCK_BYTES = Tailrace Normal Gauge "tailrace_engine_block_bytes" "By", "Memory behind blocks.";
    LIVE_BYTES = Tailrace Normal Gauge "tailrace_engine_live_bytes" "By", "Size of the waiting spans as they came.";
    BUDGET_USED = Tailrace Basic Gauge "tailrace_budget_used_bytes" "By", "Memory charged to the budget.";
    BUDGET_LIMIT = Tailrace Basic Gauge "tailrace_budget_limit_bytes" "By", "The budget's hard mark: above it requests are refused.";
    RELOADS = Tailrace Basic Counter "tailrace_reloads" "{reload}", "Attempts to follow a changed configuration, by outcome: after a `failure` the one before stays in force.";
    RELOADED_AT = Tailrace Basic Gauge "tailrace_reload_last_success_timestamp_seconds" "s", "Unix time at which the configuration in force was loaded.";
    PROCESS_RSS = Service Basic Gauge "otelcol_process_memory_rss" "By", "Total physical memory (resident set size)";
    PROCESS_CPU = Service Basic Counter "otelcol_process_cpu_seconds" "s", "Total CPU user and system time in seconds";
    PROCESS_UPTIME = Service Basic Counter "otelcol_process_uptime" "s", "Uptime of the process";
}
