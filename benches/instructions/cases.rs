//! The parts of a span's way, each with a fixed input: what is measured, and what stands ready before it.
//!
//! The spans are the load of the comparison: about 450 bytes, ten attributes, ten spans a trace over five services whose
//! requests come within a second. Seeds are fixed; the engine is given a clock that moves a millisecond a request.

use crate::configuration::{ATTRIBUTES, EVERYTHING, FILTER, MORE, RESOURCE, few};
use engine::{Engine, Scratch, Settled, Token, due::Limits};
use load::{Generate, Mix};
use net::{
    budget::Budget,
    buffer::Pool,
    inflate::{Decoders, Encoding, Inflater},
};
use otlp::{Keys, Signal, json, scan::Scan};
use policy::{Now, PolicySet, TailSampling};
use process::{Moment, Processor, attributes::Attributes, filter::Filter, resource::Resource};
use settings::{Decode, Node};
use std::{borrow::Cow, hint::black_box, sync::Arc, time::Duration};

/// One figure.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// What the figure is of: a span, a byte.
    pub(crate) unit: &'static str,
    pub(crate) prepare: fn() -> Work,
}

/// What is counted, and by how many units the count is divided.
pub(crate) struct Work {
    pub(crate) units: u64,
    pub(crate) run: Box<dyn FnMut()>,
}

/// Requests with their scans, as the engine gets them.
struct Input {
    scanned: Vec<(Vec<u8>, Scan)>,
    spans: u64,
}

/// An engine between two calls.
struct Filled {
    engine: Engine,
    scratch: Scratch,
}

pub(crate) const CASES: [Case; 16] = [
    // The wire scanner, without and with attributes that policies name.
    Case { name: "scan", unit: "span", prepare: || scan(&[], LARGE) },
    Case { name: "scan-5-keys", unit: "span", prepare: || scan(&KEYS, LARGE) },
    Case { name: "scan-small", unit: "span", prepare: || scan(&[], SMALL) },
    // The slot store: table, folds of three or 25 policies, copies, sealing of blocks.
    Case { name: "ingest", unit: "span", prepare: || ingest(&few(1.0), Mix::Plain, LARGE) },
    Case { name: "ingest-hard", unit: "span", prepare: || ingest(&few(1.0), Mix::Hard, LARGE) },
    Case { name: "ingest-small", unit: "span", prepare: || ingest(&few(1.0), Mix::Plain, SMALL) },
    Case { name: "ingest-25-policies", unit: "span", prepare: || ingest(&many(), Mix::Plain, LARGE) },
    // The verdicts of all that waits.
    Case { name: "decide", unit: "span", prepare: || decide(&few(1.0)) },
    Case { name: "decide-25-policies", unit: "span", prepare: || decide(&many()) },
    // Opening the blocks and putting batches together: of three percent, of everything.
    Case { name: "assemble", unit: "span", prepare: || assemble(&few(1.0)) },
    Case { name: "assemble-all", unit: "span", prepare: || assemble(EVERYTHING) },
    Case { name: "json-decode", unit: "span", prepare: json_decode },
    Case { name: "json-encode", unit: "span", prepare: json_encode },
    Case { name: "inflate-gzip", unit: "byte", prepare: inflate },
    // Three processors as they stand in front of samplers, and the one that most have.
    Case { name: "process-chain", unit: "span", prepare: || process(vec![resource(), attributes(), filter()]) },
    Case { name: "process-resource", unit: "span", prepare: || process(vec![resource()]) },
];

fn scan(names: &[&str], size: Size) -> Work {
    let (bodies, mut keys) = (bodies(Mix::Plain, size), Keys::default());
    for name in names {
        keys.intern(name);
    }
    let mut scan = Scan::new(Arc::new(keys));
    let mut spans = 0;
    for body in &bodies {
        scan.run(body).expect("the generator's own request");
        spans += scan.spans.len() as u64;
    }
    let run = move || {
        for body in &bodies {
            scan.run(black_box(body)).expect("it went before");
        }
    };
    Work { units: spans, run: Box::new(run) }
}

