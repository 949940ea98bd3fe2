//! Conversions between kinds of values.

use super::{Call, Function, Kind, arg, plain};
use crate::{
    error::Error,
    value::{Value, excerpt, hex as hex_text},
};

pub(super) const TABLE: &[Function] = &[
    plain("Bool", &[arg("Target", Kind::BoolLike)], bool),
    plain("Double", &[arg("Target", Kind::FloatLike)], double),
    plain("Hex", &[arg("Target", Kind::BytesLike)], hex),
    plain("Int", &[arg("Target", Kind::IntLike)], int),
    plain("ParseInt", &[arg("Target", Kind::Str), arg("Base", Kind::Int)], parse_int),
    plain("String", &[arg("Target", Kind::StrLike)], string),
];

fn bool(call: Call<'_>) -> Result<Value<'_>, Error> {
    Ok(call.bool_like(0)?.map_or(Value::Nil, Value::Bool))
}

fn double(call: Call<'_>) -> Result<Value<'_>, Error> {
    Ok(call.float_like(0)?.map_or(Value::Nil, Value::Float))
}

fn int(call: Call<'_>) -> Result<Value<'_>, Error> {
    Ok(call.int_like(0)?.map_or(Value::Nil, Value::Int))
}

fn string(call: Call<'_>) -> Result<Value<'_>, Error> {
    Ok(call.str_like(0)?.map_or(Value::Nil, Value::Str))
}

fn hex(call: Call<'_>) -> Result<Value<'_>, Error> {
    let bytes = call.bytes_like(0)?.unwrap_or_default();
    call.spend(3 * bytes.len())?;
    Ok(Value::string(hex_text(&bytes)))
}

fn parse_int(call: Call<'_>) -> Result<Value<'_>, Error> {
    let text = call.str(0)?;
    if text.is_empty() {
        return Err(Error::failed("`ParseInt` of an empty text"));
    }
    let base = call.int(1)?;
    call.spend(text.len())?;
    let int = read_int(&text, base)
        .ok_or_else(|| Error::failed(format!("`{}` is not an int in base {base}", excerpt(&text))))?;
    Ok(Value::Int(int))
}

/// Go's `ParseInt`: base 0 goes by the prefix and allows underscores between digits.
fn read_int(text: &[u8], base: i64) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let (is_negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (base, digits) = if base == 0 { by_prefix(digits)? } else { (u32::try_from(base).ok()?, digits.to_string()) };
    let is_clean = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_clean || !(2..=36).contains(&base) {
        return None;
    }
    let magnitude = i128::from(u64::from_str_radix(&digits, base).ok()?);
    i64::try_from(if is_negative { -magnitude } else { magnitude }).ok()
}

/// The base that a prefix says, and the digits without prefix and underscores. An underscore stands between two digits, the
/// prefix counting as one.
fn by_prefix(text: &str) -> Option<(u32, String)> {
    let lower = text.to_ascii_lowercase();
    let (base, digits) = match lower.get(..2) {
        Some("0x") if lower.len() > 2 => (16, &lower[2..]),
        Some("0b") if lower.len() > 2 => (2, &lower[2..]),
        Some("0o") if lower.len() > 2 => (8, &lower[2..]),
        Some(_) if lower.starts_with('0') => (8, &lower[1..]),
        _ => (10, &lower[..]),
    };
    let is_misplaced = digits.contains("__") || digits.ends_with('_') || (base == 10 && digits.starts_with('_'));
    (!is_misplaced).then(|| (base, digits.replace('_', "")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::testing::{Failure, ask, ask_dynamically, check};
    use std::borrow::Cow;

    #[test]
    fn conversions() {
        check(
            "Int",
            &[
                (&[Value::Float(1.9)], Some(Value::Int(1))),
                (&[Value::Float(-1.9)], Some(Value::Int(-1))),
                (&[Value::Bool(true)], Some(Value::Int(1))),
                (&[Value::str("42")], Some(Value::Int(42))),
                (&[Value::str("0x10")], None),
                (&[Value::Nil], Some(Value::Nil)),
                (&[Value::Duration(1)], None),
            ],
        );
        check(
            "Double",
            &[
                (&[Value::Int(42)], Some(Value::Float(42.0))),
                (&[Value::str("4.5")], Some(Value::Float(4.5))),
                (&[Value::str("x")], None),
            ],
        );
        check(
            "Bool",
            &[
                (&[Value::str("t")], Some(Value::Bool(true))),
                (&[Value::Float(0.0)], Some(Value::Bool(false))),
                (&[Value::str("yes")], None),
            ],
        );
        check(
            "String",
            &[
                (&[Value::Float(1_000_000.0)], Some(Value::str("1000000"))),
                (&[Value::Bytes(Cow::Borrowed(&[0, 1, 2]))], Some(Value::str("000102"))),
                (&[Value::Nil], Some(Value::Nil)),
            ],
        );
        check(
            "Hex",
            &[
                (&[Value::Int(12)], Some(Value::str("000000000000000c"))),
                (&[Value::Float(12.0)], Some(Value::str("4028000000000000"))),
                (&[Value::Bool(true)], Some(Value::str("01"))),
                (&[Value::str("12")], Some(Value::str("3132"))),
                (&[Value::Nil], Some(Value::str(""))),
            ],
        );
        let unreadable = [Value::str("4x")];
        assert!(matches!(ask("Int", &[Value::str("4x")]), Err(Failure::Error(_))));
        assert!(matches!(ask_dynamically("Int", &unreadable), Err(Failure::Error(_))));
    }

    #[test]
    fn ints_of_any_base() {
        for (text, base, expected) in [
            ("0xAF", 0, Some(175)),
            ("0b101", 0, Some(5)),
            ("0o17", 0, Some(15)),
            ("017", 0, Some(15)),
            ("1_000", 0, Some(1000)),
            ("1__0", 0, None),
            ("_1", 0, None),
            ("0x_1f", 0, Some(31)),
            ("0", 0, Some(0)),
            ("0x", 0, None),
            ("-ff", 16, Some(-255)),
            ("0xff", 16, None),
            ("z", 36, Some(35)),
            ("1_000", 10, None),
            ("", 10, None),
            ("-9223372036854775808", 10, Some(i64::MIN)),
            ("9223372036854775808", 10, None),
            ("1", 1, None),
            ("1", -1, None),
            ("1", 37, None),
            ("+-1", 10, None),
        ] {
            let expected = expected.map(Value::Int);
            check("ParseInt", &[(&[Value::str(text), Value::Int(base)], expected)]);
        }
    }
}
