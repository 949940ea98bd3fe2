//! Setting the fields of spans, events, scopes and resources. Each takes one kind of value; otelcol's ints are cut to the
//! width of the field.

use super::{
    super::{
        Buffer, Edit,
        message::{merged, with_bytes, with_fixed32, with_fixed64, with_message, with_uint},
    },
    log, metric, record,
};
use crate::{
    error::Error,
    path::{Field, KIND_NAMES, KIND_TEXTS},
    subject::Subject,
    value::{Id, Opaque, Value},
};

/// Sets a field that is no map.
pub(super) fn set(field: Field, subject: &Subject<'_>, value: &Value<'_>) -> Edit {
    let record = record(subject)?;
    let bytes = |buffer: Buffer| buffer.of(record);
    let (span, event) = (bytes(Buffer::Item), bytes(Buffer::Part));
    let item = |bytes: Vec<u8>| Ok(Some(Buffer::Item.change(bytes)));
    let part = |bytes: Vec<u8>| Ok(Some(Buffer::Part.change(bytes)));
    match field {
        Field::TraceId => item(with_bytes(span, 1, &trace_id(value)?)),
        Field::TraceIdText => item(with_bytes(span, 1, &id_text::<16>(value)?)),
        Field::SpanId => item(with_bytes(span, 2, &span_id(value)?)),
        Field::SpanIdText => item(with_bytes(span, 2, &id_text::<8>(value)?)),
        Field::ParentSpanId => item(with_bytes(span, 4, &span_id(value)?)),
        Field::ParentSpanIdText => item(with_bytes(span, 4, &id_text::<8>(value)?)),
        Field::TraceState => item(with_bytes(span, 3, text(value)?)),
        Field::Name => item(with_bytes(span, 5, text(value)?)),
        Field::Kind => item(with_uint(span, 6, enumeration(value)?)),
        Field::KindText => item(with_uint(span, 6, kind(value, &KIND_TEXTS)?)),
        Field::KindName => item(with_uint(span, 6, kind(value, &KIND_NAMES)?)),
        Field::StartNs => item(with_fixed64(span, 7, int(value)? as u64)),
        Field::EndNs => item(with_fixed64(span, 8, int(value)? as u64)),
        Field::Start => item(with_fixed64(span, 7, time(value)?)),
        Field::End => item(with_fixed64(span, 8, time(value)?)),
        Field::DroppedAttributes => item(with_uint(span, 10, count(value)?)),
        Field::DroppedEvents => item(with_uint(span, 12, count(value)?)),
        Field::DroppedLinks => item(with_uint(span, 14, count(value)?)),
        Field::Events => slice(value, |opaque| matches!(opaque, Opaque::Events(_)), || with_none(span, 11)),
        Field::Links => slice(value, |opaque| matches!(opaque, Opaque::Links(_)), || with_none(span, 13)),
        Field::Status if *value == Value::Opaque(Opaque::Status) => Ok(None),
        Field::Status => Err(unexpected(value, "a status").into()),
        Field::StatusCode => item(with_message(span, 15, &with_uint(&merged(span, 15), 3, enumeration(value)?))),
        Field::StatusMessage => item(with_message(span, 15, &with_bytes(&merged(span, 15), 2, text(value)?))),
        Field::Flags => {
            let flags = int(value)?;
            let flags = u32::try_from(flags)
                .map_err(|_| Error::failed(format!("the flags {flags} do not fit into 32 bits")))?;
            item(with_fixed32(span, 16, flags))
        }
        Field::EventName => part(with_bytes(event, 2, text(value)?)),
        Field::EventNs => part(with_fixed64(event, 1, int(value)? as u64)),
        Field::EventTime => part(with_fixed64(event, 1, time(value)?)),
        Field::EventDroppedAttributes => part(with_uint(event, 4, count(value)?)),
        Field::EventIndex => Err(Error::failed("`event_index` cannot be set").into()),
        Field::ResourceDroppedAttributes | Field::ResourceSchemaUrl => {
            set_resource(field, bytes(Buffer::Resource), value)
        }
        Field::ScopeName | Field::ScopeVersion | Field::ScopeDroppedAttributes | Field::ScopeSchemaUrl => {
            set_scope(field, bytes(Buffer::Scope), value)
        }
        Field::Metric(field) => metric::set_metric(field, subject, value),
        Field::Point(field) => metric::set_point(field, subject, value),
        Field::Log(field) => log::set(field, subject, value),
        Field::ClientAddress | Field::Attributes(_) => {
            Err(Error::failed("what `otelcol` says can only be read").into())
        }
    }
}

