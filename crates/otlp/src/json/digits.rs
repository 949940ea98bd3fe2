//! Numbers and IDs to digits and back, without the detours of the standard library's formatting and parsing.

/// Appends `value` in decimal.
pub(super) fn put_decimal(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; DIGITS_MAX];
    let mut at = DIGITS_MAX;
    while value >= 100 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[(value % 100) as usize]);
        value /= 100;
    }
    if value >= 10 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[value as usize]);
    } else {
        at -= 1;
        digits[at] = b'0' + value as u8;
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends `value` in decimal, with its sign if it is negative.
pub(super) fn put_signed(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    put_decimal(out, value.unsigned_abs());
}

/// Appends `bytes` as lower-case hexadecimal digits.
pub(super) fn put_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(bytes.iter().flat_map(|byte| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]));
}

/// The number that `text` is, if it is nothing but digits and so few that it cannot be too large.
pub(super) fn short_decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > SAFE_DIGITS {
        return None;
    }
    text.iter().try_fold(0u64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| value * 10 + u64::from(digit))
    })
}

/// What a hexadecimal digit stands for.
pub(super) fn hex_value(digit: u8) -> Option<u8> {
    let value = HEX_VALUES[usize::from(digit)];
    (value != NO_DIGIT).then_some(value)
}

/// Digits of the largest number.
const DIGITS_MAX: usize = 20;
/// As many nines still are a 64-bit number.
const SAFE_DIGITS: usize = 19;
const HEX: &[u8; 16] = b"0123456789abcdef";
const NO_DIGIT: u8 = 0xff;

/// The two digits of each number below 100.
static PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut value = 0;
    while value < 100 {
        pairs[value] = [b'0' + value as u8 / 10, b'0' + value as u8 % 10];
        value += 1;
    }
    pairs
};

static HEX_VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        values[HEX[value] as usize] = value as u8;
        values[HEX[value].to_ascii_uppercase() as usize] = value as u8;
        value += 1;
    }
    values
};

#[cfg(test)]
mod tests {
    use super::*;

    fn written(put: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        put(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn decimals() {
        let powers = (0..20).flat_map(|power| [10u64.pow(power) - 1, 10u64.pow(power), 10u64.pow(power) + 1]);
        for value in powers.chain([42, u64::MAX]) {
            let text = value.to_string();
            assert_eq!(written(|out| put_decimal(out, value)), text);
            assert_eq!(short_decimal(text.as_bytes()), (text.len() <= SAFE_DIGITS).then_some(value), "{value}");
            for value in [value as i64, (value as i64).wrapping_neg(), i64::MIN] {
                assert_eq!(written(|out| put_signed(out, value)), value.to_string());
            }
        }
        for text in ["", "-1", "+1", "1a", " 1", "1.", "/", ":"] {
            assert_eq!(short_decimal(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn hexadecimal() {
        assert_eq!(written(|out| put_hex(out, &[0, 0x1f, 0xa0, 0xff])), "001fa0ff");
        for digit in 0..=u8::MAX {
            assert_eq!(hex_value(digit).map(u32::from), char::from(digit).to_digit(16), "{digit}");
        }
    }
}
