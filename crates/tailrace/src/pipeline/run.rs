//! The life of the program: start everything in order, wait for a signal, stop in reverse order.

use super::{
    Clock, Snapshot,
    build::Parts,
    decider::{Decider, Work},
    intake::Intake,
};
use crate::{
    configuration::{Configuration, Receiver},
    telemetry::{
        metrics::{Meter, Reading, ReceiverCounts},
        prometheus::Endpoint,
    },
    terminal::Summary,
};
use net::receiver::{self, Running};
use std::{sync::Arc, time::Duration};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::Instant,
};

/// Receivers get this much of the grace period to finish the requests they have begun.
const RECEIVER_SHARE: u32 = 4;

/// The program as it runs.
pub(crate) struct Started {
    parts: Parts,
    receivers: Vec<(String, Running)>,
    decider: Decider,
    metrics: Option<Endpoint>,
    grace: Duration,
}

/// Runs until a signal comes, then stops.
///
/// # Errors
/// What kept it from starting, in words.
pub(crate) async fn run(configuration: &Configuration) -> Result<(), String> {
    run_until(configuration, |_| Ok(std::future::pending())).await
}

/// Runs until a signal comes or what `task` makes of the started program is done, then stops; a second signal stops at
/// once.
///
/// # Errors
/// What kept it from starting or made the task fail, in words.
pub(crate) async fn run_until<T>(
    configuration: &Configuration,
    task: impl FnOnce(&Started) -> Result<T, String>,
) -> Result<(), String>
where
    T: Future<Output = Result<(), String>>,
{
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    let started = Started::start(configuration).await?;
    let (outcome, why) = tokio::select! {
        outcome = task(&started)? => (outcome, "its work is done"),
        () = started.summarize() => (Ok(()), "BUG: the summaries ended"),
        _ = terminate.recv() => (Ok(()), "SIGTERM"),
        _ = interrupt.recv() => (Ok(()), "SIGINT"),
    };
    tracing::info!(why, "stopping");
    tokio::select! {
        () = started.stop() => outcome,
        _ = terminate.recv() => Err("stopped by a second signal before everything was delivered".to_owned()),
        _ = interrupt.recv() => Err("stopped by a second signal before everything was delivered".to_owned()),
    }
}

impl Started {
    /// Starts destinations, the deciding thread, the metrics endpoint and, last, the receivers.
    pub(crate) async fn start(configuration: &Configuration) -> Result<Self, String> {
        let clock = Clock::new();
        let parts = Parts::build(configuration, clock)?;
        let work = Work { lanes: parts.ledger.lanes.clone(), budget: Arc::clone(&parts.budget), clock };
        let decider = Decider::start(work, Arc::clone(&parts.nudge));
        let decider = decider.map_err(|error| format!("cannot start the deciding thread: {error}"))?;
        let receivers = start_receivers(configuration, &parts, clock).await?;
        let metrics = start_metrics(configuration, &parts, &receivers, clock).await?;
        tracing::info!("everything is ready");
        let grace = configuration.own.shutdown_grace;
        Ok(Self { parts, receivers, decider, metrics, grace })
    }

    /// Where a receiver listens for `protocol`.
    pub(crate) fn address(&self, protocol: receiver::Protocol) -> Option<std::net::SocketAddr> {
        let addresses = self.receivers.iter().flat_map(|(_, running)| &running.addresses);
        addresses.filter(|(one, _)| *one == protocol).map(|(_, address)| *address).next()
    }

    /// Shows a summary now and then, if kept traces are shown on the terminal; never ends.
    pub(crate) async fn summarize(&self) {
        let Some(interval) = self.parts.summaries.filter(|interval| !interval.is_zero()) else {
            return std::future::pending().await;
        };
        let mut shown = String::new();
        loop {
            tokio::time::sleep(interval).await;
            let line = self.summary();
            if line != shown {
                println!("── {line}\n");
                shown = line;
            }
        }
    }

    fn summary(&self) -> String {
        Summary::line(&self.parts.ledger.snapshot(), &self.parts.whys)
    }

