//! Log records on their way to be pushed: they branch off here, into queues that somebody else empties.
//!
//! A full queue drops, for the log must never wait; what was dropped is counted and told with the next report.

use super::{fields::Said, line::level_name};
use crate::telemetry::push::{OWN, unix_ns};
use parking_lot::RwLock;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::mpsc;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// A log record.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) time_ns: u64,
    /// OTLP's severity number.
    pub(crate) severity: u64,
    pub(crate) level: &'static str,
    pub(crate) message: String,
    pub(crate) fields: Vec<(String, String)>,
}

/// Where records branch off; none at first.
#[derive(Clone, Default)]
pub(crate) struct Taps(Arc<RwLock<Vec<Tap>>>);

/// One queue's end.
#[derive(Clone)]
pub(crate) struct Tap {
    queue: mpsc::Sender<Record>,
    dropped: Arc<AtomicU64>,
}

impl Tap {
    /// A queue of so many records, with the count of those that it had no room for.
    pub(crate) fn new(records_max: usize) -> (Self, mpsc::Receiver<Record>, Arc<AtomicU64>) {
        let (queue, records) = mpsc::channel(records_max.max(1));
        let dropped = Arc::new(AtomicU64::new(0));
        (Self { queue, dropped: Arc::clone(&dropped) }, records, dropped)
    }
}

impl Taps {
    /// From now on, these.
    pub(crate) fn replace(&self, taps: Vec<Tap>) {
        *self.0.write() = taps;
    }
}

impl<S: Subscriber> Layer<S> for Taps {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let taps = self.0.read();
        let metadata = event.metadata();
        if taps.is_empty() || metadata.target() == OWN {
            return;
        }
        let Said { message, fields } = Said::of(event);
        let fields = fields.into_iter().map(|(name, text)| (name.to_owned(), text.into_string()));
        let record = Record {
            time_ns: unix_ns(),
            severity: severity(*metadata.level()),
            level: level_name(*metadata.level()),
            message,
            fields: fields.chain([("code.namespace".to_owned(), metadata.target().to_owned())]).collect(),
        };
        for tap in &*taps {
            if tap.queue.try_send(record.clone()).is_err() {
                tap.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// OTLP's number of a level.
fn severity(level: Level) -> u64 {
    match level {
        Level::ERROR => 17,
        Level::WARN => 13,
        Level::INFO => 9,
        Level::DEBUG | Level::TRACE => 5,
    }
}
