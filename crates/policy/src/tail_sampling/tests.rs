//! What is accepted, what is refused and how it is said.

use super::*;
use crate::notation::{decode_all, load};
use settings::Mode;

const POLICIES: &str = "\npolicies: [{name: a, type: always_sample}]";

/// The settings of a text without any problem.
#[track_caller]
fn clean(yaml: &str) -> TailSampling {
    let (settings, told) = decode_all(yaml);
    assert_eq!(told, "", "{yaml}");
    settings.unwrap()
}

/// The first line of each problem, without the name of the source.
fn told(yaml: &str) -> Vec<String> {
    let (_, told) = decode_all(yaml);
    told.lines().filter_map(|line| line.strip_prefix("yaml:")).map(str::to_string).collect()
}

#[test]
fn defaults() {
    let settings = clean(POLICIES);
    assert_eq!(settings, TailSampling { policies: settings.policies.clone(), ..TailSampling::default() });
    assert_eq!(settings.decision_wait, Duration::from_secs(30));
}

#[test]
fn every_field() {
    let yaml = "
decision_wait: 2s500ms
decision_wait_after_root_received: 300ms
num_traces: 7
block_on_overflow: true
expected_new_traces_per_sec: 10.9
decision_cache: {sampled_cache_size: 5, non_sampled_cache_size: 6}
sample_on_first_match: true
sampling_strategy: trace-complete
drop_pending_traces_on_shutdown: true
maximum_trace_size_bytes: 1000
num_shards: 4
tail_storage:
policies:
  - {name: a, type: always_sample}";
    let expected = TailSampling {
        decision_wait: Duration::from_millis(2500),
        decision_wait_after_root_received: Duration::from_millis(300),
        num_traces: Some(7),
        block_on_overflow: true,
        expected_new_traces_per_sec: 10,
        policies: clean(POLICIES).policies,
        decision_cache: DecisionCache { sampled_cache_size: 5, non_sampled_cache_size: 6 },
        sample_on_first_match: true,
        sampling_strategy: SamplingStrategy::TraceComplete,
        drop_pending_traces_on_shutdown: true,
        maximum_trace_size_bytes: 1000,
        num_shards: 4,
    };
    assert_eq!(clean(yaml), expected);
}

#[test]
fn effective_settings_decode_to_themselves() {
    let yaml = "
decision_wait: 90s
policies:
  - {name: errors, type: status_code, status_code: {status_codes: [ERROR, UNSET]}}
  - {name: n, type: numeric_attribute, numeric_attribute: {key: k, min_value: 5, invert_match: true}}
  - {name: b, type: boolean_attribute, boolean_attribute: {key: k, value: true}}
  - name: both
    type: and
    and:
      and_sub_policy:
        - {name: s, type: string_attribute, string_attribute: {key: k, values: ['^a'], enabled_regex_matching: true}}
        - {name: p, type: probabilistic, probabilistic: {sampling_percentage: 12.5}}
  - {name: l, type: latency, latency: {threshold_ms: 5}}
  - {name: turned, type: not, not: {not_sub_policy: {name: f, type: trace_flags}}}
  - {name: dropped, type: drop, drop: {drop_sub_policy: [{name: s, type: trace_state, trace_state: {key: k, values: [v]}}]}}
  - {name: o, type: ottl_condition, ottl_condition: {error_mode: IGNORE, span: ['true'], spanevent: ['false']}}
  - {name: y, type: bytes_limiting, bytes_limiting: {bytes_per_second: 9, burst_capacity: 10}}
  - name: shared
    type: composite
    composite:
      max_total_spans_per_second: 9
      policy_order: [i]
      composite_sub_policy: [{name: i, type: and, and: {and_sub_policy: [{name: f, type: trace_flags}]}}]
      rate_allocation: [{policy: i, percent: 90}]
  - {name: c, type: span_count, span_count: {min_spans: 2}}
  - {name: r, type: rate_limiting, rate_limiting: {spans_per_second: 9}}
  - {name: all, type: always_sample}";
    let settings = clean(yaml);
    let printed = settings.effective().to_yaml(Mode::Unredacted);
    assert_eq!(clean(&printed), TailSampling { num_traces: Some(50_000), ..settings }, "{printed}");
    let defaults = clean(POLICIES).effective().to_yaml(Mode::Unredacted);
    assert_eq!(defaults, EFFECTIVE_DEFAULTS);
}

