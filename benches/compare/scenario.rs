//! The scenarios: what is sent, how the collector is configured, and what Tailrace has to reach.

use load::{Generate, Keep, Mix, Target};
use std::{net::SocketAddr, sync::Arc, time::Duration};

use crate::options::Options;

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
    /// Nothing at all.
    K,
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
}

impl Scenario {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        [Self::A, Self::B, Self::C, Self::D, Self::E, Self::F, Self::G, Self::K, Self::P]
            .into_iter()
            .find(|scenario| format!("{scenario:?}").eq_ignore_ascii_case(text))
            .ok_or(format!("unknown scenario `{text}`, there are A, B, C, D, E, F, G, K and P"))
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
            Self::K => "idle",
            Self::P => "as A behind memory_limiter, resource, attributes and filter",
        }
    }

    /// Whether a server that discards everything says anything about it.
    pub(crate) fn has_floor(self) -> bool {
        matches!(self, Self::A | Self::B | Self::C)
    }

    pub(crate) fn decision_wait(self) -> Duration {
        Duration::from_secs(if self == Self::E { 30 } else { 5 })
    }

    pub(crate) fn targets(self, mix: Mix) -> Targets {
        // What a span takes depends on how it compresses; the bound is one for plain spans.
        let span_bytes_max = (mix == Mix::Plain).then_some(200.0);
        match self {
            Self::A => Targets { speed_min: Some(10.0), span_bytes_max, memory_min: None },
            Self::B => Targets { speed_min: Some(5.0), span_bytes_max, memory_min: None },
            Self::D => Targets { speed_min: Some(6.0), span_bytes_max, memory_min: None },
            Self::E => Targets { speed_min: None, span_bytes_max, memory_min: Some(12.0) },
            Self::F => Targets { speed_min: Some(8.0), span_bytes_max, memory_min: None },
            Self::P => Targets { speed_min: Some(6.0), span_bytes_max, memory_min: None },
            Self::C | Self::G | Self::K => Targets::default(),
        }
    }

    /// The load, which is the same for every side.
    pub(crate) fn load(self, addresses: &Addresses, options: &Options) -> Generate {
        let base = Generate {
            target: Target::Grpc(addresses.grpc.to_string()),
            duration: options.duration,
            mix: options.mix,
            seed: 1,
            progress: Arc::default(),
            ..Generate::default()
        };
        match self {
            Self::A | Self::F | Self::K | Self::P => base,
            Self::B => Generate { spans_per_request: 10, connections: 64, in_flight: 1, ..base },
            Self::C => Generate { gzip: true, ..base },
            Self::D => Generate { keep: Keep::Everything, ..base },
            Self::E => Generate { rate: 20_000, duration: Duration::from_secs(30), ..base },
            Self::G => Generate { target: Target::Http(addresses.http.to_string()), ..base },
        }
    }

    /// The configuration, which is the same for both collectors.
    pub(crate) fn configuration(self, addresses: &Addresses) -> String {
        let Addresses { grpc, http, metrics, sink } = addresses;
        let wait = self.decision_wait().as_secs();
        let policies = match self {
            Self::D => EVERYTHING.to_owned(),
            Self::F => [FEW, MORE].concat(),
            _ => FEW.to_owned(),
        };
        // The reference loses most of what it keeps without these two; both sides get them.
        let (batch, processors, queue) = match self {
            Self::D => (
                "\n  batch: {send_batch_size: 4096, send_batch_max_size: 8192}",
                "tail_sampling, batch",
                ", sending_queue: {block_on_overflow: true}",
            ),
            Self::P => (CHAIN, "memory_limiter, resource, attributes, filter, tail_sampling, batch", ""),
            _ => ("", "tail_sampling", ""),
        };
        let compression = if self == Self::C { "gzip" } else { "none" };
        let http = match self {
            Self::G => format!(", http: {{endpoint: \"{http}\"}}"),
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
",
            metrics.ip(),
            metrics.port(),
        )
    }
}

/// Processors as they stand in front of samplers. The filter looks at every span and finds none.
const CHAIN: &str = "
  memory_limiter: {check_interval: 1s, limit_mib: 8000}
  resource: {attributes: [{key: deployment.environment.name, value: production, action: upsert}]}
  attributes: {actions: [{key: team, value: payments, action: insert}, {key: user_agent.original, action: delete}]}
  filter: {error_mode: ignore, traces: {span: ['attributes[\"url.path\"] == \"/metrics\"', 'name == \"ping\"']}}
  batch: {}";

