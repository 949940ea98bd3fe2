//! One run of one side: start it, load it, wait for what it has to keep, read what it took.

use crate::{
    case::Case,
    collector::{Burners, COLLECTOR_CORE, Collector, Side, free_address, my_cpu},
    options::Options,
    profile,
    scenario::Addresses,
    scrape::{Scrape, Verdicts},
};
use load::{Arrivals, Expected, Generate, Keep, Progress, Report, Sink, SinkOptions, generate};
use std::{
    collections::VecDeque,
    future::pending,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

/// How a run differs from what its case says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    /// Spans a second, instead of the case's own rate.
    pub(crate) rate: Option<u64>,
    /// The collector's cores, as taskset wants them.
    pub(crate) cores: &'static str,
    /// Processes that want the collector's core, too.
    pub(crate) burners: u32,
    /// A trace of 50 000 spans and a request of nearly 64 MiB a second beside the load.
    pub(crate) giants: bool,
    /// Refused requests are not sent again, and many are in flight: what is offered does not depend on what is taken.
    pub(crate) open: bool,
    /// Whether perf looks for the time spent on waiting for locks.
    pub(crate) locks: bool,
}

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
    pub(crate) latency_p99: Duration,
    /// From when a verdict was due until it was made, where somebody watched.
    pub(crate) verdict_lag_p99: Option<Duration>,
    /// From when a kept span's verdict was due until the sink had it.
    pub(crate) arrival_lag_p99: Option<Duration>,
    pub(crate) refused: u64,
    pub(crate) refused_with_delay: u64,
    /// Spans that were sent a second, taken or not.
    pub(crate) offered_a_second: f64,
    /// What is left over in the collector's own identities, and how far its count of accepted spans is from the generator's.
    pub(crate) residues: f64,
    /// Share of its CPU time that the collector waited for locks, in percent.
    pub(crate) lock_percent: Option<f64>,
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
    spans_offered: u64,
    spans_accepted: u64,
    spans_arrived: u64,
    resident_bytes: u64,
}

impl Default for Setup {
    fn default() -> Self {
        Self { rate: None, cores: COLLECTOR_CORE, burners: 0, giants: false, open: false, locks: false }
    }
}

/// Runs one case against one side.
pub(crate) async fn run(side: Side, case: Case, setup: Setup, options: &Options) -> Result<Measured, String> {
    let decision_wait = case.scenario.decision_wait();
    let arrivals = Arc::new(Arrivals::new(decision_wait));
    let noted = SinkOptions { arrivals: Some(Arc::clone(&arrivals)), ..SinkOptions::default() };
    let sink = Sink::start(noted).await.map_err(|error| format!("cannot start the sink: {error}"))?;
    let addresses = addresses(&sink)?;
    let configuration = case.configuration(&addresses);
    let collector = Collector::start(side, options, &addresses, &configuration, setup.cores).await?;
    let _burners = Burners::start(setup.burners)?;
    tokio::time::sleep(SETTLE).await;

    let load = load(case, setup, &addresses, options, &arrivals);
    let idle_bytes = collector.resident_bytes();
    let (cpu_before, load_before) = (collector.cpu(), my_cpu());
    let mut verdicts = Verdicts::default();
    let watching = async {
        match case.scenario.watches_verdicts() && side != Side::Floor {
            true => verdicts.watch(addresses.metrics).await,
            false => pending().await,
        }
    };
    let locks = setup.locks.then(|| profile::Locks::start(collector.process(), load.duration)).flatten();
    let work = async {
        let (report, samples) = send_and_watch(&load, setup.giants, &collector, &sink).await?;
        let expected = if side == Side::Floor { Expected::default() } else { report.expected };
        // Of traces that were refused in part, nobody knows what is kept; such a run ends when nothing comes any more.
        let spans = if setup.open { u64::MAX } else { expected.spans.spans };
        let cpu = wait_for(&sink, spans, decision_wait, setup, &collector).await;
        Ok::<_, String>((report, samples, expected, cpu - cpu_before))
    };
    let (report, samples, expected, cpu) = tokio::select! {
        done = work => done?,
        () = watching => return Err("the watch over verdicts ended".to_owned()),
    };
    let peak_bytes = collector.peak_bytes();
    // What should not come would come about now.
    tokio::time::sleep(SETTLE).await;

    let residues = match side {
        Side::Tailrace => residues(&Scrape::of(addresses.metrics).await?, (!setup.open).then_some(report.spans)),
        Side::Otelcol | Side::Floor => 0.0,
    };
    let waiting = waiting_span_bytes(&samples, &load, decision_wait, idle_bytes);
    let counts = sink.counts();
    let whole = setup.open || (counts.spans == expected.spans && report.lost_spans == 0);
    let p99 = |lags: load::Latency| (lags.count() > 0).then(|| lags.percentile(0.99));
    let measured = Measured {
        spans_a_second: each_second(&samples, &load, |sample| sample.spans_accepted),
        cpu_us_per_span: cpu.as_secs_f64() * 1e6 / report.spans.max(1) as f64,
        load_us_per_span: (my_cpu() - load_before).as_secs_f64() * 1e6 / report.spans.max(1) as f64,
        peak_bytes,
        waiting_span_bytes: waiting.filter(|_| side != Side::Floor).map(|(bytes, _)| bytes),
        waiting_spans: waiting.map_or(0, |(_, spans)| spans),
        kept: counts.spans.spans,
        expected: expected.spans.spans,
        right: whole && report.rejected_spans == 0 && residues == 0.0,
        latency_p99: report.latency.percentile(0.99),
        verdict_lag_p99: p99(verdicts.lags(decision_wait)),
        arrival_lag_p99: p99(arrivals.lags()).filter(|_| side != Side::Floor),
        refused: report.refused,
        refused_with_delay: report.refused_with_delay,
        offered_a_second: each_second(&samples, &load, |sample| sample.spans_offered),
        residues,
        lock_percent: locks.and_then(profile::Locks::percent),
        first_error: report.first_error,
    };
    collector.stop().await;
    sink.stop().await;
    Ok(measured)
}

