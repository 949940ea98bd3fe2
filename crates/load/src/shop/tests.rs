//! The shop is what it promises to be: repeatable, whole, and wrong in every way it says.

use super::*;
use crate::sink::{Record, Sink, SinkOptions};
use std::collections::{HashMap, HashSet};

const NOW_NS: u64 = 1_700_000_000_000_000_000;

fn traces(seed: u64) -> Vec<ShopTrace> {
    let mut shop = Shop::new(seed);
    (0..2 * Scene::DECK_SIZE).map(|_| shop.next_trace(NOW_NS)).collect()
}

fn all_spans(trace: &ShopTrace) -> Vec<(&Service, &Span)> {
    trace.spans.iter().flat_map(|(service, spans)| spans.iter().map(move |span| (service, span))).collect()
}

/// How often the most frequent span name of a trace occurs.
fn repetitions(trace: &ShopTrace) -> usize {
    let mut names = HashMap::<_, usize>::new();
    for (service, span) in all_spans(trace) {
        *names.entry((service, &span.name)).or_default() += 1;
    }
    names.into_values().max().unwrap_or(0)
}

#[test]
fn a_seed_decides_everything() {
    assert_eq!(traces(1), traces(1));
    assert_ne!(traces(1)[0].trace_id, traces(2)[0].trace_id);
}

#[test]
fn every_scene_has_its_share() {
    assert_eq!(Scene::SHARES.iter().map(|(_, count)| count).sum::<usize>(), Scene::DECK_SIZE);
    let traces = traces(3);
    for (scene, count) in Scene::SHARES {
        assert_eq!(traces.iter().filter(|trace| trace.scene == scene).count(), 2 * count, "{scene:?}");
    }
    let ids: HashSet<_> = traces.iter().map(|trace| trace.trace_id).collect();
    assert_eq!(ids.len(), traces.len());
}

#[test]
fn scenes_are_what_they_are_called() {
    for trace in traces(4) {
        let spans = all_spans(&trace);
        let failed = spans.iter().any(|(_, span)| span.status.is_some());
        let threw = spans.iter().any(|(_, span)| span.events.iter().any(|event| event.name == "exception"));
        let slow = trace.duration > Duration::from_secs(1);
        let known: HashSet<_> = spans.iter().map(|(_, span)| &span.span_id).collect();
        let orphans =
            spans.iter().filter(|(_, span)| !span.parent_span_id.is_empty() && !known.contains(&span.parent_span_id));
        let expected = match trace.scene {
            Scene::Browse | Scene::Buy | Scene::ManyQueries => (false, false, false, 0),
            Scene::CardDeclined => (true, true, false, 0),
            Scene::RetryStorm => (true, true, slow, 0),
            Scene::Orphan => (false, false, false, 1),
            Scene::SlowPayment | Scene::SlowQuery => (false, false, true, 0),
        };
        assert_eq!((failed, threw, slow, orphans.count()), expected, "{:?}", trace.scene);
        assert_eq!(
            repetitions(&trace) >= 5,
            matches!(trace.scene, Scene::ManyQueries | Scene::RetryStorm),
            "{:?}",
            trace.scene
        );
    }
}

#[test]
fn spans_are_whole_and_end_by_now() {
    for trace in traces(5) {
        let spans = all_spans(&trace);
        assert!((3..80).contains(&spans.len()));
        assert_eq!(spans.iter().filter(|(_, span)| span.parent_span_id.is_empty()).count(), 1);
        assert_eq!(spans.iter().map(|(_, span)| span.end_time_unix_nano).max(), Some(NOW_NS));
        for (_, span) in &spans {
            assert_eq!(span.trace_id, trace.trace_id);
            assert!(span.start_time_unix_nano < span.end_time_unix_nano, "{}", span.name);
            assert!(span.attributes.len() >= 3, "{}", span.name);
        }
        assert_eq!(trace.resource_spans().len(), trace.spans.len());
    }
}

#[tokio::test]
async fn a_run_sends_the_traces_of_its_seed() {
    let sink = Sink::start(SinkOptions { record: Record::Traces, ..SinkOptions::default() }).await.expect("free ports");
    let report = run_shop(&sink.address().to_string(), 6, Duration::from_millis(400)).await.expect("the sink is there");
    let mut shop = Shop::new(6);
    let expected: HashMap<_, _> = (0..report.traces)
        .map(|_| shop.next_trace(NOW_NS))
        .map(|trace| (trace.trace_id, all_spans(&trace).len() as u32))
        .collect();
    assert_eq!(report.traces, 4);
    assert_eq!(sink.traces(), expected);
    assert_eq!(report.lost_spans, 0);
}
