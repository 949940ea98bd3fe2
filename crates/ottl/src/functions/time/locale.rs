//! Names of days and months in other languages, put into English before a text is read, as otelcol's `lunes` does.
//!
//! The text is walked along the layout. What stands for a name is looked up and replaced; elsewhere a byte of the layout is
//! taken to be one of the text, a digit of an hour, minute or second one or two. That is as rough as it sounds, and equal.

mod names;

use super::{
    layout::{MONTHS, WEEKDAYS},
    parse::Mismatch,
    strptime::Misfit,
};
use crate::error::Error;
use names::{NAMES, Names};

/// A language with its names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Locale(&'static Names);

const UPPER_PERIODS: [&str; 2] = ["AM", "PM"];
const LOWER_PERIODS: [&str; 2] = ["am", "pm"];

/// A kind of names: what stands for it in a layout, the names, and the English ones with how many bytes of them count.
struct Kind<'n> {
    element: &'static [u8],
    names: &'static [&'static str],
    english: &'n [&'static str],
    length_max: usize,
}

/// A translation under way.
struct Walk<'w> {
    layout: &'w [u8],
    layout_at: usize,
    value: &'w [u8],
    value_at: usize,
    out: Vec<u8>,
}

impl Locale {
    /// The locale of a language tag, in exactly this spelling.
    pub(super) fn new(tag: &str) -> Result<Self, String> {
        let (language, region) = tag.split_once('-').map_or((tag, None), |(language, region)| (language, Some(region)));
        let has_region =
            |names: &Names| region.is_none_or(|region| names.regions.split(' ').any(|other| other == region));
        let found = NAMES.iter().find(|names| names.language == language && has_region(names));
        found.map(Self).ok_or_else(|| {
            let known: Vec<_> = NAMES.iter().map(|names| names.language).collect();
            format!("unknown locale `{tag}`, use one of `{}` or one with a region such as `de-DE`", known.join("`, `"))
        })
    }

    /// The text with English names.
    pub(super) fn translate(self, layout: &[u8], value: &[u8]) -> Result<Vec<u8>, Misfit> {
        let mut walk = Walk { layout, layout_at: 0, value, value_at: 0, out: Vec::with_capacity(value.len() + 32) };
        while walk.layout_at < layout.len() {
            if !walk.step(self)? {
                walk.copy();
            }
        }
        walk.out.extend_from_slice(walk.value.get(walk.value_at..).unwrap_or_default());
        Ok(walk.out)
    }

    /// The kind of names that a layout begins with.
    fn kind(self, layout: &[u8]) -> Option<Kind<'static>> {
        let kind = |element, names, english, length_max| Some(Kind { element, names, english, length_max });
        let is_word = |element: &[u8]| layout.get(element.len()).is_some_and(u8::is_ascii_lowercase);
        match layout {
            [b'J', b'a', b'n', b'u', b'a', b'r', b'y', ..] => kind(b"January", self.0.months, &MONTHS, 9),
            [b'J', b'a', b'n', ..] if !is_word(b"Jan") => kind(b"Jan", self.0.short_months, &MONTHS, 3),
            [b'M', b'o', b'n', b'd', b'a', b'y', ..] => kind(b"Monday", self.0.days, &WEEKDAYS, 9),
            [b'M', b'o', b'n', ..] if !is_word(b"Mon") => kind(b"Mon", self.0.short_days, &WEEKDAYS, 3),
            [b'P', b'M' | b'm', ..] => kind(b"PM", self.0.periods, &UPPER_PERIODS, 2),
            [b'p', b'M' | b'm', ..] => kind(b"pm", self.0.periods, &LOWER_PERIODS, 2),
            _ => None,
        }
    }
}

