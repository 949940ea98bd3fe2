//! Traces and logs through the sampler, in short notation.

use super::*;
use crate::notation::{check, decode};

fn sampler(yaml: &str) -> ProbabilisticSampler {
    let settings: ProbabilisticSamplerSettings = decode(yaml).unwrap();
    let Ok(sampler) = ProbabilisticSampler::new(&settings);
    sampler
}

/// Spans in one scope, each beside what becomes of it; nothing if it goes.
#[track_caller]
fn spans(yaml: &str, cases: &[(&str, &str)]) {
    for (before, after) in cases {
        let line = |item: &str| if item.is_empty() { String::new() } else { format!("{{}} [s] {item}") };
        check(&sampler(yaml), Signal::Traces, &line(before), &line(after), u64::from(after.is_empty()));
    }
}

#[track_caller]
fn logs(yaml: &str, cases: &[(&str, &str)]) {
    for (before, after) in cases {
        let line = |item: &str| if item.is_empty() { String::new() } else { format!("{{}} [s] {item}") };
        check(&sampler(yaml), Signal::Logs, &line(before), &line(after), u64::from(after.is_empty()));
    }
}

const HALF: &str = "id=00000000000000000080000000000000";
const BELOW: &str = "id=0000000000000000007fffffffffffff";

#[test]
fn by_a_hash_of_the_trace_id() {
    spans(
        "{sampling_percentage: 100}",
        &[
            ("a id=00000000000000000000000000000001 {}", "a state=ot=rv:74f42e348fe2c2|th:0 {}"),
            ("a state=x=1 {}", "a state=ot=rv:c26820791c4f65|th:0,x=1 {}"),
            ("a state=ot=y:1 {}", "a state=ot=rv:c26820791c4f65|th:0|y:1 {}"),
            // Consistent sampling is not to be mixed with this.
            ("a state=ot=th:0 {}", ""),
            ("a state=ot=rv:00000000000000 {}", ""),
            ("a state=? {}", ""),
            ("a id= {}", ""),
            ("a state=? {sampling.priority: 1}", "a state=? {sampling.priority: 1}"),
            ("a {sampling.priority: 0}", ""),
            ("a {sampling.priority: -1}", "a state=ot=rv:c26820791c4f65|th:0 {sampling.priority: -1}"),
        ],
    );
}

#[test]
fn all_to_one_probability() {
    spans(
        "{sampling_percentage: 50, mode: equalizing}",
        &[
            (&format!("a {HALF} {{}}"), "a state=ot=th:8 {}"),
            (&format!("a {BELOW} {{}}"), ""),
            (&format!("a {HALF} state=b=1,ot=rv:7fffffffffffff {{}}"), ""),
            (&format!("a {BELOW} state=ot=rv:80000000000000 {{}}"), "a state=ot=rv:80000000000000|th:8 {}"),
            (&format!("a {HALF} state=ot=th:4 {{}}"), "a state=ot=th:8 {}"),
            // It has been sampled harder already.
            ("a id=000000000000000000c0000000000000 state=ot=th:c {}", "a state=ot=th:c {}"),
            // It should not have come.
            (&format!("a {HALF} state=ot=th:c {{}}"), ""),
            (&format!("a {HALF} state=ot=th:c {{sampling.priority: 1}}"), "a state=ot=th:0 {sampling.priority: 1}"),
            (&format!("a {HALF} state=ot=th:4 {{sampling.priority: 1}}"), "a state=ot=th:4 {sampling.priority: 1}"),
            ("a id= {}", ""),
        ],
    );
}

#[test]
fn a_share_of_what_comes() {
    spans(
        "{sampling_percentage: 50, mode: proportional}",
        &[
            (&format!("a {HALF} {{}}"), "a state=ot=th:8 {}"),
            (&format!("a {HALF} state=ot=th:8 {{}}"), ""),
            ("a id=000000000000000000c0000000000000 state=ot=th:8 {}", "a state=ot=th:c {}"),
            (&format!("a {BELOW} {{sampling.priority: '0.5'}}"), "a state=ot=th:0 {sampling.priority: \"0.5\"}"),
        ],
    );
}

#[test]
fn what_fails_may_pass() {
    spans(
        "{sampling_percentage: 50, mode: proportional, fail_closed: false}",
        &[
            ("a state=? {}", "a state=? {}"),
            ("a id= {}", "a state=ot=th:0 {}"),
            (&format!("a {HALF} state=ot=th:c {{}}"), "a state=ot=th:0 {}"),
        ],
    );
    spans("{sampling_percentage: 100, fail_closed: false}", &[("a id= {}", "a state=ot=rv:ffffffffffffff|th:0 {}")]);
}

