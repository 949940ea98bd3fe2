//! The engine over virtual time: requests in, verdicts out, and the books after each step.

#[path = "engine/rig.rs"]
mod rig;

#[path = "engine/pulling.rs"]
mod pulling;
#[path = "engine/waiting.rs"]
mod waiting;
