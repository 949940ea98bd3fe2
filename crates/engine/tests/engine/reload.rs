//! Settings and policies that change while traces wait.

use crate::rig::*;
use engine::{Settings, Source, Token};
use otlp::Keys;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

const NEVER: &str = "policies: [{name: never, type: status_code, status_code: {status_codes: [OK]}}]";
const SLOW_AND_ALL: &str = "policies: [{name: slow, type: latency, latency: {threshold_ms: 100000}},
    {name: all, type: always_sample}]";
const ALL_AND_ERRORS: &str = "policies: [{name: all, type: always_sample},
    {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}]";
const BY_PIECE: &str = "{sampling_strategy: span-ingest,
    policies: [{name: failed, type: status_code, status_code: {status_codes: [ERROR]}}]}";
const PACE: &str = "policies: [{name: pace, type: string_attribute, string_attribute: {key: pace, values: [slow]}}]";
const SHOP: &str =
    "policies: [{name: shop, type: string_attribute, string_attribute: {key: service.name, values: [shop]}}]";

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// What the spans of a trace, before and after a reload from `ERRORS` to `SLOW_AND_ALL`, come to: who keeps it.
#[test]
fn a_trace_finishes_under_what_it_began_under() {
    let cases: &[(&[Span], &[Span], Option<&str>)] = &[
        (&[span(1).error()], &[], Some("errors")),
        (&[span(1)], &[], None),
        (&[span(1)], &[span(1).error()], Some("errors")),
        (&[span(1).error()], &[span(1)], Some("errors")),
        (&[], &[span(1).error()], Some("all")),
        (&[], &[span(1)], Some("all")),
    ];
    for (before, after, expected) in cases {
        let mut rig = Rig::new(ERRORS, &wait(10));
        rig.send(before);
        rig.pass(ms(5_000));
        rig.reload(SLOW_AND_ALL, &wait(10));
        rig.send(after);
        rig.pass(ms(16_000));
        let named: Vec<&str> = rig.named(1).iter().map(|(policy, _)| *policy).collect();
        assert_eq!(named, expected.iter().copied().collect::<Vec<_>>(), "{before:?} {after:?}");
        let kept = if expected.is_some() { before.len() + after.len() } else { 0 };
        assert_eq!((rig.kept(1), rig.check_books().buffered), (kept, 0));
    }
}

#[test]
fn a_trace_is_due_when_it_was() {
    for (before, after) in [(10, 2), (2, 10), (10, 10), (1, 300), (300, 1)] {
        let mut rig = Rig::new(ALWAYS, &wait(before));
        rig.send(&[span(1)]);
        rig.pass(ms(500));
        let swapped_ns = rig.now_ns;
        rig.reload(ALWAYS, &wait(after));
        rig.send(&[span(2), span(1)]);
        rig.pass(Duration::from_secs(before.max(after) + 12));
        for (trace, began_ns, wait_s) in [(1, swapped_ns - SECOND / 2, before), (2, swapped_ns, after)] {
            let (decided_ns, note) = rig.notes.iter().find(|(_, note)| note.trace_id == id(trace)).expect("a note");
            let slot_ns = wait(wait_s).slot_length().as_nanos() as u64;
            let waited_ns = decided_ns - began_ns;
            assert!(waited_ns > wait_s * SECOND && waited_ns <= wait_s * SECOND + slot_ns + SECOND / 10, "{waited_ns}");
            assert_eq!(note.spans, if trace == 1 { 2 } else { 1 });
        }
    }
}

#[test]
fn the_next_slot_is_foretold_for_old_slots_too() {
    let mut rig = Rig::new(ALWAYS, &wait(10));
    rig.now_ns += SECOND / 20;
    rig.send(&[span(1)]);
    rig.reload(ALWAYS, &wait(500));
    rig.reload(ALWAYS, &wait(640));
    let old_ns = wait(10).slot_length().as_nanos() as u64;
    assert_eq!(rig.engine.next_due_ns(rig.now_ns), (rig.now_ns / old_ns + 1) * old_ns);
    rig.pass(Duration::from_secs(11));
    assert_eq!(rig.kept(1), 1);
    let new_ns = 5 * SECOND;
    assert_eq!(rig.engine.next_due_ns(rig.now_ns), (rig.now_ns / new_ns + 1) * new_ns);
}

