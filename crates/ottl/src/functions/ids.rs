//! Identifiers.
//!
//! `UUID` and `UUIDv7` are drawn from the subject's seed and moment, since the language has no randomness and no clock of its
//! own. otelcol makes `UUIDv7` strictly grow within a process; here those of one nanosecond are in no order.

use super::{Arguments, Call, Function, Kind::BytesLike, Run, arg, plain, prepared, run};
use crate::{
    error::Error,
    value::{Id, Value, hex},
};

pub(super) const TABLE: &[Function] = &[
    prepared("ProfileID", &[arg("Target", BytesLike)], |arguments| id(arguments, profile)),
    prepared("SpanID", &[arg("Target", BytesLike)], |arguments| id(arguments, span)),
    prepared("TraceID", &[arg("Target", BytesLike)], |arguments| id(arguments, trace)),
    plain("UUID", &[], uuid).at_verdict(),
    plain("UUIDv7", &[], uuid_v7).at_verdict(),
];

/// Bytes of an ID, or hexadecimal digits, as one.
type Read = fn(&[u8]) -> Result<Id, Error>;

/// A literal is read once.
fn id(arguments: &Arguments, read: Read) -> Result<Run, String> {
    if let Some(literal) = arguments.constant(0) {
        let bytes = literal.borrow().into_bytes_like().map_err(|error| error.to_string())?;
        let id = read(&bytes.unwrap_or_default()).map_err(|error| error.to_string())?;
        return Ok(run(move |_: Call<'_>| Ok(Value::Id(id))));
    }
    Ok(run(move |call: Call<'_>| read(&call.bytes_like(0)?.unwrap_or_default()).map(Value::Id)))
}

fn trace(bytes: &[u8]) -> Result<Id, Error> {
    exact("TraceID", bytes).map(Id::Trace)
}

fn span(bytes: &[u8]) -> Result<Id, Error> {
    exact("SpanID", bytes).map(Id::Span)
}

fn profile(bytes: &[u8]) -> Result<Id, Error> {
    exact("ProfileID", bytes).map(Id::Profile)
}

/// `N` bytes as they are, or twice as many digits.
fn exact<const N: usize>(name: &str, bytes: &[u8]) -> Result<[u8; N], Error> {
    if let Ok(exact) = bytes.try_into() {
        return Ok(exact);
    }
    if bytes.len() != 2 * N {
        let found = bytes.len();
        return Err(Error::failed(format!("`{name}` needs {N} bytes or {} digits, found {found}", 2 * N)));
    }
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let digits: Option<Vec<u8>> = bytes.iter().map(digit).collect();
    let digits = digits.ok_or_else(|| Error::failed(format!("`{name}` found a digit that is not hexadecimal")))?;
    Ok(std::array::from_fn(|index| digits[2 * index] << 4 | digits[2 * index + 1]))
}

fn uuid(call: Call<'_>) -> Result<Value<'_>, Error> {
    Ok(uuid_text(random(call), 4))
}

/// 48 bits of milliseconds, 4 of version, 12 of the millisecond's rest in steps of 256 ns, and random ones.
fn uuid_v7(call: Call<'_>) -> Result<Value<'_>, Error> {
    const MILLI_NS: u64 = 1_000_000;
    let wall_ns = call.moment().wall_ns;
    let rest = u128::from((wall_ns % MILLI_NS) >> 8);
    let stamp = u128::from(wall_ns / MILLI_NS) << 80 | rest << 64;
    Ok(uuid_text(stamp | random(call) & u128::from(u64::MAX), 7))
}

fn random(call: Call<'_>) -> u128 {
    let subject = call.subject();
    u128::from(subject.draw()) << 64 | u128::from(subject.draw())
}

/// The text of an ID with its version and variant set.
fn uuid_text(bits: u128, version: u128) -> Value<'static> {
    let bits = bits & !(0xf << 76 | 0x3 << 62) | version << 76 | 0x2 << 62;
    let digits = hex(&bits.to_be_bytes());
    let groups = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    Value::string(groups.join(&b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::testing::{Failure, MOMENT, ask, ask_dynamically, check};

    const TEXT: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const BYTES: [u8; 16] = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes();

    #[test]
    fn ids_take_bytes_or_digits() {
        check(
            "TraceID",
            &[
                (&[Value::str(TEXT)], Some(Value::Id(Id::Trace(BYTES)))),
                (&[Value::Bytes((&BYTES[..]).into())], Some(Value::Id(Id::Trace(BYTES)))),
                (&[Value::str("abc")], None),
                (&[Value::str("4bf92f3577b34da6a3ce929d0e0e473g")], None),
                (&[Value::Int(5)], None),
                (&[Value::Nil], None),
            ],
        );
        check("ProfileID", &[(&[Value::str(TEXT)], Some(Value::Id(Id::Profile(BYTES))))]);
        check(
            "SpanID",
            &[
                (&[Value::str("00F067AA0BA902B7")], Some(Value::Id(Id::Span(0x00f0_67aa_0ba9_02b7_u64.to_be_bytes())))),
                (&[Value::Int(5)], Some(Value::Id(Id::Span([0, 0, 0, 0, 0, 0, 0, 5])))),
                (&[Value::Float(1.5)], Some(Value::Id(Id::Span([0x3f, 0xf8, 0, 0, 0, 0, 0, 0])))),
                (&[Value::Bool(true)], None),
                (&[Value::str("abcdefgh")], Some(Value::Id(Id::Span(*b"abcdefgh")))),
            ],
        );
        assert!(matches!(ask("TraceID", &[Value::str("abc")]), Err(Failure::Refused(_))));
        assert!(matches!(ask("SpanID", &[Value::Nil]), Err(Failure::Refused(_))));
        assert!(matches!(ask_dynamically("TraceID", &[Value::str("abc")]), Err(Failure::Error(_))));
        assert!(matches!(ask_dynamically("SpanID", &[Value::Int(5)]), Ok(Value::Id(_))));
    }

    #[test]
    fn uuids_have_their_form() {
        let text = |name| {
            let Ok(Value::Str(text)) = ask(name, &[]) else { panic!("{name} gives no text") };
            String::from_utf8(text.into_owned()).expect("digits")
        };
        let (random, timed) = (text("UUID"), text("UUIDv7"));
        for (uuid, version) in [(&random, "4"), (&timed, "7")] {
            assert_eq!(uuid.len(), 36);
            assert_eq!(uuid.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
            assert_eq!(&uuid[14..15], version);
            assert!(uuid[19..20].contains(['8', '9', 'a', 'b']), "{uuid}");
        }
        let milliseconds = u64::from_str_radix(&timed[..13].replace('-', ""), 16).expect("digits");
        assert_eq!(milliseconds, MOMENT.wall_ns / 1_000_000);
    }
}
