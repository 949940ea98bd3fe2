//! Formats such as `%Y-%m-%d`, as otelcol's `ctimefmt` means them: each directive stands for a piece of a Go layout.
//!
//! Writing takes one layout. Reading tries several: numbers need no zeros in front, an offset has three forms, a short date
//! two years. Which piece of a layout did not fit says what to try next, so the layout grows a directive at a time.

use super::{layout, parse::Mismatch};
use crate::{error::Error, value::Time};

/// A format that is known to be good.
#[derive(Debug)]
pub(super) struct Format {
    pieces: Vec<(String, char)>,
    /// What follows the last directive.
    tail: String,
}

/// Why a text does not fit a layout.
#[derive(Debug)]
pub(super) enum Misfit {
    /// A piece of the layout does not; another one may.
    Piece(Mismatch),
    Other(Error),
}

/// The layout's piece of each directive.
const NATIVE: &[(char, &str)] = &[
    ('Y', "2006"),
    ('y', "06"),
    ('m', "01"),
    ('o', "_1"),
    ('q', "1"),
    ('b', "Jan"),
    ('h', "Jan"),
    ('B', "January"),
    ('d', "02"),
    ('e', "_2"),
    ('g', "2"),
    ('a', "Mon"),
    ('A', "Monday"),
    ('H', "15"),
    ('l', "3"),
    ('I', "03"),
    ('p', "PM"),
    ('P', "pm"),
    ('M', "04"),
    ('S', "05"),
    ('L', "999"),
    ('f', "999999"),
    ('s', "999999999"),
    ('Z', "MST"),
    ('z', "Z0700"),
    ('w', "-070000"),
    ('i', "-07"),
    ('j', "-07:00"),
    ('k', "-07:00:00"),
    ('D', "01/02/2006"),
    ('x', "01/02/2006"),
    ('F', "2006-01-02"),
    ('T', "15:04:05"),
    ('X', "15:04:05"),
    ('r', "03:04:05 pm"),
    ('R', "15:04"),
    ('n', "\n"),
    ('t', "\t"),
    ('%', "%"),
    ('c', "Mon Jan 02 15:04:05 2006"),
];

fn native(directive: char) -> Option<&'static str> {
    NATIVE.iter().find(|(other, _)| *other == directive).map(|(_, native)| *native)
}

/// What reading tries for a directive, one after the other, in pieces that can fail by themselves.
fn readings(directive: char) -> &'static [&'static [&'static str]] {
    match directive {
        'm' | 'o' | 'q' => &[&["1"]],
        'd' | 'e' | 'g' => &[&["2"]],
        'I' => &[&["3"]],
        'M' => &[&["4"]],
        'S' => &[&["5"]],
        'D' | 'x' => &[&["1", "/", "2", "/", "2006"], &["1", "/", "2", "/", "06"]],
        'F' => &[&["2006", "-", "1", "-", "2"]],
        'T' | 'X' => &[&["15", ":", "4", ":", "5"]],
        'r' => &[&["3", ":", "4", ":", "5", " ", "pm"]],
        'R' => &[&["15", ":", "4"]],
        'c' => &[&["Mon", " ", "Jan", " ", "2", " ", "15", ":", "4", ":", "5", " ", "2006"]],
        'z' => &[&["Z0700"], &["Z07:00"], &["Z07"]],
        _ => &[],
    }
}

impl Format {
    /// # Errors
    /// What is wrong with the format.
    pub(super) fn new(format: &str) -> Result<Self, String> {
        if format.is_empty() {
            return Err("the format of a time is empty".to_string());
        }
        if format.contains(|char: char| char.is_ascii_digit()) {
            return Err(format!("the format `{format}` has digits, use directives such as `%Y`"));
        }
        if has_loose_fraction(format) {
            return Err(format!("a fraction in `{format}` needs a dot or a comma before it, as in `.%L`"));
        }
        let format = Self::split(format);
        let unknown = format.pieces.iter().find(|(_, directive)| native(*directive).is_none());
        unknown.map_or(Ok(()), |(_, directive)| {
            Err(format!("unknown directive `%{directive}` in the format of a time"))
        })?;
        Ok(format)
    }

