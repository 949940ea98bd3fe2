//! What has been written, and how text, integers and quotes are written: padded to a width, cut to a precision.

use super::super::{super::Call, case::first_char};
use crate::error::Error;

/// What stands between `%` and the verb.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    pub(super) is_minus: bool,
    pub(super) is_plus: bool,
    pub(super) is_sharp: bool,
    pub(super) is_space: bool,
    pub(super) is_zero: bool,
    /// `%#v`.
    pub(super) is_go_syntax: bool,
}

/// The text that is being written.
pub(super) struct Page<'e> {
    pub(super) flags: Flags,
    out: Vec<u8>,
    call: Call<'e>,
    failure: Option<Error>,
}

/// An integer of one of Go's types.
#[derive(Clone, Copy)]
pub(super) struct Int {
    pub(super) bits: u64,
    pub(super) is_signed: bool,
}

impl<'e> Page<'e> {
    pub(super) fn new(call: Call<'e>) -> Self {
        Self { flags: Flags::default(), out: Vec::new(), call, failure: None }
    }

    pub(super) fn finish(self) -> Result<Vec<u8>, Error> {
        self.failure.map_or(Ok(self.out), Err)
    }

    /// Forgets the flags of the directive before.
    pub(super) fn reset(&mut self) {
        self.flags = Flags::default();
    }

    pub(super) fn has_fuel(&self) -> bool {
        self.failure.is_none()
    }

    pub(super) fn write(&mut self, text: &[u8]) {
        if self.spend(text.len()) {
            self.out.extend_from_slice(text);
        }
    }

    pub(super) fn write_char(&mut self, char: char) {
        self.write(char.encode_utf8(&mut [0; 4]).as_bytes());
    }

    /// Whether so much may be made. Asked before it is.
    pub(super) fn spend(&mut self, bytes: usize) -> bool {
        if self.failure.is_none() {
            self.failure = self.call.spend(bytes).err();
        }
        self.failure.is_none()
    }

    pub(super) fn write_padding(&mut self, count: usize) {
        if count > 0 && self.spend(count) {
            let byte = if self.flags.is_zero && !self.flags.is_minus { b'0' } else { b' ' };
            self.out.resize(self.out.len() + count, byte);
        }
    }

    pub(super) fn pad(&mut self, text: &[u8]) {
        let missing = self.flags.width.map_or(0, |width| width.saturating_sub(char_count(text)));
        if self.flags.is_minus {
            self.write(text);
            self.write_padding(missing);
        } else {
            self.write_padding(missing);
            self.write(text);
        }
    }

    /// Pads with blanks, whatever the flags say.
    pub(super) fn pad_blank(&mut self, text: &[u8]) {
        let is_zero = std::mem::take(&mut self.flags.is_zero);
        self.pad(text);
        self.flags.is_zero = is_zero;
    }

    /// `%s`.
    pub(super) fn text(&mut self, text: &[u8]) {
        let text = self.cut(text);
        self.pad(text);
    }

    /// `%x` of text: two digits a byte.
    pub(super) fn hex(&mut self, text: &[u8], is_upper: bool) {
        let len = self.flags.precision.map_or(text.len(), |precision| precision.min(text.len()));
        if !self.spend(text.len() * 5) {
            return;
        }
        let prefix = if is_upper { "0X" } else { "0x" };
        let mut digits = String::new();
        for (index, byte) in text[..len].iter().enumerate() {
            if self.flags.is_space && index > 0 {
                digits.push(' ');
            }
            if self.flags.is_sharp && (self.flags.is_space || index == 0) {
                digits += prefix;
            }
            digits += &if is_upper { format!("{byte:02X}") } else { format!("{byte:02x}") };
        }
        self.pad(digits.as_bytes());
    }

    /// `%q` of text.
    pub(super) fn quote(&mut self, text: &[u8]) {
        let text = self.cut(text);
        if !self.spend(text.len() * 10) {
            return;
        }
        if self.flags.is_sharp && can_backquote(text) {
            return self.pad(&[b"`", text, b"`"].concat());
        }
        let mut quoted = "\"".to_string();
        for chunk in text.utf8_chunks() {
            chunk.valid().chars().for_each(|char| push_quoted(&mut quoted, char, '"', self.flags.is_plus));
            chunk.invalid().iter().for_each(|byte| quoted += &format!("\\x{byte:02x}"));
        }
        quoted.push('"');
        self.pad(quoted.as_bytes());
    }

    /// `%q` of an integer.
    pub(super) fn quote_char(&mut self, bits: u64) {
        let mut quoted = "'".to_string();
        push_quoted(&mut quoted, char_of(bits), '\'', self.flags.is_plus);
        quoted.push('\'');
        self.pad(quoted.as_bytes());
    }

