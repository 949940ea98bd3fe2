//! Traces waiting for a verdict: the table, the due slots with their blocks, the decided memory, and the books.
//!
//! Time is cut into slots. A trace belongs to the slot in which its verdict falls due, and its spans are copied into that
//! slot's open block, so that a block is opened once, when its slot falls due, and freed whole. The crate is pure: bytes
//! and a time go in, verdicts and export batches come out; it knows no clock, no socket and no task.
//!
//! ```text
//! ingest(request, scan, now) ─► shard: table ─► slot: traces + fold states + open block ─► sealed blocks (LZ4)
//! take_due(now) ─► Due ─► decide(now) ─► Settled ─► assemble ─► export batches
//!                                │
//!                                └─► decided memory (late spans follow the verdict)
//! ```
//!
//! Settings and policies can be replaced while traces wait ([`Engine::reload`]): each trace keeps the terms it began on.
//!
//! A trace whose time comes sooner than its slot's (its root has come, a policy has decided over one of its pieces, it holds
//! too much) is seated anew in a near slot, which remembers where the older spans lie.

pub mod block;
pub mod books;
pub mod decided;
pub mod due;
pub mod histogram;
pub mod settings;
pub mod token;

mod engine;
mod regime;
mod shard;
mod slot;
mod table;

pub use books::{Books, DropReason};
pub use decided::Most;
pub use due::{Batch, Due, Note, Settled};
pub use engine::{Arrival, Engine, Scratch};
pub use settings::Settings;
pub use token::{Source, Token};
