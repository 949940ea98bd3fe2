//! `sending_queue`: otelcol's settings, and what Tailrace makes of them.
//!
//! Tailrace does not count waiting requests: the byte budget of the process bounds what waits, and a full budget refuses
//! intake, so that nothing accepted is lost. Only where the user *wrote* `block_on_overflow: false` does a queue drop what
//! comes above `queue_size`, as otelcol would. Hence the `Option`: it tells what was written from what is a default.

use std::time::Duration;

/// `sending_queue`.
#[derive(Clone, PartialEq, Debug)]
pub struct QueueSettings {
    /// Whether there is a queue. Without one, one request at a time is on its way.
    pub enabled: bool,
    /// How many requests may be on their way at once.
    pub num_consumers: usize,
    /// How much may wait, in units of `sizer`, where `block_on_overflow: false` was written.
    pub queue_size: u64,
    /// What `queue_size` counts.
    pub sizer: Sizer,
    /// otelcol: the sender waits for the answer. Here acknowledgements never wait for a destination; kept to be printed.
    pub wait_for_result: bool,
    /// What happens above `queue_size`: `Some(false)` drops, anything else fills the budget.
    pub block_on_overflow: Option<bool>,
    /// How requests are cut, where that was written.
    pub batch: Option<BatchSettings>,
}

/// What a size counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sizer {
    /// Requests.
    Requests,
    /// Spans.
    Items,
    /// Bytes, uncompressed.
    Bytes,
}

/// `sending_queue.batch`.
#[derive(Clone, PartialEq, Debug)]
pub struct BatchSettings {
    /// Send what there is after this.
    pub flush_timeout: Duration,
    /// Send as soon as there is this much.
    pub min_size: u64,
    /// Never send more than this; zero is no limit.
    pub max_size: u64,
    /// What the sizes count.
    pub sizer: Sizer,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            num_consumers: 10,
            queue_size: 1000,
            sizer: Sizer::Requests,
            wait_for_result: false,
            block_on_overflow: None,
            batch: None,
        }
    }
}

impl Default for BatchSettings {
    fn default() -> Self {
        Self { flush_timeout: Duration::from_millis(200), min_size: 8192, max_size: 0, sizer: Sizer::Items }
    }
}

impl QueueSettings {
    /// How many requests may be on their way at once: one where there is no queue.
    #[must_use]
    pub fn concurrency(&self) -> usize {
        if self.enabled { self.num_consumers.max(1) } else { 1 }
    }

    /// How much may wait before newcomers are dropped: only where the user wrote that they shall be.
    #[must_use]
    pub fn drops_above(&self) -> Option<u64> {
        (self.enabled && self.block_on_overflow == Some(false)).then_some(self.queue_size)
    }
}
