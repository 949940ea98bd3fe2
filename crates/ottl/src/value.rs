//! What an OTTL expression evaluates to.
//!
//! Values borrow from the span's bytes and from the compiled condition; containers of the wire stay encoded until somebody
//! walks them, and converters make owned ones. Text is bytes, as Go's strings are: OTLP says UTF-8, nothing relies on it.
//!
//! otelcol keeps two kinds of containers, those of its data model and native Go ones, and sometimes the difference shows in
//! a comparison or an index. [`List`] and [`Map`] say which they are.

mod civil;
mod coerce;
mod list;
mod map;
mod text;
mod time;

pub(crate) use civil::days_of_date;
pub use list::{List, ListForm};
pub use map::{Entry, Map};
pub(crate) use text::{base64, element_text, excerpt, hex};
pub use text::{duration_text, float_text, json, json_float};
pub use time::{Parts, Time};

use std::borrow::Cow;

/// A value of the language.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Absent: a missing attribute, an empty `AnyValue`, the word `nil`.
    Nil,
    /// A boolean.
    Bool(bool),
    /// A signed 64-bit integer.
    Int(i64),
    /// A double.
    Float(f64),
    /// Text.
    Str(Cow<'a, [u8]>),
    /// Raw bytes.
    Bytes(Cow<'a, [u8]>),
    /// An instant.
    Time(Time),
    /// A length of time in nanoseconds.
    Duration(i64),
    /// A trace, span or profile ID.
    Id(Id),
    /// A list.
    List(List<'a>),
    /// A map.
    Map(Map<'a>),
    /// What the language can name and hardly use.
    Opaque(Opaque),
}

/// An identifier, equal only to one of the same kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Id {
    /// A trace's.
    Trace([u8; 16]),
    /// A span's; all zero if it is absent.
    Span([u8; 8]),
    /// A profile's.
    Profile([u8; 16]),
}

/// Values without operations of their own. Equal only to the same of the same span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opaque {
    /// `status`.
    Status,
    /// `events`, and how many there are.
    Events(usize),
    /// `links`, and how many there are.
    Links(usize),
    /// `data_points` of a metric, and how many there are.
    Points(usize),
    /// `exemplars` of a data point, and how many there are.
    Exemplars(usize),
    /// `quantile_values` of a data point, and how many there are.
    Quantiles(usize),
    /// `positive` or `negative` of a data point.
    Buckets {
        /// Which of them.
        is_positive: bool,
    },
    /// A number of a Go type that comparison and arithmetic do not know (`URL(…)["url.port"]`); it has a text, no more.
    Foreign(i64),
}

impl<'a> Value<'a> {
    /// Borrowed text.
    #[must_use]
    pub fn str(text: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self::Str(Cow::Borrowed(text.as_ref()))
    }

    /// Owned text.
    #[must_use]
    pub fn string(text: impl Into<Vec<u8>>) -> Self {
        Self::Str(Cow::Owned(text.into()))
    }

    /// An attribute's value; empty is nil, containers stay encoded.
    #[must_use]
    pub fn of_wire(value: otlp::Value<'a>) -> Self {
        match value {
            otlp::Value::Empty => Self::Nil,
            otlp::Value::Str(text) => Self::Str(Cow::Borrowed(text)),
            otlp::Value::Bool(bool) => Self::Bool(bool),
            otlp::Value::Int(int) => Self::Int(int),
            otlp::Value::Double(float) => Self::Float(float),
            otlp::Value::Array(body) => Self::List(List::wire(body)),
            otlp::Value::Map(body) => Self::Map(Map::wire(body)),
            otlp::Value::Bytes(bytes) => Self::Bytes(Cow::Borrowed(bytes)),
        }
    }

    /// The same value, borrowed from this one.
    #[must_use]
    pub fn borrow(&self) -> Value<'_> {
        match self {
            Self::Nil => Value::Nil,
            Self::Bool(bool) => Value::Bool(*bool),
            Self::Int(int) => Value::Int(*int),
            Self::Float(float) => Value::Float(*float),
            Self::Str(text) => Value::Str(Cow::Borrowed(text)),
            Self::Bytes(bytes) => Value::Bytes(Cow::Borrowed(bytes)),
            Self::Time(time) => Value::Time(*time),
            Self::Duration(ns) => Value::Duration(*ns),
            Self::Id(id) => Value::Id(*id),
            Self::List(list) => Value::List(list.borrow()),
            Self::Map(map) => Value::Map(map.borrow()),
            Self::Opaque(opaque) => Value::Opaque(*opaque),
        }
    }

    /// The same value, with nothing borrowed.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Nil => Value::Nil,
            Self::Bool(bool) => Value::Bool(bool),
            Self::Int(int) => Value::Int(int),
            Self::Float(float) => Value::Float(float),
            Self::Str(text) => Value::Str(Cow::Owned(text.into_owned())),
            Self::Bytes(bytes) => Value::Bytes(Cow::Owned(bytes.into_owned())),
            Self::Time(time) => Value::Time(time),
            Self::Duration(ns) => Value::Duration(ns),
            Self::Id(id) => Value::Id(id),
            Self::List(list) => Value::List(list.into_owned()),
            Self::Map(map) => Value::Map(map.into_owned()),
            Self::Opaque(opaque) => Value::Opaque(opaque),
        }
    }

    /// What kind of value this is, in messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "a bool",
            Self::Int(_) => "an int",
            Self::Float(_) => "a float",
            Self::Str(_) => "a string",
            Self::Bytes(_) => "bytes",
            Self::Time(_) => "a time",
            Self::Duration(_) => "a duration",
            Self::Id(Id::Trace(_)) => "a trace ID",
            Self::Id(Id::Span(_)) => "a span ID",
            Self::Id(Id::Profile(_)) => "a profile ID",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Opaque(Opaque::Status) => "a status",
            Self::Opaque(Opaque::Events(_)) => "span events",
            Self::Opaque(Opaque::Links(_)) => "span links",
            Self::Opaque(Opaque::Points(_)) => "data points",
            Self::Opaque(Opaque::Exemplars(_)) => "exemplars",
            Self::Opaque(Opaque::Quantiles(_)) => "quantiles",
            Self::Opaque(Opaque::Buckets { .. }) => "buckets",
            Self::Opaque(Opaque::Foreign(_)) => "a foreign number",
        }
    }
}

impl Id {
    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Trace(bytes) | Self::Profile(bytes) => bytes,
            Self::Span(bytes) => bytes,
        }
    }
}
