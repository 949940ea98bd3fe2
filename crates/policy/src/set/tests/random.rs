//! Random policy trees over random traces in random pieces: every verdict, policy and place as the oracle has it.
//!
//! A run prints its seed; `POLICY_SEED=<seed>` replays it. `POLICY_ROUNDS` makes it longer.

use super::oracle::{self, Decision, Limiters};
use crate::{
    Kind, Now, Policy, SamplingStrategy, TailSampling, Verdict,
    always_sample::AlwaysSample,
    and::And,
    boolean_attribute::BooleanAttribute,
    bytes_limiting::BytesLimiting,
    composite::{Allocation, Composite},
    drop::Drop,
    kinds::Level,
    latency::Latency,
    not::Not,
    notation::{Bench, EPOCH_NS, START},
    numeric_attribute::NumericAttribute,
    ottl_condition::{ErrorMode, OttlCondition},
    probabilistic::Probabilistic,
    rate_limiting::RateLimiting,
    set::size,
    span_count::SpanCount,
    status_code::{Code, StatusCode},
    string_attribute::StringAttribute,
    trace_flags::TraceFlags,
    trace_state::TraceState,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span::Event},
};
use ottl::Pattern;
use prost::Message;
use std::hash::{BuildHasher, RandomState};

#[test]
fn random_sets_agree_with_the_oracle() {
    let setting = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let seed = setting("POLICY_SEED").unwrap_or_else(|| RandomState::new().hash_one("seed"));
    let rounds = setting("POLICY_ROUNDS").unwrap_or(600);
    println!("POLICY_SEED={seed} POLICY_ROUNDS={rounds}");
    let mut dice = Dice { state: seed };
    let mut totals = Totals::default();
    for round in 0..rounds {
        let name = format!("POLICY_SEED={seed}, round {round}");
        play(&mut dice, &mut totals, &name);
        play_by_piece(&mut dice, &mut totals, &name);
    }
    println!("{totals:?}");
    assert!(
        totals.kept * 5 > totals.traces && totals.kept * 5 < totals.traces * 4,
        "the verdicts should differ: {totals:?}"
    );
    assert!(
        totals.with_wholes * 40 > rounds && totals.with_limits * 20 > rounds,
        "all classes should occur: {totals:?}"
    );
    assert!(
        totals.dropped * 200 > totals.traces && totals.composed * 50 > totals.traces && totals.pieces_decided > rounds,
        "all ways should occur: {totals:?}"
    );
}

#[derive(Debug, Default)]
struct Totals {
    traces: u64,
    kept: u64,
    placed: u64,
    with_wholes: u64,
    with_limits: u64,
    dropped: u64,
    composed: u64,
    pieces_decided: u64,
}

/// One policy set, three decisions.
fn play(dice: &mut Dice, totals: &mut Totals, name: &str) {
    let policies = (0..dice.below(5)).map(|number| policy(dice, format!("p{number}"), Level::Top)).collect();
    let settings = TailSampling { policies, sample_on_first_match: dice.one_in(4), ..TailSampling::default() };
    let mut bench = Bench::of(&settings);
    totals.with_wholes += u64::from(!bench.set.wholes.is_empty());
    totals.with_limits += u64::from(bench.set.has_limits);
    let mut limiters = Limiters::default();
    for turn in 0..3 {
        let (mut traces, mut waiting) = (Vec::new(), Vec::new());
        for request in requests(dice) {
            oracle::receive(&request.resource_spans, &mut traces, |_, _| ());
            bench.fold(&request.encode_to_vec(), &mut waiting);
        }
        let (now, time) = at(turn);
        let expected = oracle::decide(&settings, &traces, &mut limiters, time);
        let verdicts = bench.decide(&mut waiting, now);
        assert_eq!(verdicts.len(), expected.len(), "{name}");
        for (verdict, expected) in verdicts.iter().zip(&expected) {
            assert_eq!(found(&bench, verdict), *expected, "{name}, decision {turn}: {settings:#?}");
            totals.traces += 1;
            totals.kept += u64::from(verdict.keep);
            totals.placed += u64::from(expected.place.is_some());
            totals.dropped += u64::from(!verdict.keep && !expected.policy.is_empty());
            totals.composed += u64::from(expected.composite.is_some());
        }
        for (waiting, trace) in waiting.iter().zip(&traces) {
            let sizes = trace.pieces.iter().map(|piece| piece.message.encoded_len());
            let (bodies, request) = sizes.fold((0, 0), |(bodies, request), size| {
                (bodies + size as u64, request + oracle::size_of_field(size) as u64)
            });
            if let Some(first) = bench.set.folds.size {
                let kept = (size::bodies_bytes(&waiting.state, first), size::request_bytes(&waiting.state, first));
                assert_eq!(kept, (bodies, request), "{name}");
            }
        }
    }
}

