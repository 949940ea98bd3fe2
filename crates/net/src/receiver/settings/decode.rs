//! The `otlp` receiver's YAML.

use std::collections::BTreeMap;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use settings::{Decode, Fields, Node, Problems, Secret, Value, suggest};

use super::{AuthServer, Cors, Dialer, GrpcServer, HttpCoding, HttpServer, Keepalive, OtlpReceiver};
use crate::receiver::Protocol;
use crate::receiver::endpoint::{Endpoint, Network};

impl Decode for OtlpReceiver {
    fn decode(node: &Node, p: &mut Problems) -> Option<OtlpReceiver> {
        let mut fields = node.map("otlp", p)?;
        fields.describe_keys(&[("protocols", "What is listened for; at least one.")]);
        let protocols = fields.node("protocols").cloned().unwrap_or_else(Node::null);
        let receiver = p.within("protocols", |p| {
            let mut protocols = protocols.map("protocols", p)?;
            protocols.describe::<OtlpReceiver>();
            // A protocol that is named without settings has its defaults.
            let grpc = protocols.node("grpc").map(|node| p.within("grpc", |p| grpc(node, p)));
            let http = protocols.node("http").map(|node| p.within("http", |p| http_server(node, p)));
            protocols.finish(p);
            Some(OtlpReceiver { grpc: sequence(grpc)?, http: sequence(http)? })
        });
        fields.finish(p);
        let receiver = receiver?;
        if receiver.grpc.is_none() && receiver.http.is_none() {
            let help = "write `protocols: {grpc: {}, http: {}}`".to_owned();
            p.error(&node.at, "the `otlp` receiver needs at least one protocol", help);
            return None;
        }
        Some(receiver)
    }
}

