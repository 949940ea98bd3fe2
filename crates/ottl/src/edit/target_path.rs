//! What an editor edits: a path that can be read and set.

mod field;
mod holder;
mod log;
mod metric;

use super::{
    Buffer, Change, Edit, Failure,
    encode::check_depth,
    entries::Entries,
    message::{merged, replaced, with_bytes, with_message},
    nested::{self, put_in_entries},
};
use crate::{
    error::Error,
    expr::Expr,
    path::{Attribute, Field, Key, Name, Owner, TraceStateMember, body_part},
    subject::{Record, Subject},
    value::{Map, Value},
};
use std::borrow::Cow;

/// A path as a target.
#[derive(Debug)]
pub(crate) struct Target {
    /// One of the path kinds of [`Expr`].
    path: Expr,
}

/// Where a map of attributes stands: in a buffer, in a sub-message of it or not, as which repeated field.
#[derive(Clone, Copy)]
struct Place {
    buffer: Buffer,
    within: Option<u32>,
    field: u32,
}

impl Target {
    /// A target from a path's expression.
    pub(crate) fn new(path: Expr) -> Self {
        Self { path }
    }

    /// Its value now.
    pub(crate) fn read<'e>(&'e self, subject: &'e Subject<'e>) -> Result<Value<'e>, Error> {
        self.path.evaluate(subject)
    }

    /// Edits the entries of the map that it must be; they are stored where `edit` says yes.
    pub(crate) fn edit_entries<'e>(
        &'e self,
        subject: &'e Subject<'e>,
        edit: impl FnOnce(&mut Entries<'_>) -> Result<bool, Error>,
    ) -> Edit {
        if let Expr::Field(Field::Attributes(owner)) = &self.path {
            let place = Place::of(*owner, subject)?;
            let message = place.message(subject)?;
            let mut entries = Entries::of(&message, place.field);
            return Ok(if edit(&mut entries)? { Some(place.store(subject, &message, &entries)?) } else { None });
        }
        let value = self.read(subject)?;
        let found = value.kind();
        let body = if let Value::Map(map) = value { map.encoded() } else { None };
        let body = body.ok_or(Error::Type { expected: "a map", found })?;
        let mut entries = Entries::of(body, 1);
        if !edit(&mut entries)? {
            return Ok(None);
        }
        self.set(subject, &Value::Map(Map::wire(&entries.list())))
    }

    /// Sets it.
    pub(crate) fn set<'e>(&'e self, subject: &'e Subject<'e>, value: &Value<'_>) -> Edit {
        match &self.path {
            Expr::Field(Field::Attributes(owner)) => set_map(*owner, subject, value),
            Expr::Field(field) => field::set(*field, subject, value),
            Expr::Attribute(attribute) => set_attribute(attribute, subject, value),
            Expr::BodyPart(keys) => set_body_part(keys, subject, value),
            Expr::TraceStateMember(member) => set_member(member, subject, value),
            _ => Err(Error::failed("no path that can be set").into()),
        }
    }
}

/// What is edited.
fn record<'s, 'a>(subject: &'s Subject<'a>) -> Result<&'s Record<'a>, Error> {
    subject.as_record().ok_or_else(|| Error::failed("only a processor edits"))
}

impl Place {
    fn of(owner: Owner, subject: &Subject<'_>) -> Result<Self, Error> {
        let (buffer, within, field) = match owner {
            Owner::Span => (Buffer::Item, None, 9),
            Owner::Event => (Buffer::Part, None, 3),
            Owner::Resource => (Buffer::Resource, Some(1), 1),
            Owner::Scope => (Buffer::Scope, Some(1), 3),
            Owner::Metadata => (Buffer::Item, None, 12),
            Owner::Point => (Buffer::Part, None, subject.point()?.kind.attributes_field()),
            Owner::Log => (Buffer::Item, None, 6),
            Owner::Cache => (Buffer::Cache, None, 1),
            Owner::Client | Owner::Grpc | Owner::Auth => {
                return Err(Error::failed("what `otelcol` says can only be read"));
            }
        };
        Ok(Self { buffer, within, field })
    }

