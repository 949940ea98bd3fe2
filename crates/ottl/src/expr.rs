//! Compiled expressions and tests, and how they are evaluated.
//!
//! Values borrow from the span and from the condition. What the compiler folded away is never evaluated, so an error in it
//! is never seen; that is otelcol's rule.

use crate::{
    compare::compare,
    error::Error,
    functions::{Arguments, Call, Plain, Run},
    math,
    path::{Attribute, Field, Key, TraceStateMember, body_part, indexed_result},
    subject::Subject,
    syntax::{Operator, tree::Arithmetic},
    value::{List, ListForm, Map, Value},
};
use std::{borrow::Cow, fmt};

/// Something that is true or false.
#[derive(Debug)]
pub(crate) enum Test {
    Constant(bool),
    Compare {
        operator: Operator,
        left: Expr,
        right: Expr,
    },
    /// A converter that should give a bool.
    Bool(Expr),
    Not(Box<Test>),
    /// At least two.
    All(Box<[Test]>),
    /// At least two.
    Any(Box<[Test]>),
}

/// Something that has a value.
#[derive(Debug)]
pub(crate) enum Expr {
    /// A value that stands in the condition.
    Literal(Value<'static>),
    Field(Field),
    Attribute(Box<Attribute>),
    TraceStateMember(TraceStateMember),
    /// A part of a log record's body.
    BodyPart(Box<[Key]>),
    Call(Box<Invocation>),
    Math(Box<Math>),
    Negative(Box<Expr>),
    List(Box<[Expr]>),
    /// Each key once.
    Map(Box<[(Box<str>, Expr)]>),
    /// A value that is not taken for a literal.
    #[cfg(test)]
    Hidden(Value<'static>),
}

/// A converter with its arguments.
pub(crate) struct Invocation {
    pub(crate) name: &'static str,
    pub(crate) arguments: Arguments,
    pub(crate) answer: Answer,
    /// What indexes the result.
    pub(crate) keys: Box<[Key]>,
}

/// What answers a call.
pub(crate) enum Answer {
    Plain(Plain),
    Prepared(Run),
}

/// Operands of one precedence, from left to right.
#[derive(Debug)]
pub(crate) struct Math {
    pub(crate) first: Expr,
    pub(crate) rest: Box<[(Arithmetic, Expr)]>,
}

/// What each step of an evaluation costs.
const STEP_COST: u64 = 20;

impl Test {
    pub(crate) fn evaluate<'e>(&'e self, subject: &'e Subject<'e>) -> Result<bool, Error> {
        match self {
            Self::Constant(bool) => Ok(*bool),
            Self::Compare { operator, left, right } => {
                subject.fuel().spend(STEP_COST)?;
                if let (Expr::Attribute(attribute), Expr::Literal(literal)) = (left, right)
                    && attribute.keys.is_empty()
                {
                    return compare_found(*operator, attribute.find(subject)?, literal, subject);
                }
                let left = left.evaluate(subject)?;
                let right = right.evaluate(subject)?;
                compare(*operator, &left, &right, Some(subject.fuel()))
            }
            Self::Bool(expr) => match expr.evaluate(subject)? {
                Value::Bool(bool) => Ok(bool),
                other => Err(Error::Type { expected: "a bool from the converter", found: other.kind() }),
            },
            Self::Not(test) => test.evaluate(subject).map(|bool| !bool),
            Self::All(tests) => all(tests, true, subject),
            Self::Any(tests) => all(tests, false, subject).map(|bool| !bool),
        }
    }
}

/// An attribute beside a literal, which is what most conditions are: no value is made of it where both are text or ints.
fn compare_found<'e>(
    operator: Operator,
    found: Option<otlp::Value<'e>>,
    literal: &'e Value<'static>,
    subject: &'e Subject<'e>,
) -> Result<bool, Error> {
    match (found.unwrap_or(otlp::Value::Empty), literal) {
        (otlp::Value::Str(text), Value::Str(wanted)) => {
            subject.fuel().spend(text.len().min(wanted.len()) as u64)?;
            Ok(match operator {
                Operator::Equal => text == &**wanted,
                Operator::Unequal => text != &**wanted,
                _ => operator.holds(Some(text.cmp(wanted))),
            })
        }
        (otlp::Value::Int(int), Value::Int(wanted)) => Ok(operator.holds(Some(int.cmp(wanted)))),
        (found, literal) => compare(operator, &Value::of_wire(found), literal, Some(subject.fuel())),
    }
}

