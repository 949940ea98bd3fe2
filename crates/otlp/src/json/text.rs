//! A JSON tokenizer over bytes in memory (RFC 8259), stopped and resumed value by value.
//!
//! Stricter than the reference decoder nowhere that its users could notice, laxer where it is: invalid UTF-8 passes
//! through untouched, and a lone surrogate becomes U+FFFD. Skipping a value needs neither recursion nor heap: what
//! is open is one bit per level in a fixed array.

use super::{JsonError, plain::plain_len};
use std::borrow::Cow;

/// How deep a value under an unknown key may nest, as in the reference decoder.
pub(super) const SKIP_DEPTH_MAX: usize = 10_000;

/// An error, boxed so that what goes well is passed on in registers.
pub(super) type Fault = Box<JsonError>;

/// Reads a JSON text from front to back.
pub(super) struct Text<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Text<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The first byte of the next token.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.byte() {
            self.at += 1;
        }
        self.byte()
    }

    /// Consumes `null` if it is next.
    pub(super) fn null(&mut self) -> Result<bool, Fault> {
        if self.peek() != Some(b'n') {
            return Ok(false);
        }
        self.literal("null")?;
        Ok(true)
    }

    /// Consumes the bracket that opens an object or array.
    pub(super) fn open(&mut self, bracket: u8) -> Result<(), Fault> {
        if self.peek() == Some(bracket) {
            self.at += 1;
            return Ok(());
        }
        Err(self.unexpected(if bracket == b'{' { "an object" } else { "an array" }))
    }

    /// The next key of an open object with its colon; `None` where the object closes.
    pub(super) fn key(&mut self, is_first: &mut bool) -> Result<Option<Cow<'a, [u8]>>, Fault> {
        if let Some(key) = self.plain_key(*is_first) {
            *is_first = false;
            return Ok(Some(Cow::Borrowed(key)));
        }
        if !self.comma_or_close(b'}', is_first)? {
            return Ok(None);
        }
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("a key in double quotes"));
        }
        let key = self.string()?;
        self.colon()?;
        Ok(Some(key))
    }

    /// A key written without white space and escapes, as nearly all are.
    #[inline]
    fn plain_key(&mut self, is_first: bool) -> Option<&'a [u8]> {
        let rest = self.rest();
        let rest = if is_first { rest } else { rest.strip_prefix(b",")? }.strip_prefix(b"\"")?;
        let (key, rest) = rest.split_at(plain_len(rest));
        let rest = rest.strip_prefix(b"\":")?;
        self.at = self.bytes.len() - rest.len();
        Some(key)
    }

    /// What has not been read yet.
    #[inline]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Goes on behind so many bytes.
    pub(super) fn advance(&mut self, len: usize) {
        self.at += len;
    }

    /// Whether an open array has another element; where not, it is closed.
    pub(super) fn element(&mut self, is_first: &mut bool) -> Result<bool, Fault> {
        self.comma_or_close(b']', is_first)
    }

    /// A string, unescaped.
    pub(super) fn string(&mut self) -> Result<Cow<'a, [u8]>, Fault> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("a string"));
        }
        self.at += 1;
        let plain = self.plain_run();
        if self.byte() == Some(b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(plain));
        }
        let mut owned = plain.to_vec();
        loop {
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(owned));
                }
                Some(b'\\') => {
                    self.at += 1;
                    self.escape(&mut owned)?;
                }
                Some(_) => return Err(self.error("a control character in a string must be escaped")),
                None => return Err(self.error("a string is not closed")),
            }
            owned.extend_from_slice(self.plain_run());
        }
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self) -> Result<bool, Fault> {
        match self.peek() {
            Some(b't') => self.literal("true").map(|()| true),
            Some(b'f') => self.literal("false").map(|()| false),
            _ => Err(self.unexpected("true or false")),
        }
    }

    /// A number, checked against the grammar, as text.
    pub(super) fn number(&mut self) -> Result<&'a str, Fault> {
        self.peek();
        let start = self.at;
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        match self.byte() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits("a digit")?,
            _ => return Err(self.unexpected("a number")),
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits("a digit after the decimal point")?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte() {
                self.at += 1;
            }
            self.digits("a digit of the exponent")?;
        }
        str::from_utf8(&self.bytes[start..self.at]).map_err(|_| self.error("expected a number"))
    }

    /// Consumes any value.
    pub(super) fn skip(&mut self) -> Result<(), Fault> {
        let mut open = Open::default();
        loop {
            let mut is_first = false;
            match self.peek() {
                Some(bracket @ (b'{' | b'[')) => {
                    if !open.push(bracket == b'{') {
                        return Err(self.error(format!("values are nested deeper than {SKIP_DEPTH_MAX} levels")));
                    }
                    self.at += 1;
                    is_first = true;
                }
                _ => self.skip_scalar()?,
            }
            // Close what ends here, then stand before the next value.
            loop {
                let Some(is_object) = open.innermost() else { return Ok(()) };
                let has_more =
                    if is_object { self.key(&mut is_first)?.is_some() } else { self.element(&mut is_first)? };
                if has_more {
                    break;
                }
                open.pop();
            }
        }
    }

    /// An error at the present position.
    pub(super) fn error(&self, message: impl Into<String>) -> Fault {
        self.error_at(self.at, message)
    }

    /// An error at `at`.
    pub(super) fn error_at(&self, at: usize, message: impl Into<String>) -> Fault {
        let before = &self.bytes[..at.min(self.bytes.len())];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        Box::new(JsonError { at, line, column, path: String::new(), message: message.into() })
    }

    /// An error that says what stands here instead of what should.
    pub(super) fn unexpected(&self, expected: &str) -> Fault {
        let found = match self.byte() {
            None => "the end".to_owned(),
            Some(b'"') => "a string".to_owned(),
            Some(byte @ 0x21..=0x7e) => format!("`{}`", char::from(byte)),
            Some(byte) => format!("byte 0x{byte:02x}"),
        };
        self.error(format!("expected {expected}, found {found}"))
    }

    /// Where the next token begins.
    pub(super) fn position(&mut self) -> usize {
        self.peek();
        self.at
    }

    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn comma_or_close(&mut self, close: u8, is_first: &mut bool) -> Result<bool, Fault> {
        let next = self.peek();
        if next == Some(close) {
            self.at += 1;
            return Ok(false);
        }
        if !std::mem::take(is_first) {
            if next != Some(b',') {
                return Err(self.unexpected(if close == b'}' { "`,` or `}`" } else { "`,` or `]`" }));
            }
            self.at += 1;
            if self.peek() == Some(close) {
                return Err(self.error("a comma is too many"));
            }
        }
        Ok(true)
    }

    fn colon(&mut self) -> Result<(), Fault> {
        if self.peek() == Some(b':') {
            self.at += 1;
            return Ok(());
        }
        Err(self.unexpected("`:` after a key"))
    }

    fn literal(&mut self, word: &str) -> Result<(), Fault> {
        let left = self.bytes.get(self.at..).unwrap_or_default();
        if !left.starts_with(word.as_bytes()) {
            return Err(self.unexpected(&format!("`{word}`")));
        }
        self.at += word.len();
        Ok(())
    }

    fn digits(&mut self, expected: &str) -> Result<(), Fault> {
        if !matches!(self.byte(), Some(b'0'..=b'9')) {
            return Err(self.unexpected(expected));
        }
        while let Some(b'0'..=b'9') = self.byte() {
            self.at += 1;
        }
        Ok(())
    }

    /// The bytes up to the next quote, backslash or control character.
    fn plain_run(&mut self) -> &'a [u8] {
        let left = self.bytes.get(self.at..).unwrap_or_default();
        let len = plain_len(left);
        self.at += len;
        &left[..len]
    }

    /// What stands after a backslash.
    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), Fault> {
        let escaped = match self.byte() {
            Some(byte @ (b'"' | b'\\' | b'/')) => byte,
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => {
                self.at += 1;
                let unit = self.code_unit()?;
                return self.code_point(unit, out);
            }
            _ => return Err(self.unexpected("an escape such as `\\n` or `\\u0041`")),
        };
        self.at += 1;
        out.push(escaped);
        Ok(())
    }

    /// Appends a UTF-16 code unit, together with the low surrogate that may follow a high one.
    fn code_point(&mut self, unit: u32, out: &mut Vec<u8>) -> Result<(), Fault> {
        let mut point = unit;
        if (0xd800..0xdc00).contains(&unit) && self.bytes.get(self.at..).is_some_and(|left| left.starts_with(b"\\u")) {
            let before = self.at;
            self.at += 2;
            let low = self.code_unit()?;
            if (0xdc00..0xe000).contains(&low) {
                point = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            } else {
                self.at = before;
            }
        }
        let char = char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER);
        out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    fn code_unit(&mut self) -> Result<u32, Fault> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.byte().and_then(|byte| char::from(byte).to_digit(16));
            unit = unit << 4 | digit.ok_or_else(|| self.unexpected("four hexadecimal digits after `\\u`"))?;
            self.at += 1;
        }
        Ok(unit)
    }

    fn skip_scalar(&mut self) -> Result<(), Fault> {
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b't' | b'f') => self.boolean().map(drop),
            Some(b'n') => self.literal("null"),
            Some(b'-' | b'0'..=b'9') => self.number().map(drop),
            _ => Err(self.unexpected("a value")),
        }
    }
}

/// The objects (1) and arrays (0) that are open, innermost last.
struct Open {
    bits: [u64; SKIP_DEPTH_MAX.div_ceil(64)],
    depth: usize,
}

impl Default for Open {
    fn default() -> Self {
        Self { bits: [0; SKIP_DEPTH_MAX.div_ceil(64)], depth: 0 }
    }
}

impl Open {
    /// False at the limit.
    fn push(&mut self, is_object: bool) -> bool {
        if self.depth == SKIP_DEPTH_MAX {
            return false;
        }
        let bit = 1 << (self.depth % 64);
        let word = &mut self.bits[self.depth / 64];
        *word = if is_object { *word | bit } else { *word & !bit };
        self.depth += 1;
        true
    }

    fn pop(&mut self) {
        self.depth -= 1;
    }

    fn innermost(&self) -> Option<bool> {
        let index = self.depth.checked_sub(1)?;
        Some(self.bits[index / 64] >> (index % 64) & 1 == 1)
    }
}
