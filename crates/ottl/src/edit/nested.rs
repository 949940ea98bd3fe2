//! Setting what keys lead to inside of a value, by the rules of otelcol's `SetIndexableValue`.
//!
//! A key that a map lacks is put there, and an empty value becomes the container that its key asks for. What was put on the
//! way stays even if a later key is wrong; so everything here gives the value as it is then, and the error beside it.

use super::{
    encode::{self, encode_part, encode_wire},
    entries::Entries,
    message,
};
use crate::{error::Error, path::Key, subject::Subject, value::Value};
use otlp::wire::put_len;

/// An `AnyValue` body after an edit, and what was wrong with the edit.
pub(crate) type Edited = (Vec<u8>, Result<(), Error>);

/// Lists are made at most this long by an index.
const INDEX_MAX: i64 = 10_000;

/// `current` with `value` where `keys` lead to.
pub(crate) fn put<'e>(
    current: otlp::Value<'_>,
    keys: &'e [Key],
    subject: &'e Subject<'e>,
    value: &Value<'_>,
) -> Edited {
    let Some((key, rest)) = keys.split_first() else {
        return match encode_part(value) {
            (any, Err(error)) if any.is_empty() => (encode_wire(current), Err(error)),
            encoded => encoded,
        };
    };
    match current {
        otlp::Value::Map(body) => match key.str(subject) {
            Ok(name) => put_in_map(body, &name, rest, subject, value),
            Err(error) => (encode_wire(current), Err(error)),
        },
        otlp::Value::Array(body) => match key.int(subject) {
            Ok(index) => put_in_list(body, index, rest, subject, value),
            Err(error) => (encode_wire(current), Err(error)),
        },
        otlp::Value::Empty => put_in_empty(key, rest, subject, value),
        other => {
            let error = Error::Type { expected: "a map or a list", found: Value::of_wire(other).kind() };
            (encode_wire(other), Err(error))
        }
    }
}

fn put_in_map<'e>(body: &[u8], name: &[u8], rest: &'e [Key], subject: &'e Subject<'e>, value: &Value<'_>) -> Edited {
    let mut entries = Entries::of(body, 1);
    let result = put_in_entries(&mut entries, name, rest, subject, value);
    (encode::map(&entries.list()), result)
}

/// The entry of `name` with `value` where `rest` leads to.
pub(crate) fn put_in_entries<'e>(
    entries: &mut Entries<'_>,
    name: &[u8],
    rest: &'e [Key],
    subject: &'e Subject<'e>,
    value: &Value<'_>,
) -> Result<(), Error> {
    let slot = entries.entry(name);
    let (any, result) = put(slot.value(), rest, subject, value);
    slot.set(&any);
    result
}

fn put_in_list<'e>(body: &[u8], index: i64, rest: &'e [Key], subject: &'e Subject<'e>, value: &Value<'_>) -> Edited {
    let items: Vec<&[u8]> = message::bodies(body, 1).collect();
    let Some(index) = usize::try_from(index).ok().filter(|index| *index < items.len()) else {
        let error = Error::failed(format!("the list has no item {index}"));
        return (encode::list(body), Err(error));
    };
    let item = otlp::view::value(items[index]).unwrap_or(otlp::Value::Empty);
    let (any, result) = put(item, rest, subject, value);
    let mut out = Vec::with_capacity(body.len() + any.len());
    for (at, item) in items.iter().enumerate() {
        put_len(&mut out, 1, if at == index { &any } else { item });
    }
    (encode::list(&out), result)
}

fn put_in_empty<'e>(key: &'e Key, rest: &'e [Key], subject: &'e Subject<'e>, value: &Value<'_>) -> Edited {
    match key.any(subject) {
        Ok(Value::Str(name)) => put_in_map(&[], &name, rest, subject, value),
        Ok(Value::Int(index)) if index > INDEX_MAX => {
            (Vec::new(), Err(Error::failed(format!("an index that makes a list is at most {INDEX_MAX}"))))
        }
        Ok(Value::Int(index)) => {
            let (any, result) = put(otlp::Value::Empty, rest, subject, value);
            let mut out = Vec::new();
            (0..index).for_each(|_| put_len(&mut out, 1, &[]));
            put_len(&mut out, 1, &any);
            (encode::list(&out), result)
        }
        Ok(other) => (Vec::new(), Err(Error::Type { expected: "a string or an int as a key", found: other.kind() })),
        Err(error) => (Vec::new(), Err(error)),
    }
}
