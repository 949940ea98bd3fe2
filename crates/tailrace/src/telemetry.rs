//! What Tailrace says about itself: logs, metrics, and the endpoint they are read at.

pub(crate) mod logs;
pub(crate) mod metrics;
pub(crate) mod process;
pub(crate) mod prometheus;
