//! The way in: a request is checked for every pipeline that its receiver feeds, then it goes into each.
//!
//! A request is edited and checked whole for all of them before any of it is taken, so that one that is refused has left
//! nothing behind and can come again. It is worked off in steps of 256 KiB between which the task yields, so that a giant
//! request does not hold up its neighbours.

use super::{
    Clock,
    chain::{Passed, Stuck},
    lane::{Admitted, Lane, without_rejected},
};
use net::{BoxFuture, budget::Class, client::Client, receiver};
use otlp::{
    Keys, Signal,
    check::Check,
    scan::{Progress, Scan, ScanError},
};
use parking_lot::{Mutex, RwLock};
use std::{borrow::Cow, sync::Arc, time::Duration};

/// Bytes of a request that are worked off before the task yields.
const STEP_BYTES: usize = 256 << 10;
/// With `block_on_overflow`, a request waits this long for room before its client is told to come back.
const ROOM_PATIENCE: Duration = Duration::from_secs(1);
/// When it should come back.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Scratch space is kept for this many requests at once; what more need is given back to the allocator.
const IDLE_SCRATCH_MAX: usize = 16;
/// Scratch that has grown beyond this, for a giant request, is not kept.
const SCRATCH_BYTES_MAX: usize = 4 << 20;

/// What a receiver hands requests to. Reloads put other pipelines behind it.
pub(crate) struct Intake {
    feed: RwLock<Arc<Feed>>,
    clock: Clock,
}

/// The pipelines that a receiver feeds. A request holds on to the feed that it came in by until it is answered.
pub(crate) struct Feed {
    lanes: Vec<Arc<Lane>>,
    keys: Arc<Keys>,
    idle: Mutex<Vec<Scratch>>,
}

/// Room for one request being taken in; boxed, for it is kilobytes large and changes hands with each request.
pub(crate) struct Scratch(Box<Buffers>);

struct Buffers {
    scan: Scan,
    engine: engine::Scratch,
}

impl Intake {
    pub(crate) fn new(feed: Arc<Feed>, clock: Clock) -> Self {
        Self { feed: RwLock::new(feed), clock }
    }

    /// Puts other pipelines behind the receiver; requests that have begun go where they were going.
    pub(crate) fn replace(&self, feed: Arc<Feed>) {
        *self.feed.write() = feed;
    }

    fn feed(&self) -> Arc<Feed> {
        Arc::clone(&self.feed.read())
    }
}

impl Feed {
    pub(crate) fn new(lanes: Vec<Arc<Lane>>, keys: Arc<Keys>) -> Self {
        Self { lanes, keys, idle: Mutex::new(Vec::new()) }
    }

    fn serves(&self, signal: Signal) -> bool {
        self.lanes.iter().any(|lane| lane.id.signal == signal)
    }

    async fn traces(
        &self,
        body: &[u8],
        client: &Arc<Client>,
        clock: Clock,
    ) -> Result<receiver::Accepted, receiver::Refusal> {
        let mut scratch = Vec::new();
        let outcome = self.take_traces((body, client), &mut scratch, clock).await;
        self.give_back(scratch);
        outcome
    }

    async fn take_traces(
        &self,
        (body, client): (&[u8], &Arc<Client>),
        scratch: &mut Vec<Scratch>,
        clock: Clock,
    ) -> Result<receiver::Accepted, receiver::Refusal> {
        let mut admitted = self.admitted(Signal::Traces, body, client, clock)?;
        // Lanes without processors share one scan of the request as it came.
        let mut shared = None;
        for one in &mut admitted {
            one.scan = match shared {
                Some(index) if one.parts.before.is_empty() => index,
                _ => {
                    let mut one_scratch = self.scratch();
                    scan(&one.passed.body, &mut one_scratch.0.scan).await?;
                    scratch.push(one_scratch);
                    scratch.len() - 1
                }
            };
            if one.parts.before.is_empty() {
                shared = Some(one.scan);
            }
        }
        for lane in &self.lanes {
            if lane.id.signal == Signal::Traces && !lane.has_room(ROOM_PATIENCE).await {
                return Err(receiver::Refusal::Overloaded { retry_after: RETRY_AFTER });
            }
        }
        let mut accepted = receiver::Accepted::default();
        for one in &mut admitted {
            let Some(Buffers { scan, engine }) = scratch.get_mut(one.scan).map(|scratch| &mut *scratch.0) else {
                continue;
            };
            let spans = scan.spans.len() as u64;
            one.lane.count_before(&one.parts, &one.passed, spans);
            let items = spans + one.passed.filtered();
            if items + scan.rejected > accepted.items + accepted.rejected {
                accepted = answer(items, scan.rejected);
            }
            if one.lane.engine().is_some() {
                one.lane.sample(&one.parts, &one.passed.body, scan, engine, clock, STEP_BYTES).await;
            } else if scan.rejected == 0 {
                let client = one.passed.client.take();
                one.lane.pass(take(&mut one.passed), spans, client, clock);
            } else {
                let client = one.passed.client.take();
                one.lane.pass(without_rejected(&one.passed.body, scan).into(), spans, client, clock);
            }
        }
        Ok(accepted)
    }