fn set_resource(field: Field, header: &[u8], value: &Value<'_>) -> Edit {
    Ok(Some(Buffer::Resource.change(match field {
        Field::ResourceSchemaUrl => with_bytes(header, 3, text(value)?),
        _ => with_message(header, 1, &with_uint(&merged(header, 1), 2, count(value)?)),
    })))
}

fn set_scope(field: Field, header: &[u8], value: &Value<'_>) -> Edit {
    let scope = merged(header, 1);
    Ok(Some(Buffer::Scope.change(match field {
        Field::ScopeSchemaUrl => with_bytes(header, 3, text(value)?),
        Field::ScopeName => with_message(header, 1, &with_bytes(&scope, 1, text(value)?)),
        Field::ScopeVersion => with_message(header, 1, &with_bytes(&scope, 2, text(value)?)),
        _ => with_message(header, 1, &with_uint(&scope, 4, count(value)?)),
    })))
}

/// Events, links and points can be set to what they are, and taken away.
pub(super) fn slice(value: &Value<'_>, is_same: impl Fn(&Opaque) -> bool, without: impl FnOnce() -> Vec<u8>) -> Edit {
    match value {
        Value::Nil => Ok(Some(Buffer::Item.change(without()))),
        Value::Opaque(opaque) if is_same(opaque) => Ok(None),
        other => Err(Error::Type { expected: "what the path is itself", found: other.kind() }.into()),
    }
}

fn with_none(message: &[u8], field: u32) -> Vec<u8> {
    with_bytes(message, field, &[])
}

pub(super) fn text<'v>(value: &'v Value<'_>) -> Result<&'v [u8], Error> {
    if let Value::Str(text) = value { Ok(text) } else { Err(unexpected(value, "a string")) }
}

pub(super) fn int(value: &Value<'_>) -> Result<i64, Error> {
    if let Value::Int(int) = value { Ok(*int) } else { Err(unexpected(value, "an int")) }
}

pub(super) fn float(value: &Value<'_>) -> Result<f64, Error> {
    if let Value::Float(float) = value { Ok(*float) } else { Err(unexpected(value, "a float")) }
}

pub(super) fn bool(value: &Value<'_>) -> Result<bool, Error> {
    if let Value::Bool(bool) = value { Ok(*bool) } else { Err(unexpected(value, "a bool")) }
}

pub(super) fn time(value: &Value<'_>) -> Result<u64, Error> {
    if let Value::Time(time) = value { Ok(time.unix_ns() as u64) } else { Err(unexpected(value, "a time")) }
}

/// 32 bits without a sign.
pub(super) fn count(value: &Value<'_>) -> Result<u64, Error> {
    int(value).map(|int| u64::from(int as u32))
}

/// 32 bits with a sign, as the wire has them.
pub(super) fn enumeration(value: &Value<'_>) -> Result<u64, Error> {
    int(value).map(|int| i64::from(int as i32) as u64)
}

/// An ID of zeros is none.
pub(super) fn trace_id(value: &Value<'_>) -> Result<Vec<u8>, Error> {
    if let Value::Id(id @ Id::Trace(_)) = value { Ok(sent(id.bytes())) } else { Err(unexpected(value, "a trace ID")) }
}

pub(super) fn span_id(value: &Value<'_>) -> Result<Vec<u8>, Error> {
    if let Value::Id(id @ Id::Span(_)) = value { Ok(sent(id.bytes())) } else { Err(unexpected(value, "a span ID")) }
}

fn sent(id: &[u8]) -> Vec<u8> {
    if id.iter().all(|byte| *byte == 0) { Vec::new() } else { id.to_vec() }
}

/// An ID in hexadecimal digits.
pub(super) fn id_text<const N: usize>(value: &Value<'_>) -> Result<Vec<u8>, Error> {
    let text = text(value)?;
    let wrong = || Error::failed(format!("an ID takes {} hexadecimal digits", 2 * N));
    if text.len() != 2 * N {
        return Err(wrong());
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, _) = text.as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    bytes.collect::<Option<Vec<u8>>>().map(|bytes| sent(&bytes)).ok_or_else(wrong)
}

fn kind(value: &Value<'_>, names: &[&str; 6]) -> Result<u64, Error> {
    let text = text(value)?;
    let kind = names.iter().position(|name| name.as_bytes() == text);
    kind.map(|kind| kind as u64)
        .ok_or_else(|| Error::failed(format!("`{}` is no kind of a span", crate::value::excerpt(text))))
}

fn unexpected(value: &Value<'_>, expected: &'static str) -> Error {
    Error::Type { expected, found: value.kind() }
}
