//! One pass over a request: what rules hold for is cut, and what is empty then.

use super::older::ResourceSkip;
use crate::{
    Broken, Edited, Ignored, Moment,
    attribute_list::AttributeList,
    conditions::Conditions,
    matching::{ItemSkip, Skip},
    splice::{Field, Splice},
    walk,
};
use otlp::{
    Signal,
    view::MetricView,
    wire::{Reader, WireError, WireType},
};
use ottl::{Item, Record};
use std::borrow::Cow;

/// What goes, level by level.
#[derive(Clone, Debug, Default)]
pub(super) struct Stage {
    pub(super) resource: Rule,
    pub(super) scope: Rule,
    /// Of spans, metrics, log records.
    pub(super) item: Rule,
    /// Of span events, data points.
    pub(super) inner: Rule,
}

/// What goes of one level.
#[derive(Clone, Debug, Default)]
pub(super) enum Rule {
    #[default]
    Nothing,
    Conditions(Conditions),
    /// Of items.
    Properties(Box<Skip>),
    /// Of resources of metrics.
    Attributes(ResourceSkip),
}

/// A stage at work on one request.
struct Pass<'e, 'a> {
    stage: &'e Stage,
    signal: Signal,
    moment: Moment<'e>,
    splice: Splice<'a>,
    list: AttributeList<'a>,
    filtered: u64,
    ignored: Ignored,
}

/// The headers that conditions see: a resource's part without its scopes, a scope's without its items. Empty where no rule
/// looks at them.
#[derive(Clone, Copy, Default)]
struct Headers<'h> {
    resource: &'h [u8],
    scope: &'h [u8],
}

/// Whether something stays.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stays,
    Goes,
}

impl Stage {
    /// The request without what goes.
    pub(super) fn edit<'a>(&self, signal: Signal, request: &'a [u8], moment: Moment<'_>) -> Result<Edited<'a>, Broken> {
        let (splice, list) = (Splice::new(request), AttributeList::new(request));
        let mut pass = Pass { stage: self, signal, moment, splice, list, filtered: 0, ignored: Ignored::default() };
        for part in walk::fields(request, 0..request.len()) {
            let part = part?;
            if part.number == walk::RESOURCE_PART {
                pass.whole_or_nothing(&part, Pass::resource_part)?;
            }
        }
        Ok(Edited { body: pass.splice.finish(), filtered: pass.filtered, ignored: pass.ignored })
    }

    /// This stage, unless no list is written, not even an empty one: then what is empty stays, too.
    pub(super) fn if_asked(self) -> Vec<Stage> {
        let asks = [&self.resource, &self.scope, &self.item, &self.inner].into_iter().any(|rule| !rule.is_nothing());
        if asks { vec![self] } else { Vec::new() }
    }

    /// Whether conditions are asked about anything within a resource's part.
    fn asks_within(&self) -> bool {
        [&self.scope, &self.item, &self.inner].iter().any(|rule| matches!(rule, Rule::Conditions(_)))
    }
}

impl Rule {
    fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    fn holds(&self, record: Record<'_>, moment: Moment<'_>, ignored: &mut Ignored) -> Result<bool, Broken> {
        match self {
            Self::Conditions(conditions) => conditions.hold(record, moment, ignored),
            Self::Attributes(skip) => Ok(skip.skips(record.resource)?),
            Self::Nothing | Self::Properties(_) => Ok(false),
        }
    }
}

