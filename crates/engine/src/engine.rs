//! The engine: all shards, and the way in.

mod reload;

pub(crate) use reload::Judge;

use crate::{
    block,
    books::Books,
    due::{Due, Haste},
    regime::{Regime, Regimes, Turn},
    settings::Settings,
    shard::{Closed, Hashed, Incoming, Shard},
    token::Token,
};
use foldhash::quality::FixedState;
use otlp::{Keys, TraceId, scan::Scan};
use parking_lot::Mutex;
use policy::{Now, PolicySet};
use reload::Force;
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
    force: Force,
    /// Held while settings and policies are replaced.
    reloading: Mutex<()>,
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
#[derive(Debug)]
pub struct Arrival<'a> {
    /// The request, an ExportTraceServiceRequest.
    pub(crate) body: &'a [u8],
    /// What the scanner found in it.
    pub(crate) scan: &'a Scan,
    /// Where it came from.
    pub(crate) token: &'a Token,
    /// Number of its first piece.
    pub(crate) piece: u32,
    /// What the scanner found with other keys, if policies came in between that read more.
    again: Mutex<Option<Arc<Scan>>>,
}

impl Arrival<'_> {
    /// The request scanned with these keys.
    fn scanned_with(&self, keys: &Arc<Keys>) -> Arc<Scan> {
        let mut again = self.again.lock();
        match &*again {
            Some(scan) if scan.keys().extends(keys) => Arc::clone(scan),
            _ => {
                let mut scan = Scan::new(Arc::clone(keys));
                // It went well before, and keys only say what is reported.
                let scanned = scan.run(self.body);
                debug_assert!(scanned.is_ok() && scan.spans.len() == self.scan.spans.len());
                Arc::clone(again.insert(Arc::new(scan)))
            }
        }
    }
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
        let regimes = Regimes::new(Regime::new(0, &settings, policies));
        let shard = || Mutex::new(Shard::new(&settings, regimes.clone(), position.clone()));
        Self {
            shards: (0..count).map(|_| shard()).collect(),
            position,
            tag: FixedState::with_seed(settings.seed.rotate_left(32) ^ 0x9e37_79b9_7f4a_7c15),
            pieces: AtomicU32::new(0),
            deciding: Arc::default(),
            held: (0..count).map(|_| AtomicUsize::new(0)).collect(),
            waiting: (0..count).map(|_| AtomicU64::new(0)).collect(),
            force: Force::new(settings, regimes),
            reloading: Mutex::new(()),
        }
    }

    /// Takes in a part of a scanned request: the spans whose indices are in `spans`. A large request is given in several
    /// parts so that no shard is held long and the caller can yield in between; see [`Engine::is_by_piece`].
    /// Gives how many pieces the policies were asked about.
    pub fn ingest(&self, arrival: &Arrival<'_>, spans: Range<usize>, now: Now, scratch: &mut Scratch) -> u32 {
        let cut = cut_at(arrival.scan, spans.start);
        self.sort_by_shard(arrival.scan, spans, scratch);
        let mut again: Option<Arc<Scan>> = None;
        let mut closed = Vec::new();
        let mut pieces = 0;
        for index in 0..self.shards.len() {
            let Some(spans) = scratch.spans.get_mut(index).filter(|spans| !spans.is_empty()) else { continue };
            let mut shard = self.shards[index].lock();
            // New policies may have come since the request was scanned, and may come while it is scanned again.
            while !shard.regimes.are_served_by(again.as_deref().unwrap_or(arrival.scan).keys()) {
                let keys = Arc::clone(shard.regimes.keys());
                drop(shard);
                again = Some(arrival.scanned_with(&keys));
                shard = self.shards[index].lock();
            }
            let scan = again.as_deref().unwrap_or(arrival.scan);
            let incoming = Incoming { arrival, scan, cut, tag: &self.tag, now };
            pieces += shard.take_in(&incoming, spans, &mut closed);
            self.waiting[index].store(shard.books.traces_waiting, Ordering::Relaxed);
            // Adding up all slots costs more than taking in a small request; a few requests late is soon enough.
            if !closed.is_empty() || shard.calls.is_multiple_of(PUBLISH_CALLS) {
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
        Arrival { body, scan, token, piece, again: Mutex::new(None) }
    }

    /// Closes idle blocks, lets the decided memory forget what is too old, and lets go of policies that nothing waits for; to
    /// be called once a slot.
    pub fn tidy(&self, now_ns: u64, scratch: &mut Scratch) {
        let mut closed = Vec::new();
        for (index, shard) in self.shards.iter().enumerate() {
            let mut shard = shard.lock();
            shard.tidy(now_ns, &mut closed);
            self.publish(index, &shard);
            drop(shard);
            self.pack(index, &mut closed, &mut scratch.packed);
        }
        self.forget_before();
    }

    /// Takes out the oldest slot whose time has come, over all shards; nothing if none has.
    #[must_use]
    pub fn take_due(&self, now_ns: u64) -> Option<Due> {
        let oldest = self.oldest().filter(|oldest| oldest.due_ns <= now_ns)?;
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

    /// Whether more traces wait than `num_traces` allows and the oldest are to be decided early.
    #[must_use]
    pub fn is_over_traces_max(&self) -> bool {
        self.force.traces_max().is_some_and(|(max, blocks)| !blocks && self.traces_waiting() > max)
    }

    /// Whether the intake may bring more: not at `num_traces` with `block_on_overflow`. Requests that ask at the same
    /// moment may all be told yes, so what waits can exceed the number by what is in flight.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.force.traces_max().is_none_or(|(max, blocks)| !blocks || self.traces_waiting() < max.max(1))
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

    fn oldest(&self) -> Option<Turn> {
        self.shards.iter().filter_map(|shard| shard.lock().oldest()).min()
    }

    fn take(&self, turn: Turn, carry_ns: Option<u64>, haste: Haste) -> Due {
        let mut due = Due::new(turn.regime, haste, Arc::clone(&self.deciding));
        for (index, shard) in self.shards.iter().enumerate() {
            let mut shard = shard.lock();
            if let Some(detached) = shard.detach(turn, carry_ns) {
                due.add(index, detached);
            }
            self.publish(index, &shard);
        }
        due
    }
}

/// The ResourceSpans within which the part of a request before the span `from` ended.
fn cut_at(scan: &Scan, from: usize) -> Option<u32> {
    let resource_of = |span: usize| {
        let group = scan.spans.get(span).map(|span| span.group)?;
        scan.groups.get(group as usize).map(|group| group.resource)
    };
    let here = resource_of(from)?;
    (resource_of(from.checked_sub(1)?) == Some(here)).then_some(here)
}

/// A keyed hash of a trace ID.
pub(crate) fn hash_of(state: &FixedState, id: TraceId) -> u64 {
    let mut hasher = state.build_hasher();
    hasher.write_u128(u128::from_le_bytes(id.0));
    hasher.finish()
}
