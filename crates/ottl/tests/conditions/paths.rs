//! Every path of 6.6, and how values are indexed.

use crate::world::{Answer, World};
use ottl::Context;

/// A span with everything.
fn full() -> World {
    World::of_json(
        r#"{"resourceSpans": [{
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}},
                                        {"key": "rm", "value": {"kvlistValue": {"values": [{"key": "a", "value": {"intValue": 1}}]}}}],
                         "droppedAttributesCount": 4},
            "schemaUrl": "r",
            "scopeSpans": [{
                "scope": {"name": "sn", "version": "sv", "attributes": [{"key": "sa", "value": {"boolValue": true}}],
                          "droppedAttributesCount": 5},
                "schemaUrl": "s",
                "spans": [{
                    "traceId": "0102030405060708090a0b0c0d0e0f10", "spanId": "0102030405060708",
                    "parentSpanId": "1112131415161718", "traceState": "a=1,b=2", "flags": 258, "name": "op", "kind": 2,
                    "startTimeUnixNano": "1000000001", "endTimeUnixNano": "3000000002",
                    "attributes": [
                        {"key": "deep", "value": {"kvlistValue": {"values": [
                            {"key": "list", "value": {"arrayValue": {"values": [{"intValue": 1},
                                {"kvlistValue": {"values": [{"key": "x", "value": {"stringValue": "y"}}]}}]}}},
                            {"key": "none", "value": {}}]}}},
                        {"key": "by", "value": {"bytesValue": "AAEC"}},
                        {"key": "nobytes", "value": {"bytesValue": ""}},
                        {"key": "key", "value": {"stringValue": "deep"}},
                        {"key": "one", "value": {"intValue": 1}}],
                    "droppedAttributesCount": 1, "droppedEventsCount": 2, "droppedLinksCount": 3,
                    "events": [{"name": "e1", "timeUnixNano": "7", "droppedAttributesCount": 6},
                               {"name": "e2", "timeUnixNano": "8", "attributes": [{"key": "k", "value": {"stringValue": "v"}}]}],
                    "links": [{"traceId": "0102030405060708090a0b0c0d0e0f10", "spanId": "0102030405060708"}],
                    "status": {"code": 1, "message": "fine"}}]}]}]}"#,
    )
}

#[test]
fn every_span_path() {
    let world = full();
    for text in [
        "trace_id == TraceID(0x0102030405060708090a0b0c0d0e0f10)",
        "trace_id != SpanID(0x0102030405060708)",
        "trace_id.string == \"0102030405060708090a0b0c0d0e0f10\"",
        "span_id == SpanID(\"0102030405060708\")",
        "span_id.string == \"0102030405060708\"",
        "parent_span_id == SpanID(0x1112131415161718)",
        "parent_span_id.string == \"1112131415161718\"",
        "not IsRootSpan()",
        "trace_state == \"a=1,b=2\"",
        "trace_state[\"b\"] == \"2\" and trace_state[\"c\"] == \"\"",
        "name == \"op\"",
        "kind == 2 and kind.string == \"Server\" and kind.deprecated_string == \"SPAN_KIND_SERVER\"",
        "start_time_unix_nano == 1000000001 and end_time_unix_nano == 3000000002",
        "end_time > start_time",
        "attributes[\"one\"] == 1",
        "Len(attributes) == 5",
        "dropped_attributes_count == 1 and dropped_events_count == 2 and dropped_links_count == 3",
        "flags == 258",
        "Len(events) == 2 and Len(links) == 1 and IsList(events)",
        "events == events and events != links and status == status",
        "status.code == STATUS_CODE_OK and status.message == \"fine\"",
        "resource.attributes[\"service.name\"] == \"shop\" and resource.dropped_attributes_count == 4",
        "resource.attributes[\"rm\"][\"a\"] == 1 and Len(resource.attributes) == 2",
        "resource.schema_url == \"\" and scope.schema_url == \"\"",
        "scope.name == \"sn\" and scope.version == \"sv\" and scope.dropped_attributes_count == 5",
        "scope.attributes[\"sa\"] == true and instrumentation_scope.attributes == {\"sa\": true}",
        "String(status) == \"{}\" and String(trace_id) != nil",
    ] {
        world.check(text, true);
    }
}