#[test]
fn at_most_two_sets_live_and_the_newest_decides_for_older_ones() {
    let mut rig = Rig::new(ERRORS, &wait(10));
    let sets = |rig: &Rig| Arc::downgrade(&rig.engine.policies());
    let mut weak = vec![sets(&rig)];
    rig.send(&[span(1).error(), span(2)]);
    for (number, yaml) in (3..).zip([PACE, NEVER, SHOP]) {
        rig.pass(ms(1_000));
        rig.reload(yaml, &wait(10));
        weak.push(sets(&rig));
        rig.send(&[span(number).error().with("pace", "slow"), span(1)]);
        let live = weak.iter().filter(|set| set.strong_count() > 0).count();
        assert_eq!(live, 2);
    }
    rig.pass(ms(12_000));
    let all = ["shop", "shop", "shop", "", "shop"];
    for (trace, expected) in (1..).zip(all) {
        let named: Vec<&str> = rig.named(trace).iter().map(|(policy, _)| *policy).collect();
        // The fourth began under the one before the newest, which finds nothing.
        assert_eq!(named.concat(), expected, "trace {trace}");
    }
    assert_eq!((rig.kept(1), rig.kept(2), rig.kept(3), rig.kept(4)), (4, 1, 1, 0));
    let live = weak.iter().filter(|set| set.strong_count() > 0).count();
    assert_eq!(live, 1, "nothing waits for the one before");
}

/// What the newest policies make of traces that only lie in blocks is what they would have made of them as they came.
#[test]
fn folded_again_is_folded_as_it_came() {
    let sizes: Vec<String> = [700, 1_500, 2_500]
        .iter()
        .map(|size| format!("{{maximum_trace_size_bytes: {size}, policies: [{{name: all, type: always_sample}}]}}"))
        .collect();
    let limits =
        "policies: [{name: bytes, type: bytes_limiting, bytes_limiting: {bytes_per_second: 1, burst_capacity: 20000}}]";
    let conditions = r#"policies: [{name: both, type: and, and: {and_sub_policy: [{name: few, type: span_count,
        span_count: {min_spans: 2}}, {name: c, type: ottl_condition, ottl_condition: {span:
        ['attributes["pace"] == "slow" and resource.attributes["service.name"] == "cart"']}}]}}]"#;
    let pattern = "policies: [{name: p, type: string_attribute, string_attribute: {key: pace,
        values: ['^sl.w$'], enabled_regex_matching: true}}]";
    let whole = "policies: [{name: both, type: and, and: {and_sub_policy: [{name: e, type: status_code,
        status_code: {status_codes: [ERROR]}}, {name: p, type: string_attribute, string_attribute: {key: pace,
        values: ['^sl.w$'], enabled_regex_matching: true}}]}}]";
    let pieces = "{sampling_strategy: span-ingest, policies: [{name: both, type: and, and: {and_sub_policy: [
        {name: error, type: status_code, status_code: {status_codes: [ERROR]}},
        {name: slow, type: string_attribute, string_attribute: {key: pace, values: [slow]}}]}}]}";
    let dropped =
        "policies: [{name: all, type: always_sample}, {name: none, type: drop, drop: {drop_sub_policy: [{name: d,
        type: string_attribute, string_attribute: {key: pace, values: [drop]}}]}}]";
    let mut sets = vec![ERRORS, ALWAYS, PACE, SHOP, BY_PIECE, limits, conditions, pattern, whole, pieces, dropped];
    sets.extend(sizes.iter().map(String::as_str));
    for yaml in sets {
        let mut reloaded = Rig::new(NEVER, &wait(20));
        let mut fresh = Rig::new(yaml, &wait(20));
        let mut random = random(yaml.len() as u64);
        for _ in 0..60 {
            let mut spans = || -> Vec<Span> { (0..random(9)).map(|_| some_span(&mut random)).collect() };
            let (one, two) = (spans(), spans());
            let request = resources(&[("shop", &one), ("cart", &two), ("shop", &one[..one.len() / 2])]);
            for rig in [&mut reloaded, &mut fresh] {
                rig.send_bytes(&request, &Token::none());
                rig.now_ns += SECOND / 20;
            }
        }
        reloaded.reload(ERRORS, &wait(20));
        reloaded.reload(yaml, &wait(20));
        for rig in [&mut reloaded, &mut fresh] {
            rig.pass(Duration::from_secs(30));
            rig.stop();
        }
        assert_eq!(reloaded.kept, fresh.kept, "{yaml}");
        assert!(!fresh.kept.is_empty(), "{yaml}");
        // In span-ingest a trace is decided, and forgotten by the books as late, in the middle.
        if !yaml.contains("span-ingest") && !yaml.contains("maximum") {
            let (one, two) = (reloaded.check_books(), fresh.check_books());
            assert_eq!((one.traces_kept, one.traces_sampled_out), (two.traces_kept, two.traces_sampled_out), "{yaml}");
            let whys = |rig: &Rig| {
                let mut whys = rig.whys.clone();
                whys.sort();
                whys
            };
            assert_eq!(whys(&reloaded), whys(&fresh), "{yaml}");
        }
    }
}

