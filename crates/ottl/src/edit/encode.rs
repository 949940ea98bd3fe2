//! Values as `AnyValue` messages, by the rules of otelcol's `SetValue`.
//!
//! Containers of the wire are copied as they are encoded. Times, durations, IDs and the like have no kind of `AnyValue`.

use crate::{
    error::Error,
    value::{List, ListForm, Map, Value},
};
use otlp::wire::{WireType, put_fixed64, put_len, put_tag, put_uint, put_varint};

/// How deep a value may nest: the scanner refuses requests that nest deeper than 100 messages, three a level.
const DEPTH_MAX: u32 = 30;

/// The body of the `AnyValue`.
pub(crate) fn encode(value: &Value<'_>) -> Result<Vec<u8>, Error> {
    let (any, result) = encode_part(value);
    result.map(|()| any)
}

/// The body of the `AnyValue`, and what of it could not be encoded. In a native list that is an empty element; as in otelcol
/// only the last element's error is told.
pub(crate) fn encode_part(value: &Value<'_>) -> (Vec<u8>, Result<(), Error>) {
    let mut out = Vec::new();
    let result = put(value, &mut out);
    match check_depth(&out) {
        Ok(()) => (out, result),
        Err(error) => (Vec::new(), Err(error)),
    }
}

/// The body of the `AnyValue` of a value that came from the wire.
pub(crate) fn encode_wire(value: otlp::Value<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    put_wire(value, &mut out);
    out
}

/// The body of a `KeyValue`.
pub(crate) fn key_value(key: &[u8], any: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(key.len() + any.len() + 8);
    put_len(&mut out, 1, key);
    put_len(&mut out, 2, any);
    out
}

/// An `AnyValue` that is a map, from the body of its `KeyValueList`.
pub(crate) fn map(list: &[u8]) -> Vec<u8> {
    encode_wire(otlp::Value::Map(list))
}

/// An `AnyValue` that is a list, from the body of its `ArrayValue`.
pub(crate) fn list(values: &[u8]) -> Vec<u8> {
    encode_wire(otlp::Value::Array(values))
}

fn put_wire(value: otlp::Value<'_>, out: &mut Vec<u8>) {
    match value {
        otlp::Value::Empty => {}
        otlp::Value::Str(text) => put_len(out, 1, text),
        otlp::Value::Bool(bool) => put_uint(out, 2, bool.into()),
        otlp::Value::Int(int) => put_uint(out, 3, int as u64),
        otlp::Value::Double(double) => put_fixed64(out, 4, double.to_bits()),
        otlp::Value::Array(body) => put_len(out, 5, body),
        otlp::Value::Map(body) => put_len(out, 6, body),
        otlp::Value::Bytes(bytes) => put_len(out, 7, bytes),
    }
}

/// Literals, and what converters make, nest a bounded number of levels.
fn put(value: &Value<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    let plain = match value {
        Value::Nil => otlp::Value::Empty,
        Value::Str(text) => otlp::Value::Str(text),
        Value::Bool(bool) => otlp::Value::Bool(*bool),
        Value::Int(int) => otlp::Value::Int(*int),
        Value::Float(float) => otlp::Value::Double(*float),
        Value::Bytes(bytes) => otlp::Value::Bytes(bytes),
        Value::List(list) => return put_list(list, out),
        Value::Map(map) => return put_map(map, out),
        other => return Err(unsupported(other)),
    };
    put_wire(plain, out);
    Ok(())
}

fn put_list(list: &List<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    if let Some(body) = list.encoded() {
        put_len(out, 5, body);
        return Ok(());
    }
    let mut body = Vec::new();
    let mut result = Ok(());
    // Of native lists of numbers only those of floats can be set.
    if list.form == ListForm::Counts {
        return Err(Error::failed("a list of bucket counts is no value that can be set"));
    }
    for item in list.iter() {
        let mut any = Vec::new();
        result = put(&item, &mut any);
        put_len(&mut body, 1, &any);
    }
    put_len(out, 5, &body);
    result
}

fn put_map(map: &Map<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    if let Some(body) = map.encoded() {
        put_len(out, 6, body);
        return Ok(());
    }
    let mut body = Vec::new();
    for (key, value) in map.iter() {
        let value = if map.is_native { value.into_data()? } else { value };
        let mut any = Vec::new();
        put(&value, &mut any)?;
        put_len(&mut body, 1, &key_value(&key, &any));
    }
    put_len(out, 6, &body);
    Ok(())
}

/// Refuses an `AnyValue` that nests too deeply.
pub(crate) fn check_depth(any: &[u8]) -> Result<(), Error> {
    let value = otlp::view::value(any).unwrap_or(otlp::Value::Empty);
    if is_deeper(value, DEPTH_MAX) { Err(too_deep()) } else { Ok(()) }
}

fn is_deeper(value: otlp::Value<'_>, levels: u32) -> bool {
    let Some(rest) = levels.checked_sub(1) else { return true };
    match value {
        otlp::Value::Array(body) => otlp::view::array_values(body).any(|item| is_deeper(item, rest)),
        otlp::Value::Map(body) => otlp::view::map_entries(body).any(|(_, item)| is_deeper(item, rest)),
        _ => false,
    }
}

fn too_deep() -> Error {
    Error::failed(format!("the value would nest more than {DEPTH_MAX} levels deep"))
}

fn unsupported(value: &Value<'_>) -> Error {
    Error::Type { expected: "a value that an attribute can have", found: value.kind() }
}

/// A packed list of varints.
pub(crate) fn packed_varints(values: &[u64]) -> Vec<u8> {
    let mut out = Vec::new();
    values.iter().for_each(|value| put_varint(&mut out, *value));
    out
}

/// A field that is left out where it is empty, as a packed list.
pub(crate) fn put_packed(out: &mut Vec<u8>, field: u32, packed: &[u8]) {
    if !packed.is_empty() {
        put_tag(out, field, WireType::Len);
        put_varint(out, packed.len() as u64);
        out.extend_from_slice(packed);
    }
}
