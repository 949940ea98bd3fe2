//! Why traces were kept, in words, for whoever shows them.

use super::{
    Fate, SettledSlot,
    stored::{Shelf, Stored},
};
use crate::{engine::Engine, slot::Standing};
use otlp::TraceId;
use policy::{PolicySet, Verdict};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Why a trace was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Which trace.
    pub trace_id: TraceId,
    /// How many spans this decision released.
    pub spans: u32,
    /// Whether they came after the verdict and followed it.
    pub late: bool,
    /// The deciding policy, with its path inside a container.
    pub policy: String,
    /// The deciding policy, and what it found.
    pub why: String,
}

impl SettledSlot {
    /// A note for each kept trace. What makes a policy keep a trace stands in its spans, so they are looked at.
    pub(super) fn notes(&mut self, engine: &Engine, policies: &PolicySet, notes: &mut Vec<Note>) {
        let Self { shard, traces, fates, older, blocks, .. } = self;
        let kept = (0u32..).zip(&*fates).filter(|(_, fate)| matches!(fate, Fate::Kept(_)));
        let kept: Vec<u32> = kept.map(|(trace, _)| trace).collect();
        let mut shelf = Shelf { shard: *shard, traces: traces.as_slice(), older, blocks };
        shelf.each(engine, &kept, &mut |index, spans| {
            let index = index as usize;
            let (Some(trace), Some(Fate::Kept(verdict))) = (traces.get(index), fates.get(index)) else { return };
            let late = trace.standing == Standing::Follows;
            // The spans that the verdict hangs on are not among the late ones.
            let policy = policies.describe(verdict.reason);
            let why = if late { policy.clone() } else { explain(policies, verdict, spans) };
            notes.push(Note { trace_id: trace.id, spans: trace.spans, late, policy, why });
        });
    }
}

fn explain(policies: &PolicySet, verdict: &Verdict, spans: &[Stored]) -> String {
    let explained = || policies.explain(verdict, &mut spans.iter().map(Stored::view));
    catch_unwind(AssertUnwindSafe(explained)).unwrap_or_else(|_| policies.describe(verdict.reason))
}
