//! Traces whose time comes sooner than their slot's are pulled forward, with all their spans.

use crate::rig::*;
use engine::{Settings, Source, Token};
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

/// A minute, or a second after the root; a slot is 100 ms long.
fn rooted() -> Settings {
    Settings { after_root: Some(Duration::from_secs(1)), ..wait(60) }
}

#[test]
fn a_root_pulls_its_trace_out_of_a_far_slot() {
    let mut rig = Rig::new(ALWAYS, &rooted());
    rig.send(&[span(1), span(2), span(1)]);
    rig.pass(Duration::from_secs(20));
    rig.send(&[span(1), span(2)]);
    rig.pass(Duration::from_secs(5));
    rig.send(&[span(1).root(), span(1)]);
    rig.pass(Duration::from_millis(900));
    assert_eq!(rig.kept(1), 0, "not before a second has passed");
    rig.send(&[span(1)]);
    rig.pass(Duration::from_millis(300));
    assert_eq!((rig.kept(1), rig.kept(2)), (6, 0), "all of its spans, wherever they lay");
    assert_eq!(rig.check_books().traces_waiting, 1);
    rig.send(&[span(1)]);
    rig.pass(Duration::from_millis(300));
    assert_eq!(rig.kept(1), 7, "late spans follow");
    rig.pass(Duration::from_secs(40));
    assert_eq!((rig.kept(1), rig.kept(2)), (7, 2));
    let books = rig.check_books();
    assert_eq!((books.buffered, books.traces_waiting, books.traces_seen, books.bytes_live), (0, 0, 2, 0));
}

#[test]
fn a_later_root_never_makes_a_trace_wait_longer() {
    let mut rig = Rig::new(ALWAYS, &rooted());
    rig.send(&[span(1).root()]);
    rig.pass(Duration::from_millis(800));
    rig.send(&[span(1).root()]);
    rig.pass(Duration::from_millis(400));
    assert_eq!(rig.kept(1), 2);
    // With less time left than a root would give, nothing changes.
    rig.send(&[span(2)]);
    rig.pass(Duration::from_millis(59_500));
    rig.send(&[span(2).root()]);
    rig.pass(Duration::from_millis(700));
    assert_eq!(rig.kept(2), 2);
}

#[test]
fn a_trace_that_was_pulled_and_is_not_kept_leaves_nothing_behind() {
    let mut rig = Rig::new(ERRORS, &rooted());
    rig.send(&[span(1), span(2)]);
    rig.pass(Duration::from_secs(10));
    rig.send(&[span(1).root(), span(1)]);
    rig.pass(Duration::from_millis(1_200));
    let books = rig.check_books();
    assert_eq!((books.sampled_out, books.traces_waiting), (3, 1));
    rig.send(&[span(1).error()]);
    assert_eq!(rig.check_books().late_sampled_out, 1);
    rig.pass(Duration::from_secs(60));
    assert_eq!((rig.kept.len(), rig.check_books().buffered), (0, 0));
}

#[test]
fn spans_of_a_pulled_trace_come_in_the_order_in_which_they_arrived() {
    let mut rig = Rig::new(ALWAYS, &rooted());
    rig.keep_batches = true;
    for number in 0..4 {
        rig.send(&[span(1).padded(20 + number)]);
        rig.pass(Duration::from_secs(7));
    }
    rig.send(&[span(1).padded(40).root()]);
    rig.pass(Duration::from_millis(1_300));
    let lengths: Vec<usize> = rig.bodies(1).iter().map(Vec::len).collect();
    assert!(lengths.is_sorted() && lengths.len() == 5, "{lengths:?}");
}

#[test]
fn a_whole_policy_sees_all_spans_of_a_pulled_trace() {
    let yaml = "policies: [{name: both, type: and, and: {and_sub_policy: [
        {name: error, type: status_code, status_code: {status_codes: [ERROR]}},
        {name: shop, type: string_attribute, string_attribute: {key: service.name, values: ['^c.rt$'], enabled_regex_matching: true}}]}}]";
    let mut rig = Rig::new(yaml, &rooted());
    rig.send_bytes(&request("cart", &[span(1), span(2)]), &Token::none());
    rig.pass(Duration::from_secs(10));
    rig.send(&[span(1).error().root(), span(2).root()]);
    rig.pass(Duration::from_millis(1_200));
    assert_eq!((rig.kept(1), rig.kept(2)), (2, 0));
}

#[test]
fn the_reason_is_found_in_the_spans_that_lie_elsewhere() {
    let mut rig = Rig::new(ERRORS, &rooted());
    rig.send(&[span(1).error()]);
    rig.pass(Duration::from_secs(10));
    rig.send(&[span(1).root()]);
    rig.pass(Duration::from_millis(1_200));
    assert!(rig.whys.len() == 1 && rig.whys[0].contains("status ERROR in span"), "{:?}", rig.whys);
}

