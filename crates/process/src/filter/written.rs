//! The settings of `filter` as they are written, and what is wrong with them.

use super::{
    LOGS, METRICS, TRACES, compile_group,
    older::{LogProperties, MetricProperties},
};
use crate::{
    conditions::{ConditionMistake, Conditions},
    error_mode::ErrorMode,
    matching::{MatchSettings, RegexpSettings},
};
use otlp::Signal;
use ottl::Context;
use settings::{Decode, Fields, Node, Problems, Severity, Value};

/// Settings of a `filter` processor.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct FilterSettings {
    /// What a condition that fails does.
    pub error_mode: ErrorMode,
    /// Spans that go, by their properties; `trace_conditions` are the newer way.
    pub spans: MatchSettings,
    /// Conditions about traces, by context; `trace_conditions` are the newer way.
    pub traces: TraceFilters,
    /// Conditions about metrics by context, or properties; `metric_conditions` are the newer way.
    pub metrics: MetricFilters,
    /// Conditions about log records by context, or properties; `log_conditions` are the newer way.
    pub logs: LogFilters,
    /// Conditions about profiles, which are not supported; they have no effect.
    pub profiles: ProfileFilters,
    /// Resources, scopes, spans and span events for which one of these holds go.
    pub trace_conditions: Vec<ConditionGroup>,
    /// Resources, scopes, metrics and data points for which one of these holds go.
    pub metric_conditions: Vec<ConditionGroup>,
    /// Resources, scopes and log records for which one of these holds go.
    pub log_conditions: Vec<ConditionGroup>,
    /// Conditions about profiles, which are not supported; they have no effect.
    pub profile_conditions: Vec<ConditionGroup>,
}

/// Conditions about traces, by context.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct TraceFilters {
    /// A resource for which one holds goes with all that came from it.
    pub resource: Option<Vec<String>>,
    /// A span for which one holds goes.
    pub span: Option<Vec<String>>,
    /// A span event for which one holds goes.
    pub spanevent: Option<Vec<String>>,
}

/// Conditions about metrics by context, or properties.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct MetricFilters {
    /// Metrics without these properties go.
    pub include: Option<MetricProperties>,
    /// Metrics with these properties go.
    pub exclude: Option<MetricProperties>,
    /// Read and not used, as in otelcol.
    pub regexp: Option<RegexpSettings>,
    /// A resource for which one holds goes with all that came from it.
    pub resource: Option<Vec<String>>,
    /// A metric for which one holds goes.
    pub metric: Option<Vec<String>>,
    /// A data point for which one holds goes.
    pub datapoint: Option<Vec<String>>,
}

/// Conditions about log records by context, or properties.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct LogFilters {
    /// Log records without these properties go.
    pub include: Option<LogProperties>,
    /// Log records with these properties go.
    pub exclude: Option<LogProperties>,
    /// A resource for which one holds goes with all that came from it.
    pub resource: Option<Vec<String>>,
    /// A log record for which one holds goes.
    pub log_record: Option<Vec<String>>,
}

/// Conditions about profiles.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct ProfileFilters {
    /// Of resources.
    pub resource: Vec<String>,
    /// Of profiles.
    pub profile: Vec<String>,
}

/// Conditions that are asked together.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct ConditionGroup {
    /// What they are about; not written, each condition's paths say it.
    pub context: Option<Context>,
    /// The conditions.
    pub conditions: Vec<String>,
    /// What one that fails does; not written, what the processor's `error_mode` says.
    pub error_mode: Option<ErrorMode>,
}

