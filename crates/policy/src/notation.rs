//! For tests: traces as short texts, policies as YAML, and a buffer that folds, settles and decides as the engine does.
//!
//! ```text
//! {rs="x" ri=3} 0+1500 error n=500, 20+7 s="a" | {} 5+1
//! ```
//! Pieces stand between bars, each with its resource's attributes in braces and its scope's name in brackets, if any, and its spans between commas: start and
//! duration in milliseconds after [`EPOCH_NS`], then a status (`ok`, `error`, `code=5`), a name (`name:x`), events (`event:x;key=1`), flags (`flags:1`),
//! a trace state (`state:a=b;c=d`, in which `~` is a blank), then attributes. `_` is the empty value. Each piece comes in a request of its own.

use crate::{Candidate, Now, Piece, PolicySet, StoredSpan, TailSampling, Verdict};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span::Event},
};
use otlp::{Keys, TraceId, scan::Scan};
use prost::Message;
use settings::{Problems, Sources};
use std::sync::Arc;

/// When the notation's times begin.
pub(crate) const EPOCH_NS: u64 = 1_700_000_000_000_000_000;

/// The moment of a test's first decision.
pub(crate) const START: Now = Now { mono_ns: 1_000_000_000_000, wall_ns: EPOCH_NS };

/// A policy set with what it needs around it.
pub(crate) struct Bench {
    pub(crate) set: PolicySet,
    scan: Scan,
}

/// A trace that waits.
pub(crate) struct Waiting {
    pub(crate) id: TraceId,
    pub(crate) spans: u32,
    pub(crate) state: Vec<u32>,
    stored: Vec<[Vec<u8>; 3]>,
    /// In span-ingest, once a piece has settled it.
    pub(crate) verdict: Option<Verdict>,
}

/// Decodes the policies, one flow map a line, and asks whether a trace is sampled by them.
#[track_caller]
pub(crate) fn check(policies: &str, traces: &[(&str, bool)]) {
    for (text, expected) in traces {
        let verdict = Bench::new(policies).verdict(text);
        assert_eq!(verdict.keep, *expected, "\n{policies}\n{text}");
    }
}

/// Asks one policy, given as its block, about traces; its inversion is expected to say the opposite.
#[track_caller]
pub(crate) fn check_inverted(kind: &str, block: &str, traces: &[(&str, bool)]) {
    for (is_inverted, invert) in [(false, "false"), (true, "true")] {
        let policy = format!("- {{name: p, type: {kind}, {kind}: {{invert_match: {invert}, {block}}}}}");
        let traces: Vec<(&str, bool)> =
            traces.iter().map(|(text, expected)| (*text, *expected != is_inverted)).collect();
        check(&policy, &traces);
    }
}

/// The settings with these policies.
#[track_caller]
pub(crate) fn decode(policies: &str) -> TailSampling {
    let (settings, told) = decode_all(&format!("policies:\n{policies}"));
    assert!(!told.contains("error:"), "{told}");
    settings.unwrap()
}

/// The settings of a YAML text, and the problems as users see them.
pub(crate) fn decode_all(yaml: &str) -> (Option<TailSampling>, String) {
    let (node, sources, mut problems) = load(yaml);
    let settings = node.and_then(|node| TailSampling::decode(&node, &mut problems));
    (settings, problems.render(&sources))
}

pub(crate) fn load(yaml: &str) -> (Option<settings::Node>, Sources, Problems) {
    settings::load(&[format!("yaml:{yaml}")], &[], &|_| None)
}

impl Bench {
    pub(crate) fn new(policies: &str) -> Self {
        Self::of(&decode(policies))
    }

    pub(crate) fn of(settings: &TailSampling) -> Self {
        let mut keys = Keys::default();
        keys.intern("a key that somebody else reads");
        let set = PolicySet::new(settings, &mut keys, START);
        Self::with(set, keys)
    }

    pub(crate) fn with(set: PolicySet, keys: Keys) -> Self {
        Self { set, scan: Scan::new(Arc::new(keys)) }
    }