#[test]
fn nothing_is_kept_of_zero_percent() {
    for yaml in ["{}", "{sampling_percentage: 0.001}", "{mode: equalizing}"] {
        spans(
            yaml,
            &[
                ("a {}", ""),
                (
                    &format!("a {HALF} state=ot=th:4 {{sampling.priority: 1.5}}"),
                    "a state=ot=th:4 {sampling.priority: 1.5}",
                ),
            ],
        );
    }
    spans("{fail_closed: false}", &[("a state=ot=th:x|y:1,z=1 {}", "a state=ot=th:0|y:1,z=1 {}")]);
}

#[test]
fn log_records() {
    logs(
        "{sampling_percentage: 100, from_attribute: n}",
        &[
            (
                "a id=01010101010101010101010101010101 {}",
                "a {sampling.randomness: c26820791c4f65, sampling.threshold: \"0\"}",
            ),
            ("a {n: 7}", "a {n: 7, sampling.randomness: 6de407c5f12486, sampling.threshold: \"0\"}"),
            ("a {n: ''}", ""),
            ("a {sampling.threshold: '8'}", ""),
        ],
    );
    logs(
        "{sampling_percentage: 50, mode: equalizing, sampling_priority: p}",
        &[
            (&format!("a {HALF} {{b: 1}}"), "a {b: 1, sampling.threshold: \"8\"}"),
            (&format!("a {BELOW} {{p: 100}}"), "a {p: 100, sampling.threshold: \"0\"}"),
            (&format!("a {BELOW} {{p: 75.0}}"), "a {p: 75.0, sampling.threshold: \"4\"}"),
            (&format!("a {HALF} {{p: 0}}"), "a {p: 0, sampling.threshold: \"8\"}"),
            (
                &format!("a {HALF} {{sampling.threshold: c, b: 1, p: 100}}"),
                "a {p: 100, b: 1, sampling.threshold: \"0\"}",
            ),
            // The last one takes the place of the wrong threshold, and is the first of its name then.
            (&format!("a {HALF} {{sampling.threshold: c, p: 100, p': x}}"), ""),
            (
                "a {sampling.randomness: ffffffffffffff}",
                "a {sampling.randomness: ffffffffffffff, sampling.threshold: \"8\"}",
            ),
            (&format!("a {HALF} {{sampling.randomness: x}}"), ""),
        ],
    );
    logs("{sampling_percentage: 100, attribute_source: record}", &[(&format!("a {HALF} {{}}"), "")]);
}

#[test]
fn what_is_empty_goes() {
    let before = "{a: 1} [s] a {}; b {sampling.priority: 1} [t] c {}\n{b: 1} [u] d {}\n{c: 1}";
    let after = "{a: 1} [s] b state=ot=th:0 {sampling.priority: 1}";
    check(&sampler("{}"), Signal::Traces, before, after, 3);
    check(&sampler("{}"), Signal::Metrics, "{c: 1} [s] m {}", "{c: 1} [s] m {}", 0);
}

#[test]
fn settings() {
    for (yaml, expected) in [
        ("{sampling_percentage: -1}", "`sampling_percentage` must be a number, zero or more"),
        ("{sampling_percentage: .inf}", "`sampling_percentage` must be a number, zero or more"),
        ("{sampling_percentage: 1e-16}", "`sampling_percentage` is too small: one in 2⁵⁶ is the least"),
        ("{sampling_precision: 0}", "`sampling_precision` must be from 1 to 14 digits"),
        ("{sampling_precision: 15}", "`sampling_precision` must be from 1 to 14 digits"),
        ("{attribute_source: spanID}", "unknown `attribute_source` `spanID`"),
        ("{mode: equalising}", "unknown mode `equalising`, did you mean `equalizing`?"),
    ] {
        assert_eq!(decode::<ProbabilisticSamplerSettings>(yaml).unwrap_err(), expected, "{yaml}");
    }
    let settings: ProbabilisticSamplerSettings = decode("{sampling_percentage: 15.3, mode: proportional}").unwrap();
    assert_eq!(
        settings.effective().to_yaml(settings::Mode::Unredacted),
        "attribute_source: traceID\nfail_closed: true\nfrom_attribute: \"\"\nhash_seed: 0\nmode: proportional\n\
         sampling_percentage: 15.3\nsampling_precision: 4\nsampling_priority: \"\"\n"
    );
}
