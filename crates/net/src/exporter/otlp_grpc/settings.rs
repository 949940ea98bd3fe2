//! Settings of `otlp_grpc` (otelcol's configgrpc): their meaning, defaults, YAML.

use std::path::PathBuf;
use std::time::Duration;

use settings::{Node, Problems, Secret};

use crate::exporter::client::Ping;
use crate::exporter::compress::{Compression, Encoding};
use crate::exporter::http::{decode_auth, decode_headers, effective_auth, effective_headers};
use crate::exporter::{QueueSettings, RetrySettings, refuse_unsupported};
use crate::tls::TlsClient;

/// Settings of an `otlp_grpc` exporter.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub struct OtlpGrpcSettings {
    /// Where to send to.
    pub endpoint: GrpcEndpoint,
    /// How requests are compressed.
    pub compression: Compression,
    /// TLS; on unless `insecure`.
    pub tls: TlsClient,
    /// The extension that adds credentials to requests.
    pub auth: Option<String>,
    /// Sent with each request.
    pub headers: Vec<(String, Secret)>,
    /// Time for one attempt.
    pub timeout: Duration,
    /// Pings, where they were asked for, as written: a `time` of zero is never, a `timeout` of zero is 20 s.
    pub keepalive: Option<Ping>,
    /// Which of the addresses behind the endpoint's name are sent to: `round_robin` is all in turn, `pick_first` the first
    /// that answers; empty is the first, as in grpc-go.
    pub balancer_name: String,
    /// Overrides the `:authority` of requests.
    pub authority: Option<String>,
    /// Overrides the user agent.
    pub user_agent: Option<String>,
    /// Whether an attempt waits for a connection as long as its timeout lasts, instead of failing with the first refusal.
    pub wait_for_ready: bool,
    /// Read and printed, without effect.
    pub read_buffer_size: u64,
    /// Read and printed, without effect.
    pub write_buffer_size: u64,
    /// The queue.
    #[key = "sending_queue"]
    pub queue: QueueSettings,
    /// Retries.
    #[key = "retry_on_failure"]
    pub retry: RetrySettings,
}

impl OtlpGrpcSettings {
    /// The defaults, for an endpoint.
    #[must_use]
    pub fn new(endpoint: GrpcEndpoint) -> Self {
        Self {
            endpoint,
            compression: Compression::of(Encoding::Gzip),
            tls: TlsClient::default(),
            auth: None,
            headers: Vec::new(),
            timeout: Duration::from_secs(5),
            keepalive: None,
            balancer_name: "round_robin".to_owned(),
            authority: None,
            user_agent: None,
            wait_for_ready: false,
            read_buffer_size: 0,
            write_buffer_size: 524_288,
            queue: QueueSettings::default(),
            retry: RetrySettings::default(),
        }
    }
}

/// A gRPC target: `host:port`, with `http://`, `https://`, `dns:///` or `passthrough:///` before it, or `unix:///path`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GrpcEndpoint {
    /// As written.
    pub text: String,
    /// `host:port`.
    pub authority: String,
    /// The socket of the file system to connect to, in place of the authority.
    pub socket: Option<PathBuf>,
    /// Whether `https://` was written: TLS then, whatever `insecure` says.
    pub https: bool,
}

impl GrpcEndpoint {
    /// Reads a target.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return match path.starts_with('/') {
                true => Ok(Self {
                    text: text.to_owned(),
                    authority: "localhost".to_owned(),
                    socket: Some(PathBuf::from(path)),
                    https: false,
                }),
                false => Err(format!("`{text}` names no absolute path; write one such as `unix:///run/otlp.sock`")),
            };
        }
        if text.is_empty() {
            return Err("this is empty; write `host:port`, such as `backend:4317`".to_owned());
        }
        let (https, rest) = match text.split_once("://") {
            None => (false, text),
            Some(("http", rest)) => (false, rest.trim_end_matches('/')),
            Some(("https", rest)) => (true, rest.trim_end_matches('/')),
            Some(("dns" | "passthrough", rest)) => match rest.strip_prefix('/') {
                Some(rest) => (false, rest),
                None => {
                    return Err(format!(
                        "`{text}` names a resolver between its slashes; write one such as `dns:///backend:4317`"
                    ));
                }
            },
            Some((scheme, _)) => {
                return Err(format!(
                    "the scheme `{scheme}` is not supported; write `host:port`, such as `backend:4317`"
                ));
            }
        };
        let authority: http::uri::Authority = rest.parse().map_err(|_| malformed(rest))?;
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(malformed(rest));
        }
        match authority.port_u16() {
            None => Err(format!("`{text}` has no port; write `{}:4317`", authority.host())),
            Some(_) => Ok(Self { text: text.to_owned(), authority: rest.to_owned(), socket: None, https }),
        }
    }
}

fn malformed(target: &str) -> String {
    format!("`{target}` is no host and port; write `host:port`, such as `backend:4317`")
}