    /// Metrics and logs: nothing waits for verdicts, so nothing is scanned; the structure is checked and the items counted.
    async fn others(
        &self,
        signal: Signal,
        (body, client): (&[u8], &Arc<Client>),
        clock: Clock,
    ) -> Result<receiver::Accepted, receiver::Refusal> {
        let whole = check(signal, body).await?;
        let mut admitted = self.admitted(signal, body, client, clock)?;
        for one in &mut admitted {
            one.items = match &one.passed.body {
                Cow::Borrowed(_) => whole,
                Cow::Owned(edited) => check(signal, edited).await?,
            };
        }
        for one in &mut admitted {
            one.lane.count_before(&one.parts, &one.passed, one.items);
            let client = one.passed.client.take();
            one.lane.pass(take(&mut one.passed), one.items, client, clock);
        }
        Ok(receiver::Accepted { items: whole, rejected: 0, message: String::new() })
    }

    /// The request as it comes out of the processors of every pipeline of its signal.
    fn admitted<'a>(
        &'a self,
        signal: Signal,
        body: &'a [u8],
        client: &Arc<Client>,
        clock: Clock,
    ) -> Result<Vec<Admitted<'a>>, receiver::Refusal> {
        let lanes = self.lanes.iter().filter(|lane| lane.id.signal == signal);
        let admitted = lanes.map(|lane| {
            let parts = lane.parts();
            let wall_ns = if parts.before.is_empty() { 0 } else { clock.now().wall_ns };
            let passed = parts.before.edit(signal, body, Some(client), wall_ns).map_err(refusal)?;
            let charge = match &passed.body {
                Cow::Owned(edited) => Some(parts.outlet.budget.charge_always(Class::Scratch, edited.capacity())),
                Cow::Borrowed(_) => None,
            };
            Ok(Admitted { lane, parts, passed, items: 0, scan: 0, _charge: charge })
        });
        admitted.collect()
    }

    fn scratch(&self) -> Scratch {
        let kept = self.idle.lock().pop();
        kept.unwrap_or_else(|| {
            let scan = Scan::new(Arc::clone(&self.keys));
            Scratch(Box::new(Buffers { scan, engine: engine::Scratch::default() }))
        })
    }

    fn give_back(&self, scratch: Vec<Scratch>) {
        let mut idle = self.idle.lock();
        let room = IDLE_SCRATCH_MAX.saturating_sub(idle.len());
        let small = scratch.into_iter().filter(|scratch| scratch.0.scan.capacity_bytes() <= SCRATCH_BYTES_MAX);
        idle.extend(small.take(room));
    }
}

impl receiver::Intake for Intake {
    fn serves(&self, signal: Signal) -> bool {
        self.feed.read().serves(signal)
    }

    fn take<'a>(
        &'a self,
        signal: Signal,
        _origin: &'a receiver::Origin,
        client: &'a Arc<Client>,
        body: &'a [u8],
    ) -> BoxFuture<'a, Result<receiver::Accepted, receiver::Refusal>> {
        let feed = self.feed();
        Box::pin(async move {
            match signal {
                Signal::Traces => feed.traces(body, client, self.clock).await,
                Signal::Metrics | Signal::Logs => feed.others(signal, (body, client), self.clock).await,
            }
        })
    }
}

/// Scans a request, in steps.
async fn scan(body: &[u8], scan: &mut Scan) -> Result<(), receiver::Refusal> {
    scan.begin();
    loop {
        match scan.advance(body, STEP_BYTES) {
            Ok(Progress::Done) => return Ok(()),
            Ok(Progress::More) => tokio::task::yield_now().await,
            Err(error) => return Err(malformed(&error)),
        }
    }
}

/// Checks a request of metrics or logs, in steps, and counts its items.
async fn check(signal: Signal, body: &[u8]) -> Result<u64, receiver::Refusal> {
    // Most requests are small, and the check is not.
    if body.len() <= STEP_BYTES {
        return otlp::check::check(signal, body).map(|counts| counts.items).map_err(|error| malformed(&error));
    }
    let mut check = Box::new(Check::new());
    check.begin(signal);
    loop {
        match check.advance(body, STEP_BYTES) {
            Ok(Progress::Done) => return Ok(check.counts().items),
            Ok(Progress::More) => tokio::task::yield_now().await,
            Err(error) => return Err(malformed(&error)),
        }
    }
}

fn refusal(stuck: Stuck) -> receiver::Refusal {
    match stuck {
        Stuck::Broken(broken) => receiver::Refusal::Malformed(broken.to_string()),
        Stuck::TooMany(why) => receiver::Refusal::Failed(why),
    }
}

fn malformed(error: &ScanError) -> receiver::Refusal {
    let message = format!("the request is not valid protobuf: {} near byte {}", error.error, error.at);
    receiver::Refusal::Malformed(message)
}

/// The body, to go on; what is left has none.
fn take<'a>(passed: &mut Passed<'a>) -> Cow<'a, [u8]> {
    std::mem::replace(&mut passed.body, Cow::Borrowed(&[]))
}

fn answer(items: u64, rejected: u64) -> receiver::Accepted {
    let message = match rejected {
        0 => String::new(),
        1 => "1 span has no valid trace ID (16 bytes, not all zero) and was rejected".to_owned(),
        count => format!("{count} spans have no valid trace ID (16 bytes, not all zero) and were rejected"),
    };
    receiver::Accepted { items, rejected, message }
}
