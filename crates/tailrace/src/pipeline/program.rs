//! The life of the program: start everything in order, follow new configurations, stop in reverse order.
//!
//! A reload builds first and swaps then. What cannot be built changes nothing. What a new configuration no longer has goes
//! on until nothing is in it any more: requests that came in by the old way end there, traces that wait in a lane that is
//! gone are decided when they are due, and only then their destinations are emptied and closed.

mod doors;
mod instruments;
mod retire;
mod vitals;
mod watch;

use super::{
    Clock, Snapshot,
    auths::Auths,
    build::{Common, Plan, budget_bytes},
    decider::{Decider, Work},
    fail_point::Fault,
    snapshot::{Ledger, Running},
};
use crate::{
    configuration::Configuration,
    telemetry::{logs::Logger, source::Instance},
    terminal::Summary,
};
use doors::Doors;
use instruments::Instruments;
use net::{budget::Budget, receiver};
use otlp::Signal;
use parking_lot::Mutex;
use retire::Retired;
use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::Instant,
};
use vitals::Vitals;
use watch::Stamps;

/// Receivers get this much of the grace period to finish the requests they have begun.
const RECEIVER_SHARE: u32 = 4;

/// Where a new configuration comes from.
#[derive(Clone)]
pub(crate) struct Reread {
    /// Reads it: `None` if the present one stays, because the new one is wrong, which has been told.
    pub(crate) load: Arc<dyn Fn() -> Option<Configuration> + Send + Sync>,
    /// The files that it stands in.
    pub(crate) files: Vec<PathBuf>,
    /// The log, which follows it.
    pub(crate) logger: Logger,
    /// Of this run.
    pub(crate) instance: Instance,
}

/// The program as it runs.
pub(crate) struct Started {
    configuration: Configuration,
    common: Common,
    plan: Plan,
    ledger: Arc<Ledger>,
    doors: Doors,
    decider: Decider,
    /// The lanes that the deciding thread looks at.
    deciding: Arc<Mutex<Vec<Arc<super::lane::Lane>>>>,
    instruments: Instruments,
}

/// Runs until a signal comes, then stops. SIGHUP has the configuration read anew.
///
/// # Errors
/// What kept it from starting, in words.
pub(crate) async fn run(configuration: Configuration, reread: Reread) -> Result<(), String> {
    run_until(configuration, reread, |_| Ok(std::future::pending())).await
}

/// Runs until a signal comes or what `task` makes of the started program is done, then stops; a second signal stops at
/// once.
///
/// # Errors
/// What kept it from starting or made the task fail, in words.
pub(crate) async fn run_until<T>(
    configuration: Configuration,
    reread: Reread,
    task: impl FnOnce(&Started) -> Result<T, String>,
) -> Result<(), String>
where
    T: Future<Output = Result<(), String>>,
{
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    let mut hangup = signal(SignalKind::hangup()).map_err(|error| error.to_string())?;
    let mut files = Stamps::of(&reread.files);
    let mut started = Started::start(configuration, &reread).await?;
    let task = task(&started)?;
    let mut task = std::pin::pin!(task);
    let (outcome, why) = loop {
        tokio::select! {
            outcome = &mut task => break (outcome, "its work is done"),
            () = started.summarize() => break (Ok(()), "BUG: the summaries ended"),
            _ = terminate.recv() => break (Ok(()), "SIGTERM"),
            _ = interrupt.recv() => break (Ok(()), "SIGINT"),
            _ = hangup.recv() => {
                started.reread(&reread).await;
                // What has been read needs not be read again for having changed.
                files = Stamps::of(&reread.files);
            }
            () = files.change(&reread.files, started.configuration.own.reload_on_change) => {
                tracing::info!("a file of the configuration has changed");
                started.reread(&reread).await;
            }
        }
    };
    tracing::info!(why, "stopping");
    tokio::select! {
        () = started.stop() => outcome,
        _ = terminate.recv() => Err("stopped by a second signal before everything was delivered".to_owned()),
        _ = interrupt.recv() => Err("stopped by a second signal before everything was delivered".to_owned()),
    }
}

