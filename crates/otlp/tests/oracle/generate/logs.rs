//! What logs requests are written from.

use super::Kind::{self, Bytes, Fixed32, Fixed64, Id, Message, Varint};
use super::{ANY_VALUE, KEY_VALUE, RESOURCE, SCOPE};

pub(super) static REQUEST: [(u32, Kind); 2] = [(1, Message(&RESOURCE_LOGS)), (1, Message(&RESOURCE_LOGS))];
static RESOURCE_LOGS: [(u32, Kind); 4] =
    [(1, Message(&RESOURCE)), (2, Message(&SCOPE_LOGS)), (2, Message(&SCOPE_LOGS)), (3, Bytes)];
static SCOPE_LOGS: [(u32, Kind); 4] =
    [(1, Message(&SCOPE)), (2, Message(&LOG_RECORD)), (2, Message(&LOG_RECORD)), (3, Bytes)];
static LOG_RECORD: [(u32, Kind); 11] = [
    (1, Fixed64),
    (2, Varint),
    (3, Bytes),
    (5, Message(&ANY_VALUE)),
    (6, Message(&KEY_VALUE)),
    (7, Varint),
    (8, Fixed32),
    (9, Id(16)),
    (10, Id(8)),
    (11, Fixed64),
    (12, Bytes),
];
