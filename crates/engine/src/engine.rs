//! The engine: all shards, and the way in.

use crate::{
    block,
    books::Books,
    due::{Due, Haste},
    settings::Settings,
    shard::{Closed, Hashed, Incoming, Shard},
    token::Token,
};
use foldhash::quality::FixedState;
use otlp::{TraceId, scan::Scan};
use parking_lot::Mutex;
use policy::{Now, PolicySet};
use std::{
    hash::{BuildHasher, Hasher},
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
};

/// Traces waiting for a verdict, over all shards.
#[derive(Debug)]
pub struct Engine {
    pub(crate) shards: Box<[Mutex<Shard>]>,
    pub(crate) policies: Arc<PolicySet>,
    settings: Settings,
    slot_ns: u64,
    position: FixedState,
    tag: FixedState,
    pieces: AtomicU32,
    /// Bytes held, a figure a shard, as of its last change.
    held: Box<[AtomicUsize]>,
    /// Bytes of slots that are being decided.
    deciding: Arc<AtomicUsize>,
    /// Traces waiting, a figure a shard, as of its last change.
    waiting: Box<[AtomicU64]>,
}

/// The bytes held are added up once in this many calls, and whenever a block was closed.
const PUBLISH_CALLS: u32 = 16;

/// A request being taken in.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The request, an ExportTraceServiceRequest.
    pub(crate) body: &'a [u8],
    /// What the scanner found in it.
    pub(crate) scan: &'a Scan,
    /// Where it came from.
    pub(crate) token: &'a Token,
    /// Number of its first piece.
    pub(crate) piece: u32,
}

/// Buffers that a call needs, reused from call to call.
#[derive(Debug, Default)]
pub struct Scratch {
    spans: Vec<Vec<Hashed>>,
    packed: Vec<u8>,
}

impl Scratch {
    pub(crate) fn packed(&mut self) -> &mut Vec<u8> {
        &mut self.packed
    }
}

impl Engine {
    /// An engine that waits and remembers as `settings` say and decides by `policies`.
    #[must_use]
    pub fn new(settings: &Settings, policies: Arc<PolicySet>) -> Self {
        let count = settings.shards.max(1).next_power_of_two();
        let settings = Settings { shards: count, ..settings.clone() };
        let position = FixedState::with_seed(settings.seed);
        Self {
            shards: (0..count).map(|_| Mutex::new(Shard::new(&settings, &policies, position.clone()))).collect(),
            slot_ns: u64::try_from(settings.slot_length().as_nanos()).unwrap_or(u64::MAX),
            position,
            tag: FixedState::with_seed(settings.seed.rotate_left(32) ^ 0x9e37_79b9_7f4a_7c15),
            pieces: AtomicU32::new(0),
            deciding: Arc::default(),
            held: (0..count).map(|_| AtomicUsize::new(0)).collect(),
            waiting: (0..count).map(|_| AtomicU64::new(0)).collect(),
            policies,
            settings,
        }
    }

    /// Takes in a part of a scanned request: the spans whose indices are in `spans`. A large request is given in several
    /// parts so that no shard is held long and the caller can yield in between; see [`Engine::is_by_piece`].
    /// Gives how many pieces the policies were asked about.
    pub fn ingest(&self, arrival: &Arrival<'_>, spans: Range<usize>, now: Now, scratch: &mut Scratch) -> u32 {
        self.sort_by_shard(arrival.scan, spans, scratch);
        let incoming = Incoming { arrival, policies: &self.policies, tag: &self.tag, now };
        let mut closed = Vec::new();
        let mut pieces = 0;
        for (index, shard) in self.shards.iter().enumerate() {
            let Some(spans) = scratch.spans.get_mut(index).filter(|spans| !spans.is_empty()) else { continue };
            let mut shard = shard.lock();
            pieces += shard.take_in(&incoming, spans, &mut closed);
            self.waiting[index].store(shard.books.traces_waiting, Ordering::Relaxed);
            // Adding up all slots costs more than taking in a small request; a few requests late is soon enough.
            if !closed.is_empty() || shard.calls % PUBLISH_CALLS == 0 {
                self.publish(index, &shard);
            }
            drop(shard);
            self.pack(index, &mut closed, &mut scratch.packed);
        }
        pieces
    }

