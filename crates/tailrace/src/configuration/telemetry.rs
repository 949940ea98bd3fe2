//! `service::telemetry`: Tailrace's own logs and metrics, with otelcol's settings.

use std::collections::BTreeMap;
use std::time::Duration;

use settings::{Decode, Fields, Node, Problems, Value, suggest};

/// What Tailrace says about itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Telemetry {
    /// Log lines.
    pub(crate) logs: Logs,
    /// Metrics.
    pub(crate) metrics: Metrics,
    /// Attributes of all of it; a `None` takes one away that is there by default.
    pub(crate) resource: BTreeMap<String, Option<String>>,
}

/// `service::telemetry::logs`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Logs {
    /// The least severe level that is written.
    pub(crate) level: tracing::Level,
    /// How lines look.
    pub(crate) encoding: Encoding,
    /// Where they go: `stdout`, `stderr` or files.
    pub(crate) output_paths: Vec<String>,
    error_output_paths: Vec<String>,
    sampling: Sampling,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// For people.
    Console,
    /// One JSON object a line.
    Json,
}

/// zap's sampling of equal log lines; read and printed, without effect.
#[derive(Clone, Debug, PartialEq)]
struct Sampling {
    enabled: bool,
    tick: Duration,
    initial: i64,
    thereafter: i64,
}

/// `service::telemetry::metrics`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Metrics {
    /// How much is exposed.
    pub(crate) level: Level,
    /// The endpoint to scrape, unless the level is `none` or no reader has one.
    pub(crate) prometheus: Option<Prometheus>,
}

/// How much is exposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Nothing.
    None,
    /// The essential.
    Basic,
    /// The default.
    Normal,
    /// Everything.
    Detailed,
}

/// `readers[].pull.exporter.prometheus`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Prometheus {
    /// The host or address to listen on.
    pub(crate) host: String,
    /// The port to listen on; zero is any.
    pub(crate) port: u16,
    /// No `otel_scope_*` labels.
    pub(crate) without_scope_info: bool,
    /// No `_total` behind counters.
    pub(crate) without_type_suffix: bool,
    /// No unit behind names.
    pub(crate) without_units: bool,
}

impl Default for Logs {
    fn default() -> Logs {
        Logs {
            level: tracing::Level::INFO,
            encoding: Encoding::Console,
            output_paths: vec!["stderr".to_string()],
            error_output_paths: vec!["stderr".to_string()],
            sampling: Sampling::default(),
        }
    }
}

impl Default for Sampling {
    fn default() -> Sampling {
        Sampling { enabled: true, tick: Duration::from_secs(10), initial: 10, thereafter: 100 }
    }
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics { level: Level::Normal, prometheus: Some(Prometheus::default()) }
    }
}

impl Default for Prometheus {
    fn default() -> Prometheus {
        Prometheus {
            host: "localhost".to_string(),
            port: 8888,
            without_scope_info: true,
            without_type_suffix: true,
            without_units: true,
        }
    }
}

impl Decode for Telemetry {
    fn decode(node: &Node, p: &mut Problems) -> Option<Telemetry> {
        let mut fields = node.map("telemetry", p)?;
        let telemetry = Telemetry {
            logs: fields.take("logs", Logs::default(), p),
            metrics: fields.take("metrics", Metrics::default(), p),
            resource: fields.node("resource").map(|node| resource(node, p)).unwrap_or_default(),
        };
        if let Some(traces) = fields.node("traces").filter(|node| !node.entries().is_empty()) {
            not_yet(traces, "Tailrace's own traces are", p);
        }
        fields.finish(p);
        Some(telemetry)
    }
}

/// Attributes, either bare or under `attributes` as the newer schema has them.
fn resource(node: &Node, p: &mut Problems) -> BTreeMap<String, Option<String>> {
    let mut attributes = BTreeMap::new();
    let declared = node.lookup("attributes").filter(|node| matches!(node.value, Value::List(_)));
    if let Some(list) = declared.and_then(|node| node.list("attributes", p)) {
        for item in list {
            let Some(mut fields) = item.map("attributes", p) else { continue };
            if let Some(name) = fields.required::<String>("name", p) {
                attributes.insert(name, fields.optional("value", p));
            }
            fields.ignore(&["type"]);
            fields.finish(p);
        }
    }
    let own = |key: &str| declared.is_some() && key == "attributes" || SCHEMA_KEYS.contains(&key);
    for entry in node.entries().iter().filter(|entry| !own(&entry.key)) {
        let value = p.within(entry.key.as_str(), |p| Option::<String>::decode(&entry.node, p));
        attributes.insert(entry.key.clone(), value.flatten());
    }
    if node.entries().is_empty() && !matches!(node.value, Value::Null | Value::Map(_)) {
        p.within("resource", |p| p.wrong(node, "a map", None));
    }
    attributes
}

