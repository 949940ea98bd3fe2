//! From a configuration to the parts of the running program: engines, pipelines, destinations. Nothing is bound yet.

use super::{
    Clock,
    decider::Nudge,
    lane::{Lane, Stage},
    outlet::Outlet,
    snapshot::Ledger,
};
use crate::{
    configuration::{ComponentId, Configuration, Exporter, Pipeline, Processor},
    telemetry::process,
    terminal::{Terminal, Whys},
};
use engine::{Engine, Most};
use net::{
    budget::Budget,
    exporter::{
        Destination, QueueSettings, RetrySettings, debug::Debug, nop::Nop, otlp_grpc::OtlpGrpc, otlp_http::OtlpHttp,
        zipkin::Zipkin,
    },
};
use otlp::{Keys, Signal};
use parking_lot::Mutex;
use policy::{Amounts, PolicySet, TailSampling};
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicU64},
    thread,
    time::Duration,
};

/// An export request is at most this large: what OTLP receivers take by default.
const BATCH_BYTES_MAX: usize = 4 << 20;
/// Part of the budget that the decided memory may take.
const DECIDED_SHARE: usize = 20;
/// Part of the budget that a single trace may take before it is decided early.
const TRACE_SHARE: usize = 8;
/// Used where the system does not say how much memory there is.
const MEMORY_UNKNOWN_BYTES: u64 = 1 << 30;

/// The parts, ready to run.
pub(crate) struct Parts {
    pub(crate) budget: Arc<Budget>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) nudge: Arc<Nudge>,
    /// Why traces were kept, as the terminal counts them.
    pub(crate) whys: Arc<Whys>,
    /// How often the terminal wants a summary, if there is one.
    pub(crate) summaries: Option<Duration>,
    /// For each receiver in use, the pipelines that it feeds.
    pub(crate) feeds: BTreeMap<ComponentId, Vec<Arc<Lane>>>,
}

impl Parts {
    /// Builds everything that the configuration's pipelines use. Must be called within the runtime.
    ///
    /// # Errors
    /// What a destination cannot be built from, such as a certificate that cannot be read.
    pub(crate) fn build(configuration: &Configuration, clock: Clock) -> Result<Self, String> {
        let budget = Budget::new(budget_bytes(configuration));
        let nudge = Arc::new(Nudge::default());
        let whys = Arc::new(Whys::default());
        let destinations = destinations(configuration, &whys)?;
        let mut keys = Keys::default();
        let mut lanes = Vec::new();
        let mut feeds: BTreeMap<ComponentId, Vec<Arc<Lane>>> = BTreeMap::new();
        let pipelines = &configuration.service.pipelines;
        for (id, pipeline) in pipelines.iter().filter(|(id, _)| id.signal == Signal::Traces) {
            let outlet = outlet(configuration, pipeline, &destinations, &budget);
            let stage = stage(configuration, pipeline, &mut keys, &budget, clock);
            let lane = Arc::new(Lane::new(id.to_string(), stage, outlet, Arc::clone(&nudge)));
            for receiver in &pipeline.receivers {
                feeds.entry(receiver.id.clone()).or_default().push(Arc::clone(&lane));
            }
            lanes.push(lane);
        }
        let destinations = destinations.into_iter().map(|(id, destination)| (id.to_string(), destination)).collect();
        let ledger = Arc::new(Ledger { lanes, destinations });
        let summaries = summaries(configuration);
        Ok(Self { budget, keys: Arc::new(keys), ledger, nudge, whys, summaries, feeds })
    }
}

/// What the process may use: what the user wrote, lowered by a `memory_limiter`, or 80 % of what there is.
fn budget_bytes(configuration: &Configuration) -> usize {
    let memory = process::memory_limit_bytes().unwrap_or(MEMORY_UNKNOWN_BYTES);
    let own = configuration.own.memory_mib.map_or(memory / 5 * 4, |mib| mib << 20);
    let used = configuration.service.pipelines.values().flat_map(|pipeline| &pipeline.processors);
    let limits = used.filter_map(|reference| match configuration.processors.get(&reference.id) {
        Some(Processor::MemoryLimiter(limiter)) => Some(limiter.limit_bytes(memory)),
        _ => None,
    });
    usize::try_from(limits.fold(own, u64::min)).unwrap_or(usize::MAX)
}

