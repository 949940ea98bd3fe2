//! What a processor is to the pipeline that it stands in.

use crate::{client::Sender, error_mode::ErrorMode};
use otlp::{Signal, wire::WireError};
use std::{borrow::Cow, fmt};

/// Edits export requests. The settings are in it, checked and compiled.
pub trait Processor: fmt::Debug + Send + Sync {
    /// Edits one request of `signal`: an `ExportTraceServiceRequest` or its like.
    ///
    /// Only structure that has to be walked is looked at; the rest may be anything and is handed on as it is.
    ///
    /// # Errors
    /// [`Broken`], where what had to be walked is no message, or where the processor's `error_mode` refuses the request.
    /// Nothing of it may be used then.
    fn edit<'a>(&self, signal: Signal, request: &'a [u8], moment: Moment<'_>) -> Result<Edited<'a>, Broken>;
}

/// A request after a processor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited<'a> {
    /// The request; borrowed where nothing changed. Without items it is empty.
    pub body: Cow<'a, [u8]>,
    /// Spans, data points or log records that the processor took away.
    pub filtered: u64,
    /// The errors that it passed over.
    pub ignored: Ignored,
}

/// Errors of conditions and statements that a processor passed over, as its `error_mode` wants it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ignored {
    /// How many there were, silent ones too.
    pub errors: u64,
    /// The first of those that are not silent.
    pub first: Option<Box<IgnoredError>>,
}

/// One error that was passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoredError {
    /// What failed.
    pub what: Failing,
    /// The condition or statement as it was written.
    pub text: String,
    /// What was wrong.
    pub error: String,
}

/// What may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing {
    /// A condition of its own.
    Condition,
    /// A statement, or the condition in it.
    Statement,
}

/// What a processor may know of the world outside the request.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'m> {
    /// Nanoseconds since the Unix epoch.
    pub wall_ns: u64,
    /// What random choices are made from; another one for each request.
    pub seed: u64,
    /// Who sent the request, where that is still known.
    pub client: Option<&'m Sender<'m>>,
}

/// Why a request cannot be edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It is no message of its signal.
    Wire(WireError),
    /// The processor's rules refuse it, as otelcol's `error_mode: propagate` does; in words for the client.
    Refused(String),
}

impl Moment<'_> {
    /// A moment in the life of a request that nobody knows the sender of.
    #[must_use]
    pub const fn at(wall_ns: u64, seed: u64) -> Self {
        Self { wall_ns, seed, client: None }
    }
}

impl<'a> Edited<'a> {
    /// The request as it came.
    #[must_use]
    pub fn unchanged(request: &'a [u8]) -> Self {
        Self::new(Cow::Borrowed(request), 0)
    }

    /// A request of which so many items were taken away, without an error.
    #[must_use]
    pub fn new(body: Cow<'a, [u8]>, filtered: u64) -> Self {
        Self { body, filtered, ignored: Ignored::default() }
    }
}

impl Ignored {
    /// These and those that came behind them.
    pub(crate) fn and(self, later: Self) -> Self {
        Self { errors: self.errors + later.errors, first: self.first.or(later.first) }
    }

    /// Does with an error what the mode says. Only the first one that is told allocates.
    ///
    /// # Errors
    /// [`Broken::Refused`], if it is not to be passed over.
    pub(crate) fn meet(
        &mut self,
        mode: ErrorMode,
        what: Failing,
        text: &str,
        error: &dyn fmt::Display,
    ) -> Result<(), Broken> {
        if mode == ErrorMode::Propagate {
            return Err(Broken::Refused(format!("the {what} `{text}` failed: {error}")));
        }
        self.errors += 1;
        if mode == ErrorMode::Ignore && self.first.is_none() {
            let (text, error) = (text.to_string(), error.to_string());
            self.first = Some(Box::new(IgnoredError { what, text, error }));
        }
        Ok(())
    }
}

impl fmt::Display for Failing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Condition => "condition",
            Self::Statement => "statement",
        })
    }
}

impl From<WireError> for Broken {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wire(error) => write!(f, "the request is not valid protobuf: {error}"),
            Self::Refused(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Broken {}
