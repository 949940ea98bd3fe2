//! One shard: the table, the slots, the decided memory and the books, under one lock because they change together.

mod detach;
mod seat;
mod store;

pub(crate) use detach::{Detached, Older};

use crate::{
    books::{Books, DropReason},
    decided::{Decided, Most, Remembered},
    engine::{Arrival, hash_of},
    regime::{Regimes, Terms, Turn},
    settings::Settings,
    slot::{Slot, Standing, Trace},
    table::{Place, Table},
};
use foldhash::quality::FixedState;
use otlp::{
    TraceId,
    scan::{Scan, Span},
};
use policy::Now;
use std::{collections::BTreeMap, sync::Arc};

/// An open block that nobody has touched for this long is closed and compressed.
const IDLE_NS: u64 = SECOND_NS;
pub(crate) const SECOND_NS: u64 = 1_000_000_000;

/// The state of one shard.
#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) table: Table,
    pub(crate) decided: Decided,
    pub(crate) books: Books,
    seats: Vec<Seat>,
    free: Vec<u32>,
    by_turn: BTreeMap<Turn, u32>,
    pub(crate) regimes: Regimes,
    /// How often spans were taken in, wrapping.
    pub(crate) calls: u32,
    /// How many traces the last slot held: what the next one makes room for.
    expected: usize,
    /// The hash that chooses shards and finds traces.
    position: FixedState,
    /// Whether roots may shorten waits.
    waits_for_roots: bool,
    /// Whether policies are asked of pieces.
    asks_pieces: bool,
    /// The pieces of the ResourceSpans at hand, in order of first touch; only filled where policies are asked of them.
    touched: Vec<Touched>,
    /// Trace and piece of the late span before.
    late_before: (u64, u32),
}

/// A piece that has begun.
#[derive(Clone, Copy, Debug)]
struct Touched {
    hash: u64,
    id: TraceId,
    /// The number of its first span in the trace.
    first: u32,
}

/// A place for a slot. Entries of the table point to seats; one is free again once none does.
#[derive(Debug)]
enum Seat {
    Free,
    Live(Box<Slot>),
    /// The slot is being decided elsewhere; its traces are still in the table.
    Deciding(Arc<Vec<Trace>>),
}

/// What one call brings to a shard.
pub(crate) struct Incoming<'a> {
    pub(crate) arrival: &'a Arrival<'a>,
    /// What the scanner found in the request, with keys that serve the policies.
    pub(crate) scan: &'a Scan,
    /// The ResourceSpans within which the part before this one ended.
    pub(crate) cut: Option<u32>,
    /// The second hash of trace IDs, for the decided memory.
    pub(crate) tag: &'a FixedState,
    pub(crate) now: Now,
}

/// A span of the scan with the hash of its trace ID, and where its trace probably is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hashed {
    pub(crate) span: u32,
    pub(crate) hash: u64,
    pub(crate) place: Option<Place>,
    /// The second hash, for the decided memory; there only if the trace was not found waiting.
    pub(crate) tag: u64,
}

/// A block that was closed under the lock and wants to be compressed outside of it.
pub(crate) struct Closed {
    pub(crate) seat: u32,
    pub(crate) turn: Turn,
    pub(crate) index: usize,
    pub(crate) raw: Arc<Vec<u8>>,
}

impl Shard {
    pub(crate) fn new(settings: &Settings, regimes: Regimes, position: FixedState) -> Self {
        let (bytes_max, most) = decided_share(settings);
        Self {
            table: Table::new(),
            decided: Decided::new(settings.decided_hold(), bytes_max, most),
            books: Books::default(),
            seats: Vec::new(),
            free: Vec::new(),
            by_turn: BTreeMap::new(),
            calls: 0,
            expected: 0,
            position,
            waits_for_roots: regimes.wait_for_roots(),
            asks_pieces: regimes.ask_pieces(),
            regimes,
            touched: Vec::new(),
            late_before: (0, 0),
        }
    }

    /// Goes on under other regimes. Traces stay where they are.
    pub(crate) fn reload(&mut self, settings: &Settings, regimes: Regimes, now_ns: u64) {
        // With many reloads, each regime's slots hold few.
        self.expected = 0;
        // Traces of older regimes may wait for a root still; asking their slots costs little.
        self.waits_for_roots |= regimes.wait_for_roots();
        self.asks_pieces = regimes.ask_pieces();
        self.regimes = regimes;
        let (bytes_max, most) = decided_share(settings);
        self.decided.change(settings.decided_hold(), bytes_max, most, now_ns);
    }