/// Whether all tests give `expected`; the first that does not, or fails, is the last that is evaluated.
fn all<'e>(tests: &'e [Test], expected: bool, subject: &'e Subject<'e>) -> Result<bool, Error> {
    for test in tests {
        if test.evaluate(subject)? != expected {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Expr {
    /// The value, if it is known without a span.
    pub(crate) fn constant(&self) -> Option<&Value<'static>> {
        if let Self::Literal(value) = self { Some(value) } else { None }
    }

    pub(crate) fn evaluate<'e>(&'e self, subject: &'e Subject<'e>) -> Result<Value<'e>, Error> {
        match self {
            Self::Literal(value) => Ok(value.borrow()),
            Self::Field(field) => field.read(subject),
            Self::Attribute(attribute) => attribute.read(subject),
            Self::TraceStateMember(member) => member.read(subject),
            Self::BodyPart(keys) => body_part(keys, subject),
            Self::Call(invocation) => invocation.evaluate(subject),
            Self::Math(math) => math.evaluate(subject),
            Self::Negative(expr) => math::negate(&expr.evaluate(subject)?),
            Self::List(items) => {
                subject.fuel().spend(STEP_COST * items.len() as u64)?;
                let items: Result<_, _> = items.iter().map(|item| item.evaluate(subject)).collect();
                Ok(Value::List(List::native(items?)))
            }
            Self::Map(entries) => {
                subject.fuel().spend(STEP_COST * entries.len() as u64)?;
                let entries = entries.iter().map(|(key, expr)| entry(key, expr.evaluate(subject)?));
                Ok(Value::Map(Map::data(entries.collect::<Result<_, _>>()?)))
            }
            #[cfg(test)]
            Self::Hidden(value) => Ok(value.borrow()),
        }
    }
}

/// An entry of a map literal, which takes what the data model can be given, maps, and lists of both.
pub(crate) fn entry<'e>(key: &'e str, value: Value<'e>) -> Result<crate::value::Entry<'e>, Error> {
    let inner = |value| if let Value::Map(_) = value { Ok(value) } else { value.into_data() };
    let value = match value {
        Value::Map(map) => Value::Map(map),
        Value::List(list) if list.form == ListForm::Native => {
            let items: Result<_, _> = list.into_items().into_iter().map(inner).collect();
            Value::List(List::data(items?))
        }
        value => value.into_data()?,
    };
    Ok((Cow::Borrowed(key.as_bytes()), value))
}

impl Invocation {
    fn evaluate<'e>(&'e self, subject: &'e Subject<'e>) -> Result<Value<'e>, Error> {
        subject.fuel().spend(STEP_COST)?;
        let call = Call { arguments: &self.arguments, subject };
        let value = match &self.answer {
            Answer::Plain(answer) => answer(call),
            Answer::Prepared(run) => run(call),
        }?;
        if self.keys.is_empty() { Ok(value) } else { indexed_result(value, &self.keys, subject) }
    }
}

impl Math {
    fn evaluate<'e>(&'e self, subject: &'e Subject<'e>) -> Result<Value<'e>, Error> {
        let mut value = self.first.evaluate(subject)?;
        for (operator, expr) in &self.rest {
            subject.fuel().spend(STEP_COST)?;
            value = math::calculate(*operator, &value, &expr.evaluate(subject)?)?;
        }
        Ok(value)
    }
}

impl fmt::Debug for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(…)", self.name)
    }
}
