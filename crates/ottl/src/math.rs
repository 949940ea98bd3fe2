//! Arithmetic of ints, floats, instants and lengths of time.

use crate::{error::Error, syntax::tree::Arithmetic, value::Value};

/// `left operator right`.
pub(crate) fn calculate<'e>(operator: Arithmetic, left: &Value<'_>, right: &Value<'_>) -> Result<Value<'e>, Error> {
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => ints(operator, *a, *b).map(Value::Int),
        (Value::Int(a), Value::Float(b)) => floats(operator, *a as f64, *b).map(Value::Float),
        (Value::Float(a), Value::Int(b)) => floats(operator, *a, *b as f64).map(Value::Float),
        (Value::Float(a), Value::Float(b)) => floats(operator, *a, *b).map(Value::Float),
        (Value::Time(_) | Value::Duration(_), _) => times(operator, left, right),
        (Value::Int(_) | Value::Float(_), other) => Err(Error::Type { expected: "a number", found: other.kind() }),
        (other, _) => Err(Error::Type { expected: "a number, a time or a duration", found: other.kind() }),
    }
}

/// `-value`.
pub(crate) fn negate<'e>(value: &Value<'_>) -> Result<Value<'e>, Error> {
    match value {
        Value::Int(int) => Ok(Value::Int(int.wrapping_neg())),
        Value::Float(float) => Ok(Value::Float(-float)),
        other => Err(Error::Type { expected: "a number behind the sign", found: other.kind() }),
    }
}

/// In 64 bits, like Go: what does not fit wraps round.
fn ints(operator: Arithmetic, a: i64, b: i64) -> Result<i64, Error> {
    match operator {
        Arithmetic::Add => Ok(a.wrapping_add(b)),
        Arithmetic::Subtract => Ok(a.wrapping_sub(b)),
        Arithmetic::Multiply => Ok(a.wrapping_mul(b)),
        Arithmetic::Divide if b == 0 => Err(Error::failed(BY_ZERO)),
        Arithmetic::Divide => Ok(a.wrapping_div(b)),
    }
}

fn floats(operator: Arithmetic, a: f64, b: f64) -> Result<f64, Error> {
    match operator {
        Arithmetic::Add => Ok(a + b),
        Arithmetic::Subtract => Ok(a - b),
        Arithmetic::Multiply => Ok(a * b),
        Arithmetic::Divide if b == 0.0 => Err(Error::failed(BY_ZERO)),
        Arithmetic::Divide => Ok(a / b),
    }
}

fn times<'e>(operator: Arithmetic, left: &Value<'_>, right: &Value<'_>) -> Result<Value<'e>, Error> {
    match (operator, left, right) {
        (Arithmetic::Add, Value::Time(time), Value::Duration(ns))
        | (Arithmetic::Add, Value::Duration(ns), Value::Time(time)) => Ok(Value::Time(time.plus(*ns))),
        (Arithmetic::Subtract, Value::Time(a), Value::Time(b)) => Ok(Value::Duration(a.since(*b))),
        (Arithmetic::Subtract, Value::Time(time), Value::Duration(ns)) => Ok(Value::Time(time.plus(ns.wrapping_neg()))),
        (Arithmetic::Add, Value::Duration(a), Value::Duration(b)) => Ok(Value::Duration(a.wrapping_add(*b))),
        (Arithmetic::Subtract, Value::Duration(a), Value::Duration(b)) => Ok(Value::Duration(a.wrapping_sub(*b))),
        (Arithmetic::Add | Arithmetic::Subtract, _, other) => {
            Err(Error::Type { expected: "a duration, or a time where that has a meaning", found: other.kind() })
        }
        _ => Err(Error::failed("times and durations can be added and subtracted, no more")),
    }
}

const BY_ZERO: &str = "division by 0";
