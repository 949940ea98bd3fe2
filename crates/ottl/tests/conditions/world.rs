//! The span of the conformance vectors, as it arrives and as it was stored.

use otlp::{Keys, scan::Scan};
use ottl::{Condition, Context, Fuel, Moment, Subject, SyntaxError};
use std::{fs, path::PathBuf, sync::Arc};

/// What a condition says. For a span event condition: about any of the span's events.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    True,
    False,
    Error(ottl::Error),
    Refused(Vec<SyntaxError>),
}

/// 2026-01-01T00:00:10Z.
pub(crate) const MOMENT: Moment = Moment { wall_ns: 1_767_325_610_000_000_000, seed: 7 };

/// Enough for every condition that is not meant to run dry.
pub(crate) const FUEL: u64 = 1_000_000_000;

/// Spans to ask about.
pub(crate) struct World {
    request: Vec<u8>,
}

impl World {
    /// The trace of the vectors.
    pub(crate) fn of_vectors() -> Self {
        Self::of_json(&read("vector_trace.jsonl"))
    }

    /// A trace in OTLP/JSON.
    pub(crate) fn of_json(json: &str) -> Self {
        Self { request: otlp::json::decode(otlp::Signal::Traces, json.trim().as_bytes()).expect("OTLP/JSON") }
    }

    /// One span, given by its fields in OTLP/JSON.
    pub(crate) fn of_span(fields: &str) -> Self {
        let ids = r#""traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7""#;
        let comma = if fields.is_empty() { "" } else { "," };
        Self::of_json(&format!(
            r#"{{"resourceSpans": [{{"scopeSpans": [{{"spans": [{{{ids}{comma} {fields}}}]}}]}}]}}"#
        ))
    }

    pub(crate) fn ask(&self, context: Context, text: &str) -> Answer {
        self.ask_with(context, text, FUEL).0
    }

    /// Asks about the first span, arriving and stored, which must agree; also says what fuel is left.
    #[track_caller]
    pub(crate) fn ask_with(&self, context: Context, text: &str, units: u64) -> (Answer, u64) {
        let mut keys = Keys::default();
        let condition = match Condition::compile(text, context, &mut keys) {
            Ok(condition) => condition,
            Err(errors) => {
                for error in &errors {
                    assert!(text.get(error.at.clone()).is_some(), "{text}: {error:?} is outside");
                }
                return (Answer::Refused(errors), units);
            }
        };
        let mut scan = Scan::new(Arc::new(keys));
        scan.run(&self.request).expect("a decoded request");
        let span = &scan.spans[0];
        let group = &scan.groups[span.group as usize];
        let resource = scan.resource_header(&self.request, &scan.resources[group.resource as usize]);
        let scope = scan.scope_header(&self.request, group);
        let body = span.body.of(&self.request);

        let fuel = Fuel::new(units);
        let arriving = Subject::arriving(&self.request, &scan, span, MOMENT, &fuel);
        let answer = answer(&condition, &arriving);
        let stored_fuel = Fuel::new(FUEL.max(units));
        let stored = Subject::stored(resource, scope, body, MOMENT, &stored_fuel);
        if units >= FUEL {
            assert_eq!(answer, self::answer(&condition, &stored), "{text}: arriving and stored differ");
        }
        (answer, fuel.remaining())
    }

    /// Whether a condition holds; it must be legal.
    #[track_caller]
    pub(crate) fn check(&self, text: &str, expected: bool) {
        let expected = if expected { Answer::True } else { Answer::False };
        assert_eq!(self.ask(Context::Span, text), expected, "{text}");
    }
}

fn answer<'e>(condition: &'e Condition, subject: &'e Subject<'e>) -> Answer {
    let answer = match condition.context() {
        Context::SpanEvent => {
            let mut answers = subject.events().map(|event| condition.evaluate_event(subject, event));
            answers.try_fold(false, |any, answer| Ok(any || answer?))
        }
        _ => condition.evaluate(subject),
    };
    match answer {
        Ok(true) => Answer::True,
        Ok(false) => Answer::False,
        Err(error) => Answer::Error(error),
    }
}

/// A file of the conformance folder.
pub(crate) fn read(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance");
    fs::read_to_string(folder.join(name)).expect("a file of the conformance folder")
}
