//! OTLP to Zipkin v2 JSON.
//!
//! The mapping is OpenTelemetry's (specification, "OpenTelemetry to Zipkin Transformation"); where that says nothing
//! (resource, scope, trace state, links, event attributes) it is that of the collector's exporter, so that its receiver
//! restores them. Where the two differ:
//!
//! | | specification | collector | here |
//! |---|---|---|---|
//! | `otel.status_code` | `OK`, `ERROR` | `STATUS_CODE_OK`, … | specification |
//! | `error` | the status message | `true` | the message, `true` where there is none |
//! | name, service name | as they are | lower case | as they are; Zipkin itself lowers them |
//! | attributes that name the peer | tags and remote endpoint | only remote endpoint | tags and remote endpoint |
//! | a span that ends before it starts | – | fails the request | has no duration |
//! | a span without a span ID | – | fails the request | is left out and counted |
//!
//! Each span repeats its resource as tags, so the output can be many times the input; hence the limit of [`encode`].

mod endpoint;
mod span;

use otlp::{view, wire::WireError};
use std::fmt;

/// What the exporter's user may choose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// The service name of spans whose resource has none.
    pub default_service_name: String,
}

/// A list of Zipkin spans.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Encoded {
    /// The JSON array.
    pub body: Vec<u8>,
    /// How many spans it has.
    pub spans: u64,
    /// How many spans of the request have no Zipkin form, because their trace or span ID is not valid.
    pub rejected: u64,
}

/// Why there is no Zipkin form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EncodeError {
    /// The request is not OTLP.
    Malformed(WireError),
    /// The JSON would be larger than the limit; half of the request may fit.
    TooLarge {
        /// The limit.
        bytes_max: usize,
    },
}

/// Turns an OTLP request into a body for `POST /api/v2/spans` of at most `bytes_max` bytes.
///
/// # Errors
/// Where the request is malformed or its JSON is too large.
pub fn encode(request: &[u8], settings: &Settings, bytes_max: usize) -> Result<Encoded, EncodeError> {
    let mut encoded = Encoded { body: vec![b'['], ..Encoded::default() };
    for context in view::spans(request) {
        let context = context.map_err(EncodeError::Malformed)?;
        let end = encoded.body.len();
        if encoded.spans > 0 {
            encoded.body.push(b',');
        }
        if span::write(&mut encoded.body, &context, settings) {
            encoded.spans += 1;
        } else {
            encoded.body.truncate(end);
            encoded.rejected += 1;
        }
        if encoded.body.len() >= bytes_max {
            return Err(EncodeError::TooLarge { bytes_max });
        }
    }
    encoded.body.push(b']');
    Ok(encoded)
}

impl Default for Settings {
    /// The collector's.
    fn default() -> Self {
        Self { default_service_name: "<missing service name>".into() }
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "the request is not OTLP: {error}"),
            Self::TooLarge { bytes_max } => write!(f, "the spans take more than {bytes_max} bytes as Zipkin JSON"),
        }
    }
}

impl std::error::Error for EncodeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Malformed(error) => Some(error),
            Self::TooLarge { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
