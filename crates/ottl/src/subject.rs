//! What a condition is asked about: one span with its resource and scope, as it arrives or as it was stored, or any other
//! record.
//!
//! An arriving span answers from the scanner's records: times, status, and the attributes that some condition named. Only
//! what these do not hold parses the span, once, and all conditions share it. What is stored, or in a processor's hands, is
//! parsed when something is asked of it.

use crate::{client::Client, error::Error};
use otlp::{
    KeyId,
    scan::{self, Scan},
    view::{self, EventView, LogView, MetricView, PointKind, PointView, ResourceView, ScopeView, SpanView},
};
use std::cell::{Cell, OnceCell};

/// A span or another record to ask conditions about.
#[derive(Debug)]
pub struct Subject<'a> {
    source: Source<'a>,
    moment: Moment,
    fuel: &'a Fuel,
    span: OnceCell<SpanView<'a>>,
    resource: OnceCell<ResourceView<'a>>,
    scope: OnceCell<ScopeView<'a>>,
    other: OnceCell<Other<'a>>,
    /// The event that span event conditions are asked about.
    event: Cell<Option<EventView<'a>>>,
    /// How many random numbers have been drawn.
    draws: Cell<u64>,
}

/// What a condition may know of the world outside the span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// What `Now()` says: nanoseconds since the Unix epoch.
    pub wall_ns: u64,
    /// What `UUID()` is made from; equal seeds give equal IDs.
    pub seed: u64,
}

/// What evaluation may still cost: about one unit a byte looked at or produced, and some for each step.
#[derive(Debug)]
pub struct Fuel(Cell<u64>);

/// Something in a processor's hands, as the bytes that it and what it belongs to are.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The body of a ResourceSpans, ResourceMetrics or ResourceLogs, best without its scopes: they are passed over, but that
    /// takes time.
    pub resource: &'a [u8],
    /// The body of a ScopeSpans, ScopeMetrics or ScopeLogs, best without its items.
    pub scope: &'a [u8],
    /// What it is.
    pub item: Item<'a>,
    /// The entries that `cache` has, as the body of a `KeyValueList`.
    pub cache: &'a [u8],
    /// Who sent it, where that is known.
    pub client: Option<&'a dyn Client>,
}

