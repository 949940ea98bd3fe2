//! What metrics requests are written from.

use super::Kind::{self, Bytes, Fixed64, Fixed64s, Id, Message, Varint, Varints};
use super::{KEY_VALUE, RESOURCE, SCOPE};

pub(super) static REQUEST: [(u32, Kind); 2] = [(1, Message(&RESOURCE_METRICS)), (1, Message(&RESOURCE_METRICS))];
static RESOURCE_METRICS: [(u32, Kind); 4] =
    [(1, Message(&RESOURCE)), (2, Message(&SCOPE_METRICS)), (2, Message(&SCOPE_METRICS)), (3, Bytes)];
static SCOPE_METRICS: [(u32, Kind); 4] =
    [(1, Message(&SCOPE)), (2, Message(&METRIC)), (2, Message(&METRIC)), (3, Bytes)];
static METRIC: [(u32, Kind); 9] = [
    (1, Bytes),
    (2, Bytes),
    (3, Bytes),
    (5, Message(&GAUGE)),
    (7, Message(&SUM)),
    (9, Message(&HISTOGRAM)),
    (10, Message(&EXPONENTIAL_HISTOGRAM)),
    (11, Message(&SUMMARY)),
    (12, Message(&KEY_VALUE)),
];
static GAUGE: [(u32, Kind); 2] = [(1, Message(&NUMBER_DATA_POINT)), (1, Message(&NUMBER_DATA_POINT))];
static SUM: [(u32, Kind); 4] =
    [(1, Message(&NUMBER_DATA_POINT)), (1, Message(&NUMBER_DATA_POINT)), (2, Varint), (3, Varint)];
static HISTOGRAM: [(u32, Kind); 3] =
    [(1, Message(&HISTOGRAM_DATA_POINT)), (1, Message(&HISTOGRAM_DATA_POINT)), (2, Varint)];
static EXPONENTIAL_HISTOGRAM: [(u32, Kind); 3] =
    [(1, Message(&EXPONENTIAL_HISTOGRAM_DATA_POINT)), (1, Message(&EXPONENTIAL_HISTOGRAM_DATA_POINT)), (2, Varint)];
static SUMMARY: [(u32, Kind); 2] = [(1, Message(&SUMMARY_DATA_POINT)), (1, Message(&SUMMARY_DATA_POINT))];
static NUMBER_DATA_POINT: [(u32, Kind); 8] = [
    (2, Fixed64),
    (3, Fixed64),
    (4, Fixed64),
    (5, Message(&EXEMPLAR)),
    (5, Message(&EXEMPLAR)),
    (6, Fixed64),
    (7, Message(&KEY_VALUE)),
    (8, Varint),
];
static HISTOGRAM_DATA_POINT: [(u32, Kind); 12] = [
    (2, Fixed64),
    (3, Fixed64),
    (4, Fixed64),
    (5, Fixed64),
    (6, Fixed64s),
    (7, Fixed64s),
    (8, Message(&EXEMPLAR)),
    (8, Message(&EXEMPLAR)),
    (9, Message(&KEY_VALUE)),
    (10, Varint),
    (11, Fixed64),
    (12, Fixed64),
];
static EXPONENTIAL_HISTOGRAM_DATA_POINT: [(u32, Kind); 15] = [
    (1, Message(&KEY_VALUE)),
    (2, Fixed64),
    (3, Fixed64),
    (4, Fixed64),
    (5, Fixed64),
    (6, Varint),
    (7, Fixed64),
    (8, Message(&BUCKETS)),
    (9, Message(&BUCKETS)),
    (10, Varint),
    (11, Message(&EXEMPLAR)),
    (11, Message(&EXEMPLAR)),
    (12, Fixed64),
    (13, Fixed64),
    (14, Fixed64),
];
static BUCKETS: [(u32, Kind); 2] = [(1, Varint), (2, Varints)];
static SUMMARY_DATA_POINT: [(u32, Kind); 8] = [
    (2, Fixed64),
    (3, Fixed64),
    (4, Fixed64),
    (5, Fixed64),
    (6, Message(&VALUE_AT_QUANTILE)),
    (6, Message(&VALUE_AT_QUANTILE)),
    (7, Message(&KEY_VALUE)),
    (8, Varint),
];
static VALUE_AT_QUANTILE: [(u32, Kind); 2] = [(1, Fixed64), (2, Fixed64)];
static EXEMPLAR: [(u32, Kind); 6] =
    [(2, Fixed64), (3, Fixed64), (4, Id(8)), (5, Id(16)), (6, Fixed64), (7, Message(&KEY_VALUE))];