#[test]
fn tokens_of_older_slots_wait_for_the_delivery_of_pulled_spans() {
    let log = Arc::new(Log::default());
    let token = |position| Token::new(Arc::clone(&log) as Arc<dyn Source>, position);
    let mut rig = Rig::new(ALWAYS, &rooted());
    rig.keep_batches = true;
    rig.send_with(&[span(1), span(2)], &token(0));
    rig.pass(Duration::from_secs(10));
    rig.send_with(&[span(1).root()], &token(1));
    rig.pass(Duration::from_millis(1_200));
    assert_eq!(rig.kept(1), 2);
    let pulled = std::mem::take(&mut rig.batches);
    assert_eq!(log.0.load(Ordering::SeqCst), 0);
    rig.pass(Duration::from_secs(60));
    rig.batches.clear();
    assert_eq!(log.0.load(Ordering::SeqCst), 0, "the pulled spans are not delivered yet");
    drop(pulled);
    assert_eq!(log.0.load(Ordering::SeqCst), 0b11);
}

#[test]
fn pulled_traces_survive_early_decisions_and_the_end() {
    let mut rig = Rig::new(ALWAYS, &rooted());
    rig.send(&[span(1), span(2), span(3)]);
    rig.pass(Duration::from_secs(10));
    rig.send(&[span(1).root()]);
    let due = rig.engine.take_early().expect("the near slot");
    assert_eq!(due.traces(), 1);
    rig.settle(due);
    assert_eq!((rig.kept(1), rig.check_books().traces_decided_early), (2, 1));
    rig.send(&[span(2).root()]);
    rig.stop();
    assert_eq!((rig.kept(2), rig.kept(3)), (2, 1));
}

#[test]
fn a_root_that_comes_while_its_trace_is_decided_or_carried() {
    let mut rig = Rig { keep_batches: true, ..Rig::new(ALWAYS, &rooted()) };
    rig.send(&[span(1), span(2)]);
    rig.now_ns += 2 * SECOND;
    let due = rig.engine.take_due(rig.now_ns).expect("the short slot");
    // Both are being carried to a far slot now; their spans are not there yet.
    rig.send(&[span(1).padded(41)]);
    rig.send(&[span(1).padded(60).root(), span(2).padded(41)]);
    rig.settle(due);
    rig.pass(Duration::from_millis(1_200));
    assert_eq!((rig.kept(1), rig.kept(2)), (3, 0));
    rig.pass(Duration::from_secs(60));
    for trace in [1, 2] {
        let lengths: Vec<usize> = rig.bodies(trace).iter().map(Vec::len).collect();
        assert!(lengths.is_sorted() && lengths.len() == [0, 3, 2][trace as usize], "{lengths:?}");
    }
}

#[test]
fn a_trace_that_holds_too_much_is_decided_early_by_what_is_known() {
    let settings = Settings { trace_bytes_max: Some(100_000), ..wait(30) };
    let mut rig = Rig::new(ERRORS, &settings);
    rig.send(&[span(1).error(), span(2), span(3).error()]);
    for _ in 0..120 {
        rig.send(&[span(1).padded(1_000), span(2).padded(1_000)]);
    }
    rig.pass(Duration::from_secs(2));
    assert_eq!((rig.kept(1), rig.kept(2), rig.kept(3)), (121, 0, 0));
    let books = rig.check_books();
    assert_eq!((books.traces_decided_early, books.sampled_out, books.traces_waiting), (2, 121, 1));
}

#[test]
fn random_lives_lose_nothing() {
    let seed = std::env::var("TAILRACE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0x7a11);
    println!("TAILRACE_SEED={seed}");
    let mut state: u64 = seed;
    let mut random = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let settings = Settings { traces_max: Some(20), trace_bytes_max: Some(3_000), ..rooted() };
    let mut rig = Rig::new(ERRORS, &settings);
    let mut sent: BTreeMap<u64, (usize, bool)> = BTreeMap::new();
    for step in 0..1_500u64 {
        let mut spans = Vec::new();
        for _ in 0..random(12) {
            let trace = (step / 4).saturating_sub(random(400)) + random(3);
            let mut span = span(trace).padded(random(300) as usize);
            // Errors come first, so that no late span changes what is to be expected.
            let (count, error) = sent.entry(trace).or_insert((0, trace % 3 == 0));
            *count += 1;
            span.error = *error;
            span.root = random(20) == 0;
            spans.push(span);
        }
        rig.send(&spans);
        rig.pass(Duration::from_millis(random(400)));
        while rig.engine.is_over_traces_max() {
            let due = rig.engine.take_early().expect("something waits");
            rig.settle(due);
        }
    }
    rig.stop();
    for (trace, (count, error)) in sent {
        assert_eq!(rig.kept(trace), if error { count } else { 0 }, "trace {trace}");
    }
    let books = rig.check_books();
    assert!(books.traces_decided_early > 0, "{books:?}");
}

#[test]
fn what_lies_in_old_seats_is_little_beside_what_waits() {
    let settings = Settings { after_root: Some(Duration::from_secs(5)), ..wait(3_600) };
    let mut rig = Rig::new(ERRORS, &settings);
    for second in 0..400u64 {
        let begun = (0..40).map(|n| span(second * 40 + n).padded(300));
        // Each trace's root comes half a minute after its first span.
        let ended = (0..40).filter_map(|n| Some(span(second.checked_sub(30)? * 40 + n).root()));
        rig.send(&begun.chain(ended).collect::<Vec<_>>());
        rig.pass(Duration::from_secs(1));
        let books = rig.engine.books();
        if books.bytes_live > 300_000 {
            assert!(books.bytes_blocks <= 4 * books.bytes_live, "{books:?}");
        }
    }
    let books = rig.check_books();
    assert!(books.traces_waiting <= 40 * 37 && books.bytes_live > 300_000, "{books:?}");
}
