//! Settings of `zipkin`: their meaning, defaults, YAML.

use std::time::Duration;

use settings::{Node, Problems};

use crate::exporter::compress::Encoding;
use crate::exporter::http::{HttpSettings, parse_url};
use crate::exporter::{QueueSettings, RetrySettings};

/// Settings of a `zipkin` exporter.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub struct ZipkinSettings {
    /// The client; its endpoint is the whole URL, as `http://localhost:9411/api/v2/spans`.
    pub http: HttpSettings,
    /// The service name of spans whose resource has none.
    pub default_service_name: String,
    /// The queue.
    #[key = "sending_queue"]
    pub queue: QueueSettings,
    /// Retries.
    #[key = "retry_on_failure"]
    pub retry: RetrySettings,
}

impl ZipkinSettings {
    /// The defaults, for an endpoint.
    #[must_use]
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self {
            http: HttpSettings::new(endpoint, Duration::from_secs(5), Encoding::Identity),
            default_service_name: formats::zipkin::Settings::default().default_service_name,
            queue: QueueSettings::default(),
            retry: RetrySettings::default(),
        }
    }
}

impl ZipkinSettings {
    /// Reads the settings of an exporter.
    pub fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("zipkin", p)?;
        fields.describe::<Self>();
        fields.describe_keys(&[("format", "How spans are written; there is only `json`.")]);
        fields.defaults_to("format", "json");
        let defaults = Self::new("");
        let endpoint_node = fields.node("endpoint").filter(|node| !node.is_absent());
        let endpoint: Option<String> = fields.required("endpoint", p);
        let settings = Self {
            http: HttpSettings::take(&mut fields, defaults.http, p),
            default_service_name: fields.take("default_service_name", defaults.default_service_name, p),
            queue: QueueSettings::take(&mut fields, p),
            retry: RetrySettings::take(&mut fields, p),
        };
        if let Some(node) = fields.node("format").filter(|node| !node.is_absent()) {
            p.takes_words(node, ["json"]);
            match p.within("format", |p| node.text(p)).as_deref() {
                Some("json") | None => {}
                Some("proto") => {
                    let message = "the zipkin format `proto` is not supported by this version yet";
                    p.error(&node.at, message, "write `json`".to_owned());
                }
                Some(other) => p.error(&node.at, format!("unknown format `{other}`"), "write `json`".to_owned()),
            }
        }
        fields.finish(p);
        if let (Err(error), Some(node)) = (parse_url(&endpoint?), endpoint_node) {
            p.error(&node.at, error, "write `http://host:9411/api/v2/spans`".to_owned());
        }
        Some(settings)
    }

    /// All settings, as otelcol prints them.
    #[must_use]
    pub fn effective(&self) -> Node {
        let mut entries = self.http.effective();
        entries.extend([
            ("default_service_name", self.default_service_name.as_str().into()),
            ("format", "json".into()),
            ("retry_on_failure", self.retry.effective()),
            ("sending_queue", self.queue.effective()),
        ]);
        Node::map_of(entries)
    }
}
