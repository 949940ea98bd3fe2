//! A pattern whose matches are replaced, with Go's `$1` and `${name}` in what replaces them.

use super::{compile, extract::original, repair, translate};
use regex::bytes::{Captures, Regex};
use std::ops::Range;

/// A compiled pattern that captures all its groups.
#[derive(Debug)]
pub(crate) struct Replacer {
    regex: Regex,
    /// Of the groups, in order.
    names: Vec<Option<Box<str>>>,
}

impl Replacer {
    /// Compiles Go syntax; the error says what is wrong with it.
    pub(crate) fn new(source: &str) -> Result<Self, String> {
        let (regex, _, names) = compile(source, translate::translate_all)?;
        Ok(Self { regex, names: names.into_iter().map(|name| name.map(Box::from)).collect() })
    }

    /// Whether it matches anywhere in `text`.
    pub(crate) fn is_match(&self, text: &[u8]) -> bool {
        self.regex.is_match(&repair(text))
    }

    /// The text with each match replaced by what `replace` makes of the expanded `template`.
    pub(crate) fn replace<E>(
        &self,
        text: &[u8],
        template: &[u8],
        mut replace: impl FnMut(Vec<u8>) -> Result<Vec<u8>, E>,
    ) -> Result<Vec<u8>, E> {
        let repaired = repair(text);
        let is_whole = repaired.len() == text.len();
        let place = |range: Range<usize>| if is_whole { range } else { original(text, &range) };
        let mut out = Vec::with_capacity(text.len());
        let mut end = 0;
        for captures in self.regex.captures_iter(&repaired) {
            let Some(whole) = captures.get(0) else { continue };
            // Between the bytes of a character there is nothing to Go.
            if whole.is_empty() && repaired.get(whole.start()).is_some_and(|byte| byte & 0xc0 == 0x80) {
                continue;
            }
            let at = place(whole.range());
            out.extend_from_slice(text.get(end..at.start).unwrap_or_default());
            let group = |index: usize| captures.get(index).and_then(|group| text.get(place(group.range())));
            out.extend(replace(self.expand(template, &captures, &group))?);
            end = at.end;
        }
        out.extend_from_slice(text.get(end..).unwrap_or_default());
        Ok(out)
    }

    /// The template with the groups in the place of their names. A name without a group is nothing.
    fn expand<'t>(
        &self,
        template: &[u8],
        captures: &Captures<'_>,
        group: &impl Fn(usize) -> Option<&'t [u8]>,
    ) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = template;
        while let Some(at) = rest.iter().position(|byte| *byte == b'$') {
            let (before, after) = rest.split_at(at);
            out.extend_from_slice(before);
            rest = &after[1..];
            if let [b'$', after @ ..] = rest {
                out.push(b'$');
                rest = after;
                continue;
            }
            match name(rest) {
                Some((name, after)) => {
                    rest = after;
                    out.extend_from_slice(self.group(name, captures, group).unwrap_or_default());
                }
                None => out.push(b'$'),
            }
        }
        out.extend_from_slice(rest);
        out
    }

    fn group<'t>(
        &self,
        name: &str,
        captures: &Captures<'_>,
        group: &impl Fn(usize) -> Option<&'t [u8]>,
    ) -> Option<&'t [u8]> {
        if name.bytes().all(|byte| byte.is_ascii_digit()) {
            return group(name.parse().ok().filter(|index| *index < captures.len())?);
        }
        let mut named = self.names.iter().enumerate().filter(|(_, known)| known.as_deref() == Some(name));
        named.find_map(|(index, _)| group(index + 1))
    }
}

/// The name behind a `$`, and what follows it: `1`, `name`, `{name}`.
fn name(rest: &[u8]) -> Option<(&str, &[u8])> {
    let is_braced = rest.first() == Some(&b'{');
    let inner = if is_braced { &rest[1..] } else { rest };
    let valid = inner.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let len = valid.find(|char: char| !char.is_alphanumeric() && char != '_').unwrap_or(valid.len());
    let after = &inner[len..];
    match (len, is_braced, after) {
        (0, _, _) => None,
        (_, false, _) => Some((&valid[..len], after)),
        (_, true, [b'}', after @ ..]) => Some((&valid[..len], after)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &[u8], template: &str, expected: &[u8]) {
        let replacer = Replacer::new(pattern).unwrap();
        let replaced = replacer.replace(text, template.as_bytes(), Ok::<_, ()>).unwrap();
        assert_eq!(replaced, expected, "{pattern} on {:?}", String::from_utf8_lossy(text));
    }

    #[test]
    fn matches_are_replaced_as_go_replaces_them() {
        check("a*", b"baaac", "x", b"xbxcx");
        check("(a)(?P<n>b)?", b"abac", "[$1$2${n}$$$n$9$]", b"[abb$b$][a$$]c");
        check("(a)b", b"ab", "$1x", b"");
        check("(a)b", b"ab", "${1}x", b"ax");
        check("(a)b", b"ab", "${1x", b"${1x");
        check("(?P<n>a)|(?P<n>b)", b"ab", "<$n>", b"<a><b>");
        check("b", b"\xffb\xfe", "$0$0", b"\xffbb\xfe");
        check("(.)b", b"\xffb", "$1", b"\xff");
        check("x", b"abc", "y", b"abc");
        check("", "üa".as_bytes(), "-", "-ü-a-".as_bytes());
        check("a*", "üaï".as_bytes(), "-", "-ü-ï-".as_bytes());
    }
}
