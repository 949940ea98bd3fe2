//! `service::telemetry::logs`: Tailrace's own log lines (otelcol's zap settings), and where they are sent besides.

use std::time::Duration;

use settings::{Decode, Node, Problems, Scalar, Value, one_of};

use super::push::Processor;
use super::{no_effect, written};

/// Settings of the log.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub(crate) struct Logs {
    /// The least severe level that is written.
    pub(crate) level: LogLevel,
    /// Whether zap behaves as its authors want it during development; without effect.
    pub(crate) development: bool,
    /// How lines look.
    pub(crate) encoding: Encoding,
    /// Whether lines lack the module that speaks.
    pub(crate) disable_caller: bool,
    /// Whether zap leaves stack traces away; without effect, for there are none.
    pub(crate) disable_stacktrace: bool,
    /// Whether lines of JSON lack the attributes of the resource; those for people always do.
    pub(crate) disable_zap_resource: bool,
    /// zap's sampling of equal log lines.
    pub(crate) sampling: Sampling,
    /// Where lines go: `stdout`, `stderr` or files.
    pub(crate) output_paths: Vec<String>,
    /// Where zap tells of its own errors; without effect.
    pub(crate) error_output_paths: Vec<String>,
    /// Fields that every line has, of any type.
    pub(crate) initial_fields: Vec<(String, Node)>,
    /// Where records are sent besides.
    pub(crate) processors: Vec<Processor>,
}

/// zap's levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogLevel {
    /// What helps to find mistakes.
    Debug,
    /// What an operator may want to know.
    Info,
    /// What an operator should look at some day.
    Warn,
    /// What went wrong.
    Error,
    /// As errors; what ends zap's programs during development.
    Dpanic,
    /// As errors; what zap panics at.
    Panic,
    /// As errors; what zap ends the process at.
    Fatal,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// For people.
    Console,
    /// One JSON object a line.
    Json,
}

/// zap's sampling of equal log lines.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub(crate) struct Sampling {
    /// Whether equal lines are left out at all.
    enabled: bool,
    /// The time after which the count begins anew.
    tick: Duration,
    /// How many equal lines are written within a tick.
    initial: i64,
    /// Of the further ones, each so-many-th is written.
    thereafter: i64,
}

impl LogLevel {
    /// The level of the log lines that this stands for; there is none above errors here.
    pub(crate) fn tracing(self) -> tracing::Level {
        match self {
            LogLevel::Debug => tracing::Level::DEBUG,
            LogLevel::Info => tracing::Level::INFO,
            LogLevel::Warn => tracing::Level::WARN,
            LogLevel::Error | LogLevel::Dpanic | LogLevel::Panic | LogLevel::Fatal => tracing::Level::ERROR,
        }
    }

    fn name(self) -> &'static str {
        LOG_LEVELS.iter().find(|(_, level)| *level == self).map_or("info", |(name, _)| name)
    }
}

/// zap's words, the one that it prints first.
const LOG_LEVELS: [(&str, LogLevel); 8] = [
    ("debug", LogLevel::Debug),
    ("info", LogLevel::Info),
    ("warn", LogLevel::Warn),
    ("error", LogLevel::Error),
    ("dpanic", LogLevel::Dpanic),
    ("panic", LogLevel::Panic),
    ("fatal", LogLevel::Fatal),
    ("", LogLevel::Info),
];

impl Encoding {
    fn name(self) -> &'static str {
        match self {
            Encoding::Console => "console",
            Encoding::Json => "json",
        }
    }
}

impl Default for Logs {
    fn default() -> Logs {
        Logs {
            level: LogLevel::Info,
            development: false,
            encoding: Encoding::Console,
            disable_caller: false,
            disable_stacktrace: false,
            disable_zap_resource: false,
            sampling: Sampling::default(),
            output_paths: vec!["stderr".to_string()],
            error_output_paths: vec!["stderr".to_string()],
            initial_fields: Vec::new(),
            processors: Vec::new(),
        }
    }
}

impl Default for Sampling {
    fn default() -> Sampling {
        Sampling { enabled: true, tick: Duration::from_secs(10), initial: 10, thereafter: 100 }
    }
}

impl Sampling {
    /// The tick, how many equal lines are written within it, and each which-th of the others; `None` where all are.
    pub(crate) fn limits(&self) -> Option<(Duration, u64, u64)> {
        let number = |number: i64| u64::try_from(number).unwrap_or(0);
        self.enabled.then(|| (self.tick, number(self.initial), number(self.thereafter)))
    }
}