/// One policy set in span-ingest, asked after each piece until a verdict is there.
fn play_by_piece(dice: &mut Dice, totals: &mut Totals, name: &str) {
    let policies = (0..1 + dice.below(4)).map(|number| policy(dice, format!("p{number}"), Level::Top));
    let policies = policies.filter(|policy| !policy.is_stateful()).collect();
    let sampling_strategy = SamplingStrategy::SpanIngest;
    let settings = TailSampling { policies, sampling_strategy, ..TailSampling::default() };
    let mut bench = Bench::of(&settings);
    assert!(bench.set.wholes.is_empty() && bench.set.is_span_ingest());
    let (mut limiters, mut traces, mut waiting) = (Limiters::default(), Vec::new(), Vec::new());
    let (now, time) = at(0);
    let mut expected: Vec<Option<Decision>> = Vec::new();
    for request in requests(dice) {
        oracle::receive(&request.resource_spans, &mut traces, |at, trace| {
            expected.resize_with(expected.len().max(at + 1), || None);
            if expected[at].is_none() {
                expected[at] = oracle::decide_piece(&settings, trace, &mut limiters, time);
            }
        });
        // Each ResourceSpans comes alone, so that its pieces are over with it.
        for part in request.resource_spans {
            let request = ExportTraceServiceRequest { resource_spans: vec![part] };
            bench.fold_pieces(&request.encode_to_vec(), &mut waiting, now);
        }
    }
    for (waiting, expected) in waiting.iter().zip(&expected) {
        let found = waiting.verdict.map(|verdict| found(&bench, &verdict));
        assert_eq!(found, *expected, "{name}: {settings:#?}");
        totals.pieces_decided += u64::from(expected.is_some());
    }
}

fn at(turn: u64) -> (Now, oracle::Time) {
    let half_ns = turn * 500_000_000;
    let now = Now { mono_ns: START.mono_ns + half_ns, wall_ns: START.wall_ns + half_ns };
    (now, oracle::Time { seconds: turn as f64 * 0.5, wall_second: turn / 2, wall_ns: now.wall_ns })
}

fn found(bench: &Bench, verdict: &Verdict) -> Decision {
    let recorded = bench.set.recorded(verdict);
    Decision {
        keep: verdict.keep,
        policy: recorded.policy.to_string(),
        place: verdict.reason.place().map(|place| (place.span, place.on_resource)),
        composite: recorded.composite_policy.map(str::to_string),
    }
}

fn policy(dice: &mut Dice, name: String, level: Level) -> Policy {
    let kind = match level {
        Level::Top => dice.below(23),
        // Costly conditions and cheap ones beside them.
        Level::And | Level::Drop => dice.pick(&[0, 1, 1, 2, 3, 4, 5, 6, 7, 7, 7, 8, 9, 10, 11, 12, 13, 13, 17]),
        Level::Composite => dice.pick(&[0, 1, 1, 2, 3, 4, 5, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 14, 14]),
        Level::Not => dice.below(14),
    };
    let kind = match kind {
        ..14 => leaf(dice, kind),
        14..17 => Kind::And(And { and_sub_policy: parts(dice, &name, Level::And) }),
        17..19 => {
            let policy = policy(dice, format!("{name}.not"), Level::Not);
            Kind::Not(Not { not_sub_policy: Box::new(policy) })
        }
        19 => Kind::Drop(Drop { drop_sub_policy: parts(dice, &name, Level::Drop) }),
        _ => composite(dice, &name),
    };
    Policy { name, kind }
}

