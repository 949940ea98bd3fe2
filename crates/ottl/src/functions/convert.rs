//! Conversions between kinds of values.

use super::Function;

pub(super) const TABLE: &[Function] = &[];
