//! A block: the spans of one slot in the order they came, run by run. What differs from span to span stands in the heads;
//! what repeats stands in the texts, which are LZ4-compressed once the block is full.
//!
//! ```text
//! heads  := record*
//! record := 0 · resource length · scope length                                  begins a run
//!         | trace index + 1 · text length × 8 + form · [fields]                 a span of the run; + 4: begins a piece
//! fields := form 0 (whole):          –
//!           form 1, 2 (usual):       span ID 8 · [parent ID 8] · middle length 1 · start 5 · duration 4
//! texts  := resource header · scope header | middle · tail | whole body         in the same order
//! ```
//! [`usual`] says what a usual span is; the slot knows its trace ID. Its fields have a fixed size, so that passing over a
//! span, as happens to most, reads two numbers; all other numbers are varints. The start counts from the block's
//! `base_ns`. Headers are the encoded fields of the envelope without its children
//! ([`otlp::scan::Scan::resource_header`]). A block is a memory format only: it never leaves the process.

mod usual;

use otlp::{
    TraceId,
    wire::{Reader, WireError, put_varint},
};
use std::sync::Arc;
use usual::Usual;

/// A block is closed when it has grown to this many bytes. With its last span it should stay below 64 KiB: up to there LZ4
/// works with 16-bit positions and in the processor's nearest caches, at 1.08 GB/s where blocks of 256 KiB reach 0.7 to
/// 0.95, and packs as well (4.68 to one against 4.77 on plain spans).
pub const BLOCK_BYTES: usize = 62 << 10;

/// Spans being collected.
#[derive(Debug, Default)]
pub(crate) struct OpenBlock {
    heads: Vec<u8>,
    texts: Vec<u8>,
    /// Where the headers of the current run stand in `texts`.
    run: Option<RunHeader>,
    /// What the starts of usual spans count from, as the first of them sets it.
    base_ns: Option<u64>,
    traces: TraceRange,
    /// Bytes of the heads of the block before, if that became full: this one will, too, and need as many.
    before: Option<usize>,
}

/// The lowest and the highest index of the traces in a block: traces arrive in the order of their indices, so most blocks
/// hold a narrow range, and one in which no trace is kept need not be opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TraceRange {
    first: u32,
    last: u32,
}

impl Default for TraceRange {
    fn default() -> Self {
        Self { first: u32::MAX, last: 0 }
    }
}

impl TraceRange {
    fn add(&mut self, trace: u32) {
        self.first = self.first.min(trace);
        self.last = self.last.max(trace);
    }

    /// Whether one of these traces, given in ascending order, may be in the block.
    pub(crate) fn may_hold(self, traces: &[u32]) -> bool {
        let next = traces.partition_point(|trace| *trace < self.first);
        traces.get(next).is_some_and(|trace| *trace <= self.last)
    }

    /// The part of `items`, one a trace, that the block's traces lie in.
    pub(crate) fn of<T>(self, items: &[T]) -> &[T] {
        items.get(self.first as usize..=self.last as usize).unwrap_or_default()
    }
}

/// Where the two headers of a run begin and where the second one ends.
#[derive(Clone, Copy, Debug)]
struct RunHeader {
    resource: usize,
    scope: usize,
    end: usize,
}

/// A closed block, immutable.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    heads: Box<[u8]>,
    base_ns: u64,
    pub(crate) texts: Texts,
    texts_len: u32,
    /// Whether its spans were carried here from another slot, and so came before all others of their traces.
    pub(crate) is_carried: bool,
    pub(crate) traces: TraceRange,
}

/// A block's texts: as they were collected, until whoever closed the block has compressed them.
#[derive(Clone, Debug)]
pub(crate) enum Texts {
    Raw(Arc<Vec<u8>>),
    Lz4(Arc<[u8]>),
}

/// A span read back, with its run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoredSpan<'a> {
    /// Which of the slot's traces.
    pub(crate) trace: u32,
    /// Whether it is the first of a piece of its trace.
    pub(crate) begins: bool,
    /// Number of the run within the block; equal numbers mean equal headers.
    pub(crate) run: u32,
    /// Encoded fields of the ResourceSpans without its scope spans.
    pub(crate) resource_header: &'a [u8],
    /// Encoded fields of the ScopeSpans without its spans.
    pub(crate) scope_header: &'a [u8],
    /// What was stored apart; if nothing, the text is the whole body.
    apart: &'a [u8],
    base_ns: u64,
    text: &'a [u8],
}

