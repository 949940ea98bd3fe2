//! The stored spans of some of a slot's traces, for policies and notes that look at them.
//!
//! A slot may hold far more than should lie in memory unpacked. So traces are looked at in groups of limited size, in the
//! order of their indices, which is that of their arrival: a block holds traces of few groups and is opened about once for
//! each. Where all of the blocks are small enough they are unpacked in place, and whoever reads them next finds them open.

use super::Older;
use crate::{block::Block, engine::Engine, slot::Trace};
use otlp::TraceId;
use std::rc::Rc;

/// Blocks of at most this much are unpacked in place, and a group of traces is about this large.
const UNPACKED_BYTES_MAX: usize = 16 << 20;

/// A span of a trace.
pub(super) struct Stored {
    trace: u32,
    /// Whether it is the first of a piece.
    pub(super) begins: bool,
    pub(super) resource_header: Rc<[u8]>,
    pub(super) scope_header: Rc<[u8]>,
    pub(super) body: Vec<u8>,
}

/// Number of a run, its resource header and its scope header.
type RunHeaders = (u32, Rc<[u8]>, Rc<[u8]>);

/// The blocks of a slot and of those in which older spans of its traces lie.
pub(super) struct Shelf<'a> {
    pub(super) shard: usize,
    pub(super) traces: &'a [Trace],
    pub(super) older: &'a mut [Older],
    pub(super) blocks: &'a mut [Block],
}

impl Stored {
    /// The span as policies read it.
    pub(super) fn view(&self) -> policy::StoredSpan<'_> {
        policy::StoredSpan {
            resource_header: &self.resource_header,
            scope_header: &self.scope_header,
            span: &self.body,
        }
    }
}

impl Shelf<'_> {
    /// Visits the wanted traces, given in ascending order, each with its spans in the order in which they came.
    pub(super) fn each(&mut self, engine: &Engine, wanted: &[u32], visit: &mut dyn FnMut(u32, &[Stored])) {
        let mut opens = self.unpack(wanted);
        let mut scratch = Vec::new();
        let mut rest = wanted;
        while !rest.is_empty() {
            let (group, after) = rest.split_at(self.group_len(rest));
            rest = after;
            let mut spans = Vec::new();
            for older in &*self.older {
                let name = |there| older.index_of(there).and_then(|here| self.name(here));
                opens += read(&older.blocks, &older.indices(group), &name, &mut scratch, &mut spans);
            }
            opens += read(self.blocks, group, &|here| self.name(here), &mut scratch, &mut spans);
            // A stable sort keeps each trace's spans in their order.
            spans.sort_by_key(|stored| stored.trace);
            spans.chunk_by(|one, two| one.trace == two.trace).for_each(|spans| visit(spans[0].trace, spans));
        }
        engine.shards[self.shard].lock().books.block_opens += opens;
    }

    fn name(&self, here: u32) -> Option<(u32, TraceId)> {
        self.traces.get(here as usize).map(|trace| (here, trace.id))
    }

    /// How many of the traces make a group.
    fn group_len(&self, wanted: &[u32]) -> usize {
        let mut bytes = 0;
        let fits = wanted.iter().take_while(|trace| {
            bytes += self.traces.get(**trace as usize).map_or(0, |trace| trace.bytes as usize);
            bytes <= UNPACKED_BYTES_MAX
        });
        fits.count().max(1)
    }

    /// Unpacks in place what holds wanted traces, if that is not too much. Gives how many blocks that were.
    fn unpack(&mut self, wanted: &[u32]) -> u64 {
        let older: Vec<Vec<u32>> = self.older.iter().map(|older| older.indices(wanted)).collect();
        let mut blocks: Vec<&mut Block> = Vec::new();
        for (older, there) in self.older.iter_mut().zip(&older) {
            blocks.extend(older.blocks.iter_mut().filter(|block| block.traces.may_hold(there)));
        }
        blocks.extend(self.blocks.iter_mut().filter(|block| block.traces.may_hold(wanted)));
        if blocks.iter().map(|block| block.texts_len()).sum::<usize>() > UNPACKED_BYTES_MAX {
            return 0;
        }
        blocks.into_iter().map(|block| u64::from(block.unpack())).sum()
    }
}

/// Copies the spans of the wanted traces, given in ascending order; `name` gives a trace's index in the slot and its ID.
/// Gives how many blocks had to be opened.
fn read(
    blocks: &[Block],
    wanted: &[u32],
    name: &dyn Fn(u32) -> Option<(u32, TraceId)>,
    scratch: &mut Vec<u8>,
    spans: &mut Vec<Stored>,
) -> u64 {
    let mut opens = 0;
    for block in blocks.iter().filter(|block| block.traces.may_hold(wanted)) {
        opens += u64::from(block.is_packed());
        // What cannot be opened is counted when the block is read for its batch.
        let Some(mut records) = block.open(scratch) else { continue };
        let mut headers: Option<RunHeaders> = None;
        while let Ok(Some(span)) = records.next_span() {
            if wanted.binary_search(&span.trace).is_err() {
                continue;
            }
            let Some((trace, id)) = name(span.trace) else { continue };
            let (_, resource_header, scope_header) = match headers.take().filter(|(run, ..)| *run == span.run) {
                Some(known) => headers.insert(known),
                None => headers.insert((span.run, Rc::from(span.resource_header), Rc::from(span.scope_header))),
            };
            let (resource_header, scope_header) = (Rc::clone(resource_header), Rc::clone(scope_header));
            let body = span.with_parts(id, |parts| parts.concat());
            spans.push(Stored { trace, begins: span.begins, resource_header, scope_header, body });
        }
    }
    opens
}
