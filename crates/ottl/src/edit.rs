//! Editing a record: what a statement changes, computed as the new bytes of one of the record's buffers.
//!
//! An editor looks at a [`Subject`](crate::Subject) and gives a [`Change`]; nothing is altered while it looks. What it does not name keeps
//! its bytes, unknown fields included. An error may come with a change: otelcol puts a missing key into a map before it finds
//! that its value does not fit.

pub(crate) mod encode;
pub(crate) mod entries;
pub(crate) mod message;
mod nested;
pub(crate) mod target_path;

use crate::{
    error::Error,
    functions::Call,
    subject::{Item, Record},
};

/// One of the messages that make up a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Buffer {
    Resource,
    Scope,
    /// The span, metric or log record.
    Item,
    /// The event or data point.
    Part,
    Cache,
}

/// A buffer's new bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) buffer: Buffer,
    pub(crate) bytes: Vec<u8>,
}

/// What an editor did: nothing, or a change.
pub(crate) type Edit = Result<Option<Change>, Failure>;

/// What an editor could not do, and what it did nevertheless.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) change: Option<Change>,
    pub(crate) error: Error,
}

/// Does what an editor does, with what was prepared when the statement was compiled.
pub(crate) type Run = Box<dyn for<'e> Fn(Call<'e>) -> Edit + Send + Sync>;

/// A closure as a [`Run`].
pub(crate) fn run<F>(edit: F) -> Run
where
    F: for<'e> Fn(Call<'e>) -> Edit + Send + Sync + 'static,
{
    Box::new(edit)
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { change: None, error }
    }
}

impl Buffer {
    /// Its bytes now; empty where the record has no such part.
    pub(crate) fn of<'a>(self, record: &Record<'a>) -> &'a [u8] {
        match (self, record.item) {
            (Self::Resource, _) => record.resource,
            (Self::Scope, _) => record.scope,
            (Self::Cache, _) => record.cache,
            (Self::Item, Item::Span(item) | Item::Metric(item) | Item::Log(item)) => item,
            (Self::Item, Item::Event { span: item, .. } | Item::Point { metric: item, .. }) => item,
            (Self::Part, Item::Event { event: part, .. } | Item::Point { point: part, .. }) => part,
            (Self::Item | Self::Part, _) => &[],
        }
    }

    /// This buffer with other bytes.
    pub(crate) fn change(self, bytes: Vec<u8>) -> Change {
        Change { buffer: self, bytes }
    }
}
