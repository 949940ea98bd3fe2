//! Decompression with a bound.
