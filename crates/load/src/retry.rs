//! google.rpc.RetryInfo, the part of a gRPC refusal that says when to come back.
//!
//! ```text
//! Status  { 1: code, 2: message, 3: details* }      what `grpc-status-details-bin` holds
//! Any     { 1: type_url, 2: value }                 one detail
//! RetryInfo { 1: Duration { 1: seconds, 2: nanos } }
//! ```

use otlp::wire::{Reader, WireError, WireType, put_len, put_uint};
use std::time::Duration;

/// Encodes a google.rpc.Status that asks to retry after `delay`.
#[must_use]
pub fn encode(code: i32, message: &str, delay: Duration) -> Vec<u8> {
    let (mut duration, mut info, mut any, mut status) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    put_uint(&mut duration, 1, delay.as_secs());
    put_uint(&mut duration, 2, u64::from(delay.subsec_nanos()));
    put_len(&mut info, 1, &duration);
    put_len(&mut any, 1, TYPE_URL.as_bytes());
    put_len(&mut any, 2, &info);
    put_uint(&mut status, 1, code as u64);
    put_len(&mut status, 2, message.as_bytes());
    put_len(&mut status, 3, &any);
    status
}

/// The delay that a google.rpc.Status asks for, if it has a RetryInfo.
#[must_use]
pub fn delay(status: &[u8]) -> Option<Duration> {
    details(status).unwrap_or_default()
}

fn details(status: &[u8]) -> Result<Option<Duration>, WireError> {
    let mut found = None;
    each_message(status, |field, any| {
        if field == 3 {
            let (mut is_retry_info, mut value) = (false, &[][..]);
            each_message(any, |field, bytes| {
                match field {
                    1 => is_retry_info = bytes == TYPE_URL.as_bytes(),
                    2 => value = bytes,
                    _ => {}
                }
                Ok(())
            })?;
            if is_retry_info {
                each_message(value, |field, duration| {
                    if field == 1 {
                        found = Some(duration_of(duration)?);
                    }
                    Ok(())
                })?;
            }
        }
        Ok(())
    })?;
    Ok(found)
}

fn duration_of(bytes: &[u8]) -> Result<Duration, WireError> {
    let mut reader = Reader::new(bytes);
    let (mut seconds, mut nanos) = (0, 0);
    while !reader.is_empty() {
        let tag = reader.tag()?;
        match (tag.field, tag.wire) {
            (1, WireType::Varint) => seconds = reader.varint()?,
            (2, WireType::Varint) => nanos = reader.varint()?,
            _ => reader.skip(tag, 4)?,
        }
    }
    // A negative delay is a huge number here; the longest wait is a day either way.
    Ok(Duration::from_secs(seconds.min(86_400)) + Duration::from_nanos(nanos.min(999_999_999)))
}

/// Calls `each` with every length-delimited field.
pub(crate) fn each_message<'a>(
    bytes: &'a [u8],
    mut each: impl FnMut(u32, &'a [u8]) -> Result<(), WireError>,
) -> Result<(), WireError> {
    let mut reader = Reader::new(bytes);
    while !reader.is_empty() {
        let tag = reader.tag()?;
        match tag.wire {
            WireType::Len => each(tag.field, reader.len_delimited()?)?,
            _ => reader.skip(tag, 1)?,
        }
    }
    Ok(())
}

const TYPE_URL: &str = "type.googleapis.com/google.rpc.RetryInfo";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_read() {
        for ms in [0, 1, 999, 1_000, 86_399_999] {
            let wanted = Duration::from_millis(ms);
            assert_eq!(delay(&encode(14, "later", wanted)), Some(wanted));
        }
    }

    #[test]
    fn anything_else_has_no_delay() {
        let whole = encode(14, "later", Duration::from_secs(5));
        for cut in 0..whole.len() {
            assert_eq!(delay(&whole[..cut]), None, "cut at {cut}");
        }
        assert_eq!(delay(&[0xff; 30]), None);
    }
}
