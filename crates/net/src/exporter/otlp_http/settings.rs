//! Settings of `otlp_http`: their meaning, defaults, YAML.

use std::time::Duration;

use settings::{Node, Problems};

use crate::exporter::compress::Encoding;
use crate::exporter::http::{HttpSettings, parse_url};
use crate::exporter::{QueueSettings, RetrySettings};

/// Settings of an `otlp_http` exporter.
#[derive(Clone, Debug, PartialEq)]
pub struct OtlpHttpSettings {
    /// The client. Its endpoint may be empty if there is a `traces_endpoint`.
    pub http: HttpSettings,
    /// The whole URL for traces, in place of `endpoint`.
    pub traces_endpoint: String,
    /// For metrics: kept to be printed.
    pub metrics_endpoint: String,
    /// For logs: kept to be printed.
    pub logs_endpoint: String,
    /// For profiles: kept to be printed.
    pub profiles_endpoint: String,
    /// How requests are encoded.
    pub encoding: BodyEncoding,
    /// The queue.
    pub queue: QueueSettings,
    /// Retries.
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

    /// Where traces go to.
    #[must_use]
    pub fn traces_url(&self) -> String {
        match self.traces_endpoint.as_str() {
            "" => format!("{}/v1/traces", self.http.endpoint.strip_suffix('/').unwrap_or(&self.http.endpoint)),
            url => url.to_owned(),
        }
    }
}

impl OtlpHttpSettings {
    /// Reads the settings of an exporter.
    pub fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("otlp_http", p)?;
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
            let help = "write `endpoint: https://host:4318` or `traces_endpoint`";
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
    match p.within("encoding", |p| node.text(p)).as_deref() {
        Some("json") => BodyEncoding::Json,
        Some("proto") | None => BodyEncoding::Proto,
        Some(other) => {
            p.error(&node.at, format!("unknown encoding `{other}`"), "write `proto` or `json`".to_owned());
            BodyEncoding::Proto
        }
    }
}
