//! What to keep and why: the policies of `tail_sampling`, folded while spans arrive and decided for many traces at once.
//!
//! [`TailSampling`] is the settings as the user wrote them, checked; [`PolicySet`] is what runs. Each kind of policy is one
//! file named as its YAML `type`, and one line in [`kinds`]. A kind compiles to leaves of three classes:
//! *fold* (its own few words of state per trace, updated span by span in arrival order), *whole* (a function of the stored
//! spans, run only where cheaper conditions leave the verdict open) and *batch* (over all candidates of a decision).
//! The crate is pure: no clock, no I/O, no async. It never learns how traces wait.

pub mod kinds;
mod tail_sampling;

pub mod always_sample;
pub mod and;
pub mod boolean_attribute;
pub mod bytes_limiting;
pub mod composite;
pub mod drop;
pub mod latency;
pub mod not;
pub mod numeric_attribute;
pub mod ottl_condition;
pub mod probabilistic;
pub mod rate_limiting;
pub mod span_count;
pub mod status_code;
pub mod string_attribute;
pub mod trace_flags;
pub mod trace_state;

mod attribute;
mod bucket;
#[cfg(test)]
mod notation;
mod packed;
mod set;
mod verdict;

pub use kinds::{Kind, Policy};
pub use set::{Amount, Amounts, PolicyCounts, PolicySet};
pub use tail_sampling::{DecisionCache, SamplingStrategy, TailSampling};
pub use verdict::{Candidate, Now, Piece, Place, Reason, Recorded, StoredSpan, THRESHOLD_NEVER, Verdict, Weight, Why};
