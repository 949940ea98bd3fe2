//! A set that takes the place of another, and what goes on from the one before.
//!
//! ```text
//! before:  0 errors · 1 slow · 2 few            verdicts that are remembered name policies by these numbers
//! written: 0 slow · 1 errors · 2 many
//! after:   0 errors · 1 slow · 2 few (left) · 3 many
//! ```
//! A policy keeps its number, and the number of one that left is not given away while a verdict of it may be remembered.
//! So the newest set names the policies of all sets before it.

use super::{PolicySet, compile::Path};
use crate::{packed, verdict::NO_PATH};
use std::{collections::BTreeMap, sync::Arc};

impl PolicySet {
    /// Goes on where `before` is, which may still decide:
    /// - its reasons, and those remembered from sets before it, are understood; a policy that left keeps its number until
    ///   `remembered_ns` after `now_ns`,
    /// - policies of the same name go on counting,
    /// - policies with the same name and settings, in as many virtual shards, go on with their limiters; others begin anew.
    pub fn follow(&mut self, before: &Self, now_ns: u64, remembered_ns: u64) {
        self.follow_paths(before, now_ns, remembered_ns);
        for (number, top) in self.tops.iter_mut().enumerate() {
            if let Some(other) = before.tops.iter().position(|other| other.name == top.name) {
                top.follow(&before.tops[other]);
                self.tally.follow(number, &before.tally, other);
            }
        }
        self.cuts = Arc::clone(&before.cuts);
    }

    fn follow_paths(&mut self, before: &Self, now_ns: u64, remembered_ns: u64) {
        let mut table = before.paths.clone();
        for path in &mut table {
            if path.left_ns.is_some_and(|left_ns| left_ns.saturating_add(remembered_ns) < now_ns) {
                *path = Path::default();
            }
        }
        let mut by_text: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut free = Vec::new();
        for (number, path) in table.iter().enumerate().rev() {
            if path.is_free() {
                free.push(number);
            } else {
                by_text.entry(path.text.clone()).or_default().push(number);
            }
        }
        let mut is_taken = vec![false; table.len()];
        let mut numbers = Vec::with_capacity(self.paths.len());
        for path in std::mem::take(&mut self.paths) {
            let known = by_text.get(&path.text).into_iter().flatten().rev();
            let known = known.copied().find(|number| !is_taken[*number] && table[*number].is_same(&path));
            let number = known.or_else(|| free.pop()).unwrap_or(table.len());
            if number == table.len() && number < packed::PATHS_MAX {
                table.push(Path::default());
                is_taken.push(false);
            }
            // With all numbers taken, a policy acts as ever and has no name in verdicts.
            numbers.push(table.get_mut(number).map_or(NO_PATH, |entry| {
                *entry = path;
                is_taken[number] = true;
                number as u16
            }));
        }
        for (path, _) in table.iter_mut().zip(is_taken).filter(|(_, is_taken)| !is_taken) {
            path.left_ns = path.left_ns.or(Some(now_ns));
        }
        self.paths = table;
        self.policies.iter_mut().for_each(|rule| rule.renumber(&numbers));
    }
}

#[cfg(test)]
mod tests;