    /// The verdict on a trace in notation, at [`START`].
    pub(crate) fn verdict(&mut self, text: &str) -> Verdict {
        self.verdicts(&[text], START)[0]
    }

    /// The verdicts on traces in notation that are due together.
    pub(crate) fn verdicts(&mut self, texts: &[&str], now: Now) -> Vec<Verdict> {
        let mut waiting = Vec::new();
        for (number, text) in (1..).zip(texts) {
            for request in requests(text, number) {
                self.fold(&request, &mut waiting);
            }
        }
        self.decide(&mut waiting, now)
    }

    /// What the deciding policy is called, and where it matched: `path @span` or `path @span resource`.
    pub(crate) fn why(&mut self, text: &str) -> String {
        let reason = self.verdict(text).reason;
        let place = reason.place().map_or_else(String::new, |place| {
            format!(" @{}{}", place.span, if place.on_resource { " resource" } else { "" })
        });
        format!("{}{place}", self.set.describe(reason))
    }

    /// Takes a request in.
    pub(crate) fn fold(&mut self, request: &[u8], waiting: &mut Vec<Waiting>) {
        self.scan.run(request).unwrap();
        let mut resource_before: Vec<(TraceId, u32)> = Vec::new();
        for span in &self.scan.spans {
            let group = &self.scan.groups[span.group as usize];
            let resource = &self.scan.resources[group.resource as usize];
            let at = waiting.iter().position(|trace| trace.id == span.trace_id).unwrap_or_else(|| {
                let state = vec![0; self.set.state_words()];
                waiting.push(Waiting { id: span.trace_id, spans: 0, state, stored: Vec::new(), verdict: None });
                waiting.len() - 1
            });
            let trace = &mut waiting[at];
            trace.spans += 1;
            let state = &mut trace.state[..];
            let piece = Piece { request, scan: &self.scan, resource, now: START };
            if !resource_before.contains(&(span.trace_id, group.resource)) {
                resource_before.push((span.trace_id, group.resource));
                self.set.fold_resource(state, trace.spans, &piece);
            }
            self.set.fold_span(state, trace.spans, &piece, span);
            let (from, to) = (span.body.start as usize, (span.body.start + span.body.len) as usize);
            let resource_header = self.scan.resource_header(request, resource).to_vec();
            let scope_header = self.scan.scope_header(request, group).to_vec();
            trace.stored.push([resource_header, scope_header, request[from..to].to_vec()]);
        }
    }

    /// Takes a request of one ResourceSpans in and asks about its pieces, as span-ingest does.
    pub(crate) fn fold_pieces(&mut self, request: &[u8], waiting: &mut Vec<Waiting>, now: Now) {
        self.fold(request, waiting);
        for trace in waiting.iter_mut().filter(|trace| trace.verdict.is_none()) {
            if self.scan.spans.iter().any(|span| span.trace_id == trace.id) {
                trace.verdict = self.set.decide_piece(&trace.candidate(), now);
            }
        }
    }

    /// What [`PolicySet::explain`] says about a trace in notation, alone at [`START`].
    pub(crate) fn explanation(&mut self, text: &str) -> String {
        let mut waiting = Vec::new();
        requests(text, 5).iter().for_each(|request| self.fold(request, &mut waiting));
        let verdict = self.decide(&mut waiting, START)[0];
        self.set.explain(&verdict, &mut waiting[0].stored())
    }

    /// Settles what is open and decides.
    pub(crate) fn decide(&self, waiting: &mut [Waiting], now: Now) -> Vec<Verdict> {
        let mut candidates: Vec<Candidate<'_>> = Vec::new();
        for (number, trace) in (0..).zip(waiting) {
            let state = &mut trace.state[..];
            let mut candidate =
                Candidate { trace_id: trace.id, first_seen_ns: number, spans: trace.spans, bytes: 0, state };
            if self.set.needs_spans(&candidate) {
                let mut spans = stored(&trace.stored);
                self.set.settle(&mut candidate, now, &mut spans);
                assert!(!self.set.needs_spans(&candidate), "settled once is settled");
            }
            candidates.push(candidate);
        }
        self.set.decide(&mut candidates, now)
    }
}

