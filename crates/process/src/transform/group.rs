//! A group of statements: of one context, under common conditions.

use super::{Run, settings::GroupSettings};
use crate::{Broken, Failing, error_mode::ErrorMode};
use otlp::{Keys, Signal};
use ottl::{Condition, Context, Draft, Hints, Paths, Statement};

/// A compiled group.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    context: Context,
    /// Any of them lets the statements be executed; so does having none.
    conditions: Vec<Condition>,
    statements: Vec<Statement>,
    error_mode: ErrorMode,
    shares_cache: bool,
}

impl Group {
    /// Compiles a group.
    pub(super) fn new(settings: &GroupSettings, error_mode: ErrorMode, signal: Signal) -> Result<Self, String> {
        let (context, paths) = match settings.context {
            Some(context) => (context, Paths::Plain),
            None => (settings.inferred(signal)?, Paths::Prefixed),
        };
        let mut keys = Keys::default();
        let told = |errors: Vec<ottl::SyntaxError>| errors.first().map(ToString::to_string).unwrap_or_default();
        let conditions =
            settings.conditions.iter().map(|text| Condition::compile_with(text, context, paths, &mut keys));
        let statements = settings.statements.iter().map(|text| Statement::compile(text, context, paths));
        Ok(Self {
            context,
            conditions: conditions.collect::<Result<_, _>>().map_err(told)?,
            statements: statements.collect::<Result<_, _>>().map_err(told)?,
            error_mode: settings.error_mode.unwrap_or(error_mode),
            shares_cache: settings.shared_cache,
        })
    }

    pub(crate) fn context(&self) -> Context {
        self.context
    }

    /// Whether it does nothing whatever comes.
    pub(crate) fn is_idle(&self) -> bool {
        self.statements.is_empty() && (self.conditions.is_empty() || self.error_mode != ErrorMode::Propagate)
    }

    /// Edits a record.
    pub(crate) fn execute(&self, draft: &mut Draft<'_>, run: &mut Run<'_>) -> Result<(), Broken> {
        if self.shares_cache {
            draft.cache = run.caches.remove(&self.context).unwrap_or_default();
        }
        let result = self.execute_with_cache(draft, run);
        if self.shares_cache {
            run.caches.insert(self.context, std::mem::take(&mut draft.cache));
        }
        result
    }

    fn execute_with_cache(&self, draft: &mut Draft<'_>, run: &mut Run<'_>) -> Result<(), Broken> {
        if !self.conditions.is_empty() && !self.is_due(draft, run)? {
            return Ok(());
        }
        for statement in &self.statements {
            if let Err(error) = statement.execute(draft, &mut run.moment, &run.fuel) {
                run.ignored.meet(self.error_mode, Failing::Statement, statement.text(), &error)?;
            }
        }
        Ok(())
    }

    fn is_due(&self, draft: &Draft<'_>, run: &mut Run<'_>) -> Result<bool, Broken> {
        let subject = draft.subject(self.context, run.moment, &run.fuel);
        for condition in &self.conditions {
            match condition.evaluate(&subject) {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(error) => run.ignored.meet(self.error_mode, Failing::Condition, condition.text(), &error)?,
            }
        }
        Ok(false)
    }
}

impl GroupSettings {
    /// The context that the paths of the statements and conditions tell.
    pub(super) fn inferred(&self, signal: Signal) -> Result<Context, String> {
        let mut hints = Hints::default();
        let noted = self.statements.iter().try_for_each(|text| hints.statement(text));
        let noted = noted.and_then(|()| self.conditions.iter().try_for_each(|text| hints.condition(text)));
        noted.map_err(|error| error.to_string())?;
        hints.infer(contexts(signal))
    }
}

/// The contexts that a signal has.
pub(super) fn contexts(signal: Signal) -> &'static [Context] {
    match signal {
        Signal::Traces => &[Context::Resource, Context::Scope, Context::Span, Context::SpanEvent],
        Signal::Metrics => &[Context::Resource, Context::Scope, Context::Metric, Context::DataPoint],
        Signal::Logs => &[Context::Resource, Context::Scope, Context::Log],
    }
}
