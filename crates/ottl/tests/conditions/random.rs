//! Text that nobody would write, and what evaluation may cost.

use crate::world::{Answer, World};
use otlp::Keys;
use ottl::{Condition, Context, Error};
use std::hash::{BuildHasher, RandomState};

const PARTS: [&str; 60] = [
    "name",
    "attributes",
    "[\"s\"]",
    "[0]",
    "kind",
    ".string",
    "status.code",
    "resource.",
    "span.",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "\"a\"",
    "\"",
    "\\",
    "==",
    "!=",
    "<",
    ">=",
    "=",
    "=>",
    "+",
    "-",
    "*",
    "/",
    "and",
    "or",
    "not",
    "true",
    "false",
    "nil",
    "1",
    "0",
    "2.5",
    ".5",
    "0x0a",
    "0x",
    "IsMatch(",
    "Len(",
    "Concat([",
    "Substring(name, 0, 1)",
    "Int(",
    "TraceID(",
    "pattern=",
    "SPAN_KIND_CLIENT",
    "é",
    " ",
    "\n",
    "'",
    ".",
    "_",
    "attributes[\"l\"]",
    "attributes[\"m\"]",
    "IsRootSpan()",
    "start_time",
];

/// `OTTL_SEED=<seed>` replays a run, `OTTL_ROUNDS` makes it longer.
#[test]
fn random_text_never_panics() {
    let seed = number("OTTL_SEED").unwrap_or_else(|| RandomState::new().hash_one(1));
    let rounds = number("OTTL_ROUNDS").unwrap_or(20_000);
    println!("OTTL_SEED={seed}");
    let world = World::of_vectors();
    let mut state = seed;
    let mut legal = 0;
    for _ in 0..rounds {
        let mut next = |bound: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % bound
        };
        let len = 1 + next(12);
        let text: String = (0..len).map(|_| PARTS[next(PARTS.len())]).collect::<Vec<_>>().join(" ");
        let context = if next(2) == 0 { Context::Span } else { Context::SpanEvent };
        legal += usize::from(!matches!(world.ask(context, &text), Answer::Refused(_)));
    }
    println!("{legal} of {rounds} were legal");
    assert!(legal > 0 || rounds < 20_000);
}

/// Conditions made by the grammar: legal ones, whose two evaluations agree and whose negation says the opposite.
#[test]
fn random_conditions_and_their_negations() {
    let seed = number("OTTL_SEED").unwrap_or_else(|| RandomState::new().hash_one(2));
    println!("OTTL_SEED={seed}");
    let world = World::of_vectors();
    let mut state = seed;
    for _ in 0..3_000 {
        let text = condition(&mut state, 3);
        let (plain, negated) = (world.ask(Context::Span, &text), world.ask(Context::Span, &format!("not ({text})")));
        match (&plain, &negated) {
            (Answer::True, Answer::False) | (Answer::False, Answer::True) => (),
            (Answer::Error(a), Answer::Error(b)) if a == b => (),
            _ => panic!("{text}: {plain:?}, negated {negated:?}"),
        }
    }
}

fn draw(state: &mut u64, bound: usize) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize % bound
}

fn condition(state: &mut u64, depth: u32) -> String {
    if depth == 0 || draw(state, 3) == 0 {
        let operator = ["==", "!=", "<", "<=", ">", ">="][draw(state, 6)];
        return format!("{} {operator} {}", value(state, depth), value(state, depth));
    }
    let (left, right) = (condition(state, depth - 1), condition(state, depth - 1));
    match draw(state, 4) {
        0 => format!("{left} and {right}"),
        1 => format!("{left} or {right}"),
        2 => format!("not ({left})"),
        _ => format!("({left}) and (IsRootSpan() or {right})"),
    }
}

