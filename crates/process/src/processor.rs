//! What a processor is to the pipeline that it stands in.

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
    fn edit<'a>(&self, signal: Signal, request: &'a [u8], moment: Moment) -> Result<Edited<'a>, Broken>;
}

/// A request after a processor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited<'a> {
    /// The request; borrowed where nothing changed. Without items it is empty.
    pub body: Cow<'a, [u8]>,
    /// Spans, data points or log records that the processor took away.
    pub filtered: u64,
}

/// What a processor may know of the world outside the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Nanoseconds since the Unix epoch.
    pub wall_ns: u64,
    /// What random choices are made from; another one for each request.
    pub seed: u64,
}

/// Why a request cannot be edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It is no message of its signal.
    Wire(WireError),
    /// The processor's rules refuse it, as otelcol's `error_mode: propagate` does; in words for the client.
    Refused(String),
}

impl<'a> Edited<'a> {
    /// The request as it came.
    #[must_use]
    pub fn unchanged(request: &'a [u8]) -> Self {
        Self { body: Cow::Borrowed(request), filtered: 0 }
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
