//! The engine's books: every span that was accepted is in exactly one of the columns.
//!
//! `accepted = sampled_out + kept + dropped + buffered`. The columns are counted where the spans really are (a kept span is
//! counted when its bytes are put into a batch), so a span that went missing shows as a residue other than zero.

use crate::histogram::Histogram;

/// Why spans were lost; a policy's verdict is never among the reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// Their trace grew larger than `maximum_trace_size_bytes`.
    TooLarge,
    /// They still waited at the end, and `drop_pending_traces_on_shutdown` is on.
    Shutdown,
    /// Deciding about their trace panicked; anything but 0 is a bug.
    Internal,
    /// Their stored block could not be read back; anything but 0 is a bug.
    UnreadableBlock,
}

impl DropReason {
    /// All reasons.
    pub const ALL: [Self; 4] = [Self::TooLarge, Self::Shutdown, Self::Internal, Self::UnreadableBlock];

    /// As metrics name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Shutdown => "shutdown",
            Self::Internal => "internal",
            Self::UnreadableBlock => "unreadable_block",
        }
    }
}

/// Counts of one engine, summed over its shards, each taken under its shard's lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// Spans taken in.
    pub accepted: u64,
    /// Spans of traces that the policies did not keep, late ones included.
    pub sampled_out: u64,
    /// Spans put into export batches.
    pub kept: u64,
    /// Spans lost, by reason in the order of [`DropReason::ALL`].
    pub dropped: [u64; DropReason::ALL.len()],
    /// Spans waiting for a verdict, or for their batch.
    pub buffered: u64,

    /// Traces first seen.
    pub traces_seen: u64,
    /// Traces kept by a verdict.
    pub traces_kept: u64,
    /// Traces sampled out by a verdict.
    pub traces_sampled_out: u64,
    /// Of those, the ones that a `drop` policy took out.
    pub traces_sampled_out_by_drop: u64,
    /// Traces waiting now.
    pub traces_waiting: u64,
    /// Late spans that followed an earlier "keep".
    pub late_kept: u64,
    /// Late spans that followed an earlier "sampled out".
    pub late_sampled_out: u64,
    /// Traces decided before their time because memory or `num_traces` ran out, or because one held too much of it alone.
    pub traces_decided_early: u64,
    /// Traces dropped as larger than `maximum_trace_size_bytes`.
    pub traces_dropped_too_large: u64,
    /// Traces dropped for the other reasons.
    pub traces_dropped: u64,
    /// Seconds from the verdict to a late piece, in whole seconds; at least so many, the decided memory knows no better.
    pub late_age: Histogram,
    /// Seconds from a trace's first span to its leaving the table.
    pub removal_age: Histogram,

    /// Blocks filled and closed.
    pub blocks: u64,
    /// Blocks read back.
    pub block_opens: u64,
    /// Verdicts forgotten before their time because the decided memory was full.
    pub forgotten_early: u64,
    /// Verdicts remembered now.
    pub remembered: u64,
    /// Bytes held now: blocks, tables, traces, decided memory.
    pub bytes_held: u64,
    /// Of those, bytes of blocks.
    pub bytes_blocks: u64,
    /// Bytes of the waiting spans as they came.
    pub bytes_live: u64,
}

impl Books {
    /// Left side minus right side of the identity; anything but 0 is a bug.
    #[must_use]
    pub fn residue(&self) -> i128 {
        i128::from(self.accepted)
            - i128::from(self.sampled_out)
            - i128::from(self.kept)
            - i128::from(self.dropped_total())
            - i128::from(self.buffered)
    }

    /// Spans lost for this reason.
    #[must_use]
    pub fn dropped_for(&self, reason: DropReason) -> u64 {
        self.dropped[reason as usize]
    }

    /// Spans lost for any reason.
    #[must_use]
    pub fn dropped_total(&self) -> u64 {
        self.dropped.iter().sum()
    }

    pub(crate) fn drop_spans(&mut self, reason: DropReason, spans: u64) {
        self.dropped[reason as usize] += spans;
    }

    /// Adds another shard's counts.
    pub(crate) fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.sampled_out += other.sampled_out;
        self.kept += other.kept;
        self.dropped.iter_mut().zip(other.dropped).for_each(|(sum, more)| *sum += more);
        self.buffered += other.buffered;
        self.traces_seen += other.traces_seen;
        self.traces_kept += other.traces_kept;
        self.traces_sampled_out += other.traces_sampled_out;
        self.traces_sampled_out_by_drop += other.traces_sampled_out_by_drop;
        self.traces_waiting += other.traces_waiting;
        self.late_kept += other.late_kept;
        self.late_sampled_out += other.late_sampled_out;
        self.traces_decided_early += other.traces_decided_early;
        self.traces_dropped_too_large += other.traces_dropped_too_large;
        self.traces_dropped += other.traces_dropped;
        self.late_age.add(&other.late_age);
        self.removal_age.add(&other.removal_age);
        self.blocks += other.blocks;
        self.block_opens += other.block_opens;
        self.forgotten_early += other.forgotten_early;
        self.remembered += other.remembered;
        self.bytes_held += other.bytes_held;
        self.bytes_blocks += other.bytes_blocks;
        self.bytes_live += other.bytes_live;
    }
}
