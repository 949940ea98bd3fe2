//! Reading a text that a layout describes, as Go's `time.ParseInLocation` does.

use super::{
    layout::{self, Element, MONTHS, Offset, Pad, WEEKDAYS, days_of_month, is_leap},
    zone::{Civil, Place},
};
use crate::value::Time;

/// Where a text does not fit its layout.
#[derive(Clone, Debug)]
pub(super) struct Mismatch {
    /// The piece of the layout; empty if all of it fits and the whole makes no time.
    pub(super) element: Vec<u8>,
    /// The text from there on, or what follows a number that is out of range.
    pub(super) rest: Vec<u8>,
}

/// Why a single element does not fit.
enum Fault {
    Unlike,
    /// It is a number, and no such one; how many bytes follow it.
    Range(usize),
}

/// What has been read.
#[derive(Default)]
struct Fields {
    year: i64,
    month: Option<u32>,
    day: Option<u32>,
    day_of_year: Option<u32>,
    hour: u32,
    minute: u32,
    second: u32,
    nanos: u32,
    is_afternoon: Option<bool>,
    is_utc: bool,
    offset_s: Option<i32>,
    zone_name: Vec<u8>,
}

/// The time that `value` says, and where its clock hangs: at `place`, unless it says otherwise.
pub(super) fn parse(layout: &[u8], value: &[u8], place: &Place) -> Result<(Time, Place), Mismatch> {
    let mut fields = Fields::default();
    let (mut layout, mut value) = (layout, value);
    loop {
        let chunk = layout::next(layout);
        let literal = chunk.as_ref().map_or(layout, |chunk| chunk.literal);
        value = skip(value, literal).map_err(|rest| mismatch(literal, rest))?;
        let Some(chunk) = chunk else { break };
        let following = layout::next(chunk.rest).map(|chunk| chunk.element);
        value = fields.read(chunk.element, following, value).map_err(|fault| match fault {
            Fault::Unlike => mismatch(chunk.text, value),
            Fault::Range(length) => mismatch(chunk.text, &value[value.len() - length..]),
        })?;
        layout = chunk.rest;
    }
    if !value.is_empty() {
        return Err(mismatch(b"", value));
    }
    let civil = fields.civil().ok_or_else(|| mismatch(b"", value))?;
    Ok(fields.place(civil, place))
}

fn mismatch(element: &[u8], rest: &[u8]) -> Mismatch {
    Mismatch { element: element.to_vec(), rest: rest.to_vec() }
}

/// What follows a layout's literal text: any spaces stand for any others.
fn skip<'v>(value: &'v [u8], literal: &[u8]) -> Result<&'v [u8], &'v [u8]> {
    let (mut value, mut literal) = (value, literal);
    while let Some((first, rest)) = literal.split_first() {
        if *first == b' ' {
            if value.first().is_some_and(|byte| *byte != b' ') {
                return Err(value);
            }
            (value, literal) = (without_spaces(value), without_spaces(literal));
        } else {
            value = value.strip_prefix(&[*first]).ok_or(value)?;
            literal = rest;
        }
    }
    Ok(value)
}

fn without_spaces(text: &[u8]) -> &[u8] {
    let spaces = text.iter().take_while(|byte| **byte == b' ').count();
    &text[spaces..]
}

