//! Values as Go and otelcol's pdata write them: numbers, times, IDs, nested values as JSON.
//!
//! Text from outside is cleaned: what could forge a line or paint the terminal becomes a space.

use std::fmt::Write;

use jiff::Timestamp;
use otlp::Value;
use otlp::view::{array_values, map_entries};

/// Text, cleaned.
pub(super) fn text(bytes: &[u8]) -> String {
    let hostile = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    String::from_utf8_lossy(bytes).chars().map(|c| if hostile(c) { ' ' } else { c }).collect()
}

/// An ID: nothing where it is all zero.
pub(super) fn id(bytes: &[u8]) -> String {
    if bytes.iter().all(|byte| *byte == 0) {
        return String::new();
    }
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _infallible = write!(hex, "{byte:02x}");
        hex
    })
}

/// A moment as Go's `time.Time` prints it.
pub(super) fn moment(ns: u64) -> String {
    let ns = ns.cast_signed();
    let at = Timestamp::from_nanosecond(i128::from(ns)).unwrap_or(Timestamp::UNIX_EPOCH);
    let fraction = match ns.rem_euclid(1_000_000_000) {
        0 => String::new(),
        fraction => format!(".{fraction:09}").trim_end_matches('0').to_owned(),
    };
    format!("{}{fraction} +0000 UTC", at.strftime("%Y-%m-%d %H:%M:%S"))
}

/// Go's `%f`.
pub(super) fn fixed(value: f64) -> String {
    special(value, "+Inf", "-Inf").unwrap_or_else(|| format!("{value:.6}"))
}

/// Go's `%v`.
pub(super) fn shortest(value: f64) -> String {
    special(value, "+Inf", "-Inf").unwrap_or_else(|| scientific_outside(value, 1e-4, 1e6))
}

/// pdata's text of a double, which is JavaScript's.
fn double(value: f64) -> String {
    special(value, "Infinity", "-Infinity").unwrap_or_else(|| {
        let text = scientific_outside(value, 1e-6, 1e21);
        text.replace("e-0", "e-")
    })
}

fn special(value: f64, positive: &str, negative: &str) -> Option<String> {
    match value {
        value if value.is_nan() => Some("NaN".to_owned()),
        f64::INFINITY => Some(positive.to_owned()),
        f64::NEG_INFINITY => Some(negative.to_owned()),
        _ => None,
    }
}

/// The shortest digits, with an exponent of at least two of its own where the value is small or large.
fn scientific_outside(value: f64, low: f64, high: f64) -> String {
    if value == 0.0 || (low..high).contains(&value.abs()) {
        return value.to_string();
    }
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, exponent)) => match exponent.strip_prefix('-') {
            Some(exponent) => format!("{digits}e-{exponent:0>2}"),
            None => format!("{digits}e+{exponent:0>2}"),
        },
        None => text,
    }
}

/// A value with its kind before it: `Str(shop)`.
pub(super) fn kind_and_value(value: Value<'_>) -> String {
    let kind = match value {
        Value::Empty => "Empty",
        Value::Str(_) => "Str",
        Value::Bool(_) => "Bool",
        Value::Int(_) => "Int",
        Value::Double(_) => "Double",
        Value::Array(_) => "Slice",
        Value::Map(_) => "Map",
        Value::Bytes(_) => "Bytes",
    };
    format!("{kind}({})", plain(value))
}

/// A value as pdata's `AsString` has it: nested ones are JSON with sorted keys.
pub(super) fn plain(value: Value<'_>) -> String {
    match value {
        Value::Empty => String::new(),
        Value::Str(bytes) => text(bytes),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Double(value) => double(value),
        Value::Bytes(bytes) => base64(bytes),
        Value::Array(_) | Value::Map(_) => {
            let mut out = String::new();
            json(&mut out, value, 0);
            text(out.as_bytes())
        }
    }
}

/// What nests deeper than protobuf allows cannot have been received.
fn json(out: &mut String, value: Value<'_>, depth: u32) {
    if depth > otlp::wire::DEPTH_MAX {
        return;
    }
    match value {
        Value::Empty => out.push_str("null"),
        Value::Str(bytes) => quoted(out, &String::from_utf8_lossy(bytes)),
        Value::Bytes(bytes) => quoted(out, &base64(bytes)),
        Value::Array(body) => {
            out.push('[');
            for (index, item) in array_values(body).enumerate() {
                if index > 0 {
                    out.push(',');
                }
                json(out, item, depth + 1);
            }
            out.push(']');
        }
        Value::Map(body) => {
            let entries: std::collections::BTreeMap<_, _> = map_entries(body).collect();
            out.push('{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                quoted(out, &String::from_utf8_lossy(key));
                out.push(':');
                json(out, value, depth + 1);
            }
            out.push('}');
        }
        plain_one => out.push_str(&plain(plain_one)),
    }
}

fn quoted(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

fn base64(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    otlp::json::base64::encode(&mut out, bytes);
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_gos() {
        for (value, percent_v, percent_f, pdata) in [
            (0.0, "0", "0.000000", "0"),
            (1.5, "1.5", "1.500000", "1.5"),
            (-100.0, "-100", "-100.000000", "-100"),
            (1e30, "1e+30", "1000000000000000019884624838656.000000", "1e+30"),
            (1.5e-7, "1.5e-07", "0.000000", "1.5e-7"),
            (0.000_01, "1e-05", "0.000010", "0.00001"),
            (1_234_567.0, "1.234567e+06", "1234567.000000", "1234567"),
            (123_456.0, "123456", "123456.000000", "123456"),
            (f64::INFINITY, "+Inf", "+Inf", "Infinity"),
            (f64::NAN, "NaN", "NaN", "NaN"),
        ] {
            assert_eq!(
                (shortest(value), fixed(value), double(value)),
                (percent_v.into(), percent_f.into(), pdata.into())
            );
        }
    }

    #[test]
    fn moments_are_gos() {
        assert_eq!(moment(0), "1970-01-01 00:00:00 +0000 UTC");
        assert_eq!(moment(1_700_000_000_120_000_000), "2023-11-14 22:13:20.12 +0000 UTC");
        assert_eq!(moment(u64::MAX), "1969-12-31 23:59:59.999999999 +0000 UTC");
    }

    #[test]
    fn no_text_forges_a_line() {
        assert_eq!(text("GET\u{1b}[31m /cart\nforged\u{202e}".as_bytes()), "GET [31m /cart forged ");
    }
}