const EFFECTIVE_DEFAULTS: &str = "\
block_on_overflow: false
decision_cache:
    non_sampled_cache_size: 0
    sampled_cache_size: 0
decision_wait: 30s
decision_wait_after_root_received: 0s
drop_pending_traces_on_shutdown: false
expected_new_traces_per_sec: 0
maximum_trace_size_bytes: 0
num_shards: 1
num_traces: 50000
policies:
    - name: a
      type: always_sample
sample_on_first_match: false
sampling_strategy: trace-complete
tail_storage: null
";

#[test]
fn waits() {
    for (written, acts_as_ms, is_told) in [
        ("30s", 30_000, false),
        ("300ms", 300, false),
        ("1500ms", 1500, false),
        ("30", 1000, true),
        ("2.5", 1000, true),
        ("0", 1000, true),
        ("0s", 1000, true),
        ("-1s", 1000, true),
    ] {
        let (settings, told) = decode_all(&format!("decision_wait: {written}{POLICIES}"));
        assert_eq!(settings.unwrap().decision_wait, Duration::from_millis(acts_as_ms), "{written}");
        assert_eq!(!told.is_empty(), is_told, "{told}");
        assert!(!told.contains("error:"), "{told}");
    }
    for (written, acts_as_ms, is_told) in
        [("0s", 0, false), ("0", 0, false), ("-1s", 0, true), ("5", 1000, true), ("200ms", 200, false)]
    {
        let (settings, told) = decode_all(&format!("decision_wait_after_root_received: {written}{POLICIES}"));
        let wait = settings.unwrap().decision_wait_after_root_received;
        assert_eq!(wait, Duration::from_millis(acts_as_ms), "{written}");
        assert_eq!(!told.is_empty(), is_told, "{told}");
    }
}

#[test]
fn settings_that_are_refused() {
    for (yaml, expected) in [
        (
            "decision_wat: 3s",
            "1:1: error: unknown setting `decision_wat` in `tail_sampling`, did you mean `decision_wait`?",
        ),
        ("decision_wait: soon", "1:16: error: `decision_wait` must be a duration, found the text `soon`"),
        ("num_traces: -1", "1:13: error: `num_traces` must be zero or more, found the integer `-1`"),
        ("num_traces: \"5\"", "1:13: error: `num_traces` must be an integer, found the text `5`"),
        (
            "block_on_overflow: \"yes\"",
            "1:20: error: `block_on_overflow` must be `true` or `false`, found the text `yes`",
        ),
        ("num_shards: 257", "1:13: error: `num_shards` must not exceed 256, found 257"),
        ("sampling_strategy: sometimes", "1:20: error: unknown `sampling_strategy` `sometimes`"),
        ("sampling_strategy: ''", "1:20: error: unknown `sampling_strategy` ``"),
        ("tail_storage: file_storage", "1:15: error: `tail_storage` is not supported"),
        ("decision_cache: {size: 5}", "1:18: error: unknown setting `size` in `decision_cache`"),
        (
            "block_on_overflow: true",
            "1:20: warning: `block_on_overflow` without both decision caches makes otelcol hang; here it does not",
        ),
    ] {
        assert_eq!(told(&format!("{yaml}{POLICIES}")), [expected], "{yaml}");
    }
    for (policies, expected) in [
        ("policies: {name: x}", &["1:11: error: `policies` must be a list, found a map"][..]),
        ("policies: [5]", &["1:12: error: `policy` must be a map, found the integer `5`"]),
        ("policies: []", &["1:11: warning: without policies no trace is sampled"]),
        ("policies:", &["1:1: warning: without policies no trace is sampled"]),
    ] {
        let told = told(policies);
        assert_eq!(told.len(), expected.len(), "{policies}: {told:?}");
        // The place of a null is the reader's affair.
        let without_place = |line: &str| line.splitn(3, ':').last().map(str::to_string);
        assert_eq!(without_place(&told[0]), without_place(expected[0]));
    }
}

