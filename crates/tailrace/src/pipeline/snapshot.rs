//! The books of the whole process at one moment, with both identities of ARCHITECTURE.md.
//!
//! Per pipeline: accepted = sampled out + kept + dropped + buffered. Per destination: what its pipelines kept = delivered +
//! rejected + dropped + waiting. The snapshot is taken while no kept span moves between the two, so both residues are
//! zero at every moment; anything else is a bug, and shown.

use super::{
    lane::{Lane, Stage},
    timings::TimingCounts,
};
use engine::Books;
use net::exporter::{Destination, DestinationStats};
use policy::{Amount, PolicyCounts};
use std::sync::{Arc, atomic::Ordering};

/// What the pipelines and destinations have done with every span so far.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) lanes: Vec<LaneBooks>,
    pub(crate) destinations: Vec<DestinationBooks>,
}

/// A pipeline's books.
#[derive(Clone, Debug)]
pub(crate) struct LaneBooks {
    /// The pipeline's name.
    pub(crate) name: String,
    /// The name of its `tail_sampling` processor, if it has one.
    pub(crate) processor: Option<String>,
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
    /// Spans that the pipelines in front of it kept.
    pub(crate) kept: u64,
    pub(crate) stats: DestinationStats,
}

/// Where snapshots come from.
pub(crate) struct Ledger {
    pub(crate) lanes: Vec<Arc<Lane>>,
    /// Each destination with its name.
    pub(crate) destinations: Vec<(String, Arc<Destination>)>,
}

impl Ledger {
    /// Takes a snapshot. Blocks while a slot is being assembled; not for a connection's thread.
    pub(crate) fn snapshot(&self) -> Snapshot {
        // Everybody else holds one of these at most, so that taking them all in order ends.
        let _guards: Vec<_> = self.lanes.iter().map(|lane| lane.outlet.books.lock()).collect();
        let lanes: Vec<LaneBooks> = self.lanes.iter().map(|lane| lane_books(lane)).collect();
        let destinations = self.destinations.iter().map(|(name, destination)| {
            let feeds = |lane: &&Arc<Lane>| lane.outlet.destinations.iter().any(|one| Arc::ptr_eq(one, destination));
            let kept = self.lanes.iter().filter(feeds).map(|lane| kept_by(&lanes, &lane.name)).sum();
            DestinationBooks { name: name.clone(), kept, stats: destination.stats() }
        });
        let destinations = destinations.collect();
        Snapshot { lanes, destinations }
    }
}

impl DestinationBooks {
    /// What was kept for it and stands in none of its columns; anything but 0 is a bug.
    pub(crate) fn residue(&self) -> i128 {
        i128::from(self.kept) - i128::from(self.stats.offered.spans) + i128::from(self.stats.residue().1)
    }
}

fn lane_books(lane: &Lane) -> LaneBooks {
    let mut books = LaneBooks {
        name: lane.name.clone(),
        processor: None,
        books: Books::default(),
        policies: Vec::new(),
        amounts: Vec::new(),
        evaluations_cut: 0,
        timings: lane.timings.counts(),
    };
    match &lane.stage {
        Stage::Sample { processor, engine } => {
            let policies = engine.policies();
            let counts = policies.counts().into_iter();
            books.policies = counts.map(|(name, counts)| (name.to_owned(), counts)).collect();
            books.amounts = policies.amounts();
            books.evaluations_cut = policies.evaluation_cut();
            books.processor = Some(processor.clone());
            books.books = engine.books();
        }
        Stage::Pass { spans } => {
            let spans = spans.load(Ordering::Relaxed);
            books.books = Books { accepted: spans, kept: spans, ..Books::default() };
        }
    }
    books
}

fn kept_by(lanes: &[LaneBooks], name: &str) -> u64 {
    lanes.iter().find(|lane| lane.name == name).map_or(0, |lane| lane.books.kept)
}
