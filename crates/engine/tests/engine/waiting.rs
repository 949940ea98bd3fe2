//! Traces wait, are decided whole, and their late spans follow.

use crate::rig::*;
use engine::{Settings, Source, Token};
use otlp::scan::Scan;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

#[test]
fn a_trace_is_decided_whole_after_its_wait() {
    let mut rig = Rig::new(ERRORS, &wait(5));
    rig.send(&[span(1), span(2), span(1)]);
    rig.pass(Duration::from_secs(4));
    rig.send(&[span(1).error()]);
    assert_eq!(rig.kept(1), 0, "nothing is decided before its time");
    rig.pass(Duration::from_millis(1_300));
    assert_eq!((rig.kept(1), rig.kept(2)), (3, 0));
    let books = rig.check_books();
    assert_eq!((books.kept, books.sampled_out, books.buffered, books.traces_waiting), (3, 1, 0, 0));
    assert_eq!(rig.whys.len(), 1);
    assert!(rig.whys[0].starts_with("`errors`: status ERROR in span `"), "{:?}", rig.whys);
}

#[test]
fn late_spans_follow_the_verdict() {
    let mut rig = Rig::new(ERRORS, &wait(1));
    rig.send(&[span(1).error(), span(2)]);
    rig.pass(Duration::from_secs(2));
    rig.send(&[span(1), span(2).error(), span(1)]);
    rig.pass(Duration::from_millis(300));
    assert_eq!((rig.kept(1), rig.kept(2)), (3, 0));
    let books = rig.check_books();
    assert_eq!((books.late_kept, books.late_sampled_out), (2, 1));
    assert_eq!(rig.whys[1..], ["errors"], "what the policy found is not among the late spans");
    assert_eq!((books.traces_seen, books.traces_kept, books.traces_sampled_out), (2, 1, 1));
}

#[test]
fn spans_that_come_while_their_trace_is_decided_follow_it() {
    let mut rig = Rig::new(ERRORS, &wait(1));
    rig.send(&[span(1).error(), span(2)]);
    rig.now_ns += 2 * SECOND;
    let due = rig.engine.take_due(rig.now_ns).expect("a slot is due");
    rig.send(&[span(1), span(2)]);
    rig.settle(due);
    assert_eq!((rig.kept(1), rig.kept(2)), (1, 0));
    rig.pass(Duration::from_millis(300));
    assert_eq!((rig.kept(1), rig.kept(2)), (2, 0));
    assert_eq!(rig.check_books().buffered, 0);
}

#[test]
fn a_root_shortens_the_wait_and_the_rootless_wait_on() {
    let settings = Settings { after_root: Some(Duration::from_secs(1)), ..wait(60) };
    let mut rig = Rig::new(ALWAYS, &settings);
    rig.send(&[span(1).root(), span(2), span(1)]);
    rig.pass(Duration::from_secs(2));
    assert_eq!((rig.kept(1), rig.kept(2)), (2, 0));
    rig.send(&[span(2)]);
    rig.pass(Duration::from_secs(40));
    assert_eq!(rig.kept(2), 0);
    rig.pass(Duration::from_secs(22));
    assert_eq!(rig.kept(2), 2, "a rootless trace waits for decision_wait, no longer");
}

#[test]
fn an_hour_of_waiting_for_roots_holds_little_more_than_what_waits() {
    let settings = Settings { after_root: Some(Duration::from_secs(5)), ..wait(3_600) };
    let mut rig = Rig::new(ERRORS, &settings);
    for second in 0..5_000u64 {
        let mut spans = Vec::new();
        for n in 0..20 {
            let trace = second * 20 + n;
            spans.push(if trace % 100 == 0 { span(trace).padded(300) } else { span(trace).root().padded(300) });
        }
        rig.send(&spans);
        rig.pass(Duration::from_secs(1));
        let books = rig.engine.books();
        // Below a few blocks' worth the slots' own overhead would be measured, not the copying.
        if books.bytes_live > 1 << 20 {
            assert!(books.bytes_blocks <= 4 * books.bytes_live, "{books:?}");
        }
    }
    let books = rig.check_books();
    assert!(books.traces_waiting < 1_500, "{books:?}");
}

