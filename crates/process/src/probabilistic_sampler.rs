//! `probabilistic_sampler`: a share of spans and log records, chosen each by itself.
//!
//! What is kept says with which probability it was: in the `ot` of a span's trace state, in the attributes
//! `sampling.threshold` and `sampling.randomness` of a log record. [`sampler`] decides; here is read what it needs, and
//! written what it says.

mod sampler;

mod threshold;
mod trace_state;
mod written;

pub use written::{Mode, ProbabilisticSamplerSettings};

use crate::{
    Broken, Edited, Moment, Processor, any_value,
    attribute_list::AttributeList,
    splice::{Field, Splice},
    walk,
};
use otlp::{
    Signal, Value,
    view::{self, LogView},
    wire::{Reader, WireError, WireType, put_len},
};
use sampler::{Brought, Fate, Mark, Sampler};
use std::{borrow::Cow, convert::Infallible};
use threshold::{Randomness, Threshold};
use trace_state::TraceState;

/// The processor `probabilistic_sampler`.
#[derive(Clone, Debug)]
pub struct ProbabilisticSampler {
    sampler: Sampler,
    fails_closed: bool,
    /// Of log records: the attribute with a percentage.
    priority: Box<str>,
    digits: i64,
}

/// What is read of a span.
#[derive(Default)]
struct Span<'a> {
    trace_id: Option<[u8; 16]>,
    trace_state: Option<Field>,
    /// The threshold that its attribute `sampling.priority` means.
    forced: Option<Threshold>,
    text: &'a [u8],
}

/// Field of a span: its trace ID.
const TRACE_ID: u32 = 1;
/// Field of a span: its trace state.
const TRACE_STATE: u32 = 3;

const PRIORITY: &[u8] = b"sampling.priority";
const THRESHOLD: &[u8] = b"sampling.threshold";
const RANDOMNESS: &[u8] = b"sampling.randomness";

impl ProbabilisticSampler {
    /// Compiles the settings.
    ///
    /// # Errors
    /// None.
    pub fn new(settings: &ProbabilisticSamplerSettings) -> Result<Self, Infallible> {
        Ok(Self {
            sampler: Sampler::new(settings),
            fails_closed: settings.fail_closed,
            priority: settings.sampling_priority.as_str().into(),
            digits: settings.sampling_precision,
        })
    }

    /// Whether a span stays.
    fn span(&self, splice: &mut Splice<'_>, field: &Field) -> Result<bool, WireError> {
        let span = Span::read(splice.source(), field)?;
        let known = match self.sampler.hash() {
            Some(hash) => span.trace_id.map(|id| hash.randomness(&id)),
            None => span.trace_id.map(Randomness::of_trace_id),
        };
        let (state, is_right) = TraceState::read(span.text);
        let brought = Brought {
            is_right,
            randomness: state.randomness.map(|(randomness, _)| randomness),
            threshold: state.threshold.map(|(threshold, _)| threshold),
        };
        let mark = match self.sampler.decide(brought, known, (self.fails_closed, true), |_| span.forced) {
            Fate::Dropped => return Ok(false),
            Fate::Kept => return Ok(true),
            Fate::Marked(mark) => mark,
        };
        let text = state.write(mark.randomness, mark.threshold);
        let text = text.as_bytes();
        if text != span.text {
            let cut = span.trace_state.map_or(field.body.start..field.body.start, |field| field.whole());
            splice.enter(field);
            splice.replace(cut, |out| put_len(out, TRACE_STATE, text));
            splice.leave();
        }
        Ok(true)
    }