/// A generator of numbers below a bound.
fn random(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    }
}

fn some_span(random: &mut impl FnMut(u64) -> u64) -> Span {
    let span = span(random(60)).padded(random(120) as usize);
    let span = match random(30) {
        0 | 1 => span.with("pace", "slow"),
        2 => span.with("pace", "drop"),
        _ => span,
    };
    if random(12) == 0 { span.error() } else { span }
}

#[test]
fn late_spans_name_the_policy_that_kept_their_trace() {
    let two = "policies: [{name: first, type: status_code, status_code: {status_codes: [OK]}},
        {name: second, type: status_code, status_code: {status_codes: [ERROR]}}]";
    let settings = Settings { record_policy: true, ..wait(1) };
    let mut rig = Rig::new(two, &settings);
    rig.keep_batches = true;
    rig.send(&[span(1).error(), span(2)]);
    rig.pass(ms(1_300));
    for yaml in [SLOW_AND_ALL, NEVER, PACE, BY_PIECE, two] {
        rig.reload(yaml, &settings);
        rig.send(&[span(1), span(2)]);
        rig.pass(ms(300));
        rig.reload(yaml, &settings);
        rig.send(&[span(2)]);
    }
    assert_eq!(rig.named(1)[0], ("second", false));
    assert_eq!(rig.named(1)[1..], [("second", true); 5]);
    assert_eq!(rig.scopes(1)[1..], ["policy=second cached_decision=true"; 5]);
    let books = rig.check_books();
    assert_eq!((books.late_kept, books.late_sampled_out, books.buffered), (5, 10, 0));
}

#[test]
fn a_verdict_reached_by_the_set_before_is_followed() {
    let mut rig = Rig::new(ERRORS, &wait(10));
    rig.send(&[span(1).error(), span(2)]);
    rig.reload(SLOW_AND_ALL, &wait(1));
    rig.pass(ms(11_000));
    rig.send(&[span(1), span(2)]);
    rig.pass(ms(300));
    assert_eq!(rig.named(1), [("errors", false), ("errors", true)]);
    assert_eq!((rig.kept(1), rig.kept(2), rig.check_books().buffered), (2, 0, 0));
}

#[test]
fn verdicts_are_held_as_the_newest_settings_say() {
    for (before, after, passes, expected) in
        [(600, 20, 10, true), (600, 20, 30, false), (20, 600, 10, true), (20, 600, 300, true), (20, 20, 30, false)]
    {
        let hold = |seconds| Settings { decided_hold: Some(Duration::from_secs(seconds)), ..wait(1) };
        let mut rig = Rig::new(ERRORS, &hold(before));
        rig.send(&[span(1).error()]);
        rig.pass(ms(2_000));
        rig.reload(ERRORS, &hold(after));
        rig.pass(Duration::from_secs(passes));
        rig.send(&[span(1)]);
        rig.pass(ms(2_000));
        assert_eq!(rig.named(1).contains(&("errors", true)), expected, "{before} {after} {passes}");
    }
}

#[test]
fn roots_and_early_verdicts_pull_traces_of_every_regime() {
    let rooted = |wait_s| Settings { after_root: Some(Duration::from_secs(1)), ..wait(wait_s) };
    for reloads in 1..=3 {
        let mut rig = Rig::new(ALWAYS, &rooted(60));
        rig.keep_batches = true;
        rig.send(&[span(1).padded(1), span(2).padded(1)]);
        rig.pass(ms(20_000));
        rig.send(&[span(1).padded(2), span(2).padded(2)]);
        for reload in 0..reloads {
            rig.reload(SHOP, &if reload % 2 == 0 { wait(5) } else { rooted(90) });
            rig.send(&[span(1).padded(3 + reload), span(2).padded(3 + reload)]);
        }
        rig.pass(ms(3_000));
        rig.send(&[span(1).root().padded(30)]);
        rig.pass(ms(900));
        assert_eq!(rig.kept(1), 0, "a second has not passed");
        rig.pass(ms(300));
        let count = 3 + reloads;
        assert_eq!((rig.kept(1), rig.kept(2)), (count, 0));
        let lengths: Vec<usize> = rig.bodies(1).iter().map(Vec::len).collect();
        assert!(lengths[..count - 1].is_sorted(), "{lengths:?}");
        let policy = if reloads == 1 { "all" } else { "shop" };
        assert_eq!(rig.named(1), [(policy, false)]);
        rig.pass(ms(36_000));
        assert_eq!((rig.kept(2), rig.named(2)), (count - 1, vec![(policy, false)]));
        assert_eq!((rig.check_books().buffered, rig.check_books().traces_waiting), (0, 0));
    }
}