    /// `%c`.
    pub(super) fn char(&mut self, bits: u64) {
        self.pad(char_of(bits).encode_utf8(&mut [0; 4]).as_bytes());
    }

    /// `%U`.
    pub(super) fn unicode(&mut self, bits: u64) {
        let precision = self.flags.precision.unwrap_or(0).max(4);
        if !self.spend(precision) {
            return;
        }
        let digits = format!("{bits:X}");
        let mut text = ["U+", &"0".repeat(precision.saturating_sub(digits.len())), &digits].concat();
        if let Some(char) = u32::try_from(bits).ok().and_then(char::from_u32)
            && self.flags.is_sharp
            && is_print(char)
        {
            text += &format!(" '{char}'");
        }
        self.pad_blank(text.as_bytes());
    }

    /// `%d`, `%b`, `%o`, `%O`, `%x` and `%X`.
    pub(super) fn integer(&mut self, int: Int, verb: char) {
        let flags = self.flags;
        let is_negative = int.is_signed && int.bits >> 63 == 1;
        let bits = if is_negative { int.bits.wrapping_neg() } else { int.bits };
        if flags.precision == Some(0) && bits == 0 {
            self.flags.is_zero = false;
            self.write_padding(flags.width.unwrap_or(0));
            self.flags = flags;
            return;
        }
        let has_sign = is_negative || flags.is_plus || flags.is_space;
        let zeros_to = flags.width.filter(|_| flags.is_zero && !flags.is_minus);
        let len_min = flags.precision.or(zeros_to.map(|width| width.saturating_sub(usize::from(has_sign))));
        let len_min = len_min.unwrap_or(0);
        if !self.spend(len_min) {
            return;
        }
        let digits = match verb {
            'b' => format!("{bits:b}"),
            'o' | 'O' => format!("{bits:o}"),
            'x' => format!("{bits:x}"),
            'X' => format!("{bits:X}"),
            _ => bits.to_string(),
        };
        let digits = "0".repeat(len_min.saturating_sub(digits.len())) + &digits;
        let prefix = match verb {
            'O' if flags.is_sharp && !digits.starts_with('0') => "0o0",
            'O' => "0o",
            'b' if flags.is_sharp => "0b",
            'o' if flags.is_sharp && !digits.starts_with('0') => "0",
            'x' if flags.is_sharp => "0x",
            'X' if flags.is_sharp => "0X",
            _ => "",
        };
        let sign = match () {
            () if is_negative => "-",
            () if flags.is_plus => "+",
            () if flags.is_space => " ",
            () => "",
        };
        self.pad_blank([sign, prefix, &digits].concat().as_bytes());
    }

    /// The text up to the precision, in characters.
    fn cut<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let Some(precision) = self.flags.precision else { return text };
        let mut len = 0;
        for _ in 0..precision {
            let Some((_, width)) = first_char(&text[len..]) else { break };
            len += width;
        }
        &text[..len]
    }
}

fn char_count(text: &[u8]) -> usize {
    text.utf8_chunks().map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum()
}

/// The character, or U+FFFD where there is none.
fn char_of(bits: u64) -> char {
    u32::try_from(bits).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Go's `strconv.CanBackquote`.
fn can_backquote(text: &[u8]) -> bool {
    let is_plain = |char| matches!(char, '\t' | ' '..) && !matches!(char, '`' | '\u{7f}' | '\u{feff}');
    std::str::from_utf8(text).is_ok_and(|text| text.chars().all(is_plain))
}

fn push_quoted(out: &mut String, char: char, quote: char, is_ascii: bool) {
    match char {
        '\\' => *out += "\\\\",
        char if char == quote => {
            out.push('\\');
            out.push(char);
        }
        char if is_print(char) && (char.is_ascii() || !is_ascii) => out.push(char),
        '\u{7}' => *out += "\\a",
        '\u{8}' => *out += "\\b",
        '\u{c}' => *out += "\\f",
        '\n' => *out += "\\n",
        '\r' => *out += "\\r",
        '\t' => *out += "\\t",
        '\u{b}' => *out += "\\v",
        '\0'..=' ' | '\u{7f}' => *out += &format!("\\x{:02x}", u32::from(char)),
        '\u{80}'..='\u{ffff}' => *out += &format!("\\u{:04x}", u32::from(char)),
        _ => *out += &format!("\\U{:08x}", u32::from(char)),
    }
}

/// Go's `unicode.IsPrint`, out of Rust's own escaping. That escapes quotes and the backslash, too, and, in the first place
/// only, marks that combine with what is before.
fn is_print(char: char) -> bool {
    let text: String = ['x', char].iter().collect();
    matches!(char, '"' | '\'' | '\\') || text.escape_debug().nth(2).is_none()
}
