//! Go's time layouts: an example time, `2006-01-02 15:04:05`, whose parts stand for the parts of others.
//!
//! Formats reach otelcol's parser as layouts, so text of a format that happens to look like a part of the example is one
//! there, too: `Jan` in `Jan %d` is any month. Hence layouts are kept here as they are there.

use crate::value::{Parts, Time};
use std::io::Write;

/// A part of the example time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    Year,
    ShortYear,
    Month(Pad),
    MonthName,
    ShortMonthName,
    Day(Pad),
    DayOfYear(Pad),
    WeekdayName,
    ShortWeekdayName,
    Hour,
    Hour12(Pad),
    Minute(Pad),
    Second(Pad),
    /// Up to so many digits, after this separator, without zeros at the end.
    Fraction(usize, u8),
    UpperPeriod,
    LowerPeriod,
    ZoneName,
    Offset(Offset),
}

/// What stands before a number of one digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pad {
    Nothing,
    Space,
    Zero,
}

/// How an offset from UTC is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offset {
    /// Whether UTC is `Z`.
    pub(super) has_z: bool,
    pub(super) has_colon: bool,
    /// 1 is hours, 2 minutes too, 3 seconds too.
    pub(super) fields: usize,
}

const fn offset(has_z: bool, has_colon: bool, fields: usize) -> Element {
    Element::Offset(Offset { has_z, has_colon, fields })
}

/// The longer ones first where one begins with another.
const ELEMENTS: &[(&[u8], Element)] = &[
    (b"January", Element::MonthName),
    (b"Jan", Element::ShortMonthName),
    (b"Monday", Element::WeekdayName),
    (b"Mon", Element::ShortWeekdayName),
    (b"MST", Element::ZoneName),
    (b"01", Element::Month(Pad::Zero)),
    (b"02", Element::Day(Pad::Zero)),
    (b"03", Element::Hour12(Pad::Zero)),
    (b"04", Element::Minute(Pad::Zero)),
    (b"05", Element::Second(Pad::Zero)),
    (b"06", Element::ShortYear),
    (b"002", Element::DayOfYear(Pad::Zero)),
    (b"15", Element::Hour),
    (b"1", Element::Month(Pad::Nothing)),
    (b"2006", Element::Year),
    (b"2", Element::Day(Pad::Nothing)),
    (b"_2", Element::Day(Pad::Space)),
    (b"__2", Element::DayOfYear(Pad::Space)),
    (b"3", Element::Hour12(Pad::Nothing)),
    (b"4", Element::Minute(Pad::Nothing)),
    (b"5", Element::Second(Pad::Nothing)),
    (b"PM", Element::UpperPeriod),
    (b"pm", Element::LowerPeriod),
    (b"-070000", offset(false, false, 3)),
    (b"-07:00:00", offset(false, true, 3)),
    (b"-0700", offset(false, false, 2)),
    (b"-07:00", offset(false, true, 2)),
    (b"-07", offset(false, false, 1)),
    (b"Z070000", offset(true, false, 3)),
    (b"Z07:00:00", offset(true, true, 3)),
    (b"Z0700", offset(true, false, 2)),
    (b"Z07:00", offset(true, true, 2)),
    (b"Z07", offset(true, false, 1)),
];

/// The next element of a layout.
pub(super) struct Chunk<'l> {
    /// The text before it.
    pub(super) literal: &'l [u8],
    /// As it is written.
    pub(super) text: &'l [u8],
    pub(super) element: Element,
    pub(super) rest: &'l [u8],
}

/// The first element, if there is one.
pub(super) fn next(layout: &[u8]) -> Option<Chunk<'_>> {
    (0..layout.len()).find_map(|at| {
        let (literal, tail) = layout.split_at(at);
        let (length, element) = element_at(tail)?;
        let (text, rest) = tail.split_at(length);
        Some(Chunk { literal, text, element, rest })
    })
}

fn element_at(tail: &[u8]) -> Option<(usize, Element)> {
    if matches!(tail[0], b'.' | b',') {
        return fraction(tail);
    }
    let (text, element) = ELEMENTS.iter().find(|(text, element)| {
        tail.strip_prefix(*text).is_some_and(|rest| match element {
            // `Janet` and `Month` are words.
            Element::ShortMonthName | Element::ShortWeekdayName => !rest.first().is_some_and(u8::is_ascii_lowercase),
            // An underscore before a year.
            Element::Day(Pad::Space) => !rest.starts_with(b"006"),
            _ => true,
        })
    })?;
    Some((text.len(), *element))
}

/// `.999`: a run of nines that no other digit follows. Formats cannot say `.000`, its other form.
fn fraction(tail: &[u8]) -> Option<(usize, Element)> {
    let digits = tail[1..].iter().take_while(|byte| **byte == b'9').count();
    let is_ended = !tail.get(1 + digits).is_some_and(u8::is_ascii_digit);
    (digits > 0 && is_ended).then_some((1 + digits, Element::Fraction(digits, tail[0])))
}

