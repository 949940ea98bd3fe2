//! The load generator: options in, traffic out over real sockets, a report of what was sent and what should be kept.
//!
//! ```text
//! Schedule ── plan, due time ──► worker: wait, render, (gzip), send, await the answer, retry where asked to
//! (one lock)                     connections × in flight of them
//! ```
//! The schedule is the only thing that workers share; it is held for the microseconds of handing out a plan. A request's
//! buffer comes back to its worker when the connection has let go of it, so a run allocates next to nothing.

mod grpc;
mod gzip;
mod http;
mod link;
mod sample;
mod worker;

use crate::{
    arrivals::Arrivals,
    expected::{Expected, Keep},
    latency::Latency,
    mix::Mix,
    render::Renderer,
    schedule::{Next, Pacing, Schedule},
    trace::Shape,
};
pub(crate) use grpc::GrpcConnection;
pub(crate) use link::Answer;
use link::Link;
use std::{
    fmt,
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{sync::Notify, task::JoinSet};
use worker::Worker;

/// Where the traffic goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// OTLP/gRPC without TLS at `host:port`.
    Grpc(String),
    /// OTLP/HTTP with protobuf without TLS at `host:port`.
    Http(String),
    /// OTLP/HTTP with JSON without TLS at `host:port`.
    HttpJson(String),
    /// Nowhere: requests are made and thrown away, which shows what the generator itself can do.
    Nowhere,
}

/// What to send, and how.
#[derive(Clone, Debug)]
pub struct Generate {
    /// Where to.
    pub target: Target,
    /// Connections. OTLP/HTTP has one request in flight on each connection, so there it opens this times `in_flight`.
    pub connections: u32,
    /// Requests in flight on each connection.
    pub in_flight: u32,
    /// Whether requests are compressed with gzip.
    pub gzip: bool,
    /// Spans of each trace.
    pub spans_per_trace: u32,
    /// Services that take part in each trace.
    pub services: u32,
    /// Spans in each request, all of one service. A request is smaller where it does not come out even.
    pub spans_per_request: u32,
    /// Share of traces in which one span has the status ERROR, 0 to 1.
    pub error_share: f64,
    /// Share of traces that last longer than a second, 0 to 1.
    pub slow_share: f64,
    /// Within which time after the first service the others send their spans of the same traces.
    pub flush_spread: Duration,
    /// Spans a second; 0 for as fast as the other side takes them.
    pub rate: u64,
    /// How long new traces begin. The spans of those that have begun are sent after that, within the flush spread.
    pub duration: Duration,
    /// What the spans say.
    pub mix: Mix,
    /// Everything random follows from it. Two runs with one seed have the same traces, in part with other times.
    pub seed: u64,
    /// The policies of the collector, for [`Report::expected`].
    pub keep: Keep,
    /// How long a refused request is tried again before its spans count as lost.
    pub retry_max: Duration,
    /// How long an answer may take; then the request is given up and its spans count as lost. Without it, for ever.
    pub answer_max: Option<Duration>,
    /// Where kept traces are noted as they begin, if somebody wants to know how long they take to arrive.
    pub arrivals: Option<Arc<Arrivals>>,
    /// Counts while the run goes on, for who wants to watch it.
    pub progress: Arc<Progress>,
}

/// How far a run is.
#[derive(Debug, Default)]
pub struct Progress {
    /// Traces that were begun.
    pub traces: AtomicU64,
    /// Spans that were sent, however often and whatever became of them.
    pub offered: AtomicU64,
    /// Spans that were accepted.
    pub spans: AtomicU64,
    /// Answers that asked to come back later.
    pub refused: AtomicU64,
}

/// What was sent, and what came of it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Traces that were begun.
    pub traces: u64,
    /// Spans that were accepted.
    pub spans: u64,
    /// Requests that were accepted.
    pub requests: u64,
    /// Bytes of the accepted requests, after compression.
    pub bytes: u64,
    /// Answers that asked to come back later; the request was then tried again.
    pub refused: u64,
    /// Those of them that said when to come back.
    pub refused_with_delay: u64,
    /// Spans of requests that failed for good.
    pub lost_spans: u64,
    /// Spans that the other side rejected through partial success.
    pub rejected_spans: u64,
    /// The first failure, in the other side's words.
    pub first_error: Option<String>,
    /// From the start to the last answer.
    pub elapsed: Duration,
    /// Time spent making requests, over all workers: what is left of `elapsed` times cores went into sending.
    pub rendering: Duration,
    /// From when a request was due (or, without a rate, from when it was sent) to its acceptance.
    pub latency: Latency,
    /// What should be kept, provided that no spans were lost or rejected.
    pub expected: Expected,
}

