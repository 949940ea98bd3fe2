//! The way out of a pipeline: every batch to every destination, with the books of both sides kept together.

use crate::terminal::LATE;
use bytes::Bytes;
use engine::{Note, Token};
use net::{
    budget::{Budget, Class},
    exporter::{Batch, Destination, TraceNote},
};
use otlp::Signal;
use parking_lot::Mutex;
use std::{any::Any, sync::Arc};

/// Where a pipeline's kept spans go.
pub(crate) struct Outlet {
    pub(crate) destinations: Vec<Arc<Destination>>,
    pub(crate) budget: Arc<Budget>,
    /// Bytes and spans of a batch at most.
    pub(crate) bytes_max: usize,
    pub(crate) spans_max: u32,
    /// Whether a destination shows why a trace was kept.
    pub(crate) notes: bool,
    /// Held while kept spans move from this pipeline's books to the destinations', so that a snapshot sees both or neither.
    /// Each pipeline has its own: one that passes requests on must not wait for another's assembling.
    pub(crate) books: Mutex<()>,
}

impl Outlet {
    /// Does what moves spans between books while no snapshot looks.
    pub(crate) fn together<T>(&self, work: impl FnOnce(&Self) -> T) -> T {
        let _guard = self.books.lock();
        work(self)
    }

    /// Offers a batch to every destination; never waits.
    pub(crate) fn send(&self, body: Vec<u8>, spans: u32, notes: Vec<Note>, tokens: Vec<Token>) {
        let charge = self.budget.charge_always(Class::Batches, body.capacity());
        let batch = Arc::new(Batch {
            signal: Signal::Traces,
            body: Bytes::from(body),
            items: spans,
            notes: notes.into_iter().map(trace_note).collect(),
            charge,
            tokens: tokens.into_iter().map(|token| Arc::new(token) as Arc<dyn Any + Send + Sync>).collect(),
        });
        for destination in &self.destinations {
            destination.offer(Arc::clone(&batch));
        }
    }
}

fn trace_note(note: Note) -> TraceNote {
    let why = if note.late { format!("{}{LATE}", note.why) } else { note.why };
    TraceNote { trace_id: note.trace_id.0, spans: note.spans, policy: note.policy, late: note.late, why }
}
