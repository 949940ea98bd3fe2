//! Settings of `otlp_http`: their meaning, defaults, YAML.

use std::time::Duration;

use otlp::Signal;
use settings::{Node, Problems};

use crate::exporter::compress::Encoding;
use crate::exporter::http::{HttpSettings, parse_url};
use crate::exporter::{QueueSettings, RetrySettings};

/// Settings of an `otlp_http` exporter.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub struct OtlpHttpSettings {
    /// The client. Its endpoint may be empty if each signal in use has its own.
    pub http: HttpSettings,
    /// The whole URL for traces, in place of `endpoint`.
    pub traces_endpoint: String,
    /// The whole URL for metrics, in place of `endpoint`.
    pub metrics_endpoint: String,
    /// The whole URL for logs, in place of `endpoint`.
    pub logs_endpoint: String,
    /// The same for profiles; read and printed, without effect.
    pub profiles_endpoint: String,
    /// How requests are encoded.
    pub encoding: BodyEncoding,
    /// The queue.
    #[key = "sending_queue"]
    pub queue: QueueSettings,
    /// Retries.
    #[key = "retry_on_failure"]
    pub retry: RetrySettings,
}

/// How a request is encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BodyEncoding {
    /// Protobuf.
    Proto,
    /// JSON.
    Json,
}

impl OtlpHttpSettings {
    /// The defaults, for an endpoint.
    #[must_use]
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self {
            http: HttpSettings::new(endpoint, Duration::from_secs(30), Encoding::Gzip),
            traces_endpoint: String::new(),
            metrics_endpoint: String::new(),
            logs_endpoint: String::new(),
            profiles_endpoint: String::new(),
            encoding: BodyEncoding::Proto,
            queue: QueueSettings::default(),
            retry: RetrySettings::default(),
        }
    }

    /// Where a signal goes to: its own endpoint as it is, or a path under the common one. `None` where neither is set.
    #[must_use]
    pub fn url(&self, signal: Signal) -> Option<String> {
        let own = match signal {
            Signal::Traces => &self.traces_endpoint,
            Signal::Metrics => &self.metrics_endpoint,
            Signal::Logs => &self.logs_endpoint,
        };
        match (own.as_str(), self.http.endpoint.as_str()) {
            ("", "") => None,
            ("", base) => Some(format!("{}/v1/{signal}", base.strip_suffix('/').unwrap_or(base))),
            (url, _) => Some(url.to_owned()),
        }
    }
}

impl OtlpHttpSettings {
    /// Reads the settings of an exporter.
    pub fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("otlp_http", p)?;
        fields.describe::<Self>();
        fields.defaults_to("encoding", "proto");
        let defaults = Self::new("");
        let mut endpoint = |key: &str, p: &mut Problems| {
            let node = fields.node(key).filter(|node| !node.is_absent());
            let text = node.and_then(|node| p.within(key, |p| node.text(p))).unwrap_or_default();
            if let (Some(node), false, Err(error)) = (node, text.is_empty(), parse_url(&text)) {
                p.error(&node.at, error, None);
            }
            text
        };
        let [traces_endpoint, metrics_endpoint, logs_endpoint, profiles_endpoint, base] =
            ["traces_endpoint", "metrics_endpoint", "logs_endpoint", "profiles_endpoint", "endpoint"]
                .map(|key| endpoint(key, p));
        let settings = Self {
            http: HttpSettings::take(&mut fields, defaults.http, p),
            encoding: fields.node("encoding").map_or(defaults.encoding, |node| encoding(node, p)),
            queue: QueueSettings::take(&mut fields, p),
            retry: RetrySettings::take(&mut fields, p),
            traces_endpoint,
            metrics_endpoint,
            logs_endpoint,
            profiles_endpoint,
        };
        let at = fields.at();
        fields.finish(p);
        let others = [&settings.traces_endpoint, &settings.metrics_endpoint, &settings.logs_endpoint];
        if base.is_empty() && settings.profiles_endpoint.is_empty() && others.iter().all(|url| url.is_empty()) {
            let help = "add `endpoint: https://backend:4318`, or one for a signal such as `traces_endpoint`";
            p.error(&at, "`otlp_http` needs at least one endpoint", help.to_owned());
            return None;
        }
        Some(settings)
    }

    /// All settings, as otelcol prints them.
    #[must_use]
    pub fn effective(&self) -> Node {
        let encoding = match self.encoding {
            BodyEncoding::Proto => "proto",
            BodyEncoding::Json => "json",
        };
        let mut entries = self.http.effective();
        entries.extend([
            ("encoding", encoding.into()),
            ("logs_endpoint", self.logs_endpoint.as_str().into()),
            ("metrics_endpoint", self.metrics_endpoint.as_str().into()),
            ("profiles_endpoint", self.profiles_endpoint.as_str().into()),
            ("retry_on_failure", self.retry.effective()),
            ("sending_queue", self.queue.effective()),
            ("traces_endpoint", self.traces_endpoint.as_str().into()),
        ]);
        Node::map_of(entries)
    }
}

fn encoding(node: &Node, p: &mut Problems) -> BodyEncoding {
    p.takes_words(node, ["proto", "json"]);
    match p.within("encoding", |p| node.text(p)).as_deref() {
        Some("json") => BodyEncoding::Json,
        Some("proto") | None => BodyEncoding::Proto,
        Some(other) => {
            p.error(&node.at, format!("unknown encoding `{other}`"), "write `proto` or `json`".to_owned());
            BodyEncoding::Proto
        }
    }
}
