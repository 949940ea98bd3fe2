//! Settings of the `otlp` receiver (otelcol's configgrpc and confighttp): their meaning and defaults.
//!
//! Some of otelcol's settings have nothing to do here and are kept to be printed: buffer sizes, `dialer`,
//! `enforcement_policy` (HTTP/2 answers pings below us, so clients that ping often are not sent away). Where otelcol's zero
//! means "no limit" for a wait on a peer, it means our own bound.

mod decode;
mod effective;

use std::time::Duration;

use settings::Secret;

use super::endpoint::Endpoint;
use crate::inflate::Encoding;
use crate::tls::TlsServer;

/// Settings of an `otlp` receiver; at least one protocol.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub struct OtlpReceiver {
    /// OTLP over gRPC.
    pub grpc: Option<GrpcServer>,
    /// OTLP over HTTP.
    pub http: Option<HttpServer>,
}

/// `protocols.grpc`.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub struct GrpcServer {
    /// Where to listen.
    pub endpoint: Endpoint,
    /// TLS; none is plain text.
    pub tls: Option<TlsServer>,
    /// Who checks credentials; none lets everybody in.
    pub auth: Option<AuthServer>,
    /// Largest message, on the wire and inflated; zero is 4.
    pub max_recv_msg_size_mib: u64,
    /// Calls at once on one connection; zero is 1024.
    pub max_concurrent_streams: u32,
    /// Pings and the ages of connections.
    pub keepalive: Keepalive,
    /// Whether the metadata of requests is shown to processors, to `batch` and to `headers_setter`.
    pub include_metadata: bool,
    /// Read and printed, without effect.
    pub read_buffer_size: u64,
    /// Read and printed, without effect.
    pub write_buffer_size: u64,
    /// Read and printed, without effect.
    pub dialer: Dialer,
    /// Read and printed; only an empty list is taken.
    pub middlewares: Option<Vec<String>>,
}

/// `auth` of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq, settings::Documented)]
pub struct AuthServer {
    /// The extension that checks credentials, such as `basicauth/server`.
    pub authenticator: String,
    /// Parameters of a URL's query that stand for headers of the same name; HTTP only.
    pub request_params: Vec<String>,
}

/// `dialer`, which servers have no use for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, settings::Documented)]
pub struct Dialer {
    /// Read and printed, without effect.
    pub timeout: Duration,
}

/// `keepalive` of a gRPC server; zero is otelcol's default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, settings::Documented)]
pub struct Keepalive {
    /// A connection without a call for so long is closed; zero is never.
    pub max_connection_idle: Duration,
    /// A connection as old as this is closed when its calls are done; zero is never.
    pub max_connection_age: Duration,
    /// How long those calls may still take; zero is for ever.
    pub max_connection_age_grace: Duration,
    /// A silent connection is pinged so often; zero is 30 s.
    pub time: Duration,
    /// How long a ping may stay unanswered; zero is 20 s.
    pub timeout: Duration,
    /// Read and printed, without effect.
    pub min_time: Duration,
    /// Read and printed, without effect.
    pub permit_without_stream: bool,
}

/// `protocols.http`.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub struct HttpServer {
    /// Where to listen.
    pub endpoint: Endpoint,
    /// TLS; none is plain text.
    pub tls: Option<TlsServer>,
    /// Who checks credentials; none lets everybody in.
    pub auth: Option<AuthServer>,
    /// Whether browsers may post from other origins; none or no origin is no.
    pub cors: Option<Cors>,
    /// Largest body in bytes, on the wire and inflated; zero and less are 20 MiB.
    pub max_request_body_size: i64,
    /// The values of Content-Encoding that are taken.
    pub compression_algorithms: Vec<HttpCoding>,
    /// Added to each answer; none and an empty list differ in print alone.
    pub response_headers: Option<Vec<(String, Secret)>>,
    /// How long a whole request may take; zero leaves the bounds on its head and on its body's pace.
    pub read_timeout: Duration,
    /// How long a request's head may take; zero is our own bound.
    pub read_header_timeout: Duration,
    /// How long a peer may leave its answers unread; zero is our own bound.
    pub write_timeout: Duration,
    /// Whether a connection serves more than one request.
    pub keep_alives_enabled: bool,
    /// How long a connection may be idle between requests; zero is `read_timeout`, and if that
    /// is zero too, five minutes.
    pub idle_timeout: Duration,
    /// Where traces are posted.
    pub traces_url_path: String,
    /// Where metrics are posted.
    pub metrics_url_path: String,
    /// Where logs are posted.
    pub logs_url_path: String,
    /// Whether the headers of requests are shown to processors, to `batch` and to `headers_setter`.
    pub include_metadata: bool,
    /// Read and printed, without effect.
    pub dialer: Dialer,
    /// Read and printed; only an empty list is taken.
    pub middlewares: Option<Vec<String>>,
}

