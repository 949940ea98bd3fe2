//! The engine over virtual time: requests in, verdicts out, and the books after each step.

use engine::{Batch, Books, Engine, Scratch, Settings, Source, Token, due::Limits};
use otlp::{
    Keys, TraceId,
    scan::Scan,
    wire::{self, WireType},
};
use policy::{Now, PolicySet, TailSampling};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

const SECOND: u64 = 1_000_000_000;
const ERRORS: &str = "policies: [{name: errors, type: status_code, status_code: {status_codes: [ERROR]}}]";
const ALWAYS: &str = "policies: [{name: all, type: always_sample}]";

/// An engine with its own clock.
struct Rig {
    engine: Engine,
    scan: Scan,
    scratch: Scratch,
    now_ns: u64,
    kept: BTreeMap<TraceId, usize>,
    whys: Vec<String>,
    batches: Vec<Batch>,
    keep_batches: bool,
}

/// A span as a test writes it.
#[derive(Clone, Copy)]
struct Span {
    trace: u64,
    error: bool,
    root: bool,
    padding: usize,
}

fn span(trace: u64) -> Span {
    Span { trace, error: false, root: false, padding: 40 }
}

impl Span {
    fn error(self) -> Self {
        Self { error: true, ..self }
    }

    fn root(self) -> Self {
        Self { root: true, ..self }
    }

    fn padded(self, padding: usize) -> Self {
        Self { padding, ..self }
    }

    fn encode(self, number: u64) -> Vec<u8> {
        let mut out = Vec::new();
        wire::put_len(&mut out, 1, &id(self.trace).0);
        wire::put_len(&mut out, 2, &(number + 1).to_le_bytes());
        if !self.root {
            wire::put_len(&mut out, 4, &[9; 8]);
        }
        let noise: Vec<u8> = (0..self.padding).map(|i| (number as usize * 31 + i * 7) as u8).collect();
        wire::put_len(&mut out, 5, &noise);
        if self.error {
            wire::put_len(&mut out, 15, &[0x18, 2]);
        }
        out
    }
}

