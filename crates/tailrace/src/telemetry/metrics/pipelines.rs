//! The metrics of pipelines, of the processors in them, and of destinations.

use super::{
    Reading, Series,
    layout::{Station, Work},
    table::*,
};
use crate::pipeline::{DestinationBooks, LaneBooks};
use net::exporter::{DropReason, SentSizes, SizeHistogram};
use otlp::Signal;

impl Reading {
    pub(super) fn pipelines(&self, series: &mut Series) {
        for lane in &self.snapshot.lanes {
            identity(lane, series);
            let stations = self.layout.pipelines.get(&lane.id);
            processors(lane, stations.map(Vec::as_slice).unwrap_or_default(), series);
            if let Some(sampling) = &lane.sampling {
                sampling.count(self.layout.gates, series);
            }
        }
    }

    pub(super) fn destinations(&self, series: &mut Series) {
        for destination in &self.snapshot.destinations {
            self.exporter(destination, series);
            let DestinationBooks { name, signal, kept, stats, .. } = destination;
            let labels = [("exporter", name.as_str()), ("data_type", signal.name())];
            for reason in DropReason::ALL {
                let labels = [labels[0], labels[1], ("reason", reason.name())];
                series.add(&DESTINATION_DROPPED, &labels, stats.dropped_for(reason).items as f64);
            }
            series.add(&DESTINATION_KEPT, &labels, *kept as f64);
            series.add(&DESTINATION_DELIVERED, &labels, stats.delivered.items as f64);
            series.add(&DESTINATION_REJECTED, &labels, stats.rejected as f64);
            series.add(&DESTINATION_WAITING, &labels, stats.waiting.items as f64);
            series.add(&DESTINATION_RETRIES, &labels, stats.retries as f64);
            series.add(&DESTINATION_RESIDUE, &labels, destination.residue() as f64);
        }
    }

    /// What otelcol tells of an exporter.
    fn exporter(&self, destination: &DestinationBooks, series: &mut Series) {
        let DestinationBooks { name, signal, stats, sizes, queue, .. } = destination;
        let mut labels = vec![("exporter", name.as_str())];
        let server = self.layout.servers.get(&(name.clone(), *signal));
        labels.extend(server.into_iter().flatten().map(|(label, value)| (*label, value.as_str())));
        series.add(of(&EXPORTER_SENT, *signal), &labels, stats.sent() as f64);
        series.add(of(&EXPORTER_FAILED, *signal), &labels, stats.send_failed() as f64);
        let of_queue = [("exporter", name.as_str()), ("data_type", signal.name())];
        series.add(&IN_FLIGHT, &of_queue, stats.in_flight as f64);
        let Some(queue) = queue else { return };
        series.add(of(&EXPORTER_ENQUEUE_FAILED, *signal), &[("exporter", name)], stats.enqueue_failed() as f64);
        series.add(&QUEUE_SIZE, &of_queue, queue.size as f64);
        series.add(&QUEUE_CAPACITY, &of_queue, queue.capacity as f64);
        if queue.batches {
            count_sizes(series, [&QUEUE_BATCH_SIZE, &QUEUE_BATCH_BYTES], &labels, sizes);
        }
    }
}

/// The books of a pipeline.
fn identity(lane: &LaneBooks, series: &mut Series) {
    let labels = [("pipeline", lane.name.as_str())];
    series.add(&PIPELINE_ACCEPTED, &labels, lane.accepted as f64);
    series.add(&PIPELINE_FILTERED, &labels, lane.filtered as f64);
    series.add(&PIPELINE_KEPT, &labels, lane.kept as f64);
    series.add(&PIPELINE_BUFFERED, &labels, lane.buffered as f64);
    series.add(&PIPELINE_RESIDUE, &labels, lane.residue() as f64);
    series.add(&PIPELINE_DROPPED, &[labels[0], ("reason", "processor")], lane.failed as f64);
    // Other signals wait for no verdict.
    if lane.signal == Signal::Traces {
        series.add(&PIPELINE_SAMPLED_OUT, &labels, lane.sampled_out() as f64);
        for reason in engine::DropReason::ALL {
            let items = lane.sampling.as_ref().map_or(0, |sampling| sampling.books.dropped_for(reason));
            series.add(&PIPELINE_DROPPED, &[labels[0], ("reason", reason.name())], items as f64);
        }
    }
}

/// What otelcol tells of each processor. Those that edit count for themselves; what went into and out of the others follows
/// from their place.
fn processors(lane: &LaneBooks, stations: &[Station], series: &mut Series) {
    let mut flow = lane.accepted;
    for Station { processor, work } in stations {
        let by_name = [("processor", processor.as_str())];
        let labels = [by_name[0], ("otel_signal", lane.signal.name())];
        let mut edit = || {
            let link = lane.processors.iter().find(|link| link.processor == *processor)?;
            flow = link.incoming.saturating_sub(link.filtered);
            series.add(&INCOMING, &labels, link.incoming as f64);
            series.add(&OUTGOING, &labels, flow as f64);
            Some((link, flow))
        };
        match work {
            Work::Limit => {
                series.add(&INCOMING, &labels, flow as f64);
                series.add(&OUTGOING, &labels, flow as f64);
                series.add(of(&LIMITER_ACCEPTED, lane.signal), &by_name, flow as f64);
                series.add(of(&LIMITER_REFUSED, lane.signal), &by_name, 0.0);
            }
            Work::Batch => {
                count_sizes(series, [&BATCH_SIZE, &BATCH_BYTES], &by_name, &lane.batches.sizes);
                series.add(&BATCH_FULL, &by_name, lane.batches.full as f64);
                series.add(&BATCH_TIMED, &by_name, lane.batches.timed as f64);
                let combinations = lane.combinations.iter().find(|(name, _)| name == processor);
                series.add(&BATCH_CARDINALITY, &by_name, combinations.map_or(1.0, |(_, count)| *count as f64));
            }
            Work::Sample => {}
            Work::Edit => _ = edit(),
            Work::Transform => {
                if let Some((link, _)) = edit() {
                    series.add(&IGNORED_ERRORS, &labels, link.ignored as f64);
                }
            }
            Work::Filter => {
                if let Some((link, _)) = edit() {
                    series.add(of(&FILTERED, lane.signal), &[("filter", processor)], link.filtered as f64);
                    series.add(&IGNORED_ERRORS, &labels, link.ignored as f64);
                }
            }
            Work::Probabilistic(policy) => {
                let metric = if lane.signal == Signal::Logs { &SAMPLED_LOGS } else { &SAMPLED_TRACES };
                if let Some((link, left)) = edit() {
                    series.add(metric, &[("policy", policy), ("sampled", "true")], left as f64);
                    series.add(metric, &[("policy", policy), ("sampled", "false")], link.filtered as f64);
                }
            }
        }
    }
}

fn count_sizes(series: &mut Series, metrics: [&Metric; 2], labels: &[(&'static str, &str)], sizes: &SentSizes) {
    series.add_histogram(metrics[0], labels, &SentSizes::ITEM_BOUNDS, &counts(&sizes.items), sizes.items.sum);
    series.add_histogram(metrics[1], labels, &SentSizes::BYTE_BOUNDS, &counts(&sizes.bytes), sizes.bytes.sum);
}

/// The buckets with what is above all of them.
fn counts<const BOUNDS: usize>(histogram: &SizeHistogram<BOUNDS>) -> Vec<u64> {
    let above = histogram.count.saturating_sub(histogram.buckets.iter().sum());
    histogram.buckets.iter().copied().chain([above]).collect()
}
