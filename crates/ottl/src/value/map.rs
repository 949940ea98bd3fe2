//! Maps: attributes, encoded ones of the wire, literals of the condition, and what converters make.
//!
//! Of entries with the same key the first one is found, all of them are counted.

use super::Value;
use otlp::view::{Attributes, map_entries};
use std::borrow::Cow;

/// A map.
#[derive(Clone, Debug)]
pub struct Map<'a> {
    /// Whether it is a native Go map, which in otelcol is compared by another rule than one of the data model.
    pub is_native: bool,
    entries: Entries<'a>,
}

/// One entry of a decoded map.
pub type Entry<'a> = (Cow<'a, [u8]>, Value<'a>);

#[derive(Clone, Debug)]
enum Entries<'a> {
    /// The body of a `KeyValueList`.
    Wire(&'a [u8]),
    /// The attributes of a span, an event, a resource or a scope.
    Attributes(Box<Attributes<'a>>),
    Owned(Vec<Entry<'a>>),
    Borrowed(&'a [Entry<'a>]),
}

/// Iterator over a map's entries.
#[derive(Clone, Debug)]
pub enum MapIter<'a> {
    /// Of an encoded map.
    Wire(Attributes<'a>),
    /// Of a decoded one.
    Slice(std::slice::Iter<'a, Entry<'a>>),
}

impl<'a> Map<'a> {
    /// An attribute's map: the body of a `KeyValueList`.
    #[must_use]
    pub fn wire(body: &'a [u8]) -> Self {
        Self { is_native: false, entries: Entries::Wire(body) }
    }

    /// All attributes of something.
    #[must_use]
    pub fn attributes(attributes: Attributes<'a>) -> Self {
        Self { is_native: false, entries: Entries::Attributes(Box::new(attributes)) }
    }

    /// A map of the data model, its entries in this order.
    #[must_use]
    pub fn data(entries: Vec<Entry<'a>>) -> Self {
        Self { is_native: false, entries: Entries::Owned(entries) }
    }

    /// A native map.
    #[must_use]
    pub fn native(entries: Vec<Entry<'a>>) -> Self {
        Self { is_native: true, entries: Entries::Owned(entries) }
    }

    /// The body of its `KeyValueList`, if it is an encoded one.
    pub(crate) fn encoded(&self) -> Option<&'a [u8]> {
        if let Entries::Wire(body) = &self.entries { Some(body) } else { None }
    }

    /// How many entries it has. Walks an encoded map.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.entries {
            Entries::Wire(body) => map_entries(body).count(),
            Entries::Attributes(attributes) => (**attributes).count(),
            Entries::Owned(entries) => entries.len(),
            Entries::Borrowed(entries) => entries.len(),
        }
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The entries in order.
    #[must_use]
    pub fn iter(&self) -> MapIter<'_> {
        match &self.entries {
            Entries::Wire(body) => MapIter::Wire(map_entries(body)),
            Entries::Attributes(attributes) => MapIter::Wire(**attributes),
            Entries::Owned(entries) => MapIter::Slice(entries.iter()),
            Entries::Borrowed(entries) => MapIter::Slice(entries.iter()),
        }
    }

    /// The value of `key`.
    #[must_use]
    pub fn find(&self, key: &[u8]) -> Option<Value<'_>> {
        self.iter().find(|(name, _)| **name == *key).map(|(_, value)| value)
    }

    /// The value of `key`, out of the map.
    #[must_use]
    pub fn into_value(self, key: &[u8]) -> Option<Value<'a>> {
        match self.entries {
            Entries::Wire(body) => find(map_entries(body), key),
            Entries::Attributes(attributes) => find(*attributes, key),
            Entries::Owned(mut entries) => {
                let index = entries.iter().position(|(name, _)| **name == *key)?;
                Some(entries.swap_remove(index).1)
            }
            Entries::Borrowed(entries) => {
                entries.iter().find(|(name, _)| **name == *key).map(|(_, value)| value.borrow())
            }
        }
    }

    /// The entries, out of the map.
    #[must_use]
    pub fn into_entries(self) -> Vec<Entry<'a>> {
        match self.entries {
            Entries::Wire(body) => map_entries(body).map(of_wire).collect(),
            Entries::Attributes(attributes) => attributes.map(of_wire).collect(),
            Entries::Owned(entries) => entries,
            Entries::Borrowed(entries) => {
                entries.iter().map(|(key, value)| (Cow::Borrowed(&**key), value.borrow())).collect()
            }
        }
    }

    /// About how many bytes it takes to look at all of it.
    #[must_use]
    pub fn weight(&self) -> usize {
        let decoded = |entries: &[Entry<'_>]| entries.iter().map(|(key, value)| key.len() + value.weight()).sum();
        match &self.entries {
            Entries::Wire(body) => body.len(),
            Entries::Attributes(attributes) => {
                (**attributes).map(|(key, value)| key.len() + Value::of_wire(value).weight()).sum()
            }
            Entries::Owned(entries) => decoded(entries),
            Entries::Borrowed(entries) => decoded(entries),
        }
    }

    pub(super) fn borrow(&self) -> Map<'_> {
        let entries = match &self.entries {
            Entries::Wire(body) => Entries::Wire(body),
            Entries::Attributes(attributes) => Entries::Attributes(attributes.clone()),
            Entries::Owned(entries) => Entries::Borrowed(entries),
            Entries::Borrowed(entries) => Entries::Borrowed(entries),
        };
        Map { is_native: self.is_native, entries }
    }

    pub(super) fn into_owned(self) -> Map<'static> {
        let is_native = self.is_native;
        let owned = |(key, value): Entry<'a>| (Cow::Owned(key.into_owned()), value.into_owned());
        Map { is_native, entries: Entries::Owned(self.into_entries().into_iter().map(owned).collect()) }
    }
}

/// The same entries in the same order.
impl PartialEq for Map<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.is_native == other.is_native && self.iter().eq(other.iter())
    }
}

impl<'a> Iterator for MapIter<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        match self {
            Self::Wire(attributes) => attributes.next().map(of_wire),
            Self::Slice(entries) => entries.next().map(|(key, value)| (Cow::Borrowed(&**key), value.borrow())),
        }
    }
}

fn of_wire<'a>((key, value): (&'a [u8], otlp::Value<'a>)) -> Entry<'a> {
    (Cow::Borrowed(key), Value::of_wire(value))
}

/// The value of an attribute; the first one with the key counts.
pub(crate) fn find<'a>(mut attributes: Attributes<'a>, key: &[u8]) -> Option<Value<'a>> {
    attributes.find(|(name, _)| *name == key).map(|(_, value)| Value::of_wire(value))
}
