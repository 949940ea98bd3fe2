//! The OTLP trace messages as a table: message, field number, kind (opentelemetry-proto, `proto/` at the repository root;
//! a test below compares every line with those files).
//!
//! The table is the only place that knows field numbers. The validator walks a dense form of it ([`kind`]); the fast paths
//! of the scanner match on keys that [`key`] computes from it while compiling, so that a name that is not here, or a wire
//! type that is not the schema's, does not compile.

use crate::wire::WireType;

/// Every message that can stand in a trace request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Message {
    /// `ExportTraceServiceRequest`; `TracesData` has the same fields.
    Request,
    ResourceSpans,
    Resource,
    EntityRef,
    ScopeSpans,
    InstrumentationScope,
    Span,
    Event,
    Link,
    Status,
    KeyValue,
    AnyValue,
    ArrayValue,
    KeyValueList,
}

/// What a field holds, as far as the wire shows it. Text and bytes look the same; so do all integers, booleans and enums.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Varint,
    Fixed64,
    Fixed32,
    Bytes,
    Message(Message),
}

/// Number, name, kind.
pub(super) type Field = (u32, &'static str, Kind);

/// The fields of `message`.
pub(super) const fn fields(message: Message) -> &'static [Field] {
    use Kind::{Bytes, Fixed32, Fixed64, Varint};
    use Message as M;
    match message {
        M::Request => &[(1, "resource_spans", Kind::Message(M::ResourceSpans))],
        M::ResourceSpans => &[
            (1, "resource", Kind::Message(M::Resource)),
            (2, "scope_spans", Kind::Message(M::ScopeSpans)),
            (3, "schema_url", Bytes),
        ],
        M::Resource => &[
            (1, "attributes", Kind::Message(M::KeyValue)),
            (2, "dropped_attributes_count", Varint),
            (3, "entity_refs", Kind::Message(M::EntityRef)),
        ],
        M::EntityRef => {
            &[(1, "schema_url", Bytes), (2, "type", Bytes), (3, "id_keys", Bytes), (4, "description_keys", Bytes)]
        }
        M::ScopeSpans => &[
            (1, "scope", Kind::Message(M::InstrumentationScope)),
            (2, "spans", Kind::Message(M::Span)),
            (3, "schema_url", Bytes),
        ],
        M::InstrumentationScope => &[
            (1, "name", Bytes),
            (2, "version", Bytes),
            (3, "attributes", Kind::Message(M::KeyValue)),
            (4, "dropped_attributes_count", Varint),
        ],
        M::Span => &[
            (1, "trace_id", Bytes),
            (2, "span_id", Bytes),
            (3, "trace_state", Bytes),
            (4, "parent_span_id", Bytes),
            (5, "name", Bytes),
            (6, "kind", Varint),
            (7, "start_time_unix_nano", Fixed64),
            (8, "end_time_unix_nano", Fixed64),
            (9, "attributes", Kind::Message(M::KeyValue)),
            (10, "dropped_attributes_count", Varint),
            (11, "events", Kind::Message(M::Event)),
            (12, "dropped_events_count", Varint),
            (13, "links", Kind::Message(M::Link)),
            (14, "dropped_links_count", Varint),
            (15, "status", Kind::Message(M::Status)),
            (16, "flags", Fixed32),
        ],
        M::Event => &[
            (1, "time_unix_nano", Fixed64),
            (2, "name", Bytes),
            (3, "attributes", Kind::Message(M::KeyValue)),
            (4, "dropped_attributes_count", Varint),
        ],
        M::Link => &[
            (1, "trace_id", Bytes),
            (2, "span_id", Bytes),
            (3, "trace_state", Bytes),
            (4, "attributes", Kind::Message(M::KeyValue)),
            (5, "dropped_attributes_count", Varint),
            (6, "flags", Fixed32),
        ],
        M::Status => &[(2, "message", Bytes), (3, "code", Varint)],
        M::KeyValue => &[(1, "key", Bytes), (2, "value", Kind::Message(M::AnyValue)), (3, "key_strindex", Varint)],
        M::AnyValue => &[
            (1, "string_value", Bytes),
            (2, "bool_value", Varint),
            (3, "int_value", Varint),
            (4, "double_value", Fixed64),
            (5, "array_value", Kind::Message(M::ArrayValue)),
            (6, "kvlist_value", Kind::Message(M::KeyValueList)),
            (7, "bytes_value", Bytes),
            (8, "string_value_strindex", Varint),
        ],
        M::ArrayValue => &[(1, "values", Kind::Message(M::AnyValue))],
        M::KeyValueList => &[(1, "values", Kind::Message(M::KeyValue))],
    }
}

/// What field `number` of `message` holds; `None` for a field that the schema does not know.
#[inline]
pub(super) fn kind(message: Message, number: u32) -> Option<Kind> {
    *KINDS[message as usize].get(number as usize)?
}

/// The key (`number << 3 | wire type`) of a field that the table names.
///
/// # Panics
/// While compiling, if there is no such field.
pub(super) const fn key(message: Message, name: &str) -> u32 {
    let fields = fields(message);
    let mut index = 0;
    while index < fields.len() {
        let (number, field, kind) = fields[index];
        if same(field, name) {
            return number << 3 | kind.wire() as u32;
        }
        index += 1;
    }
    panic!("the schema has no such field");
}

impl Kind {
    /// The only wire type that a field of this kind may come in. (No trace message has a packable list.)
    pub(super) const fn wire(self) -> WireType {
        match self {
            Self::Varint => WireType::Varint,
            Self::Fixed64 => WireType::Fixed64,
            Self::Fixed32 => WireType::Fixed32,
            Self::Bytes | Self::Message(_) => WireType::Len,
        }
    }
}

