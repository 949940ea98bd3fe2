//! Setting the fields of a metric and of a data point. What a kind of point does not have is an error, what a kind of metric
//! does not have is passed over, as in otelcol.

use super::{
    super::{
        Buffer, Edit,
        encode::{packed_varints, put_packed},
        message::{merged, replaced, with_bytes, with_fixed64, with_message, with_uint},
    },
    field::{bool, count, enumeration, float, int, slice, text, time},
};
use crate::{
    error::Error,
    path::{MetricField, PointField},
    subject::Subject,
    value::{Opaque, Value},
};
use otlp::{
    view::{MetricKind, PointKind, PointView},
    wire::put_fixed64,
};

pub(super) fn set_metric(field: MetricField, subject: &Subject<'_>, value: &Value<'_>) -> Edit {
    let metric = subject.metric();
    let item = |bytes: Vec<u8>| Ok(Some(Buffer::Item.change(bytes)));
    // The data as a whole: of several the last one counts.
    let data = |bytes: Vec<u8>| match metric.kind.field() {
        Some(field) => item(with_message(metric.body, field, &bytes)),
        None => Ok(None),
    };
    match field {
        MetricField::Name => item(with_bytes(metric.body, 1, text(value)?)),
        MetricField::Description => item(with_bytes(metric.body, 2, text(value)?)),
        MetricField::Unit => item(with_bytes(metric.body, 3, text(value)?)),
        MetricField::Type => Ok(None),
        MetricField::Temporality => {
            let temporality = enumeration(value)?;
            match metric.kind {
                MetricKind::Sum | MetricKind::Histogram | MetricKind::ExponentialHistogram => {
                    data(with_uint(metric.data, 2, temporality))
                }
                _ => Ok(None),
            }
        }
        MetricField::Monotonic => {
            let is_monotonic = bool(value)?;
            if metric.kind == MetricKind::Sum { data(with_uint(metric.data, 3, is_monotonic.into())) } else { Ok(None) }
        }
        MetricField::Points => match metric.kind.field() {
            Some(field) => {
                let without = || with_message(metric.body, field, &with_bytes(metric.data, 1, &[]));
                slice(value, |opaque| matches!(opaque, Opaque::Points(_)), without)
            }
            None => Ok(None),
        },
    }
}

pub(super) fn set_point(field: PointField, subject: &Subject<'_>, value: &Value<'_>) -> Edit {
    let point = subject.point()?;
    let bytes = point.body;
    let edited = match field {
        PointField::StartNs => with_fixed64(bytes, 2, int(value)? as u64),
        PointField::TimeNs => with_fixed64(bytes, 3, int(value)? as u64),
        PointField::Start => with_fixed64(bytes, 2, time(value)?),
        PointField::Time => with_fixed64(bytes, 3, time(value)?),
        PointField::Flags => with_uint(bytes, point.kind.flags_field(), count(value)?),
        PointField::Double => {
            let double = float(value)?;
            need(point, PointKind::Number)?;
            replaced(bytes, &[4, 6], |out| put_fixed64(out, 4, double.to_bits()))
        }
        PointField::Int => {
            let int = int(value)?;
            need(point, PointKind::Number)?;
            replaced(bytes, &[4, 6], |out| put_fixed64(out, 6, int as u64))
        }
        PointField::Exemplars => {
            let field = point.kind.exemplars_field().ok_or_else(|| lacking(point))?;
            match value {
                Value::Nil => with_bytes(bytes, field, &[]),
                Value::Opaque(Opaque::Exemplars(_)) => return Ok(None),
                other => return Err(Error::Type { expected: "exemplars", found: other.kind() }.into()),
            }
        }
        PointField::Count => {
            let count = int(value)?;
            need_not(point, PointKind::Number)?;
            with_fixed64(bytes, 4, count as u64)
        }
        PointField::Sum => {
            let sum = float(value)?;
            need_not(point, PointKind::Number)?;
            replaced(bytes, &[5], |out| {
                // Histograms know sums that are not there; a summary's 0 is left out.
                if point.kind != PointKind::Summary || sum.to_bits() != 0 {
                    put_fixed64(out, 5, sum.to_bits());
                }
            })
        }
        PointField::Counts => {
            need(point, PointKind::Histogram)?;
            let counts: Vec<u8> = ints(value)?.iter().flat_map(|count| count.to_le_bytes()).collect();
            replaced(bytes, &[6], |out| put_packed(out, 6, &counts))
        }
        PointField::Bounds => {
            need(point, PointKind::Histogram)?;
            let bounds: Vec<u8> = floats(value)?.iter().flat_map(|bound| bound.to_le_bytes()).collect();
            replaced(bytes, &[7], |out| put_packed(out, 7, &bounds))
        }
        PointField::Scale => {
            let scale = int(value)?;
            need(point, PointKind::Exponential)?;
            with_uint(bytes, 6, zigzag(scale))
        }
        PointField::ZeroCount => {
            let count = int(value)?;
            need(point, PointKind::Exponential)?;
            with_fixed64(bytes, 7, count as u64)
        }
        PointField::Positive | PointField::PositiveOffset | PointField::PositiveCounts => {
            set_buckets(field, 8, point, value)?
        }
        PointField::Negative | PointField::NegativeOffset | PointField::NegativeCounts => {
            set_buckets(field, 9, point, value)?
        }
        PointField::Quantiles => {
            need(point, PointKind::Summary)?;
            match value {
                Value::Nil => with_bytes(bytes, 6, &[]),
                Value::Opaque(Opaque::Quantiles(_)) => return Ok(None),
                other => return Err(Error::Type { expected: "quantiles", found: other.kind() }.into()),
            }
        }
    };
    Ok(Some(Buffer::Part.change(edited)))
}