/// One destination for each exporter that a pipeline uses, shared by the pipelines.
fn destinations(
    configuration: &Configuration,
    whys: &Arc<Whys>,
) -> Result<BTreeMap<ComponentId, Arc<Destination>>, String> {
    let mut destinations = BTreeMap::new();
    for reference in configuration.service.pipelines.values().flat_map(|pipeline| &pipeline.exporters) {
        if let Some(exporter) = configuration.exporters.get(&reference.id)
            && !destinations.contains_key(&reference.id)
        {
            let destination = destination(&reference.id.to_string(), exporter, whys)
                .map_err(|error| format!("cannot set up the exporter `{}`: {error}", reference.id))?;
            destinations.insert(reference.id.clone(), destination);
        }
    }
    Ok(destinations)
}

fn destination(name: &str, exporter: &Exporter, whys: &Arc<Whys>) -> Result<Arc<Destination>, String> {
    // Exporters that only write lines: one at a time, in order.
    let local = QueueSettings { num_consumers: 1, ..QueueSettings::default() };
    let retry = RetrySettings::default();
    Ok(match exporter {
        Exporter::OtlpGrpc(settings) => {
            let exporter = Arc::new(OtlpGrpc::new(settings, Signal::Traces, None)?);
            Destination::start(name, Signal::Traces, exporter, settings.queue.clone(), settings.retry.clone())
        }
        Exporter::OtlpHttp(settings) => {
            let exporter = Arc::new(OtlpHttp::new(settings, Signal::Traces, None)?);
            Destination::start(name, Signal::Traces, exporter, settings.queue.clone(), settings.retry.clone())
        }
        Exporter::Zipkin(settings) => {
            let exporter = Arc::new(Zipkin::new(settings, None)?);
            Destination::start(name, Signal::Traces, exporter, settings.queue.clone(), settings.retry.clone())
        }
        Exporter::Debug(settings) => {
            let queue = settings.queue.clone().unwrap_or(local);
            Destination::start(name, Signal::Traces, Arc::new(Debug::new(name, settings.clone())), queue, retry)
        }
        Exporter::Nop => Destination::start(name, Signal::Traces, Arc::new(Nop), local, retry),
        Exporter::Terminal(settings) => {
            let exporter = Arc::new(Terminal::new(settings, Arc::clone(whys)));
            Destination::start(name, Signal::Traces, exporter, local, retry)
        }
    })
}

/// How often the terminals in use want a summary.
fn summaries(configuration: &Configuration) -> Option<Duration> {
    let used = configuration.service.pipelines.values().flat_map(|pipeline| &pipeline.exporters);
    let terminals = used.filter_map(|reference| match configuration.exporters.get(&reference.id) {
        Some(Exporter::Terminal(settings)) => Some(settings.summary_interval),
        _ => None,
    });
    terminals.min()
}

fn outlet(
    configuration: &Configuration,
    pipeline: &Pipeline,
    destinations: &BTreeMap<ComponentId, Arc<Destination>>,
    budget: &Arc<Budget>,
) -> Outlet {
    let named = |reference: &crate::configuration::Reference| destinations.get(&reference.id).cloned();
    let destinations: Vec<Arc<Destination>> = pipeline.exporters.iter().filter_map(named).collect();
    let spans_max = pipeline.processors.iter().filter_map(|used| match configuration.processors.get(&used.id) {
        Some(Processor::Batch(batch)) if batch.send_batch_max_size > 0 => Some(batch.send_batch_max_size),
        Some(Processor::Batch(batch)) if batch.send_batch_size > 0 => Some(batch.send_batch_size),
        _ => None,
    });
    Outlet {
        notes: destinations.iter().any(|destination| destination.wants_notes()),
        destinations,
        budget: Arc::clone(budget),
        bytes_max: BATCH_BYTES_MAX,
        spans_max: spans_max.min().unwrap_or(u32::MAX),
        books: Mutex::new(()),
    }
}

