//! What Tailrace says about itself: logs, metrics, health, and the endpoints they are read at.

pub(crate) mod health;
pub(crate) mod logs;
pub(crate) mod metrics;
pub(crate) mod process;
pub(crate) mod prometheus;
pub(crate) mod push;
pub(crate) mod server;
pub(crate) mod source;