fn ingest(policies: &str, mix: Mix, size: Size) -> Work {
    let (mut filled, input) = waiting(policies, mix, size);
    let units = input.spans;
    Work { units, run: Box::new(move || filled.take_in(&input)) }
}

fn decide(policies: &str) -> Work {
    let (mut filled, input) = waiting(policies, Mix::Plain, LARGE);
    filled.take_in(&input);
    let units = input.spans;
    Work { units, run: Box::new(move || drop(black_box(filled.settle()))) }
}

fn assemble(policies: &str) -> Work {
    let (mut filled, input) = waiting(policies, Mix::Plain, LARGE);
    filled.take_in(&input);
    let mut settled = Some(filled.settle());
    let limits = Limits { bytes_max: 4 << 20, spans_max: u32::MAX, notes: false };
    let run = move || {
        for settled in settled.take().into_iter().flatten() {
            settled.assemble(&filled.engine, limits, DUE.mono_ns, &mut filled.scratch, &mut |batch| {
                drop(black_box(batch));
            });
        }
    };
    Work { units: input.spans, run: Box::new(run) }
}

fn json_decode() -> Work {
    let (texts, units): (Vec<Vec<u8>>, u64) = texts();
    let run = move || {
        for text in &texts {
            black_box(json::decode(Signal::Traces, black_box(text)).expect("the encoder's own text"));
        }
    };
    Work { units, run: Box::new(run) }
}

fn json_encode() -> Work {
    let (bodies, units) = (bodies(Mix::Plain, LARGE), texts().1);
    let run = move || {
        for body in &bodies {
            black_box(json::encode(Signal::Traces, black_box(body)).expect("the generator's own request"));
        }
    };
    Work { units, run: Box::new(run) }
}

fn inflate() -> Work {
    let load = Generate { gzip: true, ..load(Mix::Plain, LARGE) };
    let compressed = load.sample(LARGE.requests).expect("right options");
    let units = bodies(Mix::Plain, LARGE).iter().map(|body| body.len() as u64).sum();
    let (pool, decoders) = (Pool::new(Budget::new(1 << 30)), Arc::new(Decoders::default()));
    let run = move || {
        for body in &compressed {
            let mut out = pool.buffer(64 << 20).expect("the budget is large");
            let mut inflater = Inflater::new(Encoding::Gzip, &decoders, &pool, 64 << 20).expect("the budget is large");
            // As sockets deliver it.
            for piece in body.chunks(16 << 10) {
                inflater.feed(piece, &mut out).expect("the generator's own gzip");
            }
            inflater.finish(&mut out).expect("the generator's own gzip");
            black_box(out.as_slice());
        }
    };
    Work { units, run: Box::new(run) }
}

fn process(chain: Vec<Box<dyn Processor>>) -> Work {
    let (bodies, units) = (bodies(Mix::Plain, LARGE), texts().1);
    let moment = Moment::at(WALL_NS, 1);
    let run = move || {
        for body in &bodies {
            let mut edited = Cow::Borrowed(body.as_slice());
            for processor in &chain {
                let next = processor.edit(Signal::Traces, &edited, moment).expect("the generator's own request").body;
                if let Cow::Owned(next) = next {
                    edited = Cow::Owned(next);
                }
            }
            black_box(&edited);
        }
    };
    Work { units, run: Box::new(run) }
}

impl Filled {
    fn take_in(&mut self, input: &Input) {
        let token = Token::none();
        for (number, (body, scan)) in (0u64..).zip(&input.scanned) {
            let passed_ns = number * 1_000_000;
            let now = Now { mono_ns: 1_000_000_000 + passed_ns, wall_ns: WALL_NS + passed_ns };
            self.engine.ingest(&self.engine.begin(body, scan, &token), 0..scan.spans.len(), now, &mut self.scratch);
        }
    }

