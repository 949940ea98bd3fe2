//! The demo's traffic: a small shop whose services call each other, mostly well, and go wrong in the ways that make people
//! want tail sampling.
//!
//! A [`Shop`] is a pure sequence: the same seed gives the same traces with the same IDs, structure and durations. Scenes are
//! dealt from a shuffled deck, so that even a short run has one of each. [`run_shop`] sends them over real sockets, every
//! service for itself, some fraction of a second apart; which traces it sends follows from seed and duration alone, not from
//! how fast the machine is.

mod cast;
mod scene;
mod story;

pub use cast::Service;
pub use scene::Scene;

use crate::{
    generate::{Answer, GenerateError, GrpcConnection},
    random::{Random, mix},
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    trace::v1::{ResourceSpans, Span},
};
use prost::Message as _;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use story::Story;

/// An endless sequence of traces.
#[derive(Debug)]
pub struct Shop {
    seed: u64,
    index: u64,
    random: Random,
    deck: Vec<Scene>,
}

/// One trace of the shop.
#[derive(Clone, Debug, PartialEq)]
pub struct ShopTrace {
    /// What happened.
    pub scene: Scene,
    /// Its ID.
    pub trace_id: [u8; 16],
    /// From its first start to its last end.
    pub duration: Duration,
    /// Its spans, by the service that sends them.
    pub spans: BTreeMap<Service, Vec<Span>>,
}

/// What the shop has sent.
#[derive(Clone, Debug, Default)]
pub struct ShopReport {
    /// Traces that happened.
    pub traces: u64,
    /// How many of each kind.
    pub scenes: BTreeMap<Scene, u64>,
    /// Spans that were accepted.
    pub spans: u64,
    /// Spans that nobody took.
    pub lost_spans: u64,
    /// The first failure, in the other side's words.
    pub first_error: Option<String>,
}

/// A service as a process: a connection of its own, and spans that wait for its next flush.
#[derive(Debug)]
struct Process {
    service: Service,
    connection: GrpcConnection,
    waiting: Vec<Span>,
}

impl Shop {
    /// A shop whose every trace follows from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, index: 0, random: Random::new(mix(seed)), deck: Vec::new() }
    }

    /// The next trace; its last span ends at `now_ns` (nanoseconds since the Unix epoch).
    pub fn next_trace(&mut self, now_ns: u64) -> ShopTrace {
        let scene = self.next_scene();
        // Each trace has random numbers of its own: a scene can change without changing all traces behind it.
        let mut random = Random::new(mix(mix(self.seed) ^ self.index));
        self.index += 1;
        let mut story = Story::new(&mut random);
        scene.tell(&mut story);
        let (trace_id, told) = story.end();
        let duration_ns = told.iter().map(|(_, span)| span.end_time_unix_nano).max().unwrap_or(0);
        let began_ns = now_ns.saturating_sub(duration_ns);
        let mut spans = BTreeMap::<_, Vec<_>>::new();
        for (service, mut span) in told {
            span.start_time_unix_nano += began_ns;
            span.end_time_unix_nano += began_ns;
            span.events.iter_mut().for_each(|event| event.time_unix_nano += began_ns);
            spans.entry(service).or_default().push(span);
        }
        ShopTrace { scene, trace_id, duration: Duration::from_nanos(duration_ns), spans }
    }

    fn next_scene(&mut self) -> Scene {
        if self.deck.is_empty() {
            let cards = Scene::SHARES.iter().flat_map(|(scene, count)| std::iter::repeat_n(*scene, *count));
            self.deck = cards.collect();
            for last in (1..self.deck.len()).rev() {
                self.deck.swap(last, self.random.below(last as u64 + 1) as usize);
            }
        }
        self.deck.pop().unwrap_or(Scene::Browse)
    }
}

impl ShopTrace {
    /// The trace as requests carry it, one ResourceSpans for each service.
    #[must_use]
    pub fn resource_spans(&self) -> Vec<ResourceSpans> {
        self.spans.iter().map(|(service, spans)| service.resource_spans(spans.clone())).collect()
    }
}

