//! Processors as pure edits of OTLP bytes.
//!
//! A processor takes an export request and gives one back: it cuts ranges, puts key-values in, and has the lengths around
//! them recomputed. What it does not name it does not touch, unknown fields included. The crate is pure: times
//! and environment come in as arguments.