impl<'a> Pass<'_, 'a> {
    /// Edits inside of a field, or cuts it whole.
    fn whole_or_nothing(
        &mut self,
        field: &Field,
        edit: impl FnOnce(&mut Self, &Field) -> Result<Fate, Broken>,
    ) -> Result<Fate, Broken> {
        let mark = self.splice.mark();
        self.splice.enter(field);
        let fate = edit(self, field)?;
        self.splice.leave();
        if fate == Fate::Goes {
            self.splice.back(mark);
            self.splice.cut(field.whole());
        }
        Ok(fate)
    }

    fn resource_part(&mut self, part: &Field) -> Result<Fate, Broken> {
        let (stage, source) = (self.stage, self.splice.source());
        let needs_header = stage.asks_within() || !stage.resource.is_nothing();
        let header = if needs_header { header(source, part, walk::SCOPE_PART)? } else { Cow::Borrowed(&[][..]) };
        let record = Record { resource: &header, scope: &[], item: Item::Alone, cache: &[], client: None };
        if stage.resource.holds(record, self.moment, &mut self.ignored)? {
            self.filtered += self.records_of_resource(part)?;
            return Ok(Fate::Goes);
        }
        let is_last = stage.scope.is_nothing() && stage.item.is_nothing() && stage.inner.is_nothing();
        let mut fate = Fate::Goes;
        for scope in walk::fields(source, part.body.clone()) {
            let scope = scope?;
            if scope.number != walk::SCOPE_PART {
                continue;
            }
            if is_last {
                return Ok(Fate::Stays);
            }
            let kept = self.whole_or_nothing(&scope, |pass, scope| pass.scope_part(part, scope, &header))?;
            if kept == Fate::Stays {
                fate = Fate::Stays;
            }
        }
        Ok(fate)
    }

    fn scope_part(&mut self, resource: &Field, part: &Field, resource_header: &[u8]) -> Result<Fate, Broken> {
        let (stage, source) = (self.stage, self.splice.source());
        let header = if stage.asks_within() { header(source, part, walk::ITEM)? } else { Cow::Borrowed(&[][..]) };
        let headers = Headers { resource: resource_header, scope: &header };
        if stage.scope.holds(headers.record(Item::Alone), self.moment, &mut self.ignored)? {
            self.filtered += self.records_of_scope(part)?;
            return Ok(Fate::Goes);
        }
        let is_last = stage.item.is_nothing() && stage.inner.is_nothing();
        let skip = match &stage.item {
            Rule::Properties(skip) => Some(skip.of_scope(resource.of(source), part.of(source))?),
            _ => None,
        };
        let mut fate = Fate::Goes;
        for item in walk::fields(source, part.body.clone()) {
            let item = item?;
            if item.number != walk::ITEM {
                continue;
            }
            if is_last || self.item(&item, skip, headers)? == Fate::Stays {
                fate = Fate::Stays;
            }
            if is_last {
                break;
            }
        }
        Ok(fate)
    }

    fn item(&mut self, item: &Field, skip: Option<ItemSkip<'_>>, headers: Headers<'_>) -> Result<Fate, Broken> {
        let body = item.of(self.splice.source());
        let goes = match skip {
            Some(skip) => self.is_skipped(item, skip)?,
            None => {
                self.stage.item.holds(headers.record(item_of(self.signal, body)), self.moment, &mut self.ignored)?
            }
        };
        if goes {
            self.filtered += self.records_of(item)?;
            self.splice.cut(item.whole());
            return Ok(Fate::Goes);
        }
        match (&self.stage.inner, self.signal) {
            (Rule::Nothing, _) | (_, Signal::Logs) => Ok(Fate::Stays),
            (inner, Signal::Traces) => self.events(inner, item, headers),
            (inner, Signal::Metrics) => self.whole_or_nothing(item, |pass, metric| pass.points(inner, metric, headers)),
        }
    }

    fn is_skipped(&mut self, item: &Field, skip: ItemSkip<'_>) -> Result<bool, WireError> {
        let number = match self.signal {
            Signal::Traces => Some(walk::SPAN_ATTRIBUTE),
            Signal::Logs => Some(walk::LOG_ATTRIBUTE),
            Signal::Metrics => None,
        };
        if let Some(number) = number {
            self.list.read(item.body.clone(), number)?;
        }
        skip.skips(item.of(self.splice.source()), &self.list)
    }

    fn events(&mut self, rule: &Rule, span: &Field, headers: Headers<'_>) -> Result<Fate, Broken> {
        let source = self.splice.source();
        self.splice.enter(span);
        for event in walk::fields(source, span.body.clone()) {
            let event = event?;
            if event.number != walk::EVENT {
                continue;
            }
            let item = Item::Event { span: span.of(source), event: event.of(source) };
            if rule.holds(headers.record(item), self.moment, &mut self.ignored)? {
                self.splice.cut(event.whole());
            }
        }
        self.splice.leave();
        Ok(Fate::Stays)
    }

    /// A metric goes with the last of its points; one without data stays.
    fn points(&mut self, rule: &Rule, metric: &Field, headers: Headers<'_>) -> Result<Fate, Broken> {
        let source = self.splice.source();
        let view = MetricView::parse(metric.of(source))?;
        let Some(number) = view.kind.field() else { return Ok(Fate::Stays) };
        let mut fate = Fate::Goes;
        for data in walk::fields(source, metric.body.clone()) {
            let data = data?;
            if data.number != number {
                continue;
            }
            self.splice.enter(&data);
            for point in walk::fields(source, data.body.clone()) {
                let point = point?;
                if point.number != walk::POINT {
                    continue;
                }
                let item = Item::Point { metric: view.body, point: point.of(source) };
                if rule.holds(headers.record(item), self.moment, &mut self.ignored)? {
                    self.filtered += 1;
                    self.splice.cut(point.whole());
                } else {
                    fate = Fate::Stays;
                }
            }
            self.splice.leave();
        }
        Ok(fate)
    }

    fn records_of_resource(&self, part: &Field) -> Result<u64, WireError> {
        self.sum(part, walk::SCOPE_PART, |scope| self.records_of_scope(scope))
    }

    fn records_of_scope(&self, part: &Field) -> Result<u64, WireError> {
        self.sum(part, walk::ITEM, |item| self.records_of(item))
    }

    /// How many spans, data points or log records an item is.
    fn records_of(&self, item: &Field) -> Result<u64, WireError> {
        Ok(match self.signal {
            Signal::Traces | Signal::Logs => 1,
            Signal::Metrics => MetricView::parse(item.of(self.splice.source()))?.points().count() as u64,
        })
    }

    fn sum(
        &self,
        message: &Field,
        number: u32,
        count: impl Fn(&Field) -> Result<u64, WireError>,
    ) -> Result<u64, WireError> {
        let mut sum = 0;
        for field in walk::fields(self.splice.source(), message.body.clone()) {
            let field = field?;
            if field.number == number {
                sum += count(&field)?;
            }
        }
        Ok(sum)
    }
}

