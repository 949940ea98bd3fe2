//! Sums become gauges and gauges sums; their points stay.

use super::Editor;
use crate::{
    edit::{
        Buffer, Run,
        message::{replaced, with_uint},
        run,
    },
    functions::{
        Arguments, Call,
        Kind::{Flag, Text},
        arg,
    },
    path::Context,
};
use otlp::{
    view::{MetricKind, MetricView},
    wire::put_len,
};

pub(super) const TABLE: &[Editor] = &[
    Editor {
        name: "convert_sum_to_gauge",
        params: &[],
        prepare: |_| {
            Ok(run(|call: Call<'_>| {
                let metric = call.subject.metric();
                let is_sum = metric.kind == MetricKind::Sum;
                let gauge = || replaced(metric.data, &[2, 3], |_| {});
                Ok(is_sum.then(|| Buffer::Item.change(with_data(&metric, MetricKind::Gauge, &gauge()))))
            }))
        },
        only: Some(Context::Metric),
    },
    Editor {
        name: "convert_gauge_to_sum",
        params: &[arg("StringAggTemp", Text), arg("Monotonic", Flag)],
        prepare: convert_gauge_to_sum,
        only: Some(Context::Metric),
    },
];

fn convert_gauge_to_sum(arguments: &Arguments) -> Result<Run, String> {
    let temporality = match arguments.constant_text(0).unwrap_or_default() {
        "delta" => 1,
        "cumulative" => 2,
        other => return Err(format!("the temporality is `delta` or `cumulative`, not `{other}`")),
    };
    let is_monotonic = arguments.constant_bool(1).unwrap_or(false);
    Ok(run(move |call: Call<'_>| {
        let metric = call.subject.metric();
        let sum = || with_uint(&with_uint(metric.data, 2, temporality), 3, is_monotonic.into());
        let is_gauge = metric.kind == MetricKind::Gauge;
        Ok(is_gauge.then(|| Buffer::Item.change(with_data(&metric, MetricKind::Sum, &sum()))))
    }))
}

/// The metric with data of another kind.
fn with_data(metric: &MetricView<'_>, kind: MetricKind, data: &[u8]) -> Vec<u8> {
    const KINDS: [u32; 5] = [5, 7, 9, 10, 11];
    replaced(metric.body, &KINDS, |out| {
        if let Some(field) = kind.field() {
            put_len(out, field, data);
        }
    })
}
