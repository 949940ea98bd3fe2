//! A reference collector with many pipelines beside each other, each with one processor and a file at its end.

use crate::{
    Lane, form,
    process_of_peers::{Program, free_port, peer},
};
use otlp::Signal;
use serde_json::{Map, json};
use std::{
    collections::BTreeSet,
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Command, Output},
    time::Duration,
};

const LIMIT: Duration = Duration::from_secs(60);
/// The memory that the reference may map: statements that grow what they edit would otherwise take all the machine has.
const MEMORY_KIB_MAX: u64 = 6 << 20;

/// The reference at work.
pub(crate) struct Lanes;

impl Lanes {
    /// What it leaves of the requests: for each lane, the forms of those that it leaves anything of.
    pub(crate) fn run(lanes: &[Lane], requests: &[(Signal, Vec<u8>)]) -> Vec<Vec<String>> {
        let folder = tempfile::tempdir().expect("a folder");
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let file = folder.path().join("config.yaml");
        fs::write(&file, configuration(lanes, address, folder.path())).expect("the configuration can be written");
        let mut command = reference();
        let mut program = Program::start("otelcol", command.arg("--config").arg(&file), folder.path());
        program.wait_until("listening", LIMIT, || TcpStream::connect(address).is_ok());
        // Where no pipeline takes a signal, neither does the receiver.
        for (signal, request) in requests.iter().filter(|(signal, _)| lanes.iter().any(|lane| lane.signal == *signal)) {
            post(address, *signal, request);
        }
        program.terminate(LIMIT);
        lanes
            .iter()
            .enumerate()
            .map(|(index, lane)| left(&folder.path().join(index.to_string()), lane.signal))
            .collect()
    }
}

impl Lanes {
    /// Whether it finds nothing wrong with settings.
    pub(crate) fn accepts(lane: &Lane) -> bool {
        let output = Self::asked(std::slice::from_ref(lane), &["validate", "--config"]);
        output.status.success()
    }

    /// The indices of those lanes whose settings it refuses.
    pub(crate) fn refused(lanes: &[Lane]) -> BTreeSet<usize> {
        let output = Self::asked(lanes, &["validate", "--config"]);
        let told = String::from_utf8(output.stderr).expect("text");
        let names = told.split("processors::").skip(1).filter_map(|told| told.split_once(": "));
        let refused: BTreeSet<usize> = names.filter_map(|(name, _)| name.split_once('/')?.1.parse().ok()).collect();
        assert!(output.status.success() || !refused.is_empty(), "{told}");
        refused
    }

    /// Their processors' settings as the reference prints them.
    pub(crate) fn printed(lanes: &[Lane]) -> String {
        let output = Self::asked(lanes, &["print-config", "--mode=unredacted", "--config"]);
        let text = String::from_utf8(output.stdout).expect("text");
        let lines = text.lines().skip_while(|line| *line != "processors:").skip(1);
        let lines = lines.take_while(|line| line.starts_with("    ")).map(|line| line.split_at(4).1);
        lines.flat_map(|line| [line, "\n"]).collect()
    }

    fn asked(lanes: &[Lane], arguments: &[&str]) -> Output {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config.yaml");
        let address = SocketAddr::from(([127, 0, 0, 1], 4318));
        fs::write(&file, configuration(lanes, address, folder.path())).expect("the configuration can be written");
        let mut command = reference();
        command.args(arguments).arg(&file).output().expect("the reference can be asked")
    }
}

/// The reference, which ends rather than take more memory than it may.
fn reference() -> Command {
    let mut command = Command::new("sh");
    let limited = format!("ulimit -v {MEMORY_KIB_MAX}; exec \"$0\" \"$@\"");
    command.args(["-c", limited.as_str()]).arg(peer("bin/otelcol-peer"));
    command
}

fn configuration(lanes: &[Lane], address: SocketAddr, folder: &Path) -> String {
    let (mut processors, mut exporters, mut pipelines) = (Map::new(), Map::new(), Map::new());
    for (index, lane) in lanes.iter().enumerate() {
        let (processor, exporter) = (format!("{}/{index}", lane.kind), format!("file/{index}"));
        let pipeline = json!({"receivers": ["otlp"], "processors": [processor], "exporters": [exporter]});
        processors.insert(processor, lane.settings.clone());
        exporters.insert(exporter, json!({"path": folder.join(index.to_string()), "format": "proto"}));
        pipelines.insert(format!("{}/{index}", lane.signal), pipeline);
    }
    let telemetry = json!({"logs": {"level": "error"}, "metrics": {"level": "none"}});
    let whole = json!({
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": address.to_string()}}}},
        "processors": processors,
        "exporters": exporters,
        "service": {"telemetry": telemetry, "pipelines": pipelines},
    });
    // A dollar sign would begin a reference to the environment.
    whole.to_string().replace('$', "$$")
}

/// Its answer says no more than whether some pipeline refused the request.
fn post(address: SocketAddr, signal: Signal, request: &[u8]) {
    let mut socket = TcpStream::connect(address).expect("the receiver answers");
    let head = format!(
        "POST /v1/{signal} HTTP/1.1\r\nHost: test\r\nContent-Type: application/x-protobuf\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        request.len()
    );
    socket.write_all(head.as_bytes()).and_then(|()| socket.write_all(request)).expect("sent");
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).expect("an answer");
    assert!(!answer.is_empty(), "the reference panics, and pipelines behind the one that does get nothing");
}

/// A file holds one message after the other, each behind its length.
fn left(file: &Path, signal: Signal) -> Vec<String> {
    let bytes = fs::read(file).unwrap_or_default();
    let mut rest = bytes.as_slice();
    let mut left = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (message, after) = after.split_at(u32::from_be_bytes(*length) as usize);
        left.push(form::form(signal, message));
        rest = after;
    }
    left
}
