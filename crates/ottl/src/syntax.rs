//! The text of a condition or a statement as a tree.
//!
//! [`token`] cuts the text up as otelcol's lexer does, [`parse`] builds the [`tree`]. The grammar of otelcol tries one reading
//! after the other, which takes exponential time on nested parentheses; here there is one reading, and what a parenthesis
//! holds, a condition or a calculation, is judged afterwards.

mod parse;
mod token;
pub(crate) mod tree;

pub(crate) use parse::{parse, parse_statement};
pub(crate) use token::Operator;
