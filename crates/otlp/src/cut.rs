//! Cuts a request of any signal into requests of fewer items, by its records and, where a metric has too many points, by
//! those.
//!
//! Every record comes out once, under the resource and scope that it came with, and byte for byte unless it is a metric that
//! is cut: then each part has all fields of the metric and of its data, unknown ones included, and some of the points.
//! Unknown fields of the request itself are left out, as they belong to no part.

use crate::Signal;
use crate::assemble::{Builder, GroupIndex};
use crate::records::{self, DATA_POINTS, Records, Step};
use crate::wire::{Reader, WireError, WireType, put_len, put_tag, put_varint};

/// A request and how many items it has.
pub type Portion = (Vec<u8>, u64);

/// Cuts a request in halves by its number of items. `None` if it has less than two, or is broken.
#[must_use]
pub fn split(signal: Signal, request: &[u8]) -> Option<(Portion, Portion)> {
    let items = count(signal, request).ok()?;
    if items < 2 {
        return None;
    }
    let mut halves = Cutter::new(signal, items / 2, u64::MAX).run(request).ok()?.into_iter();
    halves.next().zip(halves.next())
}

/// Cuts a request into as few as have at most `items_max` items each, in the order of the items. A request without any
/// record gives none.
///
/// # Errors
/// Where an envelope or a metric is broken.
pub fn cut(signal: Signal, request: &[u8], items_max: u64) -> Result<Vec<Portion>, WireError> {
    let items_max = items_max.max(1);
    Cutter::new(signal, items_max, items_max).run(request)
}

/// Puts requests of one signal together, equal resources and scopes once.
///
/// # Errors
/// Where an envelope or a metric is broken; then `builder` has a part of the request.
pub fn join(signal: Signal, builder: &mut Builder, request: &[u8]) -> Result<u64, WireError> {
    let (mut records, mut group, mut items) = (Records::new(request), None, 0);
    while let Some(step) = records.next()? {
        match step {
            Step::Scope => group = Some(builder.group(records.resource_header(), records.scope_header())),
            Step::Record(record) => {
                items += records::items(signal, record)?;
                group.into_iter().for_each(|group| builder.push(group, record));
            }
        }
    }
    Ok(items)
}

fn count(signal: Signal, request: &[u8]) -> Result<u64, WireError> {
    let (mut records, mut items) = (Records::new(request), 0);
    while let Some(step) = records.next()? {
        if let Step::Record(record) = step {
            items += records::items(signal, record)?;
        }
    }
    Ok(items)
}

struct Cutter {
    signal: Signal,
    /// The part that is being written: its records, its items, how many more it may have.
    builder: Builder,
    /// Where records go; none while the part has nothing of the open scope.
    group: Option<GroupIndex>,
    items: u64,
    room: u64,
    /// How many items the next part may have.
    items_max: u64,
    parts: Vec<Portion>,
}

impl Cutter {
    fn new(signal: Signal, first_max: u64, items_max: u64) -> Self {
        Self { signal, builder: Builder::new(), group: None, items: 0, room: first_max, items_max, parts: Vec::new() }
    }

    fn run(mut self, request: &[u8]) -> Result<Vec<Portion>, WireError> {
        let mut records = Records::new(request);
        while let Some(step) = records.next()? {
            match step {
                Step::Scope => self.group = None,
                Step::Record(record) => self.record(&records, record)?,
            }
        }
        self.close();
        Ok(self.parts)
    }

    fn record(&mut self, records: &Records<'_>, record: &[u8]) -> Result<(), WireError> {
        let items = records::items(self.signal, record)?;
        if items > self.room && self.room == 0 {
            self.close();
        }
        if items > self.room {
            // More than one item: it is a metric.
            return self.points(records, record);
        }
        self.push(records, &[record], items);
        Ok(())
    }

    /// Cuts a metric that has more points than there is room for.
    fn points(&mut self, records: &Records<'_>, record: &[u8]) -> Result<(), WireError> {
        let metric = Metric::of(record)?;
        let (mut data, mut points, mut count) = (Reader::new(&metric.data), Vec::new(), 0);
        while let Some(point) = records::child(&mut data, DATA_POINTS, 4)? {
            if count == self.room {
                self.metric(records, &metric, &points, count);
                self.close();
                points.clear();
                count = 0;
            }
            put_len(&mut points, DATA_POINTS, point);
            count += 1;
        }
        self.metric(records, &metric, &points, count);
        Ok(())
    }

    /// Adds a part of a metric with these points.
    fn metric(&mut self, records: &Records<'_>, metric: &Metric, points: &[u8], count: u64) {
        let mut prefix = Vec::new();
        put_tag(&mut prefix, metric.kind, WireType::Len);
        put_varint(&mut prefix, (metric.data_header.len() + points.len()) as u64);
        self.push(records, &[&metric.header, &prefix, &metric.data_header, points], count);
    }

    fn push(&mut self, records: &Records<'_>, record: &[&[u8]], items: u64) {
        let builder = &mut self.builder;
        let group = *self.group.get_or_insert_with(|| builder.group(records.resource_header(), records.scope_header()));
        builder.push_parts(group, record);
        self.items += items;
        self.room = self.room.saturating_sub(items);
    }

    /// Ends the part, if it has anything.
    fn close(&mut self) {
        if self.builder.spans() > 0 {
            self.parts.push((self.builder.finish(), self.items));
        }
        self.group = None;
        self.items = 0;
        self.room = self.items_max;
    }
}

/// A metric taken apart.
struct Metric {
    /// All fields but the data.
    header: Vec<u8>,
    /// Which kind of data it has, as a field number, and that data; parts of it are put together as protobuf merges them.
    kind: u32,
    data: Vec<u8>,
    /// All fields of the data but the points.
    data_header: Vec<u8>,
}

impl Metric {
    fn of(record: &[u8]) -> Result<Self, WireError> {
        let mut metric = Self { header: Vec::new(), kind: 0, data: Vec::new(), data_header: Vec::new() };
        let mut reader = Reader::new(record);
        while !reader.is_empty() {
            let start = reader.position();
            let tag = reader.tag()?;
            if !records::is_data(tag.field) {
                reader.skip(tag, 3)?;
                metric.header.extend_from_slice(record.get(start..reader.position()).unwrap_or_default());
                continue;
            }
            if tag.field != metric.kind {
                metric.kind = tag.field;
                metric.data.clear();
            }
            metric.data.extend_from_slice(reader.len_delimited()?);
        }
        records::header(&mut metric.data_header, &metric.data, DATA_POINTS, 4)?;
        Ok(metric)
    }
}
