//! A compiled condition.

use crate::{
    compile::{self, Paths},
    error::{Error, SyntaxError},
    expr::Test,
    path::Context,
    subject::Subject,
};
use otlp::{Keys, view::EventView};
use std::{fmt, sync::Arc};

/// A condition. Clones share what was compiled.
#[derive(Clone)]
pub struct Condition {
    text: Arc<str>,
    context: Context,
    test: Arc<Test>,
    needs: Needs,
}

/// What decides when a condition is best evaluated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// It depends on the moment: `Now()`, `UUID()`, `UUIDv7()`.
    pub at_verdict: bool,
    /// It parses or matches patterns.
    pub costly: bool,
}

impl Condition {
    /// Compiles `text`; the keys of the attributes that it names are added to `keys`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn compile(text: &str, context: Context, keys: &mut Keys) -> Result<Self, Vec<SyntaxError>> {
        Self::compile_with(text, context, Paths::Plain, keys)
    }

    /// Compiles `text`, whose paths say their context in the way that `paths` tells.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn compile_with(text: &str, context: Context, paths: Paths, keys: &mut Keys) -> Result<Self, Vec<SyntaxError>> {
        let (test, needs) = compile::compile(text, context, paths, keys)?;
        Ok(Self { text: text.into(), context, test: Arc::new(test), needs })
    }

    /// The condition as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The list that it stands in.
    #[must_use]
    pub fn context(&self) -> Context {
        self.context
    }

    /// What it needs.
    #[must_use]
    pub fn needs(&self) -> Needs {
        self.needs
    }

    /// Whether it holds for the subject, which is of the condition's context.
    ///
    /// # Errors
    /// What otelcol's `error_mode` is about, and [`Error::OutOfFuel`].
    pub fn evaluate<'e>(&'e self, subject: &'e Subject<'e>) -> Result<bool, Error> {
        self.test.evaluate(subject)
    }

    /// Whether it holds for one of the events of `subject`.
    ///
    /// # Errors
    /// See [`Condition::evaluate`].
    pub fn evaluate_event<'e>(&'e self, subject: &'e Subject<'e>, event: EventView<'e>) -> Result<bool, Error> {
        subject.look_at(event);
        self.test.evaluate(subject)
    }
}

/// Equal texts of equal lists mean the same.
impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.context == other.context
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.text).finish()
    }
}
