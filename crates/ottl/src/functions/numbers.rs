//! Numbers.

use super::{
    Call, Function,
    Kind::{FloatLike, StrLike},
    arg, plain,
};
use crate::{error::Error, value::Value};
use std::f64::consts::FRAC_1_SQRT_2;

pub(super) const TABLE: &[Function] =
    &[plain("Log", &[arg("Target", FloatLike)], log), plain("IsValidLuhn", &[arg("Target", StrLike)], is_valid_luhn)];

fn log(call: Call<'_>) -> Result<Value<'_>, Error> {
    let float = call.float_like(0)?.ok_or_else(|| Error::failed("nil has no logarithm"))?;
    if float <= 0.0 {
        return Err(Error::failed("only numbers above 0 have a logarithm"));
    }
    Ok(Value::Float(natural_log(float)))
}

/// Go's `math.Log` on amd64 step by step, so that the last digit is equal, too: FreeBSD's `e_log.c`, whose answers for a
/// third of all numbers are not those of [`f64::ln`]. As there, numbers below the smallest normal one are read as if they
/// were normal.
fn natural_log(float: f64) -> f64 {
    const LN2_HI: f64 = 6.931_471_803_691_238e-1;
    const LN2_LO: f64 = 1.908_214_929_270_587_7e-10;
    const L1: f64 = 0.666_666_666_666_673_5;
    const L2: f64 = 0.399_999_999_994_094_2;
    const L3: f64 = 0.285_714_287_436_623_9;
    const L4: f64 = 0.222_221_984_321_497_84;
    const L5: f64 = 0.181_835_721_616_180_5;
    const L6: f64 = 0.153_138_376_992_093_73;
    const L7: f64 = 0.147_981_986_051_165_86;
    if !float.is_finite() {
        return float;
    }
    // The fraction is half of the mantissa: 0.5 up to 1.
    let bits = float.to_bits();
    let mut fraction = f64::from_bits(bits & 0x000f_ffff_ffff_ffff | 0.5_f64.to_bits());
    let mut exponent = (bits >> 52 & 0x7ff) as f64 - 1022.0;
    if fraction < FRAC_1_SQRT_2 {
        fraction *= 2.0;
        exponent -= 1.0;
    }
    let f = fraction - 1.0;
    let s = f / (2.0 + f);
    let s2 = s * s;
    let s4 = s2 * s2;
    let odd = s2 * (L1 + s4 * (L3 + s4 * (L5 + s4 * L7)));
    let even = s4 * (L2 + s4 * (L4 + s4 * L6));
    let half_square = 0.5 * f * f;
    exponent * LN2_HI - ((half_square - (s * (half_square + (odd + even)) + exponent * LN2_LO)) - f)
}

/// Whether a number with a check digit, such as a credit card's, is right. Blanks do not count.
fn is_valid_luhn(call: Call<'_>) -> Result<Value<'_>, Error> {
    let text = call.str_like(0)?.ok_or_else(|| Error::failed("nil has no digits"))?;
    call.spend(text.len())?;
    let mut sum = 0;
    let mut count = 0_usize;
    for byte in text.iter().rev().filter(|byte| **byte != b' ') {
        if !byte.is_ascii_digit() {
            return Err(Error::failed("`IsValidLuhn` takes digits only"));
        }
        let digit = byte - b'0';
        // Every second digit from the right counts double, by the sum of its digits.
        let value = if count % 2 == 1 { digit * 2 % 10 + digit / 5 } else { digit };
        sum = (sum + value) % 10;
        count += 1;
    }
    Ok(Value::Bool(count > 0 && sum == 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::testing::{ask, check};

    #[test]
    fn log_is_gos() {
        for (float, expected) in [
            (500.0, 6.214608098422191),
            (1.5, 0.4054651081081644),
            (42.0, 3.7376696182833684),
            (5.0, 1.6094379124341003),
            (3.0, 1.0986122886681096),
            (1.0, 0.0),
        ] {
            assert_eq!(ask("Log", &[Value::Float(float)]), Ok(Value::Float(expected)), "{float}");
        }
        check(
            "Log",
            &[
                (&[Value::Bool(true)], Some(Value::Float(0.0))),
                (&[Value::str("42")], Some(Value::Float(3.7376696182833684))),
                (&[Value::Int(0)], None),
                (&[Value::Int(-5)], None),
                (&[Value::str("x")], None),
                (&[Value::Nil], None),
            ],
        );
    }

    #[test]
    fn luhn_digits_are_checked() {
        let text = |text: &'static str| [Value::str(text)];
        check(
            "IsValidLuhn",
            &[
                (&text("79927398713"), Some(Value::Bool(true))),
                (&text("7992 7398 713"), Some(Value::Bool(true))),
                (&text("79927398710"), Some(Value::Bool(false))),
                (&text("42"), Some(Value::Bool(true))),
                (&text(""), Some(Value::Bool(false))),
                (&text(" "), Some(Value::Bool(false))),
                (&text("4x"), None),
                (&text("-5"), None),
                (&[Value::Int(18)], Some(Value::Bool(true))),
                (&[Value::Float(1.5)], None),
                (&[Value::Float(1.0)], Some(Value::Bool(false))),
                (&[Value::Duration(90_000_000_000)], Some(Value::Bool(false))),
                (&[Value::Nil], None),
            ],
        );
    }
}
