//! Text that holds structure: JSON, CSV, key-value pairs, URLs.

use super::Function;

pub(super) const TABLE: &[Function] = &[];