#[test]
fn policies_that_are_refused() {
    for (policy, expected) in [
        ("{type: always_sample}", "a policy needs a name"),
        ("{name: x}", "a policy needs a type"),
        ("{name: x, type: ''}", "a policy needs a type"),
        ("{name: x, type: 5}", "`type` must be text, found the integer `5`"),
        ("{name: 5, type: always_sample}", "`name` must be text, found the integer `5`"),
        (
            "{name: x, type: latancy, latancy: {threshold_ms: 1}}",
            "unknown policy type `latancy`, did you mean `latency`?",
        ),
        ("{name: x, type: sql}", "unknown policy type `sql`"),
        ("{name: x, type: ottl_condition}", "an `ottl_condition` needs at least one condition"),
        (
            "{name: x, type: latency, latency: {treshold_ms: 1}}",
            "unknown setting `treshold_ms` in `latency`, did you mean `threshold_ms`?",
        ),
        (
            "{name: x, type: latency, latency: {threshold_ms: many}}",
            "`threshold_ms` must be an integer, found the text `many`",
        ),
        ("{name: x, type: latency, latency: 5}", "`latency` must be a map, found the integer `5`"),
        ("{name: x, type: status_code, status_code: {status_codes: []}}", "`status_codes` is empty"),
        ("{name: x, type: status_code}", "`status_codes` is empty"),
        (
            "{name: x, type: status_code, status_code: {status_codes: [error]}}",
            "unknown status code `error`, did you mean `ERROR`?",
        ),
        ("{name: x, type: status_code, status_code: {status_codes: [FAILED]}}", "unknown status code `FAILED`"),
        ("{name: x, type: status_code, status_code: {status_codes: 'OK,ERR'}}", "unknown status code `ERR`"),
        (
            "{name: x, type: numeric_attribute, numeric_attribute: {key: k}}",
            "`min_value` and `max_value` are both 0, which means no bound",
        ),
        (
            "{name: x, type: string_attribute, string_attribute: {key: k, values: [a, '(['], enabled_regex_matching: true}}",
            "invalid regex `([`: missing closing `]`",
        ),
        (
            "{name: x, type: string_attribute, string_attribute: {key: k, values: ['a(?=b)'], enabled_regex_matching: true}}",
            "invalid regex `a(?=b)`: `(?=` is not supported, there is no looking ahead or behind",
        ),
        (
            "{name: x, type: probabilistic, probabilistic: {sampling_percentage: .nan}}",
            "`sampling_percentage` is not a number",
        ),
        ("{name: x, type: always_sample, latncy: 5}", "unknown setting `latncy` in a policy, did you mean `latency`?"),
        ("{name: x, type: always_sample, colour: red}", "unknown setting `colour` in a policy"),
        (
            "{name: x, type: and, and: {and_sub_policy: [{name: y, type: and}]}}",
            "policy type `and` cannot stand inside `and`",
        ),
        (
            "{name: x, type: and, and: {and_sub_policy: [{name: y, type: drop}]}}",
            "policy type `drop` cannot stand inside `and`",
        ),
        ("{name: x, type: and, and: {and_sub_policy: [{name: y, type: not}]}}", "a `not` needs a `not_sub_policy`"),
        ("{name: x, type: not}", "a `not` needs a `not_sub_policy`"),
        ("{name: x, type: not, not: {not_sub_policy: {type: and}}}", "policy type `and` cannot stand inside `not`"),
        (
            "{name: x, type: drop, drop: {drop_sub_policy: [{type: composite}]}}",
            "policy type `composite` cannot stand inside `drop`",
        ),
        (
            "{name: x, type: composite, composite: {composite_sub_policy: [{type: not}]}}",
            "policy type `not` cannot stand inside `composite`",
        ),
        (
            "{name: x, type: composite, composite: {rate_allocation: [{policy: a, percent: most}]}}",
            "`percent` must be an integer, found the text `most`",
        ),
        ("{name: x, type: ottl_condition, ottl_condition: {error_mode: '', span: ['true']}}", "unknown error mode ``"),
        (
            "{name: x, type: ottl_condition, ottl_condition: {error_mode: shrug, spanevent: ['true']}}",
            "unknown error mode `shrug`",
        ),
        ("{name: x, type: and, and: {and_sub_policy: [{name: y}]}}", "a policy needs a type"),
        ("{name: x, type: and, and: {and_sub_policy: {name: y}}}", "`and_sub_policy` must be a list, found a map"),
        (
            "{name: x, type: always_sample, latency: {threshold_ms: a}}",
            "`threshold_ms` must be an integer, found the text `a`",
        ),
    ] {
        let told = told(&format!("policies:\n  - {policy}"));
        let errors: Vec<&str> =
            told.iter().filter_map(|line| line.split_once(": error: ")).map(|(_, text)| text).collect();
        assert_eq!(errors, [expected], "{policy}: {told:?}");
    }
}

