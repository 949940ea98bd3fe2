//! The two backends a story ends in, and how each shows a span through its API.

use crate::{
    fetch,
    process::{Program, free_port, peer},
    span::{Span, Traces, by_trace, value_text},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
    time::Duration,
};

/// What a story asks of a backend.
pub(crate) trait Backend {
    /// The exporter that feeds it: its ID and its settings, as YAML.
    fn exporter(&self) -> (&'static str, String);
    /// Every trace it holds.
    fn traces(&self) -> Result<Traces, String>;
    /// The form in which it can show a span that was sent.
    fn shown(&self, sent: &Span) -> Span;
}

/// Jaeger all-in-one, fed over OTLP.
pub(crate) struct Jaeger {
    /// Whether over HTTP, else over gRPC.
    over_http: bool,
    grpc: u16,
    http: u16,
    query: u16,
    _program: Program,
}

/// Zipkin's server, fed by the exporter `zipkin`.
pub(crate) struct Zipkin {
    port: u16,
    _program: Program,
}

impl Jaeger {
    pub(crate) fn start(over_http: bool, folder: &Path) -> Jaeger {
        let [grpc, http, query, admin] = [free_port(), free_port(), free_port(), free_port()];
        let mut command = Command::new(peer("bin/jaeger"));
        command.arg(format!("--collector.otlp.grpc.host-port=127.0.0.1:{grpc}"));
        command.arg(format!("--collector.otlp.http.host-port=127.0.0.1:{http}"));
        command.arg(format!("--query.http-server.host-port=127.0.0.1:{query}"));
        command.arg(format!("--admin.http.host-port=127.0.0.1:{admin}"));
        // Doors that no story uses, moved away from their fixed numbers.
        let unused = [
            "query.grpc-server",
            "collector.http-server",
            "collector.grpc-server",
            "http-server",
            "processor.jaeger-compact.server",
            "processor.jaeger-binary.server",
            "processor.zipkin-compact.server",
        ];
        for door in unused {
            let flag = if door.starts_with("processor") { "-host-port" } else { ".host-port" };
            command.arg(format!("--{door}{flag}=127.0.0.1:{}", free_port()));
        }
        let mut program = Program::start("jaeger", &mut command, folder);
        for port in [admin, grpc, http, query] {
            program.wait_for_port(port);
        }
        Jaeger { over_http, grpc, http, query, _program: program }
    }
}

impl Backend for Jaeger {
    fn exporter(&self) -> (&'static str, String) {
        if self.over_http {
            return ("otlp_http", format!("{{endpoint: \"http://127.0.0.1:{}\"}}", self.http));
        }
        ("otlp_grpc", format!("{{endpoint: \"127.0.0.1:{}\", tls: {{insecure: true}}}}", self.grpc))
    }

    fn traces(&self) -> Result<Traces, String> {
        let services = fetch::json(self.query, "/api/services")?;
        // A trace is found under each of its services; a set counts it once.
        let mut spans = BTreeSet::new();
        for service in services["data"].as_array().into_iter().flatten() {
            let service = fetch::escape(service.as_str().unwrap_or_default());
            // Without a limit only a hundred come.
            let found = fetch::json(self.query, &format!("/api/traces?service={service}&limit=100000"))?;
            for trace in found["data"].as_array().into_iter().flatten() {
                let shown = trace["spans"].as_array().into_iter().flatten();
                spans.extend(shown.map(|span| jaeger_span(span, &trace["processes"])));
            }
        }
        Ok(by_trace(spans))
    }

    fn shown(&self, sent: &Span) -> Span {
        sent.clone()
    }
}

impl Zipkin {
    pub(crate) fn start(folder: &Path) -> Zipkin {
        let port = free_port();
        let mut command = Command::new("java");
        command.arg("-Xmx256m").arg("-jar").arg(peer("zipkin/zipkin.jar"));
        command.arg("--armeria.ports[0].ip=127.0.0.1");
        command.arg(format!("--armeria.ports[0].port={port}"));
        command.arg("--armeria.ports[0].protocols[0]=http");
        let mut program = Program::start("zipkin", &mut command, folder);
        program.wait_until("healthy", Duration::from_secs(120), || {
            fetch::json(port, "/health").is_ok_and(|health| health["status"] == "UP")
        });
        Zipkin { port, _program: program }
    }
}

impl Backend for Zipkin {
    fn exporter(&self) -> (&'static str, String) {
        ("zipkin", format!("{{endpoint: \"http://127.0.0.1:{}/api/v2/spans\", format: json}}", self.port))
    }

