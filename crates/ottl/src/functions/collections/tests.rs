//! What otelcol answered.

use crate::{
    functions::testing::{Failure, ask, check},
    value::{List, Map, Value},
};
use std::borrow::Cow;

fn list(items: &[Value<'static>]) -> Value<'static> {
    Value::List(List::data(items.to_vec()))
}

fn native(items: &[Value<'static>]) -> Option<Value<'static>> {
    Some(Value::List(List::native(items.to_vec())))
}

fn map(entries: &[(&'static str, Value<'static>)]) -> Value<'static> {
    Value::Map(Map::data(entries.iter().map(|(key, value)| (Cow::Borrowed(key.as_bytes()), value.clone())).collect()))
}

fn words(words: &[&'static str]) -> Value<'static> {
    list(&words.iter().map(|word| Value::str(*word)).collect::<Vec<_>>())
}

/// `["a", "b", 3]`
fn mixed() -> Value<'static> {
    list(&[Value::str("a"), Value::str("b"), Value::Int(3)])
}

#[test]
fn coalesce_stops_at_the_first_value() {
    check(
        "Coalesce",
        &[
            (&[list(&[Value::Nil, Value::str(""), Value::str("x")])], Some(Value::str(""))),
            (&[list(&[Value::Nil])], Some(Value::Nil)),
            (&[list(&[Value::Bool(false), Value::Bool(true)])], Some(Value::Bool(false))),
        ],
    );
    assert!(matches!(ask("Coalesce", &[list(&[])]), Err(Failure::Refused(_))));
}

#[test]
fn values_are_found_by_comparison() {
    check(
        "ContainsValue",
        &[
            (&[mixed(), Value::str("b")], Some(Value::Bool(true))),
            (&[mixed(), Value::Int(3)], Some(Value::Bool(true))),
            (&[mixed(), Value::Float(3.0)], Some(Value::Bool(true))),
            (&[mixed(), Value::str("3")], Some(Value::Bool(false))),
            (&[list(&[Value::Nil]), Value::Nil], Some(Value::Bool(true))),
            (&[list(&[list(&[Value::Int(1)])]), list(&[Value::Int(1)])], Some(Value::Bool(true))),
            (&[Value::str("abc"), Value::str("b")], None),
            (&[Value::Nil, Value::str("b")], None),
        ],
    );
    check(
        "Index",
        &[
            (&[mixed(), Value::str("b")], Some(Value::Int(1))),
            (&[mixed(), Value::str("l")], Some(Value::Int(-1))),
            (&[list(&[Value::Int(1), Value::Float(1.5)]), Value::Float(1.5)], Some(Value::Int(1))),
            (&[Value::str("hello"), Value::str("l")], Some(Value::Int(2))),
            (&[Value::str("日本"), Value::str("本")], Some(Value::Int(3))),
            (&[Value::str(""), Value::str("")], Some(Value::Int(0))),
            (&[Value::str("abc"), Value::Int(5)], None),
            (&[Value::Int(5), Value::str("l")], None),
            (&[Value::Nil, Value::str("l")], None),
        ],
    );
}

#[test]
fn maps_come_apart() {
    let m = || map(&[("k", Value::str("v")), ("i", Value::Int(7))]);
    check("Keys", &[(&[m()], Some(words(&["k", "i"]))), (&[mixed()], None), (&[Value::Nil], None)]);
    check("Values", &[(&[m()], Some(list(&[Value::str("v"), Value::Int(7)]))), (&[Value::str("x")], None)]);
    check(
        "Len",
        &[
            (&[m()], Some(Value::Int(2))),
            (&[mixed()], Some(Value::Int(3))),
            (&[Value::str("日本")], Some(Value::Int(6))),
            (&[Value::Int(5)], None),
            (&[Value::Nil], None),
        ],
    );
}

#[test]
fn lists_become_maps() {
    let pair = |key, value| map(&[("k", Value::str(key)), ("v", Value::Int(value))]);
    let pairs = || list(&[pair("a", 1), pair("b", 2), pair("a", 3)]);
    let (k, v) = (|| words(&["k"]), || words(&["v"]));
    check(
        "SliceToMap",
        &[
            (&[mixed()], Some(map(&[("0", Value::str("a")), ("1", Value::str("b")), ("2", Value::Int(3))]))),
            (&[pairs(), k(), v()], Some(map(&[("a", Value::Int(3)), ("b", Value::Int(2))]))),
            (&[pairs(), k()], Some(map(&[("a", pair("a", 3)), ("b", pair("b", 2))]))),
            (&[pairs(), words(&["k", "x"])], None),
            (&[pairs(), v()], None),
            (&[pairs(), words(&[])], None),
            (&[list(&[]), words(&[])], Some(map(&[]))),
            (&[mixed(), k()], None),
            (&[Value::Nil], None),
        ],
    );
}

#[test]
fn sort_compares_numbers_or_texts() {
    let int = Value::Int;
    check(
        "Sort",
        &[
            (&[list(&[int(3), int(1), int(20)])], native(&[int(1), int(3), int(20)])),
            (&[mixed()], native(&[int(3), Value::str("a"), Value::str("b")])),
            (&[mixed(), Value::str("desc")], native(&[Value::str("b"), Value::str("a"), int(3)])),
            (&[list(&[int(3), Value::Float(1.5)])], native(&[Value::Float(1.5), int(3)])),
            (&[list(&[Value::Bool(true), Value::Nil])], native(&[Value::Nil, Value::Bool(true)])),
            (&[list(&[Value::str("10"), Value::str("9")])], native(&[Value::str("10"), Value::str("9")])),
            (&[list(&[])], Some(list(&[]))),
            (&[list(&[list(&[int(2)]), int(1)])], Some(list(&[list(&[int(2)]), int(1)]))),
            (&[Value::str("abc")], None),
            (&[Value::Nil], None),
        ],
    );
    let strings = |items: [&'static str; 2]| Value::List(List::strings(items.map(Value::str).to_vec()));
    check("Sort", &[(&[strings(["b", "a"])], Some(strings(["a", "b"])))]);
    assert!(matches!(ask("Sort", &[mixed(), Value::str("DESC")]), Err(Failure::Refused(_))));
}

#[test]
fn maps_become_text() {
    let text = |text: &'static str| Some(Value::str(text));
    let m = || map(&[("k", Value::str("v")), ("i", Value::Int(7))]);
    let sorted = |map| [map, Value::str("="), Value::str(" "), Value::Bool(true)];
    check(
        "ToKeyValueString",
        &[
            (&[m()], text("k=v i=7")),
            (&sorted(m()), text("i=7 k=v")),
            (&[m(), Value::str(":"), Value::str(",")], text("k:v,i:7")),
            (&[map(&[("a b", Value::str("c\"d"))])], text("\"a b\"=c\\\"d")),
            (&[map(&[("a", Value::Nil), ("b", list(&[Value::Int(1)]))])], text("a= b=[1]")),
            (&[mixed()], None),
        ],
    );
    for (inner, outer) in [("", " "), ("=", ""), ("=", "=")] {
        let arguments = [m(), Value::str(inner), Value::str(outer)];
        assert!(matches!(ask("ToKeyValueString", &arguments), Err(Failure::Refused(_))), "{arguments:?}");
    }
}