#[test]
fn blocks_are_opened_once_when_traces_trickle_in() {
    for keep_percent in [3, 10, 30] {
        let mut rig = Rig::new(ERRORS, &wait(10));
        for tenth in 0..300u64 {
            let spans: Vec<Span> = (0..400u64)
                .map(|n| {
                    // Each trace is first seen within the last five seconds and gets its later spans meanwhile.
                    let trace = tenth.saturating_sub(n % 50) * 40 + n / 50;
                    let span = span(trace).padded(300);
                    if trace % 100 < keep_percent { span.error() } else { span }
                })
                .collect();
            rig.send(&spans);
            rig.pass(Duration::from_millis(100));
        }
        rig.pass(Duration::from_secs(12));
        let books = rig.check_books();
        assert!(books.blocks > 100, "{books:?}");
        assert!(books.block_opens * 10 <= books.blocks * 12, "{books:?}");
        assert_eq!(books.buffered, 0);
    }
}

#[test]
fn a_giant_request_and_a_giant_trace_pass() {
    let mut rig = Rig::new(ERRORS, &wait(1));
    let giant: Vec<Span> = (0..50_000).map(|n| if n == 49_999 { span(1).error() } else { span(1) }).collect();
    rig.send(&giant);
    let wide: Vec<Span> = (0..64).map(|n| span(100 + n).padded(1 << 20).error()).collect();
    rig.send(&wide);
    rig.pass(Duration::from_secs(2));
    assert_eq!(rig.kept(1), 50_000);
    assert_eq!((0..64).map(|n| rig.kept(100 + n)).sum::<usize>(), 64);
}

#[test]
fn kept_spans_leave_byte_for_byte_with_their_resource_and_scope() {
    let mut rig = Rig::new(ALWAYS, &wait(1));
    rig.keep_batches = true;
    let spans = [span(1), span(2).error(), span(1).root()];
    let sent = request("shop", &spans);
    rig.send_bytes(&sent, &Token::none());
    rig.pass(Duration::from_secs(2));
    assert_eq!(rig.batches.len(), 1);
    let body = &rig.batches[0].body;
    let bodies = |scan: &Scan, bytes: &[u8]| {
        let mut bodies: Vec<Vec<u8>> = Vec::new();
        for span in &scan.spans {
            let group = &scan.groups[span.group as usize];
            let resource = &scan.resources[group.resource as usize];
            let start = span.body.start as usize;
            let mut all = scan.resource_header(bytes, resource).to_vec();
            all.extend(scan.scope_header(bytes, group));
            all.extend(&bytes[start..start + span.body.len as usize]);
            bodies.push(all);
        }
        bodies.sort();
        bodies
    };
    rig.scan.run(&sent).unwrap();
    let before = bodies(&rig.scan, &sent);
    rig.scan.run(body).unwrap();
    assert_eq!(bodies(&rig.scan, body), before);
}

#[test]
fn a_token_comes_back_once_when_all_is_decided_and_delivered() {
    let log = Arc::new(Log::default());
    let mut rig = Rig::new(ERRORS, &wait(1));
    rig.keep_batches = true;
    let token = |position| Token::new(Arc::clone(&log) as Arc<dyn Source>, position);
    rig.send_with(&[span(1).error(), span(2)], &token(0));
    rig.send_with(&[span(3)], &token(1));
    assert_eq!(log.0.load(Ordering::SeqCst), 0);
    rig.pass(Duration::from_secs(2));
    rig.send_with(&[span(2)], &token(2));
    assert_eq!(log.0.load(Ordering::SeqCst) & 0b100, 0b100, "a late span of a sampled-out trace is done with at once");
    assert!(!rig.batches.is_empty());
    rig.batches.clear();
    assert_eq!(log.0.load(Ordering::SeqCst), 0b111, "delivered");
}

