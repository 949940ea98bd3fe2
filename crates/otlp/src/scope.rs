//! Writes attributes into the scope of a ScopeSpans header, on its bytes.
//!
//! A header is what [`Scan::scope_header`](crate::scan::Scan::scope_header) gives: the fields of a ScopeSpans without its
//! spans. A key that stands there gets the new value in its place, as a map would do it, others are added at the end; all
//! other bytes stay as they are, unknown fields included.

use crate::wire::{Reader, Tag, WireError, WireType, put_len, put_uint};

/// An attribute to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Its key.
    pub key: &'a str,
    /// Its value.
    pub value: Value<'a>,
}

/// The value of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A string.
    Text(&'a str),
    /// A truth value.
    Bool(bool),
}

/// `ScopeSpans.scope`, `InstrumentationScope.attributes`, and the fields of `KeyValue` and `AnyValue`.
const SCOPE: u32 = 1;
const ATTRIBUTES: u32 = 3;
const KEY: u32 = 1;
const VALUE: u32 = 2;
const STRING_VALUE: u32 = 1;
const BOOL_VALUE: u32 = 2;

/// The header with these attributes in its scope. One that is not a header, which a scan does not give, comes back as it is.
#[must_use]
pub fn with_attributes(scope_header: &[u8], attributes: &[Attribute<'_>]) -> Vec<u8> {
    write(scope_header, attributes).unwrap_or_else(|_| scope_header.to_vec())
}

fn write(header: &[u8], attributes: &[Attribute<'_>]) -> Result<Vec<u8>, WireError> {
    let mut scopes = 0;
    let mut missing = attributes.to_vec();
    each_field(header, |tag, body, _| {
        if is(tag, SCOPE) {
            scopes += 1;
            return each_field(body, |tag, body, _| {
                if is(tag, ATTRIBUTES) {
                    let key = key_of(body)?;
                    missing.retain(|attribute| attribute.key.as_bytes() != key);
                }
                Ok(())
            });
        }
        Ok(())
    })?;

    let mut out = Vec::with_capacity(header.len() + 64 * attributes.len());
    let mut to_replace: Vec<Attribute<'_>> = attributes.iter().filter(|one| !missing.contains(one)).copied().collect();
    let mut left = scopes;
    each_field(header, |tag, body, raw| {
        if !is(tag, SCOPE) {
            out.extend_from_slice(raw);
            return Ok(());
        }
        left -= 1;
        let mut scope = replaced(body, &mut to_replace)?;
        if left == 0 {
            missing.iter().for_each(|attribute| attribute.put(&mut scope));
        }
        put_len(&mut out, SCOPE, &scope);
        Ok(())
    })?;
    if scopes == 0 {
        let mut scope = Vec::new();
        missing.iter().for_each(|attribute| attribute.put(&mut scope));
        put_len(&mut out, SCOPE, &scope);
    }
    Ok(out)
}

/// A scope in which the first attribute under each of these keys has its new value; those are taken out of the list.
fn replaced(scope: &[u8], attributes: &mut Vec<Attribute<'_>>) -> Result<Vec<u8>, WireError> {
    let mut out = Vec::with_capacity(scope.len() + 64);
    each_field(scope, |tag, body, raw| {
        let key = if is(tag, ATTRIBUTES) { Some(key_of(body)?) } else { None };
        match attributes.iter().position(|attribute| Some(attribute.key.as_bytes()) == key) {
            Some(index) => attributes.remove(index).put(&mut out),
            None => out.extend_from_slice(raw),
        }
        Ok(())
    })?;
    Ok(out)
}

impl Attribute<'_> {
    fn put(&self, scope: &mut Vec<u8>) {
        let mut value = Vec::new();
        match self.value {
            Value::Text(text) => put_len(&mut value, STRING_VALUE, text.as_bytes()),
            Value::Bool(is) => put_uint(&mut value, BOOL_VALUE, u64::from(is)),
        }
        let mut pair = Vec::new();
        put_len(&mut pair, KEY, self.key.as_bytes());
        put_len(&mut pair, VALUE, &value);
        put_len(scope, ATTRIBUTES, &pair);
    }
}

/// The key of a `KeyValue`; of several, the last one counts.
fn key_of(pair: &[u8]) -> Result<&[u8], WireError> {
    let mut key: &[u8] = &[];
    let mut reader = Reader::new(pair);
    while !reader.is_empty() {
        let tag = reader.tag()?;
        if is(tag, KEY) {
            key = reader.len_delimited()?;
        } else {
            reader.skip(tag, 0)?;
        }
    }
    Ok(key)
}

fn is(tag: Tag, field: u32) -> bool {
    tag.field == field && tag.wire == WireType::Len
}

/// Calls `visit` with each field's tag, its contents (empty unless length-delimited) and all its bytes.
fn each_field<'a>(
    message: &'a [u8],
    mut visit: impl FnMut(Tag, &'a [u8], &'a [u8]) -> Result<(), WireError>,
) -> Result<(), WireError> {
    let mut reader = Reader::new(message);
    while !reader.is_empty() {
        let start = reader.position();
        let tag = reader.tag()?;
        let mut body: &[u8] = &[];
        if tag.wire == WireType::Len {
            body = reader.len_delimited()?;
        } else {
            reader.skip(tag, 0)?;
        }
        visit(tag, body, &message[start..reader.position()])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Attribute<'_> = Attribute { key: "policy", value: Value::Text("errors") };
    const CACHED: Attribute<'_> = Attribute { key: "cached", value: Value::Bool(true) };

    fn pair(key: &str, value: &[u8]) -> Vec<u8> {
        let mut pair = Vec::new();
        put_len(&mut pair, KEY, key.as_bytes());
        put_len(&mut pair, VALUE, value);
        let mut field = Vec::new();
        put_len(&mut field, ATTRIBUTES, &pair);
        field
    }

    fn header(scopes: &[Vec<Vec<u8>>]) -> Vec<u8> {
        let mut header = Vec::new();
        for scope in scopes {
            put_len(&mut header, SCOPE, &scope.concat());
        }
        put_len(&mut header, 3, b"https://schema");
        put_len(&mut header, 77, b"unknown");
        header
    }

    #[test]
    fn attributes_are_added_and_overwritten_and_all_else_stays() {
        let name = b"\x0a\x03app".to_vec();
        let unknown = b"\xfa\x01\x02xy".to_vec();
        let errors = pair("policy", b"\x0a\x06errors");
        let yes = pair("cached", b"\x10\x01");
        let other = pair("other", b"\x18\x05");
        let old = pair("policy", b"\x18\x07");
        for (before, after) in [
            // Added behind what is there.
            (
                header(&[vec![name.clone(), other.clone(), unknown.clone()]]),
                header(&[vec![name.clone(), other.clone(), unknown.clone(), errors.clone(), yes.clone()]]),
            ),
            // Overwritten in its place, only the first of two.
            (
                header(&[vec![old.clone(), name.clone(), old.clone(), unknown.clone()]]),
                header(&[vec![errors.clone(), name.clone(), old.clone(), unknown.clone(), yes.clone()]]),
            ),
            // A scope in two parts.
            (
                header(&[vec![name.clone(), old.clone()], vec![other.clone()]]),
                header(&[vec![name.clone(), errors.clone()], vec![other.clone(), yes.clone()]]),
            ),
        ] {
            assert_eq!(with_attributes(&before, &[POLICY, CACHED]), after);
        }
        let mut scope = Vec::new();
        put_len(&mut scope, SCOPE, &[errors, yes].concat());
        let bare = with_attributes(&header(&[]), &[POLICY, CACHED]);
        assert_eq!(bare, [header(&[]), scope].concat(), "no scope: one is added");
    }

    #[test]
    fn what_is_no_header_comes_back() {
        assert_eq!(with_attributes(b"\x0a\x7f", &[POLICY]), b"\x0a\x7f");
    }
}
