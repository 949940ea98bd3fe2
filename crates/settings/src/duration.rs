//! Durations as Go writes and reads them: `1h30m`, `-1s`, `1.5h`, `300ms`.
//!
//! A type of our own because Go's durations are signed nanoseconds in 64 bits and otelcol's settings may hold a negative one;
//! `std::time::Duration` cannot say that. Most settings refuse negative values and decode into `std::time::Duration`.

use std::fmt;

/// A signed span of time in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration {
    ns: i64,
}

/// Why a text is no duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseDurationError {
    /// No number where one must stand.
    Number,
    /// A number without a unit.
    UnitMissing,
    /// A unit that there is not.
    UnitUnknown,
    /// More than 292 years.
    Range,
}

impl Duration {
    /// Of so many nanoseconds.
    pub const fn from_ns(ns: i64) -> Duration {
        Duration { ns }
    }

    /// Of so many milliseconds.
    pub const fn from_ms(ms: i64) -> Duration {
        Duration { ns: ms.saturating_mul(1_000_000) }
    }

    /// Of so many seconds.
    pub const fn from_seconds(seconds: i64) -> Duration {
        Duration { ns: seconds.saturating_mul(1_000_000_000) }
    }

    /// Reads Go's syntax (`time.ParseDuration`).
    pub fn parse(text: &str) -> Result<Duration, ParseDurationError> {
        let (negative, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if rest == "0" {
            return Ok(Duration::default());
        }
        if rest.is_empty() {
            return Err(ParseDurationError::Number);
        }
        let mut ns: i128 = 0;
        while !rest.is_empty() {
            let (part, after) = parse_part(rest)?;
            ns = ns.checked_add(part).ok_or(ParseDurationError::Range)?;
            rest = after;
        }
        let ns = if negative { -ns } else { ns };
        i64::try_from(ns).map(Duration::from_ns).map_err(|_| ParseDurationError::Range)
    }

    /// Its nanoseconds.
    pub const fn ns(self) -> i64 {
        self.ns
    }

    /// Whether it is below zero.
    pub const fn is_negative(self) -> bool {
        self.ns < 0
    }

    /// As the standard library's, zero if negative.
    pub fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_nanos(u64::try_from(self.ns).unwrap_or(0))
    }
}

/// One `1.5h` of a duration: its nanoseconds and what follows.
fn parse_part(text: &str) -> Result<(i128, &str), ParseDurationError> {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (whole, rest) = text.split_at(digits(text));
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(digits(rest)),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(ParseDurationError::Number);
    }
    let unit_end = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(unit_end);
    let unit_ns: i128 = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "" => return Err(ParseDurationError::UnitMissing),
        _ => return Err(ParseDurationError::UnitUnknown),
    };
    let whole: i128 = match whole {
        "" => 0,
        whole => i128::from(whole.parse::<u64>().map_err(|_| ParseDurationError::Range)?),
    };
    let mut ns = whole * unit_ns;
    // Eighteen digits are finer than a nanosecond of an hour; further ones cannot change the result.
    let fraction = &fraction[..fraction.len().min(18)];
    if let Ok(value) = fraction.parse::<u64>() {
        ns += i128::from(value) * unit_ns / 10_i128.pow(u32::try_from(fraction.len()).unwrap_or(0));
    }
    Ok((ns, rest))
}

/// Go's text: `1m0s`, `1.5s`, `200ms`, `0s`.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = self.ns.unsigned_abs();
        if self.ns < 0 {
            f.write_str("-")?;
        }
        if ns == 0 {
            return f.write_str("0s");
        }
        if ns < 1_000_000_000 {
            let (unit_ns, unit) = match ns {
                0..1_000 => (1, "ns"),
                1_000..1_000_000 => (1_000, "µs"),
                _ => (1_000_000, "ms"),
            };
            return write!(f, "{}{unit}", decimal(ns, unit_ns));
        }
        let (hours, minutes) = (ns / 3_600_000_000_000, ns / 60_000_000_000 % 60);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if hours > 0 || minutes > 0 {
            write!(f, "{minutes}m")?;
        }
        write!(f, "{}s", decimal(ns % 60_000_000_000, 1_000_000_000))
    }
}

/// `ns / unit_ns` with just the decimals that it needs.
fn decimal(ns: u64, unit_ns: u64) -> String {
    let (whole, rest) = (ns / unit_ns, ns % unit_ns);
    if rest == 0 {
        return whole.to_string();
    }
    let decimals = usize::try_from(unit_ns.ilog10()).unwrap_or(0);
    format!("{whole}.{}", format!("{rest:0decimals$}").trim_end_matches('0'))
}

impl fmt::Display for ParseDurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ParseDurationError::Number => "no number where one must stand",
            ParseDurationError::UnitMissing => "a number without a unit",
            ParseDurationError::UnitUnknown => "an unknown unit",
            ParseDurationError::Range => "out of range",
        })
    }
}

impl std::error::Error for ParseDurationError {}

impl From<std::time::Duration> for Duration {
    fn from(duration: std::time::Duration) -> Duration {
        Duration::from_ns(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_reads() {
        for (text, expected) in [
            ("0", Ok("0s")),
            ("1h30m", Ok("1h30m0s")),
            ("-1s", Ok("-1s")),
            ("+5s", Ok("5s")),
            ("1.5h", Ok("1h30m0s")),
            (".5s", Ok("500ms")),
            ("1.s", Ok("1s")),
            ("300ms", Ok("300ms")),
            ("1500ms", Ok("1.5s")),
            ("1us", Ok("1µs")),
            ("1µs500ns", Ok("1.5µs")),
            ("90s", Ok("1m30s")),
            ("3600s", Ok("1h0m0s")),
            ("0.000000001s", Ok("1ns")),
            ("1s1s", Ok("2s")),
            ("9223372036854775807ns", Ok("2562047h47m16.854775807s")),
            ("9223372036854775808ns", Err(ParseDurationError::Range)),
            ("-9223372036854775808ns", Ok("-2562047h47m16.854775808s")),
            ("99999999999999999999h", Err(ParseDurationError::Range)),
            ("18446744073709551615h18446744073709551615h", Err(ParseDurationError::Range)),
            ("", Err(ParseDurationError::Number)),
            ("-", Err(ParseDurationError::Number)),
            (".s", Err(ParseDurationError::Number)),
            ("s", Err(ParseDurationError::Number)),
            ("soon", Err(ParseDurationError::Number)),
            ("5", Err(ParseDurationError::UnitMissing)),
            ("5d", Err(ParseDurationError::UnitUnknown)),
            ("5 s", Err(ParseDurationError::UnitUnknown)),
            ("1h 5m", Err(ParseDurationError::UnitUnknown)),
        ] {
            let parsed = Duration::parse(text).map(|duration| duration.to_string());
            assert_eq!(parsed, expected.map(str::to_string), "{text}");
        }
    }

    #[test]
    fn negative_is_zero_for_the_standard_library() {
        assert_eq!(Duration::from_ms(-5).to_std(), std::time::Duration::ZERO);
        assert_eq!(Duration::from(std::time::Duration::from_secs(60)).to_string(), "1m0s");
    }
}
