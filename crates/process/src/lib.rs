//! Processors as pure edits of OTLP bytes.
//!
//! A processor takes an export request and gives one back: it cuts ranges, puts key-values in, and has the lengths around
//! them recomputed ([`splice`]). What it does not name it does not touch, unknown fields included. The crate is pure: times
//! and environment come in as arguments.

pub mod action;
pub mod any_value;
pub mod attribute_list;
pub mod attributes;
pub mod client;
pub mod conditions;
pub mod error_mode;
pub mod filter;
pub mod groupbytrace;
pub mod matching;
pub mod probabilistic_sampler;
pub mod processor;
pub mod redaction;
pub mod resource;
pub mod resourcedetection;
pub mod span;
pub mod splice;
pub mod transform;
pub mod walk;

#[cfg(test)]
mod broken;
#[cfg(test)]
mod notation;

pub use client::{Client, Sender};
pub use processor::{Broken, Edited, Failing, Ignored, IgnoredError, Moment, Processor};
