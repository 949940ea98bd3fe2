//! The scanner and the assembler against prost.
//!
//! prost decodes each case into a copy of the OTLP messages with `string` declared as `bytes`. It says whether the bytes are
//! a request at all, and what every fact is that the scanner extracts. No case is left out. `TAILRACE_CASES` sets how many
//! cases run (CI: 1 000 000), `TAILRACE_SEED` where they begin; a failure names the seed of its case.

mod check;
mod cut;
mod envelope;
mod generate;
mod messages;
mod random;

use envelope::envelope;
use messages::{AnyKind, KeyValue, Request};
use otlp::assemble::Builder;
use otlp::scan::{Hit, Progress, Scan};
use otlp::wire::put_len;
use otlp::{KeyId, Keys, Signal, TraceId, Value};
use prost::Message;
use random::Random;
use std::sync::Arc;
use std::thread;

#[derive(Default, Debug, Clone, Copy)]
struct Tally {
    cases: u64,
    accepted: u64,
    refused: u64,
    spans: u64,
    rejected_spans: u64,
    hits: u64,
    joined_headers: u64,
}

#[test]
fn scans_as_prost_decodes() {
    let cases = variable("TAILRACE_CASES").unwrap_or(50_000);
    let first = variable("TAILRACE_SEED").unwrap_or(1);
    let threads = thread::available_parallelism().map_or(1, |count| count.get() as u64).min(cases);
    let work = move |worker| {
        let mut case = Case::new();
        let seeds = (first + worker..first + cases).step_by(threads as usize);
        seeds.map(|seed| run_case(&mut case, seed)).fold(Tally::default(), add)
    };
    let workers: Vec<_> = (0..threads).map(|worker| thread::spawn(move || work(worker))).collect();
    let tally =
        workers.into_iter().map(|worker| worker.join().expect("see the failure above")).fold(Tally::default(), add);
    println!("seeds {first}..{}: {tally:?}", first + cases);
    assert_eq!(tally.accepted + tally.refused, cases);
    assert!(tally.accepted * 10 >= cases * 3, "fewer than 30 % accepted: {tally:?}");
    assert!(tally.refused * 10 >= cases * 3, "fewer than 30 % refused: {tally:?}");
}

#[test]
fn scans_large_requests() {
    let mut tally = Tally::default();
    for (seed, len) in [(1, 4 << 20), (2, 1 << 20), (3, 300_000), (4, 70_000)] {
        let request = generate::large(Signal::Traces, &mut Random(seed), len);
        let mut case = Case::new();
        case.check(&request, &mut Random(seed), &mut tally).unwrap_or_else(|problem| panic!("large {seed}: {problem}"));
        let cut = &request[..request.len() - 1];
        case.check(cut, &mut Random(seed), &mut tally).unwrap_or_else(|problem| panic!("large {seed}, cut: {problem}"));
    }
    assert!(tally.accepted >= 4, "{tally:?}");
}

/// What deep nesting is accepted: exactly what prost's recursion limit lets through.
#[test]
fn nesting_limit_is_prosts() {
    fn wrap(body: &[u8], path: &[u32]) -> Vec<u8> {
        path.iter().fold(body.to_vec(), |body, &field| {
            let mut outer = Vec::new();
            put_len(&mut outer, field, &body);
            outer
        })
    }
    fn check(accepted: bool, bytes: &[u8]) {
        assert_eq!(Request::decode(bytes).is_ok(), accepted);
        assert_eq!(Scan::new(Arc::default()).run(bytes).is_ok(), accepted);
    }
    let text = [0x0a, 1, b'x'];
    let in_span = [2, 9, 2, 2, 1];
    for (levels, accepted) in [(1, true), (47, true), (48, false), (1_000, false), (20_000, false)] {
        let arrays = wrap(&text, &[1, 5].repeat(levels));
        check(accepted, &wrap(&arrays, &in_span));
    }
    for (levels, accepted) in [(1, true), (31, true), (32, false), (1_000, false)] {
        let maps = wrap(&text, &[2, 1, 6].repeat(levels));
        check(accepted, &wrap(&maps, &in_span));
    }
    // The innermost attribute, of the common shape, one level below what is allowed.
    let plain = [0x0a, 1, b'n', 0x12, 3, 0x0a, 1, b'x'];
    for (levels, accepted) in [(1, true), (30, true), (31, false)] {
        let maps = wrap(&wrap(&plain, &[1, 6]), &[2, 1, 6].repeat(levels));
        check(accepted, &wrap(&maps, &in_span));
    }
    for (levels, accepted) in [(1, true), (100, true), (101, false), (1_000_000, false)] {
        let groups = [vec![0xfb; levels], vec![0xfc; levels]].concat();
        // Key 0xfb 0x01 is a group of field 31.
        let groups: Vec<u8> = groups.into_iter().flat_map(|byte| [byte, 1]).collect();
        check(accepted, &groups);
    }
}

