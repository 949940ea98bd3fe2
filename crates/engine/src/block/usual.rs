//! The usual span taken apart: the fields that no two spans share, and the text that many do.
//!
//! ```text
//! 0a 10 trace ID · 12 08 span ID · [22 08 parent ID] · middle · 39 start · 41 end · tail
//! ```
//! SDKs write a span's fields in the order of their numbers, so nearly every span looks like this; the middle is its trace
//! state, name and kind, the tail everything from the attributes on. IDs and times are random to a compressor: among the
//! text they cost it time, end its matches, and come out as long as they went in. Middle and tail next to each other are
//! what the span before of the same kind said, too. A span that looks otherwise is not taken apart.

use otlp::TraceId;

/// The fields of a usual span that are stored apart from its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usual {
    pub(crate) span_id: [u8; 8],
    pub(crate) parent_id: Option<[u8; 8]>,
    pub(crate) start_ns: u64,
    pub(crate) end_ns: u64,
    /// Length of the middle; the rest of the text is the tail.
    pub(crate) middle: u8,
}

/// The fields as they are stored: span ID, parent ID if any, length of the middle, start, duration; little endian.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Apart {
    bytes: [u8; CHILD_LEN],
    len: usize,
}

/// What stands in front of the middle, as it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Front {
    bytes: [u8; FRONT_MAX],
    len: usize,
}

const TRACE_ID: [u8; 2] = [0x0a, 16];
const SPAN_ID: [u8; 2] = [0x12, 8];
const PARENT_ID: [u8; 2] = [0x22, 8];
const START: u8 = 0x39;
const END: u8 = 0x41;

/// Length of the stored fields of a span without a parent, and with one.
pub(crate) const ROOT_LEN: usize = 8 + 1 + START_LEN + DURATION_LEN;
pub(crate) const CHILD_LEN: usize = 8 + ROOT_LEN;

/// Bytes of a start: 18 minutes, half of them before the first span of the block.
const START_LEN: usize = 5;
const START_BITS: u32 = 8 * START_LEN as u32;
/// Bytes of a duration: 4.2 s. Spans that last longer are stored whole.
const DURATION_LEN: usize = 4;

/// Bytes of a body that are not in its text, at most.
pub(crate) const APART_MAX: usize = FRONT_MAX + TIMES_LEN;

const FRONT_MAX: usize = 2 + 16 + 2 * (2 + 8);
const TIMES_LEN: usize = 2 * (1 + 8);
/// Fields of the middle: trace state, a parent behind it, name, kind.
const MIDDLE_FIELDS_MAX: usize = 4;

impl Usual {
    /// Takes the body of a span of the trace `id` apart: its fields, its middle and its tail.
    #[inline]
    pub(crate) fn split(id: TraceId, body: &[u8]) -> Option<(Self, &[u8], &[u8])> {
        let rest = body.strip_prefix(&TRACE_ID)?.strip_prefix(&id.0)?;
        let (span_id, rest) = id_field(rest, SPAN_ID)?;
        let (parent_id, rest) = match id_field(rest, PARENT_ID) {
            Some((parent_id, rest)) => (Some(parent_id), rest),
            None => (None, rest),
        };
        let middle = middle_len(rest)?;
        let (middle, rest) = rest.split_at_checked(middle)?;
        let (times, tail) = rest.split_first_chunk::<TIMES_LEN>()?;
        let (&[start_key], times) = times.split_first_chunk()?;
        let (start, times) = times.split_first_chunk()?;
        let (&[end_key], times) = times.split_first_chunk()?;
        let end = times.first_chunk()?;
        if start_key != START || end_key != END {
            return None;
        }
        let (start_ns, end_ns) = (u64::from_le_bytes(*start), u64::from_le_bytes(*end));
        Some((Self { span_id, parent_id, start_ns, end_ns, middle: u8::try_from(middle.len()).ok()? }, middle, tail))
    }

