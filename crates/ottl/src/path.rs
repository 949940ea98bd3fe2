//! The paths of a condition or statement: what a name means, and how its value is read.
//!
//! A path without keys is a [`Field`]. Attributes with a constant key are interned, so that the scanner finds them; of a
//! value that is indexed further only that value is decoded.

mod context;
mod field;
mod log;
mod metric;
mod read;

pub use context::Context;
pub(crate) use context::fields;
pub(crate) use field::{Field, LogField, MetricField, Owner, PointField};

pub(crate) use read::{KIND_NAMES, KIND_TEXTS};

use crate::{
    error::Error,
    expr::Expr,
    subject::Subject,
    value::{Opaque, Value},
};
use otlp::{
    KeyId,
    view::{Attributes, array_values, map_entries, value as any_value},
};
use read::trace_state;
use std::borrow::Cow;

/// An attribute, or a part of one.
#[derive(Debug)]
pub(crate) struct Attribute {
    pub(crate) owner: Owner,
    pub(crate) name: Name,
    /// What indexes its value.
    pub(crate) keys: Box<[Key]>,
}

/// The key of an attribute.
#[derive(Debug)]
pub(crate) enum Name {
    /// One that the scanner looks for.
    Interned(KeyId, Box<str>),
    Plain(Box<str>),
    Computed(Expr),
    /// An int: refused when it is asked for.
    Int,
}

/// An index.
#[derive(Debug)]
pub(crate) enum Key {
    Str(Box<str>),
    Int(i64),
    Computed(Expr),
}

/// A member of the trace state; its key is a string literal, or wrong.
#[derive(Debug)]
pub(crate) struct TraceStateMember {
    pub(crate) key: Option<Box<str>>,
}

/// What looking for an attribute among others costs.
const SEARCH_COST: u64 = 100;

impl Owner {
    pub(crate) fn attributes<'e>(self, subject: &'e Subject<'e>) -> Result<Option<Attributes<'e>>, Error> {
        Ok(match self {
            Self::Span => Some(subject.span().attributes()),
            Self::Event => Some(subject.event()?.attributes()),
            Self::Resource => Some(subject.resource().attributes()),
            Self::Scope => Some(subject.scope().attributes()),
            Self::Metadata => Some(subject.metric().metadata()),
            Self::Point => Some(subject.point()?.attributes()),
            Self::Log => Some(subject.log().attributes()),
            Self::Cache => Some(map_entries(subject.cache())),
            Self::Client => subject.client().map(|client| map_entries(client.metadata())),
            Self::Grpc => subject.client().map(|client| map_entries(client.grpc_metadata())),
            Self::Auth => subject.client().map(|client| map_entries(client.attributes())),
        })
    }

    /// Whether keys are found whatever their case.
    fn ignores_case(self) -> bool {
        matches!(self, Self::Client | Self::Grpc)
    }
}

impl Attribute {
    pub(crate) fn read<'e>(&'e self, subject: &'e Subject<'e>) -> Result<Value<'e>, Error> {
        let Some(value) = self.find(subject)? else { return Ok(Value::Nil) };
        indexed(value, &self.keys, subject)
    }

    /// The value of the attribute as a whole.
    #[inline]
    pub(crate) fn find<'e>(&'e self, subject: &'e Subject<'e>) -> Result<Option<otlp::Value<'e>>, Error> {
        let name = match &self.name {
            Name::Interned(key, name) => {
                return Ok(match self.owner {
                    Owner::Resource => subject.resource_attribute(*key, name.as_bytes()),
                    _ => subject.span_attribute(*key, name.as_bytes()),
                });
            }
            Name::Plain(name) => Cow::Borrowed(name.as_bytes()),
            Name::Computed(expr) => expr.evaluate(subject)?.into_str()?,
            Name::Int => return Err(Error::Type { expected: "a string as the key of a map", found: "an int" }),
        };
        subject.fuel().spend(SEARCH_COST)?;
        let Some(mut attributes) = self.owner.attributes(subject)? else { return Ok(None) };
        if self.owner.ignores_case() {
            return Ok(attributes.find(|(key, _)| key.eq_ignore_ascii_case(&name)).map(|(_, value)| value));
        }
        Ok(attributes.get(&name))
    }
}

