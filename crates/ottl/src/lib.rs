//! OTTL, the language of otelcol's conditions and statements: compiled once, evaluated on wire bytes.
//!
//! A condition decodes nothing but what it names: attributes with constant keys are found by the scanner, other fields are
//! read where they stand. Values borrow. Everything that otelcol refuses at start is refused when a condition is compiled,
//! with its place in the text; what otelcol calls an error at run time is an [`Error`]. The crate is pure: the time and the
//! randomness that a condition may see come with the [`Subject`].
//!
//! A [`Statement`] edits a [`Draft`]: the messages of a record, of which only the fields that change are written anew.

mod client;
mod compare;
mod compile;
mod condition;
mod edit;
mod editors;
mod error;
mod expr;
mod functions;
mod infer;
mod math;
mod path;
mod pattern;
mod statement;
mod subject;
mod syntax;
pub mod value;

pub use client::Client;
pub use compile::Paths;
pub use condition::{Condition, Needs};
pub use error::{Error, SyntaxError};
pub use infer::Hints;
pub use path::Context;
pub use pattern::{Extractor, Group, GroupPlace, Pattern};
pub use statement::{Draft, Statement};
pub use subject::{Fuel, Item, Moment, Record, Subject};
pub use value::Value;
