//! Go's `fmt.Sprintf`, to the letter of its mistakes: `%!d(string=x)`, `%!s(MISSING)`, `%!(EXTRA int64=1)`.
//!
//! ```text
//! %[flags][[index]][width][.[[index]]precision][[index]]verb
//! ```
//! [`Directives`] walks the format and the arguments, [`print`] writes a value, [`page`] pads and quotes, [`float`] knows
//! the forms of floats. Where Go shows addresses of its memory there is nothing to be equal to; a constant stands there.
//!
//! Width and precision are below ten million, and every byte that is written costs fuel; when that is used up nothing is
//! written any more.

mod float;
mod page;
mod print;

use super::{super::Call, case::first_char};
use crate::{error::Error, value::Value};
use page::Page;

/// `arguments` in `format`.
pub(super) fn sprintf(call: Call<'_>, format: &[u8], arguments: &[Value<'_>]) -> Result<Vec<u8>, Error> {
    let mut directives = Directives {
        format,
        at: 0,
        arguments,
        argument: 0,
        is_reordered: false,
        is_index_bad: false,
        page: Page::new(call),
    };
    directives.run();
    directives.page.finish()
}

/// The format, and how far it has been read.
struct Directives<'d, 'v, 'e> {
    format: &'d [u8],
    at: usize,
    arguments: &'d [Value<'v>],
    /// The argument that is next.
    argument: usize,
    /// Whether some argument was chosen by its index; then none is reported as extra.
    is_reordered: bool,
    /// Whether an index of this directive was wrong, or stood where none may.
    is_index_bad: bool,
    page: Page<'e>,
}

/// Larger widths and precisions are none.
const NUMBER_MAX: i64 = 1_000_000;

impl<'d> Directives<'d, '_, '_> {
    fn run(&mut self) {
        while self.page.has_fuel() {
            let rest = &self.format[self.at..];
            let literal = rest.iter().position(|byte| *byte == b'%').unwrap_or(rest.len());
            self.page.write(&rest[..literal]);
            self.at += literal + 1;
            if self.at > self.format.len() || !self.directive() {
                break;
            }
        }
        if !self.is_reordered && self.argument < self.arguments.len() {
            self.extra();
        }
    }

    /// Reads one directive after its `%`. `false` if the format ends in it.
    fn directive(&mut self) -> bool {
        self.page.reset();
        self.is_index_bad = false;
        self.flags();
        // Go takes a short way here, on which no width, precision or index is looked for.
        if let Some(byte) = self.peek()
            && byte.is_ascii_lowercase()
            && self.argument < self.arguments.len()
        {
            self.at += 1;
            self.print(char::from(byte));
            return true;
        }
        let is_after_index = self.index();
        let is_after_index = self.width(is_after_index);
        let is_after_index = self.precision(is_after_index);
        if !is_after_index {
            self.index();
        }
        let Some((verb, len)) = first_char(&self.format[self.at.min(self.format.len())..]) else {
            self.page.write(b"%!(NOVERB)");
            return false;
        };
        self.at += len;
        match verb {
            '%' => self.page.write(b"%"),
            _ if self.is_index_bad => self.wrong(verb, b"(BADINDEX)"),
            _ if self.argument >= self.arguments.len() => self.wrong(verb, b"(MISSING)"),
            _ => self.print(verb),
        }
        true
    }

    fn print(&mut self, verb: char) {
        if matches!(verb, 'v' | 'w') {
            let flags = &mut self.page.flags;
            flags.is_go_syntax = std::mem::take(&mut flags.is_sharp);
            flags.is_plus = false;
        }
        let arguments = self.arguments;
        print::argument(&mut self.page, &arguments[self.argument], verb);
        self.argument += 1;
    }

    fn wrong(&mut self, verb: char, why: &[u8]) {
        self.page.write(b"%!");
        self.page.write_char(verb);
        self.page.write(why);
    }

    fn peek(&self) -> Option<u8> {
        self.format.get(self.at).copied()
    }

    fn flags(&mut self) {
        while let Some(byte) = self.peek() {
            let flags = &mut self.page.flags;
            match byte {
                b'#' => flags.is_sharp = true,
                b'0' => flags.is_zero = true,
                b'+' => flags.is_plus = true,
                b'-' => flags.is_minus = true,
                b' ' => flags.is_space = true,
                _ => return,
            }
            self.at += 1;
        }
    }