impl Started {
    /// Starts destinations, the deciding thread, what it is watched by and, last, the receivers.
    pub(crate) async fn start(configuration: Configuration, reread: &Reread) -> Result<Self, String> {
        let clock = Clock::new();
        let common = Common {
            clock,
            budget: Budget::new(budget_bytes(&configuration)),
            nudge: Arc::default(),
            whys: Arc::default(),
        };
        let ledger = Arc::new(Ledger::default());
        let mut doors = Doors::new(Arc::clone(&common.budget), clock);
        let (books, budget) = (Arc::clone(&ledger), Arc::clone(&common.budget));
        let (instance, logger) = (reread.instance.clone(), reread.logger.clone());
        let mut instruments = Instruments::new(&configuration, (books, budget, clock, doors.stats()), instance, logger);
        let opened = instruments.open(&configuration).await?;
        instruments.swap(&configuration, opened);
        if configuration.own.fail_point.is(Fault::StartSlowly) {
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        Auths::wait(&configuration).await?;
        let plan = Plan::draw(&configuration, None, &common)?;
        ledger.replace(Running { lanes: plan.lanes(), ways: plan.ways().cloned().collect() });
        let deciding = Arc::new(Mutex::new(samplers(&plan.lanes())));
        let work = Work {
            lanes: Arc::clone(&deciding),
            budget: Arc::clone(&common.budget),
            clock,
            passes: Arc::new(AtomicU64::new(0)),
            fail_point: configuration.own.fail_point,
        };
        let decider = Decider::start(work, Arc::clone(&common.nudge));
        let decider = decider.map_err(|error| format!("cannot start the deciding thread: {error}"))?;
        watch_gathered(&plan, clock);
        let opened = doors.open(&configuration, &plan, None).await?;
        doors.swap(&plan.feeds, opened);
        let vitals = Vitals::new(decider.pulse(), Arc::clone(&ledger), doors.pulses(), configuration.own.fail_point);
        instruments.ready(Arc::new(move || vitals.look()));
        tracing::info!("everything is ready");
        Ok(Self { configuration, common, plan, ledger, doors, decider, deciding, instruments })
    }

    /// Where a receiver listens for `protocol`.
    pub(crate) fn address(&self, protocol: receiver::Protocol) -> Option<std::net::SocketAddr> {
        self.doors.address(protocol)
    }

    /// Follows a new configuration, if there is a valid one.
    async fn reread(&mut self, reread: &Reread) {
        let load = Arc::clone(&reread.load);
        let read = tokio::task::spawn_blocking(move || load()).await;
        let outcome = match read {
            Ok(Some(configuration)) => self.reload(configuration).await,
            Ok(None) => Err("it is not valid, for the reasons above".to_owned()),
            Err(_) => Err("BUG: reading it panicked".to_owned()),
        };
        self.instruments.count_reload(outcome.is_ok());
        match outcome {
            Ok(()) => tracing::info!("the new configuration is in force"),
            Err(error) => tracing::error!(
                "the new configuration is not used, the old one stays in force: {error}; mend it and reload"
            ),
        }
    }

    /// Builds what is new in `configuration`, then swaps.
    ///
    /// # Errors
    /// What cannot be built; nothing has changed then.
    pub(crate) async fn reload(&mut self, configuration: Configuration) -> Result<(), String> {
        Auths::wait(&configuration).await?;
        let plan = Plan::draw(&configuration, Some(&self.plan), &self.common)?;
        let opened = self.doors.open(&configuration, &plan, Some(&self.plan)).await?;
        let instruments = self.instruments.open(&configuration).await?;
        self.common.budget.set_hard(budget_bytes(&configuration));

        let old = std::mem::replace(&mut self.plan, plan);
        let retired = Retired::between(old, &self.plan);
        let running = self.ledger.running().joined(&self.plan);
        let (deciding, ledger) = (Arc::clone(&self.deciding), Arc::clone(&self.ledger));
        {
            // The deciding thread holds this while it decides a slot, which may take a while.
            let mut lanes = tokio::task::block_in_place(|| deciding.lock());
            *lanes = samplers(&running.lanes);
            ledger.replace(running);
            self.plan.put_in_force(self.common.clock);
        }
        self.common.nudge.look();
        watch_gathered(&self.plan, self.common.clock);
        let closed = self.doors.swap(&self.plan.feeds, opened);
        let grace = configuration.own.shutdown_grace;
        tokio::spawn(retired.end(closed, grace, ledger, deciding, self.common.clock));

        self.instruments.swap(&configuration, instruments);
        self.configuration = configuration;
        Ok(())
    }

    /// Shows a summary now and then, if kept traces are shown on the terminal; never ends.
    pub(crate) async fn summarize(&self) {
        let Some(interval) = self.plan.summaries.filter(|interval| !interval.is_zero()) else {
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
        Summary::line(&self.ledger.snapshot(), &self.common.whys)
    }

    /// Stops the intake, decides what is held, delivers what is kept, and prints the totals.
    pub(crate) async fn stop(self) {
        self.instruments.stopping();
        let grace = self.configuration.own.shutdown_grace;
        let deadline = Instant::now() + grace;
        self.doors.stop(grace / RECEIVER_SHARE).await;
        // Those further in front first: what they send on is gathered behind them.
        let running = self.ledger.running();
        // The thread may be busy assembling; waiting for it must not hold up the destinations' tasks.
        let (decider, clock) = (self.decider, self.common.clock);
        let emptied = tokio::task::spawn_blocking(move || {
            for lane in running.lanes.iter().filter(|lane| lane.engine().is_none()) {
                lane.flush(clock);
            }
            decider.finish();
            for lane in &running.lanes {
                lane.flush(clock);
            }
        });
        if emptied.await.is_err() {
            tracing::error!("BUG: waiting for the deciding thread panicked");
        }
        let drains = self
            .ledger
            .running()
            .ways
            .into_iter()
            .map(|way| tokio::spawn(async move { way.destination.drain(deadline).await }));
        for drain in drains.collect::<Vec<_>>() {
            // A panic in there is counted by the destination itself.
            let _ = drain.await;
        }
        self.instruments.finish().await;
        let snapshot = self.ledger.snapshot();
        if self.plan.summaries.is_some() {
            println!("── {}", Summary::line(&snapshot, &self.common.whys));
        }
        print_totals(&snapshot);
    }
}

/// The lanes that sample.
fn samplers(lanes: &[Arc<super::lane::Lane>]) -> Vec<Arc<super::lane::Lane>> {
    lanes.iter().filter(|lane| lane.engine().is_some()).cloned().collect()
}

/// Lanes that gather have a timer each, as long as they are there.
fn watch_gathered(plan: &Plan, clock: Clock) {
    for lane in plan.new_lanes().filter(|lane| lane.engine().is_none()) {
        lane.watch(tokio::spawn(Arc::clone(lane).watch_gathered(clock)));
    }
}

/// One line a pipeline that says what became of everything; before it, what a destination did not get.
fn print_totals(snapshot: &Snapshot) {
    for destination in &snapshot.destinations {
        let stats = &destination.stats;
        let dropped = stats.dropped_total().items;
        if dropped + stats.rejected > 0 {
            tracing::warn!(
                exporter = %destination.name,
                signal = %destination.signal,
                delivered = stats.delivered.items,
                rejected = stats.rejected,
                dropped,
                "a destination did not take everything"
            );
        }
    }
    for lane in &snapshot.lanes {
        let (pipeline, accepted, kept, dropped) = (&lane.name, lane.accepted, lane.kept, lane.dropped());
        let (sampled_out, filtered) = (lane.sampled_out(), lane.filtered);
        if lane.signal == Signal::Traces && lane.filtered == 0 {
            tracing::info!(pipeline, accepted, sampled_out, kept, dropped, "stopped");
        } else if lane.signal == Signal::Traces {
            tracing::info!(pipeline, accepted, filtered, sampled_out, kept, dropped, "stopped");
        } else {
            tracing::info!(pipeline, accepted, filtered, kept, dropped, "stopped");
        }
    }
}
