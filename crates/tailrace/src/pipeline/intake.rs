//! The way in: one scan of the request, then its spans into every pipeline that the receiver feeds.
//!
//! A request is checked whole before any of it is taken, and worked off in steps of 256 KiB between which the task
//! yields, so that a giant request does not hold up its neighbours.

use super::{Clock, lane::Lane};
use net::{BoxFuture, receiver};
use otlp::{
    Keys, Signal,
    scan::{Progress, Scan},
};
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};

/// Bytes of a request that are worked off before the task yields.
const STEP_BYTES: usize = 256 << 10;
/// With `block_on_overflow`, a request waits this long for room before its client is told to come back.
const ROOM_PATIENCE: Duration = Duration::from_secs(1);
/// When it should come back.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Scratch space is kept for this many requests at once; what more need is given back to the allocator.
const IDLE_SCRATCH_MAX: usize = 16;
/// Scratch that has grown beyond this, for a giant request, is not kept.
const SCRATCH_BYTES_MAX: usize = 4 << 20;

/// What the receivers hand requests to.
pub(crate) struct Intake {
    /// The pipelines that this receiver feeds.
    pub(crate) lanes: Vec<Arc<Lane>>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) clock: Clock,
    pub(crate) idle: Mutex<Vec<Scratch>>,
}

/// Buffers of one request being taken in.
pub(crate) struct Scratch {
    scan: Scan,
    engine: engine::Scratch,
}

impl Intake {
    pub(crate) fn new(lanes: Vec<Arc<Lane>>, keys: Arc<Keys>, clock: Clock) -> Self {
        Self { lanes, keys, clock, idle: Mutex::new(Vec::new()) }
    }

    async fn accept(&self, body: &[u8]) -> Result<receiver::Accepted, receiver::Refusal> {
        let mut scratch = self.scratch();
        let outcome = self.take_in(body, &mut scratch).await;
        self.give_back(scratch);
        outcome
    }

    async fn take_in(&self, body: &[u8], scratch: &mut Scratch) -> Result<receiver::Accepted, receiver::Refusal> {
        let scan = &mut scratch.scan;
        scan.begin();
        loop {
            match scan.advance(body, STEP_BYTES) {
                Ok(Progress::Done) => break,
                Ok(Progress::More) => tokio::task::yield_now().await,
                Err(error) => {
                    let message = format!("the request is not valid protobuf: {} near byte {}", error.error, error.at);
                    return Err(receiver::Refusal::Malformed(message));
                }
            }
        }
        // All of them before any: a request that is refused has left nothing behind, so that it can come again.
        for lane in &self.lanes {
            if !lane.has_room(ROOM_PATIENCE).await {
                return Err(receiver::Refusal::Overloaded { retry_after: RETRY_AFTER });
            }
        }
        for lane in &self.lanes {
            lane.take_in(body, scan, &mut scratch.engine, self.clock, STEP_BYTES).await;
        }
        Ok(answer(scan))
    }

    fn scratch(&self) -> Scratch {
        let kept = self.idle.lock().pop();
        kept.unwrap_or_else(|| Scratch { scan: Scan::new(Arc::clone(&self.keys)), engine: engine::Scratch::default() })
    }

    fn give_back(&self, scratch: Scratch) {
        let mut idle = self.idle.lock();
        if idle.len() < IDLE_SCRATCH_MAX && scratch.scan.capacity_bytes() <= SCRATCH_BYTES_MAX {
            idle.push(scratch);
        }
    }
}

impl receiver::Intake for Intake {
    fn serves(&self, signal: Signal) -> bool {
        signal == Signal::Traces
    }

    fn take<'a>(
        &'a self,
        _signal: Signal,
        _origin: &'a receiver::Origin,
        body: &'a [u8],
    ) -> BoxFuture<'a, Result<receiver::Accepted, receiver::Refusal>> {
        Box::pin(self.accept(body))
    }
}

fn answer(scan: &Scan) -> receiver::Accepted {
    let message = match scan.rejected {
        0 => String::new(),
        1 => "1 span has no valid trace ID (16 bytes, not all zero) and was rejected".to_owned(),
        count => format!("{count} spans have no valid trace ID (16 bytes, not all zero) and were rejected"),
    };
    receiver::Accepted { items: scan.spans.len() as u64, rejected: scan.rejected, message }
}
