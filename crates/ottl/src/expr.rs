//! Compiled expressions and how they get a value.

use crate::{
    error::Error,
    functions::{Arguments, Call, Plain, Run},
    subject::Subject,
    value::Value,
};
use otlp::view::EventView;
use std::fmt;

/// What an expression is evaluated in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Env<'e> {
    pub(crate) subject: &'e Subject<'e>,
    /// The span event that is asked about, in lists of span event conditions.
    pub(crate) event: Option<&'e EventView<'e>>,
}

/// An expression.
#[derive(Debug)]
pub(crate) enum Expr {
    /// A value that stands in the condition.
    Literal(Value<'static>),
    /// A converter's call.
    Call(Box<Invocation>),
    /// A value that is not taken for a literal.
    #[cfg(test)]
    Hidden(Value<'static>),
}

/// A converter with its arguments.
pub(crate) struct Invocation {
    pub(crate) name: &'static str,
    pub(crate) arguments: Arguments,
    pub(crate) answer: Answer,
}

/// What answers a call.
pub(crate) enum Answer {
    Plain(Plain),
    Prepared(Run),
}

/// What each step of an evaluation costs.
const STEP_COST: u64 = 20;

impl Expr {
    /// The value, if it is known without a span.
    pub(crate) fn constant(&self) -> Option<&Value<'static>> {
        if let Self::Literal(value) = self { Some(value) } else { None }
    }

    pub(crate) fn evaluate<'e>(&'e self, env: &'e Env<'e>) -> Result<Value<'e>, Error> {
        match self {
            Self::Literal(value) => Ok(value.borrow()),
            Self::Call(invocation) => invocation.evaluate(env),
            #[cfg(test)]
            Self::Hidden(value) => Ok(value.borrow()),
        }
    }
}

impl Invocation {
    fn evaluate<'e>(&'e self, env: &'e Env<'e>) -> Result<Value<'e>, Error> {
        env.subject.fuel().spend(STEP_COST)?;
        let call = Call { arguments: &self.arguments, env };
        match &self.answer {
            Answer::Plain(answer) => answer(call),
            Answer::Prepared(run) => run(call),
        }
    }
}

impl fmt::Debug for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(…)", self.name)
    }
}
