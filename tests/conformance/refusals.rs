//! Settings that the collector refuses: each is refused here, too, by a message that points at the mistake and names it.

use crate::{play, recorded::cases};
use std::ops::Range;

/// How many were recorded.
const CASES: usize = 30;

/// Name of the case, what the message must say, and the text of the settings at whose last occurrence it must point.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("and_in_and", "policy type `and` cannot stand inside `and`", "\"and\"\n          }"),
    ("bad_duration", "`soon`", "\"soon\""),
    ("bad_strategy", "`sometimes`", "\"sometimes\""),
    ("composite_in_composite", "policy type `composite` cannot stand inside `composite`", "\"composite\"\n          }"),
    ("drop_in_and", "policy type `drop` cannot stand inside `and`", "\"drop\"\n"),
    ("duplicate_policy_name", "duplicate policy name `x`", "\"x\""),
    ("missing_policy_name", "a policy needs a name", "{\n      \"type\""),
    ("missing_policy_type", "a policy needs a type", "{\n      \"name\""),
    ("negative_num_traces", "`num_traces` must be zero or more", "-1"),
    ("not_in_composite", "policy type `not` cannot stand inside `composite`", "\"not\"\n"),
    ("not_in_not", "policy type `not` cannot stand inside `not`", "\"not\"\n        }"),
    ("ottl_bad_error_mode", "unknown error mode `shrug`", "\"shrug\""),
    ("ottl_bad_regex", "([", "\"IsMatch(name, \\\"([\\\")\""),
    ("ottl_empty", "needs at least one condition", "{\n        \"error_mode\""),
    ("ottl_syntax", "attributes[\"a\"] ==", "\"attributes[\\\"a\\\"] ==\""),
    ("ottl_unknown_function", "`IsBlue`", "\"IsBlue(name)\""),
    ("ottl_unknown_path", "`colour`", "\"colour == \\\"red\\\"\""),
    ("ottl_wrong_context", "spanevent", "\"spanevent.name == \\\"x\\\"\""),
    ("policies_not_a_list", "`policies` must be a list", "{\n    \"name\""),
    ("regex_invalid", "invalid regex `([`", "\"([\""),
    ("regex_lookahead", "`(?=`", "\"a(?=b)\""),
    ("span_ingest_stateful", "policy `x-0` needs whole traces", "{\n      \"name\""),
    ("status_code_empty", "`status_codes` is empty", "[]"),
    ("status_code_lower_case", "did you mean `ERROR`?", "\"error\""),
    ("status_code_unknown", "unknown status code `FAILED`", "\"FAILED\""),
    ("string_for_number", "`threshold_ms` must be an integer", "\"many\""),
    ("too_many_shards", "`num_shards` must not exceed 256, found 257", "257"),
    ("unknown_key_in_policy_block", "unknown setting `treshold_ms` in `latency`", "\"treshold_ms\""),
    ("unknown_policy_type", "unknown policy type `latancy`", "\"latancy\"\n"),
    ("unknown_top_level_key", "unknown setting `decision_wat`", "\"decision_wat\""),
];

#[test]
fn refused_settings_are_refused_where_the_mistake_is() {
    let cases = cases("invalid");
    assert_eq!((cases.len(), MISTAKES.len()), (CASES, CASES), "the recorded cases");
    let mut wrong = Vec::new();
    for case in &cases {
        let yaml = serde_json::to_string_pretty(&case.settings).expect("JSON");
        let said = play::decode(&yaml).err().unwrap_or_default();
        let mistake = MISTAKES.iter().find(|(name, ..)| *name == case.name);
        let (_, words, at) = mistake.unwrap_or_else(|| panic!("no mistake is known for `{}`", case.name));
        let (line, columns) = place(&yaml, at);
        let hit = |shown: &str| is_at(shown, line, &columns) && shown.contains(words);
        if !said.lines().any(hit) {
            wrong.push(format!("{}: expected {line}:{columns:?} {words}, got:\n{said}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{} of {} refusals differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// Whether this is the first line of an error in that place.
fn is_at(shown: &str, line: usize, columns: &Range<usize>) -> bool {
    let mut parts = shown.splitn(4, ':');
    let mut number = || parts.next().and_then(|part| part.parse::<usize>().ok());
    let at = (number(), number(), number());
    at.1 == Some(line) && at.2.is_some_and(|column| columns.contains(&column)) && shown.contains(": error: ")
}

/// The line on which the last `part` of the text begins, and the columns that it takes there, counted from 1.
fn place(text: &str, part: &str) -> (usize, Range<usize>) {
    let at = text.rfind(part).unwrap_or_else(|| panic!("`{part}` is not in:\n{text}"));
    let before = &text[..at];
    let column = at - before.rfind('\n').map_or(0, |end| end + 1) + 1;
    let length = part.lines().next().map_or(0, str::len);
    (before.matches('\n').count() + 1, column..column + length)
}
