//! What the program is watched by: the scrape endpoint, reports that are pushed, and the answers to probes.
//!
//! A reload opens first what is new, so that an address that cannot be bound changes nothing, and swaps then. What did not
//! change goes on.

use super::doors::Stats;
use crate::{
    configuration::{ComponentId, Configuration, Extension, extensions::health_check::HealthCheck},
    pipeline::{Clock, snapshot::Ledger},
    telemetry::{
        health::{self, Health, Look, Watch},
        logs::Logger,
        metrics::{Layout, Reading, Reloads, exposition::Exposition},
        prometheus,
        push::{Push, lines::Lines, unix_ns},
        server::{self, Server},
        source::{Instance, Source},
    },
};
use net::budget::Budget;
use parking_lot::{Mutex, RwLock};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// The last reports have so long.
const FINISH_TIME_MAX: Duration = Duration::from_secs(5);

/// All of them.
pub(super) struct Instruments {
    desk: Arc<Desk>,
    instance: Instance,
    started_ns: u64,
    health: Arc<Health>,
    watch: Option<Watch>,
    probes: BTreeMap<ComponentId, Probe>,
    scrape: Option<Scrape>,
    pushes: Vec<Push>,
    logger: Logger,
    lines: Vec<Lines>,
}

/// Where the values of a moment are gathered.
struct Desk {
    ledger: Arc<Ledger>,
    budget: Arc<Budget>,
    clock: Clock,
    stats: Stats,
    layout: RwLock<Layout>,
    reloads: Mutex<Reloads>,
}

/// A `health_check` extension.
struct Probe {
    settings: HealthCheck,
    server: Server,
}

/// The scrape endpoint.
struct Scrape {
    exposition: Exposition,
    server: Server,
}

/// What a configuration has that does not run yet.
#[derive(Default)]
pub(super) struct Opened {
    probes: BTreeMap<ComponentId, Probe>,
    scrape: Option<Scrape>,
    pushes: Vec<Push>,
    lines: Vec<Lines>,
}

impl Instruments {
    /// None yet.
    pub(super) fn new(
        configuration: &Configuration,
        (ledger, budget, clock, stats): (Arc<Ledger>, Arc<Budget>, Clock, Stats),
        instance: Instance,
        logger: Logger,
    ) -> Self {
        let started_ns = unix_ns();
        let reloads = Reloads { loaded_at_seconds: seconds(started_ns), ..Reloads::default() };
        let layout = RwLock::new(Layout::of(configuration));
        Self {
            desk: Arc::new(Desk { ledger, budget, clock, stats, layout, reloads: Mutex::new(reloads) }),
            instance,
            started_ns,
            health: Health::new(),
            watch: None,
            probes: BTreeMap::new(),
            scrape: None,
            pushes: Vec::new(),
            logger,
            lines: Vec::new(),
        }
    }

    /// Opens what `configuration` has and what does not run with these very settings.
    ///
    /// # Errors
    /// What cannot be opened, in words.
    pub(super) async fn open(&self, configuration: &Configuration) -> Result<Opened, String> {
        let mut opened = Opened::default();
        for (id, settings) in probes(configuration) {
            if self.probes.get(&id).is_none_or(|probe| probe.settings != *settings) {
                let probe = self.open_probe(&id, settings).await?;
                opened.probes.insert(id, probe);
            }
        }
        let telemetry = &configuration.service.telemetry;
        let source = Source::new(&telemetry.resource, &self.instance);
        if let Some(settings) = telemetry.metrics.prometheus() {
            let exposition = Exposition::new(settings, &source.attributes);
            let at = server::Settings::plain(&settings.host, settings.port);
            let same = |scrape: &Scrape| scrape.exposition == exposition && scrape.server.settings == at;
            if !self.scrape.as_ref().is_some_and(same) {
                opened.scrape = Some(self.open_scrape(exposition, at).await?);
            }
        }
        for settings in telemetry.metrics.periodic() {
            let same = |push: &&Push| push.settings == *settings && push.source == source;
            if !self.pushes.iter().any(|push| same(&push)) {
                let desk = Arc::clone(&self.desk);
                let read = Arc::new(move || desk.reading());
                let push = Push::start(settings, &source, read, &self.desk.budget, self.started_ns);
                opened.pushes.push(push.map_err(|error| format!("cannot push metrics: {error}"))?);
            }
        }
        for settings in &telemetry.logs.processors {
            if !self.lines.iter().any(|lines| lines.settings == *settings && lines.source == source) {
                let lines = Lines::start(settings, &source, &self.desk.budget);
                opened.lines.push(lines.map_err(|error| format!("cannot push log records: {error}"))?);
            }
        }
        Ok(opened)
    }

    async fn open_probe(&self, id: &ComponentId, settings: &HealthCheck) -> Result<Probe, String> {
        let at = server::Settings {
            endpoint: settings.server.endpoint.clone(),
            transport: settings.server.transport.clone(),
            tls: settings.server.tls.clone(),
            header_time: settings.server.read_header_timeout,
            keep_alive: settings.server.keep_alives_enabled,
        };
        let answers = health::answers(settings, Arc::clone(&self.health));
        let server = Server::start(at, answers, self.servers()).await.map_err(|error| {
            format!("cannot listen for probes on {}: {error}; change `endpoint` of `{id}`", settings.server.endpoint)
        })?;
        tracing::info!(extension = %id, protocol = %"health", address = %server.place(), "listening");
        Ok(Probe { settings: settings.clone(), server })
    }

