//! Tokens: what otelcol's lexer rules match, in their order, longest words first.

use crate::error::SyntaxError;
use std::{iter::Peekable, ops::Range, str::CharIndices};

/// A piece of the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) at: Range<usize>,
}

/// What a piece is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    /// `0x` and hexadecimal digits.
    Bytes,
    Float,
    Int,
    /// A string, its escapes undone.
    Str(String),
    Nil,
    Bool(bool),
    Not,
    Or,
    And,
    Compare(Operator),
    Arrow,
    Equal,
    Plus,
    Minus,
    Star,
    Slash,
    Open,
    Close,
    BraceOpen,
    BraceClose,
    BracketOpen,
    BracketClose,
    Colon,
    Comma,
    Dot,
    /// Begins with an upper-case letter and has only such, digits and `_`.
    Upper,
    /// Begins with a lower-case letter and has only such, digits and `_`.
    Lower,
    End,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Cuts the text up; the last token is [`TokenKind::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, SyntaxError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        at += text[at..].len() - text[at..].trim_start_matches(['\t', '\n', '\x0c', '\r', ' ']).len();
        let rest = &text[at..];
        if rest.is_empty() {
            tokens.push(Token { kind: TokenKind::End, at: at..at });
            return Ok(tokens);
        }
        let (kind, len) = token(rest, at)?;
        tokens.push(Token { kind, at: at..at + len });
        at += len;
    }
}

/// The token at the front of `rest`, and its length.
fn token(rest: &str, at: usize) -> Result<(TokenKind, usize), SyntaxError> {
    let first = rest.as_bytes()[0];
    match first {
        b'0'..=b'9' | b'.' => {
            if let Some(found) = number(rest) {
                return Ok(found);
            }
        }
        b'"' => return string(rest, at),
        b'a'..=b'z' | b'A'..=b'Z' => return Ok(word(rest)),
        _ => (),
    }
    if let Some((text, kind)) = SYMBOLS.iter().find(|(text, _)| rest.starts_with(text)) {
        return Ok((kind.clone(), text.len()));
    }
    let found = rest.chars().next().unwrap_or_default();
    let hint = if found == '\'' { ", strings take double quotes" } else { "" };
    Err(SyntaxError { at: at..at + found.len_utf8(), message: format!("unexpected `{found}`{hint}") })
}

/// Longer ones first.
const SYMBOLS: [(&str, TokenKind); 21] = [
    ("==", TokenKind::Compare(Operator::Equal)),
    ("!=", TokenKind::Compare(Operator::Unequal)),
    (">=", TokenKind::Compare(Operator::GreaterOrEqual)),
    ("<=", TokenKind::Compare(Operator::LessOrEqual)),
    (">", TokenKind::Compare(Operator::Greater)),
    ("<", TokenKind::Compare(Operator::Less)),
    ("=>", TokenKind::Arrow),
    ("=", TokenKind::Equal),
    ("+", TokenKind::Plus),
    ("-", TokenKind::Minus),
    ("*", TokenKind::Star),
    ("/", TokenKind::Slash),
    ("(", TokenKind::Open),
    (")", TokenKind::Close),
    ("{", TokenKind::BraceOpen),
    ("}", TokenKind::BraceClose),
    ("[", TokenKind::BracketOpen),
    ("]", TokenKind::BracketClose),
    (":", TokenKind::Colon),
    (",", TokenKind::Comma),
    (".", TokenKind::Dot),
];

/// Bytes, a float or an int.
fn number(rest: &str) -> Option<(TokenKind, usize)> {
    if let Some(digits) = rest.strip_prefix("0x") {
        let len = run(digits, |byte| byte.is_ascii_hexdigit());
        if len > 0 {
            return Some((TokenKind::Bytes, 2 + len));
        }
    }
    let whole = run(rest, |byte| byte.is_ascii_digit());
    let Some(fraction) = rest[whole..].strip_prefix('.') else {
        return Some((TokenKind::Int, whole));
    };
    let places = run(fraction, |byte| byte.is_ascii_digit());
    if whole + places == 0 {
        return None;
    }
    let mantissa = whole + 1 + places;
    Some((TokenKind::Float, mantissa + exponent(&rest[mantissa..])))
}

/// The length of an exponent, 0 if there is none.
fn exponent(rest: &str) -> usize {
    let Some(after) = rest.strip_prefix(['e', 'E']) else { return 0 };
    let digits = after.strip_prefix(['+', '-']).unwrap_or(after);
    let len = run(digits, |byte| byte.is_ascii_digit());
    if len == 0 { 0 } else { rest.len() - digits.len() + len }
}

fn word(rest: &str) -> (TokenKind, usize) {
    const KEYWORDS: [(&str, TokenKind); 6] = [
        ("nil", TokenKind::Nil),
        ("not", TokenKind::Not),
        ("or", TokenKind::Or),
        ("and", TokenKind::And),
        ("true", TokenKind::Bool(true)),
        ("false", TokenKind::Bool(false)),
    ];
    let whole = &rest[..run(rest, |byte| byte.is_ascii_alphanumeric() || byte == b'_')];
    if let Some((text, kind)) = KEYWORDS.iter().find(|(text, _)| *text == whole) {
        return (kind.clone(), text.len());
    }
    let is_upper = rest.as_bytes()[0].is_ascii_uppercase();
    let is_case = |byte: u8| if is_upper { byte.is_ascii_uppercase() } else { byte.is_ascii_lowercase() };
    let len = run(rest, |byte| is_case(byte) || byte.is_ascii_digit() || byte == b'_');
    (if is_upper { TokenKind::Upper } else { TokenKind::Lower }, len)
}

/// How many bytes at the front are of a kind.
fn run(text: &str, is_of_kind: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|byte| is_of_kind(*byte)).count()
}

/// A string with the escapes of Go; a raw line break may stand in it.
fn string(rest: &str, at: usize) -> Result<(TokenKind, usize), SyntaxError> {
    let mut text = String::new();
    let mut chars = rest.char_indices().peekable();
    chars.next();
    while let Some((index, char)) = chars.next() {
        match char {
            '"' => return Ok((TokenKind::Str(text), index + 1)),
            '\\' => match escape(&mut chars) {
                Some(char) => text.push(char),
                None => {
                    let end = rest[index + 1..].chars().next().map_or(rest.len(), |next| index + 1 + next.len_utf8());
                    let message = format!("unknown escape `{}`, a backslash is written `\\\\`", &rest[index..end]);
                    return Err(SyntaxError { at: at + index..at + end, message });
                }
            },
            _ => text.push(char),
        }
    }
    let message = "the string has no closing `\"`".to_string();
    Err(SyntaxError { at: at..at + rest.len(), message })
}