fn parts(dice: &mut Dice, name: &str, level: Level) -> Vec<Policy> {
    let count = dice.pick(&[0, 1, 2, 2, 2, 3, 3, 4]);
    (0..count).map(|part| policy(dice, format!("{name}.{part}"), level)).collect()
}

fn composite(dice: &mut Dice, name: &str) -> Kind {
    let count = dice.pick(&[1, 2, 2]);
    let parts: Vec<Policy> = (0..count).map(|part| policy(dice, format!("{name}.{part}"), Level::Composite)).collect();
    let mut rate_allocation = Vec::new();
    for part in &parts {
        if dice.one_in(2) {
            rate_allocation.push(Allocation { policy: part.name.clone(), percent: dice.pick(&[0, 25, 50, 100, 150]) });
        }
    }
    Kind::Composite(Composite {
        max_total_spans_per_second: dice.pick(&[0, 8, 20, 40]),
        policy_order: Vec::new(),
        composite_sub_policy: parts,
        rate_allocation,
    })
}

fn leaf(dice: &mut Dice, kind: u64) -> Kind {
    let key = dice.pick(&["a", "b", "c"]).to_string();
    let invert_match = dice.one_in(3);
    match kind {
        0 if dice.one_in(3) => Kind::AlwaysSample(AlwaysSample),
        0 | 1 => Kind::StatusCode(StatusCode { status_codes: vec![dice.pick(&[Code::Unset, Code::Ok, Code::Error])] }),
        2 => Kind::Latency(Latency {
            threshold_ms: dice.pick(&[-1, 0, 5, 20]),
            upper_threshold_ms: dice.pick(&[0, 0, 21, 40]),
        }),
        3 => Kind::Probabilistic(Probabilistic {
            hash_salt: dice.pick(&["", "b"]).to_string(),
            sampling_percentage: dice.pick(&[25.0, 50.0, 75.0]),
        }),
        4 => Kind::NumericAttribute(NumericAttribute {
            key,
            min_value: dice.pick(&[1, 2, -3]),
            max_value: dice.pick(&[0, 2, 5, -1]),
            invert_match,
        }),
        5 => Kind::BooleanAttribute(BooleanAttribute { key, value: dice.one_in(2), invert_match }),
        6 => Kind::StringAttribute(text(dice, key, invert_match, false)),
        7 => Kind::StringAttribute(text(dice, key, invert_match, true)),
        8 => Kind::SpanCount(SpanCount { min_spans: dice.pick(&[0, 2, 4]), max_spans: dice.pick(&[0, 3, 6]) }),
        9 => Kind::RateLimiting(RateLimiting {
            spans_per_second: dice.pick(&[0, 4, 16]),
            burst_capacity: dice.pick(&[0, 3, 8]),
        }),
        10 => Kind::BytesLimiting(BytesLimiting {
            bytes_per_second: dice.pick(&[0, 256, 1024]),
            burst_capacity: dice.pick(&[0, 300, 700]),
        }),
        11 => Kind::TraceFlags(TraceFlags),
        12 => {
            let pick = |dice: &mut Dice, from: &[&str]| {
                (0..dice.below(3)).map(|_| dice.pick(from).to_string()).collect::<Vec<String>>()
            };
            Kind::OttlCondition(OttlCondition {
                error_mode: dice.pick(&[ErrorMode::Propagate, ErrorMode::Ignore, ErrorMode::Silent]),
                span: pick(dice, oracle::leaf::SPAN),
                spanevent: pick(dice, oracle::leaf::EVENT),
                ..OttlCondition::default()
            })
        }
        _ => {
            let values = (0..dice.below(3)).map(|_| dice.pick(&["x", "y", ""]).to_string()).collect();
            Kind::TraceState(TraceState { key, values })
        }
    }
}

