//! A message's attributes as pdata holds them, and how they come back onto the wire.
//!
//! pdata keeps a list: of equal keys the first one is found, what is new comes last, and what is removed is replaced by the
//! last one. An [`AttributeList`] reads where the KeyValues of a message stand, is changed like pdata's list, and is then
//! written as few edits: what stayed stays where it is.
//!
//! ```text
//!  on the wire   a b c d        remove b, add e
//!  in the list   a d c e        d moved: its bytes take b's place, its own are cut
//!  edits             b := d · d := e
//! ```
//!
//! Invariant: the entries that did not move stand in the order of the wire.

use crate::{any_value, splice::Splice};
use otlp::wire::{Reader, Tag, WireError, WireType};
use std::{borrow::Cow, ops::Range};

/// The attributes of one message. One list serves many messages, so that it allocates for the largest alone.
#[derive(Debug)]
pub struct AttributeList<'e> {
    source: &'e [u8],
    /// The field that the attributes are.
    number: u32,
    /// Where the message ends.
    end: usize,
    /// Where the KeyValues stand on the wire.
    fields: Vec<Place>,
    entries: Vec<Entry<'e>>,
    is_changed: bool,
}

/// A KeyValue on the wire: its first byte, that of its body, and its end.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: usize,
    body: usize,
    end: usize,
}

/// An attribute. Other than its key and value it may hold what we do not know, which stays as long as it is not changed.
#[derive(Clone, Debug)]
pub struct Entry<'e> {
    key: &'e [u8],
    /// The body of the `AnyValue`.
    value: Cow<'e, [u8]>,
    /// Its place in the fields; [`NEW`] if it came with an action.
    field: usize,
    is_moved: bool,
    is_changed: bool,
}

const NEW: usize = usize::MAX;

impl<'e> AttributeList<'e> {
    /// No attributes, of messages in `source`.
    #[must_use]
    pub fn new(source: &'e [u8]) -> Self {
        Self { source, number: 1, end: 0, fields: Vec::new(), entries: Vec::new(), is_changed: false }
    }

