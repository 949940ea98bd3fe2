//! Edits of nested messages: what changes is noted while a message is walked, and written in one pass at the end.
//!
//! A [`Splice`] holds a request as it came and a list of edits in ascending order. A *frame* is a length-delimited field
//! inside which something may change. Writing the result works out from the edits how much longer or shorter each frame
//! becomes, writes its length anew, and copies everything between edits as it stands. A splice without edits gives the
//! request back and copies nothing.
//!
//! ```text
//!  source   tag len │ tag len │ …… cut …… │        │
//!           frame   └ frame   └           insert ┘ ┘
//! ```
//!
//! Invariant: edits ascend and do not overlap, frames nest, and an edit lies wholly inside of the innermost open frame.

use otlp::wire::put_varint;
use std::{borrow::Cow, ops::Range};

/// Edits of one message. Positions are those of its source.
#[derive(Debug)]
pub struct Splice<'a> {
    source: &'a [u8],
    steps: Vec<Step>,
    /// The open frames, outermost first.
    open: Vec<Open>,
    /// By how much the edits outside of all open frames lengthen the message.
    grown: isize,
    /// The bytes that are put in.
    added: Vec<u8>,
    /// Steps before this one are not added to: there may be a mark behind them.
    sealed: usize,
}

/// A state of a [`Splice`] to go back to.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    steps: usize,
    added: usize,
    grown: isize,
}

/// A length-delimited field of the source, as a walk finds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// Its number.
    pub number: u32,
    /// Where its tag begins.
    pub start: usize,
    /// Where its length begins; it ends where `body` begins.
    pub length: usize,
    /// Its bytes, without tag and length.
    pub body: Range<usize>,
}

/// A frame whose end has not come.
#[derive(Clone, Copy, Debug)]
struct Open {
    /// Where in the steps it begins.
    step: usize,
    /// How much its surroundings had grown until then.
    grown_before: isize,
}

#[derive(Debug)]
enum Step {
    /// A frame begins; its body will have `bytes` bytes.
    Open { length: usize, body: Range<usize>, bytes: usize },
    /// `cut` of the source goes, `added` of the bytes put in comes in its place.
    Replace { cut: Range<usize>, added: Range<usize> },
}

impl Field {
    /// The whole field with its tag.
    #[must_use]
    pub fn whole(&self) -> Range<usize> {
        self.start..self.body.end
    }

    /// Its bytes in `source`.
    #[must_use]
    pub fn of<'a>(&self, source: &'a [u8]) -> &'a [u8] {
        source.get(self.body.clone()).unwrap_or_default()
    }
}

impl<'a> Splice<'a> {
    /// No edits yet.
    #[must_use]
    pub fn new(source: &'a [u8]) -> Self {
        Self { source, steps: Vec::new(), open: Vec::new(), grown: 0, added: Vec::new(), sealed: 0 }
    }

    /// The bytes as they came.
    #[must_use]
    pub fn source(&self) -> &'a [u8] {
        self.source
    }

    /// What follows happens inside of `field`, until [`Splice::leave`].
    pub fn enter(&mut self, field: &Field) {
        self.open.push(Open { step: self.steps.len(), grown_before: self.grown });
        self.steps.push(Step::Open { length: field.length, body: field.body.clone(), bytes: field.body.len() });
        self.grown = 0;
    }

    /// Ends the innermost frame; tells whether anything in it changed.
    pub fn leave(&mut self) -> bool {
        let Some(open) = self.open.pop() else { return false };
        if self.steps.len() == open.step + 1 {
            self.steps.pop();
            self.grown = open.grown_before;
            return false;
        }
        if let Some(Step::Open { length, body, bytes }) = self.steps.get_mut(open.step) {
            *bytes = bytes.saturating_add_signed(self.grown);
            let prefix = varint_bytes(*bytes) as isize - (body.start - *length) as isize;
            self.grown += prefix + open.grown_before;
        }
        true
    }

    /// Takes `range` of the source away.
    pub fn cut(&mut self, range: Range<usize>) {
        self.replace(range, |_| ());
    }

    /// Puts what `write` writes before `at`.
    pub fn insert(&mut self, at: usize, write: impl FnOnce(&mut Vec<u8>)) {
        self.replace(at..at, write);
    }

    /// Puts what `write` writes in the place of `cut`.
    pub fn replace(&mut self, cut: Range<usize>, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.added.len();
        write(&mut self.added);
        let added = start..self.added.len();
        if cut.is_empty() && added.is_empty() {
            return;
        }
        self.grown += added.len() as isize - cut.len() as isize;
        // Neighbours become one step: ten attributes cut in a row cost one copy.
        let joined = self.steps.len() > self.sealed;
        match self.steps.last_mut() {
            Some(Step::Replace { cut: before, added: put }) if joined && before.end == cut.start => {
                before.end = cut.end;
                put.end = added.end;
            }
            _ => self.steps.push(Step::Replace { cut, added }),
        }
    }

    /// The state now, to be gone back to while no frame that is open now has been left.
    #[must_use]
    pub fn mark(&mut self) -> Mark {
        self.sealed = self.steps.len();
        Mark { steps: self.steps.len(), added: self.added.len(), grown: self.grown }
    }

    /// Forgets the edits since `mark`, and the frames that were entered and left since.
    pub fn back(&mut self, mark: Mark) {
        self.steps.truncate(mark.steps);
        self.added.truncate(mark.added);
        self.grown = mark.grown;
    }

    /// The message with its edits; borrowed where there are none.
    #[must_use]
    pub fn finish(self) -> Cow<'a, [u8]> {
        if self.steps.is_empty() {
            return Cow::Borrowed(self.source);
        }
        let mut out = Vec::with_capacity(self.source.len().saturating_add_signed(self.grown));
        let mut position = 0;
        let mut copy_to = |out: &mut Vec<u8>, end: usize, next: usize| {
            out.extend_from_slice(self.source.get(position..end).unwrap_or_default());
            position = next;
        };
        for step in &self.steps {
            match step {
                Step::Open { length, body, bytes } => {
                    copy_to(&mut out, *length, body.start);
                    put_varint(&mut out, *bytes as u64);
                }
                Step::Replace { cut, added } => {
                    copy_to(&mut out, cut.start, cut.end);
                    out.extend_from_slice(self.added.get(added.clone()).unwrap_or_default());
                }
            }
        }
        copy_to(&mut out, self.source.len(), self.source.len());
        Cow::Owned(out)
    }
}

/// How many bytes `value` takes as a varint.
fn varint_bytes(value: usize) -> usize {
    (value.max(1).ilog2() / 7 + 1) as usize
}

#[cfg(test)]
mod tests;
