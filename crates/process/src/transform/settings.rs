//! Settings of `transform`: both spellings of its statements, each mistake at its place.

use super::group::contexts;
use crate::error_mode::ErrorMode;
use otlp::{Keys, Signal};
use ottl::{Condition, Context, Hints, Paths, Statement, SyntaxError};
use settings::{Decode, Fields, Location, Node, Problems, Value};

/// Settings of a `transform` processor.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct TransformSettings {
    /// What an error of a statement or condition does.
    pub error_mode: ErrorMode,
    /// Statements for traces: a list of statements, or of groups with settings.
    pub trace_statements: Vec<GroupSettings>,
    /// Statements for metrics: a list of statements, or of groups with settings.
    pub metric_statements: Vec<GroupSettings>,
    /// Statements for logs: a list of statements, or of groups with settings.
    pub log_statements: Vec<GroupSettings>,
}

/// A group of statements.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct GroupSettings {
    /// What the statements edit: `resource`, `scope`, `span`, `spanevent`, `metric`, `datapoint` or `log`; not written it is
    /// inferred from what the paths begin with.
    pub context: Option<Context>,
    /// Conditions, of which one must hold for the statements to be executed.
    pub conditions: Vec<String>,
    /// Statements, executed in this order.
    pub statements: Vec<String>,
    /// What an error does here, if it is something else than in the whole processor.
    pub error_mode: Option<ErrorMode>,
    /// Whether `cache` lasts from record to record of a request.
    pub shared_cache: bool,
}

impl Decode for TransformSettings {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("transform", p)?;
        fields.describe::<Self>();
        let error_mode = fields.take("error_mode", ErrorMode::default(), p);
        let settings = Self {
            error_mode,
            trace_statements: groups(&mut fields, "trace_statements", Signal::Traces, p),
            metric_statements: groups(&mut fields, "metric_statements", Signal::Metrics, p),
            log_statements: groups(&mut fields, "log_statements", Signal::Logs, p),
        };
        if let Some(profiles) = fields.unsupported("profile_statements")
            && !matches!(&profiles.value, Value::Null)
            && profiles.list("profile_statements", p).is_some_and(|list| !list.is_empty())
        {
            p.error(
                &profiles.at,
                "`profile_statements` are not supported",
                "remove them; there are no profiles here".to_string(),
            );
        }
        fields.describe_keys(&[("flatten_data", "Only `false`, for another value needs a gate of otelcol.")]);
        if fields.take("flatten_data", false, p) {
            let at = fields.node("flatten_data").map_or(fields.at(), |node| node.at);
            let help = "remove it; in otelcol it needs the feature gate `transform.flatten.logs`";
            p.error(&at, "`flatten_data` is not supported", help.to_string());
        }
        fields.finish(p);
        Some(settings)
    }
}

impl TransformSettings {
    /// As otelcol prints them.
    #[must_use]
    pub fn effective(&self) -> Node {
        let groups = |groups: &[GroupSettings]| Node::list_of(groups.iter().map(GroupSettings::effective));
        Node::map_of([
            ("error_mode", Node::from(self.error_mode.name())),
            ("flatten_data", false.into()),
            ("log_statements", groups(&self.log_statements)),
            ("metric_statements", groups(&self.metric_statements)),
            ("profile_statements", Node::list_of(Vec::<Node>::new())),
            ("trace_statements", groups(&self.trace_statements)),
        ])
    }
}

/// How statements are written.
const STATEMENTS_HELP: &str = "write `- set(span.name, \"x\")`, or `- {context: span, statements: […]}`";

/// The groups of one signal. Plain statements make one group together, the last.
fn groups(fields: &mut Fields<'_>, key: &str, signal: Signal, p: &mut Problems) -> Vec<GroupSettings> {
    let Some(node) = fields.node(key) else { return Vec::new() };
    p.takes_list(node);
    p.within(key, |p| {
        let Value::List(items) = &node.value else {
            p.wrong(node, "a list", STATEMENTS_HELP.to_string());
            return Vec::new();
        };
        let mut groups = Vec::new();
        let mut plain: Vec<(String, &Node)> = Vec::new();
        for item in items {
            p.takes(item, settings::Scalar::Text);
            match (&item.value, item.as_text()) {
                (_, Some(text)) => plain.push((text.to_string(), item)),
                (Value::Map(_), _) if !plain.is_empty() => {
                    let help = "put the statements before it into a group of their own: `- statements: […]`";
                    p.error(&item.at, "a group of statements cannot follow plain ones", help.to_string());
                }
                (Value::Map(_), _) => groups.extend(group(item, signal, p)),
                _ => p.wrong(item, "a statement or a group of them", STATEMENTS_HELP.to_string()),
            }
        }
        if !plain.is_empty() {
            let statements: Vec<String> = plain.iter().map(|(text, _)| text.clone()).collect();
            let group = GroupSettings { statements, ..GroupSettings::default() };
            let nodes: Vec<&Node> = plain.iter().map(|(_, node)| *node).collect();
            group.check(signal, node, (&nodes, &[]), p);
            groups.push(group);
        }
        groups
    })
}

