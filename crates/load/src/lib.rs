//! Makes realistic traffic and counts what arrives: the load generator, the demo's shop, and the sink that tests and benches
//! send kept traces to.
//!
//! The generator must never be the slower side of a measurement, so a span is a copied template with its IDs, times and a few
//! values patched in place; prost is used only by the [`shop`], whose point is variety. Everything about trace number *n*
//! follows from the seed and *n* alone ([`trace`]), so nothing is remembered about what was sent: the set of spans that a
//! collector has to keep is known as a count and two sums ([`expected`]), and the [`sink`] computes the same over what arrives.

pub mod arrivals;
pub mod expected;
pub mod generate;
pub mod latency;
pub mod mix;
pub mod retry;
pub mod shop;
pub mod sink;
pub mod trace;

mod random;
mod render;
mod schedule;
mod template;

pub use arrivals::Arrivals;
pub use expected::{Expected, Fingerprint, Keep};
pub use generate::{Generate, GenerateError, Progress, Report, Target, generate};

pub use latency::Latency;
pub use mix::Mix;
pub use shop::{Shop, ShopReport, run_shop};
pub use sink::{Behavior, Counts, Record, Sink, SinkOptions};
