//! `tailrace generate`: the load generator of crate `load` on the command line.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use load::{Generate, Keep, Mix, Report, Target};

/// Sends OTLP traces to a collector.
#[derive(Args)]
pub(super) struct Arguments {
    /// Where to: `host:port`; with `http://` in front OTLP/HTTP, else OTLP/gRPC. `nowhere` measures the generator alone.
    #[arg(long, value_name = "ADDR")]
    to: String,
    /// Spans a second; 0 is as fast as the other side takes them.
    #[arg(long, default_value_t = 1000)]
    rate: u64,
    /// How long new traces begin.
    #[arg(long, default_value = "10s", value_parser = duration)]
    duration: Duration,
    /// Spans of each trace.
    #[arg(long, default_value_t = 10)]
    spans_per_trace: u32,
    /// Services that take part in each trace.
    #[arg(long, default_value_t = 5)]
    services: u32,
    /// Spans in each request.
    #[arg(long, default_value_t = 512)]
    spans_per_request: u32,
    /// Share of traces with an error, 0 to 1.
    #[arg(long, default_value_t = 0.01)]
    error_share: f64,
    /// Share of traces that last longer than a second, 0 to 1.
    #[arg(long, default_value_t = 0.01)]
    slow_share: f64,
    /// Within which time after the first service the others send their spans.
    #[arg(long, default_value = "4s", value_parser = duration)]
    flush_spread: Duration,
    /// Connections.
    #[arg(long, default_value_t = 4)]
    connections: u32,
    /// Requests in flight on each connection.
    #[arg(long, default_value_t = 4)]
    in_flight: u32,
    /// Compress requests with gzip.
    #[arg(long)]
    gzip: bool,
    /// What the spans say: `plain` compresses well, `hard` does not.
    #[arg(long, value_enum, default_value_t = Content::Plain)]
    mix: Content,
    /// Everything random follows from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Content {
    Plain,
    Hard,
}

/// How long a refused request is tried again before its spans count as lost.
const RETRY_MAX: Duration = Duration::from_secs(30);

impl Arguments {
    /// Sends the load until its time is over or Ctrl-C stops it, and reports.
    pub(super) fn run(self) -> ExitCode {
        let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return failed(&error.to_string()),
        };
        let stop = async {
            // Without a handler for the signal the run ends by its time.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        match runtime.block_on(load::generate(self.options(), stop)) {
            Ok(report) => {
                print!("{}", text(&report));
                if report.lost_spans > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
            }
            Err(error) => failed(&error.to_string()),
        }
    }

    fn options(self) -> Generate {
        let address = |text: &str| text.trim_end_matches('/').to_string();
        let target = match (self.to.strip_prefix("http://"), self.to.strip_prefix("grpc://")) {
            (Some(http), _) => Target::Http(address(http)),
            (None, Some(grpc)) => Target::Grpc(address(grpc)),
            (None, None) if self.to == "nowhere" => Target::Nowhere,
            (None, None) => Target::Grpc(address(&self.to)),
        };
        Generate {
            target,
            connections: self.connections,
            in_flight: self.in_flight,
            gzip: self.gzip,
            spans_per_trace: self.spans_per_trace,
            services: self.services,
            spans_per_request: self.spans_per_request,
            error_share: self.error_share,
            slow_share: self.slow_share,
            flush_spread: self.flush_spread,
            rate: self.rate,
            duration: self.duration,
            mix: match self.mix {
                Content::Plain => Mix::Plain,
                Content::Hard => Mix::Hard,
            },
            seed: self.seed,
            answer_max: None,
            arrivals: None,
            keep: Keep::Everything,
            retry_max: RETRY_MAX,
            progress: std::sync::Arc::default(),
        }
    }
}

/// Go's durations, as in configurations.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match settings::Duration::parse(text) {
        Ok(duration) if !duration.is_negative() => Ok(duration.to_std()),
        Ok(_) => Err("must not be negative; write one such as `30s`".to_string()),
        Err(error) => Err(format!("{error}; write a number with a unit, such as `30s`")),
    }
}

fn failed(message: &str) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::FAILURE
}

/// What came of it, for people.
fn text(report: &Report) -> String {
    let seconds = report.elapsed.as_secs_f64().max(0.001);
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    let (per_second, mib) = (report.spans as f64 / seconds, report.bytes as f64 / f64::from(1 << 20));
    let mut text = format!(
        "sent {} traces, {} spans in {} requests, {mib:.1} MiB in {seconds:.1} s: {per_second:.0} spans/s\n\
         answered within {:.1?} (half of the requests), {:.1?} (99 %)\n",
        report.traces,
        report.spans,
        report.requests,
        report.latency.percentile(0.5),
        report.latency.percentile(0.99),
    );
    for (count, what) in [
        (report.refused, "answers asked to come back later"),
        (report.rejected_spans, "spans were rejected"),
        (report.lost_spans, "spans were lost"),
    ] {
        if count > 0 {
            text.push_str(&format!("{count} {what}\n"));
        }
    }
    if let Some(error) = &report.first_error {
        text.push_str(&format!("the first failure: {error}\n"));
    }
    text
}