fn stage(configuration: &Configuration, pipeline: &Pipeline, keys: &mut Keys, budget: &Budget, clock: Clock) -> Stage {
    let sampler = pipeline.processors.iter().find_map(|used| match configuration.processors.get(&used.id) {
        Some(Processor::TailSampling(settings)) => Some((used.id.to_string(), settings)),
        _ => None,
    });
    let Some((processor, settings)) = sampler else { return Stage::Pass { spans: AtomicU64::new(0) } };
    let amounts = Amounts { spans: configuration.gates.count_spans, bytes: configuration.gates.count_bytes };
    let policies = Arc::new(PolicySet::counting(settings, keys, clock.now(), amounts));
    let engine = Arc::new(Engine::new(&engine_settings(configuration, settings, budget), policies));
    Stage::Sample { processor, engine }
}

fn engine_settings(configuration: &Configuration, settings: &TailSampling, budget: &Budget) -> engine::Settings {
    // With one core a second shard would only make blocks smaller; with more, twice as many keep lock waits rare.
    let cache = settings.decision_cache;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let shards = if cores == 1 { 1 } else { (cores * 2).next_power_of_two().min(64) };
    engine::Settings {
        decision_wait: settings.decision_wait,
        after_root: Some(settings.decision_wait_after_root_received).filter(|wait| !wait.is_zero()),
        traces_max: settings.num_traces,
        block_on_overflow: settings.block_on_overflow,
        trace_bytes_max: Some((budget.hard() / TRACE_SHARE) as u64),
        drop_pending: settings.drop_pending_traces_on_shutdown,
        record_policy: configuration.own.record_policy || configuration.gates.record_policy,
        shards,
        decided_hold: configuration.own.decided_memory,
        decided_bytes_max: budget.hard() / DECIDED_SHARE,
        decided_most: Most {
            kept: usize::try_from(cache.sampled_cache_size).ok().filter(|size| *size > 0),
            sampled_out: usize::try_from(cache.non_sampled_cache_size).ok().filter(|size| *size > 0),
        },
        seed: rand::random(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::{Loaded, Origin, load};

    /// The engine's settings under these of `tail_sampling`, with a budget of 800 MiB.
    fn engine_of(tail_sampling: &str, own: &str, gates: &[&str]) -> engine::Settings {
        let text = format!(
            "{{receivers: {{otlp: {{protocols: {{http: {{}}}}}}}}, exporters: {{nop: {{}}}}, processors: {{tail_sampling:
                {{policies: [{{name: all, type: always_sample}}], {tail_sampling}}}}}, tailrace: {{{own}}}, service:
                {{pipelines: {{traces: {{receivers: [otlp], processors: [tail_sampling], exporters: [nop]}}}}}}}}"
        );
        let gates = gates.iter().map(|gate| (*gate).to_owned()).collect();
        let origin = Origin { uris: vec![format!("yaml:{text}")], gates, ..Origin::default() };
        let Loaded { configuration, problems, sources } = load(&origin, &|_| None);
        let configuration = configuration.unwrap_or_else(|| panic!("{}", problems.render(&sources)));
        let settings = configuration.processors.values().find_map(|processor| match processor {
            Processor::TailSampling(settings) => Some(settings),
            _ => None,
        });
        engine_settings(&configuration, settings.expect("tail_sampling"), &Budget::new(800 << 20))
    }

    #[test]
    fn what_is_written_acts() {
        let plain = engine_of("", "", &[]);
        assert_eq!((plain.traces_max, plain.after_root, plain.decided_most), (None, None, Most::default()));
        assert!(!plain.record_policy && !plain.drop_pending && !plain.block_on_overflow);
        assert_eq!((plain.trace_bytes_max, plain.decided_bytes_max), (Some(100 << 20), 40 << 20));

        let written = engine_of(
            "num_traces: 7, block_on_overflow: true, decision_wait_after_root_received: 2s,
            drop_pending_traces_on_shutdown: true, decision_cache: {sampled_cache_size: 5, non_sampled_cache_size: -1}",
            "record_policy: true",
            &[],
        );
        assert_eq!((written.traces_max, written.after_root), (Some(7), Some(Duration::from_secs(2))));
        assert_eq!(written.decided_most, Most { kept: Some(5), sampled_out: None });
        assert!(written.record_policy && written.drop_pending && written.block_on_overflow);

        let gate = "processor.tailsamplingprocessor.recordpolicy";
        assert!(engine_of("", "", &[gate]).record_policy);
    }
}
