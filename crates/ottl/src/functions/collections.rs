//! Lists and maps.

mod sort;

use super::{
    Argument, Arguments, Call, Function,
    Kind::{Any, EachAny, Flag, List as AList, Map as AMap, Text, Texts},
    Run, arg, opt, plain, prepared, run,
    strings::{find, search_cost},
};
use crate::{
    compare::compare,
    error::Error,
    syntax::Operator,
    value::{List, Map, Opaque, Value, element_text},
};
use std::{borrow::Cow, collections::HashMap};

pub(super) const TABLE: &[Function] = &[
    prepared("Coalesce", &[arg("Values", EachAny)], coalesce),
    plain("ContainsValue", &[arg("Target", AList), arg("Item", Any)], contains_value),
    plain("Index", &[arg("Target", Any), arg("Value", Any)], index),
    plain("Keys", &[arg("Target", AMap)], keys),
    plain("Len", &[arg("Target", Any)], len),
    plain("SliceToMap", &[arg("Target", AList), opt("KeyPath", Texts), opt("ValuePath", Texts)], slice_to_map),
    prepared("Sort", &[arg("Target", Any), opt("Order", Text)], sort::sort),
    prepared(
        "ToKeyValueString",
        &[arg("Target", AMap), opt("Delimiter", Text), opt("PairDelimiter", Text), opt("SortOutput", Flag)],
        to_key_value_string,
    ),
    plain("Values", &[arg("Target", AMap)], values),
];

/// The first value that is not nil. Those after it are not asked.
fn coalesce(arguments: &Arguments) -> Result<Run, String> {
    if matches!(arguments.argument(0), Some(Argument::Items(items)) if items.is_empty()) {
        return Err("`Coalesce` needs a value".to_string());
    }
    Ok(run(|call: Call<'_>| {
        for item in call.items(0)? {
            let value = item?.value;
            if !matches!(value, Value::Nil) {
                return Ok(value);
            }
        }
        Ok(Value::Nil)
    }))
}