#[test]
fn what_otelcol_swallows_is_a_warning() {
    for (policy, expected) in [
        ("{name: x, type: and, and: {and_sub_policy: []}}", "an empty `and` samples every trace"),
        ("{name: x, type: and}", "an empty `and` samples every trace"),
        (
            "{name: x, type: latency, latncy: {threshold_ms: 1}}",
            "the block `latncy` is not used, did you mean `latency`?",
        ),
        (
            "{name: x, type: always_sample, latency: {threshold_ms: 1}}",
            "the block `latency` is not used, the policy's type is `always_sample`",
        ),
        (
            "{name: x, type: latency, latency: {threshold_ms: 5, upper_threshold_ms: 5}}",
            "`upper_threshold_ms` is not above `threshold_ms`, so nothing can match",
        ),
        (
            "{name: x, type: probabilistic, probabilistic: {sampling_percentage: -5}}",
            "`sampling_percentage` is not between 0 and 100 and acts as 0",
        ),
        (
            "{name: x, type: rate_limiting}",
            "`spans_per_second` is not above 0, so no traces pass but those of the first burst",
        ),
        ("{name: x, type: string_attribute, string_attribute: {key: k}}", "`values` is empty, so nothing can match"),
        (
            "{name: x, type: boolean_attribute, boolean_attribute: {value: true}}",
            "`key` is empty, so hardly any attribute can match",
        ),
        ("{name: x, type: drop, drop: {drop_sub_policy: []}}", "an empty `drop` drops every trace"),
        ("{name: x, type: drop}", "an empty `drop` drops every trace"),
        (
            "{name: x, type: composite, composite: {max_total_spans_per_second: 5}}",
            "a `composite` without parts samples nothing",
        ),
        (
            "{name: x, type: composite, composite: {composite_sub_policy: [{name: a, type: always_sample}], rate_allocation: [{policy: a, percent: 5}]}}",
            "`max_total_spans_per_second` is not above 0, so nothing is sampled",
        ),
        (
            "{name: x, type: composite, composite: {max_total_spans_per_second: 9, composite_sub_policy: [{name: a, type: always_sample}, {name: b, type: trace_flags}], rate_allocation: [{policy: b, percent: 5}]}}",
            "`a` is not in `rate_allocation` and gets an equal share, 4 spans a second",
        ),
        (
            "{name: x, type: composite, composite: {max_total_spans_per_second: 9, composite_sub_policy: [{name: a, type: always_sample}], rate_allocation: [{policy: a, percent: 5}, {policy: b}]}}",
            "`rate_allocation` names `b`, which is no part of the composite",
        ),
        (
            "{name: x, type: composite, composite: {max_total_spans_per_second: 9, policy_order: [b, a], composite_sub_policy: [{name: a, type: always_sample}, {name: b, type: trace_flags}], rate_allocation: [{policy: a, percent: 5}, {policy: b, percent: 5}]}}",
            "`policy_order` has no effect, the order of `composite_sub_policy` counts",
        ),
        (
            "{name: x, type: bytes_limiting}",
            "`bytes_per_second` is not above 0, so no traces pass but those of the first burst",
        ),
        (
            "{name: x, type: trace_state, trace_state: {key: k, values: ['']}}",
            "`values` has none that a trace state can hold, so nothing can match",
        ),
        (
            "{name: x, type: not, nott: {}, not: {not_sub_policy: {name: y, type: trace_flags}}}",
            "the block `nott` is not used, did you mean `not`?",
        ),
        (
            "{name: x, type: span_count, span_count: {min_spans: 5, max_spans: 4}}",
            "`max_spans` is below `min_spans`, so nothing can match",
        ),
    ] {
        let told = told(&format!("policies:\n  - {policy}"));
        let warnings: Vec<&str> =
            told.iter().filter_map(|line| line.split_once(": warning: ")).map(|(_, text)| text).collect();
        assert_eq!((warnings, told.len()), (vec![expected], 1), "{policy}: {told:?}");
    }
    clean("policies: [{name: x, type: always_sample, my_extension: {a: 1}}]");
}