impl FilterSettings {
    /// As otelcol prints them.
    #[must_use]
    pub fn effective(&self) -> Node {
        let groups = |groups: &[ConditionGroup]| Node::list_of(groups.iter().map(ConditionGroup::effective));
        let metric =
            |side: &Option<MetricProperties>| side.as_ref().map_or_else(Node::null, MetricProperties::effective);
        let log = |side: &Option<LogProperties>| side.as_ref().map_or_else(Node::null, LogProperties::effective);
        let texts = |list: &Option<Vec<String>>| Node::list_of(list.as_deref().unwrap_or_default());
        let logs = Node::map_of([
            ("exclude", log(&self.logs.exclude)),
            ("include", log(&self.logs.include)),
            ("log_record", texts(&self.logs.log_record)),
            ("resource", texts(&self.logs.resource)),
        ]);
        let metrics = Node::map_of([
            ("datapoint", texts(&self.metrics.datapoint)),
            ("exclude", metric(&self.metrics.exclude)),
            ("include", metric(&self.metrics.include)),
            ("metric", texts(&self.metrics.metric)),
            ("regexp", self.metrics.regexp.as_ref().map_or_else(Node::null, RegexpSettings::effective)),
            ("resource", texts(&self.metrics.resource)),
        ]);
        let traces = Node::map_of([
            ("resource", texts(&self.traces.resource)),
            ("span", texts(&self.traces.span)),
            ("spanevent", texts(&self.traces.spanevent)),
        ]);
        let profiles = Node::map_of([
            ("profile", Node::list_of(&self.profiles.profile)),
            ("resource", Node::list_of(&self.profiles.resource)),
        ]);
        Node::map_of([
            ("error_mode", Node::from(self.error_mode.name())),
            ("log_conditions", groups(&self.log_conditions)),
            ("logs", logs),
            ("metric_conditions", groups(&self.metric_conditions)),
            ("metrics", metrics),
            ("profile_conditions", groups(&self.profile_conditions)),
            ("profiles", profiles),
            ("spans", Node::map_of(self.spans.effective())),
            ("trace_conditions", groups(&self.trace_conditions)),
            ("traces", traces),
        ])
    }

    /// Whether the older properties of spans name what spans have.
    ///
    /// # Errors
    /// What they name instead, in words.
    pub fn fits(&self, signal: Signal) -> Result<(), String> {
        let is_used = self.trace_conditions.is_empty() && self.traces.is_empty();
        if signal == Signal::Traces && is_used {
            return self.spans.fits(signal).map_err(|error| error.replacen('`', "`spans::", 1));
        }
        Ok(())
    }
}

impl TraceFilters {
    /// Whether there is no condition. To otelcol an empty list is one that is written, so that it refuses what it prints.
    pub(super) fn is_empty(&self) -> bool {
        [&self.resource, &self.span, &self.spanevent].into_iter().all(holds_nothing)
    }
}

impl MetricFilters {
    /// Whether there is no condition.
    pub(super) fn is_empty(&self) -> bool {
        [&self.resource, &self.metric, &self.datapoint].into_iter().all(holds_nothing)
    }
}

impl LogFilters {
    /// Whether there is no condition.
    pub(super) fn is_empty(&self) -> bool {
        [&self.resource, &self.log_record].into_iter().all(holds_nothing)
    }
}

fn holds_nothing(list: &Option<Vec<String>>) -> bool {
    list.as_ref().is_none_or(Vec::is_empty)
}

impl ConditionGroup {
    fn effective(&self) -> Node {
        Node::map_of([
            ("conditions", Node::list_of(&self.conditions)),
            ("context", Node::from(self.context.map_or("", Context::name))),
            ("error_mode", Node::from(self.error_mode.map_or("", ErrorMode::name))),
        ])
    }
}

impl Decode for FilterSettings {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let told = p.count(Severity::Error);
        let mut fields = node.map("filter", p)?;
        fields.describe::<Self>();
        let settings = Self {
            error_mode: fields.take("error_mode", ErrorMode::default(), p),
            spans: spans(&mut fields, p),
            traces: fields.take("traces", TraceFilters::default(), p),
            metrics: fields.take("metrics", MetricFilters::default(), p),
            logs: fields.take("logs", LogFilters::default(), p),
            profiles: fields.take("profiles", ProfileFilters::default(), p),
            trace_conditions: groups(&mut fields, "trace_conditions", p),
            metric_conditions: groups(&mut fields, "metric_conditions", p),
            log_conditions: groups(&mut fields, "log_conditions", p),
            profile_conditions: groups(&mut fields, "profile_conditions", p),
        };
        fields.finish(p);
        if p.count(Severity::Error) > told {
            return None;
        }
        settings.check_combinations(node, p);
        settings.check_groups(node, ("trace_conditions", &settings.trace_conditions), TRACES, p);
        settings.check_groups(node, ("metric_conditions", &settings.metric_conditions), METRICS, p);
        settings.check_groups(node, ("log_conditions", &settings.log_conditions), LOGS, p);
        let profiles = settings.profiles != ProfileFilters::default();
        let conditions = !settings.profile_conditions.is_empty();
        for (name, is_used) in [("profiles", profiles), ("profile_conditions", conditions)] {
            if let Some(node) = node.lookup(name).filter(|_| is_used) {
                let help = "remove it to silence this".to_string();
                p.warning(&node.at, format!("`{name}` has no effect, for profiles are not supported"), help);
            }
        }
        (p.count(Severity::Error) == told).then_some(settings)
    }
}

