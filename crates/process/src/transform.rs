//! `transform`: statements in OTTL edit resources, scopes, spans, span events, metrics, data points and log records.
//!
//! Statements come in groups, each of one context. A group is executed for all its records in the request, then comes the
//! next; a record's statements are executed one after the other, and each sees what those before it did. What no statement
//! changes leaves as it came.

mod group;
mod settings;
mod tree;

pub use settings::{GroupSettings, TransformSettings};

use crate::{Broken, Edited, Ignored, Moment, Processor};
use group::Group;
use otlp::Signal;
use ottl::{Context, Fuel};
use std::{borrow::Cow, collections::HashMap};
use tree::Tree;

/// The processor `transform`.
#[derive(Clone, Debug)]
pub struct Transform {
    traces: Vec<Group>,
    metrics: Vec<Group>,
    logs: Vec<Group>,
}

/// What lasts from record to record while a request is edited.
pub(crate) struct Run<'m> {
    /// Who sent the request.
    pub(crate) client: Option<&'m dyn ottl::Client>,
    /// The time, and where random numbers stand.
    pub(crate) moment: ottl::Moment,
    pub(crate) fuel: Fuel,
    /// The caches of the groups that share theirs, by context.
    pub(crate) caches: HashMap<Context, Vec<u8>>,
    pub(crate) ignored: Ignored,
}

impl Transform {
    /// Compiles the settings.
    ///
    /// # Errors
    /// What is wrong with them; with those that decoding gave nothing is.
    pub fn new(settings: &TransformSettings) -> Result<Self, String> {
        let groups = |list: &[GroupSettings], signal| {
            let groups = list.iter().map(|group| Group::new(group, settings.error_mode, signal));
            groups.collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            traces: groups(&settings.trace_statements, Signal::Traces)?,
            metrics: groups(&settings.metric_statements, Signal::Metrics)?,
            logs: groups(&settings.log_statements, Signal::Logs)?,
        })
    }

    fn groups(&self, signal: Signal) -> &[Group] {
        match signal {
            Signal::Traces => &self.traces,
            Signal::Metrics => &self.metrics,
            Signal::Logs => &self.logs,
        }
    }
}

impl Processor for Transform {
    fn edit<'a>(&self, signal: Signal, request: &'a [u8], moment: Moment<'_>) -> Result<Edited<'a>, Broken> {
        let groups = self.groups(signal);
        if groups.iter().all(Group::is_idle) {
            return Ok(Edited::unchanged(request));
        }
        let mut tree = Tree::parse(request)?;
        let mut run = Run {
            client: moment.client.map(|sender| sender as &dyn ottl::Client),
            moment: ottl::Moment { wall_ns: moment.wall_ns, seed: moment.seed },
            fuel: Fuel::new(u64::MAX),
            caches: HashMap::new(),
            ignored: Ignored::default(),
        };
        for group in groups {
            tree.execute(group, &mut run)?;
        }
        let body = tree.write().map_or(Cow::Borrowed(request), Cow::Owned);
        Ok(Edited { ignored: run.ignored, ..Edited::new(body, 0) })
    }
}

#[cfg(test)]
mod tests;
