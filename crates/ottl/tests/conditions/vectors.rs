//! What the real collector answered, condition by condition.

use crate::world::{Answer, World, read};
use ottl::Context;

/// Converters that some vectors need and that are not there yet.
const MISSING: [&str; 50] = [
    "Base64Encode",
    "Coalesce",
    "ContainsValue",
    "ConvertCase",
    "Day",
    "Duration",
    "ExtractGrokPatterns",
    "ExtractPatterns",
    "FNV",
    "Format",
    "FormatTime",
    "HasPrefix",
    "HasSuffix",
    "Hour",
    "Hours",
    "Index",
    "IsInCIDR",
    "IsValidLuhn",
    "Keys",
    "Log",
    "Milliseconds",
    "Murmur3Hash",
    "ParseCSV",
    "ParseJSON",
    "ParseKeyValue",
    "ParseSimplifiedXML",
    "ParseXML",
    "SHA1",
    "Seconds",
    "SliceToMap",
    "Sort",
    "Split",
    "Time",
    "ToCamelCase",
    "ToSnakeCase",
    "ToUpperCase",
    "Trim",
    "TrimPrefix",
    "TrimSuffix",
    "TruncateTime",
    "URL",
    "Unix",
    "UnixMilli",
    "UnixNano",
    "UnixSeconds",
    "UserAgent",
    "Values",
    "XXH128",
    "XXH3",
    "Year",
];

#[test]
fn recorded_answers() {
    let world = World::of_vectors();
    let mut wrong = Vec::new();
    let mut waiting = Vec::new();
    let text = read("ottl_vectors.txt");
    for line in text.lines() {
        let (expected, rest) = line.split_once(' ').unwrap();
        let (list, condition) = rest.split_once(' ').unwrap();
        let context = if list == "span" { Context::Span } else { Context::SpanEvent };
        let answer = world.ask(context, condition);
        let got = match &answer {
            Answer::True => "T",
            Answer::False => "F",
            Answer::Error(_) => "E",
            Answer::Refused(_) => "X",
        };
        if got == expected {
            continue;
        }
        let is_missing = |error: &ottl::SyntaxError| {
            MISSING.iter().any(|name| error.message.starts_with(&format!("unknown converter `{name}`")))
        };
        match &answer {
            Answer::Refused(errors) if errors.iter().all(is_missing) => waiting.push(line),
            _ => wrong.push(format!("{line}\n    {answer:?}")),
        }
    }
    waiting.iter().for_each(|line| println!("waits for a converter: {line}"));
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    assert_eq!(text.lines().count(), 305);
}

/// An error is one under `not`, too.
#[test]
fn an_error_is_neither_true_nor_false() {
    let world = World::of_vectors();
    for line in read("ottl_vectors.txt").lines().filter(|line| line.starts_with("E span ")) {
        let condition = format!("not ({})", line.trim_start_matches("E span "));
        match world.ask(Context::Span, &condition) {
            Answer::Error(_) => (),
            Answer::Refused(errors) if errors.iter().all(|error| error.message.starts_with("unknown conv")) => (),
            answer => panic!("{condition}: {answer:?}"),
        }
    }
}