    fn traces(&self) -> Result<Traces, String> {
        let found = fetch::json(self.port, "/api/v2/traces?limit=100000&lookback=86400000")?;
        let spans = found.as_array().into_iter().flatten().flat_map(|trace| trace.as_array().into_iter().flatten());
        Ok(by_trace(spans.map(zipkin_span)))
    }

    /// Zipkin keeps service and span names in lower case.
    fn shown(&self, sent: &Span) -> Span {
        Span { name: sent.name.to_lowercase(), service: sent.service.to_lowercase(), ..sent.clone() }
    }
}

fn jaeger_span(span: &Value, processes: &Value) -> Span {
    let process = &processes[span["processID"].as_str().unwrap_or_default()];
    let mut tags = jaeger_tags(&span["tags"]);
    let references = span["references"].as_array().into_iter().flatten();
    let parent =
        references.filter(|reference| reference["refType"] == "CHILD_OF").map(|parent| text(&parent["spanID"])).next();
    let events = span["logs"].as_array().into_iter().flatten().map(|log| {
        let name = jaeger_tags(&log["fields"]).remove("event").unwrap_or_default();
        (name, log["timestamp"].as_u64().unwrap_or(0))
    });
    Span {
        // Jaeger leaves leading zeros out of trace IDs whose first half is zero.
        trace_id: format!("{:0>32}", text(&span["traceID"])),
        span_id: format!("{:0>16}", text(&span["spanID"])),
        parent_id: parent.map_or_else(String::new, |parent| format!("{parent:0>16}")),
        service: text(&process["serviceName"]),
        name: text(&span["operationName"]),
        kind: tags.remove("span.kind").unwrap_or_default(),
        start_us: span["startTime"].as_u64().unwrap_or(0),
        duration_us: span["duration"].as_u64().unwrap_or(0),
        error: tags.remove("error").is_some_and(|error| error == "true"),
        message: tags.remove("otel.status_description").unwrap_or_default(),
        tags,
        resource: jaeger_tags(&process["tags"]),
        events: events.collect(),
    }
}

fn jaeger_tags(list: &Value) -> BTreeMap<String, String> {
    list.as_array().into_iter().flatten().map(|tag| (text(&tag["key"]), value_text(&tag["value"]))).collect()
}

fn zipkin_span(span: &Value) -> Span {
    let tags = span["tags"].as_object();
    let tags: BTreeMap<String, String> =
        tags.into_iter().flatten().map(|(key, value)| (key.clone(), value_text(value))).collect();
    let description = tags.get("otel.status_description").or(tags.get("error").filter(|error| *error != "true"));
    let events = span["annotations"].as_array().into_iter().flatten().map(|annotation| {
        // The event's name, and behind it its attributes.
        let value = text(&annotation["value"]);
        let name = value.trim_start_matches('"').split(['|', '"']).next().unwrap_or_default().to_owned();
        (name, annotation["timestamp"].as_u64().unwrap_or(0))
    });
    Span {
        trace_id: text(&span["traceId"]),
        span_id: text(&span["id"]),
        parent_id: text(&span["parentId"]),
        service: text(&span["localEndpoint"]["serviceName"]),
        name: text(&span["name"]),
        // Zipkin has no word for work inside a service.
        kind: span["kind"].as_str().unwrap_or("internal").to_lowercase(),
        start_us: span["timestamp"].as_u64().unwrap_or(0),
        duration_us: span["duration"].as_u64().unwrap_or(0),
        error: tags.contains_key("error"),
        message: description.cloned().unwrap_or_default(),
        events: events.collect(),
        resource: tags.clone(),
        tags,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
