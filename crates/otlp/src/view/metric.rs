//! Reads single metrics and their data points. (opentelemetry-proto, `metrics.proto`)
//!
//! The five kinds of metrics have four kinds of points, whose fields have other numbers each; a [`PointView`] names them
//! alike. What only one kind has is zero or empty for the others. Of several kinds of data the last one counts.

use super::{
    Attributes,
    fields::{Bodies, bytes, fixed64, int32, uint32, varint},
};
use crate::wire::{Reader, Tag, WireError, WireType};

/// What a metric measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MetricKind {
    /// No data.
    #[default]
    None,
    /// The last value counts.
    Gauge,
    /// A sum.
    Sum,
    /// Counts in buckets with explicit bounds.
    Histogram,
    /// Counts in buckets that grow exponentially.
    ExponentialHistogram,
    /// Quantiles.
    Summary,
}

/// What its points are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointKind {
    /// `NumberDataPoint`, of gauges and sums.
    Number,
    /// `HistogramDataPoint`.
    Histogram,
    /// `ExponentialHistogramDataPoint`.
    Exponential,
    /// `SummaryDataPoint`.
    Summary,
}

/// The fields of a metric.
#[derive(Clone, Copy, Debug, Default)]
pub struct MetricView<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// What it is.
    pub description: &'a [u8],
    /// Its unit, as UCUM writes it.
    pub unit: &'a [u8],
    /// What it measures.
    pub kind: MetricKind,
    /// `AggregationTemporality`: 0 unspecified, 1 delta, 2 cumulative.
    pub temporality: i32,
    /// Whether a sum only grows.
    pub is_monotonic: bool,
    /// The message that holds the points.
    pub data: &'a [u8],
    /// The whole message body.
    pub body: &'a [u8],
}

/// The fields of a data point.
#[derive(Clone, Copy, Debug)]
pub struct PointView<'a> {
    /// Which kind of point it is.
    pub kind: PointKind,
    /// When counting began, nanoseconds since the Unix epoch.
    pub start_ns: u64,
    /// When it was measured, nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// `DataPointFlags`.
    pub flags: u32,
    /// The number of a number point.
    pub number: Number,
    /// How many values there were.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The scale of an exponential histogram.
    pub scale: i32,
    /// How many values of an exponential histogram were about zero.
    pub zero_count: u64,
    /// The buckets above zero of an exponential histogram.
    pub positive: &'a [u8],
    /// The buckets below zero of an exponential histogram.
    pub negative: &'a [u8],
    /// The whole message body.
    pub body: &'a [u8],
}

/// The number of a number point.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Number {
    /// No number.
    #[default]
    None,
    /// `as_int`.
    Int(i64),
    /// `as_double`.
    Double(f64),
}

impl MetricKind {
    /// The field of a Metric that holds data of this kind.
    #[must_use]
    pub fn field(self) -> Option<u32> {
        match self {
            Self::None => None,
            Self::Gauge => Some(5),
            Self::Sum => Some(7),
            Self::Histogram => Some(9),
            Self::ExponentialHistogram => Some(10),
            Self::Summary => Some(11),
        }
    }

    fn of_field(field: u32) -> Self {
        match field {
            5 => Self::Gauge,
            7 => Self::Sum,
            9 => Self::Histogram,
            10 => Self::ExponentialHistogram,
            11 => Self::Summary,
            _ => Self::None,
        }
    }

    /// What the points of such a metric are.
    #[must_use]
    pub fn points(self) -> Option<PointKind> {
        match self {
            Self::None => None,
            Self::Gauge | Self::Sum => Some(PointKind::Number),
            Self::Histogram => Some(PointKind::Histogram),
            Self::ExponentialHistogram => Some(PointKind::Exponential),
            Self::Summary => Some(PointKind::Summary),
        }
    }
}

impl PointKind {
    /// The field that repeats a point's attributes.
    #[must_use]
    pub fn attributes_field(self) -> u32 {
        match self {
            Self::Number | Self::Summary => 7,
            Self::Histogram => 9,
            Self::Exponential => 1,
        }
    }

    /// The field of a point's flags.
    #[must_use]
    pub fn flags_field(self) -> u32 {
        match self {
            Self::Number | Self::Summary => 8,
            Self::Histogram | Self::Exponential => 10,
        }
    }

    /// The field that repeats a point's exemplars.
    #[must_use]
    pub fn exemplars_field(self) -> Option<u32> {
        match self {
            Self::Number => Some(5),
            Self::Histogram => Some(8),
            Self::Exponential => Some(11),
            Self::Summary => None,
        }
    }
}

