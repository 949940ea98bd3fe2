//! Attribute values: those that a configuration writes, and what is made of those on the wire.
//!
//! A value is handed around as the body of an `AnyValue` message, as it stands in a request, and looked into only where a
//! processor has to know more than that it is there.

use otlp::{
    Value, view,
    wire::{put_fixed64, put_len, put_uint, put_varint, varint_len},
};
use settings::{Decode, Node, Problems, Value as Yaml};
use std::{borrow::Cow, collections::BTreeMap};

/// A value as a configuration writes it, of any kind that YAML has.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// Nothing; it can stand in lists and maps only.
    Empty,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A number with a fraction.
    Double(f64),
    /// Text.
    Str(String),
    /// A list.
    List(Vec<Literal>),
    /// A map; no key twice.
    Map(Vec<(String, Literal)>),
}

impl Literal {
    /// As otelcol takes a value of any kind: what an expansion brought counts as what it means, not as its text.
    #[must_use]
    pub fn of(node: &Node) -> Self {
        match &node.value {
            Yaml::Null => Self::Empty,
            Yaml::Bool(bool) => Self::Bool(*bool),
            // Of integers beyond 63 bits otelcol keeps the lower 64.
            Yaml::Int(int) => Self::Int(*int as i64),
            Yaml::Float(float) => Self::Double(*float),
            Yaml::Text(text) => Self::Str(text.clone()),
            Yaml::Secret(secret) => Self::Str(secret.expose().to_string()),
            Yaml::List(items) => Self::List(items.iter().map(Self::of).collect()),
            Yaml::Map(entries) => {
                Self::Map(entries.iter().map(|entry| (entry.key.clone(), Self::of(&entry.node))).collect())
            }
        }
    }

    /// The value as it is printed.
    #[must_use]
    pub fn effective(&self) -> Node {
        match self {
            Self::Empty => Node::null(),
            Self::Bool(bool) => (*bool).into(),
            Self::Int(int) => (*int).into(),
            Self::Double(double) => (*double).into(),
            Self::Str(text) => text.into(),
            Self::List(items) => Node::list_of(items.iter().map(Self::effective)),
            Self::Map(entries) => Node::map_of(entries.iter().map(|(key, value)| (key.clone(), value.effective()))),
        }
    }

    /// The body of the `AnyValue`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.put(&mut out);
        out
    }

    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Empty => {}
            Self::Bool(bool) => put_uint(out, 2, u64::from(*bool)),
            Self::Int(int) => put_int(out, *int),
            Self::Double(double) => put_double(out, *double),
            Self::Str(text) => put_str(out, text.as_bytes()),
            Self::List(items) => {
                let mut list = Vec::new();
                items.iter().for_each(|item| put_len(&mut list, 1, &item.encode()));
                put_len(out, 5, &list);
            }
            Self::Map(entries) => {
                let mut map = Vec::new();
                entries.iter().for_each(|(key, value)| put_key_value(&mut map, 1, key.as_bytes(), &value.encode()));
                put_len(out, 6, &map);
            }
        }
    }
}

impl Decode for Literal {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        p.takes(node, settings::Scalar::Anything);
        Some(Self::of(node))
    }
}

/// Appends the body of an `AnyValue` that is text.
pub fn put_str(out: &mut Vec<u8>, text: &[u8]) {
    put_len(out, 1, text);
}

/// Appends the body of an `AnyValue` that is an integer.
pub fn put_int(out: &mut Vec<u8>, int: i64) {
    put_uint(out, 3, int as u64);
}

/// Appends the body of an `AnyValue` that is a double.
pub fn put_double(out: &mut Vec<u8>, double: f64) {
    put_fixed64(out, 4, double.to_bits());
}

