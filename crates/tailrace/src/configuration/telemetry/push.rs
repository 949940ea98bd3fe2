//! How Tailrace's own telemetry is sent away: OTLP exporters, and the processors in front of them, for logs, metrics and
//! traces alike. Times are whole milliseconds.

use std::time::Duration;

use settings::{Decode, Fields, Node, Problems, Scalar, Secret, Value, one_of};

use super::written;

/// What one pushes to.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub(crate) enum PushExporter {
    /// OTLP, over gRPC or HTTP.
    Otlp(Box<OtlpPush>),
    /// Standard output, as JSON.
    Console,
}

/// `exporter::otlp`.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub(crate) struct OtlpPush {
    /// How requests travel.
    pub(crate) protocol: PushProtocol,
    /// Where to, with its scheme; without one the protocol's usual port on this machine.
    pub(crate) endpoint: Option<String>,
    /// Sent with each request.
    pub(crate) headers: Vec<(String, Secret)>,
    /// More headers, in one text: `name=value,other=value`.
    pub(crate) headers_list: Option<Secret>,
    /// Whether an endpoint without a scheme is spoken to without TLS.
    pub(crate) insecure: Option<bool>,
    /// Milliseconds for one attempt.
    pub(crate) timeout: Option<u64>,
    /// Whether requests are compressed.
    pub(crate) compression: Option<PushCompression>,
    /// File of the certificates that the other side is checked by.
    pub(crate) certificate: Option<String>,
    /// File of the client's certificate.
    pub(crate) client_certificate: Option<String>,
    /// File of the client's key.
    pub(crate) client_key: Option<String>,
    /// Which metrics count since the last report; only for metrics.
    pub(crate) temporality_preference: Option<Temporality>,
    /// How distributions are reported; only for metrics.
    pub(crate) default_histogram_aggregation: Option<Histogram>,
}

/// How requests travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PushProtocol {
    /// OTLP over gRPC.
    Grpc,
    /// OTLP over HTTP, as protobuf.
    HttpProtobuf,
}

/// How requests are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PushCompression {
    /// With gzip.
    Gzip,
    /// Not at all.
    None,
}

/// Which metrics count since the last report, and which since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Temporality {
    /// All since the start.
    Cumulative,
    /// Counters and distributions since the last report.
    Delta,
    /// As `delta`, but of observed counters since the start.
    Lowmemory,
}

/// How distributions are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Histogram {
    /// In buckets of fixed bounds.
    ExplicitBucketHistogram,
    /// In buckets that follow the values.
    Base2ExponentialBucketHistogram,
}

/// One of `logs::processors` or `traces::processors`.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub(crate) enum Processor {
    /// Sends many at once.
    Batch(Batch),
    /// Sends each alone.
    Simple(PushExporter),
}

/// `batch` in front of an exporter.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub(crate) struct Batch {
    /// Where to.
    pub(crate) exporter: PushExporter,
    /// Milliseconds between two batches.
    pub(crate) schedule_delay: Option<u64>,
    /// Milliseconds for sending one.
    pub(crate) export_timeout: Option<u64>,
    /// How many records may wait.
    pub(crate) max_queue_size: Option<u64>,
    /// How many records are sent at once.
    pub(crate) max_export_batch_size: Option<u64>,
}

const PROTOCOLS: [(&str, PushProtocol); 2] =
    [("grpc", PushProtocol::Grpc), ("http/protobuf", PushProtocol::HttpProtobuf)];
const COMPRESSIONS: [(&str, PushCompression); 2] = [("gzip", PushCompression::Gzip), ("none", PushCompression::None)];
const TEMPORALITIES: [(&str, Temporality); 3] =
    [("cumulative", Temporality::Cumulative), ("delta", Temporality::Delta), ("lowmemory", Temporality::Lowmemory)];
const HISTOGRAMS: [(&str, Histogram); 2] = [
    ("explicit_bucket_histogram", Histogram::ExplicitBucketHistogram),
    ("base2_exponential_bucket_histogram", Histogram::Base2ExponentialBucketHistogram),
];

impl OtlpPush {
    /// Time for one attempt.
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout.unwrap_or(10_000))
    }
}

impl Batch {
    /// Time between two batches.
    pub(crate) fn schedule_delay(&self) -> Duration {
        Duration::from_millis(self.schedule_delay.unwrap_or(1000))
    }
}

/// One of the words, if one is written under a key.
fn word<T: Copy>(fields: &mut Fields<'_>, key: &str, what: &str, words: &[(&str, T)], p: &mut Problems) -> Option<T> {
    let node = fields.node(key).filter(|node| !node.is_absent())?;
    p.within(key, |p| one_of(node, what, words, p))
}

