//! What kind of value something is.

use super::{Call, Function, Kind::Any, arg, plain};
use crate::{
    error::Error,
    value::{Opaque, Value},
};

// A strict getter of otelcol refuses literals of another kind when the condition is built: so do the kinds here.
pub(super) const TABLE: &[Function] = &[
    plain("IsBool", &[arg("Target", super::Kind::Bool)], is_bool),
    plain("IsDouble", &[arg("Target", super::Kind::Float)], is_double),
    plain("IsEmpty", &[arg("Target", Any)], is_empty),
    plain("IsInt", &[arg("Target", super::Kind::Int)], is_int),
    plain("IsList", &[arg("Target", Any)], is_list),
    plain("IsMap", &[arg("Target", super::Kind::Map)], is_map),
    plain("IsString", &[arg("Target", super::Kind::Str)], is_string),
];

fn is_bool(call: Call<'_>) -> Result<Value<'_>, Error> {
    call.any(0).map(|value| Value::Bool(matches!(value, Value::Bool(_))))
}

fn is_double(call: Call<'_>) -> Result<Value<'_>, Error> {
    call.any(0).map(|value| Value::Bool(matches!(value, Value::Float(_))))
}

fn is_int(call: Call<'_>) -> Result<Value<'_>, Error> {
    call.any(0).map(|value| Value::Bool(matches!(value, Value::Int(_))))
}

fn is_map(call: Call<'_>) -> Result<Value<'_>, Error> {
    call.any(0).map(|value| Value::Bool(matches!(value, Value::Map(_))))
}

fn is_string(call: Call<'_>) -> Result<Value<'_>, Error> {
    call.any(0).map(|value| Value::Bool(matches!(value, Value::Str(_))))
}

fn is_list(call: Call<'_>) -> Result<Value<'_>, Error> {
    Ok(Value::Bool(match call.any(0)? {
        Value::List(_) => true,
        Value::Opaque(opaque) => !matches!(opaque, Opaque::Status | Opaque::Foreign(_) | Opaque::Buckets { .. }),
        _ => false,
    }))
}

/// Nil, an empty container, and Go's zero values.
fn is_empty(call: Call<'_>) -> Result<Value<'_>, Error> {
    Ok(Value::Bool(match call.any(0)? {
        Value::Nil => true,
        Value::Bool(bool) => !bool,
        Value::Int(int) | Value::Opaque(Opaque::Foreign(int)) | Value::Duration(int) => int == 0,
        Value::Float(float) => float.to_bits() == 0,
        Value::Str(text) => text.is_empty(),
        Value::Bytes(bytes) => bytes.is_empty(),
        // Go's zero time is the first of January of the year 1.
        Value::Time(time) => (time.seconds, time.nanos) == (-62_135_596_800, 0),
        Value::Id(id) => id.bytes().iter().all(|byte| *byte == 0),
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::Opaque(_) => false,
    }))
}