    /// The width; whether an index stands before what follows.
    fn width(&mut self, is_after_index: bool) -> bool {
        if self.peek() == Some(b'*') {
            self.at += 1;
            match self.int_argument() {
                Some(width) => {
                    self.page.flags.width = Some(width.unsigned_abs() as usize);
                    if width < 0 {
                        self.page.flags.is_minus = true;
                        self.page.flags.is_zero = false;
                    }
                }
                None => self.page.write(b"%!(BADWIDTH)"),
            }
            return false;
        }
        let width = self.number();
        self.page.flags.width = width;
        self.is_index_bad |= is_after_index && width.is_some();
        is_after_index
    }

    /// The precision after its point; whether an index stands before what follows.
    fn precision(&mut self, is_after_index: bool) -> bool {
        if self.peek() != Some(b'.') || self.at + 1 >= self.format.len() {
            return is_after_index;
        }
        self.at += 1;
        self.is_index_bad |= is_after_index;
        let is_after_index = self.index();
        if self.peek() == Some(b'*') {
            self.at += 1;
            let precision = self.int_argument().and_then(|precision| usize::try_from(precision).ok());
            self.page.flags.precision = precision;
            if precision.is_none() {
                self.page.write(b"%!(BADPREC)");
            }
            return false;
        }
        self.page.flags.precision = Some(self.number().unwrap_or(0));
        is_after_index
    }

    /// `[n]` chooses the next argument, from 1. Whether a number stood in brackets.
    fn index(&mut self) -> bool {
        if self.peek() != Some(b'[') {
            return false;
        }
        self.is_reordered = true;
        let inside = &self.format[self.at + 1..];
        // A bracket that is never closed is skipped alone, and so is one before the last byte.
        let Some(len) = inside.iter().position(|byte| *byte == b']').filter(|_| inside.len() >= 2) else {
            self.is_index_bad = true;
            self.at += 1;
            return false;
        };
        self.at += len + 2;
        let Some(number) = digits(&inside[..len]).filter(|(_, read)| *read == len).map(|(number, _)| number) else {
            self.is_index_bad = true;
            return false;
        };
        match number.checked_sub(1).filter(|index| *index < self.arguments.len()) {
            Some(index) => self.argument = index,
            None => self.is_index_bad = true,
        }
        true
    }

    /// The digits that come next. Too many of them swallow the rest of the format.
    fn number(&mut self) -> Option<usize> {
        let rest = &self.format[self.at.min(self.format.len())..];
        if !rest.first().is_some_and(u8::is_ascii_digit) {
            return None;
        }
        let Some((number, len)) = digits(rest) else {
            self.at = self.format.len();
            return None;
        };
        self.at += len;
        Some(number)
    }

    /// The argument of a `*`.
    fn int_argument(&mut self) -> Option<i64> {
        let argument = self.arguments.get(self.argument)?;
        self.argument += 1;
        let int = print::int_of(argument)?;
        (-NUMBER_MAX..=NUMBER_MAX).contains(&int).then_some(int)
    }

    fn extra(&mut self) {
        self.page.reset();
        self.page.write(b"%!(EXTRA ");
        let arguments: &'d [Value<'_>] = &self.arguments[self.argument..];
        for (index, argument) in arguments.iter().enumerate() {
            if index > 0 {
                self.page.write(b", ");
            }
            if !matches!(argument, Value::Nil) {
                self.page.write(print::type_of(argument).as_bytes());
                self.page.write(b"=");
            }
            print::argument(&mut self.page, argument, 'v');
        }
        self.page.write(b")");
    }
}

/// The number at the beginning of the text and how long it is; `None` if there is none or it is too large.
fn digits(text: &[u8]) -> Option<(usize, usize)> {
    let len = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let mut number = 0_usize;
    for digit in &text[..len] {
        if number as i64 > NUMBER_MAX {
            return None;
        }
        number = number * 10 + usize::from(digit - b'0');
    }
    (len > 0).then_some((number, len))
}

#[cfg(test)]
mod tests;
