//! One shard: the table, the slots, the decided memory and the books, under one lock because they change together.

use crate::{
    books::Books,
    decided::{Decided, Remembered},
    engine::{Arrival, hash_of},
    settings::Settings,
    slot::{Slot, Trace},
    table::{Place, Table},
    token::Token,
};
use foldhash::quality::FixedState;
use otlp::scan::Span;
use policy::{Now, Piece, PolicySet};
use std::{collections::BTreeMap, sync::Arc};

/// An open block that nobody has touched for this long is closed and compressed.
const IDLE_NS: u64 = 1_000_000_000;

/// The state of one shard.
#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) table: Table,
    pub(crate) decided: Decided,
    pub(crate) books: Books,
    seats: Vec<Seat>,
    free: Vec<u32>,
    by_number: BTreeMap<u64, u32>,
    /// How often spans were taken in, wrapping.
    pub(crate) calls: u32,
    /// How many traces the last slot held: what the next one makes room for.
    expected: usize,
    words: usize,
    /// The hash that chooses shards and finds traces.
    position: FixedState,
    slot_ns: u64,
    wait_ns: u64,
    after_root_ns: Option<u64>,
    short_wait_ns: u64,
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
    pub(crate) policies: &'a PolicySet,
    /// The second hash of trace IDs, for the decided memory.
    pub(crate) tag: &'a FixedState,
    pub(crate) now_ns: u64,
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
    pub(crate) number: u64,
    pub(crate) index: usize,
    pub(crate) raw: Arc<Vec<u8>>,
}

/// A slot taken out to be decided.
#[derive(Debug)]
pub(crate) struct Detached {
    pub(crate) seat: u32,
    pub(crate) traces: Arc<Vec<Trace>>,
    pub(crate) states: Vec<u32>,
    pub(crate) blocks: Vec<crate::block::Block>,
    pub(crate) tokens: Vec<Token>,
    /// Memory behind all of it.
    pub(crate) bytes: usize,
    /// Traces that are not ready: (index here, where they wait now).
    pub(crate) carried: Vec<(u32, Place)>,
}

