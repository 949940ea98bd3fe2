//! Checks a message of any shape against the schema, without recursion.
//!
//! This is the general way; the common attribute takes [`attribute::plain`] instead, here too. The messages that are open
//! stand on a fixed stack as deep as the depth limit, so that no nesting can overflow anything.

use super::attribute;
use crate::schema::{Message, step};
use crate::wire::{DEPTH_MAX, Reader, WireError};

/// The stack of open messages, kept so that it need not be cleared for each check.
#[derive(Debug)]
pub(super) struct Validator {
    parents: [Parent; DEPTH_MAX as usize],
}

/// A message that waits while one of its fields is checked.
#[derive(Clone, Copy, Debug)]
struct Parent {
    message: Message,
    /// Where it ends in the bytes under check.
    end: usize,
}

impl Validator {
    pub(super) fn new() -> Self {
        Self { parents: [Parent { message: Message::TracesRequest, end: 0 }; DEPTH_MAX as usize] }
    }

    /// Checks one field, whose key has just been read, of a `message` that stands `depth` messages below the request.
    /// Takes the reader by value and returns the position behind the field, so that the caller's can stay in registers.
    #[inline(never)]
    pub(super) fn field(
        &mut self,
        reader: Reader<'_>,
        message: Message,
        key: u32,
        depth: u32,
    ) -> Result<usize, WireError> {
        let mut reader = reader;
        if let Some((child, body)) = step(&mut reader, message, key, depth)? {
            self.check(body, child, depth + 1)?;
        }
        Ok(reader.position())
    }

    /// Checks the body of a `message` that stands `depth` messages below the request.
    pub(super) fn check(&mut self, body: &[u8], message: Message, depth: u32) -> Result<(), WireError> {
        if depth > DEPTH_MAX {
            return Err(WireError::TooDeep);
        }
        let mut reader = Reader::new(body);
        let (mut message, mut depth, mut open) = (message, depth, 0);
        loop {
            while reader.is_empty() {
                if open == 0 {
                    return Ok(());
                }
                open -= 1;
                depth -= 1;
                let parent = self.parents.get(open).ok_or(WireError::TooDeep)?;
                message = parent.message;
                reader = Reader::within(body, reader.position(), parent.end);
            }
            let key = reader.key()?;
            let Some((child, child_body)) = step(&mut reader, message, key, depth)? else {
                continue;
            };
            if depth == DEPTH_MAX {
                return Err(WireError::TooDeep);
            }
            // A plain attribute has one more message in it, its value.
            if child == Message::KeyValue && depth + 1 < DEPTH_MAX && attribute::plain(child_body).is_some() {
                continue;
            }
            *self.parents.get_mut(open).ok_or(WireError::TooDeep)? = Parent { message, end: reader.end() };
            open += 1;
            depth += 1;
            message = child;
            reader = Reader::within(body, reader.position() - child_body.len(), reader.position());
        }
    }
}
