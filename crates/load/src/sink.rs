//! A server for kept traces that counts what arrives, for tests and benches: OTLP/gRPC and OTLP/HTTP on loopback.
//!
//! It has to be cheaper than what it measures, so it walks a request only as far as each span's IDs and adds them to a
//! fingerprint ([`crate::expected`]). On demand it refuses, fails or stalls, and records what tests want to look at.
//!
//! Invariant: a request is counted before it is answered, and only if it is accepted; who has the answer finds the spans in
//! [`Sink::counts`].

mod count;
mod grpc;
mod http;
mod inflate;

use crate::{arrivals::Arrivals, expected::Fingerprint};
use ::http::HeaderMap;
use bytes::Bytes;
use std::{
    collections::{HashMap, VecDeque},
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

/// How a sink starts.
#[derive(Clone, Debug)]
pub struct SinkOptions {
    /// Where OTLP/gRPC is served; port 0 takes a free one.
    pub grpc: SocketAddr,
    /// Where OTLP/HTTP is served; port 0 takes a free one.
    pub http: SocketAddr,
    /// What is remembered of accepted requests.
    pub record: Record,
    /// How requests are answered at first.
    pub behavior: Behavior,
    /// Where the arrival of spans is noted.
    pub arrivals: Option<Arc<Arrivals>>,
}

/// What a sink remembers of accepted requests, beyond counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Record {
    /// The requests themselves, up to [`RECORDED_BYTES_MAX`], and what `Traces` remembers.
    Bodies,
    /// Nothing; as cheap as it gets.
    #[default]
    Nothing,
    /// The spans of each trace.
    Traces,
}

/// How a sink answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Behavior {
    /// Takes everything.
    #[default]
    Accept,
    /// Takes everything and does not even count it: what receiving alone costs.
    Discard,
    /// Refuses for good: INVALID_ARGUMENT, 400.
    Fail,
    /// Takes the request but says that some spans were rejected.
    Reject {
        /// How many.
        spans: u64,
        /// Why.
        message: String,
    },
    /// Takes everything, after a while.
    Slow(Duration),
    /// Does not answer until the behavior is set to something else.
    Stall,
    /// Refuses for now: UNAVAILABLE, 503; with RetryInfo or Retry-After if there is a delay.
    Unavailable {
        /// When to come back.
        retry_after: Option<Duration>,
    },
}

/// What a sink has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Accepted requests.
    pub requests: u64,
    /// Bytes of their messages, inflated.
    pub bytes: u64,
    /// Their spans.
    pub spans: Fingerprint,
    /// Spans without a parent.
    pub roots: u64,
    /// Different trace IDs; zero unless traces are recorded.
    pub traces: u64,
    /// Requests that were answered with anything but acceptance, because the sink was told to.
    pub refused: u64,
    /// Requests that were not OTLP.
    pub malformed: u64,
}

/// A recorded request.
#[derive(Clone, Debug)]
pub struct Received {
    /// The ExportTraceServiceRequest, inflated.
    pub body: Bytes,
    /// The request's headers.
    pub headers: HeaderMap,
}

/// A running server; dropped, it stops.
#[derive(Debug)]
pub struct Sink {
    grpc: SocketAddr,
    http: SocketAddr,
    shared: Arc<Shared>,
    /// The two accept loops, which own everything they started.
    tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    record: Record,
    arrivals: Option<Arc<Arrivals>>,
    behavior: watch::Sender<Behavior>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    counts: Counts,
    /// Answers to the next requests, before `behavior` applies again.
    script: VecDeque<Behavior>,
    traces: HashMap<[u8; 16], u32>,
    received: Vec<Received>,
    received_bytes: usize,
}

/// What to tell the client.
#[derive(Debug)]
enum Answer {
    Accepted,
    Failed,
    Malformed(String),
    Rejected { spans: u64, message: String },
    Unavailable { retry_after: Option<Duration> },
}

