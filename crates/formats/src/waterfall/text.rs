//! Text for a terminal: harmless names, and durations with three digits.

/// The text with everything escaped that a terminal would act on: control characters (ESC, line ends), marks that turn the
/// direction of writing, invisible characters.
pub(super) fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_control() || is_format(char) {
            out.extend(char.escape_default());
        } else {
            out.push(char);
        }
    }
    out
}

/// A duration in the unit in which it has one to three digits before the point.
pub(super) fn duration(ns: u64) -> String {
    match ns {
        0 => "0 s".into(),
        1..1_000 => format!("{ns} ns"),
        1_000..999_500 => digits(ns, 1_000, "µs"),
        999_500..999_500_000 => digits(ns, 1_000_000, "ms"),
        999_500_000..59_950_000_000 => digits(ns, SECOND, "s"),
        _ => match ns.saturating_add(SECOND / 2) / SECOND {
            seconds @ 0..3_600 => format!("{} m {:02} s", seconds / 60, seconds % 60),
            seconds @ 3_600..86_400 => format!("{} h {:02} m", seconds / 3_600, seconds % 3_600 / 60),
            seconds @ 86_400..8_640_000 => format!("{} d {:02} h", seconds / 86_400, seconds % 86_400 / 3_600),
            seconds => format!("{} d", seconds / 86_400),
        },
    }
}

fn digits(ns: u64, unit: u64, name: &str) -> String {
    let value = ns as f64 / unit as f64;
    // The thresholds are where rounding would give a fourth digit.
    let decimals = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
    format!("{value:.decimals$} {name}")
}

/// Characters that show nothing and change how the rest is shown (Unicode category Cf and the line separators).
fn is_format(char: char) -> bool {
    matches!(char,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

const SECOND: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let cases = [
            (0, "0 s"),
            (999, "999 ns"),
            (1_000, "1.00 µs"),
            (9_994, "9.99 µs"),
            (9_996, "10.0 µs"),
            (999_499, "999 µs"),
            (999_500, "1.00 ms"),
            (99_960_000, "100 ms"),
            (1_240_000_000, "1.24 s"),
            (59_949_000_000, "59.9 s"),
            (59_950_000_000, "1 m 00 s"),
            (125_000_000_000, "2 m 05 s"),
            (3_599_600_000_000, "1 h 00 m"),
            (100_000_000_000_000, "1 d 03 h"),
            (u64::MAX, "213503 d"),
        ];
        for (ns, expected) in cases {
            assert_eq!(duration(ns), expected, "{ns}");
        }
    }

    #[test]
    fn names_cannot_steer_the_terminal() {
        assert_eq!(safe("GET /é 漢"), "GET /é 漢");
        assert_eq!(safe("a\x1b[31m\r\n\t\u{9b}b"), r"a\u{1b}[31m\r\n\t\u{9b}b");
        assert_eq!(safe("x\u{202e}y\u{200d}\u{2028}"), r"x\u{202e}y\u{200d}\u{2028}");
    }
}
