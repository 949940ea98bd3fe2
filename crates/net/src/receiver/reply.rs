//! Answers: the three signals' export responses and `google.rpc.Status` as bytes, in protobuf and in JSON.
//!
//! The messages are a handful of fields, written by hand; their oracle is prost, in the tests.

use std::time::Duration;

use otlp::Signal;
use otlp::wire::{put_len, put_uint};
use serde_json::{Value, json};

use super::Accepted;
use super::refused::Refused;

/// A client may bound what it reads (4 MiB in OTLP); nothing we say comes near, except a message, which is cut.
pub(super) const MESSAGE_BYTES_MAX: usize = 4096;

const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";
const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";

/// An export response in protobuf, whose fields have the same numbers for each signal: empty for full success, so that
/// `partial_success` stays unset.
pub(super) fn success(accepted: &Accepted) -> Vec<u8> {
    let mut partial = Vec::new();
    if accepted.rejected > 0 {
        put_uint(&mut partial, 1, accepted.rejected);
    }
    if !accepted.message.is_empty() {
        put_len(&mut partial, 2, shortened(&accepted.message).as_bytes());
    }
    let mut response = Vec::new();
    if !partial.is_empty() {
        put_len(&mut response, 1, &partial);
    }
    response
}

/// The same in JSON, where otelcol writes `partialSuccess` always.
pub(super) fn success_json(signal: Signal, accepted: &Accepted) -> Vec<u8> {
    let mut partial = serde_json::Map::new();
    if accepted.rejected > 0 {
        let rejected = match signal {
            Signal::Traces => "rejectedSpans",
            Signal::Metrics => "rejectedDataPoints",
            Signal::Logs => "rejectedLogRecords",
        };
        partial.insert(rejected.to_owned(), Value::String(accepted.rejected.to_string()));
    }
    if !accepted.message.is_empty() {
        partial.insert("errorMessage".to_owned(), shortened(&accepted.message).into());
    }
    json!({ "partialSuccess": partial }).to_string().into_bytes()
}

/// A `google.rpc.Status` in protobuf, with RetryInfo or BadRequest where they say something.
pub(super) fn status(refused: &Refused) -> Vec<u8> {
    let message = refused.message();
    let mut status = Vec::new();
    put_uint(&mut status, 1, refused.code() as u64);
    put_len(&mut status, 2, shortened(&message).as_bytes());
    if let Some(delay) = refused.retry_after() {
        let mut info = Vec::new();
        put_len(&mut info, 1, &duration(delay));
        put_detail(&mut status, RETRY_INFO, &info);
    }
    if let Refused::Malformed(why) = refused {
        let mut violation = Vec::new();
        put_len(&mut violation, 1, b"body");
        put_len(&mut violation, 2, shortened(why).as_bytes());
        let mut bad_request = Vec::new();
        put_len(&mut bad_request, 1, &violation);
        put_detail(&mut status, BAD_REQUEST, &bad_request);
    }
    status
}

/// The same in JSON.
pub(super) fn status_json(refused: &Refused) -> Vec<u8> {
    let mut details = Vec::new();
    if let Some(delay) = refused.retry_after() {
        details.push(json!({ "@type": RETRY_INFO, "retryDelay": seconds_text(delay) }));
    }
    if let Refused::Malformed(why) = refused {
        let violations = json!([{ "field": "body", "description": shortened(why) }]);
        details.push(json!({ "@type": BAD_REQUEST, "fieldViolations": violations }));
    }
    let mut status = json!({ "code": refused.code() as i32, "message": shortened(&refused.message()) });
    if !details.is_empty() {
        status["details"] = details.into();
    }
    status.to_string().into_bytes()
}

/// A message cut to its bound, at a character's edge.
pub(super) fn shortened(message: &str) -> &str {
    let mut end = message.len().min(MESSAGE_BYTES_MAX);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    &message[..end]
}

/// `google.protobuf.Any`.
fn put_detail(status: &mut Vec<u8>, type_url: &str, value: &[u8]) {
    let mut detail = Vec::new();
    put_len(&mut detail, 1, type_url.as_bytes());
    put_len(&mut detail, 2, value);
    put_len(status, 3, &detail);
}

/// `google.protobuf.Duration`.
fn duration(delay: Duration) -> Vec<u8> {
    let mut encoded = Vec::new();
    if delay.as_secs() > 0 {
        put_uint(&mut encoded, 1, delay.as_secs());
    }
    if delay.subsec_nanos() > 0 {
        put_uint(&mut encoded, 2, u64::from(delay.subsec_nanos()));
    }
    encoded
}

/// A duration in protobuf's JSON: `1.5s`.
fn seconds_text(delay: Duration) -> String {
    match delay.subsec_nanos() {
        0 => format!("{}s", delay.as_secs()),
        nanos => format!("{}.{nanos:09}s", delay.as_secs()),
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
    use prost::Message;

    use super::*;

    #[test]
    fn success_is_what_prost_reads() {
        let check = |rejected, message: &str, partial_success| {
            let accepted = Accepted { items: 1, rejected, message: message.to_owned() };
            let expected = ExportTraceServiceResponse { partial_success };
            assert_eq!(ExportTraceServiceResponse::decode(&*success(&accepted)), Ok(expected));
        };
        check(0, "", None);
        let partial = |rejected, message: &str| {
            Some(ExportTracePartialSuccess { rejected_spans: rejected, error_message: message.to_owned() })
        };
        check(7, "bad IDs", partial(7, "bad IDs"));
        check(0, "a warning", partial(0, "a warning"));
    }

    #[test]
    fn json_is_as_otelcol_writes_it() {
        let check = |signal, rejected, message: &str, expected: &str| {
            let accepted = Accepted { items: 1, rejected, message: message.to_owned() };
            assert_eq!(String::from_utf8(success_json(signal, &accepted)).unwrap(), expected);
        };
        check(Signal::Traces, 0, "", r#"{"partialSuccess":{}}"#);
        check(Signal::Metrics, 7, "", r#"{"partialSuccess":{"rejectedDataPoints":"7"}}"#);
        check(Signal::Logs, 7, "", r#"{"partialSuccess":{"rejectedLogRecords":"7"}}"#);
        check(
            Signal::Traces,
            7,
            "bad \"IDs\"",
            r#"{"partialSuccess":{"errorMessage":"bad \"IDs\"","rejectedSpans":"7"}}"#,
        );
        let overloaded = Refused::Overloaded(Duration::from_millis(1500));
        let text = String::from_utf8(status_json(&overloaded)).unwrap();
        assert!(text.contains(r#""code":14"#) && text.contains(r#""retryDelay":"1.500000000s""#), "{text}");
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let long = "ä".repeat(MESSAGE_BYTES_MAX);
        assert_eq!(shortened(&long).len(), MESSAGE_BYTES_MAX);
        assert_eq!(shortened(&format!("x{long}")).len(), MESSAGE_BYTES_MAX - 1);
    }
}
