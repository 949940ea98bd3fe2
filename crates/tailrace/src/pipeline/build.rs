//! From a configuration to the parts of the running program: engines, pipelines, destinations. Nothing is bound yet, and
//! nothing that runs is touched before the plan is put in force.
//!
//! A plan may follow another one: a destination whose settings are the same is the same destination, and a pipeline goes on
//! in its lane, with its counts and its waiting traces, as long as its sampler has the same name and what stands behind it
//! does not change.

use super::{
    Clock,
    auths::Auths,
    chain::{Chain, Link, LinkCounts, Stage},
    decider::Nudge,
    destinations::{NamedWay, destinations},
    gather::GatherSettings,
    graph::Graph,
    intake::Feed,
    lane::{Lane, Parts},
    outlet::{Outlet, Way},
    veil::Veil,
};
use crate::{
    configuration::{ComponentId, Configuration, Editing, Exporter, Extension, Pipeline, PipelineId, Processor},
    telemetry::process,
    terminal::Whys,
};
use engine::{Engine, Most};
use net::budget::Budget;
use otlp::Keys;
use parking_lot::Mutex;
use policy::{Amounts, PolicySet, TailSampling};
use std::{collections::BTreeMap, sync::Arc, thread, time::Duration};

/// An export request is at most this large: what OTLP receivers take by default.
const BATCH_BYTES_MAX: usize = 4 << 20;
/// Part of the budget that the decided memory may take.
const DECIDED_SHARE: usize = 20;
/// Part of the budget that a single trace may take before it is decided early.
const TRACE_SHARE: usize = 8;
/// Used where the system does not say how much memory there is.
const MEMORY_UNKNOWN_BYTES: u64 = 1 << 30;

/// What all plans of the program's life have in common.
#[derive(Clone)]
pub(crate) struct Common {
    pub(crate) clock: Clock,
    pub(crate) budget: Arc<Budget>,
    pub(crate) nudge: Arc<Nudge>,
    /// Why traces were kept, as the terminal counts them.
    pub(crate) whys: Arc<Whys>,
}

/// The parts of one configuration, ready to run.
pub(crate) struct Plan {
    graph: Graph,
    lanes: BTreeMap<PipelineId, Planned>,
    /// The destinations.
    pub(super) ways: Vec<NamedWay>,
    keys: Arc<Keys>,
    /// The authenticators.
    pub(crate) auths: Auths,
    /// For each receiver in use, the pipelines that it feeds.
    pub(crate) feeds: BTreeMap<ComponentId, Arc<Feed>>,
    /// How often the terminal wants a summary, if there is one.
    pub(crate) summaries: Option<Duration>,
}

/// A lane with what it is to do.
struct Planned {
    lane: Arc<Lane>,
    parts: Arc<Parts>,
    sampler: Option<Sampler>,
    /// Whether the lane ran before this plan.
    goes_on: bool,
}

/// What an engine decides by.
struct Sampler {
    processor: String,
    written: TailSampling,
    settings: engine::Settings,
    /// What the engine is to decide by from now on; nothing, if that does not change. Taken when it is put in force.
    news: Mutex<Option<PolicySet>>,
}

