//! Floats, as Go's `strconv` forms them and `fmt` dresses them.

use super::page::Page;

/// What is written of a float, without its sign: digits with their point, and an exponent.
struct Form {
    digits: String,
    exponent: String,
}

/// Decimals that a double can have at most; further ones are zeros. Rust's own formatting has a bound, too.
const DECIMALS_MAX: usize = 1100;

/// Whether the verb is one of floats.
pub(super) fn print(page: &mut Page<'_>, float: f64, verb: char) -> bool {
    let flags = page.flags;
    let precision = match (flags.precision, verb) {
        (Some(precision), _) => Some(precision),
        (None, 'f' | 'F' | 'e' | 'E') => Some(6),
        _ => None,
    };
    if !matches!(verb, 'v' | 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E') {
        return false;
    }
    let sign = match float.is_sign_negative() && !float.is_nan() {
        true => "-",
        false if flags.is_plus => "+",
        false if flags.is_space => " ",
        false => "",
    };
    if !float.is_finite() {
        // Infinity has its sign always, what is no number has one only if asked for.
        let sign = if float.is_infinite() && sign.is_empty() { "+" } else { sign };
        page.pad_blank([sign, if float.is_nan() { "NaN" } else { "Inf" }].concat().as_bytes());
        return true;
    }
    if !page.spend(precision.unwrap_or(0) + 400) {
        return true;
    }
    let mut form = formed(float.abs(), verb, precision);
    if flags.is_sharp && verb != 'b' {
        form.fill(verb, precision);
    }
    let text = [sign, &form.digits, &form.exponent].concat();
    match flags.width.and_then(|width| width.checked_sub(text.len())) {
        // Zeros stand behind the sign.
        Some(missing) if flags.is_zero && !flags.is_minus && !sign.is_empty() => {
            page.write(sign.as_bytes());
            page.write_padding(missing);
            page.write(&text.as_bytes()[sign.len()..]);
        }
        _ => page.pad(text.as_bytes()),
    }
    true
}

fn formed(float: f64, verb: char, precision: Option<usize>) -> Form {
    match verb {
        'f' | 'F' => Form { digits: fixed(float, precision.unwrap_or(6)), exponent: String::new() },
        'e' | 'E' => scientific(float, precision, verb),
        'b' => binary(float),
        'x' | 'X' => hexadecimal(float, precision, verb == 'X'),
        _ => general(float, precision, if verb == 'G' { 'E' } else { 'e' }),
    }
}

fn fixed(float: f64, precision: usize) -> String {
    let known = precision.min(DECIMALS_MAX);
    format!("{float:.known$}") + &"0".repeat(precision - known)
}

fn scientific(float: f64, precision: Option<usize>, letter: char) -> Form {
    let text = match precision {
        Some(precision) => format!("{float:.0$e}", precision.min(DECIMALS_MAX)),
        None => format!("{float:e}"),
    };
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let zeros = "0".repeat(precision.unwrap_or(0).saturating_sub(DECIMALS_MAX));
    Form { digits: digits.to_string() + &zeros, exponent: exponent_text(letter, exponent.parse().unwrap_or(0)) }
}

fn exponent_text(letter: char, exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{letter}{sign}{:02}", exponent.unsigned_abs())
}

/// `%g`: with an exponent if that is below -4 or as large as the precision, and without zeros at the end.
fn general(float: f64, precision: Option<usize>, letter: char) -> Form {
    let significant = precision.map(|precision| precision.max(1));
    let text = match significant {
        Some(significant) => format!("{float:.0$e}", (significant - 1).min(DECIMALS_MAX)),
        None => format!("{float:e}"),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let mantissa = if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
    let digits = mantissa.replace('.', "");
    // Go's limit: the precision, but not more than there are digits if these reach the point; 6 if nothing is given.
    let count = if float == 0.0 { 0 } else { digits.len() as i64 };
    let limit = match significant {
        Some(significant) if significant as i64 > count && count > i64::from(exponent) => count,
        Some(significant) => significant as i64,
        None => 6,
    };
    if exponent < -4 || i64::from(exponent) >= limit.max(i64::from(float == 0.0)) {
        return Form { digits: mantissa.to_string(), exponent: exponent_text(letter, exponent) };
    }
    let plain = match usize::try_from(exponent) {
        Ok(whole) if digits.len() > whole + 1 => [&digits[..=whole], ".", &digits[whole + 1..]].concat(),
        Ok(whole) => digits.clone() + &"0".repeat(whole + 1 - digits.len()),
        Err(_) => ["0.", &"0".repeat((-exponent - 1) as usize), &digits].concat(),
    };
    Form { digits: plain, exponent: String::new() }
}

/// The mantissa as an integer, and the power of two.
fn parts(float: f64) -> (u64, i32) {
    let bits = float.to_bits();
    let (fraction, exponent) = (bits & ((1 << 52) - 1), (bits >> 52 & 0x7ff) as i32);
    if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) }
}

fn binary(float: f64) -> Form {
    let (mantissa, exponent) = parts(float);
    Form { digits: mantissa.to_string(), exponent: format!("p{exponent:+}") }
}

/// `0x1.8p+01`: one bit before the point, rounded half to even after the precision.
fn hexadecimal(float: f64, precision: Option<usize>, is_upper: bool) -> Form {
    let (mut mantissa, mut exponent) = parts(float);
    let mut digits = String::new();
    if mantissa == 0 {
        exponent = 0;
    } else {
        let shift = mantissa.leading_zeros() - 11;
        mantissa <<= shift;
        exponent += 52 - shift as i32;
    }
    if let Some(precision) = precision.filter(|precision| *precision < 13) {
        let cut = 52 - 4 * precision as u32;
        let (rest, half) = (mantissa & ((1 << cut) - 1), 1_u64 << (cut - 1));
        mantissa >>= cut;
        mantissa += u64::from(rest > half || (rest == half && mantissa & 1 == 1));
        mantissa <<= cut;
        if mantissa >> 53 > 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let after = format!("{:013x}", mantissa & ((1 << 52) - 1));
    let after = match precision {
        Some(precision) => {
            after.get(..precision).map_or(after.clone() + &"0".repeat(precision.saturating_sub(13)), str::to_string)
        }
        None => after.trim_end_matches('0').to_string(),
    };
    digits += &format!("0x{}", mantissa >> 52);
    if !after.is_empty() {
        digits += &format!(".{after}");
    }
    let form = Form { digits, exponent: exponent_text('p', exponent) };
    if is_upper {
        return Form { digits: form.digits.to_uppercase(), exponent: form.exponent.to_uppercase() };
    }
    form
}

impl Form {
    /// `#`: always a point, and for `%g` the zeros that the precision asks for.
    fn fill(&mut self, verb: char, precision: Option<usize>) {
        let wanted = if matches!(verb, 'v' | 'g' | 'G' | 'x') { precision.unwrap_or(6) } else { 0 };
        let shown = self.digits.chars().filter(|char| *char != '.').skip_while(|char| *char == '0').count();
        let missing = wanted.saturating_sub(shown);
        if !self.digits.contains('.') {
            // A lone zero is a digit.
            let is_zero = self.digits == "0";
            self.digits.push('.');
            self.digits += &"0".repeat(missing.saturating_sub(usize::from(is_zero)));
            return;
        }
        self.digits += &"0".repeat(missing);
    }
}
