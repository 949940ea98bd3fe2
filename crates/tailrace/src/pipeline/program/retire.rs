//! What a new configuration no longer has, on its way out.

use crate::pipeline::{
    Clock,
    build::Plan,
    intake::Feed,
    lane::Lane,
    outlet::Way,
    snapshot::{Ledger, Running},
};
use net::receiver;
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// How often it is looked whether something has ended.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// Parts of an older plan that the new one does not have.
pub(super) struct Retired {
    feeds: Vec<Arc<Feed>>,
    lanes: Vec<Arc<Lane>>,
    ways: Vec<Way>,
}

impl Retired {
    /// What `old` has and `new` has not. All feeds of the old plan are among it: requests may still be on their way.
    pub(super) fn between(old: Plan, new: &Plan) -> Self {
        let lanes = old.lanes();
        let kept = new.lanes();
        let is_gone = |lane: &Arc<Lane>| !kept.iter().any(|other| Arc::ptr_eq(lane, other));
        let lanes = lanes.into_iter().filter(is_gone).collect();
        let ways = old.ways().filter(|way| !new.ways().any(|other| way.is(other))).cloned().collect();
        Self { feeds: old.feeds.into_values().collect(), lanes, ways }
    }

    /// Waits until nothing is in it any more, then empties the destinations and takes everything out of the books.
    pub(super) async fn end(
        self,
        closed: Vec<receiver::Running>,
        grace: Duration,
        ledger: Arc<Ledger>,
        deciding: Arc<Mutex<Vec<Arc<Lane>>>>,
        clock: Clock,
    ) {
        for receiver in closed {
            receiver.stop(grace).await;
        }
        let Self { feeds, lanes, ways } = self;
        // The intakes have other feeds by now, so whoever holds one is a request that came in before.
        while feeds.iter().any(|feed| Arc::strong_count(feed) > 1) {
            sleep(LOOK_INTERVAL).await;
        }
        drop(feeds);
        while !lanes.iter().all(|lane| lane.is_empty()) {
            for lane in lanes.iter().filter(|lane| lane.engine().is_none()) {
                lane.flush(clock);
            }
            sleep(LOOK_INTERVAL).await;
        }
        let drains = ways.iter().map(|way| {
            let destination = Arc::clone(&way.destination);
            tokio::spawn(async move { destination.drain(Instant::now() + grace).await })
        });
        for drain in drains.collect::<Vec<_>>() {
            // A panic in there is counted by the destination itself.
            let _ = drain.await;
        }
        deciding.lock().retain(|lane| !lanes.iter().any(|gone| Arc::ptr_eq(lane, gone)));
        ledger.remove(&lanes, &ways);
        lanes.iter().for_each(|lane| lane.unwatch());
    }
}

impl Running {
    /// With what `plan` has besides. Lanes that are on their way out come first, then those that are new: lanes that go on
    /// feed neither.
    pub(super) fn joined(self, plan: &Plan) -> Self {
        let lanes = plan.lanes();
        let ways: Vec<Way> = plan.ways().cloned().collect();
        let mut joined = self;
        joined.lanes.retain(|lane| !lanes.iter().any(|other| Arc::ptr_eq(lane, other)));
        joined.ways.retain(|way| !ways.iter().any(|other| way.is(other)));
        joined.lanes.extend(lanes);
        joined.ways.extend(ways);
        joined
    }
}
