//! A value under a verb.
//!
//! Go prints by the type: what a verb cannot print is reported as `%!verb(type=value)`, containers print each element under
//! the verb, and times, durations and IDs have a text that the verbs of strings print.

use super::{
    float,
    page::{Int, Page},
};
use crate::value::{Id, List, ListForm, Map, Opaque, Time, Value, duration_text, hex};

/// Where a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Argument,
    Element,
    /// In a report of a wrong verb, where nothing shows as its text.
    Report,
}

impl Place {
    fn inside(self) -> Self {
        if self == Self::Report { self } else { Self::Element }
    }
}

/// Prints an argument.
pub(super) fn argument(page: &mut Page<'_>, value: &Value<'_>, verb: char) {
    match (value, verb) {
        (Value::Nil, 'T' | 'v') => page.pad(b"<nil>"),
        (Value::Nil, _) => {
            page.write(b"%!");
            page.write_char(verb);
            page.write(b"(<nil>)");
        }
        (_, 'T') => page.text(type_of(value).as_bytes()),
        (Value::Bytes(_), 'p')
        | (Value::List(List { form: ListForm::Native | ListForm::Strings | ListForm::Counts, .. }), 'p') => {
            page.write(ADDRESS);
        }
        (_, 'p') => report(page, value, verb),
        // This verb wraps errors; bytes do not know it either, byte by byte.
        (value, 'w') if !matches!(value, Value::Bytes(_)) => report(page, value, verb),
        _ => print(page, value, verb, Place::Argument, 0),
    }
}

/// What Go calls the value's type.
pub(super) fn type_of(value: &Value<'_>) -> &'static str {
    match value {
        Value::Nil => "<nil>",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int64",
        Value::Float(_) => "float64",
        Value::Str(_) => "string",
        Value::Bytes(_) => "[]uint8",
        Value::Time(_) => "time.Time",
        Value::Duration(_) => "time.Duration",
        Value::Id(Id::Trace(_)) => "pcommon.TraceID",
        Value::Id(Id::Span(_)) => "pcommon.SpanID",
        Value::Id(Id::Profile(_)) => "pprofile.ProfileID",
        Value::List(list) => match list.form {
            ListForm::Data => "pcommon.Slice",
            ListForm::Native => "[]interface {}",
            ListForm::Strings => "[]string",
            ListForm::Counts => "[]uint64",
        },
        Value::Map(map) if map.is_native => "map[string]interface {}",
        Value::Map(_) => "pcommon.Map",
        Value::Opaque(Opaque::Status) => "ptrace.Status",
        Value::Opaque(Opaque::Events(_)) => "ptrace.SpanEventSlice",
        Value::Opaque(Opaque::Links(_)) => "ptrace.SpanLinkSlice",
        Value::Opaque(Opaque::Points(_)) => "pmetric.NumberDataPointSlice",
        Value::Opaque(Opaque::Exemplars(_)) => "pmetric.ExemplarSlice",
        Value::Opaque(Opaque::Quantiles(_)) => "pmetric.SummaryDataPointValueAtQuantileSlice",
        Value::Opaque(Opaque::Buckets { .. }) => "pmetric.ExponentialHistogramDataPointBuckets",
        Value::Opaque(Opaque::Foreign(_)) => "int",
    }
}

/// The int of a value whose type is an integer's, for a width.
pub(super) fn int_of(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Int(int) | Value::Duration(int) | Value::Opaque(Opaque::Foreign(int)) => Some(*int),
        _ => None,
    }
}

/// Stands for an address in Go's memory.
const ADDRESS: &[u8] = b"0xc000000000";

/// Lists nest as deeply as conditions do, which is less.
const DEPTH_MAX: u32 = 200;