#[test]
fn span_ingest_takes_stateless_policies_only() {
    let told_with = |policy: &str| told(&format!("sampling_strategy: span-ingest\npolicies:\n  - {policy}"));
    for policy in [
        "{name: x, type: rate_limiting, rate_limiting: {spans_per_second: 1}}",
        "{name: x, type: bytes_limiting, bytes_limiting: {bytes_per_second: 1}}",
        "{name: x, type: span_count, span_count: {max_spans: 1}}",
        "{name: x, type: latency, latency: {upper_threshold_ms: 1}}",
        "{name: x, type: not, not: {not_sub_policy: {type: span_count, span_count: {max_spans: 1}}}}",
        "{name: x, type: and, and: {and_sub_policy: [{type: span_count, span_count: {max_spans: 1}}]}}",
        "{name: x, type: drop, drop: {drop_sub_policy: [{type: span_count, span_count: {max_spans: 1}}]}}",
        "{name: x, type: composite, composite: {max_total_spans_per_second: 5, composite_sub_policy: [{name: a, type: span_count, span_count: {max_spans: 1}}], rate_allocation: [{policy: a}]}}",
    ] {
        let message = "3:5: error: policy `x` needs whole traces, and `span-ingest` decides piece by piece";
        assert_eq!(told_with(policy), [message], "{policy}");
    }
    for policy in [
        "{name: x, type: span_count, span_count: {min_spans: 1}}",
        "{name: x, type: latency, latency: {threshold_ms: 1}}",
        "{name: x, type: composite, composite: {max_total_spans_per_second: 5, composite_sub_policy: [{name: a, type: trace_flags}], rate_allocation: [{policy: a}]}}",
    ] {
        assert_eq!(told_with(policy), [""; 0], "{policy}");
    }
}

#[test]
fn every_problem_at_once() {
    let yaml = "
decision_wait: soon
policies:
  - {name: a, type: latncy}
  - {name: a, type: status_code, status_code: {status_codes: [BAD, WORSE]}}
  - {type: string_attribute, string_attribute: {key: k, values: ['a**', '('], enabled_regex_matching: true}}
num_shard: 5";
    let (_, told) = decode_all(yaml);
    for expected in [
        "`decision_wait`",
        "`latncy`",
        "duplicate policy name `a`",
        "`BAD`",
        "`WORSE`",
        "`a**`",
        "`(`",
        "a policy needs a name",
        "`num_shard`",
    ] {
        assert!(told.contains(expected), "{expected} in\n{told}");
    }
}

#[test]
fn the_number_of_policies_is_limited() {
    let policies: Vec<String> =
        (0..=POLICIES_MAX).map(|name| format!("{{name: p{name}, type: always_sample}}")).collect();
    let (node, _, mut problems) = load(&format!("policies: [{}]", policies.join(", ")));
    assert!(TailSampling::decode(&node.unwrap(), &mut problems).unwrap().policies.is_empty());
    assert!(problems.has_errors());
}