    /// The message that holds the entries.
    fn message<'a>(self, subject: &Subject<'a>) -> Result<Cow<'a, [u8]>, Error> {
        let bytes = self.buffer.of(record(subject)?);
        Ok(self.within.map_or(Cow::Borrowed(bytes), |field| merged(bytes, field)))
    }

    fn store(self, subject: &Subject<'_>, message: &[u8], entries: &Entries<'_>) -> Result<Change, Error> {
        let message = replaced(message, &[self.field], |out| entries.write(out, self.field));
        Ok(self.buffer.change(match self.within {
            Some(field) => with_message(self.buffer.of(record(subject)?), field, &message),
            None => message,
        }))
    }
}

/// Sets all attributes: nil takes them away.
fn set_map(owner: Owner, subject: &Subject<'_>, value: &Value<'_>) -> Edit {
    let place = Place::of(owner, subject)?;
    let mut entries = Entries::default();
    match value {
        Value::Nil => {}
        Value::Map(map) => {
            for (key, value) in map.iter() {
                let value = if map.is_native { value.into_data()? } else { value };
                entries.push(&key, &value)?;
            }
        }
        other => return Err(Error::Type { expected: "a map", found: other.kind() }.into()),
    }
    let message = place.message(subject)?;
    Ok(Some(place.store(subject, &message, &entries)?))
}

fn set_attribute<'e>(attribute: &'e Attribute, subject: &'e Subject<'e>, value: &Value<'_>) -> Edit {
    let name = match &attribute.name {
        Name::Interned(_, name) | Name::Plain(name) => Cow::Borrowed(name.as_bytes()),
        Name::Computed(expr) => expr.evaluate(subject)?.into_str()?,
        Name::Int => return Err(Error::Type { expected: "a string as the key of a map", found: "an int" }.into()),
    };
    let place = Place::of(attribute.owner, subject)?;
    let message = place.message(subject)?;
    let mut entries = Entries::of(&message, place.field);
    let result = put_in_entries(&mut entries, &name, &attribute.keys, subject, value);
    let stored = entries.entry(&name).any();
    check_depth(&stored)?;
    let change = Some(place.store(subject, &message, &entries)?);
    match result {
        Ok(()) => Ok(change),
        Err(error) => Err(Failure { change, error }),
    }
}

fn set_body_part<'e>(keys: &'e [Key], subject: &'e Subject<'e>, value: &Value<'_>) -> Edit {
    // Refuses a body that cannot be indexed; whatever else is wrong with the keys is told below.
    if let Err(error @ Error::Type { expected: "a body that is a map or a list", .. }) = body_part(&[], subject) {
        return Err(error.into());
    }
    let log = subject.log();
    let body = otlp::view::value(log.value).unwrap_or(otlp::Value::Empty);
    let (any, result) = nested::put(body, keys, subject, value);
    check_depth(&any)?;
    let change = Some(Buffer::Item.change(with_message(log.body, 5, &any)));
    match result {
        Ok(()) => Ok(change),
        Err(error) => Err(Failure { change, error }),
    }
}

/// A trace state that is none stays as it is, and so does one whose new member would be none.
fn set_member(member: &TraceStateMember, subject: &Subject<'_>, value: &Value<'_>) -> Edit {
    let value = field::text(value)?;
    let span = subject.span();
    let key = member.key.as_deref().unwrap_or_default();
    let Ok(text) = otlp::trace_state::with_member(span.trace_state, key.as_bytes(), value) else { return Ok(None) };
    if member.key.is_none() {
        return Err(Error::failed("the key of `trace_state` must be a string literal").into());
    }
    Ok(text.map(|text| Buffer::Item.change(with_bytes(span.body, 3, &text))))
}
