//! Destinations against an exporter that plays a script, with the clock paused: hours pass in no time.

mod partition;

use otlp::Signal;
use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::BoxFuture;
use crate::budget::{Budget, Class};
use crate::exporter::peer::{batch, batch_of, names};
use crate::exporter::queue::{BatchSettings, Sizer};
use crate::exporter::{Delivered, ExportError, Kind};

type Answer = Option<Result<Delivered, ExportError>>;

type Script = dyn Fn(usize, &[u8]) -> Answer + Send + Sync;

/// Answers attempt number `n` with `script(n, body)`; `None` never answers.
struct Scripted {
    script: Box<Script>,
    attempts: Mutex<Vec<(Instant, Bytes)>>,
}

impl Scripted {
    fn new(script: impl Fn(usize, &[u8]) -> Answer + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { script: Box::new(script), attempts: Mutex::default() })
    }

    fn count(&self) -> usize {
        self.attempts.lock().len()
    }

    /// Whole seconds between the first attempt and each.
    fn seconds(&self) -> Vec<u64> {
        let attempts = self.attempts.lock();
        attempts.iter().map(|(at, _)| at.duration_since(attempts[0].0).as_secs()).collect()
    }
}

impl Exporter for Scripted {
    fn export<'a>(&'a self, body: Bytes, _batch: &'a Batch) -> BoxFuture<'a, Result<Delivered, ExportError>> {
        Box::pin(async move {
            let number = {
                let mut attempts = self.attempts.lock();
                attempts.push((Instant::now(), body.clone()));
                attempts.len() - 1
            };
            match (self.script)(number, &body) {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        })
    }
}

fn ok() -> Answer {
    Some(Ok(Delivered::default()))
}

fn fail(kind: Kind) -> Answer {
    Some(Err(ExportError::new(kind, "as the script wants")))
}

fn retry(after_s: Option<u64>) -> Answer {
    fail(Kind::Retry { after: after_s.map(Duration::from_secs) })
}

fn start(exporter: &Arc<Scripted>) -> Arc<Destination> {
    Destination::start("otlp", Signal::Traces, exporter.clone(), QueueSettings::default(), RetrySettings::default())
}

/// Lets everything happen that happens within `seconds`, on the paused clock.
async fn pass(seconds: u64) {
    let _elapsed = tokio::time::timeout(Duration::from_secs(seconds), std::future::pending::<()>()).await;
}

/// What became of the spans: delivered, rejected, dropped by reason, waiting; the residue is checked.
fn fate(stats: DestinationStats) -> String {
    assert_eq!(stats.residue(), (0, 0));
    let dropped = DropReason::ALL.iter().filter(|reason| stats.dropped_for(**reason).items > 0);
    let dropped: Vec<_> =
        dropped.map(|reason| format!("{} {}", reason.name(), stats.dropped_for(*reason).items)).collect();
    let parts = [
        format!("delivered {}", stats.delivered.items),
        format!("rejected {}", stats.rejected),
        dropped.join(" "),
        format!("waiting {}", stats.waiting.items),
    ];
    parts.into_iter().filter(|part| !part.is_empty() && !part.ends_with(" 0")).collect::<Vec<_>>().join(", ")
}

/// Offers one batch of ten spans, lets an hour pass, and drains.
async fn check(script: impl Fn(usize, &[u8]) -> Answer + Send + Sync + 'static, expected: &str) -> Arc<Scripted> {
    let exporter = Scripted::new(script);
    let destination = start(&exporter);
    destination.offer(batch(10));
    pass(3600).await;
    let stats = destination.drain(Instant::now()).await;
    assert_eq!(fate(stats), expected);
    assert_eq!(stats.waiting, Tally::default());
    assert_eq!(stats.waiting_bytes, 0);
    exporter
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_is_delivered() {
    let exporter = check(|_, _| ok(), "delivered 10").await;
    assert_eq!(exporter.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn partial_success_is_never_sent_again() {
    let partial = |rejected| Some(Ok(Delivered { rejected, message: "no".to_owned() }));
    assert_eq!(check(move |_, _| partial(3), "delivered 7, rejected 3").await.count(), 1);
    assert_eq!(check(move |_, _| partial(99), "rejected 10").await.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn retries_until_it_is_taken() {
    let exporter = check(|n, _| if n < 5 { retry(None) } else { ok() }, "delivered 10").await;
    assert_eq!(exporter.count(), 6);
}

#[tokio::test(start_paused = true)]
async fn gives_up_after_max_elapsed_time() {
    let exporter = check(|_, _| retry(None), "max_elapsed 10").await;
    let seconds = exporter.seconds();
    assert!(seconds.len() > 8 && *seconds.last().unwrap() <= 300, "{seconds:?}");
}

#[tokio::test(start_paused = true)]
async fn the_peers_delay_is_a_floor() {
    let exporter = check(|n, _| if n == 0 { retry(Some(60)) } else { ok() }, "delivered 10").await;
    assert!((60..64).contains(&exporter.seconds()[1]), "{:?}", exporter.seconds());
    let exporter = check(|n, _| if n == 0 { retry(Some(0)) } else { ok() }, "delivered 10").await;
    assert!((2..8).contains(&exporter.seconds()[1]), "a delay of zero still backs off");
    assert_eq!(check(|_, _| retry(Some(3600)), "max_elapsed 10").await.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_hour_is_waited_for_where_there_is_no_end() {
    let exporter = Scripted::new(|n, _| if n == 0 { retry(Some(3600)) } else { ok() });
    let retry = RetrySettings { max_elapsed_time: Duration::ZERO, ..RetrySettings::default() };
    let destination = Destination::start("otlp", Signal::Traces, exporter.clone(), QueueSettings::default(), retry);
    destination.offer(batch(10));
    pass(3599).await;
    assert_eq!(fate(destination.stats()), "waiting 10");
    pass(10).await;
    assert_eq!(fate(destination.stats()), "delivered 10");
}

#[tokio::test(start_paused = true)]
async fn without_retry_the_first_failure_is_the_last() {
    let exporter = Scripted::new(|_, _| retry(None));
    let off = RetrySettings { enabled: false, ..RetrySettings::default() };
    let destination = Destination::start("otlp", Signal::Traces, exporter, QueueSettings::default(), off);
    destination.offer(batch(10));
    pass(1).await;
    assert_eq!(fate(destination.stats()), "retry_off 10");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_for_good_is_not_repeated() {
    assert_eq!(check(|_, _| fail(Kind::Permanent), "permanent 10").await.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_bad_span_does_not_take_others_with_it() {
    let refuse = |_: usize, body: &[u8]| {
        if names(body).iter().any(|name| name == "span 3") { fail(Kind::Refused) } else { ok() }
    };
    let exporter = check(refuse, "delivered 9, refused 1").await;
    assert!(exporter.count() <= 9, "{}", exporter.count());
}

#[tokio::test(start_paused = true)]
async fn bisecting_is_bounded() {
    let exporter = Scripted::new(|_, _| fail(Kind::Refused));
    let destination = start(&exporter);
    destination.offer(batch(1000));
    pass(1).await;
    assert_eq!(fate(destination.stats()), "refused 1000");
    assert!((64..=160).contains(&exporter.count()), "{}", exporter.count());
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_goes_in_parts() {
    // 1 MiB in spans of 16 KiB, to a peer that takes 64 KiB; two spans are larger than that alone.
    let long = |len: usize| "x".repeat(len);
    let mut sizes = vec![16 << 10; 64];
    sizes[5] = 70 << 10;
    sizes[40] = 300 << 10;
    let batch = batch_of(&sizes.iter().map(|len| long(*len)).collect::<Vec<_>>());
    let exporter = Scripted::new(|_, body| if body.len() > 64 << 10 { fail(Kind::TooLarge) } else { ok() });
    let destination = start(&exporter);
    destination.offer(batch);
    pass(1).await;
    assert_eq!(fate(destination.stats()), "delivered 62, too_large 2");
    assert!(exporter.count() < 64, "{}", exporter.count());
}

#[tokio::test(start_paused = true)]
async fn too_large_that_is_not_about_size_does_not_become_a_storm() {
    let exporter = check(|_, _| fail(Kind::TooLarge), "too_large 10").await;
    assert!(exporter.count() <= 10, "{}", exporter.count());
}

#[tokio::test(start_paused = true)]
async fn one_dead_destination_does_not_hold_up_another() {
    let (dead, alive) = (Scripted::new(|_, _| None), Scripted::new(|_, _| ok()));
    let (dead, alive) = (start(&dead), start(&alive));
    let mut last = std::sync::Weak::new();
    for _ in 0..100 {
        let batch = batch(10);
        last = Arc::downgrade(&batch);
        dead.offer(batch.clone());
        alive.offer(batch);
    }
    pass(1).await;
    assert_eq!(fate(alive.stats()), "delivered 1000");
    assert_eq!(fate(dead.stats()), "waiting 1000");
    assert!(last.upgrade().is_some(), "a batch lives while a destination waits for it");
    assert_eq!(fate(dead.drain(Instant::now() + Duration::from_secs(5)).await), "shutdown 1000");
    assert!(last.upgrade().is_none(), "and is freed when the last one is done with it");
}

#[tokio::test(start_paused = true)]
async fn a_dead_destination_gives_up_all_it_has_had_for_too_long() {
    let exporter = Scripted::new(|_, _| retry(None));
    let destination = start(&exporter);
    for _ in 0..200 {
        destination.offer(batch(10));
    }
    pass(600).await;
    assert_eq!(fate(destination.stats()), "max_elapsed 2000");
}

#[tokio::test(start_paused = true)]
async fn a_backlog_behind_a_slow_peer_is_not_given_up() {
    // Each request takes 100 s and its first attempt fails: the last batch is tried an hour after it was offered.
    struct Slow(Mutex<std::collections::HashSet<Bytes>>);
    impl Exporter for Slow {
        fn export<'a>(&'a self, body: Bytes, _: &'a Batch) -> BoxFuture<'a, Result<Delivered, ExportError>> {
            Box::pin(async {
                pass(100).await;
                if self.0.lock().insert(body) { Err(ExportError::retry("busy")) } else { Ok(Delivered::default()) }
            })
        }
    }
    let slow = Arc::new(Slow(Mutex::default()));
    let destination =
        Destination::start("otlp", Signal::Traces, slow, QueueSettings::default(), RetrySettings::default());
    for number in 0..200 {
        destination.offer(batch_of(&[format!("span {number}")]));
    }
    pass(6000).await;
    assert_eq!(fate(destination.stats()), "delivered 200");
}

#[tokio::test(start_paused = true)]
async fn concurrency_is_bounded_and_used() {
    for (enabled, expected) in [(true, 4), (false, 1)] {
        let exporter = Scripted::new(|_, _| None);
        let queue = QueueSettings { enabled, num_consumers: 4, ..QueueSettings::default() };
        let destination = Destination::start("otlp", Signal::Traces, exporter.clone(), queue, RetrySettings::default());
        for _ in 0..20 {
            destination.offer(batch(1));
        }
        pass(1).await;
        assert_eq!(exporter.count(), expected);
        drop(destination);
    }
}

#[tokio::test(start_paused = true)]
async fn a_queue_drops_only_where_that_was_written() {
    for (block_on_overflow, sizer, expected) in [
        (None, Sizer::Requests, "waiting 200"),
        (Some(true), Sizer::Requests, "waiting 200"),
        (Some(false), Sizer::Requests, "queue_full 150, waiting 50"),
        (Some(false), Sizer::Items, "queue_full 200"),
        (Some(false), Sizer::Bytes, "queue_full 200"),
    ] {
        let queue = QueueSettings { block_on_overflow, sizer, queue_size: 5, ..QueueSettings::default() };
        let destination =
            Destination::start("otlp", Signal::Traces, Scripted::new(|_, _| None), queue, RetrySettings::default());
        for _ in 0..20 {
            destination.offer(batch(10));
        }
        assert_eq!(fate(destination.stats()), expected, "{block_on_overflow:?} {sizer:?}");
        destination.drain(Instant::now()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn requests_are_no_larger_than_the_configured_batch() {
    for (sizer, max_size, largest_spans) in [(Sizer::Items, 30, 25), (Sizer::Bytes, 1000, 25)] {
        let exporter = Scripted::new(|_, _| ok());
        let sized = BatchSettings { max_size, sizer, min_size: 0, ..BatchSettings::default() };
        let queue = QueueSettings { batch: Some(sized), ..QueueSettings::default() };
        let destination = Destination::start("otlp", Signal::Traces, exporter.clone(), queue, RetrySettings::default());
        destination.offer(batch(100));
        pass(1).await;
        assert_eq!(fate(destination.stats()), "delivered 100");
        let spans: Vec<_> = exporter.attempts.lock().iter().map(|(_, body)| names(body).len()).collect();
        assert!(spans.iter().all(|count| *count <= largest_spans), "{spans:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn copies_are_charged_while_they_exist() {
    let budget = Budget::new(1 << 30);
    let watched = budget.clone();
    let exporter = Scripted::new(move |_, body| {
        let copied = watched.used_by(Class::Scratch);
        assert!(body.len() < 1000 || copied == 0, "the batch itself is no copy");
        assert!(body.len() >= 1000 || copied >= body.len(), "a part is");
        if body.len() > 1000 { fail(Kind::TooLarge) } else { ok() }
    });
    let destination = start(&exporter);
    let body = batch(40).body.clone();
    let charge = budget.charge_always(Class::Batches, body.len());
    destination.offer(Arc::new(Batch {
        signal: Signal::Traces,
        body,
        items: 40,
        notes: Vec::new(),
        client: None,
        charge,
        tokens: Vec::new(),
    }));
    pass(1).await;
    assert_eq!(fate(destination.stats()), "delivered 40");
    assert_eq!(budget.used(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_drain_delivers_what_it_can_and_ends_at_its_deadline() {
    // Half of the batches are taken, the others are never answered.
    let exporter = Scripted::new(|n, _| if n % 2 == 0 { ok() } else { None });
    let destination = start(&exporter);
    for _ in 0..10 {
        destination.offer(batch(10));
    }
    let started = Instant::now();
    let stats = destination.drain(started + Duration::from_secs(20)).await;
    assert_eq!(fate(stats), "delivered 50, shutdown 50");
    assert_eq!(started.elapsed().as_secs(), 20);
    destination.offer(batch(1));
    assert_eq!(fate(destination.stats()), "delivered 50, shutdown 51");
}

#[tokio::test(start_paused = true)]
async fn a_drain_does_not_wait_for_what_cannot_come() {
    let exporter = Scripted::new(|_, _| retry(Some(250)));
    let destination = start(&exporter);
    destination.offer(batch(10));
    pass(1).await;
    let started = Instant::now();
    assert_eq!(fate(destination.drain(started + Duration::from_secs(20)).await), "shutdown 10");
    assert_eq!(started.elapsed().as_secs(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_drain_cuts_our_own_pauses_short() {
    let exporter = Scripted::new(|n, _| if n == 0 { retry(None) } else { ok() });
    let slow = RetrySettings { initial_interval: Duration::from_secs(100), ..RetrySettings::default() };
    let destination = Destination::start("otlp", Signal::Traces, exporter, QueueSettings::default(), slow);
    destination.offer(batch(10));
    pass(1).await;
    assert_eq!(fate(destination.drain(Instant::now() + Duration::from_secs(5)).await), "delivered 10");
}

#[tokio::test(start_paused = true)]
async fn a_panicking_exporter_costs_one_batch() {
    let exporter = Scripted::new(|n, _| if n < 20 { panic!("as the script wants") } else { ok() });
    let destination = start(&exporter);
    for _ in 0..30 {
        destination.offer(batch(10));
    }
    pass(1).await;
    assert_eq!(fate(destination.stats()), "delivered 100, internal 200");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_destination_lets_go_of_everything() {
    let destination = start(&Scripted::new(|_, _| None));
    let batch = batch(10);
    destination.offer(batch.clone());
    pass(1).await;
    drop(destination);
    pass(1).await;
    assert_eq!(Arc::strong_count(&batch), 1);
}

/// Offers batches of ten spans, one a second, to a destination that batches; says how many spans each request had, and
/// when it was sent.
async fn batched(settings: BatchSettings, batches: usize) -> Vec<(usize, u64)> {
    let exporter = Scripted::new(|_, _| ok());
    let queue = QueueSettings { batch: Some(settings), ..QueueSettings::default() };
    let destination = Destination::start("otlp", Signal::Traces, exporter.clone(), queue, RetrySettings::default());
    let started = Instant::now();
    for _ in 0..batches {
        destination.offer(batch(10));
        pass(1).await;
    }
    let stats = destination.drain(Instant::now() + Duration::from_secs(5)).await;
    assert_eq!(fate(stats), format!("delivered {}", batches * 10));
    assert_eq!((stats.delivered.batches, stats.in_flight), (batches as u64, 0));
    assert_eq!(destination.sizes().items.count as usize, exporter.count());
    let attempts = exporter.attempts.lock();
    attempts.iter().map(|(at, body)| (names(body).len(), at.duration_since(started).as_secs())).collect()
}

#[tokio::test(start_paused = true)]
async fn waiting_batches_leave_together() {
    let settings = |min_size, max_size, flush_s| BatchSettings {
        min_size,
        max_size,
        sizer: Sizer::Items,
        flush_timeout: Duration::from_secs(flush_s),
        ..BatchSettings::default()
    };
    // As soon as there are enough.
    assert_eq!(batched(settings(30, 0, 100), 6).await, [(30, 2), (30, 5)]);
    // After the timeout of the first; a drain does not wait for it.
    assert_eq!(batched(settings(1000, 0, 2), 6).await, [(30, 2), (30, 5)]);
    assert_eq!(batched(settings(1000, 0, 100), 3).await, [(30, 3)]);
    // Never more than the largest size: the third does not fit.
    assert_eq!(batched(settings(25, 25, 100), 4).await, [(20, 2), (20, 4)]);
    assert_eq!(batched(settings(0, 0, 100), 2).await, [(10, 0), (10, 1)]);
    let bytes = batch(10).body.len() as u64;
    let by_bytes = BatchSettings { sizer: Sizer::Bytes, ..settings(bytes * 2, 0, 100) };
    assert_eq!(batched(by_bytes, 4).await, [(20, 1), (20, 3)]);
}

#[tokio::test(start_paused = true)]
async fn one_request_of_many_batches_settles_them_all() {
    let budget = Budget::new(1 << 30);
    let exporter = Scripted::new(|n, _| if n == 0 { retry(None) } else { fail(Kind::Permanent) });
    let sized = BatchSettings { min_size: 30, sizer: Sizer::Items, ..BatchSettings::default() };
    let queue = QueueSettings { batch: Some(sized), ..QueueSettings::default() };
    let destination = Destination::start("otlp", Signal::Traces, exporter, queue, RetrySettings::default());
    let token: Arc<dyn std::any::Any + Send + Sync> = Arc::new(());
    for _ in 0..3 {
        let body = batch(10).body.clone();
        let charge = budget.charge_always(Class::Batches, body.len());
        let tokens = vec![token.clone()];
        destination.offer(Arc::new(Batch {
            signal: Signal::Traces,
            body,
            items: 10,
            notes: Vec::new(),
            client: None,
            charge,
            tokens,
        }));
    }
    pass(1).await;
    assert_eq!((fate(destination.stats()), destination.stats().in_flight), ("waiting 30".to_owned(), 1));
    assert_eq!(Arc::strong_count(&token), 4);
    pass(60).await;
    let stats = destination.stats();
    assert_eq!((fate(stats), stats.dropped_total().batches), ("permanent 30".to_owned(), 3));
    assert_eq!((stats.sent(), stats.send_failed(), stats.enqueue_failed()), (0, 30, 0));
    assert_eq!((Arc::strong_count(&token), budget.used()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_dead_consumer_is_seen() {
    let destination = start(&Scripted::new(|_, _| ok()));
    destination.offer(batch(1));
    pass(1).await;
    assert!(destination.is_alive());
    destination.consumers.lock()[3].abort();
    pass(1).await;
    assert!(!destination.is_alive());
    destination.drain(Instant::now()).await;
    assert!(destination.is_alive(), "it is stopped, not dead");
}
