//! `filter`: takes away what conditions hold for: resources, scopes, spans, span events, metrics, data points, log records.
//!
//! There are three ways to write it, and one thing comes out: stages, which a request passes one after the other. What a
//! stage empties goes with what it took away: a metric without points, a scope without items, a resource without scopes.
//!
//! | written | a stage of |
//! |---|---|
//! | `trace_conditions`, `metric_conditions`, `log_conditions` | each group of conditions, of any contexts |
//! | `traces`, `metrics`, `logs` | the lists of conditions, each of one context |
//! | `spans`, and `include`/`exclude` of the other two | the properties |

mod older;
mod stage;
mod written;

pub use older::{LogProperties, MetricProperties, SeverityName};
pub use written::{ConditionGroup, FilterSettings, LogFilters, MetricFilters, ProfileFilters, TraceFilters};

use crate::{Broken, Edited, Moment, Processor, conditions::ConditionMistake, conditions::Conditions, matching::Skip};
use older::ResourceSkip;
use otlp::Signal;
use ottl::Context;
use stage::{Rule, Stage};
use std::borrow::Cow;

/// The processor `filter`.
#[derive(Clone, Debug)]
pub struct Filter {
    traces: Vec<Stage>,
    metrics: Vec<Stage>,
    logs: Vec<Stage>,
}

impl Filter {
    /// Compiles the settings.
    ///
    /// # Errors
    /// What is wrong with them; with those that decoding gave nothing is.
    pub fn new(settings: &FilterSettings) -> Result<Self, String> {
        Ok(Self { traces: traces(settings)?, metrics: metrics(settings)?, logs: logs(settings)? })
    }

    fn stages(&self, signal: Signal) -> &[Stage] {
        match signal {
            Signal::Traces => &self.traces,
            Signal::Metrics => &self.metrics,
            Signal::Logs => &self.logs,
        }
    }
}

impl Processor for Filter {
    fn edit<'a>(&self, signal: Signal, request: &'a [u8], moment: Moment<'_>) -> Result<Edited<'a>, Broken> {
        let mut edited = Edited::unchanged(request);
        for stage in self.stages(signal) {
            let mut passed = match &edited.body {
                Cow::Borrowed(body) => stage.edit(signal, body, moment)?,
                Cow::Owned(body) => {
                    let passed = stage.edit(signal, body, moment)?;
                    Edited { body: Cow::Owned(passed.body.into_owned()), ..passed }
                }
            };
            passed.filtered += edited.filtered;
            passed.ignored = edited.ignored.and(passed.ignored);
            edited = passed;
        }
        Ok(edited)
    }
}

/// The contexts that conditions of each signal may be of: of resources, scopes, items, and what is in them.
const TRACES: [Context; 4] = [Context::Resource, Context::Scope, Context::Span, Context::SpanEvent];
const METRICS: [Context; 4] = [Context::Resource, Context::Scope, Context::Metric, Context::DataPoint];
const LOGS: [Context; 3] = [Context::Resource, Context::Scope, Context::Log];

fn traces(settings: &FilterSettings) -> Result<Vec<Stage>, String> {
    if !settings.trace_conditions.is_empty() {
        return groups(settings, &settings.trace_conditions, TRACES);
    }
    let TraceFilters { resource, span, spanevent } = &settings.traces;
    let is_written = settings.spans.include.is_some() || settings.spans.exclude.is_some();
    if settings.traces.is_empty() && is_written {
        if settings.spans.fits(Signal::Traces).is_err() {
            return Ok(Vec::new());
        }
        let skip = Skip::new(&settings.spans, Signal::Traces)?;
        return Ok(vec![Stage { item: Rule::Properties(Box::new(skip)), ..Stage::default() }]);
    }
    let [resource, item, inner] =
        explicit(settings, [(resource, Context::Resource), (span, Context::Span), (spanevent, Context::SpanEvent)])?;
    Ok(Stage { resource, scope: Rule::Nothing, item, inner }.if_asked())
}

