//! Reads a pattern by the rules of Go's `regexp/syntax` (its Perl flavour) and writes one that means the same to the
//! `regex` crate. Groups lose their names, and their captures unless somebody wants those of the named ones; literals and
//! class members are written as escapes.

use std::fmt::Write;

/// A pattern for the `regex` crate.
pub(super) struct Translation<'a> {
    pub(super) pattern: String,
    /// Of the capturing groups, in order of their opening; of the named ones where none captures.
    pub(super) names: Vec<Option<&'a str>>,
}

/// Which groups capture.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Captures {
    None,
    Named,
    All,
}

/// The same pattern for the `regex` crate in Unicode mode, without captures, or what is wrong with it.
pub(super) fn translate(source: &str) -> Result<Translation<'_>, String> {
    Translation::new(source, Captures::None)
}

/// The same with captures of exactly the named groups, in order of their opening.
pub(super) fn translate_capturing(source: &str) -> Result<Translation<'_>, String> {
    Translation::new(source, Captures::Named)
}

/// The same with the captures of all groups.
pub(super) fn translate_all(source: &str) -> Result<Translation<'_>, String> {
    Translation::new(source, Captures::All)
}

impl<'a> Translation<'a> {
    fn new(source: &'a str, captures: Captures) -> Result<Self, String> {
        let mut translator = Translator {
            captures,
            rest: source,
            out: String::with_capacity(source.len() * 2),
            groups: vec![Group::default()],
            names: Vec::new(),
            atom: Atom::None,
            repeated: None,
        };
        translator.run()?;
        Ok(Translation { pattern: translator.out, names: translator.names })
    }
}

struct Translator<'a> {
    captures: Captures,
    rest: &'a str,
    out: String,
    /// The open groups, the whole pattern first; never empty.
    groups: Vec<Group>,
    names: Vec<Option<&'a str>>,
    atom: Atom,
    /// What followed the last atom when it was repeated, if nothing came since.
    repeated: Option<&'a str>,
}

/// An open group.
#[derive(Default)]
struct Group {
    /// The most that a chain of counted repetitions in it multiplies to.
    repeats: u32,
}

/// What stands before the cursor.
#[derive(Clone, Copy)]
enum Atom {
    None,
    /// Something that can be repeated, and the product of the counts in it.
    Some {
        repeats: u32,
    },
}

