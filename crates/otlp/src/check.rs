//! Checks every byte of a request's structure and counts its items, for what passes through unread.
//!
//! What it takes and refuses is what prost does, bar the UTF-8 of texts, which otelcol does not look at either. The messages
//! that are open stand on a fixed stack as deep as the depth limit, so that no nesting can overflow anything, nothing is
//! allocated, and a large request can be checked in steps.

use crate::Signal;
use crate::scan::{Progress, ScanError, attribute};
use crate::schema::{Message, step};
use crate::wire::{DEPTH_MAX, Reader, WireError};

/// What a request holds.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counts {
    /// Spans, data points or log records. A metric without data has none.
    pub items: u64,
    /// Spans, metrics or log records: the messages in the envelopes.
    pub records: u64,
}

/// A check and how far it has come; reused from request to request.
#[derive(Debug)]
pub struct Check {
    /// Messages that wait while one of their fields is checked, outermost first. Only those before `open` mean something.
    parents: [Parent; DEPTH_MAX as usize],
    open: usize,
    /// The message whose fields come next, and where it ends.
    message: Message,
    end: usize,
    at: usize,
    counts: Counts,
    metric: Metric,
}

#[derive(Clone, Copy, Debug)]
struct Parent {
    message: Message,
    end: usize,
}

/// The data of the open metric: of a `oneof` the last kind counts, and its parts are merged.
#[derive(Clone, Copy, Default, Debug)]
struct Metric {
    data: Option<Message>,
    points: u64,
}

/// Checks the whole of `request`.
///
/// # Errors
/// [`ScanError`] if it is not a request of `signal`.
pub fn check(signal: Signal, request: &[u8]) -> Result<Counts, ScanError> {
    let mut check = Check::new();
    check.begin(signal);
    check.advance(request, usize::MAX)?;
    Ok(check.counts())
}

impl Check {
    /// A check that has not begun.
    #[must_use]
    pub fn new() -> Self {
        let nothing = Parent { message: Message::TracesRequest, end: 0 };
        Self {
            parents: [nothing; DEPTH_MAX as usize],
            open: 0,
            message: nothing.message,
            end: 0,
            at: 0,
            counts: Counts::default(),
            metric: Metric::default(),
        }
    }

    /// Forgets the last request; the next is one of `signal`.
    pub fn begin(&mut self, signal: Signal) {
        self.open = 0;
        self.message = Message::request(signal);
        self.at = 0;
        self.counts = Counts::default();
        self.metric = Metric::default();
    }

    /// Checks on from where the last call stopped, for about `bytes_max` more bytes. `request` is the same in each call after
    /// [`Check::begin`]. The counts mean something only with [`Progress::Done`].
    ///
    /// # Errors
    /// [`ScanError`] if it is not a request of the signal.
    pub fn advance(&mut self, request: &[u8], bytes_max: usize) -> Result<Progress, ScanError> {
        if u32::try_from(request.len()).is_err() {
            return Err(ScanError { error: WireError::TooLarge, at: 0 });
        }
        if self.open == 0 {
            self.end = request.len();
        }
        let stop = self.at.saturating_add(bytes_max.max(1));
        while self.at < stop {
            if self.at < self.end {
                self.field(request).map_err(|error| ScanError { error, at: self.at })?;
            } else if !self.close() {
                return Ok(Progress::Done);
            }
        }
        Ok(Progress::More)
    }

    /// What was counted.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Checks one field of the open message, or opens it.
    fn field(&mut self, request: &[u8]) -> Result<(), WireError> {
        let depth = self.open as u32;
        let mut reader = Reader::within(request, self.at, self.end);
        let key = reader.key()?;
        let Some((child, body)) = step(&mut reader, self.message, key, depth)? else {
            self.at = reader.position();
            return Ok(());
        };
        if depth == DEPTH_MAX {
            return Err(WireError::TooDeep);
        }
        // A plain attribute has one more message in it, its value.
        if child == Message::KeyValue && depth + 1 < DEPTH_MAX && attribute::plain(body).is_some() {
            self.at = reader.position();
            return Ok(());
        }
        *self.parents.get_mut(self.open).ok_or(WireError::TooDeep)? =
            Parent { message: self.message, end: reader.end() };
        self.count(child);
        self.open += 1;
        self.message = child;
        self.at = reader.position() - body.len();
        self.end = reader.position();
        Ok(())
    }