/// What an escape stands for, its backslash already read.
fn escape(chars: &mut Peekable<CharIndices<'_>>) -> Option<char> {
    let (_, kind) = chars.next()?;
    let digits = |chars: &mut Peekable<CharIndices<'_>>, count: u32, first: u32, radix: u32| {
        (0..count).try_fold(first, |value, _| {
            let (_, digit) = chars.next()?;
            value.checked_mul(radix)?.checked_add(digit.to_digit(radix)?)
        })
    };
    Some(match kind {
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        '\\' => '\\',
        '"' => '"',
        'x' => char::from_u32(digits(chars, 2, 0, 16)?)?,
        'u' => char::from_u32(digits(chars, 4, 0, 16)?)?,
        'U' => char::from_u32(digits(chars, 8, 0, 16)?)?,
        '0'..='7' => {
            let value = digits(chars, 2, kind.to_digit(8)?, 8)?;
            char::from_u32(value).filter(|_| value < 256)?
        }
        _ => return None,
    })
}

impl Operator {
    /// Whether it holds for operands in this order; `None` is for those that have none, such as NaN.
    pub(crate) fn holds(self, order: Option<std::cmp::Ordering>) -> bool {
        match self {
            Self::Equal => order.is_some_and(std::cmp::Ordering::is_eq),
            Self::Unequal => !order.is_some_and(std::cmp::Ordering::is_eq),
            Self::Less => order.is_some_and(std::cmp::Ordering::is_lt),
            Self::LessOrEqual => order.is_some_and(std::cmp::Ordering::is_le),
            Self::Greater => order.is_some_and(std::cmp::Ordering::is_gt),
            Self::GreaterOrEqual => order.is_some_and(std::cmp::Ordering::is_ge),
        }
    }

    /// Whether it holds for operands of which is only known whether they are equal.
    pub(crate) fn holds_if_equal(self, is_equal: bool) -> bool {
        match self {
            Self::Equal => is_equal,
            Self::Unequal => !is_equal,
            _ => false,
        }
    }
}