impl<'a> Translator<'a> {
    fn run(&mut self) -> Result<(), String> {
        while let Some(next) = self.rest.chars().next() {
            match next {
                '(' => self.open()?,
                ')' => self.close()?,
                '|' => {
                    self.take(1);
                    self.out.push('|');
                    self.end_atom();
                }
                '*' | '+' | '?' => self.repeat(&self.rest[..1], 1)?,
                '{' => match counts(self.rest) {
                    Some((text, min, max)) => self.repeat_counted(text, min, max)?,
                    None => self.literal('{'),
                },
                '[' => self.class()?,
                '\\' => self.escape()?,
                '^' | '$' | '.' => {
                    self.take(1);
                    self.atom(next.encode_utf8(&mut [0; 4]));
                }
                _ => self.literal(next),
            }
        }
        if self.groups.len() > 1 { Err("missing closing `)`".to_string()) } else { Ok(()) }
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// Writes something that can be repeated.
    fn atom(&mut self, text: &str) {
        self.end_atom();
        self.out.push_str(text);
        self.atom = Atom::Some { repeats: 1 };
    }

    fn literal(&mut self, character: char) {
        self.take(character.len_utf8());
        self.atom(&escaped(character));
    }

    fn end_atom(&mut self) {
        if let (Atom::Some { repeats }, Some(group)) = (self.atom, self.groups.last_mut()) {
            group.repeats = group.repeats.max(repeats);
        }
        self.atom = Atom::None;
        self.repeated = None;
    }

    fn repeat_counted(&mut self, text: &'a str, min: u32, max: Option<u32>) -> Result<(), String> {
        if min > REPEATS_MAX || max.is_some_and(|max| max > REPEATS_MAX) {
            return Err(format!("`{text}` repeats more than {REPEATS_MAX} times"));
        }
        if max.is_some_and(|max| max < min) {
            return Err(format!("`{text}` ends before it begins"));
        }
        self.repeat(text, max.unwrap_or(min).max(1))
    }

    fn repeat(&mut self, operator: &'a str, count: u32) -> Result<(), String> {
        let before = self.rest;
        self.take(operator.len());
        let lazy = if self.rest.starts_with('?') { self.take(1) } else { "" };
        if let Some(first) = self.repeated {
            let both = &first[..first.len() - self.rest.len()];
            return Err(format!("`{both}` repeats a repetition"));
        }
        let Atom::Some { repeats } = self.atom else { return Err(format!("nothing before `{operator}` to repeat")) };
        let repeats = repeats.saturating_mul(count);
        if repeats > REPEATS_MAX {
            return Err(format!("`{operator}` repeats more than {REPEATS_MAX} times, counted with what it contains"));
        }
        self.atom = Atom::Some { repeats };
        self.repeated = Some(before);
        self.out.push_str(operator);
        self.out.push_str(lazy);
        Ok(())
    }

    fn open(&mut self) -> Result<(), String> {
        self.end_atom();
        if let Some(after) = self.rest.strip_prefix("(?") {
            let named = after.strip_prefix("P<").or_else(|| after.strip_prefix('<'));
            return match named {
                Some(named) => self.open_named(named),
                None => self.open_flagged(after),
            };
        }
        self.take(1);
        if self.captures == Captures::All {
            self.names.push(None);
        }
        self.push_group(if self.captures == Captures::All { "(" } else { "(?:" });
        Ok(())
    }

    fn open_named(&mut self, named: &'a str) -> Result<(), String> {
        let name = named.split('>').next().unwrap_or(named);
        let is_valid = !name.is_empty() && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
        if !is_valid || name.len() == named.len() {
            return Err(format!("invalid group name `{name}`"));
        }
        self.names.push(Some(name));
        self.rest = named;
        self.take(name.len() + 1);
        self.push_group(if self.captures == Captures::None { "(?:" } else { "(" });
        Ok(())
    }

    /// `(?flags)` or `(?flags:`, with each flag at its last setting.
    fn open_flagged(&mut self, after: &'a str) -> Result<(), String> {
        let mut flags = [None; FLAGS.len()];
        let mut is_on = true;
        let mut is_flag_due = false;
        for (at, character) in after.char_indices() {
            if let Some(flag) = FLAGS.iter().position(|flag| *flag == character).and_then(|flag| flags.get_mut(flag)) {
                *flag = Some(is_on);
                is_flag_due = false;
                continue;
            }
            match character {
                '-' if is_on => (is_on, is_flag_due) = (false, true),
                ':' | ')' if !is_flag_due => {
                    self.rest = after;
                    self.take(at + 1);
                    self.write_flags(&flags, character == ':');
                    return Ok(());
                }
                _ => return Err(unsupported_group(after, at, character)),
            }
        }
        Err("missing closing `)`".to_string())
    }

    fn write_flags(&mut self, flags: &[Option<bool>; FLAGS.len()], is_group: bool) {
        let set = |to: bool| FLAGS.iter().zip(flags).filter(move |(_, flag)| **flag == Some(to)).map(|(name, _)| *name);
        let (on, off): (String, String) = (set(true).collect(), set(false).collect());
        let minus = if off.is_empty() { "" } else { "-" };
        if is_group {
            self.push_group(&format!("(?{on}{minus}{off}:"));
        } else if !on.is_empty() || !off.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(self.out, "(?{on}{minus}{off})");
        }
    }

    fn push_group(&mut self, text: &str) {
        self.out.push_str(text);
        self.groups.push(Group { repeats: 1 });
    }

    fn close(&mut self) -> Result<(), String> {
        self.end_atom();
        if self.groups.len() == 1 {
            return Err("unexpected `)`".to_string());
        }
        let repeats = self.groups.pop().map_or(1, |group| group.repeats);
        self.take(1);
        self.out.push(')');
        self.atom = Atom::Some { repeats };
        Ok(())
    }

