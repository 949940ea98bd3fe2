//! How the engine waits, decides and remembers; plain values, decided by the program.

use crate::decided::Most;
use std::time::Duration;

/// The shortest slot: shorter ones cost more blocks than they save lag.
const SLOT_MIN: Duration = Duration::from_millis(50);
/// The longest slot: verdicts of long waits come at most this much later than asked.
const SLOT_MAX: Duration = Duration::from_secs(5);
/// The decided memory holds at least this long, however short the wait.
const HOLD_MIN: Duration = Duration::from_secs(600);

/// Settings of one engine, that is of one `tail_sampling` processor.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// From a trace's first span to its verdict.
    pub decision_wait: Duration,
    /// From a trace's root span to its verdict, if that is sooner.
    pub after_root: Option<Duration>,
    /// How many undecided traces may wait before the oldest slot is decided early.
    pub traces_max: Option<u64>,
    /// At that number, tell the intake to wait for room instead of deciding early.
    pub block_on_overflow: bool,
    /// A trace that holds more bytes than this is decided early, by the policies on what is known of it.
    pub trace_bytes_max: Option<u64>,
    /// At the end, drop what waits instead of deciding it.
    pub drop_pending: bool,
    /// Write the deciding policy's name into the scopes of kept spans, as otelcol's gate `recordpolicy` does.
    pub record_policy: bool,
    /// How many shards the table has; a power of two.
    pub shards: usize,
    /// How long a verdict is remembered for late spans; ten times the wait and at least ten minutes, unless given.
    pub decided_hold: Option<Duration>,
    /// How many bytes the decided memory may take.
    pub decided_bytes_max: usize,
    /// How many verdicts of each side are remembered at most.
    pub decided_most: Most,
    /// Seed of the keyed hashes; random per process, so that nobody can aim at a shard.
    pub seed: u64,
}

impl Settings {
    /// Length of a slot: a 64th of the shortest wait, but not too short and not too long.
    #[must_use]
    pub fn slot_length(&self) -> Duration {
        (self.shortest_wait() / 64).clamp(SLOT_MIN, SLOT_MAX)
    }

    /// The wait that a new trace begins with.
    #[must_use]
    pub fn shortest_wait(&self) -> Duration {
        self.after_root.map_or(self.decision_wait, |after| after.min(self.decision_wait))
    }

    /// How long a verdict is remembered for late spans.
    #[must_use]
    pub fn decided_hold(&self) -> Duration {
        self.decided_hold.unwrap_or_else(|| (self.decision_wait * 10).max(HOLD_MIN))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            decision_wait: Duration::from_secs(30),
            after_root: None,
            traces_max: None,
            block_on_overflow: false,
            trace_bytes_max: None,
            drop_pending: false,
            record_policy: false,
            shards: 1,
            decided_hold: None,
            decided_bytes_max: 64 << 20,
            decided_most: Most::default(),
            seed: 0,
        }
    }
}
