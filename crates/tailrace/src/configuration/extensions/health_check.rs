//! `health_check`: answers probes over HTTP, 200 while everything works and 503 while it does not.

use settings::{Decode, Node, Problems};

use super::server::Server;

/// Settings of otelcol's `health_check` extension.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub(crate) struct HealthCheck {
    /// Where it listens.
    pub(crate) server: Server,
    /// The path of the answer.
    pub(crate) path: String,
    /// What is answered, instead of a JSON object with the status and the time.
    pub(crate) response_body: Option<ResponseBody>,
    /// Whether failing exporters count; in otelcol without effect today.
    pub(crate) check_collector_pipeline: CheckCollectorPipeline,
    /// When failing components count, for the newer form of the extension.
    component_health: Option<Node>,
}

/// What is answered.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub(crate) struct ResponseBody {
    /// While everything works.
    pub(crate) healthy: String,
    /// While it does not.
    pub(crate) unhealthy: String,
}

/// Whether failing exporters count.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub(crate) struct CheckCollectorPipeline {
    /// Whether they do.
    pub(crate) enabled: bool,
    /// In which time failures are counted.
    pub(crate) interval: String,
    /// How many failures are too many.
    pub(crate) exporter_failure_threshold: i64,
}

impl Default for CheckCollectorPipeline {
    fn default() -> CheckCollectorPipeline {
        CheckCollectorPipeline { enabled: false, interval: "5m".to_string(), exporter_failure_threshold: 5 }
    }
}

impl Decode for HealthCheck {
    fn decode(node: &Node, p: &mut Problems) -> Option<HealthCheck> {
        let mut fields = node.map("health_check", p)?;
        fields.describe::<Self>();
        fields.describe_keys(&[
            ("port", "The port to listen on, on all addresses."),
            ("use_v2", "Only `false`: the newer form of the extension is not supported."),
        ]);
        fields.old_spelling("port", "`endpoint`");
        let old_port = fields.node("port").filter(|node| !node.is_absent());
        let default_endpoint = match old_port {
            Some(port) => old_endpoint(port, p),
            None => "localhost:13133".to_string(),
        };
        let path_at = fields.node("path").map_or(node.at, |node| node.at);
        let health_check = HealthCheck {
            server: Server::take(&mut fields, Server::new(&default_endpoint), p),
            path: fields.take("path", "/".to_string(), p),
            response_body: fields.optional("response_body", p),
            check_collector_pipeline: fields.take("check_collector_pipeline", CheckCollectorPipeline::default(), p),
            component_health: fields.optional::<Node>("component_health", p).map(|node| node.bare()),
        };
        if !health_check.path.starts_with('/') {
            let help = format!("write `path: /{}`", health_check.path);
            p.error(&path_at, format!("`path` must begin with `/`, found `{}`", health_check.path), help);
        }
        for key in ["http", "grpc"] {
            if let Some(node) = fields.unsupported(key).filter(|node| !node.is_absent()) {
                let help = "write `endpoint` and `path` directly under the extension";
                p.error(&node.at, format!("`{key}` of `health_check` is not supported"), help.to_string());
            }
        }
        if fields.take("use_v2", false, p) {
            let at = fields.node("use_v2").map_or(node.at, |node| node.at);
            let help = "remove it, and write `endpoint` and `path` directly under the extension";
            p.error(&at, "`use_v2` of `health_check` is not supported", help.to_string());
        }
        fields.finish(p);
        Some(health_check)
    }
}

/// `port` of older files.
fn old_endpoint(node: &Node, p: &mut Problems) -> String {
    let port = p.within("port", |p| u16::decode(node, p)).unwrap_or(13133);
    let help = format!("newer collectors want `endpoint: 0.0.0.0:{port}`");
    p.warning(&node.at, "`port` of `health_check` is the form of older files", help);
    format!("0.0.0.0:{port}")
}

impl Decode for ResponseBody {
    fn decode(node: &Node, p: &mut Problems) -> Option<ResponseBody> {
        let mut fields = node.map("response_body", p)?;
        fields.describe::<Self>();
        let body = ResponseBody {
            healthy: fields.take("healthy", String::new(), p),
            unhealthy: fields.take("unhealthy", String::new(), p),
        };
        fields.finish(p);
        Some(body)
    }
}

impl Decode for CheckCollectorPipeline {
    fn decode(node: &Node, p: &mut Problems) -> Option<CheckCollectorPipeline> {
        let default = CheckCollectorPipeline::default();
        let mut fields = node.map("check_collector_pipeline", p)?;
        fields.describe::<Self>();
        let check = CheckCollectorPipeline {
            enabled: fields.take("enabled", default.enabled, p),
            interval: fields.take("interval", default.interval, p),
            exporter_failure_threshold: fields.take(
                "exporter_failure_threshold",
                default.exporter_failure_threshold,
                p,
            ),
        };
        fields.finish(p);
        if check.enabled {
            let message = "`check_collector_pipeline` has no effect, as in otelcol";
            p.warning(&node.at, message, "look at the metrics of exporters instead, or remove it".to_string());
        }
        Some(check)
    }
}

impl HealthCheck {
    /// All settings, as otelcol prints them.
    pub(crate) fn effective(&self) -> Node {
        let body = self.response_body.as_ref().map(|body| {
            Node::map_of([("healthy", Node::from(&body.healthy)), ("unhealthy", Node::from(&body.unhealthy))])
        });
        let check = &self.check_collector_pipeline;
        let check = Node::map_of([
            ("enabled", Node::from(check.enabled)),
            ("exporter_failure_threshold", check.exporter_failure_threshold.into()),
            ("interval", Node::from(&check.interval)),
        ]);
        let own = [
            ("check_collector_pipeline", check),
            ("component_health", Node::or_null(self.component_health.clone())),
            ("grpc", Node::null()),
            ("http", Node::null()),
            ("path", Node::from(&self.path)),
            ("response_body", Node::or_null(body)),
            ("use_v2", false.into()),
        ];
        Node::map_of(self.server.effective().into_iter().chain(own))
    }
}
