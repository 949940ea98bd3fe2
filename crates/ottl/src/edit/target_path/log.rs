//! Setting the fields of a log record.

use super::{
    super::{
        Buffer, Edit,
        encode::{encode, encode_wire},
        message::{with_bytes, with_fixed32, with_fixed64, with_message, with_uint},
    },
    field::{count, enumeration, id_text, int, span_id, text, time, trace_id},
};
use crate::{path::LogField, subject::Subject, value::Value};

pub(super) fn set(field: LogField, subject: &Subject<'_>, value: &Value<'_>) -> Edit {
    let log = subject.log().body;
    Ok(Some(Buffer::Item.change(match field {
        LogField::TimeNs => with_fixed64(log, 1, int(value)? as u64),
        LogField::ObservedNs => with_fixed64(log, 11, int(value)? as u64),
        LogField::Time => with_fixed64(log, 1, time(value)?),
        LogField::Observed => with_fixed64(log, 11, time(value)?),
        LogField::Severity => with_uint(log, 2, enumeration(value)?),
        LogField::SeverityText => with_bytes(log, 3, text(value)?),
        LogField::Body => with_message(log, 5, &encode(value)?),
        LogField::BodyText => with_message(log, 5, &encode_wire(otlp::Value::Str(text(value)?))),
        LogField::DroppedAttributes => with_uint(log, 7, count(value)?),
        LogField::Flags => with_fixed32(log, 8, int(value)? as u32),
        LogField::TraceId => with_bytes(log, 9, &trace_id(value)?),
        LogField::TraceIdText => with_bytes(log, 9, &id_text::<16>(value)?),
        LogField::SpanId => with_bytes(log, 10, &span_id(value)?),
        LogField::SpanIdText => with_bytes(log, 10, &id_text::<8>(value)?),
        LogField::EventName => with_bytes(log, 12, text(value)?),
    })))
}
