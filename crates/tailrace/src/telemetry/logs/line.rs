//! How an event looks as a line: for people, or as a JSON object with otelcol's keys (`level`, `ts`, `caller`, `msg`,
//! `resource`, then the fields).

use super::fields::{Said, Text};
use crate::{
    configuration::telemetry::{Encoding, Logs},
    telemetry::{health::timestamp, source::Source},
};
use settings::{Mode, Node, Value};
use std::{fmt, time::SystemTime};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Format, Full, Writer},
    },
    registry::LookupSpan,
};

/// Writes lines.
pub(super) enum Line {
    Console {
        format: Format<Full>,
        /// What stands behind each line.
        initial: String,
    },
    Json {
        /// Whether the module that speaks is named.
        caller: bool,
        /// The members that are the same in each line, each with a comma before it.
        always: String,
    },
}

impl Line {
    pub(super) fn new(settings: &Logs, source: &Source) -> Self {
        let initial = settings.initial_fields.iter();
        match settings.encoding {
            Encoding::Console => Self::Console {
                format: Format::default().with_ansi(false).with_target(!settings.disable_caller),
                initial: initial.map(|(key, value)| format!(" {key}={}", json(value))).collect(),
            },
            Encoding::Json => {
                let mut always = String::new();
                if !settings.disable_zap_resource {
                    let member = |(key, value): &(String, String)| format!("{}:{}", quoted(key), quoted(value));
                    let members: Vec<String> = source.attributes.iter().map(member).collect();
                    always = format!(",\"resource\":{{{}}}", members.join(","));
                }
                always.extend(initial.map(|(key, value)| format!(",{}:{}", quoted(key), json(value))));
                Self::Json { caller: !settings.disable_caller, always }
            }
        }
    }
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        match self {
            Self::Console { format, initial } if initial.is_empty() => format.format_event(context, writer, event),
            Self::Console { format, initial } => {
                let mut line = String::new();
                format.format_event(context, Writer::new(&mut line), event)?;
                writeln!(writer, "{}{initial}", line.trim_end_matches('\n'))
            }
            Self::Json { caller, always } => {
                let metadata = event.metadata();
                let ts = timestamp(SystemTime::now());
                write!(writer, "{{\"level\":\"{}\",\"ts\":\"{ts}\"", level_name(*metadata.level()))?;
                if *caller {
                    write!(writer, ",\"caller\":{}", quoted(metadata.target()))?;
                }
                let said = Said::of(event);
                write!(writer, ",\"msg\":{}{always}", quoted(&said.message))?;
                for (name, text) in said.fields {
                    let value = match text {
                        Text::Bare(text) => text,
                        Text::Quoted(text) => quoted(&text),
                    };
                    write!(writer, ",{}:{value}", quoted(name))?;
                }
                writeln!(writer, "}}")
            }
        }
    }
}

/// zap's word for a level.
pub(super) fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG | Level::TRACE => "debug",
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A setting of any type as JSON; its depth is bounded by that of YAML.
fn json(node: &Node) -> String {
    match &node.value {
        Value::Map(entries) => {
            let member = |entry: &settings::Entry| format!("{}:{}", quoted(&entry.key), json(&entry.node));
            format!("{{{}}}", entries.iter().map(member).collect::<Vec<_>>().join(","))
        }
        Value::List(items) => format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(",")),
        Value::Text(text) => quoted(text),
        Value::Null => "null".to_owned(),
        _ => {
            let text = node.to_yaml(Mode::Redacted).trim().to_owned();
            let is_json = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            if is_json { text } else { quoted(&text) }
        }
    }
}