impl Walk<'_> {
    /// Handles what the layout goes on with, if it is anything special.
    fn step(&mut self, locale: Locale) -> Result<bool, Misfit> {
        let layout = &self.layout[self.layout_at..];
        if let Some(kind) = locale.kind(layout) {
            self.layout_at += kind.element.len();
            self.name(&kind)?;
            return Ok(true);
        }
        let remaining = self.value.len().saturating_sub(self.value_at);
        match layout {
            [b'_', b'2', b'0', b'0', b'6', ..] if remaining >= 5 => self.word(b"_2006")?,
            [b'_', b'2', b'0', b'0', b'6', ..] => return Ok(false),
            [b'_', b'2', ..] if remaining >= 2 => self.word(b"_2")?,
            [b'_', b'_', b'2', ..] if remaining >= 3 => self.word(b"__2")?,
            [b'3' | b'4' | b'5', ..] if self.layout_at == 0 || self.layout[self.layout_at - 1] != b'0' => {
                self.digits(layout[0])?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A byte of the text for one of the layout. One that is no ASCII is taken for a character of Latin 1 and the next one
    /// is lost.
    fn copy(&mut self) {
        self.layout_at += 1;
        if let Some(byte) = self.value.get(self.value_at) {
            let char = char::from(*byte);
            self.out.extend_from_slice(char.encode_utf8(&mut [0; 2]).as_bytes());
            self.value_at += char.len_utf8();
        }
    }

    /// The longest name that the text goes on with, in English.
    fn name(&mut self, kind: &Kind<'_>) -> Result<(), Misfit> {
        if kind.names.is_empty() {
            return Err(Misfit::Other(Error::failed("the locale has no names for a part of the time's format")));
        }
        let spaces = self.spaces();
        let tail = self.value.get(self.value_at + spaces..).unwrap_or_default();
        let mut found: Option<(&str, usize)> = None;
        for (name, english) in kind.names.iter().zip(kind.english) {
            let is_longer = found.is_none_or(|(_, length)| name.len() > length);
            if is_longer && tail.get(..name.len()).is_some_and(|start| is_same(start, name)) {
                found = Some((english, name.len()));
            }
        }
        let (english, length) = found.filter(|_| !tail.is_empty()).ok_or_else(|| misfit(kind.element))?;
        self.out.extend(std::iter::repeat_n(b' ', spaces));
        self.out.extend(english.bytes().take(kind.length_max));
        self.value_at += spaces + length;
        Ok(())
    }

    /// At most as many bytes that are no spaces as the element is long.
    fn word(&mut self, element: &'static [u8]) -> Result<(), Misfit> {
        self.layout_at += element.len();
        let spaces = self.spaces();
        let tail = &self.value[self.value_at + spaces..];
        let length = tail.iter().take(element.len()).take_while(|byte| !is_space(**byte)).count();
        if tail.is_empty() {
            return Err(misfit(element));
        }
        self.out.extend(std::iter::repeat_n(b' ', spaces));
        self.out.extend_from_slice(&tail[..length]);
        self.value_at += spaces + length;
        Ok(())
    }

    /// One or two digits.
    fn digits(&mut self, element: u8) -> Result<(), Misfit> {
        let spaces = self.spaces();
        let tail = self.value.get(self.value_at + spaces..).unwrap_or_default();
        let length = tail.iter().take(2).take_while(|byte| byte.is_ascii_digit()).count();
        if length == 0 {
            return Err(misfit(&[element]));
        }
        self.layout_at += 1;
        self.out.extend(std::iter::repeat_n(b' ', spaces));
        self.out.extend_from_slice(&tail[..length]);
        self.value_at += spaces + length;
        Ok(())
    }

    fn spaces(&self) -> usize {
        let tail = self.value.get(self.value_at..).unwrap_or_default();
        tail.iter().take_while(|byte| is_space(**byte)).count()
    }
}

/// Other readings of the directive may fit, those with spaces do not.
fn misfit(element: &[u8]) -> Misfit {
    Misfit::Piece(Mismatch { element: element.to_vec(), rest: Vec::new() })
}

/// Whether Go takes a byte for a space when it takes it for a character.
fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | 0x0b | 0x0c | b'\r' | b' ' | 0x85 | 0xa0)
}

/// Whether a text is a name, in any case.
fn is_same(text: &[u8], name: &str) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text == name || text.to_lowercase() == name.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(tag: &str, layout: &str, value: &str, expected: Option<&str>) {
        let locale = Locale::new(tag).expect("known");
        let text = locale.translate(layout.as_bytes(), value.as_bytes()).ok();
        assert_eq!(text.map(|text| String::from_utf8_lossy(&text).into_owned()).as_deref(), expected, "{value}");
    }

    #[test]
    fn names_become_english() {
        check("de", "Monday, 2. January 2006", "Mittwoch, 5. März 2025", Some("Wednesday, 5. March 2025"));
        check("fr-FR", "2 Jan 2006", "5 FÉVR. 2025", Some("5 Feb 2025"));
        check("es", "Jan 2", "sept 5", Some("Sep 5"));
        check("ja", "2006 PM 3:4", "2025 午後 3:04", Some("2025 PM 3:04"));
        check("nl", "3:4 pm", "11:30 a.m.", Some("11:30 am"));
        check("pl", "_2 January", " 5 maja", Some(" 5 May"));
        check("de", "Jan", "Foo", None);
        // German has no words for the halves of the day.
        check("de", "PM", "PM", None);
        assert!(Locale::new("xx").is_err());
        assert!(Locale::new("DE").is_err());
        assert!(Locale::new("de-AT").is_err());
    }

    #[test]
    fn tables_are_whole() {
        for names in NAMES {
            let lengths = [names.days.len(), names.short_days.len(), names.months.len()];
            assert_eq!(lengths, [7, 7, 12], "{}", names.language);
            assert!(matches!(names.short_months.len(), 0 | 12), "{}", names.language);
            assert!(matches!(names.periods.len(), 0 | 2), "{}", names.language);
        }
    }
}
