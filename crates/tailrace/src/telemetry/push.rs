//! Tailrace's own metrics on their way to an OTLP peer: a report now and then, and a last one at the end.
//!
//! One attempt a report, by the exporters that kept items leave through. A report that was not taken is not lost: sums count
//! from the start, or with `delta` from the last report that was taken.

pub(crate) mod lines;
mod peer;

use super::{
    metrics::{
        Reading,
        report::{self, Moment},
    },
    source::Source,
};
use crate::configuration::telemetry::{
    metrics::Periodic,
    push::{PushExporter, Temporality},
};
use net::budget::Budget;
use otlp::Signal;
pub(crate) use peer::OWN;
use peer::Peer;
use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{sync::oneshot, task::JoinHandle, time::MissedTickBehavior};

/// Gives the values of a moment; may block for as long as a slot is being assembled.
pub(crate) type Read = Arc<dyn Fn() -> Reading + Send + Sync>;

/// Reports to one peer.
pub(crate) struct Push {
    pub(crate) settings: Periodic,
    pub(crate) source: Source,
    end: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

struct Reporter {
    peer: Peer,
    read: Read,
    source: Source,
    temporality: Temporality,
    started_ns: u64,
    timeout: Duration,
    /// What the peer was told last.
    told: Option<Moment>,
}

impl Push {
    /// Reports from now on.
    ///
    /// # Errors
    /// What the exporter cannot be built from, such as a certificate that cannot be read.
    pub(crate) fn start(
        settings: &Periodic,
        source: &Source,
        read: Read,
        budget: &Arc<Budget>,
        started_ns: u64,
    ) -> Result<Self, String> {
        let peer = Peer::new(&settings.exporter, Signal::Metrics, Arc::clone(budget))?;
        let temporality = match &settings.exporter {
            PushExporter::Otlp(otlp) => otlp.temporality_preference,
            PushExporter::Console => None,
        };
        let reporter = Reporter {
            peer,
            read,
            source: source.clone(),
            temporality: temporality.unwrap_or(Temporality::Cumulative),
            started_ns,
            timeout: settings.timeout(),
            told: None,
        };
        let (end, ended) = oneshot::channel();
        let task = tokio::spawn(reporter.run(settings.interval(), ended));
        Ok(Self { settings: settings.clone(), source: source.clone(), end, task })
    }

    /// Sends a last report and ends.
    pub(crate) async fn finish(self) {
        let Self { end, task, .. } = self;
        drop(end);
        // A panic in there has been told.
        let _ = task.await;
    }
}

impl Reporter {
    async fn run(mut self, interval: Duration, mut ended: oneshot::Receiver<()>) {
        let mut ticks = tokio::time::interval(interval.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick is at once.
        ticks.tick().await;
        loop {
            tokio::select! {
                _ = ticks.tick() => self.report().await,
                _ = &mut ended => return self.report().await,
            }
        }
    }

    async fn report(&mut self) {
        let read = Arc::clone(&self.read);
        let Ok(series) = tokio::task::spawn_blocking(move || read().series()).await else {
            tracing::error!("BUG: reading the metrics panicked");
            return;
        };
        let now = Moment { series, time_ns: unix_ns() };
        let request =
            report::request(self.source.composed(), self.temporality, self.started_ns, self.told.as_ref(), &now);
        if self.peer.send(request, self.timeout).await {
            self.told = Some(now);
        }
    }
}

/// The time now.
pub(crate) fn unix_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
