//! One run of one side: start it, load it, wait for what it has to keep, read what it took.

use crate::{
    collector::{Collector, Side, free_address, my_cpu},
    options::Options,
    scenario::{Addresses, Scenario},
};
use load::{Generate, Keep, Progress, Report, Sink, SinkOptions, generate};
use std::{
    collections::VecDeque,
    future::pending,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

/// What one run showed.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Spans accepted a second while the load lasted.
    pub(crate) spans_a_second: f64,
    /// CPU time of the collector for each accepted span, until the last kept one had arrived.
    pub(crate) cpu_us_per_span: f64,
    /// CPU time of load and sink for each accepted span: what the other core could do at most.
    pub(crate) load_us_per_span: f64,
    /// Most resident bytes.
    pub(crate) peak_bytes: u64,
    /// Resident bytes beyond those of the idle collector for each span that waited; median of the end of the load.
    pub(crate) waiting_span_bytes: Option<f64>,
    /// Spans that waited then.
    pub(crate) waiting_spans: u64,
    /// Spans that arrived at the sink, and those that should have.
    pub(crate) kept: u64,
    pub(crate) expected: u64,
    /// Whether exactly the right spans arrived, and nothing that was sent got lost.
    pub(crate) right: bool,
    pub latency_p99: Duration,
    pub(crate) refused: u64,
    pub(crate) first_error: Option<String>,
}

/// What a collector takes that has nothing to do.
#[derive(Debug)]
pub(crate) struct Idle {
    pub(crate) resident_bytes: u64,
    pub(crate) cpu_ticks: u64,
    pub(crate) watched: Duration,
}

/// The state of a run at one moment.
#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Duration,
    traces_begun: u64,
    spans_accepted: u64,
    spans_arrived: u64,
    resident_bytes: u64,
}

/// Runs one scenario against one side.
pub(crate) async fn run(side: Side, scenario: Scenario, options: &Options) -> Result<Measured, String> {
    let sink = Sink::start(SinkOptions::default()).await.map_err(|error| format!("cannot start the sink: {error}"))?;
    let addresses =
        Addresses { grpc: free_address()?, http: free_address()?, metrics: free_address()?, sink: sink.address() };
    let configuration = scenario.configuration(&addresses);
    let collector = Collector::start(side, options, &addresses, &configuration).await?;
    tokio::time::sleep(SETTLE).await;

    let load = scenario.load(&addresses, options);
    let idle_bytes = collector.resident_bytes();
    let (cpu_before, load_before) = (collector.cpu(), my_cpu());
    let (report, samples) = send_and_watch(&load, &collector, &sink).await?;
    let mut expected = report.expected;
    if side == Side::Floor {
        expected = load::Expected::default();
    }
    let cpu = wait_for(&sink, expected.spans.spans, scenario.decision_wait(), &collector).await - cpu_before;
    let peak_bytes = collector.peak_bytes();
    // What should not come would come about now.
    tokio::time::sleep(SETTLE).await;

    let waiting = waiting_span_bytes(&samples, &load, scenario.decision_wait(), idle_bytes);
    let accepted_in_time = samples.iter().rev().find(|sample| sample.at <= load.duration);
    let counts = sink.counts();
    let measured = Measured {
        spans_a_second: accepted_in_time.map_or(0.0, |sample| sample.spans_accepted as f64 / sample.at.as_secs_f64()),
        cpu_us_per_span: cpu.as_secs_f64() * 1e6 / report.spans.max(1) as f64,
        load_us_per_span: (my_cpu() - load_before).as_secs_f64() * 1e6 / report.spans.max(1) as f64,
        peak_bytes,
        waiting_span_bytes: waiting.filter(|_| side != Side::Floor).map(|(bytes, _)| bytes),
        waiting_spans: waiting.map_or(0, |(_, spans)| spans),
        kept: counts.spans.spans,
        expected: expected.spans.spans,
        right: counts.spans == expected.spans && report.lost_spans == 0 && report.rejected_spans == 0,
        latency_p99: report.latency.percentile(0.99),
        refused: report.refused,
        first_error: report.first_error,
    };
    collector.stop().await;
    sink.stop().await;
    Ok(measured)
}

