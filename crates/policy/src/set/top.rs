//! What stands beside a top-level policy: its name, its settings, and the limiters inside it.
//!
//! Each policy has limiters of its own, so that it can take them along into the next set. They are locked for one question
//! at a time: two sets may share them, and neither holds two.

use super::{
    limiters::{self, Limiters},
    rule::Rule,
};
use crate::kinds::Policy;
use otlp::TraceId;
use std::sync::{Arc, Mutex, PoisonError};

/// A policy's company.
#[derive(Debug)]
pub(super) struct Top {
    pub(super) name: String,
    /// As it was written.
    pub(super) policy: Option<Policy>,
    /// One entry a virtual shard; nothing if there is no limiter in it.
    pub(super) limiters: Option<Arc<Mutex<Vec<Limiters>>>>,
}

impl Top {
    /// Gives a rule limiters of its own, out of `all`.
    pub(super) fn new(name: &str, policy: Option<Policy>, rule: &mut Rule, all: &Limiters, shards: u32) -> Self {
        let mut own = Limiters::default();
        rule.claim(all, &mut own);
        let limiters = rule.has_limit().then(|| Arc::new(Mutex::new(vec![own; shards.max(1) as usize])));
        Self { name: name.to_owned(), policy, limiters }
    }

    /// Lends the limiters of the trace's virtual shard, or `none` where there are none.
    pub(super) fn with_limiters<R>(
        &self,
        trace_id: &TraceId,
        none: &mut Limiters,
        ask: impl FnOnce(&mut Limiters) -> R,
    ) -> R {
        let Some(shared) = &self.limiters else { return ask(none) };
        // A panic while they are held leaves the limiters as consistent as any moment does.
        let mut shards = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let shard = limiters::shard(trace_id, shards.len());
        match shards.get_mut(shard) {
            Some(limiters) => ask(limiters),
            None => ask(none),
        }
    }

    /// Takes over the limiters of the same policy in the set before, if it is written there as it is here.
    pub(super) fn follow(&mut self, before: &Self) {
        if let (Some(here), Some(there)) = (&self.limiters, &before.limiters)
            && self.policy == before.policy
            && shards(here) == shards(there)
        {
            self.limiters = Some(Arc::clone(there));
        }
    }
}

fn shards(limiters: &Mutex<Vec<Limiters>>) -> usize {
    limiters.lock().unwrap_or_else(PoisonError::into_inner).len()
}