fn addresses(sink: &Sink) -> Result<Addresses, String> {
    Ok(Addresses { grpc: free_address()?, http: free_address()?, metrics: free_address()?, sink: sink.address() })
}

/// The case's load as the setup has it.
fn load(case: Case, setup: Setup, addresses: &Addresses, options: &Options, arrivals: &Arc<Arrivals>) -> Generate {
    let mut load = Generate { arrivals: Some(Arc::clone(arrivals)), ..case.load(addresses, options) };
    load.rate = setup.rate.unwrap_or(load.rate);
    if load.rate > 0 {
        load.duration = load.duration.max(PACED_MIN);
    }
    if setup.open {
        (load.connections, load.in_flight, load.retry_max) = (OPEN_CONNECTIONS, OPEN_IN_FLIGHT, Duration::ZERO);
        load.answer_max = Some(OPEN_ANSWER_MAX);
    }
    load
}

/// What the collector's identities leave over, and accepted spans on which it and the generator disagree. A generator that
/// gives up waiting for answers does not know what was accepted.
fn residues(scrape: &Scrape, accepted: Option<u64>) -> f64 {
    let differs = accepted.map_or(0.0, |spans| scrape.sum("tailrace_pipeline_accepted_items") - spans as f64);
    scrape.most("tailrace_pipeline_residue_items") + scrape.most("tailrace_destination_residue_items") + differs.abs()
}

/// Watches a collector that has nothing to do.
pub(crate) async fn idle(side: Side, options: &Options) -> Result<Idle, String> {
    let sink = Sink::start(SinkOptions::default()).await.map_err(|error| format!("cannot start the sink: {error}"))?;
    let addresses = addresses(&sink)?;
    let configuration = Case::parse("K")?.configuration(&addresses);
    let collector = Collector::start(side, options, &addresses, &configuration, COLLECTOR_CORE).await?;
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

/// Sends the whole load, with samples taken all along. The report is about the load alone, but for spans and what to expect.
async fn send_and_watch(
    load: &Generate,
    giants: bool,
    collector: &Collector,
    sink: &Sink,
) -> Result<(Report, Vec<Sample>), String> {
    let alone = async { generate(load.clone(), pending()).await.map_err(|error| error.to_string()) };
    let sending = async {
        if !giants {
            return alone.await;
        }
        let giants = giants_beside(load).map_err(|error| error.to_string())?;
        // On a thread of its own: rendering a giant would hold up the small requests, and be taken for the collector's doing.
        let giants = tokio::task::spawn_blocking(|| send_giants(giants));
        let (report, giants) = tokio::join!(alone, giants);
        let mut report = report?;
        for giant in giants.map_err(|error| error.to_string())?? {
            report.spans += giant.spans;
            report.lost_spans += giant.lost_spans;
            report.rejected_spans += giant.rejected_spans;
            report.first_error = report.first_error.or(giant.first_error);
            report.expected.spans.join(&giant.expected.spans);
        }
        Ok(report)
    };
    tokio::pin!(sending);
    let started = Instant::now();
    let mut samples = Vec::new();
    loop {
        tokio::select! {
            report = &mut sending => return Ok((report?, samples)),
            () = tokio::time::sleep(SAMPLE_INTERVAL) => samples.push(sample(started, &load.progress, collector, sink)),
        }
    }
}

/// Sends both; blocks until they are answered.
fn send_giants([trace, request]: [Generate; 2]) -> Result<[Report; 2], String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot build a runtime: {error}"))?;
    let (trace, request) =
        runtime.block_on(async { tokio::join!(generate(trace, pending()), generate(request, pending())) });
    Ok([trace.map_err(|error| error.to_string())?, request.map_err(|error| error.to_string())?])
}

