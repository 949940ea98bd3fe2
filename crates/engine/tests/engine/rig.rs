//! An engine with a clock of its own: requests in, verdicts out, and the books after each step.

use engine::{Batch, Books, DropReason, Engine, Note, Scratch, Settings, Source, Token, due::Limits};
use otlp::{
    Keys, TraceId,
    scan::Scan,
    wire::{self, Reader, WireType},
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
    /// Every note, with the time at which it came.
    pub(crate) notes: Vec<(u64, Note)>,
    pub(crate) batches: Vec<Batch>,
    pub(crate) keep_batches: bool,
}

/// A span as a test writes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) trace: u64,
    pub(crate) error: bool,
    pub(crate) root: bool,
    pub(crate) padding: usize,
    pub(crate) attribute: Option<(&'static str, &'static str)>,
}

pub(crate) fn span(trace: u64) -> Span {
    Span { trace, error: false, root: false, padding: 40, attribute: None }
}

impl Span {
    pub(crate) fn error(self) -> Self {
        Self { error: true, ..self }
    }

    pub(crate) fn root(self) -> Self {
        Self { root: true, ..self }
    }

    pub(crate) fn with(self, key: &'static str, value: &'static str) -> Self {
        Self { attribute: Some((key, value)), ..self }
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
        if let Some((key, value)) = self.attribute {
            wire::put_len(&mut out, 9, &attribute(key, value));
        }
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
    resources(&[(service, spans)])
}

/// A request of several resources with one scope each.
pub(crate) fn resources(resources: &[(&str, &[Span])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (service, spans) in resources {
        let mut scope = Vec::new();
        wire::put_len(&mut scope, 1, b"\x0a\x03app");
        for (number, span) in (0..).zip(*spans) {
            wire::put_len(&mut scope, 2, &span.encode(number));
        }
        let mut message = Vec::new();
        wire::put_len(&mut message, 1, &attribute("service.name", service));
        let mut resource = Vec::new();
        wire::put_len(&mut resource, 1, &message);
        wire::put_len(&mut resource, 2, &scope);
        wire::put_len(&mut out, 1, &resource);
    }
    out
}

fn attribute(key: &str, value: &str) -> Vec<u8> {
    let mut text = Vec::new();
    wire::put_len(&mut text, 1, value.as_bytes());
    let mut attribute = Vec::new();
    wire::put_len(&mut attribute, 1, key.as_bytes());
    wire::put_len(&mut attribute, 2, &text);
    attribute
}

pub(crate) fn policies(yaml: &str) -> (TailSampling, Arc<PolicySet>, Arc<Keys>) {
    let mut keys = Keys::default();
    let (decoded, set) = policies_with(yaml, &mut keys);
    (decoded, Arc::new(set), Arc::new(keys))
}

pub(crate) fn policies_with(yaml: &str, keys: &mut Keys) -> (TailSampling, PolicySet) {
    let (node, sources, mut problems) = settings::load(&[format!("yaml:{yaml}")], &[], &|_| None);
    let decoded = node.as_ref().and_then(|node| TailSampling::decode(node, &mut problems));
    let decoded = decoded.unwrap_or_else(|| panic!("{}", problems.render(&sources)));
    assert!(!problems.has_errors(), "{}", problems.render(&sources));
    let set = PolicySet::new(&decoded, keys, Now::default());
    (decoded, set)
}

/// The length-delimited fields of a message with this number.
fn fields(message: &[u8], number: u32) -> Vec<&[u8]> {
    let mut reader = Reader::new(message);
    let mut found = Vec::new();
    while !reader.is_empty() {
        let tag = reader.tag().expect("a tag");
        if tag.field == number && tag.wire == WireType::Len {
            found.push(reader.len_delimited().expect("a field"));
        } else {
            reader.skip(tag, 0).expect("a field");
        }
    }
    found
}

/// An attribute as `key=value`, its key without `tailsampling.`; the value is a string or `true`.
fn shown(attribute: &[u8]) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let value = fields(attribute, 2)[0];
    let value = if value == [0x10, 1] { "true".to_owned() } else { text(fields(value, 1)[0]) };
    format!("{}={value}", text(fields(attribute, 1)[0]).trim_start_matches("tailsampling."))
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
            notes: Vec::new(),
            batches: Vec::new(),
            keep_batches: false,
        }
    }

    /// Puts other policies and settings in force. Requests are still scanned for the policies before.
    pub(crate) fn reload(&mut self, yaml: &str, settings: &Settings) {
        let mut keys = Keys::clone(self.engine.policies().keys());
        let (_, set) = policies_with(yaml, &mut keys);
        self.engine.reload(settings, set, self.now_ns);
        self.check_books();
    }

    /// Scans requests for the newest policies.
    pub(crate) fn scan_anew(&mut self) {
        self.scan = Scan::new(Arc::clone(self.engine.policies().keys()));
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
            self.notes.extend(batch.notes.iter().map(|note| (self.now_ns, note.clone())));
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

    /// The attributes of the scope of each of a trace's spans, in the order in which they left.
    pub(crate) fn scopes(&mut self, trace: u64) -> Vec<String> {
        let mut scopes = Vec::new();
        for batch in &self.batches {
            self.scan.run(&batch.body).expect("a batch is a request");
            for span in self.scan.spans.iter().filter(|span| span.trace_id == id(trace)) {
                let group = &self.scan.groups[span.group as usize];
                let mut attributes = Vec::new();
                for scope in fields(self.scan.scope_header(&batch.body, group), 1) {
                    attributes.extend(fields(scope, 3).into_iter().map(shown));
                }
                scopes.push(attributes.join(" "));
            }
        }
        scopes
    }

    /// For each note on the trace: the policy, and whether it is on late spans.
    pub(crate) fn named(&self, trace: u64) -> Vec<(&str, bool)> {
        let notes = self.notes.iter().filter(|(_, note)| note.trace_id == id(trace));
        notes.map(|(_, note)| (note.policy.as_str(), note.late)).collect()
    }

    /// How often the policy was evaluated.
    pub(crate) fn asked(&self, policy: &str) -> u64 {
        let policies = self.engine.policies();
        let counts = policies.counts();
        let (_, counts) = counts.iter().find(|(name, _)| *name == policy).expect("a policy of this name");
        counts.sampled + counts.not_sampled + counts.dropped + counts.errors
    }

    /// Decides all that is left, as at the end.
    pub(crate) fn stop(&mut self) {
        while let Some(due) = self.engine.take_rest() {
            self.settle(due);
        }
        let books = self.check_books();
        assert_eq!((books.buffered, books.traces_waiting, books.bytes_live), (0, 0, 0));
    }

    pub(crate) fn kept(&self, trace: u64) -> usize {
        self.kept.get(&id(trace)).copied().unwrap_or(0)
    }

    pub(crate) fn check_books(&self) -> Books {
        let books = self.engine.books();
        assert_eq!(books.residue(), 0, "{books:?}");
        let bugs = books.dropped_for(DropReason::Internal) + books.dropped_for(DropReason::UnreadableBlock);
        assert_eq!(bugs, 0, "{books:?}");
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