impl<'h> Headers<'h> {
    fn record(self, item: Item<'h>) -> Record<'h> {
        Record { resource: self.resource, scope: self.scope, item, cache: &[], client: None }
    }
}

fn item_of(signal: Signal, body: &[u8]) -> Item<'_> {
    match signal {
        Signal::Traces => Item::Span(body),
        Signal::Metrics => Item::Metric(body),
        Signal::Logs => Item::Log(body),
    }
}

/// A message without its fields of one number; borrowed where they all come last.
fn header<'a>(source: &'a [u8], message: &Field, without: u32) -> Result<Cow<'a, [u8]>, WireError> {
    let mut reader = Reader::within(source, message.body.start, message.body.end);
    let (mut header, mut from) = (Vec::new(), message.body.start);
    let mut first = None;
    while !reader.is_empty() {
        let start = reader.position();
        let tag = reader.tag()?;
        reader.skip(tag, 0)?;
        if tag.field == without && tag.wire == WireType::Len {
            first = first.or(Some(start));
            header.extend_from_slice(source.get(from..start).unwrap_or_default());
            from = reader.position();
        }
    }
    if first.is_none() {
        return Ok(Cow::Borrowed(message.of(source)));
    }
    if from == message.body.end
        && let Some(first) = first.filter(|first| first - message.body.start == header.len())
    {
        return Ok(Cow::Borrowed(source.get(message.body.start..first).unwrap_or_default()));
    }
    header.extend_from_slice(source.get(from..message.body.end).unwrap_or_default());
    Ok(Cow::Owned(header))
}
