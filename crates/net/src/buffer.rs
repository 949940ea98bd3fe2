//! A message being put together: bytes that grow under the budget and stop at a limit.
//!
//! ```text
//!   length ≤ capacity ≤ max(2 × length, length + what is about to be written), + FIRST_BYTES, ≤ bytes_max + 1
//! ```
//!
//! Capacity follows what arrived, never what a peer claims will arrive, and the charge follows capacity. One byte above
//! the limit is room enough to know that the limit is passed, so a bomb costs its limit and no more.
//!
//! Memory that was touched before is cheaper than fresh memory, so a finished buffer goes back to its [`Pool`]. Idle buffers
//! are not charged; [`IDLE_BYTES_MAX`] bounds them.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::budget::{Budget, Charge, Class, Exhausted};

/// What all buffers that wait for reuse hold together at most; what does not fit is freed.
pub const IDLE_BYTES_MAX: usize = 8 << 20;
/// What one of them holds at most.
const IDLE_EACH_BYTES_MAX: usize = 1 << 20;
/// The first capacity of a buffer that did not come from the pool.
const FIRST_BYTES: usize = 4 << 10;

/// Buffers to use again, and the budget they are charged to while in use.
#[derive(Debug)]
pub struct Pool {
    budget: Arc<Budget>,
    idle: Mutex<Idle>,
}

/// Invariant: `bytes` is the sum of the buffers' capacities.
#[derive(Debug, Default)]
struct Idle {
    buffers: Vec<Vec<u8>>,
    bytes: usize,
}

/// Bytes of one message, charged by capacity.
#[derive(Debug)]
pub struct Buffer {
    bytes: Vec<u8>,
    charge: Charge,
    bytes_max: usize,
    pool: Arc<Pool>,
}

/// Why a message was not put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// More than the limit arrived or came out of the decoder.
    TooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// The budget is at its hard mark.
    Exhausted,
    /// The encoding is broken.
    Corrupt(String),
}

impl Pool {
    /// An empty pool on a budget.
    pub fn new(budget: Arc<Budget>) -> Arc<Pool> {
        Arc::new(Pool { budget, idle: Mutex::default() })
    }

    /// An empty buffer that may grow to `bytes_max`.
    pub fn buffer(self: &Arc<Self>, bytes_max: usize) -> Result<Buffer, Stop> {
        let mut bytes = self.idle.lock().pop();
        if bytes.capacity() > bytes_max.saturating_add(1) {
            bytes = Vec::new();
        }
        let charge = self.budget.charge(Class::Frames, bytes.capacity())?;
        Ok(Buffer { bytes, charge, bytes_max, pool: Arc::clone(self) })
    }

    /// The budget behind the pool.
    pub fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    fn take_back(&self, mut bytes: Vec<u8>) {
        if (1..=IDLE_EACH_BYTES_MAX).contains(&bytes.capacity()) {
            bytes.clear();
            self.idle.lock().push(bytes);
        }
    }
}

impl Idle {
    fn pop(&mut self) -> Vec<u8> {
        let buffer = self.buffers.pop().unwrap_or_default();
        self.bytes -= buffer.capacity();
        buffer
    }

    fn push(&mut self, buffer: Vec<u8>) {
        if self.bytes + buffer.capacity() <= IDLE_BYTES_MAX {
            self.bytes += buffer.capacity();
            self.buffers.push(buffer);
        }
    }
}

impl Buffer {
    /// Appends bytes that arrived.
    pub fn extend(&mut self, arrived: &[u8]) -> Result<(), Stop> {
        if self.bytes.len().saturating_add(arrived.len()) > self.bytes_max {
            return Err(Stop::TooLarge { bytes_max: self.bytes_max });
        }
        self.reserve(arrived.len())?;
        self.bytes.extend_from_slice(arrived);
        Ok(())
    }

    /// Room for a decoder to write into: at least one byte, at most up to one byte above the limit.
    ///
    /// Call [`Buffer::check`] after writing.
    pub fn room(&mut self, wanted: usize) -> Result<&mut Vec<u8>, Stop> {
        self.check()?;
        if self.bytes.len() == self.bytes.capacity() {
            self.reserve(wanted.max(1))?;
        }
        Ok(&mut self.bytes)
    }