fn stored(spans: &[[Vec<u8>; 3]]) -> impl Iterator<Item = StoredSpan<'_>> {
    spans.iter().map(|[resource_header, scope_header, span]| StoredSpan { resource_header, scope_header, span })
}

impl Waiting {
    pub(crate) fn stored(&self) -> impl Iterator<Item = StoredSpan<'_>> {
        stored(&self.stored)
    }

    pub(crate) fn candidate(&mut self) -> Candidate<'_> {
        Candidate { trace_id: self.id, first_seen_ns: 0, spans: self.spans, bytes: 0, state: &mut self.state }
    }
}

/// A trace in notation as one request a piece. Its ID is the two numbers (n, n + 1), as in contrib's tests.
pub(crate) fn requests(text: &str, number: u64) -> Vec<Vec<u8>> {
    let id = (u128::from(number) << 64 | u128::from(number + 1)).to_be_bytes();
    let pieces = text.split('|').map(|piece| resource_spans(piece.trim(), &id));
    pieces.map(|piece| ExportTraceServiceRequest { resource_spans: vec![piece] }.encode_to_vec()).collect()
}

fn resource_spans(piece: &str, id: &[u8]) -> ResourceSpans {
    let (resource, spans) = match piece.strip_prefix('{') {
        Some(piece) => piece.split_once('}').expect("a closing brace"),
        None => ("", piece),
    };
    let (scope, spans) = match spans.trim_start().strip_prefix('[') {
        Some(spans) => spans.split_once(']').expect("a closing bracket"),
        None => ("", spans),
    };
    let attributes = resource.split_whitespace().map(attribute).collect();
    let scope = (!scope.is_empty()).then(|| InstrumentationScope { name: scope.to_string(), ..Default::default() });
    let spans = spans.split(',').map(|text| span(text, id)).collect();
    ResourceSpans {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_spans: vec![ScopeSpans { scope, spans, ..ScopeSpans::default() }],
        ..ResourceSpans::default()
    }
}

fn span(text: &str, id: &[u8]) -> Span {
    let mut span = Span { trace_id: id.to_vec(), span_id: vec![7; 8], ..Span::default() };
    for word in text.split_whitespace() {
        let status = |code: i32| Some(Status { code, ..Status::default() });
        match word {
            "ok" => span.status = status(1),
            "error" => span.status = status(2),
            "code=5" => span.status = status(5),
            word if word.starts_with("name:") => span.name = word.replacen("name:", "", 1),
            word if word.starts_with("flags:") => span.flags = word.replacen("flags:", "", 1).parse().unwrap(),
            word if word.starts_with("state:") => {
                span.trace_state = word.replacen("state:", "", 1).replace(';', ",").replace('~', " ");
            }
            word if word.starts_with("event:") => {
                let mut words = word.split(';');
                let name = words.next().unwrap().replacen("event:", "", 1);
                span.events.push(Event { name, attributes: words.map(attribute).collect(), ..Event::default() });
            }
            word if word.contains('=') => span.attributes.push(attribute(word)),
            word => {
                let (start, duration) = word.split_once('+').expect("start+duration");
                span.start_time_unix_nano = EPOCH_NS + nanoseconds(start);
                span.end_time_unix_nano = span.start_time_unix_nano + nanoseconds(duration);
            }
        }
    }
    span
}

fn nanoseconds(milliseconds: &str) -> u64 {
    (milliseconds.parse::<f64>().unwrap() * 1e6).round() as u64
}

fn attribute(word: &str) -> KeyValue {
    let (key, text) = word.split_once('=').expect("key=value");
    let value = match text {
        "_" => None,
        "true" | "false" => Some(any_value::Value::BoolValue(text == "true")),
        text if text.starts_with('"') => Some(any_value::Value::StringValue(text.trim_matches('"').to_string())),
        text if text.contains('.') => Some(any_value::Value::DoubleValue(text.parse().unwrap())),
        text => Some(any_value::Value::IntValue(text.parse().unwrap())),
    };
    KeyValue { key: key.to_string(), value: Some(AnyValue { value }), ..KeyValue::default() }
}
