//! A pattern whose matches are replaced by what is made of each.

use super::{Pattern, extract::original, repair};
use std::borrow::Cow;

impl Pattern {
    /// The text in which `put` has written something else for each match; borrowed if nothing matches.
    pub fn mask<'t>(&self, text: &'t [u8], mut put: impl FnMut(&[u8], &mut Vec<u8>)) -> Cow<'t, [u8]> {
        let repaired = repair(text);
        let is_whole = repaired.len() == text.len();
        let mut matches = self.regex.find_iter(&repaired).peekable();
        if matches.peek().is_none() {
            return Cow::Borrowed(text);
        }
        let (mut out, mut end) = (Vec::with_capacity(text.len()), 0);
        for found in matches {
            // Between the bytes of a character there is nothing to Go.
            if found.is_empty() && repaired.get(found.start()).is_some_and(|byte| byte & 0xc0 == 0x80) {
                continue;
            }
            let range = if is_whole { found.range() } else { original(text, &found.range()) };
            out.extend_from_slice(text.get(end..range.start).unwrap_or_default());
            put(text.get(range.clone()).unwrap_or_default(), &mut out);
            end = range.end;
        }
        out.extend_from_slice(text.get(end..).unwrap_or_default());
        Cow::Owned(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_match_is_replaced() {
        for (pattern, text, expected) in [
            ("a+", &b"baac"[..], &b"b<aa>c"[..]),
            ("a*", b"baac", b"<>b<aa>c<>"),
            ("a*", "üa".as_bytes(), "<>ü<a>".as_bytes()),
            (".*", b"ab\nc", b"<ab>\n<c>"),
            (".*", b"", b"<>"),
            ("x|xy", b"xy", b"<x>y"),
            ("(?U)a+", b"aa", b"<a><a>"),
            ("b", b"\xffb\xfe", b"\xff<b>\xfe"),
            ("q", b"\xff", b"\xff"),
        ] {
            let masked = Pattern::new(pattern).unwrap().mask(text, |found, out| {
                out.push(b'<');
                out.extend_from_slice(found);
                out.push(b'>');
            });
            assert_eq!(masked, expected, "{pattern}");
        }
    }
}