    /// What starts count from in a block that begins with this span.
    pub(crate) fn base_ns(&self) -> u64 {
        self.start_ns.saturating_sub(1 << (START_BITS - 1))
    }

    /// The fields as a block stores them, if the times fit.
    #[inline]
    pub(crate) fn store(&self, base_ns: u64) -> Option<Apart> {
        let start = self.start_ns.checked_sub(base_ns).filter(|start| start >> START_BITS == 0)?;
        let duration = u32::try_from(self.end_ns.checked_sub(self.start_ns)?).ok()?;
        let mut apart = Apart { bytes: [0; CHILD_LEN], len: 0 };
        apart.push(self.span_id);
        if let Some(parent_id) = self.parent_id {
            apart.push(parent_id);
        }
        apart.push([self.middle]);
        let [a, b, c, d, e, ..] = start.to_le_bytes();
        apart.push([a, b, c, d, e]);
        apart.push(duration.to_le_bytes());
        Some(apart)
    }

    /// The fields from what was stored; nothing if nothing was.
    #[inline]
    pub(crate) fn load(apart: &[u8], base_ns: u64) -> Option<Self> {
        let (span_id, rest) = apart.split_first_chunk()?;
        let (parent_id, rest) = match rest.split_first_chunk() {
            Some((parent_id, rest)) if apart.len() == CHILD_LEN => (Some(*parent_id), rest),
            _ => (None, rest),
        };
        let (&[middle], rest) = rest.split_first_chunk()?;
        let (&[a, b, c, d, e], rest) = rest.split_first_chunk()?;
        let start_ns = base_ns.wrapping_add(u64::from_le_bytes([a, b, c, d, e, 0, 0, 0]));
        let end_ns = start_ns.wrapping_add(u64::from(u32::from_le_bytes(*rest.first_chunk()?)));
        Some(Self { span_id: *span_id, parent_id, start_ns, end_ns, middle })
    }

    /// What stands in front of the middle in a span of the trace `id`.
    pub(crate) fn front(&self, id: TraceId) -> Front {
        let mut front = Front { bytes: [0; FRONT_MAX], len: 0 };
        front.push(&TRACE_ID);
        front.push(&id.0);
        front.push(&SPAN_ID);
        front.push(&self.span_id);
        if let Some(parent_id) = &self.parent_id {
            front.push(&PARENT_ID);
            front.push(parent_id);
        }
        front
    }

    /// What stands between the middle and the tail.
    pub(crate) fn times(&self) -> [u8; TIMES_LEN] {
        let mut times = [START; TIMES_LEN];
        times[1..9].copy_from_slice(&self.start_ns.to_le_bytes());
        times[9] = END;
        times[10..].copy_from_slice(&self.end_ns.to_le_bytes());
        times
    }
}

impl Apart {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn push<const N: usize>(&mut self, bytes: [u8; N]) {
        self.bytes[self.len..self.len + N].copy_from_slice(&bytes);
        self.len += N;
    }
}

impl Front {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn push(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }
}

#[inline]
fn id_field(bytes: &[u8], key: [u8; 2]) -> Option<([u8; 8], &[u8])> {
    let (id, rest) = bytes.strip_prefix(&key)?.split_first_chunk()?;
    Some((*id, rest))
}

