//! Attribute values as text, for formats whose attributes are strings.
//!
//! As the collector's `AsString`: text as it is, numbers as JavaScript writes them, bytes as base64, containers as JSON
//! with sorted keys. What is not UTF-8 becomes U+FFFD. Nesting beyond what protobuf allows is cut off as `null`.

use otlp::{
    Value,
    json::base64,
    view::{Attributes, array_values, map_entries},
    wire::DEPTH_MAX,
};
use serde_json::{Number, Value as Json};
use std::{borrow::Cow, collections::BTreeMap};

/// A value as text.
pub(crate) fn text(value: Value<'_>) -> Cow<'_, str> {
    match value {
        Value::Empty => Cow::Borrowed(""),
        Value::Str(text) => String::from_utf8_lossy(text),
        Value::Bool(bool) => Cow::Borrowed(if bool { "true" } else { "false" }),
        Value::Int(int) => Cow::Owned(int.to_string()),
        Value::Double(double) => Cow::Owned(double_text(double)),
        Value::Bytes(bytes) => Cow::Owned(base64_text(bytes)),
        Value::Array(_) | Value::Map(_) => Cow::Owned(json(value, 0).to_string()),
    }
}

/// Attributes as a JSON object; of equal keys the last one counts.
pub(crate) fn json_object(attributes: Attributes<'_>) -> Json {
    object(attributes, 0)
}

fn object(entries: Attributes<'_>, depth: u32) -> Json {
    let sorted: BTreeMap<String, Json> =
        entries.map(|(key, value)| (String::from_utf8_lossy(key).into_owned(), json(value, depth + 1))).collect();
    Json::Object(sorted.into_iter().collect())
}

fn json(value: Value<'_>, depth: u32) -> Json {
    if depth > DEPTH_MAX {
        return Json::Null;
    }
    match value {
        Value::Empty => Json::Null,
        Value::Bool(bool) => Json::Bool(bool),
        Value::Int(int) => Json::Number(int.into()),
        Value::Double(double) => number(double),
        Value::Array(body) => Json::Array(array_values(body).map(|value| json(value, depth + 1)).collect()),
        Value::Map(body) => object(map_entries(body), depth),
        Value::Str(_) | Value::Bytes(_) => Json::String(text(value).into_owned()),
    }
}

/// A whole double is written without a decimal point, and what JSON has no number for as text.
fn number(double: f64) -> Json {
    if double.fract() == 0.0 && double.abs() < EXACT_MAX {
        return Json::Number((double as i64).into());
    }
    Number::from_f64(double).map_or_else(|| Json::String(double_text(double)), Json::Number)
}

fn double_text(double: f64) -> String {
    if double.is_infinite() {
        return if double > 0.0 { "Infinity".into() } else { "-Infinity".into() };
    }
    let size = double.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) && !double.is_nan() {
        let text = format!("{double:e}");
        return if text.contains("e-") { text } else { text.replace('e', "e+") };
    }
    double.to_string()
}

fn base64_text(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    base64::encode(&mut text, bytes);
    String::from_utf8_lossy(&text).into_owned()
}

/// Below 2⁵³ each whole double is one integer.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars() {
        let cases = [
            (Value::Empty, ""),
            (Value::Str(b"a\xffb"), "a\u{fffd}b"),
            (Value::Bool(true), "true"),
            (Value::Int(-5), "-5"),
            (Value::Double(1.0), "1"),
            (Value::Double(0.25), "0.25"),
            (Value::Double(1e21), "1e+21"),
            (Value::Double(-2.5e-7), "-2.5e-7"),
            (Value::Double(f64::NAN), "NaN"),
            (Value::Double(f64::NEG_INFINITY), "-Infinity"),
            (Value::Bytes(&[0, 255]), "AP8="),
        ];
        for (value, expected) in cases {
            assert_eq!(text(value), expected, "{value:?}");
        }
    }

    #[test]
    fn containers() {
        let json = br#"{"resourceSpans":[{"resource":{"attributes":[{"key":"m","value":{"kvlistValue":{"values":[
            {"key":"z","value":{"doubleValue":2}},{"key":"a","value":{"arrayValue":{"values":[{"intValue":1},{},{"stringValue":"\""},{"bytesValue":"AP8="},{"doubleValue":"NaN"}]}}},
            {"key":"z","value":{"doubleValue":2.5}}]}}}]},"scopeSpans":[{"spans":[{}]}]}]}"#;
        let request = otlp::json::decode(otlp::Signal::Traces, json).unwrap();
        let span = otlp::view::spans(&request).next().unwrap().unwrap();
        let (_, value) = span.resource.attributes().next().unwrap();
        assert_eq!(text(value), r#"{"a":[1,null,"\"","AP8=","NaN"],"z":2.5}"#);
    }
}
