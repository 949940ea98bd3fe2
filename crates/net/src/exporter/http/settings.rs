//! Settings of an HTTP client (otelcol's confighttp): their meaning, defaults, YAML.

use std::time::Duration;

use settings::{Decode, Fields, Node, Problems, Secret, Value};

use super::header_map;
use crate::exporter::client::Proxy;
use crate::exporter::compress::{Compression, Encoding};
use crate::exporter::refuse_unsupported;
use crate::tls::TlsClient;

/// The settings of an HTTP client (otelcol's confighttp).
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub struct HttpSettings {
    /// Where to send to.
    pub endpoint: String,
    /// The proxy to send through, as `http://user:password@host:port`; empty is the one that the environment names.
    pub proxy_url: String,
    /// TLS, for https.
    pub tls: TlsClient,
    /// Sent with each request.
    pub headers: Vec<(String, Secret)>,
    /// Time for one attempt; zero is no limit.
    pub timeout: Duration,
    /// How bodies are compressed.
    pub compression: Compression,
    /// Read and printed, without effect.
    pub read_buffer_size: u64,
    /// Read and printed, without effect.
    pub write_buffer_size: u64,
    /// How many requests may be on their way at once, besides `num_consumers`; zero is no limit.
    pub max_conns_per_host: usize,
    /// Whether a connection serves more than one request.
    pub keepalive: bool,
    /// How long an unused connection is kept; zero is for ever.
    pub idle_conn_timeout: Duration,
    /// How many unused connections are kept; zero is no limit.
    pub max_idle_conns: usize,
    /// The same for one peer, which is all there is; zero is Go's default of two.
    pub max_idle_conns_per_host: usize,
    /// Whether HTTP/2 is offered to TLS peers.
    pub force_attempt_http2: bool,
    /// A ping after a connection was silent for this long; zero is never.
    pub http2_read_idle_timeout: Duration,
    /// The connection is dead if a ping is not answered within this; zero is 15 s.
    pub http2_ping_timeout: Duration,
    /// Whether cookies that the peer sets are sent back to it.
    pub cookies: bool,
    /// The extension that adds credentials to requests.
    pub auth: Option<String>,
}

impl HttpSettings {
    /// otelcol's defaults, but for the timeout, the encoding and the buffer, in which exporters differ.
    #[must_use]
    pub fn new(endpoint: impl Into<String>, timeout: Duration, encoding: Encoding) -> Self {
        Self {
            endpoint: endpoint.into(),
            proxy_url: String::new(),
            tls: TlsClient::default(),
            headers: Vec::new(),
            timeout,
            compression: if encoding == Encoding::Identity { Compression::UNNAMED } else { Compression::of(encoding) },
            read_buffer_size: 0,
            write_buffer_size: 524_288,
            max_conns_per_host: 0,
            keepalive: true,
            idle_conn_timeout: Duration::from_secs(90),
            max_idle_conns: 100,
            max_idle_conns_per_host: 0,
            force_attempt_http2: true,
            http2_read_idle_timeout: Duration::ZERO,
            http2_ping_timeout: Duration::ZERO,
            cookies: false,
            auth: None,
        }
    }
}

impl HttpSettings {
    /// Takes the client's settings out of an exporter's map; the caller takes its own and ends the map.
    pub(in crate::exporter) fn take(fields: &mut Fields<'_>, defaults: Self, p: &mut Problems) -> Self {
        fields.describe::<Self>();
        fields.describe_keys(&[
            ("compression_params", "How hard the compression tries."),
            ("disable_keep_alives", "Whether each request has a connection of its own."),
            ("keepalive", "The newer form of four settings about connections."),
        ]);
        fields.defaults_to("compression", defaults.compression.encoding.header().unwrap_or("none"));
        let mut settings = Self {
            endpoint: fields.take("endpoint", defaults.endpoint, p),
            proxy_url: proxy_url(fields, p),
            tls: fields.take("tls", defaults.tls, p),
            headers: decode_headers(fields, p),
            timeout: fields.take("timeout", defaults.timeout, p),
            compression: compression(fields, defaults.compression, p),
            read_buffer_size: fields.take("read_buffer_size", defaults.read_buffer_size, p),
            write_buffer_size: fields.take("write_buffer_size", defaults.write_buffer_size, p),
            max_conns_per_host: count(fields, "max_conns_per_host", defaults.max_conns_per_host, p),
            keepalive: !fields.take("disable_keep_alives", !defaults.keepalive, p),
            idle_conn_timeout: fields.take("idle_conn_timeout", defaults.idle_conn_timeout, p),
            max_idle_conns: count(fields, "max_idle_conns", defaults.max_idle_conns, p),
            max_idle_conns_per_host: count(fields, "max_idle_conns_per_host", defaults.max_idle_conns_per_host, p),
            force_attempt_http2: fields.take("force_attempt_http2", defaults.force_attempt_http2, p),
            http2_read_idle_timeout: fields.take("http2_read_idle_timeout", defaults.http2_read_idle_timeout, p),
            http2_ping_timeout: fields.take("http2_ping_timeout", defaults.http2_ping_timeout, p),
            cookies: fields.node("cookies").filter(|node| !node.is_absent()).is_some_and(|node| cookies(node, p)),
            auth: decode_auth(fields, p),
        };
        if let Some(node) = fields.node("keepalive").filter(|node| !node.is_absent()) {
            settings.take_keepalive(node, p);
        }
        refuse_unsupported(fields, &["middlewares"], p);
        settings
    }

