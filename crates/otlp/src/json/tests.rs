//! The decoder against every item of the recorded behaviour of otelcol 0.161, against prost, and against mutations.

mod independent;
mod signals;

use super::{decode, encode};
use crate::Signal;
use crate::wire::{self, DEPTH_MAX};
use opentelemetry_proto::tonic::{
    common::v1::{ArrayValue, KeyValue, KeyValueList, any_value::Value as Any},
    trace::v1::{ResourceSpans, Span, Status, TracesData},
};
use prost::Message;

/// A request with one span that has these members.
fn of_span(members: &str) -> String {
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{members}}}]}}]}}]}}"#)
}

/// A request whose only span has one attribute with this value.
fn of_value(value: &str) -> String {
    of_span(&format!(r#""attributes":[{{"key":"k","value":{value}}}]"#))
}

fn taken(json: impl AsRef<[u8]>) -> TracesData {
    let json = json.as_ref();
    let shown = String::from_utf8_lossy(json.get(..200).unwrap_or(json)).into_owned();
    let bytes = decode(Signal::Traces, json).unwrap_or_else(|error| panic!("{shown}: {error}"));
    let message = TracesData::decode(&*bytes).unwrap_or_else(|error| panic!("{shown}: {error}"));
    assert_eq!(message.encode_to_vec(), bytes, "{shown}: not as prost writes it");
    message
}

fn span_of(members: &str) -> Span {
    taken(of_span(members)).resource_spans.remove(0).scope_spans.remove(0).spans.remove(0)
}

fn value_of(value: &str) -> Option<Any> {
    span_of(&format!(r#""attributes":[{{"key":"k","value":{value}}}]"#)).attributes.remove(0).value?.value
}

#[track_caller]
fn refused(json: impl AsRef<[u8]>, expected: &str) {
    let json = json.as_ref();
    let shown = String::from_utf8_lossy(json.get(..200).unwrap_or(json)).into_owned();
    let error = decode(Signal::Traces, json).map(drop).expect_err(&shown);
    assert!(error.to_string().contains(expected), "{shown}: {error}");
}

#[test]
fn taken_at_the_top() {
    for json in [
        "{}",
        "null",
        r#"{"resourceSpans":null}"#,
        r#"{"resourceSpans":[]}"#,
        " \t\r\n{ } ",
        "{}x",
        "{}{}",
        r#"{}{"resourceSpans":5}"#,
    ] {
        assert_eq!(taken(json), TracesData::default());
    }
    assert_eq!(taken(r#"{"resourceSpans":[{}, null ]}"#).resource_spans.len(), 2);
    assert_eq!(
        taken(r#"{"resource_spans":[{"scope_spans":[{"spans":[{"trace_id":""}],"schema_url":"u"}]}]}"#).resource_spans
            [0]
        .scope_spans[0]
            .schema_url,
        "u"
    );
}

#[test]
fn taken_values() {
    let values = [
        (r#"{"stringValue":"x"}"#, Any::StringValue("x".into())),
        (r#"{"stringValue":null}"#, Any::StringValue(String::new())),
        (r#"{"string_value":"x"}"#, Any::StringValue("x".into())),
        (r#"{"arrayValue":{}}"#, Any::ArrayValue(ArrayValue::default())),
        (r#"{"arrayValue":null}"#, Any::ArrayValue(ArrayValue::default())),
        (r#"{"kvlistValue":{}}"#, Any::KvlistValue(KeyValueList::default())),
        (r#"{"kvlist_value":{"values":null}}"#, Any::KvlistValue(KeyValueList::default())),
        (r#"{"stringValue":"x","intValue":5}"#, Any::IntValue(5)),
        (r#"{"intValue":5,"stringValue":""}"#, Any::StringValue(String::new())),
        (r#"{"arrayValue":{"values":[{}]},"arrayValue":{}}"#, Any::ArrayValue(ArrayValue::default())),
        (r#"{"doubleValue":"Infinity"}"#, Any::DoubleValue(f64::INFINITY)),
        (r#"{"doubleValue":"-Infinity"}"#, Any::DoubleValue(f64::NEG_INFINITY)),
        (r#"{"doubleValue":"1.5"}"#, Any::DoubleValue(1.5)),
        (r#"{"doubleValue":-1.5e3}"#, Any::DoubleValue(-1500.0)),
        (r#"{"doubleValue":0}"#, Any::DoubleValue(0.0)),
        (r#"{"intValue":5}"#, Any::IntValue(5)),
        (r#"{"intValue":"5"}"#, Any::IntValue(5)),
        (r#"{"intValue":0}"#, Any::IntValue(0)),
        (r#"{"intValue":"-9223372036854775808"}"#, Any::IntValue(i64::MIN)),
        (r#"{"intValue":9223372036854775807}"#, Any::IntValue(i64::MAX)),
        (r#"{"boolValue":false}"#, Any::BoolValue(false)),
        (r#"{"bytesValue":"AP8="}"#, Any::BytesValue(vec![0, 255])),
        (r#"{"bytesValue":""}"#, Any::BytesValue(vec![])),
        (r#"{"stringValue":"\ud800"}"#, Any::StringValue("\u{fffd}".into())),
        (r#"{"stringValue":"\ud800\ud800x"}"#, Any::StringValue("\u{fffd}\u{fffd}x".into())),
        (r#"{"stringValue":"\ud83d\ude00"}"#, Any::StringValue("😀".into())),
        (
            r#"{"stringValue":"\udc00a\u0041\"\\\/\b\f\n\r\t"}"#,
            Any::StringValue("\u{fffd}aA\"\\/\u{8}\u{c}\n\r\t".into()),
        ),
        (
            r#"{"stringValue":"x","unknown":[{"deep":[1,-2.5e-3,true,false,null,"\u00e9"]}]}"#,
            Any::StringValue("x".into()),
        ),
    ];
    for (json, value) in values {
        assert_eq!(value_of(json), Some(value), "{json}");
    }
    for json in ["null", "{}", r#"{"unknown":1}"#] {
        assert_eq!(value_of(json), None, "{json}");
    }
    assert!(matches!(value_of(r#"{"doubleValue":"NaN"}"#), Some(Any::DoubleValue(value)) if value.is_nan()));
}

#[test]
fn taken_in_spans() {
    let id = "0123456789abcdef0123456789abcdef";
    assert_eq!(span_of(&format!(r#""traceId":"{id}""#)), span_of(&format!(r#""traceId":"{}""#, id.to_uppercase())));
    assert_eq!(span_of(r#""traceId":"","spanId":"","parentSpanId":"""#), Span::default());
    assert_eq!(span_of(r#""spanId":"00000000000000ff""#).span_id, [0, 0, 0, 0, 0, 0, 0, 255]);
    assert_eq!(
        span_of(r#""kind":"SPAN_KIND_SERVER","status":{"code":"STATUS_CODE_ERROR"}"#),
        span_of(r#""kind":2,"status":{"code":2}"#)
    );
    assert_eq!(span_of(r#""kind":99"#).kind, 99);
    assert_eq!(span_of(r#""kind":-1"#).kind, -1);
    assert_eq!(
        span_of(r#""status":null,"attributes":null,"events":null,"links":null,"name":null,"kind":null"#),
        Span::default()
    );
    assert_eq!(span_of(r#""status":{}"#).status, Some(Status::default()));
    assert_eq!(taken(r#"{"resourceSpans":[{"resource":null}]}"#).resource_spans[0].resource, None);
    assert_eq!(span_of(r#""attributes":[{"key":null,"value":null}]"#).attributes, [KeyValue::default()]);
    assert_eq!(span_of(r#""flags":"257""#).flags, 257);
    assert_eq!(
        span_of(r#""start_time_unix_nano":1,"endTimeUnixNano":"18446744073709551615""#).end_time_unix_nano,
        u64::MAX
    );
    assert_eq!(span_of(r#""name":"a","name":"b""#).name, "b");
    assert_eq!(span_of(r#""name":"a","name":"""#).name, "");
    assert_eq!(span_of(r#""name":"a","name":null"#).name, "");
    let both = span_of(r#""attributes":[{"key":"a"}],"name":"n","attributes":[{"key":"b"}]"#).attributes;
    assert_eq!(both.iter().map(|attribute| &*attribute.key).collect::<Vec<_>>(), ["a", "b"]);
    let old = r#"{"resourceSpans":[{"instrumentationLibrarySpans":[{"spans":[{"name":"x"}]}]}]}"#;
    assert_eq!(taken(old).resource_spans, [ResourceSpans::default()]);
    let merged = decode(
        Signal::Traces,
        br#"{"resourceSpans":[{"resource":{"attributes":[{"key":"a"}]},"resource":{"attributes":[{"key":"b"}]}}]}"#,
    )
    .unwrap();
    assert_eq!(TracesData::decode(&*merged).unwrap().resource_spans[0].resource.as_ref().unwrap().attributes.len(), 2);
    let refs = taken(r#"{"resourceSpans":[{"resource":{"entityRefs":[{"type":"t","idKeys":["a","","b"]}]}}]}"#);
    assert_eq!(refs.resource_spans[0].resource.as_ref().unwrap().entity_refs[0].id_keys, ["a", "", "b"]);
}

#[test]
fn refused_as_recorded() {
    let values = [
        (r#"{"doubleValue":1e400}"#, "expected a double, found `1e400`"),
        (r#"{"doubleValue":"1e400"}"#, "expected a double"),
        (r#"{"doubleValue":"x"}"#, "expected a double"),
        (r#"{"doubleValue":true}"#, "expected a number or a number as text, found `t`"),
        (r#"{"intValue":5.0}"#, "expected a 64-bit integer, found `5.0`"),
        (r#"{"intValue":1e3}"#, "expected a 64-bit integer, found `1e3`"),
        (r#"{"intValue":"0x5"}"#, "expected a 64-bit integer, found `0x5`"),
        (r#"{"intValue":9223372036854775808}"#, "expected a 64-bit integer"),
        (r#"{"intValue":"9223372036854775808"}"#, "expected a 64-bit integer"),
        (r#"{"intValue":" 5"}"#, "expected a 64-bit integer"),
        (r#"{"intValue":05}"#, "expected `,` or `}`, found `5`"),
        (r#"{"boolValue":"true"}"#, "expected true or false, found a string"),
        (r#"{"boolValue":truth}"#, "expected `true`"),
        (r#"{"stringValue":5}"#, "expected a string, found `5`"),
        (r#"{"bytesValue":"_-8="}"#, "expected base64 with the standard alphabet and padding"),
        (r#"{"bytesValue":"AP8"}"#, "expected base64"),
        (r#"{"bytesValue":null}"#, "expected a string, found null"),
        (r#"{"stringValue":"\x"}"#, "expected an escape"),
        (r#"{"stringValue":"\u12g4"}"#, "four hexadecimal digits"),
        ("{\"stringValue\":\"a\u{1}\"}", "a control character in a string must be escaped"),
        ("{\"stringValue\":\"\\n\n\"}", "a control character in a string must be escaped"),
        ("{\"unknown\":\"a\u{1}\"}", "a control character in a string must be escaped"),
        (r#"{"stringValue":"x",}"#, "a comma is too many"),
        (r#"{"stringValue":"x" "y":1}"#, "expected `,` or `}`, found a string"),
        (r#"{/* no */}"#, "expected a key in double quotes, found `/`"),
        (r#"{"unknown":+1}"#, "expected a value, found `+`"),
        (r#"{"unknown":1.}"#, "a digit after the decimal point"),
        (r#"{"unknown":[1,]}"#, "a comma is too many"),
        (r#"{"unknown":nul}"#, "expected `null`"),
        (r#"[]"#, "expected an object, found `[`"),
    ];
    for (json, error) in values {
        refused(of_value(json), error);
    }
    let spans = [
        (r#""kind":"3""#, "unknown name `3`, expected an integer or one of SPAN_KIND_UNSPECIFIED,"),
        (r#""kind":"SPAN_KIND_X""#, "unknown name `SPAN_KIND_X`"),
        (r#""kind":2147483648"#, "expected a 32-bit integer"),
        (r#""kind":{}"#, "expected an integer, found `{`"),
        (r#""status":{"code":"ERROR"}"#, "unknown name `ERROR`"),
        (r#""startTimeUnixNano":1.5"#, "expected an unsigned 64-bit integer, found `1.5`"),
        (r#""startTimeUnixNano":"""#, "expected an unsigned 64-bit integer, found ``"),
        (r#""startTimeUnixNano":-1"#, "expected an unsigned 64-bit integer, found `-1`"),
        (r#""startTimeUnixNano":"+1""#, "expected an unsigned 64-bit integer, found `+1`"),
        (r#""flags":4294967296"#, "expected an unsigned 32-bit integer"),
        (r#""traceId":"0123456789abcdef0123456789abcde""#, "expected 32 hexadecimal digits, found 31 characters"),
        (r#""traceId":"0123456789abcdef""#, "expected 32 hexadecimal digits, found 16 characters"),
        (r#""spanId":"0123456789abcdeg""#, "expected 16 hexadecimal digits, found another character"),
        (r#""traceId":null"#, "expected a string, found null"),
        (r#""parentSpanId":null"#, "expected a string, found null"),
        (r#""spanId":7"#, "expected a string, found `7`"),
    ];
    for (json, error) in spans {
        refused(of_span(json), error);
    }
    let whole: [(&[u8], &str); 14] = [
        (b"", "the body is empty"),
        (b"   ", "expected an object, found the end"),
        (br#"{"resourceSpans":{}}"#, "in `resourceSpans`: expected an array, found `{`"),
        (br#"{"resourceSpans":"x"}"#, "expected an array, found a string"),
        (b"[]", "expected an object, found `[`"),
        (b"\"x\"", "expected an object, found a string"),
        (b"// c\n{}", "expected an object, found `/`"),
        (b"\xef\xbb\xbf{}", "expected an object, found byte 0xef"),
        (br#"{"resourceSpans":[{}"#, "expected `,` or `]`, found the end"),
        (br#"{"resourceSpans":["#, "expected an object, found the end"),
        (br#"{"resourceSpans":[{},]}"#, "a comma is too many"),
        (br#"{"resourceSpans":[,{}]}"#, "expected an object, found `,`"),
        (br#"{"a"#, "a string is not closed"),
        (br#"{"a" 1}"#, "expected `:` after a key, found `1`"),
    ];
    for (json, error) in whole {
        refused(json, error);
    }
}

#[test]
fn errors_say_where() {
    let json = "{\"resourceSpans\": [{},\n {\"scopeSpans\": [{\"spans\": [\n  {\"kind\": 1}, {\"kind\": true}]}]}]}";
    let error = decode(Signal::Traces, json.as_bytes()).unwrap_err();
    assert_eq!((error.line, error.column), (3, 25));
    assert_eq!(json.as_bytes()[error.at], b't');
    assert_eq!(
        error.to_string(),
        "line 3, column 25, in `resourceSpans[1].scopeSpans[0].spans[1].kind`: expected an integer, found `t`"
    );
    refused(of_span(&format!(r#""kind":"{}""#, "\\u001b".repeat(100))), r"unknown name `\u{1b}\u{1b}");
}

#[test]
fn unknown_values_nest_to_ten_thousand() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let nested = |depth: usize| {
            let inner = if open == "[" { "" } else { "1" };
            format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
        };
        taken(of_value(&format!(r#"{{"x":{}}}"#, nested(10_000))));
        refused(of_value(&format!(r#"{{"x":{}}}"#, nested(10_001))), "nested deeper than 10000 levels");
        refused(format!(r#"{{"x":{}"#, open.repeat(1_000_000)), "nested deeper than 10000 levels");
    }
}

#[test]
fn known_messages_nest_to_a_hundred() {
    // ResourceSpans, ScopeSpans, Span, KeyValue, AnyValue; then two for each array.
    let arrays_max = (DEPTH_MAX as usize - 5) / 2;
    let nested = |arrays: usize| {
        of_value(&format!("{}{{}}{}", r#"{"arrayValue":{"values":["#.repeat(arrays), "]}}".repeat(arrays)))
    };
    taken(nested(arrays_max));
    refused(nested(arrays_max + 1), "messages are nested deeper than 100 levels");
    refused(nested(100_000), "messages are nested deeper than 100 levels");
    refused(of_value(&r#"{"kvlistValue":{"values":[{"value":"#.repeat(100_000)), "nested deeper than 100 levels");
}

#[test]
fn fields_are_put_in_order() {
    let members = [
        r#""flags":257"#,
        r#""status":{"code":2,"message":"no"}"#,
        r#""droppedLinksCount":3"#,
        r#""links":[{"flags":1,"droppedAttributesCount":9,"traceState":"a=b","spanId":"0123456789abcdef"}]"#,
        r#""droppedEventsCount":2"#,
        r#""events":[{"name":"e","timeUnixNano":"7","attributes":[{"value":{"intValue":1},"key":"k"}]}]"#,
        r#""droppedAttributesCount":"1""#,
        r#""attributes":[{"value":{"boolValue":true},"key":"k"}]"#,
        r#""endTimeUnixNano":9"#,
        r#""startTimeUnixNano":"5""#,
        r#""kind":3"#,
        r#""name":"n""#,
        r#""parentSpanId":"0123456789abcdef""#,
        r#""traceState":"c=d""#,
        r#""spanId":"0123456789abcdef""#,
        r#""traceId":"0123456789abcdef0123456789abcdef""#,
    ];
    let forward = decode(Signal::Traces, of_span(&members.join(",")).as_bytes()).unwrap();
    let mut reversed = members;
    reversed.reverse();
    assert_eq!(forward, decode(Signal::Traces, of_span(&reversed.join(",")).as_bytes()).unwrap());
    taken(of_span(&members.join(",")));
}

#[test]
fn encoding_follows_the_specification() {
    let json = of_span(concat!(
        r#""traceId":"0123456789ABCDEF0123456789abcdef","spanId":"0123456789abcdef","name":"a\"\\\n\u0001é","kind":"SPAN_KIND_CLIENT","#,
        r#""startTimeUnixNano":5,"flags":"257","status":{},"attributes":[{"key":"i","value":{"intValue":-5}},"#,
        r#"{"key":"d","value":{"doubleValue":"-Infinity"}},{"key":"b","value":{"bytesValue":"AP8="}},"#,
        r#"{"key":"m","value":{"kvlistValue":{"values":[{"key":"","value":{"doubleValue":1e300}}]}}},{"key":"e","value":{"arrayValue":{}}},{"key":"x"}]"#
    ));
    let expected = of_span(concat!(
        r#""traceId":"0123456789abcdef0123456789abcdef","spanId":"0123456789abcdef","name":"a\"\\\n\u0001é","kind":3,"#,
        r#""startTimeUnixNano":"5","attributes":[{"key":"i","value":{"intValue":"-5"}},"#,
        r#"{"key":"d","value":{"doubleValue":"-Infinity"}},{"key":"b","value":{"bytesValue":"AP8="}},"#,
        r#"{"key":"m","value":{"kvlistValue":{"values":[{"value":{"doubleValue":1e300}}]}}},{"key":"e","value":{"arrayValue":{}}},{"key":"x"}],"#,
        r#""status":{},"flags":257"#
    ));
    let bytes = decode(Signal::Traces, json.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(encode(Signal::Traces, &bytes).unwrap()).unwrap(), expected);
    assert_eq!(encode(Signal::Traces, b"").unwrap(), b"{}");
}

#[test]
fn encoding_merges_and_repairs() {
    let mut status = Vec::new();
    wire::put_uint(&mut status, 3, 2);
    let mut span = Vec::new();
    wire::put_len(&mut span, 5, b"first");
    wire::put_len(&mut span, 15, &status);
    wire::put_len(&mut span, 9, b"");
    wire::put_len(&mut span, 5, b"\xffx\xf0\x9f");
    let mut message = Vec::new();
    wire::put_len(&mut message, 2, b"text");
    wire::put_len(&mut span, 15, &message);
    wire::put_len(&mut span, 9, b"");
    let mut request = span;
    for field in [2, 2, 1] {
        let mut outer = Vec::new();
        wire::put_len(&mut outer, field, &request);
        request = outer;
    }
    let expected = of_span(r#""name":"�x�","attributes":[{},{}],"status":{"message":"text","code":2}"#);
    assert_eq!(String::from_utf8(encode(Signal::Traces, &request).unwrap()).unwrap(), expected);
}

#[test]
fn conformance_inputs_equal_prost() {
    for name in ["traces.jsonl", "packed.jsonl", "vector_trace.jsonl"] {
        let path = format!("{}/../../tests/conformance/{name}", env!("CARGO_MANIFEST_DIR"));
        let lines = std::fs::read_to_string(path).unwrap();
        let mut spans = 0;
        for (index, line) in lines.lines().enumerate() {
            let bytes =
                decode(Signal::Traces, line.as_bytes()).unwrap_or_else(|error| panic!("{name}:{}: {error}", index + 1));
            let independent = independent::traces(&serde_json::from_str(line).unwrap());
            assert!(bytes == independent.encode_to_vec(), "{name}:{}", index + 1);
            let json = encode(Signal::Traces, &bytes).unwrap();
            assert!(decode(Signal::Traces, &json).unwrap() == bytes, "{name}:{}: there and back", index + 1);
            spans += independent
                .resource_spans
                .iter()
                .flat_map(|rs| &rs.scope_spans)
                .map(|ss| ss.spans.len())
                .sum::<usize>();
        }
        assert!(spans > 0, "{name}");
    }
}

#[test]
fn mutated_bodies_never_panic() {
    let path = format!("{}/../../tests/conformance/vector_trace.jsonl", env!("CARGO_MANIFEST_DIR"));
    let lines = std::fs::read_to_string(path).unwrap();
    let seed_line = lines.lines().next().unwrap().as_bytes();
    let seed = 0x7a11_2ace_u64;
    println!("seed {seed:#x}");
    let mut state = seed;
    let mut next = |below: usize| {
        // xorshift64: small, and the same everywhere.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let tokens: [&[u8]; 14] =
        [b"{", b"}", b"[", b"]", b",", b":", b"\"", b"null", b"-", b"1e9", b"\\u", b"\\ud83d", b"\x00", b"\xff"];
    for _ in 0..20_000 {
        let mut json = seed_line.to_vec();
        for _ in 0..=next(4) {
            let at = next(json.len() + 1);
            match next(4) {
                0 => json.truncate(at),
                1 => drop(json.splice(at..at, tokens[next(tokens.len())].iter().copied())),
                2 => drop(json.drain(at..(at + next(9)).min(json.len()))),
                _ => json.iter_mut().skip(at).take(1).for_each(|byte| *byte = byte.wrapping_add(next(255) as u8)),
            }
        }
        if let Ok(bytes) = decode(Signal::Traces, &json) {
            // Invalid UTF-8 passes the decoder, so prost may refuse; our own reader must not.
            let json = encode(Signal::Traces, &bytes).unwrap();
            let again = decode(Signal::Traces, &json).unwrap();
            assert_eq!(encode(Signal::Traces, &again).unwrap(), json);
        }
        // The encoder's input is hostile as well.
        let _ = encode(Signal::Traces, &json);
    }
}
