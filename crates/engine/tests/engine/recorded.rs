//! `tailsampling.*` in the scopes of released spans.

use crate::rig::*;
use engine::{Settings, Token};
use std::time::Duration;

fn recording(seconds: u64) -> Settings {
    Settings { record_policy: true, ..wait(seconds) }
}

fn rig(yaml: &str, settings: &Settings) -> Rig {
    Rig { keep_batches: true, ..Rig::new(yaml, settings) }
}

#[test]
fn the_deciding_policy_stands_in_the_scope_and_late_spans_say_that_they_are() {
    let yaml = "policies: [{name: errors, type: status_code, status_code: {status_codes: [ERROR]}},
        {name: slow, type: string_attribute, string_attribute: {key: pace, values: [slow]}}]";
    let mut rig = rig(yaml, &recording(1));
    rig.send(&[span(1), span(2).with("pace", "slow"), span(1).error(), span(3)]);
    rig.pass(Duration::from_millis(1_200));
    assert_eq!(rig.scopes(1), ["policy=errors", "policy=errors"]);
    assert_eq!(rig.scopes(2), ["policy=slow"]);
    rig.batches.clear();
    rig.send(&[span(1), span(2)]);
    rig.pass(Duration::from_millis(300));
    assert_eq!(rig.scopes(1), ["policy=errors cached_decision=true"]);
    assert_eq!(rig.scopes(2), ["policy=slow cached_decision=true"]);
}

#[test]
fn nothing_is_written_unless_it_is_wanted() {
    let mut rig = rig(ALWAYS, &wait(1));
    rig.send(&[span(1)]);
    rig.pass(Duration::from_millis(1_200));
    assert_eq!(rig.scopes(1), [""]);
}

#[test]
fn spans_of_one_run_part_by_their_policies() {
    let yaml = "policies: [{name: errors, type: status_code, status_code: {status_codes: [ERROR]}},
        {name: all, type: always_sample}]";
    let mut rig = rig(yaml, &recording(1));
    rig.send(&[span(1).error(), span(2), span(1), span(2)]);
    rig.pass(Duration::from_millis(1_200));
    assert_eq!(rig.scopes(1), ["policy=errors", "policy=errors"]);
    assert_eq!(rig.scopes(2), ["policy=all", "policy=all"]);
}

#[test]
fn with_span_ingest_only_the_deciding_piece_names_the_policy() {
    let yaml = "{sampling_strategy: span-ingest,
        policies: [{name: errors, type: status_code, status_code: {status_codes: [ERROR]}}]}";
    let mut rig = rig(yaml, &recording(10));
    rig.send(&[span(1)]);
    rig.pass(Duration::from_secs(3));
    rig.send(&[span(1), span(1).error()]);
    rig.send(&[span(1)]);
    rig.pass(Duration::from_millis(500));
    assert_eq!(rig.scopes(1), ["", "policy=errors", "policy=errors", "policy=errors cached_decision=true"]);
}

#[test]
fn a_composite_names_its_part_whoever_decided() {
    let yaml = "policies: [{name: all, type: always_sample}, {name: mix, type: composite, composite: {
        max_total_spans_per_second: 100, policy_order: [part], composite_sub_policy: [{name: part, type: always_sample}],
        rate_allocation: [{policy: part, percent: 100}]}}]";
    let mut rig = rig(yaml, &recording(1));
    rig.send_bytes(&request("shop", &[span(1)]), &Token::none());
    rig.pass(Duration::from_millis(1_200));
    assert_eq!(rig.scopes(1), ["policy=all composite_policy=part"]);
}
