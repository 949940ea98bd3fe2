//! Where a request came from, so that its source can be told when it is done with.
//!
//! Every request brings a token; the slots that hold its spans and the export batches that carry its kept ones keep a
//! clone each. When the last clone is dropped, all its traces are decided and the kept ones delivered (or given up for a
//! counted reason), and the source hears of it exactly once. A token without a source costs nothing.

use std::sync::Arc;

/// Somebody who wants to know when a request is done with: a write-ahead log, a Kafka consumer.
pub trait Source: Send + Sync + std::fmt::Debug {
    /// Everything accepted at `position` is decided and, where kept, delivered. Called once a position, from any thread.
    fn done(&self, position: u64);
}

/// A request's place in its source, or nothing for a source that cannot replay.
#[derive(Clone, Debug, Default)]
pub struct Token(Option<Arc<Place>>);

#[derive(Debug)]
struct Place {
    source: Arc<dyn Source>,
    position: u64,
}

impl Token {
    /// A token that nobody waits for.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// A token that calls `source.done(position)` when its last clone is dropped.
    #[must_use]
    pub fn new(source: Arc<dyn Source>, position: u64) -> Self {
        Self(Some(Arc::new(Place { source, position })))
    }

    /// Whether both stand for the same request.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(two)) => Arc::ptr_eq(one, two),
            (None, None) => true,
            _ => false,
        }
    }

    /// Whether nobody waits for this request.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.source.done(self.position);
    }
}