impl StoredSpan<'_> {
    /// The length of the body, or a little more.
    pub(crate) fn len_max(&self) -> usize {
        self.text.len() + usual::APART_MAX
    }

    /// Calls `use_parts` with the parts of the span message's body as it came; `id` is its trace's.
    #[inline]
    pub(crate) fn with_parts<R>(&self, id: TraceId, use_parts: impl FnOnce(&[&[u8]]) -> R) -> R {
        match self.usual() {
            Some(usual) => {
                let (middle, tail) = self.text.split_at(usize::from(usual.middle).min(self.text.len()));
                use_parts(&[usual.front(id).as_bytes(), middle, &usual.times(), tail])
            }
            None => use_parts(&[self.text]),
        }
    }

    fn usual(&self) -> Option<Usual> {
        Usual::load(self.apart, self.base_ns)
    }
}

/// Reads a block's spans from front to back.
pub(crate) struct Records<'a> {
    heads: Reader<'a>,
    texts: &'a [u8],
    run: u32,
    resource_header: &'a [u8],
    scope_header: &'a [u8],
    base_ns: u64,
}

impl OpenBlock {
    /// Begins a run with these headers unless the current run has the same.
    pub(crate) fn run(&mut self, resource_header: &[u8], scope_header: &[u8]) {
        if let Some(run) = self.run
            && self.texts[run.scope..run.end] == *scope_header
            && self.texts[run.resource..run.scope] == *resource_header
        {
            return;
        }
        self.heads.push(0);
        put_varint(&mut self.heads, resource_header.len() as u64);
        put_varint(&mut self.heads, scope_header.len() as u64);
        let resource = self.texts.len();
        self.texts.extend_from_slice(resource_header);
        self.texts.extend_from_slice(scope_header);
        self.run = Some(RunHeader { resource, scope: resource + resource_header.len(), end: self.texts.len() });
    }

    /// Adds a span of the trace `id` to the current run; `begins` tells whether it is the first of a piece.
    pub(crate) fn push(&mut self, trace: u32, id: TraceId, body: &[u8], begins: bool) {
        let begins = if begins { BEGINS } else { 0 };
        if let Some((usual, middle, tail)) = Usual::split(id, body)
            && self.put_usual(trace, &usual, [middle, tail], begins)
        {
            return;
        }
        self.put_whole(trace, &[body], begins);
    }

    /// Adds a span of the trace `id` that was stored in another block.
    pub(crate) fn push_stored(&mut self, trace: u32, id: TraceId, span: &StoredSpan<'_>) {
        let begins = if span.begins { BEGINS } else { 0 };
        if !span.usual().is_some_and(|usual| self.put_usual(trace, &usual, [span.text, &[]], begins)) {
            span.with_parts(id, |parts| self.put_whole(trace, parts, begins));
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.texts.len() >= BLOCK_BYTES
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.heads.is_empty()
    }

    /// Bytes of memory behind the collected spans.
    pub(crate) fn capacity(&self) -> usize {
        self.heads.capacity() + self.texts.capacity()
    }

    /// A copy of what has been collected, if one of these traces, given in ascending order, may be in it.
    pub(crate) fn copy_of(&self, traces: &[u32]) -> Option<Block> {
        if self.is_empty() || !self.traces.may_hold(traces) {
            return None;
        }
        Some(Block::of(self.heads.as_slice().into(), self.texts.clone(), self.base_ns, self.traces))
    }

    /// Closes the block and leaves an empty one.
    pub(crate) fn close(&mut self) -> Block {
        let before = self.is_full().then_some(self.heads.len());
        let Self { heads, texts, traces, base_ns, .. } = std::mem::replace(self, Self { before, ..Self::default() });
        Block::of(heads.into_boxed_slice(), texts, base_ns, traces)
    }

    /// Adds a usual span, unless its times are too far from those of the block.
    #[inline]
    fn put_usual(&mut self, trace: u32, usual: &Usual, text: [&[u8]; 2], begins: u64) -> bool {
        let base_ns = *self.base_ns.get_or_insert_with(|| usual.base_ns());
        let Some(apart) = usual.store(base_ns) else { return false };
        let form = if usual.parent_id.is_none() { ROOT } else { CHILD };
        let text_len = text[0].len() + text[1].len();
        self.put_head(trace, text_len, form | begins);
        self.make_room(text_len);
        self.heads.extend_from_slice(apart.as_bytes());
        self.texts.extend_from_slice(text[0]);
        self.texts.extend_from_slice(text[1]);
        true
    }

    fn put_whole(&mut self, trace: u32, parts: &[&[u8]], begins: u64) {
        let text_len = parts.iter().map(|part| part.len()).sum();
        self.put_head(trace, text_len, WHOLE | begins);
        self.make_room(text_len);
        parts.iter().for_each(|part| self.texts.extend_from_slice(part));
    }

    #[inline]
    fn make_room(&mut self, more: usize) {
        if self.texts.capacity() - self.texts.len() < more {
            self.grow(more);
        }
    }

    /// Doubles a small block, unless the one before became full, and makes a larger one as large as blocks become: it will fill
    /// up soon, and is copied no more.
    #[cold]
    fn grow(&mut self, more: usize) {
        let len = self.texts.len();
        let before = self.before.take();
        if let Some(heads) = before {
            self.heads.reserve_exact((heads + heads / 8).saturating_sub(self.heads.len()));
        } else if len < DOUBLED_BYTES {
            self.texts.reserve(more);
            return;
        }
        self.texts.reserve_exact(more.max(FULL_BYTES.saturating_sub(len)));
    }

    #[inline]
    fn put_head(&mut self, trace: u32, text_len: usize, form: u64) {
        debug_assert!(self.run.is_some(), "a span belongs to a run");
        put_varint(&mut self.heads, u64::from(trace) + 1);
        put_varint(&mut self.heads, (text_len as u64) << FORM_BITS | form);
        self.traces.add(trace);
    }
}

/// Up to this many bytes an open block grows by doubling. From here on doubling would make as much room as the whole takes.
const DOUBLED_BYTES: usize = BLOCK_BYTES / 4;
/// What a block takes with its last span, unless that is a large one.
const FULL_BYTES: usize = 64 << 10;

/// How a span is stored.
const FORM_BITS: u32 = 3;
const WHOLE: u64 = 0;
const ROOT: u64 = 1;
const CHILD: u64 = 2;
/// Beside the others: it is the first of a piece.
const BEGINS: u64 = 4;

impl Block {
    fn of(heads: Box<[u8]>, texts: Vec<u8>, base_ns: Option<u64>, traces: TraceRange) -> Self {
        let texts_len = u32::try_from(texts.len()).expect("a request, and so a block, is below 4 GiB");
        Self {
            heads,
            base_ns: base_ns.unwrap_or(0),
            texts: Texts::Raw(Arc::new(texts)),
            texts_len,
            is_carried: false,
            traces,
        }
    }

