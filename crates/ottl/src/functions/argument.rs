//! The arguments of a call as the condition wrote them, sorted to the converter's parameters.

use super::Function;
use crate::{edit::target_path::Target, expr::Expr, value::Value};

/// What a call was written with, one place for each parameter.
#[derive(Debug)]
pub(crate) struct Arguments {
    given: Box<[Option<Argument>]>,
}

/// One argument.
#[derive(Debug)]
pub(crate) enum Argument {
    /// A value.
    Value(Expr),
    /// The elements of a list literal, for parameters that take one.
    Items(Box<[Expr]>),
    /// A path that an editor sets.
    Target(Target),
    /// A converter to be called.
    Converter(&'static Function),
}

impl Arguments {
    pub(crate) fn new(given: Vec<Option<Argument>>) -> Self {
        Self { given: given.into() }
    }

    /// The argument of a parameter, if there is one.
    pub(crate) fn argument(&self, index: usize) -> Option<&Argument> {
        self.given.get(index).and_then(Option::as_ref)
    }

    /// Whether a parameter was given.
    pub(crate) fn is_given(&self, index: usize) -> bool {
        self.argument(index).is_some()
    }

    /// The value of a literal argument; `None` if it is not given or no literal.
    pub(crate) fn constant(&self, index: usize) -> Option<&Value<'static>> {
        if let Some(Argument::Value(expr)) = self.argument(index) { expr.constant() } else { None }
    }

    /// The text of a string literal.
    pub(crate) fn constant_str(&self, index: usize) -> Option<&[u8]> {
        if let Some(Value::Str(text)) = self.constant(index) { Some(text) } else { None }
    }

    /// The text of a string literal, if it is UTF-8.
    pub(crate) fn constant_text(&self, index: usize) -> Option<&str> {
        self.constant_str(index).and_then(|text| std::str::from_utf8(text).ok())
    }

    /// The value of an int literal.
    pub(crate) fn constant_int(&self, index: usize) -> Option<i64> {
        if let Some(Value::Int(int)) = self.constant(index) { Some(*int) } else { None }
    }

    /// The value of a bool literal.
    pub(crate) fn constant_bool(&self, index: usize) -> Option<bool> {
        if let Some(Value::Bool(bool)) = self.constant(index) { Some(*bool) } else { None }
    }

    /// The elements of a list literal that are literals themselves.
    pub(crate) fn constant_items(&self, index: usize) -> impl Iterator<Item = &Value<'static>> {
        let items = if let Some(Argument::Items(items)) = self.argument(index) { &**items } else { &[] };
        items.iter().filter_map(Expr::constant)
    }
}
