//! Verdicts into the decided memory and the books, and the traces out of the table.

use super::{Fate, RECORD_STEP, SettledSlot};
use crate::{
    books::{Books, DropReason},
    decided::Remembered,
    engine::Engine,
    shard::Detached,
    slot::{Standing, Trace},
    table::Place,
};
use policy::Now;

/// Remembers the verdicts, takes the traces out of the table and closes the books of those that are not kept.
pub(super) fn record(
    engine: &Engine,
    index: usize,
    slot: Detached,
    fates: Vec<Fate>,
    now: Now,
    early: bool,
) -> SettledSlot {
    let numbered: Vec<(u32, Fate)> = (0..).zip(fates.iter().copied()).collect();
    for step in numbered.chunks(RECORD_STEP) {
        let mut shard = engine.shards[index].lock();
        for (number, fate) in step {
            let trace = &slot.traces[*number as usize];
            let remembered = match fate {
                Fate::Carried(_) | Fate::Gone => continue,
                // Spans that come later must not begin the trace anew.
                Fate::SampledOut | Fate::SampledOutByDrop | Fate::Dropped(_) => Remembered::SampledOut,
                Fate::Kept(verdict) => Remembered::Kept(verdict.pack()),
            };
            let position = engine.position_of(trace.id);
            shard.decided.remember(position, engine.tag_of(trace.id), remembered, now.mono_ns);
            shard.table.remove(position, Place { seat: slot.seat, index: *number });
            enter(&mut shard.books, trace, *fate, now.mono_ns, early);
        }
        engine.publish(index, &shard);
    }
    engine.shards[index].lock().release(slot.seat);
    let Detached { traces, past, older, blocks, tokens, .. } = slot;
    SettledSlot { shard: index, traces, past, fates, older, blocks, tokens }
}

/// What a verdict means for the books; kept spans are entered when they have been put into a batch.
fn enter(books: &mut Books, trace: &Trace, fate: Fate, now_ns: u64, early: bool) {
    let spans = u64::from(trace.spans);
    let is_first = trace.standing != Standing::Follows;
    books.traces_waiting -= 1;
    if is_first {
        books.removal_age.record(trace.age_s(now_ns));
        books.traces_decided_early += u64::from(early || trace.is_early);
    }
    match fate {
        Fate::Carried(_) | Fate::Gone => {}
        // A verdict over a piece was counted when it was reached.
        Fate::Kept(_) => books.traces_kept += u64::from(trace.standing == Standing::Waiting),
        Fate::SampledOut | Fate::SampledOutByDrop => {
            books.leave(trace);
            books.sampled_out += spans;
            books.late_sampled_out += if is_first { 0 } else { spans };
            books.traces_sampled_out += u64::from(is_first);
            books.traces_sampled_out_by_drop += u64::from(is_first && matches!(fate, Fate::SampledOutByDrop));
        }
        Fate::Dropped(reason) => {
            books.leave(trace);
            books.drop_spans(reason, spans);
            let is_too_large = reason == DropReason::TooLarge;
            books.traces_dropped += u64::from(is_first && !is_too_large);
            books.traces_dropped_too_large += u64::from(is_first && is_too_large);
        }
    }
}

impl Books {
    fn leave(&mut self, trace: &Trace) {
        self.buffered -= u64::from(trace.spans);
        self.bytes_live = self.bytes_live.saturating_sub(u64::from(trace.bytes));
    }
}
