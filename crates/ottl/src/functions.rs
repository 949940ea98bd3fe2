//! The converters: functions that a condition may call, by group.
//!
//! A converter is one function of its group's file and one line of that file's `TABLE`:
//!
//! ```text
//! plain("HasPrefix", &[arg("Target", Str), arg("Prefix", Str)], has_prefix),
//! ```
//! - The parameters' names are those of otelcol's Go structs: a named argument `pattern_definitions=` is turned into
//!   `PatternDefinitions` and looked up. [`Kind`] says what each takes. Where the argument of a condition is a literal, it is
//!   coerced to its kind when the condition is compiled, and what does not fit refuses the configuration; the function needs
//!   no check for that. `Text`, `Flag` and `Texts` take literals only.
//! - [`plain`] names the function that answers a call. It pulls its arguments, `call.str(0)?`, in the order in which otelcol
//!   does, because an error in one that is never pulled is never seen.
//! - [`prepared`] names a function that looks at the literal arguments once, when the condition is compiled, refuses what is
//!   wrong with them, and returns the closure that answers calls (see `IsMatch`).
//! - Whoever walks or makes more bytes than its result shows says so: `call.spend(bytes)?`. Each call costs a little anyway.
//! - `.costly()` marks what parses or matches patterns, `.at_verdict()` what depends on the moment of evaluation.

mod argument;
mod call;
mod collections;
mod convert;
mod encoding;
mod hashes;
mod ids;
mod metric;
mod network;
mod numbers;
mod parse;
mod regex;
mod span;
mod strings;
#[cfg(test)]
pub(crate) mod testing;
mod time;
mod type_tests;
mod xml;

pub(crate) use argument::{Argument, Arguments};
pub(crate) use call::Call;

use crate::{error::Error, value::Value};

/// Every converter.
pub(crate) const TABLES: [&[Function]; 15] = [
    type_tests::TABLE,
    convert::TABLE,
    strings::TABLE,
    regex::TABLE,
    collections::TABLE,
    parse::TABLE,
    xml::TABLE,
    encoding::TABLE,
    hashes::TABLE,
    numbers::TABLE,
    time::TABLE,
    ids::TABLE,
    network::TABLE,
    span::TABLE,
    metric::TABLE,
];

/// A converter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Function {
    /// As the user writes it.
    pub(crate) name: &'static str,
    /// Optional ones stand at the end.
    pub(crate) params: &'static [Param],
    pub(crate) build: Build,
    /// Whether its answer depends on when it is asked.
    pub(crate) is_at_verdict: bool,
    /// Whether it parses or matches patterns.
    pub(crate) is_costly: bool,
    /// Where it is known.
    pub(crate) place: Place,
}

/// Where a converter is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Everywhere,
    /// In the context `span`.
    Spans,
    /// In conditions of the context `metric` that are no part of a statement.
    MetricConditions,
}

/// A parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Param {
    /// The field's name in Go.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) is_optional: bool,
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any value.
    Any,
    /// A string.
    Str,
    /// Anything that has a text, or nil.
    StrLike,
    /// An int.
    Int,
    /// Anything that can be an int, or nil.
    IntLike,
    /// A float.
    Float,
    /// Anything that can be a float, or nil.
    FloatLike,
    /// A bool.
    Bool,
    /// Anything that can be a bool, or nil.
    BoolLike,
    /// Anything that has bytes, or nil.
    BytesLike,
    /// An instant.
    Time,
    /// A length of time.
    Duration,
    /// A map.
    Map,
    /// A list.
    List,
    /// A string literal.
    Text,
    /// A bool literal.
    Flag,
    /// A list literal of string literals.
    Texts,
    /// A list literal, each element any value.
    EachAny,
    /// A list literal, each element a string.
    EachStr,
    /// An int literal.
    Whole,
    /// A path that is set.
    Target,
    /// A converter's name.
    Converter,
    /// A list literal, each element anything that has a text or nil; or any value that is a list.
    EachStrLike,
}

/// How a call is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Build {
    Plain(Plain),
    Prepared(fn(&Arguments) -> Result<Run, String>),
}

/// Answers a call.
pub(crate) type Plain = for<'e> fn(Call<'e>) -> Result<Value<'e>, Error>;

/// Answers calls with what was prepared when the condition was compiled.
pub(crate) type Run = Box<dyn for<'e> Fn(Call<'e>) -> Result<Value<'e>, Error> + Send + Sync>;

/// A closure as a [`Run`].
pub(crate) fn run<F>(answer: F) -> Run
where
    F: for<'e> Fn(Call<'e>) -> Result<Value<'e>, Error> + Send + Sync + 'static,
{
    Box::new(answer)
}

/// The converter called `name`.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    TABLES.iter().copied().flatten().find(|function| function.name == name)
}

/// A converter without preparation.
const fn plain(name: &'static str, params: &'static [Param], answer: Plain) -> Function {
    Function::new(name, params, Build::Plain(answer))
}

/// A converter that prepares its literal arguments.
const fn prepared(
    name: &'static str,
    params: &'static [Param],
    prepare: fn(&Arguments) -> Result<Run, String>,
) -> Function {
    Function::new(name, params, Build::Prepared(prepare))
}

/// A parameter that must be given.
pub(crate) const fn arg(name: &'static str, kind: Kind) -> Param {
    Param { name, kind, is_optional: false }
}

/// A parameter that may be left out.
pub(crate) const fn opt(name: &'static str, kind: Kind) -> Param {
    Param { name, kind, is_optional: true }
}

impl Function {
    const fn new(name: &'static str, params: &'static [Param], build: Build) -> Self {
        Self { name, params, build, is_at_verdict: false, is_costly: false, place: Place::Everywhere }
    }

    const fn at_verdict(self) -> Self {
        Self { is_at_verdict: true, ..self }
    }

    const fn costly(self) -> Self {
        Self { is_costly: true, ..self }
    }

    const fn only(self, place: Place) -> Self {
        Self { place, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_table_is_in_order() {
        let mut names = BTreeSet::new();
        for function in TABLES.iter().copied().flatten() {
            assert!(names.insert(function.name), "{} stands twice", function.name);
            let first_optional = function.params.iter().position(|param| param.is_optional);
            let required = function.params.iter().filter(|param| !param.is_optional).count();
            assert!(first_optional.is_none_or(|first| first == required), "{}", function.name);
        }
    }
}