#[test]
fn span_identity() {
    fn span(trace_id: &[u8], parent: &[u8]) -> Vec<u8> {
        let mut span = Vec::new();
        put_len(&mut span, 1, trace_id);
        put_len(&mut span, 4, parent);
        let mut scope = Vec::new();
        put_len(&mut scope, 2, &span);
        let mut resource = Vec::new();
        put_len(&mut resource, 2, &scope);
        let mut request = Vec::new();
        put_len(&mut request, 1, &resource);
        request
    }
    let mut scan = Scan::new(Arc::default());
    for (trace_id, accepted) in [(&[7; 16][..], 1), (&[0; 16], 0), (&[7; 15], 0), (&[7; 17], 0), (&[], 0)] {
        scan.run(&span(trace_id, &[])).expect("a wrong trace ID is no reason to refuse a request");
        assert_eq!((scan.spans.len(), scan.rejected), (accepted, 1 - accepted as u64), "{trace_id:?}");
        assert_eq!((scan.groups.len(), scan.resources.len()), (accepted, accepted));
    }
    for (parent, is_root) in [(&[][..], true), (&[0; 8], true), (&[0; 3], true), (&[0, 0, 1], false), (&[1; 8], false)]
    {
        scan.run(&span(&[7; 16], parent)).expect("valid");
        assert_eq!(scan.spans[0].is_root, is_root, "{parent:?}");
    }
}

/// Fields that look like the usual order of a span, but a number in them is longer than usual.
#[test]
fn unusual_kind_is_no_time() {
    let mut span = vec![0x0a, 16];
    span.extend([7; 16]);
    // Kind 0x1c81; what follows its first byte looks like the key of the start.
    span.extend([0x30, 0x81, 0x39]);
    put_len(&mut span, 5, b"sixsix");
    span.push(0x41);
    span.extend(5u64.to_le_bytes());
    let request = [2, 2, 1].iter().fold(span, |body, &field| {
        let mut outer = Vec::new();
        put_len(&mut outer, field, &body);
        outer
    });
    let mut scan = Scan::new(Arc::default());
    scan.run(&request).expect("valid");
    assert_eq!((scan.spans[0].start_ns, scan.spans[0].end_ns), (0, 5));
}

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.replace('_', "").parse().unwrap_or_else(|_| panic!("`{name}` is not a number: `{text}`")))
}

fn add(left: Tally, right: Tally) -> Tally {
    Tally {
        cases: left.cases + right.cases,
        accepted: left.accepted + right.accepted,
        refused: left.refused + right.refused,
        spans: left.spans + right.spans,
        rejected_spans: left.rejected_spans + right.rejected_spans,
        hits: left.hits + right.hits,
        joined_headers: left.joined_headers + right.joined_headers,
    }
}

fn run_case(case: &mut Case, seed: u64) -> Tally {
    let mut tally = Tally { cases: 1, ..Tally::default() };
    let mut random = Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let request = generate::case(Signal::Traces, &mut random);
    if let Err(problem) = case.check(&request, &mut random, &mut tally) {
        panic!("TAILRACE_SEED={seed} TAILRACE_CASES=1: {problem}\n{} bytes: {request:02x?}", request.len());
    }
    tally
}

