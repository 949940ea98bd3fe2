//! OTLP/JSON to and from protobuf bytes, by one table of the schema.
//!
//! [`decode`] takes and refuses what otelcol 0.161 takes and refuses: snake_case keys, enum names, numbers as text, `null`
//! for a default and text after the object are all fine; URL-safe base64, `5.0` for an integer and a missing ID digit are not.
//! No JSON library in reach does all of that (and none may stop at the end of the first object), so the tokenizer is our
//! own. JSON becomes protobuf in one pass without a tree; fields come out in ascending order, as any protobuf library
//! would write them, so a span is the same bytes whichever encoding it came in.
//!
//! [`encode`] writes only what the specification allows: lowerCamelCase, hexadecimal IDs, 64-bit integers as text, enums
//! as integers.
//!
//! Invariants: no input panics; unknown values nest to 10 000 and known messages to [`DEPTH_MAX`](crate::wire::DEPTH_MAX)
//! without unbounded stack; nothing is allocated beyond a small multiple of the input.

mod attribute;
pub mod base64;
mod decode;
mod digits;
mod encode;
mod plain;
mod text;

pub use decode::decode;
pub use encode::encode;

use std::fmt;

/// A body that is not an OTLP/JSON request: where, in which field, and what is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JsonError {
    /// Byte offset of the fault.
    pub at: usize,
    /// Line of the fault, from 1.
    pub line: usize,
    /// Column of the fault in bytes, from 1.
    pub column: usize,
    /// The field, such as `resourceSpans[0].scopeSpans[0].spans[3].kind`; empty at the top.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

impl JsonError {
    /// Adds an outer name or `[index]` to the path.
    fn within(mut self: Box<Self>, outer: &str) -> Box<Self> {
        let joint = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{outer}{joint}{}", self.path);
        self
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)?;
        if !self.path.is_empty() {
            write!(f, ", in `{}`", self.path)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for JsonError {}

#[cfg(test)]
mod tests;
