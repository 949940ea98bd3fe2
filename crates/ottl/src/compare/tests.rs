//! The comparison matrix: every kind against every kind.

use super::*;
use crate::value::{Id, Opaque, Time};
use std::borrow::Cow;

/// `==`, `!=`, `<`, `<=`, `>=`, `>`, as a row of otelcol's test has it.
const OPERATORS: [Operator; 6] = [
    Operator::Equal,
    Operator::Unequal,
    Operator::Less,
    Operator::LessOrEqual,
    Operator::GreaterOrEqual,
    Operator::Greater,
];

#[track_caller]
fn check(name: &str, left: &Value<'_>, right: &Value<'_>, row: &str) {
    let got: String = OPERATORS
        .iter()
        .map(|operator| if compare(*operator, left, right, None).unwrap() { 'T' } else { 'F' })
        .collect();
    assert_eq!(got, row, "{name}: {left:?} and {right:?}");
}

fn list(items: &[i64]) -> List<'static> {
    List::data(items.iter().map(|item| Value::Int(*item)).collect())
}

fn native(items: &[i64]) -> List<'static> {
    List::native(items.iter().map(|item| Value::Int(*item)).collect())
}

fn map(entries: &[(&'static str, Value<'static>)]) -> Map<'static> {
    Map::data(entries.iter().map(|(key, value)| (Cow::Borrowed(key.as_bytes()), value.clone())).collect())
}

const EQUAL: &str = "TFFTTF";
const UNEQUAL: &str = "FTFFFF";
const LESS: &str = "FTTTFF";
const GREATER: &str = "FTFFTT";
const SAME: &str = "TFFFFF";

#[test]
fn scalars_of_one_kind() {
    let bytes = |bytes: &'static [u8]| Value::Bytes(Cow::Borrowed(bytes));
    for (name, left, right, row) in [
        ("nils", Value::Nil, Value::Nil, EQUAL),
        ("nil and no bytes", Value::Nil, bytes(b""), EQUAL),
        ("no bytes and nil", bytes(b""), Value::Nil, EQUAL),
        ("no bytes twice", bytes(b""), bytes(b""), EQUAL),
        ("bytes and no bytes", bytes(b"a"), bytes(b""), UNEQUAL),
        ("bytes and nil", bytes(b"a"), Value::Nil, UNEQUAL),
        ("bytes equal", bytes(b"ab"), bytes(b"ab"), EQUAL),
        ("bytes less", bytes(b"ab"), bytes(b"abc"), LESS),
        ("bytes greater", bytes(b"b"), bytes(b"abc"), GREATER),
        ("bools equal", Value::Bool(true), Value::Bool(true), EQUAL),
        ("false and true", Value::Bool(false), Value::Bool(true), LESS),
        ("true and false", Value::Bool(true), Value::Bool(false), GREATER),
        ("strings equal", Value::str("a"), Value::str("a"), EQUAL),
        ("strings bytewise", Value::str("10"), Value::str("9"), LESS),
        ("strings greater", Value::str("a"), Value::str("A"), GREATER),
        ("ints equal", Value::Int(1), Value::Int(1), EQUAL),
        ("ints less", Value::Int(-1), Value::Int(1), LESS),
        ("floats greater", Value::Float(1.5), Value::Float(1.0), GREATER),
        ("int and float equal", Value::Int(1), Value::Float(1.0), EQUAL),
        ("float and int less", Value::Float(0.5), Value::Int(1), LESS),
        ("int as float", Value::Int(9_007_199_254_740_993), Value::Float(9_007_199_254_740_992.0), EQUAL),
        ("not a number", Value::Float(f64::NAN), Value::Float(f64::NAN), UNEQUAL),
        ("times equal", Value::Time(Time::from_unix(1, 0)), Value::Time(Time::from_unix(1, 0)), EQUAL),
        ("times less", Value::Time(Time::from_unix(1, 0)), Value::Time(Time::from_unix(1, 1)), LESS),
        ("durations greater", Value::Duration(2), Value::Duration(1), GREATER),
        ("IDs equal", Value::Id(Id::Span([1; 8])), Value::Id(Id::Span([1; 8])), SAME),
        ("IDs of two kinds", Value::Id(Id::Trace([1; 16])), Value::Id(Id::Profile([1; 16])), UNEQUAL),
        ("status", Value::Opaque(Opaque::Status), Value::Opaque(Opaque::Status), SAME),
    ] {
        check(name, &left, &right, row);
    }
    let here = Value::Time(Time { offset_s: 3600, ..Time::from_unix(1, 0) });
    check("one instant on two clocks", &here, &Value::Time(Time::from_unix(1, 0)), EQUAL);
}