fn print(page: &mut Page<'_>, value: &Value<'_>, verb: char, place: Place, depth: u32) {
    if depth > DEPTH_MAX || !page.has_fuel() {
        return;
    }
    if place != Place::Report && shows_text(page, value, verb) {
        return;
    }
    match value {
        Value::Nil if page.flags.is_go_syntax => page.write(b"interface {}(nil)"),
        Value::Nil => page.write(b"<nil>"),
        Value::Bool(bool) if matches!(verb, 't' | 'v') => page.pad(if *bool { b"true" } else { b"false" }),
        Value::Bool(_) => report(page, value, verb),
        Value::Float(float) => {
            if !float::print(page, *float, verb) {
                report(page, value, verb);
            }
        }
        Value::Str(text) => {
            if !string(page, text, verb) {
                report(page, value, verb);
            }
        }
        Value::Int(int) | Value::Duration(int) | Value::Opaque(Opaque::Foreign(int)) => {
            integer(page, Int { bits: *int as u64, is_signed: true }, verb, type_of(value));
        }
        Value::Bytes(bytes) => {
            if matches!(verb, 's' | 'q' | 'x' | 'X') {
                string(page, bytes, verb);
            } else {
                // Only as an argument are they written as what everybody calls them.
                let is_argument = place == Place::Argument && verb == 'v';
                octets(page, bytes, verb, if is_argument { "[]byte" } else { "[]uint8" });
            }
        }
        Value::Id(id) => {
            if matches!(verb, 's' | 'q' | 'x' | 'X') {
                string(page, id.bytes(), verb);
            } else {
                octets(page, id.bytes(), verb, type_of(value));
            }
        }
        Value::Time(time) => fields(page, *time, verb),
        Value::List(list) if list.form != ListForm::Data => items(page, list, verb, place.inside(), depth),
        Value::Map(map) if map.is_native => entries(page, map, verb, place.inside(), depth),
        Value::List(_) | Value::Map(_) | Value::Opaque(_) => {
            page.write(b"{");
            page.write(ADDRESS);
            page.write(b" ");
            page.write(ADDRESS);
            page.write(b"}");
        }
    }
}

/// Prints what has a text as its text, where the verb wants one.
fn shows_text(page: &mut Page<'_>, value: &Value<'_>, verb: char) -> bool {
    if page.flags.is_go_syntax {
        let Value::Time(time) = value else { return false };
        page.text(go_syntax(*time).as_bytes());
        return true;
    }
    if !matches!(verb, 'v' | 's' | 'x' | 'X' | 'q') {
        return false;
    }
    let text = match value {
        Value::Time(time) => written(*time).into_bytes(),
        Value::Duration(ns) => duration_text(*ns).into_bytes(),
        Value::Id(id) if id.bytes().iter().all(|byte| *byte == 0) => Vec::new(),
        Value::Id(id) => hex(id.bytes()),
        _ => return false,
    };
    string(page, &text, verb)
}

/// `%!verb(type=value)`.
fn report(page: &mut Page<'_>, value: &Value<'_>, verb: char) {
    begin_report(page, verb, type_of(value));
    print(page, value, 'v', Place::Report, 0);
    page.write(b")");
}

fn begin_report(page: &mut Page<'_>, verb: char, type_name: &str) {
    page.write(b"%!");
    page.write_char(verb);
    page.write(b"(");
    page.write(type_name.as_bytes());
    page.write(b"=");
}

/// Whether the verb is one of strings.
fn string(page: &mut Page<'_>, text: &[u8], verb: char) -> bool {
    match verb {
        'v' if page.flags.is_go_syntax => page.quote(text),
        'v' | 's' => page.text(text),
        'x' | 'X' => page.hex(text, verb == 'X'),
        'q' => page.quote(text),
        _ => return false,
    }
    true
}

fn integer(page: &mut Page<'_>, int: Int, verb: char, type_name: &str) {
    match verb {
        'v' if page.flags.is_go_syntax && !int.is_signed => {
            let is_sharp = std::mem::replace(&mut page.flags.is_sharp, true);
            page.integer(int, 'x');
            page.flags.is_sharp = is_sharp;
        }
        'v' | 'd' | 'b' | 'o' | 'O' | 'x' | 'X' => page.integer(int, verb),
        'c' => page.char(int.bits),
        'q' => page.quote_char(int.bits),
        'U' => page.unicode(int.bits),
        _ => {
            begin_report(page, verb, type_name);
            page.integer(int, 'v');
            page.write(b")");
        }
    }
}

