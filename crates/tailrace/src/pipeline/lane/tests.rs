//! Where a request is cut, and who waits for room.

use super::{sample::next_step, *};
use crate::pipeline::chain::Chain;
use engine::{Scratch, Settings, due::Limits};
use http::{HeaderName, HeaderValue};
use net::{budget::Budget, client::Metadata};
use otlp::{Signal, json};
use policy::{Now, PolicySet, TailSampling};
use std::ops::Range;

const HOUR: Duration = Duration::from_secs(3_600);

/// A request in which each number is a resource with so many spans, each of another trace.
fn request(resources: &[usize]) -> (Vec<u8>, Scan) {
    let mut trace = 0u128;
    let resources: Vec<String> = resources
        .iter()
        .map(|spans| {
            let spans: Vec<String> = (0..*spans)
                .map(|_| {
                    trace += 1;
                    format!(r#"{{"traceId":"{trace:032x}","spanId":"0102030405060708"}}"#)
                })
                .collect();
            format!(r#"{{"scopeSpans":[{{"spans":[{}]}}]}}"#, spans.join(","))
        })
        .collect();
    let text = format!(r#"{{"resourceSpans":[{}]}}"#, resources.join(","));
    let request = json::decode(otlp::Signal::Traces, text.as_bytes()).expect("a request");
    let mut scan = Scan::new(Arc::new(Keys::default()));
    scan.run(&request).expect("a request");
    (request, scan)
}

fn steps(scan: &Scan, step_bytes: usize, whole: bool) -> Vec<Range<usize>> {
    let mut steps = Vec::new();
    while steps.last().map_or(0, |step: &Range<usize>| step.end) < scan.spans.len() {
        steps.push(next_step(scan, steps.last().map_or(0, |step| step.end), step_bytes, whole));
    }
    steps
}

#[test]
fn a_request_is_cut_anywhere_or_between_its_resources() {
    let (_, scan) = request(&[3, 1, 1, 2]);
    assert_eq!(steps(&scan, 1, false), [0..1, 1..2, 2..3, 3..4, 4..5, 5..6, 6..7]);
    assert_eq!(steps(&scan, 1, true), [0..3, 3..4, 4..5, 5..7]);
    let bytes = scan.spans[0].body.len as usize;
    assert_eq!(steps(&scan, bytes * 2, false), [0..2, 2..4, 4..6, 6..7]);
    assert_eq!(steps(&scan, bytes * 4, true), [0..4, 4..7]);
    assert_eq!(steps(&scan, usize::MAX, true).len(), 1);
}

/// A lane in which two traces may wait.
fn lane() -> Lane {
    let yaml = "yaml:policies: [{name: all, type: always_sample}]".to_owned();
    let (node, ..) = settings::load(&[yaml], &[], &|_| None);
    let decoded = TailSampling::decode(&node.expect("YAML"), &mut settings::Problems::new()).expect("settings");
    let policies = Arc::new(PolicySet::new(&decoded, &mut Keys::default(), Now::default()));
    let settings = Settings { traces_max: Some(2), block_on_overflow: true, ..Settings::default() };
    let engine = Arc::new(Engine::new(&settings, policies));
    let id = PipelineId { signal: Signal::Traces, name: None };
    Lane::new(id, Some(("tail_sampling".to_owned(), engine)), Arc::new(parts(None)), Arc::default())
}

/// The way of requests that are gathered, or not, and lead nowhere.
fn parts(gather: Option<GatherSettings>) -> Parts {
    let outlet = Outlet {
        signal: Signal::Traces,
        ways: Vec::new(),
        behind: Vec::new(),
        budget: Budget::new(1 << 30),
        bytes_max: 1 << 20,
        items_max: u32::MAX,
        notes: false,
    };
    Parts { before: Chain::default(), after: Chain::default(), outlet, gather, keys: Arc::default() }
}

#[tokio::test]
async fn a_request_waits_for_room_but_not_for_long() {
    let lane = Arc::new(lane());
    let engine = Arc::clone(lane.engine().expect("an engine"));
    assert!(lane.has_room(Duration::ZERO).await);
    let (body, scan) = request(&[2]);
    let mut scratch = Scratch::default();
    lane.sample(&lane.parts(), &body, &scan, &mut scratch, Clock::new(), usize::MAX).await;
    assert!(!lane.has_room(Duration::ZERO).await, "nobody frees anything");

    let waiting = Arc::clone(&lane);
    let waiter = tokio::spawn(async move { waiting.has_room(HOUR).await });
    tokio::task::yield_now().await;
    let limits = Limits { bytes_max: 1 << 20, spans_max: u32::MAX, notes: false };
    while let Some(due) = engine.take_rest() {
        due.decide(&engine, Now::default()).assemble(&engine, limits, 0, &mut scratch, &mut drop);
    }
    lane.room.notify_waiters();
    assert!(waiter.await.expect("no panic"));
}

/// What is left of a full batch and too little by itself waits for more, or for its time.
#[tokio::test(start_paused = true)]
async fn requests_are_gathered_until_full_or_old() {
    let gather = GatherSettings { timeout: Duration::from_secs(1), items_min: 4, items_max: 4, keys: Vec::new() };
    let id = PipelineId { signal: Signal::Traces, name: None };
    let lane = Arc::new(Lane::new(id, None, Arc::new(parts(Some(gather))), Arc::default()));
    let clock = Clock::new();
    lane.watch(tokio::spawn(Arc::clone(&lane).watch_gathered(clock)));
    let waiting_and_sent = || {
        let counts = lane.counts.lock();
        (counts.gathered.items(), counts.sent)
    };
    let send = |spans: usize| lane.pass(request(&[spans]).0.into(), spans as u64, None, clock);
    send(3);
    assert_eq!(waiting_and_sent(), (3, 0));
    send(3);
    assert_eq!(waiting_and_sent(), (2, 4));
    send(10);
    assert_eq!(waiting_and_sent(), (0, 16));
    send(1);
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert_eq!(waiting_and_sent(), (1, 16));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(waiting_and_sent(), (0, 17));
    lane.set_parts(Arc::new(parts(None)), clock);
    send(2);
    assert_eq!(waiting_and_sent(), (0, 19));
    lane.unwatch();
}

/// What clients that differ in a metadata key send fills batches of its own, each with its own time.
#[tokio::test(start_paused = true)]
async fn requests_are_gathered_by_their_clients_metadata() {
    let keys = vec!["x-tenant".to_owned()];
    let gather = GatherSettings { timeout: Duration::from_secs(1), items_min: 4, items_max: 0, keys };
    let id = PipelineId { signal: Signal::Traces, name: None };
    let lane = Arc::new(Lane::new(id, None, Arc::new(parts(Some(gather))), Arc::default()));
    let clock = Clock::new();
    lane.watch(tokio::spawn(Arc::clone(&lane).watch_gathered(clock)));
    let waiting_and_sent = || {
        let counts = lane.counts.lock();
        (counts.gathered.items(), counts.sent, counts.batches.sizes.items.count)
    };
    let send = |tenant: Option<&'static str>, spans: usize| {
        let of = |tenant| http::HeaderMap::from_iter([(HeaderName::from_static("x-tenant"), tenant)]);
        let headers = tenant.map(|tenant| of(HeaderValue::from_static(tenant))).unwrap_or_default();
        let client = Client { metadata: Metadata::of_headers(&headers), ..Client::default() };
        lane.pass(request(&[spans]).0.into(), spans as u64, Some(Arc::new(client)), clock);
    };
    send(Some("A"), 3);
    tokio::time::sleep(Duration::from_millis(500)).await;
    send(Some("B"), 3);
    send(None, 3);
    assert_eq!(waiting_and_sent(), (9, 0, 0));
    send(Some("B"), 1);
    assert_eq!(waiting_and_sent(), (6, 4, 1));
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(waiting_and_sent(), (3, 7, 2), "the first one's time has come");
    lane.flush(clock);
    assert_eq!(waiting_and_sent(), (0, 10, 3));
    lane.unwatch();
}
