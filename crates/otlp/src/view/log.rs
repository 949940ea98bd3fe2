//! Reads single log records. (opentelemetry-proto, `logs.proto`)

use super::{
    Attributes,
    fields::{Bodies, bytes, fixed32, fixed64, int32, uint32},
};
use crate::wire::{Reader, WireError};

/// The fields of a log record.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogView<'a> {
    /// When it happened, nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// When it was seen, nanoseconds since the Unix epoch.
    pub observed_ns: u64,
    /// `SeverityNumber`: 0 unspecified, 1 trace, 5 debug, 9 info, 13 warn, 17 error, 21 fatal, and what lies between.
    pub severity: i32,
    /// The severity as the source names it.
    pub severity_text: &'a [u8],
    /// The `AnyValue` of the body; empty if it is absent.
    pub value: &'a [u8],
    /// How many attributes the sender left out.
    pub dropped_attributes: u32,
    /// W3C flags.
    pub flags: u32,
    /// The trace ID as sent, of any length.
    pub trace_id: &'a [u8],
    /// The span ID as sent, of any length.
    pub span_id: &'a [u8],
    /// The name of the event that this record is, if it is one.
    pub event_name: &'a [u8],
    /// The whole message body.
    pub body: &'a [u8],
}

impl<'a> LogView<'a> {
    /// Reads the fields of a LogRecord.
    ///
    /// # Errors
    /// Where the structure is broken.
    pub fn parse(body: &'a [u8]) -> Result<Self, WireError> {
        let mut view = Self { body, ..Self::default() };
        let mut reader = Reader::new(body);
        while !reader.is_empty() {
            let tag = reader.tag()?;
            match tag.field {
                1 => view.time_ns = fixed64(&mut reader, tag)?,
                2 => view.severity = int32(&mut reader, tag)?,
                3 => view.severity_text = bytes(&mut reader, tag)?,
                5 => view.value = bytes(&mut reader, tag)?,
                7 => view.dropped_attributes = uint32(&mut reader, tag)?,
                8 => view.flags = fixed32(&mut reader, tag)?,
                9 => view.trace_id = bytes(&mut reader, tag)?,
                10 => view.span_id = bytes(&mut reader, tag)?,
                11 => view.observed_ns = fixed64(&mut reader, tag)?,
                12 => view.event_name = bytes(&mut reader, tag)?,
                _ => reader.skip(tag, 3)?,
            }
        }
        Ok(view)
    }

    /// The record's own attributes.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes::of(Bodies::new(self.body, 6, 3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{put_fixed32, put_fixed64, put_len, put_uint};

    #[test]
    fn fields() {
        let mut body = Vec::new();
        put_fixed64(&mut body, 1, 5);
        put_uint(&mut body, 2, 17);
        put_len(&mut body, 3, b"ERR");
        put_len(&mut body, 5, &[0x0a, 1, b'x']);
        put_len(&mut body, 6, &[0x0a, 1, b'k', 0x12, 2, 0x18, 7]);
        put_fixed32(&mut body, 8, 1);
        put_fixed64(&mut body, 11, 6);
        put_len(&mut body, 99, b"unknown");
        let view = LogView::parse(&body).unwrap();
        assert_eq!((view.time_ns, view.observed_ns, view.severity, view.flags), (5, 6, 17, 1));
        assert_eq!((view.severity_text, view.value), (&b"ERR"[..], &[0x0a, 1, b'x'][..]));
        assert_eq!(view.attributes().collect::<Vec<_>>(), [(&b"k"[..], crate::Value::Int(7))]);
        assert!(LogView::parse(&body[..body.len() - 1]).is_err());
    }
}