/// Appends a `KeyValue` as the field `number`; `value` is the body of its `AnyValue`.
pub fn put_key_value(out: &mut Vec<u8>, number: u32, key: &[u8], value: &[u8]) {
    let field = |bytes: usize| 1 + varint_len(bytes as u64) + bytes;
    put_varint(out, u64::from(number) << 3 | 2);
    put_varint(out, (field(key.len()) + field(value.len())) as u64);
    put_len(out, 1, key);
    put_len(out, 2, value);
}

/// The body of an `AnyValue` that is this text.
#[must_use]
pub fn of_str(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 4);
    put_str(&mut out, text);
    out
}

/// Reads the body of an `AnyValue`; what is broken reads as empty.
#[must_use]
pub fn read(body: &[u8]) -> Value<'_> {
    view::value(body).unwrap_or(Value::Empty)
}

/// The text that pdata's `AsString` gives: of lists and maps their JSON, base64 of bytes.
#[must_use]
pub fn text(value: Value<'_>) -> Cow<'_, [u8]> {
    match value {
        Value::Empty => Cow::Borrowed(b""),
        Value::Str(text) => Cow::Borrowed(text),
        Value::Bool(bool) => Cow::Borrowed(if bool { b"true" } else { b"false" }),
        Value::Int(int) => Cow::Owned(int.to_string().into_bytes()),
        Value::Double(double) => Cow::Owned(double_text(double).into_bytes()),
        Value::Bytes(bytes) => {
            let mut out = Vec::new();
            otlp::json::base64::encode(&mut out, bytes);
            Cow::Owned(out)
        }
        // What JSON cannot say, as a NaN, leaves Go's encoder with nothing written.
        Value::Array(_) | Value::Map(_) => {
            let mut out = Vec::new();
            Cow::Owned(put_json(value, &mut out, 0).map_or(Vec::new(), |()| out))
        }
    }
}

/// Appends the JSON that Go makes of pdata's `AsRaw`: keys in order, of equal ones the last. `None` where JSON cannot say it.
fn put_json(value: Value<'_>, out: &mut Vec<u8>, depth: usize) -> Option<()> {
    if depth > JSON_DEPTH_MAX {
        return None;
    }
    match value {
        Value::Array(body) => {
            out.push(b'[');
            for (index, item) in view::array_values(body).enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                put_json(item, out, depth + 1)?;
            }
            out.push(b']');
        }
        Value::Map(body) => {
            let entries: BTreeMap<&[u8], Value<'_>> = view::map_entries(body).collect();
            out.push(b'{');
            for (index, (key, item)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                put_json(Value::Str(key), out, depth + 1)?;
                out.push(b':');
                put_json(item, out, depth + 1)?;
            }
            out.push(b'}');
        }
        Value::Double(double) => out.extend(ottl::value::json_float(double)?.into_bytes()),
        // Go has nil for no bytes.
        Value::Bytes(b"") => out.extend_from_slice(b"null"),
        scalar => out.extend(unescape_html(&ottl::value::json(&ottl::Value::of_wire(scalar)).ok()?)),
    }
    Some(())
}

/// As deep as protobuf messages may nest.
const JSON_DEPTH_MAX: usize = 100;

fn double_text(double: f64) -> String {
    if double.is_nan() {
        return "NaN".to_string();
    }
    if double.is_infinite() {
        return if double > 0.0 { "Infinity" } else { "-Infinity" }.to_string();
    }
    ottl::value::json_float(double).unwrap_or_default()
}

/// Go's encoder escapes `<`, `>` and `&` unless told otherwise, as pdata tells it.
fn unescape_html(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    let mut rest = json;
    while let Some((&first, after)) = rest.split_first() {
        let plain = match rest.get(..6) {
            Some(b"\\u003c") => Some(b'<'),
            Some(b"\\u003e") => Some(b'>'),
            Some(b"\\u0026") => Some(b'&'),
            _ => None,
        };
        if let Some(plain) = plain {
            out.push(plain);
            rest = rest.get(6..).unwrap_or_default();
            continue;
        }
        out.push(first);
        rest = after;
        // An escaped backslash does not begin another escape.
        if first == b'\\'
            && let Some((&second, after)) = rest.split_first()
        {
            out.push(second);
            rest = after;
        }
    }
    out
}

