//! Requests played into the pure core with a virtual clock, as the program would do it: policies from the settings, an
//! engine, and a look at the clock every few milliseconds that decides the slots that have fallen due.
//!
//! Nothing here waits. Both clocks begin at fixed moments and go together.

use engine::{Engine, Most, Scratch, Settings, Token, due::Limits};
use otlp::{Keys, scan::Scan};
use policy::{Now, PolicySet, TailSampling};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

const MILLISECOND: u64 = 1_000_000;
/// Between two looks at the clock.
const TICK: u64 = 20 * MILLISECOND;
const BETWEEN_REQUESTS: u64 = 1_000;
/// What the recorded cases add where they do not say it.
const DEFAULT_WAIT: Duration = Duration::from_secs(2);
/// When the clocks begin: some uptime, and a while after the recorded spans.
const BEGIN: Now = Now { mono_ns: 1_000_000_000_000, wall_ns: 1_795_000_000_000_000_000 };
const LIMITS: Limits = Limits { bytes_max: 4 << 20, spans_max: u32::MAX, notes: false };

/// A span as (resource, scope, span), each as it is encoded.
pub(crate) type Whole = (Vec<u8>, Vec<u8>, Vec<u8>);

/// A `tail_sampling` processor at work.
pub(crate) struct Play {
    engine: Engine,
    scan: Scan,
    scratch: Scratch,
    now: Now,
    kept: BTreeMap<String, Vec<Whole>>,
}

impl Play {
    /// A processor with these settings.
    ///
    /// # Errors
    /// The problems of the settings, as they are shown to a user.
    pub(crate) fn new(settings: &Value) -> Result<Self, String> {
        let decoded = decode(&settings.to_string())?;
        let wait = if settings["decision_wait"].is_null() { DEFAULT_WAIT } else { decoded.decision_wait };
        let most = |size: i64| usize::try_from(size).ok().filter(|size| *size > 0);
        let mut keys = Keys::default();
        let policies = Arc::new(PolicySet::new(&decoded, &mut keys, BEGIN));
        let settings = Settings {
            decision_wait: wait,
            after_root: Some(decoded.decision_wait_after_root_received).filter(|wait| !wait.is_zero()),
            traces_max: decoded.num_traces,
            block_on_overflow: decoded.block_on_overflow,
            drop_pending: decoded.drop_pending_traces_on_shutdown,
            decided_most: Most {
                kept: most(decoded.decision_cache.sampled_cache_size),
                sampled_out: most(decoded.decision_cache.non_sampled_cache_size),
            },
            shards: 4,
            seed: 5,
            ..Settings::default()
        };
        let engine = Engine::new(&settings, policies);
        let scan = Scan::new(Arc::new(keys));
        Ok(Self { engine, scan, scratch: Scratch::default(), now: BEGIN, kept: BTreeMap::new() })
    }

    /// Takes in a request. No two come at the same moment, for limits choose in order of arrival.
    pub(crate) fn take_in(&mut self, request: &[u8]) {
        self.scan.run(request).expect("a valid request");
        let token = Token::none();
        let arrival = self.engine.begin(request, &self.scan, &token);
        self.engine.ingest(&arrival, 0..self.scan.spans.len(), self.now, &mut self.scratch);
        self.now.mono_ns += BETWEEN_REQUESTS;
        self.now.wall_ns += BETWEEN_REQUESTS;
    }

    /// Lets the time pass until so long after the beginning.
    pub(crate) fn pass_until(&mut self, since_begin: Duration) {
        let until = BEGIN.mono_ns + u64::try_from(since_begin.as_nanos()).expect("a short play");
        while self.now.mono_ns < until {
            let step = TICK.min(until - self.now.mono_ns);
            self.now.mono_ns += step;
            self.now.wall_ns += step;
            self.tick();
        }
    }

    /// Stops as the program does when it is asked to, and gives what was kept.
    pub(crate) fn stop(mut self) -> BTreeMap<String, Vec<Whole>> {
        self.tick();
        while let Some(due) = self.engine.take_rest() {
            self.settle(due);
        }
        let books = self.engine.books();
        assert_eq!((books.residue(), books.buffered), (0, 0), "the books are even and nothing is left");
        self.kept
    }

    fn tick(&mut self) {
        self.engine.tidy(self.now.mono_ns, &mut self.scratch);
        while let Some(due) = self.engine.take_due(self.now.mono_ns) {
            self.settle(due);
        }
        while self.engine.is_over_traces_max() {
            let Some(due) = self.engine.take_early() else { return };
            self.settle(due);
        }
    }

    fn settle(&mut self, due: engine::Due) {
        let Self { engine, scan, scratch, now, kept } = self;
        due.decide(engine, *now).assemble(engine, LIMITS, now.mono_ns, scratch, &mut |batch| {
            scan.run(&batch.body).expect("a batch is a request");
            wholes(scan, &batch.body, kept);
        });
    }
}

/// The settings that this YAML says.
///
/// # Errors
/// Its problems, as they are shown to a user.
pub(crate) fn decode(yaml: &str) -> Result<TailSampling, String> {
    let (node, sources, mut problems) = settings::load(&[format!("yaml:{yaml}")], &[], &|_| None);
    let decoded = node.as_ref().and_then(|node| TailSampling::decode(node, &mut problems));
    match decoded {
        Some(decoded) if !problems.has_errors() => Ok(decoded),
        _ => Err(problems.render(&sources)),
    }
}

/// Adds a scanned request's spans to those of their traces.
pub(crate) fn wholes(scan: &Scan, bytes: &[u8], into: &mut BTreeMap<String, Vec<Whole>>) {
    for span in &scan.spans {
        let group = &scan.groups[span.group as usize];
        let resource = &scan.resources[group.resource as usize];
        let start = span.body.start as usize;
        let whole = (
            scan.resource_header(bytes, resource).to_vec(),
            scan.scope_header(bytes, group).to_vec(),
            bytes[start..start + span.body.len as usize].to_vec(),
        );
        into.entry(span.trace_id.to_string()).or_default().push(whole);
    }
}

/// How many spans of each trace.
pub(crate) fn counts(traces: &BTreeMap<String, Vec<Whole>>) -> BTreeMap<String, u64> {
    traces.iter().map(|(id, spans)| (id.clone(), spans.len() as u64)).collect()
}