    /// Reads the attributes of the message that is `within` of the source: its fields with this number.
    ///
    /// # Errors
    /// Where the structure is broken.
    pub fn read(&mut self, within: Range<usize>, number: u32) -> Result<(), WireError> {
        self.fields.clear();
        self.entries.clear();
        self.is_changed = false;
        self.number = number;
        self.end = within.end;
        let wanted = Tag { field: number, wire: WireType::Len }.key();
        let mut reader = Reader::within(self.source, within.start, within.end);
        while !reader.is_empty() {
            let start = reader.position();
            let key = reader.key()?;
            if key != wanted {
                reader.skip(Tag::of(key)?, 0)?;
                continue;
            }
            let body = reader.len_delimited()?;
            let end = reader.position();
            let (key, value) = match otlp::view::plain_entry(body) {
                Some((key, value)) => (key, Cow::Borrowed(value)),
                None => key_value(body)?,
            };
            let field = self.fields.len();
            self.fields.push(Place { start, body: end - body.len(), end });
            self.entries.push(Entry { key, value, field, is_moved: false, is_changed: false });
        }
        Ok(())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Key and value at a place; a value is the body of an `AnyValue`.
    #[must_use]
    pub fn at(&self, position: usize) -> Option<(&'e [u8], &[u8])> {
        self.entries.get(position).map(|entry| (entry.key, &*entry.value))
    }

    /// Whether something was changed since they were read.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// The place of the first attribute with this key.
    #[must_use]
    pub fn position(&self, key: &[u8]) -> Option<usize> {
        self.entries.iter().position(|entry| entry.key == key)
    }

    /// The first attribute's value, as the body of an `AnyValue`.
    #[must_use]
    pub fn get(&self, key: &[u8]) -> Option<&Cow<'e, [u8]>> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// Keys and values in order; a value is the body of an `AnyValue`.
    pub fn iter(&self) -> impl Iterator<Item = (&'e [u8], &[u8])> {
        self.entries.iter().map(|entry| (entry.key, &*entry.value))
    }

    /// Gives the attribute at a place another value.
    pub fn set_at(&mut self, position: usize, value: Cow<'e, [u8]>) {
        if let Some(entry) = self.entries.get_mut(position)
            && entry.value != value
        {
            entry.value = value;
            entry.is_changed = true;
            self.is_changed = true;
        }
    }

    /// Gives the first attribute with this key another value, or adds one.
    pub fn set(&mut self, key: &'e [u8], value: Cow<'e, [u8]>) {
        match self.position(key) {
            Some(position) => self.set_at(position, value),
            None => self.add(key, value),
        }
    }

    /// Adds an attribute behind all others.
    pub fn add(&mut self, key: &'e [u8], value: Cow<'e, [u8]>) {
        self.entries.push(Entry { key, value, field: NEW, is_moved: false, is_changed: true });
        self.is_changed = true;
    }

    /// Removes the first attribute with this key; the last one takes its place.
    pub fn remove(&mut self, key: &[u8]) {
        let Some(position) = self.position(key) else { return };
        self.entries.swap_remove(position);
        if let Some(entry) = self.entries.get_mut(position) {
            entry.is_moved = true;
        }
        self.is_changed = true;
    }

    /// Removes all attributes whose key is such; the others keep their order.
    pub fn remove_if(&mut self, mut is_such: impl FnMut(&[u8]) -> bool) {
        let before = self.entries.len();
        self.entries.retain(|entry| !is_such(entry.key));
        self.is_changed |= self.entries.len() != before;
    }

    /// Writes what changed.
    pub fn write(&self, splice: &mut Splice<'_>) {
        self.edits(|cut, entry| splice.replace(cut, |out| self.put(entry, out)));
    }

    /// The edits in ascending order: what is cut, and the attribute that comes in its place.
    pub fn edits(&self, mut edit: impl FnMut(Range<usize>, Option<&Entry<'e>>)) {
        if !self.is_changed {
            return;
        }
        // The fields before this one are dealt with.
        let mut next = 0;
        let cut = |edit: &mut dyn FnMut(Range<usize>, Option<&Entry<'e>>), from: usize, to: usize| {
            self.fields.get(from..to).unwrap_or_default().iter().for_each(|gone| edit(gone.start..gone.end, None));
        };
        for entry in &self.entries {
            match self.fields.get(entry.field).filter(|_| !entry.is_moved) {
                Some(place) => {
                    cut(&mut edit, next, entry.field);
                    next = entry.field + 1;
                    if entry.is_changed {
                        edit(place.start..place.end, Some(entry));
                    }
                }
                None => {
                    let at = match (self.fields.get(next), self.fields.last()) {
                        (Some(place), _) => place.start,
                        (None, Some(last)) => last.end,
                        (None, None) => self.end,
                    };
                    edit(at..at, Some(entry));
                }
            }
        }
        cut(&mut edit, next, self.fields.len());
    }

    /// Appends an attribute as its field.
    pub fn put(&self, entry: Option<&Entry<'e>>, out: &mut Vec<u8>) {
        let Some(entry) = entry else { return };
        match self.fields.get(entry.field).filter(|_| !entry.is_changed) {
            Some(place) => {
                let body = self.source.get(place.body..place.end).unwrap_or_default();
                otlp::wire::put_len(out, self.number, body);
            }
            None => any_value::put_key_value(out, self.number, entry.key, &entry.value),
        }
    }

    /// Appends all of them as fields of this number.
    pub fn put_all(&self, out: &mut Vec<u8>) {
        self.entries.iter().for_each(|entry| self.put(Some(entry), out));
    }
}

/// Key and value of a KeyValue, the value as the body of its `AnyValue`.
fn key_value(body: &[u8]) -> Result<(&[u8], Cow<'_, [u8]>), WireError> {
    let mut reader = Reader::new(body);
    if reader.key() == Ok(KEY) {
        let key = reader.len_delimited()?;
        if reader.is_empty() {
            return Ok((key, Cow::Borrowed(&[])));
        }
        if reader.key() == Ok(VALUE) {
            let value = reader.len_delimited()?;
            if reader.is_empty() {
                return Ok((key, Cow::Borrowed(value)));
            }
        }
    }
    unusual_key_value(body)
}

/// Fields in any order, several times, with others between them. Bodies of one message that comes in parts follow one
/// another.
#[cold]
fn unusual_key_value(body: &[u8]) -> Result<(&[u8], Cow<'_, [u8]>), WireError> {
    let (mut key, mut value): (&[u8], Option<Cow<'_, [u8]>>) = (&[], None);
    let mut reader = Reader::new(body);
    while !reader.is_empty() {
        let tag = reader.tag()?;
        match tag.key() {
            KEY => key = reader.len_delimited()?,
            VALUE => {
                let part = reader.len_delimited()?;
                value = Some(match value {
                    None => Cow::Borrowed(part),
                    Some(before) => Cow::Owned([&before, part].concat()),
                });
            }
            _ => reader.skip(tag, 0)?,
        }
    }
    Ok((key, value.unwrap_or_default()))
}

/// `KeyValue.key` as it stands on the wire.
const KEY: u32 = 1 << 3 | 2;
/// `KeyValue.value` as it stands on the wire.
const VALUE: u32 = 2 << 3 | 2;

#[cfg(test)]
mod tests {
    use super::*;
    use otlp::wire::{put_len, put_uint};

    /// `a=1,b=2` as fields 9 of a message, with other fields between them.
    fn message(attributes: &str) -> Vec<u8> {
        let mut out = Vec::new();
        put_len(&mut out, 5, b"name");
        for (key, value) in attributes.split(',').filter_map(|pair| pair.split_once('=')) {
            any_value::put_key_value(&mut out, 9, key.as_bytes(), &any_value::of_str(value.as_bytes()));
            put_uint(&mut out, 6, 7);
        }
        out
    }

    fn shown(message: &[u8]) -> String {
        let mut list = AttributeList::new(message);
        list.read(0..message.len(), 9).unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let pairs =
            list.iter().map(|(key, value)| format!("{}={}", text(key), text(&any_value::text(any_value::read(value)))));
        pairs.collect::<Vec<_>>().join(",")
    }

    /// `-k` removes, `+k=v` sets, `!k` removes keys with this text in them.
    fn edited(attributes: &str, actions: &str) -> Vec<u8> {
        let source = message(attributes);
        let mut list = AttributeList::new(&source);
        list.read(0..source.len(), 9).unwrap();
        for action in actions.split(' ') {
            match action.split_at(1) {
                ("-", key) => list.remove(key.as_bytes()),
                ("!", part) => list.remove_if(|key| String::from_utf8_lossy(key).contains(part)),
                (_, pair) => {
                    let (key, value) = pair.split_once('=').unwrap();
                    list.set(key.as_bytes(), Cow::Owned(any_value::of_str(value.as_bytes())));
                }
            }
        }
        let mut splice = Splice::new(&source);
        list.write(&mut splice);
        splice.finish().into_owned()
    }

    #[test]
    fn changes_as_pdata_makes_them() {
        for (before, actions, expected) in [
            ("a=1,b=2,c=3,d=4", "-b", "a=1,d=4,c=3"),
            ("a=1,b=2,c=3,d=4", "-b +e=5", "a=1,d=4,c=3,e=5"),
            ("a=1,b=2,c=3,d=4", "-a -b", "d=4,c=3"),
            ("a=1,b=2,c=3,d=4", "-a +d=9", "d=9,b=2,c=3"),
            ("a=1,b=2,c=3,d=4", "-d", "a=1,b=2,c=3"),
            ("a=1,b=2,c=3", "-a -c -b", ""),
            ("a=1,a=2,b=3", "-a", "b=3,a=2"),
            ("a=1,a=2", "+a=3", "a=3,a=2"),
            ("", "+a=1 +b=2", "a=1,b=2"),
            ("", "+a=1 +b=2 -a", "b=2"),
            ("a=1", "-a +a=2", "a=2"),
            ("ax=1,b=2,cx=3,d=4", "!x", "b=2,d=4"),
            ("ax=1,b=2,cx=3,d=4", "!x +b=7 +e=5 -b", "e=5,d=4"),
            ("a=1,b=2,c=3,d=4,e=5", "-b !c +c=6 -a", "c=6,e=5,d=4"),
            ("a=1", "+a=1", "a=1"),
        ] {
            let bytes = edited(before, actions);
            assert_eq!(shown(&bytes), expected, "{before} {actions}");
            let others = |bytes: &[u8]| {
                crate::walk::fields(bytes, 0..bytes.len()).filter(|f| f.as_ref().unwrap().number == 5).count()
            };
            assert_eq!(others(&bytes), 1);
        }
    }

    #[test]
    fn unusual_key_values() {
        let mut body = Vec::new();
        put_len(&mut body, 2, &any_value::of_str(b"x"));
        put_uint(&mut body, 3, 5);
        put_len(&mut body, 1, b"k");
        put_len(&mut body, 2, &any_value::of_str(b"y"));
        let (key, value) = key_value(&body).unwrap();
        assert_eq!((key, any_value::read(&value)), (&b"k"[..], otlp::Value::Str(b"y")));
        assert_eq!(key_value(&[]), Ok((&b""[..], Cow::Borrowed(&b""[..]))));
        assert!(key_value(&[0x0a, 5, 1]).is_err());
    }
}