fn value(state: &mut u64, depth: u32) -> String {
    const SIMPLE: [&str; 22] = [
        "nil",
        "1",
        "500",
        "-5",
        "1.5",
        "\"hello\"",
        "\"\"",
        "true",
        "0x000102",
        "name",
        "kind",
        "attributes[\"s\"]",
        "attributes[\"n\"]",
        "attributes[\"d\"]",
        "attributes[\"bt\"]",
        "attributes[\"by\"]",
        "attributes[\"l\"]",
        "attributes[\"m\"]",
        "attributes[\"missing\"]",
        "start_time",
        "trace_id",
        "status",
    ];
    const MATH: [&str; 8] =
        ["1", "2.5", "kind", "attributes[\"n\"]", "attributes[\"s\"]", "start_time", "end_time", "Len(name)"];
    if depth == 0 || draw(state, 2) == 0 {
        return SIMPLE[draw(state, SIMPLE.len())].to_string();
    }
    match draw(state, 5) {
        0 => format!("[{}, {}]", value(state, depth - 1), value(state, depth - 1)),
        1 => format!("{{\"k\": {}}}", SIMPLE[draw(state, 9)]),
        2 => format!("String({})", SIMPLE[draw(state, SIMPLE.len())]),
        _ => {
            let operator = ["+", "-", "*", "/"][draw(state, 4)];
            format!("{} {operator} {}", MATH[draw(state, MATH.len())], MATH[draw(state, MATH.len())])
        }
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn depth_and_length_are_bounded() {
    let compile = |text: &str| Condition::compile(text, Context::Span, &mut Keys::default());
    let nested = |open: &str, inner: &str, close: &str, depth: usize| {
        format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
    };
    for (open, inner, close) in [
        ("(", "1 == 1", ")"),
        ("not (", "true", ")"),
        ("(", "1", ")"),
        ("-(", "1", ")"),
        ("[", "1", "]"),
        ("{\"a\":", "1", "}"),
        ("Len(", "name", ")"),
        ("attributes[", "name", "]"),
    ] {
        let suffix = if inner == "1 == 1" || inner == "true" { "" } else { " == 1" };
        assert!(compile(&(nested(open, inner, close, 50) + suffix)).is_ok(), "{open}");
        for depth in [80, 10_000] {
            let errors = compile(&(nested(open, inner, close, depth) + suffix)).unwrap_err();
            let is_known = errors[0].message.contains("levels deep") || errors[0].message.contains("longer than");
            assert!(is_known, "{open}: {errors:?}");
        }
        assert!(compile(&open.repeat(10_000)).is_err());
    }
    // What is long and flat is fine, until it is too long.
    let world = World::of_vectors();
    world.check(&format!("{} == 5000", vec!["1"; 5000].join("+")), true);
    world.check(&vec!["kind == 3"; 4000].join(" and "), true);
    assert!(compile(&vec!["kind == 3"; 10_000].join(" and ")).is_err());
}

#[test]
fn fuel_bounds_evaluation() {
    let world = World::of_vectors();
    let text = vec!["IsMatch(attributes[\"url\"], \"[0-9]{9}\")"; 100].join(" or ");
    let (answer, left) = world.ask_with(Context::Span, &text, 1000);
    assert_eq!((answer, left), (Answer::Error(Error::OutOfFuel), 0));
    let (answer, left) = world.ask_with(Context::Span, &text, 100_000);
    assert_eq!(answer, Answer::False);
    assert!((80_000..99_000).contains(&left), "{left}");
    let (_, left) = world.ask_with(Context::Span, "attributes[\"s\"] == \"hello\"", 1000);
    assert!(left > 950, "{left}");
}

/// Patterns are matched in linear time, and a nest of them is refused rather than compiled for minutes.
#[test]
fn patterns_are_linear_and_bounded() {
    let long = "a".repeat(100_000);
    let world = World::of_span(&format!(r#""name": "{long}""#));
    world.check("IsMatch(name, \"^(a+)+$\")", true);
    world.check("IsMatch(name, \"(a*)*b\")", false);
    assert!(matches!(world.ask(Context::Span, "IsMatch(name, \"\\\\pL{1000}\\\\pL{1000}\")"), Answer::Refused(_)));
}

#[test]
fn what_is_random_comes_from_the_seed() {
    let world = World::of_vectors();
    world.check("UUID() != UUID() and UUIDv7() != UUIDv7()", true);
    let needs = |text: &str| Condition::compile(text, Context::Span, &mut Keys::default()).unwrap().needs();
    assert!(needs("UUID() != \"\"").at_verdict && needs("name == \"\" or Now() > start_time").at_verdict);
    assert!(needs("IsMatch(name, \"x\")").costly && !needs("IsMatch(name, \"x\")").at_verdict);
    assert_eq!(needs("Len(name) == 1"), ottl::Needs::default());
}

/// Keys that no condition names are not looked for.
#[test]
fn keys_are_interned() {
    let mut keys = Keys::default();
    let text = "attributes[\"a\"][\"b\"] == resource.attributes[\"c\"] or scope.attributes[\"d\"] == attributes[attributes[\"e\"]]";
    Condition::compile(text, Context::Span, &mut keys).unwrap();
    Condition::compile("attributes[\"f\"] == span.attributes[\"a\"]", Context::SpanEvent, &mut keys).unwrap();
    let names: Vec<_> =
        ["a", "b", "c", "d", "e", "f"].into_iter().filter(|name| keys.find(name.as_bytes()).is_some()).collect();
    assert_eq!(names, ["a", "c", "e"]);
}
