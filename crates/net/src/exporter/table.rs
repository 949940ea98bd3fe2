//! The table of exporters: their names in YAML, their settings, and how each is built. One line a kind in each function.

use std::sync::Arc;

use settings::{Node, Problems};

use super::debug::{Debug, DebugSettings};
use super::nop::Nop;
use super::otlp_grpc::{OtlpGrpc, OtlpGrpcSettings};
use super::otlp_http::{OtlpHttp, OtlpHttpSettings};
use super::zipkin::{Zipkin, ZipkinSettings};
use super::{Exporter, QueueSettings, RetrySettings};

/// The settings of an exporter of any kind.
#[derive(Clone, Debug)]
pub enum ExporterSettings {
    /// `debug`, and `logging`, its old name.
    Debug(DebugSettings),
    /// `nop`.
    Nop,
    /// `otlp_grpc`, and `otlp`, its old name.
    OtlpGrpc(Box<OtlpGrpcSettings>),
    /// `otlp_http`, and `otlphttp`, its old name.
    OtlpHttp(Box<OtlpHttpSettings>),
    /// `zipkin`.
    Zipkin(Box<ZipkinSettings>),
}

impl ExporterSettings {
    /// The names that exporters have in YAML, old ones too.
    pub const NAMES: [&str; 8] = ["debug", "logging", "nop", "otlp", "otlp_grpc", "otlp_http", "otlphttp", "zipkin"];

    /// Reads the settings of an exporter of the kind `name`, one of [`Self::NAMES`]; `None` where there are none to be had,
    /// after the problems have been told (or where there is no such kind, which the caller tells).
    pub fn decode(name: &str, node: &Node, p: &mut Problems) -> Option<Self> {
        match name {
            "debug" => DebugSettings::decode(node, p).map(Self::Debug),
            "logging" => DebugSettings::decode_logging(node, p).map(Self::Debug),
            "nop" => {
                node.map("nop", p)?.finish(p);
                Some(Self::Nop)
            }
            "otlp" | "otlp_grpc" => OtlpGrpcSettings::decode(node, p).map(Box::new).map(Self::OtlpGrpc),
            "otlphttp" | "otlp_http" => OtlpHttpSettings::decode(node, p).map(Box::new).map(Self::OtlpHttp),
            "zipkin" => ZipkinSettings::decode(node, p).map(Box::new).map(Self::Zipkin),
            _ => None,
        }
    }

    /// All settings with their defaults, as otelcol prints them.
    #[must_use]
    pub fn effective(&self) -> Node {
        match self {
            Self::Debug(settings) => settings.effective(),
            Self::Nop => Node::map_of::<String>([]),
            Self::OtlpGrpc(settings) => settings.effective(),
            Self::OtlpHttp(settings) => settings.effective(),
            Self::Zipkin(settings) => settings.effective(),
        }
    }

    /// The exporter called `name` (as `otlp/2`). Reads certificates; connects to nobody yet.
    ///
    /// # Errors
    /// What is wrong, for people: a file that cannot be read, a URL for traces that is missing.
    pub fn build(&self, name: &str) -> Result<Arc<dyn Exporter>, String> {
        Ok(match self {
            Self::Debug(settings) => Arc::new(Debug::new(name, settings.clone())),
            Self::Nop => Arc::new(Nop),
            Self::OtlpGrpc(settings) => Arc::new(OtlpGrpc::new(settings)?),
            Self::OtlpHttp(settings) => Arc::new(OtlpHttp::new(settings)?),
            Self::Zipkin(settings) => Arc::new(Zipkin::new(settings)?),
        })
    }

    /// Its queue; where otelcol has none, one request at a time.
    #[must_use]
    pub fn queue(&self) -> QueueSettings {
        let inline = || QueueSettings { enabled: false, ..QueueSettings::default() };
        match self {
            Self::Debug(settings) => settings.queue.clone().unwrap_or_else(inline),
            Self::Nop => inline(),
            Self::OtlpGrpc(settings) => settings.queue.clone(),
            Self::OtlpHttp(settings) => settings.queue.clone(),
            Self::Zipkin(settings) => settings.queue.clone(),
        }
    }

    /// Its retries; those without any never ask for one.
    #[must_use]
    pub fn retry(&self) -> RetrySettings {
        match self {
            Self::Debug(_) | Self::Nop => RetrySettings::default(),
            Self::OtlpGrpc(settings) => settings.retry.clone(),
            Self::OtlpHttp(settings) => settings.retry.clone(),
            Self::Zipkin(settings) => settings.retry.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_kind_that_can_be_built() {
        for name in ExporterSettings::NAMES {
            let yaml = match name {
                "otlp" | "otlp_grpc" => "yaml:{endpoint: a:4317}",
                "otlphttp" | "otlp_http" | "zipkin" => "yaml:{endpoint: 'http://a:4318'}",
                _ => "yaml:{}",
            };
            let (node, sources, mut problems) = settings::load(&[yaml.to_owned()], &[], &|_| None);
            let settings = ExporterSettings::decode(name, &node.unwrap_or_else(Node::null), &mut problems);
            assert!(problems.is_empty(), "{name}: {}", problems.render(&sources));
            let settings = settings.expect(name);
            assert!(settings.build(name).is_ok(), "{name}");
            assert!(settings.queue().concurrency() > 0 && settings.retry().enabled);
            let _printed = settings.effective();
        }
        assert!(ExporterSettings::decode("kafka", &Node::null(), &mut Problems::new()).is_none());
    }

    #[test]
    fn nop_has_no_settings() {
        let (node, _, mut problems) = settings::load(&["yaml:{endpoint: x}".to_owned()], &[], &|_| None);
        let _settings = ExporterSettings::decode("nop", &node.unwrap(), &mut problems);
        assert!(problems.has_errors());
    }
}