fn contains_value(call: Call<'_>) -> Result<Value<'_>, Error> {
    let list = call.list(0)?;
    let item = call.any(1)?;
    position(call, list, &item).map(|position| Value::Bool(position.is_some()))
}

/// Where a text stands in a text, or a value in a list: counted from 0, -1 if it does not.
fn index(call: Call<'_>) -> Result<Value<'_>, Error> {
    let target = call.any(0)?;
    let value = call.any(1)?;
    let found = match target {
        Value::Str(text) => {
            let needle = value.into_str()?;
            call.spend(search_cost(&text, &needle))?;
            find(&text, &needle)
        }
        other => position(call, other.into_list()?, &value)?,
    };
    Ok(Value::Int(found.and_then(|found| i64::try_from(found).ok()).unwrap_or(-1)))
}

fn position(call: Call<'_>, list: List<'_>, value: &Value<'_>) -> Result<Option<usize>, Error> {
    call.spend(list.weight())?;
    for (index, item) in list.into_items().into_iter().enumerate() {
        if compare(Operator::Equal, &item, value, Some(call.subject.fuel()))? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

fn keys(call: Call<'_>) -> Result<Value<'_>, Error> {
    let map = call.map(0)?;
    call.spend(map.weight())?;
    Ok(Value::List(List::data(map.into_entries().into_iter().map(|(key, _)| Value::Str(key)).collect())))
}

fn values(call: Call<'_>) -> Result<Value<'_>, Error> {
    let map = call.map(0)?;
    call.spend(map.weight())?;
    Ok(Value::List(List::data(map.into_entries().into_iter().map(|(_, value)| value).collect())))
}

fn len(call: Call<'_>) -> Result<Value<'_>, Error> {
    let len = match call.any(0)? {
        Value::Str(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => {
            call.spend(list.weight())?;
            list.len()
        }
        Value::Map(map) => {
            call.spend(map.weight())?;
            map.len()
        }
        Value::Opaque(
            Opaque::Events(count)
            | Opaque::Links(count)
            | Opaque::Points(count)
            | Opaque::Exemplars(count)
            | Opaque::Quantiles(count),
        ) => count,
        other => return Err(Error::Type { expected: "a string, a list or a map", found: other.kind() }),
    };
    i64::try_from(len).map(Value::Int).map_err(|_| Error::failed("too long"))
}

/// A map of a list's elements. Their keys are where they stand, or what stands in them at a path; their values are the
/// elements, or what stands in them at another path. Of equal keys the last element counts.
fn slice_to_map(call: Call<'_>) -> Result<Value<'_>, Error> {
    let list = call.list(0)?;
    call.spend(list.weight() + list.len() * size_of::<Value<'_>>())?;
    let key_path = path(call, 1);
    let value_path = path(call, 2);
    let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut entries: Vec<(Cow<'_, [u8]>, Value<'_>)> = Vec::new();
    for (index, item) in list.into_items().into_iter().enumerate() {
        let key = match &key_path {
            Some(path) => at_path(item.clone(), path)?.into_str()?,
            None => Cow::Owned(index.to_string().into_bytes()),
        };
        let value = match &value_path {
            Some(path) => at_path(item, path)?,
            None => item,
        };
        match places.get(&*key) {
            Some(place) => entries[*place].1 = value,
            None => {
                places.insert(key.to_vec(), entries.len());
                entries.push((key, value));
            }
        }
    }
    Ok(Value::Map(Map::data(entries)))
}

/// The steps of a path, if one was given.
fn path<'e>(call: Call<'e>, index: usize) -> Option<Vec<&'e [u8]>> {
    let step = |value: &'e Value<'static>| if let Value::Str(text) = value { Some(&**text) } else { None };
    call.is_given(index).then(|| call.arguments.constant_items(index).filter_map(step).collect())
}

fn at_path<'e>(item: Value<'e>, path: &[&[u8]]) -> Result<Value<'e>, Error> {
    if path.is_empty() {
        return Err(Error::failed("a path of `SliceToMap` has no step"));
    }
    path.iter().try_fold(item, |value, step| {
        let found = value.into_map()?.into_value(step);
        found.ok_or_else(|| Error::failed("an element of the list does not have what the path of `SliceToMap` names"))
    })
}

/// What stands between a key and its value, and between pairs.
struct Delimiters {
    inner: Vec<u8>,
    outer: Vec<u8>,
}

fn to_key_value_string(arguments: &Arguments) -> Result<Run, String> {
    let inner = arguments.constant_str(1).unwrap_or(b"=").to_vec();
    let outer = arguments.constant_str(2).unwrap_or(b" ").to_vec();
    if inner.is_empty() || outer.is_empty() {
        return Err("a delimiter of `ToKeyValueString` is empty".to_string());
    }
    if inner == outer {
        return Err("both delimiters of `ToKeyValueString` are the same".to_string());
    }
    let delimiters = Delimiters { inner, outer };
    let is_sorted = arguments.constant_bool(3).unwrap_or(false);
    Ok(run(move |call: Call<'_>| {
        let map = call.map(0)?;
        call.spend(2 * map.weight())?;
        Ok(Value::string(joined(map, &delimiters, is_sorted)))
    }))
}

fn joined(map: Map<'_>, delimiters: &Delimiters, is_sorted: bool) -> Vec<u8> {
    let mut entries = map.into_entries();
    if is_sorted {
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    }
    let mut text = Vec::new();
    for (index, (key, value)) in entries.iter().enumerate() {
        if index > 0 {
            text.extend_from_slice(&delimiters.outer);
        }
        delimiters.quote(key, &mut text);
        text.extend_from_slice(&delimiters.inner);
        delimiters.quote(&element_text(value), &mut text);
    }
    text
}

impl Delimiters {
    /// Writes a key or a value; quoted, if it contains a delimiter.
    fn quote(&self, text: &[u8], out: &mut Vec<u8>) {
        let escaped: Vec<u8> =
            text.iter().flat_map(|byte| (*byte == b'"').then_some(b'\\').into_iter().chain([*byte])).collect();
        let is_quoted = find(&escaped, &self.inner).or_else(|| find(&escaped, &self.outer)).is_some();
        out.extend(is_quoted.then_some(b'"'));
        out.extend_from_slice(&escaped);
        out.extend(is_quoted.then_some(b'"'));
    }
}

#[cfg(test)]
mod tests;
