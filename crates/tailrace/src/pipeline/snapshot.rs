//! The books of the whole process at one moment, with both identities of ARCHITECTURE.md.
//!
//! Per pipeline: accepted = filtered + sampled out + kept + dropped + buffered. Per destination: what its pipelines sent to
//! it = delivered + rejected + dropped + waiting. The snapshot is taken while nothing moves between the two, so all
//! residues are zero at every moment; anything else is a bug, and shown.

use super::{
    chain::LinkReading,
    lane::{Batches, Counts, Lane},
    outlet::Way,
    timings::TimingCounts,
};
use crate::configuration::PipelineId;
use engine::Books;
use net::exporter::{DestinationStats, SentSizes};
use otlp::Signal;
use parking_lot::{MutexGuard, RwLock};
use policy::{Amount, PolicyCounts};
use std::sync::{Arc, atomic::Ordering};

/// What the pipelines and destinations have done with every item so far.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) lanes: Vec<LaneBooks>,
    pub(crate) destinations: Vec<DestinationBooks>,
}

/// A pipeline's books, in items of its signal.
#[derive(Clone, Debug)]
pub(crate) struct LaneBooks {
    pub(crate) id: PipelineId,
    /// The pipeline's name.
    pub(crate) name: String,
    pub(crate) signal: Signal,
    /// Taken in.
    pub(crate) accepted: u64,
    /// Taken away by processors, in front of the sampler and behind it.
    pub(crate) filtered: u64,
    /// Sent to every destination.
    pub(crate) kept: u64,
    /// Lost because a processor failed on them.
    pub(crate) failed: u64,
    /// Waiting for a verdict or for a batch to fill.
    pub(crate) buffered: u64,
    /// What went into each editing processor and what it took away.
    pub(crate) processors: Vec<LinkReading>,
    /// The requests that it sent on.
    pub(crate) batches: Batches,
    /// How many combinations of metadata values each of its `batch` processors has met.
    pub(crate) combinations: Vec<(String, usize)>,
    /// What its `tail_sampling` processor did, if it has one.
    pub(crate) sampling: Option<SamplingBooks>,
}

/// The books of a pipeline's `tail_sampling`.
#[derive(Clone, Debug)]
pub(crate) struct SamplingBooks {
    /// The processor's name.
    pub(crate) processor: String,
    pub(crate) books: Books,
    /// What each of its policies has said.
    pub(crate) policies: Vec<(String, PolicyCounts)>,
    /// Spans and bytes of the traces that each of them was asked about, where a feature gate wants them.
    pub(crate) amounts: Vec<[Amount; 2]>,
    /// Conditions that were given up because their trace had cost too much.
    pub(crate) evaluations_cut: u64,
    /// How long decisions took.
    pub(crate) timings: TimingCounts,
}

/// A destination's books.
#[derive(Clone, Debug)]
pub(crate) struct DestinationBooks {
    /// The exporter's name.
    pub(crate) name: String,
    pub(crate) signal: Signal,
    /// Items that the pipelines in front of it sent.
    pub(crate) kept: u64,
    pub(crate) stats: DestinationStats,
    /// How large the requests were.
    pub(crate) sizes: SentSizes,
    /// Its queue, if the settings give it one.
    pub(crate) queue: Option<QueueBooks>,
}

/// A destination's queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueBooks {
    /// How much waits or is on its way.
    pub(crate) size: u64,
    /// Its `queue_size`.
    pub(crate) capacity: u64,
    /// Whether what waits is made one request.
    pub(crate) batches: bool,
}

/// Where snapshots come from: what runs, and what a reload took out and has not ended yet.
#[derive(Default)]
pub(crate) struct Ledger {
    running: RwLock<Running>,
}

/// Lanes and the ways out of them.
#[derive(Clone, Default)]
pub(crate) struct Running {
    /// Those further in front first: their counts are locked in this order.
    pub(crate) lanes: Vec<Arc<Lane>>,
    pub(crate) ways: Vec<Way>,
}

