//! `service::telemetry::metrics`: Tailrace's own metrics, to be scraped and pushed.

use std::time::Duration;

use settings::{Decode, Node, Problems, Scalar, Value, one_of};

use super::push::PushExporter;
use super::{no_effect, written};

/// Settings of the metrics.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub(crate) struct Metrics {
    /// How much is exposed.
    pub(crate) level: Level,
    /// Who gets them.
    pub(crate) readers: Vec<Reader>,
    /// Changes of single metrics; without effect.
    pub(crate) views: Vec<Node>,
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

/// One of `readers`.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub(crate) enum Reader {
    /// An endpoint to scrape; a reader has either this or `periodic`.
    Pull(Prometheus),
    /// Sends them now and then.
    Periodic(Periodic),
}

/// `pull::exporter::prometheus`.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
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
    /// Attributes of the resource that every metric bears as labels.
    pub(crate) with_resource_constant_labels: Option<Labels>,
}

/// Which attributes become labels: those that are included, or all if none is, but for those that are excluded.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub(crate) struct Labels {
    /// Names of those that do.
    pub(crate) included: Vec<String>,
    /// Names of those that do not.
    pub(crate) excluded: Vec<String>,
}

/// `periodic`.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub(crate) struct Periodic {
    /// Where to.
    pub(crate) exporter: PushExporter,
    /// Milliseconds between two reports.
    pub(crate) interval: Option<u64>,
    /// Milliseconds for one report.
    pub(crate) timeout: Option<u64>,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics { level: Level::Normal, readers: vec![Reader::Pull(Prometheus::default())], views: Vec::new() }
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
            with_resource_constant_labels: None,
        }
    }
}

impl Metrics {
    /// The endpoint to scrape, unless the level is `none` or no reader has one.
    pub(crate) fn prometheus(&self) -> Option<&Prometheus> {
        self.active().find_map(|reader| match reader {
            Reader::Pull(prometheus) => Some(prometheus),
            Reader::Periodic(_) => None,
        })
    }

    /// The readers that push, unless the level is `none`.
    pub(crate) fn periodic(&self) -> impl Iterator<Item = &Periodic> {
        self.active().filter_map(|reader| match reader {
            Reader::Pull(_) => None,
            Reader::Periodic(periodic) => Some(periodic),
        })
    }

    fn active(&self) -> impl Iterator<Item = &Reader> {
        self.readers.iter().filter(|_| self.level != Level::None)
    }
}

impl Periodic {
    /// Time between two reports.
    pub(crate) fn interval(&self) -> Duration {
        Duration::from_millis(self.interval.unwrap_or(60_000))
    }

    /// Time for one report.
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout.unwrap_or(30_000))
    }
}

impl Decode for Metrics {
    fn decode(node: &Node, p: &mut Problems) -> Option<Metrics> {
        let mut fields = node.map("metrics", p)?;
        fields.describe::<Self>();
        fields.describe_keys(&[("address", "The host and port to be scraped at.")]);
        fields.old_spelling("address", "`readers`");
        let mut metrics = Metrics { level: fields.take("level", Level::Normal, p), ..Metrics::default() };
        let readers = fields.node("readers").filter(|node| !node.is_absent());
        if let Some(address) = fields.node("address").filter(|node| !node.is_absent()) {
            metrics.readers = old_address(address, readers.is_some(), p).into_iter().map(Reader::Pull).collect();
        }
        if let Some(readers) = readers {
            metrics.readers = p.within("readers", |p| Vec::decode(readers, p)).unwrap_or_default();
            let empty = matches!(&readers.value, Value::List(items) if items.is_empty());
            if empty && metrics.level != Level::None {
                let help = "write `level: none`, or leave `readers` away for the default endpoint";
                p.error(&readers.at, "there must be a metrics reader unless the level is `none`", help.to_string());
            }
            one_endpoint(&metrics.readers, readers, p);
        }
        if let Some(views) = fields.node("views").filter(|node| !node.is_absent()) {
            for view in views.list("views", p).unwrap_or_default() {
                p.takes(view, Scalar::Anything);
            }
            metrics.views = views.list("views", p).unwrap_or_default().iter().map(Node::bare).collect();
            if metrics.level == Level::Detailed {
                no_effect(views, "`views` of metrics are", p);
            } else {
                let help = "write `level: detailed`, or remove the views";
                p.error(&views.at, "`views` need the metrics level `detailed`", help.to_string());
            }
        }
        fields.finish(p);
        Some(metrics)
    }
}

