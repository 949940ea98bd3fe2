//! Sockets, TLS and limits: OTLP comes in through [`receiver`], kept traces leave through [`exporter`].
//!
//! What crosses this crate's edge inwards is bytes that were whole, inflated and within their limits; what crosses it
//! outwards is immutable batches. Neither side knows policies or where traces wait. Every byte held for a peer is charged
//! to one [`budget::Budget`], so that memory has a single bound for the whole process.

use std::future::Future;
use std::pin::Pin;

pub mod auth;
pub mod budget;
pub mod client;

pub mod receiver;

pub mod exporter;

pub mod buffer;
pub mod inflate;
pub mod tls;

/// A future behind the two seams ([`receiver::Intake`], [`exporter::Exporter`]), boxed so that both stay object safe.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
