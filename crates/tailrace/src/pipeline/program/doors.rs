//! The receivers that run, each with what is behind it. A reload keeps those whose settings did not change.

use super::vitals::Pulses;
use crate::{
    configuration::{ComponentId, Configuration, Receiver},
    pipeline::{
        Clock, auths,
        build::Plan,
        intake::{Feed, Intake},
    },
    telemetry::metrics::ReceiverCounts,
};
use net::{
    budget::Budget,
    receiver::{self, Inherited, ReceiverStats, Running},
};
use otlp::Signal;
use parking_lot::RwLock;
use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

/// All receivers that run.
pub(super) struct Doors {
    budget: Arc<Budget>,
    clock: Clock,
    open: BTreeMap<ComponentId, Door>,
    stats: Stats,
    pulses: Pulses,
}

/// One receiver.
pub(super) struct Door {
    settings: Receiver,
    intake: Arc<Intake>,
    running: Running,
}

/// A receiver that is bound and lets nobody in yet.
pub(super) struct Bound {
    settings: Receiver,
    intake: Arc<Intake>,
    ready: receiver::Ready,
}

/// What the receivers counted; shared with whoever shows it.
#[derive(Clone, Default)]
pub(super) struct Stats(Arc<RwLock<Vec<NamedStats>>>);

/// The counters of a receiver by its name.
type NamedStats = (String, Arc<ReceiverStats>);

impl Doors {
    pub(super) fn new(budget: Arc<Budget>, clock: Clock) -> Self {
        Self { budget, clock, open: BTreeMap::new(), stats: Stats::default(), pulses: Pulses::default() }
    }

    /// Binds the receivers that `configuration` uses and that do not run with these very settings. Nobody is let in before
    /// the swap: what comes after this may fail, and then the plan is never put in force.
    ///
    /// # Errors
    /// One that cannot be bound, in words; none of the new ones is then.
    pub(super) async fn open(
        &self,
        configuration: &Configuration,
        plan: &Plan,
        old: Option<&Plan>,
    ) -> Result<BTreeMap<ComponentId, Bound>, String> {
        let goes_on = |id: &ComponentId| {
            let settings = configuration.receivers.get(id).filter(|_| plan.feeds.contains_key(id));
            let same_auths = old
                .zip(settings)
                .is_some_and(|(old, settings)| plan.auths.agree(&old.auths, auths::of_receiver(settings)));
            same_auths && self.open.get(id).map(|door| &door.settings) == settings
        };
        let mut inherited = self.leave(goes_on)?;
        let mut opened = BTreeMap::new();
        let authenticators = |name: &str| plan.auths.server(name);
        for (id, feed) in plan.feeds.iter().filter(|(id, _)| !goes_on(id)) {
            let Some(settings) = configuration.receivers.get(id) else { continue };
            let Receiver::Otlp(otlp) = settings;
            let intake = Arc::new(Intake::new(Arc::clone(feed), self.clock));
            let name = id.to_string();
            let taker = Arc::clone(&intake) as Arc<dyn receiver::Intake>;
            let ready = receiver::bind(&name, otlp, taker, Arc::clone(&self.budget), &authenticators, &mut inherited)
                .await
                .map_err(|error| format!("cannot start the receiver `{name}`: {error}"))?;
            opened.insert(id.clone(), Bound { settings: settings.clone(), intake, ready });
        }
        Ok(opened)
    }

    /// What the receivers that will be closed leave to those that open, so that no connection is refused in between.
    fn leave(&self, goes_on: impl Fn(&ComponentId) -> bool) -> Result<Inherited, String> {
        let mut inherited = Inherited::default();
        for (id, door) in self.open.iter().filter(|(id, _)| !goes_on(id)) {
            let left = door.running.listeners();
            inherited.join(left.map_err(|error| format!("cannot take over the sockets of `{id}`: {error}"))?);
        }
        Ok(inherited)
    }

    /// Lets requests go the new way, and lets clients in where receivers were opened. Gives the receivers that are to be closed.
    pub(super) fn swap(
        &mut self,
        feeds: &BTreeMap<ComponentId, Arc<Feed>>,
        opened: BTreeMap<ComponentId, Bound>,
    ) -> Vec<Running> {
        let mut closed = Vec::new();
        for (id, door) in std::mem::take(&mut self.open) {
            match feeds.get(&id) {
                Some(feed) if !opened.contains_key(&id) => {
                    door.intake.replace(Arc::clone(feed));
                    self.open.insert(id, door);
                }
                _ => closed.push(door.running),
            }
        }
        self.open.extend(opened.into_iter().map(|(id, bound)| {
            let door = bound.start(&id);
            (id, door)
        }));
        let stats = self.open.iter().map(|(id, door)| (id.to_string(), Arc::clone(&door.running.stats)));
        *self.stats.0.write() = stats.collect();
        let pulses = self.open.iter().map(|(id, door)| (id.to_string(), door.running.pulse()));
        *self.pulses.write() = pulses.collect();
        closed
    }

    /// Where a receiver listens for `protocol`.
    pub(super) fn address(&self, protocol: receiver::Protocol) -> Option<SocketAddr> {
        let addresses = self.open.values().flat_map(|door| &door.running.addresses);
        addresses.filter(|(one, _)| *one == protocol).map(|(_, address)| *address).next()
    }

    /// What the receivers count, now and after reloads.
    pub(super) fn stats(&self) -> Stats {
        self.stats.clone()
    }

    /// Whether the receivers accept connections, now and after reloads.
    pub(super) fn pulses(&self) -> Pulses {
        Arc::clone(&self.pulses)
    }

    /// Closes all of them; requests in flight get `grace` to end.
    pub(super) async fn stop(self, grace: Duration) {
        stop_all(self.open.into_values().map(|door| door.running), grace).await;
    }
}

impl Bound {
    fn start(self, id: &ComponentId) -> Door {
        let Self { settings, intake, ready } = self;
        for (protocol, address) in &ready.addresses {
            tracing::info!(receiver = %id, %protocol, %address, "listening");
        }
        for (protocol, path) in &ready.paths {
            tracing::info!(receiver = %id, %protocol, path = %path.display(), "listening");
        }
        Door { settings, intake, running: ready.start() }
    }
}

/// Closes receivers, all at the same time.
pub(super) async fn stop_all(receivers: impl IntoIterator<Item = Running>, grace: Duration) {
    let stops = receivers.into_iter().map(|running| tokio::spawn(running.stop(grace)));
    for stop in stops.collect::<Vec<_>>() {
        // A panic in there has been told, and closes what it hit.
        let _ = stop.await;
    }
}

impl Stats {
    /// The counts now.
    pub(super) fn counts(&self) -> Vec<ReceiverCounts> {
        let receivers = self.0.read();
        let counts = receivers.iter().flat_map(|(name, stats)| {
            receiver::Transport::ALL.map(|transport| ReceiverCounts {
                receiver: name.clone(),
                transport: transport.name(),
                connections: stats.transport(transport),
                signals: Signal::ALL.map(|signal| (signal, stats.signal(transport, signal))).to_vec(),
            })
        });
        counts.collect()
    }
}