    /// Whether a log record stays.
    fn log<'e>(&self, splice: &mut Splice<'_>, list: &mut AttributeList<'e>, field: &Field) -> Result<bool, WireError> {
        let log = LogView::parse(field.of(splice.source()))?;
        list.read(field.body.clone(), walk::LOG_ATTRIBUTE)?;
        let (threshold, randomness) = (text_of(list, THRESHOLD), text_of(list, RANDOMNESS));
        let brought = Brought {
            threshold: threshold.and_then(Threshold::parse),
            randomness: randomness.and_then(Randomness::parse),
            is_right: threshold.is_none_or(|text| Threshold::parse(text).is_some())
                && randomness.is_none_or(|text| Randomness::parse(text).is_some()),
        };
        let trace_id = trace_id(log.trace_id);
        let known = match self.sampler.hash() {
            None => trace_id.map(Randomness::of_trace_id),
            Some(hash) => {
                let by_id = trace_id.filter(|_| hash.by_trace_id()).map(|id| hash.randomness(&id));
                by_id.or_else(|| {
                    let value = list.get(hash.attribute()?.as_bytes())?;
                    let bytes = match any_value::read(value) {
                        Value::Bytes(bytes) => Cow::Borrowed(bytes),
                        value => any_value::text(value),
                    };
                    Some(hash.randomness(&bytes)).filter(|_| !bytes.is_empty())
                })
            }
        };
        let forced = |is_threshold_wrong| {
            if is_threshold_wrong {
                list.remove(THRESHOLD);
            }
            self.forced(list)
        };
        match self.sampler.decide(brought, known, (self.fails_closed, false), forced) {
            Fate::Dropped => return Ok(false),
            Fate::Kept => {}
            Fate::Marked(mark) => {
                mark_log(mark, list);
                splice.enter(field);
                list.write(splice);
                splice.leave();
            }
        }
        Ok(true)
    }

    /// The threshold that a log record asks for.
    fn forced(&self, list: &AttributeList<'_>) -> Option<Threshold> {
        if self.priority.is_empty() {
            return None;
        }
        let share = match any_value::read(list.get(self.priority.as_bytes())?) {
            Value::Double(percentage) => percentage / 100.0,
            Value::Int(percentage) => percentage as f64 / 100.0,
            _ => return None,
        };
        Threshold::of_share(share, self.digits)
    }
}

impl<'a> Span<'a> {
    fn read(source: &'a [u8], field: &Field) -> Result<Self, WireError> {
        let mut span = Self::default();
        let mut has_priority = false;
        let mut reader = Reader::within(source, field.body.start, field.body.end);
        while !reader.is_empty() {
            let start = reader.position();
            let tag = reader.tag()?;
            if tag.wire != WireType::Len || !matches!(tag.field, TRACE_ID | TRACE_STATE | walk::SPAN_ATTRIBUTE) {
                reader.skip(tag, 0)?;
                continue;
            }
            let length = reader.position();
            let body = reader.len_delimited()?;
            match tag.field {
                TRACE_ID => span.trace_id = trace_id(body),
                TRACE_STATE => {
                    let end = reader.position();
                    let body = end - body.len()..end;
                    span.trace_state = Some(Field { number: TRACE_STATE, start, length, body });
                }
                _ if has_priority => {}
                _ => {
                    let (key, value) = view::key_value(body)?;
                    if key == PRIORITY {
                        has_priority = true;
                        span.forced = forced(value);
                    }
                }
            }
        }
        span.text = span.trace_state.as_ref().map_or(&[], |field| field.of(source));
        Ok(span)
    }
}

impl Processor for ProbabilisticSampler {
    fn edit<'a>(&self, signal: Signal, request: &'a [u8], _moment: Moment<'_>) -> Result<Edited<'a>, Broken> {
        let mut splice = Splice::new(request);
        let mut list = AttributeList::new(request);
        let filtered = match signal {
            Signal::Traces => walk::keep_items(&mut splice, |splice, span| self.span(splice, span))?,
            Signal::Logs => walk::keep_items(&mut splice, |splice, log| self.log(splice, &mut list, log))?,
            Signal::Metrics => 0,
        };
        Ok(Edited::new(splice.finish(), filtered))
    }
}

/// An ID that is one.
fn trace_id(bytes: &[u8]) -> Option<[u8; 16]> {
    bytes.try_into().ok().filter(|id| *id != [0; 16])
}

/// As OpenTracing has it: 0 drops a span, more keeps it. Numbers come as texts, too.
fn forced(priority: Value<'_>) -> Option<Threshold> {
    let number = match priority {
        Value::Int(int) => int as f64,
        Value::Double(double) => double,
        Value::Str(_) => ottl::Value::of_wire(priority).into_float_like().ok()??,
        _ => return None,
    };
    match number {
        0.0 => Some(Threshold::NEVER),
        _ if number > 0.0 => Some(Threshold::ALWAYS),
        _ => None,
    }
}

/// The text of an attribute, if it is text and not empty.
fn text_of<'l>(list: &'l AttributeList<'_>, key: &[u8]) -> Option<&'l [u8]> {
    match any_value::read(list.get(key)?) {
        Value::Str(text) => Some(text).filter(|text| !text.is_empty()),
        _ => None,
    }
}

fn mark_log(mark: Mark, list: &mut AttributeList<'_>) {
    let value = |text: String| Cow::Owned(any_value::of_str(text.as_bytes()));
    if let Some(randomness) = mark.randomness {
        list.set(RANDOMNESS, value(randomness.to_string()));
    }
    if let Some(threshold) = mark.threshold {
        list.set(THRESHOLD, value(threshold.to_string()));
    }
}

#[cfg(test)]
mod tests;
