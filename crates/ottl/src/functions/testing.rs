//! For tests of converters: calls with given values, without a condition's text.

use super::{Argument, Arguments, Build, Call, Kind, find};
use crate::{
    error::Error,
    expr::Expr,
    subject::{Fuel, Moment, Subject},
    value::{List, Value},
};

/// The moment of all tests.
pub(crate) const MOMENT: Moment = Moment { wall_ns: 1_767_225_600_000_000_000, seed: 1 };

/// How a call failed.
#[derive(Debug, PartialEq)]
pub(crate) enum Failure {
    /// When the condition is compiled.
    Refused(String),
    /// When it is evaluated.
    Error(Error),
}

/// Calls a converter with each list of literals; `None` expects a failure, whenever.
#[track_caller]
pub(crate) fn check(name: &str, cases: &[(&[Value<'static>], Option<Value<'static>>)]) {
    for (arguments, expected) in cases {
        let answer = ask(name, arguments);
        assert_eq!(answer.as_ref().ok(), expected.as_ref(), "{name}({arguments:?}) gives {answer:?}");
    }
}

/// Calls a converter with literals.
pub(crate) fn ask(name: &str, values: &[Value<'static>]) -> Result<Value<'static>, Failure> {
    call(name, values, Expr::Literal)
}

/// Calls a converter with the same values as if they were attributes, unless the parameter takes literals only.
pub(crate) fn ask_dynamically(name: &str, values: &[Value<'static>]) -> Result<Value<'static>, Failure> {
    call(name, values, Expr::Hidden)
}

fn call(name: &str, values: &[Value<'static>], wrap: fn(Value<'static>) -> Expr) -> Result<Value<'static>, Failure> {
    let function = find(name).unwrap_or_else(|| panic!("no converter is called {name}"));
    let arguments = function.params.iter().enumerate().map(|(index, param)| {
        let value = values.get(index)?.clone();
        Some(match (param.kind, value) {
            (Kind::Texts, Value::List(list)) => items(list, Expr::Literal),
            (Kind::EachAny | Kind::EachStr | Kind::EachStrLike, Value::List(list)) => items(list, wrap),
            (Kind::Text | Kind::Flag, value) => Argument::Value(Expr::Literal(value)),
            (_, value) => Argument::Value(wrap(value)),
        })
    });
    let arguments = Arguments::new(arguments.collect());
    let fuel = Fuel::new(u64::MAX);
    let subject = Subject::stored(&[], &[], &[], MOMENT, &fuel);
    let call = Call { arguments: &arguments, subject: &subject };
    let answer = match function.build {
        Build::Plain(answer) => answer(call).map(Value::into_owned),
        Build::Prepared(prepare) => {
            let run = prepare(&arguments).map_err(Failure::Refused)?;
            run(call).map(Value::into_owned)
        }
    };
    answer.map_err(Failure::Error)
}

fn items(list: List<'static>, wrap: fn(Value<'static>) -> Expr) -> Argument {
    Argument::Items(list.into_items().into_iter().map(wrap).collect())
}