/// The buckets of an exponential histogram, above or below zero.
fn set_buckets(field: PointField, number: u32, point: &PointView<'_>, value: &Value<'_>) -> Result<Vec<u8>, Error> {
    let buckets = merged(point.body, number);
    let edited = match field {
        PointField::Positive | PointField::Negative => {
            let Value::Opaque(Opaque::Buckets { is_positive }) = value else {
                return Err(Error::Type { expected: "buckets", found: value.kind() });
            };
            need(point, PointKind::Exponential)?;
            (if *is_positive { point.positive } else { point.negative }).to_vec()
        }
        PointField::PositiveOffset | PointField::NegativeOffset => {
            let offset = int(value)?;
            need(point, PointKind::Exponential)?;
            with_uint(&buckets, 1, zigzag(offset))
        }
        _ => {
            need(point, PointKind::Exponential)?;
            let packed = packed_varints(&ints(value)?);
            replaced(&buckets, &[2], |out| put_packed(out, 2, &packed))
        }
    };
    Ok(with_message(point.body, number, &edited))
}

/// 32 bits with a sign, as protobuf's `sint32` has them.
fn zigzag(int: i64) -> u64 {
    let int = int as i32;
    u64::from((int << 1 ^ int >> 31) as u32)
}

/// A list of ints; nil is an empty one.
fn ints(value: &Value<'_>) -> Result<Vec<u64>, Error> {
    items(value, "an int", |item| if let Value::Int(int) = item { Some(*int as u64) } else { None })
}

fn floats(value: &Value<'_>) -> Result<Vec<f64>, Error> {
    items(value, "a float", |item| if let Value::Float(float) = item { Some(*float) } else { None })
}

fn items<T>(
    value: &Value<'_>,
    expected: &'static str,
    read: impl Fn(&Value<'_>) -> Option<T>,
) -> Result<Vec<T>, Error> {
    match value {
        Value::Nil => Ok(Vec::new()),
        Value::List(list) => {
            list.iter().map(|item| read(&item).ok_or_else(|| Error::Type { expected, found: item.kind() })).collect()
        }
        other => Err(Error::Type { expected: "a list", found: other.kind() }),
    }
}

fn need(point: &PointView<'_>, kind: PointKind) -> Result<(), Error> {
    if point.kind == kind { Ok(()) } else { Err(lacking(point)) }
}

fn need_not(point: &PointView<'_>, kind: PointKind) -> Result<(), Error> {
    if point.kind == kind { Err(lacking(point)) } else { Ok(()) }
}

fn lacking(point: &PointView<'_>) -> Error {
    Error::failed(match point.kind {
        PointKind::Number => "a point that is a number has no such field",
        PointKind::Histogram => "a point of a histogram has no such field",
        PointKind::Exponential => "a point of an exponential histogram has no such field",
        PointKind::Summary => "a point of a summary has no such field",
    })
}