fn spans(fields: &mut Fields<'_>, p: &mut Problems) -> MatchSettings {
    let Some(node) = fields.node("spans").filter(|node| !node.is_absent()) else { return MatchSettings::default() };
    let Some(mut inner) = node.map("spans", p) else { return MatchSettings::default() };
    let matching = MatchSettings::take(&mut inner, p);
    inner.finish(p);
    matching
}

/// Conditions, or groups of them; not both.
fn groups(fields: &mut Fields<'_>, name: &str, p: &mut Problems) -> Vec<ConditionGroup> {
    let Some(node) = fields.node(name).filter(|node| !node.is_absent()) else { return Vec::new() };
    p.takes_list(node);
    let Value::List(items) = &node.value else {
        p.within(name, |p| p.wrong(node, "a list", "write one condition a line with `- ` before it".to_string()));
        return Vec::new();
    };
    let texts = items.iter().filter(|item| item.as_text().is_some()).count();
    if let Some(empty) = items.iter().find(|item| item.is_absent()) {
        p.error(&empty.at, format!("a condition in `{name}` is empty"), "write one, or remove the dash".to_string());
        return Vec::new();
    }
    if texts == 0 {
        return p.within(name, |p| Vec::decode(node, p)).unwrap_or_default();
    }
    if let Some(other) = items.iter().find(|item| item.as_text().is_none()) {
        let message = format!("`{name}` holds both conditions and groups of them; keep to one of these forms");
        p.error(&other.at, message, None);
        return Vec::new();
    }
    let conditions = p.within(name, |p| Vec::decode(node, p)).unwrap_or_default();
    vec![ConditionGroup { conditions, ..ConditionGroup::default() }]
}

impl FilterSettings {
    /// Ways to write a filter that exclude one another.
    fn check_combinations(&self, node: &Node, p: &mut Problems) {
        let at = |name: &str| node.lookup(name).map_or(node.at, |node| node.at);
        let mut refuse = |name: &str, both: bool, other: &str| {
            if both {
                p.error(&at(name), format!("`{name}` and {other} cannot be used together; remove one of them"), None);
            }
        };
        let spans = self.spans.include.is_some() || self.spans.exclude.is_some();
        let metrics = self.metrics.include.is_some() || self.metrics.exclude.is_some();
        let logs = self.logs.include.is_some() || self.logs.exclude.is_some();
        let written = |groups: &[ConditionGroup]| !groups.is_empty();
        refuse("spans", spans && !self.traces.is_empty(), "the conditions in `traces`");
        refuse("metrics", metrics && !self.metrics.is_empty(), "its `include` and `exclude`");
        refuse("logs", logs && !self.logs.is_empty(), "its `include` and `exclude`");
        refuse("trace_conditions", written(&self.trace_conditions) && !self.traces.is_empty(), "`traces`");
        let has_metrics = metrics || !self.metrics.is_empty();
        refuse("metric_conditions", written(&self.metric_conditions) && has_metrics, "`metrics`");
        let has_logs = logs || !self.logs.is_empty();
        refuse("log_conditions", written(&self.log_conditions) && has_logs, "`logs`");
    }