/// The scanner under test, with and without keys.
struct Case {
    keys: Arc<Keys>,
    scan: Scan,
    keyless: Scan,
    builder: Builder,
}

type Outcome = Result<(), String>;

impl Case {
    fn new() -> Self {
        let mut keys = Keys::default();
        for key in generate::KEYS {
            keys.intern(key);
        }
        let keys = Arc::new(keys);
        Self { scan: Scan::new(Arc::clone(&keys)), keys, keyless: Scan::new(Arc::default()), builder: Builder::new() }
    }

    fn check(&mut self, request: &[u8], random: &mut Random, tally: &mut Tally) -> Outcome {
        let expected = Request::decode(request);
        let scanned = self.scan.run(request);
        if let (Ok(_), Err(error)) = (&expected, scanned) {
            return Err(format!("prost accepts it, the scan says {error}"));
        }
        if let (Err(error), Ok(())) = (&expected, scanned) {
            return Err(format!("the scan accepts it, prost says {error}"));
        }
        self.check_pieces(request, 1 + random.below(200))?;
        let Ok(expected) = expected else {
            tally.refused += 1;
            return Ok(());
        };
        tally.accepted += 1;
        self.check_facts(request, &expected, tally)?;
        self.check_builder(request, random)
    }

    /// Scanned in pieces, and without keys, the result is the same.
    fn check_pieces(&mut self, request: &[u8], bytes_max: usize) -> Outcome {
        let whole = self.scan.run(request);
        let found = Found::of(&self.scan);
        self.scan.begin();
        let pieces = loop {
            match self.scan.advance(request, bytes_max) {
                Ok(Progress::More) => {}
                other => break other.map(drop),
            }
        };
        if pieces != whole {
            return Err(format!("whole: {whole:?}, in pieces of {bytes_max}: {pieces:?}"));
        }
        if found != Found::of(&self.scan) {
            return Err(format!("in pieces of {bytes_max} it finds something else"));
        }
        if self.keyless.run(request) != whole {
            return Err("without keys it comes to another end".to_owned());
        }
        if self.keyless.spans.iter().any(|span| !self.keyless.span_hits(span).is_empty()) {
            return Err("hits without keys".to_owned());
        }
        Ok(())
    }

    fn check_facts(&self, request: &[u8], expected: &Request, tally: &mut Tally) -> Outcome {
        let scan = &self.scan;
        let (mut spans, mut groups, mut resources, mut rejected) = (scan.spans.iter(), 0u32, 0u32, 0);
        let envelopes = envelope(request, 1).children;
        for (resource_spans, bytes) in expected.resource_spans.iter().zip(&envelopes) {
            let resource_envelope = envelope(bytes, 2);
            let groups_before = groups;
            for (scope_spans, bytes) in resource_spans.scope_spans.iter().zip(&resource_envelope.children) {
                let scope_envelope = envelope(bytes, 2);
                let rejected_before = rejected;
                for (span, body) in scope_spans.spans.iter().zip(&scope_envelope.children) {
                    if TraceId(<[u8; 16]>::try_from(&span.trace_id[..]).unwrap_or_default()).is_zero() {
                        rejected += 1;
                        continue;
                    }
                    let found = spans.next().ok_or("a span is missing")?;
                    same("group", &found.group, &groups)?;
                    same("span", &found.body.of(request), &&body[..])?;
                    tally.hits += self.check_span(request, found, span)?;
                }
                if scope_spans.spans.len() as u64 > rejected - rejected_before {
                    let group = scan.groups.get(groups as usize).ok_or("a group is missing")?;
                    same("resource of a group", &group.resource, &resources)?;
                    same("scope header", &scan.scope_header(request, group), &&scope_envelope.header[..])?;
                    tally.joined_headers += u64::from(group.header.aside);
                    groups += 1;
                }
            }
            if groups > groups_before {
                let resource = scan.resources.get(resources as usize).ok_or("a resource is missing")?;
                same("resource header", &scan.resource_header(request, resource), &&resource_envelope.header[..])?;
                tally.joined_headers += u64::from(resource.header.aside);
                let attributes = resource_spans.resource.as_ref().map_or(&[][..], |resource| &resource.attributes);
                tally.hits += self.check_hits(request, scan.resource_hits(resource), attributes)?;
                resources += 1;
            }
        }
        same("spans after the last", &spans.count(), &0)?;
        same("groups", &scan.groups.len(), &(groups as usize))?;
        same("resources", &scan.resources.len(), &(resources as usize))?;
        same("rejected", &scan.rejected, &rejected)?;
        tally.spans += scan.spans.len() as u64;
        tally.rejected_spans += rejected;
        Ok(())
    }

