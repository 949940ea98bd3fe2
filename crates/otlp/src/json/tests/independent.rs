//! The same messages built by hand from a JSON tree, for comparison. Only forms that occur in the recorded inputs.

use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value::Value as Any},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, TracesData, span},
};
use serde_json::Value as Json;

pub(super) fn traces(json: &Json) -> TracesData {
    TracesData { resource_spans: list(json, "resourceSpans").map(resource_spans).collect() }
}

fn resource_spans(json: &Json) -> ResourceSpans {
    ResourceSpans {
        resource: json.get("resource").map(|resource| Resource {
            attributes: attributes(resource),
            dropped_attributes_count: number(resource, "droppedAttributesCount") as u32,
            ..Resource::default()
        }),
        scope_spans: list(json, "scopeSpans").map(scope_spans).collect(),
        schema_url: text(json, "schemaUrl"),
    }
}

fn scope_spans(json: &Json) -> ScopeSpans {
    ScopeSpans {
        scope: json.get("scope").map(|scope| InstrumentationScope {
            name: text(scope, "name"),
            version: text(scope, "version"),
            attributes: attributes(scope),
            dropped_attributes_count: number(scope, "droppedAttributesCount") as u32,
        }),
        spans: list(json, "spans").map(one_span).collect(),
        schema_url: text(json, "schemaUrl"),
    }
}

fn one_span(json: &Json) -> Span {
    Span {
        trace_id: id(json, "traceId"),
        span_id: id(json, "spanId"),
        trace_state: text(json, "traceState"),
        parent_span_id: id(json, "parentSpanId"),
        flags: number(json, "flags") as u32,
        name: text(json, "name"),
        kind: number(json, "kind") as i32,
        start_time_unix_nano: number(json, "startTimeUnixNano"),
        end_time_unix_nano: number(json, "endTimeUnixNano"),
        attributes: attributes(json),
        dropped_attributes_count: number(json, "droppedAttributesCount") as u32,
        events: list(json, "events")
            .map(|event| span::Event {
                time_unix_nano: number(event, "timeUnixNano"),
                name: text(event, "name"),
                attributes: attributes(event),
                dropped_attributes_count: number(event, "droppedAttributesCount") as u32,
            })
            .collect(),
        dropped_events_count: number(json, "droppedEventsCount") as u32,
        links: list(json, "links")
            .map(|link| span::Link {
                trace_id: id(link, "traceId"),
                span_id: id(link, "spanId"),
                trace_state: text(link, "traceState"),
                attributes: attributes(link),
                dropped_attributes_count: number(link, "droppedAttributesCount") as u32,
                flags: number(link, "flags") as u32,
            })
            .collect(),
        dropped_links_count: number(json, "droppedLinksCount") as u32,
        status: json
            .get("status")
            .map(|status| Status { message: text(status, "message"), code: number(status, "code") as i32 }),
    }
}

fn attributes(json: &Json) -> Vec<KeyValue> {
    list(json, "attributes").map(key_value).collect()
}

fn key_value(json: &Json) -> KeyValue {
    KeyValue { key: text(json, "key"), value: json.get("value").map(any_value), ..KeyValue::default() }
}

fn any_value(json: &Json) -> AnyValue {
    let members = json.as_object().unwrap();
    assert!(members.len() <= 1, "{json}");
    let value = members.iter().next().map(|(kind, value)| match kind.as_str() {
        "stringValue" => Any::StringValue(value.as_str().unwrap().into()),
        "boolValue" => Any::BoolValue(value.as_bool().unwrap()),
        "intValue" => Any::IntValue(value.as_i64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())),
        "doubleValue" => Any::DoubleValue(value.as_f64().unwrap()),
        "arrayValue" => Any::ArrayValue(ArrayValue { values: list(value, "values").map(any_value).collect() }),
        "kvlistValue" => Any::KvlistValue(KeyValueList { values: list(value, "values").map(key_value).collect() }),
        "bytesValue" => {
            assert_eq!(value, "AAEC");
            Any::BytesValue(vec![0, 1, 2])
        }
        other => panic!("{other}"),
    });
    AnyValue { value }
}

fn list<'a>(json: &'a Json, key: &str) -> impl Iterator<Item = &'a Json> {
    json.get(key).and_then(Json::as_array).into_iter().flatten()
}

fn text(json: &Json, key: &str) -> String {
    json.get(key).map(|value| value.as_str().unwrap().into()).unwrap_or_default()
}

fn number(json: &Json, key: &str) -> u64 {
    json.get(key).map_or(0, |value| value.as_u64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap()))
}

fn id(json: &Json, key: &str) -> Vec<u8> {
    let digits = text(json, key);
    (0..digits.len() / 2).map(|index| u8::from_str_radix(&digits[2 * index..2 * index + 2], 16).unwrap()).collect()
}
