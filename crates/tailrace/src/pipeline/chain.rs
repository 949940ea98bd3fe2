//! The processors of a pipeline that edit requests, in the user's order, and those between them that mix requests.

use super::{shown::Shown, veil::Veil};
use net::client::Client;
use otlp::Signal;
use process::{Broken, Edited, Failing, IgnoredError, Moment, Processor, Sender};
use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt,
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
    stages: Vec<Stage>,
}

/// What a request meets on its way.
#[derive(Debug)]
pub(crate) enum Stage {
    /// A processor that edits it.
    Edit(Link),
    /// One that mixes it with others, and so forgets who sent it.
    Forget(Veil),
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
    /// Who sent it, as far as that is still known.
    pub(crate) client: Option<Arc<Client>>,
    /// What each link did.
    outcomes: Vec<Outcome>,
}

/// Why a request does not come through a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stuck {
    /// It cannot be edited.
    Broken(Broken),
    /// It would be a batch too many beside the others; in words for whoever sent it.
    TooMany(String),
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
    pub(crate) fn new(pipeline: String, stages: Vec<Stage>) -> Self {
        Self { pipeline, stages }
    }

    /// Whether requests come out of it as they went in.
    pub(crate) fn is_empty(&self) -> bool {
        self.links().next().is_none()
    }

    fn links(&self) -> impl DoubleEndedIterator<Item = &Link> {
        self.stages.iter().filter_map(|stage| match stage {
            Stage::Edit(link) => Some(link),
            Stage::Forget(_) => None,
        })
    }

    /// Sends a request, which `client` sent, through all processors.
    ///
    /// # Errors
    /// See [`Processor::edit`] and [`Veil::over`]; nothing has been counted then.
    pub(crate) fn edit<'a>(
        &self,
        signal: Signal,
        request: &'a [u8],
        client: Option<&Arc<Client>>,
        wall_ns: u64,
    ) -> Result<Passed<'a>, Stuck> {
        let outcomes = Vec::with_capacity(self.stages.len());
        let mut passed = Passed { body: Cow::Borrowed(request), client: client.cloned(), outcomes };
        for stage in &self.stages {
            match stage {
                Stage::Edit(link) => self.step(link, signal, &mut passed, wall_ns).map_err(Stuck::Broken)?,
                Stage::Forget(veil) => passed.client = veil.over(passed.client.as_ref()).map_err(Stuck::TooMany)?,
            }
        }
        Ok(passed)
    }

    /// Sends a request through one processor.
    fn step(&self, link: &Link, signal: Signal, passed: &mut Passed<'_>, wall_ns: u64) -> Result<(), Broken> {
        let shown = passed.client.as_deref().map(Shown);
        let sender = shown.as_ref().map(|shown| Sender::new(shown));
        let moment = Moment { wall_ns, seed: rand::random(), client: sender.as_ref() };
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
        Ok(())
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
        for (link, Outcome { filtered, ignored }) in self.links().rev().zip(passed.outcomes.iter().rev()) {
            outgoing += filtered;
            link.counts.filtered.fetch_add(*filtered, Ordering::Relaxed);
            link.counts.ignored.fetch_add(*ignored, Ordering::Relaxed);
            link.counts.incoming.fetch_add(outgoing, Ordering::Relaxed);
        }
    }

    /// The counters of its processors by their names, for the chain that takes its place.
    pub(crate) fn counters(&self) -> BTreeMap<String, Arc<LinkCounts>> {
        self.links().map(|link| (link.name.clone(), Arc::clone(&link.counts))).collect()
    }

    /// The counts of all links.
    pub(crate) fn readings(&self) -> Vec<LinkReading> {
        let read = |link: &Link| LinkReading {
            processor: link.name.clone(),
            incoming: link.counts.incoming.load(Ordering::Relaxed),
            filtered: link.counts.filtered.load(Ordering::Relaxed),
            ignored: link.counts.ignored.load(Ordering::Relaxed),
        };
        self.links().map(read).collect()
    }

    /// How many combinations of metadata values each `batch` in it has met.
    pub(crate) fn combinations(&self) -> Vec<(String, usize)> {
        let of = |stage: &Stage| match stage {
            Stage::Forget(veil) => Some((veil.processor.clone(), veil.combinations())),
            Stage::Edit(_) => None,
        };
        self.stages.iter().filter_map(of).collect()
    }
}

impl Passed<'_> {
    /// Everything that the chain took away.
    pub(crate) fn filtered(&self) -> u64 {
        self.outcomes.iter().map(|outcome| outcome.filtered).sum()
    }
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(broken) => broken.fmt(f),
            Self::TooMany(why) => f.write_str(why),
        }
    }
}
