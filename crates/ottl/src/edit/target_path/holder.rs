//! Setting a part of a container to the whole: `set(attributes["all"], attributes)`.
//!
//! otelcol makes the part an empty container first and copies then, so the copy has the empty part in it.

use super::{super::Edit, Target, record};
use crate::{
    edit::Buffer,
    expr::Expr,
    functions::Argument,
    path::{Attribute, Field, Key, LogField, Name},
    subject::{Item, Record, Subject},
    value::{List, Map, Value},
};

impl Target {
    /// Whether it is a part of what an argument's path leads to.
    pub(crate) fn is_inside(&self, argument: &Argument) -> bool {
        let Argument::Value(holder) = argument else { return false };
        match (&self.path, holder) {
            (Expr::Attribute(part), Expr::Field(Field::Attributes(owner))) => part.owner == *owner,
            (Expr::Attribute(part), Expr::Attribute(whole)) => is_inside(part, whole),
            (Expr::BodyPart(_), Expr::Field(Field::Log(LogField::Body))) => true,
            (Expr::BodyPart(part), Expr::BodyPart(whole)) => is_longer(part, whole),
            _ => false,
        }
    }

    /// Sets it to `value`, which is what it is a part of.
    pub(crate) fn set_to_holder<'e>(
        &'e self,
        subject: &'e Subject<'e>,
        holder: &'e Argument,
        value: &Value<'_>,
    ) -> Edit {
        let now = self.read(subject);
        let empty = match (value, now) {
            (Value::Map(_), Ok(Value::Map(_))) | (Value::List(_), Ok(Value::List(_))) => None,
            (Value::Map(_), _) => Some(Value::Map(Map::data(Vec::new()))),
            (Value::List(_), _) => Some(Value::List(List::data(Vec::new()))),
            _ => None,
        };
        let (Some(empty), Argument::Value(holder)) = (empty, holder) else { return self.set(subject, value) };
        let Some(change) = self.set(subject, &empty)? else { return Ok(None) };
        let record = with(record(subject)?, change.buffer, &change.bytes);
        let subject = Subject::record(record, subject.moment(), subject.fuel());
        let value = holder.evaluate(&subject)?;
        self.set(&subject, &value)
    }
}

/// A record with another buffer.
fn with<'s>(record: &Record<'s>, buffer: Buffer, bytes: &'s [u8]) -> Record<'s> {
    let item = match (buffer, record.item) {
        (Buffer::Item, Item::Span(_)) => Item::Span(bytes),
        (Buffer::Item, Item::Metric(_)) => Item::Metric(bytes),
        (Buffer::Item, Item::Log(_)) => Item::Log(bytes),
        (Buffer::Item, Item::Event { event, .. }) => Item::Event { span: bytes, event },
        (Buffer::Item, Item::Point { point, .. }) => Item::Point { metric: bytes, point },
        (Buffer::Part, Item::Event { span, .. }) => Item::Event { span, event: bytes },
        (Buffer::Part, Item::Point { metric, .. }) => Item::Point { metric, point: bytes },
        (_, item) => item,
    };
    Record {
        resource: if buffer == Buffer::Resource { bytes } else { record.resource },
        scope: if buffer == Buffer::Scope { bytes } else { record.scope },
        item,
        cache: if buffer == Buffer::Cache { bytes } else { record.cache },
        client: record.client,
    }
}

fn is_inside(part: &Attribute, whole: &Attribute) -> bool {
    let is_same = match (&part.name, &whole.name) {
        (Name::Interned(_, part) | Name::Plain(part), Name::Interned(_, whole) | Name::Plain(whole)) => part == whole,
        _ => false,
    };
    part.owner == whole.owner && is_same && is_longer(&part.keys, &whole.keys)
}

/// Whether the keys go on where the others end. Only literals are compared.
fn is_longer(part: &[Key], whole: &[Key]) -> bool {
    let is_same = |(part, whole): (&Key, &Key)| match (part, whole) {
        (Key::Str(part), Key::Str(whole)) => part == whole,
        (Key::Int(part), Key::Int(whole)) => part == whole,
        _ => false,
    };
    part.len() > whole.len() && part.iter().zip(whole).all(is_same)
}