const EVERYTHING: &str = "      - {name: all, type: always_sample}";

/// What the generator knows the verdicts of.
const FEW: &str = "      - {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}
      - {name: slow, type: latency, latency: {threshold_ms: 1000}}
      - {name: few, type: probabilistic, probabilistic: {sampling_percentage: 1}}
";

/// Further policies that have to look at every span and keep nothing that the few would not keep.
const MORE: &str = r#"      - {name: noise, type: drop, drop: {drop_sub_policy: [{name: path, type: string_attribute, string_attribute: {key: url.path, values: [/metrics, /livez]}}]}}
      - {name: band, type: latency, latency: {threshold_ms: 2000, upper_threshold_ms: 2900}}
      - {name: server-error, type: numeric_attribute, numeric_attribute: {key: http.response.status_code, min_value: 500, max_value: 599}}
      - {name: many-rows, type: numeric_attribute, numeric_attribute: {key: db.response.returned_rows, min_value: 100000}}
      - {name: admin, type: string_attribute, string_attribute: {key: http.route, values: [/admin, /login, /logout]}}
      - {name: ledger, type: string_attribute, string_attribute: {key: db.collection.name, values: [ledger]}}
      - {name: scripts, type: string_attribute, string_attribute: {key: url.path, enabled_regex_matching: true, values: ['^/internal/', '\.php$']}}
      - {name: robots, type: string_attribute, string_attribute: {key: user_agent.original, enabled_regex_matching: true, values: ['(?i)crawler|spider']}}
      - {name: debug, type: boolean_attribute, boolean_attribute: {key: debug, value: true}}
      - {name: huge, type: span_count, span_count: {min_spans: 1000}}
      - {name: vendor, type: trace_state, trace_state: {key: vendor, values: [keep]}}
      - {name: flagged, type: and, and: {and_sub_policy: [{name: flag, type: trace_flags}, {name: s, type: latency, latency: {threshold_ms: 1200}}]}}
      - {name: failed-call, type: and, and: {and_sub_policy: [{name: e, type: status_code, status_code: {status_codes: [ERROR]}}, {name: db, type: string_attribute, string_attribute: {key: server.address, enabled_regex_matching: true, values: ['^postgres-[0-9]+']}}]}}
      - {name: slow-query, type: and, and: {and_sub_policy: [{name: s, type: latency, latency: {threshold_ms: 1500}}, {name: db, type: string_attribute, string_attribute: {key: db.system.name, values: [postgresql]}}]}}
      - {name: not-ready, type: and, and: {and_sub_policy: [{name: n, type: not, not: {not_sub_policy: {name: r, type: string_attribute, string_attribute: {key: http.route, values: [/healthz/ready]}}}}, {name: e, type: status_code, status_code: {status_codes: [ERROR]}}]}}
      - {name: limited, type: and, and: {and_sub_policy: [{name: s, type: latency, latency: {threshold_ms: 1000}}, {name: l, type: rate_limiting, rate_limiting: {spans_per_second: 1000}}]}}
      - {name: shares, type: composite, composite: {max_total_spans_per_second: 1000, composite_sub_policy: [{name: a, type: latency, latency: {threshold_ms: 2500}}, {name: b, type: status_code, status_code: {status_codes: [ERROR]}}], rate_allocation: [{policy: a, percent: 50}, {policy: b, percent: 50}]}}
      - {name: o-status, type: ottl_condition, ottl_condition: {error_mode: ignore, span: ['attributes["http.response.status_code"] >= 500']}}
      - {name: o-name, type: ottl_condition, ottl_condition: {error_mode: ignore, span: ['IsMatch(name, "^DELETE ")']}}
      - {name: o-service, type: ottl_condition, ottl_condition: {error_mode: ignore, span: ['resource.attributes["service.name"] == "nobody" and kind == SPAN_KIND_SERVER']}}
      - {name: o-long, type: ottl_condition, ottl_condition: {error_mode: ignore, span: ['end_time - start_time > Duration("10s")', 'status.code == STATUS_CODE_ERROR and attributes["http.route"] != nil']}}
      - {name: o-event, type: ottl_condition, ottl_condition: {error_mode: ignore, spanevent: ['name == "exception" and attributes["exception.type"] == "java.lang.OutOfMemoryError"']}}
"#;
