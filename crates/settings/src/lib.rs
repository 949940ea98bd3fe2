//! Settings as a tree in which every value knows its file, line and column, so that a mistake can be shown where it stands.
//!
//! [`load()`] reads, merges and expands the files the way otelcol does and gives one [`Node`]; components turn their part of
//! it into plain structs with [`Decode`] and [`Fields`], as strictly as otelcol (unknown keys are errors, text is no number).
//! Whatever is wrong is collected in [`Problems`] and shown together. The crate knows no component.

// The derive names the crate, also inside of it.
#[cfg(test)]
extern crate self as settings;

mod location;
mod node;
mod problems;

mod component_id;
mod decode;
mod duration;
mod secret;
mod shape;
mod suggest;

mod expand;
mod load;
mod print;
mod yaml;

pub use component_id::{ComponentId, Reference};
pub use decode::{Decode, Fields, one_of, quoted};
pub use documented::Documented;
pub use duration::{Duration, ParseDurationError};
pub use expand::Expansion;
pub use load::{environment, load, load_part};
pub use location::{Location, Sources};
pub use node::{Entry, Node, Value};
pub use print::Mode;
pub use problems::{Problem, Problems, Severity};
pub use secret::Secret;
pub use shape::{Documented, Key, Keys, Scalar, Shape, shape_of};
pub use suggest::suggest;