    /// The newer form of four settings.
    fn take_keepalive(&mut self, node: &Node, p: &mut Problems) {
        let Some(mut fields) = node.map("keepalive", p) else { return };
        fields.describe::<Self>();
        fields.describe_keys(&[("enabled", "Whether a connection serves more than one request.")]);
        self.keepalive = fields.take("enabled", self.keepalive, p);
        self.idle_conn_timeout = fields.take("idle_conn_timeout", self.idle_conn_timeout, p);
        self.max_idle_conns = count(&mut fields, "max_idle_conns", self.max_idle_conns, p);
        self.max_idle_conns_per_host = count(&mut fields, "max_idle_conns_per_host", self.max_idle_conns_per_host, p);
        fields.finish(p);
    }

    /// The client's settings, as otelcol prints them.
    pub(in crate::exporter) fn effective(&self) -> Vec<(&'static str, Node)> {
        let mut entries: Vec<(&str, Node)> = Vec::new();
        entries.extend(self.compression.effective().map(|name| ("compression", name.into())));
        if let Some(level) = self.compression.level {
            entries.push(("compression_params", Node::map_of([("level", level.into())])));
        }
        entries.extend(self.tls.effective().map(|tls| ("tls", tls)));
        entries.extend(effective_headers(&self.headers));
        if !self.keepalive {
            entries.push(("disable_keep_alives", true.into()));
        }
        for (key, number) in [
            ("max_conns_per_host", self.max_conns_per_host as u64),
            ("max_idle_conns_per_host", self.max_idle_conns_per_host as u64),
            ("max_idle_conns", self.max_idle_conns as u64),
            ("read_buffer_size", self.read_buffer_size),
            ("write_buffer_size", self.write_buffer_size),
        ] {
            if number > 0 {
                entries.push((key, number.into()));
            }
        }
        if self.force_attempt_http2 {
            entries.push(("force_attempt_http2", true.into()));
        }
        if !self.proxy_url.is_empty() {
            entries.push(("proxy_url", self.proxy_url.as_str().into()));
        }
        if self.cookies {
            entries.push(("cookies", Node::map_of::<String>([])));
        }
        entries.extend(effective_auth(self.auth.as_deref()));
        for (key, duration) in [
            ("idle_conn_timeout", self.idle_conn_timeout),
            ("timeout", self.timeout),
            ("http2_read_idle_timeout", self.http2_read_idle_timeout),
            ("http2_ping_timeout", self.http2_ping_timeout),
        ] {
            if !duration.is_zero() {
                entries.push((key, duration.into()));
            }
        }
        if !self.endpoint.is_empty() {
            entries.push(("endpoint", self.endpoint.as_str().into()));
        }
        entries
    }
}

/// `auth: {authenticator: name}`.
pub(in crate::exporter) fn decode_auth(fields: &mut Fields<'_>, p: &mut Problems) -> Option<String> {
    let node = fields.node("auth").filter(|node| !node.is_absent())?;
    let mut fields = p.within("auth", |p| node.map("auth", p))?;
    fields.describe_keys(&[("authenticator", "The extension, such as `basicauth/client`.")]);
    let name = fields.required::<String>("authenticator", p).filter(|name| !name.is_empty());
    fields.finish(p);
    name
}

/// `auth` as otelcol prints it; nothing where there is none.
pub(in crate::exporter) fn effective_auth(name: Option<&str>) -> Option<(&'static str, Node)> {
    name.map(|name| ("auth", Node::map_of([("authenticator", name.into())])))
}

fn proxy_url(fields: &mut Fields<'_>, p: &mut Problems) -> String {
    let node = fields.node("proxy_url").filter(|node| !node.is_absent());
    let url = node.and_then(|node| p.within("proxy_url", |p| node.text(p))).unwrap_or_default();
    if let (Some(node), false, Err(error)) = (node, url.is_empty(), Proxy::parse(&url)) {
        p.error(&node.at, error, "write one such as `http://proxy:3128`".to_owned());
    }
    url
}

