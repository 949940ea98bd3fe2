//! The OTLP messages as a table: message, field number, names, kind (opentelemetry-proto, `proto/` at the repository root;
//! a test below compares every line with those files).
//!
//! The table is the only place that knows field numbers. The validators walk a dense form of it ([`shape`]); the fast paths
//! of the scanner match on keys that [`key`] computes from it while compiling, so that a name that is not here, or a wire
//! type that is not the schema's, does not compile. JSON reads names and kinds.

mod attributes;
mod logs;
mod metrics;
mod step;
mod traces;

pub(crate) use step::step;

use crate::Signal;
use crate::wire::WireType;

/// Every message that can stand in a request. `TracesData` and its like have the fields of their requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Message {
    TracesRequest,
    ResourceSpans,
    ScopeSpans,
    Span,
    Event,
    Link,
    Status,
    MetricsRequest,
    ResourceMetrics,
    ScopeMetrics,
    Metric,
    Gauge,
    Sum,
    Histogram,
    ExponentialHistogram,
    Summary,
    NumberDataPoint,
    HistogramDataPoint,
    ExponentialHistogramDataPoint,
    Buckets,
    SummaryDataPoint,
    ValueAtQuantile,
    Exemplar,
    LogsRequest,
    ResourceLogs,
    ScopeLogs,
    LogRecord,
    Resource,
    AnyValue,
    ArrayValue,
    KeyValueList,
    KeyValue,
    InstrumentationScope,
    EntityRef,
}

/// A field of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) number: u32,
    /// Its name in the schema, which JSON may have as well.
    pub(crate) snake: &'static str,
    /// Its name in JSON.
    pub(crate) camel: &'static str,
    pub(crate) kind: Kind,
    pub(crate) presence: Presence,
}

/// How it is told whether a field is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Presence {
    /// It is, unless it has its default value.
    Implicit,
    /// By being written, be it with its default value.
    Explicit,
    /// So too, and then no other field of the `oneof` is. No message has two of them.
    Choice,
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// `string`.
    Text,
    /// `bytes` of this length or none, hexadecimal in JSON.
    Id(usize),
    /// `bytes`, base64 in JSON.
    Bytes,
    /// `bool`.
    Bool,
    /// `int64`, text in JSON.
    Int64,
    /// `double`.
    Double,
    /// `fixed64`, text in JSON.
    Fixed64,
    /// `sfixed64`, text in JSON.
    Sfixed64,
    /// `uint32`.
    Uint32,
    /// `sint32`.
    Sint32,
    /// `fixed32`.
    Fixed32,
    /// An enum and its names, counted from 0.
    Enum(&'static [&'static str]),
    /// An index into the profiles signal's table of texts. It means nothing in other signals, and has no JSON.
    Index,
    /// One message.
    Message(Message),
    /// `repeated` messages.
    Messages(Message),
    /// `repeated string`.
    Texts,
    /// `repeated double`, packed or not.
    Doubles,
    /// `repeated fixed64`, packed or not, text in JSON.
    Fixed64s,
    /// `repeated uint64`, packed or not, text in JSON.
    Uint64s,
}

/// What a field holds, as far as the wire shows it. Text and bytes look the same; so do all integers, booleans and enums.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    Varint,
    Fixed64,
    Fixed32,
    Bytes,
    Message(Message),
    /// A list that may be packed.
    Varints,
    /// A list that may be packed.
    Fixed64s,
}

