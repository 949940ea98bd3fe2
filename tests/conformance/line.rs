//! A line of a file of OTTL conditions: a verdict, the list that the condition stands in, and the condition.
//!
//! The verdict is T (true), F (false), E (an evaluation error: neither the condition nor its negation is true) or X
//! (refused at start).

use std::{fs, path::Path};

/// A line.
pub(crate) struct Line {
    pub(crate) verdict: char,
    /// `span` or `spanevent`.
    pub(crate) list: String,
    pub(crate) condition: String,
}

impl Line {
    /// The lines of a file.
    pub(crate) fn read(file: &Path) -> Vec<Self> {
        let text = fs::read_to_string(file).expect("the recorded conditions");
        text.lines().map(|line| Self::parse(line).unwrap_or_else(|| panic!("`{line}` is no condition"))).collect()
    }

    fn parse(line: &str) -> Option<Self> {
        let mut parts = line.splitn(3, ' ');
        let verdict = parts.next()?.chars().next().filter(|verdict| "TFEX".contains(*verdict))?;
        Some(Self { verdict, list: parts.next()?.to_owned(), condition: parts.next()?.to_owned() })
    }
}