#[test]
fn kinds_are_not_coerced() {
    let kinds = [
        Value::Nil,
        Value::Bool(true),
        Value::Int(1),
        Value::str("1"),
        Value::Bytes(Cow::Borrowed(b"1")),
        Value::Time(Time::from_unix(1, 0)),
        Value::Duration(1),
        Value::Id(Id::Span([1; 8])),
        Value::List(list(&[1])),
        Value::Map(map(&[])),
        Value::Opaque(Opaque::Status),
        Value::Opaque(Opaque::Foreign(1)),
    ];
    for (i, left) in kinds.iter().enumerate() {
        for right in kinds.iter().skip(i + 1) {
            check("different kinds", left, right, UNEQUAL);
            check("different kinds", right, left, UNEQUAL);
        }
    }
    check("a float and a string", &Value::Float(1.0), &Value::str("1"), UNEQUAL);
}

#[test]
fn lists_and_maps_are_equal_or_not() {
    let lists = |left: List<'static>, right: List<'static>, row: &str| {
        check("lists", &Value::List(left), &Value::List(right), row);
    };
    lists(list(&[1, 2]), list(&[1, 2]), SAME);
    lists(list(&[1, 2]), native(&[1, 2]), SAME);
    lists(native(&[1, 2]), list(&[1, 2]), SAME);
    lists(native(&[]), list(&[]), SAME);
    lists(native(&[1, 2]), native(&[1, 2, 3]), UNEQUAL);
    lists(list(&[1]), List::native(vec![Value::Float(1.0)]), UNEQUAL);
    let strings = || vec![Value::str("a")];
    lists(List::strings(strings()), List::native(strings()), UNEQUAL);
    lists(List::data(strings()), List::strings(strings()), UNEQUAL);
    // A map literal in a list literal stays one of the data model, which a native map does not equal.
    let entry = [("a", Value::Int(1))];
    let with_map = || vec![Value::Map(map(&entry))];
    lists(List::data(with_map()), List::data(with_map()), SAME);
    lists(List::data(with_map()), List::native(with_map()), UNEQUAL);
    lists(List::native(with_map()), List::native(with_map()), SAME);
    lists(List::data(vec![Value::List(list(&[1]))]), List::native(vec![Value::List(native(&[1]))]), SAME);

    let maps = |left: Map<'static>, right: Map<'static>, row: &str| {
        check("maps", &Value::Map(left), &Value::Map(right), row);
    };
    let (one, two) = (("a", Value::Int(1)), ("b", Value::Int(2)));
    maps(map(&[one.clone(), two.clone()]), map(&[two.clone(), one.clone()]), SAME);
    maps(map(&[one.clone(), two.clone()]), map(&[("a", Value::Int(1))]), UNEQUAL);
    maps(map(&[("a", Value::Int(1))]), map(&[("a", Value::Float(1.0))]), UNEQUAL);
    let twice = map(&[one.clone(), ("a", Value::Int(2))]);
    maps(twice.clone(), twice.clone(), UNEQUAL);
    let mut last = map(&[("a", Value::Int(2))]);
    last.is_native = true;
    maps(twice, last, SAME);
    maps(map(&[]), map(&[]), SAME);
}