    fn escape(&mut self) -> Result<(), String> {
        let mut characters = self.rest.chars();
        characters.next();
        let class = match characters.next() {
            Some('A') => r"\A",
            Some('z') => r"\z",
            Some('b') => r"(?-u:\b)",
            Some('B') => r"(?-u:\B)",
            Some('Q') => {
                self.quoted();
                return Ok(());
            }
            Some('p' | 'P') => {
                let class = self.unicode_class()?;
                self.atom(&class);
                return Ok(());
            }
            Some(letter) => match perl_class(letter) {
                Some(class) => class,
                None => {
                    let character = self.escaped_character()?;
                    self.atom(&escaped(character));
                    return Ok(());
                }
            },
            None => return Err("the pattern ends with a backslash".to_string()),
        };
        self.take(2);
        self.atom(class);
        Ok(())
    }

    /// `\Q…\E`: text as it stands, to the end if `\E` is missing.
    fn quoted(&mut self) {
        self.take(2);
        let (quoted, rest) = self.rest.split_once(r"\E").unwrap_or((self.rest, ""));
        for character in quoted.chars() {
            self.atom(&escaped(character));
        }
        self.rest = rest;
    }

    /// An escape that stands for one character, in a class or outside.
    fn escaped_character(&mut self) -> Result<char, String> {
        self.take(1);
        let Some(letter) = self.rest.chars().next() else {
            return Err("the pattern ends with a backslash".to_string());
        };
        let invalid = || format!("invalid escape `\\{letter}`");
        self.take(letter.len_utf8());
        Ok(match letter {
            'a' => '\x07',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            'x' => self.hexadecimal().ok_or_else(invalid)?,
            // One digit would be a backreference.
            '1'..='7' if !self.rest.starts_with(|next: char| next.is_digit(8)) => return Err(invalid()),
            '0'..='7' => self.octal(letter),
            _ if letter.is_ascii() && !letter.is_ascii_alphanumeric() => letter,
            _ => return Err(invalid()),
        })
    }

    fn hexadecimal(&mut self) -> Option<char> {
        let digits = match self.rest.strip_prefix('{') {
            Some(braced) => {
                let digits = braced.split_once('}')?.0;
                self.take(digits.len() + 2);
                digits
            }
            None => Some(self.take(2)).filter(|digits| digits.len() == 2)?,
        };
        let is_hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        char::from_u32(u32::from_str_radix(digits, 16).ok().filter(|_| is_hexadecimal)?)
    }

    fn octal(&mut self, first: char) -> char {
        let mut code = first.to_digit(8).unwrap_or(0);
        for _ in 0..2 {
            let Some(digit) = self.rest.chars().next().and_then(|next| next.to_digit(8)) else { break };
            self.take(1);
            code = code * 8 + digit;
        }
        char::from_u32(code).unwrap_or('\u{fffd}')
    }

    /// `\pL`, `\p{Lu}`, `\P{Greek}`, `\p{^Greek}`.
    fn unicode_class(&mut self) -> Result<String, String> {
        let whole = self.rest;
        let mut is_negated = self.take(2) == r"\P";
        let name = match self.rest.strip_prefix('{') {
            Some(braced) => match braced.split_once('}') {
                Some((name, _)) => {
                    self.take(name.len() + 2);
                    name
                }
                None => return Err(format!("missing closing `}}` after `{}`", &whole[..3])),
            },
            None => {
                let letter = self.rest.chars().next().map_or(0, char::len_utf8);
                self.take(letter)
            }
        };
        let bare = name.strip_prefix('^').unwrap_or(name);
        is_negated ^= bare.len() != name.len();
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_ -".contains(&byte);
        let letter = if is_negated { 'P' } else { 'p' };
        let class = format!("\\{letter}{{{bare}}}");
        // The engine knows the names; beyond Go's general categories and scripts it has a few properties more.
        if bare.is_empty() || !bare.bytes().all(is_name) || regex::Regex::new(&class).is_err() {
            return Err(format!("unknown class `{}`", &whole[..whole.len() - self.rest.len()]));
        }
        Ok(class)
    }

