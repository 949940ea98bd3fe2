//! The entries of a map under edit: each keeps its bytes until it is changed.

use super::{
    encode::{encode, encode_wire, key_value},
    message,
};
use crate::{error::Error, value::Value};
use otlp::wire::put_len;
use std::{borrow::Cow, collections::HashMap};

/// The entries, in order. Of equal keys the first one is found.
#[derive(Debug, Default)]
pub(crate) struct Entries<'b> {
    slots: Vec<Slot<'b>>,
    /// Where the first one with each key is, once somebody has looked for a key among many.
    places: Option<HashMap<Vec<u8>, usize>>,
}

/// So few are looked through.
const FEW: usize = 32;

/// One entry: the body of a `KeyValue`.
#[derive(Debug)]
pub(crate) struct Slot<'b> {
    body: Cow<'b, [u8]>,
}

impl<'b> Slot<'b> {
    fn new(key: &[u8], any: &[u8]) -> Self {
        Self { body: Cow::Owned(key_value(key, any)) }
    }

    pub(crate) fn key(&self) -> &[u8] {
        self.read().0
    }

    pub(crate) fn value(&self) -> otlp::Value<'_> {
        self.read().1
    }

    /// A broken entry reads as empty.
    fn read(&self) -> (&[u8], otlp::Value<'_>) {
        otlp::view::key_value(&self.body).unwrap_or((&[], otlp::Value::Empty))
    }

    /// The body of its `AnyValue`.
    pub(crate) fn any(&self) -> Vec<u8> {
        encode_wire(self.value())
    }

    /// Gives it another value.
    pub(crate) fn set(&mut self, any: &[u8]) {
        let body = key_value(self.key(), any);
        self.body = Cow::Owned(body);
    }

    pub(crate) fn set_str(&mut self, text: &[u8]) {
        self.set(&encode_wire(otlp::Value::Str(text)));
    }

    /// The same value under another key.
    pub(crate) fn renamed(&self, key: &[u8]) -> Slot<'b> {
        Slot::new(key, &encode_wire(self.value()))
    }
}

impl<'b> Entries<'b> {
    /// Those of a message's repeated field; of a `KeyValueList` it is field 1.
    pub(crate) fn of(message: &'b [u8], field: u32) -> Self {
        let slots = message::bodies(message, field).map(|body| Slot { body: Cow::Borrowed(body) });
        Self { slots: slots.collect(), places: None }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Slot<'b>> {
        self.slots.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Slot<'b>> {
        self.slots.iter_mut()
    }

    /// Whether there is one with the key.
    pub(crate) fn has(&mut self, key: &[u8]) -> bool {
        self.place(key).is_some()
    }

    /// Takes all of them out.
    pub(crate) fn take(&mut self) -> Vec<Slot<'b>> {
        self.places = None;
        std::mem::take(&mut self.slots)
    }

    /// Takes away those for which `is_kept` says no.
    pub(crate) fn retain(&mut self, is_kept: impl FnMut(&Slot<'b>) -> bool) {
        self.places = None;
        self.slots.retain(is_kept);
    }

    /// Takes away the first one with the key; the last one takes its place, as in otelcol.
    pub(crate) fn remove(&mut self, key: &[u8]) {
        if let Some(index) = self.slots.iter().position(|slot| slot.key() == key) {
            self.places = None;
            self.slots.swap_remove(index);
        }
    }

    /// The one with the key; a new one at the end, without a value, if there is none.
    pub(crate) fn entry(&mut self, key: &[u8]) -> &mut Slot<'b> {
        let index = self.place(key).unwrap_or_else(|| self.add(Slot::new(key, &[])));
        &mut self.slots[index]
    }

    /// Adds an entry at the end.
    pub(crate) fn push(&mut self, key: &[u8], value: &Value<'_>) -> Result<(), Error> {
        self.add(Slot::new(key, &encode(value)?));
        Ok(())
    }

    /// Puts a slot in, in the place of one with its key if there is one.
    pub(crate) fn put_slot(&mut self, slot: Slot<'b>) {
        match self.place(slot.key()) {
            Some(index) => self.slots[index] = slot,
            None => {
                self.add(slot);
            }
        }
    }

    /// Adds a slot at the end and says where that is.
    fn add(&mut self, slot: Slot<'b>) -> usize {
        let index = self.slots.len();
        if let Some(places) = &mut self.places {
            places.entry(slot.key().to_vec()).or_insert(index);
        }
        self.slots.push(slot);
        index
    }

    /// Where the first one with the key is.
    fn place(&mut self, key: &[u8]) -> Option<usize> {
        if self.slots.len() <= FEW {
            return self.slots.iter().position(|slot| slot.key() == key);
        }
        let places = self.places.get_or_insert_with(|| {
            let places = self.slots.iter().enumerate().rev();
            places.map(|(index, slot)| (slot.key().to_vec(), index)).collect()
        });
        places.get(key).copied()
    }

    /// The entries as a repeated field.
    pub(crate) fn write(&self, out: &mut Vec<u8>, field: u32) {
        self.slots.iter().for_each(|slot| put_len(out, field, &slot.body));
    }

    /// The entries as the body of a `KeyValueList`.
    pub(crate) fn list(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out, 1);
        out
    }
}
