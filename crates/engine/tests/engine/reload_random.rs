//! Random reloads between random requests, against a model that knows by whom each trace may be decided.

use crate::rig::*;
use engine::{Engine, Scratch, Settings, Token, due::Limits};
use otlp::{Keys, TraceId, scan::Scan};
use policy::Now;
use proptest::prelude::*;
use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// What happens.
#[derive(Clone, Debug)]
enum Step {
    /// One span for each of these traces.
    Send(Vec<u64>),
    /// Tenths of a second go by.
    Pass(u64),
    Reload(Kind, u64),
    /// A request whose second half comes after a reload.
    Around(Vec<u64>, Kind, u64),
    /// Requests are scanned for the newest policies from here on.
    Scan,
}

/// What the policies of a set do. Every span of each third trace fails; of the others, none does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    All,
    Errors,
    Pieces,
    Key,
    Pattern,
}

impl Kind {
    /// A set with policies of its own names and keys.
    fn yaml(self, number: usize) -> String {
        let key =
            format!("{{name: n{number}, type: string_attribute, string_attribute: {{key: k{number}, values: [x]}}}}");
        let status = "type: status_code, status_code: {status_codes: [ERROR]}";
        let (strategy, policy) = match self {
            Self::All => ("trace-complete", "type: always_sample"),
            Self::Errors => ("trace-complete", status),
            Self::Pieces => ("span-ingest", status),
            Self::Key => ("trace-complete", "type: string_attribute, string_attribute: {key: pace, values: [slow]}"),
            Self::Pattern => (
                "trace-complete",
                "type: and, and: {and_sub_policy: [{name: some, type: span_count, span_count: {min_spans: 1}},
                {name: path, type: string_attribute, string_attribute: {key: pace, values: ['^sl.w$'],
                enabled_regex_matching: true}}]}",
            ),
        };
        format!("{{sampling_strategy: {strategy}, policies: [{key}, {{name: p{number}, {policy}}}]}}")
    }
}

fn fails(trace: u64) -> bool {
    trace.is_multiple_of(3)
}

fn span_of(trace: u64) -> Span {
    if fails(trace) { span(trace).error().with("pace", "slow") } else { span(trace).padded(90) }
}

fn settings(wait_s: u64) -> Settings {
    Settings { decision_wait: Duration::from_secs(wait_s), shards: 2, seed: 3, ..Settings::default() }
}

/// A trace as the model sees it.
#[derive(Debug)]
struct Modelled {
    regime: usize,
    due_ns: u64,
    spans: usize,
    /// The set that decided it, and whether it keeps it.
    decided: Option<(usize, bool)>,
}

/// An engine and what is expected of it.
struct Pair {
    rig: Rig,
    kinds: Vec<Kind>,
    wait_s: u64,
    traces: BTreeMap<u64, Modelled>,
}

