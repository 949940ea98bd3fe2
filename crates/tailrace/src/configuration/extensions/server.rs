//! What the HTTP servers of extensions have in common (otelcol's confighttp): address, TLS, times.

use std::time::Duration;

use net::tls::TlsServer;
use settings::{Fields, Node, Problems, Secret, Value};

/// Settings of an extension's HTTP server.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub(crate) struct Server {
    /// The host and port to listen on.
    pub(crate) endpoint: String,
    /// `tcp`, `tcp4`, `tcp6` or `unix`.
    pub(crate) transport: String,
    /// TLS; plain text without it.
    pub(crate) tls: Option<TlsServer>,
    /// Which web pages may read the answers.
    pub(crate) cors: Option<Node>,
    /// Headers that each answer bears.
    pub(crate) response_headers: Vec<(String, Secret)>,
    /// Bytes that a request's body may have; zero is the default.
    pub(crate) max_request_body_size: u64,
    /// Whether the client's headers are kept.
    pub(crate) include_metadata: bool,
    /// Encodings that a request's body may have.
    pub(crate) compression_algorithms: Vec<String>,
    /// Time for reading a request; zero is any.
    pub(crate) read_timeout: Duration,
    /// Time for reading a request's headers; zero is any.
    pub(crate) read_header_timeout: Duration,
    /// Time for writing an answer; zero is any.
    pub(crate) write_timeout: Duration,
    /// Time after which an idle connection is closed; zero is never. Without effect.
    pub(crate) idle_timeout: Duration,
    /// Whether a connection serves more than one request; without effect.
    pub(crate) keep_alives_enabled: bool,
    /// The newer form of the two settings before, as it was written.
    pub(super) keepalive: Option<Node>,
}

impl Server {
    /// The defaults, for an address.
    pub(super) fn new(endpoint: &str) -> Server {
        Server {
            endpoint: endpoint.to_string(),
            transport: "tcp".to_string(),
            tls: None,
            cors: None,
            response_headers: Vec::new(),
            max_request_body_size: 0,
            include_metadata: false,
            compression_algorithms: Vec::new(),
            read_timeout: Duration::ZERO,
            read_header_timeout: Duration::ZERO,
            write_timeout: Duration::ZERO,
            idle_timeout: Duration::ZERO,
            keep_alives_enabled: false,
            keepalive: None,
        }
    }

    /// Takes these settings out of those of an extension.
    pub(super) fn take(fields: &mut Fields<'_>, default: Server, p: &mut Problems) -> Server {
        fields.describe::<Self>();
        fields.words("transport", &["tcp", "tcp4", "tcp6", "unix"]);
        let endpoint_at = fields.node("endpoint").map_or(fields.at(), |node| node.at);
        let keepalive = fields.node("keepalive").filter(|node| !node.is_absent());
        let server = Server {
            endpoint: fields.take("endpoint", default.endpoint, p),
            transport: fields.take("transport", default.transport, p),
            tls: fields.optional("tls", p),
            cors: fields.optional::<Node>("cors", p).map(|node| node.bare()),
            response_headers: response_headers(fields, p),
            max_request_body_size: fields.take("max_request_body_size", 0, p),
            include_metadata: fields.take("include_metadata", false, p),
            compression_algorithms: fields.take("compression_algorithms", Vec::new(), p),
            read_timeout: fields.take("read_timeout", default.read_timeout, p),
            read_header_timeout: fields.take("read_header_timeout", default.read_header_timeout, p),
            write_timeout: fields.take("write_timeout", default.write_timeout, p),
            idle_timeout: fields.take("idle_timeout", default.idle_timeout, p),
            keep_alives_enabled: fields.take("keep_alives_enabled", default.keep_alives_enabled, p),
            keepalive: keepalive.map(Node::bare),
        };
        if let Some(mut inner) = keepalive.and_then(|node| node.map("keepalive", p)) {
            // The old settings next to it are left as they are, so that both are printed as otelcol does.
            inner.describe::<Self>();
            inner.describe_keys(&[("enabled", "Whether a connection serves more than one request; without effect.")]);
            inner.take("enabled", true, p);
            inner.take("idle_timeout", Duration::ZERO, p);
            inner.finish(p);
        }
        fields.ignore(&["dialer"]);
        if let Some(node) = fields.unsupported("middlewares").filter(|node| !node.is_absent()) {
            let help = "remove it; answers are given without them";
            p.error(&node.at, "`middlewares` of an extension's server are not supported", help.to_string());
        }
        if let Some(node) = fields.unsupported("auth").filter(|node| !node.is_absent()) {
            let help = "remove it; let only those reach the endpoint who may, such as by `endpoint: localhost:…`";
            p.error(&node.at, "`auth` of an extension's server is not supported", help.to_string());
        }
        let is_file = server.transport.starts_with("unix");
        if server.endpoint.is_empty() {
            p.error(
                &endpoint_at,
                "`endpoint` is empty",
                "write a host and a port, as in `localhost:13133`".to_string(),
            );
        } else if !is_file && !has_port(&server.endpoint) {
            let help = format!("write a host and a port, as in `{}:13133`", server.endpoint);
            p.error(&endpoint_at, format!("`endpoint` needs a port, found `{}`", server.endpoint), help);
        }
        if !["tcp", "tcp4", "tcp6", "unix"].contains(&server.transport.as_str()) {
            let at = fields.node("transport").map_or(fields.at(), |node| node.at);
            let help = "it is one of `tcp`, `tcp4`, `tcp6`, `unix`";
            p.error(&at, format!("unknown transport `{}`", server.transport), help.to_string());
        }
        server
    }