/// The fields of `message`, ascending by number.
pub(crate) const fn fields(message: Message) -> &'static [Field] {
    use Message as M;
    match message {
        M::TracesRequest => traces::TRACES_REQUEST,
        M::ResourceSpans => traces::RESOURCE_SPANS,
        M::ScopeSpans => traces::SCOPE_SPANS,
        M::Span => traces::SPAN,
        M::Event => traces::EVENT,
        M::Link => traces::LINK,
        M::Status => traces::STATUS,
        M::MetricsRequest => metrics::METRICS_REQUEST,
        M::ResourceMetrics => metrics::RESOURCE_METRICS,
        M::ScopeMetrics => metrics::SCOPE_METRICS,
        M::Metric => metrics::METRIC,
        M::Gauge => metrics::GAUGE,
        M::Sum => metrics::SUM,
        M::Histogram => metrics::HISTOGRAM,
        M::ExponentialHistogram => metrics::EXPONENTIAL_HISTOGRAM,
        M::Summary => metrics::SUMMARY,
        M::NumberDataPoint => metrics::NUMBER_DATA_POINT,
        M::HistogramDataPoint => metrics::HISTOGRAM_DATA_POINT,
        M::ExponentialHistogramDataPoint => metrics::EXPONENTIAL_HISTOGRAM_DATA_POINT,
        M::Buckets => metrics::BUCKETS,
        M::SummaryDataPoint => metrics::SUMMARY_DATA_POINT,
        M::ValueAtQuantile => metrics::VALUE_AT_QUANTILE,
        M::Exemplar => metrics::EXEMPLAR,
        M::LogsRequest => logs::LOGS_REQUEST,
        M::ResourceLogs => logs::RESOURCE_LOGS,
        M::ScopeLogs => logs::SCOPE_LOGS,
        M::LogRecord => logs::LOG_RECORD,
        M::Resource => attributes::RESOURCE,
        M::AnyValue => attributes::ANY_VALUE,
        M::ArrayValue => attributes::ARRAY_VALUE,
        M::KeyValueList => attributes::KEY_VALUE_LIST,
        M::KeyValue => attributes::KEY_VALUE,
        M::InstrumentationScope => attributes::INSTRUMENTATION_SCOPE,
        M::EntityRef => attributes::ENTITY_REF,
    }
}

/// What field `number` of `message` looks like; `None` for a field that the schema does not know.
#[inline]
pub(crate) fn shape(message: Message, number: u32) -> Option<Shape> {
    *SHAPES[message as usize].get(number as usize)?
}

/// The key (`number << 3 | wire type`) of a field that the table names.
///
/// # Panics
/// While compiling, if there is no such field.
pub(crate) const fn key(message: Message, name: &str) -> u32 {
    let fields = fields(message);
    let mut index = 0;
    while index < fields.len() {
        let field = fields[index];
        if same(field.snake, name) {
            return field.number << 3 | field.kind.shape().wire() as u32;
        }
        index += 1;
    }
    panic!("the schema has no such field");
}

