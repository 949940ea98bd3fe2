//! Values by metric and labels, whatever they are read for: what has the same labels is one series, and adds up.
//!
//! Two pipelines may use one processor; otelcol, too, counts for it once.

use super::table::{Kind, Metric};
use crate::configuration::telemetry::metrics::Level;
use ::metrics::{Key, Label};
use std::collections::BTreeMap;

/// All series at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    level: Level,
    families: BTreeMap<&'static str, Family>,
}

/// A metric with its series.
#[derive(Clone, Debug)]
pub(crate) struct Family {
    pub(crate) metric: Metric,
    /// By their labels, which are in alphabetical order.
    pub(crate) points: BTreeMap<Key, Value>,
}

/// The value of a series.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Number(f64),
    /// Numbers in buckets: how many are at most as large as each bound and above the one before, and how many are larger.
    Histogram {
        bounds: &'static [u64],
        counts: Vec<u64>,
        sum: u64,
    },
}

impl Series {
    /// Without any; those above `level` will be left out.
    pub(crate) fn new(level: Level) -> Self {
        Self { level, families: BTreeMap::new() }
    }

    /// Adds to a counter or gauge.
    pub(crate) fn add(&mut self, metric: &Metric, labels: &[(&'static str, &str)], value: f64) {
        debug_assert!(metric.kind != Kind::Histogram, "BUG: a histogram has no single value");
        self.put(metric, labels, Value::Number(value));
    }

    /// Adds to a histogram: a count for each bound, and one for what is larger.
    pub(crate) fn add_histogram(
        &mut self,
        metric: &Metric,
        labels: &[(&'static str, &str)],
        bounds: &'static [u64],
        counts: &[u64],
        sum: u64,
    ) {
        debug_assert!(metric.kind == Kind::Histogram && counts.len() == bounds.len() + 1);
        if counts.iter().any(|count| *count > 0) {
            self.put(metric, labels, Value::Histogram { bounds, counts: counts.to_vec(), sum });
        }
    }

    fn put(&mut self, metric: &Metric, labels: &[(&'static str, &str)], value: Value) {
        if metric.level > self.level {
            return;
        }
        let mut labels: Vec<Label> =
            labels.iter().map(|(name, value)| Label::new(*name, (*value).to_owned())).collect();
        labels.sort();
        let family =
            self.families.entry(metric.name).or_insert_with(|| Family { metric: *metric, points: BTreeMap::new() });
        match family.points.entry(Key::from_parts(metric.name, labels)) {
            std::collections::btree_map::Entry::Vacant(vacant) => {
                vacant.insert(value);
            }
            std::collections::btree_map::Entry::Occupied(mut occupied) => occupied.get_mut().join(&value),
        }
    }

    /// The metrics that have series, by their names.
    pub(crate) fn families(&self) -> impl Iterator<Item = &Family> {
        self.families.values()
    }

    /// The value of one series.
    pub(crate) fn value(&self, name: &str, key: &Key) -> Option<&Value> {
        self.families.get(name)?.points.get(key)
    }
}

impl Value {
    fn join(&mut self, other: &Value) {
        match (self, other) {
            (Value::Number(number), Value::Number(more)) => *number += more,
            (Value::Histogram { counts, sum, .. }, Value::Histogram { counts: more, sum: more_sum, .. }) => {
                counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
                *sum += more_sum;
            }
            // A metric is of one kind.
            _ => {}
        }
    }

    /// What was added since `before`. A value that began anew, as those of a pipeline that left and came back do, counts
    /// from zero.
    pub(crate) fn since(&self, before: Option<&Value>) -> Value {
        match (self, before) {
            (Value::Number(now), Some(Value::Number(before))) if now >= before => Value::Number(now - before),
            (Value::Histogram { bounds, counts, sum }, Some(Value::Histogram { counts: old, sum: old_sum, .. }))
                if sum >= old_sum && counts.iter().zip(old).all(|(now, old)| now >= old) =>
            {
                let counts = counts.iter().zip(old).map(|(now, old)| now - old).collect();
                Value::Histogram { bounds, counts, sum: sum - old_sum }
            }
            (now, _) => now.clone(),
        }
    }
}
