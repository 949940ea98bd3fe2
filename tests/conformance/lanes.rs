//! A collector with many pipelines beside each other: one receiver feeds all of them, each has settings of its own for
//! `tail_sampling`, and each ends in a counting sink of its own. So one process answers for many configurations.
//!
//! What it says is YAML written as JSON, understood by Tailrace and by the reference collector alike.

use load::{Record, Sink, SinkOptions};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, fmt::Write as _};

/// A sink for each pipeline.
pub(crate) struct Lanes {
    sinks: Vec<Sink>,
}

impl Lanes {
    /// So many of them.
    pub(crate) async fn start(count: usize) -> Self {
        let mut sinks = Vec::with_capacity(count);
        for _ in 0..count {
            let options = SinkOptions { record: Record::Traces, ..SinkOptions::default() };
            sinks.push(Sink::start(options).await.expect("a sink"));
        }
        Self { sinks }
    }

    /// The configuration of a collector in front of them; the receiver listens at this address for OTLP over HTTP.
    pub(crate) fn configuration(&self, settings: &[Value], address: &str, telemetry: &Value) -> String {
        assert_eq!(settings.len(), self.sinks.len(), "a sink for each pipeline");
        let (mut processors, mut exporters, mut pipelines) = (Map::new(), Map::new(), Map::new());
        for (index, (settings, sink)) in settings.iter().zip(&self.sinks).enumerate() {
            let (processor, exporter) = (format!("tail_sampling/{index}"), format!("otlp_grpc/{index}"));
            let pipeline = json!({"receivers": ["otlp"], "processors": [processor], "exporters": [exporter]});
            processors.insert(processor, settings.clone());
            exporters.insert(exporter, exporter_to(sink));
            pipelines.insert(format!("traces/{index}"), pipeline);
        }
        let receiver = json!({"protocols": {"http": {"endpoint": address}}});
        let whole = json!({
            "receivers": {"otlp": receiver},
            "processors": processors,
            "exporters": exporters,
            "service": {"telemetry": telemetry, "pipelines": pipelines},
        });
        // A dollar sign would begin a reference to the environment.
        whole.to_string().replace('$', "$$")
    }

    /// What has arrived: for each pipeline, trace ID → number of spans.
    pub(crate) fn kept(&self) -> Vec<BTreeMap<String, u64>> {
        self.sinks
            .iter()
            .map(|sink| sink.traces().into_iter().map(|(id, spans)| (hex(&id), spans.into())).collect())
            .collect()
    }
}

fn exporter_to(sink: &Sink) -> Value {
    json!({
        "endpoint": sink.address().to_string(),
        "compression": "none",
        "tls": {"insecure": true},
        "sending_queue": {"block_on_overflow": true},
    })
}

fn hex(id: &[u8]) -> String {
    id.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    })
}