#[test]
fn a_whole_policy_reads_the_stored_spans() {
    let yaml = "policies: [{name: both, type: and, and: {and_sub_policy: [
        {name: error, type: status_code, status_code: {status_codes: [ERROR]}},
        {name: shop, type: string_attribute, string_attribute: {key: service.name, values: ['^sh.p$'], enabled_regex_matching: true}}]}}]";
    let mut rig = Rig::new(yaml, &wait(1));
    rig.send(&[span(1).error(), span(2)]);
    rig.send_bytes(&request("cart", &[span(3).error()]), &Token::none());
    rig.pass(Duration::from_secs(2));
    assert_eq!((rig.kept(1), rig.kept(2), rig.kept(3)), (1, 0, 0));
}

#[test]
fn limits_are_charged_in_order_of_first_arrival_over_all_shards() {
    let yaml =
        "policies: [{name: few, type: rate_limiting, rate_limiting: {spans_per_second: 10, burst_capacity: 10}}]";
    let mut rig = Rig::new(yaml, &wait(1));
    for trace in 0..40 {
        rig.send(&[span(trace)]);
        rig.now_ns += 1_000;
    }
    rig.pass(Duration::from_secs(2));
    let kept: Vec<u64> = (0..40).filter(|trace| rig.kept(*trace) > 0).collect();
    assert_eq!(kept, (0..10).collect::<Vec<_>>());
}

#[test]
fn too_many_traces_are_decided_early_not_evicted() {
    let mut rig = Rig::new(ERRORS, &Settings { traces_max: Some(100), ..wait(30) });
    for trace in 0..300 {
        rig.send(&[if trace % 3 == 0 { span(trace).error() } else { span(trace) }]);
        rig.now_ns += SECOND / 10;
        while rig.engine.is_over_traces_max() {
            let due = rig.engine.take_early().expect("something waits");
            rig.settle(due);
        }
    }
    assert!(rig.engine.traces_waiting() <= 100);
    let books = rig.check_books();
    assert!(books.traces_decided_early >= 200, "{books:?}");
    while let Some(due) = rig.engine.take_rest() {
        rig.settle(due);
    }
    assert_eq!(rig.kept.len(), 100, "every trace with an error is kept");
    assert_eq!(rig.check_books().buffered, 0);
}

#[test]
fn what_was_held_is_given_back() {
    let mut rig = Rig::new(ERRORS, &wait(1));
    for round in 0..20u64 {
        let spans: Vec<Span> = (0..2_000).map(|n| span(round * 2_000 + n).padded(300)).collect();
        rig.send(&spans);
        rig.pass(Duration::from_millis(100));
    }
    let peak = rig.check_books();
    assert!(peak.bytes_held > 100_000, "{peak:?}");
    rig.pass(Duration::from_secs(5));
    let after = rig.check_books();
    assert_eq!((after.bytes_blocks, after.bytes_live), (0, 0));
    assert!(after.bytes_held < 40_000 * 16 + 100_000, "{after:?}");
}

#[test]
fn a_slot_that_is_too_large_to_be_unpacked_is_looked_at_in_parts() {
    let yaml = "policies: [{name: both, type: and, and: {and_sub_policy: [
        {name: error, type: status_code, status_code: {status_codes: [ERROR]}},
        {name: slow, type: string_attribute, string_attribute: {key: pace, values: ['^sl.w$'], enabled_regex_matching: true}}]}}]";
    let mut rig = Rig::new(yaml, &wait(1));
    for part in 0..2u64 {
        for trace in 0..40 {
            let span = span(trace).padded(400_000);
            // The two halves of what makes a trace match come apart.
            rig.send(&[if part == 0 {
                span.error()
            } else {
                span.with("pace", if trace < 30 { "slow" } else { "fast" })
            }]);
        }
    }
    rig.pass(Duration::from_secs(2));
    assert_eq!((0..40).map(|trace| rig.kept(trace)).sum::<usize>(), 60);
    assert_eq!(rig.whys.len(), 30);
}