/// As in otelcol, where it is written at all it is on unless `enabled: false`.
fn cookies(node: &Node, p: &mut Problems) -> bool {
    let Some(mut fields) = p.within("cookies", |p| node.map("cookies", p)) else { return false };
    fields.describe_keys(&[("enabled", "Whether cookies are kept and sent back.")]);
    let enabled = fields.take("enabled", true, p);
    fields.finish(p);
    enabled
}

/// `headers`: a map, or a list of `name` and `value`.
pub(in crate::exporter) fn decode_headers(fields: &mut Fields<'_>, p: &mut Problems) -> Vec<(String, Secret)> {
    let Some(node) = fields.node("headers").filter(|node| !node.is_absent()) else { return Vec::new() };
    let headers: Vec<_> = p.within("headers", |p| match &node.value {
        Value::List(_) => {
            let items = node.list("headers", p).unwrap_or_default();
            items.iter().filter_map(|item| header(item, p)).collect()
        }
        _ => std::collections::BTreeMap::decode(node, p).unwrap_or_default().into_iter().collect(),
    });
    if let Err(error) = header_map(&headers) {
        p.error(&node.at, error, None);
    }
    headers
}

fn header(item: &Node, p: &mut Problems) -> Option<(String, Secret)> {
    let mut fields = item.map("headers", p)?;
    fields.describe_keys(&[("name", "The header's name."), ("value", "Its value.")]);
    let (name, value) = (fields.required("name", p), fields.take("value", Secret::default(), p));
    fields.finish(p);
    Some((name?, value))
}

/// Headers as otelcol prints them: none at all where there are none.
pub(in crate::exporter) fn effective_headers(headers: &[(String, Secret)]) -> Option<(&'static str, Node)> {
    let pairs =
        headers.iter().map(|(name, value)| Node::map_of([("name", name.into()), ("value", Node::secret(value))]));
    (!headers.is_empty()).then(|| ("headers", Node::list_of(pairs)))
}

/// `compression` with `compression_params`.
fn compression(fields: &mut Fields<'_>, default: Compression, p: &mut Problems) -> Compression {
    let written = fields.node("compression").filter(|node| !node.is_absent());
    let compression = written.map_or(default, |node| named(node, p));
    let encoding = compression.encoding;
    let Some(node) = fields.node("compression_params").filter(|node| !node.is_absent()) else { return compression };
    let Some(mut params) = node.map("compression_params", p) else { return compression };
    params.describe_keys(&[("level", "The level; none is the encoding's own default.")]);
    let level: Option<i32> = params.optional("level", p);
    params.finish(p);
    let levels = match encoding {
        Encoding::Gzip | Encoding::Zlib | Encoding::Deflate => -2..=9,
        Encoding::Zstd => -1..=22,
        _ => 0..=0,
    };
    if let Some(level) = level.filter(|level| !levels.contains(level)) {
        let name = encoding.header().unwrap_or("none");
        let help = match (levels.start(), levels.end()) {
            (0, 0) => "remove it; this compression has no levels".to_owned(),
            (low, high) => format!("write a number from {low} to {high}"),
        };
        p.error(&node.at, format!("the compression `{name}` has no level {level}"), help);
    }
    Compression { level, ..compression }
}

fn named(node: &Node, p: &mut Problems) -> Compression {
    use Encoding::*;
    let known = [Gzip, Zstd, Snappy, SnappyFramed, Zlib, Deflate, Lz4];
    p.takes_words(node, ["", "none"].into_iter().chain(known.into_iter().filter_map(Encoding::header)));
    let text = p.within("compression", |p| node.text(p)).unwrap_or_default();
    match text.as_str() {
        "" => return Compression::UNNAMED,
        "none" => return Compression::NONE,
        _ => {}
    }
    let encoding = known.into_iter().find(|encoding| encoding.header() == Some(&text)).unwrap_or_else(|| {
        let names: Vec<_> = known.iter().filter_map(|encoding| encoding.header()).collect();
        let help = format!("write `{}` or `none`", names.join("`, `"));
        p.error(&node.at, format!("unknown compression `{text}`"), help);
        Identity
    });
    Compression::of(encoding)
}

/// A number of things; zero or more.
fn count(fields: &mut Fields<'_>, key: &str, default: usize, p: &mut Problems) -> usize {
    let written: Option<u32> = fields.optional(key, p);
    fields.defaults_to(key, default);
    written.map_or(default, |count| count as usize)
}
