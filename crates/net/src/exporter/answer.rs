//! What peers say, read without trust: OTLP's partial success, `google.rpc.Status`, RetryInfo, Retry-After.
//!
//! Text fields are declared as bytes: the wire is the same, and a peer's broken UTF-8 costs nothing but a few characters.

use std::time::{Duration, SystemTime};

use prost::Message;

use super::{Delivered, readable};

/// `ExportTraceServiceResponse`, and those of metrics and logs, which are alike.
#[derive(Clone, PartialEq, Message)]
struct ExportResponse {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

#[derive(Clone, PartialEq, Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected: i64,
    #[prost(bytes = "vec", tag = "2")]
    error_message: Vec<u8>,
}

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(bytes = "vec", tag = "2")]
    message: Vec<u8>,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Detail>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
struct Detail {
    #[prost(bytes = "vec", tag = "1")]
    type_url: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<RetryDelay>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, PartialEq, Message)]
struct RetryDelay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

/// What an answer of a peer that took the request says. An unreadable one is success: the status said so.
pub(super) fn delivered_protobuf(body: &[u8]) -> Delivered {
    let partial = ExportResponse::decode(body).ok().and_then(|response| response.partial_success).unwrap_or_default();
    Delivered {
        rejected: u64::try_from(partial.rejected).unwrap_or(0),
        message: readable(&String::from_utf8_lossy(&partial.error_message)),
    }
}

/// As [`delivered_protobuf`], from OTLP/JSON.
pub(super) fn delivered_json(body: &[u8]) -> Delivered {
    let response: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let partial = &response["partialSuccess"];
    let named = ["rejectedSpans", "rejectedDataPoints", "rejectedLogRecords"].into_iter().map(|key| &partial[key]);
    let rejected = named.into_iter().find(|count| !count.is_null()).unwrap_or(&serde_json::Value::Null);
    Delivered {
        rejected: rejected.as_u64().or_else(|| rejected.as_str()?.parse().ok()).unwrap_or(0),
        message: readable(response["partialSuccess"]["errorMessage"].as_str().unwrap_or_default()),
    }
}

/// The delay of a RetryInfo among the details of an encoded `google.rpc.Status`.
pub(super) fn retry_info(status: &[u8]) -> Option<Duration> {
    let status = RpcStatus::decode(status).ok()?;
    let info = status.details.iter().find(|detail| detail.type_url.ends_with(b"google.rpc.RetryInfo"))?;
    let delay = RetryInfo::decode(info.value.as_slice()).ok()?.retry_delay.unwrap_or_default();
    let nanos = u32::try_from(delay.nanos).unwrap_or(0).min(999_999_999);
    Some(Duration::new(u64::try_from(delay.seconds).unwrap_or(0), nanos))
}

/// The message of a failed HTTP answer: of a `google.rpc.Status` in protobuf or JSON, or the text itself.
pub(super) fn error_text(content_type: &[u8], body: &[u8]) -> String {
    let message = if content_type.starts_with(b"application/x-protobuf") {
        RpcStatus::decode(body).ok().map(|status| String::from_utf8_lossy(&status.message).into_owned())
    } else if content_type.starts_with(b"application/json") {
        let status: Option<serde_json::Value> = serde_json::from_slice(body).ok();
        status.and_then(|status| Some(status.get("message")?.as_str()?.to_owned()))
    } else {
        None
    };
    readable(message.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned()).trim())
}

/// Retry-After: whole seconds or an HTTP date; a date in the past is zero, anything else is as if it were not there.
pub(super) fn retry_after(value: &[u8], now: SystemTime) -> Option<Duration> {
    let text = std::str::from_utf8(value).ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    Some(at.duration_since(now).unwrap_or_default())
}

/// An encoded `google.rpc.Status` with a RetryInfo, as servers send it.
#[cfg(test)]
pub(super) fn status_with_retry_info(code: i32, delay: Duration) -> Vec<u8> {
    let seconds = i64::try_from(delay.as_secs()).unwrap();
    let retry_delay = Some(RetryDelay { seconds, nanos: delay.subsec_nanos().cast_signed() });
    let value = RetryInfo { retry_delay }.encode_to_vec();
    let details = vec![Detail { type_url: b"type.googleapis.com/google.rpc.RetryInfo".to_vec(), value }];
    RpcStatus { code, message: b"later".to_vec(), details }.encode_to_vec()
}

/// An encoded partial success.
#[cfg(test)]
pub(super) fn partial_success(rejected: i64, message: &str) -> Vec<u8> {
    let partial_success = Some(PartialSuccess { rejected, error_message: message.as_bytes().to_vec() });
    ExportResponse { partial_success }.encode_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_partial_success_in_both_encodings() {
        let expected = Delivered { rejected: 3, message: "three were bad".to_owned() };
        assert_eq!(delivered_protobuf(&partial_success(3, "three were bad")), expected);
        for json in [
            r#"{"partialSuccess":{"rejectedDataPoints":"3","errorMessage":"three were bad"}}"#,
            r#"{"partialSuccess":{"rejectedLogRecords":3,"errorMessage":"three were bad"}}"#,
            r#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"three were bad"}}"#,
            r#"{"partialSuccess":{"rejectedSpans":3,"errorMessage":"three were bad"}}"#,
        ] {
            assert_eq!(delivered_json(json.as_bytes()), expected);
        }
    }

    #[test]
    fn an_odd_answer_of_success_is_success() {
        for body in [&b""[..], b"\xff\xff\xff", b"{", b"{}", b"[]", b"null", br#"{"partialSuccess":[]}"#, b"<html>"] {
            assert_eq!(delivered_protobuf(body), Delivered::default());
            assert_eq!(delivered_json(body), Delivered::default());
        }
        assert_eq!(delivered_protobuf(&partial_success(-5, "")).rejected, 0);
    }

    #[test]
    fn reads_retry_info() {
        for delay in [Duration::ZERO, Duration::from_millis(1500), Duration::from_secs(3600)] {
            assert_eq!(retry_info(&status_with_retry_info(14, delay)), Some(delay));
        }
        for broken in [&b""[..], b"\xff", &status_with_retry_info(14, Duration::ZERO)[..10]] {
            assert_eq!(retry_info(broken), None);
        }
    }

    #[test]
    fn reads_retry_after_in_both_forms() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777); // Sun, 06 Nov 1994 08:49:37 GMT
        for (value, expected) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:49:07 GMT", Some(0)),
            ("soon", None),
            ("-3", None),
            ("1.5", None),
            ("", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(retry_after(value.as_bytes(), now), expected.map(Duration::from_secs), "{value}");
        }
        assert_eq!(retry_after(b"\xff", now), None);
    }

    #[test]
    fn finds_the_message_of_a_failure() {
        let status = status_with_retry_info(14, Duration::ZERO);
        assert_eq!(error_text(b"application/x-protobuf", &status), "later");
        assert_eq!(error_text(b"application/json; charset=utf-8", br#"{"code":3,"message":"no"}"#), "no");
        assert_eq!(error_text(b"application/json", b"oops"), "oops");
        assert_eq!(error_text(b"text/html", b" <h1>\r\n"), "<h1>");
    }
}