impl Sink {
    /// Binds both addresses and serves them in tasks of the current runtime.
    ///
    /// # Errors
    /// Where an address cannot be bound.
    pub async fn start(options: SinkOptions) -> io::Result<Self> {
        let grpc = TcpListener::bind(options.grpc).await?;
        let http = TcpListener::bind(options.http).await?;
        let (grpc_address, http_address) = (grpc.local_addr()?, http.local_addr()?);
        let shared = Arc::new(Shared {
            record: options.record,
            arrivals: options.arrivals,
            behavior: watch::Sender::new(options.behavior),
            state: Mutex::default(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(grpc::serve(grpc, Arc::clone(&shared)));
        tasks.spawn(http::serve(http, Arc::clone(&shared)));
        Ok(Self { grpc: grpc_address, http: http_address, shared, tasks })
    }

    /// Answers all requests like this from now on, those that are stalled included.
    pub fn behave(&self, behavior: Behavior) {
        self.shared.behavior.send_replace(behavior);
    }

    /// Answers the next requests like this, one each, before the set behavior applies again.
    pub fn script(&self, answers: impl IntoIterator<Item = Behavior>) {
        self.shared.state().script.extend(answers);
    }

    /// Forgets all counts and records.
    pub fn reset(&self) {
        *self.shared.state() = State::default();
    }

    /// Stops serving and closes all connections.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }

    /// Where OTLP/gRPC is served.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.grpc
    }

    /// Where OTLP/HTTP is served.
    #[must_use]
    pub fn http_address(&self) -> SocketAddr {
        self.http
    }

    /// What has arrived so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let state = self.shared.state();
        Counts { traces: state.traces.len() as u64, ..state.counts }
    }

    /// The spans of each trace, if they are recorded.
    #[must_use]
    pub fn traces(&self) -> HashMap<[u8; 16], u32> {
        self.shared.state().traces.clone()
    }

    /// The requests so far, if they are recorded.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.shared.state().received.clone()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("BUG: a sink task panicked while counting")
    }

    /// Whether requests are to be thrown away unread.
    fn discards(&self) -> bool {
        *self.behavior.borrow() == Behavior::Discard
    }

    /// Decides how to answer a request, and counts it if it is accepted.
    async fn answer(&self, body: &[u8], headers: &HeaderMap) -> Answer {
        let behavior = self.next_behavior().await;
        let refused = match behavior {
            Behavior::Discard => return Answer::Accepted,
            Behavior::Accept | Behavior::Reject { .. } | Behavior::Slow(_) | Behavior::Stall => None,
            Behavior::Fail => Some(Answer::Failed),
            Behavior::Unavailable { retry_after } => Some(Answer::Unavailable { retry_after }),
        };
        if let Some(refused) = refused {
            self.state().counts.refused += 1;
            return refused;
        }
        if let Behavior::Slow(delay) = behavior {
            tokio::time::sleep(delay).await;
        }
        if let Err(message) = self.count(body, headers) {
            return Answer::Malformed(message);
        }
        match behavior {
            Behavior::Reject { spans, message } => Answer::Rejected { spans, message },
            _ => Answer::Accepted,
        }
    }

    /// The scripted answer, or else the set one; waits as long as that is to stall.
    async fn next_behavior(&self) -> Behavior {
        if let Some(scripted) = self.state().script.pop_front()
            && scripted != Behavior::Stall
        {
            return scripted;
        }
        let mut behavior = self.behavior.subscribe();
        match behavior.wait_for(|behavior| *behavior != Behavior::Stall).await {
            Ok(behavior) => behavior.clone(),
            // The sender lives in `self`, so this does not happen.
            Err(_) => Behavior::Accept,
        }
    }

    fn count(&self, body: &[u8], headers: &HeaderMap) -> Result<(), String> {
        let mut counted = Counts::default();
        let mut traces = HashMap::new();
        let mut watched = Vec::new();
        let walked = count::spans(body, |span| {
            counted.spans.add(span.trace_id, span.span_id);
            counted.roots += u64::from(span.is_root);
            if self.arrivals.is_some() && Arrivals::is_watched(&span.trace_id) {
                watched.push(span.trace_id);
            }
            if self.record != Record::Nothing {
                *traces.entry(span.trace_id).or_insert(0) += 1;
            }
        });
        if let Some(arrivals) = &self.arrivals {
            arrivals.arrive(watched, Instant::now());
        }
        let mut state = self.state();
        if let Err(error) = walked {
            state.counts.malformed += 1;
            return Err(error.to_string());
        }
        state.counts.requests += 1;
        state.counts.bytes += body.len() as u64;
        state.counts.roots += counted.roots;
        state.counts.spans.join(&counted.spans);
        for (trace_id, spans) in traces {
            *state.traces.entry(trace_id).or_default() += spans;
        }
        if self.record == Record::Bodies && state.received_bytes + body.len() <= RECORDED_BYTES_MAX {
            state.received_bytes += body.len();
            state.received.push(Received { body: Bytes::copy_from_slice(body), headers: headers.clone() });
        }
        Ok(())
    }
}

impl Default for SinkOptions {
    fn default() -> Self {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { grpc: free, http: free, record: Record::default(), behavior: Behavior::default(), arrivals: None }
    }
}

/// Larger requests are refused, before and after inflating.
pub const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// A sink records no more than this.
pub const RECORDED_BYTES_MAX: usize = 1 << 30;

#[cfg(test)]
mod tests;
