//! Conversions between kinds of values.
//!
//! The "like" getters convert; a literal that does not convert refuses the configuration before it comes here.

use super::{
    Call, Function,
    Kind::{BoolLike, BytesLike, FloatLike, Int, IntLike, Str, StrLike},
    arg, plain,
};
use crate::{
    error::Error,
    value::{Value, excerpt, hex},
};

pub(super) const TABLE: &[Function] = &[
    plain("Bool", &[arg("Target", BoolLike)], to_bool),
    plain("Double", &[arg("Target", FloatLike)], to_double),
    plain("Hex", &[arg("Target", BytesLike)], to_hex),
    plain("Int", &[arg("Target", IntLike)], to_int),
    plain("ParseInt", &[arg("Target", Str), arg("Base", Int)], parse_int),
    plain("String", &[arg("Target", StrLike)], to_string),
];

fn to_bool(call: Call<'_>) -> Result<Value<'_>, Error> {
    Ok(call.bool_like(0)?.map_or(Value::Nil, Value::Bool))
}

fn to_double(call: Call<'_>) -> Result<Value<'_>, Error> {
    Ok(call.float_like(0)?.map_or(Value::Nil, Value::Float))
}

fn to_int(call: Call<'_>) -> Result<Value<'_>, Error> {
    Ok(call.int_like(0)?.map_or(Value::Nil, Value::Int))
}

fn to_string(call: Call<'_>) -> Result<Value<'_>, Error> {
    Ok(call.str_like(0)?.map_or(Value::Nil, Value::Str))
}

/// Nil has no bytes: its text is empty.
fn to_hex(call: Call<'_>) -> Result<Value<'_>, Error> {
    let bytes = call.bytes_like(0)?.unwrap_or_default();
    call.spend(2 * bytes.len())?;
    Ok(Value::string(hex(&bytes)))
}

fn parse_int(call: Call<'_>) -> Result<Value<'_>, Error> {
    let text = call.str(0)?;
    if text.is_empty() {
        return Err(Error::failed("`ParseInt` needs a text that is not empty"));
    }
    let base = call.int(1)?;
    call.spend(text.len())?;
    let parsed = u32::try_from(base).ok().and_then(|base| read_int(&text, base));
    parsed.map(Value::Int).ok_or_else(|| Error::failed(format!("`{}` is not an int of base {base}", excerpt(&text))))
}

/// Go's `ParseInt`. Base 0 looks at the prefix and allows underscores between digits.
fn read_int(text: &[u8], base: u32) -> Option<i64> {
    let (is_negative, unsigned) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    let magnitude = match base {
        0 => {
            let (base, has_prefix, digits) = prefixed(unsigned);
            magnitude(&without_underscores(digits, has_prefix)?, base)?
        }
        2..=36 => magnitude(unsigned, base)?,
        _ => return None,
    };
    let signed = if is_negative { -i128::from(magnitude) } else { i128::from(magnitude) };
    i64::try_from(signed).ok()
}

/// The base, whether a prefix said so, and what follows it. A lonely `0` has no prefix.
fn prefixed(unsigned: &[u8]) -> (u32, bool, &[u8]) {
    match unsigned {
        [b'0', b'x' | b'X', digits @ ..] if !digits.is_empty() => (16, true, digits),
        [b'0', b'b' | b'B', digits @ ..] if !digits.is_empty() => (2, true, digits),
        [b'0', b'o' | b'O', digits @ ..] if !digits.is_empty() => (8, true, digits),
        [b'0', digits @ ..] if !digits.is_empty() => (8, true, digits),
        _ => (10, false, unsigned),
    }
}

/// The digits alone; `None` if an underscore stands elsewhere than between digits or after a prefix.
fn without_underscores(digits: &[u8], has_prefix: bool) -> Option<Vec<u8>> {
    let mut is_after_digit = has_prefix;
    for byte in digits {
        if *byte == b'_' && !is_after_digit {
            return None;
        }
        is_after_digit = *byte != b'_';
    }
    is_after_digit.then(|| digits.iter().copied().filter(|byte| *byte != b'_').collect())
}

fn magnitude(digits: &[u8], base: u32) -> Option<u64> {
    let start = if digits.is_empty() { None } else { Some(0_u64) };
    digits.iter().try_fold(start?, |sum, digit| {
        let digit = char::from(*digit).to_digit(base)?;
        sum.checked_mul(base.into())?.checked_add(digit.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        functions::testing::{ask_dynamically, check},
        value::{Id, List, Time},
    };

    const TIME: Value<'static> = Value::Time(Time { seconds: 0, nanos: 0, offset_s: 0, zone: [0; 6] });

    #[test]
    fn like_getters_convert() {
        let truth = |value: bool| Some(Value::Bool(value));
        check(
            "Bool",
            &[
                (&[Value::Int(500)], truth(true)),
                (&[Value::Int(0)], truth(false)),
                (&[Value::Float(1.5)], truth(true)),
                (&[Value::str("f")], truth(false)),
                (&[Value::str("hello")], None),
                (&[Value::str("")], None),
                (&[Value::Nil], Some(Value::Nil)),
                (&[Value::Bytes(b"\0\x01".into())], None),
                (&[TIME], None),
            ],
        );
        check(
            "Double",
            &[
                (&[Value::Int(500)], Some(Value::Float(500.0))),
                (&[Value::Bool(true)], Some(Value::Float(1.0))),
                (&[Value::str("1.5")], Some(Value::Float(1.5))),
                (&[Value::str("4x")], None),
                (&[Value::Nil], Some(Value::Nil)),
                (&[Value::List(List::native(vec![]))], None),
            ],
        );
        check(
            "Int",
            &[
                (&[Value::Float(-1.9)], Some(Value::Int(-1))),
                (&[Value::str("42")], Some(Value::Int(42))),
                (&[Value::str("4x")], None),
                (&[Value::str("0x10")], None),
                (&[Value::str("")], None),
                (&[Value::Nil], Some(Value::Nil)),
                (&[Value::Duration(5)], None),
            ],
        );
        check(
            "String",
            &[
                (&[Value::Int(500)], Some(Value::str("500"))),
                (&[Value::Float(1.0)], Some(Value::str("1"))),
                (&[Value::Bytes(b"\0\x01\x02".into())], Some(Value::str("000102"))),
                (&[TIME], Some(Value::str("\"1970-01-01T00:00:00Z\""))),
                (&[Value::Nil], Some(Value::Nil)),
            ],
        );
        assert!(ask_dynamically("Int", &[Value::str("4x")]).is_err());
    }

    #[test]
    fn hex_shows_bytes() {
        check(
            "Hex",
            &[
                (&[Value::Int(-5)], Some(Value::str("fffffffffffffffb"))),
                (&[Value::Float(1.5)], Some(Value::str("3ff8000000000000"))),
                (&[Value::Bool(true)], Some(Value::str("01"))),
                (&[Value::str("4x")], Some(Value::str("3478"))),
                (&[Value::Nil], Some(Value::str(""))),
                (&[TIME], None),
                (&[Value::Id(Id::Span([0; 8]))], None),
            ],
        );
    }

    #[test]
    fn parse_int_reads_what_go_reads() {
        for (text, base, expected) in [
            ("0x1f", 0, Some(31)),
            ("ff", 16, Some(255)),
            ("FF", 16, Some(255)),
            ("zz", 36, Some(1295)),
            ("10", 5, Some(5)),
            ("10", 3, Some(3)),
            ("42", 10, Some(42)),
            ("+42", 10, Some(42)),
            ("-9223372036854775808", 10, Some(i64::MIN)),
            ("9223372036854775808", 10, None),
            ("0b101", 0, Some(5)),
            ("0O17", 0, Some(15)),
            ("017", 0, Some(15)),
            ("0", 0, Some(0)),
            ("-0x_1f", 0, Some(-31)),
            ("1_000", 0, Some(1000)),
            ("0_7", 0, Some(7)),
            ("_1", 0, None),
            ("1__0", 0, None),
            ("1_", 0, None),
            ("0x", 0, None),
            ("08", 0, None),
            ("1_000", 10, None),
            ("0x1f", 16, None),
            ("-", 10, None),
            ("+-1", 10, None),
            ("", 10, None),
            ("10", 1, None),
            ("10", 37, None),
            ("10", 500, None),
            ("10", -5, None),
        ] {
            check("ParseInt", &[(&[Value::str(text), Value::Int(base)], expected.map(Value::Int))]);
        }
    }
}
