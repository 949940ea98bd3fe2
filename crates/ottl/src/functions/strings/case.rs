//! Case, the way Go's `strings` and `strcase` change it: one character for one, and words of ASCII letters and digits.

use std::ops::Range;

/// Go's `strings.ToUpper`.
pub(super) fn upper(text: &[u8]) -> Vec<u8> {
    mapped(text, u8::to_ascii_uppercase, upper_char)
}

/// Go's `strings.ToLower`.
pub(super) fn lower(text: &[u8]) -> Vec<u8> {
    mapped(text, u8::to_ascii_lowercase, lower_char)
}

/// `HTTPServer2Id` becomes `http_server_2_id`.
pub(super) fn snake(text: &[u8]) -> Vec<u8> {
    let text = without_blanks(text);
    let mut out = Vec::with_capacity(text.len() + 2);
    for (index, byte) in text.iter().enumerate() {
        let class = Class::of(*byte);
        let next = text.get(index + 1).map_or(Class::Other, |next| Class::of(*next));
        let before = index.checked_sub(1).map(|before| Class::of(text[before]));
        let is_edge = class != Class::Other && next != Class::Other && class != next;
        // The last capital of several begins the next word.
        out.extend((class == Class::Upper && next == Class::Lower && before == Some(Class::Upper)).then_some(b'_'));
        let is_delimiter = matches!(byte, b' ' | b'_' | b'-' | b'.');
        out.push(if is_delimiter { b'_' } else { byte.to_ascii_lowercase() });
        out.extend((is_edge && (class != Class::Upper || next == Class::Digit)).then_some(b'_'));
    }
    out
}

/// `foo_bar-baz` becomes `FooBarBaz`; what is no ASCII letter or digit is dropped.
pub(super) fn camel(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut is_start = true;
    let mut is_after_upper = false;
    for byte in without_blanks(text) {
        let class = Class::of(*byte);
        match class {
            Class::Lower if is_start => out.push(byte.to_ascii_uppercase()),
            Class::Upper if is_after_upper && !is_start => out.push(byte.to_ascii_lowercase()),
            Class::Other => (),
            _ => out.push(*byte),
        }
        is_start = class == Class::Digit || matches!(byte, b'_' | b' ' | b'-' | b'.');
        is_after_upper = class == Class::Upper;
    }
    out
}

/// Where the text is without the characters at its ends that `is_cut`; bytes that are no UTF-8 count as U+FFFD.
pub(super) fn trimmed_range(text: &[u8], is_cut: impl Fn(char) -> bool) -> Range<usize> {
    let mut range = 0..text.len();
    while let Some((char, len)) = first_char(&text[range.clone()])
        && is_cut(char)
    {
        range.start += len;
    }
    while let Some((char, len)) = last_char(&text[range.clone()])
        && is_cut(char)
    {
        range.end -= len;
    }
    range
}

fn without_blanks(text: &[u8]) -> &[u8] {
    &text[trimmed_range(text, char::is_whitespace)]
}

/// The first character and its bytes; U+FFFD and one byte where there is none.
pub(super) fn first_char(text: &[u8]) -> Option<(char, usize)> {
    let first = text.first()?;
    if first.is_ascii() {
        return Some((char::from(*first), 1));
    }
    let head = text.get(..4).unwrap_or(text);
    let valid = head.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
    Some(valid.map_or((char::REPLACEMENT_CHARACTER, 1), |char| (char, char.len_utf8())))
}

fn last_char(text: &[u8]) -> Option<(char, usize)> {
    let last = text.last()?;
    if last.is_ascii() {
        return Some((char::from(*last), 1));
    }
    let ends = (2..=4).filter_map(|len| text.len().checked_sub(len)).map(|start| &text[start..]);
    let mut whole = ends.filter_map(|end| Some((end, std::str::from_utf8(end).ok()?.chars().next()?)));
    let whole = whole.find(|(end, char)| char.len_utf8() == end.len());
    Some(whole.map_or((char::REPLACEMENT_CHARACTER, 1), |(end, char)| (char, end.len())))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Upper,
    Lower,
    Digit,
    Other,
}

impl Class {
    fn of(byte: u8) -> Self {
        match byte {
            b'A'..=b'Z' => Self::Upper,
            b'a'..=b'z' => Self::Lower,
            b'0'..=b'9' => Self::Digit,
            _ => Self::Other,
        }
    }
}

fn mapped(text: &[u8], ascii: fn(&u8) -> u8, of_char: fn(char) -> char) -> Vec<u8> {
    if text.is_ascii() {
        return text.iter().map(ascii).collect();
    }
    let mut out = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        out.extend(chunk.valid().chars().map(of_char));
        out.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    out.into_bytes()
}

/// Unicode's simple mapping. Rust knows the full one, which differs where one character becomes several: of these, Greek
/// letters with iota below have a single capital, and the rest stay.
fn upper_char(char: char) -> char {
    let mut full = char.to_uppercase();
    match (full.next(), full.next()) {
        (Some(upper), None) => upper,
        _ => match char {
            '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => moved(char, 8),
            '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => moved(char, 9),
            other => other,
        },
    }
}

fn lower_char(char: char) -> char {
    let mut full = char.to_lowercase();
    match (full.next(), full.next()) {
        (Some(lower), None) => lower,
        // Only `İ` becomes two characters.
        (first, _) => first.unwrap_or(char),
    }
}

fn moved(char: char, places: u32) -> char {
    char::from_u32(u32::from(char) + places).unwrap_or(char)
}