/// The part of a log record's body that keys lead to.
pub(crate) fn body_part<'e>(keys: &'e [Key], subject: &'e Subject<'e>) -> Result<Value<'e>, Error> {
    match any_value(subject.log().value).unwrap_or(otlp::Value::Empty) {
        body @ (otlp::Value::Map(_) | otlp::Value::Array(_)) => indexed(body, keys, subject),
        other => Err(Error::Type { expected: "a body that is a map or a list", found: Value::of_wire(other).kind() }),
    }
}

/// The part of an attribute's value that keys lead to. A key that a map lacks ends the way: the part is nil then, whatever
/// keys follow.
fn indexed<'e>(value: otlp::Value<'e>, keys: &'e [Key], subject: &'e Subject<'e>) -> Result<Value<'e>, Error> {
    let mut value = value;
    for key in keys {
        value = match value {
            otlp::Value::Map(body) => {
                subject.fuel().spend(body.len() as u64)?;
                let name = key.str(subject)?;
                match map_entries(body).find(|(key, _)| *key == &*name) {
                    Some((_, value)) => value,
                    None => return Ok(Value::Nil),
                }
            }
            otlp::Value::Array(body) => {
                subject.fuel().spend(body.len() as u64)?;
                let index = key.int(subject)?;
                let item = usize::try_from(index).ok().and_then(|index| array_values(body).nth(index));
                item.ok_or_else(|| Error::failed(format!("the list has no item {index}")))?
            }
            other => return Err(Error::Type { expected: "a map or a list", found: Value::of_wire(other).kind() }),
        };
    }
    Ok(Value::of_wire(value))
}

/// The part of a converter's result that keys lead to. A key that a map lacks is an error.
pub(crate) fn indexed_result<'e>(
    value: Value<'e>,
    keys: &'e [Key],
    subject: &'e Subject<'e>,
) -> Result<Value<'e>, Error> {
    let mut value = value;
    for key in keys {
        value = match (value, key.any(subject)?) {
            (Value::Map(map), Value::Str(name)) => {
                let found = map.into_value(&name);
                found.ok_or_else(|| Error::failed(format!("the map has no `{}`", String::from_utf8_lossy(&name))))?
            }
            (Value::List(list), Value::Int(index)) => {
                let item = usize::try_from(index).ok().and_then(|index| list.into_item(index));
                item.ok_or_else(|| Error::failed(format!("the list has no item {index}")))?
            }
            (Value::Bytes(bytes), Value::Int(index)) => {
                let byte = usize::try_from(index).ok().and_then(|index| bytes.get(index).copied());
                let byte = byte.ok_or_else(|| Error::failed(format!("there is no byte {index}")))?;
                Value::Opaque(Opaque::Foreign(byte.into()))
            }
            (other, _) => return Err(Error::Type { expected: "what the key can index", found: other.kind() }),
        };
    }
    Ok(value)
}

impl Key {
    pub(crate) fn any<'e>(&'e self, subject: &'e Subject<'e>) -> Result<Value<'e>, Error> {
        match self {
            Self::Str(text) => Ok(Value::str(&**text)),
            Self::Int(int) => Ok(Value::Int(*int)),
            Self::Computed(expr) => expr.evaluate(subject),
        }
    }

    pub(crate) fn str<'e>(&'e self, subject: &'e Subject<'e>) -> Result<Cow<'e, [u8]>, Error> {
        match self.any(subject)? {
            Value::Str(text) => Ok(text),
            other => Err(Error::Type { expected: "a string as the key of a map", found: other.kind() }),
        }
    }

    pub(crate) fn int<'e>(&'e self, subject: &'e Subject<'e>) -> Result<i64, Error> {
        match self.any(subject)? {
            Value::Int(int) => Ok(int),
            other => Err(Error::Type { expected: "an int as the index of a list", found: other.kind() }),
        }
    }
}

impl TraceStateMember {
    pub(crate) fn read<'e>(&'e self, subject: &'e Subject<'e>) -> Result<Value<'e>, Error> {
        let text = trace_state(subject);
        subject.fuel().spend(text.len() as u64)?;
        let key = self.key.as_deref().unwrap_or_default();
        match otlp::trace_state::lookup(text, key.as_bytes()) {
            Err(otlp::trace_state::Invalid) => Ok(Value::Nil),
            Ok(_) if self.key.is_none() => Err(Error::failed("the key of `trace_state` must be a string literal")),
            Ok(member) => Ok(Value::str(member.unwrap_or_default())),
        }
    }
}