impl Plan {
    /// Builds everything that the configuration's pipelines use and `old` does not have already. Must be called within the
    /// runtime.
    ///
    /// # Errors
    /// What a destination cannot be built from, such as a certificate that cannot be read.
    pub(crate) fn draw(configuration: &Configuration, old: Option<&Plan>, common: &Common) -> Result<Self, String> {
        let graph = Graph::of(configuration);
        let auths = Auths::build(configuration, old.map(|old| &old.auths))?;
        let ways = destinations(configuration, old, &auths, &common.whys)?;
        // Keys are only added, so that what an older plan numbered means the same.
        let mut keys = old.map(|old| (*old.keys).clone()).unwrap_or_default();
        let heirs = heirs(configuration, &graph, old);
        let pipelines = configuration.service.pipelines.iter();
        let samplers = pipelines.filter_map(|(id, pipeline)| {
            let goes_on = heirs.get(id).and_then(|before| before.sampler.as_ref());
            Some((id.clone(), Sampler::new(configuration, pipeline, goes_on, &mut keys, common)?))
        });
        let mut samplers: BTreeMap<PipelineId, Sampler> = samplers.collect();
        let keys = Arc::new(keys);
        let mut plan = Self {
            graph,
            lanes: BTreeMap::new(),
            ways,
            keys,
            auths,
            feeds: BTreeMap::new(),
            summaries: summaries(configuration),
        };
        // Those behind first: those in front hold on to them.
        for id in plan.graph.order.clone().iter().rev() {
            let Some(pipeline) = configuration.service.pipelines.get(id) else { continue };
            let planned =
                plan.lane(configuration, (id, pipeline), samplers.remove(id), heirs.get(id).copied(), common)?;
            plan.lanes.insert(id.clone(), planned);
        }
        plan.feeds = plan.feeds(configuration);
        Ok(plan)
    }

    /// Lets what runs go the new way. Nothing may be decided meanwhile.
    pub(crate) fn put_in_force(&self, clock: Clock) {
        for planned in self.lanes.values().filter(|planned| planned.goes_on) {
            if let (Some(sampler), Some(engine)) = (&planned.sampler, planned.lane.engine())
                && let Some(policies) = sampler.news.lock().take()
            {
                engine.reload(&sampler.settings, policies, clock.mono_ns());
            }
            planned.lane.set_parts(Arc::clone(&planned.parts), clock);
        }
    }

    /// The lanes, those further in front first; among them, those that are new before those that go on, because a lane that
    /// goes on feeds none that is new.
    pub(crate) fn lanes(&self) -> Vec<Arc<Lane>> {
        let of = |goes_on: bool| {
            let planned = self.graph.order.iter().filter_map(|id| self.lanes.get(id));
            planned.filter(move |planned| planned.goes_on == goes_on).map(|planned| Arc::clone(&planned.lane))
        };
        of(false).chain(of(true)).collect()
    }

    /// The lanes that this plan began.
    pub(crate) fn new_lanes(&self) -> impl Iterator<Item = &Arc<Lane>> {
        self.lanes.values().filter(|planned| !planned.goes_on).map(|planned| &planned.lane)
    }

    /// The destinations with the books of both sides.
    pub(crate) fn ways(&self) -> impl Iterator<Item = &Way> {
        self.ways.iter().map(|named| &named.way)
    }

    fn lane(
        &self,
        configuration: &Configuration,
        (id, pipeline): (&PipelineId, &Pipeline),
        sampler: Option<Sampler>,
        before: Option<&Planned>,
        common: &Common,
    ) -> Result<Planned, String> {
        let counters = before.map(|before| before.lane.parts().counters()).unwrap_or_default();
        let parts = Arc::new(self.parts(configuration, id, pipeline, &counters, &common.budget)?);
        if let Some(before) = before {
            return Ok(Planned { lane: Arc::clone(&before.lane), parts, sampler, goes_on: true });
        }
        let engine = sampler.as_ref().and_then(|sampler| {
            let policies = sampler.news.lock().take()?;
            let engine = Engine::new(&sampler.settings, Arc::new(policies));
            Some((sampler.processor.clone(), Arc::new(engine)))
        });
        let lane = Lane::new(id.clone(), engine, Arc::clone(&parts), Arc::clone(&common.nudge));
        Ok(Planned { lane: Arc::new(lane), parts, sampler, goes_on: false })
    }