fn id(trace: u64) -> TraceId {
    let mut bytes = [1; 16];
    bytes[8..].copy_from_slice(&trace.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    TraceId(bytes)
}

/// A request of one resource and one scope.
fn request(service: &str, spans: &[Span]) -> Vec<u8> {
    let mut scope = Vec::new();
    wire::put_len(&mut scope, 1, b"\x0a\x03app");
    for (number, span) in (0..).zip(spans) {
        wire::put_len(&mut scope, 2, &span.encode(number));
    }
    let mut resource = Vec::new();
    let mut attribute = Vec::new();
    wire::put_len(&mut attribute, 1, b"service.name");
    wire::put_len(&mut attribute, 2, &[&[0x0a, service.len() as u8], service.as_bytes()].concat());
    let mut message = Vec::new();
    wire::put_len(&mut message, 1, &attribute);
    wire::put_len(&mut resource, 1, &message);
    wire::put_len(&mut resource, 2, &scope);
    let mut out = Vec::new();
    wire::put_tag(&mut out, 1, WireType::Len);
    wire::put_varint(&mut out, resource.len() as u64);
    out.extend(resource);
    out
}

fn policies(yaml: &str) -> (TailSampling, Arc<PolicySet>, Arc<Keys>) {
    let (node, sources, mut problems) = settings::load(&[format!("yaml:{yaml}")], &[], &|_| None);
    let decoded = node.as_ref().and_then(|node| TailSampling::decode(node, &mut problems));
    let decoded = decoded.unwrap_or_else(|| panic!("{}", problems.render(&sources)));
    let mut keys = Keys::default();
    let set = PolicySet::new(&decoded, &mut keys, Now::default());
    (decoded, Arc::new(set), Arc::new(keys))
}

impl Rig {
    fn new(yaml: &str, settings: &Settings) -> Self {
        let (_, set, keys) = policies(yaml);
        Self {
            engine: Engine::new(settings, set),
            scan: Scan::new(keys),
            scratch: Scratch::default(),
            now_ns: 1_000 * SECOND,
            kept: BTreeMap::new(),
            whys: Vec::new(),
            batches: Vec::new(),
            keep_batches: false,
        }
    }

    fn send(&mut self, spans: &[Span]) {
        self.send_with(spans, &Token::none());
    }

    fn send_with(&mut self, spans: &[Span], token: &Token) {
        self.send_bytes(&request("shop", spans), token);
    }

    fn send_bytes(&mut self, request: &[u8], token: &Token) {
        self.scan.run(request).expect("a request of this file");
        let arrival = self.engine.begin(request, &self.scan, token);
        let count = self.scan.spans.len();
        for from in (0..count).step_by(512) {
            let step = from..(from + 512).min(count);
            self.engine.ingest(&arrival, step, self.now_ns, &mut self.scratch);
        }
        self.check_books();
    }

    /// Lets time pass, deciding whatever falls due, in steps of a tenth of a second.
    fn pass(&mut self, time: Duration) {
        let until = self.now_ns + time.as_nanos() as u64;
        while self.now_ns < until {
            self.now_ns += SECOND / 10;
            self.engine.tidy(self.now_ns, &mut self.scratch);
            while let Some(due) = self.engine.take_due(self.now_ns) {
                self.settle(due);
            }
            self.check_books();
        }
    }

    fn settle(&mut self, due: engine::Due) {
        let now = Now { mono_ns: self.now_ns, wall_ns: self.now_ns };
        let settled = due.decide(&self.engine, now);
        self.check_books();
        let limits = Limits { bytes_max: 4 << 20, spans_max: u32::MAX, notes: true };
        let mut batches = Vec::new();
        settled.assemble(&self.engine, limits, self.now_ns, &mut self.scratch, &mut |batch| batches.push(batch));
        for batch in batches {
            self.scan.run(&batch.body).expect("a batch is a request");
            assert_eq!(self.scan.spans.len(), batch.spans as usize);
            self.scan.spans.iter().for_each(|span| *self.kept.entry(span.trace_id).or_default() += 1);
            self.whys.extend(batch.notes.iter().map(|note| note.why.clone()));
            if self.keep_batches {
                self.batches.push(batch);
            }
        }
    }

    fn kept(&self, trace: u64) -> usize {
        self.kept.get(&id(trace)).copied().unwrap_or(0)
    }

    fn check_books(&self) -> Books {
        let books = self.engine.books();
        assert_eq!(books.residue(), 0, "{books:?}");
        assert_eq!(books.lost, 0, "{books:?}");
        books
    }
}

fn wait(seconds: u64) -> Settings {
    Settings { decision_wait: Duration::from_secs(seconds), shards: 4, seed: 7, ..Settings::default() }
}

#[test]
fn a_trace_is_decided_whole_after_its_wait() {
    let mut rig = Rig::new(ERRORS, &wait(5));
    rig.send(&[span(1), span(2), span(1)]);
    rig.pass(Duration::from_secs(4));
    rig.send(&[span(1).error()]);
    assert_eq!(rig.kept(1), 0, "nothing is decided before its time");
    rig.pass(Duration::from_millis(1_300));
    assert_eq!((rig.kept(1), rig.kept(2)), (3, 0));
    let books = rig.check_books();
    assert_eq!((books.kept, books.sampled_out, books.buffered, books.traces_waiting), (3, 1, 0, 0));
    assert_eq!(rig.whys, ["errors"]);
}

#[test]
fn late_spans_follow_the_verdict() {
    let mut rig = Rig::new(ERRORS, &wait(1));
    rig.send(&[span(1).error(), span(2)]);
    rig.pass(Duration::from_secs(2));
    rig.send(&[span(1), span(2).error(), span(1)]);
    rig.pass(Duration::from_millis(300));
    assert_eq!((rig.kept(1), rig.kept(2)), (3, 0));
    let books = rig.check_books();
    assert_eq!((books.late_kept, books.late_sampled_out), (2, 1));
    assert_eq!((books.traces_seen, books.traces_kept, books.traces_sampled_out), (2, 1, 1));
}

#[test]
fn spans_that_come_while_their_trace_is_decided_follow_it() {
    let mut rig = Rig::new(ERRORS, &wait(1));
    rig.send(&[span(1).error(), span(2)]);
    rig.now_ns += 2 * SECOND;
    let due = rig.engine.take_due(rig.now_ns).expect("a slot is due");
    rig.send(&[span(1), span(2)]);
    rig.settle(due);
    assert_eq!((rig.kept(1), rig.kept(2)), (1, 0));
    rig.pass(Duration::from_millis(300));
    assert_eq!((rig.kept(1), rig.kept(2)), (2, 0));
    assert_eq!(rig.check_books().buffered, 0);
}

#[test]
fn a_root_shortens_the_wait_and_the_rootless_wait_on() {
    let settings = Settings { after_root: Some(Duration::from_secs(1)), ..wait(60) };
    let mut rig = Rig::new(ALWAYS, &settings);
    rig.send(&[span(1).root(), span(2), span(1)]);
    rig.pass(Duration::from_secs(2));
    assert_eq!((rig.kept(1), rig.kept(2)), (2, 0));
    rig.send(&[span(2)]);
    rig.pass(Duration::from_secs(40));
    assert_eq!(rig.kept(2), 0);
    rig.pass(Duration::from_secs(22));
    assert_eq!(rig.kept(2), 2, "a rootless trace waits for decision_wait, no longer");
}

#[test]
fn an_hour_of_waiting_for_roots_holds_little_more_than_what_waits() {
    let settings = Settings { after_root: Some(Duration::from_secs(5)), ..wait(3_600) };
    let mut rig = Rig::new(ERRORS, &settings);
    for second in 0..5_000u64 {
        let mut spans = Vec::new();
        for n in 0..20 {
            let trace = second * 20 + n;
            spans.push(if trace % 100 == 0 { span(trace).padded(300) } else { span(trace).root().padded(300) });
        }
        rig.send(&spans);
        rig.pass(Duration::from_secs(1));
        let books = rig.engine.books();
        // Below a few blocks' worth the slots' own overhead would be measured, not the copying.
        if books.bytes_live > 1 << 20 {
            assert!(books.bytes_blocks <= 4 * books.bytes_live, "{books:?}");
        }
    }
    let books = rig.check_books();
    assert!(books.traces_waiting < 1_500, "{books:?}");
}

#[test]
fn blocks_are_opened_once_when_traces_trickle_in() {
    for keep_percent in [3, 10, 30] {
        let mut rig = Rig::new(ERRORS, &wait(10));
        for tenth in 0..300u64 {
            let spans: Vec<Span> = (0..400u64)
                .map(|n| {
                    // Each trace is first seen within the last five seconds and gets its later spans meanwhile.
                    let trace = tenth.saturating_sub(n % 50) * 40 + n / 50;
                    let span = span(trace).padded(300);
                    if trace % 100 < keep_percent { span.error() } else { span }
                })
                .collect();
            rig.send(&spans);
            rig.pass(Duration::from_millis(100));
        }
        rig.pass(Duration::from_secs(12));
        let books = rig.check_books();
        assert!(books.blocks > 100, "{books:?}");
        assert!(books.block_opens * 10 <= books.blocks * 12, "{books:?}");
        assert_eq!(books.buffered, 0);
    }
}

#[test]
fn a_giant_request_and_a_giant_trace_pass() {
    let mut rig = Rig::new(ERRORS, &wait(1));
    let giant: Vec<Span> = (0..50_000).map(|n| if n == 49_999 { span(1).error() } else { span(1) }).collect();
    rig.send(&giant);
    let wide: Vec<Span> = (0..64).map(|n| span(100 + n).padded(1 << 20).error()).collect();
    rig.send(&wide);
    rig.pass(Duration::from_secs(2));
    assert_eq!(rig.kept(1), 50_000);
    assert_eq!((0..64).map(|n| rig.kept(100 + n)).sum::<usize>(), 64);
}

#[test]
fn kept_spans_leave_byte_for_byte_with_their_resource_and_scope() {
    let mut rig = Rig::new(ALWAYS, &wait(1));
    rig.keep_batches = true;
    let spans = [span(1), span(2).error(), span(1).root()];
    let sent = request("shop", &spans);
    rig.send_bytes(&sent, &Token::none());
    rig.pass(Duration::from_secs(2));
    assert_eq!(rig.batches.len(), 1);
    let body = &rig.batches[0].body;
    let bodies = |scan: &Scan, bytes: &[u8]| {
        let mut bodies: Vec<Vec<u8>> = Vec::new();
        for span in &scan.spans {
            let group = &scan.groups[span.group as usize];
            let resource = &scan.resources[group.resource as usize];
            let start = span.body.start as usize;
            let mut all = scan.resource_header(bytes, resource).to_vec();
            all.extend(scan.scope_header(bytes, group));
            all.extend(&bytes[start..start + span.body.len as usize]);
            bodies.push(all);
        }
        bodies.sort();
        bodies
    };
    rig.scan.run(&sent).unwrap();
    let before = bodies(&rig.scan, &sent);
    rig.scan.run(body).unwrap();
    assert_eq!(bodies(&rig.scan, body), before);
}

#[derive(Debug, Default)]
struct Log(AtomicU64);

impl Source for Log {
    fn done(&self, position: u64) {
        let before = self.0.fetch_or(1 << position, Ordering::SeqCst);
        assert_eq!(before & 1 << position, 0, "position {position} came back twice");
    }
}

#[test]
fn a_token_comes_back_once_when_all_is_decided_and_delivered() {
    let log = Arc::new(Log::default());
    let mut rig = Rig::new(ERRORS, &wait(1));
    rig.keep_batches = true;
    let token = |position| Token::new(Arc::clone(&log) as Arc<dyn Source>, position);
    rig.send_with(&[span(1).error(), span(2)], &token(0));
    rig.send_with(&[span(3)], &token(1));
    assert_eq!(log.0.load(Ordering::SeqCst), 0);
    rig.pass(Duration::from_secs(2));
    rig.send_with(&[span(2)], &token(2));
    assert_eq!(log.0.load(Ordering::SeqCst) & 0b100, 0b100, "a late span of a sampled-out trace is done with at once");
    assert!(!rig.batches.is_empty());
    rig.batches.clear();
    assert_eq!(log.0.load(Ordering::SeqCst), 0b111, "delivered");
}

#[test]
fn a_whole_policy_reads_the_stored_spans() {
    let yaml = "policies: [{name: both, type: and, and: {and_sub_policy: [
        {name: error, type: status_code, status_code: {status_codes: [ERROR]}},
        {name: shop, type: string_attribute, string_attribute: {key: service.name, values: ['^sh.p$'], enabled_regex_matching: true}}]}}]";
    let mut rig = Rig::new(yaml, &wait(1));
    rig.send(&[span(1).error(), span(2)]);
    rig.send_bytes(&request("cart", &[span(3).error()]), &Token::none());
    rig.pass(Duration::from_secs(2));
    assert_eq!((rig.kept(1), rig.kept(2), rig.kept(3)), (1, 0, 0));
}

