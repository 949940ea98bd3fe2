//! Why traces were kept, in words, for whoever shows them.

use super::{Fate, SettledSlot, stored};
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
    /// The deciding policy, and what it found.
    pub why: String,
}

impl SettledSlot {
    /// A note for each kept trace. The blocks are unpacked for it: what makes a policy keep a trace stands in its spans.
    pub(super) fn notes(&mut self, engine: &Engine, notes: &mut Vec<Note>) {
        stored::unpack(engine, self.shard, &mut self.blocks);
        self.older.iter_mut().for_each(|older| stored::unpack(engine, self.shard, &mut older.blocks));
        let policies = &engine.policies;
        let kept = |trace: u32| matches!(self.fates.get(trace as usize), Some(Fate::Kept(_)));
        let spans = stored::by_trace(&self.traces, &self.older, &self.blocks, &kept);
        for spans in spans.chunk_by(|one, two| one.trace == two.trace) {
            let index = spans[0].trace as usize;
            let (Some(trace), Some(Fate::Kept(verdict))) = (self.traces.get(index), self.fates.get(index)) else {
                continue;
            };
            let late = trace.standing == Standing::Follows;
            // The spans that the verdict hangs on are not among the late ones.
            let why = if late { policies.describe(verdict.reason) } else { explain(policies, verdict, spans) };
            notes.push(Note { trace_id: trace.id, spans: trace.spans, late, why });
        }
    }
}

fn explain(policies: &PolicySet, verdict: &Verdict, spans: &[stored::Stored<'_>]) -> String {
    let explained = || policies.explain(verdict, &mut spans.iter().map(stored::Stored::view));
    catch_unwind(AssertUnwindSafe(explained)).unwrap_or_else(|_| policies.describe(verdict.reason))
}
