//! What bounds the engine: the size of a trace, the number of traces and of remembered verdicts, and its end.

use crate::rig::*;
use engine::{DropReason, Most, Settings};
use std::time::Duration;

#[test]
fn what_is_pending_at_the_end_is_dropped_where_that_is_wanted() {
    let mut rig = Rig::new(ALWAYS, &Settings { drop_pending: true, ..wait(1) });
    rig.send(&[span(1)]);
    rig.pass(Duration::from_millis(1_100));
    assert_eq!(rig.kept(1), 1);
    rig.send(&[span(1), span(2), span(2)]);
    rig.stop();
    assert_eq!((rig.kept(1), rig.kept(2)), (2, 0), "late spans have their verdict already");
    let books = rig.check_books();
    assert_eq!((books.dropped_for(DropReason::Shutdown), books.traces_dropped, books.traces_kept), (2, 1, 1));
}

#[test]
fn with_block_on_overflow_nothing_is_decided_early_and_room_comes_with_the_slots() {
    let settings = Settings { traces_max: Some(10), block_on_overflow: true, ..wait(2) };
    let mut rig = Rig::new(ALWAYS, &settings);
    for trace in 0..10 {
        assert!(rig.engine.has_room());
        rig.send(&[span(trace)]);
    }
    assert!(!rig.engine.has_room() && !rig.engine.is_over_traces_max());
    rig.pass(Duration::from_millis(2_200));
    assert!(rig.engine.has_room());
    assert_eq!((rig.kept.len(), rig.check_books().traces_decided_early), (10, 0));
    let plain = Rig::new(ALWAYS, &Settings { traces_max: Some(0), ..wait(2) });
    assert!(plain.engine.has_room(), "only block_on_overflow makes anybody wait");
}

#[test]
fn decision_caches_bound_what_is_remembered_oldest_first() {
    let most = Most { kept: Some(4), sampled_out: Some(400) };
    let mut rig = Rig::new(ERRORS, &Settings { decided_most: most, ..wait(1) });
    for trace in 0..200 {
        rig.send(&[span(trace).error(), span(1_000 + trace)]);
    }
    rig.pass(Duration::from_millis(1_200));
    let before = rig.check_books();
    assert!(before.remembered <= 204, "{before:?}");
    for trace in 0..200 {
        rig.send(&[span(trace), span(1_000 + trace).error()]);
    }
    let books = rig.check_books();
    assert!(books.late_sampled_out == 200, "all of the larger side are remembered: {books:?}");
    assert!(books.traces_seen >= before.traces_seen + 196, "the others begin anew: {books:?}");
}

const LIMIT: &str = "maximum_trace_size_bytes: 400, policies: [{name: all, type: always_sample}]";

#[test]
fn a_trace_larger_than_the_user_allows_is_dropped_at_once() {
    let mut rig = Rig::new(&format!("{{{LIMIT}}}"), &wait(5));
    rig.send(&[span(1), span(2)]);
    rig.pass(Duration::from_secs(1));
    rig.send(&[span(1)]);
    rig.send(&[span(1).padded(200)]);
    let books = rig.check_books();
    assert_eq!((books.traces_dropped_too_large, books.dropped_for(DropReason::TooLarge)), (1, 3), "{books:?}");
    assert_eq!((books.traces_waiting, books.traces_sampled_out), (1, 0));
    rig.send(&[span(1), span(1)]);
    assert_eq!(rig.check_books().late_sampled_out, 2);
    rig.pass(Duration::from_secs(6));
    assert_eq!((rig.kept(1), rig.kept(2)), (0, 1));
    assert_eq!(rig.check_books().buffered, 0);
}

#[test]
fn a_piece_that_makes_its_trace_too_large_is_lost_whole() {
    let mut rig = Rig::new(&format!("{{{LIMIT}}}"), &wait(1));
    let spans: Vec<Span> = (0..10).map(|_| span(1).padded(100)).collect();
    rig.send(&spans);
    let books = rig.check_books();
    assert_eq!(books.traces_dropped_too_large, 1);
    assert_eq!(books.dropped_for(DropReason::TooLarge) + books.late_sampled_out, 10, "{books:?}");
    rig.pass(Duration::from_secs(2));
    assert_eq!((rig.kept(1), rig.check_books().buffered), (0, 0));
}

#[test]
fn the_memory_of_a_large_trace_is_given_back_when_it_is_decided() {
    let settings = Settings { trace_bytes_max: Some(7 << 20), shards: 1, ..wait(60) };
    let mut rig = Rig::new(ERRORS, &settings);
    rig.send(&[span(1)]);
    for _ in 0..8_000 {
        rig.send(&[span(2).padded(1_000)]);
    }
    let before = rig.check_books();
    rig.pass(Duration::from_secs(3));
    let books = rig.check_books();
    assert_eq!((books.traces_decided_early, books.traces_waiting), (1, 1));
    assert!(books.bytes_blocks * 3 < before.bytes_blocks, "{before:?} {books:?}");
    rig.pass(Duration::from_secs(60));
    assert_eq!(rig.check_books().buffered, 0);
}
