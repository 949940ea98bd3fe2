//! Each kind of field against each kind of value.

use std::fmt::Debug;

use super::*;
use crate::load::load;

/// Decodes the value of `a` and shows it, or the first line of the problem.
fn check<T: Decode + Debug>(text: &str, expected: &str) {
    let (tree, sources, mut p) = load(&[format!("yaml:a: {text}")], &[], &|_| None);
    let mut fields_p = Problems::new();
    let tree = tree.expect("a tree");
    let decoded = tree.map("config", &mut p).expect("a map").optional::<T>("a", &mut fields_p);
    let shown = match decoded {
        Some(value) => format!("{value:?}"),
        None if fields_p.is_empty() => "default".to_string(),
        None => fields_p.render(&sources).lines().next().unwrap_or_default().to_string(),
    };
    assert_eq!(shown.trim_start_matches("yaml:1:4: error: "), expected, "{text}");
}

#[test]
fn integers() {
    check::<u64>("5", "5");
    check::<u64>("5.9", "5");
    check::<i64>("-5.9", "-5");
    check::<u64>("0x10", "16");
    check::<u64>("", "default");
    check::<u64>("null", "default");
    check::<u64>("18446744073709551615", "18446744073709551615");
    check::<u64>("-1", "`a` must be zero or more, found the integer `-1`");
    check::<u64>("-0.5", "0");
    check::<u64>(
        "1e30",
        "`a` must be between 0 and 18446744073709551615, found the number `1000000000000000000000000000000`",
    );
    check::<u64>(".nan", "`a` must be an integer, found the number `NaN`");
    check::<u32>("4294967296", "`a` must be between 0 and 4294967295, found the integer `4294967296`");
    check::<i32>("2147483648", "`a` must be between -2147483648 and 2147483647, found the integer `2147483648`");
    check::<u64>("\"5\"", "`a` must be an integer, found the text `5`");
    check::<u64>("many", "`a` must be an integer, found the text `many`");
    check::<u64>("true", "`a` must be an integer, found the boolean `true`");
    check::<u64>("[1]", "`a` must be an integer, found a list");
    check::<u64>("{b: 1}", "`a` must be an integer, found a map");
}

#[test]
fn other_scalars() {
    check::<f64>("5", "5.0");
    check::<f64>("0.5", "0.5");
    check::<f64>("\"0.5\"", "`a` must be a number, found the text `0.5`");
    check::<bool>("true", "true");
    check::<bool>("yes", "`a` must be `true` or `false`, found the text `yes`");
    check::<bool>("1", "`a` must be `true` or `false`, found the integer `1`");
    check::<String>("word", "\"word\"");
    check::<String>("2024-01-01", "\"2024-01-01\"");
    check::<String>("5", "`a` must be text, found the integer `5`");
    check::<String>("[x]", "`a` must be text, found a list");
    check::<Secret>("hush", "[REDACTED]");
    check::<Secret>("5", "`a` must be text, found another kind of value");
    check::<Option<u64>>("5", "Some(5)");
}

#[test]
fn durations() {
    check::<Duration>("1h30m", "Duration { ns: 5400000000000 }");
    check::<Duration>("-1s", "Duration { ns: -1000000000 }");
    check::<Duration>("30", "Duration { ns: 30 }");
    check::<Duration>("30.7", "Duration { ns: 30 }");
    check::<Duration>("soon", "`a` must be a duration, found the text `soon`");
    check::<Duration>("5 s", "`a` must be a duration, found the text `5 s`");
    check::<Duration>("true", "`a` must be a duration, found the boolean `true`");
    check::<std::time::Duration>("1.5s", "1.5s");
    check::<std::time::Duration>("-1s", "`a` must be a duration of zero or more, found the text `-1s`");
}

#[test]
fn lists_and_maps() {
    check::<Vec<String>>("[x, y]", "[\"x\", \"y\"]");
    check::<Vec<String>>("\"x,y\"", "[\"x\", \"y\"]");
    check::<Vec<String>>("\"\"", "[]");
    check::<Vec<String>>("[x, 5]", "yaml:1:8: error: `a[1]` must be text, found the integer `5`");
    check::<Vec<String>>("5", "`a` must be a list, found the integer `5`");
    check::<Vec<u64>>("\"1,2\"", "`a` must be a list, found the text `1,2`");
    check::<Vec<u64>>("[1, null]", "[1, 0]");
    check::<BTreeMap<String, u64>>("{x: 1, y: 2}", "{\"x\": 1, \"y\": 2}");
    check::<BTreeMap<String, u64>>("{x: z}", "yaml:1:8: error: `x` must be an integer, found the text `z`");
    check::<BTreeMap<String, u64>>("[x]", "`a` must be a map, found a list");
}

#[test]
fn fields_tell_what_nobody_asked_for() {
    let text = "yaml:decision_wat: 3s\nnum_traces: 5\ncolour: red\n";
    let (tree, sources, mut p) = load(&[text.to_string()], &[], &|_| None);
    let tree = tree.expect("a tree");
    let mut fields = tree.map("tail_sampling", &mut p).expect("a map");
    assert_eq!(fields.take("num_traces", 7_u64, &mut p), 5);
    assert_eq!(fields.take("decision_wait", std::time::Duration::from_secs(30), &mut p).as_secs(), 30);
    assert!(fields.required::<String>("name", &mut p).is_none());
    fields.finish(&mut p);
    assert_eq!(
        p.render(&sources),
        "\
yaml:1:1: error: `tail_sampling` needs the setting `name`
  decision_wat: 3s
  ^
  help: add `name: …` to `tail_sampling`
yaml:1:1: error: unknown setting `decision_wat` in `tail_sampling`, did you mean `decision_wait`?
  decision_wat: 3s
  ^^^^^^^^^^^^
yaml:3:1: error: unknown setting `colour` in `tail_sampling`
  colour: red
  ^^^^^^
  help: known settings are `decision_wait`, `name`, `num_traces`
"
    );
}
