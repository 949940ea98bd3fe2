//! What the real collector answered, condition by condition.

use crate::world::{Answer, World, read};
use ottl::Context;

#[test]
fn recorded_answers() {
    check("ottl_vectors.txt", 305);
}

/// Every converter with arguments of every kind, every operator between values of every kind, every index.
#[test]
fn more_recorded_answers() {
    check("ottl_more.txt", 19_485);
}

/// The parts of XPath that are left out on purpose are refused by name.
#[test]
fn unsupported_conditions_are_refused() {
    let world = World::of_vectors();
    let text = read("ottl_unsupported.txt");
    for line in text.lines() {
        let condition = line.splitn(3, ' ').nth(2).expect("a condition");
        let answer = world.ask(Context::Span, condition);
        let says_so = |error: &ottl::SyntaxError| error.message.contains("is not supported");
        assert!(matches!(&answer, Answer::Refused(errors) if errors.iter().all(says_so)), "{condition}: {answer:?}");
    }
    assert_eq!(text.lines().count(), 30);
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
        wrong.push(format!("{line}\n    {answer:?}"));
    }
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
            answer => panic!("{condition}: {answer:?}"),
        }
    }
}
