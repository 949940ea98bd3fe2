//! What can go wrong with a condition: in its text, and when it is asked about a span.

use std::{borrow::Cow, fmt, ops::Range};

/// Why a condition has no answer for a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// A value is not of the kind that an operation needs.
    Type {
        /// What is needed.
        expected: &'static str,
        /// What was there.
        found: &'static str,
    },
    /// Anything else.
    Failed(Cow<'static, str>),
    /// The trace has used up what its evaluation may cost.
    OutOfFuel,
}

/// A mistake in the text of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The bytes of the text that are wrong; empty where something is missing.
    pub at: Range<usize>,
    /// What is wrong, lower case, with the way out if there is one.
    pub message: String,
}

impl Error {
    /// An error with its message.
    pub fn failed(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Failed(message.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type { expected, found } => write!(f, "expected {expected}, found {found}"),
            Self::Failed(message) => f.write_str(message),
            Self::OutOfFuel => f.write_str("the conditions cost more than one trace may"),
        }
    }
}

impl std::error::Error for Error {}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SyntaxError {}
