//! The table against the .proto files.

use super::*;
use std::collections::BTreeMap;

const FILES: [&str; 8] = [
    include_str!("../../../../proto/opentelemetry/proto/collector/trace/v1/trace_service.proto"),
    include_str!("../../../../proto/opentelemetry/proto/collector/metrics/v1/metrics_service.proto"),
    include_str!("../../../../proto/opentelemetry/proto/collector/logs/v1/logs_service.proto"),
    include_str!("../../../../proto/opentelemetry/proto/common/v1/common.proto"),
    include_str!("../../../../proto/opentelemetry/proto/resource/v1/resource.proto"),
    include_str!("../../../../proto/opentelemetry/proto/trace/v1/trace.proto"),
    include_str!("../../../../proto/opentelemetry/proto/metrics/v1/metrics.proto"),
    include_str!("../../../../proto/opentelemetry/proto/logs/v1/logs.proto"),
];

/// By message: (field number, snake_case name, camelCase name, kind, presence).
type Parsed = BTreeMap<String, Vec<(u32, String, String, String, Presence)>>;

/// An open block: a message by its name, or something else.
#[derive(Clone, PartialEq)]
enum Open {
    Message(String),
    Oneof(String),
    Other,
}

/// Reads the subset of the language that the files are written in: one declaration a line.
fn parse(text: &str, messages: &mut Parsed, enums: &mut Vec<(String, Vec<String>)>) {
    let mut open: Vec<Open> = Vec::new();
    for line in text.lines().map(|line| line.split("//").next().unwrap_or_default().trim()) {
        let words: Vec<&str> = line.split(|c: char| c.is_whitespace() || c == ';').filter(|w| !w.is_empty()).collect();
        match words[..] {
            [] | ["syntax" | "package" | "import" | "option" | "reserved" | "rpc" | "(", ..] => {}
            ["message", name, "{"] => {
                messages.insert(name.to_owned(), Vec::new());
                open.push(Open::Message(name.to_owned()));
            }
            ["enum", name, "{"] => {
                enums.push((name.to_owned(), Vec::new()));
                open.push(Open::Other);
            }
            ["oneof", _, "{"] => match open.last().unwrap().clone() {
                Open::Message(name) => open.push(Open::Oneof(name)),
                _ => panic!("a oneof outside of a message"),
            },
            ["service", _, "{"] => open.push(Open::Other),
            ["}"] => drop(open.pop()),
            [ref label @ .., kind, name, "=", number] if label.len() < 2 => {
                let (message, presence) = match (open.last().unwrap(), label) {
                    (Open::Oneof(message), []) => (message, Presence::Choice),
                    (Open::Message(message), ["optional"]) => (message, Presence::Explicit),
                    (Open::Message(message), [] | ["repeated"]) => (message, Presence::Implicit),
                    _ => panic!("cannot read `{line}`"),
                };
                let label = if *label == ["repeated"] { "repeated " } else { "" };
                let kind = format!("{label}{}", kind.rsplit('.').next().unwrap());
                let field = (number.parse().unwrap(), name.to_owned(), camel(name), kind, presence);
                messages.get_mut(message).unwrap().push(field);
            }
            [name, "=", _] if open.last() == Some(&Open::Other) => enums.last_mut().unwrap().1.push(name.to_owned()),
            _ => assert!(line.ends_with("{}"), "cannot read `{line}`"),
        }
    }
    assert!(open.is_empty());
}

fn camel(snake: &str) -> String {
    let mut words = snake.split('_');
    let first = words.next().unwrap().to_owned();
    words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
}

/// The type that a field of this kind is declared with.
fn declared(kind: Kind, enums: &[(String, Vec<String>)]) -> String {
    match kind {
        Kind::Text => "string".to_owned(),
        Kind::Id(_) | Kind::Bytes => "bytes".to_owned(),
        Kind::Bool => "bool".to_owned(),
        Kind::Int64 => "int64".to_owned(),
        Kind::Double => "double".to_owned(),
        Kind::Fixed64 => "fixed64".to_owned(),
        Kind::Sfixed64 => "sfixed64".to_owned(),
        Kind::Uint32 => "uint32".to_owned(),
        Kind::Sint32 => "sint32".to_owned(),
        Kind::Fixed32 => "fixed32".to_owned(),
        Kind::Index => "int32".to_owned(),
        Kind::Enum(names) => enums.iter().find(|(_, known)| known == names).expect("an enum's names").0.clone(),
        Kind::Message(message) => format!("{message:?}"),
        Kind::Messages(message) => format!("repeated {message:?}"),
        Kind::Texts => "repeated string".to_owned(),
        Kind::Doubles => "repeated double".to_owned(),
        Kind::Fixed64s => "repeated fixed64".to_owned(),
        Kind::Uint64s => "repeated uint64".to_owned(),
    }
}

#[test]
fn table_is_the_schema() {
    let (mut messages, mut enums) = (Parsed::new(), Vec::new());
    FILES.iter().for_each(|text| parse(text, &mut messages, &mut enums));
    for signal in Signal::ALL {
        // Request and data are named `Trace`, not `Traces`, here and there.
        let (plural, name) = match signal {
            Signal::Traces => ("Traces", "Trace"),
            Signal::Metrics => ("Metrics", "Metrics"),
            Signal::Logs => ("Logs", "Logs"),
        };
        for other in [format!("Export{name}ServiceResponse"), format!("Export{name}PartialSuccess")] {
            assert!(messages.remove(&other).is_some(), "`{other}` is gone");
        }
        let data = messages.remove(&format!("{plural}Data"));
        let request = messages.remove(&format!("Export{name}ServiceRequest"));
        assert_eq!(data, request);
        messages.insert(format!("{:?}", Message::request(signal)), request.unwrap());
    }
    messages.values_mut().for_each(|fields| fields.sort_by_key(|field| field.0));
    let table: Parsed = MESSAGES
        .iter()
        .map(|&message| {
            let fields = fields(message).iter().map(|field| {
                let kind = declared(field.kind, &enums);
                (field.number, field.snake.to_owned(), field.camel.to_owned(), kind, field.presence)
            });
            (format!("{message:?}"), fields.collect())
        })
        .collect();
    assert_eq!(table, messages);
}

#[test]
fn dense_form_is_the_table() {
    for (index, &message) in MESSAGES.iter().enumerate() {
        assert_eq!(message as usize, index);
        for number in 0..40 {
            let field = fields(message).iter().find(|field| field.number == number);
            assert_eq!(shape(message, number), field.map(|field| field.kind.shape()), "{message:?} {number}");
        }
    }
}
