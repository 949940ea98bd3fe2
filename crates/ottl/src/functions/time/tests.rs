//! What the real collector and Go answered.

use super::*;
use crate::{
    functions::testing::{Failure, MOMENT, ask, ask_dynamically, check},
    value::Id,
};

/// Half past three on a Monday in June, and some, two hours east of UTC.
const TIME: Time = Time { seconds: 1_750_080_605, nanos: 123_456_789, offset_s: 7200, zone: [0; 6] };
const DURATION: Value<'static> = Value::Duration(5_400_000_000_001);

#[test]
fn parts_of_times() {
    for (name, expected) in [
        ("Year", 2025),
        ("Month", 6),
        ("Day", 16),
        ("Hour", 15),
        ("Minute", 30),
        ("Second", 5),
        ("Nanosecond", 123_456_789),
        ("Weekday", 1),
        ("UnixSeconds", 1_750_080_605),
        ("UnixMilli", 1_750_080_605_123),
        ("UnixMicro", 1_750_080_605_123_456),
        ("UnixNano", 1_750_080_605_123_456_789),
    ] {
        check(name, &[(&[Value::Time(TIME)], Some(Value::Int(expected)))]);
        for wrong in [Value::str("x"), Value::Int(5), Value::Nil, DURATION, Value::Id(Id::Trace([0; 16]))] {
            assert!(matches!(ask_dynamically(name, &[wrong]), Err(Failure::Error(Error::Type { .. }))), "{name}");
        }
    }
}

#[test]
fn units_of_durations() {
    for (name, expected) in [
        ("Hours", Value::Float(1.500_000_000_000_277_8)),
        ("Minutes", Value::Float(90.000_000_000_016_67)),
        ("Seconds", Value::Float(5_400.000_000_001)),
        ("Milliseconds", Value::Int(5_400_000)),
        ("Microseconds", Value::Int(5_400_000_000)),
        ("Nanoseconds", Value::Int(5_400_000_000_001)),
    ] {
        check(name, &[(&[DURATION], Some(expected)), (&[Value::Time(TIME)], None), (&[Value::Nil], None)]);
    }
    let duration = |ns| Some(Value::Duration(ns));
    check("Duration", &[(&[Value::str("90s")], duration(90 * SECOND_NS)), (&[Value::Int(5)], None)]);
    assert!(matches!(ask("Duration", &[Value::str("xx")]), Err(Failure::Error(_))));
}

#[test]
fn times_are_made_and_cut() {
    let at = |seconds, nanos| Some(Value::Time(Time { seconds, nanos, offset_s: 0, zone: [0; 6] }));
    check(
        "Unix",
        &[
            (&[Value::Int(5)], at(5, 0)),
            (&[Value::Int(5), Value::Int(-1)], at(4, 999_999_999)),
            (&[Value::Int(500), Value::Int(5)], at(500, 5)),
            (&[Value::Float(1.0)], None),
            (&[Value::Int(5), Value::Nil], None),
        ],
    );
    let cut = |ns| [Value::Time(TIME), Value::Duration(ns)];
    check(
        "TruncateTime",
        &[
            (&cut(SECOND_NS), at(1_750_080_605, 0)),
            (&cut(3600 * SECOND_NS), at(1_750_078_800, 0)),
            (&cut(7 * 86_400 * SECOND_NS), at(1_750_032_000, 0)),
            (&cut(0), Some(Value::Time(TIME))),
            (&cut(-5), Some(Value::Time(TIME))),
            (&[Value::Time(TIME), Value::str("1s")], None),
        ],
    );
    assert_eq!(ask("Now", &[]), Ok(Value::Time(Time::from_wire(MOMENT.wall_ns))));
}

#[test]
fn formats_write() {
    for (format, expected) in [
        ("%Y/%m", "2025/06"),
        ("abc", "abc"),
        ("%Y-%m-%dT%H:%M:%S.%LZ", "2025-06-16T15:30:05.123Z"),
        ("%F %T,%f", "2025-06-16 15:30:05,123456"),
        ("%a %A %b %h %B", "Mon Monday Jun Jun June"),
        ("%o %q %e %g", "_6 6 16 16"),
        ("%l %I %p %P", "3 03 PM pm"),
        ("%D %x %R %r", "06/16/2025 06/16/2025 15:30 03:30:05 pm"),
        ("%c%n%t%%", "Mon Jun 16 15:30:05 2025\n\t%"),
        ("%z %w %i %j %k %Z", "+0200 +020000 +02 +02:00 +02:00:00 +0200"),
        (".%s", ".123456789"),
        ("Monday the %d", "Monday the 16"),
        ("%y%", "25%"),
    ] {
        check("FormatTime", &[(&[Value::Time(TIME), Value::str(format)], Some(Value::str(expected)))]);
    }
    let utc = Value::Time(Time { offset_s: 0, ..TIME });
    check("FormatTime", &[(&[utc, Value::str("%H %z %Z")], Some(Value::str("13 Z UTC")))]);
    for format in ["", "%Q", "2006", "%H%L", "x%f"] {
        let answer = ask_dynamically("FormatTime", &[Value::Time(TIME), Value::str(format)]);
        assert!(matches!(answer, Err(Failure::Refused(_))), "{format}");
    }
    check("FormatTime", &[(&[Value::str("abc"), Value::str("%Y")], None)]);
}