    /// Exactly `length` zero bytes to be overwritten; what was there is gone.
    pub fn zeroed(&mut self, length: usize) -> Result<&mut [u8], Stop> {
        if length > self.bytes_max {
            return Err(Stop::TooLarge { bytes_max: self.bytes_max });
        }
        self.bytes.clear();
        self.reserve(length)?;
        self.bytes.resize(length, 0);
        Ok(&mut self.bytes)
    }

    /// Refuses a buffer that passed its limit.
    pub fn check(&self) -> Result<(), Stop> {
        if self.bytes.len() > self.bytes_max {
            return Err(Stop::TooLarge { bytes_max: self.bytes_max });
        }
        Ok(())
    }

    /// Whether there is room for a message of so many bytes, if it is known to have some.
    pub fn holds(&self, bytes: usize) -> bool {
        (1..=self.bytes.capacity()).contains(&bytes)
    }

    /// The bytes so far.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// The pool the buffer returns to.
    pub fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// The limit.
    pub fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// Room for bytes that have arrived and are about to be appended.
    pub fn reserve(&mut self, more: usize) -> Result<(), Stop> {
        let length = self.bytes.len();
        let needed = length.saturating_add(more);
        if needed <= self.bytes.capacity() {
            return Ok(());
        }
        let capacity = needed.max(length.saturating_mul(2)).max(FIRST_BYTES).min(self.bytes_max.saturating_add(1));
        self.charge.grow(capacity.saturating_sub(self.charge.bytes()))?;
        self.bytes.reserve_exact(capacity.saturating_sub(length));
        // The allocator may round up, and what it gave is held.
        self.charge.grow_always(self.bytes.capacity().saturating_sub(self.charge.bytes()));
        Ok(())
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.pool.take_back(std::mem::take(&mut self.bytes));
    }
}

impl From<Exhausted> for Stop {
    fn from(_: Exhausted) -> Stop {
        Stop::Exhausted
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::TooLarge { bytes_max } => write!(f, "the message is larger than the limit of {bytes_max} bytes"),
            Stop::Exhausted => Exhausted.fmt(f),
            Stop::Corrupt(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Stop {}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(hard_bytes: usize) -> Arc<Pool> {
        Pool::new(Budget::new(hard_bytes))
    }

    #[test]
    fn capacity_follows_what_arrived_and_the_charge_follows_capacity() {
        let pool = pool(1 << 30);
        let mut buffer = pool.buffer(1 << 20).unwrap();
        assert_eq!(pool.budget().used(), 0);
        for _ in 0..64 {
            buffer.extend(&[7; 16 << 10]).unwrap();
            assert!(buffer.bytes.capacity() <= 2 * buffer.bytes.len() + FIRST_BYTES);
            assert_eq!(pool.budget().used_by(Class::Frames), buffer.bytes.capacity());
        }
        assert_eq!(buffer.extend(&[7]), Err(Stop::TooLarge { bytes_max: 1 << 20 }));
        drop(buffer);
        assert_eq!(pool.budget().used(), 0);
    }

    #[test]
    fn a_finished_buffer_is_used_again_and_charged_again() {
        let pool = pool(1 << 20);
        let mut buffer = pool.buffer(1 << 20).unwrap();
        buffer.extend(&[1; 100_000]).unwrap();
        let capacity = buffer.bytes.capacity();
        drop(buffer);
        let again = pool.buffer(1 << 20).unwrap();
        assert_eq!((again.as_slice().len(), again.bytes.capacity()), (0, capacity));
        assert_eq!(pool.budget().used(), capacity);
        drop(again);
        assert_eq!(pool.buffer(1000).unwrap().bytes.capacity(), 0);
    }

    #[test]
    fn the_budget_stops_a_buffer() {
        let pool = pool(10_000);
        let mut buffer = pool.buffer(1 << 20).unwrap();
        buffer.extend(&[1; 5000]).unwrap();
        assert_eq!(buffer.extend(&[1; 6000]), Err(Stop::Exhausted));
        assert_eq!(buffer.as_slice().len(), 5000);
    }
}