    fn check_span(&self, request: &[u8], found: &otlp::scan::Span, span: &messages::Span) -> Result<u64, String> {
        same("trace ID", &&found.trace_id.0[..], &&span.trace_id[..])?;
        same("start", &found.start_ns, &span.start_time_unix_nano)?;
        same("end", &found.end_ns, &span.end_time_unix_nano)?;
        same("flags", &found.flags, &span.flags)?;
        same("status", &found.status, &span.status.as_ref().map_or(0, |status| status.code))?;
        same("root", &found.is_root, &span.parent_span_id.iter().all(|byte| *byte == 0))?;
        same("kind", &found.kind, &span.kind)?;
        same("name", &found.name.of(request), &&span.name[..])?;
        same("events", &found.has_events, &!span.events.is_empty())?;
        same("trace state", &found.trace_state.of(request), &&span.trace_state[..])?;
        self.check_hits(request, self.scan.span_hits(found), &span.attributes)
    }

    fn check_hits(&self, request: &[u8], hits: &[Hit], attributes: &[KeyValue]) -> Result<u64, String> {
        let expected: Vec<(KeyId, &KeyValue)> =
            attributes.iter().filter_map(|attribute| Some((self.keys.find(&attribute.key)?, attribute))).collect();
        same("number of hits", &hits.len(), &expected.len())?;
        for (hit, (key, attribute)) in hits.iter().zip(&expected) {
            same("key", &hit.key, key)?;
            let kind = attribute.value.as_ref().and_then(|value| value.kind.as_ref());
            let (found, empty) = (hit.value(request), AnyKind::StringIndex(0));
            let is_same = match (found, kind.unwrap_or(&empty)) {
                (Value::Empty, AnyKind::StringIndex(_)) => true,
                (Value::Str(found), AnyKind::Str(expected)) | (Value::Bytes(found), AnyKind::Bytes(expected)) => {
                    found == expected
                }
                (Value::Bool(found), AnyKind::Bool(expected)) => found == *expected,
                (Value::Int(found), AnyKind::Int(expected)) => found == *expected,
                (Value::Double(found), AnyKind::Double(expected)) => found.to_bits() == expected.to_bits(),
                // Of a container in several parts, the last one is reported.
                (Value::Array(found), AnyKind::Array(expected)) => is_tail::<messages::ArrayValue>(found, expected),
                (Value::Map(found), AnyKind::Map(expected)) => is_tail::<messages::KeyValueList>(found, expected),
                _ => false,
            };
            if !is_same {
                return Err(format!("value {found:?} instead of {attribute:?}"));
            }
        }
        Ok(hits.len() as u64)
    }

    /// Built again, span by span in any order, a request has the same (resource, scope, span) triples in the order in which
    /// their groups first got a span, and the length that was announced.
    fn check_builder(&mut self, request: &[u8], random: &mut Random) -> Outcome {
        let count = self.scan.spans.len();
        let mut order: Vec<usize> = (0..count).collect();
        if random.one_in(2) {
            for index in 1..count {
                order.swap(index, random.below(index + 1));
            }
        }
        rebuild(&mut self.builder, &self.scan, request, order.iter().copied())?;
        same("spans of the builder", &(self.builder.spans() as usize), &count)?;
        let len = self.builder.encoded_len();
        let built = self.builder.finish();
        same("announced length", &len, &built.len())?;
        same("capacity", &built.capacity(), &built.len())?;
        same("length after finish", &(self.builder.encoded_len(), self.builder.spans()), &(0, 0))?;
        let all = triples(&self.scan, request);
        let expected: Vec<Triple> = order.iter().map(|&index| all[index].clone()).collect();
        same("built request", &built, &merged(&expected))
    }
}