/// Sends the shop's traffic to `target` (`host:port`, OTLP/gRPC without TLS) for `duration`: [`TRACES_A_SECOND`], each
/// service on a connection of its own.
///
/// # Errors
/// [`GenerateError::Connect`]; what goes wrong later stands in the report.
pub async fn run_shop(target: &str, seed: u64, duration: Duration) -> Result<ShopReport, GenerateError> {
    let mut processes = Vec::new();
    for service in Service::ALL {
        processes.push(Process::start(service, target).await?);
    }
    let (mut shop, mut report) = (Shop::new(seed), ShopReport::default());
    let (started, started_ns) = (Instant::now(), wall_ns());
    let (mut next_trace, mut next_flush) = (Duration::ZERO, FLUSH_INTERVAL);
    while next_trace < duration {
        tokio::time::sleep_until((started + next_trace.min(next_flush)).into()).await;
        if next_flush <= next_trace {
            // One service after the other: each sends its part of a trace at a time of its own.
            let turn = (next_flush.as_millis() / FLUSH_INTERVAL.as_millis()) as usize % processes.len();
            processes[turn].flush(&mut report).await;
            next_flush += FLUSH_INTERVAL;
            continue;
        }
        let trace = shop.next_trace(started_ns + next_trace.as_nanos() as u64);
        report.traces += 1;
        *report.scenes.entry(trace.scene).or_default() += 1;
        for process in &mut processes {
            process.waiting.extend(trace.spans.get(&process.service).into_iter().flatten().cloned());
        }
        next_trace += Duration::from_secs(1) / TRACES_A_SECOND;
    }
    for process in &mut processes {
        process.flush(&mut report).await;
    }
    Ok(report)
}

impl Process {
    async fn start(service: Service, target: &str) -> Result<Self, GenerateError> {
        let connection = GrpcConnection::open(target, false).await;
        let connection =
            connection.map_err(|message| GenerateError::Connect { address: target.to_owned(), message })?;
        Ok(Self { service, connection, waiting: Vec::new() })
    }

    /// Sends what is waiting, in the order in which it ended, as exporters do.
    async fn flush(&mut self, report: &mut ShopReport) {
        if self.waiting.is_empty() {
            return;
        }
        let mut spans = std::mem::take(&mut self.waiting);
        spans.sort_by_key(|span| span.end_time_unix_nano);
        let count = spans.len() as u64;
        let request = ExportTraceServiceRequest { resource_spans: vec![self.service.resource_spans(spans)] };
        let mut frame = vec![0; 5];
        request.encode_raw(&mut frame);
        let len = (frame.len() - 5) as u32;
        frame[1..5].copy_from_slice(&len.to_be_bytes());
        let frame = bytes::Bytes::from(frame);
        for attempt in 1.. {
            let (after, message) = match self.connection.export(frame.clone()).await {
                Answer::Accepted { rejected_spans } => {
                    report.spans += count.saturating_sub(rejected_spans);
                    return;
                }
                Answer::Refused { after, message } => (after.unwrap_or(RETRY_INTERVAL).min(RETRY_INTERVAL), message),
                Answer::Broken(message) => (RETRY_INTERVAL, message),
                Answer::Failed(message) => (Duration::ZERO, message),
            };
            if after.is_zero() || attempt == ATTEMPTS_MAX {
                report.lost_spans += count;
                report.first_error.get_or_insert(message);
                return;
            }
            tokio::time::sleep(after).await;
        }
    }
}

fn wall_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

/// How many traces the shop has in a second.
pub const TRACES_A_SECOND: u32 = 8;
/// Between the flushes of two services; each has its turn after all others had theirs.
const FLUSH_INTERVAL: Duration = Duration::from_millis(60);
const RETRY_INTERVAL: Duration = Duration::from_millis(500);
const ATTEMPTS_MAX: u32 = 5;

#[cfg(test)]
mod tests;
