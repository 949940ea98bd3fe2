//! The programs that send traces, and what each of them sent.

use crate::{
    process::{Program, peer, script},
    span::{Span, Traces, by_trace},
};
use std::{fs, path::Path, process::Command, time::Duration};

/// Enough for slow starts of interpreters on a busy machine.
const RUN_LIMIT: Duration = Duration::from_secs(90);
/// Traces of one SDK client; a tenth of them meets each policy.
const SDK_TRACES: u32 = 100;
/// Traces of one run of telemetrygen, and the children in each.
const GENERATED_TRACES: usize = 60;
const GENERATED_CHILDREN: usize = 4;

/// Where the collector listens.
#[derive(Clone, Copy)]
pub(crate) struct Doors {
    pub(crate) grpc: u16,
    pub(crate) http: u16,
}

/// A client that nobody here wrote, or a program of its SDK's kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Client {
    PythonGrpc,
    PythonHttpGzip,
    NodeHttpJson,
    TelemetrygenGrpc,
    TelemetrygenHttp,
}

impl Client {
    pub(crate) const ALL: [Client; 5] = [
        Client::PythonGrpc,
        Client::PythonHttpGzip,
        Client::NodeHttpJson,
        Client::TelemetrygenGrpc,
        Client::TelemetrygenHttp,
    ];

    /// Starts it; an SDK client leaves its record in `folder`.
    pub(crate) fn start(self, doors: Doors, folder: &Path) -> Vec<Program> {
        match self {
            Client::PythonGrpc => vec![start_python("python-grpc", "grpc", doors.grpc, folder)],
            Client::PythonHttpGzip => vec![start_python("python-http", "http", doors.http, folder)],
            Client::NodeHttpJson => vec![start_node(doors.http, folder)],
            Client::TelemetrygenGrpc => vec![
                start_telemetrygen("gen-grpc-error", doors.grpc, "Error", false, folder),
                start_telemetrygen("gen-grpc-ok", doors.grpc, "Ok", false, folder),
            ],
            Client::TelemetrygenHttp => vec![
                start_telemetrygen("gen-http-error", doors.http, "Error", true, folder),
                start_telemetrygen("gen-http-ok", doors.http, "Ok", true, folder),
            ],
        }
    }

    /// What it recorded of what it sent; telemetrygen records nothing.
    pub(crate) fn sent(self, folder: &Path) -> Traces {
        let name = match self {
            Client::PythonGrpc => "python-grpc",
            Client::PythonHttpGzip => "python-http",
            Client::NodeHttpJson => "node-http",
            Client::TelemetrygenGrpc | Client::TelemetrygenHttp => return Traces::new(),
        };
        let text = fs::read_to_string(folder.join(format!("{name}.json"))).expect("the client's record");
        let list: Vec<serde_json::Value> = serde_json::from_str(&text).expect("the record is a list");
        by_trace(list.iter().map(Span::from_sent))
    }

    /// The service whose traces have all to be kept, for the client that makes them by flags alone.
    pub(crate) fn generated_service(self) -> Option<&'static str> {
        match self {
            Client::TelemetrygenGrpc => Some("gen-grpc-error"),
            Client::TelemetrygenHttp => Some("gen-http-error"),
            _ => None,
        }
    }
}

/// Waits for the end of all `programs`.
pub(crate) fn wait_for_all(programs: Vec<Program>) {
    for mut program in programs {
        program.wait_for_success(RUN_LIMIT);
    }
}

/// Spans that telemetrygen's runs leave in a backend that got what should be kept.
pub(crate) fn generated_spans(clients: &[Client]) -> usize {
    clients.iter().filter(|client| client.generated_service().is_some()).count()
        * GENERATED_TRACES
        * (1 + GENERATED_CHILDREN)
}

/// Demands of what a backend shows of telemetrygen's `service` that it is all of the failed traces, whole, as the flags
/// of [`start_telemetrygen`] say.
pub(crate) fn assert_generated(service: &str, seen: &Traces) {
    assert_eq!(seen.len(), GENERATED_TRACES, "traces of {service}");
    for (id, trace) in seen {
        assert_eq!(trace.len(), 1 + GENERATED_CHILDREN, "spans of trace {id} of {service}");
        let root = trace.iter().find(|span| span.parent_id.is_empty()).expect("a root");
        assert_eq!((root.name.as_str(), root.kind.as_str()), ("lets-go", "client"), "{root:?}");
        let mut children: Vec<&str> = Vec::new();
        for child in trace.iter().filter(|span| span.span_id != root.span_id) {
            assert_eq!((&child.parent_id, child.kind.as_str()), (&root.span_id, "server"), "{child:?}");
            children.push(&child.name);
        }
        children.sort_unstable();
        assert_eq!(children, ["okey-dokey-0", "okey-dokey-1", "okey-dokey-2", "okey-dokey-3"]);
        for span in trace {
            assert!(span.error, "{span:?}");
            assert_eq!(span.tags.get("mill.wheel").map(String::as_str), Some("overshot"), "{span:?}");
        }
    }
}

fn start_python(name: &'static str, protocol: &str, port: u16, folder: &Path) -> Program {
    let mut command = Command::new(peer("python/bin/python"));
    command.arg(script("shop.py"));
    command.args(["--protocol", protocol, "--endpoint", &format!("127.0.0.1:{port}"), "--prefix", name]);
    command.args(["--traces", &SDK_TRACES.to_string()]);
    command.arg("--sent").arg(folder.join(format!("{name}.json")));
    Program::start(name, &mut command, folder)
}

fn start_node(port: u16, folder: &Path) -> Program {
    let mut command = Command::new("node");
    command.arg(script("shop.mjs")).arg(SDK_TRACES.to_string()).arg(folder.join("node-http.json"));
    command.env("PEER_MODULES", peer("node"));
    command.env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json");
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{port}"));
    command.env("OTEL_SERVICE_NAME", "node-shop");
    command.env("OTEL_METRICS_EXPORTER", "none").env("OTEL_LOGS_EXPORTER", "none");
    Program::start("node-http", &mut command, folder)
}

fn start_telemetrygen(service: &'static str, port: u16, status: &str, http: bool, folder: &Path) -> Program {
    let mut command = Command::new(peer("bin/telemetrygen"));
    command.args(["traces", "--otlp-insecure", "--rate", "0", "--service", service, "--status-code", status]);
    command.args(["--traces", &GENERATED_TRACES.to_string(), "--child-spans", &GENERATED_CHILDREN.to_string()]);
    command.args(["--telemetry-attributes", "mill.wheel=\"overshot\""]);
    command.args(["--otlp-endpoint", &format!("127.0.0.1:{port}")]);
    if http {
        command.arg("--otlp-http");
    }
    Program::start(service, &mut command, folder)
}