/// Keys of the resource that are no attributes.
const SCHEMA_KEYS: [&str; 3] = ["schema_url", "attributes_list", "detectors"];

impl Decode for Logs {
    fn decode(node: &Node, p: &mut Problems) -> Option<Logs> {
        let default = Logs::default();
        let mut fields = node.map("logs", p)?;
        let logs = Logs {
            level: fields.node("level").and_then(|node| log_level(node, p)).unwrap_or(default.level),
            encoding: fields.take("encoding", default.encoding, p),
            output_paths: fields.take("output_paths", default.output_paths, p),
            error_output_paths: fields.take("error_output_paths", default.error_output_paths, p),
            sampling: fields.take("sampling", default.sampling, p),
        };
        fields.ignore(&["development", "disable_caller", "disable_stacktrace", "initial_fields"]);
        if let Some(processors) = fields.node("processors").filter(|node| !matches!(node.value, Value::Null)) {
            not_yet(processors, "sending Tailrace's own logs is", p);
        }
        fields.finish(p);
        Some(logs)
    }
}

/// zap's levels; those above `error` are what it ends the process with, and mean `error` here.
fn log_level(node: &Node, p: &mut Problems) -> Option<tracing::Level> {
    let text = p.within("level", |p| node.text(p))?;
    match text.to_ascii_lowercase().as_str() {
        "debug" => Some(tracing::Level::DEBUG),
        "" | "info" => Some(tracing::Level::INFO),
        "warn" => Some(tracing::Level::WARN),
        "error" | "dpanic" | "panic" | "fatal" => Some(tracing::Level::ERROR),
        _ => {
            unknown(node, "log level", &text, &["debug", "info", "warn", "error"], p);
            None
        }
    }
}

impl Decode for Encoding {
    fn decode(node: &Node, p: &mut Problems) -> Option<Encoding> {
        match node.text(p)?.as_str() {
            "console" => Some(Encoding::Console),
            "json" => Some(Encoding::Json),
            other => {
                unknown(node, "log encoding", other, &["console", "json"], p);
                None
            }
        }
    }
}

impl Decode for Sampling {
    fn decode(node: &Node, p: &mut Problems) -> Option<Sampling> {
        let default = Sampling::default();
        let mut fields = node.map("sampling", p)?;
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

impl Decode for Metrics {
    fn decode(node: &Node, p: &mut Problems) -> Option<Metrics> {
        let mut fields = node.map("metrics", p)?;
        let mut metrics = Metrics::default();
        metrics.level = fields.take("level", metrics.level, p);
        if let Some(address) = fields.node("address").filter(|node| !node.is_absent()) {
            metrics.prometheus = old_address(address, p);
        }
        if let Some(readers) = fields.node("readers").filter(|node| !node.is_absent()) {
            metrics.prometheus = prometheus_reader(readers, p);
            let empty = matches!(&readers.value, Value::List(items) if items.is_empty());
            if empty && metrics.level != Level::None {
                let help = "write `level: none`, or leave `readers` away for the default endpoint";
                p.error(&readers.at, "there must be a metrics reader unless the level is `none`", help.to_string());
            }
        }
        if metrics.level == Level::None {
            metrics.prometheus = None;
        }
        if let Some(views) = fields.node("views").filter(|node| !node.is_absent()) {
            not_yet(views, "`views` is", p);
        }
        fields.finish(p);
        Some(metrics)
    }
}

/// `address: host:port` of older files, which otelcol refuses today.
fn old_address(node: &Node, p: &mut Problems) -> Option<Prometheus> {
    let text = p.within("address", |p| node.text(p))?;
    let parsed = text.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
    let Some((host, port)) = parsed else {
        p.error(&node.at, format!("`address` must be a host and a port, found `{text}`"), None);
        return None;
    };
    let host = match host.trim_start_matches('[').trim_end_matches(']') {
        "" => "0.0.0.0",
        host => host,
    };
    let help = format!(
        "newer collectors want `readers: [{{pull: {{exporter: {{prometheus: {{host: {host}, port: {port}}}}}}}}}]`"
    );
    p.warning(&node.at, "`service::telemetry::metrics::address` is the form of older files", help);
    Some(Prometheus { host: host.to_string(), port, ..Prometheus::default() })
}

/// The Prometheus endpoint among the readers. Others are not supported, and that is told.
fn prometheus_reader(node: &Node, p: &mut Problems) -> Option<Prometheus> {
    let mut found = None;
    for reader in node.list("readers", p)? {
        let Some(mut fields) = reader.map("readers", p) else { continue };
        if let Some(pull) = fields.node("pull") {
            let exporter = nested(pull, "pull", "exporter", p);
            let prometheus = exporter.and_then(|exporter| nested(exporter, "exporter", "prometheus", p));
            found = prometheus.and_then(|node| Prometheus::decode(node, p)).or(found);
        }
        if let Some(periodic) = fields.node("periodic") {
            not_yet(periodic, "sending Tailrace's own metrics (`periodic`) is", p);
        }
        fields.finish(p);
    }
    found
}

/// The one known key of a map.
fn nested<'a>(node: &'a Node, what: &str, key: &str, p: &mut Problems) -> Option<&'a Node> {
    let mut fields: Fields<'a> = node.map(what, p)?;
    let inner = fields.node(key);
    if inner.is_none() {
        p.error(&node.at, format!("`{what}` needs the setting `{key}`"), None);
    }
    if what == "pull" {
        fields.ignore(&["timeout", "interval", "producers"]);
    }
    fields.finish(p);
    inner
}

