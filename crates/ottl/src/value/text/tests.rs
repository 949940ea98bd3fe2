//! The forms that Go gives numbers, times and containers.

use super::*;
use std::borrow::Cow;

#[test]
fn floats() {
    for (float, text, json) in [
        (1.0, "1", Some("1")),
        (1.5, "1.5", Some("1.5")),
        (-0.0, "-0", Some("-0")),
        (1e6, "1e+06", Some("1000000")),
        (123_456_789.0, "1.23456789e+08", Some("123456789")),
        (1e20, "1e+20", Some("100000000000000000000")),
        (1e21, "1e+21", Some("1e+21")),
        (1e-5, "1e-05", Some("0.00001")),
        (1e-7, "1e-07", Some("1e-7")),
        (1.5e-10, "1.5e-10", Some("1.5e-10")),
        (f64::INFINITY, "+Inf", None),
        (f64::NAN, "NaN", None),
    ] {
        assert_eq!(float_text(float), text);
        assert_eq!(json_float(float).as_deref(), json);
    }
}

#[test]
fn durations_and_times() {
    for (ns, text) in [
        (0, "0s"),
        (1, "1ns"),
        (1_100, "1.1µs"),
        (2_200_000, "2.2ms"),
        (3_300_000_000, "3.3s"),
        (245_000_000_000, "4m5s"),
        (18_367_001_000_000, "5h6m7.001s"),
        (-90_000_000_000, "-1m30s"),
        (i64::MIN, "-2562047h47m16.854775808s"),
    ] {
        assert_eq!(duration_text(ns), text);
    }
    let time = Time::from_wire(1_767_225_600_302_000_000);
    assert_eq!(time_text(time), "2026-01-01T00:00:00.302Z");
    assert_eq!(time_text(Time { offset_s: -16_200, nanos: 0, ..time }), "2025-12-31T19:30:00-04:30");
}

#[test]
fn json_of_everything() {
    let entry = |key: &'static str, value: Value<'static>| (Cow::Borrowed(key.as_bytes()), value);
    let map = Value::Map(Map::data(vec![
        entry("b", Value::List(List::data(vec![Value::Nil, Value::Bool(true), Value::Float(2.0)]))),
        entry("a", Value::str("<\"\\\u{1}é\n>")),
        entry("b", Value::Int(1)),
        entry("c", Value::Bytes(Cow::Borrowed(b"\0\x01\x02\x03"))),
    ]));
    let expected = r#"{"a":"\u003c\"\\\u0001é\n\u003e","b":1,"c":"AAECAw=="}"#;
    assert_eq!(String::from_utf8(json(&map).unwrap()).unwrap(), expected);
    let native = Value::List(List::native(vec![map, Value::str(b"\xff")]));
    assert_eq!(json(&native).unwrap(), br#"[{},"\ufffd"]"#);
    assert_eq!(json(&Value::Id(super::super::Id::Span([1; 8]))).unwrap(), b"[1,1,1,1,1,1,1,1]");
    assert!(json(&Value::Float(f64::NAN)).is_err());
}

#[test]
fn elements_as_text() {
    assert_eq!(element_text(&Value::Bytes(Cow::Borrowed(b"\0\x01"))), b"AAE=");
    assert_eq!(element_text(&Value::Bytes(Cow::Borrowed(b""))), b"");
    assert_eq!(element_text(&Value::Float(f64::NEG_INFINITY)), b"-Infinity");
    assert_eq!(element_text(&Value::List(List::data(vec![Value::Float(f64::INFINITY)]))), b"");
    let list = vec![Value::Bytes(Cow::Borrowed(b"")), Value::Nil, Value::str("<&>")];
    assert_eq!(element_text(&Value::List(List::data(list))), br#"[null,null,"<&>"]"#);
}
