//! An engine with a clock of its own: requests in, verdicts out, and the books after each step.

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

pub(crate) const SECOND: u64 = 1_000_000_000;
pub(crate) const ERRORS: &str = "policies: [{name: errors, type: status_code, status_code: {status_codes: [ERROR]}}]";
pub(crate) const ALWAYS: &str = "policies: [{name: all, type: always_sample}]";

/// An engine with its own clock.
pub(crate) struct Rig {
    pub(crate) engine: Engine,
    pub(crate) scan: Scan,
    pub(crate) scratch: Scratch,
    pub(crate) now_ns: u64,
    pub(crate) kept: BTreeMap<TraceId, usize>,
    pub(crate) whys: Vec<String>,
    pub(crate) batches: Vec<Batch>,
    pub(crate) keep_batches: bool,
}

/// A span as a test writes it.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    pub(crate) trace: u64,
    pub(crate) error: bool,
    pub(crate) root: bool,
    pub(crate) padding: usize,
}

pub(crate) fn span(trace: u64) -> Span {
    Span { trace, error: false, root: false, padding: 40 }
}

impl Span {
    pub(crate) fn error(self) -> Self {
        Self { error: true, ..self }
    }

    pub(crate) fn root(self) -> Self {
        Self { root: true, ..self }
    }

    pub(crate) fn padded(self, padding: usize) -> Self {
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

pub(crate) fn id(trace: u64) -> TraceId {
    let mut bytes = [1; 16];
    bytes[8..].copy_from_slice(&trace.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    TraceId(bytes)
}

/// A request of one resource and one scope.
pub(crate) fn request(service: &str, spans: &[Span]) -> Vec<u8> {
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

pub(crate) fn policies(yaml: &str) -> (TailSampling, Arc<PolicySet>, Arc<Keys>) {
    let (node, sources, mut problems) = settings::load(&[format!("yaml:{yaml}")], &[], &|_| None);
    let decoded = node.as_ref().and_then(|node| TailSampling::decode(node, &mut problems));
    let decoded = decoded.unwrap_or_else(|| panic!("{}", problems.render(&sources)));
    let mut keys = Keys::default();
    let set = PolicySet::new(&decoded, &mut keys, Now::default());
    (decoded, Arc::new(set), Arc::new(keys))
}

impl Rig {
    pub(crate) fn new(yaml: &str, settings: &Settings) -> Self {
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

    pub(crate) fn send(&mut self, spans: &[Span]) {
        self.send_with(spans, &Token::none());
    }

    pub(crate) fn send_with(&mut self, spans: &[Span], token: &Token) {
        self.send_bytes(&request("shop", spans), token);
    }

    pub(crate) fn send_bytes(&mut self, request: &[u8], token: &Token) {
        self.scan.run(request).expect("a request of this file");
        let arrival = self.engine.begin(request, &self.scan, token);
        let count = self.scan.spans.len();
        for from in (0..count).step_by(512) {
            let step = from..(from + 512).min(count);
            self.engine.ingest(&arrival, step, Now { mono_ns: self.now_ns, wall_ns: self.now_ns }, &mut self.scratch);
        }
        self.check_books();
    }

    /// Lets time pass, deciding whatever falls due, in steps of a tenth of a second.
    pub(crate) fn pass(&mut self, time: Duration) {
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

    pub(crate) fn settle(&mut self, due: engine::Due) {
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

    /// The bodies of a trace's spans in the order in which they left.
    pub(crate) fn bodies(&mut self, trace: u64) -> Vec<Vec<u8>> {
        let mut bodies = Vec::new();
        for batch in &self.batches {
            self.scan.run(&batch.body).expect("a batch is a request");
            let spans = self.scan.spans.iter().filter(|span| span.trace_id == id(trace));
            bodies.extend(spans.map(|span| span.body.of(&batch.body).to_vec()));
        }
        bodies
    }

    pub(crate) fn kept(&self, trace: u64) -> usize {
        self.kept.get(&id(trace)).copied().unwrap_or(0)
    }

    pub(crate) fn check_books(&self) -> Books {
        let books = self.engine.books();
        assert_eq!(books.residue(), 0, "{books:?}");
        assert_eq!(books.dropped_total(), 0, "{books:?}");
        books
    }
}

pub(crate) fn wait(seconds: u64) -> Settings {
    Settings { decision_wait: Duration::from_secs(seconds), shards: 4, seed: 7, ..Settings::default() }
}

#[derive(Debug, Default)]
pub(crate) struct Log(pub(crate) AtomicU64);

impl Source for Log {
    fn done(&self, position: u64) {
        let before = self.0.fetch_or(1 << position, Ordering::SeqCst);
        assert_eq!(before & 1 << position, 0, "position {position} came back twice");
    }
}
