//! The running program: receivers, pipelines, the deciding thread, destinations, started in order and stopped in reverse.
//!
//! ```text
//!  socket ─► receiver ─► Intake: scan ─► Lane: engine.ingest ─► ack
//!            budget                          │ due: slot · memory · num_traces · shutdown
//!                                            ▼
//!  socket ◄─ Destination ◄─ Outlet: batch ◄─ Decider: decide, open blocks, assemble
//! ```

mod auths;
mod build;
mod chain;
mod decider;
mod destinations;
pub(crate) mod fail_point;
mod gather;
mod graph;
mod intake;
mod lane;
mod outlet;
mod program;
mod shown;
mod snapshot;
pub(crate) mod timings;
mod veil;

#[cfg(test)]
pub(crate) use lane::Batches;
pub(crate) use program::{Reread, run, run_until};
pub(crate) use snapshot::{DestinationBooks, LaneBooks, SamplingBooks, Snapshot};
pub(crate) use timings::BOUNDS_MS;

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The process's clocks. The engine and the policies get their times as arguments; this is where they come from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock whose monotonic time begins now.
    pub(crate) fn new() -> Self {
        Self { start: Instant::now() }
    }

    /// Monotonic nanoseconds.
    pub(crate) fn mono_ns(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Both clocks.
    pub(crate) fn now(&self) -> policy::Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        policy::Now { mono_ns: self.mono_ns(), wall_ns: u64::try_from(wall.as_nanos()).unwrap_or(u64::MAX) }
    }
}