    /// Takes in the given spans of a request, in their order. Gives how many pieces the policies were asked about.
    pub(crate) fn take_in(&mut self, incoming: &Incoming<'_>, spans: &mut [Hashed], closed: &mut Vec<Closed>) -> u32 {
        self.calls = self.calls.wrapping_add(1);
        self.look_ahead(incoming, spans);
        let mut run = None;
        let mut resource = u32::MAX;
        let mut pieces = 0;
        for hashed in spans {
            let Some(span) = incoming.scan.spans.get(hashed.span as usize) else { continue };
            if self.asks_pieces {
                pieces += self.end_pieces_before(incoming, span, &mut resource);
            }
            self.books.accepted += 1;
            let place = match hashed.place {
                Some(place) if self.is_waiting_at(place, span) => Some(place),
                _ => self.place(incoming, span, hashed),
            };
            let Some(mut place) = place else {
                self.sample_out_late(incoming, span, hashed);
                continue;
            };
            if span.is_root && self.waits_for_roots {
                place = self.root_came(place, hashed.hash, incoming.now.mono_ns);
            }
            self.store(incoming, span, hashed.hash, place, &mut run, closed);
        }
        if self.asks_pieces {
            pieces += self.end_pieces(incoming);
        }
        pieces
    }

    /// Reads, for all spans of a request, what each will need. Traces lie scattered over tens of megabytes; these reads
    /// depend on nothing, so the processor waits for many of them at once, where span by span it would wait for each.
    fn look_ahead(&self, incoming: &Incoming<'_>, spans: &mut [Hashed]) {
        for hashed in spans.iter_mut() {
            hashed.place = self.table.probe(hashed.hash);
        }
        let mut touched = 0;
        for hashed in spans {
            match hashed.place.map(|place| (place, self.seats.get(place.seat as usize))) {
                Some((place, Some(Seat::Live(slot)))) => touched ^= slot.touch(place.index),
                Some(_) => {}
                None => {
                    let Some(span) = incoming.scan.spans.get(hashed.span as usize) else { continue };
                    hashed.tag = hash_of(incoming.tag, span.trace_id);
                    touched ^= self.decided.touch(hashed.hash, hashed.tag);
                }
            }
        }
        std::hint::black_box(touched);
    }

    fn is_waiting_at(&self, place: Place, span: &Span) -> bool {
        let seat = &self.seats[place.seat as usize];
        matches!(seat, Seat::Live(_)) && seat.holds(place.index, span.trace_id)
    }

    /// Where a span's trace waits; nothing if the trace was decided and is not kept.
    fn place(&mut self, incoming: &Incoming<'_>, span: &Span, hashed: &Hashed) -> Option<Place> {
        let hash = hashed.hash;
        let seats = &self.seats;
        let found = self.table.find(hash, |place| seats[place.seat as usize].holds(place.index, span.trace_id));
        match found {
            Some(place) if matches!(self.seats[place.seat as usize], Seat::Live(_)) => Some(place),
            // The verdict is being reached right now: wait beside it, and follow it.
            Some(place) => {
                let to = self.begin_trace(incoming, hashed.span, span.trace_id, true);
                self.table.replace(hash, place, to);
                Some(to)
            }
            None => {
                // It was not found before either, so the tag is there, unless another trace has the same hash.
                let tag = if hashed.place.is_none() { hashed.tag } else { hash_of(incoming.tag, span.trace_id) };
                match self.decided.recall(hash, tag, incoming.now.mono_ns) {
                    Some(Remembered::SampledOut) => None,
                    remembered => {
                        let to = self.begin_trace(incoming, hashed.span, span.trace_id, remembered.is_some());
                        self.table.insert(hash, to);
                        Some(to)
                    }
                }
            }
        }
    }

    /// `ordinal` is that of the trace's first span in the request.
    fn begin_trace(&mut self, incoming: &Incoming<'_>, ordinal: u32, id: TraceId, follows: bool) -> Place {
        let now_ns = incoming.now.mono_ns;
        let terms = self.regimes.newest().terms;
        if !follows {
            self.books.traces_seen += 1;
        }
        self.books.traces_waiting += 1;
        let trace = Trace {
            id,
            // Traces of one request came in the order of its spans, whichever shards they are in.
            first_seen_ns: now_ns.saturating_add(u64::from(ordinal)),
            due_ns: if follows { now_ns } else { now_ns.saturating_add(terms.wait_ns) },
            bytes: 0,
            spans: 0,
            piece: incoming.arrival.piece.wrapping_sub(1),
            standing: if follows { Standing::Follows } else { Standing::Waiting },
            has_root: false,
            is_early: false,
        };
        let wait_ns = if follows { 0 } else { terms.short_wait_ns };
        self.seat_trace(trace, &terms, now_ns.saturating_add(wait_ns))
    }

    /// Puts a trace into the slot for what is due at this time under these terms.
    fn seat_trace(&mut self, trace: Trace, terms: &Terms, due_ns: u64) -> Place {
        let seat = self.seat(terms, terms.turn(due_ns));
        let Seat::Live(slot) = &mut self.seats[seat as usize] else { unreachable!("BUG: a seat with a turn is live") };
        Place { seat, index: slot.add_trace(trace) }
    }