/// `cors`, with the meaning of Go's rs/cors.
#[derive(Clone, Debug, Default, PartialEq, Eq, settings::Documented)]
pub struct Cors {
    /// Origins that may post; `*` inside one stands for anything.
    pub allowed_origins: Vec<String>,
    /// Headers that they may set; none is `Accept`, `Content-Type` and `X-Requested-With`.
    pub allowed_headers: Vec<String>,
    /// Headers that they may read.
    pub exposed_headers: Vec<String>,
    /// Seconds that a browser may remember the answer; zero says nothing.
    pub max_age: i64,
}

/// A value of Content-Encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpCoding {
    /// None, or the empty value.
    Plain,
    /// `gzip`.
    Gzip,
    /// `zstd`.
    Zstd,
    /// `zlib`.
    Zlib,
    /// `snappy`: a block, or the framed form.
    Snappy,
    /// `deflate`, which is zlib.
    Deflate,
    /// `lz4`.
    Lz4,
    /// `x-snappy-framed`.
    SnappyFramed,
}

impl OtlpReceiver {
    /// Both protocols with their defaults.
    pub fn new() -> OtlpReceiver {
        OtlpReceiver { grpc: Some(GrpcServer::default()), http: Some(HttpServer::default()) }
    }

    /// The extensions that it has credentials checked by.
    pub fn authenticators(&self) -> impl Iterator<Item = &str> {
        let grpc = self.grpc.as_ref().and_then(|grpc| grpc.auth.as_ref());
        let http = self.http.as_ref().and_then(|http| http.auth.as_ref());
        grpc.into_iter().chain(http).map(|auth| auth.authenticator.as_str())
    }
}

impl Default for OtlpReceiver {
    fn default() -> OtlpReceiver {
        OtlpReceiver::new()
    }
}

impl GrpcServer {
    /// Calls at once on one connection where the settings say none. Go's zero is no limit, and no limit is an invitation.
    pub const STREAMS_MAX: u32 = 1024;

    /// The largest message in bytes.
    pub fn message_bytes_max(&self) -> usize {
        let mib = if self.max_recv_msg_size_mib == 0 { 4 } else { self.max_recv_msg_size_mib };
        usize::try_from(mib.saturating_mul(1 << 20)).unwrap_or(usize::MAX).min(u32::MAX as usize)
    }

    /// Calls at once on one connection.
    pub fn streams_max(&self) -> u32 {
        if self.max_concurrent_streams == 0 { Self::STREAMS_MAX } else { self.max_concurrent_streams }
    }
}

impl Default for GrpcServer {
    fn default() -> GrpcServer {
        GrpcServer {
            endpoint: Endpoint::tcp("localhost:4317"),
            tls: None,
            auth: None,
            max_recv_msg_size_mib: 0,
            max_concurrent_streams: 0,
            keepalive: Keepalive::default(),
            include_metadata: false,
            read_buffer_size: 524_288,
            write_buffer_size: 0,
            dialer: Dialer::default(),
            middlewares: None,
        }
    }
}

impl Keepalive {
    /// How often a silent connection is pinged. grpc-go waits two hours, in which a dead peer keeps its connection.
    pub const PING_INTERVAL: Duration = Duration::from_secs(30);
    /// How long a ping may stay unanswered, as in grpc-go.
    pub const PING_TIMEOUT: Duration = Duration::from_secs(20);

