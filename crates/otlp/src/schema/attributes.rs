//! What the requests of all signals have: resources, scopes, attributes (opentelemetry-proto, `common.proto`,
//! `resource.proto`).

use super::Kind::{Bool, Bytes, Double, Index, Int64, Message, Messages, Text, Texts, Uint32};
use super::{Field, Message as M, choice, field};

pub(super) const RESOURCE: &[Field] = &[
    field(1, "attributes", "attributes", Messages(M::KeyValue)),
    field(2, "dropped_attributes_count", "droppedAttributesCount", Uint32),
    field(3, "entity_refs", "entityRefs", Messages(M::EntityRef)),
];

pub(super) const ANY_VALUE: &[Field] = &[
    choice(1, "string_value", "stringValue", Text),
    choice(2, "bool_value", "boolValue", Bool),
    choice(3, "int_value", "intValue", Int64),
    choice(4, "double_value", "doubleValue", Double),
    choice(5, "array_value", "arrayValue", Message(M::ArrayValue)),
    choice(6, "kvlist_value", "kvlistValue", Message(M::KeyValueList)),
    choice(7, "bytes_value", "bytesValue", Bytes),
    choice(8, "string_value_strindex", "stringValueStrindex", Index),
];

pub(super) const ARRAY_VALUE: &[Field] = &[field(1, "values", "values", Messages(M::AnyValue))];

pub(super) const KEY_VALUE_LIST: &[Field] = &[field(1, "values", "values", Messages(M::KeyValue))];

pub(super) const KEY_VALUE: &[Field] = &[
    field(1, "key", "key", Text),
    field(2, "value", "value", Message(M::AnyValue)),
    field(3, "key_strindex", "keyStrindex", Index),
];

pub(super) const INSTRUMENTATION_SCOPE: &[Field] = &[
    field(1, "name", "name", Text),
    field(2, "version", "version", Text),
    field(3, "attributes", "attributes", Messages(M::KeyValue)),
    field(4, "dropped_attributes_count", "droppedAttributesCount", Uint32),
];

pub(super) const ENTITY_REF: &[Field] = &[
    field(1, "schema_url", "schemaUrl", Text),
    field(2, "type", "type", Text),
    field(3, "id_keys", "idKeys", Texts),
    field(4, "description_keys", "descriptionKeys", Texts),
];