#[test]
fn limits_are_charged_in_order_of_first_arrival_over_all_shards() {
    let yaml =
        "policies: [{name: few, type: rate_limiting, rate_limiting: {spans_per_second: 10, burst_capacity: 10}}]";
    let mut rig = Rig::new(yaml, &wait(1));
    for trace in 0..40 {
        rig.send(&[span(trace)]);
        rig.now_ns += 1_000;
    }
    rig.pass(Duration::from_secs(2));
    let kept: Vec<u64> = (0..40).filter(|trace| rig.kept(*trace) > 0).collect();
    assert_eq!(kept, (0..10).collect::<Vec<_>>());
}

#[test]
fn too_many_traces_are_decided_early_not_evicted() {
    let mut rig = Rig::new(ERRORS, &Settings { traces_max: Some(100), ..wait(30) });
    for trace in 0..300 {
        rig.send(&[if trace % 3 == 0 { span(trace).error() } else { span(trace) }]);
        rig.now_ns += SECOND / 10;
        while rig.engine.is_over_traces_max() {
            let due = rig.engine.take_early().expect("something waits");
            rig.settle(due);
        }
    }
    assert!(rig.engine.traces_waiting() <= 100);
    let books = rig.check_books();
    assert!(books.traces_decided_early >= 200, "{books:?}");
    while let Some(due) = rig.engine.take_rest() {
        rig.settle(due);
    }
    assert_eq!(rig.kept.len(), 100, "every trace with an error is kept");
    assert_eq!(rig.check_books().buffered, 0);
}

#[test]
fn what_was_held_is_given_back() {
    let mut rig = Rig::new(ERRORS, &wait(1));
    for round in 0..20u64 {
        let spans: Vec<Span> = (0..2_000).map(|n| span(round * 2_000 + n).padded(300)).collect();
        rig.send(&spans);
        rig.pass(Duration::from_millis(100));
    }
    let peak = rig.check_books();
    assert!(peak.bytes_held > 100_000, "{peak:?}");
    rig.pass(Duration::from_secs(5));
    let after = rig.check_books();
    assert_eq!((after.bytes_blocks, after.bytes_live), (0, 0));
    assert!(after.bytes_held < 40_000 * 16 + 100_000, "{after:?}");
}