/// One trace of 50 000 spans a second, and one request a second that just goes into 64 MiB.
fn giants_beside(load: &Generate) -> Result<[Generate; 2], load::GenerateError> {
    let alone = Generate {
        services: 1,
        connections: 1,
        in_flight: 1,
        flush_spread: Duration::ZERO,
        arrivals: None,
        progress: Arc::default(),
        ..load.clone()
    };
    let sample = Generate { rate: 1_000, spans_per_request: 10_000, ..alone.clone() }.sample(1)?;
    let span_bytes = sample.iter().map(Vec::len).sum::<usize>() / 10_000 + 1;
    let spans = (GIANT_REQUEST_BYTES / span_bytes) as u32 / load.spans_per_trace * load.spans_per_trace;
    let trace = Generate {
        spans_per_trace: GIANT_TRACE_SPANS,
        spans_per_request: GIANT_TRACE_SPANS,
        rate: u64::from(GIANT_TRACE_SPANS),
        seed: load.seed + 1,
        ..alone.clone()
    };
    let request = Generate { spans_per_request: spans, rate: u64::from(spans), seed: load.seed + 2, ..alone };
    Ok([trace, request])
}

/// How much a count grew a second while the load lasted. At a rate, the first seconds do not count: until the flush spread
/// has passed, only a part of the services sends.
fn each_second(samples: &[Sample], load: &Generate, count: impl Fn(&Sample) -> u64) -> f64 {
    let ramp = if load.rate == 0 { Duration::ZERO } else { load.flush_spread.min(load.duration / 2) };
    let mut within = samples.iter().filter(|sample| (ramp..=load.duration).contains(&sample.at));
    let (Some(first), Some(last)) = (within.next(), within.next_back()) else { return 0.0 };
    let (from, at) = if load.rate == 0 { (0, Duration::ZERO) } else { (count(first), first.at) };
    (count(last) - from) as f64 / (last.at - at).as_secs_f64()
}

fn sample(started: Instant, progress: &Progress, collector: &Collector, sink: &Sink) -> Sample {
    Sample {
        at: started.elapsed(),
        traces_begun: progress.traces.load(Ordering::Relaxed),
        spans_offered: progress.offered.load(Ordering::Relaxed),
        spans_accepted: progress.spans.load(Ordering::Relaxed),
        spans_arrived: sink.counts().spans.spans,
        resident_bytes: collector.resident_bytes(),
    }
}

/// Waits until so many spans have arrived, or until none has for longer than any wait explains; the collector's CPU time then.
async fn wait_for(sink: &Sink, spans: u64, decision_wait: Duration, setup: Setup, collector: &Collector) -> Duration {
    let patience = decision_wait + if setup.open { SHORT_PATIENCE } else { PATIENCE };
    let (mut seen, mut changed) = (0, Instant::now());
    loop {
        let (arrived, cpu) = (sink.counts().spans.spans, collector.cpu());
        if arrived >= spans || changed.elapsed() > patience {
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
/// The same where the run always ends so.
const SHORT_PATIENCE: Duration = Duration::from_secs(5);
/// So many requests in flight, and none for longer than this: enough for all that L offers.
const OPEN_CONNECTIONS: u32 = 64;
const OPEN_IN_FLIGHT: u32 = 80;
const OPEN_ANSWER_MAX: Duration = Duration::from_secs(1);
/// A load with a rate lasts at least so long: its first four seconds are a ramp.
const PACED_MIN: Duration = Duration::from_secs(12);
const GIANT_TRACE_SPANS: u32 = 50_000;
/// 64 MiB are allowed; a little less, because spans differ.
const GIANT_REQUEST_BYTES: usize = 66_000_000;
