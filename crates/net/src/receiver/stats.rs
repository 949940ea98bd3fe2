//! What a receiver counts, by transport.
//!
//! Spans are counted by the intake, which alone knows them; a request that was refused before it was scanned has no span
//! count, and stands in `refused_requests` only.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Accepted, Transport};

/// The counters of one receiver.
#[derive(Debug, Default)]
pub struct ReceiverStats {
    /// Of OTLP/gRPC.
    pub grpc: TransportStats,
    /// Of OTLP/HTTP.
    pub http: TransportStats,
}

/// The counters of one transport.
#[derive(Debug, Default)]
pub struct TransportStats {
    accepted_requests: AtomicU64,
    accepted_spans: AtomicU64,
    refused_requests: AtomicU64,
    refused_spans: AtomicU64,
    overloaded_requests: AtomicU64,
    connections: AtomicU64,
    accept_errors: AtomicU64,
}

/// The counters as they stood at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransportCounts {
    /// Requests answered with success, partial success included.
    pub accepted_requests: u64,
    /// `receiver_accepted_spans`.
    pub accepted_spans: u64,
    /// Requests answered with an error.
    pub refused_requests: u64,
    /// `receiver_refused_spans`: those that the intake rejected out of accepted requests.
    pub refused_spans: u64,
    /// Those of the refused requests for which there was no room.
    pub overloaded_requests: u64,
    /// Connections taken since the start.
    pub connections: u64,
    /// Times that the system had no connection to give, such as for want of file descriptors.
    pub accept_errors: u64,
}

impl ReceiverStats {
    /// All counters, by the transport's name.
    pub fn transports(&self) -> [(&'static str, TransportCounts); 2] {
        [(Transport::Grpc.name(), self.grpc.counts()), (Transport::Http.name(), self.http.counts())]
    }

    pub(super) fn of(&self, transport: Transport) -> &TransportStats {
        match transport {
            Transport::Grpc => &self.grpc,
            Transport::Http => &self.http,
        }
    }
}

impl TransportStats {
    /// The counters now.
    pub fn counts(&self) -> TransportCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TransportCounts {
            accepted_requests: read(&self.accepted_requests),
            accepted_spans: read(&self.accepted_spans),
            refused_requests: read(&self.refused_requests),
            refused_spans: read(&self.refused_spans),
            overloaded_requests: read(&self.overloaded_requests),
            connections: read(&self.connections),
            accept_errors: read(&self.accept_errors),
        }
    }

    pub(super) fn accepted(&self, accepted: &Accepted) {
        self.accepted_requests.fetch_add(1, Ordering::Relaxed);
        self.accepted_spans.fetch_add(accepted.items, Ordering::Relaxed);
        if accepted.rejected > 0 {
            self.refused_spans.fetch_add(accepted.rejected, Ordering::Relaxed);
        }
    }

    pub(super) fn refused(&self, overloaded: bool) {
        self.refused_requests.fetch_add(1, Ordering::Relaxed);
        self.overloaded_requests.fetch_add(u64::from(overloaded), Ordering::Relaxed);
    }

    pub(super) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn accept_failed(&self) {
        self.accept_errors.fetch_add(1, Ordering::Relaxed);
    }
}
