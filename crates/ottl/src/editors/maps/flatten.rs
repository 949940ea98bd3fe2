//! Maps and lists inside of a map become entries of it, under keys joined by dots.

use crate::{
    edit::{Run, encode::encode_wire, entries::Entries, run},
    error::Error,
    functions::{Arguments, Call},
};
use otlp::{
    Value,
    view::{array_values, map_entries},
};
use std::collections::HashMap;

pub(super) fn flatten(arguments: &Arguments) -> Result<Run, String> {
    let prefix = arguments.constant_str(1).unwrap_or_default().to_vec();
    let depth_max = arguments.constant_int(2).unwrap_or(i64::MAX);
    if depth_max < 1 {
        return Err(format!("the depth is at least 1, {depth_max} is not"));
    }
    let resolves_conflicts = arguments.constant_bool(3).unwrap_or(false);
    Ok(run(move |call: Call<'_>| {
        call.target(0)?.edit_entries(call.subject, |entries| {
            let mut flat =
                Flat { entries: Entries::default(), conflicts: HashMap::new(), depth_max, resolves_conflicts };
            let start = prefixed(&prefix);
            for slot in entries.iter() {
                flat.add(&[&start, slot.key()].concat(), slot.value(), 0)?;
            }
            entries.take();
            for slot in flat.entries.take() {
                entries.put_slot(slot);
            }
            Ok(true)
        })
    }))
}

struct Flat {
    entries: Entries<'static>,
    /// How often a key was met again.
    conflicts: HashMap<Vec<u8>, usize>,
    depth_max: i64,
    resolves_conflicts: bool,
}

impl Flat {
    fn add(&mut self, key: &[u8], value: Value<'_>, depth: i64) -> Result<(), Error> {
        if depth > DEPTH_MAX {
            return Err(Error::failed("nested too deeply to be flattened"));
        }
        match value {
            Value::Map(body) if depth < self.depth_max => {
                let prefix = prefixed(key);
                for (name, value) in map_entries(body) {
                    self.add(&[&prefix, name].concat(), value, depth + 1)?;
                }
            }
            Value::Array(body) if depth < self.depth_max => {
                for (index, item) in array_values(body).enumerate() {
                    self.add_item(key, index, item, depth)?;
                }
            }
            _ => self.put(key, value),
        }
        Ok(())
    }

    /// An element of a list. With conflicts resolved, those that are neither maps nor lists go by the list's own key.
    fn add_item(&mut self, key: &[u8], index: usize, item: Value<'_>, depth: i64) -> Result<(), Error> {
        let indexed = [key, b".", index.to_string().as_bytes()].concat();
        match item {
            Value::Map(body) if depth + 1 < self.depth_max => {
                let prefix = prefixed(&indexed);
                for (name, value) in map_entries(body) {
                    self.add(&[&prefix, name].concat(), value, depth + 2)?;
                }
            }
            // otelcol puts no dot between the indices here.
            Value::Array(body) if depth + 1 < self.depth_max => {
                for (inner, value) in array_values(body).enumerate() {
                    self.add(&[&indexed, inner.to_string().as_bytes()].concat(), value, depth + 3)?;
                }
            }
            _ if self.resolves_conflicts => self.put(key, item),
            _ => self.put(&indexed, item),
        }
        Ok(())
    }

    fn put(&mut self, key: &[u8], value: Value<'_>) {
        let any = encode_wire(value);
        if !self.resolves_conflicts {
            self.entries.entry(key).set(&any);
            return;
        }
        if !self.entries.has(key) {
            self.conflicts.insert(key.to_vec(), 0);
            self.entries.entry(key).set(&any);
            return;
        }
        let count = self.conflicts.entry(key.to_vec()).or_insert(0);
        let again = [key, b".", count.to_string().as_bytes()].concat();
        *count += 1;
        self.entries.entry(&again).set(&any);
    }
}

/// Values of the wire nest at most 100 deep.
const DEPTH_MAX: i64 = 200;

/// A key as the beginning of others.
fn prefixed(key: &[u8]) -> Vec<u8> {
    if key.is_empty() { Vec::new() } else { [key, b"."].concat() }
}
