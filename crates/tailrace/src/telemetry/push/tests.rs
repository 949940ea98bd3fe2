//! Reports as a peer reads them.

use super::*;
use crate::{
    configuration::telemetry::metrics::Level,
    telemetry::metrics::{Series, table},
};
use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    metrics::v1::{metric::Data, number_data_point::Value as Number},
};
use prost::Message;

/// What a report says of the reloads: temporality, since when, and how many.
fn reloads(temporality: Temporality, before: Option<(u64, f64)>, now: (u64, f64)) -> (i32, u64, i64) {
    let moment = |(time_ns, value): (u64, f64)| {
        let mut series = Series::new(Level::Basic);
        let metric = table::all().find(|metric| metric.name == "tailrace_reloads").expect("a metric");
        series.add(metric, &[("outcome", "success")], value);
        Moment { series, time_ns }
    };
    let source = otlp::compose::Source { attributes: &[], schema_url: "" };
    let request = report::request(source, temporality, 100, before.map(moment).as_ref(), &moment(now));
    let request = ExportMetricsServiceRequest::decode(&*request).expect("a request");
    let metric = &request.resource_metrics[0].scope_metrics[0].metrics[0];
    let Some(Data::Sum(sum)) = &metric.data else { panic!("{metric:?}") };
    let point = &sum.data_points[0];
    assert_eq!((point.time_unix_nano, sum.is_monotonic), (now.0, true));
    let Some(Number::AsInt(value)) = point.value else { panic!("{point:?}") };
    (sum.aggregation_temporality, point.start_time_unix_nano, value)
}

#[test]
fn sums_count_from_the_start_or_from_what_was_told_last() {
    assert_eq!(reloads(Temporality::Cumulative, Some((200, 5.0)), (300, 7.0)), (2, 100, 7));
    assert_eq!(reloads(Temporality::Delta, None, (300, 7.0)), (1, 100, 7));
    assert_eq!(reloads(Temporality::Delta, Some((200, 5.0)), (300, 7.0)), (1, 200, 2));
    assert_eq!(reloads(Temporality::Lowmemory, Some((200, 5.0)), (300, 7.0)), (1, 200, 2));
    assert_eq!(reloads(Temporality::Delta, Some((200, 5.0)), (300, 3.0)), (1, 200, 3), "it began anew");
}
