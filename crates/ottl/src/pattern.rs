//! Regular expressions as users of otelcol write them: Go's syntax and meaning, on Rust's engine, in linear time.
//!
//! A pattern is read by Go's rules ([`translate`]) and written anew for the `regex` crate, so that `\d`, `\w`, `\s` and `\b`
//! are ASCII, `[[a]` is a class, `a{,5}` is text, and what Go refuses is refused. Matching is unanchored and captures
//! nothing; [`Extractor`] captures the named groups. A compiled pattern takes a bounded amount of memory.

mod extract;
mod glob;
mod mask;
mod replace;
mod translate;

pub use extract::{Extractor, Group, GroupPlace};
pub(crate) use glob::Glob;
pub(crate) use replace::Replacer;

use regex::bytes::{Regex, RegexBuilder};
use std::borrow::Cow;
use translate::Translation;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    source: Box<str>,
    regex: Regex,
    ns_a_byte: u64,
}

/// Equal texts mean the same.
impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Pattern {
    /// Compiles Go syntax; the error says what is wrong with it.
    #[must_use = "compiling has no other effect"]
    pub fn new(source: &str) -> Result<Self, String> {
        let (regex, ns_a_byte, _) = compile(source, translate::translate)?;
        Ok(Self { source: source.into(), regex, ns_a_byte })
    }

    /// What matching a text of so many bytes takes, in about nanoseconds.
    #[must_use]
    pub fn cost(&self, bytes: u64) -> u64 {
        bytes.saturating_mul(self.ns_a_byte)
    }

    /// Whether the pattern matches anywhere in `text`. As in Go, each byte that is no UTF-8 counts as one U+FFFD.
    #[must_use]
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.regex.is_match(&repair(text))
    }
}

/// Longer sources are refused.
const SOURCE_BYTES_MAX: usize = 64 << 10;

/// What one compiled pattern may take in bytes, in steps, and what matching a byte may then cost in about nanoseconds.
const SIZES: [(usize, u64); 3] = [(256 << 10, 2), (1 << 20, 20), (10 << 20, 200)];

/// Go's limit on nested groups and repetitions.
const NEST_MAX: u32 = 1000;

/// The pattern compiled, about how many nanoseconds a byte takes it, and the names of its groups.
fn compile(
    source: &str,
    translate: for<'s> fn(&'s str) -> Result<Translation<'s>, String>,
) -> Result<(Regex, u64, Vec<Option<&str>>), String> {
    if source.len() > SOURCE_BYTES_MAX {
        return Err(format!("longer than {SOURCE_BYTES_MAX} bytes"));
    }
    let translation = translate(source)?;
    let mut builder = RegexBuilder::new(&translation.pattern);
    builder.nest_limit(NEST_MAX);
    // Small ones as a rule run as a table of states; the largest have to be simulated, which their size makes slow.
    for (compiled_bytes_max, ns_a_byte) in SIZES {
        match builder.size_limit(compiled_bytes_max).build() {
            Ok(regex) => return Ok((regex, ns_a_byte, translation.names)),
            Err(regex::Error::CompiledTooBig(_)) => {}
            Err(error) => return Err(last_line(&error.to_string())),
        }
    }
    Err("compiled, it would be too large".to_string())
}

fn repair(text: &[u8]) -> Cow<'_, [u8]> {
    if std::str::from_utf8(text).is_ok() {
        return Cow::Borrowed(text);
    }
    let mut repaired = Vec::with_capacity(text.len() + 16);
    for chunk in text.utf8_chunks() {
        repaired.extend_from_slice(chunk.valid().as_bytes());
        chunk.invalid().iter().for_each(|_| repaired.extend_from_slice("\u{fffd}".as_bytes()));
    }
    Cow::Owned(repaired)
}