    fn class(&mut self) -> Result<(), String> {
        self.end_atom();
        self.take(1);
        let mut class = String::from("[");
        if self.rest.starts_with('^') {
            self.take(1);
            class.push('^');
        }
        let mut is_first = true;
        while is_first || !self.rest.starts_with(']') {
            is_first = false;
            self.class_member(&mut class)?;
        }
        self.take(1);
        class.push(']');
        self.atom(&class);
        Ok(())
    }

    fn class_member(&mut self, class: &mut String) -> Result<(), String> {
        if let Some(named) = self.rest.strip_prefix("[:").and_then(|rest| rest.split_once(":]")).map(|(name, _)| name) {
            let bare = named.strip_prefix('^').unwrap_or(named);
            if !POSIX_CLASSES.contains(&bare) {
                return Err(format!("unknown class `[:{named}:]`"));
            }
            class.push_str(self.take(named.len() + 4));
            return Ok(());
        }
        if let Some(letter) = self.rest.strip_prefix('\\').and_then(|rest| rest.chars().next()) {
            if matches!(letter, 'p' | 'P') {
                class.push_str(&self.unicode_class()?);
                return Ok(());
            }
            if let Some(perl) = perl_class(letter) {
                self.take(2);
                class.push_str(perl);
                return Ok(());
            }
        }
        self.class_range(class)
    }

    fn class_range(&mut self, class: &mut String) -> Result<(), String> {
        let whole = self.rest;
        let low = self.class_character()?;
        class.push_str(&escaped(low));
        if self.rest.strip_prefix('-').is_none_or(|after| after.is_empty() || after.starts_with(']')) {
            return Ok(());
        }
        self.take(1);
        let high = self.class_character()?;
        if high < low {
            let range = &whole[..whole.len() - self.rest.len()];
            return Err(format!("the range `{range}` ends before it begins"));
        }
        class.push('-');
        class.push_str(&escaped(high));
        Ok(())
    }

    fn class_character(&mut self) -> Result<char, String> {
        match self.rest.chars().next() {
            None => Err("missing closing `]`".to_string()),
            Some('\\') => self.escaped_character(),
            Some(character) => {
                self.take(character.len_utf8());
                Ok(character)
            }
        }
    }
}

/// Go's limit on counted repetitions, alone and multiplied with those inside.
const REPEATS_MAX: u32 = 1000;

const FLAGS: [char; 4] = ['i', 'm', 's', 'U'];

const POSIX_CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word",
    "xdigit",
];

fn perl_class(letter: char) -> Option<&'static str> {
    Some(match letter {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        's' => r"[\t\n\x0C\r ]",
        'S' => r"[^\t\n\x0C\r ]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        _ => return None,
    })
}

/// A character that means itself, in a class too.
fn escaped(character: char) -> String {
    if character.is_alphanumeric() { character.to_string() } else { format!("\\x{{{:X}}}", u32::from(character)) }
}

/// `{2}`, `{2,}` or `{2,3}` at the beginning of `text`; anything else is no repetition but text, as Go has it.
fn counts(text: &str) -> Option<(&str, u32, Option<u32>)> {
    let (inside, _) = text.strip_prefix('{')?.split_once('}')?;
    let (min, max) = match inside.split_once(',') {
        None => (count(inside)?, Some(count(inside)?)),
        Some((min, "")) => (count(min)?, None),
        Some((min, max)) => (count(min)?, Some(count(max)?)),
    };
    Some((text.get(..inside.len() + 2)?, min, max))
}

/// A number without leading zeros; one too large to read is still a number.
fn count(digits: &str) -> Option<u32> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = digits == "0" || !digits.starts_with('0');
    (is_number && is_plain).then(|| digits.parse().unwrap_or(u32::MAX))
}

fn unsupported_group(after: &str, at: usize, character: char) -> String {
    let group = after.get(..at + character.len_utf8()).unwrap_or(after);
    match after.chars().next() {
        Some('=' | '!') => format!("`(?{group}` is not supported, there is no looking ahead or behind"),
        _ => format!("`(?{group}` is not supported, the flags are `i`, `m`, `s` and `U`"),
    }
}