impl Shard {
    pub(crate) fn new(settings: &Settings, words: usize, position: FixedState) -> Self {
        let ns = |duration: std::time::Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX / 4);
        Self {
            table: Table::new(),
            decided: Decided::new(settings.decided_hold(), settings.decided_bytes_max / settings.shards.max(1)),
            books: Books::default(),
            seats: Vec::new(),
            free: Vec::new(),
            by_number: BTreeMap::new(),
            calls: 0,
            expected: 0,
            words,
            position,
            slot_ns: ns(settings.slot_length()),
            wait_ns: ns(settings.decision_wait),
            after_root_ns: settings.after_root.map(ns),
            short_wait_ns: ns(settings.shortest_wait()),
        }
    }

    /// Takes in the given spans of a request, in their order.
    pub(crate) fn take_in(&mut self, incoming: &Incoming<'_>, spans: &mut [Hashed], closed: &mut Vec<Closed>) {
        self.calls = self.calls.wrapping_add(1);
        self.look_ahead(incoming, spans);
        let mut run = None;
        for hashed in spans {
            let Some(span) = incoming.arrival.scan.spans.get(hashed.span as usize) else { continue };
            self.books.accepted += 1;
            let place = match hashed.place {
                Some(place) if self.is_waiting_at(place, span) => Some(place),
                _ => self.place(incoming, span, hashed),
            };
            let Some(place) = place else {
                self.books.sampled_out += 1;
                self.books.late_sampled_out += 1;
                continue;
            };
            self.store(incoming, span, place, &mut run, closed);
        }
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
                    let Some(span) = incoming.arrival.scan.spans.get(hashed.span as usize) else { continue };
                    hashed.tag = hash_of(incoming.tag, span.trace_id);
                    touched ^= self.decided.touch(hashed.hash, hashed.tag);
                }
            }
        }
        std::hint::black_box(touched);
    }

    fn is_waiting_at(&self, place: Place, span: &Span) -> bool {
        let seat = &self.seats[place.seat as usize];
        matches!(seat, Seat::Live(_)) && seat.holds(place.index, span)
    }

    /// Where a span's trace waits; nothing if the trace was decided and is not kept.
    fn place(&mut self, incoming: &Incoming<'_>, span: &Span, hashed: &Hashed) -> Option<Place> {
        let hash = hashed.hash;
        let seats = &self.seats;
        let found = self.table.find(hash, |place| seats[place.seat as usize].holds(place.index, span));
        match found {
            Some(place) if matches!(self.seats[place.seat as usize], Seat::Live(_)) => Some(place),
            // The verdict is being reached right now: wait beside it, and follow it.
            Some(place) => {
                let to = self.begin_trace(incoming, span, true);
                self.table.replace(hash, place, to);
                Some(to)
            }
            None => {
                // It was not found before either, so the tag is there, unless another trace has the same hash.
                let tag = if hashed.place.is_none() { hashed.tag } else { hash_of(incoming.tag, span.trace_id) };
                match self.decided.recall(hash, tag, incoming.now_ns) {
                    Some(Remembered::SampledOut) => None,
                    remembered => {
                        let to = self.begin_trace(incoming, span, remembered.is_some());
                        self.table.insert(hash, to);
                        Some(to)
                    }
                }
            }
        }
    }

    fn begin_trace(&mut self, incoming: &Incoming<'_>, span: &Span, follows: bool) -> Place {
        let now_ns = incoming.now_ns;
        if !follows {
            self.books.traces_seen += 1;
        }
        self.books.traces_waiting += 1;
        let trace = Trace {
            id: span.trace_id,
            first_seen_ns: now_ns,
            due_ns: if follows { now_ns } else { now_ns.saturating_add(self.wait_ns) },
            bytes: 0,
            spans: 0,
            piece: incoming.arrival.piece.wrapping_sub(1),
            follows,
            has_root: false,
        };
        let wait_ns = if follows { 0 } else { self.short_wait_ns };
        self.seat_trace(trace, now_ns.saturating_add(wait_ns) / self.slot_ns)
    }

    fn seat_trace(&mut self, trace: Trace, number: u64) -> Place {
        let seat = self.seat(number);
        let Seat::Live(slot) = &mut self.seats[seat as usize] else { unreachable!("BUG: a numbered seat is live") };
        Place { seat, index: slot.add_trace(trace) }
    }

    /// The seat of the slot with this number, made if there is none.
    fn seat(&mut self, number: u64) -> u32 {
        if let Some(&seat) = self.by_number.get(&number) {
            return seat;
        }
        let slot = Seat::Live(Box::new(Slot::new(number, self.words, self.expected)));
        let seat = if let Some(seat) = self.free.pop() {
            self.seats[seat as usize] = slot;
            seat
        } else {
            self.seats.push(slot);
            u32::try_from(self.seats.len() - 1).expect("there are far fewer than 2³² slots")
        };
        self.by_number.insert(number, seat);
        seat
    }

    /// Folds a span into its trace and copies its bytes into the slot's open block.
    fn store(
        &mut self,
        incoming: &Incoming<'_>,
        span: &Span,
        place: Place,
        run: &mut Option<(u32, u32)>,
        closed: &mut Vec<Closed>,
    ) {
        let Seat::Live(slot) = &mut self.seats[place.seat as usize] else { return };
        let Incoming { arrival, policies, now_ns, .. } = *incoming;
        let Arrival { body: request, scan, token, .. } = *arrival;
        let Some(group) = scan.groups.get(span.group as usize) else { return };
        let Some(resource) = scan.resources.get(group.resource as usize) else { return };
        let body = bytes_of(request, span);

        let (trace, state) = slot.trace_mut(place.index);
        let id = trace.id;
        trace.spans = trace.spans.saturating_add(1);
        trace.bytes = trace.bytes.saturating_add(span.body.len);
        if span.is_root
            && !trace.has_root
            && let Some(after_root_ns) = self.after_root_ns
        {
            trace.due_ns = trace.due_ns.min(now_ns.saturating_add(after_root_ns));
        }
        trace.has_root |= span.is_root;
        let piece = incoming.arrival.piece.wrapping_add(group.resource);
        let folded = Piece { request, scan, resource, now: Now { mono_ns: now_ns, wall_ns: 0 } };
        if trace.piece != piece {
            trace.piece = piece;
            policies.fold_resource(state, trace.spans, &folded);
        }
        policies.fold_span(state, trace.spans, &folded, span);

        if *run != Some((place.seat, span.group)) {
            slot.open.run(scan.resource_header(request, resource), scan.scope_header(request, group));
            slot.add_token(token);
            *run = Some((place.seat, span.group));
        }
        slot.open.push(place.index, id, body);
        slot.touched_ns = now_ns;
        self.books.buffered += 1;
        self.books.bytes_live += body.len() as u64;
        if slot.open.is_full() {
            let number = slot.number;
            if let Some((index, raw)) = slot.close_block() {
                self.books.blocks += 1;
                closed.push(Closed { seat: place.seat, number, index, raw });
            }
            *run = None;
        }
    }

    /// Puts compressed bytes in the place of raw ones, if the slot is still waiting.
    pub(crate) fn store_packed(&mut self, closed: &Closed, packed: Arc<[u8]>) {
        if let Some(Seat::Live(slot)) = self.seats.get_mut(closed.seat as usize)
            && slot.number == closed.number
        {
            slot.store_packed(closed.index, packed);
        }
    }

    /// Closes blocks that nobody adds to any more, and lets the decided memory forget.
    pub(crate) fn tidy(&mut self, now_ns: u64, closed: &mut Vec<Closed>) {
        for (&number, &seat) in &self.by_number {
            let Seat::Live(slot) = &mut self.seats[seat as usize] else { continue };
            if slot.touched_ns.saturating_add(IDLE_NS) < now_ns
                && let Some((index, raw)) = slot.close_block()
            {
                self.books.blocks += 1;
                closed.push(Closed { seat, number, index, raw });
            }
        }
        self.decided.sweep(now_ns);
    }

    /// Number of the oldest slot that waits.
    pub(crate) fn oldest(&self) -> Option<u64> {
        self.by_number.keys().next().copied()
    }

    /// Takes out the oldest slot if its number is below `number`; traces in it that must wait longer are seated anew,
    /// unless everything is to be decided `now`.
    pub(crate) fn detach_below(&mut self, number: u64, carry_ns: Option<u64>) -> Option<Detached> {
        let (&oldest, &seat) = self.by_number.iter().next().filter(|(oldest, _)| **oldest < number)?;
        self.by_number.remove(&oldest);
        let Seat::Live(mut slot) = std::mem::replace(&mut self.seats[seat as usize], Seat::Free) else {
            return None;
        };
        if slot.close_block().is_some() {
            self.books.blocks += 1;
        }
        let bytes = slot.bytes();
        self.expected = slot.traces.len();
        let traces = Arc::new(std::mem::take(&mut slot.traces));
        self.seats[seat as usize] = Seat::Deciding(Arc::clone(&traces));
        let mut carried = Vec::new();
        if let Some(now_ns) = carry_ns {
            for (index, trace) in (0u32..).zip(traces.iter()) {
                if trace.due_ns / self.slot_ns > oldest {
                    let from = Place { seat, index };
                    let state = &slot.states[index as usize * self.words..(index as usize + 1) * self.words];
                    carried.push((index, self.carry(trace, state, from, now_ns)));
                }
            }
        }
        Some(Detached { seat, traces, states: slot.states, blocks: slot.blocks, tokens: slot.tokens, bytes, carried })
    }

    /// Seats a trace whose root has not come in a slot twice as far from its first span.
    fn carry(&mut self, trace: &Trace, state: &[u32], from: Place, now_ns: u64) -> Place {
        let doubled_ns = now_ns.saturating_add(now_ns.saturating_sub(trace.first_seen_ns).max(self.slot_ns));
        let due_ns = if trace.has_root { trace.due_ns } else { trace.due_ns.min(doubled_ns) };
        let to = self.seat_trace(*trace, due_ns / self.slot_ns);
        if let Seat::Live(slot) = &mut self.seats[to.seat as usize] {
            slot.trace_mut(to.index).1.copy_from_slice(state);
        }
        self.table.replace(hash_of(&self.position, trace.id), from, to);
        to
    }

    /// Copies a carried trace's span into the block of the slot it waits in now.
    pub(crate) fn carry_span(
        &mut self,
        span: &crate::block::StoredSpan<'_>,
        to: Place,
        now_ns: u64,
        closed: &mut Vec<Closed>,
    ) {
        let Seat::Live(slot) = &mut self.seats[to.seat as usize] else { return };
        slot.open.run(span.resource_header, span.scope_header);
        slot.open.push_stored(to.index, span.is_without_id, span.stored);
        slot.touched_ns = now_ns;
        if slot.open.is_full() {
            let number = slot.number;
            if let Some((index, raw)) = slot.close_block() {
                self.books.blocks += 1;
                closed.push(Closed { seat: to.seat, number, index, raw });
            }
        }
    }

    /// Adds the tokens of a slot to another that now holds some of its traces.
    pub(crate) fn carry_tokens(&mut self, tokens: &[Token], to: Place) {
        if let Seat::Live(slot) = &mut self.seats[to.seat as usize] {
            tokens.iter().for_each(|token| slot.add_token(token));
        }
    }

    /// Frees the seat of a slot of which every trace is settled.
    pub(crate) fn release(&mut self, seat: u32) {
        self.seats[seat as usize] = Seat::Free;
        self.free.push(seat);
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
        self.by_number.values().filter_map(|seat| match &self.seats[*seat as usize] {
            Seat::Live(slot) => Some(&**slot),
            Seat::Free | Seat::Deciding(_) => None,
        })
    }
}

impl Seat {
    fn holds(&self, index: u32, span: &Span) -> bool {
        let trace = match self {
            Self::Free => None,
            Self::Live(slot) => slot.traces.get(index as usize),
            Self::Deciding(traces) => traces.get(index as usize),
        };
        trace.is_some_and(|trace| trace.id == span.trace_id)
    }
}

/// A span's body in the request.
fn bytes_of<'a>(request: &'a [u8], span: &Span) -> &'a [u8] {
    let start = span.body.start as usize;
    request.get(start..start + span.body.len as usize).unwrap_or_default()
}
