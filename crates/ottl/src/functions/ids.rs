//! Identifiers: made from bytes or hexadecimal digits, or drawn from the subject's seed.

use super::{Arguments, Call, Function, Kind, Run, arg, plain, prepared, run};
use crate::{
    error::Error,
    value::{Id, Value},
};

pub(super) const TABLE: &[Function] = &[
    prepared("ProfileID", &[arg("Target", Kind::BytesLike)], profile_id),
    prepared("SpanID", &[arg("Target", Kind::BytesLike)], span_id),
    prepared("TraceID", &[arg("Target", Kind::BytesLike)], trace_id),
    plain("UUID", &[], uuid).at_verdict(),
    plain("UUIDv7", &[], uuid_v7).at_verdict(),
];

fn profile_id(arguments: &Arguments) -> Result<Run, String> {
    id(arguments, |bytes| read(bytes).map(Id::Profile))
}

fn span_id(arguments: &Arguments) -> Result<Run, String> {
    id(arguments, |bytes| read(bytes).map(Id::Span))
}

fn trace_id(arguments: &Arguments) -> Result<Run, String> {
    id(arguments, |bytes| read(bytes).map(Id::Trace))
}

/// A literal is read when the condition is compiled.
fn id(arguments: &Arguments, read: fn(&[u8]) -> Result<Id, Error>) -> Result<Run, String> {
    let Some(literal) = arguments.constant(0) else {
        return Ok(run(move |call: Call<'_>| {
            let bytes = call.bytes_like(0)?.unwrap_or_default();
            read(&bytes).map(Value::Id)
        }));
    };
    let bytes = literal.borrow().into_bytes_like().map_err(|error| error.to_string())?;
    let id = read(&bytes.unwrap_or_default()).map_err(|error| error.to_string())?;
    Ok(run(move |_: Call<'_>| Ok(Value::Id(id))))
}

/// The bytes themselves, or twice as many hexadecimal digits.
fn read<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Error> {
    if let Ok(id) = bytes.try_into() {
        return Ok(id);
    }
    let wrong = || Error::failed(format!("an ID takes {N} bytes or {} hexadecimal digits", 2 * N));
    if bytes.len() != 2 * N {
        return Err(wrong());
    }
    let mut id = [0; N];
    for (byte, pair) in id.iter_mut().zip(bytes.chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16).ok_or_else(wrong);
        *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
    }
    Ok(id)
}

fn uuid(call: Call<'_>) -> Result<Value<'_>, Error> {
    let bits = u128::from(call.subject.draw()) << 64 | u128::from(call.subject.draw());
    Ok(written(bits, 4))
}

/// The milliseconds of the moment, then random bits.
fn uuid_v7(call: Call<'_>) -> Result<Value<'_>, Error> {
    let random = u128::from(call.subject.draw()) << 64 | u128::from(call.subject.draw());
    let milliseconds = u128::from(call.moment().wall_ns / 1_000_000);
    Ok(written(milliseconds << 80 | (random & ((1 << 80) - 1)), 7))
}

/// RFC 9562's form, with version and variant put in.
fn written<'e>(bits: u128, version: u128) -> Value<'e> {
    let bits = bits & !(0xf << 76 | 0x3 << 62) | version << 76 | 0x2 << 62;
    let digits = format!("{bits:032x}");
    let groups = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    Value::string(groups.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::testing::{Failure, ask, ask_dynamically, check};
    use std::borrow::Cow;

    #[test]
    fn ids_are_bytes_or_digits() {
        let id = || Value::Id(Id::Span([1, 2, 3, 4, 5, 6, 7, 0xab]));
        check(
            "SpanID",
            &[
                (&[Value::str("01020304050607AB")], Some(id())),
                (&[Value::Bytes(Cow::Borrowed(&[1, 2, 3, 4, 5, 6, 7, 0xab]))], Some(id())),
                (&[Value::str("0102030405060xab")], None),
                (&[Value::str("abc")], None),
                (&[Value::Nil], None),
            ],
        );
        assert!(matches!(ask("TraceID", &[Value::str("abc")]), Err(Failure::Refused(_))));
        assert!(matches!(ask_dynamically("TraceID", &[Value::str("abc")]), Err(Failure::Error(_))));
        assert!(ask("ProfileID", &[Value::str("0102030405060708090a0b0c0d0e0f10")]).is_ok());
    }

    #[test]
    fn random_ids_have_version_and_variant() {
        for (name, version) in [("UUID", "4"), ("UUIDv7", "7")] {
            let Ok(Value::Str(text)) = ask(name, &[]) else { panic!("{name} gives no text") };
            let text = String::from_utf8(text.into_owned()).unwrap();
            assert_eq!((text.len(), &text[14..15]), (36, version), "{text}");
            assert!("89ab".contains(&text[19..20]), "{text}");
        }
        let Ok(Value::Str(text)) = ask("UUIDv7", &[]) else { panic!("no text") };
        assert!(text.starts_with(b"019b76da-a800-7"), "{text:?}");
    }
}
