//! One value is set, added to, or cleared.

use super::{Editor, editor};
use crate::{
    edit::{Run, run},
    error::Error,
    functions::{
        Arguments, Call,
        Kind::{Any, EachAny, Target},
        arg, opt,
    },
    value::{Id, List, ListForm, Map, Opaque, Time, Value},
};

pub(super) const TABLE: &[Editor] = &[
    editor("set", &[arg("Target", Target), arg("Value", Any)], |_| {
        Ok(run(|call: Call<'_>| {
            let (target, value) = (call.target(0)?, call.any(1)?);
            let holder = call.arguments.argument(1).filter(|argument| target.is_inside(argument));
            match holder {
                Some(holder) => target.set_to_holder(call.subject, holder, &value),
                None => target.set(call.subject, &value),
            }
        }))
    }),
    editor("append", &[arg("Target", Target), opt("Value", Any), opt("Values", EachAny)], append),
    editor("clear", &[arg("Target", Target)], |_| {
        Ok(run(|call: Call<'_>| call.target(0)?.set(call.subject, &zero(call.any(0)?))))
    }),
];

/// What is no list becomes one.
fn append(arguments: &Arguments) -> Result<Run, String> {
    if !arguments.is_given(1) && !arguments.is_given(2) {
        return Err("`append` needs a `value` or `values`".to_string());
    }
    Ok(run(|call: Call<'_>| {
        let mut items = match call.any(0)? {
            Value::Nil => Vec::new(),
            Value::List(list) if list.form == ListForm::Native => {
                list.into_items().into_iter().map(Value::into_data).collect::<Result<_, _>>()?
            }
            Value::List(list) if list.form == ListForm::Counts => {
                return Err(Error::failed("nothing can be appended to bucket counts").into());
            }
            Value::Map(_) => return Err(Error::Type { expected: "a list or a single value", found: "a map" }.into()),
            Value::List(list) => list.into_items(),
            single => vec![single.into_data()?],
        };
        if call.is_given(1) {
            items.push(call.any(1)?.into_data()?);
        }
        for item in call.items(2)? {
            items.push(item?.value.into_data()?);
        }
        call.target(0)?.set(call.subject, &Value::List(List::data(items)))
    }))
}

/// Go's zero of a value's type.
fn zero(value: Value<'_>) -> Value<'static> {
    match value {
        Value::Nil => Value::Nil,
        Value::Bool(_) => Value::Bool(false),
        Value::Int(_) => Value::Int(0),
        Value::Float(_) => Value::Float(0.0),
        Value::Str(_) => Value::str(""),
        Value::Bytes(_) => Value::Bytes(Vec::new().into()),
        Value::Time(_) => Value::Time(Time::from_unix(-62_135_596_800, 0)),
        Value::Duration(_) => Value::Duration(0),
        Value::Id(Id::Trace(_)) => Value::Id(Id::Trace([0; 16])),
        Value::Id(Id::Span(_)) => Value::Id(Id::Span([0; 8])),
        Value::Id(Id::Profile(_)) => Value::Id(Id::Profile([0; 16])),
        Value::List(list) if matches!(list.form, ListForm::Strings | ListForm::Counts) => {
            Value::List(List::strings(Vec::new()))
        }
        Value::List(_) => Value::List(List::data(Vec::new())),
        Value::Map(_) => Value::Map(Map::data(Vec::new())),
        Value::Opaque(same @ (Opaque::Buckets { .. } | Opaque::Status)) => Value::Opaque(same),
        Value::Opaque(_) => Value::Nil,
    }
}
