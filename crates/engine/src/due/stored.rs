//! The stored spans of some of a slot's traces, for policies and notes that look at them.

use super::Older;
use crate::{
    block::{Block, StoredSpan},
    engine::Engine,
    slot::Trace,
};

/// A span of a trace.
pub(super) struct Stored<'a> {
    /// Which of the slot's traces.
    pub(super) trace: u32,
    span: StoredSpan<'a>,
    body: Vec<u8>,
}

impl Stored<'_> {
    /// The span as policies read it.
    pub(super) fn view(&self) -> policy::StoredSpan<'_> {
        policy::StoredSpan {
            resource_header: self.span.resource_header,
            scope_header: self.span.scope_header,
            span: &self.body,
        }
    }
}

/// The spans of the wanted traces in unpacked blocks, trace by trace, each in the order in which they came.
pub(super) fn by_trace<'a>(
    traces: &[Trace],
    older: &'a [Older],
    blocks: &'a [Block],
    wanted: &dyn Fn(u32) -> bool,
) -> Vec<Stored<'a>> {
    let mut spans: Vec<Stored<'a>> = Vec::new();
    let mut add = |trace: u32, span: StoredSpan<'a>| {
        if wanted(trace)
            && let Some(known) = traces.get(trace as usize)
        {
            let body = span.with_parts(known.id, |parts| parts.concat());
            spans.push(Stored { trace, span, body });
        }
    };
    for older in older {
        each(&older.blocks, &mut |span| {
            if let Some(trace) = older.index_of(span.trace) {
                add(trace, span);
            }
        });
    }
    each(blocks, &mut |span| add(span.trace, span));
    // A stable sort keeps each trace's spans in their order.
    spans.sort_by_key(|stored| stored.trace);
    spans
}

fn each<'a>(blocks: &'a [Block], visit: &mut dyn FnMut(StoredSpan<'a>)) {
    for block in blocks {
        // What could not be unpacked is counted when the block is read for its batch.
        let Some(mut records) = block.unpacked() else { continue };
        while let Ok(Some(span)) = records.next_span() {
            visit(span);
        }
    }
}

/// Unpacks a slot's blocks in place, so that whoever reads them next finds them open.
pub(super) fn unpack(engine: &Engine, shard: usize, blocks: &mut [Block]) {
    let opens = blocks.iter_mut().map(|block| u64::from(block.unpack())).sum::<u64>();
    engine.shards[shard].lock().books.block_opens += opens;
}