/// The word for a meaning.
fn spelt<T: PartialEq>(words: &[(&'static str, T)], meaning: Option<T>) -> Option<Node> {
    let meaning = meaning?;
    words.iter().find(|(_, one)| *one == meaning).map(|(word, _)| (*word).into())
}

impl Decode for PushExporter {
    fn decode(node: &Node, p: &mut Problems) -> Option<PushExporter> {
        let mut fields = node.map("exporter", p)?;
        fields.describe::<Self>();
        let console = fields.node("console").filter(|node| !node.is_absent());
        console.into_iter().for_each(|node| p.takes(node, Scalar::Anything));
        let otlp = fields.node("otlp").filter(|node| !node.is_absent());
        fields.finish(p);
        match (otlp, console) {
            (Some(otlp), None) => OtlpPush::decode(otlp, p).map(Box::new).map(PushExporter::Otlp),
            (None, Some(_)) => Some(PushExporter::Console),
            (Some(_), Some(console)) => {
                let help = "remove one of the two, or give each a reader or processor of its own";
                p.error(&console.at, "`exporter` takes one exporter, found `otlp` and `console`", help.to_string());
                None
            }
            (None, None) => {
                let help = "write `otlp: {protocol: grpc, endpoint: \"http://localhost:4317\"}`";
                p.error(&node.at, "`exporter` needs the setting `otlp` or `console`", help.to_string());
                None
            }
        }
    }
}

impl Decode for OtlpPush {
    fn decode(node: &Node, p: &mut Problems) -> Option<OtlpPush> {
        let mut fields = node.map("otlp", p)?;
        fields.describe::<Self>();
        let insecure = fields.optional("insecure", p);
        let endpoint = fields.optional::<String>("endpoint", p);
        let protocol = word(&mut fields, "protocol", "protocol", &PROTOCOLS, p);
        if protocol.is_none() && fields.node("protocol").is_none_or(Node::is_absent) {
            let help = "write `protocol: grpc` or `protocol: http/protobuf`";
            p.error(&node.at, "`otlp` needs the setting `protocol`", help.to_string());
        }
        let otlp = OtlpPush {
            protocol: protocol.unwrap_or(PushProtocol::Grpc),
            endpoint: endpoint.map(|endpoint| with_scheme(endpoint, insecure)),
            headers: fields.node("headers").map(|node| headers(node, p)).unwrap_or_default(),
            headers_list: fields.optional("headers_list", p),
            insecure,
            timeout: fields.optional("timeout", p),
            compression: word(&mut fields, "compression", "compression", &COMPRESSIONS, p),
            certificate: fields.optional("certificate", p),
            client_certificate: fields.optional("client_certificate", p),
            client_key: fields.optional("client_key", p),
            temporality_preference: word(&mut fields, "temporality_preference", "temporality", &TEMPORALITIES, p),
            default_histogram_aggregation: word(
                &mut fields,
                "default_histogram_aggregation",
                "histogram aggregation",
                &HISTOGRAMS,
                p,
            ),
        };
        if otlp.default_histogram_aggregation == Some(Histogram::Base2ExponentialBucketHistogram)
            && let Some(node) = fields.node("default_histogram_aggregation")
        {
            let help = "remove it, or write `explicit_bucket_histogram`";
            p.warning(&node.at, "distributions are always reported in buckets of fixed bounds", help.to_string());
        }
        fields.finish(p);
        Some(otlp)
    }
}

/// As otelcol does it: TLS unless `insecure` is written.
fn with_scheme(endpoint: String, insecure: Option<bool>) -> String {
    match (endpoint.starts_with("http://") || endpoint.starts_with("https://"), insecure) {
        (true, _) => endpoint,
        (false, Some(true)) => format!("http://{endpoint}"),
        (false, _) => format!("https://{endpoint}"),
    }
}

/// A list of names and values; also a map, the form of older files.
fn headers(node: &Node, p: &mut Problems) -> Vec<(String, Secret)> {
    p.within("headers", |p| {
        p.takes_values(node);
        if let Value::Map(entries) = &node.value {
            if let Some(first) = entries.first() {
                let help = format!("newer collectors want a list: `headers: [{{name: {}, value: …}}]`", first.key);
                p.warning(&node.at, "a map of headers is the form of older files", help);
            }
            let header = entries.iter().map(|entry| Some((entry.key.clone(), Secret::decode(&entry.node, p)?)));
            return header.collect::<Vec<_>>().into_iter().flatten().collect();
        }
        let items = node.list("headers", p).unwrap_or_default();
        let header = items.iter().map(|item| {
            let mut fields = item.map("headers", p)?;
            fields.describe_keys(&[("name", "The header's name."), ("value", "Its value.")]);
            let name = fields.required::<String>("name", p);
            let value = fields.take("value", Secret::default(), p);
            fields.finish(p);
            Some((name?, value))
        });
        header.collect::<Vec<_>>().into_iter().flatten().collect()
    })
}

impl Decode for Processor {
    fn decode(node: &Node, p: &mut Problems) -> Option<Processor> {
        let mut fields = node.map("processors", p)?;
        fields.describe::<Self>();
        let batch = fields.node("batch").filter(|node| !node.is_absent());
        let simple = fields.node("simple").filter(|node| !node.is_absent());
        fields.finish(p);
        match (batch, simple) {
            (Some(batch), None) => Batch::decode(batch, p).map(Processor::Batch),
            (None, Some(simple)) => {
                let mut fields = simple.map("simple", p)?;
                fields.describe::<Batch>();
                let exporter = fields.required("exporter", p);
                fields.finish(p);
                exporter.map(Processor::Simple)
            }
            _ => {
                let help = "write `batch: {exporter: {otlp: {protocol: grpc, endpoint: …}}}`";
                p.error(&node.at, "a processor is either `batch` or `simple`", help.to_string());
                None
            }
        }
    }
}

impl Decode for Batch {
    fn decode(node: &Node, p: &mut Problems) -> Option<Batch> {
        let mut fields = node.map("batch", p)?;
        fields.describe::<Self>();
        let exporter = fields.required("exporter", p);
        let schedule_delay = fields.optional("schedule_delay", p);
        let export_timeout = fields.optional("export_timeout", p);
        let max_queue_size = fields.optional("max_queue_size", p);
        let max_export_batch_size = fields.optional("max_export_batch_size", p);
        fields.finish(p);
        Some(Batch { exporter: exporter?, schedule_delay, export_timeout, max_queue_size, max_export_batch_size })
    }
}

impl PushExporter {
    /// All that is written, as otelcol prints it.
    pub(super) fn effective(&self) -> Node {
        match self {
            PushExporter::Otlp(otlp) => Node::map_of([("otlp", otlp.effective())]),
            PushExporter::Console => Node::map_of([("console", Node::map_of::<&str>([]))]),
        }
    }
}

impl OtlpPush {
    fn effective(&self) -> Node {
        let header = |(name, value): &(String, Secret)| {
            Node::map_of([("name", Node::from(name)), ("value", Node::secret(value))])
        };
        let headers = Some(&self.headers).filter(|headers| !headers.is_empty());
        let written = written([
            ("certificate", self.certificate.as_ref().map(Node::from)),
            ("client_certificate", self.client_certificate.as_ref().map(Node::from)),
            ("client_key", self.client_key.as_ref().map(Node::from)),
            ("compression", spelt(&COMPRESSIONS, self.compression)),
            ("default_histogram_aggregation", spelt(&HISTOGRAMS, self.default_histogram_aggregation)),
            ("endpoint", Some(Node::or_null(self.endpoint.as_ref()))),
            ("headers", headers.map(|headers| Node::list_of(headers.iter().map(header)))),
            ("headers_list", self.headers_list.as_ref().map(Node::secret)),
            ("insecure", self.insecure.map(Node::from)),
            ("protocol", spelt(&PROTOCOLS, Some(self.protocol))),
            ("temporality_preference", spelt(&TEMPORALITIES, self.temporality_preference)),
            ("timeout", self.timeout.map(Node::from)),
        ]);
        Node::map_of(written)
    }
}

impl Processor {
    /// All that is written, as otelcol prints it.
    pub(super) fn effective(&self) -> Node {
        let batch = match self {
            Processor::Batch(batch) => batch,
            Processor::Simple(exporter) => {
                return Node::map_of([("simple", Node::map_of([("exporter", exporter.effective())]))]);
            }
        };
        let written = written([
            ("exporter", Some(batch.exporter.effective())),
            ("export_timeout", batch.export_timeout.map(Node::from)),
            ("max_export_batch_size", batch.max_export_batch_size.map(Node::from)),
            ("max_queue_size", batch.max_queue_size.map(Node::from)),
            ("schedule_delay", batch.schedule_delay.map(Node::from)),
        ]);
        Node::map_of([("batch", Node::map_of(written))])
    }
}
