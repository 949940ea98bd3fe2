//! A pattern that tells what its groups matched.

use super::{compile, repair, translate};
use regex::bytes::Regex;
use std::ops::Range;

/// A group's name and what it matched, if it took part.
pub type Group<'s, 't> = (&'s str, Option<&'t [u8]>);

/// A group's name and where it matched, if it took part.
pub type GroupPlace<'s> = (&'s str, Option<Range<usize>>);

/// A compiled pattern with groups.
#[derive(Clone, Debug)]
pub struct Extractor {
    regex: Regex,
    /// Of the capturing groups, in order.
    names: Vec<Box<str>>,
}

impl Extractor {
    /// Compiles Go syntax to capture the named groups; the error says what is wrong with it.
    #[must_use = "compiling has no other effect"]
    pub fn new(source: &str) -> Result<Self, String> {
        let (regex, _, names) = compile(source, translate::translate_capturing)?;
        Ok(Self { regex, names: names.into_iter().flatten().map(Box::from).collect() })
    }

    /// Compiles Go syntax to capture all groups; one without a name has an empty one.
    #[must_use = "compiling has no other effect"]
    pub fn with_all_groups(source: &str) -> Result<Self, String> {
        let (regex, _, names) = compile(source, translate::translate_all)?;
        Ok(Self { regex, names: names.into_iter().map(|name| name.unwrap_or_default().into()).collect() })
    }

    /// The names of the groups, in order of their opening.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    /// Whether there is no named group.
    pub(crate) fn is_nameless(&self) -> bool {
        self.names.is_empty()
    }

    /// The groups of the first match, each with what it matched, if it took part; `None` without a match.
    #[must_use]
    pub fn extract<'s, 't>(&'s self, text: &'t [u8]) -> Option<Vec<Group<'s, 't>>> {
        let ranges = self.ranges(text)?.into_iter();
        Some(ranges.map(|(name, range)| (name, range.and_then(|range| text.get(range)))).collect())
    }

    /// The same with the places in `text`.
    #[must_use]
    pub fn ranges(&self, text: &[u8]) -> Option<Vec<GroupPlace<'_>>> {
        let repaired = repair(text);
        let captures = self.regex.captures(&repaired)?;
        let group = |(index, name)| {
            let range = captures.get(index + 1).map(|group| group.range());
            (name, if repaired.len() == text.len() { range } else { range.map(|range| original(text, &range)) })
        };
        Some(self.names.iter().map(|name| &**name).enumerate().map(group).collect())
    }
}

/// Where a range of the repaired text lies in the text: each byte that is no UTF-8 became three.
pub(super) fn original(text: &[u8], repaired: &Range<usize>) -> Range<usize> {
    let place = |offset: usize| {
        let (mut at, mut at_repaired) = (0, 0);
        for chunk in text.utf8_chunks() {
            let valid = chunk.valid().len();
            if offset <= at_repaired + valid {
                return at + (offset - at_repaired);
            }
            let invalid = (offset - at_repaired - valid) / REPLACEMENT_BYTES;
            if invalid < chunk.invalid().len() {
                return at + valid + invalid;
            }
            at += valid + chunk.invalid().len();
            at_repaired += valid + chunk.invalid().len() * REPLACEMENT_BYTES;
        }
        at
    };
    place(repaired.start)..place(repaired.end)
}

/// The length of U+FFFD.
const REPLACEMENT_BYTES: usize = '\u{fffd}'.len_utf8();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_groups() {
        let extractor = Extractor::new(r"(?P<a>.)(x)?(?<1>b+)(?P<c>y)?").unwrap();
        assert_eq!(extractor.extract(b"zabb"), Some(vec![("a", Some(&b"a"[..])), ("1", Some(b"bb")), ("c", None)]));
        assert_eq!(extractor.extract(b"a"), None);
        assert!(!extractor.is_nameless() && Extractor::new("(x)").unwrap().is_nameless());
        let all = Extractor::with_all_groups(r"(?P<a>.)(?:x)(?i:y)((z)?)").unwrap();
        assert_eq!(all.names().collect::<Vec<_>>(), ["a", "", ""]);
        assert_eq!(all.extract(b"axY"), Some(vec![("a", Some(&b"a"[..])), ("", Some(b"")), ("", None)]));
    }

    #[test]
    fn bytes_that_are_no_text() {
        let extractor = Extractor::new(r"(?P<a>..)b(?P<c>.)").unwrap();
        for (text, a, c) in [
            (&b"\xff\xfeb\xfd"[..], &b"\xff\xfe"[..], &b"\xfd"[..]),
            (b"\xc3\xa9\xffbc", b"\xc3\xa9\xff", b"c"),
            (b"\xe2\x82bx\xff", b"\xe2\x82", b"x"),
            (b"\xff\xffxyb\xff\xff", b"xy", b"\xff"),
        ] {
            assert_eq!(extractor.extract(text), Some(vec![("a", Some(a)), ("c", Some(c))]));
        }
    }
}
