//! Series as an OTLP request, to be pushed.

use super::{Kind, Metric, Series, Value, series::Family, table::Scope};
use crate::configuration::telemetry::push::Temporality;
use ::metrics::Key;
use otlp::compose::{self, Point, ScopeMetrics, Shape, Source};
use std::collections::BTreeMap;

/// Series with the time that they were read at.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) series: Series,
    /// Unix nanoseconds.
    pub(crate) time_ns: u64,
}

/// An export request of what stands in `now`. Whatever counts since the last report counts since `before`.
pub(crate) fn request(
    source: Source<'_>,
    temporality: Temporality,
    started_ns: u64,
    before: Option<&Moment>,
    now: &Moment,
) -> Vec<u8> {
    let since = Since { temporality, started_ns, before, time_ns: now.time_ns };
    // The differences must live as long as the metrics that point into them.
    let differences: Vec<(&Family, Vec<(&Key, Value)>)> = now
        .series
        .families()
        .map(|family| {
            (family, family.points.iter().map(|(key, value)| (key, since.value(family, key, value))).collect())
        })
        .collect();
    let mut scopes: BTreeMap<Scope, Vec<compose::Metric<'_>>> = BTreeMap::new();
    for (family, points) in &differences {
        let Metric { name, meaning, unit, scope, .. } = family.metric;
        let shape = since.shape(&family.metric);
        let start_ns = if shape == Shape::Gauge { 0 } else { since.start_ns(&family.metric) };
        let points = points.iter().map(|(key, value)| Point {
            attributes: key.labels().map(|label| (label.key(), label.value())).collect(),
            start_ns,
            time_ns: now.time_ns,
            value: composed(&family.metric, value),
        });
        let metric = compose::Metric { name, description: meaning, unit, shape, points: points.collect() };
        scopes.entry(scope).or_default().push(metric);
    }
    let scopes = scopes.into_iter().map(|(scope, metrics)| {
        let version = if scope == Scope::Tailrace { env!("CARGO_PKG_VERSION") } else { "" };
        ScopeMetrics { name: scope.name(), version, metrics }
    });
    compose::metrics(source, &scopes.collect::<Vec<_>>())
}

/// What values count from.
struct Since<'a> {
    temporality: Temporality,
    started_ns: u64,
    before: Option<&'a Moment>,
    time_ns: u64,
}

impl Since<'_> {
    /// `lowmemory` differs only for counters that are observed, of which there are none but the process's.
    fn is_delta(&self, metric: &Metric) -> bool {
        match self.temporality {
            Temporality::Cumulative => false,
            Temporality::Delta => can_be_delta(metric.kind),
            Temporality::Lowmemory => can_be_delta(metric.kind) && metric.scope != Scope::Service,
        }
    }

    fn shape(&self, metric: &Metric) -> Shape {
        let is_delta = self.is_delta(metric);
        match metric.kind {
            Kind::Counter => Shape::Sum { is_monotonic: true, is_delta },
            Kind::Gauge => Shape::Gauge,
            Kind::UpDown => Shape::Sum { is_monotonic: false, is_delta },
            Kind::Histogram => Shape::Histogram { is_delta },
        }
    }

    fn start_ns(&self, metric: &Metric) -> u64 {
        let before = self.before.filter(|_| self.is_delta(metric)).map(|before| before.time_ns);
        before.unwrap_or(self.started_ns).min(self.time_ns)
    }

    fn value(&self, family: &Family, key: &Key, now: &Value) -> Value {
        if !self.is_delta(&family.metric) {
            return now.clone();
        }
        now.since(self.before.and_then(|before| before.series.value(family.metric.name, key)))
    }
}

/// otelcol observes gauges, and sums that go up and down, as they are.
fn can_be_delta(kind: Kind) -> bool {
    matches!(kind, Kind::Counter | Kind::Histogram)
}

fn composed<'a>(metric: &Metric, value: &'a Value) -> compose::Value<'a> {
    match value {
        Value::Number(number) if metric.is_fraction() => compose::Value::Double(*number),
        Value::Number(number) => compose::Value::Int(*number as i64),
        Value::Histogram { bounds, counts, sum } => compose::Value::Histogram { bounds, counts, sum: *sum as f64 },
    }
}
