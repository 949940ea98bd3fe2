//! The scenarios: what is sent, how the collector is configured, and what Tailrace has to reach.

use load::{Generate, Mix, Target};
use std::{net::SocketAddr, sync::Arc, time::Duration};

use crate::{
    case::Case,
    configuration::{ATTRIBUTES, EVERYTHING, FILTER, MORE, RESOURCE, few},
    options::Options,
};

/// One question to both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// Requests of 512 spans on two connections.
    A,
    /// Requests of 10 spans on 64 connections.
    B,
    /// A with gzip in and out.
    C,
    /// A with `always_sample`: everything has to arrive.
    D,
    /// Memory: 20 000 spans a second that wait for 30 seconds.
    E,
    /// A with 25 policies of mixed kinds.
    F,
    /// A over OTLP/HTTP with protobuf.
    G,
    /// A over OTLP/HTTP with JSON.
    H,
    /// One trace of 50 000 spans and one request of nearly 64 MiB a second among small ones, against a run without them.
    I,
    /// Two worker threads against one, at 60 % of what one core can do.
    J,
    /// Nothing at all.
    K,
    /// More than twice of what the collector can do, with F's policies on a quarter of its core.
    L,
    /// A at half of what the collector can do.
    M,
    /// A at 80 % of what the collector can do.
    N,
    /// A with processors in front of the sampler.
    P,
}

/// Where a collector listens, and where it sends to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    pub(crate) grpc: SocketAddr,
    pub(crate) http: SocketAddr,
    pub(crate) metrics: SocketAddr,
    pub(crate) sink: SocketAddr,
}

/// What Tailrace has to reach, as ratios to otelcol.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Targets {
    /// Spans per CPU second, times otelcol's.
    pub(crate) speed_min: Option<f64>,
    /// Bytes of a waiting span, otelcol's divided by Tailrace's.
    pub(crate) memory_min: Option<f64>,
    /// Resident bytes of a waiting span.
    pub(crate) span_bytes_max: Option<f64>,
    /// CPU a span, divided by that of the bare server.
    pub(crate) floor_max: Option<f64>,
    /// p99 of requests.
    pub(crate) latency_max: Option<Duration>,
    /// p99 of verdict and arrival lag.
    pub(crate) lags_max: Option<(Duration, Duration)>,
}

impl Scenario {
    pub(crate) const ALL: [Self; 15] = [
        Self::A,
        Self::B,
        Self::C,
        Self::D,
        Self::E,
        Self::F,
        Self::G,
        Self::H,
        Self::I,
        Self::J,
        Self::K,
        Self::L,
        Self::M,
        Self::N,
        Self::P,
    ];

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|scenario| format!("{scenario:?}").eq_ignore_ascii_case(text));
        found.ok_or(format!("unknown scenario `{text}`, there are A to N and P"))
    }

    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::A => "512 spans a request, 2 connections × 4 in flight",
            Self::B => "10 spans a request, 64 connections × 1",
            Self::C => "as A with gzip in and out",
            Self::D => "as A with always_sample, everything must arrive",
            Self::E => "20 k spans/s waiting for 30 s",
            Self::F => "as A with 25 policies of mixed kinds",
            Self::G => "as A over OTLP/HTTP with protobuf",
            Self::H => "as A over OTLP/HTTP with JSON",
            Self::I => "20 k spans/s, without and with a 50 000-span trace and a 64 MiB request a second",
            Self::J => "60 % of one core's capacity, on one core and on two",
            Self::K => "idle",
            Self::L => "25 policies, a quarter of the core, 2.6 times the load it can take",
            Self::M => "as A at half of its capacity",
            Self::N => "as A at 80 % of its capacity",
            Self::P => "as A behind memory_limiter, resource, attributes and filter",
        }
    }

    /// Whether a server that discards everything says anything about it.
    pub(crate) fn has_floor(self) -> bool {
        matches!(self, Self::A | Self::B | Self::C | Self::G | Self::H)
    }

    pub(crate) fn decision_wait(self) -> Duration {
        Duration::from_secs(if self == Self::E { 30 } else { 5 })
    }

    /// Whether only Tailrace is asked: about threads, limits and giants, which the reference answers by falling over.
    pub(crate) fn is_ours_alone(self) -> bool {
        matches!(self, Self::I | Self::J | Self::L)
    }

    /// The share of what the collector can do in A that this scenario sends.
    pub(crate) fn share_of_capacity(self) -> Option<f64> {
        match self {
            Self::J => Some(0.6),
            Self::M => Some(0.5),
            Self::N => Some(0.8),
            _ => None,
        }
    }

    /// Whether the verdict lag is read, which takes a scrape every 20 ms.
    pub(crate) fn watches_verdicts(self) -> bool {
        matches!(self, Self::I | Self::M | Self::N)
    }

    pub(crate) fn targets(self, mix: Mix) -> Targets {
        let speed = |speed_min| Targets { speed_min: Some(speed_min), ..Targets::default() };
        // What a span takes depends on how it compresses; the bound of A to D is one for plain spans.
        let span_bytes_max = (mix == Mix::Plain).then_some(200.0);
        match self {
            Self::A => Targets { span_bytes_max, ..speed(15.0) },
            Self::B => Targets { span_bytes_max, floor_max: Some(1.4), ..speed(7.0) },
            Self::C => Targets { span_bytes_max, ..speed(11.0) },
            Self::D => Targets { span_bytes_max, ..speed(9.0) },
            Self::E => Targets {
                memory_min: Some(17.0),
                span_bytes_max: Some(if mix == Mix::Plain { 130.0 } else { 230.0 }),
                ..Targets::default()
            },
            Self::F => speed(9.0),
            Self::G => speed(15.0),
            Self::H => speed(5.0),
            Self::M => Targets { latency_max: Some(Duration::from_millis(5)), ..Targets::default() },
            Self::N => Targets {
                lags_max: Some((Duration::from_millis(150), Duration::from_millis(1500))),
                ..Targets::default()
            },
            Self::P => speed(6.0),
            Self::I | Self::J | Self::K | Self::L => Targets::default(),
        }
    }

    pub(crate) fn policies(self, case: Case) -> String {
        match self {
            Self::D => EVERYTHING.to_owned(),
            Self::F | Self::L => few(case.percentage()) + MORE,
            _ => few(case.percentage()),
        }
    }
}

