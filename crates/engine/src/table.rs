//! Trace ID → where the trace waits, in parts that grow one at a time.
//!
//! A hash table of half a million entries takes milliseconds to grow, and the shard's lock is held meanwhile. So a shard
//! has many small tables, chosen by bits of the hash; each grows on its own within microseconds.

use hashbrown::HashTable;

/// How many parts: half a million traces leave 4 000 in each.
const PARTS: usize = 128;

/// Where a trace is: a seat of the shard's slots, and its index there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) seat: u32,
    pub(crate) index: u32,
}

#[derive(Debug)]
struct Entry {
    hash: u64,
    place: Place,
}

/// The table of one shard.
#[derive(Debug)]
pub(crate) struct Table {
    parts: Vec<HashTable<Entry>>,
    bytes: usize,
}

impl Table {
    pub(crate) fn new() -> Self {
        Self { parts: (0..PARTS).map(|_| HashTable::new()).collect(), bytes: 0 }
    }

    /// Finds the trace with this hash for which `is` holds.
    pub(crate) fn find(&self, hash: u64, mut is: impl FnMut(Place) -> bool) -> Option<Place> {
        let entry = self.parts[part(hash)].find(hash, |entry| entry.hash == hash && is(entry.place))?;
        Some(entry.place)
    }

    /// Where the trace with this hash probably is: whether it is that trace has still to be looked at.
    pub(crate) fn probe(&self, hash: u64) -> Option<Place> {
        self.parts[part(hash)].find(hash, |entry| entry.hash == hash).map(|entry| entry.place)
    }

    /// Adds a trace that is not there.
    pub(crate) fn insert(&mut self, hash: u64, place: Place) {
        let part = &mut self.parts[part(hash)];
        let before = part.allocation_size();
        part.insert_unique(hash, Entry { hash, place }, |entry| entry.hash);
        self.bytes = self.bytes + part.allocation_size() - before;
    }

    /// Points the trace at `from` to `to`.
    pub(crate) fn replace(&mut self, hash: u64, from: Place, to: Place) {
        let found = self.parts[part(hash)].find_mut(hash, |entry| entry.hash == hash && entry.place == from);
        if let Some(entry) = found {
            entry.place = to;
        }
    }

    /// Takes out the trace, if it still is at `place`; gives back what an emptied part held beyond its need.
    pub(crate) fn remove(&mut self, hash: u64, place: Place) {
        let part = &mut self.parts[part(hash)];
        if let Ok(entry) = part.find_entry(hash, |entry| entry.hash == hash && entry.place == place) {
            entry.remove();
        }
        if part.len() * 8 < part.capacity() && part.capacity() > 16 {
            let before = part.allocation_size();
            part.shrink_to(part.len() * 2, |entry| entry.hash);
            self.bytes = self.bytes + part.allocation_size() - before;
        }
    }

    /// Bytes of memory behind the entries.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many traces are in it.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(HashTable::len).sum()
    }
}

/// hashbrown uses the lowest and the highest bits, the shard takes bits 32 and up; these are in between.
fn part(hash: u64) -> usize {
    (hash >> 44) as usize % PARTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn find_replace_remove() {
        let mut table = Table::new();
        let place = |index| Place { seat: 1, index };
        for index in 0..10_000u32 {
            table.insert(u64::from(index).wrapping_mul(0x9e37_79b9_7f4a_7c15), place(index));
        }
        let hash = 77u64.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        assert_eq!(table.find(hash, |_| true), Some(place(77)));
        assert_eq!(table.find(hash, |_| false), None);
        table.replace(hash, place(77), Place { seat: 2, index: 0 });
        table.remove(hash, place(77));
        assert_eq!(table.find(hash, |_| true), Some(Place { seat: 2, index: 0 }));
        table.remove(hash, Place { seat: 2, index: 0 });
        assert_eq!(table.find(hash, |_| true), None);
        assert_eq!(table.len(), 9_999);
        let full = table.bytes();
        for index in 0..10_000u32 {
            table.remove(u64::from(index).wrapping_mul(0x9e37_79b9_7f4a_7c15), place(index));
        }
        assert!(table.bytes() * 4 < full, "{} of {full} bytes are left", table.bytes());
    }
}
