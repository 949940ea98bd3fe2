//! W3C trace state as contrib's package `sampling` reads and writes it.
//!
//! It is more lenient than OpenTelemetry's Go API ([`otlp::trace_state`]): keys may come twice, 31 members are the most, and
//! of what is wrong inside of `ot` the rest is still read. Nothing is copied: the text is gone through again to be written.

use super::threshold::{Randomness, Threshold};

/// A trace state that was read, as far as it was right.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TraceState<'a> {
    /// The whole text; empty where it is none.
    text: &'a [u8],
    /// The value of `ot`; empty where that is none.
    ot: &'a [u8],
    /// The `rv` and its text.
    pub(super) randomness: Option<(Randomness, &'a [u8])>,
    /// The `th` and its text.
    pub(super) threshold: Option<(Threshold, &'a [u8])>,
}

/// A trace state that is written, on the stack: there is one a span.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    bytes: [u8; TEXT_BYTES_MAX],
    len: usize,
}

const BYTES_MAX: usize = 1024;
/// What is read, and `ot=rv:`, `;th:` with 14 digits each and separators.
const TEXT_BYTES_MAX: usize = BYTES_MAX + 64;
/// The first item that is too many.
const ITEMS_END: usize = 32;
const KEY_BYTES_MAX: usize = 256;
const TENANT_BYTES_MAX: usize = 241;
const SYSTEM_BYTES_MAX: usize = 14;
const VALUE_BYTES_MAX: usize = 256;

impl<'a> TraceState<'a> {
    /// What a text says, and whether all of it is right.
    pub(super) fn read(text: &'a [u8]) -> (Self, bool) {
        let mut state = Self::default();
        if text.len() > BYTES_MAX || !members(text).all(is_member) {
            return (state, false);
        }
        state.text = text;
        let mut is_right = true;
        for (key, value) in pairs(text) {
            if !is_short(key) {
                is_right = false;
            } else if key == b"ot" {
                is_right &= state.read_ot(value);
            }
        }
        (state, is_right && count(text) < ITEMS_END)
    }

    /// Of several `ot` the last one counts.
    fn read_ot(&mut self, value: &'a [u8]) -> bool {
        (self.ot, self.randomness, self.threshold) = (&[], None, None);
        if !is_ot(value) {
            return false;
        }
        self.ot = value;
        let mut is_right = true;
        for (key, value) in ot_pairs(value) {
            match key {
                b"rv" => self.randomness = Randomness::parse(value).map(|randomness| (randomness, value)),
                b"th" => self.threshold = Threshold::parse(value).map(|threshold| (threshold, value)),
                _ => continue,
            }
            is_right &= if key == b"rv" { self.randomness.is_some() } else { self.threshold.is_some() };
        }
        is_right
    }

    /// The text, `ot` first, with another `rv` and `th` where these are new.
    pub(super) fn write(&self, randomness: Option<Randomness>, threshold: Option<Threshold>) -> Text {
        let mut out = Text::default();
        // What stands before the next value within `ot`.
        let mut lead: &[u8] = b"ot=";
        let mut put = |out: &mut Text, key: &[u8], text: &[u8]| {
            out.put(std::mem::replace(&mut lead, b";"));
            [key, b":", text].iter().for_each(|part| out.put(part));
        };
        if let Some(new) = randomness {
            put(&mut out, b"rv", b"");
            out.put_number(format_args!("{new}"));
        } else if let Some((_, text)) = self.randomness {
            put(&mut out, b"rv", text);
        }
        if let Some(new) = threshold {
            put(&mut out, b"th", b"");
            out.put_number(format_args!("{new}"));
        } else if let Some((_, text)) = self.threshold {
            put(&mut out, b"th", text);
        }
        let others = ot_pairs(self.ot).filter(|(key, _)| !matches!(*key, b"rv" | b"th"));
        others.for_each(|(key, value)| put(&mut out, key, value));
        for (key, value) in pairs(self.text).filter(|(key, _)| *key != b"ot" && is_short(key)) {
            let comma: &[u8] = if out.as_bytes().is_empty() { b"" } else { b"," };
            [comma, key, b"=", value].iter().for_each(|part| out.put(part));
        }
        out
    }
}

impl Text {
    /// What was written.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// What does not fit is left out; by [`TEXT_BYTES_MAX`] that is nothing.
    fn put(&mut self, part: &[u8]) {
        if let Some(room) = self.bytes.get_mut(self.len..self.len + part.len()) {
            room.copy_from_slice(part);
            self.len += part.len();
        }
    }

    fn put_number(&mut self, number: std::fmt::Arguments<'_>) {
        // The result says whether the formatting failed, which that of numbers does not.
        let _written = std::fmt::Write::write_fmt(self, number);
    }
}

