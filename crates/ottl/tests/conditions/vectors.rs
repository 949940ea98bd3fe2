//! What the real collector answered, condition by condition.

use crate::world::{Answer, World, read};
use ottl::Context;

/// Converters that some vectors need and that are not there yet.
const MISSING: [&str; 72] = [
    "Base64Encode",
    "Coalesce",
    "CommunityID",
    "ContainsValue",
    "ConvertAttributesToElementsXML",
    "ConvertCase",
    "ConvertTextToElementsXML",
    "Day",
    "Decode",
    "Duration",
    "ExtractGrokPatterns",
    "ExtractPatterns",
    "FNV",
    "Format",
    "FormatTime",
    "GetXML",
    "HasPrefix",
    "HasSuffix",
    "Hour",
    "Hours",
    "Index",
    "InsertXML",
    "IsInCIDR",
    "IsValidLuhn",
    "Keys",
    "Log",
    "MD5",
    "Microseconds",
    "Milliseconds",
    "Minute",
    "Minutes",
    "Month",
    "Murmur3Hash",
    "Murmur3Hash128",
    "Nanosecond",
    "Nanoseconds",
    "ParseCSV",
    "ParseJSON",
    "ParseKeyValue",
    "ParseSeverity",
    "ParseSimplifiedXML",
    "ParseXML",
    "RemoveXML",
    "SHA1",
    "SHA256",
    "SHA512",
    "Second",
    "Seconds",
    "SliceToMap",
    "Sort",
    "Split",
    "Time",
    "ToCamelCase",
    "ToLowerCase",
    "ToSnakeCase",
    "ToUpperCase",
    "Trim",
    "TrimPrefix",
    "TrimSuffix",
    "TruncateTime",
    "URL",
    "Unix",
    "UnixMicro",
    "UnixMilli",
    "UnixNano",
    "UnixSeconds",
    "UserAgent",
    "Values",
    "Weekday",
    "XXH128",
    "XXH3",
    "Year",
];

#[test]
fn recorded_answers() {
    check("ottl_vectors.txt", 305);
}

/// Every converter with arguments of every kind, every operator between values of every kind, every index.
#[test]
fn more_recorded_answers() {
    check("ottl_more.txt", 19_553);
}

/// Random conditions of the core, nested and mutilated.
#[test]
fn random_conditions_recorded() {
    check("ottl_random.txt", 2400);
}

/// Asks each condition of a file, and lists every answer that is not the recorded one.
fn check(file: &str, count: usize) {
    let world = World::of_vectors();
    let mut wrong = Vec::new();
    let mut waiting = 0;
    let text = read(file);
    for line in text.lines() {
        let (expected, rest) = line.split_once(' ').expect("an answer and a list");
        let (list, condition) = rest.split_once(' ').expect("a list and a condition");
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
            Answer::Refused(errors) if errors.iter().any(is_missing) => waiting += 1,
            _ => wrong.push(format!("{line}\n    {answer:?}")),
        }
    }
    println!("{waiting} wait for a converter");
    assert!(wrong.is_empty(), "\n{}\n{} wrong\n", wrong.join("\n"), wrong.len());
    assert_eq!(text.lines().count(), count);
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