/// Watches a collector that has nothing to do.
pub(crate) async fn idle(side: Side, options: &Options) -> Result<Idle, String> {
    let sink = Sink::start(SinkOptions::default()).await.map_err(|error| format!("cannot start the sink: {error}"))?;
    let addresses =
        Addresses { grpc: free_address()?, http: free_address()?, metrics: free_address()?, sink: sink.address() };
    let configuration = Scenario::K.configuration(&addresses);
    let collector = Collector::start(side, options, &addresses, &configuration).await?;
    eprintln!("K {}: idle for {} s …", side.name(), options.idle.as_secs());
    tokio::time::sleep(IDLE_SETTLE).await;
    let before = collector.cpu_ticks();
    tokio::time::sleep(options.idle).await;
    let idle = Idle {
        resident_bytes: collector.resident_bytes(),
        cpu_ticks: collector.cpu_ticks() - before,
        watched: options.idle,
    };
    collector.stop().await;
    Ok(idle)
}

/// Sends the whole load, with samples taken all along.
async fn send_and_watch(load: &Generate, collector: &Collector, sink: &Sink) -> Result<(Report, Vec<Sample>), String> {
    let sending = generate(load.clone(), pending());
    tokio::pin!(sending);
    let started = Instant::now();
    let mut samples = Vec::new();
    loop {
        tokio::select! {
            report = &mut sending => return Ok((report.map_err(|error| error.to_string())?, samples)),
            () = tokio::time::sleep(SAMPLE_INTERVAL) => samples.push(sample(started, &load.progress, collector, sink)),
        }
    }
}

fn sample(started: Instant, progress: &Progress, collector: &Collector, sink: &Sink) -> Sample {
    Sample {
        at: started.elapsed(),
        traces_begun: progress.traces.load(Ordering::Relaxed),
        spans_accepted: progress.spans.load(Ordering::Relaxed),
        spans_arrived: sink.counts().spans.spans,
        resident_bytes: collector.resident_bytes(),
    }
}

/// Waits until so many spans have arrived, or until none has for longer than any wait explains; the collector's CPU time then.
async fn wait_for(sink: &Sink, spans: u64, decision_wait: Duration, collector: &Collector) -> Duration {
    let (mut seen, mut changed) = (0, Instant::now());
    loop {
        let (arrived, cpu) = (sink.counts().spans.spans, collector.cpu());
        if arrived >= spans || changed.elapsed() > decision_wait + PATIENCE {
            return cpu;
        }
        if arrived > seen {
            (seen, changed) = (arrived, Instant::now());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Resident bytes for each waiting span, and how many waited, in the median over the last second of the load.
///
/// A span waits from its acceptance until its trace's verdict is due: waiting(t) = accepted(t) − spans of the traces begun
/// before t − decision_wait. A collector that decides later than that holds more spans than it is given credit for. Where
/// everything is kept, a span also waits for its delivery: waiting(t) = accepted(t) − arrived(t).
fn waiting_span_bytes(
    samples: &[Sample],
    load: &Generate,
    decision_wait: Duration,
    idle_bytes: u64,
) -> Option<(f64, u64)> {
    let mut past = samples.iter().collect::<VecDeque<_>>();
    let mut begun_then = 0;
    let mut found = Vec::new();
    for sample in samples {
        while let Some(old) = past.front().filter(|old| old.at + decision_wait <= sample.at) {
            begun_then = old.traces_begun;
            past.pop_front();
        }
        let gone = match load.keep {
            Keep::Everything => sample.spans_arrived,
            Keep::AnyOf { .. } => begun_then * u64::from(load.spans_per_trace),
        };
        let waiting = sample.spans_accepted.saturating_sub(gone);
        if waiting > 0 && (load.duration.saturating_sub(PLATEAU)..=load.duration).contains(&sample.at) {
            found.push((sample.resident_bytes.saturating_sub(idle_bytes) as f64 / waiting as f64, waiting));
        }
    }
    found.sort_by(|left, right| left.0.total_cmp(&right.0));
    found.get(found.len() / 2).copied()
}

const SETTLE: Duration = Duration::from_millis(500);
const IDLE_SETTLE: Duration = Duration::from_secs(5);
const SAMPLE_INTERVAL: Duration = Duration::from_millis(50);
/// The part of the load over which memory is read.
const PLATEAU: Duration = Duration::from_secs(1);
/// How long after the wait a verdict may take to show at the sink.
const PATIENCE: Duration = Duration::from_secs(15);
