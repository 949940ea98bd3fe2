//! Where a value stands: an index into the loaded sources, a line and a column.
//!
//! A location is four numbers and copied freely; the texts live once in [`Sources`], for as long as problems may be shown.

/// A place in one of the [`Sources`]. Lines and columns count from 1, columns in characters.
///
/// Invariant: `line == 0` means that the program, not a file, made the value; such a place is shown without a source line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// Which source, by its number in [`Sources`].
    pub source: u16,
    /// Line, from 1; 0 for nowhere.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Characters that the value takes on its first line, at least 1.
    pub width: u32,
}

impl Location {
    /// The place of what no file says.
    pub const NOWHERE: Location = Location { source: 0, line: 0, column: 0, width: 0 };

    /// The place of a part of a scalar, `at` being its bytes in the text that the scalar means; where the scalar is not
    /// written as it reads, that of the scalar.
    #[must_use]
    pub fn within(self, text: &str, at: &std::ops::Range<usize>) -> Location {
        let chars = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        let quotes = match self.width.checked_sub(chars(text)) {
            Some(0) => 0,
            Some(2) => 1,
            _ => return self,
        };
        let before = text.get(..at.start).map_or(0, chars);
        let width = text.get(at.clone()).map_or(1, chars).max(1);
        Location { column: self.column + quotes + before, width, ..self }
    }

    /// Whether no file says it.
    pub fn is_nowhere(&self) -> bool {
        self.line == 0
    }
}

/// The texts that were read, by number.
#[derive(Default)]
pub struct Sources {
    sources: Vec<Source>,
}

struct Source {
    name: String,
    text: String,
}

impl Sources {
    /// No source yet.
    pub fn new() -> Sources {
        Sources::default()
    }

    /// Takes a text in under a name and gives its number.
    ///
    /// At most [`SOURCES_MAX`] are held; beyond that the last number is given again, which only blurs a message.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> u16 {
        if self.sources.len() < SOURCES_MAX {
            self.sources.push(Source { name: name.into(), text: text.into() });
        }
        u16::try_from(self.sources.len() - 1).unwrap_or(u16::MAX)
    }

    /// The name of a source, as the user wrote it.
    pub fn name(&self, source: u16) -> &str {
        self.sources.get(usize::from(source)).map_or("?", |source| source.name.as_str())
    }

    /// One line of a source.
    pub fn line(&self, at: &Location) -> Option<&str> {
        let line = usize::try_from(at.line.checked_sub(1)?).ok()?;
        self.sources.get(usize::from(at.source))?.text.lines().nth(line)
    }
}

/// Most texts that one configuration may consist of.
const SOURCES_MAX: usize = 4096;