    async fn open_scrape(&self, exposition: Exposition, at: server::Settings) -> Result<Scrape, String> {
        let place = at.endpoint.clone();
        let (desk, shape) = (Arc::clone(&self.desk), exposition.clone());
        let render = Arc::new(move || shape.write(&desk.reading().series()));
        let server = Server::start(at, prometheus::answers(render), self.servers()).await.map_err(|error| {
            format!(
                "cannot listen for scrapes on {place}: {error}; choose another address with \
                 `service::telemetry::metrics::readers`, or switch metrics off with `level: none`"
            )
        })?;
        tracing::info!(protocol = %"metrics", address = %server.place(), "listening");
        Ok(Scrape { exposition, server })
    }

    fn servers(&self) -> impl Iterator<Item = &Server> {
        self.probes.values().map(|probe| &probe.server).chain(self.scrape.as_ref().map(|scrape| &scrape.server))
    }

    /// Puts what was opened in force, and ends what `configuration` does not have any more.
    pub(super) fn swap(&mut self, configuration: &Configuration, opened: Opened) {
        let ids: Vec<ComponentId> = probes(configuration).map(|(id, _)| id).collect();
        self.probes.retain(|id, _| ids.contains(id));
        self.probes.extend(opened.probes);
        let telemetry = &configuration.service.telemetry;
        match opened.scrape {
            Some(scrape) => self.scrape = Some(scrape),
            None if telemetry.metrics.prometheus().is_none() => self.scrape = None,
            None => {}
        }
        let source = Source::new(&telemetry.resource, &self.instance);
        let wanted = |push: &mut Push| {
            push.source == source && telemetry.metrics.periodic().any(|settings| push.settings == *settings)
        };
        for gone in self.pushes.extract_if(.., |push| !wanted(push)) {
            tokio::spawn(gone.finish());
        }
        self.pushes.extend(opened.pushes);
        let wanted = |lines: &mut Lines| lines.source == source && telemetry.logs.processors.contains(&lines.settings);
        let gone: Vec<Lines> = self.lines.extract_if(.., |lines| !wanted(lines)).collect();
        self.lines.extend(opened.lines);
        self.logger.taps().replace(self.lines.iter().map(|lines| lines.tap.clone()).collect());
        for gone in gone {
            tokio::spawn(gone.finish());
        }
        self.logger.follow(&telemetry.logs);
        *self.desk.layout.write() = Layout::of(configuration);
    }

    /// Counts an attempt to follow a new configuration.
    pub(super) fn count_reload(&self, succeeded: bool) {
        let mut reloads = self.desk.reloads.lock();
        if succeeded {
            reloads.succeeded += 1;
            reloads.loaded_at_seconds = seconds(unix_ns());
        } else {
            reloads.failed += 1;
        }
    }

    /// Everything has started: probes are told so, as long as `look` sees nothing dead.
    pub(super) fn ready(&mut self, look: Look) {
        self.watch = Some(self.health.ready(look));
    }

    /// The stop begins: probes are told so.
    pub(super) fn stopping(&self) {
        self.health.stopping();
    }

    /// Sends the last reports and closes everything.
    pub(super) async fn finish(self) {
        // A peer that does not answer must not hold up the end.
        if tokio::time::timeout(FINISH_TIME_MAX, self.report()).await.is_err() {
            tracing::warn!("the last reports of metrics and log records were not taken in time");
        }
    }

    async fn report(self) {
        let reports = self.pushes.into_iter().map(|push| tokio::spawn(push.finish()));
        self.logger.taps().replace(Vec::new());
        let lines = self.lines.into_iter().map(|lines| tokio::spawn(lines.finish()));
        for report in reports.chain(lines).collect::<Vec<_>>() {
            // A panic in there costs a report.
            let _ = report.await;
        }
    }
}

impl Desk {
    fn reading(&self) -> Reading {
        Reading {
            layout: self.layout.read().clone(),
            snapshot: self.ledger.snapshot(),
            receivers: self.stats.counts(),
            reloads: *self.reloads.lock(),
            budget_used: self.budget.used(),
            budget_limit: self.budget.hard(),
            uptime_seconds: self.clock.mono_ns() as f64 / 1e9,
        }
    }
}

/// The `health_check` extensions that run.
fn probes(configuration: &Configuration) -> impl Iterator<Item = (ComponentId, &HealthCheck)> {
    let running = configuration.service.extensions.iter();
    running.filter_map(|reference| match configuration.extensions.get(&reference.id) {
        Some(Extension::HealthCheck(settings)) => Some((reference.id.clone(), &**settings)),
        _ => None,
    })
}

fn seconds(unix_ns: u64) -> f64 {
    unix_ns as f64 / 1e9
}
