//! What converters make of their arguments: strict getters take one kind of value, the "like" getters convert.
//!
//! A "like" getter answers `None` for nil.

use super::{List, ListForm, Map, Opaque, Time, Value, text};
use crate::error::Error;
use std::borrow::Cow;

impl<'a> Value<'a> {
    /// Text and nothing else.
    ///
    /// # Errors
    /// A type error for any other kind, nil included; so for all strict getters.
    pub fn into_str(self) -> Result<Cow<'a, [u8]>, Error> {
        if let Value::Str(text) = self { Ok(text) } else { Err(self.unexpected("a string")) }
    }

    /// An int.
    ///
    /// # Errors
    /// See [`Value::into_str`].
    pub fn into_int(self) -> Result<i64, Error> {
        if let Value::Int(int) = self { Ok(int) } else { Err(self.unexpected("an int")) }
    }

    /// A float.
    ///
    /// # Errors
    /// See [`Value::into_str`].
    pub fn into_float(self) -> Result<f64, Error> {
        if let Value::Float(float) = self { Ok(float) } else { Err(self.unexpected("a float")) }
    }

    /// A bool.
    ///
    /// # Errors
    /// See [`Value::into_str`].
    pub fn into_bool(self) -> Result<bool, Error> {
        if let Value::Bool(bool) = self { Ok(bool) } else { Err(self.unexpected("a bool")) }
    }

    /// An instant.
    ///
    /// # Errors
    /// See [`Value::into_str`].
    pub fn into_time(self) -> Result<Time, Error> {
        if let Value::Time(time) = self { Ok(time) } else { Err(self.unexpected("a time")) }
    }

    /// A length of time in nanoseconds.
    ///
    /// # Errors
    /// See [`Value::into_str`].
    pub fn into_duration(self) -> Result<i64, Error> {
        if let Value::Duration(ns) = self { Ok(ns) } else { Err(self.unexpected("a duration")) }
    }

    /// A map.
    ///
    /// # Errors
    /// See [`Value::into_str`].
    pub fn into_map(self) -> Result<Map<'a>, Error> {
        if let Value::Map(map) = self { Ok(map) } else { Err(self.unexpected("a map")) }
    }

    /// A list, as one of the data model; a native one that the data model cannot hold is none, one with a map literal in it
    /// for instance.
    ///
    /// # Errors
    /// See [`Value::into_str`].
    pub fn into_list(self) -> Result<List<'a>, Error> {
        match self {
            Value::List(list) => match list.form {
                ListForm::Data => Ok(list),
                ListForm::Strings | ListForm::Counts => Ok(List::data(list.into_items())),
                ListForm::Native => {
                    list.into_items().into_iter().map(Value::into_data).collect::<Result<_, _>>().map(List::data)
                }
            },
            other => Err(other.unexpected("a list")),
        }
    }

    /// The data model's form of a value that stands in a native container. What already is a container of the data model
    /// cannot be put there once more, nor can what it has no kind for.
    pub(crate) fn into_data(self) -> Result<Self, Error> {
        match self {
            Value::List(list) if list.form == ListForm::Native => {
                let items: Result<_, _> = list.into_items().into_iter().map(Value::into_data).collect();
                Ok(Value::List(List::data(items?)))
            }
            Value::Map(map) if map.is_native => {
                let entries = map.into_entries().into_iter().map(|(key, value)| Ok((key, value.into_data()?)));
                Ok(Value::Map(Map::data(entries.collect::<Result<_, _>>()?)))
            }
            Value::Opaque(Opaque::Foreign(int)) => Ok(Value::Int(int)),
            Value::List(_) | Value::Map(_) | Value::Time(_) | Value::Duration(_) | Value::Id(_) | Value::Opaque(_) => {
                Err(self.unexpected("a value that the data model can be given"))
            }
            plain => Ok(plain),
        }
    }

    /// The value as text: bytes in hexadecimal, what is no string as JSON.
    ///
    /// # Errors
    /// A float that JSON cannot say.
    pub fn into_str_like(self) -> Result<Option<Cow<'a, [u8]>>, Error> {
        Ok(Some(match self {
            Value::Nil => return Ok(None),
            Value::Str(text) => text,
            Value::Bytes(bytes) => Cow::Owned(text::hex(&bytes)),
            Value::Float(float) => Cow::Owned(text::scalar_float(float).ok_or_else(text::no_json)?.into_bytes()),
            other => Cow::Owned(text::json(&other)?),
        }))
    }

    /// The value as an int: floats are cut off, bools are 0 and 1, text is read in base 10.
    ///
    /// # Errors
    /// Text that is no int, and a type error for other kinds.
    pub fn into_int_like(self) -> Result<Option<i64>, Error> {
        Ok(Some(match self {
            Value::Nil => return Ok(None),
            Value::Int(int) => int,
            Value::Float(float) => int_of_float(float),
            Value::Bool(bool) => bool.into(),
            Value::Str(text) => parse_int(&text)?,
            other => return Err(other.unexpected("an int, a float, a bool or a string")),
        }))
    }

    /// The value as a float.
    ///
    /// # Errors
    /// Text that is no number, and a type error for other kinds.
    pub fn into_float_like(self) -> Result<Option<f64>, Error> {
        Ok(Some(match self {
            Value::Nil => return Ok(None),
            Value::Float(float) => float,
            Value::Int(int) => int as f64,
            Value::Bool(bool) => f64::from(u8::from(bool)),
            Value::Str(text) => parse_float(&text)?,
            other => return Err(other.unexpected("a float, an int, a bool or a string")),
        }))
    }

    /// The value as a bool: numbers other than 0 are true.
    ///
    /// # Errors
    /// Text that is no bool, and a type error for other kinds.
    pub fn into_bool_like(self) -> Result<Option<bool>, Error> {
        Ok(Some(match self {
            Value::Nil => return Ok(None),
            Value::Bool(bool) => bool,
            Value::Int(int) => int != 0,
            Value::Float(float) => float != 0.0,
            Value::Str(text) => parse_bool(&text)?,
            other => return Err(other.unexpected("a bool, an int, a float or a string")),
        }))
    }

    /// The value's bytes; numbers are eight, big endian.
    ///
    /// # Errors
    /// A type error for other kinds.
    pub fn into_bytes_like(self) -> Result<Option<Cow<'a, [u8]>>, Error> {
        Ok(Some(match self {
            Value::Nil => return Ok(None),
            Value::Bytes(bytes) => bytes,
            Value::Str(text) => text,
            Value::Int(int) => Cow::Owned(int.to_be_bytes().to_vec()),
            Value::Float(float) => Cow::Owned(float.to_be_bytes().to_vec()),
            Value::Bool(bool) => Cow::Owned(vec![bool.into()]),
            other => return Err(other.unexpected("bytes, a string, an int, a float or a bool")),
        }))
    }

    /// About how many bytes it takes to look at all of the value.
    #[must_use]
    pub fn weight(&self) -> usize {
        match self {
            Value::Str(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            Value::List(list) => list.weight(),
            Value::Map(map) => map.weight(),
            _ => 8,
        }
    }

    fn unexpected(&self, expected: &'static str) -> Error {
        Error::Type { expected, found: self.kind() }
    }
}

