//! What a receiver counts, by transport and signal.
//!
//! Items are counted by the intake, which alone knows them; a request that was refused before it was scanned has no count of
//! items, and stands in [`SignalCounts::refused`] only, under its reason. The counters outlive the receiver that made them:
//! one that takes over its sockets goes on with them.

use std::sync::atomic::{AtomicU64, Ordering};

use otlp::Signal;

use super::{Accepted, Transport};

/// Why requests were refused; a closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusedReason {
    /// Not a request, or not in the encoding it claims.
    Malformed,
    /// Above the limit, on the wire or inflated.
    TooLarge,
    /// A compression, content type or method that is not taken.
    Unsupported,
    /// Without valid credentials.
    Unauthenticated,
    /// No room now.
    Overloaded,
    /// The program is ending.
    ShuttingDown,
    /// The body came too slowly.
    Slow,
    /// The peer broke off.
    Gone,
    /// The intake will never take it, though nothing is wrong with it.
    Failed,
    /// The intake panicked.
    Panicked,
}

/// The counters of one receiver.
#[derive(Debug, Default)]
pub struct ReceiverStats {
    grpc: TransportStats,
    http: TransportStats,
}

#[derive(Debug, Default)]
struct TransportStats {
    traces: SignalStats,
    metrics: SignalStats,
    logs: SignalStats,
    connections: AtomicU64,
    accept_errors: AtomicU64,
    tls_errors: AtomicU64,
    unserved_requests: AtomicU64,
    unauthenticated_requests: AtomicU64,
}

#[derive(Debug, Default)]
struct SignalStats {
    accepted_requests: AtomicU64,
    accepted_items: AtomicU64,
    rejected_items: AtomicU64,
    refused: [AtomicU64; RefusedReason::ALL.len()],
}

/// The counters of one signal over one transport, as they stood at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignalCounts {
    /// Requests answered with success, partial success included.
    pub accepted_requests: u64,
    /// `receiver_accepted_spans`, `…_metric_points`, `…_log_records`.
    pub accepted_items: u64,
    /// `receiver_refused_spans` and so on: those that the intake rejected out of accepted requests.
    pub rejected_items: u64,
    /// Requests answered with an error, by reason, in the order of [`RefusedReason::ALL`].
    pub refused: [u64; RefusedReason::ALL.len()],
}

/// The counters of one transport that belong to no signal, as they stood at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransportCounts {
    /// Connections taken since the start.
    pub connections: u64,
    /// Times that the system had no connection to give, such as for want of file descriptors.
    pub accept_errors: u64,
    /// TLS handshakes that failed: a wrong, expired or missing certificate, no version in common, plain text.
    pub tls_errors: u64,
    /// Requests for a path, service or signal that nobody serves.
    pub unserved_requests: u64,
    /// Requests without valid credentials that belong to no signal, since their path is not served either.
    pub unauthenticated_requests: u64,
}

impl RefusedReason {
    /// All of them.
    pub const ALL: [RefusedReason; 10] = [
        RefusedReason::Malformed,
        RefusedReason::TooLarge,
        RefusedReason::Unsupported,
        RefusedReason::Unauthenticated,
        RefusedReason::Overloaded,
        RefusedReason::ShuttingDown,
        RefusedReason::Slow,
        RefusedReason::Gone,
        RefusedReason::Failed,
        RefusedReason::Panicked,
    ];

    /// As a label of a metric.
    pub fn name(self) -> &'static str {
        match self {
            RefusedReason::Malformed => "malformed",
            RefusedReason::TooLarge => "too_large",
            RefusedReason::Unsupported => "unsupported",
            RefusedReason::Unauthenticated => "unauthenticated",
            RefusedReason::Overloaded => "overloaded",
            RefusedReason::ShuttingDown => "shutting_down",
            RefusedReason::Slow => "slow",
            RefusedReason::Gone => "gone",
            RefusedReason::Failed => "failed",
            RefusedReason::Panicked => "panicked",
        }
    }
}

impl ReceiverStats {
    /// The counters of one signal over one transport now.
    pub fn signal(&self, transport: Transport, signal: Signal) -> SignalCounts {
        let stats = self.of(transport).signal(signal);
        SignalCounts {
            accepted_requests: read(&stats.accepted_requests),
            accepted_items: read(&stats.accepted_items),
            rejected_items: read(&stats.rejected_items),
            refused: stats.refused.each_ref().map(read),
        }
    }

    /// The counters of every signal over every transport now.
    pub fn signals(&self) -> impl Iterator<Item = (Transport, Signal, SignalCounts)> {
        let pairs = Transport::ALL.into_iter().flat_map(|transport| Signal::ALL.map(|signal| (transport, signal)));
        pairs.map(|(transport, signal)| (transport, signal, self.signal(transport, signal)))
    }

    /// The other counters of one transport now.
    pub fn transport(&self, transport: Transport) -> TransportCounts {
        let stats = self.of(transport);
        TransportCounts {
            connections: read(&stats.connections),
            accept_errors: read(&stats.accept_errors),
            tls_errors: read(&stats.tls_errors),
            unserved_requests: read(&stats.unserved_requests),
            unauthenticated_requests: read(&stats.unauthenticated_requests),
        }
    }

    pub(super) fn accepted(&self, transport: Transport, signal: Signal, accepted: &Accepted) {
        let stats = self.of(transport).signal(signal);
        add(&stats.accepted_requests, 1);
        add(&stats.accepted_items, accepted.items);
        if accepted.rejected > 0 {
            add(&stats.rejected_items, accepted.rejected);
        }
    }

    pub(super) fn refused(&self, transport: Transport, signal: Signal, reason: RefusedReason) {
        let counters = RefusedReason::ALL.into_iter().zip(&self.of(transport).signal(signal).refused);
        for (_, counter) in counters.filter(|(one, _)| *one == reason) {
            add(counter, 1);
        }
    }

    pub(super) fn unserved(&self, transport: Transport) {
        add(&self.of(transport).unserved_requests, 1);
    }

    pub(super) fn unauthenticated(&self, transport: Transport) {
        add(&self.of(transport).unauthenticated_requests, 1);
    }

    pub(super) fn connected(&self, transport: Transport) {
        add(&self.of(transport).connections, 1);
    }

    pub(super) fn accept_failed(&self, transport: Transport) {
        add(&self.of(transport).accept_errors, 1);
    }

    pub(super) fn tls_failed(&self, transport: Transport) {
        add(&self.of(transport).tls_errors, 1);
    }

    fn of(&self, transport: Transport) -> &TransportStats {
        match transport {
            Transport::Grpc => &self.grpc,
            Transport::Http => &self.http,
        }
    }
}

impl TransportStats {
    fn signal(&self, signal: Signal) -> &SignalStats {
        match signal {
            Signal::Traces => &self.traces,
            Signal::Metrics => &self.metrics,
            Signal::Logs => &self.logs,
        }
    }
}

impl SignalCounts {
    /// Requests answered with an error, for whatever reason.
    pub fn refused_requests(&self) -> u64 {
        self.refused.iter().sum()
    }

    /// Requests answered with an error for this reason.
    pub fn refused_for(&self, reason: RefusedReason) -> u64 {
        let counts = RefusedReason::ALL.into_iter().zip(self.refused);
        counts.filter(|(one, _)| *one == reason).map(|(_, count)| count).sum()
    }
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
