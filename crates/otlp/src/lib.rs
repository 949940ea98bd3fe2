//! OTLP requests as bytes: find the spans, read what is asked for, put them back together.
//!
//! Nothing here turns a span into an object. [`scan::Scan`] walks a trace request once and leaves byte ranges; [`view`] reads
//! a single span on the cold paths; [`assemble`] joins stored spans into export requests. Requests of any [`Signal`] are
//! checked and counted by [`check`], walked by [`records`] and cut by [`cut`]; [`json`] is the other encoding of all.
//! [`compose`] writes those that the program makes itself.
//! The crate is pure: no clock, no I/O, no async, no policies.

pub mod id;
pub mod keys;
mod schema;
pub mod signal;
pub mod trace_state;
pub mod value;
pub mod wire;

pub mod check;
pub mod pdata_size;
pub mod records;
pub mod scan;
pub mod scope;
pub mod view;

pub mod assemble;
pub mod compose;
pub mod cut;
pub mod json;

pub use id::{SpanId, TraceId};
pub use keys::{KeyId, Keys};
pub use signal::Signal;
pub use value::Value;
