//! Comparison: no coercion but between ints and floats, and an order only where there is one.

use crate::{
    error::Error,
    subject::Fuel,
    syntax::Operator,
    value::{List, ListForm, Map, Value},
};
use std::cmp::Ordering;

/// Whether `left operator right` holds.
pub(crate) fn compare(
    operator: Operator,
    left: &Value<'_>,
    right: &Value<'_>,
    fuel: Option<&Fuel>,
) -> Result<bool, Error> {
    let order = match (left, right) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Str(a), Value::Str(b)) => {
            spend(fuel, a.len().min(b.len()))?;
            Some(a.cmp(b))
        }
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Int(a), Value::Float(b)) => (*a as f64).partial_cmp(b),
        (Value::Float(a), Value::Int(b)) => a.partial_cmp(&(*b as f64)),
        (Value::Bytes(a), Value::Bytes(b)) if !a.is_empty() && !b.is_empty() => {
            spend(fuel, a.len().min(b.len()))?;
            Some(a.cmp(b))
        }
        (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
        (Value::Duration(a), Value::Duration(b)) => Some(a.cmp(b)),
        (a, b) if is_nil(a) && is_nil(b) => Some(Ordering::Equal),
        (Value::Id(a), Value::Id(b)) => return Ok(operator.holds_if_equal(a == b)),
        (Value::Opaque(a), Value::Opaque(b)) => return Ok(operator.holds_if_equal(a == b)),
        (Value::List(a), Value::List(b)) => {
            spend(fuel, a.weight() + b.weight())?;
            return Ok(operator.holds_if_equal(lists_equal(a, b)));
        }
        (Value::Map(a), Value::Map(b)) => {
            spend(fuel, 4 * (a.weight() + b.weight()))?;
            return Ok(operator.holds_if_equal(maps_equal(a, b, Sides::default(), 0)));
        }
        _ => return Ok(operator.holds_if_equal(false)),
    };
    Ok(operator.holds(order))
}

/// No bytes are nil in otelcol.
fn is_nil(value: &Value<'_>) -> bool {
    match value {
        Value::Nil => true,
        Value::Bytes(bytes) => bytes.is_empty(),
        _ => false,
    }
}

/// Of which of two values the containers of the data model count as native: otelcol turns a side into native containers
/// before it compares it with such.
#[derive(Clone, Copy, Default)]
struct Sides {
    left: bool,
    right: bool,
}

/// Deeper containers are equal to nothing. Those of the wire nest 100 deep at most.
const DEPTH_MAX: u32 = 200;

/// `Split("a,b", ",")` makes a list of strings, which is equal to no other kind of list.
fn lists_equal(left: &List<'_>, right: &List<'_>) -> bool {
    let native = |list: &List<'_>| list.form == ListForm::Native;
    let typed = |list: &List<'_>| matches!(list.form, ListForm::Strings | ListForm::Counts);
    if typed(left) != typed(right) {
        return false;
    }
    let is_native = native(left) || native(right);
    let sides = Sides { left: is_native && !native(left), right: is_native && !native(right) };
    items_equal(left, right, sides, 0)
}

fn items_equal(left: &List<'_>, right: &List<'_>, sides: Sides, depth: u32) -> bool {
    let mut left = left.iter();
    let mut right = right.iter();
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if elements_equal(&a, &b, sides, depth + 1) => (),
            _ => return false,
        }
    }
}

/// Elements are equal if they are of one kind: here an int is no float.
fn elements_equal(left: &Value<'_>, right: &Value<'_>, sides: Sides, depth: u32) -> bool {
    if depth > DEPTH_MAX {
        return false;
    }
    match (left, right) {
        (Value::List(a), Value::List(b)) => {
            let form = |list: &List<'_>, is_native: bool| match list.form {
                ListForm::Data if is_native => ListForm::Native,
                form => form,
            };
            form(a, sides.left) == form(b, sides.right) && items_equal(a, b, sides, depth)
        }
        (Value::Map(a), Value::Map(b)) => {
            (a.is_native || sides.left) == (b.is_native || sides.right) && maps_equal(a, b, sides, depth)
        }
        (Value::Float(a), Value::Float(b)) => a == b,
        (a, b) => a == b,
    }
}

fn maps_equal(left: &Map<'_>, right: &Map<'_>, sides: Sides, depth: u32) -> bool {
    let is_native = left.is_native || right.is_native || sides.left || sides.right;
    let sides = Sides { left: is_native && !left.is_native, right: is_native && !right.is_native };
    let (left, left_len) = sorted(left, is_native);
    let (right, right_len) = sorted(right, is_native);
    if left_len != right_len {
        return false;
    }
    // Data model: every entry of the left is looked up on the right, where the first of a key is found; so a map with a key
    // twice does not even equal itself unless both values do.
    let found = |key: &[u8]| {
        let index = right.partition_point(|(name, _)| **name < *key);
        right.get(index).filter(|(name, _)| **name == *key)
    };
    left.iter().all(|(key, value)| found(key).is_some_and(|(_, other)| elements_equal(value, other, sides, depth + 1)))
}

/// The entries by key, equal keys in their order, and how many there are. A native map has each key once: the last.
fn sorted<'m>(map: &'m Map<'_>, is_native: bool) -> (Vec<crate::value::Entry<'m>>, usize) {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    if is_native {
        entries.reverse();
        entries.dedup_by(|(a, _), (b, _)| a == b);
        entries.reverse();
    }
    let len = entries.len();
    (entries, len)
}

fn spend(fuel: Option<&Fuel>, bytes: usize) -> Result<(), Error> {
    fuel.map_or(Ok(()), |fuel| fuel.spend(bytes as u64))
}

#[cfg(test)]
mod tests;