    /// A percent sign at the end of a line or of everything is no directive.
    fn split(format: &str) -> Self {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut chars = format.chars().peekable();
        while let Some(char) = chars.next() {
            match chars.next_if(|next| char == '%' && *next != '\n') {
                Some(directive) => pieces.push((std::mem::take(&mut literal), directive)),
                None => literal.push(char),
            }
        }
        Self { pieces, tail: literal }
    }

    /// The layout that writes times.
    fn layout(&self) -> String {
        let mut layout: String =
            self.pieces.iter().flat_map(|(literal, directive)| [literal, native(*directive).unwrap_or("")]).collect();
        layout.push_str(&self.tail);
        layout
    }

    /// What writes times in this format.
    pub(super) fn writer(&self) -> impl Fn(Time) -> Vec<u8> + Send + Sync + 'static {
        let layout = self.layout();
        move |time| layout::format(layout.as_bytes(), time)
    }

    /// Tries layouts until one fits.
    pub(super) fn read(&self, attempt: &mut Attempt<'_>) -> Result<Time, Misfit> {
        self.read_on("", &self.pieces, attempt)
    }

    /// Tries layouts that begin with `begun`.
    fn read_on(&self, begun: &str, pieces: &[(String, char)], attempt: &mut Attempt<'_>) -> Result<Time, Misfit> {
        let Some(((literal, directive), pieces)) = pieces.split_first() else {
            return attempt(&[begun, &self.tail].concat());
        };
        let begun = [begun, literal].concat();
        let written = [native(*directive).unwrap_or("")];
        let written = [&written[..]];
        let readings = readings(*directive);
        let readings = if readings.is_empty() { &written[..] } else { readings };
        let mut answer = Err(Misfit::Other(Error::failed("no layout")));
        for reading in readings {
            let (at, reached) = self.read_spaced(&begun, reading, pieces, attempt);
            answer = reached;
            if !at {
                break;
            }
        }
        answer
    }

    /// Tries one reading of a directive; as long as a number or an offset of it finds spaces, with these in front. Whether
    /// it was this directive that did not fit, and the answer.
    fn read_spaced(
        &self,
        begun: &str,
        reading: &[&str],
        pieces: &[(String, char)],
        attempt: &mut Attempt<'_>,
    ) -> (bool, Result<Time, Misfit>) {
        // Spaces in front of a piece help once, if at all; otelcol may try forever.
        let tries_max = reading.len() + 1;
        let mut reading: Vec<String> = reading.iter().map(|piece| (*piece).to_string()).collect();
        for _ in 0..tries_max {
            let answer = self.read_on(&[begun, &reading.concat()].concat(), pieces, attempt);
            let Err(Misfit::Piece(Mismatch { element, rest })) = &answer else { return (false, answer) };
            let Some(index) = reading.iter().position(|piece| piece.as_bytes() == element && !element.is_empty())
            else {
                return (false, answer);
            };
            let spaces = rest.iter().take_while(|byte| matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')).count();
            if spaces == 0 || !reading[index].starts_with(|first: char| first.is_ascii_digit() || first == 'Z') {
                break;
            }
            reading.insert(index, String::from_utf8_lossy(&rest[..spaces]).into_owned());
        }
        // Nobody outside mistakes this piece for one of their own.
        (true, Err(Misfit::Piece(Mismatch { element: Vec::new(), rest: Vec::new() })))
    }
}

/// Reads the text with a layout.
pub(super) type Attempt<'t> = dyn FnMut(&str) -> Result<Time, Misfit> + 't;

/// Whether a `%L`, `%f` or `%s` follows something other than a dot or a comma.
fn has_loose_fraction(format: &str) -> bool {
    let loose = |at: usize| {
        let before = format[..at].chars().next_back();
        let after = format[at + 1..].chars().next();
        before.is_some_and(|char| char != '.' && char != ',') && matches!(after, Some('L' | 'f' | 's'))
    };
    format.match_indices('%').any(|(at, _)| loose(at))
}
