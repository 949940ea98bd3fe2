//! `sampling_strategy: span-ingest`: policies are asked over each piece, and a verdict is acted on with the next slot.

use crate::rig::*;
use engine::{Settings, Source, Token};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

const BY_PIECE: &str = "{sampling_strategy: span-ingest,
    policies: [{name: errors, type: status_code, status_code: {status_codes: [ERROR]}}]}";
const SLOT: Duration = Duration::from_millis(1_000);

#[test]
fn a_kept_trace_is_released_with_the_next_slot_and_in_order() {
    let mut rig = Rig::new(BY_PIECE, &wait(30));
    rig.keep_batches = true;
    rig.send(&[span(1).padded(30), span(2)]);
    rig.pass(Duration::from_secs(5));
    rig.send(&[span(1).padded(31)]);
    rig.send(&[span(1).padded(32).error(), span(1).padded(40)]);
    rig.send(&[span(1).padded(50)]);
    rig.pass(SLOT);
    let lengths: Vec<usize> = rig.bodies(1).iter().map(Vec::len).collect();
    assert!(lengths.is_sorted() && lengths.len() == 5, "{lengths:?}");
    let books = rig.check_books();
    assert_eq!((books.traces_kept, books.late_kept, books.traces_waiting), (1, 1, 1));
    rig.send(&[span(1)]);
    rig.pass(SLOT);
    assert_eq!(rig.kept(1), 6, "late spans follow");
    rig.pass(Duration::from_secs(31));
    assert_eq!(rig.kept(2), 0);
    let books = rig.check_books();
    assert_eq!((books.traces_kept, books.traces_sampled_out, books.buffered), (1, 1, 0));
}

#[test]
fn pieces_end_with_their_resource() {
    let yaml = "{sampling_strategy: span-ingest, policies: [{name: both, type: and, and: {and_sub_policy: [
        {name: error, type: status_code, status_code: {status_codes: [ERROR]}},
        {name: slow, type: string_attribute, string_attribute: {key: pace, values: [slow]}}]}}]}";
    let mut rig = Rig::new(yaml, &wait(5));
    let split = resources(&[("shop", &[span(1).error()]), ("cart", &[span(1).with("pace", "slow")])]);
    rig.send_bytes(&split, &Token::none());
    rig.send(&[span(2).error(), span(3).with("pace", "slow"), span(2).with("pace", "slow")]);
    rig.pass(Duration::from_secs(6));
    assert_eq!((rig.kept(1), rig.kept(2), rig.kept(3)), (0, 2, 0));
}

#[test]
fn a_dropped_trace_is_gone_at_once() {
    let yaml = "{sampling_strategy: span-ingest, policies: [{name: none, type: drop, drop: {drop_sub_policy: [
        {name: health, type: string_attribute, string_attribute: {key: path, values: [health]}}]}}]}";
    let mut rig = Rig::new(yaml, &wait(30));
    rig.send(&[span(1), span(2)]);
    rig.send(&[span(1).with("path", "health")]);
    let books = rig.check_books();
    assert_eq!((books.sampled_out, books.traces_waiting, books.traces_sampled_out_by_drop), (2, 1, 1));
    rig.send(&[span(1)]);
    assert_eq!(rig.check_books().late_sampled_out, 1);
    rig.pass(Duration::from_secs(32));
    assert_eq!((rig.kept.len(), rig.check_books().buffered), (0, 0));
}

#[test]
fn what_is_pending_at_the_end_is_sampled_out() {
    let mut rig = Rig::new(BY_PIECE, &wait(30));
    rig.send(&[span(1), span(2)]);
    rig.send(&[span(2).error()]);
    rig.stop();
    assert_eq!((rig.kept(1), rig.kept(2)), (0, 2));
    assert_eq!(rig.asked("errors"), 3);
}

#[test]
fn roots_and_verdicts_pull_a_trace_twice() {
    let mut rig = Rig::new(BY_PIECE, &Settings { after_root: Some(Duration::from_secs(10)), ..wait(300) });
    rig.send(&[span(1), span(2)]);
    rig.pass(Duration::from_secs(30));
    rig.send(&[span(1), span(2)]);
    rig.send(&[span(1).root(), span(2).root()]);
    rig.pass(Duration::from_secs(3));
    rig.send(&[span(1).error()]);
    rig.pass(Duration::from_millis(500));
    assert_eq!((rig.kept(1), rig.kept(2)), (4, 0));
    rig.pass(Duration::from_secs(10));
    assert_eq!(rig.check_books().traces_waiting, 0);
    rig.pass(Duration::from_secs(300));
    assert_eq!((rig.kept(1), rig.kept(2), rig.check_books().buffered), (4, 0, 0));
}

#[test]
fn tokens_come_back_when_all_is_done() {
    let log = Arc::new(Log::default());
    let token = |position| Token::new(Arc::clone(&log) as Arc<dyn Source>, position);
    let mut rig = Rig::new(BY_PIECE, &wait(10));
    rig.send_with(&[span(1)], &token(0));
    rig.pass(Duration::from_secs(2));
    rig.send_with(&[span(1).error()], &token(1));
    rig.pass(SLOT);
    assert_eq!((rig.kept(1), log.0.load(Ordering::SeqCst)), (2, 0), "both requests wait in the far slot");
    rig.pass(Duration::from_secs(11));
    assert_eq!(log.0.load(Ordering::SeqCst), 0b11);
}

#[test]
fn random_pieces_lose_nothing() {
    let seed = std::env::var("TAILRACE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0x51a7);
    println!("TAILRACE_SEED={seed}");
    let mut state: u64 = seed;
    let mut random = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut rig = Rig::new(BY_PIECE, &Settings { after_root: Some(Duration::from_secs(2)), ..wait(20) });
    let mut expected = std::collections::BTreeMap::new();
    for step in 0..800u64 {
        let mut spans = Vec::new();
        for _ in 0..random(8) {
            let trace = (step / 2).saturating_sub(random(20));
            let mut span = span(trace).padded(random(200) as usize);
            // Every third trace fails with each span: it is kept whatever is forgotten.
            span.error = trace % 3 == 0;
            span.root = random(20) == 0;
            *expected.entry(trace).or_insert(0) += 1;
            spans.push(span);
        }
        rig.send(&spans);
        rig.pass(Duration::from_millis(random(400)));
    }
    rig.stop();
    for (trace, count) in expected {
        assert_eq!(rig.kept(trace), if trace % 3 == 0 { count } else { 0 }, "trace {trace}");
    }
}