    fn settle(&mut self) -> Vec<Settled> {
        let mut settled = Vec::new();
        while let Some(due) = self.engine.take_due(DUE.mono_ns) {
            settled.push(due.decide(&self.engine, DUE));
        }
        settled
    }
}

/// An empty engine with these policies, and what it is to take in.
fn waiting(policies: &str, mix: Mix, size: Size) -> (Filled, Input) {
    let mut keys = Keys::default();
    let start = Now { mono_ns: 1_000_000_000, wall_ns: WALL_NS };
    let decoded: TailSampling = decode(&format!("policies:\n{policies}"), TailSampling::decode);
    let policies = Arc::new(PolicySet::new(&decoded, &mut keys, start));
    let settings = engine::Settings { decision_wait: Duration::from_secs(5), seed: 1, ..engine::Settings::default() };
    let keys = Arc::new(keys);
    let scanned = bodies(mix, size).into_iter().map(|body| {
        let mut scan = Scan::new(Arc::clone(&keys));
        scan.run(&body).expect("the generator's own request");
        (body, scan)
    });
    let scanned: Vec<_> = scanned.collect();
    let spans = scanned.iter().map(|(_, scan)| scan.spans.len() as u64).sum();
    (Filled { engine: Engine::new(&settings, policies), scratch: Scratch::default() }, Input { scanned, spans })
}

fn resource() -> Box<dyn Processor> {
    Box::new(Resource::new(&decode(RESOURCE, Decode::decode)).expect("right settings"))
}

fn attributes() -> Box<dyn Processor> {
    Box::new(Attributes::new(&decode(ATTRIBUTES, Decode::decode)).expect("right settings"))
}

fn filter() -> Box<dyn Processor> {
    Box::new(Filter::new(&decode(FILTER, Decode::decode)).expect("right settings"))
}

/// A component's settings from YAML, by its own decoder.
fn decode<T>(yaml: &str, by: impl Fn(&Node, &mut settings::Problems) -> Option<T>) -> T {
    let (node, sources, mut problems) = settings::load(&[format!("yaml:{yaml}")], &[], &|_| None);
    let decoded = node.as_ref().and_then(|node| by(node, &mut problems));
    decoded.unwrap_or_else(|| panic!("{}", problems.render(&sources)))
}

/// All requests as JSON, and their spans.
fn texts() -> (Vec<Vec<u8>>, u64) {
    let (bodies, mut scan) = (bodies(Mix::Plain, LARGE), Scan::new(Arc::default()));
    let mut spans = 0;
    let texts = bodies.iter().map(|body| {
        scan.run(body).expect("the generator's own request");
        spans += scan.spans.len() as u64;
        json::encode(Signal::Traces, body).expect("the generator's own request")
    });
    let texts = texts.collect();
    (texts, spans)
}

fn many() -> String {
    few(1.0) + MORE
}

fn bodies(mix: Mix, size: Size) -> Vec<Vec<u8>> {
    load(mix, size).sample(size.requests).expect("right options")
}

fn load(mix: Mix, size: Size) -> Generate {
    Generate {
        mix,
        seed: 1,
        rate: 20_000,
        spans_per_request: size.spans_per_request,
        flush_spread: Duration::from_secs(1),
        ..Generate::default()
    }
}

/// How large requests are, and how many make a case.
#[derive(Clone, Copy, Debug)]
struct Size {
    spans_per_request: u32,
    requests: usize,
}

const LARGE: Size = Size { spans_per_request: 512, requests: 24 };
const SMALL: Size = Size { spans_per_request: 10, requests: 1200 };
const KEYS: [&str; 5] =
    ["http.response.status_code", "http.route", "url.path", "user_agent.original", "db.response.returned_rows"];
const WALL_NS: u64 = 1_760_000_000_000_000_000;
/// When everything is due.
const DUE: Now = Now { mono_ns: 60_000_000_000, wall_ns: WALL_NS + 60_000_000_000 };