impl std::fmt::Write for Text {
    fn write_str(&mut self, part: &str) -> std::fmt::Result {
        self.put(part.as_bytes());
        Ok(())
    }
}

impl Default for Text {
    fn default() -> Self {
        Self { bytes: [0; TEXT_BYTES_MAX], len: 0 }
    }
}

/// The members without the blanks around them.
fn members(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b',').map(trim).filter(|member| !member.is_empty())
}

/// Keys and values of the members that are not too many; each member has both.
fn pairs(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let members = text.split(|byte| *byte == b',').take(ITEMS_END - 1);
    members.filter_map(|member| split(trim(member), b'='))
}

fn ot_pairs(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    text.split(|byte| *byte == b';').filter_map(|member| split(member, b':'))
}

fn split(member: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let at = member.iter().position(|byte| *byte == at)?;
    Some((member.get(..at)?, member.get(at + 1..)?))
}

/// How many items there are, empty ones included; nothing behind the last comma is none.
fn count(text: &[u8]) -> usize {
    let pieces = text.split(|byte| *byte == b',').count();
    pieces - usize::from(matches!(text.last(), None | Some(b',')))
}

fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

fn is_member(member: &[u8]) -> bool {
    split(member, b'=').is_some_and(|(key, value)| is_key(key) && is_value(value))
}

fn is_key(key: &[u8]) -> bool {
    match split(key, b'@') {
        None => starts(key, |byte| byte.is_ascii_lowercase()),
        Some((tenant, system)) => {
            starts(tenant, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
                && starts(system, |byte| byte.is_ascii_lowercase())
        }
    }
}

fn starts(part: &[u8], first: impl Fn(&u8) -> bool) -> bool {
    let is_rest = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/');
    part.split_first().is_some_and(|(byte, rest)| first(byte) && rest.iter().all(is_rest))
}

fn is_short(key: &[u8]) -> bool {
    key.len() <= KEY_BYTES_MAX
        && split(key, b'@')
            .is_none_or(|(tenant, system)| tenant.len() <= TENANT_BYTES_MAX && system.len() <= SYSTEM_BYTES_MAX)
}

fn is_value(value: &[u8]) -> bool {
    let is_allowed = |byte: &u8| matches!(byte, 0x20..=0x7e) && !matches!(byte, b',' | b'=');
    (1..=VALUE_BYTES_MAX).contains(&value.len()) && value.iter().all(is_allowed) && value.last() != Some(&b' ')
}

/// `key:value` between semicolons, none of them empty.
fn is_ot(value: &[u8]) -> bool {
    let is_key = |key: &[u8]| {
        key.first().is_some_and(u8::is_ascii_lowercase)
            && key.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let is_text =
        |text: &[u8]| text.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    value
        .split(|byte| *byte == b';')
        .all(|member| split(member, b':').is_some_and(|(key, value)| is_key(key) && is_text(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str, is_right: bool) {
        let (state, right) = TraceState::read(text.as_bytes());
        let written = state.write(None, None);
        assert_eq!((String::from_utf8_lossy(written.as_bytes()).as_ref(), right), (expected, is_right), "{text}");
    }

    #[test]
    fn read_and_written() {
        for (text, expected, is_right) in [
            ("", "", true),
            (" a=1 ,, b=2,", "a=1,b=2", true),
            ("a=1,ot=x:1;th:8;rv:0000000000000F;y:", "ot=rv:0000000000000F;th:8;x:1;y:,a=1", true),
            ("ot=th:8,a=1,ot=rv:00000000000000,a=2", "ot=rv:00000000000000,a=1,a=2", true),
            ("ot=th:8;rv:1;z:1", "ot=th:8;z:1", false),
            ("ot=th:8;th:x", "", false),
            ("ot=th:8;,a=1", "a=1", false),
            ("ot=TH:8,a=1", "a=1", false),
            ("a,b=1", "", false),
            ("A=1", "", false),
            ("a=1=2", "", false),
            ("a@=1", "", false),
            ("1a@b=c", "1a@b=c", true),
            ("a@bcdefghijklmnop=1,c=2", "c=2", false),
        ] {
            check(text, expected, is_right);
        }
        let many = |count: usize| (0..count).map(|n| format!("m{n}=1")).collect::<Vec<_>>().join(",");
        check(&many(31), &many(31), true);
        check(&(many(31) + ","), &many(31), true);
        check(&many(32), &many(31), false);
        check(&format!("a={}", "x".repeat(257)), "", false);
        check(&"a=1,".repeat(257), "", false);
    }

    #[test]
    fn new_values() {
        let (state, _) = TraceState::read(b"a=1,ot=th:8;x:1");
        let written = state.write(Some(Randomness(1)), Some(Threshold::ALWAYS));
        assert_eq!(written.as_bytes(), b"ot=rv:00000000000001;th:0;x:1,a=1");
    }
}
