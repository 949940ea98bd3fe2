//! A compiled statement, and the record that it edits.

use crate::{
    client::Client,
    compile::{self, Paths},
    edit::{Buffer, Change, Run},
    error::{Error, SyntaxError},
    expr::Test,
    functions::{Arguments, Call},
    path::Context,
    subject::{Fuel, Item, Moment, Record, Subject},
};
use otlp::Keys;
use std::{borrow::Cow, fmt, sync::Arc};

/// A statement: an editor and when it is called. Clones share what was compiled.
#[derive(Clone)]
pub struct Statement {
    text: Arc<str>,
    context: Context,
    compiled: Arc<Compiled>,
}

/// What a statement was compiled to.
pub(crate) struct Compiled {
    pub(crate) condition: Option<Test>,
    pub(crate) arguments: Arguments,
    pub(crate) run: Run,
    /// Whether it draws random numbers.
    pub(crate) is_random: bool,
}

/// A record under edit: the messages that make it up, borrowed until they change.
#[derive(Clone, Debug, Default)]
pub struct Draft<'a> {
    /// The body of the ResourceSpans, ResourceMetrics or ResourceLogs, without its scopes.
    pub resource: Cow<'a, [u8]>,
    /// The body of the ScopeSpans, ScopeMetrics or ScopeLogs, without its items.
    pub scope: Cow<'a, [u8]>,
    /// The Span, Metric or LogRecord; empty for resources and scopes.
    pub item: Cow<'a, [u8]>,
    /// The Span.Event or the data point; empty for other records.
    pub part: Cow<'a, [u8]>,
    /// What statements leave for later ones: the body of a `KeyValueList`.
    pub cache: Vec<u8>,
    /// Who sent the record, where that is known.
    pub client: Option<&'a dyn Client>,
}

/// No edit may make a message longer.
const BUFFER_BYTES_MAX: usize = 64 << 20;

impl Statement {
    /// Compiles `text`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn compile(text: &str, context: Context, paths: Paths) -> Result<Self, Vec<SyntaxError>> {
        let compiled = compile::compile_statement(text, context, paths, &mut Keys::default())?;
        Ok(Self { text: text.into(), context, compiled: Arc::new(compiled) })
    }

    /// The statement as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it edits.
    #[must_use]
    pub fn context(&self) -> Context {
        self.context
    }

    /// Edits `draft`, which is of the statement's context, and says whether the editor was called. Random numbers that are
    /// drawn move `moment` on.
    ///
    /// # Errors
    /// What otelcol's `error_mode` is about, and [`Error::OutOfFuel`]. Something may have changed nevertheless.
    pub fn execute(&self, draft: &mut Draft<'_>, moment: &mut Moment, fuel: &Fuel) -> Result<bool, Error> {
        let compiled = &*self.compiled;
        let (change, result) = {
            let subject = draft.subject(self.context, *moment, fuel);
            let is_due = match &compiled.condition {
                Some(test) => test.evaluate(&subject),
                None => Ok(true),
            };
            match is_due {
                Ok(true) => match (compiled.run)(Call { arguments: &compiled.arguments, subject: &subject }) {
                    Ok(change) => (change, Ok(true)),
                    Err(failure) => (failure.change, Err(failure.error)),
                },
                answer => (None, answer),
            }
        };
        if compiled.is_random {
            moment.seed = moment.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        }
        if let Some(change) = change {
            draft.apply(change)?;
        }
        result
    }
}

impl Draft<'_> {
    /// The record as it is now, to ask conditions about.
    #[must_use]
    pub fn subject<'s>(&'s self, context: Context, moment: Moment, fuel: &'s Fuel) -> Subject<'s> {
        let (item, part) = (&*self.item, &*self.part);
        let item = match context {
            Context::Resource | Context::Scope => Item::Alone,
            Context::Span => Item::Span(item),
            Context::SpanEvent => Item::Event { span: item, event: part },
            Context::Metric => Item::Metric(item),
            Context::DataPoint => Item::Point { metric: item, point: part },
            Context::Log => Item::Log(item),
        };
        let record =
            Record { resource: &self.resource, scope: &self.scope, item, cache: &self.cache, client: self.client };
        Subject::record(record, moment, fuel)
    }

    /// What does not change stays borrowed.
    fn apply(&mut self, change: Change) -> Result<(), Error> {
        if change.bytes.len() > BUFFER_BYTES_MAX {
            return Err(Error::failed(format!("what is edited would be longer than {BUFFER_BYTES_MAX} bytes")));
        }
        let buffer = match change.buffer {
            Buffer::Resource => &mut self.resource,
            Buffer::Scope => &mut self.scope,
            Buffer::Item => &mut self.item,
            Buffer::Part => &mut self.part,
            Buffer::Cache => {
                self.cache = change.bytes;
                return Ok(());
            }
        };
        if **buffer != *change.bytes {
            *buffer = Cow::Owned(change.bytes);
        }
        Ok(())
    }
}

/// Equal texts of equal contexts mean the same.
impl PartialEq for Statement {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.context == other.context
    }
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Statement").field(&self.text).finish()
    }
}
