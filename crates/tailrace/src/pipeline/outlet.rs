//! The way out of a pipeline: every batch to every destination, and through connectors to the pipelines behind.

use super::{Clock, lane::Lane};
use crate::terminal::LATE;
use bytes::Bytes;
use engine::{Note, Token};
use net::{
    budget::{Budget, Class},
    client::Client,
    exporter::{Batch, Destination, TraceNote},
};
use otlp::Signal;
use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Where a pipeline's items go.
pub(crate) struct Outlet {
    pub(crate) signal: Signal,
    pub(crate) ways: Vec<Way>,
    /// The pipelines that a connector joins to this one's end.
    pub(crate) behind: Vec<Arc<Lane>>,
    pub(crate) budget: Arc<Budget>,
    /// Bytes and items of a batch at most.
    pub(crate) bytes_max: usize,
    pub(crate) items_max: u32,
    /// Whether a destination shows why a trace was kept.
    pub(crate) notes: bool,
}

/// A destination as the pipelines in front of it see it; shared by them.
#[derive(Clone)]
pub(crate) struct Way {
    pub(crate) destination: Arc<Destination>,
    /// Items that pipelines sent this way, counted on their side.
    pub(crate) sent: Arc<AtomicU64>,
}

impl Way {
    /// Whether both are the same.
    pub(crate) fn is(&self, other: &Way) -> bool {
        Arc::ptr_eq(&self.destination, &other.destination)
    }
}

/// Items on their way out.
pub(crate) struct Parcel {
    /// An export request.
    pub(crate) body: Vec<u8>,
    /// How many items it holds.
    pub(crate) items: u32,
    /// Who sent them, where that is one client and is still known.
    pub(crate) client: Option<Arc<Client>>,
    pub(crate) notes: Vec<Note>,
    pub(crate) tokens: Vec<Token>,
}

impl Outlet {
    /// Offers a batch to every destination, and gives it to the pipelines behind; never waits for a socket. The lane's
    /// counts must be locked, so that a snapshot sees items on one side or on the other.
    pub(crate) fn send(&self, parcel: Parcel, clock: Clock) {
        if parcel.items == 0 {
            return;
        }
        let client_bytes = parcel.client.as_ref().map_or(0, |client| client.bytes());
        let charge = self.budget.charge_always(Class::Batches, parcel.body.capacity() + client_bytes);
        let batch = Arc::new(Batch {
            signal: self.signal,
            body: Bytes::from(parcel.body),
            items: parcel.items,
            notes: parcel.notes.into_iter().map(trace_note).collect(),
            client: parcel.client,
            charge,
            tokens: parcel.tokens.into_iter().map(|token| Arc::new(token) as Arc<dyn Any + Send + Sync>).collect(),
        });
        for way in &self.ways {
            way.sent.fetch_add(u64::from(batch.items), Ordering::Relaxed);
            way.destination.offer(Arc::clone(&batch));
        }
        for lane in &self.behind {
            lane.take_forwarded(&batch.body, u64::from(batch.items), batch.client.as_ref(), clock);
        }
    }
}

fn trace_note(note: Note) -> TraceNote {
    let why = if note.late { format!("{}{LATE}", note.why) } else { note.why };
    TraceNote { trace_id: note.trace_id.0, spans: note.spans, policy: note.policy, late: note.late, why }
}