/// Go's `strconv.FormatFloat(double, 'f', -1, 64)`.
#[must_use]
pub fn plain_double(double: f64) -> String {
    match double {
        _ if double.is_nan() => "NaN".to_string(),
        _ if double.is_infinite() => if double > 0.0 { "+Inf" } else { "-Inf" }.to_string(),
        _ => format!("{double}"),
    }
}

/// Whether a value on the wire is the one that a configuration writes: of the same kind and equal; maps in any order.
///
/// It goes only as deep as the configuration.
#[must_use]
pub fn equals(literal: &Literal, value: Value<'_>) -> bool {
    match (literal, value) {
        (Literal::Empty, Value::Empty) => true,
        (Literal::Bool(a), Value::Bool(b)) => *a == b,
        (Literal::Int(a), Value::Int(b)) => *a == b,
        (Literal::Double(a), Value::Double(b)) => *a == b,
        (Literal::Str(a), Value::Str(b)) => a.as_bytes() == b,
        (Literal::List(a), Value::Array(b)) => {
            let mut values = view::array_values(b);
            a.iter().all(|item| values.next().is_some_and(|value| equals(item, value))) && values.next().is_none()
        }
        (Literal::Map(a), Value::Map(b)) => {
            view::map_entries(b).count() == a.len()
                && a.iter().all(|(key, item)| {
                    let found = view::map_entries(b).find(|(name, _)| *name == key.as_bytes());
                    found.is_some_and(|(_, value)| equals(item, value))
                })
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> Literal {
        let entries = [("b", Literal::Bool(true)), ("a", Literal::List(vec![Literal::Int(-1), Literal::Empty]))];
        Literal::Map(entries.map(|(key, value)| (key.to_string(), value)).to_vec())
    }

    #[test]
    fn texts_are_those_of_pdata() {
        for (literal, expected) in [
            (Literal::Empty, ""),
            (Literal::Bool(true), "true"),
            (Literal::Int(-7), "-7"),
            (Literal::Double(1.0), "1"),
            (Literal::Double(1e21), "1e+21"),
            (Literal::Double(1.5e-7), "1.5e-7"),
            (Literal::Double(f64::NAN), "NaN"),
            (Literal::Double(f64::NEG_INFINITY), "-Infinity"),
            (Literal::Str("<x>".to_string()), "<x>"),
            (map(), r#"{"a":[-1,null],"b":true}"#),
            (Literal::Map(vec![("k".to_string(), Literal::Empty)]), r#"{"k":null}"#),
            (Literal::List(vec![Literal::Str("<a>&\\u003c".to_string())]), r#"["<a>&\\u003c"]"#),
            (Literal::List(vec![Literal::Double(f64::NAN)]), ""),
        ] {
            let body = literal.encode();
            assert_eq!(String::from_utf8_lossy(&text(read(&body))), expected, "{literal:?}");
        }
        assert_eq!(plain_double(1e21), "1000000000000000000000");
        assert_eq!(plain_double(f64::INFINITY), "+Inf");
    }

    #[test]
    fn equal_is_of_one_kind() {
        assert!(equals(&map(), read(&map().encode())));
        let Literal::Map(mut entries) = map() else { unreachable!() };
        entries.reverse();
        assert!(equals(&map(), read(&Literal::Map(entries.clone()).encode())));
        entries.pop();
        assert!(!equals(&map(), read(&Literal::Map(entries).encode())));
        assert!(!equals(&Literal::Int(1), read(&Literal::Double(1.0).encode())));
        assert!(!equals(&Literal::Double(f64::NAN), read(&Literal::Double(f64::NAN).encode())));
        assert!(!equals(&Literal::List(vec![]), read(&Literal::List(vec![Literal::Empty]).encode())));
    }
}
