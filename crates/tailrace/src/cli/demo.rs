//! `tailrace demo`: the built-in configuration with traffic of its own.

use std::net::{Ipv4Addr, TcpListener};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::generate::duration;
use crate::configuration::{Configuration, Origin};

/// Shows what Tailrace does.
#[derive(Args, Clone, Copy)]
pub(crate) struct Demo {
    /// Everything random follows from it.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// How long there is traffic; without it until Ctrl-C.
    #[arg(long, value_parser = duration)]
    pub(crate) duration: Option<Duration>,
}

impl Demo {
    /// Runs the built-in configuration, or what was given, on free ports if the usual ones are taken.
    pub(super) fn run(self, mut origin: Origin) -> ExitCode {
        let given = std::mem::take(&mut origin.sets);
        if origin.uris.is_empty() {
            origin.sets = free_ports();
        }
        origin.sets.extend(given);
        match super::loaded(&origin) {
            Ok(configuration) => start(configuration, Some(self)),
            Err(code) => code,
        }
    }
}

/// Runs the pipelines, with the demo's traffic if there is a demo.
pub(super) fn start(configuration: Configuration, demo: Option<Demo>) -> ExitCode {
    let _seam = (configuration, demo.map(|demo| (demo.seed, demo.duration)));
    eprintln!("error: this build runs no pipelines");
    ExitCode::FAILURE
}

/// Settings that move what cannot listen on its usual port to a free one.
fn free_ports() -> Vec<String> {
    const ENDPOINTS: [(u16, &str, &str); 3] = [
        (4317, "receivers::otlp::protocols::grpc::endpoint", "127.0.0.1:0"),
        (4318, "receivers::otlp::protocols::http::endpoint", "127.0.0.1:0"),
        (
            8888,
            "service::telemetry::metrics::readers",
            "[{pull: {exporter: {prometheus: {host: 127.0.0.1, port: 0}}}}]",
        ),
    ];
    let taken = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err();
    ENDPOINTS.iter().filter(|(port, ..)| taken(*port)).map(|(_, key, value)| format!("{key}={value}")).collect()
}