#[test]
fn a_trace_that_holds_too_much_is_decided_early_by_its_terms() {
    let capped = |bytes| Settings { trace_bytes_max: Some(bytes), ..wait(60) };
    let mut rig = Rig::new(ALWAYS, &capped(1_000));
    rig.send(&[span(1).padded(600)]);
    rig.reload(SHOP, &capped(1 << 20));
    rig.reload(SHOP, &capped(1 << 20));
    rig.send(&[span(1).padded(600), span(2).padded(2_000)]);
    rig.pass(ms(2_000));
    assert_eq!((rig.kept(1), rig.kept(2)), (2, 0));
    assert_eq!(rig.named(1), [("shop", false)]);
    assert_eq!(rig.check_books().traces_decided_early, 1);
}

#[test]
fn strategies_change() {
    // Began trace-complete, goes on so; then the newest asks piece by piece.
    for (reloads, expected) in [(1, "errors"), (2, "failed")] {
        let mut rig = Rig::new(ERRORS, &wait(5));
        rig.send(&[span(1), span(2)]);
        for _ in 0..reloads {
            rig.reload(BY_PIECE, &wait(5));
        }
        rig.send(&[span(1).error(), span(3).error(), span(4)]);
        rig.pass(ms(1_000));
        assert_eq!((rig.kept(1), rig.kept(3)), (0, 1), "only what began by piece is released at once");
        rig.pass(ms(6_000));
        assert_eq!(rig.named(1), [(expected, false)]);
        assert_eq!((rig.kept(1), rig.kept(2), rig.kept(4), rig.check_books().buffered), (2, 0, 0, 0));
    }
    // And the other way round.
    for (reloads, expected) in [(1, 0), (2, 1)] {
        let mut rig = Rig::new(BY_PIECE, &wait(5));
        rig.send(&[span(1), span(2), span(3).error()]);
        for _ in 0..reloads {
            rig.reload(ALWAYS, &wait(5));
        }
        rig.send(&[span(2).error(), span(4)]);
        rig.pass(ms(1_000));
        assert_eq!((rig.kept(3), rig.kept(2)), (1, if reloads == 1 { 2 } else { 0 }));
        rig.pass(ms(6_000));
        assert_eq!(rig.kept(1), expected, "pending under the old set, decided by the newest");
        assert_eq!((rig.kept(2), rig.kept(3), rig.kept(4)), (2, 1, 1));
        assert_eq!(rig.check_books().buffered, 0);
    }
}

#[test]
fn a_kept_trace_is_kept_though_its_set_is_gone() {
    let mut rig = Rig::new(BY_PIECE, &wait(5));
    rig.send(&[span(1).error(), span(1)]);
    rig.reload(NEVER, &wait(5));
    rig.reload(NEVER, &wait(5));
    rig.send(&[span(1)]);
    rig.pass(ms(1_000));
    assert_eq!((rig.kept(1), rig.named(1)), (3, vec![("failed", false)]));
}

#[test]
fn a_request_that_was_scanned_for_others_is_scanned_again() {
    let mut rig = Rig::new(ERRORS, &wait(2));
    let mut between = Vec::new();
    for padding in 0..10 {
        between.push(span(7).padded(padding));
    }
    between.push(span(7).with("pace", "slow"));
    between.push(span(8));
    let request = request("shop", &between);
    rig.scan.run(&request).expect("a request");
    let token = Token::none();
    let arrival = rig.engine.begin(&request, &rig.scan, &token);
    let now = policy::Now { mono_ns: rig.now_ns, wall_ns: rig.now_ns };
    rig.engine.ingest(&arrival, 0..3, now, &mut rig.scratch);
    for yaml in [SHOP, PACE] {
        let mut keys = Keys::clone(rig.engine.policies().keys());
        rig.engine.reload(&wait(2), policies_with(yaml, &mut keys).1, rig.now_ns);
        rig.engine.ingest(&arrival, 3..5, now, &mut rig.scratch);
    }
    rig.engine.ingest(&arrival, 5..12, now, &mut rig.scratch);
    drop(arrival);
    rig.pass(ms(3_000));
    // Spans three and four came twice, as far as the engine can tell.
    assert_eq!((rig.kept(7), rig.kept(8)), (13, 0));
    assert_eq!(rig.named(7), [("pace", false)]);

    rig.send(&[span(9).with("pace", "slow"), span(10).with("pace", "quick")]);
    rig.scan_anew();
    rig.send(&[span(11).with("pace", "slow"), span(12)]);
    rig.pass(ms(3_000));
    assert_eq!((rig.kept(9), rig.kept(10), rig.kept(11), rig.kept(12)), (1, 0, 1, 0));
}