/// Names in English. Monday's week begins with Sunday.
pub(super) const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A time as a layout shows it. A [`Time`] has no zone's name: UTC has one, for others the offset stands.
pub(super) fn format(layout: &[u8], time: Time) -> Vec<u8> {
    let parts = time.parts();
    let mut out = Vec::with_capacity(layout.len() + 16);
    let mut layout = layout;
    while let Some(chunk) = next(layout) {
        out.extend_from_slice(chunk.literal);
        write_element(chunk.element, time, &parts, &mut out);
        layout = chunk.rest;
    }
    out.extend_from_slice(layout);
    out
}

fn write_element(element: Element, time: Time, parts: &Parts, out: &mut Vec<u8>) {
    let month = MONTHS[parts.month as usize - 1];
    let weekday = WEEKDAYS[parts.weekday as usize];
    let hour12 = if parts.hour.is_multiple_of(12) { 12 } else { parts.hour % 12 };
    let is_morning = parts.hour < 12;
    match element {
        Element::Year => write_year(parts.year, out),
        Element::ShortYear => write(out, format_args!("{:02}", parts.year.max(0) % 100)),
        Element::Month(pad) => pad.write(parts.month, 2, out),
        Element::MonthName => out.extend_from_slice(month.as_bytes()),
        Element::ShortMonthName => out.extend_from_slice(&month.as_bytes()[..3]),
        Element::Day(pad) => pad.write(parts.day, 2, out),
        Element::DayOfYear(pad) => pad.write(day_of_year(parts), 3, out),
        Element::WeekdayName => out.extend_from_slice(weekday.as_bytes()),
        Element::ShortWeekdayName => out.extend_from_slice(&weekday.as_bytes()[..3]),
        Element::Hour => Pad::Zero.write(parts.hour, 2, out),
        Element::Hour12(pad) => pad.write(hour12, 2, out),
        Element::Minute(pad) => pad.write(parts.minute, 2, out),
        Element::Second(pad) => pad.write(parts.second, 2, out),
        Element::Fraction(digits, separator) => write_fraction(time.nanos, digits, separator, out),
        Element::UpperPeriod => out.extend_from_slice(if is_morning { b"AM" } else { b"PM" }),
        Element::LowerPeriod => out.extend_from_slice(if is_morning { b"am" } else { b"pm" }),
        Element::ZoneName if time.zone[0] != 0 => {
            out.extend(time.zone.iter().take_while(|byte| **byte != 0));
        }
        Element::ZoneName if time.offset_s == 0 => out.extend_from_slice(b"UTC"),
        Element::ZoneName => write_offset(Offset { has_z: false, has_colon: false, fields: 2 }, time.offset_s, out),
        Element::Offset(form) if form.has_z && time.offset_s == 0 => out.push(b'Z'),
        Element::Offset(form) => write_offset(form, time.offset_s, out),
    }
}

fn write(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to memory does not fail");
}

fn write_year(year: i64, out: &mut Vec<u8>) {
    out.extend((year < 0).then_some(b'-'));
    write(out, format_args!("{:04}", year.unsigned_abs()));
}

fn day_of_year(parts: &Parts) -> u32 {
    let days = |month: u32| (0..month).map(|month| days_of_month(parts.year, month + 1)).sum::<u32>();
    days(parts.month - 1) + parts.day
}

/// How many days a month, from 1, has.
pub(super) fn days_of_month(year: i64, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

pub(super) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn write_fraction(nanos: u32, digits: usize, separator: u8, out: &mut Vec<u8>) {
    let text = format!("{nanos:09}");
    let text = text[..digits.min(9)].trim_end_matches('0');
    if !text.is_empty() {
        out.push(separator);
        out.extend_from_slice(text.as_bytes());
    }
}

fn write_offset(form: Offset, offset_s: i32, out: &mut Vec<u8>) {
    let minutes = offset_s / 60;
    out.push(if minutes < 0 { b'-' } else { b'+' });
    let fields = [minutes.unsigned_abs() / 60, minutes.unsigned_abs() % 60, offset_s.unsigned_abs() % 60];
    for (index, field) in fields.into_iter().take(form.fields).enumerate() {
        out.extend((index > 0 && form.has_colon).then_some(b':'));
        Pad::Zero.write(field, 2, out);
    }
}

impl Pad {
    fn write(self, number: u32, width: usize, out: &mut Vec<u8>) {
        match self {
            Self::Nothing => write(out, format_args!("{number}")),
            Self::Space => write(out, format_args!("{number:width$}")),
            Self::Zero => write(out, format_args!("{number:0width$}")),
        }
    }
}