    /// A late span of a trace that was not kept.
    fn sample_out_late(&mut self, incoming: &Incoming<'_>, span: &Span, hashed: &Hashed) {
        self.books.sampled_out += 1;
        self.books.late_sampled_out += 1;
        let resource = incoming.scan.groups.get(span.group as usize).map_or(0, |group| group.resource);
        let piece = incoming.arrival.piece.wrapping_add(resource);
        if self.late_before != (hashed.hash, piece) {
            self.late_before = (hashed.hash, piece);
            self.record_late_age(incoming, hashed.hash, span.trace_id);
        }
    }

    fn record_late_age(&mut self, incoming: &Incoming<'_>, hash: u64, id: TraceId) {
        let tag = hash_of(incoming.tag, id);
        if let Some(age_ns) = self.decided.age_ns(hash, tag, incoming.now.mono_ns) {
            self.books.late_age.record(age_ns / SECOND_NS);
        }
    }

    /// The seat of the slot with this turn, made if there is none.
    fn seat(&mut self, terms: &Terms, turn: Turn) -> u32 {
        if let Some(&seat) = self.by_turn.get(&turn) {
            return seat;
        }
        let slot = Seat::Live(Box::new(Slot::new(turn, *terms, self.expected)));
        let seat = if let Some(seat) = self.free.pop() {
            self.seats[seat as usize] = slot;
            seat
        } else {
            self.seats.push(slot);
            u32::try_from(self.seats.len() - 1).expect("there are far fewer than 2³² slots")
        };
        self.by_turn.insert(turn, seat);
        seat
    }

    /// Puts compressed bytes in the place of raw ones, if the slot is still waiting.
    pub(crate) fn store_packed(&mut self, closed: &Closed, packed: Arc<[u8]>) {
        if let Some(Seat::Live(slot)) = self.seats.get_mut(closed.seat as usize)
            && slot.turn == closed.turn
        {
            slot.store_packed(closed.index, packed);
        }
    }

    /// Closes blocks that nobody adds to any more, frees those that nobody will read, and lets the decided memory forget.
    pub(crate) fn tidy(&mut self, now_ns: u64, closed: &mut Vec<Closed>) {
        for (&turn, &seat) in &self.by_turn {
            let Seat::Live(slot) = &mut self.seats[seat as usize] else { continue };
            slot.free_gone();
            if slot.touched_ns.saturating_add(IDLE_NS) < now_ns {
                for (index, raw) in [slot.close_carried(), slot.close_block()].into_iter().flatten() {
                    self.books.blocks += 1;
                    closed.push(Closed { seat, turn, index, raw });
                }
            }
        }
        self.decided.sweep(now_ns);
        let before = self.regimes.before().map(|before| before.terms.regime);
        if before.is_some_and(|before| !self.holds(before)) {
            self.regimes.forget_before();
            self.asks_pieces = self.regimes.ask_pieces();
        }
    }

    /// Whether traces wait that began under this regime.
    pub(crate) fn holds(&self, regime: u32) -> bool {
        self.by_turn.keys().any(|turn| turn.regime == regime)
    }

    /// Turn of the oldest slot that waits.
    pub(crate) fn oldest(&self) -> Option<Turn> {
        self.by_turn.keys().next().copied()
    }

    /// Bytes of memory behind everything that waits or is remembered.
    pub(crate) fn bytes(&self) -> usize {
        self.live().map(Slot::bytes).sum::<usize>() + self.table.bytes() + self.decided.bytes()
    }

    /// The books with the gauges filled in.
    pub(crate) fn snapshot(&self) -> Books {
        Books {
            forgotten_early: self.decided.forgotten_early(),
            remembered: self.decided.len() as u64,
            bytes_held: self.bytes() as u64,
            bytes_blocks: self.live().map(Slot::bytes_blocks).sum::<usize>() as u64,
            ..self.books
        }
    }

    fn live(&self) -> impl Iterator<Item = &Slot> {
        self.by_turn.values().filter_map(|seat| match &self.seats[*seat as usize] {
            Seat::Live(slot) => Some(&**slot),
            Seat::Free | Seat::Deciding(_) => None,
        })
    }
}

/// A shard's part of what the decided memory may take and hold.
fn decided_share(settings: &Settings) -> (usize, Most) {
    let shards = settings.shards.max(1);
    let share = |most: usize| most.div_ceil(shards);
    let Most { kept, sampled_out } = settings.decided_most;
    (settings.decided_bytes_max / shards, Most { kept: kept.map(share), sampled_out: sampled_out.map(share) })
}

impl Seat {
    /// Whether this trace is here, waiting or being decided.
    fn holds(&self, index: u32, id: TraceId) -> bool {
        let trace = match self {
            Self::Free => None,
            Self::Live(slot) => slot.traces.get(index as usize),
            Self::Deciding(traces) => traces.get(index as usize),
        };
        trace.is_some_and(|trace| trace.id == id && trace.standing.is_here())
    }
}
