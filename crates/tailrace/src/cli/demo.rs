//! `tailrace demo`: the built-in configuration with traffic of its own.

use std::net::{Ipv4Addr, TcpListener};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use net::receiver::Protocol;

use super::generate::duration;
use crate::configuration::{Configuration, Origin};
use crate::pipeline;

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
            origin.sets.extend(IMPATIENT.map(str::to_owned));
        }
        origin.sets.extend(given);
        match super::loaded(&origin) {
            Ok(configuration) => super::start(configuration, &origin, Some(self)),
            Err(code) => code,
        }
    }

    /// Runs the pipelines with the shop's traffic, until a signal comes or the traffic's time is over.
    ///
    /// # Errors
    /// What kept it from starting, in words.
    pub(super) async fn play(self, configuration: Configuration, reread: pipeline::Reread) -> Result<(), String> {
        pipeline::run_until(configuration, reread, |started| {
            let address = started.address(Protocol::Grpc);
            let address =
                address.ok_or("the demo sends over gRPC, but no receiver takes it; add `protocols: {grpc:}`")?;
            Ok(self.send(address.to_string()))
        })
        .await
    }

    async fn send(self, address: String) -> Result<(), String> {
        let duration = self.duration.unwrap_or(Duration::MAX);
        let report = load::shop::run_shop(&address, self.seed, duration).await.map_err(|error| error.to_string())?;
        if let Some(error) = report.first_error {
            tracing::warn!(spans = report.lost_spans, error, "some of the shop's spans were not taken");
        }
        Ok(())
    }
}

/// Who watches a demo does not want to wait, nor to miss a trace of the few.
const IMPATIENT: [&str; 2] =
    ["processors::tail_sampling::decision_wait=2s", "exporters::terminal={traces_per_second: 0}"];

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
