//! What speed is measured with, as YAML: policies, items of the list `policies`, and processors.

/// Keeps everything.
pub(crate) const EVERYTHING: &str = "      - {name: all, type: always_sample}
";

/// What the generator knows the verdicts of: errors, slow traces, and so many percent of all.
pub(crate) fn few(percentage: f64) -> String {
    format!(
        "      - {{name: errors, type: status_code, status_code: {{status_codes: [ERROR]}}}}
      - {{name: slow, type: latency, latency: {{threshold_ms: 1000}}}}
      - {{name: few, type: probabilistic, probabilistic: {{sampling_percentage: {percentage}}}}}
"
    )
}

/// Further policies that have to look at every span and keep nothing that the few would not keep.
pub(crate) const MORE: &str = r#"      - {name: noise, type: drop, drop: {drop_sub_policy: [{name: path, type: string_attribute, string_attribute: {key: url.path, values: [/metrics, /livez]}}]}}
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

/// Processors as they stand in front of samplers. The filter looks at every span and finds none.
pub(crate) const RESOURCE: &str =
    "{attributes: [{key: deployment.environment.name, value: production, action: upsert}]}";
pub(crate) const ATTRIBUTES: &str =
    "{actions: [{key: team, value: payments, action: insert}, {key: user_agent.original, action: delete}]}";
pub(crate) const FILTER: &str =
    r#"{error_mode: ignore, traces: {span: ['attributes["url.path"] == "/metrics"', 'name == "ping"']}}"#;
