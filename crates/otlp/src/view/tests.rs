//! Views against messages that prost encoded, and against hand-made bytes that prost would not write.

use super::*;
use crate::{value::Value, wire};
use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value::Value as Any},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, TracesData, span},
};
use prost::Message;

fn pair(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn request() -> TracesData {
    let span = Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        parent_span_id: vec![0; 8],
        trace_state: "a=b".into(),
        name: "GET /".into(),
        kind: 2,
        start_time_unix_nano: 5,
        end_time_unix_nano: 9,
        flags: 257,
        dropped_attributes_count: 1,
        dropped_events_count: 2,
        dropped_links_count: 3,
        status: Some(Status { code: 2, message: "no".into() }),
        attributes: vec![
            pair("text", Any::StringValue("x".into())),
            pair("list", Any::ArrayValue(ArrayValue { values: vec![AnyValue { value: Some(Any::IntValue(-1)) }] })),
            pair("map", Any::KvlistValue(KeyValueList { values: vec![pair("in", Any::BoolValue(true))] })),
            pair("bytes", Any::BytesValue(vec![0xff])),
            pair("double", Any::DoubleValue(0.5)),
            KeyValue { key: "none".into(), ..KeyValue::default() },
        ],
        events: vec![span::Event {
            time_unix_nano: 7,
            name: "boom".into(),
            attributes: vec![pair("k", Any::IntValue(1))],
            dropped_attributes_count: 4,
        }],
        links: vec![span::Link {
            trace_id: vec![3; 16],
            span_id: vec![4; 8],
            trace_state: "c=d".into(),
            attributes: vec![pair("l", Any::IntValue(2))],
            dropped_attributes_count: 5,
            flags: 1,
        }],
    };
    let scope = InstrumentationScope {
        name: "app".into(),
        version: "2".into(),
        attributes: vec![pair("s", Any::IntValue(3))],
        dropped_attributes_count: 6,
    };
    let scope_spans =
        ScopeSpans { scope: Some(scope), spans: vec![span.clone(), span], schema_url: "scope-url".into() };
    let resource = Resource {
        attributes: vec![pair("service.name", Any::StringValue("cart".into()))],
        dropped_attributes_count: 7,
        ..Resource::default()
    };
    let rs = ResourceSpans { resource: Some(resource), scope_spans: vec![scope_spans], schema_url: "url".into() };
    TracesData { resource_spans: vec![rs.clone(), ResourceSpans::default(), rs] }
}

#[test]
fn every_field() {
    let bytes = request().encode_to_vec();
    let all: Vec<_> = spans(&bytes).collect::<Result<_, _>>().unwrap();
    assert_eq!(all.len(), 4);
    let SpanInContext { resource, scope, span } = all[3];

    assert_eq!((resource.schema_url, resource.dropped_attributes), (&b"url"[..], 7));
    assert_eq!(resource.attributes().collect::<Vec<_>>(), [(&b"service.name"[..], Value::Str(b"cart"))]);
    assert_eq!((scope.name, scope.version, scope.schema_url), (&b"app"[..], &b"2"[..], &b"scope-url"[..]));
    assert_eq!(scope.dropped_attributes, 6);
    assert_eq!(scope.attributes().collect::<Vec<_>>(), [(&b"s"[..], Value::Int(3))]);

    assert_eq!((span.trace_id, span.span_id, span.parent_span_id), (&[1; 16][..], &[2; 8][..], &[0; 8][..]));
    assert!(span.is_root());
    assert_eq!((span.name, span.trace_state, span.status_message), (&b"GET /"[..], &b"a=b"[..], &b"no"[..]));
    assert_eq!((span.kind, span.start_ns, span.end_ns, span.flags, span.status_code), (2, 5, 9, 257, 2));
    assert_eq!((span.dropped_attributes, span.dropped_events, span.dropped_links), (1, 2, 3));

    let attributes: Vec<_> = span.attributes().collect();
    assert_eq!(attributes[0], (&b"text"[..], Value::Str(b"x")));
    let Value::Array(list) = attributes[1].1 else { panic!("not an array") };
    assert_eq!(array_values(list).collect::<Vec<_>>(), [Value::Int(-1)]);
    let Value::Map(map) = attributes[2].1 else { panic!("not a map") };
    assert_eq!(map_entries(map).collect::<Vec<_>>(), [(&b"in"[..], Value::Bool(true))]);
    assert_eq!(attributes[3].1, Value::Bytes(&[0xff]));
    assert_eq!(attributes[4].1, Value::Double(0.5));
    assert_eq!(attributes[5], (&b"none"[..], Value::Empty));

    let event = span.events().next().unwrap();
    assert_eq!((event.time_ns, event.name, event.dropped_attributes), (7, &b"boom"[..], 4));
    assert_eq!(event.attributes().count(), 1);
    let link = span.links().next().unwrap();
    assert_eq!((link.trace_id, link.span_id, link.trace_state), (&[3; 16][..], &[4; 8][..], &b"c=d"[..]));
    assert_eq!((link.flags, link.dropped_attributes, link.attributes().count()), (1, 5, 1));
}

#[test]
fn repeated_messages_merge() {
    let one = |key| Resource { attributes: vec![pair(key, Any::IntValue(1))], ..Resource::default() }.encode_to_vec();
    let mut header = Vec::new();
    wire::put_len(&mut header, 1, &one("a"));
    wire::put_len(&mut header, 3, b"first");
    wire::put_len(&mut header, 1, &one("b"));
    wire::put_len(&mut header, 3, b"second");
    let resource = ResourceView::parse(&header).unwrap();
    assert_eq!(resource.schema_url, b"second");
    assert_eq!(resource.attributes().map(|(key, _)| key).collect::<Vec<_>>(), [b"a", b"b"]);

    let mut body = Vec::new();
    wire::put_len(&mut body, 15, &Status { code: 2, message: "kept".into() }.encode_to_vec());
    wire::put_len(&mut body, 15, &Status { code: 1, message: String::new() }.encode_to_vec());
    wire::put_uint(&mut body, 6, 1);
    wire::put_uint(&mut body, 6, 3);
    let span = SpanView::parse(&body).unwrap();
    assert_eq!((span.status_code, span.status_message, span.kind), (1, &b"kept"[..], 3));
}

#[test]
fn broken_bytes_are_errors() {
    let whole = request().encode_to_vec();
    for len in 0..whole.len() {
        // Cut anywhere: no panic, and either an error or, at a message border, fewer spans.
        let seen = spans(&whole[..len]).filter(Result::is_ok).count();
        assert!(seen < 4, "cut at {len}");
    }
    let mut wrong = Vec::new();
    wire::put_uint(&mut wrong, 5, 1);
    assert_eq!(SpanView::parse(&wrong).unwrap_err(), WireError::WrongWireType);
}
