//! What a plain scalar means, decided as Go's yaml.v3 decides it for a value of any type.
//!
//! So `yes` is text, `017` is 15, `0o17` too, `1_000` is a thousand, `08` is the number 8.0 (no octal, but a float), and a
//! timestamp stays text. The file must mean the same here as in otelcol, oddities included.

use crate::node::Value;

/// The value of a plain scalar without a tag.
pub(crate) fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Value::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Value::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Value::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let number = match text.as_bytes().first() {
        Some(b'.') => float(text),
        Some(b'+' | b'-' | b'0'..=b'9') => {
            let digits = text.replace('_', "");
            integer(&digits).map(Value::Int).or_else(|| float(&digits))
        }
        _ => None,
    };
    number.unwrap_or_else(|| Value::Text(text.to_string()))
}

/// The text of a plain key: that of what it means, as Go prints it, so `0x10` is the key `16`.
pub(crate) fn key(text: &str) -> String {
    match resolve(text) {
        Value::Null => "<nil>".to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) if value.is_nan() => "NaN".to_string(),
        Value::Float(value) if value.is_infinite() => if value > 0.0 { "+Inf" } else { "-Inf" }.to_string(),
        Value::Float(value) => match format!("{value:e}").split_once('e') {
            Some((digits, exponent)) if exponent.parse().is_ok_and(|e: i32| !(-4..21).contains(&e)) => {
                let (sign, size) = exponent.strip_prefix('-').map_or(('+', exponent), |size| ('-', size));
                format!("{digits}e{sign}{size:0>2}")
            }
            _ => value.to_string(),
        },
        _ => text.to_string(),
    }
}

/// The value of a scalar with a tag; `None` if it is not what the tag says. Tags of other languages mean text.
pub(crate) fn resolve_tagged(text: &str, tag: &str) -> Option<Value> {
    let value = resolve(text);
    let core = tag.strip_prefix("tag:yaml.org,2002:").or_else(|| tag.strip_prefix("!!"));
    match (core, value) {
        (Some("null"), Value::Null) => Some(Value::Null),
        (Some("bool"), Value::Bool(value)) => Some(Value::Bool(value)),
        (Some("int"), Value::Int(value)) => Some(Value::Int(value)),
        (Some("float"), Value::Float(value)) => Some(Value::Float(value)),
        #[expect(clippy::cast_precision_loss, reason = "the user asked for a float")]
        (Some("float"), Value::Int(value)) => Some(Value::Float(value as f64)),
        (Some("null" | "bool" | "int" | "float" | "binary"), _) => None,
        _ => Some(Value::Text(text.to_string())),
    }
}

/// An integer that fits in 64 bits, as Go's `ParseInt` and `ParseUint` with base 0 read it, plus YAML's own prefixes.
fn integer(digits: &str) -> Option<i128> {
    let (negative, signed, rest) = match digits.as_bytes().first()? {
        b'-' => (true, true, digits.get(1..)?),
        b'+' => (false, true, digits.get(1..)?),
        _ => (false, false, digits),
    };
    let prefixed = |lower: &str, upper: &str| rest.strip_prefix(lower).or_else(|| rest.strip_prefix(upper));
    let (radix, rest) = if let Some(rest) = prefixed("0x", "0X") {
        (16, rest)
    } else if let Some(rest) = prefixed("0b", "0B") {
        (2, rest)
    } else if let Some(rest) = prefixed("0o", "0O") {
        (8, rest)
    } else if rest.len() > 1 && rest.starts_with('0') {
        (8, rest)
    } else {
        (10, rest)
    };
    // Rust would read another sign here.
    if !rest.starts_with(|c: char| c.is_ascii_hexdigit()) {
        return None;
    }
    let magnitude = i128::from(u64::from_str_radix(rest, radix).ok()?);
    let value = if negative { -magnitude } else { magnitude };
    let max = if signed { i128::from(i64::MAX) } else { i128::from(u64::MAX) };
    (i128::from(i64::MIN)..=max).contains(&value).then_some(value)
}