    fn check_groups<const N: usize>(
        &self,
        node: &Node,
        (name, groups): (&str, &[ConditionGroup]),
        contexts: [Context; N],
        p: &mut Problems,
    ) {
        let Some(list) = node.lookup(name) else { return };
        let Value::List(items) = &list.value else { return };
        for (index, group) in groups.iter().enumerate() {
            // Conditions that stand in the list themselves are its one group.
            let item = items.get(index).filter(|item| item.as_text().is_none());
            let texts = item.map_or(Some(list), |item| item.lookup("conditions")).unwrap_or(list);
            match group.context.filter(|context| !contexts.contains(context)) {
                Some(context) => {
                    let at = item.and_then(|item| item.lookup("context")).unwrap_or(list).at;
                    let known: Vec<String> = contexts.iter().map(|known| format!("`{}`", known.name())).collect();
                    let message = format!("the context `{}` is none of `{name}`", context.name());
                    p.error(&at, message, format!("write one of {}", known.join(", ")));
                }
                None => {
                    let mistakes = compile_group(self, group, contexts).err().unwrap_or_default();
                    mistakes.iter().for_each(|mistake| mistake.tell(texts, &group.conditions, p));
                }
            }
        }
    }
}

/// A list of conditions of one context, checked.
fn conditions(fields: &mut Fields<'_>, name: &str, context: Context, p: &mut Problems) -> Option<Vec<String>> {
    let texts: Vec<String> = fields.optional(name, p)?;
    let mistakes: Vec<ConditionMistake> =
        Conditions::new(&texts, context, ErrorMode::default()).err().unwrap_or_default();
    if let Some(node) = fields.node(name) {
        mistakes.iter().for_each(|mistake| mistake.tell(node, &texts, p));
    }
    Some(texts)
}

impl Decode for TraceFilters {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("traces", p)?;
        fields.describe::<Self>();
        let filters = Self {
            resource: conditions(&mut fields, "resource", Context::Resource, p),
            span: conditions(&mut fields, "span", Context::Span, p),
            spanevent: conditions(&mut fields, "spanevent", Context::SpanEvent, p),
        };
        fields.finish(p);
        Some(filters)
    }
}

impl Decode for MetricFilters {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("metrics", p)?;
        fields.describe::<Self>();
        let filters = Self {
            include: fields.optional("include", p),
            exclude: fields.optional("exclude", p),
            regexp: fields.optional("regexp", p),
            resource: conditions(&mut fields, "resource", Context::Resource, p),
            metric: conditions(&mut fields, "metric", Context::Metric, p),
            datapoint: conditions(&mut fields, "datapoint", Context::DataPoint, p),
        };
        fields.finish(p);
        Some(filters)
    }
}

impl Decode for LogFilters {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("logs", p)?;
        fields.describe::<Self>();
        let filters = Self {
            include: fields.optional("include", p),
            exclude: fields.optional("exclude", p),
            resource: conditions(&mut fields, "resource", Context::Resource, p),
            log_record: conditions(&mut fields, "log_record", Context::Log, p),
        };
        fields.finish(p);
        Some(filters)
    }
}

impl Decode for ProfileFilters {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("profiles", p)?;
        fields.describe::<Self>();
        let filters =
            Self { resource: fields.take("resource", Vec::new(), p), profile: fields.take("profile", Vec::new(), p) };
        fields.finish(p);
        Some(filters)
    }
}

impl Decode for ConditionGroup {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("conditions", p)?;
        fields.describe::<Self>();
        let contexts = Context::ALL.map(Context::name);
        fields.words_in_any_case("context", &[&["", "profile"], &contexts[..]].concat());
        let context: String = fields.take("context", String::new(), p);
        let group = Self {
            context: Context::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(&context)),
            conditions: fields.take("conditions", Vec::new(), p),
            error_mode: ErrorMode::take_own(&mut fields, p),
        };
        let at = fields.node("context").map_or(fields.at(), |node| node.at);
        fields.finish(p);
        // Profiles have a context, too; it is of no use here, and no mistake where profiles are filtered.
        if group.context.is_none() && !context.is_empty() && !context.eq_ignore_ascii_case("profile") {
            let known: Vec<String> = Context::ALL.iter().map(|known| format!("`{}`", known.name())).collect();
            p.error(&at, format!("unknown context `{context}`"), format!("write one of {}", known.join(", ")));
        }
        Some(group)
    }
}
