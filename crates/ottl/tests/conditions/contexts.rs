//! Conditions about resources, scopes, metrics, data points and log records, given as bytes.

use crate::world::{FUEL, MOMENT};
use otlp::{
    Keys,
    wire::{put_fixed32, put_fixed64, put_len, put_uint},
};
use ottl::{Condition, Context, Fuel, Item, Record, Subject};

/// A message, field by field.
#[derive(Clone, Default)]
struct Message(Vec<u8>);

impl Message {
    fn len(mut self, field: u32, body: impl AsRef<[u8]>) -> Self {
        put_len(&mut self.0, field, body.as_ref());
        self
    }

    fn uint(mut self, field: u32, value: u64) -> Self {
        put_uint(&mut self.0, field, value);
        self
    }

    fn fixed64(mut self, field: u32, value: u64) -> Self {
        put_fixed64(&mut self.0, field, value);
        self
    }

    fn fixed32(mut self, field: u32, value: u32) -> Self {
        put_fixed32(&mut self.0, field, value);
        self
    }

    /// An attribute with a text.
    fn attribute(self, field: u32, key: &str, value: &str) -> Self {
        self.len(field, Self::default().len(1, key).len(2, Self::default().len(1, value)))
    }
}

impl AsRef<[u8]> for Message {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

fn new() -> Message {
    Message::default()
}

#[track_caller]
fn check(context: Context, item: Item<'_>, holding: &[&str]) {
    let resource = new().len(1, new().attribute(1, "service.name", "cart").uint(2, 3)).len(3, "https://schema");
    let scope = new().len(1, new().len(1, "lib").len(2, "v2").attribute(3, "a", "b")).len(3, "https://scope");
    for text in holding {
        let condition = Condition::compile(text, context, &mut Keys::default());
        let condition = condition.unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
        let fuel = Fuel::new(FUEL);
        let record = Record { resource: resource.as_ref(), scope: scope.as_ref(), item, cache: &[], client: None };
        let subject = Subject::record(record, MOMENT, &fuel);
        assert_eq!(condition.evaluate(&subject), Ok(true), "{text}");
    }
}

#[track_caller]
fn refuse(context: Context, text: &str, expected: &str) {
    let errors = Condition::compile(text, context, &mut Keys::default()).expect_err("an error");
    assert_eq!(errors[0].message, expected, "{text}");
}

#[test]
fn resources_and_scopes() {
    check(
        Context::Resource,
        Item::Alone,
        &[
            r#"attributes["service.name"] == "cart""#,
            r#"resource.attributes["service.name"] == "cart""#,
            "dropped_attributes_count == 3",
            r#"schema_url == "https://schema""#,
            "Len(cache) == 0",
        ],
    );
    check(
        Context::Scope,
        Item::Alone,
        &[
            r#"name == "lib" and scope.version == "v2" and attributes["a"] == "b""#,
            r#"instrumentation_scope.name == "lib""#,
            r#"schema_url == "https://scope" and resource.schema_url == "https://schema""#,
        ],
    );
    refuse(Context::Resource, "kind == SPAN_KIND_SERVER", "unknown path `kind`");
    refuse(
        Context::Resource,
        "1 == SPAN_KIND_SERVER",
        "unknown enum `SPAN_KIND_SERVER`, the context `resource` has none",
    );
    refuse(Context::Scope, "scope.cache == resource.cache", "unknown path `resource.cache`");
}

#[test]
fn metrics_and_points() {
    let point = new().attribute(7, "k", "v").fixed64(2, 1).fixed64(3, 2).fixed64(6, 7).uint(8, 1).len(5, "");
    let other = new().attribute(7, "k", "w");
    let metric = new()
        .len(1, "requests")
        .len(2, "how many")
        .len(3, "1")
        .len(7, new().len(1, &point).len(1, &other).uint(2, 2).uint(3, 1))
        .attribute(12, "m", "d");
    let metric = metric.as_ref();
    check(
        Context::Metric,
        Item::Metric(metric),
        &[
            r#"name == "requests" and description == "how many" and unit == "1""#,
            "type == METRIC_DATA_TYPE_SUM and is_monotonic == true",
            "aggregation_temporality == AGGREGATION_TEMPORALITY_CUMULATIVE",
            "Len(data_points) == 2 and IsList(data_points)",
            r#"metadata["m"] == "d""#,
            r#"HasAttrKeyOnDatapoint("k") and not HasAttrKeyOnDatapoint("x")"#,
            r#"HasAttrOnDatapoint("k", "v") and not HasAttrOnDatapoint("k", "w")"#,
            r#"resource.attributes["service.name"] == "cart""#,
        ],
    );
    check(
        Context::DataPoint,
        Item::Point { metric, point: point.as_ref() },
        &[
            r#"attributes["k"] == "v" and metric.name == "requests""#,
            "value_int == 7 and value_double == 0.0",
            "flags == FLAG_NO_RECORDED_VALUE",
            "start_time_unix_nano == 1 and time_unix_nano == 2 and time > start_time",
            "Len(exemplars) == 1",
            "count == nil and sum == nil and bucket_counts == nil and positive.offset == nil",
            "metric.type == METRIC_DATA_TYPE_SUM",
        ],
    );
    refuse(
        Context::DataPoint,
        r#"HasAttrKeyOnDatapoint("k")"#,
        "`HasAttrKeyOnDatapoint` is for metric conditions only",
    );
    refuse(
        Context::Metric,
        "type == METRIC_DATA_TYPE_SUN",
        concat!("unknown enum `METRIC_DATA_TYPE_SUN`, ", "did you mean `METRIC_DATA_TYPE_SUM`?"),
    );
}

#[test]
fn histograms_and_summaries() {
    let bounds = [1.5_f64.to_le_bytes(), 2.5_f64.to_le_bytes()].concat();
    let counts = [1_u64, 2, 3].map(u64::to_le_bytes).concat();
    let point = new().fixed64(4, 6).fixed64(5, 4.5_f64.to_bits()).len(6, counts).len(7, bounds);
    let metric = new().len(9, new().len(1, &point).uint(2, 1));
    check(
        Context::DataPoint,
        Item::Point { metric: metric.as_ref(), point: point.as_ref() },
        &["count == 6 and sum == 4.5", "Len(bucket_counts) == 3 and Len(explicit_bounds) == 2"],
    );
    let buckets = new().uint(1, 3).len(2, [1, 2]);
    let point = new().fixed64(4, 6).uint(6, 1).fixed64(7, 9).len(8, buckets);
    let metric = new().len(10, new().len(1, &point));
    check(
        Context::DataPoint,
        Item::Point { metric: metric.as_ref(), point: point.as_ref() },
        &["scale == -1 and zero_count == 9 and positive.offset == -2 and Len(positive.bucket_counts) == 2"],
    );
    let point = new().fixed64(4, 6).len(6, "").len(6, "");
    let metric = new().len(11, new().len(1, &point));
    check(
        Context::DataPoint,
        Item::Point { metric: metric.as_ref(), point: point.as_ref() },
        &["Len(quantile_values) == 2 and exemplars == nil"],
    );
}

#[test]
fn log_records() {
    let body = new().len(6, new().attribute(1, "user", "ann"));
    let log = new()
        .fixed64(1, 5)
        .fixed64(11, 6)
        .uint(2, 17)
        .len(3, "ERROR")
        .len(5, &body)
        .attribute(6, "k", "v")
        .uint(7, 2)
        .fixed32(8, 1)
        .len(9, [1; 16])
        .len(10, [2; 8])
        .len(12, "login");
    check(
        Context::Log,
        Item::Log(log.as_ref()),
        &[
            r#"severity_number >= SEVERITY_NUMBER_ERROR and severity_text == "ERROR""#,
            r#"body["user"] == "ann" and body["x"] == nil"#,
            r#"body.string == "{\"user\":\"ann\"}" and IsMap(body)"#,
            "time_unix_nano == 5 and observed_time_unix_nano == 6 and observed_time > time",
            r#"attributes["k"] == "v" and dropped_attributes_count == 2 and flags == 1"#,
            r#"trace_id.string == "01010101010101010101010101010101" and span_id == SpanID(0x0202020202020202)"#,
            r#"event_name == "login" and log.event_name == "login""#,
            r#"resource.attributes["service.name"] == "cart" and scope.name == "lib""#,
        ],
    );
    refuse(Context::Log, "span.name == nil", "unknown path `span.name`");
    refuse(Context::Log, "body.text == nil", "`body` has no part `text`");
}
