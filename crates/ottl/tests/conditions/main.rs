//! Conditions as users write them, asked about one span: what the real collector answered, and the language part by part.

mod contexts;
mod errors;
mod language;
mod paths;
mod random;
mod statements;
mod syntax;
mod vectors;
mod world;