    fn parts(
        &self,
        configuration: &Configuration,
        id: &PipelineId,
        pipeline: &Pipeline,
        counters: &BTreeMap<String, Arc<LinkCounts>>,
        budget: &Arc<Budget>,
    ) -> Result<Parts, String> {
        let mut chains = [Vec::new(), Vec::new()];
        let mut side = 0;
        for used in &pipeline.processors {
            let Some(processor) = configuration.processors.get(&used.id) else { continue };
            if matches!(processor, Processor::TailSampling(_)) {
                side = 1;
            }
            // Behind the sampler nothing is known that could be forgotten.
            if let Some(veil) = veil(&used.id, processor).filter(|_| side == 0) {
                chains[0].push(Stage::Forget(veil));
            }
            if let Processor::Editing(settings) = processor {
                let name = used.id.to_string();
                let built = settings.build();
                let processor = built.map_err(|error| format!("cannot set up the processor `{name}`: {error}"))?;
                let counts = counters.get(&name).cloned().unwrap_or_default();
                chains[side].push(Stage::Edit(Link { name, processor, counts }));
            }
        }
        let [before, after] = chains.map(|stages| Chain::new(id.to_string(), stages));
        let gather = gather(configuration, pipeline).filter(|_| side == 0);
        let parts = Parts {
            before,
            after,
            outlet: self.outlet(configuration, id, pipeline, budget),
            gather,
            keys: Arc::clone(&self.keys),
        };
        Ok(parts)
    }

    fn outlet(
        &self,
        configuration: &Configuration,
        id: &PipelineId,
        pipeline: &Pipeline,
        budget: &Arc<Budget>,
    ) -> Outlet {
        let named = |reference: &crate::configuration::Reference| {
            let of = |named: &&NamedWay| named.id == reference.id && named.way.destination.signal() == id.signal;
            self.ways.iter().find(of).map(|named| named.way.clone())
        };
        let ways: Vec<Way> = pipeline.exporters.iter().filter_map(named).collect();
        let behind = self.graph.behind.get(id).into_iter().flatten();
        let items_max = gather(configuration, pipeline).map_or(0, |gather| gather.items_max.max(gather.items_min));
        Outlet {
            signal: id.signal,
            notes: ways.iter().any(|way| way.destination.wants_notes()),
            ways,
            behind: behind.filter_map(|id| self.lanes.get(id)).map(|planned| Arc::clone(&planned.lane)).collect(),
            budget: Arc::clone(budget),
            bytes_max: BATCH_BYTES_MAX,
            items_max: u32::try_from(items_max).ok().filter(|max| *max > 0).unwrap_or(u32::MAX),
        }
    }

    fn feeds(&self, configuration: &Configuration) -> BTreeMap<ComponentId, Arc<Feed>> {
        let mut fed: BTreeMap<ComponentId, Vec<Arc<Lane>>> = BTreeMap::new();
        for (id, pipeline) in &configuration.service.pipelines {
            let Some(planned) = self.lanes.get(id) else { continue };
            for receiver in &pipeline.receivers {
                if configuration.receivers.contains_key(&receiver.id) {
                    fed.entry(receiver.id.clone()).or_default().push(Arc::clone(&planned.lane));
                }
            }
        }
        fed.into_iter().map(|(id, lanes)| (id, Arc::new(Feed::new(lanes, Arc::clone(&self.keys))))).collect()
    }
}

/// The lanes of the old plan that go on: of the same pipeline with the same sampler, feeding the same pipelines, which go
/// on, too.
fn heirs<'o>(configuration: &Configuration, graph: &Graph, old: Option<&'o Plan>) -> BTreeMap<PipelineId, &'o Planned> {
    let mut heirs = BTreeMap::new();
    let Some(old) = old else { return heirs };
    for id in graph.order.iter().rev() {
        let (Some(before), Some(pipeline)) = (old.lanes.get(id), configuration.service.pipelines.get(id)) else {
            continue;
        };
        let name = sampler_of(configuration, pipeline).map(|(name, _)| name);
        let same_sampler = before.lane.sampler.as_ref().map(|(name, _)| name) == name.as_ref();
        let behind = graph.behind.get(id);
        let behind_goes_on = behind.into_iter().flatten().all(|behind| heirs.contains_key(behind));
        if same_sampler && behind_goes_on && old.graph.behind.get(id) == behind {
            heirs.insert(id.clone(), before);
        }
    }
    heirs
}