/// A decimal number: `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, not beyond what a float holds.
fn float(text: &str) -> Option<Value> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let numeric = unsigned.starts_with(|c: char| c == '.' || c.is_ascii_digit());
    let allowed = unsigned.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    if !numeric || !allowed {
        return None;
    }
    text.parse::<f64>().ok().filter(|value| value.is_finite()).map(Value::Float)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &Value) -> String {
        match value {
            Value::Null => "null".to_string(),
            Value::Bool(value) => format!("bool {value}"),
            Value::Int(value) => format!("int {value}"),
            Value::Float(value) => format!("float {value}"),
            Value::Text(text) => format!("text {text}"),
            _ => "?".to_string(),
        }
    }

    #[test]
    fn means_what_go_means() {
        for (text, expected) in [
            ("", "null"),
            ("~", "null"),
            ("NULL", "null"),
            ("nULL", "text nULL"),
            ("true", "bool true"),
            ("False", "bool false"),
            ("yes", "text yes"),
            ("on", "text on"),
            ("n", "text n"),
            ("0", "int 0"),
            ("-0", "int 0"),
            ("+7", "int 7"),
            ("017", "int 15"),
            ("0o17", "int 15"),
            ("-017", "int -15"),
            ("08", "float 8"),
            ("0x1F", "int 31"),
            ("-0x1f", "int -31"),
            ("0b101", "int 5"),
            ("1_000", "int 1000"),
            ("18446744073709551615", "int 18446744073709551615"),
            ("18446744073709551616", "float 18446744073709552000"),
            ("-9223372036854775808", "int -9223372036854775808"),
            ("-9223372036854775809", "float -9223372036854776000"),
            ("5.5", "float 5.5"),
            ("5.", "float 5"),
            (".5", "float 0.5"),
            ("-.5", "float -0.5"),
            ("1e3", "float 1000"),
            ("1e999", "text 1e999"),
            (".inf", "float inf"),
            ("-.INF", "float -inf"),
            (".nan", "float NaN"),
            (".", "text ."),
            ("-", "text -"),
            ("--5", "text --5"),
            ("0x", "text 0x"),
            ("0x-5", "text 0x-5"),
            ("1.2.3", "text 1.2.3"),
            ("127.0.0.1:4317", "text 127.0.0.1:4317"),
            ("1:30", "text 1:30"),
            ("2024-01-01", "text 2024-01-01"),
            ("2024-01-01T10:00:00Z", "text 2024-01-01T10:00:00Z"),
            ("5s", "text 5s"),
            ("infinity", "text infinity"),
            ("0x1p-2", "text 0x1p-2"),
        ] {
            assert_eq!(shown(&resolve(text)), expected, "{text}");
        }
    }

    #[test]
    fn keys_are_what_they_mean() {
        for (text, expected) in [
            ("a", "a"),
            ("017", "15"),
            ("0x10", "16"),
            ("1.50", "1.5"),
            ("1e3", "1000"),
            ("1e21", "1e+21"),
            ("1e-7", "1e-07"),
            ("TRUE", "true"),
            ("~", "<nil>"),
            (".inf", "+Inf"),
            ("1_0", "10"),
            ("yes", "yes"),
        ] {
            assert_eq!(key(text), expected, "{text}");
        }
    }

    #[test]
    fn tags_decide() {
        for (text, tag, expected) in [
            ("5", "tag:yaml.org,2002:str", Some("text 5")),
            ("5", "tag:yaml.org,2002:int", Some("int 5")),
            ("5", "tag:yaml.org,2002:float", Some("float 5")),
            ("x", "tag:yaml.org,2002:int", None),
            ("5", "!mine", Some("text 5")),
        ] {
            assert_eq!(
                resolve_tagged(text, tag).map(|value| shown(&value)),
                expected.map(str::to_string),
                "{text} {tag}"
            );
        }
    }
}
