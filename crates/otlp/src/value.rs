//! An attribute value as it stands in the bytes (opentelemetry-proto common.proto, `AnyValue`).

/// A borrowed `AnyValue`. Containers stay encoded: `Array` is an `ArrayValue` message body, `Map` a `KeyValueList` body.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// No oneof field is set (or only `string_value_strindex`, which has no meaning outside profiles).
    Empty,
    /// Text. OTLP says UTF-8; nothing here relies on it.
    Str(&'a [u8]),
    /// A boolean.
    Bool(bool),
    /// A signed 64-bit integer.
    Int(i64),
    /// A double.
    Double(f64),
    /// The body of an `ArrayValue` message.
    Array(&'a [u8]),
    /// The body of a `KeyValueList` message.
    Map(&'a [u8]),
    /// Raw bytes.
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    /// pdata's typed getter: the text, or `""` for any other kind.
    #[must_use]
    pub fn str_or_empty(self) -> &'a [u8] {
        if let Value::Str(text) = self { text } else { b"" }
    }

    /// pdata's typed getter: the integer, or 0 for any other kind.
    #[must_use]
    pub fn int_or_zero(self) -> i64 {
        if let Value::Int(int) = self { int } else { 0 }
    }

    /// pdata's typed getter: the boolean, or false for any other kind.
    #[must_use]
    pub fn bool_or_false(self) -> bool {
        if let Value::Bool(bool) = self { bool } else { false }
    }
}