    /// Begins to take in a request that has been scanned: numbers its pieces.
    #[must_use]
    pub fn begin<'a>(&self, body: &'a [u8], scan: &'a Scan, token: &'a Token) -> Arrival<'a> {
        // Two numbers more than there are, so that no piece is taken for the last one of the request before.
        let count = u32::try_from(scan.resources.len()).unwrap_or(u32::MAX);
        let piece = self.pieces.fetch_add(count.wrapping_add(2), Ordering::Relaxed);
        Arrival { body, scan, token, piece }
    }

    /// Whether policies are asked at the end of each piece. A part of a request must then end where a ResourceSpans ends.
    #[must_use]
    pub fn is_by_piece(&self) -> bool {
        self.policies.is_span_ingest()
    }

    /// Closes idle blocks and lets the decided memory forget what is too old; to be called once a slot.
    pub fn tidy(&self, now_ns: u64, scratch: &mut Scratch) {
        let mut closed = Vec::new();
        for (index, shard) in self.shards.iter().enumerate() {
            let mut shard = shard.lock();
            shard.tidy(now_ns, &mut closed);
            self.publish(index, &shard);
            drop(shard);
            self.pack(index, &mut closed, &mut scratch.packed);
        }
    }

    /// Takes out the oldest slot whose time has come, over all shards; nothing if none has.
    #[must_use]
    pub fn take_due(&self, now_ns: u64) -> Option<Due> {
        let number = now_ns / self.slot_ns;
        let oldest = self.oldest().filter(|oldest| *oldest < number)?;
        Some(self.take(oldest, Some(now_ns), Haste::None))
    }

    /// Takes out the oldest slot before its time, because memory or `num_traces` ran out.
    #[must_use]
    pub fn take_early(&self) -> Option<Due> {
        self.oldest().map(|oldest| self.take(oldest, None, Haste::Early))
    }

    /// Takes out the oldest slot of all that is left, at shutdown: to be decided, or dropped if the settings say so.
    #[must_use]
    pub fn take_rest(&self) -> Option<Due> {
        self.oldest().map(|oldest| self.take(oldest, None, Haste::Last))
    }

    /// When the next slot falls due, at the latest, in monotonic nanoseconds.
    #[must_use]
    pub fn next_due_ns(&self, now_ns: u64) -> u64 {
        (now_ns / self.slot_ns + 1) * self.slot_ns
    }

    /// Whether more traces wait than `num_traces` allows and the oldest are to be decided early.
    #[must_use]
    pub fn is_over_traces_max(&self) -> bool {
        !self.settings.block_on_overflow && self.settings.traces_max.is_some_and(|max| self.traces_waiting() > max)
    }

    /// Whether the intake may bring more: not at `num_traces` with `block_on_overflow`. Requests that ask at the same
    /// moment may all be told yes, so what waits can exceed the number by what is in flight.
    #[must_use]
    pub fn has_room(&self) -> bool {
        !self.settings.block_on_overflow
            || self.settings.traces_max.is_none_or(|max| self.traces_waiting() < max.max(1))
    }

    /// Bytes held by blocks, tables and the decided memory.
    #[must_use]
    pub fn bytes_held(&self) -> usize {
        let waiting: usize = self.held.iter().map(|held| held.load(Ordering::Relaxed)).sum();
        waiting + self.deciding.load(Ordering::Relaxed)
    }

    /// Traces that wait for a verdict.
    #[must_use]
    pub fn traces_waiting(&self) -> u64 {
        self.waiting.iter().map(|waiting| waiting.load(Ordering::Relaxed)).sum()
    }

    /// The books: the identity holds for each shard under its lock, and so for their sum.
    #[must_use]
    pub fn books(&self) -> Books {
        let mut books = Books::default();
        self.shards.iter().for_each(|shard| books.add(&shard.lock().snapshot()));
        books.bytes_held += self.deciding.load(Ordering::Relaxed) as u64;
        books
    }

    /// The policies that decide.
    #[must_use]
    pub fn policies(&self) -> &PolicySet {
        &self.policies
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Publishes a shard's figures that are read without its lock.
    pub(crate) fn publish(&self, index: usize, shard: &Shard) {
        self.held[index].store(shard.bytes(), Ordering::Relaxed);
        self.waiting[index].store(shard.books.traces_waiting, Ordering::Relaxed);
    }

    /// Compresses blocks outside the lock and puts them back.
    pub(crate) fn pack(&self, index: usize, closed: &mut Vec<Closed>, scratch: &mut Vec<u8>) {
        for closed in closed.drain(..) {
            if let Some(packed) = block::pack(&closed.raw, scratch) {
                let mut shard = self.shards[index].lock();
                shard.store_packed(&closed, packed);
                self.publish(index, &shard);
            }
        }
    }

    /// The hash of a trace ID that chooses its shard and finds it there.
    pub(crate) fn position_of(&self, id: TraceId) -> u64 {
        hash_of(&self.position, id)
    }

    /// The second hash of a trace ID, for the decided memory.
    pub(crate) fn tag_of(&self, id: TraceId) -> u64 {
        hash_of(&self.tag, id)
    }

    fn sort_by_shard(&self, scan: &Scan, spans: Range<usize>, scratch: &mut Scratch) {
        scratch.spans.resize_with(self.shards.len(), Vec::new);
        scratch.spans.iter_mut().for_each(Vec::clear);
        let mask = self.shards.len() - 1;
        for index in spans {
            let Some(span) = scan.spans.get(index) else { break };
            let hash = hash_of(&self.position, span.trace_id);
            scratch.spans[(hash >> 32) as usize & mask].push(Hashed { span: index as u32, hash, place: None, tag: 0 });
        }
    }

    fn oldest(&self) -> Option<u64> {
        self.shards.iter().filter_map(|shard| shard.lock().oldest()).min()
    }

    fn take(&self, number: u64, carry_ns: Option<u64>, haste: Haste) -> Due {
        let mut due = Due::new(haste, Arc::clone(&self.deciding));
        for (index, shard) in self.shards.iter().enumerate() {
            let mut shard = shard.lock();
            if let Some(detached) = shard.detach_below(number + 1, carry_ns) {
                due.add(index, detached);
            }
            self.publish(index, &shard);
        }
        due
    }
}

/// A keyed hash of a trace ID.
pub(crate) fn hash_of(state: &FixedState, id: TraceId) -> u64 {
    let mut hasher = state.build_hasher();
    hasher.write_u128(u128::from_le_bytes(id.0));
    hasher.finish()
}
