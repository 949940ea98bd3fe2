//! Questions about the points of a metric.

use super::{Call, Function, Kind::Text, Place, arg, plain};
use crate::{error::Error, value::Value};
use otlp::view::PointView;

pub(super) const TABLE: &[Function] = &[
    plain("HasAttrKeyOnDatapoint", &[arg("Key", Text)], has_key).only(Place::MetricConditions),
    plain("HasAttrOnDatapoint", &[arg("Key", Text), arg("ExpectedVal", Text)], has_value).only(Place::MetricConditions),
];

fn has_key(call: Call<'_>) -> Result<Value<'_>, Error> {
    first(call).map(|found| Value::Bool(found.is_some()))
}

/// The first point that has the attribute decides.
fn has_value(call: Call<'_>) -> Result<Value<'_>, Error> {
    let expected = call.arguments.constant_str(1).unwrap_or_default();
    first(call).map(|found| Value::Bool(found.is_some_and(|value| value.str_or_empty() == expected)))
}

/// The attribute of the first point that has it.
fn first(call: Call<'_>) -> Result<Option<otlp::Value<'_>>, Error> {
    let metric = call.subject().metric();
    let kind = metric.kind.points().ok_or_else(|| Error::failed("the metric is of no known type"))?;
    call.spend(metric.data.len())?;
    let key = call.arguments.constant_str(0).unwrap_or_default();
    let mut values = metric.points().filter_map(|point| {
        let mut attributes = PointView { body: point, ..PointView::empty(kind) }.attributes();
        attributes.find(|(name, _)| *name == key).map(|(_, value)| value)
    });
    Ok(values.next())
}