    /// Goes back to the message around the one that has ended; false if there is none.
    fn close(&mut self) -> bool {
        let Some(&Parent { message, end }) = self.open.checked_sub(1).and_then(|open| self.parents.get(open)) else {
            return false;
        };
        if self.message == Message::Metric {
            self.counts.items += std::mem::take(&mut self.metric).points;
        }
        self.open -= 1;
        self.message = message;
        self.end = end;
        true
    }

    /// Counts a message that begins.
    fn count(&mut self, message: Message) {
        use Message as M;
        match message {
            M::Span | M::LogRecord => {
                self.counts.items += 1;
                self.counts.records += 1;
            }
            M::Metric => self.counts.records += 1,
            M::Gauge | M::Sum | M::Histogram | M::ExponentialHistogram | M::Summary
                if self.metric.data != Some(message) =>
            {
                self.metric = Metric { data: Some(message), points: 0 };
            }
            M::NumberDataPoint | M::HistogramDataPoint | M::ExponentialHistogramDataPoint | M::SummaryDataPoint => {
                self.metric.points += 1;
            }
            _ => {}
        }
    }
}

impl Default for Check {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{put_len, put_uint};

    /// A request with one metric that has these fields, each a number and a body.
    fn metric(fields: &[(u32, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        fields.iter().for_each(|(number, bytes)| put_len(&mut body, *number, bytes));
        [2, 2, 1].iter().fold(body, |body, &number| {
            let mut outer = Vec::new();
            put_len(&mut outer, number, &body);
            outer
        })
    }

    fn count(fields: &[(u32, &[u8])]) -> (u64, u64) {
        let counts = check(Signal::Metrics, &metric(fields)).expect("valid");
        (counts.records, counts.items)
    }

    #[test]
    fn of_two_kinds_of_data_the_last_counts() {
        const GAUGE: u32 = 5;
        const SUM: u32 = 7;
        let (one, two): (&[u8], &[u8]) = (&[0x0a, 0], &[0x0a, 0, 0x0a, 0]);
        assert_eq!(count(&[]), (1, 0));
        for number in [GAUGE, SUM, 9, 10, 11] {
            assert_eq!(count(&[(number, two)]), (1, 2), "{number}");
        }
        assert_eq!(count(&[(GAUGE, two), (GAUGE, one)]), (1, 3));
        assert_eq!(count(&[(GAUGE, two), (SUM, one)]), (1, 1));
        assert_eq!(count(&[(GAUGE, two), (SUM, one), (GAUGE, b"")]), (1, 0));
    }

    #[test]
    fn lists_may_be_packed() {
        let mut unpacked = Vec::new();
        (0..3).for_each(|value| put_uint(&mut unpacked, 2, value << 20));
        let in_point = |bucket: &[u8]| {
            let mut point = Vec::new();
            put_len(&mut point, 8, bucket);
            let mut data = Vec::new();
            put_len(&mut data, 1, &point);
            check(Signal::Metrics, &metric(&[(10, &data)])).map(|counts| counts.items)
        };
        assert_eq!(in_point(&unpacked), Ok(1));
        assert_eq!(in_point(&[0x12, 3, 1, 0x80, 1]), Ok(1));
        assert!(in_point(&[0x12, 3, 1, 0x80, 0x80]).is_err(), "a varint that is cut off");
        assert!(in_point(&[0x11, 0, 0, 0, 0, 0, 0, 0, 0]).is_err(), "eight bytes where varints stand");
    }
}