fn metrics(settings: &FilterSettings) -> Result<Vec<Stage>, String> {
    if !settings.metric_conditions.is_empty() {
        return groups(settings, &settings.metric_conditions, METRICS);
    }
    let MetricFilters { resource, metric, datapoint, include, exclude, .. } = &settings.metrics;
    let names = older::names(include.as_ref(), exclude.as_ref())?;
    let skip = ResourceSkip::new(include.as_ref(), exclude.as_ref())?;
    if settings.metrics.is_empty() && (names.is_some() || skip.is_some()) {
        let resource = skip.map_or(Rule::Nothing, Rule::Attributes);
        return Ok(vec![Stage {
            resource,
            item: names.map_or(Rule::Nothing, |names| Rule::Properties(Box::new(names))),
            ..Stage::default()
        }]);
    }
    let [resource, item, inner] = explicit(
        settings,
        [(resource, Context::Resource), (metric, Context::Metric), (datapoint, Context::DataPoint)],
    )?;
    Ok(Stage { resource, scope: Rule::Nothing, item, inner }.if_asked())
}

fn logs(settings: &FilterSettings) -> Result<Vec<Stage>, String> {
    if !settings.log_conditions.is_empty() {
        return groups(settings, &settings.log_conditions, LOGS);
    }
    let LogFilters { resource, log_record, include, exclude } = &settings.logs;
    let matching = older::log_matching(include.as_ref(), exclude.as_ref());
    if settings.logs.is_empty() && (matching.include.is_some() || matching.exclude.is_some()) {
        let skip = Skip::new(&matching, Signal::Logs)?;
        return Ok(vec![Stage { item: Rule::Properties(Box::new(skip)), ..Stage::default() }]);
    }
    let [resource, item] = explicit(settings, [(resource, Context::Resource), (log_record, Context::Log)])?;
    Ok(Stage { resource, item, ..Stage::default() }.if_asked())
}

/// Lists of conditions, each of the context that its place says.
fn explicit<const N: usize>(
    settings: &FilterSettings,
    lists: [(&Option<Vec<String>>, Context); N],
) -> Result<[Rule; N], String> {
    let mut rules: [Rule; N] = std::array::from_fn(|_| Rule::Nothing);
    for (rule, (texts, context)) in rules.iter_mut().zip(lists) {
        // An empty list takes nothing away, but what is empty goes with it.
        if let Some(texts) = texts {
            *rule = Rule::Conditions(Conditions::new(texts, context, settings.error_mode).map_err(first)?);
        }
    }
    Ok(rules)
}

fn groups<const N: usize>(
    settings: &FilterSettings,
    groups: &[ConditionGroup],
    contexts: [Context; N],
) -> Result<Vec<Stage>, String> {
    groups.iter().map(|group| compile_group(settings, group, contexts).map_err(first)).collect()
}

/// One group of conditions, of the context that it names or of those that the paths say.
fn compile_group<const N: usize>(
    settings: &FilterSettings,
    group: &ConditionGroup,
    contexts: [Context; N],
) -> Result<Stage, Vec<ConditionMistake>> {
    let error_mode = group.error_mode.unwrap_or(settings.error_mode);
    let rules: [Option<Conditions>; N] = match group.context {
        None => Conditions::inferred(&group.conditions, contexts, error_mode)?,
        Some(context) => {
            let mut conditions =
                Some(Conditions::new(&group.conditions, context, error_mode)?).filter(|_| !group.conditions.is_empty());
            contexts.map(|other| if other == context { conditions.take() } else { None })
        }
    };
    let mut rules = rules.into_iter().map(|rule| rule.map_or(Rule::Nothing, Rule::Conditions));
    let mut next = || rules.next().unwrap_or_default();
    Ok(Stage { resource: next(), scope: next(), item: next(), inner: next() })
}

/// The message of the first mistake.
fn first(mistakes: Vec<ConditionMistake>) -> String {
    mistakes.into_iter().next().map_or(String::new(), |mistake| mistake.message)
}

#[cfg(test)]
mod tests;
