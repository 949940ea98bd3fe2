//! What exporters do with requests of any signal: halve them, count their items, write them as JSON.

use otlp::Signal;
use otlp::wire::WireError;

/// Two requests with half of the items each; `None` where there is nothing to halve.
pub(super) fn split(signal: Signal, request: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    match signal {
        Signal::Traces => otlp::assemble::split(request),
        Signal::Metrics | Signal::Logs => None,
    }
}

/// How many items a request has.
pub(super) fn count(signal: Signal, request: &[u8]) -> Option<u32> {
    match signal {
        Signal::Traces => u32::try_from(otlp::view::spans(request).count()).ok(),
        Signal::Metrics | Signal::Logs => Some(1),
    }
}

/// A request as OTLP/JSON.
pub(super) fn encode_json(signal: Signal, request: &[u8]) -> Result<Vec<u8>, WireError> {
    match signal {
        Signal::Traces => otlp::json::encode(request),
        Signal::Metrics | Signal::Logs => Err(WireError::BadTag),
    }
}