/// `address: host:port` of older files, which otelcol refuses today.
fn old_address(node: &Node, overruled: bool, p: &mut Problems) -> Option<Prometheus> {
    let text = p.within("address", |p| node.text(p))?;
    let parsed = text.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
    let Some((host, port)) = parsed else {
        let help = "write `readers: [{pull: {exporter: {prometheus: {host: localhost, port: 8888}}}}]` instead";
        p.error(&node.at, format!("`address` must be a host and a port, found `{text}`"), help.to_string());
        return None;
    };
    let host = match host.trim_start_matches('[').trim_end_matches(']') {
        "" => "0.0.0.0",
        host => host,
    };
    let help = match overruled {
        true => "`readers` says it already; remove it".to_string(),
        false => format!(
            "newer collectors want `readers: [{{pull: {{exporter: {{prometheus: {{host: {host}, port: {port}}}}}}}}}]`"
        ),
    };
    p.warning(&node.at, "`service::telemetry::metrics::address` is the form of older files", help);
    Some(Prometheus { host: host.to_string(), port, ..Prometheus::default() })
}

/// Only the first endpoint is opened.
fn one_endpoint(readers: &[Reader], node: &Node, p: &mut Problems) {
    let is_pull = |reader: &&Reader| matches!(reader, Reader::Pull(_));
    if readers.iter().filter(is_pull).count() > 1 {
        let help = "keep one `pull` reader; the endpoint takes any number of scrapers";
        p.warning(&node.at, "only the first `pull` reader is opened", help.to_string());
    }
}

impl Decode for Reader {
    fn decode(node: &Node, p: &mut Problems) -> Option<Reader> {
        let mut fields = node.map("readers", p)?;
        fields.describe::<Self>();
        let pull = fields.node("pull").filter(|node| !node.is_absent());
        let periodic = fields.node("periodic").filter(|node| !node.is_absent());
        fields.ignore(&["producers"]);
        if let Some(producers) = fields.node("producers").filter(|node| !node.is_absent()) {
            no_effect(producers, "`producers` of metrics are", p);
        }
        fields.finish(p);
        match (pull, periodic) {
            (Some(pull), None) => pulled(pull, p).map(Reader::Pull),
            (None, Some(periodic)) => Periodic::decode(periodic, p).map(Reader::Periodic),
            _ => {
                let help = "write `pull: {exporter: {prometheus: {host: localhost, port: 8888}}}` to be scraped, or \
                            `periodic: {exporter: {otlp: {protocol: grpc, endpoint: …}}}` to push";
                p.error(&node.at, "a metrics reader is either `pull` or `periodic`", help.to_string());
                None
            }
        }
    }
}

fn pulled(node: &Node, p: &mut Problems) -> Option<Prometheus> {
    let mut fields = node.map("pull", p)?;
    fields.describe_keys(&[("exporter", "What is served.")]);
    let exporter = fields.node("exporter").filter(|node| !node.is_absent());
    fields.finish(p);
    let prometheus = match exporter {
        Some(exporter) => {
            let mut fields = exporter.map("exporter", p)?;
            fields.describe_keys(&[("prometheus", "Metrics in Prometheus' text format.")]);
            let prometheus = fields.node("prometheus").filter(|node| !node.is_absent());
            fields.finish(p);
            prometheus
        }
        None => None,
    };
    if prometheus.is_none() {
        let help = "write `exporter: {prometheus: {host: localhost, port: 8888}}`";
        p.error(&exporter.unwrap_or(node).at, "a `pull` reader needs the exporter `prometheus`", help.to_string());
    }
    Prometheus::decode(prometheus?, p)
}

impl Decode for Prometheus {
    fn decode(node: &Node, p: &mut Problems) -> Option<Prometheus> {
        let default = Prometheus::default();
        let mut fields = node.map("prometheus", p)?;
        fields.describe::<Self>();
        let host = fields.required("host", p);
        let port = fields.required("port", p);
        let prometheus = Prometheus {
            host: host.unwrap_or(default.host),
            port: port.unwrap_or(default.port),
            without_scope_info: fields.take("without_scope_info", true, p),
            without_type_suffix: fields.take("without_type_suffix", true, p),
            without_units: fields.take("without_units", true, p),
            with_resource_constant_labels: fields.optional("with_resource_constant_labels", p),
        };
        fields.finish(p);
        Some(prometheus)
    }
}