/// Why no load could be sent.
#[derive(Debug)]
pub enum GenerateError {
    /// The other side cannot be reached.
    Connect {
        /// `host:port`.
        address: String,
        /// What the connection attempt said.
        message: String,
    },
    /// An option has a value that makes no sense.
    Option(&'static str),
}

/// What all workers of a run share.
#[derive(Debug)]
struct Run {
    options: Generate,
    shape: Shape,
    started: Instant,
    schedule: Mutex<Schedule>,
    stopped: AtomicBool,
    stop: Notify,
}

/// Sends the load and returns when the last request is answered. When `stop` is done, no new traces begin and what is left
/// of the others is sent at once.
///
/// # Errors
/// [`GenerateError`] before anything is sent; what goes wrong later stands in the report.
pub async fn generate(options: Generate, stop: impl Future<Output = ()>) -> Result<Report, GenerateError> {
    let shape = options.shape()?;
    let renderer = Renderer::new(&shape, options.mix);
    let links = Link::open_all(&options).await?;
    let run = Arc::new(Run::new(shape, options));
    let mut workers = JoinSet::new();
    for link in links {
        workers.spawn(Worker::new(Arc::clone(&run), link, renderer.clone()).run());
    }
    let mut report = Report::default();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop, if !run.is_stopped() => run.stop(),
            joined = workers.join_next() => match joined {
                Some(Ok(part)) => report.join(part),
                Some(Err(panic)) => std::panic::resume_unwind(panic.into_panic()),
                None => break,
            },
        }
    }
    report.elapsed = run.started.elapsed();
    let schedule = run.schedule.lock().expect("BUG: a worker panicked with the schedule");
    report.traces = schedule.traces();
    report.expected = schedule.expected;
    drop(schedule);
    Ok(report)
}

impl Generate {
    fn shape(&self) -> Result<Shape, GenerateError> {
        let is_share = |share: f64| (0.0..=1.0).contains(&share);
        let wrong = if self.spans_per_trace == 0 || self.spans_per_trace > SPANS_PER_TRACE_MAX {
            "a trace needs at least one span and at most a million"
        } else if self.services == 0 || self.services > self.spans_per_trace || self.services > SERVICES_MAX {
            "a trace needs at least one service, at most one for each span, and at most 200"
        } else if self.spans_per_request == 0 || self.spans_per_request > SPANS_PER_TRACE_MAX {
            "a request needs at least one span and at most a million"
        } else if !is_share(self.error_share) || !is_share(self.slow_share) {
            "a share is a number from 0 to 1"
        } else if self.connections == 0 || self.in_flight == 0 {
            "at least one connection with one request in flight is needed"
        } else {
            return Ok(Shape {
                spans: self.spans_per_trace,
                services: self.services,
                error_share: self.error_share,
                slow_share: self.slow_share,
                seed: self.seed,
            });
        };
        Err(GenerateError::Option(wrong))
    }
}

impl Default for Generate {
    /// The load of the comparison with other collectors, as fast as possible for ten seconds.
    fn default() -> Self {
        Self {
            target: Target::Grpc("127.0.0.1:4317".to_owned()),
            connections: 2,
            in_flight: 4,
            gzip: false,
            spans_per_trace: 10,
            services: 5,
            spans_per_request: 512,
            error_share: 0.01,
            slow_share: 0.01,
            flush_spread: Duration::from_secs(4),
            rate: 0,
            duration: Duration::from_secs(10),
            mix: Mix::Plain,
            seed: rand::random(),
            keep: Keep::AnyOf { errors: true, slow: true, percentage: 1.0 },
            retry_max: Duration::from_secs(60),
            answer_max: None,
            arrivals: None,
            progress: Arc::default(),
        }
    }
}

impl Run {
    fn new(shape: Shape, options: Generate) -> Self {
        let pacing = Pacing {
            spans_per_request: options.spans_per_request,
            spread_ns: nanoseconds(options.flush_spread),
            rate: options.rate,
            duration_ns: nanoseconds(options.duration),
            started_ns: nanoseconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()),
        };
        Self {
            schedule: Mutex::new(Schedule::new(shape.clone(), options.keep, pacing)),
            shape,
            options,
            started: Instant::now(),
            stopped: AtomicBool::new(false),
            stop: Notify::new(),
        }
    }

    fn next(&self) -> Next {
        let now_ns = nanoseconds(self.started.elapsed());
        let mut schedule = self.schedule.lock().expect("BUG: a worker panicked with the schedule");
        let next = schedule.next(now_ns);
        self.options.progress.traces.store(schedule.traces(), Ordering::Relaxed);
        next
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.schedule.lock().expect("BUG: a worker panicked with the schedule").stop();
        self.stop.notify_waiters();
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

impl Report {
    fn join(&mut self, part: Self) {
        self.spans += part.spans;
        self.requests += part.requests;
        self.bytes += part.bytes;
        self.refused += part.refused;
        self.refused_with_delay += part.refused_with_delay;
        self.lost_spans += part.lost_spans;
        self.rejected_spans += part.rejected_spans;
        self.first_error = self.first_error.take().or(part.first_error);
        self.rendering += part.rendering;
        self.latency.join(&part.latency);
    }
}

impl fmt::Display for GenerateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect { address, message } => write!(f, "cannot connect to `{address}`: {message}"),
            Self::Option(wrong) => f.write_str(wrong),
        }
    }
}

impl std::error::Error for GenerateError {}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// More than any real trace; bounds the scratch of a request.
const SPANS_PER_TRACE_MAX: u32 = 1_000_000;
/// Each service has a few hundred templates.
const SERVICES_MAX: u32 = 200;