    /// All settings, as otelcol prints them.
    pub(super) fn effective(&self) -> Vec<(&'static str, Node)> {
        let mut entries = vec![
            ("cors", Node::or_null(self.cors.clone())),
            ("endpoint", Node::from(&self.endpoint)),
            ("read_header_timeout", self.read_header_timeout.into()),
            ("tls", Node::or_null(self.tls.as_ref().map(TlsServer::effective))),
            ("transport", Node::from(&self.transport)),
            ("write_timeout", self.write_timeout.into()),
        ];
        for (key, time) in [("idle_timeout", self.idle_timeout), ("read_timeout", self.read_timeout)] {
            entries.extend((!time.is_zero()).then(|| (key, Node::from(time))));
        }
        for (key, on) in
            [("include_metadata", self.include_metadata), ("keep_alives_enabled", self.keep_alives_enabled)]
        {
            entries.extend(on.then(|| (key, Node::from(true))));
        }
        entries.extend(self.keepalive.clone().map(|node| ("keepalive", node)));
        if self.max_request_body_size > 0 {
            entries.push(("max_request_body_size", self.max_request_body_size.into()));
        }
        if !self.compression_algorithms.is_empty() {
            entries.push(("compression_algorithms", Node::list_of(&self.compression_algorithms)));
        }
        if !self.response_headers.is_empty() {
            let header = |(name, value): &(String, Secret)| {
                Node::map_of([("name", Node::from(name)), ("value", Node::secret(value))])
            };
            entries.push(("response_headers", Node::list_of(self.response_headers.iter().map(header))));
        }
        entries
    }
}

/// A map of names and values, or a list of both.
fn response_headers(fields: &mut Fields<'_>, p: &mut Problems) -> Vec<(String, Secret)> {
    let Some(node) = fields.node("response_headers").filter(|node| !node.is_absent()) else { return Vec::new() };
    p.within("response_headers", |p| {
        p.takes_values(node);
        if let Value::Map(entries) = &node.value {
            let header = |entry: &settings::Entry| {
                Some((entry.key.clone(), <Secret as settings::Decode>::decode(&entry.node, p)?))
            };
            return entries.iter().filter_map(header).collect();
        }
        let items = node.list("response_headers", p).unwrap_or_default();
        let header = items.iter().filter_map(|item| {
            let mut fields = item.map("response_headers", p)?;
            fields.describe_keys(&[("name", "The header's name."), ("value", "Its value.")]);
            let name = fields.required::<String>("name", p);
            let value = fields.take("value", Secret::default(), p);
            fields.finish(p);
            Some((name?, value))
        });
        header.collect()
    })
}

fn has_port(endpoint: &str) -> bool {
    endpoint.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok())
}