impl Decode for Logs {
    fn decode(node: &Node, p: &mut Problems) -> Option<Logs> {
        let default = Logs::default();
        let mut fields = node.map("logs", p)?;
        fields.describe::<Self>();
        let logs = Logs {
            level: fields.take("level", default.level, p),
            development: fields.take("development", false, p),
            encoding: fields.take("encoding", default.encoding, p),
            disable_caller: fields.take("disable_caller", false, p),
            disable_stacktrace: fields.take("disable_stacktrace", false, p),
            disable_zap_resource: fields.take("disable_zap_resource", false, p),
            output_paths: fields.take("output_paths", default.output_paths, p),
            error_output_paths: fields.take("error_output_paths", default.error_output_paths, p),
            sampling: fields.take("sampling", default.sampling, p),
            initial_fields: fields.node("initial_fields").and_then(|node| initial_fields(node, p)).unwrap_or_default(),
            processors: fields.take("processors", Vec::new(), p),
        };
        if logs.development
            && let Some(node) = fields.node("development")
        {
            no_effect(node, "`development` of the log, which is about Go's panics and stack traces, is", p);
        }
        if logs.error_output_paths != Logs::default().error_output_paths
            && let Some(node) = fields.node("error_output_paths")
        {
            no_effect(node, "`error_output_paths` of the log is", p);
        }
        fields.finish(p);
        Some(logs)
    }
}

fn initial_fields(node: &Node, p: &mut Problems) -> Option<Vec<(String, Node)>> {
    p.takes_values(node);
    let _fields = node.map("initial_fields", p)?;
    node.entries().iter().for_each(|entry| p.takes(&entry.node, Scalar::Anything));
    Some(node.entries().iter().map(|entry| (entry.key.clone(), entry.node.bare())).collect())
}

impl Decode for LogLevel {
    fn shown(&self) -> Option<Node> {
        Some(self.name().into())
    }

    fn decode(node: &Node, p: &mut Problems) -> Option<LogLevel> {
        p.takes_any_case(node);
        let lower = node.as_text().map(str::to_lowercase);
        if lower.as_deref() == Some("warning") {
            return Some(LogLevel::Warn);
        }
        let lower = lower.map(|text| Node::new(Value::Text(text), node.at));
        one_of(lower.as_ref().unwrap_or(node), "log level", &LOG_LEVELS, p)
    }
}

impl Decode for Encoding {
    fn shown(&self) -> Option<Node> {
        Some(self.name().into())
    }

    fn decode(node: &Node, p: &mut Problems) -> Option<Encoding> {
        one_of(node, "log encoding", &[("console", Encoding::Console), ("json", Encoding::Json)], p)
    }
}

impl Decode for Sampling {
    fn decode(node: &Node, p: &mut Problems) -> Option<Sampling> {
        let default = Sampling::default();
        let mut fields = node.map("sampling", p)?;
        fields.describe::<Self>();
        let sampling = Sampling {
            enabled: fields.take("enabled", default.enabled, p),
            tick: fields.take("tick", default.tick, p),
            initial: fields.take("initial", default.initial, p),
            thereafter: fields.take("thereafter", default.thereafter, p),
        };
        fields.finish(p);
        Some(sampling)
    }
}

impl Logs {
    /// All settings, as otelcol prints them.
    pub(super) fn effective(&self) -> Node {
        let sampling = Node::map_of([
            ("enabled", Node::from(self.sampling.enabled)),
            ("initial", self.sampling.initial.into()),
            ("thereafter", self.sampling.thereafter.into()),
            ("tick", self.sampling.tick.into()),
        ]);
        let always = [
            ("encoding", Node::from(self.encoding.name())),
            ("error_output_paths", Node::list_of(&self.error_output_paths)),
            ("level", self.level.name().into()),
            ("output_paths", Node::list_of(&self.output_paths)),
            ("sampling", sampling),
        ];
        let on = |switch: bool| switch.then(|| Node::from(true));
        let fields = Some(&self.initial_fields).filter(|fields| !fields.is_empty());
        let processors = Some(&self.processors).filter(|list| !list.is_empty());
        let others = written([
            ("development", on(self.development)),
            ("disable_caller", on(self.disable_caller)),
            ("disable_stacktrace", on(self.disable_stacktrace)),
            ("disable_zap_resource", on(self.disable_zap_resource)),
            ("initial_fields", fields.map(|fields| Node::map_of(fields.iter().cloned()))),
            ("processors", processors.map(|list| Node::list_of(list.iter().map(Processor::effective)))),
        ]);
        Node::map_of(always.into_iter().chain(others))
    }
}