    /// Stops the intake, decides what is held, delivers what is kept, and prints the totals.
    pub(crate) async fn stop(self) {
        let deadline = Instant::now() + self.grace;
        for (_, running) in self.receivers {
            running.stop(self.grace / RECEIVER_SHARE).await;
        }
        // The thread may be busy assembling; waiting for it must not hold up the destinations' tasks.
        if tokio::task::spawn_blocking(move || self.decider.finish()).await.is_err() {
            tracing::error!("BUG: waiting for the deciding thread panicked");
        }
        let drains = self.parts.ledger.destinations.iter().map(|(_, destination)| {
            let destination = Arc::clone(destination);
            tokio::spawn(async move { destination.drain(deadline).await })
        });
        for drain in drains.collect::<Vec<_>>() {
            // A panic in there is counted by the destination itself.
            let _ = drain.await;
        }
        drop(self.metrics);
        let snapshot = self.parts.ledger.snapshot();
        if self.parts.summaries.is_some() {
            println!("── {}", Summary::line(&snapshot, &self.parts.whys));
        }
        print_totals(&snapshot);
    }
}

async fn start_receivers(
    configuration: &Configuration,
    parts: &Parts,
    clock: Clock,
) -> Result<Vec<(String, Running)>, String> {
    let mut receivers = Vec::new();
    for (id, lanes) in &parts.feeds {
        let Some(Receiver::Otlp(settings)) = configuration.receivers.get(id) else { continue };
        let intake = Arc::new(Intake::new(lanes.clone(), Arc::clone(&parts.keys), clock));
        let name = id.to_string();
        let running = receiver::serve(&name, settings, intake, Arc::clone(&parts.budget)).await;
        let running = running.map_err(|error| format!("cannot start the receiver `{name}`: {error}"))?;
        for (protocol, address) in &running.addresses {
            tracing::info!(receiver = %name, %protocol, %address, "listening");
        }
        receivers.push((name, running));
    }
    Ok(receivers)
}

async fn start_metrics(
    configuration: &Configuration,
    parts: &Parts,
    receivers: &[(String, Running)],
    clock: Clock,
) -> Result<Option<Endpoint>, String> {
    let Some(settings) = configuration.service.telemetry.metrics.prometheus() else { return Ok(None) };
    let meter = Meter::new(!settings.without_type_suffix || !settings.without_units);
    let stats: Vec<_> = receivers.iter().map(|(name, running)| (name.clone(), Arc::clone(&running.stats))).collect();
    let gates = configuration.gates;
    let (ledger, budget) = (Arc::clone(&parts.ledger), Arc::clone(&parts.budget));
    let render = move || {
        meter.render(&Reading {
            snapshot: ledger.snapshot(),
            gates,
            receivers: stats.iter().flat_map(|(name, stats)| receiver_counts(name, stats)).collect(),
            budget_used: budget.used(),
            budget_limit: budget.hard(),
            uptime_seconds: clock.mono_ns() as f64 / 1e9,
        })
    };
    match Endpoint::start(&settings.host, settings.port, Arc::new(render)).await {
        Ok(endpoint) => {
            tracing::info!(protocol = %"metrics", address = %endpoint.address, "listening");
            Ok(Some(endpoint))
        }
        Err(error) => Err(format!(
            "cannot listen for scrapes on {}:{}: {error}; choose another address with \
             `service::telemetry::metrics::readers`, or switch metrics off with `level: none`",
            settings.host, settings.port
        )),
    }
}

fn receiver_counts(name: &str, stats: &receiver::ReceiverStats) -> Vec<ReceiverCounts> {
    let counts = stats.transports().into_iter().map(|(transport, counts)| ReceiverCounts {
        receiver: name.to_owned(),
        transport,
        accepted_spans: counts.accepted_spans,
        refused_spans: counts.refused_spans,
        refused_requests: counts.refused_requests,
    });
    counts.collect()
}

/// One line a pipeline that says what became of everything; before it, what a destination did not get.
fn print_totals(snapshot: &Snapshot) {
    for destination in &snapshot.destinations {
        let stats = &destination.stats;
        let dropped = stats.dropped_total().spans;
        if dropped + stats.rejected_spans > 0 {
            tracing::warn!(
                exporter = %destination.name,
                delivered = stats.delivered.spans,
                rejected = stats.rejected_spans,
                dropped,
                "a destination did not take everything"
            );
        }
    }
    for lane in &snapshot.lanes {
        let books = &lane.books;
        tracing::info!(
            pipeline = %lane.name,
            accepted = books.accepted,
            sampled_out = books.sampled_out,
            kept = books.kept,
            dropped = books.dropped_total(),
            "stopped"
        );
    }
}
