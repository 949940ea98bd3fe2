//! The engine over virtual time: requests in, verdicts out, and the books after each step.

#[path = "engine/rig.rs"]
mod rig;

#[path = "engine/limits.rs"]
mod limits;
#[path = "engine/pulling.rs"]
mod pulling;
#[path = "engine/recorded.rs"]
mod recorded;
#[path = "engine/reload.rs"]
mod reload;
#[path = "engine/reload_random.rs"]
mod reload_random;
#[path = "engine/scenarios.rs"]
mod scenarios;
#[path = "engine/span_ingest.rs"]
mod span_ingest;
#[path = "engine/waiting.rs"]
mod waiting;
