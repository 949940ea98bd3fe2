//! `redaction`: attributes with unknown keys removed, texts masked, in resources, scopes, records, span events and log
//! bodies.
//!
//! What is allowed is asked before what is blocked. What was done is told in attributes `redaction.*`, where that is asked
//! for. Names of spans are only looked at for paths and queries.

mod body;
mod database;
mod hash;
mod json;
mod keccak;
mod redis;
mod rules;
mod summary;
mod written;

pub use written::{DbSanitizer, HashFunction, Queries, RedactionSettings, UrlSanitizer};

use crate::{
    Broken, Edited, Moment, Processor,
    attribute_list::AttributeList,
    splice::{Field, Splice},
    walk,
};
use body::Path;
use otlp::{
    Signal,
    view::{LogView, SpanView},
    wire::{WireError, put_len},
};
use rules::Rules;
use std::{borrow::Cow, ops::Range};
use summary::{ATTRIBUTES, BODY, Names, Summary, Tally};

/// The processor `redaction`.
#[derive(Debug)]
pub struct Redaction {
    rules: Rules,
    summary: Summary,
}

/// What one request is worked on with.
struct Pass<'r, 'a> {
    redaction: &'r Redaction,
    signal: Signal,
    list: AttributeList<'a>,
    tally: Tally<'a>,
}

/// Field of a resource: an attribute.
const RESOURCE_ATTRIBUTE: u32 = 1;
/// Field of a scope: an attribute.
const SCOPE_ATTRIBUTE: u32 = 3;
/// Field of a span event: an attribute.
const EVENT_ATTRIBUTE: u32 = 3;
/// Field of a span: its name.
const NAME: u32 = 5;
/// Field of a log record: its body.
const LOG_BODY: u32 = 5;

/// The kinds of spans that are sent or received, and the one of those that are neither.
const INTERNAL: i32 = 1;
const SERVER: i32 = 2;
const CLIENT: i32 = 3;

impl Redaction {
    /// Compiles the settings.
    ///
    /// # Errors
    /// What is wrong with a pattern; with those that decoding gave nothing is.
    pub fn new(settings: &RedactionSettings) -> Result<Self, String> {
        Ok(Self { rules: Rules::new(settings)?, summary: Summary::new(&settings.summary) })
    }

    fn looks_at_names(&self) -> bool {
        self.rules.databases.in_names()
    }

    /// What a span's name becomes; `list` has its attributes as they are now.
    fn name(&self, span: &SpanView<'_>, list: &AttributeList<'_>) -> Option<Vec<u8>> {
        let (rules, name) = (&self.rules, span.name);
        if rules.is_allowed(name) {
            return None;
        }
        if rules.databases.in_names() && matches!(span.kind, INTERNAL | SERVER | CLIENT) {
            let form = rules.databases.name(name, &rules.databases.system_of(list, false))?;
            return Some(form).filter(|form| form != name && is_name(form));
        }
        None
    }
}

fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name != b"..."
}