impl OtlpGrpcSettings {
    /// Reads the settings of an exporter.
    pub fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("otlp_grpc", p)?;
        fields.describe::<Self>();
        fields.defaults_to("compression", "gzip");
        fields.words("balancer_name", &["", "round_robin", "pick_first"]);
        let endpoint_node = fields.node("endpoint").filter(|node| !node.is_absent());
        let endpoint = fields.required::<String>("endpoint", p);
        let nowhere = GrpcEndpoint { text: String::new(), authority: String::new(), socket: None, https: false };
        let defaults = Self::new(nowhere);
        let mut settings = Self {
            compression: fields
                .node("compression")
                .filter(|node| !node.is_absent())
                .map_or(defaults.compression, |node| compression(node, p)),
            tls: fields.take("tls", defaults.tls, p),
            auth: decode_auth(&mut fields, p),
            headers: decode_headers(&mut fields, p),
            timeout: fields.take("timeout", defaults.timeout, p),
            keepalive: fields.node("keepalive").filter(|node| !node.is_absent()).and_then(|node| keepalive(node, p)),
            balancer_name: fields.take("balancer_name", defaults.balancer_name, p),
            authority: fields.optional("authority", p).filter(|text: &String| !text.is_empty()),
            user_agent: fields.optional("user_agent", p).filter(|text: &String| !text.is_empty()),
            wait_for_ready: fields.take("wait_for_ready", defaults.wait_for_ready, p),
            read_buffer_size: fields.take("read_buffer_size", defaults.read_buffer_size, p),
            write_buffer_size: fields.take("write_buffer_size", defaults.write_buffer_size, p),
            queue: QueueSettings::take(&mut fields, p),
            retry: RetrySettings::take(&mut fields, p),
            endpoint: defaults.endpoint,
        };
        if !matches!(settings.balancer_name.as_str(), "" | "round_robin" | "pick_first") {
            let message = format!("unknown `balancer_name` `{}`", settings.balancer_name);
            p.error(&fields.at(), message, "write `round_robin` or `pick_first`".to_owned());
        }
        refuse_unsupported(&mut fields, &["middlewares"], p);
        fields.finish(p);
        let (text, at) = (endpoint?, endpoint_node?.at);
        match GrpcEndpoint::parse(&text) {
            Ok(endpoint) => settings.endpoint = endpoint,
            Err(error) => {
                p.error(&at, error, None);
                return None;
            }
        }
        if text.starts_with("http://") && !settings.tls.insecure {
            let message = "`http://` does not turn TLS off for gRPC";
            p.warning(&at, message, "add `tls: {insecure: true}` for plain text, or write `https://`".to_owned());
        }
        Some(settings)
    }

    /// All settings, as otelcol prints them.
    #[must_use]
    pub fn effective(&self) -> Node {
        let mut entries: Vec<(&str, Node)> = vec![
            ("balancer_name", self.balancer_name.as_str().into()),
            ("endpoint", self.endpoint.text.as_str().into()),
            ("retry_on_failure", self.retry.effective()),
            ("sending_queue", self.queue.effective()),
            ("timeout", self.timeout.into()),
        ];
        if !self.compression.is_unnamed {
            entries.push(("compression", grpc_name(self.compression.encoding).into()));
        }
        if self.write_buffer_size > 0 {
            entries.push(("write_buffer_size", self.write_buffer_size.into()));
        }
        entries.extend(self.tls.effective().map(|tls| ("tls", tls)));
        entries.extend(effective_headers(&self.headers));
        entries.extend(effective_auth(self.auth.as_deref()));
        entries.extend(self.keepalive.map(|ping| ("keepalive", effective_keepalive(ping))));
        entries.extend(self.authority.as_ref().map(|text| ("authority", text.into())));
        entries.extend(self.user_agent.as_ref().map(|text| ("user_agent", text.into())));
        if self.wait_for_ready {
            entries.push(("wait_for_ready", true.into()));
        }
        if self.read_buffer_size > 0 {
            entries.push(("read_buffer_size", self.read_buffer_size.into()));
        }
        Node::map_of(entries)
    }
}

/// gRPC's encodings; what they call snappy is the framed format.
fn compression(node: &Node, p: &mut Problems) -> Compression {
    p.takes_words(node, ["", "none", "gzip", "zstd", "snappy"]);
    let encoding = match p.within("compression", |p| node.text(p)).as_deref() {
        Some("") | None => return Compression::UNNAMED,
        Some("none") => Encoding::Identity,
        Some("gzip") => Encoding::Gzip,
        Some("zstd") => Encoding::Zstd,
        Some("snappy") => Encoding::SnappyFramed,
        Some(other) => {
            let message = format!("unknown compression `{other}`");
            p.error(&node.at, message, "write `gzip`, `zstd`, `snappy` or `none`".to_owned());
            Encoding::Identity
        }
    };
    Compression::of(encoding)
}

fn grpc_name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::SnappyFramed => "snappy",
        other => other.header().unwrap_or("none"),
    }
}

fn keepalive(node: &Node, p: &mut Problems) -> Option<Ping> {
    let mut fields = node.map("keepalive", p)?;
    fields.describe::<Ping>();
    let ping = Ping {
        interval: fields.take("time", Duration::ZERO, p),
        timeout: fields.take("timeout", Duration::ZERO, p),
        while_idle: fields.take("permit_without_stream", false, p),
    };
    fields.finish(p);
    Some(ping)
}

fn effective_keepalive(ping: Ping) -> Node {
    let mut entries: Vec<(&str, Node)> = vec![("time", ping.interval.into()), ("timeout", ping.timeout.into())];
    if ping.while_idle {
        entries.push(("permit_without_stream", true.into()));
    }
    Node::map_of(entries)
}