/// What a [`Record`] is: message bodies.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    /// The resource or the scope alone.
    Alone,
    /// A Span.
    Span(&'a [u8]),
    /// A Span.Event.
    Event {
        /// The span that it is an event of.
        span: &'a [u8],
        /// The event.
        event: &'a [u8],
    },
    /// A Metric.
    Metric(&'a [u8]),
    /// A data point of the kind that its metric has.
    Point {
        /// The metric that it is a point of.
        metric: &'a [u8],
        /// The point.
        point: &'a [u8],
    },
    /// A LogRecord.
    Log(&'a [u8]),
}

/// Views of what is no span.
#[derive(Debug)]
enum Other<'a> {
    Metric(MetricView<'a>),
    Point(MetricView<'a>, PointView<'a>),
    Log(LogView<'a>),
}

/// Where the fields stand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'a> {
    /// In a request that was scanned.
    Arriving {
        request: &'a [u8],
        scan: &'a Scan,
        span: &'a scan::Span,
    },
    /// In a block, apart: ResourceSpans without scopes, ScopeSpans without spans, Span.
    Stored {
        resource: &'a [u8],
        scope: &'a [u8],
        span: &'a [u8],
    },
    Record(Record<'a>),
}

impl<'a> Subject<'a> {
    /// A span of a scanned request. `scan` reports at least the keys that the conditions interned.
    #[must_use]
    pub fn arriving(request: &'a [u8], scan: &'a Scan, span: &'a scan::Span, moment: Moment, fuel: &'a Fuel) -> Self {
        Self::new(Source::Arriving { request, scan, span }, moment, fuel)
    }

    /// A stored span: the headers of its ResourceSpans and ScopeSpans, and its body.
    #[must_use]
    pub fn stored(resource: &'a [u8], scope: &'a [u8], span: &'a [u8], moment: Moment, fuel: &'a Fuel) -> Self {
        Self::new(Source::Stored { resource, scope, span }, moment, fuel)
    }

    /// A record in a processor's hands.
    #[must_use]
    pub fn record(record: Record<'a>, moment: Moment, fuel: &'a Fuel) -> Self {
        let subject = Self::new(Source::Record(record), moment, fuel);
        if let Item::Event { event, .. } = record.item {
            subject.event.set(Some(EventView::parse(event).unwrap_or_default()));
        }
        subject
    }

    fn new(source: Source<'a>, moment: Moment, fuel: &'a Fuel) -> Self {
        Self {
            source,
            moment,
            fuel,
            span: OnceCell::new(),
            resource: OnceCell::new(),
            scope: OnceCell::new(),
            other: OnceCell::new(),
            event: Cell::new(None),
            draws: Cell::new(0),
        }
    }

    /// The span's events in order, to ask span event conditions about.
    pub fn events(&'a self) -> impl Iterator<Item = EventView<'a>> + Clone + use<'a> {
        match &self.source {
            Source::Arriving { span, .. } if !span.has_events => SpanView::default().events(),
            _ => self.span().events(),
        }
    }

    /// Makes `event` the one that event paths mean.
    pub(crate) fn look_at(&self, event: EventView<'a>) {
        self.event.set(Some(event));
    }

    pub(crate) fn event(&self) -> Result<EventView<'a>, Error> {
        self.event.get().ok_or_else(|| Error::failed("asked about no event"))
    }

    /// The moment of evaluation.
    pub(crate) fn moment(&self) -> Moment {
        self.moment
    }

    pub(crate) fn fuel(&self) -> &'a Fuel {
        self.fuel
    }

    pub(crate) fn source(&self) -> &Source<'a> {
        &self.source
    }

    /// What a processor has in its hands; `None` for spans on their way through sampling.
    pub(crate) fn as_record(&self) -> Option<&Record<'a>> {
        if let Source::Record(record) = &self.source { Some(record) } else { None }
    }

    /// 64 random bits: SplitMix64 over the seed.
    pub(crate) fn draw(&self) -> u64 {
        let draws = self.draws.get() + 1;
        self.draws.set(draws);
        let mut bits = self.moment.seed.wrapping_add(draws.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ bits >> 31
    }

    /// Whether the span has no parent.
    pub(crate) fn is_root(&self) -> bool {
        match &self.source {
            Source::Arriving { span, .. } => span.is_root,
            _ => self.span().is_root(),
        }
    }

    /// The whole span, parsed. Its bytes passed the scan, so nothing of it is broken; a span that is reads as empty.
    pub(crate) fn span(&self) -> &SpanView<'a> {
        self.span.get_or_init(|| SpanView::parse(self.span_body()).unwrap_or_default())
    }

    fn span_body(&self) -> &'a [u8] {
        match &self.source {
            Source::Arriving { request, span, .. } => span.body.of(request),
            Source::Stored { span, .. } => span,
            Source::Record(Record { item: Item::Span(span) | Item::Event { span, .. }, .. }) => span,
            Source::Record(_) => &[],
        }
    }

    pub(crate) fn resource(&self) -> &ResourceView<'a> {
        self.resource.get_or_init(|| {
            ResourceView::parse(match &self.source {
                Source::Arriving { request, scan, span } => scan
                    .groups
                    .get(span.group as usize)
                    .and_then(|group| scan.resources.get(group.resource as usize))
                    .map_or(&[], |resource| scan.resource_header(request, resource)),
                Source::Stored { resource, .. } | Source::Record(Record { resource, .. }) => resource,
            })
            .unwrap_or_default()
        })
    }

    pub(crate) fn scope(&self) -> &ScopeView<'a> {
        self.scope.get_or_init(|| {
            ScopeView::parse(match &self.source {
                Source::Arriving { request, scan, span } => {
                    scan.groups.get(span.group as usize).map_or(&[], |group| scan.scope_header(request, group))
                }
                Source::Stored { scope, .. } | Source::Record(Record { scope, .. }) => scope,
            })
            .unwrap_or_default()
        })
    }

    /// The metric, or that of the point.
    pub(crate) fn metric(&self) -> MetricView<'a> {
        match self.other() {
            Some(Other::Metric(metric) | Other::Point(metric, _)) => *metric,
            _ => MetricView::default(),
        }
    }

    pub(crate) fn point(&self) -> Result<&PointView<'a>, Error> {
        match self.other() {
            Some(Other::Point(_, point)) => Ok(point),
            _ => Err(Error::failed("asked about no data point")),
        }
    }

    pub(crate) fn log(&self) -> LogView<'a> {
        if let Some(Other::Log(log)) = self.other() { *log } else { LogView::default() }
    }

    /// The metric, point or log record, parsed. One that is broken reads as empty.
    fn other(&self) -> Option<&Other<'a>> {
        let Source::Record(record) = &self.source else { return None };
        let parsed = match record.item {
            Item::Alone | Item::Span(_) | Item::Event { .. } => return None,
            Item::Metric(metric) => self.other.get_or_init(|| Other::Metric(parsed_metric(metric))),
            Item::Point { metric, point } => self.other.get_or_init(|| {
                let metric = parsed_metric(metric);
                let kind = metric.kind.points().unwrap_or(PointKind::Number);
                Other::Point(metric, PointView::parse(kind, point).unwrap_or_else(|_| PointView::empty(kind)))
            }),
            Item::Log(log) => self.other.get_or_init(|| Other::Log(LogView::parse(log).unwrap_or_default())),
        };
        Some(parsed)
    }

    /// What `cache` holds: the body of a `KeyValueList`.
    pub(crate) fn cache(&self) -> &'a [u8] {
        if let Source::Record(record) = &self.source { record.cache } else { &[] }
    }

    /// Who sent it; nobody knows of spans on their way through sampling.
    pub(crate) fn client(&self) -> Option<&'a dyn Client> {
        self.as_record().and_then(|record| record.client)
    }

    /// Whether schema URLs are seen; in front of `tail_sampling` they are lost.
    pub(crate) fn has_schema_urls(&self) -> bool {
        matches!(self.source, Source::Record(_))
    }

    /// A span's attribute by its interned key; the first one counts.
    pub(crate) fn span_attribute(&self, key: KeyId, name: &[u8]) -> Option<otlp::Value<'a>> {
        match &self.source {
            Source::Arriving { request, scan, span } => {
                scan.span_hits(span).iter().find(|hit| hit.key == key).map(|hit| hit.value(request))
            }
            _ => view::span_attributes(self.span_body()).get(name),
        }
    }

    /// A resource's attribute by its interned key; the first one counts.
    pub(crate) fn resource_attribute(&self, key: KeyId, name: &[u8]) -> Option<otlp::Value<'a>> {
        match &self.source {
            Source::Arriving { request, scan, span } => {
                let group = scan.groups.get(span.group as usize)?;
                let resource = scan.resources.get(group.resource as usize)?;
                scan.resource_hits(resource).iter().find(|hit| hit.key == key).map(|hit| hit.value(request))
            }
            Source::Stored { resource, .. } | Source::Record(Record { resource, .. }) => {
                view::resource_attributes(resource).get(name)
            }
        }
    }
}

fn parsed_metric(body: &[u8]) -> MetricView<'_> {
    MetricView::parse(body).unwrap_or_default()
}

impl Fuel {
    /// A tank with so many units.
    #[must_use]
    pub fn new(units: u64) -> Self {
        Self(Cell::new(units))
    }

    /// What is left.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.0.get()
    }

    /// Takes units out.
    ///
    /// # Errors
    /// [`Error::OutOfFuel`] where there are fewer; the tank is empty then.
    pub fn spend(&self, units: u64) -> Result<(), Error> {
        let left = self.0.get().checked_sub(units);
        self.0.set(left.unwrap_or(0));
        left.map(drop).ok_or(Error::OutOfFuel)
    }
}
