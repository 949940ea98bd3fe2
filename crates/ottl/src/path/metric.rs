//! Reading the fields of a metric and of a data point. What a kind of metric does not have is nil.

use super::field::{MetricField, PointField};
use crate::{
    error::Error,
    subject::Subject,
    value::{List, Opaque, Time, Value},
};
use otlp::view::{
    MetricKind, PointKind, PointView,
    metric::{Number, buckets_counts, buckets_offset},
};

impl MetricField {
    pub(crate) fn read<'e>(self, subject: &'e Subject<'e>) -> Value<'e> {
        let metric = subject.metric();
        match self {
            Self::Name => Value::str(metric.name),
            Self::Description => Value::str(metric.description),
            Self::Unit => Value::str(metric.unit),
            Self::Type => Value::Int(metric.kind as i64),
            Self::Temporality => match metric.kind {
                MetricKind::Sum | MetricKind::Histogram | MetricKind::ExponentialHistogram => {
                    Value::Int(metric.temporality.into())
                }
                _ => Value::Nil,
            },
            Self::Monotonic if metric.kind == MetricKind::Sum => Value::Bool(metric.is_monotonic),
            Self::Monotonic => Value::Nil,
            Self::Points if metric.kind == MetricKind::None => Value::Nil,
            Self::Points => Value::Opaque(Opaque::Points(metric.points().count())),
        }
    }
}

impl PointField {
    pub(crate) fn read<'e>(self, subject: &'e Subject<'e>) -> Result<Value<'e>, Error> {
        let point = subject.point()?;
        Ok(match self {
            Self::StartNs => Value::Int(point.start_ns as i64),
            Self::TimeNs => Value::Int(point.time_ns as i64),
            Self::Start => Value::Time(Time::from_wire(point.start_ns)),
            Self::Time => Value::Time(Time::from_wire(point.time_ns)),
            Self::Flags => Value::Int(point.flags.into()),
            Self::Exemplars => point.exemplars().map_or(Value::Nil, |count| Value::Opaque(Opaque::Exemplars(count))),
            _ => match point.kind {
                PointKind::Number => self.read_number(point),
                PointKind::Histogram => self.read_histogram(point),
                PointKind::Exponential => self.read_exponential(point),
                PointKind::Summary => self.read_summary(point),
            },
        })
    }

    fn read_number<'e>(self, point: &PointView<'_>) -> Value<'e> {
        match (self, point.number) {
            (Self::Double, Number::Double(double)) => Value::Float(double),
            (Self::Double, _) => Value::Float(0.0),
            (Self::Int, Number::Int(int)) => Value::Int(int),
            (Self::Int, _) => Value::Int(0),
            _ => Value::Nil,
        }
    }

    fn read_histogram<'e>(self, point: &PointView<'_>) -> Value<'e> {
        match self {
            Self::Count => Value::Int(point.count as i64),
            Self::Sum => Value::Float(point.sum),
            Self::Counts => counts(point.bucket_counts()),
            Self::Bounds => Value::List(List::strings(point.explicit_bounds().into_iter().map(Value::Float).collect())),
            _ => Value::Nil,
        }
    }

    fn read_exponential<'e>(self, point: &PointView<'_>) -> Value<'e> {
        match self {
            Self::Count => Value::Int(point.count as i64),
            Self::Sum => Value::Float(point.sum),
            Self::Scale => Value::Int(point.scale.into()),
            Self::ZeroCount => Value::Int(point.zero_count as i64),
            Self::Positive => Value::Opaque(Opaque::Buckets { is_positive: true }),
            Self::PositiveOffset => Value::Int(buckets_offset(point.positive).into()),
            Self::PositiveCounts => counts(buckets_counts(point.positive)),
            Self::Negative => Value::Opaque(Opaque::Buckets { is_positive: false }),
            Self::NegativeOffset => Value::Int(buckets_offset(point.negative).into()),
            Self::NegativeCounts => counts(buckets_counts(point.negative)),
            _ => Value::Nil,
        }
    }

    fn read_summary<'e>(self, point: &PointView<'_>) -> Value<'e> {
        match self {
            Self::Count => Value::Int(point.count as i64),
            Self::Sum => Value::Float(point.sum),
            Self::Quantiles => Value::Opaque(Opaque::Quantiles(point.quantiles())),
            _ => Value::Nil,
        }
    }
}

fn counts<'e>(counts: Vec<u64>) -> Value<'e> {
    Value::List(List::counts(counts.into_iter().map(|count| Value::Int(count as i64)).collect()))
}