/// Length of the fields in front of the start time.
#[inline]
fn middle_len(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    for _ in 0..=MIDDLE_FIELDS_MAX {
        at += match *bytes.get(at..)? {
            [START, ..] => return Some(at),
            [0x30, kind, ..] if kind < 0x80 => 2,
            [0x1a | 0x22 | 0x2a, len, ..] if len < 0x80 => 2 + usize::from(len),
            [0x1a | 0x2a, low, high, ..] if high < 0x80 => 3 + (usize::from(low & 0x7f) | usize::from(high) << 7),
            _ => return None,
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: TraceId = TraceId(*b"0123456789abcdef");
    const TIMES: &[u8] = b"\x39\x01\x02\x03\x04\x05\x06\x07\x08\x41\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10";

    fn check(body: &[u8], middle: Option<&[u8]>) {
        let split = Usual::split(ID, body);
        assert_eq!(split.map(|(_, middle, _)| middle), middle, "{body:x?}");
        if let Some((usual, middle, tail)) = split {
            if let Some(apart) = usual.store(usual.base_ns()) {
                assert_eq!(Usual::load(apart.as_bytes(), usual.base_ns()), Some(usual));
            }
            assert_eq!([usual.front(ID).as_bytes(), middle, &usual.times(), tail].concat(), body);
        }
    }

    #[test]
    fn what_sdks_send() {
        let ids = b"\x0a\x100123456789abcdef\x12\x08spanspan";
        let parent = b"\x22\x08parentid";
        let long = [&b"\x2a\xc8\x01"[..], &[b'n'; 200]].concat();
        for middle in [&b"\x2a\x04name\x30\x02"[..], b"", b"\x2a\x00", b"\x1a\x03k=v\x2a\x01n\x30\x05", &long] {
            for tail in [&b""[..], b"\x4a\x02kv"] {
                check(&[ids, middle, TIMES, tail].concat(), Some(middle));
                check(&[ids, &parent[..], middle, TIMES, tail].concat(), Some(middle));
            }
        }
        check(
            &[ids, &b"\x1a\x03k=v"[..], parent, b"\x2a\x01n", TIMES].concat(),
            Some(b"\x1a\x03k=v\x22\x08parentid\x2a\x01n"),
        );
    }

    #[test]
    fn what_looks_otherwise() {
        let ids = b"\x0a\x100123456789abcdef\x12\x08spanspan";
        check(b"", None);
        check(ids, None);
        check(&[b"\x0a\x10another trace's ID\x12\x08spanspan", TIMES].concat(), None);
        check(&[b"\x0a\x100123456789abcdef\x12\x04span", TIMES].concat(), None);
        check(&[&ids[..], b"\x2a\x04na", TIMES].concat(), None);
        check(&[&ids[..], &TIMES[..17]].concat(), None);
        check(&[&ids[..], b"\x4a\x02kv", TIMES].concat(), None);
    }

    #[test]
    fn times_that_fit() {
        let usual = Usual { span_id: [1; 8], parent_id: None, start_ns: 1 << 60, end_ns: (1 << 60) + 5, middle: 3 };
        let base_ns = usual.base_ns();
        for (start_ns, duration_ns, fits) in [
            (base_ns, 0, true),
            (base_ns - 1, 0, false),
            (base_ns + (1 << 40) - 1, u64::from(u32::MAX), true),
            (base_ns + (1 << 40), 0, false),
            (1 << 60, 1 << 32, false),
        ] {
            for parent_id in [None, Some([7; 8])] {
                let usual = Usual { start_ns, end_ns: start_ns + duration_ns, parent_id, ..usual };
                let stored = usual.store(base_ns);
                assert_eq!(stored.is_some(), fits, "{start_ns} + {duration_ns}");
                if let Some(apart) = stored {
                    assert_eq!(apart.as_bytes().len(), if parent_id.is_some() { CHILD_LEN } else { ROOT_LEN });
                    assert_eq!(Usual::load(apart.as_bytes(), base_ns), Some(usual));
                }
            }
        }
        assert!(Usual { end_ns: 0, ..usual }.store(base_ns).is_none());
        assert_eq!(Usual::load(&[], base_ns), None);
    }

    proptest! {
        #[test]
        fn nothing_gets_lost(tail in prop::collection::vec(any::<u8>(), 0..80), cut in 0usize..80) {
            let body = [&b"\x0a\x100123456789abcdef\x12\x08spanspan\x22\x08parentid\x2a\x03abc"[..], TIMES, &tail].concat();
            let body = &body[..cut.min(body.len())];
            if let Some((usual, middle, tail)) = Usual::split(ID, body) {
                let again = [usual.front(ID).as_bytes(), middle, &usual.times(), tail].concat();
                prop_assert_eq!(&again[..], body);
            }
        }
    }
}