impl<'a> Pass<'_, 'a> {
    /// The attributes of a message that the splice has entered.
    fn attributes(&mut self, splice: &mut Splice<'_>, within: Range<usize>, number: u32) -> Result<(), WireError> {
        self.read(within, number)?;
        self.list.write(splice);
        Ok(())
    }

    /// Reads attributes, and does what is to be done to them.
    fn read(&mut self, within: Range<usize>, number: u32) -> Result<(), WireError> {
        self.list.read(within, number)?;
        self.redaction.rules.attributes(&mut self.list, &mut self.tally, self.signal == Signal::Logs);
        self.tell(&ATTRIBUTES);
        Ok(())
    }

    fn tell(&mut self, names: &Names) {
        self.redaction.summary.tell(&mut self.tally, names, &mut self.list);
        self.tally.clear();
    }

    fn resource_part(&mut self, splice: &mut Splice<'a>, part: &Field) -> Result<(), Broken> {
        for field in walk::fields(splice.source(), part.body.clone()) {
            let field = field?;
            match field.number {
                walk::RESOURCE => {
                    splice.enter(&field);
                    self.attributes(splice, field.body.clone(), RESOURCE_ATTRIBUTE)?;
                    splice.leave();
                }
                walk::SCOPE_PART => {
                    splice.enter(&field);
                    self.scope_part(splice, &field)?;
                    splice.leave();
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn scope_part(&mut self, splice: &mut Splice<'a>, part: &Field) -> Result<(), Broken> {
        for field in walk::fields(splice.source(), part.body.clone()) {
            let field = field?;
            match (field.number, self.signal) {
                (walk::SCOPE, _) => {
                    splice.enter(&field);
                    self.attributes(splice, field.body.clone(), SCOPE_ATTRIBUTE)?;
                    splice.leave();
                }
                (walk::ITEM, Signal::Metrics) => {
                    walk::each_record(splice, Signal::Metrics, &field, |splice, point, number| {
                        self.attributes(splice, point.body.clone(), number)
                    })?;
                }
                (walk::ITEM, _) => self.item(splice, &field)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// A span or log record. Edits have to come in the order of the bytes; where these are in another one than ours, they
    /// are put in ours first.
    fn item(&mut self, splice: &mut Splice<'a>, item: &Field) -> Result<(), WireError> {
        let order: &[u32] = match self.signal {
            Signal::Traces => &[NAME, walk::SPAN_ATTRIBUTE, walk::EVENT],
            _ => &[LOG_BODY, walk::LOG_ATTRIBUTE],
        };
        splice.enter(item);
        if let Some(sorted) = sorted(splice.source(), item, order)? {
            let mut pass = Pass::new(self.redaction, self.signal, &sorted);
            let mut inner = Splice::new(&sorted);
            pass.fields(&mut inner, 0..sorted.len())?;
            if let Cow::Owned(edited) = inner.finish() {
                splice.replace(item.body.clone(), |out| out.extend_from_slice(&edited));
            }
        } else {
            self.fields(splice, item.body.clone())?;
        }
        splice.leave();
        Ok(())
    }

    fn fields(&mut self, splice: &mut Splice<'a>, within: Range<usize>) -> Result<(), WireError> {
        match self.signal {
            Signal::Traces => self.span(splice, within),
            _ => self.log(splice, within),
        }
    }

    fn span(&mut self, splice: &mut Splice<'a>, within: Range<usize>) -> Result<(), WireError> {
        let source = splice.source();
        self.read(within.clone(), walk::SPAN_ATTRIBUTE)?;
        if self.redaction.looks_at_names() {
            let span = SpanView::parse(source.get(within.clone()).unwrap_or_default())?;
            if let Some(name) = self.redaction.name(&span, &self.list) {
                replace(splice, within.clone(), NAME, &name)?;
            }
        }
        self.list.write(splice);
        for event in walk::fields(source, within) {
            let event = event?;
            if event.number == walk::EVENT {
                splice.enter(&event);
                self.attributes(splice, event.body.clone(), EVENT_ATTRIBUTE)?;
                splice.leave();
            }
        }
        Ok(())
    }

    fn log(&mut self, splice: &mut Splice<'a>, within: Range<usize>) -> Result<(), WireError> {
        let source = splice.source();
        self.read(within.clone(), walk::LOG_ATTRIBUTE)?;
        let log = LogView::parse(source.get(within.clone()).unwrap_or_default())?;
        let body = self.redaction.rules.value(log.value, Path::Root, 0, &mut self.tally)?;
        self.tell(&BODY);
        if let Some(body) = body {
            replace(splice, within, LOG_BODY, &body)?;
        }
        self.list.write(splice);
        Ok(())
    }
}

impl<'r, 'a> Pass<'r, 'a> {
    fn new(redaction: &'r Redaction, signal: Signal, source: &'a [u8]) -> Self {
        Self { redaction, signal, list: AttributeList::new(source), tally: Tally::default() }
    }
}

/// Gives the last field of a number another body; where there is none, it comes first.
fn replace(splice: &mut Splice<'_>, within: Range<usize>, number: u32, body: &[u8]) -> Result<(), WireError> {
    let mut at = within.start..within.start;
    for field in walk::fields(splice.source(), within) {
        let field = field?;
        if field.number == number {
            at = field.whole();
        }
    }
    splice.replace(at, |out| put_len(out, number, body));
    Ok(())
}

/// The fields of a message by number, if those of these numbers come in another order.
fn sorted(source: &[u8], message: &Field, order: &[u32]) -> Result<Option<Vec<u8>>, WireError> {
    let mut last = 0;
    let mut is_sorted = true;
    for field in walk::fields(source, message.body.clone()) {
        let number = field?.number;
        if order.contains(&number) {
            is_sorted &= last <= number;
            last = number;
        }
    }
    if is_sorted {
        return Ok(None);
    }
    let mut fields: Vec<(u32, &[u8])> = Vec::new();
    let mut reader = otlp::wire::Reader::within(source, message.body.start, message.body.end);
    while !reader.is_empty() {
        let start = reader.position();
        let tag = reader.tag()?;
        reader.skip(tag, 0)?;
        fields.push((tag.field, source.get(start..reader.position()).unwrap_or_default()));
    }
    fields.sort_by_key(|(number, _)| *number);
    Ok(Some(fields.into_iter().flat_map(|(_, field)| field).copied().collect()))
}

impl Processor for Redaction {
    fn edit<'a>(&self, signal: Signal, request: &'a [u8], _moment: Moment<'_>) -> Result<Edited<'a>, Broken> {
        let mut splice = Splice::new(request);
        let mut pass = Pass::new(self, signal, request);
        for part in walk::fields(request, 0..request.len()) {
            let part = part?;
            if part.number == walk::RESOURCE_PART {
                splice.enter(&part);
                pass.resource_part(&mut splice, &part)?;
                splice.leave();
            }
        }
        Ok(Edited::new(splice.finish(), 0))
    }
}

#[cfg(test)]
mod tests;
