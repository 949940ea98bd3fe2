//! Encodings of bytes and text.

use super::Function;

pub(super) const TABLE: &[Function] = &[];
