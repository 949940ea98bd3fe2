//! Lists and maps.

use super::{Arguments, Call, Function, Kind, Run, arg, opt, plain, prepared, run};
use crate::{
    error::Error,
    value::{Map, Opaque, Value, element_text},
};

pub(super) const TABLE: &[Function] = &[
    plain("Len", &[arg("Target", Kind::Any)], len),
    prepared(
        "ToKeyValueString",
        &[
            arg("Target", Kind::Map),
            opt("Delimiter", Kind::Text),
            opt("PairDelimiter", Kind::Text),
            opt("SortOutput", Kind::Flag),
        ],
        to_key_value_string,
    ),
];

fn len(call: Call<'_>) -> Result<Value<'_>, Error> {
    let len = match call.any(0)? {
        Value::Str(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        Value::Opaque(Opaque::Events(count) | Opaque::Links(count)) => count,
        other => return Err(Error::Type { expected: "a string, a list or a map", found: other.kind() }),
    };
    i64::try_from(len).map(Value::Int).map_err(|_| Error::failed("too long"))
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
        joined(map, &delimiters, is_sorted).map(Value::string)
    }))
}

fn joined(map: Map<'_>, delimiters: &Delimiters, is_sorted: bool) -> Result<Vec<u8>, Error> {
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
        delimiters.quote(&element_text(value)?, &mut text);
    }
    Ok(text)
}

impl Delimiters {
    /// Writes a key or a value; quoted, if it contains a delimiter.
    fn quote(&self, text: &[u8], out: &mut Vec<u8>) {
        let contains = |delimiter: &[u8]| text.windows(delimiter.len()).any(|window| window == delimiter);
        let is_quoted = contains(&self.inner) || contains(&self.outer);
        out.extend(is_quoted.then_some(b'"'));
        for byte in text {
            out.extend((*byte == b'"').then_some(b'\\'));
            out.push(*byte);
        }
        out.extend(is_quoted.then_some(b'"'));
    }
}
