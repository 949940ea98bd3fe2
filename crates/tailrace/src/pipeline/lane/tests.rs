//! Where a request is cut, and who waits for room.

use super::*;
use engine::{Scratch, Settings, due::Limits};
use net::budget::Budget;
use otlp::{Keys, json};
use parking_lot::Mutex;
use policy::{Now, PolicySet, TailSampling};

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
    let outlet = Outlet {
        destinations: Vec::new(),
        budget: Budget::new(1 << 30),
        bytes_max: 1 << 20,
        spans_max: u32::MAX,
        notes: false,
        books: Mutex::new(()),
    };
    let stage =
        Stage::Sample { processor: "tail_sampling".to_owned(), engine: Arc::new(Engine::new(&settings, policies)) };
    Lane::new("traces".to_owned(), stage, outlet, Arc::default())
}

#[tokio::test]
async fn a_request_waits_for_room_but_not_for_long() {
    let lane = Arc::new(lane());
    let engine = Arc::clone(lane.engine().expect("an engine"));
    assert!(lane.has_room(Duration::ZERO).await);
    let (body, scan) = request(&[2]);
    let mut scratch = Scratch::default();
    lane.take_in(&body, &scan, &mut scratch, Clock::new(), usize::MAX).await;
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