impl<'a> MetricView<'a> {
    /// Reads the fields of a Metric.
    ///
    /// # Errors
    /// Where the structure is broken.
    pub fn parse(body: &'a [u8]) -> Result<Self, WireError> {
        let mut view = Self { body, ..Self::default() };
        let mut reader = Reader::new(body);
        while !reader.is_empty() {
            let tag = reader.tag()?;
            match tag.field {
                1 => view.name = bytes(&mut reader, tag)?,
                2 => view.description = bytes(&mut reader, tag)?,
                3 => view.unit = bytes(&mut reader, tag)?,
                5 | 7 | 9 | 10 | 11 => {
                    view.data = bytes(&mut reader, tag)?;
                    view.kind = MetricKind::of_field(tag.field);
                }
                _ => reader.skip(tag, 3)?,
            }
        }
        if let MetricKind::Sum | MetricKind::Histogram | MetricKind::ExponentialHistogram = view.kind {
            view.read_aggregation()?;
        }
        Ok(view)
    }

    fn read_aggregation(&mut self) -> Result<(), WireError> {
        let mut reader = Reader::new(self.data);
        while !reader.is_empty() {
            let tag = reader.tag()?;
            match tag.field {
                2 => self.temporality = int32(&mut reader, tag)?,
                3 if self.kind == MetricKind::Sum => self.is_monotonic = varint(&mut reader, tag)? != 0,
                _ => reader.skip(tag, 4)?,
            }
        }
        Ok(())
    }

    /// The bodies of its points, in order.
    pub fn points(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        Bodies::new(self.data, 1, 4)
    }

    /// Its metadata.
    #[must_use]
    pub fn metadata(&self) -> Attributes<'a> {
        Attributes::of(Bodies::new(self.body, 12, 3))
    }
}

impl<'a> PointView<'a> {
    /// Reads the fields of a point.
    ///
    /// # Errors
    /// Where the structure is broken.
    pub fn parse(kind: PointKind, body: &'a [u8]) -> Result<Self, WireError> {
        let mut view = Self::empty(kind);
        view.body = body;
        let mut reader = Reader::new(body);
        while !reader.is_empty() {
            let tag = reader.tag()?;
            match (tag.field, kind) {
                (2, _) => view.start_ns = fixed64(&mut reader, tag)?,
                (3, _) => view.time_ns = fixed64(&mut reader, tag)?,
                (4, PointKind::Number) => view.number = Number::Double(double(&mut reader, tag)?),
                (6, PointKind::Number) => view.number = Number::Int(fixed64(&mut reader, tag)? as i64),
                (4, _) => view.count = fixed64(&mut reader, tag)?,
                (5, PointKind::Histogram | PointKind::Exponential | PointKind::Summary) => {
                    view.sum = double(&mut reader, tag)?;
                }
                (6, PointKind::Exponential) => view.scale = sint32(&mut reader, tag)?,
                (7, PointKind::Exponential) => view.zero_count = fixed64(&mut reader, tag)?,
                (8, PointKind::Exponential) => view.positive = bytes(&mut reader, tag)?,
                (9, PointKind::Exponential) => view.negative = bytes(&mut reader, tag)?,
                (field, _) if field == kind.flags_field() => view.flags = uint32(&mut reader, tag)?,
                _ => reader.skip(tag, 5)?,
            }
        }
        Ok(view)
    }

    /// A point without any field.
    #[must_use]
    pub fn empty(kind: PointKind) -> Self {
        Self {
            kind,
            start_ns: 0,
            time_ns: 0,
            flags: 0,
            number: Number::None,
            count: 0,
            sum: 0.0,
            scale: 0,
            zero_count: 0,
            positive: &[],
            negative: &[],
            body: &[],
        }
    }

    /// The point's attributes.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes::of(Bodies::new(self.body, self.kind.attributes_field(), 5))
    }

    /// How many exemplars it has.
    #[must_use]
    pub fn exemplars(&self) -> Option<usize> {
        self.kind.exemplars_field().map(|field| Bodies::new(self.body, field, 5).count())
    }

    /// How many quantiles a summary has.
    #[must_use]
    pub fn quantiles(&self) -> usize {
        Bodies::new(self.body, 6, 5).count()
    }

    /// The counts of a histogram's buckets.
    #[must_use]
    pub fn bucket_counts(&self) -> Vec<u64> {
        fixed64s(self.body, 6)
    }

    /// The bounds of a histogram's buckets.
    #[must_use]
    pub fn explicit_bounds(&self) -> Vec<f64> {
        fixed64s(self.body, 7).into_iter().map(f64::from_bits).collect()
    }
}