fn group(node: &Node, signal: Signal, p: &mut Problems) -> Option<GroupSettings> {
    let mut fields = node.map("a group of statements", p)?;
    fields.describe::<GroupSettings>();
    fields.words_in_any_case("context", &contexts(signal).iter().map(|context| context.name()).collect::<Vec<_>>());
    let context = context(&mut fields, signal, p);
    let group = GroupSettings {
        context: context.unwrap_or_default(),
        conditions: fields.take("conditions", Vec::new(), p),
        statements: fields.take("statements", Vec::new(), p),
        error_mode: ErrorMode::take_own(&mut fields, p),
        shared_cache: fields.take("shared_cache", false, p),
    };
    let (statements, conditions) = (fields.node("statements"), fields.node("conditions"));
    fields.finish(p);
    if context.is_some() {
        let at = statements.unwrap_or(node);
        group.check(signal, at, (&places(statements), &places(conditions)), p);
    }
    Some(group)
}

/// The context, which may be left out; `None` if it is wrong.
fn context(fields: &mut Fields<'_>, signal: Signal, p: &mut Problems) -> Option<Option<Context>> {
    let Some(node) = fields.node("context").filter(|node| !node.is_absent()) else { return Some(None) };
    let text = p.within("context", |p| node.text(p))?;
    let name = text.to_ascii_lowercase();
    let known = contexts(signal);
    // How no context is printed.
    if name.is_empty() {
        return Some(None);
    }
    if let Some(context) = known.iter().find(|context| context.name() == name) {
        return Some(Some(*context));
    }
    let names: Vec<_> = known.iter().map(|context| format!("`{}`", context.name())).collect();
    let help = format!("write one of {}", names.join(", "));
    let message = match name.as_str() {
        "exemplar" | "profile" => format!("the context `{name}` is not supported"),
        _ if Context::ALL.iter().any(|context| context.name() == name) => {
            format!("the context `{name}` is none of {signal}")
        }
        _ => format!("unknown context `{text}`"),
    };
    p.error(&node.at, message, help);
    None
}

/// Where each text of a list stands.
fn places(node: Option<&Node>) -> Vec<&Node> {
    match node.map(|node| (&node.value, node)) {
        Some((Value::List(items), _)) => items.iter().collect(),
        _ => Vec::new(),
    }
}

impl GroupSettings {
    fn effective(&self) -> Node {
        Node::map_of([
            ("conditions", Node::list_of(&self.conditions)),
            ("context", Node::from(self.context.map_or("", Context::name))),
            ("error_mode", Node::from(self.error_mode.map_or("", ErrorMode::name))),
            ("shared_cache", self.shared_cache.into()),
            ("statements", Node::list_of(&self.statements)),
        ])
    }

    /// Tells everything that is wrong with the statements and conditions. `at` is where the group stands, for what has no
    /// place of its own.
    fn check(&self, signal: Signal, at: &Node, (statements, conditions): (&[&Node], &[&Node]), p: &mut Problems) {
        let place = |nodes: &[&Node], index: usize| nodes.get(index).map_or(at.at, |node| node.at);
        let mut hints = Hints::default();
        let mut is_readable = true;
        let mut tell = |what: &str, text: &str, place: Location, errors: &[SyntaxError]| {
            for error in errors {
                let at = place.within(text, &error.at);
                p.error(&at, format!("invalid {what} `{}`: {error}", shown(text)), None);
            }
        };
        if self.context.is_none() {
            for (index, text) in self.statements.iter().enumerate() {
                if let Err(error) = hints.statement(text) {
                    is_readable = false;
                    tell("statement", text, place(statements, index), &[error]);
                }
            }
            for (index, text) in self.conditions.iter().enumerate() {
                if let Err(error) = hints.condition(text) {
                    is_readable = false;
                    tell("condition", text, place(conditions, index), &[error]);
                }
            }
        }
        if !is_readable {
            return;
        }
        let (context, paths) = match self.context {
            Some(context) => (context, Paths::Plain),
            None => match hints.infer(contexts(signal)) {
                Ok(context) => (context, Paths::Prefixed),
                Err(why) => {
                    let at = place(statements, 0);
                    let help =
                        "begin paths with their context, as in `span.name`, or write `context: span`".to_string();
                    p.error(&at, format!("the context of the statements cannot be inferred: {why}"), help);
                    return;
                }
            },
        };
        for (index, text) in self.statements.iter().enumerate() {
            if let Err(errors) = Statement::compile(text, context, paths) {
                tell("statement", text, place(statements, index), &errors);
            }
        }
        for (index, text) in self.conditions.iter().enumerate() {
            if let Err(errors) = Condition::compile_with(text, context, paths, &mut Keys::default()) {
                tell("condition", text, place(conditions, index), &errors);
            }
        }
    }
}

/// Longer texts are cut in messages.
const SHOWN_CHARACTERS_MAX: usize = 120;

fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}
