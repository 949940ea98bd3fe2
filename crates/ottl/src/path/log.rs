//! Reading the fields of a log record.

use super::{field::LogField, read::id};
use crate::{
    error::Error,
    subject::Subject,
    value::{Id, Time, Value, element_text, hex},
};

impl LogField {
    pub(crate) fn read<'e>(self, subject: &'e Subject<'e>) -> Result<Value<'e>, Error> {
        let log = subject.log();
        Ok(match self {
            Self::TimeNs => Value::Int(log.time_ns as i64),
            Self::ObservedNs => Value::Int(log.observed_ns as i64),
            Self::Time => Value::Time(Time::from_wire(log.time_ns)),
            Self::Observed => Value::Time(Time::from_wire(log.observed_ns)),
            Self::Severity => Value::Int(log.severity.into()),
            Self::SeverityText => Value::str(log.severity_text),
            Self::Body => body(log.value),
            Self::BodyText => Value::string(element_text(&body(log.value))),
            Self::DroppedAttributes => Value::Int(log.dropped_attributes.into()),
            Self::Flags => Value::Int(log.flags.into()),
            Self::TraceId => Value::Id(Id::Trace(id(log.trace_id))),
            Self::TraceIdText => Value::string(hex(&id::<16>(log.trace_id))),
            Self::SpanId => Value::Id(Id::Span(id(log.span_id))),
            Self::SpanIdText => Value::string(hex(&id::<8>(log.span_id))),
            Self::EventName => Value::str(log.event_name),
        })
    }
}

fn body(value: &[u8]) -> Value<'_> {
    Value::of_wire(otlp::view::value(value).unwrap_or(otlp::Value::Empty))
}
