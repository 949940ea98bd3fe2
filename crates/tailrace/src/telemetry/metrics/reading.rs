//! Everything that metrics are made of, at one moment, and what the receivers and the process give to them.

use super::{Layout, Series, table::*};
use crate::{pipeline::Snapshot, telemetry::process};
use net::receiver::{RefusedReason, SignalCounts, TransportCounts};
use otlp::Signal;

/// What all metrics are made of.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) layout: Layout,
    pub(crate) snapshot: Snapshot,
    pub(crate) receivers: Vec<ReceiverCounts>,
    pub(crate) reloads: Reloads,
    pub(crate) budget_used: usize,
    pub(crate) budget_limit: usize,
    pub(crate) uptime_seconds: f64,
}

/// What a receiver has counted for one transport.
#[derive(Clone, Debug)]
pub(crate) struct ReceiverCounts {
    pub(crate) receiver: String,
    pub(crate) transport: &'static str,
    pub(crate) connections: TransportCounts,
    pub(crate) signals: Vec<(Signal, SignalCounts)>,
}

/// How reloads went so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reloads {
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    /// Unix time at which the configuration in force was loaded.
    pub(crate) loaded_at_seconds: f64,
}

impl Reading {
    /// All series of it.
    pub(crate) fn series(&self) -> Series {
        let mut series = Series::new(self.layout.level);
        self.receivers.iter().for_each(|receiver| receiver.count(&mut series));
        self.pipelines(&mut series);
        self.destinations(&mut series);
        self.process(&mut series);
        series
    }

    fn process(&self, series: &mut Series) {
        let usage = process::usage();
        series.add(&BUDGET_USED, &[], self.budget_used as f64);
        series.add(&BUDGET_LIMIT, &[], self.budget_limit as f64);
        series.add(&RELOADS, &[("outcome", "success")], self.reloads.succeeded as f64);
        series.add(&RELOADS, &[("outcome", "failure")], self.reloads.failed as f64);
        series.add(&RELOADED_AT, &[], self.reloads.loaded_at_seconds);
        series.add(&PROCESS_RSS, &[], usage.rss_bytes as f64);
        series.add(&PROCESS_CPU, &[], usage.cpu_seconds);
        series.add(&PROCESS_UPTIME, &[], self.uptime_seconds);
    }
}

impl ReceiverCounts {
    /// A signal's series are there from its first request on, as otelcol's.
    fn count(&self, series: &mut Series) {
        let labels = [("receiver", self.receiver.as_str()), ("transport", self.transport)];
        for (signal, counts) in &self.signals {
            if counts.accepted_requests + counts.refused_requests() == 0 {
                continue;
            }
            series.add(of(&RECEIVER_ACCEPTED, *signal), &labels, counts.accepted_items as f64);
            series.add(of(&RECEIVER_REFUSED, *signal), &labels, counts.rejected_items as f64);
            series.add(of(&RECEIVER_FAILED, *signal), &labels, 0.0);
            for reason in RefusedReason::ALL {
                let labels = [labels[0], labels[1], ("otel_signal", signal.name()), ("reason", reason.name())];
                series.add(&RECEIVER_REFUSED_REQUESTS, &labels, counts.refused_for(reason) as f64);
            }
        }
        let TransportCounts { connections, accept_errors, tls_errors, unserved_requests, unauthenticated_requests } =
            self.connections;
        if connections + accept_errors + tls_errors > 0 {
            series.add(&RECEIVER_CONNECTIONS, &labels, connections as f64);
            series.add(&RECEIVER_ACCEPT_ERRORS, &labels, accept_errors as f64);
            series.add(&RECEIVER_TLS_ERRORS, &labels, tls_errors as f64);
            series.add(&RECEIVER_UNSERVED, &labels, (unserved_requests + unauthenticated_requests) as f64);
        }
    }
}