/// Go's `int64(float)` as amd64 does it: what does not fit becomes the smallest int.
pub(crate) fn int_of_float(float: f64) -> i64 {
    let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&float);
    if fits { float as i64 } else { i64::MIN }
}

fn parse_int(text: &[u8]) -> Result<i64, Error> {
    let parsed = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    parsed.ok_or_else(|| unreadable(text, "an int"))
}

/// Go's `ParseFloat`.
pub(crate) fn parse_float(text: &[u8]) -> Result<f64, Error> {
    let parsed = std::str::from_utf8(text).ok().and_then(read_float);
    parsed.ok_or_else(|| unreadable(text, "a number"))
}

fn read_float(text: &str) -> Option<f64> {
    let unsigned = text.trim_start_matches(['+', '-']);
    if unsigned.starts_with("0x") || unsigned.starts_with("0X") {
        return read_hex_float(text);
    }
    let plain = if text.contains('_') { without_underscores(text)? } else { text.into() };
    let float: f64 = plain.parse().ok()?;
    let is_word = unsigned.starts_with(|first: char| first.is_ascii_alphabetic());
    let is_refused = (float.is_nan() && unsigned.len() < text.len()) || (float.is_infinite() && !is_word);
    (!is_refused).then_some(float)
}

/// `1_000` as Go's literals have it: each underscore between two digits.
fn without_underscores(text: &str) -> Option<Cow<'_, str>> {
    let is_digit = |part: Option<char>| part.is_some_and(|char| char.is_ascii_digit());
    let mut parts = text.split('_');
    let mut before = parts.next()?;
    for part in parts {
        if !is_digit(before.chars().last()) || !is_digit(part.chars().next()) {
            return None;
        }
        before = part;
    }
    Some(text.replace('_', "").into())
}