/// What stands around the elements of a container, and between them.
fn bracketed<T>(
    page: &mut Page<'_>,
    type_name: &str,
    items: impl Iterator<Item = T>,
    mut print_item: impl FnMut(&mut Page<'_>, T),
) {
    let is_go_syntax = page.flags.is_go_syntax;
    if is_go_syntax {
        page.write(type_name.as_bytes());
    }
    page.write(if is_go_syntax { b"{" } else { b"[" });
    for (index, item) in items.enumerate() {
        if index > 0 {
            page.write(if is_go_syntax { b", " } else { b" " });
        }
        print_item(page, item);
    }
    page.write(if is_go_syntax { b"}" } else { b"]" });
}

fn octets(page: &mut Page<'_>, bytes: &[u8], verb: char, type_name: &str) {
    bracketed(page, type_name, bytes.iter(), |page, byte| {
        integer(page, Int { bits: (*byte).into(), is_signed: false }, verb, "uint8");
    });
}

fn items(page: &mut Page<'_>, list: &List<'_>, verb: char, place: Place, depth: u32) {
    let type_name = if list.form == ListForm::Strings { "[]string" } else { "[]interface {}" };
    bracketed(page, type_name, list.iter(), |page, item| print(page, &item, verb, place, depth + 1));
}

fn entries(page: &mut Page<'_>, map: &Map<'_>, verb: char, place: Place, depth: u32) {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    if !page.flags.is_go_syntax {
        page.write(b"map");
    }
    bracketed(page, "map[string]interface {}", entries.into_iter(), |page, (key, value)| {
        print(page, &Value::Str(key), verb, place, depth + 1);
        page.write(b":");
        print(page, &value, verb, place, depth + 1);
    });
}

/// Go's `Time.String()`. The zones' names are not known here; their offsets stand for them.
fn written(time: Time) -> String {
    let parts = time.parts();
    let mut text = format!("{:04}-{:02}-{:02} ", parts.year, parts.month, parts.day);
    text += &format!("{:02}:{:02}:{:02}", parts.hour, parts.minute, parts.second);
    if time.nanos > 0 {
        text += format!(".{:09}", time.nanos).trim_end_matches('0');
    }
    if time.offset_s == 0 {
        return text + " +0000 UTC";
    }
    let minutes = time.offset_s.unsigned_abs() / 60;
    let sign = if time.offset_s < 0 { '-' } else { '+' };
    let offset = format!("{sign}{:02}{:02}", minutes / 60, minutes % 60);
    text + " " + &offset + " " + &offset
}

/// Go's `Time.GoString()`.
fn go_syntax(time: Time) -> String {
    const MONTHS: [&str; 12] = [
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
    let parts = time.parts();
    let month = MONTHS.get((parts.month as usize).wrapping_sub(1)).unwrap_or(&"");
    let zone = if time.offset_s == 0 { "time.UTC" } else { "time.Local" };
    format!(
        "time.Date({}, time.{month}, {}, {}, {}, {}, {}, {zone})",
        parts.year, parts.day, parts.hour, parts.minute, parts.second, time.nanos
    )
}

/// A time under a verb of other kinds: the fields of Go's structure, the second of which counts from the year 1.
fn fields(page: &mut Page<'_>, time: Time, verb: char) {
    page.write(b"{");
    integer(page, Int { bits: time.nanos.into(), is_signed: false }, verb, "uint64");
    page.write(b" ");
    let seconds = time.seconds.wrapping_add(62_135_596_800);
    integer(page, Int { bits: seconds as u64, is_signed: true }, verb, "int64");
    page.write(b" ");
    match verb {
        'b' | 'o' | 'd' | 'x' | 'X' => integer(page, Int { bits: 0, is_signed: false }, verb, ""),
        'v' => page.pad(b"<nil>"),
        _ => {
            begin_report(page, verb, "*time.Location");
            page.pad(b"<nil>");
            page.write(b")");
        }
    }
    page.write(b"}");
}
