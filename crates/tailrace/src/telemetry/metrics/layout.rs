//! What of the configuration metrics need beside the counts: where processors stand, and where exporters send.

use crate::configuration::{
    Configuration, Exporter, Gates, PipelineId, Processor, kinds::Effective, telemetry::metrics::Level,
};
use otlp::Signal;
use settings::Node;
use std::collections::BTreeMap;

/// See the head of the file. Made anew at each reload.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) level: Level,
    pub(crate) gates: Gates,
    /// The processors of each pipeline, in their order.
    pub(crate) pipelines: BTreeMap<PipelineId, Vec<Station>>,
    /// Labels of the server of each exporter that has one, by signal.
    pub(crate) servers: BTreeMap<(String, Signal), Vec<(&'static str, String)>>,
}

/// A processor in its place.
#[derive(Clone, Debug)]
pub(crate) struct Station {
    /// Its ID in the configuration.
    pub(crate) processor: String,
    pub(crate) work: Work,
}

/// What metrics tell of a processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// It refuses when memory runs out.
    Limit,
    /// It makes large requests of small ones.
    Batch,
    /// It samples whole traces.
    Sample,
    /// It filters.
    Filter,
    /// It samples single items, by this word of otelcol's for the source of randomness.
    Probabilistic(&'static str),
    /// It edits by statements.
    Transform,
    /// It edits.
    Edit,
}

impl Layout {
    /// Of what runs with this configuration.
    pub(crate) fn of(configuration: &Configuration) -> Self {
        let pipelines = configuration.service.pipelines.iter().map(|(id, pipeline)| {
            let stations = pipeline.processors.iter().filter_map(|used| {
                let processor = configuration.processors.get(&used.id)?;
                Some(Station { processor: used.id.to_string(), work: work(processor, &used.id.kind) })
            });
            (id.clone(), stations.collect())
        });
        let exporters = configuration.exporters.iter();
        let servers = exporters.flat_map(|(id, exporter)| {
            Signal::ALL.into_iter().filter_map(|signal| Some(((id.to_string(), signal), server(exporter, signal)?)))
        });
        Self {
            level: configuration.service.telemetry.metrics.level,
            gates: configuration.gates,
            pipelines: pipelines.collect(),
            servers: servers.collect(),
        }
    }
}

fn work(processor: &Processor, kind: &str) -> Work {
    match processor {
        Processor::MemoryLimiter(_) => Work::Limit,
        Processor::Batch(_) => Work::Batch,
        Processor::TailSampling(_) => Work::Sample,
        Processor::Editing(_) if kind == "filter" => Work::Filter,
        Processor::Editing(settings) if kind == "probabilistic_sampler" => {
            let settings = settings.effective();
            Work::Probabilistic(match settings.lookup("mode").and_then(Node::as_text) {
                Some("proportional" | "equalizing") => "trace_id_w3c",
                _ => "trace_id_hash",
            })
        }
        Processor::Editing(_) if kind == "transform" => Work::Transform,
        Processor::Editing(_) => Work::Edit,
    }
}

/// The server that an exporter sends to, as otelcol labels it.
fn server(exporter: &Exporter, signal: Signal) -> Option<Vec<(&'static str, String)>> {
    let label = |name, text: Option<&str>| text.filter(|text| !text.is_empty()).map(|text| (name, text.to_owned()));
    match exporter {
        Exporter::OtlpGrpc(settings) => {
            let (host, port) = host_and_port(&settings.endpoint.authority);
            Some([label("server_address", Some(host)), label("server_port", port)].into_iter().flatten().collect())
        }
        Exporter::OtlpHttp(settings) => {
            let url = settings.url(signal)?;
            let (_, rest) = url.split_once("://")?;
            let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
            let (host, port) = host_and_port(authority.rsplit('@').next()?);
            let path = path.split(['?', '#']).next();
            let labels = [label("server_address", Some(host)), label("server_port", port), label("url_path", path)];
            Some(labels.into_iter().flatten().collect())
        }
        _ => None,
    }
}

/// The port is where one is written.
fn host_and_port(authority: &str) -> (&str, Option<&str>) {
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let (host, port) = match authority.rsplit_once(':').filter(|(_, port)| is_port(port)) {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    (host.trim_start_matches('[').trim_end_matches(']'), port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use net::exporter::otlp_grpc::{GrpcEndpoint, OtlpGrpcSettings};
    use net::exporter::otlp_http::OtlpHttpSettings;

    #[test]
    fn servers_of_endpoints() {
        let of = |exporter: Exporter| server(&exporter, Signal::Logs).expect("a server");
        let http = |url: &str| of(Exporter::OtlpHttp(Box::new(OtlpHttpSettings::new(url))));
        let label = |name, value: &str| (name, value.to_owned());
        let path = label("url_path", "/a/v1/logs");
        assert_eq!(http("https://user:secret@example.com/a"), [label("server_address", "example.com"), path]);
        let path = label("url_path", "/v1/logs");
        assert_eq!(http("http://[::1]:4318"), [label("server_address", "::1"), label("server_port", "4318"), path]);
        let endpoint = GrpcEndpoint::parse("dns:///10.0.0.1:4317").expect("an endpoint");
        let grpc = of(Exporter::OtlpGrpc(Box::new(OtlpGrpcSettings::new(endpoint))));
        assert_eq!(grpc, [label("server_address", "10.0.0.1"), label("server_port", "4317")]);
    }
}