#[test]
fn sets_with_other_keys_do_not_live_side_by_side() {
    let mut rig = Rig::new(PACE, &wait(2));
    rig.send(&[span(1).with("pace", "slow"), span(2)]);
    let fresh = policies_with(SHOP, &mut Keys::default()).1;
    rig.engine.reload(&wait(2), fresh, rig.now_ns);
    rig.send(&[span(1).with("pace", "slow"), span(3)]);
    rig.pass(ms(3_000));
    for (trace, spans) in [(1, 2), (2, 1), (3, 1)] {
        assert_eq!((rig.kept(trace), rig.named(trace)), (spans, vec![("shop", false)]));
    }
}

/// A request of one ResourceSpans, cut in the middle because its policies did not mind, when others came that do.
#[test]
fn a_piece_that_a_reload_cuts_is_asked_about_again() {
    let both = "{sampling_strategy: span-ingest, policies: [{name: both, type: and, and: {and_sub_policy: [
        {name: error, type: status_code, status_code: {status_codes: [ERROR]}},
        {name: slow, type: string_attribute, string_attribute: {key: pace, values: [slow]}}]}}]}";
    let mut rig = Rig::new(ALWAYS, &wait(5));
    rig.reload(both, &wait(5));
    let request = request("shop", &[span(1).error(), span(2), span(1).with("pace", "slow"), span(2)]);
    rig.scan.run(&request).expect("a request");
    let token = Token::none();
    let arrival = rig.engine.begin(&request, &rig.scan, &token);
    let now = policy::Now { mono_ns: rig.now_ns, wall_ns: rig.now_ns };
    assert_eq!(rig.engine.ingest(&arrival, 0..2, now, &mut rig.scratch), 2);
    assert_eq!(rig.engine.ingest(&arrival, 2..4, now, &mut rig.scratch), 2);
    drop(arrival);
    rig.pass(ms(1_000));
    assert_eq!((rig.kept(1), rig.kept(2)), (2, 0));
}

#[test]
fn counts_go_on_and_limits_act_at_once() {
    let mut rig = Rig::new(ERRORS, &wait(1));
    rig.send(&[span(1).error(), span(2)]);
    rig.pass(ms(1_300));
    rig.send(&[span(3)]);
    rig.reload(ALL_AND_ERRORS, &Settings { traces_max: Some(1), ..wait(1) });
    assert_eq!(rig.asked("errors"), 2);
    assert!(!rig.engine.is_over_traces_max());
    rig.send(&[span(4)]);
    assert!(rig.engine.is_over_traces_max());
    let blocks = Settings { traces_max: Some(1), block_on_overflow: true, ..wait(1) };
    rig.reload(ERRORS, &blocks);
    assert!(!rig.engine.is_over_traces_max() && !rig.engine.has_room());
    rig.reload(ERRORS, &Settings { drop_pending: true, ..wait(1) });
    assert!(rig.engine.has_room());
    rig.stop();
    assert_eq!(rig.asked("errors"), 2, "nobody was asked about what was dropped at the end");
    assert_eq!(rig.check_books().traces_dropped, 2);
}

#[test]
fn tokens_come_back_once() {
    let log = Arc::new(Log::default());
    let token = |position| Token::new(Arc::clone(&log) as Arc<dyn Source>, position);
    let mut rig = Rig::new(ERRORS, &wait(2));
    for (position, yaml) in [SHOP, PACE, NEVER, ALWAYS].iter().enumerate() {
        rig.send_with(&[span(position as u64), span(20).error()], &token(position as u64));
        rig.pass(ms(200));
        rig.reload(yaml, &wait(3));
    }
    rig.pass(ms(8_000));
    assert_eq!(log.0.load(Ordering::SeqCst), 0b1111);
    assert_eq!(rig.kept(20), 4);
}