    /// The block, with spans that were carried from another slot.
    pub(crate) fn carried(self) -> Self {
        Self { is_carried: true, ..self }
    }

    /// Bytes of its texts, unpacked.
    pub(crate) fn texts_len(&self) -> usize {
        self.texts_len as usize
    }

    /// Whether its texts are compressed.
    pub(crate) fn is_packed(&self) -> bool {
        matches!(self.texts, Texts::Lz4(_))
    }

    /// Frees the memory of a block that nobody will read.
    pub(crate) fn clear(&mut self) {
        *self = Self::of(Box::default(), Vec::new(), None, TraceRange::default());
    }

    /// Whether there is nothing in it, or not any more.
    pub(crate) fn is_clear(&self) -> bool {
        self.heads.is_empty()
    }

    /// Bytes of memory that the block takes.
    pub(crate) fn bytes(&self) -> usize {
        self.heads.len()
            + match &self.texts {
                Texts::Raw(raw) => raw.capacity(),
                Texts::Lz4(packed) => packed.len(),
            }
    }

    /// The block's spans; its texts are unpacked into `scratch` if they have to be.
    pub(crate) fn open<'a>(&'a self, scratch: &'a mut Vec<u8>) -> Option<Records<'a>> {
        let texts: &[u8] = match &self.texts {
            Texts::Raw(raw) => raw,
            Texts::Lz4(packed) => {
                // Bytes of the block before are as good as zeros: all that is given out is written first.
                let len = self.texts_len as usize;
                if scratch.len() < len {
                    scratch.resize(len, 0);
                }
                let raw = &mut scratch[..len];
                (lz4_flex::block::decompress_into(packed, raw).ok()? == len).then_some(&*raw)?
            }
        };
        Some(Records::new(self, texts))
    }

    /// Unpacks the texts for good; tells whether that was needed and worked.
    pub(crate) fn unpack(&mut self) -> bool {
        let Texts::Lz4(packed) = &self.texts else { return false };
        let Ok(raw) = lz4_flex::block::decompress(packed, self.texts_len as usize) else { return false };
        self.texts = Texts::Raw(Arc::new(raw));
        true
    }
}

/// Compresses a closed block's texts; `scratch` is reused from call to call.
pub(crate) fn pack(raw: &[u8], scratch: &mut Vec<u8>) -> Option<Arc<[u8]>> {
    let room = lz4_flex::block::get_maximum_output_size(raw.len());
    if scratch.len() < room {
        scratch.resize(room, 0);
    }
    let len = lz4_flex::block::compress_into(raw, scratch).ok()?;
    Some(Arc::from(&scratch[..len]))
}

impl<'a> Records<'a> {
    fn new(block: &'a Block, texts: &'a [u8]) -> Self {
        let heads = Reader::new(&block.heads);
        Self { heads, texts, run: 0, resource_header: &[], scope_header: &[], base_ns: block.base_ns }
    }