impl Fields {
    /// Reads an element; what follows it.
    fn read<'v>(&mut self, element: Element, following: Option<Element>, value: &'v [u8]) -> Result<&'v [u8], Fault> {
        let rest;
        match element {
            Element::Year => (self.year, rest) = year(value)?,
            Element::ShortYear => (self.year, rest) = short_year(value)?,
            Element::MonthName | Element::ShortMonthName => {
                let (index, after) = name(&MONTHS, element == Element::ShortMonthName, value)?;
                (self.month, rest) = (Some(index + 1), after);
            }
            Element::WeekdayName | Element::ShortWeekdayName => {
                (_, rest) = name(&WEEKDAYS, element == Element::ShortWeekdayName, value)?;
            }
            Element::Month(pad) => (self.month, rest) = some(in_range(number(value, pad)?, 1..13)?),
            Element::Day(pad) => {
                let value = if pad == Pad::Space { value.strip_prefix(b" ").unwrap_or(value) } else { value };
                (self.day, rest) = some(number(value, pad)?);
            }
            Element::DayOfYear(pad) => (self.day_of_year, rest) = some(day_of_year(value, pad)?),
            Element::Hour => (self.hour, rest) = in_range(number(value, Pad::Nothing)?, 0..24)?,
            Element::Hour12(pad) => (self.hour, rest) = in_range(number(value, pad)?, 0..13)?,
            Element::Minute(pad) => (self.minute, rest) = in_range(number(value, pad)?, 0..60)?,
            Element::Second(pad) => {
                let after;
                (self.second, after) = in_range(number(value, pad)?, 0..60)?;
                // Fractions are read even where the layout has none.
                let is_ahead = matches!(following, Some(Element::Fraction(..)));
                rest = if is_ahead { after } else { self.fraction(after) };
            }
            Element::Fraction(..) => rest = self.fraction(value),
            Element::UpperPeriod => rest = self.period(value, b"AM", b"PM")?,
            Element::LowerPeriod => rest = self.period(value, b"am", b"pm")?,
            Element::ZoneName => rest = self.zone_name(value)?,
            Element::Offset(form) => rest = self.offset(form, value)?,
        }
        Ok(rest)
    }

    /// A fraction, if there is one. Digits beyond nanoseconds are read and forgotten.
    fn fraction<'v>(&mut self, value: &'v [u8]) -> &'v [u8] {
        let [b'.' | b',', tail @ ..] = value else { return value };
        let digits = tail.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return value;
        }
        let nine = tail[..digits].iter().chain([b'0'; 9].iter()).take(9);
        self.nanos = nine.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
        &tail[digits..]
    }

    fn period<'v>(&mut self, value: &'v [u8], morning: &[u8], afternoon: &[u8]) -> Result<&'v [u8], Fault> {
        if let Some(rest) = value.strip_prefix(afternoon) {
            self.is_afternoon = Some(true);
            return Ok(rest);
        }
        let rest = value.strip_prefix(morning).ok_or(Fault::Unlike)?;
        // Of both, the afternoon counts.
        self.is_afternoon = Some(self.is_afternoon.unwrap_or(false));
        Ok(rest)
    }

    fn zone_name<'v>(&mut self, value: &'v [u8]) -> Result<&'v [u8], Fault> {
        if let Some(rest) = value.strip_prefix(b"UTC") {
            self.is_utc = true;
            return Ok(rest);
        }
        let length = zone_name_length(value).ok_or(Fault::Unlike)?;
        let (name, rest) = value.split_at(length);
        self.zone_name = name.to_vec();
        Ok(rest)
    }

    fn offset<'v>(&mut self, form: Offset, value: &'v [u8]) -> Result<&'v [u8], Fault> {
        if let Some(rest) = value.strip_prefix(b"Z").filter(|_| form.has_z) {
            self.is_utc = true;
            return Ok(rest);
        }
        let (sign, mut rest) = value.split_first().ok_or(Fault::Unlike)?;
        let mut fields = [0; 3];
        for (index, field) in fields.iter_mut().take(form.fields).enumerate() {
            if index > 0 && form.has_colon {
                rest = rest.strip_prefix(b":").ok_or(Fault::Unlike)?;
            }
            (*field, rest) = number(rest, Pad::Zero)?;
        }
        let [hours, minutes, seconds] = fields;
        if hours > 24 || minutes > 60 || seconds > 60 {
            return Err(Fault::Range(rest.len()));
        }
        let offset_s = ((hours * 60 + minutes) * 60 + seconds).cast_signed();
        let offset_s = match sign {
            b'+' => offset_s,
            b'-' => -offset_s,
            _ => return Err(Fault::Unlike),
        };
        // Go takes one second west of UTC for no offset at all.
        self.offset_s = Some(offset_s).filter(|offset_s| *offset_s != -1);
        Ok(rest)
    }

    /// Date and clock; `None` if there is no such day.
    fn civil(&self) -> Option<Civil> {
        let hour = match self.is_afternoon {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let (month, day) = match self.day_of_year {
            Some(day) => self.month_and_day(day)?,
            None => (self.month.unwrap_or(1), self.day.unwrap_or(1)),
        };
        if day < 1 || day > days_of_month(self.year, month) {
            return None;
        }
        let second = (hour * 60 + self.minute) * 60 + self.second;
        Some(Civil { year: self.year, month: month.into(), day: day.into(), second: second.into(), nanos: self.nanos })
    }

    /// Month and day of a day of the year, which must be those that were read.
    fn month_and_day(&self, day_of_year: u32) -> Option<(u32, u32)> {
        let days = if is_leap(self.year) { 366 } else { 365 };
        let mut day = Some(day_of_year).filter(|day| (1..=days).contains(day))?;
        let mut month = 1;
        while day > days_of_month(self.year, month) {
            day -= days_of_month(self.year, month);
            month += 1;
        }
        let is_same = self.month.is_none_or(|read| read == month) && self.day.is_none_or(|read| read == day);
        is_same.then_some((month, day))
    }

    fn place(self, civil: Civil, local: &Place) -> (Time, Place) {
        if self.is_utc {
            return (Place::Utc.time(civil), Place::Utc);
        }
        if let Some(offset_s) = self.offset_s {
            let seconds = civil.clock_s() - i64::from(offset_s);
            let is_local = local.offset_s(seconds) == offset_s
                && (self.zone_name.is_empty() || local.name(seconds) == self.zone_name);
            let place = if is_local { local.clone() } else { Place::Fixed { name: self.zone_name, offset_s } };
            return (place.show(seconds, civil.nanos), place);
        }
        if self.zone_name.is_empty() {
            return (local.time(civil), local.clone());
        }
        if let Some(offset_s) = local.offset_named(&self.zone_name, civil.clock_s()) {
            return (local.show(civil.clock_s() - i64::from(offset_s), civil.nanos), local.clone());
        }
        // Unknown names are UTC for now, except `GMT+3`. The clock shows what was read.
        let offset_s = 3600 * self.zone_name.strip_prefix(b"GMT").map_or(0, signed);
        let place = Place::Fixed { name: self.zone_name, offset_s };
        (place.show(civil.clock_s(), civil.nanos), place)
    }
}

