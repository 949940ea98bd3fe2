//! A request of any signal as JSON.

use otlp::Signal;

/// A request as OTLP/JSON, or why it cannot be.
pub(super) fn encode_json(signal: Signal, request: &[u8]) -> Result<Vec<u8>, String> {
    otlp::json::encode(signal, request).map_err(|error| error.to_string())
}