    /// The next span, or nothing at the end.
    #[inline]
    pub(crate) fn next_span(&mut self) -> Result<Option<StoredSpan<'a>>, WireError> {
        while !self.heads.is_empty() {
            let head = self.heads.varint()?;
            if head == 0 {
                let lengths = (self.heads.varint()?, self.heads.varint()?);
                self.resource_header = self.text(lengths.0)?;
                self.scope_header = self.text(lengths.1)?;
                self.run += 1;
                continue;
            }
            let trace = u32::try_from(head - 1).map_err(|_| WireError::BadVarint)?;
            let length = self.heads.varint()?;
            let begins = length & BEGINS != 0;
            let apart = self.apart(match length & (BEGINS - 1) {
                WHOLE => 0,
                ROOT => usual::ROOT_LEN,
                _ => usual::CHILD_LEN,
            })?;
            let text = self.text(length >> FORM_BITS)?;
            let Self { run, resource_header, scope_header, base_ns, .. } = *self;
            return Ok(Some(StoredSpan { trace, begins, run, resource_header, scope_header, apart, base_ns, text }));
        }
        Ok(None)
    }

    fn apart(&mut self, length: usize) -> Result<&'a [u8], WireError> {
        let (apart, rest) = self.heads.rest().split_at_checked(length).ok_or(WireError::PastTheEnd)?;
        self.heads = Reader::new(rest);
        Ok(apart)
    }

    fn text(&mut self, length: u64) -> Result<&'a [u8], WireError> {
        let length = usize::try_from(length).map_err(|_| WireError::PastTheEnd)?;
        let (text, rest) = self.texts.split_at_checked(length).ok_or(WireError::PastTheEnd)?;
        self.texts = rest;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: TraceId = TraceId(*b"0123456789abcdef");

    /// Trace, whether a piece begins, run, resource header, scope header and body of a span.
    type Read = (u32, bool, u32, Vec<u8>, Vec<u8>, Vec<u8>);

    fn read(block: &Block) -> Vec<Read> {
        let mut scratch = Vec::new();
        let mut records = block.open(&mut scratch).unwrap();
        let mut spans = Vec::new();
        while let Some(span) = records.next_span().unwrap() {
            let body = span.with_parts(ID, |parts| parts.concat());
            spans.push((
                span.trace,
                span.begins,
                span.run,
                span.resource_header.to_vec(),
                span.scope_header.to_vec(),
                body,
            ));
        }
        spans
    }

    /// A span as SDKs send it.
    fn usual(span_id: &[u8], parent_id: &[u8], start_ns: u64, end_ns: u64) -> Vec<u8> {
        let parent = if parent_id.is_empty() { Vec::new() } else { [b"\x22\x08", parent_id].concat() };
        let times = [&[0x39], &start_ns.to_le_bytes()[..], &[0x41], &end_ns.to_le_bytes()].concat();
        [b"\x0a\x10", &ID.0[..], b"\x12\x08", span_id, &parent, b"\x2a\x04name\x30\x02", &times, b"\x4a\x02kv"].concat()
    }

    #[test]
    fn spans_come_back_in_order_with_their_run() {
        let root = usual(b"rootroot", b"", 1_700_000_000_000_000_000, 1_700_000_000_000_000_001);
        let child = usual(b"childid1", b"rootroot", 1_699_999_999_999_999_999, u64::MAX);
        let mut open = OpenBlock::default();
        open.run(b"r1", b"s1");
        open.push(0, ID, &root, true);
        open.run(b"r1", b"s1");
        open.push(300, ID, b"\x0a\x10another trace's ID", true);
        open.push(7, ID, &child, false);
        open.run(b"r1", b"");
        open.push(0, ID, b"", true);
        let mut block = open.close();
        let expected = vec![
            (0, true, 1, b"r1".to_vec(), b"s1".to_vec(), root),
            (300, true, 1, b"r1".to_vec(), b"s1".to_vec(), b"\x0a\x10another trace's ID".to_vec()),
            (7, false, 1, b"r1".to_vec(), b"s1".to_vec(), child),
            (0, true, 2, b"r1".to_vec(), vec![], vec![]),
        ];
        assert_eq!(read(&block), expected);

        let Texts::Raw(raw) = &block.texts else { panic!("a closed block begins raw") };
        block.texts = Texts::Lz4(pack(raw, &mut Vec::new()).unwrap());
        assert_eq!(read(&block), expected);
        assert!(block.unpack() && !block.unpack());
        assert_eq!(read(&block), expected);
        assert!(open.is_empty());

        let mut scratch = Vec::new();
        let mut records = block.open(&mut scratch).unwrap();
        while let Some(span) = records.next_span().unwrap() {
            open.run(span.resource_header, span.scope_header);
            open.push_stored(span.trace, ID, &span);
        }
        assert_eq!(read(&open.close()), expected);
    }
}