/// The `tail_sampling` processor of a pipeline.
fn sampler_of<'c>(configuration: &'c Configuration, pipeline: &Pipeline) -> Option<(String, &'c TailSampling)> {
    pipeline.processors.iter().find_map(|used| match configuration.processors.get(&used.id) {
        Some(Processor::TailSampling(settings)) => Some((used.id.to_string(), &**settings)),
        _ => None,
    })
}

impl Sampler {
    /// What a pipeline samples by, if it does; `goes_on` is what its engine samples by now, if it has one that goes on.
    fn new(
        configuration: &Configuration,
        pipeline: &Pipeline,
        goes_on: Option<&Sampler>,
        keys: &mut Keys,
        common: &Common,
    ) -> Option<Self> {
        let (processor, written) = sampler_of(configuration, pipeline)?;
        let seed = goes_on.map_or_else(rand::random, |before| before.settings.seed);
        let settings = engine_settings(configuration, written, &common.budget, seed);
        let written = written.clone();
        if goes_on.is_some_and(|before| before.written == written && before.settings == settings) {
            return Some(Self { processor, written, settings, news: Mutex::new(None) });
        }
        let amounts = Amounts { spans: configuration.gates.count_spans, bytes: configuration.gates.count_bytes };
        let policies = PolicySet::counting(&written, keys, common.clock.now(), amounts);
        Some(Self { processor, written, settings, news: Mutex::new(Some(policies)) })
    }
}

/// What the process may use: what the user wrote, lowered by a `memory_limiter`, or 80 % of what there is.
pub(crate) fn budget_bytes(configuration: &Configuration) -> usize {
    let memory = process::memory_limit_bytes().unwrap_or(MEMORY_UNKNOWN_BYTES);
    let own = configuration.own.memory_mib.map_or(memory / 5 * 4, |mib| mib << 20);
    let used = configuration.service.pipelines.values().flat_map(|pipeline| &pipeline.processors);
    let limits = used.filter_map(|reference| match configuration.processors.get(&reference.id) {
        Some(Processor::MemoryLimiter(limiter)) => Some(limiter.limit_bytes(memory)),
        _ => None,
    });
    let running = configuration.service.extensions.iter();
    let limits = limits.chain(running.filter_map(|reference| match configuration.extensions.get(&reference.id) {
        Some(Extension::MemoryLimiter(limiter)) => Some(limiter.limit_bytes(memory)),
        _ => None,
    }));
    usize::try_from(limits.fold(own, u64::min)).unwrap_or(usize::MAX)
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

/// What the pipeline's `batch` processors ask for: of several, the last one has the last word on when, as it would if they
/// stood one behind the other.
fn gather(configuration: &Configuration, pipeline: &Pipeline) -> Option<GatherSettings> {
    let mut batches =
        pipeline.processors.iter().rev().filter_map(|used| match configuration.processors.get(&used.id) {
            Some(Processor::Batch(batch)) => Some(GatherSettings {
                timeout: batch.timeout,
                items_min: u64::from(batch.send_batch_size),
                items_max: u64::from(batch.send_batch_max_size),
                keys: batch.metadata_keys.clone(),
            }),
            _ => None,
        });
    batches.next()
}

/// What a processor leaves of those who sent requests, if it mixes them.
fn veil(id: &ComponentId, processor: &Processor) -> Option<Veil> {
    match processor {
        Processor::Batch(batch) => {
            Some(Veil::new(id.to_string(), batch.metadata_keys.clone(), batch.metadata_cardinality_limit))
        }
        Processor::Editing(Editing::GroupByTrace(_)) => Some(Veil::whole(id.to_string())),
        _ => None,
    }
}

fn engine_settings(
    configuration: &Configuration,
    settings: &TailSampling,
    budget: &Budget,
    seed: u64,
) -> engine::Settings {
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
        seed,
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
        engine_settings(&configuration, settings.expect("tail_sampling"), &Budget::new(800 << 20), 1)
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
