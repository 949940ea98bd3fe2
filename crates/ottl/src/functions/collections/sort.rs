//! `Sort`: numbers by value, everything else by its text; the elements themselves stay what they are.

use crate::{
    error::Error,
    functions::{Arguments, Call, Run, run},
    value::{List, ListForm, Value, element_text, excerpt},
};
use std::cmp::Ordering;

/// What the elements are compared as.
enum Keys {
    Ints(Vec<i64>),
    Floats(Vec<f64>),
    Texts(Vec<Vec<u8>>),
}

pub(super) fn sort(arguments: &Arguments) -> Result<Run, String> {
    let is_descending = match arguments.constant_str(1) {
        None | Some(b"asc") => false,
        Some(b"desc") => true,
        Some(other) => return Err(format!("unknown order `{}`, write `asc` or `desc`", excerpt(other))),
    };
    Ok(run(move |call: Call<'_>| sorted(call, is_descending)))
}

fn sorted(call: Call<'_>, is_descending: bool) -> Result<Value<'_>, Error> {
    let target = call.any(0)?;
    // Strings that come from `Split` stay strings, which equal no other list.
    let is_strings = matches!(&target, Value::List(list) if matches!(list.form, ListForm::Strings | ListForm::Counts));
    let list = target.into_list()?;
    // Comparing takes some rounds.
    let rounds = 1 + list.len().checked_ilog2().unwrap_or(0) as usize;
    call.spend(rounds.saturating_mul(list.weight() + list.len() * size_of::<Value<'_>>()))?;
    let items = list.into_items();
    // What has no order is handed back as it was.
    if !is_strings && (items.is_empty() || !items.iter().all(is_sortable)) {
        return Ok(Value::List(List::data(items)));
    }
    let items = Keys::of(&items).sort(items, is_descending);
    Ok(Value::List(if is_strings { List::strings(items) } else { List::native(items) }))
}

fn is_sortable(value: &Value<'_>) -> bool {
    matches!(value, Value::Int(_) | Value::Float(_) | Value::Str(_) | Value::Bool(_) | Value::Nil)
}

impl Keys {
    fn of(items: &[Value<'_>]) -> Self {
        let ints: Option<_> =
            items.iter().map(|item| if let Value::Int(int) = item { Some(*int) } else { None }).collect();
        if let Some(ints) = ints {
            return Self::Ints(ints);
        }
        let float = |item: &Value<'_>| match item {
            Value::Int(int) => Some(*int as f64),
            Value::Float(float) => Some(*float),
            _ => None,
        };
        if let Some(floats) = items.iter().map(float).collect() {
            return Self::Floats(floats);
        }
        Self::Texts(items.iter().map(element_text).collect())
    }

    fn sort<'e>(self, items: Vec<Value<'e>>, is_descending: bool) -> Vec<Value<'e>> {
        match self {
            Self::Ints(keys) => by(keys, items, is_descending, i64::cmp),
            Self::Floats(keys) => by(keys, items, is_descending, compare_floats),
            Self::Texts(keys) => by(keys, items, is_descending, Vec::cmp),
        }
    }
}

fn by<'e, K>(
    keys: Vec<K>,
    items: Vec<Value<'e>>,
    is_descending: bool,
    compare: impl Fn(&K, &K) -> Ordering,
) -> Vec<Value<'e>> {
    let mut pairs: Vec<_> = keys.into_iter().zip(items).collect();
    pairs.sort_by(|(a, _), (b, _)| if is_descending { compare(b, a) } else { compare(a, b) });
    pairs.into_iter().map(|(_, item)| item).collect()
}

/// What is no number is below all numbers, and zero is zero.
fn compare_floats(a: &f64, b: &f64) -> Ordering {
    a.partial_cmp(b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}