impl Ledger {
    /// Puts other lanes and ways in.
    pub(crate) fn replace(&self, running: Running) {
        *self.running.write() = running;
    }

    /// What runs now.
    pub(crate) fn running(&self) -> Running {
        self.running.read().clone()
    }

    /// Takes out what has ended.
    pub(crate) fn remove(&self, lanes: &[Arc<Lane>], ways: &[Way]) {
        let mut running = self.running.write();
        running.lanes.retain(|lane| !lanes.iter().any(|gone| Arc::ptr_eq(lane, gone)));
        running.ways.retain(|way| !ways.iter().any(|gone| way.is(gone)));
    }

    /// Takes a snapshot. Blocks while a slot is being assembled; not for a connection's thread.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let running = self.running();
        let guards: Vec<_> = running.lanes.iter().map(|lane| lane.counts.lock()).collect();
        let lanes = running.lanes.iter().zip(&guards).map(|(lane, counts)| lane_books(lane, counts)).collect();
        let destinations = running.ways.iter().map(|way| DestinationBooks {
            name: way.destination.name().to_owned(),
            signal: way.destination.signal(),
            kept: way.sent.load(Ordering::Relaxed),
            stats: way.destination.stats(),
            sizes: way.destination.sizes(),
            queue: Some(way.destination.queue()).filter(|queue| queue.enabled).map(|queue| QueueBooks {
                size: way.destination.queue_size(),
                capacity: queue.queue_size,
                batches: queue.batch.is_some(),
            }),
        });
        let destinations = destinations.collect();
        drop(guards);
        Snapshot { lanes, destinations }
    }
}

impl LaneBooks {
    /// What was taken in and stands in no column, and what was kept and not sent; anything but 0 is a bug.
    pub(crate) fn residue(&self) -> i128 {
        let dropped = self.sampling.as_ref().map_or(0, |sampling| sampling.books.dropped_total());
        let sampled_out = self.sampling.as_ref().map_or(0, |sampling| sampling.books.sampled_out);
        let columns = [self.filtered, sampled_out, self.kept, self.failed, dropped, self.buffered];
        i128::from(self.accepted) - columns.into_iter().map(i128::from).sum::<i128>()
    }

    /// Lost for a named reason.
    pub(crate) fn dropped(&self) -> u64 {
        self.failed + self.sampling.as_ref().map_or(0, |sampling| sampling.books.dropped_total())
    }

    /// What its policies did not keep.
    pub(crate) fn sampled_out(&self) -> u64 {
        self.sampling.as_ref().map_or(0, |sampling| sampling.books.sampled_out)
    }
}

impl DestinationBooks {
    /// What was sent to it and stands in none of its columns; anything but 0 is a bug.
    pub(crate) fn residue(&self) -> i128 {
        i128::from(self.kept) - i128::from(self.stats.offered.items) + i128::from(self.stats.residue().1)
    }
}

fn lane_books(lane: &Lane, counts: &MutexGuard<'_, Counts>) -> LaneBooks {
    let [filtered_before, filtered_after] = lane.filtered();
    let sampling = lane.sampler.as_ref().map(|(processor, engine)| {
        let policies = engine.policies();
        SamplingBooks {
            processor: processor.clone(),
            books: engine.books(),
            policies: policies.counts().into_iter().map(|(name, counts)| (name.to_owned(), counts)).collect(),
            amounts: policies.amounts(),
            evaluations_cut: policies.evaluation_cut(),
            timings: lane.timings.counts(),
        }
    });
    let parts = lane.parts();
    let books = sampling.as_ref().map(|sampling| sampling.books).unwrap_or_default();
    LaneBooks {
        id: lane.id.clone(),
        name: lane.name.clone(),
        signal: lane.id.signal,
        accepted: filtered_before + counts.passed + books.accepted,
        filtered: filtered_before + filtered_after,
        kept: counts.sent,
        failed: counts.failed,
        buffered: counts.gathered.items() + books.buffered,
        processors: parts.readings(),
        combinations: parts.combinations(),
        batches: counts.batches,
        sampling,
    }
}
