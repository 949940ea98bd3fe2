//! A text that must not be shown: passwords, tokens, headers.
//!
//! Its `Debug` says `[REDACTED]` and it has no `Display`, so that no log line can take it along by accident; whoever needs the
//! text says so with [`Secret::expose`], which is easy to search for.

use std::fmt;

/// A text that must not be shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What is shown instead of a secret.
pub(crate) const REDACTED: &str = "[REDACTED]";

/// Settings structs derive `Debug`; what they show of a secret is that there is one.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}