impl Case {
    /// The load, which is the same for every side.
    pub(crate) fn load(self, addresses: &Addresses, options: &Options) -> Generate {
        let base = Generate {
            target: Target::Grpc(addresses.grpc.to_string()),
            duration: options.duration,
            mix: self.mix,
            gzip: self.gzip,
            keep: self.keep(),
            seed: 1,
            progress: Arc::default(),
            ..Generate::default()
        };
        match self.scenario {
            Scenario::B => Generate { spans_per_request: 10, connections: 64, in_flight: 1, ..base },
            Scenario::E => Generate { rate: 20_000, duration: Duration::from_secs(30), ..base },
            Scenario::G => Generate { target: Target::Http(addresses.http.to_string()), ..base },
            Scenario::H => Generate { target: Target::HttpJson(addresses.http.to_string()), ..base },
            Scenario::I => Generate { rate: 20_000, ..base },
            Scenario::L => Generate { spans_per_request: 128, ..base },
            _ => base,
        }
    }

    /// The configuration, which is the same for both collectors.
    pub(crate) fn configuration(self, addresses: &Addresses) -> String {
        let Addresses { grpc, http, metrics, sink } = addresses;
        let wait = self.scenario.decision_wait().as_secs();
        let policies = self.scenario.policies(self);
        let chain = format!(
            "\n  memory_limiter: {{check_interval: 1s, limit_mib: 8000}}
  resource: {RESOURCE}
  attributes: {ATTRIBUTES}
  filter: {FILTER}
  batch: {{}}"
        );
        // The reference loses most of what it keeps without these two; both sides get them.
        let (batch, processors, queue) = match self.scenario {
            Scenario::D => (
                "\n  batch: {send_batch_size: 4096, send_batch_max_size: 8192}",
                "tail_sampling, batch",
                ", sending_queue: {block_on_overflow: true}",
            ),
            Scenario::P => (chain.as_str(), "memory_limiter, resource, attributes, filter, tail_sampling, batch", ""),
            _ => ("", "tail_sampling", ""),
        };
        let compression = if self.gzip { "gzip" } else { "none" };
        let http = match self.scenario {
            Scenario::G | Scenario::H => format!(", http: {{endpoint: \"{http}\"}}"),
            _ => String::new(),
        };
        let own = match self.scenario {
            Scenario::L => format!("tailrace: {{memory_mib: {OVERLOAD_MIB}}}\n"),
            _ => String::new(),
        };
        format!(
            "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: \"{grpc}\", max_recv_msg_size_mib: 64}}{http}}}}}}}
processors:
  tail_sampling:
    decision_wait: {wait}s
    num_traces: 3000000
    policies:
{policies}{batch}
exporters: {{otlp_grpc: {{endpoint: \"{sink}\", compression: {compression}, tls: {{insecure: true}}{queue}}}}}
service:
  telemetry: {{metrics: {{readers: [{{pull: {{exporter: {{prometheus: {{host: {}, port: {}}}}}}}}}]}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: [{processors}], exporters: [otlp_grpc]}}}}
{own}",
            metrics.ip(),
            metrics.port(),
        )
    }
}

/// What Tailrace may hold in L.
pub(crate) const OVERLOAD_MIB: u64 = 160;
