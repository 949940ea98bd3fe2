//! All settings of the `otlp` receiver as otelcol prints them: what it always prints, and what is not at its default.

use settings::Node;

use super::{AuthServer, Cors, Dialer, GrpcServer, HttpCoding, HttpServer, Keepalive, OtlpReceiver};
use crate::receiver::endpoint::Endpoint;

type Entries = Vec<(&'static str, Node)>;

impl OtlpReceiver {
    /// All settings.
    pub fn effective(&self) -> Node {
        let protocols = [
            ("grpc", Node::or_null(self.grpc.as_ref().map(GrpcServer::effective))),
            ("http", Node::or_null(self.http.as_ref().map(HttpServer::effective))),
        ];
        Node::map_of([("protocols", Node::map_of(protocols))])
    }
}

impl GrpcServer {
    fn effective(&self) -> Node {
        let mut entries = endpoint(&self.endpoint, self.dialer, self.middlewares.as_deref());
        entries.push(("keepalive", self.keepalive.effective()));
        for (key, number) in [
            ("read_buffer_size", self.read_buffer_size),
            ("max_recv_msg_size_mib", self.max_recv_msg_size_mib),
            ("max_concurrent_streams", self.max_concurrent_streams.into()),
            ("write_buffer_size", self.write_buffer_size),
        ] {
            if number > 0 {
                entries.push((key, number.into()));
            }
        }
        if self.include_metadata {
            entries.push(("include_metadata", true.into()));
        }
        entries.extend(self.tls.as_ref().map(|tls| ("tls", tls.effective())));
        entries.extend(self.auth.as_ref().map(|auth| ("auth", auth.effective())));
        Node::map_of(entries)
    }
}

impl Keepalive {
    fn effective(&self) -> Node {
        let mut server: Entries = Vec::new();
        for (key, duration) in [
            ("max_connection_idle", self.max_connection_idle),
            ("max_connection_age", self.max_connection_age),
            ("max_connection_age_grace", self.max_connection_age_grace),
            ("time", self.time),
            ("timeout", self.timeout),
        ] {
            if !duration.is_zero() {
                server.push((key, duration.into()));
            }
        }
        let mut policy: Entries = Vec::new();
        if !self.min_time.is_zero() {
            policy.push(("min_time", self.min_time.into()));
        }
        if self.permit_without_stream {
            policy.push(("permit_without_stream", true.into()));
        }
        Node::map_of([("server_parameters", Node::map_of(server)), ("enforcement_policy", Node::map_of(policy))])
    }
}

impl HttpServer {
    fn effective(&self) -> Node {
        let mut entries = endpoint(&self.endpoint, self.dialer, self.middlewares.as_deref());
        entries.extend(self.auth.as_ref().map(|auth| ("auth", auth.effective())));
        entries.extend([
            ("cors", Node::or_null(self.cors.as_ref().map(Cors::effective))),
            ("tls", Node::or_null(self.tls.as_ref().map(crate::tls::TlsServer::effective))),
            ("read_header_timeout", self.read_header_timeout.into()),
            ("write_timeout", self.write_timeout.into()),
            ("traces_url_path", self.traces_url_path.as_str().into()),
            ("metrics_url_path", self.metrics_url_path.as_str().into()),
            ("logs_url_path", self.logs_url_path.as_str().into()),
        ]);
        if self.keep_alives_enabled {
            entries.push(("keep_alives_enabled", true.into()));
        }
        if self.max_request_body_size != 0 {
            entries.push(("max_request_body_size", self.max_request_body_size.into()));
        }
        if self.compression_algorithms != HttpCoding::ALL {
            let names = self.compression_algorithms.iter().map(|coding| coding.name());
            entries.push(("compression_algorithms", Node::list_of(names)));
        }
        if let Some(headers) = &self.response_headers {
            // otelcol hides the values in every mode, and makes a list of a map.
            let header = |name: &str| Node::map_of([("name", name.into()), ("value", "[REDACTED]".into())]);
            let headers = headers.iter().map(|(name, _)| header(name));
            entries.push(("response_headers", Node::list_of(headers)));
        }
        if !self.read_timeout.is_zero() {
            entries.push(("read_timeout", self.read_timeout.into()));
        }
        if !self.idle_timeout.is_zero() {
            entries.push(("idle_timeout", self.idle_timeout.into()));
        }
        if self.include_metadata {
            entries.push(("include_metadata", true.into()));
        }
        Node::map_of(entries)
    }
}

impl Cors {
    fn effective(&self) -> Node {
        let mut entries: Entries = Vec::new();
        for (key, list) in [
            ("allowed_origins", &self.allowed_origins),
            ("allowed_headers", &self.allowed_headers),
            ("exposed_headers", &self.exposed_headers),
        ] {
            if !list.is_empty() {
                entries.push((key, Node::list_of(list)));
            }
        }
        if self.max_age != 0 {
            entries.push(("max_age", self.max_age.into()));
        }
        Node::map_of(entries)
    }
}

impl AuthServer {
    fn effective(&self) -> Node {
        let mut entries = vec![("authenticator", self.authenticator.as_str().into())];
        if !self.request_params.is_empty() {
            entries.push(("request_params", Node::list_of(&self.request_params)));
        }
        Node::map_of(entries)
    }
}

fn endpoint(endpoint: &Endpoint, dialer: Dialer, middlewares: Option<&[String]>) -> Entries {
    let mut entries = vec![("endpoint", endpoint.text.as_str().into()), ("transport", endpoint.network.name().into())];
    if !dialer.timeout.is_zero() {
        entries.push(("dialer", Node::map_of([("timeout", dialer.timeout.into())])));
    }
    let named = |list: &[String]| Node::list_of(list.iter().map(|id| Node::map_of([("id", Node::from(id))])));
    entries.extend(middlewares.map(|list| ("middlewares", named(list))));
    entries
}
