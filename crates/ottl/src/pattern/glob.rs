//! Glob patterns as `replace_match` takes them: `*`, `?`, `[a-c]`, `[!ab]`, `{ab,c*}` and `\` before a character.
//!
//! Rewritten as a regular expression that must match the whole text.

use super::repair;
use regex::bytes::{Regex, RegexBuilder};
use std::{iter::Peekable, str::Chars};

/// A compiled glob.
#[derive(Debug)]
pub(crate) struct Glob {
    regex: Regex,
    /// Whether it is no more than `?` or `[!…]`, which in otelcol matches no character as well as one.
    takes_nothing: bool,
}

/// What a compiled glob may take in bytes.
const COMPILED_BYTES_MAX: usize = 1 << 20;

impl Glob {
    /// Compiles a glob; the error says what is wrong with it.
    pub(crate) fn new(source: &str) -> Result<Self, String> {
        let mut out = String::from("^(?s:");
        let mut chars = source.chars().peekable();
        let mut depth = 0_u32;
        let is_single = source == "?" || source.starts_with("[!");
        let mut tokens = 0_usize;
        while let Some(next) = chars.next() {
            tokens += 1;
            match next {
                '*' => out.push_str(".*"),
                '?' => out.push('.'),
                '[' => class(&mut chars, &mut out)?,
                '{' => {
                    depth += 1;
                    out.push_str("(?:");
                }
                '}' if depth > 0 => {
                    depth -= 1;
                    out.push(')');
                }
                ',' if depth > 0 => out.push('|'),
                '\\' => literal(chars.next(), &mut out),
                other => literal(Some(other), &mut out),
            }
        }
        // otelcol's globs need no closing brace.
        (0..depth).for_each(|_| out.push(')'));
        out.push_str(")$");
        let mut builder = RegexBuilder::new(&out);
        let regex = builder.size_limit(COMPILED_BYTES_MAX).build();
        let takes_nothing = is_single && tokens == 1;
        regex.map(|regex| Self { regex, takes_nothing }).map_err(|_| "compiled, it would be too large".to_string())
    }

    /// Whether it matches the whole text.
    pub(crate) fn is_match(&self, text: &[u8]) -> bool {
        self.regex.is_match(&repair(text)) || (self.takes_nothing && text.is_empty())
    }
}

fn literal(char: Option<char>, out: &mut String) {
    if let Some(char) = char {
        out.push_str(&regex::escape(char.encode_utf8(&mut [0; 4])));
    }
}

/// One range or one list of characters, either turned round by a `!`.
fn class(chars: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    let is_not = chars.next_if_eq(&'!').is_some();
    let open = if is_not { "[^" } else { "[" };
    let mut members = Vec::new();
    let first = chars.next().ok_or("a `[` is not closed")?;
    if chars.next_if_eq(&'-').is_some() {
        let last = chars.next().ok_or("a `[` is not closed")?;
        if chars.next() != Some(']') {
            return Err("a range of characters is not closed: `[a-c]`".to_string());
        }
        if last < first {
            return Err(format!("the range `{first}-{last}` ends before it begins"));
        }
        out.push_str(&format!("{open}{}-{}]", member(first), member(last)));
        return Ok(());
    }
    let mut next = Some(first);
    loop {
        match next {
            Some(']') => break,
            Some('\\') => members.extend(chars.next()),
            Some(other) => members.push(other),
            None => return Err("a `[` is not closed".to_string()),
        }
        next = chars.next();
    }
    if members.is_empty() {
        return Err("a `[]` has no characters".to_string());
    }
    out.push_str(open);
    members.into_iter().for_each(|char| out.push_str(&member(char)));
    out.push(']');
    Ok(())
}

fn member(char: char) -> String {
    format!("\\x{{{:x}}}", u32::from(char))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (glob, matching, other) in [
            ("/user/*/list/*", &["/user/1/list/2", "/user//list/"][..], &["/user/1/list", "x/user/1/list/2"][..]),
            ("a?c", &["abc", "a\nc"], &["ac", "abbc"]),
            ("[a-c]x", &["ax", "cx"], &["dx", "x"]),
            ("[!a-c]x", &["dx"], &["ax"]),
            ("[ab^]", &["a", "^"], &["c"]),
            ("{get,p*t} x", &["get x", "post x", "pt x"], &["head x"]),
            (r"a\*b", &["a*b"], &["axb"]),
            ("a.b}", &["a.b}"], &["axb}"]),
            ("", &[""], &["a"]),
            ("?", &["", "é"], &["ab"]),
            ("[!a]", &["", "b"], &["a"]),
            ("??", &["ab"], &[""]),
        ] {
            let compiled = Glob::new(glob).unwrap();
            matching.iter().for_each(|text| assert!(compiled.is_match(text.as_bytes()), "{glob} on {text:?}"));
            other.iter().for_each(|text| assert!(!compiled.is_match(text.as_bytes()), "{glob} on {text:?}"));
        }
        for glob in ["[", "[a", "[]", "[a-", "[a-b", "[c-a]", "[a-bc]"] {
            assert!(Glob::new(glob).is_err(), "{glob}");
        }
    }
}