fn some((number, rest): (u32, &[u8])) -> (Option<u32>, &[u8]) {
    (Some(number), rest)
}

fn in_range((number, rest): (u32, &[u8]), range: std::ops::Range<u32>) -> Result<(u32, &[u8]), Fault> {
    if range.contains(&number) { Ok((number, rest)) } else { Err(Fault::Range(rest.len())) }
}

/// One or two digits, two if padded with zeros.
fn number(value: &[u8], pad: Pad) -> Result<(u32, &[u8]), Fault> {
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
    match (value.first().and_then(digit), value.get(1).and_then(digit)) {
        (Some(tens), Some(ones)) => Ok((tens * 10 + ones, &value[2..])),
        (Some(ones), None) if pad != Pad::Zero => Ok((ones, &value[1..])),
        _ => Err(Fault::Unlike),
    }
}

/// Up to three digits, three if padded with zeros.
fn day_of_year(value: &[u8], pad: Pad) -> Result<(u32, &[u8]), Fault> {
    let spaces = if pad == Pad::Space { value.iter().take(2).take_while(|byte| **byte == b' ').count() } else { 0 };
    let value = &value[spaces..];
    let length = value.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
    if length == 0 || (pad == Pad::Zero && length < 3) {
        return Err(Fault::Unlike);
    }
    let (digits, rest) = value.split_at(length);
    Ok((digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')), rest))
}

fn year(value: &[u8]) -> Result<(i64, &[u8]), Fault> {
    let (digits, rest) = value.split_at_checked(4).ok_or(Fault::Unlike)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(Fault::Unlike);
    }
    Ok((signed(digits).into(), rest))
}

/// Two digits, from 1969 on. Go takes a sign for the first of them.
fn short_year(value: &[u8]) -> Result<(i64, &[u8]), Fault> {
    let (digits, rest) = value.split_at_checked(2).ok_or(Fault::Unlike)?;
    let unsigned = digits.strip_prefix(b"-").or_else(|| digits.strip_prefix(b"+")).unwrap_or(digits);
    if !unsigned.iter().all(u8::is_ascii_digit) {
        return Err(Fault::Unlike);
    }
    let year = i64::from(signed(digits));
    Ok((if year >= 69 { year + 1900 } else { year + 2000 }, rest))
}

/// Digits with or without a sign as a number; few enough of them.
fn signed(text: &[u8]) -> i32 {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn name<'v>(names: &[&str], is_short: bool, value: &'v [u8]) -> Result<(u32, &'v [u8]), Fault> {
    for (name, index) in names.iter().zip(0..) {
        let name = if is_short { &name.as_bytes()[..3] } else { name.as_bytes() };
        if let Some((start, rest)) = value.split_at_checked(name.len())
            && start.eq_ignore_ascii_case(name)
        {
            return Ok((index, rest));
        }
    }
    Err(Fault::Unlike)
}

/// How long a zone's abbreviation is, by its look.
fn zone_name_length(value: &[u8]) -> Option<usize> {
    if value.starts_with(b"ChST") || value.starts_with(b"MeST") {
        return Some(4);
    }
    if let Some(rest) = value.strip_prefix(b"GMT") {
        return Some(3 + hours_length(rest));
    }
    if value.len() >= 3 && matches!(value[0], b'+' | b'-') {
        return Some(hours_length(value)).filter(|length| *length > 0);
    }
    match value.iter().take(6).take_while(|byte| byte.is_ascii_uppercase()).count() {
        5 if value[4] == b'T' => Some(5),
        4 if value[3] == b'T' || value.starts_with(b"WITA") => Some(4),
        3 => Some(3),
        _ => None,
    }
}

/// How long `+3` and the like is; 0 if it is none.
fn hours_length(value: &[u8]) -> usize {
    let [b'+' | b'-', tail @ ..] = value else { return 0 };
    let digits = tail.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let hours = tail[..digits].iter().fold(0_u32, |sum, digit| (sum * 10 + u32::from(digit - b'0')).min(1000));
    if digits == 0 || hours > 23 { 0 } else { 1 + digits }
}
