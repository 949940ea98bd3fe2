//! JSON text as a value: objects and lists of the data model, all numbers doubles.
//!
//! Go's decoder is the measure: the last of equal keys counts, broken UTF-8 and lone surrogates become U+FFFD, a number beyond
//! a double's range is an error. Otherwise than there a document may nest only [`DEPTH_MAX`] deep.

use crate::value::{List, Map, Value};
use std::collections::BTreeMap;

/// Deeper documents are refused, because values are walked recursively.
const DEPTH_MAX: usize = 128;

/// The object or list that the text is.
pub(super) fn parse(text: &[u8]) -> Result<Value<'static>, &'static str> {
    let mut parser = Parser { rest: text };
    let value = parser.value(DEPTH_MAX)?;
    parser.skip_space();
    if !parser.rest.is_empty() {
        return Err("text follows the JSON document");
    }
    match value {
        Value::List(_) | Value::Map(_) => Ok(value),
        _ => Err("the JSON document is no object or list"),
    }
}

struct Parser<'t> {
    rest: &'t [u8],
}

impl Parser<'_> {
    fn value(&mut self, depth: usize) -> Result<Value<'static>, &'static str> {
        self.skip_space();
        match self.rest.first() {
            Some(b'{' | b'[') if depth == 0 => Err("the JSON document nests too deep"),
            Some(b'{') => self.object(depth - 1),
            Some(b'[') => self.list(depth - 1),
            Some(b'"') => self.string().map(Value::string),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Float),
            _ if self.take(b"true") => Ok(Value::Bool(true)),
            _ if self.take(b"false") => Ok(Value::Bool(false)),
            _ if self.take(b"null") => Ok(Value::Nil),
            _ => Err("invalid JSON: no value where one must be"),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value<'static>, &'static str> {
        let mut entries = BTreeMap::new();
        self.take(b"{");
        self.skip_space();
        if !self.take(b"}") {
            loop {
                self.skip_space();
                let key = self.string()?;
                self.skip_space();
                if !self.take(b":") {
                    return Err("invalid JSON: no colon after a key");
                }
                entries.insert(key, self.value(depth)?);
                if self.ends(b"}")? {
                    break;
                }
            }
        }
        Ok(Value::Map(Map::data(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())))
    }

    fn list(&mut self, depth: usize) -> Result<Value<'static>, &'static str> {
        let mut items = Vec::new();
        self.take(b"[");
        self.skip_space();
        if !self.take(b"]") {
            loop {
                items.push(self.value(depth)?);
                if self.ends(b"]")? {
                    break;
                }
            }
        }
        Ok(Value::List(List::data(items)))
    }

    /// After an element: whether the container ends, or else a comma has been read.
    fn ends(&mut self, close: &[u8]) -> Result<bool, &'static str> {
        self.skip_space();
        if self.take(close) {
            return Ok(true);
        }
        if self.take(b",") { Ok(false) } else { Err("invalid JSON: no comma after an element") }
    }

    fn number(&mut self) -> Result<f64, &'static str> {
        let start = self.rest;
        self.take(b"-");
        // Leading zeros pass in otelcol's reader, and control characters in strings.
        self.digits()?;
        if self.take(b".") {
            self.digits()?;
        }
        if self.take(b"e") || self.take(b"E") {
            let _ = self.take(b"+") || self.take(b"-");
            self.digits()?;
        }
        let text = &start[..start.len() - self.rest.len()];
        let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        number.filter(|number: &f64| number.is_finite()).ok_or("a number is out of range")
    }

    fn digits(&mut self) -> Result<(), &'static str> {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.rest = &self.rest[count..];
        if count > 0 { Ok(()) } else { Err("invalid JSON: no digit where one must be") }
    }

    fn string(&mut self) -> Result<Vec<u8>, &'static str> {
        if !self.take(b"\"") {
            return Err("invalid JSON: no string where one must be");
        }
        let mut text = Vec::new();
        loop {
            let plain = self.rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\')).count();
            let (before, rest) = self.rest.split_at(plain);
            text.extend_from_slice(before);
            self.rest = rest;
            match self.rest {
                [b'"', ..] => break,
                [b'\\', escape, ..] => {
                    self.rest = &self.rest[2..];
                    self.escape(*escape, &mut text)?;
                }
                _ => return Err("invalid JSON: a string does not end"),
            }
        }
        self.take(b"\"");
        Ok(repaired(text))
    }

    fn escape(&mut self, escape: u8, text: &mut Vec<u8>) -> Result<(), &'static str> {
        text.push(match escape {
            b'"' | b'\\' | b'/' => escape,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let char = self.code_point()?;
                text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => return Err("invalid JSON: an unknown escape"),
        });
        Ok(())
    }

    /// What follows `\u`: one unit of UTF-16, or two of them that are a pair.
    fn code_point(&mut self) -> Result<char, &'static str> {
        let unit = self.unit()?;
        if let Some(char) = char::from_u32(unit) {
            return Ok(char);
        }
        let after_first = self.rest;
        if unit < 0xdc00 && self.take(b"\\u") {
            let low = self.unit()?;
            if (0xdc00..0xe000).contains(&low) {
                let code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.rest = after_first;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn unit(&mut self) -> Result<u32, &'static str> {
        const MESSAGE: &str = "invalid JSON: no four digits after `\\u`";
        let digits = self.rest.get(..4).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit)).ok_or(MESSAGE)?;
        self.rest = &self.rest[4..];
        std::str::from_utf8(digits).ok().and_then(|digits| u32::from_str_radix(digits, 16).ok()).ok_or(MESSAGE)
    }

    fn skip_space(&mut self) {
        let count = self.rest.iter().take_while(|byte| b" \t\r\n".contains(byte)).count();
        self.rest = &self.rest[count..];
    }

    fn take(&mut self, expected: &[u8]) -> bool {
        let rest = self.rest.strip_prefix(expected);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}

/// Each byte that is no UTF-8 becomes one U+FFFD.
fn repaired(text: Vec<u8>) -> Vec<u8> {
    if std::str::from_utf8(&text).is_ok() {
        return text;
    }
    let mut repaired = Vec::with_capacity(text.len() + 16);
    for chunk in text.utf8_chunks() {
        repaired.extend_from_slice(chunk.valid().as_bytes());
        chunk.invalid().iter().for_each(|_| repaired.extend_from_slice("\u{fffd}".as_bytes()));
    }
    repaired
}