    /// The interval of pings.
    pub fn ping_interval(&self) -> Duration {
        if self.time.is_zero() { Self::PING_INTERVAL } else { self.time }
    }

    /// The patience with a ping.
    pub fn ping_timeout(&self) -> Duration {
        if self.timeout.is_zero() { Self::PING_TIMEOUT } else { self.timeout }
    }
}

impl HttpServer {
    /// Largest body where the settings say none.
    pub const BODY_BYTES_MAX: usize = 20 << 20;
    /// How long a connection may be idle between requests where no setting says so: longer than SDKs wait between two
    /// exports of metrics, so that a connection does not end just when it is used again. otelcol has no bound.
    pub const IDLE_TIME_MAX: Duration = Duration::from_secs(300);

    /// The largest body in bytes.
    pub fn body_bytes_max(&self) -> usize {
        match self.max_request_body_size {
            ..=0 => Self::BODY_BYTES_MAX,
            bytes => usize::try_from(bytes).unwrap_or(usize::MAX),
        }
    }

    /// How long a connection may be idle.
    pub fn idle_time_max(&self) -> Duration {
        let bounds = [self.idle_timeout, self.read_timeout, Self::IDLE_TIME_MAX];
        bounds.into_iter().find(|bound| !bound.is_zero()).unwrap_or(Self::IDLE_TIME_MAX)
    }
}

impl Default for HttpServer {
    fn default() -> HttpServer {
        HttpServer {
            endpoint: Endpoint::tcp("localhost:4318"),
            tls: None,
            auth: None,
            cors: None,
            max_request_body_size: 0,
            compression_algorithms: HttpCoding::ALL.to_vec(),
            response_headers: None,
            read_timeout: Duration::ZERO,
            read_header_timeout: Duration::ZERO,
            write_timeout: Duration::ZERO,
            keep_alives_enabled: true,
            idle_timeout: Duration::ZERO,
            traces_url_path: "/v1/traces".to_owned(),
            metrics_url_path: "/v1/metrics".to_owned(),
            logs_url_path: "/v1/logs".to_owned(),
            include_metadata: false,
            dialer: Dialer::default(),
            middlewares: None,
        }
    }
}

impl HttpCoding {
    /// All of them, in otelcol's order.
    pub const ALL: [HttpCoding; 8] = [
        HttpCoding::Plain,
        HttpCoding::Gzip,
        HttpCoding::Zstd,
        HttpCoding::Zlib,
        HttpCoding::Snappy,
        HttpCoding::Deflate,
        HttpCoding::Lz4,
        HttpCoding::SnappyFramed,
    ];

    /// As it stands in the header and in the YAML.
    pub fn name(self) -> &'static str {
        match self {
            HttpCoding::Plain => "",
            HttpCoding::Gzip => "gzip",
            HttpCoding::Zstd => "zstd",
            HttpCoding::Zlib => "zlib",
            HttpCoding::Snappy => "snappy",
            HttpCoding::Deflate => "deflate",
            HttpCoding::Lz4 => "lz4",
            HttpCoding::SnappyFramed => "x-snappy-framed",
        }
    }

    /// The one of that name; names are compared byte by byte, as in otelcol.
    pub fn of(name: &str) -> Option<HttpCoding> {
        HttpCoding::ALL.into_iter().find(|coding| coding.name() == name)
    }

    /// What inflates it.
    pub fn encoding(self) -> Option<Encoding> {
        match self {
            HttpCoding::Plain => None,
            HttpCoding::Gzip => Some(Encoding::Gzip),
            HttpCoding::Zstd => Some(Encoding::Zstd),
            HttpCoding::Zlib | HttpCoding::Deflate => Some(Encoding::Zlib),
            HttpCoding::Snappy => Some(Encoding::Snappy),
            HttpCoding::Lz4 => Some(Encoding::Lz4),
            HttpCoding::SnappyFramed => Some(Encoding::SnappyFramed),
        }
    }
}

#[cfg(test)]
mod tests;
