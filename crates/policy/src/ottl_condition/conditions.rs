//! The compiled conditions of one policy, and their order: each span's own, then those of its events.

use super::{ErrorMode, OttlCondition};
use crate::set::Failure;
use otlp::{Keys, view::EventView};
use ottl::{Condition, Context, Error, Subject, SyntaxError};

/// The conditions, compiled.
#[derive(Debug)]
pub(crate) struct Conditions {
    /// What they were compiled from.
    source: OttlCondition,
    span: Vec<Condition>,
    event: Vec<Condition>,
    /// Whether one needs the time of the verdict.
    pub(crate) at_verdict: bool,
    /// Whether one takes long.
    pub(crate) costly: bool,
}

/// Equal texts mean the same.
impl PartialEq for Conditions {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

/// Where a condition is wrong: in which list, which of it, and what about it.
pub(super) type Mistake = (&'static str, usize, SyntaxError);

impl Conditions {
    /// Compiles all of them, adding the attribute keys that they read to `keys`; all that are wrong are told together.
    pub(super) fn compile(source: &OttlCondition, keys: &mut Keys) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let mut list = |name: &'static str, texts: &[String], context: Context| {
            let mut compiled = Vec::new();
            for (index, text) in texts.iter().enumerate() {
                match Condition::compile(text, context, keys) {
                    Ok(condition) => compiled.push(condition),
                    Err(errors) => mistakes.extend(errors.into_iter().map(|error| (name, index, error))),
                }
            }
            compiled
        };
        let span = list("span", &source.span, Context::Span);
        let event = list("spanevent", &source.spanevent, Context::SpanEvent);
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let needs = || span.iter().chain(&event).map(Condition::needs);
        let (at_verdict, costly) = (needs().any(|needs| needs.at_verdict), needs().any(|needs| needs.costly));
        let source = OttlCondition { compiled: super::Compiled::default(), ..source.clone() };
        Ok(Self { source, span, event, at_verdict, costly })
    }

    /// Whether one of them holds for the span or one of its events.
    pub(crate) fn hold<'e>(&'e self, subject: &'e Subject<'e>) -> Result<bool, Failure> {
        for condition in &self.span {
            if self.answer(&condition.evaluate(subject))? {
                return Ok(true);
            }
        }
        if self.event.is_empty() {
            return Ok(false);
        }
        for event in subject.events() {
            if self.holds_for(subject, event)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn holds_for<'e>(&'e self, subject: &'e Subject<'e>, event: EventView<'e>) -> Result<bool, Failure> {
        for condition in &self.event {
            if self.answer(&condition.evaluate_event(subject, event))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn answer(&self, answer: &Result<bool, Error>) -> Result<bool, Failure> {
        match answer {
            Ok(holds) => Ok(*holds),
            Err(Error::OutOfFuel) => Err(Failure::Cut),
            Err(_) if self.source.error_mode == ErrorMode::Propagate => Err(Failure::Error),
            Err(_) => Ok(false),
        }
    }

    /// The text of the condition that holds for the span, and the name of the event if it is one of an event.
    pub(super) fn find<'e>(&'e self, subject: &'e Subject<'e>) -> Option<(&'e str, Option<&'e [u8]>)> {
        let holds = |answer: Result<bool, Error>| answer == Ok(true);
        let own = self.source.span.iter().zip(&self.span).find(|(_, condition)| holds(condition.evaluate(subject)));
        if let Some((text, _)) = own {
            return Some((text, None));
        }
        let of_event = |event: EventView<'e>| {
            let mut conditions = self.source.spanevent.iter().zip(&self.event);
            let (text, _) = conditions.find(|(_, condition)| holds(condition.evaluate_event(subject, event)))?;
            Some((text.as_str(), Some(event.name)))
        };
        if self.event.is_empty() { None } else { subject.events().find_map(of_event) }
    }
}
