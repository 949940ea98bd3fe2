//! The text exposition format, as otelcol's Prometheus reader writes it: labels in alphabetical order, suffixes only where
//! they are asked for, and `target_info` with the attributes of the resource.

use super::{Kind, Metric, Series, Value, table::Scope};
use crate::configuration::telemetry::metrics::{Labels, Prometheus};
use std::fmt::Write;

/// How series are written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Exposition {
    /// Whether names end in units and, of counters, in `_total`.
    suffixes: bool,
    /// Whether series bear the scope that they come from.
    scopes: bool,
    /// Attributes of the resource that every series bears, as labels.
    constant: Vec<(String, String)>,
    /// All attributes of the resource, as labels.
    target: Vec<(String, String)>,
}

impl Exposition {
    /// As a reader's settings want it, for a resource with these attributes.
    pub(crate) fn new(settings: &Prometheus, resource: &[(String, String)]) -> Self {
        let chosen = |(name, _): &&(String, String)| {
            settings.with_resource_constant_labels.as_ref().is_some_and(|labels| chooses(labels, name))
        };
        let label = |(name, value): &(String, String)| (label_name(name), value.clone());
        let mut target: Vec<_> = resource.iter().map(label).collect();
        target.sort();
        Self {
            suffixes: !(settings.without_type_suffix && settings.without_units),
            scopes: !settings.without_scope_info,
            constant: resource.iter().filter(chosen).map(label).collect(),
            target,
        }
    }

    /// Writes all series.
    pub(crate) fn write(&self, series: &Series) -> String {
        let mut text = String::new();
        for family in series.families() {
            let name = self.name(&family.metric);
            header(&mut text, &name, family.metric.kind, family.metric.meaning);
            for (key, value) in &family.points {
                let labels = key.labels().map(|label| (label.key(), label.value()));
                let labels = self.labels(labels, family.metric.scope);
                write_value(&mut text, &name, &labels, value);
            }
        }
        if !self.target.is_empty() {
            header(&mut text, "target_info", Kind::Gauge, "Target metadata");
            let labels: Vec<_> = self.target.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            sample(&mut text, "target_info", &labels, None, 1.0);
        }
        text
    }

    fn name(&self, metric: &Metric) -> String {
        let mut name = metric.name.to_owned();
        if !self.suffixes {
            return name;
        }
        let unit = match metric.unit {
            "By" => "bytes",
            "s" => "seconds",
            "ms" => "milliseconds",
            "us" => "microseconds",
            _ => "",
        };
        if !unit.is_empty() && !name.split('_').any(|word| word == unit) {
            name = format!("{name}_{unit}");
        }
        if metric.kind == Kind::Counter { format!("{name}_total") } else { name }
    }

    fn labels<'a>(&'a self, own: impl Iterator<Item = (&'a str, &'a str)>, scope: Scope) -> Vec<(&'a str, &'a str)> {
        let mut labels: Vec<(&str, &str)> = own.collect();
        labels.extend(self.constant.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        if self.scopes {
            labels.extend([
                ("otel_scope_name", scope.name()),
                ("otel_scope_schema_url", ""),
                ("otel_scope_version", ""),
            ]);
        }
        labels.sort_unstable();
        labels
    }
}

/// As otelcol chooses: names are compared whole, and without any that are included all are.
fn chooses(labels: &Labels, name: &str) -> bool {
    let named = |list: &[String]| list.iter().any(|one| one == name);
    !named(&labels.excluded) && (labels.included.is_empty() || named(&labels.included))
}

/// An attribute's name as that of a label.
fn label_name(name: &str) -> String {
    let mut label: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if label.starts_with(|c: char| c.is_ascii_digit()) {
        label.insert(0, '_');
    }
    label
}

// Writing to a string cannot fail, here and below.

fn header(text: &mut String, name: &str, kind: Kind, meaning: &str) {
    let kind = match kind {
        Kind::Counter => "counter",
        Kind::Gauge | Kind::UpDown => "gauge",
        Kind::Histogram => "histogram",
    };
    let _ = writeln!(text, "# HELP {name} {meaning}\n# TYPE {name} {kind}");
}

fn write_value(text: &mut String, name: &str, labels: &[(&str, &str)], value: &Value) {
    let (bounds, counts, sum) = match value {
        Value::Number(number) => return sample(text, name, labels, None, *number),
        Value::Histogram { bounds, counts, sum } => (bounds, counts, sum),
    };
    let bounds = bounds.iter().map(u64::to_string).chain(["+Inf".to_owned()]);
    let mut total = 0;
    for (bound, count) in bounds.zip(counts) {
        total += count;
        sample(text, &format!("{name}_bucket"), labels, Some(&bound), total as f64);
    }
    sample(text, &format!("{name}_sum"), labels, None, *sum as f64);
    sample(text, &format!("{name}_count"), labels, None, total as f64);
}

fn sample(text: &mut String, name: &str, labels: &[(&str, &str)], bound: Option<&str>, value: f64) {
    text.push_str(name);
    let labels = labels.iter().copied().chain(bound.map(|bound| ("le", bound)));
    let mut separator = '{';
    for (label, value) in labels {
        let _ = write!(text, "{separator}{label}=\"");
        value.chars().for_each(|c| match c {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            c => text.push(c),
        });
        text.push('"');
        separator = ',';
    }
    if separator == ',' {
        text.push('}');
    }
    let _ = writeln!(text, " {value}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{configuration::telemetry::metrics::Level, telemetry::metrics::table};

    #[test]
    fn labels_are_sorted_escaped_and_chosen() {
        let labels = Labels { included: Vec::new(), excluded: vec!["service.name".to_owned()] };
        let settings = Prometheus { with_resource_constant_labels: Some(labels), ..Prometheus::default() };
        let resource = [("service.name", "x"), ("2nd.team", "a\"b\\c\nd")];
        let resource = resource.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut series = Series::new(Level::Basic);
        let metric = table::all().find(|metric| metric.name == "tailrace_reloads").expect("a metric");
        let detailed = table::all().find(|metric| metric.level == Level::Normal).expect("a metric");
        series.add(metric, &[("outcome", "success")], 1.0);
        series.add(metric, &[("outcome", "success")], 2.0);
        series.add(detailed, &[], 1.0);
        let team = r#"_2nd_team="a\"b\\c\nd""#;
        let expected = format!(
            "# HELP tailrace_reloads {}\n# TYPE tailrace_reloads counter\n\
             tailrace_reloads{{{team},outcome=\"success\"}} 3\n\
             # HELP target_info Target metadata\n# TYPE target_info gauge\n\
             target_info{{{team},service_name=\"x\"}} 1\n",
            metric.meaning
        );
        assert_eq!(Exposition::new(&settings, &resource).write(&series), expected);
    }
}