impl Pair {
    fn new() -> Self {
        let rig = Rig::new(&Kind::Errors.yaml(0), &settings(2));
        Self { rig, kinds: vec![Kind::Errors], wait_s: 2, traces: BTreeMap::new() }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Send(traces) => {
                let spans: Vec<Span> = traces.iter().map(|trace| span_of(*trace)).collect();
                self.rig.send(&spans);
                traces.iter().for_each(|trace| self.expect(*trace));
            }
            Step::Pass(tenths) => {
                self.rig.pass(Duration::from_millis(tenths * 100));
                self.decide();
            }
            Step::Reload(kind, wait_s) => self.reload(*kind, *wait_s),
            Step::Around(traces, kind, wait_s) => {
                let spans: Vec<Span> = traces.iter().map(|trace| span_of(*trace)).collect();
                let body = request("shop", &spans);
                let mut scan = Scan::new(self.rig.scan.keys().clone());
                scan.run(&body).expect("a request of this file");
                let (token, half) = (Token::none(), spans.len() / 2);
                let arrival = self.rig.engine.begin(&body, &scan, &token);
                let now = Now { mono_ns: self.rig.now_ns, wall_ns: self.rig.now_ns };
                self.rig.engine.ingest(&arrival, 0..half, now, &mut self.rig.scratch);
                traces[..half].iter().for_each(|trace| self.expect(*trace));
                self.reload(*kind, *wait_s);
                self.rig.engine.ingest(&arrival, half..spans.len(), now, &mut self.rig.scratch);
                traces[half..].iter().for_each(|trace| self.expect(*trace));
                self.rig.check_books();
            }
            Step::Scan => self.rig.scan_anew(),
        }
    }

    fn reload(&mut self, kind: Kind, wait_s: u64) {
        self.rig.reload(&kind.yaml(self.kinds.len()), &settings(wait_s));
        self.kinds.push(kind);
        self.wait_s = wait_s;
    }

    /// A span of the trace has come.
    fn expect(&mut self, trace: u64) {
        let newest = self.kinds.len() - 1;
        let slot_ns = settings(self.wait_s).slot_length().as_nanos() as u64;
        let due_ns = ((self.rig.now_ns + self.wait_s * SECOND) / slot_ns + 1) * slot_ns;
        let modelled = self.traces.entry(trace);
        let modelled = modelled.or_insert(Modelled { regime: newest, due_ns, spans: 0, decided: None });
        modelled.spans += 1;
        let asks = self.kinds[modelled.regime] == Kind::Pieces && newest <= modelled.regime + 1;
        if modelled.decided.is_none() && asks && fails(trace) {
            modelled.decided = Some((modelled.regime, true));
        }
    }

    /// What is due has been decided: under what it began under, or by the newest once two reloads have come.
    fn decide(&mut self) {
        let newest = self.kinds.len() - 1;
        for (trace, modelled) in &mut self.traces {
            if modelled.decided.is_none() && modelled.due_ns <= self.rig.now_ns {
                let by = if newest <= modelled.regime + 1 { modelled.regime } else { newest };
                modelled.decided = Some((by, fails(*trace) || self.kinds[by] == Kind::All));
            }
        }
    }

    fn finish(mut self) {
        self.rig.pass(Duration::from_secs(12));
        self.decide();
        self.rig.stop();
        let books = self.rig.check_books();
        assert_eq!(books.traces_seen, self.traces.len() as u64);
        assert_eq!(books.traces_kept + books.traces_sampled_out, books.traces_seen, "each is decided once: {books:?}");
        assert_eq!(books.accepted, self.traces.values().map(|trace| trace.spans as u64).sum::<u64>());
        for (trace, modelled) in &self.traces {
            let (by, is_kept) = modelled.decided.expect("everything is due");
            assert_eq!(self.rig.kept(*trace), if is_kept { modelled.spans } else { 0 }, "{trace}: {modelled:?}");
            let named = self.rig.named(*trace);
            let policy = if self.kinds[by] == Kind::Pattern { format!("p{by} › path") } else { format!("p{by}") };
            let is_right = |(at, (name, late)): (usize, &(&str, bool))| {
                // Parts of a container are named while their spans are at hand.
                (*name == policy || *name == format!("p{by}")) && *late == (at > 0)
            };
            assert!(named.iter().enumerate().all(is_right), "{trace}: {named:?} {modelled:?}");
            assert_eq!(named.is_empty(), !is_kept);
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let kind = || prop::sample::select(vec![Kind::All, Kind::Errors, Kind::Pieces, Kind::Key, Kind::Pattern]);
    let traces = || prop::collection::vec(0u64..40, 1..12);
    let step = prop_oneof![
        4 => traces().prop_map(Step::Send),
        4 => (0u64..25).prop_map(Step::Pass),
        2 => (kind(), 1u64..8).prop_map(|(kind, wait_s)| Step::Reload(kind, wait_s)),
        1 => (traces(), kind(), 1u64..8).prop_map(|(traces, kind, wait_s)| Step::Around(traces, kind, wait_s)),
        1 => Just(Step::Scan),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_trace_is_decided_once_by_a_set_that_may(steps in steps()) {
        let mut pair = Pair::new();
        steps.iter().for_each(|step| pair.step(step));
        pair.finish();
    }
}

/// What happens where nobody could say by whom a trace is decided, but only one verdict is right.
#[derive(Clone, Debug)]
enum Wild {
    /// One span for each of these traces, some of them roots.
    Send(Vec<(u64, bool)>),
    Pass(u64),
    /// With or without a short wait after the root, and with or without a limit on a trace's memory.
    Reload(Kind, u64, bool, bool),
    /// The oldest slot is decided before its time.
    Early,
    /// Reloads and a request come while a slot is being decided.
    Between(Vec<u64>, Vec<Kind>),
}

fn wilds() -> impl Strategy<Value = Vec<Wild>> {
    let kind = || prop::sample::select(vec![Kind::Errors, Kind::Pieces, Kind::Key, Kind::Pattern]);
    let step = prop_oneof![
        4 => prop::collection::vec((0u64..40, prop::bool::weighted(0.2)), 1..12).prop_map(Wild::Send),
        4 => (0u64..25).prop_map(Wild::Pass),
        2 => (kind(), 1u64..8, any::<bool>(), any::<bool>())
            .prop_map(|(kind, wait_s, roots, limit)| Wild::Reload(kind, wait_s, roots, limit)),
        1 => Just(Wild::Early),
        2 => (prop::collection::vec(0u64..40, 0..12), prop::collection::vec(kind(), 0..4))
            .prop_map(|(traces, kinds)| Wild::Between(traces, kinds)),
    ];
    prop::collection::vec(step, 1..60)
}

fn run_wild(steps: &[Wild]) {
    let mut rig = Rig::new(&Kind::Pieces.yaml(0), &settings(4));
    let (mut sent, mut number) = (BTreeMap::new(), 0);
    let mut reload = |rig: &mut Rig, kind: Kind, settings: &Settings| {
        number += 1;
        rig.reload(&kind.yaml(number), settings);
    };
    let mut send = |rig: &mut Rig, traces: &[(u64, bool)]| {
        let as_span = |(trace, root): &(u64, bool)| if *root { span_of(*trace).root() } else { span_of(*trace) };
        rig.send(&traces.iter().map(as_span).collect::<Vec<_>>());
        traces.iter().for_each(|(trace, _)| *sent.entry(*trace).or_insert(0) += 1);
    };
    for step in steps {
        match step {
            Wild::Send(traces) => send(&mut rig, traces),
            Wild::Pass(tenths) => rig.pass(Duration::from_millis(tenths * 100)),
            Wild::Reload(kind, wait_s, roots, limit) => {
                let after_root = roots.then(|| Duration::from_millis(700));
                let trace_bytes_max = limit.then_some(400);
                reload(&mut rig, *kind, &Settings { after_root, trace_bytes_max, ..settings(*wait_s) });
            }
            Wild::Early => {
                if let Some(due) = rig.engine.take_early() {
                    rig.settle(due);
                }
            }
            Wild::Between(traces, kinds) => {
                rig.now_ns += SECOND;
                let due = rig.engine.take_due(rig.now_ns);
                for kind in kinds {
                    let traces: Vec<(u64, bool)> = traces.iter().map(|trace| (*trace, false)).collect();
                    send(&mut rig, &traces);
                    reload(&mut rig, *kind, &settings(3));
                    let mut scratch = Scratch::default();
                    rig.engine.tidy(rig.now_ns, &mut scratch);
                }
                if let Some(due) = due {
                    rig.settle(due);
                }
            }
        }
        rig.check_books();
    }
    rig.stop();
    for (trace, count) in sent {
        assert_eq!(rig.kept(trace), if fails(trace) { count } else { 0 }, "trace {trace}");
        let firsts = rig.named(trace).iter().filter(|(_, late)| !late).count();
        assert_eq!(firsts, usize::from(fails(trace)), "{trace}: {:?}", rig.named(trace));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_failed_traces_are_kept_whole(steps in wilds()) {
        run_wild(&steps);
    }
}

/// Requests of two threads, a hundred reloads of a third, and a fourth that decides.
#[test]
fn reloads_under_load_lose_nothing() {
    const REQUESTS: u64 = 300;
    let (_, set, _) = policies(&Kind::Errors.yaml(0));
    let engine = Engine::new(&settings(1), set);
    let clock = AtomicU64::new(1_000 * SECOND);
    let now = |step_ns: u64| {
        let now_ns = clock.fetch_add(step_ns, Ordering::SeqCst);
        Now { mono_ns: now_ns, wall_ns: now_ns }
    };
    let is_over = AtomicBool::new(false);
    let kept: Mutex<BTreeMap<TraceId, usize>> = Mutex::default();
    let send = |thread: u64| {
        let mut scan = Scan::new(engine.policies().keys().clone());
        let mut scratch = Scratch::default();
        for number in 0..REQUESTS {
            if number % 50 == 0 {
                scan = Scan::new(engine.policies().keys().clone());
            }
            let trace = |n: u64| (thread * REQUESTS + number.saturating_sub(n)) * 10 + n;
            let spans: Vec<Span> = (0..40).map(|n| span_of(trace(n % 10))).collect();
            let body = request("shop", &spans);
            scan.run(&body).unwrap();
            let token = Token::none();
            let arrival = engine.begin(&body, &scan, &token);
            for from in [0, 20] {
                engine.ingest(&arrival, from..from + 20, now(SECOND / 100), &mut scratch);
                thread::yield_now();
            }
        }
    };
    let settle = |due: engine::Due, scratch: &mut Scratch| {
        let limits = Limits { bytes_max: 1 << 20, spans_max: u32::MAX, notes: true };
        let settled = due.decide(&engine, now(0));
        let mut scan = Scan::new(Keys::default().into());
        settled.assemble(&engine, limits, now(0).mono_ns, scratch, &mut |batch| {
            scan.run(&batch.body).unwrap();
            let mut kept = kept.lock().unwrap();
            scan.spans.iter().for_each(|span| *kept.entry(span.trace_id).or_default() += 1);
        });
    };
    thread::scope(|scope| {
        let senders = [scope.spawn(|| send(0)), scope.spawn(|| send(1))];
        let reloads = scope.spawn(|| {
            for number in 1..=100 {
                let kind = [Kind::Errors, Kind::Pieces, Kind::Key, Kind::Pattern][number % 4];
                let mut keys = Keys::clone(engine.policies().keys());
                let (_, set) = policies_with(&kind.yaml(number), &mut keys);
                engine.reload(&settings(1 + number as u64 % 4), set, now(0).mono_ns);
                assert_eq!(engine.books().residue(), 0);
            }
        });
        let decides = scope.spawn(|| {
            let mut scratch = Scratch::default();
            while !is_over.load(Ordering::SeqCst) {
                engine.tidy(now(0).mono_ns, &mut scratch);
                while let Some(due) = engine.take_due(now(0).mono_ns) {
                    settle(due, &mut scratch);
                }
                thread::yield_now();
            }
        });
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        reloads.join().unwrap();
        is_over.store(true, Ordering::SeqCst);
        decides.join().unwrap();
    });
    let mut scratch = Scratch::default();
    while let Some(due) = engine.take_rest() {
        settle(due, &mut scratch);
    }
    let books = engine.books();
    assert_eq!((books.residue(), books.buffered, books.traces_waiting), (0, 0, 0), "{books:?}");
    assert_eq!((books.accepted, books.dropped_total()), (2 * REQUESTS * 40, 0));
    let mut sent: BTreeMap<TraceId, usize> = BTreeMap::new();
    for (thread, number, n) in (0..2).flat_map(|t| (0..REQUESTS).flat_map(move |r| (0..10u64).map(move |n| (t, r, n))))
    {
        let trace = (thread * REQUESTS + number.saturating_sub(n)) * 10 + n;
        if fails(trace) {
            *sent.entry(id(trace)).or_default() += 4;
        }
    }
    assert!(*kept.lock().unwrap() == sent, "every failed trace is kept whole, and no other");
}
