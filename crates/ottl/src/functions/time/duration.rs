//! Lengths of time in Go's syntax: `1h30m`, `-1.5s`, `300ms`.

/// The length in nanoseconds; `None` if the text is none or does not fit.
pub(super) fn parse(text: &[u8]) -> Option<i64> {
    let (is_negative, mut rest) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    if rest == b"0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0_u64;
    while !rest.is_empty() {
        let length;
        (length, rest) = term(rest)?;
        total = total.checked_add(length).filter(|total| *total <= MAX)?;
    }
    let signed = if is_negative { -i128::from(total) } else { i128::from(total) };
    i64::try_from(signed).ok()
}

/// The magnitude of the smallest length.
const MAX: u64 = 1 << 63;

/// A number with its unit, and what follows.
fn term(text: &[u8]) -> Option<(u64, &[u8])> {
    let (whole, rest) = digits(text);
    let (fraction, rest) = match rest.strip_prefix(b".") {
        Some(rest) => digits(rest),
        None => (&[][..], rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let length = rest.iter().take_while(|byte| **byte != b'.' && !byte.is_ascii_digit()).count();
    let (name, rest) = rest.split_at(length);
    let unit = unit(name)?;
    let whole = whole.iter().try_fold(0_u64, |sum, digit| {
        sum.checked_mul(10)?.checked_add(u64::from(digit - b'0')).filter(|sum| *sum <= MAX)
    })?;
    let length = whole.checked_mul(unit).filter(|length| *length <= MAX)?;
    let length = length.checked_add(part(fraction, unit)).filter(|length| *length <= MAX)?;
    Some((length, rest))
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

/// A fraction of a unit, in floating point as Go has it. Digits that an `i64` does not hold are forgotten.
fn part(fraction: &[u8], unit: u64) -> u64 {
    let (mut digits, mut scale) = (0_u64, 1.0);
    for digit in fraction {
        if digits > (MAX - 1) / 10 {
            break;
        }
        let next = digits * 10 + u64::from(digit - b'0');
        if next > MAX {
            break;
        }
        digits = next;
        scale *= 10.0;
    }
    (digits as f64 * (unit as f64 / scale)) as u64
}

/// A unit's nanoseconds. Both letters that look like µ are one.
fn unit(name: &[u8]) -> Option<u64> {
    Some(match name {
        b"ns" => 1,
        b"us" | b"\xc2\xb5s" | b"\xce\xbcs" => 1_000,
        b"ms" => 1_000_000,
        b"s" => 1_000_000_000,
        b"m" => 60_000_000_000,
        b"h" => 3_600_000_000_000,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn lengths_as_go_reads_them() {
        for (text, expected) in [
            ("1s", Some(1_000_000_000)),
            ("1h30m", Some(5_400_000_000_000)),
            ("-1.5s", Some(-1_500_000_000)),
            ("+300ms", Some(300_000_000)),
            (".5us", Some(500)),
            ("1.µs", Some(1_000)),
            ("2μs", Some(2_000)),
            ("1m1m", Some(120_000_000_000)),
            ("0", Some(0)),
            ("-0", Some(0)),
            ("0.333333333333333333h", Some(1_199_999_999_999)),
            ("0.3333333333333333333h", Some(1_200_000_000_000)),
            ("9223372036854775807ns", Some(i64::MAX)),
            ("-9223372036854775808ns", Some(i64::MIN)),
            ("9223372036854775808ns", None),
            ("2562047h47m16.854775807s", Some(i64::MAX)),
            ("2562048h", None),
            ("99999999999999999999ns", None),
            ("0.00000000000000000001s", Some(0)),
            ("", None),
            ("-", None),
            ("1", None),
            ("s", None),
            (".s", None),
            ("1 s", None),
            ("1d", None),
            ("xx", None),
            ("1s ", None),
            ("+-1s", None),
        ] {
            assert_eq!(parse(text.as_bytes()), expected, "{text}");
        }
    }
}
