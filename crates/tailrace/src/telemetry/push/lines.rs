//! Tailrace's own log records on their way to an OTLP peer: `logs::processors`.

use super::peer::Peer;
use crate::{
    configuration::telemetry::push::Processor,
    telemetry::{
        logs::{Record, Tap},
        source::Source,
    },
};
use net::budget::Budget;
use otlp::{Signal, compose};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, timeout_at},
};

/// Sends records to one peer until its tap is gone.
pub(crate) struct Lines {
    pub(crate) settings: Processor,
    pub(crate) source: Source,
    /// To be put among the log's.
    pub(crate) tap: Tap,
    task: JoinHandle<()>,
}

struct Sender {
    peer: Peer,
    source: Source,
    records: mpsc::Receiver<Record>,
    dropped: Arc<AtomicU64>,
    /// How long records wait for others.
    delay: Duration,
    timeout: Duration,
    records_max: usize,
}

impl Lines {
    /// Sends from now on what comes through its tap.
    ///
    /// # Errors
    /// What the exporter cannot be built from.
    pub(crate) fn start(settings: &Processor, source: &Source, budget: &Arc<Budget>) -> Result<Self, String> {
        let (exporter, delay, timeout_ms, queue, records_max) = match settings {
            Processor::Batch(batch) => (
                &batch.exporter,
                batch.schedule_delay(),
                batch.export_timeout,
                batch.max_queue_size.unwrap_or(QUEUE_RECORDS),
                batch.max_export_batch_size.unwrap_or(BATCH_RECORDS),
            ),
            Processor::Simple(exporter) => (exporter, Duration::ZERO, None, QUEUE_RECORDS, 1),
        };
        let bounded = |number: u64| usize::try_from(number).unwrap_or(RECORDS_MAX).clamp(1, RECORDS_MAX);
        let (tap, records, dropped) = Tap::new(bounded(queue));
        let sender = Sender {
            peer: Peer::new(exporter, Signal::Logs, Arc::clone(budget))?,
            source: source.clone(),
            records,
            dropped,
            delay,
            timeout: Duration::from_millis(timeout_ms.unwrap_or(30_000)),
            records_max: bounded(records_max),
        };
        let task = tokio::spawn(sender.run());
        Ok(Self { settings: settings.clone(), source: source.clone(), tap, task })
    }

    /// Sends what is left and ends; the log must not have the tap any more.
    pub(crate) async fn finish(self) {
        let Self { tap, task, .. } = self;
        drop(tap);
        // A panic in there costs log records.
        let _ = task.await;
    }
}

/// otelcol's defaults.
const QUEUE_RECORDS: u64 = 2048;
const BATCH_RECORDS: u64 = 512;
/// More are not kept, whatever is written.
const RECORDS_MAX: usize = 1 << 20;

impl Sender {
    async fn run(mut self) {
        while let Some(first) = self.records.recv().await {
            let mut batch = vec![first];
            let due = Instant::now() + self.delay;
            while batch.len() < self.records_max {
                match timeout_at(due, self.records.recv()).await {
                    Ok(Some(record)) => batch.push(record),
                    Ok(None) | Err(_) => break,
                }
            }
            self.send(&batch).await;
        }
    }

    async fn send(&self, batch: &[Record]) {
        let records: Vec<_> = batch
            .iter()
            .map(|record| compose::Record {
                time_ns: record.time_ns,
                severity: record.severity,
                severity_text: record.level,
                body: &record.message,
                attributes: &record.fields,
            })
            .collect();
        let request = compose::logs(self.source.composed(), "tailrace", env!("CARGO_PKG_VERSION"), &records);
        self.peer.send(request, self.timeout).await;
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            tracing::warn!(target: super::OWN, dropped, "log records were not pushed, for their queue was full; look whether their backend answers");
        }
    }
}
