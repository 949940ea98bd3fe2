//! What taking in, deciding and assembling costs a span, and what the obvious design costs beside it: a `DashMap` from
//! trace ID to the trace's own buffer.
//!
//! `cargo bench -p engine --bench ingest` prints nanoseconds a span, on one thread, for spans of about 450 bytes that
//! compress about five to one, ten spans a trace, in requests of 512 spans of 256 traces.

use dashmap::DashMap;
use engine::{Engine, Scratch, Settings, Token, due::Limits};
use otlp::{Keys, TraceId, scan::Scan, wire};
use policy::{Now, PolicySet, TailSampling};
use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

const REQUESTS: u64 = 2_000;
const TRACES_A_REQUEST: u64 = 256;
const POLICIES: &str = "{policies: [
    {name: errors, type: status_code, status_code: {status_codes: [ERROR]}},
    {name: slow, type: latency, latency: {threshold_ms: 1000}},
    {name: few, type: probabilistic, probabilistic: {sampling_percentage: 1}}]}";

fn main() {
    let requests: Vec<Vec<u8>> = (0..REQUESTS).map(request).collect();
    let bytes: usize = requests.iter().map(Vec::len).sum();
    let spans = REQUESTS * TRACES_A_REQUEST * 2;
    println!("{spans} spans of {} bytes", bytes as u64 / spans);
    for round in 0..3 {
        let (engine, decide) = through_engine(&requests);
        let map = through_dashmap(&requests);
        let each = |time: Duration| time.as_nanos() as f64 / spans as f64;
        println!(
            "round {round}: engine {:.0} ns to take in (scan included), {:.0} ns to decide and assemble; dashmap {:.0} ns",
            each(engine),
            each(decide),
            each(map)
        );
    }
}

fn through_engine(requests: &[Vec<u8>]) -> (Duration, Duration) {
    let (node, sources, mut problems) = settings::load(&[format!("yaml:{POLICIES}")], &[], &|_| None);
    let decoded = node.as_ref().and_then(|node| TailSampling::decode(node, &mut problems));
    let decoded = decoded.unwrap_or_else(|| panic!("{}", problems.render(&sources)));
    let mut keys = Keys::default();
    let policies = Arc::new(PolicySet::new(&decoded, &mut keys, Now::default()));
    let settings = Settings { decision_wait: Duration::from_secs(5), seed: 1, ..Settings::default() };
    let engine = Engine::new(&settings, policies);
    let mut scan = Scan::new(Arc::new(keys));
    let mut scratch = Scratch::default();
    let token = Token::none();
    let started = Instant::now();
    for (number, body) in (0u64..).zip(requests) {
        scan.run(body).expect("a request of this file");
        let now_ns = 1_000_000_000 + number * 1_000_000;
        engine.ingest(
            &engine.begin(body, &scan, &token),
            0..scan.spans.len(),
            Now { mono_ns: now_ns, wall_ns: now_ns },
            &mut scratch,
        );
    }
    let taken_in = started.elapsed();
    let books = engine.books();
    println!(
        "    held {} bytes a span, blocks packed {:.1} to one",
        books.bytes_held / books.buffered,
        books.bytes_live as f64 / books.bytes_blocks as f64
    );
    let started = Instant::now();
    let now = Now { mono_ns: 20_000_000_000, wall_ns: 20_000_000_000 };
    let limits = Limits { bytes_max: 4 << 20, spans_max: u32::MAX, notes: false };
    while let Some(due) = engine.take_due(now.mono_ns) {
        let settled = due.decide(&engine, now);
        settled.assemble(&engine, limits, now.mono_ns, &mut scratch, &mut |batch| drop(black_box(batch)));
    }
    (taken_in, started.elapsed())
}

/// Scan, then append each span to its trace's buffer; at the end take every trace out.
fn through_dashmap(requests: &[Vec<u8>]) -> Duration {
    let map: DashMap<TraceId, Vec<u8>> = DashMap::new();
    let mut scan = Scan::new(Arc::new(Keys::default()));
    let started = Instant::now();
    for body in requests {
        scan.run(body).expect("a request of this file");
        for span in &scan.spans {
            let start = span.body.start as usize;
            let bytes = &body[start..start + span.body.len as usize];
            map.entry(span.trace_id).or_default().extend_from_slice(bytes);
        }
    }
    map.retain(|_, spans| black_box(spans.len()) == 0);
    started.elapsed()
}

/// Request `number` holds two spans of each of 256 traces; five requests in a row share their traces.
fn request(number: u64) -> Vec<u8> {
    let mut scope = Vec::new();
    wire::put_len(&mut scope, 1, b"\x0a\x04http");
    for span in 0..TRACES_A_REQUEST * 2 {
        let trace = number / 5 * TRACES_A_REQUEST + span / 2;
        wire::put_len(&mut scope, 2, &encode(trace, number * 1_000 + span));
    }
    let mut resource = Vec::new();
    let mut attributes = Vec::new();
    for (key, value) in
        [("service.name", "checkout"), ("host.name", "node-17"), ("deployment.environment.name", "prod")]
    {
        wire::put_len(&mut attributes, 1, &attribute(key, value));
    }
    wire::put_len(&mut resource, 1, &attributes);
    wire::put_len(&mut resource, 2, &scope);
    let mut out = Vec::new();
    wire::put_len(&mut out, 1, &resource);
    out
}

fn encode(trace: u64, span: u64) -> Vec<u8> {
    let start_ns = 1_767_225_600_000_000_000 + mix(span) % 1_000_000_000;
    let mut out = Vec::new();
    wire::put_len(&mut out, 1, &[mix(trace).to_le_bytes(), mix(trace ^ 0xffff).to_le_bytes()].concat());
    wire::put_len(&mut out, 2, &mix(span).to_le_bytes());
    wire::put_len(&mut out, 4, &mix(span / 2 + 1).to_le_bytes());
    wire::put_len(&mut out, 5, b"GET /api/v1/products/{id}");
    wire::put_uint(&mut out, 6, 2);
    wire::put_fixed64(&mut out, 7, start_ns);
    wire::put_fixed64(&mut out, 8, start_ns + mix(span) % 200_000_000);
    let values = ["GET", "/api/v1/products/{id}", "https", "shop.example.com", "HTTP/1.1", "10.0.0.17", "200", "eu-1"];
    let keys = ["http.request.method", "http.route", "url.scheme", "server.address", "network.protocol.name"];
    for (index, key) in keys.iter().chain(&["client.address", "http.response.status_code", "cloud.region"]).enumerate()
    {
        wire::put_len(&mut out, 9, &attribute(key, values[(index + mix(span + index as u64) as usize % 2) % 8]));
    }
    wire::put_len(&mut out, 9, &attribute("request.id", &format!("{:016x}", mix(span * 7))));
    if mix(trace).is_multiple_of(100) {
        wire::put_len(&mut out, 15, &[0x18, 2]);
    }
    out
}

fn attribute(key: &str, value: &str) -> Vec<u8> {
    let mut any = Vec::new();
    wire::put_len(&mut any, 1, value.as_bytes());
    let mut out = Vec::new();
    wire::put_len(&mut out, 1, key.as_bytes());
    wire::put_len(&mut out, 2, &any);
    out
}

fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}