impl Decode for Prometheus {
    fn decode(node: &Node, p: &mut Problems) -> Option<Prometheus> {
        let default = Prometheus::default();
        let mut fields = node.map("prometheus", p)?;
        let prometheus = Prometheus {
            host: fields.take("host", default.host, p),
            port: fields.take("port", default.port, p),
            without_scope_info: fields.take("without_scope_info", default.without_scope_info, p),
            without_type_suffix: fields.take("without_type_suffix", default.without_type_suffix, p),
            without_units: fields.take("without_units", default.without_units, p),
        };
        fields.ignore(&["with_resource_constant_labels"]);
        fields.finish(p);
        Some(prometheus)
    }
}

impl Decode for Level {
    fn decode(node: &Node, p: &mut Problems) -> Option<Level> {
        let text = node.text(p)?;
        match text.to_ascii_lowercase().as_str() {
            "none" => Some(Level::None),
            "basic" => Some(Level::Basic),
            "normal" => Some(Level::Normal),
            "detailed" => Some(Level::Detailed),
            _ => {
                unknown(node, "metrics level", &text, &["none", "basic", "normal", "detailed"], p);
                None
            }
        }
    }
}

fn unknown(node: &Node, what: &str, found: &str, known: &[&str], p: &mut Problems) {
    let mut message = format!("unknown {what} `{found}`");
    if let Some(meant) = suggest(found, known.iter().copied()) {
        message.push_str(&format!(", did you mean `{meant}`?"));
    }
    p.error(&node.at, message, format!("it is one of {}", known.join(", ")));
}

fn not_yet(node: &Node, what: &str, p: &mut Problems) {
    p.warning(&node.at, format!("{what} not supported by this version yet, ignored"), None);
}

impl Telemetry {
    /// All settings, as otelcol prints them.
    pub(crate) fn effective(&self) -> Node {
        let schema = ("schema_url".to_string(), Node::from("https://opentelemetry.io/schemas/1.40.0"));
        let resource = self.resource.iter().map(|(key, value)| (key.clone(), Node::or_null(value.as_ref())));
        Node::map_of([
            ("logs", self.logs.effective()),
            ("metrics", self.metrics.effective()),
            ("resource", Node::map_of(std::iter::once(schema).chain(resource))),
        ])
    }
}

impl Logs {
    fn effective(&self) -> Node {
        let encoding = match self.encoding {
            Encoding::Console => "console",
            Encoding::Json => "json",
        };
        let sampling = Node::map_of([
            ("enabled", Node::from(self.sampling.enabled)),
            ("initial", self.sampling.initial.into()),
            ("thereafter", self.sampling.thereafter.into()),
            ("tick", self.sampling.tick.into()),
        ]);
        Node::map_of([
            ("encoding", Node::from(encoding)),
            ("error_output_paths", Node::list_of(&self.error_output_paths)),
            ("level", self.level.to_string().to_lowercase().into()),
            ("output_paths", Node::list_of(&self.output_paths)),
            ("sampling", sampling),
        ])
    }
}

impl Metrics {
    fn effective(&self) -> Node {
        let level = match self.level {
            Level::None => "None",
            Level::Basic => "Basic",
            Level::Normal => "Normal",
            Level::Detailed => "Detailed",
        };
        let reader = |prometheus: &Prometheus| {
            let exporter = Node::map_of([("prometheus", prometheus.effective())]);
            Node::map_of([("pull", Node::map_of([("exporter", exporter)]))])
        };
        Node::map_of([("level", level.into()), ("readers", Node::list_of(self.prometheus.as_ref().map(reader)))])
    }
}

impl Prometheus {
    fn effective(&self) -> Node {
        Node::map_of([
            ("host", Node::from(&self.host)),
            ("port", self.port.into()),
            ("without_scope_info", self.without_scope_info.into()),
            ("without_type_suffix", self.without_type_suffix.into()),
            ("without_units", self.without_units.into()),
        ])
    }
}
