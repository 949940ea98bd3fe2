//! A warning that peers can provoke, told once a minute at most, with the count of what it stands for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Between two warnings of one kind.
const INTERVAL: Duration = Duration::from_secs(60);

/// Counts occasions between warnings.
#[derive(Debug, Default)]
pub(super) struct Rarely {
    untold: AtomicU64,
    last: Mutex<Option<Instant>>,
}

impl Rarely {
    /// Counts an occasion; gives the number of those untold if it is time for a warning.
    pub(super) fn tell(&self) -> Option<u64> {
        self.untold.fetch_add(1, Ordering::Relaxed);
        let mut last = self.last.lock();
        if last.is_some_and(|last| last.elapsed() < INTERVAL) {
            return None;
        }
        *last = Some(Instant::now());
        Some(self.untold.swap(0, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_was_withheld_is_counted() {
        let rarely = Rarely::default();
        assert_eq!(rarely.tell(), Some(1));
        assert_eq!((rarely.tell(), rarely.tell()), (None, None));
        tokio::time::advance(INTERVAL).await;
        assert_eq!((rarely.tell(), rarely.tell()), (Some(3), None));
    }
}