/// `0x1.8p3`: a hexadecimal mantissa and a binary exponent, which must be there. Mantissas are exact up to 60 bits.
fn read_hex_float(text: &str) -> Option<f64> {
    let (sign, unsigned) = match text.as_bytes().first()? {
        b'-' => (-1.0, &text[1..]),
        b'+' => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    let (mantissa, exponent) = unsigned.get(2..)?.split_once(['p', 'P'])?;
    let mut exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    if digits.is_empty() || digits.len() > 15 {
        return None;
    }
    exponent = exponent.checked_sub(4 * i32::try_from(fraction.len()).ok()?)?;
    let float = sign * u64::from_str_radix(&digits, 16).ok()? as f64 * 2.0_f64.powi(exponent);
    float.is_finite().then_some(float)
}

fn parse_bool(text: &[u8]) -> Result<bool, Error> {
    match text {
        b"1" | b"t" | b"T" | b"true" | b"TRUE" | b"True" => Ok(true),
        b"0" | b"f" | b"F" | b"false" | b"FALSE" | b"False" => Ok(false),
        _ => Err(unreadable(text, "a bool")),
    }
}

fn unreadable(text: &[u8], expected: &str) -> Error {
    Error::failed(format!("`{}` is not {expected}", text::excerpt(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_go_reads_them() {
        for (text, expected) in [
            ("1.5", Some(1.5)),
            ("5.", Some(5.0)),
            (".5", Some(0.5)),
            ("1e3", Some(1000.0)),
            ("+Inf", Some(f64::INFINITY)),
            ("1e400", None),
            ("", None),
            (" 1", None),
            ("1_000", Some(1000.0)),
            ("1__0", None),
            ("_1", None),
            ("1_.5", None),
            ("-nan", None),
            ("0x1.8p3", Some(12.0)),
            ("0x10", None),
        ] {
            assert_eq!(parse_float(text.as_bytes()).ok(), expected, "{text}");
        }
        for (text, expected) in [("42", Some(42)), ("+5", Some(5)), ("-5", Some(-5)), ("0x10", None), ("4x", None)] {
            assert_eq!(Value::str(text).into_int_like().ok().flatten(), expected, "{text}");
        }
        assert_eq!(int_of_float(-1.9), -1);
        assert_eq!(int_of_float(1e300), i64::MIN);
    }

    #[test]
    fn strict_getters_take_their_own_kind() {
        let error = Value::Int(1).into_str().unwrap_err();
        assert_eq!(error, Error::Type { expected: "a string", found: "an int" });
        assert!(Value::Nil.into_map().is_err());
        assert_eq!(Value::Nil.into_bool_like(), Ok(None));
    }
}