/// The regex crate draws the pattern first; its last line says what is wrong.
fn last_line(text: &str) -> String {
    let line = text.lines().last().unwrap_or(text);
    line.strip_prefix("error: ").unwrap_or(line).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_go_does() {
        for (pattern, matching, other) in [
            ("v[0-9]+.HealthCheck$", &["grpc.health.v1.HealthCheck"][..], &["grpc.health.v1.HealthChecks"][..]),
            ("v[a-z]+.HealthCheck$", &["vx.HealthCheck"], &["grpc.health.v1.HealthCheck"]),
            ("", &["", "x"], &[]),
            ("^$", &[""], &["x", "\n"]),
            (r"^\d$", &["7"], &["٣", "a"]),
            (r"^\D$", &["٣", "a"], &["7"]),
            (r"^\w+$", &["a_9"], &["é"]),
            (r"^[\w.]+$", &["a.b"], &["a-b"]),
            (r"^[^\W_]+$", &["ab"], &["a_b", "é"]),
            (r"^\s$", &["\t", "\n", "\x0c", "\r", " "], &["\x0b", "\u{a0}"]),
            (r"caf\b", &["café", "caf"], &["cafe"]),
            (r"a\Bb", &["ab"], &["a b"]),
            (r"a.b", &["axb", "aéb"], &["a\nb", "ab"]),
            (r"(?s)a.b", &["a\nb"], &["ab"]),
            (r"(?m)^b$", &["a\nb\nc"], &["ab"]),
            (r"^b$", &["b"], &["a\nb", "b\n"]),
            (r"(?i)straße", &["STRAßE"], &["strasse"]),
            (r"(?i:k)x", &["Kx", "\u{212a}x"], &["kX"]),
            (r"[[a]", &["[", "a"], &["b", "]"]),
            (r"^[]a]$", &["]", "a"], &["b"]),
            (r"^[^]a]$", &["b"], &["]", "a"]),
            (r"^[a-]$", &["a", "-"], &["b"]),
            (r"^[a&&b]$", &["a", "&", "b"], &["c"]),
            (r"^[+--]$", &["+", ",", "-"], &["."]),
            (r"^[[:alpha:][:digit:]]$", &["a", "7"], &["é", "-"]),
            (r"^[[:^alpha:]]$", &["7"], &["a"]),
            (r"^[[:]$", &["[", ":"], &["a"]),
            (r"^\pL\p{Lu}\P{Greek}\p{^Greek}$", &["aBcd"], &["abcd", "aBαd"]),
            (r"^a{2}$", &["aa"], &["a"]),
            (r"^a{,2}$", &["a{,2}"], &["aa"]),
            (r"^a{$", &["a{"], &["a"]),
            (r"^a{x}$", &["a{x}"], &["a"]),
            (r"^\Qa.b*\E+$", &["a.b*", "a.b**"], &["axb"]),
            (r"^\Q[", &["["], &["x"]),
            (r"^\x41\x{1F600}\101\07$", &["A😀A\x07"], &["A"]),
            (r"^\a\f\n\r\t\v$", &["\x07\x0c\n\r\t\x0b"], &[""]),
            (r"^\-\/\_\#\ \~$", &["-/_# ~"], &[""]),
            (r"^(?P<1>a)(?<n>b)(c)$", &["abc"], &["ab"]),
            (r"(?)a|(?U)b*", &["", "a"], &[]),
            (r"(?ii-s)A", &["a"], &["b"]),
            (r"\Aa\z", &["a"], &["ba"]),
            (r"# comment ", &["x # comment "], &["x"]),
        ] {
            let compiled = Pattern::new(pattern).unwrap();
            matching.iter().for_each(|text| assert!(compiled.is_match(text.as_bytes()), "{pattern} on {text:?}"));
            other.iter().for_each(|text| assert!(!compiled.is_match(text.as_bytes()), "{pattern} on {text:?}"));
        }
    }

    #[test]
    fn bytes_that_are_no_text() {
        for (pattern, text, expected) in [
            ("^a.b$", &b"a\xffb"[..], true),
            ("^a..b$", b"a\xe2\x82b", true),
            ("^a.b$", b"a\xe2\x82b", false),
            ("^a\u{fffd}b$", b"a\xffb", true),
            (r"^a\wb$", b"a\xffb", false),
        ] {
            assert_eq!(Pattern::new(pattern).unwrap().is_match(text), expected, "{pattern}");
        }
    }

    #[test]
    fn refused() {
        for (pattern, expected) in [
            ("([", "missing closing `]`"),
            ("(a", "missing closing `)`"),
            ("a)", "unexpected `)`"),
            ("*invalid-regex", "nothing before `*` to repeat"),
            ("a|*", "nothing before `*` to repeat"),
            ("(+)", "nothing before `+` to repeat"),
            ("{2}", "nothing before `{2}` to repeat"),
            ("a**", "`**` repeats a repetition"),
            ("a+?+", "`+?+` repeats a repetition"),
            ("a{2}{3}", "`{2}{3}` repeats a repetition"),
            ("a{1001}", "`{1001}` repeats more than 1000 times"),
            ("a{3,2}", "`{3,2}` ends before it begins"),
            ("(a{50}){50}", "`{50}` repeats more than 1000 times, counted with what it contains"),
            ("a(?=b)", "`(?=` is not supported, there is no looking ahead or behind"),
            ("(?<=a)b", "invalid group name `=a)b`"),
            ("(?<!a)b", "invalid group name `!a)b`"),
            ("(?P<a-b>x)", "invalid group name `a-b`"),
            ("(?x)a", "`(?x` is not supported, the flags are `i`, `m`, `s` and `U`"),
            ("(?-)a", "`(?-)` is not supported, the flags are `i`, `m`, `s` and `U`"),
            ("(?P=n)", "`(?P` is not supported, the flags are `i`, `m`, `s` and `U`"),
            ("(?i", "missing closing `)`"),
            (r"\1", r"invalid escape `\1`"),
            (r"\Z", r"invalid escape `\Z`"),
            (r"\C", r"invalid escape `\C`"),
            (r"\u0041", r"invalid escape `\u`"),
            (r"[\b]", r"invalid escape `\b`"),
            (r"\x4", r"invalid escape `\x`"),
            (r"\x{110000}", r"invalid escape `\x`"),
            ("a\\", "the pattern ends with a backslash"),
            ("[a--b]", "the range `a--` ends before it begins"),
            ("[b-a]", "the range `b-a` ends before it begins"),
            ("[[:alfa:]]", "unknown class `[:alfa:]`"),
            (r"\p{Klingon}", r"unknown class `\p{Klingon}`"),
            (r"\p{sc=Greek}", r"unknown class `\p{sc=Greek}`"),
        ] {
            assert_eq!(Pattern::new(pattern).unwrap_err(), expected, "{pattern}");
        }
    }

    #[test]
    fn size_is_limited() {
        assert!(Pattern::new(&"a".repeat(SOURCE_BYTES_MAX + 1)).is_err());
        assert_eq!(Pattern::new(r"\pL{1000}\pL{1000}").unwrap_err(), "compiled, it would be too large");
        assert!(Pattern::new(&"(".repeat(5000)).is_err());
        let deep = format!("{}a{}", "(".repeat(5000), ")".repeat(5000));
        assert!(Pattern::new(&deep).is_err());
    }

    /// What Go's rules admit, the engine admits too; and nothing panics.
    #[test]
    fn random_patterns() {
        let parts = [
            "a",
            "é",
            "^",
            "$",
            ".",
            "|",
            "*",
            "+",
            "?",
            "{",
            "}",
            "{2}",
            "{1,}",
            "{0,3}",
            "(",
            ")",
            "(?",
            "(?:",
            "(?i)",
            "i",
            "-",
            ":",
            "<",
            ">",
            "P",
            "[",
            "]",
            "[^",
            "[:alpha:]",
            "&&",
            "\\",
            "\\d",
            "\\W",
            "\\b",
            "\\Q",
            "\\E",
            "\\pL",
            "\\x4",
            "1",
            "#",
        ];
        let mut state: u64 = 1;
        let mut admitted = 0;
        for _ in 0..5000 {
            let mut next = |bound: usize| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) as usize % bound
            };
            let pattern: String = (0..1 + next(7)).map(|_| parts[next(parts.len())]).collect();
            if translate::translate(&pattern).is_ok() {
                let compiled = Pattern::new(&pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
                let _ = compiled.is_match("aé(i:1]".as_bytes());
                admitted += 1;
            }
        }
        assert!((1000..4000).contains(&admitted), "{admitted}");
    }
}