/// The offset of exponential buckets.
#[must_use]
pub fn buckets_offset(buckets: &[u8]) -> i32 {
    let mut offset = 0;
    let mut reader = Reader::new(buckets);
    while let Some(tag) = next(&mut reader) {
        let step = match tag.field {
            1 => sint32(&mut reader, tag).map(|value| offset = value),
            _ => reader.skip(tag, 6),
        };
        if step.is_err() {
            break;
        }
    }
    offset
}

/// The counts of exponential buckets, packed or not.
#[must_use]
pub fn buckets_counts(buckets: &[u8]) -> Vec<u64> {
    let mut counts = Vec::new();
    let mut reader = Reader::new(buckets);
    while let Some(tag) = next(&mut reader) {
        let step = match (tag.field, tag.wire) {
            (2, WireType::Varint) => reader.varint().map(|count| counts.push(count)),
            (2, WireType::Len) => reader.len_delimited().and_then(|packed| {
                let mut packed = Reader::new(packed);
                while !packed.is_empty() {
                    counts.push(packed.varint()?);
                }
                Ok(())
            }),
            _ => reader.skip(tag, 6),
        };
        if step.is_err() {
            break;
        }
    }
    counts
}

/// The values of a repeated field of eight bytes each, packed or not; what follows something broken is left out.
fn fixed64s(body: &[u8], field: u32) -> Vec<u64> {
    let mut values = Vec::new();
    let mut reader = Reader::new(body);
    while let Some(tag) = next(&mut reader) {
        let step = match tag.wire {
            WireType::Fixed64 if tag.field == field => reader.fixed64().map(|value| values.push(value)),
            WireType::Len if tag.field == field => reader.len_delimited().map(|packed| {
                let (chunks, _) = packed.as_chunks::<8>();
                values.extend(chunks.iter().map(|chunk| u64::from_le_bytes(*chunk)));
            }),
            _ => reader.skip(tag, 5),
        };
        if step.is_err() {
            break;
        }
    }
    values
}

fn next(reader: &mut Reader<'_>) -> Option<Tag> {
    if reader.is_empty() { None } else { reader.tag().ok() }
}

fn double(reader: &mut Reader<'_>, tag: Tag) -> Result<f64, WireError> {
    fixed64(reader, tag).map(f64::from_bits)
}

/// A signed int in zigzag.
fn sint32(reader: &mut Reader<'_>, tag: Tag) -> Result<i32, WireError> {
    let value = varint(reader, tag)? as u32;
    Ok((value >> 1) as i32 ^ -((value & 1) as i32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{put_fixed64, put_len, put_uint};

    #[test]
    fn a_sum_and_its_point() {
        let mut point = Vec::new();
        put_fixed64(&mut point, 2, 1);
        put_fixed64(&mut point, 6, (-4_i64) as u64);
        put_len(&mut point, 7, &[0x0a, 1, b'k', 0x12, 2, 0x18, 7]);
        let mut sum = Vec::new();
        put_len(&mut sum, 1, &point);
        put_uint(&mut sum, 2, 2);
        put_uint(&mut sum, 3, 1);
        let mut metric = Vec::new();
        put_len(&mut metric, 1, b"m");
        put_len(&mut metric, 7, &sum);
        let view = MetricView::parse(&metric).unwrap();
        assert_eq!((view.name, view.kind, view.temporality, view.is_monotonic), (&b"m"[..], MetricKind::Sum, 2, true));
        let points: Vec<_> = view.points().collect();
        let point = PointView::parse(PointKind::Number, points[0]).unwrap();
        assert_eq!((point.start_ns, point.number), (1, Number::Int(-4)));
        assert_eq!(point.attributes().count(), 1);
        assert_eq!(point.exemplars(), Some(0));
    }

    #[test]
    fn lists_are_packed_or_not() {
        let mut point = Vec::new();
        put_fixed64(&mut point, 6, 1);
        put_len(&mut point, 6, &[2_u64.to_le_bytes(), 3_u64.to_le_bytes()].concat());
        put_len(&mut point, 7, &1.5_f64.to_le_bytes());
        let view = PointView::parse(PointKind::Histogram, &point).unwrap();
        assert_eq!((view.bucket_counts(), view.explicit_bounds()), (vec![1, 2, 3], vec![1.5]));
        let mut buckets = Vec::new();
        put_uint(&mut buckets, 1, 3);
        put_uint(&mut buckets, 2, 300);
        put_len(&mut buckets, 2, &[1, 2]);
        assert_eq!((buckets_offset(&buckets), buckets_counts(&buckets)), (-2, vec![300, 1, 2]));
    }
}