/// What was written must have been read.
fn sequence<T>(written: Option<Option<T>>) -> Option<Option<T>> {
    match written {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}

fn grpc(node: &Node, p: &mut Problems) -> Option<GrpcServer> {
    let mut fields = node.map("grpc", p)?;
    fields.describe::<GrpcServer>();
    let defaults = GrpcServer::default();
    let grpc = GrpcServer {
        endpoint: endpoint(&mut fields, defaults.endpoint, p),
        tls: fields.optional("tls", p),
        auth: auth(&mut fields, Protocol::Grpc, p),
        max_recv_msg_size_mib: fields.take("max_recv_msg_size_mib", 0, p),
        max_concurrent_streams: fields.take("max_concurrent_streams", 0, p),
        keepalive: fields.take("keepalive", Keepalive::default(), p),
        include_metadata: fields.take("include_metadata", false, p),
        read_buffer_size: fields.take("read_buffer_size", defaults.read_buffer_size, p),
        write_buffer_size: fields.take("write_buffer_size", defaults.write_buffer_size, p),
        dialer: fields.take("dialer", Dialer::default(), p),
        middlewares: middlewares(&mut fields, p),
    };
    fields.finish(p);
    Some(grpc)
}

fn http_server(node: &Node, p: &mut Problems) -> Option<HttpServer> {
    let mut fields = node.map("http", p)?;
    fields.describe::<HttpServer>();
    fields.describe_keys(&[("keepalive", "Whether and how long connections are kept between requests.")]);
    fields.old_spelling("keep_alives_enabled", "`keepalive::enabled`");
    fields.old_spelling("idle_timeout", "`keepalive::idle_timeout`");
    let defaults = HttpServer::default();
    let mut http = HttpServer {
        endpoint: endpoint(&mut fields, defaults.endpoint, p),
        tls: fields.optional("tls", p),
        auth: auth(&mut fields, Protocol::Http, p),
        cors: fields.optional("cors", p),
        max_request_body_size: fields.take("max_request_body_size", 0, p),
        compression_algorithms: codings(&mut fields, p),
        response_headers: response_headers(&mut fields, p),
        read_timeout: fields.take("read_timeout", Duration::ZERO, p),
        read_header_timeout: fields.take("read_header_timeout", Duration::ZERO, p),
        write_timeout: fields.take("write_timeout", Duration::ZERO, p),
        keep_alives_enabled: fields.take("keep_alives_enabled", true, p),
        idle_timeout: fields.take("idle_timeout", Duration::ZERO, p),
        traces_url_path: url_path(&mut fields, "traces_url_path", defaults.traces_url_path, p),
        metrics_url_path: url_path(&mut fields, "metrics_url_path", defaults.metrics_url_path, p),
        logs_url_path: url_path(&mut fields, "logs_url_path", defaults.logs_url_path, p),
        include_metadata: fields.take("include_metadata", false, p),
        dialer: fields.take("dialer", Dialer::default(), p),
        middlewares: middlewares(&mut fields, p),
    };
    keepalive_http(&mut fields, &mut http, p);
    fields.finish(p);
    Some(http)
}

/// `keepalive`, or the two older settings that it replaces, not both. Printed are the older ones, as otelcol does.
fn keepalive_http(fields: &mut Fields<'_>, http: &mut HttpServer, p: &mut Problems) {
    let old = [("idle_timeout", !http.idle_timeout.is_zero()), ("keep_alives_enabled", !http.keep_alives_enabled)];
    let new = fields.node("keepalive").filter(|node| !node.is_absent());
    for (key, _) in old.into_iter().filter(|(_, acts)| *acts) {
        let Some(node) = fields.node(key) else { continue };
        let help = format!(
            "write `keepalive: {{{}}}`",
            if key == "idle_timeout" { "idle_timeout: …" } else { "enabled: false" }
        );
        match new {
            Some(_) => p.error(&node.at, format!("`{key}` cannot stand beside `keepalive`, which replaces it"), help),
            None => p.warning(&node.at, format!("`{key}` is an old spelling"), help),
        }
    }
    let Some(node) = new else { return };
    p.within("keepalive", |p| {
        let Some(mut keepalive) = node.map("keepalive", p) else { return };
        keepalive.describe::<HttpServer>();
        keepalive.describe_keys(&[("enabled", "Whether a connection serves more than one request.")]);
        http.keep_alives_enabled = keepalive.take("enabled", true, p);
        let idle_timeout = keepalive.take("idle_timeout", http.idle_timeout, p);
        if http.keep_alives_enabled {
            http.idle_timeout = idle_timeout;
        }
        keepalive.finish(p);
    });
}

/// `auth`; only HTTP has a query, and so parameters of it.
fn auth(fields: &mut Fields<'_>, protocol: Protocol, p: &mut Problems) -> Option<AuthServer> {
    let node = fields.node("auth").filter(|node| !node.is_absent())?;
    p.within("auth", |p| {
        let mut fields = node.map("auth", p)?;
        fields.describe::<AuthServer>();
        let authenticator = fields.required("authenticator", p);
        let request_params = match protocol {
            Protocol::Grpc => Vec::new(),
            Protocol::Http => fields.take("request_params", Vec::new(), p),
        };
        fields.finish(p);
        Some(AuthServer { authenticator: authenticator?, request_params })
    })
}

/// Extensions that see each request. Which there may be is checked where extensions are known.
fn middlewares(fields: &mut Fields<'_>, p: &mut Problems) -> Option<Vec<String>> {
    let node = fields.node("middlewares").filter(|node| !node.is_absent())?;
    let items = p.within("middlewares", |p| node.list("middlewares", p))?;
    let ids = items.iter().filter_map(|item| {
        let mut fields = item.map("middlewares", p)?;
        fields.describe_keys(&[("id", "The extension, such as `memory_limiter`.")]);
        let id = fields.required::<String>("id", p);
        fields.finish(p);
        id
    });
    Some(ids.collect())
}

impl Decode for Dialer {
    fn decode(node: &Node, p: &mut Problems) -> Option<Dialer> {
        let mut fields = node.map("dialer", p)?;
        fields.describe::<Self>();
        let dialer = Dialer { timeout: fields.take("timeout", Duration::ZERO, p) };
        fields.finish(p);
        Some(dialer)
    }
}

impl Decode for Keepalive {
    fn decode(node: &Node, p: &mut Problems) -> Option<Keepalive> {
        let mut fields = node.map("keepalive", p)?;
        fields.describe::<Self>();
        fields.describe_keys(&[
            ("server_parameters", "How connections are pinged, and how old they become."),
            ("enforcement_policy", "What clients may do; kept to be printed."),
        ]);
        let mut keepalive = Keepalive::default();
        if let Some(node) = fields.node("server_parameters").filter(|node| !node.is_absent()) {
            let mut server = node.map("server_parameters", p)?;
            server.describe::<Self>();
            keepalive.max_connection_idle = server.take("max_connection_idle", Duration::ZERO, p);
            keepalive.max_connection_age = server.take("max_connection_age", Duration::ZERO, p);
            keepalive.max_connection_age_grace = server.take("max_connection_age_grace", Duration::ZERO, p);
            keepalive.time = server.take("time", Duration::ZERO, p);
            keepalive.timeout = server.take("timeout", Duration::ZERO, p);
            server.finish(p);
        }
        if let Some(node) = fields.node("enforcement_policy").filter(|node| !node.is_absent()) {
            let mut policy = node.map("enforcement_policy", p)?;
            policy.describe::<Self>();
            keepalive.min_time = policy.take("min_time", Duration::ZERO, p);
            keepalive.permit_without_stream = policy.take("permit_without_stream", false, p);
            policy.finish(p);
        }
        fields.finish(p);
        Some(keepalive)
    }
}

impl Decode for Cors {
    fn decode(node: &Node, p: &mut Problems) -> Option<Cors> {
        let mut fields = node.map("cors", p)?;
        fields.describe::<Self>();
        let cors = Cors {
            allowed_origins: fields.take("allowed_origins", Vec::new(), p),
            allowed_headers: fields.take("allowed_headers", Vec::new(), p),
            exposed_headers: fields.take("exposed_headers", Vec::new(), p),
            max_age: fields.take("max_age", 0, p),
        };
        fields.finish(p);
        if HeaderValue::from_str(&cors.exposed_headers.join(", ")).is_err() {
            p.error(
                &node.at,
                "`exposed_headers` holds what cannot stand in a header",
                "list names of headers, in letters, digits and `-`".to_owned(),
            );
            return None;
        }
        Some(cors)
    }
}

fn endpoint(fields: &mut Fields<'_>, default: Endpoint, p: &mut Problems) -> Endpoint {
    fields.describe_keys(&[("transport", "What the endpoint is on.")]);
    fields.defaults_to("transport", "tcp");
    fields.words("transport", &Network::NAMES.map(|(name, _)| name));
    let network = match fields.node("transport").filter(|node| !node.is_absent()) {
        None => Network::Tcp,
        Some(node) => p.within("transport", |p| network(node, p)),
    };
    let node = fields.node("endpoint").filter(|node| !node.is_absent());
    let text = fields.take("endpoint", default.text, p);
    let endpoint = Endpoint { text, network };
    if let (Some(node), Err(problem)) = (node, endpoint.check()) {
        p.error(&node.at, problem, None);
    }
    endpoint
}

fn network(node: &Node, p: &mut Problems) -> Network {
    let Some(text) = node.text(p) else { return Network::Tcp };
    let known = Network::NAMES.iter().find(|(name, _)| *name == text).map(|(_, network)| *network);
    known.unwrap_or_else(|| {
        if !text.is_empty() {
            let message = format!("the transport `{text}` is not supported");
            p.error(&node.at, message, "write `tcp`, `tcp4`, `tcp6` or `unix`".to_owned());
        }
        Network::Tcp
    })
}

fn codings(fields: &mut Fields<'_>, p: &mut Problems) -> Vec<HttpCoding> {
    fields.defaults_to("compression_algorithms", Node::list_of(HttpCoding::ALL.map(HttpCoding::name)));
    let Some(node) = fields.node("compression_algorithms").filter(|node| !node.is_absent()) else {
        return HttpCoding::ALL.to_vec();
    };
    let names: Vec<String> = fields.take("compression_algorithms", Vec::new(), p);
    let known = |name: &String| {
        let coding = HttpCoding::of(name);
        if coding.is_none() {
            let names = HttpCoding::ALL.map(HttpCoding::name);
            let meant = suggest(name, names).map(|meant| format!(", did you mean `{meant}`?")).unwrap_or_default();
            p.error(
                &node.at,
                format!("unknown compression `{name}`{meant}"),
                format!("there are {}", settings::quoted(names.into_iter().filter(|name| !name.is_empty()))),
            );
        }
        coding
    };
    names.iter().filter_map(known).collect()
}

/// A map, or a list of `name` and `value`.
fn response_headers(fields: &mut Fields<'_>, p: &mut Problems) -> Option<Vec<(String, Secret)>> {
    let node = fields.node("response_headers").filter(|node| !node.is_absent())?;
    let headers: Vec<(String, Secret)> = p.within("response_headers", |p| match &node.value {
        Value::List(_) => {
            let items = node.list("response_headers", p).unwrap_or_default();
            items.iter().filter_map(|item| header(item, p)).collect()
        }
        _ => BTreeMap::decode(node, p).unwrap_or_default().into_iter().collect(),
    });
    for (name, value) in &headers {
        if HeaderName::try_from(name).is_err() || HeaderValue::from_str(value.expose()).is_err() {
            p.error(
                &node.at,
                format!("`{name}` with its value is not a header"),
                "write the name in letters, digits and `-`, the value in printable ASCII".to_owned(),
            );
        }
    }
    Some(headers)
}

fn header(item: &Node, p: &mut Problems) -> Option<(String, Secret)> {
    let mut fields = item.map("response_headers", p)?;
    fields.describe_keys(&[("name", "The header's name."), ("value", "Its value.")]);
    let (name, value) = (fields.required("name", p), fields.take("value", Secret::default(), p));
    fields.finish(p);
    Some((name?, value))
}

/// A path with its slash; otelcol adds a missing one.
fn url_path(fields: &mut Fields<'_>, key: &str, default: String, p: &mut Problems) -> String {
    let path: String = fields.take(key, default, p);
    if path.starts_with('/') { path } else { format!("/{path}") }
}