/// The one of `fields` that JSON calls `name`. The search begins at `next`, which is then the place behind it: senders write
/// fields nearly in order.
#[inline]
pub(crate) fn by_name(fields: &'static [Field], name: &[u8], next: &mut usize) -> Option<&'static Field> {
    let is_named = |field: &Field| field.camel.as_bytes() == name || field.snake.as_bytes() == name;
    let index = search(fields, *next, is_named)?;
    *next = index + 1;
    fields.get(index).filter(|field| field.has_json())
}

/// Where the field of this number stands among `fields`, searched for from `from` on and then from the beginning.
#[inline]
pub(crate) fn by_number(fields: &'static [Field], number: u32, from: usize) -> Option<usize> {
    search(fields, from, |field| field.number == number)
}

#[inline]
fn search(fields: &[Field], from: usize, is_it: impl Fn(&Field) -> bool) -> Option<usize> {
    let (before, after) = fields.split_at_checked(from)?;
    after.iter().position(&is_it).map(|index| from + index).or_else(|| before.iter().position(is_it))
}

impl Field {
    /// Whether it can stand in JSON.
    pub(crate) const fn has_json(&self) -> bool {
        !matches!(self.kind, Kind::Index)
    }
}

impl Message {
    /// The request that carries `signal`.
    pub(crate) const fn request(signal: Signal) -> Self {
        match signal {
            Signal::Traces => Self::TracesRequest,
            Signal::Metrics => Self::MetricsRequest,
            Signal::Logs => Self::LogsRequest,
        }
    }
}

impl Kind {
    pub(crate) const fn shape(self) -> Shape {
        match self {
            Self::Bool | Self::Int64 | Self::Uint32 | Self::Sint32 | Self::Enum(_) | Self::Index => Shape::Varint,
            Self::Double | Self::Fixed64 | Self::Sfixed64 => Shape::Fixed64,
            Self::Fixed32 => Shape::Fixed32,
            Self::Text | Self::Id(_) | Self::Bytes | Self::Texts => Shape::Bytes,
            Self::Message(message) | Self::Messages(message) => Shape::Message(message),
            Self::Doubles | Self::Fixed64s => Shape::Fixed64s,
            Self::Uint64s => Shape::Varints,
        }
    }

    /// Whether a second occurrence adds to the first instead of replacing it.
    pub(crate) const fn merges(self) -> bool {
        match self {
            Self::Message(_) | Self::Messages(_) => true,
            _ => matches!(self, Self::Texts | Self::Doubles | Self::Fixed64s | Self::Uint64s),
        }
    }
}

impl Shape {
    /// Whether it is a list that may come in one piece, without a tag for each element.
    pub(crate) const fn is_packable(self) -> bool {
        matches!(self, Self::Varints | Self::Fixed64s)
    }

    /// The wire type that a field of this shape comes in; that of a list's elements, where each has its own tag.
    pub(crate) const fn wire(self) -> WireType {
        match self {
            Self::Varint | Self::Varints => WireType::Varint,
            Self::Fixed64 | Self::Fixed64s => WireType::Fixed64,
            Self::Fixed32 => WireType::Fixed32,
            Self::Bytes | Self::Message(_) => WireType::Len,
        }
    }
}

const fn field(number: u32, snake: &'static str, camel: &'static str, kind: Kind) -> Field {
    Field { number, snake, camel, kind, presence: Presence::Implicit }
}

const fn optional(number: u32, snake: &'static str, camel: &'static str, kind: Kind) -> Field {
    Field { number, snake, camel, kind, presence: Presence::Explicit }
}

const fn choice(number: u32, snake: &'static str, camel: &'static str, kind: Kind) -> Field {
    Field { number, snake, camel, kind, presence: Presence::Choice }
}

const fn same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut index = 0;
    while index < left.len() && index < right.len() && left[index] == right[index] {
        index += 1;
    }
    index == left.len() && index == right.len()
}

/// Highest field number of any message.
const NUMBER_MAX: usize = 16;

/// [`fields`] as a dense array, by message and field number.
static SHAPES: [[Option<Shape>; NUMBER_MAX + 1]; MESSAGES.len()] = {
    let mut shapes = [[None; NUMBER_MAX + 1]; MESSAGES.len()];
    let mut row = 0;
    while row < MESSAGES.len() {
        let fields = fields(MESSAGES[row]);
        let mut index = 0;
        while index < fields.len() {
            shapes[row][fields[index].number as usize] = Some(fields[index].kind.shape());
            index += 1;
        }
        row += 1;
    }
    shapes
};

/// All messages, in the order of their discriminants.
const MESSAGES: [Message; 34] = [
    Message::TracesRequest,
    Message::ResourceSpans,
    Message::ScopeSpans,
    Message::Span,
    Message::Event,
    Message::Link,
    Message::Status,
    Message::MetricsRequest,
    Message::ResourceMetrics,
    Message::ScopeMetrics,
    Message::Metric,
    Message::Gauge,
    Message::Sum,
    Message::Histogram,
    Message::ExponentialHistogram,
    Message::Summary,
    Message::NumberDataPoint,
    Message::HistogramDataPoint,
    Message::ExponentialHistogramDataPoint,
    Message::Buckets,
    Message::SummaryDataPoint,
    Message::ValueAtQuantile,
    Message::Exemplar,
    Message::LogsRequest,
    Message::ResourceLogs,
    Message::ScopeLogs,
    Message::LogRecord,
    Message::Resource,
    Message::AnyValue,
    Message::ArrayValue,
    Message::KeyValueList,
    Message::KeyValue,
    Message::InstrumentationScope,
    Message::EntityRef,
];

#[cfg(test)]
mod tests;