const fn same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut index = 0;
    while index < left.len() && index < right.len() && left[index] == right[index] {
        index += 1;
    }
    index == left.len() && index == right.len()
}

/// Highest field number of any message.
const NUMBER_MAX: usize = 16;

/// [`fields`] as a dense array, by message and field number.
static KINDS: [[Option<Kind>; NUMBER_MAX + 1]; MESSAGES.len()] = {
    let mut kinds = [[None; NUMBER_MAX + 1]; MESSAGES.len()];
    let mut row = 0;
    while row < MESSAGES.len() {
        let fields = fields(MESSAGES[row]);
        let mut index = 0;
        while index < fields.len() {
            let (number, _, kind) = fields[index];
            kinds[row][number as usize] = Some(kind);
            index += 1;
        }
        row += 1;
    }
    kinds
};

/// All messages, in the order of their discriminants.
const MESSAGES: [Message; 14] = [
    Message::Request,
    Message::ResourceSpans,
    Message::Resource,
    Message::EntityRef,
    Message::ScopeSpans,
    Message::InstrumentationScope,
    Message::Span,
    Message::Event,
    Message::Link,
    Message::Status,
    Message::KeyValue,
    Message::AnyValue,
    Message::ArrayValue,
    Message::KeyValueList,
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const FILES: [&str; 4] = [
        include_str!("../../../../proto/opentelemetry/proto/collector/trace/v1/trace_service.proto"),
        include_str!("../../../../proto/opentelemetry/proto/common/v1/common.proto"),
        include_str!("../../../../proto/opentelemetry/proto/resource/v1/resource.proto"),
        include_str!("../../../../proto/opentelemetry/proto/trace/v1/trace.proto"),
    ];

    /// Messages of those files that are not part of a request.
    const OTHERS: [&str; 2] = ["ExportTraceServiceResponse", "ExportTracePartialSuccess"];

    /// By message: (field number, field name, type name).
    type Parsed = BTreeMap<String, Vec<(u32, String, String)>>;

    /// Reads the subset of the language that the files are written in: one declaration a line.
    fn parse(text: &str, messages: &mut Parsed, enums: &mut Vec<String>) {
        // Open blocks, with the message's name for those that are messages.
        let mut open: Vec<Option<String>> = Vec::new();
        for line in text.lines().map(|line| line.split("//").next().unwrap_or_default().trim()) {
            let words: Vec<&str> =
                line.split(|c: char| c.is_whitespace() || c == ';').filter(|w| !w.is_empty()).collect();
            match words[..] {
                ["message", name, "{"] => {
                    messages.insert(name.to_owned(), Vec::new());
                    open.push(Some(name.to_owned()));
                }
                ["enum", name, "{"] => {
                    enums.push(name.to_owned());
                    open.push(None);
                }
                // Its fields are the message's.
                ["oneof", _, "{"] => open.push(open.last().unwrap().clone()),
                ["service", _, "{"] => open.push(None),
                ["}"] => drop(open.pop()),
                [kind, name, "=", number] | ["repeated", kind, name, "=", number] => {
                    if let Some(Some(message)) = open.last() {
                        let kind = kind.rsplit('.').next().unwrap().to_owned();
                        messages.get_mut(message).unwrap().push((number.parse().unwrap(), name.to_owned(), kind));
                    }
                }
                [] | ["syntax" | "package" | "import" | "option" | "reserved" | "rpc" | "(", ..] => {}
                _ => assert!(open.last() == Some(&None) || line.ends_with("{}"), "cannot read `{line}`"),
            }
        }
        assert!(open.is_empty());
    }

    fn kind_of(type_name: &str, enums: &[String]) -> String {
        let scalar = match type_name {
            "string" | "bytes" => Kind::Bytes,
            "bool" | "int32" | "int64" | "uint32" => Kind::Varint,
            "double" | "fixed64" => Kind::Fixed64,
            "fixed32" => Kind::Fixed32,
            name if enums.iter().any(|known| known == name) => Kind::Varint,
            name => return format!("Message({name})"),
        };
        format!("{scalar:?}")
    }

    #[test]
    fn table_is_the_schema() {
        let (mut messages, mut enums) = (Parsed::new(), Vec::new());
        FILES.iter().for_each(|text| parse(text, &mut messages, &mut enums));
        assert_eq!(enums, ["SpanKind", "StatusCode", "SpanFlags"]);
        for name in OTHERS {
            assert!(messages.remove(name).is_some(), "`{name}` is gone");
        }
        let traces_data = messages.remove("TracesData");
        let request = messages.remove("ExportTraceServiceRequest").unwrap();
        assert_eq!(traces_data.as_ref(), Some(&request));
        messages.insert("Request".to_owned(), request);

        let mut schema = BTreeMap::new();
        for (message, mut fields) in messages {
            fields.sort();
            let fields: Vec<_> =
                fields.into_iter().map(|(number, name, kind)| (number, name, kind_of(&kind, &enums))).collect();
            schema.insert(message, fields);
        }
        let table: BTreeMap<_, _> = MESSAGES
            .iter()
            .map(|&message| {
                let fields = fields(message).iter();
                let fields: Vec<_> =
                    fields.map(|(number, name, kind)| (*number, (*name).to_owned(), format!("{kind:?}"))).collect();
                (format!("{message:?}"), fields)
            })
            .collect();
        assert_eq!(table, schema);
    }

    #[test]
    fn dense_form_is_the_table() {
        for (index, &message) in MESSAGES.iter().enumerate() {
            assert_eq!(message as usize, index);
            for number in 0..40 {
                let field = fields(message).iter().find(|field| field.0 == number);
                assert_eq!(kind(message, number), field.map(|field| field.2), "{message:?} {number}");
            }
        }
    }
}