/// All results of a scan.
#[derive(PartialEq)]
struct Found {
    resources: Vec<otlp::scan::Resource>,
    groups: Vec<otlp::scan::Group>,
    spans: Vec<otlp::scan::Span>,
    rejected: u64,
    hits: Vec<Hit>,
}

impl Found {
    fn of(scan: &Scan) -> Self {
        let (resources, groups, spans) = (scan.resources.clone(), scan.groups.clone(), scan.spans.clone());
        let of_resources = resources.iter().flat_map(|resource| scan.resource_hits(resource));
        let hits = of_resources.chain(spans.iter().flat_map(|span| scan.span_hits(span))).copied().collect();
        Self { resources, groups, spans, rejected: scan.rejected, hits }
    }
}

/// Encoded resource header, scope header, span.
type Triple = (Vec<u8>, Vec<u8>, Vec<u8>);

fn triples(scan: &Scan, request: &[u8]) -> Vec<Triple> {
    let triple = |span: &otlp::scan::Span| {
        let group = &scan.groups[span.group as usize];
        let resource = &scan.resources[group.resource as usize];
        (
            scan.resource_header(request, resource).to_vec(),
            scan.scope_header(request, group).to_vec(),
            span.body.of(request).to_vec(),
        )
    };
    scan.spans.iter().map(triple).collect()
}

fn rebuild(builder: &mut Builder, scan: &Scan, request: &[u8], order: impl Iterator<Item = usize>) -> Outcome {
    for (resource, scope, span) in order.map(|index| &scan.spans[index]).map(|span| {
        let group = &scan.groups[span.group as usize];
        (&scan.resources[group.resource as usize], group, span)
    }) {
        // A group without spans must not show.
        let _ = builder.group(scan.resource_header(request, resource), b"\x1a\x01-");
        let group = builder.group(scan.resource_header(request, resource), scan.scope_header(request, scope));
        builder.push(group, span.body.of(request));
    }
    Ok(())
}

/// What the builder must write, the plain way.
fn merged(triples: &[Triple]) -> Vec<u8> {
    type Scopes<'a> = Vec<(&'a [u8], Vec<&'a [u8]>)>;
    let mut resources: Vec<(&[u8], Scopes<'_>)> = Vec::new();
    for (resource, scope, span) in triples {
        let at = resources.iter().position(|known| known.0 == resource).unwrap_or_else(|| {
            resources.push((resource, Vec::new()));
            resources.len() - 1
        });
        let scopes = &mut resources[at].1;
        let at = scopes.iter().position(|known| known.0 == scope).unwrap_or_else(|| {
            scopes.push((scope, Vec::new()));
            scopes.len() - 1
        });
        scopes[at].1.push(span);
    }
    let mut request = Vec::new();
    for (header, scopes) in resources {
        let mut resource_spans = header.to_vec();
        for (header, spans) in scopes {
            let mut scope_spans = header.to_vec();
            spans.iter().for_each(|span| put_len(&mut scope_spans, 2, span));
            put_len(&mut resource_spans, 2, &scope_spans);
        }
        put_len(&mut request, 1, &resource_spans);
    }
    request
}

/// Whether `found` holds the last values of `expected`. Compared as bytes, because a NaN is not equal to itself.
fn is_tail<M: Message + Default>(found: &[u8], expected: &M) -> bool {
    M::decode(found).is_ok_and(|found| expected.encode_to_vec().ends_with(&found.encode_to_vec()))
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Outcome {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:02x?} instead of {expected:02x?}")) }
}
