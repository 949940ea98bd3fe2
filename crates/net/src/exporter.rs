//! The sending half: what a destination is sent, how an exporter answers, and the closed set of exporters.
//!
//! ```text
//!  Arc<Batch> ─offer─► Destination (queue, cursor, retry, split, books) ─► dyn Exporter (one attempt, one answer)
//! ```
//!
//! An exporter knows one protocol and makes one attempt; it never retries and never counts. A destination knows no
//! protocol and does both. So a new protocol needs neither backoff nor books, and the books are the same for all.

pub mod client;
pub mod compress;
pub mod debug;
pub mod destination;
pub mod file;
pub mod http;
pub mod nop;
pub mod otlp_grpc;
pub mod otlp_http;
pub mod queue;
pub mod retry;
pub mod zipkin;

mod answer;
mod credentials;
mod delivery;
#[cfg(test)]
pub(crate) mod peer;
#[cfg(test)]
mod route_tests;
#[cfg(test)]
mod settings_tests;
#[cfg(test)]
mod tls_tests;

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use otlp::Signal;
use settings::{Fields, Problems};

use crate::BoxFuture;
use crate::budget::Charge;
use crate::client::Client;

pub use destination::{Destination, DestinationStats, DropReason, SentSizes, SizeHistogram};
pub use queue::QueueSettings;
pub use retry::RetrySettings;

pub(crate) use http::parse_url;

/// Items on their way out: immutable, shared by all destinations, freed when the last one is done with it.
pub struct Batch {
    /// What `body` carries.
    pub signal: Signal,
    /// An encoded export request of the signal, such as an `ExportTraceServiceRequest`.
    pub body: Bytes,
    /// How many spans, data points or log records `body` holds.
    pub items: u32,
    /// What to say about each trace; filled only where a destination [wants it](Exporter::wants_notes).
    pub notes: Vec<TraceNote>,
    /// Who sent it, where that is one client and is still known.
    pub client: Option<Arc<Client>>,
    /// What the budget holds for this batch; given back when the batch is dropped.
    pub charge: Charge,
    /// Source tokens: dropping them tells the source that these spans are delivered or given up everywhere.
    pub tokens: Vec<Arc<dyn Any + Send + Sync>>,
}

/// Why one trace of a batch was kept.
#[derive(Clone, Debug)]
pub struct TraceNote {
    /// The trace.
    pub trace_id: [u8; 16],
    /// How many of its spans this decision kept.
    pub spans: u32,
    /// The policy that decided, to be counted by.
    pub policy: String,
    /// Whether the spans came after the verdict and followed it.
    pub late: bool,
    /// The reason, as people read it.
    pub why: String,
}

/// Speaks one protocol to one place. One call is one attempt.
pub trait Exporter: Send + Sync + 'static {
    /// Sends `body`, which is `batch.body` or a part of it after a split. The caller may drop the future at any time.
    fn export<'a>(&'a self, body: Bytes, batch: &'a Batch) -> BoxFuture<'a, Result<Delivered, ExportError>>;

    /// Everything was sent: what the exporter still holds back is to be written. Called once, at the end of a drain.
    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    /// Whether batches for this exporter should carry [`TraceNote`]s.
    fn wants_notes(&self) -> bool {
        false
    }
}

/// The peer took the request.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Delivered {
    /// Items that the peer says it did not take (partial success). They are never sent again.
    pub rejected: u64,
    /// What the peer had to say about it.
    pub message: String,
}

/// An attempt that failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExportError {
    /// What to do about it.
    pub kind: Kind,
    /// What happened, for people: one line, bounded, without control characters.
    pub message: String,
}

/// What to do about a failed attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Try again later, not before `after` where the peer said so.
    Retry {
        /// RetryInfo or Retry-After: the least time to wait.
        after: Option<Duration>,
    },
    /// The peer will never take this request. Parts of it, perhaps.
    Refused,
    /// The request is too large for the peer; halves of it may pass.
    TooLarge,
    /// No part of it will ever be taken: wrong credentials, no such service.
    Permanent,
}

/// The longest text of a peer that is kept.
const MESSAGE_CHARS_MAX: usize = 512;

impl ExportError {
    /// An error whose message may hold a peer's text: it is cut and cleaned here.
    #[must_use]
    pub fn new(kind: Kind, message: impl fmt::Display) -> Self {
        Self { kind, message: readable(&message.to_string()) }
    }

    /// A failure that time may mend.
    #[must_use]
    pub fn retry(message: impl fmt::Display) -> Self {
        Self::new(Kind::Retry { after: None }, message)
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ExportError {}

/// A peer's text made safe for a log line: control and bidirectional characters become spaces, the length is bounded.
pub(crate) fn readable(text: &str) -> String {
    let hostile = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().take(MESSAGE_CHARS_MAX).map(|c| if hostile(c) { ' ' } else { c }).collect()
}

/// Settings of otelcol that are not built: an error where they are written, instead of silence about what will not happen.
pub(crate) fn refuse_unsupported(fields: &mut Fields<'_>, keys: &[&str], p: &mut Problems) {
    for key in keys {
        let Some(node) = fields.unsupported(key).filter(|node| !node.is_absent()) else { continue };
        // Empty lists, maps and texts are how otelcol's own defaults are written.
        let empty = match &node.value {
            settings::Value::List(items) => items.is_empty(),
            settings::Value::Map(entries) => entries.is_empty(),
            settings::Value::Text(text) => text.is_empty(),
            _ => false,
        };
        if !empty {
            p.error(&node.at, format!("`{key}` is not supported by this version yet"), "remove it".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peers_text_cannot_paint_the_terminal_or_flood_the_log() {
        assert_eq!(readable("bad \u{1b}[31mred\r\nline\u{202e}"), "bad  [31mred  line ");
        assert_eq!(readable(&"x".repeat(100_000)).len(), MESSAGE_CHARS_MAX);
    }
}