#[test]
fn every_event_path() {
    let world = full();
    for (text, expected) in [
        ("name == \"e2\"", Answer::True),
        ("name == \"op\"", Answer::False),
        ("time_unix_nano == 8 and spanevent.name == \"e2\"", Answer::True),
        ("time > span.start_time", Answer::False),
        ("dropped_attributes_count == 6", Answer::True),
        ("attributes[\"k\"] == \"v\"", Answer::True),
        ("Len(attributes) == 1 and attributes == {\"k\": \"v\"}", Answer::True),
        ("span.kind == 2 and span.attributes[\"one\"] == 1 and scope.name == \"sn\"", Answer::True),
    ] {
        assert_eq!(world.ask(Context::SpanEvent, text), expected, "{text}");
    }
    assert!(matches!(world.ask(Context::SpanEvent, "event_index == 0"), Answer::Error(_)));
    let without = World::of_span("");
    assert_eq!(without.ask(Context::SpanEvent, "1 / 0 == 1"), Answer::False);
}

#[test]
fn an_empty_span_has_defaults() {
    let world = World::of_span("");
    for text in [
        "name == \"\" and kind == 0 and kind.string == \"Unspecified\"",
        "parent_span_id.string == \"0000000000000000\" and parent_span_id != nil",
        "IsRootSpan()",
        "trace_state == \"\" and trace_state[\"a\"] == \"\"",
        "start_time_unix_nano == 0 and status.code == 0 and status.message == \"\"",
        "attributes == {} and resource.attributes == {} and scope.name == \"\"",
        "attributes[\"x\"][\"y\"][0] == nil",
    ] {
        world.check(text, true);
    }
    World::of_span(r#""kind": 9, "status": {"code": 7}"#)
        .check("kind == 9 and kind.string == \"\" and kind.deprecated_string == \"\" and status.code == 7", true);
    World::of_span(r#""startTimeUnixNano": "9223372036854775813""#).check("start_time_unix_nano < 0", true);
    World::of_span(r#""traceState": "no members""#).check("trace_state[\"a\"] == nil and trace_state[0] == nil", true);
}

#[test]
fn values_are_indexed() {
    let world = full();
    for text in [
        "attributes[\"deep\"][\"list\"][1][\"x\"] == \"y\"",
        "attributes[attributes[\"key\"]][\"list\"][attributes[\"one\"]][Concat([\"x\"], \"\")] == \"y\"",
        "attributes[\"deep\"][\"list\"][(2 - 1)][\"x\"] == \"y\"",
        "attributes[\"deep\"][\"nothing\"][\"x\"][7] == nil",
        "attributes[\"deep\"][\"none\"] == nil",
        "attributes[\"nobytes\"] == nil and attributes[\"nobytes\"] == attributes[\"missing\"]",
        "attributes[\"by\"] == 0x000102 and attributes[\"by\"] < 0x0002",
        "attributes[\"deep\"] == {\"list\": [1, {\"x\": \"y\"}], \"none\": nil}",
    ] {
        world.check(text, true);
    }
    for text in [
        "attributes[\"deep\"][0] == nil",
        "attributes[\"deep\"][\"list\"][\"x\"] == nil",
        "attributes[\"deep\"][\"list\"][2] == nil",
        "attributes[\"deep\"][\"list\"][-1] == nil",
        "attributes[\"deep\"][\"list\"][0][\"x\"] == nil",
        "attributes[\"deep\"][\"none\"][\"x\"] == nil",
        "attributes[\"key\"][\"x\"] == nil",
        "attributes[\"key\"][0] == nil",
        "attributes[\"by\"][0] == nil",
        "attributes[0] == nil",
        "attributes[kind] == nil",
        "attributes[1.5] == nil",
        "attributes[attributes[\"missing\"]] == nil",
        "scope.attributes[0] == nil",
        "cache[0] == nil",
        "trace_state[0] == nil",
        "trace_state[name] == nil",
    ] {
        assert!(matches!(world.ask(Context::Span, text), Answer::Error(_)), "{text}");
    }
}