impl Decode for Labels {
    fn decode(node: &Node, p: &mut Problems) -> Option<Labels> {
        let mut fields = node.map("with_resource_constant_labels", p)?;
        fields.describe::<Self>();
        let labels = Labels {
            included: fields.take("included", Vec::new(), p),
            excluded: fields.take("excluded", Vec::new(), p),
        };
        fields.finish(p);
        if let Some(both) = labels.excluded.iter().find(|name| labels.included.contains(name)) {
            let help = "remove it from one of the two lists";
            p.error(&node.at, format!("`{both}` is both `included` and `excluded`"), help.to_string());
        }
        Some(labels)
    }
}

impl Decode for Periodic {
    fn decode(node: &Node, p: &mut Problems) -> Option<Periodic> {
        let mut fields = node.map("periodic", p)?;
        fields.describe::<Self>();
        let exporter = fields.required("exporter", p);
        let interval = fields.optional("interval", p);
        let timeout = fields.optional("timeout", p);
        fields.finish(p);
        Some(Periodic { exporter: exporter?, interval, timeout })
    }
}

/// The levels in otelcol's spelling.
const LEVELS: [(&str, Level); 4] =
    [("None", Level::None), ("Basic", Level::Basic), ("Normal", Level::Normal), ("Detailed", Level::Detailed)];

impl Decode for Level {
    fn shown(&self) -> Option<Node> {
        Some(self.name().to_lowercase().into())
    }

    fn decode(node: &Node, p: &mut Problems) -> Option<Level> {
        decode_level(node, "metrics level", p)
    }
}

/// A level in any case of letters.
pub(super) fn decode_level(node: &Node, what: &str, p: &mut Problems) -> Option<Level> {
    let lower = node.as_text().map(str::to_lowercase);
    let lower = lower.map(|text| Node::new(Value::Text(text), node.at));
    p.takes_any_case(node);
    let words = LEVELS.map(|(name, level)| (name.to_lowercase(), level));
    let words: Vec<(&str, Level)> = words.iter().map(|(name, level)| (name.as_str(), *level)).collect();
    one_of(lower.as_ref().unwrap_or(node), what, &words, p)
}

impl Level {
    /// As otelcol prints it.
    pub(super) fn name(self) -> &'static str {
        LEVELS.iter().find(|(_, level)| *level == self).map_or("Normal", |(name, _)| name)
    }
}

impl Metrics {
    /// All settings, as otelcol prints them.
    pub(super) fn effective(&self) -> Node {
        let always = [
            ("level", Node::from(self.level.name())),
            ("readers", Node::list_of(self.readers.iter().map(Reader::effective))),
        ];
        let views = Some(&self.views).filter(|views| !views.is_empty());
        let views = views.map(|views| ("views", Node::list_of(views.iter().cloned())));
        Node::map_of(always.into_iter().chain(views))
    }
}

impl Reader {
    fn effective(&self) -> Node {
        match self {
            Reader::Pull(prometheus) => {
                let exporter = Node::map_of([("prometheus", prometheus.effective())]);
                Node::map_of([("pull", Node::map_of([("exporter", exporter)]))])
            }
            Reader::Periodic(periodic) => {
                let written = written([
                    ("exporter", Some(periodic.exporter.effective())),
                    ("interval", periodic.interval.map(Node::from)),
                    ("timeout", periodic.timeout.map(Node::from)),
                ]);
                Node::map_of([("periodic", Node::map_of(written))])
            }
        }
    }
}

impl Prometheus {
    fn effective(&self) -> Node {
        let always = [
            ("host", Node::from(&self.host)),
            ("port", self.port.into()),
            ("without_scope_info", self.without_scope_info.into()),
            ("without_type_suffix", self.without_type_suffix.into()),
            ("without_units", self.without_units.into()),
        ];
        let labels = self.with_resource_constant_labels.as_ref();
        let labels = labels.map(|labels| ("with_resource_constant_labels", labels.effective()));
        Node::map_of(always.into_iter().chain(labels))
    }
}

impl Labels {
    fn effective(&self) -> Node {
        let list = |list: &Vec<String>| Some(Node::list_of(list)).filter(|_| !list.is_empty());
        Node::map_of(written([("excluded", list(&self.excluded)), ("included", list(&self.included))]))
    }
}
