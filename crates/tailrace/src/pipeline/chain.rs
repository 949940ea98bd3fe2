//! The processors of a pipeline that edit requests, in the user's order.

use otlp::Signal;
use process::{Broken, Edited, Failing, IgnoredError, Moment, Processor};
use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Processors in a row.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    /// The pipeline's name, for the log.
    pipeline: String,
    links: Vec<Link>,
}

/// One processor in its place.
#[derive(Debug)]
pub(crate) struct Link {
    /// Its ID in the configuration, such as `filter/health`.
    pub(crate) name: String,
    pub(crate) processor: Arc<dyn Processor>,
    /// Counted on across reloads.
    pub(crate) counts: Arc<LinkCounts>,
}

/// What went into a processor and what it took away, in items, and the errors that it ignored.
#[derive(Debug, Default)]
pub(crate) struct LinkCounts {
    incoming: AtomicU64,
    filtered: AtomicU64,
    ignored: AtomicU64,
}

/// A request that went through a chain; not yet counted, for it may still be refused.
#[derive(Debug)]
pub(crate) struct Passed<'a> {
    /// Borrowed where nothing changed it.
    pub(crate) body: Cow<'a, [u8]>,
    /// What each link did.
    outcomes: Vec<Outcome>,
}

/// What a link did to a request.
#[derive(Clone, Copy, Debug)]
struct Outcome {
    /// Items that it took away.
    filtered: u64,
    /// Errors that it ignored.
    ignored: u64,
}

/// The counts of one link at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LinkReading {
    pub(crate) processor: String,
    pub(crate) incoming: u64,
    pub(crate) filtered: u64,
    pub(crate) ignored: u64,
}

impl Chain {
    pub(crate) fn new(pipeline: String, links: Vec<Link>) -> Self {
        Self { pipeline, links }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// Sends a request through all processors.
    ///
    /// # Errors
    /// See [`Processor::edit`]; nothing has been counted then.
    pub(crate) fn edit<'a>(&self, signal: Signal, request: &'a [u8], wall_ns: u64) -> Result<Passed<'a>, Broken> {
        let mut passed = Passed { body: Cow::Borrowed(request), outcomes: Vec::with_capacity(self.links.len()) };
        for link in &self.links {
            let moment = Moment { wall_ns, seed: rand::random() };
            let Edited { body, filtered, ignored } = link.processor.edit(signal, &passed.body, moment)?;
            let changed = match body {
                Cow::Owned(body) => Some(body),
                // A processor that took everything away has nothing to own.
                Cow::Borrowed(body) => (body.len() != passed.body.len()).then(|| body.to_vec()),
            };
            if let Some(changed) = changed {
                passed.body = Cow::Owned(changed);
            }
            passed.outcomes.push(Outcome { filtered, ignored: ignored.errors });
            if let Some(first) = &ignored.first {
                self.tell(&link.name, first, ignored.errors);
            }
        }
        Ok(passed)
    }

    /// Logs, in otelcol's words, the first of the errors that a processor ignored of a request; how often, the log's
    /// sampling says.
    fn tell(&self, processor: &str, first: &IgnoredError, errors: u64) {
        let (pipeline, text, error) = (self.pipeline.as_str(), first.text.as_str(), first.error.as_str());
        match first.what {
            Failing::Statement => {
                tracing::warn!(pipeline, processor, statement = text, error, errors, "failed to execute statement");
            }
            Failing::Condition => {
                tracing::warn!(pipeline, processor, condition = text, error, errors, "failed to eval condition");
            }
        }
    }

    /// Counts a request of which `items` came out at the end.
    pub(crate) fn count(&self, passed: &Passed<'_>, items: u64) {
        let mut outgoing = items;
        for (link, Outcome { filtered, ignored }) in self.links.iter().zip(&passed.outcomes).rev() {
            outgoing += filtered;
            link.counts.filtered.fetch_add(*filtered, Ordering::Relaxed);
            link.counts.ignored.fetch_add(*ignored, Ordering::Relaxed);
            link.counts.incoming.fetch_add(outgoing, Ordering::Relaxed);
        }
    }

    /// The counters of its processors by their names, for the chain that takes its place.
    pub(crate) fn counters(&self) -> BTreeMap<String, Arc<LinkCounts>> {
        self.links.iter().map(|link| (link.name.clone(), Arc::clone(&link.counts))).collect()
    }

    /// The counts of all links.
    pub(crate) fn readings(&self) -> Vec<LinkReading> {
        let read = |link: &Link| LinkReading {
            processor: link.name.clone(),
            incoming: link.counts.incoming.load(Ordering::Relaxed),
            filtered: link.counts.filtered.load(Ordering::Relaxed),
            ignored: link.counts.ignored.load(Ordering::Relaxed),
        };
        self.links.iter().map(read).collect()
    }
}

impl Passed<'_> {
    /// Everything that the chain took away.
    pub(crate) fn filtered(&self) -> u64 {
        self.outcomes.iter().map(|outcome| outcome.filtered).sum()
    }
}