/// The text that a time has, or none.
fn read(arguments: &[&'static str]) -> Option<String> {
    let arguments: Vec<_> = arguments.iter().map(|text| Value::str(*text)).collect();
    let Ok(time @ Value::Time(_)) = ask("Time", &arguments) else { return None };
    let quoted = String::from_utf8(crate::value::json(&time).expect("a time has a text")).expect("UTF-8");
    Some(quoted.trim_matches('"').to_string())
}

#[test]
fn formats_read() {
    for (text, format, expected) in [
        ("2026-01-01T10:20:30Z", "%Y-%m-%dT%H:%M:%SZ", Some("2026-01-01T10:20:30Z")),
        ("2026-01-01T00:00:00.302333727Z", "%Y-%m-%dT%H:%M:%S.%LZ", Some("2026-01-01T00:00:00.302333727Z")),
        ("2026", "%Y", Some("2026-01-01T00:00:00Z")),
        ("2026", "abc", None),
        ("hello", "%Y", None),
        ("", "%Y", None),
        ("2026-1-2", "%F", Some("2026-01-02T00:00:00Z")),
        ("2026-  1- 2", "%F", Some("2026-01-02T00:00:00Z")),
        ("1/2/26", "%D", Some("2026-01-02T00:00:00Z")),
        ("1/2/2026", "%D", Some("2026-01-02T00:00:00Z")),
        ("2026-02-30", "%F", None),
        ("2024-02-29 12:30 am", "%F %I:%M %P", Some("2024-02-29T00:30:00Z")),
        ("2026-01-01 10:20:30 +0200", "%F %T %z", Some("2026-01-01T10:20:30+02:00")),
        ("2026-01-01 10:20:30 +02:00", "%F %T %z", Some("2026-01-01T10:20:30+02:00")),
        ("2026-01-01 10:20:30 +02", "%F %T %z", Some("2026-01-01T10:20:30+02:00")),
        ("2026-01-01 10:20:30 Z", "%F %T %z", Some("2026-01-01T10:20:30Z")),
        ("2026-01-01 10:20:30 EST", "%F %T %Z", Some("2026-01-01T10:20:30-05:00")),
        ("2026-01-01 10:20:30 XYZ", "%F %T %Z", None),
        ("Thu Jan  1 10:20:30 2026", "%c", Some("2026-01-01T10:20:30Z")),
        ("2026-01-01 25:00:00", "%F %T", None),
        // otelcol never ends here.
        (" 13 x", "%m", None),
        // The space makes a fraction of what was none.
        (".9990 4/26/1988", ".%L%x", Some("1988-04-26T00:00:00.999Z")),
    ] {
        assert_eq!(read(&[text, format]).as_deref(), expected, "{text}");
    }
}

#[test]
fn what_has_no_year_is_near() {
    // Now is the beginning of 2026.
    assert_eq!(read(&["Jan 5 10:00:00", "%b %d %T"]).as_deref(), Some("2026-01-05T10:00:00Z"));
    assert_eq!(read(&["Dec 31 10:00:00", "%b %d %T"]).as_deref(), Some("2025-12-31T10:00:00Z"));
}

#[test]
fn places_and_languages() {
    let text = "2026-07-01 10:20:30";
    assert_eq!(read(&[text, "%F %T", "Europe/Paris"]).as_deref(), Some("2026-07-01T10:20:30+02:00"));
    assert_eq!(read(&[text, "%F %T", "America/New_York"]).as_deref(), Some("2026-07-01T10:20:30-04:00"));
    assert_eq!(read(&[text, "%F %T", ""]).as_deref(), Some("2026-07-01T10:20:30Z"));
    assert_eq!(read(&["5. März 2026", "%d. %B %Y", "", "de"]).as_deref(), Some("2026-03-05T00:00:00Z"));
    for refused in [&[text, "%F %T", "Nowhere"][..], &[text, "%F %T", "UTC", "xx"], &[text, ""], &[text, "%Q"]] {
        let arguments: Vec<_> = refused.iter().map(|text| Value::str(*text)).collect();
        assert!(matches!(ask_dynamically("Time", &arguments), Err(Failure::Refused(_))), "{refused:?}");
    }
}