fn text(dice: &mut Dice, key: String, invert_match: bool, enabled_regex_matching: bool) -> StringAttribute {
    let pool: &[&str] = if enabled_regex_matching { &["^x", "y$", "^$", "x.y", "."] } else { &["x", "xy", "", "x-y"] };
    let values: Vec<String> = (0..dice.below(3)).map(|_| dice.pick(pool).to_string()).collect();
    let patterns = if enabled_regex_matching { &values[..] } else { &[] };
    let patterns = patterns.iter().map(|value| Pattern::new(value).unwrap()).collect();
    StringAttribute { key, values, enabled_regex_matching, cache_max_size: 0, invert_match, patterns }
}

/// Up to eight traces, their spans strewn over requests, resources and scopes.
fn requests(dice: &mut Dice) -> Vec<ExportTraceServiceRequest> {
    let base: u64 = dice.next();
    let traces = 1 + dice.below(8);
    let requests = 1 + dice.below(5);
    (0..requests)
        .map(|_| ExportTraceServiceRequest { resource_spans: several(dice, |dice| part(dice, base, traces)) })
        .collect()
}

fn part(dice: &mut Dice, base: u64, traces: u64) -> ResourceSpans {
    let resource = Some(Resource { attributes: attributes(dice), ..Resource::default() });
    let scope =
        |dice: &mut Dice| ScopeSpans { spans: several(dice, |dice| span(dice, base, traces)), ..ScopeSpans::default() };
    ResourceSpans {
        resource: resource.filter(|_| !dice.one_in(5)),
        scope_spans: several(dice, scope),
        ..ResourceSpans::default()
    }
}

fn span(dice: &mut Dice, base: u64, traces: u64) -> Span {
    let trace = base.wrapping_add(dice.below(traces)).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let start_ns = EPOCH_NS + dice.below(30) * 1_000_000;
    Span {
        trace_id: (u128::from(trace) << 64 | u128::from(trace)).to_be_bytes().to_vec(),
        span_id: dice.next().to_be_bytes().to_vec(),
        start_time_unix_nano: if dice.one_in(20) { 0 } else { start_ns },
        end_time_unix_nano: if dice.one_in(20) { 0 } else { start_ns + dice.below(30_000) * 1000 },
        attributes: attributes(dice),
        status: Some(Status { code: dice.pick(&[0, 0, 0, 0, 1, 2, 5]), ..Status::default() })
            .filter(|_| !dice.one_in(4)),
        events: (0..dice.below(3)).map(|_| event(dice)).collect(),
        flags: dice.pick(&[0, 0, 0, 256, 257]),
        trace_state: dice.pick(&["", "", "", "a=x,b=y", "a=y", "a=x,,c=x", "a=x, ,b=x", "b=x,b=y"]).to_string(),
        ..Span::default()
    }
}

fn event(dice: &mut Dice) -> Event {
    Event { name: dice.pick(&["", "e1", "e2", "e3"]).to_string(), attributes: attributes(dice), ..Event::default() }
}

fn attributes(dice: &mut Dice) -> Vec<KeyValue> {
    let attribute = |dice: &mut Dice| KeyValue {
        key: dice.pick(&["a", "b", "c", "d", "aa"]).to_string(),
        value: Some(AnyValue { value: value(dice) }).filter(|_| !dice.one_in(20)),
        ..KeyValue::default()
    };
    (0..dice.below(4)).map(|_| attribute(dice)).collect()
}

fn value(dice: &mut Dice) -> Option<any_value::Value> {
    Some(match dice.below(8) {
        0 => any_value::Value::BoolValue(dice.one_in(2)),
        1 | 2 => any_value::Value::IntValue(dice.pick(&[-2, 0, 1, 2, 3, 9])),
        3 => any_value::Value::DoubleValue(1.5),
        4..7 => any_value::Value::StringValue(dice.pick(&["", "x", "xy", "x-y", "z"]).to_string()),
        _ => return None,
    })
}

fn several<T>(dice: &mut Dice, mut make: impl FnMut(&mut Dice) -> T) -> Vec<T> {
    (0..dice.below(4)).map(|_| make(dice)).collect()
}

/// SplitMix64.
struct Dice {
    state: u64,
}

impl Dice {
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ self.state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}
